/* The limiter's decision: what counts, and what a reservation stands for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "rules/core/mem.h"
#include "rules/virt/limits_nodes.h"
#include "tests/unit/limits_world.h"

/* --- what counts --- */

static void a_migration_counts_by_its_phase(void **state)
{
    (void)state;
    static const struct {
        const char *phase;
        size_t used, running;
    } rows[] = {
        {"", 1, 0},
        {"Pending", 1, 0},
        {"Scheduling", 1, 1},
        {"Scheduled", 1, 1},
        {"PreparingTarget", 1, 1},
        {"TargetReady", 1, 1},
        {"Running", 1, 1},
        {"Succeeded", 0, 0},
        {"Failed", 0, 0},
        {"WaitingForSync", 0, 0},
        {"Synchronizing", 0, 0},
        {"SomethingNew", 1, 1},
    };
    guest("web", "db", "n1");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        migration("web", "m", "db", rows[i].phase);
        if (used() != rows[i].used || outbound("n1") != rows[i].used ||
            lg_slots_running(lg_inventory_slots(inv)) != rows[i].running)
            fail_msg("%s: %zu used, %zu out", rows[i].phase, used(), outbound("n1"));
    }
    migration("web", "m", "db", "Running");
    lg_inventory_remove(inv, LG_KIND_MIGRATION, LG_STR("web"), LG_STR("m"));
    assert_int_equal(used(), 0);
    assert_int_equal(outbound("n1"), 0);
}

static void a_waiting_one_counts_only_while_kubevirt_could_start_it(void **state)
{
    (void)state;
    static const char *const guests[] = {
        "'phase':'Scheduling','nodeName':'n1'", "'phase':'Succeeded','nodeName':'n1'",
        "'phase':'Failed','nodeName':'n1'", "'phase':'Unknown','nodeName':'n1'"};
    migration("web", "m", "db", "Pending");
    assert_int_equal(used(), 0); /* no such guest */
    guest("web", "db", "n1");
    assert_int_equal(used(), 1);
    assert_int_equal(outbound("n1"), 1);
    for (size_t i = 0; i < sizeof guests / sizeof *guests; i++) {
        char text[512];
        snprintf(text, sizeof text,
                 "{'apiVersion':'kubevirt.io/v1','kind':'VirtualMachineInstance','metadata':"
                 "{'name':'db','namespace':'web'},'status':{%s}}",
                 guests[i]);
        lg_inventory_set(inv, lg_objects_record(&objects, text));
        assert_int_equal(used(), 0);
    }
    guest("web", "db", "n1");
    migration_with("web", "m", "db", "Pending", ",'deletionTimestamp':'2026-01-01T00:00:00Z'");
    assert_int_equal(used(), 0);
    /* One that runs counts until KubeVirt has ended it. */
    migration_with("web", "m", "db", "Running", ",'deletionTimestamp':'2026-01-01T00:00:00Z'");
    assert_int_equal(used(), 1);
    lg_inventory_remove(inv, LG_KIND_VMI, LG_STR("web"), LG_STR("db"));
    assert_int_equal(used(), 1);
    assert_int_equal(outbound("n1"), 0);
}

static void blocked_and_decentralized_ones_do_not_wait_for_a_place(void **state)
{
    (void)state;
    static const struct {
        const char *spec, *status;
        size_t used;
    } rows[] = {
        {"", "'phase':'Pending'", 1},
        {"",
         "'phase':'Pending','conditions':[{'type':'migrationRejectedByResourceQuota','status':'"
         "True'}]",
         0},
        {"",
         "'phase':'Pending','conditions':[{'type':'migrationBlockedByUtilityVolumes','status':'"
         "True'}]",
         0},
        {"", "'phase':'Pending','conditions':[{'type':'migrationBlockedByBackup','status':'True'}]",
         0},
        {"",
         "'phase':'Pending','conditions':[{'type':'migrationBlockedByBackup','status':'False'}]",
         1},
        {"", "'phase':'Pending','conditions':[{'type':'migrationAbortRequested','status':'True'}]",
         1},
        {"", "'phase':'Running','conditions':[{'type':'migrationBlockedByBackup','status':'True'}]",
         1},
        {",'sendTo':{}", "'phase':'Pending'", 0},
        {",'receive':{}", "'phase':'Pending'", 0},
        {",'sendTo':{}", "'phase':'Scheduling'", 0},
        {",'receive':{}", "'phase':'Scheduling'", 1},
        {",'sendTo':{}", "'phase':'Scheduled'", 1},
    };
    guest("web", "db", "n1");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[1024];
        snprintf(text, sizeof text,
                 "{'apiVersion':'kubevirt.io/v1','kind':'VirtualMachineInstanceMigration',"
                 "'metadata':{'name':'m','namespace':'web'},'spec':{'vmiName':'db'%s},"
                 "'status':{%s}}",
                 rows[i].spec, rows[i].status);
        lg_inventory_set(inv, lg_objects_record(&objects, text));
        if (used() != rows[i].used)
            fail_msg("row %zu: %zu", i, used());
    }
}

