// The C interface, and what its functions share.
#include "server.hpp"

#include "listener.hpp"
#include "session.hpp"

#include <cstdio>
#include <system_error>
#include <unistd.h>

struct cb_server {
    std::shared_ptr<cb::Shared> shared = std::make_shared<cb::Shared>();
    std::vector<std::shared_ptr<cb::Loop>> loops;
    std::vector<boost::intrusive_ptr<cb::Listener>> listeners;
    std::vector<uint16_t> ports;
};

namespace {

void report(cb_error *error, cb_error_kind kind, size_t address, const std::string &text) {
    error->kind = kind;
    error->address = address;
    std::snprintf(error->text, sizeof error->text, "%s", text.c_str());
}

void copy_refusals(cb::Shared &shared, const cb_config &config) {
    for (size_t i = 0; i < CB_ANSWERED_REASONS; ++i) {
        const cb_refusal &from = config.refusals[i];
        cb::Refusal &to = shared.refusals[i];
        to.status = from.status;
        to.fields = "Content-Type: " + std::string(from.content_type) + "\r\n\r\n";
        to.body.assign(static_cast<const char *>(from.body), from.body_length);
    }
}

/// What of the configuration is a pointer becomes a copy.
bool copy_config(cb::Shared &shared, const cb_config &config, cb_error *error) {
    shared.config = config;
    shared.server_name = config.server_name;
    copy_refusals(shared, config);
    for (size_t i = 0; i < config.exempt_count; ++i) {
        std::string text = config.exempt[i];
        if (!shared.addresses.exempt(text)) {
            report(error, CB_ERROR_EXEMPT, i, "\"" + text + "\" is neither an address nor a network");
            return false;
        }
    }
    if (config.tls != nullptr) {
        std::string problem;
        shared.tls = cb::make_tls_context(*config.tls, problem);
        if (!shared.tls) {
            report(error, CB_ERROR_TLS, 0, problem);
            return false;
        }
    }
    shared.config.addresses = nullptr;
    shared.config.tls = nullptr;
    shared.config.exempt = nullptr;
    shared.config.refusals = nullptr;
    return true;
}

/// Runs it on the session's loop: at once where that is here and safe, otherwise in its turn.
void submit(cb_session *session, cb::Command command) {
    if (session->is_calling())
        session->execute(command);
    else
        session->loop->push(std::move(command));
}

} // namespace

void cb::Shared::connection_closed() {
    bool last = active.fetch_sub(1) == 1;
    if (last && draining.load())
        callbacks.on_drained(context);
}

// MARK: - Server

cb_server *cb_server_start(const cb_config *config, const cb_callbacks *callbacks, void *context, cb_error *error) {
    *error = cb_error{};
    auto server = std::make_unique<cb_server>();
    auto &shared = server->shared;
    if (!copy_config(*shared, *config, error))
        return nullptr;
    shared->callbacks = *callbacks;
    shared->context = context;
    try {
        for (unsigned i = 0; i < config->loops; ++i)
            server->loops.push_back(std::make_shared<cb::Loop>(shared, i));
    } catch (const std::system_error &problem) {
        report(error, CB_ERROR_SYSTEM, 0, problem.what());
        return nullptr;
    }
    std::vector<int> sockets;
    for (size_t i = 0; i < config->address_count; ++i) {
        uint16_t port = 0;
        int socket = cb::listen_on(config->addresses[i], port, *error);
        if (socket < 0) {
            error->address = i;
            for (int open : sockets)
                ::close(open);
            return nullptr;
        }
        sockets.push_back(socket);
        server->ports.push_back(port);
    }
    for (int socket : sockets)
        server->listeners.emplace_back(new cb::Listener(shared, server->loops, socket));
    for (auto &loop : server->loops)
        loop->start();
    for (auto &listener : server->listeners)
        server->loops.front()->post([listener] { listener->begin(); });
    return server.release();
}

uint16_t cb_server_port(const cb_server *server, size_t address) {
    return address < server->ports.size() ? server->ports[address] : 0;
}

bool cb_tls_check(const cb_tls *tls, cb_error *error) {
    *error = cb_error{};
    std::string problem;
    if (cb::make_tls_context(*tls, problem))
        return true;
    report(error, CB_ERROR_TLS, 0, problem);
    return false;
}

bool cb_server_set_tls(cb_server *server, const cb_tls *tls, cb_error *error) {
    *error = cb_error{};
    std::string problem;
    auto fresh = cb::make_tls_context(*tls, problem);
    if (!fresh) {
        report(error, CB_ERROR_TLS, 0, problem);
        return false;
    }
    std::lock_guard lock(server->shared->tls_mutex);
    if (!server->shared->tls) {
        report(error, CB_ERROR_TLS, 0, "this server was started without TLS");
        return false;
    }
    server->shared->tls = std::move(fresh);
    return true;
}

void cb_server_drain(cb_server *server) {
    auto shared = server->shared;
    shared->draining.store(true);
    server->loops.front()->post([shared, listeners = server->listeners] {
        for (auto &listener : listeners)
            listener->close();
        if (shared->active.load() == 0)
            shared->callbacks.on_drained(shared->context);
    });
    for (auto &loop : server->loops)
        loop->post([&loop = *loop] { loop.sweep(); });
}

void cb_server_stop(cb_server *server) {
    server->loops.front()->post([listeners = server->listeners] {
        for (auto &listener : listeners)
            listener->close();
    });
    // The first loop first: it is the one that hands out connections.
    for (auto &loop : server->loops)
        loop->stop();
}

void cb_server_destroy(cb_server *server) { delete server; }

void cb_server_counters(const cb_server *server, cb_counters *counters) {
    *counters = cb_counters{};
    counters->accepted = server->shared->accepted.load(std::memory_order_relaxed);
    counters->active = server->shared->active.load(std::memory_order_relaxed);
    for (auto &loop : server->loops) {
        counters->requests += loop->counters.requests.load(std::memory_order_relaxed);
        for (size_t i = 0; i < CB_ALL_REASONS; ++i)
            counters->refused[i] += loop->counters.refused[i].load(std::memory_order_relaxed);
    }
}

// MARK: - Session

void cb_session_retain(cb_session *session) { session->retain(); }
void cb_session_release(cb_session *session) { session->release(); }

void cb_read(cb_session *session, uint32_t number) { submit(session, {session, cb::Command::read, number}); }

void cb_respond(cb_session *session, uint32_t number, const cb_answer *answer, cb_block *block) {
    submit(session, {session, cb::Command::respond, number, cb::Block(block), *answer});
}

void cb_respond_file(cb_session *session, uint32_t number, const cb_answer *answer, cb_block *block, int file,
                     int64_t offset) {
    submit(session,
           {session, cb::Command::respond_file, number, cb::Block(block), *answer, CB_MALFORMED, file, offset});
}

void cb_write_head(cb_session *session, uint32_t number, const cb_answer *answer, cb_block *block) {
    submit(session, {session, cb::Command::write_head, number, cb::Block(block), *answer});
}

void cb_write(cb_session *session, uint32_t number, cb_block *block) {
    submit(session, {session, cb::Command::write, number, cb::Block(block)});
}

void cb_end(cb_session *session, uint32_t number) { submit(session, {session, cb::Command::end, number}); }

void cb_abort(cb_session *session, uint32_t number) { submit(session, {session, cb::Command::abort, number}); }

void cb_refuse(cb_session *session, uint32_t number, cb_reason reason) {
    submit(session, {session, cb::Command::refuse, number, nullptr, cb_answer{}, reason});
}
