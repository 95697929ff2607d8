/* What a rule says of an object: one finding a reason.
 *
 * Plain values of one review: they live in its arena, their text is borrowed from its object, from
 * the arena or from rules, and no lock guards them: the thread that reviews has them to itself.
 */
#ifndef LG_RULES_FINDING_H
#define LG_RULES_FINDING_H

#include "rules/core/json.h"
#include "rules/kube/gvk.h"

struct lg_rule;

/* In rising strength. Policy knows off, audit, warn, deny; pending is a verdict and the default of
 * rules about what is not known yet. */
enum lg_action {
    LG_ACTION_OFF,
    LG_ACTION_AUDIT,
    LG_ACTION_PENDING,
    LG_ACTION_WARN,
    LG_ACTION_DENY
};
enum { LG_ACTION_COUNT = LG_ACTION_DENY + 1 };

/* "off", "audit", "pending", "warn", "deny". Static storage. */
const char *lg_action_name(enum lg_action action);

struct lg_finding {
    const struct lg_rule *rule;
    enum lg_action action; /* after policy, ratchet and requester; never OFF */
    /* what it would be by policy alone (before ratchet, observe, controllers, bypass) */
    enum lg_action was;
    bool ratcheted;       /* would deny, but the old object had it already (or there was no time
                             to see): lowered for that */
    bool pending;         /* the rule lacks something: message names it */
    enum lg_kind missing; /* of a pending one: the kind that is not known, LG_KIND_OTHER else */
    /* what it is about: a volume's, interface's, device's name; "" = the whole object */
    struct lg_str about;
    /* the offending value; with the rule's id it makes the ratchet's identity */
    struct lg_str ident;
    struct lg_val at;      /* the offending field */
    struct lg_str field;   /* its path in the object */
    struct lg_str message; /* one line, printable */
    struct lg_str fix;     /* one line, printable; "" = none */
    struct lg_str head;    /* how the head of a denial says it; "" = it is a reason of its own */
    bool in_head;          /* the denial's head says it: it is listed nowhere else */
    /* of a pending one: "LG302, LG303", the later rules that lack the same thing; else the rule
     * that it tells for (rule.h, told_by)... */
    struct lg_str also;
    bool folded; /* ...whose own findings are not shown to people */
    /* why policy lowered it: an exception or an exempt requester, one line, printable; "" = it did
     * not */
    struct lg_str excuse;
    bool excepted; /* by an exception */
    /* the condition reason KubeVirt would give, or NULL: it calls the VM migratable all the same */
    const char *kubevirt_reason;
};

#endif
