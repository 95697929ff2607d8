/* LG203: no network is declared, and the cluster's default binding is bridge.
 *
 * KubeVirt then attaches the guest to the pod network with the KubeVirt CR's default binding when
 * it starts. Upstream's default is bridge, which cannot be migrated (LG201); HyperConverged sets
 * masquerade. The default never stands in the VM. Source: KubeVirt pkg/network/vmispec,
 * SetDefaultNetworkInterface.
 */
#include "rules/builtin/examples.h"
#include "rules/rule.h"

#define DECLARE                                                                                    \
    "declare it: networks [{name: default, pod: {}}] and interfaces [{name: default, masquerade: " \
    "{}}]"

static void check(struct lg_rule_context *context)
{
    const struct lg_vm *vm = &context->subject->vm;
    const struct lg_settings *settings = context->settings;
    if (!lg_pod_network_of(vm).defaulted || !lg_str_is(settings->default_interface, "bridge") ||
        lg_vm_has_annotation(vm, "kubevirt.io/allow-pod-bridge-network-live-migration"))
        return;
    if (!settings->known) {
        lg_rule_lacks(context, vm->spec, LG_KIND_KUBEVIRT, LG_STR(""));
        return;
    }
    /* They may leave the interface out, or bring the annotation that allows the bridge. */
    if (lg_rule_lacks_parts(context, LG_ANY_PART))
        return;
    struct lg_val devices = lg_json_at(vm->spec, "domain.devices");
    struct lg_report report = {
        .at = lg_json_there(devices) ? devices : vm->spec,
        .message = LG_STR("no network is declared, and the cluster's default binding for the pod "
                          "network is bridge; live migration needs masquerade"),
        .fix = context->settings->hyperconverged
                   ? LG_STR(DECLARE)
                   : LG_STR(DECLARE "; or set defaultNetworkInterface: masquerade in the KubeVirt "
                                    "CR"),
    };
    lg_rule_report(context, &report);
}

/* What KubeVirt would fill in, with the other binding; in the names that it would give. */
static void mend(struct lg_rule_context *context, struct lg_repair *repair)
{
    static const char interfaces[] = "[{\"name\":\"default\",\"masquerade\":{}}]";
    struct lg_arena *arena = context->arena;
    struct lg_val spec = context->subject->vm.spec;
    struct lg_val domain = lg_json_get(spec, "domain");
    struct lg_val devices = lg_json_get(domain, "devices");
    if (!lg_json_there(spec)) {
        lg_repair_cannot(repair, LG_STR(""), LG_STR("the machine has no spec"));
        return;
    }
    lg_repair_set(repair, spec, "networks", LG_STR("[{\"name\":\"default\",\"pod\":{}}]"));
    if (lg_json_there(devices))
        lg_repair_set(repair, devices, "interfaces", lg_str_of(interfaces));
    else if (lg_json_there(domain))
        lg_repair_set(repair, domain, "devices",
                      lg_arena_printf(arena, "{\"interfaces\":%s}", interfaces));
    else
        lg_repair_set(repair, spec, "domain",
                      lg_arena_printf(arena, "{\"devices\":{\"interfaces\":%s}}", interfaces));
    lg_repair_say(repair, LG_STR(""),
                  LG_STR("the pod network and an interface with masquerade are declared"));
}

static const struct lg_fixer fixer = {
    .kind = LG_FIXER_ADDS,
    .acts = "Declares the pod network and an interface with masquerade, both named default, where "
            "neither networks nor interfaces are declared. Not where the default binding is not "
            "known, or an instancetype or preference may leave the interface out.",
    .mend = mend,
};

#define VM(head, devices) LG_EX_VM_OF(LG_EX_WEB, head, "domain: {devices: " devices "}")

