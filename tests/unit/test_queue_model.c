/* The ledger's protocol, tried out exhaustively on a small scale: every order in which asks, reads,
 * writes, lost answers, watches, creations, ends, crashes and expiry can happen, up to a depth.
 * Watches may lag for longer than reservations last. After each step no more migrations are under
 * way, or about to be, than the limits allow; when time has passed, nothing holds a place that no
 * migration has.
 *
 * The queue itself (webhook/limiter/queue.c) and the decision run; what surrounds them is played
 * here: one object with versions, watches that lag, clients. States met before are not tried
 * again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rules/core/map.h"
#include "rules/core/mem.h"
#include "tests/support/objects.h"
#include "webhook/limiter/ledger_text.h"
#include "webhook/limiter/queue.h"
#include "webhook/limiter/unreached.h"

enum {
    REPLICAS_MAX = 3,
    GUESTS = 3,
    EVENTS_MAX = 16,
    DEPTH_MAX = 32,
    ASKS_MAX = 4,
    START_MS = 1000 * 1000
};

/* What is shown is shown without a sanitizer; it has seen all that is run after a sixth of the
 * steps. */
enum { LESS_DEEP = LG_SANITIZED ? 2 : 0 };

/* How much of what can go wrong is tried, beside the order of things. */
struct scope {
    int replicas, depth;
    int64_t cluster, node;
    int asks;        /* a guest */
    int losses;      /* answers of the ledger that are lost */
    int late;        /* answers that leave before the ledger's is there */
    int crashes;     /* of a replica */
    int failed;      /* creations that fail behind us */
    int64_t inbound; /* 0: no such limit; all could go to one node only */
    int expiries;    /* times that reservations grow old, beside the first */
    int again;       /* creates of a guest whose migration is there, which KubeVirt refuses */
};

enum client { WANTS, ASKS, ADMITTED, MIGRATES, ENDED };
enum pending { NOTHING, READ, WRITE, REST };

struct replica {
    struct lg_queue *queue;
    struct lg_unreached *unreached;
    struct lg_inventory *view;
    int events; /* of the world's that its watch has brought */
    enum pending pending;
    struct lg_buf text, version; /* to be written, over which */
    int known;                   /* version of the ledger that it read or wrote last */
    int looked_up[GUESTS];       /* 1 + the ask whose migration the API server is asked for */
};

struct world {
    const struct scope *scope;
    struct lg_arena arena;
    struct replica replicas[REPLICAS_MAX];
    struct lg_buf ledger;
    int version;
    enum client clients[GUESTS];
    int asked[GUESTS], asked_at[GUESTS];
    int carried_by[GUESTS][ASKS_MAX]; /* 1 + the replica that has not done with that ask; 0: none */
    struct lg_queue_job jobs[GUESTS][ASKS_MAX];
    struct {
        int guest, ask;
        bool final;
    } events[EVENTS_MAX];
    int n_events, losses, crashes, failed, late, again;
    bool crashing;
    int64_t now_ms;
    const char *wrong;
};

/* g0 and g1 are on one node, g2 on another. */
static const char *const nodes[GUESTS] = {"n1", "n1", "n2"};
/* Namespaces take turns. */
static const char *const namespaces[GUESTS] = {"a", "b", "a"};
static struct lg_record *guest_records[GUESTS];
static struct lg_record *migration_records[GUESTS][ASKS_MAX][2]; /* of that ask */
static struct lg_objects objects;

static void make_records(void)
{
    lg_objects_init(&objects);
    for (int g = 0; g < GUESTS; g++) {
        char text[512];
        snprintf(text, sizeof text,
                 "{'apiVersion':'kubevirt.io/v1','kind':'VirtualMachineInstance','metadata':"
                 "{'name':'g%d','namespace':'%s'},'status':{'phase':'Running','nodeName':'%s'}}",
                 g, namespaces[g], nodes[g]);
        guest_records[g] = lg_objects_record(&objects, text);
        for (int i = 0; i < ASKS_MAX * 2; i++) {
            snprintf(
                text, sizeof text,
                "{'apiVersion':'kubevirt.io/v1','kind':'VirtualMachineInstanceMigration',"
                "'metadata':{'name':'m%d','namespace':'%s','uid':'id-%d-%d'},'spec':{'vmiName':"
                "'g%d'},'status':{'phase':'%s'}}",
                g, namespaces[g], g, i / 2, g, i % 2 != 0 ? "Succeeded" : "Pending");
            migration_records[g][i / 2][i % 2] = lg_objects_record(&objects, text);
        }
    }
}

