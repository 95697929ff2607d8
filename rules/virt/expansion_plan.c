#include "rules/virt/expansion_plan.h"

#include <assert.h>

#include "rules/core/map.h"
#include "rules/core/mem.h"
#include "rules/kube/quantity.h"
#include "rules/virt/network.h"

/* --- adding --- */

static void add(struct lg_plan *plan, struct lg_addition addition)
{
    assert(plan->n < LG_ADDITIONS_MAX);
    plan->additions[plan->n++] = addition;
}

static void add_value(struct lg_plan *plan, int part, const char *path, struct lg_val val)
{
    if (lg_json_there(val))
        add(plan, (struct lg_addition){.path = path, .part = part, .val = val});
}

static bool is_planned(const struct lg_plan *plan, const char *path)
{
    for (size_t i = 0; i < plan->n; i++)
        if (strcmp(plan->additions[i].path, path) == 0)
            return true;
    return false;
}

/* The VM's own value at a path that starts with "spec.". */
static struct lg_val own(const struct lg_vm *vm, const char *path)
{
    return lg_json_at(vm->spec, path + sizeof("spec.") - 1);
}

/* --- instancetypes --- */

/* How a field of the VM can stand against the instancetype. */
enum conflict {
    IF_BOTH,     /* both are there */
    IF_BOTH_SET, /* the same, and the VM's is neither "", false nor an empty list */
    IF_OWN_SET,  /* the VM's is there and not 0: an instancetype always says it */
};

/* Each field of an instancetype, where it goes, and when it contradicts the VM. */
static const struct {
    const char *from; /* in the instancetype's spec; NULL: it brings nothing of the kind */
    const char *path;
    enum conflict conflict;
} fields[] = {
    {"nodeSelector", "spec.nodeSelector", IF_BOTH},
    {"schedulerName", "spec.schedulerName", IF_BOTH_SET},
    {NULL, "spec.domain.resources.requests.cpu", IF_OWN_SET},
    {NULL, "spec.domain.resources.limits.cpu", IF_OWN_SET},
    {"cpu.guest", "spec.domain.cpu.sockets", IF_OWN_SET},
    {NULL, "spec.domain.cpu.cores", IF_OWN_SET},
    {NULL, "spec.domain.cpu.threads", IF_OWN_SET},
    {"cpu.model", "spec.domain.cpu.model", IF_BOTH_SET},
    {"cpu.dedicatedCPUPlacement", "spec.domain.cpu.dedicatedCpuPlacement", IF_BOTH_SET},
    {"cpu.isolateEmulatorThread", "spec.domain.cpu.isolateEmulatorThread", IF_BOTH_SET},
    {"cpu.numa", "spec.domain.cpu.numa", IF_BOTH},
    {"cpu.realtime", "spec.domain.cpu.realtime", IF_BOTH},
    {"cpu.maxSockets", "spec.domain.cpu.maxSockets", IF_BOTH_SET},
    {"memory.guest", "spec.domain.memory.guest", IF_OWN_SET},
    {"memory.hugepages", "spec.domain.memory.hugepages", IF_BOTH},
    {"memory.maxGuest", "spec.domain.memory.maxGuest", IF_BOTH},
    {NULL, "spec.domain.resources.requests.memory", IF_OWN_SET},
    {NULL, "spec.domain.resources.limits.memory", IF_OWN_SET},
    {"launchSecurity", "spec.domain.launchSecurity", IF_BOTH},
    {"gpus", "spec.domain.devices.gpus", IF_BOTH_SET},
    {"hostDevices", "spec.domain.devices.hostDevices", IF_BOTH_SET},
};

/* There, and more than Go's zero value. */
static bool is_set(struct lg_val v)
{
    int64_t n = 1;
    switch (lg_json_kind(v)) {
    case LG_JSON_ABSENT:
    case LG_JSON_NULL:
    case LG_JSON_FALSE:
        return false;
    case LG_JSON_STRING:
        return !lg_str_empty(lg_json_str(v));
    case LG_JSON_ARRAY:
        return lg_json_len(v) != 0;
    case LG_JSON_NUMBER:
        return lg_json_int64(v, &n) != LG_E_OK || n != 0;
    default:
        return true;
    }
}

