#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/kube/meta.h"

static int64_t at(const char *text)
{
    int64_t unix_s = -1;
    if (lg_meta_time(lg_str_of(text), &unix_s) != LG_E_OK)
        fail_msg("%s is refused", text);
    return unix_s;
}

static void times_are_read(void **state)
{
    (void)state;
    assert_true(at("1970-01-01T00:00:00Z") == 0);
    assert_true(at("2027-03-31T00:00:00Z") == 1806451200);
    assert_true(at("2000-02-29T23:59:59Z") == 951868799);
    assert_true(at("2024-12-31T23:59:59.999999Z") == 1735689599);
    assert_true(at("2025-01-01T01:30:00+01:30") == 1735689600);
    assert_true(at("2024-12-31T17:00:00-07:00") == 1735689600);
    assert_true(at("0001-01-01T00:00:00Z") == -62135596800);
    assert_true(at("0000-01-01T00:00:00Z") == -62167219200);
}

static void what_no_calendar_has_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "2027-03-31",
        "2027-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2027-13-01T00:00:00Z",
        "2027-00-01T00:00:00Z",
        "2027-04-31T00:00:00Z",
        "2027-04-00T00:00:00Z",
        "2027-03-31T24:00:00Z",
        "2027-03-31T00:60:00Z",
        "2027-03-31T00:00:60Z",
        "2027-03-31T00:00:00",
        "2027-03-31 00:00:00Z",
        "2027-03-31T00:00:00.Z",
        "2027-03-31T00:00:00ZZ",
        "2027-03-31T00:00:00+0100",
        "2027-03-31T00:00:00+24:00",
        "27-03-31T00:00:00Z",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t unix_s = 5;
        if (lg_meta_time(lg_str_of(bad[i]), &unix_s) != LG_E_INVALID || unix_s != 5)
            fail_msg("\"%s\" is accepted", bad[i]);
    }
}

static void owners_and_deletion_are_seen(void **state)
{
    (void)state;
    struct lg_arena arena = {0};
    struct lg_val v = LG_NONE;
    const char *text =
        "[{\"metadata\":{\"ownerReferences\":[{\"name\":\"a\"},{\"controller\":true}]}},"
        "{\"metadata\":{\"ownerReferences\":[{\"controller\":false},{\"controller\":\"true\"}],"
        "\"deletionTimestamp\":\"2027-03-31T00:00:00Z\"}},{\"metadata\":{"
        "\"deletionTimestamp\":null}}]";
    assert_int_equal(lg_json_parse(&arena, lg_str_of(text), &v, NULL), LG_E_OK);
    assert_true(lg_meta_has_controller(lg_json_item(v, 0)));
    assert_false(lg_meta_has_controller(lg_json_item(v, 1)));
    assert_false(lg_meta_has_controller(LG_NONE));
    assert_false(lg_meta_deleting(lg_json_item(v, 0)));
    assert_true(lg_meta_deleting(lg_json_item(v, 1)));
    assert_false(lg_meta_deleting(lg_json_item(v, 2)));
    lg_arena_done(&arena);
}

static void ages_are_said_in_one_unit(void **state)
{
    (void)state;
    struct lg_arena arena = {0};
    assert_string_equal(lg_meta_age_text(-5, &arena).p, "0 s");
    assert_string_equal(lg_meta_age_text(119, &arena).p, "119 s");
    assert_string_equal(lg_meta_age_text(120, &arena).p, "2 min");
    assert_string_equal(lg_meta_age_text(7200, &arena).p, "2 h");
    assert_string_equal(lg_meta_age_text(200000, &arena).p, "2 d");
    assert_string_equal(lg_meta_age_text(INT64_MAX, &arena).p, "106751991167300 d");
    lg_arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_read),
        cmocka_unit_test(what_no_calendar_has_is_refused),
        cmocka_unit_test(owners_and_deletion_are_seen),
        cmocka_unit_test(ages_are_said_in_one_unit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
