#define _GNU_SOURCE
#include "transfer.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/// The longest head of an answer.
static const size_t longest_head = 65536;

// MARK: - What libcurl calls

static int append(buffer *self, const char *bytes, size_t length, size_t limit) {
    if (length > limit - self->length)
        return 0;
    if (self->length + length > self->capacity) {
        size_t wanted = 2 * (self->length + length);
        uint8_t *grown = realloc(self->bytes, wanted);
        if (!grown)
            return 0;
        self->bytes = grown;
        self->capacity = wanted;
    }
    memcpy(self->bytes + self->length, bytes, length);
    self->length += length;
    return 1;
}

/// A body whose length is known gets its memory once.
static void reserve(transfer *self) {
    curl_off_t length = -1;
    if (self->body.bytes || curl.getinfo(self->handle, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length) != CURLE_OK ||
        length <= 0 || (uint64_t)length > self->limit)
        return;
    self->body.bytes = malloc((size_t)length);
    self->body.capacity = self->body.bytes ? (size_t)length : 0;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *context) {
    transfer *self = context;
    reserve(self);
    if (append(&self->body, bytes, size * count, self->limit))
        return size * count;
    self->is_too_large = 1;
    return CURL_WRITEFUNC_ERROR;
}

static size_t take_head(char *bytes, size_t size, size_t count, void *context) {
    transfer *self = context;
    size_t length = size * count;
    // An interim answer (100 Continue) or a proxy's own comes before the one that counts.
    if (length >= 5 && memcmp(bytes, "HTTP/", 5) == 0)
        self->head.length = 0;
    if (append(&self->head, bytes, length, longest_head))
        return length;
    self->is_too_large = 1;
    return CURL_WRITEFUNC_ERROR;
}

