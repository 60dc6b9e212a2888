// Sends requests on a fixed schedule and measures the answers: the hot part of the load generator.
//
//     pacer PLAN TOKEN SECONDS SEED HOST:PORT…          run a plan (pacer_plan.c); SECONDS bounds the whole run
//     pacer any PLAN TOKEN SECONDS SEED HOST:PORT…      the same where every answer is right: for the ruler
//     pacer histogram                                   read numbers, print quantiles: for the tests
//
// A queue is one user with one stack: it does one job at a time, because a stack has one update at a time. A job is due
// at a fixed instant, whatever became of the one before it, and its latency counts from that instant: a server that
// stalls is charged for all who had to wait. A request inside a job is due when the one before it has been answered.
// With an interval of 0 a queue begins its next job when the last has ended: that measures capacity, not latency.
//
// Requests are repeated as the command line does: after 1, 2 and 4 seconds, upon 5xx, 429 (and Retry-After) and broken
// connections, where the protocol allows it. Where it does not, a 503 that says when to come again is repeated all the
// same: nothing was done, and a person gives the command anew. Any other answer than the planned one ends the run, unless
// the plan has a script for recovery; then that runs and the job is tried again from its beginning.
//
// When a phase ends a line {"phase":N} is printed at once, so that the caller can look at the server; the figures come
// at the end as one line of JSON. The generator's own CPU time is among them.
#define _GNU_SOURCE
#include "pacer.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { TRIES = 4, RESTARTS = 20 };

struct timer {
    double at;
    struct queue *queue; // its next job is due,
    struct run *run;     // or this request is to be sent again
};

static struct timer *timers;
static size_t timer_count, timer_room, active;
static int loop, accepts_any, phase;
static double epoch, phase_began[PHASES + 1], phase_cpu[PHASES + 1];
static unsigned long long unstarted, restarts, late;

double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e3 + time.tv_nsec / 1e6 - epoch;
}

