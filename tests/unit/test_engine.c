#include "rules/engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "rules/core/mem.h"
#include "tests/support/asserts.h"
#include "tests/support/objects.h"
#include "tests/unit/fake_rules.h"

/* One test's world; also what its input points to. */
struct world {
    struct lg_objects objects;
    struct lg_arena arena;
    struct lg_inventory *inventory;
    struct lg_policy *policy;
    struct lg_engine_input input;
    struct lg_judgement got;
};

static int setup(void **state)
{
    static struct world world;
    world = (struct world){0};
    lg_objects_init(&world.objects);
    lg_arena_init(&world.arena);
    world.inventory = lg_inventory_new();
    world.policy = lg_policy_default();
    world.input = (struct lg_engine_input){
        .kind = LG_KIND_VM,
        .op = LG_OP_CREATE,
        .ns = LG_STR("shop"),
        .name = LG_STR("orders"),
        .username = LG_STR("alice"),
    };
    fake_calls = 0;
    *state = &world;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    lg_policy_unref(w->policy);
    lg_inventory_free(w->inventory);
    lg_arena_done(&w->arena);
    lg_objects_done(&w->objects);
    return 0;
}

static void judge(struct world *w)
{
    w->input.inventory = w->inventory;
    w->input.policy = w->policy;
    lg_engine_judge(&w->input, &w->arena, &w->got);
}

static void use_policy(struct world *w, const char *text)
{
    struct lg_err err = {0};
    lg_policy_unref(w->policy);
    w->policy = NULL;
    if (lg_policy_parse(lg_str_of(text), "policy.yaml", &w->policy, &err) != LG_E_OK)
        fail_msg("%s: %s", err.where, err.text);
}

/* A VM whose template's spec holds `spec` ("'volumes': [...]"), with `rest` behind its spec. */
static struct lg_val vm(struct world *w, const char *spec, const char *rest)
{
    struct lg_buf text lg_cleanup(lg_buf_done) = {0};
    lg_buf_printf(
        &text,
        "{'apiVersion':'kubevirt.io/v1','kind':'VirtualMachine','metadata':{'name':'orders',"
        "'namespace':'shop'},'spec':{'runStrategy':'Always','template':{'spec':{%s}}}%s}",
        spec, rest);
    return lg_objects_parse(&w->objects, text.p);
}

static const char volume_rwo[] =
    "'volumes':[{'name':'data','persistentVolumeClaim':{'claimName':'rwo-a'}}]";
static const char volume_rwx[] =
    "'volumes':[{'name':'data','persistentVolumeClaim':{'claimName':'rwx-a'}}]";

static void create(struct world *w, const char *spec)
{
    w->input.object = vm(w, spec, "");
    judge(w);
}

static void update(struct world *w, const char *old_spec, const char *new_spec)
{
    w->input.op = LG_OP_UPDATE;
    w->input.old_object = vm(w, old_spec, "");
    w->input.object = vm(w, new_spec, "");
    judge(w);
}

static void expect(const struct lg_finding *finding, const char *rule, enum lg_action action,
                   const char *about)
{
    assert_string_equal(finding->rule->id, rule);
    assert_string_equal(lg_action_name(finding->action), lg_action_name(action));
    assert_true(lg_str_is(finding->about, about));
}

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
    assert_int_equal(fake_calls, 5);
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
    assert_int_equal(fake_calls, 1);
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

/* --- the ratchet --- */

static void an_update_is_not_refused_for_what_was_there(void **state)
{
    struct world *w = *state;
    update(w, volume_rwo,
           "'volumes':[{'name':'data','persistentVolumeClaim':{'claimName':'rwo-a'}},"
           "{'name':'more','persistentVolumeClaim':{'claimName':'rwx-b'}}]");
    assert_int_equal(w->got.n, 1);
    expect(&w->got.findings[0], "LG101", LG_ACTION_WARN, "data");
    assert_true(w->got.findings[0].ratcheted);
    assert_int_equal(w->got.findings[0].was, LG_ACTION_DENY);
    assert_int_equal(w->got.verdict, LG_ACTION_WARN);
}

static void an_update_is_refused_for_what_it_brings(void **state)
{
    struct world *w = *state;
    update(w, volume_rwo,
           "'volumes':[{'name':'more','persistentVolumeClaim':{'claimName':'rwo-b'}},"
           "{'name':'data','persistentVolumeClaim':{'claimName':'rwo-a'}}]");
    assert_int_equal(w->got.n, 2);
    expect(&w->got.findings[0], "LG101", LG_ACTION_DENY, "more");
    assert_false(w->got.findings[0].ratcheted);
    expect(&w->got.findings[1], "LG101", LG_ACTION_WARN, "data");
    assert_int_equal(w->got.verdict, LG_ACTION_DENY);
}

static void another_claim_under_the_same_volume_is_new(void **state)
{
    struct world *w = *state;
    update(w, volume_rwo,
           "'volumes':[{'name':'data','persistentVolumeClaim':{'claimName':'rwo-b'}}]");
    assert_int_equal(w->got.n, 1);
    expect(&w->got.findings[0], "LG101", LG_ACTION_DENY, "data");
}

