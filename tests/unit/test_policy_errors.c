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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_say_where_and_what),
        cmocka_unit_test(a_bad_pattern_is_reported_where_it_stands),
        cmocka_unit_test(broken_yaml_is_reported_where_it_breaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
