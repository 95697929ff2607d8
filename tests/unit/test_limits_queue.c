/* The limiter's decision: who is next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "rules/core/mem.h"
#include "tests/unit/limits_world.h"

static void a_full_node_does_not_hold_back_others(void **state)
{
    (void)state;
    guest("web", "a", "n1");
    guest("web", "b", "n1");
    guest("web", "c", "n1");
    guest("web", "d", "n2");
    assert_true(ask("web", "a").admitted);
    assert_true(ask("web", "b").admitted);
    struct lg_turnout turnout = ask("web", "c");
    assert_false(turnout.admitted);
    assert_true(turnout.of[LG_LIMIT_OUTBOUND].full);
    assert_false(turnout.of[LG_LIMIT_CLUSTER].full);
    assert_int_equal(turnout.place, 1);
    assert_int_equal(turnout.of[LG_LIMIT_OUTBOUND].used, 2);
    assert_int_equal(turnout.of[LG_LIMIT_OUTBOUND].n_holders, 2);
    assert_true(ask("web", "d").admitted);
}

static void a_free_place_is_kept_for_who_is_next(void **state)
{
    (void)state;
    limit_cluster = 1;
    guest("web", "a", "n1");
    guest("web", "b", "n2");
    guest("web", "c", "n3");
    migration("web", "m", "a", "Running");
    struct lg_ask near = ask_of("web", "b");
    near.typical_s = 10;
    struct lg_turnout first = decide(&near);
    assert_int_equal(first.place, 1);
    assert_true(first.retry_after_s >= 1 && first.retry_after_s <= LG_RETRY_HEAD_S_MAX);
    struct lg_turnout second = ask("web", "c");
    assert_int_equal(second.place, 2);
    migration("web", "m", "a", "Succeeded");
    /* Free, but the second is not next. */
    second = ask("web", "c");
    assert_false(second.admitted);
    assert_int_equal(second.place, 2);
    assert_true(second.of[LG_LIMIT_CLUSTER].full);
    assert_int_equal(second.of[LG_LIMIT_CLUSTER].used, 0);
    now_ms += first.retry_after_s * 1000 + LG_TICKET_GRACE_MS;
    assert_false(ask("web", "c").admitted);
    now_ms += 1;
    assert_true(ask("web", "c").admitted);
    /* The first came too late for this one, and has its place until its ticket is over. */
    assert_int_equal(ledger.n_tickets, 1);
    now_ms += LG_TICKET_EXPIRY_MS;
    tidy();
    assert_int_equal(ledger.n_tickets, 0);
}

static void who_is_next_gets_it(void **state)
{
    (void)state;
    limit_cluster = 1;
    guest("web", "a", "n1");
    guest("web", "b", "n2");
    guest("web", "c", "n3");
    migration("web", "m", "a", "Running");
    struct lg_turnout first = ask("web", "b");
    ask("web", "c");
    migration("web", "m", "a", "Succeeded");
    now_ms += first.retry_after_s * 1000;
    assert_true(ask("web", "b").admitted);
    assert_int_equal(ledger.n_tickets, 1);
    assert_int_equal(ask("web", "c").place, 1);
}

static void namespaces_take_turns(void **state)
{
    (void)state;
    limit_cluster = 1;
    limit_node = 100;
    guest("x", "busy", "n0");
    migration("x", "m", "busy", "Running");
    static const char *const names[] = {"g0", "g1", "g2", "g3", "g4", "g5"};
    for (int i = 0; i < 6; i++) {
        guest("a", names[i], "n1");
        assert_int_equal(ask("a", names[i]).place, i + 1);
    }
    guest("b", "g0", "n2");
    guest("b", "g1", "n2");
    guest("c", "g0", "n3");
    /* a's first stands before b's and c's: it came first. Its second does not. */
    assert_int_equal(ask("b", "g0").place, 2);
    assert_int_equal(ask("b", "g1").place, 4);
    assert_int_equal(ask("c", "g0").place, 3);
    static const char *const order[] = {"a/g0", "b/g0", "c/g0", "a/g1", "b/g1",
                                        "a/g2", "a/g3", "a/g4", "a/g5"};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        char is[128];
        snprintf(is, sizeof is, "%.*s/%.*s", LG_ARG(ledger.tickets[i].ns),
                 LG_ARG(ledger.tickets[i].guest));
        assert_string_equal(is, order[i]);
    }
}

