/* When a caller that has to wait comes back, and how often it still can: client-go asks LG_RETRIES
 * times after a first refusal, and then its user has to. Pure, any thread.
 */
#ifndef LG_RULES_VIRT_RETRIES_H
#define LG_RULES_VIRT_RETRIES_H

#include "rules/virt/ledger.h"

enum {
    LG_RETRIES = 10, /* what client-go does by itself after a first refusal */
    LG_RETRY_S_MAX = 300,
    LG_RETRY_HEAD_S_MAX = 3,
};

struct lg_retry {
    struct lg_str id,
        guest;      /* of the ask: callers that were refused together do not come back together */
    unsigned tries; /* answers it has had, with this one; from 1 */
    size_t place;   /* 0 = not known */
    int64_t estimate_s; /* until its turn */
};

/* Seconds from 1 to LG_RETRY_S_MAX. */
int lg_retry_after_s(const struct lg_retry *retry);

/* Answers that were given though the ledger was not reached: it has to learn of them. */
struct lg_missed {
    struct lg_str ns, guest, node;
    struct lg_str user; /* as it stands in tickets (lg_ledger_user) */
    struct lg_str id;   /* of the ask that was answered last */
    unsigned n;         /* how many */
    /* Hashes (lg_ledger_hash) of the ids of those n, the first one first; 0 = none. One that a
     * ticket has was counted by it, and so were those before. */
    uint64_t ids[LG_RETRIES];
    int64_t since_ms; /* the first */
    int64_t due_ms;   /* when it comes back, as it was told last */
};

/* Seconds until such a caller comes back: each time later. `tries`: what its ticket counted, as far
 * as is known. */
int lg_retry_missed_s(const struct lg_missed *missed, unsigned tries);

/* Its place is the one it would have got, and its ticket counts the answers. Twice is as good as
 * once, also when more were given in between. True: changed. */
bool lg_ledger_add_missed(struct lg_ledger *ledger, const struct lg_missed *missed);

#endif