static void free_records(void)
{
    for (int g = 0; g < GUESTS; g++) {
        lg_record_unref(guest_records[g]);
        for (int i = 0; i < ASKS_MAX * 2; i++)
            lg_record_unref(migration_records[g][i / 2][i % 2]);
    }
    lg_objects_done(&objects);
}

/* --- what the queue asks of the world --- */

struct end { /* an op's argument: which replica of which world */
    struct world *world;
    int replica;
};

static int64_t now_ms(void *arg)
{
    return ((struct end *)arg)->world->now_ms;
}

static const struct lg_inventory *inventory(void *arg)
{
    struct end *end = arg;
    return end->world->replicas[end->replica].view;
}

static void start_read(void *arg)
{
    struct end *end = arg;
    end->world->replicas[end->replica].pending = READ;
}

static void start_write(void *arg, struct lg_str text, struct lg_str version)
{
    struct end *end = arg;
    struct replica *replica = &end->world->replicas[end->replica];
    replica->pending = WRITE;
    replica->text.n = replica->version.n = 0;
    lg_buf_str(&replica->text, text);
    lg_buf_str(&replica->version, version);
}

static void start_rest(void *arg, int64_t ms)
{
    struct end *end = arg;
    (void)ms; /* any time */
    end->world->replicas[end->replica].pending = REST;
}

static bool tell(void *arg, struct lg_ledger *io_ledger, int64_t at_ms)
{
    struct end *end = arg;
    return lg_unreached_tell(end->world->replicas[end->replica].unreached, io_ledger, at_ms);
}

static void told(void *arg)
{
    struct end *end = arg;
    lg_unreached_told(end->world->replicas[end->replica].unreached);
}

/* Its caller is told to come back, and nobody knows of it yet. */
static void sent_away(struct world *world, int guest)
{
    struct replica *replica = &world->replicas[world->asked_at[guest]];
    struct lg_ask ask = world->jobs[guest][world->asked[guest]].ask;
    ask.now_ms = world->now_ms;
    (void)lg_unreached_answer(replica->unreached, &ask, 0);
    world->clients[guest] = WANTS;
}

/* There is room for all of them. */
static void full(void *arg, const struct lg_err *err)
{
    (void)arg;
    fail_msg("%s", err->text);
}

static void done(void *arg, struct lg_queue_job *job, bool reached)
{
    struct world *world = ((struct end *)arg)->world;
    int guest = (int)((job - world->jobs[0]) / ASKS_MAX);
    world->carried_by[guest][job - world->jobs[guest]] = 0;
    if (job != &world->jobs[guest][world->asked[guest]] || world->clients[guest] != ASKS ||
        world->crashing)
        return; /* its caller has an answer, or none any more */
    if (!reached)
        sent_away(world, guest);
    else if (job->turnout.admitted)
        world->clients[guest] = ADMITTED;
    else
        world->clients[guest] = WANTS;
}

/* The digit that a guest's name or an ask's id ends with. */
static int number_of(struct lg_str name)
{
    return name.p[name.n - 1] - '0';
}

static void look_up(void *arg, const struct lg_reservation *reservation)
{
    struct end *end = arg;
    end->world->replicas[end->replica].looked_up[number_of(reservation->guest)] =
        1 + number_of(reservation->id);
}

/* What the API server says of that guest's migration. */
static void answer_look_up(struct world *world, int r, int guest)
{
    int ask = world->replicas[r].looked_up[guest] - 1;
    bool there = world->clients[guest] == MIGRATES && world->asked[guest] == ask;
    enum lg_seen said = there ? LG_SEEN_UNFINISHED : LG_UNSEEN;
    const struct lg_reservation about = {.ns = guest_records[guest]->ns,
                                         .guest = guest_records[guest]->name,
                                         .id = migration_records[guest][ask][0]->uid};
    world->replicas[r].looked_up[guest] = 0;
    lg_queue_looked_up(world->replicas[r].queue, &about, said);
}

