#include "webhook/cluster/reads.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "rules/core/map.h"
#include "rules/core/mem.h"
#include "rules/kube/meta.h"
#include "webhook/cluster/path.h"
#include "webhook/cluster/share.h"
#include "webhook/cluster/status.h"
#include "webhook/runtime/clock.h"
#include "webhook/runtime/log.h"
#include "webhook/runtime/metrics.h"

enum {
    FETCH_DEADLINE_MS = 3000,
    OBJECT_BYTES_MAX = 4 * 1024 * 1024,
    FAILED_LOG_INTERVAL_MS = 10 * 1000,
    WHAT_BYTES = 128,
};

enum outcome { FOUND, ABSENT, FAILED, SHARED, REMEMBERED, LIMITED, OUTCOMES };

static const char *const outcomes[OUTCOMES] = {"found",  "absent",     "failed",
                                               "shared", "remembered", "limited"};
static struct lg_metric counted = {
    .name = "livegate_live_reads_total",
    .help = "Objects wanted by reviews: read (found, absent, failed), answered by a read that was "
            "under way or remembered, or over the limit.",
    .kind = LG_METRIC_COUNTER,
    .labels = {{"result", outcomes, OUTCOMES}}};

/* One that is remembered; a place of a ring. */
struct kept {
    struct lg_live *live; /* NULL: free */
    int64_t expires_ms;
};

struct waiter {
    struct lg_probe *probe;
    size_t index;
};

/* One object that is being fetched. */
struct fetch {
    struct lg_reads *reads;
    struct lg_live *live; /* what is wanted; its record comes with the answer */
    struct lg_http_call *call;
    struct waiter *waiters;
    size_t n, size;
    bool turned; /* the other version (gvk.h, `also`) is asked for */
};

struct lg_reads {
    struct lg_http *http;
    const char *server, *credential;
    struct lg_map fetches; /* key -> struct fetch */
    struct lg_share share; /* among namespaces */
    int64_t failed_log_ms; /* earliest time of the next line */
    pthread_mutex_t lock;  /* what follows */
    struct kept ring[LG_READS_KEPT_MAX];
    size_t next;
    struct lg_map kept; /* key -> struct kept */
};

struct item {
    struct lg_live *wanted; /* its kind and names */
    bool found;
    struct lg_live *answer; /* or NULL */
};

struct lg_probe {
    struct lg_job job;
    struct lg_reads *reads;
    atomic_uint refs;
    uint64_t whose;
    lg_probe_done_fn *done;
    void *arg;
    size_t open; /* not answered yet; the client's thread */
    pthread_mutex_t lock;
    size_t n;
    struct item items[LG_PROBE_MAX];
};

/* --- what was read --- */

/* Names that were checked (or are asked in vain): no two objects have one key. */
static void add_key(struct lg_buf *buf, enum lg_kind kind, struct lg_str ns, struct lg_str name)
{
    lg_buf_printf(buf, "%d/", (int)kind);
    lg_buf_str(buf, ns);
    lg_buf_putc(buf, '/');
    lg_buf_str(buf, name);
}

/* That there is none of that name, so far. */
static struct lg_live *live_new(const struct lg_want *want)
{
    struct lg_buf key lg_cleanup(lg_buf_done) = {0};
    add_key(&key, want->kind, want->ns, want->name);
    struct lg_live *live = lg_calloc(1, sizeof *live + key.n);
    char *text = (char *)(live + 1);
    memcpy(text, key.p, key.n);
    live->key = (struct lg_str){text, key.n};
    text += key.n - want->name.n;
    live->read = (struct lg_read){.kind = want->kind,
                                  .ns = {text - 1 - want->ns.n, want->ns.n},
                                  .name = {text, want->name.n}};
    live->refs = 1;
    return live;
}

static struct lg_live *live_ref(struct lg_live *live)
{
    atomic_fetch_add(&live->refs, 1);
    return live;
}

void lg_live_unref(struct lg_live *live)
{
    if (live == NULL || atomic_fetch_sub(&live->refs, 1) != 1)
        return;
    lg_record_unref(live->record);
    free(live);
}

/* --- what is remembered --- */

/* In the lock. */
static void forget(struct lg_reads *reads, struct kept *kept)
{
    if (kept->live == NULL)
        return;
    (void)lg_map_remove(&reads->kept, kept->live->key);
    lg_live_unref(lg_steal(kept->live));
}

