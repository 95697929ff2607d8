/* LG405: the guest is larger than the nodes that it could run on.
 *
 * What the guest asks for is held against what each node can give at all (status.allocatable), not
 * against what is free: that changes by the minute. One node that is large enough lets the guest
 * start and never migrate. What the launcher takes for itself comes on top and is not counted.
 * Source: Kubernetes scheduler, noderesources; KubeVirt pkg/virt-controller/services, resource
 * renderer.
 */
#include "rules/builtin/examples.h"
#include "rules/rule.h"
#include "rules/virt/size.h"

enum { WORD_BITS = 64 };

struct tally {
    size_t places, fits;
    const struct lg_node *only;    /* the last that fits */
    const struct lg_node *largest; /* by what is short most often: see shortage */
};

/* What of the guest's size the node cannot give: the first kind, or NULL. */
static const char *shortage(const struct lg_capacity *size, const struct lg_node *node,
                            int64_t *ret_asked, int64_t *ret_has)
{
    const char *name;
    size_t pos = 0;
    while (lg_size_next(size, &node->allocatable, &pos, &name, ret_asked, ret_has))
        if (*ret_has >= 0 && *ret_asked > *ret_has)
            return name;
    return NULL;
}

static bool larger(const struct lg_capacity *size, const struct lg_node *a, const struct lg_node *b)
{
    int64_t asked, has_a, has_b;
    const char *name_a, *name_b;
    size_t pos_a = 0, pos_b = 0;
    if (b == NULL)
        return true;
    while (lg_size_next(size, &a->allocatable, &pos_a, &name_a, &asked, &has_a) &&
           lg_size_next(size, &b->allocatable, &pos_b, &name_b, &asked, &has_b))
        if (has_a != has_b)
            return has_a > has_b;
    return lg_str_cmp(a->r.name, b->r.name) < 0;
}

/* Ends early: two that fit are enough. */
static struct tally tally_of(const struct lg_capacity *size, const lg_word *places,
                             const struct lg_node_table *nodes)
{
    struct tally tally = {0};
    for (size_t w = 0; w < lg_nodes_words(nodes); w++) {
        for (lg_word left = places[w]; left != 0 && tally.fits < 2; left &= left - 1) {
            const struct lg_node *node =
                lg_nodes_at(nodes, w * WORD_BITS + (size_t)__builtin_ctzll(left));
            tally.places++;
            if (lg_size_fits(size, &node->allocatable)) {
                tally.fits++;
                tally.only = node;
            } else if (larger(size, node, tally.largest)) {
                tally.largest = node;
            }
        }
    }
    return tally;
}

/* Where the guest asks for it. */
static struct lg_val asked_at(struct lg_val spec, const char *kind)
{
    static const char *const cpu[] = {"domain.resources.requests.cpu",
                                      "domain.resources.limits.cpu", "domain.cpu"};
    static const char *const memory[] = {"domain.resources.requests.memory",
                                         "domain.resources.limits.memory", "domain.memory.guest"};
    static const char *const huge[] = {"domain.memory.guest", "domain.resources.requests.memory",
                                       "domain.resources.limits.memory"};
    const char *const *paths = strcmp(kind, "cpu") == 0      ? cpu
                               : strcmp(kind, "memory") == 0 ? memory
                                                             : huge;
    size_t i = 0;
    while (i < 2 && !lg_json_there(lg_json_at(spec, paths[i])))
        i++;
    return lg_json_at(spec, paths[i]);
}

static void report(struct lg_rule_context *context, const struct lg_capacity *size,
                   const struct tally *tally)
{
    struct lg_arena *arena = context->arena;
    int64_t asked = 0, has = 0;
    const char *kind = shortage(size, tally->largest, &asked, &has);
    struct lg_str how = lg_arena_printf(
        arena, "%s %.*s is asked for, and the %s of the %s, %.*s, has %.*s", kind,
        LG_ARG(lg_size_text(kind, asked, arena)), tally->fits == 0 ? "largest" : "next",
        tally->fits == 0 ? "nodes that fit otherwise" : "others", LG_ARG(tally->largest->r.name),
        LG_ARG(lg_size_text(kind, has, arena)));
    struct lg_str message = lg_arena_printf(arena, "no node is large enough: %.*s", LG_ARG(how));
    if (tally->fits == 1)
        message = lg_arena_printf(arena,
                                  "only %.*s is large enough, so the guest can start there and "
                                  "never migrate: %.*s",
                                  LG_ARG(tally->only->r.name), LG_ARG(how));
    const struct lg_report report = {
        .at = asked_at(context->subject->vm.spec, kind),
        .message = message,
        .fix = LG_STR("ask for less, or let the guest run on larger nodes"),
    };
    lg_rule_report(context, &report);
}

