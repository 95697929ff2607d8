#include "rules/virt/limits_line.h"

#include "rules/virt/limits_holders.h"

enum {
    TALLY_SIZE = 2048, /* a table of nodes or namespaces that never fills */
    LAST_TRIES = 2,    /* of a client: they are far apart, and must not find the place gone again */
};
_Static_assert((int)TALLY_SIZE > (int)LG_TICKETS_MAX + (int)LG_RESERVATIONS_MAX + 1,
               "a free entry is always found");

struct tally {
    struct count {
        struct lg_str name;
        int64_t n;
        bool there;
    } of[TALLY_SIZE];
};

/* The count of this name; a new one begins at 0 and is not `there` yet. */
static struct count *count_of(struct tally *tally, struct lg_str name)
{
    size_t at = (size_t)(lg_ledger_hash(name, LG_STR(""), LG_STR("")) % TALLY_SIZE);
    while (tally->of[at].there && !lg_str_eq(tally->of[at].name, name))
        at = (at + 1) % TALLY_SIZE;
    tally->of[at].name = name;
    return &tally->of[at];
}

/* Free places of each node that somebody waits for, while places are handed out. */
struct places {
    struct tally nodes;
    int64_t free; /* of the cluster */
};

static struct count *places_of(struct places *places, const struct lg_ask *ask,
                               const struct lg_slots *slots, struct lg_str node)
{
    struct count *found = count_of(&places->nodes, node);
    if (!found->there) {
        found->n = INT64_MAX;
        if (node.n != 0)
            found->n = ask->limit[LG_LIMIT_OUTBOUND] - (int64_t)lg_slots_outbound(slots, node);
        found->there = true;
    }
    return found;
}

/* One off, unless it is a guest whose node nobody knows. */
static void take_place(struct count *node)
{
    if (node->n != INT64_MAX)
        node->n--;
}

/* Namespaces that hold half of the places or more by what was let through and never seen. */
struct greedy {
    bool any;
    struct tally unseen; /* valid where there is any */
    int64_t share;
};

static void find_greedy(const struct lg_ask *ask, const struct lg_slots *slots,
                        const struct lg_ledger *ledger, struct greedy *ret)
{
    ret->any = false;
    ret->share = (ask->limit[LG_LIMIT_CLUSTER] + 1) / 2;
    if ((int64_t)ledger->n_reservations < ret->share)
        return;
    memset(&ret->unseen, 0, sizeof ret->unseen);
    for (size_t i = 0; i < ledger->n_reservations; i++) {
        if (!lg_limits_stands_alone(slots, &ledger->reservations[i]))
            continue;
        struct count *count = count_of(&ret->unseen, ledger->reservations[i].ns);
        count->there = true;
        ret->any = ++count->n >= ret->share || ret->any;
    }
}

static bool is_greedy(struct greedy *greedy, struct lg_str ns)
{
    return greedy->any && count_of(&greedy->unseen, ns)->n >= greedy->share;
}

/* Nearly at its end. It has come at its time each time (who does not begins to count anew), so this
 * is true once in a ticket's life, however somebody asks. */
static bool has_few_tries(const struct lg_ticket *ticket)
{
    return ticket->tries + LAST_TRIES > LG_RETRIES;
}

/* About when it said that it would come: a free place is kept for it. Longer for who is first and
 * may not come again after that; but not until it comes, whenever that is: it may have gone away,
 * and a place that lies idle is everybody's. */
static bool is_due(const struct lg_ask *ask, const struct lg_ticket *ticket, bool first)
{
    int64_t ahead_ms =
        first && has_few_tries(ticket) ? LG_TICKET_LAST_AHEAD_MS : LG_TICKET_AHEAD_MS;
    return ask->now_ms - ticket->due_ms <= LG_TICKET_GRACE_MS &&
           ticket->due_ms - ask->now_ms <= ahead_ms;
}

bool lg_limits_is_early(const struct lg_ask *ask, const struct lg_ticket *ticket)
{
    return ask->now_ms < ticket->due_ms - ticket->slack_ms - LG_TICKET_EARLY_MS;
}

/* How many tickets are before the asker. */
static size_t before(const struct lg_ledger *ledger, struct lg_asker me)
{
    size_t n = 0;
    while (n < ledger->n_tickets && &ledger->tickets[n] != me.ticket &&
           ledger->tickets[n].tag <= me.tag)
        n++;
    return n;
}

struct lg_line lg_limits_line_up(const struct lg_ask *ask, const struct lg_slots *slots,
                                 const struct lg_ledger *ledger, struct lg_asker me)
{
    struct places places = {.free = me.cluster_free};
    struct lg_line line = {0};
    struct greedy greedy;
    find_greedy(ask, slots, ledger, &greedy);
    bool am_greedy = is_greedy(&greedy, ask->ns);
    size_t n_before = before(ledger, me);
    bool first = true; /* nobody before this one waits for a place that it could have */
    for (size_t i = 0; i < ledger->n_reservations; i++)
        if (lg_limits_stands_alone(slots, &ledger->reservations[i]))
            take_place(places_of(&places, ask, slots, ledger->reservations[i].node));
    if (me.own_node)
        places_of(&places, ask, slots, ask->node)->n++;
    for (size_t i = 0; i < (am_greedy ? ledger->n_tickets : n_before); i++) {
        const struct lg_ticket *ticket = &ledger->tickets[i];
        bool before_me = i < n_before;
        bool is_passed = is_greedy(&greedy, ticket->ns) && (!am_greedy || !before_me);
        struct count *node = places_of(&places, ask, slots, ticket->node);
        line.ahead_node += before_me && ticket->node.n != 0 && lg_str_eq(ticket->node, ask->node);
        if (node->n <= 0)
            continue;
        if (ticket->inbound) {
            line.ahead_inbound += before_me;
            line.kept_inbound += !is_passed && is_due(ask, ticket, false);
            continue;
        }
        line.ahead_cluster += before_me;
        bool is_kept = !is_passed && is_due(ask, ticket, first);
        first = first && is_passed;
        if (places.free <= 0 || !is_kept)
            continue;
        places.free--;
        take_place(node);
    }
    struct count *node = places_of(&places, ask, slots, ask->node);
    line.node_full = node->n <= 0;
    /* What is left goes to the next that comes at its time, not to who asks all the time. */
    line.in_time = me.ticket != NULL && !lg_limits_is_early(ask, me.ticket);
    line.may_start =
        !line.node_full && places.free > 0 && (line.in_time || line.ahead_cluster == 0);
    return line;
}
