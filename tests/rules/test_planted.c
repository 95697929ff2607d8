/* Known obstacles in random VMs: what is planted is found, whatever stands around it and however it
 * is written.
 *
 * Of each VM, which can be migrated, nothing may be said under the strict policy. Then one row of
 * the table below is planted (rule, field, value, version): its rule is among the findings, and the
 * VM is not allowed where KubeVirt would not migrate it. The same VM with members and items in
 * another order and with fields that nobody knows has the same verdict.
 *
 * LIVEGATE_PLANTED says how many VMs (tests/CMakeLists.txt: 100,000); LIVEGATE_SEED, which is
 * printed, repeats a run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <lg_test_paths.h>

#include "rules/core/file.h"
#include "rules/core/mem.h"
#include "tests/support/random_vm.h"
#include "tests/support/world.h"

enum { VMS = 10000, OLDEST = 100 };

#define SPEC_PATH    "spec.template.spec"
#define DEVICES_PATH SPEC_PATH ".domain.devices"

struct obstacle {
    const char *rule;
    const char *what; /* field and value, for people */
    void (*plant)(struct lg_random *random, json_t *vm, const struct obstacle *obstacle);
    const char *path; /* of the object or list that it is put into */
    const char *json; /* the item of the list, or the members of the object */
    int since, until; /* versions of KubeVirt; 0 = all */
};

static void put_item(struct lg_random *random, json_t *vm, const struct obstacle *obstacle)
{
    json_t *list = lg_random_list(vm, obstacle->path);
    size_t at = lg_random_below(random, (unsigned)json_array_size(list) + 1);
    json_array_insert_new(list, at, json_loads(obstacle->json, 0, NULL));
}

static void put_members(struct lg_random *random, json_t *vm, const struct obstacle *obstacle)
{
    (void)random;
    json_t *members = json_loads(obstacle->json, 0, NULL);
    json_object_update(lg_random_object(vm, obstacle->path), members);
    json_decref(members);
}

/* The template's networks and interfaces are replaced by one of each. */
static void put_network(struct lg_random *random, json_t *vm, const struct obstacle *obstacle)
{
    (void)random;
    json_t *spec = lg_random_object(vm, SPEC_PATH);
    json_t *interface = json_loads(obstacle->json, 0, NULL);
    json_object_set_new(spec, "networks", json_pack("[{s:s,s:{}}]", "name", "p", "pod"));
    json_object_set_new(lg_random_object(spec, "domain.devices"), "interfaces",
                        json_pack("[o]", interface));
}

static void put_instancetype(struct lg_random *random, json_t *vm, const struct obstacle *obstacle)
{
    (void)random;
    lg_random_use_instancetype(vm, obstacle->json);
}

/* A preference fills in what the VM leaves open. */
static void put_preference(struct lg_random *random, json_t *vm, const struct obstacle *obstacle)
{
    (void)random;
    json_t *domain = lg_random_object(vm, SPEC_PATH ".domain");
    json_object_del(domain, "features");
    json_object_del(domain, "launchSecurity");
    json_object_set_new(lg_random_object(vm, "spec.preference"), "name",
                        json_string(obstacle->json));
}

static void drop_networks(struct lg_random *random, json_t *vm, const struct obstacle *obstacle)
{
    (void)random;
    (void)obstacle;
    json_object_del(lg_random_object(vm, SPEC_PATH), "networks");
    json_object_del(lg_random_object(vm, SPEC_PATH ".domain.devices"), "interfaces");
}

#define VOLUME(source)                                                                             \
    .plant = put_item, .path = SPEC_PATH ".volumes", .json = "{\"name\":\"planted\"," source "}"
#define DEVICE(list, item) .plant = put_item, .path = DEVICES_PATH "." list, .json = item
#define SPEC(members)      .plant = put_members, .path = SPEC_PATH, .json = members
#define DOMAIN(members)    .plant = put_members, .path = SPEC_PATH ".domain", .json = members

#define FEATURE(members) .plant = put_members, .path = SPEC_PATH ".domain.features", .json = members

#define POD(binding) .plant = put_network, .json = "{\"name\":\"p\"," binding "}"

