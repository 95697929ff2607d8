#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rules/core/mem.h"
#include "rules/core/out.h"
#include "rules/core/write.h"

static void assert_as_jansson(struct lg_str s)
{
    struct lg_buf ours lg_cleanup(lg_buf_done) = {0};
    struct lg_buf theirs lg_cleanup(lg_buf_done) = {0};
    json_t *value = lg_out_str(s);
    lg_write_str(&ours, s);
    lg_out_text(value, 0, &theirs);
    json_decref(value);
    assert_int_equal(ours.n, theirs.n);
    assert_memory_equal(ours.p, theirs.p, ours.n);
    ours.n = 0;
    value = lg_out_str(s);
    char *ascii lg_cleanup(lg_free_cleanup) =
        json_dumps(value, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
    json_decref(value);
    lg_write_ascii(&ours, s);
    assert_string_equal(ours.p, ascii);
}

/* Every byte by itself, at the start, within and at the end of a run longer than what is looked at
 * in one go. */
static void strings_are_written_as_jansson_writes_them(void **state)
{
    (void)state;
    static const size_t places[] = {0, 1, 7, 15, 16, 17, 30, 39};
    char text[40];
    for (int c = 0; c < 256; c++) {
        for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
            memset(text, 'x', sizeof text);
            text[places[i]] = (char)c;
            assert_as_jansson((struct lg_str){text, sizeof text});
            assert_as_jansson((struct lg_str){text + places[i], 1});
        }
    }
    static const char *const others[] = {"é€😀", "\xE2\x82", "a\xED\xA0\x80z", "\"\\/\b\f\n\r\t",
                                         ""};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_as_jansson(lg_str_of(others[i]));
    assert_as_jansson((struct lg_str){NULL, 0});
}

static void reals_are_read_back_as_they_were(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } rows[] = {{0.5, "0.5"},
                {3, "3.0"},
                {-0.1, "-0.1"},
                {1e300, "1e+300"},
                {1.0 / 3, "0.33333333333333331"},
                {0.123456, "0.123456"},
                {INFINITY, "null"},
                {NAN, "null"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct lg_buf buf lg_cleanup(lg_buf_done) = {0};
        lg_write_real(&buf, rows[i].value);
        assert_string_equal(buf.p, rows[i].text);
        json_t *value = json_loads(buf.p, JSON_DECODE_ANY, NULL);
        assert_non_null(value);
        if (isfinite(rows[i].value))
            assert_true(json_real_value(value) == rows[i].value);
        json_decref(value);
    }
}

static void commas_come_by_themselves(void **state)
{
    (void)state;
    struct lg_buf buf lg_cleanup(lg_buf_done) = {0};
    lg_write_open(&buf, '{');
    lg_write_member(&buf, "a", LG_STR("[{:"));
    lg_write_key(&buf, "b");
    lg_write_open(&buf, '[');
    lg_write_str(&buf, LG_STR("x"));
    lg_write_int(&buf, INT64_MIN);
    lg_write_bool(&buf, false);
    lg_write_open(&buf, '{');
    lg_write_close(&buf, '}');
    lg_write_open(&buf, '[');
    lg_write_close(&buf, ']');
    lg_write_close(&buf, ']');
    lg_write_key(&buf, "c");
    lg_write_bool(&buf, true);
    lg_write_close(&buf, '}');
    assert_string_equal(
        buf.p, "{\"a\":\"[{:\",\"b\":[\"x\",-9223372036854775808,false,{},[]],\"c\":true}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_are_written_as_jansson_writes_them),
        cmocka_unit_test(reals_are_read_back_as_they_were),
        cmocka_unit_test(commas_come_by_themselves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
