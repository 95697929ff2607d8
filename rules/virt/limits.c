#include "rules/virt/limits.h"

enum {
    TALLY_SIZE = 2048, /* a table of nodes or namespaces that never fills */
    LAST_TRIES = 2,    /* of a client: they are far apart, and must not find the place gone again */
    STUCK_TIMES = 2, /* the typical duration: whoever takes longer gives its place to nobody soon */
};
_Static_assert((int)TALLY_SIZE > (int)LG_TICKETS_MAX + (int)LG_RESERVATIONS_MAX + 1,
               "a free entry is always found");

/* --- used --- */

/* A reservation whose guest has a slot is the same place. */
static bool stands_alone(const struct lg_slots *slots, const struct lg_reservation *reservation)
{
    return lg_slots_get(slots, reservation->ns, reservation->guest) == NULL;
}

size_t lg_limits_used(const struct lg_slots *slots, const struct lg_ledger *ledger)
{
    size_t used = lg_slots_used(slots);
    for (size_t i = 0; i < ledger->n_reservations; i++)
        used += stands_alone(slots, &ledger->reservations[i]);
    return used;
}

size_t lg_limits_outbound(const struct lg_slots *slots, const struct lg_ledger *ledger,
                          struct lg_str node)
{
    size_t used = lg_slots_outbound(slots, node);
    for (size_t i = 0; i < ledger->n_reservations; i++)
        used += lg_str_eq(ledger->reservations[i].node, node) &&
                stands_alone(slots, &ledger->reservations[i]);
    return used;
}

size_t lg_limits_unplaced(const struct lg_slots *slots, const struct lg_ledger *ledger)
{
    size_t n = lg_slots_unplaced(slots);
    for (size_t i = 0; i < ledger->n_reservations; i++)
        n += stands_alone(slots, &ledger->reservations[i]);
    return n;
}

/* --- who goes first --- */

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
        if (!stands_alone(slots, &ledger->reservations[i]))
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

struct queue {
    size_t ahead_cluster; /* tickets before ours that could start but for the cluster's limit */
    size_t ahead_node;    /* tickets before ours that leave the same node */
    size_t ahead_inbound; /* tickets before ours that could start but for their targets */
    size_t kept_inbound;  /* those of them that are due */
    bool in_time;         /* the asker has a ticket, and its time has come */
    bool may_start;
    bool node_full;
};

/* Who asks, as the queue sees it. */
struct asker {
    const struct lg_ticket *ticket; /* NULL: a new one, with this tag */
    uint64_t tag;
    int64_t cluster_free;
    bool own_node; /* what its guest holds already counts on its node */
};

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

/* Before it was told to come, however late this reader learned of that. */
static bool is_early(const struct lg_ask *ask, const struct lg_ticket *ticket)
{
    return ask->now_ms < ticket->due_ms - ticket->slack_ms - LG_TICKET_EARLY_MS;
}

/* How many tickets are before the asker. */
static size_t before(const struct lg_ledger *ledger, struct asker me)
{
    size_t n = 0;
    while (n < ledger->n_tickets && &ledger->tickets[n] != me.ticket &&
           ledger->tickets[n].tag <= me.tag)
        n++;
    return n;
}

/* Hands out what is free to the tickets before (tag, seq), in their order, and sees what is left
 * for the asker. Who holds more than a fair share unseen is passed over, and waits for all others
 * that are due. */
