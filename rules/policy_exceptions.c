/* The `exceptions` of a policy: objects of which something is known and tolerated, until a day. */
#include "rules/core/mem.h"
#include "rules/kube/meta.h"
#include "rules/policy_read.h"

static bool read_where(const struct lg_policy_parser *parser, struct lg_val v,
                       struct lg_policy_exception *entry)
{
    struct lg_val ns = lg_json_get(v, "namespace");
    struct lg_val namespaces = lg_json_get(v, "namespaces");
    struct lg_val name = lg_json_get(v, "name");
    if (lg_json_there(ns) && lg_json_there(namespaces))
        return lg_policy_fail(parser, LG_E_INVALID, namespaces,
                              "an exception has a namespace or namespaces, not both");
    if (!lg_json_there(ns) && !lg_json_there(namespaces) && !lg_json_there(name))
        return lg_policy_fail(parser, LG_E_INVALID, v,
                              "an exception needs a namespace, namespaces or a name");
    if (lg_json_there(ns)) {
        entry->namespaces.items = lg_arena_alloc(parser->arena, sizeof(struct lg_pattern));
        entry->namespaces.n = 1;
        if (!lg_policy_read_pattern(parser, ns, LG_PATTERN_OF_NAMESPACE, entry->namespaces.items))
            return false;
    }
    if (lg_json_there(namespaces) &&
        !lg_policy_read_patterns(parser, namespaces, "namespaces", LG_PATTERN_OF_NAMESPACE,
                                 &entry->namespaces))
        return false;
    return !lg_json_there(name) ||
           lg_policy_read_pattern(parser, name, LG_PATTERN_OF_NAME, &entry->name);
}

static bool read_expiry(const struct lg_policy_parser *parser, struct lg_val v,
                        struct lg_policy_exception *entry)
{
    if (!lg_json_there(v))
        return true;
    if (!lg_policy_want_text(parser, v, "expires"))
        return false;
    entry->expires = lg_json_str(v);
    if (lg_meta_time(entry->expires, &entry->expires_unix_s) != LG_E_OK ||
        entry->expires_unix_s == 0)
        return lg_policy_fail(parser, LG_E_INVALID, v,
                              "expires \"%.*s\" is no time such as 2027-03-31T00:00:00Z",
                              LG_ARG(lg_str_cut(entry->expires, LG_NAME_SHOWN_MAX)));
    return true;
}

/* What a finding says of it: "exception until 2027-03-31T00:00:00Z, approved by storage-team:
 * CHG-1234". */
static struct lg_str excuse_of(const struct lg_policy_exception *entry, struct lg_arena *arena)
{
    struct lg_buf buf lg_cleanup(lg_buf_done) = {0};
    lg_buf_puts(&buf, "exception");
    if (entry->expires.n != 0) {
        lg_buf_puts(&buf, " until ");
        lg_buf_printable(&buf, entry->expires);
    }
    if (entry->approved_by.n != 0) {
        lg_buf_puts(&buf, ", approved by ");
        lg_buf_printable(&buf, entry->approved_by);
    }
    if (entry->reason.n != 0) {
        lg_buf_puts(&buf, ": ");
        lg_buf_printable(&buf, entry->reason);
    }
    return lg_arena_str(arena, lg_buf_view(&buf));
}

