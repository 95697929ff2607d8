/* Crowds of clients that do what kubectl does, over replicas that share a ledger: whoever asks is
 * let through in the end by the ten retries that client-go has, and never more than the limits at
 * once. Time is played, so that an hour of a cluster takes a moment; the queue and the decision are
 * the real ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rules/core/mem.h"
#include "tests/support/objects.h"
#include "webhook/limiter/ledger_text.h"
#include "webhook/limiter/queue.h"
#include "webhook/limiter/unreached.h"
#include "webhook/runtime/random.h"

enum {
    REPLICAS = 3,
    GUESTS_MAX = 120,
    EVENTS_MAX = 4096,
    REVIEW_MS = 2100, /* how long a review waits for its turn */
};

/* What a crowd is like. */
struct crowd {
    const char *name;
    int guests, namespaces, nodes;
    int drained; /* of them: created by a controller, all at once */
    int64_t cluster, node;
    int64_t least_ms, most_ms;           /* a migration lasts */
    int64_t long_ms;                     /* every 20th lasts so long instead; 0: none does */
    int64_t call_ms;                     /* a call of the ledger takes up to */
    int64_t away_from_ms, away_until_ms; /* each call of the ledger fails */
};

enum happens { READ, WRITE, RESTED, LOOK, ASK, DEADLINE, CREATED, SEEN, ENDS };

struct event {
    int64_t at_ms;
    enum happens what;
    int who; /* a replica or a guest */
    int n;   /* which of its asks; which of the records is seen */
};

enum stage { WAITS, ASKS, ADMITTED, PENDING, RUNS, OVER };

struct client {
    char name[16], ns[16], node[16];
    enum stage stage;
    bool drained;
    int answers; /* refusals that it has had */
    int asks, at;
    int64_t began_ms, created_ms, lasts_ms;
    struct lg_str uid;
    struct lg_ask asked; /* last */
    struct lg_record *records[2];
};

struct asked { /* its caller may have gone on */
    struct lg_queue_job job;
    int client, n;
};

struct replica {
    struct lg_queue *queue;
    struct lg_unreached *unreached;
    struct lg_inventory *view;
    struct lg_buf text, version;
};

static struct {
    const struct crowd *crowd;
    struct replica replicas[REPLICAS];
    struct client clients[GUESTS_MAX];
    struct event events[EVENTS_MAX];
    int n_events, created;
    struct lg_buf ledger;
    int version;
    int64_t now_ms, begin_ms;
    uint64_t random;
    struct lg_objects objects;
    int gave_up, most, most_of_node, unreached, most_answers;
} world;

static int64_t between(int64_t least, int64_t most)
{
    return least + (int64_t)(lg_random_next(&world.random) % (uint64_t)(most - least + 1));
}

static void plan(int64_t in_ms, enum happens what, int who, int n)
{
    assert_true(world.n_events < EVENTS_MAX);
    world.events[world.n_events++] = (struct event){world.now_ms + in_ms, what, who, n};
}

/* --- what the queue asks of the world --- */

static int64_t now_ms(void *arg)
{
    (void)arg;
    return world.now_ms;
}

static const struct lg_inventory *inventory(void *arg)
{
    return ((struct replica *)arg)->view;
}

static int index_of(void *arg)
{
    return (int)((struct replica *)arg - world.replicas);
}

static int64_t call_ms(void)
{
    return between(1, world.crowd->call_ms);
}

static bool is_away(void)
{
    int64_t since = world.now_ms - world.begin_ms;
    return since >= world.crowd->away_from_ms && since < world.crowd->away_until_ms;
}

static void start_read(void *arg)
{
    plan(call_ms(), READ, index_of(arg), 0);
}

static void start_write(void *arg, struct lg_str text, struct lg_str version)
{
    struct replica *replica = arg;
    replica->text.n = replica->version.n = 0;
    lg_buf_str(&replica->text, text);
    lg_buf_str(&replica->version, version);
    plan(call_ms(), WRITE, index_of(arg), 0);
}

