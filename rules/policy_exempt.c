/* The `exempt` of a policy: who may do what others may not. By whole user names and groups; bits an
 * entry. */
#include "rules/policy_read.h"

static void remember(const struct lg_policy_parser *parser, struct lg_map *map,
                     const struct lg_str *names, size_t n, size_t entry)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t *bits = lg_map_get(map, names[i]);
        if (bits == NULL) {
            bits = lg_arena_alloc(parser->arena, sizeof(*bits));
            (void)lg_map_set(map, names[i], bits);
        }
        *bits |= UINT64_C(1) << entry;
    }
}

static bool read_entry(const struct lg_policy_parser *parser, struct lg_val v,
                       struct lg_policy_exempt *entry)
{
    static const char *const keys[] = {"users", "groups", "rules", "action", "reason", NULL};
    if (!lg_policy_want(parser, v, LG_JSON_OBJECT, "an entry of exempt", "an object") ||
        !lg_policy_only_keys(parser, v, "exempt", keys))
        return false;
    struct lg_val users = lg_json_get(v, "users");
    struct lg_val groups = lg_json_get(v, "groups");
    struct lg_val rules = lg_json_get(v, "rules");
    struct lg_val action = lg_json_get(v, "action");
    struct lg_val reason = lg_json_get(v, "reason");
    if (!lg_json_there(users) && !lg_json_there(groups))
        return lg_policy_fail(parser, LG_E_INVALID, v, "an entry of exempt needs users or groups");
    if (!lg_json_there(rules))
        return lg_policy_fail(parser, LG_E_INVALID, v,
                              "an entry of exempt needs rules; [\"*\"] is all of them");
    if (!lg_json_there(action))
        return lg_policy_fail(parser, LG_E_INVALID, v,
                              "an entry of exempt needs an action: warn, audit or off");
    if (lg_json_there(users) &&
        !lg_policy_read_texts(parser, users, "users", "a user", &entry->users, &entry->n_users))
        return false;
    if (lg_json_there(groups) && !lg_policy_read_texts(parser, groups, "groups", "a group",
                                                       &entry->groups, &entry->n_groups))
        return false;
    if (lg_json_there(reason) && !lg_policy_want_text(parser, reason, "reason"))
        return false;
    entry->reason = lg_json_str(reason);
    if (!lg_policy_read_rule_list(parser, rules, "rules", &entry->rules, &entry->all_rules) ||
        !lg_policy_read_action(parser, action, &entry->action))
        return false;
    if (entry->action == LG_ACTION_DENY)
        return lg_policy_fail(parser, LG_E_INVALID, action,
                              "action deny exempts nobody: use warn, audit or off");
    return true;
}

bool lg_policy_read_exempt(const struct lg_policy_parser *parser, struct lg_val v)
{
    struct lg_policy *policy = parser->policy;
    if (!lg_json_there(v) || (lg_json_kind(v) == LG_JSON_ARRAY && lg_json_len(v) == 0))
        return true;
    if (!lg_policy_want_list(parser, v, "exempt", LG_POLICY_EXEMPT_MAX))
        return false;
    policy->exempt = lg_arena_array(parser->arena, lg_json_len(v), sizeof(*policy->exempt));
    for (struct lg_json_iter it = lg_json_iter(v); lg_json_next(&it);) {
        struct lg_policy_exempt *entry = &policy->exempt[policy->n_exempt];
        if (!read_entry(parser, it.val, entry))
            return false;
        for (struct lg_json_iter before = lg_json_iter(v);
             lg_json_next(&before) && before.index < it.index;)
            if (lg_json_equal(before.val, it.val))
                return lg_policy_fail(parser, LG_E_INVALID, it.val, "the same as entry %zu",
                                      before.index + 1);
        remember(parser, &policy->exempt_users, entry->users, entry->n_users, it.index);
        remember(parser, &policy->exempt_groups, entry->groups, entry->n_groups, it.index);
        policy->n_exempt++;
    }
    return true;
}

uint64_t lg_policy_exempt(const struct lg_policy *policy, struct lg_str username,
                          struct lg_val groups)
{
    if (policy->n_exempt == 0 || username.n == 0)
        return 0;
    const uint64_t *bits = lg_map_get(&policy->exempt_users, username);
    uint64_t all = bits != NULL ? *bits : 0;
    if (policy->exempt_groups.used == 0)
        return all;
    for (struct lg_json_iter it = lg_json_iter(groups); lg_json_next(&it);) {
        bits = lg_map_get(&policy->exempt_groups, lg_json_str(it.val));
        all |= bits != NULL ? *bits : 0;
    }
    return all;
}

enum lg_action lg_policy_exempted(const struct lg_policy *policy, uint64_t entries, size_t rule,
                                  enum lg_action action, struct lg_str *ret_reason)
{
    for (; entries != 0; entries &= entries - 1) {
        const struct lg_policy_exempt *entry = &policy->exempt[__builtin_ctzll(entries)];
        if (!entry->rules[rule] || entry->action >= action)
            continue;
        action = entry->action;
        if (ret_reason != NULL)
            *ret_reason = entry->reason.n != 0 ? entry->reason : LG_STR("the requester is exempt");
    }
    return action;
}