static void after_the_switch_it_still_leaves_its_source(void **state)
{
    (void)state;
    lg_inventory_set(
        inv, lg_objects_record(
                 &objects,
                 "{'apiVersion':'kubevirt.io/"
                 "v1','kind':'VirtualMachineInstance','metadata':{'name':'db',"
                 "'namespace':'web'},'status':{'phase':'Running','nodeName':'n2','migrationState':"
                 "{'sourceNode':'n1','targetNode':'n2'}}}"));
    migration("web", "m", "db", "Running");
    assert_int_equal(used(), 1);
    assert_int_equal(outbound("n1"), 1);
    assert_int_equal(outbound("n2"), 1); /* as KubeVirt's limiter counts */
    lg_inventory_set(
        inv, lg_objects_record(
                 &objects,
                 "{'apiVersion':'kubevirt.io/"
                 "v1','kind':'VirtualMachineInstance','metadata':{'name':'db',"
                 "'namespace':'web'},'status':{'phase':'Running','nodeName':'n1','migrationState':"
                 "{'sourceNode':'n1','targetNode':'n2'}}}"));
    assert_int_equal(outbound("n1"), 1);
    assert_int_equal(outbound("n2"), 0);
    assert_int_equal(lg_slots_inbound(lg_inventory_slots(inv), LG_STR("n2")), 1);
    assert_int_equal(lg_slots_unplaced(lg_inventory_slots(inv)), 0);
    migration("web", "m", "db", "Succeeded");
    assert_int_equal(lg_slots_inbound(lg_inventory_slots(inv), LG_STR("n2")), 0);
}

static void a_guest_counts_once_however_many_migrations_it_has(void **state)
{
    (void)state;
    guest("web", "db", "n1");
    migration("web", "m1", "db", "Running");
    migration("web", "m2", "db", "Pending");
    assert_int_equal(used(), 1);
    assert_int_equal(outbound("n1"), 1);
    lg_inventory_remove(inv, LG_KIND_MIGRATION, LG_STR("web"), LG_STR("m1"));
    assert_int_equal(used(), 1);
    const struct lg_slot *slot = lg_slots_get(lg_inventory_slots(inv), LG_STR("web"), LG_STR("db"));
    assert_non_null(slot);
    assert_false(slot->running);
    assert_true(lg_str_is(slot->migration->r.name, "m2"));
    struct lg_turnout turnout = ask("web", "db");
    /* It is not in its own way, whatever the limit; who migrates already is another rule's. */
    assert_true(turnout.admitted);
    assert_int_equal(used(), 1);
    limit_cluster = limit_node = 1;
    assert_true(ask("web", "db").admitted);
    assert_int_equal(used(), 1);
}

