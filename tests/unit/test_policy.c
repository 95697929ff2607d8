#include "rules/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/objects.h"
#include "tests/unit/fake_rules.h"

#define HEAD "apiVersion: livegate.io/v1\nkind: Policy\n"

static size_t index_of(const char *rule)
{
    size_t i = 0;
    assert_non_null(lg_rule_find(lg_str_of(rule), &i));
    return i;
}

static struct lg_policy *parse(const char *text)
{
    struct lg_policy *policy = NULL;
    struct lg_err err = {0};
    if (lg_policy_parse(lg_str_of(text), "p.yaml", &policy, &err) != LG_E_OK)
        fail_msg("%s: %s: %s", text, err.where, err.text);
    return policy;
}

static enum lg_action action_in(const struct lg_policy *policy, const char *ns, const char *rule)
{
    return lg_policy_view(policy, lg_str_of(ns), NULL).actions[index_of(rule)];
}

static void without_a_file_every_rule_has_its_default(void **state)
{
    (void)state;
    struct lg_policy *policy = lg_policy_default();
    struct lg_policy_view view = lg_policy_view(policy, LG_STR("shop"), NULL);
    assert_int_equal(view.mode, LG_MODE_ENFORCE);
    for (size_t i = 0; lg_rules[i] != NULL; i++)
        assert_int_equal(view.actions[i], lg_rules[i]->action);
    const struct lg_param_value *ports = &view.params[index_of("LG202")][0];
    assert_int_equal(ports->n, 2);
    assert_int_equal(ports->items[0], 49152);
    assert_int_equal(ports->items[1], 49153);
    assert_null(view.params[index_of("LG101")]);
    assert_int_equal(lg_policy_kubevirt_version(policy), 0);
    lg_policy_unref(policy);
    lg_policy_unref(NULL);
}

static void a_policy_lives_until_its_last_user(void **state)
{
    (void)state;
    struct lg_policy *policy = parse(HEAD "mode: observe\n");
    struct lg_policy *mine = lg_policy_ref(policy);
    lg_policy_unref(policy);
    assert_int_equal(lg_policy_view(mine, LG_STR(""), NULL).mode, LG_MODE_OBSERVE);
    lg_policy_unref(mine);
}

static void rules_are_set_by_id_or_name(void **state)
{
    (void)state;
    struct lg_policy *policy = parse(HEAD "rules:\n"
                                          "  LG101: {action: warn}\n"
                                          "  migration-port-collision: {action: audit}\n"
                                          "  LG401: {action: off}\n"
                                          "  LG602: {action: 'off'}\n"
                                          "  LG102: {action: deny}\n"
                                          "  LG104: {}\n");
    assert_int_equal(action_in(policy, "a", "LG101"), LG_ACTION_WARN);
    assert_int_equal(action_in(policy, "a", "LG202"), LG_ACTION_AUDIT);
    assert_int_equal(action_in(policy, "a", "LG401"), LG_ACTION_OFF);
    assert_int_equal(action_in(policy, "a", "LG602"), LG_ACTION_OFF);
    assert_int_equal(action_in(policy, "a", "LG102"), LG_ACTION_DENY);
    assert_int_equal(action_in(policy, "a", "LG104"), LG_ACTION_DENY);
    lg_policy_unref(policy);
}

static void a_star_caps_and_never_raises(void **state)
{
    (void)state;
    struct lg_policy *policy =
        parse(HEAD "rules: {LG401: {action: deny}, '*': {action: warn}}\n"
                   "namespaces:\n"
                   "- {names: [quiet], rules: {'*': {action: audit}, LG101: {action: deny}}}\n"
                   "- {names: [loud], rules: {'*': {action: deny}}}\n");
    assert_int_equal(action_in(policy, "a", "LG101"), LG_ACTION_WARN);
    assert_int_equal(action_in(policy, "a", "LG102"), LG_ACTION_PENDING);
    assert_int_equal(action_in(policy, "a", "LG401"), LG_ACTION_DENY);
    assert_int_equal(action_in(policy, "quiet", "LG101"), LG_ACTION_DENY);
    assert_int_equal(action_in(policy, "quiet", "LG102"), LG_ACTION_AUDIT);
    assert_int_equal(action_in(policy, "quiet", "LG401"), LG_ACTION_AUDIT);
    assert_int_equal(action_in(policy, "loud", "LG101"), LG_ACTION_WARN);
    assert_int_equal(action_in(policy, "loud", "LG401"), LG_ACTION_DENY);
    lg_policy_unref(policy);
}

