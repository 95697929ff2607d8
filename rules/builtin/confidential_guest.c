/* LG303: memory that only its own processor can read.
 *
 * KubeVirt does not migrate guests with AMD SEV or SNP, with Intel TDX (since it knows it, 1.7),
 * and with Secure Execution, which is launchSecurity of any kind on s390x (since 1.6); the
 * architecture may be the cluster's default. An empty launchSecurity elsewhere is nothing, and
 * keeps a preference from bringing another; but a preference may still bring the architecture.
 * Source: KubeVirt pkg/util/amd64.go, s390x.go; pkg/virt-handler/vm.go;
 * pkg/instancetype/preference/apply.
 */
#include "rules/builtin/examples.h"
#include "rules/rule.h"

static void report(struct lg_rule_context *context, struct lg_val at, const char *what,
                   const char *ident, const char *kubevirt_reason)
{
    const struct lg_report report = {
        .at = at,
        .ident = lg_str_of(ident),
        .message = lg_arena_printf(context->arena,
                                   "a guest with %s cannot be migrated: its memory is encrypted "
                                   "for the node it runs on",
                                   what),
        .fix = LG_STR("take launchSecurity out where the guest can do without; else say that it "
                      "stays: evictionStrategy: None"),
        .kubevirt_reason = kubevirt_reason,
    };
    lg_rule_report(context, &report);
}

/* The guest does not say its architecture, and where it is s390x, launchSecurity of any kind
 * counts. */
static bool may_become_s390x(const struct lg_rule_context *context)
{
    const struct lg_vm *vm = &context->subject->vm;
    return !lg_json_there(lg_json_get(vm->spec, "architecture")) &&
           !lg_guest_is_architecture(vm->spec, context->settings, "s390x") &&
           lg_version_has(context->settings, LG_DIFFERENCE_SECURE_EXECUTION_STAYS);
}

static void check(struct lg_rule_context *context)
{
    const struct lg_vm *vm = &context->subject->vm;
    const struct lg_settings *settings = context->settings;
    struct lg_val launch = lg_json_at(vm->spec, "domain.launchSecurity");
    struct lg_val sev = lg_json_get(launch, "sev");
    struct lg_val snp = lg_json_get(launch, "snp");
    struct lg_val tdx = lg_json_get(launch, "tdx");
    if (lg_json_there(sev))
        report(context, sev, "AMD SEV", "sev", "SEVNotLiveMigratable");
    if (lg_json_there(snp))
        report(context, snp, "AMD SEV-SNP", "snp", "SEVNotLiveMigratable");
    if (lg_json_there(tdx) && lg_version_has(settings, LG_DIFFERENCE_TDX_STAYS))
        report(context, tdx, "Intel TDX", "tdx", "TDXNotLiveMigratable");
    if (lg_json_there(launch) && lg_guest_is_architecture(vm->spec, settings, "s390x") &&
        lg_version_has(settings, LG_DIFFERENCE_SECURE_EXECUTION_STAYS))
        report(context, launch, "Secure Execution (launchSecurity on s390x)", "secure-execution",
               "SecureExecutionNotLiveMigratable");
    if (!lg_json_there(launch))
        (void)lg_rule_lacks_parts(context, LG_ANY_PART);
    else if (may_become_s390x(context) && !lg_json_there(sev) && !lg_json_there(snp) &&
             !lg_json_there(tdx))
        (void)lg_rule_lacks_parts(context, LG_BIT(LG_PART_PREFERENCE));
}

#define VM(head, spec) LG_EX_VM_OF("name: vault, namespace: shop", head, spec)
#define LAUNCH(what)   "domain: {launchSecurity: {" what "}}"

