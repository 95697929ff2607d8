/* Who waits, who does not, and what they are told: the judge, the limiter and the answer
 * together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "rules/answer.h"
#include "rules/kube/names.h"
#include "tests/support/asserts.h"
#include "tests/support/world.h"

#define GUEST(name, node)                                                                          \
    "---\n"                                                                                        \
    "apiVersion: kubevirt.io/v1\n"                                                                 \
    "kind: VirtualMachineInstance\n"                                                               \
    "metadata: {name: " name ", namespace: web}\n"                                                 \
    "spec: {domain: {}}\n"                                                                         \
    "status: {phase: Running, nodeName: " node ", conditions: [{type: LiveMigratable, "            \
    "status: 'True'}]}\n"
#define NODE(name)                                                                                 \
    "---\n"                                                                                        \
    "apiVersion: v1\n"                                                                             \
    "kind: Node\n"                                                                                 \
    "metadata: {name: " name ", labels: {kubevirt.io/schedulable: 'true', "                        \
    "kubernetes.io/arch: amd64}}\n"                                                                \
    "status: {conditions: [{type: Ready, status: 'True'}]}\n"
#define KUBEVIRT(limit)                                                                            \
    "---\n"                                                                                        \
    "apiVersion: kubevirt.io/v1\n"                                                                 \
    "kind: KubeVirt\n"                                                                             \
    "metadata: {name: kubevirt, namespace: cnv}\n"                                                 \
    "spec: {configuration: {migrations: {parallelMigrationsPerCluster: " limit "}}}\n"
#define MOVING                                                                                     \
    "---\n"                                                                                        \
    "apiVersion: kubevirt.io/v1\n"                                                                 \
    "kind: VirtualMachineInstanceMigration\n"                                                      \
    "metadata: {name: busy, namespace: web}\n"                                                     \
    "spec: {vmiName: shop}\n"                                                                      \
    "status: {phase: Running}\n"
#define MIGRATION(name)                                                                            \
    "apiVersion: kubevirt.io/v1\n"                                                                 \
    "kind: VirtualMachineInstanceMigration\n"                                                      \
    "metadata: {name: " name ", namespace: web, uid: u-" name "}\n"                                \
    "spec: {vmiName: db}\n"
#define VIRT_API   "system:serviceaccount:cnv:kubevirt-apiserver"
#define CONTROLLER "system:serviceaccount:cnv:kubevirt-controller"

static struct lg_world world;
static struct lg_ledger ledger;
static int64_t now_ms;

static int setup(void **state)
{
    (void)state;
    lg_world_init(&world);
    ledger = (struct lg_ledger){0};
    now_ms = 1000000;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    lg_ledger_done(&ledger);
    lg_world_done(&world);
    return 0;
}

static void cluster(const char *limit)
{
    char text[4096];
    (void)snprintf(text, sizeof text, "%s%s%s%s%s" KUBEVIRT("%s"), NODE("n1"), NODE("n2"),
                   GUEST("db", "n1"), GUEST("shop", "n2"), MOVING, limit);
    lg_world_add_text(&world, text);
}

static void policy(const char *limiter)
{
    char text[256];
    (void)snprintf(text, sizeof text, "apiVersion: livegate.io/v1\nkind: Policy\n%s\n", limiter);
    lg_world_set_policy(&world, lg_arena_str(&world.arena, lg_str_of(text)), "p.yaml");
}

struct asked {
    struct lg_judgement judgement;
    struct lg_answer answer;
};

static struct lg_engine_input input_of(const char *user, const char *group, bool dry_run,
                                       const char *object)
{
    char groups[64];
    (void)snprintf(groups, sizeof groups, "[%s]", group);
    return lg_world_input(&world, (struct lg_engine_input){
                                      .op = LG_OP_CREATE,
                                      .object = lg_world_object(&world, object),
                                      .username = lg_str_of(user),
                                      .groups = lg_world_object(&world, groups),
                                      .dry_run = dry_run,
                                      .now_unix_s = 1700000000,
                                  });
}

static void answer(struct asked *io)
{
    lg_answer_make(&io->judgement, LG_STR("kubevirt.io"), LG_STR("VirtualMachineInstanceMigration"),
                   &world.arena, &io->answer);
}

static struct asked ask_as(const char *user, const char *group, bool dry_run, const char *object)
{
    struct asked asked = {0};
    struct lg_engine_input input = input_of(user, group, dry_run, object);
    lg_limiter_judge(&input, &ledger, now_ms, &world.arena, &asked.judgement);
    answer(&asked);
    return asked;
}

/* The same where the ledger is away. */
static struct asked ask_unreached(const char *user)
{
    struct asked asked = {0};
    struct lg_ask wanted;
    struct lg_turnout turnout;
    struct lg_engine_input input = input_of(user, "system:authenticated", false, MIGRATION("move"));
    lg_engine_judge(&input, &world.arena, &asked.judgement);
    assert_true(lg_limiter_ask(&input, &asked.judgement, now_ms, &world.arena, &wanted));
    lg_limiter_unreachable(world.policy, &wanted, &turnout);
    input.turnout = &turnout;
    lg_engine_judge(&input, &world.arena, &asked.judgement);
    answer(&asked);
    return asked;
}

