/* Label selectors of a policy: read strictly, kept as text without escapes, and whether any labels
 * can match them. */
#include "rules/core/mem.h"
#include "rules/policy_read.h"

static bool label_text(struct lg_str s, bool key)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_' || c == '.' || (key && c == '/');
        if (!ok)
            return false;
    }
    return key ? s.n != 0 && s.n <= 317 : s.n <= 63;
}

/* Checks a label's key or value and appends it as a JSON string. */
static bool add_label(const struct lg_policy_parser *parser, struct lg_val at, struct lg_str s,
                      bool key, struct lg_buf *out)
{
    if (!label_text(s, key))
        return lg_policy_fail(parser, LG_E_INVALID, at, "\"%.*s\" is not a label %s",
                              LG_ARG(lg_str_cut(s, LG_NAME_SHOWN_MAX)), key ? "key" : "value");
    lg_buf_printf(out, "\"%.*s\"", LG_ARG(s));
    return true;
}

static bool read_match_labels(const struct lg_policy_parser *parser, struct lg_val v,
                              struct lg_buf *out)
{
    if (!lg_policy_want(parser, v, LG_JSON_OBJECT, "matchLabels", "an object"))
        return false;
    for (struct lg_json_iter it = lg_json_iter(v); lg_json_next(&it);) {
        lg_buf_puts(out, it.index != 0 ? "," : "");
        if (!add_label(parser, lg_policy_key_at(&it), it.key, true, out) ||
            !lg_policy_want(parser, it.val, LG_JSON_STRING, "a label's value", "a string"))
            return false;
        lg_buf_puts(out, ":");
        if (!add_label(parser, it.val, lg_json_str(it.val), false, out))
            return false;
    }
    return true;
}

static bool read_expression(const struct lg_policy_parser *parser, struct lg_val v,
                            struct lg_buf *out)
{
    static const char *const keys[] = {"key", "operator", "values", NULL};
    static const char *const operators[] = {"In", "NotIn", "Exists", "DoesNotExist"};
    if (!lg_policy_want(parser, v, LG_JSON_OBJECT, "an expression", "an object") ||
        !lg_policy_only_keys(parser, v, "expression", keys))
        return false;
    struct lg_val key = lg_json_get(v, "key");
    struct lg_val values = lg_json_get(v, "values");
    size_t op = 0;
    while (op < 4 && !lg_json_is(lg_json_get(v, "operator"), operators[op]))
        op++;
    if (op == 4)
        return lg_policy_fail(parser, LG_E_INVALID, v,
                              "operator must be In, NotIn, Exists or DoesNotExist");
    bool takes_values = op < 2;
    if (takes_values != (lg_json_len(values) != 0))
        return lg_policy_fail(parser, LG_E_INVALID, v, "operator %s %s values", operators[op],
                              takes_values ? "needs" : "takes no");
    lg_buf_puts(out, "{\"key\":");
    if (!add_label(parser, lg_json_there(key) ? key : v, lg_json_str(key), true, out))
        return false;
    lg_buf_printf(out, ",\"operator\":\"%s\",\"values\":[", operators[op]);
    if (takes_values && !lg_policy_want_list(parser, values, "values", LG_POLICY_SELECTOR_MAX))
        return false;
    for (struct lg_json_iter it = lg_json_iter(values); lg_json_next(&it);) {
        lg_buf_puts(out, it.index != 0 ? "," : "");
        if (!lg_policy_want(parser, it.val, LG_JSON_STRING, "a label's value", "a string") ||
            !add_label(parser, it.val, lg_json_str(it.val), false, out))
            return false;
    }
    lg_buf_puts(out, "]}");
    return true;
}

static bool read_expressions(const struct lg_policy_parser *parser, struct lg_val v,
                             struct lg_buf *out)
{
    if (!lg_policy_want_list(parser, v, "matchExpressions", LG_POLICY_SELECTOR_MAX))
        return false;
    for (struct lg_json_iter it = lg_json_iter(v); lg_json_next(&it);) {
        lg_buf_puts(out, it.index != 0 ? "," : "");
        if (!read_expression(parser, it.val, out))
            return false;
    }
    return true;
}

