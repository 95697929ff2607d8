/* LG103: a hostDisk is a file on one node, unless its author says that the path is shared.
 *
 * In a running guest KubeVirt may have put a hostDisk in the place of a claim; there the claim's
 * modes decide (status.volumeStatus).
 */
#include "rules/builtin/examples.h"
#include "rules/rule.h"

/* The entry of status.volumeStatus that says which claim the volume was. */
static struct lg_val claim_info(const struct lg_vm *vm, struct lg_str volume)
{
    for (struct lg_json_iter it = lg_json_iter(vm->volume_status); lg_json_next(&it);)
        if (lg_json_is_str(lg_json_get(it.val, "name"), volume))
            return lg_json_get(it.val, "persistentVolumeClaimInfo");
    return LG_NONE;
}

static bool is_shared(const struct lg_vm *vm, struct lg_val disk, struct lg_str volume)
{
    struct lg_val info = claim_info(vm, volume);
    if (!lg_json_there(info))
        return lg_json_bool(lg_json_get(disk, "shared"), false);
    struct lg_modes modes = lg_modes_read(lg_json_get(info, "accessModes"));
    return lg_modes_shared(&modes);
}

static void check(struct lg_rule_context *context)
{
    const struct lg_vm *vm = &context->subject->vm;
    struct lg_val volumes = lg_json_get(vm->spec, "volumes");
    for (struct lg_json_iter it = lg_json_iter(volumes); lg_json_next(&it);) {
        struct lg_val disk = lg_json_get(it.val, "hostDisk");
        struct lg_str volume = lg_json_str_at(it.val, "name");
        if (!lg_json_there(disk) || is_shared(vm, disk, volume))
            continue;
        struct lg_val shared = lg_json_get(disk, "shared");
        struct lg_str path = lg_json_str_at(disk, "path");
        const struct lg_report report = {
            .at = lg_json_there(shared) ? shared : disk,
            .about = volume,
            .ident = path,
            .message = lg_arena_printf(context->arena,
                                       "volume \"%.*s\": hostDisk \"%.*s\" is a file on one node; "
                                       "live migration needs it shared",
                                       LG_ARG(volume), LG_ARG(path)),
            .fix = LG_STR("set hostDisk.shared: true if the path is the same storage on every "
                          "node, else move the disk to a ReadWriteMany claim"),
        };
        lg_rule_report(context, &report);
    }
}

#define VM(volumes) LG_EX_VM_OF(LG_EX_ORDERS, "", "domain: {}" volumes)
#define HOST_DISK(more)                                                                            \
    ", volumes: [{name: data, hostDisk: {path: /data/disk.img, type: Disk" more "}}]"
#define TRANSLATED(modes)                                                                          \
    LG_EX_VMI(LG_EX_ORDERS,                                                                        \
              "spec: {domain: {}, volumes: [{name: data, hostDisk: {path: /run/disk.img, type: "   \
              "Disk}}]}\n"                                                                         \
              "status:\n"                                                                          \
              "  volumeStatus:\n"                                                                  \
              "  - name: data\n"                                                                   \
              "    target: \"\"\n"                                                                 \
              "    persistentVolumeClaimInfo: {claimName: orders-db, accessModes: " modes "}\n")

static const struct lg_rule_example examples[] = {
    {
        .name = "a shared path",
        .expect = LG_EXPECT_NOTHING,
        .object = VM(HOST_DISK(", shared: true")),
    },
    {
        .name = "a path of one node",
        .expect = LG_EXPECT_DENY,
        .object = VM(HOST_DISK(", shared: false")),
        .message = "volume \"data\": hostDisk \"/data/disk.img\" is a file on one node",
    },
    {
        .name = "shared is not said",
        .expect = LG_EXPECT_DENY,
        .object = VM(HOST_DISK("")),
    },
    {
        .name = "a machine without volumes",
        .expect = LG_EXPECT_NOTHING,
        .object = VM(""),
    },
    {
        .name = "a shared claim that KubeVirt turned into a hostDisk",
        .expect = LG_EXPECT_NOTHING,
        .object = TRANSLATED("[ReadWriteMany]"),
    },
    {
        .name = "a claim of one node that KubeVirt turned into a hostDisk",
        .expect = LG_EXPECT_DENY,
        .object = TRANSLATED("[ReadWriteOnce]"),
    },
    {0},
};

const struct lg_rule lg_rule_host_disk_not_shared = {
    .id = "LG103",
    .name = "host-disk-not-shared",
    .title = "a hostDisk without shared: true",
    .rationale = "A hostDisk is a file below a path of the node that the guest runs on. The target "
                 "node has another "
                 "file there, or none. KubeVirt refuses to migrate such a guest (reason "
                 "DisksNotLiveMigratable) "
                 "unless shared: true says that the path is the same storage everywhere.",
    .remedy = "Set shared: true where the path is on storage that all nodes mount; else copy the "
              "disk into a claim "
              "with access mode ReadWriteMany.",
    .source = "kubevirt pkg/virt-handler/vm.go (checkVolumesForMigration)",
    .action = LG_ACTION_DENY,
    .kinds = LG_BIT(LG_KIND_VM) | LG_BIT(LG_KIND_VMI),
    .ops = LG_BIT(LG_OP_CREATE) | LG_BIT(LG_OP_UPDATE),
    .kubevirt_reason = "DisksNotLiveMigratable",
    .check = check,
    .examples = examples,
};
