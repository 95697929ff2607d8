/* LG606: the guest's memory cannot arrive before KubeVirt gives the migration up.
 *
 * The time it has is completionTimeoutPerGiB for each 10^9 bytes that are begun; the time it needs
 * is at least its memory once over at bandwidthPerMigration, whole MiB and one at least. A
 * MigrationPolicy that matches changes both. Where the bandwidth is unlimited nothing is said,
 * unless policy assumes one; a timeout of 0 never ends. Memory that changes while it is copied, and
 * disks that are copied with it, come on top. Source: KubeVirt pkg/virt-launcher/virtwrap,
 * live-migration-source.go.
 */
#include "rules/builtin/examples.h"
#include "rules/kube/quantity.h"
#include "rules/rule.h"

enum { MIB = 1024 * 1024, GIGA = 1000 * 1000 * 1000 };

static const struct lg_param params[] = {
    {.name = "assumeMiBPerSecond",
     .type = LG_PARAM_INT,
     .min = 0,
     .max = MIB,
     .doc = "what the network carries for one migration where bandwidthPerMigration is unlimited; "
            "0: nothing is assumed"},
    {0},
};

/* domain.memory.guest, else what is requested; 0 = not said. */
static int64_t memory_of(struct lg_val spec)
{
    static const char *const paths[] = {"domain.memory.guest", "domain.resources.requests.memory"};
    for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
        struct lg_quantity quantity;
        if (lg_quantity_read(lg_json_at(spec, paths[i]), &quantity) == LG_E_OK &&
            quantity.value > 0)
            return quantity.value;
    }
    return 0;
}

/* `n` / `by`, rounded up. */
static int64_t parts(int64_t n, int64_t by)
{
    return n / by + (n % by != 0);
}

struct race {
    int64_t bytes, mib_per_second; /* 0: unlimited */
    int64_t needs_s, has_s;
    struct lg_str speed_source;
};

/* True when the time is too short. */
static bool lost(const struct lg_migration_settings *settings, int64_t assumed, struct race *io)
{
    const struct lg_migration_value *bandwidth = &settings->of[LG_MIGRATION_BANDWIDTH];
    int64_t timeout_s = settings->of[LG_MIGRATION_COMPLETION_TIMEOUT].value;
    io->mib_per_second = assumed;
    io->speed_source = LG_STR("which policy assumes");
    if (bandwidth->value > 0) {
        io->mib_per_second = bandwidth->value < MIB ? 1 : bandwidth->value / MIB;
        io->speed_source = bandwidth->source;
    }
    if (io->bytes == 0 || io->mib_per_second <= 0 || timeout_s <= 0 ||
        __builtin_mul_overflow(timeout_s, parts(io->bytes, GIGA), &io->has_s))
        return false;
    io->needs_s = parts(parts(io->bytes, MIB), io->mib_per_second);
    return io->needs_s > io->has_s;
}

static const char *end_of(const struct lg_migration_settings *settings)
{
    if (settings->of[LG_MIGRATION_WORKLOAD_DISRUPTION].value == 0)
        return "then it is given up";
    return settings->of[LG_MIGRATION_POST_COPY].value != 0
               ? "then the guest runs on the target before its memory is there (post-copy)"
               : "then the guest is paused until it has moved";
}

