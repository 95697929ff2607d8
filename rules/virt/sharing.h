/* What would make a claim ReadWriteMany that is asked for otherwise: whether its storage class
 * offers it.
 *
 * The class is the one the claim would get; its storage profile says which access modes go with
 * which volume mode.
 * Source: CDI doc/storageprofile.md. Pure, any thread.
 */
#ifndef LG_RULES_VIRT_SHARING_H
#define LG_RULES_VIRT_SHARING_H

#include "rules/virt/claims.h"

struct lg_sharing {
    bool offered; /* with the volume mode that is asked for, or with none asked for */
    /* offered: what the claim gets with it, UNSET = what is asked for */
    enum lg_volume_mode volume_mode;
    /* the only volume mode with which the class offers it, where that is another one */
    enum lg_volume_mode other_mode;
    struct lg_str class_name; /* "" = no class is known */
    struct lg_str why_not;    /* in the arena */
};

/* `body`: the object with its accessModes; `asked`: what the claim or data volume says; `rendered`:
 * what becomes of it. One that asks for a volume which exists (volumeName, selector) is offered
 * nothing: that volume's modes are what they are. */
struct lg_sharing lg_sharing_offer(const struct lg_claims_view *view, struct lg_val body,
                                   const struct lg_claim_spec *asked,
                                   const struct lg_rendered *rendered, struct lg_arena *arena);

#endif
