#include "webhook/cluster/reflector.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "rules/core/mem.h"
#include "rules/core/num.h"
#include "webhook/cluster/frame.h"
#include "webhook/cluster/intake.h"
#include "webhook/cluster/path.h"
#include "webhook/runtime/random.h"

enum state { WAITING, LISTING, WATCHING };
enum list_mode { FIRST, AGAIN, PAGES, WHOLE };

enum {
    LIST_IDLE_MS = 30 * 1000,
    LIST_DEADLINE_MS = 5 * 60 * 1000,
    WATCH_GRACE_MS = 30 * 1000, /* over what it was asked to last */
    WATCH_HEAD_MS = 30 * 1000,  /* what stands between may take it and say nothing */
    WATCH_IDLE_MS = 150 * 1000, /* bookmarks come about once a minute */
    RETRY_AFTER_S_MAX = 60,
    BACKOFF_STEPS = 5,
    WHAT_BYTES = 128,
};

struct lg_reflector {
    struct lg_intake intake; /* it knows the kind, the store and the last version */
    struct lg_status_about about;
    char what[WHAT_BYTES];
    uint64_t random;

    enum state state;
    enum lg_ask plan; /* what comes at due_ms */
    int64_t due_ms;
    enum list_mode mode;
    const char *api_version;
    bool turned; /* api_version was changed for a 404, and nothing good came of it yet */
    int64_t asked_ms;
    char *next; /* continue of the next page */
    unsigned failures_in_row, refusals_in_row;

    struct lg_frame frame;
    bool framed;
    int64_t head_ms; /* when the watch was granted; 0: not yet */

    struct lg_buf path;
    struct lg_err problem;
    struct lg_reflector_report report;
};

/* --- life --- */

struct lg_reflector *lg_reflector_new(const struct lg_reflector_options *options)
{
    const struct lg_gvk *gvk = lg_gvk(options->kind);
    struct lg_reflector *r = lg_calloc(1, sizeof *r);
    r->random = options->seed * 2 + 1;
    r->api_version = gvk->version;
    (void)snprintf(r->what, sizeof r->what, "%s%s%s", gvk->plural, *gvk->group != '\0' ? "." : "",
                   gvk->group);
    r->about = (struct lg_status_about){.server = options->server,
                                        .credential = options->credential,
                                        .verbs = "list and watch",
                                        .what = r->what};
    r->intake = (struct lg_intake){.kind = options->kind,
                                   .store = options->store,
                                   .what = r->what,
                                   .server = options->server,
                                   .objects_max = options->objects_max != 0 ? options->objects_max
                                                                            : LG_LIST_OBJECTS_MAX};
    lg_arena_init(&r->intake.arena);
    r->plan = LG_ASK_LIST;
    r->mode = FIRST;
    lg_store_set_known(r->intake.store, r->intake.kind, LG_NOT_SYNCED);
    r->report.known = LG_NOT_SYNCED;
    return r;
}

static void drop_frame(struct lg_reflector *r)
{
    if (r->framed)
        lg_frame_done(&r->frame);
    r->framed = false;
}

void lg_reflector_free(struct lg_reflector *take_reflector)
{
    if (take_reflector == NULL)
        return;
    drop_frame(take_reflector);
    lg_intake_done(&take_reflector->intake);
    free(take_reflector->next);
    lg_buf_done(&take_reflector->path);
    free(take_reflector);
}

static void set_text(char **io, const char *text)
{
    char *copy = text != NULL ? lg_memdup(text, strlen(text)) : NULL;
    free(*io);
    *io = copy;
}

/* --- when --- */

static int64_t draw_between(struct lg_reflector *r, int64_t low, int64_t high)
{
    return low + (int64_t)(lg_random_next(&r->random) % (uint64_t)(high - low + 1));
}

static void plan(struct lg_reflector *r, enum lg_ask ask, int64_t at_ms)
{
    r->state = WAITING;
    r->plan = ask;
    r->due_ms = at_ms;
}

/* Counts one more failure; how long to wait after it. */
static int64_t backoff(struct lg_reflector *r, int64_t retry_after_s)
{
    unsigned steps = r->failures_in_row < BACKOFF_STEPS ? r->failures_in_row : BACKOFF_STEPS;
    int64_t wait_ms = (int64_t)LG_BACKOFF_MS_MIN << steps;
    if (wait_ms > LG_BACKOFF_MS_MAX)
        wait_ms = LG_BACKOFF_MS_MAX;
    r->failures_in_row++;
    r->report.failures++;
    wait_ms = draw_between(r, wait_ms / 2, wait_ms * 3 / 2);
    int64_t asked_s = retry_after_s < RETRY_AFTER_S_MAX ? retry_after_s : RETRY_AFTER_S_MAX;
    return wait_ms > asked_s * 1000 ? wait_ms : asked_s * 1000;
}

