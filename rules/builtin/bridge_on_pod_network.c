/* LG201: the bridge binding on the pod network.
 *
 * A bridged guest holds the pod's own address. On the target node a new pod gets another one, so
 * KubeVirt refuses to migrate the guest, unless somebody vouches for the network (an address that
 * follows the guest) with an annotation on the VMI. Its presence alone counts, whatever the value.
 * Source: KubeVirt pkg/network/vmispec, VerifyVMIMigratable.
 */
#include "rules/builtin/examples.h"
#include "rules/rule.h"

static void check(struct lg_rule_context *context)
{
    const struct lg_vm *vm = &context->subject->vm;
    struct lg_pod_network net = lg_pod_network_of(vm);
    if (net.kind != LG_BINDING_BRIDGE ||
        lg_vm_has_annotation(vm, "kubevirt.io/allow-pod-bridge-network-live-migration"))
        return;
    struct lg_str name = lg_json_str_at(net.interface, "name");
    /* Either may bring the annotation that allows it. */
    if (lg_rule_lacks_parts(context, LG_ANY_PART))
        return;
    struct lg_report report = {
        .at = net.binding,
        .about = name,
        .ident = LG_STR("pod"),
        .message = lg_arena_printf(context->arena,
                                   "interface \"%.*s\": the bridge binding on the pod network "
                                   "cannot be migrated; live migration needs masquerade",
                                   LG_ARG(name)),
        .fix = lg_arena_printf(
            context->arena,
            "write \"masquerade: {}\" in place of \"bridge: {}\"; or, where the network lets a "
            "guest keep its address on another node, set the annotation "
            "kubevirt.io/allow-pod-bridge-network-live-migration in %s",
            lg_vm_annotations_path(vm)),
    };
    lg_rule_report(context, &report);
}

/* The annotation is an administrator's promise about the network; masquerade works on every one. */
static void mend(struct lg_rule_context *context, struct lg_repair *repair)
{
    struct lg_pod_network net = lg_pod_network_of(&context->subject->vm);
    struct lg_val name_at = lg_json_get(net.interface, "name");
    struct lg_str name = lg_json_str(name_at);
    lg_repair_read(repair, name, name_at);
    if (lg_json_has(net.interface, "masquerade")) {
        /* There as null: the two change places, since no member can stand there twice. */
        lg_repair_set(repair, net.interface, "masquerade", LG_STR("{}"));
        lg_repair_set(repair, net.interface, "bridge", LG_STR("null"));
    } else {
        lg_repair_rename(repair, net.interface, "bridge", "masquerade", LG_STR("{}"));
    }
    lg_repair_say(repair, name,
                  lg_arena_printf(context->arena,
                                  "interface \"%.*s\": masquerade written in place of bridge",
                                  LG_ARG(name)));
}

static const struct lg_fixer fixer = {
    .kind = LG_FIXER_CHANGES,
    .acts = "Writes masquerade in place of bridge for the interface on the pod network; its ports, "
            "MAC address and everything else stay. Not where the annotation allows the bridge or "
            "an instancetype or preference may bring it. The guest then gets its address from "
            "KubeVirt's DHCP, not the pod's own.",
    .mend = mend,
};

#define SPEC(binding)                                                                              \
    "    spec: {networks: [{name: default, pod: {}}], domain: {devices: {interfaces: [{name: "     \
    "default, " binding "}]}}}\n"
#define VM(head, metadata, binding)                                                                \
    LG_EX_VM(LG_EX_WEB, "spec:\n" head "  template:\n    metadata: " metadata "\n" SPEC(binding))

