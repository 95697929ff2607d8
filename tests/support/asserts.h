/* What cmocka's asserts lack: what was got and what was wanted are said, with the test's own file
 * and line.
 *
 * A failure leaves the test (longjmp): on the test's own thread only.
 */
#ifndef LG_TESTS_SUPPORT_ASSERTS_H
#define LG_TESTS_SUPPORT_ASSERTS_H

#include "rules/core/err.h"
#include "rules/core/str.h"

/* The whole text is `wanted`. */
#define lg_assert_str(got, wanted) lg_assert_str_at(got, wanted, __FILE__, __LINE__)
/* `part` stands somewhere in the text. */
#define lg_assert_contains(got, part) lg_assert_contains_at(got, part, __FILE__, __LINE__)
/* Every field of an error that no system call caused and that fits whole. */
#define lg_assert_err(err, code, where, text)                                                      \
    lg_assert_err_at(err, code, where, text, __FILE__, __LINE__)

void lg_assert_str_at(struct lg_str got, const char *wanted, const char *file, int line);
void lg_assert_contains_at(struct lg_str got, const char *part, const char *file, int line);
void lg_assert_err_at(const struct lg_err *err, enum lg_err_code code, const char *where,
                      const char *text, const char *file, int line);

#endif
