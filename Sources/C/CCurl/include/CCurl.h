#pragma once

#include <stddef.h>
#include <stdint.h>

/// The thread that makes transfers, all of them side by side, and the connections that it keeps for later ones.
typedef struct cairn_transfers cairn_transfers;

typedef enum {
    CAIRN_TRANSFER_DONE = 0,
    CAIRN_TRANSFER_BAD_URL,
    /// Every address of the host was refused by `permits`.
    CAIRN_TRANSFER_REFUSED,
    CAIRN_TRANSFER_UNTRUSTED,
    CAIRN_TRANSFER_TOO_LARGE,
    CAIRN_TRANSFER_TIMED_OUT,
    CAIRN_TRANSFER_FAILED,
    CAIRN_TRANSFER_CANCELLED,
} cairn_transfer_outcome;

/// What became of a transfer; the pointers live until `done` returns.
typedef struct {
    cairn_transfer_outcome outcome;
    long status;
    /// The lines of the final answer's head, each with its end.
    const char *head;
    size_t head_length;
    const uint8_t *body;
    size_t body_length;
    /// The server's own certificate as PEM; NULL when there was none or it was not asked for.
    const char *certificate;
    /// What libcurl says about a failure, for the log.
    const char *problem;
} cairn_transfer_result;

/// One request and its limits. Nothing here is kept after the call but `context`.
typedef struct {
    const char *method;
    const char *url;
    /// Each as `Name: value`.
    const char *const *headers;
    size_t header_count;
    /// NULL for a request without a body.
    const uint8_t *body;
    size_t body_length;
    long connect_milliseconds;
    long total_milliseconds;
    /// How long no byte may move.
    long stall_seconds;
    /// The most bytes of an answer's body.
    size_t limit;
    /// Certificates that may sign the server's, as PEM; NULL for those of the system.
    const char *authorities;
    size_t authorities_length;
    /// Whether the server's certificate must be signed by one of them.
    int verifies;
    int wants_certificate;
    /// Whether a kept connection may be used and this one may be kept.
    int keeps_connection;
    /// A proxy's URL; NULL for none.
    const char *proxy;
    /// Hosts that are reached without it, separated by commas; NULL for none.
    const char *no_proxy;
    /// Asked before each connection, with the address in network order (4 or 16 bytes); 0 refuses. NULL permits all.
    int (*permits)(void *context, const uint8_t *address, size_t length, int is_plain);
    /// Called once, on the thread of the transfers or, for what cannot begin, on the caller's.
    void (*done)(void *context, const cairn_transfer_result *result);
    void *context;
} cairn_transfer_request;

/// Starts the thread; NULL when libcurl cannot be loaded or a thread cannot be made.
cairn_transfers *cairn_transfers_start(void);

/// Begins a transfer: no redirect, no cookie, no name or password in the URL, TLS 1.2 or newer, HTTP/1.1.
///
/// Returns its number for `cairn_transfers_cancel`.
uint64_t cairn_transfers_begin(cairn_transfers *self, const cairn_transfer_request *request);

/// Ends a transfer early; one that has ended already is left alone.
void cairn_transfers_cancel(cairn_transfers *self, uint64_t number);

/// Cancels what is in progress, ends the thread and gives everything back.
void cairn_transfers_stop(cairn_transfers *self);
