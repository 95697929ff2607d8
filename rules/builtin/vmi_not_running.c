/* LG605: the guest to migrate does not run yet.
 *
 * KubeVirt accepts the migration; it waits until the guest runs. A guest that is not there, has
 * ended or waits for its state is LG601's. Source: KubeVirt pkg/virt-controller/watch/migration (a
 * target pod is made for a running VMI only).
 */
#include "rules/builtin/examples.h"
#include "rules/rule.h"

static void check(struct lg_rule_context *context)
{
    struct lg_moving moving;
    if (!lg_rule_moving(context, &moving) || moving.decentralised)
        return;
    if (!lg_rule_guest_found(context, &moving))
        return;
    struct lg_str phase = moving.vmi->phase;
    if (lg_str_is(phase, "Running") || lg_str_is(phase, "WaitingForSync"))
        return;
    const struct lg_report report = {
        .at = moving.at,
        .message = lg_arena_printf(context->arena,
                                   "VMI \"%.*s\" is not running yet (%.*s); the migration waits "
                                   "until it does",
                                   LG_ARG(moving.name),
                                   LG_ARG(lg_str_empty(phase) ? LG_STR("no phase") : phase)),
        .fix = LG_STR("create the migration when the guest runs"),
    };
    lg_rule_report(context, &report);
}

#define VMI(status) LG_EX_VMI(LG_EX_ORDERS, "spec: {domain: {}}\n" status)

static const struct lg_rule_example examples[] = {
    {.name = "a running guest",
     .expect = LG_EXPECT_NOTHING,
     .object = LG_EX_MOVE_ORDERS("vmiName: orders-db"),
     .inventory = VMI("status: {phase: Running}\n")},
    {.name = "a guest that is being placed",
     .expect = LG_EXPECT_WARN,
     .object = LG_EX_MOVE_ORDERS("vmiName: orders-db"),
     .inventory = VMI("status: {phase: Scheduling}\n"),
     .message = "VMI \"orders-db\" is not running yet (Scheduling)"},
    {.name = "a guest without a status",
     .expect = LG_EXPECT_WARN,
     .object = LG_EX_MOVE_ORDERS("vmiName: orders-db"),
     .inventory = VMI(""),
     .message = "(no phase)"},
    {.name = "a guest that has ended is LG601's",
     .expect = LG_EXPECT_NOTHING,
     .object = LG_EX_MOVE_ORDERS("vmiName: orders-db"),
     .inventory = VMI("status: {phase: Failed}\n")},
    {.name = "the state comes from elsewhere",
     .expect = LG_EXPECT_NOTHING,
     .object = LG_EX_MOVE_ORDERS("vmiName: orders-db, receive: {migrationID: m1}"),
     .inventory = VMI("status: {phase: Scheduling}\n")},
    {.name = "guests are not known",
     .expect = LG_EXPECT_PENDING,
     .object = LG_EX_MOVE_ORDERS("vmiName: orders-db")},
    {.name = "without a vmiName KubeVirt itself refuses",
     .expect = LG_EXPECT_NOTHING,
     .object = LG_EX_MOVE_ORDERS(""),
     .known = LG_BIT(LG_KIND_VMI)},
    {0},
};

const struct lg_rule lg_rule_vmi_not_running = {
    .id = "LG605",
    .name = "vmi-not-running",
    .title = "the guest to migrate does not run yet",
    .rationale = "Only a running guest moves. KubeVirt accepts the migration of one that is still "
                 "being started and leaves it Pending with no word why.",
    .remedy = "Wait until the VMI's phase is Running.",
    .source = "KubeVirt pkg/virt-controller/watch/migration, handleTargetPodCreation",
    .action = LG_ACTION_WARN,
    .kinds = LG_BIT(LG_KIND_MIGRATION),
    .ops = LG_BIT(LG_OP_CREATE),
    .looks_up = LG_BIT(LG_KIND_VMI) | LG_BIT(LG_KIND_KUBEVIRT),
    .check = check,
    .examples = examples,
};
