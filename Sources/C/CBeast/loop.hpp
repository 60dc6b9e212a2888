#pragma once

#include "block.hpp"
#include "parser.hpp"
#include "text.hpp"
#include "watch.hpp"

#include <functional>
#include <mutex>
#include <poll.h>
#include <thread>
#include <vector>

namespace cb {

struct Shared;
using SessionRef = boost::intrusive_ptr<cb_session>;

/// Milliseconds of a clock that only goes forward; a few milliseconds coarse, and cheap.
int64_t now_ms();

/// Something for a session to do on its loop's thread.
struct Command {
    enum Kind : uint8_t { adopt, read, respond, respond_file, write_head, write, end, abort, refuse, resume };
    SessionRef session;
    Kind kind;
    uint32_t number = 0;
    Block block{};
    cb_answer answer{};
    cb_reason reason{};
    int file = -1;
    int64_t offset = 0;
};

/// Numbers that only the loop's thread changes and anybody may read.
struct LoopCounters {
    std::atomic<uint64_t> requests{0};
    std::atomic<uint64_t> refused[CB_ALL_REASONS] = {};

    static void add(std::atomic<uint64_t> &number) {
        number.store(number.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }
};

/// One thread with its sockets, its time-outs and its memory for requests in progress.
class Loop {
  public:
    static constexpr size_t buffer_size = 64 * 1024;

    Loop(std::shared_ptr<Shared> shared, unsigned index);
    ~Loop();

    void start();
    /// Closes all sessions and waits for the thread.
    void stop();

    // From any thread.
    void push(Command command);
    void post(std::function<void()> work);
    bool is_current() const;
    size_t session_count() const { return active.load(std::memory_order_relaxed); }
    /// Counts a session that is on its way here.
    void expect_session() { active.fetch_add(1, std::memory_order_relaxed); }

    // On the loop's thread.
    void adopt(cb_session &session);
    void forget(cb_session &session);
    void sweep();
    char *take_buffer();
    void give_back(char *buffer);
    std::unique_ptr<RequestParser> take_parser();
    void give_back(std::unique_ptr<RequestParser> parser);
    const std::string &date() { return dates.now(); }
    /// Calls `work` at the next tick, once.
    void at_next_tick(std::function<void()> work);

    const std::shared_ptr<Shared> shared;
    LoopCounters counters;

  private:
    friend class Watch;
    struct Reactor;

    void run();
    void run_commands();
    void arm_timer();
    void on_tick();
    void look_for_departed_peers(const std::vector<SessionRef> &all, int64_t now);

    const unsigned index;
    std::unique_ptr<Reactor> reactor;
    std::thread thread;

    std::mutex mutex;
    std::vector<Command> queue;
    bool stopped = false;

    std::vector<Command> batch;
    cb_session *first = nullptr;
    std::atomic<size_t> active{0};
    std::vector<char *> buffers;
    std::vector<std::unique_ptr<RequestParser>> parsers;
    std::vector<std::function<void()>> postponed;
    std::vector<pollfd> polled;
    DateCache dates;
    bool timer_armed = false;
};

} // namespace cb
