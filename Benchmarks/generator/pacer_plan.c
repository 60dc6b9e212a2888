// Reads the plan that plan.py wrote, line by line:
//
//     F PATH                                        a file with bodies; it is mapped
//     B FILE OFFSET LENGTH PLAIN GZIP               a body; PLAIN is its size before compression
//     P MILLISECONDS                                end of a phase; the first one warms up, the last one ends the run
//     S LABEL                                       a script
//     G                                             its next stage: lanes that run together
//     L                                             the next lane of the stage: requests one after the other
//     R LABEL METHOD STATUS RETRIES AUTHORIZATION SLOT GZIP LOOPS CAPTURES PATH
//     E SCRIPT                                      the script that runs before a failed job is tried again
//     Q FIRST INTERVAL LIMIT PROLOGUE               a queue: one job at a time, on a schedule of its own
//     J SCRIPT STACK BODY…                          its next job; SLOT of a request chooses among its bodies
//
// STATUS 2 is any 2xx, 0 any answer. AUTHORIZATION is u (user), l (lease) or n (none). CAPTURES is `-` or key>variable
// separated by commas. A queue runs its first PROLOGUE jobs once and the others again and again.
#include "pacer.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct label labels[LABELS];
struct body *bodies;
struct script *scripts;
struct queue **queues;
int label_count, script_count, body_count, recovery = -1, phase_count;
size_t queue_count;
double phase_ends[PHASES];

static struct {
    const char *bytes;
    size_t length;
} * files;
static size_t file_count, file_room, body_room, script_room, queue_room;

_Noreturn void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

void *grown(void *memory, size_t count, size_t *room, size_t size) {
    if (count < *room)
        return memory;
    *room = *room ? *room * 2 : 8;
    memory = realloc(memory, *room * size);
    if (!memory)
        fail("no memory");
    return memory;
}

static void map_file(char *path) {
    struct stat info;
    path[strcspn(path, "\n")] = 0;
    int fd = open(path, O_RDONLY);
    if (fd < 0 || fstat(fd, &info) < 0)
        fail("cannot open %s", path);
    void *bytes = info.st_size ? mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_SHARED, fd, 0) : NULL;
    if (bytes == MAP_FAILED)
        fail("cannot map %s", path);
    close(fd);
    files = grown(files, file_count, &file_room, sizeof *files);
    files[file_count].bytes = bytes;
    files[file_count++].length = (size_t)info.st_size;
}

static void read_body(const char *line) {
    size_t file, offset;
    struct body b = {0};
    if (sscanf(line, "%zu %zu %zu %zu %d", &file, &offset, &b.length, &b.plain, &b.compressed) != 5 ||
        file >= file_count || offset + b.length > files[file].length)
        fail("a body of the plan is not in its file: %s", line);
    b.bytes = files[file].bytes + offset;
    bodies = grown(bodies, (size_t)body_count, &body_room, sizeof b);
    bodies[body_count++] = b;
}

static int label_of(const char *name) {
    for (int i = 0; i < label_count; i++)
        if (strcmp(labels[i].name, name) == 0)
            return i;
    if (label_count == LABELS)
        fail("too many labels: %s", name);
    snprintf(labels[label_count].name, sizeof labels->name, "%s", name);
    labels[label_count].shortest = -1;
    return label_count++;
}

static void add_script(const char *line) {
    char name[40];
    if (sscanf(line, "%38s", name) != 1)
        fail("a script has no name");
    scripts = grown(scripts, (size_t)script_count, &script_room, sizeof *scripts);
    scripts[script_count++] = (struct script){.label = label_of(name)};
}

static struct stage *last_stage(void) {
    struct script *s = script_count ? &scripts[script_count - 1] : NULL;
    if (!s || !s->count)
        fail("a lane is in no stage");
    return &s->stages[s->count - 1];
}

static void add_stage(void) {
    if (!script_count)
        fail("a stage is in no script");
    struct script *s = &scripts[script_count - 1];
    s->stages = grown(s->stages, s->count, &s->room, sizeof *s->stages);
    s->stages[s->count++] = (struct stage){0};
}

