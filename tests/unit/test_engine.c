#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/asserts.h"
#include "tests/unit/engine_world.h"

static void all_findings_come_in_the_order_of_rule_ids(void **state)
{
    struct world *w = *state;
    create(w, "'nodeSelector':{'zone':'nowhere'},'volumes':[{'name':'b','persistentVolumeClaim':"
              "{'claimName':'rwo-b'}},{'name':'a','persistentVolumeClaim':{'claimName':'rwo-a'}}],"
              "'domain':{'devices':{'interfaces':[{'name':'default','masquerade':{},"
              "'ports':[{'port':80},{'port':49153}]}]}}");
    assert_int_equal(w->got.n, 4);
    expect(&w->got.findings[0], "LG101", LG_ACTION_DENY, "b");
    expect(&w->got.findings[1], "LG101", LG_ACTION_DENY, "a");
    expect(&w->got.findings[2], "LG202", LG_ACTION_DENY, "default");
    expect(&w->got.findings[3], "LG401", LG_ACTION_DENY, "");
    assert_int_equal(w->got.verdict, LG_ACTION_DENY);
    assert_int_equal(lg_judgement_migratable(&w->got), 0);
    assert_false(w->got.skipped || w->got.refused);
    assert_int_equal(w->got.requester, LG_REQUESTER_PERSON);
    assert_int_equal(w->got.mode, LG_MODE_ENFORCE);
}

static void a_finding_says_all_there_is_to_say(void **state)
{
    struct world *w = *state;
    create(w, volume_rwo);
    assert_int_equal(w->got.n, 1);
    const struct lg_finding *f = &w->got.findings[0];
    expect(f, "LG101", LG_ACTION_DENY, "data");
    assert_int_equal(f->was, LG_ACTION_DENY);
    assert_false(f->pending || f->ratcheted);
    assert_int_equal(f->missing, LG_KIND_OTHER);
    assert_true(lg_str_is(f->ident, "rwo-a"));
    assert_true(
        lg_str_is(f->field, "spec.template.spec.volumes[0].persistentVolumeClaim.claimName"));
    assert_true(lg_str_is(f->message, "volume \"data\": claim \"rwo-a\" is ReadWriteOnce; live "
                                      "migration needs ReadWriteMany"));
    assert_true(lg_str_is(f->fix, "create a ReadWriteMany claim and move the data"));
    assert_string_equal(f->kubevirt_reason, "DisksNotLiveMigratable");
    assert_true(lg_json_is(f->at, "rwo-a"));
}

static void a_good_object_has_no_findings(void **state)
{
    struct world *w = *state;
    create(w, volume_rwx);
    assert_int_equal(w->got.n, 0);
    assert_int_equal(w->got.verdict, LG_ACTION_OFF);
    assert_false(w->got.skipped);
    assert_int_equal(lg_judgement_migratable(&w->got), 1);
    assert_int_equal(lg_fake_calls, 5);
}

static void a_report_is_capped_by_its_rule(void **state)
{
    struct world *w = *state;
    create(w, "'volumes':[{'name':'d','persistentVolumeClaim':{'claimName':'capped-a'}}]");
    assert_int_equal(w->got.n, 1);
    expect(&w->got.findings[0], "LG101", LG_ACTION_WARN, "d");
    assert_int_equal(w->got.verdict, LG_ACTION_WARN);
}

