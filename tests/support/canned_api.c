#include "tests/support/canned_api.h"

#include <arpa/inet.h>
#include <assert.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "certs/authority.h"
#include "rules/core/file.h"
#include "rules/core/json.h"
#include "rules/core/map.h"
#include "rules/core/mem.h"
#include "rules/core/out.h"
#include "tests/support/canned_objects.h"
#include "webhook/runtime/clock.h"

enum {
    EVENTS_KEPT = 16384,
    BATCH_BYTES = 64 * 1024,
    TICK_MS = 5,
    PAGE_BYTES = 128 * 1024,
};

#define FIRST_VERSION 1000000000u /* ten digits from the start: a version is patched in place */

/* One rendered object, shared by the table, listings and events. */
struct blob {
    atomic_uint refs;
    size_t n, version_at, touched_at;
    uint64_t version;
    char *key; /* "ns/name" */
    char text[];
};

struct event {
    const char *type;
    struct blob *blob;
    uint64_t version;
};

struct fault {
    int status, times;
};

struct resource {
    struct blob **items;
    size_t n, size, touch_at;
    struct lg_map by_key; /* key -> item's index + 1 */
    struct event *events; /* a ring: sequence number s stands at s % EVENTS_KEPT */
    uint64_t first, end;
    uint64_t compacted; /* versions below are gone */
    struct fault faults[LG_CANNED_VERBS];
    bool muted; /* watches are told nothing */
    unsigned requests[LG_CANNED_VERBS];
    char last[LG_CANNED_VERBS][512];
    unsigned storm_per_second;
    double storm_due;
};

struct watch {
    struct lg_canned *canned;
    struct watch *next, *previous;
    struct MHD_Connection *connection;
    enum lg_kind kind;
    uint64_t at; /* next event's sequence number */
    int64_t ends_ms;
    bool bookmarks, bookmark_due, suspended, broken, started;
    int fault;
    struct lg_buf out;
    size_t sent;
};

struct lg_canned {
    struct lg_canned_options options;
    struct MHD_Daemon *daemon;
    struct lg_cert_files files;
    char *token;
    pthread_mutex_t mutex;
    pthread_t ticker;
    bool stopping;
    uint64_t version;
    struct resource resources[LG_KIND_COUNT];
    struct watch *watches;
    bool has_config_map;
    int config_map_lost;
    unsigned config_map_version;
    struct lg_buf config_map; /* its data's text */
};

/* --- objects --- */

static void blob_unref(struct blob *blob)
{
    if (blob == NULL || atomic_fetch_sub(&blob->refs, 1) != 1)
        return;
    free(blob->key);
    free(blob);
}

static struct blob *blob_ref(struct blob *blob)
{
    atomic_fetch_add(&blob->refs, 1);
    return blob;
}

static void stamp(struct blob *blob, uint64_t version)
{
    char digits[16];
    (void)snprintf(digits, sizeof digits, "%010llu", (unsigned long long)version);
    memcpy(blob->text + blob->version_at, digits, 10);
    if (blob->touched_at != 0)
        memcpy(blob->text + blob->touched_at, digits, 10);
    blob->version = version;
}

/* The object with room for its version right behind the opening of metadata. */
static struct blob *blob_new(enum lg_kind kind, struct lg_str object)
{
    struct lg_arena arena lg_cleanup(lg_arena_done);
    struct lg_val root;
    lg_arena_init(&arena);
    enum lg_err_code code = lg_json_parse(&arena, object, &root, NULL);
    assert(code == LG_E_OK);
    struct lg_str metadata = lg_json_text(lg_json_get(root, "metadata"));
    assert(metadata.n > 2);
    (void)code;
    static const char before[] = "\"resourceVersion\":\"";
    size_t head = (size_t)(metadata.p - object.p) + 1;
    struct blob *blob = lg_calloc(1, sizeof *blob + object.n + sizeof before + 16);
    char *p = blob->text;
    memcpy(p, object.p, head);
    p = mempcpy(p + head, before, sizeof before - 1);
    blob->version_at = (size_t)(p - blob->text);
    p = mempcpy(p, "0000000000\",", 12);
    p = mempcpy(p, object.p + head, object.n - head);
    blob->n = (size_t)(p - blob->text);
    blob->refs = 1;
    const char *touched = memmem(blob->text, blob->n, "\"touched\":\"", 11);
    blob->touched_at = touched != NULL ? (size_t)(touched - blob->text) + 11 : 0;
    struct lg_str name = lg_json_str_at(root, "metadata.name");
    struct lg_str ns = lg_json_str_at(root, "metadata.namespace");
    struct lg_buf key = {0};
    if (lg_gvk(kind)->namespaced)
        lg_buf_str(&key, ns.n != 0 ? ns : LG_STR("default"));
    lg_buf_putc(&key, '/');
    lg_buf_str(&key, name);
    blob->key = key.p;
    return blob;
}

