#include "rules/virt/vm.h"

struct lg_vm lg_vm_read(enum lg_kind kind, struct lg_val object, struct lg_str ns)
{
    struct lg_vm vm = {.kind = kind, .ns = ns, .object = object, .root = object};
    if (kind == LG_KIND_VMI) {
        vm.vmi_metadata = lg_json_get(object, "metadata");
        vm.spec = lg_json_get(object, "spec");
        vm.migrated_volumes = lg_json_at(object, "status.migratedVolumes");
        vm.volume_status = lg_json_at(object, "status.volumeStatus");
        return vm;
    }
    if (kind == LG_KIND_POOL)
        vm.root = lg_json_at(object, "spec.virtualMachineTemplate");
    else if (kind == LG_KIND_REPLICA_SET)
        vm.root = lg_json_at(object, "spec.template");
    if (kind == LG_KIND_REPLICA_SET) {
        vm.vmi_metadata = lg_json_get(vm.root, "metadata");
        vm.spec = lg_json_get(vm.root, "spec");
        return vm;
    }
    struct lg_val spec = lg_json_get(vm.root, "spec");
    vm.vmi_metadata = lg_json_at(spec, "template.metadata");
    vm.spec = lg_json_at(spec, "template.spec");
    vm.data_volume_templates = lg_json_get(spec, "dataVolumeTemplates");
    vm.instancetype = lg_json_get(spec, "instancetype");
    vm.preference = lg_json_get(spec, "preference");
    vm.instancetype_revision =
        lg_json_at(object, "status.instancetypeRef.controllerRevisionRef.name");
    vm.preference_revision = lg_json_at(object, "status.preferenceRef.controllerRevisionRef.name");
    vm.wait_as_receiver = lg_json_is(lg_json_get(spec, "runStrategy"), "WaitAsReceiver");
    vm.migrated_volumes =
        lg_json_at(object, "status.volumeUpdateState.volumeMigrationState.migratedVolumes");
    return vm;
}

const char *lg_vm_annotations_path(const struct lg_vm *vm)
{
    return vm->kind == LG_KIND_VMI    ? "metadata.annotations"
           : vm->kind == LG_KIND_POOL ? "spec.virtualMachineTemplate.spec.template.metadata."
                                        "annotations"
                                      : "spec.template.metadata.annotations";
}

bool lg_vm_has_annotation(const struct lg_vm *vm, const char *key)
{
    return lg_json_has(lg_json_get(vm->vmi_metadata, "annotations"), key);
}