static struct end ends[REPLICAS_MAX];

static void replica_start(struct world *world, int r)
{
    struct replica *replica = &world->replicas[r];
    ends[r] = (struct end){world, r};
    const struct lg_queue_ops ops = {.arg = &ends[r],
                                     .now_ms = now_ms,
                                     .inventory = inventory,
                                     .read = start_read,
                                     .write = start_write,
                                     .rest = start_rest,
                                     .tell = tell,
                                     .told = told,
                                     .look_up = look_up,
                                     .full = full,
                                     .done = done};
    replica->queue = lg_queue_new(&ops);
    replica->unreached = lg_unreached_new();
    replica->pending = NOTHING;
    replica->known = -1;
    memset(replica->looked_up, 0, sizeof replica->looked_up);
}

static void watch_event(struct world *world, int r)
{
    struct replica *replica = &world->replicas[r];
    int at = replica->events++;
    struct lg_record *const *records =
        migration_records[world->events[at].guest][world->events[at].ask];
    lg_inventory_set(replica->view, lg_record_ref(records[world->events[at].final]));
}

static void world_init(struct world *world, const struct scope *scope)
{
    *world = (struct world){.scope = scope, .version = 1, .now_ms = START_MS};
    lg_arena_init(&world->arena);
    for (int r = 0; r < scope->replicas; r++) {
        world->replicas[r].view = lg_inventory_new();
        for (int g = 0; g < GUESTS; g++)
            lg_inventory_set(world->replicas[r].view, lg_record_ref(guest_records[g]));
        replica_start(world, r);
    }
}

static void world_done(struct world *world)
{
    for (int r = 0; r < world->scope->replicas; r++) {
        struct replica *replica = &world->replicas[r];
        world->crashing = true;
        lg_queue_free(replica->queue);
        lg_unreached_free(replica->unreached);
        lg_inventory_free(replica->view);
        lg_buf_done(&replica->text);
        lg_buf_done(&replica->version);
    }
    lg_buf_done(&world->ledger);
    lg_arena_done(&world->arena);
}

/* --- what can happen --- */

enum what {
    ASK,           /* guest, replica */
    REFRESH,       /* replica */
    READ_ANSWERED, /* replica */
    READ_LOST,
    WRITE_ANSWERED,
    WRITE_LOST_DONE, /* written, and nobody is told */
    WRITE_LOST,
    RESTED,
    WATCH,
    CRASH,
    TOLD,    /* guest, replica */
    CREATED, /* guest */
    LATE,
    NOT_CREATED,
    ENDS,
    EXPIRY,
    AGAIN, /* guest, the replica where it asked */
    WHATS
};

struct action {
    unsigned char what, who, at;
};

static bool may(const struct world *world, struct action action)
{
    const struct scope *scope = world->scope;
    const struct replica *replica = &world->replicas[action.at];
    switch ((enum what)action.what) {
    case ASK:
        return world->clients[action.who] == WANTS && world->asked[action.who] < scope->asks;
    case REFRESH: /* only where it brings something before time passes */
        return replica->pending == NOTHING && replica->known != world->version;
    case READ_ANSWERED:
        return replica->pending == READ;
    case READ_LOST:
        return replica->pending == READ && world->losses < scope->losses;
    case WRITE_ANSWERED:
        return replica->pending == WRITE;
    case WRITE_LOST_DONE:
    case WRITE_LOST:
        return replica->pending == WRITE && world->losses < scope->losses;
    case RESTED:
        return replica->pending == REST;
    case LATE:
        return world->clients[action.who] == ASKS && world->late < scope->late;
    case WATCH:
        return replica->events < world->n_events;
    case CRASH:
        return world->crashes < scope->crashes;
    case TOLD:
        return replica->looked_up[action.who];
    case CREATED:
        return world->clients[action.who] == ADMITTED && world->n_events < EVENTS_MAX;
    case NOT_CREATED:
        return world->clients[action.who] == ADMITTED && world->failed < scope->failed;
    case ENDS:
        return world->clients[action.who] == MIGRATES && world->n_events < EVENTS_MAX;
    case EXPIRY:
        /* A creation takes less than a reservation lasts, and every replica looks at the ledger. */
        for (int r = 0; r < scope->replicas; r++)
            if (world->replicas[r].pending != NOTHING || world->replicas[r].known != world->version)
                return false;
        for (int g = 0; g < GUESTS; g++)
            if (world->clients[g] == ADMITTED)
                return false;
        return world->now_ms <= START_MS + scope->expiries * LG_RESERVATION_MS;
    case AGAIN:
        return world->clients[action.who] == MIGRATES && world->again < scope->again;
    case WHATS:
        break;
    }
    return false;
}

