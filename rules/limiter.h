/* Between the judge and the limiter's decision: who asks for what, by which limits, and what comes
 * of it.
 *
 * A review goes: judged by all rules; where none denies, asked (lg_limiter_ask); decided over a
 * ledger (virt/limits.h), by whoever keeps it; judged again with the turnout in hand
 * (input.turnout), which is what LG610 to LG612 read. Pure, any thread.
 */
#ifndef LG_RULES_LIMITER_H
#define LG_RULES_LIMITER_H

#include "rules/engine.h"
#include "rules/virt/limits.h"

/* Adds what should be read before the limiter is asked: whether a migration of that name, which has
 * ended, is there still. */
void lg_limiter_want(const struct lg_engine_input *input, struct lg_judgement *io_first);

/* Fills in what is asked of the limiter; false where it has nothing to say: no new migration, a
 * rule denies, one that KubeVirt refuses anyway, a name that exists already, the limiter is off. A
 * name whose migration has ended and was not read (lg_limiter_want) is taken for a new one: it may
 * have been deleted since. `first` is the judgement without a turnout. Texts are borrowed from the
 * input, the inventory and the arena. */
bool lg_limiter_ask(const struct lg_engine_input *input, const struct lg_judgement *first,
                    int64_t now_ms, struct lg_arena *arena, struct lg_ask *ret);

/* A lg_ledger_seen_fn over an inventory (`arg`). */
enum lg_seen lg_limiter_seen(void *arg, const struct lg_reservation *reservation);

/* True when there is something to say: the review is judged again with it. */
bool lg_limiter_speaks(const struct lg_turnout *turnout);

/* Whether it goes through whatever the ledger says: policy waives every limit that applies. */
bool lg_limiter_passes(const struct lg_ask *ask);

/* What comes of a ledger that was not reached, as policy says; when a caller that is refused shall
 * come back, whoever keeps the ledger knows. */
void lg_limiter_unreachable(const struct lg_policy *policy, const struct lg_ask *ask,
                            struct lg_turnout *ret);

/* All of it over a ledger that nobody else holds. */
void lg_limiter_judge(const struct lg_engine_input *input, struct lg_ledger *io_ledger,
                      int64_t now_ms, struct lg_arena *arena, struct lg_judgement *ret);

#endif
