/* Memory that is given back all at once: one arena a review, a command or a policy.
 *
 * An arena grows in blocks from the heap; nothing is freed singly. Allocation never fails (see
 * mem.h). In builds with the address sanitizer each allocation is fenced by poisoned bytes. One
 * thread at a time.
 */
#ifndef LG_RULES_CORE_ARENA_H
#define LG_RULES_CORE_ARENA_H

#include <stddef.h>

#include "rules/core/str.h"

struct lg_arena_block;

struct lg_arena {
    struct lg_arena_block *head; /* newest block */
    char *at, *end;              /* free space of the newest block */
    size_t used_bytes;           /* handed out since init or reset */
};

/* Makes an empty arena in place; allocates nothing yet. */
void lg_arena_init(struct lg_arena *arena);

/* Frees everything. An arena that is done may be used again like a fresh one. */
void lg_arena_done(struct lg_arena *arena);

/* Forgets everything that was handed out and keeps one block of at most 64 KiB for the next use. */
void lg_arena_reset(struct lg_arena *arena);

/* Zeroed memory aligned for any object, borrowed from the arena. Zero bytes give a valid
 * pointer. */
void *lg_arena_alloc(struct lg_arena *arena, size_t bytes)
    __attribute__((warn_unused_result, returns_nonnull));

/* Like lg_arena_alloc for `n` objects of `size` bytes; the product is checked. */
void *lg_arena_array(struct lg_arena *arena, size_t n, size_t size)
    __attribute__((warn_unused_result, returns_nonnull));

/* The same, not zeroed: for what is filled before it is read. */
void *lg_arena_room(struct lg_arena *arena, size_t n, size_t size)
    __attribute__((warn_unused_result, returns_nonnull));

/* A copy of `s` with a NUL behind it (not counted), borrowed from the arena. */
struct lg_str lg_arena_str(struct lg_arena *arena, struct lg_str s);

/* printf into the arena; NUL-terminated, the NUL is not counted. */
struct lg_str lg_arena_printf(struct lg_arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* `struct lg_arena a lg_cleanup(lg_arena_done);` works: the cleanup attribute passes its
 * address. */

#endif
