#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rules/core/base64.h"
#include "rules/core/mem.h"

/* RFC 4648, chapter 10, and bytes that are no text. */
static const struct {
    struct lg_str plain, coded;
} rows[] = {
    {LG_STR(""), LG_STR("")},
    {LG_STR("f"), LG_STR("Zg==")},
    {LG_STR("fo"), LG_STR("Zm8=")},
    {LG_STR("foo"), LG_STR("Zm9v")},
    {LG_STR("foob"), LG_STR("Zm9vYg==")},
    {LG_STR("fooba"), LG_STR("Zm9vYmE=")},
    {LG_STR("foobar"), LG_STR("Zm9vYmFy")},
    {LG_STR("\0\xFF\xFB"), LG_STR("AP/7")},
};

static void texts_go_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct lg_buf buf lg_cleanup(lg_buf_done) = {0};
        char out[32];
        size_t n = 99;
        lg_base64_add(&buf, rows[i].plain);
        assert_true(lg_str_eq(lg_buf_view(&buf), rows[i].coded));
        assert_true(lg_base64_room(rows[i].coded.n) <= sizeof out);
        assert_true(lg_base64_decode(rows[i].coded, out, &n));
        assert_int_equal(n, rows[i].plain.n);
        assert_memory_equal(out, rows[i].plain.p, n);
    }
}

static void line_ends_are_passed_over(void **state)
{
    (void)state;
    char out[32];
    size_t n = 0;
    assert_true(lg_base64_decode(LG_STR("Zm9v\r\nYg=\n=\n"), out, &n));
    assert_int_equal(n, 4);
    assert_memory_equal(out, "foob", 4);
}

static void what_is_no_base64_is_refused(void **state)
{
    (void)state;
    static const struct lg_str bad[] = {
        LG_STR("Z"),    LG_STR("Zg"),   LG_STR("Zg="),   LG_STR("Zg==="),   LG_STR("Zg==Zg=="),
        LG_STR("===="), LG_STR("Z==="), LG_STR("Zm9v "), LG_STR("Zm9\0"),   LG_STR("Zm9-"),
        LG_STR("Zm9_"), LG_STR("=Zm9"), LG_STR("Zm=v"),  LG_STR("\xFFm9v"),
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char out[32];
        size_t n = 99;
        assert_false(lg_base64_decode(bad[i], out, &n));
        assert_int_equal(n, 99);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_go_both_ways),
        cmocka_unit_test(line_ends_are_passed_over),
        cmocka_unit_test(what_is_no_base64_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