static struct queue line_up(const struct lg_ask *ask, const struct lg_slots *slots,
                            const struct lg_ledger *ledger, struct asker me)
{
    struct places places = {.free = me.cluster_free};
    struct queue queue = {0};
    struct greedy greedy;
    find_greedy(ask, slots, ledger, &greedy);
    bool am_greedy = is_greedy(&greedy, ask->ns);
    size_t n_before = before(ledger, me);
    bool first = true; /* nobody before this one waits for a place that it could have */
    for (size_t i = 0; i < ledger->n_reservations; i++)
        if (stands_alone(slots, &ledger->reservations[i]))
            take_place(places_of(&places, ask, slots, ledger->reservations[i].node));
    if (me.own_node)
        places_of(&places, ask, slots, ask->node)->n++;
    for (size_t i = 0; i < (am_greedy ? ledger->n_tickets : n_before); i++) {
        const struct lg_ticket *ticket = &ledger->tickets[i];
        bool before_me = i < n_before;
        bool is_passed = is_greedy(&greedy, ticket->ns) && (!am_greedy || !before_me);
        struct count *node = places_of(&places, ask, slots, ticket->node);
        queue.ahead_node += before_me && ticket->node.n != 0 && lg_str_eq(ticket->node, ask->node);
        if (node->n <= 0)
            continue;
        if (ticket->inbound) {
            queue.ahead_inbound += before_me;
            queue.kept_inbound += !is_passed && is_due(ask, ticket, false);
            continue;
        }
        queue.ahead_cluster += before_me;
        bool is_kept = !is_passed && is_due(ask, ticket, first);
        first = first && is_passed;
        if (places.free <= 0 || !is_kept)
            continue;
        places.free--;
        take_place(node);
    }
    struct count *node = places_of(&places, ask, slots, ask->node);
    queue.node_full = node->n <= 0;
    /* What is left goes to the next that comes at its time, not to who asks all the time. */
    queue.in_time = me.ticket != NULL && !is_early(ask, me.ticket);
    queue.may_start =
        !queue.node_full && places.free > 0 && (queue.in_time || queue.ahead_cluster == 0);
    return queue;
}

/* --- words about it --- */

static bool is_mine(const struct lg_ask *ask, struct lg_str ns)
{
    return lg_str_eq(ns, ask->ns);
}

/* Keeps the best LG_HOLDERS_MAX: the asker's namespace first, then the oldest. */
static void add_holder(const struct lg_ask *ask, struct lg_limit_state *io, struct lg_holder holder)
{
    size_t at = io->n_holders < LG_HOLDERS_MAX ? io->n_holders : LG_HOLDERS_MAX;
    io->held++;
    for (; at > 0; at--) {
        const struct lg_holder *before = &io->holders[at - 1];
        bool mine = is_mine(ask, holder.ns);
        bool better = mine != is_mine(ask, before->ns) ? mine : holder.age_s > before->age_s;
        if (!better)
            break;
        if (at < LG_HOLDERS_MAX)
            io->holders[at] = *before;
    }
    if (at < LG_HOLDERS_MAX)
        io->holders[at] = holder;
    if (io->n_holders < LG_HOLDERS_MAX)
        io->n_holders++;
}

/* What is left of one that takes `typical` as a rule; one that takes longer may take as long again.
 * */
static int64_t left_s(int64_t age_s, int64_t typical_s)
{
    if (age_s < 0)
        return typical_s;
    return age_s < typical_s ? typical_s - age_s : age_s - typical_s + 1;
}

void lg_limits_add_age(struct lg_limit_state *io, int64_t age_s, int64_t typical_s)
{
    int64_t typical = typical_s > 0 ? typical_s : LG_TYPICAL_S;
    int64_t left = left_s(age_s, typical);
    io->first_s = io->first_s == 0 || left < io->first_s ? left : io->first_s;
    io->stuck += age_s > STUCK_TIMES * typical;
}

/* Whose target is not known may go where the asker could, and so may who goes to a full node. */
static bool is_in_targets_way(const struct lg_ask *ask, const struct lg_slots *slots,
                              struct lg_str to)
{
    int64_t limit = ask->limit[LG_LIMIT_INBOUND];
    return limit != 0 && (to.n == 0 || (int64_t)lg_slots_inbound(slots, to) >= limit);
}

