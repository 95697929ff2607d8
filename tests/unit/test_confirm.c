/* Denials that rest on other objects: asked for, confirmed, overturned. With the real rules,
 * without a network. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/world.h"

struct play {
    struct lg_world world;
    struct lg_record *records[LG_READS_MAX];
    struct lg_read reads[LG_READS_MAX];
    size_t n;
    struct lg_engine_input input;
    struct lg_judgement got;
};

static int set_up(void **state)
{
    static struct play play;
    play =
        (struct play){.input = {.op = LG_OP_CREATE, .username = LG_STR("jane"), .confirm = true}};
    lg_world_init(&play.world);
    lg_world_know(&play.world, LG_BIT(LG_KIND_CLAIM) | LG_BIT(LG_KIND_DATA_VOLUME) |
                                   LG_BIT(LG_KIND_VMI) | LG_BIT(LG_KIND_MIGRATION));
    *state = &play;
    return 0;
}

static int tear_down(void **state)
{
    struct play *p = *state;
    for (size_t i = 0; i < p->n; i++)
        lg_record_unref(p->records[i]);
    lg_world_done(&p->world);
    return 0;
}

/* The object was read, and this is what came: YAML, or NULL for none of that name. */
static void read_it(struct play *p, enum lg_kind kind, const char *name, const char *text)
{
    struct lg_record *record = NULL;
    if (text != NULL)
        assert_int_equal(lg_record_new(lg_world_object(&p->world, text), &record, NULL), LG_E_OK);
    p->records[p->n] = record;
    p->reads[p->n++] = (struct lg_read){
        .kind = kind, .ns = LG_STR("web"), .name = lg_str_of(name), .record = record};
}

static void judge(struct play *p, const char *object)
{
    struct lg_engine_input input = p->input;
    input.object = lg_world_object(&p->world, object);
    input = lg_world_input(&p->world, input);
    if (p->n != 0)
        input.inventory = lg_inventory_over(input.inventory, p->reads, p->n, &p->world.arena);
    lg_engine_judge(&input, &p->world.arena, &p->got);
}

/* The finding of a rule, or NULL. */
static const struct lg_finding *finding(const struct play *p, const char *rule)
{
    for (size_t i = 0; i < p->got.n; i++)
        if (strcmp(p->got.findings[i].rule->id, rule) == 0)
            return &p->got.findings[i];
    return NULL;
}

static void expect(const struct play *p, const char *rule, enum lg_action action, const char *text)
{
    const struct lg_finding *found = finding(p, rule);
    if (found == NULL)
        fail_msg("%s says nothing", rule);
    assert_string_equal(lg_action_name(found->action), lg_action_name(action));
    char message[1200];
    (void)snprintf(message, sizeof message, "%.*s", LG_ARG(found->message));
    if (strstr(message, text) == NULL)
        fail_msg("%s does not say \"%s\": %s", rule, text, message);
}

static void expect_want(const struct play *p, size_t i, enum lg_kind kind, const char *name,
                        bool found)
{
    assert_true(i < p->got.wants.n);
    const struct lg_want *want = &p->got.wants.items[i];
    assert_int_equal(want->kind, kind);
    assert_true(lg_str_is(want->ns, "web"));
    assert_true(lg_str_is(want->name, name));
    assert_int_equal(want->found, found);
}

#define MIGRATION                                                                                  \
    "apiVersion: kubevirt.io/v1\nkind: VirtualMachineInstanceMigration\n"                          \
    "metadata: {name: move, namespace: web}\nspec: {vmiName: guest}\n"
#define VMI(phase, migratable)                                                                     \
    "apiVersion: kubevirt.io/v1\nkind: VirtualMachineInstance\n"                                   \
    "metadata: {name: guest, namespace: web}\nspec: {domain: {}}\n"                                \
    "status: {phase: " phase ", conditions: [{type: LiveMigratable, status: \"" migratable         \
    "\"}]}\n"
