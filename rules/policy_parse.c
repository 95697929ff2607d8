/* Reading a policy file: strict, every error with its line and column, unknown names with the nearest known one. */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "rules/core/mem.h"
#include "rules/core/yaml.h"
#include "rules/policy_data.h"

LG_DEFINE_CLEANUP(struct lg_policy, lg_policy_unref)

struct parser {
    struct lg_policy *policy;
    struct lg_arena *arena; /* the policy's */
    const char *file;
    struct lg_err *err;
};

/* Sets the error at `at`. Always false, so that `return fail(...)` works. */
static bool __attribute__((format(printf, 4, 5)))
fail(const struct parser *parser, enum lg_err_code code, struct lg_val at, const char *format, ...)
{
    char text[LG_ERR_TEXT_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    struct lg_buf shown lg_cleanup(lg_buf_done) = {0};
    lg_buf_printable(&shown, lg_str_of(text));
    struct lg_mark mark = lg_json_mark(at);
    char where[LG_ERR_WHERE_BYTES];
    snprintf(where, sizeof(where), "%s:%u:%u", parser->file, mark.line, mark.column);
    (void)lg_err_set(parser->err, code, where, "%s", lg_buf_view(&shown).p);
    return false;
}

/* Where the iterator's key stands: the node before its value. */
static struct lg_val key_at(const struct lg_json_iter *it)
{
    return (struct lg_val){it->val.doc, it->val.i - 1};
}

/* --- the nearest known name --- */

enum { NAME_MAX = 48, FAR = 255 };

/* Edits (insert, delete, replace) that turn a into b; FAR for long names. */
static unsigned edits(struct lg_str a, struct lg_str b)
{
    unsigned row[NAME_MAX + 1];
    if (a.n > NAME_MAX || b.n > NAME_MAX)
        return FAR;
    for (unsigned k = 0; k <= b.n; k++)
        row[k] = k;
    for (size_t i = 0; i < a.n; i++) {
        unsigned diagonal = row[0]++;
        for (size_t k = 0; k < b.n; k++) {
            unsigned best = diagonal + ((a.p[i] | 0x20) != (b.p[k] | 0x20));
            diagonal = row[k + 1];
            best = best < row[k] + 1 ? best : row[k] + 1;
            row[k + 1] = best < diagonal + 1 ? best : diagonal + 1;
        }
    }
    return row[b.n];
}

struct nearest {
    struct lg_str wanted;
    const char *name;
    unsigned edits;
};

static void consider(struct nearest *nearest, const char *name)
{
    unsigned n = edits(nearest->wanted, lg_str_of(name));
    if (n < nearest->edits) {
        nearest->edits = n;
        nearest->name = name;
    }
}

/* "; did you mean \"x\"?" where something is near enough to be meant, else "". */
static struct lg_str suggestion(const struct nearest *nearest, struct lg_arena *arena)
{
    size_t enough = nearest->wanted.n / 3 < 1 ? 1 : nearest->wanted.n / 3;
    if (nearest->name == NULL || nearest->edits > enough)
        return LG_STR("");
    return lg_arena_printf(arena, "; did you mean \"%s\"?", nearest->name);
}

/* --- shapes --- */

static bool want(const struct parser *parser, struct lg_val v, enum lg_json_kind kind,
                 const char *what, const char *expected)
{
    if (lg_json_kind(v) == kind)
        return true;
    return fail(parser, LG_E_INVALID, v, "%s must be %s, not %s", what, expected,
                lg_json_kind_name(v));
}

/* True when every key of the object is one of `keys` (NULL-terminated). Keys of `later` are valid in the policy format and
 * not read by this version. */
static bool only_keys(const struct parser *parser, struct lg_val v, const char *what,
                      const char *const *keys, const char *const *later)
{
    for (struct lg_json_iter it = lg_json_iter(v); lg_json_next(&it);) {
        struct nearest nearest = {.wanted = it.key, .edits = FAR};
        const char *const *key = keys;
        for (; *key != NULL && !lg_str_is(it.key, *key); key++)
            consider(&nearest, *key);
        if (*key != NULL)
            continue;
        for (key = later; key != NULL && *key != NULL; key++)
            if (lg_str_is(it.key, *key))
                return fail(parser, LG_E_UNSUPPORTED, key_at(&it),
                            "%s: \"%s\" is not supported by this version", what, *key);
        return fail(parser, LG_E_INVALID, key_at(&it), "%s: unknown key \"%.*s\"%.*s", what,
                    LG_ARG(lg_str_cut(it.key, NAME_MAX)),
                    LG_ARG(suggestion(&nearest, parser->arena)));
    }
    return true;
}

/* A list of at least one and at most `max` items. */
static bool want_list(const struct parser *parser, struct lg_val v, const char *what, size_t max)
{
    if (!want(parser, v, LG_JSON_ARRAY, what, "a list"))
        return false;
    size_t n = lg_json_len(v);
    if (n == 0)
        return fail(parser, LG_E_INVALID, v, "%s is empty", what);
    if (n > max)
        return fail(parser, LG_E_LIMIT, v, "%s has %zu items, at most %zu are read", what, n, max);
    return true;
}

static bool want_text(const struct parser *parser, struct lg_val v, const char *what)
{
    if (!want(parser, v, LG_JSON_STRING, what, "a string"))
        return false;
    if (lg_json_str(v).n == 0)
        return fail(parser, LG_E_INVALID, v, "%s is empty", what);
    return true;
}

/* --- rules --- */

/* YAML reads a bare `off` as false. */
static bool read_action(const struct parser *parser, struct lg_val v, enum lg_action *ret)
{
    static const enum lg_action known[] = {LG_ACTION_DENY, LG_ACTION_WARN, LG_ACTION_AUDIT,
                                           LG_ACTION_OFF};
    if (lg_json_kind(v) == LG_JSON_FALSE) {
        *ret = LG_ACTION_OFF;
        return true;
    }
    if (!want(parser, v, LG_JSON_STRING, "action", "deny, warn, audit or off"))
        return false;
    struct nearest nearest = {.wanted = lg_json_str(v), .edits = FAR};
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        if (lg_json_is(v, lg_action_name(known[i]))) {
            *ret = known[i];
            return true;
        }
        consider(&nearest, lg_action_name(known[i]));
    }
    if (lg_json_is(v, lg_action_name(LG_ACTION_PENDING)))
        return fail(parser, LG_E_INVALID, v,
                    "action cannot be pending, which is a verdict: use deny, warn, audit or off");
    return fail(
        parser, LG_E_INVALID, v, "unknown action \"%.*s\": use deny, warn, audit or off%.*s",
        LG_ARG(lg_str_cut(nearest.wanted, NAME_MAX)), LG_ARG(suggestion(&nearest, parser->arena)));
}

