/* Edits of members of objects: the same list as JSON text with the edits in it, and as operations
 * of a JSON Patch.
 *
 * All edits of a list are about one document as it stood before them. Everything in the arena; one
 * thread.
 */
#ifndef LG_RULES_EDIT_H
#define LG_RULES_EDIT_H

#include "rules/kube/patch.h"

enum { LG_EDITS_MAX = 256 }; /* no guest has as many disks */

struct lg_edit {
    struct lg_val object;
    struct lg_str key;  /* plain text of ours */
    struct lg_str to;   /* the member's new name, "" = it keeps it */
    struct lg_str json; /* its new value */
};

struct lg_edits {
    struct lg_arena *arena;
    struct lg_edit *items;
    size_t n, size;
    bool overflowed; /* more than LG_EDITS_MAX: good for nothing */
};

/* Adds the edit unless the list has one of that member already. */
void lg_edits_add(struct lg_edits *edits, const struct lg_edit *edit);

/* The text of `root` with the edits: everything else stays as it is, byte for byte. */
struct lg_str lg_edits_text(const struct lg_edits *edits, struct lg_val root);

/* Appends the operations, pointers relative to `root`. */
void lg_edits_patch(const struct lg_edits *edits, struct lg_val root, struct lg_patch *patch);

#endif