static void remember(struct lg_reads *reads, struct lg_live *live, int64_t expires_ms)
{
    pthread_mutex_lock(&reads->lock);
    struct kept *kept = lg_map_get(&reads->kept, live->key);
    if (kept == NULL) {
        kept = &reads->ring[reads->next];
        reads->next = (reads->next + 1) % LG_READS_KEPT_MAX;
    }
    forget(reads, kept);
    *kept = (struct kept){.live = live_ref(live), .expires_ms = expires_ms};
    (void)lg_map_set(&reads->kept, live->key, kept);
    pthread_mutex_unlock(&reads->lock);
}

struct lg_live *lg_reads_known(struct lg_reads *reads, const struct lg_want *want)
{
    struct lg_buf key lg_cleanup(lg_buf_done) = {0};
    struct lg_live *live = NULL;
    if (want->found) /* what the watch said shall be confirmed, not what we read before it */
        return NULL;
    add_key(&key, want->kind, want->ns, want->name);
    int64_t now_ms = lg_clock_mono_ms();
    pthread_mutex_lock(&reads->lock);
    const struct kept *kept = lg_map_get(&reads->kept, lg_buf_view(&key));
    if (kept != NULL && now_ms < kept->expires_ms)
        live = live_ref(kept->live);
    pthread_mutex_unlock(&reads->lock);
    if (live != NULL)
        lg_metric_add(&counted, LG_AT(REMEMBERED), 1);
    return live;
}

/* --- probes --- */

void lg_probe_unref(struct lg_probe *probe)
{
    if (probe == NULL || atomic_fetch_sub(&probe->refs, 1) != 1)
        return;
    for (size_t i = 0; i < probe->n; i++) {
        lg_live_unref(probe->items[i].wanted);
        lg_live_unref(probe->items[i].answer);
    }
    pthread_mutex_destroy(&probe->lock);
    free(probe);
}

/* One more is answered, or will not be (NULL). */
static void settle(struct lg_probe *probe, size_t index, struct lg_live *live)
{
    if (live != NULL) {
        pthread_mutex_lock(&probe->lock);
        probe->items[index].answer = live_ref(live);
        pthread_mutex_unlock(&probe->lock);
    }
    if (--probe->open == 0)
        probe->done(probe->arg);
}

size_t lg_probe_answers(struct lg_probe *probe, struct lg_live *ret[LG_PROBE_MAX])
{
    pthread_mutex_lock(&probe->lock);
    for (size_t i = 0; i < probe->n; i++)
        ret[i] = probe->items[i].answer != NULL ? live_ref(probe->items[i].answer) : NULL;
    pthread_mutex_unlock(&probe->lock);
    return probe->n;
}

/* --- fetches --- */

static void fetch_free(struct fetch *fetch)
{
    lg_live_unref(fetch->live);
    free(fetch->waiters);
    free(fetch);
}

/* Tells whoever waits; `live` NULL: it could not be read. */
static void end_fetch(struct fetch *take_fetch, struct lg_live *live)
{
    (void)lg_map_remove(&take_fetch->reads->fetches, take_fetch->live->key);
    for (size_t i = 0; i < take_fetch->n; i++) {
        settle(take_fetch->waiters[i].probe, take_fetch->waiters[i].index, live);
        lg_probe_unref(take_fetch->waiters[i].probe);
    }
    fetch_free(take_fetch);
}

static void wait_for(struct fetch *fetch, struct lg_probe *probe, size_t index)
{
    if (fetch->n == fetch->size) {
        fetch->size = fetch->size != 0 ? 2 * fetch->size : 1;
        fetch->waiters = lg_realloc(fetch->waiters, fetch->size, sizeof *fetch->waiters);
    }
    atomic_fetch_add(&probe->refs, 1);
    fetch->waiters[fetch->n++] = (struct waiter){probe, index};
}

static struct lg_resource resource_of(const struct fetch *fetch)
{
    const struct lg_gvk *gvk = lg_gvk(fetch->live->read.kind);
    return (struct lg_resource){gvk->group, fetch->turned ? gvk->also : gvk->version, gvk->plural};
}

/* A 404 of the object itself, not of its whole kind: it says the name. */
static bool is_about(struct lg_str body, struct lg_str name)
{
    struct lg_arena arena lg_cleanup(lg_arena_done);
    struct lg_val root = LG_NONE;
    lg_arena_init(&arena);
    return lg_json_parse(&arena, body, &root, NULL) == LG_E_OK &&
           lg_str_eq(lg_json_str_at(root, "details.name"), name);
}

