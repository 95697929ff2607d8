/* `livegate status --watch` over a canned API server: look after look, over one that fails, until
 * Ctrl-C. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <lg_test_paths.h>

#include "rules/core/mem.h"
#include "tests/support/cluster.h"

#define LIVEGATE LG_BINARY_DIR "/livegate"

enum { LOOK_MS = 120 * 1000 };

static struct lg_cluster cluster;
static struct lg_process status;

static int setup(void **state)
{
    (void)state;
    lg_cluster_init(&cluster, NULL);
    lg_canned_config_map(cluster.canned, 0);
    lg_canned_set_config_map_text(
        cluster.canned,
        "{\"schema\":1,\"seq\":1,\"tag\":0,\"reservations\":[{\"namespace\":\"web\",\"guest\":"
        "\"a\","
        "\"node\":\"node-0\",\"migration\":\"m\",\"id\":\"1\",\"ageMs\":1000}],\"tickets\":[{"
        "\"namespace\":\"web\",\"guest\":\"b\",\"node\":\"node-0\",\"user\":\"jane\",\"id\":\"2\","
        "\"tag\":0,\"seq\":1,\"waitedMs\":5000,\"dueInMs\":3000,\"tries\":1}],\"turns\":[]}");
    lg_put_vmi(&cluster, "web", "c", "True");
    lg_put_migration(&cluster, "web", "move-c", "c", "Running");
    status = (struct lg_process){.input = -1, .output = -1};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    lg_process_kill(&status);
    lg_cluster_done(&cluster);
    return 0;
}

static void watch_as(const char *output)
{
    const char *const argv[] = {LIVEGATE,
                                "status",
                                "--watch",
                                "--output",
                                output,
                                "--kubeconfig",
                                lg_serve_path(&cluster.serve, "kubeconfig"),
                                NULL};
    lg_process_start(argv, lg_serve_path(&cluster.serve, "status.err"), true, &status);
}

/* Waits until a look shows `text`; what was shown before is forgotten. */
static void expect(const char *text)
{
    struct lg_buf seen lg_cleanup(lg_buf_done) = {0};
    if (!lg_process_expect(&status, text, LOOK_MS, &seen))
        fail_msg("never shown: %s; but: %.*s", text, (int)seen.n, seen.n != 0 ? seen.p : "");
}

/* The next look at the migrations fails; it is said, and the one after it shows what is there. */
static void fail_once(void)
{
    struct lg_buf said lg_cleanup(lg_buf_done) = {0};
    unsigned asked = lg_canned_requests(cluster.canned, LG_KIND_MIGRATION, LG_CANNED_LIST, NULL);
    lg_canned_fault(cluster.canned, LG_KIND_MIGRATION, LG_CANNED_LIST, 500, 1);
    int64_t end_ms = lg_test_now_ms() + LOOK_MS;
    while (lg_canned_requests(cluster.canned, LG_KIND_MIGRATION, LG_CANNED_LIST, NULL) == asked) {
        assert_true(lg_test_now_ms() < end_ms);
        lg_test_sleep_ms(20);
    }
    lg_put_migration(&cluster, "web", "move-c", "c", "Succeeded");
    lg_put_vmi(&cluster, "web", "d", "True");
    lg_put_migration(&cluster, "web", "move-d", "d", "Scheduling");
    do {
        lg_buf_done(&said);
        lg_read_file(lg_serve_path(&cluster.serve, "status.err"), &said);
        assert_true(lg_test_now_ms() < end_ms);
        lg_test_sleep_ms(20);
    } while (strstr(said.p, "\n") == NULL);
    assert_non_null(strstr(said.p, "livegate: https://127.0.0.1:"));
    assert_non_null(strstr(said.p, ": the API server answered 500: canned InternalError\n"));
}

/* How many whole documents show what there was before the failure, and what there is behind it. */
static void check_documents(struct lg_str shown, size_t *ret_before, size_t *ret_behind)
{
    json_t *root;
    *ret_before = *ret_behind = 0;
    json_error_t error;
    while ((root = json_loadb(shown.p, shown.n, JSON_DISABLE_EOF_CHECK, &error)) != NULL) {
        json_t *running = json_object_get(root, "running");
        assert_string_equal(json_string_value(json_object_get(root, "kind")), "MigrationStatus");
        assert_true(json_is_true(json_object_get(root, "queueKnown")));
        assert_int_equal(json_array_size(json_object_get(root, "reserved")), 1);
        assert_int_equal(json_array_size(json_object_get(root, "waiting")), 1);
        assert_int_equal(json_array_size(running), 1);
        json_t *node = json_array_get(json_object_get(root, "nodes"), 0);
        assert_string_equal(json_string_value(json_object_get(node, "node")), "node-0");
        assert_int_equal(json_integer_value(json_object_get(node, "out")), 2);
        assert_int_equal(json_integer_value(json_object_get(node, "in")), 0);
        const char *name =
            json_string_value(json_object_get(json_array_get(running, 0), "migration"));
        if (strcmp(name, "move-c") == 0 && *ret_behind == 0) {
            ++*ret_before;
        } else {
            assert_string_equal(name, "move-d");
            ++*ret_behind;
        }
        shown = (struct lg_str){shown.p + error.position, shown.n - (size_t)error.position};
        json_decref(root);
    }
}

