/* Patterns (PCRE2) that cannot stall: UTF mode, match, depth and heap limits, compiled once.
 * Shared, any thread. */
#ifndef LG_RULES_CORE_REGEX_H
#define LG_RULES_CORE_REGEX_H

#include "rules/core/err.h"
#include "rules/core/str.h"

enum { LG_REGEX_PATTERN_BYTES_MAX = 1024 };

struct lg_regex;

/* Compiles `pattern`, anchored at both ends. LG_E_INVALID with PCRE2's words and the offset;
 * LG_E_LIMIT: too long. */
enum lg_err_code lg_regex_new(struct lg_str pattern, struct lg_regex **ret, struct lg_err *err)
    __attribute__((warn_unused_result));
void lg_regex_free(struct lg_regex *regex);

/* True when the whole of `text` matches. A match that hits a limit, or text that is no UTF-8, is no
 * match; *ret_limit (may be NULL) says so. */
bool lg_regex_matches(const struct lg_regex *regex, struct lg_str text, bool *ret_limit);

/* False when no text of at most `bytes_max` bytes that is made of the characters of `alphabet` can
 * match: a character that has to be there is not among them, or it asks for more. True where that
 * cannot be told. */
bool lg_regex_possible(struct lg_str pattern, const char *alphabet, size_t bytes_max);

#endif
