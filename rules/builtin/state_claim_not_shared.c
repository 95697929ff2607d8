/* LG109: the claim that keeps a TPM's or EFI's state can be reached from one node.
 *
 * KubeVirt makes that claim itself. Before 1.3 it always asked for ReadWriteMany; since 1.4 it
 * hands the contents over. In between the class decides, and a guest whose state stands in a
 * ReadWriteOnce claim is not migrated. Class: that of the KubeVirt CR (vmStateStorageClass), else
 * the default for guests, else the default. Mode: of the profile's Filesystem sets, ReadWriteMany
 * first; without one ReadWriteMany where the CR names the class, else ReadWriteOnce.
 * Source: KubeVirt 1.3 pkg/storage/backend-storage/backend-storage.go.
 */
#include "rules/builtin/examples.h"
#include "rules/rule.h"

/* Where the guest asks for state that outlives it; absent: nowhere. */
static struct lg_val state_of(struct lg_val spec)
{
    struct lg_val tpm = lg_json_at(spec, "domain.devices.tpm");
    struct lg_val persistent = lg_json_get(tpm, "persistent");
    if (lg_guest_feature_is_on(tpm) && lg_json_bool(persistent, false))
        return persistent;
    persistent = lg_json_at(spec, "domain.firmware.bootloader.efi.persistent");
    return lg_json_bool(persistent, false) ? persistent : LG_NONE;
}

enum answer { SHARED, NOT_SHARED, OPEN };

/* What the class's profile makes of the claim. */
static enum answer mode_of(const struct lg_storage_profile *profile, bool named)
{
    bool any = false;
    for (uint32_t i = 0; profile != NULL && i < profile->n_sets; i++) {
        if (profile->sets[i].volume_mode != LG_VOLUME_MODE_FILESYSTEM)
            continue;
        any = true;
        if (lg_modes_shared(&profile->sets[i].modes))
            return SHARED;
    }
    return !any && named ? SHARED : NOT_SHARED;
}

/* The claim's class; says what is not known. */
static enum answer class_of(struct lg_rule_context *context, struct lg_val at,
                            struct lg_str *ret_class)
{
    *ret_class = context->settings->state_class;
    if (!lg_str_empty(*ret_class))
        return SHARED;
    const struct lg_storage_class *class = NULL;
    struct lg_storage_view view = lg_inventory_storage(context->inventory);
    enum lg_lookup found = view.class_default(view.arg, true, &class);
    if (found == LG_UNKNOWN)
        lg_rule_lacks(context, at, LG_KIND_STORAGE_CLASS, LG_STR(""));
    if (found == LG_FOUND)
        *ret_class = class->r.name;
    return found == LG_UNKNOWN ? OPEN : found == LG_FOUND ? SHARED : NOT_SHARED;
}

static void report(struct lg_rule_context *context, struct lg_val at, struct lg_str class)
{
    struct lg_str of_class = LG_STR("no class is the default");
    if (!lg_str_empty(class))
        of_class = lg_arena_printf(context->arena, "class \"%.*s\"", LG_ARG(class));
    const struct lg_report report = {
        .at = at,
        .ident = class,
        .message = lg_arena_printf(context->arena,
                                   "the claim that keeps the state of the guest's TPM or EFI will "
                                   "be ReadWriteOnce (%.*s); KubeVirt 1.3 cannot migrate it",
                                   LG_ARG(of_class)),
        .fix = lg_arena_printf(context->arena,
                               "set vmStateStorageClass in %s to a class whose profile has "
                               "ReadWriteMany for Filesystem, or update KubeVirt to 1.4",
                               lg_settings_cr(context->settings)),
    };
    lg_rule_report(context, &report);
}

static void check(struct lg_rule_context *context)
{
    struct lg_val at = state_of(context->subject->vm.spec);
    if (!lg_version_has(context->settings, LG_DIFFERENCE_STATE_CLAIM_STAYS))
        return;
    if (!lg_json_there(at)) {
        (void)lg_rule_lacks_parts(context, LG_BIT(LG_PART_PREFERENCE));
        return;
    }
    struct lg_str class = LG_STR("");
    enum answer answer = class_of(context, at, &class);
    if (answer == SHARED) {
        const struct lg_storage_profile *profile = NULL;
        struct lg_storage_view view = lg_inventory_storage(context->inventory);
        if (view.profile_by_name(view.arg, class, &profile) == LG_UNKNOWN) {
            lg_rule_lacks(context, at, LG_KIND_STORAGE_PROFILE, class);
            return;
        }
        answer = mode_of(profile, !lg_str_empty(context->settings->state_class));
    }
    if (answer == NOT_SHARED)
        report(context, at, class);
}

#define VM(head, domain) LG_EX_VM_OF(LG_EX_WEB, head, "domain: {" domain "}")
#define TPM              "devices: {tpm: {persistent: true}}"
#define CLASS(sets)                                                                                \
    LG_EX_CLASS(                                                                                   \
        "name: local, annotations: {storageclass.kubernetes.io/is-default-class: \"true\"}",       \
        "example.com/local")                                                                       \
    "---\n" LG_EX_PROFILE("local", "status: {claimPropertySets: [" sets "]}\n")
