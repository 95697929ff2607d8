/* The forecast of a drain: what KubeVirt's answer to each eviction would be, and when the rest
 * could go.
 *
 * By the guest's evictionStrategy and its LiveMigratable condition; whether another node can take
 * it is asked of the rules about migrations, as if one were created for it. The limits let so many
 * go at a time; KubeVirt promises no order among them.
 */
#include <stdlib.h>

#include "rules/core/mem.h"
#include "rules/virt/eviction.h"
#include "webhook/cli/scan.h"
#include "webhook/runtime/clock.h"

struct forecast {
    const struct lg_inventory *inventory;
    /* the default one: an answer must not hang on what policy switches off */
    struct lg_policy *policy;
    struct lg_arena *arena;
};

static bool has_ended(const struct lg_vmi_record *vmi)
{
    return lg_str_is(vmi->phase, "Succeeded") || lg_str_is(vmi->phase, "Failed");
}

static struct lg_eviction eviction_of(const struct forecast *f, const struct lg_vmi_record *vmi)
{
    struct lg_val object = lg_vmi_object(vmi, f->arena);
    if (!lg_json_there(object))
        return (struct lg_eviction){.from = LG_EVICTION_UNKNOWN};
    struct lg_vm vm = lg_vm_read(LG_KIND_VMI, object, vmi->r.ns);
    return lg_eviction_of(&vm, lg_inventory_settings(f->inventory));
}

/* A migration of the guest, as virt-controller would create it. */
static struct lg_val migration_of(const struct forecast *f, const struct lg_vmi_record *vmi)
{
    struct lg_buf buf lg_cleanup(lg_buf_done) = {0};
    struct lg_val object = LG_NONE;
    json_t *root = lg_out_object();
    json_t *metadata = lg_out_object();
    json_t *spec = lg_out_object();
    lg_out_set_str(metadata, "generateName", LG_STR("kubevirt-evacuation-"));
    lg_out_set_str(metadata, "namespace", vmi->r.ns);
    lg_out_set_str(spec, "vmiName", vmi->r.name);
    lg_out_set_str(root, "apiVersion", LG_STR("kubevirt.io/v1"));
    lg_out_set_str(root, "kind", LG_STR("VirtualMachineInstanceMigration"));
    lg_out_set(root, "metadata", metadata);
    lg_out_set(root, "spec", spec);
    lg_out_text(root, 0, &buf);
    json_decref(root);
    if (lg_json_parse(f->arena, lg_arena_str(f->arena, lg_buf_view(&buf)), &object, NULL) !=
        LG_E_OK)
        return LG_NONE;
    return object;
}

/* Asks the rules whether it has a node to go to, and whether it would arrive in time. */
static void ask_target(const struct forecast *f, struct lg_drain_guest *guest)
{
    struct lg_judgement judgement = {0};
    const struct lg_engine_input input = {
        .inventory = f->inventory,
        .policy = f->policy,
        .kind = LG_KIND_MIGRATION,
        .op = LG_OP_CREATE,
        .ns = guest->vmi->r.ns,
        .object = migration_of(f, guest->vmi),
        .now_unix_s = lg_clock_unix_s(),
    };
    lg_engine_judge(&input, f->arena, &judgement);
    for (size_t i = 0; i < judgement.n; i++) {
        const struct lg_finding *finding = &judgement.findings[i];
        bool target = lg_str_is(lg_str_of(finding->rule->id), "LG604");
        if (target && !finding->pending) {
            guest->fate = LG_DRAIN_NO_TARGET;
            guest->why = finding->message;
        } else if (target || lg_str_is(lg_str_of(finding->rule->id), "LG606")) {
            guest->note = finding->message;
        }
    }
}

static struct lg_str why_immovable(const struct forecast *f, const struct lg_vmi_record *vmi,
                                   const struct lg_eviction *eviction)
{
    struct lg_str why = LG_STR("KubeVirt has not said that it can be migrated");
    if (vmi->live_migratable == LG_CONDITION_FALSE)
        why =
            lg_arena_printf(f->arena, "it is not live-migratable (%.*s%s%.*s)", LG_ARG(vmi->reason),
                            vmi->message.n != 0 ? ": " : "", LG_ARG(vmi->message));
    return lg_arena_printf(f->arena, "evictionStrategy %.*s, and %.*s", LG_ARG(eviction->strategy),
                           LG_ARG(why));
}

static void decide(const struct forecast *f, struct lg_drain_guest *guest)
{
    const struct lg_vmi_record *vmi = guest->vmi;
    struct lg_eviction eviction = eviction_of(f, vmi);
    bool if_possible = lg_str_is(eviction.strategy, "LiveMigrateIfPossible");
    if (lg_slots_get(lg_inventory_slots(f->inventory), vmi->r.ns, vmi->r.name) != NULL) {
        guest->fate = LG_DRAIN_MOVING;
        guest->why = LG_STR("it is being migrated already");
    } else if (lg_str_is(eviction.strategy, "External")) {
        guest->fate = LG_DRAIN_WAITS;
        guest->why = LG_STR("evictionStrategy External: whoever handles it has to act");
    } else if (!if_possible && !lg_str_is(eviction.strategy, "LiveMigrate")) {
        guest->fate = LG_DRAIN_SHUT_DOWN;
        guest->why =
            eviction.strategy.n == 0
                ? LG_STR("no evictionStrategy is set, and the cluster's is not known")
                : lg_arena_printf(f->arena, "evictionStrategy %.*s%s", LG_ARG(eviction.strategy),
                                  lg_eviction_source(eviction.from));
    } else if (vmi->live_migratable != LG_CONDITION_TRUE) {
        guest->fate = if_possible ? LG_DRAIN_SHUT_DOWN : LG_DRAIN_BLOCKS;
        guest->why = why_immovable(f, vmi, &eviction);
    } else {
        guest->fate = LG_DRAIN_MOVES;
        ask_target(f, guest);
    }
}

