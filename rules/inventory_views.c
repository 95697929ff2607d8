/* The inventory as virt/claims.h and virt/expansion.h ask for it, and who uses a claim how. */
#include "rules/inventory.h"

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
