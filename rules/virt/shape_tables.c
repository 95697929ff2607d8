#include "rules/virt/shape.h"

#include <stddef.h>

#define MEMBER(name, type, of)                                                                     \
    {                                                                                              \
        "" name, sizeof(name) - 1, LG_SHAPE_##type, of                                             \
    }
#define OBJECT(name, of)   MEMBER(name, OBJECT, of)
#define OBJECTS(name, of)  MEMBER(name, OBJECTS, of)
#define ANY_OBJECT(name)   MEMBER(name, OBJECT, NULL)
#define STRING(name)       MEMBER(name, STRING, NULL)
#define STRINGS(name)      MEMBER(name, STRINGS, NULL)
#define STRING_MAP(name)   MEMBER(name, STRING_MAP, NULL)
#define BOOL(name)         MEMBER(name, BOOL, NULL)
#define INT32(name)        MEMBER(name, INT32, NULL)
#define INT64(name)        MEMBER(name, INT64, NULL)
#define PORT(name)         MEMBER(name, PORT, NULL)
#define QUANTITY(name)     MEMBER(name, QUANTITY, NULL)
#define QUANTITY_MAP(name) MEMBER(name, QUANTITY_MAP, NULL)
#define END                                                                                        \
    {                                                                                              \
        NULL, 0, 0, NULL                                                                           \
    }
#define TABLE(name) static const struct lg_shape name[]

/* --- metadata --- */

TABLE(owner) = {STRING("kind"), STRING("name"), STRING("uid"), BOOL("controller"), END};
TABLE(metadata) = {
    STRING("name"),
    STRING("generateName"),
    STRING("namespace"),
    STRING("uid"),
    STRING("creationTimestamp"),
    STRING("deletionTimestamp"),
    STRING_MAP("labels"),
    STRING_MAP("annotations"),
    OBJECTS("ownerReferences", owner),
    END,
};
/* The metadata of a template: what of it reaches the VMI or the data volume. */
TABLE(template_metadata) = {
    STRING("name"), STRING("namespace"), STRING_MAP("labels"), STRING_MAP("annotations"), END,
};

/* --- placement --- */

TABLE(expression) = {STRING("key"), STRING("operator"), STRINGS("values"), END};
TABLE(node_term) = {
    OBJECTS("matchExpressions", expression),
    OBJECTS("matchFields", expression),
    END,
};
TABLE(node_selector) = {OBJECTS("nodeSelectorTerms", node_term), END};
TABLE(preferred_node_term) = {INT32("weight"), OBJECT("preference", node_term), END};
TABLE(node_affinity) = {
    OBJECT("requiredDuringSchedulingIgnoredDuringExecution", node_selector),
    OBJECTS("preferredDuringSchedulingIgnoredDuringExecution", preferred_node_term),
    END,
};
TABLE(label_selector) = {
    STRING_MAP("matchLabels"),
    OBJECTS("matchExpressions", expression),
    END,
};
TABLE(pod_term) = {
    OBJECT("labelSelector", label_selector),
    OBJECT("namespaceSelector", label_selector),
    STRINGS("namespaces"),
    STRING("topologyKey"),
    STRINGS("matchLabelKeys"),
    STRINGS("mismatchLabelKeys"),
    END,
};
TABLE(preferred_pod_term) = {INT32("weight"), OBJECT("podAffinityTerm", pod_term), END};
TABLE(pod_affinity) = {
    OBJECTS("requiredDuringSchedulingIgnoredDuringExecution", pod_term),
    OBJECTS("preferredDuringSchedulingIgnoredDuringExecution", preferred_pod_term),
    END,
};
TABLE(affinity) = {
    OBJECT("nodeAffinity", node_affinity),
    OBJECT("podAffinity", pod_affinity),
    OBJECT("podAntiAffinity", pod_affinity),
    END,
};
TABLE(toleration) = {
    STRING("key"),    STRING("operator"),         STRING("value"),
    STRING("effect"), INT64("tolerationSeconds"), END,
};
TABLE(spread_constraint) = {
    INT32("maxSkew"),
    STRING("topologyKey"),
    STRING("whenUnsatisfiable"),
    OBJECT("labelSelector", label_selector),
    END,
};

