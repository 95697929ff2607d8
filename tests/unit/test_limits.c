#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "rules/core/mem.h"
#include "rules/inventory.h"
#include "rules/virt/limits.h"
#include "tests/support/objects.h"

/* A small cluster: guests named "namespace/guest", each on a node; migrations of them; a ledger; a clock. */
static struct lg_objects objects;
static struct lg_inventory *inv;
static struct lg_ledger ledger;
static int64_t now_ms;
static int64_t limit_cluster, limit_node;
static unsigned next_id;

static int setup(void **state)
{
    (void)state;
    lg_objects_init(&objects);
    inv = lg_inventory_new();
    ledger = (struct lg_ledger){0};
    now_ms = 1000 * 1000;
    limit_cluster = 5;
    limit_node = 2;
    next_id = 0;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    lg_ledger_done(&ledger);
    lg_inventory_free(inv);
    lg_objects_done(&objects);
    return 0;
}

static void guest(const char *ns, const char *name, const char *node)
{
    char text[512];
    snprintf(text, sizeof text,
             "{'apiVersion':'kubevirt.io/v1','kind':'VirtualMachineInstance','metadata':{'name':"
             "'%s','namespace':'%s'},'status':{'phase':'Running','nodeName':'%s'}}",
             name, ns, node);
    lg_inventory_set(inv, lg_objects_record(&objects, text));
}

static void migration_with(const char *ns, const char *name, const char *guest_name,
                           const char *phase, const char *more)
{
    char text[1024];
    snprintf(text, sizeof text,
             "{'apiVersion':'kubevirt.io/v1','kind':'VirtualMachineInstanceMigration','metadata':"
             "{'name':'%s','namespace':'%s','uid':'uid-%s'%s},'spec':{'vmiName':'%s'},"
             "'status':{'phase':'%s'}}",
             name, ns, name, more, guest_name, phase);
    lg_inventory_set(inv, lg_objects_record(&objects, text));
}

static void migration(const char *ns, const char *name, const char *guest_name, const char *phase)
{
    migration_with(ns, name, guest_name, phase, "");
}

static size_t used(void)
{
    return lg_limits_used(lg_inventory_slots(inv), &ledger);
}

static size_t outbound(const char *node)
{
    return lg_limits_outbound(lg_inventory_slots(inv), &ledger, lg_str_of(node));
}

static enum lg_seen seen(void *arg, const struct lg_reservation *reservation)
{
    (void)arg;
    const struct lg_record *record = NULL;
    if (lg_inventory_get(inv, LG_KIND_MIGRATION, reservation->ns, reservation->name, &record) !=
            LG_FOUND ||
        !lg_str_eq(record->uid, reservation->id))
        return LG_UNSEEN;
    return lg_migration_is_final((const struct lg_migration_record *)record) ? LG_SEEN_FINAL
                                                                             : LG_SEEN_UNFINISHED;
}

static bool tidy(void)
{
    return lg_ledger_tidy(&ledger, now_ms, seen, NULL);
}

static struct lg_ask ask_of(const char *ns, const char *name)
{
    const struct lg_vmi_record *vmi = NULL;
    (void)lg_inventory_vmi(inv, lg_str_of(ns), lg_str_of(name), &vmi);
    char id[32];
    snprintf(id, sizeof id, "ask-%u", ++next_id);
    return (struct lg_ask){
        .ns = lg_str_of(ns),
        .guest = lg_str_of(name),
        .node = vmi != NULL ? vmi->node : LG_STR(""),
        .name = LG_STR("m"),
        .id = lg_arena_str(&objects.arena, lg_str_of(id)),
        .user = LG_STR("alice"),
        .limit = {limit_cluster, limit_node, 0},
        .now_ms = now_ms,
        .now_unix_s = now_ms / 1000,
    };
}

static struct lg_turnout decide(const struct lg_ask *ask)
{
    struct lg_turnout turnout;
    tidy();
    lg_limits_decide(ask, lg_inventory_slots(inv), &ledger, &turnout);
    return turnout;
}

static struct lg_turnout ask(const char *ns, const char *name)
{
    struct lg_ask the = ask_of(ns, name);
    return decide(&the);
}

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

