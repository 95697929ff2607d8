#include "tests/support/random_vm.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

unsigned lg_random_below(struct lg_random *random, unsigned n)
{
    uint64_t z = (random->state += UINT64_C(0x9E3779B97F4A7C15)); /* SplitMix64 */
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return (unsigned)((z ^ (z >> 31)) % n);
}

#define NODE(name, zone)                                                                           \
    "---\napiVersion: v1\nkind: Node\nmetadata:\n  name: " name "\n  labels:\n"                    \
    "    kubernetes.io/hostname: " name "\n    kubernetes.io/arch: amd64\n    zone: " zone "\n"    \
    "    kubevirt.io/schedulable: \"true\"\n"                                                      \
    "    cpu-model.node.kubevirt.io/Haswell: \"true\"\n"                                           \
    "    cpu-model-migration.node.kubevirt.io/Haswell: \"true\"\n"                                 \
    "    host-model-cpu.node.kubevirt.io/Haswell: \"true\"\n"                                      \
    "status: {allocatable: {cpu: \"64\", memory: 512Gi, pods: \"250\"}}\n"
#define CLAIM(name, mode)                                                                          \
    "---\napiVersion: v1\nkind: PersistentVolumeClaim\n"                                           \
    "metadata: {name: " name ", namespace: shop}\nspec: {accessModes: [" mode "]}\n"
#define CLASS(name, mode, annotations)                                                             \
    "---\napiVersion: storage.k8s.io/v1\nkind: StorageClass\n"                                     \
    "metadata: {name: " name ", annotations: {" annotations "}}\nprovisioner: example.com/x\n"     \
    "---\napiVersion: cdi.kubevirt.io/v1beta1\nkind: StorageProfile\nmetadata: {name: " name "}\n" \
    "status: {claimPropertySets: [{accessModes: [" mode "], volumeMode: Filesystem}]}\n"

#define PART(kind, name, spec)                                                                     \
    "---\napiVersion: instancetype.kubevirt.io/v1beta1\nkind: VirtualMachineCluster" kind          \
    "\nmetadata: {name: " name "}\nspec: {" spec "}\n"
#define MACHINE "cpu: {guest: 2}, memory: {guest: 4Gi}"

const char lg_random_vm_cluster[] =
    "apiVersion: kubevirt.io/v1\nkind: KubeVirt\nmetadata: {name: kubevirt, namespace: kubevirt}\n"
    "spec:\n  configuration:\n    vmStateStorageClass: local\n    network:\n      binding:\n"
    "        l2bridge: {migration: {}}\n        own: {sidecarImage: registry/own}\n"
    "    permittedHostDevices: {mediatedDevices: [{resourceName: vendor.com/vgpu}]}\n" //
    NODE("n1", "a") NODE("n2", "a") NODE("n3", "b") NODE("n4", "b")                    //
    CLAIM("rwx-0", "ReadWriteMany") CLAIM("rwx-1", "ReadWriteMany, ReadOnlyMany")      //
    CLAIM("rwx-2", "ReadWriteOnce, ReadWriteMany") CLAIM("rwx-3", "ReadWriteMany")     //
    CLAIM("rwo", "ReadWriteOnce")                                                      //
    CLASS("shared", "ReadWriteMany", "storageclass.kubernetes.io/is-default-class: \"true\"")
        CLASS("local", "ReadWriteOnce", "")                                                  //
    PART("Instancetype", "plain", MACHINE ", nodeSelector: {zone: a}")                       //
    PART("Instancetype", "gpu", MACHINE ", gpus: [{name: g, deviceName: vendor.com/whole}]") //
    PART("Instancetype", "nic", MACHINE ", hostDevices: [{name: h, deviceName: vendor.com/n}]")
        PART("Instancetype", "nowhere", MACHINE ", nodeSelector: {zone: nowhere}") //
    PART("Preference", "plain", "devices: {preferredInterfaceMasquerade: {}}")     //
    PART("Preference", "sealed", "preferredLaunchSecurity: {sev: {}}")             //
    PART("Preference", "windows", "features: {preferredHyperv: {reenlightenment: {}}}");

/* --- paths --- */

static json_t *at_path(json_t *root, const char *path, json_t *(*make)(void))
{
    json_t *value = root;
    while (*path != '\0') {
        size_t n = strcspn(path, ".");
        bool last = path[n] == '\0';
        json_t *next = json_object_getn(value, path, n);
        if (next == NULL) {
            next = last ? make() : json_object();
            json_object_setn_new(value, path, n, next);
        }
        value = next;
        path += n + !last;
    }
    return value;
}

