#include "webhook/limiter/ledger_text.h"

#include "rules/core/mem.h"
#include "rules/core/out.h"
#include "rules/virt/limits.h"

enum { AGE_MS_MAX = 24 * 3600 * 1000 };

/* --- reading --- */

static int64_t number(struct lg_val object, const char *key)
{
    int64_t n = 0;
    return lg_json_int64(lg_json_get(object, key), &n) == LG_E_OK ? n : 0;
}

static int64_t between(int64_t least, int64_t n, int64_t most)
{
    return n < least ? least : n > most ? most : n;
}

/* Somebody may have edited the text: what comes from the future is from now, so that nothing lives
 * longer for it. */
static int64_t age_ms(struct lg_val object, const char *key)
{
    return between(0, number(object, key), AGE_MS_MAX);
}

static int64_t delay_ms(struct lg_val object, const char *key)
{
    return between(-AGE_MS_MAX, number(object, key), (int64_t)LG_RETRY_S_MAX * 1000);
}

/* Far from where counting on would begin again at 0. */
static uint64_t counter(struct lg_val object, const char *key)
{
    return (uint64_t)between(0, number(object, key), (int64_t)1 << 53);
}

static struct lg_str text_at(struct lg_val object, const char *key)
{
    struct lg_str s = lg_json_str(lg_json_get(object, key));
    return s.p != NULL ? s : LG_STR("");
}

static void read_reservation(struct lg_val v, int64_t now_ms, struct lg_ledger *ret)
{
    int64_t age = age_ms(v, "ageMs"), held = age_ms(v, "heldMs");
    const struct lg_reservation reservation = {
        .ns = text_at(v, "namespace"),
        .guest = text_at(v, "guest"),
        .node = text_at(v, "node"),
        .name = text_at(v, "migration"),
        .id = text_at(v, "id"),
        .first_name = text_at(v, "firstMigration"),
        .first_id = text_at(v, "firstId"),
        .born_ms = now_ms - age,
        .since_ms = now_ms - (held > age ? held : age),
    };
    lg_ledger_reserve(ret, &reservation);
}

static void read_ticket(struct lg_val v, int64_t now_ms, struct lg_ledger *ret)
{
    const struct lg_ticket ticket = {
        .ns = text_at(v, "namespace"),
        .guest = text_at(v, "guest"),
        .node = text_at(v, "node"),
        .user = text_at(v, "user"),
        .id = text_at(v, "id"),
        .tag = counter(v, "tag"),
        .seq = counter(v, "seq"),
        .since_ms = now_ms - age_ms(v, "waitedMs"),
        .due_ms = now_ms + delay_ms(v, "dueInMs"),
        .tries = (unsigned)between(0, number(v, "tries"), LG_RETRIES),
        .inbound = lg_json_bool(lg_json_get(v, "inbound"), false),
        .kept_ms = lg_json_there(lg_json_get(v, "keptMs")) ? now_ms - age_ms(v, "keptMs") : 0,
    };
    if (lg_ledger_ticket(ret, ticket.ns, ticket.guest, ticket.user) == NULL)
        lg_ledger_told_ticket(lg_ledger_add_ticket(ret, &ticket));
}

static enum lg_err_code read_root(struct lg_val root, int64_t now_ms, struct lg_ledger *ret,
                                  struct lg_err *err)
{
    int64_t schema = number(root, "schema");
    if (lg_json_kind(root) != LG_JSON_OBJECT || schema < 1)
        return lg_err_set(err, LG_E_INVALID, "schema", "this is no ledger");
    if (schema > LG_LEDGER_SCHEMA)
        return lg_err_set(err, LG_E_UNSUPPORTED, "schema",
                          "schema %lld is newer than this livegate knows (%d)", (long long)schema,
                          LG_LEDGER_SCHEMA);
    struct lg_val reservations = lg_json_get(root, "reservations");
    struct lg_val tickets = lg_json_get(root, "tickets");
    struct lg_val turns = lg_json_get(root, "turns");
    if (lg_json_len(reservations) > LG_RESERVATIONS_MAX || lg_json_len(tickets) > LG_TICKETS_MAX ||
        lg_json_len(turns) > LG_TURNS_MAX)
        return lg_err_set(err, LG_E_LIMIT, "", "more entries than a ledger may hold");
    for (struct lg_json_iter it = lg_json_iter(reservations); lg_json_next(&it);)
        read_reservation(it.val, now_ms, ret);
    for (struct lg_json_iter it = lg_json_iter(tickets); lg_json_next(&it);)
        read_ticket(it.val, now_ms, ret);
    for (struct lg_json_iter it = lg_json_iter(turns); lg_json_next(&it);)
        lg_ledger_set_turn(ret, text_at(it.val, "namespace"), counter(it.val, "tag"));
    ret->now_tag = counter(root, "tag");
    uint64_t seq = counter(root, "seq");
    if (seq > ret->next_seq)
        ret->next_seq = seq;
    return LG_E_OK;
}

