#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rules/virt/retries.h"

static int after_s(unsigned tries, size_t place, int64_t estimate_s)
{
    return lg_retry_after_s(&(struct lg_retry){.id = LG_STR("id"),
                                               .guest = LG_STR("db"),
                                               .tries = tries,
                                               .place = place,
                                               .estimate_s = estimate_s});
}

static void an_estimate_is_spread_over_what_is_left(void **state)
{
    (void)state;
    assert_in_range(after_s(1, 2, 100), 36, 44);
    assert_in_range(after_s(5, 2, 100), 60, 74);
    assert_in_range(after_s(8, 2, 100), 90, 110);
    assert_int_equal(after_s(1, 2, 100000), LG_RETRY_S_MAX);
    assert_int_equal(after_s(1, 2, 0), 1);
    /* All of them together outlast an estimate that is three times too short. */
    int64_t all_s = 0;
    for (unsigned tries = 1; tries <= LG_RETRIES; tries++)
        all_s += after_s(tries, 2, 60);
    assert_true(all_s > 3 * 60);
}

static void the_last_ones_are_further_apart(void **state)
{
    (void)state;
    static const int at_least_s[] = {4, 8, 16, 32, 64};
    for (unsigned i = 0; i < 5; i++)
        assert_in_range(after_s(6 + i, 1, 1), at_least_s[i] * 9 / 10, at_least_s[i] * 11 / 10 + 1);
    assert_in_range(after_s(LG_RETRIES + 1, 1, 1), 57, 71); /* it gives up */
}

static void who_is_next_and_near_asks_often(void **state)
{
    (void)state;
    for (unsigned tries = 1; tries <= 5; tries++)
        assert_in_range(after_s(tries, 1, 15), 1, LG_RETRY_HEAD_S_MAX);
    assert_in_range(after_s(1, 2, 15), 5, 7);
    assert_in_range(after_s(1, 1, 60), 21, 27); /* next, and far */
}

static void those_who_were_refused_together_come_apart(void **state)
{
    (void)state;
    int seen[201] = {0}, different = 0;
    for (int i = 0; i < 40; i++) {
        char id[16];
        snprintf(id, sizeof id, "id-%d", i);
        int s = lg_retry_after_s(&(struct lg_retry){
            .id = lg_str_of(id), .guest = LG_STR("db"), .tries = 8, .place = 2, .estimate_s = 100});
        assert_in_range(s, 90, 110);
        different += seen[s]++ == 0;
    }
    assert_true(different > 10);
}

static void without_the_ledger_each_comes_later(void **state)
{
    (void)state;
    int64_t all_s = 0;
    int before_s = 0;
    for (unsigned n = 1; n <= LG_RETRIES; n++) {
        const struct lg_missed missed = {.id = LG_STR("id"), .guest = LG_STR("db"), .n = n};
        int s = lg_retry_missed_s(&missed, 0);
        assert_true(s >= before_s * 8 / 10);
        before_s = s;
        all_s += s;
    }
    assert_true(all_s > 180);
    /* Who has few retries left is told to come back later from the first. */
    const struct lg_missed missed = {.id = LG_STR("id"), .guest = LG_STR("db"), .n = 1};
    assert_in_range(lg_retry_missed_s(&missed, 0), 1, 3);
    assert_true(lg_retry_missed_s(&missed, 8) > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_estimate_is_spread_over_what_is_left),
        cmocka_unit_test(the_last_ones_are_further_apart),
        cmocka_unit_test(who_is_next_and_near_asks_often),
        cmocka_unit_test(those_who_were_refused_together_come_apart),
        cmocka_unit_test(without_the_ledger_each_comes_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
