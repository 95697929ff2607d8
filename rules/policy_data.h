/* A policy as it lies in memory; only rules/policy*.c look inside. Everything in its arena but the
 * patterns. Immutable once it is parsed, but for its count of references, which is atomic: any
 * thread. */
#ifndef LG_RULES_POLICY_DATA_H
#define LG_RULES_POLICY_DATA_H

#include <stdatomic.h>

#include "rules/core/map.h"
#include "rules/core/regex.h"
#include "rules/policy.h"

enum {
    LG_POLICY_ENTRIES_MAX = 256, /* namespaces, exceptions */
    LG_POLICY_EXEMPT_MAX = 64,   /* one bit each */
    LG_POLICY_NAMES_MAX = 64,    /* patterns of one entry */
    LG_POLICY_TEXTS_MAX = 256,   /* controllers; users, groups of one entry */
    /* labels and expressions of one selector, values of one expression */
    LG_POLICY_SELECTOR_MAX = 64,
};

/* A pattern of names. */
struct lg_pattern {
    struct lg_str text;
    const struct lg_regex *regex; /* the policy's; NULL: the text itself is the only match */
    bool never;                   /* no name that Kubernetes knows can match */
};

struct lg_patterns {
    struct lg_pattern *items;
    size_t n;
};

/* What holds somewhere: everywhere, or in the namespaces of one entry (merged over everywhere). */
struct lg_policy_set {
    enum lg_policy_mode mode;
    enum lg_action *actions; /* by rule index */
    bool *chosen;            /* by rule index: not its default, whatever it is */
    /* by rule index, then parameter index; NULL without any */
    const struct lg_param_value **params;
    const bool *opt_out; /* by rule index */
    struct lg_val claim_selector;
    struct lg_elastic elastic;
    unsigned char *fixers; /* by rule index, as in lg_policy_view */
};

/* An entry's `never` says why it can never count; NULL: it can. */
struct lg_policy_entry {
    struct lg_patterns names; /* any of them; none: all */
    struct lg_val selector;   /* of namespace labels, without escapes: reading it changes nothing */
    struct lg_policy_set set;
    const char *never;
};

/* Who, rather than what. */
struct lg_policy_exempt {
    struct lg_str *users, *groups; /* whole strings */
    size_t n_users, n_groups;
    const bool *rules; /* by rule index */
    bool all_rules;
    enum lg_action action; /* at most */
    struct lg_str reason;
    const char *never;
};

/* Audit instead of deny, until it expires. */
struct lg_policy_exception {
    const bool *rules; /* by rule index */
    bool all_rules;
    struct lg_patterns namespaces; /* none: all, and objects without one */
    struct lg_pattern name;        /* text "" = all */
    struct lg_str reason, approved_by;
    int64_t expires_unix_s; /* 0 = never */
    struct lg_str expires;  /* as written */
    struct lg_str excuse;   /* what a finding says of it */
    const char *never;
};

/* A compiled pattern, in the list of those that end with the policy. */
struct lg_policy_regex {
    struct lg_regex *regex;
    struct lg_policy_regex *next;
};

struct lg_policy {
    atomic_uint refs;
    struct lg_arena arena;
    struct lg_policy_regex *regexes;
    int kubevirt_version;
    struct lg_limiter_policy limiter;
    struct lg_policy_set everywhere;
    struct lg_policy_entry *entries;
    size_t n_entries;
    struct lg_policy_exempt *exempt;
    size_t n_exempt;
    struct lg_map exempt_users, exempt_groups; /* name -> uint64_t, a bit an entry of `exempt` */
    struct lg_policy_exception *exceptions;
    size_t n_exceptions;
    struct lg_str *controllers;
    size_t n_controllers;
};

/* Copies `from` (NULL: the rules' defaults) so that `ret` can be changed. */
void lg_policy_set_copy(const struct lg_policy_set *from, struct lg_arena *arena,
                        struct lg_policy_set *ret);

/* True when one of the patterns matches `name`. One that hits a limit does not, and is noted; none
 * does once too many have hit it, or time is up. */
bool lg_patterns_match(const struct lg_patterns *patterns, struct lg_str name,
                       struct lg_policy_stalls *io_stalls);

/* True when no set of labels can match the selector. */
bool lg_policy_selector_never(struct lg_val selector);

/* Looks for entries that can never count and says why in their `never`. Once, after reading. */
void lg_policy_mark_never(struct lg_policy *policy);

#endif
