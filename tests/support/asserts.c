#include "tests/support/asserts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

void lg_assert_str_at(struct lg_str got, const char *wanted, const char *file, int line)
{
    if (lg_str_is(got, wanted))
        return;
    print_error("got \"%.*s\", wanted \"%s\"\n", LG_ARG(got), wanted);
    _fail(file, line);
}

void lg_assert_contains_at(struct lg_str got, const char *part, const char *file, int line)
{
    if (got.n != 0 && memmem(got.p, got.n, part, strlen(part)) != NULL)
        return;
    print_error("\"%s\" is not in: %.*s\n", part, LG_ARG(got));
    _fail(file, line);
}

void lg_assert_err_at(const struct lg_err *err, enum lg_err_code code, const char *where,
                      const char *text, const char *file, int line)
{
    if (err->code == code && err->os_errno == 0 && !err->truncated &&
        strcmp(err->where, where) == 0 && strcmp(err->text, text) == 0)
        return;
    print_error("got code %d (errno %d, %s) at \"%s\": \"%s\",\nwanted code %d at \"%s\": \"%s\"\n",
                (int)err->code, err->os_errno, err->truncated ? "cut" : "whole", err->where,
                err->text, (int)code, where, text);
    _fail(file, line);
}
