#pragma once

#include "limits.hpp"
#include "loop.hpp"
#include "transport.hpp"

#include <optional>

namespace cb {

/// The time a peer may make us wait: refilled by each byte it moves, used up while we wait for it.
struct Credit {
    int64_t left = 0; // microseconds
    int64_t since = 0;

    void begin(int64_t now) { since = now; }
    void moved(int64_t now, size_t bytes, int64_t rate, int64_t most);
    bool used_up(int64_t now) const { return since != 0 && left < (now - since) * 1000; }
};

} // namespace cb

/// One connection, and one request at a time on it. Everything but the reference count belongs to the loop's thread.
struct cb_session final : cb::Pollable {
    enum class Phase : uint8_t {
        handshake, // TLS is not there yet
        idle,      // nothing of a next request has come
        head,      // a part of a head has come
        request,   // a handler is at work, or its answer is being sent
        skipping,  // answered; the rest of its body is read and dropped
        lingering, // our side is shut down; what still comes is dropped for a moment
        closed
    };

    cb_session(std::shared_ptr<cb::Loop> loop, int descriptor, SSL_CTX *context, cb::Peer peer, bool counted,
               std::optional<cb_reason> refusal);
    ~cb_session() override;

    const std::shared_ptr<cb::Loop> loop;

    // By the loop.
    cb_session *next = nullptr;
    cb_session *previous = nullptr;
    void execute(cb::Command &command);
    void check_time(int64_t now);
    bool wants_peer_check(int64_t now) const;
    void peer_left();
    void stop() { close(CB_END_STOPPED); }
    int descriptor() const { return transport.descriptor(); }
    void on_readable() override;
    void on_writable() override;

    /// Whether the calling thread is inside `on_request` of this session, so that calls need no detour.
    bool is_calling() const { return loop->is_current() && dispatching; }

  private:
    enum class Filled { some, waiting, gone };
    enum class Answer : uint8_t { none, streaming, complete };

    // session.cpp: life, time
    void begin();
    void shake_hands();
    void refuse(cb_reason reason);
    void count(cb_reason reason);
    void linger();
    void go_on_lingering();
    void close(cb_end_reason reason);
    void end_handle(cb_end_reason reason);
    void release_memory();
    const cb_config &config() const;

    // session_read.cpp: heads and bodies
    void go_on_reading();
    Filled fill();
    void parse_heads();
    bool parse_one_head();
    void begin_request();
    void start_reading();
    void read_body();
    void skip_body();
    bool decode(size_t &consumed, size_t &produced);
    void deliver(size_t produced, bool broken);
    bool can_leave_rest() const;
    bool can_skip_rest();
    void request_complete();
    void release_input();

    // session_write.cpp: answers
    void respond(cb::Command &command, Answer next);
    void write(cb::Block block);
    void end_stream();
    void enqueue(cb::Block block);
    void flush();
    bool flush_blocks();
    bool flush_file();
    bool blocked(const cb::Moved &moved);
    void everything_sent();

    cb::Transport transport;
    cb::Watch watch;
    const cb::Peer peer;
    const bool counted;
    const std::optional<cb_reason> refusal;
    bool owns_descriptor = true;

    Phase phase = Phase::idle;
    /// When the phase began (milliseconds).
    int64_t since = 0;

    // Input.
    char *buffer = nullptr;
    size_t position = 0;
    size_t filled = 0;
    std::unique_ptr<cb::RequestParser> parser;
    bool parsing = false;
    bool read_wants_write = false;
    cb::Credit read_credit;

    // The request.
    void *handle = nullptr;
    uint32_t number = 0;
    bool dispatching = false;
    bool reading = false;
    bool keep_alive = false;
    bool http11 = false;
    bool head_method = false;
    bool expects_continue = false;
    bool body_done = true;
    Answer answer = Answer::none;

    // Output.
    cb_block *out_first = nullptr;
    cb_block *out_last = nullptr;
    int file = -1;
    int64_t file_offset = 0;
    int64_t file_left = 0;
    bool chunked_answer = false;
    /// What a stream of a stated length still owes; −1 without one.
    int64_t owed = -1;
    bool notify_written = false;
    bool write_wants_read = false;
    cb::Credit write_credit;
};
