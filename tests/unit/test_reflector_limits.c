/* How long a list that hangs, fails or does not end is waited for, and what is said of it. */
#include "tests/unit/reflector_play.h"
#include "webhook/cluster/intake.h"

static int set_up_three(void **state)
{
    return set_up_some(state, LG_KIND_CLAIM, 3);
}

static void what_fails_for_a_while_holds_nobody_up(void **state)
{
    struct play *p = *state;
    int64_t start_ms = p->now_ms;
    assert_int_equal(ask(p), LG_ASK_LIST);
    p->now_ms += 100; /* it is not the failure that counts, but when it was asked */
    end(p, 500, NULL);
    assert_int_equal(lg_reflector_report(p->r).failing_since_ms, start_ms);
    assert_false(lg_reflector_settled(p->r, start_ms + LG_SETTLED_MS - 1));
    assert_true(lg_reflector_settled(p->r, start_ms + LG_SETTLED_MS));
    (void)wait_for(p, LG_ASK_LIST);
    answer(p, LIST("7", "", ""));
    assert_int_equal(lg_reflector_report(p->r).failing_since_ms, 0);
    assert_true(lg_reflector_settled(p->r, p->now_ms));
}

static void what_hangs_for_a_while_holds_nobody_up(void **state)
{
    struct play *p = *state;
    struct lg_err err = {0};
    assert_int_equal(ask(p), LG_ASK_LIST);
    assert_false(lg_reflector_stalled(p->r, p->now_ms + LG_SETTLED_MS - 1));
    assert_false(lg_reflector_settled(p->r, p->now_ms + LG_SETTLED_MS - 1));
    assert_true(lg_reflector_stalled(p->r, p->now_ms + LG_SETTLED_MS));
    assert_true(lg_reflector_settled(p->r, p->now_ms + LG_SETTLED_MS));
    /* as long as something comes it is worth waiting for */
    p->now_ms += LG_SETTLED_MS - 1;
    lg_reflector_head(p->r, p->now_ms);
    p->now_ms += LG_SETTLED_MS - 1;
    assert_int_equal(send(p, "{\"items\":[", &err), LG_E_OK);
    assert_false(lg_reflector_settled(p->r, p->now_ms + LG_SETTLED_MS - 1));
    assert_int_equal(send(p, "],\"kind\":\"L\",\"metadata\":{\"resourceVersion\":\"7\"}}", &err),
                     LG_E_OK);
    end(p, 200, NULL);
    expect_problem(p, LG_E_INVALID, "persistentvolumeclaims", "the answer is a \"L\", not a list");
    assert_false(lg_reflector_stalled(p->r, p->now_ms + LG_SETTLED_MS)); /* it failed instead */
    (void)wait_for(p, LG_ASK_LIST);
    answer(p, LIST("7", "", ""));
    assert_int_equal(ask(p), LG_ASK_WATCH);
    assert_false(lg_reflector_stalled(p->r, p->now_ms + LG_SETTLED_MS)); /* a watch may be quiet */
}

static void a_list_of_more_than_there_can_be_is_given_up(void **state)
{
    struct play *p = *state;
    assert_int_equal(ask(p), LG_ASK_LIST);
    answer(p, LIST("10", NEXT("1"), ITEM("a", "one") "," ITEM("b", "one")));
    assert_int_equal(ask(p), LG_ASK_LIST);
    answer(p, LIST("10", NEXT("2"), ITEM("c", "one") "," ITEM("d", "one")));
    expect_problem(p, LG_E_LIMIT, "persistentvolumeclaims",
                   "the list does not end: livegate keeps 3 objects of a resource, 128 MiB of "
                   "them and 20000 pages, and more came");
    assert_int_equal(known(p), LG_NOT_SYNCED);
    assert_int_equal(count(p), 0);
    assert_true(wait_for(p, LG_ASK_LIST) >= LG_BACKOFF_MS_MIN / 2);
    assert_null(strstr(p->path, "continue")); /* from the beginning */
    answer(p, LIST("11", "", ITEM("a", "one") "," ITEM("b", "one") "," ITEM("c", "one")));
    assert_int_equal(known(p), LG_KNOWN);
    assert_int_equal(count(p), 3);
    assert_int_equal(ask(p), LG_ASK_WATCH);
}

static void pages_that_follow_themselves_are_given_up(void **state)
{
    struct play *p = *state;
    assert_int_equal(ask(p), LG_ASK_LIST);
    answer(p, LIST("10", NEXT("t"), ITEM("a", "one")));
    assert_int_equal(ask(p), LG_ASK_LIST);
    answer(p, LIST("10", NEXT("t"), ITEM("a", "one")));
    expect_problem(p, LG_E_LIMIT, "persistentvolumeclaims",
                   "the list does not end: a page is followed by itself (the same `continue` "
                   "twice)");
    assert_int_equal(known(p), LG_NOT_SYNCED);
    (void)wait_for(p, LG_ASK_LIST);
    assert_null(strstr(p->path, "continue"));
    /* pages of nothing, each with a token of its own */
    for (int i = 0; i < LG_LIST_PAGES_MAX; i++) {
        char page[256];
        (void)snprintf(page, sizeof page,
                       "{\"kind\":\"PersistentVolumeClaimList\",\"metadata\":{"
                       "\"resourceVersion\":\"10\",\"continue\":\"%d\"},\"items\":[]}",
                       i);
        answer(p, page);
        if (i != LG_LIST_PAGES_MAX - 1)
            assert_int_equal(ask(p), LG_ASK_LIST);
    }
    expect_problem(p, LG_E_LIMIT, "persistentvolumeclaims",
                   "the list does not end: livegate keeps 500000 objects of a resource, 128 MiB of "
                   "them and 20000 pages, and more came");
    assert_int_equal(ask(p), LG_ASK_NOTHING);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_fails_for_a_while_holds_nobody_up),
        TEST(what_hangs_for_a_while_holds_nobody_up),
        cmocka_unit_test_setup_teardown(a_list_of_more_than_there_can_be_is_given_up, set_up_three,
                                        tear_down),
        TEST(pages_that_follow_themselves_are_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
