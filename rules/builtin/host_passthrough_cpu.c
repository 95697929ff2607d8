/* LG306: the node's own processor, handed through as it is.
 *
 * KubeVirt calls such a guest migratable, and it moves between nodes with the same processor only:
 * elsewhere the migration fails, or the guest does. On arm64 there is no other choice, and nothing
 * is said. The model may be the cluster's default.
 * Source: KubeVirt pkg/defaults, pkg/virt-controller/watch/migration (only the vendor is selected
 * for).
 */
#include "rules/builtin/examples.h"
#include "rules/rule.h"

static void check(struct lg_rule_context *context)
{
    const struct lg_vm *vm = &context->subject->vm;
    struct lg_val at = lg_json_at(vm->spec, "domain.cpu.model");
    if (lg_str_empty(lg_json_str(at)) && lg_rule_lacks_parts(context, LG_BIT(LG_PART_INSTANCETYPE)))
        return;
    if (lg_guest_is_architecture(vm->spec, context->settings, "arm64") ||
        !lg_str_is(lg_guest_cpu_model(vm->spec, context->settings), "host-passthrough"))
        return;
    bool written = !lg_str_empty(lg_json_str(at));
    const struct lg_report report = {
        .at = written ? at : vm->spec,
        .ident = LG_STR("host-passthrough"),
        .message = lg_arena_printf(context->arena,
                                   "CPU model host-passthrough%s: the guest moves only between "
                                   "nodes with the same processor",
                                   written ? "" : " (the cluster's default)"),
        .fix = LG_STR("name a CPU model that all nodes offer, or use host-model"),
    };
    lg_rule_report(context, &report);
}

#define VM(head, spec) LG_EX_VM_OF(LG_EX_WEB, head, spec)

static const struct lg_rule_example examples[] = {
    {.name = "handed through",
     .expect = LG_EXPECT_WARN,
     .object = VM("", "domain: {cpu: {model: host-passthrough}}"),
     .message = "CPU model host-passthrough: the guest moves only between nodes with the same"},
    {.name = "a named model",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("", "domain: {cpu: {model: Haswell}}"),
     .inventory = LG_EX_CONFIGURATION("cpuModel: host-passthrough")},
    {.name = "no model",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("", "domain: {cpu: {cores: 2}}")},
    {.name = "no model, and the cluster's default is handed through",
     .expect = LG_EXPECT_WARN,
     .object = VM("", "domain: {}"),
     .inventory = LG_EX_CONFIGURATION("cpuModel: host-passthrough"),
     .message = "host-passthrough (the cluster's default)"},
    {.name = "arm64 knows nothing else",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("", "architecture: arm64, domain: {cpu: {model: host-passthrough}}")},
    {.name = "an instancetype that is not known may bring a model",
     .expect = LG_EXPECT_PENDING,
     .object = VM("  instancetype: {name: u1.small}\n", "domain: {}"),
     .message = "instancetype \"u1.small\""},
    {.name = "an instancetype hands it through",
     .expect = LG_EXPECT_WARN,
     .object = VM("  instancetype: {name: u1}\n", "domain: {}"),
     .inventory = LG_EX_INSTANCETYPE("cpu: {guest: 2, model: host-passthrough}"),
     .message = "instancetype \"u1\" brings this: CPU model host-passthrough: "},
    {0},
};

const struct lg_rule lg_rule_host_passthrough_cpu = {
    .id = "LG306",
    .name = "host-passthrough-cpu",
    .title = "the node's own CPU is handed through",
    .rationale = "With host-passthrough a guest sees its node's processor as it is. KubeVirt calls "
                 "it migratable and chooses a target by vendor only; between processors that "
                 "differ, the migration fails or the guest crashes after it.",
    .remedy = "Name a CPU model that all nodes offer (labels cpu-model.node.kubevirt.io), or use "
              "host-model. Where all nodes are alike, silence this rule by policy.",
    .source = "KubeVirt pkg/virt-controller/watch/migration, pkg/defaults",
    .action = LG_ACTION_WARN,
    .kinds = LG_BIT(LG_KIND_VM) | LG_BIT(LG_KIND_VMI),
    .ops = LG_BIT(LG_OP_CREATE) | LG_BIT(LG_OP_UPDATE),
    .looks_up = LG_INSTANCETYPES | LG_BIT(LG_KIND_KUBEVIRT),
    .check = check,
    .examples = examples,
};
