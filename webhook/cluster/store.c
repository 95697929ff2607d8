#include "webhook/cluster/store.h"

#include <assert.h>
#include <sched.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "rules/core/mem.h"
#include "webhook/cluster/wait.h"

enum { CACHE_LINE_BYTES = 64, SPINS = 64, PAUSE_NS = 20 * 1000, OPS_KEPT = 1024 };

enum op_type { OP_SET, OP_REMOVE, OP_KNOWN };

struct op {
    enum op_type type;
    enum lg_kind kind;
    enum lg_known known;
    struct lg_record *record; /* one reference is held; the removed one for OP_REMOVE */
};

struct counter {
    alignas(CACHE_LINE_BYTES) atomic_uint readers;
};

struct lg_store {
    struct counter counters[2]; /* [version]: pins by the version at their time */
    alignas(CACHE_LINE_BYTES) atomic_uint version;
    atomic_uint visible; /* which copy readers come to */
    struct lg_inventory *copies[2];
    /* the writer's */
    struct op *ops; /* done to the idle copy, not yet to the visible one */
    size_t n_ops, size_ops;
};

struct lg_store *lg_store_new(void)
{
    struct lg_store *store = aligned_alloc(CACHE_LINE_BYTES, sizeof *store);
    if (store == NULL)
        lg_oom(sizeof *store);
    *store = (struct lg_store){0};
    for (int i = 0; i < 2; i++)
        store->copies[i] = lg_inventory_new();
    return store;
}

static void ops_done(struct lg_store *store)
{
    for (size_t i = 0; i < store->n_ops; i++)
        lg_record_unref(store->ops[i].record);
    store->n_ops = 0;
    if (store->size_ops <= OPS_KEPT)
        return;
    free(lg_steal(store->ops)); /* a list's, and the next one may be hours away */
    store->size_ops = 0;
}

void lg_store_free(struct lg_store *take_store)
{
    if (take_store == NULL)
        return;
    assert(atomic_load(&take_store->counters[0].readers) == 0 &&
           atomic_load(&take_store->counters[1].readers) == 0);
    ops_done(take_store);
    for (int i = 0; i < 2; i++)
        lg_inventory_free(take_store->copies[i]);
    free(take_store->ops);
    free(take_store);
}

/* --- readers --- */

const struct lg_inventory *lg_store_pin(struct lg_store *store, unsigned *ret_ticket)
{
    struct lg_wait wait = lg_wait_begin(LG_WAIT_ENTER);
    unsigned version = atomic_load(&store->version);
    atomic_fetch_add(&store->counters[version].readers, 1);
    *ret_ticket = version;
    const struct lg_inventory *inventory = store->copies[atomic_load(&store->visible)];
    lg_wait_end(&wait);
    return inventory;
}

void lg_store_unpin(struct lg_store *store, unsigned ticket)
{
    struct lg_wait wait = lg_wait_begin(LG_WAIT_LEAVE);
    unsigned before = atomic_fetch_sub(&store->counters[ticket].readers, 1);
    assert(before != 0);
    (void)before;
    lg_wait_end(&wait);
}

/* --- the writer --- */

static struct lg_inventory *idle(const struct lg_store *store)
{
    return store->copies[1 - atomic_load(&store->visible)];
}

const struct lg_inventory *lg_store_pending(const struct lg_store *store)
{
    return idle(store);
}

const struct lg_record *lg_store_find(const struct lg_store *store, enum lg_kind kind,
                                      struct lg_str ns, struct lg_str name)
{
    const struct lg_record *record = NULL;
    (void)lg_inventory_get(idle(store), kind, ns, name, &record);
    return record;
}

static void apply(struct lg_inventory *inventory, const struct op *op)
{
    switch (op->type) {
    case OP_SET:
        lg_inventory_set(inventory, lg_record_ref(op->record));
        break;
    case OP_REMOVE:
        lg_inventory_remove(inventory, op->kind, op->record->ns, op->record->name);
        break;
    case OP_KNOWN:
        lg_inventory_set_known(inventory, op->kind, op->known);
        break;
    }
}

static void add_op(struct lg_store *store, struct op op)
{
    if (store->n_ops == store->size_ops) {
        store->size_ops = store->size_ops != 0 ? store->size_ops * 2 : 64;
        store->ops = lg_realloc(store->ops, store->size_ops, sizeof *store->ops);
    }
    store->ops[store->n_ops++] = op;
    apply(idle(store), &op);
}

