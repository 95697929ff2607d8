/* The real server fed by a live API server (a canned one): what is listed, what changes, what is
 * said when it fails. */
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
#include "rules/rule.h"
#include "tests/support/cluster.h"

enum { READY_MS = 120 * 1000, SOON_MS = 120 * 1000, EVENT_MS = 120 * 1000, SETTLED_MS = 10 * 1000 };

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

static void what_the_cluster_has_decides(void **state)
{
    struct lg_outcome outcome;
    (void)state;
    serve();
    (void)lg_cluster_ready(&cluster, READY_MS);
    lg_review_vm(&cluster, "ns-0", "claim-0", &outcome);
    assert_true(outcome.allowed);
    assert_string_equal(outcome.text, "");
    lg_review_vm(&cluster, "ns-3", "claim-3", &outcome);
    assert_false(outcome.allowed);
    assert_non_null(strstr(outcome.text, "[LG101] volume \"data\": claim \"claim-3\" is "
                                         "ReadWriteOnce"));
    assert_true(lg_metric_value(&cluster.serve, "livegate_inventory_objects{resource=\"nodes\"}") ==
                3);
    assert_true(lg_metric_value(&cluster.serve, "livegate_inventory_known{resource="
                                                "\"persistentvolumeclaims\"}") == 1);
    double age_s =
        lg_metric_value(&cluster.serve, "livegate_inventory_age_seconds{resource=\"nodes\"}");
    assert_true(age_s >= 0 && age_s < 60);
    assert_int_equal(lg_count_log(&cluster, "\"the cluster is known\""), 1);
    assert_int_equal(lg_count_log(&cluster, "trouble"), 0);
}

static void what_changes_there_changes_the_verdict(void **state)
{
    (void)state;
    serve();
    (void)lg_cluster_ready(&cluster, READY_MS);
    lg_await_vm(&cluster, "ns-0", "claim-0", true, "", EVENT_MS);
    lg_put_claim(&cluster, "ns-0", "claim-0", "ReadWriteOnce");
    lg_await_vm(&cluster, "ns-0", "claim-0", false, "[LG101]", EVENT_MS);
    lg_put_claim(&cluster, "ns-0", "claim-0", "ReadWriteMany");
    lg_await_vm(&cluster, "ns-0", "claim-0", true, "", EVENT_MS);
    lg_canned_delete(cluster.canned, LG_KIND_CLAIM, "ns-0", "claim-0");
    lg_await_vm(&cluster, "ns-0", "claim-0", true, "LG102", EVENT_MS);
    lg_put_claim(&cluster, "ns-0", "later", "ReadWriteOnce");
    lg_await_vm(&cluster, "ns-0", "later", false, "[LG101]", EVENT_MS);
}

static void only_what_rules_look_up_is_watched(void **state)
{
    (void)state;
    serve();
    (void)lg_cluster_ready(&cluster, READY_MS);
    unsigned kinds = lg_rules_watched();
    for (int i = 0; i < LG_KIND_COUNT; i++) {
        unsigned lists = lg_canned_requests(cluster.canned, (enum lg_kind)i, LG_CANNED_LIST, NULL);
        if ((lists != 0) != ((kinds & LG_BIT(i)) != 0))
            fail_msg("%s: %u lists", lg_gvk((enum lg_kind)i)->plural, lists);
    }
}

/* Nothing is waited for. A machine on which that takes so long needs as long for a server that
 * nothing is refused. */
static void expect_ready_at_once(void)
{
    struct lg_cluster other;
    int64_t took_ms = lg_cluster_ready(&cluster, READY_MS);
    if (took_ms < SETTLED_MS)
        return;
    lg_cluster_init(&other, NULL);
    lg_cluster_start(&other, (const char *[]){"--drain", "0s", NULL});
    int64_t other_ms = lg_cluster_ready(&other, READY_MS);
    lg_cluster_done(&other);
    assert_in_range(took_ms, 0, SETTLED_MS + 2 * other_ms);
}

static void forbidden_is_one_line_and_the_rest_works(void **state)
{
    struct lg_outcome outcome;
    (void)state;
    lg_canned_fault(cluster.canned, LG_KIND_NODE, LG_CANNED_LIST, 403, -1);
    serve();
    expect_ready_at_once();
    lg_review_vm(&cluster, "ns-3", "claim-3", &outcome);
    assert_false(outcome.allowed);
    lg_review_vm(&cluster, "ns-0", "claim-0", &outcome);
    assert_true(outcome.allowed);
    assert_non_null(strstr(outcome.text, "livegate may not read nodes"));
    assert_int_equal(lg_count_log(&cluster, "trouble with the API server"), 1);
    assert_int_equal(lg_count_log(&cluster,
                                  "we may not list and watch nodes; a Role or ClusterRole of "
                                  "ours must allow it"),
                     1);
    assert_int_equal(lg_count_log(&cluster, "\"the cluster is known, but for these resources\""),
                     1);
    assert_true(lg_metric_value(&cluster.serve, "livegate_inventory_known{resource=\"nodes\"}") ==
                0);
    assert_true(lg_metric_value(&cluster.serve, "livegate_inventory_objects{resource=\"nodes\"}") ==
                -1);
}

