#define _GNU_SOURCE
#include "library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

cairn_curl_functions curl;

static int is_loaded;

static int find(void *library, const char *name, void *target) {
    void *symbol = dlsym(library, name);
    memcpy(target, &symbol, sizeof symbol);
    return symbol != NULL;
}

static int find_easy(void *library) {
    return find(library, "curl_global_init", &curl.global_init) && find(library, "curl_easy_init", &curl.init) &&
           find(library, "curl_easy_setopt", &curl.setopt) && find(library, "curl_easy_getinfo", &curl.getinfo) &&
           find(library, "curl_easy_strerror", &curl.strerror) && find(library, "curl_easy_cleanup", &curl.cleanup) &&
           find(library, "curl_slist_append", &curl.slist_append) &&
           find(library, "curl_slist_free_all", &curl.slist_free_all) && find(library, "curl_free", &curl.free) &&
           find(library, "curl_url", &curl.url) && find(library, "curl_url_set", &curl.url_set) &&
           find(library, "curl_url_get", &curl.url_get) && find(library, "curl_url_cleanup", &curl.url_cleanup);
}

static int find_multi(void *library) {
    return find(library, "curl_multi_init", &curl.multi_init) &&
           find(library, "curl_multi_add_handle", &curl.multi_add) &&
           find(library, "curl_multi_remove_handle", &curl.multi_remove) &&
           find(library, "curl_multi_perform", &curl.multi_perform) &&
           find(library, "curl_multi_poll", &curl.multi_poll) &&
           find(library, "curl_multi_wakeup", &curl.multi_wakeup) &&
           find(library, "curl_multi_info_read", &curl.multi_info_read) &&
           find(library, "curl_multi_cleanup", &curl.multi_cleanup);
}

static void load(void) {
    void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    is_loaded =
        library && find_easy(library) && find_multi(library) && curl.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

int cairn_curl_is_there(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return is_loaded;
}
