// Heads and bodies: from the socket to the handler.
#include "session.hpp"

#include "server.hpp"

#include <cstring>

using cb::Moved;
using cb::Parsed;

namespace {

/// So many requests that came together are answered in one turn; then others get theirs.
constexpr int most_per_turn = 32;

} // namespace

void cb_session::go_on_reading() {
    switch (phase) {
    case Phase::idle:
    case Phase::head:
        switch (fill()) {
        case Filled::some:
            return parse_heads();
        case Filled::waiting:
            return;
        case Filled::gone:
            return close(CB_END_GONE);
        }
        return;
    case Phase::request:
        if (reading)
            read_body();
        return;
    case Phase::skipping:
        return skip_body();
    default:
        return;
    }
}

/// Reads once. Without bytes it waits, and holds no memory meanwhile unless a part of something is in it.
cb_session::Filled cb_session::fill() {
    if (buffer == nullptr)
        buffer = loop->take_buffer();
    if (position == filled) {
        position = filled = 0;
    } else if (filled == cb::Loop::buffer_size) {
        std::memmove(buffer, buffer + position, filled - position);
        filled -= position;
        position = 0;
    }
    Moved moved = transport.read(buffer + filled, cb::Loop::buffer_size - filled);
    switch (moved.kind) {
    case Moved::some:
        filled += moved.count;
        return Filled::some;
    case Moved::want_read:
        release_input();
        watch.wait_read(this);
        return Filled::waiting;
    case Moved::want_write:
        read_wants_write = true;
        watch.wait_write(this);
        return Filled::waiting;
    default:
        return Filled::gone;
    }
}

void cb_session::release_input() {
    if (buffer == nullptr || position != filled)
        return;
    position = filled = 0;
    loop->give_back(buffer);
    buffer = nullptr;
}

// MARK: - Heads

/// Answers requests for as long as their bytes are here.
void cb_session::parse_heads() {
    if (parsing)
        return; // an answer was complete at once; the loop below goes on
    parsing = true;
    int turn = 0;
    while (phase == Phase::idle || phase == Phase::head) {
        if (++turn > most_per_turn) {
            loop->push({this, cb::Command::resume});
            break;
        }
        if (!parse_one_head())
            break;
    }
    parsing = false;
}

/// False when it has to wait.
bool cb_session::parse_one_head() {
    if (position == filled) {
        if (phase == Phase::idle && !transport.has_pending()) {
            release_input();
            loop->give_back(std::move(parser));
            watch.wait_read(this);
            return false;
        }
        switch (fill()) {
        case Filled::some:
            break;
        case Filled::waiting:
            return false;
        case Filled::gone:
            close(CB_END_GONE);
            return false;
        }
    }
    if (phase == Phase::idle) {
        phase = Phase::head;
        since = cb::now_ms();
        if (!parser)
            parser = loop->take_parser();
        parser->reset({config().max_head, config().max_target, config().max_fields});
    }
    size_t consumed = 0;
    Parsed parsed = parser->feed(buffer + position, filled - position, consumed);
    position += consumed;
    switch (parsed) {
    case Parsed::refused:
        refuse(parser->reason());
        return false;
    case Parsed::done:
        begin_request();
        return true;
    case Parsed::more:
        break;
    }
    switch (fill()) {
    case Filled::some:
        return true;
    case Filled::waiting:
        return false;
    case Filled::gone:
        close(CB_END_GONE);
        return false;
    }
    return false;
}

void cb_session::begin_request() {
    phase = Phase::request;
    ++number;
    keep_alive = parser->keep_alive();
    http11 = parser->http11();
    head_method = parser->is_head();
    expects_continue = parser->expects_continue();
    body_done = parser->body_done();
    answer = Answer::none;
    read_credit = {config().rate_grace * 1000, 0};
    write_credit = {config().rate_grace * 1000, 0};
    cb::LoopCounters::add(loop->counters.requests);

    const std::string &packed = parser->packed();
    cb_head head{};
    head.packed = packed.data();
    head.packed_length = packed.size();
    head.method_length = parser->method_length();
    head.target_length = parser->target_length();
    head.field_count = parser->field_count();
    head.number = number;
    head.peer = peer.text.data();
    head.peer_length = peer.text.size();
    head.peer_port = peer.port;
    head.tls = transport.is_tls();
    size_t ready = 0;
    if (!body_done) {
        uint64_t length = parser->remaining();
        head.content_length = parser->chunked() ? -1 : static_cast<int64_t>(length);
        if (!parser->chunked() && length <= filled - position)
            ready = static_cast<size_t>(length);
    }
    if (ready > 0) {
        // It has come with the head, whole: the handler is spared the way here and back.
        size_t consumed = 0;
        size_t produced = 0;
        decode(consumed, produced);
        head.body = buffer + position;
        head.body_length = produced;
        position += consumed;
    }
    dispatching = true;
    void *given = loop->shared->callbacks.on_request(loop->shared->context, this, &head);
    dispatching = false;
    if (phase == Phase::request && answer == Answer::none)
        handle = given;
    if (phase == Phase::request && body_done) {
        loop->give_back(std::move(parser));
        release_input();
    }
}

