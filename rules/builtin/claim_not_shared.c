/* LG101: a disk that only one node can reach keeps the guest where it is.
 *
 * KubeVirt asks every claim for ReadWriteMany, whatever it is used for (disk, LUN, CD-ROM,
 * virtiofs), and looks at the claim's spec. It says so only when the guest runs. Claims that do not
 * exist yet are rendered as CDI will. Left out: a volume that KubeVirt moves to another claim at
 * this moment. A machine that waits to receive its state from elsewhere (WaitAsReceiver) is warned:
 * KubeVirt waives disks for decentralised migration.
 */
#include "rules/builtin/examples.h"
#include "rules/rule.h"
#include "rules/virt/expansion.h"
#include "rules/virt/sharing.h"

static struct lg_str message_of(const struct lg_volume_claim *claim, struct lg_arena *arena)
{
    const struct lg_rendered *rendered = &claim->rendered;
    struct lg_str modes = lg_modes_text(&rendered->modes, arena);
    struct lg_str head = lg_arena_printf(arena, "volume \"%.*s\": claim \"%.*s\"",
                                         LG_ARG(claim->volume), LG_ARG(claim->claim));
    const char *tail = "live migration needs ReadWriteMany";
    if (claim->from == LG_FROM_CLAIM)
        return lg_arena_printf(arena, "%.*s is %.*s; %s", LG_ARG(head), LG_ARG(modes), tail);
    if (rendered->from_profile)
        return lg_arena_printf(
            arena, "%.*s will be %.*s, as the storage profile of class \"%.*s\" says; %s",
            LG_ARG(head), LG_ARG(modes), LG_ARG(rendered->class_name), tail);
    return lg_arena_printf(arena, "%.*s will be %.*s, as its data volume%s says; %s", LG_ARG(head),
                           LG_ARG(modes), claim->from == LG_FROM_TEMPLATE ? " template" : "", tail);
}

static struct lg_str fix_of(const struct lg_volume_claim *claim, const struct lg_claims_view *view,
                            struct lg_arena *arena)
{
    if (claim->from != LG_FROM_CLAIM) {
        struct lg_str advice = lg_sharing_advice(view, &claim->rendered, claim->needs, arena);
        if (claim->from == LG_FROM_TEMPLATE)
            return lg_arena_printf(arena, "%.*s in the data volume template", LG_ARG(advice));
        return lg_arena_printf(arena, "a data volume cannot be changed; make it anew: %.*s",
                               LG_ARG(advice));
    }
    struct lg_str classes = lg_sharing_classes(view, claim->needs, arena);
    const char *as_files =
        claim->needs != LG_VOLUME_MODE_UNSET ? " with volumeMode Filesystem" : "";
    struct lg_str here = LG_STR("");
    if (classes.n != 0)
        here = lg_arena_printf(arena, " (classes here that offer it%s: %.*s)", as_files,
                               LG_ARG(classes));
    return lg_arena_printf(arena,
                           "the access mode of an existing claim cannot be changed; create a "
                           "ReadWriteMany claim%.*s and move the data",
                           LG_ARG(here));
}

static bool offends(const struct lg_volume_claim *claim)
{
    return claim->rendered.resolved && !claim->moving && !lg_modes_shared(&claim->rendered.modes);
}

/* The claim that there is none of yet; a pool's machines get claims of other names. */
static struct lg_str awaited(const struct lg_vm *vm, const struct lg_volume_claim *claim)
{
    bool there = claim->from == LG_FROM_CLAIM;
    bool of_pool = vm->kind == LG_KIND_POOL && claim->from == LG_FROM_TEMPLATE;
    return there || of_pool ? LG_STR("") : claim->claim;
}

static void check(struct lg_rule_context *context)
{
    const struct lg_vm *vm = &context->subject->vm;
    struct lg_claims_view view = lg_inventory_claims(context->inventory);
    size_t n = 0;
    const struct lg_volume_claim *claims = lg_rule_volume_claims(context, &n);
    for (size_t i = 0; i < n; i++) {
        const struct lg_volume_claim *claim = &claims[i];
        if (!offends(claim))
            continue;
        const struct lg_report report = {
            .at = claim->at,
            .about = claim->volume,
            .ident = claim->claim,
            .rests_on = awaited(vm, claim),
            .rests_on_kind = LG_KIND_CLAIM,
            .at_most = vm->wait_as_receiver ? LG_ACTION_WARN : LG_ACTION_OFF,
            .message = message_of(claim, context->arena),
            .fix = fix_of(claim, &view, context->arena),
        };
        lg_rule_report(context, &report);
    }
}

