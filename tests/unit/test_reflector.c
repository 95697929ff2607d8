/* List and watch without a network: what comes in, what is asked next, and what the store holds
 * then. */
#include "tests/unit/reflector_play.h"

static int set_up_vms(void **state)
{
    return set_up_kind(state, LG_KIND_VM);
}

static int set_up_hyperconverged(void **state)
{
    return set_up_kind(state, LG_KIND_HYPERCONVERGED);
}

/* The volume of web/<name> as the store has it; "-": not there. */
static const char *volume(struct play *p, const char *name)
{
    static char buf[64];
    const struct lg_claim *claim = (const struct lg_claim *)lg_store_find(
        p->store, LG_KIND_CLAIM, LG_STR("web"), lg_str_of(name));
    (void)snprintf(buf, sizeof buf, "%.*s", claim != NULL ? (int)claim->volume_name.n : 1,
                   claim != NULL ? claim->volume_name.p : "-");
    return buf;
}

static void expect_watch(struct play *p, const char *version)
{
    char wanted[256];
    (void)snprintf(wanted, sizeof wanted,
                   "/api/v1/persistentvolumeclaims?watch=1&allowWatchBookmarks=true&"
                   "resourceVersion=%s&timeoutSeconds=",
                   version);
    assert_int_equal(ask(p), LG_ASK_WATCH);
    assert_memory_equal(p->path, wanted, strlen(wanted));
    int seconds = atoi(p->path + strlen(wanted));
    assert_in_range(seconds, LG_WATCH_S_MIN, LG_WATCH_S_MAX);
    /* A server that takes the watch and says nothing, or that falls silent, is not waited for until
     * then. */
    assert_in_range(p->head_ms, 1, 60 * 1000);
    assert_in_range(p->idle_ms, 120 * 1000, LG_WATCH_S_MIN * 1000 - 1);
    lg_reflector_head(p->r, p->now_ms);
}

/* Listed and watching from version 10, claims a and b there. */
static void start(struct play *p)
{
    assert_int_equal(ask(p), LG_ASK_LIST);
    answer(p, LIST("10", "", ITEM("a", "one") "," ITEM("b", "one")));
    expect_watch(p, "10");
    assert_int_equal(known(p), LG_KNOWN);
    assert_int_equal(count(p), 2);
}

static void it_lists_from_the_cache_and_watches_from_there(void **state)
{
    struct play *p = *state;
    assert_int_equal(known(p), LG_NOT_SYNCED);
    assert_false(lg_reflector_report(p->r).settled);
    assert_int_equal(lg_reflector_version(p->r), 0);
    assert_int_equal(ask(p), LG_ASK_LIST);
    assert_string_equal(p->path, "/api/v1/persistentvolumeclaims?resourceVersion=0");
    assert_int_equal(ask(p), LG_ASK_NOTHING);
    lg_reflector_head(p->r, p->now_ms);
    struct lg_err err = {0};
    assert_int_equal(
        send(p, "{\"kind\":\"PersistentVolumeClaimList\",\"metadata\":{\"resource", &err), LG_E_OK);
    assert_int_equal(send(p, "Version\":\"10\"},\"items\":[" ITEM("a", "one"), &err), LG_E_OK);
    assert_int_equal(count(p), 0);
    assert_int_equal(send(p, "]}", &err), LG_E_OK);
    assert_int_equal(known(p), LG_NOT_SYNCED);
    end(p, 200, NULL);
    assert_int_equal(known(p), LG_KNOWN);
    assert_string_equal(volume(p, "a"), "one");
    assert_int_equal(lg_reflector_version(p->r), 10);
    assert_true(lg_reflector_report(p->r).settled);
    assert_false(lg_reflector_report(p->r).watching);
    expect_watch(p, "10");
    assert_true(lg_reflector_report(p->r).watching);
}

