/* The nodes of the cluster, indexed so that "which nodes fit" is an AND of bitmaps.
 *
 * One table belongs to one copy of the inventory; one thread changes it while nobody reads, any
 * number read. Each node has a slot (its bit) that stays while the node exists; free slots are
 * reused and are zero in every bitmap.
 */
#ifndef LG_RULES_VIRT_NODES_H
#define LG_RULES_VIRT_NODES_H

#include "rules/core/map.h"
#include "rules/virt/records.h"

typedef uint64_t lg_word;

struct lg_node_table; /* opaque */

struct lg_node_table *lg_nodes_new(void);
void lg_nodes_free(struct lg_node_table *table);

/* Sets (by name) or removes a node; the record is shared (one reference is taken while it stands
 * here). */
void lg_nodes_set(struct lg_node_table *table, struct lg_node *node);
void lg_nodes_remove(struct lg_node_table *table, struct lg_str name);

size_t lg_nodes_count(const struct lg_node_table *table);
size_t lg_nodes_words(const struct lg_node_table *table); /* words of a bitmap now */
size_t lg_nodes_slots(const struct lg_node_table *table); /* slots 0 .. n-1, some free */
const struct lg_node *lg_nodes_at(const struct lg_node_table *table, size_t slot); /* NULL = free */
const struct lg_node *lg_nodes_get(const struct lg_node_table *table, struct lg_str name,
                                   size_t *ret_slot);

/* Bitmaps, borrowed until the next change; NULL = no node. Each has lg_nodes_words words. */
const lg_word *lg_nodes_all(const struct lg_node_table *table);
const lg_word *lg_nodes_with_label(const struct lg_node_table *table, struct lg_str key,
                                   struct lg_str value);
const lg_word *lg_nodes_with_key(const struct lg_node_table *table, struct lg_str key);
/* True when some node carries a label whose key starts with `prefix`. O(1) for the families of
 * labels that KubeVirt derives, else O(keys). */
bool lg_nodes_any_key_prefix(const struct lg_node_table *table, const char *prefix);
/* Adds to `io_nodes` the nodes with a label whose key starts with `prefix`. O(keys). */
void lg_nodes_add_prefix(const struct lg_node_table *table, struct lg_str prefix,
                         lg_word *io_nodes);

/* Adds to `io_nodes` (lg_nodes_words words) the nodes whose label `key` is an integer (Go's
 * ParseInt) above `bound`, or below it: Gt and Lt. O(nodes). */
void lg_nodes_add_compared(const struct lg_node_table *table, struct lg_str key, bool above,
                           int64_t bound, lg_word *io_nodes);
/* Visits the distinct NoSchedule and NoExecute taints with the nodes that bear them, by key, value
 * and effect: start with *pos = 0 until false. */
bool lg_nodes_next_taint(const struct lg_node_table *table, size_t *pos,
                         const struct lg_taint **ret_taint, const lg_word **ret_nodes);
/* That order, of any two taints. */
int lg_nodes_taint_cmp(const struct lg_taint *a, const struct lg_taint *b);
const lg_word *lg_nodes_cordoned(const struct lg_node_table *table);
const lg_word *lg_nodes_not_ready(const struct lg_node_table *table);

#endif
