#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rules/core/mem.h"
#include "rules/core/yaml.h"
#include "tests/support/asserts.h"

static struct lg_arena arena;

static int forget(void **state)
{
    (void)state;
    lg_arena_done(&arena);
    return 0;
}

static enum lg_err_code read_str(struct lg_str text, struct lg_val *ret_root, struct lg_err *err)
{
    struct lg_yaml_document document = {.text = text, .first_line = 1, .number = 1};
    return lg_yaml_parse(&arena, &document, "f", ret_root, err);
}

static struct lg_val parse(const char *text)
{
    struct lg_val root = LG_NONE;
    struct lg_err err = {0};
    enum lg_err_code code = read_str(lg_str_of(text), &root, &err);
    if (code != LG_E_OK)
        fail_msg("%s: %s: %s", text, err.where, err.text);
    return root;
}

struct row {
    const char *yaml, *json;
};

/* The rendered text itself: Go's numbers, our order. */
static void assert_rows(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct lg_val root = parse(rows[i].yaml);
        struct lg_str got = root.doc != NULL ? lg_json_text(root) : LG_STR("null");
        if (!lg_str_is(got, rows[i].json))
            fail_msg("%s: expected %s, got %.*s", rows[i].yaml, rows[i].json, LG_ARG(got));
    }
}

#define ASSERT_ROWS(rows) assert_rows(rows, sizeof(rows) / sizeof *(rows))

struct refused {
    struct lg_str yaml;
    const char *where, *said;
};

static void assert_refused(const struct refused *rows, size_t n, enum lg_err_code code)
{
    for (size_t i = 0; i < n; i++) {
        struct lg_val root = LG_NONE;
        struct lg_err err = {0};
        if (read_str(rows[i].yaml, &root, &err) != code)
            fail_msg("%.*s: %s", LG_ARG(rows[i].yaml), lg_err_name(err.code));
        assert_null(root.doc);
        lg_assert_err(&err, code, rows[i].where, rows[i].said);
    }
}

#define ASSERT_REFUSED(rows, code) assert_refused(rows, sizeof(rows) / sizeof *(rows), code)

static void words_are_those_of_yaml_1_1(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"[y, Y, yes, Yes, YES, true, True, TRUE, on, On, ON]",
         "[true,true,true,true,true,true,true,true,true,true,true]"},
        {"[n, N, no, No, NO, false, False, FALSE, off, Off, OFF]",
         "[false,false,false,false,false,false,false,false,false,false,false]"},
        {"[~, null, Null, NULL, ]", "[null,null,null,null]"},
        {"[yEs, tRUE, oN, nULL, nO, 'yes', \"no\", 'null', '~', '']",
         "[\"yEs\",\"tRUE\",\"oN\",\"nULL\",\"nO\",\"yes\",\"no\",\"null\",\"~\",\"\"]"},
        {"a:\nb: ", "{\"a\":null,\"b\":null}"},
        {"[.INFx, inf, nan, .iNF]", "[\".INFx\",\"inf\",\"nan\",\".iNF\"]"},
    };
    ASSERT_ROWS(rows);
}

static void integers_are_those_of_go(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"[0, -0, +1, 007, 017, 0o17, 0O17, 0x1F, 0X1f, -0x1, 0b101, 0B11, -0b101]",
         "[0,0,1,7,15,15,15,31,31,-1,5,3,-5]"},
        {"[1_000, 1_, 1__0, 0x_1, _1, -_1]", "[1000,1,10,1,\"_1\",-1]"},
        {"[08, 09, 0o8, 0x, 0b, 0o, 0b2, 0xg]",
         "[8,9,\"0o8\",\"0x\",\"0b\",\"0o\",\"0b2\",\"0xg\"]"},
        {"[0b-101, 0b+1, -0b-1]", "[-5,1,\"-0b-1\"]"},
        {"[9223372036854775807, -9223372036854775808]",
         "[9223372036854775807,-9223372036854775808]"},
        {"[9223372036854775808, 18446744073709551615, 0xFFFFFFFFFFFFFFFF]",
         "[9223372036854775808,18446744073709551615,18446744073709551615]"},
        {"[18446744073709551616, -9223372036854775809, +18446744073709551615]",
         "[18446744073709552000,-9223372036854776000,18446744073709552000]"},
        {"[0x1FFFFFFFFFFFFFFFF, 1:30, 12:30:45, 2001-12-14, 1-2, +, -, --]",
         "[\"0x1FFFFFFFFFFFFFFFF\",\"1:30\",\"12:30:45\",\"2001-12-14\",\"1-2\",\"+\",\"-\","
         "\"--\"]"},
    };
    ASSERT_ROWS(rows);
}