static void what_fails_for_ten_seconds_holds_nobody_up(void **state)
{
    struct lg_outcome outcome;
    (void)state;
    lg_canned_fault(cluster.canned, LG_KIND_CLAIM, LG_CANNED_LIST, 500, -1);
    lg_canned_fault(cluster.canned, LG_KIND_CLAIM, LG_CANNED_GET, 500, -1);
    serve();
    int64_t took_ms = lg_cluster_ready(&cluster, READY_MS);
    assert_true(took_ms >= SETTLED_MS - 1000);
    lg_review_vm(&cluster, "ns-3", "claim-3", &outcome);
    assert_true(outcome.allowed);
    assert_non_null(strstr(outcome.text, "LG102"));
    assert_int_equal(lg_count_log(&cluster, "\"trouble with the API server\""), 1);
    /* What cannot be listed may be read one by one. */
    lg_canned_fault(cluster.canned, LG_KIND_CLAIM, LG_CANNED_GET, 0, 0);
    lg_review_vm(&cluster, "ns-3", "claim-3", &outcome);
    assert_false(outcome.allowed);
    lg_canned_fault(cluster.canned, LG_KIND_CLAIM, LG_CANNED_GET, 500, -1);
    lg_canned_fault(cluster.canned, LG_KIND_CLAIM, LG_CANNED_LIST, 0, 0);
    lg_await_vm(&cluster, "ns-3", "claim-3", false, "[LG101]", SOON_MS + SETTLED_MS);
    lg_serve_await_log(&cluster.serve, "a trouble with the API server is over", 1);
}

static void a_wrong_authority_is_said_once(void **state)
{
    struct lg_outcome outcome;
    char pem[256], kubeconfig[256];
    struct lg_buf text lg_cleanup(lg_buf_done) = {0};
    (void)state;
    (void)snprintf(pem, sizeof pem, "%s", lg_serve_path(&cluster.serve, "ca.crt"));
    (void)snprintf(kubeconfig, sizeof kubeconfig, "%s", lg_serve_path(&cluster.serve, "wrong"));
    lg_buf_printf(&text,
                  "apiVersion: v1\nkind: Config\ncurrent-context: c\n"
                  "contexts: [{name: c, context: {cluster: c, user: u}}]\n"
                  "clusters: [{name: c, cluster: {server: 'https://127.0.0.1:%u', "
                  "certificate-authority: %s}}]\nusers: [{name: u, user: {token: t}}]\n",
                  lg_canned_port(cluster.canned), pem);
    lg_write_file(kubeconfig, lg_buf_view(&text));
    lg_serve_start_watching(&cluster.serve, kubeconfig, (const char *[]){"--drain", "0s", NULL});
    (void)lg_cluster_ready(&cluster, READY_MS);
    assert_int_equal(lg_count_log(&cluster, "\"trouble with the API server\""), 1);
    /* Who needs it for something else (the ledger) says so as well. */
    assert_true(lg_count_log(&cluster, "the tls-server-name of the kubeconfig must belong "
                                       "together") >= 1);
    lg_review_vm(&cluster, "ns-3", "claim-3", &outcome);
    assert_true(outcome.allowed);
    assert_non_null(strstr(outcome.text, "have not been listed"));
}

static void a_missing_resource_is_asked_for_again(void **state)
{
    (void)state;
    lg_canned_fault(cluster.canned, LG_KIND_STORAGE_PROFILE, LG_CANNED_LIST, 404, -1);
    lg_canned_fault(cluster.canned, LG_KIND_HYPERCONVERGED, LG_CANNED_LIST, 404, 1);
    serve();
    expect_ready_at_once();
    char last[512];
    assert_int_equal(
        lg_canned_requests(cluster.canned, LG_KIND_HYPERCONVERGED, LG_CANNED_LIST, last), 2);
    assert_non_null(strstr(last, "/apis/hco.kubevirt.io/v1/hyperconvergeds?"));
    assert_int_equal(lg_count_log(&cluster, "does not serve this resource"), 1);
    assert_int_equal(lg_count_log(&cluster, "trouble"), 0);
    lg_canned_fault(cluster.canned, LG_KIND_STORAGE_PROFILE, LG_CANNED_LIST, 0, 0);
    lg_serve_await_log(&cluster.serve, "\"the resource is there now\"", 1);
}

static void a_kubeconfig_that_cannot_be_used_is_one_line(void **state)
{
    struct lg_process_result result lg_cleanup(lg_process_result_done) = {0};
    (void)state;
    lg_serve_fails((const char *[]){"--kubeconfig", "/does/not/exist", "--cert-dir",
                                    cluster.serve.dir, "--listen", "127.0.0.1:0", "--ops-listen",
                                    "127.0.0.1:0", NULL},
                   &result);
    assert_int_equal(result.status, 3);
    assert_string_equal(result.out.p != NULL ? result.out.p : "", "");
    assert_non_null(strstr(result.err.p, "livegate: /does/not/exist: "));
    assert_ptr_equal(strchr(result.err.p, '\n'), result.err.p + result.err.n - 1);
}

static void files_or_a_cluster(void **state)
{
    struct lg_process_result result lg_cleanup(lg_process_result_done) = {0};
    (void)state;
    lg_serve_fails((const char *[]){"--kubeconfig", "a", "--inventory", "b", NULL}, &result);
    assert_int_equal(result.status, 2);
    assert_non_null(strstr(result.err.p, "--kubeconfig or --inventory, not both"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_the_cluster_has_decides),
        TEST(what_changes_there_changes_the_verdict),
        TEST(only_what_rules_look_up_is_watched),
        TEST(forbidden_is_one_line_and_the_rest_works),
        TEST(what_fails_for_ten_seconds_holds_nobody_up),
        TEST(a_wrong_authority_is_said_once),
        TEST(a_missing_resource_is_asked_for_again),
        TEST(a_kubeconfig_that_cannot_be_used_is_one_line),
        TEST(files_or_a_cluster),
    };
    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
