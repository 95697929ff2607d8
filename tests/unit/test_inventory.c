#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rules/core/mem.h"
#include "rules/inventory.h"
#include "tests/support/asserts.h"
#include "tests/support/objects.h"

struct fixture {
    struct lg_objects objects;
    struct lg_inventory *inv;
};

static struct fixture fixture;

static int setup(void **state)
{
    (void)state;
    lg_objects_init(&fixture.objects);
    fixture.inv = lg_inventory_new();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    lg_inventory_free(fixture.inv);
    lg_objects_done(&fixture.objects);
    return 0;
}

static void set(const char *text)
{
    lg_inventory_set(fixture.inv, lg_objects_record(&fixture.objects, text));
}

static void set_claim(const char *ns, const char *name, const char *mode)
{
    char text[512];
    snprintf(text, sizeof text,
             "{'apiVersion':'v1','kind':'PersistentVolumeClaim','metadata':{'name':'%s',"
             "'namespace':'%s'},'spec':{'accessModes':['%s']}}",
             name, ns, mode);
    set(text);
}

static void set_class(const char *name, int day, const char *annotations)
{
    char text[512];
    snprintf(text, sizeof text,
             "{'apiVersion':'storage.k8s.io/v1','kind':'StorageClass','metadata':{'name':'%s',"
             "'creationTimestamp':'2026-01-%02dT00:00:00Z','annotations':{%s}}}",
             name, day, annotations);
    set(text);
}

static void absence_is_known_only_where_the_kind_is(void **state)
{
    (void)state;
    const struct lg_claim *claim = (const struct lg_claim *)&fixture;
    assert_int_equal(lg_inventory_known(fixture.inv, LG_KIND_CLAIM), LG_NOT_GIVEN);
    assert_int_equal(lg_inventory_claim(fixture.inv, LG_STR("web"), LG_STR("data"), &claim),
                     LG_UNKNOWN);
    assert_null(claim);
    static const enum lg_known not_known[] = {LG_NOT_GIVEN, LG_NOT_SYNCED, LG_NOT_SERVED,
                                              LG_FORBIDDEN};
    for (size_t i = 0; i < sizeof not_known / sizeof *not_known; i++) {
        lg_inventory_set_known(fixture.inv, LG_KIND_CLAIM, not_known[i]);
        assert_int_equal(lg_inventory_known(fixture.inv, LG_KIND_CLAIM), not_known[i]);
        assert_int_equal(lg_inventory_claim(fixture.inv, LG_STR("web"), LG_STR("data"), &claim),
                         LG_UNKNOWN);
    }
    lg_inventory_set_known(fixture.inv, LG_KIND_CLAIM, LG_KNOWN);
    assert_int_equal(lg_inventory_claim(fixture.inv, LG_STR("web"), LG_STR("data"), &claim),
                     LG_ABSENT);
    set_claim("web", "data", "ReadWriteOnce");
    assert_int_equal(lg_inventory_claim(fixture.inv, LG_STR("web"), LG_STR("data"), &claim),
                     LG_FOUND);
    lg_assert_str(claim->r.name, "data");
    assert_int_equal(lg_inventory_claim(fixture.inv, LG_STR("other"), LG_STR("data"), &claim),
                     LG_ABSENT);
    assert_null(claim);
}

static void a_later_object_replaces_an_earlier_one(void **state)
{
    (void)state;
    const struct lg_claim *claim = NULL;
    set_claim("web", "data", "ReadWriteOnce");
    size_t bytes = lg_inventory_bytes(fixture.inv, LG_KIND_CLAIM);
    assert_true(bytes > 0);
    set_claim("web", "data", "ReadWriteMany");
    assert_int_equal(lg_inventory_count(fixture.inv, LG_KIND_CLAIM), 1);
    assert_int_equal(lg_inventory_bytes(fixture.inv, LG_KIND_CLAIM), bytes);
    assert_int_equal(lg_inventory_claim(fixture.inv, LG_STR("web"), LG_STR("data"), &claim),
                     LG_FOUND);
    assert_true(lg_modes_shared(&claim->spec.modes));
    lg_inventory_remove(fixture.inv, LG_KIND_CLAIM, LG_STR("web"), LG_STR("data"));
    assert_int_equal(lg_inventory_count(fixture.inv, LG_KIND_CLAIM), 0);
    assert_int_equal(lg_inventory_bytes(fixture.inv, LG_KIND_CLAIM), 0);
    lg_inventory_remove(fixture.inv, LG_KIND_CLAIM, LG_STR("web"), LG_STR("data"));
}

