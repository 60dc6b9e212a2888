// Sends prepared requests and measures the answers: what `wrk` cannot do, since here every body is another one.
//
//     sender PORT PLAN SECONDS [any]
//
// The plan (load.py writes it) names files with bodies, and for each connection its requests in order. All
// connections are opened first; then each sends its requests one after the other, the next when the answer to the last
// has been read to its end. One thread does it all, so that the load costs little of the cores it shares with the
// server. Every latency is kept, from the first byte sent to the last byte received: quantiles are exact.
//
// An answer with another status than the plan says, a closed connection, or a run longer than SECONDS ends the program
// with status 1 and the reason; there is no figure then. With `any`, which is for the ruler, each 2xx is right.
#define _GNU_SOURCE
#include "sender.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int loop, accepts_any;
static size_t finished;
static double epoch, window_end; // the window ends when the first connection has finished
static double window_requests;   // requests in the window; those under way at its end count by their elapsed share

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

static double cpu_seconds(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return u.ru_utime.tv_sec + u.ru_stime.tv_sec + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

// MARK: - One connection

static void record(struct connection *c, double ended) {
    struct label *l = &labels[c->requests[c->current].label];
    size_t room = l->room;
    l->total = grown(l->total, l->count, &room, sizeof(double));
    l->first = grown(l->first, l->count, &l->room, sizeof(double));
    l->total[l->count] = ended - c->began;
    l->first[l->count++] = c->first_byte - c->began;
    if (l->shortest < 0 || c->received < l->shortest)
        l->shortest = c->received;
    if (c->received > l->longest)
        l->longest = c->received;
    if (!window_end)
        window_requests += 1;
    else if (c->began < window_end)
        window_requests += (window_end - c->began) / (ended - c->began);
}

static void watch(struct connection *c, int writes) {
    if (c->waits_to_write == writes)
        return;
    struct epoll_event event = {.events = writes ? EPOLLIN | EPOLLOUT : EPOLLIN, .data.ptr = c};
    epoll_ctl(loop, EPOLL_CTL_MOD, c->fd, &event);
    c->waits_to_write = writes;
}

static void write_on(struct connection *c) {
    struct request *r = &c->requests[c->current];
    size_t total = r->head_length + (r->file < 0 ? 0 : r->length);
    while (c->sent < total) {
        struct iovec parts[2];
        int count = 0;
        if (c->sent < r->head_length)
            parts[count++] = (struct iovec){r->head + c->sent, r->head_length - c->sent};
        if (r->file >= 0 && r->length) {
            size_t done = c->sent < r->head_length ? 0 : c->sent - r->head_length;
            parts[count++] = (struct iovec){(char *)files[r->file].bytes + r->offset + done, r->length - done};
        }
        struct msghdr message = {.msg_iov = parts, .msg_iovlen = (size_t)count};
        ssize_t sent = sendmsg(c->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EAGAIN)
            return watch(c, 1);
        if (sent < 0)
            return watch(c, 0); // The server closed; what it answered is still to be read.
        c->sent += (size_t)sent;
    }
    watch(c, 0);
}

static void begin(struct connection *c) {
    c->sent = c->held = c->excerpted = 0;
    c->received = c->left = 0;
    c->reading = IN_HEAD;
    c->first_byte = 0;
    c->began = now();
    write_on(c);
}

static void next(struct connection *c) {
    struct request *r = &c->requests[c->current];
    int right = accepts_any || r->status == 2 ? c->status / 100 == 2 : c->status == r->status;
    if (!right) {
        fprintf(stderr, "%s: answer %zu was %d: %.*s\n", labels[r->label].name, labels[r->label].count + 1, c->status,
                (int)c->excerpted, c->excerpt);
        exit(1);
    }
    double ended = now();
    record(c, ended);
    if (++c->repeated == r->repeat)
        c->repeated = 0, c->current++;
    if (c->current < c->count)
        return begin(c);
    if (!window_end)
        window_end = ended;
    finished++;
}

// MARK: - Reading an answer

static const char *field(const char *head, const char *name) {
    size_t length = strlen(name);
    for (const char *line = strstr(head, "\r\n"); line; line = strstr(line + 2, "\r\n"))
        if (strncasecmp(line + 2, name, length) == 0 && line[2 + length] == ':')
            return line + 3 + length;
    return NULL;
}

static void body_bytes(struct connection *c, const char *bytes, size_t count) {
    size_t room = sizeof c->excerpt - c->excerpted, kept = count < room ? count : room;
    memcpy(c->excerpt + c->excerpted, bytes, kept);
    c->excerpted += kept;
    c->received += (long long)count;
}

// Takes bytes of a head; returns how many. Goes on to the body, or to the next request, when the head is whole.
static size_t take_head(struct connection *c, const char *bytes, size_t count) {
    size_t room = sizeof c->head - 1 - c->held, taken = count < room ? count : room;
    memcpy(c->head + c->held, bytes, taken);
    c->head[c->held + taken] = 0;
    char *end = strstr(c->head, "\r\n\r\n");
    if (!end) {
        if (taken == room)
            fail("the head of an answer is too long%s (%lld)", "", (long long)c->held);
        c->held += taken;
        return taken;
    }
    size_t used = (size_t)(end + 4 - c->head) - c->held;
    end[2] = 0;
    c->status = atoi(c->head + 9);
    const char *length = field(c->head, "content-length"), *coding = field(c->head, "transfer-encoding");
    c->held = 0;
    if (coding && strcasestr(coding, "chunked")) {
        c->reading = IN_CHUNK_SIZE, c->left = 0, c->line = 0;
    } else if (length && c->status != 204 && atoll(length) > 0) {
        c->reading = IN_LENGTH, c->left = atoll(length);
    } else {
        next(c);
    }
    return used;
}

static int digit(char byte) {
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    byte |= 32;
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

// Takes one byte of the lines between chunks.
static void take_framing(struct connection *c, char byte) {
    if (c->reading == IN_CHUNK_SIZE && byte != '\n') {
        if (digit(byte) >= 0 && c->line >= 0)
            c->left = c->left * 16 + digit(byte);
        else
            c->line = -1; // an extension, or the end of the line
    } else if (c->reading == IN_CHUNK_SIZE) {
        c->line = 0;
        c->reading = c->left ? IN_CHUNK : IN_TRAILER;
    } else if (byte == '\n' && c->reading == IN_CHUNK_END) {
        c->reading = IN_CHUNK_SIZE, c->left = 0, c->line = 0;
    } else if (byte == '\n' && c->reading == IN_TRAILER) {
        if (c->line == 0)
            return next(c);
        c->line = 0;
    } else if (byte != '\r') {
        c->line++;
    }
}

static void take(struct connection *c, const char *bytes, size_t count) {
    while (count > 0 && c->current < c->count) {
        size_t used = 1;
        if (c->reading == IN_HEAD) {
            used = take_head(c, bytes, count);
        } else if (c->reading == IN_LENGTH || c->reading == IN_CHUNK) {
            used = (long long)count < c->left ? count : (size_t)c->left;
            body_bytes(c, bytes, used);
            c->left -= (long long)used;
            if (c->left == 0 && c->reading == IN_LENGTH)
                next(c);
            else if (c->left == 0)
                c->reading = IN_CHUNK_END;
        } else {
            take_framing(c, *bytes);
        }
        bytes += used, count -= used;
    }
    if (count > 0)
        fail("an answer has more bytes than it should%s (%lld)", "", (long long)count);
}

static void read_on(struct connection *c) {
    static char piece[PIECE];
    ssize_t received = recv(c->fd, piece, sizeof piece, MSG_DONTWAIT);
    if (received < 0 && errno == EAGAIN)
        return;
    if (received <= 0)
        fail("%s: the connection broke at request %lld", labels[c->requests[c->current].label].name,
             (long long)c->current + 1);
    if (!c->first_byte)
        c->first_byte = now();
    take(c, piece, (size_t)received);
}

// MARK: - The run

static void open_connection(struct connection *c, int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    address.sin_port = htons((uint16_t)port);
    int on = 1;
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&address, sizeof address) < 0)
        fail("cannot connect%s (%lld)", "", errno);
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(loop, EPOLL_CTL_ADD, c->fd, &event);
}