static struct asked ask(const char *user)
{
    return ask_as(user, "system:authenticated", false, MIGRATION("move"));
}

static bool warns(const struct lg_answer *answer, const char *part)
{
    for (size_t i = 0; i < answer->n_warnings; i++)
        if (memmem(answer->warnings[i].p, answer->warnings[i].n, part, strlen(part)) != NULL)
            return true;
    return false;
}

static void a_person_waits_and_is_told_everything(void **state)
{
    (void)state;
    cluster("1");
    struct asked asked = ask("jane");
    assert_false(asked.answer.allowed);
    assert_int_equal(asked.answer.code, 429);
    assert_string_equal(asked.answer.reason, "TooManyRequests");
    assert_in_range(asked.answer.retry_after_s, 1, 30);
    lg_assert_contains(
        asked.answer.message,
        "VirtualMachineInstanceMigration web/move has to wait, 1 reason:\n"
        "[LG610] migrations in the cluster: 1 of 1 in use: web/shop (Running); place 1, "
        "about ");
    lg_assert_contains(asked.answer.message, "\n    fix: nothing to do: kubectl and oc try again");
    assert_int_equal(asked.answer.n_causes, 1);
    assert_true(lg_str_is(asked.answer.causes[0].reason, "LG610"));
    assert_true(lg_str_is(asked.answer.causes[0].field, "spec.vmiName"));
    assert_int_equal(asked.answer.n_notes, 3);
    assert_string_equal(asked.answer.notes[2].key, "queue");
    lg_assert_contains(asked.answer.notes[2].value, "place 1, about ");
    assert_int_equal(ledger.n_tickets, 1);
}

static void frozen_is_forbidden_at_once(void **state)
{
    (void)state;
    cluster("0");
    struct asked asked = ask("jane");
    assert_false(asked.answer.allowed);
    assert_int_equal(asked.answer.code, 403);
    assert_string_equal(asked.answer.reason, "Forbidden");
    assert_int_equal(asked.answer.retry_after_s, 0);
    lg_assert_contains(asked.answer.message, "migrations are frozen");
    assert_int_equal(ledger.n_tickets, 0);
}

static void a_dry_run_never_waits_and_leaves_no_trace(void **state)
{
    (void)state;
    cluster("1");
    struct asked asked = ask_as("jane", "x", true, MIGRATION("move"));
    assert_true(asked.answer.allowed);
    assert_true(
        warns(&asked.answer, "LG610: would wait: migrations in the cluster: 1 of 1 in use"));
    assert_true(warns(&asked.answer, "place 1"));
    assert_int_equal(ledger.n_tickets + ledger.n_reservations, 0);
    lg_inventory_remove(world.inventory, LG_KIND_MIGRATION, LG_STR("web"), LG_STR("busy"));
    asked = ask_as("jane", "x", true, MIGRATION("move"));
    assert_true(asked.answer.allowed);
    assert_false(warns(&asked.answer, "LG61"));
    assert_int_equal(ledger.n_reservations, 0);
}

static void controllers_are_counted_and_never_refused(void **state)
{
    (void)state;
    cluster("1");
    for (int i = 0; i < 50; i++) {
        struct asked asked = ask(CONTROLLER);
        assert_true(asked.answer.allowed);
        assert_int_equal(asked.answer.n_warnings, 0);
        assert_int_equal(asked.judgement.verdict, LG_ACTION_AUDIT);
    }
    assert_int_equal(ledger.n_tickets + ledger.n_reservations, 0);
}

