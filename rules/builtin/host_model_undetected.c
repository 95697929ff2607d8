/* LG307: the guest takes its node's CPU model, and no node has found out what that is.
 *
 * KubeVirt labels each node with the model that libvirt detects
 * (host-model-cpu.node.kubevirt.io/<model>). Where the labels of its node labeller stand on nodes,
 * and this one on none, a guest with host-model (the default) is called not migratable. In a
 * cluster in order that does not happen, so that unknown nodes put nobody's migratability in doubt.
 * Source: KubeVirt pkg/virt-handler/vm.go, isHostModelMigratable; pkg/virt-handler/node-labeller.
 */
#include "rules/builtin/examples.h"
#include "rules/rule.h"

static bool labeller_ran(const struct lg_node_table *nodes)
{
    return lg_nodes_any_key_prefix(nodes, "cpu-model.node.kubevirt.io/") ||
           lg_nodes_any_key_prefix(nodes, "cpu-feature.node.kubevirt.io/") ||
           lg_nodes_any_key_prefix(nodes, "cpu-vendor.node.kubevirt.io/");
}

static void check(struct lg_rule_context *context)
{
    const struct lg_vm *vm = &context->subject->vm;
    const struct lg_node_table *nodes = lg_inventory_nodes(context->inventory);
    struct lg_val at = lg_json_at(vm->spec, "domain.cpu.model");
    if (!lg_str_is(lg_guest_cpu_model(vm->spec, context->settings), "host-model"))
        return;
    if (lg_rule_lacks_nodes(context, vm->spec))
        return;
    if (!labeller_ran(nodes) || lg_nodes_any_key_prefix(nodes, "host-model-cpu.node.kubevirt.io/"))
        return;
    if (lg_str_empty(lg_json_str(at)) && lg_rule_lacks_parts(context, LG_BIT(LG_PART_INSTANCETYPE)))
        return;
    const struct lg_report report = {
        .at = lg_json_there(at) ? at : vm->spec,
        .ident = LG_STR("host-model"),
        .message =
            LG_STR("CPU model host-model: KubeVirt has detected the host's model on no node, "
                   "and does not migrate such a guest"),
        .fix = LG_STR("name a CPU model that all nodes offer (labels cpu-model.node.kubevirt.io)"),
    };
    lg_rule_report(context, &report);
}

#define VM(head, spec) LG_EX_VM_OF(LG_EX_WEB, head, spec)
#define HASWELL        ", cpu-model.node.kubevirt.io/Haswell: \"true\""

static const struct lg_rule_example examples[] = {
    {.name = "the nodes say their model",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("", "domain: {cpu: {model: host-model}}"),
     .inventory =
         LG_EX_NODE("n1", HASWELL ", host-model-cpu.node.kubevirt.io/Haswell: \"true\"", "")},
    {.name = "no node does",
     .expect = LG_EXPECT_WARN,
     .object = VM("", "domain: {cpu: {model: host-model}}"),
     .inventory = LG_EX_NODE("n1", HASWELL, ""),
     .message = "detected the host's model on no node"},
    {.name = "host-model is the default",
     .expect = LG_EXPECT_WARN,
     .object = VM("", "domain: {}"),
     .inventory = LG_EX_NODE("n1", HASWELL, "")},
    {.name = "a named model",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("", "domain: {cpu: {model: Haswell}}"),
     .inventory = LG_EX_NODE("n1", HASWELL, "")},
    {.name = "another default of the cluster",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("", "domain: {}"),
     .inventory = LG_EX_NODE("n1", HASWELL, "") "---\n" LG_EX_CONFIGURATION("cpuModel: Haswell")},
    {.name = "nodes that nobody has labelled say nothing",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("", "domain: {}"),
     .inventory = LG_EX_NODE("n1", "", "")},
    {.name = "nodes are not known", .expect = LG_EXPECT_PENDING, .object = VM("", "domain: {}")},
    {.name = "an instancetype that is not known may bring a model",
     .expect = LG_EXPECT_PENDING,
     .object = VM("  instancetype: {name: u1.small}\n", "domain: {}"),
     .inventory = LG_EX_NODE("n1", HASWELL, ""),
     .message = "instancetype \"u1.small\""},
    {0},
};

const struct lg_rule lg_rule_host_model_undetected = {
    .id = "LG307",
    .name = "host-model-undetected",
    .title = "host-model, and no node carries a host-model label",
    .rationale = "A guest with CPU model host-model, which is the default, gets the model of its "
                 "node; a target has to offer the same. Where KubeVirt could not detect it, the "
                 "guest is marked as not live-migratable.",
    .remedy = "Name a CPU model that all nodes offer, or find out why virt-handler's node labeller "
              "detects none.",
    .source = "KubeVirt pkg/virt-handler/vm.go, isHostModelMigratable",
    .action = LG_ACTION_WARN,
    .kinds = LG_BIT(LG_KIND_VM) | LG_BIT(LG_KIND_VMI),
    .ops = LG_BIT(LG_OP_CREATE) | LG_BIT(LG_OP_UPDATE),
    .looks_up = LG_INSTANCETYPES | LG_BIT(LG_KIND_NODE) | LG_BIT(LG_KIND_KUBEVIRT),
    .kubevirt_reason = "CPUModeLiveMigratable",
    .not_expected = true,
    .check = check,
    .examples = examples,
};
