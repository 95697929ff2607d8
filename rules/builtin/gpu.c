/* LG302: a GPU that KubeVirt does not migrate.
 *
 * Up to 1.8 that is every GPU. Since 1.9 one mediated device can move: the feature gate
 * VGPULiveMigration has to be on, and the device has to be a mediated one that the KubeVirt CR
 * permits. Source: KubeVirt pkg/virt-handler/vm.go, vmiContainsNonMigratablePCIHostDevices.
 */
#include "rules/builtin/examples.h"
#include "rules/rule.h"

static bool is_mediated(const struct lg_settings *settings, struct lg_str resource)
{
    for (size_t i = 0; i < settings->mediated_devices.n; i++)
        if (lg_str_eq(settings->mediated_devices.items[i], resource))
            return true;
    return false;
}

/* Why this GPU stays where it is; NULL = it can move. */
static const char *obstacle(const struct lg_settings *settings, size_t n, struct lg_str resource)
{
    if (lg_version_has(settings, LG_DIFFERENCE_ANY_GPU_STAYS))
        return "a GPU cannot be migrated before KubeVirt 1.9";
    if (n > 1)
        return "a guest with more than one GPU cannot be migrated";
    if (!lg_gate_is_on(settings, LG_GATE_VGPU_MIGRATION))
        return "a GPU cannot be migrated while the feature gate VGPULiveMigration is off";
    if (!is_mediated(settings, resource))
        return "it is none of the mediated devices that the KubeVirt CR permits, and no other GPU "
               "can be migrated";
    return NULL;
}

static struct lg_str message_of(struct lg_str name, struct lg_str resource, const char *why,
                                struct lg_arena *arena)
{
    if (lg_str_empty(resource)) /* by a resource claim */
        return lg_arena_printf(arena, "gpu \"%.*s\": %s", LG_ARG(name), why);
    return lg_arena_printf(arena, "gpu \"%.*s\" (%.*s): %s", LG_ARG(name), LG_ARG(resource), why);
}

/* The KubeVirt CR may say what makes it movable. */
static bool is_open(const struct lg_settings *settings, size_t n)
{
    return !settings->known && n == 1 && !lg_version_has(settings, LG_DIFFERENCE_ANY_GPU_STAYS);
}

/* KubeVirt 1.9 moves one mediated device that is permitted, with the gate on. */
static struct lg_str fix_of(const struct lg_settings *settings, struct lg_arena *arena)
{
    struct lg_str gate = lg_settings_advice(
        settings, "developerConfiguration.featureGates: [VGPULiveMigration]", arena);
    return lg_arena_printf(arena,
                           "use one mediated device (vGPU) that %s permits "
                           "(permittedHostDevices.mediatedDevices), on KubeVirt 1.9 with the "
                           "feature gate VGPULiveMigration (%.*s); or say that the guest stays: "
                           "evictionStrategy: None",
                           lg_settings_cr(settings), LG_ARG(gate));
}

static void check(struct lg_rule_context *context)
{
    const struct lg_settings *settings = context->settings;
    struct lg_val list = lg_json_at(context->subject->vm.spec, "domain.devices.gpus");
    size_t n = lg_json_len(list);
    if (n == 0)
        (void)lg_rule_lacks_parts(context, LG_BIT(LG_PART_INSTANCETYPE));
    if (is_open(settings, n)) {
        lg_rule_lacks(context, list, LG_KIND_KUBEVIRT, LG_STR(""));
        return;
    }
    struct lg_str fix = LG_STR("");
    for (struct lg_json_iter it = lg_json_iter(list); lg_json_next(&it);) {
        struct lg_str name = lg_json_str_at(it.val, "name");
        struct lg_str resource = lg_json_str_at(it.val, "deviceName");
        const char *why = obstacle(settings, n, resource);
        if (why == NULL)
            continue;
        fix = fix.n != 0 ? fix : fix_of(settings, context->arena);
        const struct lg_report report = {
            .at = it.val,
            .about = name,
            .ident = resource,
            .message = message_of(name, resource, why, context->arena),
            .fix = fix,
        };
        lg_rule_report(context, &report);
    }
}

#define VM(head, gpus)                                                                             \
    LG_EX_VM_OF("name: render, namespace: shop", head, "domain: {devices: {" gpus "}}")
#define T4(name)    "{name: " name ", deviceName: nvidia.com/GRID_T4-1Q}"
#define PASSTHROUGH "gpus: [{name: gpu0, deviceName: nvidia.com/TU104}]"
#define ONE         "gpus: [" T4("gpu0") "]"
#define KUBEVIRT(gates, version)                                                                   \
    LG_EX_KUBEVIRT("spec:\n"                                                                       \
                   "  configuration:\n"                                                            \
                   "    developerConfiguration: {" gates "}\n"                                     \
                   "    permittedHostDevices:\n"                                                   \
                   "      mediatedDevices:\n"                                                      \
                   "      - {mdevNameSelector: GRID T4-1Q, resourceName: nvidia.com/GRID_T4-1Q}\n" \
                   "status: {observedKubeVirtVersion: " version "}\n")