static void floats_are_printed_as_go_prints_them(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"[1.5, 1., .5, -.5, +.5, 1e3, 1E3, 1e+3, 1e-3, 0.1]",
         "[1.5,1,0.5,-0.5,0.5,1000,1000,1000,0.001,0.1]"},
        {"[1e20, 1e21, 123456789e15, 1e-6, 1e-7, 1.5e-10]",
         "[100000000000000000000,1e+21,1.23456789e+23,0.000001,1e-7,1.5e-10]"},
        {"[0.30000000000000004, 1.7976931348623157e308, 5e-324, 1e-400]",
         "[0.30000000000000004,1.7976931348623157e+308,5e-324,0]"},
        {"[1e400, -1e400, 1e, e1, ., .., -., 1.2.3]",
         "[\"1e400\",\"-1e400\",\"1e\",\"e1\",\".\",\"..\",\"-.\",\"1.2.3\"]"},
        {"[.1_5, ._1, .1_, 1._5, 1_.5]", "[0.15,\"._1\",\".1_\",1.5,1.5]"},
        {"[-0.0, 0.0, 1.0]", "[-0,0,1]"},
        /* At powers of two the shortest digits are not always the nearest ones of their length. */
        {"[9007199254740992.0, 9.5367431640625e-07, 5.684341886080802e-14]",
         "[9007199254740992,9.5367431640625e-7,5.684341886080802e-14]"},
    };
    ASSERT_ROWS(rows);
}

static void keys_become_strings(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"yes: 1\nno: 2", "{\"true\":1,\"false\":2}"},
        {"0x10: a\n007: b\n1_0: c", "{\"16\":\"a\",\"7\":\"b\",\"10\":\"c\"}"},
        {"1.50: a\n1e20: b\n100000.0: c\n1000000.0: d\n0.0001: e\n0.00001: f",
         "{\"1.5\":\"a\",\"1e+20\":\"b\",\"100000\":\"c\",\"1e+06\":\"d\",\"0.0001\":\"e\",\"1e-"
         "05\":\"f\"}"},
        {"18446744073709551616: a", "{\"1.8446744e+19\":\"a\"}"},
        {".inf: a\n-.Inf: b\n.NaN: c", "{\".inf\":\"a\",\"-.inf\":\"b\",\".nan\":\"c\"}"},
        {"1e300: a\n-1e300: b\n1e-300: c", "{\".inf\":\"a\",\"-.inf\":\"b\",\"0\":\"c\"}"},
        {"'1': a\n\"\": b\n? c\n: d\n2001-01-01: e",
         "{\"1\":\"a\",\"\":\"b\",\"c\":\"d\",\"2001-01-01\":\"e\"}"},
        {"a b: c\nhttp://x/y: d\n?: e\n=: f",
         "{\"a b\":\"c\",\"http://x/y\":\"d\",\"?\":\"e\",\"=\":\"f\"}"},
        {"[]: a", "[]"},
        {"{}: a", "{}"},
    };
    ASSERT_ROWS(rows);
}