static void the_first_matching_namespace_entry_merges_key_by_key(void **state)
{
    (void)state;
    struct lg_policy *policy = parse(HEAD "namespaces:\n"
                                          "- names: ['dev-.*', sandbox]\n"
                                          "  mode: observe\n"
                                          "  rules: {LG202: {action: warn}}\n"
                                          "- names: ['.*']\n"
                                          "  rules: {LG202: {strict: true}}\n"
                                          "rules: {LG202: {ports: [1, 65535]}}\n");
    struct lg_policy_view dev = lg_policy_view(policy, LG_STR("dev-1"), NULL);
    size_t i = index_of("LG202");
    assert_int_equal(dev.mode, LG_MODE_OBSERVE);
    assert_int_equal(dev.actions[i], LG_ACTION_WARN);
    assert_int_equal(dev.params[i][0].n, 2);
    assert_int_equal(dev.params[i][0].items[1], 65535);
    assert_false(dev.params[i][1].flag);
    assert_int_equal(lg_policy_view(policy, LG_STR("sandbox"), NULL).mode, LG_MODE_OBSERVE);
    struct lg_policy_view rest = lg_policy_view(policy, LG_STR("my-dev-1"), NULL);
    assert_int_equal(rest.mode, LG_MODE_ENFORCE);
    assert_int_equal(rest.actions[i], LG_ACTION_DENY);
    assert_int_equal(rest.params[i][0].items[0], 1);
    assert_true(rest.params[i][1].flag);
    struct lg_policy_view cluster = lg_policy_view(policy, LG_STR(""), NULL);
    assert_false(cluster.params[i][1].flag);
    lg_policy_unref(policy);
}

static void entries_select_by_labels_of_the_namespace(void **state)
{
    (void)state;
    struct lg_objects objects;
    lg_objects_init(&objects);
    struct lg_policy *policy =
        parse(HEAD "namespaces:\n"
                   "- selector: {matchLabels: {tier: test}}\n"
                   "  mode: observe\n"
                   "- names: ['b.*']\n"
                   "  selector: {matchExpressions: [{key: team, operator: In, values: [x, z]}]}\n"
                   "  rules: {LG101: {action: audit}}\n");
    struct lg_record *test = lg_objects_record(
        &objects, "{'apiVersion':'v1','kind':'Namespace','metadata':{'name':'a','labels':"
                  "{'tier':'test'}}}");
    struct lg_record *team = lg_objects_record(
        &objects, "{'apiVersion':'v1','kind':'Namespace','metadata':{'name':'b1','labels':"
                  "{'team':'z'}}}");
    const struct lg_namespace *tested = (const struct lg_namespace *)test;
    const struct lg_namespace *teamed = (const struct lg_namespace *)team;
    size_t i = index_of("LG101");
    assert_int_equal(lg_policy_view(policy, LG_STR("a"), tested).mode, LG_MODE_OBSERVE);
    assert_int_equal(lg_policy_view(policy, LG_STR("a"), NULL).mode, LG_MODE_ENFORCE);
    assert_int_equal(lg_policy_view(policy, LG_STR("b1"), teamed).actions[i], LG_ACTION_AUDIT);
    assert_int_equal(lg_policy_view(policy, LG_STR("b1"), NULL).actions[i], LG_ACTION_DENY);
    assert_int_equal(lg_policy_view(policy, LG_STR("c"), teamed).actions[i], LG_ACTION_DENY);
    lg_policy_unref(policy);
    lg_record_unref(test);
    lg_record_unref(team);
    lg_objects_done(&objects);
}

