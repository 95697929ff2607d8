/* The one repairer behind /mutate and `check --fix`: what can be mended of an object, as a JSON
 * Patch.
 *
 * Pure and bounded, like the judge (engine.h), on any thread: same input, same bytes. The patch is
 * minimal, tests only strings that were read from the object, and applied to its own result it is
 * empty. At admission nothing is mended for controllers, for members of the bypass group, for
 * objects with a controller ownerReference or that are being deleted, for subresources, in mode
 * observe, or where policy does not name the rule.
 */
#ifndef LG_RULES_MEND_H
#define LG_RULES_MEND_H

#include "rules/engine.h"

#define LG_MENDED_ANNOTATION "livegate.io/mended"

enum lg_mend_door {
    LG_MEND_ADMISSION, /* the fixers that policy switches on; recorded in the annotation */
    LG_MEND_FILE,      /* every fixer; nothing is recorded */
};

struct lg_mend_note {
    const struct lg_rule *rule;
    /* note: what was changed; reason: why a finding about `about` stays */
    struct lg_str about, text;
    bool at_limit; /* a reason that is a limit of ours: nothing else would tell the user */
};

struct lg_mending {
    struct lg_str patch;  /* RFC 6902, relative to the object; "" = nothing to mend */
    struct lg_str text;   /* of the object as the patch leaves it; "" without one */
    struct lg_val object; /* the same, without the record; the input's where there is no patch */
    const struct lg_mend_note *notes;
    size_t n_notes;
    const struct lg_mend_note *reasons;
    size_t n_reasons;
    /* with the input's `confirm`: what has to be read to know what can be mended */
    struct lg_wants wants;
};

/* Never fails: what cannot be read, or not in time, is not mended. Everything in the arena. */
void lg_engine_mend(const struct lg_engine_input *input, enum lg_mend_door door,
                    struct lg_arena *arena, struct lg_mending *ret);

#endif
