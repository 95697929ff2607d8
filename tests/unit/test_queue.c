/* The ledger's queue and callers that do not wait for ever. Its protocol: test_queue_model.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rules/core/mem.h"
#include "webhook/limiter/ledger_text.h"
#include "webhook/limiter/queue.h"
#include "webhook/limiter/unreached.h"

enum { JOBS = 3 * LG_QUEUE_BATCH_MAX };

static struct {
    struct lg_queue *queue;
    struct lg_inventory *inventory;
    struct lg_arena arena;
    int64_t now_ms;
    struct lg_unreached *unreached;
    unsigned reads, writes, rests;
    int64_t rest_ms; /* all of them together */
    struct lg_queue_job jobs[JOBS];
    unsigned done[JOBS], reached[JOBS];
    struct lg_buf text; /* as it was written last */
    unsigned look_ups, fulls;
    struct lg_reservation looked_up; /* last; in the arena */
} world;

static int64_t now_ms(void *arg)
{
    (void)arg;
    return world.now_ms;
}

static const struct lg_inventory *inventory(void *arg)
{
    (void)arg;
    return world.inventory;
}

static void start_read(void *arg)
{
    (void)arg;
    world.reads++;
}

static void start_write(void *arg, struct lg_str text, struct lg_str version)
{
    (void)arg;
    (void)version;
    world.writes++;
    world.text.n = 0;
    lg_buf_str(&world.text, text);
}

static void start_rest(void *arg, int64_t ms)
{
    (void)arg;
    assert_in_range(ms, 1, LG_QUEUE_REST_MS_MAX);
    world.rests++;
    world.rest_ms += ms;
}

static bool tell(void *arg, struct lg_ledger *io_ledger, int64_t at_ms)
{
    (void)arg;
    return lg_unreached_tell(world.unreached, io_ledger, at_ms);
}

static void told(void *arg)
{
    (void)arg;
    lg_unreached_told(world.unreached);
}

static void on_done(void *arg, struct lg_queue_job *job, bool reached)
{
    (void)arg;
    world.done[job - world.jobs]++;
    world.reached[job - world.jobs] += reached;
}

static void on_full(void *arg, const struct lg_err *err)
{
    (void)arg;
    assert_int_equal(err->code, LG_E_LIMIT);
    assert_string_equal(err->where, "");
    assert_non_null(strstr(err->text, " bytes are more than a ledger may have"));
    world.fulls++;
}

static void look_up(void *arg, const struct lg_reservation *reservation)
{
    (void)arg;
    world.look_ups++;
    world.looked_up =
        (struct lg_reservation){.ns = lg_arena_str(&world.arena, reservation->ns),
                                .guest = lg_arena_str(&world.arena, reservation->guest),
                                .id = lg_arena_str(&world.arena, reservation->id)};
}

static void start(bool can_look_up)
{
    memset(&world, 0, sizeof world);
    world.now_ms = 1000 * 1000;
    world.inventory = lg_inventory_new();
    lg_arena_init(&world.arena);
    world.unreached = lg_unreached_new();
    world.queue = lg_queue_new(&(struct lg_queue_ops){.now_ms = now_ms,
                                                      .inventory = inventory,
                                                      .read = start_read,
                                                      .write = start_write,
                                                      .rest = start_rest,
                                                      .tell = tell,
                                                      .told = told,
                                                      .look_up = can_look_up ? look_up : NULL,
                                                      .full = on_full,
                                                      .done = on_done});
}

static int setup(void **state)
{
    (void)state;
    start(false);
    return 0;
}

static int setup_looking_up(void **state)
{
    (void)state;
    start(true);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    lg_queue_free(world.queue);
    lg_unreached_free(world.unreached);
    lg_inventory_free(world.inventory);
    lg_arena_done(&world.arena);
    lg_buf_done(&world.text);
    return 0;
}

static void submit(size_t i, const char *guest, int64_t wait_ms)
{
    world.jobs[i] = (struct lg_queue_job){.arena = &world.arena,
                                          .until_ms = world.now_ms + wait_ms,
                                          .ask = {.ns = LG_STR("a"),
                                                  .guest = lg_str_of(guest),
                                                  .node = LG_STR("n1"),
                                                  .name = lg_str_of(guest),
                                                  .id = lg_str_of(guest),
                                                  .user = LG_STR("u"),
                                                  .limit = {1, 1, 0}}};
    lg_queue_submit(world.queue, &world.jobs[i]);
}

