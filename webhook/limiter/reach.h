/* Whether the shared ledger counts as reached, by what became of the calls to it: what policy's
 * whenLedgerUnreachable asks.
 *
 * Reads and writes each for themselves: a right may be missing for one of them. A sort of call is
 * away
 *   - when LG_REACH_FAILURES in a row came to nothing (refused, an error, no answer in their time),
 *     reads for LG_REACH_FAILED_MS at least, until one is answered: an API server that has just
 *     started refuses for a moment what it allows then;
 *   - when none of LG_REACH_FAILURES or more was prompt for LG_REACH_SLOW_MS: each review's time
 *     would be over before its decision is written.
 * What was seen LG_REACH_STALE_MS ago says nothing any more. That a caller's time ran out in our
 * own queue is not in it: nobody goes through because many came at once. Written by one thread,
 * read by any.
 */
#ifndef LG_WEBHOOK_LIMITER_REACH_H
#define LG_WEBHOOK_LIMITER_REACH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    LG_REACH_FAILURES = 3,
    LG_REACH_FAILED_MS = 2 * 1000,
    /* a third of what a review waits: one reads, writes, and waits once for others */
    LG_REACH_PROMPT_MS = 700,
    LG_REACH_SLOW_MS = 10 * 1000,
    LG_REACH_STALE_MS = 30 * 1000,
};

enum lg_reach_call { LG_REACH_READ, LG_REACH_WRITE, LG_REACH_CALLS };
enum lg_reach_end { LG_REACH_PROMPT, LG_REACH_SLOW, LG_REACH_FAILED };

/* Zeroed = reached. */
struct lg_reach {
    struct lg_reach_of {
        unsigned failures, late; /* in a row; late: failed or slow */
        int64_t slow_ms,
            later_ms; /* since when, and until when, none was prompt; 0: the last one was */
    } of[LG_REACH_CALLS];
    _Atomic int64_t away_until_ms, refused_until_ms;
};

/* A call has ended. */
void lg_reach_note(struct lg_reach *reach, enum lg_reach_call call, enum lg_reach_end end,
                   int64_t now_ms) __attribute__((nonnull));
/* What lies there is not ours to change (a newer livegate's); or is, again. */
void lg_reach_refused(struct lg_reach *reach, bool refused, int64_t now_ms)
    __attribute__((nonnull));

/* Any thread. */
bool lg_reach_is_away(const struct lg_reach *reach, int64_t now_ms) __attribute__((nonnull));

#endif
