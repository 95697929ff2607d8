/* Which access modes will a claim have? CDI's rendering of DataVolumes, as a pure function.
 *
 * Source: CDI pkg/controller/datavolume/util.go. Any thread.
 */
#ifndef LG_RULES_VIRT_STORAGE_H
#define LG_RULES_VIRT_STORAGE_H

#include "rules/virt/records.h"

/* The cluster's storage, handed in by the inventory: look-ups answer found, absent or unknown. */
enum lg_lookup { LG_FOUND, LG_ABSENT, LG_UNKNOWN };

struct lg_storage_view {
    void *arg;
    enum lg_lookup (*class_by_name)(void *arg, struct lg_str name,
                                    const struct lg_storage_class **ret);
    /* CDI's choice among defaults: virt default first where `virt`, newest first, then by name.
     * UNKNOWN when classes are not known. */
    enum lg_lookup (*class_default)(void *arg, bool virt, const struct lg_storage_class **ret);
    enum lg_lookup (*profile_by_name)(void *arg, struct lg_str name,
                                      const struct lg_storage_profile **ret);
};

struct lg_rendered {
    bool resolved;
    struct lg_modes modes;
    enum lg_volume_mode volume_mode; /* UNSET = Kubernetes' default, Filesystem */
    bool has_class;
    struct lg_str class_name;
    /* Not resolved (modes and class are still what is sure of them): what stands in the way. */
    /* LG_KIND_STORAGE_CLASS, LG_KIND_STORAGE_PROFILE, or LG_KIND_OTHER: nothing is missing, CDI
     * itself cannot resolve it */
    enum lg_kind missing;
    struct lg_str missing_name; /* "" = no class is named and none is the default */
    const char *why;            /* CDI's words in short, static */
    bool from_profile;          /* the modes are a profile's: say so, with class_name */
};

/* Renders `spec`. What is written in `spec` is taken at its word where class or profile are merely
 * unknown: no class takes an access mode away. */
void lg_storage_render(const struct lg_claim_spec *spec, const struct lg_storage_view *view,
                       struct lg_rendered *ret);

/* The default so far (NULL: none), or `candidate` where it is annotated as one (KubeVirt's default
 * with `virt`, else Kubernetes') and comes first: the newest, then by name. */
const struct lg_storage_class *lg_storage_newer_default(const struct lg_storage_class *best,
                                                        const struct lg_storage_class *candidate,
                                                        bool virt);

#endif
