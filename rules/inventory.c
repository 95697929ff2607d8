#include "rules/inventory_data.h"

#include <assert.h>
#include <stdlib.h>

#include "rules/core/mem.h"

/* What a table holds for the kinds that are indexed; other tables hold the records themselves. */
struct entry {
    struct lg_record *record;
    uint32_t n_links;
    struct lg_link links[];
};

static bool is_indexed(enum lg_kind kind)
{
    return lg_kind_is_guest(kind) || kind == LG_KIND_MIGRATION;
}

static struct lg_record *record_of(enum lg_kind kind, void *value)
{
    if (value == NULL || !is_indexed(kind))
        return value;
    return ((struct entry *)value)->record;
}

/* "namespace/name" for a look-up: on the stack, where it fits. */
struct key {
    char small[384];
    struct lg_buf large;
    struct lg_str str;
};

static void key_done(struct key *key)
{
    lg_buf_done(&key->large);
}

static void key_init(struct key *key, bool namespaced, struct lg_str ns, struct lg_str name)
{
    key->large = (struct lg_buf){0};
    if (!namespaced)
        ns = LG_STR("");
    else if (lg_str_empty(ns))
        ns = LG_STR("default");
    size_t n = ns.n + 1 + name.n;
    if (n > sizeof key->small) {
        lg_buf_str(&key->large, ns);
        lg_buf_putc(&key->large, '/');
        lg_buf_str(&key->large, name);
        key->str = lg_buf_view(&key->large);
        return;
    }
    memcpy(key->small, ns.p, ns.n);
    key->small[ns.n] = '/';
    if (name.n != 0)
        memcpy(key->small + ns.n + 1, name.p, name.n);
    key->str = (struct lg_str){key->small, n};
}

/* --- what is indexed --- */

static const struct lg_use *uses_of(const struct lg_record *record, uint32_t *ret_n)
{
    if (record->kind != LG_KIND_VMI) {
        const struct lg_vm_record *vm = (const struct lg_vm_record *)record;
        *ret_n = vm->n_uses;
        return vm->uses;
    }
    const struct lg_vmi_record *vmi = (const struct lg_vmi_record *)record;
    *ret_n = vmi->n_uses;
    return vmi->uses;
}

static void link_by_name(struct lg_map *index, struct lg_str name, const struct lg_record *record,
                         uint32_t use, struct lg_link *link)
{
    struct key key lg_cleanup(key_done);
    key_init(&key, true, record->ns, name);
    lg_index_add(index, key.str, record, use, link);
}

static bool keeps_off(const struct lg_record *record)
{
    return record->kind == LG_KIND_VMI &&
           !lg_str_empty(((const struct lg_vmi_record *)record)->apart);
}

static struct entry *entry_new(struct lg_inventory *inv, struct lg_record *record)
{
    uint32_t n_uses = 0, n = 0;
    const struct lg_use *uses = NULL;
    if (record->kind != LG_KIND_MIGRATION)
        uses = uses_of(record, &n_uses);
    bool by_name = record->kind == LG_KIND_VMI || record->kind == LG_KIND_MIGRATION;
    size_t others = (size_t)by_name + (size_t)keeps_off(record);
    struct entry *entry = lg_calloc(1, sizeof *entry + (n_uses + others) * sizeof(struct lg_link));
    entry->record = record;
    for (; n < n_uses; n++)
        link_by_name(&inv->users, uses[n].claim, record, n, &entry->links[n]);
    if (record->kind == LG_KIND_MIGRATION)
        link_by_name(&inv->migrations, ((struct lg_migration_record *)record)->vmi, record, 0,
                     &entry->links[n++]);
    if (record->kind == LG_KIND_VMI)
        lg_index_add(&inv->guests, record->ns, record, 0, &entry->links[n++]);
    if (keeps_off(record)) {
        bool elsewhere = ((const struct lg_vmi_record *)record)->apart_elsewhere;
        lg_index_add(&inv->keepers, elsewhere ? LG_STR("") : record->ns, record, 0,
                     &entry->links[n++]);
    }
    entry->n_links = n;
    return entry;
}

static void entry_free(struct entry *entry)
{
    for (uint32_t i = 0; i < entry->n_links; i++)
        lg_index_remove(&entry->links[i]);
    free(entry);
}

