#include "rules/virt/records.h"

#include <assert.h>
#include <stdlib.h>

#include "rules/core/mem.h"
#include "rules/kube/meta.h"
#include "rules/virt/pack.h"
#include "rules/virt/records_read.h"

/* What a kept field is: copying, measuring and comparing follow from one table a kind. */
enum field_type {
    FIELD_STR,
    FIELD_FLAG,
    FIELD_ENUM,
    FIELD_INT64,
    FIELD_MODES,
    FIELD_LABELS,
    FIELD_TAINTS,
    FIELD_USES,
    FIELD_SETS,
};

struct field {
    uint16_t offset;
    uint8_t type;
};

struct layout {
    size_t bytes;
    const struct field *fields;
    size_t n;
};

#define FIELD(type, structure, member)                                                             \
    {                                                                                              \
        offsetof(struct structure, member), FIELD_##type                                           \
    }
#define LAYOUT(structure, table)                                                                   \
    {                                                                                              \
        sizeof(struct structure), (table), sizeof(table) / sizeof *(table)                         \
    }

/* ns and name come first and are kept together by lg_record_new. */
static const struct field record_fields[] = {
    FIELD(STR, lg_record, uid),
    FIELD(FLAG, lg_record, deleting),
    FIELD(INT64, lg_record, created_unix_s),
};
static const struct field node_fields[] = {
    FIELD(INT64, lg_node, allocatable.cpu_milli),
    FIELD(INT64, lg_node, allocatable.memory_bytes),
    FIELD(INT64, lg_node, allocatable.huge_2m_bytes),
    FIELD(INT64, lg_node, allocatable.huge_1g_bytes),
    FIELD(LABELS, lg_node, labels),
    FIELD(TAINTS, lg_node, taints),
    FIELD(FLAG, lg_node, unschedulable),
    FIELD(FLAG, lg_node, not_ready),
};
#define CLAIM_SPEC_FIELDS(structure)                                                               \
    FIELD(MODES, structure, spec.modes), FIELD(ENUM, structure, spec.volume_mode),                 \
        FIELD(FLAG, structure, spec.has_class), FIELD(STR, structure, spec.class_name),            \
        FIELD(FLAG, structure, spec.storage_api), FIELD(FLAG, structure, spec.archive),            \
        FIELD(FLAG, structure, spec.from_profile)
static const struct field claim_fields[] = {
    CLAIM_SPEC_FIELDS(lg_claim),
    FIELD(STR, lg_claim, volume_name),
};
static const struct field volume_fields[] = {
    FIELD(STR, lg_volume, node_affinity),
};
static const struct field storage_class_fields[] = {
    FIELD(STR, lg_storage_class, provisioner),
    FIELD(FLAG, lg_storage_class, is_default),
    FIELD(FLAG, lg_storage_class, is_virt_default),
};
static const struct field storage_profile_fields[] = {
    FIELD(SETS, lg_storage_profile, sets),
};
static const struct field data_volume_fields[] = {
    CLAIM_SPEC_FIELDS(lg_data_volume),
};
static const struct field vm_fields[] = {
    FIELD(USES, lg_vm_record, uses),
    FIELD(FLAG, lg_vm_record, wait_as_receiver),
};
static const struct field vmi_fields[] = {
    FIELD(USES, lg_vmi_record, uses),
    FIELD(LABELS, lg_vmi_record, labels),
    FIELD(STR, lg_vmi_record, node),
    FIELD(STR, lg_vmi_record, phase),
    FIELD(ENUM, lg_vmi_record, live_migratable),
    FIELD(STR, lg_vmi_record, reason),
    FIELD(STR, lg_vmi_record, message),
    FIELD(STR, lg_vmi_record, apart),
    FIELD(FLAG, lg_vmi_record, apart_elsewhere),
    FIELD(FLAG, lg_vmi_record, moved_before),
    FIELD(STR, lg_vmi_record, from),
    FIELD(STR, lg_vmi_record, to),
    FIELD(STR, lg_vmi_record, packed),
};
static const struct field migration_fields[] = {
    FIELD(STR, lg_migration_record, vmi),         FIELD(STR, lg_migration_record, phase),
    FIELD(STR, lg_migration_record, source_node), FIELD(FLAG, lg_migration_record, decentralized),
    FIELD(FLAG, lg_migration_record, sends),      FIELD(FLAG, lg_migration_record, blocked),
    FIELD(INT64, lg_migration_record, took_s),
};
static const struct field namespace_fields[] = {
    FIELD(LABELS, lg_namespace, labels),
};
static const struct field migration_policy_fields[] = {
    FIELD(FLAG, lg_migration_policy_record, has_selectors),
    FIELD(LABELS, lg_migration_policy_record, namespaces),
    FIELD(LABELS, lg_migration_policy_record, guests),
    FIELD(STR, lg_migration_policy_record, spec),
};
static const struct field config_fields[] = {
    FIELD(STR, lg_config_record, text),
};

