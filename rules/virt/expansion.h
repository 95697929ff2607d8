/* What a VM names and this version does not read: its instancetype and its preference. Pure, any thread.
 *
 * Both may bring what rules look at (kubevirt-facts 8): annotations, a nodeSelector, a CPU model, an architecture, a
 * binding for an interface without one. Neither takes anything of the VM's own away.
 */
#ifndef LG_RULES_VIRT_EXPANSION_H
#define LG_RULES_VIRT_EXPANSION_H

#include "rules/virt/vm.h"

/* `instancetype "u1.medium" and preference "fedora"` in the arena; "" when the VM names neither. *ret_at: where. */
struct lg_str lg_expansion_unread(const struct lg_vm *vm, struct lg_arena *arena,
                                  struct lg_val *ret_at);

#endif
