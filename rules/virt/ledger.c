#include "rules/virt/ledger.h"

#include <stdio.h>
#include <stdlib.h>

#include "rules/core/mem.h"

enum { USER_HASH_BYTES = 16 };

/* FNV-1a, 64 bits, a separator between the texts. */
uint64_t lg_ledger_hash(struct lg_str a, struct lg_str b, struct lg_str c)
{
    const struct lg_str texts[] = {a, b, c};
    uint64_t hash = 14695981039346656037u;
    for (int i = 0; i < 3; i++) {
        for (size_t at = 0; at < texts[i].n; at++)
            hash = (hash ^ (unsigned char)texts[i].p[at]) * 1099511628211u;
        hash = (hash ^ 0xff) * 1099511628211u;
    }
    return hash;
}

/* All texts of an entry lie in one block, which the first of them points to. */
static void keep(struct lg_str *const *texts, size_t n)
{
    size_t bytes = 1;
    for (size_t i = 0; i < n; i++)
        bytes += texts[i]->n;
    char *at = lg_calloc(1, bytes);
    for (size_t i = 0; i < n; i++) {
        if (texts[i]->n != 0)
            memcpy(at, texts[i]->p, texts[i]->n);
        texts[i]->p = at;
        at += texts[i]->n;
    }
}

static void let_go(struct lg_str first)
{
    free((char *)first.p);
}

void lg_ledger_done(struct lg_ledger *ledger)
{
    for (size_t i = 0; i < ledger->n_reservations; i++)
        let_go(ledger->reservations[i].ns);
    for (size_t i = 0; i < ledger->n_tickets; i++) {
        let_go(ledger->tickets[i].ns);
        let_go(ledger->tickets[i].node);
        let_go(ledger->tickets[i].id);
    }
    for (size_t i = 0; i < ledger->n_turns; i++)
        let_go(ledger->turns[i].ns);
    free(ledger->reservations);
    free(ledger->tickets);
    free(ledger->turns);
    *ledger = (struct lg_ledger){0};
}

static void *grow(void *items, size_t n, size_t *io_size, size_t size)
{
    if (n < *io_size)
        return items;
    *io_size = *io_size != 0 ? *io_size * 2 : 8;
    return lg_realloc(items, *io_size, size);
}

/* --- reservations --- */

struct lg_reservation *lg_ledger_reservation(const struct lg_ledger *ledger, struct lg_str ns,
                                             struct lg_str guest)
{
    uint64_t hash = lg_ledger_hash(ns, guest, LG_STR(""));
    for (size_t i = 0; i < ledger->n_reservations; i++) {
        struct lg_reservation *reservation = &ledger->reservations[i];
        if (reservation->hash == hash && lg_str_eq(reservation->ns, ns) &&
            lg_str_eq(reservation->guest, guest))
            return reservation;
    }
    return NULL;
}

void lg_ledger_reserve(struct lg_ledger *ledger, const struct lg_reservation *reservation)
{
    struct lg_reservation copy = *reservation;
    keep((struct lg_str *const[]){&copy.ns, &copy.guest, &copy.node, &copy.name, &copy.id,
                                  &copy.first_name, &copy.first_id, &copy.instead_of},
         8);
    copy.hash = lg_ledger_hash(copy.ns, copy.guest, LG_STR(""));
    if (copy.sure_ms < copy.born_ms)
        copy.sure_ms = copy.born_ms;
    struct lg_reservation *old = lg_ledger_reservation(ledger, copy.ns, copy.guest);
    if (old != NULL) {
        let_go(old->ns);
        *old = copy;
        return;
    }
    ledger->reservations = grow(ledger->reservations, ledger->n_reservations,
                                &ledger->size_reservations, sizeof *ledger->reservations);
    ledger->reservations[ledger->n_reservations++] = copy;
}

void lg_ledger_drop_reservation(struct lg_ledger *ledger, size_t i)
{
    let_go(ledger->reservations[i].ns);
    ledger->reservations[i] = ledger->reservations[--ledger->n_reservations];
}

