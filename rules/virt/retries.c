#include "rules/virt/retries.h"

enum {
    TIMES = 4,   /* the estimate */
    NEAR_S = 15, /* a turn that is near */
    MISSED_S = 4,
    MISSED_S_MAX = 60,
};

/* Between 90 % and 110 %, other for each ask. */
static int64_t jittered(int64_t s, struct lg_str id, struct lg_str guest, unsigned tries)
{
    char count = (char)tries;
    uint64_t hash = lg_ledger_hash(id, guest, (struct lg_str){&count, 1});
    return s + (s * (int64_t)(hash % 21) - s * 10 + 50) / 100;
}

/* Spread over the retries that the client has left. An estimate may be wrong, and places are not
 * handed on at once: it is taken four times, and the last retries are further and further apart, so
 * that they do not run out together. Who is next and whose turn is near asks often, as long as it
 * can afford to. */
int lg_retry_after_s(const struct lg_retry *retry)
{
    unsigned left = retry->tries <= LG_RETRIES ? LG_RETRIES + 1 - retry->tries : 1;
    bool can_afford = left > LG_RETRIES / 2;
    int64_t s = (TIMES * retry->estimate_s + left - 1) / left;
    if (s > retry->estimate_s)
        s = retry->estimate_s;
    int64_t at_least = can_afford ? 1 : (int64_t)4 << (LG_RETRIES / 2 - left);
    if (s < at_least)
        s = at_least;
    s = jittered(s, retry->id, retry->guest, retry->tries);
    bool near = retry->place == 1 && retry->estimate_s <= NEAR_S;
    if (near && can_afford && s > LG_RETRY_HEAD_S_MAX)
        s = LG_RETRY_HEAD_S_MAX;
    if (s < 1)
        return 1;
    return (int)(s < LG_RETRY_S_MAX ? s : LG_RETRY_S_MAX);
}

int lg_retry_missed_s(const struct lg_missed *missed, unsigned tries)
{
    int64_t s = MISSED_S;
    for (unsigned i = 1; i < tries + missed->n && s < MISSED_S_MAX; i++)
        s *= 2;
    return lg_retry_after_s(&(struct lg_retry){.id = missed->id,
                                               .guest = missed->guest,
                                               .tries = tries + missed->n,
                                               .estimate_s = s < MISSED_S_MAX ? s : MISSED_S_MAX});
}

static bool add_ticket(struct lg_ledger *ledger, const struct lg_missed *missed)
{
    uint64_t tag = lg_ledger_next_tag(ledger, missed->ns, missed->node);
    if (!lg_ledger_make_room(ledger, missed->ns, tag))
        return false;
    const struct lg_ticket ticket = {.ns = missed->ns,
                                     .guest = missed->guest,
                                     .node = missed->node,
                                     .user = missed->user,
                                     .id = missed->id,
                                     .tag = tag,
                                     .since_ms = missed->since_ms,
                                     .due_ms = missed->due_ms,
                                     .tries = missed->n < LG_RETRIES ? missed->n : LG_RETRIES};
    (void)lg_ledger_add_ticket(ledger, &ticket);
    return true;
}

/* How many of them the ticket has not counted: it may have been written though nobody was told
 * so. */
static unsigned uncounted(const struct lg_missed *missed, const struct lg_ticket *ticket)
{
    uint64_t hash = lg_ledger_hash(ticket->id, LG_STR(""), LG_STR(""));
    for (unsigned i = missed->n; i > 0 && ticket->id.n != 0; i--)
        if (missed->ids[i - 1] == hash)
            return missed->n - i;
    return missed->n;
}

bool lg_ledger_add_missed(struct lg_ledger *ledger, const struct lg_missed *missed)
{
    const struct lg_reservation *place = lg_ledger_reservation(ledger, missed->ns, missed->guest);
    if (place != NULL && lg_str_eq(place->id, missed->id) &&
        missed->due_ms - place->born_ms < LG_RESERVATION_MS)
        return false; /* let through, and not told so: it finds its place */
    struct lg_ticket *ticket = lg_ledger_ticket(ledger, missed->ns, missed->guest, missed->user);
    if (ticket == NULL)
        return add_ticket(ledger, missed);
    unsigned n = uncounted(missed, ticket);
    bool counted = missed->id.n != 0 && lg_str_eq(ticket->id, missed->id);
    if (counted && ticket->due_ms == missed->due_ms)
        return false;
    if (!counted)
        ticket->tries = ticket->tries + n < LG_RETRIES ? ticket->tries + n : LG_RETRIES;
    if (counted || missed->due_ms > ticket->due_ms) {
        ticket->due_ms = missed->due_ms;
        ticket->slack_ms = 0;
        lg_ledger_set_ticket(ticket, missed->node, missed->id);
    }
    return true;
}