/* --- the guest's devices --- */

TABLE(port) = {STRING("name"), STRING("protocol"), PORT("port"), END};
TABLE(port_range) = {STRING("protocol"), PORT("start"), PORT("end"), END};
TABLE(binding) = {STRING("name"), END};
TABLE(interface) = {
    STRING("name"),
    STRING("model"),
    STRING("macAddress"),
    STRING("state"),
    ANY_OBJECT("masquerade"),
    ANY_OBJECT("bridge"),
    ANY_OBJECT("slirp"),
    ANY_OBJECT("sriov"),
    ANY_OBJECT("macvtap"),
    ANY_OBJECT("passt"),
    ANY_OBJECT("passtBinding"),
    OBJECT("binding", binding),
    OBJECTS("ports", port),
    OBJECTS("portRanges", port_range),
    END,
};
TABLE(host_device) = {
    STRING("name"), STRING("deviceName"), STRING("claimName"), STRING("requestName"), END,
};
TABLE(disk_target) = {STRING("bus"), BOOL("readonly"), END};
TABLE(lun) = {STRING("bus"), BOOL("readonly"), BOOL("reservation"), END};
TABLE(disk) = {
    STRING("name"),     OBJECT("disk", disk_target), OBJECT("cdrom", disk_target),
    OBJECT("lun", lun), BOOL("shareable"),           END,
};
TABLE(filesystem) = {STRING("name"), ANY_OBJECT("virtiofs"), END};
TABLE(tpm) = {BOOL("enabled"), BOOL("persistent"), END};
TABLE(devices) = {
    OBJECTS("interfaces", interface),
    OBJECTS("disks", disk),
    OBJECTS("filesystems", filesystem),
    OBJECTS("hostDevices", host_device),
    OBJECTS("gpus", host_device),
    OBJECT("tpm", tpm),
    BOOL("autoattachPodInterface"),
    BOOL("autoattachVSOCK"),
    END,
};

/* --- the guest --- */

TABLE(cpu_feature) = {STRING("name"), STRING("policy"), END};
TABLE(cpu) = {
    STRING("model"),
    INT32("cores"),
    INT32("sockets"),
    INT32("threads"),
    INT32("maxSockets"),
    BOOL("dedicatedCpuPlacement"),
    BOOL("isolateEmulatorThread"),
    OBJECTS("features", cpu_feature),
    ANY_OBJECT("numa"),
    ANY_OBJECT("realtime"),
    END,
};
TABLE(hugepages) = {STRING("pageSize"), END};
TABLE(memory) = {
    QUANTITY("guest"),
    QUANTITY("maxGuest"),
    OBJECT("hugepages", hugepages),
    END,
};
TABLE(resources) = {QUANTITY_MAP("requests"), QUANTITY_MAP("limits"), END};
TABLE(enabled) = {BOOL("enabled"), END};
TABLE(hyperv) = {
    OBJECT("reenlightenment", enabled),
    OBJECT("evmcs", enabled),
    OBJECT("synic", enabled),
    OBJECT("synictimer", enabled),
    OBJECT("vpindex", enabled),
    OBJECT("ipi", enabled),
    OBJECT("tlbflush", enabled),
    OBJECT("runtime", enabled),
    OBJECT("reset", enabled),
    OBJECT("frequencies", enabled),
    END,
};
TABLE(features) = {
    OBJECT("hyperv", hyperv),
    OBJECT("hypervPassthrough", enabled),
    END,
};
TABLE(sev_policy) = {BOOL("encryptedState"), END};
TABLE(sev) = {OBJECT("policy", sev_policy), END};
TABLE(launch_security) = {OBJECT("sev", sev), ANY_OBJECT("snp"), ANY_OBJECT("tdx"), END};
TABLE(efi) = {BOOL("persistent"), BOOL("secureBoot"), END};
TABLE(bootloader) = {OBJECT("efi", efi), ANY_OBJECT("bios"), END};
TABLE(firmware) = {OBJECT("bootloader", bootloader), END};
TABLE(machine) = {STRING("type"), END};
TABLE(domain) = {
    OBJECT("devices", devices),
    OBJECT("cpu", cpu),
    OBJECT("memory", memory),
    OBJECT("resources", resources),
    OBJECT("features", features),
    OBJECT("launchSecurity", launch_security),
    OBJECT("firmware", firmware),
    OBJECT("machine", machine),
    END,
};

