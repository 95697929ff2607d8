/* A VirtualMachine or a VirtualMachineInstance as rules see it: where its parts stand, whatever
 * door it came through.
 *
 * Values are views into the object (core/json.h). Pure, any thread.
 */
#ifndef LG_RULES_VIRT_VM_H
#define LG_RULES_VIRT_VM_H

#include "rules/core/json.h"
#include "rules/kube/gvk.h"
#include "rules/virt/records.h"

struct lg_expansion; /* opaque: virt/expansion.h */

struct lg_vm {
    /* LG_KIND_VM, LG_KIND_VMI, or a template of them: LG_KIND_POOL, LG_KIND_REPLICA_SET */
    enum lg_kind kind;
    struct lg_str ns;
    struct lg_val object;
    struct lg_val root; /* the VM or VMI in it: the object itself, but for templates */
    /* These three are the user's own, until lg_expand puts what the VM becomes in their place. */
    struct lg_val vmi_metadata;             /* VM: spec.template.metadata; VMI: metadata */
    struct lg_val spec;                     /* the VMI spec: VM: spec.template.spec; VMI: spec */
    struct lg_val data_volume_templates;    /* VM only */
    struct lg_val instancetype, preference; /* VM only: what it names */
    /* VM status.{instancetype,preference}Ref: the controller revision's name */
    struct lg_val instancetype_revision, preference_revision;
    const struct lg_expansion *expansion; /* NULL: it names neither */
    bool wait_as_receiver;                /* runStrategy WaitAsReceiver */
    /* VMI status.migratedVolumes; VM
     * status.volumeUpdateState.volumeMigrationState.migratedVolumes */
    struct lg_val migrated_volumes;
    struct lg_val volume_status; /* VMI status.volumeStatus */
};

/* `ns` is the request's namespace: the object's own may be empty. */
struct lg_vm lg_vm_read(enum lg_kind kind, struct lg_val object, struct lg_str ns);

/* Where the annotations of the VMI stand: "spec.template.metadata.annotations". Static storage. */
const char *lg_vm_annotations_path(const struct lg_vm *vm);

/* The annotation of the VMI (template metadata) is there, whatever its value. */
bool lg_vm_has_annotation(const struct lg_vm *vm, const char *key);

/* Everything in the object that a rule reads has the type that the API server would insist on, fits
 * its range, and lists have at most 1,024 items (which bounds what a hostile object can cost).
 * LG_E_INVALID or LG_E_LIMIT with the path in err->where ("spec.template.spec.volumes[2].name") and
 * what was expected. For kinds without a table: LG_E_OK. */
enum lg_err_code lg_shape_check(enum lg_kind kind, struct lg_val object, struct lg_err *err)
    __attribute__((warn_unused_result));

#endif