static const struct obstacle obstacles[] = {
    {"LG101", "a claim that is ReadWriteOnce",
     VOLUME("\"persistentVolumeClaim\":{\"claimName\":\"rwo\"}")},
    {"LG101", "the same as a data volume", VOLUME("\"dataVolume\":{\"name\":\"rwo\"}")},
    {"LG103", "a hostDisk that is not shared",
     VOLUME("\"hostDisk\":{\"path\":\"/d\",\"type\":\"Disk\",\"shared\":false}")},
    {"LG103", "a hostDisk that does not say", VOLUME("\"hostDisk\":{\"path\":\"/d\"}")},
    {"LG105", "ephemeral over a claim that is not shared",
     VOLUME("\"ephemeral\":{\"persistentVolumeClaim\":{\"claimName\":\"rwo\"}}")},
    {"LG105", "a memory dump on such a claim", VOLUME("\"memoryDump\":{\"claimName\":\"rwo\"}")},
    {"LG107", "virtiofs", DEVICE("filesystems", "{\"name\":\"planted\",\"virtiofs\":{}}"),
     .until = 104},
    {"LG108", "a reservation",
     DEVICE("disks", "{\"name\":\"planted\",\"lun\":{\"reservation\":true}}"), .until = 108},
    {"LG109", "a persistent TPM", .plant = put_members, .path = DEVICES_PATH,
     .json = "{\"tpm\":{\"persistent\":true}}", .since = 103, .until = 103},
    {"LG109", "persistent EFI",
     DOMAIN("{\"firmware\":{\"bootloader\":{\"efi\":{\"persistent\":true}}}}"), .since = 103,
     .until = 103},
    {"LG201", "bridge on the pod network", POD("\"bridge\":{}")},
    {"LG202", "a migration port",
     POD("\"masquerade\":{},\"ports\":[{\"port\":80},{\"port\":49152}]")},
    {"LG202", "a range over a migration port",
     POD("\"masquerade\":{},\"portRanges\":[{\"start\":40000,\"end\":50000}]")},
    {"LG203", "no networks", .plant = drop_networks},
    {"LG204", "sriov on the pod network", POD("\"sriov\":{}")},
    {"LG204", "a plugin without migration", POD("\"binding\":{\"name\":\"own\"}")},
    {"LG204", "a plugin that is not there", POD("\"binding\":{\"name\":\"gone\"}")},
    {"LG204", "passtBinding", POD("\"passtBinding\":{}"), .until = 107},
    {"LG301", "a host device",
     DEVICE("hostDevices", "{\"name\":\"nic\",\"deviceName\":\"vendor.com/nic\"}")},
    {"LG302", "a GPU, whose gate is off since 1.9",
     DEVICE("gpus", "{\"name\":\"g\",\"deviceName\":\"vendor.com/vgpu\"}")},
    {"LG303", "SEV", DOMAIN("{\"launchSecurity\":{\"sev\":{}}}")},
    {"LG303", "SNP", DOMAIN("{\"launchSecurity\":{\"snp\":{}}}")},
    {"LG303", "TDX", DOMAIN("{\"launchSecurity\":{\"tdx\":{}}}"), .since = 107},
    {"LG303", "Secure Execution",
     SPEC("{\"architecture\":\"s390x\",\"domain\":{\"launchSecurity\":{}}}"), .since = 106},
    {"LG304", "Hyper-V passthrough", FEATURE("{\"hypervPassthrough\":{\"enabled\":true}}"),
     .since = 103},
    {"LG304", "Hyper-V passthrough that does not say", FEATURE("{\"hypervPassthrough\":{}}"),
     .since = 103},
    {"LG305", "re-enlightenment", FEATURE("{\"hyperv\":{\"reenlightenment\":{}}}")},
    {"LG306", "host-passthrough", DOMAIN("{\"cpu\":{\"model\":\"host-passthrough\"}}")},
    {"LG401", "a label that no node bears", SPEC("{\"nodeSelector\":{\"zone\":\"nowhere\"}}")},
    {"LG402", "pinned to a node",
     SPEC("{\"nodeSelector\":{\"kubernetes.io/hostname\":\"n1\"},"
          "\"affinity\":null}")},
    {"LG403", "placement beside the template", .plant = put_members, .path = "spec",
     .json = "{\"nodeSelector\":{\"zone\":\"a\"}}"},
    {"LG404", "an operator that is none",
     SPEC("{\"affinity\":{\"nodeAffinity\":{\"requiredDuringSchedulingIgnoredDuringExecution\":"
          "{\"nodeSelectorTerms\":[{\"matchExpressions\":[{\"key\":\"zone\",\"operator\":"
          "\"Is\",\"values\":[\"a\"]}]}]}}}}")},
    {"LG405", "more memory than any node has",
     DOMAIN("{\"memory\":{\"guest\":\"1Ti\"},\"resources\":{}}")},
    {"LG405", "more dedicated CPUs than any node has",
     DOMAIN("{\"cpu\":{\"cores\":65,\"dedicatedCpuPlacement\":true},\"resources\":{}}")},
    {"LG406", "bound to itself by host",
     SPEC("{\"affinity\":{\"podAffinity\":{\"requiredDuringSchedulingIgnoredDuringExecution\":[{"
          "\"labelSelector\":{},\"topologyKey\":\"kubernetes.io/hostname\"}]}}}")},
    {"LG501", "a drain that waits for ever", .plant = put_members, .path = SPEC_PATH,
     .json = "{\"evictionStrategy\":\"LiveMigrate\",\"volumes\":[{\"name\":\"d\","
             "\"hostDisk\":{}}]}"},
    {"LG301", "an instancetype's host device", .plant = put_instancetype, .json = "nic"},
    {"LG302", "an instancetype's GPU", .plant = put_instancetype, .json = "gpu"},
    {"LG401", "an instancetype's nodeSelector", .plant = put_instancetype, .json = "nowhere"},
    {"LG303", "a preference's SEV", .plant = put_preference, .json = "sealed"},
    {"LG305", "a preference's re-enlightenment", .plant = put_preference, .json = "windows"},
    {"LG502", "not evacuated", SPEC("{\"evictionStrategy\":\"None\"}")},
};
enum { OBSTACLES = sizeof obstacles / sizeof *obstacles };

