/* LG108: a LUN with a SCSI persistent reservation, on a KubeVirt that cannot move it.
 *
 * Up to 1.8 KubeVirt migrates no guest with one. Since 1.9 it does, and only moving the guest's
 * volumes is refused.
 * Source: KubeVirt pkg/virt-handler/vm.go.
 */
#include "rules/builtin/examples.h"
#include "rules/rule.h"

static void check(struct lg_rule_context *context)
{
    if (!lg_version_has(context->settings, LG_DIFFERENCE_RESERVATION_STAYS))
        return;
    struct lg_val list = lg_json_at(context->subject->vm.spec, "domain.devices.disks");
    for (struct lg_json_iter it = lg_json_iter(list); lg_json_next(&it);) {
        struct lg_val reservation = lg_json_at(it.val, "lun.reservation");
        if (!lg_json_bool(reservation, false))
            continue;
        struct lg_str name = lg_json_str_at(it.val, "name");
        const struct lg_report report = {
            .at = reservation,
            .about = name,
            .ident = LG_STR("reservation"),
            .message = lg_arena_printf(context->arena,
                                       "disk \"%.*s\": a SCSI persistent reservation cannot be "
                                       "migrated before KubeVirt 1.9",
                                       LG_ARG(name)),
            .fix = LG_STR("take \"reservation: true\" out where the guest's cluster software "
                          "can do without, or update KubeVirt to 1.9"),
        };
        lg_rule_report(context, &report);
    }
}

#define VM(lun)                                                                                    \
    LG_EX_VM_OF("name: node-a, namespace: shop", "",                                               \
                "domain: {devices: {disks: [{name: quorum" lun "}]}}")

static const struct lg_rule_example examples[] = {
    {.name = "the last version that cannot",
     .expect = LG_EXPECT_WARN,
     .object = VM(", lun: {reservation: true}"),
     .policy = LG_EX_VERSION("1.8"),
     .message = "disk \"quorum\": a SCSI persistent reservation cannot be migrated"},
    {.name = "the first version that can",
     .expect = LG_EXPECT_NOTHING,
     .object = VM(", lun: {reservation: true}"),
     .policy = LG_EX_VERSION("1.9")},
    {.name = "the newest version",
     .expect = LG_EXPECT_NOTHING,
     .object = VM(", lun: {reservation: true}")},
    {.name = "a LUN without a reservation",
     .expect = LG_EXPECT_NOTHING,
     .object = VM(", lun: {reservation: false}"),
     .policy = LG_EX_VERSION("1.0")},
    {.name = "nothing is said of it",
     .expect = LG_EXPECT_NOTHING,
     .object = VM(", lun: {bus: scsi}"),
     .policy = LG_EX_VERSION("1.0")},
    {.name = "a disk",
     .expect = LG_EXPECT_NOTHING,
     .object = VM(", disk: {bus: virtio}"),
     .policy = LG_EX_VERSION("1.0")},
    {0},
};

const struct lg_rule lg_rule_persistent_reservation = {
    .id = "LG108",
    .name = "persistent-reservation",
    .title = "a SCSI persistent reservation, on KubeVirt up to 1.8",
    .rationale = "Up to 1.8 KubeVirt marks a guest with a LUN that takes SCSI persistent "
                 "reservations as not live-migratable.",
    .remedy = "Do without the reservation, or update KubeVirt to 1.9 or later.",
    .source = "KubeVirt up to 1.8 pkg/virt-handler/vm.go, calculateLiveMigrationCondition",
    .action = LG_ACTION_WARN,
    .kinds = LG_BIT(LG_KIND_VM) | LG_BIT(LG_KIND_VMI),
    .ops = LG_BIT(LG_OP_CREATE) | LG_BIT(LG_OP_UPDATE),
    .looks_up = LG_BIT(LG_KIND_KUBEVIRT),
    .kubevirt_reason = "PersistentReservationNotLiveMigratable",
    .check = check,
    .examples = examples,
};
