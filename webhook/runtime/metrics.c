#include "webhook/runtime/metrics.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/core/mem.h"

enum { COLLECTORS_MAX = 16 };

static const int64_t default_bounds_ns[] = {
    50000,     100000,     200000,     500000,     1000000,     2000000,
    5000000,   10000000,   20000000,   50000000,   100000000,   200000000,
    500000000, 1000000000, 2000000000, 5000000000, 10000000000,
};

static const char *const type_names[] = {
    [LG_METRIC_COUNTER] = "counter",
    [LG_METRIC_GAUGE] = "gauge",
    [LG_METRIC_TOTAL] = "counter",
    [LG_METRIC_HISTOGRAM] = "histogram",
};

/* Written before threads start, read only from then on. */
static struct lg_metric *first, **last = &first;
static struct {
    lg_metrics_collect_fn *collect;
    void *arg;
} collectors[COLLECTORS_MAX];
static size_t collector_count;

static uint64_t bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static double value_of(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static bool is_name(const char *name)
{
    return name[0] != '\0' && strspn(name, "0123456789") == 0 &&
           name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

static void assert_declared_well(const struct lg_metric *metric)
{
    struct lg_str name = lg_str_of(metric->name);
    assert(is_name(metric->name) && metric->help != NULL);
    bool total = metric->kind == LG_METRIC_COUNTER || metric->kind == LG_METRIC_TOTAL;
    assert(total == lg_str_ends(name, "_total"));
    assert(metric->kind != LG_METRIC_HISTOGRAM || lg_str_ends(name, "_seconds"));
    assert(metric->bound_count <= LG_METRIC_BUCKETS_MAX);
    for (const struct lg_metric *other = first; other != NULL; other = other->next)
        assert(strcmp(other->name, metric->name) != 0);
}

static bool is_double(const struct lg_metric *metric)
{
    return metric->kind == LG_METRIC_GAUGE || metric->kind == LG_METRIC_TOTAL;
}

void lg_metric_register(struct lg_metric *metric)
{
    if (metric->cells != NULL)
        return;
    assert_declared_well(metric);
    metric->series = 1;
    metric->label_count = 0;
    while (metric->label_count < LG_METRIC_LABELS_MAX &&
           metric->labels[metric->label_count].name != NULL) {
        const struct lg_metric_label *label = &metric->labels[metric->label_count++];
        assert(is_name(label->name) && label->count > 0);
        assert(label->count <= LG_METRIC_SERIES_MAX / metric->series);
        metric->series *= label->count;
    }
    metric->stride = 1;
    if (metric->kind == LG_METRIC_HISTOGRAM) {
        if (metric->bounds_ns == NULL) {
            metric->bounds_ns = default_bounds_ns;
            metric->bound_count = sizeof default_bounds_ns / sizeof *default_bounds_ns;
        }
        metric->stride = metric->bound_count + 2; /* +Inf and the sum */
    }
    size_t n = metric->series * metric->stride;
    metric->cells = lg_calloc(n, sizeof *metric->cells);
    for (size_t i = 0; i < n; i++)
        atomic_init(&metric->cells[i], is_double(metric) ? bits_of((double)NAN) : 0);
    metric->next = NULL;
    *last = metric;
    last = &metric->next;
}

static _Atomic uint64_t *cell_of(const struct lg_metric *metric, const size_t *at)
{
    size_t index = 0;
    for (size_t i = 0; i < metric->label_count; i++) {
        assert(at != NULL && at[i] < metric->labels[i].count);
        index = index * metric->labels[i].count + at[i];
    }
    return &metric->cells[index * metric->stride];
}

static void add(_Atomic uint64_t *cell, uint64_t n)
{
    atomic_fetch_add_explicit(cell, n, memory_order_relaxed);
}

static uint64_t load(const _Atomic uint64_t *cell)
{
    return atomic_load_explicit(cell, memory_order_relaxed);
}

void lg_metric_add(struct lg_metric *metric, const size_t *at, uint64_t n)
{
    assert(metric->kind == LG_METRIC_COUNTER);
    if (metric->cells != NULL)
        add(cell_of(metric, at), n);
}

void lg_metric_set(struct lg_metric *metric, const size_t *at, double value)
{
    assert(is_double(metric));
    if (metric->cells != NULL)
        atomic_store_explicit(cell_of(metric, at), bits_of(value), memory_order_relaxed);
}

void lg_metric_unset(struct lg_metric *metric, const size_t *at)
{
    lg_metric_set(metric, at, (double)NAN);
}

void lg_metric_observe_ns(struct lg_metric *metric, const size_t *at, int64_t duration_ns)
{
    assert(metric->kind == LG_METRIC_HISTOGRAM);
    if (metric->cells == NULL)
        return;
    int64_t ns = duration_ns > 0 ? duration_ns : 0;
    size_t bucket = 0;
    while (bucket < metric->bound_count && ns > metric->bounds_ns[bucket])
        bucket++;
    _Atomic uint64_t *cells = cell_of(metric, at);
    add(&cells[bucket], 1);
    add(&cells[metric->bound_count + 1], (uint64_t)ns);
}

static uint64_t durations_in(const struct lg_metric *metric, const _Atomic uint64_t *cells)
{
    uint64_t n = 0;
    for (size_t i = 0; i <= metric->bound_count; i++)
        n += load(&cells[i]);
    return n;
}

uint64_t lg_metric_count(const struct lg_metric *metric, const size_t *at)
{
    if (metric->cells == NULL || is_double(metric))
        return 0;
    const _Atomic uint64_t *cells = cell_of(metric, at);
    return metric->kind == LG_METRIC_HISTOGRAM ? durations_in(metric, cells) : load(cells);
}

void lg_metrics_collect(lg_metrics_collect_fn *collect, void *arg)
{
    assert(collector_count < COLLECTORS_MAX);
    collectors[collector_count].collect = collect;
    collectors[collector_count++].arg = arg;
}

/* HELP escapes backslash and line feed, a label value the quote too. */
static void put_escaped(struct lg_buf *buf, const char *text, bool quoted)
{
    for (; *text != '\0'; text++) {
        if (*text == '\n')
            lg_buf_puts(buf, "\\n");
        else if (*text == '\\' || (quoted && *text == '"'))
            lg_buf_printf(buf, "\\%c", *text);
        else
            lg_buf_putc(buf, *text);
    }
}

/* The shortest text that reads back as the same number. */
static void put_double(struct lg_buf *buf, double value)
{
    if (isinf(value)) {
        lg_buf_puts(buf, value > 0 ? "+Inf" : "-Inf");
        return;
    }
    char text[32];
    for (int digits = 15; digits <= 17; digits += 2) {
        (void)snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    lg_buf_puts(buf, text);
}

static void put_labels(struct lg_buf *buf, const struct lg_metric *metric, size_t index,
                       const char *le)
{
    size_t at[LG_METRIC_LABELS_MAX];
    for (size_t i = metric->label_count; i-- > 0; index /= metric->labels[i].count)
        at[i] = index % metric->labels[i].count;
    const char *separator = "{";
    for (size_t i = 0; i < metric->label_count; i++) {
        lg_buf_printf(buf, "%s%s=\"", separator, metric->labels[i].name);
        put_escaped(buf, metric->labels[i].values[at[i]], true);
        lg_buf_putc(buf, '"');
        separator = ",";
    }
    if (le != NULL) {
        lg_buf_printf(buf, "%sle=\"%s\"", separator, le);
        separator = ",";
    }
    if (separator[0] == ',')
        lg_buf_putc(buf, '}');
}

static void put_histogram(struct lg_buf *buf, const struct lg_metric *metric, size_t index)
{
    const _Atomic uint64_t *cells = &metric->cells[index * metric->stride];
    uint64_t n = 0;
    for (size_t i = 0; i <= metric->bound_count; i++) {
        char le[32] = "+Inf";
        if (i < metric->bound_count)
            (void)snprintf(le, sizeof le, "%.12g", (double)metric->bounds_ns[i] / 1e9);
        n += load(&cells[i]);
        lg_buf_printf(buf, "%s_bucket", metric->name);
        put_labels(buf, metric, index, le);
        lg_buf_printf(buf, " %" PRIu64 "\n", n);
    }
    lg_buf_printf(buf, "%s_sum", metric->name);
    put_labels(buf, metric, index, NULL);
    lg_buf_putc(buf, ' ');
    put_double(buf, (double)load(&cells[metric->bound_count + 1]) / 1e9);
    lg_buf_printf(buf, "\n%s_count", metric->name);
    put_labels(buf, metric, index, NULL);
    /* Not summed again: a duration that is observed meanwhile must not make +Inf and _count
     * differ. */
    lg_buf_printf(buf, " %" PRIu64 "\n", n);
}

static bool is_shown(const struct lg_metric *metric, const _Atomic uint64_t *cells)
{
    if (is_double(metric))
        return !isnan(value_of(load(cells)));
    if (!metric->sparse)
        return true;
    return metric->kind == LG_METRIC_HISTOGRAM ? durations_in(metric, cells) != 0
                                               : load(cells) != 0;
}

static void put_series(struct lg_buf *buf, const struct lg_metric *metric, size_t index)
{
    const _Atomic uint64_t *cells = &metric->cells[index * metric->stride];
    if (metric->kind == LG_METRIC_HISTOGRAM) {
        put_histogram(buf, metric, index);
        return;
    }
    lg_buf_puts(buf, metric->name);
    put_labels(buf, metric, index, NULL);
    lg_buf_putc(buf, ' ');
    if (is_double(metric))
        put_double(buf, value_of(load(cells)));
    else
        lg_buf_printf(buf, "%" PRIu64, load(cells));
    lg_buf_putc(buf, '\n');
}

void lg_metrics_render(struct lg_buf *buf)
{
    for (size_t i = 0; i < collector_count; i++)
        collectors[i].collect(collectors[i].arg);
    for (const struct lg_metric *metric = first; metric != NULL; metric = metric->next) {
        lg_buf_printf(buf, "# HELP %s ", metric->name);
        put_escaped(buf, metric->help, false);
        lg_buf_printf(buf, "\n# TYPE %s %s\n", metric->name, type_names[metric->kind]);
        for (size_t i = 0; i < metric->series; i++) {
            if (is_shown(metric, &metric->cells[i * metric->stride]))
                put_series(buf, metric, i);
        }
    }
}

void lg_metrics_done(void)
{
    while (first != NULL) {
        struct lg_metric *metric = first;
        first = metric->next;
        free(metric->cells);
        metric->cells = NULL;
        metric->next = NULL;
    }
    last = &first;
    collector_count = 0;
}
