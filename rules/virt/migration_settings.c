#include "rules/virt/migration_settings.h"

#include "rules/kube/meta.h"
#include "rules/kube/quantity.h"

enum value_type { COUNT, SECONDS, QUANTITY, FLAG };

static const struct {
    const char *name;
    enum value_type type;
    bool in_policy; /* a MigrationPolicy can say it */
} keys[LG_MIGRATION_KEYS] = {
    [LG_MIGRATION_PARALLEL_CLUSTER] = {"parallelMigrationsPerCluster", COUNT, false},
    [LG_MIGRATION_PARALLEL_OUTBOUND] = {"parallelOutboundMigrationsPerNode", COUNT, false},
    [LG_MIGRATION_BANDWIDTH] = {"bandwidthPerMigration", QUANTITY, true},
    [LG_MIGRATION_COMPLETION_TIMEOUT] = {"completionTimeoutPerGiB", SECONDS, true},
    [LG_MIGRATION_PROGRESS_TIMEOUT] = {"progressTimeout", SECONDS, false},
    [LG_MIGRATION_AUTO_CONVERGE] = {"allowAutoConverge", FLAG, true},
    [LG_MIGRATION_POST_COPY] = {"allowPostCopy", FLAG, true},
    [LG_MIGRATION_WORKLOAD_DISRUPTION] = {"allowWorkloadDisruption", FLAG, true},
};

/* allowWorkloadDisruption follows allowPostCopy until it is set itself. */
enum { FOLLOWS = -1, MIB = 1024 * 1024 };

static const int64_t kubevirt_defaults[LG_MIGRATION_KEYS] = {5, 2, 0, 150, 150, 0, 0, FOLLOWS};
/* HyperConverged since 1.19 writes an explicit `false` for the last one. */
static const int64_t hyperconverged_119_defaults[LG_MIGRATION_KEYS] = {5, 1, 0, 20, 150, 0, 0, 0};
static const int64_t documented_defaults[LG_MIGRATION_KEYS] = {
    5, 2, 64 * (int64_t)MIB, 800, 150, 0, 0, FOLLOWS};

const char *lg_migration_key_name(enum lg_migration_key key)
{
    return keys[key].name;
}

static bool read_value(struct lg_val v, enum value_type type, int64_t *ret)
{
    struct lg_quantity quantity = {0};
    int64_t value = 0;
    switch (type) {
    case FLAG:
        if (lg_json_kind(v) != LG_JSON_TRUE && lg_json_kind(v) != LG_JSON_FALSE)
            return false;
        *ret = lg_json_bool(v, false);
        return true;
    case QUANTITY:
        if (lg_quantity_read(v, &quantity) != LG_E_OK || quantity.milli < 0)
            return false;
        *ret = quantity.value;
        return true;
    case COUNT:
    case SECONDS:
        if (lg_json_int64(v, &value) != LG_E_OK || value < 0 ||
            (type == COUNT && value > UINT32_MAX))
            return false;
        *ret = value;
        return true;
    }
    return false;
}

/* What is written in `config` goes over what stands in io_settings. */
static void overlay(struct lg_val config, struct lg_str source, bool policy,
                    struct lg_migration_settings *io_settings, struct lg_arena *arena)
{
    for (int key = 0; key < LG_MIGRATION_KEYS; key++) {
        struct lg_migration_value *value = &io_settings->of[key];
        struct lg_val v = lg_json_get(config, keys[key].name);
        if (!lg_json_there(v) || (policy && !keys[key].in_policy))
            continue;
        if (read_value(v, keys[key].type, &value->value))
            value->source = source;
        else
            value->source = lg_arena_printf(arena, "%.*s, since what %.*s says cannot be read",
                                            LG_ARG(value->source), LG_ARG(source));
    }
}

static void follow_post_copy(struct lg_migration_settings *io_settings)
{
    struct lg_migration_value *disruption = &io_settings->of[LG_MIGRATION_WORKLOAD_DISRUPTION];
    if (disruption->value == FOLLOWS)
        disruption->value = io_settings->of[LG_MIGRATION_POST_COPY].value;
}

static struct lg_migration_settings defaults(const int64_t *values, struct lg_str source)
{
    struct lg_migration_settings settings = {0};
    for (int key = 0; key < LG_MIGRATION_KEYS; key++)
        settings.of[key] = (struct lg_migration_value){values[key], source};
    return settings;
}

static struct lg_str source_of(const char *kind, struct lg_val object, struct lg_arena *arena)
{
    struct lg_str ns = lg_json_str_at(object, "metadata.namespace");
    return lg_arena_printf(arena, "%s %.*s%s%.*s", kind, LG_ARG(ns), ns.n != 0 ? "/" : "",
                           LG_ARG(lg_json_str_at(object, "metadata.name")));
}

/* The operator's minor version, or -1. OpenShift Virtualization 4.N is HyperConverged 1.(N-4). */
static int hyperconverged_minor(struct lg_val object)
{
    struct lg_val versions = lg_json_at(object, "status.versions");
    for (struct lg_json_iter it = lg_json_iter(versions); lg_json_next(&it);) {
        if (!lg_json_is(lg_json_get(it.val, "name"), "operator"))
            continue;
        struct lg_str text = lg_json_str(lg_json_get(it.val, "version"));
        size_t at = lg_str_starts(text, "v") ? 1 : 0;
        if (text.n < at + 3 || text.p[at + 1] != '.' || (text.p[at] != '1' && text.p[at] != '4'))
            return -1;
        int minor = 0;
        size_t digit = at + 2;
        for (; digit < text.n && digit < at + 5 && text.p[digit] >= '0' && text.p[digit] <= '9';
             digit++)
            minor = minor * 10 + (text.p[digit] - '0');
        if (digit == at + 2)
            return -1;
        return text.p[at] == '4' ? minor - 4 : minor;
    }
    return -1;
}

