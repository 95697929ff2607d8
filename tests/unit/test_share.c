/* Shares of a rate, over a clock of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "webhook/cluster/share.h"

enum { RATE = 20 };

static struct lg_share share;
static int64_t now_ms;

static int setup(void **state)
{
    (void)state;
    now_ms = 1000;
    lg_share_init(&share, RATE, now_ms);
    return 0;
}

static unsigned take(uint64_t who, unsigned times)
{
    unsigned got = 0;
    for (unsigned i = 0; i < times; i++)
        got += lg_share_take(&share, who, false, now_ms);
    return got;
}

static void alone_one_gets_the_whole_rate(void **state)
{
    unsigned got = 0;
    (void)state;
    for (int i = 0; i < 1000; i++, now_ms += 10)
        got += take(7, 10);
    /* ten seconds; at first the half that is not kept for others */
    assert_in_range(got, 10 * RATE, 10 * RATE + RATE / 2 + 1);
}

static void a_flood_leaves_room_for_who_comes_new(void **state)
{
    (void)state;
    assert_int_equal(take(1, 1000), RATE / 2);
    assert_int_equal(take(1, 1000), 0);
    assert_in_range(take(2, 5), 5, 5);
    assert_int_equal(take(1, 1000), 0);
}

static void who_asks_little_gets_it_beside_a_flood(void **state)
{
    unsigned flood = 0, little = 0;
    (void)state;
    for (int i = 0; i < 1000; i++, now_ms += 10) {
        flood += take(1, 20);
        if (i % 25 == 0) /* four a second */
            little += take(2, 1);
    }
    assert_int_equal(little, 40);
    assert_in_range(flood + little, 10 * RATE - 1, 11 * RATE + 1);
}

static void floods_share_alike(void **state)
{
    unsigned got[4] = {0};
    (void)state;
    for (int i = 0; i < 1000; i++, now_ms += 10)
        for (uint64_t who = 0; who < 4; who++)
            got[who] += take(100 + who, 20);
    unsigned sum = got[0] + got[1] + got[2] + got[3];
    assert_in_range(sum, 10 * RATE - 1, 11 * RATE + 1);
    for (int i = 0; i < 4; i++)
        assert_in_range(got[i], sum / 8, sum / 2);
}

/* More of them than are remembered: the rate holds, and who took most is not forgotten. */
static void a_crowd_is_bounded(void **state)
{
    (void)state;
    unsigned got = take(1, 1000);
    for (uint64_t who = 1000; who < 1000 + 10 * LG_SHARE_TAKERS_MAX; who++)
        got += take(who, 1);
    assert_int_equal(got, RATE);
    now_ms += 50; /* one token */
    assert_int_equal(take(1, 10), 0);
    assert_int_equal(take(2, 10), 1);
}

static void what_is_scarce_goes_to_the_modest(void **state)
{
    (void)state;
    assert_int_equal(take(1, 5), 5);
    assert_true(lg_share_take(&share, 1, true, now_ms)); /* still within its share */
    assert_int_equal(take(1, 1000), RATE / 2 - 6);
    now_ms += 100; /* two tokens, and as much runs off */
    assert_true(lg_share_take(&share, 1, true, now_ms));
    assert_true(lg_share_take(&share, 1, true, now_ms));
    assert_false(lg_share_take(&share, 1, true, now_ms));
    assert_true(lg_share_take(&share, 2, true, now_ms));
}

static void a_clock_that_stands_still_gives_nothing(void **state)
{
    (void)state;
    (void)take(1, 1000);
    now_ms -= 500;
    assert_int_equal(take(1, 1000), 0);
    now_ms += 600; /* 100 ms after the latest that was seen */
    assert_in_range(take(1, 1000), 2, 2);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(alone_one_gets_the_whole_rate),
        TEST(a_flood_leaves_room_for_who_comes_new),
        TEST(who_asks_little_gets_it_beside_a_flood),
        TEST(floods_share_alike),
        TEST(a_crowd_is_bounded),
        TEST(what_is_scarce_goes_to_the_modest),
        TEST(a_clock_that_stands_still_gives_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