/* Six of a namespace wait for their node; what it does with other nodes puts nobody behind the
 * six. */
static void six_wait_for_their_node(void)
{
    static const char *const names[] = {"g0", "g1", "g2", "g3", "g4", "g5"};
    limit_node = 1;
    guest("x", "busy", "n1");
    migration("x", "m", "busy", "Running");
    for (int i = 0; i < 6; i++) {
        guest("a", names[i], "n1");
        assert_int_equal(ask("a", names[i]).place, i + 1);
    }
}

static void a_newcomer_that_may_start_takes_no_turns_of_others(void **state)
{
    (void)state;
    six_wait_for_their_node();
    guest("a", "other", "n2");
    assert_true(ask("a", "other").admitted);
    guest("b", "g0", "n1");
    guest("b", "g1", "n1");
    assert_int_equal(ask("b", "g0").place, 2);
    assert_int_equal(ask("b", "g1").place, 4);
    /* The namespace itself is served after what it has had. */
    guest("a", "more", "n1");
    assert_int_equal(ask("a", "more").place, 9);
}

static void who_comes_in_time_for_another_node_takes_no_turns_of_others(void **state)
{
    (void)state;
    guest("x", "busy2", "n2");
    migration("x", "m2", "busy2", "Running");
    six_wait_for_their_node();
    guest("a", "other", "n2");
    struct lg_turnout other = ask("a", "other");
    assert_false(other.admitted);
    migration("x", "m2", "busy2", "Succeeded");
    now_ms += other.retry_after_s * (int64_t)1000;
    assert_true(ask("a", "other").admitted);
    guest("b", "g0", "n1");
    assert_int_equal(ask("b", "g0").place, 2);
}

/* Its guest holds a place, and forty-nine more of its namespace wait: creating it again and again
 * passes no time. */
static void a_take_over_is_no_turn(void **state)
{
    (void)state;
    char name[16];
    limit_cluster = 1;
    limit_node = 100;
    guest("h", "own", "n2");
    assert_true(ask("h", "own").admitted);
    for (int i = 0; i < LG_TICKETS_NAMESPACE_MAX - 1; i++) {
        snprintf(name, sizeof name, "g%d", i);
        guest("h", name, "n1");
        assert_false(ask("h", lg_arena_printf(&objects.arena, "%s", name).p).admitted);
    }
    guest("v", "a", "n3");
    uint64_t tag = lg_ledger_next_tag(&ledger, LG_STR("v"), LG_STR("n3"));
    for (int i = 0; i < 3; i++)
        assert_true(ask("h", "own").admitted);
    assert_int_equal(lg_ledger_next_tag(&ledger, LG_STR("v"), LG_STR("n3")), tag);
    assert_int_equal(ask("v", "a").place, 2);
}

static void coming_again_and_again_does_not_jump_the_queue(void **state)
{
    (void)state;
    limit_cluster = 1;
    limit_node = 100;
    guest("x", "busy", "n0");
    static const char *const names[] = {"g0", "g1", "g2", "g3"};
    for (int i = 0; i < 4; i++) {
        guest("a", names[i], "n1");
        guest("b", names[i], "n2");
    }
    migration("x", "m", "busy", "Running");
    for (int i = 0; i < 4; i++)
        ask("a", names[i]);
    /* b has one waiting at a time and comes again as soon as it was served. */
    unsigned served_a = 0, served_b = 0;
    ask("b", "g0");
    lg_inventory_remove(inv, LG_KIND_MIGRATION, LG_STR("x"), LG_STR("m"));
    for (int round = 0; round < 6; round++) {
        struct lg_ticket *head = &ledger.tickets[0];
        bool b = lg_str_is(head->ns, "b");
        struct lg_ask the = {.ns = lg_arena_str(&objects.arena, head->ns),
                             .guest = lg_arena_str(&objects.arena, head->guest),
                             .node = LG_STR("n9"),
                             .id = LG_STR("i"),
                             .user = LG_STR("alice"),
                             .limit = {1, 100, 0},
                             .now_ms = now_ms};
        assert_true(decide(&the).admitted);
        served_a += !b;
        served_b += b;
        if (b)
            ask("b", names[served_b % 4]);
        lg_ledger_drop_reservation(&ledger, 0);
    }
    assert_int_equal(served_a, 3);
    assert_int_equal(served_b, 3);
}

