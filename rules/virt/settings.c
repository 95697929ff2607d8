#include "rules/virt/settings.h"

#include "rules/virt/versions.h"

static void read_bindings(struct lg_val map, struct lg_settings *ret, struct lg_arena *arena)
{
    struct lg_binding *bindings = lg_arena_array(arena, lg_json_len(map) + 1, sizeof *bindings);
    for (struct lg_json_iter it = lg_json_iter(map); it.object && lg_json_next(&it);)
        bindings[ret->n_bindings++] = (struct lg_binding){
            .name = it.key, .migratable = lg_json_there(lg_json_get(it.val, "migration"))};
    ret->bindings = bindings;
}

static void take_str(struct lg_val v, struct lg_str *io_str)
{
    struct lg_str s = lg_json_str(v);
    if (!lg_str_empty(s))
        *io_str = s;
}

static struct lg_strs read_strs(struct lg_val list, const char *member, struct lg_arena *arena)
{
    struct lg_str *items = lg_arena_array(arena, lg_json_len(list) + 1, sizeof *items);
    struct lg_strs ret = {.items = items};
    for (struct lg_json_iter it = lg_json_iter(list); !it.object && lg_json_next(&it);) {
        struct lg_str s = lg_json_str(member != NULL ? lg_json_get(it.val, member) : it.val);
        if (!lg_str_empty(s))
            items[ret.n++] = s;
    }
    return ret;
}

/* Of the CR's architectures those that say what they take; the rest as KubeVirt has it. */
static struct lg_labels read_machine_types(struct lg_val configuration, struct lg_arena *arena)
{
    static const struct lg_label known[] = {
        {LG_STR("amd64"), LG_STR("q35")},
        {LG_STR("arm64"), LG_STR("virt")},
        {LG_STR("s390x"), LG_STR("s390-ccw-virtio")},
    };
    enum { KNOWN = sizeof known / sizeof *known };
    struct lg_label *types = lg_arena_array(arena, KNOWN, sizeof *types);
    for (size_t i = 0; i < KNOWN; i++) {
        struct lg_val of =
            lg_json_get_str(lg_json_get(configuration, "architectureConfiguration"), known[i].key);
        types[i] = known[i];
        if (i == 0) /* before there were architectures */
            take_str(lg_json_get(configuration, "machineType"), &types[i].value);
        take_str(lg_json_get(of, "machineType"), &types[i].value);
    }
    return (struct lg_labels){.items = types, .n = KNOWN};
}

/* Positive, else it stays. */
static void take_positive(struct lg_val v, int64_t *io_value)
{
    int64_t value;
    if (lg_json_int64(v, &value) == LG_E_OK && value > 0)
        *io_value = value;
}

static void read_gates(struct lg_val developer, struct lg_settings *ret, struct lg_arena *arena)
{
    int64_t tsc = 0;
    ret->gates = read_strs(lg_json_get(developer, "featureGates"), NULL, arena);
    ret->disabled_gates = read_strs(lg_json_get(developer, "disabledFeatureGates"), NULL, arena);
    ret->has_minimum_tsc =
        lg_json_int64(lg_json_get(developer, "minimumClusterTSCFrequency"), &tsc) == LG_E_OK &&
        tsc > 0;
    ret->node_selectors = lg_labels_read(lg_json_get(developer, "nodeSelectors"), arena);
    take_positive(lg_json_get(developer, "memoryOvercommit"), &ret->memory_overcommit);
    take_positive(lg_json_get(developer, "cpuAllocationRatio"), &ret->cpu_allocation_ratio);
}

/* What the CRs call the same; `devices` and `storage` are where they keep it. */
static void read_devices(struct lg_val devices, struct lg_val storage, struct lg_settings *ret,
                         struct lg_arena *arena)
{
    struct lg_val mediated = lg_json_at(devices, "permittedHostDevices.mediatedDevices");
    ret->mediated_devices = read_strs(mediated, "resourceName", arena);
    take_str(lg_json_get(storage, "vmStateStorageClass"), &ret->state_class);
}

static void read_versions(struct lg_val status, struct lg_settings *ret)
{
    ret->version_text = lg_json_str(lg_json_get(status, "observedKubeVirtVersion"));
    int observed = lg_version_read(ret->version_text);
    int target = lg_version_read(lg_json_str(lg_json_get(status, "targetKubeVirtVersion")));
    if (observed == 0)
        return;
    ret->version = observed;
    ret->target_version = target != 0 ? target : observed;
    ret->version_known = true;
}

