/* The client's thread on a canned API server: single reads and what is remembered of them, jobs,
 * stopping in between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "rules/core/mem.h"
#include "tests/support/canned_api.h"
#include "tests/support/process.h"
#include "webhook/cluster/client.h"
#include "webhook/runtime/thread.h"

enum { DEADLINE_MS = 120 * 1000, COUNTERS = 64 };

static struct lg_canned *canned;
static struct lg_store *store;
static struct lg_client *client;
static char kubeconfig[64];

static int set_up(void **state)
{
    struct lg_err err = {0};
    (void)state;
    (void)snprintf(kubeconfig, sizeof kubeconfig, "/tmp/livegate-client-%d", getpid());
    canned = lg_canned_start(&(struct lg_canned_options){.counts = {[LG_KIND_NODE] = 2}});
    lg_canned_kubeconfig(canned, kubeconfig, NULL);
    store = lg_store_new();
    if (lg_client_start(&(struct lg_client_options){.kubeconfig = {.path = kubeconfig},
                                                    .store = store,
                                                    .kinds = LG_BIT(LG_KIND_NODE)},
                        &client, &err) != LG_E_OK)
        fail_msg("%s: %s", err.where, err.text);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    lg_client_stop(client);
    client = NULL;
    lg_store_free(store);
    lg_canned_stop(canned);
    (void)unlink(kubeconfig);
    char ca[80];
    (void)snprintf(ca, sizeof ca, "%s.ca", kubeconfig);
    (void)unlink(ca);
    return 0;
}

static void note(void *arg)
{
    atomic_fetch_add((atomic_int *)arg, 1);
}

/* Outlives a test that fails: what it asked for may still come. */
static atomic_int *counter(void)
{
    static atomic_int counters[COUNTERS];
    static size_t used;
    assert_true(used < COUNTERS);
    return &counters[used++];
}

static void await(atomic_int *count, int wanted)
{
    int64_t end_ms = lg_test_now_ms() + DEADLINE_MS;
    while (atomic_load(count) < wanted && lg_test_now_ms() < end_ms)
        lg_test_sleep_ms(5);
    assert_int_equal(atomic_load(count), wanted);
}

static struct lg_want want(enum lg_kind kind, const char *ns, const char *name)
{
    return (struct lg_want){.kind = kind, .ns = lg_str_of(ns), .name = lg_str_of(name)};
}

static unsigned gets(enum lg_kind kind)
{
    return lg_canned_requests(canned, kind, LG_CANNED_GET, NULL);
}

static struct lg_probe *probe(const struct lg_want *wants, size_t n, atomic_int *done)
{
    return lg_client_probe(
        client, &(struct lg_probe_options){
                    .wants = wants, .n = n, .whose = LG_STR("web"), .done = note, .arg = done});
}

/* Asks for one object and waits; given, or NULL. */
static struct lg_live *read_one(struct lg_want wanted)
{
    struct lg_live *answers[LG_PROBE_MAX];
    atomic_int *done = counter();
    struct lg_probe *ask = probe(&wanted, 1, done);
    await(done, 1);
    assert_int_equal(lg_probe_answers(ask, answers), 1);
    lg_probe_unref(ask);
    return answers[0];
}

#define INSTANCETYPE(name)                                                                         \
    "{\"metadata\":{\"name\":\"" name "\",\"namespace\":\"web\"},\"spec\":{\"cpu\":{\"guest\":2}}" \
    "}"

static void what_is_never_watched_is_remembered(void **state)
{
    (void)state;
    struct lg_want wanted = want(LG_KIND_INSTANCETYPE, "web", "u1");
    lg_canned_put(canned, LG_KIND_INSTANCETYPE, INSTANCETYPE("u1"));
    assert_null(lg_client_known(client, &wanted));
    struct lg_live *live = read_one(wanted);
    assert_non_null(live);
    assert_int_equal(live->read.kind, LG_KIND_INSTANCETYPE);
    assert_true(lg_str_is(live->read.ns, "web"));
    assert_true(lg_str_is(live->read.name, "u1"));
    assert_non_null(live->read.record);
    assert_true(lg_str_is(live->read.record->name, "u1"));
    struct lg_live *again = lg_client_known(client, &wanted);
    assert_ptr_equal(again, live);
    lg_live_unref(again);
    lg_live_unref(live);
    struct lg_live *third = read_one(wanted);
    assert_ptr_equal(third, live);
    lg_live_unref(third);
    assert_int_equal(gets(LG_KIND_INSTANCETYPE), 1);
}