static void events_change_the_store(void **state)
{
    struct play *p = *state;
    struct lg_err err = {0};
    start(p);
    p->now_ms += 500;
    assert_int_equal(
        send(p, EVENT("ADDED", "c", "11", "one") EVENT("MODIFIED", "a", "12", "two"), &err),
        LG_E_OK);
    assert_string_equal(volume(p, "c"), "one");
    assert_string_equal(volume(p, "a"), "two");
    assert_int_equal(send(p, EVENT("DELETED", "b", "13", "one"), &err), LG_E_OK);
    assert_string_equal(volume(p, "b"), "-");
    assert_int_equal(lg_reflector_version(p->r), 13);
    assert_int_equal(send(p,
                          "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":"
                          "\"99\"}}}\n",
                          &err),
                     LG_E_OK);
    struct lg_reflector_report report = lg_reflector_report(p->r);
    assert_int_equal(report.events, 3);
    assert_int_equal(report.bookmarks, 1);
    assert_int_equal(report.heard_ms, p->now_ms);
    assert_int_equal(lg_reflector_version(p->r), 99);
    /* its time is over: on from there */
    p->now_ms += 400 * 1000;
    end(p, 200, NULL);
    assert_true(wait_for(p, LG_ASK_WATCH) <= LG_BACKOFF_MS_MIN);
    assert_non_null(strstr(p->path, "resourceVersion=99&"));
    assert_int_equal(lg_reflector_report(p->r).lists, 1);
    assert_int_equal(lg_reflector_report(p->r).problem->code, LG_E_OK);
}

static void a_watch_that_breaks_off_goes_on_from_its_version(void **state)
{
    struct play *p = *state;
    struct lg_err err = {0};
    start(p);
    assert_int_equal(send(p, EVENT("ADDED", "c", "11", "one") "{\"type\":\"ADDED\",\"obj", &err),
                     LG_E_OK);
    p->now_ms += 60 * 1000;
    break_off(p, 200, LG_E_UNAVAILABLE, "Connection reset by peer");
    (void)wait_for(p, LG_ASK_WATCH);
    assert_non_null(strstr(p->path, "resourceVersion=11&"));
    assert_int_equal(known(p), LG_KNOWN);
    assert_int_equal(lg_reflector_report(p->r).problem->code, LG_E_OK);
}

static void an_unreachable_server_is_asked_ever_later_and_is_one_problem(void **state)
{
    struct play *p = *state;
    int64_t waits[8];
    start(p);
    p->now_ms += 60 * 1000;
    break_off(p, 200, LG_E_UNAVAILABLE, "Connection reset by peer");
    (void)wait_for(p, LG_ASK_WATCH);
    for (int i = 0; i < 8; i++) {
        break_off(p, 0, LG_E_UNAVAILABLE, "Connection refused");
        waits[i] = wait_for(p, LG_ASK_WATCH);
    }
    assert_true(waits[0] >= LG_BACKOFF_MS_MIN / 2 && waits[0] <= LG_BACKOFF_MS_MIN * 3 / 2);
    assert_true(waits[7] >= LG_BACKOFF_MS_MAX / 2 && waits[7] <= LG_BACKOFF_MS_MAX * 3 / 2);
    assert_true(waits[0] != waits[1] && waits[6] != waits[7]);
    assert_int_equal(lg_reflector_report(p->r).problems, 1);
    expect_problem(p, LG_E_UNAVAILABLE, "https://api:6443", "Connection refused");
    assert_int_equal(known(p), LG_KNOWN);
    assert_int_equal(count(p), 2);
    /* back again: a watch that stands ends the problem */
    lg_reflector_head(p->r, p->now_ms);
    assert_int_equal(ask(p), LG_ASK_NOTHING);
    assert_int_equal(lg_reflector_report(p->r).problem->code, LG_E_UNAVAILABLE);
    p->now_ms += LG_STEADY_MS;
    assert_int_equal(ask(p), LG_ASK_NOTHING);
    assert_int_equal(lg_reflector_report(p->r).problem->code, LG_E_OK);
    assert_int_equal(lg_reflector_report(p->r).problems, 2);
    break_off(p, 200, LG_E_UNAVAILABLE, "Connection reset by peer");
    assert_true(wait_for(p, LG_ASK_WATCH) <= LG_BACKOFF_MS_MIN);
}