static const struct layout common_layout = LAYOUT(lg_record, record_fields);
static const struct layout layouts[LG_KIND_COUNT] = {
    [LG_KIND_NODE] = LAYOUT(lg_node, node_fields),
    [LG_KIND_CLAIM] = LAYOUT(lg_claim, claim_fields),
    [LG_KIND_VOLUME] = LAYOUT(lg_volume, volume_fields),
    [LG_KIND_STORAGE_CLASS] = LAYOUT(lg_storage_class, storage_class_fields),
    [LG_KIND_STORAGE_PROFILE] = LAYOUT(lg_storage_profile, storage_profile_fields),
    [LG_KIND_DATA_VOLUME] = LAYOUT(lg_data_volume, data_volume_fields),
    [LG_KIND_VM] = LAYOUT(lg_vm_record, vm_fields),
    [LG_KIND_POOL] = LAYOUT(lg_vm_record, vm_fields),
    [LG_KIND_REPLICA_SET] = LAYOUT(lg_vm_record, vm_fields),
    [LG_KIND_VMI] = LAYOUT(lg_vmi_record, vmi_fields),
    [LG_KIND_MIGRATION] = LAYOUT(lg_migration_record, migration_fields),
    [LG_KIND_NAMESPACE] = LAYOUT(lg_namespace, namespace_fields),
    [LG_KIND_MIGRATION_POLICY] = LAYOUT(lg_migration_policy_record, migration_policy_fields),
    [LG_KIND_KUBEVIRT] = LAYOUT(lg_config_record, config_fields),
    [LG_KIND_HYPERCONVERGED] = LAYOUT(lg_config_record, config_fields),
    [LG_KIND_INSTANCETYPE] = LAYOUT(lg_config_record, config_fields),
    [LG_KIND_CLUSTER_INSTANCETYPE] = LAYOUT(lg_config_record, config_fields),
    [LG_KIND_PREFERENCE] = LAYOUT(lg_config_record, config_fields),
    [LG_KIND_CLUSTER_PREFERENCE] = LAYOUT(lg_config_record, config_fields),
    [LG_KIND_REVISION] = LAYOUT(lg_config_record, config_fields),
    /* that there is one is all that counts */
    [LG_KIND_CLUSTER_AUTOSCALER] = {sizeof(struct lg_record), NULL, 0},
    [LG_KIND_MACHINE_AUTOSCALER] = {sizeof(struct lg_record), NULL, 0},
    [LG_KIND_NODE_POOL] = {sizeof(struct lg_record), NULL, 0},
};

/* The array's length follows its pointer in struct lg_labels and lg_taints, and `uses` and `sets`
 * in their records. */
struct array {
    const void *items;
    uint32_t n;
};
static_assert(offsetof(struct lg_labels, n) == offsetof(struct array, n), "labels");
static_assert(offsetof(struct lg_taints, n) == offsetof(struct array, n), "taints");
static_assert(offsetof(struct lg_vm_record, n_uses) - offsetof(struct lg_vm_record, uses) ==
                  offsetof(struct array, n),
              "uses of a VM");
static_assert(offsetof(struct lg_vmi_record, n_uses) - offsetof(struct lg_vmi_record, uses) ==
                  offsetof(struct array, n),
              "uses of a VMI");
static_assert(offsetof(struct lg_storage_profile, n_sets) -
                      offsetof(struct lg_storage_profile, sets) ==
                  offsetof(struct array, n),
              "sets");
static_assert(sizeof(struct lg_property_set) % 4 == 0 && sizeof(struct lg_use) % 8 == 0 &&
                  sizeof(struct lg_label) % 8 == 0 && sizeof(struct lg_taint) % 8 == 0,
              "arrays stand one behind the other in a block");

/* Walks a record's texts and arrays. Measuring: the pointers below are NULL and only sizes grow.
 * Copying: everything is copied behind the record and its pointers turned there. */
struct keeper {
    char *arrays, *text;
    size_t arrays_bytes, text_bytes;
};

