#include "rules/virt/records_read.h"

#include "rules/kube/meta.h"
#include "rules/kube/quantity.h"
#include "rules/virt/records_want.h"

static void read_common(struct lg_reader *reader, struct lg_record *ret)
{
    struct lg_val object = reader->object;
    ret->name = lg_want_str(reader, object, "metadata.name");
    if (reader->code == LG_E_OK && lg_str_empty(ret->name))
        reader->code =
            lg_err_set(reader->err, LG_E_INVALID, "metadata.name", "expected a name, got nothing");
    ret->ns = LG_STR("");
    if (lg_gvk(ret->kind)->namespaced) {
        ret->ns = lg_want_str(reader, object, "metadata.namespace");
        if (lg_str_empty(ret->ns))
            ret->ns = LG_STR("default");
    }
    if (ret->kind == LG_KIND_MIGRATION)
        ret->uid = lg_want_str(reader, object, "metadata.uid");
    int64_t created_unix_s = 0;
    if (lg_meta_time(lg_want_str(reader, object, "metadata.creationTimestamp"), &created_unix_s) ==
        LG_E_OK)
        ret->created_unix_s = created_unix_s;
    ret->deleting = lg_meta_deleting(object);
}

/* What is no quantity is as good as not said: nobody but the kubelet writes it. */
static struct lg_capacity read_capacity(struct lg_val list)
{
    struct lg_quantity cpu, memory, huge_2m, huge_1g;
    bool has_cpu = lg_quantity_read(lg_json_get(list, "cpu"), &cpu) == LG_E_OK;
    bool has_memory = lg_quantity_read(lg_json_get(list, "memory"), &memory) == LG_E_OK;
    bool has_2m = lg_quantity_read(lg_json_get(list, "hugepages-2Mi"), &huge_2m) == LG_E_OK;
    bool has_1g = lg_quantity_read(lg_json_get(list, "hugepages-1Gi"), &huge_1g) == LG_E_OK;
    /* a node that says what it has, and nothing of such pages, has none */
    int64_t none = has_memory ? 0 : -1;
    return (struct lg_capacity){
        .cpu_milli = has_cpu ? cpu.milli : -1,
        .memory_bytes = has_memory ? memory.value : -1,
        .huge_2m_bytes = has_2m ? huge_2m.value : none,
        .huge_1g_bytes = has_1g ? huge_1g.value : none,
    };
}

static void read_node(struct lg_reader *reader, struct lg_node *ret)
{
    ret->allocatable = read_capacity(lg_want_object(reader, reader->object, "status.allocatable"));
    ret->labels = lg_want_labels(reader);
    ret->taints =
        lg_taints_read(lg_want_list(reader, reader->object, "spec.taints"), reader->arena);
    ret->unschedulable = lg_want_flag(reader, reader->object, "spec.unschedulable");
    struct lg_val ready = lg_want_condition(reader, "Ready");
    ret->not_ready = lg_json_there(ready) && !lg_json_is(lg_json_get(ready, "status"), "True");
}

/* The types of what lg_claim_spec_of_* reads without complaint. */
static void want_claim_spec(struct lg_reader *reader, struct lg_val spec)
{
    struct lg_val modes = lg_want_list(reader, spec, "accessModes");
    for (struct lg_json_iter it = lg_json_iter(modes); lg_json_next(&it);)
        lg_want_str(reader, it.val, "");
    lg_want_str(reader, spec, "volumeMode");
    lg_want_str(reader, spec, "storageClassName");
}

static void read_claim(struct lg_reader *reader, struct lg_claim *ret)
{
    want_claim_spec(reader, lg_want_object(reader, reader->object, "spec"));
    lg_want_object(reader, reader->object, "metadata.labels");
    ret->spec = lg_claim_spec_of_claim(reader->object);
    ret->volume_name = lg_want_str(reader, reader->object, "spec.volumeName");
}

static void read_volume(struct lg_reader *reader, struct lg_volume *ret)
{
    struct lg_val required = lg_want_object(reader, reader->object, "spec.nodeAffinity.required");
    if (lg_json_there(required))
        ret->node_affinity = lg_json_text(required);
}

