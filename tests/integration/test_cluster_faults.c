/* What can go wrong between the server and the API server: afterwards verdicts are right again, and
 * each trouble was said once. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "rules/core/mem.h"
#include "tests/support/cluster.h"

enum {
    READY_MS = 120 * 1000,
    SOON_MS = 120 * 1000,
    CLAIMS = 1200, /* three pages */
    OUTAGE_MS = 6000,
    STEADY_MS = 2500, /* a watch that lasted so long may break off without being a trouble */
};

static struct lg_cluster cluster;

static const struct lg_canned_options many = {.counts = {[LG_KIND_NODE] = 3,
                                                         [LG_KIND_CLAIM] = CLAIMS,
                                                         [LG_KIND_STORAGE_CLASS] = 1,
                                                         [LG_KIND_KUBEVIRT] = 1}};

static void serve(void)
{
    lg_cluster_start(&cluster, (const char *[]){"--drain", "0s", NULL});
    (void)lg_cluster_ready(&cluster, READY_MS);
}

static int start(void **state)
{
    (void)state;
    lg_cluster_init(&cluster, &many);
    serve();
    return 0;
}

static int stop(void **state)
{
    (void)state;
    lg_cluster_done(&cluster);
    return 0;
}

static double metric(const char *name, const char *resource)
{
    char series[128];
    (void)snprintf(series, sizeof series, "%s{resource=\"%s\"}", name, resource);
    return lg_metric_value(&cluster.serve, series);
}

/* Changes two claims so that no watch tells: claim-0 becomes ReadWriteOnce, claim-3 is gone, "new"
 * comes. */
static void change_in_silence(void)
{
    lg_canned_mute(cluster.canned, LG_KIND_CLAIM, true);
    lg_put_claim(&cluster, "ns-0", "claim-0", "ReadWriteOnce");
    lg_put_claim(&cluster, "ns-0", "new", "ReadWriteOnce");
    lg_canned_delete(cluster.canned, LG_KIND_CLAIM, "ns-3", "claim-3");
}

static void expect_changed(void)
{
    lg_await_vm(&cluster, "ns-0", "claim-0", false, "[LG101]", SOON_MS);
    lg_await_vm(&cluster, "ns-0", "new", false, "[LG101]", SOON_MS);
    lg_await_vm(&cluster, "ns-3", "claim-3", true, "LG102", SOON_MS);
    lg_await_vm(&cluster, "ns-4", "claim-4", true, "", SOON_MS);
    assert_true(metric("livegate_inventory_objects", "persistentvolumeclaims") == CLAIMS);
}

static void a_410_for_the_watch_lists_anew(void **state)
{
    (void)state;
    lg_test_sleep_ms(STEADY_MS);
    change_in_silence();
    lg_canned_compact(cluster.canned);
    lg_canned_disconnect(cluster.canned);
    expect_changed();
    assert_true(metric("livegate_watch_expired_total", "persistentvolumeclaims") >= 1);
    assert_true(lg_canned_requests(cluster.canned, LG_KIND_CLAIM, LG_CANNED_MORE, NULL) >= 2);
    assert_int_equal(lg_count_log(&cluster, "trouble"), 0); /* that is everyday life */
}

static void a_410_within_the_stream_lists_anew(void **state)
{
    (void)state;
    change_in_silence();
    lg_canned_fault(cluster.canned, LG_KIND_CLAIM, LG_CANNED_WATCH, LG_CANNED_ERROR_EVENT, 1);
    lg_canned_disconnect(cluster.canned);
    expect_changed();
    assert_true(metric("livegate_watch_expired_total", "persistentvolumeclaims") >= 1);
}

static void a_410_between_pages_lists_all_at_once(void **state)
{
    (void)state;
    change_in_silence();
    lg_canned_fault(cluster.canned, LG_KIND_CLAIM, LG_CANNED_WATCH, 410, 1);
    lg_canned_fault(cluster.canned, LG_KIND_CLAIM, LG_CANNED_MORE, 410, 1);
    lg_canned_disconnect(cluster.canned);
    expect_changed();
    assert_true(metric("livegate_watch_expired_total", "persistentvolumeclaims") >= 2);
}

