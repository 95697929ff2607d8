/* LG502: a drain shuts the guest down instead of moving it.
 *
 * That is what evictionStrategy None means: the eviction of its pod is allowed at once. Whoever
 * wrote it is warned; where it is only the cluster's default it is recorded. Source: kubevirt
 * pkg/virt-api/webhooks/validating-webhook/admitters/pod-eviction-admitter.go.
 */
#include "rules/builtin/examples.h"
#include "rules/rule.h"
#include "rules/virt/eviction.h"

static void check(struct lg_rule_context *context)
{
    struct lg_eviction eviction = lg_eviction_of(&context->subject->vm, context->settings);
    if (!lg_str_is(eviction.strategy, "None"))
        return;
    const struct lg_report report = {
        .at = lg_json_there(eviction.at) ? eviction.at : context->subject->vm.spec,
        .at_most = eviction.from == LG_EVICTION_OWN ? LG_ACTION_OFF : LG_ACTION_AUDIT,
        .message = lg_arena_printf(
            context->arena, "evictionStrategy None%s: a drain of its node shuts the guest down",
            lg_eviction_source(eviction.from)),
        .fix = lg_rule_mobility(context) == LG_IMMOBILE
                   ? LG_STR("nothing else is possible while the guest cannot be migrated: mend "
                            "what keeps it first")
                   : LG_STR("set evictionStrategy: LiveMigrate; or LiveMigrateIfPossible where "
                            "the guest may not always be able to move"),
    };
    lg_rule_report(context, &report);
}

/* A None that somebody wrote is their word; the fixer writes where nobody did. */
static void mend(struct lg_rule_context *context, struct lg_repair *repair)
{
    struct lg_val spec = context->subject->vm.spec;
    struct lg_eviction eviction = lg_eviction_of(&context->subject->vm, context->settings);
    struct lg_str strategy = lg_repair_choice(repair);
    if (eviction.from == LG_EVICTION_OWN || !lg_json_there(spec)) {
        lg_repair_cannot(repair, LG_STR(""), LG_STR("decide whether the guest is to stay put"));
        return;
    }
    lg_repair_set(repair, spec, "evictionStrategy",
                  lg_arena_printf(context->arena, "\"%.*s\"", LG_ARG(strategy)));
    lg_repair_say(repair, LG_STR(""),
                  lg_arena_printf(context->arena,
                                  "evictionStrategy %.*s is set, since the cluster's "
                                  "default shuts guests down when a node is drained",
                                  LG_ARG(strategy)));
}

static const char *const strategies[] = {"LiveMigrateIfPossible", "LiveMigrate", NULL};
static const struct lg_fixer fixer = {
    .kind = LG_FIXER_ADDS,
    .acts =
        "Writes evictionStrategy where the machine says none and the cluster's default is None. "
        "A None that stands in the machine stays. LiveMigrate is not written where the guest "
        "cannot be migrated (LG501). In files, too, only where policy's mutate names it.",
    .option = "evictionStrategy",
    .option_doc = "what is written",
    .choices = strategies,
    .mend = mend,
};

#define VM(eviction) LG_EX_VM_OF(LG_EX_WEB, "", eviction "domain: {}")
#define VMI          LG_EX_VMI(LG_EX_WEB, "spec: {evictionStrategy: None, domain: {}}\n")

static const struct lg_rule_example examples[] = {
    {.name = "a guest that is migrated",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("evictionStrategy: LiveMigrate, "),
     .inventory = LG_EX_CONFIGURATION("")},
    {.name = "None is written in the machine",
     .expect = LG_EXPECT_WARN,
     .object = VM("evictionStrategy: None, "),
     .inventory = LG_EX_CONFIGURATION("evictionStrategy: LiveMigrate"),
     .message = "evictionStrategy None: a drain of its node shuts the guest down"},
    {.name = "the field is absent, and the cluster migrates",
     .expect = LG_EXPECT_NOTHING,
     .object = VM(""),
     .inventory = LG_EX_CONFIGURATION("evictionStrategy: LiveMigrate")},
    {.name = "the field is absent everywhere: recorded",
     .expect = LG_EXPECT_AUDIT,
     .object = VM(""),
     .inventory = LG_EX_CONFIGURATION(""),
     .message = "evictionStrategy None, which is this KubeVirt's for guests that do not say"},
    {.name = "nothing is known of the cluster's default",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("")},
    {.name = "an instance into which KubeVirt wrote the cluster's default",
     .expect = LG_EXPECT_AUDIT,
     .object = VMI,
     .inventory = LG_EX_CONFIGURATION("evictionStrategy: None")},
    {.name = "an instance that says other than the cluster",
     .expect = LG_EXPECT_WARN,
     .object = VMI,
     .inventory = LG_EX_CONFIGURATION("evictionStrategy: LiveMigrate")},
    {0},
};

const struct lg_rule lg_rule_not_evacuated = {
    .id = "LG502",
    .name = "not-evacuated",
    .title = "a drain shuts the guest down instead of moving it",
    .rationale =
        "With evictionStrategy None the eviction of the guest's pod is allowed at once: when its "
        "node is drained, for maintenance or an upgrade, the guest is shut down although it "
        "could have moved.",
    .remedy =
        "Set evictionStrategy: LiveMigrate in spec.template.spec, or as the cluster's default in "
        "the KubeVirt or HyperConverged CR. A guest that is not to be moved stays as it is.",
    .source =
        "kubevirt pkg/virt-api/webhooks/validating-webhook/admitters/pod-eviction-admitter.go",
    .action = LG_ACTION_WARN,
    .kinds = LG_BIT(LG_KIND_VM) | LG_BIT(LG_KIND_VMI),
    .ops = LG_BIT(LG_OP_CREATE) | LG_BIT(LG_OP_UPDATE),
    .looks_up = LG_BIT(LG_KIND_KUBEVIRT) | LG_BIT(LG_KIND_HYPERCONVERGED),
    .of_drains = true,
    .check = check,
    .fixer = &fixer,
    .examples = examples,
};