/* An asker that may go to nodes with that many places left, all of them together. */
static struct lg_turnout ask_for_targets(const char *ns, const char *name, int64_t left)
{
    static const struct lg_str free[] = {LG_STR("t1"), LG_STR("t2"), LG_STR("t3"), LG_STR("t4"),
                                         LG_STR("t5"), LG_STR("t6"), LG_STR("t7"), LG_STR("t8")};
    struct lg_ask the = ask_of(ns, name);
    the.limit[LG_LIMIT_INBOUND] = 1;
    the.targets = free;
    the.n_targets = (size_t)left + lg_limits_unplaced(lg_inventory_slots(inv), &ledger);
    assert_true(the.n_targets <= sizeof free / sizeof *free);
    return decide(&the);
}

static void three_guests_with_room_but_for_targets(void)
{
    limit_cluster = limit_node = 100;
    guest("a", "first", "n1");
    guest("b", "second", "n2");
    guest("c", "third", "n3");
}

static void a_free_target_is_kept_for_who_is_next(void **state)
{
    (void)state;
    three_guests_with_room_but_for_targets();
    struct lg_turnout first = ask_for_targets("a", "first", 0);
    assert_false(first.admitted || first.target_kept);
    assert_int_equal(first.place, 1);
    /* A place is free, and no newcomer gets it; but it gets one that nobody before it waits for. */
    struct lg_turnout second = ask_for_targets("b", "second", 1);
    assert_false(second.admitted);
    assert_true(second.target_kept);
    assert_int_equal(second.place, 2);
    assert_int_equal(second.of[LG_LIMIT_INBOUND].ahead, 1);
    assert_false(second.of[LG_LIMIT_CLUSTER].full);
    assert_true(ask_for_targets("c", "third", 3).admitted);
    now_ms += first.retry_after_s * (int64_t)1000;
    assert_true(ask_for_targets("a", "first", 1).admitted);
    /* Whoever is not limited by targets waits for nobody of them. */
    guest("d", "other", "n4");
    assert_true(ask("d", "other").admitted);
}

/* The first cannot go where there is room: others wait ten seconds for it, and no longer. */
static void a_target_that_who_is_next_cannot_use_is_for_others(void **state)
{
    (void)state;
    three_guests_with_room_but_for_targets();
    (void)ask_for_targets("a", "first", 0);
    int64_t since_ms = now_ms;
    struct lg_turnout second = ask_for_targets("b", "second", 1);
    while (!second.admitted) {
        assert_true(second.target_kept);
        assert_true(now_ms - since_ms <= LG_KEPT_MS);
        struct lg_ticket *ticket =
            lg_ledger_ticket(&ledger, LG_STR("a"), LG_STR("first"), LG_STR("alice"));
        assert_false(ask_for_targets("a", "first", 0).admitted);
        now_ms += 1000;
        ticket->due_ms = now_ms; /* it comes all the time */
        ticket->tries = 1;
        ticket = lg_ledger_ticket(&ledger, LG_STR("b"), LG_STR("second"), LG_STR("alice"));
        ticket->due_ms = now_ms;
        second = ask_for_targets("b", "second", 1);
    }
    assert_int_equal(now_ms - since_ms, LG_KEPT_MS);
    assert_int_equal(ledger.n_tickets, 1);
}

static void a_target_that_is_full_again_is_kept_anew(void **state)
{
    (void)state;
    three_guests_with_room_but_for_targets();
    (void)ask_for_targets("a", "first", 0);
    assert_true(ask_for_targets("b", "second", 1).target_kept);
    assert_int_equal(ledger.tickets[1].kept_ms, now_ms);
    now_ms += 1000;
    assert_false(ask_for_targets("b", "second", 0).target_kept);
    assert_int_equal(ledger.tickets[1].kept_ms, 0);
    now_ms += LG_KEPT_MS;
    ledger.tickets[0].due_ms = ledger.tickets[1].due_ms = now_ms;
    assert_true(ask_for_targets("b", "second", 1).target_kept);
}

