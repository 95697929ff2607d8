/* The limiter in a crowd: 40 creates at once, three real servers over one ledger, of which one is
 * killed and one stopped for a while. The test plays the API server that calls them in turn (as a
 * Service would spread them), clients that come back when they are told to, and KubeVirt. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rules/core/mem.h"
#include "tests/support/replicas.h"
#include "webhook/limiter/ledger_text.h"

enum {
    CREATES = 40,
    NODES = 5,
    CLUSTER_MAX = 5, /* KubeVirt's own defaults */
    NODE_MAX = 2,
    RETRIES = 10,  /* what client-go does */
    LATE_MS = 500, /* a call that comes or ends so late: the machine is busy with something else */
    STEADY_MS = 10 * 1000, /* and so long who waits is put off by that: these tries do not count */
    CALL_S = 30,           /* the API server waits for a webhook */
    CUT_S = 1,             /* and for the one that is stopped: it answers nobody */
    PROBE_MS = 300,
    PAUSE_MS = 4000,       /* of the replica that is stopped */
    CROWD_MS = 300 * 1000, /* far more than it takes */
    UNSEEN_MS = 5000,      /* a watch brings a new migration within this */
    NEARLY_DUE_MS = 4000,  /* a second less than the queue's own */
};

enum stage { WAITS, ADMITTED, RUNS, ENDED };

struct client {
    char ns[32], guest[32], node[32];
    enum stage stage;
    int64_t due_ms; /* when the stage ends */
    int64_t admitted_ms;
    int tries, cut;
    int asks; /* each has a uid of its own */
};

static struct lg_replicas replicas;
static struct client clients[CREATES];
static struct {
    bool killed, restarted, stopped, going_on; /* what was done so far */
    bool out[LG_REPLICAS_MAX];                 /* not called: it did not answer, or is not there */
    int64_t continue_ms, probe_ms;             /* when */
    int turn, created, out_of_turn, most, most_of_node;
    int64_t late_ms; /* when a call last came late, or took long */
} run;

static int start(void **state)
{
    (void)state;
    static const struct lg_canned_options options = {
        .counts = {[LG_KIND_NODE] = NODES, [LG_KIND_NAMESPACE] = 3, [LG_KIND_KUBEVIRT] = 1}};
    lg_replicas_init(&replicas, &options);
    lg_replicas_policy(&replicas, "whenLedgerUnreachable: refuse");
    lg_canned_config_map(replicas.of[0].canned, 0);
    /* How long a migration takes here. */
    lg_canned_put(replicas.of[0].canned, LG_KIND_MIGRATION,
                  "{\"metadata\":{\"name\":\"old\",\"namespace\":\"ns-0\"},\"spec\":{\"vmiName\":"
                  "\"none\"},\"status\":{\"phase\":\"Succeeded\",\"migrationState\":{"
                  "\"startTimestamp\":\"2024-01-01T00:00:00Z\",\"endTimestamp\":"
                  "\"2024-01-01T00:00:01Z\"}}}");
    for (int i = 0; i < CREATES; i++) {
        struct client *client = &clients[i];
        *client = (struct client){.due_ms = 0};
        (void)snprintf(client->ns, sizeof client->ns, "ns-%d", i % 3);
        (void)snprintf(client->guest, sizeof client->guest, "guest-%d", i);
        (void)snprintf(client->node, sizeof client->node, "node-%d", i * 7 % NODES);
        lg_put_vmi_on(&replicas.of[0], client->ns, client->guest, client->node);
    }
    lg_replicas_start(&replicas, 3);
    lg_replicas_await(&replicas, LG_KIND_VMI, CREATES);
    lg_replicas_await(&replicas, LG_KIND_MIGRATION, 1);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    if (run.stopped && !run.going_on)
        lg_serve_signal(&replicas.of[1].serve, SIGCONT);
    lg_replicas_done(&replicas);
    return 0;
}

/* --- who is under way --- */

static bool is_under_way(const struct client *client)
{
    return client->stage == ADMITTED || client->stage == RUNS;
}

static int under_way(const char *node)
{
    int n = 0;
    for (int i = 0; i < CREATES; i++)
        n += is_under_way(&clients[i]) && (node == NULL || strcmp(clients[i].node, node) == 0);
    return n;
}

/* Clients of the namespace that were let through and that a watch may not show yet. */
static int unseen(struct lg_str ns, int64_t now_ms)
{
    int n = 0;
    for (int i = 0; i < CREATES; i++)
        n += is_under_way(&clients[i]) && lg_str_is(ns, clients[i].ns) &&
             now_ms - clients[i].admitted_ms < UNSEEN_MS;
    return n;
}

