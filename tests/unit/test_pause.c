/* Pauses end once, by whoever comes first, and no connection stays suspended. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "webhook/server/pause.h"

enum { CONNECTIONS = LG_PAUSES_MAX + 1 };

static int suspended[CONNECTIONS], resumed[CONNECTIONS];
static struct lg_pauses *pauses;

static void suspend(void *connection)
{
    suspended[(int *)connection - suspended]++;
}

static void resume(void *connection)
{
    resumed[(int *)connection - suspended]++;
}

static struct lg_pause *begin(int i, int64_t deadline_ms)
{
    return lg_pause_begin(pauses, &suspended[i], deadline_ms);
}

static int set_up(void **state)
{
    (void)state;
    for (int i = 0; i < CONNECTIONS; i++)
        suspended[i] = resumed[i] = 0;
    pauses = lg_pauses_new(suspend, resume);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    lg_pauses_free(pauses);
    return 0;
}

static void work_that_is_done_resumes(void **state)
{
    (void)state;
    struct lg_pause *pause = begin(0, 1000);
    assert_non_null(pause);
    assert_int_equal(suspended[0], 1);
    assert_int_equal(resumed[0], 0);
    assert_int_equal(lg_pauses_count(pauses), 1);
    lg_pause_end(pause);
    assert_int_equal(resumed[0], 1);
    assert_int_equal(lg_pauses_count(pauses), 0);
    assert_true(lg_pauses_expire(pauses, 5000) == INT64_MAX);
    assert_int_equal(resumed[0], 1);
}

static void a_deadline_resumes_and_work_may_come_late(void **state)
{
    (void)state;
    struct lg_pause *late = begin(0, 1000);
    struct lg_pause *other = begin(1, 3000);
    struct lg_pause *third = begin(2, 1000);
    assert_int_equal(lg_pauses_expire(pauses, 999), 1000);
    assert_int_equal(resumed[0] + resumed[1] + resumed[2], 0);
    assert_int_equal(lg_pauses_expire(pauses, 1000), 3000);
    assert_int_equal(resumed[0], 1);
    assert_int_equal(resumed[1], 0);
    assert_int_equal(resumed[2], 1);
    assert_int_equal(lg_pauses_count(pauses), 1);
    lg_pause_end(late);
    lg_pause_end(third);
    assert_int_equal(resumed[0], 1);
    assert_int_equal(resumed[2], 1);
    lg_pause_end(other);
    assert_int_equal(resumed[1], 1);
}

static void so_many_wait_and_no_more(void **state)
{
    struct lg_pause *all[LG_PAUSES_MAX];
    (void)state;
    for (int i = 0; i < LG_PAUSES_MAX; i++)
        assert_non_null(all[i] = begin(i, 1000));
    assert_null(begin(LG_PAUSES_MAX, 1000));
    assert_int_equal(suspended[LG_PAUSES_MAX], 0);
    lg_pause_end(all[7]);
    all[7] = begin(LG_PAUSES_MAX, 1000); /* its place is free */
    assert_non_null(all[7]);
    for (int i = 0; i < LG_PAUSES_MAX; i++)
        lg_pause_end(all[i]);
    for (int i = 0; i < CONNECTIONS; i++)
        assert_int_equal(resumed[i], 1);
}

static void closing_resumes_all_and_lets_nobody_in(void **state)
{
    (void)state;
    struct lg_pause *a = begin(0, 1000), *b = begin(1, 1000);
    lg_pauses_close(pauses);
    assert_int_equal(resumed[0], 1);
    assert_int_equal(resumed[1], 1);
    assert_null(begin(2, 1000));
    assert_int_equal(suspended[2], 0);
    lg_pause_end(a);
    lg_pause_end(b);
    assert_int_equal(resumed[0], 1);
    assert_int_equal(resumed[1], 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(work_that_is_done_resumes),
        TEST(a_deadline_resumes_and_work_may_come_late),
        TEST(so_many_wait_and_no_more),
        TEST(closing_resumes_all_and_lets_nobody_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
