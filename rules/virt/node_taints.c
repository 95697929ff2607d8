#include "rules/virt/node_taints.h"

#include <stdlib.h>

static bool taint_is_hard(const struct lg_taint *taint)
{
    return taint->effect == LG_EFFECT_NO_SCHEDULE || taint->effect == LG_EFFECT_NO_EXECUTE;
}

int lg_nodes_taint_cmp(const struct lg_taint *a, const struct lg_taint *b)
{
    int order = lg_str_cmp(a->key, b->key);
    if (order == 0)
        order = lg_str_cmp(a->value, b->value);
    return order != 0 ? order : (int)a->effect - (int)b->effect;
}

/* Where the taint stands, or would stand. */
static size_t taint_find(const struct lg_node_taints *taints, const struct lg_taint *taint,
                         bool *ret_found)
{
    size_t low = 0, high = taints->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (lg_nodes_taint_cmp(&taints->items[middle]->taint, taint) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_found = low < taints->n && lg_nodes_taint_cmp(&taints->items[low]->taint, taint) == 0;
    return low;
}

static struct lg_node_taint *taint_make(struct lg_node_taints *taints, const struct lg_taint *taint,
                                        size_t at)
{
    struct lg_node_taint *entry = lg_calloc(1, sizeof(*entry) + taint->key.n + taint->value.n + 1);
    memcpy(entry->text, taint->key.n > 0 ? taint->key.p : "", taint->key.n);
    memcpy(entry->text + taint->key.n, taint->value.n > 0 ? taint->value.p : "", taint->value.n);
    entry->taint = (struct lg_taint){.key = {entry->text, taint->key.n},
                                     .value = {entry->text + taint->key.n, taint->value.n},
                                     .effect = taint->effect};
    lg_bits_init(&entry->nodes, taints->words);
    taints->items = lg_realloc(taints->items, taints->n + 1, sizeof(struct lg_node_taint *));
    memmove(taints->items + at + 1, taints->items + at,
            (taints->n - at) * sizeof(struct lg_node_taint *));
    taints->items[at] = entry;
    taints->n++;
    return entry;
}

static void taint_free(struct lg_node_taint *entry)
{
    free(entry->nodes.words);
    free(entry);
}

void lg_node_taints_init(struct lg_node_taints *taints, size_t words)
{
    *taints = (struct lg_node_taints){.words = words};
}

void lg_node_taints_done(struct lg_node_taints *taints)
{
    for (size_t i = 0; i < taints->n; i++)
        taint_free(taints->items[i]);
    free(taints->items);
}

void lg_node_taints_grow(struct lg_node_taints *taints, size_t words)
{
    for (size_t i = 0; i < taints->n; i++)
        lg_bits_grow(&taints->items[i]->nodes, taints->words, words);
    taints->words = words;
}

void lg_node_taints_put(struct lg_node_taints *taints, const struct lg_taint *taint, size_t slot)
{
    if (!taint_is_hard(taint))
        return;
    bool found;
    size_t at = taint_find(taints, taint, &found);
    struct lg_node_taint *entry = found ? taints->items[at] : taint_make(taints, taint, at);
    lg_bits_put(&entry->nodes, slot, true);
}

void lg_node_taints_drop(struct lg_node_taints *taints, const struct lg_taint *taint, size_t slot)
{
    if (!taint_is_hard(taint))
        return;
    bool found;
    size_t at = taint_find(taints, taint, &found);
    if (!found)
        return; /* the node bears it twice */
    struct lg_node_taint *entry = taints->items[at];
    lg_bits_put(&entry->nodes, slot, false);
    if (entry->nodes.n > 0)
        return;
    taint_free(entry);
    taints->n--;
    memmove(taints->items + at, taints->items + at + 1,
            (taints->n - at) * sizeof(struct lg_node_taint *));
}
