/* A table of nodes and the objects that it is filled with, for tests of placement. Included by one
 * file of a test program; one thread. */
#ifndef LG_TESTS_UNIT_NODE_WORLD_H
#define LG_TESTS_UNIT_NODE_WORLD_H

#include "rules/virt/nodes.h"
#include "tests/support/objects.h"

struct state {
    struct lg_objects objects;
    struct lg_node_table *table;
};

static inline int setup(void **arg)
{
    static struct state state;
    lg_objects_init(&state.objects);
    state.table = lg_nodes_new();
    *arg = &state;
    return 0;
}

static inline int teardown(void **arg)
{
    struct state *s = *arg;
    lg_nodes_free(s->table);
    lg_objects_done(&s->objects);
    return 0;
}

#endif
