#include "webhook/limiter/ledger_api.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "rules/core/mem.h"
#include "rules/core/num.h"
#include "rules/core/out.h"
#include "webhook/cluster/path.h"
#include "webhook/cluster/status.h"
#include "webhook/limiter/ledger_text.h"
#include "webhook/limiter/reach.h"
#include "webhook/limiter/unreached.h"
#include "webhook/runtime/clock.h"
#include "webhook/runtime/log.h"
#include "webhook/runtime/metrics.h"
#include "webhook/runtime/random.h"

enum {
    CALL_MS = 1500,
    TROUBLE_LOG_INTERVAL_MS = 10 * 1000,
    OBJECT_BYTES_MAX = LG_LEDGER_BYTES_MAX * 2 + 64 * 1024, /* escaped, with its metadata */
};

static struct lg_metric fulls = {
    .name = "livegate_ledger_full_total",
    .help = "Times that the limiter's ledger was too long to be written, and who asked was sent "
            "away.",
    .kind = LG_METRIC_COUNTER,
};

void lg_ledger_api_register_metrics(void)
{
    lg_metric_register(&fulls);
    lg_metric_add(&fulls, NULL, 0);
}

struct lg_ledger_ask {
    struct lg_job job;
    struct lg_queue_job queued;
    struct lg_ledger_api *api;
    struct lg_arena arena; /* the ask's texts, then the turnout's */
    atomic_uint refs;
    atomic_bool answered;
    atomic_uint tries; /* that its ticket had counted before */
    void (*done)(void *arg);
    void *arg;
};

struct lg_ledger_api {
    struct lg_store *store;
    struct lg_client *client;
    struct lg_queue *queue; /* this and the next three: the client's thread */
    struct lg_http *http;
    int64_t trouble_log_ms;
    int64_t call_ms; /* when the call that is under way began */
    struct lg_buf path;
    struct lg_unreached *unreached;
    struct lg_reach reach;
    struct lg_job refresh;
    struct lg_job rested;
    atomic_bool refreshing;
    atomic_size_t reserved, waiting;
};

/* --- an ask --- */

void lg_ledger_ask_unref(struct lg_ledger_ask *ask)
{
    if (ask == NULL || atomic_fetch_sub(&ask->refs, 1) != 1)
        return;
    lg_arena_done(&ask->arena);
    free(ask);
}

const struct lg_turnout *lg_ledger_ask_turnout(struct lg_ledger_ask *ask)
{
    return atomic_load(&ask->answered) ? &ask->queued.turnout : NULL;
}

static void ask_ends(struct lg_ledger_ask *ask, bool reached)
{
    if (reached)
        atomic_store(&ask->answered, true);
    ask->done(ask->arg);
    lg_ledger_ask_unref(ask);
}

static void submit(struct lg_job *job, struct lg_http *http)
{
    struct lg_ledger_ask *ask = (struct lg_ledger_ask *)job; /* its first member */
    if (http == NULL) {
        ask_ends(ask, false);
        return;
    }
    const struct lg_ask *wanted = &ask->queued.ask;
    char buf[LG_LEDGER_USER_BYTES_MAX + 24];
    const struct lg_ticket *ticket =
        lg_ledger_ticket(lg_queue_ledger(ask->api->queue), wanted->ns, wanted->guest,
                         lg_ledger_user(wanted->user, buf));
    atomic_store(&ask->tries, ticket != NULL ? ticket->tries : 0);
    ask->api->http = http;
    lg_queue_submit(ask->api->queue, &ask->queued);
}

struct lg_ledger_ask *lg_ledger_api_ask(struct lg_ledger_api *api, const struct lg_ask *wanted,
                                        int64_t until_ms, void (*done)(void *arg), void *arg)
{
    struct lg_ledger_ask *ask = lg_calloc(1, sizeof *ask);
    lg_arena_init(&ask->arena);
    *ask = (struct lg_ledger_ask){.job = {.run = submit},
                                  .queued = {.ask = *wanted, .until_ms = until_ms},
                                  .api = api,
                                  .arena = ask->arena,
                                  .refs = 2,
                                  .done = done,
                                  .arg = arg};
    struct lg_ask *mine = &ask->queued.ask;
    struct lg_str *const texts[] = {&mine->ns,   &mine->guest, &mine->node,
                                    &mine->name, &mine->id,    &mine->user};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        *texts[i] = lg_arena_str(&ask->arena, *texts[i]);
    struct lg_str *targets = lg_arena_array(&ask->arena, mine->n_targets + 1, sizeof *targets);
    for (size_t i = 0; i < mine->n_targets; i++)
        targets[i] = lg_arena_str(&ask->arena, mine->targets[i]);
    mine->targets = targets;
    ask->queued.arena = &ask->arena;
    lg_client_post(api->client, &ask->job);
    return ask;
}

