/* LG702: settings of migrations that do not do what they look like.
 *
 * A limit for one node above the cluster's never counts. A timeout of a few seconds aborts every
 * migration of a guest that works. Post-copy that is allowed while the disruption of the guest is
 * forbidden never comes: the migration is aborted instead. HyperConverged from 1.19 on writes that
 * `false` by itself, where KubeVirt alone would let it follow allowPostCopy. A KubeVirt CR that a
 * HyperConverged stands beside is that one's work. Source: KubeVirt pkg/virt-config,
 * pkg/virt-launcher/virtwrap/live-migration-source.go; HyperConverged
 * controllers/handlers/kubevirt.go.
 */
#include "rules/builtin/examples.h"
#include "rules/rule.h"

enum { FEW_SECONDS = 10 };

static bool read_int(struct lg_val config, enum lg_migration_key key, struct lg_val *ret_at,
                     int64_t *ret)
{
    *ret_at = lg_json_get(config, lg_migration_key_name(key));
    return lg_json_there(*ret_at) && lg_json_int64(*ret_at, ret) == LG_E_OK;
}

static void check_node_limit(struct lg_rule_context *context, struct lg_val config,
                             const struct lg_migration_settings *settings)
{
    struct lg_val at;
    int64_t node = 0;
    const struct lg_migration_value *cluster = &settings->of[LG_MIGRATION_PARALLEL_CLUSTER];
    if (!read_int(config, LG_MIGRATION_PARALLEL_OUTBOUND, &at, &node) || node <= cluster->value)
        return;
    const struct lg_report report = {
        .at = at,
        .about = lg_str_of(lg_migration_key_name(LG_MIGRATION_PARALLEL_OUTBOUND)),
        .ident = lg_json_text(at),
        .message =
            lg_arena_printf(context->arena,
                            "%s is %lld, above the %lld that may run in the whole cluster: one "
                            "node's guests can take every place",
                            lg_migration_key_name(LG_MIGRATION_PARALLEL_OUTBOUND), (long long)node,
                            (long long)cluster->value),
        .fix = LG_STR("set it below parallelMigrationsPerCluster"),
    };
    lg_rule_report(context, &report);
}

static void check_timeout(struct lg_rule_context *context, struct lg_val config,
                          enum lg_migration_key key)
{
    const char *name = lg_migration_key_name(key);
    const char *each = key == LG_MIGRATION_COMPLETION_TIMEOUT ? " for each GiB" : "";
    struct lg_val at;
    int64_t seconds = 0;
    if (!read_int(config, key, &at, &seconds) || seconds <= 0 || seconds >= FEW_SECONDS)
        return;
    const struct lg_report report = {
        .at = at,
        .about = lg_str_of(name),
        .ident = lg_json_text(at),
        .message = lg_arena_printf(context->arena,
                                   "%s is %lld s%s: migrations of guests that work are aborted",
                                   name, (long long)seconds, each),
        .fix = LG_STR("KubeVirt's default is 150; 0 means no timeout"),
    };
    lg_rule_report(context, &report);
}

static void check_post_copy(struct lg_rule_context *context, struct lg_val config,
                            const struct lg_migration_settings *settings)
{
    struct lg_val post_copy = lg_json_get(config, lg_migration_key_name(LG_MIGRATION_POST_COPY));
    struct lg_val disruption =
        lg_json_get(config, lg_migration_key_name(LG_MIGRATION_WORKLOAD_DISRUPTION));
    const struct lg_migration_value *effective = &settings->of[LG_MIGRATION_WORKLOAD_DISRUPTION];
    if (!lg_json_bool(post_copy, false) || effective->value != 0)
        return;
    struct lg_str whose = LG_STR("");
    if (!lg_json_there(disruption))
        whose = lg_arena_printf(context->arena, " (%.*s)", LG_ARG(effective->source));
    const struct lg_report report = {
        .at = lg_json_there(disruption) ? disruption : post_copy,
        .about = lg_str_of(lg_migration_key_name(LG_MIGRATION_POST_COPY)),
        .message = lg_arena_printf(context->arena,
                                   "allowPostCopy is true and allowWorkloadDisruption is "
                                   "false%.*s: post-copy never comes, a "
                                   "migration that runs out of time is aborted",
                                   LG_ARG(whose)),
        .fix = LG_STR("set allowWorkloadDisruption: true beside it; or leave allowPostCopy out"),
    };
    lg_rule_report(context, &report);
}

/* What would hold with this object: its own words, and the defaults of its kind. */
static struct lg_migration_settings effective(struct lg_rule_context *context, struct lg_val config)
{
    const struct lg_subject *subject = context->subject;
    if (subject->kind == LG_KIND_KUBEVIRT)
        return lg_migration_settings_read(subject->object, LG_NONE, context->arena);
    if (subject->kind == LG_KIND_HYPERCONVERGED)
        return lg_migration_settings_read(LG_NONE, subject->object, context->arena);
    /* Of a policy only its own words count: what it leaves out follows what it says. */
    struct lg_val disruption =
        lg_json_get(config, lg_migration_key_name(LG_MIGRATION_WORKLOAD_DISRUPTION));
    struct lg_migration_settings settings = context->settings->migrations;
    settings.of[LG_MIGRATION_WORKLOAD_DISRUPTION].value = lg_json_bool(disruption, true);
    return settings;
}

static void check(struct lg_rule_context *context)
{
    const struct lg_subject *subject = context->subject;
    if (subject->kind == LG_KIND_KUBEVIRT &&
        lg_inventory_stands_in(context->inventory, LG_KIND_HYPERCONVERGED, subject->ns))
        return;
    struct lg_val config = lg_migration_config_of(subject->kind, subject->object);
    struct lg_migration_settings settings = effective(context, config);
    if (subject->kind != LG_KIND_MIGRATION_POLICY) {
        check_node_limit(context, config, &settings);
        check_timeout(context, config, LG_MIGRATION_PROGRESS_TIMEOUT);
    }
    check_timeout(context, config, LG_MIGRATION_COMPLETION_TIMEOUT);
    check_post_copy(context, config, &settings);
}

