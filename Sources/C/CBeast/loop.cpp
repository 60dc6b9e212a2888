// The only file that sees Asio: one reactor, its thread, its timer.
#include "loop.hpp"

#include "server.hpp"
#include "session.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <cstdlib>
#include <ctime>
#include <pthread.h>
#include <signal.h>

namespace cb {

namespace net = boost::asio;
using Executor = net::io_context::executor_type;
using boost::system::error_code;

namespace {

constexpr size_t most_kept = 64;

thread_local const Loop *current_loop = nullptr;

} // namespace

int64_t now_ms() {
    timespec time;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
    return static_cast<int64_t>(time.tv_sec) * 1000 + time.tv_nsec / 1'000'000;
}

struct Loop::Reactor {
    using Timer =
        net::basic_waitable_timer<std::chrono::steady_clock, net::wait_traits<std::chrono::steady_clock>, Executor>;

    net::io_context io{1};
    net::executor_work_guard<Executor> work{io.get_executor()};
    Timer timer{io};
};

// MARK: - Watch

struct Watch::Descriptor {
    net::posix::basic_stream_descriptor<Executor> stream;
};

Watch::Watch() = default;
Watch::~Watch() = default;

void Watch::open(Loop &loop, int number) {
    descriptor.reset(new Descriptor{net::posix::basic_stream_descriptor<Executor>(loop.reactor->io, number)});
}

void Watch::close() {
    if (!descriptor)
        return;
    error_code ignored;
    descriptor->stream.close(ignored);
    descriptor.reset();
}

void Watch::wait_read(Pollable *owner) {
    if (reading || !descriptor)
        return;
    reading = true;
    boost::intrusive_ptr<Pollable> held(owner);
    descriptor->stream.async_wait(net::posix::descriptor_base::wait_read,
                                  [this, held = std::move(held)](const error_code &error) {
                                      reading = false;
                                      if (!error)
                                          held->on_readable();
                                  });
}

void Watch::wait_write(Pollable *owner) {
    if (writing || !descriptor)
        return;
    writing = true;
    boost::intrusive_ptr<Pollable> held(owner);
    descriptor->stream.async_wait(net::posix::descriptor_base::wait_write,
                                  [this, held = std::move(held)](const error_code &error) {
                                      writing = false;
                                      if (!error)
                                          held->on_writable();
                                  });
}

// MARK: - Life

Loop::Loop(std::shared_ptr<Shared> shared, unsigned index)
    : shared(std::move(shared)), index(index), reactor(std::make_unique<Reactor>()) {}

Loop::~Loop() {
    for (char *buffer : buffers)
        std::free(buffer);
}

void Loop::start() {
    // No signal is for these threads; the new one inherits the mask.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread = std::thread([this] { run(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void Loop::run() {
    current_loop = this;
    std::string name = "http-" + std::to_string(index);
    pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
    reactor->io.run();
}

void Loop::stop() {
    post([this] {
        while (first != nullptr)
            SessionRef(first)->stop();
        postponed.clear();
        reactor->timer.cancel();
        reactor->work.reset();
    });
    if (thread.joinable())
        thread.join();
    std::vector<Command> rest;
    {
        std::lock_guard lock(mutex);
        stopped = true;
        rest.swap(queue);
    }
    // Sessions that never arrived; their sockets are closed with them.
    rest.clear();
}

bool Loop::is_current() const { return current_loop == this; }

// MARK: - Commands

void Loop::push(Command command) {
    bool wake;
    {
        std::lock_guard lock(mutex);
        if (stopped)
            return;
        wake = queue.empty();
        queue.push_back(std::move(command));
    }
    if (wake)
        net::post(reactor->io, [this] { run_commands(); });
}

void Loop::post(std::function<void()> work) { net::post(reactor->io, std::move(work)); }

void Loop::run_commands() {
    {
        std::lock_guard lock(mutex);
        batch.swap(queue);
    }
    for (Command &command : batch)
        command.session->execute(command);
    batch.clear();
}

// MARK: - Sessions

void Loop::adopt(cb_session &session) {
    session.retain();
    session.next = first;
    session.previous = nullptr;
    if (first != nullptr)
        first->previous = &session;
    first = &session;
    arm_timer();
}

void Loop::forget(cb_session &session) {
    if (session.next != nullptr)
        session.next->previous = session.previous;
    if (session.previous != nullptr)
        session.previous->next = session.next;
    else
        first = session.next;
    session.next = session.previous = nullptr;
    active.fetch_sub(1, std::memory_order_relaxed);
    session.release();
}

// MARK: - Time

void Loop::arm_timer() {
    if (timer_armed)
        return;
    timer_armed = true;
    reactor->timer.expires_after(std::chrono::milliseconds(shared->config.tick));
    reactor->timer.async_wait([this](const error_code &error) {
        timer_armed = false;
        if (!error)
            on_tick();
    });
}

void Loop::at_next_tick(std::function<void()> work) {
    postponed.push_back(std::move(work));
    arm_timer();
}

void Loop::on_tick() {
    std::vector<std::function<void()>> due;
    due.swap(postponed);
    for (auto &work : due)
        work();
    sweep();
    if (first != nullptr)
        arm_timer();
}

void Loop::sweep() {
    std::vector<SessionRef> all;
    for (cb_session *session = first; session != nullptr; session = session->next)
        all.emplace_back(session);
    int64_t now = now_ms();
    for (auto &session : all)
        session->check_time(now);
    look_for_departed_peers(all, now);
}

/// One system call for all sessions whose handler is at work and not reading: nothing else would tell of a departure.
void Loop::look_for_departed_peers(const std::vector<SessionRef> &all, int64_t now) {
    polled.clear();
    std::vector<cb_session *> asked;
    for (auto &session : all) {
        if (!session->wants_peer_check(now))
            continue;
        polled.push_back({session->descriptor(), POLLRDHUP, 0});
        asked.push_back(session.get());
    }
    if (polled.empty() || ::poll(polled.data(), polled.size(), 0) <= 0)
        return;
    for (size_t i = 0; i < polled.size(); ++i)
        if ((polled[i].revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0)
            asked[i]->peer_left();
}

// MARK: - Memory

char *Loop::take_buffer() {
    if (buffers.empty()) {
        void *memory = std::malloc(buffer_size);
        if (memory == nullptr)
            std::abort();
        return static_cast<char *>(memory);
    }
    char *buffer = buffers.back();
    buffers.pop_back();
    return buffer;
}

void Loop::give_back(char *buffer) {
    if (buffers.size() < most_kept)
        buffers.push_back(buffer);
    else
        std::free(buffer);
}

std::unique_ptr<RequestParser> Loop::take_parser() {
    if (parsers.empty())
        return std::make_unique<RequestParser>();
    auto parser = std::move(parsers.back());
    parsers.pop_back();
    return parser;
}

void Loop::give_back(std::unique_ptr<RequestParser> parser) {
    if (parser && parsers.size() < most_kept)
        parsers.push_back(std::move(parser));
}

} // namespace cb
