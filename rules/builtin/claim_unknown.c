/* LG102: whether a volume can be shared is not known yet.
 *
 * A claim that the same `oc apply` creates next, a class or a profile that is not there: that is no
 * violation, and it is no approval. The rule names what is missing, so that nobody takes silence
 * for a yes. Also said of a data volume whose access mode CDI itself cannot choose: it would stay
 * Pending.
 */
#include "rules/builtin/examples.h"
#include "rules/rule.h"

/* What the rendering could not settle, where nothing named is missing. */
static struct lg_str words_of(const struct lg_volume_claim *claim, struct lg_arena *arena)
{
    const struct lg_rendered *rendered = &claim->rendered;
    struct lg_str of_class = LG_STR("");
    if (rendered->has_class)
        of_class = lg_arena_printf(arena, " (class \"%.*s\")", LG_ARG(rendered->class_name));
    return lg_arena_printf(
        arena, "volume \"%.*s\": the access mode of claim \"%.*s\" is open: %s%.*s",
        LG_ARG(claim->volume), LG_ARG(claim->claim), rendered->why, LG_ARG(of_class));
}

static void check(struct lg_rule_context *context)
{
    size_t n = 0;
    const struct lg_volume_claim *claims = lg_rule_volume_claims(context, &n);
    for (size_t i = 0; i < n; i++) {
        const struct lg_rendered *rendered = &claims[i].rendered;
        if (rendered->resolved || claims[i].moving)
            continue;
        bool named = rendered->missing != LG_KIND_OTHER && rendered->missing_name.n != 0;
        bool unread = rendered->missing != LG_KIND_OTHER &&
                      lg_inventory_known(context->inventory, rendered->missing) != LG_KNOWN;
        if (named || unread)
            lg_rule_lacks(context, claims[i].at, rendered->missing, rendered->missing_name);
        else
            lg_rule_lacks_text(context, claims[i].at, words_of(&claims[i], context->arena));
    }
}

#define VM(head, volumes) LG_EX_VM_OF(LG_EX_ORDERS, head, "domain: {}" volumes)

#define DATA ", volumes: [{name: data, persistentVolumeClaim: {claimName: orders-db-data}}]"

#define TEMPLATE(storage)                                                                          \
    "  dataVolumeTemplates:\n"                                                                     \
    "  - metadata: {name: orders-db-data}\n"                                                       \
    "    spec: {source: {blank: {}}, storage: " storage "}\n"
#define CLAIM                                                                                      \
    LG_EX_CLAIM("name: orders-db-data, namespace: web-servers", "accessModes: [ReadWriteOnce]")
#define CLASS         LG_EX_CLASS("name: odd", "example.com/odd")
#define EMPTY_PROFILE "---\n" LG_EX_PROFILE("odd", "status: {}\n")
#define CLAIMS_KNOWN  (LG_BIT(LG_KIND_CLAIM) | LG_BIT(LG_KIND_DATA_VOLUME))

static const struct lg_rule_example examples[] = {
    {
        .name = "a claim that is there says its mode",
        .expect = LG_EXPECT_NOTHING,
        .object = VM("", DATA),
        .inventory = CLAIM,
    },
    {
        .name = "a claim that does not exist yet",
        .expect = LG_EXPECT_PENDING,
        .object = VM("", DATA),
        .known = CLAIMS_KNOWN,
        .message = "claim \"orders-db-data\" does not exist yet",
    },
    {
        .name = "claims that nobody gave",
        .expect = LG_EXPECT_PENDING,
        .object = VM("", DATA),
        .message = "not known: claim \"orders-db-data\"",
    },
    {
        .name = "a machine without volumes",
        .expect = LG_EXPECT_NOTHING,
        .object = VM("", ""),
    },
    {
        .name = "a template in a class that does not exist",
        .expect = LG_EXPECT_PENDING,
        .object = VM(TEMPLATE("{storageClassName: gone}"), DATA),
        .known = CLAIMS_KNOWN,
        .inventory = CLASS,
        .message = "storage class \"gone\" does not exist yet",
    },
    {
        .name = "a template without a class where none is the default",
        .expect = LG_EXPECT_PENDING,
        .object = VM(TEMPLATE("{}"), DATA),
        .known = CLAIMS_KNOWN,
        .inventory = CLASS,
        .message = "no storage class is the default",
    },
    {
        .name = "a class whose profile offers nothing",
        .expect = LG_EXPECT_PENDING,
        .object = VM(TEMPLATE("{storageClassName: odd}"), DATA),
        .known = CLAIMS_KNOWN,
        .inventory = CLASS EMPTY_PROFILE,
        .message = "the storage profile offers no access mode",
    },
    {
        .name = "policy may refuse what is not known",
        .expect = LG_EXPECT_DENY,
        .object = VM("", DATA),
        .known = CLAIMS_KNOWN,
        .policy = LG_EX_POLICY("rules: {LG102: {action: deny}}\n"),
    },
    {
        .name = "a template without a class, and a preference that may name one",
        .expect = LG_EXPECT_PENDING,
        .object = VM("  preference: {name: p2}\n" TEMPLATE("{resources: {}}"), DATA),
        .known = CLAIMS_KNOWN,
        .inventory = CLASS "---\n" LG_EX_PREFERENCE(""),
        .message = "cluster preference \"p2\" does not exist yet",
    },
    {0},
};

const struct lg_rule lg_rule_claim_unknown = {
    .id = "LG102",
    .name = "claim-unknown",
    .title = "the access mode of a volume's claim cannot be known yet",
    .rationale = "Whether a disk can be shared depends on its claim, and for a claim that CDI will "
                 "make on the storage "
                 "class and its profile. While one of them is missing nobody can say whether the "
                 "guest will be able "
                 "to move; when all are there it is judged again.",
    .remedy = "Create the claim, the storage class or the profile that is named, or set the access "
              "mode in the data "
              "volume template. Offline, give the missing objects with --inventory.",
    .source = "kubevirt pkg/virt-handler/vm.go (checkVolumesForMigration: unable to determine); "
              "containerized-data-importer pkg/controller/datavolume/util.go",
    .action = LG_ACTION_PENDING,
    .ident_alone = true,
    .kinds = LG_BIT(LG_KIND_VM) | LG_BIT(LG_KIND_VMI),
    .ops = LG_BIT(LG_OP_CREATE) | LG_BIT(LG_OP_UPDATE),
    .looks_up = LG_PREFERENCES | LG_BIT(LG_KIND_CLAIM) | LG_BIT(LG_KIND_DATA_VOLUME) |
                LG_BIT(LG_KIND_STORAGE_CLASS) | LG_BIT(LG_KIND_STORAGE_PROFILE),
    .kubevirt_reason = "DisksNotLiveMigratable",
    .check = check,
    .examples = examples,
};