static const struct client *client_of(const struct lg_ticket *ticket)
{
    for (int i = 0; i < CREATES; i++)
        if (lg_str_is(ticket->guest, clients[i].guest))
            return &clients[i];
    fail_msg("a ticket of nobody: %.*s", LG_ARG(ticket->guest));
    return NULL;
}

static bool is_nearly_due(const struct client *client, int64_t now_ms)
{
    int64_t due_in_ms = client->due_ms - now_ms;
    return due_in_ms >= -NEARLY_DUE_MS && due_in_ms <= NEARLY_DUE_MS;
}

/* How many places are kept for those that wait before this one by the ledger, come about now, and
 * could start: at any time of a call that took so long. */
static int kept_for_others(const struct lg_ledger *ledger, const struct client *client,
                           int64_t start_ms, int64_t end_ms)
{
    int kept[NODES] = {0}, n = 0;
    /* One without a ticket stands where a new one of its namespace would. */
    uint64_t tag = lg_ledger_next_tag(ledger, lg_str_of(client->ns), lg_str_of(client->node));
    for (size_t i = 0; i < ledger->n_tickets; i++) {
        const struct lg_ticket *ticket = &ledger->tickets[i];
        const struct client *other = client_of(ticket);
        if (other == client || ticket->tag > tag)
            return n;
        int *kept_of_node = &kept[other->node[strlen(other->node) - 1] - '0'];
        if (other->stage != WAITS || !is_nearly_due(other, start_ms) ||
            !is_nearly_due(other, end_ms) || under_way(other->node) + *kept_of_node >= NODE_MAX ||
            unseen(ticket->ns, start_ms) >= (CLUSTER_MAX + 1) / 2)
            continue;
        ++*kept_of_node;
        n++;
    }
    return n;
}

/* --- a create --- */

static int next_replica(void)
{
    for (int i = 0; i < replicas.n; i++) {
        run.turn = (run.turn + 1) % replicas.n;
        if (!run.out[run.turn])
            return run.turn;
    }
    fail_msg("no replica is there");
    return 0;
}

static void admitted(struct client *client, int kept, int64_t now_ms)
{
    client->stage = ADMITTED;
    client->admitted_ms = now_ms;
    client->due_ms = now_ms + rand() % 100; /* until the API server has stored it */
    int at_once = under_way(NULL), of_node = under_way(client->node);
    run.most = at_once > run.most ? at_once : run.most;
    run.most_of_node = of_node > run.most_of_node ? of_node : run.most_of_node;
    if (at_once + kept > CLUSTER_MAX) {
        run.out_of_turn++;
        print_error("out of turn: %s/%s of %s, try %d: %d at once, %d places are kept\n",
                    client->ns, client->guest, client->node, client->tries, at_once, kept);
    }
    run.created++;
}

/* Its migration, as the API server makes it of the present ask. */
static void object_of(const struct client *client, const char *phase, char ret[LG_TEST_MOVE_BYTES])
{
    char uid[64];
    (void)snprintf(uid, sizeof uid, "%s-%d", client->guest, client->asks);
    lg_test_move_object(&(struct lg_test_move){client->ns, client->guest, uid, phase}, ret);
}

static void put(const struct client *client, const char *phase)
{
    char object[LG_TEST_MOVE_BYTES];
    object_of(client, phase, object);
    lg_canned_put(replicas.of[0].canned, LG_KIND_MIGRATION, object);
}

/* One call of the API server. Who is cut tries again at once, as a person would. */
static void call(struct client *client)
{
    char object[LG_TEST_MOVE_BYTES], name[64];
    struct lg_outcome outcome;
    struct lg_ledger ledger lg_cleanup(lg_ledger_done) = {0};
    char *text lg_cleanup(lg_free_cleanup) = lg_canned_config_map_text(replicas.of[0].canned);
    int64_t start_ms = lg_test_now_ms();
    assert_int_equal(lg_ledger_read(lg_str_of(text), start_ms, &ledger, NULL), LG_E_OK);
    int at = next_replica();
    bool stopped = at == 1 && run.stopped && !run.going_on;
    client->asks++;
    object_of(client, "", object);
    (void)snprintf(name, sizeof name, "move-%s", client->guest);
    if (!lg_try_review_object(&replicas.of[at], LG_KIND_MIGRATION, client->ns, name, object,
                              stopped ? CUT_S : CALL_S, &outcome)) {
        run.out[at] = true;
        client->cut++;
        return;
    }
    int64_t now_ms = lg_test_now_ms();
    if (outcome.allowed) {
        admitted(client, kept_for_others(&ledger, client, start_ms, now_ms), now_ms);
        return;
    }
    bool first = client->asks == 1; /* all come at once */
    if ((!first && start_ms - client->due_ms > CUT_S * 1000 + LATE_MS) ||
        now_ms - start_ms > LATE_MS)
        run.late_ms = now_ms;
    client->tries += now_ms - run.late_ms > STEADY_MS;
    if (outcome.retry_after_s == 0 || client->tries > RETRIES)
        fail_msg("%s/%s gave up: %s", client->ns, client->guest, outcome.text);
    client->due_ms = now_ms + outcome.retry_after_s * (int64_t)1000;
}

