/* What the watch does not tell yet is read, once and in time: the real server on a canned API
 * server whose watches are silenced. */
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
    EVENT_MS = 120 * 1000,
    TIMEOUT_MS = 3000,
    SLACK_MS = 400,
    ATTEMPTS = 5, /* the machine may do other things too; a fault of ours is there every time */
    PAUSES_MAX = 64,
    READS_PER_S = 20,
};

static struct lg_cluster cluster;

static const enum lg_kind silenced[] = {LG_KIND_CLAIM, LG_KIND_VMI, LG_KIND_MIGRATION};

static void silence(bool muted)
{
    for (size_t i = 0; i < sizeof silenced / sizeof *silenced; i++)
        lg_canned_mute(cluster.canned, silenced[i], muted);
}

static int start(void **state)
{
    (void)state;
    lg_cluster_init(&cluster, NULL);
    /* No shared ledger: what migrations wait for here are live reads. */
    lg_cluster_start(&cluster, (const char *[]){"--drain", "0s", "--ledger", "memory", NULL});
    (void)lg_cluster_ready(&cluster, READY_MS);
    silence(true);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    lg_cluster_done(&cluster);
    return 0;
}

static unsigned gets(enum lg_kind kind)
{
    return lg_canned_requests(cluster.canned, kind, LG_CANNED_GET, NULL);
}

static double reads(const char *result)
{
    char series[128];
    (void)snprintf(series, sizeof series, "livegate_live_reads_total{result=\"%s\"}", result);
    return lg_metric_value(&cluster.serve, series);
}

static double pauses(const char *end)
{
    char series[128];
    (void)snprintf(series, sizeof series, "livegate_pauses_total{end=\"%s\"}", end);
    return lg_metric_value(&cluster.serve, series);
}

static void expect_allowed(const struct lg_outcome *outcome, const char *text)
{
    if (!outcome->allowed ||
        (*text != '\0' ? strstr(outcome->text, text) == NULL : outcome->text[0] != '\0'))
        fail_msg("%s, not allowed with \"%s\": %s", outcome->allowed ? "allowed" : "denied", text,
                 outcome->text);
}

static void expect_denied(const struct lg_outcome *outcome, const char *text)
{
    if (outcome->allowed || strstr(outcome->text, text) == NULL)
        fail_msg("%s, not denied with \"%s\": %s", outcome->allowed ? "allowed" : "denied", text,
                 outcome->text);
}

static void a_claim_that_came_a_moment_ago_is_found(void **state)
{
    struct lg_outcome outcome;
    (void)state;
    lg_put_claim(&cluster, "ns-0", "shared", "ReadWriteMany");
    lg_put_claim(&cluster, "ns-0", "alone", "ReadWriteOnce");
    lg_review_vm(&cluster, "ns-0", "shared", &outcome);
    expect_allowed(&outcome, "");
    lg_review_vm(&cluster, "ns-0", "alone", &outcome);
    expect_denied(&outcome, "[LG101] volume \"data\": claim \"alone\" is ReadWriteOnce");
    assert_int_equal(gets(LG_KIND_CLAIM), 2);
    assert_true(reads("found") == 2);
    assert_true(pauses("done") == 2);
}

/* Who wrote which field is read by nobody, however deep it is. */
static void a_claim_with_deep_managed_fields_is_found(void **state)
{
    struct lg_outcome outcome;
    struct lg_buf claim lg_cleanup(lg_buf_done) = {0};
    (void)state;
    lg_buf_puts(&claim,
                "{\"metadata\":{\"name\":\"deep\",\"namespace\":\"ns-0\",\"managedFields\":[");
    for (int i = 0; i < 100; i++)
        lg_buf_putc(&claim, '[');
    for (int i = 0; i < 100; i++)
        lg_buf_putc(&claim, ']');
    lg_buf_puts(&claim, "]},\"spec\":{\"accessModes\":[\"ReadWriteOnce\"]}}");
    lg_canned_put(cluster.canned, LG_KIND_CLAIM, claim.p);
    lg_review_vm(&cluster, "ns-0", "deep", &outcome);
    expect_denied(&outcome, "[LG101] volume \"data\": claim \"deep\" is ReadWriteOnce");
}

