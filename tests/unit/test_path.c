/* Paths of the API server: only names that objects can have, values escaped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/core/mem.h"
#include "webhook/cluster/path.h"

static const struct lg_resource nodes = {"", "v1", "nodes"};
static const struct lg_resource vms = {"kubevirt.io", "v1", "virtualmachines"};

static void lists_have_a_path(void **state)
{
    (void)state;
    struct lg_buf buf = {0};
    lg_path_all(&buf, &nodes);
    assert_string_equal(buf.p, "/api/v1/nodes");
    buf.n = 0;
    lg_path_all(&buf, &vms);
    assert_string_equal(buf.p, "/apis/kubevirt.io/v1/virtualmachines");
    lg_path_query(&buf, "limit", LG_STR("500"));
    lg_path_query(&buf, "continue", LG_STR("a+/=&b c%"));
    assert_string_equal(buf.p, "/apis/kubevirt.io/v1/virtualmachines?limit=500&continue="
                               "a%2B%2F%3D%26b%20c%25");
    assert_true(lg_path_is_plain(lg_buf_view(&buf)));
    lg_buf_done(&buf);
}

static void objects_have_a_path(void **state)
{
    (void)state;
    struct lg_buf buf = {0};
    struct lg_err err = {0};
    assert_int_equal(lg_path_object(&buf, &nodes, LG_STR(""), LG_STR("a.b"), &err), LG_E_OK);
    assert_string_equal(buf.p, "/api/v1/nodes/a.b");
    buf.n = 0;
    assert_int_equal(lg_path_object(&buf, &vms, LG_STR("web"), LG_STR("db"), &err), LG_E_OK);
    assert_string_equal(buf.p, "/apis/kubevirt.io/v1/namespaces/web/virtualmachines/db");
    lg_buf_done(&buf);
}

static void names_that_lead_elsewhere_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",    "..", ".",   "a/b",  "a?b", "a%2fb",
                                      "a#b", "A",  "a b", "a\nb", "-a",  "a/../../secrets",
                                      "a..b"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct lg_buf buf = {0};
        struct lg_err err = {0};
        assert_int_equal(lg_path_object(&buf, &vms, LG_STR("web"), lg_str_of(bad[i]), &err),
                         LG_E_INVALID);
        assert_string_equal(err.where, "name");
        assert_int_equal(buf.n, 0);
        if (*bad[i] == '\0')
            continue; /* no namespace */
        err = (struct lg_err){0};
        assert_int_equal(lg_path_object(&buf, &vms, lg_str_of(bad[i]), LG_STR("db"), &err),
                         LG_E_INVALID);
        assert_string_equal(err.where, "namespace");
        assert_int_equal(buf.n, 0);
        lg_buf_done(&buf);
    }
}

static void only_plain_paths_are_plain(void **state)
{
    (void)state;
    assert_true(lg_path_is_plain(LG_STR("/api/v1/nodes?continue=a%2F..")));
    static const char *const bad[] = {"",     "api",   "/a/../b", "/a/./b",
                                      "//a",  "/a//b", "/a b",    "/a\r\nb",
                                      "/a#b", "/a\\b", "/a\x7f",  "/\xc3\xa4"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(lg_path_is_plain(lg_str_of(bad[i])));
}

static void all_of_a_namespace(void **state)
{
    (void)state;
    static const struct lg_resource claims = {"", "v1", "persistentvolumeclaims"};
    struct lg_buf buf lg_cleanup(lg_buf_done) = {0};
    struct lg_err err = {0};
    assert_int_equal(lg_path_in(&buf, &vms, LG_STR("shop"), &err), LG_E_OK);
    assert_string_equal(buf.p, "/apis/kubevirt.io/v1/namespaces/shop/virtualmachines");
    buf.n = 0;
    assert_int_equal(lg_path_in(&buf, &claims, LG_STR("a-1"), &err), LG_E_OK);
    assert_string_equal(buf.p, "/api/v1/namespaces/a-1/persistentvolumeclaims");
    buf.n = 0;
    static const char *const bad[] = {"", "..", "a/b", "A", "a?b", "kube-system/pods"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        err = (struct lg_err){0};
        assert_int_equal(lg_path_in(&buf, &vms, lg_str_of(bad[i]), &err), LG_E_INVALID);
        assert_string_equal(err.where, "namespace");
        assert_int_equal(buf.n, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_have_a_path),
        cmocka_unit_test(objects_have_a_path),
        cmocka_unit_test(names_that_lead_elsewhere_are_refused),
        cmocka_unit_test(all_of_a_namespace),
        cmocka_unit_test(only_plain_paths_are_plain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