static const struct lg_rule_example examples[] = {
    {.name = "AMD SEV",
     .expect = LG_EXPECT_WARN,
     .object = VM("", LAUNCH("sev: {}")),
     .policy = LG_EX_VERSION("1.0"),
     .message = "a guest with AMD SEV cannot be migrated"},
    {.name = "AMD SEV-SNP", .expect = LG_EXPECT_WARN, .object = VM("", LAUNCH("snp: {}"))},
    {.name = "TDX, where KubeVirt knows it",
     .expect = LG_EXPECT_WARN,
     .object = VM("", LAUNCH("tdx: {}")),
     .policy = LG_EX_VERSION("1.7"),
     .message = "Intel TDX"},
    {.name = "TDX before that",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("", LAUNCH("tdx: {}")),
     .policy = LG_EX_VERSION("1.6")},
    {.name = "Secure Execution, where KubeVirt knows it",
     .expect = LG_EXPECT_WARN,
     .object = VM("", "architecture: s390x, " LAUNCH("")),
     .policy = LG_EX_VERSION("1.6"),
     .message = "Secure Execution"},
    {.name = "Secure Execution before that",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("", "architecture: s390x, " LAUNCH("")),
     .policy = LG_EX_VERSION("1.5")},
    {.name = "Secure Execution on the cluster's default architecture",
     .expect = LG_EXPECT_WARN,
     .object = VM("", LAUNCH("")),
     .inventory = LG_EX_KUBEVIRT("status: {defaultArchitecture: s390x}\n")},
    {.name = "an empty launchSecurity elsewhere is nothing",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("", "architecture: amd64, " LAUNCH("sev: null"))},
    {.name = "no launchSecurity", .expect = LG_EXPECT_NOTHING, .object = VM("", "domain: {}")},
    {.name = "a preference that is not known may bring it",
     .expect = LG_EXPECT_PENDING,
     .object = VM("  preference: {name: sealed}\n", "domain: {}"),
     .message = "preference \"sealed\""},
    {.name = "a preference that is not known may make an empty one Secure Execution",
     .expect = LG_EXPECT_PENDING,
     .object = VM("  preference: {name: sealed}\n", LAUNCH("")),
     .message = "preference \"sealed\""},
    {.name = "not where the guest says its architecture",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("  preference: {name: sealed}\n", "architecture: amd64, " LAUNCH(""))},
    {.name = "nor where KubeVirt does not know Secure Execution",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("  preference: {name: sealed}\n", LAUNCH("")),
     .policy = LG_EX_VERSION("1.5")},
    {.name = "a preference brings the architecture",
     .expect = LG_EXPECT_WARN,
     .object = VM("  preference: {name: p1}\n", LAUNCH("")),
     .inventory = LG_EX_PREFERENCE("preferredArchitecture: s390x"),
     .message = "Secure Execution"},
    {.name = "a preference brings it",
     .expect = LG_EXPECT_WARN,
     .object = VM("  preference: {name: p1}\n", "domain: {}"),
     .inventory = LG_EX_PREFERENCE("preferredLaunchSecurity: {sev: {}}"),
     .message = "preference \"p1\" brings this: a guest with AMD SEV"},
    {0},
};

const struct lg_rule lg_rule_confidential_guest = {
    .id = "LG303",
    .name = "confidential-guest",
    .title = "the guest's memory is encrypted for its node (SEV, SNP, TDX, Secure Execution)",
    .rationale = "The processor that encrypts a confidential guest's memory keeps the key; another "
                 "node cannot read what would be moved. KubeVirt marks such guests as not "
                 "live-migratable.",
    .remedy = "Do without launchSecurity, or declare the guest immovable: evictionStrategy: None.",
    .source = "KubeVirt pkg/util/amd64.go and s390x.go, pkg/virt-handler/vm.go",
    .action = LG_ACTION_WARN,
    .kinds = LG_BIT(LG_KIND_VM) | LG_BIT(LG_KIND_VMI),
    .ops = LG_BIT(LG_OP_CREATE) | LG_BIT(LG_OP_UPDATE),
    .looks_up = LG_INSTANCETYPES | LG_PREFERENCES | LG_BIT(LG_KIND_KUBEVIRT),
    .kubevirt_reason = "SEVNotLiveMigratable, TDXNotLiveMigratable or "
                       "SecureExecutionNotLiveMigratable",
    .check = check,
    .examples = examples,
};