/* --- tickets --- */

static bool is_cut(struct lg_str user)
{
    size_t hash_at = user.n - USER_HASH_BYTES;
    if (user.n > LG_LEDGER_USER_BYTES_MAX + 1 + USER_HASH_BYTES || user.p[hash_at - 1] != '~')
        return false;
    for (size_t i = hash_at; i < user.n; i++)
        if (!(user.p[i] >= '0' && user.p[i] <= '9') && !(user.p[i] >= 'a' && user.p[i] <= 'f'))
            return false;
    return true;
}

struct lg_str lg_ledger_user(struct lg_str user, char buf[LG_LEDGER_USER_BYTES_MAX + 24])
{
    if (user.n <= LG_LEDGER_USER_BYTES_MAX || is_cut(user))
        return user;
    struct lg_str cut = lg_str_cut(user, LG_LEDGER_USER_BYTES_MAX);
    memcpy(buf, cut.p, cut.n);
    int n = snprintf(buf + cut.n, 24, "~%016llx",
                     (unsigned long long)lg_ledger_hash(user, LG_STR(""), LG_STR("")));
    return (struct lg_str){buf, cut.n + (size_t)n};
}

struct lg_ticket *lg_ledger_ticket(const struct lg_ledger *ledger, struct lg_str ns,
                                   struct lg_str guest, struct lg_str user)
{
    uint64_t hash = lg_ledger_hash(ns, guest, user);
    for (size_t i = 0; i < ledger->n_tickets; i++) {
        struct lg_ticket *ticket = &ledger->tickets[i];
        if (ticket->hash == hash && lg_str_eq(ticket->ns, ns) && lg_str_eq(ticket->guest, guest) &&
            lg_str_eq(ticket->user, user))
            return ticket;
    }
    return NULL;
}

/* The present time, or that of who waits longest for the node, if time passed it by. */
static uint64_t time_at(const struct lg_ledger *ledger, struct lg_str node)
{
    for (size_t i = 0; node.n != 0 && i < ledger->n_tickets; i++) {
        const struct lg_ticket *ticket = &ledger->tickets[i];
        if (ticket->tag >= ledger->now_tag)
            break;
        if (lg_str_eq(ticket->node, node))
            return ticket->tag;
    }
    return ledger->now_tag;
}

uint64_t lg_ledger_next_tag(const struct lg_ledger *ledger, struct lg_str ns, struct lg_str node)
{
    uint64_t tag = time_at(ledger, node);
    for (size_t i = 0; i < ledger->n_tickets; i++)
        if (ledger->tickets[i].tag >= tag && lg_str_eq(ledger->tickets[i].ns, ns))
            tag = ledger->tickets[i].tag + 1;
    for (size_t i = 0; i < ledger->n_turns; i++)
        if (ledger->turns[i].tag >= tag && lg_str_eq(ledger->turns[i].ns, ns))
            tag = ledger->turns[i].tag + 1;
    return tag;
}

size_t lg_ledger_tickets_of(const struct lg_ledger *ledger, struct lg_str ns)
{
    size_t n = 0;
    for (size_t i = 0; i < ledger->n_tickets; i++)
        n += lg_str_eq(ledger->tickets[i].ns, ns);
    return n;
}

struct lg_ticket *lg_ledger_add_ticket(struct lg_ledger *ledger, const struct lg_ticket *ticket)
{
    struct lg_ticket copy = *ticket;
    /* Node and id are not part of the block: they change. */
    keep((struct lg_str *const[]){&copy.ns, &copy.guest, &copy.user}, 3);
    copy.node = copy.id = (struct lg_str){0};
    copy.hash = lg_ledger_hash(copy.ns, copy.guest, copy.user);
    if (copy.seq == 0)
        copy.seq = ++ledger->next_seq;
    else if (copy.seq > ledger->next_seq)
        ledger->next_seq = copy.seq;
    ledger->tickets =
        grow(ledger->tickets, ledger->n_tickets, &ledger->size_tickets, sizeof *ledger->tickets);
    size_t at = ledger->n_tickets++;
    for (; at > 0; at--) {
        const struct lg_ticket *before = &ledger->tickets[at - 1];
        if (before->tag < copy.tag || (before->tag == copy.tag && before->seq < copy.seq))
            break;
        ledger->tickets[at] = *before;
    }
    ledger->tickets[at] = copy;
    lg_ledger_set_ticket(&ledger->tickets[at], ticket->node, ticket->id);
    return &ledger->tickets[at];
}

