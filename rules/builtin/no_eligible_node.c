/* LG401: no node of the cluster can take the guest.
 *
 * nodeSelector, required node affinity, taints that are not tolerated and the labels that KubeVirt
 * adds are judged as the scheduler does. Nodes that would fit but for something that passes
 * (cordoned, not ready, being drained) are "away": while there are such nodes the rule only warns
 * and names them. Where LG404 says of the same placement that it is not valid, that is all that
 * people are shown. Source: Kubernetes component-helpers nodeaffinity and taints; KubeVirt
 * pkg/virt-controller/services, node selector rendering.
 */
#include "rules/builtin/examples.h"
#include "rules/rule.h"

enum { NAMES_MAX = 5 };

/* True when the rule cannot tell, and said so. What an instancetype or a preference brings can only
 * take nodes away, but for the labels of a guest's hardware: those depend on what it says. */
static bool undecided(struct lg_rule_context *context, struct lg_place_count count)
{
    return count.eligible + count.away + count.by_kubevirt != 0 &&
           lg_rule_lacks_parts(context, LG_ANY_PART);
}

static void report_away(struct lg_rule_context *context, struct lg_place_count count,
                        const struct lg_place_summary *summary, struct lg_val at)
{
    struct lg_str names =
        lg_placement_names(lg_rule_requirements(context), lg_inventory_nodes(context->inventory),
                           LG_PLACE_AWAY, NAMES_MAX, context->arena);
    const char *others = lg_str_empty(summary->excluded) ? "" : "; the others: ";
    struct lg_report report = {
        .at = at,
        .at_most = LG_ACTION_WARN,
        .message =
            lg_arena_printf(context->arena, "no node fits now; %zu would, but %s away: %.*s%s%.*s",
                            count.away, count.away == 1 ? "is" : "are", LG_ARG(summary->away),
                            others, LG_ARG(summary->excluded)),
        .fix = lg_arena_printf(context->arena, "bring %.*s back before the guest is started",
                               LG_ARG(names)),
    };
    lg_rule_report(context, &report);
}

static void check(struct lg_rule_context *context)
{
    if (lg_rule_lacks_nodes(context, context->subject->vm.spec))
        return;
    const struct lg_node_table *nodes = lg_inventory_nodes(context->inventory);
    struct lg_place_count count = lg_rule_placement(context);
    if (undecided(context, count) || count.eligible > 0)
        return;
    struct lg_place_summary summary;
    lg_placement_summary(lg_rule_requirements(context), nodes, context->arena, &summary);
    struct lg_val at = lg_json_there(summary.at) ? summary.at : context->subject->vm.spec;
    if (count.away > 0) {
        report_away(context, count, &summary, at);
        return;
    }
    bool grows = lg_rule_new_node_could(context);
    struct lg_report report = {
        .at = at,
        .at_most = grows ? LG_ACTION_WARN : LG_ACTION_OFF,
        .message = lg_arena_printf(
            context->arena, "no node fits%s: %.*s", grows ? " now, though a new one could" : "",
            LG_ARG(lg_nodes_count(nodes) > 0 ? summary.excluded
                                             : LG_STR("the cluster has no nodes"))),
        .fix = LG_STR("change nodeSelector, required node affinity or tolerations so that at least "
                      "two nodes fit, or label and untaint nodes for this guest"),
    };
    lg_rule_report(context, &report);
}

#define VM(head, placement) LG_EX_VM_OF(LG_EX_WEB, head, placement "domain: {devices: {}}")

#define AUTOSCALER                                                                                 \
    "---\n"                                                                                        \
    "apiVersion: autoscaling.openshift.io/v1\n"                                                    \
    "kind: ClusterAutoscaler\n"                                                                    \
    "metadata: {name: default}\n"

