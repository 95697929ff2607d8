#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rules/core/arena.h"
#include "rules/core/mem.h"

static void memory_is_zeroed_and_aligned(void **state)
{
    (void)state;
    struct lg_arena arena lg_cleanup(lg_arena_done) = {0};
    for (size_t n = 0; n < 300; n += 7) {
        unsigned char *p = lg_arena_alloc(&arena, n);
        assert_int_equal((uintptr_t)p % 16, 0);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(p[i], 0);
        memset(p, 0xFF, n);
    }
}

static void allocations_do_not_overlap(void **state)
{
    (void)state;
    enum { N = 2000 };
    struct lg_arena arena lg_cleanup(lg_arena_done) = {0};
    static size_t *blocks[N];
    for (size_t i = 0; i < N; i++) {
        blocks[i] = lg_arena_array(&arena, i % 90 + 1, sizeof **blocks);
        for (size_t j = 0; j <= i % 90; j++)
            blocks[i][j] = i;
    }
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j <= i % 90; j++)
            assert_int_equal(blocks[i][j], i);
    assert_true(arena.used_bytes >= N * 45 * sizeof(size_t));
}

static void a_large_allocation_has_its_own_block(void **state)
{
    (void)state;
    enum { LARGE = 5 * 1024 * 1024 };
    struct lg_arena arena lg_cleanup(lg_arena_done) = {0};
    char *small = lg_arena_alloc(&arena, 10);
    char *large = lg_arena_alloc(&arena, LARGE);
    char *behind = lg_arena_alloc(&arena, 10);
    memset(small, 1, 10);
    memset(large, 2, LARGE);
    memset(behind, 3, 10);
    assert_int_equal(small[9], 1);
    assert_int_equal(large[LARGE - 1], 2);
    assert_int_equal(behind[0], 3);
}

static void reset_forgets_and_keeps_a_small_block(void **state)
{
    (void)state;
    struct lg_arena arena lg_cleanup(lg_arena_done) = {0};
    lg_arena_reset(&arena);
    assert_null(arena.head);
    char *first = lg_arena_alloc(&arena, 100);
    memset(first, 0xFF, 100);
    assert_non_null(lg_arena_alloc(&arena, 3 * 1024 * 1024));
    lg_arena_reset(&arena);
    assert_int_equal(arena.used_bytes, 0);
    assert_non_null(arena.head);
    char *again = lg_arena_alloc(&arena, 100);
    assert_ptr_equal(again, first);
    assert_int_equal(again[99], 0);

    lg_arena_done(&arena);
    assert_non_null(lg_arena_alloc(&arena, 3 * 1024 * 1024));
    lg_arena_reset(&arena);
    assert_null(arena.head);
    assert_non_null(lg_arena_alloc(&arena, 1));
}

static void done_leaves_a_fresh_arena(void **state)
{
    (void)state;
    struct lg_arena arena;
    lg_arena_init(&arena);
    assert_null(arena.head);
    assert_non_null(lg_arena_alloc(&arena, 100));
    lg_arena_done(&arena);
    assert_null(arena.head);
    assert_int_equal(arena.used_bytes, 0);
    lg_arena_done(&arena);
    assert_non_null(lg_arena_alloc(&arena, 1));
    lg_arena_done(&arena);
}

static void strings_are_copied_with_a_nul_behind(void **state)
{
    (void)state;
    struct lg_arena arena lg_cleanup(lg_arena_done) = {0};
    struct lg_str with_nul = LG_STR("a\0b");
    struct lg_str copy = lg_arena_str(&arena, with_nul);
    assert_int_equal(copy.n, 3);
    assert_memory_equal(copy.p, "a\0b\0", 4);
    assert_ptr_not_equal(copy.p, with_nul.p);
    struct lg_str absent = lg_arena_str(&arena, (struct lg_str){0});
    assert_int_equal(absent.n, 0);
    assert_string_equal(absent.p, "");
}

static void printf_writes_any_length(void **state)
{
    (void)state;
    struct lg_arena arena lg_cleanup(lg_arena_done) = {0};
    struct lg_str s = lg_arena_printf(&arena, "%s-%d", "a", 7);
    assert_int_equal(s.n, 3);
    assert_string_equal(s.p, "a-7");
    struct lg_str wide = lg_arena_printf(&arena, "%100000d", 1);
    assert_int_equal(wide.n, 100000);
    assert_int_equal(wide.p[99999], '1');
    struct lg_str none = lg_arena_printf(&arena, "%s", "");
    assert_int_equal(none.n, 0);
    assert_string_equal(none.p, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_and_aligned),
        cmocka_unit_test(allocations_do_not_overlap),
        cmocka_unit_test(a_large_allocation_has_its_own_block),
        cmocka_unit_test(reset_forgets_and_keeps_a_small_block),
        cmocka_unit_test(done_leaves_a_fresh_arena),
        cmocka_unit_test(strings_are_copied_with_a_nul_behind),
        cmocka_unit_test(printf_writes_any_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