#define POLICY(spec)                                                                               \
    "apiVersion: migrations.kubevirt.io/v1alpha1\n"                                                \
    "kind: MigrationPolicy\n"                                                                      \
    "metadata: {name: databases}\n"                                                                \
    "spec: {selectors: {}, " spec "}\n"

static const struct lg_rule_example examples[] = {
    {.name = "settings as they usually are",
     .expect = LG_EXPECT_NOTHING,
     .object =
         LG_EX_HYPERCONVERGED("liveMigrationConfig: {parallelMigrationsPerCluster: 5, "
                              "parallelOutboundMigrationsPerNode: 2, completionTimeoutPerGiB: 150, "
                              "progressTimeout: 150}")},
    {.name = "nothing is said of migrations",
     .expect = LG_EXPECT_NOTHING,
     .object = LG_EX_HYPERCONVERGED_KUBEVIRT("")},
    {.name = "one node may take more than the cluster has",
     .expect = LG_EXPECT_WARN,
     .object = LG_EX_HYPERCONVERGED_KUBEVIRT("parallelOutboundMigrationsPerNode: 6"),
     .message = "parallelOutboundMigrationsPerNode is 6, above the 5 that may run in the whole "
                "cluster"},
    {.name = "a timeout of a second",
     .expect = LG_EXPECT_WARN,
     .object = LG_EX_HYPERCONVERGED("liveMigrationConfig: {completionTimeoutPerGiB: 1}"),
     .message = "completionTimeoutPerGiB is 1 s for each GiB"},
    {.name = "a timeout of 0 is none",
     .expect = LG_EXPECT_NOTHING,
     .object = LG_EX_HYPERCONVERGED("liveMigrationConfig: {completionTimeoutPerGiB: 0}")},
    {.name = "progress within three seconds",
     .expect = LG_EXPECT_WARN,
     .object = LG_EX_HYPERCONVERGED_KUBEVIRT("progressTimeout: 3"),
     .message = "progressTimeout is 3 s"},
    {.name = "post-copy without disruption never comes",
     .expect = LG_EXPECT_WARN,
     .object =
         LG_EX_HYPERCONVERGED("liveMigrationConfig: {allowPostCopy: true, allowWorkloadDisruption: "
                              "false}"),
     .message = "post-copy never comes"},
    {.name = "the disruption follows post-copy in KubeVirt itself",
     .expect = LG_EXPECT_NOTHING,
     .object = LG_EX_HYPERCONVERGED_KUBEVIRT("allowPostCopy: true")},
    {.name = "HyperConverged since 1.19 forbids it by itself",
     .expect = LG_EXPECT_WARN,
     .object = LG_EX_HYPERCONVERGED("virtualization: {liveMigrationConfig: {allowPostCopy: true}}"),
     .message = "(HyperConverged's default since 1.19)"},
    {.name = "HyperConverged up to 1.18 leaves it to KubeVirt",
     .expect = LG_EXPECT_NOTHING,
     .object = LG_EX_HYPERCONVERGED("liveMigrationConfig: {allowPostCopy: true}")},
    {.name = "a policy that contradicts itself",
     .expect = LG_EXPECT_WARN,
     .object = POLICY("allowPostCopy: true, allowWorkloadDisruption: false")},
    {.name = "a policy that forbids disruption alone",
     .expect = LG_EXPECT_NOTHING,
     .object = POLICY("allowWorkloadDisruption: false")},
    {.name = "a policy with a timeout of two seconds",
     .expect = LG_EXPECT_WARN,
     .object = POLICY("completionTimeoutPerGiB: 2")},
    {.name = "a KubeVirt that HyperConverged writes",
     .expect = LG_EXPECT_NOTHING,
     .object = LG_EX_HYPERCONVERGED_KUBEVIRT("progressTimeout: 3"),
     .inventory = LG_EX_HYPERCONVERGED("")},
    {0},
};

const struct lg_rule lg_rule_migration_settings = {
    .id = "LG702",
    .name = "migration-settings",
    .title = "settings of migrations that do not do what they look like",
    .rationale =
        "A node's limit above the cluster's never counts, so that one node's guests fill the "
        "queue. A timeout of a few seconds aborts the migration of every guest that writes to "
        "its memory. Post-copy with the disruption of the guest forbidden is never used; "
        "HyperConverged since 1.19 forbids it unless told otherwise.",
    .remedy =
        "Keep parallelOutboundMigrationsPerNode below parallelMigrationsPerCluster, timeouts at "
        "tens of seconds or 0, and set allowWorkloadDisruption: true where post-copy is meant.",
    .source = "kubevirt pkg/virt-config/virt-config.go, pkg/virt-launcher/virtwrap/"
              "live-migration-source.go; hyperconverged-cluster-operator "
              "controllers/handlers/kubevirt.go (hcLiveMigrationToKv)",
    .action = LG_ACTION_WARN,
    .kinds = LG_BIT(LG_KIND_HYPERCONVERGED) | LG_BIT(LG_KIND_KUBEVIRT) |
             LG_BIT(LG_KIND_MIGRATION_POLICY),
    .ops = LG_BIT(LG_OP_CREATE) | LG_BIT(LG_OP_UPDATE),
    .looks_up = LG_BIT(LG_KIND_HYPERCONVERGED) | LG_BIT(LG_KIND_KUBEVIRT),
    .check = check,
    .examples = examples,
};
