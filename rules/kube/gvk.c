#include "rules/kube/gvk.h"

#include <assert.h>

#define INSTANCETYPE_API "instancetype.kubevirt.io", "v1beta1"

static const struct lg_gvk kinds[LG_KIND_COUNT] = {
    [LG_KIND_NODE] = {"", "v1", "Node", "nodes", "node", .namespaced = false},
    [LG_KIND_CLAIM] = {"", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", "claim",
                       .namespaced = true},
    [LG_KIND_VOLUME] = {"", "v1", "PersistentVolume", "persistentvolumes", "volume",
                        .namespaced = false},
    [LG_KIND_STORAGE_CLASS] = {"storage.k8s.io", "v1", "StorageClass", "storageclasses",
                               "storage class", .namespaced = false},
    [LG_KIND_STORAGE_PROFILE] = {"cdi.kubevirt.io", "v1beta1", "StorageProfile", "storageprofiles",
                                 "storage profile", .namespaced = false},
    [LG_KIND_DATA_VOLUME] = {"cdi.kubevirt.io", "v1beta1", "DataVolume", "datavolumes",
                             "data volume", .namespaced = true},
    [LG_KIND_VM] = {"kubevirt.io", "v1", "VirtualMachine", "virtualmachines", "virtual machine",
                    .namespaced = true},
    [LG_KIND_VMI] = {"kubevirt.io", "v1", "VirtualMachineInstance", "virtualmachineinstances",
                     "virtual machine instance", .namespaced = true},
    [LG_KIND_MIGRATION] = {"kubevirt.io", "v1", "VirtualMachineInstanceMigration",
                           "virtualmachineinstancemigrations", "migration", .namespaced = true},
    [LG_KIND_NAMESPACE] = {"", "v1", "Namespace", "namespaces", "namespace", .namespaced = false},
    [LG_KIND_MIGRATION_POLICY] = {"migrations.kubevirt.io", "v1alpha1", "MigrationPolicy",
                                  "migrationpolicies", "migration policy", .namespaced = false},
    [LG_KIND_KUBEVIRT] = {"kubevirt.io", "v1", "KubeVirt", "kubevirts", "KubeVirt configuration",
                          .namespaced = true},
    [LG_KIND_HYPERCONVERGED] = {"hco.kubevirt.io", "v1beta1", "HyperConverged", "hyperconvergeds",
                                "HyperConverged configuration", true, .also = "v1"},
    [LG_KIND_INSTANCETYPE] = {INSTANCETYPE_API, "VirtualMachineInstancetype",
                              "virtualmachineinstancetypes", "instancetype", true,
                              .on_demand = true},
    [LG_KIND_CLUSTER_INSTANCETYPE] = {INSTANCETYPE_API, "VirtualMachineClusterInstancetype",
                                      "virtualmachineclusterinstancetypes", "cluster instancetype",
                                      false, .on_demand = true},
    [LG_KIND_PREFERENCE] = {INSTANCETYPE_API, "VirtualMachinePreference",
                            "virtualmachinepreferences", "preference", true, .on_demand = true},
    [LG_KIND_CLUSTER_PREFERENCE] = {INSTANCETYPE_API, "VirtualMachineClusterPreference",
                                    "virtualmachineclusterpreferences", "cluster preference", false,
                                    .on_demand = true},
    [LG_KIND_REVISION] = {"apps", "v1", "ControllerRevision", "controllerrevisions",
                          "controller revision", true, .on_demand = true},
    [LG_KIND_POOL] = {"pool.kubevirt.io", "v1beta1", "VirtualMachinePool", "virtualmachinepools",
                      "virtual machine pool", true, .only_in_files = true},
    [LG_KIND_REPLICA_SET] = {"kubevirt.io", "v1", "VirtualMachineInstanceReplicaSet",
                             "virtualmachineinstancereplicasets", "replica set", true,
                             .only_in_files = true},
    [LG_KIND_CLUSTER_AUTOSCALER] = {"autoscaling.openshift.io", "v1", "ClusterAutoscaler",
                                    "clusterautoscalers", "cluster autoscaler",
                                    .namespaced = false},
    [LG_KIND_MACHINE_AUTOSCALER] = {"autoscaling.openshift.io", "v1beta1", "MachineAutoscaler",
                                    "machineautoscalers", "machine autoscaler", .namespaced = true},
    [LG_KIND_NODE_POOL] = {"karpenter.sh", "v1", "NodePool", "nodepools", "node pool",
                           .namespaced = false},
};

enum lg_kind lg_kind_judged_as(enum lg_kind kind)
{
    return kind == LG_KIND_POOL ? LG_KIND_VM : kind == LG_KIND_REPLICA_SET ? LG_KIND_VMI : kind;
}

bool lg_kind_is_guest(enum lg_kind kind)
{
    enum lg_kind as = lg_kind_judged_as(kind);
    return as == LG_KIND_VM || as == LG_KIND_VMI;
}

const struct lg_gvk *lg_gvk(enum lg_kind kind)
{
    assert(kind < LG_KIND_COUNT);
    return &kinds[kind];
}

enum lg_kind lg_kind_of(struct lg_str api_version, struct lg_str kind)
{
    const char *slash = api_version.n != 0 ? memchr(api_version.p, '/', api_version.n) : NULL;
    struct lg_str group = {api_version.p, slash != NULL ? (size_t)(slash - api_version.p) : 0};
    for (int i = 0; i < LG_KIND_COUNT; i++)
        if (lg_str_is(kind, kinds[i].kind) && lg_str_is(group, kinds[i].group))
            return (enum lg_kind)i;
    return LG_KIND_OTHER;
}

enum lg_kind lg_kind_of_resource(struct lg_str group, struct lg_str plural)
{
    for (int i = 0; i < LG_KIND_COUNT; i++)
        if (lg_str_is(plural, kinds[i].plural) && lg_str_is(group, kinds[i].group))
            return (enum lg_kind)i;
    return LG_KIND_OTHER;
}
