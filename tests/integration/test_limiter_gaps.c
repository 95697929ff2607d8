/* The limiter while a watch of migrations says nothing, or loses events, over a shared ledger; and
 * what else happens to counts behind its back. Two real servers on one canned API server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rules/core/mem.h"
#include "tests/support/replicas.h"

enum { EVENT_MS = 120 * 1000, POLL_MS = 100, GUESTS = 5, FINISHED = 10000, OLD_AFTER_MS = 2000 };

#define RESERVED(guest, age)                                                                       \
    "{\"namespace\":\"web\",\"guest\":\"" guest                                                    \
    "\",\"node\":\"node-0\",\"migration\":\"move-" guest "\",\"id\":\"uid-" guest                  \
    "\",\"ageMs\":" age "}"
#define LEDGER(reservations)                                                                       \
    "{\"schema\":1,\"seq\":0,\"tag\":0,\"reservations\":[" reservations                            \
    "],\"tickets\":[],\"turns\":[]}"

static struct lg_replicas replicas;

static struct lg_canned *canned(void)
{
    return replicas.of[0].canned;
}

/* Guest b is on its way when these replicas are started, or not. */
static void start(bool b_runs)
{
    static const struct lg_canned_options options = {.counts = {[LG_KIND_NODE] = 3,
                                                                [LG_KIND_NAMESPACE] = 2,
                                                                [LG_KIND_KUBEVIRT] = 1,
                                                                [LG_KIND_MIGRATION] = FINISHED}};
    lg_replicas_init(&replicas, &options);
    lg_replicas_policy(&replicas, "whenLedgerUnreachable: refuse");
    lg_canned_config_map(canned(), 0);
    lg_canned_set_config_map_text(canned(), LEDGER(""));
    for (char name[] = "a"; name[0] < 'a' + GUESTS; name[0]++)
        lg_put_vmi(&replicas.of[0], "web", name, "True");
    if (b_runs)
        lg_move_migration(&replicas, "web", "b", "Running");
    lg_replicas_start(&replicas, 2);
    lg_replicas_await(&replicas, LG_KIND_VMI, GUESTS);
    lg_replicas_await(&replicas, LG_KIND_MIGRATION, FINISHED + b_runs);
}

static int start_with_b(void **state)
{
    (void)state;
    start(true);
    return 0;
}

static int start_alone(void **state)
{
    (void)state;
    start(false);
    return 0;
}

/* What another replica wrote: guest a was let through, and its time is over soon. */
static void let_a_through_late(void)
{
    lg_canned_set_config_map_text(canned(), LEDGER(RESERVED("a", "28000")));
}

/* Guest a was let through again and again for longer than one reservation lasts. */
static void let_a_through_again_and_again(void)
{
    lg_canned_set_config_map_text(canned(), LEDGER(RESERVED("a", "26000,\"heldMs\":31000")));
}

static int stop(void **state)
{
    (void)state;
    lg_replicas_done(&replicas);
    return 0;
}

static unsigned gets(void)
{
    return lg_canned_requests(canned(), LG_KIND_MIGRATION, LG_CANNED_GET, NULL);
}

/* Whoever is asked, two of two are in use, for so long. */
static void assert_full_for(const char *guest, int64_t ms)
{
    struct lg_outcome outcome;
    for (int64_t end_ms = lg_test_now_ms() + ms; lg_test_now_ms() < end_ms;) {
        for (int i = 0; i < replicas.n; i++) {
            lg_create_migration(&replicas.of[i], "web", guest, &outcome);
            lg_assert_denied(&outcome, "[LG611] migrations from node node-0: 2 of 2 in use: ");
        }
        lg_test_sleep_ms(POLL_MS);
    }
}

static void await_allowed(const char *guest)
{
    struct lg_outcome outcome;
    int64_t end_ms = lg_test_now_ms() + EVENT_MS;
    for (int i = 0;; i = (i + 1) % replicas.n) {
        lg_create_migration(&replicas.of[i], "web", guest, &outcome);
        if (outcome.allowed)
            return;
        if (lg_test_now_ms() > end_ms)
            fail_msg("never let through: %s", outcome.text);
        lg_test_sleep_ms(POLL_MS);
    }
}

static void await_running(int n)
{
    int64_t end_ms = lg_test_now_ms() + EVENT_MS;
    for (int i = 0; i < replicas.n; i++) {
        const char *series = "livegate_migrations{state=\"running\"}";
        while ((int)lg_metric_value(&replicas.of[i].serve, series) != n) {
            assert_true(lg_test_now_ms() < end_ms);
            lg_test_sleep_ms(POLL_MS);
        }
    }
}

