#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rules/core/json.h"
#include "rules/core/mem.h"
#include "tests/support/asserts.h"

static struct lg_arena arena;

static int forget(void **state)
{
    (void)state;
    lg_arena_done(&arena);
    return 0;
}

static struct lg_val parse_str(struct lg_str text)
{
    struct lg_val root = LG_NONE;
    struct lg_err err = {0};
    assert_int_equal(lg_json_parse(&arena, text, &root, &err), LG_E_OK);
    assert_int_equal(err.code, LG_E_OK);
    return root;
}

static struct lg_val parse(const char *text)
{
    return parse_str(lg_str_of(text));
}

static void text_that_is_not_json_is_refused_where_it_stops(void **state)
{
    (void)state;
    static const struct {
        struct lg_str text;
        const char *where, *said;
    } rows[] = {
        {LG_STR(""), "line 1, column 1", "the text is empty"},
        {LG_STR(" \n\t"), "line 2, column 2", "the text is empty"},
        {LG_STR("{"), "line 1, column 2", "the text ends too early"},
        {LG_STR("[1,\n  2"), "line 2, column 4", "the text ends too early"},
        {LG_STR("1 2"), "line 1, column 3", "more text behind the value"},
        {LG_STR("1\0"), "line 1, column 2", "more text behind the value"},
        {LG_STR("[1,]"), "line 1, column 4", "expected a value"},
        {LG_STR("[,1]"), "line 1, column 2", "expected a value"},
        {LG_STR("[1 2]"), "line 1, column 4", "expected a comma or ]"},
        {LG_STR("[1}"), "line 1, column 3", "expected a comma or ]"},
        {LG_STR("{\"a\":1 \"b\":2}"), "line 1, column 8", "expected a comma or }"},
        {LG_STR("{\"a\":1,}"), "line 1, column 8", "expected a member's name in quotes"},
        {LG_STR("{a:1}"), "line 1, column 2", "expected a member's name in quotes"},
        {LG_STR("{\"a\" 1}"), "line 1, column 6", "expected a colon"},
        {LG_STR("{\"a\"}"), "line 1, column 5", "expected a colon"},
        {LG_STR("{\"a\":}"), "line 1, column 6", "expected a value"},
        {LG_STR("tru"), "line 1, column 1", "expected a value"},
        {LG_STR("True"), "line 1, column 1", "expected a value"},
        {LG_STR("NaN"), "line 1, column 1", "expected a value"},
        {LG_STR("+1"), "line 1, column 1", "expected a value"},
        {LG_STR("-"), "line 1, column 2", "expected a value"},
        {LG_STR(".5"), "line 1, column 1", "expected a value"},
        {LG_STR("01"), "line 1, column 2", "more text behind the value"},
        {LG_STR("1."), "line 1, column 3", "a number without digits behind its point"},
        {LG_STR("1e"), "line 1, column 3", "a number without digits in its exponent"},
        {LG_STR("1e400"), "line 1, column 6", "the number is out of range"},
        {LG_STR("\"a"), "line 1, column 3", "the text ends within a string"},
        {LG_STR("\"a\\"), "line 1, column 4", "the text ends within a string"},
        {LG_STR("\"a\nb\""), "line 1, column 3", "a control character in a string"},
        {LG_STR("\"a\0b\""), "line 1, column 3", "a control character in a string"},
        {LG_STR("\"\\x41\""), "line 1, column 4", "unknown escape in a string"},
        {LG_STR("\"\\'\""), "line 1, column 4", "unknown escape in a string"},
        {LG_STR("\"\\u12G4\""), "line 1, column 4", "\\u needs four hexadecimal digits"},
        {LG_STR("\"\\u12"), "line 1, column 4", "\\u needs four hexadecimal digits"},
        {LG_STR("\"\xC0\xAF\""), "line 1, column 2", "not UTF-8"},
        {LG_STR("\"a\xED\xA0\x80\""), "line 1, column 3", "not UTF-8"},
        {LG_STR("\"\xE2\x82"), "line 1, column 2", "not UTF-8"},
        {LG_STR("\xEF\xBB\xBF{}"), "line 1, column 1", "expected a value"},
        {LG_STR("\xC2\xA0{}"), "line 1, column 1", "expected a value"},
        {LG_STR("// c\n1"), "line 1, column 1", "expected a value"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct lg_val root = LG_NONE;
        struct lg_err err = {0};
        assert_int_equal(lg_json_parse(&arena, rows[i].text, &root, &err), LG_E_INVALID);
        assert_null(root.doc);
        lg_assert_err(&err, LG_E_INVALID, rows[i].where, rows[i].said);
    }
}

static void every_kind_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum lg_json_kind kind;
        const char *name;
        bool there;
    } rows[] = {
        {"null", LG_JSON_NULL, "null", false},
        {"false", LG_JSON_FALSE, "a boolean", true},
        {" true ", LG_JSON_TRUE, "a boolean", true},
        {"-1.5e3", LG_JSON_NUMBER, "a number", true},
        {"\"\"", LG_JSON_STRING, "a string", true},
        {"[]", LG_JSON_ARRAY, "a list", true},
        {"\t{\r\n}", LG_JSON_OBJECT, "an object", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct lg_val v = parse(rows[i].text);
        assert_int_equal(lg_json_kind(v), rows[i].kind);
        assert_string_equal(lg_json_kind_name(v), rows[i].name);
        assert_int_equal(lg_json_there(v), rows[i].there);
    }
    assert_int_equal(lg_json_kind(LG_NONE), LG_JSON_ABSENT);
    assert_string_equal(lg_json_kind_name(LG_NONE), "nothing");
}

