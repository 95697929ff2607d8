#include "rules/virt/claim_spec.h"

static const char *const mode_names[] = {
    [LG_MODE_RWO] = "ReadWriteOnce",
    [LG_MODE_ROX] = "ReadOnlyMany",
    [LG_MODE_RWX] = "ReadWriteMany",
    [LG_MODE_RWOP] = "ReadWriteOncePod",
};
static const uint8_t n_mode_names = sizeof mode_names / sizeof *mode_names;

static bool has_mode(const struct lg_modes *modes, uint8_t mode)
{
    for (int i = 0; i < modes->n; i++)
        if (modes->items[i] == mode)
            return true;
    return false;
}

bool lg_modes_shared(const struct lg_modes *modes)
{
    return has_mode(modes, LG_MODE_RWX);
}

struct lg_str lg_modes_text(const struct lg_modes *modes, struct lg_arena *arena)
{
    if (modes->n == 0)
        return LG_STR("without an access mode");
    struct lg_buf buf = {0};
    for (int i = 0; i < modes->n; i++) {
        lg_buf_puts(&buf, i != 0 ? ", " : "");
        lg_buf_puts(&buf, mode_names[modes->items[i]]);
    }
    struct lg_str text = lg_arena_str(arena, lg_buf_view(&buf));
    lg_buf_done(&buf);
    return text;
}

/* A list longer than we keep loses repetitions first: which modes there are stays true. */
static void add_mode(struct lg_modes *modes, uint8_t mode)
{
    if (modes->n < LG_MODES_MAX)
        modes->items[modes->n++] = mode;
    else if (!has_mode(modes, mode))
        for (int i = LG_MODES_MAX - 1; i > 0; i--)
            if (memchr(modes->items, modes->items[i], (size_t)i) != NULL) {
                modes->items[i] = mode;
                return;
            }
}

struct lg_modes lg_modes_read(struct lg_val list)
{
    struct lg_modes modes = {0};
    if (lg_json_kind(list) != LG_JSON_ARRAY)
        return modes;
    for (struct lg_json_iter it = lg_json_iter(list); lg_json_next(&it);)
        for (uint8_t mode = 0; mode < n_mode_names; mode++)
            if (lg_json_is(it.val, mode_names[mode]))
                add_mode(&modes, mode);
    return modes;
}

static void read_common(struct lg_val spec, struct lg_claim_spec *ret)
{
    ret->modes = lg_modes_read(lg_json_get(spec, "accessModes"));
    struct lg_val volume_mode = lg_json_get(spec, "volumeMode");
    if (lg_json_is(volume_mode, "Block"))
        ret->volume_mode = LG_VOLUME_MODE_BLOCK;
    else if (lg_json_is(volume_mode, "Filesystem"))
        ret->volume_mode = LG_VOLUME_MODE_FILESYSTEM;
    else if (lg_json_is(volume_mode, "FromStorageProfile"))
        ret->from_profile = true;
    struct lg_val class_name = lg_json_get(spec, "storageClassName");
    ret->has_class = lg_json_there(class_name);
    ret->class_name = lg_json_str(class_name);
}

struct lg_claim_spec lg_claim_spec_of_claim(struct lg_val claim_object)
{
    struct lg_claim_spec claim = {0};
    read_common(lg_json_get(claim_object, "spec"), &claim);
    struct lg_val metadata = lg_json_get(claim_object, "metadata");
    if (lg_json_is(
            lg_json_get(lg_json_get(metadata, "labels"), "cdi.kubevirt.io/applyStorageProfile"),
            "true"))
        claim.from_profile = true;
    claim.archive = lg_json_is(
        lg_json_get(lg_json_get(metadata, "annotations"), "cdi.kubevirt.io/storage.contentType"),
        "archive");
    return claim;
}

struct lg_claim_spec lg_claim_spec_of_data_volume(struct lg_val data_volume_spec)
{
    struct lg_claim_spec claim = {0};
    struct lg_val pvc = lg_json_get(data_volume_spec, "pvc");
    struct lg_val storage = lg_json_get(data_volume_spec, "storage");
    /* Both at once is refused by CDI; its rendering would take spec.pvc. */
    claim.storage_api = !lg_json_there(pvc) && lg_json_there(storage);
    read_common(claim.storage_api ? storage : pvc, &claim);
    claim.archive = lg_json_is(lg_json_get(data_volume_spec, "contentType"), "archive");
    return claim;
}