static void check(struct lg_rule_context *context)
{
    struct lg_moving moving;
    if (!lg_rule_moving(context, &moving) || moving.decentralised)
        return;
    if (!lg_rule_guest_found(context, &moving))
        return;
    struct lg_val vmi = lg_vmi_object(moving.vmi, context->arena);
    struct lg_migration_settings settings;
    if (lg_inventory_migration_settings(context->inventory, moving.vmi, context->arena,
                                        &settings) == LG_UNKNOWN) {
        bool policies =
            lg_inventory_known(context->inventory, LG_KIND_MIGRATION_POLICY) == LG_KNOWN;
        lg_rule_lacks(context, moving.at, policies ? LG_KIND_NAMESPACE : LG_KIND_MIGRATION_POLICY,
                      policies ? moving.vmi->r.ns : LG_STR(""));
        return;
    }
    struct race race = {.bytes = memory_of(lg_json_get(vmi, "spec"))};
    if (!lost(&settings, context->params[0].items[0], &race))
        return;
    const struct lg_migration_value *timeout = &settings.of[LG_MIGRATION_COMPLETION_TIMEOUT];
    const struct lg_report report = {
        .at = moving.at,
        .message = lg_arena_printf(
            context->arena,
            "VMI \"%.*s\" has %lld MiB of memory, which takes %lld s at %lld MiB/s (%.*s), and it "
            "has %lld s (completionTimeoutPerGiB %lld, %.*s): %s",
            LG_ARG(moving.name), (long long)parts(race.bytes, MIB), (long long)race.needs_s,
            (long long)race.mib_per_second, LG_ARG(race.speed_source), (long long)race.has_s,
            (long long)timeout->value, LG_ARG(timeout->source), end_of(&settings)),
        .fix = LG_STR("raise bandwidthPerMigration or completionTimeoutPerGiB, for the cluster or "
                      "for such guests by a MigrationPolicy"),
    };
    lg_rule_report(context, &report);
}

#define VMI(domain)                                                                                \
    LG_EX_VMI(LG_EX_ORDERS ", labels: {size: large}",                                              \
              "spec: {domain: {" domain "}}\nstatus: {phase: Running, nodeName: n1}\n")
#define KUBEVIRT(migrations) "---\n" LG_EX_CONFIGURATION("migrations: {" migrations "}")
#define NAMESPACE                                                                                  \
    "---\n"                                                                                        \
    "apiVersion: v1\n"                                                                             \
    "kind: Namespace\n"                                                                            \
    "metadata: {name: web-servers}\n"
#define POLICY                                                                                     \
    NAMESPACE                                                                                      \
    "---\n"                                                                                        \
    "apiVersion: migrations.kubevirt.io/v1alpha1\n"                                                \
    "kind: MigrationPolicy\n"                                                                      \
    "metadata: {name: large}\n"                                                                    \
    "spec: {completionTimeoutPerGiB: 800, "                                                        \
    "selectors: {virtualMachineInstanceSelector: {size: large}}}\n"
#define MEMORY   "memory: {guest: 64Gi}"
#define POLICIES LG_BIT(LG_KIND_MIGRATION_POLICY)