static const struct lg_rule_example examples[] = {
    {.name = "the cluster's default is masquerade",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("", "{}"),
     .inventory = LG_EX_CONFIGURATION("network: {defaultNetworkInterface: masquerade}")},
    {.name = "the cluster's default is bridge",
     .expect = LG_EXPECT_DENY,
     .object = VM("", "{}"),
     .inventory = LG_EX_CONFIGURATION("network: {defaultNetworkInterface: bridge}"),
     .message = "default binding for the pod network is bridge"},
    {.name = "the KubeVirt CR says nothing: bridge",
     .expect = LG_EXPECT_DENY,
     .object = VM("", "{interfaces: [], autoattachPodInterface: true}"),
     .inventory = LG_EX_CONFIGURATION("")},
    {.name = "the pod interface is not attached",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("", "{autoattachPodInterface: false}"),
     .inventory = LG_EX_CONFIGURATION("")},
    {.name = "an interface is declared",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("", "{interfaces: [{name: default, masquerade: {}}]}"),
     .inventory = LG_EX_CONFIGURATION("")},
    {.name = "the annotation allows the bridge",
     .expect = LG_EXPECT_NOTHING,
     .object = LG_EX_VMI(
         LG_EX_WEB ", annotations: {kubevirt.io/allow-pod-bridge-network-live-migration: \"\"}",
         "spec: {domain: {devices: {}}}\n"),
     .inventory = LG_EX_CONFIGURATION("")},
    {.name = "no KubeVirt CR is known",
     .expect = LG_EXPECT_PENDING,
     .object = VM("", "{}"),
     .message = "KubeVirt"},
    {.name = "only HyperConverged is known, and it sets masquerade",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("", "{}"),
     .inventory = LG_EX_HYPERCONVERGED("")},
    {.name = "a preference may leave the interface out",
     .expect = LG_EXPECT_PENDING,
     .object = VM("  preference: {name: fedora}\n", "{}"),
     .inventory = LG_EX_CONFIGURATION(""),
     .message = "preference \"fedora\""},
    {.name = "a preference leaves the interface out",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("  preference: {name: p1}\n", "{}"),
     .inventory = LG_EX_CONFIGURATION("") "---\n" LG_EX_PREFERENCE(
         "devices: {preferredAutoattachPodInterface: false}")},
    {.name = "preferred masquerade comes after the default",
     .expect = LG_EXPECT_DENY,
     .object = VM("  preference: {name: p1}\n", "{}"),
     .inventory = LG_EX_CONFIGURATION("") "---\n" LG_EX_PREFERENCE(
         "devices: {preferredInterfaceMasquerade: {}}")},
    {0},
};

const struct lg_rule lg_rule_default_binding_is_bridge = {
    .id = "LG203",
    .name = "default-binding-is-bridge",
    .title = "no network is declared, and the cluster's default binding is bridge",
    .rationale = "A VM without networks and interfaces gets the pod network with the default "
                 "binding of the KubeVirt CR when it starts. Upstream's default is bridge, and a "
                 "guest that is bridged to the pod network cannot be migrated. Nothing in the VM "
                 "shows it.",
    .remedy = "Declare the pod network and an interface with the masquerade binding, or make "
              "masquerade the default in the KubeVirt CR "
              "(spec.configuration.network.defaultNetworkInterface); HyperConverged always writes "
              "it there.",
    .source = "KubeVirt pkg/network/vmispec, SetDefaultNetworkInterface and VerifyVMIMigratable",
    .action = LG_ACTION_DENY,
    .kinds = LG_BIT(LG_KIND_VM) | LG_BIT(LG_KIND_VMI),
    .ops = LG_BIT(LG_OP_CREATE) | LG_BIT(LG_OP_UPDATE),
    .looks_up = LG_INSTANCETYPES | LG_PREFERENCES | LG_BIT(LG_KIND_KUBEVIRT) |
                LG_BIT(LG_KIND_HYPERCONVERGED),
    .kubevirt_reason = "InterfaceNotLiveMigratable",
    .check = check,
    .fixer = &fixer,
    .examples = examples,
};
