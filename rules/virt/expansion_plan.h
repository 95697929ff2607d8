/* Which fields an instancetype and a preference put into a VM: the half of virt/expansion that
 * knows KubeVirt's rules.
 *
 * Private to virt/expansion*.c. Values borrow from the specs. Pure, any thread.
 */
#ifndef LG_RULES_VIRT_EXPANSION_PLAN_H
#define LG_RULES_VIRT_EXPANSION_PLAN_H

#include "rules/virt/expansion.h"
#include "rules/virt/expansion_write.h"

struct lg_plan {
    struct lg_arena *arena;
    struct lg_addition additions[LG_ADDITIONS_MAX]; /* below "metadata." and "spec." */
    size_t n;
    struct lg_val storage_class; /* of data volume templates that name none */
};

/* Adds what the instancetype brings. The answer is the path of a field that the VM sets too, in the
 * user's object: then KubeVirt refuses the VM; "" = none. */
struct lg_str lg_plan_instancetype(struct lg_plan *plan, const struct lg_vm *vm,
                                   struct lg_val spec);

/* Adds what the preference brings where neither the VM nor the plan says anything. */
void lg_plan_preference(struct lg_plan *plan, const struct lg_vm *vm, struct lg_val spec);

/* What the plan adds to a data volume template, as paths below "template."; at most two. */
size_t lg_plan_template(const struct lg_plan *plan, struct lg_val template,
                        struct lg_addition *ret_additions);

#endif
