/* `livegate scan` against a canned API server: pages, namespaces, what is not permitted, what
 * breaks, and what a large cluster costs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>
#include <lg_test_paths.h>

#include "tests/support/canned_api.h"
#include "tests/support/process.h"

enum { SOON_MS = 180 * 1000, LARGE_CPU_MS_MAX = 5 * 1000, LARGE_KIB_MAX = 64 * 1024 };

#define LIVEGATE LG_BINARY_DIR "/livegate"

static struct lg_canned *canned;
static char kubeconfig[] = "/tmp/livegate-scan-XXXXXX";

static void start(const struct lg_canned_options *options)
{
    canned = lg_canned_start(options);
    lg_canned_kubeconfig(canned, kubeconfig, NULL);
}

static int set_up(void **state)
{
    (void)state;
    strcpy(kubeconfig + sizeof kubeconfig - 7, "XXXXXX");
    int fd = mkstemp(kubeconfig);
    return fd < 0 ? -1 : close(fd);
}

static int tear_down(void **state)
{
    (void)state;
    if (canned != NULL)
        lg_canned_stop(canned);
    canned = NULL;
    return unlink(kubeconfig);
}

static void start_small(void)
{
    struct lg_canned_options options = {.plain = true};
    options.counts[LG_KIND_NODE] = 4;
    options.counts[LG_KIND_NAMESPACE] = 50;
    options.counts[LG_KIND_CLAIM] = 1200;
    options.counts[LG_KIND_DATA_VOLUME] = 1200;
    options.counts[LG_KIND_STORAGE_CLASS] = 1;
    options.counts[LG_KIND_STORAGE_PROFILE] = 1;
    options.counts[LG_KIND_KUBEVIRT] = 1;
    options.counts[LG_KIND_VM] = 1200;
    options.counts[LG_KIND_VMI] = 1200;
    start(&options);
}

static void run(struct lg_process_result *result, const char *a, const char *b)
{
    const char *argv[] = {LIVEGATE, "scan", "--kubeconfig", kubeconfig, a, b, NULL};
    *result = (struct lg_process_result){0};
    lg_process_run(argv, (struct lg_str){0}, SOON_MS, result);
}

static json_t *report_of(const struct lg_process_result *result)
{
    json_error_t error;
    json_t *report = json_loadb(result->out.p, result->out.n, 0, &error);
    if (report == NULL)
        fail_msg("%s\n%.2000s\n%s", error.text, result->out.p != NULL ? result->out.p : "",
                 result->err.p != NULL ? result->err.p : "");
    return report;
}

static json_int_t number(json_t *report, const char *key)
{
    return json_integer_value(json_object_get(json_object_get(report, "summary"), key));
}

static void every_machine_is_judged_page_by_page(void **state)
{
    (void)state;
    struct lg_process_result result;
    char last[512];
    start_small();
    run(&result, "--output=json", NULL);
    assert_int_equal(result.status, 1);
    json_t *report = report_of(&result);
    assert_string_equal(json_string_value(json_object_get(report, "kind")), "ScanReport");
    assert_int_equal(number(report, "objects"), 1200);
    assert_int_equal(json_array_size(json_object_get(report, "results")), 1200);
    assert_true(number(report, "deny") >= 300); /* every fourth claim is for one node */
    assert_int_equal(number(report, "unreadable"), 0);
    size_t denied = 0, i;
    json_t *item;
    json_array_foreach(json_object_get(report, "results"), i, item)
    {
        const char *verdict = json_string_value(json_object_get(item, "verdict"));
        denied += strcmp(verdict, "deny") == 0;
    }
    assert_int_equal(denied, number(report, "deny"));
    assert_int_equal(lg_canned_requests(canned, LG_KIND_VM, LG_CANNED_LIST, last), 1);
    assert_non_null(strstr(last, "limit=500"));
    assert_int_equal(lg_canned_requests(canned, LG_KIND_VM, LG_CANNED_MORE, NULL), 2);
    assert_int_equal(lg_canned_requests(canned, LG_KIND_VM, LG_CANNED_WATCH, NULL), 0);
    json_decref(report);
    lg_process_result_done(&result);
}