/// The very address that is about to be connected to: a name that means another one by then gains nothing.
static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address) {
    transfer *self = context;
    const uint8_t *bytes = NULL;
    size_t length = 0;
    if (purpose == CURLSOCKTYPE_IPCXN && address->family == AF_INET) {
        bytes = (const uint8_t *)&((const struct sockaddr_in *)(const void *)&address->addr)->sin_addr;
        length = 4;
    } else if (purpose == CURLSOCKTYPE_IPCXN && address->family == AF_INET6) {
        bytes = (const uint8_t *)&((const struct sockaddr_in6 *)(const void *)&address->addr)->sin6_addr;
        length = 16;
    }
    if (self->permits && (!bytes || !self->permits(self->context, bytes, length, self->is_plain))) {
        self->refused = 1;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

// MARK: - Making one

/// The URL as libcurl reads it, so that what is checked is what is connected to; NULL for one that is not taken.
static CURLU *parse(const char *text, int *is_plain) {
    CURLU *url = curl.url();
    char *scheme = NULL;
    char *other = NULL;
    int is_good = url && curl.url_set(url, CURLUPART_URL, text, CURLU_DISALLOW_USER | CURLU_PATH_AS_IS) == CURLUE_OK &&
                  curl.url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK;
    *is_plain = is_good && strcmp(scheme, "http") == 0;
    is_good = is_good && (*is_plain || strcmp(scheme, "https") == 0) &&
              curl.url_get(url, CURLUPART_FRAGMENT, &other, 0) == CURLUE_NO_FRAGMENT &&
              curl.url_get(url, CURLUPART_ZONEID, &other, 0) == CURLUE_NO_ZONEID;
    curl.free(scheme);
    curl.free(other);
    if (is_good)
        return url;
    curl.url_cleanup(url);
    return NULL;
}

static int add_header(transfer *self, const char *line) {
    struct curl_slist *longer = curl.slist_append(self->headers, line);
    if (longer)
        self->headers = longer;
    return longer != NULL;
}

/// The caller's lines, and none of those that libcurl would add by itself.
static int set_headers(transfer *self, const cairn_transfer_request *request) {
    int has_type = 0;
    for (size_t index = 0; index < request->header_count; index++) {
        has_type |= strncasecmp(request->headers[index], "content-type:", 13) == 0;
        if (!add_header(self, request->headers[index]))
            return 0;
    }
    if (!add_header(self, "Expect:") || (!has_type && !add_header(self, "Content-Type:")))
        return 0;
    curl.setopt(self->handle, CURLOPT_HTTPHEADER, self->headers);
    return 1;
}

static int set_body(transfer *self, const cairn_transfer_request *request) {
    if (strcmp(request->method, "HEAD") == 0)
        curl.setopt(self->handle, CURLOPT_NOBODY, 1L);
    if (request->body) {
        self->request_body = malloc(request->body_length ? request->body_length : 1);
        if (!self->request_body)
            return 0;
        memcpy(self->request_body, request->body, request->body_length);
        curl.setopt(self->handle, CURLOPT_POSTFIELDS, self->request_body);
        curl.setopt(self->handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_length);
    }
    if (strcmp(request->method, "HEAD") != 0)
        curl.setopt(self->handle, CURLOPT_CUSTOMREQUEST, request->method);
    return 1;
}

static void set_limits(transfer *self, const cairn_transfer_request *request) {
    curl.setopt(self->handle, CURLOPT_CONNECTTIMEOUT_MS, request->connect_milliseconds);
    curl.setopt(self->handle, CURLOPT_TIMEOUT_MS, request->total_milliseconds);
    curl.setopt(self->handle, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl.setopt(self->handle, CURLOPT_LOW_SPEED_TIME, request->stall_seconds);
    // The length in an answer to HEAD is that of something which does not come.
    if (strcmp(request->method, "HEAD") != 0)
        curl.setopt(self->handle, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)request->limit);
    curl.setopt(self->handle, CURLOPT_BUFFERSIZE, 262144L);
    curl.setopt(self->handle, CURLOPT_UPLOAD_BUFFERSIZE, 1048576L);
}

static void set_trust(transfer *self, const cairn_transfer_request *request) {
    struct curl_blob authorities = {(void *)(uintptr_t)request->authorities, request->authorities_length,
                                    CURL_BLOB_COPY};
    curl.setopt(self->handle, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl.setopt(self->handle, CURLOPT_SSL_VERIFYPEER, request->verifies ? 1L : 0L);
    curl.setopt(self->handle, CURLOPT_SSL_VERIFYHOST, 2L);
    curl.setopt(self->handle, CURLOPT_CERTINFO, request->wants_certificate ? 1L : 0L);
    if (request->authorities)
        curl.setopt(self->handle, CURLOPT_CAINFO_BLOB, &authorities);
    if (!request->keeps_connection) {
        curl.setopt(self->handle, CURLOPT_FRESH_CONNECT, 1L);
        curl.setopt(self->handle, CURLOPT_FORBID_REUSE, 1L);
    }
}

/// Sets every option that matters, so that no default of libcurl's decides anything.
static int prepare(transfer *self, const cairn_transfer_request *request) {
    self->handle = curl.init();
    if (!self->handle || !set_headers(self, request) || !set_body(self, request))
        return 0;
    set_limits(self, request);
    set_trust(self, request);
    curl.setopt(self->handle, CURLOPT_CURLU, self->url);
    curl.setopt(self->handle, CURLOPT_PROTOCOLS_STR, "http,https");
    curl.setopt(self->handle, CURLOPT_FOLLOWLOCATION, 0L);
    curl.setopt(self->handle, CURLOPT_PATH_AS_IS, 1L);
    curl.setopt(self->handle, CURLOPT_PROXY, request->proxy ? request->proxy : "");
    curl.setopt(self->handle, CURLOPT_NOPROXY, request->no_proxy ? request->no_proxy : "");
    curl.setopt(self->handle, CURLOPT_NOSIGNAL, 1L);
    curl.setopt(self->handle, CURLOPT_TCP_NODELAY, 1L);
    curl.setopt(self->handle, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl.setopt(self->handle, CURLOPT_USERAGENT, "cairn");
    curl.setopt(self->handle, CURLOPT_ERRORBUFFER, self->problem);
    curl.setopt(self->handle, CURLOPT_WRITEFUNCTION, take_body);
    curl.setopt(self->handle, CURLOPT_WRITEDATA, self);
    curl.setopt(self->handle, CURLOPT_HEADERFUNCTION, take_head);
    curl.setopt(self->handle, CURLOPT_HEADERDATA, self);
    curl.setopt(self->handle, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl.setopt(self->handle, CURLOPT_OPENSOCKETDATA, self);
    curl.setopt(self->handle, CURLOPT_PRIVATE, self);
    return 1;
}

// MARK: - Ending one

cairn_transfer_outcome transfer_outcome(CURLcode code, const transfer *self) {
    switch (code) {
    case CURLE_OK:
        return CAIRN_TRANSFER_DONE;
    case CURLE_PEER_FAILED_VERIFICATION:
        return CAIRN_TRANSFER_UNTRUSTED;
    case CURLE_FILESIZE_EXCEEDED:
        return CAIRN_TRANSFER_TOO_LARGE;
    case CURLE_OPERATION_TIMEDOUT:
        return CAIRN_TRANSFER_TIMED_OUT;
    case CURLE_COULDNT_CONNECT:
        return self->refused ? CAIRN_TRANSFER_REFUSED : CAIRN_TRANSFER_FAILED;
    default:
        return self->is_too_large ? CAIRN_TRANSFER_TOO_LARGE : CAIRN_TRANSFER_FAILED;
    }
}

static const char *certificate(const transfer *self) {
    struct curl_certinfo *chain = NULL;
    if (!self->wants_certificate || curl.getinfo(self->handle, CURLINFO_CERTINFO, &chain) != CURLE_OK || !chain ||
        chain->num_of_certs < 1)
        return NULL;
    for (struct curl_slist *field = chain->certinfo[0]; field; field = field->next) {
        if (strncmp(field->data, "Cert:", 5) == 0)
            return field->data + 5;
    }
    return NULL;
}

void transfer_end(transfer *self, cairn_transfer_outcome outcome, const char *problem) {
    cairn_transfer_result result = {.outcome = outcome, .problem = self->problem[0] ? self->problem : problem};
    if (outcome == CAIRN_TRANSFER_DONE) {
        curl.getinfo(self->handle, CURLINFO_RESPONSE_CODE, &result.status);
        result.head = (const char *)self->head.bytes;
        result.head_length = self->head.length;
        result.body = self->body.bytes;
        result.body_length = self->body.length;
        result.certificate = certificate(self);
    }
    self->done(self->context, &result);
    if (self->handle)
        curl.cleanup(self->handle);
    if (self->url)
        curl.url_cleanup(self->url);
    curl.slist_free_all(self->headers);
    free(self->request_body);
    free(self->head.bytes);
    free(self->body.bytes);
    free(self);
}

// MARK: - Beginning one

transfer *transfer_make(const cairn_transfer_request *request) {
    transfer *self = calloc(1, sizeof *self);
    if (!self) {
        cairn_transfer_result result = {.outcome = CAIRN_TRANSFER_FAILED, .problem = "there is no memory"};
        request->done(request->context, &result);
        return NULL;
    }
    self->permits = request->permits;
    self->done = request->done;
    self->context = request->context;
    self->limit = request->limit;
    self->wants_certificate = request->wants_certificate;
    self->url = parse(request->url, &self->is_plain);
    if (self->url && prepare(self, request))
        return self;
    if (self->url)
        transfer_end(self, CAIRN_TRANSFER_FAILED, "libcurl cannot prepare the transfer");
    else
        transfer_end(self, CAIRN_TRANSFER_BAD_URL, "the URL is not taken");
    return NULL;
}
