#include "webhook/server/inquiry.h"

#include "rules/core/mem.h"

static bool add(struct lg_inquiry *inquiry, struct lg_live *take_live, bool found)
{
    if (inquiry->n == LG_READS_MAX) {
        lg_live_unref(take_live);
        return false;
    }
    inquiry->found[inquiry->n] = found;
    inquiry->lives[inquiry->n++] = take_live;
    return true;
}

static void take_answers(struct lg_inquiry *inquiry)
{
    struct lg_live *answers[LG_PROBE_MAX];
    if (inquiry->probe == NULL)
        return;
    size_t n = lg_probe_answers(inquiry->probe, answers);
    for (size_t i = 0; i < n; i++) {
        if (answers[i] == NULL)
            inquiry->over = true;
        else
            (void)add(inquiry, answers[i], inquiry->probe_found[i]);
    }
    lg_probe_unref(lg_steal(inquiry->probe));
}

/* A miss that was asked for because the watch had not seen the object yet is worth nothing once the
 * watch has seen it. */
static bool overtaken(const struct lg_inventory *inventory, const struct lg_read *read)
{
    const struct lg_record *record;
    return read->record == NULL &&
           lg_inventory_get(inventory, read->kind, read->ns, read->name, &record) == LG_FOUND;
}

const struct lg_inventory *lg_inquiry_view(struct lg_inquiry *inquiry,
                                           const struct lg_inventory *inventory,
                                           struct lg_arena *arena)
{
    size_t n = 0;
    take_answers(inquiry);
    if (inquiry->n == 0)
        return inventory;
    struct lg_read *reads = lg_arena_array(arena, inquiry->n, sizeof *reads);
    for (size_t i = 0; i < inquiry->n; i++)
        if (inquiry->found[i] || !overtaken(inventory, &inquiry->lives[i]->read))
            reads[n++] = inquiry->lives[i]->read;
    return lg_inventory_over(inventory, reads, n, arena);
}

/* Takes what is remembered; collects what has to be asked: what is never watched first, since a VM
 * means little without its instancetype. True: something new is known. */
static bool look(struct lg_inquiry *inquiry, const struct lg_wants *wants, bool on_demand,
                 const struct lg_inquirer *inquirer, struct lg_wants *io_missing)
{
    bool learnt = false;
    for (size_t i = 0; i < wants->n; i++) {
        const struct lg_want *want = &wants->items[i];
        if (lg_gvk(want->kind)->on_demand != on_demand)
            continue;
        struct lg_live *live = lg_client_known(inquirer->client, want);
        if (live != NULL)
            learnt = add(inquiry, live, want->found) || learnt;
        else if (inquiry->asked + io_missing->n < LG_LIVE_READS_MAX && io_missing->n < LG_PROBE_MAX)
            io_missing->items[io_missing->n++] = *want;
    }
    return learnt;
}

static bool ask(struct lg_inquiry *inquiry, const struct lg_wants *missing,
                const struct lg_inquirer *inquirer)
{
    struct lg_pause *pause =
        lg_pause_begin(inquirer->pauses, inquirer->connection, inquirer->ns, inquirer->deadline_ms);
    if (pause == NULL)
        return false;
    for (size_t i = 0; i < missing->n; i++)
        inquiry->probe_found[i] = missing->items[i].found;
    inquiry->asked += (unsigned)missing->n;
    inquiry->probe =
        lg_client_probe(inquirer->client, &(struct lg_probe_options){.wants = missing->items,
                                                                     .n = missing->n,
                                                                     .whose = inquirer->ns,
                                                                     .done = lg_pause_end,
                                                                     .arg = pause});
    return true;
}

enum lg_inquiry_step lg_inquiry_next(struct lg_inquiry *inquiry, const struct lg_wants *wants,
                                     const struct lg_inquirer *inquirer, int64_t now_ms)
{
    struct lg_wants missing = {0};
    if (wants->n == 0 || inquirer->client == NULL)
        return LG_INQUIRY_ANSWER;
    bool learnt = look(inquiry, wants, true, inquirer, &missing);
    learnt = look(inquiry, wants, false, inquirer, &missing) || learnt;
    bool can_wait = !inquiry->over && inquirer->connection != NULL &&
                    inquirer->deadline_ms - now_ms >= LG_INQUIRY_MS_MIN;
    if (missing.n != 0 && can_wait && ask(inquiry, &missing, inquirer))
        return LG_INQUIRY_WAIT;
    return learnt ? LG_INQUIRY_AGAIN : LG_INQUIRY_ANSWER;
}

void lg_inquiry_done(struct lg_inquiry *inquiry)
{
    for (size_t i = 0; i < inquiry->n; i++)
        lg_live_unref(inquiry->lives[i]);
    lg_probe_unref(inquiry->probe);
    *inquiry = (struct lg_inquiry){0};
}
