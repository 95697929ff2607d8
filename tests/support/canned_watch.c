#include "tests/support/canned_parts.h"

#include <stdlib.h>

#include "rules/core/mem.h"
#include "webhook/runtime/clock.h"

enum { BATCH_BYTES = 64 * 1024 };

void lg_canned_wake(struct lg_canned *canned, enum lg_kind kind)
{
    for (struct lg_canned_watch *w = canned->watches; w != NULL; w = w->next) {
        if (!w->suspended || (kind != LG_KIND_COUNT && w->kind != kind))
            continue;
        w->suspended = false;
        MHD_resume_connection(w->connection);
    }
}

/* The library holds a response's lock when it reads from it (watch_read), and takes it inside our
 * lock when it makes one: never the same response at the same time, which the thread sanitizer
 * cannot know. */
const char *__tsan_default_suppressions(void); /* NOLINT(bugprone-reserved-identifier): its name */
const char *__tsan_default_suppressions(void)
{
    return "deadlock:watch_read\n";
}

static void watch_free(void *arg)
{
    struct lg_canned_watch *w = arg;
    struct lg_canned *canned = w->canned;
    pthread_mutex_lock(&canned->mutex);
    if (w->previous != NULL)
        w->previous->next = w->next;
    else
        canned->watches = w->next;
    if (w->next != NULL)
        w->next->previous = w->previous;
    pthread_mutex_unlock(&canned->mutex);
    lg_buf_done(&w->out);
    free(w);
}

static void add_bookmark(struct lg_canned_watch *w)
{
    const struct lg_gvk *gvk = lg_gvk(w->kind);
    lg_buf_printf(&w->out,
                  "{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"%s\",\"apiVersion\":\"%s%s%s\","
                  "\"metadata\":{\"resourceVersion\":\"%llu\",\"creationTimestamp\":null}}}\n",
                  gvk->kind, gvk->group, *gvk->group != '\0' ? "/" : "", gvk->version,
                  (unsigned long long)w->canned->version);
}

/* What a fault sends, once. */
static void add_fault(struct lg_canned_watch *w)
{
    if (w->fault == LG_CANNED_ERROR_EVENT)
        lg_buf_puts(&w->out,
                    "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"apiVersion\":\"v1\","
                    "\"metadata\":{},\"status\":\"Failure\",\"message\":\"too old resource "
                    "version\",\"reason\":\"Expired\",\"code\":410}}\n");
    else if (w->fault == LG_CANNED_CUT)
        lg_buf_puts(&w->out, "{\"type\":\"ADDED\",\"object\":{\"meta");
    else if (w->fault == LG_CANNED_GARBAGE)
        lg_buf_puts(&w->out, "{\"type\":\"ADDED\",\"object\":{\"metadata\":}}\n");
}

/* Renders what is due, some KiB at most. */
static void fill(struct lg_canned_watch *w)
{
    struct lg_canned_resource *r = &w->canned->resources[w->kind];
    w->out.n = 0;
    w->sent = 0;
    if (w->fault != 0 && !w->started)
        add_fault(w);
    w->started = true;
    if (w->at < r->first)
        w->broken = true;
    while (w->fault == 0 && !r->muted && !w->broken && w->at < r->end && w->out.n < BATCH_BYTES) {
        const struct lg_canned_event *event = &r->events[w->at++ % LG_CANNED_EVENTS_MAX];
        lg_buf_printf(&w->out, "{\"type\":\"%s\",\"object\":", event->type);
        lg_buf_add(&w->out, event->blob->text, event->blob->n);
        lg_buf_puts(&w->out, "}\n");
    }
    if (w->bookmark_due && w->fault == 0 && w->at >= r->end) {
        add_bookmark(w);
        w->bookmark_due = false;
    }
}

static ssize_t watch_read(void *arg, uint64_t pos, char *to, size_t room)
{
    (void)pos;
    struct lg_canned_watch *w = arg;
    size_t all = room;
    ssize_t result;
    pthread_mutex_lock(&w->canned->mutex);
    if (w->sent == w->out.n)
        fill(w);
    if (w->sent < w->out.n) {
        lg_canned_pour(&to, &room, w->out.p, w->out.n, &w->sent);
        result = (ssize_t)(all - room);
    } else if (w->broken || w->fault == LG_CANNED_CUT) {
        result = MHD_CONTENT_READER_END_WITH_ERROR;
    } else if (w->canned->stopping || (w->fault != 0 && w->fault != LG_CANNED_HANG) ||
               lg_clock_mono_ms() >= w->ends_ms) {
        result = MHD_CONTENT_READER_END_OF_STREAM;
    } else {
        w->suspended = true;
        MHD_suspend_connection(w->connection);
        result = 0;
    }
    pthread_mutex_unlock(&w->canned->mutex);
    return result;
}

enum MHD_Result lg_canned_serve_watch(struct lg_canned *canned, struct MHD_Connection *connection,
                                      enum lg_kind kind, int fault)
{
    struct lg_canned_resource *r = &canned->resources[kind];
    uint64_t version = strtoull(lg_canned_query(connection, "resourceVersion"), NULL, 10);
    long seconds = strtol(lg_canned_query(connection, "timeoutSeconds"), NULL, 10);
    if (version < r->compacted)
        return lg_canned_answer_status(connection, 410, NULL);
    struct lg_canned_watch *w = lg_calloc(1, sizeof *w);
    w->canned = canned;
    w->connection = connection;
    w->kind = kind;
    w->fault = fault;
    w->bookmarks = strcmp(lg_canned_query(connection, "allowWatchBookmarks"), "true") == 0;
    w->ends_ms = lg_clock_mono_ms() + (seconds > 0 ? seconds : 1800) * 1000;
    w->at = r->first;
    while (w->at < r->end && r->events[w->at % LG_CANNED_EVENTS_MAX].version <= version)
        w->at++;
    w->next = canned->watches;
    if (w->next != NULL)
        w->next->previous = w;
    canned->watches = w;
    struct MHD_Response *response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, LG_CANNED_PAGE_BYTES, watch_read, w, watch_free);
    MHD_add_response_header(response, "Content-Type", "application/json");
    enum MHD_Result result = MHD_queue_response(connection, 200, response);
    MHD_destroy_response(response);
    return result;
}
