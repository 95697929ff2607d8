/* How much of a node a guest asks for, as far as its spec says so: a lower bound, without what the
 * launcher itself takes.
 *
 * Source: KubeVirt pkg/virt-controller/services, resource renderer; pkg/defaults. Pure, any thread.
 */
#ifndef LG_RULES_VIRT_SIZE_H
#define LG_RULES_VIRT_SIZE_H

#include "rules/virt/nodes.h"
#include "rules/virt/settings.h"

/* Explicit requests count, else limits, else CPUs and memory of the guest as the cluster's ratios
 * have it; dedicated CPUs whole; memory on huge pages as such. -1 = nothing is asked. */
struct lg_capacity lg_guest_size(struct lg_val vmi_spec, const struct lg_settings *settings);

/* A node that does not say what it has counts as large enough. */
bool lg_size_fits(const struct lg_capacity *size, const struct lg_capacity *allocatable);

/* What is asked for, one kind after the other: start with *pos = 0 until false. "cpu", "memory",
 * "hugepages-2Mi", "hugepages-1Gi"; *ret_has is the node's. */
bool lg_size_next(const struct lg_capacity *size, const struct lg_capacity *allocatable,
                  size_t *pos, const char **ret_name, int64_t *ret_asked, int64_t *ret_has);

/* "12", "1500m"; "64Gi", "1500Mi". In the arena. */
struct lg_str lg_size_text(const char *name, int64_t amount, struct lg_arena *arena);

#endif