/* The last ones that were deleted are known, each by its uid, and no more of them. */
static void what_was_deleted_is_known_for_a_while(void **state)
{
    (void)state;
    char name[16];
    const struct lg_slots *slots = lg_inventory_slots(inv);
    assert_false(lg_slots_is_gone(slots, LG_STR("uid-m0")));
    for (int i = 0; i <= LG_SLOTS_GONE_MAX; i++) {
        snprintf(name, sizeof name, "m%d", i);
        migration("web", name, "db", i % 2 == 0 ? "Running" : "Succeeded");
        migration("web", name, "db", "Succeeded");
        assert_int_equal(lg_slots_is_gone(slots, LG_STR("uid-m1")), i > 1);
        lg_inventory_remove(inv, LG_KIND_MIGRATION, LG_STR("web"), lg_str_of(name));
        assert_true(lg_slots_is_gone(slots, lg_arena_printf(&objects.arena, "uid-%s", name)));
    }
    assert_false(lg_slots_is_gone(slots, LG_STR("uid-m0")));
    assert_true(lg_slots_is_gone(slots, LG_STR("uid-m1")));
    /* One of the same name in its place. */
    migration_with("web", "m", "db", "Running", "");
    lg_inventory_set(
        inv, lg_objects_record(&objects, "{'apiVersion':'kubevirt.io/v1','kind':"
                                         "'VirtualMachineInstanceMigration','metadata':{'name':'m',"
                                         "'namespace':'web','uid':'other'},'spec':{'vmiName':'db'},"
                                         "'status':{'phase':'Pending'}}"));
    assert_true(lg_slots_is_gone(slots, LG_STR("uid-m")));
    assert_false(lg_slots_is_gone(slots, LG_STR("other")));
}

/* The plain way to count is the oracle for the kept-up one. */
static void counting_survives_any_order_of_changes(void **state)
{
    (void)state;
    static const char *const phases[] = {"",        "Pending",   "Scheduling",
                                         "Running", "Succeeded", "Failed"};
    static const char *const nodes[] = {"n0", "n1", "n2"};
    unsigned seed = 7;
    for (int step = 0; step < 4000; step++) {
        char name[16], migration_name[16];
        snprintf(name, sizeof name, "g%d", rand_r(&seed) % 6);
        snprintf(migration_name, sizeof migration_name, "m%d", rand_r(&seed) % 12);
        switch (rand_r(&seed) % 5) {
        case 0:
            guest("web", name, nodes[rand_r(&seed) % 3]);
            break;
        case 1:
            lg_inventory_remove(inv, LG_KIND_VMI, LG_STR("web"), lg_str_of(name));
            break;
        case 2:
            lg_inventory_remove(inv, LG_KIND_MIGRATION, LG_STR("web"), lg_str_of(migration_name));
            break;
        default:
            migration("web", migration_name, name, phases[rand_r(&seed) % 6]);
        }
        size_t expected = 0, out[3] = {0};
        for (int g = 0; g < 6; g++) {
            snprintf(name, sizeof name, "g%d", g);
            const struct lg_vmi_record *vmi = NULL;
            (void)lg_inventory_vmi(inv, LG_STR("web"), lg_str_of(name), &vmi);
            bool counts = false;
            const struct lg_migration_record *one;
            for (size_t pos = 0; (one = lg_inventory_next_migration(
                                      inv, LG_STR("web"), lg_str_of(name), &pos)) != NULL;)
                counts = counts || lg_str_is(one->phase, "Running") ||
                         lg_str_is(one->phase, "Scheduling") ||
                         (vmi != NULL && !lg_migration_is_final(one));
            expected += counts;
            for (int n = 0; n < 3; n++)
                out[n] += counts && vmi != NULL && lg_str_is(vmi->node, nodes[n]);
        }
        if (used() != expected || outbound("n0") != out[0] || outbound("n1") != out[1] ||
            outbound("n2") != out[2])
            fail_msg("step %d: %zu, not %zu", step, used(), expected);
    }
}

/* --- reservations --- */

static void a_reservation_stands_for_thirty_seconds(void **state)
{
    (void)state;
    limit_cluster = 1;
    guest("web", "a", "n1");
    guest("web", "b", "n2");
    assert_true(ask("web", "a").admitted);
    assert_int_equal(used(), 1);
    assert_int_equal(outbound("n1"), 1);
    struct lg_turnout turnout = ask("web", "b");
    assert_false(turnout.admitted);
    assert_true(turnout.of[LG_LIMIT_CLUSTER].full);
    assert_false(turnout.of[LG_LIMIT_OUTBOUND].full);
    now_ms += LG_RESERVATION_MS - 1;
    tidy();
    assert_int_equal(used(), 1);
    now_ms += 1;
    assert_true(tidy());
    assert_int_equal(used(), 0);
    assert_true(ask("web", "b").admitted);
}

static void a_reservation_and_its_migration_are_one_place(void **state)
{
    (void)state;
    guest("web", "a", "n1");
    struct lg_ask the = ask_of("web", "a");
    the.id = LG_STR("uid-m");
    assert_true(decide(&the).admitted);
    migration("web", "m", "a", "Pending");
    assert_int_equal(used(), 1);
    assert_int_equal(outbound("n1"), 1);
    tidy();
    /* Its end frees the place at once. */
    migration("web", "m", "a", "Succeeded");
    tidy();
    assert_int_equal(used(), 0);
    assert_int_equal(ledger.n_reservations, 0);
}

