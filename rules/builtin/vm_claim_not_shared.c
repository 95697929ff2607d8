/* LG104: a claim that a machine waits for is made for one node only.
 *
 * The other half of LG101, for claims that are created after the machine that names them: who
 * creates the claim hears of it. The machine is there already, so refusing its claim would only
 * stop it: a warning. Somebody who labels a claim as a machine's (policy's claims.selector) asks to
 * be refused instead. Left alone: claims that controllers make on the way (importers' scratch and
 * prime claims, temporary clones, KubeVirt's state), golden images, and claims no machine has as a
 * disk of its own (ephemeral ones and memory dumps). Where the machines are not known nothing is
 * said: most claims are no machine's.
 */
#include "rules/builtin/examples.h"
#include "rules/kube/meta.h"
#include "rules/rule.h"
#include "rules/virt/sharing.h"

static bool made_on_the_way(struct lg_val object, struct lg_str name)
{
    static const char *const prefixes[] = {"prime-", "tmp-pvc-", "tmp-source-pvc-",
                                           "persistent-state-for-"};
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
        if (lg_str_starts(name, prefixes[i]))
            return true;
    struct lg_val labels = lg_json_at(object, "metadata.labels");
    return lg_str_ends(name, "-scratch") || lg_meta_has_controller(object) ||
           lg_json_has(labels, "cdi.kubevirt.io/dataImportCron") ||
           lg_json_has(labels, "persistent-state-for");
}

/* The machine that has the claim as a disk, first by name; NULL = none is known. */
static const struct lg_record *user_of(const struct lg_inventory *inventory,
                                       const struct lg_subject *subject)
{
    const struct lg_record *first = NULL;
    const struct lg_record *record;
    const struct lg_use *use = NULL;
    for (size_t pos = 0; (record = lg_inventory_next_user(inventory, subject->ns, subject->name,
                                                          &pos, &use)) != NULL;) {
        if (use->how != LG_USE_CLAIM && use->how != LG_USE_DATA_VOLUME)
            continue;
        bool earlier = first == NULL || lg_str_cmp(record->name, first->name) < 0 ||
                       (record->kind < first->kind && lg_str_eq(record->name, first->name));
        first = earlier ? record : first;
    }
    return first;
}

static struct lg_claim_spec asked_by(const struct lg_subject *subject)
{
    if (subject->kind == LG_KIND_CLAIM)
        return lg_claim_spec_of_claim(subject->object);
    return lg_claim_spec_of_data_volume(lg_json_get(subject->object, "spec"));
}

/* Which modes the claim will have; an existing one of that name is what a data volume would take
 * over. */
static void render(const struct lg_rule_context *context, struct lg_rendered *ret)
{
    const struct lg_subject *subject = context->subject;
    struct lg_storage_view view = lg_inventory_storage(context->inventory);
    const struct lg_claim *claim = NULL;
    struct lg_claim_spec spec = asked_by(subject);
    if (subject->kind == LG_KIND_DATA_VOLUME &&
        lg_inventory_claim(context->inventory, subject->ns, subject->name, &claim) == LG_FOUND)
        spec = claim->spec;
    lg_storage_render(&spec, &view, ret);
}

/* The object with accessModes and volumeMode. */
static struct lg_val body_of(const struct lg_subject *subject)
{
    struct lg_val spec = lg_json_get(subject->object, "spec");
    struct lg_val pvc = lg_json_get(spec, "pvc");
    if (subject->kind == LG_KIND_CLAIM)
        return spec;
    return lg_json_there(pvc) ? pvc : lg_json_get(spec, "storage");
}

static struct lg_val where(const struct lg_subject *subject)
{
    struct lg_val body = body_of(subject);
    struct lg_val modes = lg_json_get(body, "accessModes");
    return lg_json_there(modes) ? modes : body;
}

static struct lg_str message_of(const struct lg_rule_context *context,
                                const struct lg_rendered *rendered, const struct lg_record *user)
{
    struct lg_arena *arena = context->arena;
    struct lg_str from = LG_STR("");
    if (rendered->from_profile)
        from = lg_arena_printf(arena, ", as the storage profile of class \"%.*s\" says",
                               LG_ARG(rendered->class_name));
    struct lg_str whose = LG_STR("is labelled as a virtual machine's");
    if (user != NULL)
        whose = lg_arena_printf(arena, "is used by %s \"%.*s\"", lg_gvk(user->kind)->noun,
                                LG_ARG(user->name));
    struct lg_str modes = lg_modes_text(&rendered->modes, arena);
    return lg_arena_printf(
        arena, "the claim %.*s and will be %.*s%.*s; live migration needs ReadWriteMany",
        LG_ARG(whose), LG_ARG(modes), LG_ARG(from));
}

