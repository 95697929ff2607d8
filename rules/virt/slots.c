#include "rules/virt/slots.h"

#include <stdlib.h>

#include "rules/core/map.h"
#include "rules/core/mem.h"
#include "rules/virt/ledger.h"

enum {
    TYPICAL_WEIGHT = 8,
    TYPICAL_S_MAX = 24 * 3600
}; /* each that ends moves the typical duration by an eighth */

/* A node that migrations leave or enter. Lives while one does. */
struct node {
    uint32_t out, in, held; /* held: by guests, through any of the three ways below */
    struct lg_str name;     /* behind it */
};

/* A guest with at least one unfinished migration. */
struct guest {
    struct lg_slot slot; /* migration NULL: it takes up no place */
    struct node *node, *also, *to;
    const struct lg_migration_record **migrations; /* unfinished ones */
    uint32_t n, size;
    uint32_t at;       /* place in lg_slots.counted while it counts */
    struct lg_str key; /* behind it */
};

struct lg_slots {
    struct lg_map guests; /* "namespace/guest" -> struct guest */
    struct lg_map nodes;
    struct guest **counted;
    size_t n, size;
    size_t running, unplaced;
    int64_t typical_ms;
    uint64_t gone[LG_SLOTS_GONE_MAX]; /* hashes of uids, a ring; 0: none */
    size_t gone_at;
};

struct lg_slots *lg_slots_new(void)
{
    return lg_calloc(1, sizeof(struct lg_slots));
}

void lg_slots_free(struct lg_slots *slots)
{
    if (slots == NULL)
        return;
    const struct lg_map_entry *at;
    for (size_t pos = 0; (at = lg_map_next(&slots->guests, &pos)) != NULL;) {
        struct guest *guest = at->value;
        free(guest->migrations);
        free(guest);
    }
    for (size_t pos = 0; (at = lg_map_next(&slots->nodes, &pos)) != NULL;)
        free(at->value);
    lg_map_done(&slots->guests);
    lg_map_done(&slots->nodes);
    free(slots->counted);
    free(slots);
}

bool lg_migration_is_final(const struct lg_migration_record *migration)
{
    return lg_str_is(migration->phase, "Succeeded") || lg_str_is(migration->phase, "Failed");
}

bool lg_migration_is_running(const struct lg_migration_record *migration)
{
    static const char *const not_running[] = {"",       "Pending",        "Succeeded",
                                              "Failed", "WaitingForSync", "Synchronizing"};
    for (size_t i = 0; i < sizeof not_running / sizeof *not_running; i++)
        if (lg_str_is(migration->phase, not_running[i]))
            return false;
    return !(migration->sends && lg_str_is(migration->phase, "Scheduling"));
}

/* It waits, and nothing but the limits keeps KubeVirt from starting it. */
static bool could_start(const struct lg_migration_record *migration,
                        const struct lg_vmi_record *vmi)
{
    return (migration->phase.n == 0 || lg_str_is(migration->phase, "Pending")) &&
           !migration->decentralized && !migration->r.deleting && !migration->blocked &&
           vmi != NULL && !vmi->r.deleting && lg_str_is(vmi->phase, "Running");
}

/* --- nodes --- */

static struct node *node_hold(struct lg_slots *slots, struct lg_str name)
{
    if (name.n == 0)
        return NULL;
    struct node *node = lg_map_get(&slots->nodes, name);
    if (node == NULL) {
        node = lg_calloc(1, sizeof *node + name.n);
        memcpy(node + 1, name.p, name.n);
        node->name = (struct lg_str){(char *)(node + 1), name.n};
        lg_map_set(&slots->nodes, node->name, node);
    }
    node->held++;
    return node;
}

static void node_release(struct lg_slots *slots, struct node *node)
{
    if (node == NULL || --node->held != 0)
        return;
    lg_map_remove(&slots->nodes, node->name);
    free(node);
}

/* --- guests --- */

/* The older of two that count in the same way; one that runs goes before one that waits. */
static bool goes_before(const struct lg_migration_record *a, const struct lg_migration_record *b)
{
    bool a_runs = lg_migration_is_running(a);
    bool b_runs = lg_migration_is_running(b);
    if (a_runs != b_runs)
        return a_runs;
    if (a->r.created_unix_s != b->r.created_unix_s)
        return a->r.created_unix_s < b->r.created_unix_s;
    return lg_str_cmp(a->r.name, b->r.name) < 0;
}