static void tags_decide_or_refuse(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"[!!str 1, !!str ~, !!str , !!str yes]", "[\"1\",\"~\",\"\",\"yes\"]"},
        {"[!!int \"12\", !!float 3, !!float \"1e2\", !!bool 'yes', !!null '']",
         "[12,3,100,true,null]"},
        {"[! 12, !own 12, !!foo 12, !!map 12]", "[\"12\",\"12\",\"12\",\"12\"]"},
        {"[!<tag:yaml.org,2002:int> '7', !!timestamp 2001-1-2]", "[7,\"2001-1-2\"]"},
        {"!!timestamp 2001-12-14t21:59:43.10-05:00", "\"2001-12-14t21:59:43.10-05:00\""},
        {"!!timestamp 2004-02-29 1:2:3.4", "\"2004-02-29 1:2:3.4\""},
        {"[!!binary aGVsbG8=, !!binary YQ==, !!binary \"YW\\nJj\", !!binary '']",
         "[\"hello\",\"a\",\"abc\",\"\"]"},
        /* Bytes that are no UTF-8 are replaced one by one, as Go does. */
        {"!!binary gICA", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
        {"!!seq {a: b}", "{\"a\":\"b\"}"},
        {"%TAG !e! tag:yaml.org,2002:\n---\n!e!int '3'", "3"},
    };
    ASSERT_ROWS(rows);
    static const struct refused refused[] = {
        {LG_STR("a: !!int x"), "f:1:4", "!!int in front of what is no integer"},
        {LG_STR("!!int 1.5"), "f:1:1", "!!int in front of what is no integer"},
        {LG_STR("!!float 18446744073709551615"), "f:1:1", "!!float in front of what is no number"},
        {LG_STR("!!bool 1"), "f:1:1", "!!bool in front of what is no boolean"},
        {LG_STR("!!null x"), "f:1:1", "!!null in front of what is not null"},
        {LG_STR("!!timestamp 2001-02-29"), "f:1:1", "!!timestamp in front of what is no time"},
        {LG_STR("!!timestamp 2001-2-2 1:2:3 Z"), "f:1:1",
         "!!timestamp in front of what is no time"},
        {LG_STR("!!binary YQ="), "f:1:1", "!!binary that is not base64"},
        {LG_STR("!!binary YQ==YQ=="), "f:1:1", "!!binary that is not base64"},
        {LG_STR("!!binary Y==="), "f:1:1", "!!binary that is not base64"},
        {LG_STR("[!own, b]"), "f:1:2",
         "a comma cannot follow a tag: YAML 1.1 counts it to the tag"},
    };
    ASSERT_REFUSED(refused, LG_E_INVALID);
}

static void scalars_are_folded_and_escaped_as_yaml_says(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"a: |\n  x\n   y\n\n  z\n", "{\"a\":\"x\\n y\\n\\nz\\n\"}"},
        {"a: >-\n  b\n  c\n\n  d\n", "{\"a\":\"b c\\nd\"}"},
        {"a: |+\n  x\n\n\n", "{\"a\":\"x\\n\\n\\n\"}"},
        {"a: b\n  c\n", "{\"a\":\"b c\"}"},
        {"'it''s'", "\"it's\""},
        {"\"\\x41\\u00e9\\U0001F600\\e\\0\\t\\\"\\\\\"", "\"Aé😀\\u001b\\u0000\\t\\\"\\\\\""},
        {"\"\\N\\_\\L\\P\"", "\"\xC2\x85\xC2\xA0\xE2\x80\xA8\xE2\x80\xA9\""},
        {"a#b: c #d", "{\"a#b\":\"c\"}"},
        {"[a b, 'c', \"d\"]", "[\"a b\",\"c\",\"d\"]"},
    };
    ASSERT_ROWS(rows);
}

