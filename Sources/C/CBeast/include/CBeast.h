/// A strict HTTP/1.1 server on Boost.Beast's parser and loops of our own, as plain C.
///
/// Threads: calls come from any thread and return at once. Callbacks come on the loop thread of their session; they
/// must be short and must not block. What they point to is valid until they return.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cb_server cb_server;
typedef struct cb_session cb_session;
typedef struct cb_block cb_block;

/// Why a request or a connection was refused. The order is that of the table of ready answers and of the counters.
typedef enum {
    CB_MALFORMED = 0,
    CB_BAD_TARGET,
    CB_TARGET_TOO_LONG,
    CB_HEAD_TOO_LARGE,
    CB_TOO_MANY_FIELDS,
    CB_BAD_HOST,
    CB_BAD_FRAMING,
    CB_UNKNOWN_ENCODING,
    CB_UNKNOWN_EXPECTATION,
    CB_CONNECT,
    CB_HEAD_TIMEOUT,
    CB_BODY_TIMEOUT,
    CB_PLAIN_ON_TLS,
    CB_TOO_MANY_CONNECTIONS,
    CB_TOO_MANY_OF_ADDRESS,
    CB_BAD_ANSWER,
    // Those above have an answer; those below are only counted.
    CB_ANSWERED_REASONS,
    CB_MALFORMED_BODY = CB_ANSWERED_REASONS,
    CB_TLS_FAILED,
    CB_HANDSHAKE_TIMEOUT,
    CB_WRITE_TIMEOUT,
    CB_PEER_GONE,
    CB_ALL_REASONS
} cb_reason;

/// How the use of a request ends.
typedef enum { CB_ANSWERED = 0, CB_END_GONE, CB_END_TIMEOUT, CB_END_STOPPED, CB_END_ABORTED } cb_end_reason;

/// What is known of a request before its body is read.
typedef struct {
    /// Method, target, then the fields: for each the length of name and value (16 bits each), name, value.
    const char *packed;
    size_t packed_length;
    uint32_t method_length;
    uint32_t target_length;
    uint32_t field_count;
    /// Counts the requests of the session; calls about this request carry it, so that late ones hit no other.
    uint32_t number;
    /// −1 when the body comes in chunks, 0 when there is none.
    int64_t content_length;
    const char *peer;
    size_t peer_length;
    uint16_t peer_port;
    bool tls;
    /// Body bytes that came together with the head; set only when they are all of it.
    const void *body;
    size_t body_length;
} cb_head;

typedef struct {
    /// A head is complete. Gives the handle for the other callbacks, or null when it was answered before returning.
    void *(*on_request)(void *context, cb_session *session, const cb_head *head);
    /// The answer to `cb_read`: a piece, whether the body ends with it, whether its framing is broken.
    void (*on_body)(void *request, const void *bytes, size_t length, bool end, bool broken);
    /// The answer to `cb_write` and `cb_respond_file`; an `error` is a wrong length.
    void (*on_written)(void *request, bool error);
    /// The last callback of a request, exactly once for each handle.
    void (*on_end)(void *request, cb_end_reason reason);
    /// No connection is left after `cb_server_drain`. May come more than once.
    void (*on_drained)(void *context);
} cb_callbacks;

/// A ready answer for what the server refuses by itself.
typedef struct {
    int status;
    const char *content_type;
    const void *body;
    size_t body_length;
} cb_refusal;

typedef struct {
    const char *host;
    uint16_t port;
} cb_address;

/// Certificate chain and key as PEM. `minimum` is 10, 11, 12 or 13.
typedef struct {
    const char *certificate;
    size_t certificate_length;
    const char *key;
    size_t key_length;
    int minimum;
} cb_tls;