static void versions_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int version;
    } rows[] = {{"auto", 0},     {"'1.9'", 109},  {"v1.5.3", 105},
                {"'1.10'", 110}, {"v1.8.2", 108}, {"'2.0'", 200}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        char text[128];
        snprintf(text, sizeof(text), HEAD "kubevirtVersion: %s\n", rows[i].text);
        struct lg_policy *policy = parse(text);
        assert_int_equal(lg_policy_kubevirt_version(policy), rows[i].version);
        lg_policy_unref(policy);
    }
}

static void policy_adds_controllers_as_whole_strings(void **state)
{
    (void)state;
    struct lg_inventory *inventory = lg_inventory_new();
    struct lg_policy *policy = parse(HEAD "controllers: ['system:serviceaccount:a:b', robot]\n");
    assert_true(lg_policy_is_controller(policy, inventory, LG_STR("robot")));
    assert_true(lg_policy_is_controller(policy, inventory, LG_STR("system:serviceaccount:a:b")));
    assert_false(lg_policy_is_controller(policy, inventory, LG_STR("robots")));
    assert_false(lg_policy_is_controller(policy, inventory, LG_STR("Robot")));
    assert_false(lg_policy_is_controller(policy, inventory, LG_STR("")));
    lg_policy_unref(policy);
    lg_inventory_free(inventory);
}

static void json_is_a_policy_too(void **state)
{
    (void)state;
    struct lg_policy *policy = parse("{\"apiVersion\":\"livegate.io/v1\",\"kind\":\"Policy\","
                                     "\"rules\":{\"LG101\":{\"action\":\"warn\"}}}");
    assert_int_equal(action_in(policy, "a", "LG101"), LG_ACTION_WARN);
    lg_policy_unref(policy);
}

static void empty_parts_are_as_good_as_none(void **state)
{
    (void)state;
    struct lg_policy *policy =
        parse("---\n# nothing\n---\n" HEAD "rules:\nnamespaces: []\ncontrollers: []\nmode:\n---\n");
    assert_int_equal(action_in(policy, "a", "LG101"), LG_ACTION_DENY);
    lg_policy_unref(policy);
}

struct bad {
    const char *text;
    enum lg_err_code code;
    const char *where, *says;
};

