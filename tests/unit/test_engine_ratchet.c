/* Updates: what the old object had is not refused again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/asserts.h"
#include "tests/unit/engine_world.h"

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
    assert_int_equal(lg_fake_calls, 5);
    lg_fake_calls = 0;
    update(w, volume_rwx, volume_rwo);
    assert_int_equal(w->got.n, 1);
    assert_int_equal(lg_fake_calls, 10);
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