/* A copy to be changed. */
static struct blob *blob_copy(const struct blob *from)
{
    struct blob *blob = lg_calloc(1, sizeof *blob + from->n);
    memcpy(blob, from, sizeof *blob);
    memcpy(blob->text, from->text, from->n);
    blob->refs = 1;
    blob->key = lg_memdup(from->key, strlen(from->key));
    return blob;
}

static void wake(struct lg_canned *canned, enum lg_kind kind)
{
    for (struct watch *w = canned->watches; w != NULL; w = w->next) {
        if (!w->suspended || (kind != LG_KIND_COUNT && w->kind != kind))
            continue;
        w->suspended = false;
        MHD_resume_connection(w->connection);
    }
}

static void log_event(struct lg_canned *canned, enum lg_kind kind, const char *type,
                      struct blob *take_blob)
{
    struct resource *r = &canned->resources[kind];
    if (r->events == NULL)
        r->events = lg_calloc(EVENTS_KEPT, sizeof *r->events);
    if (r->end - r->first == EVENTS_KEPT) {
        struct event *oldest = &r->events[r->first++ % EVENTS_KEPT];
        r->compacted = oldest->version;
        blob_unref(oldest->blob);
    }
    r->events[r->end++ % EVENTS_KEPT] = (struct event){type, take_blob, take_blob->version};
    wake(canned, kind);
}

static void put_blob(struct lg_canned *canned, enum lg_kind kind, struct blob *take_blob, bool tell)
{
    struct resource *r = &canned->resources[kind];
    struct lg_str key = lg_str_of(take_blob->key);
    uintptr_t found = (uintptr_t)lg_map_get(&r->by_key, key);
    stamp(take_blob, ++canned->version);
    if (tell)
        log_event(canned, kind, found != 0 ? "MODIFIED" : "ADDED", blob_ref(take_blob));
    if (found == 0 && r->n == r->size) {
        r->size = r->size != 0 ? r->size * 2 : 16;
        r->items = lg_realloc(r->items, r->size, sizeof(struct blob *));
    }
    size_t at = found != 0 ? found - 1 : r->n++;
    lg_map_set(&r->by_key, key, (void *)(at + 1));
    if (found != 0)
        blob_unref(r->items[at]);
    r->items[at] = take_blob;
}

void lg_canned_put(struct lg_canned *canned, enum lg_kind kind, const char *object)
{
    struct blob *blob = blob_new(kind, lg_str_of(object));
    pthread_mutex_lock(&canned->mutex);
    put_blob(canned, kind, blob, true);
    pthread_mutex_unlock(&canned->mutex);
}

void lg_canned_delete(struct lg_canned *canned, enum lg_kind kind, const char *ns, const char *name)
{
    char key[512];
    (void)snprintf(key, sizeof key, "%s/%s", ns, name);
    pthread_mutex_lock(&canned->mutex);
    struct resource *r = &canned->resources[kind];
    uintptr_t found = (uintptr_t)lg_map_remove(&r->by_key, lg_str_of(key));
    assert(found != 0);
    struct blob *last = r->items[--r->n];
    struct blob *gone = blob_copy(r->items[found - 1]);
    blob_unref(r->items[found - 1]);
    if (found - 1 != r->n) {
        r->items[found - 1] = last;
        lg_map_set(&r->by_key, lg_str_of(last->key), (void *)found);
    }
    stamp(gone, ++canned->version);
    log_event(canned, kind, "DELETED", gone);
    pthread_mutex_unlock(&canned->mutex);
}

static void touch(struct lg_canned *canned, enum lg_kind kind, size_t n)
{
    struct resource *r = &canned->resources[kind];
    for (size_t i = 0; i < n && r->n != 0; i++)
        put_blob(canned, kind, blob_copy(r->items[r->touch_at++ % r->n]), true);
}

void lg_canned_touch(struct lg_canned *canned, enum lg_kind kind, size_t n)
{
    pthread_mutex_lock(&canned->mutex);
    touch(canned, kind, n);
    pthread_mutex_unlock(&canned->mutex);
}

