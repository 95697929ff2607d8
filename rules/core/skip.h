/* Passing over a JSON object or array without reading it: brackets outside of strings are counted,
 * nothing more.
 *
 * Whether they match, and what stands between them, is the strict reader's business (json.h). The
 * text may come in pieces; where it ends does not depend on them. Pure, any thread.
 */
#ifndef LG_RULES_CORE_SKIP_H
#define LG_RULES_CORE_SKIP_H

#include <stdbool.h>
#include <stdint.h>

#include "rules/core/str.h"

/* Zeroed: before the first bracket. */
struct lg_skip {
    uint64_t depth;
    bool in_string, escaped;
};

/* How many bytes of the piece belong to the container, whose first byte is the first piece's first.
 * *ret_whole: its last byte is among them. O(n), many bytes at a time. */
size_t lg_skip_container(struct lg_skip *skip, struct lg_str piece, bool *ret_whole)
    __attribute__((nonnull));

#endif