static void replace(struct lg_str *text, struct lg_str with)
{
    if (text->p != NULL && lg_str_eq(*text, with))
        return;
    struct lg_str old = *text;
    *text = with;
    keep(&text, 1);
    let_go(old);
}

void lg_ledger_set_ticket(struct lg_ticket *ticket, struct lg_str node, struct lg_str id)
{
    replace(&ticket->node, node);
    replace(&ticket->id, id);
}

static uint64_t id_hash(const struct lg_ticket *ticket)
{
    return lg_ledger_hash(ticket->id, LG_STR(""), LG_STR(""));
}

void lg_ledger_told_ticket(struct lg_ticket *ticket)
{
    ticket->told_due_ms = ticket->due_ms;
    ticket->told_hash = id_hash(ticket);
}

void lg_ledger_drop_ticket(struct lg_ledger *ledger, size_t i)
{
    let_go(ledger->tickets[i].ns);
    let_go(ledger->tickets[i].node);
    let_go(ledger->tickets[i].id);
    ledger->n_tickets--;
    memmove(&ledger->tickets[i], &ledger->tickets[i + 1],
            (ledger->n_tickets - i) * sizeof *ledger->tickets);
}

bool lg_ledger_make_room(struct lg_ledger *ledger, struct lg_str ns, uint64_t tag)
{
    size_t n = ledger->n_tickets;
    if (lg_ledger_tickets_of(ledger, ns) >= LG_TICKETS_NAMESPACE_MAX)
        return false;
    if (n < LG_TICKETS_MAX)
        return true;
    if (tag >= ledger->tickets[n - 1].tag)
        return false;
    lg_ledger_drop_ticket(ledger, n - 1);
    return true;
}

static void adopt_ticket(struct lg_ticket *mine, const struct lg_ticket *was)
{
    bool same = lg_str_eq(was->id, mine->id); /* nobody has answered it since */
    /* This reader has, and told nobody; or others have, who did not know. */
    bool untold = (!same && was->told_hash == id_hash(mine)) ||
                  (was->due_ms > was->told_due_ms && was->due_ms > mine->due_ms);
    if (!same && !untold)
        return;
    if (was->told_due_ms < mine->told_due_ms)
        mine->told_due_ms = was->told_due_ms;
    int64_t least_ms = was->due_ms - was->slack_ms;
    if (!untold && was->due_ms >= mine->due_ms) {
        mine->slack_ms = mine->due_ms > least_ms ? mine->due_ms - least_ms : 0;
        return;
    }
    mine->due_ms = was->due_ms;
    mine->slack_ms = was->slack_ms;
    mine->tries = was->tries;
    mine->inbound = was->inbound;
    mine->kept_ms = was->kept_ms;
    lg_ledger_set_ticket(mine, was->node, was->id);
}

static void forget_first(struct lg_reservation *reservation)
{
    reservation->first_name = reservation->first_id = (struct lg_str){0};
}

/* The first admission's is the one that is there, or may be, and no other. */
static void stand_for_first(struct lg_reservation *reservation)
{
    reservation->instead_of = reservation->id;
    reservation->name = reservation->first_name;
    reservation->id = reservation->first_id;
    reservation->gone = false;
    reservation->ask_ms = 0;
    forget_first(reservation);
}