/* The class is the one that the template gets in the end: its own, or the one that a preference
 * names. */
static struct lg_sharing offer(struct lg_rule_context *context, const struct lg_vm *whole,
                               const struct lg_volume_claim *claim)
{
    struct lg_claims_view view = lg_inventory_claims(context->inventory);
    struct lg_val spec = lg_json_get(claim->template, "spec");
    struct lg_claim_spec asked = lg_claim_spec_of_data_volume(spec);
    enum lg_part_state preference = lg_expansion_part(whole, LG_PART_PREFERENCE)->state;
    if (!asked.has_class && (preference == LG_PART_MISSING || preference == LG_PART_UNUSABLE))
        return (struct lg_sharing){
            .why_not = LG_STR("the preference that may name its class cannot be read")};
    struct lg_sharing sharing =
        lg_sharing_offer(&view, lg_json_get(spec, asked.storage_api ? "storage" : "pvc"), &asked,
                         &claim->rendered, context->arena);
    /* A disk may as well be a block device. */
    if (sharing.volume_mode == LG_VOLUME_MODE_BLOCK &&
        lg_json_len(lg_json_at(whole->spec, "domain.devices.filesystems")) != 0)
        return (struct lg_sharing){
            .why_not =
                LG_STR("its class offers ReadWriteMany with volumeMode Block, which virtiofs "
                       "cannot share")};
    return sharing;
}

/* `claim`: as it will be; `template`: the user's own. */
static void mend_template(struct lg_rule_context *context, const struct lg_volume_claim *claim,
                          struct lg_val template, struct lg_repair *repair)
{
    struct lg_arena *arena = context->arena;
    struct lg_sharing sharing = offer(context, lg_repair_whole(repair), claim);
    struct lg_val spec = lg_json_get(template, "spec");
    struct lg_val pvc = lg_json_get(spec, "pvc");
    if (!sharing.offered) {
        lg_repair_cannot(repair, claim->volume, sharing.why_not);
        return;
    }
    lg_repair_read(repair, claim->volume, lg_json_at(template, "metadata.name"));
    lg_repair_set(repair, lg_json_there(pvc) ? pvc : lg_json_get(spec, "storage"), "accessModes",
                  LG_STR("[\"ReadWriteMany\"]"));
    /* The profile changes the volume mode along with it. */
    bool block = sharing.volume_mode == LG_VOLUME_MODE_BLOCK &&
                 claim->rendered.volume_mode != LG_VOLUME_MODE_BLOCK;
    struct lg_str volume = LG_STR("");
    if (claim->volume.n != 0)
        volume = lg_arena_printf(arena, "volume \"%.*s\": ", LG_ARG(claim->volume));
    lg_repair_say(repair, claim->volume,
                  lg_arena_printf(arena,
                                  "%.*saccessModes [ReadWriteMany] in data volume template "
                                  "\"%.*s\" (class \"%.*s\" offers it%s)",
                                  LG_ARG(volume), LG_ARG(claim->claim), LG_ARG(sharing.class_name),
                                  block ? ", with volumeMode Block" : ""));
}

/* The claim of a mended template is there by now, and decides. A template that would be mended
 * without it, and was, stays as it was: the same file, applied again, would write over what is
 * stored. */
static void keep_templates(struct lg_rule_context *context, struct lg_repair *repair)
{
    const struct lg_vm *whole = lg_repair_whole(repair);
    struct lg_claims_view view = lg_inventory_claims(context->inventory);
    struct lg_json_iter own = lg_json_iter(context->subject->vm.data_volume_templates);
    struct lg_json_iter full = lg_json_iter(whole->data_volume_templates);
    struct lg_json_iter old =
        lg_json_iter(lg_json_at(lg_repair_old(repair), "spec.dataVolumeTemplates"));
    while (lg_json_next(&own) && lg_json_next(&full) && lg_json_next(&old)) {
        struct lg_claim_spec asked = lg_claim_spec_of_data_volume(lg_json_get(full.val, "spec"));
        struct lg_claim_spec was = lg_claim_spec_of_data_volume(lg_json_get(old.val, "spec"));
        struct lg_volume_claim claim = {.template = full.val,
                                        .claim = lg_json_str_at(own.val, "metadata.name")};
        const struct lg_claim *record = NULL;
        lg_storage_render(&asked, &view.storage, &claim.rendered);
        if (offends(&claim) && was.modes.n == 1 && lg_modes_shared(&was.modes) &&
            lg_str_eq(claim.claim, lg_json_str_at(old.val, "metadata.name")) &&
            view.claim(view.arg, whole->ns, claim.claim, &record) == LG_FOUND)
            mend_template(context, &claim, own.val, repair);
    }
}

