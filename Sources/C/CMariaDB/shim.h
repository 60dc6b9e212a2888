#pragma once

#include <errmsg.h>
#include <mysql.h>
#include <sys/syscall.h>
#include <unistd.h>

/// A file that exists in memory only and is gone with its last descriptor, or -1. The C library's own function is
/// hidden behind a feature macro that Swift's importer does not set.
static inline int cairn_memory_file(const char *name) {
    return (int)syscall(SYS_memfd_create, name, 1u /* close on exec */);
}