/* Reads the object into fetch->live. */
static enum lg_err_code read_object(struct fetch *fetch, struct lg_str body, struct lg_err *err)
{
    struct lg_arena arena lg_cleanup(lg_arena_done);
    struct lg_live *live = fetch->live;
    struct lg_record *record = NULL;
    struct lg_val root = LG_NONE;
    lg_arena_init(&arena);
    enum lg_err_code code = lg_meta_parse(&arena, body, &root, err);
    if (code == LG_E_OK)
        code = lg_record_new_as(live->read.kind, root, &record, err);
    if (code == LG_E_OK && (!lg_str_eq(record->name, live->read.name) ||
                            (live->read.ns.n != 0 && !lg_str_eq(record->ns, live->read.ns)))) {
        code = lg_err_set(err, LG_E_INVALID, "metadata", "the answer is another object");
        lg_record_unref(record);
    }
    if (code != LG_E_OK)
        return code;
    live->record = record;
    live->read.record = record;
    return LG_E_OK;
}

static void say_failed(struct lg_reads *reads, enum lg_kind kind, const struct lg_err *err)
{
    int64_t now_ms = lg_clock_mono_ms();
    if (now_ms < reads->failed_log_ms)
        return;
    reads->failed_log_ms = now_ms + FAILED_LOG_INTERVAL_MS;
    lg_log(LG_LOG_WARN, "an object that a review hangs on could not be read",
           LG_F_TEXT("resource", lg_gvk(kind)->plural), LG_F_ERR(err));
}

static void start(struct fetch *fetch);

static void on_done(void *arg, const struct lg_http_answer *answer)
{
    struct fetch *fetch = arg;
    struct lg_reads *reads = fetch->reads;
    enum lg_kind kind = fetch->live->read.kind;
    const struct lg_status_about about = {.server = reads->server,
                                          .credential = reads->credential,
                                          .verbs = "get",
                                          .what = lg_gvk(kind)->plural};
    struct lg_err err = {0};
    fetch->call = NULL;
    enum lg_err_code code = lg_status_err(answer, &about, &err);
    if (code == LG_E_OK)
        code = read_object(fetch, answer->body, &err);
    bool absent = code == LG_E_NOTFOUND && is_about(answer->body, fetch->live->read.name);
    if (code == LG_E_NOTFOUND && !absent && lg_gvk(kind)->also != NULL && !fetch->turned) {
        fetch->turned = true;
        start(fetch);
        return;
    }
    enum outcome outcome = code == LG_E_OK ? FOUND : absent ? ABSENT : FAILED;
    lg_metric_add(&counted, LG_AT(outcome), 1);
    if (outcome == FAILED)
        say_failed(reads, kind, &err);
    else if (absent)
        remember(reads, fetch->live, lg_clock_mono_ms() + LG_MISS_MS);
    else if (lg_gvk(kind)->on_demand)
        remember(reads, fetch->live, lg_clock_mono_ms() + LG_ON_DEMAND_MS);
    end_fetch(fetch, outcome != FAILED ? fetch->live : NULL);
}

/* The names were checked. */
static void start(struct fetch *fetch)
{
    struct lg_buf path lg_cleanup(lg_buf_done) = {0};
    const struct lg_read *read = &fetch->live->read;
    const struct lg_resource resource = resource_of(fetch);
    enum lg_err_code code = lg_path_object(&path, &resource, read->ns, read->name, NULL);
    assert(code == LG_E_OK);
    (void)code;
    fetch->call = lg_http_start(fetch->reads->http,
                                &(struct lg_http_request){.method = LG_HTTP_GET,
                                                          .path = lg_buf_view(&path),
                                                          .deadline_ms = FETCH_DEADLINE_MS,
                                                          .body_bytes_max = OBJECT_BYTES_MAX,
                                                          .done = on_done,
                                                          .arg = fetch});
}

/* --- the client's thread --- */

/* One of LG_READS_PER_S a second; an API server that is slow makes the places for fetches scarce,
 * too. */
static bool may_fetch(struct lg_reads *reads, uint64_t whose, int64_t now_ms)
{
    size_t under_way = reads->fetches.used;
    return under_way < LG_FETCHES_MAX &&
           lg_share_take(&reads->share, whose, under_way >= LG_FETCHES_MAX / 2, now_ms);
}