static void what_is_not_known_is_pending_and_said_once(void **state)
{
    struct world *w = *state;
    create(w, "'nodeSelector':{'zone':'unknown'},"
              "'volumes':[{'name':'a','persistentVolumeClaim':{'claimName':'new-a'}},"
              "{'name':'b','persistentVolumeClaim':{'claimName':'new-a'}},"
              "{'name':'c','persistentVolumeClaim':{'claimName':'new-c'}}]");
    assert_int_equal(w->got.n, 3);
    const struct lg_finding *f = w->got.findings;
    expect(&f[0], "LG102", LG_ACTION_PENDING, "");
    assert_true(f[0].pending);
    assert_int_equal(f[0].missing, LG_KIND_CLAIM);
    assert_true(lg_str_is(f[0].message, "not known: claim \"new-a\" (no claims were given)"));
    assert_true(lg_str_is(f[0].fix, "add the claims to the inventory"));
    assert_true(
        lg_str_is(f[0].field, "spec.template.spec.volumes[0].persistentVolumeClaim.claimName"));
    assert_true(lg_str_is(f[1].message, "not known: claim \"new-c\" (no claims were given)"));
    expect(&f[2], "LG401", LG_ACTION_PENDING, "");
    assert_int_equal(f[2].missing, LG_KIND_NODE);
    assert_true(lg_str_is(f[2].message, "not known: nodes (no nodes were given)"));
    assert_int_equal(w->got.verdict, LG_ACTION_PENDING);
    assert_int_equal(lg_judgement_migratable(&w->got), -1);
}

static void what_is_missing_is_said_as_it_is(void **state)
{
    static const struct {
        enum lg_known known;
        enum lg_action action;
        const char *message;
    } rows[] = {
        {LG_KNOWN, LG_ACTION_PENDING, "claim \"new-a\" does not exist yet"},
        {LG_NOT_SYNCED, LG_ACTION_PENDING,
         "not known yet: claim \"new-a\" (claims have not been listed)"},
        {LG_FORBIDDEN, LG_ACTION_PENDING,
         "not known: claim \"new-a\" (livegate may not read claims)"},
        {LG_NOT_SERVED, LG_ACTION_AUDIT,
         "not known: claim \"new-a\" (the cluster does not serve claims)"},
    };
    struct world *w = *state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        lg_inventory_set_known(w->inventory, LG_KIND_CLAIM, rows[i].known);
        create(w, "'volumes':[{'name':'a','persistentVolumeClaim':{'claimName':'new-a'}}]");
        assert_int_equal(w->got.n, 1);
        expect(&w->got.findings[0], "LG102", rows[i].action, "");
        assert_true(lg_str_is(w->got.findings[0].message, rows[i].message));
        assert_int_equal(w->got.verdict, rows[i].action);
    }
}

static void policy_can_deny_what_is_not_known(void **state)
{
    struct world *w = *state;
    use_policy(w, "apiVersion: livegate.io/v1\nkind: Policy\nrules: {LG102: {action: deny}}\n");
    create(w, "'nodeSelector':{'zone':'unknown'},"
              "'volumes':[{'name':'a','persistentVolumeClaim':{'claimName':'new-a'}}]");
    assert_int_equal(w->got.n, 2);
    expect(&w->got.findings[0], "LG102", LG_ACTION_DENY, "");
    expect(&w->got.findings[1], "LG401", LG_ACTION_PENDING, "");
    assert_int_equal(w->got.verdict, LG_ACTION_DENY);
    assert_int_equal(lg_judgement_migratable(&w->got), -1);
}

static void a_rule_that_is_off_still_answers_for_kubevirt(void **state)
{
    struct world *w = *state;
    use_policy(w, "apiVersion: livegate.io/v1\nkind: Policy\nrules: {'*': {action: off}}\n");
    create(w, volume_rwo);
    assert_int_equal(w->got.n, 0);
    assert_int_equal(w->got.verdict, LG_ACTION_OFF);
    assert_int_equal(lg_judgement_migratable(&w->got), 0);
    assert_true(lg_judgement_block_migration(&w->got));
    assert_int_equal(lg_fake_calls, 1);
}