static void virtctl_is_refused_at_once(void **state)
{
    (void)state;
    cluster("1");
    struct asked asked = ask(VIRT_API);
    assert_false(asked.answer.allowed);
    assert_int_equal(asked.answer.code, 429);
    assert_int_equal(asked.answer.retry_after_s, 0);
    lg_assert_contains(asked.answer.message, "1 of 1 in use");
    assert_int_equal(ledger.n_tickets, 0);
    policy("limiter: {virtApi: admit}");
    asked = ask(VIRT_API);
    assert_true(asked.answer.allowed);
    assert_true(warns(&asked.answer, "LG610: would wait: "));
    assert_int_equal(ledger.n_reservations, 1);
    /* An account of that name elsewhere is a person. */
    assert_int_equal(ask("system:serviceaccount:web:kubevirt-apiserver").judgement.requester,
                     LG_REQUESTER_PERSON);
}

/* Whatever policy makes of LG601: the ledger is of a bounded size, and one text does not fill it
 * for all. */
static void a_guest_of_a_name_that_none_can_have_takes_no_place(void **state)
{
    (void)state;
    char object[1024], name[LG_NAME_SUBDOMAIN_BYTES_MAX + 2] = {0};
    cluster("1");
    lg_world_set_policy(&world,
                        LG_STR("apiVersion: livegate.io/v1\nkind: Policy\n"
                               "rules: {LG601: {action: warn}}\n"),
                        "p.yaml");
    for (size_t bytes = sizeof name - 1; bytes >= sizeof name - 2; bytes--) {
        memset(name, 'a', bytes);
        name[bytes] = '\0';
        (void)snprintf(object, sizeof object,
                       "apiVersion: kubevirt.io/v1\nkind: VirtualMachineInstanceMigration\n"
                       "metadata: {name: m, namespace: web, uid: u}\nspec: {vmiName: %s}\n",
                       name);
        struct asked asked = ask_as("jane", "x", false, object);
        bool possible = bytes <= LG_NAME_SUBDOMAIN_BYTES_MAX;
        assert_int_equal(asked.answer.allowed, !possible); /* KubeVirt says that there is none */
        assert_int_equal(ledger.n_tickets, possible);
    }
}

/* Of a namespace that holds more places than are named, none is said to be another's. */
static void only_other_namespaces_are_called_so(void **state)
{
    (void)state;
    char text[512];
    cluster("7");
    for (int i = 0; i < 6; i++) {
        (void)snprintf(text, sizeof text,
                       GUEST("g%d", "n2") "---\n"
                                          "apiVersion: kubevirt.io/v1\n"
                                          "kind: VirtualMachineInstanceMigration\n"
                                          "metadata: {name: m%d, namespace: web}\n"
                                          "spec: {vmiName: g%d}\nstatus: {phase: Running}\n",
                       i, i, i);
        lg_world_add_text(&world, text);
    }
    struct asked asked = ask("jane");
    lg_assert_contains(asked.answer.message, "7 of 7 in use: web/");
    lg_assert_contains(asked.answer.message, ", 2 more; place 1");
    assert_null(memmem(asked.answer.message.p, asked.answer.message.n, "in other namespaces", 19));
}

/* A guest of the namespace, on its way from n3. */
static void on_its_way(const char *name, const char *to, const char *phase)
{
    char text[512];
    (void)snprintf(text, sizeof text,
                   "---\napiVersion: kubevirt.io/v1\nkind: VirtualMachineInstance\n"
                   "metadata: {name: %s, namespace: web}\nspec: {domain: {}}\n"
                   "status: {phase: Running, nodeName: n3, migrationState: {sourceNode: n3, "
                   "targetNode: %s}}\n"
                   "---\napiVersion: kubevirt.io/v1\nkind: VirtualMachineInstanceMigration\n"
                   "metadata: {name: m-%s, namespace: web}\nspec: {vmiName: %s}\n"
                   "status: {phase: %s}\n",
                   name, to, name, name, phase);
    lg_world_add_text(&world, text);
}

/* n2 is the only other node of a guest on n1; who goes to n9, which is full as well, is not in its
 * way. */
