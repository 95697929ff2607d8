/* The `rules` of a policy: by id or name, with parameters as their descriptors say. */
#include <assert.h>

#include "rules/policy_read.h"

/* YAML reads a bare `off` as false. */
bool lg_policy_read_action(const struct lg_policy_parser *parser, struct lg_val v,
                           enum lg_action *ret)
{
    static const enum lg_action known[] = {LG_ACTION_DENY, LG_ACTION_WARN, LG_ACTION_AUDIT,
                                           LG_ACTION_OFF};
    if (lg_json_kind(v) == LG_JSON_FALSE) {
        *ret = LG_ACTION_OFF;
        return true;
    }
    if (!lg_policy_want(parser, v, LG_JSON_STRING, "action", "deny, warn, audit or off"))
        return false;
    struct lg_nearest nearest = {.wanted = lg_json_str(v), .edits = LG_NEAREST_NONE};
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        if (lg_json_is(v, lg_action_name(known[i]))) {
            *ret = known[i];
            return true;
        }
        lg_nearest_consider(&nearest, lg_action_name(known[i]));
    }
    if (lg_json_is(v, lg_action_name(LG_ACTION_PENDING)))
        return lg_policy_fail(
            parser, LG_E_INVALID, v,
            "action cannot be pending, which is a verdict: use deny, warn, audit or off");
    return lg_policy_fail(parser, LG_E_INVALID, v,
                          "unknown action \"%.*s\": use deny, warn, audit or off%.*s",
                          LG_ARG(lg_str_cut(nearest.wanted, LG_NAME_SHOWN_MAX)),
                          LG_ARG(lg_nearest_suggestion(&nearest, parser->arena)));
}

static bool read_int(const struct lg_policy_parser *parser, const struct lg_param *param,
                     struct lg_val v, int64_t *ret)
{
    struct lg_str shown = lg_str_cut(lg_json_text(v), LG_NAME_SHOWN_MAX);
    enum lg_err_code code = lg_json_int64(v, ret);
    if (code == LG_E_INVALID)
        return lg_policy_fail(parser, LG_E_INVALID, v, "%s: %.*s is not an integer", param->name,
                              LG_ARG(shown));
    if (code != LG_E_OK || *ret < param->min || *ret > param->max)
        return lg_policy_fail(parser, LG_E_INVALID, v, "%s: %.*s is not between %lld and %lld",
                              param->name, LG_ARG(shown), (long long)param->min,
                              (long long)param->max);
    return true;
}

static bool read_int_list(const struct lg_policy_parser *parser, const struct lg_param *param,
                          struct lg_val v, struct lg_param_value *ret)
{
    if (!lg_policy_want(parser, v, LG_JSON_ARRAY, param->name, "a list of integers"))
        return false;
    if (lg_json_len(v) > LG_PARAM_ITEMS_MAX)
        return lg_policy_fail(parser, LG_E_LIMIT, v, "%s has %zu items, at most %d are read",
                              param->name, lg_json_len(v), LG_PARAM_ITEMS_MAX);
    ret->n = 0;
    for (struct lg_json_iter it = lg_json_iter(v); lg_json_next(&it);)
        if (!read_int(parser, param, it.val, &ret->items[ret->n++]))
            return false;
    return true;
}

static bool read_param(const struct lg_policy_parser *parser, const struct lg_param *param,
                       struct lg_val v, struct lg_param_value *ret)
{
    if (param->type == LG_PARAM_INT_LIST)
        return read_int_list(parser, param, v, ret);
    if (param->type == LG_PARAM_INT) {
        ret->n = 1;
        return read_int(parser, param, v, &ret->items[0]);
    }
    if (lg_json_kind(v) != LG_JSON_TRUE && lg_json_kind(v) != LG_JSON_FALSE)
        return lg_policy_fail(parser, LG_E_INVALID, v, "%s must be true or false, not %s",
                              param->name, lg_json_kind_name(v));
    ret->flag = lg_json_bool(v, false);
    return true;
}