static void aliases_and_merges_are_expanded(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"a: &x {b: 1, c: [2]}\nd: *x\ne: [*x, *x]",
         "{\"a\":{\"b\":1,\"c\":[2]},\"d\":{\"b\":1,\"c\":[2]},\"e\":[{\"b\":1,\"c\":[2]},{\"b\":1,"
         "\"c\":[2]}]}"},
        {"a: &x 1\nb: &x 2\nc: *x", "{\"a\":1,\"b\":2,\"c\":2}"},
        {"a: &k 1.0\n*k : b\nc: *k", "{\"a\":1,\"1\":\"b\",\"c\":1}"},
        {"&k yes: *k", "{\"true\":true}"},
        {"a: &e []\nb: *e\nc: &f {}\nd: *f", "{\"a\":[],\"b\":[],\"c\":{},\"d\":{}}"},
        {"x: &x [&y {a: 1}, *y]\nz: *x",
         "{\"x\":[{\"a\":1},{\"a\":1}],\"z\":[{\"a\":1},{\"a\":1}]}"},
        {"x: &x {a: 1, b: 2}\nm:\n  c: 0\n  <<: *x\n  d: 3",
         "{\"x\":{\"a\":1,\"b\":2},\"m\":{\"c\":0,\"a\":1,\"b\":2,\"d\":3}}"},
        {"x: &x {a: 1}\nz: &z {b: 2}\nm: {<<: [*x, *z, {c: 3}], d: 4}",
         "{\"x\":{\"a\":1},\"z\":{\"b\":2},\"m\":{\"a\":1,\"b\":2,\"c\":3,\"d\":4}}"},
        {"a: 1\n<<: &i {b: 2}\nc: *i", "{\"a\":1,\"b\":2,\"c\":{\"b\":2}}"},
        {"m: {<<: [], <<: {}, a: 1}", "{\"m\":{\"a\":1}}"},
        {"<<: {<<: {a: 1}, b: 2}", "{\"a\":1,\"b\":2}"},
        {"\"<<\": a", "{\"<<\":\"a\"}"},
        {"!!str <<: a", "{\"<<\":\"a\"}"},
        {"a: <<", "{\"a\":\"<<\"}"},
    };
    ASSERT_ROWS(rows);
    static const struct refused refused[] = {
        {LG_STR("a: *b"), "f:1:4", "an alias to an anchor that is not there"},
        {LG_STR("a: &a [*a]"), "f:1:8", "an anchor that contains itself"},
        {LG_STR("&a {<<: *a}"), "f:1:9", "an anchor that contains itself"},
        {LG_STR("<<: a"), "f:1:5", "<< takes an object or a list of objects"},
        {LG_STR("<<: [a]"), "f:1:6", "<< takes an object or a list of objects"},
        {LG_STR("<<: [[]]"), "f:1:6", "<< takes an object or a list of objects"},
        {LG_STR("a: &a []\n<<: *a"), "f:2:5", "<< takes an object or a list of objects"},
        {LG_STR("a: &a {}\n*a : b"), "f:2:1", "a list or an object cannot be a key"},
    };
    ASSERT_REFUSED(refused, LG_E_INVALID);
}

static void keys_are_compared_after_resolution(void **state)
{
    (void)state;
    static const struct refused rows[] = {
        {LG_STR("a: 1\nb: 2\na: 3"), "f:3:1", "the key is there twice"},
        {LG_STR("yes: 1\non: 2"), "f:2:1", "the key is there twice"},
        {LG_STR("1: a\n'1': b"), "f:2:1", "the key is there twice"},
        {LG_STR("x: {a: 1, \"a\": 2}"), "f:1:11", "the key is there twice"},
        {LG_STR("b: &b {k: 1}\nm:\n  k: 9\n  <<: *b"), "f:1:8", "the key is there twice"},
        {LG_STR("m:\n  <<: {k: 1}\n  k: 9"), "f:3:3", "the key is there twice"},
    };
    ASSERT_REFUSED(rows, LG_E_LIMIT);
}

static void what_kubectl_refuses_is_refused(void **state)
{
    (void)state;
    static const struct refused rows[] = {
        {LG_STR("~: a"), "f:1:1", "a key must not be null"},
        {LG_STR(": a"), "f:1:1", "while parsing a block mapping, did not find expected key"},
        {LG_STR("9223372036854775808: a"), "f:1:1", "an integer this large cannot be a key"},
        {LG_STR("[a]: b"), "f:1:1", "a list or an object cannot be a key"},
        {LG_STR("x:\n  {}: b"), "f:2:3", "a list or an object cannot be a key"},
        {LG_STR("? {a: b}\n: c"), "f:1:3", "a list or an object cannot be a key"},
        {LG_STR("a: .inf"), "f:1:4", "infinity and NaN are no JSON numbers"},
        {LG_STR("a:\n- .nan"), "f:2:3", "infinity and NaN are no JSON numbers"},
        {LG_STR("%YAML 1.2\n---\na: b"), "f:1:1", "a YAML version other than 1.1"},
        {LG_STR("a: \"b\\/c\""), "f:1:4", "\\/ is no escape in YAML 1.1"},
        {LG_STR("{a: x?y}"), "f:1:5", "a question mark within brackets needs quotes in YAML 1.1"},
        {LG_STR("a: 1\n\xEF\xBB\xBF"
                "b: 2"),
         "f:2:1", "a byte order mark within the text"},
        {LG_STR("a: b: c"), "f:1:5", "mapping values are not allowed in this context"},
        {LG_STR("é: b\n\tc: d"), "f:2:1", "a tab where YAML wants spaces"},
        {LG_STR("a:\n\tb: c"), "f:2:1", "a tab where YAML wants spaces"},
        {LG_STR("a:\n  - b: c\n  \td: e"), "f:3:3", "a tab where YAML wants spaces"},
        {LG_STR("a: b\n\t\tc"), "f:2:1", "a tab where YAML wants spaces"},
        {LG_STR("a: [b\n"), "f:2:1",
         "while parsing a flow sequence, did not find expected ',' or ']'"},
        {LG_STR("a: @b"), "f:1:4",
         "while scanning for the next token, found character that cannot start any token"},
        {LG_STR("a: \"\\ud83d\\ude00\""), "f:1:7",
         "while parsing a quoted scalar, found invalid Unicode character escape code"},
        {LG_STR("a: b\xE9"), "f:1:5", "incomplete UTF-8 octet sequence"},
        {LG_STR("a: \x01"), "f:1:4", "control characters are not allowed"},
        {LG_STR("a: \0"), "f:1:4", "control characters are not allowed"},
        {LG_STR("a: \xC0\x80"), "f:1:4", "invalid length of a UTF-8 sequence"},
    };
    ASSERT_REFUSED(rows, LG_E_INVALID);
}