static void what_is_no_event_lists_anew(void **state)
{
    (void)state;
    lg_test_sleep_ms(STEADY_MS);
    change_in_silence();
    lg_canned_fault(cluster.canned, LG_KIND_CLAIM, LG_CANNED_WATCH, LG_CANNED_GARBAGE, 1);
    lg_canned_disconnect(cluster.canned);
    expect_changed();
    assert_int_equal(lg_count_log(&cluster, "\"trouble with the API server\""), 1);
    lg_serve_await_log(&cluster.serve, "a trouble with the API server is over", 1);
}

static void lists_that_break_off_change_nothing(void **state)
{
    (void)state;
    change_in_silence();
    lg_canned_fault(cluster.canned, LG_KIND_CLAIM, LG_CANNED_WATCH, 410, 1);
    lg_canned_fault(cluster.canned, LG_KIND_CLAIM, LG_CANNED_LIST, LG_CANNED_CUT, 2);
    lg_canned_disconnect(cluster.canned);
    expect_changed();
}

static void breaking_off_again_and_again_loses_nothing(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        lg_put_claim(&cluster, "ns-0", "claim-0", i % 2 == 0 ? "ReadWriteOnce" : "ReadWriteMany");
        lg_canned_disconnect(cluster.canned);
        lg_test_sleep_ms(50);
    }
    lg_await_vm(&cluster, "ns-0", "claim-0", true, "", SOON_MS);
    lg_put_claim(&cluster, "ns-0", "claim-0", "ReadWriteOnce");
    lg_await_vm(&cluster, "ns-0", "claim-0", false, "[LG101]", SOON_MS);
}

static void a_resource_may_go_and_come_again(void **state)
{
    struct lg_outcome outcome;
    (void)state;
    lg_put_vmi(&cluster, "ns-0", "guest", "True");
    int64_t end_ms = lg_test_now_ms() + SOON_MS;
    do {
        assert_true(lg_test_now_ms() < end_ms);
        lg_review_migration(&cluster, "ns-0", "guest", &outcome);
    } while (outcome.text[0] != '\0');
    /* Its CRD is deleted. */
    lg_canned_fault(cluster.canned, LG_KIND_VMI, LG_CANNED_LIST, 404, -1);
    lg_canned_fault(cluster.canned, LG_KIND_VMI, LG_CANNED_WATCH, 404, -1);
    lg_canned_fault(cluster.canned, LG_KIND_VMI, LG_CANNED_GET, 404, -1);
    lg_canned_disconnect(cluster.canned);
    lg_serve_await_log(&cluster.serve, "does not serve this resource", 1);
    lg_review_migration(&cluster, "ns-0", "guest", &outcome);
    assert_true(outcome.allowed);
    assert_true(metric("livegate_inventory_known", "virtualmachineinstances") == 0);
    /* And created again, with another guest. */
    lg_canned_delete(cluster.canned, LG_KIND_VMI, "ns-0", "guest");
    lg_put_vmi(&cluster, "ns-0", "other", "True");
    for (int verb = 0; verb < LG_CANNED_VERBS; verb++)
        lg_canned_fault(cluster.canned, LG_KIND_VMI, (enum lg_canned_verb)verb, 0, 0);
    lg_serve_await_log(&cluster.serve, "\"the resource is there now\"", 1);
    lg_review_migration(&cluster, "ns-0", "other", &outcome);
    assert_true(outcome.allowed);
    lg_review_migration(&cluster, "ns-0", "guest", &outcome);
    assert_false(outcome.allowed);
    assert_non_null(strstr(outcome.text, "[LG601]"));
}

static int start_with_token(void **state)
{
    struct lg_canned_options options = many;
    char text[1024];
    (void)state;
    options.token = "first";
    lg_cluster_init(&cluster, &options);
    lg_write_file(lg_serve_path(&cluster.serve, "token"), LG_STR("first\n"));
    lg_write_file(lg_serve_path(&cluster.serve, "api.crt"),
                  lg_str_of(lg_canned_ca(cluster.canned)));
    (void)snprintf(text, sizeof text,
                   "apiVersion: v1\nkind: Config\ncurrent-context: c\n"
                   "contexts: [{name: c, context: {cluster: c, user: u}}]\n"
                   "clusters: [{name: c, cluster: {server: 'https://127.0.0.1:%u', "
                   "certificate-authority: api.crt}}]\n"
                   "users: [{name: u, user: {tokenFile: token}}]\n",
                   lg_canned_port(cluster.canned));
    lg_write_file(lg_serve_path(&cluster.serve, "kubeconfig"), lg_str_of(text));
    serve();
    return 0;
}