static void a_rule_is_never_stronger_than_the_one_it_leans_on(void **state)
{
    struct world *w = *state;
    w->input.kind = LG_KIND_CLAIM;
    w->input.object = lg_objects_parse(
        &w->objects, "{'apiVersion':'v1','kind':'PersistentVolumeClaim','metadata':{'name':'a'},"
                     "'spec':{'accessModes':['ReadWriteOnce']}}");
    judge(w);
    assert_int_equal(w->got.n, 1);
    expect(&w->got.findings[0], "LG104", LG_ACTION_DENY, "");
    assert_true(lg_str_is(w->got.findings[0].field, ""));
    assert_null(w->got.findings[0].kubevirt_reason);
    use_policy(w, "apiVersion: livegate.io/v1\nkind: Policy\nrules: {LG101: {action: warn}}\n");
    judge(w);
    assert_int_equal(w->got.n, 1);
    expect(&w->got.findings[0], "LG104", LG_ACTION_WARN, "");
}

static void parameters_reach_the_rule(void **state)
{
    static const char spec[] = "'domain':{'devices':{'interfaces':[{'name':'default',"
                               "'masquerade':{},'ports':[{'port':80},{'port':49153}]}]}}";
    struct world *w = *state;
    use_policy(w, "apiVersion: livegate.io/v1\nkind: Policy\nrules: {LG202: {ports: [80]}}\n");
    create(w, spec);
    assert_int_equal(w->got.n, 1);
    expect(&w->got.findings[0], "LG202", LG_ACTION_DENY, "default");
    assert_true(lg_str_is(w->got.findings[0].ident, "80"));
}

static void a_status_proves_nothing_at_creation(void **state)
{
    struct world *w = *state;
    w->input.object = vm(w, volume_rwo,
                         ",'status':{'volumeUpdateState':{'volumeMigrationState':{"
                         "'migratedVolumes':[{'volumeName':'data'}]}}}");
    judge(w);
    assert_false(lg_json_there(w->got.subject.vm.migrated_volumes));
    w->input.username = LG_STR("");
    judge(w);
    assert_true(lg_json_there(w->got.subject.vm.migrated_volumes));
    w->input.username = LG_STR("alice");
    w->input.op = LG_OP_UPDATE;
    w->input.old_object = vm(w, volume_rwx, "");
    judge(w);
    assert_true(lg_json_there(w->got.subject.vm.migrated_volumes));
    w->input.kind = LG_KIND_VMI;
    w->input.op = LG_OP_CREATE;
    w->input.object = lg_objects_parse(
        &w->objects, "{'spec':{},'status':{'migratedVolumes':[{'volumeName':'data'}],"
                     "'volumeStatus':[{'name':'data'}]}}");
    judge(w);
    assert_false(lg_json_there(w->got.subject.vm.migrated_volumes));
    assert_false(lg_json_there(w->got.subject.vm.volume_status));
}

/* --- allowed at once --- */

static void expect_skipped(struct world *w)
{
    lg_fake_calls = 0;
    judge(w);
    assert_true(w->got.skipped);
    assert_false(w->got.refused);
    assert_int_equal(w->got.n, 0);
    assert_int_equal(w->got.verdict, LG_ACTION_OFF);
    assert_int_equal(lg_fake_calls, 0);
}

static void deletes_connects_and_subresources_are_allowed_at_once(void **state)
{
    struct world *w = *state;
    w->input.object = vm(w, volume_rwo, "");
    w->input.op = LG_OP_DELETE;
    expect_skipped(w);
    w->input.op = LG_OP_CONNECT;
    expect_skipped(w);
    w->input.op = LG_OP_CREATE;
    w->input.subresource = true;
    expect_skipped(w);
    w->input.subresource = false;
    w->input.kind = LG_KIND_OTHER;
    expect_skipped(w);
    w->input.kind = LG_KIND_STORAGE_PROFILE; /* no rule here reads it */
    expect_skipped(w);
}

