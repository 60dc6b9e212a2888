// Connections of the load generator's sender: HTTP/1.1 with keep-alive, one request at a time on each.
#define _GNU_SOURCE
#include "pacer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PIECE = 1 << 18, LONGEST_ANSWER = 1 << 26 };

static struct {
    struct addrinfo *address;
    const char *host;
} ports[PORTS];
static int loop, port_count;
static const char *user_token;
static unsigned long long chance;
unsigned long long reconnections;

void http_open(int epoll, const char *const *addresses, int count, const char *token, unsigned seed) {
    loop = epoll, port_count = count, user_token = token;
    chance = seed * 2654435761ULL + 88172645463325252ULL;
    for (int i = 0; i < count; i++) {
        char *host = strdup(addresses[i]), *colon = strrchr(host, ':');
        struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
        if (!colon)
            fail("an address is not HOST:PORT: %s", host);
        *colon = 0;
        if (getaddrinfo(host, colon + 1, &hints, &ports[i].address) != 0)
            fail("an address is not known: %s", host);
        ports[i].host = addresses[i];
    }
}

static int any_port(int except) {
    chance ^= chance << 13, chance ^= chance >> 7, chance ^= chance << 17;
    int port = (int)(chance % (unsigned)port_count);
    return port == except ? (port + 1) % port_count : port;
}

static struct request *request_of(struct run *r) { return &r->lane->requests[r->current]; }

static void watch(struct run *r, int writes, int adds) {
    // A run is aligned to more than PORTS bytes, so its address has room for the port.
    struct epoll_event event = {.events = writes ? EPOLLIN | EPOLLOUT : EPOLLIN,
                                .data.u64 = (uintptr_t)r + (unsigned)r->port};
    if (adds || r->watches_writes != writes)
        epoll_ctl(loop, adds ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, r->fds[r->port] - 1, &event);
    r->watches_writes = writes;
}

static void drop(struct run *r) {
    close(r->fds[r->port] - 1);
    r->fds[r->port] = r->used[r->port] = 0;
}

// On this machine each queue comes from an address of its own, as users do: servers limit connections by address.
static void bind_source(int fd, const struct addrinfo *to, unsigned queue) {
    struct sockaddr_in from = {.sin_family = AF_INET};
    if (to->ai_family != AF_INET || ntohl(((struct sockaddr_in *)to->ai_addr)->sin_addr.s_addr) >> 24 != 127)
        return;
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 256 + queue % 65536);
    if (bind(fd, (struct sockaddr *)&from, sizeof from) < 0)
        fail("no source address for queue %u (%d)", queue, errno);
}

