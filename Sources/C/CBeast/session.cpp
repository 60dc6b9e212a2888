// The life of a connection: from its acceptance to its end, and what time does to it.
#include "session.hpp"

#include "server.hpp"

#include <unistd.h>

using cb::Moved;

void cb::Credit::moved(int64_t now, size_t bytes, int64_t rate, int64_t most) {
    left -= (now - since) * 1000;
    int64_t earned = static_cast<int64_t>(bytes) * 1'000'000 / rate;
    left = std::min(most * 1000, left + earned);
    since = now;
}

cb_session::cb_session(std::shared_ptr<cb::Loop> loop, int descriptor, SSL_CTX *context, cb::Peer peer, bool counted,
                       std::optional<cb_reason> refusal)
    : loop(std::move(loop)), transport(descriptor, context), peer(std::move(peer)), counted(counted), refusal(refusal) {
}

cb_session::~cb_session() {
    // Only when the loop stopped before the session reached it.
    if (owns_descriptor)
        ::close(transport.descriptor());
}

const cb_config &cb_session::config() const { return loop->shared->config; }

// MARK: - Commands

void cb_session::execute(cb::Command &command) {
    using cb::Command;
    if (command.kind == Command::adopt)
        return begin();
    if (command.kind == Command::resume) {
        // Work that was put off so that others get their turn.
        phase == Phase::idle || phase == Phase::head ? parse_heads() : flush();
        return;
    }
    if (phase != Phase::request || command.number != number)
        return; // about a request that is over
    switch (command.kind) {
    case Command::read:
        return start_reading();
    case Command::respond:
        return respond(command, Answer::complete);
    case Command::respond_file:
        return respond(command, Answer::complete);
    case Command::write_head:
        return respond(command, Answer::streaming);
    case Command::write:
        return write(std::move(command.block));
    case Command::end:
        return end_stream();
    case Command::abort:
        return close(CB_END_ABORTED);
    case Command::refuse:
        if (answer != Answer::none)
            return close(CB_END_ABORTED);
        end_handle(CB_ANSWERED);
        return refuse(command.reason);
    default:
        return;
    }
}

// MARK: - Beginning

void cb_session::begin() {
    owns_descriptor = false;
    watch.open(*loop, transport.descriptor());
    loop->adopt(*this);
    since = cb::now_ms();
    if (refusal && transport.is_tls()) {
        count(*refusal);
        return close(CB_END_ABORTED);
    }
    if (refusal)
        return refuse(*refusal);
    if (!transport.is_tls())
        return parse_heads();
    phase = Phase::handshake;
    shake_hands();
}

void cb_session::shake_hands() {
    Moved moved = transport.shake_hands();
    switch (moved.kind) {
    case Moved::some:
        phase = Phase::idle;
        since = cb::now_ms();
        return parse_heads();
    case Moved::want_read:
        return watch.wait_read(this);
    case Moved::want_write:
        return watch.wait_write(this);
    case Moved::plain_text:
        transport.drop_tls();
        return refuse(CB_PLAIN_ON_TLS);
    default:
        count(CB_TLS_FAILED);
        return close(CB_END_GONE);
    }
}

void cb_session::on_readable() {
    if (phase == Phase::handshake)
        return shake_hands();
    if (phase == Phase::lingering)
        return go_on_lingering();
    if (write_wants_read) {
        write_wants_read = false;
        flush();
    }
    go_on_reading();
}

void cb_session::on_writable() {
    if (phase == Phase::handshake)
        return shake_hands();
    if (read_wants_write) {
        read_wants_write = false;
        go_on_reading();
    }
    if (phase == Phase::request)
        flush();
}

// MARK: - Time