static void members_are_found_and_null_is_absent(void **state)
{
    (void)state;
    struct lg_val root =
        parse("{\"a\":{\"b\":{\"c\":7}},\"n\":null,\"\":1,\"e\\u0078\":2,\"x.y\":3}");
    int64_t i = 0;
    assert_int_equal(lg_json_int64(lg_json_at(root, "a.b.c"), &i), LG_E_OK);
    assert_int_equal(i, 7);
    assert_int_equal(lg_json_int64(lg_json_get(root, "ex"), &i), LG_E_OK);
    assert_int_equal(i, 2);
    assert_int_equal(lg_json_int64(lg_json_get_str(root, (struct lg_str){0}), &i), LG_E_OK);
    assert_int_equal(i, 1);
    assert_null(lg_json_get(root, "n").doc);
    assert_true(lg_json_has(root, "n"));
    assert_false(lg_json_has(root, "b"));
    assert_null(lg_json_get(root, "A").doc);
    assert_null(lg_json_at(root, "a.x.c").doc);
    assert_null(lg_json_at(root, "x.y").doc);
    assert_int_equal(lg_json_at(root, "").i, root.i);
    assert_null(lg_json_get(lg_json_get(root, "x.y"), "a").doc);
    assert_null(lg_json_at(LG_NONE, "a.b").doc);
    assert_false(lg_json_has(LG_NONE, "a"));
    assert_int_equal(lg_json_len(root), 5);
}

static void items_are_counted_and_reached(void **state)
{
    (void)state;
    struct lg_val root = parse("[10,[1,2,[3]],{\"a\":[4]},null,\"x\"]");
    assert_int_equal(lg_json_len(root), 5);
    assert_int_equal(lg_json_len(lg_json_item(root, 1)), 3);
    assert_int_equal(lg_json_len(lg_json_item(root, 2)), 1);
    assert_true(lg_json_is(lg_json_item(root, 4), "x"));
    assert_null(lg_json_item(root, 3).doc);
    assert_null(lg_json_item(root, 5).doc);
    assert_null(lg_json_item(lg_json_item(root, 2), 0).doc);
    assert_int_equal(lg_json_len(lg_json_item(root, 4)), 0);
    assert_int_equal(lg_json_len(LG_NONE), 0);
}