/* A warning, or what LG101 would do about the machine where that is less. */
static enum lg_action at_most_for(struct lg_rule_context *context, const struct lg_record *user)
{
    enum lg_action action = lg_rule_leaning_action(context, user->name);
    return action < LG_ACTION_WARN ? action : LG_ACTION_WARN;
}

/* What a machine that shares the claim as a filesystem asks of it; NULL: none is known to. */
static enum lg_volume_mode needed_by(const struct lg_record *sharer)
{
    return sharer != NULL ? LG_VOLUME_MODE_FILESYSTEM : LG_VOLUME_MODE_UNSET;
}

static const struct lg_record *sharer_of(const struct lg_rule_context *context)
{
    const struct lg_subject *subject = context->subject;
    return subject->name.n != 0
               ? lg_inventory_sharer(context->inventory, subject->ns, subject->name)
               : NULL;
}

static void say(struct lg_rule_context *context, const struct lg_rendered *rendered,
                const struct lg_record *user)
{
    struct lg_val at = where(context->subject);
    struct lg_claims_view view = lg_inventory_claims(context->inventory);
    const struct lg_report report = {
        .at = at,
        .at_most = user == NULL ? LG_ACTION_OFF : at_most_for(context, user),
        .message = message_of(context, rendered, user),
        .fix = lg_sharing_advice(&view, rendered, needed_by(sharer_of(context)), context->arena),
    };
    lg_rule_report(context, &report);
}

static void check(struct lg_rule_context *context)
{
    const struct lg_subject *subject = context->subject;
    if (made_on_the_way(subject->object, subject->name))
        return;
    struct lg_labels labels =
        lg_labels_read(lg_json_at(subject->object, "metadata.labels"), context->arena);
    bool labelled = lg_selector_matches(context->claim_selector, labels);
    const struct lg_record *user =
        subject->name.n != 0 ? user_of(context->inventory, subject) : NULL;
    if (user == NULL && !labelled)
        return;
    struct lg_rendered rendered;
    render(context, &rendered);
    if (rendered.resolved && lg_modes_shared(&rendered.modes))
        return;
    if (rendered.resolved)
        say(context, &rendered, user);
    else if (rendered.missing != LG_KIND_OTHER && rendered.missing_name.n != 0)
        lg_rule_lacks(context, where(subject), rendered.missing, rendered.missing_name);
    else
        lg_rule_lacks_text(context, where(subject), lg_str_of(rendered.why));
}

/* The class offers ReadWriteMany with block devices only, and a machine shares the claim as a
 * filesystem. */
static struct lg_str not_as_a_device(struct lg_rule_context *context, struct lg_str class_name,
                                     const struct lg_record *sharer)
{
    struct lg_claims_view view = lg_inventory_claims(context->inventory);
    struct lg_str classes = lg_sharing_classes(&view, LG_VOLUME_MODE_FILESYSTEM, context->arena);
    struct lg_str here = LG_STR("");
    if (classes.n != 0)
        here = lg_arena_printf(context->arena, " (here: %.*s)", LG_ARG(classes));
    return lg_arena_printf(
        context->arena,
        "%s \"%.*s\" shares it as a filesystem (virtiofs), and class \"%.*s\" offers ReadWriteMany "
        "only with volumeMode Block; choose a class that offers it with volumeMode Filesystem%.*s, "
        "or give the guest a disk in place of the filesystem",
        lg_gvk(sharer->kind)->noun, LG_ARG(sharer->name), LG_ARG(class_name), LG_ARG(here));
}

/* The volume mode to write beside ReadWriteMany; UNSET: what is asked for stands. */
static enum lg_volume_mode mode_to_write(const struct lg_sharing *sharing,
                                         const struct lg_claim_spec *asked, bool as_files)
{
    if (asked->archive)
        return LG_VOLUME_MODE_UNSET;
    /* Left to the profile it might become a block device. */
    bool left_open = asked->storage_api && asked->volume_mode == LG_VOLUME_MODE_UNSET;
    return as_files && left_open ? LG_VOLUME_MODE_FILESYSTEM : sharing->other_mode;
}

static void write_modes(struct lg_rule_context *context, struct lg_repair *repair,
                        enum lg_volume_mode mode, struct lg_str class_name)
{
    struct lg_val body = body_of(context->subject);
    const char *name = mode == LG_VOLUME_MODE_BLOCK ? "Block" : "Filesystem";
    bool any = mode != LG_VOLUME_MODE_UNSET;
    lg_repair_set(repair, body, "accessModes", LG_STR("[\"ReadWriteMany\"]"));
    if (any)
        lg_repair_set(repair, body, "volumeMode", lg_arena_printf(context->arena, "\"%s\"", name));
    lg_repair_say(repair, LG_STR(""),
                  lg_arena_printf(
                      context->arena, "accessModes [ReadWriteMany]%s%s (class \"%.*s\" offers it)",
                      any ? " and volumeMode " : "", any ? name : "", LG_ARG(class_name)));
}