/* A create that comes to nothing, in a loop, is let through again and again; not for ever while others wait. */
static void who_is_never_seen_lines_up_again(void **state)
{
    (void)state;
    limit_cluster = 1;
    guest("web", "a", "n1");
    guest("web", "b", "n2");
    assert_true(ask("web", "a").admitted);
    assert_false(ask("web", "b").admitted);
    int64_t since_ms = now_ms;
    for (;;) {
        now_ms += 1000;
        (void)ask("web", "b");
        if (!ask("web", "a").own)
            break;
    }
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

/* --- the queue --- */

static void a_full_node_does_not_hold_back_others(void **state)
{
    (void)state;
    guest("web", "a", "n1");
    guest("web", "b", "n1");
    guest("web", "c", "n1");
    guest("web", "d", "n2");
    assert_true(ask("web", "a").admitted);
    assert_true(ask("web", "b").admitted);
    struct lg_turnout turnout = ask("web", "c");
    assert_false(turnout.admitted);
    assert_true(turnout.of[LG_LIMIT_OUTBOUND].full);
    assert_false(turnout.of[LG_LIMIT_CLUSTER].full);
    assert_int_equal(turnout.place, 1);
    assert_int_equal(turnout.of[LG_LIMIT_OUTBOUND].used, 2);
    assert_int_equal(turnout.of[LG_LIMIT_OUTBOUND].n_holders, 2);
    assert_true(ask("web", "d").admitted);
}

static void a_free_place_is_kept_for_who_is_next(void **state)
{
    (void)state;
    limit_cluster = 1;
    guest("web", "a", "n1");
    guest("web", "b", "n2");
    guest("web", "c", "n3");
    migration("web", "m", "a", "Running");
    struct lg_turnout first = ask("web", "b");
    assert_int_equal(first.place, 1);
    assert_true(first.retry_after_s >= 1 && first.retry_after_s <= LG_RETRY_HEAD_S_MAX);
    struct lg_turnout second = ask("web", "c");
    assert_int_equal(second.place, 2);
    migration("web", "m", "a", "Succeeded");
    /* Free, but the second is not next. */
    second = ask("web", "c");
    assert_false(second.admitted);
    assert_int_equal(second.place, 2);
    assert_true(second.of[LG_LIMIT_CLUSTER].full);
    assert_int_equal(second.of[LG_LIMIT_CLUSTER].used, 0);
    now_ms += first.retry_after_s * 1000 + LG_TICKET_GRACE_MS;
    assert_false(ask("web", "c").admitted);
    now_ms += 1;
    assert_true(ask("web", "c").admitted);
    /* The first came too late for this one, and has its place until its ticket is over. */
    assert_int_equal(ledger.n_tickets, 1);
    now_ms += LG_TICKET_EXPIRY_MS;
    tidy();
    assert_int_equal(ledger.n_tickets, 0);
}

static void who_is_next_gets_it(void **state)
{
    (void)state;
    limit_cluster = 1;
    guest("web", "a", "n1");
    guest("web", "b", "n2");
    guest("web", "c", "n3");
    migration("web", "m", "a", "Running");
    struct lg_turnout first = ask("web", "b");
    ask("web", "c");
    migration("web", "m", "a", "Succeeded");
    now_ms += first.retry_after_s * 1000;
    assert_true(ask("web", "b").admitted);
    assert_int_equal(ledger.n_tickets, 1);
    assert_int_equal(ask("web", "c").place, 1);
}

static void namespaces_take_turns(void **state)
{
    (void)state;
    limit_cluster = 1;
    limit_node = 100;
    guest("x", "busy", "n0");
    migration("x", "m", "busy", "Running");
    static const char *const names[] = {"g0", "g1", "g2", "g3", "g4", "g5"};
    for (int i = 0; i < 6; i++) {
        guest("a", names[i], "n1");
        assert_int_equal(ask("a", names[i]).place, i + 1);
    }
    guest("b", "g0", "n2");
    guest("b", "g1", "n2");
    guest("c", "g0", "n3");
    /* a's first stands before b's and c's: it came first. Its second does not. */
    assert_int_equal(ask("b", "g0").place, 2);
    assert_int_equal(ask("b", "g1").place, 4);
    assert_int_equal(ask("c", "g0").place, 3);
    static const char *const order[] = {"a/g0", "b/g0", "c/g0", "a/g1", "b/g1",
                                        "a/g2", "a/g3", "a/g4", "a/g5"};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        char is[128];
        snprintf(is, sizeof is, "%.*s/%.*s", LG_ARG(ledger.tickets[i].ns),
                 LG_ARG(ledger.tickets[i].guest));
        assert_string_equal(is, order[i]);
    }
}

