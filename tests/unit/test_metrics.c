/* The registry and Prometheus' text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/core/mem.h"
#include "webhook/runtime/metrics.h"
#include "webhook/runtime/thread.h"

static const char *const kinds[] = {"vm", "pvc"};
static const char *const verdicts[] = {"allow", "deny", "a \"b\"\\\n"};

static int forget(void **state)
{
    (void)state;
    lg_metrics_done();
    return 0;
}

static void assert_rendered(const char *want)
{
    struct lg_buf buf lg_cleanup(lg_buf_done) = {0};
    lg_metrics_render(&buf);
    assert_string_equal(buf.p != NULL ? buf.p : "", want);
}

static void a_counter_shows_every_series_from_the_start(void **state)
{
    (void)state;
    static struct lg_metric m = {
        .name = "lg_reviews_total",
        .help = "Reviews.\nA \\ \"quote\".",
        .kind = LG_METRIC_COUNTER,
        .labels = {{"kind", kinds, 2}, {"verdict", verdicts, 3}},
    };
    lg_metric_register(&m);
    lg_metric_register(&m);
    lg_metric_add(&m, LG_AT(1, 2), 5);
    lg_metric_add(&m, LG_AT(0, 1), 1);
    lg_metric_add(&m, LG_AT(0, 1), UINT32_MAX);
    assert_rendered("# HELP lg_reviews_total Reviews.\\nA \\\\ \"quote\".\n"
                    "# TYPE lg_reviews_total counter\n"
                    "lg_reviews_total{kind=\"vm\",verdict=\"allow\"} 0\n"
                    "lg_reviews_total{kind=\"vm\",verdict=\"deny\"} 4294967296\n"
                    "lg_reviews_total{kind=\"vm\",verdict=\"a \\\"b\\\"\\\\\\n\"} 0\n"
                    "lg_reviews_total{kind=\"pvc\",verdict=\"allow\"} 0\n"
                    "lg_reviews_total{kind=\"pvc\",verdict=\"deny\"} 0\n"
                    "lg_reviews_total{kind=\"pvc\",verdict=\"a \\\"b\\\"\\\\\\n\"} 5\n");
    assert_int_equal(lg_metric_count(&m, LG_AT(1, 2)), 5);
}

static void a_sparse_counter_shows_what_was_counted(void **state)
{
    (void)state;
    static struct lg_metric m = {
        .name = "lg_findings_total",
        .help = "Findings.",
        .kind = LG_METRIC_COUNTER,
        .sparse = true,
        .labels = {{"kind", kinds, 2}},
    };
    lg_metric_register(&m);
    assert_rendered("# HELP lg_findings_total Findings.\n# TYPE lg_findings_total counter\n");
    lg_metric_add(&m, LG_AT(1), 1);
    assert_rendered("# HELP lg_findings_total Findings.\n# TYPE lg_findings_total counter\n"
                    "lg_findings_total{kind=\"pvc\"} 1\n");
}

static void a_gauge_is_shown_when_it_is_set(void **state)
{
    (void)state;
    static struct lg_metric m = {
        .name = "lg_expiry_seconds",
        .help = "Ends.",
        .kind = LG_METRIC_GAUGE,
        .labels = {{"part", kinds, 2}},
    };
    lg_metric_register(&m);
    lg_metric_set(&m, LG_AT(0), 0);
    lg_metric_set(&m, LG_AT(1), 1763887620.25);
#define HEAD "# HELP lg_expiry_seconds Ends.\n# TYPE lg_expiry_seconds gauge\n"
    assert_rendered(HEAD "lg_expiry_seconds{part=\"vm\"} 0\n"
                         "lg_expiry_seconds{part=\"pvc\"} 1763887620.25\n");
    lg_metric_unset(&m, LG_AT(0));
    lg_metric_set(&m, LG_AT(1), (double)INFINITY);
    assert_rendered(HEAD "lg_expiry_seconds{part=\"pvc\"} +Inf\n");
    lg_metric_set(&m, LG_AT(1), 0.1);
    assert_rendered(HEAD "lg_expiry_seconds{part=\"pvc\"} 0.1\n");
#undef HEAD
}

static void a_histogram_is_cumulative_and_in_seconds(void **state)
{
    (void)state;
    static const int64_t bounds_ns[] = {1000000, 500000000};
    static struct lg_metric m = {
        .name = "lg_duration_seconds",
        .help = "Took.",
        .kind = LG_METRIC_HISTOGRAM,
        .labels = {{"kind", kinds, 1}},
        .bounds_ns = bounds_ns,
        .bound_count = 2,
    };
    lg_metric_register(&m);
    lg_metric_observe_ns(&m, LG_AT(0), -5);
    lg_metric_observe_ns(&m, LG_AT(0), 1000000);
    lg_metric_observe_ns(&m, LG_AT(0), 1000001);
    lg_metric_observe_ns(&m, LG_AT(0), 2000000000);
    assert_rendered("# HELP lg_duration_seconds Took.\n# TYPE lg_duration_seconds histogram\n"
                    "lg_duration_seconds_bucket{kind=\"vm\",le=\"0.001\"} 2\n"
                    "lg_duration_seconds_bucket{kind=\"vm\",le=\"0.5\"} 3\n"
                    "lg_duration_seconds_bucket{kind=\"vm\",le=\"+Inf\"} 4\n"
                    "lg_duration_seconds_sum{kind=\"vm\"} 2.002000001\n"
                    "lg_duration_seconds_count{kind=\"vm\"} 4\n");
    assert_int_equal(lg_metric_count(&m, LG_AT(0)), 4);
}

static void a_histogram_has_buckets_from_50_us_to_10_s(void **state)
{
    (void)state;
    static struct lg_metric m = {
        .name = "lg_took_seconds", .help = "Took.", .kind = LG_METRIC_HISTOGRAM};
    lg_metric_register(&m);
    struct lg_buf buf lg_cleanup(lg_buf_done) = {0};
    lg_metrics_render(&buf);
    static const char *const bounds[] = {"5e-05", "0.0001", "0.0002", "0.0005", "0.001", "0.002",
                                         "0.005", "0.01",   "0.02",   "0.05",   "0.1",   "0.2",
                                         "0.5",   "1",      "2",      "5",      "10",    "+Inf"};
    const char *at = buf.p;
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
        char want[64];
        (void)snprintf(want, sizeof want, "lg_took_seconds_bucket{le=\"%s\"} 0\n", bounds[i]);
        at = strstr(at, want);
        assert_non_null(at);
    }
    assert_non_null(strstr(at, "lg_took_seconds_sum 0\nlg_took_seconds_count 0\n"));
}

static void counting_before_registration_does_nothing(void **state)
{
    (void)state;
    static struct lg_metric m = {
        .name = "lg_early_total", .help = "Early.", .kind = LG_METRIC_COUNTER};
    lg_metric_add(&m, NULL, 3);
    assert_int_equal(lg_metric_count(&m, NULL), 0);
    assert_rendered("");
    lg_metric_register(&m);
    lg_metric_add(&m, NULL, 1);
    assert_rendered("# HELP lg_early_total Early.\n# TYPE lg_early_total counter\n"
                    "lg_early_total 1\n");
}

static void set_from_collector(void *arg)
{
    lg_metric_set(arg, NULL, 42);
}

static void collectors_run_before_anything_is_shown(void **state)
{
    (void)state;
    static struct lg_metric m = {.name = "lg_size", .help = "Size.", .kind = LG_METRIC_GAUGE};
    lg_metric_register(&m);
    lg_metrics_collect(set_from_collector, &m);
    assert_rendered("# HELP lg_size Size.\n# TYPE lg_size gauge\nlg_size 42\n");
}

static void the_process_tells_about_itself(void **state)
{
    (void)state;
    lg_metrics_register_process();
    struct lg_buf buf lg_cleanup(lg_buf_done) = {0};
    lg_metrics_render(&buf);
    assert_non_null(strstr(buf.p, "livegate_build_info{version=\"" LG_VERSION "\"} 1\n"));
    assert_non_null(strstr(buf.p, "# TYPE process_cpu_seconds_total counter\n"
                                  "process_cpu_seconds_total "));
    static const char *const above_zero[] = {
        "\nprocess_start_time_seconds ", "\nprocess_resident_memory_bytes ", "\nprocess_open_fds "};
    for (size_t i = 0; i < 3; i++) {
        const char *at = strstr(buf.p, above_zero[i]);
        assert_non_null(at);
        assert_true(strtod(at + strlen(above_zero[i]), NULL) > 0);
    }
    assert_non_null(strstr(buf.p, "\nlivegate_log_lines_dropped_total 0\n"));
}

static struct lg_metric busy = {
    .name = "lg_busy_total",
    .help = "Busy.",
    .kind = LG_METRIC_COUNTER,
    .labels = {{"kind", kinds, 2}},
};
static struct lg_metric busy_for = {
    .name = "lg_busy_seconds", .help = "Busy.", .kind = LG_METRIC_HISTOGRAM};

enum { TURNS = 10000 };

static void count_many(void *arg)
{
    (void)arg;
    for (int i = 0; i < TURNS; i++) {
        lg_metric_add(&busy, LG_AT(1), 1);
        lg_metric_observe_ns(&busy_for, NULL, (int64_t)i * 1000);
    }
}

static void many_threads_lose_no_count_while_it_is_shown(void **state)
{
    (void)state;
    lg_metric_register(&busy);
    lg_metric_register(&busy_for);
    struct lg_thread threads[4] = {0};
    struct lg_err err = {0};
    for (int i = 0; i < 4; i++)
        assert_int_equal(lg_thread_start(&threads[i], "count", count_many, NULL, &err), LG_E_OK);
    for (int i = 0; i < 20; i++) {
        struct lg_buf buf lg_cleanup(lg_buf_done) = {0};
        lg_metrics_render(&buf);
        /* +Inf and _count are one number even while others count. */
        unsigned long inf = strtoul(strstr(buf.p, "le=\"+Inf\"} ") + 11, NULL, 10);
        assert_int_equal(strtoul(strstr(buf.p, "_count ") + 7, NULL, 10), inf);
    }
    for (int i = 0; i < 4; i++)
        lg_thread_join(&threads[i]);
    assert_int_equal(lg_metric_count(&busy, LG_AT(0)), 0);
    assert_int_equal(lg_metric_count(&busy, LG_AT(1)), 4 * TURNS);
    assert_int_equal(lg_metric_count(&busy_for, NULL), 4 * TURNS);
}

#define METRICS_TEST(f) cmocka_unit_test_teardown(f, forget)

int main(void)
{
    const struct CMUnitTest tests[] = {
        METRICS_TEST(a_counter_shows_every_series_from_the_start),
        METRICS_TEST(a_sparse_counter_shows_what_was_counted),
        METRICS_TEST(a_gauge_is_shown_when_it_is_set),
        METRICS_TEST(a_histogram_is_cumulative_and_in_seconds),
        METRICS_TEST(a_histogram_has_buckets_from_50_us_to_10_s),
        METRICS_TEST(counting_before_registration_does_nothing),
        METRICS_TEST(collectors_run_before_anything_is_shown),
        METRICS_TEST(the_process_tells_about_itself),
        METRICS_TEST(many_threads_lose_no_count_while_it_is_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