static void event(struct world *world, int guest, bool final)
{
    world->events[world->n_events].guest = guest;
    world->events[world->n_events].ask = world->asked[guest];
    world->events[world->n_events++].final = final;
}

static void submit(struct world *world, int guest, int n, int r)
{
    static const struct lg_str target = {"n9", 2};
    struct lg_queue_job *job = &world->jobs[guest][n];
    const struct lg_record *record = migration_records[guest][n][0];
    world->carried_by[guest][n] = 1 + r;
    *job = (struct lg_queue_job){
        .arena = &world->arena,
        .until_ms = INT64_MAX,
        .ask = {.ns = guest_records[guest]->ns,
                .guest = guest_records[guest]->name,
                .node = lg_str_of(nodes[guest]),
                .name = record->name,
                .id = record->uid,
                .user = LG_STR("u"),
                .targets = &target,
                .n_targets = 1,
                .limit = {world->scope->cluster, world->scope->node, world->scope->inbound}}};
    lg_queue_submit(world->replicas[r].queue, job);
}

static void ask(struct world *world, int guest, int r)
{
    world->asked_at[guest] = r;
    world->clients[guest] = ASKS;
    submit(world, guest, ++world->asked[guest], r);
}

/* Whatever livegate says, nothing comes of it. */
static void ask_again(struct world *world, int guest)
{
    world->again++;
    submit(world, guest, ASKS_MAX - 1, world->asked_at[guest]);
}

static void write_reaches(struct world *world, struct replica *replica, bool told)
{
    char version[16];
    snprintf(version, sizeof version, "%d", world->version);
    replica->pending = NOTHING;
    bool fits = lg_str_is(lg_buf_view(&replica->version), version);
    if (fits) {
        world->ledger.n = 0;
        lg_buf_str(&world->ledger, lg_buf_view(&replica->text));
        world->version++;
    }
    if (!told) {
        lg_queue_failed(replica->queue);
    } else if (fits) {
        replica->known = world->version;
        lg_queue_written(replica->queue);
    } else {
        lg_queue_conflict(replica->queue);
    }
}

/* Its calls are cut: those clients saw an error, and may ask again. It comes back with a fresh
 * list. */
static void crash(struct world *world, int r)
{
    world->crashing = true;
    lg_queue_free(world->replicas[r].queue);
    lg_unreached_free(world->replicas[r].unreached);
    world->crashing = false;
    for (int g = 0; g < GUESTS; g++)
        if (world->clients[g] == ASKS && world->asked_at[g] == r)
            world->clients[g] = WANTS;
    while (world->replicas[r].events < world->n_events)
        watch_event(world, r);
    replica_start(world, r);
}

static int under_way(const struct world *world, const char *node)
{
    int n = 0;
    for (int g = 0; g < GUESTS; g++)
        n += (world->clients[g] == ADMITTED || world->clients[g] == MIGRATES) &&
             (node == NULL || strcmp(nodes[g], node) == 0);
    return n;
}

