/* What required podAffinity and podAntiAffinity between guests leaves of the nodes.
 *
 * The launcher pods that the inventory's VMIs stand for carry the VMI's labels and a few of
 * KubeVirt's own. Judged as the scheduler does: a term of anti-affinity keeps the guest out of the
 * places (nodes with one value of topologyKey) of the guests that it selects, and the other way
 * round; KubeVirt itself adds such terms for guests that hold a SCSI persistent reservation on one
 * claim (since 1.9); affinity wants the places of guests that all its terms select. Pods that are
 * no guest's are not seen: a term that selects no guest is outside the answer, and said to be.
 * Source: Kubernetes scheduler, plugin interpodaffinity; KubeVirt pkg/storage/reservation. Pure,
 * any thread.
 */
#ifndef LG_RULES_VIRT_SEPARATION_H
#define LG_RULES_VIRT_SEPARATION_H

#include "rules/virt/placement.h"
#include "rules/virt/storage.h"

/* What one answer looks at; beyond that it is not complete, and says so. */
enum {
    LG_SEPARATION_VISITS_MAX = 100 * 1000, /* guests, each as often as it is met */
    LG_SEPARATION_TERMS_MAX = 64,          /* of each kind */
};

/* The guests of the cluster; each is called with *pos = 0 until it gives NULL. */
struct lg_guests_view {
    void *arg;
    const struct lg_vmi_record *(*next_guest)(void *arg, struct lg_str ns, size_t *pos);
    /* those with required podAntiAffinity, of which the terms name no namespaces; ns "": of which
     * some do */
    const struct lg_vmi_record *(*next_keeper)(void *arg, struct lg_str ns, size_t *pos);
    /* those with a LUN over the claim that holds a persistent reservation */
    const struct lg_vmi_record *(*next_holder)(void *arg, struct lg_str ns, struct lg_str claim,
                                               size_t *pos);
    bool (*next_namespace)(void *arg, size_t *pos, struct lg_str *ret_ns); /* that have guests */
    enum lg_lookup (*namespace_of)(void *arg, struct lg_str ns, const struct lg_namespace **ret);
};

struct lg_separation_input {
    struct lg_val vmi_spec;
    struct lg_labels labels; /* of the VMI */
    struct lg_str ns, name;  /* the VMI's, which is not in its own way... */
    bool reservations;       /* KubeVirt keeps guests apart that hold a reservation on one claim */
    bool moves;              /* ...but when it moves: then its source pod is one of the others */
    struct lg_guests_view guests;
    const struct lg_node_table *nodes;
};

struct lg_separation {
    const struct lg_barrier *barriers; /* see requirements.h; what they block is blocked together */
    size_t n_barriers;
    /* what this answer does not cover, in words: "podAntiAffinity, 1st term: ..." */
    const struct lg_str *outside;
    size_t n_outside;
    struct lg_str unknown_ns; /* its labels would decide, and are not known; "" = none */
    /* topologyKeys of terms that select the guest itself, so that of two of its pods, as in a
     * migration, ... */
    struct lg_str self_apart[LG_SEPARATION_TERMS_MAX]; /* ...each needs a place of its own */
    size_t n_self_apart;
    struct lg_str self_together[LG_SEPARATION_TERMS_MAX]; /* ...both have to be in one place */
    size_t n_self_together;
};

/* NULL where nothing separates the guest. O(guests of the namespaces that are named), at most
 * LG_SEPARATION_VISITS_MAX. */
const struct lg_separation *lg_separation_read(const struct lg_separation_input *input,
                                               struct lg_arena *arena);

/* `req` with what the separation blocks counted as excluded. In the arena. */
const struct lg_requirements *lg_requirements_separated(const struct lg_requirements *req,
                                                        const struct lg_separation *separation,
                                                        struct lg_arena *arena);

/* The same without what podAffinity asks for: pods that are no guest's may be what it wants. In the
 * arena. */
const struct lg_requirements *lg_requirements_without_affinity(const struct lg_requirements *req,
                                                               struct lg_arena *arena);

/* Of these nodes, could two be the guest's at once, source and target of a migration? */
bool lg_separation_leaves_pair(const struct lg_separation *separation, const lg_word *places,
                               const struct lg_node_table *nodes);

#endif
