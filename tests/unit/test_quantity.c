#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rules/kube/quantity.h"

static void check(const char *text, int64_t value, int64_t milli)
{
    struct lg_quantity q = {0};
    if (lg_quantity_parse(lg_str_of(text), &q) != LG_E_OK)
        fail_msg("\"%s\" is refused", text);
    if (q.value != value || q.milli != milli)
        fail_msg("\"%s\": value %lld milli %lld", text, (long long)q.value, (long long)q.milli);
}

static void refused(const char *text)
{
    struct lg_quantity q = {.value = 7, .milli = 8};
    if (lg_quantity_parse(lg_str_of(text), &q) != LG_E_INVALID)
        fail_msg("\"%s\" is accepted", text);
    assert_true(q.value == 7 && q.milli == 8);
}

static void suffixes_scale(void **state)
{
    (void)state;
    check("64Mi", 67108864, 67108864000);
    check("1.5Gi", 1610612736, 1610612736000);
    check("30G", 30000000000, 30000000000000);
    check("100m", 1, 100);
    check("1500u", 1, 2);
    check("1n", 1, 1);
    check("2k", 2000, 2000000);
    check("1Ei", 1152921504606846976, INT64_MAX);
    check("1E", 1000000000000000000, INT64_MAX);
}

static void exponents_scale(void **state)
{
    (void)state;
    check("1e3", 1000, 1000000);
    check("1E-3", 1, 1);
    check("12.5e+1", 125, 125000);
    check("1e-2147483648", 1, 1);
    check("1e2147483647", INT64_MAX, INT64_MAX);
    check("1e4294967298", 100, 100000); /* upstream keeps 32 bits of the exponent */
    refused("1e99999999999999999999");
}

static void rounding_is_away_from_zero(void **state)
{
    (void)state;
    check("0.1", 1, 100);
    check("-0.1", -1, -100);
    check("1.0001", 2, 1001);
    check("0.0000000001", 1, 1);
    check("-1.5Ki", -1536, -1536000);
    check("0.0001Ei", 115292150460685, 115292150460684698);
}

/* 2^-60 has sixty decimals; the product with 2^60 is 1 and nothing is left to round up. */
static void long_fractions_are_exact(void **state)
{
    (void)state;
    check("0.000000000000000000867361737988403547205962240695953369140625Ei", 1, 1000);
    check("0.0000000000000000008673617379884035472059622406959533691406250001Ei", 2, 1001);
    check("0.000000000000000000867361737988403547205962240695953369140624Ei", 1, 1000);
}

static void saturates_at_64_bits(void **state)
{
    (void)state;
    check("9223372036854775807", INT64_MAX, INT64_MAX);
    check("9223372036854775808", INT64_MAX, INT64_MAX);
    check("-9223372036854775808", INT64_MIN, INT64_MIN);
    check("-10E", INT64_MIN, INT64_MIN);
    check("8Ei", INT64_MAX, INT64_MAX);
    check("-8Ei", -INT64_MAX, INT64_MIN); /* binary ones are capped before the sign returns */
    check("99999999999999999999999999999999999999999999999999Pi", INT64_MAX, INT64_MAX);
}

static void oddities_of_upstream_hold(void **state)
{
    (void)state;
    check("-", 0, 0);
    check("+", 0, 0);
    check(".", 0, 0);
    check("k", 0, 0);
    check("Ti", 0, 0);
    check("1.", 1, 1000);
    check("007", 7, 7000);
    check("1.G", 1000000000, 1000000000000);
    check("e-9", 0, 0);
    refused("Pi");
    refused("Ei");
    refused(".Ei");
    refused("-.Pi");
    refused("e-10");
    check("0e-10", 0, 0);
}

static void what_is_no_quantity_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",    " 1",  "1 ",   "1K",  "1kI",   "1mi",  "1e",
                                      "1i",  "++1", "1..2", "0x1", "1Gib",  "1ee3", "1e3.5",
                                      "1e+", "NaN", "1,5",  "--1", "1\xC2", "1Zi",  "1E3Mi"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        refused(bad[i]);
    struct lg_quantity q;
    assert_int_equal(lg_quantity_parse((struct lg_str){"1\0", 2}, &q), LG_E_INVALID);
}

static void numbers_and_strings_are_read(void **state)
{
    (void)state;
    struct lg_arena arena = {0};
    struct lg_val root;
    struct lg_quantity q = {0};
    const char *text = "{\"a\":\"2Gi\",\"b\":1.5,\"c\":true,\"d\":null}";
    assert_int_equal(lg_json_parse(&arena, lg_str_of(text), &root, NULL), LG_E_OK);
    assert_int_equal(lg_quantity_read(lg_json_get(root, "a"), &q), LG_E_OK);
    assert_true(q.value == 2147483648);
    assert_int_equal(lg_quantity_read(lg_json_get(root, "b"), &q), LG_E_OK);
    assert_true(q.value == 2 && q.milli == 1500);
    assert_int_equal(lg_quantity_read(lg_json_get(root, "c"), &q), LG_E_INVALID);
    assert_int_equal(lg_quantity_read(lg_json_get(root, "d"), &q), LG_E_INVALID);
    lg_arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(suffixes_scale),
        cmocka_unit_test(exponents_scale),
        cmocka_unit_test(rounding_is_away_from_zero),
        cmocka_unit_test(long_fractions_are_exact),
        cmocka_unit_test(saturates_at_64_bits),
        cmocka_unit_test(oddities_of_upstream_hold),
        cmocka_unit_test(what_is_no_quantity_is_refused),
        cmocka_unit_test(numbers_and_strings_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
