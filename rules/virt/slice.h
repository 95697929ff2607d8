/* Parts of an object as JSON text that is kept: without white space, and only what rules read.
 *
 * Private to records*.c. Pure, any thread.
 */
#ifndef LG_RULES_VIRT_SLICE_H
#define LG_RULES_VIRT_SLICE_H

#include "rules/core/json.h"
#include "rules/virt/shape.h"

/* Appends JSON text without the white space between its tokens. O(n). */
void lg_slice_compact(struct lg_buf *buf, struct lg_str json);

/* Appends `v` with the members that the tables know, at every depth; an object of which only the
 * presence matters becomes {} (cloud-init's user data has no place in our memory). Items of lists
 * keep their numbers. What has another type than the table says stays as it is: a rule must see it
 * as it would in the whole object. */
void lg_slice_members(struct lg_buf *buf, const struct lg_shape *table, struct lg_val v);

#endif
