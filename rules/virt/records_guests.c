#include "rules/core/map.h"
#include "rules/core/mem.h"
#include "rules/kube/meta.h"
#include "rules/virt/pack.h"
#include "rules/virt/records_want.h"
#include "rules/virt/shape.h"
#include "rules/virt/slice.h"

static struct lg_str claim_of(struct lg_reader *reader, struct lg_val volume, enum lg_use_how how)
{
    static const char *const paths[] = {
        [LG_USE_CLAIM] = "persistentVolumeClaim.claimName",
        [LG_USE_DATA_VOLUME] = "dataVolume.name",
        [LG_USE_EPHEMERAL] = "ephemeral.persistentVolumeClaim.claimName",
        [LG_USE_MEMORY_DUMP] = "memoryDump.claimName",
    };
    return lg_want_str(reader, volume, paths[how]);
}

/* The names of the volumes that a guest has as LUNs with a persistent reservation. */
static void read_reservations(struct lg_reader *reader, struct lg_val devices, struct lg_map *ret)
{
    struct lg_val list = lg_want_list(reader, devices, "disks");
    for (struct lg_json_iter it = lg_json_iter(list); lg_json_next(&it);) {
        struct lg_str name = lg_json_str_at(it.val, "name");
        if (!lg_str_empty(name) && lg_want_flag(reader, it.val, "lun.reservation"))
            (void)lg_map_set(ret, name, reader);
    }
}

/* The names of the filesystems that are shared with the guest: a volume's is one where it has a
 * filesystem, not a disk. */
static void read_filesystems(struct lg_reader *reader, struct lg_val devices, struct lg_map *ret)
{
    struct lg_val list = lg_want_list(reader, devices, "filesystems");
    for (struct lg_json_iter it = lg_json_iter(list); lg_json_next(&it);) {
        struct lg_str name = lg_want_str(reader, it.val, "name");
        if (!lg_str_empty(name))
            (void)lg_map_set(ret, name, reader);
    }
}

static struct lg_use *read_uses(struct lg_reader *reader, const char *path, uint32_t *ret_n)
{
    struct lg_map shared lg_cleanup(lg_map_done) = {0};
    struct lg_map reserved lg_cleanup(lg_map_done) = {0};
    struct lg_val spec = lg_want_object(reader, reader->object, path);
    struct lg_val volumes = lg_want_list(reader, spec, "volumes");
    struct lg_use *uses = lg_arena_array(reader->arena, lg_json_len(volumes), sizeof *uses);
    uint32_t n = 0;
    struct lg_val devices = lg_want_object(reader, spec, "domain.devices");
    read_filesystems(reader, devices, &shared);
    read_reservations(reader, devices, &reserved);
    for (struct lg_json_iter it = lg_json_iter(volumes); lg_json_next(&it);)
        for (enum lg_use_how how = LG_USE_CLAIM; how <= LG_USE_MEMORY_DUMP; how++) {
            struct lg_str claim = claim_of(reader, it.val, how);
            if (lg_str_empty(claim))
                continue;
            struct lg_str name = lg_want_str(reader, it.val, "name");
            bool named = !lg_str_empty(name);
            uses[n++] = (struct lg_use){.volume = name,
                                        .claim = claim,
                                        .how = how,
                                        .as_files = named && lg_map_get(&shared, name) != NULL,
                                        .reserves = named && lg_map_get(&reserved, name) != NULL};
            break; /* a volume has one source */
        }
    *ret_n = n;
    return uses;
}

void lg_read_vm(struct lg_reader *reader, struct lg_vm_record *ret)
{
    ret->uses = read_uses(reader, "spec.template.spec", &ret->n_uses);
    ret->wait_as_receiver =
        lg_str_is(lg_want_str(reader, reader->object, "spec.runStrategy"), "WaitAsReceiver");
}

/* The names of the pool's data volume templates. */
static void read_template_names(struct lg_reader *reader, struct lg_map *ret)
{
    struct lg_val list = lg_want_list(reader, reader->object,
                                      "spec.virtualMachineTemplate.spec.dataVolumeTemplates");
    for (struct lg_json_iter it = lg_json_iter(list); lg_json_next(&it);)
        (void)lg_map_set(ret, lg_want_str(reader, it.val, "metadata.name"), reader);
}

/* A pool writes each machine's number behind the names of its data volume templates, and makes
 * those claims: what stands in the template is none of them. */
void lg_read_pool(struct lg_reader *reader, struct lg_vm_record *ret)
{
    struct lg_map made lg_cleanup(lg_map_done) = {0};
    uint32_t n = 0;
    ret->uses = read_uses(reader, "spec.virtualMachineTemplate.spec.template.spec", &n);
    read_template_names(reader, &made);
    for (uint32_t i = 0; i < n; i++)
        if (lg_map_get(&made, ret->uses[i].claim) == NULL)
            ret->uses[ret->n_uses++] = ret->uses[i];
}