static void mend(struct lg_rule_context *context, struct lg_repair *repair)
{
    struct lg_claims_view view = lg_inventory_claims(context->inventory);
    size_t n = 0;
    size_t n_own = 0;
    /* No instancetype or preference brings a volume: both have the same ones. */
    const struct lg_volume_claim *claims =
        lg_volume_claims(lg_repair_whole(repair), &view, context->arena, &n);
    const struct lg_volume_claim *own =
        lg_volume_claims(&context->subject->vm, &view, context->arena, &n_own);
    for (size_t i = 0; i < n && i < n_own; i++)
        if (offends(&claims[i]) && claims[i].from == LG_FROM_TEMPLATE)
            mend_template(context, &claims[i], own[i].template, repair);
    keep_templates(context, repair);
}

static const struct lg_fixer fixer = {
    .kind = LG_FIXER_CHANGES,
    .acts = "Writes accessModes [ReadWriteMany] into the data volume templates that lack it, where "
            "the storage profile of their class (or a preference's) offers it with the volume mode "
            "they ask for, and they ask for no volume that exists (volumeName, selector). At "
            "admission only where that mends all volumes of the machine. Never a claim or a data "
            "volume of its own: in files LG104 does that. A mended template stays mended when its "
            "claim is there.",
    .mend = mend,
    .lasts = true,
};

#define VM(head, volumes)     LG_EX_VM_OF(LG_EX_ORDERS, head, "domain: {}" volumes)
#define DATA(source)          ", volumes: [{name: data, " source "}]"
#define DATA_FROM_CLAIM       DATA("persistentVolumeClaim: {claimName: orders-db-data}")
#define DATA_FROM_DATA_VOLUME DATA("dataVolume: {name: orders-db-data}")
#define CLAIM(modes)                                                                               \
    LG_EX_CLAIM("name: orders-db-data, namespace: web-servers", "accessModes: " modes)
#define CLASSES                                                                                    \
    "---\n" LG_EX_CLASS_AND_PROFILE(                                                               \
        "local", "kubevirt.io.hostpath-provisioner",                                               \
        "ReadWriteOnce") "---\n" LG_EX_CLASS_AND_PROFILE("nfs-storage", "nfs.csi.k8s.io",          \
                                                         "ReadWriteMany")
#define TEMPLATE(storage)                                                                          \
    "  dataVolumeTemplates:\n"                                                                     \
    "  - metadata: {name: orders-db-data}\n"                                                       \
    "    spec: {source: {blank: {}}, storage: " storage "}\n"
#define MOVING                                                                                     \
    "status:\n"                                                                                    \
    "  volumeUpdateState:\n"                                                                       \
    "    volumeMigrationState:\n"                                                                  \
    "      migratedVolumes:\n"                                                                     \
    "      - volumeName: data\n"                                                                   \
    "        sourcePVCInfo: {claimName: orders-db-old}\n"                                          \
    "        destinationPVCInfo: {claimName: orders-db-data}\n"