static void who_goes_to_other_nodes_is_not_said_to_be_in_the_way(void **state)
{
    (void)state;
    cluster("9");
    policy("limiter: {inboundPerNode: 1}");
    on_its_way("near", "n2", "Running");
    on_its_way("far", "n9", "Running");
    struct asked asked = ask("jane");
    assert_int_equal(asked.answer.code, 429);
    lg_assert_contains(asked.answer.message,
                       "[LG612] every node that VMI \"db\" could go to receives as many guests as "
                       "policy allows, 1 each, counting 1 whose target is not chosen yet: web/");
    lg_assert_contains(asked.answer.message, "web/near (Running)");
    lg_assert_contains(asked.answer.message, "web/shop (Running)");
    assert_null(memmem(asked.answer.message.p, asked.answer.message.n, "web/far", 7));
}

static void a_target_that_is_kept_is_not_said_to_be_full(void **state)
{
    (void)state;
    cluster("9");
    policy("limiter: {inboundPerNode: 2}");
    on_its_way("near", "n2", "Running");
    assert_false(ask("jane").answer.allowed);
    on_its_way("near", "n2", "Succeeded");
    lg_world_add_text(&world, GUEST("late", "n1"));
    struct asked asked = ask_as("jane", "x", false,
                                "apiVersion: kubevirt.io/v1\n"
                                "kind: VirtualMachineInstanceMigration\n"
                                "metadata: {name: move-late, namespace: web, uid: u-late}\n"
                                "spec: {vmiName: late}\n");
    assert_int_equal(asked.answer.code, 429);
    lg_assert_contains(asked.answer.message,
                       "[LG612] what is free on nodes that VMI \"late\" could go to is kept for "
                       "who came before; policy allows 2 each, counting 1 whose target is not "
                       "chosen yet: web/shop (Running); place 2, about ");
    assert_null(memmem(asked.answer.message.p, asked.answer.message.n, "every node", 10));
}

/* What the guest held itself is not in its way, and not said to be. */
static void the_guest_itself_holds_no_place_against_it(void **state)
{
    (void)state;
    cluster("2");
    assert_true(ask("jane").answer.allowed);
    lg_world_add_text(&world, "---\napiVersion: kubevirt.io/v1\nkind: VirtualMachineInstance\n"
                              "metadata: {name: db, namespace: web}\nspec: {domain: {}}\n"
                              "status: {phase: Running, nodeName: n3, conditions: "
                              "[{type: LiveMigratable, status: 'True'}]}\n" KUBEVIRT("1"));
    struct asked asked = ask_as("jane", "x", false, MIGRATION("again"));
    assert_false(asked.answer.allowed);
    lg_assert_contains(asked.answer.message, "1 of 1 in use: web/shop (Running); place 1");
}

static void who_may_bypass_is_warned_and_counted(void **state)
{
    (void)state;
    cluster("1");
    struct asked asked = ask_as("root", "'livegate:bypass'", false, MIGRATION("move"));
    assert_true(asked.answer.allowed);
    assert_true(warns(&asked.answer, "LG610: would wait: "));
    assert_int_equal(ledger.n_reservations, 1);
}

/* Whoever policy lets pass the full limit is counted at once, and holds no place for a second time
 * that never comes. */
static void who_passes_by_policy_is_counted(void **state)
{
    (void)state;
    static const char *const policies[] = {
        "exceptions:\n- {rules: [LG610], namespaces: [web], reason: r}",
        "exceptions:\n- {rules: ['*'], name: move, reason: r}",
        "exempt:\n- {users: [jane], rules: [LG610], action: warn, reason: r}",
        "exempt:\n- {users: [jane], rules: ['*'], action: audit, reason: r}",
    };
    cluster("1");
    for (int i = 0; i < 4; i++) {
        policy(policies[i]);
        struct asked asked = ask("jane");
        assert_true(asked.answer.allowed);
        assert_int_equal(warns(&asked.answer, "LG610"), i == 2);
        assert_int_equal(ledger.n_tickets, 0);
        assert_int_equal(ledger.n_reservations, 1);
        lg_ledger_drop_reservation(&ledger, 0);
    }
}

