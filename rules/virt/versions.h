/* What differs between versions of KubeVirt, one row a difference, and the feature gates that rules
 * ask about.
 *
 * While KubeVirt is between two versions (observed and target differ) the stricter answer of both
 * stands: a difference that hinders a migration holds where one of them has it, one that permits
 * something only where both do. Profiles reach from 1.0 to the newest; a version that is newer
 * still has the newest's. The rows name their sources. Pure, any thread.
 */
#ifndef LG_RULES_VIRT_VERSIONS_H
#define LG_RULES_VIRT_VERSIONS_H

#include "rules/virt/settings.h"

enum lg_difference {
    LG_DIFFERENCE_VIRTIOFS_STAYS,           /* any virtiofs filesystem stops a migration */
    LG_DIFFERENCE_RESERVATION_STAYS,        /* a persistent reservation stops a migration */
    LG_DIFFERENCE_STATE_CLAIM_STAYS,        /* the claim of a TPM or EFI has to be shared */
    LG_DIFFERENCE_ANY_GPU_STAYS,            /* every GPU stops a migration, mediated or not */
    LG_DIFFERENCE_TDX_STAYS,                /* TDX is known, and stops a migration */
    LG_DIFFERENCE_SECURE_EXECUTION_STAYS,   /* so is Secure Execution */
    LG_DIFFERENCE_HYPERV_PASSTHROUGH_STAYS, /* so is Hyper-V passthrough */
    LG_DIFFERENCE_PASST_BINDING,            /* passtBinding is a binding of its own */
    LG_DIFFERENCE_OLD_BINDINGS_GONE,        /* slirp, passt and macvtap are refused at creation */
    LG_DIFFERENCE_BETA_GATES_ON,     /* Beta feature gates are on, but for disabledFeatureGates */
    LG_DIFFERENCE_ADDED_SELECTOR,    /* a migration's addedNodeSelector narrows its targets */
    LG_DIFFERENCE_RESERVATION_APART, /* guests with a reservation on one claim are kept apart */
    LG_DIFFERENCE_PRIORITY,          /* a migration has a priority, which is KubeVirt's to set */
    LG_DIFFERENCE_COUNT
};

/* "v1.9.0", "1.6.6-23-gabc": 100 * major + minor; 0 where it is no version that a profile is known
 * for. OpenShift Virtualization's own numbers are understood, from 4.14 on: its 4.N is KubeVirt
 * 1.(N-14). */
int lg_version_read(struct lg_str text);

/* The difference holds in this cluster's profile. */
bool lg_version_has(const struct lg_settings *settings, enum lg_difference difference);

struct lg_difference_row {
    const char *what; /* one line for people */
    int since,
        until;    /* 100 * major + minor, both included; 0 = always was, LG_VERSION_ON = still is */
    bool permits; /* it allows what was refused before */
    const char *source; /* where upstream says so */
};
enum { LG_VERSION_ON = 9999 };
/* The table's row, for explanations and tests. Static storage. */
const struct lg_difference_row *lg_version_row(enum lg_difference difference);

enum lg_gate {
    LG_GATE_VGPU_MIGRATION,          /* VGPULiveMigration */
    LG_GATE_DECENTRALIZED_MIGRATION, /* DecentralizedLiveMigration */
    LG_GATE_HYPERV_STRICT_CHECK,     /* HypervStrictCheck */
    LG_GATE_COUNT
};

/* The KubeVirt CR switches the gate on, or its version does and the CR does not switch it off. */
bool lg_gate_is_on(const struct lg_settings *settings, enum lg_gate gate);
/* "VGPULiveMigration". Static storage. */
const char *lg_gate_name(enum lg_gate gate);

#endif
