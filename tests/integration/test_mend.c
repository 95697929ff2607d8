/* Mending as a property, over random machines and clusters: the patch applies with an independent
 * implementation of RFC 6902, the result is what the engine says it is, the rules that acted find
 * nothing in it, nobody else complains, nothing else changed, and mending the result changes
 * nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <lg_test_paths.h>

#include "tests/support/world.h"

enum { MACHINES = LG_SANITIZED ? 10000 : 100000 };
enum { SEED = 20261125 };

static const char cluster[] =
    "apiVersion: v1\nkind: Node\nmetadata: {name: worker-1, labels: {kubevirt.io/schedulable: "
    "\"true\"}}\n---\n"
    "apiVersion: v1\nkind: Node\nmetadata: {name: worker-2, labels: {kubevirt.io/schedulable: "
    "\"true\"}}\n---\n"
    "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: local}\nprovisioner: a\n"
    "---\n"
    "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: nfs}\nprovisioner: b\n"
    "---\n"
    "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata:\n  name: rbd\n  annotations: "
    "{storageclass.kubernetes.io/is-default-class: \"true\"}\nprovisioner: c\n---\n"
    "apiVersion: cdi.kubevirt.io/v1beta1\nkind: StorageProfile\nmetadata: {name: local}\nstatus: "
    "{claimPropertySets: [{accessModes: [ReadWriteOnce], volumeMode: Filesystem}]}\n---\n"
    "apiVersion: cdi.kubevirt.io/v1beta1\nkind: StorageProfile\nmetadata: {name: nfs}\nstatus: "
    "{claimPropertySets: [{accessModes: [ReadWriteMany], volumeMode: Filesystem}]}\n---\n"
    "apiVersion: cdi.kubevirt.io/v1beta1\nkind: StorageProfile\nmetadata: {name: rbd}\nstatus: "
    "{claimPropertySets: [{accessModes: [ReadWriteOnce], volumeMode: Filesystem}, {accessModes: "
    "[ReadWriteMany], volumeMode: Block}]}\n---\n"
    "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: one, namespace: shop}\nspec: "
    "{accessModes: [ReadWriteOnce]}\n---\n"
    "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: many, namespace: shop}\nspec: "
    "{accessModes: [ReadWriteMany]}\n---\n"
    "apiVersion: kubevirt.io/v1\nkind: KubeVirt\nmetadata: {name: kubevirt, namespace: kubevirt}\n"
    "spec: {configuration: {network: {defaultNetworkInterface: bridge}}}\n";

/* --- random machines --- */

static uint64_t random_state;

static uint64_t draw(uint64_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % below;
}