/* Merges one rule's entry into the set: only the keys that are there. */
static bool read_rule(const struct lg_policy_parser *parser, struct lg_val v, size_t index,
                      struct lg_policy_set *set)
{
    const struct lg_rule *rule = lg_rules[index];
    if (rule->waits)
        return lg_policy_fail(parser, LG_E_INVALID, v,
                              "%s is switched by limiter.mode, not by an action", rule->id);
    const char *keys[LG_PARAMS_MAX + 2] = {"action"};
    size_t n = 0;
    for (; rule->params != NULL && rule->params[n].name != NULL; n++) {
        assert(n < LG_PARAMS_MAX);
        keys[n + 1] = rule->params[n].name;
    }
    if (!lg_policy_want(parser, v, LG_JSON_OBJECT, rule->id, "an object such as {action: warn}") ||
        !lg_policy_only_keys(parser, v, rule->id, keys))
        return false;
    struct lg_val action = lg_json_get(v, "action");
    if (lg_json_there(action) && !lg_policy_read_action(parser, action, &set->actions[index]))
        return false;
    set->chosen[index] = set->chosen[index] || lg_json_there(action);
    if (n == 0)
        return true;
    struct lg_param_value *values = lg_arena_array(parser->arena, n, sizeof(*values));
    memcpy(values, set->params[index], n * sizeof(*values));
    set->params[index] = values;
    for (size_t i = 0; i < n; i++) {
        struct lg_val value = lg_json_get(v, rule->params[i].name);
        if (lg_json_there(value) && !read_param(parser, &rule->params[i], value, &values[i]))
            return false;
    }
    return true;
}

/* Caps, never raises. */
static bool read_every_rule(const struct lg_policy_parser *parser, struct lg_val v,
                            struct lg_policy_set *set)
{
    static const char *const keys[] = {"action", NULL};
    if (!lg_policy_want(parser, v, LG_JSON_OBJECT, "\"*\"", "an object such as {action: warn}") ||
        !lg_policy_only_keys(parser, v, "\"*\"", keys))
        return false;
    enum lg_action cap = LG_ACTION_DENY;
    struct lg_val action = lg_json_get(v, "action");
    if (lg_json_there(action) && !lg_policy_read_action(parser, action, &cap))
        return false;
    for (size_t i = 0; lg_rules[i] != NULL; i++) {
        set->chosen[i] = set->chosen[i] || cap < LG_ACTION_DENY;
        if (set->actions[i] > cap)
            set->actions[i] = cap;
    }
    return true;
}

static bool unknown_rule(const struct lg_policy_parser *parser, struct lg_val at,
                         struct lg_str name)
{
    struct lg_nearest nearest = {.wanted = name, .edits = LG_NEAREST_NONE};
    for (size_t i = 0; lg_rules[i] != NULL; i++) {
        lg_nearest_consider(&nearest, lg_rules[i]->id);
        lg_nearest_consider(&nearest, lg_rules[i]->name);
    }
    return lg_policy_fail(parser, LG_E_INVALID, at, "unknown rule \"%.*s\"%.*s",
                          LG_ARG(lg_str_cut(name, LG_NAME_SHOWN_MAX)),
                          LG_ARG(lg_nearest_suggestion(&nearest, parser->arena)));
}

bool lg_policy_rule_at(const struct lg_policy_parser *parser, const struct lg_json_iter *it,
                       bool *seen, size_t *ret_index)
{
    size_t index = 0;
    if (lg_rule_find(it->key, &index) == NULL)
        return unknown_rule(parser, lg_policy_key_at(it), it->key);
    if (seen[index])
        return lg_policy_fail(parser, LG_E_INVALID, lg_policy_key_at(it),
                              "rule %s (%s) is set twice", lg_rules[index]->id,
                              lg_rules[index]->name);
    seen[index] = true;
    *ret_index = index;
    return true;
}