static void run(double limit) {
    struct epoll_event ready[256];
    for (size_t i = 0; i < connection_count; i++)
        begin(connections[i]);
    while (finished < connection_count) {
        int count = epoll_wait(loop, ready, 256, 1000);
        if (now() - epoch > limit)
            fail("the run took longer than it may%s (%lld s)", "", (long long)(limit / 1000));
        for (int i = 0; i < count; i++) {
            struct connection *c = ready[i].data.ptr;
            if (c->current == c->count) { // It has finished; whatever comes now is no part of the measurement.
                epoll_ctl(loop, EPOLL_CTL_DEL, c->fd, NULL);
                continue;
            }
            if (ready[i].events & EPOLLOUT)
                write_on(c);
            if (ready[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
                read_on(c);
        }
    }
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

// The smallest value that at least this share of all values does not exceed.
static double quantile(const double *sorted, size_t count, double share) {
    size_t index = (size_t)(share * (double)count + 0.999999);
    return sorted[index > 0 ? (index > count ? count : index) - 1 : 0];
}

// What a request costs when nothing disturbs it: the tenth part below which the quickest are.
static double quick_of(const double *values, size_t count) {
    double *copy = malloc(count * sizeof *copy);
    memcpy(copy, values, count * sizeof *copy);
    qsort(copy, count, sizeof *copy, ascending);
    double quick = quantile(copy, count, 0.1);
    free(copy);
    return quick;
}

static void print_label(struct label *l) {
    size_t tenth = l->count >= 10 ? l->count / 10 : l->count;
    double early = quick_of(l->total, tenth), late = quick_of(l->total + l->count - tenth, tenth);
    qsort(l->total, l->count, sizeof(double), ascending);
    qsort(l->first, l->count, sizeof(double), ascending);
    printf("\"%s\":{\"requests\":%zu,\"p50\":%.4f,\"p99\":%.4f,\"p999\":%.4f,\"max\":%.4f,\"first_p50\":%.4f,"
           "\"first_max\":%.4f,\"early_p10\":%.4f,\"late_p10\":%.4f,\"shortest\":%lld,\"longest\":%lld}",
           l->name, l->count, quantile(l->total, l->count, 0.5), quantile(l->total, l->count, 0.99),
           quantile(l->total, l->count, 0.999), l->total[l->count - 1], quantile(l->first, l->count, 0.5),
           l->first[l->count - 1], early, late, l->shortest, l->longest);
}

int main(int count, char **arguments) {
    if (count < 4)
        fail("usage: sender PORT PLAN SECONDS [any]%s%lld", "", 0);
    accepts_any = count > 4;
    loop = epoll_create1(0);
    read_plan(arguments[2]);
    for (size_t i = 0; i < connection_count; i++) {
        if (connections[i]->count == 0)
            fail("a connection has no requests%s (%lld)", "", (long long)i);
        open_connection(connections[i], atoi(arguments[1]));
    }
    double spent = cpu_seconds();
    epoch = now();
    run(atof(arguments[3]) * 1000);
    double seconds = (now() - epoch) / 1000;
    spent = cpu_seconds() - spent;
    printf("{\"seconds\":%.6f,\"window_seconds\":%.6f,\"window_requests\":%.3f,\"cpu_seconds\":%.3f,\"labels\":{",
           seconds, (window_end - epoch) / 1000, window_requests, spent);
    for (int i = 0; i < label_count; i++) {
        if (i)
            putchar(',');
        print_label(&labels[i]);
    }
    puts("}}");
    return 0;
}