static const struct lg_migration_record *what_counts(const struct guest *guest,
                                                     const struct lg_vmi_record *vmi)
{
    const struct lg_migration_record *best = NULL;
    for (uint32_t i = 0; i < guest->n; i++) {
        const struct lg_migration_record *migration = guest->migrations[i];
        if (!lg_migration_is_running(migration) && !could_start(migration, vmi))
            continue;
        if (best == NULL || goes_before(migration, best))
            best = migration;
    }
    return best;
}

static void uncount(struct lg_slots *slots, struct guest *guest)
{
    if (guest->slot.migration == NULL)
        return;
    struct guest *last = slots->counted[--slots->n];
    slots->counted[guest->at] = last;
    last->at = guest->at;
    slots->running -= guest->slot.running;
    slots->unplaced -= guest->to == NULL;
    if (guest->node != NULL)
        guest->node->out--;
    if (guest->also != NULL)
        guest->also->out--;
    if (guest->to != NULL)
        guest->to->in--;
    node_release(slots, guest->node);
    node_release(slots, guest->also);
    node_release(slots, guest->to);
    guest->node = guest->also = guest->to = NULL;
    guest->slot = (struct lg_slot){0};
}

static void count(struct lg_slots *slots, struct guest *guest, const struct lg_vmi_record *vmi)
{
    const struct lg_migration_record *migration = what_counts(guest, vmi);
    if (migration == NULL)
        return;
    bool running = lg_migration_is_running(migration);
    struct lg_str from = vmi != NULL && vmi->from.n != 0 ? vmi->from : migration->source_node;
    struct lg_str node = vmi != NULL && vmi->node.n != 0 ? vmi->node : from;
    guest->node = node_hold(slots, node);
    if (running && !lg_str_eq(from, node))
        guest->also = node_hold(slots, from);
    if (running && vmi != NULL && !lg_str_eq(vmi->to, node))
        guest->to = node_hold(slots, vmi->to);
    if (guest->node != NULL)
        guest->node->out++;
    if (guest->also != NULL)
        guest->also->out++;
    if (guest->to != NULL)
        guest->to->in++;
    guest->slot = (struct lg_slot){
        .migration = migration,
        .running = running,
        .node = guest->node != NULL ? guest->node->name : LG_STR(""),
        .also = guest->also != NULL ? guest->also->name : LG_STR(""),
        .to = guest->to != NULL ? guest->to->name : LG_STR(""),
    };
    slots->running += running;
    slots->unplaced += guest->to == NULL;
    if (slots->n == slots->size) {
        slots->size = slots->size != 0 ? slots->size * 2 : 16;
        slots->counted = lg_realloc(slots->counted, slots->size, sizeof *slots->counted);
    }
    guest->at = (uint32_t)slots->n;
    slots->counted[slots->n++] = guest;
}

/* "namespace/name" on the heap; names of real objects are short. */
static struct lg_buf key_of(struct lg_str ns, struct lg_str name)
{
    struct lg_buf key = {0};
    lg_buf_str(&key, ns);
    lg_buf_putc(&key, '/');
    lg_buf_str(&key, name);
    return key;
}

static struct guest *find(const struct lg_slots *slots, struct lg_str ns, struct lg_str name)
{
    char small[384];
    size_t n = ns.n + 1 + name.n;
    if (n <= sizeof small) {
        memcpy(small, ns.p, ns.n);
        small[ns.n] = '/';
        if (name.n != 0)
            memcpy(small + ns.n + 1, name.p, name.n);
        return lg_map_get(&slots->guests, (struct lg_str){small, n});
    }
    struct lg_buf key lg_cleanup(lg_buf_done) = key_of(ns, name);
    return lg_map_get(&slots->guests, lg_buf_view(&key));
}

static struct guest *find_or_make(struct lg_slots *slots, struct lg_str ns, struct lg_str name)
{
    struct lg_buf key lg_cleanup(lg_buf_done) = key_of(ns, name);
    struct guest *guest = lg_map_get(&slots->guests, lg_buf_view(&key));
    if (guest != NULL)
        return guest;
    guest = lg_calloc(1, sizeof *guest + key.n);
    memcpy(guest + 1, key.p, key.n);
    guest->key = (struct lg_str){(char *)(guest + 1), key.n};
    lg_map_set(&slots->guests, guest->key, guest);
    return guest;
}

static void learn_duration(struct lg_slots *slots, const struct lg_migration_record *migration)
{
    if (migration->took_s == 0 || !lg_str_is(migration->phase, "Succeeded"))
        return;
    int64_t took_s = migration->took_s < TYPICAL_S_MAX ? migration->took_s : TYPICAL_S_MAX;
    int64_t took_ms = took_s * 1000;
    if (slots->typical_ms == 0)
        slots->typical_ms = took_ms;
    else
        slots->typical_ms += (took_ms - slots->typical_ms) / TYPICAL_WEIGHT;
}

