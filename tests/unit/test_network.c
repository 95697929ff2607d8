#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/virt/network.h"
#include "tests/support/objects.h"

static void the_pod_networks_binding_is_read(void **arg)
{
    (void)arg;
    static const struct {
        const char *devices, *networks;
        bool network, interface, defaulted;
        enum lg_binding_kind kind;
        const char *name;
    } rows[] = {
        {"{}", "null", false, false, true, LG_BINDING_NONE, ""},
        {"{'interfaces':[]}", "[]", false, false, true, LG_BINDING_NONE, ""},
        {"{'autoattachPodInterface':false}", "null", false, false, false, LG_BINDING_NONE, ""},
        {"{'autoattachPodInterface':true}", "null", false, false, true, LG_BINDING_NONE, ""},
        {"{}", "[{'name':'p','pod':{}}]", true, false, false, LG_BINDING_NONE, ""},
        {"{'interfaces':[{'name':'p'}]}", "[{'name':'p','pod':{}}]", true, true, false,
         LG_BINDING_NONE, ""},
        {"{'interfaces':[{'name':'p','masquerade':{}}]}", "[{'name':'p','pod':{}}]", true, true,
         false, LG_BINDING_MASQUERADE, ""},
        {"{'interfaces':[{'name':'p','masquerade':null,'bridge':{}}]}", "[{'name':'p','pod':{}}]",
         true, true, false, LG_BINDING_BRIDGE, ""},
        {"{'interfaces':[{'name':'p','bridge':{},'masquerade':{}}]}", "[{'name':'p','pod':{}}]",
         true, true, false, LG_BINDING_MASQUERADE, ""},
        {"{'interfaces':[{'name':'p','passtBinding':{}}]}", "[{'name':'p','pod':{}}]", true, true,
         false, LG_BINDING_PASST, ""},
        {"{'interfaces':[{'name':'p','binding':{'name':'x'}}]}", "[{'name':'p','pod':{}}]", true,
         true, false, LG_BINDING_PLUGIN, "x"},
        {"{'interfaces':[{'name':'p','sriov':{}}]}", "[{'name':'p','pod':{}}]", true, true, false,
         LG_BINDING_OTHER, "sriov"},
        {"{'interfaces':[{'name':'p','passt':{}}]}", "[{'name':'p','pod':{}}]", true, true, false,
         LG_BINDING_OTHER, "passt"},
        {"{'interfaces':[{'name':'q','bridge':{}}]}", "[{'name':'q','pod':null}]", false, false,
         false, LG_BINDING_NONE, ""},
        {"{'interfaces':[{'name':'q','bridge':{}}]}",
         "[{'name':'q','multus':{'networkName':'x','default':true}}]", false, false, false,
         LG_BINDING_NONE, ""},
        {"{'interfaces':[{'name':'q','bridge':{}},{'name':'p','masquerade':{}}]}",
         "[{'name':'q','multus':{'networkName':'x'}},{'name':'p','pod':{}}]", true, true, false,
         LG_BINDING_MASQUERADE, ""},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct lg_objects objects;
        lg_objects_init(&objects);
        struct lg_str text =
            lg_arena_printf(&objects.arena, "{'spec':{'domain':{'devices':%s},'networks':%s}}",
                            rows[i].devices, rows[i].networks);
        struct lg_val vmi = lg_objects_parse(&objects, text.p);
        struct lg_vm vm = lg_vm_read(LG_KIND_VMI, vmi, LG_STR("ns"));
        struct lg_pod_network got = lg_pod_network_of(&vm);
        assert_int_equal(lg_json_there(got.network), rows[i].network);
        assert_int_equal(lg_json_there(got.interface), rows[i].interface);
        assert_int_equal(got.defaulted, rows[i].defaulted);
        assert_int_equal(got.kind, rows[i].kind);
        assert_true(lg_str_is(got.binding_name, rows[i].name));
        assert_int_equal(lg_json_there(got.binding), rows[i].kind != LG_BINDING_NONE);
        lg_objects_done(&objects);
    }
}

static void a_vm_keeps_its_network_in_the_template(void **arg)
{
    (void)arg;
    struct lg_objects objects;
    lg_objects_init(&objects);
    struct lg_val object = lg_objects_parse(
        &objects, "{'spec':{'networks':[{'name':'no','pod':{}}],'template':{'spec':{'networks':"
                  "[{'name':'p','pod':{}}],'domain':{'devices':{'interfaces':[{'name':'p',"
                  "'bridge':{}}]}}}}}}");
    struct lg_vm vm = lg_vm_read(LG_KIND_VM, object, LG_STR("ns"));
    struct lg_pod_network got = lg_pod_network_of(&vm);
    assert_int_equal(got.kind, LG_BINDING_BRIDGE);
    assert_int_equal(got.n_interfaces, 1);
    assert_string_equal(
        lg_arena_str(&objects.arena, lg_json_path(object, got.binding, &objects.arena)).p,
        "spec.template.spec.domain.devices.interfaces[0].bridge");
    lg_objects_done(&objects);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_pod_networks_binding_is_read),
        cmocka_unit_test(a_vm_keeps_its_network_in_the_template),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
