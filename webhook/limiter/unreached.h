/* Answers that were given though the ledger was not reached in time: "come back in 4 s". Each cost
 * its caller one of the retries that it has, and no ticket counted it. They are kept until the
 * ledger is reached and go into its tickets then: whoever asked meanwhile has its place by when it
 * came, and is not told to come back more often than it can.
 *
 * At most LG_UNREACHED_MAX callers; more are answered and not kept. Any thread; a call holds a lock
 * for microseconds.
 */
#ifndef LG_WEBHOOK_LIMITER_UNREACHED_H
#define LG_WEBHOOK_LIMITER_UNREACHED_H

#include "rules/virt/limits.h"

enum { LG_UNREACHED_MAX = 256 };

struct lg_unreached;

struct lg_unreached *lg_unreached_new(void) __attribute__((returns_nonnull));
/* NULL is allowed. */
void lg_unreached_free(struct lg_unreached *take_unreached);

/* The ask is answered now (its now_ms). In how many seconds it shall come back; the same for the
 * same ask. `tries`: the answers that its ticket has counted, as far as is known. */
int lg_unreached_answer(struct lg_unreached *unreached, const struct lg_ask *ask, unsigned tries);

/* Tells a ledger that is about to be written. True: it has changed. */
bool lg_unreached_tell(struct lg_unreached *unreached, struct lg_ledger *io_ledger, int64_t now_ms);
/* What was told last is kept by the ledger now. */
void lg_unreached_told(struct lg_unreached *unreached);

#endif
