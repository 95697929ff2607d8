/* Counters, gauges and histograms in Prometheus' text format.
 *
 * A metric is a static object of the room that counts, with its labels' values listed: nothing a
 * user writes can become a label, so the number of series is fixed at start. Register each before
 * threads start; after that counting is one relaxed atomic add, from any thread, and rendering may
 * run beside it.
 *
 *   static struct lg_metric reviews = {
 *       .name = "livegate_reviews_total", .help = "Reviews answered.", .kind = LG_METRIC_COUNTER,
 *       .labels = {{"kind", kinds, KIND_COUNT}, {"verdict", verdicts, VERDICT_COUNT}}};
 *   lg_metric_register(&reviews);
 *   lg_metric_add(&reviews, LG_AT(kind, verdict), 1);
 *
 * Counting on a metric that is not registered does nothing: a command that serves no /metrics
 * registers none. States: zeroed counters -> registered (cells allocated) -> lg_metrics_done (as
 * before). Text format: https://prometheus.io/docs/instrumenting/exposition_formats/ version 0.0.4.
 */
#ifndef LG_WEBHOOK_RUNTIME_METRICS_H
#define LG_WEBHOOK_RUNTIME_METRICS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/core/str.h"

enum {
    LG_METRIC_LABELS_MAX = 3,
    LG_METRIC_SERIES_MAX = 4096, /* of one metric */
    LG_METRIC_BUCKETS_MAX = 24,
};

#define LG_METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

enum lg_metric_kind {
    LG_METRIC_COUNTER, /* whole numbers; the name ends in _total */
    LG_METRIC_GAUGE,   /* a double; a series that was never set is not shown */
    /* a counter that somebody else keeps: set like a gauge; the name ends in _total */
    LG_METRIC_TOTAL,
    LG_METRIC_HISTOGRAM, /* durations, shown in seconds; the name ends in _seconds */
};

struct lg_metric_label {
    const char *name;
    const char *const *values; /* borrowed for the process's life; any text, escaped when shown */
    size_t count;
};

struct lg_metric {
    const char *name, *help; /* constant text */
    enum lg_metric_kind kind;
    /* a counter or histogram series shows up with its first count; else from the start */
    bool sparse;
    struct lg_metric_label labels[LG_METRIC_LABELS_MAX]; /* the first without a name ends them */
    const int64_t *bounds_ns; /* histogram: ascending upper bounds; NULL = 50 us to 10 s */
    size_t bound_count;
    /* private */
    _Atomic uint64_t *cells;
    size_t label_count, series, stride;
    struct lg_metric *next;
};

/* One value's index a label, in the labels' order: LG_AT(2, 0). Metrics without labels take
 * NULL. */
#define LG_AT(...) ((const size_t[LG_METRIC_LABELS_MAX]){__VA_ARGS__})

/* Adds the metric to what is rendered, last. A second time does nothing. */
void lg_metric_register(struct lg_metric *metric) __attribute__((nonnull));

/* Counter: adds. */
void lg_metric_add(struct lg_metric *metric, const size_t *at, uint64_t n)
    __attribute__((nonnull(1)));

/* Gauge or total: sets it, or takes the series away. */
void lg_metric_set(struct lg_metric *metric, const size_t *at, double value)
    __attribute__((nonnull(1)));
void lg_metric_unset(struct lg_metric *metric, const size_t *at) __attribute__((nonnull(1)));

/* Histogram: one duration; a negative one counts as 0. O(buckets). */
void lg_metric_observe_ns(struct lg_metric *metric, const size_t *at, int64_t duration_ns)
    __attribute__((nonnull(1)));

/* What was counted: a counter's number, a histogram's number of durations. 0 when not
 * registered. */
uint64_t lg_metric_count(const struct lg_metric *metric, const size_t *at)
    __attribute__((nonnull(1)));

/* `collect` is called by lg_metrics_render before anything is shown, to set gauges that are cheaper
 * to read than to keep. From the rendering thread. At most 16. */
typedef void lg_metrics_collect_fn(void *arg);
void lg_metrics_collect(lg_metrics_collect_fn *collect, void *arg) __attribute__((nonnull(1)));

/* Registers livegate_build_info{version}, process_start_time_seconds, process_cpu_seconds_total,
 * process_resident_memory_bytes, process_open_fds and livegate_log_lines_dropped_total, kept by a
 * collector. */
void lg_metrics_register_process(void);

/* Appends everything, in the order of registration. One thread at a time. */
void lg_metrics_render(struct lg_buf *buf) __attribute__((nonnull));

/* Forgets all metrics and collectors and frees their cells; for the end of the process, and
 * tests. */
void lg_metrics_done(void);

#endif