#define GATE "featureGates: [VGPULiveMigration]"

static const struct lg_rule_example examples[] = {
    {.name = "one mediated device, and everything is there for it",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("", ONE),
     .inventory = KUBEVIRT(GATE, "v1.9.0")},
    {.name = "before 1.9 none can move",
     .expect = LG_EXPECT_WARN,
     .object = VM("", ONE),
     .inventory = KUBEVIRT(GATE, "v1.8.4"),
     .message = "gpu \"gpu0\" (nvidia.com/GRID_T4-1Q): a GPU cannot be migrated before KubeVirt"},
    {.name = "the feature gate is off",
     .expect = LG_EXPECT_WARN,
     .object = VM("", ONE),
     .inventory = KUBEVIRT("featureGates: [Other]", "v1.9.0"),
     .message = "feature gate VGPULiveMigration is off"},
    {.name = "a GPU that is handed through whole",
     .expect = LG_EXPECT_WARN,
     .object = VM("", PASSTHROUGH),
     .inventory = KUBEVIRT(GATE, "v1.9.0"),
     .message = "none of the mediated devices"},
    {.name = "two of them",
     .expect = LG_EXPECT_WARN,
     .object = VM("", "gpus: [" T4("gpu0") ", " T4("gpu1") "]"),
     .inventory = KUBEVIRT(GATE, "v1.9.0"),
     .message = "more than one GPU"},
    {.name = "two of them, and nothing is known of the cluster",
     .expect = LG_EXPECT_WARN,
     .object = VM("", "gpus: [" T4("gpu0") ", " T4("gpu1") "]")},
    {.name = "one, and nothing is known of the cluster",
     .expect = LG_EXPECT_PENDING,
     .object = VM("", ONE),
     .message = "KubeVirt"},
    {.name = "one by a resource claim",
     .expect = LG_EXPECT_WARN,
     .object = VM("", "gpus: [{name: gpu0, claimName: gpus, requestName: fast}]"),
     .inventory = KUBEVIRT(GATE, "v1.9.0"),
     .message = "gpu \"gpu0\": it is none of the mediated devices"},
    {.name = "no GPUs", .expect = LG_EXPECT_NOTHING, .object = VM("", "")},
    {.name = "an empty list", .expect = LG_EXPECT_NOTHING, .object = VM("", "gpus: []")},
    {.name = "an instancetype that is not known may bring one",
     .expect = LG_EXPECT_PENDING,
     .object = VM("  instancetype: {name: u1.gpu}\n", ""),
     .message = "instancetype \"u1.gpu\""},
    {.name = "an instancetype brings one",
     .expect = LG_EXPECT_WARN,
     .object = VM("  instancetype: {name: u1}\n", ""),
     .inventory =
         LG_EX_INSTANCETYPE("gpus: [{name: gpu0, deviceName: nvidia.com/TU104}, {name: gpu1}]"),
     .message = "instancetype \"u1\" brings gpu \"gpu0\" (nvidia.com/TU104): "},
    {.name = "an instancetype without one",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("  instancetype: {name: u1}\n", ""),
     .inventory = LG_EX_INSTANCETYPE("cpu: {guest: 1}")},
    {0},
};

const struct lg_rule lg_rule_gpu = {
    .id = "LG302",
    .name = "gpu",
    .title = "a GPU that cannot be migrated",
    .rationale = "KubeVirt marks a guest with a GPU as not live-migratable, but for one mediated "
                 "device (vGPU) since 1.9, where the feature gate VGPULiveMigration is on and the "
                 "KubeVirt CR permits the device as a mediated one.",
    .remedy = "Use a single mediated device on KubeVirt 1.9 with the feature gate (where "
              "HyperConverged writes the KubeVirt CR: permittedHostDevices in the HyperConverged "
              "CR, the gate by its annotation kubevirt.kubevirt.io/jsonpatch), or declare the "
              "guest immovable: evictionStrategy: None.",
    .source = "KubeVirt pkg/virt-handler/vm.go, vmiContainsNonMigratablePCIHostDevices",
    .action = LG_ACTION_WARN,
    .kinds = LG_BIT(LG_KIND_VM) | LG_BIT(LG_KIND_VMI),
    .ops = LG_BIT(LG_OP_CREATE) | LG_BIT(LG_OP_UPDATE),
    .looks_up = LG_INSTANCETYPES | LG_BIT(LG_KIND_KUBEVIRT) | LG_BIT(LG_KIND_HYPERCONVERGED),
    .kubevirt_reason = "HostDeviceNotLiveMigratable",
    .check = check,
    .examples = examples,
};