#define EARLIER(phase)                                                                             \
    "apiVersion: kubevirt.io/v1\nkind: VirtualMachineInstanceMigration\n"                          \
    "metadata: {name: earlier, namespace: web}\nspec: {vmiName: guest}\n"                          \
    "status: {phase: " phase "}\n"
#define CLAIM(mode)                                                                                \
    "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data, namespace: web}\n"        \
    "spec: {accessModes: [" mode "]}\n"
#define VM(more)                                                                                   \
    "apiVersion: kubevirt.io/v1\nkind: VirtualMachine\nmetadata: {name: vm, namespace: web}\n"     \
    "spec:\n" more "  template: {spec: {domain: {devices: {interfaces: [{name: default, "          \
    "masquerade: {}}]}}, networks: [{name: default, pod: {}}], volumes: [{name: disk, "            \
    "persistentVolumeClaim: {claimName: data}}]}}\n"
#define TEMPLATE                                                                                   \
    "  dataVolumeTemplates: [{metadata: {name: data}, spec: {source: {blank: {}}, "                \
    "pvc: {accessModes: [ReadWriteOnce]}}}]\n"

static void an_absent_guest_is_asked_for_before_it_denies(void **state)
{
    struct play *p = *state;
    judge(p, MIGRATION);
    expect(p, "LG601", LG_ACTION_PENDING,
           "there is no VMI \"guest\" in namespace web (as it was last seen; virtual machine "
           "instance \"guest\" could not be read again in time)");
    assert_true(finding(p, "LG601")->pending);
    assert_int_equal(p->got.wants.n, 1);
    expect_want(p, 0, LG_KIND_VMI, "guest", false);
    read_it(p, LG_KIND_VMI, "guest", NULL);
    judge(p, MIGRATION);
    expect(p, "LG601", LG_ACTION_DENY, "there is no VMI \"guest\" in namespace web");
    assert_int_equal(p->got.wants.n, 0);
}

static void a_guest_that_was_read_counts(void **state)
{
    struct play *p = *state;
    read_it(p, LG_KIND_VMI, "guest", VMI("Running", "True"));
    judge(p, MIGRATION);
    assert_null(finding(p, "LG601"));
    assert_null(finding(p, "LG602"));
    assert_int_equal(p->got.wants.n, 0);
}

static void one_object_is_asked_for_once(void **state)
{
    struct play *p = *state;
    lg_world_add_text(&p->world, VMI("Running", "False"));
    judge(p, MIGRATION);
    expect(p, "LG602", LG_ACTION_PENDING, "is not live-migratable");
    assert_int_equal(p->got.wants.n, 1);
    expect_want(p, 0, LG_KIND_VMI, "guest", true);
    read_it(p, LG_KIND_VMI, "guest", VMI("Succeeded", "False"));
    judge(p, MIGRATION);
    expect(p, "LG601", LG_ACTION_DENY, "has ended");
    assert_null(finding(p, "LG602"));
}

static void another_migration_is_looked_at_again(void **state)
{
    struct play *p = *state;
    lg_world_add_text(&p->world, VMI("Running", "True"));
    lg_world_add_text(&p->world, EARLIER("Running"));
    judge(p, MIGRATION);
    expect(p, "LG603", LG_ACTION_PENDING, "already migrating");
    assert_int_equal(p->got.wants.n, 1);
    expect_want(p, 0, LG_KIND_MIGRATION, "earlier", true);
    read_it(p, LG_KIND_MIGRATION, "earlier", EARLIER("Running"));
    judge(p, MIGRATION);
    expect(p, "LG603", LG_ACTION_DENY, "migration \"earlier\" (Running)");
    lg_record_unref(p->records[--p->n]);
    read_it(p, LG_KIND_MIGRATION, "earlier", EARLIER("Succeeded"));
    judge(p, MIGRATION);
    assert_null(finding(p, "LG603"));
    lg_record_unref(p->records[--p->n]);
    read_it(p, LG_KIND_MIGRATION, "earlier", NULL);
    judge(p, MIGRATION);
    assert_null(finding(p, "LG603"));
}