json_t *lg_random_object(json_t *root, const char *path)
{
    return at_path(root, path, json_object);
}

json_t *lg_random_list(json_t *root, const char *path)
{
    return at_path(root, path, json_array);
}

/* --- the VM --- */

static bool chance(struct lg_random *random, unsigned percent)
{
    return lg_random_below(random, 100) < percent;
}

static const char *one_of(struct lg_random *random, const char *const *texts, unsigned n)
{
    return texts[lg_random_below(random, n)];
}

static void add_pod_network(struct lg_random *random, json_t *spec, int version)
{
    static const char *const bindings[] = {"{s:s,s:{}}", "{s:s,s:{}}", "{s:s,s:{s:s}}"};
    static const char *const names[] = {"default", "pod", "net-0"};
    unsigned which = lg_random_below(random, 3);
    const char *name = one_of(random, names, 3);
    if (version < 108 && which == 1)
        which = 0;
    json_t *interface =
        which == 2
            ? json_pack(bindings[2], "name", name, "binding", "name", "l2bridge")
            : json_pack(bindings[which], "name", name, which == 0 ? "masquerade" : "passtBinding");
    if (which == 0 && chance(random, 30))
        json_object_set_new(interface, "ports",
                            json_pack("[{s:i},{s:s,s:i}]", "port", 80, "protocol", "TCP", "port",
                                      443 + (int)lg_random_below(random, 1000)));
    json_array_append_new(lg_random_list(spec, "networks"),
                          json_pack("{s:s,s:{}}", "name", name, "pod"));
    json_array_append_new(lg_random_list(spec, "domain.devices.interfaces"), interface);
}

static void add_networks(struct lg_random *random, json_t *spec, int version)
{
    static const char *const bindings[] = {"bridge", "sriov"};
    add_pod_network(random, spec, version);
    for (unsigned i = lg_random_below(random, 3); i > 0; i--) {
        char name[32];
        snprintf(name, sizeof name, "extra-%u", i);
        json_array_append_new(
            lg_random_list(spec, "networks"),
            json_pack("{s:s,s:{s:s}}", "name", name, "multus", "networkName", "lan"));
        json_array_append_new(lg_random_list(spec, "domain.devices.interfaces"),
                              json_pack("{s:s,s:{}}", "name", name, one_of(random, bindings, 2)));
    }
}

static json_t *random_volume(struct lg_random *random, const char *name, json_t *vm)
{
    char claim[32];
    snprintf(claim, sizeof claim, "rwx-%u", lg_random_below(random, 4));
    switch (lg_random_below(random, 8)) {
    case 0:
        return json_pack("{s:s,s:{s:s}}", "name", name, "containerDisk", "image", "registry/x");
    case 1:
        return json_pack("{s:s,s:{s:s}}", "name", name, "cloudInitNoCloud", "userData", "#x");
    case 2:
        return json_pack("{s:s,s:{s:s}}", "name", name, "emptyDisk", "capacity", "1Gi");
    case 3:
        return json_pack("{s:s,s:{s:s}}", "name", name, "configMap", "name", "settings");
    case 4:
        return json_pack("{s:s,s:{s:s,s:s,s:b}}", "name", name, "hostDisk", "path", "/d", "type",
                         "Disk", "shared", 1);
    case 5:
        return json_pack("{s:s,s:{s:s}}", "name", name, "dataVolume", "name", claim);
    case 6:
        json_array_append_new(lg_random_list(vm, "spec.dataVolumeTemplates"),
                              json_pack("{s:{s:s},s:{s:{s:{}},s:{s:s}}}", "metadata", "name", name,
                                        "spec", "source", "blank", "storage", "storageClassName",
                                        "shared"));
        return json_pack("{s:s,s:{s:s}}", "name", name, "dataVolume", "name", name);
    default:
        return json_pack("{s:s,s:{s:s}}", "name", name, "persistentVolumeClaim", "claimName",
                         claim);
    }
}