static void set_problem(struct lg_reflector *r, const struct lg_err *err)
{
    if (r->problem.code == err->code && strcmp(r->problem.text, err->text) == 0)
        return;
    r->problem = *err;
    if (err->code == LG_E_INVALID) /* a place in the stream helps nobody */
        (void)snprintf(r->problem.where, sizeof r->problem.where, "%s", r->what);
    r->report.problems++;
}

static void end_problem(struct lg_reflector *r)
{
    r->failures_in_row = 0;
    r->refusals_in_row = 0;
    set_problem(r, &(struct lg_err){0});
}

/* --- what is asked --- */

static void list_path(struct lg_reflector *r)
{
    char limit[16];
    (void)snprintf(limit, sizeof limit, "%d", LG_LIST_PAGE);
    if (r->mode == FIRST)
        lg_path_query(&r->path, "resourceVersion", LG_STR("0"));
    else if (r->mode == AGAIN && r->intake.version != NULL)
        lg_path_query(&r->path, "resourceVersion", lg_str_of(r->intake.version));
    else if (r->mode == PAGES)
        lg_path_query(&r->path, "limit", lg_str_of(limit));
    if (r->next != NULL)
        lg_path_query(&r->path, "continue", lg_str_of(r->next));
}

static void watch_path(struct lg_reflector *r, int64_t seconds)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%lld", (long long)seconds);
    lg_path_query(&r->path, "watch", LG_STR("1"));
    lg_path_query(&r->path, "allowWatchBookmarks", LG_STR("true"));
    lg_path_query(&r->path, "resourceVersion", lg_str_of(r->intake.version));
    lg_path_query(&r->path, "timeoutSeconds", lg_str_of(text));
}

enum lg_ask lg_reflector_wants(const struct lg_reflector *r, int64_t now_ms)
{
    return r->state == WAITING && now_ms >= r->due_ms ? r->plan : LG_ASK_NOTHING;
}

/* A watch that stands for a while shows that all is well again. */
static int64_t look_at_watch(struct lg_reflector *r, int64_t now_ms)
{
    bool trouble = r->failures_in_row != 0 || r->problem.code != LG_E_OK;
    if (r->state != WATCHING || r->head_ms == 0 || !trouble)
        return INT64_MAX;
    if (now_ms - r->head_ms < LG_STEADY_MS)
        return r->head_ms + LG_STEADY_MS;
    end_problem(r);
    return INT64_MAX;
}

struct lg_reflector_request lg_reflector_next(struct lg_reflector *r, int64_t now_ms)
{
    const struct lg_gvk *gvk = lg_gvk(r->intake.kind);
    enum lg_ask ask = lg_reflector_wants(r, now_ms);
    struct lg_reflector_request request = {.ask = ask};
    if (ask == LG_ASK_NOTHING) {
        request.at_ms = r->state == WAITING ? r->due_ms : look_at_watch(r, now_ms);
        return request;
    }
    r->path.n = 0;
    lg_path_all(&r->path, &(struct lg_resource){gvk->group, r->api_version, gvk->plural});
    drop_frame(r);
    r->framed = true;
    r->head_ms = 0;
    r->asked_ms = now_ms;
    r->intake.error_event = false;
    if (ask == LG_ASK_LIST) {
        r->state = LISTING;
        r->report.lists++;
        list_path(r);
        lg_frame_init(&r->frame, LG_FRAME_LIST, 0, lg_intake_item, &r->intake);
        request.deadline_ms = LIST_DEADLINE_MS;
        request.idle_ms = LIST_IDLE_MS;
    } else {
        int64_t seconds = draw_between(r, LG_WATCH_S_MIN, LG_WATCH_S_MAX);
        r->state = WATCHING;
        r->report.watches++;
        watch_path(r, seconds);
        lg_frame_init(&r->frame, LG_FRAME_WATCH, 0, lg_intake_event, &r->intake);
        request.deadline_ms = seconds * 1000 + WATCH_GRACE_MS;
        request.head_ms = WATCH_HEAD_MS;
        request.idle_ms = WATCH_IDLE_MS;
    }
    request.path = lg_buf_view(&r->path);
    return request;
}

/* --- what came --- */