static void every_kind_is_found_under_its_name(void **state)
{
    (void)state;
    for (int kind = 0; kind < LG_KIND_COUNT; kind++) {
        const struct lg_gvk *gvk = lg_gvk((enum lg_kind)kind);
        char text[512];
        snprintf(text, sizeof text,
                 "{'apiVersion':'%s%s%s','kind':'%s','metadata':{'name':'n','namespace':'web'}}",
                 gvk->group, gvk->group[0] != '\0' ? "/" : "", gvk->version, gvk->kind);
        set(text);
        const struct lg_record *record = NULL;
        /* A cluster-scoped object stands in no namespace, whatever is asked. */
        assert_int_equal(
            lg_inventory_get(fixture.inv, (enum lg_kind)kind, LG_STR("web"), LG_STR("n"), &record),
            LG_FOUND);
        assert_int_equal(record->kind, kind);
        assert_int_equal(
            lg_inventory_get(fixture.inv, (enum lg_kind)kind, LG_STR("web"), LG_STR("m"), &record),
            LG_UNKNOWN);
        size_t pos = 0;
        record = lg_inventory_next(fixture.inv, (enum lg_kind)kind, &pos);
        assert_non_null(record);
        lg_assert_str(record->name, "n");
        assert_null(lg_inventory_next(fixture.inv, (enum lg_kind)kind, &pos));
    }
    const struct lg_vmi_record *vmi = NULL;
    const struct lg_data_volume *dv = NULL;
    const struct lg_namespace *ns = NULL;
    assert_int_equal(lg_inventory_vmi(fixture.inv, LG_STR("web"), LG_STR("n"), &vmi), LG_FOUND);
    assert_int_equal(vmi->r.kind, LG_KIND_VMI);
    assert_int_equal(lg_inventory_data_volume(fixture.inv, LG_STR("web"), LG_STR("n"), &dv),
                     LG_FOUND);
    assert_int_equal(dv->r.kind, LG_KIND_DATA_VOLUME);
    assert_int_equal(lg_inventory_namespace(fixture.inv, LG_STR("n"), &ns), LG_FOUND);
    assert_int_equal(ns->r.kind, LG_KIND_NAMESPACE);
    size_t slot = 0;
    assert_non_null(lg_nodes_get(lg_inventory_nodes(fixture.inv), LG_STR("n"), &slot));
}

static void no_namespace_means_default(void **state)
{
    (void)state;
    const struct lg_claim *claim = NULL;
    set("{'apiVersion':'v1','kind':'PersistentVolumeClaim','metadata':{'name':'data'}}");
    assert_int_equal(lg_inventory_claim(fixture.inv, LG_STR(""), LG_STR("data"), &claim), LG_FOUND);
    assert_int_equal(lg_inventory_claim(fixture.inv, LG_STR("default"), LG_STR("data"), &claim),
                     LG_FOUND);
}

