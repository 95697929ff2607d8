/* What a rule is: one const descriptor a file in rules/builtin.
 *
 * What its check is handed and may ask stands in rule_context.h. Everything else about a rule is
 * derived from the descriptor: policy validation, `livegate rules`, the README's table, metric
 * labels, what has to be watched. Constant data, any thread.
 */
#ifndef LG_RULES_RULE_H
#define LG_RULES_RULE_H

#include "rules/fixer.h"
#include "rules/rule_context.h"

enum lg_param_type { LG_PARAM_INT_LIST, LG_PARAM_BOOL, LG_PARAM_INT };

/* A parameter that policy can set beside `action`; the table ends with name NULL. */
struct lg_param {
    const char *name;
    enum lg_param_type type;
    int64_t min, max; /* of each item */
    struct lg_param_value otherwise;
    const char *doc;
};

enum lg_expect {
    LG_EXPECT_NOTHING = 1,
    LG_EXPECT_DENY,
    LG_EXPECT_WARN,
    LG_EXPECT_AUDIT,
    LG_EXPECT_PENDING
};

/* An example is documentation and a test: what this one rule says of `object` (YAML), with
 * `inventory` (YAML documents; kinds that stand there, and `known`, are complete, others not given)
 * and `policy` (YAML, or NULL). The table ends with name NULL. At least one expects nothing, one a
 * violation, one has the field absent. */
struct lg_rule_example {
    const char *name;
    enum lg_expect expect;
    unsigned known; /* LG_BIT(kind): complete though no object of it stands in `inventory` */
    const char *object, *old_object, *inventory, *policy;
    const char *message; /* a part of the expected message, or NULL */
};

/* What a rule looks up that asks lg_rule_lacks_parts. */
#define LG_INSTANCETYPES                                                                           \
    (LG_BIT(LG_KIND_INSTANCETYPE) | LG_BIT(LG_KIND_CLUSTER_INSTANCETYPE) | LG_BIT(LG_KIND_REVISION))
#define LG_PREFERENCES                                                                             \
    (LG_BIT(LG_KIND_PREFERENCE) | LG_BIT(LG_KIND_CLUSTER_PREFERENCE) | LG_BIT(LG_KIND_REVISION))
/* And one that asks lg_rule_new_node_could. */
#define LG_AUTOSCALERS                                                                             \
    (LG_BIT(LG_KIND_CLUSTER_AUTOSCALER) | LG_BIT(LG_KIND_MACHINE_AUTOSCALER) |                     \
     LG_BIT(LG_KIND_NODE_POOL))

struct lg_rule {
    const char *id;        /* "LG101", never changes */
    const char *name;      /* "claim-not-shared" */
    const char *title;     /* one line for tables */
    const char *rationale; /* what happens without it; a paragraph */
    const char *remedy;    /* how to fix it; a paragraph */
    const char *source;    /* where upstream says so */
    enum lg_action action; /* default */
    unsigned kinds;    /* LG_BIT(LG_KIND_...) it judges, and templates of them: lg_kind_judged_as */
    unsigned ops;      /* LG_BIT(LG_OP_...) */
    unsigned looks_up; /* LG_BIT(LG_KIND_...) it reads from the inventory */
    /* reason in KubeVirt's LiveMigratable condition ("A, B" where findings differ), or NULL */
    const char *kubevirt_reason;
    /* KubeVirt's reason is a cluster out of order: while what the rule looks up is not known, it is
     * not expected */
    bool not_expected;
    /* what it reports uncapped leaves the guest nowhere to go, whatever KubeVirt says */
    bool strands;
    bool of_drains; /* about what a drain does: says nothing of whether the guest can move */
    /* the limiter's: who it holds up waits (429) instead of being denied; switched by policy's
     * limiter.mode, not by an action */
    bool waits;
    const char *not_stronger_than; /* id of the rule whose action caps this one, or NULL */
    /* The id of a later rule whose finding at the same place, or within it, says why this one's is
     * so (but for one about the guest's whole spec): people are shown that one only; or NULL. */
    const char *told_by;
    /* For the ratchet: the id of the rule whose finding on the old object excuses this one's, since
     * the update made it better; or NULL. */
    const char *better_than;
    /* For the ratchet: ident alone says what is wrong; a second thing of the object with the same
     * one is no new reason. */
    bool ident_alone;
    const struct lg_param *params; /* or NULL */
    void (*check)(struct lg_rule_context *context);
    const struct lg_fixer *fixer; /* what can repair it, or NULL */
    const char *by_hand; /* without a fixer: what a person does; NULL = the finding's fix */
    const struct lg_rule_example *examples;
};

/* The registry: generated from the files in rules/builtin, ordered by id, ends with NULL. Never
 * empty (serve refuses). */
extern const struct lg_rule *const lg_rules[];
size_t lg_rules_count(void);
/* Its default action as people read it: "deny", and "limit" for those of the limiter. Static
 * storage. */
const char *lg_rule_default_name(const struct lg_rule *rule);
/* LG_BIT(kind) of what has to be listed and watched: all that the rules, and engine and policy
 * around them, look up, but for what is read on demand. */
unsigned lg_rules_watched(void);
/* By id or name; NULL = no such rule. *ret_index may be NULL. */
const struct lg_rule *lg_rule_find(struct lg_str id_or_name, size_t *ret_index);

#endif
