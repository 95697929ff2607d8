/* What a judgement means for KubeVirt's own answers. */
#include "rules/engine.h"

int lg_judgement_migratable(const struct lg_judgement *judgement)
{
    return judgement->migratable;
}

/* Containers, cloud-init and the like: KubeVirt copies them unless they are only read:
 * pkg/virt-handler/vm.go, checkVolumesForMigration. */
static bool copied(struct lg_val spec, struct lg_str volume)
{
    struct lg_val devices = lg_json_at(spec, "domain.devices");
    for (struct lg_json_iter it = lg_json_iter(lg_json_get(devices, "filesystems"));
         lg_json_next(&it);)
        if (lg_json_is_str(lg_json_get(it.val, "name"), volume))
            return false;
    for (struct lg_json_iter it = lg_json_iter(lg_json_get(devices, "disks")); lg_json_next(&it);) {
        struct lg_val cdrom = lg_json_get(it.val, "cdrom");
        if (lg_json_there(cdrom) && lg_json_bool(lg_json_get(cdrom, "readonly"), true) &&
            lg_json_is_str(lg_json_get(it.val, "name"), volume))
            return false;
    }
    return true;
}

bool lg_judgement_block_migration(const struct lg_judgement *judgement)
{
    const struct lg_vm *vm = &judgement->subject.vm;
    if (judgement->disks_stay || lg_json_len(vm->migrated_volumes) != 0)
        return true;
    struct lg_val volumes = lg_json_get(vm->spec, "volumes");
    for (struct lg_json_iter it = lg_json_iter(volumes); lg_json_next(&it);) {
        bool shared = lg_json_there(lg_json_get(it.val, "persistentVolumeClaim")) ||
                      lg_json_there(lg_json_get(it.val, "dataVolume")) ||
                      lg_json_there(lg_json_get(it.val, "hostDisk"));
        if (!shared && copied(vm->spec, lg_json_str(lg_json_get(it.val, "name"))))
            return true;
    }
    return false;
}