static void names_of_any_length_are_looked_up(void **state)
{
    (void)state;
    const struct lg_claim *claim = NULL;
    char name[2048];
    memset(name, 'a', sizeof name);
    lg_inventory_set_known(fixture.inv, LG_KIND_CLAIM, LG_KNOWN);
    for (size_t n = 370; n < sizeof name; n += n < 400 ? 1 : 300)
        assert_int_equal(
            lg_inventory_claim(fixture.inv, LG_STR("web"), (struct lg_str){name, n}, &claim),
            LG_ABSENT);
    assert_int_equal(
        lg_inventory_claim(fixture.inv, (struct lg_str){name, sizeof name}, LG_STR(""), &claim),
        LG_ABSENT);
    struct lg_buf text = {0};
    lg_buf_printf(&text,
                  "{'apiVersion':'v1','kind':'PersistentVolumeClaim','metadata':{'name':'%.*s',"
                  "'namespace':'web'}}",
                  1000, name);
    set(text.p);
    lg_buf_done(&text);
    assert_int_equal(
        lg_inventory_claim(fixture.inv, LG_STR("web"), (struct lg_str){name, 1000}, &claim),
        LG_FOUND);
}

static size_t count_users(const char *ns, const char *claim)
{
    size_t n = 0;
    size_t pos = 0;
    const struct lg_use *use = NULL;
    while (lg_inventory_next_user(fixture.inv, lg_str_of(ns), lg_str_of(claim), &pos, &use) != NULL)
        n++;
    return n;
}

static void users_of_a_claim_are_vms_and_vmis_by_claim_or_data_volume(void **state)
{
    (void)state;
    set("{'apiVersion':'kubevirt.io/v1','kind':'VirtualMachine','metadata':{'name':'a',"
        "'namespace':'web'},'spec':{'template':{'spec':{'volumes':[{'name':'v1',"
        "'persistentVolumeClaim':{'claimName':'data'}},{'name':'v2','dataVolume':{'name':'root'}},"
        "{'name':'v3','ephemeral':{'persistentVolumeClaim':{'claimName':'data'}}}]}}}}");
    set("{'apiVersion':'kubevirt.io/v1','kind':'VirtualMachineInstance','metadata':{'name':'a',"
        "'namespace':'web'},'spec':{'volumes':[{'name':'w','dataVolume':{'name':'data'}}]}}");
    set("{'apiVersion':'kubevirt.io/v1','kind':'VirtualMachine','metadata':{'name':'a',"
        "'namespace':'other'},'spec':{'template':{'spec':{'volumes':[{'name':'x',"
        "'persistentVolumeClaim':{'claimName':'data'}}]}}}}");
    assert_int_equal(count_users("web", "data"), 3);
    assert_int_equal(count_users("web", "root"), 1);
    assert_int_equal(count_users("other", "data"), 1);
    assert_int_equal(count_users("other", "root"), 0);
    size_t pos = 0;
    const struct lg_use *use = NULL;
    const struct lg_record *user =
        lg_inventory_next_user(fixture.inv, LG_STR("web"), LG_STR("root"), &pos, &use);
    assert_int_equal(user->kind, LG_KIND_VM);
    lg_assert_str(user->name, "a");
    lg_assert_str(use->volume, "v2");
    lg_assert_str(use->claim, "root");
    assert_int_equal(use->how, LG_USE_DATA_VOLUME);

    lg_inventory_remove(fixture.inv, LG_KIND_VM, LG_STR("web"), LG_STR("a"));
    assert_int_equal(count_users("web", "data"), 1);
    assert_int_equal(count_users("web", "root"), 0);
    set("{'apiVersion':'kubevirt.io/v1','kind':'VirtualMachineInstance','metadata':{'name':'a',"
        "'namespace':'web'},'spec':{'volumes':[]}}");
    assert_int_equal(count_users("web", "data"), 0);
    assert_int_equal(count_users("other", "data"), 1);
}

static void set_migration(const char *name, const char *vmi)
{
    char text[512];
    snprintf(text, sizeof text,
             "{'apiVersion':'kubevirt.io/v1','kind':'VirtualMachineInstanceMigration','metadata':"
             "{'name':'%s','namespace':'web'},'spec':{'vmiName':'%s'}}",
             name, vmi);
    set(text);
}

static size_t count_migrations(const char *vmi)
{
    size_t n = 0;
    size_t pos = 0;
    const struct lg_migration_record *migration;
    while ((migration = lg_inventory_next_migration(fixture.inv, LG_STR("web"), lg_str_of(vmi),
                                                    &pos)) != NULL) {
        lg_assert_str(migration->vmi, vmi);
        n++;
    }
    return n;
}