static void fifty_tickets_a_namespace_and_no_more(void **state)
{
    (void)state;
    limit_cluster = 1;
    guest("x", "busy", "n0");
    migration("x", "m", "busy", "Running");
    char name[16];
    for (int i = 0; i < LG_TICKETS_NAMESPACE_MAX; i++) {
        snprintf(name, sizeof name, "g%d", i);
        assert_true(ask("a", lg_arena_str(&objects.arena, lg_str_of(name)).p).place > 0);
    }
    struct lg_turnout turnout = ask("a", "one-more");
    assert_false(turnout.admitted);
    assert_true(turnout.no_place);
    assert_int_equal(turnout.place, 0);
    assert_true(turnout.retry_after_s >= 1);
    assert_int_equal(ledger.n_tickets, LG_TICKETS_NAMESPACE_MAX);
    assert_int_equal(ask("b", "first").place, 2);
}

/* Ten namespaces of one user fill the queue; somebody else's first guest is served before their
 * last ones, and waits where it belongs. */
static void a_full_queue_shuts_nobody_out(void **state)
{
    (void)state;
    char ns[32], name[32];
    limit_cluster = 1;
    limit_node = 1;
    guest("z", "holder", "n0");
    migration("z", "holder", "holder", "Running");
    for (int i = 0; i < LG_TICKETS_MAX; i++) {
        snprintf(ns, sizeof ns, "ns%d", i % (LG_TICKETS_MAX / LG_TICKETS_NAMESPACE_MAX));
        snprintf(name, sizeof name, "g%d", i);
        guest(ns, name, "n1");
        assert_false(ask(ns, name).no_place);
    }
    guest("honest", "db", "n1");
    struct lg_turnout turnout = ask("honest", "db");
    assert_false(turnout.no_place);
    assert_int_equal(turnout.place, LG_TICKETS_MAX / LG_TICKETS_NAMESPACE_MAX + 1);
    assert_int_equal(ledger.n_tickets, LG_TICKETS_MAX);
    /* But not one that would be the last itself. */
    guest("ns0", "more", "n1");
    assert_true(ask("ns0", "more").no_place);
    assert_int_equal(ledger.n_tickets, LG_TICKETS_MAX);
}

/* Ctrl-C: whoever is next does not come any more. */
static void a_place_is_not_kept_for_one_who_went_away(void **state)
{
    (void)state;
    limit_cluster = 1;
    guest("a", "holder", "n0");
    guest("a", "gone", "n1");
    guest("a", "next", "n1");
    migration("a", "m", "holder", "Running");
    struct lg_turnout gone = ask("a", "gone");
    assert_int_equal(gone.place, 1);
    assert_int_equal(ask("a", "next").place, 2);
    migration("a", "m", "holder", "Succeeded");
    int64_t due_ms = now_ms + gone.retry_after_s * (int64_t)1000;
    now_ms = due_ms + LG_TICKET_GRACE_MS;
    assert_false(ask("a", "next").admitted);
    now_ms = due_ms + LG_TICKET_GRACE_MS + 1;
    assert_true(ask("a", "next").admitted);
    now_ms = due_ms + LG_TICKET_EXPIRY_MS;
    tidy();
    assert_int_equal(ledger.n_tickets, 0);
}

/* A client with two tries left, whose next one is due in `due_in_ms`; "next" waits behind it, and
 * cluster and node are free. */
static void one_has_few_tries_left(int64_t due_in_ms)
{
    limit_cluster = 1;
    guest("a", "old", "n1");
    guest("a", "next", "n1");
    (void)lg_ledger_add_ticket(&ledger, &(struct lg_ticket){.ns = LG_STR("a"),
                                                            .guest = LG_STR("old"),
                                                            .node = LG_STR("n1"),
                                                            .user = LG_STR("alice"),
                                                            .due_ms = now_ms + due_in_ms,
                                                            .tries = LG_RETRIES - 1});
}

/* The next one comes at its time. */
static bool next_is_let_through(void)
{
    struct lg_ticket *next =
        lg_ledger_ticket(&ledger, LG_STR("a"), LG_STR("next"), LG_STR("alice"));
    if (next != NULL)
        next->due_ms = now_ms;
    return ask("a", "next").admitted;
}

