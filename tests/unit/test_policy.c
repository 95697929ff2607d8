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
