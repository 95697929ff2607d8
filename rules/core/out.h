/* Writing JSON with jansson: what stands between our text and its rules.
 *
 * jansson refuses text that is not UTF-8 and fails where memory runs out; neither may cost an
 * answer. Everything made here is given (json_decref) unless a container takes it. Any thread, one
 * tree belongs to one thread.
 */
#ifndef LG_RULES_CORE_OUT_H
#define LG_RULES_CORE_OUT_H

#include <jansson.h>

#include "rules/core/str.h"

/* `s` as a JSON string, given: never NULL. Each byte that is no part of a UTF-8 character becomes
 * U+FFFD; NUL stays. */
json_t *lg_out_str(struct lg_str s) __attribute__((warn_unused_result, returns_nonnull));

/* An empty object, an empty list, given: never NULL. */
json_t *lg_out_object(void) __attribute__((warn_unused_result, returns_nonnull));
json_t *lg_out_array(void) __attribute__((warn_unused_result, returns_nonnull));

/* object[key] = take_value. `key` is ours, so plain UTF-8. */
void lg_out_set(json_t *object, const char *key, json_t *take_value) __attribute__((nonnull));
void lg_out_set_str(json_t *object, const char *key, struct lg_str s) __attribute__((nonnull));

/* Adds to the end of a list. */
void lg_out_append(json_t *array, json_t *take_value) __attribute__((nonnull));

/* Appends the tree's text in insertion order; `indent` 0 = one line without blanks. */
void lg_out_text(const json_t *value, size_t indent, struct lg_buf *buf) __attribute__((nonnull));

#endif
