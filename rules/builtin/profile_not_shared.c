/* LG106: after this edit new claims of the class are for one node only.
 *
 * A data volume that names no access mode gets those of the storage profile's first property set.
 * What an administrator writes in spec goes before what CDI knows of the provisioner (status).
 * Claims that exist keep their modes. Controllers make profiles and fill in their status: that is
 * only recorded. Source: containerized-data-importer pkg/controller/storageprofile-controller.go.
 */
#include "rules/builtin/examples.h"
#include "rules/rule.h"

static struct lg_val first_set(struct lg_val object)
{
    struct lg_val sets = lg_json_at(object, "spec.claimPropertySets");
    if (lg_json_len(sets) == 0)
        sets = lg_json_at(object, "status.claimPropertySets");
    return lg_json_item(sets, 0);
}

static bool uses_class(struct lg_rule_context *context, const struct lg_vm_record *vm,
                       struct lg_str class_name)
{
    for (uint32_t i = 0; i < vm->n_uses; i++) {
        const struct lg_claim *claim = NULL;
        if (lg_inventory_claim(context->inventory, vm->r.ns, vm->uses[i].claim, &claim) ==
                LG_FOUND &&
            claim->spec.has_class && lg_str_eq(claim->spec.class_name, class_name))
            return true;
    }
    return false;
}

/* "; 12 virtual machines use the class" */
static struct lg_str users(struct lg_rule_context *context, struct lg_str class_name)
{
    if (lg_inventory_known(context->inventory, LG_KIND_VM) != LG_KNOWN ||
        lg_inventory_known(context->inventory, LG_KIND_CLAIM) != LG_KNOWN)
        return LG_STR("how many virtual machines use the class is not known");
    size_t n = 0, pos = 0;
    const struct lg_record *record;
    while ((record = lg_inventory_next(context->inventory, LG_KIND_VM, &pos)) != NULL)
        n += uses_class(context, (const struct lg_vm_record *)record, class_name);
    return lg_arena_printf(context->arena, "%zu virtual machine%s the class", n,
                           n == 1 ? " uses" : "s use");
}

static void check(struct lg_rule_context *context)
{
    const struct lg_subject *subject = context->subject;
    struct lg_val set = first_set(subject->object);
    struct lg_val list = lg_json_get(set, "accessModes");
    struct lg_modes modes = lg_modes_read(list);
    if (!lg_json_there(set) || lg_modes_shared(&modes))
        return;
    struct lg_arena *arena = context->arena;
    const struct lg_report report = {
        .at = lg_json_there(list) ? list : set,
        .ident = lg_json_text(list),
        .message = lg_arena_printf(
            arena,
            "the first property set is %.*s, so that new claims of class \"%.*s\" that ask for no "
            "access mode are not ReadWriteMany; claims that exist keep their mode (%.*s)",
            LG_ARG(lg_modes_text(&modes, arena)), LG_ARG(subject->name),
            LG_ARG(users(context, subject->name))),
        .fix =
            LG_STR("where the storage offers it, put a set with ReadWriteMany first in "
                   "spec.claimPropertySets; else let data volumes of virtual machines use another "
                   "class"),
    };
    lg_rule_report(context, &report);
}

#define PROFILE(parts) LG_EX_PROFILE("ceph-rbd", parts)
#define SETS(modes)    ": {claimPropertySets: [{accessModes: [" modes "], volumeMode: Block}]}\n"
#define SPEC(modes)    "spec" SETS(modes)
#define STATUS(modes)  "status" SETS(modes)
#define ORDERS                                                                                     \
    LG_EX_VM_OF("name: orders, namespace: shop", "",                                               \
                "domain: {}, volumes: [{name: data, persistentVolumeClaim: {claimName: data}}, "   \
                "{name: logs, dataVolume: {name: data}}]")                                         \
    "---\n" LG_EX_CLAIM("name: data, namespace: shop",                                             \
                        "accessModes: [ReadWriteMany], storageClassName: ceph-rbd")

static const struct lg_rule_example examples[] = {
    {.name = "the first set shares",
     .expect = LG_EXPECT_NOTHING,
     .object = PROFILE(SPEC("ReadWriteMany, ReadWriteOnce"))},
    {.name = "an edit takes the sharing set away",
     .expect = LG_EXPECT_WARN,
     .old_object = PROFILE(SPEC("ReadWriteMany") STATUS("ReadWriteMany")),
     .object = PROFILE(SPEC("ReadWriteOnce") STATUS("ReadWriteMany")),
     .inventory = ORDERS,
     .message = "claims that exist keep their mode (1 virtual machine uses the class)"},
    {.name = "nothing is known of who uses it",
     .expect = LG_EXPECT_WARN,
     .object = PROFILE(SPEC("ReadWriteOnce")),
     .message = "how many virtual machines use the class is not known"},
    {.name = "the field is absent: what CDI knows of the provisioner counts",
     .expect = LG_EXPECT_WARN,
     .object = PROFILE(STATUS("ReadWriteOnce"))},
    {.name = "the administrator's word goes before that",
     .expect = LG_EXPECT_NOTHING,
     .object = PROFILE(SPEC("ReadWriteMany") STATUS("ReadWriteOnce"))},
    {.name = "an empty profile says nothing",
     .expect = LG_EXPECT_NOTHING,
     .object = PROFILE("spec: {}\n")},
    {.name = "a set without modes",
     .expect = LG_EXPECT_WARN,
     .object = PROFILE("spec: {claimPropertySets: [{volumeMode: Block}]}\n"),
     .message = "the first property set is without an access mode"},
    {0},
};

const struct lg_rule lg_rule_profile_not_shared = {
    .id = "LG106",
    .name = "profile-not-shared",
    .title = "new claims of the class will not be ReadWriteMany by themselves",
    .rationale =
        "Data volumes of virtual machines usually leave the access mode to the storage profile, "
        "which is its first property set. Without ReadWriteMany there, every new guest of the "
        "class is born immovable, and the access mode of a claim cannot be changed later.",
    .remedy =
        "Put a property set with ReadWriteMany first in spec.claimPropertySets, where the storage "
        "offers it; or take the class away from virtual machines.",
    .source = "containerized-data-importer pkg/controller/storageprofile-controller.go, "
              "pkg/controller/datavolume/util.go (renderPvcSpec)",
    .action = LG_ACTION_WARN,
    .kinds = LG_BIT(LG_KIND_STORAGE_PROFILE),
    .ops = LG_BIT(LG_OP_CREATE) | LG_BIT(LG_OP_UPDATE),
    .looks_up = LG_BIT(LG_KIND_VM) | LG_BIT(LG_KIND_CLAIM),
    .check = check,
    .examples = examples,
};