static void a_claim_that_comes_later_is_pending(void **state)
{
    struct lg_outcome outcome;
    (void)state;
    lg_review_vm(&cluster, "ns-0", "later", &outcome);
    expect_allowed(&outcome, "LG102");
    assert_non_null(strstr(outcome.text, "claim \"later\" does not exist yet"));
    lg_review_vm(&cluster, "ns-0", "later", &outcome); /* the miss is remembered */
    expect_allowed(&outcome, "LG102");
    assert_int_equal(gets(LG_KIND_CLAIM), 1);
    lg_put_claim(&cluster, "ns-0", "later", "ReadWriteMany");
    silence(false); /* what the watch tells goes before a remembered miss */
    lg_await_vm(&cluster, "ns-0", "later", true, "", EVENT_MS);
}

static void what_is_known_is_not_read(void **state)
{
    struct lg_outcome outcome;
    (void)state;
    lg_review_vm(&cluster, "ns-0", "claim-0", &outcome);
    expect_allowed(&outcome, "");
    lg_review_vm(&cluster, "ns-3", "claim-3", &outcome);
    expect_denied(&outcome, "[LG101]");
    assert_int_equal(gets(LG_KIND_CLAIM), 0);
    assert_true(pauses("done") == 0);
}

static void a_name_that_nothing_can_have_is_not_asked_for(void **state)
{
    struct lg_outcome outcome;
    (void)state;
    lg_review_vm(&cluster, "ns-0", "../nodes/node-0", &outcome);
    expect_allowed(&outcome, "LG102");
    lg_review_migration(&cluster, "ns-0", "No Name?x=1", &outcome);
    expect_denied(&outcome, "[LG601]");
    assert_int_equal(gets(LG_KIND_CLAIM) + gets(LG_KIND_NODE) + gets(LG_KIND_VMI), 0);
}

static void a_missing_guest_is_refused_when_it_is_missing(void **state)
{
    struct lg_outcome outcome;
    (void)state;
    lg_review_migration(&cluster, "ns-0", "nobody", &outcome);
    expect_denied(&outcome, "[LG601] there is no VMI \"nobody\" in namespace ns-0");
    assert_int_equal(gets(LG_KIND_VMI), 1);
    lg_put_vmi(&cluster, "ns-0", "newcomer", "True");
    lg_review_migration(&cluster, "ns-0", "newcomer", &outcome);
    expect_allowed(&outcome, "");
    lg_canned_fault(cluster.canned, LG_KIND_VMI, LG_CANNED_GET, 500, -1);
    lg_review_migration(&cluster, "ns-0", "somebody", &outcome);
    expect_allowed(&outcome, "LG601");
    assert_non_null(strstr(outcome.text, "could not be read again in time"));
    assert_true(reads("failed") == 1);
    assert_int_equal(lg_count_log(&cluster, "an object that a review hangs on could not be read"),
                     1);
}

/* Until the watch has told. */
static void await_migration(const char *guest, const char *text, struct lg_outcome *ret)
{
    int64_t end_ms = lg_test_now_ms() + EVENT_MS;
    do {
        assert_true(lg_test_now_ms() < end_ms);
        lg_review_migration(&cluster, "ns-0", guest, ret);
    } while (strstr(ret->text, text) == NULL);
}

static void a_guest_that_can_move_by_now_may(void **state)
{
    struct lg_outcome outcome;
    (void)state;
    silence(false);
    lg_put_vmi(&cluster, "ns-0", "guest", "False");
    await_migration("guest", "not live-migratable", &outcome);
    expect_denied(&outcome, "[LG602]");
    silence(true);
    lg_put_vmi(&cluster, "ns-0", "guest", "True");
    lg_review_migration(&cluster, "ns-0", "guest", &outcome);
    expect_allowed(&outcome, "");
    lg_canned_fault(cluster.canned, LG_KIND_VMI, LG_CANNED_GET, 404, -1); /* not its own 404 */
    lg_review_migration(&cluster, "ns-0", "guest", &outcome);
    expect_allowed(&outcome, "LG602");
}

static void a_migration_that_has_ended_is_in_nobodys_way(void **state)
{
    struct lg_outcome outcome;
    (void)state;
    silence(false);
    lg_put_vmi(&cluster, "ns-0", "guest", "True");
    lg_put_migration(&cluster, "ns-0", "first", "guest", "Running");
    await_migration("guest", "already migrating", &outcome);
    expect_denied(&outcome, "[LG603]");
    silence(true);
    lg_put_migration(&cluster, "ns-0", "first", "guest", "Succeeded");
    lg_review_migration(&cluster, "ns-0", "guest", &outcome);
    expect_allowed(&outcome, "");
    lg_canned_delete(cluster.canned, LG_KIND_MIGRATION, "ns-0", "first");
    lg_review_migration(&cluster, "ns-0", "guest", &outcome);
    expect_allowed(&outcome, "");
}