static void changes_that_no_rule_reads_are_allowed_at_once(void **state)
{
    struct world *w = *state;
    w->input.op = LG_OP_UPDATE;
    w->input.old_object = vm(w, volume_rwo, "");
    w->input.object = lg_objects_parse(
        &w->objects,
        "{'apiVersion':'kubevirt.io/v1','kind':'VirtualMachine','metadata':{'labels':{'a':'b'},"
        "'name':'orders','namespace':'shop'},'spec':{'runStrategy':'Halted','template':{'spec':"
        "{'volumes':[{'persistentVolumeClaim':{'claimName':'rwo-a'},'name':'data'}]}}},"
        "'status':{'ready':true}}");
    expect_skipped(w);
}

static void every_part_that_rules_read_is_looked_at(void **state)
{
    static const char *const changed[] = {
        "{'spec':{'template':{'spec':{'volumes':[]}}}}",
        "{'spec':{'template':{'metadata':{'annotations':{'a':''}},'spec':{}}}}",
        "{'spec':{'template':{'spec':{}},'dataVolumeTemplates':[]}}",
        "{'spec':{'template':{'spec':{}},'instancetype':{'name':'u1'}}}",
        "{'spec':{'template':{'spec':{}},'preference':{'name':'fedora'}}}",
    };
    struct world *w = *state;
    w->input.op = LG_OP_UPDATE;
    w->input.old_object = lg_objects_parse(&w->objects, "{'spec':{'template':{'spec':{}}}}");
    for (size_t i = 0; i < sizeof(changed) / sizeof(*changed); i++) {
        w->input.object = lg_objects_parse(&w->objects, changed[i]);
        judge(w);
        assert_false(w->got.skipped);
    }
}

static void only_the_old_object_proves_a_deletion(void **state)
{
    static const char deleting[] =
        "{'metadata':{'name':'orders','deletionTimestamp':'2026-01-01T00:00:00Z'},'spec':{'templat"
        "e':{'spec':{'volumes':[{'name':'x','persistentVolumeClaim':{'claimName':'rwo-x'}}]}}}}";
    struct world *w = *state;
    w->input.op = LG_OP_UPDATE;
    w->input.old_object = lg_objects_parse(&w->objects, deleting);
    w->input.object = vm(w, volume_rwo, "");
    expect_skipped(w);
    w->input.object = lg_objects_parse(&w->objects, deleting);
    w->input.old_object = vm(w, volume_rwx, "");
    judge(w);
    assert_false(w->got.skipped);
    assert_int_equal(w->got.verdict, LG_ACTION_DENY);
    w->input.op = LG_OP_CREATE;
    w->input.old_object = LG_NONE;
    judge(w);
    assert_false(w->got.skipped);
    assert_int_equal(w->got.verdict, LG_ACTION_DENY);
    w->input.old_object = w->input.object;
    judge(w);
    assert_false(w->got.skipped);
}

/* --- who asks, and in which mode --- */

static void add(struct world *w, const char *text)
{
    lg_inventory_set(w->inventory, lg_objects_record(&w->objects, text));
}

static void controllers_are_never_refused_and_told_nothing(void **state)
{
    struct world *w = *state;
    add(w, "{'apiVersion':'kubevirt.io/v1','kind':'KubeVirt','metadata':{'name':'kubevirt',"
           "'namespace':'virt'}}");
    w->input.username = LG_STR("system:serviceaccount:virt:kubevirt-controller");
    create(w, "'nodeSelector':{'zone':'unknown'},'volumes':[{'name':'data',"
              "'persistentVolumeClaim':{'claimName':'rwo-a'}},{'name':'c','persistentVolumeClaim':"
              "{'claimName':'capped-c'}}]");
    assert_int_equal(w->got.requester, LG_REQUESTER_CONTROLLER);
    assert_int_equal(w->got.n, 3);
    for (size_t i = 0; i < w->got.n; i++)
        assert_int_equal(w->got.findings[i].action, LG_ACTION_AUDIT);
    assert_int_equal(w->got.findings[0].was, LG_ACTION_DENY);
    assert_int_equal(w->got.verdict, LG_ACTION_AUDIT);
}

