#define _GNU_SOURCE
#include "CThread.h"

#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

// A nice value weighs 1.25 times as much as the next one.
enum { NICE = 10 };

// A thread that wakes up displaces one with a longer slice. Whatever is well above the usual 3 ms says that; the thread
// runs no longer for it, because the others have the shorter slices.
enum { SLICE_NANOSECONDS = 20000000 };

// The kernel's `struct sched_attr` (include/uapi/linux/sched/types.h), in its first size.
struct attributes {
    uint32_t size;
    uint32_t policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime;
    uint64_t deadline;
    uint64_t period;
};

void cairn_thread_give_way(void) {
#ifdef SYS_sched_setattr
    struct attributes attributes = {.size = sizeof attributes, .nice = NICE, .runtime = SLICE_NANOSECONDS};
    if (syscall(SYS_sched_setattr, 0, &attributes, 0) == 0)
        return;
#endif
    // On Linux a nice value belongs to a thread.
    (void)setpriority(PRIO_PROCESS, 0, NICE);
}
