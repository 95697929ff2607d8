/* JSON text with its usual words as numbers: what is kept of twenty thousand guests says "volumes"
 * and "virtio" as often.
 *
 * A string of the table, quotes and (of a key) the colon included, becomes two bytes: one that no
 * JSON has outside of white space, and the word's number. Everything else stays as it is. Private
 * to records. Pure, any thread.
 */
#ifndef LG_RULES_VIRT_PACK_H
#define LG_RULES_VIRT_PACK_H

#include "rules/core/arena.h"

/* Appends compact JSON text (no white space between tokens), packed. O(n log words). */
void lg_pack(struct lg_buf *buf, struct lg_str json);

/* The text again; in the arena. O(n). */
struct lg_str lg_unpack(struct lg_str packed, struct lg_arena *arena);

#endif
