#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rules/core/num.h"

struct row {
    struct lg_str text;
    enum lg_err_code code;
    int64_t value;
};

static void json_integers_are_exact(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {LG_STR("0"), LG_E_OK, 0},
        {LG_STR("-0"), LG_E_OK, 0},
        {LG_STR("49152"), LG_E_OK, 49152},
        {LG_STR("-1"), LG_E_OK, -1},
        {LG_STR("9223372036854775807"), LG_E_OK, INT64_MAX},
        {LG_STR("-9223372036854775808"), LG_E_OK, INT64_MIN},
        {LG_STR("9223372036854775808"), LG_E_LIMIT, 7},
        {LG_STR("-9223372036854775809"), LG_E_LIMIT, 7},
        {LG_STR("99999999999999999999999999"), LG_E_LIMIT, 7},
        {LG_STR("99999999999999999999999999x"), LG_E_INVALID, 7},
        {LG_STR(""), LG_E_INVALID, 7},
        {LG_STR("-"), LG_E_INVALID, 7},
        {LG_STR("+1"), LG_E_INVALID, 7},
        {LG_STR("01"), LG_E_INVALID, 7},
        {LG_STR("-01"), LG_E_INVALID, 7},
        {LG_STR("1.0"), LG_E_INVALID, 7},
        {LG_STR("1e3"), LG_E_INVALID, 7},
        {LG_STR(" 1"), LG_E_INVALID, 7},
        {LG_STR("1\0"), LG_E_INVALID, 7},
        {{NULL, 0}, LG_E_INVALID, 7},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t value = 7;
        assert_int_equal(lg_num_int64(rows[i].text, &value), rows[i].code);
        assert_int_equal(value, rows[i].value);
    }
}

static void go_integers_take_a_sign_and_zeros(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {LG_STR("+1"), LG_E_OK, 1},
        {LG_STR("-1"), LG_E_OK, -1},
        {LG_STR("007"), LG_E_OK, 7},
        {LG_STR("-007"), LG_E_OK, -7},
        {LG_STR("000000000000000000000000000012"), LG_E_OK, 12},
        {LG_STR("9223372036854775807"), LG_E_OK, INT64_MAX},
        {LG_STR("-9223372036854775808"), LG_E_OK, INT64_MIN},
        {LG_STR("+9223372036854775808"), LG_E_LIMIT, 5},
        {LG_STR(""), LG_E_INVALID, 5},
        {LG_STR("+"), LG_E_INVALID, 5},
        {LG_STR("+-1"), LG_E_INVALID, 5},
        {LG_STR("0x1"), LG_E_INVALID, 5},
        {LG_STR("1_0"), LG_E_INVALID, 5},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t value = 5;
        assert_int_equal(lg_num_go_int64(rows[i].text, &value), rows[i].code);
        assert_int_equal(value, rows[i].value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_integers_are_exact),
        cmocka_unit_test(go_integers_take_a_sign_and_zeros),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