static void start_rest(void *arg, int64_t ms)
{
    plan(ms, RESTED, index_of(arg), 0);
}

static bool tell(void *arg, struct lg_ledger *io_ledger, int64_t at_ms)
{
    return lg_unreached_tell(((struct replica *)arg)->unreached, io_ledger, at_ms);
}

static void told(void *arg)
{
    lg_unreached_told(((struct replica *)arg)->unreached);
}

static void refused(int i, int retry_after_s)
{
    struct client *client = &world.clients[i];
    client->stage = WAITS;
    client->answers++;
    if (client->answers > world.most_answers)
        world.most_answers = client->answers;
    if (client->answers > LG_RETRIES) {
        client->stage = OVER;
        world.gave_up++;
        return;
    }
    plan(retry_after_s * (int64_t)1000 + between(5, 60), ASK, i, 0);
}

/* There is room for all of them. */
static void full(void *arg, const struct lg_err *err)
{
    (void)arg;
    fail_msg("%s", err->text);
}

static void done(void *arg, struct lg_queue_job *job, bool reached)
{
    (void)arg;
    const struct asked *asked = (const struct asked *)job; /* its first member */
    struct client *client = &world.clients[asked->client];
    if (client->stage != ASKS || client->asks != asked->n || !reached ||
        world.now_ms >= job->until_ms)
        return; /* its deadline speaks */
    if (!job->turnout.admitted) {
        refused(asked->client, job->turnout.retry_after_s);
        return;
    }
    client->stage = ADMITTED;
    plan(between(2, 30), CREATED, asked->client, 0);
}

/* --- what happens --- */

static void ask(int i)
{
    struct client *client = &world.clients[i];
    if (client->stage != WAITS)
        return;
    client->stage = ASKS;
    client->at = (int)between(0, REPLICAS - 1);
    client->uid = lg_arena_printf(&world.objects.arena, "%s-%d", client->name, ++client->asks);
    struct replica *replica = &world.replicas[client->at];
    client->asked =
        (struct lg_ask){.ns = lg_str_of(client->ns),
                        .guest = lg_str_of(client->name),
                        .node = lg_str_of(client->node),
                        .name = lg_str_of(client->name),
                        .id = client->uid,
                        .user = LG_STR("u"),
                        .limit = {world.crowd->cluster, world.crowd->node, 0},
                        .typical_s = lg_slots_typical_s(lg_inventory_slots(replica->view)),
                        .now_unix_s = world.now_ms / 1000};
    struct asked *asked = lg_arena_alloc(&world.objects.arena, sizeof *asked);
    *asked = (struct asked){.job = {.arena = &world.objects.arena,
                                    .until_ms = world.now_ms + REVIEW_MS,
                                    .ask = client->asked},
                            .client = i,
                            .n = client->asks};
    plan(REVIEW_MS, DEADLINE, i, client->asks);
    lg_queue_submit(replica->queue, &asked->job);
}

static void deadline(int i, int n)
{
    struct client *client = &world.clients[i];
    if (client->stage != ASKS || client->asks != n)
        return;
    struct replica *replica = &world.replicas[client->at];
    const struct lg_ticket *ticket =
        lg_ledger_ticket(lg_queue_ledger(replica->queue), lg_str_of(client->ns),
                         lg_str_of(client->name), LG_STR("u"));
    struct lg_ask asked = client->asked;
    asked.now_ms = world.now_ms;
    world.unreached++;
    refused(i, lg_unreached_answer(replica->unreached, &asked, ticket != NULL ? ticket->tries : 0));
}

static void show(int i, int which, const char *status)
{
    struct client *client = &world.clients[i];
    char text[512];
    snprintf(text, sizeof text,
             "{'apiVersion':'kubevirt.io/v1','kind':'VirtualMachineInstanceMigration','metadata':"
             "{'name':'%s','namespace':'%s','uid':'%s'},'spec':{'vmiName':'%s'},'status':{%s}}",
             client->name, client->ns, client->uid.p, client->name, status);
    client->records[which] = lg_objects_record(&world.objects, text);
    for (int r = 0; r < REPLICAS; r++)
        plan(between(5, 300), SEEN, r, i * 2 + which);
}

