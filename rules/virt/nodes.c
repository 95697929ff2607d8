#include "rules/virt/nodes.h"

#include <assert.h>
#include <stdlib.h>

#include "rules/virt/node_labels.h"
#include "rules/virt/node_taints.h"

struct lg_node_table {
    struct lg_map by_name; /* name -> slot + 1 */
    struct lg_node **nodes;
    size_t slots;
    size_t capacity; /* words of every bitmap, as allocated */
    size_t *free_slots;
    size_t n_free;
    struct lg_bits all, cordoned, not_ready;
    struct lg_node_labels labels;
    struct lg_node_taints taints;
};

struct lg_node_table *lg_nodes_new(void)
{
    struct lg_node_table *table = lg_calloc(1, sizeof(*table));
    table->capacity = 1;
    lg_bits_init(&table->all, table->capacity);
    lg_bits_init(&table->cordoned, table->capacity);
    lg_bits_init(&table->not_ready, table->capacity);
    lg_node_labels_init(&table->labels, table->capacity);
    lg_node_taints_init(&table->taints, table->capacity);
    return table;
}

void lg_nodes_free(struct lg_node_table *table)
{
    if (table == NULL)
        return;
    for (size_t slot = 0; slot < table->slots; slot++)
        if (table->nodes[slot] != NULL)
            lg_record_unref(&table->nodes[slot]->r);
    lg_node_labels_done(&table->labels);
    lg_node_taints_done(&table->taints);
    lg_map_done(&table->by_name);
    free(table->all.words);
    free(table->cordoned.words);
    free(table->not_ready.words);
    free(table->nodes);
    free(table->free_slots);
    free(table);
}

/* Doubles every bitmap; the arrays over slots grow with them. */
static void grow(struct lg_node_table *table)
{
    size_t before = table->capacity, after = before * 2;
    lg_bits_grow(&table->all, before, after);
    lg_bits_grow(&table->cordoned, before, after);
    lg_bits_grow(&table->not_ready, before, after);
    lg_node_labels_grow(&table->labels, after);
    lg_node_taints_grow(&table->taints, after);
    table->capacity = after;
}

static size_t slot_take(struct lg_node_table *table)
{
    if (table->n_free > 0)
        return table->free_slots[--table->n_free];
    if (table->slots % LG_WORD_BITS == 0) {
        size_t room = table->slots + LG_WORD_BITS;
        table->nodes = lg_realloc(table->nodes, room, sizeof(struct lg_node *));
        table->free_slots = lg_realloc(table->free_slots, room, sizeof(size_t));
        if (table->slots / LG_WORD_BITS == table->capacity)
            grow(table);
    }
    table->nodes[table->slots] = NULL;
    return table->slots++;
}

static void node_index(struct lg_node_table *table, const struct lg_node *node, size_t slot)
{
    for (uint32_t i = 0; i < node->labels.n; i++)
        lg_node_labels_put(&table->labels, node->labels.items[i], slot);
    for (uint32_t i = 0; i < node->taints.n; i++)
        lg_node_taints_put(&table->taints, &node->taints.items[i], slot);
    lg_bits_put(&table->all, slot, true);
    lg_bits_put(&table->cordoned, slot, node->unschedulable);
    lg_bits_put(&table->not_ready, slot, node->not_ready);
}

static void node_unindex(struct lg_node_table *table, const struct lg_node *node, size_t slot)
{
    for (uint32_t i = 0; i < node->labels.n; i++)
        lg_node_labels_drop(&table->labels, node->labels.items[i], slot);
    for (uint32_t i = 0; i < node->taints.n; i++)
        lg_node_taints_drop(&table->taints, &node->taints.items[i], slot);
    lg_bits_put(&table->all, slot, false);
    lg_bits_put(&table->cordoned, slot, false);
    lg_bits_put(&table->not_ready, slot, false);
}

static bool slot_of(const struct lg_node_table *table, struct lg_str name, size_t *ret_slot)
{
    uintptr_t found = (uintptr_t)lg_map_get(&table->by_name, name);
    if (found == 0)
        return false;
    *ret_slot = found - 1;
    return true;
}