/* Its retries are far apart by then, and the next one may be its last: a place that gets free
 * meanwhile waits for it. */
static void who_is_first_and_soon_gives_up_has_its_place_kept(void **state)
{
    (void)state;
    one_has_few_tries_left(60 * 1000);
    int64_t due_ms = now_ms + 60 * 1000;
    now_ms = due_ms - LG_TICKET_LAST_AHEAD_MS;
    assert_false(next_is_let_through());
    assert_false(next_is_let_through());
    now_ms = due_ms;
    assert_true(ask("a", "old").admitted);
}

/* Ctrl-C with two tries left, and the next try was due in five minutes: the free place does not lie
 * idle so long. */
static void a_free_place_is_kept_for_thirty_seconds_at_most(void **state)
{
    (void)state;
    one_has_few_tries_left(LG_RETRY_S_MAX * 1000);
    int64_t due_ms = now_ms + LG_RETRY_S_MAX * (int64_t)1000;
    int64_t idle_ms = 0;
    assert_false(ask("a", "next").admitted); /* a newcomer passes nobody */
    for (now_ms += 1000; now_ms < due_ms + LG_TICKET_EXPIRY_MS; now_ms += 1000) {
        struct lg_ticket *next = &ledger.tickets[1];
        next->due_ms = now_ms;
        struct lg_ask the = ask_of("a", "next");
        the.no_trace = true;
        idle_ms += decide(&the).admitted ? 0 : 1000;
    }
    assert_in_range(idle_ms, 30 * 1000, 31 * 1000);
    now_ms = due_ms - LG_TICKET_LAST_AHEAD_MS - 1;
    assert_true(next_is_let_through());
}

/* Who asks before its time to have it kept anew begins to count anew, and has it kept no longer
 * than others. */
static void a_place_is_not_kept_again_and_again(void **state)
{
    (void)state;
    guest("x", "holder", "n0");
    migration("x", "m", "holder", "Running");
    one_has_few_tries_left(LG_TICKET_LAST_AHEAD_MS);
    (void)ask("a", "next");
    now_ms += LG_TICKET_LAST_AHEAD_MS / 2;
    assert_false(ask("a", "old").admitted);
    assert_int_equal(ledger.tickets[0].tries, 1);
    migration("x", "m", "holder", "Succeeded");
    ledger.tickets[0].due_ms = now_ms + LG_TICKET_AHEAD_MS + 1;
    assert_true(next_is_let_through());
}

static void a_client_outlasts_a_long_migration(void **state)
{
    (void)state;
    limit_cluster = 1;
    guest("x", "busy", "n0");
    guest("a", "db", "n1");
    migration("x", "m", "busy", "Running");
    int64_t start_ms = now_ms;
    struct lg_turnout turnout = {0};
    for (int attempt = 0; attempt <= LG_RETRIES; attempt++) {
        struct lg_ask the = ask_of("a", "db");
        the.typical_s = 90;
        turnout = decide(&the);
        assert_false(turnout.admitted);
        assert_int_equal(turnout.last_try, attempt == LG_RETRIES);
        assert_true(turnout.retry_after_s >= 1 && turnout.retry_after_s <= LG_RETRY_S_MAX);
        assert_int_equal(ledger.n_tickets, 1);
        now_ms += turnout.retry_after_s * 1000;
    }
    assert_true(now_ms - start_ms > 90 * 1000);
}

static void starting_anew_before_its_time_counts_from_the_beginning(void **state)
{
    (void)state;
    limit_cluster = 1;
    guest("x", "busy", "n0");
    guest("a", "db", "n1");
    migration("x", "m", "busy", "Running");
    for (int i = 0; i < 4; i++) {
        struct lg_turnout turnout = ask("a", "db");
        now_ms += turnout.retry_after_s * 1000;
    }
    assert_int_equal(ledger.tickets[0].tries, 4);
    ask("a", "db");
    assert_int_equal(ledger.tickets[0].tries, 5);
    now_ms += 100; /* Ctrl-C, and once more */
    ask("a", "db");
    assert_int_equal(ledger.tickets[0].tries, 1);
    assert_int_equal(ledger.n_tickets, 1);
}

