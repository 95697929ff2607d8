/* What is measured of a reader's way into the inventory and out of it, and that it does not wait
 * for the writer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "rules/core/mem.h"
#include "webhook/cluster/store.h"
#include "webhook/cluster/wait.h"
#include "webhook/runtime/clock.h"
#include "webhook/runtime/metrics.h"

enum { PINS = 20, DEADLINE_MS = 20 * 1000 };

static int set_up(void **state)
{
    lg_wait_register_metrics();
    *state = lg_store_new();
    return 0;
}

static int tear_down(void **state)
{
    lg_store_free(*state);
    lg_metrics_done();
    return 0;
}

static void sleep_ns(int64_t ns)
{
    (void)nanosleep(&(struct timespec){.tv_nsec = ns}, NULL);
}

/* The value behind `series` in what the metrics say. */
static double value(const char *series)
{
    struct lg_buf text lg_cleanup(lg_buf_done) = {0};
    lg_metrics_render(&text);
    const char *at = strstr(text.p, series);
    assert_non_null(at);
    return strtod(at + strlen(series), NULL);
}

/* All steps that were measured. */
static double measured(void)
{
    return value("\nlivegate_inventory_wait_seconds_count ") +
           value("\nlivegate_inventory_wait_unclear_total ");
}

static void pin_once(struct lg_store *store)
{
    unsigned ticket;
    (void)lg_store_pin(store, &ticket);
    lg_store_unpin(store, ticket);
}

static void one_step_of_a_kind_a_millisecond_is_measured(void **state)
{
    sleep_ns(2 * (int64_t)LG_WAIT_APART_NS);
    int64_t start_ns = lg_clock_mono_ns();
    for (int i = 0; i < PINS; i++)
        pin_once(*state);
    int64_t apart = (lg_clock_mono_ns() - start_ns) / LG_WAIT_APART_NS;
    assert_true(measured() >= 2);
    assert_true(measured() <= (double)(2 * (apart + 1)));
    double before = measured();
    for (int i = 0; i < PINS; i++) {
        sleep_ns(2 * (int64_t)LG_WAIT_APART_NS);
        pin_once(*state);
    }
    assert_true(measured() - before == 2 * PINS); /* the way in and the way out of each */
}

static void a_long_step_is_a_wait(void **state)
{
    (void)state;
    sleep_ns(2 * (int64_t)LG_WAIT_APART_NS);
    struct lg_wait wait = lg_wait_begin(LG_WAIT_ENTER);
    assert_true(wait.start_ns != 0);
    sleep_ns(20 * (int64_t)LG_WAIT_APART_NS); /* of our own will, as for a lock */
    lg_wait_end(&wait);
    assert_true(measured() == 1);
    assert_true(value("\nlivegate_inventory_wait_seconds_bucket{le=\"0.01\"} ") == 0);
    struct lg_wait again = lg_wait_begin(LG_WAIT_ENTER);
    again.preemptions--; /* as if the kernel had taken the core away */
    while (lg_clock_mono_ns() - again.start_ns <= LG_WAIT_CLEAR_NS)
        ;
    double before = value("\nlivegate_inventory_wait_unclear_total ");
    lg_wait_end(&again);
    assert_true(value("\nlivegate_inventory_wait_unclear_total ") == before + 1);
}

struct writing {
    struct lg_store *store;
    atomic_bool done;
};

static void *commit(void *arg)
{
    struct writing *writing = arg;
    (void)lg_store_commit(writing->store);
    atomic_store(&writing->done, true);
    return NULL;
}

/* A writer that waits for one reader, in the middle of its commit, holds up no other. */
static void readers_come_and_go_while_the_writer_waits(void **state)
{
    struct writing writing = {.store = *state};
    pthread_t thread;
    unsigned ticket;
    const struct lg_inventory *before = lg_store_pin(writing.store, &ticket);
    lg_store_set_known(writing.store, LG_KIND_NODE, LG_KNOWN);
    assert_int_equal(pthread_create(&thread, NULL, commit, &writing), 0);
    int64_t end_ms = lg_clock_mono_ms() + DEADLINE_MS;
    bool flipped = false;
    while (!flipped && lg_clock_mono_ms() < end_ms) {
        unsigned other;
        flipped = lg_store_pin(writing.store, &other) != before;
        lg_store_unpin(writing.store, other);
    }
    assert_true(flipped);
    for (int i = 0; i < 100000; i++)
        pin_once(writing.store);
    assert_false(atomic_load(&writing.done));
    assert_int_equal(lg_inventory_known(before, LG_KIND_NODE), LG_NOT_GIVEN);
    lg_store_unpin(writing.store, ticket);
    pthread_join(thread, NULL);
    assert_true(atomic_load(&writing.done));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_step_of_a_kind_a_millisecond_is_measured),
        TEST(a_long_step_is_a_wait),
        TEST(readers_come_and_go_while_the_writer_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