static void a_cancelled_migration_frees_its_place_at_once(void **state)
{
    (void)state;
    guest("web", "a", "n1");
    struct lg_ask the = ask_of("web", "a");
    the.id = LG_STR("uid-m");
    assert_true(decide(&the).admitted);
    migration("web", "m", "a", "Pending");
    tidy();
    lg_inventory_remove(inv, LG_KIND_MIGRATION, LG_STR("web"), LG_STR("m"));
    assert_int_equal(used(), 1); /* nobody looked yet */
    assert_true(tidy());
    assert_int_equal(used(), 0);
}

static void a_migration_of_that_name_that_is_another_one_ends_nothing(void **state)
{
    (void)state;
    guest("web", "a", "n1");
    struct lg_ask the = ask_of("web", "a");
    the.id = LG_STR("uid-other");
    assert_true(decide(&the).admitted);
    migration("web", "m", "a", "Failed"); /* an old one of that name, uid-m */
    tidy();
    assert_int_equal(used(), 1);
}

static void the_same_guest_takes_its_place_over(void **state)
{
    (void)state;
    limit_cluster = 1;
    guest("web", "a", "n1");
    guest("web", "b", "n2");
    assert_true(ask("web", "a").admitted);
    for (int i = 0; i < 5; i++) {
        now_ms += 1000;
        struct lg_turnout turnout = ask("web", "a");
        assert_true(turnout.admitted);
        assert_true(turnout.own);
        assert_int_equal(used(), 1);
        assert_int_equal(ledger.n_reservations, 1);
    }
    /* Its age begins anew with the last admission. */
    now_ms += LG_RESERVATION_MS - 1;
    assert_false(ask("web", "b").admitted);
    now_ms += 1;
    assert_true(ask("web", "b").admitted);
}

/* A create that comes to nothing, in a loop, is let through again and again; not for ever while
 * others wait. */
static void who_is_never_seen_lines_up_again(void **state)
{
    (void)state;
    limit_cluster = 1;
    guest("web", "a", "n1");
    guest("web", "b", "n2");
    assert_true(ask("web", "a").admitted);
    assert_false(ask("web", "b").admitted);
    int64_t since_ms = now_ms;
    do {
        now_ms += 1000;
        assert_true(now_ms - since_ms <= LG_RESERVATION_MS);
        (void)ask("web", "b");
    } while (ask("web", "a").own);
    assert_int_equal(now_ms - since_ms, LG_RESERVATION_MS);
    assert_int_equal(ledger.n_reservations, 1);
    assert_int_equal(ledger.reservations[0].since_ms, since_ms);
    /* It has a ticket now, behind the other's, and keeps what it has for what may be under way. */
    assert_int_equal(ledger.n_tickets, 2);
    while (!ask("web", "b").admitted) {
        now_ms += 1000;
        assert_false(ask("web", "a").admitted);
        assert_true(now_ms - since_ms <= 2 * (int64_t)LG_RESERVATION_MS);
    }
    assert_int_equal(used(), 1);
}

static void who_is_never_seen_keeps_its_place_while_nobody_waits(void **state)
{
    (void)state;
    limit_cluster = 1;
    guest("web", "a", "n1");
    for (int s = 0; s < 200; s++) {
        assert_true(ask("web", "a").admitted);
        assert_int_equal(used(), 1);
        now_ms += 1000;
    }
}

