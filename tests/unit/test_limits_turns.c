/* The limiter's decision: namespaces take turns, whatever is let through beside those who wait. */
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

enum { WAITING = 40, PASSING = 45 };

/* Guest i of the namespace, on that node. */
static struct lg_ask ask_of_guest(const char *ns, int i, const char *node)
{
    char name[16];
    snprintf(name, sizeof name, "g%d", i);
    guest(ns, name, node);
    return ask_of(ns, lg_arena_printf(&objects.arena, "%s", name).p);
}

static struct lg_turnout ask_guest(const char *ns, int i, const char *node)
{
    struct lg_ask the = ask_of_guest(ns, i, node);
    return decide(&the);
}

static void one_is_busy(const char *node)
{
    guest("x", "busy", node);
    migration("x", "m", "busy", "Running");
}

static void all_wait(const char *ns, int n, const char *node)
{
    for (int i = 0; i < n; i++)
        assert_false(ask_guest(ns, i, node).admitted);
}

/* Whoever waits comes again at its time, as long as the test lasts. */
static void all_come_again(void)
{
    for (size_t i = 0; i < ledger.n_tickets; i++)
        ledger.tickets[i].due_ms = now_ms;
}

static void nothing_is_under_way(void)
{
    while (ledger.n_reservations != 0)
        lg_ledger_drop_reservation(&ledger, 0);
}

static void assert_served_nth(size_t n, const char *ns)
{
    assert_true(n < ledger.n_tickets);
    assert_true(lg_str_eq(ledger.tickets[n].ns, lg_str_of(ns)));
}

static void others_from_other_nodes_pass_no_time_at_a_full_node(void **state)
{
    (void)state;
    limit_cluster = 100;
    limit_node = 1;
    one_is_busy("n1");
    all_wait("a", WAITING, "n1");
    for (int i = 0; i < PASSING; i++) {
        assert_true(ask_guest("c", i, "n2").admitted);
        nothing_is_under_way();
    }
    assert_int_equal(ledger.now_tag, PASSING - 1);
    assert_int_equal(ask_guest("d", 0, "n1").place, 2);
    assert_int_equal(ask_guest("d", 1, "n1").place, 4);
    /* Who was served meanwhile has had its turns. */
    assert_int_equal(ask_guest("c", PASSING, "n1").place, WAITING + 3);
}

/* b had its turn while time was less than it is now: it does not come first again at n1. */
static void who_was_served_at_a_node_that_time_passed_by_is_remembered(void **state)
{
    (void)state;
    limit_cluster = 100;
    limit_node = 1;
    one_is_busy("n1");
    all_wait("a", 3, "n1");
    for (int i = 0; i < PASSING; i++) {
        assert_true(ask_guest("c", i, "n2").admitted);
        nothing_is_under_way();
    }
    struct lg_ask b = ask_of_guest("b", 0, "n1");
    assert_int_equal(decide(&b).place, 2);
    b.admit = true;
    assert_true(decide(&b).admitted);
    assert_int_equal(ask_guest("b", 1, "n1").place, 3);
    assert_served_nth(0, "a");
    assert_served_nth(1, "a");
    assert_served_nth(2, "b");
    assert_served_nth(3, "a");
}

/* How the many get past the full cluster. */
static void waive(struct lg_ask *io)
{
    io->waived[LG_LIMIT_CLUSTER] = true;
}

static void let_through(struct lg_ask *io)
{
    io->admit = true;
}

static void freeze(struct lg_ask *io)
{
    io->limit[LG_LIMIT_CLUSTER] = 0;
    io->admit = true;
}

static void who_goes_beside_the_queue_passes_no_time(void **state)
{
    (void)state;
    void (*const ways[])(struct lg_ask *) = {waive, let_through, freeze};
    for (size_t way = 0; way < sizeof ways / sizeof *ways; way++) {
        limit_cluster = 1;
        limit_node = 100;
        one_is_busy("n1");
        all_wait("a", WAITING, "n2");
        for (int i = 0; i < PASSING; i++) {
            struct lg_ask beside = ask_of_guest("c", i, "n3");
            ways[way](&beside);
            assert_true(decide(&beside).admitted);
        }
        assert_int_equal(ask_guest("d", 0, "n4").place, 2);
        assert_int_equal(ask_guest("d", 1, "n4").place, 4);
        /* They count as turns of theirs. */
        assert_int_equal(ask_guest("c", PASSING, "n3").place, WAITING + 3);
        teardown(NULL);
        setup(NULL);
    }
}

/* One of `a` waits for its node while forty others of `a` are served. */
static void one_that_is_stuck_does_not_stop_time(void **state)
{
    (void)state;
    limit_cluster = 2;
    limit_node = 1;
    one_is_busy("n1");
    all_wait("a", 1, "n1");
    for (int i = 1; i <= WAITING; i++) {
        now_ms += (int64_t)60 * 1000;
        all_come_again();
        assert_true(ask_guest("a", i, "n2").admitted);
        nothing_is_under_way();
    }
    assert_int_equal(ledger.n_tickets, 1);
    assert_int_equal(ledger.now_tag, WAITING - 1);
    limit_cluster = 1; /* full */
    for (int i = 0; i < PASSING; i++)
        assert_false(ask_guest("b", i, "n5").admitted);
    for (int i = 1; i <= 3; i++)
        assert_false(ask_guest("a", WAITING + i, "n4").admitted);
    assert_served_nth(0, "a"); /* the one that is stuck */
    static const char *const order[] = {"b", "b", "b", "a", "b", "a", "b", "a", "b", "b"};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        assert_served_nth(i + 1, order[i]);
}

static void of_too_many_turns_the_least_is_forgotten(void **state)
{
    (void)state;
    char ns[16];
    for (uint64_t i = 0; i <= LG_TURNS_MAX; i++) {
        snprintf(ns, sizeof ns, "ns%d", (int)i);
        lg_ledger_set_turn(&ledger, lg_str_of(ns), i + 7);
    }
    assert_int_equal(ledger.n_turns, LG_TURNS_MAX);
    assert_int_equal(lg_ledger_next_tag(&ledger, LG_STR("ns0"), LG_STR("")), 0);
    assert_int_equal(lg_ledger_next_tag(&ledger, LG_STR("ns1"), LG_STR("")), 9);
    assert_int_equal(lg_ledger_next_tag(&ledger, lg_str_of(ns), LG_STR("")), LG_TURNS_MAX + 8);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(others_from_other_nodes_pass_no_time_at_a_full_node),
        TEST(who_was_served_at_a_node_that_time_passed_by_is_remembered),
        TEST(who_goes_beside_the_queue_passes_no_time),
        TEST(one_that_is_stuck_does_not_stop_time),
        TEST(of_too_many_turns_the_least_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
