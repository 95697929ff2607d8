#include "webhook/cluster/reflector.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "rules/core/mem.h"
#include "rules/core/num.h"
#include "rules/kube/meta.h"
#include "webhook/cluster/frame.h"
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
    VERSION_BYTES_MAX = 256,
};

struct lg_reflector {
    enum lg_kind kind;
    struct lg_store *store;
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
    char *version; /* NULL: none yet */
    char *next;    /* continue of the next page */
    unsigned failures_in_row, refusals_in_row;

    struct lg_frame frame;
    bool framed;
    int64_t head_ms; /* when the watch was granted; 0: not yet */
    bool error_event;
    struct lg_record **aside;
    size_t n_aside, size_aside;
    size_t aside_bytes, objects_max;
    unsigned pages; /* of this list */

    struct lg_arena arena; /* of one item */
    struct lg_buf path;
    struct lg_err problem, unread;
    struct lg_reflector_report report;
};

/* --- life --- */

struct lg_reflector *lg_reflector_new(const struct lg_reflector_options *options)
{
    const struct lg_gvk *gvk = lg_gvk(options->kind);
    struct lg_reflector *r = lg_calloc(1, sizeof *r);
    r->kind = options->kind;
    r->store = options->store;
    r->random = options->seed * 2 + 1;
    r->objects_max = options->objects_max != 0 ? options->objects_max : LG_LIST_OBJECTS_MAX;
    r->api_version = gvk->version;
    (void)snprintf(r->what, sizeof r->what, "%s%s%s", gvk->plural, *gvk->group != '\0' ? "." : "",
                   gvk->group);
    r->about = (struct lg_status_about){.server = options->server,
                                        .credential = options->credential,
                                        .verbs = "list and watch",
                                        .what = r->what};
    r->plan = LG_ASK_LIST;
    r->mode = FIRST;
    lg_arena_init(&r->arena);
    lg_store_set_known(r->store, r->kind, LG_NOT_SYNCED);
    r->report.known = LG_NOT_SYNCED;
    return r;
}

static void drop_aside(struct lg_reflector *r)
{
    for (size_t i = 0; i < r->n_aside; i++)
        lg_record_unref(r->aside[i]);
    free(r->aside);
    r->aside = NULL;
    r->n_aside = 0;
    r->size_aside = 0;
    r->aside_bytes = 0;
    r->pages = 0;
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
    drop_aside(take_reflector);
    free(take_reflector->version);
    free(take_reflector->next);
    lg_arena_done(&take_reflector->arena);
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
    else if (r->mode == AGAIN && r->version != NULL)
        lg_path_query(&r->path, "resourceVersion", lg_str_of(r->version));
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
    lg_path_query(&r->path, "resourceVersion", lg_str_of(r->version));
    lg_path_query(&r->path, "timeoutSeconds", lg_str_of(text));
}

static enum lg_err_code on_list_item(void *arg, struct lg_str item, struct lg_err *err);
static enum lg_err_code on_event(void *arg, struct lg_str event, struct lg_err *err);

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
    const struct lg_gvk *gvk = lg_gvk(r->kind);
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
    r->error_event = false;
    if (ask == LG_ASK_LIST) {
        r->state = LISTING;
        r->report.lists++;
        list_path(r);
        lg_frame_init(&r->frame, LG_FRAME_LIST, 0, on_list_item, r);
        request.deadline_ms = LIST_DEADLINE_MS;
        request.idle_ms = LIST_IDLE_MS;
    } else {
        int64_t seconds = draw_between(r, LG_WATCH_S_MIN, LG_WATCH_S_MAX);
        r->state = WATCHING;
        r->report.watches++;
        watch_path(r, seconds);
        lg_frame_init(&r->frame, LG_FRAME_WATCH, 0, on_event, r);
        request.deadline_ms = seconds * 1000 + WATCH_GRACE_MS;
        request.head_ms = WATCH_HEAD_MS;
        request.idle_ms = WATCH_IDLE_MS;
    }
    request.path = lg_buf_view(&r->path);
    return request;
}

/* --- objects --- */

