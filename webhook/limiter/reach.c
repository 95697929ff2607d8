#include "webhook/limiter/reach.h"

/* Writes follow upon a read that was answered: what started is up. */
static const int64_t failed_ms[LG_REACH_CALLS] = {[LG_REACH_READ] = LG_REACH_FAILED_MS};

static bool is_away(const struct lg_reach *reach, int call, int64_t now_ms)
{
    const struct lg_reach_of *of = &reach->of[call];
    int64_t for_ms = of->later_ms - of->slow_ms;
    bool failed = of->failures >= LG_REACH_FAILURES && for_ms >= failed_ms[call];
    bool slow = of->late >= LG_REACH_FAILURES && for_ms >= LG_REACH_SLOW_MS;
    return of->slow_ms != 0 && now_ms - of->later_ms < LG_REACH_STALE_MS && (failed || slow);
}

/* A failure is no prompt answer either. */
static void count(struct lg_reach_of *io, enum lg_reach_end end, int64_t now_ms)
{
    if (end == LG_REACH_PROMPT || now_ms - io->later_ms >= LG_REACH_STALE_MS)
        *io = (struct lg_reach_of){0};
    if (end == LG_REACH_PROMPT)
        return;
    io->late++;
    io->failures = end == LG_REACH_FAILED ? io->failures + 1 : 0;
    if (io->slow_ms == 0)
        io->slow_ms = now_ms;
    io->later_ms = now_ms;
}

void lg_reach_note(struct lg_reach *reach, enum lg_reach_call call, enum lg_reach_end end,
                   int64_t now_ms)
{
    int64_t until_ms = 0;
    count(&reach->of[call], end, now_ms);
    for (int i = 0; i < LG_REACH_CALLS; i++) {
        int64_t of_ms = reach->of[i].later_ms + LG_REACH_STALE_MS;
        if (is_away(reach, i, now_ms) && of_ms > until_ms)
            until_ms = of_ms;
    }
    atomic_store(&reach->away_until_ms, until_ms);
}

void lg_reach_refused(struct lg_reach *reach, bool refused, int64_t now_ms)
{
    atomic_store(&reach->refused_until_ms, refused ? now_ms + LG_REACH_STALE_MS : 0);
}

bool lg_reach_is_away(const struct lg_reach *reach, int64_t now_ms)
{
    return now_ms < atomic_load(&reach->away_until_ms) ||
           now_ms < atomic_load(&reach->refused_until_ms);
}