static void who_waits_no_more_takes_no_place(void **state)
{
    (void)state;
    submit(0, "late", 2000);
    world.now_ms += 2000;
    submit(1, "next", 2000);
    lg_queue_read(world.queue, LG_STR(""), LG_STR("1"));
    assert_int_equal(world.done[0], 1);
    assert_int_equal(world.reached[0], 0);
    assert_int_equal(world.writes, 1);
    lg_queue_written(world.queue);
    assert_int_equal(world.reached[1], 1);
    assert_true(world.jobs[1].turnout.admitted);
}

static void none_pile_up_while_the_ledger_is_gone(void **state)
{
    (void)state;
    for (size_t i = 0; i < JOBS; i++)
        submit(i, "guest", 2000);
    world.now_ms += 4500;
    for (int i = 0; i < LG_QUEUE_FAILURES_MAX; i++) {
        if (i != 0)
            lg_queue_rested(world.queue);
        lg_queue_failed(world.queue);
    }
    assert_int_equal(world.rests, LG_QUEUE_FAILURES_MAX - 1);
    for (size_t i = 0; i < JOBS; i++) {
        assert_int_equal(world.done[i], 1);
        assert_int_equal(world.reached[i], 0);
    }
}

/* Whoever empties or breaks the object does not free the places of those just let through. */
static void what_was_known_outlives_a_text_that_is_none(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "{", "{}", "gone"};
    static const char *const guests[] = {"second", "third", "fourth", "fifth"};
    submit(0, "first", 2000);
    lg_queue_read(world.queue, LG_STR(""), LG_STR("1"));
    lg_queue_written(world.queue);
    assert_true(world.jobs[0].turnout.admitted);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        world.now_ms += 5000;
        submit(i + 1, guests[i], 2000);
        lg_queue_read(world.queue, lg_str_of(texts[i]), LG_STR("2"));
        lg_queue_conflict(world.queue); /* and once more */
        lg_queue_rested(world.queue);
        lg_queue_read(world.queue, lg_str_of(texts[i]), LG_STR("3"));
        lg_queue_written(world.queue);
        assert_int_equal(world.reached[i + 1], 1);
        assert_false(world.jobs[i + 1].turnout.admitted);
    }
    /* Nor for longer than ever. */
    world.now_ms += LG_RESERVATION_MS - 4 * 5000;
    submit(9, "second", 2000); /* whose turn it is */
    lg_queue_read(world.queue, LG_STR(""), LG_STR("4"));
    lg_queue_written(world.queue);
    assert_true(world.jobs[9].turnout.admitted);
}

/* Reads what was written last, and writes where there is something to tell. */
static void round_trip(void)
{
    unsigned writes = world.writes;
    struct lg_buf text lg_cleanup(lg_buf_done) = {0};
    lg_buf_str(&text, lg_buf_view(&world.text));
    lg_queue_read(world.queue, lg_buf_view(&text), LG_STR("1"));
    if (world.writes != writes)
        lg_queue_written(world.queue);
}

static void look(void)
{
    lg_queue_refresh(world.queue);
    round_trip();
}

/* Nobody writes, all read again and again: what is in the text ages all the same, and goes. */
static void what_nobody_comes_back_for_goes_though_nobody_asks(void **state)
{
    (void)state;
    submit(0, "first", 2000);
    round_trip();
    submit(1, "waits", 2000);
    round_trip();
    assert_true(world.jobs[0].turnout.admitted);
    assert_false(world.jobs[1].turnout.admitted);
    int64_t over_ms =
        world.now_ms + world.jobs[1].turnout.retry_after_s * (int64_t)1000 + LG_TICKET_EXPIRY_MS;
    while (world.now_ms < over_ms) {
        assert_int_equal(lg_queue_ledger(world.queue)->n_tickets, 1);
        world.now_ms += 1000;
        look();
    }
    assert_int_equal(lg_queue_ledger(world.queue)->n_tickets, 0);
    while (lg_queue_ledger(world.queue)->n_reservations != 0) {
        world.now_ms += 1000;
        look();
        assert_true(world.now_ms <= 1000 * 1000 + LG_RESERVATION_MS);
    }
    /* It does not come back with the text, neither here nor for one that has just started. */
    look();
    assert_int_equal(lg_queue_ledger(world.queue)->n_reservations, 0);
    lg_buf_putc(&world.text, '\0');
    assert_null(strstr(world.text.p, "first"));
    assert_null(strstr(world.text.p, "waits"));
}

