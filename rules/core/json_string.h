/* A JSON string that is more than plain characters: what the scanner (json_scan.c) leaves at the
 * first character that needs a look. Pure, any thread.
 */
#ifndef LG_RULES_CORE_JSON_STRING_H
#define LG_RULES_CORE_JSON_STRING_H

#include <stdbool.h>

#include "rules/core/err.h"

struct lg_json_string {
    const char *p; /* from: the first character that needs a look; to: the closing quote */
    bool escaped;  /* there was a backslash */
    const char *wrong;
};

/* Reads on to the closing quote. LG_E_INVALID: `wrong` (static storage) stands at p, or before it
 * where it is only seen behind. LG_E_LIMIT: at p begins a surrogate without its other half, which
 * is JSON and no text. */
enum lg_err_code lg_json_string_rest(struct lg_json_string *io, const char *end)
    __attribute__((warn_unused_result));

#endif
