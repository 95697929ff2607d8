/* Equality and paths of documents, also of those that somebody made to be slow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/objects.h"

static struct lg_objects objects;

static bool equal(const char *a, const char *b)
{
    bool there = lg_json_equal(lg_objects_parse(&objects, a), lg_objects_parse(&objects, b));
    bool back = lg_json_equal(lg_objects_parse(&objects, b), lg_objects_parse(&objects, a));
    assert_int_equal(there, back);
    return there;
}

static void order_of_members_does_not_count(void **state)
{
    (void)state;
    assert_true(equal("{'a':1,'b':{'c':[1,2],'d':'x'}}", "{'b':{'d':'\\u0078','c':[1,2]},'a':1}"));
    assert_false(equal("{'a':1,'b':2}", "{'a':1,'c':2}"));
    assert_false(equal("{'a':[1,2]}", "{'a':[2,1]}"));
    assert_false(equal("{'a':1}", "{'a':1,'b':1}"));
    assert_false(equal("{'a':1}", "{'a':1.0}"));
}

/* {"k0":0,...}, from the last to the first where `backwards`; the key with index `odd` is another
 * one. */
static struct lg_val wide(int n, bool backwards, int odd)
{
    struct lg_buf text = {0};
    for (int i = 0; i < n; i++) {
        int k = backwards ? n - 1 - i : i;
        lg_buf_printf(&text, "%s\"%s%d\":%d", i == 0 ? "{" : ",", k == odd ? "o" : "\\u006b", k, k);
    }
    lg_buf_putc(&text, '}');
    struct lg_str kept = lg_arena_str(&objects.arena, lg_buf_view(&text));
    lg_buf_done(&text);
    struct lg_val object;
    assert_int_equal(lg_json_parse(&objects.arena, kept, &object, NULL), LG_E_OK);
    return object;
}

static void many_members_in_another_order_are_found_by_name(void **state)
{
    (void)state;
    enum { N = 45000 };
    struct lg_val forwards = wide(N, false, -1), backwards = wide(N, true, -1);
    assert_true(lg_json_equal(forwards, backwards));
    assert_true(lg_json_equal(backwards, forwards));
    assert_false(lg_json_equal(forwards, wide(N, true, N / 2)));
    assert_false(lg_json_equal(wide(N, true, N / 2), forwards));
}

static void assert_path(const char *text, const char *at, const char *wanted)
{
    struct lg_val root = lg_objects_parse(&objects, text);
    assert_string_equal(lg_json_path(root, lg_json_at(root, at), &objects.arena).p, wanted);
}

static void paths_name_what_stands_around(void **state)
{
    (void)state;
    assert_path("{'a':{'b':1,'c':{'d':2}}}", "a.c.d", "a.c.d");
    assert_path("{'x':[],'a/b':{'c':1}}", "a/b.c", "[\"a/b\"].c");
    assert_path("{'a':1}", "", "");
    struct lg_val list = lg_objects_parse(&objects, "{'v':[[1],{},{'n':{'m':5}}]}");
    struct lg_val item = lg_json_item(lg_json_get(list, "v"), 2);
    assert_string_equal(lg_json_path(list, lg_json_at(item, "n.m"), &objects.arena).p, "v[2].n.m");
    struct lg_val key = {list.doc, 1}; /* a key is named by what holds it */
    assert_string_equal(lg_json_path(list, key, &objects.arena).p, "");
}

#define TEST(name) LG_OBJECTS_TEST(name, &objects)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(order_of_members_does_not_count),
        TEST(many_members_in_another_order_are_found_by_name),
        TEST(paths_name_what_stands_around),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