int lg_ledger_api_unreached(struct lg_ledger_api *api, const struct lg_ask *ask,
                            const struct lg_ledger_ask *asked)
{
    unsigned tries = asked != NULL ? atomic_load(&asked->tries) : 0;
    return lg_unreached_answer(api->unreached, ask, tries);
}

bool lg_ledger_api_is_away(const struct lg_ledger_api *api)
{
    return lg_reach_is_away(&api->reach, lg_clock_mono_ms());
}

/* --- the queue's ends --- */

static int64_t now_ms(void *arg)
{
    (void)arg;
    return lg_clock_mono_ms();
}

static const struct lg_inventory *inventory(void *arg)
{
    const struct lg_ledger_api *api = arg;
    return lg_store_pending(api->store);
}

static void count(struct lg_ledger_api *api)
{
    const struct lg_ledger *ledger = lg_queue_ledger(api->queue);
    const struct lg_slots *slots = lg_inventory_slots(lg_store_pending(api->store));
    atomic_store(&api->reserved, lg_limits_used(slots, ledger) - lg_slots_used(slots));
    atomic_store(&api->waiting, ledger->n_tickets);
}

static void ask_done(void *arg, struct lg_queue_job *job, bool reached)
{
    struct lg_ledger_ask *ask =
        (struct lg_ledger_ask *)((char *)job - offsetof(struct lg_ledger_ask, queued));
    (void)arg;
    ask_ends(ask, reached);
}

/* What is wrong with the ledger is said once in a while. */
static bool may_complain(struct lg_ledger_api *api)
{
    int64_t now = lg_clock_mono_ms();
    if (now < api->trouble_log_ms)
        return false;
    api->trouble_log_ms = now + TROUBLE_LOG_INTERVAL_MS;
    return true;
}

static void trouble(struct lg_ledger_api *api, const struct lg_http_answer *answer,
                    const char *doing)
{
    const struct lg_status_about about = {.server = lg_client_server(api->client),
                                          .credential = lg_client_source(api->client),
                                          .verbs = "get and patch",
                                          .what = "configmap " LG_LEDGER_NAME};
    struct lg_err err = {0};
    if (!may_complain(api))
        return;
    if (lg_status_err(answer, &about, &err) == LG_E_OK)
        (void)lg_err_set(&err, LG_E_INVALID, about.server, "the answer is no ConfigMap");
    lg_log(LG_LOG_WARN, "the limiter's ledger cannot be reached", LG_F_TEXT("doing", doing),
           LG_F_STR("path", lg_buf_view(&api->path)), LG_F_INT("status", answer->status),
           LG_F_TEXT("where", err.where), LG_F_TEXT("reason", err.text));
}

static void unreadable(void *arg, const struct lg_err *err)
{
    struct lg_ledger_api *api = arg;
    bool newer = err->code == LG_E_UNSUPPORTED;
    if (newer)
        lg_reach_refused(&api->reach, true, lg_clock_mono_ms());
    if (!may_complain(api))
        return;
    lg_log(LG_LOG_WARN,
           newer ? "the limiter's ledger is of a newer livegate and is left alone"
                 : "the limiter's ledger cannot be read and begins anew",
           LG_F_STR("path", lg_buf_view(&api->path)), LG_F_TEXT("where", err->where),
           LG_F_TEXT("reason", err->text),
           LG_F_TEXT("fix", newer ? "bring all replicas to the same version"
                                  : "nothing to do; who edits it by hand finds it overwritten"));
}

static void full(void *arg, const struct lg_err *err)
{
    struct lg_ledger_api *api = arg;
    lg_metric_add(&fulls, NULL, 1);
    if (may_complain(api))
        lg_log(LG_LOG_WARN, "the limiter's ledger is full; who asks meanwhile is told to come back",
               LG_F_STR("path", lg_buf_view(&api->path)), LG_F_TEXT("reason", err->text),
               LG_F_TEXT("fix", "nothing to do; there is room again when those who wait are let "
                                "through or gone"));
}

enum lg_err_code lg_ledger_of_object(struct lg_str json, struct lg_arena *arena,
                                     struct lg_ledger_object *ret, struct lg_err *err)
{
    struct lg_val root = LG_NONE;
    int64_t written_ms = 0;
    enum lg_err_code code = lg_json_parse(arena, lg_arena_str(arena, json), &root, err);
    if (code != LG_E_OK)
        return code;
    struct lg_val data = lg_json_get(root, "data");
    struct lg_str version = lg_json_str_at(root, "metadata.resourceVersion");
    if (version.n == 0)
        return lg_err_set(err, LG_E_INVALID, "metadata.resourceVersion", "it has none");
    struct lg_str written = lg_json_str(lg_json_get(data, LG_LEDGER_WRITTEN_KEY));
    if (written.n == 0 || lg_num_int64(written, &written_ms) != LG_E_OK)
        written_ms = 0;
    *ret = (struct lg_ledger_object){.text = lg_json_str(lg_json_get(data, LG_LEDGER_KEY)),
                                     .version = version,
                                     .written_unix_ms = written_ms};
    return LG_E_OK;
}