/* Ctrl-C and the same command again, in its turn: all replicas learn when it comes next. */
static void who_begins_anew_is_not_expected_when_the_first_one_was(void **state)
{
    (void)state;
    const char *const guests[] = {"first", "head", "waits"};
    struct lg_ledger before lg_cleanup(lg_ledger_done) = {0};
    struct lg_ledger after lg_cleanup(lg_ledger_done) = {0};
    for (size_t i = 0; i < 3; i++) {
        submit(i, guests[i], 2000);
        round_trip();
    }
    assert_in_range(world.jobs[2].turnout.retry_after_s, 40, 60);
    assert_int_equal(lg_ledger_read(lg_buf_view(&world.text), world.now_ms, &before, NULL),
                     LG_E_OK);
    for (int i = 0; i < 20; i++) {
        world.now_ms += 1000;
        look();
    }
    submit(3, "waits", 2000);
    world.jobs[3].ask.id = LG_STR("again");
    world.jobs[3].ask.typical_s = 20;
    round_trip();
    int retry_s = world.jobs[3].turnout.retry_after_s;
    assert_in_range(retry_s, 1, 15);
    assert_int_equal(lg_ledger_read(lg_buf_view(&world.text), world.now_ms, &after, NULL), LG_E_OK);
    lg_ledger_adopt(&after, &before);
    const struct lg_ticket *ticket =
        lg_ledger_ticket(&after, LG_STR("a"), LG_STR("waits"), LG_STR("u"));
    assert_non_null(ticket);
    assert_int_equal(ticket->due_ms, world.now_ms + retry_s * (int64_t)1000);
    assert_int_equal(ticket->tries, 1);
    /* Whoever hammers does not make us write each time. */
    unsigned writes = world.writes;
    for (size_t i = 4; i < 12; i++) {
        world.now_ms += 50;
        submit(i, "waits", 2000);
        world.jobs[i].ask.id = lg_arena_printf(&world.arena, "hammer-%zu", i);
        round_trip();
    }
    assert_in_range(world.writes, writes, writes + 2);
}

/* The same command again long before its time, then for longer: others do not let its place go. */
static void who_begins_anew_keeps_its_place_with_others(void **state)
{
    (void)state;
    struct lg_ledger others lg_cleanup(lg_ledger_done) = {0};
    submit(0, "first", 2000);
    round_trip();
    submit(1, "waits", 2000);
    round_trip();
    int64_t told_ms = world.now_ms + world.jobs[1].turnout.retry_after_s * (int64_t)1000;
    world.now_ms += 10000;
    submit(2, "waits", 2000);
    world.jobs[2].ask.id = LG_STR("again");
    world.jobs[2].ask.typical_s = 120;
    round_trip();
    int64_t due_ms = world.now_ms + world.jobs[2].turnout.retry_after_s * (int64_t)1000;
    assert_true(due_ms >= told_ms + LG_TICKET_EXPIRY_MS);
    assert_int_equal(lg_ledger_read(lg_buf_view(&world.text), world.now_ms, &others, NULL),
                     LG_E_OK);
    assert_int_equal(others.n_tickets, 1);
    assert_int_equal(others.tickets[0].due_ms, due_ms);
}

static unsigned tries_of(const char *guest)
{
    const struct lg_ticket *ticket =
        lg_ledger_ticket(lg_queue_ledger(world.queue), LG_STR("a"), lg_str_of(guest), LG_STR("u"));
    return ticket != NULL ? ticket->tries : 0;
}

/* Another replica told it to come in 3 s, and this one learns of that just before the next look at
 * the ledger: it is no other client that comes too early, and its answers count. */