/* Only in a file: the spec of a claim that exists cannot be changed, so that at admission a second
 * apply of the same file would be refused. */
static void mend(struct lg_rule_context *context, struct lg_repair *repair)
{
    const struct lg_subject *subject = context->subject;
    struct lg_claims_view view = lg_inventory_claims(context->inventory);
    const struct lg_record *sharer = sharer_of(context);
    struct lg_claim_spec asked = asked_by(subject);
    struct lg_claim_spec wanted = asked;
    struct lg_rendered rendered;
    render(context, &rendered);
    if (sharer != NULL && wanted.volume_mode == LG_VOLUME_MODE_UNSET)
        wanted.volume_mode = LG_VOLUME_MODE_FILESYSTEM;
    struct lg_sharing sharing =
        lg_sharing_offer(&view, body_of(subject), &wanted, &rendered, context->arena);
    if (!sharing.offered && (sharing.other_mode == LG_VOLUME_MODE_UNSET || asked.archive))
        lg_repair_cannot(repair, LG_STR(""), sharing.why_not);
    else if (sharer != NULL && sharing.other_mode == LG_VOLUME_MODE_BLOCK)
        lg_repair_cannot(repair, LG_STR(""), not_as_a_device(context, sharing.class_name, sharer));
    else
        write_modes(context, repair, mode_to_write(&sharing, &asked, sharer != NULL),
                    sharing.class_name);
}

static const struct lg_fixer fixer = {
    .kind = LG_FIXER_FILES,
    .acts =
        "Writes accessModes [ReadWriteMany], and the volume mode that goes with it, where the "
        "storage profile of the claim's class offers it. Never volumeMode Block where a machine "
        "shares the claim as a filesystem (virtiofs), and not for a claim that the cluster has "
        "already: its spec cannot be changed.",
    .mend = mend,
};

#define CLAIM(metadata, modes)                                                                     \
    LG_EX_CLAIM("name: orders-db-data, namespace: web-servers" metadata, "accessModes: " modes)
#define DATA_VOLUME(storage)                                                                       \
    "apiVersion: cdi.kubevirt.io/v1beta1\n"                                                        \
    "kind: DataVolume\n"                                                                           \
    "metadata: {name: orders-db-data, namespace: web-servers}\n"                                   \
    "spec: {source: {blank: {}}, storage: " storage "}\n"
#define VM_WITH(source)                                                                            \
    LG_EX_VM_OF(LG_EX_ORDERS, "", "domain: {}, volumes: [{name: data, " source "}]")
#define POOL_WITH(head, source)                                                                    \
    "apiVersion: pool.kubevirt.io/v1beta1\n"                                                       \
    "kind: VirtualMachinePool\n"                                                                   \
    "metadata: {" LG_EX_ORDERS "}\n"                                                               \
    "spec: {virtualMachineTemplate: {spec: {" head                                                 \
    "template: {spec: {domain: {}, volumes: [{name: data, " source "}]}}}}}\n"
#define REPLICA_SET_WITH(source)                                                                   \
    "apiVersion: kubevirt.io/v1\n"                                                                 \
    "kind: VirtualMachineInstanceReplicaSet\n"                                                     \
    "metadata: {" LG_EX_ORDERS "}\n"                                                               \
    "spec: {template: {spec: {domain: {}, volumes: [{name: data, " source "}]}}}\n"
#define BY_CLAIM       "persistentVolumeClaim: {claimName: orders-db-data}"
#define BY_DATA_VOLUME "dataVolume: {name: orders-db-data}"
#define PROFILE                                                                                    \
    "---\n" LG_EX_CLASS_AND_PROFILE("local", "kubevirt.io.hostpath-provisioner", "ReadWriteOnce")

