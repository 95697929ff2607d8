#include "webhook/cluster/watches.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "rules/core/mem.h"
#include "webhook/cluster/reflector.h"
#include "webhook/runtime/clock.h"
#include "webhook/runtime/log.h"

enum {
    UNSETTLED_TICK_MS = 200, /* how soon readiness is noticed where nothing arrives */
    IDLE_MS_MAX = 60 * 1000,
    UNREAD_LOG_INTERVAL_MS = 60 * 1000,
};

struct watch {
    struct lg_watches *all;
    enum lg_kind kind;
    struct lg_reflector *reflector; /* NULL: not watched */
    struct lg_http_call *call;
    bool listing;
    /* what was said */
    struct lg_err trouble;
    uint64_t problems, unreadable;
    int64_t unread_log_ms; /* earliest time of the next line */
    enum lg_known known;
};

struct lg_watches {
    struct lg_http *http;
    struct lg_store *store;
    struct watch watches[LG_KIND_COUNT];
    unsigned lists;
    int64_t started_ms;
    atomic_bool settled;
    pthread_mutex_t lock; /* states */
    struct lg_watch_state states[LG_KIND_COUNT];
};

struct lg_watches *lg_watches_new(const struct lg_watches_options *options)
{
    struct lg_watches *watches = lg_calloc(1, sizeof *watches);
    watches->http = options->http;
    watches->store = options->store;
    watches->started_ms = lg_clock_mono_ms();
    pthread_mutex_init(&watches->lock, NULL);
    for (int i = 0; i < LG_KIND_COUNT; i++) {
        struct watch *watch = &watches->watches[i];
        watch->all = watches;
        watch->kind = (enum lg_kind)i;
        watch->known = LG_NOT_SYNCED;
        if (lg_gvk(watch->kind)->on_demand)
            lg_store_set_known(options->store, watch->kind, LG_NOT_SYNCED);
        if ((options->kinds & LG_BIT(i)) == 0)
            continue;
        watch->reflector =
            lg_reflector_new(&(struct lg_reflector_options){.kind = watch->kind,
                                                            .store = options->store,
                                                            .server = options->server,
                                                            .credential = options->credential,
                                                            .seed = options->seed + (uint64_t)i});
        watches->states[i].watched = true;
        watches->states[i].known = LG_NOT_SYNCED;
    }
    (void)lg_store_commit(options->store);
    return watches;
}

void lg_watches_free(struct lg_watches *take_watches)
{
    if (take_watches == NULL)
        return;
    for (int i = 0; i < LG_KIND_COUNT; i++) {
        lg_http_cancel(take_watches->http, take_watches->watches[i].call);
        lg_reflector_free(take_watches->watches[i].reflector);
    }
    pthread_mutex_destroy(&take_watches->lock);
    free(take_watches);
}

/* --- asking --- */

static void on_head(void *arg)
{
    struct watch *watch = arg;
    lg_reflector_head(watch->reflector, lg_clock_mono_ms());
}

static enum lg_err_code on_chunk(void *arg, struct lg_str chunk, struct lg_err *err)
{
    struct watch *watch = arg;
    return lg_reflector_chunk(watch->reflector, chunk, lg_clock_mono_ms(), err);
}

static void on_done(void *arg, const struct lg_http_answer *answer)
{
    struct watch *watch = arg;
    watch->call = NULL;
    if (watch->listing)
        watch->all->lists--;
    watch->listing = false;
    lg_reflector_ended(watch->reflector, answer, lg_clock_mono_ms());
}

static void start(struct watch *watch, const struct lg_reflector_request *request)
{
    watch->listing = request->ask == LG_ASK_LIST;
    if (watch->listing)
        watch->all->lists++;
    watch->call = lg_http_start(watch->all->http,
                                &(struct lg_http_request){.method = LG_HTTP_GET,
                                                          .path = request->path,
                                                          .deadline_ms = request->deadline_ms,
                                                          .idle_ms = request->idle_ms,
                                                          .head_ms = request->head_ms,
                                                          .bulk = watch->listing,
                                                          .head = on_head,
                                                          .chunk = on_chunk,
                                                          .done = on_done,
                                                          .arg = watch});
}

int64_t lg_watches_ask(struct lg_watches *watches, int64_t now_ms)
{
    int64_t due_ms = now_ms + (lg_watches_settled(watches) ? IDLE_MS_MAX : UNSETTLED_TICK_MS);
    for (int i = 0; i < LG_KIND_COUNT; i++) {
        struct watch *watch = &watches->watches[i];
        if (watch->reflector == NULL)
            continue;
        /* Whoever waits for its turn to list is asked again when a list ends. */
        if (lg_reflector_wants(watch->reflector, now_ms) == LG_ASK_LIST &&
            watches->lists >= LG_LISTS_MAX)
            continue;
        struct lg_reflector_request request = lg_reflector_next(watch->reflector, now_ms);
        if (request.ask != LG_ASK_NOTHING)
            start(watch, &request);
        else if (request.at_ms < due_ms)
            due_ms = request.at_ms;
    }
    return due_ms;
}

/* --- what is said of it --- */

/* True when another kind has this trouble at the moment. */
static bool is_shared(const struct watch *watch, const struct lg_err *trouble)
{
    for (int i = 0; i < LG_KIND_COUNT; i++) {
        const struct watch *other = &watch->all->watches[i];
        if (other != watch && lg_err_same(&other->trouble, trouble))
            return true;
    }
    return false;
}

