/* What a rule's check is handed, what it can ask, and how it says what it found.
 *
 * A check is a pure function of its context: no network, no threads, no clock, no logging, no
 * memory but the arena. It reports findings (lg_rule_report) or that it lacks something
 * (lg_rule_lacks); the engine decides what comes of it. A context belongs to one judgement and to
 * its thread. Rules include rule.h, which includes this.
 */
#ifndef LG_RULES_RULE_CONTEXT_H
#define LG_RULES_RULE_CONTEXT_H

#include "rules/finding.h"
#include "rules/inventory.h"
#include "rules/virt/expansion.h"
#include "rules/virt/guest.h"
#include "rules/virt/limits_words.h"
#include "rules/virt/network.h"
#include "rules/virt/placement.h"
#include "rules/virt/storage.h"
#include "rules/virt/versions.h"
#include "rules/virt/vm.h"

struct lg_rule;

enum lg_op { LG_OP_CREATE, LG_OP_UPDATE, LG_OP_DELETE, LG_OP_CONNECT };

/* What is judged. The engine makes it and has checked the shape (lg_shape_check) of `object`. */
struct lg_subject {
    enum lg_kind kind;
    enum lg_op op;
    struct lg_str ns, name; /* the request's; name may be "" (generateName before naming) */
    struct lg_val object;
    struct lg_vm vm; /* for guests: lg_kind_is_guest */
};

enum { LG_PARAM_ITEMS_MAX = 64, LG_PARAMS_MAX = 4 };

struct lg_param_value {
    int64_t items[LG_PARAM_ITEMS_MAX]; /* LG_PARAM_INT_LIST; LG_PARAM_INT: the first */
    size_t n;
    bool flag; /* LG_PARAM_BOOL */
};

struct lg_rule_context {
    const struct lg_rule *rule;
    const struct lg_subject *subject;
    const struct lg_inventory *inventory;
    const struct lg_settings *settings;  /* lg_inventory_settings, never NULL */
    const struct lg_param_value *params; /* in the order of rule->params, defaults filled in */
    struct lg_val claim_selector;        /* policy's: labels of claims that are virtual machines' */
    struct lg_arena *arena;
    int64_t now_unix_s;
    const struct lg_turnout *turnout; /* what the limiter said; NULL: it was not asked */
    void *engine;                     /* the engine's own; rules leave it alone */
};

/* A violation. Zero is a good default for every member but `message`. */
struct lg_report {
    struct lg_val at;           /* the offending field; LG_NONE = the object */
    struct lg_str about, ident; /* see finding.h */
    enum lg_action at_most;     /* a cap for this finding (LG_ACTION_OFF = none) */
    /* the action where policy leaves the rule's own alone (LG_ACTION_OFF = the rule's) */
    enum lg_action by_default;
    /* e.g. volume "data": claim "x" is ReadWriteOnce; live migration needs ReadWriteMany */
    struct lg_str message;
    struct lg_str fix;
    /* how the head of a denial says it, "with ... a drain waits"; "" = it is one of the reasons */
    struct lg_str head;
    /* What it rests on beside the subject: the object of that name in the subject's namespace, or
     * that there is none. A denial is believed only once that was read, where it can be. "": on
     * nothing but the subject. */
    struct lg_str rests_on;
    enum lg_kind rests_on_kind;
    /* KubeVirt does not count this one although the rule has a kubevirt_reason */
    bool beyond_kubevirt;
    /* of this finding, where the rule has several; NULL = the rule's */
    const char *kubevirt_reason;
};
void lg_rule_report(struct lg_rule_context *context, const struct lg_report *report);

/* The rule cannot decide, because an object (or a whole kind: name "") is not known. Once a rule
 * and object is shown. */
void lg_rule_lacks(struct lg_rule_context *context, struct lg_val at, enum lg_kind kind,
                   struct lg_str name);
/* The same, in words of its own: "instancetype \"u1.small\" is not read yet". */
void lg_rule_lacks_text(struct lg_rule_context *context, struct lg_val at, struct lg_str what);

/* What a migration is about. */
struct lg_moving {
    struct lg_val at; /* spec.vmiName */
    struct lg_str name;
    enum lg_lookup found;
    const struct lg_vmi_record *vmi; /* NULL unless found */
    bool ended;                      /* Succeeded or Failed */
    bool decentralised;              /* sendTo or receive */
};
/* Of the subject, a migration. False: KubeVirt's own webhook refuses it (no vmiName, a priority,
 * which only its controller may set, sendTo or receive while the gate is off), so that nothing is
 * to be said: its error reaches the user. */
bool lg_rule_moving(const struct lg_rule_context *context, struct lg_moving *ret);
/* That VMI is there and has not ended. Where it is not known, says so. */
bool lg_rule_guest_found(struct lg_rule_context *context, const struct lg_moving *moving);

/* The VM names an instancetype or a preference (`parts`: LG_BIT(LG_PART_...)) that could not be
 * read: says so, and is then true. For a rule that found nothing in the VM, or what such a part may
 * take away. */
#define LG_ANY_PART (LG_BIT(LG_PART_INSTANCETYPE) | LG_BIT(LG_PART_PREFERENCE))
bool lg_rule_lacks_parts(struct lg_rule_context *context, unsigned parts);

/* The nodes are not all known: says so, of `at`, and is then true. */
bool lg_rule_lacks_nodes(struct lg_rule_context *context, struct lg_val at);

/* lg_volume_claims of the subject, a guest; worked out once a subject. */
const struct lg_volume_claim *lg_rule_volume_claims(struct lg_rule_context *context, size_t *ret_n);

/* The placement of the subject (VM, VMI; of a migration: its target's), worked out once a subject
 * and shared by the rules. A migration's guest must have been found (lg_rule_moving) and run on a
 * node. */
const struct lg_requirements *lg_rule_requirements(struct lg_rule_context *context);
struct lg_place_count lg_rule_placement(struct lg_rule_context *context);
/* The nodes of that count that are eligible or away: a bitmap of the inventory's. Borrowed. */
const lg_word *lg_rule_places(struct lg_rule_context *context);

/* Whether the guest can move, by what the rules with smaller ids found of it: a reason of
 * KubeVirt's condition, or no second place. Unknown: what would decide it is not known. */
enum lg_mobility { LG_MOBILE, LG_IMMOBILE, LG_MOBILITY_UNKNOWN };
enum lg_mobility lg_rule_mobility(const struct lg_rule_context *context);

/* What policy would do about the rule that this one leans on (not_stronger_than), of the object
 * `name` in the subject's namespace: its exceptions count. */
enum lg_action lg_rule_leaning_action(struct lg_rule_context *context, struct lg_str name);

/* What required podAffinity and podAntiAffinity leave of those nodes; NULL: nothing separates the
 * subject. Worked out once a subject. For a migration lg_rule_requirements counts it already. */
const struct lg_separation *lg_rule_separation(struct lg_rule_context *context);

/* True when the cluster grows by itself (policy's placement.elastic; auto: there is an autoscaler)
 * and a new node could take the subject. */
bool lg_rule_new_node_could(struct lg_rule_context *context);

/* What the rules say of a VMI that the subject is about (its own findings, by policy alone: no
 * ratchet, no requester), without those of a VMI that cannot be read. In the arena; none inside
 * such a judgement. */
const struct lg_finding *lg_rule_judge_vmi(struct lg_rule_context *context, struct lg_str ns,
                                           struct lg_str name, struct lg_val vmi, size_t *ret_n);

#endif