static const struct lg_rule_example examples[] = {
    {
        .name = "a shared claim for a machine",
        .expect = LG_EXPECT_NOTHING,
        .object = CLAIM("", "[ReadWriteMany]"),
        .inventory = VM_WITH(BY_CLAIM),
    },
    {
        .name = "the machine that waits for it is named",
        .expect = LG_EXPECT_WARN,
        .object = CLAIM("", "[ReadWriteOnce]"),
        .inventory = VM_WITH(BY_CLAIM),
        .message = "the claim is used by virtual machine \"orders-db\" and will be ReadWriteOnce; "
                   "live migration needs ReadWriteMany",
    },
    {
        .name = "the pool whose machines share it is named",
        .expect = LG_EXPECT_WARN,
        .object = CLAIM("", "[ReadWriteOnce]"),
        .inventory = POOL_WITH("", BY_CLAIM),
        .message = "the claim is used by virtual machine pool \"orders-db\"",
    },
    {
        .name = "the replica set whose guests share it is named",
        .expect = LG_EXPECT_WARN,
        .object = CLAIM("", "[ReadWriteOnce]"),
        .inventory = REPLICA_SET_WITH(BY_DATA_VOLUME),
        .message = "the claim is used by replica set \"orders-db\"",
    },
    {
        .name = "a pool numbers the claims that it makes itself: this one is none of them",
        .expect = LG_EXPECT_NOTHING,
        .object = DATA_VOLUME("{accessModes: [ReadWriteOnce]}"),
        .inventory = POOL_WITH("dataVolumeTemplates: [{metadata: {name: orders-db-data}}], ",
                               BY_DATA_VOLUME),
    },
    {
        .name = "a data volume is rendered",
        .expect = LG_EXPECT_WARN,
        .object = DATA_VOLUME("{storageClassName: local}"),
        .inventory = VM_WITH(BY_DATA_VOLUME) PROFILE,
        .message = "will be ReadWriteOnce, as the storage profile of class \"local\" says",
    },
    {
        .name = "without access modes the class decides, and it is not known",
        .expect = LG_EXPECT_PENDING,
        .object = DATA_VOLUME("{storageClassName: local}"),
        .inventory = VM_WITH(BY_DATA_VOLUME),
        .message = "storage profile \"local\"",
    },
    {
        .name = "a claim labelled as a machine's is refused before one uses it",
        .expect = LG_EXPECT_DENY,
        .object = CLAIM(", labels: {livegate.io/vm-claim: \"true\"}", "[ReadWriteOnce]"),
        .known = LG_BIT(LG_KIND_VM),
        .message = "the claim is labelled as a virtual machine's",
    },
    {
        .name = "a claim that no machine uses",
        .expect = LG_EXPECT_NOTHING,
        .object = CLAIM("", "[ReadWriteOnce]"),
        .known = LG_BIT(LG_KIND_VM),
    },
    {
        .name = "who uses it is not known",
        .expect = LG_EXPECT_NOTHING,
        .object = CLAIM("", "[ReadWriteOnce]"),
    },
    {
        .name = "a claim that a controller owns",
        .expect = LG_EXPECT_NOTHING,
        .object =
            CLAIM(", ownerReferences: [{apiVersion: cdi.kubevirt.io/v1beta1, kind: DataVolume, "
                  "name: orders-db-data, uid: u, controller: true}]",
                  "[ReadWriteOnce]"),
        .inventory = VM_WITH(BY_CLAIM),
    },
    {
        .name = "a golden image",
        .expect = LG_EXPECT_NOTHING,
        .object = CLAIM(", labels: {cdi.kubevirt.io/dataImportCron: fedora}", "[ReadWriteOnce]"),
        .inventory = VM_WITH(BY_CLAIM),
    },
    {
        .name = "the base of an ephemeral disk",
        .expect = LG_EXPECT_NOTHING,
        .object = CLAIM("", "[ReadWriteOnce]"),
        .inventory = VM_WITH("ephemeral: {" BY_CLAIM "}"),
    },
    {
        .name = "the target of a memory dump",
        .expect = LG_EXPECT_NOTHING,
        .object = CLAIM("", "[ReadWriteOnce]"),
        .inventory = VM_WITH("memoryDump: {claimName: orders-db-data}"),
    },
    {0},
};

const struct lg_rule lg_rule_vm_claim_not_shared = {
    .id = "LG104",
    .name = "vm-claim-not-shared",
    .title = "a claim for a virtual machine will not be ReadWriteMany",
    .rationale = "The access mode of a claim cannot be changed once it exists, and a guest with a "
                 "claim of one node "
                 "never moves. Whoever creates the claim is the last who can choose.",
    .remedy = "Create the claim with access mode ReadWriteMany, in a storage class that offers it.",
    .source =
        "kubevirt pkg/virt-handler/vm.go (checkVolumesForMigration); containerized-data-importer "
        "pkg/controller/datavolume/util.go (renderPvcSpec)",
    .action = LG_ACTION_DENY,
    .kinds = LG_BIT(LG_KIND_CLAIM) | LG_BIT(LG_KIND_DATA_VOLUME),
    .ops = LG_BIT(LG_OP_CREATE),
    .looks_up = LG_BIT(LG_KIND_VM) | LG_BIT(LG_KIND_VMI) | LG_BIT(LG_KIND_CLAIM) |
                LG_BIT(LG_KIND_STORAGE_CLASS) | LG_BIT(LG_KIND_STORAGE_PROFILE),
    .not_stronger_than = "LG101",
    .check = check,
    .fixer = &fixer,
    .examples = examples,
};
