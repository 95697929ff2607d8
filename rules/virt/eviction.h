/* What an eviction of the guest's pod, as a drain asks for it, does to the guest: the effective
 * evictionStrategy.
 *
 * The VM's own, else the KubeVirt CR's, else what HyperConverged would write there. KubeVirt fills
 * the default into the VMI when it starts, so that a VMI that says the same as the cluster may only
 * have inherited it. Source: KubeVirt's pod-eviction-admitter.go, HyperConverged
 * controllers/handlers/kubevirt.go. Pure, any thread.
 */
#ifndef LG_RULES_VIRT_EVICTION_H
#define LG_RULES_VIRT_EVICTION_H

#include "rules/virt/settings.h"
#include "rules/virt/vm.h"

enum lg_eviction_from {
    LG_EVICTION_OWN,
    LG_EVICTION_KUBEVIRT,
    LG_EVICTION_HYPERCONVERGED,
    LG_EVICTION_UNKNOWN /* neither of those configurations is known: `strategy` is "" */
};

struct lg_eviction {
    struct lg_str strategy; /* "None", "LiveMigrate", "LiveMigrateIfPossible", "External" */
    enum lg_eviction_from from;
    struct lg_val at; /* the VM's own word, or LG_NONE */
};

struct lg_eviction lg_eviction_of(const struct lg_vm *vm, const struct lg_settings *settings);

/* "", ", which the KubeVirt CR sets for guests that do not say", "..., which HyperConverged sets
 * ...". Static. */
const char *lg_eviction_source(enum lg_eviction_from from);

#endif