void lg_nodes_set(struct lg_node_table *table, struct lg_node *node)
{
    lg_record_ref(&node->r); /* first: it may be the one that stands here */
    size_t slot;
    struct lg_node *before = NULL;
    if (slot_of(table, node->r.name, &slot)) {
        before = table->nodes[slot];
        node_unindex(table, before, slot);
    } else {
        slot = slot_take(table);
    }
    node_index(table, node, slot);
    table->nodes[slot] = node;
    lg_map_set(&table->by_name, node->r.name, (void *)(uintptr_t)(slot + 1));
    if (before != NULL)
        lg_record_unref(&before->r);
}

void lg_nodes_remove(struct lg_node_table *table, struct lg_str name)
{
    size_t slot;
    if (!slot_of(table, name, &slot))
        return;
    struct lg_node *node = table->nodes[slot];
    node_unindex(table, node, slot);
    lg_map_remove(&table->by_name, name);
    table->nodes[slot] = NULL;
    table->free_slots[table->n_free++] = slot;
    lg_record_unref(&node->r);
}

size_t lg_nodes_count(const struct lg_node_table *table)
{
    return table->all.n;
}

size_t lg_nodes_words(const struct lg_node_table *table)
{
    return (table->slots + LG_WORD_BITS - 1) / LG_WORD_BITS;
}

size_t lg_nodes_slots(const struct lg_node_table *table)
{
    return table->slots;
}

const struct lg_node *lg_nodes_at(const struct lg_node_table *table, size_t slot)
{
    assert(slot < table->slots);
    return table->nodes[slot];
}

const struct lg_node *lg_nodes_get(const struct lg_node_table *table, struct lg_str name,
                                   size_t *ret_slot)
{
    size_t slot;
    if (!slot_of(table, name, &slot))
        return NULL;
    if (ret_slot != NULL)
        *ret_slot = slot;
    return table->nodes[slot];
}

/* --- look-ups --- */

static const lg_word *bits_or_null(const struct lg_bits *bits)
{
    return bits->n > 0 ? bits->words : NULL;
}

const lg_word *lg_nodes_all(const struct lg_node_table *table)
{
    return bits_or_null(&table->all);
}

const lg_word *lg_nodes_cordoned(const struct lg_node_table *table)
{
    return bits_or_null(&table->cordoned);
}

const lg_word *lg_nodes_not_ready(const struct lg_node_table *table)
{
    return bits_or_null(&table->not_ready);
}

const lg_word *lg_nodes_with_key(const struct lg_node_table *table, struct lg_str key)
{
    return lg_node_labels_with_key(&table->labels, key);
}

const lg_word *lg_nodes_with_label(const struct lg_node_table *table, struct lg_str key,
                                   struct lg_str value)
{
    return lg_node_labels_with(&table->labels, key, value);
}

bool lg_nodes_any_key_prefix(const struct lg_node_table *table, const char *prefix)
{
    return lg_node_labels_any_prefix(&table->labels, prefix);
}

void lg_nodes_add_prefix(const struct lg_node_table *table, struct lg_str prefix, lg_word *io_nodes)
{
    lg_node_labels_add_prefix(&table->labels, prefix, lg_nodes_words(table), io_nodes);
}

void lg_nodes_add_compared(const struct lg_node_table *table, struct lg_str key, bool above,
                           int64_t bound, lg_word *io_nodes)
{
    const struct lg_node_bound of = {.key = key, .above = above, .bound = bound};
    lg_node_labels_add_compared(&table->labels, &of, lg_nodes_words(table), io_nodes);
}

bool lg_nodes_next_taint(const struct lg_node_table *table, size_t *pos,
                         const struct lg_taint **ret_taint, const lg_word **ret_nodes)
{
    if (*pos >= table->taints.n)
        return false;
    const struct lg_node_taint *entry = table->taints.items[(*pos)++];
    *ret_taint = &entry->taint;
    *ret_nodes = entry->nodes.words;
    return true;
}
