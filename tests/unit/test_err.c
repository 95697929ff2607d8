#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "rules/core/err.h"

static void a_set_error_has_all_its_fields(void **state)
{
    (void)state;
    struct lg_err err = {0};
    assert_int_equal(lg_err_set(&err, LG_E_LIMIT, "spec.a", "%d is over %d", 3, 2), LG_E_LIMIT);
    assert_int_equal(err.code, LG_E_LIMIT);
    assert_int_equal(err.os_errno, 0);
    assert_false(err.truncated);
    assert_string_equal(err.where, "spec.a");
    assert_string_equal(err.text, "3 is over 2");
}

static void the_first_error_wins(void **state)
{
    (void)state;
    struct lg_err err = {0};
    (void)lg_err_set(&err, LG_E_INVALID, "a", "first");
    assert_int_equal(lg_err_set(&err, LG_E_IO, "b", "second"), LG_E_IO);
    assert_int_equal(lg_err_set_errno(&err, ENOENT, "c", "third"), LG_E_NOTFOUND);
    assert_int_equal(err.code, LG_E_INVALID);
    assert_int_equal(err.os_errno, 0);
    assert_string_equal(err.where, "a");
    assert_string_equal(err.text, "first");
}

static void nobody_has_to_want_the_error(void **state)
{
    (void)state;
    assert_int_equal(lg_err_set(NULL, LG_E_TLS, "a", "text"), LG_E_TLS);
    assert_int_equal(lg_err_set_errno(NULL, EACCES, "a", "text"), LG_E_DENIED);
    assert_int_equal(lg_err_wrap(NULL, "text"), LG_E_INTERNAL);
}

static void an_errno_becomes_a_code_and_words(void **state)
{
    (void)state;
    static const struct {
        int os_errno;
        enum lg_err_code code;
    } rows[] = {{ENOENT, LG_E_NOTFOUND}, {EACCES, LG_E_DENIED},     {EPERM, LG_E_DENIED},
                {ENOMEM, LG_E_NOMEM},    {ETIMEDOUT, LG_E_TIMEOUT}, {EIO, LG_E_IO},
                {ECONNRESET, LG_E_IO}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct lg_err err = {0};
        assert_int_equal(lg_err_set_errno(&err, rows[i].os_errno, "f", "cannot"), rows[i].code);
        assert_int_equal(err.code, rows[i].code);
        assert_int_equal(err.os_errno, rows[i].os_errno);
    }
    struct lg_err err = {0};
    (void)lg_err_set_errno(&err, ENOENT, "/no/such", "cannot open %s", "it");
    assert_string_equal(err.text, "cannot open it: No such file or directory");
    assert_string_equal(err.where, "/no/such");
    assert_false(err.truncated);
    struct lg_err odd = {0};
    (void)lg_err_set_errno(&odd, 99999, NULL, "cannot");
    assert_string_equal(odd.text, "cannot: unknown error");
    assert_string_equal(odd.where, "");
}

static void a_long_place_keeps_its_tail(void **state)
{
    (void)state;
    char where[LG_ERR_WHERE_BYTES + 50];
    memset(where, 'x', sizeof where);
    memcpy(where + sizeof where - 6, "/tail", 6);
    struct lg_err err = {0};
    (void)lg_err_set(&err, LG_E_INVALID, where, "text");
    assert_true(err.truncated);
    assert_int_equal(strlen(err.where), LG_ERR_WHERE_BYTES - 1);
    assert_memory_equal(err.where, "...x", 4);
    assert_string_equal(err.where + strlen(err.where) - 5, "/tail");
    assert_string_equal(err.text, "text");

    where[LG_ERR_WHERE_BYTES - 1] = '\0';
    struct lg_err exact = {0};
    (void)lg_err_set(&exact, LG_E_INVALID, where, "text");
    assert_false(exact.truncated);
    assert_string_equal(exact.where, where);
}

