/* LG604: no node but the one that the guest leaves can take it.
 *
 * Judged as LG401 is, of the target pod: the source node is excluded, addedNodeSelector narrows
 * (what the guest selects itself wins), a guest with host-model needs a node with the source's CPU
 * model and required features, any guest one of the same CPU vendor. Those labels stand in the
 * source pod once the guest has moved; then they are not asked for here. Required podAffinity and
 * podAntiAffinity between guests count as in LG406, with the source pod among the others. Nodes
 * that are away count as targets that come back: then the rule only warns. Source: KubeVirt
 * pkg/virt-controller/watch/migration, createTargetPod.
 */
#include "rules/builtin/examples.h"
#include "rules/rule.h"

enum { NAMES_MAX = 5 };

static struct lg_str message_of(struct lg_rule_context *context, const struct lg_moving *moving,
                                struct lg_place_count count, const struct lg_place_summary *summary)
{
    struct lg_arena *arena = context->arena;
    if (count.away == 0)
        return lg_arena_printf(arena, "VMI \"%.*s\" has no node to go to: %.*s",
                               LG_ARG(moving->name), LG_ARG(summary->excluded));
    return lg_arena_printf(arena,
                           "VMI \"%.*s\" has no node to go to now; %zu would fit, but %s away: "
                           "%.*s; the others: %.*s",
                           LG_ARG(moving->name), count.away, count.away == 1 ? "is" : "are",
                           LG_ARG(summary->away), LG_ARG(summary->excluded));
}

static struct lg_str fix_of(struct lg_rule_context *context, struct lg_place_count count)
{
    if (count.away == 0)
        return LG_STR("let a second node fit: change the virtual machine's nodeSelector, required "
                      "node affinity or tolerations or this addedNodeSelector, or label and "
                      "untaint a node");
    struct lg_str names =
        lg_placement_names(lg_rule_requirements(context), lg_inventory_nodes(context->inventory),
                           LG_PLACE_AWAY, NAMES_MAX, context->arena);
    return lg_arena_printf(context->arena, "bring %.*s back first", LG_ARG(names));
}

/* Only podAffinity leaves no node, and pods that are no guest's may be what it wants. */
static bool only_affinity(struct lg_rule_context *context)
{
    struct lg_place_count count = lg_placement_count(
        lg_requirements_without_affinity(lg_rule_requirements(context), context->arena),
        lg_inventory_nodes(context->inventory));
    return count.eligible + count.away > 0;
}

static void report(struct lg_rule_context *context, const struct lg_moving *moving,
                   struct lg_place_count count)
{
    struct lg_place_summary summary;
    lg_placement_summary(lg_rule_requirements(context), lg_inventory_nodes(context->inventory),
                         context->arena, &summary);
    bool grows = lg_rule_new_node_could(context);
    bool may_fit = count.away > 0 || grows || only_affinity(context);
    struct lg_report report = {
        /* what the guest says stands in another object */
        .at = summary.at.doc == context->subject->object.doc ? summary.at : moving->at,
        .at_most = may_fit ? LG_ACTION_WARN : LG_ACTION_OFF,
        .message = lg_arena_printf(context->arena, "%.*s%s",
                                   LG_ARG(message_of(context, moving, count, &summary)),
                                   grows ? "; a new node could take it" : ""),
        .fix = fix_of(context, count),
    };
    lg_rule_report(context, &report);
}

static void check(struct lg_rule_context *context)
{
    struct lg_moving moving;
    if (!lg_rule_moving(context, &moving) || moving.decentralised)
        return;
    if (!lg_rule_guest_found(context, &moving) || lg_str_empty(moving.vmi->node))
        return; /* LG601, LG605 */
    if (lg_rule_lacks_nodes(context, moving.at))
        return;
    struct lg_place_count count = lg_rule_placement(context);
    const struct lg_separation *separation = lg_rule_separation(context);
    if (separation != NULL && !lg_str_empty(separation->unknown_ns))
        lg_rule_lacks(context, moving.at, LG_KIND_NAMESPACE, separation->unknown_ns);
    if (count.eligible == 0)
        report(context, &moving, count);
}

#define MIGRATION(spec) LG_EX_MIGRATION("name: move-web, namespace: shop", "spec: {" spec "}\n")

#define VMI(placement, status)                                                                     \
    "---\n" LG_EX_VMI(LG_EX_WEB,                                                                   \
                      "spec: {" placement "domain: {devices: {}}}\n"                               \
                      "status:\n"                                                                  \
                      "  phase: Running\n"                                                         \
                      "  conditions: [{type: LiveMigratable, status: \"True\"}]\n" status)

#define ON_N1  "  nodeName: n1\n"
#define ZONE_A "nodeSelector: {zone: a}, "

