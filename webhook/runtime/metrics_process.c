/* What every Prometheus client says about its own process, under the names that dashboards
 * expect. */
#include "webhook/runtime/metrics.h"

#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

#include "webhook/runtime/clock.h"
#include "webhook/runtime/log.h"

static const char *const versions[] = {LG_VERSION};

static struct lg_metric build_info = {
    .name = "livegate_build_info",
    .help = "Always 1; the version is the label.",
    .kind = LG_METRIC_GAUGE,
    .labels = {{"version", versions, 1}},
};
static struct lg_metric start_time = {
    .name = "process_start_time_seconds",
    .help = "When the process began, in seconds since 1970.",
    .kind = LG_METRIC_GAUGE,
};
static struct lg_metric cpu = {
    .name = "process_cpu_seconds_total",
    .help = "CPU time used by all threads.",
    .kind = LG_METRIC_TOTAL,
};
static struct lg_metric resident = {
    .name = "process_resident_memory_bytes",
    .help = "Memory that is resident.",
    .kind = LG_METRIC_GAUGE,
};
static struct lg_metric open_fds = {
    .name = "process_open_fds",
    .help = "Open file descriptors.",
    .kind = LG_METRIC_GAUGE,
};
static struct lg_metric dropped = {
    .name = "livegate_log_lines_dropped_total",
    .help = "Log lines that nobody took from stderr in time.",
    .kind = LG_METRIC_TOTAL,
};

static void collect_resident(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL)
        return;
    long size_pages = 0;
    long resident_pages = 0;
    if (fscanf(file, "%ld %ld", &size_pages, &resident_pages) == 2)
        lg_metric_set(&resident, NULL, (double)resident_pages * (double)sysconf(_SC_PAGESIZE));
    (void)fclose(file);
}

static void collect_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    if (dir == NULL)
        return;
    size_t n = 0;
    while (readdir(dir) != NULL)
        n++;
    (void)closedir(dir);
    lg_metric_set(&open_fds, NULL, n > 3 ? (double)(n - 3) : 0); /* ".", "..", and this one */
}

static void collect(void *arg)
{
    (void)arg;
    lg_metric_set(&cpu, NULL, (double)lg_clock_cpu_ns() / 1e9);
    lg_metric_set(&dropped, NULL, (double)lg_log_dropped());
    collect_resident();
    collect_fds();
}

void lg_metrics_register_process(void)
{
    lg_metric_register(&build_info);
    lg_metric_register(&start_time);
    lg_metric_register(&cpu);
    lg_metric_register(&resident);
    lg_metric_register(&open_fds);
    lg_metric_register(&dropped);
    lg_metric_set(&build_info, LG_AT(0), 1);
    lg_metric_set(&start_time, NULL, (double)lg_clock_unix_s());
    lg_metrics_collect(collect, NULL);
}
