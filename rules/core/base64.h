/* Base64 (RFC 4648, with padding), both ways. Pure, any thread. */
#ifndef LG_RULES_CORE_BASE64_H
#define LG_RULES_CORE_BASE64_H

#include "rules/core/str.h"

/* Appends `bytes` in base64, on one line. */
void lg_base64_add(struct lg_buf *buf, struct lg_str bytes) __attribute__((nonnull));

/* Enough room for what a text of `n` characters can hold. */
static inline size_t lg_base64_room(size_t n)
{
    return n / 4 * 3 + 3;
}

/* Writes what `text` holds to `out` (lg_base64_room) and its length to *ret_n. Line ends are passed
 * over, as Go does. False: it is no base64; what was written is then of no use, and may be part of
 * a secret. */
bool lg_base64_decode(struct lg_str text, char *out, size_t *ret_n)
    __attribute__((nonnull, warn_unused_result));

#endif