static void add_volumes(struct lg_random *random, json_t *vm, json_t *spec, int version)
{
    for (unsigned i = lg_random_below(random, 5); i > 0; i--) {
        char name[32];
        snprintf(name, sizeof name, "vol-%u", i);
        json_array_append_new(lg_random_list(spec, "volumes"), random_volume(random, name, vm));
        json_t *disks = lg_random_list(spec, "domain.devices.disks");
        unsigned how = lg_random_below(random, 4);
        if (how == 0 && version >= 105)
            json_array_append_new(lg_random_list(spec, "domain.devices.filesystems"),
                                  json_pack("{s:s,s:{}}", "name", name, "virtiofs"));
        else if (how == 1)
            json_array_append_new(disks, json_pack("{s:s,s:{s:b}}", "name", name, "lun",
                                                   "reservation", version >= 109));
        else if (how == 2)
            json_array_append_new(disks,
                                  json_pack("{s:s,s:{s:s}}", "name", name, "cdrom", "bus", "sata"));
        else
            json_array_append_new(
                disks, json_pack("{s:s,s:{s:s}}", "name", name, "disk", "bus", "virtio"));
    }
}

static void add_guest(struct lg_random *random, json_t *spec, int version)
{
    static const char *const models[] = {"Haswell", "host-model"};
    json_t *domain = lg_random_object(spec, "domain");
    if (chance(random, 50))
        json_object_set_new(lg_random_object(domain, "cpu"), "model",
                            json_string(one_of(random, models, 2)));
    if (chance(random, 50))
        json_object_set_new(lg_random_object(domain, "cpu"), "cores",
                            json_integer(1 + lg_random_below(random, 8)));
    json_object_set_new(lg_random_object(domain, "memory"), "guest", json_string("2Gi"));
    if (chance(random, 40))
        json_object_set_new(lg_random_object(domain, "features.hyperv"), "relaxed", json_object());
    if (chance(random, 30))
        json_object_set_new(lg_random_object(domain, "features.hyperv"), "reenlightenment",
                            json_pack("{s:b}", "enabled", 0));
    if (chance(random, 30))
        json_object_set_new(lg_random_object(domain, "features.hypervPassthrough"), "enabled",
                            json_boolean(version < 103));
    if (chance(random, 20))
        json_object_set_new(lg_random_object(domain, "devices"), "tpm",
                            json_pack("{s:b}", "persistent", version != 103));
    if (chance(random, 10))
        json_object_set_new(domain, "launchSecurity", json_object());
    if (chance(random, 10))
        json_object_set_new(lg_random_object(domain, "devices"), "gpus", json_array());
}

static void add_placement(struct lg_random *random, json_t *spec)
{
    static const char *const zones[] = {"a", "b"};
    if (chance(random, 40))
        json_object_set_new(lg_random_object(spec, "nodeSelector"), "zone",
                            json_string(one_of(random, zones, 2)));
    else if (chance(random, 40))
        json_object_set_new(
            lg_random_object(
                spec, "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution"),
            "nodeSelectorTerms",
            json_pack("[{s:[{s:s,s:s,s:[s,s]}]},{s:[{s:s,s:s}]}]", "matchExpressions", "key",
                      "zone", "operator", "In", "values", "a", "c", "matchExpressions", "key",
                      "missing", "operator", "Exists"));
    if (chance(random, 30))
        json_array_append_new(lg_random_list(spec, "tolerations"),
                              json_pack("{s:s,s:s}", "key", "virt", "operator", "Exists"));
}

void lg_random_use_instancetype(json_t *vm, const char *name)
{
    json_t *spec = lg_random_object(vm, "spec.template.spec");
    json_object_del(lg_random_object(spec, "domain"), "cpu");
    json_object_del(lg_random_object(spec, "domain"), "memory");
    json_object_del(spec, "nodeSelector");
    json_object_set_new(lg_random_object(vm, "spec.instancetype"), "name", json_string(name));
}

json_t *lg_random_vm(struct lg_random *random, int version)
{
    static const char *const strategies[] = {"LiveMigrate", "LiveMigrateIfPossible"};
    json_t *vm = json_pack("{s:s,s:s,s:{s:s,s:s},s:{s:s}}", "apiVersion",
                           chance(random, 10) ? "kubevirt.io/v1alpha3" : "kubevirt.io/v1", "kind",
                           "VirtualMachine", "metadata", "name", "vm", "namespace", "shop", "spec",
                           "runStrategy", "Always");
    json_t *spec = lg_random_object(vm, "spec.template.spec");
    json_object_set_new(lg_random_object(vm, "spec.template.metadata.labels"), "app",
                        json_string("vm"));
    json_object_set_new(spec, "evictionStrategy", json_string(one_of(random, strategies, 2)));
    if (chance(random, 30))
        json_object_set_new(spec, "architecture", json_string("amd64"));
    add_networks(random, spec, version);
    add_volumes(random, vm, spec, version);
    add_guest(random, spec, version);
    add_placement(random, spec);
    if (chance(random, 20))
        lg_random_use_instancetype(vm, "plain");
    if (chance(random, 20))
        json_object_set_new(lg_random_object(vm, "spec.preference"), "name", json_string("plain"));
    return vm;
}

