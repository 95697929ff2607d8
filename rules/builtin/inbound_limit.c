/* LG612: no more migrations at once to one node than policy allows (limiter.inboundPerNode;
 * KubeVirt knows no such limit).
 *
 * Every node where the guest could go is at that limit. KubeVirt's scheduler chooses the target, so
 * those whose target is not known yet count against all of them. Does not apply to migrations to or
 * from elsewhere.
 */
#include "rules/builtin/examples.h"
#include "rules/rule.h"

static struct lg_str full_text(const struct lg_rule_context *context)
{
    const struct lg_turnout *turnout = context->turnout;
    const struct lg_limit_state *state = &turnout->of[LG_LIMIT_INBOUND];
    struct lg_str guest = lg_json_str_at(context->subject->object, "spec.vmiName");
    struct lg_str rest = lg_arena_printf(
        context->arena, "%lld each, counting %lld whose target is not chosen yet%.*s",
        (long long)state->limit, (long long)state->used,
        LG_ARG(
            lg_limits_state_text(turnout, LG_LIMIT_INBOUND, context->subject->ns, context->arena)));
    if (turnout->target_kept)
        return lg_arena_printf(
            context->arena,
            "what is free on nodes that VMI \"%.*s\" could go to is kept for who "
            "came before; policy allows %.*s",
            LG_ARG(guest), LG_ARG(rest));
    return lg_arena_printf(context->arena,
                           "every node that VMI \"%.*s\" could go to receives as many guests as "
                           "policy allows, %.*s",
                           LG_ARG(guest), LG_ARG(rest));
}

static void check(struct lg_rule_context *context)
{
    const struct lg_turnout *turnout = context->turnout;
    if (turnout == NULL)
        return;
    struct lg_report report = {.at = lg_json_at(context->subject->object, "spec.vmiName")};
    if (lg_limits_is_unreached(turnout, LG_LIMIT_INBOUND)) {
        report.message = lg_limits_unreached_text(turnout, context->arena);
        report.fix = lg_limits_unreached_fix_text(turnout);
        report.at_most = turnout->admitted ? LG_ACTION_WARN : LG_ACTION_OFF;
    } else if (turnout->of[LG_LIMIT_INBOUND].full) {
        report.message = full_text(context);
        report.fix = lg_limits_fix_text(turnout);
    } else {
        return;
    }
    lg_rule_report(context, &report);
}

#define NODE(name)                                                                                 \
    "---\n" LG_EX_NODE(name, ", kubernetes.io/arch: amd64",                                        \
                       "status: {conditions: [{type: Ready, status: \"True\"}]}\n")
#define GUEST(name, node, more) LG_EX_GUEST(name, "web-servers", ", nodeName: " node more)
#define TO(node)                ", migrationState: {sourceNode: worker-3, targetNode: " node "}"
#define NODES                   NODE("worker-1") NODE("worker-2") NODE("worker-3")

#define OTHER(to) GUEST("a", "worker-3", to) LG_EX_MOVING("a", "web-servers", "Running")
#define ANOTHER   GUEST("b", "worker-2", TO("worker-3")) LG_EX_MOVING("b", "web-servers", "Running")

#define CLUSTER(to)     NODES GUEST("orders-db", "worker-1", "") OTHER(to) ANOTHER
#define POLICY(limiter) LG_EX_POLICY("limiter: {" limiter "}\n")

static const struct lg_rule_example examples[] = {
    {.name = "policy sets no limit",
     .expect = LG_EXPECT_NOTHING,
     .object = LG_EX_MOVE_ORDERS("vmiName: orders-db"),
     .inventory = CLUSTER(TO("worker-2"))},
    {.name = "every other node receives one already",
     .expect = LG_EXPECT_DENY,
     .object = LG_EX_MOVE_ORDERS("vmiName: orders-db"),
     .inventory = CLUSTER(TO("worker-2")),
     .policy = POLICY("inboundPerNode: 1"),
     .message = "every node that VMI \"orders-db\" could go to receives as many guests as policy "
                "allows, 1 each"},
    {.name = "a node has room",
     .expect = LG_EXPECT_NOTHING,
     .object = LG_EX_MOVE_ORDERS("vmiName: orders-db"),
     .inventory = CLUSTER(TO("worker-2")),
     .policy = POLICY("inboundPerNode: 2")},
    {.name = "the last room may be for one whose target is not chosen yet",
     .expect = LG_EXPECT_DENY,
     .object = LG_EX_MOVE_ORDERS("vmiName: orders-db"),
     .inventory = CLUSTER(""),
     .policy = POLICY("inboundPerNode: 1"),
     .message = "(Running); place 1, about 60 s"},
    {.name = "the guest comes from elsewhere",
     .expect = LG_EXPECT_NOTHING,
     .object = LG_EX_MOVE_ORDERS("vmiName: orders-db, receive: {migrationID: m1}"),
     .inventory = CLUSTER(TO("worker-2")),
     .policy = POLICY("inboundPerNode: 1")},
    {.name = "without a vmiName KubeVirt itself refuses",
     .expect = LG_EXPECT_NOTHING,
     .object = LG_EX_MOVE_ORDERS(""),
     .inventory = CLUSTER(TO("worker-2")),
     .policy = POLICY("inboundPerNode: 1")},
    {0},
};

const struct lg_rule lg_rule_inbound_limit = {
    .id = "LG612",
    .name = "inbound-limit",
    .title = "every node the guest could go to receives as many as policy allows",
    .rationale =
        "Many guests that arrive on one node at once share its network and slow each "
        "other down. KubeVirt has no limit for it; policy's limiter.inboundPerNode is one.",
    .remedy = "Nothing: kubectl and oc wait and try again by themselves. `livegate status` shows "
              "how many arrive where.",
    .source = "policy, limiter.inboundPerNode",
    .action = LG_ACTION_DENY,
    .waits = true,
    .kinds = LG_BIT(LG_KIND_MIGRATION),
    .ops = LG_BIT(LG_OP_CREATE),
    .looks_up = LG_BIT(LG_KIND_MIGRATION) | LG_BIT(LG_KIND_VMI) | LG_BIT(LG_KIND_NODE),
    .check = check,
    .examples = examples,
};