/* What a review takes that waits for nothing: what the machine makes of it just now. */
static int64_t bystander_ms(void)
{
    struct lg_outcome outcome;
    lg_review_vm(&cluster, "ns-0", "claim-0", &outcome);
    expect_allowed(&outcome, "");
    return outcome.took_ms;
}

/* True when a review of a claim that the API server does not tell of ended at the review's
 * deadline. It may be late by what the machine makes of any review, and not early. */
static bool ends_in_time(const char *claim, int64_t least_ms, int64_t most_ms)
{
    struct lg_outcome outcome;
    double before = pauses("deadline");
    int64_t other_ms = bystander_ms();
    lg_review_vm(&cluster, "ns-0", claim, &outcome);
    int64_t another_ms = bystander_ms();
    expect_allowed(&outcome, "LG102");
    if (pauses("deadline") == before) /* too late to ask anybody when it was looked at */
        return false;
    assert_true(pauses("deadline") == before + 1);
    assert_true(outcome.took_ms >= least_ms);
    return outcome.took_ms <= most_ms + 2 * (other_ms > another_ms ? other_ms : another_ms);
}

static void expect_pause(const char *timeout, int64_t least_ms, int64_t most_ms)
{
    bool in_time = false;
    cluster.timeout = timeout;
    for (int i = 0; i < ATTEMPTS && !in_time; i++) {
        char claim[64];
        (void)snprintf(claim, sizeof claim, "slow-%s-%d", timeout, i);
        in_time = ends_in_time(claim, least_ms, most_ms);
    }
    assert_true(in_time);
}

static void a_slow_answer_is_not_waited_for_beyond_the_deadline(void **state)
{
    struct lg_outcome outcome;
    (void)state;
    lg_canned_fault(cluster.canned, LG_KIND_CLAIM, LG_CANNED_GET, LG_CANNED_HANG, -1);
    expect_pause("3s", TIMEOUT_MS / 2, TIMEOUT_MS * 8 / 10 + SLACK_MS);
    expect_pause("1s", 500, 800 + SLACK_MS);
    double before = pauses("deadline");
    cluster.timeout = "200ms"; /* too short to ask anybody */
    lg_review_vm(&cluster, "ns-0", "slowest", &outcome);
    expect_allowed(&outcome, "LG102");
    assert_true(pauses("deadline") == before);
}

static void without_the_api_server_it_is_pending(void **state)
{
    struct lg_outcome outcome;
    (void)state;
    lg_lose_api(&cluster);
    cluster.timeout = "3s";
    outcome.took_ms = INT64_MAX;
    int64_t most_ms = 0;
    for (int i = 0; i < ATTEMPTS && outcome.took_ms > most_ms; i++) {
        most_ms = TIMEOUT_MS * 8 / 10 + SLACK_MS + 2 * bystander_ms();
        lg_review_migration(&cluster, "ns-0", "nobody", &outcome);
        expect_allowed(&outcome, "LG601");
    }
    assert_in_range(outcome.took_ms, 0, most_ms);
    lg_review_vm(&cluster, "ns-3", "claim-3", &outcome); /* what is known is as it was */
    expect_denied(&outcome, "[LG101]");
}

/* So many reviews ask for this claim at once. False when the machine was too busy for them to wait
 * together. */
