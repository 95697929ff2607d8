/* The ledger: what a shared one says, and what its reader knew of it before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/core/mem.h"
#include "rules/virt/ledger.h"
#include "tests/support/asserts.h"

enum { NOW_MS = 100 * 1000 };

/* The cluster shows the first migration so, and not the second. */
static enum lg_seen seen(void *arg, const struct lg_reservation *reservation)
{
    return lg_str_is(reservation->id, "u1") ? *(const enum lg_seen *)arg : LG_UNSEEN;
}

/* This reader saw the first migration; another one has let the guest's second through 0.1 s ago,
 * which takes the place over. */
static void second_takes_over(struct lg_ledger *text, struct lg_ledger *known)
{
    const struct lg_reservation first = {.ns = LG_STR("a"),
                                         .guest = LG_STR("g"),
                                         .name = LG_STR("m1"),
                                         .id = LG_STR("u1"),
                                         .born_ms = NOW_MS - 3000,
                                         .since_ms = NOW_MS - 3000,
                                         .seen = true};
    const struct lg_reservation second = {.ns = LG_STR("a"),
                                          .guest = LG_STR("g"),
                                          .name = LG_STR("m2"),
                                          .id = LG_STR("u2"),
                                          .first_name = LG_STR("m1"),
                                          .first_id = LG_STR("u1"),
                                          .born_ms = NOW_MS - 100,
                                          .since_ms = NOW_MS - 3000};
    lg_ledger_reserve(known, &first);
    lg_ledger_reserve(text, &second);
}

static void a_second_admission_counts_when_the_first_migration_has_ended(void **state)
{
    (void)state;
    static const struct {
        enum lg_seen first;
        const char *counts;
    } rows[] = {{LG_SEEN_FINAL, "u2"}, {LG_UNSEEN, "u2"}, {LG_SEEN_UNFINISHED, "u1"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct lg_ledger text lg_cleanup(lg_ledger_done) = {0};
        struct lg_ledger known lg_cleanup(lg_ledger_done) = {0};
        enum lg_seen first = rows[i].first;
        second_takes_over(&text, &known);
        lg_ledger_adopt(&text, &known);
        (void)lg_ledger_tidy(&text, NOW_MS, seen, &first);
        assert_int_equal(text.n_reservations, 1);
        lg_assert_str(text.reservations[0].id, rows[i].counts);
        /* As long as any admission. */
        (void)lg_ledger_tidy(&text, NOW_MS - 100 + LG_RESERVATION_MS - 1, seen, &first);
        assert_int_equal(text.n_reservations, 1);
        (void)lg_ledger_tidy(&text, NOW_MS - 100 + LG_RESERVATION_MS, seen, &first);
        assert_int_equal(text.n_reservations, 0);
    }
}

/* KubeVirt has refused it, as this reader found out: it saw the first one run while it knew of the
 * second. */
static void a_second_admission_that_came_to_nothing_is_over_with_the_first(void **state)
{
    (void)state;
    struct lg_ledger text lg_cleanup(lg_ledger_done) = {0};
    struct lg_ledger later lg_cleanup(lg_ledger_done) = {0};
    struct lg_ledger known lg_cleanup(lg_ledger_done) = {0};
    enum lg_seen first = LG_SEEN_UNFINISHED;
    second_takes_over(&text, &known);
    lg_ledger_adopt(&text, &known);
    (void)lg_ledger_tidy(&text, NOW_MS, seen, &first);
    lg_assert_str(text.reservations[0].id, "u1");
    second_takes_over(&later, &known);
    lg_ledger_adopt(&later, &text);
    first = LG_SEEN_FINAL;
    (void)lg_ledger_tidy(&later, NOW_MS, seen, &first);
    assert_int_equal(later.n_reservations, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_second_admission_counts_when_the_first_migration_has_ended),
        cmocka_unit_test(a_second_admission_that_came_to_nothing_is_over_with_the_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