/* A limit of 0, too; and that of its node holds it up all the same. */
static void who_passes_one_limit_waits_for_the_other(void **state)
{
    (void)state;
    cluster("0");
    policy("exceptions:\n- {rules: [LG610], namespaces: [web], reason: r}");
    assert_true(ask("jane").answer.allowed);
    assert_int_equal(ledger.n_reservations, 1);
    lg_ledger_drop_reservation(&ledger, 0);
    lg_world_add_text(&world, GUEST("shop", "n1") "---\n"
                                                  "apiVersion: kubevirt.io/v1\n"
                                                  "kind: KubeVirt\n"
                                                  "metadata: {name: kubevirt, namespace: cnv}\n"
                                                  "spec: {configuration: {migrations: "
                                                  "{parallelMigrationsPerCluster: 0, "
                                                  "parallelOutboundMigrationsPerNode: 1}}}\n");
    struct asked asked = ask("jane");
    assert_int_equal(asked.answer.code, 429);
    lg_assert_contains(asked.answer.message, "[LG611] migrations from node n1: 1 of 1 in use");
    assert_int_equal(asked.answer.n_causes, 1);
    assert_int_equal(ledger.n_tickets, 1);
    assert_int_equal(ledger.n_reservations, 0);
    policy("exceptions:\n- {rules: [LG611], namespaces: [web], reason: r}");
    asked = ask("jane");
    assert_int_equal(asked.answer.code, 403);
    lg_assert_contains(asked.answer.message, "[LG610] migrations are frozen");
}

/* Nor is it kept waiting where the ledger is away, whatever policy says of that. */
static void who_passes_by_policy_passes_without_a_ledger(void **state)
{
    (void)state;
    struct lg_turnout turnout;
    cluster("1");
    policy("limiter: {whenLedgerUnreachable: refuse}");
    static const struct {
        const char *node;
        int64_t limit[LG_LIMITS];
        bool waived[LG_LIMITS];
        bool admit, passes;
        enum lg_limit says;
    } rows[] = {
        {"n1", {1, 1, 0}, {false, false, false}, false, false, LG_LIMIT_CLUSTER},
        {"n1", {1, 1, 0}, {false, true, true}, false, false, LG_LIMIT_CLUSTER},
        {"n1", {1, 1, 0}, {true, false, false}, false, false, LG_LIMIT_OUTBOUND},
        {"n1", {1, 1, 0}, {true, false, false}, true, true, LG_LIMIT_OUTBOUND},
        {"n1", {1, 1, 0}, {true, true, false}, false, true, LG_LIMIT_CLUSTER},
        {"n1", {1, 1, 1}, {true, true, false}, false, false, LG_LIMIT_INBOUND},
        {"n1", {1, 1, 1}, {true, true, true}, false, true, LG_LIMIT_CLUSTER},
        {"", {1, 1, 0}, {true, false, false}, false, true, LG_LIMIT_CLUSTER},
        {"", {1, 0, 0}, {true, false, false}, false, false, LG_LIMIT_OUTBOUND},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct lg_ask wanted = {.guest = LG_STR("db"), .node = lg_str_of(rows[i].node)};
        memcpy(wanted.limit, rows[i].limit, sizeof wanted.limit);
        memcpy(wanted.waived, rows[i].waived, sizeof wanted.waived);
        wanted.admit = rows[i].admit;
        lg_limiter_unreachable(world.policy, &wanted, &turnout);
        assert_true(turnout.unreachable);
        assert_int_equal(turnout.admitted, rows[i].passes);
        assert_int_equal(turnout.unreached, rows[i].says);
    }
}

/* An exception from the cluster's limit alone opens that of the node no more than the other way
 * round: the rule that is not waived refuses. */
static void what_is_not_waived_is_refused_without_a_ledger(void **state)
{
    (void)state;
    cluster("1");
    static const char *const exceptions[] = {"LG611", "LG610", "LG610, LG611"};
    static const char *const refused_by[] = {"[LG610]", "[LG611]", "[LG612]"};
    for (size_t i = 0; i < sizeof exceptions / sizeof *exceptions; i++) {
        char text[256];
        (void)snprintf(text, sizeof text,
                       "limiter: {whenLedgerUnreachable: refuse, inboundPerNode: 1}\n"
                       "exceptions:\n- {rules: [%s], namespaces: [web], reason: r}",
                       exceptions[i]);
        policy(text);
        struct asked asked = ask_unreached("jane");
        assert_false(asked.answer.allowed);
        lg_assert_contains(asked.answer.message, refused_by[i]);
        lg_assert_contains(asked.answer.message, "ledger was not reached in time");
        assert_int_equal(asked.answer.n_causes, 1);
    }
    policy("limiter: {whenLedgerUnreachable: refuse}\n"
           "exceptions:\n- {rules: [LG610, LG611], namespaces: [web], reason: r}");
    assert_true(ask_unreached("jane").answer.allowed);
}