void cb_session::check_time(int64_t now) {
    const cb_config &limits = config();
    bool draining = loop->shared->draining.load(std::memory_order_relaxed);
    switch (phase) {
    case Phase::handshake:
        if (now - since >= limits.handshake_timeout) {
            count(CB_HANDSHAKE_TIMEOUT);
            close(CB_END_TIMEOUT);
        }
        return;
    case Phase::idle:
        if (now - since >= (draining ? limits.drain_idle : limits.idle_timeout))
            linger();
        return;
    case Phase::head:
        if (now - since >= limits.head_timeout)
            refuse(CB_HEAD_TIMEOUT);
        return;
    case Phase::request:
    case Phase::skipping:
        if (write_credit.used_up(now)) {
            count(CB_WRITE_TIMEOUT);
            close(CB_END_TIMEOUT);
        } else if (read_credit.used_up(now)) {
            end_handle(CB_END_TIMEOUT);
            if (answer == Answer::none)
                return refuse(CB_BODY_TIMEOUT);
            count(CB_BODY_TIMEOUT);
            close(CB_END_TIMEOUT);
        }
        return;
    case Phase::lingering:
        if (now - since >= limits.linger)
            close(CB_END_TIMEOUT);
        return;
    case Phase::closed:
        return;
    }
}

/// A reader sees the end by itself. A request younger than a tick is spared: a client that shuts down its sending side
/// at once and waits for a quick answer gets it.
bool cb_session::wants_peer_check(int64_t now) const {
    return phase == Phase::request && handle != nullptr && !reading && now - since >= config().tick;
}

void cb_session::peer_left() {
    if (phase == Phase::closed)
        return;
    count(CB_PEER_GONE);
    close(CB_END_GONE);
}

// MARK: - End

void cb_session::count(cb_reason reason) { cb::LoopCounters::add(loop->counters.refused[reason]); }

/// Sends the ready answer and ends the connection.
void cb_session::refuse(cb_reason reason) {
    count(reason);
    const cb::Refusal &ready = loop->shared->refusals[reason];
    bool head = head_method || (phase == Phase::head && parser && parser->is_head());
    std::string text = ready.fields + (head ? "" : ready.body);
    cb::Block block = cb::text_block(text.data(), text.size());
    cb::HeadLines lines{ready.status, static_cast<int64_t>(ready.body.size()), false, true, false};
    cb::prepend_head(*block, lines, loop->date(), loop->shared->server_name);
    phase = Phase::request;
    ++number;
    keep_alive = false;
    answer = Answer::complete;
    read_credit = {};
    write_credit.left = config().rate_grace * 1000;
    enqueue(std::move(block));
    flush();
}

/// Shuts our side down and drops what still comes, so that the client reads the answer and not of a reset.
void cb_session::linger() {
    phase = Phase::lingering;
    since = cb::now_ms();
    head_method = false;
    release_memory();
    transport.shut_down_writing();
    go_on_lingering();
}

void cb_session::go_on_lingering() {
    char *scratch = loop->take_buffer();
    Moved moved{Moved::some};
    // A bound, so that one flood does not hold up the others.
    for (int turn = 0; turn < 16 && moved.kind == Moved::some; ++turn)
        moved = transport.discard(scratch, cb::Loop::buffer_size);
    loop->give_back(scratch);
    if (moved.kind == Moved::some || moved.kind == Moved::want_read)
        watch.wait_read(this);
    else
        close(CB_END_GONE);
}

void cb_session::end_handle(cb_end_reason reason) {
    reading = false;
    notify_written = false;
    read_credit.since = 0;
    if (handle == nullptr)
        return;
    void *ended = handle;
    handle = nullptr;
    loop->shared->callbacks.on_end(ended, reason);
}

void cb_session::release_memory() {
    while (out_first != nullptr) {
        cb::Block block(out_first);
        out_first = block->next;
    }
    out_last = nullptr;
    position = filled = 0;
    release_input();
    loop->give_back(std::move(parser));
    read_credit = {};
    write_credit = {};
    file_left = 0;
}

void cb_session::close(cb_end_reason reason) {
    if (phase == Phase::closed)
        return;
    phase = Phase::closed;
    end_handle(reason);
    release_memory();
    watch.close();
    if (counted)
        loop->shared->addresses.remove(peer.address);
    std::shared_ptr<cb::Shared> shared = loop->shared;
    loop->forget(*this); // may be the last reference but that of the caller
    shared->connection_closed();
}