static void a_claim_that_is_missing_is_asked_for(void **state)
{
    struct play *p = *state;
    judge(p, VM(""));
    expect(p, "LG102", LG_ACTION_PENDING, "claim \"data\" does not exist yet");
    expect_want(p, 0, LG_KIND_CLAIM, "data", false);
    read_it(p, LG_KIND_CLAIM, "data", NULL);
    judge(p, VM(""));
    expect(p, "LG102", LG_ACTION_PENDING, "claim \"data\" does not exist yet");
    assert_int_equal(p->got.wants.n, 0);
    p->n = 0;
    read_it(p, LG_KIND_CLAIM, "data", CLAIM("ReadWriteOnce"));
    judge(p, VM(""));
    assert_null(finding(p, "LG102"));
    expect(p, "LG101", LG_ACTION_DENY, "claim \"data\" is ReadWriteOnce");
}

static void a_template_denies_only_where_no_claim_stands_before_it(void **state)
{
    struct play *p = *state;
    judge(p, VM(TEMPLATE));
    expect(p, "LG101", LG_ACTION_PENDING, "could not be read again in time");
    assert_int_equal(lg_judgement_migratable(&p->got), -1);
    expect_want(p, 0, LG_KIND_CLAIM, "data", false);
    read_it(p, LG_KIND_CLAIM, "data", NULL);
    judge(p, VM(TEMPLATE));
    expect(p, "LG101", LG_ACTION_DENY, "will be ReadWriteOnce");
    assert_int_equal(lg_judgement_migratable(&p->got), 0);
    p->n = 0;
    read_it(p, LG_KIND_CLAIM, "data", CLAIM("ReadWriteMany")); /* CDI adopts it */
    judge(p, VM(TEMPLATE));
    assert_null(finding(p, "LG101"));
    assert_int_equal(lg_judgement_migratable(&p->got), 1);
}

static void what_was_read_is_known_though_its_kind_is_not(void **state)
{
    struct play *p = *state;
    lg_inventory_set_known(p->world.inventory, LG_KIND_CLAIM, LG_NOT_SYNCED);
    judge(p, VM(""));
    expect(p, "LG102", LG_ACTION_PENDING, "claims have not been listed");
    expect_want(p, 0, LG_KIND_CLAIM, "data", false);
    read_it(p, LG_KIND_CLAIM, "data", NULL);
    judge(p, VM(""));
    expect(p, "LG102", LG_ACTION_PENDING, "claim \"data\" does not exist yet");
}

static void what_may_not_be_read_is_not_asked_for(void **state)
{
    struct play *p = *state;
    lg_inventory_set_known(p->world.inventory, LG_KIND_CLAIM, LG_FORBIDDEN);
    lg_inventory_set_known(p->world.inventory, LG_KIND_DATA_VOLUME, LG_NOT_SERVED);
    judge(p, VM(""));
    expect(p, "LG102", LG_ACTION_PENDING, "livegate may not read claims");
    assert_int_equal(p->got.wants.n, 0);
}

static void files_are_the_truth(void **state)
{
    struct play *p = *state;
    p->input.confirm = false;
    judge(p, MIGRATION);
    expect(p, "LG601", LG_ACTION_DENY, "there is no VMI");
    assert_int_equal(p->got.wants.n, 0);
}

static void controllers_are_not_held_up(void **state)
{
    struct play *p = *state;
    p->input.username = LG_STR("system:serviceaccount:kubevirt:kubevirt-controller");
    judge(p, MIGRATION);
    assert_int_equal(p->got.requester, LG_REQUESTER_CONTROLLER);
    expect(p, "LG601", LG_ACTION_AUDIT, "there is no VMI");
    assert_int_equal(p->got.wants.n, 0);
}