static void look(struct world *world, int r)
{
    struct replica *replica = &world->replicas[r];
    char version[16];
    snprintf(version, sizeof version, "%d", world->version);
    lg_queue_refresh(replica->queue);
    if (replica->pending != READ)
        world->wrong = "a replica that is idle does not look at the ledger";
    replica->pending = NOTHING;
    replica->known = world->version;
    lg_queue_read(replica->queue, lg_buf_view(&world->ledger), lg_str_of(version));
    if (replica->pending == WRITE) /* what is over is told to the others */
        write_reaches(world, replica, true);
}

/* Whoever looks now, and is told what it asks, counts what there is, and nothing else. */
static void check_leak(struct world *world)
{
    for (int r = 0; r < world->scope->replicas; r++) {
        struct replica *replica = &world->replicas[r];
        if (replica->events != world->n_events)
            continue;
        look(world, r);
        for (int g = 0; g < GUESTS; g++)
            if (replica->looked_up[g])
                answer_look_up(world, r, g);
        look(world, r);
        size_t used =
            lg_limits_used(lg_inventory_slots(replica->view), lg_queue_ledger(replica->queue));
        if (used != (size_t)under_way(world, NULL))
            world->wrong = "a place is held by nobody";
    }
}

static void happen(struct world *world, struct action action)
{
    struct replica *replica = &world->replicas[action.at];
    char version[16];
    switch ((enum what)action.what) {
    case ASK:
        ask(world, action.who, action.at);
        break;
    case REFRESH:
        lg_queue_refresh(replica->queue);
        break;
    case READ_ANSWERED:
        snprintf(version, sizeof version, "%d", world->version);
        replica->pending = NOTHING;
        replica->known = world->version;
        lg_queue_read(replica->queue, lg_buf_view(&world->ledger), lg_str_of(version));
        break;
    case READ_LOST:
        world->losses++;
        replica->pending = NOTHING;
        lg_queue_failed(replica->queue);
        break;
    case WRITE_ANSWERED:
        write_reaches(world, replica, true);
        break;
    case WRITE_LOST_DONE:
        world->losses++;
        write_reaches(world, replica, false);
        break;
    case WRITE_LOST:
        world->losses++;
        replica->pending = NOTHING;
        lg_queue_failed(replica->queue);
        break;
    case WATCH:
        watch_event(world, action.at);
        break;
    case CRASH:
        world->crashes++;
        crash(world, action.at);
        break;
    case TOLD:
        answer_look_up(world, action.at, action.who);
        break;
    case CREATED:
        world->clients[action.who] = MIGRATES;
        event(world, action.who, false);
        break;
    case RESTED:
        replica->pending = NOTHING;
        lg_queue_rested(replica->queue);
        break;
    case LATE:
        world->late++;
        sent_away(world, action.who);
        break;
    case NOT_CREATED:
        world->failed++;
        world->clients[action.who] = ENDED;
        break;
    case ENDS:
        world->clients[action.who] = ENDED;
        event(world, action.who, true);
        break;
    case EXPIRY:
        world->now_ms += LG_RESERVATION_MS;
        check_leak(world);
        break;
    case AGAIN:
        ask_again(world, action.who);
        break;
    case WHATS:
        break;
    }
    if (world->scope->inbound != 0 && under_way(world, NULL) > world->scope->inbound)
        world->wrong = "more go to the node than policy allows";
    if (under_way(world, NULL) > world->scope->cluster)
        world->wrong = "over the cluster's limit";
    if (under_way(world, "n1") > world->scope->node || under_way(world, "n2") > world->scope->node)
        world->wrong = "over a node's limit";
}

/* --- all orders --- */

struct search {
    const struct scope *scope;
    struct action path[DEPTH_MAX];
    struct lg_map seen; /* state -> how many steps were tried from it */
    struct lg_arena arena;
    size_t states, steps;
};