/* KubeVirt: starts what it may, first come first served. */
static void start_some(void)
{
    int running = 0;
    for (int i = 0; i < world.crowd->guests; i++)
        running += world.clients[i].stage == RUNS;
    for (int i = 0; i < world.crowd->guests && running < world.crowd->cluster; i++) {
        struct client *client = &world.clients[i];
        int of_node = 0;
        for (int k = 0; k < world.crowd->guests; k++)
            of_node +=
                world.clients[k].stage == RUNS && strcmp(world.clients[k].node, client->node) == 0;
        if (client->stage != PENDING || of_node >= world.crowd->node)
            continue;
        client->stage = RUNS;
        running++;
        plan(client->lasts_ms, ENDS, i, 0);
    }
}

/* Drained ones count, and are nobody's to hold back: only what was let through has a limit. */
static void count(int i)
{
    int all = 0, of_node = 0;
    for (int k = 0; k < world.crowd->guests; k++) {
        const struct client *client = &world.clients[k];
        if (client->stage != PENDING && client->stage != RUNS)
            continue;
        all++;
        of_node += strcmp(client->node, world.clients[i].node) == 0;
    }
    if (world.clients[i].drained)
        return;
    world.most = all > world.most ? all : world.most;
    world.most_of_node = of_node > world.most_of_node ? of_node : world.most_of_node;
}

static void created(int i)
{
    struct client *client = &world.clients[i];
    const struct crowd *crowd = world.crowd;
    bool lasts = crowd->long_ms != 0 && world.created++ % 20 == 0;
    client->lasts_ms = lasts ? crowd->long_ms : between(crowd->least_ms, crowd->most_ms);
    client->stage = PENDING;
    client->created_ms = world.now_ms;
    count(i);
    show(i, 0, "'phase':'Pending'");
    start_some();
}

static void ends(int i)
{
    char status[160];
    int64_t s = (world.clients[i].lasts_ms + 500) / 1000;
    snprintf(status, sizeof status,
             "'phase':'Succeeded','migrationState':{'startTimestamp':'2026-01-01T00:00:00Z',"
             "'endTimestamp':'2026-01-01T%02d:%02d:%02dZ'}",
             (int)(s / 3600), (int)(s / 60 % 60), (int)(s % 60));
    world.clients[i].stage = OVER;
    show(i, 1, status);
    start_some();
}

static void read_ends(struct replica *replica)
{
    char version[16];
    if (is_away()) {
        lg_queue_failed(replica->queue);
        return;
    }
    snprintf(version, sizeof version, "%d", world.version);
    lg_queue_read(replica->queue, lg_buf_view(&world.ledger), lg_str_of(version));
}

static void write_ends(struct replica *replica)
{
    char version[16];
    snprintf(version, sizeof version, "%d", world.version);
    if (is_away()) {
        lg_queue_failed(replica->queue);
    } else if (!lg_str_is(lg_buf_view(&replica->version), version)) {
        lg_queue_conflict(replica->queue);
    } else {
        world.ledger.n = 0;
        lg_buf_str(&world.ledger, lg_buf_view(&replica->text));
        world.version++;
        lg_queue_written(replica->queue);
    }
}

static void happen(const struct event *event)
{
    struct replica *replica = &world.replicas[event->who < REPLICAS ? event->who : 0];
    switch (event->what) {
    case READ:
        read_ends(replica);
        break;
    case WRITE:
        write_ends(replica);
        break;
    case RESTED:
        lg_queue_rested(replica->queue);
        break;
    case LOOK:
        lg_queue_refresh(replica->queue);
        plan(LG_QUEUE_LOOK_MS, LOOK, event->who, 0);
        break;
    case ASK:
        ask(event->who);
        break;
    case DEADLINE:
        deadline(event->who, event->n);
        break;
    case CREATED:
        created(event->who);
        break;
    case SEEN:
        lg_inventory_set(replica->view,
                         lg_record_ref(world.clients[event->n / 2].records[event->n % 2]));
        break;
    case ENDS:
        ends(event->who);
        break;
    }
}

