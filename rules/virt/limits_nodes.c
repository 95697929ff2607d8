#include "rules/virt/limits_nodes.h"

#include <stdlib.h>

#include "rules/virt/limits_holders.h"

static int by_name(const void *a, const void *b)
{
    const struct lg_node_traffic *one = a, *other = b;
    return lg_str_cmp(one->node, other->node);
}

static int by_traffic(const void *a, const void *b)
{
    const struct lg_node_traffic *one = a, *other = b;
    size_t n = one->out + one->in, m = other->out + other->in;
    return n != m ? (n < m ? 1 : -1) : by_name(a, b);
}

static void add(struct lg_node_traffic *all, size_t *io_n, struct lg_node_traffic one)
{
    if (one.node.n != 0)
        all[(*io_n)++] = one;
}

size_t lg_limits_nodes(const struct lg_slots *slots, const struct lg_ledger *ledger,
                       struct lg_arena *arena, struct lg_node_traffic **ret)
{
    size_t n_reservations = ledger != NULL ? ledger->n_reservations : 0;
    size_t n = 0, kept = 0, pos = 0;
    struct lg_node_traffic *all =
        lg_arena_array(arena, 3 * lg_slots_used(slots) + n_reservations + 1, sizeof *all);
    const struct lg_slot *slot;
    while ((slot = lg_slots_next(slots, &pos)) != NULL) {
        add(all, &n, (struct lg_node_traffic){slot->node, 1, 0});
        add(all, &n, (struct lg_node_traffic){slot->also, 1, 0});
        add(all, &n, (struct lg_node_traffic){slot->to, 0, 1});
    }
    for (size_t i = 0; i < n_reservations; i++) {
        const struct lg_reservation *one = &ledger->reservations[i];
        if (lg_limits_stands_alone(slots, one))
            add(all, &n, (struct lg_node_traffic){one->node, 1, 0});
    }
    qsort(all, n, sizeof *all, by_name);
    for (size_t i = 0; i < n; i++) {
        if (kept == 0 || !lg_str_eq(all[kept - 1].node, all[i].node)) {
            all[kept++] = all[i];
            continue;
        }
        all[kept - 1].out += all[i].out;
        all[kept - 1].in += all[i].in;
    }
    *ret = all;
    return kept;
}

void lg_limits_nodes_by_traffic(struct lg_node_traffic *nodes, size_t n)
{
    qsort(nodes, n, sizeof *nodes, by_traffic);
}
