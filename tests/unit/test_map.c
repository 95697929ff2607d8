#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rules/core/map.h"
#include "rules/core/mem.h"

enum { KEYS = 5000 };

static char names[KEYS][16];

static struct lg_str name(size_t i)
{
    snprintf(names[i], sizeof names[i], "key-%zu", i);
    return lg_str_of(names[i]);
}

static void an_empty_map_answers(void **state)
{
    (void)state;
    struct lg_map map = {0};
    size_t pos = 0;
    assert_null(lg_map_get(&map, LG_STR("a")));
    assert_null(lg_map_remove(&map, LG_STR("a")));
    assert_null(lg_map_next(&map, &pos));
    lg_map_done(&map);
}

static void values_are_found_replaced_and_removed(void **state)
{
    (void)state;
    struct lg_map map lg_cleanup(lg_map_done) = {0};
    int a = 1;
    int b = 2;
    assert_null(lg_map_set(&map, LG_STR("k"), &a));
    assert_ptr_equal(lg_map_get(&map, LG_STR("k")), &a);
    assert_ptr_equal(lg_map_set(&map, LG_STR("k"), &b), &a);
    assert_ptr_equal(lg_map_get(&map, LG_STR("k")), &b);
    assert_int_equal(map.used, 1);
    assert_null(lg_map_get(&map, LG_STR("K")));
    assert_ptr_equal(lg_map_remove(&map, LG_STR("k")), &b);
    assert_null(lg_map_remove(&map, LG_STR("k")));
    assert_int_equal(map.used, 0);
}

static void a_replaced_key_borrows_the_new_bytes(void **state)
{
    (void)state;
    struct lg_map map lg_cleanup(lg_map_done) = {0};
    char first[] = "key";
    char second[] = "key";
    int value = 1;
    (void)lg_map_set(&map, lg_str_of(first), &value);
    (void)lg_map_set(&map, lg_str_of(second), &value);
    memset(first, 'x', 3);
    assert_ptr_equal(lg_map_get(&map, LG_STR("key")), &value);
    size_t pos = 0;
    assert_ptr_equal(lg_map_next(&map, &pos)->key, second);
}

static void the_empty_key_and_nul_are_keys(void **state)
{
    (void)state;
    struct lg_map map lg_cleanup(lg_map_done) = {0};
    int value[3] = {0};
    (void)lg_map_set(&map, (struct lg_str){0}, &value[0]);
    (void)lg_map_set(&map, LG_STR("\0"), &value[1]);
    (void)lg_map_set(&map, LG_STR("\0\0"), &value[2]);
    assert_ptr_equal(lg_map_get(&map, LG_STR("")), &value[0]);
    assert_ptr_equal(lg_map_get(&map, LG_STR("\0")), &value[1]);
    assert_ptr_equal(lg_map_get(&map, LG_STR("\0\0")), &value[2]);
    assert_int_equal(map.used, 3);
}

static void many_keys_survive_growth_and_removal(void **state)
{
    (void)state;
    struct lg_map map lg_cleanup(lg_map_done) = {0};
    for (size_t i = 0; i < KEYS; i++)
        assert_null(lg_map_set(&map, name(i), names[i]));
    for (size_t i = 0; i < KEYS; i += 3)
        assert_ptr_equal(lg_map_remove(&map, name(i)), names[i]);
    for (size_t i = 0; i < KEYS; i++)
        assert_ptr_equal(lg_map_get(&map, name(i)), i % 3 == 0 ? NULL : names[i]);
    bool seen[KEYS] = {false};
    size_t pos = 0;
    size_t n = 0;
    for (const struct lg_map_entry *e; (e = lg_map_next(&map, &pos)) != NULL; n++) {
        size_t i = (size_t)((char *)e->value - names[0]) / sizeof names[0];
        assert_false(seen[i]);
        seen[i] = true;
    }
    assert_int_equal(n, map.used);
    assert_int_equal(n, KEYS - (KEYS + 2) / 3);
}

static void hashes_depend_on_every_byte_and_the_length(void **state)
{
    (void)state;
    const char bytes[64] = {0};
    uint64_t hashes[64];
    for (size_t n = 0; n < 64; n++) {
        hashes[n] = lg_hash((struct lg_str){bytes, n});
        assert_true(hashes[n] == lg_hash((struct lg_str){bytes, n}));
        for (size_t i = 0; i < n; i++)
            assert_true(hashes[i] != hashes[n]);
    }
    char changed[33] = {0};
    for (size_t i = 0; i < sizeof changed; i++) {
        changed[i] = 1;
        assert_true(lg_hash((struct lg_str){changed, sizeof changed}) != hashes[33]);
        changed[i] = 0;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_map_answers),
        cmocka_unit_test(values_are_found_replaced_and_removed),
        cmocka_unit_test(a_replaced_key_borrows_the_new_bytes),
        cmocka_unit_test(the_empty_key_and_nul_are_keys),
        cmocka_unit_test(many_keys_survive_growth_and_removal),
        cmocka_unit_test(hashes_depend_on_every_byte_and_the_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
