/* A container is passed over alike wherever pieces end, and ends where a reader that goes byte by
 * byte says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "rules/core/mem.h"
#include "rules/core/skip.h"

/* Bytes of the container at the start of the text; the text's length + 1 when it does not end
 * there. */
static size_t oracle(struct lg_str text)
{
    size_t depth = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '"') {
            for (i++; i < text.n && text.p[i] != '"'; i++)
                i += text.p[i] == '\\';
            continue;
        }
        if (text.p[i] == '\\') { /* no JSON; but the same with every piece */
            i++;
            continue;
        }
        depth += text.p[i] == '{' || text.p[i] == '[';
        if ((text.p[i] == '}' || text.p[i] == ']') && --depth == 0)
            return i + 1;
    }
    return text.n + 1;
}

/* In pieces of `step` bytes, each in a block of its own: reading beyond it is seen by a
 * sanitizer. */
static size_t skip_in_pieces(struct lg_str text, size_t step)
{
    struct lg_skip skip = {0};
    size_t all = 0;
    bool whole = false;
    for (size_t at = 0; at < text.n && !whole; at += step) {
        size_t n = step < text.n - at ? step : text.n - at;
        char *piece lg_cleanup(lg_free_cleanup) = lg_calloc(n, 1);
        memcpy(piece, text.p + at, n);
        size_t used = lg_skip_container(&skip, (struct lg_str){piece, n}, &whole);
        assert_true(whole || used == n);
        all += used;
    }
    return whole ? all : text.n + 1;
}

static void expect_as_oracle(struct lg_str text)
{
    size_t expected = oracle(text);
    static const size_t steps[] = {1, 2, 3, 7, 16, 63, 64, 65, 127, 128, 200, 100000};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        assert_int_equal(skip_in_pieces(text, steps[i]), expected);
}

static void test_ends(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t n;
    } cases[] = {
        {"{}", 2},
        {"[],", 2},
        {"{\"a\":[1,{\"b\":2}]}]}", 17},
        {"[\"]\",\"\\\"]\",\"\\\\\"]]", 16},
        {"{\"a\":\"{[\"}", 10},
        {"[\"a\\", 5},
        {"{\"a\":[", 7},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        expect_as_oracle(lg_str_of(cases[i].text));
        assert_int_equal(skip_in_pieces(lg_str_of(cases[i].text), 1), cases[i].n);
    }
}

/* Backslashes and quotes in rows of every length, across every border of a block. */
static void test_escapes_across_blocks(void **state)
{
    (void)state;
    for (size_t before = 0; before < 130; before++)
        for (size_t slashes = 0; slashes < 5; slashes++) {
            struct lg_buf buf lg_cleanup(lg_buf_done) = {0};
            lg_buf_puts(&buf, "[\"");
            for (size_t i = 0; i < before; i++)
                lg_buf_putc(&buf, 'x');
            for (size_t i = 0; i < slashes; i++)
                lg_buf_putc(&buf, '\\');
            lg_buf_puts(&buf, "\"]\"]");
            for (size_t i = 0; i < 70; i++)
                lg_buf_putc(&buf, ']');
            size_t even = 2 + before + slashes + 2;
            struct lg_str text = lg_buf_view(&buf);
            assert_int_equal(skip_in_pieces(text, 100000), slashes % 2 == 0 ? even : even + 2);
            expect_as_oracle(text);
        }
}

static void test_random_texts(void **state)
{
    (void)state;
    static const char alphabet[] = "{}[]\"\"\\\\,:ab {[;{[\xc3\xa4\x1b\x5b\x7b\x3b\x02";
    srand(20261125);
    for (int round = 0; round < 4000; round++) {
        char text[300];
        size_t n = 1 + (size_t)rand() % (sizeof text - 1);
        text[0] = rand() % 2 != 0 ? '{' : '[';
        for (size_t i = 1; i < n; i++)
            text[i] = alphabet[(size_t)rand() % (sizeof alphabet - 1)];
        expect_as_oracle((struct lg_str){text, n});
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_escapes_across_blocks),
        cmocka_unit_test(test_random_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
