#include "rules/core/rewrite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "webhook/cli/diff.h"

static struct lg_arena arena;

static int teardown(void **state)
{
    (void)state;
    lg_arena_done(&arena);
    return 0;
}

static struct lg_val json(const char *text)
{
    struct lg_val root = LG_NONE;
    assert_int_equal(lg_json_parse(&arena, lg_arena_str(&arena, lg_str_of(text)), &root, NULL),
                     LG_E_OK);
    return root;
}

/* Rewrites `text` (JSON where it begins with a brace and a quote) to `wanted`; the text, or why
 * not. */
static struct lg_str rewritten(const char *text, const char *wanted, struct lg_splices *ret)
{
    struct lg_yaml_document document = {.text = lg_str_of(text), .first_line = 1, .number = 1};
    struct lg_val as_json = strncmp(text, "{\"", 2) == 0 ? json(text) : LG_NONE;
    struct lg_rewrite_source source;
    struct lg_err err = {0};
    *ret = (struct lg_splices){.arena = &arena};
    if (as_json.doc != NULL)
        document.text = as_json.doc->text;
    if (lg_rewrite_open(&arena, &document, NULL, as_json, &source, &err) != LG_E_OK)
        fail_msg("%s: %s", text, err.text);
    enum lg_err_code code = lg_rewrite(&source, source.root, json(wanted), ret, &err);
    if (code == LG_E_OK)
        code = lg_splices_finish(ret, &err);
    if (code != LG_E_OK) {
        assert_int_equal(code, LG_E_UNSUPPORTED);
        assert_int_equal(err.code, LG_E_UNSUPPORTED);
        return lg_arena_printf(&arena, "!%s", err.text);
    }
    return lg_splices_apply(ret, document.text);
}

