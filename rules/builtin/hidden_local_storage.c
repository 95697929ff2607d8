/* LG105: storage that ties the guest to a node, though KubeVirt calls it migratable.
 *
 * KubeVirt does not look behind an ephemeral volume or a memory dump, and it takes ReadWriteMany at
 * its word: it never asks which nodes reach the persistent volume that a claim is bound to. Before
 * binding nothing is known, and nothing said.
 * Source: KubeVirt pkg/virt-handler/vm.go, checkVolumesForMigration, and what it leaves out.
 */
#include "rules/builtin/examples.h"
#include "rules/core/map.h"
#include "rules/core/mem.h"
#include "rules/rule.h"

enum { NAMES_MAX = 5 };

/* One volume of the guest over a claim. */
struct source {
    struct lg_val at; /* the claim's name */
    struct lg_str volume;
    const char *kind; /* of a volume that KubeVirt does not look behind, else NULL */
    bool may_read;    /* ReadOnlyMany is enough */
};

static bool source_of(struct lg_val volume, struct source *ret)
{
    static const struct {
        const char *path, *kind;
        bool may_read;
    } rows[] = {
        {"persistentVolumeClaim.claimName", NULL, false},
        {"dataVolume.name", NULL, false},
        {"ephemeral.persistentVolumeClaim.claimName", "ephemeral", true},
        {"memoryDump.claimName", "memoryDump", false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct lg_val at = lg_json_at(volume, rows[i].path);
        if (lg_json_kind(at) != LG_JSON_STRING)
            continue;
        *ret = (struct source){.at = at,
                               .volume = lg_json_str_at(volume, "name"),
                               .kind = rows[i].kind,
                               .may_read = rows[i].may_read};
        return true;
    }
    return false;
}

static bool has_mode(const struct lg_modes *modes, enum lg_access_mode mode)
{
    for (size_t i = 0; i < modes->n; i++)
        if (modes->items[i] == mode)
            return true;
    return false;
}

/* False: other nodes cannot have it at the same time. */
static bool is_shared(const struct source *source, const struct lg_claim *claim)
{
    return lg_modes_shared(&claim->spec.modes) ||
           (source->may_read && has_mode(&claim->spec.modes, LG_MODE_ROX));
}

static void say(struct lg_rule_context *context, const struct source *source, struct lg_str message,
                struct lg_str fix)
{
    const struct lg_report report = {
        .at = source->at,
        .about = source->volume,
        .ident = lg_json_str(source->at),
        .message = lg_arena_printf(context->arena, "volume \"%.*s\": %.*s", LG_ARG(source->volume),
                                   LG_ARG(message)),
        .fix = fix,
    };
    lg_rule_report(context, &report);
}

static void say_unshared(struct lg_rule_context *context, const struct source *source,
                         const struct lg_claim *claim)
{
    say(context, source,
        lg_arena_printf(context->arena,
                        "%s over claim \"%.*s\", which is %.*s: KubeVirt does not look behind it, "
                        "and the target's pod cannot have it while the guest runs",
                        source->kind, LG_ARG(claim->r.name),
                        LG_ARG(lg_modes_text(&claim->spec.modes, context->arena))),
        lg_arena_printf(context->arena, "use a ReadWriteMany%s claim",
                        source->may_read ? " or ReadOnlyMany" : ""));
}

/* The nodes that are left to the guest, narrowed volume by volume. */
struct reach {
    lg_word *left, *of_volume;
    size_t words;
};

static struct reach reach_new(struct lg_rule_context *context)
{
    const struct lg_node_table *nodes = lg_inventory_nodes(context->inventory);
    size_t words = lg_nodes_words(nodes);
    struct reach reach = {.left = lg_arena_array(context->arena, words + 1, sizeof(lg_word)),
                          .of_volume = lg_arena_array(context->arena, words + 1, sizeof(lg_word)),
                          .words = words};
    memcpy(reach.left, lg_rule_places(context), words * sizeof(lg_word));
    return reach;
}

static void check_reach(struct lg_rule_context *context, const struct source *source,
                        const struct lg_volume *volume, struct reach *io)
{
    const struct lg_node_table *nodes = lg_inventory_nodes(context->inventory);
    struct lg_arena *arena = context->arena;
    struct lg_val required;
    if (lg_json_parse(arena, volume->node_affinity, &required, NULL) != LG_E_OK)
        return;
    memset(io->of_volume, 0, io->words * sizeof(lg_word));
    lg_placement_add_matching(required, nodes, arena, io->of_volume);
    size_t reached = lg_placement_bits(io->of_volume, nodes);
    size_t before = lg_placement_bits(io->left, nodes);
    struct lg_str fix = LG_STR("use storage that more nodes reach");
    struct lg_str head = lg_arena_printf(arena, "its persistent volume \"%.*s\" is reached ",
                                         LG_ARG(volume->r.name));
    if (reached < 2) {
        struct lg_str from =
            reached == 0
                ? LG_STR("from no node")
                : lg_arena_printf(arena, "from %.*s alone",
                                  LG_ARG(lg_placement_bit_names(io->of_volume, nodes, 1, arena)));
        say(context, source,
            lg_arena_printf(arena, "%.*s%.*s, whatever its access mode says", LG_ARG(head),
                            LG_ARG(from)),
            fix);
        return;
    }
    for (size_t i = 0; i < io->words; i++)
        io->left[i] &= io->of_volume[i];
    size_t after = lg_placement_bits(io->left, nodes);
    if (before < 2 || after > 1)
        return; /* LG401, LG402 */
    struct lg_str only = LG_STR("none");
    if (after == 1)
        only = lg_arena_printf(arena, "only %.*s",
                               LG_ARG(lg_placement_bit_names(io->left, nodes, 1, arena)));
    say(context, source,
        lg_arena_printf(arena, "%.*sfrom %zu nodes (%.*s), of which %.*s can take the guest",
                        LG_ARG(head), reached,
                        LG_ARG(lg_placement_bit_names(io->of_volume, nodes, NAMES_MAX, arena)),
                        LG_ARG(only)),
        fix);
}

/* The volume that the claim is bound to, where some nodes do not reach it. */
static const struct lg_volume *bound(struct lg_rule_context *context, const struct source *source,
                                     const struct lg_claim *claim)
{
    const struct lg_record *record = NULL;
    if (lg_str_empty(claim->volume_name))
        return NULL;
    if (lg_inventory_get(context->inventory, LG_KIND_VOLUME, LG_STR(""), claim->volume_name,
                         &record) == LG_UNKNOWN)
        lg_rule_lacks(context, source->at, LG_KIND_VOLUME, claim->volume_name);
    const struct lg_volume *volume = (const struct lg_volume *)record;
    return volume != NULL && !lg_str_empty(volume->node_affinity) ? volume : NULL;
}

/* The names of a pool's data volume templates: each machine gets claims of its own, with its number
 * behind the name, so that a claim which bears the name itself is somebody else's. KubeVirt puts
 * the number into volumes of persistentVolumeClaim and dataVolume only: any other is over the claim
 * itself. */
static void read_numbered(const struct lg_vm *vm, struct lg_map *ret)
{
    if (vm->kind != LG_KIND_POOL)
        return;
    for (struct lg_json_iter it = lg_json_iter(vm->data_volume_templates); lg_json_next(&it);) {
        struct lg_str name = lg_json_str_at(it.val, "metadata.name");
        if (name.n != 0)
            (void)lg_map_set(ret, name, ret);
    }
}

static void check(struct lg_rule_context *context)
{
    struct lg_map numbered lg_cleanup(lg_map_done) = {0};
    const struct lg_vm *vm = &context->subject->vm;
    struct lg_val volumes = lg_json_get(vm->spec, "volumes");
    struct reach reach = {0};
    read_numbered(vm, &numbered);
    for (struct lg_json_iter it = lg_json_iter(volumes); lg_json_next(&it);) {
        struct source source;
        const struct lg_claim *claim = NULL;
        if (!source_of(it.val, &source))
            continue;
        struct lg_str name = lg_json_str(source.at);
        if (source.kind == NULL && lg_map_get(&numbered, name) != NULL)
            continue;
        enum lg_lookup found = lg_inventory_claim(context->inventory, vm->ns, name, &claim);
        if (found != LG_FOUND) {
            if (source.kind != NULL) /* else LG102 */
                lg_rule_lacks(context, source.at, LG_KIND_CLAIM, name);
            continue;
        }
        if (!is_shared(&source, claim)) {
            if (source.kind != NULL) /* else LG101 */
                say_unshared(context, &source, claim);
            continue;
        }
        const struct lg_volume *volume = bound(context, &source, claim);
        if (volume == NULL)
            continue;
        if (lg_rule_lacks_nodes(context, source.at))
            continue;
        if (reach.left == NULL)
            reach = reach_new(context);
        check_reach(context, &source, volume, &reach);
    }
}

#define VM(volume) LG_EX_VM_OF(LG_EX_ORDERS, "", "domain: {}, volumes: [{name: data, " volume "}]")
#define CLAIM(modes, more)                                                                         \
    LG_EX_CLAIM("name: base, namespace: web-servers", "accessModes: [" modes "]" more)
#define BOUND ", volumeName: pv-1"
#define VOLUME(affinity)                                                                           \
    "---\n"                                                                                        \
    "apiVersion: v1\n"                                                                             \
    "kind: PersistentVolume\n"                                                                     \
    "metadata: {name: pv-1}\n"                                                                     \
    "spec: {" affinity "}\n"
#define REACHED_BY(key, values)                                                                    \
    "nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: " key                 \
    ", operator: In, values: [" values "]}]}]}}"
#define NODE(name, zone, spec)                                                                     \
    "---\n" LG_EX_NODE(name, ", host: " name ", zone: " zone, "spec: {" spec "}\n")
#define NODES     NODE("n1", "a", "") NODE("n2", "a", "") NODE("n3", "b", "")
#define EPHEMERAL "ephemeral: {persistentVolumeClaim: {claimName: base}}"
#define DISK      "persistentVolumeClaim: {claimName: base}"
#define POOL(templates, source)                                                                    \
    "apiVersion: pool.kubevirt.io/v1alpha1\n"                                                      \
    "kind: VirtualMachinePool\n"                                                                   \
    "metadata: {name: runners, namespace: web-servers}\n"                                          \
    "spec: {virtualMachineTemplate: {spec: {" templates                                            \
    "template: {spec: {domain: {}, volumes: [{name: data, " source "}]}}}}}\n"
#define TAINTED "taints: [{key: gpu, effect: NoSchedule}]"

static const struct lg_rule_example examples[] = {
    {.name = "ephemeral over a claim that is read by many",
     .expect = LG_EXPECT_NOTHING,
     .object = VM(EPHEMERAL),
     .inventory = CLAIM("ReadOnlyMany", "")},
    {.name = "ephemeral over a claim of one node",
     .expect = LG_EXPECT_WARN,
     .object = VM(EPHEMERAL),
     .inventory = CLAIM("ReadWriteOnce", ""),
     .message = "volume \"data\": ephemeral over claim \"base\", which is ReadWriteOnce"},
    {.name = "a memory dump that others may only read",
     .expect = LG_EXPECT_WARN,
     .object = VM("memoryDump: {claimName: base}"),
     .inventory = CLAIM("ReadOnlyMany", ""),
     .message = "memoryDump over claim \"base\", which is ReadOnlyMany"},
    {.name = "a disk of one node is LG101's",
     .expect = LG_EXPECT_NOTHING,
     .object = VM(DISK),
     .inventory = CLAIM("ReadWriteOnce", BOUND) VOLUME(REACHED_BY("host", "n1")) NODES},
    {.name = "shared, and every node reaches it",
     .expect = LG_EXPECT_NOTHING,
     .object = VM(DISK),
     .inventory = CLAIM("ReadWriteMany", BOUND) VOLUME("") NODES},
    {.name = "shared by its claim, and on one node's disk",
     .expect = LG_EXPECT_WARN,
     .object = VM(DISK),
     .inventory = CLAIM("ReadWriteMany", BOUND) VOLUME(REACHED_BY("host", "n1")) NODES,
     .message = "volume \"data\": its persistent volume \"pv-1\" is reached from n1 alone"},
    {.name = "reached from a zone with two nodes",
     .expect = LG_EXPECT_NOTHING,
     .object = VM(DISK),
     .inventory = CLAIM("ReadWriteMany", BOUND) VOLUME(REACHED_BY("zone", "a")) NODES},
    {.name = "reached from two nodes, of which one takes no guests",
     .expect = LG_EXPECT_WARN,
     .object = VM(DISK),
     .inventory = CLAIM("ReadWriteMany", BOUND) VOLUME(REACHED_BY("host", "n3, n4"))
         NODES NODE("n4", "b", TAINTED),
     .message = "is reached from 2 nodes (n3, n4), of which only n3 can take the guest"},
    {.name = "a pool's machines get claims of their own",
     .expect = LG_EXPECT_NOTHING,
     .object = POOL("dataVolumeTemplates: [{metadata: {name: base}, spec: {source: {blank: {}}, "
                    "storage: {accessModes: [ReadWriteMany]}}}], ",
                    "dataVolume: {name: base}"),
     .inventory = CLAIM("ReadWriteMany", BOUND) VOLUME(REACHED_BY("host", "n1")) NODES},
    {.name = "an ephemeral disk is over the claim itself, whatever a pool's templates are called",
     .expect = LG_EXPECT_WARN,
     .object = POOL("dataVolumeTemplates: [{metadata: {name: base}, spec: {source: {blank: {}}, "
                    "storage: {accessModes: [ReadWriteMany]}}}], ",
                    EPHEMERAL),
     .inventory = CLAIM("ReadWriteOnce", ""),
     .message = "volume \"data\": ephemeral over claim \"base\", which is ReadWriteOnce"},
    {.name = "a claim that all machines of a pool share",
     .expect = LG_EXPECT_WARN,
     .object = POOL("", DISK),
     .inventory = CLAIM("ReadWriteMany", BOUND) VOLUME(REACHED_BY("host", "n1")) NODES,
     .message = "volume \"data\": its persistent volume \"pv-1\" is reached from n1 alone"},
    {.name = "not bound yet",
     .expect = LG_EXPECT_NOTHING,
     .object = VM(DISK),
     .inventory = CLAIM("ReadWriteMany", "") NODES},
    {.name = "volumes are not known",
     .expect = LG_EXPECT_PENDING,
     .object = VM(DISK),
     .inventory = CLAIM("ReadWriteMany", BOUND) NODES},
    {.name = "no volume over a claim",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("emptyDisk: {capacity: 1Gi}"),
     .inventory = NODES},
    {.name = "the claim is not there yet",
     .expect = LG_EXPECT_PENDING,
     .object = VM(EPHEMERAL),
     .known = LG_BIT(LG_KIND_CLAIM),
     .message = "claim \"base\" does not exist yet"},
    {0},
};

const struct lg_rule lg_rule_hidden_local_storage = {
    .id = "LG105",
    .name = "hidden-local-storage",
    .title = "storage that only one node reaches, though KubeVirt calls the guest migratable",
    .rationale = "KubeVirt does not look behind ephemeral volumes and memory dumps, and not at the "
                 "node affinity of persistent volumes. It calls such a guest migratable, and "
                 "every migration waits for a target pod that cannot get its volume.",
    .remedy = "Use claims that several nodes can have at once, on storage that they reach.",
    .source = "KubeVirt pkg/virt-handler/vm.go, checkVolumesForMigration; Kubernetes "
              "PersistentVolume spec.nodeAffinity",
    .action = LG_ACTION_WARN,
    .kinds = LG_BIT(LG_KIND_VM) | LG_BIT(LG_KIND_VMI),
    .ops = LG_BIT(LG_OP_CREATE) | LG_BIT(LG_OP_UPDATE),
    .looks_up = LG_BIT(LG_KIND_CLAIM) | LG_BIT(LG_KIND_VOLUME) | LG_BIT(LG_KIND_NODE) |
                LG_BIT(LG_KIND_KUBEVIRT),
    .strands = true,
    .check = check,
    .examples = examples,
};
