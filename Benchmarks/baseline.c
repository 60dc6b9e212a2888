// The ruler: what `wrk` and the loopback of this machine can do when the server does nothing.
//
// One thread, one epoll loop, one fixed answer. It reads a request's head for its end and its Content-Length, throws
// the body away, and answers. Results of Cairn are given as a share of this one's, taken in the same minute, so that
// two machines, or a busy and an idle hour, can be compared. It is no server: it checks nothing.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PIECE = 1 << 16, CONNECTIONS = 4096 };

static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n"
                             "{\"status\":\"ok\"}";

struct connection {
    size_t held;         // bytes of an unfinished head
    long long body_left; // bytes of the body still to come
    char head[8192];
};

static struct connection *connections[CONNECTIONS];

static void reply(int fd) {
    if (send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL) < 0)
        shutdown(fd, SHUT_RDWR);
}

static long long content_length(const char *head, const char *end) {
    for (const char *line = head; line < end; line = strstr(line, "\r\n") + 2)
        if (strncasecmp(line, "content-length:", 15) == 0)
            return atoll(line + 15);
    return 0;
}

// Takes bytes that arrived; returns 0 when the connection is to be closed.
static int take(int fd, struct connection *c, const char *bytes, size_t count) {
    while (count > 0) {
        if (c->body_left > 0) {
            size_t skipped = (long long)count < c->body_left ? count : (size_t)c->body_left;
            c->body_left -= skipped, bytes += skipped, count -= skipped;
            if (c->body_left == 0)
                reply(fd);
            continue;
        }
        size_t room = sizeof c->head - 1 - c->held, taken = count < room ? count : room;
        if (taken == 0)
            return 0;
        memcpy(c->head + c->held, bytes, taken);
        c->head[c->held + taken] = 0;
        char *end = strstr(c->head, "\r\n\r\n");
        if (!end) {
            c->held += taken, bytes += taken, count -= taken;
            continue;
        }
        size_t used = (size_t)(end + 4 - c->head) - c->held;
        c->held = 0, bytes += used, count -= used;
        c->body_left = content_length(c->head, end + 2);
        if (c->body_left == 0)
            reply(fd);
    }
    return 1;
}

static void drop(int fd) {
    free(connections[fd]);
    connections[fd] = NULL;
    close(fd);
}

static void admit(int loop, int listener) {
    int fd = accept(listener, NULL, NULL), on = 1;
    if (fd < 0 || fd >= CONNECTIONS) {
        if (fd >= 0)
            close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    connections[fd] = calloc(1, sizeof(struct connection));
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event);
}

int main(int count, char **arguments) {
    static char piece[PIECE];
    int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1, loop = epoll_create1(0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    address.sin_port = htons(count > 1 ? atoi(arguments[1]) : 8080);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 512) < 0) {
        perror("baseline");
        return 1;
    }
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, ready[256];
    epoll_ctl(loop, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int events = epoll_wait(loop, ready, 256, -1);
        for (int i = 0; i < events; i++) {
            int fd = ready[i].data.fd;
            if (fd == listener) {
                admit(loop, listener);
                continue;
            }
            ssize_t received = recv(fd, piece, sizeof piece, 0);
            if (received <= 0 || !take(fd, connections[fd], piece, (size_t)received))
                drop(fd);
        }
    }
}