/* Namespace x creates and creates, and another webhook refuses it each time. */
static void half_of_the_places_for_who_is_never_seen(void **state)
{
    (void)state;
    static const char *const names[] = {"g0", "g1", "g2", "g3", "g4", "g5", "g6", "g7"};
    limit_node = 100;
    for (int i = 0; i < 8; i++) {
        guest("x", names[i], "n1");
        guest("y", names[i], "n2");
    }
    for (int i = 0; i < 5; i++)
        assert_true(ask("x", names[i]).admitted); /* nobody waits: all of them */
    for (int i = 0; i < 3; i++)
        assert_false(ask("x", names[5 + i]).admitted);
    assert_false(ask("y", "g0").admitted);
    assert_false(ask("y", "g1").admitted);
    for (int i = 0; i < 2; i++)
        lg_ledger_drop_reservation(&ledger, 0);
    for (size_t i = 0; i < ledger.n_tickets; i++)
        ledger.tickets[i].due_ms = now_ms;
    /* x's came first, and x has three of five: y's go first as long as they are due. */
    struct lg_turnout turnout = ask("x", "g5");
    assert_false(turnout.admitted);
    assert_true(turnout.of[LG_LIMIT_CLUSTER].full);
    assert_false(ask("x", "g7").admitted);
    assert_true(ask("y", "g1").admitted);
    assert_false(ask("x", "g5").admitted);
    assert_true(ask("y", "g0").admitted);
    /* A place that nobody else waits for is anybody's. */
    lg_ledger_drop_reservation(&ledger, 0);
    assert_true(ask("x", "g5").admitted);
}

/* The two names have one hash (FNV-1a, 64 bits). Whoever may choose a name shall not have somebody
 * else counted with it. */
static void a_name_of_the_same_hash_is_another_name(void **state)
{
    (void)state;
    const char *hostile = "8yn0iYCKYHlIj4-BwPqk", *victim = "GReLUrM4wMqfg9yzV3KQ";
    assert_true(lg_ledger_hash(lg_str_of(hostile), LG_STR(""), LG_STR("")) ==
                lg_ledger_hash(lg_str_of(victim), LG_STR(""), LG_STR("")));
    limit_cluster = 3;
    guest(hostile, "a", "n1");
    guest(hostile, "b", "n1");
    guest("other", "a", "n2");
    guest(victim, "a", "n3");
    guest("last", "a", "n4");
    assert_true(ask(hostile, "a").admitted);
    assert_true(ask(hostile, "b").admitted);
    assert_true(ask("other", "a").admitted);
    assert_false(ask(victim, "a").admitted);
    assert_false(ask("last", "a").admitted);
    lg_ledger_drop_reservation(&ledger, 2);
    for (size_t i = 0; i < ledger.n_tickets; i++)
        ledger.tickets[i].due_ms = now_ms;
    assert_true(ask(victim, "a").admitted);
}

static void a_fair_share_is_for_who_could_use_it(void **state)
{
    (void)state;
    limit_cluster = 3;
    guest("x", "a", "n1");
    guest("x", "b", "n1");
    guest("x", "c", "n3");
    guest("y", "a", "n1");
    guest("y", "b", "n4");
    assert_true(ask("x", "a").admitted);
    assert_true(ask("x", "b").admitted);
    assert_false(ask("y", "a").admitted); /* its node is full: it holds back nobody */
    assert_true(ask("x", "c").admitted);
    lg_ledger_drop_reservation(&ledger, 2);
    /* Seen is not unseen: x has two under way, and none that nobody saw. */
    migration("x", "m1", "a", "Running");
    migration("x", "m2", "b", "Running");
    assert_true(ask("x", "c").admitted);
}

static void lowered_limits_refuse_new_ones_and_leave_what_runs(void **state)
{
    (void)state;
    guest("web", "a", "n1");
    guest("web", "b", "n1");
    guest("web", "c", "n2");
    migration("web", "m1", "a", "Running");
    migration("web", "m2", "b", "Running");
    limit_cluster = 1;
    limit_node = 1;
    struct lg_turnout turnout = ask("web", "c");
    assert_false(turnout.admitted);
    assert_int_equal(turnout.of[LG_LIMIT_CLUSTER].used, 2);
    assert_int_equal(turnout.of[LG_LIMIT_CLUSTER].limit, 1);
    limit_cluster = 3;
    assert_true(ask("web", "c").admitted);
}

static void a_limit_of_zero_is_frozen(void **state)
{
    (void)state;
    guest("web", "a", "n1");
    limit_cluster = 0;
    struct lg_turnout turnout = ask("web", "a");
    assert_true(turnout.frozen);
    assert_false(turnout.admitted);
    assert_int_equal(turnout.retry_after_s, 0);
    assert_int_equal(ledger.n_tickets, 0);
    limit_cluster = 5;
    limit_node = 0;
    assert_true(ask("web", "a").frozen);
}

