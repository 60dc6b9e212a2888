#pragma once

#include <stddef.h>
#include <stdint.h>

/// One GET request and its limits. Nothing here is kept after the call.
typedef struct {
    const char *url;
    long connect_milliseconds;
    long total_milliseconds;
    /// The most bytes of a body.
    size_t limit;
    /// Certificates that may sign the server's, as PEM; NULL for those of the system.
    const char *authorities;
    size_t authorities_length;
    /// Whether the server's certificate must be signed by one of them.
    int verifies;
    /// Asked before each connection, with the address in network order (4 or 16 bytes); 0 refuses.
    int (*permits)(void *context, const uint8_t *address, size_t length, int is_plain);
    void *context;
} cairn_fetch_request;

typedef enum {
    CAIRN_FETCH_DONE = 0,
    CAIRN_FETCH_BAD_URL,
    /// Every address of the host was refused by `permits`.
    CAIRN_FETCH_REFUSED,
    CAIRN_FETCH_UNTRUSTED,
    CAIRN_FETCH_TOO_LARGE,
    CAIRN_FETCH_TIMED_OUT,
    CAIRN_FETCH_FAILED,
} cairn_fetch_outcome;

typedef struct {
    cairn_fetch_outcome outcome;
    long status;
    uint8_t *body;
    size_t body_length;
    /// The server's own certificate as PEM; NULL when there was none.
    char *certificate;
    /// What libcurl says about a failure, for the log.
    char problem[256];
} cairn_fetch_result;

/// Fetches a document: no redirect, no proxy, no cookie, no name or password, TLS 1.2 or newer. Blocks.
void cairn_fetch(const cairn_fetch_request *request, cairn_fetch_result *result);

/// Gives back what a result holds.
void cairn_fetch_free(cairn_fetch_result *result);