static struct lg_limit_state aged(int64_t limit, int64_t first_s, int64_t second_s)
{
    struct lg_limit_state of = {.limit = limit, .used = limit};
    lg_limits_add_age(&of, first_s, 60);
    if (limit > 1)
        lg_limits_add_age(&of, second_s, 60);
    return of;
}

static void estimates_follow_places_limits_and_ages(void **state)
{
    (void)state;
    struct lg_limit_state of = aged(1, 0, 0);
    assert_int_equal(lg_limits_estimate_s(&of, 1, 60), 60);
    of = aged(1, 50, 0);
    assert_int_equal(lg_limits_estimate_s(&of, 1, 60), 10);
    of = aged(1, 500, 0); /* nobody knows for how long */
    assert_int_equal(lg_limits_estimate_s(&of, 1, 60), 441);
    of = aged(1, -1, 0);
    assert_int_equal(lg_limits_estimate_s(&of, 1, 0), LG_TYPICAL_S);
    /* The first to end is the next to go, and a place that stays taken serves nobody. */
    of = aged(2, 500, 50);
    assert_int_equal(lg_limits_estimate_s(&of, 1, 60), 10);
    assert_int_equal(lg_limits_estimate_s(&of, 3, 60), 10 + 2 * 63);
    of = aged(2, 55, 50);
    assert_int_equal(lg_limits_estimate_s(&of, 3, 60), 5 + 2 * 63 / 2);
    of = (struct lg_limit_state){.limit = 0};
    assert_int_equal(lg_limits_estimate_s(&of, 1000, 10), 1 + 999 * 13);
}

static void age(const char *ns, const char *name, const char *guest_name, const char *phase,
                int age_s)
{
    char more[64];
    time_t at = (time_t)(now_ms / 1000 - age_s);
    struct tm tm;
    size_t n = strftime(more, sizeof more, ",'creationTimestamp':'%FT%TZ'", gmtime_r(&at, &tm));
    assert_int_not_equal(n, 0);
    migration_with(ns, name, guest_name, phase, more);
}

/* Whose migrations an asker sees is its namespace's matter; how long it takes is not. */
static void a_later_place_is_told_no_shorter_time(void **state)
{
    (void)state;
    static const char *const askers[][2] = {{"web", "x"}, {"a", "y"}, {"b", "z"}, {"web", "v"}};
    char name[16], node[16];
    for (int drained = 50; drained >= 5; drained -= 15) {
        int64_t before_s = 0;
        for (int i = 0; i < drained; i++) {
            snprintf(name, sizeof name, "g%d", i);
            snprintf(node, sizeof node, "n%d", i);
            guest(i % 2 == 0 ? "a" : "web", name, node);
            age(i % 2 == 0 ? "a" : "web", name, name, i < 5 ? "Running" : "Pending", 70 * i + 10);
        }
        for (int i = 0; i < 4; i++) {
            snprintf(node, sizeof node, "own-%d", i);
            guest(askers[i][0], askers[i][1], node);
            struct lg_ask the = ask_of(askers[i][0], askers[i][1]);
            the.typical_s = 60;
            struct lg_turnout turnout = decide(&the);
            assert_int_equal(turnout.place, i + 1);
            assert_true(turnout.estimate_s >= before_s);
            before_s = turnout.estimate_s;
        }
        /* More than the limit: 60 s each, five at once. Five: 80 s old is the first to end, three
         * take too long. */
        assert_int_equal(before_s, drained > 5 ? 60 + (drained - 2) * 63 / 5 : 21 + 3 * 63 / 2);
        teardown(NULL);
        setup(NULL);
    }
}

/* A drain takes as many places as it likes: those that are over the limit end before one is free.
 * */
