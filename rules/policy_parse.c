/* Reading a policy file: strict, every error with its line and column, unknown names with the
 * nearest known one. */
#include "rules/core/mem.h"
#include "rules/core/yaml.h"
#include "rules/policy_read.h"
#include "rules/virt/versions.h"

LG_DEFINE_CLEANUP(struct lg_policy, lg_policy_unref)

/* Characters of patterns that no user name has. */
static bool is_pattern(struct lg_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != '\0' && strchr("*?^|", s.p[i]) != NULL)
            return true;
    return false;
}

static bool read_controllers(const struct lg_policy_parser *parser, struct lg_val v)
{
    struct lg_policy *policy = parser->policy;
    if (lg_json_kind(v) == LG_JSON_ARRAY && lg_json_len(v) == 0)
        return true;
    if (!lg_policy_read_texts(parser, v, "controllers", "a controller", &policy->controllers,
                              &policy->n_controllers))
        return false;
    for (struct lg_json_iter it = lg_json_iter(v); lg_json_next(&it);)
        if (is_pattern(lg_json_str(it.val)))
            return lg_policy_fail(
                parser, LG_E_INVALID, it.val,
                "\"%.*s\" is no user name: a controller is named in full, not by a pattern",
                LG_ARG(lg_str_cut(lg_json_str(it.val), LG_NAME_SHOWN_MAX)));
    return true;
}

/* "auto", "1.9", "v1.9.2"; a bare 1.10 is the number 1.1 in YAML, hence text only. */
static bool read_version(const struct lg_policy_parser *parser, struct lg_val v, int *ret)
{
    if (lg_json_kind(v) == LG_JSON_NUMBER)
        return lg_policy_fail(
            parser, LG_E_INVALID, v,
            "kubevirtVersion must be in quotes: YAML reads 1.10 as the number 1.1");
    if (!lg_policy_want(parser, v, LG_JSON_STRING, "kubevirtVersion", "\"auto\" or a version"))
        return false;
    if (lg_json_is(v, "auto"))
        return true;
    struct lg_str s = lg_json_str(v);
    *ret = lg_version_read(s);
    if (*ret == 0)
        return lg_policy_fail(
            parser, LG_E_INVALID, v,
            "kubevirtVersion \"%.*s\" is not \"auto\" or a version such as \"1.9\"",
            LG_ARG(lg_str_cut(s, LG_NAME_SHOWN_MAX)));
    return true;
}

static bool read_head(const struct lg_policy_parser *parser, struct lg_val root)
{
    struct lg_val version = lg_json_get(root, "apiVersion");
    struct lg_val kind = lg_json_get(root, "kind");
    if (!lg_json_is(version, "livegate.io/v1"))
        return lg_policy_fail(parser, LG_E_INVALID, lg_json_there(version) ? version : root,
                              "apiVersion must be livegate.io/v1");
    if (!lg_json_is(kind, "Policy"))
        return lg_policy_fail(parser, LG_E_INVALID, lg_json_there(kind) ? kind : root,
                              "kind must be Policy");
    return true;
}

static bool read_policy(const struct lg_policy_parser *parser, struct lg_val root)
{
    static const char *const keys[] = {
        "apiVersion",      "kind",       "mode",    "rules",      "exempt",
        "kubevirtVersion", "namespaces", "claims",  "exceptions", "optOut",
        "controllers",     "mutate",     "limiter", "placement",  NULL};
    struct lg_policy *policy = parser->policy;
    if (!lg_policy_want(parser, root, LG_JSON_OBJECT, "a policy", "an object") ||
        !read_head(parser, root) || !lg_policy_only_keys(parser, root, "policy", keys))
        return false;
    struct lg_val version = lg_json_get(root, "kubevirtVersion");
    struct lg_val namespaces = lg_json_get(root, "namespaces");
    struct lg_val controllers = lg_json_get(root, "controllers");
    return lg_policy_read_mode(parser, lg_json_get(root, "mode"), &policy->everywhere.mode) &&
           (!lg_json_there(version) || read_version(parser, version, &policy->kubevirt_version)) &&
           lg_policy_read_rules(parser, lg_json_get(root, "rules"), &policy->everywhere) &&
           lg_policy_read_opt_out(parser, lg_json_get(root, "optOut"), &policy->everywhere) &&
           lg_policy_read_claims(parser, lg_json_get(root, "claims"), &policy->everywhere) &&
           lg_policy_read_placement(parser, lg_json_get(root, "placement"), &policy->everywhere) &&
           lg_policy_read_mutate(parser, lg_json_get(root, "mutate"), &policy->everywhere) &&
           (!lg_json_there(namespaces) || lg_policy_read_namespaces(parser, namespaces)) &&
           lg_policy_read_limiter(parser, lg_json_get(root, "limiter")) &&
           lg_policy_read_exempt(parser, lg_json_get(root, "exempt")) &&
           lg_policy_read_exceptions(parser, lg_json_get(root, "exceptions")) &&
           (!lg_json_there(controllers) || read_controllers(parser, controllers));
}

/* The one document of the text that says something. */
static enum lg_err_code only_document(const struct lg_policy_parser *parser, struct lg_str text,
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
            (void)lg_policy_fail(parser, LG_E_INVALID, root,
                                 "a second document: a policy is one document");
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
    struct lg_policy_parser parser = {policy, &policy->arena, file, &own};
    struct lg_val root = LG_NONE;
    enum lg_err_code code = only_document(&parser, lg_arena_str(&policy->arena, text), &root);
    if (code == LG_E_OK && !read_policy(&parser, root))
        code = own.code;
    if (code != LG_E_OK)
        return lg_err_set(err, code, own.where, "%s", own.text);
    lg_policy_mark_never(policy);
    *ret = lg_steal(policy);
    return LG_E_OK;
}