/* For whom `username` is a controller, as a text: "guests" (VM, VMI, migration) and "storage". */
static const char *believed_for(struct world *w, const char *username)
{
    bool is[LG_KIND_COUNT];
    for (int kind = 0; kind < LG_KIND_COUNT; kind++)
        is[kind] = lg_policy_is_controller(w->policy, w->inventory, (enum lg_kind)kind,
                                           lg_str_of(username));
    assert_int_equal(is[LG_KIND_VM], is[LG_KIND_VMI]);
    assert_int_equal(is[LG_KIND_VM], is[LG_KIND_MIGRATION]);
    assert_int_equal(is[LG_KIND_CLAIM], is[LG_KIND_DATA_VOLUME]);
    assert_int_equal(is[LG_KIND_CLAIM], is[LG_KIND_STORAGE_PROFILE]);
    if (is[LG_KIND_VM])
        return is[LG_KIND_CLAIM] ? "guests and storage" : "guests";
    return is[LG_KIND_CLAIM] ? "storage" : "nothing";
}

struct believed {
    const char *username, *of;
};

static void expect_believed(struct world *w, const struct believed *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(believed_for(w, rows[i].username), rows[i].of) != 0)
            fail_msg("%s is believed for %s", rows[i].username, believed_for(w, rows[i].username));
}

static void a_controller_is_known_by_its_whole_name_where_the_cr_stands(void **state)
{
    static const struct believed rows[] = {
        {"system:serviceaccount:virt:kubevirt-controller", "guests and storage"},
        {"system:serviceaccount:virt:kubevirt-operator", "guests and storage"},
        {"system:serviceaccount:virt:kubevirt-handler", "guests and storage"},
        {"system:serviceaccount:virt:kubevirt-synchronization-controller", "guests and storage"},
        {"system:serviceaccount:cdi:cdi-sa", "storage"},
        {"system:serviceaccount:cdi:cdi-operator", "storage"},
        {"system:serviceaccount:virt:cdi-sa", "storage"},
        {"system:serviceaccount:virt:hyperconverged-cluster-operator", "storage"},
        {"system:serviceaccount:openshift-cnv:hyperconverged-cluster-operator", "nothing"},
        {"system:serviceaccount:openshift-cnv:cdi-sa", "nothing"},
        {"system:serviceaccount:kubevirt-hyperconverged:cdi-operator", "nothing"},
        {"system:serviceaccount:virt:kubevirt-apiserver", "nothing"},
        {"system:serviceaccount:kubevirt:kubevirt-controller", "nothing"},
        {"system:serviceaccount:cdi:kubevirt-controller", "nothing"},
        {"system:serviceaccount:shop:cdi-sa", "nothing"},
        {"system:serviceaccount:virt:kubevirt-controller2", "nothing"},
        {"system:serviceaccount:virt:x:kubevirt-controller", "nothing"},
        {"xsystem:serviceaccount:virt:kubevirt-controller", "nothing"},
        {"kubevirt-controller", "nothing"},
        {"system:serviceaccount:", "nothing"},
        {"system:serviceaccount:virt", "nothing"},
        {"", "nothing"},
    };
    struct world *w = *state;
    add(w, "{'apiVersion':'kubevirt.io/v1','kind':'KubeVirt','metadata':{'name':'kubevirt',"
           "'namespace':'virt'}}");
    expect_believed(w, rows, sizeof(rows) / sizeof(*rows));
}

