/* LG601: a migration of a guest that is not there, or that has ended.
 *
 * KubeVirt's own webhook refuses these as well, but not before the limiter would have given it a
 * place. A guest that waits for its state from elsewhere (WaitingForSync) can only be the receiving
 * end of a decentralised migration. Without a vmiName KubeVirt says what is wrong.
 */
#include "rules/builtin/examples.h"
#include "rules/rule.h"

static void say(struct lg_rule_context *context, struct lg_val at, struct lg_str message,
                struct lg_str fix)
{
    const struct lg_report report = {.at = at,
                                     .message = message,
                                     .fix = fix,
                                     .rests_on = lg_json_str(at),
                                     .rests_on_kind = LG_KIND_VMI};
    lg_rule_report(context, &report);
}

static void check(struct lg_rule_context *context)
{
    struct lg_moving moving;
    if (!lg_rule_moving(context, &moving))
        return;
    if (moving.found == LG_UNKNOWN) {
        lg_rule_lacks(context, moving.at, LG_KIND_VMI, moving.name);
        return;
    }
    if (moving.found == LG_ABSENT) {
        say(context, moving.at,
            lg_arena_printf(context->arena, "there is no VMI \"%.*s\" in namespace %.*s",
                            LG_ARG(moving.name), LG_ARG(context->subject->ns)),
            LG_STR("name a running VMI of this namespace (oc get vmi); start the virtual machine "
                   "if it is stopped"));
        return;
    }
    if (moving.ended)
        say(context, moving.at,
            lg_arena_printf(context->arena, "VMI \"%.*s\" has ended (%.*s)", LG_ARG(moving.name),
                            LG_ARG(moving.vmi->phase)),
            LG_STR("start the virtual machine; there is nothing to migrate"));
    else if (lg_str_is(moving.vmi->phase, "WaitingForSync") && !moving.decentralised)
        say(context, moving.at,
            lg_arena_printf(context->arena,
                            "VMI \"%.*s\" waits for its state from elsewhere (WaitingForSync)",
                            LG_ARG(moving.name)),
            LG_STR("only a migration with sendTo or receive can bring it"));
}

#define VMI(phase) LG_EX_VMI(LG_EX_ORDERS, "spec: {domain: {}}\nstatus: {phase: " phase "}\n")

static const struct lg_rule_example examples[] = {
    {
        .name = "a running guest",
        .expect = LG_EXPECT_NOTHING,
        .object = LG_EX_MOVE_ORDERS("vmiName: orders-db"),
        .inventory = VMI("Running"),
    },
    {
        .name = "no such guest",
        .expect = LG_EXPECT_DENY,
        .object = LG_EX_MOVE_ORDERS("vmiName: order-db"),
        .inventory = VMI("Running"),
        .message = "there is no VMI \"order-db\" in namespace web-servers",
    },
    {
        .name = "a guest that has ended",
        .expect = LG_EXPECT_DENY,
        .object = LG_EX_MOVE_ORDERS("vmiName: orders-db"),
        .inventory = VMI("Succeeded"),
        .message = "VMI \"orders-db\" has ended (Succeeded)",
    },
    {
        .name = "guests are not known",
        .expect = LG_EXPECT_PENDING,
        .object = LG_EX_MOVE_ORDERS("vmiName: orders-db"),
        .message = "\"orders-db\"",
    },
    {
        .name = "a waiting receiver and a plain migration",
        .expect = LG_EXPECT_DENY,
        .object = LG_EX_MOVE_ORDERS("vmiName: orders-db"),
        .inventory = VMI("WaitingForSync"),
    },
    {
        .name = "a waiting receiver receives",
        .expect = LG_EXPECT_NOTHING,
        .object = LG_EX_MOVE_ORDERS("vmiName: orders-db, receive: {migrationID: m1}"),
        .inventory = VMI("WaitingForSync"),
    },
    {
        .name = "without the feature gate KubeVirt itself refuses",
        .expect = LG_EXPECT_NOTHING,
        .object = LG_EX_MOVE_ORDERS("vmiName: order-db, receive: {migrationID: m1}"),
        .inventory =
            VMI("Running") "---\n" LG_EX_KUBEVIRT("status: {observedKubeVirtVersion: v1.8.4}\n"),
    },
    {
        .name = "with the feature gate it is asked who receives",
        .expect = LG_EXPECT_DENY,
        .object = LG_EX_MOVE_ORDERS("vmiName: order-db, receive: {migrationID: m1}"),
        .inventory =
            VMI("Running") "---\n" LG_EX_KUBEVIRT("status: {observedKubeVirtVersion: v1.9.0}\n"),
    },
    {
        .name = "with a priority KubeVirt itself refuses",
        .expect = LG_EXPECT_NOTHING,
        .object = LG_EX_MOVE_ORDERS("vmiName: order-db, priority: system-critical"),
        .inventory = VMI("Running"),
    },
    {
        .name = "without a vmiName KubeVirt itself refuses",
        .expect = LG_EXPECT_NOTHING,
        .object = LG_EX_MOVE_ORDERS(""),
        .known = LG_BIT(LG_KIND_VMI),
    },
    {0},
};

const struct lg_rule lg_rule_no_such_vmi = {
    .id = "LG601",
    .name = "no-such-vmi",
    .title = "the guest to migrate does not exist or has ended",
    .rationale = "A migration moves a running guest. Without one there is nothing to move, and the "
                 "migration would "
                 "fail or stay behind.",
    .remedy = "Check spec.vmiName and the namespace; start the virtual machine first.",
    .source =
        "kubevirt pkg/virt-api/webhooks/validating-webhook/admitters/migration-create-admitter.go",
    .action = LG_ACTION_DENY,
    .kinds = LG_BIT(LG_KIND_MIGRATION),
    .ops = LG_BIT(LG_OP_CREATE),
    .looks_up = LG_BIT(LG_KIND_VMI) | LG_BIT(LG_KIND_KUBEVIRT),
    .check = check,
    .examples = examples,
};