static void iteration_visits_everything_in_order(void **state)
{
    (void)state;
    struct lg_buf seen lg_cleanup(lg_buf_done) = {0};
    struct lg_val root = parse("{\"b\":[1,null,{}],\"\\u0061\":null,\"c\":{\"d\":2}}");
    for (struct lg_json_iter it = lg_json_iter(root); lg_json_next(&it);)
        lg_buf_printf(&seen, "%zu:%.*s=%.*s;", it.index, LG_ARG(it.key),
                      LG_ARG(lg_json_text(it.val)));
    assert_string_equal(seen.p, "0:b=[1,null,{}];1:a=null;2:c={\"d\":2};");
    seen.n = 0;
    for (struct lg_json_iter it = lg_json_iter(lg_json_get(root, "b")); lg_json_next(&it);)
        lg_buf_printf(&seen, "%zu:%zu=%.*s;", it.index, it.key.n, LG_ARG(lg_json_text(it.val)));
    assert_string_equal(seen.p, "0:0=1;1:0=null;2:0={};");
    struct lg_json_iter none = lg_json_iter(LG_NONE);
    assert_false(lg_json_next(&none));
    struct lg_json_iter text = lg_json_iter(parse("\"a\""));
    assert_false(lg_json_next(&text));
    struct lg_json_iter empty = lg_json_iter(parse("{}"));
    assert_false(lg_json_next(&empty));
}

static void strings_are_unescaped_with_their_length(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        struct lg_str want;
    } rows[] = {
        {"\"\"", LG_STR("")},
        {"\"plain\"", LG_STR("plain")},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", LG_STR("\"\\/\b\f\n\r\t")},
        {"\"a\\u0000b\"", LG_STR("a\0b")},
        {"\"\\u00e9\\u00E9\\u65e5\\uD83D\\uDE00\"", LG_STR("éé日😀")},
        {"\"\\uffff\\ud7ff\\ue000\"", LG_STR("\xEF\xBF\xBF\xED\x9F\xBF\xEE\x80\x80")},
        {"\"\\udbff\\udfff\"", LG_STR("\xF4\x8F\xBF\xBF")},
        {"\"12345678\\n1234567\\t\"", LG_STR("12345678\n1234567\t")},
        {"\"\x7F\"", LG_STR("\x7F")},
        {"\"\\\\u0041\"", LG_STR("\\u0041")},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct lg_val v = parse(rows[i].text);
        struct lg_str s = lg_json_str(v);
        assert_true(lg_str_eq(s, rows[i].want));
        assert_non_null(s.p);
        assert_ptr_equal(lg_json_str(v).p, s.p);
        assert_true(lg_json_is_str(v, rows[i].want));
        assert_false(lg_json_is(v, "something else"));
        assert_string_equal(lg_json_text(v).p, rows[i].text);
        assert_int_equal(lg_json_text(v).n, strlen(rows[i].text));
    }
    assert_null(lg_json_str(parse("1")).p);
    assert_null(lg_json_str(LG_NONE).p);
    assert_false(lg_json_is(LG_NONE, ""));
    assert_false(lg_json_is(parse("\"a\\n\""), "a"));
    assert_false(lg_json_is(parse("\"a\\n\""), "a\nb"));
    lg_assert_str(lg_json_str_at(parse("{\"a\":{\"b\":\"c\"}}"), "a.b"), "c");
    assert_null(lg_json_str_at(parse("{\"a\":1}"), "a.b").p);
}

static void booleans_have_an_otherwise(void **state)
{
    (void)state;
    assert_true(lg_json_bool(parse("true"), false));
    assert_false(lg_json_bool(parse("false"), true));
    assert_true(lg_json_bool(parse("null"), true));
    assert_false(lg_json_bool(parse("\"true\""), false));
    assert_true(lg_json_bool(LG_NONE, true));
}