static void coming_again_and_again_does_not_jump_the_queue(void **state)
{
    (void)state;
    limit_cluster = 1;
    limit_node = 100;
    guest("x", "busy", "n0");
    static const char *const names[] = {"g0", "g1", "g2", "g3"};
    for (int i = 0; i < 4; i++) {
        guest("a", names[i], "n1");
        guest("b", names[i], "n2");
    }
    migration("x", "m", "busy", "Running");
    for (int i = 0; i < 4; i++)
        ask("a", names[i]);
    /* b has one waiting at a time and comes again as soon as it was served. */
    unsigned served_a = 0, served_b = 0;
    ask("b", "g0");
    lg_inventory_remove(inv, LG_KIND_MIGRATION, LG_STR("x"), LG_STR("m"));
    for (int round = 0; round < 6; round++) {
        struct lg_ticket *head = &ledger.tickets[0];
        bool b = lg_str_is(head->ns, "b");
        struct lg_ask the = {.ns = lg_arena_str(&objects.arena, head->ns),
                             .guest = lg_arena_str(&objects.arena, head->guest),
                             .node = LG_STR("n9"),
                             .id = LG_STR("i"),
                             .user = LG_STR("alice"),
                             .limit = {1, 100, 0},
                             .now_ms = now_ms};
        assert_true(decide(&the).admitted);
        served_a += !b;
        served_b += b;
        if (b)
            ask("b", names[served_b % 4]);
        lg_ledger_drop_reservation(&ledger, 0);
    }
    assert_int_equal(served_a, 3);
    assert_int_equal(served_b, 3);
}

static void fifty_tickets_a_namespace_and_no_more(void **state)
{
    (void)state;
    limit_cluster = 1;
    guest("x", "busy", "n0");
    migration("x", "m", "busy", "Running");
    char name[16];
    for (int i = 0; i < LG_TICKETS_NAMESPACE_MAX; i++) {
        snprintf(name, sizeof name, "g%d", i);
        assert_true(ask("a", lg_arena_str(&objects.arena, lg_str_of(name)).p).place > 0);
    }
    struct lg_turnout turnout = ask("a", "one-more");
    assert_false(turnout.admitted);
    assert_true(turnout.no_place);
    assert_int_equal(turnout.place, 0);
    assert_true(turnout.retry_after_s >= 1);
    assert_int_equal(ledger.n_tickets, LG_TICKETS_NAMESPACE_MAX);
    assert_int_equal(ask("b", "first").place, 2);
}

/* A client that does what client-go does: waits as told, ten times. */
/* Ten namespaces of one user fill the queue; somebody else's first guest is served before their last ones, and waits where
 * it belongs. */
static void a_full_queue_shuts_nobody_out(void **state)
{
    (void)state;
    char ns[32], name[32];
    limit_cluster = 1;
    limit_node = 1;
    guest("z", "holder", "n0");
    migration("z", "holder", "holder", "Running");
    for (int i = 0; i < LG_TICKETS_MAX; i++) {
        snprintf(ns, sizeof ns, "ns%d", i % (LG_TICKETS_MAX / LG_TICKETS_NAMESPACE_MAX));
        snprintf(name, sizeof name, "g%d", i);
        guest(ns, name, "n1");
        assert_false(ask(ns, name).no_place);
    }
    guest("honest", "db", "n1");
    struct lg_turnout turnout = ask("honest", "db");
    assert_false(turnout.no_place);
    assert_int_equal(turnout.place, LG_TICKETS_MAX / LG_TICKETS_NAMESPACE_MAX + 1);
    assert_int_equal(ledger.n_tickets, LG_TICKETS_MAX);
    /* But not one that would be the last itself. */
    guest("ns0", "more", "n1");
    assert_true(ask("ns0", "more").no_place);
    assert_int_equal(ledger.n_tickets, LG_TICKETS_MAX);
}

