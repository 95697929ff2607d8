/* Builds a JSON Patch (RFC 6902), operation by operation.
 *
 * A patch belongs to one thread; zeroed = empty. Values are given as JSON text, so that a user's
 * subtree is copied and never printed anew. Pointers are RFC 6901.
 */
#ifndef LG_RULES_KUBE_PATCH_H
#define LG_RULES_KUBE_PATCH_H

#include "rules/core/json.h"

struct lg_patch {
    struct lg_buf text; /* private */
    size_t n;           /* operations so far */
};

void lg_patch_done(struct lg_patch *patch);

/* The pointer from `root` (an ancestor, or v itself: "") to `v`, in the arena. O(depth x
 * siblings). */
struct lg_str lg_patch_pointer(struct lg_val root, struct lg_val v, struct lg_arena *arena);

/* `pointer` and one more member's name (or "-", the end of a list), in the arena. */
struct lg_str lg_patch_below(struct lg_str pointer, struct lg_str name, struct lg_arena *arena);

void lg_patch_test_str(struct lg_patch *patch, struct lg_str pointer, struct lg_str value);
void lg_patch_add(struct lg_patch *patch, struct lg_str pointer, struct lg_str json);
void lg_patch_replace(struct lg_patch *patch, struct lg_str pointer, struct lg_str json);
void lg_patch_remove(struct lg_patch *patch, struct lg_str pointer);

/* Ends the patch and returns its text, borrowed from it; "" without an operation. Nothing can be
 * added afterwards. */
struct lg_str lg_patch_finish(struct lg_patch *patch);

#endif
