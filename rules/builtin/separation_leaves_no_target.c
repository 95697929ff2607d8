/* LG406: guests that have to stay apart, or together, leave no second place.
 *
 * The target pod of a migration is one more pod: three guests kept apart on three nodes all run,
 * and none can ever migrate. Judged against the VMIs of the inventory as the scheduler would
 * against their launcher pods; the guest's own VMI is not in its way. KubeVirt keeps guests apart,
 * too, that hold a SCSI persistent reservation on one claim (since 1.9). Pods that are no guest's,
 * and topologySpreadConstraints, are outside this answer. Source: Kubernetes scheduler, plugin
 * interpodaffinity; KubeVirt pkg/virt-controller/services, pod labels; pkg/storage/reservation.
 */
#include "rules/builtin/examples.h"
#include "rules/rule.h"

enum { NAMES_MAX = 5 };

static bool has_terms(const struct lg_vm *vm)
{
    static const char *const paths[] = {
        "affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution",
        "affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution",
    };
    return lg_json_len(lg_json_at(vm->spec, paths[0])) > 0 ||
           lg_json_len(lg_json_at(vm->spec, paths[1])) > 0;
}

/* KubeVirt then keeps it apart from others that do. */
static bool holds_reservation(const struct lg_rule_context *context)
{
    struct lg_val disks = lg_json_at(context->subject->vm.spec, "domain.devices.disks");
    for (struct lg_json_iter it = lg_json_iter(disks); lg_json_next(&it);)
        if (lg_json_bool(lg_json_at(it.val, "lun.reservation"), false))
            return lg_version_has(context->settings, LG_DIFFERENCE_RESERVATION_APART);
    return false;
}

/* False: it is not known, and said where the guest itself asks. */
static bool all_known(struct lg_rule_context *context)
{
    static const enum lg_kind kinds[] = {LG_KIND_VMI, LG_KIND_NODE};
    const struct lg_vm *vm = &context->subject->vm;
    bool known = true;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        if (lg_inventory_known(context->inventory, kinds[i]) == LG_KNOWN)
            continue;
        known = false;
        if (has_terms(vm) || holds_reservation(context))
            lg_rule_lacks(context, lg_json_get(vm->spec, "affinity"), kinds[i], LG_STR(""));
    }
    return known;
}

static struct lg_str keys_text(const struct lg_str *keys, size_t n, struct lg_arena *arena)
{
    struct lg_str text = LG_STR("");
    for (size_t i = 0; i < n; i++)
        text =
            lg_arena_printf(arena, "%.*s%s%.*s", LG_ARG(text), i > 0 ? ", " : "", LG_ARG(keys[i]));
    return text;
}

/* Two places or more are left, but source and target cannot have one each. */
static struct lg_str self_message(const struct lg_separation *separation, struct lg_arena *arena)
{
    if (separation->n_self_together > 0)
        return lg_arena_printf(
            arena,
            "required podAffinity binds the guest to itself (%.*s): the target "
            "of a migration would have to be where it runs",
            LG_ARG(keys_text(separation->self_together, separation->n_self_together, arena)));
    return lg_arena_printf(
        arena,
        "required podAntiAffinity keeps the guest apart from itself (%.*s), and all nodes that are "
        "left are one place: the target of a migration would have to be in another",
        LG_ARG(keys_text(separation->self_apart, separation->n_self_apart, arena)));
}

static void report(struct lg_rule_context *context, const struct lg_separation *separation,
                   const struct lg_requirements *separated, size_t places)
{
    struct lg_arena *arena = context->arena;
    const struct lg_node_table *nodes = lg_inventory_nodes(context->inventory);
    struct lg_place_summary summary;
    lg_placement_summary(separated, nodes, arena, &summary);
    struct lg_str only = lg_placement_names(separated, nodes, LG_PLACE_ELIGIBLE, NAMES_MAX, arena);
    if (lg_str_empty(only))
        only = lg_placement_names(separated, nodes, LG_PLACE_AWAY, NAMES_MAX, arena);
    struct lg_str message = self_message(separation, arena);
    if (places == 0)
        message = lg_arena_printf(arena,
                                  "guests that have to be apart or together leave no node: "
                                  "%.*s",
                                  LG_ARG(summary.excluded));
    else if (places == 1)
        message = lg_arena_printf(arena,
                                  "guests that have to be apart or together leave only %.*s, so "
                                  "the guest can start there and never migrate: %.*s",
                                  LG_ARG(only), LG_ARG(summary.excluded));
    struct lg_val affinity = lg_json_get(context->subject->vm.spec, "affinity");
    const struct lg_report report = {
        .at = lg_json_there(affinity) ? affinity : summary.at,
        .message = message,
        .fix = LG_STR("keep one node more than there are guests to keep apart, choose a wider "
                      "topologyKey for podAffinity, or prefer instead of require "
                      "(preferredDuringSchedulingIgnoredDuringExecution)"),
    };
    lg_rule_report(context, &report);
}