static void what_is_over_the_limit_ends_first(void **state)
{
    (void)state;
    char name[16];
    for (int i = 0; i < 50; i++) {
        snprintf(name, sizeof name, "g%d", i);
        guest("a", name, "n1");
        migration("a", name, name, i < 2 ? "Running" : "Pending");
    }
    guest("web", "db", "n2");
    struct lg_ask the = ask_of("web", "db");
    the.typical_s = 57;
    struct lg_turnout turnout = decide(&the);
    assert_int_equal(turnout.place, 1);
    assert_int_equal(turnout.of[LG_LIMIT_CLUSTER].used, 50);
    assert_int_equal(turnout.estimate_s, 57 + 45 * 60 / 5);
    /* 597 s, spread over the retries. */
    assert_in_range(turnout.retry_after_s, 4 * 597 / 10 * 9 / 10, 4 * 597 / 10 * 11 / 10 + 1);
}

static void durations_are_learnt_from_those_that_end(void **state)
{
    (void)state;
    guest("web", "a", "n1");
    assert_int_equal(lg_slots_typical_s(lg_inventory_slots(inv)), 0);
    for (int i = 0; i < 40; i++) {
        migration("web", "m", "a", "Running");
        lg_inventory_set(
            inv,
            lg_objects_record(&objects, "{'apiVersion':'kubevirt.io/"
                                        "v1','kind':'VirtualMachineInstanceMigration','metadata':"
                                        "{'name':'m','namespace':'web'},'spec':{'vmiName':'a'},'"
                                        "status':{'phase':'Succeeded',"
                                        "'migrationState':{'startTimestamp':'2026-01-01T00:00:00Z',"
                                        "'endTimestamp':'2026-01-01T00:00:30Z'}}}"));
    }
    assert_int_equal(lg_slots_typical_s(lg_inventory_slots(inv)), 30);
}

static void long_user_names_are_told_apart(void **state)
{
    (void)state;
    char a[400], b[400], buf_a[LG_LEDGER_USER_BYTES_MAX + 24], buf_b[LG_LEDGER_USER_BYTES_MAX + 24];
    memset(a, 'x', sizeof a);
    memcpy(b, a, sizeof b);
    b[399] = 'y';
    struct lg_str cut_a = lg_ledger_user((struct lg_str){a, 400}, buf_a);
    struct lg_str cut_b = lg_ledger_user((struct lg_str){b, 400}, buf_b);
    assert_int_equal(cut_a.n, LG_LEDGER_USER_BYTES_MAX + 17);
    assert_false(lg_str_eq(cut_a, cut_b));
    /* As it stands in a ticket it is the same caller. */
    assert_true(lg_str_eq(lg_ledger_user(cut_a, buf_b), cut_a));
    assert_true(lg_str_is(lg_ledger_user(LG_STR("alice"), buf_a), "alice"));
}

/* Nodes n2 and n3 may each receive so many. */
static struct lg_ask inbound_ask(const char *name, int64_t each)
{
    static const struct lg_str targets[] = {{"n2", 2}, {"n3", 2}};
    struct lg_ask the = ask_of("web", name);
    the.limit[LG_LIMIT_INBOUND] = each;
    the.targets = targets;
    the.n_targets = 2;
    return the;
}

/* What is on its way counts, wherever it may go: those whose target is not known, and those who
 * were let through. */
static void places_of_targets_are_counted_when_it_is_decided(void **state)
{
    (void)state;
    limit_node = 5;
    guest("web", "a", "n1");
    guest("web", "b", "n1");
    guest("web", "c", "n1");
    migration("web", "ma", "a", "Running");
    struct lg_ask b = inbound_ask("b", 1), c = inbound_ask("c", 1);
    assert_true(decide(&b).admitted);
    struct lg_turnout turnout = decide(&c);
    assert_false(turnout.admitted);
    assert_true(turnout.of[LG_LIMIT_INBOUND].full);
    assert_int_equal(turnout.of[LG_LIMIT_INBOUND].used, 2);
    /* b comes to nothing, and a gets its target after c's ask was made: it is counted there
     * instead. */
    lg_ledger_drop_reservation(&ledger, 0);
    lg_inventory_set(inv, lg_objects_record(&objects,
                                            "{'apiVersion':'kubevirt.io/v1','kind':"
                                            "'VirtualMachineInstance','metadata':{'name':'a',"
                                            "'namespace':'web'},'status':{'phase':'Running',"
                                            "'nodeName':'n1','migrationState':{'sourceNode':'n1',"
                                            "'targetNode':'n2'}}}"));
    assert_true(decide(&c).admitted);
    lg_ledger_drop_reservation(&ledger, 0);
    guest("web", "d", "n3");
    migration("web", "md", "d", "Running");
    turnout = decide(&c);
    assert_false(turnout.admitted);
    assert_int_equal(turnout.of[LG_LIMIT_INBOUND].used, 1);
    struct lg_ask wider = inbound_ask("c", 2);
    assert_true(decide(&wider).admitted);
}

