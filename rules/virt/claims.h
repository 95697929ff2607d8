/* The claims behind a guest's volumes: which access modes they have, or will have once CDI made
 * them.
 *
 * A volume names a claim (persistentVolumeClaim) or a data volume (dataVolume), whose claim has the
 * same name. An existing claim decides, also over a template of that name (CDI adopts it). Else the
 * VM's data volume template, else the data volume, is rendered as CDI will (virt/storage.h).
 * Source: KubeVirt pkg/storage/types/pvc.go, CDI pkg/controller/datavolume/util.go. Pure, any
 * thread.
 */
#ifndef LG_RULES_VIRT_CLAIMS_H
#define LG_RULES_VIRT_CLAIMS_H

#include "rules/virt/storage.h"
#include "rules/virt/vm.h"

/* The cluster's claims, handed in by the inventory. */
struct lg_claims_view {
    void *arg;
    enum lg_lookup (*claim)(void *arg, struct lg_str ns, struct lg_str name,
                            const struct lg_claim **ret);
    enum lg_lookup (*data_volume)(void *arg, struct lg_str ns, struct lg_str name,
                                  const struct lg_data_volume **ret);
    /* Visits all storage profiles in no order: start with *pos = 0 until NULL. */
    const struct lg_storage_profile *(*next_profile)(void *arg, size_t *pos);
    struct lg_storage_view storage;
};

enum lg_claim_from {
    LG_FROM_CLAIM,       /* it exists */
    LG_FROM_DATA_VOLUME, /* CDI will make it for a data volume */
    LG_FROM_TEMPLATE,    /* KubeVirt and CDI will make it for the VM's data volume template */
    LG_FROM_NOWHERE,     /* nothing of that name is known */
};

struct lg_volume_claim {
    struct lg_str volume, claim; /* their names */
    struct lg_val at;            /* where its modes are decided: the template, else the reference */
    enum lg_claim_from from;
    struct lg_val template; /* LG_FROM_TEMPLATE: the data volume template */
    bool moving;            /* KubeVirt moves the volume right now: its mode does not count */
    /* FILESYSTEM where the guest has it as a filesystem (virtiofs), which a block device cannot be;
     * else UNSET */
    enum lg_volume_mode needs;
    /* Modes and class; or what is missing: LG_KIND_CLAIM and LG_KIND_DATA_VOLUME as well. */
    struct lg_rendered rendered;
};

/* All volumes of the guest over a claim or a data volume, in the order of the text; in the
 * arena. */
const struct lg_volume_claim *lg_volume_claims(const struct lg_vm *vm,
                                               const struct lg_claims_view *view,
                                               struct lg_arena *arena, size_t *ret_n);

/* The profile's first property set with ReadWriteMany, of this volume mode where it is not UNSET;
 * NULL = none. */
const struct lg_property_set *lg_sharing_set(const struct lg_storage_profile *profile,
                                             enum lg_volume_mode mode);

/* Names of the storage classes whose profile offers ReadWriteMany, with the volume mode `needs`
 * where it is not UNSET: "a, b and 3 more", "" for none. In the arena. */
struct lg_str lg_sharing_classes(const struct lg_claims_view *view, enum lg_volume_mode needs,
                                 struct lg_arena *arena);

/* What to do about a claim of a template or a data volume that will not be ReadWriteMany: "set
 * accessModes: ...". */
struct lg_str lg_sharing_advice(const struct lg_claims_view *view,
                                const struct lg_rendered *rendered, enum lg_volume_mode needs,
                                struct lg_arena *arena);

#endif