/* The server goes when watches are young: that they break off and that nobody is there then is one
 * trouble. */
static void a_young_watch_that_breaks_off_is_no_problem_yet(void **state)
{
    struct play *p = *state;
    start(p);
    p->now_ms += LG_STEADY_MS / 2;
    break_off(p, 200, LG_E_UNAVAILABLE, "Connection reset by peer");
    assert_int_equal(lg_reflector_report(p->r).problems, 0);
    assert_true(wait_for(p, LG_ASK_WATCH) >= LG_BACKOFF_MS_MIN / 2);
    break_off(p, 0, LG_E_UNAVAILABLE, "Connection refused");
    assert_int_equal(lg_reflector_report(p->r).problems, 1);
    expect_problem(p, LG_E_UNAVAILABLE, "https://api:6443", "Connection refused");
}

static void watches_that_break_off_again_and_again_are_a_problem(void **state)
{
    struct play *p = *state;
    start(p);
    break_off(p, 200, LG_E_UNAVAILABLE, "Connection reset by peer");
    assert_int_equal(lg_reflector_report(p->r).problems, 0);
    (void)wait_for(p, LG_ASK_WATCH);
    lg_reflector_head(p->r, p->now_ms);
    break_off(p, 200, LG_E_UNAVAILABLE, "Connection reset by peer");
    assert_int_equal(lg_reflector_report(p->r).problems, 1);
    expect_problem(p, LG_E_UNAVAILABLE, "https://api:6443", "Connection reset by peer");
}

static void watches_that_end_at_once_are_not_asked_in_a_loop(void **state)
{
    struct play *p = *state;
    start(p);
    int64_t waited = 0;
    for (int i = 0; i < 10; i++) {
        lg_reflector_head(p->r, p->now_ms);
        end(p, 200, NULL);
        waited += wait_for(p, LG_ASK_WATCH);
    }
    assert_true(waited > 30 * 1000);
}

static void expired(struct play *p, bool as_event)
{
    start(p);
    if (as_event)
        answer(p, "{\"type\":\"ERROR\",\"object\":" STATUS(410, "too old") "}\n");
    else
        end(p, 410, STATUS(410, "too old"));
    assert_int_equal(ask(p), LG_ASK_LIST);
    assert_string_equal(p->path, "/api/v1/persistentvolumeclaims?limit=500");
    assert_int_equal(known(p), LG_KNOWN);
    answer(p, LIST("20", NEXT("t/1="), ITEM("a", "two")));
    assert_string_equal(volume(p, "a"), "one");
    assert_int_equal(ask(p), LG_ASK_LIST);
    assert_string_equal(p->path, "/api/v1/persistentvolumeclaims?limit=500&continue=t%2F1%3D");
    answer(p, LIST("20", NEXT(""), ITEM("c", "two")));
    assert_string_equal(volume(p, "a"), "two");
    assert_string_equal(volume(p, "b"), "-");
    assert_string_equal(volume(p, "c"), "two");
    expect_watch(p, "20");
    assert_int_equal(lg_reflector_report(p->r).expired, 1);
    assert_int_equal(lg_reflector_report(p->r).problems, 0);
    /* once more and at once: not in a loop */
    end(p, 410, STATUS(410, "too old"));
    assert_int_equal(ask(p), LG_ASK_NOTHING);
    (void)wait_for(p, LG_ASK_LIST);
    assert_string_equal(p->path, "/api/v1/persistentvolumeclaims?limit=500");
}

static void a_410_lists_again_in_pages_as_one_change(void **state)
{
    expired(*state, false);
}

static void a_410_event_lists_again_in_pages_as_one_change(void **state)
{
    expired(*state, true);
}