// Connects; a refusal shows at the first write. Descriptors are kept one higher, so that 0 is none.
static void connect_run(struct run *r) {
    struct addrinfo *to = ports[r->port].address;
    int on = 1, fd = socket(to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        fail("no more sockets (%d)", errno);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    bind_source(fd, to, r->queue->number);
    r->fds[r->port] = fd + 1;
    r->used[r->port] = 0;
    if (connect(fd, to->ai_addr, to->ai_addrlen) < 0 && errno != EINPROGRESS) {
        drop(r);
        return;
    }
    watch(r, 1, 1);
}

// MARK: - The request

// `{S}` is the stack's path, `{c}` the query of a continuation, any other letter a variable.
static size_t expand(struct run *r, const char *template, char *to, size_t room) {
    size_t length = 0;
    struct queue *q = r->queue;
    for (const char *at = template; *at;) {
        if (*at != '{') {
            if (length + 1 < room)
                to[length++] = *at;
            at++;
            continue;
        }
        const char *name = strchr(VARIABLE_NAMES, at[1]), *text = "";
        if (at[1] == 'S')
            text = q->job->stack;
        else if (name)
            text = q->variables[name - VARIABLE_NAMES];
        if (at[1] == 'c' && *text) {
            to[length] = 0;
            length += (size_t)snprintf(to + length, room - length,
                                       "%ccontinuationToken=", memchr(to, '?', length) ? '&' : '?');
        }
        length += (size_t)snprintf(to + length, room - length, "%s", text);
        if (length >= room)
            fail("a path is too long: %s", template);
        at += 3;
    }
    to[length] = 0;
    return length;
}

static const struct body *body_of(struct run *r) {
    int slot = request_of(r)->slot;
    if (slot < 0)
        return NULL;
    if ((size_t)slot >= r->queue->job->body_count)
        fail("a job of %s lacks body %d", r->queue->job->stack, slot);
    return &bodies[r->queue->job->bodies[slot]];
}

static void write_head(struct run *r) {
    static char path[4096], credential[VALUE + 64];
    struct request *q = request_of(r);
    const struct body *b = body_of(r);
    expand(r, q->path, path, sizeof path);
    credential[0] = 0;
    if (q->authorization == 'u')
        snprintf(credential, sizeof credential, "Authorization: token %s\r\n", user_token);
    else if (q->authorization == 'l')
        snprintf(credential, sizeof credential, "Authorization: update-token %s\r\n", r->queue->variables[TOKEN]);
    char length[48] = "";
    if (b || strcmp(q->method, "GET") != 0)
        snprintf(length, sizeof length, "Content-Length: %zu\r\n", b ? b->length : 0);
    if (!r->head && !(r->head = malloc(HEAD)))
        fail("no memory");
    r->head_length = (size_t)snprintf(
        r->head, HEAD,
        "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: pulumi-cli/1 (v3.274.1; linux; cmd=up)\r\n%s"
        "Accept: application/vnd.pulumi+9\r\n%s%sContent-Type: application/json\r\n%s\r\n",
        q->method, path, ports[r->port].host, length, q->accepts_gzip ? "Accept-Encoding: gzip\r\n" : "", credential,
        b && b->compressed ? "Content-Encoding: gzip\r\n" : "");
}

static void no_answer(struct run *r) {
    int stale = r->used[r->port] && r->received == 0 && r->held == 0;
    if (r->fds[r->port])
        drop(r);
    if (stale) { // The server had closed a kept connection: a client sends again at once.
        reconnections++;
        r->sent = 0;
        connect_run(r);
        if (r->fds[r->port])
            return;
    }
    r->status = 0;
    r->busy = 0;
    answered(r);
}

static void write_on(struct run *r) {
    const struct body *b = body_of(r);
    size_t total = r->head_length + (b ? b->length : 0);
    while (r->sent < total) {
        struct iovec parts[2];
        int count = 0;
        if (r->sent < r->head_length)
            parts[count++] = (struct iovec){r->head + r->sent, r->head_length - r->sent};
        if (b && b->length) {
            size_t done = r->sent < r->head_length ? 0 : r->sent - r->head_length;
            parts[count++] = (struct iovec){(char *)b->bytes + done, b->length - done};
        }
        struct msghdr message = {.msg_iov = parts, .msg_iovlen = (size_t)count};
        ssize_t sent = sendmsg(r->fds[r->port] - 1, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EAGAIN)
            return watch(r, 1, 0);
        if (sent < 0)
            return watch(r, 0, 0); // Closed; an answer may still be there to be read, and reading tells.
        r->sent += (size_t)sent;
    }
    watch(r, 0, 0);
}

void http_send(struct run *r) {
    r->port = port_count == 1 ? 0 : any_port(r->attempt ? r->port : -1);
    r->number++;
    r->sent = r->held = r->kept = 0;
    r->received = r->left = 0;
    r->reading = IN_HEAD;
    r->status = r->retry_after = 0;
    r->busy = 1;
    write_head(r);
    if (!r->fds[r->port]) {
        connect_run(r);
        if (!r->fds[r->port])
            no_answer(r);
        return; // It is written when the connection is there.
    }
    write_on(r);
}

// MARK: - The answer

static const char *field(const char *head, const char *name) {
    size_t length = strlen(name);
    for (const char *line = strstr(head, "\r\n"); line; line = strstr(line + 2, "\r\n"))
        if (strncasecmp(line + 2, name, length) == 0 && line[2 + length] == ':')
            return line + 3 + length + strspn(line + 3 + length, " ");
    return NULL;
}

static void whole(struct run *r) {
    const struct body *b = body_of(r);
    const char *kept = field(r->answer_head, "connection");
    r->busy = 0;
    r->used[r->port] = 1;
    if ((kept && strncasecmp(kept, "close", 5) == 0) || r->sent < r->head_length + (b ? b->length : 0))
        if (r->fds[r->port])
            drop(r);
    if (r->is_gzip && r->kept && (request_of(r)->capture_count || r->status >= 300))
        inflate_answer(r);
    if (r->status / 100 == 2)
        capture_variables(r);
    answered(r);
}

static void body_bytes(struct run *r, const char *bytes, size_t count) {
    r->received += (long long)count;
    if (!request_of(r)->capture_count && r->status / 100 == 2)
        return;
    if (r->kept + count > LONGEST_ANSWER)
        fail("an answer is longer than %d B", LONGEST_ANSWER);
    while (r->kept + count + 1 > r->kept_room) {
        r->kept_room = r->kept_room ? r->kept_room * 2 : 4096;
        if (!(r->answer = realloc(r->answer, r->kept_room)))
            fail("no memory");
    }
    memcpy(r->answer + r->kept, bytes, count);
    r->kept += count;
}

static size_t take_head(struct run *r, const char *bytes, size_t count) {
    size_t room = sizeof r->answer_head - 1 - r->held, taken = count < room ? count : room;
    memcpy(r->answer_head + r->held, bytes, taken);
    r->answer_head[r->held + taken] = 0;
    char *end = strstr(r->answer_head, "\r\n\r\n");
    if (!end) {
        if (taken == room)
            fail("the head of an answer is too long");
        r->held += taken;
        return taken;
    }
    size_t used = (size_t)(end + 4 - r->answer_head) - r->held;
    end[2] = 0;
    r->held = (size_t)(end + 2 - r->answer_head);
    r->status = atoi(r->answer_head + 9);
    const char *length = field(r->answer_head, "content-length"), *after = field(r->answer_head, "retry-after");
    const char *coding = field(r->answer_head, "transfer-encoding"),
               *packed = field(r->answer_head, "content-encoding");
    r->retry_after = after ? atoi(after) : 0;
    r->is_gzip = packed && strncasecmp(packed, "gzip", 4) == 0;
    if (coding && strncasecmp(coding, "chunked", 7) == 0) {
        r->reading = IN_CHUNK_SIZE, r->left = 0, r->line = 0;
    } else if (r->status != 204 && length && atoll(length) > 0) {
        r->reading = IN_LENGTH, r->left = atoll(length);
    } else if (r->status != 204 && !length) {
        r->reading = IN_REST; // until the server closes
    } else {
        whole(r);
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
static void take_framing(struct run *r, char byte) {
    if (r->reading == IN_CHUNK_SIZE && byte != '\n') {
        if (digit(byte) >= 0 && r->line >= 0)
            r->left = r->left * 16 + digit(byte);
        else
            r->line = -1; // an extension, or the end of the line
    } else if (r->reading == IN_CHUNK_SIZE) {
        r->line = 0;
        r->reading = r->left ? IN_CHUNK : IN_TRAILER;
    } else if (byte == '\n' && r->reading == IN_CHUNK_END) {
        r->reading = IN_CHUNK_SIZE, r->left = 0, r->line = 0;
    } else if (byte == '\n' && r->reading == IN_TRAILER) {
        if (r->line == 0)
            return whole(r);
        r->line = 0;
    } else if (byte != '\r') {
        r->line++;
    }
}

static void take(struct run *r, const char *bytes, size_t count) {
    unsigned number = r->number;
    while (count > 0 && r->busy && r->number == number) {
        size_t used = 1;
        if (r->reading == IN_HEAD) {
            used = take_head(r, bytes, count);
        } else if (r->reading == IN_LENGTH || r->reading == IN_CHUNK) {
            used = (long long)count < r->left ? count : (size_t)r->left;
            body_bytes(r, bytes, used);
            r->left -= (long long)used;
            if (r->left == 0 && r->reading == IN_LENGTH)
                whole(r);
            else if (r->left == 0)
                r->reading = IN_CHUNK_END;
        } else if (r->reading == IN_REST) {
            body_bytes(r, bytes, used = count);
        } else {
            take_framing(r, *bytes);
        }
        bytes += used, count -= used;
    }
    if (count > 0)
        fail("an answer has %zu bytes more than it should", count);
}

void on_writable(struct run *r, int port) {
    if (r->busy && r->port == port && r->fds[port] && r->watches_writes)
        write_on(r);
}

void on_readable(struct run *r, int port) {
    static char piece[PIECE];
    if (!r->fds[port])
        return;
    ssize_t received = recv(r->fds[port] - 1, piece, sizeof piece, MSG_DONTWAIT);
    if (!r->busy || r->port != port) { // A kept connection that the server closes meanwhile.
        if (received <= 0 && errno != EAGAIN) {
            close(r->fds[port] - 1);
            r->fds[port] = r->used[port] = 0;
        }
        return;
    }
    if (received < 0 && errno == EAGAIN)
        return;
    if (received <= 0) {
        if (received == 0 && r->reading == IN_REST) {
            drop(r);
            return whole(r);
        }
        return no_answer(r);
    }
    take(r, piece, (size_t)received);
}