static void read_kubevirt(struct lg_val cr, struct lg_settings *ret, struct lg_arena *arena)
{
    struct lg_val configuration = lg_json_at(cr, "spec.configuration");
    struct lg_val network = lg_json_get(configuration, "network");
    struct lg_val status = lg_json_get(cr, "status");
    read_versions(status, ret);
    take_str(lg_json_get(network, "defaultNetworkInterface"), &ret->default_interface);
    ret->permit_bridge_on_pod_network =
        lg_json_bool(lg_json_get(network, "permitBridgeInterfaceOnPodNetwork"), true);
    read_bindings(lg_json_get(network, "binding"), ret, arena);
    take_str(lg_json_get(status, "defaultArchitecture"), &ret->default_architecture);
    take_str(lg_json_at(configuration, "architectureConfiguration.defaultArchitecture"),
             &ret->default_architecture);
    ret->machine_types = read_machine_types(configuration, arena);
    read_gates(lg_json_get(configuration, "developerConfiguration"), ret, arena);
    read_devices(configuration, configuration, ret, arena);
    take_str(lg_json_get(configuration, "cpuModel"), &ret->cpu_model);
    ret->eviction_strategy = lg_json_str(lg_json_get(configuration, "evictionStrategy"));
}

/* What HyperConverged would write into a KubeVirt CR that we were not given. */
static void read_hyperconverged_only(struct lg_val cr, struct lg_settings *ret,
                                     struct lg_arena *arena)
{
    ret->default_interface = LG_STR("masquerade");
    struct lg_binding *binding = lg_arena_alloc(arena, sizeof *binding);
    *binding = (struct lg_binding){.name = LG_STR("l2bridge"), .migratable = true};
    ret->bindings = binding;
    ret->n_bindings = 1;
    struct lg_val spec = lg_json_get(cr, "spec");
    struct lg_val virtualization = lg_json_get(spec, "virtualization"); /* API version v1 */
    bool sections = lg_json_there(virtualization);
    read_devices(sections ? virtualization : spec, sections ? lg_json_get(spec, "storage") : spec,
                 ret, arena);
    take_positive(lg_json_at(cr, "spec.higherWorkloadDensity.memoryOvercommitPercentage"),
                  &ret->memory_overcommit);
    take_positive(lg_json_at(cr, "spec.resourceRequirements.vmiCPUAllocationRatio"),
                  &ret->cpu_allocation_ratio);
    take_str(lg_json_at(cr, "spec.defaultCPUModel"), &ret->cpu_model);
    ret->eviction_strategy = ret->highly_available ? LG_STR("LiveMigrate") : LG_STR("None");
    take_str(lg_json_at(cr, "spec.evictionStrategy"), &ret->eviction_strategy); /* v1beta1 */
    take_str(lg_json_at(cr, "spec.virtualization.evictionStrategy"), &ret->eviction_strategy);
}

const struct lg_settings *lg_settings_read(const struct lg_config_record *kubevirt,
                                           const struct lg_config_record *hyperconverged,
                                           struct lg_arena *arena)
{
    struct lg_settings *settings = lg_arena_alloc(arena, sizeof *settings);
    *settings = (struct lg_settings){
        .known = kubevirt != NULL,
        .version = LG_KUBEVIRT_NEWEST,
        .target_version = LG_KUBEVIRT_NEWEST,
        .default_interface = LG_STR("bridge"),
        .permit_bridge_on_pod_network = true,
        .default_architecture = LG_STR("amd64"),
        .machine_types = read_machine_types(LG_NONE, arena),
        .cpu_model = LG_STR("host-model"),
        .state_class = LG_STR(""),
        .version_text = LG_STR(""),
        .highly_available = true,
        .memory_overcommit = 100,
        .cpu_allocation_ratio = 10,
        .ns = LG_STR(""),
        .eviction_strategy = LG_STR(""),
    };
    struct lg_val kv = lg_config_object(kubevirt, arena);
    struct lg_val hco = lg_config_object(hyperconverged, arena);
    settings->highly_available =
        lg_json_bool(lg_json_at(hco, "status.infrastructureHighlyAvailable"), true);
    if (kubevirt != NULL)
        read_kubevirt(kv, settings, arena);
    else if (hyperconverged != NULL)
        read_hyperconverged_only(hco, settings, arena);
    settings->hyperconverged = hyperconverged != NULL;
    settings->migrations = lg_migration_settings_read(kv, hco, arena);
    const struct lg_config_record *stands = kubevirt != NULL ? kubevirt : hyperconverged;
    if (stands != NULL)
        settings->ns = lg_arena_str(arena, stands->r.ns);
    return settings;
}

const char *lg_settings_cr(const struct lg_settings *settings)
{
    return settings->hyperconverged ? "the HyperConverged CR" : "the KubeVirt CR";
}

struct lg_str lg_settings_advice(const struct lg_settings *settings, const char *setting,
                                 struct lg_arena *arena)
{
    if (!settings->hyperconverged)
        return lg_arena_printf(arena, "set spec.configuration.%s in the KubeVirt CR", setting);
    return lg_arena_printf(arena,
                           "set KubeVirt's spec.configuration.%s by the annotation "
                           "kubevirt.kubevirt.io/jsonpatch of the HyperConverged CR, which has no "
                           "field for it and puts the KubeVirt CR back",
                           setting);
}
