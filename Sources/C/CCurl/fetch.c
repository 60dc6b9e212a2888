#define _GNU_SOURCE
#include "CCurl.h"

#include <curl/curl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct {
    const cairn_fetch_request *request;
    cairn_fetch_result *result;
    size_t capacity;
    int is_plain;
    int refused;
    int is_too_large;
} transfer;

static size_t take(char *bytes, size_t size, size_t count, void *context) {
    transfer *self = context;
    cairn_fetch_result *result = self->result;
    size_t length = size * count;
    if (length > self->request->limit - result->body_length) {
        self->is_too_large = 1;
        return CURL_WRITEFUNC_ERROR;
    }
    if (result->body_length + length > self->capacity) {
        size_t wanted = 2 * (result->body_length + length);
        uint8_t *grown = realloc(result->body, wanted);
        if (!grown)
            return CURL_WRITEFUNC_ERROR;
        result->body = grown;
        self->capacity = wanted;
    }
    memcpy(result->body + result->body_length, bytes, length);
    result->body_length += length;
    return length;
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
    if (!bytes || !self->request->permits(self->request->context, bytes, length, self->is_plain)) {
        self->refused = 1;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/// The URL as libcurl reads it, so that what is checked is what is connected to; NULL for one that is not taken.
static CURLU *parse(const char *text, int *is_plain) {
    CURLU *url = curl_url();
    char *scheme = NULL;
    char *other = NULL;
    int is_good = url && curl_url_set(url, CURLUPART_URL, text, CURLU_DISALLOW_USER) == CURLUE_OK &&
                  curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK;
    *is_plain = is_good && strcmp(scheme, "http") == 0;
    is_good = is_good && (*is_plain || strcmp(scheme, "https") == 0) &&
              curl_url_get(url, CURLUPART_FRAGMENT, &other, 0) == CURLUE_NO_FRAGMENT &&
              curl_url_get(url, CURLUPART_ZONEID, &other, 0) == CURLUE_NO_ZONEID;
    curl_free(scheme);
    curl_free(other);
    if (is_good)
        return url;
    curl_url_cleanup(url);
    return NULL;
}

static void keep_certificate(CURL *handle, cairn_fetch_result *result) {
    struct curl_certinfo *chain = NULL;
    if (curl_easy_getinfo(handle, CURLINFO_CERTINFO, &chain) != CURLE_OK || !chain || chain->num_of_certs < 1)
        return;
    for (struct curl_slist *field = chain->certinfo[0]; field; field = field->next) {
        if (strncmp(field->data, "Cert:", 5) == 0)
            result->certificate = strdup(field->data + 5);
    }
}

static cairn_fetch_outcome outcome(CURLcode code, const transfer *self) {
    switch (code) {
    case CURLE_OK:
        return CAIRN_FETCH_DONE;
    case CURLE_PEER_FAILED_VERIFICATION:
        return CAIRN_FETCH_UNTRUSTED;
    case CURLE_FILESIZE_EXCEEDED:
        return CAIRN_FETCH_TOO_LARGE;
    case CURLE_OPERATION_TIMEDOUT:
        return CAIRN_FETCH_TIMED_OUT;
    case CURLE_COULDNT_CONNECT:
        return self->refused ? CAIRN_FETCH_REFUSED : CAIRN_FETCH_FAILED;
    default:
        return self->is_too_large ? CAIRN_FETCH_TOO_LARGE : CAIRN_FETCH_FAILED;
    }
}

static void run(CURL *handle, CURLU *url, transfer *self) {
    const cairn_fetch_request *request = self->request;
    struct curl_slist *headers = curl_slist_append(NULL, "Accept: application/json");
    struct curl_blob authorities = {(void *)(uintptr_t)request->authorities, request->authorities_length,
                                    CURL_BLOB_NOCOPY};
    curl_easy_setopt(handle, CURLOPT_CURLU, url);
    curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(handle, CURLOPT_PROXY, "");
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, request->connect_milliseconds);
    curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, request->total_milliseconds);
    curl_easy_setopt(handle, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)request->limit);
    curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(handle, CURLOPT_USERAGENT, "cairn");
    curl_easy_setopt(handle, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, request->verifies ? 1L : 0L);
    curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(handle, CURLOPT_CERTINFO, 1L);
    curl_easy_setopt(handle, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, self->result->problem);
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, self);
    curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(handle, CURLOPT_OPENSOCKETDATA, self);
    if (request->authorities)
        curl_easy_setopt(handle, CURLOPT_CAINFO_BLOB, &authorities);
    CURLcode code = curl_easy_perform(handle);
    self->result->outcome = outcome(code, self);
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &self->result->status);
    keep_certificate(handle, self->result);
    curl_slist_free_all(headers);
}

static void initialize(void) { curl_global_init(CURL_GLOBAL_DEFAULT); }

void cairn_fetch(const cairn_fetch_request *request, cairn_fetch_result *result) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, initialize);
    memset(result, 0, sizeof *result);
    transfer self = {request, result, 0, 0, 0, 0};
    CURLU *url = parse(request->url, &self.is_plain);
    CURL *handle = url ? curl_easy_init() : NULL;
    if (handle)
        run(handle, url, &self);
    else
        result->outcome = url ? CAIRN_FETCH_FAILED : CAIRN_FETCH_BAD_URL;
    curl_easy_cleanup(handle);
    curl_url_cleanup(url);
}

void cairn_fetch_free(cairn_fetch_result *result) {
    free(result->body);
    free(result->certificate);
    memset(result, 0, sizeof *result);
}