static void only_what_differs_is_written(void **state)
{
    static const struct {
        const char *text, *wanted, *becomes;
    } rows[] = {
        {"a: 1 # c\n", "{\"a\":1}", "a: 1 # c\n"},
        {"a: one # c\n", "{\"a\":\"two\"}", "a: two # c\n"},
        {"a: 'one'\n", "{\"a\":\"two\"}", "a: 'two'\n"},
        {"a: \"one\"\n", "{\"a\":\"two\"}", "a: \"two\"\n"},
        {"a: one\n", "{\"a\":\"off\"}", "a: \"off\"\n"},
        {"a: !!str one\n", "{\"a\":\"two\"}", "a: !!str two\n"},
        {"a: &x one\nb: *x\n", "{\"a\":\"two\",\"b\":\"two\"}", "a: &x two\nb: two\n"},
        {"a: &x one\nb: *x\n", "{\"a\":\"one\",\"b\":\"two\"}", "a: &x one\nb: two\n"},
        {"a:\nb: 1\n", "{\"a\":[\"x\"],\"b\":1}", "a: [x]\nb: 1\n"},
        {"a: ~\n", "{\"a\":{\"x\":{}}}", "a: {x: {}}\n"},
        {"a: []\n", "{\"a\":[{\"n\":\"x\",\"p\":{}}]}", "a: [{\"n\": x, p: {}}]\n"},
        {"a: {}\n", "{\"a\":{\"b\":\"c\"}}", "a: {b: c}\n"},
        {"a: {}\n", "{\"a\":{\"b\":1,\"c\":2}}", "a: {b: 1, c: 2}\n"},
        {"{\"a\":{}}", "{\"a\":{\"b\":1,\"c\":2}}", "{\"a\":{\"b\":1,\"c\":2}}"},
        {"a:\n  b:", "{\"a\":{\"b\":{\"x\":1},\"c\":2}}", "a:\n  b: {x: 1}\n  c: 2"},
        {"a: [x, # 1\n  y]\n", "{\"a\":[\"x\"]}",
         "!a comment stands between the items of the list"},
        {"a: { }\n", "{\"a\":{\"b\":\"c\"}}", "a: {b: c }\n"},
        {"a: {b: 1,}\n", "{\"a\":{\"b\":1,\"c\":2}}", "a: {b: 1, c: 2,}\n"},
        {"a: {b: 1} # c\n", "{\"a\":{\"x\":1}}", "a: {x: 1} # c\n"},
        {"a:\n    b: 1\nz: 1\n", "{\"a\":{\"b\":1,\"c\":2},\"z\":1}",
         "a:\n    b: 1\n    c: 2\nz: 1\n"},
        {"a:\n  b: 1", "{\"a\":{\"b\":1,\"c\":2},\"z\":3}", "a:\n  b: 1\n  c: 2\nz: 3"},
        {"a:\n- b: |\n    x\n\nc: 1\n", "{\"a\":[{\"b\":\"x\\n\",\"d\":2}],\"c\":1}",
         "a:\n- b: |\n    x\n\n  d: 2\nc: 1\n"},
        {"- &x\n  a: 1\n", "[{\"a\":1,\"b\":2}]", "- &x\n  a: 1\n  b: 2\n"},
        {"a:\r\n  b: 1\r\n", "{\"a\":{\"b\":1,\"c\":2}}", "a:\r\n  b: 1\r\n  c: 2\r\n"},
        {"a: [x, y,  z] # c\n", "{\"a\":[\"x\"]}", "a: [x] # c\n"},
        {"a:\n- x # 1\n# 2\n- y # 3\nb: 1\n", "{\"a\":[\"x\"],\"b\":1}",
         "a:\n- x # 1\n# 2\nb: 1\n"},
        {"\xC3\xA4: {\xC3\xB6: \xC3\xBC, b: 1}\n",
         "{\"\xC3\xA4\":{\"\xC3\xB6\":\"\xC3\xBC\",\"c\":1}}",
         "\xC3\xA4: {\xC3\xB6: \xC3\xBC, c: 1}\n"},
        {"{\"a\": {}, \"b\":\t[1, 2]}", "{\"a\":{\"x\":\"y\"},\"b\":[1]}",
         "{\"a\": {\"x\": \"y\"}, \"b\":\t[1]}"},
        {"{\"a\":{\"b\":1}}", "{\"a\":{\"c\":1,\"d\":[\"e\"]}}", "{\"a\":{\"c\":1,\"d\":[\"e\"]}}"},
        {"{\"a\": 1,\n \"b\": 2\n}", "{\"a\":1,\"b\":2,\"c\":3}",
         "{\"a\": 1,\n \"b\": 2,\n \"c\": 3\n}"},
        {"a: |\n  one\n", "{\"a\":\"two\"}", "!it is written over several lines"},
        {"a:\n- x\n", "{\"a\":{}}", "!it is written over several lines"},
        {"a: &x {b: 1}\nc: *x\n", "{\"a\":{\"b\":1},\"c\":{\"b\":1,\"d\":2}}",
         "!it stands behind an alias, which others share"},
        {"a: &x {b: 1}\nc: *x\n", "{\"a\":{\"b\":2},\"c\":{\"b\":3}}",
         "!two repairs would change the same text in different ways"},
        {"a: 1\nb: 2\n", "{\"a\":1}", "!a member would have to go"},
        {"a: &x [1]\nc: {d: 1, <<: {e: *x}}\n", "{\"a\":[1],\"c\":{\"d\":1,\"e\":[1],\"f\":1}}",
         "a: &x [1]\nc: {d: 1, <<: {e: *x, f: 1}}\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct lg_splices splices;
        struct lg_str got = rewritten(rows[i].text, rows[i].wanted, &splices);
        if (!lg_str_is(got, rows[i].becomes))
            fail_msg("row %zu:\n%s\nbecame\n%.*s\nnot\n%s", i, rows[i].text, LG_ARG(got),
                     rows[i].becomes);
    }
}

static void a_diff_names_lines_as_others_do(void **state)
{
    static const struct {
        const char *text, *wanted, *diff;
    } rows[] = {
        {"a: 1\n", "{\"a\":1}", ""},
        {"a: 1\nb: 2\nc: 3\nd: 4\ne: 5\nf: 6\n",
         "{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":9,\"f\":6}",
         "--- a/x.yaml\n+++ b/x.yaml\n@@ -2,5 +2,5 @@\n b: 2\n c: 3\n d: 4\n-e: 5\n+e: 9\n f: 6\n"},
        {"a: 1\n", "{\"a\":1,\"b\":2}",
         "--- a/x.yaml\n+++ b/x.yaml\n@@ -1 +1,2 @@\n a: 1\n+b: 2\n"},
        {"a: 1", "{\"a\":1,\"b\":2}",
         "--- a/x.yaml\n+++ b/x.yaml\n@@ -1 +1,2 @@\n-a: 1\n\\ No newline at end of file\n+a: 1\n"
         "+b: 2\n\\ No newline at end of file\n"},
        {"a: 1\nb: 2\nc: 3\nd: 4\ne: 5\nf: 6\ng: 7\nh: 8\ni: 9\n",
         "{\"a\":0,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7,\"h\":8,\"i\":0}",
         "--- a/x.yaml\n+++ b/x.yaml\n@@ -1,4 +1,4 @@\n-a: 1\n+a: 0\n b: 2\n c: 3\n d: 4\n@@ -6,4 "
         "+6,4 @@\n f: 6\n g: 7\n h: 8\n-i: 9\n+i: 0\n"},
        {"a: {b: 1, c: 2}\n", "{\"a\":{\"b\":3,\"c\":4}}",
         "--- a/x.yaml\n+++ b/x.yaml\n@@ -1 +1 @@\n-a: {b: 1, c: 2}\n+a: {b: 3, c: 4}\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct lg_splices splices;
        struct lg_buf diff = {0};
        (void)rewritten(rows[i].text, rows[i].wanted, &splices);
        lg_diff("x.yaml", lg_str_of(rows[i].text), &splices, &diff);
        if (!lg_str_is(lg_buf_view(&diff), rows[i].diff))
            fail_msg("row %zu:\n%s\nnot\n%s", i, diff.p != NULL ? diff.p : "", rows[i].diff);
        lg_buf_done(&diff);
    }
}

static void a_diff_names_any_file(void **state)
{
    static const struct {
        const char *name, *heads;
    } rows[] = {
        {"a/x.yaml", "--- a/a/x.yaml\n+++ b/a/x.yaml\n"},
        {"a b.yaml", "--- a/a b.yaml\t\n+++ b/a b.yaml\t\n"},
        {"\xC3\xBC.yaml", "--- a/\xC3\xBC.yaml\n+++ b/\xC3\xBC.yaml\n"},
        {"a\n\"\\\x1B b", "--- \"a/a\\n\\\"\\\\\\033 b\"\n+++ \"b/a\\n\\\"\\\\\\033 b\"\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct lg_splices splices;
        struct lg_buf diff = {0};
        (void)rewritten("a: 1\n", "{\"a\":2}", &splices);
        lg_diff(rows[i].name, LG_STR("a: 1\n"), &splices, &diff);
        if (diff.p == NULL || strstr(diff.p, rows[i].heads) != diff.p)
            fail_msg("row %zu:\n%s\nnot\n%s", i, diff.p != NULL ? diff.p : "", rows[i].heads);
        lg_buf_done(&diff);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(only_what_differs_is_written, teardown),
        cmocka_unit_test_teardown(a_diff_names_lines_as_others_do, teardown),
        cmocka_unit_test_teardown(a_diff_names_any_file, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