static bool next_event(struct event *ret)
{
    int first = 0;
    for (int i = 1; i < world.n_events; i++)
        if (world.events[i].at_ms < world.events[first].at_ms)
            first = i;
    if (world.n_events == 0)
        return false;
    *ret = world.events[first];
    world.events[first] = world.events[--world.n_events];
    return true;
}

/* --- a run --- */

static void replica_start(struct replica *replica)
{
    replica->view = lg_inventory_new();
    replica->unreached = lg_unreached_new();
    replica->queue = lg_queue_new(&(struct lg_queue_ops){.arg = replica,
                                                         .seed = lg_random_next(&world.random),
                                                         .now_ms = now_ms,
                                                         .inventory = inventory,
                                                         .read = start_read,
                                                         .write = start_write,
                                                         .rest = start_rest,
                                                         .tell = tell,
                                                         .told = told,
                                                         .full = full,
                                                         .done = done});
    plan(between(1, LG_QUEUE_LOOK_MS), LOOK, (int)(replica - world.replicas), 0);
}

static void client_start(int i)
{
    struct client *client = &world.clients[i];
    const struct crowd *crowd = world.crowd;
    char text[512];
    *client = (struct client){.drained = i < crowd->drained};
    snprintf(client->name, sizeof client->name, "g%d", i);
    snprintf(client->ns, sizeof client->ns, "ns%d", i % crowd->namespaces);
    snprintf(client->node, sizeof client->node, "n%d", i % crowd->nodes);
    snprintf(text, sizeof text,
             "{'apiVersion':'kubevirt.io/v1','kind':'VirtualMachineInstance','metadata':"
             "{'name':'%s','namespace':'%s'},'status':{'phase':'Running','nodeName':'%s'}}",
             client->name, client->ns, client->node);
    for (int r = 0; r < REPLICAS; r++)
        lg_inventory_set(world.replicas[r].view, lg_objects_record(&world.objects, text));
    client->uid = lg_str_of(client->name);
    if (client->drained)
        plan(1, CREATED, i, 0);
    else
        plan(crowd->drained != 0 ? between(1000, 3000) : between(1, 1500), ASK, i, 0);
}

static void run_begins(const struct crowd *crowd, uint64_t seed)
{
    memset(&world, 0, sizeof world);
    world.crowd = crowd;
    world.random = seed;
    world.version = 1;
    world.now_ms = world.begin_ms = 1000 * 1000;
    lg_objects_init(&world.objects);
    for (int r = 0; r < REPLICAS; r++)
        replica_start(&world.replicas[r]);
    for (int i = 0; i < crowd->guests; i++)
        client_start(i);
}

static void run_ends(void)
{
    for (int r = 0; r < REPLICAS; r++) {
        lg_queue_free(world.replicas[r].queue);
        lg_unreached_free(world.replicas[r].unreached);
        lg_inventory_free(world.replicas[r].view);
        lg_buf_done(&world.replicas[r].text);
        lg_buf_done(&world.replicas[r].version);
    }
    for (int i = 0; i < world.crowd->guests; i++) {
        lg_record_unref(world.clients[i].records[0]);
        lg_record_unref(world.clients[i].records[1]);
    }
    lg_buf_done(&world.ledger);
    lg_objects_done(&world.objects);
}

static bool all_over(void)
{
    for (int i = 0; i < world.crowd->guests; i++)
        if (world.clients[i].stage != OVER)
            return false;
    return true;
}

