#include "tests/support/canned_parts.h"

#include <stdlib.h>
#include <time.h>

#include "rules/core/mem.h"
#include "webhook/runtime/clock.h"

enum { TICK_MS = 5 };

static void tick(struct lg_canned *canned, int64_t now_ms, int64_t *io_bookmark_ms)
{
    bool bookmarks = canned->options.bookmark_ms != 0 && now_ms >= *io_bookmark_ms;
    if (bookmarks)
        *io_bookmark_ms = now_ms + canned->options.bookmark_ms;
    for (int kind = 0; kind < LG_KIND_COUNT; kind++) {
        struct lg_canned_resource *r = &canned->resources[kind];
        r->storm_due += r->storm_per_second * TICK_MS / 1000.0;
        lg_canned_store_touch(canned, (enum lg_kind)kind, (size_t)r->storm_due);
        r->storm_due -= (double)(size_t)r->storm_due;
    }
    bool due = bookmarks;
    for (struct lg_canned_watch *w = canned->watches; w != NULL; w = w->next) {
        w->bookmark_due = w->bookmark_due || (bookmarks && w->bookmarks);
        due = due || now_ms >= w->ends_ms;
    }
    if (due)
        lg_canned_wake(canned, LG_KIND_COUNT);
}

void *lg_canned_run_ticker(void *arg)
{
    struct lg_canned *canned = arg;
    int64_t due_ms = lg_clock_mono_ms(), bookmark_ms = due_ms + canned->options.bookmark_ms;
    for (bool stopping = false; !stopping;) {
        due_ms += TICK_MS;
        int64_t wait_ms = due_ms - lg_clock_mono_ms();
        if (wait_ms > 0) {
            struct timespec pause = {.tv_nsec = wait_ms * 1000000};
            (void)nanosleep(&pause, NULL);
        }
        pthread_mutex_lock(&canned->mutex);
        stopping = canned->stopping;
        tick(canned, due_ms, &bookmark_ms);
        pthread_mutex_unlock(&canned->mutex);
    }
    return NULL;
}

void lg_canned_set_token(struct lg_canned *canned, const char *token)
{
    pthread_mutex_lock(&canned->mutex);
    lg_buf_done(&canned->config_map);
    free(canned->token);
    canned->token = token != NULL ? lg_memdup(token, strlen(token)) : NULL;
    pthread_mutex_unlock(&canned->mutex);
}

void lg_canned_storm(struct lg_canned *canned, enum lg_kind kind, unsigned per_second)
{
    pthread_mutex_lock(&canned->mutex);
    canned->resources[kind].storm_per_second = per_second;
    canned->resources[kind].storm_due = 0;
    pthread_mutex_unlock(&canned->mutex);
}

void lg_canned_bookmark(struct lg_canned *canned)
{
    pthread_mutex_lock(&canned->mutex);
    for (struct lg_canned_watch *w = canned->watches; w != NULL; w = w->next)
        w->bookmark_due = w->bookmarks;
    lg_canned_wake(canned, LG_KIND_COUNT);
    pthread_mutex_unlock(&canned->mutex);
}

void lg_canned_fault(struct lg_canned *canned, enum lg_kind kind, enum lg_canned_verb verb,
                     int status, int times)
{
    pthread_mutex_lock(&canned->mutex);
    canned->resources[kind].failures[verb] = (struct lg_canned_failure){status, times};
    pthread_mutex_unlock(&canned->mutex);
}

void lg_canned_disconnect(struct lg_canned *canned)
{
    pthread_mutex_lock(&canned->mutex);
    for (struct lg_canned_watch *w = canned->watches; w != NULL; w = w->next)
        w->broken = true;
    lg_canned_wake(canned, LG_KIND_COUNT);
    pthread_mutex_unlock(&canned->mutex);
}

void lg_canned_compact(struct lg_canned *canned)
{
    pthread_mutex_lock(&canned->mutex);
    canned->version++;
    for (int kind = 0; kind < LG_KIND_COUNT; kind++)
        canned->resources[kind].compacted = canned->version;
    pthread_mutex_unlock(&canned->mutex);
}

void lg_canned_mute(struct lg_canned *canned, enum lg_kind kind, bool muted)
{
    pthread_mutex_lock(&canned->mutex);
    canned->resources[kind].muted = muted;
    lg_canned_wake(canned, kind);
    pthread_mutex_unlock(&canned->mutex);
}

uint64_t lg_canned_version(struct lg_canned *canned)
{
    pthread_mutex_lock(&canned->mutex);
    uint64_t version = canned->version;
    pthread_mutex_unlock(&canned->mutex);
    return version;
}

unsigned lg_canned_requests(struct lg_canned *canned, enum lg_kind kind, enum lg_canned_verb verb,
                            char ret_last[512])
{
    pthread_mutex_lock(&canned->mutex);
    unsigned n = canned->resources[kind].requests[verb];
    if (ret_last != NULL)
        memcpy(ret_last, canned->resources[kind].last[verb], 512);
    pthread_mutex_unlock(&canned->mutex);
    return n;
}

size_t lg_canned_watches(struct lg_canned *canned)
{
    size_t n = 0;
    pthread_mutex_lock(&canned->mutex);
    for (struct lg_canned_watch *w = canned->watches; w != NULL; w = w->next)
        n++;
    pthread_mutex_unlock(&canned->mutex);
    return n;
}