#define RWO             "{accessModes: [ReadWriteOnce], volumeMode: Filesystem}"
#define RWX             "{accessModes: [ReadWriteMany], volumeMode: Filesystem}"
#define RWX_BLOCK       "{accessModes: [ReadWriteMany], volumeMode: Block}"
#define KUBEVIRT(class) "---\n" LG_EX_CONFIGURATION("vmStateStorageClass: " class)

static const struct lg_rule_example examples[] = {
    {.name = "a persistent TPM on a class for one node",
     .expect = LG_EXPECT_WARN,
     .object = VM("", TPM),
     .inventory = CLASS(RWX_BLOCK ", " RWO),
     .policy = LG_EX_VERSION("1.3"),
     .message = "will be ReadWriteOnce (class \"local\"); KubeVirt 1.3 cannot migrate it"},
    {.name = "persistent EFI variables",
     .expect = LG_EXPECT_WARN,
     .object = VM("", "firmware: {bootloader: {efi: {persistent: true}}}"),
     .inventory = CLASS(RWO),
     .policy = LG_EX_VERSION("1.3")},
    {.name = "a class that shares",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("", TPM),
     .inventory = CLASS(RWO ", " RWX),
     .policy = LG_EX_VERSION("1.3")},
    {.name = "before that KubeVirt always asked for a shared claim",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("", TPM),
     .inventory = CLASS(RWO),
     .policy = LG_EX_VERSION("1.2")},
    {.name = "since then it hands the state over",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("", TPM),
     .inventory = CLASS(RWO),
     .policy = LG_EX_VERSION("1.4")},
    {.name = "a class that the KubeVirt CR names is asked for a shared claim",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("", TPM),
     .inventory = CLASS(RWO) KUBEVIRT("shared"),
     .policy = LG_EX_VERSION("1.3")},
    {.name = "unless its profile says otherwise",
     .expect = LG_EXPECT_WARN,
     .object = VM("", TPM),
     .inventory = CLASS(RWO) KUBEVIRT("local"),
     .policy = LG_EX_VERSION("1.3")},
    {.name = "a TPM that is switched off",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("", "devices: {tpm: {enabled: false, persistent: true}}"),
     .inventory = CLASS(RWO),
     .policy = LG_EX_VERSION("1.3")},
    {.name = "a TPM that forgets",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("", "devices: {tpm: {}}"),
     .inventory = CLASS(RWO),
     .policy = LG_EX_VERSION("1.3")},
    {.name = "neither TPM nor EFI",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("", ""),
     .inventory = CLASS(RWO),
     .policy = LG_EX_VERSION("1.3")},
    {.name = "classes are not known",
     .expect = LG_EXPECT_PENDING,
     .object = VM("", TPM),
     .policy = LG_EX_VERSION("1.3")},
    {.name = "a preference that is not known may bring a TPM",
     .expect = LG_EXPECT_PENDING,
     .object = VM("  preference: {name: windows}\n", ""),
     .policy = LG_EX_VERSION("1.3"),
     .message = "preference \"windows\""},
    {.name = "a preference brings a TPM",
     .expect = LG_EXPECT_WARN,
     .object = VM("  preference: {name: p1}\n", ""),
     .inventory =
         LG_EX_PREFERENCE("devices: {preferredTPM: {persistent: true}}") "---\n" CLASS(RWO),
     .policy = LG_EX_VERSION("1.3"),
     .message = "preference \"p1\" brings this: "},
    {0},
};

const struct lg_rule lg_rule_state_claim_not_shared = {
    .id = "LG109",
    .name = "state-claim-not-shared",
    .title = "persistent TPM or EFI on a class without ReadWriteMany, on KubeVirt 1.3",
    .rationale = "KubeVirt keeps the state of a persistent TPM or EFI in a claim that it makes "
                 "itself. In 1.3 that claim may be ReadWriteOnce, and the guest is then marked as "
                 "not live-migratable; later versions hand the state over.",
    .remedy =
        "Name a storage class with ReadWriteMany for Filesystem as vmStateStorageClass in "
        "the KubeVirt CR (in the HyperConverged CR where there is one), or update KubeVirt to "
        "1.4 or later.",
    .source = "KubeVirt 1.3 pkg/storage/backend-storage/backend-storage.go",
    .action = LG_ACTION_WARN,
    .kinds = LG_BIT(LG_KIND_VM) | LG_BIT(LG_KIND_VMI),
    .ops = LG_BIT(LG_OP_CREATE) | LG_BIT(LG_OP_UPDATE),
    .looks_up = LG_PREFERENCES | LG_BIT(LG_KIND_KUBEVIRT) | LG_BIT(LG_KIND_STORAGE_CLASS) |
                LG_BIT(LG_KIND_STORAGE_PROFILE),
    .kubevirt_reason = "DisksNotLiveMigratable",
    .check = check,
    .examples = examples,
};