static void run(const struct crowd *crowd, int times)
{
    int gave_up = 0, unreached = 0, most_answers = 0;
    int64_t took_ms = 0;
    for (int seed = 1; seed <= times; seed++) {
        struct event event;
        run_begins(crowd, (uint64_t)seed);
        while (!all_over() && next_event(&event)) {
            world.now_ms = event.at_ms;
            happen(&event);
            assert_true(world.now_ms - world.begin_ms < 24 * 3600 * (int64_t)1000);
        }
        gave_up += world.gave_up;
        unreached += world.unreached;
        took_ms += world.now_ms - world.begin_ms;
        most_answers = world.most_answers > most_answers ? world.most_answers : most_answers;
        assert_true(world.most <= crowd->cluster);
        assert_true(world.most_of_node <= crowd->node);
        run_ends();
    }
    print_message("%s: %d runs of %d, %d answers without the ledger, at most %d answers, %d s on "
                  "average, %d gave up\n",
                  crowd->name, times, crowd->guests, unreached, most_answers,
                  (int)(took_ms / 1000 / times), gave_up);
    assert_int_equal(gave_up, 0);
}
/* LG_CROWD_RUNS=200 tries more of them. */
static int runs(void)
{
    const char *more = getenv("LG_CROWD_RUNS");
    return more != NULL ? atoi(more) : 4;
}

static const struct crowd forty = {
    .guests = 40,
    .namespaces = 3,
    .nodes = 5,
    .cluster = 5,
    .node = 2,
    .least_ms = 2000,
    .most_ms = 6000,
    .call_ms = 40,
};

static void some_last_long(void **state)
{
    (void)state;
    struct crowd crowd = forty;
    crowd.name = "some last 90 s";
    crowd.long_ms = 90 * 1000;
    run(&crowd, runs());
    crowd.name = "the same, all from one node";
    crowd.nodes = 1;
    run(&crowd, runs());
}

static void all_last_long(void **state)
{
    (void)state;
    struct crowd crowd = forty;
    crowd.name = "all last 1 to 2 min";
    crowd.least_ms = 60 * 1000;
    crowd.most_ms = 120 * 1000;
    run(&crowd, runs());
}

static void a_slow_ledger(void **state)
{
    (void)state;
    struct crowd crowd = forty;
    crowd.name = "a call of the ledger takes up to 0.6 s";
    crowd.long_ms = 90 * 1000;
    crowd.call_ms = 600;
    run(&crowd, runs());
}

static void a_ledger_that_is_away(void **state)
{
    (void)state;
    struct crowd crowd = forty;
    crowd.name = "the ledger is away for 30 s";
    crowd.long_ms = 90 * 1000;
    crowd.away_from_ms = 10 * 1000;
    crowd.away_until_ms = 40 * 1000;
    run(&crowd, runs());
}

/* Who is drained is counted, and 20 people wait behind it. */
static void a_drain_of_fifty(void **state)
{
    (void)state;
    struct crowd crowd = forty;
    crowd.name = "a drain of 50, short ones";
    crowd.guests = 70;
    crowd.drained = 50;
    run(&crowd, runs());
    crowd.name = "a drain of 50, 1 to 2 min each";
    crowd.least_ms = 60 * 1000;
    crowd.most_ms = 120 * 1000;
    run(&crowd, runs());
}

/* Replicas that are seldom asked learn late what others told, and count no answer twice or not at
 * all for it. */
static void a_few(void **state)
{
    (void)state;
    const struct crowd crowd = {
        .name = "three, one after the other, 1 to 3 min each",
        .guests = 3,
        .namespaces = 2,
        .nodes = 1,
        .cluster = 1,
        .node = 1,
        .least_ms = 60 * 1000,
        .most_ms = 180 * 1000,
        .call_ms = 40,
    };
    run(&crowd, 10 * runs());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(some_last_long),   cmocka_unit_test(all_last_long),
        cmocka_unit_test(a_slow_ledger),    cmocka_unit_test(a_ledger_that_is_away),
        cmocka_unit_test(a_drain_of_fifty), cmocka_unit_test(a_few),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