/* --- networks and volumes --- */

TABLE(multus) = {STRING("networkName"), BOOL("default"), END};
TABLE(network) = {STRING("name"), ANY_OBJECT("pod"), OBJECT("multus", multus), END};
TABLE(claim_source) = {STRING("claimName"), BOOL("hotpluggable"), BOOL("readOnly"), END};
TABLE(data_volume_source) = {STRING("name"), BOOL("hotpluggable"), END};
TABLE(ephemeral) = {OBJECT("persistentVolumeClaim", claim_source), END};
TABLE(host_disk) = {STRING("path"), STRING("type"), BOOL("shared"), QUANTITY("capacity"), END};
TABLE(volume) = {
    STRING("name"),
    OBJECT("persistentVolumeClaim", claim_source),
    OBJECT("dataVolume", data_volume_source),
    OBJECT("ephemeral", ephemeral),
    OBJECT("memoryDump", claim_source),
    OBJECT("hostDisk", host_disk),
    ANY_OBJECT("containerDisk"),
    ANY_OBJECT("cloudInitNoCloud"),
    ANY_OBJECT("cloudInitConfigDrive"),
    ANY_OBJECT("emptyDisk"),
    ANY_OBJECT("configMap"),
    ANY_OBJECT("secret"),
    ANY_OBJECT("serviceAccount"),
    ANY_OBJECT("sysprep"),
    ANY_OBJECT("downwardAPI"),
    ANY_OBJECT("downwardMetrics"),
    ANY_OBJECT("containerPath"),
    END,
};
TABLE(utility_volume) = {STRING("name"), STRING("claimName"), END};

/* --- the spec that VMs and VMIs share --- */

TABLE(vmi_spec) = {
    OBJECT("domain", domain),
    OBJECTS("networks", network),
    OBJECTS("volumes", volume),
    OBJECTS("utilityVolumes", utility_volume),
    STRING_MAP("nodeSelector"),
    OBJECT("affinity", affinity),
    OBJECTS("tolerations", toleration),
    OBJECTS("topologySpreadConstraints", spread_constraint),
    STRING("architecture"),
    STRING("evictionStrategy"),
    STRING("schedulerName"),
    END,
};
TABLE(claim_info) = {STRING("claimName"), END};
TABLE(migrated_volume) = {
    STRING("volumeName"),
    OBJECT("sourcePVCInfo", claim_info),
    OBJECT("destinationPVCInfo", claim_info),
    END,
};

/* --- claims --- */

TABLE(claim_resources) = {QUANTITY_MAP("requests"), END};
TABLE(claim_spec) = {
    STRINGS("accessModes"),
    STRING("volumeMode"),
    STRING("storageClassName"),
    STRING("volumeName"),
    OBJECT("resources", claim_resources),
    END,
};
TABLE(source_ref) = {STRING("kind"), STRING("name"), STRING("namespace"), END};
TABLE(data_volume_spec) = {
    OBJECT("pvc", claim_spec), OBJECT("storage", claim_spec),   STRING("contentType"),
    ANY_OBJECT("source"),      OBJECT("sourceRef", source_ref), END,
};

/* --- kinds --- */

#define HEAD STRING("apiVersion"), STRING("kind"), OBJECT("metadata", metadata)