static bool read_int_list(const struct parser *parser, const struct lg_param *param,
                          struct lg_val v, struct lg_param_value *ret)
{
    if (!want(parser, v, LG_JSON_ARRAY, param->name, "a list of integers"))
        return false;
    if (lg_json_len(v) > LG_PARAM_ITEMS_MAX)
        return fail(parser, LG_E_LIMIT, v, "%s has %zu items, at most %d are read", param->name,
                    lg_json_len(v), LG_PARAM_ITEMS_MAX);
    ret->n = 0;
    for (struct lg_json_iter it = lg_json_iter(v); lg_json_next(&it);) {
        int64_t n = 0;
        enum lg_err_code code = lg_json_int64(it.val, &n);
        if (code == LG_E_INVALID)
            return fail(parser, LG_E_INVALID, it.val, "%s: %.*s is not an integer", param->name,
                        LG_ARG(lg_str_cut(lg_json_text(it.val), NAME_MAX)));
        if (code != LG_E_OK || n < param->min || n > param->max)
            return fail(parser, LG_E_INVALID, it.val, "%s: %.*s is not between %lld and %lld",
                        param->name, LG_ARG(lg_str_cut(lg_json_text(it.val), NAME_MAX)),
                        (long long)param->min, (long long)param->max);
        ret->items[ret->n++] = n;
    }
    return true;
}

static bool read_param(const struct parser *parser, const struct lg_param *param, struct lg_val v,
                       struct lg_param_value *ret)
{
    if (param->type == LG_PARAM_INT_LIST)
        return read_int_list(parser, param, v, ret);
    if (lg_json_kind(v) != LG_JSON_TRUE && lg_json_kind(v) != LG_JSON_FALSE)
        return fail(parser, LG_E_INVALID, v, "%s must be true or false, not %s", param->name,
                    lg_json_kind_name(v));
    ret->flag = lg_json_bool(v, false);
    return true;
}

