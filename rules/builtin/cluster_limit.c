/* LG610: no more migrations at once than the cluster allows.
 *
 * KubeVirt accepts a migration over parallelMigrationsPerCluster and leaves it Pending without
 * condition, event or message. Here its caller waits for a place instead, and is told which place:
 * the decision is virt/limits.c's, this is its word.
 */
#include "rules/builtin/examples.h"
#include "rules/rule.h"

static void check(struct lg_rule_context *context)
{
    const struct lg_turnout *turnout = context->turnout;
    if (turnout == NULL)
        return;
    const struct lg_limit_state *state = &turnout->of[LG_LIMIT_CLUSTER];
    struct lg_str source = lg_limits_source_text(&context->settings->migrations,
                                                 LG_MIGRATION_PARALLEL_CLUSTER, context->arena);
    struct lg_report report = {.at = lg_json_at(context->subject->object, "spec.vmiName")};
    if (state->limit == 0) {
        report.message = lg_arena_printf(
            context->arena, "migrations are frozen: the cluster allows 0 at once (%.*s)",
            LG_ARG(source));
        report.fix = LG_STR("ask who froze them; a limit above 0 lets migrations start again");
    } else if (lg_limits_is_unreached(turnout, LG_LIMIT_CLUSTER)) {
        report.message = lg_limits_unreached_text(turnout, context->arena);
        report.fix = lg_limits_unreached_fix_text(turnout);
        report.at_most = turnout->admitted ? LG_ACTION_WARN : LG_ACTION_OFF;
    } else if (state->full) {
        struct lg_str use =
            lg_limits_state_text(turnout, LG_LIMIT_CLUSTER, context->subject->ns, context->arena);
        report.message = lg_arena_printf(context->arena, "migrations in the cluster: %.*s (%.*s)",
                                         LG_ARG(use), LG_ARG(source));
        report.fix = lg_limits_fix_text(turnout);
    } else {
        return;
    }
    lg_rule_report(context, &report);
}

#define LIMIT(n) "---\n" LG_EX_CONFIGURATION("migrations: {parallelMigrationsPerCluster: " n "}")
#define CLUSTER(n, phase)                                                                          \
    LG_EX_GUEST("orders-db", "web-servers", ", nodeName: worker-1")                                \
    LG_EX_GUEST("shop", "web-servers", ", nodeName: worker-2")                                     \
    LG_EX_MOVING("shop", "web-servers", phase) LIMIT(n)

static const struct lg_rule_example examples[] = {
    {.name = "a place is free",
     .expect = LG_EXPECT_NOTHING,
     .object = LG_EX_MOVE_ORDERS("vmiName: orders-db"),
     .inventory = CLUSTER("2", "Running")},
    {.name = "all places are in use",
     .expect = LG_EXPECT_DENY,
     .object = LG_EX_MOVE_ORDERS("vmiName: orders-db"),
     .inventory = CLUSTER("1", "Running"),
     .message = "migrations in the cluster: 1 of 1 in use: web-servers/shop (Running); place 1, "
                "about 60 s (parallelMigrationsPerCluster, KubeVirt kubevirt/kubevirt)"},
    {.name = "one that KubeVirt could start at any moment is in use, too",
     .expect = LG_EXPECT_DENY,
     .object = LG_EX_MOVE_ORDERS("vmiName: orders-db"),
     .inventory = CLUSTER("1", "Pending"),
     .message = "web-servers/shop (Pending)"},
    {.name = "what has ended is not in use",
     .expect = LG_EXPECT_NOTHING,
     .object = LG_EX_MOVE_ORDERS("vmiName: orders-db"),
     .inventory = CLUSTER("1", "Failed")},
    {.name = "a limit of 0 freezes everything",
     .expect = LG_EXPECT_DENY,
     .object = LG_EX_MOVE_ORDERS("vmiName: orders-db"),
     .inventory = CLUSTER("0", "Failed"),
     .message = "migrations are frozen: the cluster allows 0 at once"},
    {.name = "a limit of the wrong type is as good as none said",
     .expect = LG_EXPECT_NOTHING,
     .object = LG_EX_MOVE_ORDERS("vmiName: orders-db"),
     .inventory = CLUSTER("'1'", "Running")},
    {.name = "policy lets the limiter observe",
     .expect = LG_EXPECT_WARN,
     .object = LG_EX_MOVE_ORDERS("vmiName: orders-db"),
     .inventory = CLUSTER("1", "Running"),
     .policy = LG_EX_POLICY("limiter: {mode: observe}\n")},
    {.name = "policy switches the limiter off",
     .expect = LG_EXPECT_NOTHING,
     .object = LG_EX_MOVE_ORDERS("vmiName: orders-db"),
     .inventory = CLUSTER("1", "Running"),
     .policy = LG_EX_POLICY("limiter: {mode: off}\n")},
    {.name = "without a vmiName KubeVirt itself refuses",
     .expect = LG_EXPECT_NOTHING,
     .object = LG_EX_MOVE_ORDERS(""),
     .inventory = CLUSTER("1", "Running")},
    {0},
};

const struct lg_rule lg_rule_cluster_limit = {
    .id = "LG610",
    .name = "cluster-limit",
    .title = "as many migrations as the cluster allows are under way",
    .rationale =
        "KubeVirt runs parallelMigrationsPerCluster migrations at once. One more is accepted and "
        "then hangs as Pending, with no word why and no end. Here its caller waits for its turn.",
    .remedy = "Nothing: kubectl and oc wait and try again by themselves. `livegate status` shows "
              "who holds the places and who waits.",
    .source = "KubeVirt pkg/virt-controller/watch/migration, handleTargetPodCreation",
    .action = LG_ACTION_DENY,
    .waits = true,
    .kinds = LG_BIT(LG_KIND_MIGRATION),
    .ops = LG_BIT(LG_OP_CREATE),
    .looks_up = LG_BIT(LG_KIND_MIGRATION) | LG_BIT(LG_KIND_VMI),
    .check = check,
    .examples = examples,
};
