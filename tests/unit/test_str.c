#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rules/core/mem.h"
#include "rules/core/str.h"
#include "rules/core/utf8.h"

static void absent_and_empty_are_equal(void **state)
{
    (void)state;
    assert_true(lg_str_eq((struct lg_str){0}, LG_STR("")));
    assert_true(lg_str_is(lg_str_of(NULL), ""));
    assert_true(lg_str_empty((struct lg_str){0}));
    assert_null(lg_str_of(NULL).p);
    assert_false(lg_str_eq(LG_STR("a"), LG_STR("")));
    assert_false(lg_str_eq(LG_STR("a\0b"), LG_STR("a\0c")));
    assert_false(lg_str_is(LG_STR("a\0"), "a"));
}

static void order_is_bytewise_with_prefixes_first(void **state)
{
    (void)state;
    assert_true(lg_str_cmp(LG_STR("a"), LG_STR("b")) < 0);
    assert_true(lg_str_cmp(LG_STR("b"), LG_STR("aa")) > 0);
    assert_true(lg_str_cmp(LG_STR("a"), LG_STR("aa")) < 0);
    assert_true(lg_str_cmp(LG_STR("aa"), LG_STR("a")) > 0);
    assert_true(lg_str_cmp(LG_STR("\x7F"), LG_STR("\x80")) < 0);
    assert_int_equal(lg_str_cmp((struct lg_str){0}, LG_STR("")), 0);
    assert_int_equal(lg_str_cmp(LG_STR("a\0b"), LG_STR("a\0b")), 0);
}

static void starts_and_ends(void **state)
{
    (void)state;
    assert_true(lg_str_starts(LG_STR("abc"), "ab"));
    assert_true(lg_str_starts((struct lg_str){0}, ""));
    assert_false(lg_str_starts(LG_STR("a"), "ab"));
    assert_true(lg_str_ends(LG_STR("abc"), "bc"));
    assert_true(lg_str_ends(LG_STR("abc"), ""));
    assert_false(lg_str_ends(LG_STR("c"), "bc"));
    assert_false(lg_str_ends(LG_STR("abcd"), "bc"));
}

static void a_cut_leaves_whole_characters(void **state)
{
    (void)state;
    struct lg_str s = LG_STR("aé日😀");
    static const size_t lengths[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10};
    for (size_t max = 0; max < sizeof lengths / sizeof *lengths; max++) {
        struct lg_str cut = lg_str_cut(s, max);
        assert_int_equal(cut.n, lengths[max]);
        assert_ptr_equal(cut.p, s.p);
    }
}

static void a_buffer_grows_and_stays_terminated(void **state)
{
    (void)state;
    struct lg_buf buf lg_cleanup(lg_buf_done) = {0};
    assert_string_equal(lg_buf_view(&buf).p, "");
    lg_buf_puts(&buf, "a");
    lg_buf_putc(&buf, 'b');
    lg_buf_str(&buf, LG_STR("c\0d"));
    lg_buf_str(&buf, (struct lg_str){0});
    lg_buf_printf(&buf, "%s%d", "", 5);
    lg_buf_printf(&buf, "%s", "");
    assert_int_equal(buf.n, 6);
    assert_memory_equal(buf.p, "abc\0d5", 7);
    for (int i = 0; i < 100000; i++)
        lg_buf_putc(&buf, 'x');
    assert_int_equal(buf.n, 100006);
    assert_int_equal(strlen(buf.p + 4), 100002);
    lg_buf_printf(&buf, "%70000d", 1);
    assert_int_equal(buf.n, 170006);
    assert_int_equal(buf.p[170006], '\0');
    lg_buf_done(&buf);
    assert_null(buf.p);
    assert_int_equal(buf.n, 0);
}

static void what_a_person_sees_is_one_harmless_line(void **state)
{
    (void)state;
    static const struct {
        struct lg_str in;
        const char *out;
    } rows[] = {
        {LG_STR("plain é 日 😀"), "plain é 日 😀"},
        {LG_STR("a\nb\tc\x1b[31m"), "a\\x0ab\\x09c\\x1b[31m"},
        {LG_STR("\x7F\0"), "\\x7f\\x00"},
        {LG_STR("\xC2\x85\xC2\x9F"), "\\x85\\x9f"},
        {LG_STR("\xC2\xA0"), "\xC2\xA0"},
        {LG_STR("\xE2\x80\xA8\xE2\x80\xA9"), "\\u{2028}\\u{2029}"},
        {LG_STR("\xE2\x80\xAE\xE2\x81\xA6\xE2\x80\x8F\xD8\x9C"),
         "\\u{202e}\\u{2066}\\u{200f}\\u{061c}"},
        {LG_STR("a\xFF\xC0\xAFz\xE2\x82"), "a\\xff\\xc0\\xafz\\xe2\\x82"},
        {LG_STR("\\"), "\\"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct lg_buf buf lg_cleanup(lg_buf_done) = {0};
        lg_buf_printable(&buf, rows[i].in);
        assert_string_equal(buf.p, rows[i].out);
    }
}

static size_t decode(const char *bytes, size_t n, uint32_t *ret_c)
{
    return lg_utf8_decode((const unsigned char *)bytes, n, ret_c);
}

static void every_character_survives_utf8(void **state)
{
    (void)state;
    for (uint32_t c = 0; c <= 0x10FFFF; c++) {
        char bytes[4] = {0};
        uint32_t back = 0;
        size_t n = lg_utf8_encode(c, bytes);
        bool surrogate = c >= 0xD800 && c <= 0xDFFF;
        assert_int_equal(decode(bytes, n, &back), surrogate ? 0 : n);
        assert_int_equal(back, surrogate ? 0 : c);
        if (n > 1)
            assert_int_equal(decode(bytes, n - 1, &back), 0);
    }
}

static void bad_utf8_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"\x80",
                                      "\xBF",
                                      "\xC0\x80",
                                      "\xC1\xBF",
                                      "\xE0\x80\x80",
                                      "\xE0\x9F\xBF",
                                      "\xED\xA0\x80",
                                      "\xED\xBF\xBF",
                                      "\xF0\x80\x80\x80",
                                      "\xF0\x8F\xBF\xBF",
                                      "\xF4\x90\x80\x80",
                                      "\xF8\x88\x80\x80\x80",
                                      "\xFE",
                                      "\xFF",
                                      "\xC3\x28",
                                      "\xE2\x28\xA1",
                                      "\xE2\x82\x28"};
    uint32_t c = 7;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(decode(bad[i], strlen(bad[i]), &c), 0);
    assert_int_equal(decode("", 0, &c), 0);
    assert_int_equal(c, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(absent_and_empty_are_equal),
        cmocka_unit_test(order_is_bytewise_with_prefixes_first),
        cmocka_unit_test(starts_and_ends),
        cmocka_unit_test(a_cut_leaves_whole_characters),
        cmocka_unit_test(a_buffer_grows_and_stays_terminated),
        cmocka_unit_test(what_a_person_sees_is_one_harmless_line),
        cmocka_unit_test(every_character_survives_utf8),
        cmocka_unit_test(bad_utf8_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
