// The only file that sees epoll: one thread, the descriptors it watches, its timer.
#include "loop.hpp"

#include "server.hpp"
#include "session.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <system_error>
#include <unistd.h>

namespace cb {

namespace {

constexpr size_t most_kept = 64;
constexpr int most_events = 128;

thread_local const Loop *current_loop = nullptr;

int checked(int result) {
    if (result < 0)
        throw std::system_error(errno, std::generic_category());
    return result;
}

} // namespace

int64_t now_ms() {
    timespec time;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
    return static_cast<int64_t>(time.tv_sec) * 1000 + time.tv_nsec / 1'000'000;
}

// MARK: - Watch

Watch::~Watch() { close(); }

void Watch::open(Loop &on, int number) {
    loop = &on;
    descriptor.reset(new Descriptor{number, this});
}

void Watch::close() {
    if (!descriptor)
        return;
    reading = writing = false;
    descriptor->watch = nullptr;
    // Nobody else has the descriptor, so closing it ends the watch.
    ::close(descriptor->number);
    loop->retire(std::move(descriptor));
}

void Watch::wait_read(Pollable *asking) { wait(reading, asking); }

void Watch::wait_write(Pollable *asking) { wait(writing, asking); }

void Watch::wait(bool &flag, Pollable *asking) {
    if (flag || !descriptor)
        return;
    owner = asking;
    flag = true;
    uint32_t events = wanted();
    if ((descriptor->watched & events) == events || loop->watch(*descriptor, descriptor->watched | events))
        return;
    // Not watched for lack of memory: whoever waits has a look at the next tick.
    loop->at_next_tick([this, held = boost::intrusive_ptr<Pollable>(asking)] {
        if (descriptor)
            loop->deliver(*descriptor, EPOLLERR);
    });
}

uint32_t Watch::wanted() const { return (reading ? EPOLLIN : 0u) | (writing ? EPOLLOUT : 0u); }

bool Loop::watch(Watch::Descriptor &descriptor, uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.ptr = &descriptor;
    int operation = descriptor.watched == 0 ? EPOLL_CTL_ADD : events == 0 ? EPOLL_CTL_DEL : EPOLL_CTL_MOD;
    if (::epoll_ctl(epoll.number, operation, descriptor.number, &event) != 0)
        return false;
    descriptor.watched = events;
    return true;
}

void Loop::deliver(Watch::Descriptor &descriptor, uint32_t events) {
    Watch *watch = descriptor.watch;
    if (watch == nullptr)
        return;
    bool broken = (events & (EPOLLERR | EPOLLHUP)) != 0;
    bool readable = watch->reading && (broken || (events & EPOLLIN) != 0);
    bool writable = watch->writing && (broken || (events & EPOLLOUT) != 0);
    if (!readable && !writable) {
        this->watch(descriptor, watch->wanted());
        return;
    }
    boost::intrusive_ptr<Pollable> owner(watch->owner);
    if (readable) {
        watch->reading = false;
        owner->on_readable();
    }
    if (writable && descriptor.watch != nullptr) {
        watch->writing = false;
        owner->on_writable();
    }
}

void Loop::retire(std::unique_ptr<Watch::Descriptor> descriptor) { retired.push_back(std::move(descriptor)); }

// MARK: - Life

OwnDescriptor::~OwnDescriptor() { ::close(number); }

Loop::Loop(std::shared_ptr<Shared> shared, unsigned index)
    : shared(std::move(shared)), index(index), epoll(checked(::epoll_create1(EPOLL_CLOEXEC))),
      bell(checked(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))),
      timer(checked(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK))) {
    for (const OwnDescriptor *own : {&bell, &timer}) {
        epoll_event event{};
        event.events = EPOLLIN | EPOLLET;
        event.data.ptr = const_cast<OwnDescriptor *>(own);
        checked(::epoll_ctl(epoll.number, EPOLL_CTL_ADD, own->number, &event));
    }
}

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
    epoll_event events[most_events];
    while (running) {
        int count = ::epoll_wait(epoll.number, events, most_events, has_work() ? 0 : -1);
        sleeping.store(false, std::memory_order_relaxed);
        bool ticks = false;
        for (int i = 0; i < count; ++i) {
            void *source = events[i].data.ptr;
            if (source == &timer)
                ticks = true;
            else if (source != &bell)
                deliver(*static_cast<Watch::Descriptor *>(source), events[i].events);
        }
        retired.clear();
        run_commands();
        if (ticks)
            on_tick();
    }
}

/// Whether there is something to do already; if not, whoever adds something wakes the thread from now on.
bool Loop::has_work() {
    std::lock_guard lock(mutex);
    if (!queue.empty() || !posted.empty())
        return true;
    sleeping.store(true, std::memory_order_relaxed);
    return false;
}

void Loop::stop() {
    post([this] {
        while (first != nullptr)
            SessionRef(first)->stop();
        postponed.clear();
        running = false;
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
    {
        std::lock_guard lock(mutex);
        if (stopped)
            return;
        queue.push_back(std::move(command));
    }
    wake();
}

void Loop::post(std::function<void()> work) {
    {
        std::lock_guard lock(mutex);
        posted.push_back(std::move(work));
    }
    wake();
}

/// Outside the lock: the thread that wakes up wants it first of all.
void Loop::wake() {
    if (!sleeping.exchange(false, std::memory_order_relaxed))
        return;
    uint64_t one = 1;
    // It fails only when the counter is full, and then it has been changed often enough.
    [[maybe_unused]] ssize_t written = ::write(bell.number, &one, sizeof one);
}

void Loop::run_commands() {
    {
        std::lock_guard lock(mutex);
        batch.swap(queue);
        posted_batch.swap(posted);
    }
    for (Command &command : batch)
        command.session->execute(command);
    batch.clear();
    for (auto &work : posted_batch)
        work();
    posted_batch.clear();
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
    int64_t tick = std::max<int64_t>(shared->config.tick, 1); // 0 would stop the timer
    itimerspec due{};
    due.it_value.tv_sec = tick / 1000;
    due.it_value.tv_nsec = tick % 1000 * 1'000'000;
    ::timerfd_settime(timer.number, 0, &due, nullptr);
}

void Loop::at_next_tick(std::function<void()> work) {
    postponed.push_back(std::move(work));
    arm_timer();
}

void Loop::on_tick() {
    timer_armed = false;
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
