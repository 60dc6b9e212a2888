#define _GNU_SOURCE
#include "CCurl.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/// libcurl, loaded when it is needed first: with it come thirty other libraries, which most servers never use.
static struct {
    __typeof__(curl_global_init) *global_init;
    __typeof__(curl_easy_init) *init;
    CURLcode (*setopt)(CURL *, CURLoption, ...);
    CURLcode (*getinfo)(CURL *, CURLINFO, ...);
    __typeof__(curl_easy_perform) *perform;
    __typeof__(curl_easy_cleanup) *cleanup;
    __typeof__(curl_slist_append) *slist_append;
    __typeof__(curl_slist_free_all) *slist_free_all;
    __typeof__(curl_free) *free;
    __typeof__(curl_url) *url;
    __typeof__(curl_url_set) *url_set;
    __typeof__(curl_url_get) *url_get;
    __typeof__(curl_url_cleanup) *url_cleanup;
} curl;

static int is_loaded;

static int find(void *library, const char *name, void *target) {
    void *symbol = dlsym(library, name);
    memcpy(target, &symbol, sizeof symbol);
    return symbol != NULL;
}

static void load(void) {
    void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    is_loaded =
        library && find(library, "curl_global_init", &curl.global_init) &&
        find(library, "curl_easy_init", &curl.init) && find(library, "curl_easy_setopt", &curl.setopt) &&
        find(library, "curl_easy_getinfo", &curl.getinfo) && find(library, "curl_easy_perform", &curl.perform) &&
        find(library, "curl_easy_cleanup", &curl.cleanup) && find(library, "curl_slist_append", &curl.slist_append) &&
        find(library, "curl_slist_free_all", &curl.slist_free_all) && find(library, "curl_free", &curl.free) &&
        find(library, "curl_url", &curl.url) && find(library, "curl_url_set", &curl.url_set) &&
        find(library, "curl_url_get", &curl.url_get) && find(library, "curl_url_cleanup", &curl.url_cleanup) &&
        curl.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

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
    CURLU *url = curl.url();
    char *scheme = NULL;
    char *other = NULL;
    int is_good = url && curl.url_set(url, CURLUPART_URL, text, CURLU_DISALLOW_USER) == CURLUE_OK &&
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

static void keep_certificate(CURL *handle, cairn_fetch_result *result) {
    struct curl_certinfo *chain = NULL;
    if (curl.getinfo(handle, CURLINFO_CERTINFO, &chain) != CURLE_OK || !chain || chain->num_of_certs < 1)
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
    struct curl_slist *headers = curl.slist_append(NULL, "Accept: application/json");
    struct curl_blob authorities = {(void *)(uintptr_t)request->authorities, request->authorities_length,
                                    CURL_BLOB_NOCOPY};
    curl.setopt(handle, CURLOPT_CURLU, url);
    curl.setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    curl.setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
    curl.setopt(handle, CURLOPT_PROXY, "");
    curl.setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl.setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, request->connect_milliseconds);
    curl.setopt(handle, CURLOPT_TIMEOUT_MS, request->total_milliseconds);
    curl.setopt(handle, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)request->limit);
    curl.setopt(handle, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl.setopt(handle, CURLOPT_HTTPHEADER, headers);
    curl.setopt(handle, CURLOPT_USERAGENT, "cairn");
    curl.setopt(handle, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl.setopt(handle, CURLOPT_SSL_VERIFYPEER, request->verifies ? 1L : 0L);
    curl.setopt(handle, CURLOPT_SSL_VERIFYHOST, 2L);
    curl.setopt(handle, CURLOPT_CERTINFO, 1L);
    curl.setopt(handle, CURLOPT_FORBID_REUSE, 1L);
    curl.setopt(handle, CURLOPT_ERRORBUFFER, self->result->problem);
    curl.setopt(handle, CURLOPT_WRITEFUNCTION, take);
    curl.setopt(handle, CURLOPT_WRITEDATA, self);
    curl.setopt(handle, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl.setopt(handle, CURLOPT_OPENSOCKETDATA, self);
    if (request->authorities)
        curl.setopt(handle, CURLOPT_CAINFO_BLOB, &authorities);
    CURLcode code = curl.perform(handle);
    self->result->outcome = outcome(code, self);
    curl.getinfo(handle, CURLINFO_RESPONSE_CODE, &self->result->status);
    keep_certificate(handle, self->result);
    curl.slist_free_all(headers);
}

void cairn_fetch(const cairn_fetch_request *request, cairn_fetch_result *result) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    memset(result, 0, sizeof *result);
    if (!is_loaded) {
        result->outcome = CAIRN_FETCH_FAILED;
        strcpy(result->problem, "libcurl.so.4 cannot be loaded; is it installed?");
        return;
    }
    transfer self = {request, result, 0, 0, 0, 0};
    CURLU *url = parse(request->url, &self.is_plain);
    CURL *handle = url ? curl.init() : NULL;
    if (handle)
        run(handle, url, &self);
    else
        result->outcome = url ? CAIRN_FETCH_FAILED : CAIRN_FETCH_BAD_URL;
    curl.cleanup(handle);
    curl.url_cleanup(url);
}

void cairn_fetch_free(cairn_fetch_result *result) {
    free(result->body);
    free(result->certificate);
    memset(result, 0, sizeof *result);
}