#define HOST(model)                                                                                \
    "host-model-cpu.node.kubevirt.io/" model ": \"true\", "                                        \
    "cpu-model-migration.node.kubevirt.io/" model ": \"true\", "                                   \
    "cpu-vendor.node.kubevirt.io/Intel: \"true\""

#define AFFINITY(kind, label)                                                                      \
    "affinity: {" kind ": {requiredDuringSchedulingIgnoredDuringExecution: [{labelSelector: "      \
    "{matchLabels: {vm.kubevirt.io/name: " label "}}, topologyKey: kubernetes.io/hostname}]}}, "
#define APART_FROM_DB AFFINITY("podAntiAffinity", "db")
#define WITH_ITSELF   AFFINITY("podAffinity", "web")
#define AUTOSCALER                                                                                 \
    "---\n"                                                                                        \
    "apiVersion: autoscaling.openshift.io/v1beta1\n"                                               \
    "kind: MachineAutoscaler\n"                                                                    \
    "metadata: {name: workers-a, namespace: machines}\n"
#define HOST_NAME(name) "kubernetes.io/hostname: " name

static const struct lg_rule_example examples[] = {
    {.name = "a second node fits",
     .expect = LG_EXPECT_NOTHING,
     .object = MIGRATION("vmiName: web"),
     .inventory =
         VMI(ZONE_A, ON_N1) LG_EX_WORKER("n1", "zone: a", "") LG_EX_WORKER("n2", "zone: a", "")},
    {.name = "only the node that it leaves fits",
     .expect = LG_EXPECT_DENY,
     .object = MIGRATION("vmiName: web"),
     .inventory =
         VMI(ZONE_A, ON_N1) LG_EX_WORKER("n1", "zone: a", "") LG_EX_WORKER("n2", "zone: b", ""),
     .message = "VMI \"web\" has no node to go to: 1 runs the guest now (n1), 1 lacks label "
                "zone=a (n2)"},
    {.name = "addedNodeSelector is absent, and nothing narrows",
     .expect = LG_EXPECT_NOTHING,
     .object = MIGRATION("vmiName: web"),
     .inventory =
         VMI("", ON_N1) LG_EX_WORKER("n1", "zone: a", "") LG_EX_WORKER("n2", "zone: b", "")},
    {.name = "addedNodeSelector leaves no node",
     .expect = LG_EXPECT_DENY,
     .object = MIGRATION("vmiName: web, addedNodeSelector: {rack: r9}"),
     .inventory =
         VMI("", ON_N1) LG_EX_WORKER("n1", "zone: a", "") LG_EX_WORKER("n2", "zone: b", ""),
     .message = "1 lacks label rack=r9, which addedNodeSelector asks for (n2)"},
    {.name = "addedNodeSelector in the first version that knows it",
     .expect = LG_EXPECT_DENY,
     .object = MIGRATION("vmiName: web, addedNodeSelector: {rack: r9}"),
     .inventory =
         VMI("", ON_N1) LG_EX_WORKER("n1", "zone: a", "") LG_EX_WORKER("n2", "zone: b", ""),
     .policy = LG_EX_VERSION("1.6")},
    {.name = "before that the API server drops it",
     .expect = LG_EXPECT_NOTHING,
     .object = MIGRATION("vmiName: web, addedNodeSelector: {rack: r9}"),
     .inventory =
         VMI("", ON_N1) LG_EX_WORKER("n1", "zone: a", "") LG_EX_WORKER("n2", "zone: b", ""),
     .policy = LG_EX_VERSION("1.5")},
    {.name = "with a priority KubeVirt's webhook refuses it",
     .expect = LG_EXPECT_NOTHING,
     .object = MIGRATION("vmiName: web, priority: user-triggered"),
     .inventory = VMI("", ON_N1) LG_EX_WORKER("n1", "zone: a", ""),
     .policy = LG_EX_VERSION("1.7")},
    {.name = "before there were priorities the API server drops it",
     .expect = LG_EXPECT_DENY,
     .object = MIGRATION("vmiName: web, priority: user-triggered"),
     .inventory = VMI("", ON_N1) LG_EX_WORKER("n1", "zone: a", ""),
     .policy = LG_EX_VERSION("1.6")},
    {.name = "what the guest selects wins over addedNodeSelector",
     .expect = LG_EXPECT_NOTHING,
     .object = MIGRATION("vmiName: web, addedNodeSelector: {zone: b}"),
     .inventory =
         VMI(ZONE_A, ON_N1) LG_EX_WORKER("n1", "zone: a", "") LG_EX_WORKER("n2", "zone: a", "")},
    {.name = "the other node is cordoned",
     .expect = LG_EXPECT_WARN,
     .object = MIGRATION("vmiName: web"),
     .inventory = VMI("", ON_N1) LG_EX_WORKER("n1", "zone: a", "")
         LG_EX_WORKER("n2", "zone: a", "unschedulable: true"),
     .message = "1 would fit, but is away: 1 is cordoned (n2)"},
    {.name = "the cluster grows by itself",
     .expect = LG_EXPECT_WARN,
     .object = MIGRATION("vmiName: web"),
     .inventory = VMI(ZONE_A, ON_N1) LG_EX_WORKER("n1", "zone: a", "") AUTOSCALER,
     .message = "; a new node could take it"},
    {.name = "no other node knows the CPU model that it runs on",
     .expect = LG_EXPECT_DENY,
     .object = MIGRATION("vmiName: web"),
     .inventory = VMI("", ON_N1) LG_EX_WORKER("n1", HOST("Icelake"), "")
         LG_EX_WORKER("n2", HOST("Haswell"), ""),
     .message = "label cpu-model-migration.node.kubevirt.io/Icelake=true, which the source node "
                "has (n2)"},
    {.name = "once it has moved, the model that counts is not known here",
     .expect = LG_EXPECT_NOTHING,
     .object = MIGRATION("vmiName: web"),
     .inventory = VMI("", ON_N1 "  migrationState: {completed: true}\n")
         LG_EX_WORKER("n1", HOST("Icelake"), "") LG_EX_WORKER("n2", HOST("Haswell"), "")},
    {.name = "the other node has a guest that it is kept apart from",
     .expect = LG_EXPECT_DENY,
     .object = MIGRATION("vmiName: web"),
     .inventory = VMI(APART_FROM_DB, ON_N1) LG_EX_GUEST("db", "shop", ", nodeName: n2")
         LG_EX_WORKER("n1", HOST_NAME("n1"), "") LG_EX_WORKER("n2", HOST_NAME("n2"), ""),
     .message = "1 is a place with a guest that podAntiAffinity keeps it apart from (n2)"},
    {.name = "it has to stay with a guest, or with other pods that are not seen",
     .expect = LG_EXPECT_WARN,
     .object = MIGRATION("vmiName: web"),
     .inventory = VMI(WITH_ITSELF, ON_N1) LG_EX_WORKER("n1", HOST_NAME("n1"), "")
         LG_EX_WORKER("n2", HOST_NAME("n2"), ""),
     .message = "1 has none of the guests that podAffinity asks for (n2)"},
    {.name = "the state goes elsewhere",
     .expect = LG_EXPECT_NOTHING,
     .object = MIGRATION("vmiName: web, sendTo: {migrationID: m1, connectURL: \"10.0.0.1:9185\"}"),
     .inventory = VMI(ZONE_A, ON_N1) LG_EX_WORKER("n1", "zone: a", "")},
    {.name = "with a priority KubeVirt itself refuses",
     .expect = LG_EXPECT_NOTHING,
     .object = MIGRATION("vmiName: web, priority: system-critical"),
     .inventory = VMI(ZONE_A, ON_N1) LG_EX_WORKER("n1", "zone: a", "")},
    {.name = "without a vmiName KubeVirt itself refuses",
     .expect = LG_EXPECT_NOTHING,
     .object = MIGRATION(""),
     .inventory = VMI(ZONE_A, ON_N1) LG_EX_WORKER("n1", "zone: a", "")},
    {.name = "nodes are not known",
     .expect = LG_EXPECT_PENDING,
     .object = MIGRATION("vmiName: web"),
     .inventory = VMI("", ON_N1)},
    {.name = "guests are not known",
     .expect = LG_EXPECT_PENDING,
     .object = MIGRATION("vmiName: web"),
     .inventory = LG_EX_WORKER("n1", "zone: a", "")},
    {.name = "it runs nowhere yet",
     .expect = LG_EXPECT_NOTHING,
     .object = MIGRATION("vmiName: web"),
     .inventory = VMI("", "") LG_EX_WORKER("n1", "zone: a", "")},
    {0},
};

const struct lg_rule lg_rule_no_target_node = {
    .id = "LG604",
    .name = "no-target-node",
    .title = "no other node can take the guest",
    .rationale = "KubeVirt accepts the migration and creates a target pod that cannot be "
                 "scheduled; after five minutes the migration fails. The message that the "
                 "scheduler leaves on that pod counts nodes without naming them.",
    .remedy = "Let a second node fit, by the virtual machine's placement or by the nodes' labels "
              "and taints; choose an addedNodeSelector that some node bears.",
    .source = "KubeVirt pkg/virt-controller/watch/migration, createTargetPod; "
              "pkg/virt-controller/services, node selector rendering",
    .action = LG_ACTION_DENY,
    .kinds = LG_BIT(LG_KIND_MIGRATION),
    .ops = LG_BIT(LG_OP_CREATE),
    .looks_up =
        LG_BIT(LG_KIND_VMI) | LG_BIT(LG_KIND_NODE) | LG_BIT(LG_KIND_KUBEVIRT) | LG_AUTOSCALERS,
    .check = check,
    .examples = examples,
};