/* --- what a request asks for --- */

struct target {
    enum lg_kind kind; /* LG_KIND_OTHER: nothing that we serve */
    char key[512];     /* of one object; "" = all */
};

/* /api/v1/PLURAL, /apis/GROUP/VERSION/PLURAL; with namespaces/NS/ before PLURAL and /NAME behind it for one object. */
static struct target target_of(const char *url)
{
    struct target target = {.kind = LG_KIND_OTHER};
    char copy[1024], *parts[8] = {NULL}, *save = NULL;
    size_t n = 0, at;
    (void)snprintf(copy, sizeof copy, "%s", url);
    for (char *p = strtok_r(copy, "/", &save); p != NULL && n < 8; p = strtok_r(NULL, "/", &save))
        parts[n++] = p;
    bool core = n >= 3 && strcmp(parts[0], "api") == 0;
    if (!core && (n < 4 || strcmp(parts[0], "apis") != 0))
        return target;
    at = core ? 2 : 3;
    const char *ns = "";
    if (n > at + 2 && strcmp(parts[at], "namespaces") == 0) {
        ns = parts[at + 1];
        at += 2;
    }
    target.kind = lg_kind_of_resource(lg_str_of(core ? "" : parts[1]), lg_str_of(parts[at]));
    if (n == at + 2)
        (void)snprintf(target.key, sizeof target.key, "%s/%s", ns, parts[at + 1]);
    else if (n != at + 1)
        target.kind = LG_KIND_OTHER;
    return target;
}

static const char *query(struct MHD_Connection *connection, const char *key)
{
    const char *value = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, key);
    return value != NULL ? value : "";
}

static enum MHD_Result add_argument(void *arg, enum MHD_ValueKind kind, const char *key,
                                    const char *value)
{
    (void)kind;
    struct lg_buf *buf = arg;
    lg_buf_printf(buf, "%c%s=%s", memchr(buf->p, '?', buf->n) != NULL ? '&' : '?', key,
                  value != NULL ? value : "");
    return MHD_YES;
}

static void note(struct resource *r, enum lg_canned_verb verb, struct MHD_Connection *connection,
                 const char *url)
{
    struct lg_buf buf = {0};
    lg_buf_puts(&buf, url);
    MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, add_argument, &buf);
    (void)snprintf(r->last[verb], sizeof r->last[verb], "%s", buf.p);
    r->requests[verb]++;
    lg_buf_done(&buf);
}

/* The fault that this request meets; 0: none. */
static int meet_fault(struct fault *fault)
{
    if (fault->times == 0)
        return 0;
    if (fault->times > 0)
        fault->times--;
    return fault->status;
}

