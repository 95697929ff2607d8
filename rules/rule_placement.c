/* What rules may ask about a migration's guest, and where the subject can run. */
#include "rules/rule.h"

#include "rules/run.h"
#include "rules/virt/versions.h"

bool lg_rule_moving(const struct lg_rule_context *context, struct lg_moving *ret)
{
    struct lg_val spec = lg_json_get(context->subject->object, "spec");
    *ret = (struct lg_moving){
        .at = lg_json_get(spec, "vmiName"),
        .decentralised = lg_json_there(lg_json_get(spec, "sendTo")) ||
                         lg_json_there(lg_json_get(spec, "receive")),
    };
    ret->name = lg_json_str(ret->at);
    bool priority = !lg_str_empty(lg_json_str_at(spec, "priority")) &&
                    lg_version_has(context->settings, LG_DIFFERENCE_PRIORITY);
    if (lg_str_empty(ret->name) || priority ||
        (ret->decentralised && !lg_gate_is_on(context->settings, LG_GATE_DECENTRALIZED_MIGRATION)))
        return false;
    ret->found = lg_inventory_vmi(context->inventory, context->subject->ns, ret->name, &ret->vmi);
    ret->ended = ret->vmi != NULL &&
                 (lg_str_is(ret->vmi->phase, "Succeeded") || lg_str_is(ret->vmi->phase, "Failed"));
    return true;
}

bool lg_rule_guest_found(struct lg_rule_context *context, const struct lg_moving *moving)
{
    if (moving->found == LG_UNKNOWN)
        lg_rule_lacks(context, moving->at, LG_KIND_VMI, moving->name);
    return moving->found == LG_FOUND && !moving->ended;
}

bool lg_rule_lacks_nodes(struct lg_rule_context *context, struct lg_val at)
{
    bool lacks = lg_inventory_known(context->inventory, LG_KIND_NODE) != LG_KNOWN;
    if (lacks)
        lg_rule_lacks(context, at, LG_KIND_NODE, LG_STR(""));
    return lacks;
}

/* The guest of a migration, read again from its record (which was read strictly once). LG_NONE: it
 * was not found. */
static struct lg_val guest_of(const struct lg_rule_context *context, struct lg_moving *ret)
{
    if (!lg_rule_moving(context, ret) || ret->vmi == NULL)
        return LG_NONE;
    return lg_vmi_object(ret->vmi, context->arena);
}

static const struct lg_requirements *of_migration(const struct lg_rule_context *context)
{
    const struct lg_node_table *nodes = lg_inventory_nodes(context->inventory);
    struct lg_moving moving;
    struct lg_val vmi = guest_of(context, &moving);
    if (moving.vmi == NULL || !lg_json_there(vmi))
        return lg_requirements_read(LG_NONE, context->settings, nodes, context->arena);
    struct lg_move move = {
        .source_name = moving.vmi->node,
        .source = lg_nodes_get(nodes, moving.vmi->node, NULL),
        .moved_before = moving.vmi->moved_before,
    };
    if (lg_version_has(context->settings, LG_DIFFERENCE_ADDED_SELECTOR))
        move.added_node_selector = lg_json_at(context->subject->object, "spec.addedNodeSelector");
    if (lg_json_int64(lg_json_at(vmi, "status.topologyHints.tscFrequency"), &move.tsc_frequency) !=
        LG_E_OK)
        move.tsc_frequency = 0;
    return lg_requirements_read_move(lg_json_get(vmi, "spec"), &move, context->settings, nodes,
                                     context->arena);
}

static const struct lg_separation *separation_of(const struct lg_rule_context *context)
{
    const struct lg_subject *subject = context->subject;
    struct lg_separation_input in = {
        .ns = subject->ns,
        .name = subject->name,
        .vmi_spec = subject->vm.spec,
        .reservations = lg_version_has(context->settings, LG_DIFFERENCE_RESERVATION_APART),
        .guests = lg_inventory_guests(context->inventory),
        .nodes = lg_inventory_nodes(context->inventory)};
    if (subject->kind == LG_KIND_MIGRATION) {
        struct lg_moving moving;
        struct lg_val vmi = guest_of(context, &moving);
        if (moving.vmi == NULL || !lg_json_there(vmi))
            return NULL;
        in.vmi_spec = lg_json_get(vmi, "spec");
        in.name = moving.name;
        in.labels = moving.vmi->labels;
        in.moves = true;
    } else {
        in.labels = lg_labels_read(lg_json_get(subject->vm.vmi_metadata, "labels"), context->arena);
    }
    return lg_separation_read(&in, context->arena);
}

const struct lg_separation *lg_rule_separation(struct lg_rule_context *context)
{
    struct lg_run *run = context->engine;
    if (!run->separated) {
        run->separation = separation_of(context);
        run->separated = true;
    }
    return run->separation;
}

const struct lg_requirements *lg_rule_requirements(struct lg_rule_context *context)
{
    struct lg_run *run = context->engine;
    if (run->requirements != NULL)
        return run->requirements;
    if (run->subject.kind == LG_KIND_MIGRATION) {
        run->requirements = of_migration(context);
        const struct lg_separation *separation = lg_rule_separation(context);
        if (separation != NULL)
            run->requirements =
                lg_requirements_separated(run->requirements, separation, context->arena);
    } else {
        run->requirements = lg_requirements_read(run->subject.vm.spec, run->settings,
                                                 lg_inventory_nodes(run->inventory), run->arena);
    }
    return run->requirements;
}

struct lg_place_count lg_rule_placement(struct lg_rule_context *context)
{
    struct lg_run *run = context->engine;
    if (!run->placed) {
        const struct lg_node_table *nodes = lg_inventory_nodes(run->inventory);
        run->place_nodes = lg_arena_array(run->arena, lg_nodes_words(nodes), sizeof(lg_word));
        run->places = lg_placement_places(lg_rule_requirements(context), nodes, run->place_nodes);
        run->placed = true;
    }
    return run->places;
}

const lg_word *lg_rule_places(struct lg_rule_context *context)
{
    (void)lg_rule_placement(context);
    return ((const struct lg_run *)context->engine)->place_nodes;
}

bool lg_rule_new_node_could(struct lg_rule_context *context)
{
    struct lg_run *run = context->engine;
    struct lg_elastic elastic = run->view.elastic;
    for (enum lg_kind kind = 0; kind < LG_KIND_COUNT && elastic.mode == LG_ELASTIC_AUTO; kind++)
        if ((LG_AUTOSCALERS & LG_BIT(kind)) != 0 && lg_inventory_count(run->inventory, kind) != 0)
            elastic.mode = LG_ELASTIC_YES;
    return lg_placement_new_node_could(lg_rule_requirements(context), &elastic);
}