static void nothing_and_null_are_nothing(void **state)
{
    (void)state;
    static const char *const texts[] = {"",           "\n\n",      "# only a comment\n",
                                        "---\n",      "~",         "null\n",
                                        "---\n...\n", "!!null ''", "\xEF\xBB\xBF"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_null(parse(texts[i]).doc);
    struct lg_val root = LG_NONE;
    assert_int_equal(read_str((struct lg_str){0}, &root, NULL), LG_E_OK);
    assert_null(root.doc);
}

static void only_the_first_document_counts(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"a: 1\n---\nb: 2", "{\"a\":1}"},
        {"---\na: 1\n...\n@", "{\"a\":1}"},
        {"\xEF\xBB\xBF"
         "a: 1",
         "{\"a\":1}"},
        {"%YAML 1.1\n---\na: yes", "{\"a\":true}"},
        {"a: 1\r\nb: 2\r\n", "{\"a\":1,\"b\":2}"},
    };
    ASSERT_ROWS(rows);
}

static void depth_is_limited(void **state)
{
    (void)state;
    struct lg_buf text lg_cleanup(lg_buf_done) = {0};
    struct lg_val root = LG_NONE;
    for (int i = 0; i < 64; i++)
        lg_buf_puts(&text, "[");
    for (int i = 0; i < 64; i++)
        lg_buf_puts(&text, "]");
    assert_int_equal(read_str(lg_buf_view(&text), &root, NULL), LG_E_OK);
    /* Long before libyaml's own cost grows with the depth. */
    text.n = 0;
    for (int i = 0; i < 200000; i++)
        lg_buf_puts(&text, "[");
    const struct refused flow[] = {
        {lg_buf_view(&text), "f:1:65", "nested more than 64 levels deep"}};
    ASSERT_REFUSED(flow, LG_E_LIMIT);
    struct lg_buf block lg_cleanup(lg_buf_done) = {0};
    for (int i = 0; i < 70; i++)
        lg_buf_puts(&block, "- ");
    const struct refused dashes[] = {
        {lg_buf_view(&block), "f:1:129", "nested more than 64 levels deep"}};
    ASSERT_REFUSED(dashes, LG_E_LIMIT);
    /* What only aliases make deep. */
    struct lg_buf chain lg_cleanup(lg_buf_done) = {0};
    lg_buf_puts(&chain, "- &a0 []\n");
    for (int i = 1; i < 70; i++)
        lg_buf_printf(&chain, "- &a%d [*a%d]\n", i, i - 1);
    struct lg_err err = {0};
    assert_int_equal(read_str(lg_buf_view(&chain), &root, &err), LG_E_LIMIT);
    assert_string_equal(err.text, "nested more than 64 levels deep");
    assert_memory_equal(err.where, "f:", 2);
}