static void keep_str(struct keeper *keeper, struct lg_str *s)
{
    keeper->text_bytes += s->n;
    if (keeper->text == NULL)
        return;
    if (s->n != 0)
        memcpy(keeper->text, s->p, s->n);
    s->p = keeper->text;
    keeper->text += s->n;
}

static void *keep_array(struct keeper *keeper, struct array *array, size_t size)
{
    size_t bytes = (array->n * size + 7) / 8 * 8;
    keeper->arrays_bytes += bytes;
    if (keeper->arrays == NULL)
        return (void *)array->items;
    void *copy = keeper->arrays;
    if (array->n != 0)
        memcpy(copy, array->items, array->n * size);
    array->items = copy;
    keeper->arrays += bytes;
    return copy;
}

/* While measuring, keep_str leaves the items alone: the casts below write only to our own copy. */
static void keep_field(struct keeper *keeper, enum field_type type, void *at)
{
    struct array *array = at;
    switch (type) {
    case FIELD_STR:
        keep_str(keeper, at);
        break;
    case FIELD_LABELS: {
        struct lg_label *items = keep_array(keeper, array, sizeof *items);
        for (uint32_t i = 0; i < array->n; i++) {
            keep_str(keeper, &items[i].key);
            keep_str(keeper, &items[i].value);
        }
        break;
    }
    case FIELD_TAINTS: {
        struct lg_taint *items = keep_array(keeper, array, sizeof *items);
        for (uint32_t i = 0; i < array->n; i++) {
            keep_str(keeper, &items[i].key);
            keep_str(keeper, &items[i].value);
        }
        break;
    }
    case FIELD_USES: {
        struct lg_use *items = keep_array(keeper, array, sizeof *items);
        for (uint32_t i = 0; i < array->n; i++) {
            keep_str(keeper, &items[i].volume);
            keep_str(keeper, &items[i].claim);
        }
        break;
    }
    case FIELD_SETS:
        keep_array(keeper, array, sizeof(struct lg_property_set));
        break;
    case FIELD_FLAG:
    case FIELD_ENUM:
    case FIELD_INT64:
    case FIELD_MODES:
        break;
    }
}

static void keep_fields(struct keeper *keeper, const struct layout *layout, void *record)
{
    for (size_t i = 0; i < layout->n; i++)
        keep_field(keeper, layout->fields[i].type, (char *)record + layout->fields[i].offset);
}

static void keep_record(struct keeper *keeper, struct lg_record *record)
{
    /* "namespace/name" in one piece: lg_record_key. */
    keep_str(keeper, &record->ns);
    struct lg_str slash = LG_STR("/");
    keep_str(keeper, &slash);
    keep_str(keeper, &record->name);
    keep_fields(keeper, &common_layout, record);
    keep_fields(keeper, &layouts[record->kind], record);
}

enum lg_err_code lg_record_new(struct lg_val object, struct lg_record **ret, struct lg_err *err)
{
    struct lg_str api_version = lg_json_str(lg_json_get(object, "apiVersion"));
    struct lg_str kind = lg_json_str(lg_json_get(object, "kind"));
    enum lg_kind known = lg_kind_of(api_version, kind);
    if (known == LG_KIND_OTHER)
        return lg_err_set(err, LG_E_UNSUPPORTED, "kind", "%.*s %.*s is not kept",
                          LG_ARG(api_version), LG_ARG(kind));
    return lg_record_new_as(known, object, ret, err);
}

enum lg_err_code lg_record_new_as(enum lg_kind kind, struct lg_val object, struct lg_record **ret,
                                  struct lg_err *err)
{
    assert(kind < LG_KIND_COUNT);
    struct lg_arena scratch lg_cleanup(lg_arena_done);
    lg_arena_init(&scratch);
    union lg_any_record read = {.r = {.kind = kind}};
    enum lg_err_code code = lg_record_read(object, &scratch, &read, err);
    if (code != LG_E_OK)
        return code;
    struct keeper measure = {0};
    keep_record(&measure, &read.r);
    size_t fixed = layouts[read.r.kind].bytes;
    size_t bytes = fixed + measure.arrays_bytes + measure.text_bytes;
    if (bytes > UINT32_MAX)
        return lg_err_set(err, LG_E_LIMIT, "", "the object is too large to keep (%zu bytes)",
                          bytes);
    struct lg_record *record = lg_calloc(1, bytes);
    memcpy(record, &read, fixed);
    record->refs = 1;
    record->bytes = (uint32_t)bytes;
    struct keeper copy = {.arrays = (char *)record + fixed,
                          .text = (char *)record + fixed + measure.arrays_bytes};
    keep_record(&copy, record);
    *ret = record;
    return LG_E_OK;
}