/* An API server that is too busy to answer (429) is there. */
static void note(struct lg_ledger_api *api, enum lg_reach_call call,
                 const struct lg_http_answer *answer, bool answered)
{
    int64_t now = lg_clock_mono_ms();
    enum lg_reach_end end = answered ? LG_REACH_PROMPT : LG_REACH_FAILED;
    if (answer->status == 429 || (answered && now - api->call_ms > LG_REACH_PROMPT_MS))
        end = LG_REACH_SLOW;
    lg_reach_note(&api->reach, call, end, now);
    if (end == LG_REACH_SLOW && lg_reach_is_away(&api->reach, now) && may_complain(api))
        lg_log(LG_LOG_WARN, "the limiter's ledger is too slow and counts as not reached",
               LG_F_STR("path", lg_buf_view(&api->path)), LG_F_INT("took_ms", now - api->call_ms),
               LG_F_INT("status", answer->status));
}

static void read_done(void *arg, const struct lg_http_answer *answer)
{
    struct lg_ledger_api *api = arg;
    struct lg_arena arena lg_cleanup(lg_arena_done);
    struct lg_ledger_object object = {0};
    lg_arena_init(&arena);
    bool answered = answer->status == 200 && answer->err.code == LG_E_OK &&
                    lg_ledger_of_object(answer->body, &arena, &object, NULL) == LG_E_OK;
    note(api, LG_REACH_READ, answer, answered);
    if (answered) {
        lg_queue_read(api->queue, object.text, object.version);
        count(api);
        return;
    }
    trouble(api, answer, "reading");
    lg_queue_failed(api->queue);
}

static void start_read(void *arg)
{
    struct lg_ledger_api *api = arg;
    api->call_ms = lg_clock_mono_ms();
    (void)lg_http_start(api->http, &(struct lg_http_request){.method = LG_HTTP_GET,
                                                             .path = lg_buf_view(&api->path),
                                                             .deadline_ms = CALL_MS,
                                                             .body_bytes_max = OBJECT_BYTES_MAX,
                                                             .done = read_done,
                                                             .arg = api});
}

static void write_done(void *arg, const struct lg_http_answer *answer)
{
    struct lg_ledger_api *api = arg;
    note(api, LG_REACH_WRITE, answer, answer->status == 200 || answer->status == 409);
    if (answer->status == 200) { /* it is written, whatever became of the body */
        lg_queue_written(api->queue);
        count(api);
    } else if (answer->status == 409) {
        lg_queue_conflict(api->queue);
    } else {
        trouble(api, answer, "writing");
        lg_queue_failed(api->queue);
    }
}

/* A merge patch that names the version it was made from changes that version or none. */
static void start_write(void *arg, struct lg_str text, struct lg_str version)
{
    struct lg_ledger_api *api = arg;
    struct lg_buf body lg_cleanup(lg_buf_done) = {0};
    json_t *root = lg_out_object();
    json_t *metadata = lg_out_object();
    json_t *data = lg_out_object();
    lg_out_set_str(metadata, "resourceVersion", version);
    char written[24];
    (void)snprintf(written, sizeof written, "%lld", (long long)lg_clock_unix_ms());
    lg_out_set_str(data, LG_LEDGER_KEY, text);
    lg_out_set_str(data, LG_LEDGER_WRITTEN_KEY, lg_str_of(written));
    lg_out_set(root, "metadata", metadata);
    lg_out_set(root, "data", data);
    lg_out_text(root, 0, &body);
    json_decref(root);
    api->call_ms = lg_clock_mono_ms();
    (void)lg_http_start(api->http,
                        &(struct lg_http_request){.method = LG_HTTP_PATCH,
                                                  .path = lg_buf_view(&api->path),
                                                  .body = lg_buf_view(&body),
                                                  .content_type = "application/merge-patch+json",
                                                  .deadline_ms = CALL_MS,
                                                  .body_bytes_max = OBJECT_BYTES_MAX,
                                                  .done = write_done,
                                                  .arg = api});
}

static void rested(struct lg_job *job, struct lg_http *http)
{
    struct lg_ledger_api *api =
        (struct lg_ledger_api *)((char *)job - offsetof(struct lg_ledger_api, rested));
    if (http != NULL)
        lg_queue_rested(api->queue);
}

static void start_rest(void *arg, int64_t ms)
{
    struct lg_ledger_api *api = arg;
    lg_client_later(api->client, &api->rested, lg_clock_mono_ms() + ms);
}