bool lg_store_set(struct lg_store *store, struct lg_record *take_record)
{
    const struct lg_record *old =
        lg_store_find(store, take_record->kind, take_record->ns, take_record->name);
    if (old != NULL && (old == take_record || lg_record_equal(old, take_record))) {
        lg_record_unref(take_record);
        return false;
    }
    add_op(store, (struct op){.type = OP_SET, .kind = take_record->kind, .record = take_record});
    return true;
}

static void remove_record(struct lg_store *store, const struct lg_record *record)
{
    add_op(store, (struct op){.type = OP_REMOVE,
                              .kind = record->kind,
                              .record = lg_record_ref((struct lg_record *)record)});
}

bool lg_store_remove(struct lg_store *store, enum lg_kind kind, struct lg_str ns,
                     struct lg_str name)
{
    const struct lg_record *old = lg_store_find(store, kind, ns, name);
    if (old != NULL)
        remove_record(store, old);
    return old != NULL;
}

void lg_store_set_known(struct lg_store *store, enum lg_kind kind, enum lg_known known)
{
    if (lg_inventory_known(idle(store), kind) != known)
        add_op(store, (struct op){.type = OP_KNOWN, .kind = kind, .known = known});
}

/* The one that is there under its name stays, or is replaced. True: and it was not marked yet. */
static bool mark(const struct lg_store *store, const struct lg_record *record)
{
    struct lg_record *old =
        (struct lg_record *)lg_store_find(store, record->kind, record->ns, record->name);
    if (old == NULL || old->stays)
        return false;
    return old->stays = true;
}

void lg_store_replace(struct lg_store *store, enum lg_kind kind,
                      struct lg_record *const *take_records, size_t n)
{
    const struct lg_record *record;
    size_t n_gone = lg_inventory_count(idle(store), kind), pos = 0;
    for (size_t i = 0; i < n && n_gone != 0; i++)
        n_gone -= mark(store, take_records[i]);
    struct lg_record **gone = lg_calloc(n_gone, sizeof(struct lg_record *));
    for (n_gone = 0; (record = lg_inventory_next(idle(store), kind, &pos)) != NULL;) {
        struct lg_record *old = (struct lg_record *)record;
        if (!old->stays)
            gone[n_gone++] = old;
        old->stays = false;
    }
    for (size_t i = 0; i < n_gone; i++)
        remove_record(store, gone[i]);
    for (size_t i = 0; i < n; i++)
        (void)lg_store_set(store, take_records[i]);
    free(gone);
}

void lg_store_adopt(struct lg_store *store, const struct lg_inventory *inventory)
{
    for (int kind = 0; kind < LG_KIND_COUNT; kind++) {
        const struct lg_record *record;
        size_t pos = 0;
        while ((record = lg_inventory_next(inventory, (enum lg_kind)kind, &pos)) != NULL)
            (void)lg_store_set(store, lg_record_ref((struct lg_record *)record));
        lg_store_set_known(store, (enum lg_kind)kind,
                           lg_inventory_known(inventory, (enum lg_kind)kind));
    }
}

static void wait_for_none(struct counter *counter)
{
    const struct timespec pause = {.tv_nsec = PAUSE_NS};
    for (int i = 0; atomic_load(&counter->readers) != 0; i++) {
        if (i < SPINS)
            (void)sched_yield();
        else
            (void)nanosleep(&pause, NULL);
    }
}

bool lg_store_commit(struct lg_store *store)
{
    if (store->n_ops == 0)
        return false;
    struct lg_inventory *old = store->copies[atomic_load(&store->visible)];
    atomic_store(&store->visible, 1 - atomic_load(&store->visible));
    /* Readers that came by either version may still be in the old copy: each counter is seen at
     * zero once, and the one that new readers do not use is always waited for first, so that a
     * stream of readers cannot hold us up. */
    unsigned version = atomic_load(&store->version);
    wait_for_none(&store->counters[1 - version]);
    atomic_store(&store->version, 1 - version);
    wait_for_none(&store->counters[version]);
    for (size_t i = 0; i < store->n_ops; i++)
        apply(old, &store->ops[i]);
    ops_done(store);
    return true;
}
