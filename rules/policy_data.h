/* A policy as it lies in memory; only rules/policy*.c look inside. Everything in its arena but the patterns. */
#ifndef LG_RULES_POLICY_DATA_H
#define LG_RULES_POLICY_DATA_H

#include <stdatomic.h>

#include "rules/core/regex.h"
#include "rules/policy.h"

enum {
    LG_POLICY_ENTRIES_MAX = 256, /* namespaces */
    LG_POLICY_NAMES_MAX = 64,    /* patterns of one entry */
    LG_POLICY_CONTROLLERS_MAX = 256,
    LG_POLICY_SELECTOR_MAX =
        64, /* labels and expressions of one selector, values of one expression */
};

/* What holds somewhere: everywhere, or in the namespaces of one entry (merged over everywhere). */
struct lg_policy_set {
    enum lg_policy_mode mode;
    enum lg_action *actions; /* by rule index */
    const struct lg_param_value *
        *params; /* by rule index, then parameter index; NULL without any */
};

struct lg_policy_entry {
    struct lg_regex **names; /* NULL-terminated; any of them */
    struct lg_str *patterns; /* their texts */
    size_t n_names;
    struct lg_val selector; /* of namespace labels, without escapes: reading it changes nothing */
    struct lg_policy_set set;
};

struct lg_policy {
    atomic_uint refs;
    struct lg_arena arena;
    int kubevirt_version;
    struct lg_policy_set everywhere;
    struct lg_policy_entry *entries;
    size_t n_entries;
    struct lg_str *controllers;
    size_t n_controllers;
};

/* Copies `from` (NULL: the rules' defaults) so that `ret` can be changed. */
void lg_policy_set_copy(const struct lg_policy_set *from, struct lg_arena *arena,
                        struct lg_policy_set *ret);

#endif
