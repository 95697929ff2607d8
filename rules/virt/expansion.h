/* A VM as it is once KubeVirt starts it: its own spec, with what its instancetype and its
 * preference bring.
 *
 * An instancetype adds to the spec, and contradicts it where both set a field (KubeVirt refuses
 * such a VM); a preference fills in where the VM is silent, after the pod network's default
 * interface. A controller revision goes before the live object: that of spec.*.revisionName, else
 * that of the VM's status. What the VM becomes is a text of its own; each value in it knows where
 * it came from. Source: KubeVirt pkg/instancetype. Pure, any thread.
 */
#ifndef LG_RULES_VIRT_EXPANSION_H
#define LG_RULES_VIRT_EXPANSION_H

#include "rules/virt/storage.h"
#include "rules/virt/vm.h"

/* Instancetypes, preferences and controller revisions, handed in by the inventory. */
struct lg_parts_view {
    void *arg;
    enum lg_lookup (*find)(void *arg, enum lg_kind kind, struct lg_str ns, struct lg_str name,
                           const struct lg_config_record **ret);
};

enum lg_part { LG_PART_OWN, LG_PART_INSTANCETYPE, LG_PART_PREFERENCE };

enum lg_part_state {
    LG_PART_UNNAMED,  /* the VM names none */
    LG_PART_READ,     /* it is in the spec now */
    LG_PART_MISSING,  /* not found, or not known: `kind` and `name` */
    LG_PART_UNUSABLE, /* `problem` says why, in a sentence */
};

struct lg_part_info {
    enum lg_part_state state;
    struct lg_val at;    /* where the VM names it: spec.instancetype.name */
    struct lg_str title; /* instancetype "u1.gpu" */
    enum lg_kind kind;   /* of the object that was looked up */
    struct lg_str name;  /* its name */
    struct lg_str problem;
};

/* Puts the expanded metadata, spec and data volume templates into `io_vm`, in the arena. `io_vm`
 * has the types that lg_shape_check holds it to. O(its text and that of what it names). */
void lg_expand(struct lg_vm *io_vm, const struct lg_parts_view *view, struct lg_arena *arena);

/* LG_PART_INSTANCETYPE or LG_PART_PREFERENCE. Static, or in the arena. */
const struct lg_part_info *lg_expansion_part(const struct lg_vm *vm, enum lg_part part);

/* Where a value of the (expanded) VM stands in the user's own object; for what a part brought,
 * where the VM names it. LG_NONE: nowhere. *ret_part says who brought it. O(log n). */
struct lg_val lg_expansion_origin(const struct lg_vm *vm, struct lg_val at, enum lg_part *ret_part);

#endif