static void what_is_learned_late_makes_nobody_early(void **state)
{
    (void)state;
    submit(0, "holder", 2000);
    round_trip();
    world.now_ms += LG_QUEUE_LOOK_MS - 1000;
    world.text.n = 0;
    lg_buf_puts(
        &world.text,
        "{\"schema\":1,\"reservations\":[{\"namespace\":\"a\",\"guest\":\"holder\",\"node\":"
        "\"n1\",\"id\":\"holder\",\"ageMs\":0}],\"tickets\":[{\"namespace\":\"a\",\"guest\":"
        "\"waits\",\"node\":\"n1\",\"user\":\"u\",\"id\":\"1\",\"seq\":1,\"dueInMs\":3000,"
        "\"tries\":6}]}");
    submit(1, "waits", 2000);
    unsigned writes = world.writes;
    round_trip();
    assert_int_equal(tries_of("waits"), 7);
    assert_int_equal(world.writes, writes + 1); /* the others learn of it */
    /* What this one told is exact. */
    world.now_ms += 1000;
    submit(2, "waits", 2000);
    world.jobs[2].ask.id = LG_STR("again");
    round_trip();
    assert_int_equal(tries_of("waits"), 1);
}

/* Nothing of it holds, it is said, and there is room for the next ones. */
static void what_is_too_long_to_be_kept_is_said(void **state)
{
    (void)state;
    struct lg_buf name lg_cleanup(lg_buf_done) = {0};
    while (name.n <= LG_LEDGER_BYTES_MAX)
        lg_buf_puts(&name, "a-name-that-goes-on-and-on-");
    submit(0, "short", 2000);
    submit(1, name.p, 2000);
    lg_queue_read(world.queue, LG_STR(""), LG_STR("1"));
    assert_int_equal(world.fulls, 1);
    assert_int_equal(world.writes, 0);
    assert_true(world.done[0] == 1 && world.done[1] == 1);
    assert_true(world.reached[0] == 0 && world.reached[1] == 0);
    submit(2, "short", 2000);
    round_trip();
    assert_int_equal(world.fulls, 1);
    assert_int_equal(world.reached[2], 1);
    assert_true(world.jobs[2].turnout.admitted);
}

/* Others write all the time: rests grow, nobody is decided too late, and there is an end. */
static void conflicts_are_given_time(void **state)
{
    (void)state;
    submit(0, "first", 100);
    submit(1, "second", 60 * 1000);
    for (unsigned i = 0; i < LG_QUEUE_CONFLICTS_MAX; i++) {
        assert_int_equal(world.reads, i + 1);
        lg_queue_read(world.queue, LG_STR(""), LG_STR("1"));
        assert_int_equal(world.writes, i + 1);
        lg_queue_conflict(world.queue);
        world.now_ms += 20;
        if (i + 1 < LG_QUEUE_CONFLICTS_MAX) {
            assert_int_equal(world.rests, i + 1);
            lg_queue_rested(world.queue);
        }
        /* Asked at 0, 20, 40, 60, 80: at 100 its time is over. */
        assert_int_equal(world.done[0], i >= 5);
    }
    assert_int_equal(world.reached[0], 0);
    assert_int_equal(world.done[1], 1);
    assert_int_equal(world.reached[1], 0);
    assert_int_equal(world.rests, LG_QUEUE_CONFLICTS_MAX - 1);
    assert_true(world.rest_ms > LG_QUEUE_REST_MS_MAX);
    /* The next one begins from the start. */
    submit(2, "third", 2000);
    lg_queue_read(world.queue, LG_STR(""), LG_STR("1"));
    lg_queue_written(world.queue);
    assert_int_equal(world.reached[2], 1);
}

static struct lg_ask asked(const char *guest, const char *id)
{
    return (struct lg_ask){.ns = LG_STR("a"),
                           .guest = lg_str_of(guest),
                           .node = LG_STR("n1"),
                           .id = lg_str_of(id),
                           .user = LG_STR("u"),
                           .now_ms = world.now_ms};
}

static int answer(const char *guest, const char *id, unsigned tries)
{
    struct lg_ask ask = asked(guest, id);
    return lg_unreached_answer(world.unreached, &ask, tries);
}