/* --- judging --- */

struct planter {
    struct lg_world world;
    struct lg_random random;
    uint64_t seed;
    size_t index; /* of the VM */
    int version;
};

static void judge(struct planter *planter, const json_t *vm, struct lg_judgement *ret)
{
    char *text = json_dumps(vm, JSON_COMPACT);
    struct lg_val object = LG_NONE;
    struct lg_str copy = lg_arena_str(&planter->world.arena, lg_str_of(text));
    free(text);
    assert_int_equal(lg_json_parse(&planter->world.arena, copy, &object, NULL), LG_E_OK);
    struct lg_engine_input input = lg_world_input(
        &planter->world, (struct lg_engine_input){.op = LG_OP_CREATE,
                                                  .object = object,
                                                  .username = LG_STR("alice"),
                                                  .kubevirt_version = planter->version});
    lg_engine_judge(&input, &planter->world.arena, ret);
}

/* One line a finding, but for where it stands: that may change. */
static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char *summary(struct planter *planter, const struct lg_judgement *judgement)
{
    struct lg_arena *arena = &planter->world.arena;
    const char **lines = lg_arena_array(arena, judgement->n + 1, sizeof *lines);
    struct lg_buf buf = {0};
    for (size_t i = 0; i < judgement->n; i++) {
        const struct lg_finding *finding = &judgement->findings[i];
        lines[i] = lg_arena_printf(arena, "%s %s \"%.*s\": %.*s\n", finding->rule->id,
                                   lg_action_name(finding->action), LG_ARG(finding->about),
                                   LG_ARG(finding->message))
                       .p;
    }
    qsort(lines, judgement->n, sizeof *lines, by_text);
    lg_buf_printf(&buf, "%s%s, migratable %d, block %d\n", lg_action_name(judgement->verdict),
                  judgement->refused ? " (refused)" : "", lg_judgement_migratable(judgement),
                  lg_judgement_block_migration(judgement));
    for (size_t i = 0; i < judgement->n; i++)
        lg_buf_puts(&buf, lines[i]);
    const char *text = lg_arena_str(arena, lg_buf_view(&buf)).p;
    lg_buf_done(&buf);
    return text;
}

_Noreturn static void give_up(struct planter *planter, const char *why, const char *more,
                              const json_t *vm, const struct lg_judgement *got)
{
    char *text = json_dumps(vm, 0);
    fprintf(stderr, "LIVEGATE_SEED=%llu, VM %zu, KubeVirt %d.%d: %s%s\n%s\n%s\n",
            (unsigned long long)planter->seed, planter->index, planter->version / 100,
            planter->version % 100, why, more, text, summary(planter, got));
    free(text);
    fail();
    abort();
}

static const struct lg_finding *found(const struct lg_judgement *judgement, const char *rule)
{
    for (size_t i = 0; i < judgement->n; i++)
        if (strcmp(judgement->findings[i].rule->id, rule) == 0)
            return &judgement->findings[i];
    return NULL;
}