static void a_namespace_is_asked_for_alone(void **state)
{
    (void)state;
    struct lg_process_result result;
    char last[512];
    start_small();
    run(&result, "--output=json", "--namespace=ns-3");
    json_t *report = report_of(&result);
    assert_int_equal(number(report, "objects"), 24);
    (void)lg_canned_requests(canned, LG_KIND_VM, LG_CANNED_LIST, last);
    assert_non_null(strstr(last, "/namespaces/ns-3/virtualmachines"));
    (void)lg_canned_requests(canned, LG_KIND_CLAIM, LG_CANNED_LIST, last);
    assert_non_null(strstr(last, "/namespaces/ns-3/persistentvolumeclaims"));
    (void)lg_canned_requests(canned, LG_KIND_VMI, LG_CANNED_LIST, last);
    assert_null(strstr(last, "/namespaces/"));
    json_decref(report);
    lg_process_result_done(&result);
}

static void what_may_not_be_read_is_unknown(void **state)
{
    (void)state;
    struct lg_process_result result;
    start_small();
    lg_canned_fault(canned, LG_KIND_CLAIM, LG_CANNED_LIST, 403, -1);
    run(&result, "--output=json", NULL);
    assert_int_equal(result.status, 0);
    json_t *report = report_of(&result);
    assert_int_equal(number(report, "deny"), 0);
    json_t *unread = json_array_get(json_object_get(report, "notRead"), 0);
    assert_string_equal(json_string_value(json_object_get(unread, "kind")),
                        "PersistentVolumeClaim");
    assert_string_equal(json_string_value(json_object_get(unread, "why")), "not permitted");
    json_decref(report);
    lg_process_result_done(&result);
}

static void without_machines_there_is_no_scan(void **state)
{
    (void)state;
    struct lg_process_result result;
    start_small();
    lg_canned_fault(canned, LG_KIND_VM, LG_CANNED_LIST, 403, -1);
    run(&result, "--output=table", NULL);
    assert_int_equal(result.status, 3);
    assert_non_null(strstr(result.err.p, "may not list virtualmachines.kubevirt.io"));
    lg_process_result_done(&result);
    lg_canned_fault(canned, LG_KIND_VM, LG_CANNED_LIST, 404, -1);
    run(&result, "--output=table", NULL);
    assert_int_equal(result.status, 3);
    assert_non_null(strstr(result.err.p, "there is no KubeVirt"));
    lg_process_result_done(&result);
}

static void a_list_that_breaks_off_is_no_report(void **state)
{
    (void)state;
    static const int faults[] = {LG_CANNED_CUT, LG_CANNED_GARBAGE, 500, 410};
    struct lg_process_result result;
    start_small();
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        lg_canned_fault(canned, LG_KIND_NODE, LG_CANNED_LIST, faults[i], -1);
        run(&result, "--output=json", NULL);
        assert_int_equal(result.status, 3);
        assert_true(result.err.n != 0);
        lg_process_result_done(&result);
    }
    lg_canned_fault(canned, LG_KIND_NODE, LG_CANNED_LIST, 0, 0);
    lg_canned_fault(canned, LG_KIND_VM, LG_CANNED_MORE, 410, -1);
    run(&result, "--output=json", NULL);
    assert_int_equal(result.status, 3);
    lg_process_result_done(&result);
}

static void a_page_that_expired_is_gone_on_with(void **state)
{
    (void)state;
    struct lg_process_result result;
    start_small();
    lg_canned_fault(canned, LG_KIND_VM, LG_CANNED_MORE, 410, 1);
    run(&result, "--output=json", NULL);
    json_t *report = report_of(&result);
    assert_int_equal(number(report, "objects"), 1200);
    /* the second page twice, and the third */
    assert_int_equal(lg_canned_requests(canned, LG_KIND_VM, LG_CANNED_MORE, NULL), 3);
    json_decref(report);
    lg_process_result_done(&result);
}