/* --- the same, written differently --- */

static bool is_among(const char *key, const char *const *names)
{
    for (; *names != NULL; names++)
        if (strcmp(key, *names) == 0)
            return true;
    return false;
}

static void shuffle(struct lg_random *random, size_t *order, size_t n)
{
    for (size_t i = 0; i < n; i++)
        order[i] = i;
    for (size_t i = n; i > 1; i--) {
        size_t j = lg_random_below(random, (unsigned)i);
        size_t kept = order[i - 1];
        order[i - 1] = order[j];
        order[j] = kept;
    }
}

enum way { KEYS, ITEMS, UNKNOWN };
enum { MEMBERS_MAX = 64 };

/* Lists whose order means nothing to a guest. */
static const char *const sets[] = {"networks",
                                   "interfaces",
                                   "volumes",
                                   "disks",
                                   "filesystems",
                                   "gpus",
                                   "hostDevices",
                                   "tolerations",
                                   "ports",
                                   "dataVolumeTemplates",
                                   "nodeSelectorTerms",
                                   "matchExpressions",
                                   "values",
                                   NULL};
/* Objects whose members have no names of their own. */
static const char *const maps[] = {"labels", "annotations", "nodeSelector", "matchLabels", NULL};

static json_t *rewrite(struct lg_random *random, const json_t *value, const char *name,
                       enum way way);

static json_t *rewrite_list(struct lg_random *random, const json_t *list, const char *name,
                            enum way way)
{
    size_t order[MEMBERS_MAX];
    size_t n = json_array_size(list);
    json_t *copy = json_array();
    if (n > MEMBERS_MAX)
        abort();
    shuffle(random, order, n);
    for (size_t i = 0; i < n; i++)
        json_array_append_new(
            copy, rewrite(random,
                          json_array_get(list, way == ITEMS && is_among(name, sets) ? order[i] : i),
                          name, way));
    return copy;
}

static json_t *nonsense(struct lg_random *random)
{
    switch (lg_random_below(random, 5)) {
    case 0:
        return json_null();
    case 1:
        return json_integer(lg_random_below(random, 100000));
    case 2:
        return json_pack("{s:[{s:{}},n,f],s:s}", "enabled", "pod", "name", "x");
    case 3:
        return json_pack("[s,i,{s:b}]", "hostDevices", 7, "shared", 0);
    default:
        return json_string("ReadWriteOnce");
    }
}

static json_t *rewrite_object(struct lg_random *random, const json_t *object, const char *name,
                              enum way way)
{
    const char *keys[MEMBERS_MAX];
    size_t order[MEMBERS_MAX];
    size_t n = 0;
    json_t *copy = json_object();
    for (void *it = json_object_iter((json_t *)object); it != NULL && n < MEMBERS_MAX;
         it = json_object_iter_next((json_t *)object, it))
        keys[n++] = json_object_iter_key(it);
    shuffle(random, order, n);
    for (size_t i = 0; i < n; i++) {
        const char *key = keys[way == KEYS ? order[i] : i];
        json_object_set_new(copy, key, rewrite(random, json_object_get(object, key), key, way));
    }
    if (way == UNKNOWN && !is_among(name, maps) && chance(random, 40)) {
        char key[32];
        snprintf(key, sizeof key, "xUnknown%u", lg_random_below(random, 10));
        json_object_set_new(copy, key, nonsense(random));
    }
    return copy;
}

/* Calls itself as deep as our own VMs are. */
static json_t *rewrite(struct lg_random *random, const json_t *value, const char *name,
                       enum way way)
{
    if (json_is_object(value))
        return rewrite_object(random, value, name, way);
    if (json_is_array(value))
        return rewrite_list(random, value, name, way);
    return json_copy((json_t *)value);
}

json_t *lg_random_keys(struct lg_random *random, const json_t *value)
{
    return rewrite(random, value, "", KEYS);
}

json_t *lg_random_items(struct lg_random *random, const json_t *value)
{
    return rewrite(random, value, "", ITEMS);
}

json_t *lg_random_unknown(struct lg_random *random, const json_t *value)
{
    return rewrite(random, value, "", UNKNOWN);
}