/* Under the strict policy whatever KubeVirt refuses is a denial. */
static void check_planted(struct planter *planter, const struct obstacle *obstacle,
                          const json_t *vm, const struct lg_judgement *judgement)
{
    const struct lg_finding *finding = found(judgement, obstacle->rule);
    if (finding == NULL)
        give_up(planter, "not found: ", obstacle->what, vm, judgement);
    bool refused = finding->kubevirt_reason != NULL;
    if (refused && (finding->action != LG_ACTION_DENY || judgement->verdict != LG_ACTION_DENY))
        give_up(planter, "allowed: ", obstacle->what, vm, judgement);
    if (refused && lg_judgement_migratable(judgement) != 0)
        give_up(planter, "still migratable: ", obstacle->what, vm, judgement);
    if (finding->action < LG_ACTION_WARN)
        give_up(planter, "not said: ", obstacle->what, vm, judgement);
}

static void check_rewritten(struct planter *planter, const json_t *vm,
                            const struct lg_judgement *judgement)
{
    static json_t *(*const ways[])(struct lg_random *, const json_t *) = {
        lg_random_keys, lg_random_items, lg_random_unknown};
    json_t *other = json_deep_copy(vm);
    unsigned which = lg_random_below(&planter->random, 4);
    for (unsigned i = 0; i < 3; i++) {
        if (which != i && which != 3)
            continue;
        json_t *next = ways[i](&planter->random, other);
        json_decref(other);
        other = next;
    }
    struct lg_judgement again;
    judge(planter, other, &again);
    const char *expected = summary(planter, judgement);
    if (strcmp(expected, summary(planter, &again)) != 0)
        give_up(planter, "written differently it is no longer\n", expected, other, &again);
    json_decref(other);
}

static const struct obstacle *choose(struct planter *planter)
{
    const struct obstacle *obstacle = &obstacles[lg_random_below(&planter->random, OBSTACLES)];
    int since = obstacle->since != 0 ? obstacle->since : OLDEST;
    int until = obstacle->until != 0 ? obstacle->until : LG_KUBEVIRT_NEWEST;
    planter->version =
        since + (int)lg_random_below(&planter->random, (unsigned)(until - since) + 1);
    return obstacle;
}

static const struct obstacle *one_vm(struct planter *planter)
{
    const struct obstacle *obstacle = choose(planter);
    json_t *vm = lg_random_vm(&planter->random, planter->version);
    struct lg_judgement judgement;
    judge(planter, vm, &judgement);
    if (judgement.verdict > LG_ACTION_AUDIT || judgement.refused ||
        lg_judgement_migratable(&judgement) != 1)
        give_up(planter, "nothing was planted yet", "", vm, &judgement);
    obstacle->plant(&planter->random, vm, obstacle);
    judge(planter, vm, &judgement);
    check_planted(planter, obstacle, vm, &judgement);
    check_rewritten(planter, vm, &judgement);
    json_decref(vm);
    lg_arena_reset(&planter->world.arena);
    return obstacle;
}

static size_t number(const char *variable, size_t otherwise)
{
    const char *text = getenv(variable);
    return text != NULL ? (size_t)strtoull(text, NULL, 10) : otherwise;
}

static void what_is_planted_is_found(void **state)
{
    (void)state;
    static struct planter planter;
    size_t planted[OBSTACLES] = {0};
    size_t vms = number("LIVEGATE_PLANTED", VMS);
    char *policy lg_cleanup(lg_free_cleanup) = NULL;
    size_t n = 0;
    planter.seed = number("LIVEGATE_SEED", 20261125);
    planter.random.state = planter.seed;
    lg_world_init(&planter.world);
    lg_world_add_text(&planter.world, lg_random_vm_cluster);
    lg_world_know(&planter.world, ~0u);
    const char *strict = LG_SOURCE_DIR "/manifests/policies/strict/policy.yaml";
    assert_int_equal(lg_file_read(strict, 1 << 20, &policy, &n, NULL), LG_E_OK);
    lg_world_set_policy(&planter.world, (struct lg_str){policy, n}, strict);
    for (planter.index = 0; planter.index < vms; planter.index++)
        planted[one_vm(&planter) - obstacles]++;
    lg_world_done(&planter.world);
    size_t kinds = 0;
    for (size_t i = 0; i < OBSTACLES; i++)
        kinds += planted[i] != 0;
    printf("%zu VMs, LIVEGATE_SEED=%llu, %zu of %d obstacles planted\n", vms,
           (unsigned long long)planter.seed, kinds, OBSTACLES);
    if (vms >= (size_t)100 * OBSTACLES)
        assert_int_equal(kinds, OBSTACLES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_planted_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
