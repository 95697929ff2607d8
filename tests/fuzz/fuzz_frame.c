/* Any bytes as a list and as a watch: the splitter never crashes, and gives the same items and the
 * same end however the bytes arrive. The first byte chooses where they are cut. What is accepted as
 * a list is one for the JSON reader too. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "rules/core/json.h"
#include "rules/core/mem.h"
#include "webhook/cluster/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ITEM_BYTES_MAX = 256 };

struct outcome {
    struct lg_buf items;
    size_t n;
    enum lg_err_code code;
    struct lg_frame_list list;
};

static enum lg_err_code on_item(void *arg, struct lg_str item, struct lg_err *err)
{
    struct outcome *outcome = arg;
    (void)err;
    assert(item.n <= ITEM_BYTES_MAX);
    assert(item.p == NULL || item.p[0] == '{');
    lg_buf_printf(&outcome->items, "<%zu>", item.n);
    lg_buf_str(&outcome->items, item);
    outcome->n++;
    return LG_E_OK;
}

static struct outcome run(enum lg_frame_kind kind, struct lg_str text, size_t step)
{
    struct outcome outcome = {0};
    struct lg_frame frame;
    struct lg_err err = {0};
    lg_frame_init(&frame, kind, ITEM_BYTES_MAX, on_item, &outcome);
    for (size_t at = 0; at < text.n && outcome.code == LG_E_OK; at += step) {
        size_t n = step < text.n - at ? step : text.n - at;
        char *piece = lg_memdup(text.p + at, n);
        outcome.code = lg_frame_feed(&frame, (struct lg_str){piece, n}, &err);
        free(piece);
    }
    if (outcome.code == LG_E_OK)
        outcome.code = lg_frame_end(&frame, &outcome.list, &err);
    assert(outcome.code == err.code);
    lg_frame_done(&frame);
    return outcome;
}

static void outcome_done(struct outcome *outcome)
{
    lg_buf_done(&outcome->items);
    lg_frame_list_done(&outcome->list);
}

static bool same_text(const char *a, const char *b)
{
    return (a == NULL) == (b == NULL) && (a == NULL || strcmp(a, b) == 0);
}

static void check(enum lg_frame_kind kind, struct lg_str text, size_t step)
{
    struct outcome whole = run(kind, text, text.n != 0 ? text.n : 1);
    struct outcome cut = run(kind, text, step);
    assert(whole.code == cut.code && whole.n == cut.n);
    assert(lg_str_eq(lg_buf_view(&whole.items), lg_buf_view(&cut.items)));
    assert(same_text(whole.list.resource_version, cut.list.resource_version));
    assert(same_text(whole.list.next, cut.list.next));
    assert(same_text(whole.list.kind, cut.list.kind));
    outcome_done(&whole);
    outcome_done(&cut);
}

/* A text that the reader takes and that is a list gives the same items here. */
static void compare(struct lg_str text)
{
    struct lg_arena arena = {0};
    struct lg_val root;
    if (lg_json_parse(&arena, text, &root, NULL) == LG_E_OK) {
        struct outcome outcome = run(LG_FRAME_LIST, text, text.n != 0 ? text.n : 1);
        struct lg_val items = lg_json_get(root, "items");
        if (outcome.code == LG_E_OK) {
            assert(outcome.n == lg_json_len(items));
            assert(lg_str_is(lg_json_str_at(root, "metadata.resourceVersion"),
                             outcome.list.resource_version));
        }
        outcome_done(&outcome);
    }
    lg_arena_done(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct lg_str text = {(const char *)data + 1, size - 1};
    size_t step = (size_t)data[0] % 32 + 1;
    check(LG_FRAME_LIST, text, step);
    check(LG_FRAME_WATCH, text, step);
    compare(text);
    return 0;
}
