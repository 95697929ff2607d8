#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/virt/expansion.h"
#include "tests/support/objects.h"

static void what_the_vm_names_is_called_by_name(void **arg)
{
    (void)arg;
    static const struct {
        const char *object, *text, *at;
    } rows[] = {
        {"{'spec':{}}", "", ""},
        {"{'spec':{'instancetype':null,'preference':null}}", "", ""},
        {"{'spec':{'instancetype':{'name':'u1.medium'}}}", "instancetype \"u1.medium\"",
         "spec.instancetype"},
        {"{'spec':{'preference':{'name':'fedora'}}}", "preference \"fedora\"", "spec.preference"},
        {"{'spec':{'instancetype':{'inferFromVolume':'root'},'preference':{'name':'fedora'}}}",
         "the VM's instancetype and preference \"fedora\"", "spec.instancetype"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct lg_objects objects;
        lg_objects_init(&objects);
        struct lg_val object = lg_objects_parse(&objects, rows[i].object);
        struct lg_vm vm = lg_vm_read(LG_KIND_VM, object, LG_STR("ns"));
        struct lg_val at = LG_NONE;
        struct lg_str text = lg_expansion_unread(&vm, &objects.arena, &at);
        assert_string_equal(lg_arena_str(&objects.arena, text).p, rows[i].text);
        if (text.n > 0)
            assert_string_equal(
                lg_arena_str(&objects.arena, lg_json_path(object, at, &objects.arena)).p,
                rows[i].at);
        lg_objects_done(&objects);
    }
}

static void a_vmi_has_been_expanded_already(void **arg)
{
    (void)arg;
    struct lg_objects objects;
    lg_objects_init(&objects);
    struct lg_val object =
        lg_objects_parse(&objects, "{'spec':{'instancetype':{'name':'u1.medium'}}}");
    struct lg_vm vm = lg_vm_read(LG_KIND_VMI, object, LG_STR("ns"));
    struct lg_val at;
    assert_int_equal(lg_expansion_unread(&vm, &objects.arena, &at).n, 0);
    lg_objects_done(&objects);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_vm_names_is_called_by_name),
        cmocka_unit_test(a_vmi_has_been_expanded_already),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
