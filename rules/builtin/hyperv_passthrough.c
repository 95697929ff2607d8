/* LG304: Hyper-V features taken over from the node as they are.
 *
 * KubeVirt does not migrate such a guest (since 1.3): the target may offer others. Where `enabled`
 * is missing KubeVirt looks at it all the same, and its node agent would stop over it. Source:
 * KubeVirt pkg/virt-handler/vm.go; the API has no default for the field.
 */
#include "rules/builtin/examples.h"
#include "rules/rule.h"

static void check(struct lg_rule_context *context)
{
    struct lg_val passthrough =
        lg_json_at(context->subject->vm.spec, "domain.features.hypervPassthrough");
    struct lg_val enabled = lg_json_get(passthrough, "enabled");
    if (!lg_json_there(passthrough) ||
        !lg_version_has(context->settings, LG_DIFFERENCE_HYPERV_PASSTHROUGH_STAYS))
        return;
    if (lg_json_there(enabled) && !lg_json_bool(enabled, false))
        return;
    struct lg_report report = {
        .at = enabled,
        .ident = LG_STR("enabled"),
        .message = LG_STR("a guest with Hyper-V passthrough cannot be migrated: it takes over what "
                          "its node offers"),
        .fix = LG_STR("name the features that the guest needs in domain.features.hyperv instead"),
    };
    if (!lg_json_there(enabled)) {
        report.at = passthrough;
        report.ident = LG_STR("missing");
        report.beyond_kubevirt = true;
        report.message = LG_STR("hypervPassthrough does not say \"enabled\"; KubeVirt reads it "
                                "without a look and fails on the node");
        report.fix = LG_STR("take hypervPassthrough out, or write \"enabled: false\"");
    }
    lg_rule_report(context, &report);
}

#define VM(features) LG_EX_VM_OF(LG_EX_WEB, "", "domain: {features: {" features "}}")

static const struct lg_rule_example examples[] = {
    {.name = "passthrough",
     .expect = LG_EXPECT_WARN,
     .object = VM("hypervPassthrough: {enabled: true}"),
     .message = "a guest with Hyper-V passthrough cannot be migrated"},
    {.name = "the first version that says so",
     .expect = LG_EXPECT_WARN,
     .object = VM("hypervPassthrough: {enabled: true}"),
     .policy = LG_EX_VERSION("1.3")},
    {.name = "the version before",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("hypervPassthrough: {enabled: true}"),
     .policy = LG_EX_VERSION("1.2")},
    {.name = "switched off",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("hypervPassthrough: {enabled: false}")},
    {.name = "not a word whether",
     .expect = LG_EXPECT_WARN,
     .object = VM("hypervPassthrough: {}"),
     .message = "does not say \"enabled\""},
    {.name = "features by name",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("hyperv: {relaxed: {}}")},
    {.name = "nothing at all", .expect = LG_EXPECT_NOTHING, .object = VM("")},
    {0},
};

const struct lg_rule lg_rule_hyperv_passthrough = {
    .id = "LG304",
    .name = "hyperv-passthrough",
    .title = "Hyper-V features are taken over from the node",
    .rationale = "With hypervPassthrough a guest gets every Hyper-V feature that its node offers; "
                 "another node may offer others, so KubeVirt marks the guest as not "
                 "live-migratable. A hypervPassthrough without `enabled` makes KubeVirt's node "
                 "agent fail.",
    .remedy = "Name the features that the guest needs in domain.features.hyperv.",
    .source = "KubeVirt pkg/virt-handler/vm.go, calculateLiveMigrationCondition",
    .action = LG_ACTION_WARN,
    .kinds = LG_BIT(LG_KIND_VM) | LG_BIT(LG_KIND_VMI),
    .ops = LG_BIT(LG_OP_CREATE) | LG_BIT(LG_OP_UPDATE),
    .looks_up = LG_BIT(LG_KIND_KUBEVIRT),
    .kubevirt_reason = "HypervPassthroughNotLiveMigratable",
    .check = check,
    .examples = examples,
};
