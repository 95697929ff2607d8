#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "rules/core/mem.h"
#include "rules/virt/limits.h"
#include "tests/support/asserts.h"
#include "webhook/limiter/ledger_api.h"
#include "webhook/limiter/ledger_text.h"

static void what_is_written_is_read_with_its_ages(void **state)
{
    (void)state;
    struct lg_ledger written lg_cleanup(lg_ledger_done) = {0};
    struct lg_ledger read lg_cleanup(lg_ledger_done) = {0};
    struct lg_buf text lg_cleanup(lg_buf_done) = {0};
    lg_ledger_reserve(&written, &(struct lg_reservation){.ns = LG_STR("web"),
                                                         .guest = LG_STR("db"),
                                                         .node = LG_STR("n1"),
                                                         .name = LG_STR("m"),
                                                         .id = LG_STR("uid"),
                                                         .born_ms = 99000,
                                                         .since_ms = 76000});
    (void)lg_ledger_add_ticket(&written, &(struct lg_ticket){.ns = LG_STR("web"),
                                                             .guest = LG_STR("shop \"x\""),
                                                             .node = LG_STR("n2"),
                                                             .user = LG_STR("alice"),
                                                             .id = LG_STR("ask"),
                                                             .tag = 4,
                                                             .since_ms = 90000,
                                                             .due_ms = 103000,
                                                             .tries = 3,
                                                             .inbound = true,
                                                             .kept_ms = 98000});
    lg_ledger_served(&written, LG_STR("web"), 3);
    assert_int_equal(lg_ledger_write(&written, 100000, &text, NULL), LG_E_OK);
    assert_int_equal(written.tickets[0].told_due_ms, 103000);
    /* Another process, another clock. */
    assert_int_equal(lg_ledger_read(lg_buf_view(&text), 500, &read, NULL), LG_E_OK);
    assert_int_equal(read.n_reservations, 1);
    lg_assert_str(read.reservations[0].ns, "web");
    lg_assert_str(read.reservations[0].guest, "db");
    lg_assert_str(read.reservations[0].node, "n1");
    lg_assert_str(read.reservations[0].name, "m");
    lg_assert_str(read.reservations[0].id, "uid");
    assert_int_equal(read.reservations[0].born_ms, 500 - 1000);
    assert_int_equal(read.reservations[0].since_ms, 500 - 24000);
    assert_int_equal(read.n_tickets, 1);
    lg_assert_str(read.tickets[0].guest, "shop \"x\"");
    lg_assert_str(read.tickets[0].node, "n2");
    lg_assert_str(read.tickets[0].user, "alice");
    lg_assert_str(read.tickets[0].id, "ask");
    assert_int_equal(read.tickets[0].tag, 4);
    assert_int_equal(read.tickets[0].seq, 1);
    assert_int_equal(read.tickets[0].since_ms, 500 - 10000);
    assert_int_equal(read.tickets[0].due_ms, 500 + 3000);
    assert_int_equal(read.tickets[0].tries, 3);
    assert_true(read.tickets[0].inbound);
    assert_int_equal(read.tickets[0].kept_ms, 500 - 2000);
    assert_int_equal(read.n_turns, 1);
    assert_int_equal(read.turns[0].tag, 3);
    assert_int_equal(read.now_tag, 3);
    assert_int_equal(read.next_seq, 1);
    /* What this reader knew before keeps the older age and the later due time. */
    struct lg_ledger known lg_cleanup(lg_ledger_done) = {0};
    assert_int_equal(lg_ledger_read(lg_buf_view(&text), 200, &known, NULL), LG_E_OK);
    known.reservations[0].seen = true;
    known.tickets[0].due_ms = 9000;
    known.tickets[0].tries = 4;
    lg_ledger_adopt(&read, &known);
    assert_int_equal(read.reservations[0].born_ms, 200 - 1000);
    assert_int_equal(read.reservations[0].since_ms, 200 - 24000);
    assert_true(read.reservations[0].seen);
    assert_int_equal(read.tickets[0].since_ms, 200 - 10000);
    assert_int_equal(read.tickets[0].due_ms, 9000);
    assert_int_equal(read.tickets[0].tries, 4);
}

static void an_empty_text_is_an_empty_ledger(void **state)
{
    (void)state;
    struct lg_ledger ledger lg_cleanup(lg_ledger_done) = {0};
    assert_int_equal(lg_ledger_read(LG_STR(""), 0, &ledger, NULL), LG_E_OK);
    assert_int_equal(ledger.n_reservations + ledger.n_tickets + ledger.n_turns, 0);
}

static void what_is_no_ledger_is_an_error(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum lg_err_code code;
        const char *where;
    } rows[] = {
        {"{", LG_E_INVALID, "line 1, column 2"},
        {"[]", LG_E_INVALID, "schema"},
        {"{}", LG_E_INVALID, "schema"},
        {"{\"schema\":\"1\"}", LG_E_INVALID, "schema"},
        {"{\"schema\":2}", LG_E_UNSUPPORTED, "schema"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct lg_ledger ledger lg_cleanup(lg_ledger_done) = {0};
        struct lg_err err = {0};
        assert_int_equal(lg_ledger_read(lg_str_of(rows[i].text), 0, &ledger, &err), rows[i].code);
        assert_int_equal(err.code, rows[i].code);
        assert_string_equal(err.where, rows[i].where);
        assert_true(err.text[0] != '\0');
        assert_int_equal(err.os_errno, 0);
        assert_false(err.truncated);
    }
}