/* --- what is derived from all records of a kind --- */

static void find_default_class(struct lg_inventory *inv, bool virt)
{
    const struct lg_storage_class *best = NULL;
    size_t pos = 0;
    const struct lg_record *record;
    while ((record = lg_inventory_next(inv, LG_KIND_STORAGE_CLASS, &pos)) != NULL)
        best = lg_storage_newer_default(best, (const struct lg_storage_class *)record, virt);
    inv->default_class[virt] = best;
}

/* Flat cost but where the default itself changed or went. */
static void class_changed(struct lg_inventory *inv, const struct lg_record *old,
                          const struct lg_record *new)
{
    for (int virt = 0; virt <= 1; virt++) {
        const struct lg_record *best = (const struct lg_record *)inv->default_class[virt];
        if (old != NULL && old == best)
            find_default_class(inv, virt);
        else if (new != NULL)
            inv->default_class[virt] = lg_storage_newer_default(
                inv->default_class[virt], (const struct lg_storage_class *)new, virt);
    }
}

/* The CR that counts where there are several: the oldest, then by key. */
static const struct lg_config_record *the_config(const struct lg_inventory *inv, enum lg_kind kind)
{
    const struct lg_record *best = NULL;
    size_t pos = 0;
    const struct lg_record *record;
    while ((record = lg_inventory_next(inv, kind, &pos)) != NULL) {
        if (best == NULL || record->created_unix_s < best->created_unix_s ||
            (record->created_unix_s == best->created_unix_s &&
             lg_str_cmp(lg_record_key(record), lg_record_key(best)) < 0))
            best = record;
    }
    return (const struct lg_config_record *)best;
}

static void read_settings(struct lg_inventory *inv)
{
    lg_arena_reset(&inv->settings_arena);
    inv->settings = lg_settings_read(the_config(inv, LG_KIND_KUBEVIRT),
                                     the_config(inv, LG_KIND_HYPERCONVERGED), &inv->settings_arena);
}

/* --- life and changes --- */

struct lg_inventory *lg_inventory_new(void)
{
    struct lg_inventory *inv = lg_calloc(1, sizeof *inv);
    inv->nodes = lg_nodes_new();
    inv->slots = lg_slots_new();
    lg_arena_init(&inv->settings_arena);
    read_settings(inv);
    return inv;
}

static const struct lg_vmi_record *guest_of(void *arg, struct lg_str ns, struct lg_str name)
{
    const struct lg_vmi_record *vmi = NULL;
    (void)lg_inventory_vmi(arg, ns, name, &vmi);
    return vmi;
}

/* `old` is still there; `new` stands in its table already. */
static void slots_changed(struct lg_inventory *inv, const struct lg_record *old,
                          const struct lg_record *new)
{
    const struct lg_record *either = new != NULL ? new : old;
    if (either == NULL)
        return;
    if (either->kind == LG_KIND_MIGRATION)
        lg_slots_set_migration(inv->slots, (const struct lg_migration_record *)old,
                               (const struct lg_migration_record *)new, guest_of, inv);
    else if (either->kind == LG_KIND_VMI)
        lg_slots_set_guest(inv->slots, either->ns, either->name, (const struct lg_vmi_record *)new);
}

/* The one place where tables and indexes change together: `old` leaves, `new` comes; either may be
 * NULL. */
static void change(struct lg_inventory *inv, enum lg_kind kind, struct lg_str key,
                   struct lg_record *new)
{
    struct lg_inventory_table *table = &inv->tables[kind];
    void *old_value, *value = new;
    if (new != NULL && is_indexed(kind))
        value = entry_new(inv, new);
    /* The old value leaves with its key, whose bytes it owns. */
    if (new != NULL)
        old_value = lg_map_set(&table->by_key, lg_record_key(new), value);
    else
        old_value = lg_map_remove(&table->by_key, key);
    struct lg_record *old = record_of(kind, old_value);
    if (old != NULL && is_indexed(kind))
        entry_free(old_value);
    table->bytes += new != NULL ? new->bytes : 0;
    table->bytes -= old != NULL ? old->bytes : 0;
    if (kind == LG_KIND_NODE && new != NULL)
        lg_nodes_set(inv->nodes, (struct lg_node *)new);
    else if (kind == LG_KIND_NODE && old != NULL)
        lg_nodes_remove(inv->nodes, old->name);
    else if (kind == LG_KIND_STORAGE_CLASS)
        class_changed(inv, old, new);
    else if (kind == LG_KIND_KUBEVIRT || kind == LG_KIND_HYPERCONVERGED)
        read_settings(inv);
    slots_changed(inv, old, new);
    lg_record_unref(old);
}

