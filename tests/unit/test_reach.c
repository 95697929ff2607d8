/* When the shared ledger counts as not reached. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "webhook/limiter/reach.h"

static struct lg_reach reach;
static int64_t now_ms;

static int setup(void **state)
{
    (void)state;
    reach = (struct lg_reach){0};
    now_ms = 1000 * 1000;
    return 0;
}

static bool note(enum lg_reach_call call, enum lg_reach_end end)
{
    lg_reach_note(&reach, call, end, now_ms);
    return lg_reach_is_away(&reach, now_ms);
}

static void three_failures_in_a_row(void **state)
{
    (void)state;
    assert_false(lg_reach_is_away(&reach, now_ms));
    assert_false(note(LG_REACH_WRITE, LG_REACH_FAILED));
    assert_false(note(LG_REACH_WRITE, LG_REACH_FAILED));
    assert_false(note(LG_REACH_WRITE, LG_REACH_PROMPT));
    assert_false(note(LG_REACH_WRITE, LG_REACH_FAILED));
    assert_false(note(LG_REACH_WRITE, LG_REACH_FAILED));
    assert_true(note(LG_REACH_WRITE, LG_REACH_FAILED));
    assert_false(note(LG_REACH_WRITE, LG_REACH_PROMPT));
}

/* An API server that has just started refuses everything until it knows who may do what. */
static void a_start_is_no_outage(void **state)
{
    (void)state;
    for (int64_t ms = 0; ms < LG_REACH_FAILED_MS; ms += 100) {
        assert_false(note(LG_REACH_READ, LG_REACH_FAILED));
        now_ms += 100;
    }
    assert_true(note(LG_REACH_READ, LG_REACH_FAILED));
    assert_false(note(LG_REACH_READ, LG_REACH_PROMPT));
    /* Looks are far apart: two that failed are not enough. */
    assert_false(note(LG_REACH_READ, LG_REACH_FAILED));
    now_ms += LG_REACH_FAILED_MS;
    assert_false(note(LG_REACH_READ, LG_REACH_FAILED));
    assert_true(note(LG_REACH_READ, LG_REACH_FAILED));
}

/* The right to write may be missing: that each read is answered says nothing. */
static void reads_and_writes_each_for_themselves(void **state)
{
    (void)state;
    for (int i = 0; i < LG_REACH_FAILURES - 1; i++) {
        assert_false(note(LG_REACH_READ, LG_REACH_PROMPT));
        assert_false(note(LG_REACH_WRITE, LG_REACH_FAILED));
    }
    assert_false(note(LG_REACH_READ, LG_REACH_PROMPT));
    assert_true(note(LG_REACH_WRITE, LG_REACH_FAILED));
    assert_true(note(LG_REACH_READ, LG_REACH_PROMPT));
    assert_false(note(LG_REACH_WRITE, LG_REACH_PROMPT));
}

/* Slow for a moment is a ledger that is reached; slow for long is one that nobody's review can wait
 * for. */
static void slow_for_long(void **state)
{
    (void)state;
    for (int64_t ms = 0; ms < LG_REACH_SLOW_MS; ms += 1000) {
        assert_false(note(LG_REACH_READ, LG_REACH_SLOW));
        now_ms += 1000;
    }
    assert_true(note(LG_REACH_READ, LG_REACH_SLOW));
    now_ms += 1000;
    assert_false(note(LG_REACH_READ, LG_REACH_PROMPT));
    assert_false(note(LG_REACH_READ, LG_REACH_SLOW));
}

/* In a quiet cluster two slow ones may be all there are. */
static void two_slow_ones_are_not_slow_for_long(void **state)
{
    (void)state;
    assert_false(note(LG_REACH_WRITE, LG_REACH_SLOW));
    now_ms += LG_REACH_SLOW_MS + 2000;
    assert_false(note(LG_REACH_WRITE, LG_REACH_SLOW));
    assert_true(note(LG_REACH_WRITE, LG_REACH_SLOW));
}

/* Calls that fail slowly, between such that are answered slowly. */
static void failures_among_slow_ones(void **state)
{
    (void)state;
    for (int64_t ms = 0; ms < LG_REACH_SLOW_MS; ms += 1000) {
        assert_false(note(LG_REACH_WRITE, ms % 2000 == 0 ? LG_REACH_FAILED : LG_REACH_SLOW));
        now_ms += 1000;
    }
    assert_true(note(LG_REACH_WRITE, LG_REACH_FAILED));
}

/* Two slow calls with nothing for long between them are no slow ledger, nor three failures in three
 * hours. */
static void what_is_long_ago_says_nothing(void **state)
{
    (void)state;
    assert_false(note(LG_REACH_WRITE, LG_REACH_SLOW));
    now_ms += LG_REACH_STALE_MS;
    assert_false(note(LG_REACH_WRITE, LG_REACH_SLOW));
    for (int i = 0; i < LG_REACH_FAILURES; i++) {
        now_ms += LG_REACH_STALE_MS;
        assert_false(note(LG_REACH_WRITE, LG_REACH_FAILED));
    }
    assert_false(note(LG_REACH_WRITE, LG_REACH_FAILED));
    assert_true(note(LG_REACH_WRITE, LG_REACH_FAILED));
    now_ms += LG_REACH_STALE_MS - 1;
    assert_true(lg_reach_is_away(&reach, now_ms));
    now_ms++;
    assert_false(lg_reach_is_away(&reach, now_ms));
}

static void a_newer_ledger_is_not_ours(void **state)
{
    (void)state;
    lg_reach_refused(&reach, true, now_ms);
    assert_true(note(LG_REACH_READ, LG_REACH_PROMPT));
    lg_reach_refused(&reach, false, now_ms);
    assert_false(note(LG_REACH_READ, LG_REACH_PROMPT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(three_failures_in_a_row, setup),
        cmocka_unit_test_setup(reads_and_writes_each_for_themselves, setup),
        cmocka_unit_test_setup(a_start_is_no_outage, setup),
        cmocka_unit_test_setup(slow_for_long, setup),
        cmocka_unit_test_setup(two_slow_ones_are_not_slow_for_long, setup),
        cmocka_unit_test_setup(failures_among_slow_ones, setup),
        cmocka_unit_test_setup(what_is_long_ago_says_nothing, setup),
        cmocka_unit_test_setup(a_newer_ledger_is_not_ours, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