static bool can_exist(const struct lg_read *read)
{
    struct lg_buf path lg_cleanup(lg_buf_done) = {0};
    const struct lg_gvk *gvk = lg_gvk(read->kind);
    const struct lg_resource resource = {gvk->group, gvk->version, gvk->plural};
    return lg_path_object(&path, &resource, read->ns, read->name, NULL) == LG_E_OK;
}

static void read_item(struct lg_reads *reads, struct lg_probe *probe, size_t i, int64_t now_ms)
{
    struct item *item = &probe->items[i];
    const struct lg_read *read = &item->wanted->read;
    const struct lg_want want = {
        .kind = read->kind, .ns = read->ns, .name = read->name, .found = item->found};
    if (!can_exist(read)) {
        settle(probe, i, item->wanted);
        return;
    }
    struct lg_live *known = lg_reads_known(reads, &want); /* it may have come meanwhile */
    if (known != NULL) {
        settle(probe, i, known);
        lg_live_unref(known);
        return;
    }
    struct fetch *fetch = lg_map_get(&reads->fetches, item->wanted->key);
    if (fetch != NULL) {
        lg_metric_add(&counted, LG_AT(SHARED), 1);
        wait_for(fetch, probe, i);
        return;
    }
    if (!may_fetch(reads, probe->whose, now_ms)) {
        lg_metric_add(&counted, LG_AT(LIMITED), 1);
        settle(probe, i, NULL);
        return;
    }
    fetch = lg_calloc(1, sizeof *fetch);
    fetch->reads = reads;
    fetch->live = live_new(&want);
    wait_for(fetch, probe, i);
    (void)lg_map_set(&reads->fetches, fetch->live->key, fetch);
    start(fetch);
}

static void run(struct lg_job *job, struct lg_http *http)
{
    struct lg_probe *probe = (struct lg_probe *)job; /* its first member */
    int64_t now_ms = lg_clock_mono_ms();
    for (size_t i = 0; i < probe->n; i++) {
        if (http != NULL)
            read_item(probe->reads, probe, i, now_ms);
        else
            settle(probe, i, NULL);
    }
    lg_probe_unref(probe);
}

struct lg_probe *lg_probe_new(struct lg_reads *reads, const struct lg_probe_options *options,
                              struct lg_job **ret_job)
{
    assert(options->n != 0 && options->n <= LG_PROBE_MAX);
    struct lg_probe *probe = lg_calloc(1, sizeof *probe);
    probe->job.run = run;
    probe->reads = reads;
    probe->refs = 2;
    probe->whose = lg_hash(options->whose);
    probe->done = options->done;
    probe->arg = options->arg;
    probe->n = probe->open = options->n;
    pthread_mutex_init(&probe->lock, NULL);
    for (size_t i = 0; i < probe->n; i++) {
        probe->items[i].wanted = live_new(&options->wants[i]);
        probe->items[i].found = options->wants[i].found;
    }
    *ret_job = &probe->job;
    return probe;
}

/* --- life --- */

void lg_reads_register_metrics(void)
{
    lg_metric_register(&counted);
}

struct lg_reads *lg_reads_new(const struct lg_reads_options *options)
{
    struct lg_reads *reads = lg_calloc(1, sizeof *reads);
    reads->http = options->http;
    reads->server = options->server;
    reads->credential = options->credential;
    lg_share_init(&reads->share, LG_READS_PER_S, lg_clock_mono_ms());
    pthread_mutex_init(&reads->lock, NULL);
    return reads;
}

void lg_reads_free(struct lg_reads *take_reads)
{
    if (take_reads == NULL)
        return;
    const struct lg_map_entry *at;
    size_t pos = 0;
    while ((at = lg_map_next(&take_reads->fetches, &pos)) != NULL) {
        struct fetch *fetch = at->value;
        lg_http_cancel(take_reads->http, fetch->call);
        end_fetch(fetch, NULL);
        pos = 0; /* the map changed */
    }
    for (size_t i = 0; i < LG_READS_KEPT_MAX; i++)
        forget(take_reads, &take_reads->ring[i]);
    lg_map_done(&take_reads->fetches);
    lg_map_done(&take_reads->kept);
    pthread_mutex_destroy(&take_reads->lock);
    free(take_reads);
}
