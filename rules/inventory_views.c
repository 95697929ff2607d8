/* The inventory as the parts of rules/virt ask for it, and what takes several look-ups to tell. */
#include "rules/inventory_data.h"

static enum lg_lookup claim(void *arg, struct lg_str ns, struct lg_str name,
                            const struct lg_claim **ret)
{
    return lg_inventory_claim(arg, ns, name, ret);
}

static enum lg_lookup data_volume(void *arg, struct lg_str ns, struct lg_str name,
                                  const struct lg_data_volume **ret)
{
    return lg_inventory_data_volume(arg, ns, name, ret);
}

static const struct lg_storage_profile *next_profile(void *arg, size_t *pos)
{
    return (const struct lg_storage_profile *)lg_inventory_next(arg, LG_KIND_STORAGE_PROFILE, pos);
}

struct lg_claims_view lg_inventory_claims(const struct lg_inventory *inv)
{
    return (struct lg_claims_view){
        .arg = (void *)(uintptr_t)inv, /* only read through it */
        .claim = claim,
        .data_volume = data_volume,
        .next_profile = next_profile,
        .storage = lg_inventory_storage(inv),
    };
}

static enum lg_lookup part(void *arg, enum lg_kind kind, struct lg_str ns, struct lg_str name,
                           const struct lg_config_record **ret)
{
    return lg_inventory_get(arg, kind, ns, name, (const struct lg_record **)ret);
}

struct lg_parts_view lg_inventory_parts(const struct lg_inventory *inv)
{
    return (struct lg_parts_view){.arg = (void *)(uintptr_t)inv, .find = part};
}

static const struct lg_vmi_record *next_in(const struct lg_map *index, struct lg_str ns,
                                           size_t *pos)
{
    const struct lg_link *link = lg_index_next(index, ns, pos);
    return link != NULL ? (const struct lg_vmi_record *)link->record : NULL;
}

static const struct lg_vmi_record *next_guest(void *arg, struct lg_str ns, size_t *pos)
{
    return next_in(&((const struct lg_inventory *)arg)->guests, ns, pos);
}

static const struct lg_vmi_record *next_keeper(void *arg, struct lg_str ns, size_t *pos)
{
    return next_in(&((const struct lg_inventory *)arg)->keepers, ns, pos);
}

static const struct lg_vmi_record *next_holder(void *arg, struct lg_str ns, struct lg_str claim,
                                               size_t *pos)
{
    const struct lg_record *record;
    const struct lg_use *use = NULL;
    while ((record = lg_inventory_next_user(arg, ns, claim, pos, &use)) != NULL)
        if (record->kind == LG_KIND_VMI && use->reserves)
            return (const struct lg_vmi_record *)record;
    return NULL;
}

static bool next_namespace(void *arg, size_t *pos, struct lg_str *ret_ns)
{
    const struct lg_map_entry *at = lg_map_next(&((const struct lg_inventory *)arg)->guests, pos);
    if (at != NULL)
        *ret_ns = lg_map_key(at);
    return at != NULL;
}

static enum lg_lookup namespace_of(void *arg, struct lg_str ns, const struct lg_namespace **ret)
{
    return lg_inventory_namespace(arg, ns, ret);
}

struct lg_guests_view lg_inventory_guests(const struct lg_inventory *inv)
{
    return (struct lg_guests_view){.arg = (void *)(uintptr_t)inv, /* only read through it */
                                   .next_guest = next_guest,
                                   .next_keeper = next_keeper,
                                   .next_holder = next_holder,
                                   .next_namespace = next_namespace,
                                   .namespace_of = namespace_of};
}

static enum lg_lookup class_by_name(void *arg, struct lg_str name,
                                    const struct lg_storage_class **ret)
{
    return lg_inventory_get(arg, LG_KIND_STORAGE_CLASS, LG_STR(""), name,
                            (const struct lg_record **)ret);
}

static enum lg_lookup class_default(void *arg, bool virt, const struct lg_storage_class **ret)
{
    const struct lg_inventory *inv = arg;
    *ret = virt ? inv->default_class[true] : NULL;
    if (*ret == NULL)
        *ret = inv->default_class[false];
    /* Where classes are not all known, another one may be the newest default. */
    if (inv->tables[LG_KIND_STORAGE_CLASS].known != LG_KNOWN)
        return LG_UNKNOWN;
    return *ret != NULL ? LG_FOUND : LG_ABSENT;
}

static enum lg_lookup profile_by_name(void *arg, struct lg_str name,
                                      const struct lg_storage_profile **ret)
{
    return lg_inventory_get(arg, LG_KIND_STORAGE_PROFILE, LG_STR(""), name,
                            (const struct lg_record **)ret);
}

struct lg_storage_view lg_inventory_storage(const struct lg_inventory *inv)
{
    return (struct lg_storage_view){.arg = (void *)inv,
                                    .class_by_name = class_by_name,
                                    .class_default = class_default,
                                    .profile_by_name = profile_by_name};
}

enum lg_lookup lg_inventory_migration_settings(const struct lg_inventory *inv,
                                               const struct lg_vmi_record *vmi,
                                               struct lg_arena *arena,
                                               struct lg_migration_settings *ret)
{
    const struct lg_namespace *ns = NULL;
    const struct lg_migration_policy_record *best = NULL;
    const struct lg_record *record;
    size_t pos = 0;
    *ret = inv->settings->migrations;
    enum lg_known known = inv->tables[LG_KIND_MIGRATION_POLICY].known;
    if (known == LG_NOT_SERVED)
        return LG_FOUND; /* a KubeVirt without policies */
    if (known != LG_KNOWN)
        return LG_UNKNOWN;
    if (lg_inventory_count(inv, LG_KIND_MIGRATION_POLICY) == 0)
        return LG_FOUND;
    if (lg_inventory_namespace(inv, vmi->r.ns, &ns) != LG_FOUND)
        return LG_UNKNOWN;
    while ((record = lg_inventory_next(inv, LG_KIND_MIGRATION_POLICY, &pos)) != NULL)
        best = lg_migration_policy_better(best, (const struct lg_migration_policy_record *)record,
                                          vmi->labels, ns->labels);
    *ret = lg_migration_settings_with(&inv->settings->migrations, best, arena);
    return LG_FOUND;
}

const struct lg_record *lg_inventory_sharer(const struct lg_inventory *inv, struct lg_str ns,
                                            struct lg_str claim)
{
    const struct lg_record *first = NULL;
    const struct lg_record *record;
    const struct lg_use *use = NULL;
    for (size_t pos = 0; (record = lg_inventory_next_user(inv, ns, claim, &pos, &use)) != NULL;) {
        bool earlier = first == NULL || lg_str_cmp(record->name, first->name) < 0 ||
                       (record->kind < first->kind && lg_str_eq(record->name, first->name));
        if (use->as_files && earlier)
            first = record;
    }
    return first;
}