static const struct lg_rule_example examples[] = {
    {
        .name = "a shared claim can be reached from every node",
        .expect = LG_EXPECT_NOTHING,
        .object = VM("", DATA_FROM_CLAIM),
        .inventory = CLAIM("[ReadWriteOnce, ReadWriteMany]"),
    },
    {
        .name = "a claim for one node is named, with the classes that would do",
        .expect = LG_EXPECT_DENY,
        .object = VM("", DATA_FROM_CLAIM),
        .inventory = CLAIM("[ReadWriteOnce]") CLASSES,
        .message = "volume \"data\": claim \"orders-db-data\" is ReadWriteOnce; live migration "
                   "needs ReadWriteMany",
    },
    {
        .name = "many readers are not enough",
        .expect = LG_EXPECT_DENY,
        .object = VM("", DATA_FROM_DATA_VOLUME),
        .inventory = CLAIM("[ReadOnlyMany]"),
        .message = "claim \"orders-db-data\" is ReadOnlyMany",
    },
    {
        .name = "a machine without volumes",
        .expect = LG_EXPECT_NOTHING,
        .object = VM("", ""),
    },
    {
        .name = "a claim that is not known is not a violation",
        .expect = LG_EXPECT_NOTHING,
        .object = VM("", DATA_FROM_CLAIM),
        .known = LG_BIT(LG_KIND_CLAIM),
    },
    {
        .name = "a template gets the modes of its class's profile",
        .expect = LG_EXPECT_DENY,
        .object = VM(TEMPLATE("{storageClassName: local}"), DATA_FROM_DATA_VOLUME),
        .known = LG_BIT(LG_KIND_CLAIM) | LG_BIT(LG_KIND_DATA_VOLUME),
        .inventory = CLASSES,
        .message = "claim \"orders-db-data\" will be ReadWriteOnce, as the storage profile of "
                   "class \"local\" says",
    },
    {
        .name = "a template in a class that shares",
        .expect = LG_EXPECT_NOTHING,
        .object = VM(TEMPLATE("{storageClassName: nfs-storage}"), DATA_FROM_DATA_VOLUME),
        .known = LG_BIT(LG_KIND_CLAIM) | LG_BIT(LG_KIND_DATA_VOLUME),
        .inventory = CLASSES,
    },
    {
        .name = "a template that asks for one node",
        .expect = LG_EXPECT_DENY,
        .object = VM(TEMPLATE("{storageClassName: nfs-storage, accessModes: [ReadWriteOnce]}"),
                     DATA_FROM_CLAIM),
        .known = LG_BIT(LG_KIND_CLAIM) | LG_BIT(LG_KIND_DATA_VOLUME),
        .inventory = CLASSES,
        .message = "will be ReadWriteOnce, as its data volume template says",
    },
    {
        .name = "an existing claim of the template's name decides",
        .expect = LG_EXPECT_NOTHING,
        .object = VM(TEMPLATE("{accessModes: [ReadWriteOnce]}"), DATA_FROM_DATA_VOLUME),
        .inventory = CLAIM("[ReadWriteMany]"),
    },
    {
        .name = "a volume that is being moved does not count",
        .expect = LG_EXPECT_NOTHING,
        .object = VM("", DATA_FROM_CLAIM) MOVING,
        .inventory = CLAIM("[ReadWriteOnce]"),
    },
    {
        .name = "a machine that waits for its state from elsewhere is warned",
        .expect = LG_EXPECT_WARN,
        .object = VM("  runStrategy: WaitAsReceiver\n", DATA_FROM_CLAIM),
        .inventory = CLAIM("[ReadWriteOnce]"),
    },
    {0},
};

const struct lg_rule lg_rule_claim_not_shared = {
    .id = "LG101",
    .name = "claim-not-shared",
    .title = "a volume's claim is not ReadWriteMany",
    .rationale =
        "Source and target node have the guest's disks open at the same time while it moves. "
        "KubeVirt therefore "
        "calls a guest not live-migratable when one of its claims lacks ReadWriteMany (reason "
        "DisksNotLiveMigratable), but only once it runs; a drain of its node then waits or shuts "
        "it down.",
    .remedy = "Use claims with access mode ReadWriteMany, from a storage class that offers it. The "
              "access mode of an "
              "existing claim cannot be changed: create a new claim and move the data. In a data "
              "volume template set "
              "storage.accessModes, or a storage class whose profile says ReadWriteMany.",
    .source = "kubevirt pkg/virt-handler/vm.go (checkVolumesForMigration), "
              "pkg/storage/types/pvc.go (HasSharedAccessMode); containerized-data-importer "
              "pkg/controller/datavolume/util.go (renderPvcSpec)",
    .action = LG_ACTION_DENY,
    .ident_alone = true,
    .kinds = LG_BIT(LG_KIND_VM) | LG_BIT(LG_KIND_VMI),
    .ops = LG_BIT(LG_OP_CREATE) | LG_BIT(LG_OP_UPDATE),
    .looks_up = LG_PREFERENCES | LG_BIT(LG_KIND_CLAIM) | LG_BIT(LG_KIND_DATA_VOLUME) |
                LG_BIT(LG_KIND_STORAGE_CLASS) | LG_BIT(LG_KIND_STORAGE_PROFILE),
    .kubevirt_reason = "DisksNotLiveMigratable",
    .check = check,
    .fixer = &fixer,
    .examples = examples,
};