struct lg_record *lg_record_ref(struct lg_record *record)
{
    record->refs++;
    return record;
}

void lg_record_unref(struct lg_record *record)
{
    if (record != NULL && --record->refs == 0)
        free(record);
}

static bool equal_labels(const struct array *a, const struct array *b)
{
    const struct lg_label *x = a->items;
    const struct lg_label *y = b->items;
    for (uint32_t i = 0; i < a->n; i++)
        if (!lg_str_eq(x[i].key, y[i].key) || !lg_str_eq(x[i].value, y[i].value))
            return false;
    return true;
}

static bool equal_taints(const struct array *a, const struct array *b)
{
    const struct lg_taint *x = a->items;
    const struct lg_taint *y = b->items;
    for (uint32_t i = 0; i < a->n; i++)
        if (!lg_str_eq(x[i].key, y[i].key) || !lg_str_eq(x[i].value, y[i].value) ||
            x[i].effect != y[i].effect)
            return false;
    return true;
}

static bool equal_uses(const struct array *a, const struct array *b)
{
    const struct lg_use *x = a->items;
    const struct lg_use *y = b->items;
    for (uint32_t i = 0; i < a->n; i++)
        if (!lg_str_eq(x[i].volume, y[i].volume) || !lg_str_eq(x[i].claim, y[i].claim) ||
            x[i].how != y[i].how || x[i].as_files != y[i].as_files ||
            x[i].reserves != y[i].reserves)
            return false;
    return true;
}

static bool equal_modes(const struct lg_modes *a, const struct lg_modes *b)
{
    return a->n == b->n && memcmp(a->items, b->items, a->n) == 0;
}

static bool equal_sets(const struct array *a, const struct array *b)
{
    const struct lg_property_set *x = a->items;
    const struct lg_property_set *y = b->items;
    for (uint32_t i = 0; i < a->n; i++)
        if (!equal_modes(&x[i].modes, &y[i].modes) || x[i].volume_mode != y[i].volume_mode)
            return false;
    return true;
}

static bool equal_field(enum field_type type, const void *a, const void *b)
{
    const struct array *x = a;
    const struct array *y = b;
    switch (type) {
    case FIELD_STR:
        return lg_str_eq(*(const struct lg_str *)a, *(const struct lg_str *)b);
    case FIELD_FLAG:
        return *(const bool *)a == *(const bool *)b;
    case FIELD_ENUM:
        return memcmp(a, b, sizeof(enum lg_condition)) == 0;
    case FIELD_INT64:
        return memcmp(a, b, sizeof(int64_t)) == 0;
    case FIELD_MODES:
        return equal_modes(a, b);
    case FIELD_LABELS:
        return x->n == y->n && equal_labels(x, y);
    case FIELD_TAINTS:
        return x->n == y->n && equal_taints(x, y);
    case FIELD_USES:
        return x->n == y->n && equal_uses(x, y);
    case FIELD_SETS:
        return x->n == y->n && equal_sets(x, y);
    }
    return false;
}

static bool equal_fields(const struct layout *layout, const void *a, const void *b)
{
    for (size_t i = 0; i < layout->n; i++) {
        const struct field *field = &layout->fields[i];
        if (!equal_field(field->type, (const char *)a + field->offset,
                         (const char *)b + field->offset))
            return false;
    }
    return true;
}

bool lg_record_equal(const struct lg_record *a, const struct lg_record *b)
{
    return a->kind == b->kind && lg_str_eq(a->ns, b->ns) && lg_str_eq(a->name, b->name) &&
           equal_fields(&common_layout, a, b) && equal_fields(&layouts[a->kind], a, b);
}

/* A text that a record keeps, by the reader that took it in: failing now would be a bug of ours. */
static struct lg_val read_again(struct lg_str text, struct lg_arena *arena)
{
    struct lg_val object = LG_NONE;
    return lg_meta_parse(arena, text, &object, NULL) == LG_E_OK ? object : LG_NONE;
}

struct lg_val lg_vmi_object(const struct lg_vmi_record *vmi, struct lg_arena *arena)
{
    return read_again(lg_unpack(vmi->packed, arena), arena);
}

struct lg_val lg_config_object(const struct lg_config_record *record, struct lg_arena *arena)
{
    return record != NULL ? read_again(lg_arena_str(arena, record->text), arena) : LG_NONE;
}
