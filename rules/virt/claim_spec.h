/* What a claim or a data volume asks for: access modes, volume mode, class.
 *
 * Values are plain; their strings are borrowed from what they were read from, or lie in a record's
 * block. Any thread.
 * Source: the API types of Kubernetes and CDI.
 */
#ifndef LG_RULES_VIRT_CLAIM_SPEC_H
#define LG_RULES_VIRT_CLAIM_SPEC_H

#include <stdbool.h>
#include <stdint.h>

#include "rules/core/json.h"

enum lg_access_mode { LG_MODE_RWO, LG_MODE_ROX, LG_MODE_RWX, LG_MODE_RWOP };
enum { LG_MODES_MAX = 16 };

/* In the order they were given, repetitions kept. */
struct lg_modes {
    uint8_t n;
    uint8_t items[LG_MODES_MAX]; /* enum lg_access_mode */
};

enum lg_volume_mode { LG_VOLUME_MODE_UNSET, LG_VOLUME_MODE_FILESYSTEM, LG_VOLUME_MODE_BLOCK };

/* What a claim or a data volume asks for. */
struct lg_claim_spec {
    struct lg_modes modes;
    enum lg_volume_mode volume_mode;
    bool has_class; /* storageClassName is there, even "" */
    struct lg_str class_name;
    /* DataVolume spec.storage: CDI renders it; false: spec.pvc or a claim, taken as it stands */
    bool storage_api;
    bool archive; /* contentType archive */
    /* volumeMode FromStorageProfile, or label cdi.kubevirt.io/applyStorageProfile on a claim */
    bool from_profile;
};

/* A claim that others may reach at the same time: ReadWriteMany is among the modes. */
bool lg_modes_shared(const struct lg_modes *modes);
/* "ReadWriteOnce" or "ReadWriteOnce, ReadOnlyMany"; "without an access mode" for none. In the
 * arena. */
struct lg_str lg_modes_text(const struct lg_modes *modes, struct lg_arena *arena);
struct lg_modes lg_modes_read(struct lg_val list);

/* Reads spec of a claim, of a DataVolume or of a dataVolumeTemplates item (its `spec`); strings are
 * borrowed. */
struct lg_claim_spec lg_claim_spec_of_claim(struct lg_val claim_object);
struct lg_claim_spec lg_claim_spec_of_data_volume(struct lg_val data_volume_spec);

#endif