/* How long one waits to be started says nothing of when it ends. */
static void add_to(const struct lg_ask *ask, const struct lg_slots *slots, struct lg_turnout *io,
                   struct lg_holder holder, const struct lg_slot *place)
{
    bool of_node = ask->node.n != 0 &&
                   (lg_str_eq(place->node, ask->node) || lg_str_eq(place->also, ask->node));
    holder.self = is_mine(ask, holder.ns) && lg_str_eq(holder.guest, ask->guest);
    const bool holds[LG_LIMITS] = {true, of_node,
                                   !holder.self && is_in_targets_way(ask, slots, place->to)};
    for (int limit = 0; limit < LG_LIMITS; limit++) {
        if (!holds[limit])
            continue;
        add_holder(ask, &io->of[limit], holder);
        lg_limits_add_age(&io->of[limit], place->running ? holder.age_s : -1, ask->typical_s);
    }
}

static void find_holders(const struct lg_ask *ask, const struct lg_slots *slots,
                         const struct lg_ledger *ledger, struct lg_turnout *io)
{
    size_t looked_at = 0;
    const struct lg_slot *slot;
    for (size_t pos = 0;
         looked_at++ < LG_HOLDERS_LOOKED_AT_MAX && (slot = lg_slots_next(slots, &pos)) != NULL;) {
        const struct lg_migration_record *migration = slot->migration;
        int64_t created = migration->r.created_unix_s;
        int64_t age_s = created != 0 && ask->now_unix_s >= created ? ask->now_unix_s - created : -1;
        struct lg_str phase = migration->phase.n != 0 ? migration->phase : LG_STR("not started");
        struct lg_holder holder = {migration->r.ns, migration->vmi, phase, age_s, false};
        add_to(ask, slots, io, holder, slot);
    }
    for (size_t i = 0; i < ledger->n_reservations; i++) {
        const struct lg_reservation *reservation = &ledger->reservations[i];
        if (!stands_alone(slots, reservation))
            continue;
        struct lg_holder holder = {reservation->ns, reservation->guest, LG_STR("reserved"),
                                   (ask->now_ms - reservation->born_ms) / 1000, false};
        add_to(ask, slots, io, holder,
               &(struct lg_slot){.running = true, .node = reservation->node});
    }
}

int64_t lg_limits_estimate_s(const struct lg_limit_state *state, size_t place, int64_t typical_s)
{
    int64_t typical = typical_s > 0 ? typical_s : LG_TYPICAL_S;
    bool over = state->used > state->limit;
    int64_t first = state->first_s != 0 && !over ? state->first_s : typical;
    int64_t stuck = !over && state->stuck < state->limit ? state->stuck : 0;
    int64_t places = state->limit > 0 ? state->limit - stuck : 1;
    if (state->first_s == 0 && state->used == 0)
        first = 1;
    int64_t each = typical + LG_RETRY_HEAD_S_MAX; /* until the next one has come for the place */
    return first + (place > 0 ? (int64_t)(place - 1) * each / places : 0);
}

static int64_t estimate_of(const struct lg_limit_state *state, bool inbound, int64_t typical_s)
{
    size_t place = state->ahead + 1;
    if (inbound)
        return lg_limits_estimate_s(state, place, typical_s);
    /* What is free now and kept for others comes round as soon as they have come; what is over the
     * limit (a drain, a limit that was lowered) has to end first. */
    if (state->used < state->limit && place <= (size_t)(state->limit - state->used))
        return LG_RETRY_HEAD_S_MAX;
    return lg_limits_estimate_s(state, place + (size_t)state->used - (size_t)state->limit,
                                typical_s);
}

static void estimate(const struct lg_ask *ask, struct lg_turnout *io)
{
    for (int limit = 0; limit < LG_LIMITS; limit++) {
        const struct lg_limit_state *state = &io->of[limit];
        if (!state->full)
            continue;
        int64_t s = limit == LG_LIMIT_INBOUND && io->target_kept
                        ? LG_KEPT_MS / 1000
                        : estimate_of(state, limit == LG_LIMIT_INBOUND, ask->typical_s);
        if (s > io->estimate_s)
            io->estimate_s = s;
        if (state->ahead + 1 > io->place)
            io->place = state->ahead + 1;
    }
}

