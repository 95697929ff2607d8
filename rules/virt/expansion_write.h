/* Writes an object anew with values put in along paths, and remembers of each byte where it came
 * from.
 *
 * Private to virt/expansion*.c: the half that knows JSON, and nothing of instancetypes. One writer
 * a text, in the arena, on one thread.
 */
#ifndef LG_RULES_VIRT_EXPANSION_WRITE_H
#define LG_RULES_VIRT_EXPANSION_WRITE_H

#include "rules/core/json.h"

enum { LG_ADDITIONS_MAX = 64 };

enum lg_addition_how {
    LG_ADD_VALUE,   /* in the place of what stands there */
    LG_ADD_TEXT,    /* the same, a text of ours */
    LG_ADD_MEMBERS, /* those of an object that are not there yet */
    LG_ADD_ITEMS,   /* those of a list whose `name` is not there yet */
    LG_ADD_TO_ITEM, /* member `text` with `val`, to the item `to` of the list that stands there */
};

struct lg_addition {
    const char *path; /* "spec.domain.cpu.model" */
    enum lg_addition_how how;
    int part; /* who brings it: not 0, which is the user */
    struct lg_val val, to;
    struct lg_str text;
};

/* A stretch of the text that was copied from another. */
struct lg_stretch {
    uint32_t from, to; /* bytes of the text */
    const struct lg_doc *doc;
    uint32_t source; /* where `from` stood in the document's text */
    int part;
};

struct lg_writer {
    struct lg_arena *arena;
    struct lg_buf text;
    struct lg_stretch *stretches;
    size_t n, size;
    const struct lg_addition *additions;
    size_t n_additions;
};

void lg_writer_done(struct lg_writer *writer);

/* Punctuation and keys of ours: they come from nowhere. */
void lg_writer_puts(struct lg_writer *writer, const char *text);

/* Appends `own` (or, where it is absent, an object) with those additions whose path starts with
 * `root`, then a dot. */
void lg_writer_value(struct lg_writer *writer, struct lg_val own, const char *root);
/* Appends `own` as it stands. */
void lg_writer_copy(struct lg_writer *writer, struct lg_val own, int part);

#endif
