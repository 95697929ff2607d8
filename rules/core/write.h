/* Writing JSON straight into a buffer: for what is written once a review, where building jansson's
 * tree first (out.h) costs more than judging.
 *
 * The caller opens and closes what it writes in order; commas come by themselves. Keys are ours,
 * plain ASCII. A buffer that holds no JSON yet is empty. One thread a buffer.
 */
#ifndef LG_RULES_CORE_WRITE_H
#define LG_RULES_CORE_WRITE_H

#include <stdint.h>

#include "rules/core/str.h"

/* `bracket` is one of { [ and } ]. */
void lg_write_open(struct lg_buf *buf, char bracket) __attribute__((nonnull));
void lg_write_close(struct lg_buf *buf, char bracket) __attribute__((nonnull));

/* A member's name; its value is written next. */
void lg_write_key(struct lg_buf *buf, const char *key) __attribute__((nonnull));

/* A string: as lg_out_str has it, each byte that is no part of a UTF-8 character becomes U+FFFD.
 * O(n). */
void lg_write_str(struct lg_buf *buf, struct lg_str s) __attribute__((nonnull));
/* The same in ASCII: any other character as \u and its number. */
void lg_write_ascii(struct lg_buf *buf, struct lg_str s) __attribute__((nonnull));
void lg_write_null(struct lg_buf *buf) __attribute__((nonnull));
void lg_write_bool(struct lg_buf *buf, bool value) __attribute__((nonnull));
void lg_write_int(struct lg_buf *buf, int64_t value) __attribute__((nonnull));
void lg_write_real(struct lg_buf *buf, double value) __attribute__((nonnull)); /* null: no number */

/* A member that is a string. */
void lg_write_member(struct lg_buf *buf, const char *key, struct lg_str s) __attribute__((nonnull));

#endif