/* --- the decision --- */

static void drop_tickets(const struct lg_ask *ask, struct lg_ledger *ledger, struct lg_str user)
{
    const struct lg_ticket *ticket = lg_ledger_ticket(ledger, ask->ns, ask->guest, user);
    if (ticket != NULL)
        lg_ledger_drop_ticket(ledger, (size_t)(ticket - ledger->tickets));
}

/* Who comes again may be refused because of the first one, which nobody has seen yet. */
static void remember_first(const struct lg_reservation *own, struct lg_reservation *io)
{
    bool is_first = own->first_id.n == 0 && !lg_str_eq(own->id, io->id);
    if (own->seen || own->gone)
        return;
    io->first_name = is_first ? own->name : own->first_name;
    io->first_id = is_first ? own->id : own->first_id;
}

static void admit(const struct lg_ask *ask, struct lg_ledger *ledger, struct lg_str user,
                  uint64_t tag, struct lg_turnout *io)
{
    io->admitted = true;
    if (ask->no_trace)
        return;
    drop_tickets(ask, ledger, user);
    const struct lg_reservation *own = lg_ledger_reservation(ledger, ask->ns, ask->guest);
    struct lg_reservation reservation = {.ns = ask->ns,
                                         .guest = ask->guest,
                                         .node = ask->node,
                                         .name = ask->name,
                                         .id = ask->id,
                                         .born_ms = ask->now_ms,
                                         .since_ms = io->own ? own->since_ms : ask->now_ms};
    if (own != NULL)
        remember_first(own, &reservation);
    lg_ledger_reserve(ledger, &reservation);
    if (!io->own) /* a take-over is no turn: the place had its own */
        lg_ledger_served(ledger, ask->ns, tag);
    io->changed = true;
}

static int retry_after_s(const struct lg_ask *ask, const struct lg_turnout *turnout, unsigned tries)
{
    return lg_retry_after_s(&(struct lg_retry){.id = ask->id,
                                               .guest = ask->guest,
                                               .tries = tries,
                                               .place = turnout->place,
                                               .estimate_s = turnout->estimate_s});
}

/* The caller comes back later, and finds its place again. */
static void give_ticket(const struct lg_ask *ask, struct lg_ledger *ledger, struct lg_str user,
                        uint64_t tag, struct lg_turnout *io)
{
    struct lg_ticket *ticket = lg_ledger_ticket(ledger, ask->ns, ask->guest, user);
    if (ticket == NULL) {
        if (!lg_ledger_make_room(ledger, ask->ns, tag)) {
            io->no_place = true;
            io->place = 0;
            io->retry_after_s = retry_after_s(ask, io, 1);
            return;
        }
        const struct lg_ticket new = {.ns = ask->ns,
                                      .guest = ask->guest,
                                      .node = ask->node,
                                      .user = user,
                                      .tag = tag,
                                      .since_ms = ask->now_ms,
                                      .due_ms = ask->now_ms};
        ticket = lg_ledger_add_ticket(ledger, &new);
        io->changed = true;
    } else if (ask->id.n == 0 || !lg_str_eq(ask->id, ticket->id)) {
        if (is_early(ask, ticket))
            ticket->tries = 0; /* before its time: somebody began anew */
        io->changed = ask->now_ms >= ticket->told_due_ms - ticket->slack_ms - 500;
    } else if (ticket->tries != 0) {
        ticket->tries--; /* the same ask, decided again */
    }
    lg_ledger_set_ticket(ticket, ask->node, ask->id);
    ticket->inbound = io->of[LG_LIMIT_INBOUND].full;
    if (!io->target_kept)
        ticket->kept_ms = 0;
    else if (ticket->kept_ms == 0)
        ticket->kept_ms = ask->now_ms;
    ticket->tries++;
    io->retry_after_s = retry_after_s(ask, io, ticket->tries);
    io->last_try = ticket->tries > LG_RETRIES;
    ticket->due_ms = ask->now_ms + (io->last_try ? 0 : io->retry_after_s * (int64_t)1000);
    ticket->slack_ms = 0;
    /* Or others would take it for one that comes before its time, or that does not come. */
    if (ticket->due_ms < ticket->told_due_ms - 1000 ||
        ticket->due_ms > ticket->told_due_ms + LG_TICKET_GRACE_MS)
        io->changed = true;
    if (io->last_try)
        ticket->tries = 0;
}

