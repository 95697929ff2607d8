/* The limiter's ledger in this process alone: for one replica, and for files. Any thread; a
 * decision holds a lock for microseconds and waits for nothing. */
#ifndef LG_WEBHOOK_LIMITER_LEDGER_MEMORY_H
#define LG_WEBHOOK_LIMITER_LEDGER_MEMORY_H

#include "rules/limiter.h"

struct lg_ledger_memory;

struct lg_ledger_memory *lg_ledger_memory_new(void) __attribute__((returns_nonnull));
void lg_ledger_memory_free(struct lg_ledger_memory *take_ledger);

/* Decides and remembers, by what this state of the inventory shows. Its texts lie in the arena. */
void lg_ledger_memory_decide(struct lg_ledger_memory *ledger, const struct lg_ask *ask,
                             const struct lg_inventory *inventory, struct lg_arena *arena,
                             struct lg_turnout *ret);

/* Reservations without a migration yet, and tickets. */
void lg_ledger_memory_counts(struct lg_ledger_memory *ledger, const struct lg_inventory *inventory,
                             int64_t now_ms, size_t *ret_reserved, size_t *ret_waiting);

#endif
