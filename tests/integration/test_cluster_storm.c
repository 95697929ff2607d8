/* 100,000 changes as fast as an API server sends them: verdicts stay right, memory and descriptors
 * as they were. A sanitizer, which keeps memory of its own, has seen enough of them after a
 * fifth. */
#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rules/core/mem.h"
#include "tests/support/cluster.h"

enum {
    READY_MS = 120 * 1000,
    SOON_MS = 120 * 1000,
    STORM_EVENTS = LG_SANITIZED ? 20 * 1000 : 100 * 1000,
    STORM_PER_S = 5000,
    STORM_MS_MAX = 4 * 60 * 1000, /* a machine that does other things too */
    WARM_EVENTS = 10 * 1000,
};

static struct lg_cluster cluster;

static double metric(const char *name, const char *resource)
{
    char series[128];
    (void)snprintf(series, sizeof series, "%s{resource=\"%s\"}", name, resource);
    return lg_metric_value(&cluster.serve, series);
}

static int start(void **state)
{
    static const struct lg_canned_options many = {.counts = {[LG_KIND_NODE] = 3,
                                                             [LG_KIND_CLAIM] = 1200,
                                                             [LG_KIND_STORAGE_CLASS] = 1,
                                                             [LG_KIND_KUBEVIRT] = 1}};
    (void)state;
    lg_cluster_init(&cluster, &many);
    lg_cluster_start(&cluster, (const char *[]){"--drain", "0s", NULL});
    (void)lg_cluster_ready(&cluster, READY_MS);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    lg_cluster_done(&cluster);
    return 0;
}

static size_t descriptors(void)
{
    char path[64];
    size_t n = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/fd", (int)cluster.serve.process.pid);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    while (readdir(dir) != NULL)
        n++;
    closedir(dir);
    return n;
}

static long resident_kib(void)
{
    struct lg_buf status lg_cleanup(lg_buf_done) = {0};
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/status", (int)cluster.serve.process.pid);
    lg_read_file(path, &status);
    const char *line = strstr(status.p, "VmRSS:");
    assert_non_null(line);
    return strtol(line + 6, NULL, 10);
}

static double events(void)
{
    return metric("livegate_watch_events_total", "nodes") +
           metric("livegate_watch_events_total", "persistentvolumeclaims");
}

static void await_events(double n, int64_t end_ms)
{
    struct lg_outcome outcome;
    while (events() < n) {
        if (lg_test_now_ms() > end_ms)
            fail_msg("%f events, not %f", events(), n);
        lg_review_vm(&cluster, "ns-3", "claim-3", &outcome); /* right all the while */
        assert_false(outcome.allowed);
        lg_test_sleep_ms(100);
    }
}

static void a_storm_of_events_leaves_memory_as_it_was(void **state)
{
    (void)state;
    int64_t start_ms = lg_test_now_ms();
    lg_canned_storm(cluster.canned, LG_KIND_CLAIM, STORM_PER_S / 2);
    lg_canned_storm(cluster.canned, LG_KIND_NODE, STORM_PER_S / 2);
    await_events(WARM_EVENTS, start_ms + STORM_MS_MAX);
    size_t fds = descriptors();
    long kib = resident_kib();
    await_events(STORM_EVENTS, start_ms + STORM_MS_MAX);
    long grown_kib = resident_kib() - kib;
    print_message("%d events in %lld ms: %ld KiB more than after %d, %zu descriptors\n",
                  STORM_EVENTS, (long long)(lg_test_now_ms() - start_ms), grown_kib, WARM_EVENTS,
                  descriptors());
    lg_canned_storm(cluster.canned, LG_KIND_CLAIM, 0);
    lg_canned_storm(cluster.canned, LG_KIND_NODE, 0);
    if (!LG_SANITIZED)
        assert_true(grown_kib < 4096);
    assert_true(descriptors() <= fds + 2); /* give or take a connection of ours */
    lg_put_claim(&cluster, "ns-0", "claim-0", "ReadWriteOnce");
    lg_await_vm(&cluster, "ns-0", "claim-0", false, "[LG101]", SOON_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_storm_of_events_leaves_memory_as_it_was, start, stop),
    };
    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