static void the_usual_namespaces_are_believed_until_a_cr_says_better(void **state)
{
    static const struct believed before[] = {
        {"system:serviceaccount:kubevirt:kubevirt-controller", "guests and storage"},
        {"system:serviceaccount:openshift-cnv:kubevirt-controller", "guests and storage"},
        {"system:serviceaccount:cdi:cdi-sa", "storage"},
        {"system:serviceaccount:kubevirt-hyperconverged:hyperconverged-cluster-operator",
         "storage"},
        {"system:serviceaccount:cnv:kubevirt-controller", "nothing"},
    };
    static const struct believed after[] = {
        {"system:serviceaccount:kubevirt:kubevirt-controller", "nothing"},
        {"system:serviceaccount:openshift-cnv:kubevirt-controller", "nothing"},
        {"system:serviceaccount:cdi:cdi-sa", "nothing"},
        {"system:serviceaccount:cnv:cdi-sa", "storage"},
        {"system:serviceaccount:cnv:kubevirt-controller", "guests and storage"},
        {"system:serviceaccount:cnv:hyperconverged-cluster-operator", "storage"},
    };
    struct world *w = *state;
    expect_believed(w, before, sizeof(before) / sizeof(*before));
    add(w, "{'apiVersion':'hco.kubevirt.io/v1beta1','kind':'HyperConverged','metadata':{'name':"
           "'kubevirt-hyperconverged','namespace':'cnv'}}");
    expect_believed(w, after, sizeof(after) / sizeof(*after));
}

static void the_bypass_group_is_warned(void **state)
{
    struct world *w = *state;
    w->input.groups = lg_objects_parse(&w->objects, "['system:authenticated','livegate:bypass']");
    create(w, volume_rwo);
    assert_int_equal(w->got.requester, LG_REQUESTER_BYPASS);
    assert_int_equal(w->got.n, 1);
    expect(&w->got.findings[0], "LG101", LG_ACTION_WARN, "data");
    assert_int_equal(w->got.findings[0].was, LG_ACTION_DENY);
    w->input.groups = lg_objects_parse(&w->objects, "['livegate:bypass2','xlivegate:bypass']");
    create(w, volume_rwo);
    assert_int_equal(w->got.requester, LG_REQUESTER_PERSON);
    assert_int_equal(w->got.verdict, LG_ACTION_DENY);
}

static void observe_mode_warns(void **state)
{
    struct world *w = *state;
    use_policy(w, "apiVersion: livegate.io/v1\nkind: Policy\nmode: observe\n");
    create(w, volume_rwo);
    assert_int_equal(w->got.mode, LG_MODE_OBSERVE);
    assert_int_equal(w->got.n, 1);
    expect(&w->got.findings[0], "LG101", LG_ACTION_WARN, "data");
    assert_int_equal(w->got.findings[0].was, LG_ACTION_DENY);
    assert_false(w->got.findings[0].ratcheted);
    assert_int_equal(w->got.verdict, LG_ACTION_WARN);
}

/* --- refusals --- */

static void an_object_of_the_wrong_shape_is_refused(void **state)
{
    struct world *w = *state;
    create(w, "'volumes':[{'name':'a'},{'name':7}]");
    assert_true(w->got.refused);
    assert_false(w->got.skipped);
    assert_int_equal(w->got.verdict, LG_ACTION_DENY);
    assert_int_equal(w->got.n, 0);
    assert_int_equal(w->got.refusal.code, LG_E_INVALID);
    assert_string_equal(w->got.refusal.where, "spec.template.spec.volumes[1].name");
    assert_true(w->got.refusal.text[0] != '\0');
    assert_int_equal(lg_judgement_migratable(&w->got), -1);
    assert_int_equal(lg_fake_calls, 0);
}

static void what_the_reader_refused_is_refused(void **state)
{
    struct world *w = *state;
    struct lg_err refusal = {.code = LG_E_LIMIT, .where = "spec.x", .text = "too deep"};
    w->input.refusal = &refusal;
    create(w, "");
    assert_true(w->got.refused);
    assert_int_equal(w->got.verdict, LG_ACTION_DENY);
    lg_assert_err(&w->got.refusal, LG_E_LIMIT, "spec.x", "too deep");
    w->input.op = LG_OP_UPDATE;
    judge(w);
    assert_true(w->got.refused);
    w->input.object =
        lg_objects_parse(&w->objects, "{'metadata':{'deletionTimestamp':'2026-01-01T00:00:00Z'}}");
    expect_skipped(w);
    w->input.op = LG_OP_CREATE;
    judge(w);
    assert_true(w->got.refused);
    w->input.kind = LG_KIND_NODE;
    expect_skipped(w);
}