/* Callers sent away while the ledger was not reached have their places, and their tickets count. */
static void what_was_said_without_the_ledger_is_counted(void **state)
{
    (void)state;
    submit(0, "holder", 2000);
    round_trip();
    int64_t first_s = answer("early", "1", 0);
    assert_in_range(first_s, 1, 3);
    assert_int_equal(answer("early", "1", 0), first_s); /* it is the same one */
    world.now_ms += first_s * 1000;
    int64_t second_s = answer("early", "2", 0);
    assert_in_range(second_s, first_s, 6);
    submit(1, "late", 2000);
    round_trip();
    const struct lg_ledger *ledger = lg_queue_ledger(world.queue);
    assert_int_equal(ledger->n_tickets, 2);
    assert_true(lg_str_is(ledger->tickets[0].guest, "early"));
    assert_true(lg_str_is(ledger->tickets[1].guest, "late"));
    assert_int_equal(ledger->tickets[0].tries, 2);
    assert_int_equal(ledger->tickets[0].due_ms, world.now_ms + second_s * 1000);
    assert_int_equal(ledger->tickets[0].since_ms, world.now_ms - first_s * 1000);
    assert_true(lg_str_is(ledger->tickets[0].node, "n1"));
    /* Once: neither the next look nor a lost answer counts them again. */
    look();
    assert_int_equal(lg_queue_ledger(world.queue)->tickets[0].tries, 2);
    unsigned writes = world.writes;
    look();
    assert_int_equal(world.writes, writes);
}

/* It hammers at this replica, which seldom tells the others: it is early each time all the same. */
static void who_hammers_is_early_though_nobody_was_told(void **state)
{
    (void)state;
    submit(0, "holder", 2000);
    round_trip();
    submit(1, "waits", 2000);
    round_trip();
    for (size_t i = 2; i < 6; i++) {
        world.now_ms += 2000;
        submit(i, "waits", 2000);
        world.jobs[i].ask.id = lg_arena_printf(&world.arena, "hammer-%zu", i);
        world.jobs[i].ask.typical_s = 60 - 2 * (int64_t)(i - 1); /* the same time, about */
        round_trip();
        int64_t told_ms = world.now_ms + world.jobs[i].turnout.retry_after_s * (int64_t)1000;
        const struct lg_ledger *ledger = lg_queue_ledger(world.queue);
        assert_int_equal(ledger->tickets[0].due_ms, told_ms);
        assert_int_equal(ledger->tickets[0].tries, 1);
        world.now_ms += 1000;
        look();
        ledger = lg_queue_ledger(world.queue);
        assert_int_equal(ledger->tickets[0].due_ms, told_ms);
        assert_int_equal(ledger->tickets[0].slack_ms, 0);
    }
}

/* Who waited before the ledger went away waits in order when it is back, before later ones. */
static void who_waited_before_the_ledger_was_away_keeps_its_place(void **state)
{
    (void)state;
    submit(0, "holder", 2000);
    round_trip();
    submit(1, "one", 2000);
    round_trip();
    submit(2, "two", 2000);
    round_trip();
    world.now_ms += 55 * 1000;
    (void)answer("new", "n", 0);
    (void)answer("two", "two-2", 1);
    world.now_ms += 1000;
    (void)answer("one", "one-2", 1);
    world.now_ms += LG_TICKET_EXPIRY_MS - 2000;
    look();
    const struct lg_ledger *ledger = lg_queue_ledger(world.queue);
    assert_int_equal(ledger->n_tickets, 3);
    assert_true(lg_str_is(ledger->tickets[0].guest, "one"));
    assert_true(lg_str_is(ledger->tickets[1].guest, "two"));
    assert_true(lg_str_is(ledger->tickets[2].guest, "new"));
}

/* A user's name that is cut in tickets is the same one there. */
static void a_long_user_name_is_one_caller(void **state)
{
    (void)state;
    char user[201] = {0};
    memset(user, 'u', sizeof user - 1);
    submit(0, "holder", 2000);
    round_trip();
    submit(1, "waits", 2000);
    world.jobs[1].ask.user = lg_str_of(user);
    round_trip();
    struct lg_ask ask = asked("waits", "2");
    ask.user = lg_str_of(user);
    (void)lg_unreached_answer(world.unreached, &ask, 1);
    look();
    const struct lg_ledger *ledger = lg_queue_ledger(world.queue);
    assert_int_equal(ledger->n_tickets, 1);
    assert_int_equal(ledger->tickets[0].tries, 2);
}

