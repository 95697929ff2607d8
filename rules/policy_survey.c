/* Entries of a policy that never do anything: because of what they say, or because their time is
 * over. */
#include "rules/policy_data.h"

/* The strongest action that the rule has anywhere. */
static enum lg_action strongest(const struct lg_policy *policy, size_t rule)
{
    enum lg_action action = policy->everywhere.actions[rule];
    for (size_t i = 0; i < policy->n_entries; i++)
        if (policy->entries[i].set.actions[rule] > action)
            action = policy->entries[i].set.actions[rule];
    return action;
}

/* True when one of the rules is stronger than `action` somewhere. */
static bool lowers(const struct lg_policy *policy, const bool *rules, enum lg_action action)
{
    for (size_t i = 0; lg_rules[i] != NULL; i++)
        if (rules[i] && strongest(policy, i) > action)
            return true;
    return false;
}

static bool none_possible(const struct lg_patterns *patterns)
{
    for (size_t i = 0; i < patterns->n; i++)
        if (!patterns->items[i].never)
            return false;
    return patterns->n != 0;
}

/* An entry before this one takes all of its namespaces: by a pattern for everything, or by matching
 * each name that is written out. */
static bool shadowed(const struct lg_policy *policy, size_t index)
{
    const struct lg_policy_entry *entry = &policy->entries[index];
    struct lg_policy_stalls stalls = {0};
    for (size_t i = 0; i < index; i++) {
        const struct lg_policy_entry *before = &policy->entries[i];
        if (lg_json_there(before->selector))
            continue;
        for (size_t k = 0; k < before->names.n; k++)
            if (lg_str_is(before->names.items[k].text, ".*") ||
                lg_str_is(before->names.items[k].text, ".+"))
                return true;
        size_t taken = 0;
        for (size_t k = 0; k < entry->names.n; k++)
            taken += entry->names.items[k].regex == NULL &&
                     lg_patterns_match(&before->names, entry->names.items[k].text, &stalls);
        if (taken != 0 && taken == entry->names.n)
            return true;
    }
    return false;
}

static const char *entry_never(const struct lg_policy *policy, size_t index)
{
    const struct lg_policy_entry *entry = &policy->entries[index];
    if (none_possible(&entry->names))
        return "no namespace can have such a name";
    if (lg_json_there(entry->selector) && lg_policy_selector_never(entry->selector))
        return "the selector contradicts itself";
    return shadowed(policy, index) ? "an entry before it takes all of its namespaces" : NULL;
}

static const char *exception_never(const struct lg_policy *policy,
                                   const struct lg_policy_exception *entry)
{
    if (none_possible(&entry->namespaces))
        return "no namespace can have such a name";
    if (entry->name.never)
        return "no object can have such a name";
    return lowers(policy, entry->rules, LG_ACTION_AUDIT)
               ? NULL
               : "its rules are audit or off everywhere already";
}

void lg_policy_mark_never(struct lg_policy *policy)
{
    for (size_t i = 0; i < policy->n_entries; i++)
        policy->entries[i].never = entry_never(policy, i);
    for (size_t i = 0; i < policy->n_exempt; i++)
        if (!lowers(policy, policy->exempt[i].rules, policy->exempt[i].action))
            policy->exempt[i].never = "its rules are no stronger than that anywhere";
    for (size_t i = 0; i < policy->n_exceptions; i++)
        policy->exceptions[i].never = exception_never(policy, &policy->exceptions[i]);
}

void lg_policy_survey(const struct lg_policy *policy, int64_t now_unix_s,
                      struct lg_policy_survey *ret)
{
    *ret = (struct lg_policy_survey){0};
    for (size_t i = 0; i < policy->n_entries; i++)
        ++*(policy->entries[i].never != NULL ? &ret->parts[LG_POLICY_NAMESPACES].never
                                             : &ret->parts[LG_POLICY_NAMESPACES].active);
    for (size_t i = 0; i < policy->n_exempt; i++)
        ++*(policy->exempt[i].never != NULL ? &ret->parts[LG_POLICY_EXEMPT].never
                                            : &ret->parts[LG_POLICY_EXEMPT].active);
    for (size_t i = 0; i < policy->n_exceptions; i++) {
        const struct lg_policy_exception *entry = &policy->exceptions[i];
        bool over = entry->expires_unix_s != 0 && now_unix_s >= entry->expires_unix_s;
        ++*(over                   ? &ret->parts[LG_POLICY_EXCEPTIONS].expired
            : entry->never != NULL ? &ret->parts[LG_POLICY_EXCEPTIONS].never
                                   : &ret->parts[LG_POLICY_EXCEPTIONS].active);
    }
}