bool lg_policy_read_rules(const struct lg_policy_parser *parser, struct lg_val v,
                          struct lg_policy_set *set)
{
    if (!lg_json_there(v))
        return true;
    if (!lg_policy_want(parser, v, LG_JSON_OBJECT, "rules",
                        "an object with rule ids or names as keys"))
        return false;
    struct lg_val every = lg_json_get(v, "*");
    if (lg_json_there(every) && !read_every_rule(parser, every, set))
        return false;
    bool *seen = lg_arena_array(parser->arena, lg_rules_count(), sizeof(*seen));
    for (struct lg_json_iter it = lg_json_iter(v); lg_json_next(&it);) {
        size_t index = 0;
        if (lg_str_is(it.key, "*"))
            continue;
        if (!lg_policy_rule_at(parser, &it, seen, &index))
            return false;
        if (lg_json_there(it.val) && !read_rule(parser, it.val, index, set))
            return false;
    }
    return true;
}

bool lg_policy_read_mode(const struct lg_policy_parser *parser, struct lg_val v,
                         enum lg_policy_mode *ret)
{
    if (!lg_json_there(v))
        return true;
    if (!lg_json_is(v, "enforce") && !lg_json_is(v, "observe"))
        return lg_policy_fail(parser, LG_E_INVALID, v, "mode must be enforce or observe");
    *ret = lg_json_is(v, "observe") ? LG_MODE_OBSERVE : LG_MODE_ENFORCE;
    return true;
}

bool lg_policy_read_rule_list(const struct lg_policy_parser *parser, struct lg_val v,
                              const char *what, const bool **ret, bool *ret_all)
{
    size_t n = lg_rules_count();
    bool *flags = lg_arena_array(parser->arena, n + 1, sizeof(*flags));
    *ret_all = false;
    if (!lg_policy_want_list(parser, v, what, LG_POLICY_ENTRIES_MAX))
        return false;
    for (struct lg_json_iter it = lg_json_iter(v); lg_json_next(&it);) {
        size_t index = 0;
        if (!lg_policy_want_text(parser, it.val, "a rule"))
            return false;
        struct lg_str name = lg_json_str(it.val);
        bool every = lg_str_is(name, "*");
        if (!every && lg_rule_find(name, &index) == NULL)
            return unknown_rule(parser, it.val, name);
        if (*ret_all || (every && it.index != 0))
            return lg_policy_fail(parser, LG_E_INVALID, it.val,
                                  "%s: \"*\" is every rule, so that no other belongs beside it",
                                  what);
        if (flags[index])
            return lg_policy_fail(parser, LG_E_INVALID, it.val, "%s: %s (%s) stands twice", what,
                                  lg_rules[index]->id, lg_rules[index]->name);
        *ret_all = every;
        flags[index] = true;
        for (size_t i = 0; every && i < n; i++)
            flags[i] = true;
    }
    *ret = flags;
    return true;
}

bool lg_policy_read_opt_out(const struct lg_policy_parser *parser, struct lg_val v,
                            struct lg_policy_set *set)
{
    bool all = false;
    if (!lg_json_there(v))
        return true;
    if (lg_json_kind(v) == LG_JSON_ARRAY && lg_json_len(v) == 0) {
        set->opt_out = lg_arena_array(parser->arena, lg_rules_count() + 1, sizeof(bool));
        return true;
    }
    if (!lg_policy_read_rule_list(parser, v, "optOut", &set->opt_out, &all))
        return false;
    for (struct lg_json_iter it = lg_json_iter(v); !all && lg_json_next(&it);) {
        const struct lg_rule *rule = lg_rule_find(lg_json_str(it.val), NULL);
        if ((rule->kinds & LG_BIT(LG_KIND_VM)) == 0)
            return lg_policy_fail(parser, LG_E_INVALID, it.val,
                                  "optOut: %s is not about virtual machines", rule->id);
    }
    return true;
}