static bool contradicts(enum conflict conflict, struct lg_val mine, struct lg_val brought)
{
    switch (conflict) {
    case IF_BOTH:
        return lg_json_there(mine) && lg_json_there(brought);
    case IF_BOTH_SET:
        return is_set(mine) && is_set(brought);
    case IF_OWN_SET:
        return is_set(mine);
    }
    return false;
}

/* The annotation of which both say something else, or LG_NONE. */
static struct lg_val other_annotation(struct lg_val mine, struct lg_val brought)
{
    struct lg_map values lg_cleanup(lg_map_done) = {0};
    struct lg_val found = LG_NONE;
    size_t n = lg_json_len(brought);
    for (struct lg_json_iter it = lg_json_iter(mine); n != 0 && lg_json_next(&it);)
        (void)lg_map_set(&values, it.key, (void *)(uintptr_t)it.val.i);
    for (struct lg_json_iter it = lg_json_iter(brought); lg_json_next(&it);) {
        uint32_t i = (uint32_t)(uintptr_t)lg_map_get(&values, it.key);
        struct lg_val value = {mine.doc, i};
        if (i != 0 && !lg_json_is_str(value, lg_json_str(it.val)))
            found = value;
    }
    return found;
}

/* The pod asks for less than the guest's memory where the instancetype overcommits. */
static void add_overcommit(struct lg_plan *plan, struct lg_val memory)
{
    int64_t percent = 0;
    struct lg_quantity guest;
    if (lg_json_int64(lg_json_get(memory, "overcommitPercent"), &percent) != LG_E_OK ||
        percent <= 0 || percent > 100 ||
        lg_quantity_read(lg_json_get(memory, "guest"), &guest) != LG_E_OK || guest.value <= 0)
        return;
    int64_t asked = guest.value / 100 * (100 - percent) + guest.value % 100 * (100 - percent) / 100;
    add(plan,
        (struct lg_addition){.path = "spec.domain.resources.requests.memory",
                             .how = LG_ADD_TEXT,
                             .part = LG_PART_INSTANCETYPE,
                             .text = lg_arena_printf(plan->arena, "\"%lld\"", (long long)asked)});
}

static void add_annotations(struct lg_plan *plan, int part, struct lg_val annotations)
{
    if (lg_json_len(annotations) != 0)
        add(plan, (struct lg_addition){.path = "metadata.annotations",
                                       .how = LG_ADD_MEMBERS,
                                       .part = part,
                                       .val = annotations});
}

struct lg_str lg_plan_instancetype(struct lg_plan *plan, const struct lg_vm *vm, struct lg_val spec)
{
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        struct lg_val brought = fields[i].from != NULL ? lg_json_at(spec, fields[i].from) : LG_NONE;
        struct lg_val mine = own(vm, fields[i].path);
        if (contradicts(fields[i].conflict, mine, brought))
            return lg_json_path(vm->object, mine, plan->arena);
        if (is_set(brought))
            add_value(plan, LG_PART_INSTANCETYPE, fields[i].path, brought);
    }
    struct lg_val annotations = lg_json_get(spec, "annotations");
    struct lg_val other =
        other_annotation(lg_json_get(vm->vmi_metadata, "annotations"), annotations);
    if (lg_json_there(other))
        return lg_json_path(vm->object, other, plan->arena);
    add_overcommit(plan, lg_json_get(spec, "memory"));
    add_annotations(plan, LG_PART_INSTANCETYPE, annotations);
    return LG_STR("");
}

/* --- preferences --- */

/* Each field of a preference and where it goes, if the VM (a missing, null or "" there) and the
 * instancetype are silent. */
static const struct {
    const char *from, *path;
} preferred[] = {
    {"devices.preferredAutoattachPodInterface", "spec.domain.devices.autoattachPodInterface"},
    {"devices.preferredTPM", "spec.domain.devices.tpm"},
    {"machine.preferredMachineType", "spec.domain.machine.type"},
    {"preferredArchitecture", "spec.architecture"},
    {"preferredLaunchSecurity", "spec.domain.launchSecurity"},
};

static bool is_silent(const struct lg_plan *plan, const struct lg_vm *vm, const char *path)
{
    struct lg_val mine = own(vm, path);
    return (!lg_json_there(mine) || lg_json_is(mine, "")) && !is_planned(plan, path);
}