static void check(struct lg_rule_context *context)
{
    if (!all_known(context))
        return;
    const struct lg_separation *separation = lg_rule_separation(context);
    struct lg_place_count count = lg_rule_placement(context);
    if (separation == NULL || count.eligible + count.away < 2)
        return; /* LG401, LG402 */
    if (!lg_str_empty(separation->unknown_ns))
        lg_rule_lacks(context, lg_json_get(context->subject->vm.spec, "affinity"),
                      LG_KIND_NAMESPACE, separation->unknown_ns);
    const struct lg_node_table *nodes = lg_inventory_nodes(context->inventory);
    const struct lg_requirements *separated =
        lg_requirements_separated(lg_rule_requirements(context), separation, context->arena);
    lg_word *places = lg_arena_array(context->arena, lg_nodes_words(nodes), sizeof(lg_word));
    (void)lg_placement_places(separated, nodes, places);
    if (lg_separation_leaves_pair(separation, places, nodes))
        return;
    report(context, separation, separated, lg_placement_bits(places, nodes));
}

#define VM_LABELS "{app: db, tier: data}"
#define VM(affinity)                                                                               \
    LG_EX_VM("name: db-3, namespace: shop",                                                        \
             "spec:\n  template:\n    metadata: {labels: " VM_LABELS "}\n    spec: {" affinity     \
             "domain: {devices: {}}}\n")
#define REQUIRED(kind, term)                                                                       \
    "affinity: {" kind ": {requiredDuringSchedulingIgnoredDuringExecution: [{" term "}]}}"
#define APART(term)    REQUIRED("podAntiAffinity", term) ", "
#define TOGETHER(term) REQUIRED("podAffinity", term) ", "
#define APP_DB         "labelSelector: {matchLabels: {app: db}}, "
#define BY_HOST        "topologyKey: kubernetes.io/hostname"
#define BY_ZONE        "topologyKey: zone"
#define VMI(name, node, more)                                                                      \
    "---\n" LG_EX_VMI("name: " name ", namespace: shop, labels: " VM_LABELS,                       \
                      "spec: {domain: {}" more "}\nstatus: {phase: Running, nodeName: " node       \
                      "}\n")
#define NODE(name, zone)                                                                           \
    "---\n" LG_EX_NODE(name, ", kubernetes.io/hostname: " name ", zone: " zone, "")
#define THREE_NODES NODE("n1", "a") NODE("n2", "a") NODE("n3", "b")
#define GUESTS      LG_BIT(LG_KIND_VMI)

/* A cluster of guests over one LUN. */
#define LUN(claim, reservation)                                                                    \
    "domain: {devices: {disks: [{name: quorum, lun: {" reservation                                 \
    "}}]}}, volumes: [{name: quorum, persistentVolumeClaim: {claimName: " claim "}}]"
#define VM_LUN                                                                                     \
    LG_EX_VM("name: db-3, namespace: shop",                                                        \
             "spec: {template: {spec: {" LUN("quorum", "reservation: true") "}}}\n")
#define VMI_LUN(name, node, claim, reservation)                                                    \
    "---\n" LG_EX_VMI(                                                                             \
        "name: " name ", namespace: shop",                                                         \
        "spec: {" LUN(claim, reservation) "}\nstatus: {phase: Running, nodeName: " node "}\n")
#define TWO_HOLD                                                                                   \
    VMI_LUN("db-1", "n1", "quorum", "reservation: true")                                           \
    VMI_LUN("db-2", "n2", "quorum", "reservation: true")