static void describe(struct world *world, struct lg_buf *out)
{
    lg_buf_str(out, lg_buf_view(&world->ledger));
    lg_buf_printf(out, "|%d %d %d %d %d %lld", world->losses, world->crashes, world->failed,
                  world->late, world->again, (long long)world->now_ms);
    for (int g = 0; g < GUESTS; g++) {
        lg_buf_printf(out, "|%d %d %d", world->clients[g], world->asked[g], world->asked_at[g]);
        for (int i = 0; i < ASKS_MAX; i++)
            lg_buf_printf(out, "%d", world->carried_by[g][i]);
    }
    for (int e = 0; e < world->n_events; e++)
        lg_buf_printf(out, ",%d%d%d", world->events[e].guest, world->events[e].ask,
                      world->events[e].final);
    for (int r = 0; r < world->scope->replicas; r++) {
        struct replica *replica = &world->replicas[r];
        struct lg_ledger *known = (struct lg_ledger *)lg_queue_ledger(replica->queue);
        lg_buf_printf(out, "|%d %d %d ", replica->events, replica->pending,
                      replica->known == world->version);
        assert_int_equal(lg_ledger_write(known, world->now_ms, out, NULL), LG_E_OK);
        for (size_t i = 0; i < known->n_reservations; i++) {
            const struct lg_reservation *reservation = &known->reservations[i];
            lg_buf_printf(out, "%c%.*s", reservation->seen ? 's' : '-',
                          LG_ARG(reservation->instead_of));
            if (reservation->held)
                lg_buf_printf(out, "%d%d%d%.*s", number_of(reservation->guest), reservation->gone,
                              reservation->ask_ms > world->now_ms, LG_ARG(reservation->first_id));
        }
        for (int g = 0; g < GUESTS; g++)
            lg_buf_printf(out, "?%d", replica->looked_up[g]);
        /* What it has to tell; the world is looked at for the last time. */
        struct lg_ledger untold lg_cleanup(lg_ledger_done) = {0};
        (void)lg_unreached_tell(replica->unreached, &untold, world->now_ms);
        assert_int_equal(lg_ledger_write(&untold, world->now_ms, out, NULL), LG_E_OK);
        if (replica->pending == WRITE) {
            char version[16];
            snprintf(version, sizeof version, "%d", world->version);
            lg_buf_putc(out, lg_str_is(lg_buf_view(&replica->version), version) ? '=' : '!');
            lg_buf_str(out, lg_buf_view(&replica->text));
        }
    }
}

/* False where as many steps were tried from this state before. */
static bool is_new(struct search *search, struct world *world, int left)
{
    struct lg_buf state lg_cleanup(lg_buf_done) = {0};
    describe(world, &state);
    int *tried = lg_map_get(&search->seen, lg_buf_view(&state));
    if (tried != NULL && *tried >= left)
        return false;
    if (tried == NULL) {
        tried = lg_arena_alloc(&search->arena, sizeof *tried);
        lg_map_set(&search->seen, lg_arena_str(&search->arena, lg_buf_view(&state)), tried);
        search->states++;
    }
    *tried = left;
    return true;
}

static void say_path(const struct search *search, int depth)
{
    static const char *const names[] = {"ask",        "refresh",        "read answered",
                                        "read lost",  "write answered", "write done, answer lost",
                                        "write lost", "rested",         "watch",
                                        "crash",      "told",           "created",
                                        "late",       "not created",    "ends",
                                        "expiry",     "again"};
    for (int i = 0; i < depth; i++)
        print_error("  %s guest %d replica %d\n", names[search->path[i].what], search->path[i].who,
                    search->path[i].at);
}

static void replay(const struct search *search, int depth, struct world *ret)
{
    world_init(ret, search->scope);
    for (int i = 0; i < depth; i++)
        happen(ret, search->path[i]);
}

static void try_all(struct search *search, int depth)
{
    struct world world;
    replay(search, depth, &world);
    search->steps++;
    if (world.wrong != NULL) {
        say_path(search, depth);
        fail_msg("%s", world.wrong);
    }
    bool go_on =
        depth < search->scope->depth && is_new(search, &world, search->scope->depth - depth);
    struct action next[128];
    size_t n = 0;
    for (int what = 0; go_on && what < WHATS; what++)
        for (int who = 0; who < (what == ASK || what >= TOLD ? GUESTS : 1); who++)
            for (int at = 0; at < (what < CREATED ? search->scope->replicas : 1); at++) {
                struct action action = {(unsigned char)what, (unsigned char)who, (unsigned char)at};
                if ((what != EXPIRY || who == 0) && may(&world, action))
                    next[n++] = action;
            }
    world_done(&world);
    for (size_t i = 0; i < n; i++) {
        search->path[depth] = next[i];
        try_all(search, depth + 1);
    }
}

