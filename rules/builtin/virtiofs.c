/* LG107: a directory shared by virtiofs, on a KubeVirt that cannot move it.
 *
 * Up to 1.4 KubeVirt migrates no guest with a virtiofs filesystem, whatever stands behind it. Since
 * 1.5 it does; a claim behind it is then judged like any other (LG101). Source: KubeVirt
 * pkg/virt-handler/vm.go.
 */
#include "rules/builtin/examples.h"
#include "rules/rule.h"

static void check(struct lg_rule_context *context)
{
    if (!lg_version_has(context->settings, LG_DIFFERENCE_VIRTIOFS_STAYS))
        return;
    struct lg_val list = lg_json_at(context->subject->vm.spec, "domain.devices.filesystems");
    for (struct lg_json_iter it = lg_json_iter(list); lg_json_next(&it);) {
        struct lg_val virtiofs = lg_json_get(it.val, "virtiofs");
        if (!lg_json_there(virtiofs))
            continue;
        struct lg_str name = lg_json_str_at(it.val, "name");
        const struct lg_report report = {
            .at = virtiofs,
            .about = name,
            .ident = LG_STR("virtiofs"),
            .message = lg_arena_printf(context->arena,
                                       "filesystem \"%.*s\": virtiofs cannot be migrated before "
                                       "KubeVirt 1.5",
                                       LG_ARG(name)),
            .fix = LG_STR("attach the volume as a disk, share the files over the network, or "
                          "update KubeVirt to 1.5"),
        };
        lg_rule_report(context, &report);
    }
}

#define VM(devices)                                                                                \
    LG_EX_VM_OF(LG_EX_WEB, "",                                                                     \
                "domain: {devices: {" devices                                                      \
                "}}, volumes: [{name: settings, configMap: {name: web}}]")
#define SHARED "filesystems: [{name: settings, virtiofs: {}}]"

static const struct lg_rule_example examples[] = {
    {.name = "the last version that cannot",
     .expect = LG_EXPECT_WARN,
     .object = VM(SHARED),
     .policy = LG_EX_VERSION("1.4"),
     .message = "filesystem \"settings\": virtiofs cannot be migrated before KubeVirt 1.5"},
    {.name = "the first version that can",
     .expect = LG_EXPECT_NOTHING,
     .object = VM(SHARED),
     .policy = LG_EX_VERSION("1.5")},
    {.name = "the newest version", .expect = LG_EXPECT_NOTHING, .object = VM(SHARED)},
    {.name = "no filesystems",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("disks: [{name: settings, disk: {}}]"),
     .policy = LG_EX_VERSION("1.0")},
    {.name = "a filesystem without a driver",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("filesystems: [{name: settings, virtiofs: null}]"),
     .policy = LG_EX_VERSION("1.0")},
    {.name = "while KubeVirt is on its way from one to the other",
     .expect = LG_EXPECT_WARN,
     .object = VM(SHARED),
     .inventory = LG_EX_KUBEVIRT(
         "status: {observedKubeVirtVersion: v1.4.1, targetKubeVirtVersion: v1.5.0}\n")},
    {0},
};

const struct lg_rule lg_rule_virtiofs = {
    .id = "LG107",
    .name = "virtiofs",
    .title = "a virtiofs filesystem, on KubeVirt up to 1.4",
    .rationale = "Up to 1.4 KubeVirt marks every guest with a virtiofs filesystem as not "
                 "live-migratable, be it a claim, a config map or a secret.",
    .remedy = "Attach the volume as a disk, or update KubeVirt to 1.5 or later.",
    .source = "KubeVirt up to 1.4 pkg/virt-handler/vm.go, calculateLiveMigrationCondition",
    .action = LG_ACTION_WARN,
    .kinds = LG_BIT(LG_KIND_VM) | LG_BIT(LG_KIND_VMI),
    .ops = LG_BIT(LG_OP_CREATE) | LG_BIT(LG_OP_UPDATE),
    .looks_up = LG_BIT(LG_KIND_KUBEVIRT),
    .kubevirt_reason = "VirtIOFSNotLiveMigratable",
    .check = check,
    .examples = examples,
};
