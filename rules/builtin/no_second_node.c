/* LG402: exactly one node can take the guest, so it can start and never migrate.
 *
 * Judged as LG401 is. Nodes that are away count as a second place that comes back: then the rule
 * only warns. On a cluster that has no second node for guests anyway (HyperConverged says
 * infrastructureHighlyAvailable: false, or fewer than two nodes carry kubevirt.io/schedulable) it
 * is recorded only. Source: as LG401; the target pod's required anti-affinity to the source pod by
 * kubernetes.io/hostname, KubeVirt pkg/virt-controller/watch/migration.
 */
#include "rules/builtin/examples.h"
#include "rules/rule.h"

enum { NAMES_MAX = 5 };

/* Guests have one place here at most, whatever a VM says. */
static bool small_cluster(const struct lg_rule_context *context)
{
    if (!context->settings->highly_available)
        return true;
    const struct lg_node_table *nodes = lg_inventory_nodes(context->inventory);
    const lg_word *carry = lg_nodes_with_key(nodes, LG_STR("kubevirt.io/schedulable"));
    size_t n = 0;
    for (size_t i = 0; carry != NULL && i < lg_nodes_words(nodes); i++)
        n += (size_t)__builtin_popcountll(carry[i]);
    return n < 2;
}

/* True when the rule cannot tell, and said so: an instancetype or a preference may leave fewer
 * nodes than the VM does. */
static bool undecided(struct lg_rule_context *context, struct lg_place_count count)
{
    return count.eligible + count.away + count.by_kubevirt >= 2 &&
           lg_rule_lacks_parts(context, LG_ANY_PART);
}

static struct lg_str names(struct lg_rule_context *context, enum lg_place place)
{
    return lg_placement_names(lg_rule_requirements(context), lg_inventory_nodes(context->inventory),
                              place, NAMES_MAX, context->arena);
}

static struct lg_str message_of(struct lg_rule_context *context, struct lg_place_count count,
                                const struct lg_place_summary *summary)
{
    struct lg_str others = lg_str_empty(summary->excluded) ? LG_STR("the cluster has no other node")
                                                           : summary->excluded;
    if (count.eligible == 0)
        return lg_arena_printf(context->arena,
                               "only %.*s would fit, which is away (%.*s), so the guest could "
                               "start there and never migrate: %.*s",
                               LG_ARG(names(context, LG_PLACE_AWAY)), LG_ARG(summary->away),
                               LG_ARG(others));
    struct lg_str only = names(context, LG_PLACE_ELIGIBLE);
    if (count.away == 0)
        return lg_arena_printf(context->arena,
                               "only %.*s fits, so the guest can start and never migrate: %.*s",
                               LG_ARG(only), LG_ARG(others));
    return lg_arena_printf(context->arena, "only %.*s fits now; %zu more would, but %s away: %.*s",
                           LG_ARG(only), count.away, count.away == 1 ? "is" : "are",
                           LG_ARG(summary->away));
}

static void check(struct lg_rule_context *context)
{
    if (lg_rule_lacks_nodes(context, context->subject->vm.spec))
        return;
    struct lg_place_count count = lg_rule_placement(context);
    size_t ever = count.eligible + count.away;
    if (undecided(context, count) || count.eligible > 1 || ever == 0 ||
        (count.eligible == 0 && ever > 1))
        return;
    struct lg_place_summary summary;
    lg_placement_summary(lg_rule_requirements(context), lg_inventory_nodes(context->inventory),
                         context->arena, &summary);
    struct lg_str back = names(context, LG_PLACE_AWAY);
    bool grows = lg_rule_new_node_could(context);
    struct lg_report report = {
        .at = lg_json_there(summary.at) ? summary.at : context->subject->vm.spec,
        .at_most = small_cluster(context) ? LG_ACTION_AUDIT
                   : ever > 1 || grows    ? LG_ACTION_WARN
                                          : LG_ACTION_OFF,
        .message =
            lg_arena_printf(context->arena, "%.*s%s", LG_ARG(message_of(context, count, &summary)),
                            grows ? "; a new node could be the second" : ""),
        .fix = ever > 1 ? lg_arena_printf(context->arena,
                                          "bring %.*s back before the guest has to "
                                          "move",
                                          LG_ARG(back))
                        : LG_STR("change nodeSelector, required node affinity or tolerations so "
                                 "that a second node fits, or label and untaint one for this "
                                 "guest"),
    };
    lg_rule_report(context, &report);
}

#define VM(head, placement) LG_EX_VM_OF(LG_EX_WEB, head, placement "domain: {devices: {}}")

#define ONE_NODE "---\n" LG_EX_HYPERCONVERGED("") "status: {infrastructureHighlyAvailable: false}\n"

#define NODE_POOL "---\napiVersion: karpenter.sh/v1\nkind: NodePool\nmetadata: {name: workers}\n"
#define ZONE_A    "nodeSelector: {zone: a}, "

