#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/kube/gvk.h"

static void every_row_is_found_by_kind_and_by_resource(void **state)
{
    (void)state;
    for (int i = 0; i < LG_KIND_COUNT; i++) {
        const struct lg_gvk *row = lg_gvk((enum lg_kind)i);
        assert_non_null(row->noun);
        assert_int_equal(lg_kind_of_resource(lg_str_of(row->group), lg_str_of(row->plural)), i);
    }
}

static void kinds_that_are_not_watched_say_so(void **state)
{
    (void)state;
    for (int i = 0; i < LG_KIND_COUNT; i++) {
        const struct lg_gvk *row = lg_gvk((enum lg_kind)i);
        assert_int_equal(row->on_demand, i >= LG_KIND_INSTANCETYPE && i <= LG_KIND_REVISION);
        assert_int_equal(row->only_in_files, i == LG_KIND_POOL || i == LG_KIND_REPLICA_SET);
    }
}

static void templates_are_judged_as_what_they_make(void **state)
{
    (void)state;
    assert_int_equal(lg_kind_judged_as(LG_KIND_POOL), LG_KIND_VM);
    assert_int_equal(lg_kind_judged_as(LG_KIND_REPLICA_SET), LG_KIND_VMI);
    for (int i = 0; i < LG_KIND_POOL; i++) {
        assert_int_equal(lg_kind_judged_as((enum lg_kind)i), i);
        assert_int_equal(lg_kind_is_guest((enum lg_kind)i), i == LG_KIND_VM || i == LG_KIND_VMI);
    }
    assert_true(lg_kind_is_guest(LG_KIND_POOL) && lg_kind_is_guest(LG_KIND_REPLICA_SET));
    assert_int_equal(lg_kind_judged_as(LG_KIND_OTHER), LG_KIND_OTHER);
}

static void versions_are_not_compared(void **state)
{
    (void)state;
    assert_int_equal(lg_kind_of(LG_STR("kubevirt.io/v1"), LG_STR("VirtualMachine")), LG_KIND_VM);
    assert_int_equal(lg_kind_of(LG_STR("kubevirt.io/v1alpha3"), LG_STR("VirtualMachine")),
                     LG_KIND_VM);
    assert_int_equal(lg_kind_of(LG_STR("v1"), LG_STR("PersistentVolumeClaim")), LG_KIND_CLAIM);
    assert_int_equal(lg_kind_of(LG_STR("hco.kubevirt.io/v1"), LG_STR("HyperConverged")),
                     LG_KIND_HYPERCONVERGED);
}

static void other_groups_and_kinds_are_other(void **state)
{
    (void)state;
    assert_int_equal(lg_kind_of(LG_STR("v1"), LG_STR("VirtualMachine")), LG_KIND_OTHER);
    assert_int_equal(lg_kind_of(LG_STR("evil.io/v1"), LG_STR("Node")), LG_KIND_OTHER);
    assert_int_equal(lg_kind_of(LG_STR(""), LG_STR("")), LG_KIND_OTHER);
    assert_int_equal(lg_kind_of((struct lg_str){0}, LG_STR("Node")), LG_KIND_NODE);
    assert_int_equal(lg_kind_of(LG_STR("v1"), LG_STR("node")), LG_KIND_OTHER);
    assert_int_equal(lg_kind_of_resource(LG_STR("kubevirt.io"), LG_STR("virtualmachine")),
                     LG_KIND_OTHER);
    assert_int_equal(lg_kind_of_resource((struct lg_str){0}, LG_STR("nodes")), LG_KIND_NODE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_found_by_kind_and_by_resource),
        cmocka_unit_test(kinds_that_are_not_watched_say_so),
        cmocka_unit_test(templates_are_judged_as_what_they_make),
        cmocka_unit_test(versions_are_not_compared),
        cmocka_unit_test(other_groups_and_kinds_are_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