static void aliases_cannot_blow_a_document_up(void **state)
{
    (void)state;
    struct lg_buf text lg_cleanup(lg_buf_done) = {0};
    lg_buf_puts(&text, "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 12; i++) {
        lg_buf_printf(&text, "a%d: &a%d [", i, i);
        for (int j = 0; j < 10; j++)
            lg_buf_printf(&text, "%s*a%d", j == 0 ? "" : ", ", i - 1);
        lg_buf_puts(&text, "]\n");
    }
    struct lg_val root = LG_NONE;
    struct lg_err err = {0};
    assert_int_equal(read_str(lg_buf_view(&text), &root, &err), LG_E_LIMIT);
    assert_string_equal(err.text, "nearly everything comes from aliases");
    assert_memory_equal(err.where, "f:4:", 4);

    /* A large scalar many times: few values, many bytes. */
    struct lg_buf wide lg_cleanup(lg_buf_done) = {0};
    lg_buf_puts(&wide, "- &a [\"");
    for (int i = 0; i < 100000; i++)
        lg_buf_puts(&wide, "0123456789");
    lg_buf_puts(&wide, "\"]\n");
    for (int i = 0; i < 60; i++)
        lg_buf_puts(&wide, "- *a\n");
    struct lg_err grown = {0};
    assert_int_equal(read_str(lg_buf_view(&wide), &root, &grown), LG_E_LIMIT);
    assert_string_equal(grown.text, "the document grows too large by its aliases");
    assert_null(root.doc);
}

static void the_number_of_values_is_limited(void **state)
{
    (void)state;
    struct lg_buf text lg_cleanup(lg_buf_done) = {0};
    for (int i = 0; i < LG_JSON_NODES_MAX; i++)
        lg_buf_puts(&text, "- a\n");
    const struct refused rows[] = {{lg_buf_view(&text), "f:200000:3", "more than 200,000 values"}};
    ASSERT_REFUSED(rows, LG_E_LIMIT);
}

/* libyaml's own cost for them is quadratic. */
static void the_number_of_directives_is_limited(void **state)
{
    (void)state;
    struct lg_buf text lg_cleanup(lg_buf_done) = {0};
    lg_buf_puts(&text, "# c\n\n");
    for (int i = 0; i < 64; i++)
        lg_buf_printf(&text, "%%TAG !t%d! tag:x,1:\n", i);
    size_t n = text.n;
    lg_buf_puts(&text, "---\n!t1!a b\n");
    const struct row rows[] = {{text.p, "\"b\""}};
    ASSERT_ROWS(rows);
    text.n = n;
    for (int i = 64; i < 100000; i++)
        lg_buf_printf(&text, "%%TAG !t%d! tag:x,1:\n", i);
    lg_buf_puts(&text, "---\na");
    const struct refused refused[] = {{lg_buf_view(&text), "f:67:1", "more than 64 directives"}};
    ASSERT_REFUSED(refused, LG_E_LIMIT);
}

static void assert_mark(struct lg_val v, uint32_t line, uint32_t column)
{
    struct lg_mark mark = lg_json_mark(v);
    assert_int_equal(mark.line, line);
    assert_int_equal(mark.column, column);
}

static void every_node_knows_its_line_and_column(void **state)
{
    (void)state;
    struct lg_yaml_document document = {
        .text =
            LG_STR("é日: &x\n  b: [1, \"é\", z]\r\n# c\nd: *x\ne:\n  <<: *x\n  f: !!str g\nh:\n"),
        .first_line = 11,
        .number = 2};
    struct lg_val root = LG_NONE;
    assert_int_equal(lg_yaml_parse(&arena, &document, "f", &root, NULL), LG_E_OK);
    assert_mark(root, 11, 1);
    assert_mark(lg_json_at(root, "é日.b"), 12, 6);
    assert_mark(lg_json_item(lg_json_at(root, "é日.b"), 1), 12, 10);
    assert_mark(lg_json_item(lg_json_at(root, "é日.b"), 2), 12, 16); /* é counts two bytes */
    assert_mark(lg_json_at(root, "d.b"), 12, 6);                     /* where it was written */
    assert_mark(lg_json_at(root, "e.b"), 12, 6);
    assert_mark(lg_json_at(root, "e.f"), 17, 6);
    struct lg_json_iter it = lg_json_iter(root);
    while (lg_json_next(&it) && !lg_str_is(it.key, "h"))
        continue;
    assert_mark((struct lg_val){root.doc, it.val.i - 1}, 18, 1);
    assert_string_equal(root.doc->file, "f");
}