enum lg_err_code lg_ledger_read(struct lg_str text, int64_t now_ms, struct lg_ledger *ret,
                                struct lg_err *err)
{
    struct lg_arena arena lg_cleanup(lg_arena_done);
    struct lg_val root = LG_NONE;
    lg_arena_init(&arena);
    ret->read_ms = now_ms;
    if (text.n == 0)
        return LG_E_OK;
    if (text.n > LG_LEDGER_BYTES_MAX)
        return lg_err_set(err, LG_E_LIMIT, "", "%zu bytes are more than a ledger may have", text.n);
    enum lg_err_code code = lg_json_parse(&arena, text, &root, err);
    return code == LG_E_OK ? read_root(root, now_ms, ret, err) : code;
}

/* --- writing --- */

static json_t *reservation_out(const struct lg_reservation *reservation, int64_t now_ms)
{
    json_t *out = lg_out_object();
    lg_out_set_str(out, "namespace", reservation->ns);
    lg_out_set_str(out, "guest", reservation->guest);
    lg_out_set_str(out, "node", reservation->node);
    lg_out_set_str(out, "migration", reservation->name);
    lg_out_set_str(out, "id", reservation->id);
    if (reservation->first_id.n != 0) {
        lg_out_set_str(out, "firstMigration", reservation->first_name);
        lg_out_set_str(out, "firstId", reservation->first_id);
    }
    lg_out_set(out, "ageMs", json_integer(now_ms - reservation->born_ms));
    if (reservation->since_ms < reservation->born_ms)
        lg_out_set(out, "heldMs", json_integer(now_ms - reservation->since_ms));
    return out;
}

static json_t *ticket_out(const struct lg_ticket *ticket, int64_t now_ms)
{
    json_t *out = lg_out_object();
    lg_out_set_str(out, "namespace", ticket->ns);
    lg_out_set_str(out, "guest", ticket->guest);
    lg_out_set_str(out, "node", ticket->node);
    lg_out_set_str(out, "user", ticket->user);
    lg_out_set_str(out, "id", ticket->id);
    lg_out_set(out, "tag", json_integer((json_int_t)ticket->tag));
    lg_out_set(out, "seq", json_integer((json_int_t)ticket->seq));
    lg_out_set(out, "waitedMs", json_integer(now_ms - ticket->since_ms));
    lg_out_set(out, "dueInMs", json_integer(ticket->due_ms - now_ms));
    lg_out_set(out, "tries", json_integer(ticket->tries));
    if (ticket->inbound)
        lg_out_set(out, "inbound", json_true());
    if (ticket->kept_ms != 0)
        lg_out_set(out, "keptMs", json_integer(now_ms - ticket->kept_ms));
    return out;
}

enum lg_err_code lg_ledger_write(struct lg_ledger *ledger, int64_t now_ms, struct lg_buf *ret,
                                 struct lg_err *err)
{
    json_t *root = lg_out_object();
    json_t *reservations = lg_out_array();
    json_t *tickets = lg_out_array();
    json_t *turns = lg_out_array();
    for (size_t i = 0; i < ledger->n_reservations; i++)
        if (!ledger->reservations[i].held)
            lg_out_append(reservations, reservation_out(&ledger->reservations[i], now_ms));
    for (size_t i = 0; i < ledger->n_tickets; i++) {
        lg_out_append(tickets, ticket_out(&ledger->tickets[i], now_ms));
        lg_ledger_told_ticket(&ledger->tickets[i]);
    }
    for (size_t i = 0; i < ledger->n_turns; i++) {
        json_t *turn = lg_out_object();
        lg_out_set_str(turn, "namespace", ledger->turns[i].ns);
        lg_out_set(turn, "tag", json_integer((json_int_t)ledger->turns[i].tag));
        lg_out_append(turns, turn);
    }
    lg_out_set(root, "schema", json_integer(LG_LEDGER_SCHEMA));
    lg_out_set(root, "seq", json_integer((json_int_t)ledger->next_seq));
    lg_out_set(root, "tag", json_integer((json_int_t)ledger->now_tag));
    lg_out_set(root, "reservations", reservations);
    lg_out_set(root, "tickets", tickets);
    lg_out_set(root, "turns", turns);
    size_t before = ret->n;
    lg_out_text(root, 0, ret);
    json_decref(root);
    if (ret->n - before > LG_LEDGER_BYTES_MAX)
        return lg_err_set(err, LG_E_LIMIT, "", "%zu bytes are more than a ledger may have",
                          ret->n - before);
    return LG_E_OK;
}