static double cpu_seconds(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return u.ru_utime.tv_sec + u.ru_stime.tv_sec + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

// MARK: - Timers, a binary heap

static void timer_add(double at, struct queue *queue, struct run *run) {
    timers = grown(timers, timer_count, &timer_room, sizeof *timers);
    size_t place = timer_count++;
    for (; place > 0 && timers[(place - 1) / 2].at > at; place = (place - 1) / 2)
        timers[place] = timers[(place - 1) / 2];
    timers[place] = (struct timer){at, queue, run};
}

static struct timer timer_take(void) {
    struct timer first = timers[0], last = timers[--timer_count];
    size_t place = 0;
    for (;;) {
        size_t child = place * 2 + 1;
        if (child + 1 < timer_count && timers[child + 1].at < timers[child].at)
            child++;
        if (child >= timer_count || timers[child].at >= last.at)
            break;
        timers[place] = timers[child];
        place = child;
    }
    timers[place] = last;
    return first;
}

// MARK: - Figures

static int phase_of(double at) {
    for (int i = 0; i < phase_count; i++)
        if (at < phase_ends[i])
            return i;
    return phase_count - 1;
}

static void record(int index, double due, double ended, size_t plain, long long received) {
    struct label *l = &labels[index];
    int of_schedule = phase_of(due), of_end = phase_of(ended);
    if (!l->phases[of_schedule] && !(l->phases[of_schedule] = calloc(1, sizeof(struct histogram))))
        fail("no memory");
    histogram_add(l->phases[of_schedule], ended > due ? (uint64_t)((ended - due) * 1000 + 0.5) : 0);
    if (ended >= phase_ends[phase_count - 1])
        return; // Its latency counts, but it is no part of a rate.
    l->done[of_end]++;
    l->plain[of_end] += plain;
    l->received[of_end] += (unsigned long long)received;
}

// MARK: - Jobs

static void start_lane(struct queue *q, size_t index, struct lane *lane) {
    if (index == sizeof q->runs / sizeof *q->runs)
        fail("a stage has too many lanes");
    if (index == q->run_count) {
        q->runs[index] = calloc(1, sizeof(struct run));
        if (!q->runs[index])
            fail("no memory");
        q->runs[index]->queue = q;
        q->run_count++;
    }
    struct run *r = q->runs[index];
    r->lane = lane, r->current = 0, r->attempt = 0;
    r->due = q->stage || index || q->recovering || q->restarts ? now() : q->scheduled;
    if (lane->requests[0].loops)
        q->variables[CONTINUATION][0] = 0;
    http_send(r);
}

static void start_stage(struct queue *q) {
    struct stage *s = &q->script->stages[q->stage];
    q->lanes_left = s->count;
    for (size_t i = 0; i < s->count; i++)
        start_lane(q, i, &s->lanes[i]);
}

static void start_script(struct queue *q, int script, int recovering) {
    q->script = &scripts[script];
    q->stage = 0;
    q->recovering = recovering;
    start_stage(q);
}

static double stop_time(void) { return phase_ends[phase_count - 1]; }

// Plans the next job of a queue that has nothing to do, or starts it when it is due. The clock is read once: the end of
// the run must not come between the instant at which a job is due and the question whether there is time for it.
static void schedule(struct queue *q) {
    double instant = now();
    double at = q->interval > 0 ? q->first + q->interval * (double)q->started : fmax(instant, q->first);
    if ((q->limit >= 0 && q->started >= q->limit) || at >= stop_time())
        return;
    if (at > instant) {
        timer_add(at, q, NULL);
        return;
    }
    if (instant >= stop_time()) { // Only a queue with an interval comes here.
        // These were due in time but could not begin. What they have waited is the least they would have taken.
        for (long k = q->started; at < stop_time() && (q->limit < 0 || k < q->limit);
             at = q->first + q->interval * (double)++k) {
            record(scripts[q->jobs[(size_t)k % q->count].script].label, at, instant, 0, 0);
            unstarted++;
        }
        q->limit = q->started;
        return;
    }
    size_t number = (size_t)q->started++, cycle = q->count - q->prologue;
    q->job = &q->jobs[number < q->count ? number : cycle ? q->prologue + (number - q->prologue) % cycle : q->count - 1];
    q->scheduled = at;
    q->restarts = 0;
    active++;
    start_script(q, q->job->script, 0);
}

static void end_job(struct queue *q) {
    if (q->recovering) {
        start_script(q, q->job->script, 0);
        return;
    }
    record(scripts[q->job->script].label, q->scheduled, now(), 0, 0);
    q->finished++;
    active--;
    schedule(q);
}

static void end_lane(struct run *r) {
    struct queue *q = r->queue;
    if (--q->lanes_left)
        return;
    if (q->restarts < 0) { // A lane of this stage has failed; the others are through now.
        q->restarts = -q->restarts;
        start_script(q, recovery, 1);
    } else if (++q->stage < q->script->count) {
        start_stage(q);
    } else {
        end_job(q);
    }
}

// The request has failed for good.
static void give_up(struct run *r) {
    struct request *request = &r->lane->requests[r->current];
    struct queue *q = r->queue;
    labels[request->label].refused++;
    if (recovery < 0 || q->recovering || abs(q->restarts) >= RESTARTS)
        fail("%s: %s %s of %s was answered %d at %.3f s: %.*s", labels[request->label].name, request->method,
             request->path, q->job->stack, r->status, now() / 1000, (int)(r->kept < EXCERPT ? r->kept : EXCERPT),
             r->kept ? r->answer : "");
    restarts++;
    q->restarts = -(abs(q->restarts) + 1);
    end_lane(r);
}

void answered(struct run *r) {
    struct request *request = &r->lane->requests[r->current];
    struct label *l = &labels[request->label];
    struct queue *q = r->queue;
    int wanted = request->status, right = r->status && (wanted == 0 || accepts_any);
    right = right || (wanted == 2 ? r->status / 100 == 2 : wanted && r->status == wanted);
    if (!right) {
        int again = r->status == 0 || r->status >= 500 || r->status == 429, refused = r->status == 503 && r->retry_after;
        if (!again || !(request->retries || refused) || r->attempt + 1 >= TRIES)
            return give_up(r);
        l->retries++;
        timer_add(now() + (1000 << r->attempt) + r->retry_after * 1000, NULL, r);
        r->attempt++;
        return;
    }
    int slot = request->slot;
    double ended = now();
    record(request->label, r->due, ended, slot < 0 ? 0 : bodies[q->job->bodies[slot]].plain, r->received);
    if (l->shortest < 0 || r->received < l->shortest)
        l->shortest = r->received;
    if (r->received > l->longest)
        l->longest = r->received;
    r->attempt = 0;
    r->due = ended;
    if (request->loops && q->variables[CONTINUATION][0])
        return http_send(r);
    if (++r->current == r->lane->count || q->restarts < 0)
        return end_lane(r);
    if (r->lane->requests[r->current].loops)
        q->variables[CONTINUATION][0] = 0;
    http_send(r);
}

// MARK: - The run

static void border(void) {
    phase_began[++phase] = now();
    phase_cpu[phase] = cpu_seconds();
    printf("{\"phase\":%d}\n", phase - 1);
    fflush(stdout);
}

static void run_timers(void) {
    while (timer_count && timers[0].at <= now()) {
        struct timer t = timer_take();
        if (now() - t.at > 5 && t.queue)
            late++; // The generator itself was late: its figures are not the server's.
        if (t.run)
            http_send(t.run);
        else
            schedule(t.queue);
    }
}

static void run(double limit) {
    struct epoll_event ready[256];
    for (size_t i = 0; i < queue_count; i++)
        schedule(queues[i]);
    while (phase < phase_count || active) {
        if (!active && !timer_count && phase < phase_count)
            for (int i = phase; i < phase_count; i++) // All queues have come to their limits.
                phase_ends[i] = now();
        while (phase < phase_count && now() >= phase_ends[phase])
            border();
        if (phase == phase_count && !active)
            break;
        double next = phase < phase_count ? phase_ends[phase] : now() + 100;
        if (timer_count && timers[0].at < next)
            next = timers[0].at;
        double wait = next - now();
        wait = wait < 0 ? 0 : wait > 1000 ? 1000 : wait;
        struct timespec pause = {(time_t)(wait / 1000), (long)((wait - 1000 * (double)(time_t)(wait / 1000)) * 1e6)};
        int count = epoll_pwait2(loop, ready, 256, &pause, NULL);
        if (count < 0 && errno != EINTR)
            fail("epoll: %d", errno);
        if (now() > limit)
            fail("the run took longer than the %.0f s it may", limit / 1000);
        for (int i = 0; i < count; i++) {
            struct run *r = (struct run *)(uintptr_t)(ready[i].data.u64 & ~(uint64_t)(PORTS - 1));
            int port = (int)(ready[i].data.u64 & (PORTS - 1));
            if (ready[i].events & EPOLLOUT)
                on_writable(r, port);
            if (ready[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
                on_readable(r, port);
        }
        run_timers();
    }
}

static void print_label(struct label *l) {
    printf("\"%s\":{\"retries\":%llu,\"refused\":%llu,\"shortest\":%lld,\"longest\":%lld,\"phases\":[", l->name,
           l->retries, l->refused, l->shortest, l->longest);
    for (int i = 0; i < phase_count; i++) {
        static struct histogram none;
        printf("%s{\"done\":%llu,\"plain\":%llu,\"received\":%llu,\"histogram\":", i ? "," : "", l->done[i],
               l->plain[i], l->received[i]);
        histogram_print(l->phases[i] ? l->phases[i] : &none, stdout);
        putchar('}');
    }
    printf("]}");
}

static void print_figures(void) {
    printf("{\"unstarted\":%llu,\"restarts\":%llu,\"late\":%llu,\"reconnections\":%llu,\"phases\":[", unstarted,
           restarts, late, reconnections);
    for (int i = 0; i < phase_count; i++)
        printf("%s{\"seconds\":%.6f,\"cpu\":%.3f}", i ? "," : "", (phase_began[i + 1] - phase_began[i]) / 1000,
               phase_cpu[i + 1] - phase_cpu[i]);
    printf("],\"queues\":[");
    for (size_t i = 0; i < queue_count; i++)
        printf("%s%ld", i ? "," : "", queues[i]->finished);
    printf("],\"labels\":{");
    for (int i = 0; i < label_count; i++) {
        if (i)
            putchar(',');
        print_label(&labels[i]);
    }
    puts("}}");
}

static int test_histogram(void) {
    static struct histogram h;
    unsigned long long value;
    while (scanf("%llu", &value) == 1)
        histogram_add(&h, value);
    for (int i = 0; i <= 1000; i++)
        printf("%llu\n", (unsigned long long)histogram_quantile(&h, i / 1000.0));
    histogram_print(&h, stdout);
    return 0;
}

int main(int count, char **arguments) {
    if (count == 2 && strcmp(arguments[1], "histogram") == 0)
        return test_histogram();
    if (count > 1 && strcmp(arguments[1], "any") == 0)
        accepts_any = 1, count--, arguments++;
    if (count < 6 || count - 5 > PORTS)
        fail("usage: pacer [any] PLAN TOKEN SECONDS SEED HOST:PORT…");
    loop = epoll_create1(EPOLL_CLOEXEC);
    read_plan(arguments[1]);
    http_open(loop, (const char *const *)arguments + 5, count - 5, arguments[2], (unsigned)atoi(arguments[4]));
    alarm((unsigned)atoi(arguments[3]) + 10); // Whatever happens, it ends.
    epoch = now();
    phase_cpu[0] = cpu_seconds();
    run(atof(arguments[3]) * 1000);
    print_figures();
    return 0;
}
