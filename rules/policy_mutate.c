/* The `mutate` of a policy: which fixers run at admission, with what they can be told. */
#include "rules/policy_read.h"

static bool unknown_choice(const struct lg_policy_parser *parser, const struct lg_fixer *fixer,
                           struct lg_val v)
{
    struct lg_buf known = {0};
    for (const char *const *choice = fixer->choices; *choice != NULL; choice++)
        lg_buf_printf(&known, "%s%s",
                      known.n == 0        ? ""
                      : choice[1] == NULL ? " or "
                                          : ", ",
                      *choice);
    (void)lg_policy_fail(parser, LG_E_INVALID, v, "%s: %.*s is not %s", fixer->option,
                         LG_ARG(lg_str_cut(lg_json_text(v), LG_NAME_SHOWN_MAX)), known.p);
    lg_buf_done(&known);
    return false;
}

static bool read_choice(const struct lg_policy_parser *parser, const struct lg_fixer *fixer,
                        struct lg_val v, unsigned char *ret)
{
    for (unsigned char i = 0; fixer->choices[i] != NULL; i++) {
        if (lg_json_is(v, fixer->choices[i])) {
            *ret = (unsigned char)(i + 1);
            return true;
        }
    }
    return unknown_choice(parser, fixer, v);
}

/* One rule's entry: {} or its option, or off. What an entry of namespaces leaves out stays as it is
 * everywhere. */
static bool read_fixer(const struct lg_policy_parser *parser, const struct lg_rule *rule,
                       struct lg_val v, unsigned char *ret)
{
    const struct lg_fixer *fixer = rule->fixer;
    const char *keys[2] = {fixer->option, NULL};
    if (lg_json_kind(v) == LG_JSON_FALSE || lg_json_is(v, "off")) {
        *ret = 0;
        return true;
    }
    if (!lg_policy_want(parser, v, LG_JSON_OBJECT, rule->id, "an object such as {}, or off") ||
        !lg_policy_only_keys(parser, v, rule->id, keys))
        return false;
    if (*ret == 0)
        *ret = 1;
    struct lg_val option = LG_NONE;
    if (fixer->option != NULL)
        option = lg_json_get(v, fixer->option);
    return !lg_json_there(option) || read_choice(parser, fixer, option, ret);
}

static bool no_fixer(const struct lg_policy_parser *parser, const struct lg_json_iter *it,
                     const struct lg_rule *rule)
{
    if (rule->fixer == NULL)
        return lg_policy_fail(parser, LG_E_INVALID, lg_policy_key_at(it),
                              "mutate: rule %s (%s) has no fixer", rule->id, rule->name);
    return lg_policy_fail(parser, LG_E_INVALID, lg_policy_key_at(it),
                          "mutate: rule %s (%s) is mended in files only, by `livegate check --fix`",
                          rule->id, rule->name);
}

bool lg_policy_read_mutate(const struct lg_policy_parser *parser, struct lg_val v,
                           struct lg_policy_set *set)
{
    if (!lg_json_there(v))
        return true;
    if (!lg_policy_want(parser, v, LG_JSON_OBJECT, "mutate",
                        "an object with rule ids or names as keys"))
        return false;
    bool *seen = lg_arena_array(parser->arena, lg_rules_count(), sizeof(*seen));
    for (struct lg_json_iter it = lg_json_iter(v); lg_json_next(&it);) {
        size_t index = 0;
        if (!lg_policy_rule_at(parser, &it, seen, &index))
            return false;
        const struct lg_rule *rule = lg_rules[index];
        if (rule->fixer == NULL || rule->fixer->kind == LG_FIXER_FILES)
            return no_fixer(parser, &it, rule);
        if (!read_fixer(parser, rule, it.val, &set->fixers[index]))
            return false;
    }
    return true;
}