static const struct lg_rule_example examples[] = {
    {.name = "two nodes fit",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("", ZONE_A),
     .inventory = LG_EX_WORKER("n1", "zone: a", "") LG_EX_WORKER("n2", "zone: a", "")
         LG_EX_WORKER("n3", "zone: b", "")},
    {.name = "one node fits",
     .expect = LG_EXPECT_DENY,
     .object = VM("", ZONE_A),
     .inventory = LG_EX_WORKER("n1", "zone: a", "") LG_EX_WORKER("n2", "zone: b", "")
         LG_EX_WORKER("n3", "zone: b", ""),
     .message = "only n1 fits, so the guest can start and never migrate: 2 lack label zone=a"},
    {.name = "no placement at all",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("", ""),
     .inventory = LG_EX_WORKER("n1", "zone: a", "") LG_EX_WORKER("n2", "zone: b", "")},
    {.name = "pinned to a host",
     .expect = LG_EXPECT_DENY,
     .object = VM("", "nodeSelector: {kubernetes.io/hostname: n1}, "),
     .inventory = LG_EX_WORKER("n1", "kubernetes.io/hostname: n1", "")
         LG_EX_WORKER("n2", "kubernetes.io/hostname: n2", "")},
    {.name = "no node fits: that is LG401's",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("", "nodeSelector: {zone: c}, "),
     .inventory = LG_EX_WORKER("n1", "zone: a", "") LG_EX_WORKER("n2", "zone: b", "")},
    {.name = "the second node is cordoned",
     .expect = LG_EXPECT_WARN,
     .object = VM("", ZONE_A),
     .inventory =
         LG_EX_WORKER("n1", "zone: a", "") LG_EX_WORKER("n2", "zone: a", "unschedulable: true"),
     .message = "only n1 fits now; 1 more would, but is away: 1 is cordoned (n2)"},
    {.name = "the only node is away",
     .expect = LG_EXPECT_DENY,
     .object = VM("", ZONE_A),
     .inventory =
         LG_EX_WORKER("n1", "zone: a", "unschedulable: true") LG_EX_WORKER("n2", "zone: b", ""),
     .message = "only n1 would fit, which is away (1 is cordoned (n1))"},
    {.name = "a cluster of one node for guests",
     .expect = LG_EXPECT_AUDIT,
     .object = VM("", ""),
     .inventory = LG_EX_WORKER("n1", "zone: a", "")},
    {.name = "HyperConverged says that the cluster is not highly available",
     .expect = LG_EXPECT_AUDIT,
     .object = VM("", ZONE_A),
     .inventory = LG_EX_WORKER("n1", "zone: a", "") LG_EX_WORKER("n2", "zone: b", "") ONE_NODE},
    {.name = "the cluster grows by itself",
     .expect = LG_EXPECT_WARN,
     .object = VM("", ZONE_A),
     .inventory = LG_EX_WORKER("n1", "zone: a", "") LG_EX_WORKER("n2", "zone: b", "") NODE_POOL,
     .message = "; a new node could be the second"},
    {.name = "nodes are not known", .expect = LG_EXPECT_PENDING, .object = VM("", ZONE_A)},
    {.name = "an instancetype may bring a nodeSelector",
     .expect = LG_EXPECT_PENDING,
     .object = VM("  instancetype: {name: u1.medium}\n", ""),
     .inventory = LG_EX_WORKER("n1", "zone: a", "") LG_EX_WORKER("n2", "zone: a", ""),
     .message = "instancetype \"u1.medium\""},
    {0},
};

const struct lg_rule lg_rule_no_second_node = {
    .id = "LG402",
    .name = "no-second-node",
    .title = "exactly one node can take the guest",
    .rationale = "A migration goes to another node, always. With one node that fits the guest "
                 "starts and runs, KubeVirt calls it migratable, and every migration waits for "
                 "a target pod that cannot be scheduled and fails after five minutes.",
    .remedy = "Let a second node fit: select by a label that several nodes bear instead of a host "
              "name, tolerate the taint of another node, or label one.",
    .source = "KubeVirt pkg/virt-controller/watch/migration, createTargetPod; Kubernetes "
              "component-helpers, scheduling/corev1 nodeaffinity and taints",
    .action = LG_ACTION_DENY,
    .better_than = "LG401",
    .kinds = LG_BIT(LG_KIND_VM) | LG_BIT(LG_KIND_VMI),
    .ops = LG_BIT(LG_OP_CREATE) | LG_BIT(LG_OP_UPDATE),
    .looks_up = LG_INSTANCETYPES | LG_PREFERENCES | LG_BIT(LG_KIND_NODE) |
                LG_BIT(LG_KIND_KUBEVIRT) | LG_BIT(LG_KIND_HYPERCONVERGED) | LG_AUTOSCALERS,
    .strands = true,
    .check = check,
    .examples = examples,
};