static void say_trouble(struct watch *watch, const struct lg_reflector_report *report)
{
    if (report->problems == watch->problems)
        return;
    watch->problems = report->problems;
    const struct lg_err before = watch->trouble;
    watch->trouble = *report->problem;
    if (lg_err_same(&before, &watch->trouble))
        return;
    if (before.code != LG_E_OK && !is_shared(watch, &before))
        lg_log(LG_LOG_INFO, "a trouble with the API server is over", LG_F_ERR(&before));
    if (watch->trouble.code != LG_E_OK && !is_shared(watch, &watch->trouble))
        lg_log(LG_LOG_WARN, "trouble with the API server",
               LG_F_TEXT("resource", lg_gvk(watch->kind)->plural), LG_F_ERR(&watch->trouble));
}

static void say_unread(struct watch *watch, const struct lg_reflector_report *report,
                       int64_t now_ms)
{
    if (report->unreadable == watch->unreadable || now_ms < watch->unread_log_ms)
        return;
    watch->unreadable = report->unreadable;
    watch->unread_log_ms = now_ms + UNREAD_LOG_INTERVAL_MS;
    lg_log(LG_LOG_WARN, "an object cannot be read and is left out",
           LG_F_TEXT("resource", lg_gvk(watch->kind)->plural), LG_F_ERR(report->unread),
           LG_F_INT("left_out", report->unreadable));
}

static void say_known(struct watch *watch, const struct lg_reflector_report *report)
{
    enum lg_known before = watch->known;
    const char *resource = lg_gvk(watch->kind)->plural;
    if (report->known == before)
        return;
    watch->known = report->known;
    if (report->known == LG_NOT_SERVED)
        lg_log(LG_LOG_INFO, "the API server does not serve this resource; it is asked for again",
               LG_F_TEXT("resource", resource));
    else if (report->known == LG_KNOWN &&
             (before != LG_NOT_SYNCED || lg_watches_settled(watch->all)))
        lg_log(LG_LOG_INFO, "the resource is there now", LG_F_TEXT("resource", resource),
               LG_F_INT("objects",
                        lg_inventory_count(lg_store_pending(watch->all->store), watch->kind)));
}

static void publish(struct watch *watch, const struct lg_reflector_report *report)
{
    pthread_mutex_lock(&watch->all->lock);
    watch->all->states[watch->kind] = (struct lg_watch_state){
        .watched = true,
        .known = report->known,
        .heard_ms = report->heard_ms,
        .lists = report->lists,
        .events = report->events,
        .expired = report->expired,
        .failures = report->failures,
        .unreadable = report->unreadable,
    };
    pthread_mutex_unlock(&watch->all->lock);
}

static void say_settled(struct lg_watches *watches, int64_t now_ms)
{
    const struct lg_inventory *inventory = lg_store_pending(watches->store);
    struct lg_buf without lg_cleanup(lg_buf_done) = {0};
    size_t objects = 0;
    for (int i = 0; i < LG_KIND_COUNT; i++) {
        const struct watch *watch = &watches->watches[i];
        objects += lg_inventory_count(inventory, watch->kind);
        if (watch->reflector != NULL && watch->known != LG_KNOWN)
            lg_buf_printf(&without, "%s%s", without.n != 0 ? "," : "", lg_gvk(watch->kind)->plural);
    }
    bool all = without.n == 0;
    lg_log(all ? LG_LOG_INFO : LG_LOG_WARN,
           all ? "the cluster is known" : "the cluster is known, but for these resources",
           LG_F_STR("resources", all ? (struct lg_str){0} : lg_buf_view(&without)),
           LG_F_INT("objects", objects), LG_F_INT("took_ms", now_ms - watches->started_ms));
}

/* True when who has not been listed yet waits in vain: nothing was ever heard, or all that list
 * hang. */
static bool is_silent(const struct lg_watches *watches, int64_t now_ms)
{
    unsigned stalled = 0;
    bool heard = false;
    for (int i = 0; i < LG_KIND_COUNT; i++) {
        const struct lg_reflector *reflector = watches->watches[i].reflector;
        if (reflector == NULL)
            continue;
        stalled += lg_reflector_stalled(reflector, now_ms);
        heard = heard || lg_reflector_report(reflector).heard_ms != 0;
    }
    return stalled == LG_LISTS_MAX || (!heard && now_ms - watches->started_ms >= LG_SETTLED_MS);
}

void lg_watches_show(struct lg_watches *watches, int64_t now_ms)
{
    bool settled = true;
    (void)lg_store_commit(watches->store);
    for (int i = 0; i < LG_KIND_COUNT; i++) {
        struct watch *watch = &watches->watches[i];
        if (watch->reflector == NULL)
            continue;
        struct lg_reflector_report report = lg_reflector_report(watch->reflector);
        publish(watch, &report);
        say_known(watch, &report);
        say_trouble(watch, &report);
        say_unread(watch, &report, now_ms);
        settled = settled && lg_reflector_settled(watch->reflector, now_ms);
    }
    if (lg_watches_settled(watches) || (!settled && !is_silent(watches, now_ms)))
        return;
    say_settled(watches, now_ms);
    atomic_store(&watches->settled, true);
}

/* --- other threads --- */

bool lg_watches_settled(const struct lg_watches *watches)
{
    return atomic_load(&watches->settled);
}

void lg_watches_state(struct lg_watches *watches, enum lg_kind kind, struct lg_watch_state *ret)
{
    pthread_mutex_lock(&watches->lock);
    *ret = watches->states[kind];
    pthread_mutex_unlock(&watches->lock);
}
