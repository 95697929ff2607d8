/* Which nodes bear which label: the part of a node table (nodes.h) that is asked by label. Private
 * to nodes.c, which documents the look-ups.
 *
 * One thread changes it while nobody reads, any number read. Bitmaps are borrowed until the next
 * change.
 */
#ifndef LG_RULES_VIRT_NODE_LABELS_H
#define LG_RULES_VIRT_NODE_LABELS_H

#include "rules/core/map.h"
#include "rules/virt/node_bits.h"

enum { LG_NODE_FAMILIES = 8 };

struct lg_node_labels {
    size_t words;       /* of every bitmap, as allocated */
    struct lg_map keys; /* label key -> what bears it */
    /* of each family of labels that every review asks for: how many keys there are */
    size_t family_keys[LG_NODE_FAMILIES];
};

/* `words`: of every bitmap. */
void lg_node_labels_init(struct lg_node_labels *labels, size_t words);
void lg_node_labels_done(struct lg_node_labels *labels);
void lg_node_labels_grow(struct lg_node_labels *labels, size_t words);

/* Adds one label of the node in that slot, or takes away one that was added. */
void lg_node_labels_put(struct lg_node_labels *labels, struct lg_label label, size_t slot);
void lg_node_labels_drop(struct lg_node_labels *labels, struct lg_label label, size_t slot);

/* NULL: no node. */
const lg_word *lg_node_labels_with_key(const struct lg_node_labels *labels, struct lg_str key);
const lg_word *lg_node_labels_with(const struct lg_node_labels *labels, struct lg_str key,
                                   struct lg_str value);
bool lg_node_labels_any_prefix(const struct lg_node_labels *labels, const char *prefix);

/* Both add to the first `words` words of `io_nodes`. */
void lg_node_labels_add_prefix(const struct lg_node_labels *labels, struct lg_str prefix,
                               size_t words, lg_word *io_nodes);
/* A label whose integer is above the bound, or below it. */
struct lg_node_bound {
    struct lg_str key;
    bool above;
    int64_t bound;
};
void lg_node_labels_add_compared(const struct lg_node_labels *labels,
                                 const struct lg_node_bound *bound, size_t words,
                                 lg_word *io_nodes);

#endif
