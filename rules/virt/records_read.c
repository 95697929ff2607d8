#include "rules/virt/records_read.h"

#include "rules/core/map.h"
#include "rules/core/mem.h"
#include "rules/kube/meta.h"
#include "rules/kube/quantity.h"
#include "rules/virt/pack.h"
#include "rules/virt/shape.h"
#include "rules/virt/slice.h"

struct reader {
    struct lg_val object;
    struct lg_arena *arena;
    struct lg_err *err;
    enum lg_err_code code;
};

static void wrong_type(struct reader *reader, struct lg_val v, const char *expected)
{
    if (reader->code != LG_E_OK)
        return;
    struct lg_str path = lg_json_path(reader->object, v, reader->arena);
    reader->code = lg_err_set(reader->err, LG_E_INVALID, path.p, "expected %s, got %s", expected,
                              lg_json_kind_name(v));
}

/* The value at a dotted path below `from`. A step on the way that is no object, and a value that is neither absent nor
 * of this kind, fail the reading. */
static struct lg_val want(struct reader *reader, struct lg_val from, const char *path,
                          enum lg_json_kind kind, const char *kind_name)
{
    struct lg_val v = from;
    while (*path != '\0') {
        if (!lg_json_there(v))
            return LG_NONE;
        if (lg_json_kind(v) != LG_JSON_OBJECT) {
            wrong_type(reader, v, "an object");
            return LG_NONE;
        }
        size_t n = strcspn(path, ".");
        v = lg_json_get_str(v, (struct lg_str){path, n});
        path += n + (path[n] == '.');
    }
    if (!lg_json_there(v))
        return LG_NONE;
    if (lg_json_kind(v) == kind)
        return v;
    wrong_type(reader, v, kind_name);
    return LG_NONE;
}

static struct lg_str want_str(struct reader *reader, struct lg_val from, const char *path)
{
    return lg_json_str(want(reader, from, path, LG_JSON_STRING, "a string"));
}

static struct lg_val want_list(struct reader *reader, struct lg_val from, const char *path)
{
    return want(reader, from, path, LG_JSON_ARRAY, "a list");
}

static struct lg_val want_object(struct reader *reader, struct lg_val from, const char *path)
{
    return want(reader, from, path, LG_JSON_OBJECT, "an object");
}

static bool want_flag(struct reader *reader, struct lg_val from, const char *path)
{
    struct lg_val v = lg_json_at(from, path);
    if (lg_json_there(v) && lg_json_kind(v) != LG_JSON_TRUE && lg_json_kind(v) != LG_JSON_FALSE)
        wrong_type(reader, v, "a boolean");
    return lg_json_bool(v, false);
}

static struct lg_labels want_labels(struct reader *reader)
{
    return lg_labels_read(want_object(reader, reader->object, "metadata.labels"), reader->arena);
}

static void read_common(struct reader *reader, struct lg_record *ret)
{
    struct lg_val object = reader->object;
    ret->name = want_str(reader, object, "metadata.name");
    if (reader->code == LG_E_OK && lg_str_empty(ret->name))
        reader->code =
            lg_err_set(reader->err, LG_E_INVALID, "metadata.name", "expected a name, got nothing");
    ret->ns = LG_STR("");
    if (lg_gvk(ret->kind)->namespaced) {
        ret->ns = want_str(reader, object, "metadata.namespace");
        if (lg_str_empty(ret->ns))
            ret->ns = LG_STR("default");
    }
    if (ret->kind == LG_KIND_MIGRATION)
        ret->uid = want_str(reader, object, "metadata.uid");
    int64_t created_unix_s = 0;
    if (lg_meta_time(want_str(reader, object, "metadata.creationTimestamp"), &created_unix_s) ==
        LG_E_OK)
        ret->created_unix_s = created_unix_s;
    ret->deleting = lg_meta_deleting(object);
}

