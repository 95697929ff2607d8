#include "rules/virt/limits.h"

#include "rules/virt/limits_holders.h"
#include "rules/virt/limits_line.h"

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

bool lg_limits_are_full(const struct lg_turnout *turnout)
{
    bool full = false;
    for (int limit = 0; limit < LG_LIMITS; limit++)
        full = full || turnout->of[limit].full;
    return full;
}

/* A take-over is no turn: the place had its own. Whoever is let through all the same (a waiver,
 * `admit`) passes those who wait, and time does not. */
static void count_turn(struct lg_ledger *ledger, struct lg_str ns, uint64_t tag,
                       const struct lg_turnout *turnout)
{
    if (turnout->frozen || lg_limits_are_full(turnout))
        lg_ledger_set_turn(ledger, ns, tag);
    else if (!turnout->own)
        lg_ledger_served(ledger, ns, tag);
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
    count_turn(ledger, ask->ns, tag, io);
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

/* Where the cluster is full, too, it stands in the cluster's queue: there nobody passes it. */
static bool waits_for_targets_alone(const struct lg_ask *ask, const struct lg_turnout *turnout)
{
    return turnout->of[LG_LIMIT_INBOUND].full && !ask->waived[LG_LIMIT_INBOUND] &&
           !turnout->of[LG_LIMIT_CLUSTER].full;
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
        if (lg_limits_is_early(ask, ticket))
            ticket->tries = 0; /* before its time: somebody began anew */
        io->changed = ask->now_ms >= ticket->told_due_ms - ticket->slack_ms - 500;
    } else if (ticket->tries != 0) {
        ticket->tries--; /* the same ask, decided again */
    }
    lg_ledger_set_ticket(ticket, ask->node, ask->id);
    ticket->inbound = waits_for_targets_alone(ask, io);
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
 * again, or it would keep the place for ever. One that is held has been given to others. */
static bool has_own_place(const struct lg_ask *ask, const struct lg_ledger *ledger)
{
    const struct lg_reservation *own = lg_ledger_reservation(ledger, ask->ns, ask->guest);
    return own != NULL && !own->held && lg_str_eq(own->node, ask->node) &&
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
                          const struct lg_line *line, const struct lg_ticket *mine,
                          struct lg_turnout *io)
{
    struct lg_limit_state *inbound = &io->of[LG_LIMIT_INBOUND];
    inbound->ahead = line->ahead_inbound;
    int64_t left = inbound_free(ask, slots) - inbound->used;
    int64_t others = (int64_t)line->ahead_inbound;
    if (mine != NULL && line->in_time)
        others = mine->kept_ms != 0 && ask->now_ms - mine->kept_ms >= LG_KEPT_MS
                     ? 0
                     : (int64_t)line->kept_inbound;
    inbound->full = left <= others;
    io->target_kept = inbound->full && left > 0;
}

/* The asker's own guest is on its way to a target that is not known yet. */
static bool is_unplaced(const struct lg_ask *ask, const struct lg_slots *slots,
                        const struct lg_ledger *ledger)
{
    const struct lg_slot *slot = lg_slots_get(slots, ask->ns, ask->guest);
    return slot != NULL ? slot->to.n == 0
                        : lg_ledger_reservation(ledger, ask->ns, ask->guest) != NULL;
}

static void judge(const struct lg_ask *ask, const struct lg_slots *slots,
                  const struct lg_ledger *ledger, const struct lg_ticket *mine, uint64_t tag,
                  struct lg_turnout *io)
{
    struct lg_limit_state *cluster = &io->of[LG_LIMIT_CLUSTER];
    struct lg_limit_state *outbound = &io->of[LG_LIMIT_OUTBOUND];
    struct lg_line line = lg_limits_line_up(
        ask, slots, ledger,
        (struct lg_asker){mine, tag, cluster->limit - cluster->used, io->own_node});
    cluster->ahead = line.ahead_cluster;
    outbound->ahead = line.ahead_node;
    outbound->full = line.node_full;
    cluster->full = cluster->used >= cluster->limit || (!line.may_start && !line.node_full);
    if (ask->limit[LG_LIMIT_INBOUND] == 0)
        return;
    /* Those whose target nobody knows yet may all go where this one could. */
    io->of[LG_LIMIT_INBOUND].used =
        (int64_t)lg_limits_unplaced(slots, ledger) - is_unplaced(ask, slots, ledger);
    judge_targets(ask, slots, &line, mine, io);
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
    uint64_t tag = mine != NULL ? mine->tag : lg_ledger_next_tag(io_ledger, ask->ns, ask->node);
    ret->frozen = is_frozen(ask, LG_LIMIT_CLUSTER) || is_frozen(ask, LG_LIMIT_OUTBOUND);
    ret->own = !ret->frozen && has_own_place(ask, io_ledger);
    if (ret->frozen && !ask->admit)
        return;
    leave_out_own(ask, slots, io_ledger, ret);
    if (!ret->own && !ret->frozen)
        judge(ask, slots, io_ledger, mine, tag, ret);
    bool full = lg_limits_are_full(ret);
    bool room = io_ledger->n_reservations < LG_RESERVATIONS_MAX;
    if (!room && !full && !ask->no_trace && !ret->own)
        full = ret->of[LG_LIMIT_CLUSTER].full = true;
    if (full) {
        lg_limits_find_holders(ask, slots, io_ledger, ret);
        lg_limits_estimate(ask, ret);
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
