#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/inventory.h"
#include "tests/support/asserts.h"
#include "tests/support/objects.h"

static struct lg_objects objects;
static struct lg_inventory *inventory;

static int setup(void **state)
{
    (void)state;
    lg_objects_init(&objects);
    inventory = lg_inventory_new();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    lg_inventory_free(inventory);
    lg_objects_done(&objects);
    return 0;
}

static void have(const char *text)
{
    struct lg_record *record = lg_objects_record(&objects, text);
    lg_inventory_set_known(inventory, record->kind, LG_KNOWN);
    lg_inventory_set(inventory, record);
}

static void know(enum lg_kind kind)
{
    lg_inventory_set_known(inventory, kind, LG_KNOWN);
}

#define CLAIM(name, modes)                                                                         \
    "{'apiVersion':'v1','kind':'PersistentVolumeClaim','metadata':{'name':'" name                  \
    "','namespace':'ns'},'spec':{'accessModes':[" modes "]}}"
#define DATA_VOLUME(name, spec)                                                                    \
    "{'apiVersion':'cdi.kubevirt.io/v1beta1','kind':'DataVolume','metadata':{'name':'" name        \
    "','namespace':'ns'},'spec':{" spec "}}"
#define CLASS(name, annotations)                                                                   \
    "{'apiVersion':'storage.k8s.io/v1','kind':'StorageClass','metadata':{'name':'" name            \
    "','annotations':{" annotations "}},'provisioner':'p'}"
#define PROFILE(name, sets)                                                                        \
    "{'apiVersion':'cdi.kubevirt.io/v1beta1','kind':'StorageProfile','metadata':{'name':'" name    \
    "'},'status':{'claimPropertySets':[" sets "]}}"
#define RWX_BLOCK "{'accessModes':['ReadWriteMany'],'volumeMode':'Block'}"
#define RWO_FILE  "{'accessModes':['ReadWriteOnce'],'volumeMode':'Filesystem'}"
#define RWX_FILE  "{'accessModes':['ReadWriteMany'],'volumeMode':'Filesystem'}"

static const struct lg_volume_claim *claims_of(const char *vm_text, size_t n)
{
    struct lg_val object = lg_objects_parse(&objects, vm_text);
    struct lg_vm vm = lg_vm_read(LG_KIND_VM, object, LG_STR("ns"));
    struct lg_claims_view view = lg_inventory_claims(inventory);
    size_t got = 0;
    const struct lg_volume_claim *claims = lg_volume_claims(&vm, &view, &objects.arena, &got);
    assert_int_equal(got, n);
    return claims;
}

/* A machine with one volume "v" and, where given, templates and a status. */
#define VM(volume, templates, status)                                                              \
    "{'spec':{'dataVolumeTemplates':[" templates                                                   \
    "],'template':{'spec':{'volumes':[{'name':'v'," volume "}]}}},'status':{" status "}}"
#define BY_CLAIM       "'persistentVolumeClaim':{'claimName':'c'}"
#define BY_DATA_VOLUME "'dataVolume':{'name':'c'}"
#define TEMPLATE(annotations, spec)                                                                \
    "{'metadata':{'name':'c','annotations':{" annotations "}},'spec':{" spec "}}"

static void assert_missing(const struct lg_volume_claim *claim, enum lg_kind kind)
{
    assert_int_equal(claim->from, LG_FROM_NOWHERE);
    assert_false(claim->rendered.resolved);
    assert_int_equal(claim->rendered.missing, kind);
    lg_assert_str(claim->rendered.missing_name, "c");
}

static void volumes_without_a_claim_are_passed_over(void **state)
{
    (void)state;
    (void)claims_of("{'spec':{'template':{'spec':{'volumes':["
                    "{'name':'a','containerDisk':{'image':'x'}},"
                    "{'name':'b','ephemeral':{'persistentVolumeClaim':{'claimName':'c'}}},"
                    "{'name':'d','memoryDump':{'claimName':'c'}},"
                    "{'name':'e','persistentVolumeClaim':null},{}]}}}}",
                    0);
    (void)claims_of("{}", 0);
    (void)claims_of("{'spec':{'template':{'spec':{'volumes':{}}}}}", 0);
}