static void a_token_that_is_rotated_is_read_again(void **state)
{
    (void)state;
    lg_canned_set_token(cluster.canned, "second");
    change_in_silence();
    lg_canned_disconnect(cluster.canned);
    lg_serve_await_log(&cluster.serve, "renew the token or client certificate", 1);
    lg_test_sleep_ms(2000); /* each resource meets it, and it is one trouble */
    assert_int_equal(lg_count_log(&cluster, "renew the token or client certificate"), 1);
    lg_canned_mute(cluster.canned, LG_KIND_CLAIM, false);
    /* What is no token is not sent; the one before is. */
    lg_write_file(lg_serve_path(&cluster.serve, "token"), LG_STR("second\nX-Other: header\n"));
    lg_serve_await_log(&cluster.serve, "the token has a character that no token has (byte 7 of", 1);
    lg_test_sleep_ms(2000);
    assert_int_equal(lg_count_log(&cluster, "a credential's file cannot be read again"), 1);
    lg_write_file(lg_serve_path(&cluster.serve, "token"), LG_STR("second\n"));
    lg_serve_await_log(&cluster.serve, "the credential's file can be read again", 1);
    expect_changed();
    lg_serve_await_log(&cluster.serve, "a trouble with the API server is over", 1);
}

static int start_plain(void **state)
{
    struct lg_canned_options options = many;
    (void)state;
    options.plain = true;
    lg_cluster_init(&cluster, &options);
    serve();
    return 0;
}

static void it_outlives_the_api_server(void **state)
{
    struct lg_canned_options options = many;
    struct lg_outcome outcome;
    (void)state;
    options.plain = true;
    options.port = lg_canned_port(cluster.canned);
    int held_fd = lg_canned_hold_port(options.port);
    lg_await_watches(&cluster); /* young ones, that break off before anything is refused */
    lg_lose_api(&cluster);
    lg_serve_await_log(&cluster.serve, "\"trouble with the API server\"", 1);
    int64_t end_ms = lg_test_now_ms() + OUTAGE_MS;
    while (lg_test_now_ms() < end_ms) { /* what was known is known */
        lg_review_vm(&cluster, "ns-3", "claim-3", &outcome);
        assert_false(outcome.allowed);
        lg_review_vm(&cluster, "ns-0", "claim-0", &outcome);
        assert_true(outcome.allowed);
        lg_assert_ready(&cluster);
        lg_test_sleep_ms(200);
    }
    assert_int_equal(lg_count_log(&cluster, "\"trouble with the API server\""), 1);
    /* It comes back with another past: etcd was compacted meanwhile. */
    cluster.canned = lg_canned_start(&options);
    assert_int_equal(close(held_fd), 0);
    lg_canned_touch(cluster.canned, LG_KIND_CLAIM, 100);
    lg_put_claim(&cluster, "ns-0", "claim-0", "ReadWriteOnce");
    lg_put_claim(&cluster, "ns-0", "new", "ReadWriteOnce");
    lg_canned_delete(cluster.canned, LG_KIND_CLAIM, "ns-3", "claim-3");
    lg_canned_compact(cluster.canned);
    expect_changed();
    lg_serve_await_log(&cluster.serve, "a trouble with the API server is over", 1);
}

#define TEST(f)                  cmocka_unit_test_setup_teardown(f, start, stop)
#define TEST_ON(f, how_to_start) cmocka_unit_test_setup_teardown(f, how_to_start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_410_for_the_watch_lists_anew),
        TEST(a_410_within_the_stream_lists_anew),
        TEST(a_410_between_pages_lists_all_at_once),
        TEST(what_is_no_event_lists_anew),
        TEST(lists_that_break_off_change_nothing),
        TEST(breaking_off_again_and_again_loses_nothing),
        TEST(a_resource_may_go_and_come_again),
        TEST_ON(a_token_that_is_rotated_is_read_again, start_with_token),
        TEST_ON(it_outlives_the_api_server, start_plain),
    };
    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