static void errors_count_from_the_documents_first_line(void **state)
{
    (void)state;
    struct lg_yaml_document document = {.text = LG_STR("a: 1\na: 2"), .first_line = 41};
    struct lg_val root = LG_NONE;
    struct lg_err err = {0};
    assert_int_equal(lg_yaml_parse(&arena, &document, "f", &root, &err), LG_E_LIMIT);
    assert_string_equal(err.where, "f:42:1");
    document.text = LG_STR("a: 1\n@");
    struct lg_err nameless = {0};
    assert_int_equal(lg_yaml_parse(&arena, &document, NULL, &root, &nameless), LG_E_INVALID);
    assert_string_equal(nameless.where, "line 42, column 1");
}

static void assert_documents(struct lg_str file, const char *want)
{
    struct lg_buf seen lg_cleanup(lg_buf_done) = {0};
    struct lg_yaml_document document = {0};
    size_t pos = 0;
    while (lg_yaml_next_document(file, &pos, &document))
        lg_buf_printf(&seen, "%u@%u<%.*s>", document.number, document.first_line,
                      LG_ARG(document.text));
    assert_string_equal(lg_buf_view(&seen).p, want);
    assert_false(lg_yaml_next_document(file, &pos, &document));
}

static void documents_are_split_at_lines(void **state)
{
    (void)state;
    assert_documents(LG_STR(""), "");
    assert_documents((struct lg_str){0}, "");
    assert_documents(LG_STR("a: 1"), "1@1<a: 1>");
    assert_documents(LG_STR("---\na: 1\n---\nb: 2\n"), "1@2<a: 1\n>2@4<b: 2\n>");
    assert_documents(LG_STR("a: 1\r\n---\r\nb: 2\r\n"), "1@1<a: 1\r\n>2@3<b: 2\r\n>");
    assert_documents(LG_STR("a: 1\n--- # two\nb: 2"), "1@1<a: 1\n>2@3<b: 2>");
    assert_documents(LG_STR("\xEF\xBB\xBF---\na: 1"), "1@2<a: 1>");
    assert_documents(LG_STR("\xEF\xBB\xBF"), "");
    /* Empty ones are passed over and counted; what stands before the first line of dashes is
     * none. */
    assert_documents(LG_STR("---\n# none\n---\n\n---\na: 1\n---\n"), "3@6<a: 1\n>");
    assert_documents(LG_STR("# licence\n\n---\na: 1\n"), "1@4<a: 1\n>");
    assert_documents(LG_STR("---\n---\n---\n"), "");
    /* Dashes elsewhere, and more than three, part nothing. */
    assert_documents(LG_STR("a: |\n  ---\n  b\n----\n ---\n"),
                     "1@1<a: |\n  ---\n  b\n----\n ---\n>");
    assert_documents(LG_STR("a: 1\n---b\n"), "1@1<a: 1\n---b\n>");
    /* Text behind the dashes belongs to the next document. */
    assert_documents(LG_STR("a: 1\n--- {b: 2}\n--- c"), "1@1<a: 1\n>2@2<--- {b: 2}\n>3@3<--- c>");
    assert_documents(LG_STR("a: 1\n...\n---\nb: 2"), "1@1<a: 1\n...\n>2@4<b: 2>");
}

#define YAML_TEST(name) cmocka_unit_test_teardown(name, forget)

int main(void)
{
    const struct CMUnitTest tests[] = {
        YAML_TEST(words_are_those_of_yaml_1_1),
        YAML_TEST(integers_are_those_of_go),
        YAML_TEST(floats_are_printed_as_go_prints_them),
        YAML_TEST(keys_become_strings),
        YAML_TEST(tags_decide_or_refuse),
        YAML_TEST(scalars_are_folded_and_escaped_as_yaml_says),
        YAML_TEST(aliases_and_merges_are_expanded),
        YAML_TEST(keys_are_compared_after_resolution),
        YAML_TEST(what_kubectl_refuses_is_refused),
        YAML_TEST(nothing_and_null_are_nothing),
        YAML_TEST(only_the_first_document_counts),
        YAML_TEST(depth_is_limited),
        YAML_TEST(aliases_cannot_blow_a_document_up),
        YAML_TEST(the_number_of_values_is_limited),
        YAML_TEST(the_number_of_directives_is_limited),
        YAML_TEST(every_node_knows_its_line_and_column),
        YAML_TEST(errors_count_from_the_documents_first_line),
        YAML_TEST(documents_are_split_at_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