void lg_inventory_set(struct lg_inventory *inv, struct lg_record *take_record)
{
    change(inv, take_record->kind, lg_record_key(take_record), take_record);
}

void lg_inventory_remove(struct lg_inventory *inv, enum lg_kind kind, struct lg_str ns,
                         struct lg_str name)
{
    struct key key lg_cleanup(key_done);
    key_init(&key, lg_gvk(kind)->namespaced, ns, name);
    if (lg_map_get(&inv->tables[kind].by_key, key.str) != NULL)
        change(inv, kind, key.str, NULL);
}

void lg_inventory_free(struct lg_inventory *inv)
{
    if (inv == NULL)
        return;
    lg_nodes_free(inv->nodes);
    lg_slots_free(inv->slots);
    for (int kind = 0; kind < LG_KIND_COUNT; kind++) {
        const struct lg_map_entry *at;
        size_t pos = 0;
        while ((at = lg_map_next(&inv->tables[kind].by_key, &pos)) != NULL) {
            struct lg_record *record = record_of((enum lg_kind)kind, at->value);
            if (is_indexed((enum lg_kind)kind))
                entry_free(at->value);
            lg_record_unref(record);
        }
        lg_map_done(&inv->tables[kind].by_key);
    }
    lg_map_done(&inv->users);
    lg_map_done(&inv->migrations);
    lg_map_done(&inv->guests);
    lg_map_done(&inv->keepers);
    lg_arena_done(&inv->settings_arena);
    free(inv);
}

void lg_inventory_set_known(struct lg_inventory *inv, enum lg_kind kind, enum lg_known known)
{
    assert(kind < LG_KIND_COUNT);
    inv->tables[kind].known = known;
}

/* --- reads in front --- */

const struct lg_inventory *lg_inventory_over(const struct lg_inventory *base,
                                             const struct lg_read *reads, size_t n,
                                             struct lg_arena *arena)
{
    assert(n <= LG_READS_MAX);
    struct lg_inventory *view = lg_arena_alloc(arena, sizeof *view);
    *view = *base; /* the same tables and indexes */
    view->reads = reads;
    view->n_reads = n;
    return view;
}

static const struct lg_read *read_of(const struct lg_inventory *inv, enum lg_kind kind,
                                     struct lg_str ns, struct lg_str name)
{
    for (size_t i = 0; i < inv->n_reads; i++) {
        const struct lg_read *read = &inv->reads[i];
        if (read->kind == kind && lg_str_eq(read->name, name) &&
            (!lg_gvk(kind)->namespaced || lg_str_eq(read->ns, ns)))
            return read;
    }
    return NULL;
}

bool lg_inventory_was_read(const struct lg_inventory *inv, enum lg_kind kind, struct lg_str ns,
                           struct lg_str name)
{
    return read_of(inv, kind, ns, name) != NULL;
}

/* --- look-ups --- */

enum lg_known lg_inventory_known(const struct lg_inventory *inv, enum lg_kind kind)
{
    assert(kind < LG_KIND_COUNT);
    return inv->tables[kind].known;
}

size_t lg_inventory_count(const struct lg_inventory *inv, enum lg_kind kind)
{
    assert(kind < LG_KIND_COUNT);
    return inv->tables[kind].by_key.used;
}

size_t lg_inventory_bytes(const struct lg_inventory *inv, enum lg_kind kind)
{
    assert(kind < LG_KIND_COUNT);
    return inv->tables[kind].bytes;
}

static enum lg_lookup absence(const struct lg_inventory *inv, enum lg_kind kind)
{
    return inv->tables[kind].known == LG_KNOWN ? LG_ABSENT : LG_UNKNOWN;
}

