/* LG603: one guest moves once at a time.
 *
 * KubeVirt allows one unfinished migration a guest, whoever created it and even while it is being
 * deleted: only phases Succeeded and Failed are final. The message says which one, how far it is
 * and how old.
 */
#include "rules/builtin/examples.h"
#include "rules/kube/meta.h"
#include "rules/rule.h"

static bool is_unfinished(const struct lg_migration_record *migration)
{
    return !lg_str_is(migration->phase, "Succeeded") && !lg_str_is(migration->phase, "Failed");
}

static bool is_older(const struct lg_migration_record *a, const struct lg_migration_record *b)
{
    if (a->r.created_unix_s != b->r.created_unix_s)
        return a->r.created_unix_s < b->r.created_unix_s;
    return lg_str_cmp(a->r.name, b->r.name) < 0;
}

static struct lg_str message_of(const struct lg_rule_context *context,
                                const struct lg_migration_record *oldest, size_t n)
{
    struct lg_arena *arena = context->arena;
    struct lg_str phase = oldest->phase.n != 0 ? oldest->phase : LG_STR("not started");
    struct lg_str age = LG_STR("");
    if (oldest->r.created_unix_s != 0 && context->now_unix_s != 0)
        age = lg_arena_printf(
            arena, ", %.*s old",
            LG_ARG(lg_meta_age_text(context->now_unix_s - oldest->r.created_unix_s, arena)));
    struct lg_str others = LG_STR("");
    if (n > 1)
        others = lg_arena_printf(arena, " and %zu more", n - 1);
    return lg_arena_printf(
        arena, "VMI \"%.*s\" is already migrating: migration \"%.*s\" (%.*s%.*s)%.*s",
        LG_ARG(oldest->vmi), LG_ARG(oldest->r.name), LG_ARG(phase), LG_ARG(age), LG_ARG(others));
}

static void check(struct lg_rule_context *context)
{
    const struct lg_subject *subject = context->subject;
    struct lg_moving moving;
    if (!lg_rule_moving(context, &moving))
        return;
    const struct lg_migration_record *oldest = NULL;
    const struct lg_migration_record *migration;
    size_t n = 0;
    for (size_t pos = 0; (migration = lg_inventory_next_migration(context->inventory, subject->ns,
                                                                  moving.name, &pos)) != NULL;) {
        if (!is_unfinished(migration) || lg_str_eq(migration->r.name, subject->name))
            continue;
        n++;
        if (oldest == NULL || is_older(migration, oldest))
            oldest = migration;
    }
    if (oldest == NULL) {
        if (lg_inventory_known(context->inventory, LG_KIND_MIGRATION) != LG_KNOWN)
            lg_rule_lacks(context, moving.at, LG_KIND_MIGRATION, LG_STR(""));
        return;
    }
    const struct lg_report report = {
        .at = moving.at,
        .rests_on = oldest->r.name,
        .rests_on_kind = LG_KIND_MIGRATION,
        .message = message_of(context, oldest, n),
        .fix = lg_arena_printf(context->arena,
                               "wait until it has finished, or cancel it: oc delete vmim -n %.*s "
                               "%.*s",
                               LG_ARG(subject->ns), LG_ARG(oldest->r.name)),
    };
    lg_rule_report(context, &report);
}

#define MIGRATION(name, more)                                                                      \
    LG_EX_MIGRATION("name: " name ", namespace: web-servers", "spec: {vmiName: orders-db}\n" more)
#define PHASE(phase) "status: {phase: " phase "}\n"

static const struct lg_rule_example examples[] = {
    {
        .name = "the last one has finished",
        .expect = LG_EXPECT_NOTHING,
        .object = MIGRATION("second", ""),
        .inventory = MIGRATION("first", PHASE("Succeeded")),
    },
    {
        .name = "one is under way",
        .expect = LG_EXPECT_DENY,
        .object = MIGRATION("second", ""),
        .inventory = MIGRATION("first", PHASE("Running")),
        .message = "VMI \"orders-db\" is already migrating: migration \"first\" (Running",
    },
    {
        .name = "one has no phase yet",
        .expect = LG_EXPECT_DENY,
        .object = MIGRATION("second", ""),
        .inventory = MIGRATION("first", ""),
        .message = "migration \"first\" (not started",
    },
    {
        .name = "a migration is not in its own way",
        .expect = LG_EXPECT_NOTHING,
        .object = MIGRATION("first", ""),
        .inventory = MIGRATION("first", PHASE("Pending")),
    },
    {
        .name = "no migration at all",
        .expect = LG_EXPECT_NOTHING,
        .object = MIGRATION("first", ""),
        .known = LG_BIT(LG_KIND_MIGRATION),
    },
    {
        .name = "migrations are not known",
        .expect = LG_EXPECT_PENDING,
        .object = MIGRATION("first", ""),
        .message = "migrations",
    },
    {
        .name = "without a vmiName KubeVirt itself refuses",
        .expect = LG_EXPECT_NOTHING,
        .object = LG_EX_MIGRATION("name: first, namespace: web-servers", "spec: {}\n"),
        .inventory = MIGRATION("other", PHASE("Running")),
    },
    {0},
};

const struct lg_rule lg_rule_already_migrating = {
    .id = "LG603",
    .name = "already-migrating",
    .title = "the guest is already being migrated",
    .rationale = "KubeVirt allows one unfinished migration a guest. A second one is refused, by "
                 "its uid only.",
    .remedy = "Wait for the migration that the message names, or delete it to cancel it.",
    .source =
        "kubevirt pkg/virt-api/webhooks/validating-webhook/admitters/migration-create-admitter.go "
        "(EnsureNoMigrationConflict)",
    .action = LG_ACTION_DENY,
    .kinds = LG_BIT(LG_KIND_MIGRATION),
    .ops = LG_BIT(LG_OP_CREATE),
    .looks_up = LG_BIT(LG_KIND_MIGRATION) | LG_BIT(LG_KIND_VMI) | LG_BIT(LG_KIND_KUBEVIRT),
    .check = check,
    .examples = examples,
};
