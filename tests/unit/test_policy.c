#include "rules/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/objects.h"
#include "tests/unit/fake_rules.h"

enum { NOW = 1764000000 }; /* 2025-11-24T16:00:00Z */

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

static struct lg_policy_view view_of(const struct lg_policy *policy, struct lg_str ns,
                                     const struct lg_namespace *record)
{
    struct lg_policy_stalls stalls = {0};
    struct lg_policy_view view = lg_policy_view(policy, ns, record, &stalls);
    assert_int_equal(stalls.n, 0);
    return view;
}

static enum lg_action action_in(const struct lg_policy *policy, const char *ns, const char *rule)
{
    return view_of(policy, lg_str_of(ns), NULL).actions[index_of(rule)];
}

static void without_a_file_every_rule_has_its_default(void **state)
{
    (void)state;
    struct lg_policy *policy = lg_policy_default();
    struct lg_policy_view view = view_of(policy, LG_STR("shop"), NULL);
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
    assert_int_equal(view_of(mine, LG_STR(""), NULL).mode, LG_MODE_OBSERVE);
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
    struct lg_policy_view dev = view_of(policy, LG_STR("dev-1"), NULL);
    size_t i = index_of("LG202");
    assert_int_equal(dev.mode, LG_MODE_OBSERVE);
    assert_int_equal(dev.actions[i], LG_ACTION_WARN);
    assert_int_equal(dev.params[i][0].n, 2);
    assert_int_equal(dev.params[i][0].items[1], 65535);
    assert_false(dev.params[i][1].flag);
    assert_int_equal(view_of(policy, LG_STR("sandbox"), NULL).mode, LG_MODE_OBSERVE);
    struct lg_policy_view rest = view_of(policy, LG_STR("my-dev-1"), NULL);
    assert_int_equal(rest.mode, LG_MODE_ENFORCE);
    assert_int_equal(rest.actions[i], LG_ACTION_DENY);
    assert_int_equal(rest.params[i][0].items[0], 1);
    assert_true(rest.params[i][1].flag);
    struct lg_policy_view cluster = view_of(policy, LG_STR(""), NULL);
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
    assert_int_equal(view_of(policy, LG_STR("a"), tested).mode, LG_MODE_OBSERVE);
    assert_int_equal(view_of(policy, LG_STR("a"), NULL).mode, LG_MODE_ENFORCE);
    assert_int_equal(view_of(policy, LG_STR("b1"), teamed).actions[i], LG_ACTION_AUDIT);
    assert_int_equal(view_of(policy, LG_STR("b1"), NULL).actions[i], LG_ACTION_DENY);
    assert_int_equal(view_of(policy, LG_STR("c"), teamed).actions[i], LG_ACTION_DENY);
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
    assert_true(lg_policy_is_controller(policy, inventory, LG_KIND_VM, LG_STR("robot")));
    assert_true(lg_policy_is_controller(policy, inventory, LG_KIND_VM,
                                        LG_STR("system:serviceaccount:a:b")));
    assert_false(lg_policy_is_controller(policy, inventory, LG_KIND_VM, LG_STR("robots")));
    assert_false(lg_policy_is_controller(policy, inventory, LG_KIND_VM, LG_STR("Robot")));
    assert_false(lg_policy_is_controller(policy, inventory, LG_KIND_VM, LG_STR("")));
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

static void fixers_are_switched_on_by_name_and_merged_by_namespace(void **state)
{
    static const char text[] =
        HEAD "mutate: {LG101: {}, LG401: {strategy: Firm}}\n"
             "namespaces:\n"
             "- {names: [quiet], mutate: {LG101: off, no-eligible-node: off}}\n"
             "- {names: [soft], mutate: {LG401: {strategy: Gentle}}}\n"
             "- {names: [same], mutate: {LG401: {}}}\n";
    static const struct {
        const char *ns;
        unsigned char claims, placement;
    } rows[] = {{"shop", 1, 2}, {"quiet", 0, 0}, {"soft", 1, 1}, {"same", 1, 2}};
    struct lg_policy *policy = NULL;
    struct lg_err err = {0};
    (void)state;
    if (lg_policy_parse(lg_str_of(text), "p.yaml", &policy, &err) != LG_E_OK)
        fail_msg("%s: %s", err.where, err.text);
    size_t claims = 0, placement = 0, ports = 0;
    assert_non_null(lg_rule_find(LG_STR("LG101"), &claims));
    assert_non_null(lg_rule_find(LG_STR("LG401"), &placement));
    assert_non_null(lg_rule_find(LG_STR("LG202"), &ports));
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct lg_policy_view view = lg_policy_view(policy, lg_str_of(rows[i].ns), NULL, NULL);
        assert_int_equal(view.fixers[claims], rows[i].claims);
        assert_int_equal(view.fixers[placement], rows[i].placement);
        assert_int_equal(view.fixers[ports], 0);
    }
    struct lg_buf out = {0};
    lg_policy_describe(policy, 0, &out);
    assert_non_null(strstr(out.p, "deny, mended at admission (strategy Firm)\n"));
    lg_buf_done(&out);
    lg_policy_unref(policy);
    policy = lg_policy_default();
    assert_int_equal(lg_policy_view(policy, LG_STR("shop"), NULL, NULL).fixers[claims], 0);
    lg_policy_unref(policy);
}

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
        {HEAD "mutate: [LG101]\n", LG_E_INVALID, "p.yaml:3:9",
         "mutate must be an object with rule ids or names as keys, not a list"},
        {HEAD "mutate: {LG1O1: {}}\n", LG_E_INVALID, "p.yaml:3:10",
         "unknown rule \"LG1O1\"; did you mean \"LG101\"?"},
        {HEAD "mutate: {LG101: {}, claim-not-shared: {}}\n", LG_E_INVALID, "p.yaml:3:21",
         "rule LG101 (claim-not-shared) is set twice"},
        {HEAD "mutate: {LG202: {}}\n", LG_E_INVALID, "p.yaml:3:10",
         "mutate: rule LG202 (migration-port-collision) has no fixer"},
        {HEAD "mutate: {LG104: {}}\n", LG_E_INVALID, "p.yaml:3:10",
         "mutate: rule LG104 (vm-claim-not-shared) is mended in files only, by `livegate check "
         "--fix`"},
        {HEAD "mutate: {LG101: true}\n", LG_E_INVALID, "p.yaml:3:17",
         "LG101 must be an object such as {}, or off, not a boolean"},
        {HEAD "mutate: {LG101: null}\n", LG_E_INVALID, "p.yaml:3:17",
         "LG101 must be an object such as {}, or off, not null"},
        {HEAD "mutate: {LG101: {strategy: Gentle}}\n", LG_E_INVALID, "p.yaml:3:18",
         "LG101: unknown key \"strategy\""},
        {HEAD "mutate: {LG401: {strategy: Harsh}}\n", LG_E_INVALID, "p.yaml:3:28",
         "strategy: \"Harsh\" is not Gentle or Firm"},
        {HEAD "mutate: {LG401: {strategy: 1}}\n", LG_E_INVALID, "p.yaml:3:28",
         "strategy: 1 is not Gentle or Firm"},
        {HEAD "namespaces:\n- {names: [a], mutate: {LG202: off}}\n", LG_E_INVALID, "p.yaml:4:25",
         "mutate: rule LG202 (migration-port-collision) has no fixer"},
        {HEAD "limiter: []\n", LG_E_INVALID, "p.yaml:3:10",
         "limiter must be an object, not a list"},
        {HEAD "limiter: {modes: observe}\n", LG_E_INVALID, "p.yaml:3:11",
         "limiter: unknown key \"modes\"; did you mean \"mode\"?"},
        {HEAD "limiter: {mode: maybe}\n", LG_E_INVALID, "p.yaml:3:17",
         "limiter.mode must be enforce, observe or off"},
        {HEAD "limiter: {inboundPerNode: -1}\n", LG_E_INVALID, "p.yaml:3:27",
         "limiter.inboundPerNode must be a number from 0 (no limit) to 10000"},
        {HEAD "limiter: {inboundPerNode: two}\n", LG_E_INVALID, "p.yaml:3:27",
         "limiter.inboundPerNode must be a number from 0 (no limit) to 10000"},
        {HEAD "limiter: {whenLedgerUnreachable: 1}\n", LG_E_INVALID, "p.yaml:3:34",
         "limiter.whenLedgerUnreachable must be refuse or admit"},
        {HEAD "limiter: {virtApi: wait}\n", LG_E_INVALID, "p.yaml:3:20",
         "limiter.virtApi must be admit or refuse"},
        {HEAD "limiter: {showHolders: 1}\n", LG_E_INVALID, "p.yaml:3:24",
         "limiter.showHolders must be true or false, not a number"},
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
        {HEAD "namespaces:\n- {names: [a], exempt: []}\n", LG_E_INVALID, "p.yaml:4:16",
         "\"exempt\" belongs to the policy, not to an entry of namespaces"},
        {HEAD "namespaces:\n- {names: [a], limiter: {}}\n", LG_E_INVALID, "p.yaml:4:16",
         "\"limiter\" belongs to the policy, not to an entry of namespaces"},
        {HEAD "namespaces:\n- {names: [a, a]}\n", LG_E_INVALID, "p.yaml:4:15",
         "names: \"a\" stands twice"},
        {HEAD "namespaces:\n- {names: [a]}\n- {names: [a], mode: observe}\n", LG_E_INVALID,
         "p.yaml:5:3", "the same namespaces as entry 1, which counts first"},
        {HEAD "exempt: {}\n", LG_E_INVALID, "p.yaml:3:9", "exempt must be a list, not an object"},
        {HEAD "exempt: [a]\n", LG_E_INVALID, "p.yaml:3:10",
         "an entry of exempt must be an object, not a string"},
        {HEAD "exempt: [{rules: ['*'], action: warn}]\n", LG_E_INVALID, "p.yaml:3:10",
         "an entry of exempt needs users or groups"},
        {HEAD "exempt: [{users: [a], action: warn}]\n", LG_E_INVALID, "p.yaml:3:10",
         "an entry of exempt needs rules; [\"*\"] is all of them"},
        {HEAD "exempt: [{users: [a], rules: [LG101]}]\n", LG_E_INVALID, "p.yaml:3:10",
         "an entry of exempt needs an action: warn, audit or off"},
        {HEAD "exempt: [{users: [a], rules: [LG101], action: deny}]\n", LG_E_INVALID, "p.yaml:3:47",
         "action deny exempts nobody: use warn, audit or off"},
        {HEAD "exempt: [{users: [], rules: [LG101], action: warn}]\n", LG_E_INVALID, "p.yaml:3:18",
         "users is empty"},
        {HEAD "exempt: [{users: [1], rules: [LG101], action: warn}]\n", LG_E_INVALID, "p.yaml:3:19",
         "a user must be a string, not a number"},
        {HEAD "exempt: [{groups: [g, g], rules: [LG101], action: warn}]\n", LG_E_INVALID,
         "p.yaml:3:23", "groups: \"g\" stands twice"},
        {HEAD "exempt: [{users: [a], rules: [LG999], action: warn}]\n", LG_E_INVALID, "p.yaml:3:31",
         "unknown rule \"LG999\""},
        {HEAD "exempt: [{users: [a], rules: [LG101, claim-not-shared], action: warn}]\n",
         LG_E_INVALID, "p.yaml:3:38", "rules: LG101 (claim-not-shared) stands twice"},
        {HEAD "exempt: [{users: [a], rules: [LG101, '*'], action: warn}]\n", LG_E_INVALID,
         "p.yaml:3:38", "rules: \"*\" is every rule, so that no other belongs beside it"},
        {HEAD "exempt: [{user: [a], rules: ['*'], action: warn}]\n", LG_E_INVALID, "p.yaml:3:11",
         "exempt: unknown key \"user\"; did you mean \"users\"?"},
        {HEAD "exempt:\n- {users: [a], rules: ['*'], action: warn}\n"
              "- {users: [a], rules: ['*'], action: warn}\n",
         LG_E_INVALID, "p.yaml:5:3", "the same as entry 1"},
        {HEAD "exceptions: [{namespace: a}]\n", LG_E_INVALID, "p.yaml:3:14",
         "an exception needs rules; [\"*\"] is all of them"},
        {HEAD "exceptions: [{rules: [LG101]}]\n", LG_E_INVALID, "p.yaml:3:14",
         "an exception needs a namespace, namespaces or a name"},
        {HEAD "exceptions: [{rules: [], name: a}]\n", LG_E_INVALID, "p.yaml:3:22",
         "rules is empty"},
        {HEAD "exceptions: [{rules: LG101, name: a}]\n", LG_E_INVALID, "p.yaml:3:22",
         "rules must be a list, not a string"},
        {HEAD "exceptions: [{rules: [LG101], namespace: a, namespaces: [b]}]\n", LG_E_INVALID,
         "p.yaml:3:57", "an exception has a namespace or namespaces, not both"},
        {HEAD "exceptions: [{rules: [LG101], namespaces: [b, b]}]\n", LG_E_INVALID, "p.yaml:3:47",
         "namespaces: \"b\" stands twice"},
        {HEAD "exceptions: [{rules: [LG101], name: a, expires: tomorrow}]\n", LG_E_INVALID,
         "p.yaml:3:49", "expires \"tomorrow\" is no time such as 2027-03-31T00:00:00Z"},
        {HEAD "exceptions: [{rules: [LG101], name: a, expires: 2027}]\n", LG_E_INVALID,
         "p.yaml:3:49", "expires must be a string, not a number"},
        {HEAD "exceptions: [{rules: [LG101], name: a, reason: 7}]\n", LG_E_INVALID, "p.yaml:3:48",
         "reason must be a string, not a number"},
        {HEAD "exceptions: [{rules: [LG101], name: a, until: x}]\n", LG_E_INVALID, "p.yaml:3:40",
         "exceptions: unknown key \"until\""},
        {HEAD "exceptions:\n- {rules: [LG101], name: a}\n- {rules: [claim-not-shared], name: a, "
              "reason: x}\n",
         LG_E_INVALID, "p.yaml:5:3", "the same rules and objects as exception 1"},
        {HEAD "placement: auto\n", LG_E_INVALID, "p.yaml:3:12",
         "placement must be an object, not a string"},
        {HEAD "placement: {elastic: often}\n", LG_E_INVALID, "p.yaml:3:22",
         "elastic must be auto, yes, no, or a list of node groups"},
        {HEAD "placement: {elastic: []}\n", LG_E_INVALID, "p.yaml:3:22", "elastic is empty"},
        {HEAD "placement: {elastic: [{label: {a: b}}]}\n", LG_E_INVALID, "p.yaml:3:24",
         "elastic: unknown key \"label\"; did you mean \"labels\"?"},
        {HEAD "placement: {elastic: [{labels: {'a b': c}}]}\n", LG_E_INVALID, "p.yaml:3:33",
         "\"a b\" is not a label key"},
        {HEAD "placement: {elastic: [{labels: {a: 1}}]}\n", LG_E_INVALID, "p.yaml:3:36",
         "a label's value must be a string, not a number"},
        {HEAD "placement: {elastic: [{taints: [{value: a, effect: NoSchedule}]}]}\n", LG_E_INVALID,
         "p.yaml:3:33", "a taint needs a key"},
        {HEAD "placement: {elastic: [{taints: [{key: a, effect: Never}]}]}\n", LG_E_INVALID,
         "p.yaml:3:33", "effect must be NoSchedule, PreferNoSchedule or NoExecute"},
        {HEAD "placement: {elastic: [{labels: {a: b}}, {labels: {a: b}}]}\n", LG_E_INVALID,
         "p.yaml:3:41", "the same as node group 1"},
        {HEAD "placement: {elastc: yes}\n", LG_E_INVALID, "p.yaml:3:13",
         "placement: unknown key \"elastc\"; did you mean \"elastic\"?"},
        {HEAD "optOut: LG101\n", LG_E_INVALID, "p.yaml:3:9", "optOut must be a list, not a string"},
        {HEAD "optOut: [LG999]\n", LG_E_INVALID, "p.yaml:3:10", "unknown rule \"LG999\""},
        {HEAD "optOut: [LG602]\n", LG_E_INVALID, "p.yaml:3:10",
         "optOut: LG602 is not about virtual machines"},
        {HEAD "claims: {}\n", LG_E_INVALID, "p.yaml:3:9", "claims needs a selector"},
        {HEAD "claims: {label: a}\n", LG_E_INVALID, "p.yaml:3:10", "claims: unknown key \"label\""},
        {HEAD "claims: {selector: {matchLabels: {a: b}, matchExpressions: [{key: a, operator: "
              "DoesNotExist}]}}\n",
         LG_E_INVALID, "p.yaml:3:20", "the selector contradicts itself: no claim can match it"},
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
        {HEAD "controllers: [robot, 'system:*']\n", LG_E_INVALID, "p.yaml:3:22",
         "\"system:*\" is no user name: a controller is named in full, not by a pattern"},
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
    lg_policy_describe(policy, NOW, &out);
    assert_string_equal(
        out.p,
        "mode observe: nothing is refused, denials become warnings\n"
        "KubeVirt version: 1.5, whatever the cluster says\n"
        "rules:\n"
        "  LG101 claim-not-shared             deny\n"
        "  LG102 claim-unknown                pending\n"
        "  LG104 vm-claim-not-shared          deny\n"
        "  LG202 migration-port-collision     warn (default: deny), ports 80, strict false\n"
        "  LG401 no-eligible-node             deny\n"
        "  LG402 no-second-node               deny\n"
        "  LG602 vmi-not-migratable           deny\n"
        "warnings at most for a VM with evictionStrategy None of its own: LG402\n"
        "the cluster grows by itself: where it has an autoscaler\n"
        "claims that are virtual machines', beside those that one uses: "
        "{\"matchLabels\":{\"livegate.io/vm-claim\":\"true\"}}\n"
        "limits of parallel migrations: enforced; virtctl is refused; without the ledger all "
        "go through\n"
        "by namespace (the first that matches holds):\n"
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

static void exempt_requesters_are_found_by_whole_names_and_groups(void **state)
{
    (void)state;
    struct lg_objects objects;
    lg_objects_init(&objects);
    struct lg_policy *policy =
        parse(HEAD "exempt:\n"
                   "- {users: [velero, oadp], rules: [LG101], action: warn, reason: restores}\n"
                   "- {groups: [ops], rules: ['*'], action: audit}\n");
    struct lg_val ops = lg_objects_parse(&objects, "['other','ops']");
    struct lg_str reason = LG_STR("");
    size_t i = index_of("LG101"), k = index_of("LG202");
    uint64_t none = lg_policy_exempt(policy, LG_STR("vel"), LG_NONE);
    assert_int_equal(none, 0);
    assert_int_equal(lg_policy_exempt(policy, LG_STR(""), ops), 0);
    uint64_t velero = lg_policy_exempt(policy, LG_STR("velero"), LG_NONE);
    assert_int_equal(velero, 1);
    assert_int_equal(lg_policy_exempted(policy, velero, i, LG_ACTION_DENY, &reason),
                     LG_ACTION_WARN);
    assert_true(lg_str_is(reason, "restores"));
    assert_int_equal(lg_policy_exempted(policy, velero, k, LG_ACTION_DENY, NULL), LG_ACTION_DENY);
    assert_int_equal(lg_policy_exempted(policy, velero, i, LG_ACTION_AUDIT, NULL), LG_ACTION_AUDIT);
    uint64_t both = lg_policy_exempt(policy, LG_STR("oadp"), ops);
    assert_int_equal(both, 3);
    assert_int_equal(lg_policy_exempted(policy, both, i, LG_ACTION_DENY, NULL), LG_ACTION_AUDIT);
    assert_int_equal(lg_policy_exempted(policy, both, k, LG_ACTION_DENY, &reason), LG_ACTION_AUDIT);
    assert_true(lg_str_is(reason, "the requester is exempt"));
    lg_policy_unref(policy);
    lg_objects_done(&objects);
}

static struct lg_str excuse(const struct lg_policy *policy, const char *ns, const char *name,
                            const char *rule, struct lg_arena *arena)
{
    struct lg_policy_stalls stalls = {0};
    const struct lg_str *excuses =
        lg_policy_excuses(policy, lg_str_of(ns), lg_str_of(name), NOW, arena, &stalls);
    return excuses != NULL ? excuses[index_of(rule)] : LG_STR("");
}

static void exceptions_hold_for_their_objects_until_they_expire(void **state)
{
    (void)state;
    struct lg_arena arena;
    lg_arena_init(&arena);
    struct lg_policy *policy =
        parse(HEAD "exceptions:\n"
                   "- {rules: [LG101], namespace: legacy, name: 'db-[0-9]+', reason: CHG-1,\n"
                   "   approvedBy: storage, expires: 2027-03-31T00:00:00Z}\n"
                   "- {rules: ['*'], namespaces: ['old-.*', attic], expires: "
                   "'2025-11-24T16:00:01Z'}\n"
                   "- {rules: [LG202], name: gone, expires: '2025-11-24T16:00:00Z'}\n"
                   "- {rules: [LG202], name: profile}\n");
    assert_true(lg_str_is(excuse(policy, "legacy", "db-12", "LG101", &arena),
                          "exception until 2027-03-31T00:00:00Z, approved by storage: CHG-1"));
    assert_int_equal(excuse(policy, "legacy", "db-12", "LG202", &arena).n, 0);
    assert_int_equal(excuse(policy, "legacy", "db-x", "LG101", &arena).n, 0);
    assert_int_equal(excuse(policy, "legacy2", "db-12", "LG101", &arena).n, 0);
    assert_true(excuse(policy, "old-1", "any", "LG202", &arena).n != 0);
    assert_true(excuse(policy, "attic", "", "LG401", &arena).n != 0);
    assert_int_equal(excuse(policy, "", "any", "LG401", &arena).n, 0);
    assert_int_equal(excuse(policy, "a", "gone", "LG202", &arena).n, 0);
    assert_true(lg_str_is(excuse(policy, "", "profile", "LG202", &arena), "exception"));
    lg_policy_unref(policy);
    lg_arena_done(&arena);
}

static void a_pattern_that_hits_its_limits_does_not_match_and_is_counted(void **state)
{
    (void)state;
    struct lg_arena arena;
    lg_arena_init(&arena);
    struct lg_buf text = {0};
    lg_buf_puts(&text, HEAD "exceptions:\n");
    for (int i = 0; i < 20; i++)
        lg_buf_printf(&text, "- {rules: [LG101], name: '(a+)+[bc]{1,%d}'}\n", i + 1);
    struct lg_policy *policy = parse(text.p);
    struct lg_policy_stalls stalls = {0};
    struct lg_str name = LG_STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    assert_null(lg_policy_excuses(policy, LG_STR("a"), name, NOW, &arena, &stalls));
    assert_int_equal(stalls.n, LG_POLICY_STALLS_MAX);
    assert_true(lg_str_is(stalls.pattern, "(a+)+[bc]{1,1}"));
    lg_buf_done(&text);
    lg_policy_unref(policy);
    lg_arena_done(&arena);
}

static bool at_once(void *arg)
{
    (void)arg;
    return true;
}

static void no_pattern_is_tried_once_time_is_up(void **state)
{
    (void)state;
    struct lg_policy *policy =
        parse(HEAD "namespaces:\n- {names: ['a.*'], mode: observe}\n- {names: [ab], rules: "
                   "{LG101: {action: audit}}}\n");
    struct lg_policy_stalls stalls = {.expired = at_once};
    struct lg_policy_view view = lg_policy_view(policy, LG_STR("ab"), NULL, &stalls);
    assert_int_equal(view.mode, LG_MODE_ENFORCE);
    assert_int_equal(view.actions[index_of("LG101")], LG_ACTION_AUDIT);
    lg_policy_unref(policy);
}

static void opting_out_and_claims_merge_by_namespace(void **state)
{
    (void)state;
    struct lg_objects objects;
    lg_objects_init(&objects);
    struct lg_policy *policy =
        parse(HEAD "optOut: [LG401, LG202]\n"
                   "claims: {selector: {matchLabels: {vm: 'yes'}}}\n"
                   "namespaces:\n"
                   "- {names: [strict], optOut: []}\n"
                   "- {names: [own], claims: {selector: {matchExpressions: [{key: disk, operator: "
                   "Exists}]}}}\n");
    struct lg_labels vm =
        lg_labels_read(lg_objects_parse(&objects, "{'vm':'yes'}"), &objects.arena);
    struct lg_policy_view any = view_of(policy, LG_STR("a"), NULL);
    struct lg_policy_view strict = view_of(policy, LG_STR("strict"), NULL);
    struct lg_policy_view own = view_of(policy, LG_STR("own"), NULL);
    assert_true(any.opt_out[index_of("LG202")]);
    assert_false(any.opt_out[index_of("LG101")]);
    assert_false(strict.opt_out[index_of("LG202")]);
    assert_true(own.opt_out[index_of("LG401")]);
    assert_true(lg_selector_matches(any.claim_selector, vm));
    assert_true(lg_selector_matches(strict.claim_selector, vm));
    assert_false(lg_selector_matches(own.claim_selector, vm));
    lg_policy_unref(policy);
    lg_objects_done(&objects);
}

static void growing_is_read_and_merges_by_namespace(void **state)
{
    (void)state;
    struct lg_policy *policy =
        parse(HEAD "placement: {elastic: [{labels: {zone: a}, taints: [{key: gpu, value: 'true', "
                   "effect: NoSchedule}]}, {}]}\n"
                   "namespaces:\n"
                   "- {names: [grows], placement: {elastic: yes}}\n"
                   "- {names: [fixed], placement: {elastic: 'no'}}\n"
                   "- {names: [auto], placement: {elastic: auto}}\n"
                   "- {names: [same], placement: {}}\n");
    struct lg_elastic any = view_of(policy, LG_STR("a"), NULL).elastic;
    assert_int_equal(any.mode, LG_ELASTIC_GROUPS);
    assert_int_equal(any.n_groups, 2);
    assert_true(lg_str_is(*lg_labels_get(any.groups[0].labels, LG_STR("zone")), "a"));
    assert_int_equal(any.groups[0].taints.n, 1);
    assert_int_equal(any.groups[0].taints.items[0].effect, LG_EFFECT_NO_SCHEDULE);
    assert_int_equal(any.groups[1].labels.n, 0);
    assert_int_equal(view_of(policy, LG_STR("grows"), NULL).elastic.mode, LG_ELASTIC_YES);
    assert_int_equal(view_of(policy, LG_STR("fixed"), NULL).elastic.mode, LG_ELASTIC_NO);
    assert_int_equal(view_of(policy, LG_STR("auto"), NULL).elastic.mode, LG_ELASTIC_AUTO);
    assert_int_equal(view_of(policy, LG_STR("same"), NULL).elastic.mode, LG_ELASTIC_GROUPS);
    struct lg_buf out = {0};
    lg_policy_describe(policy, NOW, &out);
    assert_non_null(strstr(out.p, "the cluster grows by itself: into nodes with zone=a taint "
                                  "gpu=true:NoSchedule; or with no label of note\n"));
    assert_non_null(strstr(out.p, "     the cluster grows by itself: no\n"));
    lg_buf_done(&out);
    lg_policy_unref(policy);
    policy = lg_policy_default();
    assert_int_equal(view_of(policy, LG_STR("a"), NULL).elastic.mode, LG_ELASTIC_AUTO);
    lg_policy_unref(policy);
}

static void entries_that_do_nothing_are_marked(void **state)
{
    (void)state;
    struct lg_policy *policy = parse(
        HEAD "rules: {LG202: {action: audit}}\n"
             "namespaces:\n"
             "- {names: ['Dev-.*', 'qa_1'], mode: observe}\n"
             "- {selector: {matchLabels: {a: b}, matchExpressions: [{key: a, operator: NotIn, "
             "values: [b]}]}}\n"
             "- {names: ['dev-.*', 'a b']}\n"
             "- {names: [dev-1, dev-2]}\n"
             "- {names: ['.*']}\n"
             "- {names: [x]}\n"
             "exempt:\n"
             "- {users: [robot], rules: [LG202], action: warn}\n"
             "- {users: [robot], rules: [LG101], action: warn}\n"
             "exceptions:\n"
             "- {rules: [LG202], namespace: a}\n"
             "- {rules: [LG101], namespace: A}\n"
             "- {rules: [LG101], namespace: a, name: 'db_.*'}\n"
             "- {rules: [LG101], namespace: a, name: 'a{254}'}\n"
             "- {rules: [LG101], namespace: b, expires: 2020-01-01T00:00:00Z}\n"
             "- {rules: [LG101], namespace: c, name: '(?i)DB-.*', reason: moves}\n");
    struct lg_policy_survey survey;
    lg_policy_survey(policy, NOW, &survey);
    assert_int_equal(survey.parts[LG_POLICY_NAMESPACES].never, 4);
    assert_int_equal(survey.parts[LG_POLICY_NAMESPACES].active, 2);
    assert_int_equal(survey.parts[LG_POLICY_EXEMPT].never, 1);
    assert_int_equal(survey.parts[LG_POLICY_EXEMPT].active, 1);
    assert_int_equal(survey.parts[LG_POLICY_EXCEPTIONS].never, 4);
    assert_int_equal(survey.parts[LG_POLICY_EXCEPTIONS].expired, 1);
    assert_int_equal(survey.parts[LG_POLICY_EXCEPTIONS].active, 1);
    struct lg_buf out = {0};
    lg_policy_describe(policy, NOW, &out);
    const char *from = strstr(out.p, "by namespace");
    assert_non_null(from);
    assert_string_equal(
        from,
        "by namespace (the first that matches holds):\n"
        "  1. namespaces named like Dev-.* (which no name can match) or qa_1 (which no name can "
        "match):\n"
        "     NEVER MATCHES: no namespace can have such a name\n"
        "     mode observe: nothing is refused, denials become warnings\n"
        "  2. namespaces with labels {\"matchLabels\":{\"a\":\"b\"},\"matchExpressions\":[{\"key\":"
        "\"a\",\"operator\":\"NotIn\",\"values\":[\"b\"]}]}:\n"
        "     NEVER MATCHES: the selector contradicts itself\n"
        "     as everywhere\n"
        "  3. namespaces named like dev-.* or a b (which no name can match):\n"
        "     as everywhere\n"
        "  4. namespaces named like dev-1 or dev-2:\n"
        "     NEVER MATCHES: an entry before it takes all of its namespaces\n"
        "     as everywhere\n"
        "  5. namespaces named like .*:\n"
        "     as everywhere\n"
        "  6. namespaces named like x:\n"
        "     NEVER MATCHES: an entry before it takes all of its namespaces\n"
        "     as everywhere\n"
        "exempt, by who asks:\n"
        "  1. user robot: LG202 at most warn\n"
        "     NEVER MATCHES: its rules are no stronger than that anywhere\n"
        "  2. user robot: LG101 at most warn\n"
        "exceptions, recorded instead of refused:\n"
        "  1. LG202 in namespace a\n"
        "     exception (it never expires)\n"
        "     NEVER MATCHES: its rules are audit or off everywhere already\n"
        "  2. LG101 in namespace A\n"
        "     exception (it never expires)\n"
        "     NEVER MATCHES: no namespace can have such a name\n"
        "  3. LG101 in namespace a for objects named db_.*\n"
        "     exception (it never expires)\n"
        "     NEVER MATCHES: no object can have such a name\n"
        "  4. LG101 in namespace a for objects named a{254}\n"
        "     exception (it never expires)\n"
        "     NEVER MATCHES: no object can have such a name\n"
        "  5. LG101 in namespace b\n"
        "     exception until 2020-01-01T00:00:00Z\n"
        "     EXPIRED: it counts no more\n"
        "  6. LG101 in namespace c for objects named (?i)DB-.*\n"
        "     exception: moves (it never expires)\n"
        "never refused: the controllers of KubeVirt, CDI and HyperConverged\n"
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
        cmocka_unit_test(fixers_are_switched_on_by_name_and_merged_by_namespace),
        cmocka_unit_test(errors_say_where_and_what),
        cmocka_unit_test(a_bad_pattern_is_reported_where_it_stands),
        cmocka_unit_test(broken_yaml_is_reported_where_it_breaks),
        cmocka_unit_test(a_policy_explains_itself),
        cmocka_unit_test(exempt_requesters_are_found_by_whole_names_and_groups),
        cmocka_unit_test(exceptions_hold_for_their_objects_until_they_expire),
        cmocka_unit_test(a_pattern_that_hits_its_limits_does_not_match_and_is_counted),
        cmocka_unit_test(no_pattern_is_tried_once_time_is_up),
        cmocka_unit_test(opting_out_and_claims_merge_by_namespace),
        cmocka_unit_test(growing_is_read_and_merges_by_namespace),
        cmocka_unit_test(entries_that_do_nothing_are_marked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
