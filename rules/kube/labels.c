#include "rules/kube/labels.h"

#include <stdlib.h>

#include "rules/kube/names.h"

static int by_key(const void *a, const void *b)
{
    return lg_str_cmp(((const struct lg_label *)a)->key, ((const struct lg_label *)b)->key);
}

struct lg_labels lg_labels_read(struct lg_val map, struct lg_arena *arena)
{
    if (lg_json_kind(map) != LG_JSON_OBJECT)
        return (struct lg_labels){0};
    struct lg_label *items = lg_arena_array(arena, lg_json_len(map), sizeof *items);
    uint32_t n = 0;
    for (struct lg_json_iter it = lg_json_iter(map); lg_json_next(&it);)
        if (lg_json_kind(it.val) == LG_JSON_STRING)
            items[n++] = (struct lg_label){it.key, lg_json_str(it.val)};
    qsort(items, n, sizeof *items, by_key);
    return (struct lg_labels){items, n};
}

const struct lg_str *lg_labels_get(struct lg_labels labels, struct lg_str key)
{
    const struct lg_label wanted = {.key = key};
    if (labels.n == 0)
        return NULL;
    const struct lg_label *found = bsearch(&wanted, labels.items, labels.n, sizeof wanted, by_key);
    return found != NULL ? &found->value : NULL;
}

static const char *const effects[] = {
    [LG_EFFECT_NONE] = "",
    [LG_EFFECT_NO_SCHEDULE] = "NoSchedule",
    [LG_EFFECT_PREFER_NO_SCHEDULE] = "PreferNoSchedule",
    [LG_EFFECT_NO_EXECUTE] = "NoExecute",
};

enum lg_effect lg_effect_of(struct lg_str text)
{
    for (int i = LG_EFFECT_NO_SCHEDULE; i <= LG_EFFECT_NO_EXECUTE; i++)
        if (lg_str_is(text, effects[i]))
            return (enum lg_effect)i;
    return LG_EFFECT_NONE;
}

const char *lg_effect_name(enum lg_effect effect)
{
    return effects[effect];
}

struct lg_taints lg_taints_read(struct lg_val list, struct lg_arena *arena)
{
    if (lg_json_kind(list) != LG_JSON_ARRAY)
        return (struct lg_taints){0};
    struct lg_taint *items = lg_arena_array(arena, lg_json_len(list), sizeof *items);
    uint32_t n = 0;
    for (struct lg_json_iter it = lg_json_iter(list); lg_json_next(&it);)
        items[n++] = (struct lg_taint){
            .key = lg_json_str_at(it.val, "key"),
            .value = lg_json_str_at(it.val, "value"),
            .effect = lg_effect_of(lg_json_str_at(it.val, "effect")),
        };
    return (struct lg_taints){items, n};
}

struct lg_tolerations lg_tolerations_read(struct lg_val list, struct lg_arena *arena)
{
    if (lg_json_kind(list) != LG_JSON_ARRAY)
        return (struct lg_tolerations){0};
    struct lg_toleration *items = lg_arena_array(arena, lg_json_len(list), sizeof *items);
    uint32_t n = 0;
    for (struct lg_json_iter it = lg_json_iter(list); lg_json_next(&it);) {
        struct lg_str op = lg_json_str_at(it.val, "operator");
        struct lg_str effect = lg_json_str_at(it.val, "effect");
        bool exists = lg_str_is(op, "Exists");
        enum lg_effect known = lg_effect_of(effect);
        items[n++] = (struct lg_toleration){
            .key = lg_json_str_at(it.val, "key"),
            .value = lg_json_str_at(it.val, "value"),
            .exists = exists,
            /* An effect that is none is no taint's either. */
            .invalid = (!exists && op.n != 0 && !lg_str_is(op, "Equal")) ||
                       (effect.n != 0 && known == LG_EFFECT_NONE),
            .effect = known,
        };
    }
    return (struct lg_tolerations){items, n};
}

bool lg_tolerated(struct lg_tolerations tolerations, const struct lg_taint *taint)
{
    for (uint32_t i = 0; i < tolerations.n; i++) {
        const struct lg_toleration *t = &tolerations.items[i];
        if (t->invalid || (t->effect != LG_EFFECT_NONE && t->effect != taint->effect) ||
            (t->key.n != 0 && !lg_str_eq(t->key, taint->key)))
            continue;
        if (t->exists || lg_str_eq(t->value, taint->value))
            return true;
    }
    return false;
}

/* True when all values are strings that a label can have; *ret_in: `has` is one of them. */
static bool read_values(struct lg_val values, const struct lg_str *has, bool *ret_in)
{
    *ret_in = false;
    for (struct lg_json_iter it = lg_json_iter(values); lg_json_next(&it);) {
        if (lg_json_kind(it.val) != LG_JSON_STRING || !lg_name_is_label_value(lg_json_str(it.val)))
            return false;
        *ret_in = *ret_in || (has != NULL && lg_json_is_str(it.val, *has));
    }
    return true;
}

/* An invalid expression matches nothing, whatever the labels. */
static bool expression_matches(struct lg_val expression, struct lg_labels labels)
{
    struct lg_str key = lg_json_str_at(expression, "key");
    struct lg_str op = lg_json_str_at(expression, "operator");
    struct lg_val values = lg_json_get(expression, "values");
    const struct lg_str *has = lg_labels_get(labels, key);
    bool in = false;
    if (!lg_name_is_label_key(key) || !read_values(values, has, &in))
        return false;
    bool empty = lg_json_len(values) == 0;
    if (lg_str_is(op, "In"))
        return !empty && in;
    if (lg_str_is(op, "NotIn"))
        return !empty && !in;
    if (lg_str_is(op, "Exists"))
        return empty && has != NULL;
    return lg_str_is(op, "DoesNotExist") && empty && has == NULL;
}

bool lg_selector_matches(struct lg_val selector, struct lg_labels labels)
{
    if (lg_json_kind(selector) != LG_JSON_OBJECT)
        return false;
    struct lg_val map = lg_json_get(selector, "matchLabels");
    for (struct lg_json_iter it = lg_json_iter(map); lg_json_next(&it);) {
        const struct lg_str *has = lg_labels_get(labels, it.key);
        if (has == NULL || !lg_json_is_str(it.val, *has))
            return false;
    }
    struct lg_val list = lg_json_get(selector, "matchExpressions");
    for (struct lg_json_iter it = lg_json_iter(list); lg_json_next(&it);)
        if (!expression_matches(it.val, labels))
            return false;
    return true;
}