static void a_410_between_pages_lists_all_at_once(void **state)
{
    struct play *p = *state;
    start(p);
    end(p, 410, NULL);
    assert_int_equal(ask(p), LG_ASK_LIST);
    answer(p, LIST("20", NEXT("t"), ITEM("x", "two")));
    assert_int_equal(ask(p), LG_ASK_LIST);
    end(p, 410, STATUS(410, "the provided continue parameter is too old"));
    (void)wait_for(p, LG_ASK_LIST);
    assert_string_equal(p->path, "/api/v1/persistentvolumeclaims");
    answer(p, LIST("30", "", ITEM("a", "three")));
    assert_int_equal(count(p), 1);
    assert_string_equal(volume(p, "a"), "three");
    expect_watch(p, "30");
}

static void a_list_that_breaks_off_changes_nothing(void **state)
{
    struct play *p = *state;
    struct lg_err err = {0};
    start(p);
    end(p, 410, NULL);
    assert_int_equal(ask(p), LG_ASK_LIST);
    assert_int_equal(send(p, "{\"items\":[" ITEM("z", "nine") ",", &err), LG_E_OK);
    break_off(p, 200, LG_E_UNAVAILABLE, "Connection reset by peer");
    assert_int_equal(count(p), 2);
    expect_problem(p, LG_E_UNAVAILABLE, "https://api:6443", "Connection reset by peer");
    (void)wait_for(p, LG_ASK_LIST);
    end(p, 200, NULL); /* whole for HTTP, and no list */
    assert_int_equal(count(p), 2);
    expect_problem(p, LG_E_INVALID, "persistentvolumeclaims", "the list ends too early");
    (void)wait_for(p, LG_ASK_LIST);
    answer(p, LIST("20", "", ITEM("a", "two")));
    assert_int_equal(count(p), 1);
}

static void an_answer_that_is_no_list_is_a_problem(void **state)
{
    struct play *p = *state;
    assert_int_equal(ask(p), LG_ASK_LIST);
    answer(p, "{\"kind\":\"Table\",\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[]}");
    expect_problem(p, LG_E_INVALID, "persistentvolumeclaims",
                   "the answer is a \"Table\", not a list");
    assert_int_equal(known(p), LG_NOT_SYNCED);
    (void)wait_for(p, LG_ASK_LIST);
    answer(p, LIST("1", "", "{\"metadata\":{]}"));
    expect_problem(p, LG_E_INVALID, "persistentvolumeclaims",
                   "an item of the list is not JSON: expected a member's name in quotes");
    assert_int_equal(known(p), LG_NOT_SYNCED);
}

static void what_is_no_event_lists_again_not_older_than_before(void **state)
{
    static const char *const bad[] = {
        "[]",
        "{\"type\":\"ADDED\",\"object\":{\"metadata\":}}",
        "{\"type\":\"ADDED\",\"object\":{}}",
        "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"a\"}}}",
        "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{}}}",
        "{\"type\":\"OTHER\",\"object\":{\"metadata\":{\"name\":\"a\",\"resourceVersion\":\"1\"}}}",
        "{\"type\":\"ERROR\",\"object\":" STATUS(500, "internal") "}",
        "{}",
    };
    struct play *p = *state;
    start(p);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        answer(p, bad[i]);
        assert_int_not_equal(lg_reflector_report(p->r).problem->code, LG_E_OK);
        (void)wait_for(p, LG_ASK_LIST);
        assert_string_equal(p->path, "/api/v1/persistentvolumeclaims?resourceVersion=10");
        answer(p, LIST("10", "", ITEM("a", "one") "," ITEM("b", "one")));
        assert_int_equal(ask(p), LG_ASK_WATCH);
        lg_reflector_head(p->r, p->now_ms);
    }
    expect_problem(p, LG_E_INVALID, "persistentvolumeclaims",
                   "the watch sent what is no event: its type is unknown");
    assert_int_equal(known(p), LG_KNOWN);
}

