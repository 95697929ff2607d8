/* Which nodes bear which hard taint (NoSchedule, NoExecute), sorted, so that every table gives them
 * in one order: part of a node table (nodes.h). Private to nodes.c.
 *
 * One thread changes it while nobody reads, any number read.
 */
#ifndef LG_RULES_VIRT_NODE_TAINTS_H
#define LG_RULES_VIRT_NODE_TAINTS_H

#include "rules/virt/node_bits.h"

struct lg_node_taint {
    struct lg_taint taint;
    struct lg_bits nodes;
    char text[];
};

struct lg_node_taints {
    size_t words; /* of every bitmap, as allocated */
    struct lg_node_taint **items;
    size_t n;
};

/* `words`: of every bitmap. */
void lg_node_taints_init(struct lg_node_taints *taints, size_t words);
void lg_node_taints_done(struct lg_node_taints *taints);
void lg_node_taints_grow(struct lg_node_taints *taints, size_t words);

/* Adds one taint of the node in that slot, or takes it away; one that is not hard is passed over. A
 * node may bear the same one twice. */
void lg_node_taints_put(struct lg_node_taints *taints, const struct lg_taint *taint, size_t slot);
void lg_node_taints_drop(struct lg_node_taints *taints, const struct lg_taint *taint, size_t slot);

#endif
