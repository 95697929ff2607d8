/* Takes a List's text apart without reading it, so that a list of any length is read one item at a
 * time.
 *
 * What comes out is text that may still be anything: each piece goes through its reader. Private to
 * manifest*.c. Pure, any thread.
 */
#ifndef LG_RULES_MANIFEST_LIST_H
#define LG_RULES_MANIFEST_LIST_H

#include <stdint.h>

#include "rules/core/arena.h"

/* A document and the items in it; `items` is absent where it has none (p == NULL). */
struct lg_list_text {
    struct lg_str whole;
    /* what stands between "items": [ and ]; in YAML the lines of the sequence */
    struct lg_str items;
};

/* Where one is in a text; lines count from 1. */
struct lg_list_cursor {
    const char *at, *end;
    const char *line_start; /* of the line `line` */
    uint32_t line;
    uint32_t indent; /* YAML: the column of the dashes */
    bool started;
};

/* Finds the JSON object that `text` begins with. False: it does not end, or it is no object.
 * O(n). */
bool lg_list_find_json(struct lg_str text, struct lg_list_text *ret);
/* Finds the lines of a top-level sequence "items:" in a YAML document. False: there is none.
 * O(n). */
bool lg_list_find_yaml(struct lg_str text, struct lg_list_text *ret, uint32_t *ret_indent);

/* The document with an empty list of items, in the arena. */
struct lg_str lg_list_envelope(const struct lg_list_text *list, bool yaml, struct lg_arena *arena);

/* Moves to `to` (within the text), counting lines. O(distance). */
void lg_list_move(struct lg_list_cursor *cursor, const char *to);

enum lg_list_step { LG_LIST_ITEM, LG_LIST_END, LG_LIST_BROKEN };

/* The next item's text; the cursor moves to its first byte, and `end` of *ret_item is where the
 * next call goes on. BROKEN: no object, or no comma, at the cursor. */
enum lg_list_step lg_list_next_json(struct lg_list_cursor *cursor, struct lg_str *ret_item);
/* The next item's lines, dash included: a sequence of one. */
enum lg_list_step lg_list_next_yaml(struct lg_list_cursor *cursor, struct lg_str *ret_item);

#endif