static const char *pick(const char *const *of, size_t n)
{
    return of[draw(n)];
}
#define PICK(...)                                                                                  \
    pick((const char *const[]){__VA_ARGS__},                                                       \
         sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

/* A member that nobody knows, with what is hard to copy: numbers beyond doubles, escapes, empty
 * names. */
static void add_unknown(struct lg_buf *out)
{
    if (draw(3) == 0)
        lg_buf_puts(out, PICK("\"x-1\": 18446744073709551617 ,", "\"\": null,",
                              "\"a/b~c\":{\"d\" : [ 1.10, -0, 1e300 ]},", "\"ü\":\"\\u0000\\/\",",
                              "\"nested\":{\"bridge\":{},\"accessModes\":[\"ReadWriteOnce\"]},"));
}

static void add_networks(struct lg_buf *out)
{
    static const char *const names[] = {"default", "pods", "a<b", "p\\\"q", ""};
    uint64_t shape = draw(6);
    const char *name = names[draw(8) < 6 ? draw(2) : draw(5)];
    add_unknown(out);
    if (shape == 0)
        lg_buf_puts(out, PICK("\"networks\":[],", "\"networks\":null,", ""));
    if (shape <= 1)
        return;
    lg_buf_puts(out, "\"networks\":[");
    if (shape == 2)
        lg_buf_puts(out, "{\"name\":\"vlan7\",\"multus\":{\"networkName\":\"vlan7\"}},");
    lg_buf_printf(out, "{\"name\":\"%s\",\"pod\":{}}],", name);
}

static void add_interfaces(struct lg_buf *out, const char *networks)
{
    bool vlan = strstr(networks, "vlan7") != NULL;
    const char *name = strstr(networks, ",\"pod\"");
    lg_buf_puts(out, "\"devices\":{");
    add_unknown(out);
    if (name == NULL) {
        lg_buf_puts(out, PICK("\"interfaces\":[]}", "\"autoattachPodInterface\":false}",
                              "\"interfaces\":null}", "\"disks\":[]}"));
        return;
    }
    const char *start = name;
    while (strncmp(start, "{\"name\":", 8) != 0)
        start--;
    lg_buf_puts(out, "\"interfaces\":[");
    if (vlan)
        lg_buf_puts(out, "{\"bridge\":{},\"name\":\"vlan7\"},");
    lg_buf_printf(out, "{ %.*s,", (int)(name - start) - 1, start + 1);
    add_unknown(out);
    lg_buf_puts(out,
                PICK("\"bridge\": {}", "\"bridge\":{}", "\"bridge\":{\"x\":1}", "\"bridge\":{}",
                     "\"masquerade\":{}", "\"sriov\":{}", "\"masquerade\":null,\"bridge\":{}"));
    lg_buf_puts(out, PICK("", "", ",\"macAddress\":\"02:00:00:00:00:01\"",
                          ",\"ports\":[{\"port\":80}]", ",\"ports\":[{\"port\":49152}]"));
    lg_buf_puts(out, "}]}");
}

static void add_template(struct lg_buf *out, size_t i)
{
    const char *body = PICK("storage", "pvc", "storage");
    lg_buf_printf(out, "%s{\"metadata\":{\"name\":\"%s%zu\"},\"spec\":{", i != 0 ? "," : "",
                  draw(20) == 0 ? "d&" : "disk-", i);
    add_unknown(out);
    lg_buf_printf(out, "\"source\":{\"blank\":{}},\"%s\":{", body);
    add_unknown(out);
    lg_buf_puts(out,
                PICK("\"accessModes\":[\"ReadWriteOnce\"],", "\"accessModes\":[\"ReadWriteOnce\"],",
                     "\"accessModes\": [ \"ReadWriteMany\" ] ,",
                     "\"accessModes\":[\"ReadWriteOnce\",\"ReadOnlyMany\"],",
                     "\"accessModes\":null,", ""));
    lg_buf_puts(out, PICK("\"volumeMode\":\"Block\",", "\"volumeMode\":\"Filesystem\",", "", ""));
    lg_buf_puts(out, PICK("\"storageClassName\":\"local\",", "\"storageClassName\":\"nfs\",",
                          "\"storageClassName\":\"rbd\",", "\"storageClassName\":\"nfs\",", ""));
    lg_buf_puts(out, "\"resources\":{}}}}");
}

static void add_volumes(struct lg_buf *out, size_t templates)
{
    size_t n = draw(4);
    lg_buf_puts(out, "\"volumes\":[");
    for (size_t i = 0; i < n; i++) {
        lg_buf_printf(out, "%s{\"name\":\"v%zu\",", i != 0 ? "," : "", i);
        if (templates != 0 && draw(8) != 0)
            lg_buf_printf(out, "\"dataVolume\":{\"name\":\"disk-%zu\"}}", i % templates);
        else
            lg_buf_printf(out, "\"persistentVolumeClaim\":{\"claimName\":\"%s\"}}",
                          PICK("one", "many", "many", "many", "later"));
    }
    lg_buf_puts(out, "]");
}

static void make_machine(struct lg_buf *out)
{
    struct lg_buf networks = {0};
    size_t templates = draw(4);
    out->n = 0;
    lg_buf_puts(out, "{\"apiVersion\":\"kubevirt.io/v1\",\"kind\":\"VirtualMachine\",");
    add_unknown(out);
    lg_buf_puts(out, "\"metadata\":{");
    lg_buf_puts(out, PICK("", "\"annotations\":{},", "\"annotations\":null,",
                          "\"annotations\":{\"a/b\":\"c\"},",
                          "\"annotations\":{\"livegate.io/mended\":\"LG203,nonsense\"},"));
    lg_buf_puts(out, "\"name\":\"vm\",\"namespace\":\"shop\"},\"spec\":{");
    add_unknown(out);
    lg_buf_puts(out, PICK("\"runStrategy\":\"Always\",", "\"running\":true,",
                          "\"preference\":{\"name\":\"p\"},", "\"runStrategy\":\"Halted\","));
    lg_buf_puts(out, "\"dataVolumeTemplates\":[");
    for (size_t i = 0; i < templates; i++)
        add_template(out, i);
    lg_buf_puts(out, "],\"template\":{\"metadata\":{");
    lg_buf_puts(out, draw(8) == 0 ? "\"annotations\":{\"kubevirt.io/allow-pod-bridge-network-live-"
                                    "migration\":\"\"}"
                                  : "");
    lg_buf_puts(out, "},\"spec\":{");
    add_networks(&networks);
    lg_buf_str(out, lg_buf_view(&networks));
    lg_buf_puts(out, "\"domain\":{");
    add_interfaces(out, networks.p != NULL ? networks.p : "");
    lg_buf_puts(out, "},");
    lg_buf_puts(out, PICK("", "", "\"evictionStrategy\":\"LiveMigrate\",",
                          "\"evictionStrategy\":\"None\","));
    add_volumes(out, templates);
    lg_buf_puts(out, "}}}}");
    lg_buf_done(&networks);
}

/* --- the properties --- */

static struct lg_val parse(struct lg_arena *arena, struct lg_str text)
{
    struct lg_val root = LG_NONE;
    struct lg_err err = {0};
    if (lg_json_parse(arena, text, &root, &err) != LG_E_OK)
        fail_msg("%s: %s\n%.*s", err.where, err.text, LG_ARG(text));
    return root;
}

static bool acted(const struct lg_mending *mending, const struct lg_rule *rule)
{
    for (size_t i = 0; i < mending->n_notes; i++)
        if (mending->notes[i].rule == rule)
            return true;
    return false;
}

/* The other implementation reads a line each: object, patch, result. */
static FILE *others;

static void check_independently(struct lg_str object, const struct lg_mending *mending)
{
    struct lg_str wanted = lg_json_text(mending->object);
    fprintf(others, "%.*s\n%.*s\n%.*s\n", LG_ARG(object), LG_ARG(mending->patch), LG_ARG(wanted));
}

/* True for the places that fixers may change. */
static bool may_change(struct lg_str path)
{
    static const char *const places[] = {"networks",
                                         "interfaces",
                                         "devices",
                                         "accessModes",
                                         "evictionStrategy",
                                         "annotations",
                                         "[\"livegate.io/mended\"]"};
    for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
        if (lg_str_ends(path, places[i]))
            return true;
    return lg_str_ends(path, ".bridge") || lg_str_ends(path, ".masquerade");
}

/* Every value outside those places has the same text, byte for byte, and stands in the same
 * order. */
static void check_rest(struct lg_val before, struct lg_val after, struct lg_val before_root,
                       struct lg_arena *arena)
{
    struct lg_json_iter a = lg_json_iter(before), b = lg_json_iter(after);
    bool has_b = lg_json_next(&b);
    while (lg_json_next(&a)) {
        struct lg_str path = lg_json_path(before_root, a.val, arena);
        bool same_name = has_b && (!a.object || lg_str_eq(a.key, b.key));
        if (!same_name && !may_change(path))
            fail_msg("%.*s is gone or moved", LG_ARG(path));
        if (!same_name || !lg_str_eq(lg_json_text(a.val), lg_json_text(b.val))) {
            if (!may_change(path) && lg_json_kind(a.val) < LG_JSON_ARRAY)
                fail_msg("%.*s changed", LG_ARG(path));
            if (same_name && !lg_str_ends(path, "accessModes"))
                check_rest(a.val, b.val, before_root, arena);
        }
        has_b = lg_json_next(&b);
    }
    for (; has_b; has_b = lg_json_next(&b))
        if (!b.object ||
            !(lg_str_is(b.key, "networks") || lg_str_is(b.key, "interfaces") ||
              lg_str_is(b.key, "devices") || lg_str_is(b.key, "annotations") ||
              lg_str_is(b.key, "accessModes") || lg_str_is(b.key, "evictionStrategy") ||
              lg_str_is(b.key, "livegate.io/mended")))
            if (b.object || lg_json_len(before) != 0)
                fail_msg("something came in at %.*s",
                         LG_ARG(lg_json_path(before_root, before, arena)));
}

static bool had(const struct lg_judgement *before, const struct lg_finding *finding)
{
    for (size_t i = 0; i < before->n; i++)
        if (before->findings[i].rule == finding->rule &&
            lg_str_eq(before->findings[i].about, finding->about) &&
            lg_str_eq(before->findings[i].ident, finding->ident))
            return true;
    return false;
}

static void check_findings(const struct lg_engine_input *input, const struct lg_mending *mending,
                           struct lg_arena *arena)
{
    struct lg_engine_input changed = *input;
    struct lg_judgement before, after;
    changed.object = mending->object;
    lg_engine_judge(input, arena, &before);
    lg_engine_judge(&changed, arena, &after);
    for (size_t i = 0; i < after.n; i++) {
        if (acted(mending, after.findings[i].rule))
            fail_msg("%s acted and still finds: %.*s\n%.*s", after.findings[i].rule->id,
                     LG_ARG(after.findings[i].message), LG_ARG(lg_json_text(input->object)));
        if (after.findings[i].action > LG_ACTION_AUDIT && !had(&before, &after.findings[i]))
            fail_msg("%s is new: %.*s\n%.*s", after.findings[i].rule->id,
                     LG_ARG(after.findings[i].message), LG_ARG(lg_json_text(input->object)));
    }
}

static void check_again(const struct lg_engine_input *input, const struct lg_mending *mending,
                        struct lg_arena *arena)
{
    struct lg_engine_input changed = *input;
    struct lg_mending again;
    lg_engine_mend(input, LG_MEND_ADMISSION, arena, &again);
    assert_true(lg_str_eq(again.patch, mending->patch));
    changed.object = mending->object;
    lg_engine_mend(&changed, LG_MEND_ADMISSION, arena, &again);
    if (again.patch.n != 0)
        fail_msg("not idempotent: %.*s\n%.*s", LG_ARG(again.patch),
                 LG_ARG(lg_json_text(input->object)));
}

struct tally {
    size_t mended, untouched, by_rule[64];
};

static void try_machine(struct lg_world *world, struct lg_str text, struct tally *tally)
{
    struct lg_arena arena;
    struct lg_mending mending;
    lg_arena_init(&arena);
    struct lg_engine_input input =
        lg_world_input(world, (struct lg_engine_input){.object = parse(&arena, text),
                                                       .username = LG_STR("alice")});
    lg_engine_mend(&input, LG_MEND_ADMISSION, &arena, &mending);
    if (mending.patch.n != 0)
        mending.object = parse(&arena, mending.text);
    check_again(&input, &mending, &arena);
    tally->untouched += mending.patch.n == 0;
    tally->mended += mending.patch.n != 0;
    if (mending.patch.n != 0) {
        check_independently(text, &mending);
        check_findings(&input, &mending, &arena);
        check_rest(input.object, mending.object, input.object, &arena);
        for (size_t i = 0; lg_rules[i] != NULL; i++)
            tally->by_rule[i] += acted(&mending, lg_rules[i]);
    } else {
        assert_int_equal(mending.text.n, 0);
        assert_true(lg_json_text(mending.object).p == lg_json_text(input.object).p);
    }
    lg_arena_done(&arena);
}

static void switch_all_fixers_on(struct lg_world *world)
{
    struct lg_buf policy = {0};
    lg_buf_puts(&policy, "apiVersion: livegate.io/v1\nkind: Policy\nmutate:\n");
    for (size_t i = 0; lg_rules[i] != NULL; i++)
        if (lg_rules[i]->fixer != NULL && lg_rules[i]->fixer->kind != LG_FIXER_FILES)
            lg_buf_printf(&policy, "  %s: {}\n", lg_rules[i]->id);
    lg_world_set_policy(world, lg_buf_view(&policy), "policy.yaml");
    lg_buf_done(&policy);
}

static void a_hundred_thousand_random_machines(void **state)
{
    struct lg_world world;
    struct lg_buf text = {0};
    struct tally tally = {0};
    (void)state;
    lg_world_init(&world);
    lg_world_add_text(&world, cluster);
    lg_world_know(&world, LG_BIT(LG_KIND_CLAIM) | LG_BIT(LG_KIND_DATA_VOLUME));
    switch_all_fixers_on(&world);
    random_state = SEED;
    fflush(NULL);
    others = popen("python3 " LG_SOURCE_DIR "/tests/integration/apply_patches.py", "w");
    assert_non_null(others);
    for (size_t i = 0; i < MACHINES; i++) {
        make_machine(&text);
        try_machine(&world, lg_buf_view(&text), &tally);
    }
    print_message("%d machines: %zu mended, %zu left as they are\n", MACHINES, tally.mended,
                  tally.untouched);
    /* Every fixer has to have had work, or this proves nothing about it. */
    for (size_t i = 0; lg_rules[i] != NULL; i++) {
        if (lg_rules[i]->fixer == NULL || lg_rules[i]->fixer->kind == LG_FIXER_FILES)
            continue;
        print_message("  %s: %zu\n", lg_rules[i]->id, tally.by_rule[i]);
        assert_true(tally.by_rule[i] > MACHINES / 100);
    }
    assert_true(tally.untouched > MACHINES / 100);
    assert_int_equal(pclose(others), 0);
    lg_buf_done(&text);
    lg_world_done(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_hundred_thousand_random_machines)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