static int by_name(const void *a, const void *b)
{
    const struct lg_drain_guest *x = a;
    const struct lg_drain_guest *y = b;
    if (x->fate != y->fate)
        return x->fate < y->fate ? -1 : 1;
    int order = lg_str_cmp(x->vmi->r.ns, y->vmi->r.ns);
    return order != 0 ? order : lg_str_cmp(x->vmi->r.name, y->vmi->r.name);
}

static size_t room(int64_t limit, size_t used)
{
    return limit > (int64_t)used ? (size_t)limit - used : 0;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* So many at a time as both limits allow; what is under way now takes its places first. */
static void in_waves(const struct lg_inventory *inventory, struct lg_drain *drain)
{
    const struct lg_settings *settings = lg_inventory_settings(inventory);
    const struct lg_slots *slots = lg_inventory_slots(inventory);
    drain->cluster_limit = settings->migrations.of[LG_MIGRATION_PARALLEL_CLUSTER];
    drain->node_limit = settings->migrations.of[LG_MIGRATION_PARALLEL_OUTBOUND];
    drain->used = lg_slots_used(slots);
    drain->outbound = lg_slots_outbound(slots, drain->node);
    drain->first = smaller(room(drain->cluster_limit.value, drain->used),
                           room(drain->node_limit.value, drain->outbound));
    drain->at_once = smaller(room(drain->cluster_limit.value, 0), room(drain->node_limit.value, 0));
    size_t wave = 1, left = drain->first != 0 ? drain->first : drain->at_once;
    for (size_t i = 0; i < drain->n; i++) {
        struct lg_drain_guest *guest = &drain->guests[i];
        if (guest->fate != LG_DRAIN_MOVES)
            continue;
        if (drain->at_once == 0) {
            guest->fate = LG_DRAIN_BLOCKS;
            guest->why = LG_STR("a limit of 0 lets no migration start");
            continue;
        }
        if (left == 0) {
            wave++;
            left = drain->at_once;
        }
        guest->wave = wave;
        left--;
    }
}

LG_DEFINE_CLEANUP(struct lg_policy, lg_policy_unref)

static enum lg_err_code check_known(const struct lg_inventory *inventory, struct lg_str node,
                                    struct lg_err *err)
{
    if (lg_inventory_known(inventory, LG_KIND_NODE) != LG_KNOWN ||
        lg_inventory_known(inventory, LG_KIND_VMI) != LG_KNOWN)
        return lg_err_set(err, LG_E_DENIED, "--drain",
                          "nodes or virtualmachineinstances are not known: they were not given, or "
                          "this user may not list them");
    if (lg_nodes_get(lg_inventory_nodes(inventory), node, NULL) == NULL)
        return lg_err_set(err, LG_E_NOTFOUND, "--drain", "there is no node \"%.*s\"",
                          LG_ARG(lg_str_cut(node, 253)));
    return LG_E_OK;
}

enum lg_err_code lg_drain_forecast(const struct lg_inventory *inventory, struct lg_str node,
                                   struct lg_str ns, struct lg_arena *arena, struct lg_drain *ret,
                                   struct lg_err *err)
{
    struct lg_policy *policy lg_cleanup(lg_policy_unref_cleanup) = lg_policy_default();
    const struct forecast forecast = {inventory, policy, arena};
    const struct lg_record *record;
    enum lg_err_code code = check_known(inventory, node, err);
    if (code != LG_E_OK)
        return code;
    *ret = (struct lg_drain){.node = node};
    ret->guests =
        lg_arena_array(arena, lg_inventory_count(inventory, LG_KIND_VMI) + 1, sizeof *ret->guests);
    for (size_t pos = 0; (record = lg_inventory_next(inventory, LG_KIND_VMI, &pos)) != NULL;) {
        const struct lg_vmi_record *vmi = (const struct lg_vmi_record *)record;
        if (!lg_str_eq(vmi->node, node) || has_ended(vmi) ||
            (ns.n != 0 && !lg_str_eq(ns, vmi->r.ns)))
            continue;
        ret->guests[ret->n] = (struct lg_drain_guest){.vmi = vmi};
        decide(&forecast, &ret->guests[ret->n++]);
    }
    qsort(ret->guests, ret->n, sizeof *ret->guests, by_name);
    in_waves(inventory, ret);
    qsort(ret->guests, ret->n, sizeof *ret->guests, by_name);
    for (size_t i = 0; i < ret->n; i++)
        ret->counts[ret->guests[i].fate]++;
    return LG_E_OK;
}