/* The guest was let through already: another admission takes its place over and adds none. For as
 * long as one admission may take to be seen; who comes again and again and is never seen lines up
 * again, or it would keep the place for ever. */
static bool has_own_place(const struct lg_ask *ask, const struct lg_ledger *ledger)
{
    const struct lg_reservation *own = lg_ledger_reservation(ledger, ask->ns, ask->guest);
    return own != NULL && lg_str_eq(own->node, ask->node) &&
           ask->now_ms - own->since_ms < LG_RESERVATION_MS;
}

/* The guest is not in its own way, neither by a migration (which another rule speaks of) nor by a
 * reservation. */
static void leave_out_own(const struct lg_ask *ask, const struct lg_slots *slots,
                          const struct lg_ledger *ledger, struct lg_turnout *io)
{
    const struct lg_slot *slot = lg_slots_get(slots, ask->ns, ask->guest);
    const struct lg_reservation *reservation = lg_ledger_reservation(ledger, ask->ns, ask->guest);
    if (slot == NULL && reservation == NULL)
        return;
    struct lg_str node = slot != NULL ? slot->node : reservation->node;
    io->of[LG_LIMIT_CLUSTER].used--;
    io->own_node = ask->node.n != 0 && (lg_str_eq(node, ask->node) ||
                                        (slot != NULL && lg_str_eq(slot->also, ask->node)));
    io->of[LG_LIMIT_OUTBOUND].used -= io->own_node;
}

/* Places left on the nodes where it could go, all of them together: what policy allows each, less
 * what is on its way there. */
static int64_t inbound_free(const struct lg_ask *ask, const struct lg_slots *slots)
{
    int64_t left = 0;
    for (size_t i = 0; i < ask->n_targets; i++) {
        int64_t in = (int64_t)lg_slots_inbound(slots, ask->targets[i]);
        left += in < ask->limit[LG_LIMIT_INBOUND] ? ask->limit[LG_LIMIT_INBOUND] - in : 0;
    }
    return left;
}

/* Places on the nodes where the asker could go, less those of who may go there and of who came
 * before it. Nobody knows where those could go: who has waited while they could have come for the
 * place is not held back by them any longer. */
static void judge_targets(const struct lg_ask *ask, const struct lg_slots *slots,
                          const struct queue *queue, const struct lg_ticket *mine,
                          struct lg_turnout *io)
{
    struct lg_limit_state *inbound = &io->of[LG_LIMIT_INBOUND];
    inbound->ahead = queue->ahead_inbound;
    int64_t left = inbound_free(ask, slots) - inbound->used;
    int64_t others = (int64_t)queue->ahead_inbound;
    if (queue->in_time)
        others = mine->kept_ms != 0 && ask->now_ms - mine->kept_ms >= LG_KEPT_MS
                     ? 0
                     : (int64_t)queue->kept_inbound;
    inbound->full = left <= others;
    io->target_kept = inbound->full && left > 0;
}

static void judge(const struct lg_ask *ask, const struct lg_slots *slots,
                  const struct lg_ledger *ledger, const struct lg_ticket *mine, uint64_t tag,
                  struct lg_turnout *io)
{
    struct lg_limit_state *cluster = &io->of[LG_LIMIT_CLUSTER];
    struct lg_limit_state *outbound = &io->of[LG_LIMIT_OUTBOUND];
    struct queue queue =
        line_up(ask, slots, ledger,
                (struct asker){mine, tag, cluster->limit - cluster->used, io->own_node});
    cluster->ahead = queue.ahead_cluster;
    outbound->ahead = queue.ahead_node;
    outbound->full = queue.node_full;
    cluster->full = cluster->used >= cluster->limit || (!queue.may_start && !queue.node_full);
    if (ask->limit[LG_LIMIT_INBOUND] == 0)
        return;
    /* Those whose target nobody knows yet may all go where this one could. */
    io->of[LG_LIMIT_INBOUND].used = (int64_t)lg_limits_unplaced(slots, ledger);
    judge_targets(ask, slots, &queue, mine, io);
}

