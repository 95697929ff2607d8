/* LG301: a device of the node that is handed to the guest.
 *
 * A PCI, USB or mediated device, or one by a resource claim: KubeVirt migrates no guest that has
 * one in domain.devices.hostDevices. Devices of SR-IOV networks stand elsewhere and are plugged
 * anew on the target.
 * Source: KubeVirt pkg/virt-handler/vm.go, vmiContainsNonMigratablePCIHostDevices.
 */
#include "rules/builtin/examples.h"
#include "rules/rule.h"

static void report(struct lg_rule_context *context, struct lg_val device)
{
    struct lg_str name = lg_json_str_at(device, "name");
    struct lg_str resource = lg_json_str_at(device, "deviceName");
    struct lg_str kind = LG_STR("");
    if (!lg_str_empty(resource))
        kind = lg_arena_printf(context->arena, " (%.*s)", LG_ARG(resource));
    const struct lg_report report = {
        .at = device,
        .about = name,
        .ident = resource,
        .message = lg_arena_printf(context->arena,
                                   "host device \"%.*s\"%.*s: a device of the node cannot be "
                                   "migrated",
                                   LG_ARG(name), LG_ARG(kind)),
        .fix = LG_STR("use an emulated or network device instead; a guest that needs the hardware "
                      "stays on its node: set evictionStrategy: None to say so"),
    };
    lg_rule_report(context, &report);
}

static void check(struct lg_rule_context *context)
{
    struct lg_val list = lg_json_at(context->subject->vm.spec, "domain.devices.hostDevices");
    for (struct lg_json_iter it = lg_json_iter(list); lg_json_next(&it);)
        report(context, it.val);
    if (lg_json_len(list) == 0)
        (void)lg_rule_lacks_parts(context, LG_BIT(LG_PART_INSTANCETYPE));
}

#define VM(head, devices) LG_EX_VM_OF(LG_EX_WEB, head, "domain: {devices: {" devices "}}")

static const struct lg_rule_example examples[] = {
    {.name = "a device of the node",
     .expect = LG_EXPECT_WARN,
     .object = VM("", "hostDevices: [{name: nic, deviceName: vendor.com/nic}]"),
     .message = "host device \"nic\" (vendor.com/nic): a device of the node cannot be migrated"},
    {.name = "a device by a resource claim",
     .expect = LG_EXPECT_WARN,
     .object = VM("", "hostDevices: [{name: nic, claimName: nics, requestName: fast}]"),
     .message = "host device \"nic\": "},
    {.name = "an empty list", .expect = LG_EXPECT_NOTHING, .object = VM("", "hostDevices: []")},
    {.name = "no devices", .expect = LG_EXPECT_NOTHING, .object = VM("", "")},
    {.name = "an instancetype that is not known may bring one",
     .expect = LG_EXPECT_PENDING,
     .object = VM("  instancetype: {name: u1.nic}\n", ""),
     .message = "instancetype \"u1.nic\""},
    {.name = "what the VM has itself is certain",
     .expect = LG_EXPECT_WARN,
     .object = VM("  instancetype: {name: u1.nic}\n",
                  "hostDevices: [{name: nic, deviceName: vendor.com/nic}]")},
    {.name = "an instancetype brings one",
     .expect = LG_EXPECT_WARN,
     .object = VM("  instancetype: {name: u1}\n", ""),
     .inventory = LG_EX_INSTANCETYPE("hostDevices: [{name: nic, deviceName: vendor.com/nic}]"),
     .message = "instancetype \"u1\" brings host device \"nic\" (vendor.com/nic): "},
    {.name = "an instancetype that contradicts the VM brings nothing, and is said",
     .expect = LG_EXPECT_PENDING,
     .object = VM("  instancetype: {name: u1}\n", "gpus: [{name: a}]"),
     .inventory = LG_EX_INSTANCETYPE("gpus: [{name: b}], hostDevices: [{name: nic}]"),
     .message = "contradicts the VM, and KubeVirt refuses such a VM: both set "
                "spec.template.spec.domain.devices.gpus"},
    {0},
};

const struct lg_rule lg_rule_host_device = {
    .id = "LG301",
    .name = "host-device",
    .title = "a device of the node is handed to the guest",
    .rationale = "A device that is handed through stands in one node; its state cannot be moved. "
                 "KubeVirt marks a guest with any host device as not live-migratable.",
    .remedy = "Use emulated devices, or SR-IOV networks where a network card is wanted. Where "
              "the guest needs the hardware, declare it immovable: evictionStrategy: None.",
    .source = "KubeVirt pkg/virt-handler/vm.go, vmiContainsNonMigratablePCIHostDevices",
    .action = LG_ACTION_WARN,
    .kinds = LG_BIT(LG_KIND_VM) | LG_BIT(LG_KIND_VMI),
    .ops = LG_BIT(LG_OP_CREATE) | LG_BIT(LG_OP_UPDATE),
    .looks_up = LG_INSTANCETYPES,
    .kubevirt_reason = "HostDeviceNotLiveMigratable",
    .check = check,
    .examples = examples,
};