void lg_reflector_head(struct lg_reflector *r, int64_t now_ms)
{
    if (r->state == WATCHING && r->head_ms == 0)
        r->head_ms = now_ms;
    r->report.heard_ms = now_ms;
}

enum lg_err_code lg_reflector_chunk(struct lg_reflector *r, struct lg_str chunk, int64_t now_ms,
                                    struct lg_err *err)
{
    assert(r->state != WAITING);
    r->report.heard_ms = now_ms;
    return lg_frame_feed(&r->frame, chunk, err);
}

static void set_known(struct lg_reflector *r, enum lg_known known)
{
    lg_store_set_known(r->intake.store, r->intake.kind, known);
    r->report.known = known;
    r->report.settled = true;
    r->report.failing_since_ms = 0;
}

/* True when there is another version to ask for, and it was not asked for yet. */
static bool turn_version(struct lg_reflector *r)
{
    const struct lg_gvk *gvk = lg_gvk(r->intake.kind);
    r->turned = gvk->also != NULL && !r->turned;
    if (r->turned)
        r->api_version = r->api_version == gvk->version ? gvk->also : gvk->version;
    return r->turned;
}

/* 404 or 403 for a list: believed when nothing else is known, or it is said again and again. */
static void list_refused(struct lg_reflector *r, const struct lg_err *err, int64_t now_ms)
{
    bool forbidden = err->code == LG_E_DENIED;
    r->mode = FIRST;
    if (!forbidden && turn_version(r)) {
        plan(r, LG_ASK_LIST, now_ms);
        return;
    }
    r->refusals_in_row++;
    if (r->report.known == LG_KNOWN && r->refusals_in_row < LG_REFUSALS_BELIEVED) {
        plan(r, LG_ASK_LIST, now_ms + backoff(r, 0));
        return;
    }
    lg_store_replace(r->intake.store, r->intake.kind, NULL, 0);
    set_known(r, forbidden ? LG_FORBIDDEN : LG_NOT_SERVED);
    set_text(&r->intake.version, NULL);
    set_problem(r, forbidden ? err : &(struct lg_err){0});
    plan(r, LG_ASK_LIST, now_ms + draw_between(r, LG_ABSENT_RETRY_MS, LG_ABSENT_RETRY_MS * 4 / 3));
}

static void list_failed(struct lg_reflector *r, const struct lg_err *err, int64_t retry_after_s,
                        int64_t now_ms)
{
    bool paged = r->next != NULL;
    lg_intake_drop(&r->intake);
    set_text(&r->next, NULL);
    if (r->report.failing_since_ms == 0)
        r->report.failing_since_ms = r->asked_ms;
    if (err->code == LG_E_DENIED || err->code == LG_E_NOTFOUND) {
        list_refused(r, err, now_ms);
        return;
    }
    r->refusals_in_row = 0;
    if (err->code == LG_E_GONE) {
        r->report.expired++;
        r->mode = paged ? WHOLE : PAGES;
    } else if (r->mode == AGAIN && err->code == LG_E_TIMEOUT) {
        r->mode = PAGES; /* this server has not seen our version yet, and may never */
    }
    if (err->code != LG_E_GONE)
        set_problem(r, err);
    plan(r, LG_ASK_LIST, now_ms + backoff(r, retry_after_s));
}

/* LG_E_LIMIT where pages follow each other for ever. */
static enum lg_err_code next_page(struct lg_reflector *r, const struct lg_frame_list *list,
                                  struct lg_err *err)
{
    bool again = r->next != NULL && list->next != NULL && strcmp(r->next, list->next) == 0;
    if (again)
        return lg_err_set(err, LG_E_LIMIT, r->what,
                          "the list does not end: a page is followed by itself (the same "
                          "`continue` twice)");
    return list->next != NULL ? lg_intake_page(&r->intake, err) : LG_E_OK;
}

/* A page, or the last one. */
static void list_ended(struct lg_reflector *r, struct lg_frame_list *list, int64_t now_ms)
{
    set_text(&r->next, list->next);
    if (r->next != NULL) {
        plan(r, LG_ASK_LIST, now_ms);
        return;
    }
    lg_intake_replace(&r->intake);
    set_text(&r->intake.version, list->resource_version);
    set_known(r, LG_KNOWN);
    r->turned = false;
    r->refusals_in_row = 0;
    r->report.heard_ms = now_ms;
    plan(r, LG_ASK_WATCH, now_ms);
}