static bool tell(void *arg, struct lg_ledger *io_ledger, int64_t at_ms)
{
    const struct lg_ledger_api *api = arg;
    return lg_unreached_tell(api->unreached, io_ledger, at_ms);
}

static void told(void *arg)
{
    struct lg_ledger_api *api = arg;
    lg_reach_refused(&api->reach, false, 0);
    lg_unreached_told(api->unreached);
}

/* --- what became of a migration --- */

struct look_up {
    struct lg_ledger_api *api;
    struct lg_probe *probe;
    struct lg_arena arena;
    struct lg_reservation about;
};

/* LG_UNSURE: no answer. */
static enum lg_seen said_of(struct look_up *look_up)
{
    struct lg_live *answers[LG_PROBE_MAX] = {0};
    enum lg_seen said = LG_UNSURE;
    (void)lg_probe_answers(look_up->probe, answers);
    if (answers[0] == NULL)
        return said;
    const struct lg_record *record = answers[0]->read.record;
    if (record == NULL || !lg_str_eq(record->uid, look_up->about.id))
        said = LG_UNSEEN;
    else
        said = lg_migration_is_final((const struct lg_migration_record *)record)
                   ? LG_SEEN_FINAL
                   : LG_SEEN_UNFINISHED;
    lg_live_unref(answers[0]);
    return said;
}

static void looked_up(void *arg)
{
    struct look_up *look_up = arg;
    lg_queue_looked_up(look_up->api->queue, &look_up->about, said_of(look_up));
    lg_probe_unref(look_up->probe);
    lg_arena_done(&look_up->arena);
    free(look_up);
}

static void start_look_up(void *arg, const struct lg_reservation *reservation)
{
    struct lg_ledger_api *api = arg;
    struct look_up *look_up = lg_calloc(1, sizeof *look_up);
    const struct lg_want want = {
        .kind = LG_KIND_MIGRATION, .ns = reservation->ns, .name = reservation->name, .found = true};
    look_up->api = api;
    lg_arena_init(&look_up->arena);
    look_up->about = (struct lg_reservation){
        .ns = lg_arena_str(&look_up->arena, reservation->ns),
        .guest = lg_arena_str(&look_up->arena, reservation->guest),
        .id = lg_arena_str(&look_up->arena, reservation->id),
    };
    look_up->probe = lg_client_probe(
        api->client,
        &(struct lg_probe_options){
            .wants = &want, .n = 1, .whose = look_up->about.ns, .done = looked_up, .arg = look_up});
}

/* --- life --- */

static void refresh(struct lg_job *job, struct lg_http *http)
{
    struct lg_ledger_api *api =
        (struct lg_ledger_api *)((char *)job - offsetof(struct lg_ledger_api, refresh));
    atomic_store(&api->refreshing, false);
    if (http == NULL)
        return;
    api->http = http;
    lg_queue_refresh(api->queue);
}

void lg_ledger_api_refresh(struct lg_ledger_api *api)
{
    if (!atomic_exchange(&api->refreshing, true))
        lg_client_post(api->client, &api->refresh);
}

void lg_ledger_api_counts(struct lg_ledger_api *api, size_t *ret_reserved, size_t *ret_waiting)
{
    *ret_reserved = atomic_load(&api->reserved);
    *ret_waiting = atomic_load(&api->waiting);
}

enum lg_err_code lg_ledger_api_new(struct lg_client *client, struct lg_store *store,
                                   struct lg_ledger_api **ret, struct lg_err *err)
{
    static const struct lg_resource config_maps = {"", "v1", "configmaps"};
    struct lg_ledger_api *api = lg_calloc(1, sizeof *api);
    *api = (struct lg_ledger_api){.store = store,
                                  .client = client,
                                  .unreached = lg_unreached_new(),
                                  .refresh = {.run = refresh},
                                  .rested = {.run = rested}};
    enum lg_err_code code =
        lg_path_object(&api->path, &config_maps, lg_str_of(lg_client_namespace(client)),
                       LG_STR(LG_LEDGER_NAME), err);
    if (code != LG_E_OK) {
        lg_ledger_api_free(api);
        return code;
    }
    const struct lg_queue_ops ops = {.arg = api,
                                     .seed = lg_random_seed(),
                                     .now_ms = now_ms,
                                     .inventory = inventory,
                                     .read = start_read,
                                     .write = start_write,
                                     .rest = start_rest,
                                     .tell = tell,
                                     .told = told,
                                     .look_up = start_look_up,
                                     .unreadable = unreadable,
                                     .full = full,
                                     .done = ask_done};
    api->queue = lg_queue_new(&ops);
    *ret = api;
    return LG_E_OK;
}

void lg_ledger_api_free(struct lg_ledger_api *api)
{
    if (api == NULL)
        return;
    lg_queue_free(api->queue);
    lg_unreached_free(api->unreached);
    lg_buf_done(&api->path);
    free(api);
}
