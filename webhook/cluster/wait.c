#include "webhook/cluster/wait.h"

#include "webhook/runtime/clock.h"
#include "webhook/runtime/metrics.h"
#include "webhook/runtime/thread.h"

static const int64_t bounds_ns[] = {500,   1000,   2000,    5000,     10000,
                                    50000, 100000, 1000000, 10000000, 100000000};

static struct lg_metric waits = {
    .name = "livegate_inventory_wait_seconds",
    .help = "Time that reviews take to enter or leave the inventory; one a millisecond and thread "
            "is measured.",
    .kind = LG_METRIC_HISTOGRAM,
    .bounds_ns = bounds_ns,
    .bound_count = sizeof bounds_ns / sizeof *bounds_ns};
static struct lg_metric unclear = {
    .name = "livegate_inventory_wait_unclear_total",
    .help = "Such times within which the thread was taken off its core; they are not in the "
            "histogram.",
    .kind = LG_METRIC_COUNTER,
};

static _Thread_local int64_t due_ns[LG_WAIT_STEPS];

void lg_wait_register_metrics(void)
{
    lg_metric_register(&waits);
    lg_metric_register(&unclear);
}

struct lg_wait lg_wait_begin(enum lg_wait_step step)
{
    int64_t now_ns = lg_clock_mono_ns();
    if (now_ns < due_ns[step])
        return (struct lg_wait){0};
    due_ns[step] = now_ns + LG_WAIT_APART_NS;
    struct lg_wait wait = {.preemptions = lg_thread_preemptions()};
    wait.start_ns = lg_clock_mono_ns();
    return wait;
}

void lg_wait_end(const struct lg_wait *wait)
{
    if (wait->start_ns == 0)
        return;
    int64_t took_ns = lg_clock_mono_ns() - wait->start_ns;
    if (took_ns > LG_WAIT_CLEAR_NS && lg_thread_preemptions() != wait->preemptions)
        lg_metric_add(&unclear, NULL, 1);
    else
        lg_metric_observe_ns(&waits, NULL, took_ns);
}
