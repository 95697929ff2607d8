#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "rules/virt/size.h"
#include "tests/support/objects.h"

static struct lg_objects objects;

static int setup(void **state)
{
    (void)state;
    lg_objects_init(&objects);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    lg_objects_done(&objects);
    return 0;
}

#define MI (1024LL * 1024)
#define GI (1024 * MI)

/* What a domain asks for, one a row; -1 = nothing. */
static void a_guest_asks_for_what_its_spec_says(void **state)
{
    (void)state;
    static const struct {
        const char *domain;
        long long cpu_milli, memory, huge_2m, huge_1g;
    } rows[] = {
        {"{}", -1, -1, -1, -1},
        {"{'cpu':{'cores':4}}", 400, -1, -1, -1},
        {"{'cpu':{'cores':4,'sockets':2,'threads':2}}", 1600, -1, -1, -1},
        {"{'cpu':{'cores':0,'sockets':3}}", 300, -1, -1, -1},
        {"{'cpu':{'cores':2147483647,'sockets':2147483647,'threads':2147483647}}", -1, -1, -1, -1},
        {"{'cpu':{'cores':4},'resources':{'requests':{'cpu':'1500m'}}}", 1500, -1, -1, -1},
        {"{'cpu':{'cores':4},'resources':{'limits':{'cpu':2}}}", 2000, -1, -1, -1},
        {"{'cpu':{'cores':4,'dedicatedCpuPlacement':true}}", 4000, -1, -1, -1},
        {"{'cpu':{'cores':4,'dedicatedCpuPlacement':true,'isolateEmulatorThread':true}}", 5000, -1,
         -1, -1},
        {"{'cpu':{'dedicatedCpuPlacement':true},'resources':{'limits':{'cpu':'3'}}}", 3000, -1, -1,
         -1},
        {"{'memory':{'guest':'3Gi'}}", -1, 2 * GI, -1, -1},
        {"{'memory':{'guest':'3Gi'},'resources':{'requests':{'memory':'1Gi'}}}", -1, GI, -1, -1},
        {"{'memory':{'guest':'3Gi'},'resources':{'limits':{'memory':'4Gi'}}}", -1, 4 * GI, -1, -1},
        {"{'memory':{'guest':'x'}}", -1, -1, -1, -1},
        {"{'memory':{'guest':'8Gi','hugepages':{'pageSize':'2Mi'}}}", -1, -1, 8 * GI, -1},
        {"{'memory':{'hugepages':{'pageSize':'1Gi'}},'resources':{'requests':{'memory':'8Gi'}}}",
         -1, -1, -1, 8 * GI},
        {"{'memory':{'guest':'8Gi','hugepages':{'pageSize':'64Ki'}}}", -1, -1, -1, -1},
    };
    const struct lg_settings settings = {.memory_overcommit = 150, .cpu_allocation_ratio = 10};
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct lg_str text = lg_arena_printf(&objects.arena, "{'domain':%s}", rows[i].domain);
        struct lg_capacity size = lg_guest_size(lg_objects_parse(&objects, text.p), &settings);
        if (size.cpu_milli != rows[i].cpu_milli || size.memory_bytes != rows[i].memory ||
            size.huge_2m_bytes != rows[i].huge_2m || size.huge_1g_bytes != rows[i].huge_1g)
            fail_msg("%s: %lld %lld %lld %lld", rows[i].domain, (long long)size.cpu_milli,
                     (long long)size.memory_bytes, (long long)size.huge_2m_bytes,
                     (long long)size.huge_1g_bytes);
    }
}

static void a_node_that_does_not_say_is_large_enough(void **state)
{
    (void)state;
    const struct lg_capacity asked = {4000, 8 * GI, -1, GI};
    const struct lg_capacity silent = {-1, -1, -1, -1};
    const struct lg_capacity equal = {4000, 8 * GI, 0, GI};
    const struct lg_capacity small_cpu = {3999, 8 * GI, 0, GI};
    const struct lg_capacity small_memory = {4000, 8 * GI - 1, 0, GI};
    const struct lg_capacity no_pages = {4000, 8 * GI, 0, 0};
    assert_true(lg_size_fits(&asked, &silent));
    assert_true(lg_size_fits(&asked, &equal));
    assert_false(lg_size_fits(&asked, &small_cpu));
    assert_false(lg_size_fits(&asked, &small_memory));
    assert_false(lg_size_fits(&asked, &no_pages));
}

static void amounts_read_as_people_write_them(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text;
        long long amount;
    } rows[] = {
        {"cpu", "2", 2000},   {"cpu", "1500m", 1500},          {"memory", "3Gi", 3 * GI},
        {"memory", "1Mi", 1}, {"memory", "1536Mi", 1536 * MI}, {"hugepages-1Gi", "0Mi", 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        assert_string_equal(lg_size_text(rows[i].name, rows[i].amount, &objects.arena).p,
                            rows[i].text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_guest_asks_for_what_its_spec_says),
        cmocka_unit_test(a_node_that_does_not_say_is_large_enough),
        cmocka_unit_test(amounts_read_as_people_write_them),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
