// Answers: from the handler to the socket.
#include "session.hpp"

#include "server.hpp"

using cb::Moved;

namespace {

/// So much of a file is sent in one turn; then others get theirs.
constexpr int64_t most_of_file_per_turn = 4 << 20;

} // namespace

void cb_session::respond(cb::Command &command, Answer next) {
    if (answer != Answer::none)
        return;
    const cb_answer &asked = command.answer;
    bool from_file = command.kind == cb::Command::respond_file;
    chunked_answer = next == Answer::streaming && asked.content_length < 0 && http11 && !head_method;
    bool unknown_end = next == Answer::streaming && asked.content_length < 0 && !http11;
    bool draining = loop->shared->draining.load(std::memory_order_relaxed);
    keep_alive = keep_alive && !asked.close && !unknown_end && !draining &&
                 (next == Answer::complete ? can_skip_rest() : can_leave_rest());

    cb::HeadLines lines{};
    lines.status = asked.status;
    lines.content_length = asked.bodyless ? -1 : asked.content_length;
    lines.chunked = chunked_answer;
    lines.close = !keep_alive;
    lines.keep_alive = keep_alive && !http11;
    cb::prepend_head(*command.block, lines, loop->date(), loop->shared->server_name);

    reading = false;
    read_credit.since = 0;
    answer = next;
    owed = next == Answer::streaming ? asked.content_length : -1;
    if (from_file) {
        file = command.file;
        file_offset = command.offset;
        file_left = head_method ? 0 : asked.content_length;
        notify_written = true;
    } else if (next == Answer::complete) {
        end_handle(CB_ANSWERED);
    }
    enqueue(std::move(command.block));
    flush();
}

void cb_session::write(cb::Block block) {
    if (answer != Answer::streaming || notify_written)
        return;
    if (owed >= 0) {
        if (static_cast<uint64_t>(owed) < block->size()) {
            loop->shared->callbacks.on_written(handle, true);
            return;
        }
        owed -= static_cast<int64_t>(block->size());
    }
    if (chunked_answer)
        cb::frame_chunk(*block);
    notify_written = true;
    enqueue(std::move(block));
    flush();
}

void cb_session::end_stream() {
    if (answer != Answer::streaming)
        return;
    if (owed > 0)
        return close(CB_END_ABORTED);
    answer = Answer::complete;
    // The body may have been read while the answer was made.
    keep_alive = keep_alive && can_skip_rest();
    end_handle(CB_ANSWERED);
    if (chunked_answer)
        enqueue(cb::text_block("0\r\n\r\n", 5));
    flush();
}

void cb_session::enqueue(cb::Block block) {
    cb_block *added = block.release();
    if (out_last != nullptr)
        out_last->next = added;
    else
        out_first = added;
    out_last = added;
}

/// Sends what there is to send, as far as the socket takes it.
void cb_session::flush() {
    if (phase != Phase::request)
        return;
    if (!flush_blocks() || !flush_file())
        return;
    write_credit.since = 0;
    everything_sent();
}

bool cb_session::flush_blocks() {
    while (out_first != nullptr) {
        Moved moved = transport.write(out_first->data(), out_first->size());
        if (moved.kind != Moved::some)
            return blocked(moved);
        if (write_credit.since != 0)
            write_credit.moved(cb::now_ms(), moved.count, config().min_rate, config().rate_window);
        out_first->begin += moved.count;
        if (out_first->size() > 0)
            continue;
        cb::Block sent(out_first);
        out_first = sent->next;
        if (out_first == nullptr)
            out_last = nullptr;
    }
    return true;
}

bool cb_session::flush_file() {
    int64_t turn = 0;
    while (file_left > 0) {
        if (turn >= most_of_file_per_turn) {
            loop->push({this, cb::Command::resume});
            return false;
        }
        Moved moved = transport.send_file(file, file_offset, static_cast<size_t>(file_left));
        if (moved.kind != Moved::some)
            return blocked(moved);
        if (write_credit.since != 0)
            write_credit.moved(cb::now_ms(), moved.count, config().min_rate, config().rate_window);
        auto sent = static_cast<int64_t>(moved.count);
        file_offset += sent;
        file_left -= sent;
        turn += sent;
    }
    return true;
}

/// Waits for the socket, or gives up. Always false.
bool cb_session::blocked(const Moved &moved) {
    bool can_wait = moved.kind == Moved::want_read || moved.kind == Moved::want_write;
    if (can_wait && write_credit.since == 0)
        write_credit.begin(cb::now_ms());
    if (moved.kind == Moved::want_write) {
        watch.wait_write(this);
    } else if (moved.kind == Moved::want_read) {
        write_wants_read = true;
        watch.wait_read(this);
    } else {
        // A peer that left, or a file that is shorter than was said.
        count(CB_PEER_GONE);
        close(CB_END_GONE);
    }
    return false;
}

void cb_session::everything_sent() {
    if (notify_written) {
        notify_written = false;
        loop->shared->callbacks.on_written(handle, false);
        if (answer == Answer::complete)
            end_handle(CB_ANSWERED);
    }
    if (answer != Answer::complete)
        return;
    if (!keep_alive)
        return linger();
    if (body_done)
        return request_complete();
    phase = Phase::skipping;
    read_credit.left = config().rate_grace * 1000;
    read_credit.begin(cb::now_ms());
    skip_body();
}