/* A limit that keeps it from starting, and that nobody waived. */
static bool has_to_wait(const struct lg_ask *ask, const struct lg_turnout *turnout)
{
    bool waits = false;
    for (int limit = 0; limit < LG_LIMITS; limit++)
        waits = waits || (turnout->of[limit].full && !ask->waived[limit]);
    return waits && !ask->admit;
}

static bool is_frozen(const struct lg_ask *ask, enum lg_limit limit)
{
    return ask->limit[limit] == 0 && !ask->waived[limit];
}

void lg_limits_decide(const struct lg_ask *ask, const struct lg_slots *slots,
                      struct lg_ledger *io_ledger, struct lg_turnout *ret)
{
    char buf[LG_LEDGER_USER_BYTES_MAX + 24];
    struct lg_str user = lg_ledger_user(ask->user, buf);
    *ret = (struct lg_turnout){.node = ask->node, .show_holders = ask->show_holders};
    for (int limit = 0; limit < LG_LIMITS; limit++)
        ret->of[limit].limit = ask->limit[limit];
    ret->of[LG_LIMIT_CLUSTER].used = (int64_t)lg_limits_used(slots, io_ledger);
    ret->of[LG_LIMIT_OUTBOUND].used =
        ask->node.n != 0 ? (int64_t)lg_limits_outbound(slots, io_ledger, ask->node) : 0;
    const struct lg_ticket *mine = lg_ledger_ticket(io_ledger, ask->ns, ask->guest, user);
    uint64_t tag = mine != NULL ? mine->tag : lg_ledger_next_tag(io_ledger, ask->ns);
    ret->frozen = is_frozen(ask, LG_LIMIT_CLUSTER) || is_frozen(ask, LG_LIMIT_OUTBOUND);
    ret->own = !ret->frozen && has_own_place(ask, io_ledger);
    if (ret->frozen && !ask->admit)
        return;
    leave_out_own(ask, slots, io_ledger, ret);
    if (!ret->own && !ret->frozen)
        judge(ask, slots, io_ledger, mine, tag, ret);
    bool full = false;
    for (int limit = 0; limit < LG_LIMITS; limit++)
        full = full || ret->of[limit].full;
    bool room = io_ledger->n_reservations < LG_RESERVATIONS_MAX;
    if (!room && !full && !ask->no_trace && !ret->own)
        full = ret->of[LG_LIMIT_CLUSTER].full = true;
    if (full) {
        find_holders(ask, slots, io_ledger, ret);
        estimate(ask, ret);
    }
    bool waits = has_to_wait(ask, ret);
    if (!full || (!waits && room)) {
        admit(ask, io_ledger, user, tag, ret);
        return;
    }
    ret->no_place = ask->no_ticket;
    if (!ask->no_trace && !ask->no_ticket && waits)
        give_ticket(ask, io_ledger, user, tag, ret);
}

void lg_turnout_keep(struct lg_turnout *turnout, struct lg_arena *arena)
{
    turnout->node = lg_arena_str(arena, turnout->node);
    for (int limit = 0; limit < LG_LIMITS; limit++) {
        struct lg_limit_state *state = &turnout->of[limit];
        for (size_t i = 0; i < state->n_holders; i++) {
            struct lg_holder *holder = &state->holders[i];
            holder->ns = lg_arena_str(arena, holder->ns);
            holder->guest = lg_arena_str(arena, holder->guest);
            holder->phase = lg_arena_str(arena, holder->phase);
        }
    }
}