static void a_long_text_is_cut_and_says_so(void **state)
{
    (void)state;
    char text[LG_ERR_TEXT_BYTES + 1];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    struct lg_err err = {0};
    (void)lg_err_set(&err, LG_E_INVALID, NULL, "%s", text);
    assert_true(err.truncated);
    assert_int_equal(strlen(err.text), LG_ERR_TEXT_BYTES - 1);

    struct lg_err wrapped = {0};
    text[LG_ERR_TEXT_BYTES - 2] = '\0';
    (void)lg_err_set(&wrapped, LG_E_INVALID, NULL, "%s", text);
    assert_false(wrapped.truncated);
    (void)lg_err_wrap(&wrapped, "ab");
    assert_true(wrapped.truncated);
    assert_memory_equal(wrapped.text, "ab: xx", 6);
}

static void context_is_put_in_front(void **state)
{
    (void)state;
    struct lg_err err = {0};
    (void)lg_err_set(&err, LG_E_TIMEOUT, "https://a", "no answer");
    assert_int_equal(lg_err_wrap(&err, "listing %s", "nodes"), LG_E_TIMEOUT);
    assert_int_equal(lg_err_wrap(&err, "start"), LG_E_TIMEOUT);
    assert_string_equal(err.text, "start: listing nodes: no answer");
    assert_string_equal(err.where, "https://a");
}

static void every_code_has_a_name(void **state)
{
    (void)state;
    for (int code = 0; code < LG_E_COUNT; code++) {
        assert_string_not_equal(lg_err_name(code), "unknown");
        for (int other = 0; other < code; other++)
            assert_string_not_equal(lg_err_name(code), lg_err_name(other));
    }
    assert_string_equal(lg_err_name(LG_E_COUNT), "unknown");
    assert_string_equal(lg_err_name(LG_E_NOTFOUND), "notfound");
}

static void an_error_is_formatted_as_place_and_text(void **state)
{
    (void)state;
    char line[64];
    struct lg_err err = {0};
    (void)lg_err_set(&err, LG_E_INVALID, "f:1:2", "wrong");
    assert_ptr_equal(lg_err_format(&err, line, sizeof line), line);
    assert_string_equal(line, "f:1:2: wrong");
    struct lg_err bare = {0};
    (void)lg_err_set(&bare, LG_E_INVALID, NULL, "wrong");
    assert_string_equal(lg_err_format(&bare, line, sizeof line), "wrong");
    assert_string_equal(lg_err_format(&err, line, 4), "f:1");
}

static void the_same_trouble_is_told_from_another(void **state)
{
    (void)state;
    struct lg_err a = {0}, b = {0}, text = {0}, where = {0}, code = {0};
    (void)lg_err_set(&a, LG_E_TLS, "here", "it is old");
    (void)lg_err_set(&b, LG_E_TLS, "here", "it is %s", "old");
    (void)lg_err_set(&text, LG_E_TLS, "here", "it is new");
    (void)lg_err_set(&where, LG_E_TLS, "there", "it is old");
    (void)lg_err_set(&code, LG_E_IO, "here", "it is old");
    assert_true(lg_err_same(&a, &b));
    assert_false(lg_err_same(&a, &text));
    assert_false(lg_err_same(&a, &where));
    assert_false(lg_err_same(&a, &code));
    assert_false(lg_err_same(&a, &(struct lg_err){0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_set_error_has_all_its_fields),
        cmocka_unit_test(the_first_error_wins),
        cmocka_unit_test(nobody_has_to_want_the_error),
        cmocka_unit_test(an_errno_becomes_a_code_and_words),
        cmocka_unit_test(a_long_place_keeps_its_tail),
        cmocka_unit_test(a_long_text_is_cut_and_says_so),
        cmocka_unit_test(context_is_put_in_front),
        cmocka_unit_test(every_code_has_a_name),
        cmocka_unit_test(an_error_is_formatted_as_place_and_text),
        cmocka_unit_test(the_same_trouble_is_told_from_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
