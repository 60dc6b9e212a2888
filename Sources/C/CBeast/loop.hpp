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

/// A descriptor of the loop itself, closed with it.
struct OwnDescriptor {
    explicit OwnDescriptor(int number) : number(number) {}
    OwnDescriptor(const OwnDescriptor &) = delete;
    ~OwnDescriptor();

    const int number;
};

/// One thread with its sockets, its time-outs and its memory for requests in progress.
class Loop {
  public:
    static constexpr size_t buffer_size = 64 * 1024;

    /// Throws `std::system_error` when the system has no descriptors left.
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

    void run();
    bool has_work();
    void deliver(Watch::Descriptor &descriptor, uint32_t events);
    void run_commands();
    void wake();
    /// Tells the kernel what to watch a descriptor for; false when it has no memory for that.
    bool watch(Watch::Descriptor &descriptor, uint32_t events);
    void retire(std::unique_ptr<Watch::Descriptor> descriptor);
    void arm_timer();
    void on_tick();
    void look_for_departed_peers(const std::vector<SessionRef> &all, int64_t now);

    const unsigned index;
    const OwnDescriptor epoll;
    /// What wakes the thread; both are watched for what is new only, so that they need not be read.
    const OwnDescriptor bell;
    const OwnDescriptor timer;
    std::thread thread;

    std::mutex mutex;
    std::vector<Command> queue;
    std::vector<std::function<void()>> posted;
    bool stopped = false;
    /// Whether the thread sleeps or is about to, so that whoever adds something must wake it.
    std::atomic<bool> sleeping{false};

    bool running = true;
    std::vector<Command> batch;
    std::vector<std::function<void()>> posted_batch;
    std::vector<std::unique_ptr<Watch::Descriptor>> retired;
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