static void check(struct lg_rule_context *context)
{
    if (lg_rule_lacks_nodes(context, context->subject->vm.spec))
        return;
    const struct lg_node_table *nodes = lg_inventory_nodes(context->inventory);
    struct lg_capacity size = lg_guest_size(context->subject->vm.spec, context->settings);
    struct tally tally = tally_of(&size, lg_rule_places(context), nodes);
    if (tally.largest != NULL && tally.fits < 2)
        report(context, &size, &tally);
    else if (tally.places > 0)
        (void)lg_rule_lacks_parts(context, LG_BIT(LG_PART_INSTANCETYPE));
}

#define VM(head, domain)        LG_EX_VM_OF(LG_EX_WEB, head, "domain: {" domain "}")
#define NODE(name, allocatable) "---\n" LG_EX_NODE(name, "", "status: {" allocatable "}\n")
#define HAS(cpu, memory)        "allocatable: {cpu: \"" cpu "\", memory: " memory "}"
#define NODES                   NODE("n1", HAS("16", "64Gi")) NODE("n2", HAS("32", "128Gi"))

static const struct lg_rule_example examples[] = {
    {.name = "every node is large enough",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("", "memory: {guest: 32Gi}"),
     .inventory = NODES},
    {.name = "no node has so much memory",
     .expect = LG_EXPECT_WARN,
     .object = VM("", "memory: {guest: 256Gi}"),
     .inventory = NODES,
     .message = "no node is large enough: memory 256Gi is asked for, and the largest of the nodes "
                "that fit otherwise, n2, has 128Gi"},
    {.name = "one node has so much memory",
     .expect = LG_EXPECT_WARN,
     .object = VM("", "resources: {requests: {memory: 100Gi}}"),
     .inventory = NODES,
     .message = "only n2 is large enough, so the guest can start there and never migrate: memory "
                "100Gi is asked for, and the next of the others, n1, has 64Gi"},
    {.name = "dedicated CPUs count whole",
     .expect = LG_EXPECT_WARN,
     .object = VM("", "cpu: {cores: 16, sockets: 2, dedicatedCpuPlacement: true, "
                      "isolateEmulatorThread: true}"),
     .inventory = NODES,
     .message = "cpu 33 is asked for, and the largest of the nodes that fit otherwise, n2, has 32"},
    {.name = "shared CPUs count a tenth",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("", "cpu: {cores: 64, sockets: 2}"),
     .inventory = NODES},
    {.name = "memory on huge pages that no node has",
     .expect = LG_EXPECT_WARN,
     .object = VM("", "memory: {guest: 8Gi, hugepages: {pageSize: 1Gi}}"),
     .inventory = NODES,
     .message = "hugepages-1Gi 8Gi is asked for"},
    {.name = "nodes that do not say what they have",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("", "memory: {guest: 256Gi}"),
     .inventory = NODE("n1", "") NODE("n2", "")},
    {.name = "the guest asks for nothing",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("", ""),
     .inventory = NODES},
    {.name = "a quantity that is none",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("", "memory: {guest: much}"),
     .inventory = NODES},
    {.name = "nodes are not known", .expect = LG_EXPECT_PENDING, .object = VM("", "")},
    {.name = "an instancetype that is not known may ask for more",
     .expect = LG_EXPECT_PENDING,
     .object = VM("  instancetype: {name: u1.large}\n", ""),
     .inventory = NODES},
    {0},
};

const struct lg_rule lg_rule_no_node_large_enough = {
    .id = "LG405",
    .name = "no-node-large-enough",
    .title = "the guest asks for more than the nodes have",
    .rationale =
        "A launcher pod that asks for more than any node has stays Pending for ever. Where "
        "one node is large enough the guest runs, and has nowhere to go.",
    .remedy = "Ask for less, or let the guest run on at least two nodes that are large enough.",
    .source = "Kubernetes pkg/scheduler, plugin noderesources; KubeVirt "
              "pkg/virt-controller/services, resource renderer",
    .action = LG_ACTION_WARN,
    .kinds = LG_BIT(LG_KIND_VM) | LG_BIT(LG_KIND_VMI),
    .ops = LG_BIT(LG_OP_CREATE) | LG_BIT(LG_OP_UPDATE),
    .looks_up = LG_BIT(LG_KIND_NODE) | LG_BIT(LG_KIND_KUBEVIRT) | LG_BIT(LG_KIND_HYPERCONVERGED) |
                LG_INSTANCETYPES,
    .check = check,
    .examples = examples,
};
