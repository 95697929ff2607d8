/* The kinds of objects that livegate knows: one table from group and kind to an enum.
 *
 * Versions are not compared: v1 and v1alpha3 of KubeVirt, v1 and v1beta1 of HyperConverged are read
 * by the same code, so that no version is a way around a rule. Constant data, any thread.
 */
#ifndef LG_RULES_KUBE_GVK_H
#define LG_RULES_KUBE_GVK_H

#include <stdbool.h>
#include <stdint.h>

#include "rules/core/str.h"

enum lg_kind {
    LG_KIND_NODE,
    LG_KIND_CLAIM, /* PersistentVolumeClaim */
    LG_KIND_VOLUME,
    LG_KIND_STORAGE_CLASS,
    LG_KIND_STORAGE_PROFILE,
    LG_KIND_DATA_VOLUME,
    LG_KIND_VM,
    LG_KIND_VMI,
    LG_KIND_MIGRATION,
    LG_KIND_NAMESPACE,
    LG_KIND_MIGRATION_POLICY,
    LG_KIND_KUBEVIRT,
    LG_KIND_HYPERCONVERGED,
    LG_KIND_INSTANCETYPE,
    LG_KIND_CLUSTER_INSTANCETYPE,
    LG_KIND_PREFERENCE,
    LG_KIND_CLUSTER_PREFERENCE,
    LG_KIND_REVISION,    /* ControllerRevision */
    LG_KIND_POOL,        /* VirtualMachinePool */
    LG_KIND_REPLICA_SET, /* VirtualMachineInstanceReplicaSet */
    LG_KIND_CLUSTER_AUTOSCALER,
    LG_KIND_MACHINE_AUTOSCALER,
    LG_KIND_NODE_POOL, /* Karpenter's */
    LG_KIND_COUNT,
    LG_KIND_OTHER = LG_KIND_COUNT /* anything else */
};

#define LG_BIT(n) (1u << (n))

struct lg_gvk {
    const char *group;   /* "" = core */
    const char *version; /* the one to list and to write */
    const char *kind;    /* "PersistentVolumeClaim" */
    const char *plural;  /* "persistentvolumeclaims" */
    const char *noun;    /* for sentences: "claim", "storage profile" */
    bool namespaced;
    bool on_demand; /* never listed or watched: read when a VM names one */
    /* a template: in a cluster the guests made of it say what it uses, files have none of them */
    bool only_in_files;
    const char *also; /* the version to try where the API server has no `version`; NULL: none */
};

/* What an object is judged as, by which rules: a pool is a template of VMs, a replica set one of
 * VMIs; anything else is what it is. */
enum lg_kind lg_kind_judged_as(enum lg_kind kind);
/* It is judged as a VM or a VMI. */
bool lg_kind_is_guest(enum lg_kind kind);

/* The table's row. Static storage. */
const struct lg_gvk *lg_gvk(enum lg_kind kind);

/* By apiVersion ("group/version" or "v1") and kind; LG_KIND_OTHER for what we do not know. */
enum lg_kind lg_kind_of(struct lg_str api_version, struct lg_str kind);

/* By group and plural resource name, as a request names it. */
enum lg_kind lg_kind_of_resource(struct lg_str group, struct lg_str plural);

#endif
