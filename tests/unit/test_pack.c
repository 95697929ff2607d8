#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "rules/core/mem.h"
#include "rules/virt/pack.h"
#include "rules/virt/shape.h"

static struct lg_arena arena;

static size_t packed_bytes(const char *json)
{
    struct lg_buf buf lg_cleanup(lg_buf_done) = {0};
    lg_pack(&buf, lg_str_of(json));
    struct lg_str back = lg_unpack(lg_buf_view(&buf), &arena);
    assert_true(lg_str_is(back, json));
    return buf.n;
}

static void what_is_packed_comes_back(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        size_t bytes;
    } rows[] = {
        {"", 0},
        {"{}", 2},
        {"\"name\"", 2},
        {"{\"name\":\"name\"}", 6},
        {"{\"no such word\":1}", 18},
        {"{\"a\":\"name\",\"b\":[\"volumes\",\"x\"]}", 21},
        {"{\"volumes\":[{\"name\":\"root\"}]}", 12},
        {"\"na\\u006de\"", 11},
        {"\"say \\\"name\\\" and \\\\\"", 21},
        {"{\"a\\\\\":\"volumes\"}", 10},
        {"[\"\",\"\",{\"\":\"\"}]", 15},
        {"[\"\xc3\xa9\",\"name\"]", 9},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t bytes = packed_bytes(rows[i].json);
        if (bytes != rows[i].bytes)
            fail_msg("%s: %zu bytes", rows[i].json, bytes);
    }
}

/* The look-up halves a sorted table: a word out of its place would be stored as it is. */
static void the_names_of_a_guests_spec_are_words(void **state)
{
    (void)state;
    static const char *const names[] = {"accessCredentials",
                                        "affinity",
                                        "architecture",
                                        "claimName",
                                        "cpu",
                                        "devices",
                                        "disks",
                                        "domain",
                                        "interfaces",
                                        "masquerade",
                                        "networks",
                                        "nodeSelector",
                                        "persistentVolumeClaim",
                                        "ports",
                                        "spec",
                                        "tolerations",
                                        "virtio",
                                        "volumes",
                                        "weight"};
    for (size_t i = 1; i < sizeof names / sizeof *names; i++) {
        char json[64];
        snprintf(json, sizeof json, "{\"%s\":1}", names[i]);
        if (packed_bytes(json) != 5)
            fail_msg("%s is not packed", names[i]);
    }
    assert_int_equal(packed_bytes("{\"accessCredentials\":1}"), 23);
}

static void every_member_of_the_specs_tables_but_rare_ones_is_a_word(void **state)
{
    (void)state;
    const struct lg_shape *spec = lg_shape_find(lg_shape_of(LG_KIND_VMI), LG_STR("spec"))->of;
    for (; spec->name != NULL; spec++) {
        char json[96];
        snprintf(json, sizeof json, "{\"%s\":1}", spec->name);
        if (packed_bytes(json) != 5)
            fail_msg("%s is not packed", spec->name);
    }
}

static int teardown(void **state)
{
    (void)state;
    lg_arena_done(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_packed_comes_back),
        cmocka_unit_test(the_names_of_a_guests_spec_are_words),
        cmocka_unit_test(every_member_of_the_specs_tables_but_rare_ones_is_a_word),
    };
    return cmocka_run_group_tests(tests, NULL, teardown);
}
