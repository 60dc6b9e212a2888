// What the parts of the load generator's sender share: pacer.c (schedule), pacer_http.c (connections), pacer_plan.c.
#ifndef PACER_H
#define PACER_H

#include "histogram.h"

#include <stddef.h>
#include <sys/types.h>

enum { LABELS = 64, PORTS = 4, PHASES = 16, VARIABLES = 5, VALUE = 1024, CAPTURES = 3, HEAD = 16384, EXCERPT = 300 };

// Variables of a running job: update, lease token, continuation token, active update, version.
#define VARIABLE_NAMES "utcav"
enum { UPDATE, TOKEN, CONTINUATION };

struct body {
    const char *bytes;
    size_t length, plain;
    int compressed;
};

struct capture {
    char key[32];
    int variable;
};

struct request {
    int label, status, retries, slot, accepts_gzip, loops, capture_count;
    char authorization, method[8], *path;
    struct capture captures[CAPTURES];
};

struct lane {
    struct request *requests;
    size_t count, room;
};

struct stage {
    struct lane *lanes;
    size_t count, room;
};

struct script {
    int label;
    struct stage *stages;
    size_t count, room;
};

struct job {
    int script;
    char *stack;
    int *bodies;
    size_t body_count;
};

enum reading { IN_HEAD, IN_LENGTH, IN_CHUNK_SIZE, IN_CHUNK, IN_CHUNK_END, IN_TRAILER, IN_REST };

// One lane of a queue's job on its way, with a kept connection to each port.
struct run {
    struct queue *queue;
    struct lane *lane;
    size_t current;
    int fds[PORTS], used[PORTS], port, busy, watches_writes, attempt;
    unsigned number; // of requests so far
    double due;      // when the request was to be sent: the latency counts from here
    size_t sent, head_length;
    char *head;
    enum reading reading;
    int status, is_gzip, line, retry_after;
    long long left, received;
    size_t held, kept, kept_room;
    char answer_head[HEAD], *answer;
};

struct queue {
    double first, interval; // milliseconds from the start; an interval of 0 is a closed loop
    unsigned number;
    long limit, started, finished, failed;
    size_t prologue, count, room;
    struct job *jobs, *job;
    struct script *script;
    size_t stage, lanes_left, run_count;
    struct run *runs[8];
    double scheduled;
    int recovering, restarts;
    char variables[VARIABLES][VALUE];
};

struct label {
    char name[40];
    struct histogram *phases[PHASES];
    unsigned long long done[PHASES], plain[PHASES], received[PHASES], retries, refused;
    long long shortest, longest;
};

extern struct label labels[LABELS];
extern struct body *bodies;
extern struct script *scripts;
extern struct queue **queues;
extern int label_count, script_count, body_count, recovery, phase_count;
extern size_t queue_count;
extern double phase_ends[PHASES];

_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
void *grown(void *memory, size_t count, size_t *room, size_t size);
void read_plan(const char *path);

double now(void);

// pacer_http.c: sends the current request of a run; the two `on_…` are for what epoll reports.
void http_open(int epoll, const char *const *addresses, int count, const char *token, unsigned seed);
void http_send(struct run *r);
void on_writable(struct run *r, int port);
void on_readable(struct run *r, int port);
extern unsigned long long reconnections;

// pacer_answer.c: inflates the kept body of an answer; takes the variables that its request asks for.
void inflate_answer(struct run *r);
void capture_variables(struct run *r);

// pacer.c: the answer of a run's current request is there, or there will be none (status 0).
void answered(struct run *r);

#endif
