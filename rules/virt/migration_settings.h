/* How migrations run here: KubeVirt's limits and timeouts as they hold, each with where it comes
 * from.
 *
 * The first that says so counts: the KubeVirt CR; KubeVirt's own defaults where that CR leaves a
 * key out; without a KubeVirt CR the HyperConverged CR and the defaults of its version; without
 * either what OpenShift Virtualization 4.14 documents. A key that cannot be read (wrong type, out
 * of range) is as good as left out, and its source says so. A MigrationPolicy changes some of them
 * for some guests. Source: KubeVirt pkg/virt-config,
 * pkg/virt-controller/watch/migration/migrationpolicy.go; HyperConverged api/v1. Pure, any thread.
 */
#ifndef LG_RULES_VIRT_MIGRATION_SETTINGS_H
#define LG_RULES_VIRT_MIGRATION_SETTINGS_H

#include "rules/virt/records.h"

enum lg_migration_key {
    LG_MIGRATION_PARALLEL_CLUSTER,   /* migrations at once; 0: none ever starts */
    LG_MIGRATION_PARALLEL_OUTBOUND,  /* at once from one node; 0: none ever starts */
    LG_MIGRATION_BANDWIDTH,          /* bytes a second; 0 = unlimited */
    LG_MIGRATION_COMPLETION_TIMEOUT, /* seconds for each 10^9 bytes; 0 = none */
    LG_MIGRATION_PROGRESS_TIMEOUT,   /* seconds; 0 = none */
    LG_MIGRATION_AUTO_CONVERGE,      /* 0 or 1, like the two below */
    LG_MIGRATION_POST_COPY,
    LG_MIGRATION_WORKLOAD_DISRUPTION,
    LG_MIGRATION_KEYS
};

struct lg_migration_value {
    int64_t value;
    /* "KubeVirt openshift-cnv/kubevirt", "KubeVirt's default", "MigrationPolicy fast"...: ends a
     * sentence */
    struct lg_str source;
};

struct lg_migration_settings {
    struct lg_migration_value of[LG_MIGRATION_KEYS];
};

/* As the CRs spell it: "parallelMigrationsPerCluster". Static storage. */
const char *lg_migration_key_name(enum lg_migration_key key);

/* From the CRs (LG_NONE: there is none, or it is not known). Sources lie in the arena. */
struct lg_migration_settings lg_migration_settings_read(struct lg_val kubevirt,
                                                        struct lg_val hyperconverged,
                                                        struct lg_arena *arena);

/* Where a HyperConverged (either API version), a KubeVirt or a MigrationPolicy says so; LG_NONE
 * where it says nothing. */
struct lg_val lg_migration_config_of(enum lg_kind kind, struct lg_val object);

/* The MigrationPolicy for a guest so far (NULL: none), or `candidate` where it matches the labels
 * of the guest and of its namespace and goes before: more labels match, then more of the guest's,
 * then by name. */
const struct lg_migration_policy_record *lg_migration_policy_better(
    const struct lg_migration_policy_record *best,
    const struct lg_migration_policy_record *candidate, struct lg_labels guest,
    struct lg_labels ns);

/* `settings` with what the policy (NULL: none) says over it. */
struct lg_migration_settings lg_migration_settings_with(
    const struct lg_migration_settings *settings, const struct lg_migration_policy_record *policy,
    struct lg_arena *arena);

#endif