static bool read_entry(const struct lg_policy_parser *parser, struct lg_val v,
                       struct lg_policy_exception *entry)
{
    static const char *const keys[] = {"rules",  "namespace",  "namespaces", "name",
                                       "reason", "approvedBy", "expires",    NULL};
    if (!lg_policy_want(parser, v, LG_JSON_OBJECT, "an exception", "an object") ||
        !lg_policy_only_keys(parser, v, "exceptions", keys))
        return false;
    struct lg_val rules = lg_json_get(v, "rules");
    struct lg_val reason = lg_json_get(v, "reason");
    struct lg_val approved_by = lg_json_get(v, "approvedBy");
    if (!lg_json_there(rules))
        return lg_policy_fail(parser, LG_E_INVALID, v,
                              "an exception needs rules; [\"*\"] is all of them");
    if (!lg_policy_read_rule_list(parser, rules, "rules", &entry->rules, &entry->all_rules) ||
        !read_where(parser, v, entry) ||
        (lg_json_there(reason) && !lg_policy_want_text(parser, reason, "reason")) ||
        (lg_json_there(approved_by) && !lg_policy_want_text(parser, approved_by, "approvedBy")) ||
        !read_expiry(parser, lg_json_get(v, "expires"), entry))
        return false;
    entry->reason = lg_json_str(reason);
    entry->approved_by = lg_json_str(approved_by);
    entry->excuse = excuse_of(entry, parser->arena);
    return true;
}

static bool same(const struct lg_policy_exception *a, const struct lg_policy_exception *b)
{
    if (a->namespaces.n != b->namespaces.n || !lg_str_eq(a->name.text, b->name.text) ||
        memcmp(a->rules, b->rules, lg_rules_count() * sizeof(*a->rules)) != 0)
        return false;
    for (size_t i = 0; i < a->namespaces.n; i++)
        if (!lg_str_eq(a->namespaces.items[i].text, b->namespaces.items[i].text))
            return false;
    return true;
}

bool lg_policy_read_exceptions(const struct lg_policy_parser *parser, struct lg_val v)
{
    struct lg_policy *policy = parser->policy;
    if (!lg_json_there(v) || (lg_json_kind(v) == LG_JSON_ARRAY && lg_json_len(v) == 0))
        return true;
    if (!lg_policy_want_list(parser, v, "exceptions", LG_POLICY_ENTRIES_MAX))
        return false;
    policy->exceptions = lg_arena_array(parser->arena, lg_json_len(v), sizeof(*policy->exceptions));
    for (struct lg_json_iter it = lg_json_iter(v); lg_json_next(&it);) {
        struct lg_policy_exception *entry = &policy->exceptions[policy->n_exceptions];
        if (!read_entry(parser, it.val, entry))
            return false;
        for (size_t i = 0; i < policy->n_exceptions; i++)
            if (same(&policy->exceptions[i], entry))
                return lg_policy_fail(parser, LG_E_INVALID, it.val,
                                      "the same rules and objects as exception %zu", i + 1);
        policy->n_exceptions++;
    }
    return true;
}

static bool holds(const struct lg_policy_exception *entry, struct lg_str ns, struct lg_str name,
                  int64_t now_unix_s, struct lg_policy_stalls *io_stalls)
{
    if (entry->never != NULL || (entry->expires_unix_s != 0 && now_unix_s >= entry->expires_unix_s))
        return false;
    if (entry->namespaces.n != 0 &&
        (ns.n == 0 || !lg_patterns_match(&entry->namespaces, ns, io_stalls)))
        return false;
    struct lg_patterns one = {(struct lg_pattern *)&entry->name, 1};
    return entry->name.text.n == 0 || lg_patterns_match(&one, name, io_stalls);
}

const struct lg_str *lg_policy_excuses(const struct lg_policy *policy, struct lg_str ns,
                                       struct lg_str name, int64_t now_unix_s,
                                       struct lg_arena *arena, struct lg_policy_stalls *io_stalls)
{
    struct lg_str *excuses = NULL;
    size_t n = lg_rules_count();
    for (size_t i = 0; i < policy->n_exceptions; i++) {
        const struct lg_policy_exception *entry = &policy->exceptions[i];
        if (!holds(entry, ns, name, now_unix_s, io_stalls))
            continue;
        if (excuses == NULL)
            excuses = lg_arena_array(arena, n, sizeof(*excuses));
        for (size_t rule = 0; rule < n; rule++)
            if (entry->rules[rule] && excuses[rule].n == 0)
                excuses[rule] = entry->excuse;
    }
    return excuses;
}
