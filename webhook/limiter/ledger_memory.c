#include "webhook/limiter/ledger_memory.h"

#include <pthread.h>
#include <stdlib.h>

#include "rules/core/mem.h"

struct lg_ledger_memory {
    pthread_mutex_t lock;
    struct lg_ledger ledger;
};

struct lg_ledger_memory *lg_ledger_memory_new(void)
{
    struct lg_ledger_memory *ledger = lg_calloc(1, sizeof *ledger);
    pthread_mutex_init(&ledger->lock, NULL);
    return ledger;
}

void lg_ledger_memory_free(struct lg_ledger_memory *ledger)
{
    if (ledger == NULL)
        return;
    lg_ledger_done(&ledger->ledger);
    pthread_mutex_destroy(&ledger->lock);
    free(ledger);
}

void lg_ledger_memory_decide(struct lg_ledger_memory *ledger, const struct lg_ask *ask,
                             const struct lg_inventory *inventory, struct lg_arena *arena,
                             struct lg_turnout *ret)
{
    pthread_mutex_lock(&ledger->lock);
    (void)lg_ledger_tidy(&ledger->ledger, ask->now_ms, lg_limiter_seen, (void *)inventory);
    lg_limits_decide(ask, lg_inventory_slots(inventory), &ledger->ledger, ret);
    lg_turnout_keep(ret, arena); /* before somebody else changes the ledger */
    pthread_mutex_unlock(&ledger->lock);
}

void lg_ledger_memory_counts(struct lg_ledger_memory *ledger, const struct lg_inventory *inventory,
                             int64_t now_ms, size_t *ret_reserved, size_t *ret_waiting)
{
    const struct lg_slots *slots = lg_inventory_slots(inventory);
    pthread_mutex_lock(&ledger->lock);
    (void)lg_ledger_tidy(&ledger->ledger, now_ms, lg_limiter_seen, (void *)inventory);
    *ret_reserved = lg_limits_used(slots, &ledger->ledger) - lg_slots_used(slots);
    *ret_waiting = ledger->ledger.n_tickets;
    pthread_mutex_unlock(&ledger->lock);
}