static void a_renamed_volume_over_the_same_claim_is_not_new(void **state)
{
    struct world *w = *state;
    update(w, volume_rwo,
           "'volumes':[{'name':'renamed','persistentVolumeClaim':{'claimName':'rwo-a'}}]");
    assert_int_equal(w->got.n, 1);
    expect(&w->got.findings[0], "LG101", LG_ACTION_WARN, "renamed");
}

static void an_old_finding_excuses_one_new_finding(void **state)
{
    struct world *w = *state;
    static const char one[] = "'domain':{'devices':{'interfaces':[{'name':'a','masquerade':{},"
                              "'ports':[{'port':49152}]}]}}";
    static const char two[] = "'domain':{'devices':{'interfaces':["
                              "{'name':'b','masquerade':{},'ports':[{'port':49152}]},"
                              "{'name':'a','masquerade':{},'ports':[{'port':49152}]}]}}";
    update(w, one, two);
    assert_int_equal(w->got.n, 2);
    expect(&w->got.findings[0], "LG202", LG_ACTION_DENY, "b");
    expect(&w->got.findings[1], "LG202", LG_ACTION_WARN, "a");
}

static void a_rule_about_the_whole_vm_is_matched_by_itself(void **state)
{
    struct world *w = *state;
    update(w, "'nodeSelector':{'zone':'nowhere'}",
           "'nodeSelector':{'zone':'nowhere','disk':'ssd'}");
    assert_int_equal(w->got.n, 1);
    expect(&w->got.findings[0], "LG401", LG_ACTION_WARN, "");
    update(w, "'nodeSelector':{'zone':'here'}", "'nodeSelector':{'zone':'nowhere'}");
    assert_int_equal(w->got.n, 1);
    expect(&w->got.findings[0], "LG401", LG_ACTION_DENY, "");
}

static void a_volume_may_go_back_to_where_its_migration_started(void **state)
{
    static const char status[] =
        ",'status':{'volumeUpdateState':{'volumeMigrationState':{'migratedVolumes':[{'volumeName':"
        "'data','sourcePVCInfo':{'claimName':'rwo-a'},'destinationPVCInfo':{'claimName':'rwx-a'}}"
        "]}}}";
    struct world *w = *state;
    w->input.op = LG_OP_UPDATE;
    w->input.old_object = vm(w, volume_rwx, status);
    w->input.object = vm(w, volume_rwo, status);
    judge(w);
    assert_int_equal(w->got.n, 1);
    expect(&w->got.findings[0], "LG101", LG_ACTION_WARN, "data");
    assert_true(w->got.findings[0].ratcheted);
    /* Only the old object's status counts, and only for that volume and claim. */
    w->input.old_object = vm(w, volume_rwx, "");
    judge(w);
    expect(&w->got.findings[0], "LG101", LG_ACTION_DENY, "data");
    w->input.old_object = vm(w, volume_rwx, status);
    w->input.object =
        vm(w, "'volumes':[{'name':'data','persistentVolumeClaim':{'claimName':'rwo-b'}}]", status);
    judge(w);
    expect(&w->got.findings[0], "LG101", LG_ACTION_DENY, "data");
}

static void the_old_object_is_judged_only_when_something_is_denied(void **state)
{
    struct world *w = *state;
    update(w, volume_rwo, volume_rwx);
    assert_int_equal(w->got.n, 0);
    assert_int_equal(fake_calls, 5);
    fake_calls = 0;
    update(w, volume_rwx, volume_rwo);
    assert_int_equal(w->got.n, 1);
    assert_int_equal(fake_calls, 10);
}

static void a_flood_of_weak_findings_hides_no_denial(void **state)
{
    struct world *w = *state;
    create(w, "'nodeSelector':{'flood':'5000','zone':'nowhere'}");
    assert_int_equal(w->got.n, 1024);
    expect(&w->got.findings[1022], "LG401", LG_ACTION_WARN, "");
    expect(&w->got.findings[1023], "LG401", LG_ACTION_DENY, "");
    assert_int_equal(w->got.verdict, LG_ACTION_DENY);
    /* More than there were: one of them is new. */
    update(w, "'nodeSelector':{'zone':'nowhere'}",
           "'nodeSelector':{'flood':'5000','zone':'nowhere'}");
    assert_int_equal(w->got.verdict, LG_ACTION_DENY);
}

/* So many interfaces with both reserved ports, from the number `from` on. */
static const char *many_ports(struct world *w, unsigned from, unsigned n)
{
    struct lg_buf buf lg_cleanup(lg_buf_done) = {0};
    lg_buf_puts(&buf, "'domain':{'devices':{'interfaces':[{'name':'a','ports':[]}");
    for (unsigned i = from; i < from + n; i++)
        lg_buf_printf(&buf, ",{'name':'i%u','ports':[{'port':49152},{'port':49153}]}", i);
    lg_buf_puts(&buf, "]}}");
    return lg_arena_str(&w->arena, lg_buf_view(&buf)).p;
}