/* No API server sends them; they are no way to fill the ledger. */
static void texts_longer_than_there_are_take_no_place(void **state)
{
    (void)state;
    static const struct {
        int ns, name, uid;
        bool counts;
    } rows[] = {{63, 253, 64, true}, {64, 1, 1, false}, {1, 254, 1, false}, {1, 1, 65, false}};
    char object[1024], as[300];
    memset(as, 'a', sizeof as);
    cluster("5");
    lg_world_set_policy(&world,
                        LG_STR("apiVersion: livegate.io/v1\nkind: Policy\n"
                               "rules: {LG601: {action: warn}}\n"),
                        "p.yaml");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        lg_ledger_done(&ledger);
        (void)snprintf(object, sizeof object,
                       "apiVersion: kubevirt.io/v1\nkind: VirtualMachineInstanceMigration\n"
                       "metadata: {namespace: %.*s, name: %.*s, uid: %.*s}\nspec: {vmiName: db}\n",
                       rows[i].ns, as, rows[i].name, as, rows[i].uid, as);
        assert_true(ask_as("jane", "x", false, object).answer.allowed);
        assert_int_equal(ledger.n_reservations, rows[i].counts);
    }
}

static void observing_only_says(void **state)
{
    (void)state;
    static const char *const policies[] = {"limiter: {mode: observe}", "mode: observe"};
    cluster("1");
    for (int i = 0; i < 2; i++) {
        policy(policies[i]);
        struct asked asked = ask("jane");
        assert_true(asked.answer.allowed);
        assert_true(warns(&asked.answer, "LG610: would wait: "));
        assert_int_equal(ledger.n_tickets + ledger.n_reservations, 0);
    }
}

static void a_name_that_exists_takes_no_place(void **state)
{
    (void)state;
    cluster("1"); /* whose only place is taken */
    lg_world_add_text(&world, MIGRATION("move") "status: {phase: Failed}\n");
    for (int i = 0; i < 20; i++)
        assert_true(ask("jane").answer.allowed);
    assert_int_equal(ledger.n_reservations, 0);
    assert_int_equal(ledger.n_tickets, 0);
    assert_false(ask_as("jane", "x", false, MIGRATION("other")).answer.allowed);
}

static struct lg_engine_input confirming(const struct lg_inventory *inventory)
{
    struct lg_engine_input input = {.op = LG_OP_CREATE,
                                    .confirm = true,
                                    .object = lg_world_object(&world, MIGRATION("move")),
                                    .username = LG_STR("jane"),
                                    .now_unix_s = 1700000000};
    input = lg_world_input(&world, input);
    input.inventory = inventory;
    return input;
}

/* What is to be read of a name before the limiter is asked, and whether it is. */
static bool is_asked_for(const struct lg_inventory *inventory, size_t wants)
{
    struct lg_engine_input input = confirming(inventory);
    struct lg_judgement judgement;
    struct lg_ask ask;
    lg_engine_judge(&input, &world.arena, &judgement);
    assert_int_equal(judgement.wants.n, 0);
    lg_limiter_want(&input, &judgement);
    assert_int_equal(judgement.wants.n, wants);
    if (wants != 0) {
        const struct lg_want *want = &judgement.wants.items[0];
        assert_int_equal(want->kind, LG_KIND_MIGRATION);
        assert_true(lg_str_is(want->ns, "web") && lg_str_is(want->name, "move") && want->found);
    }
    return lg_limiter_ask(&input, &judgement, now_ms, &world.arena, &ask);
}

/* `kubectl replace --force` deletes and creates before a watch knows: a name that has ended is
 * looked up. */