static const struct lg_rule_example examples[] = {
    {.name = "two nodes fit",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("", "nodeSelector: {zone: a}, "),
     .inventory = LG_EX_WORKER("n1", "zone: a", "") LG_EX_WORKER("n2", "zone: a", "")},
    {.name = "a label and a taint leave no node",
     .expect = LG_EXPECT_DENY,
     .object = VM("", "nodeSelector: {zone: a}, "),
     .inventory = LG_EX_WORKER("n1", "zone: b", "") LG_EX_WORKER("n2", "zone: b", "")
         LG_EX_WORKER("n3", "zone: a", "taints: [{key: gpu, value: \"true\", effect: NoSchedule}]"),
     .message = "no node fits: 2 lack label zone=a (n1, n2), 1 has taint gpu=true:NoSchedule that "
                "is not tolerated (n3)"},
    {.name = "no placement at all",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("", ""),
     .inventory = LG_EX_WORKER("n1", "zone: a", "") LG_EX_WORKER("n2", "zone: b", "")},
    {.name = "the taint is tolerated",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("", "tolerations: [{key: virtualization, effect: NoSchedule}], "),
     .inventory =
         LG_EX_WORKER("n1", "zone: a", "taints: [{key: virtualization, effect: NoSchedule}]")},
    {.name = "the only node that fits is cordoned",
     .expect = LG_EXPECT_WARN,
     .object = VM("", "nodeSelector: {zone: a}, "),
     .inventory =
         LG_EX_WORKER("n1", "zone: a", "unschedulable: true") LG_EX_WORKER("n2", "zone: b", ""),
     .message = "1 is cordoned (n1)"},
    {.name = "required node affinity that matches nothing",
     .expect = LG_EXPECT_DENY,
     .object = VM("", "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
                      "{nodeSelectorTerms: "
                      "[{matchExpressions: [{key: zone, operator: In, values: [c]}]}]}}}, "),
     .inventory = LG_EX_WORKER("n1", "zone: a", "") LG_EX_WORKER("n2", "zone: b", ""),
     .message = "no node fits: 2 do not match the required node affinity (n1, n2)"},
    {.name = "the cluster grows by itself",
     .expect = LG_EXPECT_WARN,
     .object = VM("", "nodeSelector: {zone: c}, "),
     .inventory = LG_EX_WORKER("n1", "zone: a", "") AUTOSCALER,
     .message = "no node fits now, though a new one could: 1 lacks label zone=c (n1)"},
    {.name = "a new node has another host name",
     .expect = LG_EXPECT_DENY,
     .object = VM("", "nodeSelector: {kubernetes.io/hostname: n9}, "),
     .inventory = LG_EX_WORKER("n1", "kubernetes.io/hostname: n1", "") AUTOSCALER},
    {.name = "nodes are not known",
     .expect = LG_EXPECT_PENDING,
     .object = VM("", "nodeSelector: {zone: a}, ")},
    {.name = "an instancetype may bring a nodeSelector",
     .expect = LG_EXPECT_PENDING,
     .object = VM("  instancetype: {name: u1.medium}\n", ""),
     .inventory = LG_EX_WORKER("n1", "zone: a", ""),
     .message = "instancetype \"u1.medium\""},
    {.name = "what the VM itself asks for leaves no node, whatever the instancetype brings",
     .expect = LG_EXPECT_DENY,
     .object = VM("  instancetype: {name: u1.medium}\n", "nodeSelector: {zone: c}, "),
     .inventory = LG_EX_WORKER("n1", "zone: a", "")},
    {.name = "an instancetype selects nodes that are not there",
     .expect = LG_EXPECT_DENY,
     .object = VM("  instancetype: {name: u1}\n", ""),
     .inventory = LG_EX_WORKER("n1", "zone: a", "")
         LG_EX_WORKER("n2", "zone: a", "") "---\n" LG_EX_INSTANCETYPE("nodeSelector: {zone: c}"),
     .message = "instancetype \"u1\" brings this: no node fits: 2 lack label zone=c (n1, n2)"},
    {0},
};

const struct lg_rule lg_rule_no_eligible_node = {
    .id = "LG401",
    .name = "no-eligible-node",
    .title = "no node can take the guest",
    .rationale = "nodeSelector, required node affinity, taints and the labels that KubeVirt asks "
                 "for leave no node: the launcher pod stays Pending, and the message that the "
                 "scheduler leaves on it counts nodes without naming them.",
    .remedy = "Relax what the VM asks for, tolerate the taint, or label nodes for it. At least two "
              "nodes must fit before the guest can ever migrate.",
    .source = "Kubernetes component-helpers, scheduling/corev1 nodeaffinity and taints; KubeVirt "
              "pkg/virt-controller/services, node selector rendering",
    .action = LG_ACTION_DENY,
    .kinds = LG_BIT(LG_KIND_VM) | LG_BIT(LG_KIND_VMI),
    .ops = LG_BIT(LG_OP_CREATE) | LG_BIT(LG_OP_UPDATE),
    .looks_up = LG_INSTANCETYPES | LG_PREFERENCES | LG_BIT(LG_KIND_NODE) |
                LG_BIT(LG_KIND_KUBEVIRT) | LG_AUTOSCALERS,
    .told_by = "LG404",
    .check = check,
    .examples = examples,
};
