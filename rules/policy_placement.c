/* The `placement` of a policy: whether the cluster grows by itself, and into what. */
#include "rules/kube/names.h"
#include "rules/policy_read.h"

static bool read_labels(const struct lg_policy_parser *parser, struct lg_val v,
                        struct lg_labels *ret)
{
    if (!lg_json_there(v))
        return true;
    if (!lg_policy_want(parser, v, LG_JSON_OBJECT, "labels", "an object"))
        return false;
    if (lg_json_len(v) > LG_POLICY_SELECTOR_MAX)
        return lg_policy_fail(parser, LG_E_LIMIT, v, "labels has %zu members, at most %d are read",
                              lg_json_len(v), LG_POLICY_SELECTOR_MAX);
    for (struct lg_json_iter it = lg_json_iter(v); lg_json_next(&it);) {
        if (!lg_name_is_label_key(it.key))
            return lg_policy_fail(parser, LG_E_INVALID, lg_policy_key_at(&it),
                                  "\"%.*s\" is not a label key",
                                  LG_ARG(lg_str_cut(it.key, LG_NAME_SHOWN_MAX)));
        if (!lg_policy_want(parser, it.val, LG_JSON_STRING, "a label's value", "a string"))
            return false;
        if (!lg_name_is_label_value(lg_json_str(it.val)))
            return lg_policy_fail(parser, LG_E_INVALID, it.val, "\"%.*s\" is not a label value",
                                  LG_ARG(lg_str_cut(lg_json_str(it.val), LG_NAME_SHOWN_MAX)));
    }
    *ret = lg_labels_read(v, parser->arena);
    return true;
}

static bool read_taint(const struct lg_policy_parser *parser, struct lg_val v)
{
    static const char *const keys[] = {"key", "value", "effect", NULL};
    if (!lg_policy_want(parser, v, LG_JSON_OBJECT, "a taint", "an object") ||
        !lg_policy_only_keys(parser, v, "taint", keys))
        return false;
    struct lg_val key = lg_json_get(v, "key");
    struct lg_val value = lg_json_get(v, "value");
    if (!lg_name_is_label_key(lg_json_str(key)))
        return lg_policy_fail(parser, LG_E_INVALID, lg_json_there(key) ? key : v,
                              "a taint needs a key");
    if (lg_json_there(value) &&
        (lg_json_kind(value) != LG_JSON_STRING || !lg_name_is_label_value(lg_json_str(value))))
        return lg_policy_fail(parser, LG_E_INVALID, value, "that is not the value of a taint");
    if (lg_effect_of(lg_json_str(lg_json_get(v, "effect"))) == LG_EFFECT_NONE)
        return lg_policy_fail(parser, LG_E_INVALID, v,
                              "effect must be NoSchedule, PreferNoSchedule or NoExecute");
    return true;
}

static bool read_group(const struct lg_policy_parser *parser, struct lg_val v,
                       struct lg_node_group *ret)
{
    static const char *const keys[] = {"labels", "taints", NULL};
    if (!lg_policy_want(parser, v, LG_JSON_OBJECT, "a node group", "an object") ||
        !lg_policy_only_keys(parser, v, "elastic", keys) ||
        !read_labels(parser, lg_json_get(v, "labels"), &ret->labels))
        return false;
    struct lg_val taints = lg_json_get(v, "taints");
    if (!lg_json_there(taints))
        return true;
    if (!lg_policy_want_list(parser, taints, "taints", LG_POLICY_SELECTOR_MAX))
        return false;
    for (struct lg_json_iter it = lg_json_iter(taints); lg_json_next(&it);)
        if (!read_taint(parser, it.val))
            return false;
    ret->taints = lg_taints_read(taints, parser->arena);
    return true;
}

static bool read_groups(const struct lg_policy_parser *parser, struct lg_val v,
                        struct lg_elastic *ret)
{
    if (!lg_policy_want_list(parser, v, "elastic", LG_POLICY_NAMES_MAX))
        return false;
    struct lg_node_group *groups = lg_arena_array(parser->arena, lg_json_len(v), sizeof(*groups));
    for (struct lg_json_iter it = lg_json_iter(v); lg_json_next(&it);) {
        if (!read_group(parser, it.val, &groups[it.index]))
            return false;
        for (struct lg_json_iter before = lg_json_iter(v);
             lg_json_next(&before) && before.index < it.index;)
            if (lg_json_equal(before.val, it.val))
                return lg_policy_fail(parser, LG_E_INVALID, it.val, "the same as node group %zu",
                                      before.index + 1);
    }
    *ret = (struct lg_elastic){LG_ELASTIC_GROUPS, groups, lg_json_len(v)};
    return true;
}

bool lg_policy_read_placement(const struct lg_policy_parser *parser, struct lg_val v,
                              struct lg_policy_set *set)
{
    static const char *const keys[] = {"elastic", NULL};
    if (!lg_json_there(v))
        return true;
    if (!lg_policy_want(parser, v, LG_JSON_OBJECT, "placement", "an object") ||
        !lg_policy_only_keys(parser, v, "placement", keys))
        return false;
    struct lg_val elastic = lg_json_get(v, "elastic");
    enum lg_json_kind kind = lg_json_kind(elastic);
    if (!lg_json_there(elastic))
        return true;
    if (kind == LG_JSON_ARRAY)
        return read_groups(parser, elastic, &set->elastic);
    /* YAML reads a bare yes as true, and no as false. */
    if (kind == LG_JSON_TRUE || lg_json_is(elastic, "yes"))
        set->elastic = (struct lg_elastic){.mode = LG_ELASTIC_YES};
    else if (kind == LG_JSON_FALSE || lg_json_is(elastic, "no"))
        set->elastic = (struct lg_elastic){.mode = LG_ELASTIC_NO};
    else if (lg_json_is(elastic, "auto"))
        set->elastic = (struct lg_elastic){.mode = LG_ELASTIC_AUTO};
    else
        return lg_policy_fail(parser, LG_E_INVALID, elastic,
                              "elastic must be auto, yes, no, or a list of node groups");
    return true;
}
