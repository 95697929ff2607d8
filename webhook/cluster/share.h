/* Fair shares of a rate: whoever asks much leaves room for whoever asks little.
 *
 * A bucket of `rate` tokens, filled at `rate` a second. Who has taken less of late than an equal
 * share among those who take may have any token; who has taken more only those above the half that
 * is kept for the others. Alone one gets the whole rate, beside others at least its share; a flood
 * of one keeps nobody out. How much each took is remembered for at most LG_SHARE_TAKERS_MAX, those
 * who took least are forgotten first. Pure; one thread.
 */
#ifndef LG_WEBHOOK_CLUSTER_SHARE_H
#define LG_WEBHOOK_CLUSTER_SHARE_H

#include <stdbool.h>
#include <stdint.h>

enum { LG_SHARE_TAKERS_MAX = 64 };

struct lg_share_taker {
    uint64_t who;
    double taken; /* of late: runs off at its share; 0 = nothing, a free place */
};

struct lg_share {
    double rate, tokens;
    int64_t at_ms;
    struct lg_share_taker takers[LG_SHARE_TAKERS_MAX];
};

void lg_share_init(struct lg_share *share, double rate, int64_t now_ms);

/* Takes a token for `who` (a hash); false: there is none for it. `scarce`: something else that is
 * handed out with it is half used up, and the rest is for who has taken little. O(takers). */
bool lg_share_take(struct lg_share *share, uint64_t who, bool scarce, int64_t now_ms);

#endif