static void integers_are_exact_or_refused(void **state)
{
    (void)state;
    int64_t i = 7;
    assert_int_equal(lg_json_int64(parse("9223372036854775807"), &i), LG_E_OK);
    assert_true(i == INT64_MAX);
    i = 7;
    assert_int_equal(lg_json_int64(parse("9223372036854775808"), &i), LG_E_LIMIT);
    assert_int_equal(lg_json_int64(parse("1.0"), &i), LG_E_INVALID);
    assert_int_equal(lg_json_int64(parse("1e3"), &i), LG_E_INVALID);
    assert_int_equal(lg_json_int64(parse("\"1\""), &i), LG_E_INVALID);
    assert_int_equal(lg_json_int64(LG_NONE, &i), LG_E_INVALID);
    assert_int_equal(i, 7);
    struct lg_buf digits lg_cleanup(lg_buf_done) = {0};
    for (int n = 0; n < 400; n++)
        lg_buf_putc(&digits, '9');
    struct lg_val root = LG_NONE;
    assert_int_equal(lg_json_parse(&arena, lg_buf_view(&digits), &root, NULL), LG_E_INVALID);
    digits.n = 300;
    assert_int_equal(lg_json_int64(parse_str(lg_buf_view(&digits)), &i), LG_E_LIMIT);
}

static void assert_duplicate(const char *text, const char *where)
{
    struct lg_val root = LG_NONE;
    struct lg_err err = {0};
    assert_int_equal(lg_json_parse(&arena, lg_str_of(text), &root, &err), LG_E_LIMIT);
    lg_assert_err(&err, LG_E_LIMIT, where, "the key is there twice");
    assert_non_null(root.doc);
    assert_int_equal(lg_json_kind(root), LG_JSON_OBJECT);
}

static void a_key_may_stand_only_once(void **state)
{
    (void)state;
    assert_duplicate("{\"a\":1,\"a\":2}", "a");
    assert_duplicate("{\"a\":1,\"\\u0061\":2}", "a");
    assert_duplicate("{\"\\u0061\":1,\"a\":2}", "a");
    assert_duplicate("{\"\":1,\"\":2}", "[\"\"]");
    assert_duplicate("{\"x\":[{\"b\":1,\"c\":2,\"b\":3}]}", "x[0].b");
    struct lg_buf text lg_cleanup(lg_buf_done) = {0};
    for (int members = 1; members < 200; members++) {
        text.n = 0;
        for (int i = 0; i < members; i++)
            lg_buf_printf(&text, "%c\"key%d\":{\"in\":1}", i == 0 ? '{' : ',', i);
        lg_buf_puts(&text, "}");
        assert_int_equal(lg_json_len(parse_str(lg_buf_view(&text))), members);
        text.n--;
        lg_buf_printf(&text, ",\"k\\u0065y%d\":0}", members / 2);
        char where[32];
        snprintf(where, sizeof where, "key%d", members / 2);
        assert_duplicate(text.p, where);
    }
}

/* "name-0" and so on, of growing length; the `odd`th with a backslash, where it has one. */
static void put_keys(struct lg_buf *text, int members, int odd, int pad)
{
    for (int i = 0; i < members; i++)
        lg_buf_printf(text, "%c\"%s-%d%*s\":%d", i == 0 ? '{' : ',',
                      i == odd ? "nam\\u0065" : "name", i, pad * (i % 5), "", i);
}

static void assert_keys(struct lg_val root, int members, int pad)
{
    char key[256];
    int64_t value = -1;
    for (int i = 0; i < members; i++) {
        snprintf(key, sizeof key, "name-%d%*s", i, pad * (i % 5), "");
        assert_int_equal(lg_json_int64(lg_json_get(root, key), &value), LG_E_OK);
        assert_int_equal(value, i);
        assert_true(lg_json_has(root, key));
        key[0] = 'g';
        assert_false(lg_json_has(root, key));
    }
    assert_false(lg_json_has(root, ""));
}

/* Few and many, short and long, with and without a backslash; and where a duplicate cut the text
 * off. */