static bool one_fetch_serves_all(const char *claim)
{
    enum { AT_ONCE = 72, PROMPT_MS = 1000 };
    struct lg_clients *clients = lg_clients_new(&cluster.serve, "127.0.0.1", AT_ONCE);
    struct lg_clients *another = lg_clients_new(&cluster.serve, "127.0.0.1", 1);
    unsigned gets_before = gets(LG_KIND_CLAIM);
    double refused = pauses("refused"), ended = pauses("done") + pauses("deadline");
    lg_review_vms_at_once(&cluster, clients, "ns-0", claim, AT_ONCE);
    int64_t start_ms = lg_test_now_ms();
    lg_review_vms_at_once(&cluster, another, "ns-0", "claim-0", 1);
    assert_int_equal(lg_await_reviews(another, 1, "\"allowed\":true"), 1);
    bool in_time = lg_test_now_ms() - start_ms < PROMPT_MS; /* nobody else waits */
    assert_int_equal(lg_await_reviews(clients, AT_ONCE, "LG102"), AT_ONCE);
    assert_true(lg_metric_value(&cluster.serve, "livegate_paused_reviews") == 0);
    /* 64 waited together, the others could not, and the API server was asked once. */
    return in_time && pauses("refused") - refused == AT_ONCE - PAUSES_MAX &&
           pauses("done") + pauses("deadline") - ended == PAUSES_MAX &&
           gets(LG_KIND_CLAIM) - gets_before == 1;
}

static void one_fetch_serves_all_and_64_wait(void **state)
{
    bool shown = false;
    (void)state;
    lg_canned_fault(cluster.canned, LG_KIND_CLAIM, LG_CANNED_GET, LG_CANNED_HANG, -1);
    for (int i = 0; i < ATTEMPTS && !shown; i++) {
        char claim[32];
        (void)snprintf(claim, sizeof claim, "wanted-%d", i);
        shown = one_fetch_serves_all(claim);
    }
    assert_true(shown);
}

static void only_so_many_are_read_a_second(void **state)
{
    enum { AT_ONCE = 60 };
    struct lg_clients *clients = lg_clients_new(&cluster.serve, "127.0.0.1", AT_ONCE);
    (void)state;
    int64_t start_ms = lg_test_now_ms();
    lg_review_vms_at_once(&cluster, clients, "ns-0", "flood-#", AT_ONCE);
    assert_int_equal(lg_await_reviews(clients, AT_ONCE, "LG102"), AT_ONCE);
    int64_t took_ms = lg_test_now_ms() - start_ms;
    assert_true(gets(LG_KIND_CLAIM) <= READS_PER_S + took_ms * READS_PER_S / 1000 + 1);
    assert_true(gets(LG_KIND_CLAIM) >= READS_PER_S / 2); /* the rest is kept for other namespaces */
    /* Who was too busy to take a read in time was asked all the same. */
    assert_true(reads("limited") + reads("absent") + reads("failed") == AT_ONCE);
}

/* Somebody who wants more than all reads at once, and a claim in another namespace that only a read
 * can tell of. */
static void no_namespace_takes_all_reads(void **state)
{
    enum { AT_ONCE = 60, FEW = 6 };
    struct lg_clients *clients = lg_clients_new(&cluster.serve, "127.0.0.1", AT_ONCE);
    (void)state;
    for (int i = 0; i < FEW; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "alone-%d", i);
        lg_put_claim(&cluster, "ns-1", name, "ReadWriteOnce");
    }
    lg_review_vms_at_once(&cluster, clients, "ns-0", "flood-#", AT_ONCE);
    assert_int_equal(lg_await_reviews(clients, AT_ONCE, "LG102"), AT_ONCE);
    assert_true(reads("limited") > 0);
    for (int i = 0; i < FEW; i++) {
        struct lg_outcome outcome;
        char name[32];
        (void)snprintf(name, sizeof name, "alone-%d", i);
        lg_review_vm(&cluster, "ns-1", name, &outcome);
        expect_denied(&outcome, "[LG101]");
    }
}

static void controllers_never_wait(void **state)
{
    struct lg_outcome outcome;
    (void)state;
    cluster.user = "system:serviceaccount:ns-0:kubevirt-controller";
    lg_review_vm(&cluster, "ns-0", "later", &outcome);
    expect_allowed(&outcome, "");
    lg_review_migration(&cluster, "ns-0", "nobody", &outcome);
    expect_allowed(&outcome, "");
    assert_int_equal(gets(LG_KIND_CLAIM) + gets(LG_KIND_VMI), 0);
}

static void review_machine_of(const char *instancetype, struct lg_outcome *ret)
{
    char object[1024];
    (void)snprintf(
        object, sizeof object,
        "{\"apiVersion\":\"kubevirt.io/v1\",\"kind\":\"VirtualMachine\",\"metadata\":{"
        "\"name\":\"new\",\"namespace\":\"ns-0\"},\"spec\":{\"instancetype\":{\"kind\":"
        "\"VirtualMachineInstancetype\",\"name\":\"%s\"},\"template\":{\"spec\":{"
        "\"domain\":{\"devices\":{\"interfaces\":[{\"name\":\"default\",\"masquerade\":{}}"
        "]}},\"networks\":[{\"name\":\"default\",\"pod\":{}}]}}}}",
        instancetype);
    lg_review_object(&cluster, LG_KIND_VM, "ns-0", "new", object, ret);
}