void lg_read_replica_set(struct lg_reader *reader, struct lg_vm_record *ret)
{
    ret->uses = read_uses(reader, "spec.template.spec", &ret->n_uses);
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

static const struct lg_shape *vmi_spec_table(void)
{
    return lg_shape_find(lg_shape_of(LG_KIND_VMI), LG_STR("spec"))->of;
}

static struct lg_str vmi_text(struct lg_reader *reader)
{
    struct lg_val metadata = lg_json_get(reader->object, "metadata");
    struct lg_val spec = lg_want_object(reader, reader->object, "spec");
    struct lg_buf buf = {0};
    lg_keep_name(reader, &buf);
    lg_keep_member(&buf, "namespace", lg_json_get(metadata, "namespace"));
    lg_keep_member(&buf, "labels", lg_want_object(reader, metadata, "labels"));
    add_annotations(&buf, lg_want_object(reader, metadata, "annotations"));
    lg_buf_putc(&buf, '}');
    if (lg_json_there(spec)) {
        lg_buf_puts(&buf, ",\"spec\":");
        lg_slice_members(&buf, vmi_spec_table(), spec);
    }
    struct lg_val migrated = lg_want_list(reader, reader->object, "status.migratedVolumes");
    struct lg_val volumes = lg_want_list(reader, reader->object, "status.volumeStatus");
    if (!has_host_disk(spec))
        volumes = LG_NONE;
    struct lg_val hints = lg_want_object(reader, reader->object, "status.topologyHints");
    if (lg_json_there(migrated) || lg_json_there(volumes) || lg_json_there(hints)) {
        lg_buf_puts(&buf, ",\"status\":{");
        lg_keep_member(&buf, "topologyHints", hints);
        lg_keep_member(&buf, "migratedVolumes", migrated);
        lg_keep_member(&buf, "volumeStatus", volumes);
        lg_buf_putc(&buf, '}');
    }
    lg_buf_putc(&buf, '}');
    struct lg_buf packed = {0};
    lg_pack(&packed, lg_buf_view(&buf));
    lg_buf_done(&buf);
    return lg_keep_text(reader, &packed);
}

/* The terms without what rules do not read, so that guests of one template have the same. */
static void read_apart(struct lg_reader *reader, struct lg_vmi_record *ret)
{
    struct lg_val terms = lg_want_list(reader, reader->object,
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
    ret->apart = lg_keep_text(reader, &buf);
}

void lg_read_vmi(struct lg_reader *reader, struct lg_vmi_record *ret)
{
    read_apart(reader, ret);
    ret->uses = read_uses(reader, "spec", &ret->n_uses);
    ret->labels = lg_want_labels(reader);
    ret->node = lg_want_str(reader, reader->object, "status.nodeName");
    ret->phase = lg_want_str(reader, reader->object, "status.phase");
    struct lg_val migratable = lg_want_condition(reader, "LiveMigratable");
    if (lg_json_there(migratable)) {
        struct lg_str status = lg_want_str(reader, migratable, "status");
        ret->live_migratable = lg_str_is(status, "True")    ? LG_CONDITION_TRUE
                               : lg_str_is(status, "False") ? LG_CONDITION_FALSE
                                                            : LG_CONDITION_UNKNOWN;
        ret->reason = lg_want_str(reader, migratable, "reason");
        ret->message = lg_want_str(reader, migratable, "message");
    }
    struct lg_val state = lg_want_object(reader, reader->object, "status.migrationState");
    ret->moved_before =
        lg_want_flag(reader, state, "completed") && !lg_want_flag(reader, state, "failed");
    ret->from = lg_want_str(reader, state, "sourceNode");
    ret->to = lg_want_str(reader, state, "targetNode");
    ret->packed = vmi_text(reader);
}

/* KubeVirt leaves a migration waiting while one of these is True: api/core/v1/types.go. */
static bool is_blocked(struct lg_reader *reader)
{
    static const char *const types[] = {"migrationRejectedByResourceQuota",
                                        "migrationBlockedByUtilityVolumes",
                                        "migrationBlockedByBackup"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (lg_json_is(lg_json_get(lg_want_condition(reader, types[i]), "status"), "True"))
            return true;
    return false;
}

/* By the API's clock alone; 0 where it does not say both, or nonsense. */
static int64_t duration_of(struct lg_reader *reader, struct lg_val state)
{
    int64_t start_unix_s = 0, end_unix_s = 0;
    if (lg_meta_time(lg_want_str(reader, state, "startTimestamp"), &start_unix_s) != LG_E_OK ||
        lg_meta_time(lg_want_str(reader, state, "endTimestamp"), &end_unix_s) != LG_E_OK)
        return 0;
    return end_unix_s > start_unix_s ? end_unix_s - start_unix_s : 0;
}

void lg_read_migration(struct lg_reader *reader, struct lg_migration_record *ret)
{
    struct lg_val object = reader->object;
    ret->vmi = lg_want_str(reader, object, "spec.vmiName");
    ret->phase = lg_want_str(reader, object, "status.phase");
    struct lg_val state = lg_want_object(reader, object, "status.migrationState");
    ret->source_node = lg_want_str(reader, state, "sourceNode");
    ret->sends = lg_json_there(lg_want_object(reader, object, "spec.sendTo"));
    ret->decentralized =
        ret->sends || lg_json_there(lg_want_object(reader, object, "spec.receive"));
    ret->blocked = is_blocked(reader);
    ret->took_s = duration_of(reader, state);
}