static void each_key_is_found_and_no_other(void **state)
{
    (void)state;
    static const int pads[] = {0, 1, 40};
    for (int members = 1; members <= 70; members++) {
        for (size_t p = 0; p < sizeof pads / sizeof *pads; p++) {
            struct lg_buf text lg_cleanup(lg_buf_done) = {0};
            struct lg_val root = LG_NONE;
            put_keys(&text, members, members % 7 == 0 ? members / 2 : -1, pads[p]);
            lg_buf_putc(&text, '}');
            assert_keys(parse_str(lg_buf_view(&text)), members, pads[p]);
            text.n--;
            lg_buf_puts(&text, ",\"name-0\":0}");
            assert_int_equal(lg_json_parse(&arena, lg_buf_view(&text), &root, NULL), LG_E_LIMIT);
            assert_keys(root, members, pads[p]);
        }
    }
}

/* Each closes behind those inside it; and a key that is no text ends it all. */
static void objects_of_many_keys_stand_in_one_another(void **state)
{
    (void)state;
    enum { MEMBERS = 50 };
    struct lg_buf text lg_cleanup(lg_buf_done) = {0};
    struct lg_err err = {0};
    struct lg_val root = LG_NONE;
    for (int i = 0; i < MEMBERS; i++) {
        lg_buf_printf(&text, "%c\"\\u006f-%d\":", i == 0 ? '{' : ',', i);
        for (int j = 0; j < MEMBERS; j++)
            lg_buf_printf(&text, "%c\"\\u0069-%d\":%d", j == 0 ? '{' : ',', j, i * MEMBERS + j);
        lg_buf_putc(&text, '}');
    }
    lg_buf_puts(&text, ",\"\\ud800\":1}");
    assert_int_equal(lg_json_parse(&arena, lg_buf_view(&text), &root, &err), LG_E_LIMIT);
    assert_int_equal(err.code, LG_E_LIMIT);
    assert_string_equal(err.text, "a surrogate without its other half");
    for (int i = 0; i < MEMBERS * MEMBERS; i++) {
        char path[32];
        int64_t value = -1;
        snprintf(path, sizeof path, "o-%d.i-%d", i / MEMBERS, i % MEMBERS);
        assert_int_equal(lg_json_int64(lg_json_at(root, path), &value), LG_E_OK);
        assert_int_equal(value, i);
        path[0] = 'i';
        assert_false(lg_json_there(lg_json_at(root, path)));
    }
}

static void equal_keys_of_different_objects_are_fine(void **state)
{
    (void)state;
    struct lg_buf text lg_cleanup(lg_buf_done) = {0};
    for (int object = 0; object < 20; object++) {
        lg_buf_putc(&text, object == 0 ? '[' : ',');
        for (int i = 0; i < 30; i++)
            lg_buf_printf(&text, "%c\"k%d\":{\"k%d\":1}", i == 0 ? '{' : ',', i, i);
        lg_buf_putc(&text, '}');
    }
    lg_buf_putc(&text, ']');
    assert_int_equal(lg_json_len(parse_str(lg_buf_view(&text))), 20);
}

static void what_stood_before_a_violation_can_be_read(void **state)
{
    (void)state;
    struct lg_val root = LG_NONE;
    struct lg_str text = LG_STR(
        "{\"request\":{\"uid\":\"u-1\",\"object\":{\"spec\":{\"a\":[1,{\"b\":1,\"b\":2}]}}}}");
    struct lg_err err = {0};
    assert_int_equal(lg_json_parse(&arena, text, &root, &err), LG_E_LIMIT);
    assert_string_equal(err.where, "request.object.spec.a[1].b");
    lg_assert_str(lg_json_str_at(root, "request.uid"), "u-1");
    struct lg_val list = lg_json_at(root, "request.object.spec.a");
    assert_int_equal(lg_json_len(list), 2);
    assert_int_equal(lg_json_len(lg_json_item(list, 1)), 2);
}

