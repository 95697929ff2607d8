/* LG501: the guest is to be migrated when its node is drained, and cannot be.
 *
 * KubeVirt answers the eviction of such a guest with 429 for ever, so that a drain, and with it an
 * upgrade of the cluster, waits until somebody stops the guest by hand. Whether it can move is what
 * the rules before this one found: the reasons of KubeVirt's condition, and a guest that no second
 * node can take. In a denial it is said in the head of the message. A guest that does not say is
 * left alone while no default is known: what keeps it from moving is said already.
 * Source: kubevirt pkg/virt-api/webhooks/validating-webhook/admitters/pod-eviction-admitter.go.
 */
#include "rules/builtin/examples.h"
#include "rules/rule.h"
#include "rules/virt/eviction.h"

static void say(struct lg_rule_context *context, const struct lg_eviction *eviction)
{
    bool external = lg_str_is(eviction->strategy, "External");
    const char *what =
        external ? "waits until another controller stops the guest" : "waits for ever";
    struct lg_arena *arena = context->arena;
    const struct lg_report report = {
        .at = lg_json_there(eviction->at) ? eviction->at : context->subject->vm.spec,
        .message = lg_arena_printf(
            arena,
            "evictionStrategy %.*s%s, and the guest cannot be migrated: a drain of its node %s",
            LG_ARG(eviction->strategy), lg_eviction_source(eviction->from), what),
        .head = lg_arena_printf(
            arena,
            "with evictionStrategy %.*s a drain of its node %s; LiveMigrateIfPossible would "
            "shut it down",
            LG_ARG(eviction->strategy), what),
        .fix =
            LG_STR("make it migratable; or set evictionStrategy: LiveMigrateIfPossible, so that a "
                   "drain shuts it down and its runStrategy starts it elsewhere"),
    };
    lg_rule_report(context, &report);
}

static void check(struct lg_rule_context *context)
{
    if (lg_rule_mobility(context) != LG_IMMOBILE)
        return;
    struct lg_eviction eviction = lg_eviction_of(&context->subject->vm, context->settings);
    if (lg_str_is(eviction.strategy, "LiveMigrate") || lg_str_is(eviction.strategy, "External"))
        say(context, &eviction);
}

#define POD_NETWORK(interface)                                                                     \
    "networks: [{name: default, pod: {}}], domain: {devices: {interfaces: [{name: "                \
    "default, " interface ": {}}]}}"
#define VM(eviction, interface) LG_EX_VM_OF(LG_EX_WEB, "", eviction POD_NETWORK(interface))
#define STRATEGY(s)             "evictionStrategy: " s ", "
#define NODE(name)                                                                                 \
    "---\n" LG_EX_NODE(name, ", kubernetes.io/hostname: " name ", kubernetes.io/arch: amd64",      \
                       "status: {conditions: [{type: Ready, status: \"True\"}]}\n")

static const struct lg_rule_example examples[] = {
    {.name = "a guest that can be migrated",
     .expect = LG_EXPECT_NOTHING,
     .object = VM(STRATEGY("LiveMigrate"), "masquerade")},
    {.name = "a guest that cannot, with LiveMigrate of its own",
     .expect = LG_EXPECT_WARN,
     .object = VM(STRATEGY("LiveMigrate"), "bridge"),
     .message = "evictionStrategy LiveMigrate, and the guest cannot be migrated: a drain of its "
                "node waits for ever"},
    {.name = "External waits for somebody else",
     .expect = LG_EXPECT_WARN,
     .object = VM(STRATEGY("External"), "bridge"),
     .message = "waits until another controller stops the guest"},
    {.name = "LiveMigrateIfPossible never waits",
     .expect = LG_EXPECT_NOTHING,
     .object = VM(STRATEGY("LiveMigrateIfPossible"), "bridge"),
     .inventory = LG_EX_CONFIGURATION("evictionStrategy: LiveMigrate")},
    {.name = "the field is absent: the KubeVirt CR's counts",
     .expect = LG_EXPECT_WARN,
     .object = VM("", "bridge"),
     .inventory = LG_EX_CONFIGURATION("evictionStrategy: LiveMigrate"),
     .message =
         "evictionStrategy LiveMigrate, which is this KubeVirt's for guests that do not say"},
    {.name = "absent everywhere: upstream's default is None",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("", "bridge"),
     .inventory = LG_EX_CONFIGURATION("")},
    {.name = "only HyperConverged is known, which sets LiveMigrate",
     .expect = LG_EXPECT_WARN,
     .object = VM("", "bridge"),
     .known = LG_BIT(LG_KIND_KUBEVIRT),
     .inventory = LG_EX_HYPERCONVERGED(""),
     .message = "which HyperConverged sets for guests that do not say"},
    {.name = "nothing is known of the cluster's default",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("", "bridge")},
    {.name = "no second node fits",
     .expect = LG_EXPECT_WARN,
     .object =
         VM(STRATEGY("LiveMigrate") "nodeSelector: {kubernetes.io/hostname: a}, ", "masquerade"),
     .inventory = NODE("a") NODE("b")},
    {.name = "an instance",
     .expect = LG_EXPECT_WARN,
     .object = LG_EX_VMI(LG_EX_WEB, "spec: {" STRATEGY("LiveMigrate") POD_NETWORK("bridge") "}\n")},
    {0},
};

const struct lg_rule lg_rule_eviction_contradiction = {
    .id = "LG501",
    .name = "eviction-contradiction",
    .title = "a drain would wait for ever for a guest that cannot be migrated",
    .rationale =
        "With evictionStrategy LiveMigrate or External KubeVirt refuses to evict the guest's "
        "pod until the guest has moved. One that cannot move blocks the drain of its node, "
        "and so the upgrade of the cluster, until somebody stops it by hand.",
    .remedy = "Mend what keeps the guest from moving; the other findings name it. Or set "
              "evictionStrategy: LiveMigrateIfPossible, so that a drain shuts it down and its "
              "runStrategy starts it on another node.",
    .source =
        "kubevirt pkg/virt-api/webhooks/validating-webhook/admitters/pod-eviction-admitter.go",
    .action = LG_ACTION_WARN,
    .kinds = LG_BIT(LG_KIND_VM) | LG_BIT(LG_KIND_VMI),
    .ops = LG_BIT(LG_OP_CREATE) | LG_BIT(LG_OP_UPDATE),
    .looks_up = LG_BIT(LG_KIND_KUBEVIRT) | LG_BIT(LG_KIND_HYPERCONVERGED),
    .of_drains = true,
    .check = check,
    .examples = examples,
};