static void asking_without_a_trace_leaves_none(void **state)
{
    (void)state;
    limit_cluster = 1;
    guest("web", "a", "n1");
    guest("web", "b", "n2");
    struct lg_ask the = ask_of("web", "a");
    the.no_trace = true;
    assert_true(decide(&the).admitted);
    assert_int_equal(used(), 0);
    assert_true(ask("web", "a").admitted);
    the = ask_of("web", "b");
    the.no_trace = true;
    struct lg_turnout turnout = decide(&the);
    assert_false(turnout.admitted);
    assert_true(turnout.of[LG_LIMIT_CLUSTER].full);
    assert_int_equal(turnout.place, 1);
    assert_int_equal(ledger.n_tickets, 0);
    /* virt-api's: refused, not remembered, not told when to come back */
    the = ask_of("web", "b");
    the.no_ticket = true;
    turnout = decide(&the);
    assert_false(turnout.admitted);
    assert_true(turnout.no_place);
    assert_int_equal(turnout.retry_after_s, 0);
    assert_int_equal(ledger.n_tickets, 0);
    /* the bypass group's: through in any case, and counted */
    the = ask_of("web", "b");
    the.admit = true;
    turnout = decide(&the);
    assert_true(turnout.admitted);
    assert_true(turnout.of[LG_LIMIT_CLUSTER].full);
    assert_int_equal(used(), 2);
}
/* --- cost --- */

static void each_node_counts_what_leaves_and_enters_it(void **state)
{
    (void)state;
    struct lg_node_traffic *nodes;
    guest("web", "a", "n2");
    guest("web", "b", "n3");
    guest("web", "c", "n1");
    migration("web", "m", "a", "Running");
    lg_inventory_set(
        inv,
        lg_objects_record(
            &objects, "{'apiVersion':'kubevirt.io/v1','kind':'VirtualMachineInstance','metadata':"
                      "{'name':'a','namespace':'web'},'status':{'phase':'Running','nodeName':'n2',"
                      "'migrationState':{'sourceNode':'n2','targetNode':'n3'}}}"));
    assert_true(ask("web", "b").admitted);
    assert_true(ask("web", "c").admitted);
    const struct lg_slots *slots = lg_inventory_slots(inv);
    assert_int_equal(lg_limits_nodes(slots, &ledger, &objects.arena, &nodes), 3);
    static const struct {
        const char *node;
        size_t out, in;
    } expected[] = {{"n1", 1, 0}, {"n2", 1, 0}, {"n3", 1, 1}};
    for (size_t i = 0; i < 3; i++) {
        assert_true(lg_str_is(nodes[i].node, expected[i].node));
        assert_int_equal(nodes[i].out, expected[i].out);
        assert_int_equal(nodes[i].in, expected[i].in);
        assert_int_equal(nodes[i].out, lg_limits_outbound(slots, &ledger, nodes[i].node));
        assert_int_equal(nodes[i].in, lg_slots_inbound(slots, nodes[i].node));
    }
    lg_limits_nodes_by_traffic(nodes, 3);
    assert_true(lg_str_is(nodes[0].node, "n3") && lg_str_is(nodes[1].node, "n1"));
    /* Without the ledger: what is seen. */
    assert_int_equal(lg_limits_nodes(slots, NULL, &objects.arena, &nodes), 2);
}

/* The least of some rounds: what others do to the machine meanwhile only adds. */
static double us_a_decision(void)
{
    enum { ROUNDS = 10, TIMES = 200 };
    double least_us = 0;
    struct lg_ask the = ask_of("a", "db");
    for (int round = 0; round < ROUNDS; round++) {
        struct timespec from, to;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
        for (int i = 0; i < TIMES; i++)
            assert_false(decide(&the).admitted);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
        double us =
            ((double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec)) / 1000 /
            TIMES;
        least_us = round == 0 || us < least_us ? us : least_us;
    }
    return least_us;
}

static void guests_migrate(int of, bool finished)
{
    char name[32], node[32];
    for (int i = 0; i < of; i++) {
        if ((i % 50 != 0) != finished)
            continue;
        snprintf(name, sizeof name, "g%d", i);
        snprintf(node, sizeof node, "n%d", i % 100);
        guest("web", name, node);
        migration("web", name, name, !finished ? "Running" : i % 2 ? "Succeeded" : "Failed");
    }
}