enum lg_lookup lg_inventory_get(const struct lg_inventory *inv, enum lg_kind kind, struct lg_str ns,
                                struct lg_str name, const struct lg_record **ret)
{
    assert(kind < LG_KIND_COUNT);
    const struct lg_read *read = read_of(inv, kind, ns, name);
    if (read != NULL) {
        *ret = read->record;
        return *ret != NULL ? LG_FOUND : LG_ABSENT;
    }
    struct key key lg_cleanup(key_done);
    key_init(&key, lg_gvk(kind)->namespaced, ns, name);
    *ret = record_of(kind, lg_map_get(&inv->tables[kind].by_key, key.str));
    return *ret != NULL ? LG_FOUND : absence(inv, kind);
}

enum lg_lookup lg_inventory_claim(const struct lg_inventory *inv, struct lg_str ns,
                                  struct lg_str name, const struct lg_claim **ret)
{
    return lg_inventory_get(inv, LG_KIND_CLAIM, ns, name, (const struct lg_record **)ret);
}

enum lg_lookup lg_inventory_data_volume(const struct lg_inventory *inv, struct lg_str ns,
                                        struct lg_str name, const struct lg_data_volume **ret)
{
    return lg_inventory_get(inv, LG_KIND_DATA_VOLUME, ns, name, (const struct lg_record **)ret);
}

enum lg_lookup lg_inventory_vmi(const struct lg_inventory *inv, struct lg_str ns,
                                struct lg_str name, const struct lg_vmi_record **ret)
{
    return lg_inventory_get(inv, LG_KIND_VMI, ns, name, (const struct lg_record **)ret);
}

enum lg_lookup lg_inventory_namespace(const struct lg_inventory *inv, struct lg_str name,
                                      const struct lg_namespace **ret)
{
    return lg_inventory_get(inv, LG_KIND_NAMESPACE, LG_STR(""), name,
                            (const struct lg_record **)ret);
}

const struct lg_record *lg_inventory_next(const struct lg_inventory *inv, enum lg_kind kind,
                                          size_t *pos)
{
    assert(kind < LG_KIND_COUNT);
    const struct lg_map_entry *at = lg_map_next(&inv->tables[kind].by_key, pos);
    return at != NULL ? record_of(kind, at->value) : NULL;
}

bool lg_inventory_stands_in(const struct lg_inventory *inv, enum lg_kind kind, struct lg_str ns)
{
    size_t pos = 0;
    const struct lg_record *record;
    while ((record = lg_inventory_next(inv, kind, &pos)) != NULL)
        if (lg_str_eq(record->ns, ns))
            return true;
    return false;
}

static const struct lg_link *next_link(const struct lg_map *index, struct lg_str ns,
                                       struct lg_str name, size_t *pos)
{
    struct key key lg_cleanup(key_done);
    key_init(&key, true, ns, name);
    return lg_index_next(index, key.str, pos);
}

const struct lg_record *lg_inventory_next_user(const struct lg_inventory *inv, struct lg_str ns,
                                               struct lg_str claim, size_t *pos,
                                               const struct lg_use **ret_use)
{
    const struct lg_link *link = next_link(&inv->users, ns, claim, pos);
    if (link == NULL)
        return NULL;
    uint32_t n;
    *ret_use = &uses_of(link->record, &n)[link->use];
    return link->record;
}

const struct lg_migration_record *lg_inventory_next_migration(const struct lg_inventory *inv,
                                                              struct lg_str ns, struct lg_str vmi,
                                                              size_t *pos)
{
    const struct lg_link *link;
    while ((link = next_link(&inv->migrations, ns, vmi, pos)) != NULL) {
        const struct lg_record *record = link->record;
        const struct lg_read *read = read_of(inv, LG_KIND_MIGRATION, record->ns, record->name);
        if (read != NULL)
            record = read->record;
        if (record != NULL)
            return (const struct lg_migration_record *)record;
    }
    return NULL;
}

const struct lg_slots *lg_inventory_slots(const struct lg_inventory *inv)
{
    return inv->slots;
}

const struct lg_node_table *lg_inventory_nodes(const struct lg_inventory *inv)
{
    return inv->nodes;
}

const struct lg_settings *lg_inventory_settings(const struct lg_inventory *inv)
{
    return inv->settings;
}