/* "namespace/name: path", the text as it is. */
static void note_unread(struct lg_reflector *r, struct lg_val object, const struct lg_err *why)
{
    struct lg_buf where lg_cleanup(lg_buf_done) = {0};
    struct lg_str ns = lg_json_str_at(object, "metadata.namespace");
    lg_buf_str(&where, ns);
    if (ns.n != 0)
        lg_buf_putc(&where, '/');
    lg_buf_str(&where, lg_json_str_at(object, "metadata.name"));
    lg_buf_printf(&where, ": %s", why->where);
    r->unread = (struct lg_err){0};
    (void)lg_err_set(&r->unread, why->code, where.p, "%s", why->text);
    r->report.unreadable++;
}

/* Given; NULL: the object cannot be read, which is noted. */
static struct lg_record *read_record(struct lg_reflector *r, struct lg_val object)
{
    struct lg_record *record = NULL;
    struct lg_err err = {0};
    if (lg_record_new_as(r->kind, object, &record, &err) == LG_E_OK)
        return record;
    note_unread(r, object, &err);
    return NULL;
}

/* The one that is there already where nothing differs: a relist costs no second copy of what did not change. */
static struct lg_record *share(struct lg_reflector *r, struct lg_record *take_record)
{
    const struct lg_record *old =
        lg_store_find(r->store, r->kind, take_record->ns, take_record->name);
    if (old == NULL || !lg_record_equal(old, take_record))
        return take_record;
    lg_record_unref(take_record);
    return lg_record_ref((struct lg_record *)old);
}

static enum lg_err_code endless(struct lg_reflector *r, struct lg_err *err)
{
    return lg_err_set(err, LG_E_LIMIT, r->what,
                      "the list does not end: livegate keeps %zu objects of a resource, %d MiB of "
                      "them and %d pages, and more came",
                      r->objects_max, LG_LIST_BYTES_MAX / 1024 / 1024, LG_LIST_PAGES_MAX);
}

static enum lg_err_code on_list_item(void *arg, struct lg_str item, struct lg_err *err)
{
    struct lg_reflector *r = arg;
    struct lg_val object = LG_NONE;
    struct lg_err why = {0};
    lg_arena_reset(&r->arena);
    enum lg_err_code code =
        item.p == NULL ? lg_err_set(&why, LG_E_LIMIT, "", "the object is larger than 4 MiB")
                       : lg_meta_parse(&r->arena, item, &object, &why);
    if (code == LG_E_LIMIT) {
        note_unread(r, object, &why);
        return LG_E_OK;
    }
    if (code != LG_E_OK)
        return lg_err_set(err, code, why.where, "an item of the list is not JSON: %s", why.text);
    struct lg_record *record = read_record(r, object);
    if (record == NULL)
        return LG_E_OK;
    if (r->n_aside == r->objects_max || r->aside_bytes >= LG_LIST_BYTES_MAX) {
        lg_record_unref(record);
        return endless(r, err);
    }
    r->aside_bytes += record->bytes;
    if (r->n_aside == r->size_aside) {
        r->size_aside = r->size_aside != 0 ? r->size_aside * 2 : 64;
        r->aside = lg_realloc(r->aside, r->size_aside, sizeof(struct lg_record *));
    }
    r->aside[r->n_aside++] = share(r, record);
    return LG_E_OK;
}

/* --- events --- */

static enum lg_err_code bad_event(struct lg_err *err, const char *why)
{
    return lg_err_set(err, LG_E_INVALID, "", "the watch sent what is no event: %s", why);
}

static enum lg_err_code on_error_event(struct lg_reflector *r, struct lg_val status,
                                       struct lg_err *err)
{
    int64_t code = 0;
    struct lg_str message = lg_str_cut(lg_json_str(lg_json_get(status, "message")), 200);
    struct lg_buf text lg_cleanup(lg_buf_done) = {0};
    if (lg_json_int64(lg_json_get(status, "code"), &code) != LG_E_OK)
        code = 0;
    lg_buf_printable(&text, message);
    bool expired = code == 410 || lg_json_is(lg_json_get(status, "reason"), "Expired") ||
                   lg_json_is(lg_json_get(status, "reason"), "Gone");
    r->error_event = true;
    return lg_err_set(err, expired ? LG_E_GONE : LG_E_UNAVAILABLE, r->about.server,
                      "the watch ended with an error %lld: %s", (long long)code,
                      text.p != NULL ? text.p : "");
}

static enum lg_err_code on_change(struct lg_reflector *r, struct lg_val object, bool deleted,
                                  struct lg_err *err)
{
    struct lg_str ns = lg_json_str_at(object, "metadata.namespace");
    struct lg_str name = lg_json_str_at(object, "metadata.name");
    if (name.n == 0)
        return bad_event(err, "its object has no name");
    r->report.events++;
    struct lg_record *record = deleted ? NULL : read_record(r, object);
    if (record != NULL)
        (void)lg_store_set(r->store, record);
    else
        (void)lg_store_remove(r->store, r->kind, ns, name);
    return LG_E_OK;
}