static void read_storage_class(struct lg_reader *reader, struct lg_storage_class *ret)
{
    ret->provisioner = lg_want_str(reader, reader->object, "provisioner");
    struct lg_val annotations = lg_want_object(reader, reader->object, "metadata.annotations");
    ret->is_default =
        lg_json_is(lg_json_get(annotations, "storageclass.kubernetes.io/is-default-class"), "true");
    ret->is_virt_default = lg_json_is(
        lg_json_get(annotations, "storageclass.kubevirt.io/is-default-virt-class"), "true");
}

static void read_storage_profile(struct lg_reader *reader, struct lg_storage_profile *ret)
{
    /* A profile written by hand has no status yet: CDI will copy what its spec says. */
    const char *path = lg_json_there(lg_json_get(reader->object, "status"))
                           ? "status.claimPropertySets"
                           : "spec.claimPropertySets";
    struct lg_val list = lg_want_list(reader, reader->object, path);
    ret->sets = lg_arena_array(reader->arena, lg_json_len(list), sizeof *ret->sets);
    for (struct lg_json_iter it = lg_json_iter(list); lg_json_next(&it);) {
        struct lg_property_set *set = &ret->sets[ret->n_sets++];
        set->modes = lg_modes_read(lg_want_list(reader, it.val, "accessModes"));
        struct lg_str mode = lg_want_str(reader, it.val, "volumeMode");
        set->volume_mode = lg_str_is(mode, "Block")        ? LG_VOLUME_MODE_BLOCK
                           : lg_str_is(mode, "Filesystem") ? LG_VOLUME_MODE_FILESYSTEM
                                                           : LG_VOLUME_MODE_UNSET;
    }
}

static void read_data_volume(struct lg_reader *reader, struct lg_data_volume *ret)
{
    struct lg_val spec = lg_want_object(reader, reader->object, "spec");
    want_claim_spec(reader, lg_want_object(reader, spec, "pvc"));
    want_claim_spec(reader, lg_want_object(reader, spec, "storage"));
    lg_want_str(reader, spec, "contentType");
    ret->spec = lg_claim_spec_of_data_volume(spec);
}

static void read_namespace(struct lg_reader *reader, struct lg_namespace *ret)
{
    ret->labels = lg_want_labels(reader);
}

static void read_migration_policy(struct lg_reader *reader, struct lg_migration_policy_record *ret)
{
    struct lg_val spec = lg_want_object(reader, reader->object, "spec");
    struct lg_val selectors = lg_want_object(reader, spec, "selectors");
    ret->has_selectors = lg_json_there(selectors);
    ret->namespaces =
        lg_labels_read(lg_want_object(reader, selectors, "namespaceSelector"), reader->arena);
    ret->guests = lg_labels_read(
        lg_want_object(reader, selectors, "virtualMachineInstanceSelector"), reader->arena);
    ret->spec = lg_json_there(spec) ? lg_json_text(spec) : LG_STR("{}");
}

static void read_config(struct lg_reader *reader, struct lg_config_record *ret)
{
    static const char *const kept[] = {"observedKubeVirtVersion",
                                       "targetKubeVirtVersion",
                                       "infrastructureHighlyAvailable",
                                       "defaultArchitecture",
                                       "phase",
                                       "versions"};
    struct lg_val metadata = lg_json_get(reader->object, "metadata");
    struct lg_val status = lg_want_object(reader, reader->object, "status");
    struct lg_buf buf = {0};
    lg_keep_name(reader, &buf);
    lg_keep_member(&buf, "namespace", lg_json_get(metadata, "namespace"));
    lg_keep_member(&buf, "creationTimestamp", lg_json_get(metadata, "creationTimestamp"));
    lg_buf_putc(&buf, '}');
    lg_keep_member(&buf, "spec", lg_want_object(reader, reader->object, "spec"));
    lg_buf_puts(&buf, ",\"status\":{");
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        lg_keep_member(&buf, kept[i], lg_json_get(status, kept[i]));
    lg_buf_puts(&buf, "}}");
    ret->text = lg_keep_text(reader, &buf);
}