static void beyond_what_is_kept_the_number_of_findings_counts(void **state)
{
    static const struct {
        unsigned from, n;
        enum lg_action verdict;
    } rows[] = {
        {1, 750, LG_ACTION_WARN},   /* one is mended, and one is new */
        {1, 749, LG_ACTION_WARN},   /* one is mended */
        {350, 400, LG_ACTION_WARN}, /* many are; those that are left were not kept before */
        {0, 751, LG_ACTION_DENY},   /* one is new */
        {0, 10, LG_ACTION_WARN},
    };
    struct world *w = *state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        update(w, many_ports(w, 0, 750), many_ports(w, rows[i].from, rows[i].n));
        assert_int_equal(w->got.n, rows[i].n < 512 ? 2 * rows[i].n : 1024);
        assert_int_equal(w->got.verdict, rows[i].verdict);
    }
    update(w, many_ports(w, 0, 500), many_ports(w, 0, 550));
    assert_int_equal(w->got.verdict, LG_ACTION_DENY);
}

static void a_second_thing_over_the_same_bad_value_is_no_new_reason(void **state)
{
    struct world *w = *state;
    update(w, volume_rwo,
           "'volumes':[{'name':'data','persistentVolumeClaim':{'claimName':'rwo-a'}},"
           "{'name':'again','persistentVolumeClaim':{'claimName':'rwo-a'}}]");
    assert_int_equal(w->got.n, 2);
    assert_int_equal(w->got.verdict, LG_ACTION_WARN);
    /* Not so of ports: each interface is its own. */
    update(w, many_ports(w, 0, 1), many_ports(w, 0, 2));
    assert_int_equal(w->got.verdict, LG_ACTION_DENY);
}

static void what_got_better_is_excused_and_what_got_worse_is_not(void **state)
{
    struct world *w = *state;
    update(w, "'nodeSelector':{'zone':'nowhere'}", "'nodeSelector':{'zone':'single'}");
    assert_int_equal(w->got.n, 1);
    expect(&w->got.findings[0], "LG402", LG_ACTION_WARN, "");
    assert_true(w->got.findings[0].ratcheted);
    update(w, "'nodeSelector':{'zone':'single'}", "'nodeSelector':{'zone':'nowhere'}");
    expect(&w->got.findings[0], "LG401", LG_ACTION_DENY, "");
    update(w, "'nodeSelector':{'zone':'here'}", "'nodeSelector':{'zone':'single'}");
    expect(&w->got.findings[0], "LG402", LG_ACTION_DENY, "");
}

static void what_was_pending_excuses_nothing(void **state)
{
    struct world *w = *state;
    update(w, "'nodeSelector':{'zone':'unknown'}", "'nodeSelector':{'zone':'nowhere'}");
    assert_int_equal(w->got.n, 1);
    expect(&w->got.findings[0], "LG401", LG_ACTION_DENY, "");
    update(w, "'nodeSelector':{'zone':'unknown'}", "'nodeSelector':{'zone':'single'}");
    assert_int_equal(w->got.n, 1);
    expect(&w->got.findings[0], "LG402", LG_ACTION_DENY, "");
}

static void an_old_object_that_cannot_be_read_excuses_nothing(void **state)
{
    struct world *w = *state;
    update(w, "'volumes':[{'name':1,'persistentVolumeClaim':{'claimName':'rwo-a'}}]", volume_rwo);
    assert_int_equal(w->got.n, 1);
    expect(&w->got.findings[0], "LG101", LG_ACTION_DENY, "data");
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
    fake_calls = 0;
    judge(w);
    assert_true(w->got.skipped);
    assert_false(w->got.refused);
    assert_int_equal(w->got.n, 0);
    assert_int_equal(w->got.verdict, LG_ACTION_OFF);
    assert_int_equal(fake_calls, 0);
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
    assert_int_equal(fake_calls, 0);
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
    assert_int_equal(fake_calls, 1);
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
        TEST(an_update_is_not_refused_for_what_was_there),
        TEST(an_update_is_refused_for_what_it_brings),
        TEST(another_claim_under_the_same_volume_is_new),
        TEST(a_renamed_volume_over_the_same_claim_is_not_new),
        TEST(an_old_finding_excuses_one_new_finding),
        TEST(a_rule_about_the_whole_vm_is_matched_by_itself),
        TEST(a_volume_may_go_back_to_where_its_migration_started),
        TEST(the_old_object_is_judged_only_when_something_is_denied),
        TEST(a_flood_of_weak_findings_hides_no_denial),
        TEST(beyond_what_is_kept_the_number_of_findings_counts),
        TEST(a_second_thing_over_the_same_bad_value_is_no_new_reason),
        TEST(what_got_better_is_excused_and_what_got_worse_is_not),
        TEST(what_was_pending_excuses_nothing),
        TEST(an_old_object_that_cannot_be_read_excuses_nothing),
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
