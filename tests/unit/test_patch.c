#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/kube/patch.h"
#include "tests/support/asserts.h"

static struct lg_arena arena;

static int teardown(void **state)
{
    (void)state;
    lg_arena_done(&arena);
    return 0;
}

static void operations_are_written_in_order(void **state)
{
    (void)state;
    struct lg_patch patch = {0};
    lg_patch_test_str(&patch, LG_STR("/a"), LG_STR("say \"x\"\n"));
    lg_patch_replace(&patch, LG_STR("/a"), LG_STR("0.1"));
    lg_patch_add(&patch, LG_STR("/b/-"), LG_STR("{ \"c\" : null }"));
    lg_patch_remove(&patch, LG_STR("/d"));
    assert_int_equal(patch.n, 4);
    lg_assert_str(lg_patch_finish(&patch),
                  "[{\"op\":\"test\",\"path\":\"/a\",\"value\":\"say \\\"x\\\"\\n\"},"
                  "{\"op\":\"replace\",\"path\":\"/a\",\"value\":0.1},"
                  "{\"op\":\"add\",\"path\":\"/b/-\",\"value\":{ \"c\" : null }},"
                  "{\"op\":\"remove\",\"path\":\"/d\"}]");
    lg_patch_done(&patch);
}

static void an_empty_patch_has_no_text(void **state)
{
    (void)state;
    struct lg_patch patch = {0};
    assert_int_equal(lg_patch_finish(&patch).n, 0);
    lg_patch_done(&patch);
}

static void pointers_lead_to_values(void **state)
{
    (void)state;
    struct lg_val root = LG_NONE;
    const char *text = "{\"a~b/c\":[1,{\"\":{\"deep\":true}}],\"z\":2}";
    assert_int_equal(lg_json_parse(&arena, lg_str_of(text), &root, NULL), LG_E_OK);
    struct lg_val list = lg_json_get(root, "a~b/c");
    struct lg_val deep = lg_json_get(lg_json_get(lg_json_item(list, 1), ""), "deep");
    lg_assert_str(lg_patch_pointer(root, root, &arena), "");
    lg_assert_str(lg_patch_pointer(root, list, &arena), "/a~0b~1c");
    lg_assert_str(lg_patch_pointer(root, deep, &arena), "/a~0b~1c/1//deep");
    lg_assert_str(lg_patch_pointer(list, deep, &arena), "/1//deep");
    lg_assert_str(lg_patch_pointer(LG_NONE, LG_NONE, &arena), "");
    lg_assert_str(
        lg_patch_below(LG_STR("/metadata/annotations"), LG_STR("livegate.io/mended"), &arena),
        "/metadata/annotations/livegate.io~1mended");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operations_are_written_in_order),
        cmocka_unit_test(an_empty_patch_has_no_text),
        cmocka_unit_test(pointers_lead_to_values),
    };
    return cmocka_run_group_tests(tests, NULL, teardown);
}