/* LG_MODEL_DEEPER=2 tries orders that are two steps longer. */
static void explore(const struct scope *at_least)
{
    const char *deeper = getenv("LG_MODEL_DEEPER");
    struct scope wanted = *at_least;
    wanted.depth += deeper != NULL ? atoi(deeper) : -LESS_DEEP;
    assert_in_range(wanted.depth, 1, DEPTH_MAX);
    const struct scope *scope = &wanted;
    struct search search = {.scope = scope};
    lg_arena_init(&search.arena);
    try_all(&search, 0);
    print_message("%d replicas, depth %d, limits %d and %d, %d lost, %d crashes, %d failed: "
                  "%zu states, %zu steps\n",
                  scope->replicas, scope->depth, (int)scope->cluster, (int)scope->node,
                  scope->losses, scope->crashes, scope->failed, search.states, search.steps);
    assert_true(search.states > 1000);
    lg_map_done(&search.seen);
    lg_arena_done(&search.arena);
}

static void two_replicas_whose_watches_lag(void **state)
{
    (void)state;
    explore(&(struct scope){.replicas = 2, .depth = 11, .cluster = 1, .node = 1, .asks = 2});
}

static void two_replicas_and_answers_that_do_not_wait(void **state)
{
    (void)state;
    explore(
        &(struct scope){.replicas = 2, .depth = 8, .cluster = 1, .node = 1, .asks = 2, .late = 1});
}

static void two_replicas_and_lost_answers(void **state)
{
    (void)state;
    explore(&(struct scope){
        .replicas = 2, .depth = 9, .cluster = 1, .node = 1, .asks = 2, .losses = 1});
}

static void two_replicas_of_which_one_crashes(void **state)
{
    (void)state;
    explore(&(struct scope){
        .replicas = 2, .depth = 8, .cluster = 1, .node = 1, .asks = 2, .crashes = 1, .failed = 1});
}

/* Its watch lags while the migration runs: the first one's place is not given away because there is
 * no second one. */
static void a_second_create_of_a_guest(void **state)
{
    (void)state;
    explore(&(struct scope){
        .replicas = 1, .depth = 15, .cluster = 1, .node = 1, .asks = 2, .again = 1});
}

static void a_node_is_full_before_the_cluster(void **state)
{
    (void)state;
    explore(&(struct scope){
        .replicas = 2, .depth = 9, .cluster = 2, .node = 1, .asks = 1, .losses = 1, .failed = 1});
}

static void three_replicas(void **state)
{
    (void)state;
    explore(&(struct scope){
        .replicas = 3, .depth = 8, .cluster = 1, .node = 1, .asks = 1, .losses = 1});
}

/* Policy's own limit, beside the others: nobody's target is ever known. */
static void two_replicas_and_one_target(void **state)
{
    (void)state;
    explore(&(struct scope){
        .replicas = 2, .depth = 9, .cluster = 3, .node = 2, .inbound = 1, .asks = 2, .failed = 1});
}

/* What is there for longer than two reservations last, and was never seen. */
static void time_passes_twice(void **state)
{
    (void)state;
    explore(&(struct scope){
        .replicas = 1, .depth = 12, .cluster = 1, .node = 1, .asks = 2, .expiries = 1, .again = 1});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_replicas_whose_watches_lag),
        cmocka_unit_test(two_replicas_and_lost_answers),
        cmocka_unit_test(two_replicas_and_answers_that_do_not_wait),
        cmocka_unit_test(two_replicas_of_which_one_crashes),
        cmocka_unit_test(a_second_create_of_a_guest),
        cmocka_unit_test(a_node_is_full_before_the_cluster),
        cmocka_unit_test(two_replicas_and_one_target),
        cmocka_unit_test(time_passes_twice),
        cmocka_unit_test(three_replicas),
    };
    make_records();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free_records();
    return failed;
}