static void a_refusal_is_softened_like_any_denial(void **state)
{
    struct world *w = *state;
    w->input.username = LG_STR("system:serviceaccount:openshift-cnv:kubevirt-controller");
    create(w, "'volumes':7");
    assert_true(w->got.refused);
    assert_int_equal(w->got.verdict, LG_ACTION_AUDIT);
    w->input.username = LG_STR("alice");
    w->input.groups = lg_objects_parse(&w->objects, "['livegate:bypass']");
    create(w, "'volumes':7");
    assert_int_equal(w->got.verdict, LG_ACTION_WARN);
    w->input.groups = LG_NONE;
    use_policy(w, "apiVersion: livegate.io/v1\nkind: Policy\nmode: observe\n");
    create(w, "'volumes':7");
    assert_int_equal(w->got.verdict, LG_ACTION_WARN);
}

/* --- time --- */

struct clock {
    unsigned left;
};

static bool expired(void *arg)
{
    struct clock *clock = arg;
    if (clock->left == 0)
        return true;
    clock->left--;
    return false;
}

static void what_time_does_not_allow_is_pending(void **state)
{
    struct world *w = *state;
    struct clock clock = {1};
    w->input.expired = expired;
    w->input.expired_arg = &clock;
    create(w, "'nodeSelector':{'zone':'nowhere'},'volumes':[{'name':'data',"
              "'persistentVolumeClaim':{'claimName':'rwo-a'}}]");
    assert_int_equal(w->got.n, 5);
    expect(&w->got.findings[0], "LG101", LG_ACTION_DENY, "data");
    for (size_t i = 1; i < 5; i++) {
        assert_int_equal(w->got.findings[i].action, LG_ACTION_PENDING);
        assert_true(w->got.findings[i].pending);
        assert_true(lg_str_is(w->got.findings[i].message,
                              "not judged: the answer was due before its turn came"));
    }
    assert_string_equal(w->got.findings[3].rule->id, "LG401");
    assert_int_equal(lg_fake_calls, 1);
}

static void without_time_for_the_old_object_nothing_is_called_new(void **state)
{
    struct world *w = *state;
    struct clock clock = {5};
    w->input.expired = expired;
    w->input.expired_arg = &clock;
    update(w, volume_rwo,
           "'terminationGracePeriodSeconds':1,'volumes':[{'name':'data',"
           "'persistentVolumeClaim':{'claimName':'rwo-a'}}]");
    assert_int_equal(w->got.n, 1);
    expect(&w->got.findings[0], "LG101", LG_ACTION_PENDING, "data");
    assert_true(w->got.findings[0].ratcheted);
    assert_int_equal(w->got.verdict, LG_ACTION_PENDING);
}

/* --- text, nesting, versions --- */

static void text_of_users_is_made_printable_and_cut(void **state)
{
    struct world *w = *state;
    char spec[4096];
    char name[2049];
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    snprintf(spec, sizeof(spec),
             "'volumes':[{'name':'a\\u001b[31m','persistentVolumeClaim':{'claimName':'rwo-1'}},"
             "{'name':'%s','persistentVolumeClaim':{'claimName':'rwo-2'}}]",
             name);
    create(w, spec);
    assert_int_equal(w->got.n, 2);
    assert_true(lg_str_starts(w->got.findings[0].message, "volume \"a\\x1"));
    assert_null(memchr(w->got.findings[0].about.p, 0x1b, w->got.findings[0].about.n));
    assert_int_equal(w->got.findings[1].message.n, 1024);
    assert_true(lg_str_ends(w->got.findings[1].message, "xxx..."));
    assert_int_equal(w->got.findings[1].about.n, 1024);
}

