/* LG305: Hyper-V re-enlightenment, and no node says how fast its clock counts.
 *
 * A guest with re-enlightenment moves only when KubeVirt can hold its TSC to one frequency: that of
 * the KubeVirt CR, or one that some node exposes by label; and only on amd64. A guest that requires
 * invtsc cannot even start without, which is another matter. Source: KubeVirt
 * pkg/virt-controller/watch/topology (GetTscFrequencyRequirement, TopologyHintsForVMI).
 */
#include "rules/builtin/examples.h"
#include "rules/rule.h"

static const char FREQUENCY[] = "cpu-timer.node.kubevirt.io/tsc-frequency";

static bool requires_invtsc(struct lg_val spec)
{
    struct lg_val features = lg_json_at(spec, "domain.cpu.features");
    for (struct lg_json_iter it = lg_json_iter(features); lg_json_next(&it);) {
        struct lg_val policy = lg_json_get(it.val, "policy");
        if (lg_json_is(lg_json_get(it.val, "name"), "invtsc") &&
            (lg_json_is(policy, "require") || lg_json_is(policy, "force")))
            return true;
    }
    return false;
}

static bool some_node_counts(const struct lg_node_table *nodes, struct lg_arena *arena)
{
    size_t words = lg_nodes_words(nodes);
    lg_word *found = lg_arena_array(arena, words + 1, sizeof *found);
    lg_nodes_add_compared(nodes, lg_str_of(FREQUENCY), true, 0, found);
    for (size_t i = 0; i < words; i++)
        if (found[i] != 0)
            return true;
    return false;
}

static bool has_hint(const struct lg_rule_context *context)
{
    int64_t hint = 0;
    struct lg_val at = lg_json_at(context->subject->vm.object, "status.topologyHints.tscFrequency");
    return context->subject->vm.kind == LG_KIND_VMI && lg_json_int64(at, &hint) == LG_E_OK &&
           hint > 0;
}

static void check(struct lg_rule_context *context)
{
    const struct lg_vm *vm = &context->subject->vm;
    struct lg_val at = lg_json_at(vm->spec, "domain.features.hyperv.reenlightenment");
    if (!lg_json_there(at) && lg_rule_lacks_parts(context, LG_BIT(LG_PART_PREFERENCE)))
        return;
    if (!lg_guest_feature_is_on(at) || requires_invtsc(vm->spec) || has_hint(context))
        return;
    if (lg_guest_is_architecture(vm->spec, context->settings, "amd64")) {
        if (context->settings->has_minimum_tsc ||
            some_node_counts(lg_inventory_nodes(context->inventory), context->arena))
            return;
        if (lg_rule_lacks_nodes(context, at))
            return;
    }
    struct lg_str frequency = lg_settings_advice(
        context->settings, "developerConfiguration.minimumClusterTSCFrequency", context->arena);
    const struct lg_report report = {
        .at = at,
        .ident = LG_STR("reenlightenment"),
        .message = LG_STR("Hyper-V re-enlightenment cannot be migrated here: no node exposes a TSC "
                          "frequency"),
        .fix = lg_arena_printf(context->arena,
                               "use nodes with an invariant TSC, or take re-enlightenment out; or "
                               "say the frequency: %.*s",
                               LG_ARG(frequency)),
    };
    lg_rule_report(context, &report);
}

#define VM(head, spec) LG_EX_VM_OF(LG_EX_WEB, head, spec)
#define ON(state)      "domain: {features: {hyperv: {reenlightenment: " state "}}}"

static const struct lg_rule_example examples[] = {
    {.name = "a node exposes its frequency",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("", ON("{enabled: true}")),
     .inventory =
         LG_EX_NODE("n1", ", cpu-timer.node.kubevirt.io/tsc-frequency: \"2400000000\"", "")},
    {.name = "no node does",
     .expect = LG_EXPECT_WARN,
     .object = VM("", ON("{enabled: true}")),
     .inventory = LG_EX_NODE("n1", "", ""),
     .message = "no node exposes a TSC frequency"},
    {.name = "not a word whether it is on means that it is",
     .expect = LG_EXPECT_WARN,
     .object = VM("", ON("{}")),
     .inventory = LG_EX_NODE("n1", ", cpu-timer.node.kubevirt.io/tsc-frequency: \"0\"", "")},
    {.name = "switched off",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("", ON("{enabled: false}")),
     .inventory = LG_EX_NODE("n1", "", "")},
    {.name = "nothing about Hyper-V",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("", "domain: {}"),
     .inventory = LG_EX_NODE("n1", "", "")},
    {.name = "the KubeVirt CR gives a frequency",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("", ON("{}")),
     .inventory = LG_EX_NODE("n1", "", "") "---\n" LG_EX_CONFIGURATION(
         "developerConfiguration: {minimumClusterTSCFrequency: 2400000000}")},
    {.name = "what needs invtsc does not even start without",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("", "domain: {features: {hyperv: {reenlightenment: {}}}, "
                      "cpu: {features: [{name: invtsc, policy: require}]}}"),
     .inventory = LG_EX_NODE("n1", "", "")},
    {.name = "frequencies are looked for on amd64 only",
     .expect = LG_EXPECT_WARN,
     .object = VM("", "architecture: arm64, " ON("{}")),
     .inventory =
         LG_EX_NODE("n1", ", cpu-timer.node.kubevirt.io/tsc-frequency: \"2400000000\"", "")},
    {.name = "nodes are not known", .expect = LG_EXPECT_PENDING, .object = VM("", ON("{}"))},
    {.name = "a preference that is not known may bring it",
     .expect = LG_EXPECT_PENDING,
     .object = VM("  preference: {name: windows}\n", "domain: {}"),
     .inventory = LG_EX_NODE("n1", "", ""),
     .message = "preference \"windows\""},
    {.name = "a preference brings it",
     .expect = LG_EXPECT_WARN,
     .object = VM("  preference: {name: p1}\n", "domain: {}"),
     .inventory = LG_EX_NODE("n1", "", "") "---\n" LG_EX_PREFERENCE(
         "features: {preferredHyperv: {reenlightenment: {}}}"),
     .message = "preference \"p1\" brings this: Hyper-V re-enlightenment"},
    {0},
};

const struct lg_rule lg_rule_tsc_frequency = {
    .id = "LG305",
    .name = "tsc-frequency",
    .title = "re-enlightenment, and no node exposes a TSC frequency",
    .rationale = "A Windows guest with re-enlightenment has to be told when its clock source "
                 "changes speed. Where KubeVirt cannot hold its TSC to one frequency across nodes, "
                 "it marks the guest as not live-migratable.",
    .remedy = "Give the cluster a frequency (developerConfiguration.minimumClusterTSCFrequency in "
              "the KubeVirt CR; where HyperConverged writes that, by its annotation "
              "kubevirt.kubevirt.io/jsonpatch), use nodes with an invariant TSC, or take "
              "features.hyperv.reenlightenment out of the guest.",
    .source = "KubeVirt pkg/virt-controller/watch/topology/tsc.go and hinter.go",
    .action = LG_ACTION_WARN,
    .kinds = LG_BIT(LG_KIND_VM) | LG_BIT(LG_KIND_VMI),
    .ops = LG_BIT(LG_OP_CREATE) | LG_BIT(LG_OP_UPDATE),
    .looks_up = LG_PREFERENCES | LG_BIT(LG_KIND_NODE) | LG_BIT(LG_KIND_KUBEVIRT),
    .kubevirt_reason = "NoTSCFrequencyNotLiveMigratable",
    .check = check,
    .examples = examples,
};
