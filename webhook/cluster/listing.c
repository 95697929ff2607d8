#include "webhook/cluster/listing.h"

#include <stdio.h>
#include <stdlib.h>

#include "rules/core/mem.h"
#include "rules/kube/meta.h"
#include "webhook/cluster/frame.h"
#include "webhook/cluster/path.h"
#include "webhook/cluster/status.h"

enum { PAGE = 500, PAGE_MS = 120 * 1000, IDLE_MS = 30 * 1000, TURN_MS = 1000, PAGES_MAX = 20000 };

struct listing {
    const struct lg_listing_options *options;
    struct lg_arena arena; /* one object */
    char *next;            /* `continue` of the next page; NULL: the first, or the last is done */
    /* the page that is under way */
    struct lg_frame frame;
    bool done;
    enum lg_err_code code;
    struct lg_err err;
    char *offered; /* `continue` that came with 410 */
    bool accepted; /* the page is asked for by such an offer */
};

static void listing_done(struct listing *listing)
{
    free(listing->next);
    free(listing->offered);
    lg_arena_done(&listing->arena);
}

static enum lg_err_code on_item(void *arg, struct lg_str text, struct lg_err *err)
{
    struct listing *listing = arg;
    struct lg_err why = {0};
    struct lg_listing_item item = {.arena = &listing->arena};
    lg_arena_reset(&listing->arena);
    enum lg_err_code code =
        text.p == NULL ? lg_err_set(&why, LG_E_LIMIT, "", "the object is larger than 4 MiB")
                       : lg_meta_parse(&listing->arena, text, &item.object, &why);
    if (code == LG_E_LIMIT)
        item.unread = &why;
    else if (code != LG_E_OK)
        return lg_err_set(err, code, why.where, "an item of the list is not JSON: %s", why.text);
    return listing->options->item(listing->options->arg, &item, err);
}

static enum lg_err_code on_chunk(void *arg, struct lg_str chunk, struct lg_err *err)
{
    struct listing *listing = arg;
    return lg_frame_feed(&listing->frame, chunk, err);
}

/* An expired `continue` comes with one that goes on from there as things are now. */
static void take_offer(struct listing *listing, struct lg_str body)
{
    struct lg_val status = LG_NONE;
    lg_arena_reset(&listing->arena);
    if (lg_json_parse(&listing->arena, body, &status, NULL) != LG_E_OK)
        return;
    struct lg_str offered = lg_json_str_at(status, "metadata.continue");
    free(lg_steal(listing->offered));
    if (offered.n != 0)
        listing->offered = lg_memdup(offered.p, offered.n);
}

static void on_done(void *arg, const struct lg_http_answer *answer)
{
    struct listing *listing = arg;
    const struct lg_listing_options *options = listing->options;
    const struct lg_gvk *gvk = lg_gvk(options->kind);
    char what[160];
    (void)snprintf(what, sizeof what, "%s%s%s", gvk->plural, *gvk->group != '\0' ? "." : "",
                   gvk->group);
    const struct lg_status_about about = {.server = options->server,
                                          .credential = options->credential,
                                          .verbs = "list",
                                          .what = what};
    listing->done = true;
    listing->code = lg_status_err(answer, &about, &listing->err);
    if (listing->code == LG_E_GONE)
        take_offer(listing, answer->body);
}

static enum lg_err_code path_of(const struct listing *listing, const char *version,
                                struct lg_buf *path, struct lg_err *err)
{
    const struct lg_listing_options *options = listing->options;
    const struct lg_gvk *gvk = lg_gvk(options->kind);
    const struct lg_resource resource = {gvk->group, version, gvk->plural};
    char limit[16];
    if (options->ns.n == 0 || !gvk->namespaced) {
        lg_path_all(path, &resource);
    } else {
        enum lg_err_code code = lg_path_in(path, &resource, options->ns, err);
        if (code != LG_E_OK)
            return code;
    }
    (void)snprintf(limit, sizeof limit, "%d", PAGE);
    lg_path_query(path, "limit", lg_str_of(limit));
    if (options->labels != NULL)
        lg_path_query(path, "labelSelector", lg_str_of(options->labels));
    if (listing->next != NULL)
        lg_path_query(path, "continue", lg_str_of(listing->next));
    return LG_E_OK;
}

/* One page; on success `next` is what follows it. */
static enum lg_err_code page(struct listing *listing, const char *version, struct lg_err *err)
{
    struct lg_buf path lg_cleanup(lg_buf_done) = {0};
    struct lg_frame_list list lg_cleanup(lg_frame_list_done) = {0};
    enum lg_err_code code = path_of(listing, version, &path, err);
    if (code != LG_E_OK)
        return code;
    lg_frame_init(&listing->frame, LG_FRAME_LIST, 0, on_item, listing);
    listing->done = false;
    listing->err = (struct lg_err){0};
    const struct lg_http_request request = {.method = LG_HTTP_GET,
                                            .path = lg_buf_view(&path),
                                            .deadline_ms = PAGE_MS,
                                            .idle_ms = IDLE_MS,
                                            .bulk = true,
                                            .chunk = on_chunk,
                                            .done = on_done,
                                            .arg = listing};
    (void)lg_http_start(listing->options->http, &request);
    while (!listing->done)
        lg_http_turn(listing->options->http, TURN_MS);
    code = listing->code;
    if (code == LG_E_OK)
        code = lg_frame_end(&listing->frame, &list, &listing->err);
    lg_frame_done(&listing->frame);
    if (code != LG_E_OK)
        return lg_err_set(err, code, listing->err.where, "%s", listing->err.text);
    free(listing->next);
    listing->next = lg_steal(list.next);
    listing->accepted = false;
    return LG_E_OK;
}

/* True when an expired page can be gone on with: an offer that has expired itself is no way on. */
static bool go_on(struct listing *listing, enum lg_err_code code)
{
    if (code != LG_E_GONE || listing->offered == NULL || listing->accepted)
        return false;
    listing->accepted = true;
    free(listing->next);
    listing->next = lg_steal(listing->offered);
    return true;
}

static enum lg_err_code pages(struct listing *listing, const char *version, struct lg_err *err)
{
    for (int n = 0; n < PAGES_MAX; n++) {
        struct lg_err own = {0};
        enum lg_err_code code = page(listing, version, &own);
        if (code != LG_E_OK && !go_on(listing, code))
            return lg_err_set(err, code, own.where, "%s", own.text);
        if (listing->next == NULL)
            return LG_E_OK;
    }
    return lg_err_set(err, LG_E_LIMIT, listing->options->server, "the list does not end");
}

enum lg_err_code lg_listing_run(const struct lg_listing_options *options, enum lg_known *ret_known,
                                struct lg_err *err)
{
    const struct lg_gvk *gvk = lg_gvk(options->kind);
    struct listing listing lg_cleanup(listing_done) = {.options = options};
    struct lg_err own = {0};
    lg_arena_init(&listing.arena);
    enum lg_err_code code = pages(&listing, gvk->version, &own);
    if (code == LG_E_NOTFOUND && gvk->also != NULL) {
        own = (struct lg_err){0};
        code = pages(&listing, gvk->also, &own);
    }
    *ret_known = code == LG_E_NOTFOUND ? LG_NOT_SERVED
                 : code == LG_E_DENIED ? LG_FORBIDDEN
                                       : LG_KNOWN;
    if (code == LG_E_OK || *ret_known != LG_KNOWN)
        return LG_E_OK;
    return lg_err_set(err, code, own.where, "%s", own.text);
}