/* It is being written when its caller goes: another time is written, and the same answer. */
static void a_late_decision_is_one_answer(void **state)
{
    (void)state;
    submit(0, "holder", 2000);
    round_trip();
    submit(1, "late", 2000);
    lg_queue_read(world.queue, lg_buf_view(&world.text), LG_STR("1"));
    world.now_ms += 2000;
    int64_t retry_s = answer("late", "late", 0);
    lg_queue_written(world.queue);
    look();
    const struct lg_ledger *ledger = lg_queue_ledger(world.queue);
    assert_int_equal(ledger->n_tickets, 1);
    assert_int_equal(ledger->tickets[0].tries, 1);
    assert_int_equal(ledger->tickets[0].due_ms, world.now_ms + retry_s * 1000);
    /* One that was let through so finds its place, and has no ticket. */
    assert_int_equal(answer("holder", "holder", 0), answer("holder", "holder", 0));
    look();
    assert_int_equal(lg_queue_ledger(world.queue)->n_tickets, 1);
}

/* The ledger is written, nobody is told, its caller comes meanwhile: each answer counts once. */
static void what_was_told_and_answered_again_is_counted_once(void **state)
{
    (void)state;
    submit(0, "holder", 2000);
    round_trip();
    (void)answer("waits", "1", 0);
    for (unsigned answers = 1; answers < 4; answers++) {
        lg_queue_refresh(world.queue);
        lg_queue_read(world.queue, lg_buf_view(&world.text), LG_STR("1"));
        lg_queue_failed(world.queue); /* world.text is there all the same */
        world.now_ms += 2000;
        (void)answer("waits", lg_arena_printf(&world.arena, "%u", answers + 1).p, 0);
        lg_queue_rested(world.queue);
        lg_queue_read(world.queue, lg_buf_view(&world.text), LG_STR("1"));
        lg_queue_written(world.queue);
        const struct lg_ledger *ledger = lg_queue_ledger(world.queue);
        assert_int_equal(ledger->n_tickets, 1);
        assert_int_equal(ledger->tickets[0].tries, answers + 1);
    }
    /* One that was lost before it came there counts all the same. */
    world.now_ms += 2000;
    (void)answer("waits", "5", 0);
    struct lg_buf before lg_cleanup(lg_buf_done) = {0};
    lg_buf_str(&before, lg_buf_view(&world.text));
    lg_queue_refresh(world.queue);
    lg_queue_read(world.queue, lg_buf_view(&before), LG_STR("1"));
    lg_queue_failed(world.queue);
    (void)answer("waits", "6", 0);
    lg_queue_rested(world.queue);
    lg_queue_read(world.queue, lg_buf_view(&before), LG_STR("1"));
    lg_queue_written(world.queue);
    assert_int_equal(lg_queue_ledger(world.queue)->tickets[0].tries, 6);
}

/* A thousand callers are answered, some are kept, and none of those who do not come back. */
static void what_is_kept_of_them_is_bounded(void **state)
{
    (void)state;
    char guest[32];
    for (int i = 0; i < 1000; i++) {
        snprintf(guest, sizeof guest, "g%d", i);
        assert_in_range(answer(guest, guest, 0), 1, 3);
    }
    look();
    assert_int_equal(lg_queue_ledger(world.queue)->n_tickets, LG_TICKETS_NAMESPACE_MAX);
    answer("gone", "gone", LG_RETRIES);
    world.now_ms += LG_RETRY_S_MAX * (int64_t)1000 + LG_TICKET_EXPIRY_MS;
    look();
    assert_int_equal(lg_queue_ledger(world.queue)->n_tickets, 0);
}

static size_t held(void)
{
    const struct lg_ledger *ledger = lg_queue_ledger(world.queue);
    size_t n = 0;
    for (size_t i = 0; i < ledger->n_reservations; i++)
        n += ledger->reservations[i].held;
    return n;
}

static void look_for(int64_t ms)
{
    for (int64_t end_ms = world.now_ms + ms; world.now_ms < end_ms;) {
        world.now_ms += 1000;
        look();
    }
}

