/* Pauses end once, by whoever comes first, and no connection stays suspended. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "webhook/server/pause.h"

enum { CONNECTIONS = LG_PAUSES_MAX + 1, ALONE = LG_PAUSES_MAX / 2 };

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

static struct lg_pause *begin_of(const char *whose, int i)
{
    return lg_pause_begin(pauses, &suspended[i], lg_str_of(whose), 1000);
}

static struct lg_pause *begin(int i, int64_t deadline_ms)
{
    return lg_pause_begin(pauses, &suspended[i], LG_STR("web"), deadline_ms);
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
    struct lg_pause *all[ALONE];
    (void)state;
    for (int i = 0; i < ALONE; i++)
        assert_non_null(all[i] = begin(i, 1000));
    assert_null(begin(ALONE, 1000));
    assert_int_equal(suspended[ALONE], 0);
    lg_pause_end(all[7]);
    all[7] = begin(ALONE, 1000); /* its place is free */
    assert_non_null(all[7]);
    for (int i = 0; i < ALONE; i++)
        lg_pause_end(all[i]);
    for (int i = 0; i <= ALONE; i++)
        assert_int_equal(resumed[i], 1);
}

/* Namespaces that fill it leave room for the next one, as long as there is any at all. */
static void nobody_takes_all_places(void **state)
{
    struct lg_pause *all[LG_PAUSES_MAX];
    char whose[] = "a";
    int n = 0;
    (void)state;
    for (int of = ALONE; n < LG_PAUSES_MAX; whose[0]++, of = (LG_PAUSES_MAX - n + 1) / 2) {
        int had = n;
        struct lg_pause *pause;
        while ((pause = begin_of(whose, n)) != NULL)
            all[n++] = pause;
        assert_int_equal(n - had, of);
        if (n < LG_PAUSES_MAX)
            assert_null(begin_of("a", n));
    }
    assert_int_equal(whose[0], 'a' + 8);
    assert_null(begin_of("z", LG_PAUSES_MAX));
    assert_int_equal(suspended[LG_PAUSES_MAX], 0);
    while (n > 0)
        lg_pause_end(all[--n]);
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
        TEST(nobody_takes_all_places),
        TEST(closing_resumes_all_and_lets_nobody_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