/* Ctrl-C: whoever is next does not come any more. */
static void a_place_is_not_kept_for_one_who_went_away(void **state)
{
    (void)state;
    limit_cluster = 1;
    guest("a", "holder", "n0");
    guest("a", "gone", "n1");
    guest("a", "next", "n1");
    migration("a", "m", "holder", "Running");
    struct lg_turnout gone = ask("a", "gone");
    assert_int_equal(gone.place, 1);
    assert_int_equal(ask("a", "next").place, 2);
    migration("a", "m", "holder", "Succeeded");
    int64_t due_ms = now_ms + gone.retry_after_s * (int64_t)1000;
    now_ms = due_ms + LG_TICKET_GRACE_MS;
    assert_false(ask("a", "next").admitted);
    now_ms = due_ms + LG_TICKET_GRACE_MS + 1;
    assert_true(ask("a", "next").admitted);
    now_ms = due_ms + LG_TICKET_EXPIRY_MS;
    tidy();
    assert_int_equal(ledger.n_tickets, 0);
}

static void a_client_outlasts_a_long_migration(void **state)
{
    (void)state;
    limit_cluster = 1;
    guest("x", "busy", "n0");
    guest("a", "db", "n1");
    migration("x", "m", "busy", "Running");
    int64_t start_ms = now_ms;
    struct lg_turnout turnout = {0};
    for (int attempt = 0; attempt <= LG_RETRIES; attempt++) {
        struct lg_ask the = ask_of("a", "db");
        the.typical_s = 90;
        turnout = decide(&the);
        assert_false(turnout.admitted);
        assert_int_equal(turnout.last_try, attempt == LG_RETRIES);
        assert_true(turnout.retry_after_s >= 1 && turnout.retry_after_s <= LG_RETRY_S_MAX);
        assert_int_equal(ledger.n_tickets, 1);
        if (attempt < 5)
            assert_true(turnout.retry_after_s <= LG_RETRY_HEAD_S_MAX);
        now_ms += turnout.retry_after_s * 1000;
    }
    assert_true(now_ms - start_ms > 90 * 1000);
}

static void starting_anew_before_its_time_counts_from_the_beginning(void **state)
{
    (void)state;
    limit_cluster = 1;
    guest("x", "busy", "n0");
    guest("a", "db", "n1");
    migration("x", "m", "busy", "Running");
    for (int i = 0; i < 4; i++) {
        struct lg_turnout turnout = ask("a", "db");
        now_ms += turnout.retry_after_s * 1000;
    }
    assert_int_equal(ledger.tickets[0].tries, 4);
    ask("a", "db");
    assert_int_equal(ledger.tickets[0].tries, 5);
    now_ms += 100; /* Ctrl-C, and once more */
    ask("a", "db");
    assert_int_equal(ledger.tickets[0].tries, 1);
    assert_int_equal(ledger.n_tickets, 1);
}

static void estimates_follow_places_limits_and_ages(void **state)
{
    (void)state;
    assert_int_equal(lg_limits_estimate_s(1, 1, 0, 60), 60);
    assert_int_equal(lg_limits_estimate_s(1, 1, 50, 60), 10);
    assert_int_equal(lg_limits_estimate_s(1, 1, 500, 60), 1);
    assert_int_equal(lg_limits_estimate_s(3, 2, 50, 60), 10 + 2 * 63 / 2);
    assert_int_equal(lg_limits_estimate_s(1, 1, -1, 0), LG_TYPICAL_S);
    assert_int_equal(lg_limits_estimate_s(1000, 0, -1, 10), 10 + 999 * 13);
}