static void a_version_that_the_server_does_not_know_yet_is_not_insisted_on(void **state)
{
    struct play *p = *state;
    start(p);
    answer(p, "[]");
    (void)wait_for(p, LG_ASK_LIST);
    assert_string_equal(p->path, "/api/v1/persistentvolumeclaims?resourceVersion=10");
    end(p, 504, STATUS(504, "Too large resource version"));
    (void)wait_for(p, LG_ASK_LIST);
    assert_string_equal(p->path, "/api/v1/persistentvolumeclaims?limit=500");
    answer(p, LIST("4", "", ITEM("a", "restored")));
    assert_string_equal(volume(p, "a"), "restored");
    expect_watch(p, "4");
}

static void a_resource_that_is_not_served_is_known_at_once_and_may_come(void **state)
{
    struct play *p = *state;
    assert_int_equal(ask(p), LG_ASK_LIST);
    end(p, 404, "404 page not found");
    assert_int_equal(known(p), LG_NOT_SERVED);
    assert_true(lg_reflector_report(p->r).settled);
    assert_int_equal(lg_reflector_report(p->r).problem->code, LG_E_OK);
    for (int i = 0; i < 5; i++) {
        int64_t waited = wait_for(p, LG_ASK_LIST);
        assert_in_range(waited, LG_ABSENT_RETRY_MS, LG_ABSENT_RETRY_MS * 4 / 3);
        assert_string_equal(p->path, "/api/v1/persistentvolumeclaims?resourceVersion=0");
        end(p, 404, NULL);
    }
    (void)wait_for(p, LG_ASK_LIST);
    answer(p, LIST("5", "", ITEM("a", "one")));
    assert_int_equal(known(p), LG_KNOWN);
    assert_int_equal(count(p), 1);
    expect_watch(p, "5");
}

static void a_resource_that_is_taken_away_is_gone_after_the_third_404(void **state)
{
    struct play *p = *state;
    start(p);
    p->now_ms += 60 * 1000;
    end(p, 200, NULL);
    (void)wait_for(p, LG_ASK_WATCH);
    end(p, 404, NULL);
    for (int i = 1; i <= 3; i++) {
        assert_int_equal(known(p), LG_KNOWN);
        assert_int_equal(count(p), 2);
        (void)wait_for(p, LG_ASK_LIST);
        end(p, 404, NULL);
    }
    assert_int_equal(known(p), LG_NOT_SERVED);
    assert_int_equal(count(p), 0);
    assert_int_equal(lg_reflector_version(p->r), 0);
    assert_int_equal(lg_reflector_report(p->r).problem->code, LG_E_OK);
    (void)wait_for(p, LG_ASK_LIST);
    assert_string_equal(p->path, "/api/v1/persistentvolumeclaims?resourceVersion=0");
}

static void a_404_in_passing_changes_nothing(void **state)
{
    struct play *p = *state;
    start(p);
    end(p, 404, NULL);
    (void)wait_for(p, LG_ASK_LIST);
    end(p, 404, NULL);
    (void)wait_for(p, LG_ASK_LIST);
    answer(p, LIST("11", "", ITEM("a", "one")));
    assert_int_equal(known(p), LG_KNOWN);
    assert_int_equal(count(p), 1);
    expect_watch(p, "11");
}

static void what_we_may_not_read_is_said_with_what_is_missing(void **state)
{
    struct play *p = *state;
    assert_int_equal(ask(p), LG_ASK_LIST);
    end(p, 403, STATUS(403, "persistentvolumeclaims is forbidden: User \\\"x\\\" cannot list"));
    assert_int_equal(known(p), LG_FORBIDDEN);
    assert_true(lg_reflector_report(p->r).settled);
    expect_problem(
        p, LG_E_DENIED, "persistentvolumeclaims",
        "we may not list and watch persistentvolumeclaims; a Role or ClusterRole of ours "
        "must allow it: persistentvolumeclaims is forbidden: User \"x\" cannot list");
    for (int i = 0; i < 3; i++) {
        assert_true(wait_for(p, LG_ASK_LIST) >= LG_ABSENT_RETRY_MS);
        end(p, 403, STATUS(403, "persistentvolumeclaims is forbidden: User \\\"x\\\" cannot list"));
    }
    assert_int_equal(lg_reflector_report(p->r).problems, 1);
    (void)wait_for(p, LG_ASK_LIST);
    answer(p, LIST("5", "", ITEM("a", "one")));
    assert_int_equal(known(p), LG_KNOWN);
    expect_watch(p, "5");
    p->now_ms += LG_STEADY_MS;
    assert_int_equal(ask(p), LG_ASK_NOTHING);
    assert_int_equal(lg_reflector_report(p->r).problem->code, LG_E_OK);
}