static void migrations_are_found_by_their_vmi(void **state)
{
    (void)state;
    set_migration("m1", "vm1");
    set_migration("m2", "vm1");
    set_migration("m3", "vm2");
    assert_int_equal(count_migrations("vm1"), 2);
    assert_int_equal(count_migrations("vm2"), 1);
    assert_int_equal(count_migrations("vm3"), 0);
    set_migration("m2", "vm2");
    assert_int_equal(count_migrations("vm1"), 1);
    assert_int_equal(count_migrations("vm2"), 2);
    lg_inventory_remove(fixture.inv, LG_KIND_MIGRATION, LG_STR("web"), LG_STR("m1"));
    assert_int_equal(count_migrations("vm1"), 0);
}

static void nodes_stand_in_the_node_table(void **state)
{
    (void)state;
    set("{'apiVersion':'v1','kind':'Node','metadata':{'name':'n1','labels':{'a':'1'}}}");
    set("{'apiVersion':'v1','kind':'Node','metadata':{'name':'n2'}}");
    const struct lg_node_table *nodes = lg_inventory_nodes(fixture.inv);
    assert_int_equal(lg_nodes_count(nodes), 2);
    assert_non_null(lg_nodes_with_label(nodes, LG_STR("a"), LG_STR("1")));
    set("{'apiVersion':'v1','kind':'Node','metadata':{'name':'n1','labels':{'a':'2'}}}");
    size_t slot;
    const struct lg_node *node = lg_nodes_get(nodes, LG_STR("n1"), &slot);
    lg_assert_str(node->labels.items[0].value, "2");
    lg_inventory_remove(fixture.inv, LG_KIND_NODE, LG_STR(""), LG_STR("n1"));
    assert_int_equal(lg_nodes_count(nodes), 1);
    assert_null(lg_nodes_get(nodes, LG_STR("n1"), &slot));
}

static void settings_follow_the_configuration(void **state)
{
    (void)state;
    assert_false(lg_inventory_settings(fixture.inv)->known);
    set("{'apiVersion':'kubevirt.io/v1','kind':'KubeVirt','metadata':{'name':'kv','namespace':'a',"
        "'creationTimestamp':'2026-01-02T00:00:00Z'},'status':{'observedKubeVirtVersion':'v1.6.0'}"
        "}");
    assert_true(lg_inventory_settings(fixture.inv)->known);
    assert_int_equal(lg_inventory_settings(fixture.inv)->version, 106);
    /* An older one counts, a younger one does not. */
    set("{'apiVersion':'kubevirt.io/v1','kind':'KubeVirt','metadata':{'name':'kv','namespace':'b',"
        "'creationTimestamp':'2026-01-01T00:00:00Z'},'status':{'observedKubeVirtVersion':'v1.5.0'}"
        "}");
    set("{'apiVersion':'kubevirt.io/v1','kind':'KubeVirt','metadata':{'name':'kv','namespace':'c',"
        "'creationTimestamp':'2026-01-03T00:00:00Z'},'status':{'observedKubeVirtVersion':'v1.4.0'}"
        "}");
    assert_int_equal(lg_inventory_settings(fixture.inv)->version, 105);
    lg_assert_str(lg_inventory_settings(fixture.inv)->ns, "b");
    set("{'apiVersion':'hco.kubevirt.io/v1beta1','kind':'HyperConverged','metadata':{'name':'h'},"
        "'status':{'infrastructureHighlyAvailable':false}}");
    assert_false(lg_inventory_settings(fixture.inv)->highly_available);
    lg_inventory_remove(fixture.inv, LG_KIND_HYPERCONVERGED, LG_STR(""), LG_STR("h"));
    assert_true(lg_inventory_settings(fixture.inv)->highly_available);
    lg_inventory_remove(fixture.inv, LG_KIND_KUBEVIRT, LG_STR("a"), LG_STR("kv"));
    lg_inventory_remove(fixture.inv, LG_KIND_KUBEVIRT, LG_STR("b"), LG_STR("kv"));
    lg_inventory_remove(fixture.inv, LG_KIND_KUBEVIRT, LG_STR("c"), LG_STR("kv"));
    assert_false(lg_inventory_settings(fixture.inv)->known);
}

