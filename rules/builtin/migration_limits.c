/* LG701: a limit that stops all migrations, or a bandwidth that is none.
 *
 * KubeVirt starts a migration while fewer than the limit run; with a limit of 0 none ever starts,
 * they wait as Pending without a word, and so does every drain. Nothing upstream refuses the 0. A
 * bandwidth that is no quantity makes HyperConverged fail to render the KubeVirt CR. A KubeVirt CR
 * that a HyperConverged stands beside is that one's work, and is put back by it: only the
 * HyperConverged is judged. Source: KubeVirt pkg/virt-config; HyperConverged
 * controllers/handlers/kubevirt.go.
 */
#include "rules/builtin/examples.h"
#include "rules/kube/quantity.h"
#include "rules/rule.h"

static void check_zero(struct lg_rule_context *context, struct lg_val config,
                       enum lg_migration_key key)
{
    const char *name = lg_migration_key_name(key);
    struct lg_val v = lg_json_get(config, name);
    int64_t limit = 0;
    if (!lg_json_there(v) || lg_json_int64(v, &limit) != LG_E_OK || limit > 0)
        return;
    const struct lg_report report = {
        .at = v,
        .about = lg_str_of(name),
        .ident = lg_json_text(v),
        .message = lg_arena_printf(context->arena,
                                   "%s is %lld: no migration ever starts, drains and upgrades wait "
                                   "for ever",
                                   name, (long long)limit),
        .fix =
            LG_STR("set it to 1 or more; KubeVirt's defaults are 5 in the cluster and 2 from one "
                   "node"),
    };
    lg_rule_report(context, &report);
}

static void check_bandwidth(struct lg_rule_context *context, struct lg_val config)
{
    const char *name = lg_migration_key_name(LG_MIGRATION_BANDWIDTH);
    struct lg_val v = lg_json_get(config, name);
    struct lg_quantity quantity = {0};
    bool parses = lg_quantity_read(v, &quantity) == LG_E_OK;
    if (!lg_json_there(v) || (parses && quantity.milli >= 0))
        return;
    const struct lg_report report = {
        .at = v,
        .about = lg_str_of(name),
        .ident = lg_json_text(v),
        .by_default = LG_ACTION_DENY,
        .message = lg_arena_printf(context->arena, "%s is %.*s, which is no amount of bytes", name,
                                   LG_ARG(lg_str_cut(lg_json_text(v), 64))),
        .fix = LG_STR("write bytes a second as a quantity, such as 64Mi; 0 is unlimited"),
    };
    lg_rule_report(context, &report);
}

static void check(struct lg_rule_context *context)
{
    const struct lg_subject *subject = context->subject;
    if (subject->kind == LG_KIND_KUBEVIRT &&
        lg_inventory_stands_in(context->inventory, LG_KIND_HYPERCONVERGED, subject->ns))
        return;
    struct lg_val config = lg_migration_config_of(subject->kind, subject->object);
    check_zero(context, config, LG_MIGRATION_PARALLEL_CLUSTER);
    check_zero(context, config, LG_MIGRATION_PARALLEL_OUTBOUND);
    check_bandwidth(context, config);
}

static const struct lg_rule_example examples[] = {
    {.name = "limits as they usually are",
     .expect = LG_EXPECT_NOTHING,
     .object = LG_EX_HYPERCONVERGED(
         "liveMigrationConfig: {parallelMigrationsPerCluster: 5, "
         "parallelOutboundMigrationsPerNode: 2, bandwidthPerMigration: 64Mi}")},
    {.name = "nothing is said of migrations",
     .expect = LG_EXPECT_NOTHING,
     .object = LG_EX_HYPERCONVERGED("")},
    {.name = "a limit of 0 freezes all migrations",
     .expect = LG_EXPECT_WARN,
     .object = LG_EX_HYPERCONVERGED("liveMigrationConfig: {parallelMigrationsPerCluster: 0}"),
     .message = "parallelMigrationsPerCluster is 0: no migration ever starts"},
    {.name = "API version v1 has a section for it",
     .expect = LG_EXPECT_WARN,
     .object = LG_EX_HYPERCONVERGED("virtualization: {liveMigrationConfig: "
                                    "{parallelOutboundMigrationsPerNode: 0}}"),
     .message = "parallelOutboundMigrationsPerNode is 0"},
    {.name = "a bandwidth that is none",
     .expect = LG_EXPECT_DENY,
     .object = LG_EX_HYPERCONVERGED("liveMigrationConfig: {bandwidthPerMigration: fast}"),
     .message = "bandwidthPerMigration is \"fast\", which is no amount of bytes"},
    {.name = "policy that names an action decides for all of it",
     .expect = LG_EXPECT_WARN,
     .object = LG_EX_HYPERCONVERGED("liveMigrationConfig: {bandwidthPerMigration: fast}"),
     .policy = LG_EX_POLICY("rules: {LG701: {action: warn}}\n")},
    {.name = "0 is a bandwidth: unlimited",
     .expect = LG_EXPECT_NOTHING,
     .object = LG_EX_HYPERCONVERGED("liveMigrationConfig: {bandwidthPerMigration: 0Mi}")},
    {.name = "a KubeVirt on its own",
     .expect = LG_EXPECT_WARN,
     .object = LG_EX_HYPERCONVERGED_KUBEVIRT("parallelMigrationsPerCluster: 0")},
    {.name = "a KubeVirt that HyperConverged writes",
     .expect = LG_EXPECT_NOTHING,
     .object = LG_EX_HYPERCONVERGED_KUBEVIRT("parallelMigrationsPerCluster: 0"),
     .inventory = LG_EX_HYPERCONVERGED("")},
    {0},
};

const struct lg_rule lg_rule_migration_limits = {
    .id = "LG701",
    .name = "migration-limits",
    .title = "a limit that stops all migrations, or a bandwidth that does not parse (denied)",
    .rationale =
        "With a limit of 0 KubeVirt never starts a migration: all of them stay Pending without "
        "an event or a condition, and drains and upgrades wait for them. A bandwidth that is "
        "no quantity keeps HyperConverged from writing KubeVirt's configuration at all.",
    .remedy =
        "Set limits of 1 or more, and a bandwidth such as 64Mi (bytes a second; 0 is unlimited). "
        "To stop migrations for a while, drain nothing and say so, rather than setting 0.",
    .source =
        "kubevirt pkg/virt-controller/watch/migration/migration.go (handleTargetPodCreation); "
        "hyperconverged-cluster-operator controllers/handlers/kubevirt.go (hcLiveMigrationToKv)",
    .action = LG_ACTION_WARN,
    .kinds = LG_BIT(LG_KIND_HYPERCONVERGED) | LG_BIT(LG_KIND_KUBEVIRT),
    .ops = LG_BIT(LG_OP_CREATE) | LG_BIT(LG_OP_UPDATE),
    .looks_up = LG_BIT(LG_KIND_HYPERCONVERGED),
    .check = check,
    .examples = examples,
};
