/* Who goes first: hands out free places to those who wait, in their order. Private to limits.c.
 *
 * Pure, any thread. O(reservations + tickets).
 */
#ifndef LG_RULES_VIRT_LIMITS_LINE_H
#define LG_RULES_VIRT_LIMITS_LINE_H

#include "rules/virt/limits.h"

struct lg_line {
    size_t ahead_cluster; /* tickets before ours that could start but for the cluster's limit */
    size_t ahead_node;    /* tickets before ours that leave the same node */
    size_t ahead_inbound; /* tickets before ours that could start but for their targets */
    size_t kept_inbound;  /* those of them that are due */
    bool in_time;         /* the asker has a ticket, and its time has come */
    bool may_start;
    bool node_full;
};

/* Who asks, as those who wait see it. */
struct lg_asker {
    const struct lg_ticket *ticket; /* NULL: a new one, with this tag */
    uint64_t tag;
    int64_t cluster_free;
    bool own_node; /* what its guest holds already counts on its node */
};

/* Before it was told to come, however late this reader learned of that. */
bool lg_limits_is_early(const struct lg_ask *ask, const struct lg_ticket *ticket);

/* Hands out what is free to the tickets before (tag, seq), in their order, and sees what is left
 * for the asker. Who holds more than a fair share unseen is passed over, and waits for all others
 * that are due. */
struct lg_line lg_limits_line_up(const struct lg_ask *ask, const struct lg_slots *slots,
                                 const struct lg_ledger *ledger, struct lg_asker me);

#endif