static void assert_default_class(bool virt, enum lg_lookup expected, const char *name)
{
    struct lg_storage_view view = lg_inventory_storage(fixture.inv);
    const struct lg_storage_class *class = NULL;
    assert_int_equal(view.class_default(view.arg, virt, &class), expected);
    if (expected == LG_FOUND)
        lg_assert_str(class->r.name, name);
}

#define DEFAULT      "'storageclass.kubernetes.io/is-default-class':'true'"
#define VIRT_DEFAULT "'storageclass.kubevirt.io/is-default-virt-class':'true'"

static void the_default_class_follows_changes(void **state)
{
    (void)state;
    set_class("a", 1, DEFAULT);
    assert_default_class(true, LG_UNKNOWN, NULL);
    lg_inventory_set_known(fixture.inv, LG_KIND_STORAGE_CLASS, LG_KNOWN);
    assert_default_class(false, LG_FOUND, "a");
    assert_default_class(true, LG_FOUND, "a");
    set_class("b", 2, DEFAULT);
    assert_default_class(false, LG_FOUND, "b");
    set_class("c", 1, VIRT_DEFAULT);
    assert_default_class(true, LG_FOUND, "c");
    assert_default_class(false, LG_FOUND, "b");
    set_class("b", 2, "");
    assert_default_class(false, LG_FOUND, "a");
    set_class("b", 2, DEFAULT);
    lg_inventory_remove(fixture.inv, LG_KIND_STORAGE_CLASS, LG_STR(""), LG_STR("b"));
    assert_default_class(false, LG_FOUND, "a");
    lg_inventory_remove(fixture.inv, LG_KIND_STORAGE_CLASS, LG_STR(""), LG_STR("a"));
    assert_default_class(false, LG_ABSENT, NULL);
    assert_default_class(true, LG_FOUND, "c");
    struct lg_storage_view view = lg_inventory_storage(fixture.inv);
    const struct lg_storage_class *class = NULL;
    const struct lg_storage_profile *profile = NULL;
    assert_int_equal(view.class_by_name(view.arg, LG_STR("c"), &class), LG_FOUND);
    assert_int_equal(view.class_by_name(view.arg, LG_STR("a"), &class), LG_ABSENT);
    assert_int_equal(view.profile_by_name(view.arg, LG_STR("c"), &profile), LG_UNKNOWN);
}

/* Two inventories can share records; each undoes only its own. */
static void records_are_shared_by_count(void **state)
{
    (void)state;
    struct lg_inventory *other = lg_inventory_new();
    struct lg_record *record = lg_objects_record(
        &fixture.objects,
        "{'apiVersion':'kubevirt.io/v1','kind':'VirtualMachine','metadata':{'name':'a',"
        "'namespace':'web'},'spec':{'template':{'spec':{'volumes':[{'name':'v','dataVolume':"
        "{'name':'data'}}]}}}}");
    lg_inventory_set(other, lg_record_ref(record));
    lg_inventory_set(fixture.inv, record);
    lg_inventory_free(other);
    assert_int_equal(record->refs, 1);
    assert_int_equal(count_users("web", "data"), 1);
}

/* Random changes; afterwards, and now and then, the index says what a look at every record says. */
static size_t count_users_slowly(const char *claim)
{
    size_t n = 0;
    for (int kind = LG_KIND_VM; kind <= LG_KIND_VMI; kind++) {
        const struct lg_record *record;
        size_t pos = 0;
        while ((record = lg_inventory_next(fixture.inv, (enum lg_kind)kind, &pos)) != NULL) {
            const struct lg_vm_record *vm = (const struct lg_vm_record *)record;
            for (uint32_t i = 0; i < vm->n_uses; i++)
                n += lg_str_is(vm->uses[i].claim, claim);
        }
    }
    return n;
}