static bool is_admitted(size_t i, const char *guest)
{
    submit(i, guest, 2000);
    round_trip();
    assert_int_equal(world.reached[i], 1);
    return world.jobs[i].turnout.admitted;
}

static bool is_in_text(const char *guest)
{
    return memmem(world.text.p, world.text.n, guest, strlen(guest)) != NULL;
}

/* The watch is silent, the migration is there: its place stays when its reservation is over. */
static void what_the_watch_never_showed_is_asked_for_before_its_place_goes(void **state)
{
    (void)state;
    assert_true(is_admitted(0, "first"));
    look_for(LG_RESERVATION_MS - 1000);
    assert_int_equal(world.look_ups, 0);
    assert_true(is_in_text("first"));
    look_for(1000);
    assert_int_equal(world.look_ups, 1);
    assert_true(lg_str_is(world.looked_up.ns, "a") && lg_str_is(world.looked_up.guest, "first"));
    assert_true(lg_str_is(world.looked_up.id, "first"));
    /* For the others it is over: who has seen the migration counts it, the others ask as we do. */
    assert_false(is_in_text("first"));
    assert_false(is_admitted(1, "second"));
    lg_queue_looked_up(world.queue, &world.looked_up, LG_SEEN_UNFINISHED);
    assert_false(is_admitted(2, "second"));
    assert_int_equal(world.look_ups, 1);
    /* Again and again, until it ends: longer than without an answer. */
    unsigned rounds = LG_HELD_MS / LG_QUEUE_LOOK_UP_AGAIN_MS + 2;
    for (unsigned i = 0; i < rounds; i++) {
        look_for(LG_QUEUE_LOOK_UP_AGAIN_MS);
        assert_int_equal(world.look_ups, i + 2);
        lg_queue_looked_up(world.queue, &world.looked_up, LG_SEEN_UNFINISHED);
    }
    assert_int_equal(held(), 1);
    look_for(LG_QUEUE_LOOK_UP_AGAIN_MS);
    submit(3, "second", 2000); /* told while something else is being written: not forgotten */
    lg_queue_read(world.queue, LG_STR(""), LG_STR("1"));
    lg_queue_looked_up(world.queue, &world.looked_up, LG_SEEN_FINAL);
    lg_queue_written(world.queue);
    assert_true(is_admitted(4, "second"));
    assert_int_equal(held(), 0);
}

static void a_create_that_came_to_nothing_is_asked_for_once(void **state)
{
    (void)state;
    assert_true(is_admitted(0, "first"));
    look_for(LG_RESERVATION_MS);
    assert_int_equal(world.look_ups, 1);
    lg_queue_looked_up(world.queue, &world.looked_up, LG_UNSEEN);
    assert_true(is_admitted(1, "second"));
    assert_int_equal(world.look_ups, 1);
}

/* A second create of a guest took the place over, and KubeVirt refused it: the first one's
 * migration is asked for, too. */
static void the_first_of_two_creates_is_asked_for_as_well(void **state)
{
    (void)state;
    assert_true(is_admitted(0, "first"));
    for (size_t i = 1; i < 3; i++) {
        world.now_ms += 1000;
        submit(i, "first", 2000);
        world.jobs[i].ask.id = i == 1 ? LG_STR("again") : LG_STR("once more");
        round_trip();
        assert_true(world.jobs[i].turnout.admitted && world.jobs[i].turnout.own);
    }
    assert_true(is_in_text("\"firstMigration\":\"first\",\"firstId\":\"first\""));
    look_for(LG_RESERVATION_MS);
    assert_int_equal(world.look_ups, 1);
    assert_true(lg_str_is(world.looked_up.id, "once more"));
    lg_queue_looked_up(world.queue, &world.looked_up, LG_UNSEEN);
    assert_false(is_admitted(3, "second"));
    assert_int_equal(world.look_ups, 2);
    assert_true(lg_str_is(world.looked_up.id, "first"));
    lg_queue_looked_up(world.queue, &world.looked_up, LG_SEEN_UNFINISHED);
    assert_false(is_admitted(4, "second"));
    look_for(LG_QUEUE_LOOK_UP_AGAIN_MS);
    lg_queue_looked_up(world.queue, &world.looked_up, LG_SEEN_FINAL);
    assert_true(is_admitted(5, "second"));
}

