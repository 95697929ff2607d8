/* LG611: no more migrations at once from one node than KubeVirt starts.
 *
 * As LG610 for parallelOutboundMigrationsPerNode. A caller whose node is full does not hold back
 * those of other nodes.
 */
#include "rules/builtin/examples.h"
#include "rules/rule.h"

static void check(struct lg_rule_context *context)
{
    const struct lg_turnout *turnout = context->turnout;
    if (turnout == NULL)
        return;
    const struct lg_limit_state *state = &turnout->of[LG_LIMIT_OUTBOUND];
    struct lg_str source = lg_limits_source_text(&context->settings->migrations,
                                                 LG_MIGRATION_PARALLEL_OUTBOUND, context->arena);
    struct lg_report report = {.at = lg_json_at(context->subject->object, "spec.vmiName")};
    if (state->limit == 0) {
        report.message = lg_arena_printf(
            context->arena, "migrations are frozen: 0 at once from a node (%.*s)", LG_ARG(source));
        report.fix = LG_STR("ask who froze them; a limit above 0 lets migrations start again");
    } else if (lg_limits_is_unreached(turnout, LG_LIMIT_OUTBOUND)) {
        report.message = lg_limits_unreached_text(turnout, context->arena);
        report.fix = lg_limits_unreached_fix_text(turnout);
        report.at_most = turnout->admitted ? LG_ACTION_WARN : LG_ACTION_OFF;
    } else if (state->full) {
        struct lg_str use =
            lg_limits_state_text(turnout, LG_LIMIT_OUTBOUND, context->subject->ns, context->arena);
        report.message = lg_arena_printf(context->arena, "migrations from node %.*s: %.*s (%.*s)",
                                         LG_ARG(turnout->node), LG_ARG(use), LG_ARG(source));
        report.fix = lg_limits_fix_text(turnout);
    } else {
        return;
    }
    lg_rule_report(context, &report);
}

#define LIMIT(n)                                                                                   \
    "---\n" LG_EX_CONFIGURATION("migrations: {parallelOutboundMigrationsPerNode: " n "}")
#define BUSY(node, n)                                                                              \
    LG_EX_GUEST("shop", "web-servers", ", nodeName: worker-1")                                     \
    LG_EX_MOVING("shop", "web-servers", "Running")                                                 \
    LG_EX_GUEST("ledger", "billing", ", nodeName: worker-1")                                       \
    LG_EX_MOVING("ledger", "billing", "Running")                                                   \
    LG_EX_GUEST("orders-db", "web-servers", node) LIMIT(n)

static const struct lg_rule_example examples[] = {
    {.name = "another node is busy",
     .expect = LG_EXPECT_NOTHING,
     .object = LG_EX_MOVE_ORDERS("vmiName: orders-db"),
     .inventory = BUSY(", nodeName: worker-2", "2")},
    {.name = "the guest's node is busy; other namespaces' guests are only counted",
     .expect = LG_EXPECT_DENY,
     .object = LG_EX_MOVE_ORDERS("vmiName: orders-db"),
     .inventory = BUSY(", nodeName: worker-1", "2"),
     .message = "migrations from node worker-1: 2 of 2 in use: web-servers/shop (Running), 1 in "
                "other namespaces; place 1"},
    {.name = "policy shows who holds the places",
     .expect = LG_EXPECT_DENY,
     .object = LG_EX_MOVE_ORDERS("vmiName: orders-db"),
     .inventory = BUSY(", nodeName: worker-1", "2"),
     .policy = LG_EX_POLICY("limiter: {showHolders: true}\n"),
     .message = "web-servers/shop (Running), billing/ledger (Running); place 1"},
    {.name = "a larger limit has room",
     .expect = LG_EXPECT_NOTHING,
     .object = LG_EX_MOVE_ORDERS("vmiName: orders-db"),
     .inventory = BUSY(", nodeName: worker-1", "3")},
    {.name = "a guest whose node is not known waits for the cluster's limit only",
     .expect = LG_EXPECT_NOTHING,
     .object = LG_EX_MOVE_ORDERS("vmiName: orders-db"),
     .inventory = BUSY("", "1")},
    {.name = "a limit of 0 freezes everything",
     .expect = LG_EXPECT_DENY,
     .object = LG_EX_MOVE_ORDERS("vmiName: orders-db"),
     .inventory = BUSY(", nodeName: worker-2", "0"),
     .message = "migrations are frozen"},
    {.name = "a limit of the wrong type is as good as none said: 2",
     .expect = LG_EXPECT_DENY,
     .object = LG_EX_MOVE_ORDERS("vmiName: orders-db"),
     .inventory = BUSY(", nodeName: worker-1", "[9]"),
     .message = "KubeVirt's default, since what KubeVirt kubevirt/kubevirt says cannot be read"},
    {.name = "without a vmiName KubeVirt itself refuses",
     .expect = LG_EXPECT_NOTHING,
     .object = LG_EX_MOVE_ORDERS(""),
     .inventory = BUSY(", nodeName: worker-1", "2")},
    {0},
};

const struct lg_rule lg_rule_outbound_limit = {
    .id = "LG611",
    .name = "outbound-limit",
    .title = "as many migrations as KubeVirt starts from one node leave the guest's node",
    .rationale = "KubeVirt runs parallelOutboundMigrationsPerNode migrations from a node at once. "
                 "One more is accepted and then hangs as Pending, with no word why and no end. "
                 "Here its caller waits for its turn; callers of other nodes pass by.",
    .remedy = "Nothing: kubectl and oc wait and try again by themselves. `livegate status` shows "
              "who holds the places and who waits.",
    .source = "KubeVirt pkg/virt-controller/watch/migration, outboundMigrationsOnNode",
    .action = LG_ACTION_DENY,
    .waits = true,
    .kinds = LG_BIT(LG_KIND_MIGRATION),
    .ops = LG_BIT(LG_OP_CREATE),
    .looks_up = LG_BIT(LG_KIND_MIGRATION) | LG_BIT(LG_KIND_VMI),
    .check = check,
    .examples = examples,
};