static void so_many_are_asked_for_and_the_rest_is_pending(void **state)
{
    struct play *p = *state;
    char text[4096];
    int n = snprintf(text, sizeof text,
                     "apiVersion: kubevirt.io/v1\nkind: VirtualMachine\n"
                     "metadata: {name: vm, namespace: web}\nspec: {template: {spec: {domain: {}, "
                     "volumes: [");
    for (int i = 0; i < LG_WANTS_MAX + 3; i++)
        n += snprintf(text + n, sizeof text - (size_t)n,
                      "{name: d%d, persistentVolumeClaim: {claimName: c%d}}, ", i, i);
    (void)snprintf(text + n, sizeof text - (size_t)n, "]}}}\n");
    judge(p, text);
    assert_int_equal(p->got.wants.n, LG_WANTS_MAX);
    size_t pending = 0;
    for (size_t i = 0; i < p->got.n; i++)
        pending += strcmp(p->got.findings[i].rule->id, "LG102") == 0;
    assert_int_equal(pending, LG_WANTS_MAX + 3);
}

static void an_old_violation_is_excused_once_it_is_confirmed(void **state)
{
    struct play *p = *state;
    p->input.op = LG_OP_UPDATE;
    p->input.old_object = lg_world_object(&p->world, VM(TEMPLATE));
    read_it(p, LG_KIND_CLAIM, "data", NULL);
    judge(p, VM("  instancetype: {name: u1}\n" TEMPLATE));
    expect(p, "LG101", LG_ACTION_WARN, "will be ReadWriteOnce");
    assert_true(finding(p, "LG101")->ratcheted);
}

/* One that came a moment ago: what policy says of its labels counts already. */
static void a_namespace_is_asked_for_where_its_labels_would_decide(void **state)
{
    struct play *p = *state;
    lg_world_know(&p->world, LG_BIT(LG_KIND_NAMESPACE));
    judge(p, VM(""));
    for (size_t i = 0; i < p->got.wants.n; i++)
        assert_int_not_equal(p->got.wants.items[i].kind, LG_KIND_NAMESPACE);
    lg_world_set_policy(&p->world,
                        LG_STR("apiVersion: livegate.io/v1\nkind: Policy\nnamespaces:\n"
                               "- selector: {matchLabels: {tier: dev}}\n  mode: observe\n"),
                        "policy.yaml");
    judge(p, VM(""));
    assert_int_equal(p->got.mode, LG_MODE_ENFORCE);
    assert_int_equal(p->got.wants.items[0].kind, LG_KIND_NAMESPACE);
    assert_true(lg_str_is(p->got.wants.items[0].name, "web"));
    assert_true(lg_str_empty(p->got.wants.items[0].ns));
    read_it(p, LG_KIND_NAMESPACE, "web",
            "apiVersion: v1\nkind: Namespace\nmetadata: {name: web, labels: {tier: dev}}\n");
    judge(p, VM(""));
    assert_int_equal(p->got.mode, LG_MODE_OBSERVE);
    for (size_t i = 0; i < p->got.wants.n; i++)
        assert_int_not_equal(p->got.wants.items[i].kind, LG_KIND_NAMESPACE);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_absent_guest_is_asked_for_before_it_denies),
        TEST(a_guest_that_was_read_counts),
        TEST(one_object_is_asked_for_once),
        TEST(another_migration_is_looked_at_again),
        TEST(a_claim_that_is_missing_is_asked_for),
        TEST(a_template_denies_only_where_no_claim_stands_before_it),
        TEST(what_was_read_is_known_though_its_kind_is_not),
        TEST(what_may_not_be_read_is_not_asked_for),
        TEST(files_are_the_truth),
        TEST(controllers_are_not_held_up),
        TEST(so_many_are_asked_for_and_the_rest_is_pending),
        TEST(a_namespace_is_asked_for_where_its_labels_would_decide),
        TEST(an_old_violation_is_excused_once_it_is_confirmed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