static void a_forbidden_watch_after_an_allowed_list_is_not_a_loop(void **state)
{
    struct play *p = *state;
    int64_t waited = 0;
    assert_int_equal(ask(p), LG_ASK_LIST);
    for (int i = 0; i < 8; i++) {
        answer(p, LIST("10", "", ITEM("a", "one")));
        assert_int_equal(ask(p), LG_ASK_WATCH);
        end(p, 403, STATUS(403, "cannot watch"));
        waited += wait_for(p, LG_ASK_LIST);
    }
    assert_true(waited > 20 * 1000);
    assert_int_equal(lg_reflector_report(p->r).problems, 1);
    assert_int_equal(lg_reflector_report(p->r).problem->code, LG_E_DENIED);
}

static void a_server_that_does_not_know_us_is_one_problem(void **state)
{
    struct play *p = *state;
    assert_int_equal(ask(p), LG_ASK_LIST);
    end(p, 401, STATUS(401, "Unauthorized"));
    expect_problem(p, LG_E_AUTH, "https://api:6443",
                   "the API server does not know us (401); renew the token or client certificate "
                   "of /etc/config");
    assert_int_equal(known(p), LG_NOT_SYNCED);
    assert_false(lg_reflector_report(p->r).settled);
    (void)wait_for(p, LG_ASK_LIST);
    end(p, 401, STATUS(401, "Unauthorized"));
    assert_int_equal(lg_reflector_report(p->r).problems, 1);
}

static void a_busy_server_says_when_to_come_again(void **state)
{
    struct play *p = *state;
    assert_int_equal(ask(p), LG_ASK_LIST);
    struct lg_http_answer busy = {
        .status = 429, .body = LG_STR(STATUS(429, "too many")), .retry_after_s = 7};
    lg_reflector_ended(p->r, &busy, p->now_ms);
    assert_true(wait_for(p, LG_ASK_LIST) >= 7000);
    expect_problem(p, LG_E_UNAVAILABLE, "https://api:6443",
                   "the API server answered 429: too many");
    busy.retry_after_s = 1000000000;
    lg_reflector_ended(p->r, &busy, p->now_ms);
    assert_true(wait_for(p, LG_ASK_LIST) <= 60 * 1000);
}

