#pragma once

#include <sqlite3.h>
#include <sys/vfs.h>

// What Swift's importer cannot see of SQLite: casts to function pointers and variadic functions.

/// Binds text, copied or for as long as the caller keeps it.
static inline int cairn_sqlite_bind_text(sqlite3_stmt *statement, int index, const char *text, sqlite3_uint64 length,
                                         int copy) {
    return sqlite3_bind_text64(statement, index, text, length, copy ? SQLITE_TRANSIENT : SQLITE_STATIC, SQLITE_UTF8);
}

/// Binds bytes, copied or for as long as the caller keeps them.
static inline int cairn_sqlite_bind_bytes(sqlite3_stmt *statement, int index, const void *bytes, sqlite3_uint64 length,
                                          int copy) {
    return sqlite3_bind_blob64(statement, index, bytes, length, copy ? SQLITE_TRANSIENT : SQLITE_STATIC);
}

/// Forbids SQL that can damage the file, and says in `is_set` whether that took effect.
static inline int cairn_sqlite_set_defensive(sqlite3 *database, int *is_set) {
    return sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, is_set);
}

/// Counts no memory from now on: with the count, each allocation of every thread takes one lock. Only before the
/// library is used for the first time; afterwards it has no effect.
static inline int cairn_sqlite_count_no_memory(void) { return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }

/// The kernel's number for the kind of file system that holds `path`; -1 when it cannot be told.
static inline long cairn_file_system_kind(const char *path) {
    struct statfs info;
    return statfs(path, &info) == 0 ? (long)info.f_type : -1;
}
