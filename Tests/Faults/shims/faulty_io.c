// Makes the nth write of a process fail, or kills the process beside it. Preloaded; driven through a mapped file.
//
// FAULTY_IO names the file, which holds a `struct control`. Counted are calls on regular files and folders, except the
// standard streams, and calls that change names. Nothing happens while `first` is 0.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum kind { WRITE = 1, SYNC = 2, NAME = 4, TRUNCATE = 8 };
enum action { FAIL = 0, KILL_BEFORE = 1, KILL_AFTER = 2, WRITE_HALF = 3, DELAY = 4 };

struct control {
    _Atomic int64_t calls; // counted since the last time it was set to 0
    _Atomic int64_t first; // the first call that something happens to, counted from 1; 0 for none
    _Atomic int64_t last;  // the last one
    _Atomic int64_t hit;   // how many it happened to
    _Atomic int32_t action;
    _Atomic int32_t error; // for FAIL
    _Atomic int32_t kinds;
    _Atomic int32_t milliseconds; // for DELAY
};

static struct control *control;

__attribute__((constructor)) static void map_control(void) {
    const char *path = getenv("FAULTY_IO");
    int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (file < 0) {
        return;
    }
    void *mapped = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (mapped != MAP_FAILED) {
        control = mapped;
    }
}

static int is_file(int file) {
    struct stat status;
    return file > STDERR_FILENO && fstat(file, &status) == 0 && (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode));
}

static void die(void) {
    kill(getpid(), SIGKILL);
    pause();
}

// The action for this call, or -1 when it is to be left alone.
static int action_of(int kind) {
    if (!control || !(control->kinds & kind)) {
        return -1;
    }
    int64_t number = atomic_fetch_add(&control->calls, 1) + 1;
    if (control->first == 0 || number < control->first || number > control->last) {
        return -1;
    }
    atomic_fetch_add(&control->hit, 1);
    int action = control->action;
    if (action == KILL_BEFORE) {
        die();
    }
    if (action == DELAY) {
        struct timespec pause_time = {control->milliseconds / 1000, control->milliseconds % 1000 * 1000000L};
        nanosleep(&pause_time, NULL);
        return -1;
    }
    return action;
}

// The call, with what is to happen to it; `half` is the call with half of its bytes, or the call itself.
#define FAULTY(kind, applies, call, half)                                                                              \
    do {                                                                                                               \
        int action = (applies) ? action_of(kind) : -1;                                                                 \
        if (action == FAIL) {                                                                                          \
            errno = control->error;                                                                                    \
            return -1;                                                                                                 \
        }                                                                                                              \
        if (action == WRITE_HALF) {                                                                                    \
            return half;                                                                                               \
        }                                                                                                              \
        __typeof__(call) result = call;                                                                                \
        if (action == KILL_AFTER) {                                                                                    \
            die();                                                                                                     \
        }                                                                                                              \
        return result;                                                                                                 \
    } while (0)

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define HALF(size) ((size) > 1 ? (size) / 2 : (size))

ssize_t write(int file, const void *bytes, size_t size) {
    static ssize_t (*real)(int, const void *, size_t);
    real = real ? real : REAL(write);
    FAULTY(WRITE, is_file(file), real(file, bytes, size), real(file, bytes, HALF(size)));
}

ssize_t pwrite(int file, const void *bytes, size_t size, off_t offset) {
    static ssize_t (*real)(int, const void *, size_t, off_t);
    real = real ? real : REAL(pwrite);
    FAULTY(WRITE, is_file(file), real(file, bytes, size, offset), real(file, bytes, HALF(size), offset));
}

ssize_t pwrite64(int file, const void *bytes, size_t size, off64_t offset) {
    static ssize_t (*real)(int, const void *, size_t, off64_t);
    real = real ? real : REAL(pwrite64);
    FAULTY(WRITE, is_file(file), real(file, bytes, size, offset), real(file, bytes, HALF(size), offset));
}

ssize_t writev(int file, const struct iovec *parts, int count) {
    static ssize_t (*real)(int, const struct iovec *, int);
    real = real ? real : REAL(writev);
    FAULTY(WRITE, is_file(file), real(file, parts, count), real(file, parts, HALF(count)));
}

int fsync(int file) {
    static int (*real)(int);
    real = real ? real : REAL(fsync);
    FAULTY(SYNC, is_file(file), real(file), real(file));
}

int fdatasync(int file) {
    static int (*real)(int);
    real = real ? real : REAL(fdatasync);
    FAULTY(SYNC, is_file(file), real(file), real(file));
}

int rename(const char *from, const char *to) {
    static int (*real)(const char *, const char *);
    real = real ? real : REAL(rename);
    FAULTY(NAME, 1, real(from, to), real(from, to));
}

int renameat(int from_folder, const char *from, int to_folder, const char *to) {
    static int (*real)(int, const char *, int, const char *);
    real = real ? real : REAL(renameat);
    FAULTY(NAME, 1, real(from_folder, from, to_folder, to), real(from_folder, from, to_folder, to));
}

int link(const char *from, const char *to) {
    static int (*real)(const char *, const char *);
    real = real ? real : REAL(link);
    FAULTY(NAME, 1, real(from, to), real(from, to));
}

int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags) {
    static int (*real)(int, const char *, int, const char *, int);
    real = real ? real : REAL(linkat);
    FAULTY(NAME, 1, real(from_folder, from, to_folder, to, flags), real(from_folder, from, to_folder, to, flags));
}

int unlinkat(int folder, const char *name, int flags) {
    static int (*real)(int, const char *, int);
    real = real ? real : REAL(unlinkat);
    FAULTY(NAME, 1, real(folder, name, flags), real(folder, name, flags));
}

int ftruncate(int file, off_t size) {
    static int (*real)(int, off_t);
    real = real ? real : REAL(ftruncate);
    FAULTY(TRUNCATE, is_file(file), real(file, size), real(file, size));
}

int ftruncate64(int file, off64_t size) {
    static int (*real)(int, off64_t);
    real = real ? real : REAL(ftruncate64);
    FAULTY(TRUNCATE, is_file(file), real(file, size), real(file, size));
}
