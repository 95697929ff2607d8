#include "rules/virt/limits_words.h"

#include "rules/core/mem.h"
#include "rules/kube/meta.h"

static void add_holder(struct lg_buf *buf, const struct lg_holder *holder, struct lg_arena *arena)
{
    lg_buf_str(buf, holder->ns);
    lg_buf_putc(buf, '/');
    lg_buf_str(buf, holder->guest);
    lg_buf_puts(buf, " (");
    lg_buf_str(buf, holder->phase);
    if (holder->age_s >= 0) {
        lg_buf_puts(buf, ", ");
        lg_buf_str(buf, lg_meta_age_text(holder->age_s, arena));
    }
    lg_buf_putc(buf, ')');
}

/* Those of the asker's namespace by name, all others as a number, unless policy shows them. */
static void add_holders(struct lg_buf *buf, const struct lg_turnout *turnout, enum lg_limit limit,
                        struct lg_str ns, struct lg_arena *arena)
{
    const struct lg_limit_state *state = &turnout->of[limit];
    size_t named = 0, mine = 0;
    for (size_t i = 0; i < state->n_holders; i++) {
        const struct lg_holder *holder = &state->holders[i];
        bool is_mine = lg_str_eq(holder->ns, ns);
        mine += is_mine;
        if (holder->self || (!turnout->show_holders && !is_mine))
            continue;
        lg_buf_puts(buf, named++ == 0 ? ": " : ", ");
        add_holder(buf, holder, arena);
    }
    int64_t all = limit == LG_LIMIT_INBOUND ? (int64_t)state->held : state->used;
    if (all <= (int64_t)named)
        return;
    lg_buf_printf(buf, "%s%lld ", named == 0 ? ": " : ", ", (long long)(all - (int64_t)named));
    /* The asker's namespace comes first: where all that are kept are its own, there may be more of
     * them. */
    bool any = turnout->show_holders || mine == LG_HOLDERS_MAX;
    lg_buf_puts(buf, any ? "more" : "in other namespaces");
}

struct lg_str lg_limits_state_text(const struct lg_turnout *turnout, enum lg_limit limit,
                                   struct lg_str ns, struct lg_arena *arena)
{
    const struct lg_limit_state *state = &turnout->of[limit];
    struct lg_buf buf lg_cleanup(lg_buf_done) = {0};
    if (limit != LG_LIMIT_INBOUND)
        lg_buf_printf(&buf, "%lld of %lld in use", (long long)state->used, (long long)state->limit);
    add_holders(&buf, turnout, limit, ns, arena);
    if (limit != LG_LIMIT_INBOUND && state->used < state->limit)
        lg_buf_puts(&buf, "; what is free is kept for who came before");
    if (turnout->no_place)
        lg_buf_puts(&buf, "; no place in the queue");
    else
        lg_buf_printf(&buf, "; place %zu", state->ahead + 1);
    lg_buf_puts(&buf, ", about ");
    lg_buf_str(&buf, lg_meta_age_text(turnout->estimate_s, arena));
    return lg_arena_str(arena, lg_buf_view(&buf));
}

bool lg_limits_is_unreached(const struct lg_turnout *turnout, enum lg_limit limit)
{
    return turnout->unreachable && turnout->unreached == limit;
}

struct lg_str lg_limits_unreached_text(const struct lg_turnout *turnout, struct lg_arena *arena)
{
    if (turnout->waits_bytes_max == 0)
        return LG_STR("who migrates and who waits is not known: livegate's ledger was not reached "
                      "in time");
    return lg_arena_printf(arena,
                           "the migration is too large to wait for its turn: more than %lld KiB "
                           "with all that the API server sends along",
                           (long long)turnout->waits_bytes_max / 1024);
}

struct lg_str lg_limits_unreached_fix_text(const struct lg_turnout *turnout)
{
    if (turnout->waits_bytes_max != 0)
        return LG_STR("leave out annotations and labels that a migration does not need");
    return LG_STR("look at livegate's log; limiter.whenLedgerUnreachable of its policy says "
                  "whether migrations start meanwhile");
}

struct lg_str lg_limits_fix_text(const struct lg_turnout *turnout)
{
    if (turnout->last_try)
        return LG_STR("the client gives up now; run the command again within 10 s to keep the "
                      "place (`livegate status` shows the queue)");
    if (turnout->retry_after_s == 0)
        return LG_STR("try again later; `livegate status` shows the queue");
    return LG_STR("nothing to do: kubectl and oc try again by themselves, up to 10 times; "
                  "`livegate status` shows the queue, Ctrl-C or --request-timeout ends the wait");
}

struct lg_str lg_limits_source_text(const struct lg_migration_settings *settings,
                                    enum lg_migration_key key, struct lg_arena *arena)
{
    return lg_arena_printf(arena, "%s, %.*s", lg_migration_key_name(key),
                           LG_ARG(settings->of[key].source));
}
