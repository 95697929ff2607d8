#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/virt/vm.h"
#include "tests/support/objects.h"

static struct lg_objects objects;

static void assert_text(struct lg_val v, const char *expected)
{
    struct lg_str text = lg_json_text(v);
    if (!lg_str_is(text, expected))
        fail_msg("%.*s is not %s", LG_ARG(text), expected);
}

static void a_vm_is_read_through_its_template(void **state)
{
    (void)state;
    struct lg_val object = lg_objects_parse(
        &objects, "{'metadata':{'annotations':{'kubevirt.io/outer':''}},'spec':{'runStrategy':"
                  "'WaitAsReceiver','instancetype':{'name':'u1'},'dataVolumeTemplates':[1],"
                  "'template':{'metadata':{'annotations':{'kubevirt.io/inner':null}},"
                  "'spec':{'domain':2}}},'status':{'migratedVolumes':[9],'volumeUpdateState':"
                  "{'volumeMigrationState':{'migratedVolumes':[3]}}}}");
    struct lg_vm vm = lg_vm_read(LG_KIND_VM, object, LG_STR("web"));
    assert_int_equal(vm.kind, LG_KIND_VM);
    assert_true(lg_str_is(vm.ns, "web"));
    assert_text(vm.spec, "{\"domain\":2}");
    assert_text(vm.vmi_metadata, "{\"annotations\":{\"kubevirt.io/inner\":null}}");
    assert_text(vm.data_volume_templates, "[1]");
    assert_text(vm.migrated_volumes, "[3]");
    assert_true(lg_json_there(vm.instancetype));
    assert_false(lg_json_there(vm.preference));
    assert_true(vm.wait_as_receiver);
    assert_true(lg_vm_has_annotation(&vm, "kubevirt.io/inner"));
    assert_false(lg_vm_has_annotation(&vm, "kubevirt.io/outer"));
}

static void a_vmi_is_read_as_it_stands(void **state)
{
    (void)state;
    struct lg_val object = lg_objects_parse(
        &objects, "{'metadata':{'annotations':{'kubevirt.io/a':''}},'spec':{'domain':2,"
                  "'instancetype':{},'dataVolumeTemplates':[1]},'status':{'migratedVolumes':[9]}}");
    struct lg_vm vm = lg_vm_read(LG_KIND_VMI, object, LG_STR(""));
    assert_int_equal(vm.kind, LG_KIND_VMI);
    assert_text(lg_json_get(vm.spec, "domain"), "2");
    assert_text(vm.migrated_volumes, "[9]");
    assert_false(lg_json_there(vm.data_volume_templates));
    assert_false(lg_json_there(vm.instancetype));
    assert_false(vm.wait_as_receiver);
    assert_true(lg_vm_has_annotation(&vm, "kubevirt.io/a"));
}

static void an_object_without_anything_has_nothing(void **state)
{
    (void)state;
    static const char *const texts[] = {"{}", "{'spec':7}", "[]", "{'spec':{'template':[]}}"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct lg_vm vm =
            lg_vm_read(LG_KIND_VM, lg_objects_parse(&objects, texts[i]), LG_STR("web"));
        assert_false(lg_json_there(vm.spec));
        assert_false(lg_json_there(vm.vmi_metadata));
        assert_false(lg_json_there(vm.migrated_volumes));
        assert_false(lg_json_there(vm.instancetype) || lg_json_there(vm.preference) ||
                     vm.wait_as_receiver);
        assert_false(lg_vm_has_annotation(&vm, "kubevirt.io/a"));
    }
}

int main(void)
{
#define TEST(name) LG_OBJECTS_TEST(name, &objects)
    const struct CMUnitTest tests[] = {
        TEST(a_vm_is_read_through_its_template),
        TEST(a_vmi_is_read_as_it_stands),
        TEST(an_object_without_anything_has_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