static void adopt_reservation(struct lg_reservation *mine, const struct lg_reservation *was)
{
    if (was->first_id.n == 0)
        forget_first(mine);
    mine->seen = mine->seen || was->seen;
    mine->gone = mine->gone || was->gone;
    mine->ask_ms = was->ask_ms;
    mine->sure_ms = was->sure_ms;
    if (was->born_ms < mine->born_ms)
        mine->born_ms = was->born_ms;
    if (was->since_ms < mine->since_ms)
        mine->since_ms = was->since_ms;
}

void lg_ledger_adopt(struct lg_ledger *io_ledger, const struct lg_ledger *known)
{
    for (size_t i = 0; i < known->n_reservations; i++) {
        const struct lg_reservation *was = &known->reservations[i];
        struct lg_reservation *mine = lg_ledger_reservation(io_ledger, was->ns, was->guest);
        if (mine != NULL && was->seen && lg_str_eq(was->id, mine->first_id) &&
            lg_str_eq(was->instead_of, mine->id))
            stand_for_first(mine); /* as this reader found out, and told nobody */
        if (mine != NULL && lg_str_eq(was->id, mine->id))
            adopt_reservation(mine, was);
        if (mine != NULL || was->seen || io_ledger->n_reservations == LG_RESERVATIONS_MAX)
            continue;
        struct lg_reservation held = *was;
        held.held = true;
        lg_ledger_reserve(io_ledger, &held);
    }
    int64_t since_ms = known->read_ms != 0 ? io_ledger->read_ms - known->read_ms : INT64_MAX;
    for (size_t i = 0; i < io_ledger->n_tickets; i++) {
        struct lg_ticket *mine = &io_ledger->tickets[i];
        mine->slack_ms = since_ms < LG_TICKET_SLACK_MS_MAX ? since_ms : LG_TICKET_SLACK_MS_MAX;
        const struct lg_ticket *was = lg_ledger_ticket(known, mine->ns, mine->guest, mine->user);
        if (was == NULL || was->seq != mine->seq)
            continue;
        adopt_ticket(mine, was);
        if (was->since_ms < mine->since_ms)
            mine->since_ms = was->since_ms;
    }
}

/* --- turns --- */

static void drop_turn(struct lg_ledger *ledger, size_t i)
{
    let_go(ledger->turns[i].ns);
    ledger->turns[i] = ledger->turns[--ledger->n_turns];
}

/* Of too many the least goes: who was served longest ago. */
static void drop_least_turn(struct lg_ledger *ledger)
{
    size_t least = 0;
    for (size_t i = 1; i < ledger->n_turns; i++)
        if (ledger->turns[i].tag < ledger->turns[least].tag)
            least = i;
    drop_turn(ledger, least);
}

void lg_ledger_set_turn(struct lg_ledger *ledger, struct lg_str ns, uint64_t tag)
{
    for (size_t i = 0; i < ledger->n_turns; i++) {
        if (!lg_str_eq(ledger->turns[i].ns, ns))
            continue;
        if (tag > ledger->turns[i].tag)
            ledger->turns[i].tag = tag;
        return;
    }
    if (ledger->n_turns == LG_TURNS_MAX)
        drop_least_turn(ledger);
    struct lg_turn turn = {ns, tag};
    keep((struct lg_str *const[]){&turn.ns}, 1);
    ledger->turns =
        grow(ledger->turns, ledger->n_turns, &ledger->size_turns, sizeof *ledger->turns);
    ledger->turns[ledger->n_turns++] = turn;
}

void lg_ledger_served(struct lg_ledger *ledger, struct lg_str ns, uint64_t tag)
{
    uint64_t passed = 0;
    for (size_t i = 0; i < ledger->n_tickets && ledger->tickets[i].tag < tag; i++)
        passed += lg_str_eq(ledger->tickets[i].ns, ns);
    uint64_t time = tag > passed ? tag - passed : 0;
    if (time > ledger->now_tag)
        ledger->now_tag = time;
    lg_ledger_set_turn(ledger, ns, tag);
}