static void depth_is_limited(void **state)
{
    (void)state;
    struct lg_buf text lg_cleanup(lg_buf_done) = {0};
    for (int i = 0; i < 64; i++)
        lg_buf_puts(&text, "[");
    for (int i = 0; i < 64; i++)
        lg_buf_puts(&text, "]");
    struct lg_val v = parse_str(lg_buf_view(&text));
    assert_true(lg_json_equal(v, v));
    text.n = 0;
    for (int i = 0; i < 65; i++)
        lg_buf_puts(&text, "{\"a\":");
    struct lg_val root = LG_NONE;
    struct lg_err err = {0};
    assert_int_equal(lg_json_parse(&arena, lg_buf_view(&text), &root, &err), LG_E_LIMIT);
    assert_string_equal(err.text, "nested more than 64 levels deep");
    assert_memory_equal(err.where, "a.a.a.a", 7);
    assert_non_null(root.doc);
    assert_true(lg_json_equal(root, root));
}

/* A list of so many numbers. */
static void make_list(struct lg_buf *text, int values)
{
    text->n = 0;
    for (int i = 0; i < values; i++)
        lg_buf_puts(text, i == 0 ? "[1" : ",1");
    lg_buf_puts(text, "]");
}

static void the_number_of_values_is_limited(void **state)
{
    (void)state;
    struct lg_buf text lg_cleanup(lg_buf_done) = {0};
    make_list(&text, LG_JSON_NODES_MAX - 1);
    assert_int_equal(lg_json_len(parse_str(lg_buf_view(&text))), LG_JSON_NODES_MAX - 1);
    make_list(&text, LG_JSON_NODES_MAX);
    struct lg_val root = LG_NONE;
    struct lg_err err = {0};
    assert_int_equal(lg_json_parse(&arena, lg_buf_view(&text), &root, &err), LG_E_LIMIT);
    assert_string_equal(err.text, "more than 200,000 values");
    assert_string_equal(err.where, "[199998]");
    assert_int_equal(lg_json_len(root), LG_JSON_NODES_MAX - 1);

    make_list(&text, LG_JSON_NODES_MAX - 3);
    text.n--;
    lg_buf_puts(&text, ",{\"a\":1}]");
    struct lg_err in_object = {0};
    assert_int_equal(lg_json_parse(&arena, lg_buf_view(&text), &root, &in_object), LG_E_LIMIT);
    assert_string_equal(in_object.where, "[199997].a");
    assert_int_equal(lg_json_len(lg_json_item(root, LG_JSON_NODES_MAX - 3)), 1);
}

static void equality_is_of_values(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool equal;
    } rows[] = {
        {"1", "1", true},
        {"1", "1.0", false},
        {"1", "2", false},
        {"1", "\"1\"", false},
        {"true", "false", false},
        {"null", "null", true},
        {"\"a\\u0062\"", "\"ab\"", true},
        {"\"ab\"", "\"\\u0061b\"", true},
        {"\"\\u0061b\"", "\"a\\u0062\"", true},
        {"\"ab\"", "\"ac\"", false},
        {"[1,2]", "[ 1 , 2 ]", true},
        {"[1,2]", "[2,1]", false},
        {"[1]", "[1,1]", false},
        {"[]", "{}", false},
        {"{}", " { } ", true},
        {"{\"a\":1,\"b\":[{\"c\":2,\"d\":3}]}", "{\"b\":[{\"d\":3,\"c\":2}],\"a\":1}", true},
        {"{\"a\":1,\"b\":2}", "{\"a\":1,\"c\":2}", false},
        {"{\"a\":1}", "{\"a\":null}", false},
        {"{\"a\":1,\"\\u0062\":2,\"c\":3}", "{\"c\":3,\"b\":2,\"a\":1}", true},
        {"{\"a\":{\"x\":1},\"b\":1}", "{\"b\":1,\"a\":{\"x\":2}}", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct lg_val a = parse(rows[i].a);
        struct lg_val b = parse(rows[i].b);
        assert_int_equal(lg_json_equal(a, b), rows[i].equal);
        assert_int_equal(lg_json_equal(b, a), rows[i].equal);
        assert_true(lg_json_equal(a, a));
    }
    assert_true(lg_json_equal(LG_NONE, LG_NONE));
    assert_false(lg_json_equal(LG_NONE, parse("null")));
}