/* The watch says nothing while a's reservation has its time: the place of a migration that runs is
 * not given away. */
static void a_silent_watch_gives_no_place_away(void **state)
{
    (void)state;
    int64_t start_ms = lg_test_now_ms();
    lg_canned_mute(canned(), LG_KIND_MIGRATION, true);
    lg_move_migration(&replicas, "web", "a", "Running");
    let_a_through_late();
    assert_full_for("c", OLD_AFTER_MS + 2000);
    for (int64_t end_ms = lg_test_now_ms() + EVENT_MS; gets() < 2;) {
        assert_true(lg_test_now_ms() < end_ms);
        assert_full_for("c", POLL_MS);
    }
    /* Each asks for a's, and for nothing else: not for each decision. */
    unsigned each_10_s = (unsigned)((lg_test_now_ms() - start_ms) / 10000) + 1;
    assert_in_range(gets(), 2, 2 * (each_10_s + 1));
    await_running(1);
    lg_move_migration(&replicas, "web", "a", "Succeeded");
    lg_canned_mute(canned(), LG_KIND_MIGRATION, false);
    await_allowed("c");
    assert_full_for("d", 500);
}

/* The watch is cut, the next one is silent, and what happened meanwhile is lost: 410, and a
 * list. */
static void a_watch_that_lost_events_gives_no_place_away(void **state)
{
    (void)state;
    lg_canned_fault(canned(), LG_KIND_MIGRATION, LG_CANNED_WATCH, LG_CANNED_HANG, -1);
    lg_canned_disconnect(canned());
    lg_move_migration(&replicas, "web", "a", "Scheduling");
    let_a_through_late();
    assert_full_for("c", OLD_AFTER_MS + 1000);
    await_running(1);
    lg_canned_compact(canned());
    lg_canned_fault(canned(), LG_KIND_MIGRATION, LG_CANNED_WATCH, 0, 0);
    lg_canned_disconnect(canned());
    await_running(2);
    assert_full_for("c", 500);
    lg_move_migration(&replicas, "web", "a", "Failed");
    await_allowed("c");
    await_running(1);
}

/* A create that another webhook refuses: its place is somebody else's when its time is over, and it
 * is asked for once. */
static void a_create_that_came_to_nothing_frees_its_place(void **state)
{
    (void)state;
    let_a_through_late();
    await_allowed("c");
    assert_in_range(gets(), 1, 2);
    assert_full_for("d", 500);
}

/* A create that is refused elsewhere, in a loop for ever: who waits gets a place all the same. When
 * one is free and nobody is due, whoever comes at its time takes it: on a slow machine that may be
 * the loop, and c gets the next one. */
static void a_loop_for_ever_starves_nobody(void **state)
{
    (void)state;
    struct lg_outcome outcome;
    bool passed = false;
    let_a_through_again_and_again();
    lg_create_migration(&replicas.of[0], "web", "c", &outcome);
    lg_assert_denied(&outcome, "; place 1, about ");
    int64_t end_ms = lg_test_now_ms() + 3 * EVENT_MS;
    for (int i = 0;; i++) {
        lg_create_migration(&replicas.of[i % 2], "web", "a", &outcome);
        passed = passed || (i > 0 && outcome.allowed);
        if (!passed)
            lg_assert_denied(&outcome, "; place 2, about ");
        lg_create_migration(&replicas.of[i % 2], "web", "c", &outcome);
        if (outcome.allowed)
            break;
        assert_true(lg_test_now_ms() < end_ms);
        lg_test_sleep_ms(POLL_MS);
    }
}

/* The same create in a loop, through all replicas, is one place; with thousands of finished
 * migrations lying around. */
