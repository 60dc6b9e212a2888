#include "listener.hpp"

#include "server.hpp"
#include "session.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <optional>
#include <sys/socket.h>
#include <unistd.h>

namespace cb {

namespace {

/// Beyond the limit of connections, so many more are told so; any others are closed without a word.
constexpr uint64_t told_beyond_limit = 256;
constexpr int most_per_turn = 64;

void set_option(int descriptor, int level, int name, int value) {
    ::setsockopt(descriptor, level, name, &value, sizeof value);
}

/// Options that accepted sockets inherit. Keep-alive finds hosts that vanished while a handler takes its time.
void prepare(int descriptor, int family) {
    set_option(descriptor, SOL_SOCKET, SO_REUSEADDR, 1);
    set_option(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
    set_option(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, 60);
    set_option(descriptor, IPPROTO_TCP, TCP_KEEPINTVL, 15);
    set_option(descriptor, IPPROTO_TCP, TCP_KEEPCNT, 4);
    if (family == AF_INET6)
        set_option(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, 0);
}

void describe(cb_error &error, cb_error_kind kind, const char *words) {
    error.kind = kind;
    std::snprintf(error.text, sizeof error.text, "%s", words);
}

} // namespace

int listen_on(const cb_address &address, uint16_t &port, cb_error &error) {
    addrinfo hints{};
    hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo *list = nullptr;
    int problem = ::getaddrinfo(address.host, std::to_string(address.port).c_str(), &hints, &list);
    if (problem != 0) {
        describe(error, CB_ERROR_ADDRESS, gai_strerror(problem));
        return -1;
    }
    std::unique_ptr<addrinfo, void (*)(addrinfo *)> owner(list, ::freeaddrinfo);
    int descriptor = ::socket(list->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor >= 0) {
        prepare(descriptor, list->ai_family);
        sockaddr_storage bound{};
        socklen_t length = sizeof bound;
        if (::bind(descriptor, list->ai_addr, list->ai_addrlen) == 0 && ::listen(descriptor, 1024) == 0 &&
            ::getsockname(descriptor, reinterpret_cast<sockaddr *>(&bound), &length) == 0) {
            port = Peer(bound).port;
            return descriptor;
        }
    }
    int number = errno;
    describe(error,
             number == EADDRINUSE      ? CB_ERROR_IN_USE
             : number == EACCES        ? CB_ERROR_PERMISSION
             : number == EADDRNOTAVAIL ? CB_ERROR_ADDRESS
                                       : CB_ERROR_SYSTEM,
             std::strerror(number));
    if (descriptor >= 0)
        ::close(descriptor);
    return -1;
}

Listener::Listener(std::shared_ptr<Shared> shared, std::vector<std::shared_ptr<Loop>> loops, int descriptor)
    : shared(std::move(shared)), loops(std::move(loops)), descriptor(descriptor) {}

Listener::~Listener() = default;

void Listener::begin() {
    watch.open(*loops.front(), descriptor);
    open = true;
    watch.wait_read(this);
}

void Listener::close() {
    if (!open)
        return;
    // Clients whose connection the kernel has completed would see a reset.
    while (accept_one() == Accepted::one)
        continue;
    open = false;
    watch.close();
}

void Listener::on_readable() {
    if (!open)
        return;
    Accepted last = Accepted::one;
    for (int turn = 0; turn < most_per_turn && last == Accepted::one; ++turn)
        last = accept_one();
    if (last != Accepted::exhausted)
        return watch.wait_read(this);
    // Out of descriptors or memory: the backlog waits until something was freed.
    boost::intrusive_ptr<Listener> held(this);
    loops.front()->at_next_tick([held] {
        if (held->open)
            held->on_readable();
    });
}

Listener::Accepted Listener::accept_one() {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    int accepted = ::accept4(descriptor, reinterpret_cast<sockaddr *>(&address), &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (accepted >= 0) {
        welcome(accepted, address);
        return Accepted::one;
    }
    switch (errno) {
    case EAGAIN:
        return Accepted::none;
    case ECONNABORTED:
    case EINTR:
    case EPERM:
    case EPROTO:
        return Accepted::one; // a client that left, or that a firewall refused, before it was accepted
    default:
        return Accepted::exhausted; // descriptors or memory
    }
}

void Listener::welcome(int accepted, const sockaddr_storage &address) {
    shared->accepted.fetch_add(1, std::memory_order_relaxed);
    uint64_t before = shared->active.fetch_add(1);
    std::optional<cb_reason> refusal;
    Peer peer(address);
    bool counted = false;
    if (before >= shared->config.max_connections)
        refusal = CB_TOO_MANY_CONNECTIONS;
    else if (shared->addresses.add(peer.address, shared->config.max_connections_per_address))
        counted = true;
    else
        refusal = CB_TOO_MANY_OF_ADDRESS;
    Loop &here = *loops.front();
    if (refusal && before >= uint64_t{shared->config.max_connections} + told_beyond_limit) {
        LoopCounters::add(here.counters.refused[*refusal]);
        ::close(accepted);
        return shared->connection_closed();
    }
    auto fewest = std::min_element(loops.begin(), loops.end(), [](const auto &a, const auto &b) {
        return a->session_count() < b->session_count();
    });
    SessionRef session;
    {
        std::lock_guard lock(shared->tls_mutex);
        session = new cb_session(*fewest, accepted, shared->tls.get(), std::move(peer), counted, refusal);
    }
    (*fewest)->expect_session();
    Command adopt{session, Command::adopt};
    if ((*fewest)->is_current())
        session->execute(adopt);
    else
        (*fewest)->push(std::move(adopt));
}

} // namespace cb