struct lg_val lg_migration_config_of(enum lg_kind kind, struct lg_val object)
{
    if (kind == LG_KIND_KUBEVIRT)
        return lg_json_at(object, "spec.configuration.migrations");
    if (kind == LG_KIND_MIGRATION_POLICY)
        return lg_json_get(object, "spec");
    struct lg_val config = lg_json_at(object, "spec.virtualization.liveMigrationConfig");
    return lg_json_there(config) ? config : lg_json_at(object, "spec.liveMigrationConfig");
}

static struct lg_migration_settings read_hyperconverged(struct lg_val object,
                                                        struct lg_arena *arena)
{
    struct lg_val virtualization = lg_json_at(object, "spec.virtualization");
    int minor = hyperconverged_minor(object);
    /* Without a word from it: only API version v1, stored since 1.19, has spec.virtualization. */
    bool new = minor >= 0 ? minor >= 19 : lg_json_there(virtualization);
    struct lg_migration_settings settings =
        new ? defaults(hyperconverged_119_defaults, LG_STR("HyperConverged's default since 1.19"))
            : defaults(kubevirt_defaults, LG_STR("HyperConverged's default up to 1.18"));
    struct lg_val config = lg_migration_config_of(LG_KIND_HYPERCONVERGED, object);
    overlay(config, source_of("HyperConverged", object, arena), false, &settings, arena);
    return settings;
}

struct lg_migration_settings lg_migration_settings_read(struct lg_val kubevirt,
                                                        struct lg_val hyperconverged,
                                                        struct lg_arena *arena)
{
    struct lg_migration_settings settings;
    if (lg_json_there(kubevirt)) {
        settings = defaults(kubevirt_defaults, LG_STR("KubeVirt's default"));
        overlay(lg_migration_config_of(LG_KIND_KUBEVIRT, kubevirt),
                source_of("KubeVirt", kubevirt, arena), false, &settings, arena);
    } else if (lg_json_there(hyperconverged)) {
        settings = read_hyperconverged(hyperconverged, arena);
    } else {
        settings = defaults(documented_defaults,
                            LG_STR("the documented default of OpenShift Virtualization 4.14"));
    }
    follow_post_copy(&settings);
    return settings;
}

/* --- MigrationPolicy --- */

/* How many labels of the selector the object has; -1 when one is missing or has another value. */
static int matches(struct lg_labels selector, struct lg_labels labels)
{
    for (uint32_t i = 0; i < selector.n; i++) {
        const struct lg_str *value = lg_labels_get(labels, selector.items[i].key);
        if (value == NULL || !lg_str_eq(*value, selector.items[i].value))
            return -1;
    }
    return (int)selector.n;
}

struct score {
    int guest, ns;
};

static bool score_of(const struct lg_migration_policy_record *policy, struct lg_labels guest,
                     struct lg_labels ns, struct score *ret)
{
    *ret = (struct score){0};
    if (!policy->has_selectors)
        return false;
    if (guest.n == 0)
        return true; /* upstream looks at neither selector then */
    ret->guest = matches(policy->guests, guest);
    ret->ns = matches(policy->namespaces, ns);
    return ret->guest >= 0 && ret->ns >= 0;
}

const struct lg_migration_policy_record *lg_migration_policy_better(
    const struct lg_migration_policy_record *best,
    const struct lg_migration_policy_record *candidate, struct lg_labels guest, struct lg_labels ns)
{
    struct score a, b;
    if (!score_of(candidate, guest, ns, &b))
        return best;
    if (best == NULL || !score_of(best, guest, ns, &a))
        return candidate;
    if (a.guest + a.ns != b.guest + b.ns)
        return b.guest + b.ns > a.guest + a.ns ? candidate : best;
    if (a.guest != b.guest)
        return b.guest > a.guest ? candidate : best;
    return lg_str_cmp(candidate->r.name, best->r.name) < 0 ? candidate : best;
}

struct lg_migration_settings lg_migration_settings_with(
    const struct lg_migration_settings *settings, const struct lg_migration_policy_record *policy,
    struct lg_arena *arena)
{
    struct lg_migration_settings ret = *settings;
    struct lg_val spec = LG_NONE;
    if (policy == NULL ||
        lg_meta_parse(arena, lg_arena_str(arena, policy->spec), &spec, NULL) != LG_E_OK)
        return ret;
    struct lg_str source = lg_arena_printf(arena, "MigrationPolicy %.*s", LG_ARG(policy->r.name));
    struct lg_migration_value *disruption = &ret.of[LG_MIGRATION_WORKLOAD_DISRUPTION];
    /* Inside a policy too it follows allowPostCopy where only that is set. */
    if (lg_json_there(lg_json_get(spec, lg_migration_key_name(LG_MIGRATION_POST_COPY))))
        *disruption = (struct lg_migration_value){FOLLOWS, source};
    overlay(spec, source, true, &ret, arena);
    follow_post_copy(&ret);
    return ret;
}