static void an_existing_claim_decides(void **state)
{
    (void)state;
    have(CLAIM("c", "'ReadWriteOnce','ReadWriteMany'"));
    have(DATA_VOLUME("c", "'pvc':{'accessModes':['ReadOnlyMany']}"));
    const struct lg_volume_claim *claim = claims_of(
        VM(BY_DATA_VOLUME, TEMPLATE("", "'pvc':{'accessModes':['ReadWriteOnce']}"), ""), 1);
    assert_int_equal(claim->from, LG_FROM_CLAIM);
    assert_true(claim->rendered.resolved);
    assert_true(lg_modes_shared(&claim->rendered.modes));
    assert_int_equal(claim->rendered.modes.n, 2);
    lg_assert_str(claim->volume, "v");
    lg_assert_str(claim->claim, "c");
    assert_true(lg_json_is(claim->at, "c"));
    assert_false(claim->moving);
}

static void a_template_is_rendered_where_no_claim_exists(void **state)
{
    (void)state;
    know(LG_KIND_CLAIM);
    have(CLASS("rbd", ""));
    have(PROFILE("rbd", RWX_BLOCK "," RWO_FILE));
    const struct lg_volume_claim *claim =
        claims_of(VM(BY_CLAIM, TEMPLATE("", "'storage':{'storageClassName':'rbd'}"), ""), 1);
    assert_int_equal(claim->from, LG_FROM_TEMPLATE);
    assert_true(claim->rendered.resolved);
    assert_true(claim->rendered.from_profile);
    assert_true(lg_modes_shared(&claim->rendered.modes));
    lg_assert_str(lg_json_text(claim->at), "{\"storageClassName\":\"rbd\"}");

    claim = claims_of(VM(BY_CLAIM, TEMPLATE("", "'pvc':{'accessModes':['ReadWriteOnce']}"), ""), 1);
    assert_false(lg_modes_shared(&claim->rendered.modes));
    lg_assert_str(lg_json_text(claim->at), "[\"ReadWriteOnce\"]");
}

/* KubeVirt makes the data volume of the first template; that of the second is there already. */
static void of_templates_with_one_name_the_first_counts(void **state)
{
    (void)state;
    know(LG_KIND_CLAIM);
    const char *shared =
        "{'metadata':{'name':'c'},'spec':{'pvc':{'accessModes':['ReadWriteMany']}}}";
    const char *single =
        "{'metadata':{'name':'c'},'spec':{'pvc':{'accessModes':['ReadWriteOnce']}}}";
    for (int shared_first = 0; shared_first < 2; shared_first++) {
        struct lg_str text = lg_arena_printf(
            &objects.arena,
            "{'spec':{'template':{'spec':{'volumes':[{'name':'v','dataVolume':{'name':'c'}}]}},"
            "'dataVolumeTemplates':[{'metadata':{'name':'b'}},%s,{'metadata':{'name':'a'}},%s]}}",
            shared_first ? shared : single, shared_first ? single : shared);
        const struct lg_volume_claim *claim = claims_of(text.p, 1);
        assert_int_equal(claim->from, LG_FROM_TEMPLATE);
        assert_int_equal(lg_modes_shared(&claim->rendered.modes), shared_first);
    }
}

static void a_template_is_taken_at_its_word_while_claims_are_unknown(void **state)
{
    (void)state;
    const struct lg_volume_claim *claim =
        claims_of(VM(BY_CLAIM, TEMPLATE("", "'pvc':{'accessModes':['ReadWriteOnce']}"), ""), 1);
    assert_int_equal(claim->from, LG_FROM_TEMPLATE);
    assert_true(claim->rendered.resolved);
}

static void a_template_that_would_take_over_a_claim_waits_for_it(void **state)
{
    (void)state;
    static const char vm[] = VM(BY_CLAIM,
                                TEMPLATE("'cdi.kubevirt.io/allowClaimAdoption':'true'",
                                         "'pvc':{'accessModes':['ReadWriteMany']}"),
                                "");
    assert_missing(claims_of(vm, 1), LG_KIND_CLAIM);
    know(LG_KIND_CLAIM);
    assert_int_equal(claims_of(vm, 1)->from, LG_FROM_TEMPLATE);
}

