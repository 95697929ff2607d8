#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/virt/versions.h"

static struct lg_settings between(int observed, int target)
{
    return (struct lg_settings){.version = observed, .target_version = target};
}

static bool has(int version, enum lg_difference difference)
{
    struct lg_settings settings = between(version, version);
    return lg_version_has(&settings, difference);
}

/* The boundaries as KubeVirt's releases have them, apart from the table. */
static void each_difference_has_its_boundaries(void **state)
{
    (void)state;
    static const struct {
        enum lg_difference difference;
        int last_without, first, last, first_after; /* 0: none */
    } rows[] = {
        {LG_DIFFERENCE_VIRTIOFS_STAYS, 0, 100, 104, 105},
        {LG_DIFFERENCE_RESERVATION_STAYS, 0, 100, 108, 109},
        {LG_DIFFERENCE_STATE_CLAIM_STAYS, 102, 103, 103, 104},
        {LG_DIFFERENCE_ANY_GPU_STAYS, 0, 100, 108, 109},
        {LG_DIFFERENCE_TDX_STAYS, 106, 107, LG_KUBEVIRT_NEWEST, 0},
        {LG_DIFFERENCE_SECURE_EXECUTION_STAYS, 105, 106, LG_KUBEVIRT_NEWEST, 0},
        {LG_DIFFERENCE_HYPERV_PASSTHROUGH_STAYS, 102, 103, LG_KUBEVIRT_NEWEST, 0},
        {LG_DIFFERENCE_PASST_BINDING, 107, 108, LG_KUBEVIRT_NEWEST, 0},
        {LG_DIFFERENCE_OLD_BINDINGS_GONE, 102, 103, LG_KUBEVIRT_NEWEST, 0},
        {LG_DIFFERENCE_BETA_GATES_ON, 108, 109, LG_KUBEVIRT_NEWEST, 0},
        {LG_DIFFERENCE_ADDED_SELECTOR, 105, 106, LG_KUBEVIRT_NEWEST, 0},
        {LG_DIFFERENCE_RESERVATION_APART, 108, 109, LG_KUBEVIRT_NEWEST, 0},
        {LG_DIFFERENCE_PRIORITY, 106, 107, LG_KUBEVIRT_NEWEST, 0},
    };
    assert_int_equal(sizeof rows / sizeof *rows, LG_DIFFERENCE_COUNT);
    for (size_t i = 0; i < LG_DIFFERENCE_COUNT; i++) {
        assert_int_equal(rows[i].difference, i);
        assert_true(has(rows[i].first, rows[i].difference));
        assert_true(has(rows[i].last, rows[i].difference));
        if (rows[i].last_without != 0)
            assert_false(has(rows[i].last_without, rows[i].difference));
        if (rows[i].first_after != 0)
            assert_false(has(rows[i].first_after, rows[i].difference));
        else
            assert_true(has(112, rows[i].difference)); /* a version to come */
        const struct lg_difference_row *row = lg_version_row(rows[i].difference);
        assert_true(row->what[0] != '\0' && row->source[0] != '\0');
    }
}

static void between_two_versions_the_stricter_answer_stands(void **state)
{
    (void)state;
    struct lg_settings up = between(104, 105), down = between(105, 104);
    assert_true(lg_version_has(&up, LG_DIFFERENCE_VIRTIOFS_STAYS));
    assert_true(lg_version_has(&down, LG_DIFFERENCE_VIRTIOFS_STAYS));
    up = between(106, 107);
    assert_true(lg_version_has(&up, LG_DIFFERENCE_TDX_STAYS));
    /* What permits has to hold in both. */
    up = between(107, 108);
    down = between(108, 107);
    assert_false(lg_version_has(&up, LG_DIFFERENCE_PASST_BINDING));
    assert_false(lg_version_has(&down, LG_DIFFERENCE_PASST_BINDING));
}

static void gates_are_on_when_said_and_beta_ones_since_1_9(void **state)
{
    (void)state;
    static const struct lg_str vgpu[] = {LG_STR("VGPULiveMigration")};
    static const struct lg_str strict[] = {LG_STR("Other"), LG_STR("HypervStrictCheck")};
    static const struct lg_str moved[] = {LG_STR("DecentralizedLiveMigration")};
    static const struct {
        int version, target;
        struct lg_strs on, off;
        bool is_on[LG_GATE_COUNT];
    } rows[] = {
        {108, 108, {0}, {0}, {false, false, false}},
        {109, 109, {0}, {0}, {false, true, false}},
        {112, 112, {0}, {0}, {false, true, false}},
        {109, 109, {vgpu, 1}, {0}, {true, true, false}},
        {109, 109, {strict, 2}, {0}, {false, true, true}},
        {109, 109, {0}, {moved, 1}, {false, false, false}},
        {109, 109, {moved, 1}, {moved, 1}, {false, false, false}},
        {108, 108, {moved, 1}, {moved, 1}, {false, true, false}},
        {108, 109, {0}, {0}, {false, false, false}},
        {109, 108, {vgpu, 1}, {vgpu, 1}, {false, false, false}},
        {109, 108, {strict, 2}, {strict, 2}, {false, false, true}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct lg_settings settings = between(rows[i].version, rows[i].target);
        settings.gates = rows[i].on;
        settings.disabled_gates = rows[i].off;
        for (int gate = 0; gate < LG_GATE_COUNT; gate++)
            if (lg_gate_is_on(&settings, (enum lg_gate)gate) != rows[i].is_on[gate])
                fail_msg("row %zu: %s", i, lg_gate_name((enum lg_gate)gate));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_difference_has_its_boundaries),
        cmocka_unit_test(between_two_versions_the_stricter_answer_stands),
        cmocka_unit_test(gates_are_on_when_said_and_beta_ones_since_1_9),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
