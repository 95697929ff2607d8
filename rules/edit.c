#include "rules/edit.h"

#include <stdlib.h>

#include "rules/core/mem.h"

/* A stretch of the document's text and what stands there instead. */
struct splice {
    size_t at, n;
    size_t order; /* of two at one place, the earlier edit first */
    struct lg_str text;
};

/* The lists that users write are long, the lists of edits are short; a map would cost more than it
 * saves below this. */
static bool has_edit(const struct lg_edits *edits, const struct lg_edit *edit)
{
    for (size_t i = edits->n; i-- != 0;)
        if (edits->items[i].object.i == edit->object.i && lg_str_eq(edits->items[i].key, edit->key))
            return true;
    return false;
}

void lg_edits_add(struct lg_edits *edits, const struct lg_edit *edit)
{
    if (has_edit(edits, edit))
        return;
    if (edits->n == LG_EDITS_MAX) {
        edits->overflowed = true;
        return;
    }
    if (edits->n == edits->size) {
        size_t size = edits->size != 0 ? 2 * edits->size : 4;
        struct lg_edit *more = lg_arena_array(edits->arena, size, sizeof(*more));
        if (edits->n != 0)
            memcpy(more, edits->items, edits->n * sizeof(*more));
        edits->items = more;
        edits->size = size;
    }
    edits->items[edits->n++] = *edit;
}

/* The member's value, null included; its key is the node before it. */
static struct lg_val member(const struct lg_edit *edit)
{
    for (struct lg_json_iter it = lg_json_iter(edit->object); lg_json_next(&it);)
        if (lg_str_eq(it.key, edit->key))
            return it.val;
    return LG_NONE;
}

static size_t offset(struct lg_val v)
{
    return (size_t)(lg_json_text(v).p - v.doc->text.p);
}

/* An earlier edit that adds a member to the same object: what follows it needs a comma. */
static bool adds_before(const struct lg_edits *edits, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (edits->items[k].object.i == edits->items[i].object.i &&
            member(&edits->items[k]).doc == NULL)
            return true;
    return false;
}

static struct splice splice_of(const struct lg_edits *edits, size_t i)
{
    const struct lg_edit *edit = &edits->items[i];
    struct lg_str name = edit->to.n != 0 ? edit->to : edit->key;
    struct lg_val value = member(edit);
    if (value.doc == NULL) {
        bool comma = lg_json_len(edit->object) != 0 || adds_before(edits, i);
        return (struct splice){
            .at = offset(edit->object) + lg_json_text(edit->object).n - 1,
            .order = i,
            .text = lg_arena_printf(edits->arena, "%s\"%.*s\":%.*s", comma ? "," : "", LG_ARG(name),
                                    LG_ARG(edit->json)),
        };
    }
    size_t end = offset(value) + lg_json_text(value).n;
    size_t at = edit->to.n != 0 ? offset((struct lg_val){value.doc, value.i - 1}) : offset(value);
    struct lg_str text = edit->json;
    if (edit->to.n != 0)
        text = lg_arena_printf(edits->arena, "\"%.*s\":%.*s", LG_ARG(name), LG_ARG(edit->json));
    return (struct splice){.at = at, .n = end - at, .order = i, .text = text};
}

static int by_place(const void *a, const void *b)
{
    const struct splice *x = a, *y = b;
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

struct lg_str lg_edits_text(const struct lg_edits *edits, struct lg_val root)
{
    struct splice *splices = lg_arena_array(edits->arena, edits->n, sizeof(*splices));
    for (size_t i = 0; i < edits->n; i++)
        splices[i] = splice_of(edits, i);
    qsort(splices, edits->n, sizeof(*splices), by_place);
    struct lg_buf buf lg_cleanup(lg_buf_done) = {0};
    struct lg_str text = lg_json_text(root);
    size_t start = offset(root);
    size_t at = start;
    for (size_t i = 0; i < edits->n; i++) {
        lg_buf_add(&buf, text.p + (at - start), splices[i].at - at);
        lg_buf_str(&buf, splices[i].text);
        at = splices[i].at + splices[i].n;
    }
    lg_buf_add(&buf, text.p + (at - start), text.n - (at - start));
    return lg_arena_str(edits->arena, lg_buf_view(&buf));
}

void lg_edits_patch(const struct lg_edits *edits, struct lg_val root, struct lg_patch *patch)
{
    for (size_t i = 0; i < edits->n; i++) {
        const struct lg_edit *edit = &edits->items[i];
        struct lg_str above = lg_patch_pointer(root, edit->object, edits->arena);
        struct lg_str pointer = lg_patch_below(above, edit->key, edits->arena);
        if (edit->to.n != 0) {
            lg_patch_remove(patch, pointer);
            lg_patch_add(patch, lg_patch_below(above, edit->to, edits->arena), edit->json);
        } else if (member(edit).doc != NULL) {
            lg_patch_replace(patch, pointer, edit->json);
        } else {
            lg_patch_add(patch, pointer, edit->json);
        }
    }
}