static void a_data_volume_is_rendered(void **state)
{
    (void)state;
    know(LG_KIND_CLAIM);
    have(DATA_VOLUME("c", "'pvc':{'accessModes':['ReadWriteOnce']}"));
    const struct lg_volume_claim *claim = claims_of(VM(BY_CLAIM, "", ""), 1);
    assert_int_equal(claim->from, LG_FROM_DATA_VOLUME);
    assert_true(claim->rendered.resolved);
    assert_true(lg_json_is(claim->at, "c"));
}

static void what_is_missing_is_named_by_what_decides(void **state)
{
    (void)state;
    assert_missing(claims_of(VM(BY_CLAIM, "", ""), 1), LG_KIND_CLAIM);
    assert_missing(claims_of(VM(BY_DATA_VOLUME, "", ""), 1), LG_KIND_DATA_VOLUME);
    know(LG_KIND_DATA_VOLUME); /* collected after use: the claim would tell */
    assert_missing(claims_of(VM(BY_DATA_VOLUME, "", ""), 1), LG_KIND_CLAIM);
    know(LG_KIND_CLAIM);
    assert_missing(claims_of(VM(BY_DATA_VOLUME, "", ""), 1), LG_KIND_DATA_VOLUME);
    assert_missing(claims_of(VM(BY_CLAIM, "", ""), 1), LG_KIND_CLAIM);
}

static void a_profile_that_is_missing_is_named(void **state)
{
    (void)state;
    know(LG_KIND_CLAIM);
    have(CLASS("rbd", "'storageclass.kubernetes.io/is-default-class':'true'"));
    know(LG_KIND_STORAGE_PROFILE);
    const struct lg_volume_claim *claim =
        claims_of(VM(BY_CLAIM, TEMPLATE("", "'storage':{}"), ""), 1);
    assert_int_equal(claim->from, LG_FROM_TEMPLATE);
    assert_false(claim->rendered.resolved);
    assert_int_equal(claim->rendered.missing, LG_KIND_STORAGE_PROFILE);
    lg_assert_str(claim->rendered.missing_name, "rbd");
}

#define MOVED(volume, to)                                                                          \
    "'volumeUpdateState':{'volumeMigrationState':{'migratedVolumes':[{'volumeName':'" volume       \
    "'," to "}]}}"

static void a_volume_on_its_way_to_this_claim_is_moving(void **state)
{
    (void)state;
    have(CLAIM("c", "'ReadWriteOnce'"));
    assert_true(claims_of(VM(BY_CLAIM, "", MOVED("v", "'destinationPVCInfo':{'claimName':'c'}")), 1)
                    ->moving);
    assert_true(claims_of(VM(BY_CLAIM, "", MOVED("v", "'sourcePVCInfo':{}")), 1)->moving);
    assert_false(
        claims_of(VM(BY_CLAIM, "", MOVED("v", "'destinationPVCInfo':{'claimName':'d'}")), 1)
            ->moving);
    assert_false(
        claims_of(VM(BY_CLAIM, "", MOVED("w", "'destinationPVCInfo':{'claimName':'c'}")), 1)
            ->moving);
}