typedef struct {
    const cb_address *addresses;
    size_t address_count;
    /// Null for plain text.
    const cb_tls *tls;
    uint32_t loops;
    uint32_t max_connections;
    uint32_t max_connections_per_address;
    /// Addresses and networks (`10.0.0.0/8`) without a limit per address.
    const char *const *exempt;
    size_t exempt_count;
    uint32_t max_head;
    uint32_t max_target;
    uint32_t max_fields;
    /// How much of an unread body is read and dropped so that the connection can live on.
    uint32_t max_skipped;
    /// Times in milliseconds.
    int64_t handshake_timeout;
    int64_t head_timeout;
    int64_t idle_timeout;
    /// Least bytes per second of bodies in both directions, averaged over `rate_window` after `rate_grace`.
    int64_t min_rate;
    int64_t rate_grace;
    int64_t rate_window;
    int64_t linger;
    /// How long a connection must have been idle to be closed by a drain.
    int64_t drain_idle;
    /// How often time-outs and departed peers are looked for.
    int64_t tick;
    const char *server_name;
    /// `CB_ANSWERED_REASONS` of them.
    const cb_refusal *refusals;
} cb_config;

typedef enum {
    CB_ERROR_NONE = 0,
    CB_ERROR_ADDRESS,
    CB_ERROR_IN_USE,
    CB_ERROR_PERMISSION,
    CB_ERROR_SYSTEM,
    CB_ERROR_EXEMPT,
    CB_ERROR_TLS
} cb_error_kind;

typedef struct {
    cb_error_kind kind;
    /// Which of the addresses.
    size_t address;
    /// Why, in words.
    char text[256];
} cb_error;

typedef struct {
    uint64_t accepted;
    uint64_t active;
    uint64_t requests;
    uint64_t refused[CB_ALL_REASONS];
} cb_counters;

/// Starts listening and the loops. Null and a filled `error` when that fails. Copies what `config` points to.
cb_server *cb_server_start(const cb_config *config, const cb_callbacks *callbacks, void *context, cb_error *error);
/// The port bound for the address of that index.
uint16_t cb_server_port(const cb_server *server, size_t address);
/// Whether certificate and key can be used, and together; false and a filled `error` when not.
bool cb_tls_check(const cb_tls *tls, cb_error *error);
/// A new certificate for new connections; false and a filled `error` when it does not fit, and the old one stays.
bool cb_server_set_tls(cb_server *server, const cb_tls *tls, cb_error *error);
/// Stops accepting, closes idle connections, lets requests finish with `Connection: close`.
void cb_server_drain(cb_server *server);
/// Closes everything and waits for the loop threads. No callback comes afterwards.
void cb_server_stop(cb_server *server);
/// Frees a stopped server. Sessions that are still held stay valid and dead.
void cb_server_destroy(cb_server *server);
void cb_server_counters(const cb_server *server, cb_counters *counters);

/// Sessions are counted; hold one for as long as calls are made on it.
void cb_session_retain(cb_session *session);
void cb_session_release(cb_session *session);

/// Memory for one write: room for what the server adds in front and behind is reserved.
cb_block *cb_block_create(size_t length);
/// Where the caller puts its `length` bytes.
char *cb_block_bytes(cb_block *block);
void cb_block_destroy(cb_block *block);

typedef struct {
    int status;
    /// Of the body; −1 when not known.
    int64_t content_length;
    /// Neither a body nor its length is sent (204, 304).
    bool bodyless;
    /// The connection ends with this answer.
    bool close;
} cb_answer;

/// Asks for one piece of the body; `on_body` follows. The first call sends `100 Continue` where the client waits.
void cb_read(cb_session *session, uint32_t number);
/// A whole answer. `block` (given away) holds the lines of the header fields, the empty line, and the body.
void cb_respond(cb_session *session, uint32_t number, const cb_answer *answer, cb_block *block);
/// An answer from an open file; `on_written` follows, the descriptor must stay open until then or `on_end`.
void cb_respond_file(cb_session *session, uint32_t number, const cb_answer *answer, cb_block *block, int file,
                     int64_t offset);
/// The head of an answer whose body follows by `cb_write` and `cb_end`.
void cb_write_head(cb_session *session, uint32_t number, const cb_answer *answer, cb_block *block);
/// One piece of the body (`block` is given away); `on_written` follows. One at a time.
void cb_write(cb_session *session, uint32_t number, cb_block *block);
void cb_end(cb_session *session, uint32_t number);
/// Breaks the connection, so that the client sees that the answer is not whole.
void cb_abort(cb_session *session, uint32_t number);
/// The ready answer for `reason` in place of a handler's; the connection ends with it.
void cb_refuse(cb_session *session, uint32_t number, cb_reason reason);

#ifdef __cplusplus
}
#endif