/* Members in reverse: searching for each of them would take minutes. */
static void large_objects_in_another_order_are_compared_quickly(void **state)
{
    (void)state;
    enum { MEMBERS = 90000 };
    struct lg_buf up lg_cleanup(lg_buf_done) = {0};
    struct lg_buf down lg_cleanup(lg_buf_done) = {0};
    for (int i = 0; i < MEMBERS; i++) {
        lg_buf_printf(&up, "%c\"k%d\":%d", i == 0 ? '{' : ',', i, i);
        lg_buf_printf(&down, "%c\"k%d\":%d", i == 0 ? '{' : ',', MEMBERS - 1 - i, MEMBERS - 1 - i);
    }
    lg_buf_putc(&up, '}');
    lg_buf_putc(&down, '}');
    struct lg_val a = parse_str(lg_buf_view(&up));
    struct lg_val b = parse_str(lg_buf_view(&down));
    assert_true(lg_json_equal(a, b));
    down.p[down.n - 2] = '1';
    assert_false(lg_json_equal(a, parse_str(lg_buf_view(&down))));
}

static void paths_name_every_value(void **state)
{
    (void)state;
    struct lg_val root = parse("{\"spec\":{\"volumes\":[{\"name\":\"a\"},{\"na-me_2\":1}]},"
                               "\"a.b/c\":{\"\":1,\"q\\n\":[[5]]}}");
    static const struct {
        const char *text, *path;
    } rows[] = {{"\"a\"", "spec.volumes[0].name"},
                {"1", "spec.volumes[1].na-me_2"},
                {"5", "[\"a.b/c\"][\"q\\x0a\"][0][0]"}};
    size_t found = 0;
    for (uint32_t i = 0; i < root.doc->count; i++) {
        struct lg_val v = {root.doc, i};
        for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
            if (!lg_str_is(lg_json_text(v), rows[r].text) || found != r)
                continue;
            lg_assert_str(lg_json_path(root, v, &arena), rows[r].path);
            found++;
        }
    }
    assert_int_equal(found, sizeof rows / sizeof *rows);
    lg_assert_str(lg_json_path(root, root, &arena), "");
    struct lg_val spec = lg_json_get(root, "spec");
    lg_assert_str(lg_json_path(spec, lg_json_item(lg_json_get(spec, "volumes"), 1), &arena),
                  "volumes[1]");
    lg_assert_str(lg_json_path(LG_NONE, LG_NONE, &arena), "");
}

static void marks_are_lines_and_columns_of_the_token(void **state)
{
    (void)state;
    struct lg_val root = parse("{\n  \"é\": [1,\n \"b\"]\n}");
    struct lg_val list = lg_json_get(root, "é");
    struct lg_mark mark = lg_json_mark(list);
    assert_int_equal(mark.line, 2);
    assert_int_equal(mark.column, 9);
    mark = lg_json_mark(lg_json_item(list, 1));
    assert_int_equal(mark.line, 3);
    assert_int_equal(mark.column, 2);
    mark = lg_json_mark(LG_NONE);
    assert_int_equal(mark.line, 0);
}

static void a_document_with_a_file_says_where_in_it(void **state)
{
    (void)state;
    struct lg_doc doc = {
        .text = LG_STR("{\"a\":\n tru}"), .arena = &arena, .file = "f.json", .first_line = 10};
    struct lg_val root = LG_NONE;
    struct lg_err err = {0};
    assert_int_equal(lg_json_parse_doc(&doc, &root, &err), LG_E_INVALID);
    assert_string_equal(err.where, "f.json:11:2");
    assert_string_equal(err.text, "expected a value");
    assert_null(root.doc);

    doc.text = LG_STR("{\"a\":1,\n\"b\":2,\n  \"a\":2}");
    struct lg_err twice = {0};
    assert_int_equal(lg_json_parse_doc(&doc, &root, &twice), LG_E_LIMIT);
    assert_string_equal(twice.where, "f.json:12:3");
    assert_string_equal(twice.text, "the key is there twice");

    doc.text = LG_STR("{\"a\":1,\n\"b\":2}");
    assert_int_equal(lg_json_parse_doc(&doc, &root, NULL), LG_E_OK);
    assert_int_equal(lg_json_mark(lg_json_get(root, "b")).line, 11);
}