static const struct lg_rule_example examples[] = {
    {.name = "masquerade on the pod network",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("", "{}", "masquerade: {}")},
    {.name = "bridge on the pod network",
     .expect = LG_EXPECT_DENY,
     .object = VM("", "{}", "bridge: {}"),
     .message = "interface \"default\": the bridge binding on the pod network"},
    {.name = "a null beside it is no binding",
     .expect = LG_EXPECT_DENY,
     .object = VM("", "{}", "masquerade: null, sriov: null, bridge: {}"),
     .message = "interface \"default\": the bridge binding on the pod network"},
    {.name = "a bridge that is null is none",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("", "{}", "bridge: null, masquerade: {}")},
    {.name = "the annotation allows it, whatever its value",
     .expect = LG_EXPECT_NOTHING,
     .object =
         VM("", "{annotations: {kubevirt.io/allow-pod-bridge-network-live-migration: \"false\"}}",
            "bridge: {}")},
    {.name = "no interface is declared",
     .expect = LG_EXPECT_NOTHING,
     .object = LG_EX_VM_OF(LG_EX_WEB, "", "domain: {devices: {}}")},
    {.name = "bridge on another network than the pod's",
     .expect = LG_EXPECT_NOTHING,
     .object =
         LG_EX_VMI(LG_EX_WEB, "spec:\n"
                              "  networks: [{name: vlan7, multus: {networkName: vlan7}}]\n"
                              "  domain: {devices: {interfaces: [{name: vlan7, bridge: {}}]}}\n")},
    {.name = "the annotation on the VM itself reaches no guest",
     .expect = LG_EXPECT_DENY,
     .object = LG_EX_VM(
         LG_EX_WEB ", annotations: {kubevirt.io/allow-pod-bridge-network-live-migration: \"\"}",
         "spec:\n  template:\n" SPEC("bridge: {}"))},
    {.name = "an instancetype may bring the annotation",
     .expect = LG_EXPECT_PENDING,
     .object = VM("  instancetype: {name: u1.medium}\n", "{}", "bridge: {}"),
     .message = "instancetype \"u1.medium\""},
    {.name = "an update that leaves the bridge where it was",
     .expect = LG_EXPECT_WARN,
     .object = VM("  runStrategy: Always\n", "{labels: {app: web}}", "bridge: {}"),
     .old_object = VM("  runStrategy: Always\n", "{}", "bridge: {}")},
    {.name = "a preference brings the annotation",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("  preference: {name: p1}\n", "{}", "bridge: {}"),
     .inventory = LG_EX_PREFERENCE(
         "annotations: {kubevirt.io/allow-pod-bridge-network-live-migration: \"\"}")},
    {.name = "a preference brings masquerade, which replaces no bridge",
     .expect = LG_EXPECT_DENY,
     .object = VM("  preference: {name: p1}\n", "{}", "bridge: {}"),
     .inventory = LG_EX_PREFERENCE("devices: {preferredInterfaceMasquerade: {}}")},
    {0},
};

const struct lg_rule lg_rule_bridge_on_pod_network = {
    .id = "LG201",
    .name = "bridge-on-pod-network",
    .title = "the guest is bridged to the pod network",
    .rationale = "A bridged guest holds the address of its pod. The pod on the target node has "
                 "another address, so KubeVirt marks the guest as not migratable: a node drain "
                 "waits for it or shuts it down.",
    .remedy = "Use the masquerade binding for the pod network. Where the cluster's network lets "
              "an address follow the guest, set the annotation "
              "kubevirt.io/allow-pod-bridge-network-live-migration on the template's metadata; "
              "its presence counts, not its value.",
    .source = "KubeVirt pkg/network/vmispec, VerifyVMIMigratable; KubeVirt user guide, live "
              "migration, limitations",
    .action = LG_ACTION_DENY,
    .kinds = LG_BIT(LG_KIND_VM) | LG_BIT(LG_KIND_VMI),
    .ops = LG_BIT(LG_OP_CREATE) | LG_BIT(LG_OP_UPDATE),
    .looks_up = LG_INSTANCETYPES | LG_PREFERENCES,
    .kubevirt_reason = "InterfaceNotLiveMigratable",
    .check = check,
    .fixer = &fixer,
    .examples = examples,
};