/* Those whose target is chosen hold places of the nodes that the asker could go to: of any, where
 * those are not known. */
static void who_goes_elsewhere_holds_no_place_of_targets(void **state)
{
    (void)state;
    guest("web", "b", "n1");
    lg_inventory_set(inv, lg_objects_record(&objects,
                                            "{'apiVersion':'kubevirt.io/v1','kind':"
                                            "'VirtualMachineInstance','metadata':{'name':'a',"
                                            "'namespace':'web'},'status':{'phase':'Running',"
                                            "'nodeName':'n8','migrationState':{'sourceNode':'n8',"
                                            "'targetNode':'n2'}}}"));
    migration("web", "ma", "a", "Running");
    static const struct lg_str there[] = {{"n2", 2}}, elsewhere[] = {{"n3", 2}};
    static const struct {
        const struct lg_str *targets;
        size_t n, held;
    } rows[] = {{NULL, 0, 1}, {elsewhere, 0, 0}, {there, 1, 1}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct lg_ask b = inbound_ask("b", 1);
        b.targets = rows[i].targets;
        b.n_targets = rows[i].n;
        struct lg_turnout turnout = decide(&b);
        assert_true(turnout.of[LG_LIMIT_INBOUND].full);
        assert_int_equal(turnout.of[LG_LIMIT_INBOUND].held, rows[i].held);
    }
}

/* Who waits for its targets is passed by whoever could start. */
static void who_waits_for_its_targets_holds_back_nobody(void **state)
{
    (void)state;
    limit_cluster = 2;
    guest("web", "a", "n1");
    guest("web", "b", "n4");
    guest("web", "busy", "n5");
    migration("web", "m", "busy", "Running");
    struct lg_ask a = inbound_ask("a", 1);
    a.n_targets = 1;
    struct lg_turnout turnout = decide(&a);
    assert_false(turnout.admitted);
    assert_true(turnout.of[LG_LIMIT_INBOUND].full && !turnout.of[LG_LIMIT_CLUSTER].full);
    assert_int_equal(ledger.n_tickets, 1);
    turnout = ask("web", "b"); /* no such limit for b */
    assert_true(turnout.admitted);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_full_node_does_not_hold_back_others),
        TEST(a_free_place_is_kept_for_who_is_next),
        TEST(who_is_next_gets_it),
        TEST(namespaces_take_turns),
        TEST(a_newcomer_that_may_start_takes_no_turns_of_others),
        TEST(who_comes_in_time_for_another_node_takes_no_turns_of_others),
        TEST(a_take_over_is_no_turn),
        TEST(coming_again_and_again_does_not_jump_the_queue),
        TEST(a_free_target_is_kept_for_who_is_next),
        TEST(a_target_that_who_is_next_cannot_use_is_for_others),
        TEST(a_target_that_is_full_again_is_kept_anew),
        TEST(fifty_tickets_a_namespace_and_no_more),
        TEST(a_full_queue_shuts_nobody_out),
        TEST(a_place_is_not_kept_for_one_who_went_away),
        TEST(who_is_first_and_soon_gives_up_has_its_place_kept),
        TEST(a_free_place_is_kept_for_thirty_seconds_at_most),
        TEST(a_place_is_not_kept_again_and_again),
        TEST(a_client_outlasts_a_long_migration),
        TEST(starting_anew_before_its_time_counts_from_the_beginning),
        TEST(estimates_follow_places_limits_and_ages),
        TEST(a_later_place_is_told_no_shorter_time),
        TEST(what_is_over_the_limit_ends_first),
        TEST(durations_are_learnt_from_those_that_end),
        TEST(long_user_names_are_told_apart),
        TEST(places_of_targets_are_counted_when_it_is_decided),
        TEST(who_goes_elsewhere_holds_no_place_of_targets),
        TEST(who_waits_for_its_targets_holds_back_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