static void a_drain_is_forecast_from_the_cluster(void **state)
{
    (void)state;
    struct lg_process_result result;
    start_small();
    run(&result, "--output=json", "--drain=node-1");
    json_t *report = report_of(&result);
    assert_string_equal(json_string_value(json_object_get(report, "kind")), "DrainForecast");
    assert_int_equal(lg_canned_requests(canned, LG_KIND_VM, LG_CANNED_LIST, NULL), 0);
    assert_int_equal(lg_canned_requests(canned, LG_KIND_STORAGE_PROFILE, LG_CANNED_LIST, NULL), 0);
    size_t i, guests = 0, canned_guests = 0;
    json_t *guest;
    json_array_foreach(json_object_get(report, "guests"), i, guest) guests +=
        json_is_string(json_object_get(guest, "fate"));
    canned_guests = (size_t)number(report, "guests");
    assert_int_equal(guests, canned_guests);
    assert_true(guests > 0);
    json_decref(report);
    lg_process_result_done(&result);
    run(&result, "--output=json", "--drain=node-99");
    assert_int_equal(result.status, 3);
    assert_non_null(strstr(result.err.p, "there is no node \"node-99\""));
    lg_process_result_done(&result);
}

/* VmHWM of a running livegate, KiB; 0 = it is gone, or is not livegate yet but a copy of this
 * process. (A child's ru_maxrss begins with what its parent had.) */
/* Of all programs that have run and ended. */
static int64_t children_cpu_ms(void)
{
    struct rusage used;
    assert_int_equal(getrusage(RUSAGE_CHILDREN, &used), 0);
    return (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000 +
           (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1000;
}

static long highest_kib(pid_t pid)
{
    char path[64], line[256];
    long kib = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "r");
    bool started = file != NULL && fgets(line, sizeof line, file) != NULL &&
                   strcmp(line, "Name:\tlivegate\n") == 0;
    while (started && kib == 0 && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, "VmHWM:", 6) == 0)
            kib = strtol(line + 6, NULL, 10);
    if (file != NULL)
        (void)fclose(file);
    return kib;
}

static void a_large_cluster_costs_little(void **state)
{
    (void)state;
    struct lg_canned_options options = {.plain = true};
    options.counts[LG_KIND_NODE] = 200;
    options.counts[LG_KIND_NAMESPACE] = 50;
    options.counts[LG_KIND_CLAIM] = 10000;
    options.counts[LG_KIND_VOLUME] = 10000;
    options.counts[LG_KIND_DATA_VOLUME] = 5000;
    options.counts[LG_KIND_STORAGE_CLASS] = 1;
    options.counts[LG_KIND_STORAGE_PROFILE] = 1;
    options.counts[LG_KIND_KUBEVIRT] = 1;
    options.counts[LG_KIND_VM] = 5000;
    options.counts[LG_KIND_VMI] = 5000;
    start(&options);
    char command[256];
    (void)snprintf(command, sizeof command, "exec %s scan --kubeconfig %s >/dev/null", LIVEGATE,
                   kubeconfig);
    struct lg_process process;
    int status = -1;
    long kib = 0;
    int64_t began_ms = lg_test_now_ms(), cpu_before_ms = children_cpu_ms();
    lg_process_start((const char *const[]){"/bin/sh", "-c", command, NULL}, NULL, false, &process);
    while (status < 0 && lg_test_now_ms() - began_ms < SOON_MS) {
        long now = highest_kib(process.pid);
        kib = now > kib ? now : kib;
        status = lg_process_wait(&process, 5);
    }
    int64_t cpu_ms = children_cpu_ms() - cpu_before_ms;
    print_message("5,000 VMs, 10,000 claims, 200 nodes: %ld KiB at its highest, %lld ms of CPU\n",
                  kib, (long long)cpu_ms);
    lg_process_kill(&process);
    assert_int_equal(status, 1);
    assert_true(kib > 0);
    if (!LG_SANITIZED) {
        assert_true(kib < LARGE_KIB_MAX);
        assert_true(cpu_ms < LARGE_CPU_MS_MAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_machine_is_judged_page_by_page, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_namespace_is_asked_for_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_may_not_be_read_is_unknown, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_machines_there_is_no_scan, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_list_that_breaks_off_is_no_report, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_page_that_expired_is_gone_on_with, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_drain_is_forecast_from_the_cluster, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_large_cluster_costs_little, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