static enum MHD_Result answer(struct MHD_Connection *connection, int status,
                              const struct lg_buf *body)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body->n, body->p, MHD_RESPMEM_MUST_COPY);
    MHD_add_response_header(response, "Content-Type", "application/json");
    if (status == 429)
        MHD_add_response_header(response, "Retry-After", "1");
    enum MHD_Result result = MHD_queue_response(connection, (unsigned)status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result answer_status_about(struct MHD_Connection *connection, int status,
                                           const char *name)
{
    const char *reason = status == 401   ? "Unauthorized"
                         : status == 403 ? "Forbidden"
                         : status == 404 ? "NotFound"
                         : status == 410 ? "Expired"
                         : status == 429 ? "TooManyRequests"
                                         : "InternalError";
    struct lg_buf body = {0};
    const char *slash = strchr(query(connection, "continue"), '/');
    lg_buf_puts(&body, "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{");
    if (status == 410 && slash != NULL) /* to go on from there, as things are now */
        lg_buf_printf(&body, "\"continue\":\"%llu%s\"", (unsigned long long)INT64_MAX, slash);
    lg_buf_printf(&body,
                  "},\"status\":\"Failure\",\"message\":\"canned %s\",\"reason\":\"%s\","
                  "\"details\":{",
                  reason, reason);
    if (name != NULL)
        lg_buf_printf(&body, "\"name\":\"%s\"", name);
    lg_buf_printf(&body, "},\"code\":%d}\n", status);
    enum MHD_Result result = answer(connection, status, &body);
    lg_buf_done(&body);
    return result;
}

static enum MHD_Result answer_status(struct MHD_Connection *connection, int status)
{
    return answer_status_about(connection, status, NULL);
}

/* --- lists --- */

struct listing {
    struct blob **items;
    size_t n, at, off;
    struct lg_buf head, tail;
    size_t head_off, tail_off;
    int fault;
};

static void listing_free(void *arg)
{
    struct listing *l = arg;
    for (size_t i = 0; i < l->n; i++)
        blob_unref(l->items[i]);
    free(l->items);
    lg_buf_done(&l->head);
    lg_buf_done(&l->tail);
    free(l);
}

/* Moves bytes from a text to the output. */
static void pour(char **to, size_t *room, const char *text, size_t n, size_t *io_off)
{
    size_t take = n - *io_off < *room ? n - *io_off : *room;
    memcpy(*to, text + *io_off, take);
    *to += take;
    *room -= take;
    *io_off += take;
}

static ssize_t listing_read(void *arg, uint64_t pos, char *to, size_t room)
{
    (void)pos;
    struct listing *l = arg;
    size_t all = room;
    pour(&to, &room, l->head.p, l->head.n, &l->head_off);
    if (l->fault == LG_CANNED_CUT && room > 0) {
        if (room != all)
            return (ssize_t)(all - room);
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    while (room > 0 && l->at < l->n) {
        const struct blob *blob = l->items[l->at];
        if (l->off < blob->n) {
            pour(&to, &room, blob->text, blob->n, &l->off);
            continue;
        }
        l->off = 0;
        if (++l->at < l->n) {
            *to++ = ',';
            room--;
        }
    }
    if (l->at == l->n)
        pour(&to, &room, l->tail.p, l->tail.n, &l->tail_off);
    return room != all ? (ssize_t)(all - room) : MHD_CONTENT_READER_END_OF_STREAM;
}

static void frame_list(struct listing *l, const struct lg_gvk *gvk, uint64_t version, size_t next)
{
    struct lg_buf metadata = {0};
    lg_buf_printf(&metadata, "\"metadata\":{\"resourceVersion\":\"%llu\"",
                  (unsigned long long)version);
    if (next != 0)
        lg_buf_printf(&metadata, ",\"continue\":\"%llu/%zu=\",\"remainingItemCount\":1",
                      (unsigned long long)version, next);
    lg_buf_putc(&metadata, '}');
    const char *slash = *gvk->group != '\0' ? "/" : "";
    if (strstr(gvk->group, "kubevirt") != NULL) {
        lg_buf_printf(&l->head, "{\"apiVersion\":\"%s%s%s\",\"items\":[", gvk->group, slash,
                      gvk->version);
        lg_buf_printf(&l->tail, "],\"kind\":\"%sList\",%s}\n", gvk->kind, metadata.p);
    } else {
        lg_buf_printf(&l->head, "{\"kind\":\"%sList\",\"apiVersion\":\"%s%s%s\",%s,\"items\":[",
                      gvk->kind, gvk->group, slash, gvk->version, metadata.p);
        lg_buf_puts(&l->tail, "]}\n");
    }
    lg_buf_done(&metadata);
}

static enum MHD_Result serve_list(struct lg_canned *canned, struct MHD_Connection *connection,
                                  enum lg_kind kind, int fault)
{
    struct resource *r = &canned->resources[kind];
    unsigned long long version = canned->version;
    size_t from = 0, limit = strtoul(query(connection, "limit"), NULL, 10);
    const char *next = query(connection, "continue");
    if (*next != '\0' && sscanf(next, "%llu/%zu", &version, &from) != 2)
        return answer_status(connection, 400);
    if (*next != '\0' && version < r->compacted)
        return answer_status(connection, 410);
    if (strcmp(query(connection, "resourceVersion"), "0") == 0)
        limit = 0; /* the watch cache knows no pages */
    struct listing *l = lg_calloc(1, sizeof *l);
    l->fault = fault;
    size_t left = from < r->n ? r->n - from : 0;
    l->n = limit != 0 && limit < left ? limit : left;
    l->items = lg_calloc(l->n + 1, sizeof(struct blob *));
    for (size_t i = 0; i < l->n; i++)
        l->items[i] = blob_ref(r->items[from + i]);
    frame_list(l, lg_gvk(kind), version, l->n < left ? from + l->n : 0);
    if (fault == LG_CANNED_CUT)
        lg_buf_puts(&l->head, "{\"metadata\":{\"na");
    if (fault == LG_CANNED_GARBAGE)
        lg_buf_puts(&l->head, "<html>");
    struct MHD_Response *response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, PAGE_BYTES, listing_read, l, listing_free);
    enum MHD_Result result = MHD_queue_response(connection, 200, response);
    MHD_destroy_response(response);
    return result;
}

/* --- watches --- */

/* The library holds a response's lock when it reads from it (watch_read), and takes it inside our lock when it makes one:
 * never the same response at the same time, which the thread sanitizer cannot know. */
const char *__tsan_default_suppressions(void); /* NOLINT(bugprone-reserved-identifier): its name */
const char *__tsan_default_suppressions(void)
{
    return "deadlock:watch_read\n";
}

static void watch_free(void *arg)
{
    struct watch *w = arg;
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

static void add_bookmark(struct watch *w)
{
    const struct lg_gvk *gvk = lg_gvk(w->kind);
    lg_buf_printf(&w->out,
                  "{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"%s\",\"apiVersion\":\"%s%s%s\","
                  "\"metadata\":{\"resourceVersion\":\"%llu\",\"creationTimestamp\":null}}}\n",
                  gvk->kind, gvk->group, *gvk->group != '\0' ? "/" : "", gvk->version,
                  (unsigned long long)w->canned->version);
}

/* What a fault sends, once. */
static void add_fault(struct watch *w)
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
static void fill(struct watch *w)
{
    struct resource *r = &w->canned->resources[w->kind];
    w->out.n = 0;
    w->sent = 0;
    if (w->fault != 0 && !w->started)
        add_fault(w);
    w->started = true;
    if (w->at < r->first)
        w->broken = true;
    while (w->fault == 0 && !r->muted && !w->broken && w->at < r->end && w->out.n < BATCH_BYTES) {
        const struct event *event = &r->events[w->at++ % EVENTS_KEPT];
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
    struct watch *w = arg;
    size_t all = room;
    ssize_t result;
    pthread_mutex_lock(&w->canned->mutex);
    if (w->sent == w->out.n)
        fill(w);
    if (w->sent < w->out.n) {
        pour(&to, &room, w->out.p, w->out.n, &w->sent);
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

static enum MHD_Result serve_watch(struct lg_canned *canned, struct MHD_Connection *connection,
                                   enum lg_kind kind, int fault)
{
    struct resource *r = &canned->resources[kind];
    uint64_t version = strtoull(query(connection, "resourceVersion"), NULL, 10);
    long seconds = strtol(query(connection, "timeoutSeconds"), NULL, 10);
    if (version < r->compacted)
        return answer_status(connection, 410);
    struct watch *w = lg_calloc(1, sizeof *w);
    w->canned = canned;
    w->connection = connection;
    w->kind = kind;
    w->fault = fault;
    w->bookmarks = strcmp(query(connection, "allowWatchBookmarks"), "true") == 0;
    w->ends_ms = lg_clock_mono_ms() + (seconds > 0 ? seconds : 1800) * 1000;
    w->at = r->first;
    while (w->at < r->end && r->events[w->at % EVENTS_KEPT].version <= version)
        w->at++;
    w->next = canned->watches;
    if (w->next != NULL)
        w->next->previous = w;
    canned->watches = w;
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, PAGE_BYTES, watch_read, w, watch_free);
    MHD_add_response_header(response, "Content-Type", "application/json");
    enum MHD_Result result = MHD_queue_response(connection, 200, response);
    MHD_destroy_response(response);
    return result;
}

/* --- requests --- */

static enum MHD_Result serve_object(struct lg_canned *canned, struct MHD_Connection *connection,
                                    const struct target *target)
{
    struct resource *r = &canned->resources[target->kind];
    uintptr_t found = (uintptr_t)lg_map_get(&r->by_key, lg_str_of(target->key));
    if (found == 0)
        return answer_status_about(connection, 404, strchr(target->key, '/') + 1);
    struct lg_buf body = {0};
    lg_buf_add(&body, r->items[found - 1]->text, r->items[found - 1]->n);
    enum MHD_Result result = answer(connection, 200, &body);
    lg_buf_done(&body);
    return result;
}

static enum MHD_Result serve(struct lg_canned *canned, struct MHD_Connection *connection,
                             const char *url)
{
    struct target target = target_of(url);
    if (target.kind == LG_KIND_OTHER)
        return answer_status(connection, 404);
    struct resource *r = &canned->resources[target.kind];
    const char *watching = query(connection, "watch");
    enum lg_canned_verb verb = target.key[0] != '\0'                    ? LG_CANNED_GET
                               : *watching != '\0'                      ? LG_CANNED_WATCH
                               : *query(connection, "continue") != '\0' ? LG_CANNED_MORE
                                                                        : LG_CANNED_LIST;
    note(r, verb, connection, url);
    int fault = meet_fault(&r->faults[verb]);
    if (fault >= 400)
        return answer_status(connection, fault);
    if (fault == LG_CANNED_HANG)
        return serve_watch(canned, connection, target.kind, fault);
    if (verb == LG_CANNED_GET)
        return serve_object(canned, connection, &target);
    if (verb == LG_CANNED_WATCH)
        return serve_watch(canned, connection, target.kind, fault);
    return serve_list(canned, connection, target.kind, fault);
}

static bool known(const struct lg_canned *canned, struct MHD_Connection *connection)
{
    const char *said = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Authorization");
    return canned->token == NULL || (said != NULL && lg_str_starts(lg_str_of(said), "Bearer ") &&
                                     strcmp(said + 7, canned->token) == 0);
}

/* A write is answered with what it said: method, type and body. */
static enum MHD_Result echo(struct MHD_Connection *connection, const char *method,
                            const struct lg_buf *body)
{
    const char *type = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Type");
    struct lg_buf out = {0};
    lg_buf_printf(&out, "%s %s %.*s", method, type != NULL ? type : "-", (int)body->n,
                  body->n != 0 ? body->p : "");
    enum MHD_Result result = answer(connection, 200, &out);
    lg_buf_done(&out);
    return result;
}

/* --- the one ConfigMap --- */

static bool is_config_map(const char *url)
{
    return strcmp(url, "/api/v1/namespaces/livegate/configmaps/livegate-ledger") == 0;
}

static enum MHD_Result answer_config_map(struct lg_canned *canned,
                                         struct MHD_Connection *connection)
{
    char version[16];
    struct lg_buf out lg_cleanup(lg_buf_done) = {0};
    json_t *root = lg_out_object();
    json_t *metadata = lg_out_object();
    (void)snprintf(version, sizeof version, "%u", canned->config_map_version);
    lg_out_set_str(metadata, "resourceVersion", lg_str_of(version));
    lg_out_set(root, "metadata", metadata);
    if (canned->config_map.n != 0) {
        json_t *data = lg_out_object();
        lg_out_set_str(data, "ledger", lg_buf_view(&canned->config_map));
        lg_out_set(root, "data", data);
    }
    lg_out_text(root, 0, &out);
    json_decref(root);
    return answer(connection, 200, &out);
}

static enum MHD_Result patch_config_map(struct lg_canned *canned, struct MHD_Connection *connection,
                                        const struct lg_buf *body)
{
    char version[16];
    struct lg_arena arena lg_cleanup(lg_arena_done);
    struct lg_val root = LG_NONE;
    lg_arena_init(&arena);
    (void)snprintf(version, sizeof version, "%u", canned->config_map_version);
    if (lg_json_parse(&arena, lg_buf_view(body), &root, NULL) != LG_E_OK ||
        !lg_str_is(lg_json_str_at(root, "metadata.resourceVersion"), version))
        return answer_status(connection, 409);
    canned->config_map.n = 0;
    lg_buf_str(&canned->config_map, lg_json_str_at(root, "data.ledger"));
    canned->config_map_version++;
    if (canned->config_map_lost > 0) {
        canned->config_map_lost--;
        return answer_status(connection, 500);
    }
    return answer_config_map(canned, connection);
}

void lg_canned_config_map(struct lg_canned *canned, int lost)
{
    pthread_mutex_lock(&canned->mutex);
    canned->has_config_map = true;
    canned->config_map_lost = lost;
    pthread_mutex_unlock(&canned->mutex);
}

char *lg_canned_config_map_text(struct lg_canned *canned)
{
    pthread_mutex_lock(&canned->mutex);
    char *text = lg_calloc(1, canned->config_map.n + 1);
    if (canned->config_map.n != 0)
        memcpy(text, canned->config_map.p, canned->config_map.n);
    pthread_mutex_unlock(&canned->mutex);
    return text;
}

static enum MHD_Result handle(void *arg, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_bytes, void **state)
{
    (void)version;
    struct lg_canned *canned = arg;
    if (*state == NULL) {
        *state = lg_calloc(1, sizeof(struct lg_buf));
        return MHD_YES;
    }
    if (*upload_bytes != 0) {
        lg_buf_add(*state, upload, *upload_bytes);
        *upload_bytes = 0;
        return MHD_YES;
    }
    pthread_mutex_lock(&canned->mutex);
    bool config_map = canned->has_config_map && is_config_map(url);
    pthread_mutex_unlock(&canned->mutex);
    if (strcmp(method, "GET") != 0 && !config_map)
        return echo(connection, method, *state);
    pthread_mutex_lock(&canned->mutex);
    enum MHD_Result result;
    if (!known(canned, connection))
        result = answer_status(connection, 401);
    else if (config_map)
        result = strcmp(method, "GET") == 0 ? answer_config_map(canned, connection)
                                            : patch_config_map(canned, connection, *state);
    else
        result = serve(canned, connection, url);
    pthread_mutex_unlock(&canned->mutex);
    return result;
}

static void completed(void *arg, struct MHD_Connection *connection, void **state,
                      enum MHD_RequestTerminationCode code)
{
    (void)arg;
    (void)connection;
    (void)code;
    if (*state != NULL)
        lg_buf_done(*state);
    free(*state);
    *state = NULL;
}

/* --- time --- */

static void tick(struct lg_canned *canned, int64_t now_ms, int64_t *io_bookmark_ms)
{
    bool bookmarks = canned->options.bookmark_ms != 0 && now_ms >= *io_bookmark_ms;
    if (bookmarks)
        *io_bookmark_ms = now_ms + canned->options.bookmark_ms;
    for (int kind = 0; kind < LG_KIND_COUNT; kind++) {
        struct resource *r = &canned->resources[kind];
        r->storm_due += r->storm_per_second * TICK_MS / 1000.0;
        touch(canned, (enum lg_kind)kind, (size_t)r->storm_due);
        r->storm_due -= (double)(size_t)r->storm_due;
    }
    bool due = bookmarks;
    for (struct watch *w = canned->watches; w != NULL; w = w->next) {
        w->bookmark_due = w->bookmark_due || (bookmarks && w->bookmarks);
        due = due || now_ms >= w->ends_ms;
    }
    if (due)
        wake(canned, LG_KIND_COUNT);
}

static void *run_ticker(void *arg)
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

/* --- switches --- */

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
    for (struct watch *w = canned->watches; w != NULL; w = w->next)
        w->bookmark_due = w->bookmarks;
    wake(canned, LG_KIND_COUNT);
    pthread_mutex_unlock(&canned->mutex);
}

void lg_canned_fault(struct lg_canned *canned, enum lg_kind kind, enum lg_canned_verb verb,
                     int status, int times)
{
    pthread_mutex_lock(&canned->mutex);
    canned->resources[kind].faults[verb] = (struct fault){status, times};
    pthread_mutex_unlock(&canned->mutex);
}

void lg_canned_disconnect(struct lg_canned *canned)
{
    pthread_mutex_lock(&canned->mutex);
    for (struct watch *w = canned->watches; w != NULL; w = w->next)
        w->broken = true;
    wake(canned, LG_KIND_COUNT);
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
    wake(canned, kind);
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
    for (struct watch *w = canned->watches; w != NULL; w = w->next)
        n++;
    pthread_mutex_unlock(&canned->mutex);
    return n;
}

/* --- start and stop --- */

static _Noreturn void die(const char *what)
{
    (void)fprintf(stderr, "canned API server: %s\n", what);
    exit(4);
}

static void make_certificates(struct lg_canned *canned)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "kubernetes.default.svc"};
    struct lg_authority *authority lg_cleanup(lg_authority_free_cleanup) = NULL;
    struct lg_leaf_request request = {.names = names, .name_count = 3, .days = 2};
    int64_t now = lg_clock_unix_s();
    struct lg_err err = {0};
    if (lg_authority_new(2, now, &authority, &err) != LG_E_OK ||
        lg_authority_pem(authority, (struct lg_str){0}, now, &canned->files, &err) != LG_E_OK ||
        lg_authority_issue(authority, &request, now, &canned->files, &err) != LG_E_OK)
        die(err.text);
}

static void make_objects(struct lg_canned *canned)
{
    struct lg_buf buf = {0};
    for (int kind = 0; kind < LG_KIND_COUNT; kind++) {
        for (size_t i = 0; i < canned->options.counts[kind]; i++) {
            buf.n = 0;
            lg_canned_object((enum lg_kind)kind, i, &buf);
            put_blob(canned, (enum lg_kind)kind, blob_new((enum lg_kind)kind, lg_buf_view(&buf)),
                     false);
        }
    }
    lg_buf_done(&buf);
}

struct lg_canned *lg_canned_start(const struct lg_canned_options *options)
{
    struct lg_canned *canned = lg_calloc(1, sizeof *canned);
    canned->options = *options;
    canned->version = FIRST_VERSION;
    pthread_mutex_init(&canned->mutex, NULL);
    lg_canned_set_token(canned, options->token);
    make_objects(canned);
    if (!options->plain)
        make_certificates(canned);
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                             .sin_port = htons((uint16_t)options->port)};
    struct MHD_OptionItem tls[] = {{MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)canned->files.chain.p},
                                   {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)canned->files.key.p},
                                   {MHD_OPTION_END, 0, NULL}};
    struct MHD_OptionItem pool[] = {{MHD_OPTION_THREAD_POOL_SIZE, (intptr_t)options->threads, NULL},
                                    {MHD_OPTION_END, 0, NULL}};
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC;
    canned->daemon =
        MHD_start_daemon(flags | (options->plain ? 0u : (unsigned)MHD_USE_TLS), 0, NULL, NULL,
                         handle, canned, MHD_OPTION_SOCK_ADDR, &at, MHD_OPTION_NOTIFY_COMPLETED,
                         completed, NULL, MHD_OPTION_ARRAY, options->plain ? tls + 2 : tls,
                         MHD_OPTION_ARRAY, options->threads > 1 ? pool : pool + 1, MHD_OPTION_END);
    if (canned->daemon == NULL)
        die("it does not start");
    if (pthread_create(&canned->ticker, NULL, run_ticker, canned) != 0)
        die("no thread");
    return canned;
}