static void what_is_passed_over_reads_as_null(void **state)
{
    (void)state;
    struct lg_doc doc = {.text = LG_STR("{\"m\":{\"skip\": [{\"a\":1,\"a\":\"]\\\"\"}] ,\"b\":2},"
                                        "\"skip\":\"text\",\"c\":[\"skip\"],\"d\":{\"skip\":{}}}"),
                         .arena = &arena,
                         .without = LG_STR("skip")};
    struct lg_val root = LG_NONE;
    struct lg_err err = {0};
    assert_int_equal(lg_json_parse_doc(&doc, &root, &err), LG_E_OK);
    int64_t n = 0;
    assert_int_equal(lg_json_int64(lg_json_at(root, "m.b"), &n), LG_E_OK);
    assert_int_equal(n, 2);
    assert_false(lg_json_there(lg_json_at(root, "m.skip")));
    assert_int_equal(lg_json_len(lg_json_get(root, "m")), 2);
    assert_int_equal(lg_json_len(lg_json_at(root, "d")), 1);
    assert_false(lg_json_there(lg_json_at(root, "d.skip")));
    /* only objects and lists, and only behind a key */
    assert_true(lg_json_is(lg_json_get(root, "skip"), "text"));
    assert_true(lg_json_is(lg_json_item(lg_json_get(root, "c"), 0), "skip"));

    doc.text = LG_STR("{\"skip\":[{\"a\":\"]}\"}");
    assert_int_equal(lg_json_parse_doc(&doc, &root, &err), LG_E_INVALID);
    assert_string_equal(err.where, "line 1, column 20");
    assert_string_equal(err.text, "the text ends too early");
    assert_int_equal(err.os_errno, 0);
    struct lg_err twice = {0};
    doc.text = LG_STR("{\"skip\":[],\"skip\":[]}");
    assert_int_equal(lg_json_parse_doc(&doc, &root, &twice), LG_E_LIMIT);
    assert_string_equal(twice.where, "skip");
    assert_string_equal(twice.text, "the key is there twice");
}

#define JSON_TEST(name) cmocka_unit_test_teardown(name, forget)

int main(void)
{
    const struct CMUnitTest tests[] = {
        JSON_TEST(text_that_is_not_json_is_refused_where_it_stops),
        JSON_TEST(every_kind_is_told),
        JSON_TEST(members_are_found_and_null_is_absent),
        JSON_TEST(items_are_counted_and_reached),
        JSON_TEST(iteration_visits_everything_in_order),
        JSON_TEST(strings_are_unescaped_with_their_length),
        JSON_TEST(booleans_have_an_otherwise),
        JSON_TEST(integers_are_exact_or_refused),
        JSON_TEST(a_key_may_stand_only_once),
        JSON_TEST(each_key_is_found_and_no_other),
        JSON_TEST(objects_of_many_keys_stand_in_one_another),
        JSON_TEST(equal_keys_of_different_objects_are_fine),
        JSON_TEST(what_stood_before_a_violation_can_be_read),
        JSON_TEST(depth_is_limited),
        JSON_TEST(the_number_of_values_is_limited),
        JSON_TEST(equality_is_of_values),
        JSON_TEST(large_objects_in_another_order_are_compared_quickly),
        JSON_TEST(paths_name_every_value),
        JSON_TEST(marks_are_lines_and_columns_of_the_token),
        JSON_TEST(a_document_with_a_file_says_where_in_it),
        JSON_TEST(what_is_passed_over_reads_as_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