static void an_instancetype_is_read_when_a_machine_names_it(void **state)
{
    struct lg_outcome outcome;
    (void)state;
    review_machine_of("picky", &outcome);
    expect_allowed(&outcome, "instancetype \"picky\" does not exist yet");
    lg_canned_put(
        cluster.canned, LG_KIND_INSTANCETYPE,
        "{\"metadata\":{\"name\":\"nowhere\",\"namespace\":\"ns-0\"},\"spec\":{\"cpu\":{"
        "\"guest\":1},\"memory\":{\"guest\":\"1Gi\"},\"nodeSelector\":{\"disk\":\"tape\"}}}");
    review_machine_of("nowhere", &outcome);
    expect_denied(&outcome, "[LG401]");
    review_machine_of("nowhere", &outcome); /* and it is remembered */
    expect_denied(&outcome, "[LG401]");
    assert_int_equal(gets(LG_KIND_INSTANCETYPE), 2);
    assert_true(pauses("done") == 2);
    assert_true(reads("remembered") >= 1);
}

static void who_hangs_up_while_waiting_keeps_no_place(void **state)
{
    enum { AT_ONCE = 40, ROUNDS = 3 };
    struct lg_outcome outcome;
    (void)state;
    lg_canned_fault(cluster.canned, LG_KIND_CLAIM, LG_CANNED_GET, LG_CANNED_HANG, -1);
    for (int round = 0; round < ROUNDS; round++) {
        struct lg_clients *clients = lg_clients_new(&cluster.serve, "127.0.0.1", AT_ONCE);
        lg_review_vms_at_once(&cluster, clients, "ns-0", "wanted", AT_ONCE);
        int64_t end_ms = lg_test_now_ms() + EVENT_MS;
        while (lg_metric_value(&cluster.serve, "livegate_paused_reviews") < AT_ONCE / 2 &&
               lg_test_now_ms() < end_ms)
            lg_test_sleep_ms(10);
        assert_true(lg_metric_value(&cluster.serve, "livegate_paused_reviews") > 0);
        lg_clients_free(clients);
        while (lg_metric_value(&cluster.serve, "livegate_paused_reviews") > 0) {
            assert_true(lg_test_now_ms() < end_ms);
            lg_test_sleep_ms(50);
        }
    }
    int64_t end_ms = lg_test_now_ms() + EVENT_MS;
    while (lg_metric_value(&cluster.serve, "livegate_connections{port=\"reviews\"}") > 0) {
        assert_true(lg_test_now_ms() < end_ms);
        lg_test_sleep_ms(50);
    }
    assert_true(lg_metric_value(&cluster.serve, "livegate_request_body_bytes") == 0);
    lg_review_vm(&cluster, "ns-0", "claim-0", &outcome);
    expect_allowed(&outcome, "");
}

static int start_mending(void **state)
{
    (void)state;
    lg_cluster_init(&cluster, NULL);
    const char *policy = lg_serve_path(&cluster.serve, "policy.yaml");
    lg_write_file(policy,
                  LG_STR("apiVersion: livegate.io/v1\nkind: Policy\nmutate: {LG201: {}}\n"));
    lg_cluster_start(&cluster, (const char *[]){"--drain", "0s", "--policy", policy, NULL});
    (void)lg_cluster_ready(&cluster, READY_MS);
    return 0;
}