static void sharing_classes_are_listed_in_order_and_cut(void **state)
{
    (void)state;
    struct lg_claims_view view = lg_inventory_claims(inventory);
    lg_assert_str(lg_sharing_classes(&view, LG_VOLUME_MODE_UNSET, &objects.arena), "");
    have(CLASS("b", ""));
    have(CLASS("a", ""));
    have(CLASS("local", ""));
    have(PROFILE("b", RWO_FILE "," RWX_BLOCK));
    have(PROFILE("a", RWX_BLOCK));
    have(PROFILE("local", RWO_FILE));
    have(PROFILE("gone", RWX_BLOCK)); /* its class does not exist */
    lg_assert_str(lg_sharing_classes(&view, LG_VOLUME_MODE_UNSET, &objects.arena), "a, b");
    have(CLASS("f", ""));
    have(PROFILE("f", RWX_BLOCK));
    have(CLASS("e", ""));
    have(PROFILE("e", RWX_BLOCK));
    have(CLASS("d", ""));
    have(PROFILE("d", RWX_BLOCK));
    lg_assert_str(lg_sharing_classes(&view, LG_VOLUME_MODE_UNSET, &objects.arena), "a, b, d, e, f");
    have(CLASS("c", ""));
    have(PROFILE("c", RWX_BLOCK));
    have(CLASS("g", ""));
    have(PROFILE("g", RWX_BLOCK));
    lg_assert_str(lg_sharing_classes(&view, LG_VOLUME_MODE_UNSET, &objects.arena),
                  "a, b, c, d, e and 2 more");
    lg_assert_str(lg_sharing_classes(&view, LG_VOLUME_MODE_FILESYSTEM, &objects.arena), "");
    have(CLASS("nfs", ""));
    have(PROFILE("nfs", RWX_FILE));
    lg_assert_str(lg_sharing_classes(&view, LG_VOLUME_MODE_FILESYSTEM, &objects.arena), "nfs");
}

static void advice_fits_the_class(void **state)
{
    (void)state;
    struct lg_claims_view view = lg_inventory_claims(inventory);
    struct lg_rendered rendered = {
        .has_class = true, .class_name = LG_STR("local"), .from_profile = true};
    lg_assert_str(lg_sharing_advice(&view, &rendered, LG_VOLUME_MODE_UNSET, &objects.arena),
                  "set accessModes: [ReadWriteMany], with a storageClassName that offers it");
    have(CLASS("local", ""));
    have(PROFILE("local", RWO_FILE));
    have(CLASS("rbd", ""));
    have(PROFILE("rbd", RWO_FILE "," RWX_BLOCK));
    lg_assert_str(lg_sharing_advice(&view, &rendered, LG_VOLUME_MODE_UNSET, &objects.arena),
                  "choose a storageClassName that offers ReadWriteMany (here: rbd)");
    rendered.from_profile = false;
    lg_assert_str(lg_sharing_advice(&view, &rendered, LG_VOLUME_MODE_UNSET, &objects.arena),
                  "choose a storageClassName that offers ReadWriteMany (here: rbd) and set "
                  "accessModes: [ReadWriteMany]");
    rendered.class_name = LG_STR("rbd");
    lg_assert_str(lg_sharing_advice(&view, &rendered, LG_VOLUME_MODE_UNSET, &objects.arena),
                  "set accessModes: [ReadWriteMany] and volumeMode: Block (class \"rbd\" offers "
                  "them)");
    lg_assert_str(lg_sharing_advice(&view, &rendered, LG_VOLUME_MODE_FILESYSTEM, &objects.arena),
                  "set accessModes: [ReadWriteMany], with a storageClassName that offers it with "
                  "volumeMode Filesystem, as virtiofs needs it");
    have(CLASS("nfs", ""));
    have(PROFILE("nfs", RWX_FILE));
    lg_assert_str(lg_sharing_advice(&view, &rendered, LG_VOLUME_MODE_FILESYSTEM, &objects.arena),
                  "choose a storageClassName that offers ReadWriteMany with volumeMode Filesystem, "
                  "as virtiofs needs it (here: nfs) and set accessModes: [ReadWriteMany]");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(volumes_without_a_claim_are_passed_over),
        TEST(an_existing_claim_decides),
        TEST(a_template_is_rendered_where_no_claim_exists),
        TEST(of_templates_with_one_name_the_first_counts),
        TEST(a_template_is_taken_at_its_word_while_claims_are_unknown),
        TEST(a_template_that_would_take_over_a_claim_waits_for_it),
        TEST(a_data_volume_is_rendered),
        TEST(what_is_missing_is_named_by_what_decides),
        TEST(a_profile_that_is_missing_is_named),
        TEST(a_volume_on_its_way_to_this_claim_is_moving),
        TEST(sharing_classes_are_listed_in_order_and_cut),
        TEST(advice_fits_the_class),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
