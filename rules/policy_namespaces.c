/* The `namespaces` of a policy: patterns of names, selectors of labels, what holds there. */
#include "rules/policy_read.h"

static bool read_entry(const struct lg_policy_parser *parser, struct lg_val v,
                       struct lg_policy_entry *entry)
{
    static const char *const keys[] = {"names",  "selector",  "mode",   "rules", "optOut",
                                       "claims", "placement", "mutate", NULL};
    static const char *const elsewhere[] = {"exempt", "exceptions", "limiter", NULL};
    if (!lg_policy_want(parser, v, LG_JSON_OBJECT, "an entry of namespaces", "an object"))
        return false;
    for (struct lg_json_iter it = lg_json_iter(v); lg_json_next(&it);)
        for (size_t i = 0; elsewhere[i] != NULL; i++)
            if (lg_str_is(it.key, elsewhere[i]))
                return lg_policy_fail(parser, LG_E_INVALID, lg_policy_key_at(&it),
                                      "\"%s\" belongs to the policy, not to an entry of namespaces",
                                      elsewhere[i]);
    if (!lg_policy_only_keys(parser, v, "namespaces", keys))
        return false;
    struct lg_val names = lg_json_get(v, "names");
    struct lg_val selector = lg_json_get(v, "selector");
    if (!lg_json_there(names) && !lg_json_there(selector))
        return lg_policy_fail(parser, LG_E_INVALID, v,
                              "an entry of namespaces needs names or a selector");
    if (lg_json_there(names) &&
        !lg_policy_read_patterns(parser, names, "names", LG_PATTERN_OF_NAMESPACE, &entry->names))
        return false;
    if (lg_json_there(selector) && !lg_policy_read_selector(parser, selector, &entry->selector))
        return false;
    lg_policy_set_copy(&parser->policy->everywhere, parser->arena, &entry->set);
    return lg_policy_read_mode(parser, lg_json_get(v, "mode"), &entry->set.mode) &&
           lg_policy_read_rules(parser, lg_json_get(v, "rules"), &entry->set) &&
           lg_policy_read_opt_out(parser, lg_json_get(v, "optOut"), &entry->set) &&
           lg_policy_read_mutate(parser, lg_json_get(v, "mutate"), &entry->set) &&
           lg_policy_read_placement(parser, lg_json_get(v, "placement"), &entry->set) &&
           lg_policy_read_claims(parser, lg_json_get(v, "claims"), &entry->set);
}

static bool same_key(struct lg_val a, struct lg_val b, const char *key)
{
    struct lg_val x = lg_json_get(a, key);
    struct lg_val y = lg_json_get(b, key);
    return lg_json_there(x) ? lg_json_equal(x, y) : !lg_json_there(y);
}

bool lg_policy_read_namespaces(const struct lg_policy_parser *parser, struct lg_val v)
{
    struct lg_policy *policy = parser->policy;
    if (lg_json_kind(v) == LG_JSON_ARRAY && lg_json_len(v) == 0)
        return true;
    if (!lg_policy_want_list(parser, v, "namespaces", LG_POLICY_ENTRIES_MAX))
        return false;
    policy->entries = lg_arena_array(parser->arena, lg_json_len(v), sizeof(*policy->entries));
    for (struct lg_json_iter it = lg_json_iter(v); lg_json_next(&it);) {
        if (!read_entry(parser, it.val, &policy->entries[policy->n_entries++]))
            return false;
        for (struct lg_json_iter before = lg_json_iter(v);
             lg_json_next(&before) && before.index < it.index;)
            if (same_key(before.val, it.val, "names") && same_key(before.val, it.val, "selector"))
                return lg_policy_fail(parser, LG_E_INVALID, it.val,
                                      "the same namespaces as entry %zu, which counts first",
                                      before.index + 1);
    }
    return true;
}
