/* What a guest asks of a node, read once: the inside of placement.h, for reading and judging.
 *
 * Immutable, in the arena that lg_requirements_read was given; strings borrow from the object and
 * the settings. Any thread. */
#ifndef LG_RULES_VIRT_REQUIREMENTS_H
#define LG_RULES_VIRT_REQUIREMENTS_H

#include "rules/virt/placement.h"

#define LG_LABEL_SCHEDULABLE "kubevirt.io/schedulable"

enum lg_want_origin {
    LG_WANT_USER,     /* nodeSelector */
    LG_WANT_CLUSTER,  /* the KubeVirt CR's nodeSelectors */
    LG_WANT_KUBEVIRT, /* KubeVirt adds it itself */
    LG_WANT_SOURCE,   /* KubeVirt copies it from the node that the guest leaves */
    LG_WANT_MOVE,     /* the migration's addedNodeSelector */
};

/* One label that a node must bear with this value, or (absent) must not bear at all; (prefix) any
 * label of which the key begins so. */
struct lg_want {
    struct lg_str key, value;
    struct lg_str older_key; /* bears the same meaning on nodes of an older KubeVirt; "" = none */
    enum lg_want_origin origin;
    bool absent, prefix;
    bool replaced; /* KubeVirt writes its own value over this one */
};

enum lg_match {
    LG_MATCH_IN,
    LG_MATCH_NOT_IN,
    LG_MATCH_EXISTS,
    LG_MATCH_ABSENT,
    LG_MATCH_ABOVE,
    LG_MATCH_BELOW
};

struct lg_expression {
    bool name; /* of the node's name, not of a label */
    enum lg_match match;
    struct lg_str key;
    struct lg_str *values;
    size_t n;
    int64_t bound; /* LG_MATCH_ABOVE, LG_MATCH_BELOW */
};

/* All of them; never empty in a list of terms but where every expression is true of any node. */
struct lg_term {
    const struct lg_expression *items;
    size_t n;
};

/* The nodes that the terms leave, once worked out: every walk over the same nodes needs them. */
struct lg_affinity_nodes {
    const struct lg_node_table *of; /* NULL = not worked out */
    lg_word *words;
    struct lg_arena *arena;
};

/* What keeps a node from taking the guest, in the order in which a node is judged: the first that
 * applies is the node's reason. Those from CORDONED on pass by themselves. */
enum lg_reason_kind {
    LG_REASON_SOURCE,
    LG_REASON_USER_LABEL,
    LG_REASON_AFFINITY,
    LG_REASON_TAINT,
    LG_REASON_NO_SCHEDULABLE_LABEL,
    LG_REASON_ADDED_LABEL,
    LG_REASON_APART,
    LG_REASON_NOT_TOGETHER,
    LG_REASON_KEPT_OFF,
    LG_REASON_RESERVED,
    LG_REASON_CORDONED,
    LG_REASON_NOT_READY,
    LG_REASON_NOT_SCHEDULABLE,
    LG_REASON_PASSING_TAINT,
};

/* Nodes that required podAffinity or podAntiAffinity rules out, see separation.h. */
struct lg_barrier {
    enum lg_reason_kind kind; /* APART, KEPT_OFF, RESERVED, NOT_TOGETHER */
    struct lg_val at;         /* the terms, where they are the guest's own */
    const lg_word *blocked;   /* of `nodes`, at the time it was read */
    const struct lg_node_table *nodes;
    struct lg_str topology_key; /* APART, KEPT_OFF, RESERVED */
    /* by slot of the node where it runs: a guest because of which a place is blocked */
    const struct lg_vmi_record *const *who;
};

struct lg_requirements {
    const struct lg_want *user; /* by key */
    size_t n_user;
    const struct lg_want *added;
    size_t n_added;
    bool needs_schedulable; /* the label kubevirt.io/schedulable must be "true" */
    bool has_affinity;      /* one of the terms; no term left = no node */
    const struct lg_term *terms;
    size_t n_terms;
    struct lg_affinity_nodes *affinity_nodes;
    struct lg_tolerations tolerations;
    bool tolerates_cordon;
    struct lg_str source; /* the node that the guest leaves; "" = it does not move */
    const struct lg_barrier *barriers;
    size_t n_barriers;
    struct lg_val node_selector, affinity, tolerations_at, added_selector; /* where they stand */
};

struct lg_place_reason {
    enum lg_reason_kind kind;
    const struct lg_want *want;   /* of the labels */
    const struct lg_taint *taint; /* of the taints */
    const struct lg_barrier *barrier;
    const struct lg_node *node; /* that is asked about alone, or NULL */
};

/* Of one node: "taint gpu=true:NoSchedule is not tolerated". */
struct lg_str lg_reason_text(const struct lg_place_reason *reason, struct lg_arena *arena);

/* Told each reason that some nodes have, with those nodes (borrowed for the call); last the
 * eligible ones with reason NULL. Each node is told once. */
typedef void lg_place_visit(void *arg, const struct lg_place_reason *reason, const lg_word *nodes);

/* Judges all nodes by bitmaps; `visit` may be NULL. */
struct lg_place_count lg_placement_walk(const struct lg_requirements *req,
                                        const struct lg_node_table *nodes, lg_place_visit *visit,
                                        void *arg);

/* What the guest's own nodeSelector and required node affinity ask for, and nothing else. */
const struct lg_requirements *lg_requirements_read_asked(struct lg_val vmi_spec,
                                                         struct lg_arena *arena);

/* Reads one requirement of matchExpressions or (field) matchFields. False: the scheduler refuses
 * it. *ret_true: it holds for any node and need not be kept; a false constant counts as refused,
 * since neither ever matches. */
bool lg_expression_read(struct lg_val requirement, bool field, struct lg_arena *arena,
                        struct lg_expression *ret, bool *ret_true);

/* The terms of {"nodeSelectorTerms": [...]} that can match anything; in the arena. */
const struct lg_term *lg_terms_read(struct lg_val required, struct lg_arena *arena, size_t *ret_n);

/* What a label (NULL: there is none) has to be. */
bool lg_expression_admits(const struct lg_expression *e, const struct lg_str *has);

/* False: no node of any cluster could match one of the terms; *ret_key (where there is a term) is a
 * label of which it asks what contradicts itself. Sorts the values of the terms. */
bool lg_terms_can_hold(const struct lg_requirements *req, struct lg_arena *arena,
                       struct lg_str *ret_key);

#endif
