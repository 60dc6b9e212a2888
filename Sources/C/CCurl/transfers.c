#define _GNU_SOURCE
#include "transfer.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

struct cairn_transfers {
    pthread_t thread;
    CURLM *multi;
    pthread_mutex_t lock;
    /// Under the lock: what the thread has not seen yet.
    transfer *arrived;
    uint64_t *cancelled;
    size_t cancelled_count;
    size_t cancelled_capacity;
    int is_stopping;
    uint64_t last_number;
    /// The thread's own.
    transfer *active;
};

// MARK: - The thread

static void link_transfer(transfer **list, transfer *self) {
    self->previous = NULL;
    self->next = *list;
    if (*list)
        (*list)->previous = self;
    *list = self;
}

static void unlink_transfer(transfer **list, transfer *self) {
    if (self->previous)
        self->previous->next = self->next;
    else
        *list = self->next;
    if (self->next)
        self->next->previous = self->previous;
}

static void finish(cairn_transfers *self, transfer *ended, cairn_transfer_outcome outcome, const char *problem) {
    curl.multi_remove(self->multi, ended->handle);
    unlink_transfer(&self->active, ended);
    transfer_end(ended, outcome, problem);
}

static void add(cairn_transfers *self, transfer *arrived) {
    while (arrived) {
        transfer *next = arrived->next;
        if (curl.multi_add(self->multi, arrived->handle) == CURLM_OK)
            link_transfer(&self->active, arrived);
        else
            transfer_end(arrived, CAIRN_TRANSFER_FAILED, "libcurl refuses the transfer");
        arrived = next;
    }
}

static void cancel(cairn_transfers *self, const uint64_t *numbers, size_t count, int all) {
    transfer *next;
    for (transfer *one = self->active; one; one = next) {
        next = one->next;
        int is_meant = all;
        for (size_t index = 0; index < count && !is_meant; index++)
            is_meant = numbers[index] == one->number;
        if (is_meant)
            finish(self, one, CAIRN_TRANSFER_CANCELLED, "cancelled");
    }
}

static void end_finished(cairn_transfers *self) {
    int remaining = 0;
    CURLMsg *message;
    while ((message = curl.multi_info_read(self->multi, &remaining))) {
        if (message->msg != CURLMSG_DONE)
            continue;
        transfer *ended = NULL;
        CURLcode code = message->data.result;
        curl.getinfo(message->easy_handle, CURLINFO_PRIVATE, &ended);
        finish(self, ended, transfer_outcome(code, ended), curl.strerror(code));
    }
}

/// Takes what other threads have left; answers whether the thread goes on.
static int take_arrivals(cairn_transfers *self) {
    pthread_mutex_lock(&self->lock);
    transfer *arrived = self->arrived;
    uint64_t *cancelled = self->cancelled;
    size_t count = self->cancelled_count;
    int is_stopping = self->is_stopping;
    self->arrived = NULL;
    self->cancelled = NULL;
    self->cancelled_count = self->cancelled_capacity = 0;
    pthread_mutex_unlock(&self->lock);
    add(self, arrived);
    if (count || is_stopping)
        cancel(self, cancelled, count, is_stopping);
    free(cancelled);
    return !is_stopping;
}

static void *run(void *context) {
    cairn_transfers *self = context;
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    while (take_arrivals(self)) {
        int running = 0;
        curl.multi_perform(self->multi, &running);
        end_finished(self);
        curl.multi_poll(self->multi, NULL, 0, 1000, NULL);
    }
    return NULL;
}

// MARK: - What others call

cairn_transfers *cairn_transfers_start(void) {
    if (!cairn_curl_is_there())
        return NULL;
    cairn_transfers *self = calloc(1, sizeof *self);
    if (!self)
        return NULL;
    self->multi = curl.multi_init();
    pthread_mutex_init(&self->lock, NULL);
    if (!self->multi || pthread_create(&self->thread, NULL, run, self) != 0) {
        if (self->multi)
            curl.multi_cleanup(self->multi);
        free(self);
        return NULL;
    }
    pthread_setname_np(self->thread, "transfers");
    return self;
}

uint64_t cairn_transfers_begin(cairn_transfers *self, const cairn_transfer_request *request) {
    transfer *new = transfer_make(request);
    if (!new)
        return 0;
    pthread_mutex_lock(&self->lock);
    uint64_t number = new->number = ++self->last_number;
    int is_stopping = self->is_stopping;
    if (!is_stopping) {
        new->next = self->arrived;
        self->arrived = new;
    }
    pthread_mutex_unlock(&self->lock);
    if (is_stopping)
        transfer_end(new, CAIRN_TRANSFER_CANCELLED, "the transfers have ended");
    else
        curl.multi_wakeup(self->multi);
    return number;
}

void cairn_transfers_cancel(cairn_transfers *self, uint64_t number) {
    pthread_mutex_lock(&self->lock);
    if (self->cancelled_count == self->cancelled_capacity) {
        size_t wanted = self->cancelled_capacity ? 2 * self->cancelled_capacity : 8;
        uint64_t *grown = realloc(self->cancelled, wanted * sizeof *grown);
        if (grown) {
            self->cancelled = grown;
            self->cancelled_capacity = wanted;
        }
    }
    // Without memory the transfer goes on until its own limits end it.
    if (self->cancelled_count < self->cancelled_capacity)
        self->cancelled[self->cancelled_count++] = number;
    pthread_mutex_unlock(&self->lock);
    curl.multi_wakeup(self->multi);
}

void cairn_transfers_stop(cairn_transfers *self) {
    pthread_mutex_lock(&self->lock);
    self->is_stopping = 1;
    pthread_mutex_unlock(&self->lock);
    curl.multi_wakeup(self->multi);
    pthread_join(self->thread, NULL);
    // What arrived after the thread's last look.
    while (self->arrived) {
        transfer *next = self->arrived->next;
        transfer_end(self->arrived, CAIRN_TRANSFER_CANCELLED, "the transfers have ended");
        self->arrived = next;
    }
    curl.multi_cleanup(self->multi);
    pthread_mutex_destroy(&self->lock);
    free(self->cancelled);
    free(self);
}