static void read_plan(struct lg_reader *reader, struct lg_config_record *ret)
{
    struct lg_buf buf = {0};
    lg_keep_name(reader, &buf);
    lg_buf_putc(&buf, '}');
    lg_keep_member(&buf, "spec", lg_want_object(reader, reader->object, "spec"));
    lg_buf_putc(&buf, '}');
    ret->text = lg_keep_text(reader, &buf);
}

/* Anybody's data may stand in a controller revision: what is none of KubeVirt's is found out when a
 * VM names it. */
static void read_revision(struct lg_reader *reader, struct lg_config_record *ret)
{
    struct lg_val data = lg_json_get(reader->object, "data");
    struct lg_val labels = lg_json_at(reader->object, "metadata.labels");
    struct lg_buf buf = {0};
    lg_keep_name(reader, &buf);
    lg_keep_member(&buf, "objectName", lg_json_get(labels, "instancetype.kubevirt.io/object-name"));
    lg_buf_puts(&buf, "},\"data\":{");
    if (lg_str_starts(lg_json_str_at(data, "apiVersion"), "instancetype.kubevirt.io/")) {
        lg_keep_member(&buf, "kind", lg_json_get(data, "kind"));
        lg_keep_member(&buf, "spec", lg_json_get(data, "spec"));
    }
    lg_buf_puts(&buf, "}}");
    ret->text = lg_keep_text(reader, &buf);
}

static void read_kind(struct lg_reader *reader, union lg_any_record *ret)
{
    switch (ret->r.kind) {
    case LG_KIND_NODE:
        return read_node(reader, &ret->node);
    case LG_KIND_CLAIM:
        return read_claim(reader, &ret->claim);
    case LG_KIND_VOLUME:
        return read_volume(reader, &ret->volume);
    case LG_KIND_STORAGE_CLASS:
        return read_storage_class(reader, &ret->storage_class);
    case LG_KIND_STORAGE_PROFILE:
        return read_storage_profile(reader, &ret->storage_profile);
    case LG_KIND_DATA_VOLUME:
        return read_data_volume(reader, &ret->data_volume);
    case LG_KIND_VM:
        return lg_read_vm(reader, &ret->vm);
    case LG_KIND_POOL:
        return lg_read_pool(reader, &ret->vm);
    case LG_KIND_REPLICA_SET:
        return lg_read_replica_set(reader, &ret->vm);
    case LG_KIND_VMI:
        return lg_read_vmi(reader, &ret->vmi);
    case LG_KIND_MIGRATION:
        return lg_read_migration(reader, &ret->migration);
    case LG_KIND_NAMESPACE:
        return read_namespace(reader, &ret->ns);
    case LG_KIND_MIGRATION_POLICY:
        return read_migration_policy(reader, &ret->migration_policy);
    case LG_KIND_KUBEVIRT:
    case LG_KIND_HYPERCONVERGED:
        return read_config(reader, &ret->config);
    case LG_KIND_INSTANCETYPE:
    case LG_KIND_CLUSTER_INSTANCETYPE:
    case LG_KIND_PREFERENCE:
    case LG_KIND_CLUSTER_PREFERENCE:
        return read_plan(reader, &ret->config);
    case LG_KIND_REVISION:
        return read_revision(reader, &ret->config);
    case LG_KIND_CLUSTER_AUTOSCALER:
    case LG_KIND_MACHINE_AUTOSCALER:
    case LG_KIND_NODE_POOL:
    case LG_KIND_OTHER:
        break;
    }
}

enum lg_err_code lg_record_read(struct lg_val object, struct lg_arena *arena,
                                union lg_any_record *io_record, struct lg_err *err)
{
    struct lg_reader reader = {.object = object, .arena = arena, .err = err};
    read_common(&reader, &io_record->r);
    read_kind(&reader, io_record);
    return reader.code;
}
