/* Any JSON as an object of every kind: what becomes a record can be found, compared and read again,
 * and leaves nothing behind in the inventory when it goes. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "rules/inventory.h"
#include "rules/virt/vm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void assert_readable(struct lg_str text)
{
    struct lg_arena arena = {0};
    struct lg_val root = LG_NONE;
    struct lg_err err = {0};
    assert(lg_json_parse(&arena, text, &root, &err) == LG_E_OK);
    assert(lg_json_kind(root) == LG_JSON_OBJECT);
    lg_arena_done(&arena);
}

static void assert_indexed(const struct lg_inventory *inv, const struct lg_record *record,
                           struct lg_str claim, const struct lg_use *use)
{
    size_t pos = 0;
    const struct lg_use *found = NULL;
    const struct lg_record *user;
    do {
        user = lg_inventory_next_user(inv, record->ns, claim, &pos, &found);
        assert(user != NULL);
    } while (user != record || found != use);
}

static void look_at(const struct lg_inventory *inv, const struct lg_record *record)
{
    if (record->kind == LG_KIND_VM) {
        const struct lg_vm_record *vm = (const struct lg_vm_record *)record;
        for (uint32_t i = 0; i < vm->n_uses && i < 8; i++)
            assert_indexed(inv, record, vm->uses[i].claim, &vm->uses[i]);
    } else if (record->kind == LG_KIND_VMI) {
        const struct lg_vmi_record *vmi = (const struct lg_vmi_record *)record;
        struct lg_arena arena = {0};
        assert(lg_json_there(lg_vmi_object(vmi, &arena)));
        lg_arena_done(&arena);
        for (uint32_t i = 0; i < vmi->n_uses && i < 8; i++)
            assert_indexed(inv, record, vmi->uses[i].claim, &vmi->uses[i]);
    } else if (record->kind == LG_KIND_MIGRATION_POLICY) {
        assert_readable(((const struct lg_migration_policy_record *)record)->spec);
    } else if (record->kind == LG_KIND_KUBEVIRT || record->kind == LG_KIND_HYPERCONVERGED) {
        assert_readable(((const struct lg_config_record *)record)->text);
    } else if (record->kind == LG_KIND_CLAIM || record->kind == LG_KIND_DATA_VOLUME) {
        struct lg_storage_view view = lg_inventory_storage(inv);
        struct lg_rendered rendered;
        lg_storage_render(record->kind == LG_KIND_CLAIM
                              ? &((const struct lg_claim *)record)->spec
                              : &((const struct lg_data_volume *)record)->spec,
                          &view, &rendered);
        assert(rendered.resolved || rendered.why != NULL);
        assert(!rendered.resolved || rendered.modes.n != 0);
    }
}

static void keep(enum lg_kind kind, struct lg_val object)
{
    struct lg_record *record = NULL;
    struct lg_record *twin = NULL;
    struct lg_err err = {0};
    enum lg_err_code code = lg_record_new_as(kind, object, &record, &err);
    assert(code == err.code);
    if (code != LG_E_OK) {
        assert(record == NULL && err.text[0] != '\0');
        return;
    }
    assert(lg_record_new_as(kind, object, &twin, &err) == LG_E_OK);
    assert(lg_record_equal(record, twin) && record->bytes == twin->bytes);
    struct lg_inventory *inv = lg_inventory_new();
    lg_inventory_set(inv, twin);
    lg_inventory_set(inv, record);
    assert(lg_inventory_count(inv, kind) == 1);
    const struct lg_record *found = NULL;
    assert(lg_inventory_get(inv, kind, record->ns, record->name, &found) == LG_FOUND);
    assert(found == record);
    look_at(inv, record);
    lg_record_ref(record);
    lg_inventory_remove(inv, kind, record->ns, record->name);
    for (int k = 0; k < LG_KIND_COUNT; k++)
        assert(lg_inventory_count(inv, (enum lg_kind)k) == 0 &&
               lg_inventory_bytes(inv, (enum lg_kind)k) == 0);
    lg_inventory_free(inv);
    assert(record->refs == 1);
    lg_record_unref(record);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lg_arena arena = {0};
    struct lg_val object = LG_NONE;
    if (lg_json_parse(&arena, (struct lg_str){(const char *)data, size}, &object, NULL) ==
        LG_E_OK) {
        for (int kind = 0; kind < LG_KIND_COUNT; kind++) {
            struct lg_err err = {0};
            enum lg_err_code code = lg_shape_check((enum lg_kind)kind, object, &err);
            assert(code == err.code && (code == LG_E_OK || err.text[0] != '\0'));
            keep((enum lg_kind)kind, object);
        }
    }
    lg_arena_done(&arena);
    return 0;
}