static void prefer_hyperv(struct lg_plan *plan, const struct lg_vm *vm, struct lg_val hyperv)
{
    static const char *const paths[] = {
        "spec.domain.features.hyperv.reenlightenment", "spec.domain.features.hyperv.evmcs",
        "spec.domain.features.hyperv.synic",           "spec.domain.features.hyperv.synictimer",
        "spec.domain.features.hyperv.vpindex",         "spec.domain.features.hyperv.ipi",
        "spec.domain.features.hyperv.tlbflush",        "spec.domain.features.hyperv.runtime",
        "spec.domain.features.hyperv.reset",           "spec.domain.features.hyperv.frequencies",
    };
    if (lg_json_bool(own(vm, "spec.domain.features.hypervPassthrough.enabled"), false))
        return;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        if (is_silent(plan, vm, paths[i]))
            add_value(plan, LG_PART_PREFERENCE, paths[i],
                      lg_json_get(hyperv, strrchr(paths[i], '.') + 1));
}

static void prefer_efi(struct lg_plan *plan, const struct lg_vm *vm, struct lg_val firmware)
{
    if (lg_json_there(own(vm, "spec.domain.firmware.bootloader.bios")) ||
        lg_json_there(own(vm, "spec.domain.firmware.bootloader.efi")) ||
        lg_json_bool(lg_json_get(firmware, "preferredUseBios"), false))
        return;
    add_value(plan, LG_PART_PREFERENCE, "spec.domain.firmware.bootloader.efi",
              lg_json_get(firmware, "preferredEfi"));
}

/* For the interface on the pod network that names no binding; not for the one that KubeVirt adds by
 * itself, which has the cluster's binding by then. */
static void prefer_masquerade(struct lg_plan *plan, const struct lg_vm *vm,
                              struct lg_val masquerade)
{
    struct lg_pod_network net = lg_pod_network_of(vm);
    if (lg_json_there(masquerade) && lg_json_there(net.interface) && net.kind == LG_BINDING_NONE)
        add(plan, (struct lg_addition){.path = "spec.domain.devices.interfaces",
                                       .how = LG_ADD_TO_ITEM,
                                       .part = LG_PART_PREFERENCE,
                                       .to = net.interface,
                                       .text = LG_STR("masquerade"),
                                       .val = masquerade});
}

static void prefer_cpu_features(struct lg_plan *plan, struct lg_val list)
{
    if (lg_json_len(list) != 0)
        add(plan, (struct lg_addition){.path = "spec.domain.cpu.features",
                                       .how = LG_ADD_ITEMS,
                                       .part = LG_PART_PREFERENCE,
                                       .val = list});
}

void lg_plan_preference(struct lg_plan *plan, const struct lg_vm *vm, struct lg_val spec)
{
    struct lg_val firmware = lg_json_get(spec, "firmware");
    for (size_t i = 0; i < sizeof preferred / sizeof *preferred; i++)
        if (is_silent(plan, vm, preferred[i].path))
            add_value(plan, LG_PART_PREFERENCE, preferred[i].path,
                      lg_json_at(spec, preferred[i].from));
    prefer_hyperv(plan, vm, lg_json_at(spec, "features.preferredHyperv"));
    prefer_efi(plan, vm, firmware);
    prefer_masquerade(plan, vm, lg_json_at(spec, "devices.preferredInterfaceMasquerade"));
    prefer_cpu_features(plan, lg_json_at(spec, "cpu.preferredCPUFeatures"));
    add_annotations(plan, LG_PART_PREFERENCE, lg_json_get(spec, "annotations"));
    struct lg_val class = lg_json_at(spec, "volumes.preferredStorageClassName");
    if (is_set(class))
        plan->storage_class = class;
}

size_t lg_plan_template(const struct lg_plan *plan, struct lg_val template,
                        struct lg_addition *ret_additions)
{
    static const char *const paths[] = {"template.spec.storage.storageClassName",
                                        "template.spec.pvc.storageClassName"};
    static const char *const bodies[] = {"spec.storage", "spec.pvc"};
    size_t n = 0;
    for (size_t i = 0; i < 2; i++) {
        struct lg_val body = lg_json_at(template, bodies[i]);
        if (lg_json_there(body) && !lg_json_there(lg_json_get(body, "storageClassName")))
            ret_additions[n++] = (struct lg_addition){
                .path = paths[i], .part = LG_PART_PREFERENCE, .val = plan->storage_class};
    }
    return n;
}