static void add_lane(void) {
    struct stage *s = last_stage();
    s->lanes = grown(s->lanes, s->count, &s->room, sizeof *s->lanes);
    s->lanes[s->count++] = (struct lane){0};
}

static void read_captures(struct request *r, char *text) {
    char *rest = NULL;
    if (strcmp(text, "-") == 0)
        return;
    for (char *one = strtok_r(text, ",", &rest); one; one = strtok_r(NULL, ",", &rest)) {
        char *arrow = strchr(one, '>');
        const char *variable = arrow ? strchr(VARIABLE_NAMES, arrow[1]) : NULL;
        if (!variable || r->capture_count == CAPTURES)
            fail("a capture is wrong: %s", one);
        struct capture *c = &r->captures[r->capture_count++];
        snprintf(c->key, sizeof c->key, "\"%.*s\":", (int)(arrow - one), one);
        c->variable = (int)(variable - VARIABLE_NAMES);
    }
}

static void read_request(const char *line) {
    char name[40], captures[200], path[1024];
    struct request r = {0};
    struct stage *s = last_stage();
    if (!s->count || sscanf(line, "%38s %7s %d %d %c %d %d %d %199s %1023s", name, r.method, &r.status, &r.retries,
                            &r.authorization, &r.slot, &r.accepts_gzip, &r.loops, captures, path) != 10)
        fail("a request of the plan is broken: %s", line);
    r.label = label_of(name);
    r.path = strdup(path);
    read_captures(&r, captures);
    struct lane *l = &s->lanes[s->count - 1];
    l->requests = grown(l->requests, l->count, &l->room, sizeof r);
    l->requests[l->count++] = r;
}

static void read_queue(const char *line) {
    struct queue *q = calloc(1, sizeof *q);
    if (!q || sscanf(line, "%lf %lf %ld %zu", &q->first, &q->interval, &q->limit, &q->prologue) != 4)
        fail("a queue of the plan is broken: %s", line);
    q->number = (unsigned)queue_count;
    queues = grown(queues, queue_count, &queue_room, sizeof *queues);
    queues[queue_count++] = q;
}

static void read_job(char *line) {
    struct queue *q = queue_count ? queues[queue_count - 1] : NULL;
    char *rest = NULL, *script = strtok_r(line, " \n", &rest), *stack = strtok_r(NULL, " \n", &rest);
    if (!q || !stack || atoi(script) >= script_count)
        fail("a job of the plan is broken");
    struct job j = {.script = atoi(script), .stack = strdup(stack)};
    size_t room = 0;
    for (char *one = strtok_r(NULL, " \n", &rest); one; one = strtok_r(NULL, " \n", &rest)) {
        j.bodies = grown(j.bodies, j.body_count, &room, sizeof *j.bodies);
        j.bodies[j.body_count++] = atoi(one);
        if (atoi(one) >= body_count)
            fail("a job has a body that is not there: %s", one);
    }
    q->jobs = grown(q->jobs, q->count, &q->room, sizeof j);
    q->jobs[q->count++] = j;
}

static void read_phase(const char *line) {
    if (phase_count == PHASES)
        fail("too many phases");
    phase_ends[phase_count++] = atof(line);
}

void read_plan(const char *path) {
    char *line = NULL;
    size_t room = 0;
    FILE *plan = fopen(path, "r");
    if (!plan)
        fail("cannot open %s", path);
    while (getline(&line, &room, plan) > 0) {
        char *rest = line + (line[1] ? 2 : 1);
        switch (*line) {
        case 'F':
            map_file(rest);
            break;
        case 'B':
            read_body(rest);
            break;
        case 'P':
            read_phase(rest);
            break;
        case 'S':
            add_script(rest);
            break;
        case 'G':
            add_stage();
            break;
        case 'L':
            add_lane();
            break;
        case 'R':
            read_request(rest);
            break;
        case 'E':
            recovery = atoi(rest);
            break;
        case 'Q':
            read_queue(rest);
            break;
        case 'J':
            read_job(rest);
            break;
        default:
            fail("the plan is broken: %s", line);
        }
    }
    free(line);
    fclose(plan);
    if (!phase_count || !queue_count)
        fail("the plan has no phase or no queue");
}
