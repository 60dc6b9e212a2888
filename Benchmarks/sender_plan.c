// Reads the plan that load.py wrote: lines of three kinds.
//
//     F PATH                                              a file with bodies
//     C                                                   from here on requests of a new connection
//     R LABEL STATUS REPEAT FILE OFFSET LENGTH HEAD       a request; HEAD bytes of its head follow the line
//
// STATUS 2 means any 2xx; FILE -1 means no body.
#include "sender.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct file files[FILES];
struct label labels[LABELS];
struct connection **connections;
int file_count, label_count;
size_t connection_count;

_Noreturn void fail(const char *format, const char *text, long long number) {
    fprintf(stderr, format, text, number);
    fputc('\n', stderr);
    exit(1);
}

void *grown(void *memory, size_t count, size_t *room, size_t size) {
    if (count < *room)
        return memory;
    *room = *room ? *room * 2 : 64;
    memory = realloc(memory, *room * size);
    if (!memory)
        fail("no memory%s%lld", "", 0);
    return memory;
}

static void map_file(const char *path) {
    struct stat info;
    int fd = open(path, O_RDONLY);
    if (fd < 0 || fstat(fd, &info) < 0 || file_count == FILES)
        fail("cannot open %s (%lld)", path, errno);
    void *bytes = info.st_size ? mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0) : NULL;
    if (bytes == MAP_FAILED)
        fail("cannot map %s (%lld)", path, errno);
    close(fd);
    files[file_count].bytes = bytes;
    files[file_count++].length = (size_t)info.st_size;
}

static int label_of(const char *name) {
    for (int i = 0; i < label_count; i++)
        if (strcmp(labels[i].name, name) == 0)
            return i;
    if (label_count == LABELS)
        fail("too many labels: %s (%lld)", name, label_count);
    snprintf(labels[label_count].name, sizeof labels->name, "%s", name);
    labels[label_count].shortest = -1;
    return label_count++;
}

static void read_request(FILE *plan, struct connection *c) {
    char name[32];
    struct request r = {0};
    if (fscanf(plan, " %31s %d %d %d %zu %zu %zu", name, &r.status, &r.repeat, &r.file, &r.offset, &r.length,
               &r.head_length) != 7 ||
        fgetc(plan) != '\n')
        fail("a request of the plan is broken: %s (%lld)", name, (long long)c->count);
    if (r.file >= file_count || (r.file >= 0 && r.offset + r.length > files[r.file].length))
        fail("a body is not in its file: %s (%lld)", name, (long long)r.offset);
    r.label = label_of(name);
    r.head = malloc(r.head_length);
    if (!r.head || fread(r.head, 1, r.head_length, plan) != r.head_length)
        fail("a head of the plan is short: %s (%lld)", name, (long long)r.head_length);
    c->requests = grown(c->requests, c->count, &c->room, sizeof r);
    c->requests[c->count++] = r;
}

void read_plan(const char *path) {
    static char line[8192];
    size_t room = 0;
    struct connection *c = NULL;
    FILE *plan = fopen(path, "r");
    int kind;
    if (!plan)
        fail("cannot open %s (%lld)", path, errno);
    while ((kind = fgetc(plan)) != EOF) {
        if (kind == 'F' && fscanf(plan, " %8191[^\n]", line) == 1) {
            map_file(line);
        } else if (kind == 'C') {
            connections = grown(connections, connection_count, &room, sizeof *connections);
            connections[connection_count++] = c = calloc(1, sizeof *c);
        } else if (kind == 'R' && c) {
            read_request(plan, c);
        } else if (kind != '\n') {
            fail("the plan is broken%s at %lld", "", ftell(plan));
        }
    }
    fclose(plan);
}