static void a_migrations_rule_learns_what_is_said_of_its_vmi(void **state)
{
    struct world *w = *state;
    w->input.kind = LG_KIND_MIGRATION;
    w->input.object = lg_objects_parse(
        &w->objects,
        "{'metadata':{'name':'m','annotations':{'vmi':'{\\\"metadata\\\":{},\\\"spec\\\":"
        "{\\\"volumes\\\":[{\\\"name\\\":\\\"data\\\",\\\"persistentVolumeClaim\\\":"
        "{\\\"claimName\\\":\\\"rwo-a\\\"}}]}}'}},'spec':{'vmiName':'guest'}}");
    judge(w);
    assert_int_equal(w->got.n, 1);
    expect(&w->got.findings[0], "LG602", LG_ACTION_WARN, "");
    assert_true(lg_str_is(w->got.findings[0].ident, "rwo-a"));
    assert_int_equal(lg_judgement_migratable(&w->got), 1);
}

static void volumes_that_are_copied_make_it_a_block_migration(void **state)
{
    static const struct {
        const char *spec;
        bool block;
    } rows[] = {
        {"", false},
        {"'volumes':[{'name':'data','persistentVolumeClaim':{'claimName':'rwx-a'}},"
         "{'name':'d','dataVolume':{'name':'x'}}]",
         false},
        {"'volumes':[{'name':'data','persistentVolumeClaim':{'claimName':'rwo-a'}}]", true},
        {"'volumes':[{'name':'c','containerDisk':{'image':'x'}}]", true},
        {"'volumes':[{'name':'c','containerDisk':{'image':'x'}}],'domain':{'devices':{'disks':"
         "[{'name':'c','cdrom':{'bus':'sata'}}]}}",
         false},
        {"'volumes':[{'name':'c','containerDisk':{'image':'x'}}],'domain':{'devices':{'disks':"
         "[{'name':'c','cdrom':{'readonly':false}}]}}",
         true},
        {"'volumes':[{'name':'c','configMap':{'name':'x'}}],'domain':{'devices':{'filesystems':"
         "[{'name':'c','virtiofs':{}}]}}",
         false},
    };
    struct world *w = *state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        create(w, rows[i].spec);
        if (lg_judgement_block_migration(&w->got) != rows[i].block)
            fail_msg("%s", rows[i].spec);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_findings_come_in_the_order_of_rule_ids),
        TEST(a_finding_says_all_there_is_to_say),
        TEST(a_good_object_has_no_findings),
        TEST(a_report_is_capped_by_its_rule),
        TEST(what_is_not_known_is_pending_and_said_once),
        TEST(what_is_missing_is_said_as_it_is),
        TEST(policy_can_deny_what_is_not_known),
        TEST(a_rule_that_is_off_still_answers_for_kubevirt),
        TEST(a_rule_is_never_stronger_than_the_one_it_leans_on),
        TEST(parameters_reach_the_rule),
        TEST(a_status_proves_nothing_at_creation),
        TEST(deletes_connects_and_subresources_are_allowed_at_once),
        TEST(changes_that_no_rule_reads_are_allowed_at_once),
        TEST(every_part_that_rules_read_is_looked_at),
        TEST(only_the_old_object_proves_a_deletion),
        TEST(controllers_are_never_refused_and_told_nothing),
        TEST(a_controller_is_known_by_its_whole_name_where_the_cr_stands),
        TEST(the_usual_namespaces_are_believed_until_a_cr_says_better),
        TEST(the_bypass_group_is_warned),
        TEST(observe_mode_warns),
        TEST(an_object_of_the_wrong_shape_is_refused),
        TEST(what_the_reader_refused_is_refused),
        TEST(a_refusal_is_softened_like_any_denial),
        TEST(what_time_does_not_allow_is_pending),
        TEST(without_time_for_the_old_object_nothing_is_called_new),
        TEST(text_of_users_is_made_printable_and_cut),
        TEST(a_migrations_rule_learns_what_is_said_of_its_vmi),
        TEST(volumes_that_are_copied_make_it_a_block_migration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