static const struct lg_rule_example examples[] = {
    {.name = "there is time enough",
     .expect = LG_EXPECT_NOTHING,
     .known = POLICIES,
     .object = LG_EX_MOVE_ORDERS("vmiName: orders-db"),
     .inventory = VMI(MEMORY) KUBEVIRT("bandwidthPerMigration: 64Mi")},
    {.name = "slow, and little time",
     .expect = LG_EXPECT_WARN,
     .known = POLICIES,
     .object = LG_EX_MOVE_ORDERS("vmiName: orders-db"),
     .inventory = VMI(MEMORY) KUBEVIRT("bandwidthPerMigration: 16Mi, completionTimeoutPerGiB: 20"),
     .message = "has 65536 MiB of memory, which takes 4096 s at 16 MiB/s (KubeVirt "
                "kubevirt/kubevirt), and it has 1380 s (completionTimeoutPerGiB 20, KubeVirt "
                "kubevirt/kubevirt): then it is given up"},
    {.name = "slow, and the guest may be paused",
     .expect = LG_EXPECT_WARN,
     .known = POLICIES,
     .object = LG_EX_MOVE_ORDERS("vmiName: orders-db"),
     .inventory = VMI("resources: {requests: {memory: 8Gi}}")
         KUBEVIRT("bandwidthPerMigration: 1Ki, allowWorkloadDisruption: true"),
     .message = "takes 8192 s at 1 MiB/s (KubeVirt kubevirt/kubevirt), and it has 1350 s "
                "(completionTimeoutPerGiB 150, KubeVirt's default): then the guest is paused"},
    {.name = "a MigrationPolicy gives it more time",
     .expect = LG_EXPECT_NOTHING,
     .object = LG_EX_MOVE_ORDERS("vmiName: orders-db"),
     .inventory =
         VMI(MEMORY) KUBEVIRT("bandwidthPerMigration: 16Mi, completionTimeoutPerGiB: 20") POLICY},
    {.name = "the bandwidth is unlimited",
     .expect = LG_EXPECT_NOTHING,
     .known = POLICIES,
     .object = LG_EX_MOVE_ORDERS("vmiName: orders-db"),
     .inventory = VMI(MEMORY) KUBEVIRT("completionTimeoutPerGiB: 1")},
    {.name = "the bandwidth is unlimited, and policy knows the network",
     .expect = LG_EXPECT_WARN,
     .known = POLICIES,
     .object = LG_EX_MOVE_ORDERS("vmiName: orders-db"),
     .inventory = VMI(MEMORY) KUBEVIRT("completionTimeoutPerGiB: 1"),
     .policy = LG_EX_POLICY("rules: {LG606: {assumeMiBPerSecond: 100}}\n"),
     .message = "656 s at 100 MiB/s (which policy assumes)"},
    {.name = "no time limit",
     .expect = LG_EXPECT_NOTHING,
     .known = POLICIES,
     .object = LG_EX_MOVE_ORDERS("vmiName: orders-db"),
     .inventory = VMI(MEMORY) KUBEVIRT("bandwidthPerMigration: 1Mi, completionTimeoutPerGiB: 0")},
    {.name = "the guest says nothing about its memory",
     .expect = LG_EXPECT_NOTHING,
     .known = POLICIES,
     .object = LG_EX_MOVE_ORDERS("vmiName: orders-db"),
     .inventory = VMI("") KUBEVIRT("bandwidthPerMigration: 1Mi, completionTimeoutPerGiB: 1")},
    {.name = "policies are not known",
     .expect = LG_EXPECT_PENDING,
     .object = LG_EX_MOVE_ORDERS("vmiName: orders-db"),
     .inventory = VMI(MEMORY)},
    {.name = "guests are not known",
     .expect = LG_EXPECT_PENDING,
     .object = LG_EX_MOVE_ORDERS("vmiName: orders-db")},
    {.name = "without a vmiName KubeVirt itself refuses",
     .expect = LG_EXPECT_NOTHING,
     .object = LG_EX_MOVE_ORDERS(""),
     .inventory = VMI(MEMORY) KUBEVIRT("bandwidthPerMigration: 1Mi")},
    {0},
};

const struct lg_rule lg_rule_deadline_too_short = {
    .id = "LG606",
    .name = "deadline-too-short",
    .title = "the guest's memory cannot arrive in the time that a migration has",
    .rationale = "KubeVirt gives a migration so many seconds for each GiB and then ends it, "
                 "after it has loaded the network for nothing. With a bandwidth that is limited "
                 "low the memory cannot arrive in that time even if it never changed.",
    .remedy = "Raise bandwidthPerMigration or completionTimeoutPerGiB in the KubeVirt or "
              "HyperConverged CR, or for the guests concerned by a MigrationPolicy.",
    .source = "KubeVirt pkg/virt-launcher/virtwrap, live-migration-source.go; "
              "pkg/virt-config, migration defaults",
    .action = LG_ACTION_WARN,
    .kinds = LG_BIT(LG_KIND_MIGRATION),
    .ops = LG_BIT(LG_OP_CREATE),
    .looks_up = LG_BIT(LG_KIND_VMI) | LG_BIT(LG_KIND_KUBEVIRT) | LG_BIT(LG_KIND_HYPERCONVERGED) |
                LG_BIT(LG_KIND_MIGRATION_POLICY) | LG_BIT(LG_KIND_NAMESPACE),
    .params = params,
    .check = check,
    .examples = examples,
};