static void a_name_that_has_ended_may_be_new_again(void **state)
{
    (void)state;
    static const char *const texts[] = {
        MIGRATION("move") "status: {phase: Running}\n",
        MIGRATION("move") "status: {phase: Succeeded}\n",
        "apiVersion: kubevirt.io/v1\nkind: VirtualMachineInstanceMigration\n"
        "metadata: {name: move, namespace: web, uid: u, deletionTimestamp: "
        "'2023-01-01T00:00:00Z'}\nspec: {vmiName: db}\nstatus: {phase: Succeeded}\n"};
    const struct lg_record *record = NULL;
    cluster("1");
    assert_true(is_asked_for(world.inventory, 0));
    lg_world_add_text(&world, texts[0]);
    assert_false(is_asked_for(world.inventory, 0));
    lg_world_add_text(&world, texts[1]);
    assert_true(is_asked_for(world.inventory, 1)); /* it could not be read */
    assert_int_equal(lg_inventory_get(world.inventory, LG_KIND_MIGRATION, LG_STR("web"),
                                      LG_STR("move"), &record),
                     LG_FOUND);
    struct lg_read read = {LG_KIND_MIGRATION, LG_STR("web"), LG_STR("move"), record};
    assert_false(is_asked_for(lg_inventory_over(world.inventory, &read, 1, &world.arena), 0));
    read.record = NULL;
    assert_true(is_asked_for(lg_inventory_over(world.inventory, &read, 1, &world.arena), 0));
    lg_world_add_text(&world, texts[2]);
    assert_true(is_asked_for(world.inventory, 0));
}

/* Nobody reads anything where nothing would come of it: the limiter is off, or a rule denies. */
static void nothing_is_read_for_a_limiter_that_is_not_asked(void **state)
{
    (void)state;
    cluster("1");
    lg_world_add_text(&world, MIGRATION("move") "status: {phase: Succeeded}\n");
    struct lg_engine_input input = confirming(world.inventory);
    struct lg_judgement judgement;
    lg_engine_judge(&input, &world.arena, &judgement);
    judgement.verdict = LG_ACTION_DENY;
    lg_limiter_want(&input, &judgement);
    assert_int_equal(judgement.wants.n, 0);
    judgement.verdict = LG_ACTION_OFF;
    judgement.requester = LG_REQUESTER_CONTROLLER;
    lg_limiter_want(&input, &judgement);
    assert_int_equal(judgement.wants.n, 0);
    policy("limiter: {mode: off}");
    input = confirming(world.inventory);
    judgement.requester = LG_REQUESTER_PERSON;
    lg_limiter_want(&input, &judgement);
    assert_int_equal(judgement.wants.n, 0);
}

static void a_name_made_up_again_takes_one_place(void **state)
{
    (void)state;
    cluster("5");
    static const char *const objects[] = {MIGRATION("move-a"), MIGRATION("move-b"),
                                          MIGRATION("move-c")};
    for (int i = 0; i < 3; i++)
        assert_true(ask_as("jane", "x", false, objects[i]).answer.allowed);
    assert_int_equal(ledger.n_reservations, 1);
    assert_true(lg_str_is(ledger.reservations[0].id, "u-move-c"));
}

static void what_another_webhook_refuses_is_free_after_thirty_seconds(void **state)
{
    (void)state;
    cluster("2");
    assert_true(ask("jane").answer.allowed);
    const struct lg_slots *slots = lg_inventory_slots(world.inventory);
    assert_int_equal(lg_limits_used(slots, &ledger), 2);
    now_ms += LG_RESERVATION_MS;
    (void)lg_ledger_tidy(&ledger, now_ms, lg_limiter_seen, world.inventory);
    assert_int_equal(lg_limits_used(slots, &ledger), 1);
}

/* Created and deleted again before anybody asked: nobody ever saw it, and its place is free all the
 * same. */
static void what_came_and_went_between_two_looks_is_free_at_once(void **state)
{
    (void)state;
    cluster("2");
    const struct lg_slots *slots = lg_inventory_slots(world.inventory);
    assert_true(ask("jane").answer.allowed);
    /* Another one of that name is not it. */
    lg_world_add_text(&world, "apiVersion: kubevirt.io/v1\n"
                              "kind: VirtualMachineInstanceMigration\n"
                              "metadata: {name: move, namespace: web, uid: before}\n"
                              "spec: {vmiName: db}\nstatus: {phase: Failed}\n");
    lg_inventory_remove(world.inventory, LG_KIND_MIGRATION, LG_STR("web"), LG_STR("move"));
    assert_false(lg_ledger_tidy(&ledger, now_ms, lg_limiter_seen, world.inventory));
    assert_int_equal(lg_limits_used(slots, &ledger), 2);
    lg_world_add_text(&world, MIGRATION("move") "status: {phase: Pending}\n");
    lg_inventory_remove(world.inventory, LG_KIND_MIGRATION, LG_STR("web"), LG_STR("move"));
    assert_true(lg_ledger_tidy(&ledger, now_ms, lg_limiter_seen, world.inventory));
    assert_int_equal(lg_limits_used(slots, &ledger), 1);
    assert_int_equal(ledger.n_reservations, 0);
}