static void end_list(struct lg_reflector *r, const struct lg_http_answer *answer, int64_t now_ms)
{
    struct lg_frame_list list lg_cleanup(lg_frame_list_done) = {0};
    struct lg_err err = {0};
    enum lg_err_code code = lg_status_err(answer, &r->about, &err);
    if (code == LG_E_OK)
        code = lg_frame_end(&r->frame, &list, &err);
    if (code == LG_E_OK && !lg_str_ends(lg_str_of(list.kind), "List"))
        code = lg_err_set(&err, LG_E_INVALID, r->what, "the answer is a \"%s\", not a list",
                          list.kind);
    if (code == LG_E_OK)
        code = next_page(r, &list, &err);
    if (code == LG_E_OK)
        list_ended(r, &list, now_ms);
    else
        list_failed(r, &err, answer->retry_after_s, now_ms);
}

/* What a watch's end asks for. */
enum sequel { WATCH_ON, WATCH_LATER, LIST_PAGES, LIST_LATER };

static enum sequel sequel_of(const struct lg_reflector *r, enum lg_err_code code, int status)
{
    bool granted = status >= 200 && status < 300;
    if (code == LG_E_GONE)
        return LIST_PAGES;
    if (code == LG_E_INVALID || code == LG_E_DENIED || code == LG_E_NOTFOUND ||
        r->intake.error_event)
        return LIST_LATER;
    return granted ? WATCH_ON : WATCH_LATER;
}

static void end_watch(struct lg_reflector *r, const struct lg_http_answer *answer, int64_t now_ms)
{
    struct lg_err err = {0};
    enum lg_err_code code = lg_status_err(answer, &r->about, &err);
    enum sequel sequel = sequel_of(r, code, answer->status);
    bool steady = r->head_ms != 0 && now_ms - r->head_ms >= LG_STEADY_MS;
    if (steady)
        end_problem(r);
    if (sequel == WATCH_ON && steady) {
        plan(r, LG_ASK_WATCH, now_ms + draw_between(r, 0, LG_BACKOFF_MS_MIN / 2));
    } else if (sequel == LIST_PAGES) {
        int64_t wait_ms = r->failures_in_row != 0 ? backoff(r, 0) : 0;
        r->failures_in_row += wait_ms == 0; /* once for nothing, then ever later */
        r->report.expired++;
        r->mode = PAGES;
        plan(r, LG_ASK_LIST, now_ms + wait_ms);
    } else {
        bool list = sequel == LIST_LATER;
        /* One that broke off when it was young tells of no trouble yet: what comes of asking again
         * does. */
        bool again = sequel != WATCH_ON || r->failures_in_row != 0;
        if (code != LG_E_OK && again)
            set_problem(r, &err);
        if (list)
            r->mode = AGAIN;
        plan(r, list ? LG_ASK_LIST : LG_ASK_WATCH, now_ms + backoff(r, answer->retry_after_s));
    }
}

void lg_reflector_ended(struct lg_reflector *r, const struct lg_http_answer *answer, int64_t now_ms)
{
    assert(r->state != WAITING);
    if (r->state == LISTING)
        end_list(r, answer, now_ms);
    else
        end_watch(r, answer, now_ms);
    drop_frame(r);
}

struct lg_reflector_report lg_reflector_report(const struct lg_reflector *r)
{
    struct lg_reflector_report report = r->report;
    report.listing = r->state == LISTING;
    report.watching = r->state == WATCHING && r->head_ms != 0;
    report.problem = &r->problem;
    report.events = r->intake.events;
    report.bookmarks = r->intake.bookmarks;
    report.unreadable = r->intake.unreadable;
    report.unread = &r->intake.unread;
    return report;
}

bool lg_reflector_stalled(const struct lg_reflector *r, int64_t now_ms)
{
    int64_t last_ms = r->report.heard_ms > r->asked_ms ? r->report.heard_ms : r->asked_ms;
    return r->state == LISTING && now_ms - last_ms >= LG_SETTLED_MS;
}

bool lg_reflector_settled(const struct lg_reflector *r, int64_t now_ms)
{
    int64_t since_ms = r->report.failing_since_ms;
    return r->report.settled || lg_reflector_stalled(r, now_ms) ||
           (since_ms != 0 && now_ms - since_ms >= LG_SETTLED_MS);
}

uint64_t lg_reflector_version(const struct lg_reflector *r)
{
    int64_t version = 0;
    if (r->intake.version == NULL ||
        lg_num_int64(lg_str_of(r->intake.version), &version) != LG_E_OK)
        return 0;
    return version > 0 ? (uint64_t)version : 0;
}
