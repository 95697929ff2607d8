/* Random VirtualMachines that can be migrated in one made-up cluster, and ways to write the same VM
 * differently.
 *
 * Everything follows from the seed. JSON values are jansson's; one thread.
 */
#ifndef LG_TESTS_SUPPORT_RANDOM_VM_H
#define LG_TESTS_SUPPORT_RANDOM_VM_H

#include <jansson.h>
#include <stdint.h>

struct lg_random {
    uint64_t state;
};

/* 0 .. n-1; n above 0. */
unsigned lg_random_below(struct lg_random *random, unsigned n);

/* The cluster: YAML documents. Nodes n1 to n4 (zone a: two, b: two), claims rwx-0 to rwx-3 and rwo
 * in namespace shop, the classes shared (default) and local, a KubeVirt CR whose default binding is
 * bridge; cluster instancetypes plain, gpu, nic and nowhere, cluster preferences plain, sealed and
 * windows. */
extern const char lg_random_vm_cluster[];

/* A VM (given) of namespace shop that KubeVirt `version` (100 * major + minor) calls migratable,
 * and that has somewhere to go. */
json_t *lg_random_vm(struct lg_random *random, int version);

/* Names that instancetype, and takes away what would contradict it. */
void lg_random_use_instancetype(json_t *vm, const char *name);

/* The object or list at a dotted path, made where it is missing. Borrowed. */
json_t *lg_random_object(json_t *root, const char *path);
json_t *lg_random_list(json_t *root, const char *path);

/* Copies, given: members in another order; items of lists whose order says nothing in another
 * order; fields that nobody knows added wherever fields have names (not to labels and the like). */
json_t *lg_random_keys(struct lg_random *random, const json_t *value);
json_t *lg_random_items(struct lg_random *random, const json_t *value);
json_t *lg_random_unknown(struct lg_random *random, const json_t *value);

#endif