static void an_object_that_cannot_be_read_is_left_out_and_told(void **state)
{
    struct play *p = *state;
    struct lg_err err = {0};
    assert_int_equal(ask(p), LG_ASK_LIST);
    answer(p, LIST("10", "",
                   ITEM("a", "one") ",{\"metadata\":{\"name\":\"bad\",\"namespace\":\"web\"},"
                                    "\"spec\":{\"volumeName\":[]}}," ITEM("b", "one")));
    assert_int_equal(known(p), LG_KNOWN);
    assert_int_equal(count(p), 2);
    struct lg_reflector_report report = lg_reflector_report(p->r);
    assert_int_equal(report.unreadable, 1);
    assert_int_equal(report.unread->code, LG_E_INVALID);
    assert_string_equal(report.unread->where, "web/bad: spec.volumeName");
    assert_string_equal(report.unread->text, "expected a string, got a list");
    expect_watch(p, "10");
    /* one that was fine before is not kept as it was */
    assert_int_equal(send(p,
                          "{\"type\":\"MODIFIED\",\"object\":{\"metadata\":{\"name\":\"a\","
                          "\"namespace\":\"web\",\"resourceVersion\":\"11\"},\"spec\":{"
                          "\"volumeName\":5}}}",
                          &err),
                     LG_E_OK);
    assert_string_equal(volume(p, "a"), "-");
    assert_int_equal(lg_reflector_version(p->r), 11);
    /* too deep for the reader */
    struct lg_buf deep = {0};
    lg_buf_puts(&deep, "{\"type\":\"MODIFIED\",\"object\":{\"metadata\":{\"name\":\"b\","
                       "\"namespace\":\"web\",\"resourceVersion\":\"12\"},\"spec\":");
    for (int i = 0; i < 100; i++)
        lg_buf_putc(&deep, '[');
    for (int i = 0; i < 100; i++)
        lg_buf_putc(&deep, ']');
    lg_buf_puts(&deep, "}}");
    assert_int_equal(send(p, deep.p, &err), LG_E_OK);
    lg_buf_done(&deep);
    assert_string_equal(volume(p, "b"), "-");
    assert_int_equal(lg_reflector_version(p->r), 12);
    report = lg_reflector_report(p->r);
    assert_int_equal(report.unreadable, 3);
    assert_int_equal(report.unread->code, LG_E_LIMIT);
    assert_int_equal(strncmp(report.unread->where, "web/b: ", 7), 0);
}

static void a_relist_shares_what_did_not_change(void **state)
{
    struct play *p = *state;
    start(p);
    const struct lg_record *before =
        lg_store_find(p->store, LG_KIND_CLAIM, LG_STR("web"), LG_STR("a"));
    assert_true(lg_store_commit(p->store));
    end(p, 410, NULL);
    assert_int_equal(ask(p), LG_ASK_LIST);
    answer(p, LIST("20", "", ITEM("a", "one") "," ITEM("b", "one")));
    assert_ptr_equal(lg_store_find(p->store, LG_KIND_CLAIM, LG_STR("web"), LG_STR("a")), before);
    assert_false(lg_store_commit(p->store));
    assert_int_equal(before->refs, 2);
}

static void custom_resources_have_their_own_path(void **state)
{
    struct play *p = *state;
    assert_int_equal(ask(p), LG_ASK_LIST);
    assert_string_equal(p->path, "/apis/kubevirt.io/v1/virtualmachines?resourceVersion=0");
    answer(p, "{\"apiVersion\":\"kubevirt.io/v1\",\"items\":[{\"apiVersion\":\"kubevirt.io/v1\","
              "\"kind\":\"VirtualMachine\",\"metadata\":{\"name\":\"db\",\"namespace\":\"web\"}}],"
              "\"kind\":\"VirtualMachineList\",\"metadata\":{\"continue\":\"\","
              "\"resourceVersion\":\"77\"}}");
    assert_non_null(lg_store_find(p->store, LG_KIND_VM, LG_STR("web"), LG_STR("db")));
    assert_int_equal(lg_reflector_version(p->r), 77);
    assert_int_equal(ask(p), LG_ASK_WATCH);
    end(p, 404, NULL);
    (void)wait_for(p, LG_ASK_LIST);
}

static void replicas_do_not_move_in_step(void **state)
{
    struct play *p = *state;
    struct lg_reflector *twin = lg_reflector_new(&(struct lg_reflector_options){
        .kind = LG_KIND_CLAIM, .store = p->store, .server = "", .credential = "", .seed = 43});
    int64_t same = 0;
    struct lg_http_answer refused = {.err = {.code = LG_E_UNAVAILABLE}};
    for (int i = 0; i < 10; i++) {
        p->now_ms += 1000 * 1000;
        assert_int_equal(lg_reflector_next(p->r, p->now_ms).ask, LG_ASK_LIST);
        assert_int_equal(lg_reflector_next(twin, p->now_ms).ask, LG_ASK_LIST);
        lg_reflector_ended(p->r, &refused, p->now_ms);
        lg_reflector_ended(twin, &refused, p->now_ms);
        same +=
            lg_reflector_next(p->r, p->now_ms).at_ms == lg_reflector_next(twin, p->now_ms).at_ms;
    }
    assert_true(same < 3);
    lg_reflector_free(twin);
}