/* Whoever started it in a loop of a shell sees that it was interrupted. */
static void interrupt(void)
{
    assert_int_equal(kill(status.pid, SIGINT), 0);
    assert_int_equal(lg_process_wait(&status, LOOK_MS), 128 + SIGINT);
}

static void a_table_look_after_look(void **state)
{
    (void)state;
    watch_as("table");
    expect("WAITING  1\n    1. web/b ");
    expect("IN USE  2 of 5: 1 running, 0 pending, 1 reserved\n");
    fail_once();
    expect("  web/d                                    Scheduling ");
    expect("\nNODES                                   out  in\n"
           "  node-0                                  2   0\n");
    interrupt();
}

static void a_json_document_a_look(void **state)
{
    (void)state;
    struct lg_buf seen lg_cleanup(lg_buf_done) = {0};
    watch_as("json");
    assert_true(lg_process_expect(&status, "\n}\n", LOOK_MS, &seen));
    fail_once();
    int64_t end_ms = lg_test_now_ms() + LOOK_MS;
    size_t before, behind;
    for (;;) {
        check_documents(lg_buf_view(&seen), &before, &behind);
        assert_true(before >= 1 && lg_test_now_ms() < end_ms);
        if (behind >= 2)
            break;
        (void)lg_process_expect(&status, "no such text", 200, &seen);
    }
    interrupt();
}

/* Place and queue of each who waits, as a refusal would say them: whose node is full waits behind
 * those of its node, and whose is not only behind those that could start. A reservation counts on
 * its node though no migration is seen. */
static void places_are_those_that_a_refusal_says(void **state)
{
    (void)state;
    static const struct {
        const char *guest, *of;
        int place;
    } expected[] = {{"b1", "node", 1},
                    {"b2", "node", 2},
                    {"t", "targets", 1},
                    {"z", "cluster", 1},
                    {"y", "cluster", 2}};
    struct lg_process_result result lg_cleanup(lg_process_result_done) = {0};
#define TICKET(guest, node, seq, more)                                                             \
    "{\"namespace\":\"web\",\"guest\":\"" guest "\",\"node\":\"" node                              \
    "\",\"user\":\"jane\",\"id\":\"" guest "\",\"tag\":" seq ",\"seq\":" seq                       \
    ",\"waitedMs\":5000,\"dueInMs\":200000,\"tries\":1" more "}"
    lg_canned_set_config_map_text(
        cluster.canned,
        "{\"schema\":1,\"seq\":9,\"tag\":0,\"reservations\":[{\"namespace\":\"web\",\"guest\":"
        "\"q\","
        "\"node\":\"node-3\",\"migration\":\"m\",\"id\":\"1\",\"ageMs\":0},{\"namespace\":\"web\","
        "\"guest\":\"a\",\"node\":\"node-0\",\"migration\":\"m\",\"id\":\"1\",\"ageMs\":0}],"
        "\"tickets\":[" TICKET("b1", "node-0", "1", "") "," TICKET(
            "b2", "node-0", "2",
            "") "," TICKET("t", "node-8", "3",
                           ",\"inbound\":true") "," TICKET("z", "node-9", "4",
                                                           "") "," TICKET("y", "node-5", "5",
                                                                          "") "],\"turns\":[]}");
    const char *const argv[] = {
        LIVEGATE, "status",       "--output",
        "json",   "--kubeconfig", lg_serve_path(&cluster.serve, "kubeconfig"),
        NULL};
    lg_process_run(argv, (struct lg_str){0}, LOOK_MS, &result);
    assert_int_equal(result.status, 0);
    json_t *root = json_loadb(result.out.p, result.out.n, 0, NULL);
    assert_non_null(root);
    json_t *waiting = json_object_get(root, "waiting"), *nodes = json_object_get(root, "nodes");
    assert_int_equal(json_array_size(waiting), 5);
    for (size_t i = 0; i < 5; i++) {
        json_t *one = json_array_get(waiting, i);
        assert_string_equal(json_string_value(json_object_get(one, "guest")), expected[i].guest);
        assert_string_equal(json_string_value(json_object_get(one, "of")), expected[i].of);
        assert_int_equal(json_integer_value(json_object_get(one, "place")), expected[i].place);
    }
    assert_int_equal(json_array_size(nodes), 2);
    json_t *reserved = json_array_get(nodes, 1);
    assert_string_equal(json_string_value(json_object_get(reserved, "node")), "node-3");
    assert_int_equal(json_integer_value(json_object_get(reserved, "out")), 1);
    assert_int_equal(json_integer_value(json_object_get(reserved, "in")), 0);
    json_decref(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_table_look_after_look, setup, teardown),
        cmocka_unit_test_setup_teardown(a_json_document_a_look, setup, teardown),
        cmocka_unit_test_setup_teardown(places_are_those_that_a_refusal_says, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
