/* What is kept of each kind: only the fields that rules read. How records are made and shared:
 * record.h. Immutable, any thread.
 */
#ifndef LG_RULES_VIRT_RECORDS_H
#define LG_RULES_VIRT_RECORDS_H

#include "rules/kube/labels.h"
#include "rules/virt/claim_spec.h"
#include "rules/virt/record.h"

/* What guests may ask a node for, or one asks for; -1 = not said. */
struct lg_capacity {
    int64_t cpu_milli;
    int64_t memory_bytes;
    int64_t huge_2m_bytes, huge_1g_bytes; /* hugepages-2Mi, hugepages-1Gi */
};

struct lg_node {
    struct lg_record r;
    struct lg_capacity allocatable;
    struct lg_labels labels;
    struct lg_taints taints;
    bool unschedulable;
    bool not_ready; /* condition Ready is there and not True; a missing one is not "not ready" */
};

struct lg_claim {
    struct lg_record r;
    struct lg_claim_spec spec;
    struct lg_str volume_name; /* "" until bound */
};

struct lg_volume {
    struct lg_record r;
    struct lg_str node_affinity; /* JSON text of spec.nodeAffinity.required, "" without */
};

struct lg_storage_class {
    struct lg_record r;
    struct lg_str provisioner;
    bool is_default, is_virt_default;
};

struct lg_property_set {
    struct lg_modes modes;
    enum lg_volume_mode volume_mode;
};

struct lg_storage_profile {
    struct lg_record r;
    struct lg_property_set *sets; /* status.claimPropertySets: the effective ones */
    uint32_t n_sets;
};

struct lg_data_volume {
    struct lg_record r;
    struct lg_claim_spec spec;
};

enum lg_use_how { LG_USE_CLAIM, LG_USE_DATA_VOLUME, LG_USE_EPHEMERAL, LG_USE_MEMORY_DUMP };

struct lg_use { /* one volume of a VM over a claim */
    struct lg_str volume, claim;
    enum lg_use_how how;
    bool reserves; /* a LUN with a SCSI persistent reservation */
    /* a filesystem of the guest (virtiofs) shares it: no block device can stand there */
    bool as_files;
};

/* VirtualMachine; VirtualMachinePool and VirtualMachineInstanceReplicaSet: their template's uses */
struct lg_vm_record {
    struct lg_record r;
    struct lg_use *uses;
    uint32_t n_uses;
    bool wait_as_receiver; /* runStrategy WaitAsReceiver */
};

enum lg_condition {
    LG_CONDITION_ABSENT,
    LG_CONDITION_TRUE,
    LG_CONDITION_FALSE,
    LG_CONDITION_UNKNOWN
};

struct lg_vmi_record {
    struct lg_record r;
    struct lg_use *uses;
    uint32_t n_uses;
    struct lg_labels labels;
    struct lg_str node; /* status.nodeName */
    /* "", Pending, Scheduling, Scheduled, Running, Succeeded, Failed, Unknown, WaitingForSync */
    struct lg_str phase;
    enum lg_condition live_migratable;
    struct lg_str reason, message; /* of that condition */
    struct lg_str apart;    /* JSON list of the terms of its required podAntiAffinity, "" = none */
    bool apart_elsewhere;   /* some of them name namespaces */
    bool moved_before;      /* status.migrationState says that it came here by a migration */
    struct lg_str from, to; /* sourceNode and targetNode of status.migrationState */
    /* JSON:
     * {"metadata":{...},"spec":{...},
     *  "status":{"topologyHints":{...},"migratedVolumes":[...],"volumeStatus":[...]}},
     * packed (pack.h), read by lg_vmi_object; of the spec what rules read (shape.h) */
    struct lg_str packed;
};

struct lg_migration_record {
    struct lg_record r;
    struct lg_str vmi;
    struct lg_str phase;
    struct lg_str source_node; /* status.migrationState.sourceNode */
    bool decentralized;        /* sendTo or receive */
    bool sends;                /* sendTo */
    bool blocked;              /* a condition keeps KubeVirt from starting it (virt/slots.h) */
    int64_t took_s;            /* from its start to its end; 0 = not finished, or not known */
};

struct lg_namespace {
    struct lg_record r;
    struct lg_labels labels;
};

struct lg_migration_policy_record {
    struct lg_record r;
    /* Without selectors a policy matches nothing; with an empty one of either kind, everything. */
    bool has_selectors;
    struct lg_labels namespaces, guests; /* namespaceSelector, virtualMachineInstanceSelector */
    struct lg_str spec;                  /* JSON, read on demand (virt/migration_settings.h) */
};

/* KubeVirt, HyperConverged: read on demand (virt/settings.h); instancetypes, preferences and the
 * controller revisions that keep them: when a VM names them (virt/expansion.h). */
struct lg_config_record {
    struct lg_record r;
    /* JSON: {"metadata":{...},"spec":{...},"status":{...}}; of a controller revision
     * {"metadata":{"objectName":<label>,...},"data":{"kind":"VirtualMachineInstancetype",...}} */
    struct lg_str text;
};

/* The VMI as far as it is kept, parsed again (it was read strictly once). In the arena.
 * O(bytes). */
struct lg_val lg_vmi_object(const struct lg_vmi_record *vmi, struct lg_arena *arena);
/* The same of a record that keeps an object's text; LG_NONE for NULL. */
struct lg_val lg_config_object(const struct lg_config_record *record, struct lg_arena *arena);

#endif
