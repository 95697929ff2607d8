/* What leaves and enters each node, as the limiter counts it: guests with a slot, and those that
 * were let through and are not seen yet, which leave a node and have no target. Pure, any
 * thread.
 */
#ifndef LG_RULES_VIRT_LIMITS_NODES_H
#define LG_RULES_VIRT_LIMITS_NODES_H

#include "rules/virt/limits.h"

struct lg_node_traffic {
    struct lg_str node; /* borrowed from slots or ledger */
    size_t out, in;
};

/* All nodes that one leaves or enters, by name; in the arena. Returns how many. `ledger` NULL: only
 * slots. n log n of slots and reservations. */
size_t lg_limits_nodes(const struct lg_slots *slots, const struct lg_ledger *ledger,
                       struct lg_arena *arena, struct lg_node_traffic **ret);

/* The busiest first, by name where they are alike. */
void lg_limits_nodes_by_traffic(struct lg_node_traffic *nodes, size_t n);

#endif
