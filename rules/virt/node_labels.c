#include "rules/virt/node_labels.h"

#include <assert.h>
#include <stdlib.h>

#include "rules/core/num.h"

struct value_entry {
    struct lg_str value;
    struct lg_bits nodes;
    bool is_int;
    int64_t number;
    char text[];
};

struct key_entry {
    struct lg_str key;
    struct lg_bits nodes;
    struct lg_map values;
    struct lg_bits ints; /* nodes whose value is an integer; no words until there is one */
    int64_t *numbers;    /* by slot, for those nodes */
    char text[];
};

/* Families of labels that every review asks for: how many keys of each there are is counted as keys
 * come and go. */
static const char *const families[LG_NODE_FAMILIES] = {
    "cpu-model.node.kubevirt.io/",
    "cpu-feature.node.kubevirt.io/",
    "cpu-vendor.node.kubevirt.io/",
    "host-model-cpu.node.kubevirt.io/",
    "cpu-model-migration.node.kubevirt.io/",
    "machine-type.node.kubevirt.io/",
    "hyperv.node.kubevirt.io/",
    "scheduling.node.kubevirt.io/tsc-frequency-",
};

static struct key_entry *key_get(const struct lg_node_labels *labels, struct lg_str key)
{
    return lg_map_get(&labels->keys, key);
}

static void families_count(struct lg_node_labels *labels, struct lg_str key, bool more)
{
    for (size_t i = 0; i < LG_NODE_FAMILIES; i++)
        if (lg_str_starts(key, families[i]))
            labels->family_keys[i] += more ? 1 : (size_t)-1;
}

static struct key_entry *key_make(struct lg_node_labels *labels, struct lg_str key)
{
    struct key_entry *entry = lg_calloc(1, sizeof(*entry) + key.n + 1);
    memcpy(entry->text, key.n > 0 ? key.p : "", key.n);
    entry->key = (struct lg_str){entry->text, key.n};
    lg_bits_init(&entry->nodes, labels->words);
    lg_map_set(&labels->keys, entry->key, entry);
    families_count(labels, entry->key, true);
    return entry;
}