static void misses_are_remembered_for_a_while(void **state)
{
    (void)state;
    struct lg_want wanted = want(LG_KIND_CLAIM, "web", "none");
    struct lg_live *live = read_one(wanted);
    assert_non_null(live);
    assert_null(live->read.record);
    lg_live_unref(live);
    live = lg_client_known(client, &wanted);
    assert_non_null(live);
    lg_live_unref(live);
    wanted.found = true; /* who doubts what the watch said does not want to hear what was before */
    assert_null(lg_client_known(client, &wanted));
    wanted.found = false;
    lg_test_sleep_ms(LG_MISS_MS + 50);
    assert_null(lg_client_known(client, &wanted));
    lg_live_unref(read_one(wanted));
    assert_int_equal(gets(LG_KIND_CLAIM), 2);
}

static void what_is_watched_is_not_remembered(void **state)
{
    (void)state;
    struct lg_want wanted = want(LG_KIND_NODE, "", "node-1");
    struct lg_live *live = read_one(wanted);
    assert_non_null(live);
    assert_non_null(live->read.record);
    lg_live_unref(live);
    assert_null(lg_client_known(client, &wanted));
}

static void many_want_the_same_and_it_is_fetched_once(void **state)
{
    enum { MANY = 30 };
    struct lg_probe *asks[MANY];
    struct lg_live *answers[LG_PROBE_MAX];
    struct lg_want wanted = want(LG_KIND_NODE, "", "node-0");
    atomic_int *done = counter();
    (void)state;
    for (int i = 0; i < MANY; i++)
        asks[i] = probe(&wanted, 1, done);
    await(done, MANY);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(lg_probe_answers(asks[i], answers), 1);
        assert_non_null(answers[0]);
        assert_non_null(answers[0]->read.record);
        lg_live_unref(answers[0]);
        lg_probe_unref(asks[i]);
    }
    assert_true(gets(LG_KIND_NODE) < 5); /* one, or a few where the machine was slow to ask */
}

static void an_ask_may_be_given_up(void **state)
{
    struct lg_live *answers[LG_PROBE_MAX];
    struct lg_want wanted[] = {want(LG_KIND_NODE, "", "node-0"),
                               want(LG_KIND_CLAIM, "web", "slow")};
    atomic_int *done = counter();
    (void)state;
    lg_canned_fault(canned, LG_KIND_CLAIM, LG_CANNED_GET, LG_CANNED_HANG, -1);
    struct lg_probe *ask = probe(wanted, 2, done);
    int64_t end_ms = lg_test_now_ms() + DEADLINE_MS;
    do { /* the one that came is there before the other */
        lg_test_sleep_ms(5);
        assert_int_equal(lg_probe_answers(ask, answers), 2);
    } while (answers[0] == NULL && lg_test_now_ms() < end_ms);
    assert_non_null(answers[0]);
    assert_null(answers[1]);
    lg_live_unref(answers[0]);
    lg_probe_unref(ask);
    assert_int_equal(atomic_load(done), 0);
    await(done, 1); /* it is called all the same, when the fetch has failed */
}

static void stopping_tells_who_waits(void **state)
{
    struct lg_want wanted = want(LG_KIND_CLAIM, "web", "slow");
    atomic_int *done = counter();
    (void)state;
    lg_canned_fault(canned, LG_KIND_CLAIM, LG_CANNED_GET, LG_CANNED_HANG, -1);
    struct lg_probe *first = probe(&wanted, 1, done);
    struct lg_probe *second = probe(&wanted, 1, done);
    lg_client_stop(client);
    client = NULL;
    assert_int_equal(atomic_load(done), 2);
    lg_probe_unref(first);
    lg_probe_unref(second);
}

struct write_job {
    struct lg_job job;
    atomic_int ran;
    char text[128];
};

static void on_written(void *arg, const struct lg_http_answer *answer)
{
    struct write_job *write = arg;
    (void)snprintf(write->text, sizeof write->text, "%d %.*s", answer->status,
                   LG_ARG(answer->body));
    atomic_fetch_add(&write->ran, 1);
}

static void write_it(struct lg_job *job, struct lg_http *http)
{
    struct write_job *write = (struct write_job *)job;
    if (http == NULL)
        return;
    (void)lg_http_start(
        http, &(struct lg_http_request){.method = LG_HTTP_PUT,
                                        .path = LG_STR("/api/v1/namespaces/web/configmaps/ledger"),
                                        .body = LG_STR("{}"),
                                        .body_bytes_max = 1024,
                                        .done = on_written,
                                        .arg = write});
}

static void a_job_makes_requests_of_its_own(void **state)
{
    static struct write_job write = {.job = {.run = write_it}};
    (void)state;
    lg_client_post(client, &write.job);
    await(&write.ran, 1);
    assert_string_equal(write.text, "200 PUT application/json {}");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_never_watched_is_remembered),
        TEST(misses_are_remembered_for_a_while),
        TEST(what_is_watched_is_not_remembered),
        TEST(many_want_the_same_and_it_is_fetched_once),
        TEST(an_ask_may_be_given_up),
        TEST(stopping_tells_who_waits),
        TEST(a_job_makes_requests_of_its_own),
    };
    lg_thread_block_signals();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
