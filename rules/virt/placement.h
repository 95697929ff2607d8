/* Which nodes can a guest run on, and why not on the others.
 *
 * Source: KubeVirt pkg/virt-controller/services/nodeselectorrenderer.go, Kubernetes'
 * component-helpers nodeaffinity and taints. Requirements are read once (lg_requirements_read),
 * judged against a node table by bitmaps (lg_placement_count, flat cost), and explained node by
 * node only when someone prints it (lg_placement_explain; the plain loop, also the oracle of the
 * property test). Pure, any thread.
 */
#ifndef LG_RULES_VIRT_PLACEMENT_H
#define LG_RULES_VIRT_PLACEMENT_H

#include "rules/virt/nodes.h"
#include "rules/virt/settings.h"
#include "rules/virt/vm.h"

struct lg_requirements; /* opaque, in the arena */

/* Reads nodeSelector, required node affinity, tolerations of a VMI spec, and what KubeVirt adds
 * (kubevirt.io/schedulable, kubernetes.io/arch, the KubeVirt CR's nodeSelectors, labels for CPU
 * model and features, dedicated CPUs, realtime, confidential guests; settings may be NULL: then
 * KubeVirt's defaults). Invalid terms match nothing, as in the scheduler. `nodes` (may be NULL)
 * only says which families of labels the nodes bear at all: what KubeVirt's labeller would have set
 * is asked for only where some node shows that it ran. */
const struct lg_requirements *lg_requirements_read(struct lg_val vmi_spec,
                                                   const struct lg_settings *settings,
                                                   const struct lg_node_table *nodes,
                                                   struct lg_arena *arena);

/* A running guest that is to move: the source node is excluded, and KubeVirt asks of the target
 * what it copies from there. */
struct lg_move {
    struct lg_str source_name;         /* status.nodeName */
    const struct lg_node *source;      /* NULL: the node is gone */
    struct lg_val added_node_selector; /* of the migration; what the guest selects itself wins */
    int64_t tsc_frequency;             /* status.topologyHints, 0 = none */
    bool moved_before; /* what was copied then stands in a pod, which nobody here sees */
};
/* As lg_requirements_read, of the target pod. */
const struct lg_requirements *lg_requirements_read_move(struct lg_val vmi_spec,
                                                        const struct lg_move *move,
                                                        const struct lg_settings *settings,
                                                        const struct lg_node_table *nodes,
                                                        struct lg_arena *arena);

enum lg_place { LG_PLACE_ELIGIBLE, LG_PLACE_AWAY, LG_PLACE_EXCLUDED };

struct lg_place_count {
    size_t eligible, away, excluded;
    /* of the excluded: only by labels that KubeVirt adds for the guest's hardware */
    size_t by_kubevirt;
};

struct lg_place_count lg_placement_count(const struct lg_requirements *req,
                                         const struct lg_node_table *nodes);

/* lg_placement_count; adds to `io_places` (lg_nodes_words words) the nodes that are eligible, and
 * those that are away. */
struct lg_place_count lg_placement_places(const struct lg_requirements *req,
                                          const struct lg_node_table *nodes, lg_word *io_places);

/* Adds to `io_nodes` the nodes that a required node affinity ({"nodeSelectorTerms": [...]}, a
 * volume's say) matches, whatever else there is about them. */
void lg_placement_add_matching(struct lg_val required, const struct lg_node_table *nodes,
                               struct lg_arena *arena, lg_word *io_nodes);
/* How many nodes a bitmap has. */
size_t lg_placement_bits(const lg_word *nodes, const struct lg_node_table *table);
/* Up to `max` of their names, in order: "worker-1, worker-2 and 3 more". In the arena. */
struct lg_str lg_placement_bit_names(const lg_word *nodes, const struct lg_node_table *table,
                                     size_t max, struct lg_arena *arena);

/* The node that the guest leaves; "" = it does not move. Borrowed from the requirements. */
struct lg_str lg_placement_source(const struct lg_requirements *req);

/* One node's verdict; for AWAY and EXCLUDED *ret_reason says why in the user's words (in the
 * arena); ret_reason may be NULL. */
enum lg_place lg_placement_explain(const struct lg_requirements *req, const struct lg_node *node,
                                   struct lg_arena *arena, struct lg_str *ret_reason);

/* Nodes that do not exist yet: whether the cluster grows by itself, and into what. Policy's
 * `placement.elastic`. */
enum lg_elastic_mode {
    LG_ELASTIC_AUTO,   /* it does where an autoscaler's objects exist */
    LG_ELASTIC_YES,    /* new nodes may bear any label */
    LG_ELASTIC_NO,     /* it does not */
    LG_ELASTIC_GROUPS, /* a new node bears the labels and taints of one of the groups */
};
struct lg_node_group {
    struct lg_labels labels;
    struct lg_taints taints;
};
struct lg_elastic {
    enum lg_elastic_mode mode;
    const struct lg_node_group *groups;
    size_t n_groups;
};
/* True when a new node could take the guest. What KubeVirt's labeller would set is taken for
 * granted; a host name or a node's name never is. LG_ELASTIC_AUTO counts as NO: the caller knows
 * whether there is an autoscaler. O(groups). */
bool lg_placement_new_node_could(const struct lg_requirements *req,
                                 const struct lg_elastic *elastic);

/* Why nodes do not fit, the most frequent reason first, with the first names in order:
 * "2 lack label zone=a (worker-1, worker-2), 1 has taint gpu=true:NoSchedule that is not tolerated
 * (worker-3)". Each is "" where no node is excluded, or away. In the arena; costs bitmaps, and one
 * look at each node's name. */
struct lg_place_summary {
    struct lg_str excluded, away;
    /* what excludes most nodes, where the user wrote it; LG_NONE where they did not */
    struct lg_val at;
};
void lg_placement_summary(const struct lg_requirements *req, const struct lg_node_table *nodes,
                          struct lg_arena *arena, struct lg_place_summary *ret);

/* Up to `max` names of nodes with this verdict, in order: "worker-1, worker-2 and 3 more". In the
 * arena. */
struct lg_str lg_placement_names(const struct lg_requirements *req,
                                 const struct lg_node_table *nodes, enum lg_place place, size_t max,
                                 struct lg_arena *arena);

/* What LG404 reports: operators and values that the scheduler refuses, matches that can never be
 * true. */
struct lg_placement_problem {
    struct lg_val at;
    struct lg_str message, fix;
};
/* Lists them (in the arena), in the order of the text; *ret_n may be 0. */
const struct lg_placement_problem *lg_placement_problems(struct lg_val vmi_spec,
                                                         struct lg_arena *arena, size_t *ret_n);

#endif