// MARK: - Bodies

/// One step of the parser; false when the framing is broken.
bool cb_session::decode(size_t &consumed, size_t &produced) {
    Parsed parsed = parser->decode(buffer + position, filled - position, consumed, produced);
    body_done = parsed == Parsed::done;
    return parsed != Parsed::refused;
}

void cb_session::start_reading() {
    if (reading || handle == nullptr)
        return;
    reading = true;
    read_credit.begin(cb::now_ms());
    if (expects_continue && !body_done && position == filled && answer == Answer::none) {
        static const char line[] = "HTTP/1.1 100 Continue\r\n\r\n";
        enqueue(cb::text_block(line, sizeof line - 1));
        flush();
        if (!reading)
            return;
    }
    expects_continue = false;
    read_body();
}

void cb_session::read_body() {
    while (true) {
        size_t consumed = 0;
        size_t produced = 0;
        if (!body_done && position < filled) {
            bool sound = decode(consumed, produced);
            if (!sound) {
                count(CB_MALFORMED_BODY);
                keep_alive = false;
                return deliver(produced, true);
            }
            if (produced > 0 || body_done) {
                deliver(produced, false);
                position += consumed;
                return release_input();
            }
            position += consumed;
            if (position == 0 && filled == cb::Loop::buffer_size) {
                count(CB_MALFORMED_BODY);
                keep_alive = false;
                return deliver(0, true); // a line of chunk framing as long as the buffer
            }
        }
        if (body_done)
            return deliver(0, false);
        switch (fill()) {
        case Filled::some:
            break;
        case Filled::waiting:
            return;
        case Filled::gone:
            return peer_left();
        }
    }
}

void cb_session::deliver(size_t produced, bool broken) {
    reading = false;
    read_credit.moved(cb::now_ms(), produced, config().min_rate, config().rate_window);
    read_credit.since = 0;
    loop->shared->callbacks.on_body(handle, buffer + position, produced, body_done, broken);
    if (broken)
        body_done = false; // nothing of it may be taken for a next request
}

/// Whether what is left of the body is known to be small enough to be dropped for the sake of the connection.
bool cb_session::can_leave_rest() const {
    if (body_done)
        return true;
    // With an expectation, whether the client sends the body now is up to the client.
    return !expects_continue && !parser->chunked() && parser->remaining() <= config().max_skipped;
}

/// The same when nobody will read it any more: chunks, whose end is not known, are dropped if their end is here
/// already.
bool cb_session::can_skip_rest() {
    if (body_done || expects_continue || !parser->chunked())
        return can_leave_rest();
    size_t consumed = 0;
    size_t produced = 0;
    bool sound = position == filled || decode(consumed, produced);
    position += consumed;
    return sound && body_done;
}

void cb_session::skip_body() {
    size_t dropped = 0;
    while (!body_done) {
        if (position < filled) {
            size_t consumed = 0;
            size_t produced = 0;
            if (!decode(consumed, produced))
                return linger();
            position += consumed;
            dropped += produced;
            if (body_done)
                break;
            if (position == 0 && filled == cb::Loop::buffer_size)
                return linger();
        }
        read_credit.moved(cb::now_ms(), dropped, config().min_rate, config().rate_window);
        dropped = 0;
        switch (fill()) {
        case Filled::some:
            break;
        case Filled::waiting:
            return;
        case Filled::gone:
            return close(CB_END_GONE);
        }
    }
    request_complete();
}

/// Answered and read to its end: the connection is free for the next one.
void cb_session::request_complete() {
    phase = Phase::idle;
    since = cb::now_ms();
    head_method = false;
    read_credit = {};
    write_credit = {};
    parse_heads();
}