/* What another one saw end, or counts by now, need not be here yet. */
static void what_others_let_go_is_asked_for_at_once(void **state)
{
    (void)state;
    assert_true(is_admitted(0, "first"));
    world.text.n = 0;
    lg_buf_puts(&world.text, "{\"schema\":1,\"reservations\":[],\"tickets\":[]}");
    look_for(1000);
    assert_int_equal(world.look_ups, 1);
    assert_int_equal(held(), 1);
    assert_false(is_admitted(1, "second"));
    assert_false(is_in_text("first"));
    lg_queue_looked_up(world.queue, &world.looked_up, LG_UNSEEN);
    assert_true(is_admitted(2, "second"));
}

static void without_an_answer_it_is_held_for_as_long_as_a_watch_can_be_silent(void **state)
{
    (void)state;
    assert_true(is_admitted(0, "first"));
    int64_t born_ms = world.now_ms;
    look_for(LG_RESERVATION_MS);
    while (held() != 0) {
        unsigned look_ups = world.look_ups;
        lg_queue_looked_up(world.queue, &world.looked_up, LG_UNSURE);
        look_for(LG_QUEUE_LOOK_UP_AGAIN_MS);
        assert_in_range(world.look_ups, look_ups, look_ups + 1);
        assert_true(world.now_ms - born_ms <= LG_HELD_MS + LG_QUEUE_LOOK_UP_AGAIN_MS);
    }
    assert_true(world.now_ms - born_ms >= LG_HELD_MS);
}

static void no_more_than_some_are_asked_for_at_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3 * LG_QUEUE_LOOK_UPS_MAX; i++) {
        submit(i, lg_arena_printf(&world.arena, "guest-%zu", i).p, 2000);
        world.jobs[i].ask.limit[LG_LIMIT_CLUSTER] = world.jobs[i].ask.limit[LG_LIMIT_OUTBOUND] =
            100;
        round_trip();
        assert_true(world.jobs[i].turnout.admitted);
    }
    look_for(LG_RESERVATION_MS);
    assert_int_equal(held(), 3 * LG_QUEUE_LOOK_UPS_MAX);
    assert_int_equal(world.look_ups, LG_QUEUE_LOOK_UPS_MAX);
    lg_queue_looked_up(world.queue, &world.looked_up, LG_UNSEEN);
    look_for(1000);
    assert_int_equal(world.look_ups, LG_QUEUE_LOOK_UPS_MAX + 1);
    assert_int_equal(held(), 3 * LG_QUEUE_LOOK_UPS_MAX - 1);
}

int main(void)
{
#define TEST(name)     cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TEST_ASK(name) cmocka_unit_test_setup_teardown(name, setup_looking_up, teardown)
    const struct CMUnitTest tests[] = {
        TEST(who_waits_no_more_takes_no_place),
        TEST(what_was_known_outlives_a_text_that_is_none),
        TEST(what_nobody_comes_back_for_goes_though_nobody_asks),
        TEST(who_begins_anew_is_not_expected_when_the_first_one_was),
        TEST(who_begins_anew_keeps_its_place_with_others),
        TEST(what_is_learned_late_makes_nobody_early),
        TEST(who_waited_before_the_ledger_was_away_keeps_its_place),
        TEST(who_hammers_is_early_though_nobody_was_told),
        TEST(a_long_user_name_is_one_caller),
        TEST(what_is_too_long_to_be_kept_is_said),
        TEST(conflicts_are_given_time),
        TEST(what_was_said_without_the_ledger_is_counted),
        TEST(what_was_told_and_answered_again_is_counted_once),
        TEST(a_late_decision_is_one_answer),
        TEST(what_is_kept_of_them_is_bounded),
        TEST(none_pile_up_while_the_ledger_is_gone),
        TEST_ASK(what_the_watch_never_showed_is_asked_for_before_its_place_goes),
        TEST_ASK(a_create_that_came_to_nothing_is_asked_for_once),
        TEST_ASK(the_first_of_two_creates_is_asked_for_as_well),
        TEST_ASK(what_others_let_go_is_asked_for_at_once),
        TEST_ASK(without_an_answer_it_is_held_for_as_long_as_a_watch_can_be_silent),
        TEST_ASK(no_more_than_some_are_asked_for_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
