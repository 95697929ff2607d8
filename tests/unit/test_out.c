#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rules/core/mem.h"
#include "rules/core/out.h"

static void text_becomes_a_valid_string(void **state)
{
    (void)state;
    static const struct {
        struct lg_str in, out;
    } rows[] = {
        {LG_STR("plain é"), LG_STR("\"plain é\"")},
        {LG_STR("a\0b"), LG_STR("\"a\\u0000b\"")},
        {{NULL, 0}, LG_STR("\"\"")},
        {LG_STR("a\xFFz"), LG_STR("\"a\xEF\xBF\xBDz\"")},
        {LG_STR("\xE2\x82"), LG_STR("\"\xEF\xBF\xBD\xEF\xBF\xBD\"")},
        {LG_STR("\xED\xA0\x80"), LG_STR("\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"")},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct lg_buf buf lg_cleanup(lg_buf_done) = {0};
        json_t *value = lg_out_str(rows[i].in);
        lg_out_text(value, 0, &buf);
        json_decref(value);
        assert_true(lg_str_eq(lg_buf_view(&buf), rows[i].out));
    }
}

static void trees_are_written_in_the_order_they_were_made(void **state)
{
    (void)state;
    struct lg_buf buf lg_cleanup(lg_buf_done) = {0};
    json_t *root = lg_out_object();
    json_t *list = lg_out_array();
    lg_out_append(list, json_integer(1));
    lg_out_append(list, lg_out_str(LG_STR("b")));
    lg_out_set(root, "z", list);
    lg_out_set_str(root, "a", LG_STR("\x80"));
    lg_out_text(root, 0, &buf);
    assert_string_equal(buf.p, "{\"z\":[1,\"b\"],\"a\":\"\xEF\xBF\xBD\"}");
    struct lg_buf indented lg_cleanup(lg_buf_done) = {0};
    lg_out_text(list, 2, &indented);
    assert_string_equal(indented.p, "[\n  1,\n  \"b\"\n]");
    json_decref(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_becomes_a_valid_string),
        cmocka_unit_test(trees_are_written_in_the_order_they_were_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