static const struct lg_rule_example examples[] = {
    {.name = "two guests kept apart on three nodes",
     .expect = LG_EXPECT_NOTHING,
     .object = VM(APART(APP_DB BY_HOST)),
     .inventory = THREE_NODES VMI("db-1", "n1", "")},
    {.name = "three guests kept apart on three nodes",
     .expect = LG_EXPECT_WARN,
     .object = VM(APART(APP_DB BY_HOST)),
     .inventory = THREE_NODES VMI("db-1", "n1", "") VMI("db-2", "n2", ""),
     .message = "leave only n3, so the guest can start there and never migrate: 2 are places with "
                "a guest that podAntiAffinity keeps it apart from (n1, n2)"},
    {.name = "its own guest is not in its way",
     .expect = LG_EXPECT_NOTHING,
     .object = VM(APART(APP_DB BY_HOST)),
     .inventory = THREE_NODES VMI("db-3", "n1", "") VMI("db-2", "n2", "")},
    {.name = "three guests that hold a reservation on one claim, on three nodes",
     .expect = LG_EXPECT_WARN,
     .object = VM_LUN,
     .inventory = THREE_NODES TWO_HOLD,
     .message = "leave only n3, so the guest can start there and never migrate: 2 are places with "
                "a guest that holds a persistent reservation on the same claim (n1, n2)"},
    {.name = "KubeVirt before 1.9 does not keep them apart",
     .expect = LG_EXPECT_NOTHING,
     .object = VM_LUN,
     .inventory = THREE_NODES TWO_HOLD,
     .policy = LG_EX_VERSION("1.8")},
    {.name = "two of them on three nodes",
     .expect = LG_EXPECT_NOTHING,
     .object = VM_LUN,
     .inventory = THREE_NODES VMI_LUN("db-1", "n1", "quorum", "reservation: true")},
    {.name = "a claim of its own, and one without a reservation",
     .expect = LG_EXPECT_NOTHING,
     .object = VM_LUN,
     .inventory = THREE_NODES VMI_LUN("db-1", "n1", "other", "reservation: true")
         VMI_LUN("db-2", "n2", "quorum", "")},
    {.name = "who holds a reservation is not known",
     .expect = LG_EXPECT_PENDING,
     .object = VM_LUN,
     .inventory = THREE_NODES},
    {.name = "no affinity between guests at all",
     .expect = LG_EXPECT_NOTHING,
     .object = VM(""),
     .inventory = THREE_NODES VMI("db-1", "n1", "") VMI("db-2", "n2", "")},
    {.name = "apart by zone, and two zones: the target would need a third",
     .expect = LG_EXPECT_WARN,
     .object = VM(APART(APP_DB BY_ZONE)),
     .inventory = THREE_NODES VMI("db-1", "n3", ""),
     .message = "keeps the guest apart from itself (zone), and all nodes that are left are one "
                "place"},
    {.name = "others keep it off",
     .expect = LG_EXPECT_WARN,
     .object = VM(""),
     .inventory = THREE_NODES VMI("web-1", "n1", ", " REQUIRED("podAntiAffinity", APP_DB BY_ZONE)),
     .message = "leave only n3, so the guest can start there and never migrate: 2 are places with "
                "a guest that keeps it off by its own podAntiAffinity (n1, n2)"},
    {.name = "bound to the host of another guest",
     .expect = LG_EXPECT_WARN,
     .object = VM(TOGETHER("labelSelector: {matchLabels: {vm.kubevirt.io/name: db-1}}, " BY_HOST)),
     .inventory = THREE_NODES VMI("db-1", "n1", ""),
     .message = "leave only n1, so the guest can start there and never migrate: 2 have none of "
                "the guests that podAffinity asks for (n2, n3)"},
    {.name = "bound to the zone of another guest",
     .expect = LG_EXPECT_NOTHING,
     .object = VM(TOGETHER("labelSelector: {matchLabels: {vm.kubevirt.io/name: db-1}}, " BY_ZONE)),
     .inventory = THREE_NODES VMI("db-1", "n1", "")},
    {.name = "bound to itself by host",
     .expect = LG_EXPECT_WARN,
     .object = VM(TOGETHER(APP_DB BY_HOST)),
     .known = GUESTS,
     .inventory = THREE_NODES,
     .message = "required podAffinity binds the guest to itself (kubernetes.io/hostname)"},
    {.name = "other namespaces by their labels",
     .expect = LG_EXPECT_PENDING,
     .object =
         VM(APART("labelSelector: {}, namespaceSelector: {matchLabels: {team: a}}, " BY_HOST)),
     .inventory = THREE_NODES VMI("db-1", "n1", ""),
     .message = "namespace \"shop\""},
    {.name = "a selector of the wrong kind selects nobody",
     .expect = LG_EXPECT_NOTHING,
     .object = VM(APART("labelSelector: {matchExpressions: [{key: app, operator: Gt, values: "
                        "[\"1\"]}]}, " BY_HOST)),
     .inventory = THREE_NODES VMI("db-1", "n1", "") VMI("db-2", "n2", "")},
    {.name = "guests are not known",
     .expect = LG_EXPECT_PENDING,
     .object = VM(APART(APP_DB BY_HOST)),
     .inventory = THREE_NODES},
    {0},
};

const struct lg_rule lg_rule_separation_leaves_no_target = {
    .id = "LG406",
    .name = "separation-leaves-no-target",
    .title = "guests kept apart or together leave no second place",
    .rationale = "Required podAntiAffinity and podAffinity hold for the target pod of a migration "
                 "as well, while the guest still runs on its source. As many guests kept apart as "
                 "there are nodes all run, and none can ever migrate; a drain waits for ever.",
    .remedy = "Leave one node more than guests that are kept apart, or prefer instead of require.",
    .source = "Kubernetes pkg/scheduler, plugin interpodaffinity; KubeVirt "
              "pkg/virt-controller/services, labels of launcher pods",
    .action = LG_ACTION_WARN,
    .kinds = LG_BIT(LG_KIND_VM) | LG_BIT(LG_KIND_VMI),
    .ops = LG_BIT(LG_OP_CREATE) | LG_BIT(LG_OP_UPDATE),
    .looks_up = LG_BIT(LG_KIND_NODE) | LG_BIT(LG_KIND_VMI) | LG_BIT(LG_KIND_NAMESPACE) |
                LG_BIT(LG_KIND_KUBEVIRT),
    .strands = true,
    .check = check,
    .examples = examples,
};