static void indexes_agree_with_the_records_after_any_changes(void **state)
{
    (void)state;
    static_assert(offsetof(struct lg_vm_record, uses) == offsetof(struct lg_vmi_record, uses),
                  "VMs and VMIs are counted alike");
    srand(20260101);
    for (int round = 0; round < 3000; round++) {
        bool vm = rand() % 2 == 0;
        int name = rand() % 40;
        char text[1024];
        if (rand() % 3 == 0) {
            int n = snprintf(text, sizeof text, "vm%d", name);
            lg_inventory_remove(fixture.inv, vm ? LG_KIND_VM : LG_KIND_VMI, LG_STR("web"),
                                (struct lg_str){text, (size_t)n});
            continue;
        }
        struct lg_buf buf = {0};
        lg_buf_printf(&buf,
                      "{'apiVersion':'kubevirt.io/v1','kind':'VirtualMachine%s','metadata':{'name':"
                      "'vm%d','namespace':'web'},'spec':{%s'volumes':[",
                      vm ? "" : "Instance", name, vm ? "'template':{'spec':{" : "");
        for (int i = rand() % 4; i >= 0; i--)
            lg_buf_printf(&buf, "{'name':'v','dataVolume':{'name':'c%d'}}%s", rand() % 10,
                          i != 0 ? "," : "");
        lg_buf_puts(&buf, vm ? "]}}}}" : "]}}");
        set(buf.p);
        lg_buf_done(&buf);
        if (round % 50 != 0)
            continue;
        for (int i = 0; i < 10; i++) {
            snprintf(text, sizeof text, "c%d", i);
            assert_int_equal(count_users("web", text), count_users_slowly(text));
        }
    }
}

static void a_claim_takes_less_than_400_bytes(void **state)
{
    (void)state;
    struct lg_arena arena;
    lg_arena_init(&arena);
    size_t total = 0;
    char text[2048];
    snprintf(text, sizeof text,
             "{\"apiVersion\":\"v1\",\"kind\":\"PersistentVolumeClaim\",\"metadata\":{\"name\":"
             "\"rhel9-web-server-root-disk-01\",\"namespace\":\"customer-web-servers\",\"uid\":"
             "\"3b0c2f4e-7c3b-4a9e-9e2e-0d6f5a1b2c3d\"},\"spec\":{\"accessModes\":["
             "\"ReadWriteMany\"],\"volumeMode\":\"Block\",\"storageClassName\":"
             "\"ocs-storagecluster-ceph-rbd-virtualization\",\"volumeName\":"
             "\"pvc-3b0c2f4e-7c3b-4a9e-9e2e-0d6f5a1b2c3d\"}}");
    struct lg_val root = LG_NONE;
    assert_int_equal(lg_json_parse(&arena, lg_str_of(text), &root, NULL), LG_E_OK);
    struct lg_record *record = NULL;
    assert_int_equal(lg_record_new(root, &record, NULL), LG_E_OK);
    total = record->bytes;
    lg_record_unref(record);
    lg_arena_done(&arena);
    assert_true(total < 400);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(absence_is_known_only_where_the_kind_is),
        TEST(a_later_object_replaces_an_earlier_one),
        TEST(every_kind_is_found_under_its_name),
        TEST(no_namespace_means_default),
        TEST(names_of_any_length_are_looked_up),
        TEST(users_of_a_claim_are_vms_and_vmis_by_claim_or_data_volume),
        TEST(migrations_are_found_by_their_vmi),
        TEST(nodes_stand_in_the_node_table),
        TEST(settings_follow_the_configuration),
        TEST(the_default_class_follows_changes),
        TEST(records_are_shared_by_count),
        TEST(indexes_agree_with_the_records_after_any_changes),
        TEST(a_claim_takes_less_than_400_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