static struct value_entry *value_make(struct lg_node_labels *labels, struct key_entry *key,
                                      struct lg_str value)
{
    struct value_entry *entry = lg_calloc(1, sizeof(*entry) + value.n + 1);
    memcpy(entry->text, value.n > 0 ? value.p : "", value.n);
    entry->value = (struct lg_str){entry->text, value.n};
    entry->is_int = lg_num_go_int64(entry->value, &entry->number) == LG_E_OK;
    lg_bits_init(&entry->nodes, labels->words);
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

void lg_node_labels_init(struct lg_node_labels *labels, size_t words)
{
    *labels = (struct lg_node_labels){.words = words};
}

void lg_node_labels_done(struct lg_node_labels *labels)
{
    size_t pos = 0;
    for (const struct lg_map_entry *e; (e = lg_map_next(&labels->keys, &pos)) != NULL;)
        key_free(e->value);
    lg_map_done(&labels->keys);
}

static void key_grow(struct key_entry *key, size_t before, size_t after)
{
    lg_bits_grow(&key->nodes, before, after);
    if (key->numbers != NULL) {
        lg_bits_grow(&key->ints, before, after);
        key->numbers = lg_realloc(key->numbers, after * LG_WORD_BITS, sizeof(int64_t));
        memset(key->numbers + before * LG_WORD_BITS, 0,
               (after - before) * LG_WORD_BITS * sizeof(int64_t));
    }
    size_t pos = 0;
    for (const struct lg_map_entry *v; (v = lg_map_next(&key->values, &pos)) != NULL;)
        lg_bits_grow(&((struct value_entry *)v->value)->nodes, before, after);
}

void lg_node_labels_grow(struct lg_node_labels *labels, size_t words)
{
    size_t pos = 0;
    for (const struct lg_map_entry *e; (e = lg_map_next(&labels->keys, &pos)) != NULL;)
        key_grow(e->value, labels->words, words);
    labels->words = words;
}

static void number_put(const struct lg_node_labels *labels, struct key_entry *key, int64_t number,
                       size_t slot)
{
    if (key->numbers == NULL) {
        lg_bits_init(&key->ints, labels->words);
        key->numbers = lg_calloc(labels->words * LG_WORD_BITS, sizeof(int64_t));
    }
    lg_bits_put(&key->ints, slot, true);
    key->numbers[slot] = number;
}

void lg_node_labels_put(struct lg_node_labels *labels, struct lg_label label, size_t slot)
{
    struct key_entry *key = key_get(labels, label.key);
    if (key == NULL)
        key = key_make(labels, label.key);
    struct value_entry *value = lg_map_get(&key->values, label.value);
    if (value == NULL)
        value = value_make(labels, key, label.value);
    lg_bits_put(&key->nodes, slot, true);
    lg_bits_put(&value->nodes, slot, true);
    if (value->is_int)
        number_put(labels, key, value->number, slot);
}

void lg_node_labels_drop(struct lg_node_labels *labels, struct lg_label label, size_t slot)
{
    struct key_entry *key = key_get(labels, label.key);
    assert(key != NULL);
    struct value_entry *value = lg_map_get(&key->values, label.value);
    assert(value != NULL);
    lg_bits_put(&value->nodes, slot, false);
    lg_bits_put(&key->nodes, slot, false);
    if (value->is_int)
        lg_bits_put(&key->ints, slot, false);
    if (value->nodes.n == 0) {
        lg_map_remove(&key->values, value->value);
        value_free(value);
    }
    if (key->nodes.n == 0) {
        lg_map_remove(&labels->keys, key->key);
        families_count(labels, key->key, false);
        key_free(key);
    }
}

/* --- look-ups --- */

const lg_word *lg_node_labels_with_key(const struct lg_node_labels *labels, struct lg_str key)
{
    const struct key_entry *entry = key_get(labels, key);
    return entry != NULL ? entry->nodes.words : NULL;
}

const lg_word *lg_node_labels_with(const struct lg_node_labels *labels, struct lg_str key,
                                   struct lg_str value)
{
    const struct key_entry *entry = key_get(labels, key);
    const struct value_entry *found = entry != NULL ? lg_map_get(&entry->values, value) : NULL;
    return found != NULL ? found->nodes.words : NULL;
}

bool lg_node_labels_any_prefix(const struct lg_node_labels *labels, const char *prefix)
{
    size_t pos = 0;
    for (size_t i = 0; i < LG_NODE_FAMILIES; i++)
        if (strcmp(families[i], prefix) == 0)
            return labels->family_keys[i] > 0;
    for (const struct lg_map_entry *e; (e = lg_map_next(&labels->keys, &pos)) != NULL;)
        if (lg_str_starts(lg_map_key(e), prefix))
            return true;
    return false;
}

void lg_node_labels_add_prefix(const struct lg_node_labels *labels, struct lg_str prefix,
                               size_t words, lg_word *io_nodes)
{
    size_t pos = 0;
    for (const struct lg_map_entry *e; (e = lg_map_next(&labels->keys, &pos)) != NULL;) {
        if (!lg_str_eq(lg_str_cut(lg_map_key(e), prefix.n), prefix))
            continue;
        for (size_t w = 0; w < words; w++)
            io_nodes[w] |= ((struct key_entry *)e->value)->nodes.words[w];
    }
}

/* Which of a word's numbers are above the bound, or below it; without branches, since most words
 * are full. */
static lg_word compared(const int64_t *numbers, bool above, int64_t bound)
{
    lg_word hit = 0;
    if (above)
        for (size_t i = 0; i < LG_WORD_BITS; i++)
            hit |= (lg_word)(numbers[i] > bound) << i;
    else
        for (size_t i = 0; i < LG_WORD_BITS; i++)
            hit |= (lg_word)(numbers[i] < bound) << i;
    return hit;
}

void lg_node_labels_add_compared(const struct lg_node_labels *labels,
                                 const struct lg_node_bound *bound, size_t words, lg_word *io_nodes)
{
    const struct key_entry *entry = key_get(labels, bound->key);
    if (entry == NULL || entry->numbers == NULL)
        return;
    for (size_t w = 0; w < words; w++)
        if (entry->ints.words[w] != 0)
            io_nodes[w] |= entry->ints.words[w] &
                           compared(entry->numbers + w * LG_WORD_BITS, bound->above, bound->bound);
}