static enum lg_err_code set_version(struct lg_reflector *r, struct lg_str version,
                                    struct lg_err *err)
{
    if (version.n == 0 || version.n > VERSION_BYTES_MAX ||
        memchr(version.p, '\0', version.n) != NULL)
        return bad_event(err, "its object has no resourceVersion");
    if (r->version != NULL && strlen(r->version) == version.n) {
        memcpy(r->version, version.p, version.n); /* nearly always, and without an allocation */
        return LG_E_OK;
    }
    free(r->version);
    r->version = lg_memdup(version.p, version.n);
    return LG_E_OK;
}

static enum lg_err_code on_event(void *arg, struct lg_str event, struct lg_err *err)
{
    struct lg_reflector *r = arg;
    struct lg_val root = LG_NONE;
    struct lg_err why = {0};
    lg_arena_reset(&r->arena);
    if (event.p == NULL)
        return bad_event(err, "it is larger than 4 MiB");
    enum lg_err_code code = lg_meta_parse(&r->arena, event, &root, &why);
    struct lg_val type = lg_json_get(root, "type");
    struct lg_val object = lg_json_get(root, "object");
    bool deleted = lg_json_is(type, "DELETED");
    bool changed = deleted || lg_json_is(type, "ADDED") || lg_json_is(type, "MODIFIED");
    struct lg_str version = lg_json_str_at(object, "metadata.resourceVersion");
    if (code == LG_E_LIMIT && changed && version.n != 0) {
        /* Too deep, too long or a key twice: what stood before says which object it is. */
        note_unread(r, object, &why);
        deleted = true;
    } else if (code != LG_E_OK) {
        return bad_event(err, why.text);
    }
    if (lg_json_is(type, "ERROR"))
        return on_error_event(r, object, err);
    if (lg_json_is(type, "BOOKMARK"))
        r->report.bookmarks++;
    else if (!changed)
        return bad_event(err, "its type is unknown");
    else if (on_change(r, object, deleted, err) != LG_E_OK)
        return LG_E_INVALID;
    return set_version(r, version, err);
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
    lg_store_set_known(r->store, r->kind, known);
    r->report.known = known;
    r->report.settled = true;
    r->report.failing_since_ms = 0;
}

/* True when there is another version to ask for, and it was not asked for yet. */
static bool turn_version(struct lg_reflector *r)
{
    const struct lg_gvk *gvk = lg_gvk(r->kind);
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
    lg_store_replace(r->store, r->kind, NULL, 0);
    set_known(r, forbidden ? LG_FORBIDDEN : LG_NOT_SERVED);
    set_text(&r->version, NULL);
    set_problem(r, forbidden ? err : &(struct lg_err){0});
    plan(r, LG_ASK_LIST, now_ms + draw_between(r, LG_ABSENT_RETRY_MS, LG_ABSENT_RETRY_MS * 4 / 3));
}

static void list_failed(struct lg_reflector *r, const struct lg_err *err, int64_t retry_after_s,
                        int64_t now_ms)
{
    bool paged = r->next != NULL;
    drop_aside(r);
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
    if (list->next != NULL && ++r->pages == LG_LIST_PAGES_MAX)
        return endless(r, err);
    return LG_E_OK;
}

/* A page, or the last one. */
static void list_ended(struct lg_reflector *r, struct lg_frame_list *list, int64_t now_ms)
{
    set_text(&r->next, list->next);
    if (r->next != NULL) {
        plan(r, LG_ASK_LIST, now_ms);
        return;
    }
    lg_store_replace(r->store, r->kind, r->aside, r->n_aside);
    r->n_aside = 0; /* taken */
    drop_aside(r);
    set_text(&r->version, list->resource_version);
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
    if (code == LG_E_INVALID || code == LG_E_DENIED || code == LG_E_NOTFOUND || r->error_event)
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
        /* One that broke off when it was young tells of no trouble yet: what comes of asking again does. */
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
    report.unread = &r->unread;
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
    if (r->version == NULL || lg_num_int64(lg_str_of(r->version), &version) != LG_E_OK)
        return 0;
    return version > 0 ? (uint64_t)version : 0;
}