static void tidy_turns(struct lg_ledger *ledger)
{
    /* With nobody waiting, who came first no longer matters; behind every tag that one may get it
     * says nothing. */
    uint64_t least = ledger->now_tag;
    if (ledger->n_tickets != 0 && ledger->tickets[0].tag < least)
        least = ledger->tickets[0].tag;
    for (size_t i = 0; i < ledger->n_turns; i++)
        if (ledger->n_tickets == 0 || ledger->turns[i].tag < least)
            drop_turn(ledger, i--);
    if (ledger->n_tickets == 0)
        ledger->now_tag = 0;
}

/* What the cluster shows of its migration: of a guest's, KubeVirt creates one at a time. */
static enum lg_seen look_at(struct lg_reservation *reservation, lg_ledger_seen_fn *seen, void *arg)
{
    const struct lg_reservation first = {.ns = reservation->ns,
                                         .guest = reservation->guest,
                                         .name = reservation->first_name,
                                         .id = reservation->first_id};
    enum lg_seen is = first.id.n != 0 ? seen(arg, &first) : LG_UNSEEN;
    if (is == LG_SEEN_UNFINISHED)
        stand_for_first(reservation);
    else if (is == LG_SEEN_FINAL)
        forget_first(reservation);
    return seen(arg, reservation);
}

enum fate { KEPT, HELD, OVER };

static enum fate fate_of(const struct lg_reservation *reservation, enum lg_seen is, int64_t now_ms)
{
    bool old = now_ms - reservation->born_ms >= LG_RESERVATION_MS;
    bool unseen = is == LG_UNSEEN || is == LG_UNSURE;
    if (is == LG_SEEN_FINAL || reservation->gone || (unseen && reservation->seen))
        return OVER;
    if (!old && !reservation->held)
        return KEPT;
    return is == LG_UNSURE && now_ms - reservation->sure_ms < LG_HELD_MS ? HELD : OVER;
}

bool lg_ledger_tidy(struct lg_ledger *ledger, int64_t now_ms, lg_ledger_seen_fn *seen, void *arg)
{
    bool changed = false;
    size_t n_tickets = ledger->n_tickets;
    for (size_t i = 0; i < ledger->n_reservations; i++) {
        struct lg_reservation *reservation = &ledger->reservations[i];
        enum lg_seen is = look_at(reservation, seen, arg);
        enum fate fate = fate_of(reservation, is, now_ms);
        bool was_seen = reservation->seen || is == LG_SEEN_FINAL;
        if (fate == OVER && !was_seen && reservation->first_id.n != 0) {
            stand_for_first(reservation);
            is = look_at(reservation, seen, arg);
            fate = fate_of(reservation, is, now_ms);
        }
        changed = changed || (fate != KEPT && !reservation->held);
        reservation->seen = reservation->seen || is == LG_SEEN_UNFINISHED || is == LG_SEEN_FINAL;
        reservation->held = fate == HELD;
        if (fate == OVER)
            lg_ledger_drop_reservation(ledger, i--);
    }
    for (size_t i = 0; i < ledger->n_tickets; i++)
        if (now_ms - ledger->tickets[i].due_ms >= LG_TICKET_EXPIRY_MS)
            lg_ledger_drop_ticket(ledger, i--);
    tidy_turns(ledger);
    return changed || ledger->n_tickets != n_tickets;
}

void lg_ledger_tell(struct lg_ledger *ledger, const struct lg_reservation *about, enum lg_seen said,
                    int64_t now_ms)
{
    struct lg_reservation *reservation = lg_ledger_reservation(ledger, about->ns, about->guest);
    if (reservation == NULL || !lg_str_eq(reservation->id, about->id))
        return;
    reservation->gone = reservation->gone || said == LG_UNSEEN || said == LG_SEEN_FINAL;
    if (said == LG_SEEN_UNFINISHED)
        reservation->sure_ms = now_ms;
}
