/* How the server starts where the API server does not answer as one should: it is ready all the
 * same, knows what it does not know, and says once what is wrong. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rules/core/mem.h"
#include "tests/support/cluster.h"

enum {
    SETTLED_MS = 10 * 1000, /* what readiness promises */
    /* what a busy machine may add; a list is given up after 30 s */
    SETTLED_MS_MAX = SETTLED_MS + 15000,
    READY_MS = 120 * 1000,
    SOON_MS = 120 * 1000,
};

static struct lg_cluster cluster;

static int start(void **state)
{
    (void)state;
    lg_cluster_init(&cluster, NULL);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    lg_cluster_done(&cluster);
    return 0;
}

static void serve(void)
{
    lg_cluster_start(&cluster, (const char *[]){"--drain", "0s", NULL});
}

/* By the server's own clock, from when it began to ask: how long until it was ready. */
static void expect_settled(void)
{
    static const char said[] = "the cluster is known, but for these resources";
    lg_serve_await_log(&cluster.serve, said, 1);
    char *log lg_cleanup(lg_free_cleanup) = lg_serve_log(&cluster.serve);
    const char *took = strstr(strstr(log, said), "\"took_ms\":");
    assert_non_null(took);
    assert_in_range(strtol(took + strlen("\"took_ms\":"), NULL, 10), SETTLED_MS / 2,
                    SETTLED_MS_MAX);
}

static void fault_all(enum lg_canned_verb verb, int status, int times)
{
    for (int kind = 0; kind < LG_KIND_COUNT; kind++)
        lg_canned_fault(cluster.canned, (enum lg_kind)kind, verb, status, times);
}

static void lists_that_hang_hold_readiness_up_for_ten_seconds(void **state)
{
    struct lg_outcome outcome;
    (void)state;
    fault_all(LG_CANNED_LIST, LG_CANNED_HANG, -1);
    fault_all(LG_CANNED_GET, 503, -1);
    serve();
    (void)lg_cluster_ready(&cluster, READY_MS);
    expect_settled();
    lg_review_vm(&cluster, "ns-0", "claim-0", &outcome); /* unknown, not absent */
    assert_true(outcome.allowed);
    assert_non_null(strstr(outcome.text, "LG102"));
    /* It comes to itself: what hangs is given up, and asked for again. */
    fault_all(LG_CANNED_LIST, 0, 0);
    fault_all(LG_CANNED_GET, 0, 0);
    lg_await_vm(&cluster, "ns-3", "claim-3", false, "[LG101]", SOON_MS);
    lg_serve_await_log(&cluster.serve, "\"the resource is there now\"", 1);
}

/* Where a few resources hang the others are known at once. */
static void one_list_that_hangs_leaves_the_others(void **state)
{
    struct lg_outcome outcome;
    (void)state;
    lg_canned_fault(cluster.canned, LG_KIND_VOLUME, LG_CANNED_LIST, LG_CANNED_HANG, -1);
    serve();
    (void)lg_cluster_ready(&cluster, READY_MS);
    expect_settled();
    lg_serve_await_log(&cluster.serve, "\"resources\":\"persistentvolumes\"", 1);
    lg_review_vm(&cluster, "ns-3", "claim-3", &outcome);
    assert_false(outcome.allowed);
}

static void a_server_that_takes_connections_and_says_nothing(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    char text[1024];
    (void)state;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(fd, 64), 0); /* the kernel takes them, nobody else does */
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    lg_write_file(lg_serve_path(&cluster.serve, "api.crt"),
                  lg_str_of(lg_canned_ca(cluster.canned)));
    (void)snprintf(text, sizeof text,
                   "apiVersion: v1\nkind: Config\ncurrent-context: c\n"
                   "contexts: [{name: c, context: {cluster: c, user: u}}]\n"
                   "clusters: [{name: c, cluster: {server: 'https://127.0.0.1:%u', "
                   "certificate-authority: api.crt}}]\n"
                   "users: [{name: u, user: {token: t}}]\n",
                   ntohs(address.sin_port));
    lg_write_file(lg_serve_path(&cluster.serve, "kubeconfig"), lg_str_of(text));
    serve();
    (void)lg_cluster_ready(&cluster, READY_MS);
    expect_settled();
    lg_serve_await_log(&cluster.serve, "no answer in time", 1);
    (void)close(fd);
}

static void a_list_without_end_is_given_up(void **state)
{
    struct lg_outcome outcome;
    (void)state;
    lg_canned_fault(cluster.canned, LG_KIND_CLAIM, LG_CANNED_LIST, LG_CANNED_LOOP, -1);
    lg_canned_fault(cluster.canned, LG_KIND_CLAIM, LG_CANNED_MORE, LG_CANNED_LOOP, -1);
    serve();
    (void)lg_cluster_ready(&cluster, READY_MS);
    lg_serve_await_log(&cluster.serve, "the list does not end: a page is followed by itself", 1);
    assert_int_equal(lg_count_log(&cluster, "the list does not end"), 1);
    assert_in_range(lg_canned_requests(cluster.canned, LG_KIND_CLAIM, LG_CANNED_MORE, NULL), 1, 40);
    lg_review_vm(&cluster, "ns-0", "claim-0", &outcome);
    assert_true(outcome.allowed);
    lg_canned_fault(cluster.canned, LG_KIND_CLAIM, LG_CANNED_LIST, 0, 0);
    lg_canned_fault(cluster.canned, LG_KIND_CLAIM, LG_CANNED_MORE, 0, 0);
    lg_await_vm(&cluster, "ns-3", "claim-3", false, "[LG101]", SOON_MS);
    lg_serve_await_log(&cluster.serve, "a trouble with the API server is over", 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lists_that_hang_hold_readiness_up_for_ten_seconds),
        TEST(one_list_that_hangs_leaves_the_others),
        TEST(a_server_that_takes_connections_and_says_nothing),
        TEST(a_list_without_end_is_given_up),
    };
    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