/* Merges one rule's entry into the set: only the keys that are there. */
static bool read_rule(const struct parser *parser, struct lg_val v, size_t index,
                      struct lg_policy_set *set)
{
    const struct lg_rule *rule = lg_rules[index];
    const char *keys[LG_PARAMS_MAX + 2] = {"action"};
    size_t n = 0;
    for (; rule->params != NULL && rule->params[n].name != NULL; n++) {
        assert(n < LG_PARAMS_MAX);
        keys[n + 1] = rule->params[n].name;
    }
    if (!want(parser, v, LG_JSON_OBJECT, rule->id, "an object such as {action: warn}") ||
        !only_keys(parser, v, rule->id, keys, NULL))
        return false;
    struct lg_val action = lg_json_get(v, "action");
    if (lg_json_there(action) && !read_action(parser, action, &set->actions[index]))
        return false;
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
static bool read_every_rule(const struct parser *parser, struct lg_val v, struct lg_policy_set *set)
{
    static const char *const keys[] = {"action", NULL};
    if (!want(parser, v, LG_JSON_OBJECT, "\"*\"", "an object such as {action: warn}") ||
        !only_keys(parser, v, "\"*\"", keys, NULL))
        return false;
    enum lg_action cap = LG_ACTION_DENY;
    struct lg_val action = lg_json_get(v, "action");
    if (lg_json_there(action) && !read_action(parser, action, &cap))
        return false;
    for (size_t i = 0; lg_rules[i] != NULL; i++)
        if (set->actions[i] > cap)
            set->actions[i] = cap;
    return true;
}

static bool unknown_rule(const struct parser *parser, const struct lg_json_iter *it)
{
    struct nearest nearest = {.wanted = it->key, .edits = FAR};
    for (size_t i = 0; lg_rules[i] != NULL; i++) {
        consider(&nearest, lg_rules[i]->id);
        consider(&nearest, lg_rules[i]->name);
    }
    return fail(parser, LG_E_INVALID, key_at(it), "unknown rule \"%.*s\"%.*s",
                LG_ARG(lg_str_cut(it->key, NAME_MAX)), LG_ARG(suggestion(&nearest, parser->arena)));
}

static bool read_rules(const struct parser *parser, struct lg_val v, struct lg_policy_set *set)
{
    if (!lg_json_there(v))
        return true;
    if (!want(parser, v, LG_JSON_OBJECT, "rules", "an object with rule ids or names as keys"))
        return false;
    struct lg_val every = lg_json_get(v, "*");
    if (lg_json_there(every) && !read_every_rule(parser, every, set))
        return false;
    bool *seen = lg_arena_array(parser->arena, lg_rules_count(), sizeof(*seen));
    for (struct lg_json_iter it = lg_json_iter(v); lg_json_next(&it);) {
        size_t index = 0;
        if (lg_str_is(it.key, "*"))
            continue;
        if (lg_rule_find(it.key, &index) == NULL)
            return unknown_rule(parser, &it);
        if (seen[index])
            return fail(parser, LG_E_INVALID, key_at(&it), "rule %s (%s) is set twice",
                        lg_rules[index]->id, lg_rules[index]->name);
        seen[index] = true;
        if (lg_json_there(it.val) && !read_rule(parser, it.val, index, set))
            return false;
    }
    return true;
}

static bool read_mode(const struct parser *parser, struct lg_val v, enum lg_policy_mode *ret)
{
    if (!lg_json_there(v))
        return true;
    if (!lg_json_is(v, "enforce") && !lg_json_is(v, "observe"))
        return fail(parser, LG_E_INVALID, v, "mode must be enforce or observe");
    *ret = lg_json_is(v, "observe") ? LG_MODE_OBSERVE : LG_MODE_ENFORCE;
    return true;
}

/* --- namespaces --- */

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
static bool add_label(const struct parser *parser, struct lg_val at, struct lg_str s, bool key,
                      struct lg_buf *out)
{
    if (!label_text(s, key))
        return fail(parser, LG_E_INVALID, at, "\"%.*s\" is not a label %s",
                    LG_ARG(lg_str_cut(s, NAME_MAX)), key ? "key" : "value");
    lg_buf_printf(out, "\"%.*s\"", LG_ARG(s));
    return true;
}

static bool read_match_labels(const struct parser *parser, struct lg_val v, struct lg_buf *out)
{
    if (!want(parser, v, LG_JSON_OBJECT, "matchLabels", "an object"))
        return false;
    for (struct lg_json_iter it = lg_json_iter(v); lg_json_next(&it);) {
        lg_buf_puts(out, it.index != 0 ? "," : "");
        if (!add_label(parser, key_at(&it), it.key, true, out) ||
            !want(parser, it.val, LG_JSON_STRING, "a label's value", "a string"))
            return false;
        lg_buf_puts(out, ":");
        if (!add_label(parser, it.val, lg_json_str(it.val), false, out))
            return false;
    }
    return true;
}

static bool read_expression(const struct parser *parser, struct lg_val v, struct lg_buf *out)
{
    static const char *const keys[] = {"key", "operator", "values", NULL};
    static const char *const operators[] = {"In", "NotIn", "Exists", "DoesNotExist"};
    if (!want(parser, v, LG_JSON_OBJECT, "an expression", "an object") ||
        !only_keys(parser, v, "expression", keys, NULL))
        return false;
    struct lg_val key = lg_json_get(v, "key");
    struct lg_val values = lg_json_get(v, "values");
    size_t op = 0;
    while (op < 4 && !lg_json_is(lg_json_get(v, "operator"), operators[op]))
        op++;
    if (op == 4)
        return fail(parser, LG_E_INVALID, v, "operator must be In, NotIn, Exists or DoesNotExist");
    bool takes_values = op < 2;
    if (takes_values != (lg_json_len(values) != 0))
        return fail(parser, LG_E_INVALID, v, "operator %s %s values", operators[op],
                    takes_values ? "needs" : "takes no");
    lg_buf_puts(out, "{\"key\":");
    if (!add_label(parser, lg_json_there(key) ? key : v, lg_json_str(key), true, out))
        return false;
    lg_buf_printf(out, ",\"operator\":\"%s\",\"values\":[", operators[op]);
    if (takes_values && !want_list(parser, values, "values", LG_POLICY_SELECTOR_MAX))
        return false;
    for (struct lg_json_iter it = lg_json_iter(values); lg_json_next(&it);) {
        lg_buf_puts(out, it.index != 0 ? "," : "");
        if (!want(parser, it.val, LG_JSON_STRING, "a label's value", "a string") ||
            !add_label(parser, it.val, lg_json_str(it.val), false, out))
            return false;
    }
    lg_buf_puts(out, "]}");
    return true;
}

static bool read_expressions(const struct parser *parser, struct lg_val v, struct lg_buf *out)
{
    if (!want_list(parser, v, "matchExpressions", LG_POLICY_SELECTOR_MAX))
        return false;
    for (struct lg_json_iter it = lg_json_iter(v); lg_json_next(&it);) {
        lg_buf_puts(out, it.index != 0 ? "," : "");
        if (!read_expression(parser, it.val, out))
            return false;
    }
    return true;
}

/* Keeps a selector as text of its own without escapes: documents with escapes cannot be read by many threads. */
static bool read_selector(const struct parser *parser, struct lg_val v, struct lg_val *ret)
{
    static const char *const keys[] = {"matchLabels", "matchExpressions", NULL};
    struct lg_buf out lg_cleanup(lg_buf_done) = {0};
    struct lg_val labels = lg_json_get(v, keys[0]);
    struct lg_val expressions = lg_json_get(v, keys[1]);
    if (!want(parser, v, LG_JSON_OBJECT, "selector", "an object") ||
        !only_keys(parser, v, "selector", keys, NULL))
        return false;
    if (lg_json_len(labels) == 0 && lg_json_len(expressions) == 0)
        return fail(parser, LG_E_INVALID, v, "selector needs matchLabels or matchExpressions");
    lg_buf_puts(&out, "{\"matchLabels\":{");
    if (lg_json_there(labels) && !read_match_labels(parser, labels, &out))
        return false;
    lg_buf_puts(&out, "},\"matchExpressions\":[");
    if (lg_json_there(expressions) && !read_expressions(parser, expressions, &out))
        return false;
    lg_buf_puts(&out, "]}");
    struct lg_str text = lg_arena_str(parser->arena, lg_buf_view(&out));
    if (lg_json_parse(parser->arena, text, ret, NULL) != LG_E_OK)
        return fail(parser, LG_E_INTERNAL, v, "selector cannot be kept");
    return true;
}

static bool read_names(const struct parser *parser, struct lg_val v, struct lg_policy_entry *entry)
{
    if (!want_list(parser, v, "names", LG_POLICY_NAMES_MAX))
        return false;
    size_t n = lg_json_len(v);
    entry->names = lg_arena_array(parser->arena, n, sizeof(struct lg_regex *));
    entry->patterns = lg_arena_array(parser->arena, n, sizeof(*entry->patterns));
    for (struct lg_json_iter it = lg_json_iter(v); lg_json_next(&it);) {
        struct lg_err err = {0};
        if (!want_text(parser, it.val, "a name"))
            return false;
        struct lg_str pattern = lg_json_str(it.val);
        enum lg_err_code code = lg_regex_new(pattern, &entry->names[entry->n_names], &err);
        if (code != LG_E_OK)
            return fail(parser, code, it.val, "pattern \"%.*s\": %s",
                        LG_ARG(lg_str_cut(pattern, NAME_MAX)), err.text);
        entry->patterns[entry->n_names++] = pattern;
    }
    return true;
}

static bool read_entry(const struct parser *parser, struct lg_val v, struct lg_policy_entry *entry)
{
    static const char *const keys[] = {"names", "selector", "mode", "rules", NULL};
    static const char *const later[] = {"exempt",    "exceptions", "optOut", "limiter",
                                        "placement", "mutate",     "claims", NULL};
    if (!want(parser, v, LG_JSON_OBJECT, "an entry of namespaces", "an object") ||
        !only_keys(parser, v, "namespaces", keys, later))
        return false;
    struct lg_val names = lg_json_get(v, "names");
    struct lg_val selector = lg_json_get(v, "selector");
    if (!lg_json_there(names) && !lg_json_there(selector))
        return fail(parser, LG_E_INVALID, v, "an entry of namespaces needs names or a selector");
    if (lg_json_there(names) && !read_names(parser, names, entry))
        return false;
    if (lg_json_there(selector) && !read_selector(parser, selector, &entry->selector))
        return false;
    lg_policy_set_copy(&parser->policy->everywhere, parser->arena, &entry->set);
    return read_mode(parser, lg_json_get(v, "mode"), &entry->set.mode) &&
           read_rules(parser, lg_json_get(v, "rules"), &entry->set);
}

static bool read_namespaces(const struct parser *parser, struct lg_val v)
{
    struct lg_policy *policy = parser->policy;
    if (lg_json_kind(v) == LG_JSON_ARRAY && lg_json_len(v) == 0)
        return true;
    if (!want_list(parser, v, "namespaces", LG_POLICY_ENTRIES_MAX))
        return false;
    policy->entries = lg_arena_array(parser->arena, lg_json_len(v), sizeof(*policy->entries));
    for (struct lg_json_iter it = lg_json_iter(v); lg_json_next(&it);)
        if (!read_entry(parser, it.val, &policy->entries[policy->n_entries++]))
            return false;
    return true;
}

/* --- the file --- */

static bool read_controllers(const struct parser *parser, struct lg_val v)
{
    struct lg_policy *policy = parser->policy;
    if (lg_json_kind(v) == LG_JSON_ARRAY && lg_json_len(v) == 0)
        return true;
    if (!want_list(parser, v, "controllers", LG_POLICY_CONTROLLERS_MAX))
        return false;
    policy->controllers =
        lg_arena_array(parser->arena, lg_json_len(v), sizeof(*policy->controllers));
    for (struct lg_json_iter it = lg_json_iter(v); lg_json_next(&it);) {
        if (!want_text(parser, it.val, "a controller"))
            return false;
        policy->controllers[policy->n_controllers++] = lg_json_str(it.val);
    }
    return true;
}

static size_t digits(struct lg_str s, int *ret)
{
    size_t n = 0;
    *ret = 0;
    for (; n < s.n && n < 3 && s.p[n] >= '0' && s.p[n] <= '9'; n++)
        *ret = *ret * 10 + (s.p[n] - '0');
    return n;
}

/* "auto", "1.9", "v1.9.2"; a bare 1.10 is the number 1.1 in YAML, hence text only. */
static bool read_version(const struct parser *parser, struct lg_val v, int *ret)
{
    int major = 0, minor = 0;
    if (lg_json_kind(v) == LG_JSON_NUMBER)
        return fail(parser, LG_E_INVALID, v,
                    "kubevirtVersion must be in quotes: YAML reads 1.10 as the number 1.1");
    if (!want(parser, v, LG_JSON_STRING, "kubevirtVersion", "\"auto\" or a version"))
        return false;
    if (lg_json_is(v, "auto"))
        return true;
    struct lg_str s = lg_json_str(v);
    size_t at = lg_str_starts(s, "v") ? 1 : 0;
    size_t n = digits((struct lg_str){s.p + at, s.n - at}, &major);
    at += n;
    bool ok = n != 0 && at < s.n && s.p[at] == '.';
    if (ok) {
        at++;
        n = digits((struct lg_str){s.p + at, s.n - at}, &minor);
        at += n;
        ok = n != 0 && minor < 100 && (at == s.n || s.p[at] == '.');
    }
    if (!ok || major == 0)
        return fail(parser, LG_E_INVALID, v,
                    "kubevirtVersion \"%.*s\" is not \"auto\" or a version such as \"1.9\"",
                    LG_ARG(lg_str_cut(s, NAME_MAX)));
    *ret = 100 * major + minor;
    return true;
}

static bool read_head(const struct parser *parser, struct lg_val root)
{
    struct lg_val version = lg_json_get(root, "apiVersion");
    struct lg_val kind = lg_json_get(root, "kind");
    if (!lg_json_is(version, "livegate.io/v1"))
        return fail(parser, LG_E_INVALID, lg_json_there(version) ? version : root,
                    "apiVersion must be livegate.io/v1");
    if (!lg_json_is(kind, "Policy"))
        return fail(parser, LG_E_INVALID, lg_json_there(kind) ? kind : root, "kind must be Policy");
    return true;
}

static bool read_policy(const struct parser *parser, struct lg_val root)
{
    static const char *const keys[] = {"apiVersion", "kind",       "mode",        "kubevirtVersion",
                                       "rules",      "namespaces", "controllers", NULL};
    static const char *const later[] = {"exempt", "exceptions", "optOut", "placement",
                                        "mutate", "limiter",    "claims", NULL};
    struct lg_policy *policy = parser->policy;
    if (!want(parser, root, LG_JSON_OBJECT, "a policy", "an object") || !read_head(parser, root) ||
        !only_keys(parser, root, "policy", keys, later))
        return false;
    struct lg_val version = lg_json_get(root, "kubevirtVersion");
    struct lg_val namespaces = lg_json_get(root, "namespaces");
    struct lg_val controllers = lg_json_get(root, "controllers");
    return read_mode(parser, lg_json_get(root, "mode"), &policy->everywhere.mode) &&
           (!lg_json_there(version) || read_version(parser, version, &policy->kubevirt_version)) &&
           read_rules(parser, lg_json_get(root, "rules"), &policy->everywhere) &&
           (!lg_json_there(namespaces) || read_namespaces(parser, namespaces)) &&
           (!lg_json_there(controllers) || read_controllers(parser, controllers));
}

/* The one document of the text that says something. */
static enum lg_err_code only_document(const struct parser *parser, struct lg_str text,
                                      struct lg_val *ret)
{
    struct lg_yaml_document document = {0};
    size_t pos = 0;
    while (lg_yaml_next_document(text, &pos, &document)) {
        struct lg_val root = LG_NONE;
        enum lg_err_code code =
            lg_yaml_parse(parser->arena, &document, parser->file, &root, parser->err);
        if (code != LG_E_OK)
            return code;
        if (!lg_json_there(root))
            continue;
        if (lg_json_there(*ret)) {
            (void)fail(parser, LG_E_INVALID, root, "a second document: a policy is one document");
            return LG_E_INVALID;
        }
        *ret = root;
    }
    if (!lg_json_there(*ret))
        return lg_err_set(parser->err, LG_E_INVALID, parser->file, "there is no policy in it");
    return LG_E_OK;
}

enum lg_err_code lg_policy_parse(struct lg_str text, const char *file, struct lg_policy **ret,
                                 struct lg_err *err)
{
    struct lg_policy *policy lg_cleanup(lg_policy_unref_cleanup) = lg_policy_default();
    struct lg_err own = {0};
    struct parser parser = {policy, &policy->arena, file, &own};
    struct lg_val root = LG_NONE;
    enum lg_err_code code = only_document(&parser, lg_arena_str(&policy->arena, text), &root);
    if (code == LG_E_OK && !read_policy(&parser, root))
        code = own.code;
    if (code != LG_E_OK)
        return lg_err_set(err, code, own.where, "%s", own.text);
    *ret = lg_steal(policy);
    return LG_E_OK;
}