static void ten_thousand_migrations_cost_nothing(void **state)
{
    (void)state;
    char name[32];
    guests_migrate(10000, false);
    limit_cluster = 1000;
    limit_node = 1000;
    guest("a", "db", "n7");
    for (int i = 0; i < 30; i++) {
        snprintf(name, sizeof name, "w%d", i);
        guest("b", name, "n0");
        assert_true(ask("b", lg_arena_str(&objects.arena, lg_str_of(name)).p).admitted);
    }
    limit_cluster = 1;
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "w%d", i + 100);
        assert_false(ask("b", lg_arena_str(&objects.arena, lg_str_of(name)).p).admitted);
    }
    double few_us = us_a_decision();
    guests_migrate(10000, true);
    double many_us = us_a_decision();
    print_message("200 running, 30 reserved, 40 waiting: %.1f us a decision; with 9,800 finished "
                  "migrations: %.1f us\n",
                  few_us, many_us);
    assert_true(many_us < 3 * few_us);
}

/* A guest that migrates already (another rule speaks of that) is not in its own way, be it at its
 * end: then it leaves the node that it comes from. */
static void what_the_guest_holds_is_not_in_its_way(void **state)
{
    (void)state;
    limit_cluster = limit_node = 1;
    guest("web", "db", "n1");
    migration("web", "m", "db", "Running");
    struct lg_turnout turnout = ask("web", "db");
    assert_true(turnout.admitted);
    assert_int_equal(turnout.of[LG_LIMIT_CLUSTER].used, 0);
    assert_int_equal(turnout.of[LG_LIMIT_OUTBOUND].used, 0);
    lg_ledger_drop_reservation(&ledger, 0);
    lg_inventory_set(inv, lg_objects_record(&objects,
                                            "{'apiVersion':'kubevirt.io/v1','kind':"
                                            "'VirtualMachineInstance','metadata':{'name':'db',"
                                            "'namespace':'web'},'status':{'phase':'Running',"
                                            "'nodeName':'n2','migrationState':{'sourceNode':'n1',"
                                            "'targetNode':'n2'}}}"));
    struct lg_ask late = ask_of("web", "db");
    late.node = LG_STR("n1");
    turnout = decide(&late);
    assert_true(turnout.admitted);
    assert_int_equal(turnout.of[LG_LIMIT_OUTBOUND].used, 0);
    guest("web", "other", "n1");
    assert_false(ask("web", "other").admitted);
}

/* Whatever the cluster allows: what is remembered is bounded, and who is not remembered is not let
 * through. */
static void a_full_ledger_lets_nobody_through(void **state)
{
    (void)state;
    limit_cluster = limit_node = 2 * LG_RESERVATIONS_MAX;
    for (int i = 0; i < LG_RESERVATIONS_MAX; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "g%d", i);
        lg_ledger_reserve(&ledger, &(struct lg_reservation){.ns = LG_STR("web"),
                                                            .guest = lg_str_of(name),
                                                            .node = LG_STR("n1"),
                                                            .name = LG_STR("m"),
                                                            .id = lg_str_of(name),
                                                            .born_ms = now_ms,
                                                            .since_ms = now_ms});
    }
    guest("web", "one-more", "n1");
    struct lg_turnout turnout = ask("web", "one-more");
    assert_false(turnout.admitted);
    assert_true(turnout.of[LG_LIMIT_CLUSTER].full);
    assert_int_equal(ledger.n_tickets, 1);
    assert_int_equal(ledger.n_reservations, LG_RESERVATIONS_MAX);
    struct lg_ask passes = ask_of("web", "one-more");
    passes.admit = true;
    (void)decide(&passes);
    assert_int_equal(ledger.n_reservations, LG_RESERVATIONS_MAX);
    now_ms += LG_RESERVATION_MS;
    assert_true(ask("web", "one-more").admitted);
    assert_int_equal(ledger.n_reservations, 1);
}

/* Others were let through since: whoever comes for it again, while this watch is behind, waits. */
static void a_place_that_was_given_to_others_is_nobodys_own(void **state)
{
    (void)state;
    limit_cluster = 1;
    guest("web", "late", "n1");
    guest("web", "other", "n2");
    assert_true(ask("web", "late").admitted);
    ledger.reservations[0].held = true;
    struct lg_reservation other = ledger.reservations[0];
    other.guest = LG_STR("other");
    other.node = LG_STR("n2");
    other.held = false;
    lg_ledger_reserve(&ledger, &other);
    struct lg_ask again = ask_of("web", "late");
    struct lg_turnout turnout;
    lg_limits_decide(&again, lg_inventory_slots(inv), &ledger, &turnout);
    assert_false(turnout.own || turnout.admitted);
}