static void a_loop_takes_one_place(void **state)
{
    (void)state;
    struct lg_outcome outcome;
    for (int i = 0; i < 6; i++) {
        lg_create_migration(&replicas.of[i % 2], "web", "a", &outcome);
        lg_assert_allowed(&outcome);
    }
    lg_create_migration(&replicas.of[0], "web", "b", &outcome);
    lg_assert_allowed(&outcome);
    assert_full_for("c", 300);
    /* Created, and deleted while it runs: free at once. */
    lg_move_migration(&replicas, "web", "a", "Running");
    await_running(1);
    assert_full_for("c", 300);
    lg_canned_delete(canned(), LG_KIND_MIGRATION, "web", "move-a");
    await_allowed("c");
    /* Two run when the limit is lowered to one: nobody is let through until both have ended. */
    lg_move_migration(&replicas, "web", "b", "Running");
    lg_move_migration(&replicas, "web", "c", "Running");
    await_running(2);
    lg_canned_put(canned(), LG_KIND_KUBEVIRT,
                  "{\"metadata\":{\"name\":\"kubevirt-0\",\"namespace\":\"ns-0\"},\"spec\":{"
                  "\"configuration\":{\"migrations\":{\"parallelMigrationsPerCluster\":1}}}}");
    int64_t end_ms = lg_test_now_ms() + EVENT_MS;
    do {
        lg_create_migration(&replicas.of[1], "web", "d", &outcome);
        assert_true(!outcome.allowed && lg_test_now_ms() < end_ms);
    } while (strstr(outcome.text, "[LG610] migrations in the cluster: 2 of 1 in use: ") == NULL);
    lg_move_migration(&replicas, "web", "b", "Succeeded");
    await_running(1);
    lg_create_migration(&replicas.of[0], "web", "d", &outcome);
    lg_assert_denied(&outcome, "[LG610] migrations in the cluster: 1 of 1 in use: ");
    lg_move_migration(&replicas, "web", "c", "Succeeded");
    await_allowed("d");
    assert_int_equal(gets(), 0);
}

/* `kubectl replace --force` of one that has ended, before a watch knows that it is deleted: a new
 * one, as any other. A create of a name that is there is let through to be refused, and takes no
 * place, however often. */
static void a_finished_one_that_is_replaced_waits_as_any_other(void **state)
{
    (void)state;
    struct lg_outcome outcome;
    lg_move_migration(&replicas, "web", "a", "Running");
    lg_move_migration(&replicas, "web", "b", "Running");
    lg_move_migration(&replicas, "web", "c", "Succeeded");
    lg_replicas_await(&replicas, LG_KIND_MIGRATION, FINISHED + 3);
    await_running(2);
    for (int i = 0; i < 4; i++) {
        lg_create_migration(&replicas.of[i % 2], "web", "c", &outcome);
        lg_assert_allowed(&outcome);
        lg_create_migration(&replicas.of[i % 2], "web", "a", &outcome);
        lg_assert_allowed(&outcome);
    }
    assert_int_equal(gets(), 4); /* of the one that has ended */
    char *ledger = lg_canned_config_map_text(canned());
    assert_string_equal(ledger, LEDGER(""));
    free(ledger);
    lg_canned_mute(canned(), LG_KIND_MIGRATION, true);
    lg_canned_delete(canned(), LG_KIND_MIGRATION, "web", "move-c");
    for (int i = 0; i < 2; i++) {
        lg_create_migration(&replicas.of[i], "web", "c", &outcome);
        lg_assert_denied(&outcome, "[LG611] migrations from node node-0: 2 of 2 in use: ");
    }
    lg_canned_mute(canned(), LG_KIND_MIGRATION, false);
}

/* Nor is a place kept for one that never came, because another one has its name: the API server is
 * asked for both. */
static void another_one_of_that_name_keeps_no_place(void **state)
{
    (void)state;
    let_a_through_late();
    lg_canned_mute(canned(), LG_KIND_MIGRATION, true);
    lg_canned_put(canned(), LG_KIND_MIGRATION,
                  "{\"metadata\":{\"name\":\"move-a\",\"namespace\":\"web\",\"uid\":\"another\"},"
                  "\"spec\":{\"vmiName\":\"e\"},\"status\":{\"phase\":\"Running\"}}");
    await_allowed("c");
    assert_in_range(gets(), 1, 2);
    lg_canned_mute(canned(), LG_KIND_MIGRATION, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_silent_watch_gives_no_place_away, start_with_b, stop),
        cmocka_unit_test_setup_teardown(a_watch_that_lost_events_gives_no_place_away, start_with_b,
                                        stop),
        cmocka_unit_test_setup_teardown(a_create_that_came_to_nothing_frees_its_place, start_with_b,
                                        stop),
        cmocka_unit_test_setup_teardown(a_loop_for_ever_starves_nobody, start_with_b, stop),
        cmocka_unit_test_setup_teardown(a_loop_takes_one_place, start_alone, stop),
        cmocka_unit_test_setup_teardown(a_finished_one_that_is_replaced_waits_as_any_other,
                                        start_alone, stop),
        cmocka_unit_test_setup_teardown(another_one_of_that_name_keeps_no_place, start_with_b,
                                        stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