/* The condition of this type, or LG_NONE. */
static struct lg_val condition(struct reader *reader, const char *type)
{
    struct lg_val list = want_list(reader, reader->object, "status.conditions");
    for (struct lg_json_iter it = lg_json_iter(list); lg_json_next(&it);)
        if (lg_json_is(lg_json_get(it.val, "type"), type))
            return it.val;
    return LG_NONE;
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

static void read_node(struct reader *reader, struct lg_node *ret)
{
    ret->allocatable = read_capacity(want_object(reader, reader->object, "status.allocatable"));
    ret->labels = want_labels(reader);
    ret->taints = lg_taints_read(want_list(reader, reader->object, "spec.taints"), reader->arena);
    ret->unschedulable = want_flag(reader, reader->object, "spec.unschedulable");
    struct lg_val ready = condition(reader, "Ready");
    ret->not_ready = lg_json_there(ready) && !lg_json_is(lg_json_get(ready, "status"), "True");
}

/* The types of what lg_claim_spec_of_* reads without complaint. */
static void want_claim_spec(struct reader *reader, struct lg_val spec)
{
    struct lg_val modes = want_list(reader, spec, "accessModes");
    for (struct lg_json_iter it = lg_json_iter(modes); lg_json_next(&it);)
        want_str(reader, it.val, "");
    want_str(reader, spec, "volumeMode");
    want_str(reader, spec, "storageClassName");
}

static void read_claim(struct reader *reader, struct lg_claim *ret)
{
    want_claim_spec(reader, want_object(reader, reader->object, "spec"));
    want_object(reader, reader->object, "metadata.labels");
    ret->spec = lg_claim_spec_of_claim(reader->object);
    ret->volume_name = want_str(reader, reader->object, "spec.volumeName");
}

static void read_volume(struct reader *reader, struct lg_volume *ret)
{
    struct lg_val required = want_object(reader, reader->object, "spec.nodeAffinity.required");
    if (lg_json_there(required))
        ret->node_affinity = lg_json_text(required);
}

static void read_storage_class(struct reader *reader, struct lg_storage_class *ret)
{
    ret->provisioner = want_str(reader, reader->object, "provisioner");
    struct lg_val annotations = want_object(reader, reader->object, "metadata.annotations");
    ret->is_default =
        lg_json_is(lg_json_get(annotations, "storageclass.kubernetes.io/is-default-class"), "true");
    ret->is_virt_default = lg_json_is(
        lg_json_get(annotations, "storageclass.kubevirt.io/is-default-virt-class"), "true");
}

static void read_storage_profile(struct reader *reader, struct lg_storage_profile *ret)
{
    /* A profile written by hand has no status yet: CDI will copy what its spec says. */
    const char *path = lg_json_there(lg_json_get(reader->object, "status"))
                           ? "status.claimPropertySets"
                           : "spec.claimPropertySets";
    struct lg_val list = want_list(reader, reader->object, path);
    ret->sets = lg_arena_array(reader->arena, lg_json_len(list), sizeof *ret->sets);
    for (struct lg_json_iter it = lg_json_iter(list); lg_json_next(&it);) {
        struct lg_property_set *set = &ret->sets[ret->n_sets++];
        set->modes = lg_modes_read(want_list(reader, it.val, "accessModes"));
        struct lg_str mode = want_str(reader, it.val, "volumeMode");
        set->volume_mode = lg_str_is(mode, "Block")        ? LG_VOLUME_MODE_BLOCK
                           : lg_str_is(mode, "Filesystem") ? LG_VOLUME_MODE_FILESYSTEM
                                                           : LG_VOLUME_MODE_UNSET;
    }
}

static void read_data_volume(struct reader *reader, struct lg_data_volume *ret)
{
    struct lg_val spec = want_object(reader, reader->object, "spec");
    want_claim_spec(reader, want_object(reader, spec, "pvc"));
    want_claim_spec(reader, want_object(reader, spec, "storage"));
    want_str(reader, spec, "contentType");
    ret->spec = lg_claim_spec_of_data_volume(spec);
}

static struct lg_str claim_of(struct reader *reader, struct lg_val volume, enum lg_use_how how)
{
    static const char *const paths[] = {
        [LG_USE_CLAIM] = "persistentVolumeClaim.claimName",
        [LG_USE_DATA_VOLUME] = "dataVolume.name",
        [LG_USE_EPHEMERAL] = "ephemeral.persistentVolumeClaim.claimName",
        [LG_USE_MEMORY_DUMP] = "memoryDump.claimName",
    };
    return want_str(reader, volume, paths[how]);
}

/* The names of the filesystems that are shared with the guest: a volume's is one where it has a filesystem, not a disk. */
static void read_filesystems(struct reader *reader, struct lg_val spec, struct lg_map *ret)
{
    struct lg_val devices = want_object(reader, spec, "domain.devices");
    struct lg_val list = want_list(reader, devices, "filesystems");
    for (struct lg_json_iter it = lg_json_iter(list); lg_json_next(&it);) {
        struct lg_str name = want_str(reader, it.val, "name");
        if (!lg_str_empty(name))
            (void)lg_map_set(ret, name, reader);
    }
}

static struct lg_use *read_uses(struct reader *reader, const char *path, uint32_t *ret_n)
{
    struct lg_map shared lg_cleanup(lg_map_done) = {0};
    struct lg_val spec = want_object(reader, reader->object, path);
    struct lg_val volumes = want_list(reader, spec, "volumes");
    struct lg_use *uses = lg_arena_array(reader->arena, lg_json_len(volumes), sizeof *uses);
    uint32_t n = 0;
    read_filesystems(reader, spec, &shared);
    for (struct lg_json_iter it = lg_json_iter(volumes); lg_json_next(&it);)
        for (enum lg_use_how how = LG_USE_CLAIM; how <= LG_USE_MEMORY_DUMP; how++) {
            struct lg_str claim = claim_of(reader, it.val, how);
            if (lg_str_empty(claim))
                continue;
            struct lg_str name = want_str(reader, it.val, "name");
            uses[n++] = (struct lg_use){name, claim, how,
                                        !lg_str_empty(name) && lg_map_get(&shared, name) != NULL};
            break; /* a volume has one source */
        }
    *ret_n = n;
    return uses;
}

static void read_vm(struct reader *reader, struct lg_vm_record *ret)
{
    ret->uses = read_uses(reader, "spec.template.spec", &ret->n_uses);
    ret->wait_as_receiver =
        lg_str_is(want_str(reader, reader->object, "spec.runStrategy"), "WaitAsReceiver");
}

/* Appends `"key":<text of v>` when v is there. */
static void add_member(struct lg_buf *buf, const char *key, struct lg_val v)
{
    if (!lg_json_there(v))
        return;
    lg_buf_puts(buf, buf->n != 0 && buf->p[buf->n - 1] != '{' ? ",\"" : "\"");
    lg_buf_puts(buf, key);
    lg_buf_puts(buf, "\":");
    lg_slice_compact(buf, lg_json_text(v));
}

/* Appends the annotations that rules may read: KubeVirt's own. */
static void add_annotations(struct lg_buf *buf, struct lg_val annotations)
{
    bool any = false;
    for (struct lg_json_iter it = lg_json_iter(annotations); lg_json_next(&it);) {
        if (!lg_str_starts(it.key, "kubevirt.io/"))
            continue;
        lg_buf_puts(buf, any ? "," : ",\"annotations\":{");
        any = true;
        /* The key's own token stands before its value. */
        lg_buf_str(buf, lg_json_text((struct lg_val){it.val.doc, it.val.i - 1}));
        lg_buf_putc(buf, ':');
        lg_buf_str(buf, lg_json_text(it.val));
    }
    if (any)
        lg_buf_putc(buf, '}');
}

/* A hostDisk may stand in the place of a claim; only status.volumeStatus says so. */
static bool has_host_disk(struct lg_val spec)
{
    struct lg_val volumes = lg_json_get(spec, "volumes");
    for (struct lg_json_iter it = lg_json_iter(volumes); lg_json_next(&it);)
        if (lg_json_there(lg_json_get(it.val, "hostDisk")))
            return true;
    return false;
}

static struct lg_str take_text(struct reader *reader, struct lg_buf *buf)
{
    struct lg_str text = lg_arena_str(reader->arena, lg_buf_view(buf));
    lg_buf_done(buf);
    return text;
}

static const struct lg_shape *vmi_spec_table(void)
{
    return lg_shape_find(lg_shape_of(LG_KIND_VMI), LG_STR("spec"))->of;
}

static struct lg_str vmi_text(struct reader *reader)
{
    struct lg_val metadata = lg_json_get(reader->object, "metadata");
    struct lg_val spec = want_object(reader, reader->object, "spec");
    struct lg_buf buf = {0};
    lg_buf_puts(&buf, "{\"metadata\":{");
    add_member(&buf, "name", lg_json_get(metadata, "name"));
    add_member(&buf, "namespace", lg_json_get(metadata, "namespace"));
    add_member(&buf, "labels", want_object(reader, metadata, "labels"));
    add_annotations(&buf, want_object(reader, metadata, "annotations"));
    lg_buf_putc(&buf, '}');
    if (lg_json_there(spec)) {
        lg_buf_puts(&buf, ",\"spec\":");
        lg_slice_members(&buf, vmi_spec_table(), spec);
    }
    struct lg_val migrated = want_list(reader, reader->object, "status.migratedVolumes");
    struct lg_val volumes = want_list(reader, reader->object, "status.volumeStatus");
    if (!has_host_disk(spec))
        volumes = LG_NONE;
    struct lg_val hints = want_object(reader, reader->object, "status.topologyHints");
    if (lg_json_there(migrated) || lg_json_there(volumes) || lg_json_there(hints)) {
        lg_buf_puts(&buf, ",\"status\":{");
        add_member(&buf, "topologyHints", hints);
        add_member(&buf, "migratedVolumes", migrated);
        add_member(&buf, "volumeStatus", volumes);
        lg_buf_putc(&buf, '}');
    }
    lg_buf_putc(&buf, '}');
    struct lg_buf packed = {0};
    lg_pack(&packed, lg_buf_view(&buf));
    lg_buf_done(&buf);
    return take_text(reader, &packed);
}

/* The terms without what rules do not read, so that guests of one template have the same. */
static void read_apart(struct reader *reader, struct lg_vmi_record *ret)
{
    struct lg_val terms = want_list(reader, reader->object,
                                    "spec.affinity.podAntiAffinity."
                                    "requiredDuringSchedulingIgnoredDuringExecution");
    if (lg_json_len(terms) == 0)
        return;
    for (struct lg_json_iter it = lg_json_iter(terms); lg_json_next(&it);)
        ret->apart_elsewhere = ret->apart_elsewhere ||
                               lg_json_len(lg_json_get(it.val, "namespaces")) > 0 ||
                               lg_json_there(lg_json_get(it.val, "namespaceSelector"));
    struct lg_buf buf = {0};
    lg_slice_compact(&buf, lg_json_text(terms));
    ret->apart = take_text(reader, &buf);
}

static void read_vmi(struct reader *reader, struct lg_vmi_record *ret)
{
    read_apart(reader, ret);
    ret->uses = read_uses(reader, "spec", &ret->n_uses);
    ret->labels = want_labels(reader);
    ret->node = want_str(reader, reader->object, "status.nodeName");
    ret->phase = want_str(reader, reader->object, "status.phase");
    struct lg_val migratable = condition(reader, "LiveMigratable");
    if (lg_json_there(migratable)) {
        struct lg_str status = want_str(reader, migratable, "status");
        ret->live_migratable = lg_str_is(status, "True")    ? LG_CONDITION_TRUE
                               : lg_str_is(status, "False") ? LG_CONDITION_FALSE
                                                            : LG_CONDITION_UNKNOWN;
        ret->reason = want_str(reader, migratable, "reason");
        ret->message = want_str(reader, migratable, "message");
    }
    struct lg_val state = want_object(reader, reader->object, "status.migrationState");
    ret->moved_before =
        want_flag(reader, state, "completed") && !want_flag(reader, state, "failed");
    ret->from = want_str(reader, state, "sourceNode");
    ret->to = want_str(reader, state, "targetNode");
    ret->packed = vmi_text(reader);
}

/* KubeVirt leaves a migration waiting while one of these is True: api/core/v1/types.go. */
static bool is_blocked(struct reader *reader)
{
    static const char *const types[] = {"migrationRejectedByResourceQuota",
                                        "migrationBlockedByUtilityVolumes",
                                        "migrationBlockedByBackup"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (lg_json_is(lg_json_get(condition(reader, types[i]), "status"), "True"))
            return true;
    return false;
}

/* By the API's clock alone; 0 where it does not say both, or nonsense. */
static int64_t duration_of(struct reader *reader, struct lg_val state)
{
    int64_t start_unix_s = 0, end_unix_s = 0;
    if (lg_meta_time(want_str(reader, state, "startTimestamp"), &start_unix_s) != LG_E_OK ||
        lg_meta_time(want_str(reader, state, "endTimestamp"), &end_unix_s) != LG_E_OK)
        return 0;
    return end_unix_s > start_unix_s ? end_unix_s - start_unix_s : 0;
}

static void read_migration(struct reader *reader, struct lg_migration_record *ret)
{
    struct lg_val object = reader->object;
    ret->vmi = want_str(reader, object, "spec.vmiName");
    ret->phase = want_str(reader, object, "status.phase");
    struct lg_val state = want_object(reader, object, "status.migrationState");
    ret->source_node = want_str(reader, state, "sourceNode");
    ret->sends = lg_json_there(want_object(reader, object, "spec.sendTo"));
    ret->decentralized = ret->sends || lg_json_there(want_object(reader, object, "spec.receive"));
    ret->blocked = is_blocked(reader);
    ret->took_s = duration_of(reader, state);
}

static void read_namespace(struct reader *reader, struct lg_namespace *ret)
{
    ret->labels = want_labels(reader);
}

static void read_migration_policy(struct reader *reader, struct lg_migration_policy_record *ret)
{
    struct lg_val spec = want_object(reader, reader->object, "spec");
    struct lg_val selectors = want_object(reader, spec, "selectors");
    ret->has_selectors = lg_json_there(selectors);
    ret->namespaces =
        lg_labels_read(want_object(reader, selectors, "namespaceSelector"), reader->arena);
    ret->guests = lg_labels_read(want_object(reader, selectors, "virtualMachineInstanceSelector"),
                                 reader->arena);
    ret->spec = lg_json_there(spec) ? lg_json_text(spec) : LG_STR("{}");
}

static void read_config(struct reader *reader, struct lg_config_record *ret)
{
    static const char *const kept[] = {"observedKubeVirtVersion",
                                       "targetKubeVirtVersion",
                                       "infrastructureHighlyAvailable",
                                       "defaultArchitecture",
                                       "phase",
                                       "versions"};
    struct lg_val metadata = lg_json_get(reader->object, "metadata");
    struct lg_val status = want_object(reader, reader->object, "status");
    struct lg_buf buf = {0};
    lg_buf_puts(&buf, "{\"metadata\":{");
    add_member(&buf, "name", lg_json_get(metadata, "name"));
    add_member(&buf, "namespace", lg_json_get(metadata, "namespace"));
    add_member(&buf, "creationTimestamp", lg_json_get(metadata, "creationTimestamp"));
    lg_buf_putc(&buf, '}');
    add_member(&buf, "spec", want_object(reader, reader->object, "spec"));
    lg_buf_puts(&buf, ",\"status\":{");
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        add_member(&buf, kept[i], lg_json_get(status, kept[i]));
    lg_buf_puts(&buf, "}}");
    ret->text = take_text(reader, &buf);
}

static void read_plan(struct reader *reader, struct lg_config_record *ret)
{
    struct lg_buf buf = {0};
    lg_buf_puts(&buf, "{\"metadata\":{");
    add_member(&buf, "name", lg_json_at(reader->object, "metadata.name"));
    lg_buf_putc(&buf, '}');
    add_member(&buf, "spec", want_object(reader, reader->object, "spec"));
    lg_buf_putc(&buf, '}');
    ret->text = take_text(reader, &buf);
}

/* Anybody's data may stand in a controller revision: what is none of KubeVirt's is found out when a VM names it. */
static void read_revision(struct reader *reader, struct lg_config_record *ret)
{
    struct lg_val data = lg_json_get(reader->object, "data");
    struct lg_val labels = lg_json_at(reader->object, "metadata.labels");
    struct lg_buf buf = {0};
    lg_buf_puts(&buf, "{\"metadata\":{");
    add_member(&buf, "name", lg_json_at(reader->object, "metadata.name"));
    add_member(&buf, "objectName", lg_json_get(labels, "instancetype.kubevirt.io/object-name"));
    lg_buf_puts(&buf, "},\"data\":{");
    if (lg_str_starts(lg_json_str_at(data, "apiVersion"), "instancetype.kubevirt.io/")) {
        add_member(&buf, "kind", lg_json_get(data, "kind"));
        add_member(&buf, "spec", lg_json_get(data, "spec"));
    }
    lg_buf_puts(&buf, "}}");
    ret->text = take_text(reader, &buf);
}

static void read_kind(struct reader *reader, union lg_any_record *ret)
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
        return read_vm(reader, &ret->vm);
    case LG_KIND_VMI:
        return read_vmi(reader, &ret->vmi);
    case LG_KIND_MIGRATION:
        return read_migration(reader, &ret->migration);
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
    case LG_KIND_POOL:
    case LG_KIND_REPLICA_SET:
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
    struct reader reader = {.object = object, .arena = arena, .err = err};
    read_common(&reader, &io_record->r);
    read_kind(&reader, io_record);
    return reader.code;
}
