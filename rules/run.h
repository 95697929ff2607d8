/* The engine's own: one pass of all rules over one object. Lives on the judge's stack, its results
 * in the arena.
 *
 * Made by engine.c and ratchet.c, filled by what rules call (rule.c). One thread. Rules never
 * include it.
 */
#ifndef LG_RULES_RUN_H
#define LG_RULES_RUN_H

#include "rules/engine.h"

enum {
    LG_RULE_FINDINGS_MAX = 1024, /* of one rule over one object */
    LG_MESSAGE_BYTES_MAX = 1024, /* of a finding's message, fix or field */
};

struct lg_run {
    struct lg_arena *arena;
    const struct lg_inventory *inventory;
    const struct lg_settings *settings;
    const struct lg_policy *policy;
    struct lg_policy_view view;
    uint64_t exempt;                 /* the entries that name the requester */
    struct lg_policy_stalls *stalls; /* the judgement's */
    bool opted_out;                  /* a VM that declares itself immovable */
    const struct lg_str *excuses;    /* by rule index, once a finding asked for them; or NULL */
    bool excuses_known;
    struct lg_wants *wants; /* the judgement's; NULL: the inventory is the truth */
    int64_t now_unix_s;
    bool (*expired)(void *arg);
    void *expired_arg;
    const struct lg_turnout *turnout; /* what the limiter said, or NULL */
    bool dry_run;
    bool nested;      /* inside lg_rule_judge_vmi */
    const bool *only; /* by rule index: the rules that are asked; NULL = all */

    struct lg_subject subject;
    const struct lg_volume_claim *claims; /* NULL: nobody asked yet */
    size_t n_claims;
    const struct lg_requirements *requirements;
    struct lg_place_count places;
    lg_word *place_nodes; /* eligible and away */
    bool placed;
    const struct lg_separation *separation;
    bool separated;

    const struct lg_rule *rule; /* the one that is judged now */
    size_t index;               /* its index */
    struct lg_str excuse;       /* of the requester, where that lowered its action */
    enum lg_action action; /* its action here; OFF: it only answers whether the guest can move */
    size_t first;          /* its first finding */

    struct lg_finding *findings;
    size_t n, size;
    size_t *spilled; /* by rule index: findings beyond those that are kept; NULL = none */
    size_t judged;   /* rules before this index were judged; the deadline cut the rest off */
    bool immovable;  /* KubeVirt would say that the guest cannot be migrated... */
    bool disks;      /* ...because of its disks */
    bool stranded;   /* it would say that it can, and there is no second place */
    bool unsure;     /* something that would decide it is not known */
};

/* Everything that comes before judging: false where nothing is to be judged (`ret` says why:
 * skipped or refused), else *ret_run is set up for the input's object. */
bool lg_run_begin(const struct lg_engine_input *input, struct lg_arena *arena,
                  struct lg_judgement *ret, struct lg_run *ret_run);

/* A fresh run in the same circumstances over another subject. */
struct lg_run lg_run_like(const struct lg_run *run, struct lg_subject subject);
/* The same over another state of the input's object; false where that cannot be read. */
bool lg_run_of(const struct lg_run *run, const struct lg_engine_input *input, struct lg_val object,
               struct lg_run *ret);

/* Asks for the object (of the subject's namespace) to be read, where that can be done; false: it
 * was read, or cannot be. */
bool lg_run_want(struct lg_run *run, enum lg_kind kind, struct lg_str name);

/* What rule `index` is handed. */
struct lg_rule_context lg_run_context(struct lg_run *run, size_t index);

/* Whether policy lets this requester and object pass a rule that would deny: as exempt, or by an
 * exception. */
bool lg_run_waives(struct lg_run *run, size_t index);

/* By what exception, of the rule of that index; "" = none holds. */
struct lg_str lg_run_exception(struct lg_run *run, size_t index);

/* A finding's identity (its rule, what it is about, the offending value) as one text; without
 * `exact`: not what it is about. */
struct lg_str lg_finding_key(struct lg_arena *arena, const struct lg_finding *finding, bool exact);

/* Judges run->subject by every rule of its kind and operation. */
void lg_run_all(struct lg_run *run);

/* Folds pending findings that say the same of the same field (finding.h `also`). O(findings). */
void lg_run_fold(struct lg_run *run);

/* Lowers denials for what the old object had already, or for where its volumes come from. `old_run`
 * is set up like the new one; it is judged only when it has to be. */
void lg_ratchet(struct lg_run *run, struct lg_run *old_run);

#endif
