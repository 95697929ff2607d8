/* What the KubeVirt CR (and HyperConverged) say that rules depend on, with KubeVirt's defaults
 * filled in.
 *
 * Source: KubeVirt pkg/virt-config, api/core/v1/types.go; HyperConverged api/v1beta1, api/v1.
 * Values borrow from the arena they were read into. Pure, any thread.
 */
#ifndef LG_RULES_VIRT_SETTINGS_H
#define LG_RULES_VIRT_SETTINGS_H

#include "rules/core/json.h"
#include "rules/kube/labels.h"
#include "rules/virt/migration_settings.h"
#include "rules/virt/records.h"

enum { LG_KUBEVIRT_NEWEST = 109 }; /* 1.9 as 100 * major + minor */

struct lg_binding {
    struct lg_str name;
    bool migratable; /* a `migration` struct is there, even empty */
};

struct lg_strs {
    const struct lg_str *items;
    size_t n;
};

struct lg_settings {
    bool known; /* false: no KubeVirt CR was found or KubeVirt CRs are not known; defaults follow */
    /* 100 * major + minor; what differs between versions is asked of virt/versions.h */
    int version;        /* the observed one, where there is one */
    int target_version; /* where KubeVirt is being moved to; else the same */
    bool version_known;
    struct lg_str version_text; /* the observed one as the CR writes it, "" = it says none */
    struct lg_strs gates, disabled_gates; /* as written: ask lg_gate_is_on */
    /* "bridge", "masquerade", "slirp"; upstream's default is bridge */
    struct lg_str default_interface;
    bool permit_bridge_on_pod_network; /* default true */
    const struct lg_binding *bindings;
    size_t n_bindings;
    struct lg_str default_architecture; /* default amd64 */
    struct lg_labels machine_types;     /* by architecture, KubeVirt's defaults filled in */
    struct lg_labels node_selectors;    /* developerConfiguration.nodeSelectors */
    struct lg_str eviction_strategy;    /* "" = unset, which means None */
    struct lg_str cpu_model;            /* of VMs that name none; default host-model */
    struct lg_strs mediated_devices;    /* resource names of permitted ones */
    struct lg_str state_class;          /* vmStateStorageClass; "" = the default class of guests */
    int64_t memory_overcommit;          /* percent of its request that a guest sees; default 100 */
    int64_t cpu_allocation_ratio;       /* CPUs of guests for one of a node; default 10 */
    bool has_minimum_tsc; /* developerConfiguration.minimumClusterTSCFrequency is above 0 */
    /* HyperConverged status.infrastructureHighlyAvailable; true when not said */
    bool highly_available;
    /* there is one: it writes the KubeVirt CR, and puts back what others write there */
    bool hyperconverged;
    struct lg_str ns;                        /* where the CR stands */
    struct lg_migration_settings migrations; /* before any MigrationPolicy */
};

/* From the CRs' records; either may be NULL. */
const struct lg_settings *lg_settings_read(const struct lg_config_record *kubevirt,
                                           const struct lg_config_record *hyperconverged,
                                           struct lg_arena *arena);

/* Where a person writes what HyperConverged has a field of the same name for: "the KubeVirt CR", or
 * "the HyperConverged CR". Static storage. */
const char *lg_settings_cr(const struct lg_settings *settings);
/* How a person sets what stands at `setting` below spec.configuration of the KubeVirt CR and
 * HyperConverged has no field for: "set ... in the KubeVirt CR". In the arena. */
struct lg_str lg_settings_advice(const struct lg_settings *settings, const char *setting,
                                 struct lg_arena *arena);

#endif
