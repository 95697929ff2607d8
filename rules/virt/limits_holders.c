#include "rules/virt/limits_holders.h"

/* The typical duration: whoever takes longer gives its place to nobody soon. */
enum { STUCK_TIMES = 2 };

bool lg_limits_stands_alone(const struct lg_slots *slots, const struct lg_reservation *reservation)
{
    return lg_slots_get(slots, reservation->ns, reservation->guest) == NULL;
}

size_t lg_limits_used(const struct lg_slots *slots, const struct lg_ledger *ledger)
{
    size_t used = lg_slots_used(slots);
    for (size_t i = 0; i < ledger->n_reservations; i++)
        used += lg_limits_stands_alone(slots, &ledger->reservations[i]);
    return used;
}

size_t lg_limits_outbound(const struct lg_slots *slots, const struct lg_ledger *ledger,
                          struct lg_str node)
{
    size_t used = lg_slots_outbound(slots, node);
    for (size_t i = 0; i < ledger->n_reservations; i++)
        used += lg_str_eq(ledger->reservations[i].node, node) &&
                lg_limits_stands_alone(slots, &ledger->reservations[i]);
    return used;
}

size_t lg_limits_unplaced(const struct lg_slots *slots, const struct lg_ledger *ledger)
{
    size_t n = lg_slots_unplaced(slots);
    for (size_t i = 0; i < ledger->n_reservations; i++)
        n += lg_limits_stands_alone(slots, &ledger->reservations[i]);
    return n;
}

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

static bool is_target(const struct lg_ask *ask, struct lg_str node)
{
    for (size_t i = 0; i < ask->n_targets; i++)
        if (lg_str_eq(ask->targets[i], node))
            return true;
    return false;
}

/* Whose target is not known may go where the asker could; and who goes to a full node of those. */
static bool is_in_targets_way(const struct lg_ask *ask, const struct lg_slots *slots,
                              struct lg_str to)
{
    int64_t limit = ask->limit[LG_LIMIT_INBOUND];
    if (limit == 0 || to.n == 0)
        return limit != 0;
    return (int64_t)lg_slots_inbound(slots, to) >= limit &&
           (ask->targets == NULL || is_target(ask, to));
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

void lg_limits_find_holders(const struct lg_ask *ask, const struct lg_slots *slots,
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
        if (!lg_limits_stands_alone(slots, reservation))
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

void lg_limits_estimate(const struct lg_ask *ask, struct lg_turnout *io)
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