TABLE(matcher) = {
    STRING("name"), STRING("kind"), STRING("revisionName"), STRING("inferFromVolume"), END,
};
TABLE(data_volume_template) = {
    OBJECT("metadata", template_metadata),
    OBJECT("spec", data_volume_spec),
    END,
};
TABLE(vm_template) = {
    OBJECT("metadata", template_metadata),
    OBJECT("spec", vmi_spec),
    END,
};
TABLE(vm_spec) = {
    OBJECT("template", vm_template), OBJECTS("dataVolumeTemplates", data_volume_template),
    OBJECT("instancetype", matcher), OBJECT("preference", matcher),
    STRING("runStrategy"),           BOOL("running"),
    STRING("updateVolumesStrategy"), END,
};
TABLE(pool_template) = {
    OBJECT("metadata", template_metadata),
    OBJECT("spec", vm_spec),
    END,
};
TABLE(pool_spec) = {OBJECT("virtualMachineTemplate", pool_template), END};
TABLE(pool) = {HEAD, OBJECT("spec", pool_spec), END};
TABLE(replica_set_spec) = {OBJECT("template", vm_template), END};
TABLE(replica_set) = {HEAD, OBJECT("spec", replica_set_spec), END};

TABLE(volume_migration) = {OBJECTS("migratedVolumes", migrated_volume), END};
TABLE(volume_update) = {OBJECT("volumeMigrationState", volume_migration), END};
TABLE(revision_ref) = {STRING("name"), END};
TABLE(matcher_ref) = {OBJECT("controllerRevisionRef", revision_ref), END};
TABLE(vm_status) = {
    OBJECT("volumeUpdateState", volume_update),
    OBJECT("instancetypeRef", matcher_ref),
    OBJECT("preferenceRef", matcher_ref),
    END,
};
TABLE(vm) = {HEAD, OBJECT("spec", vm_spec), OBJECT("status", vm_status), END};

TABLE(condition) = {
    STRING("type"), STRING("status"), STRING("reason"), STRING("message"), END,
};
TABLE(claim_status) = {STRING("claimName"), STRINGS("accessModes"), STRING("volumeMode"), END};
TABLE(volume_status) = {
    STRING("name"),
    OBJECT("persistentVolumeClaimInfo", claim_status),
    END,
};
TABLE(vmi_status) = {
    STRING("nodeName"),
    STRING("phase"),
    OBJECTS("conditions", condition),
    OBJECTS("migratedVolumes", migrated_volume),
    OBJECTS("volumeStatus", volume_status),
    END,
};
TABLE(vmi) = {HEAD, OBJECT("spec", vmi_spec), OBJECT("status", vmi_status), END};

TABLE(claim) = {HEAD, OBJECT("spec", claim_spec), END};
TABLE(data_volume) = {HEAD, OBJECT("spec", data_volume_spec), END};

TABLE(send_to) = {STRING("migrationID"), STRING("connectURL"), END};
TABLE(receive) = {STRING("migrationID"), END};
TABLE(migration_spec) = {
    STRING("vmiName"),         STRING_MAP("addedNodeSelector"),
    OBJECT("sendTo", send_to), OBJECT("receive", receive),
    STRING("priority"),        END,
};
TABLE(migration_state) = {STRING("sourceNode"), END};
TABLE(migration_status) = {STRING("phase"), OBJECT("migrationState", migration_state), END};
TABLE(migration) = {
    HEAD,
    OBJECT("spec", migration_spec),
    OBJECT("status", migration_status),
    END,
};

/* --- how migrations run here --- */

TABLE(migration_config) = {
    INT64("parallelMigrationsPerCluster"),
    INT64("parallelOutboundMigrationsPerNode"),
    QUANTITY("bandwidthPerMigration"),
    INT64("completionTimeoutPerGiB"),
    INT64("progressTimeout"),
    BOOL("allowAutoConverge"),
    BOOL("allowPostCopy"),
    BOOL("allowWorkloadDisruption"),
    END,
};
TABLE(configuration) = {OBJECT("migrations", migration_config), END};
TABLE(kubevirt_spec) = {OBJECT("configuration", configuration), END};
TABLE(kubevirt) = {HEAD, OBJECT("spec", kubevirt_spec), END};
/* API version v1 has the section virtualization, v1beta1 has not. */
TABLE(virtualization) = {OBJECT("liveMigrationConfig", migration_config), END};
TABLE(hyperconverged_spec) = {
    OBJECT("virtualization", virtualization),
    OBJECT("liveMigrationConfig", migration_config),
    END,
};
TABLE(hyperconverged) = {HEAD, OBJECT("spec", hyperconverged_spec), END};
TABLE(migration_policy) = {HEAD, OBJECT("spec", migration_config), END};

