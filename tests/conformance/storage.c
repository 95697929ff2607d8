/* Which access modes, volume mode and class will the claim of a DataVolume get? Truth: CDI's
 * rendering. */
#include "rules/inventory.h"
#include "tests/conformance/conformance.h"

#include "rules/core/mem.h"

LG_DEFINE_CLEANUP(struct lg_inventory, lg_inventory_free)

static bool fill(struct lg_inventory *inv, struct lg_val list, struct lg_buf *got)
{
    struct lg_err err = {0};
    for (struct lg_json_iter it = lg_json_iter(list); lg_json_next(&it);) {
        struct lg_record *record = NULL;
        if (lg_record_new(it.val, &record, &err) != LG_E_OK) {
            lg_buf_printf(got, "%s: %s", err.where, err.text);
            return false;
        }
        lg_inventory_set(inv, record);
    }
    return true;
}

static void write_expected(struct lg_val expect, struct lg_buf *buf)
{
    if (!lg_json_bool(lg_json_get(expect, "resolved"), false)) {
        lg_buf_puts(buf, "not resolved");
        return;
    }
    for (struct lg_json_iter it = lg_json_iter(lg_json_get(expect, "accessModes"));
         lg_json_next(&it);) {
        lg_buf_puts(buf, it.index != 0 ? ", " : "");
        lg_buf_str(buf, lg_json_str(it.val));
    }
    struct lg_val volume_mode = lg_json_get(expect, "volumeMode");
    struct lg_val class_name = lg_json_get(expect, "storageClassName");
    lg_buf_puts(buf, "; volume mode ");
    lg_buf_str(buf, lg_json_there(volume_mode) ? lg_json_str(volume_mode) : LG_STR("unset"));
    lg_buf_puts(buf, "; class ");
    lg_buf_str(buf, lg_json_there(class_name) ? lg_json_text(class_name) : LG_STR("unset"));
}

static void write_rendered(const struct lg_rendered *rendered, struct lg_arena *arena,
                           struct lg_buf *buf)
{
    static const char *const volume_modes[] = {
        [LG_VOLUME_MODE_UNSET] = "unset",
        [LG_VOLUME_MODE_FILESYSTEM] = "Filesystem",
        [LG_VOLUME_MODE_BLOCK] = "Block",
    };
    if (!rendered->resolved) {
        lg_buf_puts(buf, "not resolved");
        return;
    }
    if (rendered->modes.n != 0)
        lg_buf_str(buf, lg_modes_text(&rendered->modes, arena));
    lg_buf_printf(buf, "; volume mode %s; class ", volume_modes[rendered->volume_mode]);
    if (rendered->has_class)
        lg_buf_printf(buf, "\"%.*s\"", LG_ARG(rendered->class_name));
    else
        lg_buf_puts(buf, "unset");
}

static enum conformance_result row(struct lg_val row, struct lg_arena *arena,
                                   struct lg_buf *expected, struct lg_buf *got)
{
    struct lg_inventory *inv lg_cleanup(lg_inventory_free_cleanup) = lg_inventory_new();
    write_expected(lg_json_get(row, "expect"), expected);
    if (!fill(inv, lg_json_get(row, "storageClasses"), got) ||
        !fill(inv, lg_json_get(row, "storageProfiles"), got))
        return CONFORMANCE_FAILED;
    lg_inventory_set_known(inv, LG_KIND_STORAGE_CLASS, LG_KNOWN);
    lg_inventory_set_known(inv, LG_KIND_STORAGE_PROFILE, LG_KNOWN);
    struct lg_storage_view view = lg_inventory_storage(inv);
    struct lg_claim_spec spec = lg_claim_spec_of_data_volume(lg_json_at(row, "dataVolume.spec"));
    struct lg_rendered rendered;
    lg_storage_render(&spec, &view, &rendered);
    write_rendered(&rendered, arena, got);
    return lg_str_eq(lg_buf_view(expected), lg_buf_view(got)) ? CONFORMANCE_PASSED
                                                              : CONFORMANCE_FAILED;
}

const struct conformance_corpus conformance_storage = {"storage", row};
