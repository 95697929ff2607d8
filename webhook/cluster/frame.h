/* Takes the API server's streams apart while they arrive: a list into its items, a watch into its
 * events.
 *
 * Only the frame is read here: the outer object of a list and where each item begins and ends. What
 * is inside is handed on as text to the strict reader (rules/core/json.h), so that a page is never
 * in memory and one bad item does not cost the others. Chunks may end anywhere, also within an
 * escape or a UTF-8 character.
 *
 *   list:  {"kind": "NodeList", "metadata": {"resourceVersion": "5", "continue": "..."},
 *           "items": [ITEM, ...]}, members in any order, unknown ones passed over, `items` may be
 *          null
 *   watch: {"type": "ADDED", "object": {...}} one behind the other, white space between them
 *
 * Bounds: an item or event of more than LG_FRAME_ITEM_BYTES_MAX is passed over and reported as too
 * large; a member beside `items` of more than LG_FRAME_MEMBER_BYTES_MAX is an error. O(bytes).
 * Owned by the caller, one thread.
 *
 * States: init -> feeding -> ended (whole) or failed (every further call fails with LG_E_INVALID).
 */
#ifndef LG_WEBHOOK_CLUSTER_FRAME_H
#define LG_WEBHOOK_CLUSTER_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "rules/core/err.h"
#include "rules/core/skip.h"
#include "rules/core/str.h"

enum {
    LG_FRAME_ITEM_BYTES_MAX = 4 * 1024 * 1024,
    LG_FRAME_MEMBER_BYTES_MAX = 64 * 1024,
};

enum lg_frame_kind { LG_FRAME_LIST, LG_FRAME_WATCH };

/* One item or event, borrowed for the call; the absent string: it was too large. Anything but
 * LG_E_OK ends the feeding with that error. */
typedef enum lg_err_code lg_frame_item_fn(void *arg, struct lg_str item, struct lg_err *err);

struct lg_frame {
    enum lg_frame_kind kind;
    lg_frame_item_fn *item;
    void *arg;
    size_t item_bytes_max;
    /* private */
    uint8_t state, value, member;
    bool too_large, in_items;
    struct lg_skip skip; /* within the value */
    unsigned seen;
    struct lg_buf text, key, metadata, list_kind;
    uint64_t bytes; /* read so far */
};

/* `item_bytes_max` 0: LG_FRAME_ITEM_BYTES_MAX. */
void lg_frame_init(struct lg_frame *frame, enum lg_frame_kind kind, size_t item_bytes_max,
                   lg_frame_item_fn *item, void *arg) __attribute__((nonnull(1, 4)));
void lg_frame_done(struct lg_frame *frame);

/* The next bytes. LG_E_INVALID: not such a stream (err->where is "byte N"); LG_E_LIMIT; what `item`
 * returned. */
enum lg_err_code lg_frame_feed(struct lg_frame *frame, struct lg_str chunk, struct lg_err *err)
    __attribute__((nonnull(1), warn_unused_result));

/* What a whole list said beside its items; zeroed for a watch. */
struct lg_frame_list {
    char *kind, *resource_version; /* given, NUL-terminated */
    char *next;                    /* metadata.continue, given; NULL: this was the last page */
};

/* No more bytes come. LG_E_INVALID: they ended within a list or an event, or a list said no
 * resourceVersion. *ret is filled only on LG_E_OK. */
enum lg_err_code lg_frame_end(struct lg_frame *frame, struct lg_frame_list *ret, struct lg_err *err)
    __attribute__((nonnull(1, 2), warn_unused_result));
void lg_frame_list_done(struct lg_frame_list *list);

#endif
