#pragma once

#include "CCurl.h"
#include "library.h"

typedef struct {
    uint8_t *bytes;
    size_t length;
    size_t capacity;
} buffer;

/// One transfer: a handle of libcurl and what came so far. Lists of them are linked by the thread.
typedef struct transfer {
    struct transfer *previous;
    struct transfer *next;
    uint64_t number;
    CURL *handle;
    CURLU *url;
    struct curl_slist *headers;
    uint8_t *request_body;
    buffer head;
    buffer body;
    size_t limit;
    int is_plain;
    int refused;
    int is_too_large;
    int wants_certificate;
    int (*permits)(void *, const uint8_t *, size_t, int);
    void (*done)(void *, const cairn_transfer_result *);
    void *context;
    char problem[CURL_ERROR_SIZE];
} transfer;

/// A transfer that is ready to run; NULL when there is no memory, or after `done` was told why it cannot begin.
transfer *transfer_make(const cairn_transfer_request *request);

/// Tells the caller and gives everything back; the handle is in no multi handle any more.
void transfer_end(transfer *self, cairn_transfer_outcome outcome, const char *problem);

cairn_transfer_outcome transfer_outcome(CURLcode code, const transfer *self);