bool lg_policy_read_selector(const struct lg_policy_parser *parser, struct lg_val v,
                             struct lg_val *ret)
{
    static const char *const keys[] = {"matchLabels", "matchExpressions", NULL};
    struct lg_buf out lg_cleanup(lg_buf_done) = {0};
    struct lg_val labels = lg_json_get(v, keys[0]);
    struct lg_val expressions = lg_json_get(v, keys[1]);
    if (!lg_policy_want(parser, v, LG_JSON_OBJECT, "selector", "an object") ||
        !lg_policy_only_keys(parser, v, "selector", keys))
        return false;
    if (lg_json_len(labels) == 0 && lg_json_len(expressions) == 0)
        return lg_policy_fail(parser, LG_E_INVALID, v,
                              "selector needs matchLabels or matchExpressions");
    lg_buf_puts(&out, "{\"matchLabels\":{");
    if (lg_json_there(labels) && !read_match_labels(parser, labels, &out))
        return false;
    lg_buf_puts(&out, "},\"matchExpressions\":[");
    if (lg_json_there(expressions) && !read_expressions(parser, expressions, &out))
        return false;
    lg_buf_puts(&out, "]}");
    struct lg_str text = lg_arena_str(parser->arena, lg_buf_view(&out));
    if (lg_json_parse(parser->arena, text, ret, NULL) != LG_E_OK)
        return lg_policy_fail(parser, LG_E_INTERNAL, v, "selector cannot be kept");
    return true;
}

/* --- contradictions --- */

static bool lists(struct lg_val values, struct lg_str value)
{
    for (struct lg_json_iter it = lg_json_iter(values); lg_json_next(&it);)
        if (lg_json_is_str(it.val, value))
            return true;
    return false;
}

/* What a selector asks of one key may be one value, any value, or none at all. */
static bool value_allowed(struct lg_val expressions, struct lg_str key, struct lg_str value)
{
    for (struct lg_json_iter it = lg_json_iter(expressions); lg_json_next(&it);) {
        struct lg_val values = lg_json_get(it.val, "values");
        struct lg_val op = lg_json_get(it.val, "operator");
        if (!lg_json_is_str(lg_json_get(it.val, "key"), key))
            continue;
        if (lg_json_is(op, "DoesNotExist") || (lg_json_is(op, "In") && !lists(values, value)) ||
            (lg_json_is(op, "NotIn") && lists(values, value)))
            return false;
    }
    return true;
}

/* An expression that wants the key: no value of its list is left, or another one wants the key
 * away. */
static bool unsatisfiable(struct lg_val expressions, struct lg_val expression)
{
    struct lg_str key = lg_json_str(lg_json_get(expression, "key"));
    struct lg_val op = lg_json_get(expression, "operator");
    if (lg_json_is(op, "In")) {
        struct lg_val values = lg_json_get(expression, "values");
        for (struct lg_json_iter it = lg_json_iter(values); lg_json_next(&it);)
            if (value_allowed(expressions, key, lg_json_str(it.val)))
                return false;
        return true;
    }
    if (!lg_json_is(op, "Exists"))
        return false;
    for (struct lg_json_iter it = lg_json_iter(expressions); lg_json_next(&it);)
        if (lg_json_is_str(lg_json_get(it.val, "key"), key) &&
            lg_json_is(lg_json_get(it.val, "operator"), "DoesNotExist"))
            return true;
    return false;
}

bool lg_policy_selector_never(struct lg_val selector)
{
    struct lg_val labels = lg_json_get(selector, "matchLabels");
    struct lg_val expressions = lg_json_get(selector, "matchExpressions");
    for (struct lg_json_iter it = lg_json_iter(labels); lg_json_next(&it);)
        if (!value_allowed(expressions, it.key, lg_json_str(it.val)))
            return true;
    for (struct lg_json_iter it = lg_json_iter(expressions); lg_json_next(&it);)
        if (unsatisfiable(expressions, it.val))
            return true;
    return false;
}

bool lg_policy_read_claims(const struct lg_policy_parser *parser, struct lg_val v,
                           struct lg_policy_set *set)
{
    static const char *const keys[] = {"selector", NULL};
    if (!lg_json_there(v))
        return true;
    if (!lg_policy_want(parser, v, LG_JSON_OBJECT, "claims", "an object") ||
        !lg_policy_only_keys(parser, v, "claims", keys))
        return false;
    struct lg_val selector = lg_json_get(v, "selector");
    if (!lg_json_there(selector))
        return lg_policy_fail(parser, LG_E_INVALID, v, "claims needs a selector");
    if (!lg_policy_read_selector(parser, selector, &set->claim_selector))
        return false;
    if (lg_policy_selector_never(set->claim_selector))
        return lg_policy_fail(parser, LG_E_INVALID, selector,
                              "the selector contradicts itself: no claim can match it");
    return true;
}