static void errors_say_where_and_what(void **state)
{
    (void)state;
    static const struct bad rows[] = {
        {"", LG_E_INVALID, "p.yaml", "there is no policy in it"},
        {"[]", LG_E_INVALID, "p.yaml:1:1", "a policy must be an object, not a list"},
        {"kind: Policy\n", LG_E_INVALID, "p.yaml:1:1", "apiVersion must be livegate.io/v1"},
        {"apiVersion: livegate.io/v2\nkind: Policy\n", LG_E_INVALID, "p.yaml:1:13",
         "apiVersion must be livegate.io/v1"},
        {"apiVersion: livegate.io/v1\nkind: Rules\n", LG_E_INVALID, "p.yaml:2:7",
         "kind must be Policy"},
        {HEAD "mode: obey\n", LG_E_INVALID, "p.yaml:3:7", "mode must be enforce or observe"},
        {HEAD "mdoe: observe\n", LG_E_INVALID, "p.yaml:3:1",
         "policy: unknown key \"mdoe\"; did you mean \"mode\"?"},
        {HEAD "namespace: []\n", LG_E_INVALID, "p.yaml:3:1",
         "policy: unknown key \"namespace\"; did you mean \"namespaces\"?"},
        {HEAD "exempt: []\n", LG_E_UNSUPPORTED, "p.yaml:3:1",
         "policy: \"exempt\" is not supported by this version"},
        {HEAD "exceptions: []\n", LG_E_UNSUPPORTED, "p.yaml:3:1",
         "policy: \"exceptions\" is not supported by this version"},
        {HEAD "optOut: []\n", LG_E_UNSUPPORTED, "p.yaml:3:1",
         "policy: \"optOut\" is not supported by this version"},
        {HEAD "placement: {}\n", LG_E_UNSUPPORTED, "p.yaml:3:1",
         "policy: \"placement\" is not supported by this version"},
        {HEAD "mutate: {}\n", LG_E_UNSUPPORTED, "p.yaml:3:1",
         "policy: \"mutate\" is not supported by this version"},
        {HEAD "limiter: {}\n", LG_E_UNSUPPORTED, "p.yaml:3:1",
         "policy: \"limiter\" is not supported by this version"},
        {HEAD "claims: {}\n", LG_E_UNSUPPORTED, "p.yaml:3:1",
         "policy: \"claims\" is not supported by this version"},
        {HEAD "rules: [LG101]\n", LG_E_INVALID, "p.yaml:3:8",
         "rules must be an object with rule ids or names as keys, not a list"},
        {HEAD "rules:\n  LG2O2: {action: warn}\n", LG_E_INVALID, "p.yaml:4:3",
         "unknown rule \"LG2O2\"; did you mean \"LG202\"?"},
        {HEAD "rules:\n  claim-not-shard: {action: warn}\n", LG_E_INVALID, "p.yaml:4:3",
         "unknown rule \"claim-not-shard\"; did you mean \"claim-not-shared\"?"},
        {HEAD "rules: {everything: {action: warn}}\n", LG_E_INVALID, "p.yaml:3:9",
         "unknown rule \"everything\""},
        {HEAD "rules: {LG101: {action: warn}, claim-not-shared: {action: deny}}\n", LG_E_INVALID,
         "p.yaml:3:32", "rule LG101 (claim-not-shared) is set twice"},
        {HEAD "rules: {LG101: warn}\n", LG_E_INVALID, "p.yaml:3:16",
         "LG101 must be an object such as {action: warn}, not a string"},
        {HEAD "rules: {LG101: {action: wran}}\n", LG_E_INVALID, "p.yaml:3:25",
         "unknown action \"wran\": use deny, warn, audit or off; did you mean \"warn\"?"},
        {HEAD "rules: {LG101: {action: dent}}\n", LG_E_INVALID, "p.yaml:3:25",
         "unknown action \"dent\": use deny, warn, audit or off; did you mean \"deny\"?"},
        {HEAD "rules: {LG102: {action: pending}}\n", LG_E_INVALID, "p.yaml:3:25",
         "action cannot be pending, which is a verdict: use deny, warn, audit or off"},
        {HEAD "rules: {LG101: {action: on}}\n", LG_E_INVALID, "p.yaml:3:25",
         "action must be deny, warn, audit or off, not a boolean"},
        {HEAD "rules: {LG101: {acton: warn}}\n", LG_E_INVALID, "p.yaml:3:17",
         "LG101: unknown key \"acton\"; did you mean \"action\"?"},
        {HEAD "rules: {LG101: {ports: [1]}}\n", LG_E_INVALID, "p.yaml:3:17",
         "LG101: unknown key \"ports\""},
        {HEAD "rules: {'*': {ports: [1]}}\n", LG_E_INVALID, "p.yaml:3:15",
         "\"*\": unknown key \"ports\""},
        {HEAD "rules: {LG202: {ports: 80}}\n", LG_E_INVALID, "p.yaml:3:24",
         "ports must be a list of integers, not a number"},
        {HEAD "rules: {LG202: {ports: [80, 65536]}}\n", LG_E_INVALID, "p.yaml:3:29",
         "ports: 65536 is not between 1 and 65535"},
        {HEAD "rules: {LG202: {ports: [99999999999999999999]}}\n", LG_E_INVALID, "p.yaml:3:25",
         "ports: 100000000000000000000 is not between 1 and 65535"},
        {HEAD "rules: {LG202: {ports: [http]}}\n", LG_E_INVALID, "p.yaml:3:25",
         "ports: \"http\" is not an integer"},
        {HEAD "rules: {LG202: {strict: 1}}\n", LG_E_INVALID, "p.yaml:3:25",
         "strict must be true or false, not a number"},
        {HEAD "namespaces: {}\n", LG_E_INVALID, "p.yaml:3:13",
         "namespaces must be a list, not an object"},
        {HEAD "namespaces:\n- {mode: observe}\n", LG_E_INVALID, "p.yaml:4:3",
         "an entry of namespaces needs names or a selector"},
        {HEAD "namespaces:\n- {name: [a]}\n", LG_E_INVALID, "p.yaml:4:4",
         "namespaces: unknown key \"name\"; did you mean \"names\"?"},
        {HEAD "namespaces:\n- {names: [a], exempt: []}\n", LG_E_UNSUPPORTED, "p.yaml:4:16",
         "namespaces: \"exempt\" is not supported by this version"},
        {HEAD "namespaces:\n- {names: a}\n", LG_E_INVALID, "p.yaml:4:11",
         "names must be a list, not a string"},
        {HEAD "namespaces:\n- {names: []}\n", LG_E_INVALID, "p.yaml:4:11", "names is empty"},
        {HEAD "namespaces:\n- {names: ['']}\n", LG_E_INVALID, "p.yaml:4:12", "a name is empty"},
        {HEAD "namespaces:\n- {selector: {}}\n", LG_E_INVALID, "p.yaml:4:14",
         "selector needs matchLabels or matchExpressions"},
        {HEAD "namespaces:\n- {selector: {matchLabels: {a: 'b c'}}}\n", LG_E_INVALID, "p.yaml:4:32",
         "\"b c\" is not a label value"},
        {HEAD "namespaces:\n- {selector: {matchLabels: {'a b': c}}}\n", LG_E_INVALID, "p.yaml:4:29",
         "\"a b\" is not a label key"},
        {HEAD "namespaces:\n- {selector: {matchLabels: {a: 1}}}\n", LG_E_INVALID, "p.yaml:4:32",
         "a label's value must be a string, not a number"},
        {HEAD "namespaces:\n- {selector: {matchExpressions: [{key: a, operator: Is}]}}\n",
         LG_E_INVALID, "p.yaml:4:34", "operator must be In, NotIn, Exists or DoesNotExist"},
        {HEAD "namespaces:\n- {selector: {matchExpressions: [{key: a, operator: In}]}}\n",
         LG_E_INVALID, "p.yaml:4:34", "operator In needs values"},
        {HEAD "namespaces:\n- {selector: {matchExpressions: [{key: a, operator: Exists, values: "
              "[b]}]}}\n",
         LG_E_INVALID, "p.yaml:4:34", "operator Exists takes no values"},
        {HEAD "controllers: robot\n", LG_E_INVALID, "p.yaml:3:14",
         "controllers must be a list, not a string"},
        {HEAD "controllers: [1]\n", LG_E_INVALID, "p.yaml:3:15",
         "a controller must be a string, not a number"},
        {HEAD "kubevirtVersion: 1.10\n", LG_E_INVALID, "p.yaml:3:18",
         "kubevirtVersion must be in quotes: YAML reads 1.10 as the number 1.1"},
        {HEAD "kubevirtVersion: newest\n", LG_E_INVALID, "p.yaml:3:18",
         "kubevirtVersion \"newest\" is not \"auto\" or a version such as \"1.9\""},
        {HEAD "kubevirtVersion: v1.9x\n", LG_E_INVALID, "p.yaml:3:18",
         "kubevirtVersion \"v1.9x\" is not \"auto\" or a version such as \"1.9\""},
        {HEAD "---\nkind: Policy\n", LG_E_INVALID, "p.yaml:4:1",
         "a second document: a policy is one document"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct lg_policy *policy = NULL;
        struct lg_err err = {0};
        enum lg_err_code code = lg_policy_parse(lg_str_of(rows[i].text), "p.yaml", &policy, &err);
        if (code != rows[i].code || err.code != code || strcmp(err.where, rows[i].where) != 0 ||
            strcmp(err.text, rows[i].says) != 0)
            fail_msg("row %zu: %s\n got %s: %s: %s", i, rows[i].text, lg_err_name(code), err.where,
                     err.text);
        assert_null(policy);
        assert_int_equal(err.os_errno, 0);
        assert_false(err.truncated);
    }
}

static void a_bad_pattern_is_reported_where_it_stands(void **state)
{
    (void)state;
    struct lg_policy *policy = NULL;
    struct lg_err err = {0};
    assert_int_equal(lg_policy_parse(LG_STR(HEAD "namespaces:\n- {names: [ok, '*-dev']}\n"),
                                     "p.yaml", &policy, &err),
                     LG_E_INVALID);
    assert_string_equal(err.where, "p.yaml:4:16");
    assert_true(lg_str_starts(lg_str_of(err.text), "pattern \"*-dev\": "));
    assert_null(policy);
}

static void broken_yaml_is_reported_where_it_breaks(void **state)
{
    (void)state;
    struct lg_policy *policy = NULL;
    struct lg_err err = {0};
    assert_int_equal(lg_policy_parse(LG_STR(HEAD "rules: {LG101: {action: warn}\nmode: x"),
                                     "p.yaml", &policy, &err),
                     LG_E_INVALID);
    assert_true(lg_str_starts(lg_str_of(err.where), "p.yaml:"));
    assert_true(err.text[0] != '\0');
}

static void a_policy_explains_itself(void **state)
{
    (void)state;
    struct lg_policy *policy =
        parse(HEAD "mode: observe\nkubevirtVersion: '1.5'\n"
                   "rules: {LG202: {action: warn, ports: [80]}}\n"
                   "namespaces:\n"
                   "- {names: ['dev-.*', qa], mode: enforce, rules: {LG101: {action: audit}}}\n"
                   "- {names: [same]}\n"
                   "controllers: [robot]\n");
    struct lg_buf out = {0};
    lg_policy_describe(policy, &out);
    assert_string_equal(
        out.p, "mode observe: nothing is refused, denials become warnings\n"
               "KubeVirt version: 1.5, whatever the cluster says\n"
               "rules:\n"
               "  LG101 claim-not-shared             deny\n"
               "  LG102 claim-unknown                pending\n"
               "  LG104 vm-claim-not-shared          deny\n"
               "  LG202 migration-port-collision     warn (default: deny), ports 80, strict false\n"
               "  LG401 no-eligible-node             deny\n"
               "  LG602 vmi-not-migratable           deny\n"
               "exceptions by namespace (the first that matches holds):\n"
               "  1. namespaces named like dev-.* or qa:\n"
               "     mode enforce: what a rule denies is refused\n"
               "     LG101 claim-not-shared             audit (default: deny)\n"
               "  2. namespaces named like same:\n"
               "     as everywhere\n"
               "never refused: the controllers of KubeVirt, CDI and HyperConverged\n"
               "  and robot\n"
               "warned instead of refused: members of the group livegate:bypass\n");
    lg_buf_done(&out);
    lg_policy_unref(policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_file_every_rule_has_its_default),
        cmocka_unit_test(a_policy_lives_until_its_last_user),
        cmocka_unit_test(rules_are_set_by_id_or_name),
        cmocka_unit_test(a_star_caps_and_never_raises),
        cmocka_unit_test(the_first_matching_namespace_entry_merges_key_by_key),
        cmocka_unit_test(entries_select_by_labels_of_the_namespace),
        cmocka_unit_test(versions_are_read),
        cmocka_unit_test(policy_adds_controllers_as_whole_strings),
        cmocka_unit_test(json_is_a_policy_too),
        cmocka_unit_test(empty_parts_are_as_good_as_none),
        cmocka_unit_test(errors_say_where_and_what),
        cmocka_unit_test(a_bad_pattern_is_reported_where_it_stands),
        cmocka_unit_test(broken_yaml_is_reported_where_it_breaks),
        cmocka_unit_test(a_policy_explains_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