/* True when a bridged machine of that instancetype is mended. */
static bool is_mended(const char *instancetype, const char *user)
{
    char body[2048];
    struct lg_reply reply lg_cleanup(lg_reply_done) = {0};
    (void)snprintf(
        body, sizeof body,
        "{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\",\"request\":{\"uid\":"
        "\"1\",\"kind\":{\"group\":\"kubevirt.io\",\"version\":\"v1\",\"kind\":\"VirtualMachine\"},"
        "\"resource\":{\"group\":\"kubevirt.io\",\"version\":\"v1\",\"resource\":"
        "\"virtualmachines\"},\"name\":\"new\",\"namespace\":\"ns-0\",\"operation\":\"CREATE\","
        "\"userInfo\":{\"username\":\"%s\"},\"object\":{\"apiVersion\":\"kubevirt.io/v1\",\"kind\":"
        "\"VirtualMachine\",\"metadata\":{\"name\":\"new\",\"namespace\":\"ns-0\"},\"spec\":{"
        "\"instancetype\":{\"kind\":\"VirtualMachineInstancetype\",\"name\":\"%s\"},\"template\":{"
        "\"spec\":{\"domain\":{\"devices\":{\"interfaces\":[{\"name\":\"default\",\"bridge\":{}}]}}"
        ","
        "\"networks\":[{\"name\":\"default\",\"pod\":{}}]}}}}}}",
        user, instancetype);
    json_t *response =
        lg_post_review(&cluster.serve, "/mutate?timeout=30s", lg_str_of(body), &reply);
    assert_true(json_is_true(json_object_get(response, "allowed")));
    return json_object_get(response, "patch") != NULL;
}

/* Else it would be mended by chance, and a second apply be refused for what the first one was
 * mended of. */
static void an_instancetype_is_read_before_a_machine_is_mended(void **state)
{
    (void)state;
    lg_canned_put(cluster.canned, LG_KIND_INSTANCETYPE,
                  "{\"metadata\":{\"name\":\"u1\",\"namespace\":\"ns-0\"},\"spec\":{\"cpu\":{"
                  "\"guest\":1},\"memory\":{\"guest\":\"1Gi\"}}}");
    assert_false(is_mended("u1", "system:serviceaccount:ns-0:kubevirt-controller"));
    assert_int_equal(gets(LG_KIND_INSTANCETYPE), 0);
    assert_true(is_mended("u1", "jane"));
    assert_true(is_mended("u1", "jane"));
    assert_int_equal(gets(LG_KIND_INSTANCETYPE), 1);
    assert_false(is_mended("absent", "jane"));
}

static void stopping_answers_all_that_wait(void **state)
{
    enum { AT_ONCE = 20, PROMPT_MS = 20 * 1000 };
    struct lg_clients *clients = lg_clients_new(&cluster.serve, "127.0.0.1", AT_ONCE);
    (void)state;
    lg_canned_fault(cluster.canned, LG_KIND_CLAIM, LG_CANNED_GET, LG_CANNED_HANG, -1);
    lg_review_vms_at_once(&cluster, clients, "ns-0", "wanted", AT_ONCE);
    int64_t end_ms = lg_test_now_ms() + EVENT_MS;
    while (lg_metric_value(&cluster.serve, "livegate_paused_reviews") < AT_ONCE &&
           pauses("done") == 0 && lg_test_now_ms() < end_ms)
        lg_test_sleep_ms(10);
    int64_t start_ms = lg_test_now_ms();
    lg_serve_stop(&cluster.serve);
    assert_int_equal(lg_await_reviews(clients, AT_ONCE, "LG102"), AT_ONCE);
    assert_true(lg_test_now_ms() - start_ms < PROMPT_MS); /* they would wait for 24 s */
    assert_int_equal(lg_count_log(&cluster, "\"unanswered\":0"), 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_claim_that_came_a_moment_ago_is_found),
        TEST(a_claim_with_deep_managed_fields_is_found),
        TEST(a_claim_that_comes_later_is_pending),
        TEST(what_is_known_is_not_read),
        TEST(a_name_that_nothing_can_have_is_not_asked_for),
        TEST(a_missing_guest_is_refused_when_it_is_missing),
        TEST(a_guest_that_can_move_by_now_may),
        TEST(a_migration_that_has_ended_is_in_nobodys_way),
        TEST(a_slow_answer_is_not_waited_for_beyond_the_deadline),
        TEST(without_the_api_server_it_is_pending),
        TEST(one_fetch_serves_all_and_64_wait),
        TEST(only_so_many_are_read_a_second),
        TEST(no_namespace_takes_all_reads),
        TEST(controllers_never_wait),
        TEST(an_instancetype_is_read_when_a_machine_names_it),
        TEST(who_hangs_up_while_waiting_keeps_no_place),
        cmocka_unit_test_setup_teardown(an_instancetype_is_read_before_a_machine_is_mended,
                                        start_mending, stop),
        TEST(stopping_answers_all_that_wait),
    };
    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
