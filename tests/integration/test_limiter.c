/* The limiter over a shared ledger: two real servers on one canned API server. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <lg_test_paths.h>

#include "rules/core/mem.h"
#include "tests/support/replicas.h"

#define LIVEGATE LG_BINARY_DIR "/livegate"

enum { EVENT_MS = 120 * 1000, GUESTS = 5 };

static struct lg_replicas replicas;
static struct lg_cluster *const first = &replicas.of[0], *const second = &replicas.of[1];

static void start(const char *limiter)
{
    lg_replicas_init(&replicas, NULL);
    lg_replicas_policy(&replicas, limiter);
    lg_replicas_start(&replicas, 2);
    for (char name[] = "a"; name[0] < 'a' + GUESTS; name[0]++)
        lg_put_vmi(first, "web", name, "True");
}

static int start_usual(void **state)
{
    (void)state;
    start("showHolders: false");
    lg_canned_config_map(first->canned, 0);
    return 0;
}

static int start_without_ledger(void **state)
{
    (void)state;
    start("whenLedgerUnreachable: refuse");
    return 0;
}

static int start_admitting(void **state)
{
    (void)state;
    start("whenLedgerUnreachable: admit");
    lg_canned_config_map(first->canned, 0);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    lg_replicas_done(&replicas);
    return 0;
}

static void await_running(double n)
{
    int64_t end_ms = lg_test_now_ms() + EVENT_MS;
    const char *series = "livegate_migrations{state=\"running\"}";
    while (lg_metric_value(&first->serve, series) != n ||
           lg_metric_value(&second->serve, series) != n)
        assert_true(lg_test_now_ms() < end_ms);
}

/* A node is shown while one leaves or enters it (-1: it is not), as the limits are that hold. */
static void assert_metrics_of_node(double out, double in)
{
    const struct {
        const char *series;
        double value;
    } expected[] = {{"livegate_node_migrations{node=\"node-0\",direction=\"out\"}", out},
                    {"livegate_node_migrations{node=\"node-0\",direction=\"in\"}", in},
                    {"livegate_node_migrations_limit{direction=\"out\"}", 2},
                    {"livegate_node_migrations_limit{direction=\"in\"}", -1}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        assert_true(lg_metric_value(&first->serve, expected[i].series) == expected[i].value);
}

/* Migrations take 8 s here: whoever is next comes often. */
static void show_a_duration(void)
{
    lg_move_migration(&replicas, "web", "e", "Running");
    await_running(1);
    assert_metrics_of_node(1, 0);
    lg_canned_put(first->canned, LG_KIND_MIGRATION,
                  "{\"metadata\":{\"name\":\"move-e\",\"namespace\":\"web\",\"uid\":\"uid-e\"},"
                  "\"spec\":{\"vmiName\":\"e\"},\"status\":{\"phase\":\"Succeeded\","
                  "\"migrationState\":{\"startTimestamp\":\"2026-01-01T00:00:00Z\","
                  "\"endTimestamp\":\"2026-01-01T00:00:08Z\"}}}");
    await_running(0);
    assert_metrics_of_node(-1, -1);
}

/* `livegate status` shows the limits, who was let through, and who waits in which place. */
static void assert_status(void)
{
    struct lg_process_result result lg_cleanup(lg_process_result_done) = {0};
    const char *const json[] = {
        LIVEGATE, "status", "--kubeconfig", lg_serve_path(&first->serve, "kubeconfig"), "--output",
        "json",   NULL};
    const char *const table[] = {LIVEGATE, "status", "--kubeconfig",
                                 lg_serve_path(&first->serve, "kubeconfig"), NULL};
    lg_process_run(json, (struct lg_str){0}, EVENT_MS, &result);
    assert_int_equal(result.status, 0);
    json_error_t error;
    json_t *root = json_loadb(result.out.p, result.out.n, 0, &error);
    assert_non_null(root);
    json_t *waiting = json_object_get(root, "waiting");
    json_t *limit = json_array_get(json_object_get(root, "limits"), 1);
    assert_string_equal(json_string_value(json_object_get(limit, "key")),
                        "parallelOutboundMigrationsPerNode");
    assert_int_equal(json_integer_value(json_object_get(limit, "value")), 2);
    assert_non_null(json_string_value(json_object_get(limit, "source")));
    assert_int_equal(json_array_size(json_object_get(root, "reserved")), 2);
    assert_int_equal(json_array_size(json_object_get(root, "running")), 0);
    assert_true(json_is_true(json_object_get(root, "queueKnown")));
    assert_int_equal(json_array_size(waiting), 2);
    for (size_t i = 0; i < 2; i++) {
        json_t *one = json_array_get(waiting, i);
        assert_int_equal(json_integer_value(json_object_get(one, "place")), i + 1);
        assert_string_equal(json_string_value(json_object_get(one, "guest")), i == 0 ? "c" : "d");
        assert_string_equal(json_string_value(json_object_get(one, "user")), "jane");
        assert_string_equal(json_string_value(json_object_get(one, "node")), "node-0");
        assert_true(json_integer_value(json_object_get(one, "estimateSeconds")) > 0);
    }
    json_decref(root);
    lg_process_result_done(&result);
    result = (struct lg_process_result){0};
    lg_process_run(table, (struct lg_str){0}, EVENT_MS, &result);
    assert_int_equal(result.status, 0);
    assert_non_null(strstr(result.out.p, "IN USE  2 of 5: 0 running, 0 pending, 2 reserved\n"));
    assert_non_null(strstr(result.out.p, "WAITING  2\n    1. web/c "));
}

/* Another namespace than livegate's has no ledger: who migrates is shown, and that the queue is not
 * known. */
static void assert_status_elsewhere(void)
{
    struct lg_process_result result lg_cleanup(lg_process_result_done) = {0};
    const char *const elsewhere[] = {
        LIVEGATE,      "status",    "--kubeconfig", lg_serve_path(&first->serve, "kubeconfig"),
        "--namespace", "elsewhere", "--output",     "json",
        NULL};
    lg_process_run(elsewhere, (struct lg_str){0}, EVENT_MS, &result);
    assert_int_equal(result.status, 0);
    assert_non_null(strstr(result.out.p, "\"queueKnown\": false"));
}

/* All guests are on one node, and nothing says otherwise: two at once from a node. */
static void replicas_count_what_the_others_let_through(void **state)
{
    (void)state;
    struct lg_outcome outcome;
    lg_replicas_await(&replicas, LG_KIND_VMI, GUESTS);
    show_a_duration();
    lg_create_migration(first, "web", "a", &outcome);
    lg_assert_allowed(&outcome);
    lg_create_migration(second, "web", "b", &outcome);
    lg_assert_allowed(&outcome);
    lg_create_migration(first, "web", "c", &outcome);
    lg_assert_denied(&outcome, "[LG611] migrations from node node-0: 2 of 2 in use: ");
    assert_non_null(strstr(outcome.text, "; place 1, about "));
    lg_create_migration(second, "web", "d", &outcome);
    lg_assert_denied(&outcome, "; place 2, about ");
    /* The same guest again takes its own place over, wherever it asks. */
    lg_create_migration(second, "web", "a", &outcome);
    lg_assert_allowed(&outcome);
    assert_status();
    assert_status_elsewhere();
    /* One is created, and ends: its place is free at once, and for who waits longest. */
    lg_move_migration(&replicas, "web", "b", "Running");
    lg_move_migration(&replicas, "web", "b", "Succeeded");
    int64_t end_ms = lg_test_now_ms() + EVENT_MS;
    do {
        lg_create_migration(first, "web", "d", &outcome);
        lg_assert_denied(&outcome, "; place 2, about ");
        lg_create_migration(second, "web", "c", &outcome);
        assert_true(lg_test_now_ms() < end_ms);
    } while (!outcome.allowed);
    lg_create_migration(first, "web", "d", &outcome);
    lg_assert_denied(&outcome, "; place 1, about ");
}

static void a_lost_answer_costs_no_second_place(void **state)
{
    (void)state;
    struct lg_outcome outcome;
    lg_replicas_await(&replicas, LG_KIND_VMI, GUESTS);
    lg_canned_config_map(first->canned, 1);
    lg_create_migration(first, "web", "a", &outcome);
    lg_assert_allowed(&outcome);
    lg_create_migration(second, "web", "b", &outcome);
    lg_assert_allowed(&outcome);
    lg_create_migration(second, "web", "c", &outcome);
    lg_assert_denied(&outcome, "2 of 2 in use");
}

static void without_a_ledger_policy_decides(void **state)
{
    (void)state;
    struct lg_outcome outcome;
    lg_replicas_await(&replicas, LG_KIND_VMI, GUESTS);
    first->timeout = "3s";
    outcome.took_ms = INT64_MAX;
    int64_t most_ms = 0;
    for (int i = 0; i < 5 && outcome.took_ms > most_ms; i++) {
        struct lg_outcome other; /* what the machine makes of a review that asks nobody */
        lg_review_vm(first, "ns-0", "claim-0", &other);
        most_ms = 2600 + 2 * other.took_ms;
        lg_create_migration(first, "web", "a", &outcome);
        lg_assert_denied(&outcome,
                         "[LG610] who migrates and who waits is not known: livegate's ledger was "
                         "not reached in time");
    }
    assert_in_range(outcome.took_ms, 0, most_ms);
    lg_replicas_policy(&replicas, "whenLedgerUnreachable: admit");
    lg_serve_signal(&first->serve, SIGHUP);
    int64_t end_ms = lg_test_now_ms() + EVENT_MS;
    do {
        lg_create_migration(first, "web", "a", &outcome);
        assert_true(lg_test_now_ms() < end_ms);
    } while (!outcome.allowed);
    assert_true(lg_count_log(first, "the limiter's ledger cannot be reached") >= 1);
    assert_true(lg_count_log(first, "the API server has no configmap livegate-ledger") >= 1);
    /* Whoever gives us little time (kubectl --request-timeout=1s) does not get by for that. */
    first->timeout = "1s";
    lg_create_migration(first, "web", "a", &outcome);
    lg_assert_denied(&outcome, "livegate's ledger was not reached in time");
}

/* A ledger that does not answer may be one that answers late: who asks first waits, and nobody
 * waits for ever. */
static void a_ledger_that_says_nothing_is_waited_for_and_not_for_ever(void **state)
{
    (void)state;
    struct lg_outcome outcome;
    lg_replicas_await(&replicas, LG_KIND_VMI, GUESTS);
    lg_create_migration(first, "web", "a", &outcome);
    lg_assert_allowed(&outcome);
    lg_canned_hang_config_map(first->canned, true);
    first->timeout = "3s"; /* what it waits for is the point */
    lg_create_migration(first, "web", "b", &outcome);
    lg_assert_denied(&outcome, "livegate's ledger was not reached in time");
    assert_in_range(outcome.retry_after_s, 1, 10);
    int64_t end_ms = lg_test_now_ms() + EVENT_MS;
    for (char guest[] = "a"; !outcome.allowed; guest[0] = guest[0] == 'e' ? 'a' : guest[0] + 1) {
        assert_true(lg_test_now_ms() < end_ms);
        lg_create_migration(first, "web", guest, &outcome);
    }
    lg_canned_hang_config_map(first->canned, false);
    first->timeout = "30s";
    end_ms = lg_test_now_ms() + EVENT_MS;
    do {
        assert_true(lg_test_now_ms() < end_ms);
        lg_create_migration(first, "web", "a", &outcome);
        lg_create_migration(first, "web", "b", &outcome);
        lg_create_migration(first, "web", "c", &outcome);
    } while (outcome.allowed || strstr(outcome.text, "2 of 2 in use") == NULL);
}

#define RESERVED(guest)                                                                            \
    "{\"namespace\":\"web\",\"guest\":\"" guest "\",\"node\":\"node-0\",\"migration\":\"m\","      \
    "\"id\":\"uid-" guest "\",\"ageMs\":1000}"

/* Between our reading and our writing another replica lets two through: what was decided without
 * them does not count. */
static void what_was_written_meanwhile_counts(void **state)
{
    (void)state;
    struct lg_outcome outcome;
    lg_replicas_await(&replicas, LG_KIND_VMI, GUESTS);
    lg_canned_race_config_map(first->canned,
                              "{\"schema\":1,\"seq\":0,\"tag\":0,\"reservations\":[" RESERVED(
                                  "c") "," RESERVED("d") "],\"tickets\":[],\"turns\":[]}");
    lg_create_migration(first, "web", "a", &outcome);
    lg_assert_denied(&outcome, "migrations from node node-0: 2 of 2 in use");
    char *ledger = lg_canned_config_map_text(first->canned);
    bool both = strstr(ledger, "uid-c") != NULL && strstr(ledger, "uid-d") != NULL;
    free(ledger);
    assert_true(both);
}

/* Another schema's is not ours to change, and counts as not reached: under admit nobody waits for
 * it. */
static void a_newer_ledger_is_left_alone(void **state)
{
    (void)state;
    static const char *const newer = "{\"schema\":2,\"more\":true}";
    struct lg_outcome outcome;
    lg_replicas_await(&replicas, LG_KIND_VMI, GUESTS);
    lg_canned_set_config_map_text(first->canned, newer);
    int64_t end_ms = lg_test_now_ms() + EVENT_MS;
    do {
        lg_create_migration(first, "web", "a", &outcome);
        assert_true(lg_test_now_ms() < end_ms);
    } while (!outcome.allowed || /* it is said once in a while */
             lg_count_log(first, "of a newer livegate and is left alone") == 0);
    char *ledger = lg_canned_config_map_text(first->canned);
    assert_string_equal(ledger, newer);
    free(ledger);
    assert_true(lg_count_log(first, "of a newer livegate and is left alone") >= 1);
}

/* A review that is too large to be held is refused once, and never let through for its size. */
static void what_is_too_large_to_wait_is_told_so(void **state)
{
    (void)state;
    enum { NOTE_BYTES = 600 * 1024 };
    struct lg_outcome outcome;
    struct lg_buf object lg_cleanup(lg_buf_done) = {0};
    lg_replicas_await(&replicas, LG_KIND_VMI, GUESTS);
    lg_buf_puts(&object,
                "{\"metadata\":{\"name\":\"move-a\",\"namespace\":\"web\",\"uid\":\"uid-a\","
                "\"annotations\":{\"note\":\"");
    for (int i = 0; i < NOTE_BYTES; i++)
        lg_buf_putc(&object, 'x');
    lg_buf_puts(&object, "\"}},\"spec\":{\"vmiName\":\"a\"}}");
    lg_buf_putc(&object, '\0');
    lg_review_object(first, LG_KIND_MIGRATION, "web", "move-a", object.p, &outcome);
    lg_assert_denied(&outcome, "[LG610] the migration is too large to wait for its turn: more than "
                               "512 KiB");
    assert_int_equal(outcome.retry_after_s, 0);
    lg_create_migration(first, "web", "a", &outcome);
    lg_assert_allowed(&outcome);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(replicas_count_what_the_others_let_through, start_usual,
                                        stop),
        cmocka_unit_test_setup_teardown(a_lost_answer_costs_no_second_place, start_usual, stop),
        cmocka_unit_test_setup_teardown(without_a_ledger_policy_decides, start_without_ledger,
                                        stop),
        cmocka_unit_test_setup_teardown(a_ledger_that_says_nothing_is_waited_for_and_not_for_ever,
                                        start_admitting, stop),
        cmocka_unit_test_setup_teardown(what_was_written_meanwhile_counts, start_usual, stop),
        cmocka_unit_test_setup_teardown(a_newer_ledger_is_left_alone, start_admitting, stop),
        cmocka_unit_test_setup_teardown(what_is_too_large_to_wait_is_told_so, start_admitting,
                                        stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
