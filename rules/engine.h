/* The one judge behind all doors: object + old object + request facts + inventory + policy ->
 * findings.
 *
 * Pure and bounded: what it allocates lies in the caller's arena; the clock and the deadline are
 * handed in. Any number of threads on one inventory and policy.
 */
#ifndef LG_RULES_ENGINE_H
#define LG_RULES_ENGINE_H

#include "rules/policy.h"

struct lg_engine_input {
    const struct lg_inventory *inventory;
    /* Others change the cluster meanwhile, and single objects can be read: a denial that rests on
     * another object, or on there being none, counts only where that was read (lg_inventory_over),
     * else it is pending; what should be read is in `wants`. False: the inventory is the truth. */
    bool confirm;
    const struct lg_policy *policy;
    enum lg_kind kind;
    enum lg_op op;
    bool subresource;
    struct lg_str ns, name;
    struct lg_val object, old_object;
    const struct lg_err *refusal; /* the reader stopped inside the object (lg_review.refusal), which
                                     then holds what stood before; NULL = it was read */
    struct lg_str username;       /* "" offline: then an object's status is the cluster's word */
    struct lg_val groups;         /* list of strings, LG_NONE offline */
    bool dry_run;
    /* 100 * major + minor, before the policy's; 0 = the policy's or the cluster's */
    int kubevirt_version;
    int64_t now_unix_s;
    /* what the limiter said (rules/limiter.h); NULL: it was not asked */
    const struct lg_turnout *turnout;
    /* the answer has to leave now: what is not judged yet becomes pending. NULL = never */
    bool (*expired)(void *arg);
    void *expired_arg;
    bool places; /* whatever policy asks, work out on which nodes the subject can run */
};

/* An object that would settle something if it were read. */
struct lg_want {
    enum lg_kind kind;
    struct lg_str ns, name; /* borrowed from the object; ns "" for a cluster-scoped kind */
    bool found;             /* the inventory has it; what it says there is to be confirmed */
};
enum { LG_WANTS_MAX = 8 };
struct lg_wants {
    size_t n; /* what does not fit is not read */
    struct lg_want items[LG_WANTS_MAX];
};

enum lg_requester { LG_REQUESTER_PERSON, LG_REQUESTER_CONTROLLER, LG_REQUESTER_BYPASS };

struct lg_judgement {
    /* in the order of rule ids, inside a rule in the order of the text; audit ones included */
    const struct lg_finding *findings;
    size_t n;
    enum lg_action verdict; /* the strongest action, LG_ACTION_OFF without findings */
    /* allowed at once: nothing was judged (DELETE, a subresource, deletion, nothing changed) */
    bool skipped;
    /* the object could not be read: `refusal` says why; verdict is DENY without findings (AUDIT
     * for controllers, WARN with the bypass group or in mode observe) */
    bool refused;
    struct lg_err refusal; /* where = path */
    enum lg_requester requester;
    enum lg_policy_mode mode;
    struct lg_policy_stalls stalls;   /* patterns of the policy that were too expensive */
    const struct lg_turnout *turnout; /* the input's */
    struct lg_subject subject;
    struct lg_wants wants; /* with `confirm`; none for controllers, who are never held up */
    int migratable;        /* see lg_judgement_migratable */
    bool disks_stay;       /* KubeVirt counts its disks among the reasons against a migration */
    /* With `places`, of a guest or of a migration that has a target here, while nodes are known:
     * what it asks of nodes, what keeps guests apart counted; else NULL. */
    const struct lg_requirements *requirements;
    const struct lg_separation *separation; /* says what that answer does not cover; or NULL */
};

/* Judges one object. Never fails: what cannot be read is a refusal. */
void lg_engine_judge(const struct lg_engine_input *input, struct lg_arena *arena,
                     struct lg_judgement *ret);

/* What KubeVirt's condition would say of a VM or VMI, independent of actions: 1, 0, or -1 = not
 * known (pending). */
int lg_judgement_migratable(const struct lg_judgement *judgement);
/* True when its migration would copy disks. */
bool lg_judgement_block_migration(const struct lg_judgement *judgement);

#endif