static void go_on(struct client *client, int64_t now_ms)
{
    switch (client->stage) {
    case WAITS:
        call(client);
        break;
    case ADMITTED:
        put(client, "Running");
        client->stage = RUNS;
        client->due_ms = now_ms + 100 + rand() % 300;
        break;
    case RUNS:
        put(client, "Succeeded");
        client->stage = ENDED;
        client->due_ms = INT64_MAX;
        break;
    case ENDED:
        break;
    }
}

/* --- what goes wrong --- */

/* Asked now and then, as a kubelet does. */
static bool is_ready(int replica, int64_t now_ms)
{
    struct lg_reply reply lg_cleanup(lg_reply_done) = {0};
    if (now_ms < run.probe_ms)
        return false;
    run.probe_ms = now_ms + PROBE_MS;
    lg_get_operation(&replicas.of[replica].serve, "/readyz", &reply);
    return reply.status == 200;
}

static void kill_first(int64_t now_ms)
{
    struct lg_serve *serve = &replicas.of[0].serve;
    const char *const options[] = {"--drain", "0s", "--policy", lg_serve_path(serve, "policy.yaml"),
                                   NULL};
    if (!run.killed && run.created >= 8) {
        run.killed = true;
        lg_process_kill(&serve->process);
    } else if (run.killed && !run.restarted && run.created >= 12) {
        run.restarted = true;
        run.out[0] = true;
        lg_serve_start_watching(serve, lg_serve_path(serve, "kubeconfig"), options);
    } else if (run.restarted && run.out[0] && is_ready(0, now_ms)) {
        run.out[0] = false;
    }
}

static void stop_second(int64_t now_ms)
{
    struct lg_serve *serve = &replicas.of[1].serve;
    if (!run.stopped && run.created >= 16) {
        run.stopped = true;
        run.continue_ms = now_ms + PAUSE_MS;
        lg_serve_signal(serve, SIGSTOP);
    } else if (run.stopped && !run.going_on && now_ms >= run.continue_ms) {
        run.going_on = true;
        lg_serve_signal(serve, SIGCONT);
    } else if (run.going_on && run.out[1] && is_ready(1, now_ms)) {
        run.out[1] = false;
    }
}

static struct client *next_due(void)
{
    struct client *next = &clients[0];
    for (int i = 1; i < CREATES; i++)
        if (clients[i].due_ms < next->due_ms)
            next = &clients[i];
    return next;
}

static void all_are_created_in_their_turn_whatever_replicas_die_or_stop(void **state)
{
    (void)state;
    int64_t end_ms = lg_test_now_ms() + CROWD_MS;
    int again = 0, asks = 0;
    memset(&run, 0, sizeof run);
    run.late_ms = -STEADY_MS;
    while (next_due()->stage != ENDED) {
        int64_t now_ms = lg_test_now_ms();
        struct client *next = next_due();
        if (now_ms >= end_ms)
            fail_msg("%d of %d were created in time", run.created, CREATES);
        kill_first(now_ms);
        stop_second(now_ms);
        if (next->due_ms > now_ms)
            lg_test_sleep_ms(next->due_ms - now_ms < 20 ? next->due_ms - now_ms : 20);
        else
            go_on(next, now_ms);
    }
    for (int i = 0; i < CREATES; i++) {
        again += clients[i].cut;
        asks += clients[i].asks;
        assert_in_range(clients[i].cut, 0, 2); /* one for each replica that goes */
    }
    print_message("%lld ms, %d calls, %d of them cut, at most %d at once and %d from a node\n",
                  (long long)(lg_test_now_ms() - end_ms + CROWD_MS), asks, again, run.most,
                  run.most_of_node);
    assert_int_equal(run.created, CREATES);
    assert_in_range(run.most, 2, CLUSTER_MAX);
    assert_in_range(run.most_of_node, 1, NODE_MAX);
    assert_int_equal(run.out_of_turn, 0);
    assert_true(run.restarted && run.stopped);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_are_created_in_their_turn_whatever_replicas_die_or_stop,
                                        start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
