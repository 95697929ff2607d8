#include "rules/virt/nodes.h"

#include <assert.h>
#include <stdlib.h>

#include "rules/core/mem.h"
#include "rules/core/num.h"

enum { WORD_BITS = 64 };

/* Nodes that share something: a bit a slot. */
struct bits {
    lg_word *words;
    size_t n; /* bits that are set */
};

struct value_entry {
    struct lg_str value;
    struct bits nodes;
    bool is_int;
    int64_t number;
    char text[];
};

struct key_entry {
    struct lg_str key;
    struct bits nodes;
    struct lg_map values;
    struct bits ints; /* nodes whose value is an integer; no words until there is one */
    int64_t *numbers; /* by slot, for those nodes */
    char text[];
};

struct taint_entry {
    struct lg_taint taint;
    struct bits nodes;
    char text[];
};

/* Families of labels that every review asks for: how many keys of each there are is counted as keys come and go. */
static const char *const families[] = {
    "cpu-model.node.kubevirt.io/",
    "cpu-feature.node.kubevirt.io/",
    "cpu-vendor.node.kubevirt.io/",
    "host-model-cpu.node.kubevirt.io/",
    "cpu-model-migration.node.kubevirt.io/",
    "machine-type.node.kubevirt.io/",
    "hyperv.node.kubevirt.io/",
    "scheduling.node.kubevirt.io/tsc-frequency-",
};
enum { FAMILIES = sizeof(families) / sizeof(*families) };

struct lg_node_table {
    struct lg_map by_name; /* name -> slot + 1 */
    struct lg_node **nodes;
    size_t slots;
    size_t capacity; /* words of every bitmap, as allocated */
    size_t *free_slots;
    size_t n_free;
    struct bits all, cordoned, not_ready;
    struct lg_map keys; /* label key -> struct key_entry */
    size_t family_keys[FAMILIES];
    struct taint_entry **taints;
    size_t n_taints;
};

/* --- bitmaps --- */

static void bits_init(const struct lg_node_table *table, struct bits *bits)
{
    bits->words = lg_calloc(table->capacity, sizeof(lg_word));
    bits->n = 0;
}

static void bits_grow(struct bits *bits, size_t before, size_t after)
{
    bits->words = lg_realloc(bits->words, after, sizeof(lg_word));
    memset(bits->words + before, 0, (after - before) * sizeof(lg_word));
}

static void bits_put(struct bits *bits, size_t slot, bool on)
{
    lg_word mask = (lg_word)1 << (slot % WORD_BITS);
    lg_word *word = &bits->words[slot / WORD_BITS];
    if (((*word & mask) != 0) == on)
        return;
    *word ^= mask;
    bits->n += on ? 1 : (size_t)-1;
}

/* --- labels --- */

static struct key_entry *key_get(const struct lg_node_table *table, struct lg_str key)
{
    return lg_map_get(&table->keys, key);
}

static void families_count(struct lg_node_table *table, struct lg_str key, bool more)
{
    for (size_t i = 0; i < FAMILIES; i++)
        if (lg_str_starts(key, families[i]))
            table->family_keys[i] += more ? 1 : (size_t)-1;
}

static struct key_entry *key_make(struct lg_node_table *table, struct lg_str key)
{
    struct key_entry *entry = lg_calloc(1, sizeof(*entry) + key.n + 1);
    memcpy(entry->text, key.n > 0 ? key.p : "", key.n);
    entry->key = (struct lg_str){entry->text, key.n};
    bits_init(table, &entry->nodes);
    lg_map_set(&table->keys, entry->key, entry);
    families_count(table, entry->key, true);
    return entry;
}

static struct value_entry *value_make(struct lg_node_table *table, struct key_entry *key,
                                      struct lg_str value)
{
    struct value_entry *entry = lg_calloc(1, sizeof(*entry) + value.n + 1);
    memcpy(entry->text, value.n > 0 ? value.p : "", value.n);
    entry->value = (struct lg_str){entry->text, value.n};
    entry->is_int = lg_num_go_int64(entry->value, &entry->number) == LG_E_OK;
    bits_init(table, &entry->nodes);
    lg_map_set(&key->values, entry->value, entry);
    return entry;
}

static void value_free(struct value_entry *entry)
{
    free(entry->nodes.words);
    free(entry);
}

static void key_free(struct key_entry *entry)
{
    size_t pos = 0;
    for (const struct lg_map_entry *e; (e = lg_map_next(&entry->values, &pos)) != NULL;)
        value_free(e->value);
    lg_map_done(&entry->values);
    free(entry->nodes.words);
    free(entry->ints.words);
    free(entry->numbers);
    free(entry);
}

static void number_put(const struct lg_node_table *table, struct key_entry *key, int64_t number,
                       size_t slot)
{
    if (key->numbers == NULL) {
        bits_init(table, &key->ints);
        key->numbers = lg_calloc(table->capacity * WORD_BITS, sizeof(int64_t));
    }
    bits_put(&key->ints, slot, true);
    key->numbers[slot] = number;
}