static void a_denial_by_a_rule_takes_no_place_and_no_ticket(void **state)
{
    (void)state;
    cluster("1");
    lg_world_add_text(&world, "apiVersion: kubevirt.io/v1\n"
                              "kind: VirtualMachineInstance\n"
                              "metadata: {name: db, namespace: web}\n"
                              "spec: {domain: {}}\n"
                              "status: {phase: Failed}\n");
    struct asked asked = ask("jane");
    assert_int_equal(asked.answer.code, 403);
    lg_assert_contains(asked.answer.message, "[LG601]");
    assert_int_equal(ledger.n_tickets + ledger.n_reservations, 0);
}

static void a_clock_that_jumps_changes_no_decision(void **state)
{
    (void)state;
    cluster("1");
    static const int64_t clocks[] = {0, 1, 1700000000, INT32_MAX, (int64_t)1 << 40};
    for (size_t i = 0; i < sizeof clocks / sizeof *clocks; i++) {
        struct lg_engine_input input = {.op = LG_OP_CREATE,
                                        .object = lg_world_object(&world, MIGRATION("move")),
                                        .username = LG_STR("jane"),
                                        .now_unix_s = clocks[i]};
        struct lg_judgement judgement;
        input = lg_world_input(&world, input);
        lg_limiter_judge(&input, &ledger, now_ms, &world.arena, &judgement);
        assert_int_equal(judgement.verdict, LG_ACTION_DENY);
        assert_int_equal(judgement.turnout->place, 1);
        assert_true(judgement.turnout->estimate_s >= 1);
    }
}

/* KubeVirt alone sets a priority: its webhook refuses a person's, and its own words reach the user
 * at once. */
static void what_kubevirt_refuses_anyway_takes_no_place(void **state)
{
    (void)state;
    cluster("1");
    struct asked asked = ask_as("jane", "x", false,
                                "apiVersion: kubevirt.io/v1\n"
                                "kind: VirtualMachineInstanceMigration\n"
                                "metadata: {name: move, namespace: web, uid: u}\n"
                                "spec: {vmiName: db, priority: user-triggered}\n");
    assert_true(asked.answer.allowed);
    assert_int_equal(asked.answer.n_warnings, 0);
    assert_int_equal(ledger.n_tickets + ledger.n_reservations, 0);
    assert_false(ask("jane").answer.allowed);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_person_waits_and_is_told_everything),
        TEST(frozen_is_forbidden_at_once),
        TEST(a_dry_run_never_waits_and_leaves_no_trace),
        TEST(controllers_are_counted_and_never_refused),
        TEST(virtctl_is_refused_at_once),
        TEST(a_guest_of_a_name_that_none_can_have_takes_no_place),
        TEST(only_other_namespaces_are_called_so),
        TEST(the_guest_itself_holds_no_place_against_it),
        TEST(who_goes_to_other_nodes_is_not_said_to_be_in_the_way),
        TEST(a_target_that_is_kept_is_not_said_to_be_full),
        TEST(who_may_bypass_is_warned_and_counted),
        TEST(who_passes_by_policy_is_counted),
        TEST(who_passes_one_limit_waits_for_the_other),
        TEST(who_passes_by_policy_passes_without_a_ledger),
        TEST(what_is_not_waived_is_refused_without_a_ledger),
        TEST(texts_longer_than_there_are_take_no_place),
        TEST(observing_only_says),
        TEST(a_name_that_exists_takes_no_place),
        TEST(a_name_that_has_ended_may_be_new_again),
        TEST(nothing_is_read_for_a_limiter_that_is_not_asked),
        TEST(a_name_made_up_again_takes_one_place),
        TEST(what_another_webhook_refuses_is_free_after_thirty_seconds),
        TEST(what_came_and_went_between_two_looks_is_free_at_once),
        TEST(a_denial_by_a_rule_takes_no_place_and_no_ticket),
        TEST(a_clock_that_jumps_changes_no_decision),
        TEST(what_kubevirt_refuses_anyway_takes_no_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
