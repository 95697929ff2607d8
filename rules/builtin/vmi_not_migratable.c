/* LG602: KubeVirt has found that the guest cannot be migrated, or our own rules would.
 *
 * Its LiveMigratable condition is the last word: False refuses (but for disks, with sendTo or
 * receive), True is silence. Before the condition is there, KubeVirt lets every migration through
 * and it fails later; then what the other rules find in the guest is said as a warning. Claims that
 * are being moved are left out by those rules.
 */
#include "rules/builtin/examples.h"
#include "rules/rule.h"

static const char disks[] = "DisksNotLiveMigratable";

static void say_condition(struct lg_rule_context *context, struct lg_val at,
                          const struct lg_vmi_record *vmi)
{
    struct lg_arena *arena = context->arena;
    struct lg_str reason = vmi->reason.n != 0 ? vmi->reason : LG_STR("no reason given");
    struct lg_str why = reason;
    if (vmi->message.n != 0)
        why = lg_arena_printf(arena, "%.*s: %.*s", LG_ARG(reason), LG_ARG(vmi->message));
    const struct lg_report report = {
        .at = at,
        .message = lg_arena_printf(arena, "VMI \"%.*s\" is not live-migratable, %.*s",
                                   LG_ARG(vmi->r.name), LG_ARG(why)),
        .rests_on = vmi->r.name,
        .rests_on_kind = LG_KIND_VMI,
        .fix = LG_STR("remove the cause and restart the guest; \"livegate check\" on its virtual "
                      "machine names every cause"),
    };
    lg_rule_report(context, &report);
}

static void say_findings(struct lg_rule_context *context, struct lg_val at,
                         const struct lg_vmi_record *vmi, bool decentralised)
{
    struct lg_val object = lg_vmi_object(vmi, context->arena);
    size_t n = 0;
    const struct lg_finding *findings =
        lg_rule_judge_vmi(context, vmi->r.ns, vmi->r.name, object, &n);
    for (size_t i = 0; i < n; i++) {
        const struct lg_finding *finding = &findings[i];
        const char *reason = finding->kubevirt_reason;
        bool waived = decentralised && reason != NULL && strcmp(reason, disks) == 0;
        if (finding->pending || finding->action < LG_ACTION_WARN || waived)
            continue;
        const struct lg_report report = {
            .at = at,
            .about = finding->about,
            .ident = lg_str_of(finding->rule->id),
            .at_most = LG_ACTION_WARN,
            .message =
                lg_arena_printf(context->arena, "VMI \"%.*s\" would not be migratable: %s %.*s",
                                LG_ARG(vmi->r.name), finding->rule->id, LG_ARG(finding->message)),
            .fix = finding->fix,
        };
        lg_rule_report(context, &report);
    }
}

static void check(struct lg_rule_context *context)
{
    struct lg_moving moving;
    if (!lg_rule_moving(context, &moving))
        return;
    if (!lg_rule_guest_found(context, &moving))
        return; /* LG601 */
    switch (moving.vmi->live_migratable) {
    case LG_CONDITION_TRUE:
        break;
    case LG_CONDITION_FALSE:
        if (!moving.decentralised || !lg_str_is(moving.vmi->reason, disks))
            say_condition(context, moving.at, moving.vmi);
        break;
    case LG_CONDITION_ABSENT:
    case LG_CONDITION_UNKNOWN:
        say_findings(context, moving.at, moving.vmi, moving.decentralised);
        break;
    }
}

#define MIGRATION(more) LG_EX_MOVE_ORDERS("vmiName: orders-db" more)
#define VMI(volume, status)                                                                        \
    LG_EX_VMI(LG_EX_ORDERS,                                                                        \
              "spec: {domain: {}, volumes: [{name: data, hostDisk: {path: /d, type: Disk" volume   \
              "}}]}\nstatus: {phase: Running" status "}\n")
#define CONDITION(status)                                                                          \
    ", conditions: [{type: LiveMigratable, status: \"" status "\", "                               \
    "reason: DisksNotLiveMigratable, message: cannot migrate VMI with non-shared HostDisk}]"

static const struct lg_rule_example examples[] = {
    {
        .name = "KubeVirt says that it can move",
        .expect = LG_EXPECT_NOTHING,
        .object = MIGRATION(""),
        .inventory = VMI("", CONDITION("True")),
    },
    {
        .name = "KubeVirt says that it cannot",
        .expect = LG_EXPECT_DENY,
        .object = MIGRATION(""),
        .inventory = VMI("", CONDITION("False")),
        .message = "VMI \"orders-db\" is not live-migratable, DisksNotLiveMigratable: cannot "
                   "migrate VMI with non-shared HostDisk",
    },
    {
        .name = "disks do not matter where they are sent along",
        .expect = LG_EXPECT_NOTHING,
        .object = MIGRATION(", sendTo: {migrationID: m1, connectURL: \"10.0.0.1:9185\"}"),
        .inventory = VMI("", CONDITION("False")),
    },
    {
        .name = "no condition yet, and a disk of one node",
        .expect = LG_EXPECT_WARN,
        .object = MIGRATION(""),
        .inventory = VMI("", ""),
        .message = "LG103 volume \"data\"",
    },
    {
        .name = "the condition is Unknown, and a disk of one node",
        .expect = LG_EXPECT_WARN,
        .object = MIGRATION(""),
        .inventory = VMI("", CONDITION("Unknown")),
        .message = "would not be migratable: LG103",
    },
    {
        .name = "no condition yet, and nothing in the way",
        .expect = LG_EXPECT_NOTHING,
        .object = MIGRATION(""),
        .inventory = VMI(", shared: true", ""),
    },
    {
        .name = "guests are not known",
        .expect = LG_EXPECT_PENDING,
        .object = MIGRATION(""),
        .message = "\"orders-db\"",
    },
    {
        .name = "without a vmiName KubeVirt itself refuses",
        .expect = LG_EXPECT_NOTHING,
        .object = LG_EX_MOVE_ORDERS(""),
        .inventory = VMI("", CONDITION("False")),
    },
    {0},
};

const struct lg_rule lg_rule_vmi_not_migratable = {
    .id = "LG602",
    .name = "vmi-not-migratable",
    .title = "the guest to migrate is not live-migratable",
    .rationale = "KubeVirt refuses to migrate a guest whose condition LiveMigratable is False, and "
                 "names only the "
                 "first reason. Before that condition is set it accepts migrations that will fail.",
    .remedy = "Remove what the reason names from the virtual machine and restart the guest.",
    .source =
        "kubevirt pkg/virt-api/webhooks/validating-webhook/admitters/migration-create-admitter.go "
        "(isMigratable), pkg/virt-handler/vm.go (calculateLiveMigrationCondition)",
    .action = LG_ACTION_DENY,
    .kinds = LG_BIT(LG_KIND_MIGRATION),
    .ops = LG_BIT(LG_OP_CREATE),
    .looks_up = LG_BIT(LG_KIND_VMI) | LG_BIT(LG_KIND_KUBEVIRT),
    .check = check,
    .examples = examples,
};