static void durations_are_learnt_from_those_that_end(void **state)
{
    (void)state;
    guest("web", "a", "n1");
    assert_int_equal(lg_slots_typical_s(lg_inventory_slots(inv)), 0);
    for (int i = 0; i < 40; i++) {
        migration("web", "m", "a", "Running");
        lg_inventory_set(
            inv,
            lg_objects_record(&objects, "{'apiVersion':'kubevirt.io/"
                                        "v1','kind':'VirtualMachineInstanceMigration','metadata':"
                                        "{'name':'m','namespace':'web'},'spec':{'vmiName':'a'},'"
                                        "status':{'phase':'Succeeded',"
                                        "'migrationState':{'startTimestamp':'2026-01-01T00:00:00Z',"
                                        "'endTimestamp':'2026-01-01T00:00:30Z'}}}"));
    }
    assert_int_equal(lg_slots_typical_s(lg_inventory_slots(inv)), 30);
}

static void long_user_names_are_told_apart(void **state)
{
    (void)state;
    char a[400], b[400], buf_a[LG_LEDGER_USER_BYTES_MAX + 24], buf_b[LG_LEDGER_USER_BYTES_MAX + 24];
    memset(a, 'x', sizeof a);
    memcpy(b, a, sizeof b);
    b[399] = 'y';
    struct lg_str cut_a = lg_ledger_user((struct lg_str){a, 400}, buf_a);
    struct lg_str cut_b = lg_ledger_user((struct lg_str){b, 400}, buf_b);
    assert_int_equal(cut_a.n, LG_LEDGER_USER_BYTES_MAX + 17);
    assert_false(lg_str_eq(cut_a, cut_b));
    assert_true(lg_str_is(lg_ledger_user(LG_STR("alice"), buf_a), "alice"));
}

/* --- cost --- */

static void ten_thousand_migrations_cost_nothing(void **state)
{
    (void)state;
    char name[32], node[32];
    for (int i = 0; i < 10000; i++) {
        snprintf(name, sizeof name, "g%d", i);
        snprintf(node, sizeof node, "n%d", i % 100);
        guest("web", name, node);
        migration("web", name, name, i % 50 == 0 ? "Running" : i % 2 ? "Succeeded" : "Failed");
    }
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
    struct timespec from, to;
    enum { ROUNDS = 2000 };
    struct lg_ask the = ask_of("a", "db");
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    for (int i = 0; i < ROUNDS; i++)
        assert_false(decide(&the).admitted);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    double us = ((double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec)) /
                1000 / ROUNDS;
    print_message("10,000 migrations, 200 running, 30 reserved, 40 waiting: %.1f us a decision\n",
                  us);
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
        TEST(counting_survives_any_order_of_changes),
        TEST(a_reservation_stands_for_thirty_seconds),
        TEST(a_reservation_and_its_migration_are_one_place),
        TEST(a_cancelled_migration_frees_its_place_at_once),
        TEST(a_migration_of_that_name_that_is_another_one_ends_nothing),
        TEST(the_same_guest_takes_its_place_over),
        TEST(who_is_never_seen_lines_up_again),
        TEST(who_is_never_seen_keeps_its_place_while_nobody_waits),
        TEST(half_of_the_places_for_who_is_never_seen),
        TEST(a_fair_share_is_for_who_could_use_it),
        TEST(lowered_limits_refuse_new_ones_and_leave_what_runs),
        TEST(a_limit_of_zero_is_frozen),
        TEST(asking_without_a_trace_leaves_none),
        TEST(a_full_node_does_not_hold_back_others),
        TEST(a_free_place_is_kept_for_who_is_next),
        TEST(who_is_next_gets_it),
        TEST(namespaces_take_turns),
        TEST(coming_again_and_again_does_not_jump_the_queue),
        TEST(fifty_tickets_a_namespace_and_no_more),
        TEST(a_full_queue_shuts_nobody_out),
        TEST(a_place_is_not_kept_for_one_who_went_away),
        TEST(a_client_outlasts_a_long_migration),
        TEST(starting_anew_before_its_time_counts_from_the_beginning),
        TEST(estimates_follow_places_limits_and_ages),
        TEST(durations_are_learnt_from_those_that_end),
        TEST(long_user_names_are_told_apart),
        TEST(ten_thousand_migrations_cost_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