TABLE(property_set) = {STRINGS("accessModes"), STRING("volumeMode"), END};
TABLE(profile_part) = {OBJECTS("claimPropertySets", property_set), END};
TABLE(storage_profile) = {
    HEAD,
    OBJECT("spec", profile_part),
    OBJECT("status", profile_part),
    END,
};

/* --- instancetypes and preferences --- */

TABLE(instancetype_cpu) = {
    INT64("guest"),         STRING("model"),
    INT64("maxSockets"),    BOOL("dedicatedCPUPlacement"),
    ANY_OBJECT("numa"),     BOOL("isolateEmulatorThread"),
    ANY_OBJECT("realtime"), END,
};
TABLE(instancetype_memory) = {
    QUANTITY("guest"),
    QUANTITY("maxGuest"),
    OBJECT("hugepages", hugepages),
    INT64("overcommitPercent"),
    END,
};
TABLE(instancetype_spec) = {
    STRING_MAP("annotations"),
    STRING_MAP("nodeSelector"),
    STRING("schedulerName"),
    OBJECT("cpu", instancetype_cpu),
    OBJECT("memory", instancetype_memory),
    OBJECTS("gpus", host_device),
    OBJECTS("hostDevices", host_device),
    OBJECT("launchSecurity", launch_security),
    END,
};
TABLE(instancetype) = {OBJECT("spec", instancetype_spec), END};

TABLE(preferred_cpu) = {OBJECTS("preferredCPUFeatures", cpu_feature), END};
TABLE(preferred_devices) = {
    BOOL("preferredAutoattachPodInterface"),
    ANY_OBJECT("preferredInterfaceMasquerade"),
    OBJECT("preferredTPM", tpm),
    END,
};
TABLE(preferred_features) = {OBJECT("preferredHyperv", hyperv), END};
TABLE(preferred_firmware) = {OBJECT("preferredEfi", efi), BOOL("preferredUseBios"), END};
TABLE(preferred_machine) = {STRING("preferredMachineType"), END};
TABLE(preferred_volumes) = {STRING("preferredStorageClassName"), END};
TABLE(preference_spec) = {
    STRING_MAP("annotations"),
    OBJECT("cpu", preferred_cpu),
    OBJECT("devices", preferred_devices),
    OBJECT("features", preferred_features),
    OBJECT("firmware", preferred_firmware),
    OBJECT("machine", preferred_machine),
    OBJECT("volumes", preferred_volumes),
    STRING("preferredArchitecture"),
    OBJECT("preferredLaunchSecurity", launch_security),
    END,
};
TABLE(preference) = {OBJECT("spec", preference_spec), END};

const struct lg_shape *lg_shape_of(enum lg_kind kind)
{
    static const struct lg_shape *const tables[LG_KIND_OTHER + 1] = {
        [LG_KIND_VM] = vm,
        [LG_KIND_VMI] = vmi,
        [LG_KIND_POOL] = pool,
        [LG_KIND_REPLICA_SET] = replica_set,
        [LG_KIND_CLAIM] = claim,
        [LG_KIND_DATA_VOLUME] = data_volume,
        [LG_KIND_MIGRATION] = migration,
        [LG_KIND_KUBEVIRT] = kubevirt,
        [LG_KIND_HYPERCONVERGED] = hyperconverged,
        [LG_KIND_MIGRATION_POLICY] = migration_policy,
        [LG_KIND_STORAGE_PROFILE] = storage_profile,
        [LG_KIND_INSTANCETYPE] = instancetype,
        [LG_KIND_CLUSTER_INSTANCETYPE] = instancetype,
        [LG_KIND_PREFERENCE] = preference,
        [LG_KIND_CLUSTER_PREFERENCE] = preference,
    };
    return tables[kind];
}