static struct lg_ask ask_for_n2(const char *name)
{
    static const struct lg_str targets[] = {{"n2", 2}};
    struct lg_ask the = ask_of("web", name);
    the.limit[LG_LIMIT_INBOUND] = 1;
    the.targets = targets;
    the.n_targets = 1;
    return the;
}

/* Nobody whose targets have room passes who waits for the cluster's limit, be its own targets full
 * or not, and waived or not. */
static void who_waits_for_more_than_targets_is_in_the_clusters_queue(void **state)
{
    (void)state;
    limit_cluster = 1;
    guest("web", "busy", "n5");
    guest("web", "first", "n1");
    guest("web", "second", "n4");
    for (int waived = 0; waived < 2; waived++) {
        migration("web", "m", "busy", "Running"); /* to a target that nobody knows: n2 may be it */
        struct lg_ask first = ask_for_n2("first");
        first.waived[LG_LIMIT_INBOUND] = waived != 0;
        struct lg_turnout turnout = decide(&first);
        assert_true(turnout.of[LG_LIMIT_CLUSTER].full && turnout.of[LG_LIMIT_INBOUND].full);
        assert_int_equal(ledger.n_tickets, 1);
        migration("web", "m", "busy", "Succeeded");
        now_ms = ledger.tickets[0].due_ms;
        assert_false(ask("web", "second").admitted);
        first.now_ms = now_ms;
        assert_true(decide(&first).admitted);
        lg_ledger_done(&ledger);
    }
}

/* Its own reservation may go to its target, too: it is the same guest. */
static void what_the_guest_holds_is_not_in_its_targets_way(void **state)
{
    (void)state;
    guest("web", "a", "n1");
    for (int64_t ms = 0; ms <= 2 * LG_RESERVATION_MS; ms += 10 * 1000) {
        struct lg_ask the = ask_for_n2("a");
        struct lg_turnout turnout = decide(&the);
        assert_true(turnout.admitted);
        assert_int_equal(turnout.of[LG_LIMIT_INBOUND].used, 0);
        now_ms += 10 * 1000;
    }
    guest("web", "b", "n4");
    struct lg_ask the = ask_for_n2("b");
    assert_false(decide(&the).admitted);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_migration_counts_by_its_phase),
        TEST(a_waiting_one_counts_only_while_kubevirt_could_start_it),
        TEST(blocked_and_decentralized_ones_do_not_wait_for_a_place),
        TEST(after_the_switch_it_still_leaves_its_source),
        TEST(a_guest_counts_once_however_many_migrations_it_has),
        TEST(what_was_deleted_is_known_for_a_while),
        TEST(counting_survives_any_order_of_changes),
        TEST(a_reservation_stands_for_thirty_seconds),
        TEST(a_reservation_and_its_migration_are_one_place),
        TEST(a_cancelled_migration_frees_its_place_at_once),
        TEST(a_migration_of_that_name_that_is_another_one_ends_nothing),
        TEST(the_same_guest_takes_its_place_over),
        TEST(who_is_never_seen_lines_up_again),
        TEST(who_is_never_seen_keeps_its_place_while_nobody_waits),
        TEST(half_of_the_places_for_who_is_never_seen),
        TEST(a_name_of_the_same_hash_is_another_name),
        TEST(a_fair_share_is_for_who_could_use_it),
        TEST(lowered_limits_refuse_new_ones_and_leave_what_runs),
        TEST(a_limit_of_zero_is_frozen),
        TEST(asking_without_a_trace_leaves_none),
        TEST(each_node_counts_what_leaves_and_enters_it),
        TEST(ten_thousand_migrations_cost_nothing),
        TEST(what_the_guest_holds_is_not_in_its_way),
        TEST(a_full_ledger_lets_nobody_through),
        TEST(a_place_that_was_given_to_others_is_nobodys_own),
        TEST(who_waits_for_more_than_targets_is_in_the_clusters_queue),
        TEST(what_the_guest_holds_is_not_in_its_targets_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
