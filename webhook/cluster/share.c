#include "webhook/cluster/share.h"

void lg_share_init(struct lg_share *share, double rate, int64_t now_ms)
{
    *share = (struct lg_share){.rate = rate, .tokens = rate, .at_ms = now_ms};
}

static unsigned count_takers(const struct lg_share *share, uint64_t besides)
{
    unsigned n = 0;
    for (int i = 0; i < LG_SHARE_TAKERS_MAX; i++)
        n += share->takers[i].taken > 0 && share->takers[i].who != besides;
    return n;
}

/* Time passes: the bucket fills, and what each took runs off, so fast that who takes its share at a
 * steady rate stays within it. */
static void advance(struct lg_share *share, int64_t now_ms)
{
    double s = now_ms > share->at_ms ? (double)(now_ms - share->at_ms) / 1000 : 0;
    unsigned n = count_takers(share, 0);
    double off = s * share->rate / (n != 0 ? n : 1);
    share->at_ms = now_ms > share->at_ms ? now_ms : share->at_ms;
    share->tokens += s * share->rate;
    if (share->tokens > share->rate)
        share->tokens = share->rate;
    for (int i = 0; i < LG_SHARE_TAKERS_MAX; i++) {
        struct lg_share_taker *taker = &share->takers[i];
        taker->taken = taker->taken > off ? taker->taken - off : 0;
    }
}

/* Its place; else one that is free, or of who took least. */
static struct lg_share_taker *place_of(struct lg_share *share, uint64_t who)
{
    struct lg_share_taker *least = &share->takers[0];
    for (int i = 0; i < LG_SHARE_TAKERS_MAX; i++) {
        struct lg_share_taker *taker = &share->takers[i];
        if (taker->taken > 0 && taker->who == who)
            return taker;
        if (taker->taken < least->taken)
            least = taker;
    }
    return least;
}

bool lg_share_take(struct lg_share *share, uint64_t who, bool scarce, int64_t now_ms)
{
    advance(share, now_ms);
    struct lg_share_taker *taker = place_of(share, who);
    double taken = taker->taken > 0 && taker->who == who ? taker->taken : 0;
    /* One who is not here yet is reckoned with: there is always somebody to keep room for. */
    double fair = share->rate / (2 + count_takers(share, who));
    bool modest = taken + 1 <= fair;
    double kept = modest ? 0 : share->rate / 2;
    if (share->tokens - 1 < kept || (scarce && !modest))
        return false;
    share->tokens -= 1;
    *taker = (struct lg_share_taker){.who = who, .taken = taken + 1};
    return true;
}
