#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rules/kube/names.h"

static struct lg_str repeated(char c, size_t n)
{
    static char text[512];
    memset(text, c, sizeof text);
    return (struct lg_str){text, n};
}

static void subdomains(void **state)
{
    (void)state;
    assert_true(lg_name_is_subdomain(LG_STR("orders-db.v2")));
    assert_true(lg_name_is_subdomain(LG_STR("0")));
    assert_true(lg_name_is_subdomain(repeated('a', 253)));
    assert_false(lg_name_is_subdomain(repeated('a', 254)));
    assert_false(lg_name_is_subdomain(LG_STR("")));
    assert_false(lg_name_is_subdomain(LG_STR("a..b")));
    assert_false(lg_name_is_subdomain(LG_STR("a.")));
    assert_false(lg_name_is_subdomain(LG_STR("-a")));
    assert_false(lg_name_is_subdomain(LG_STR("a-.b")));
    assert_false(lg_name_is_subdomain(LG_STR("Orders")));
    assert_false(lg_name_is_subdomain(LG_STR("a\0b")));
}

static void labels(void **state)
{
    (void)state;
    assert_true(lg_name_is_label(LG_STR("web-servers")));
    assert_true(lg_name_is_label(repeated('a', 63)));
    assert_false(lg_name_is_label(repeated('a', 64)));
    assert_false(lg_name_is_label(LG_STR("a.b")));
    assert_false(lg_name_is_label((struct lg_str){0}));
}

static void label_keys(void **state)
{
    (void)state;
    assert_true(lg_name_is_label_key(LG_STR("kubernetes.io/hostname")));
    assert_true(lg_name_is_label_key(LG_STR("A_b.c-9")));
    assert_false(lg_name_is_label_key(LG_STR("")));
    assert_false(lg_name_is_label_key(LG_STR("/a")));
    assert_false(lg_name_is_label_key(LG_STR("a/")));
    assert_false(lg_name_is_label_key(LG_STR("a/b/c")));
    assert_false(lg_name_is_label_key(LG_STR("_a")));
    assert_false(lg_name_is_label_key(LG_STR("A/b")));
    assert_false(lg_name_is_label_key(LG_STR("a b")));
    assert_false(lg_name_is_label_key(repeated('a', 64)));
}

static void label_values(void **state)
{
    (void)state;
    assert_true(lg_name_is_label_value(LG_STR("")));
    assert_true(lg_name_is_label_value(LG_STR("Value_1.x")));
    assert_true(lg_name_is_label_value(repeated('a', 63)));
    assert_false(lg_name_is_label_value(repeated('a', 64)));
    assert_false(lg_name_is_label_value(LG_STR("a-")));
    assert_false(lg_name_is_label_value(LG_STR("a/b")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(subdomains),
        cmocka_unit_test(labels),
        cmocka_unit_test(label_keys),
        cmocka_unit_test(label_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