static void a_version_that_is_not_served_gives_way_to_the_other(void **state)
{
    struct play *p = *state;
    assert_int_equal(ask(p), LG_ASK_LIST);
    assert_string_equal(p->path, "/apis/hco.kubevirt.io/v1beta1/hyperconvergeds?resourceVersion=0");
    end(p, 404, "404 page not found");
    assert_false(lg_reflector_report(p->r).settled);
    assert_int_equal(ask(p), LG_ASK_LIST); /* at once */
    assert_string_equal(p->path, "/apis/hco.kubevirt.io/v1/hyperconvergeds?resourceVersion=0");
    end(p, 404, "404 page not found");
    assert_true(lg_reflector_report(p->r).settled);
    assert_int_equal(lg_reflector_report(p->r).known, LG_NOT_SERVED);
    assert_true(wait_for(p, LG_ASK_LIST) >= LG_ABSENT_RETRY_MS);
    answer(p, LIST("7", "", ""));
    assert_int_equal(lg_reflector_report(p->r).known, LG_KNOWN);
    assert_int_equal(ask(p), LG_ASK_WATCH);
    assert_non_null(strstr(p->path, "/apis/hco.kubevirt.io/v1/hyperconvergeds?watch=1"));
    end(p, 404, NULL); /* an upgrade took it away */
    (void)wait_for(p, LG_ASK_LIST);
    assert_non_null(strstr(p->path, "/apis/hco.kubevirt.io/v1/"));
    end(p, 404, NULL);
    assert_int_equal(ask(p), LG_ASK_LIST);
    assert_non_null(strstr(p->path, "/apis/hco.kubevirt.io/v1beta1/"));
    answer(p, LIST("9", "", ""));
    assert_int_equal(lg_reflector_report(p->r).known, LG_KNOWN);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(it_lists_from_the_cache_and_watches_from_there),
        TEST(events_change_the_store),
        TEST(a_watch_that_breaks_off_goes_on_from_its_version),
        TEST(an_unreachable_server_is_asked_ever_later_and_is_one_problem),
        TEST(a_young_watch_that_breaks_off_is_no_problem_yet),
        TEST(watches_that_break_off_again_and_again_are_a_problem),
        TEST(watches_that_end_at_once_are_not_asked_in_a_loop),
        TEST(a_410_lists_again_in_pages_as_one_change),
        TEST(a_410_event_lists_again_in_pages_as_one_change),
        TEST(a_410_between_pages_lists_all_at_once),
        TEST(a_list_that_breaks_off_changes_nothing),
        TEST(an_answer_that_is_no_list_is_a_problem),
        TEST(what_is_no_event_lists_again_not_older_than_before),
        TEST(a_version_that_the_server_does_not_know_yet_is_not_insisted_on),
        TEST(a_resource_that_is_not_served_is_known_at_once_and_may_come),
        TEST(a_resource_that_is_taken_away_is_gone_after_the_third_404),
        TEST(a_404_in_passing_changes_nothing),
        TEST(what_we_may_not_read_is_said_with_what_is_missing),
        TEST(a_forbidden_watch_after_an_allowed_list_is_not_a_loop),
        TEST(a_server_that_does_not_know_us_is_one_problem),
        TEST(a_busy_server_says_when_to_come_again),
        TEST(an_object_that_cannot_be_read_is_left_out_and_told),
        TEST(a_relist_shares_what_did_not_change),
        cmocka_unit_test_setup_teardown(custom_resources_have_their_own_path, set_up_vms,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_version_that_is_not_served_gives_way_to_the_other,
                                        set_up_hyperconverged, tear_down),
        TEST(replicas_do_not_move_in_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