static void take_away(struct lg_slots *slots, const struct lg_migration_record *old)
{
    struct guest *guest = find(slots, old->r.ns, old->vmi);
    if (guest == NULL)
        return;
    uncount(slots, guest);
    for (uint32_t i = 0; i < guest->n; i++)
        if (guest->migrations[i] == old)
            guest->migrations[i--] = guest->migrations[--guest->n];
}

static void put(struct guest *guest, const struct lg_migration_record *new)
{
    if (guest->n == guest->size) {
        guest->size = guest->size != 0 ? guest->size * 2 : 1;
        guest->migrations =
            lg_realloc((void *)guest->migrations, guest->size, sizeof *guest->migrations);
    }
    guest->migrations[guest->n++] = new;
}

static void settle(struct lg_slots *slots, struct guest *guest, const struct lg_vmi_record *vmi)
{
    uncount(slots, guest);
    count(slots, guest, vmi);
    if (guest->n != 0)
        return;
    lg_map_remove(&slots->guests, guest->key);
    free(guest->migrations);
    free(guest);
}

/* Not 0. */
static uint64_t hash_of(struct lg_str uid)
{
    uint64_t hash = lg_ledger_hash(uid, LG_STR(""), LG_STR(""));
    return hash != 0 ? hash : 1;
}

static void remember_gone(struct lg_slots *slots, struct lg_str uid)
{
    if (uid.n == 0)
        return;
    slots->gone[slots->gone_at] = hash_of(uid);
    slots->gone_at = (slots->gone_at + 1) % LG_SLOTS_GONE_MAX;
}

bool lg_slots_is_gone(const struct lg_slots *slots, struct lg_str uid)
{
    bool found = false;
    uint64_t hash = hash_of(uid);
    for (size_t i = 0; i < LG_SLOTS_GONE_MAX; i++)
        found = found || slots->gone[i] == hash;
    return found;
}

void lg_slots_set_migration(struct lg_slots *slots, const struct lg_migration_record *old,
                            const struct lg_migration_record *new, lg_slots_guest_fn *guest_of,
                            void *arg)
{
    bool was = old != NULL && !lg_migration_is_final(old);
    if (was)
        take_away(slots, old);
    if (new != NULL && !lg_migration_is_final(new))
        put(find_or_make(slots, new->r.ns, new->vmi), new);
    else if (new != NULL && (was || old == NULL))
        learn_duration(slots, new);
    if (old != NULL && (new == NULL || !lg_str_eq(old->r.uid, new->r.uid)))
        remember_gone(slots, old->r.uid);
    /* One or the other guest; both, where somebody wrote another vmiName into a file. */
    const struct lg_migration_record *touched[] = {old, new};
    for (int i = 0; i < 2; i++) {
        if (touched[i] == NULL)
            continue;
        struct guest *guest = find(slots, touched[i]->r.ns, touched[i]->vmi);
        if (guest != NULL)
            settle(slots, guest, guest_of(arg, touched[i]->r.ns, touched[i]->vmi));
    }
}

void lg_slots_set_guest(struct lg_slots *slots, struct lg_str ns, struct lg_str name,
                        const struct lg_vmi_record *vmi)
{
    struct guest *guest = slots->guests.used != 0 ? find(slots, ns, name) : NULL;
    if (guest != NULL)
        settle(slots, guest, vmi);
}

/* --- counting --- */

size_t lg_slots_used(const struct lg_slots *slots)
{
    return slots->n;
}

size_t lg_slots_running(const struct lg_slots *slots)
{
    return slots->running;
}

size_t lg_slots_outbound(const struct lg_slots *slots, struct lg_str node)
{
    const struct node *found = lg_map_get(&slots->nodes, node);
    return found != NULL ? found->out : 0;
}

size_t lg_slots_inbound(const struct lg_slots *slots, struct lg_str node)
{
    const struct node *found = lg_map_get(&slots->nodes, node);
    return found != NULL ? found->in : 0;
}

size_t lg_slots_unplaced(const struct lg_slots *slots)
{
    return slots->unplaced;
}

const struct lg_slot *lg_slots_get(const struct lg_slots *slots, struct lg_str ns,
                                   struct lg_str guest)
{
    const struct guest *found = find(slots, ns, guest);
    return found != NULL && found->slot.migration != NULL ? &found->slot : NULL;
}

const struct lg_slot *lg_slots_next(const struct lg_slots *slots, size_t *pos)
{
    return *pos < slots->n ? &slots->counted[(*pos)++]->slot : NULL;
}

int64_t lg_slots_typical_s(const struct lg_slots *slots)
{
    return (slots->typical_ms + 999) / 1000;
}