void lg_canned_stop(struct lg_canned *canned)
{
    if (canned == NULL)
        return;
    pthread_mutex_lock(&canned->mutex);
    canned->stopping = true;
    wake(canned, LG_KIND_COUNT);
    pthread_mutex_unlock(&canned->mutex);
    pthread_join(canned->ticker, NULL);
    MHD_stop_daemon(canned->daemon);
    for (int kind = 0; kind < LG_KIND_COUNT; kind++) {
        struct resource *r = &canned->resources[kind];
        for (uint64_t s = r->first; s < r->end; s++)
            blob_unref(r->events[s % EVENTS_KEPT].blob);
        for (size_t i = 0; i < r->n; i++)
            blob_unref(r->items[i]);
        lg_map_done(&r->by_key);
        free(r->events);
        free(r->items);
    }
    lg_cert_files_done(&canned->files);
    pthread_mutex_destroy(&canned->mutex);
    lg_buf_done(&canned->config_map);
    free(canned->token);
    free(canned);
}

unsigned lg_canned_port(const struct lg_canned *canned)
{
    return MHD_get_daemon_info(canned->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
}

const char *lg_canned_ca(const struct lg_canned *canned)
{
    return canned->files.ca.p != NULL ? canned->files.ca.p : "";
}

void lg_canned_kubeconfig(const struct lg_canned *canned, const char *path, const char *token)
{
    struct lg_buf text = {0};
    struct lg_err err = {0};
    lg_buf_printf(&text,
                  "apiVersion: v1\nkind: Config\ncurrent-context: canned\nclusters:\n"
                  "- name: canned\n  cluster:\n    server: %s://127.0.0.1:%u\n",
                  canned->options.plain ? "http" : "https", lg_canned_port(canned));
    if (!canned->options.plain) {
        char ca[4096];
        (void)snprintf(ca, sizeof ca, "%s.ca", path);
        lg_buf_printf(&text, "    certificate-authority: %s\n", ca);
        if (lg_file_write(ca, canned->files.ca, 0600, &err) != LG_E_OK)
            die(err.text);
    }
    lg_buf_puts(&text, "users:\n- name: tester\n  user: {");
    if (token == NULL)
        token = canned->token;
    if (token != NULL)
        lg_buf_printf(&text, "token: \"%s\"", token);
    lg_buf_puts(&text, "}\ncontexts:\n- name: canned\n  context: {cluster: canned, user: tester, "
                       "namespace: livegate}\n");
    if (lg_file_write(path, lg_buf_view(&text), 0600, &err) != LG_E_OK)
        die(err.text);
    lg_buf_done(&text);
}
