// What sender.c and sender_plan.c share.
#ifndef SENDER_H
#define SENDER_H

#include <stddef.h>

enum { FILES = 4096, LABELS = 16, HEAD = 16384, PIECE = 1 << 18, EXCERPT = 400 };

struct request {
    int label, status, repeat, file;
    size_t offset, length, head_length;
    char *head;
};

struct label {
    char name[32];
    double *total, *first; // milliseconds, in the order of the answers
    size_t count, room;
    long long shortest, longest; // bytes of an answer's body
};

enum reading { IN_HEAD, IN_LENGTH, IN_CHUNK_SIZE, IN_CHUNK, IN_CHUNK_END, IN_TRAILER };

struct connection {
    int fd, waits_to_write;
    struct request *requests;
    size_t count, room, current;
    int repeated;
    size_t sent;
    double began, first_byte;
    enum reading reading;
    size_t held;
    long long left, received;
    int status, line; // `line` counts the bytes of a line of chunked coding
    size_t excerpted;
    char head[HEAD], excerpt[EXCERPT];
};

struct file {
    const char *bytes;
    size_t length;
};

extern struct file files[FILES];
extern struct label labels[LABELS];
extern struct connection **connections;
extern int file_count, label_count;
extern size_t connection_count;

// Ends the program with status 1: a text and a number go into the format, in this order.
_Noreturn void fail(const char *format, const char *text, long long number);

// Memory for one element more than `count`.
void *grown(void *memory, size_t count, size_t *room, size_t size);

// Maps the files with bodies and fills `connections` with their requests.
void read_plan(const char *path);

#endif