static void label_put(struct lg_node_table *table, struct lg_label label, size_t slot)
{
    struct key_entry *key = key_get(table, label.key);
    if (key == NULL)
        key = key_make(table, label.key);
    struct value_entry *value = lg_map_get(&key->values, label.value);
    if (value == NULL)
        value = value_make(table, key, label.value);
    bits_put(&key->nodes, slot, true);
    bits_put(&value->nodes, slot, true);
    if (value->is_int)
        number_put(table, key, value->number, slot);
}

static void label_drop(struct lg_node_table *table, struct lg_label label, size_t slot)
{
    struct key_entry *key = key_get(table, label.key);
    assert(key != NULL);
    struct value_entry *value = lg_map_get(&key->values, label.value);
    assert(value != NULL);
    bits_put(&value->nodes, slot, false);
    bits_put(&key->nodes, slot, false);
    if (value->is_int)
        bits_put(&key->ints, slot, false);
    if (value->nodes.n == 0) {
        lg_map_remove(&key->values, value->value);
        value_free(value);
    }
    if (key->nodes.n == 0) {
        lg_map_remove(&table->keys, key->key);
        families_count(table, key->key, false);
        key_free(key);
    }
}

/* --- taints: sorted, so that every table gives them in one order --- */

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
static size_t taint_find(const struct lg_node_table *table, const struct lg_taint *taint,
                         bool *ret_found)
{
    size_t low = 0, high = table->n_taints;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (lg_nodes_taint_cmp(&table->taints[middle]->taint, taint) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_found =
        low < table->n_taints && lg_nodes_taint_cmp(&table->taints[low]->taint, taint) == 0;
    return low;
}

static struct taint_entry *taint_make(struct lg_node_table *table, const struct lg_taint *taint,
                                      size_t at)
{
    struct taint_entry *entry = lg_calloc(1, sizeof(*entry) + taint->key.n + taint->value.n + 1);
    memcpy(entry->text, taint->key.n > 0 ? taint->key.p : "", taint->key.n);
    memcpy(entry->text + taint->key.n, taint->value.n > 0 ? taint->value.p : "", taint->value.n);
    entry->taint = (struct lg_taint){.key = {entry->text, taint->key.n},
                                     .value = {entry->text + taint->key.n, taint->value.n},
                                     .effect = taint->effect};
    bits_init(table, &entry->nodes);
    table->taints = lg_realloc(table->taints, table->n_taints + 1, sizeof(struct taint_entry *));
    memmove(table->taints + at + 1, table->taints + at,
            (table->n_taints - at) * sizeof(struct taint_entry *));
    table->taints[at] = entry;
    table->n_taints++;
    return entry;
}

static void taint_free(struct taint_entry *entry)
{
    free(entry->nodes.words);
    free(entry);
}

static void taint_put(struct lg_node_table *table, const struct lg_taint *taint, size_t slot)
{
    if (!taint_is_hard(taint))
        return;
    bool found;
    size_t at = taint_find(table, taint, &found);
    struct taint_entry *entry = found ? table->taints[at] : taint_make(table, taint, at);
    bits_put(&entry->nodes, slot, true);
}

static void taint_drop(struct lg_node_table *table, const struct lg_taint *taint, size_t slot)
{
    if (!taint_is_hard(taint))
        return;
    bool found;
    size_t at = taint_find(table, taint, &found);
    if (!found)
        return; /* the node bears it twice */
    struct taint_entry *entry = table->taints[at];
    bits_put(&entry->nodes, slot, false);
    if (entry->nodes.n > 0)
        return;
    taint_free(entry);
    table->n_taints--;
    memmove(table->taints + at, table->taints + at + 1,
            (table->n_taints - at) * sizeof(struct taint_entry *));
}

/* --- nodes --- */

struct lg_node_table *lg_nodes_new(void)
{
    struct lg_node_table *table = lg_calloc(1, sizeof(*table));
    table->capacity = 1;
    bits_init(table, &table->all);
    bits_init(table, &table->cordoned);
    bits_init(table, &table->not_ready);
    return table;
}

void lg_nodes_free(struct lg_node_table *table)
{
    if (table == NULL)
        return;
    for (size_t slot = 0; slot < table->slots; slot++)
        if (table->nodes[slot] != NULL)
            lg_record_unref(&table->nodes[slot]->r);
    size_t pos = 0;
    for (const struct lg_map_entry *e; (e = lg_map_next(&table->keys, &pos)) != NULL;)
        key_free(e->value);
    for (size_t i = 0; i < table->n_taints; i++)
        taint_free(table->taints[i]);
    lg_map_done(&table->keys);
    lg_map_done(&table->by_name);
    free(table->taints);
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
    bits_grow(&table->all, before, after);
    bits_grow(&table->cordoned, before, after);
    bits_grow(&table->not_ready, before, after);
    size_t pos = 0;
    for (const struct lg_map_entry *e; (e = lg_map_next(&table->keys, &pos)) != NULL;) {
        struct key_entry *key = e->value;
        bits_grow(&key->nodes, before, after);
        if (key->numbers != NULL) {
            bits_grow(&key->ints, before, after);
            key->numbers = lg_realloc(key->numbers, after * WORD_BITS, sizeof(int64_t));
            memset(key->numbers + before * WORD_BITS, 0,
                   (after - before) * WORD_BITS * sizeof(int64_t));
        }
        size_t at = 0;
        for (const struct lg_map_entry *v; (v = lg_map_next(&key->values, &at)) != NULL;)
            bits_grow(&((struct value_entry *)v->value)->nodes, before, after);
    }
    for (size_t i = 0; i < table->n_taints; i++)
        bits_grow(&table->taints[i]->nodes, before, after);
    table->capacity = after;
}

static size_t slot_take(struct lg_node_table *table)
{
    if (table->n_free > 0)
        return table->free_slots[--table->n_free];
    if (table->slots % WORD_BITS == 0) {
        size_t room = table->slots + WORD_BITS;
        table->nodes = lg_realloc(table->nodes, room, sizeof(struct lg_node *));
        table->free_slots = lg_realloc(table->free_slots, room, sizeof(size_t));
        if (table->slots / WORD_BITS == table->capacity)
            grow(table);
    }
    table->nodes[table->slots] = NULL;
    return table->slots++;
}

static void node_index(struct lg_node_table *table, const struct lg_node *node, size_t slot)
{
    for (uint32_t i = 0; i < node->labels.n; i++)
        label_put(table, node->labels.items[i], slot);
    for (uint32_t i = 0; i < node->taints.n; i++)
        taint_put(table, &node->taints.items[i], slot);
    bits_put(&table->all, slot, true);
    bits_put(&table->cordoned, slot, node->unschedulable);
    bits_put(&table->not_ready, slot, node->not_ready);
}

static void node_unindex(struct lg_node_table *table, const struct lg_node *node, size_t slot)
{
    for (uint32_t i = 0; i < node->labels.n; i++)
        label_drop(table, node->labels.items[i], slot);
    for (uint32_t i = 0; i < node->taints.n; i++)
        taint_drop(table, &node->taints.items[i], slot);
    bits_put(&table->all, slot, false);
    bits_put(&table->cordoned, slot, false);
    bits_put(&table->not_ready, slot, false);
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
    return (table->slots + WORD_BITS - 1) / WORD_BITS;
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

static const lg_word *bits_or_null(const struct bits *bits)
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
    const struct key_entry *entry = key_get(table, key);
    return entry != NULL ? entry->nodes.words : NULL;
}

const lg_word *lg_nodes_with_label(const struct lg_node_table *table, struct lg_str key,
                                   struct lg_str value)
{
    const struct key_entry *entry = key_get(table, key);
    const struct value_entry *found = entry != NULL ? lg_map_get(&entry->values, value) : NULL;
    return found != NULL ? found->nodes.words : NULL;
}

bool lg_nodes_any_key_prefix(const struct lg_node_table *table, const char *prefix)
{
    size_t pos = 0;
    for (size_t i = 0; i < FAMILIES; i++)
        if (strcmp(families[i], prefix) == 0)
            return table->family_keys[i] > 0;
    for (const struct lg_map_entry *e; (e = lg_map_next(&table->keys, &pos)) != NULL;)
        if (lg_str_starts(lg_map_key(e), prefix))
            return true;
    return false;
}

void lg_nodes_add_prefix(const struct lg_node_table *table, struct lg_str prefix, lg_word *io_nodes)
{
    size_t pos = 0;
    for (const struct lg_map_entry *e; (e = lg_map_next(&table->keys, &pos)) != NULL;) {
        if (!lg_str_eq(lg_str_cut(lg_map_key(e), prefix.n), prefix))
            continue;
        for (size_t w = 0; w < lg_nodes_words(table); w++)
            io_nodes[w] |= ((struct key_entry *)e->value)->nodes.words[w];
    }
}

/* Which of a word's numbers are above the bound, or below it; without branches, since most words are full. */
static lg_word compared(const int64_t *numbers, bool above, int64_t bound)
{
    lg_word hit = 0;
    if (above)
        for (size_t i = 0; i < WORD_BITS; i++)
            hit |= (lg_word)(numbers[i] > bound) << i;
    else
        for (size_t i = 0; i < WORD_BITS; i++)
            hit |= (lg_word)(numbers[i] < bound) << i;
    return hit;
}

void lg_nodes_add_compared(const struct lg_node_table *table, struct lg_str key, bool above,
                           int64_t bound, lg_word *io_nodes)
{
    const struct key_entry *entry = key_get(table, key);
    if (entry == NULL || entry->numbers == NULL)
        return;
    for (size_t w = 0; w < lg_nodes_words(table); w++)
        if (entry->ints.words[w] != 0)
            io_nodes[w] |=
                entry->ints.words[w] & compared(entry->numbers + w * WORD_BITS, above, bound);
}

bool lg_nodes_next_taint(const struct lg_node_table *table, size_t *pos,
                         const struct lg_taint **ret_taint, const lg_word **ret_nodes)
{
    if (*pos >= table->n_taints)
        return false;
    const struct taint_entry *entry = table->taints[(*pos)++];
    *ret_taint = &entry->taint;
    *ret_nodes = entry->nodes.words;
    return true;
}