static void wrong_types_and_nonsense_numbers_do_no_harm(void **state)
{
    (void)state;
    struct lg_ledger ledger lg_cleanup(lg_ledger_done) = {0};
    assert_int_equal(
        lg_ledger_read(LG_STR("{\"schema\":1,\"reservations\":[7,{\"ageMs\":9999999999999,"
                              "\"namespace\":[]}],\"tickets\":[{\"dueInMs\":\"x\",\"tag\":-1}],"
                              "\"turns\":{},\"seq\":\"x\"}"),
                       1000, &ledger, NULL),
        LG_E_OK);
    assert_int_equal(ledger.n_reservations, 1); /* both are of "" and "" */
    assert_int_equal(ledger.reservations[0].born_ms, 1000 - 24 * 3600 * 1000);
    assert_int_equal(ledger.n_tickets, 1);
    assert_int_equal(ledger.tickets[0].due_ms, 1000);
}

/* Somebody wrote it by hand: nothing of it may last longer than what we write ourselves. */
static void times_and_numbers_from_nowhere_are_brought_into_bounds(void **state)
{
    (void)state;
    struct lg_ledger ledger lg_cleanup(lg_ledger_done) = {0};
    assert_int_equal(
        lg_ledger_read(
            LG_STR("{\"schema\":1,\"reservations\":[{\"namespace\":\"a\",\"guest\":\"g\","
                   "\"ageMs\":-80000000}],\"tickets\":[{\"namespace\":\"a\",\"guest\":\"h\","
                   "\"dueInMs\":80000000,\"waitedMs\":-5,\"tag\":-1,\"seq\":-1,"
                   "\"tries\":-1}],\"turns\":[{\"namespace\":\"a\",\"tag\":-1}],"
                   "\"seq\":-1,\"tag\":-1}"),
            1000, &ledger, NULL),
        LG_E_OK);
    assert_int_equal(ledger.reservations[0].born_ms, 1000);
    assert_int_equal(ledger.tickets[0].due_ms, 1000 + LG_RETRY_S_MAX * 1000);
    assert_int_equal(ledger.tickets[0].since_ms, 1000);
    assert_int_equal(ledger.tickets[0].tag, 0);
    assert_int_equal(ledger.tickets[0].tries, 0);
    assert_int_equal(ledger.turns[0].tag, 0);
    assert_int_equal(ledger.now_tag, 0);
    assert_int_equal(ledger.next_seq, 1);
}

/* The whole number of a double, so that nothing that is written is read as another. */
static void numbers_without_an_end_stay_below_two_to_the_53rd(void **state)
{
    (void)state;
    struct lg_ledger ledger lg_cleanup(lg_ledger_done) = {0};
    assert_int_equal(lg_ledger_read(LG_STR("{\"schema\":1,\"seq\":9223372036854775807,"
                                           "\"tag\":9223372036854775807}"),
                                    1000, &ledger, NULL),
                     LG_E_OK);
    assert_int_equal(ledger.now_tag, (uint64_t)1 << 53);
    assert_int_equal(ledger.next_seq, (uint64_t)1 << 53);
}

static void more_than_a_ledger_may_hold_is_refused(void **state)
{
    (void)state;
    struct lg_ledger ledger lg_cleanup(lg_ledger_done) = {0};
    struct lg_buf text lg_cleanup(lg_buf_done) = {0};
    lg_buf_puts(&text, "{\"schema\":1,\"tickets\":[0");
    for (int i = 0; i < LG_TICKETS_MAX; i++)
        lg_buf_puts(&text, ",0");
    lg_buf_puts(&text, "]}");
    assert_int_equal(lg_ledger_read(lg_buf_view(&text), 0, &ledger, NULL), LG_E_LIMIT);
    text.n = 0;
    for (int i = 0; i <= LG_LEDGER_BYTES_MAX; i++)
        lg_buf_putc(&text, ' ');
    assert_int_equal(lg_ledger_read(lg_buf_view(&text), 0, &ledger, NULL), LG_E_LIMIT);
}

static void an_object_says_when_it_was_written(void **state)
{
    (void)state;
    static const struct {
        const char *json, *text;
        int64_t written_unix_ms;
    } rows[] = {
        {"{'metadata':{'resourceVersion':'7'}}", "", 0},
        {"{'metadata':{'resourceVersion':'7'},'data':{'ledger':'x'}}", "x", 0},
        {"{'metadata':{'resourceVersion':'7'},'data':{'ledger':'x','writtenUnixMs':'1700'}}", "x",
         1700},
        {"{'metadata':{'resourceVersion':'7'},'data':{'writtenUnixMs':'soon'}}", "", 0},
        {"{'metadata':{'resourceVersion':'7'},'data':{'writtenUnixMs':1700}}", "", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct lg_arena arena lg_cleanup(lg_arena_done);
        struct lg_ledger_object object = {0};
        struct lg_err err = {0};
        lg_arena_init(&arena);
        struct lg_buf json lg_cleanup(lg_buf_done) = {0};
        for (const char *at = rows[i].json; *at != '\0'; at++)
            lg_buf_putc(&json, *at == '\'' ? '"' : *at);
        assert_int_equal(lg_ledger_of_object(lg_buf_view(&json), &arena, &object, &err), LG_E_OK);
        assert_true(lg_str_is(object.text, rows[i].text) && lg_str_is(object.version, "7"));
        assert_int_equal(object.written_unix_ms, rows[i].written_unix_ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_with_its_ages),
        cmocka_unit_test(an_empty_text_is_an_empty_ledger),
        cmocka_unit_test(what_is_no_ledger_is_an_error),
        cmocka_unit_test(wrong_types_and_nonsense_numbers_do_no_harm),
        cmocka_unit_test(times_and_numbers_from_nowhere_are_brought_into_bounds),
        cmocka_unit_test(numbers_without_an_end_stay_below_two_to_the_53rd),
        cmocka_unit_test(more_than_a_ledger_may_hold_is_refused),
        cmocka_unit_test(an_object_says_when_it_was_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
