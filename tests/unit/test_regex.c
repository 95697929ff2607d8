#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rules/core/mem.h"
#include "rules/core/regex.h"
#include "tests/support/asserts.h"

LG_DEFINE_CLEANUP(struct lg_regex, lg_regex_free)

static bool matches(struct lg_str pattern, struct lg_str text, bool *ret_limit)
{
    struct lg_regex *regex lg_cleanup(lg_regex_free_cleanup) = NULL;
    struct lg_err err = {0};
    assert_int_equal(lg_regex_new(pattern, &regex, &err), LG_E_OK);
    assert_int_equal(err.code, LG_E_OK);
    return lg_regex_matches(regex, text, ret_limit);
}

static void a_pattern_matches_the_whole_text(void **state)
{
    (void)state;
    assert_true(matches(LG_STR("dev-.*"), LG_STR("dev-a"), NULL));
    assert_true(matches(LG_STR("dev-.*"), LG_STR("dev-"), NULL));
    assert_false(matches(LG_STR("dev-.*"), LG_STR("my-dev-a"), NULL));
    assert_false(matches(LG_STR("dev"), LG_STR("dev-a"), NULL));
    assert_true(matches(LG_STR("a|ab"), LG_STR("ab"), NULL));
    assert_true(matches(LG_STR("db-[0-9]+"), LG_STR("db-12"), NULL));
    assert_false(matches(LG_STR("a"), LG_STR("a\n"), NULL));
    assert_false(matches(LG_STR("a$"), LG_STR("a\n"), NULL));
}

static void empty_patterns_and_texts_are_fine(void **state)
{
    (void)state;
    bool limit = true;
    assert_true(matches((struct lg_str){0}, (struct lg_str){0}, &limit));
    assert_false(limit);
    assert_false(matches(LG_STR(""), LG_STR("a"), NULL));
    assert_true(matches(LG_STR(".*"), (struct lg_str){0}, NULL));
    assert_true(matches(LG_STR("a\\x00b"), LG_STR("a\0b"), NULL));
}

static void characters_are_utf8(void **state)
{
    (void)state;
    bool limit = false;
    assert_true(matches(LG_STR("."), LG_STR("é"), &limit));
    assert_false(limit);
    assert_false(matches(LG_STR(".*"), LG_STR("a\xFF"), &limit));
    assert_true(limit);
}

static void a_pattern_that_is_none_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *text;
    } rows[] = {
        {"(a", "not a pattern: missing closing parenthesis (at byte 2)"},
        {"ab)", "not a pattern: unmatched closing parenthesis (at byte 2)"},
        {"[z-a]", "not a pattern: range out of order in character class (at byte 3)"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct lg_regex *regex = NULL;
        struct lg_err err = {0};
        assert_int_equal(lg_regex_new(lg_str_of(rows[i].pattern), &regex, &err), LG_E_INVALID);
        assert_null(regex);
        lg_assert_err(&err, LG_E_INVALID, "", rows[i].text);
    }
    struct lg_regex *regex = NULL;
    assert_int_equal(lg_regex_new(LG_STR("\xFF"), &regex, NULL), LG_E_INVALID);
    assert_null(regex);
}

static void a_long_pattern_is_refused(void **state)
{
    (void)state;
    char pattern[LG_REGEX_PATTERN_BYTES_MAX + 1];
    memset(pattern, 'a', sizeof pattern);
    struct lg_regex *regex = NULL;
    struct lg_err err = {0};
    assert_int_equal(lg_regex_new((struct lg_str){pattern, sizeof pattern}, &regex, &err),
                     LG_E_LIMIT);
    assert_null(regex);
    assert_int_equal(err.code, LG_E_LIMIT);
    assert_string_equal(err.text, "the pattern is longer than 1024 bytes");
    assert_int_equal(lg_regex_new((struct lg_str){pattern, sizeof pattern - 1}, &regex, NULL),
                     LG_E_OK);
    lg_regex_free(regex);
    lg_regex_free(NULL);
}

static void a_pattern_cannot_stall(void **state)
{
    (void)state;
    static const char *const patterns[] = {"(a+)+", "(a|a)*", "(a*)*", "(a|aa)+(a|aa)+",
                                           "((a{1,20}){1,20}){1,20}"};
    char text[4096];
    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = '!';
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        bool limit = false;
        assert_false(matches(lg_str_of(patterns[i]), (struct lg_str){text, sizeof text}, &limit));
        assert_true(limit);
    }
    bool limit = true;
    assert_true(matches(LG_STR("[a-z]*!"), (struct lg_str){text, sizeof text}, &limit));
    assert_false(limit);
}

static void a_pattern_that_no_name_can_match_is_seen(void **state)
{
    (void)state;
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    static const struct {
        const char *pattern;
        bool possible;
    } rows[] = {
        {"", true},         {"dev-.*", true},      {"db-[0-9]+", true}, {"a|B", true},
        {"A|b", true},      {"A|B", false},        {"Dev", false},      {"dev_1", false},
        {"dev_?1", true},   {"dev.*_", false},     {"a b", false},      {"a{64}", false},
        {"a{63}", true},    {"(?i)DEV", true},     {"^dev$", true},     {"\\d+", true},
        {"[A-Z]+x", false}, {"x{1,3}[A-Z]", true}, {"*", true},         {"dev\\.1", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (lg_regex_possible(lg_str_of(rows[i].pattern), letters, 63) != rows[i].possible)
            fail_msg("%s", rows[i].pattern);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pattern_matches_the_whole_text),
        cmocka_unit_test(empty_patterns_and_texts_are_fine),
        cmocka_unit_test(characters_are_utf8),
        cmocka_unit_test(a_pattern_that_is_none_is_refused),
        cmocka_unit_test(a_long_pattern_is_refused),
        cmocka_unit_test(a_pattern_cannot_stall),
        cmocka_unit_test(a_pattern_that_no_name_can_match_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
