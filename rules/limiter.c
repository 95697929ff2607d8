#include "rules/limiter.h"

#include "rules/kube/names.h"
#include "rules/run.h"

enum { SEEN_LOOKED_AT_MAX = 64, NAMESPACE_BYTES_MAX = 63, UID_BYTES_MAX = 64 };

/* The nodes where the guest could go. How many go there now is counted with everything else, when
 * it is decided. */
static void find_targets(const struct lg_inventory *inventory,
                         const struct lg_requirements *requirements, struct lg_arena *arena,
                         struct lg_ask *io)
{
    const struct lg_node_table *nodes = lg_inventory_nodes(inventory);
    struct lg_str *targets = lg_arena_array(arena, lg_nodes_slots(nodes) + 1, sizeof *targets);
    for (size_t slot = 0; slot < lg_nodes_slots(nodes); slot++) {
        const struct lg_node *node = lg_nodes_at(nodes, slot);
        if (node != NULL && !lg_str_eq(node->r.name, io->node) &&
            lg_placement_explain(requirements, node, NULL, NULL) == LG_PLACE_ELIGIBLE)
            targets[io->n_targets++] = node->r.name;
    }
    io->targets = targets;
}

/* One of that name that is there, as far as is known, or NULL. One that is being deleted is as good
 * as gone: it goes before the create is stored, or the create fails. */
static const struct lg_migration_record *namesake_of(const struct lg_engine_input *input,
                                                     const struct lg_subject *subject)
{
    const struct lg_record *record = NULL;
    if (subject->name.n == 0 ||
        lg_inventory_get(input->inventory, LG_KIND_MIGRATION, subject->ns, subject->name,
                         &record) != LG_FOUND ||
        record->deleting)
        return NULL;
    return (const struct lg_migration_record *)record;
}

/* Whoever replaces a migration that has ended deletes it, and creates the next one before a watch
 * knows: that it is there still is worth nothing unless the API server just said so. One that has
 * not ended holds its place in any case. */
static bool is_doubtful(const struct lg_engine_input *input, const struct lg_subject *subject,
                        const struct lg_migration_record *namesake)
{
    return namesake != NULL && input->confirm && lg_migration_is_final(namesake) &&
           !lg_inventory_was_read(input->inventory, LG_KIND_MIGRATION, subject->ns, subject->name);
}

/* KubeVirt's webhook refuses it whatever we say: its own words shall reach the user. Or no API
 * server says so: longer texts than there can be fill the ledger for nobody else. */
static bool refused_anyway(const struct lg_subject *subject)
{
    struct lg_val spec = lg_json_get(subject->object, "spec");
    struct lg_str guest = lg_json_str_at(spec, "vmiName");
    return lg_str_empty(guest) || guest.n > LG_NAME_SUBDOMAIN_BYTES_MAX ||
           subject->name.n > LG_NAME_SUBDOMAIN_BYTES_MAX || subject->ns.n > NAMESPACE_BYTES_MAX ||
           lg_json_str_at(subject->object, "metadata.uid").n > UID_BYTES_MAX ||
           !lg_str_empty(lg_json_str_at(spec, "priority"));
}

/* A create that comes to something, whatever is there of that name. */
static bool is_asked(const struct lg_engine_input *input, const struct lg_judgement *first)
{
    return input->kind == LG_KIND_MIGRATION && input->op == LG_OP_CREATE && !first->skipped &&
           !first->refused && first->verdict != LG_ACTION_DENY &&
           lg_policy_limiter(input->policy)->mode != LG_LIMITER_OFF &&
           !refused_anyway(&first->subject);
}

void lg_limiter_want(const struct lg_engine_input *input, struct lg_judgement *io_first)
{
    const struct lg_subject *subject = &io_first->subject;
    struct lg_wants *wants = &io_first->wants;
    if (!is_asked(input, io_first) || io_first->requester == LG_REQUESTER_CONTROLLER ||
        wants->n == LG_WANTS_MAX || !is_doubtful(input, subject, namesake_of(input, subject)))
        return;
    wants->items[wants->n++] = (struct lg_want){
        .kind = LG_KIND_MIGRATION, .ns = subject->ns, .name = subject->name, .found = true};
}

/* Where the guest could go; worked out by LG604, unless policy switched it off. */
static const struct lg_requirements *requirements_of(const struct lg_judgement *first,
                                                     struct lg_run *run)
{
    if (first->requirements != NULL)
        return first->requirements;
    struct lg_rule_context context = lg_run_context(run, 0);
    return lg_rule_requirements(&context);
}

/* Who is exempt, or an exception, does not come back for a place, and counts as one that was let
 * through. */
static void find_waived(struct lg_run *run, struct lg_ask *io)
{
    static const char *const rules[LG_LIMITS] = {"LG610", "LG611", "LG612"};
    for (int limit = 0; limit < LG_LIMITS; limit++) {
        size_t index;
        io->waived[limit] =
            lg_rule_find(lg_str_of(rules[limit]), &index) != NULL && lg_run_waives(run, index);
    }
}

bool lg_limiter_ask(const struct lg_engine_input *input, const struct lg_judgement *first,
                    int64_t now_ms, struct lg_arena *arena, struct lg_ask *ret)
{
    const struct lg_limiter_policy *policy = lg_policy_limiter(input->policy);
    const struct lg_subject *subject = &first->subject;
    const struct lg_migration_record *namesake = namesake_of(input, subject);
    struct lg_judgement again;
    struct lg_run run;
    if (!is_asked(input, first) || (namesake != NULL && !is_doubtful(input, subject, namesake)) ||
        !lg_run_begin(input, arena, &again, &run))
        return false;
    const struct lg_migration_settings *limits =
        &lg_inventory_settings(input->inventory)->migrations;
    struct lg_val spec = lg_json_get(subject->object, "spec");
    struct lg_str guest = lg_json_str_at(spec, "vmiName");
    bool elsewhere =
        lg_json_there(lg_json_get(spec, "sendTo")) || lg_json_there(lg_json_get(spec, "receive"));
    const struct lg_vmi_record *vmi = NULL;
    (void)lg_inventory_vmi(input->inventory, subject->ns, guest, &vmi);
    bool virt_api = lg_policy_is_virt_api(input->inventory, input->username);
    *ret = (struct lg_ask){
        .ns = subject->ns.n != 0 ? subject->ns : LG_STR("default"),
        .guest = guest,
        .node = vmi != NULL ? vmi->node : LG_STR(""),
        .name = subject->name,
        .id = lg_json_str_at(subject->object, "metadata.uid"),
        .user = input->username,
        .no_trace = input->dry_run || first->requester == LG_REQUESTER_CONTROLLER ||
                    first->mode == LG_MODE_OBSERVE || policy->mode == LG_LIMITER_OBSERVE,
        .no_ticket = virt_api,
        .admit = first->requester == LG_REQUESTER_BYPASS || (virt_api && policy->virt_api_admit),
        .show_holders = policy->show_holders,
        .limit = {[LG_LIMIT_CLUSTER] = limits->of[LG_MIGRATION_PARALLEL_CLUSTER].value,
                  [LG_LIMIT_OUTBOUND] = limits->of[LG_MIGRATION_PARALLEL_OUTBOUND].value,
                  [LG_LIMIT_INBOUND] = elsewhere ? 0 : policy->inbound_per_node},
        .typical_s = lg_slots_typical_s(lg_inventory_slots(input->inventory)),
        .now_ms = now_ms,
        .now_unix_s = input->now_unix_s,
    };
    find_waived(&run, ret);
    if (vmi == NULL)
        ret->limit[LG_LIMIT_INBOUND] = 0;
    if (ret->limit[LG_LIMIT_INBOUND] > 0)
        find_targets(input->inventory, requirements_of(first, &run), arena, ret);
    return true;
}

static enum lg_seen state_of(const struct lg_migration_record *migration)
{
    return lg_migration_is_final(migration) ? LG_SEEN_FINAL : LG_SEEN_UNFINISHED;
}

enum lg_seen lg_limiter_seen(void *arg, const struct lg_reservation *reservation)
{
    const struct lg_inventory *inventory = arg;
    const struct lg_record *record = NULL;
    if (reservation->id.n == 0)
        return LG_UNSEEN;
    if (reservation->name.n != 0 &&
        lg_inventory_get(inventory, LG_KIND_MIGRATION, reservation->ns, reservation->name,
                         &record) == LG_FOUND &&
        lg_str_eq(record->uid, reservation->id))
        return state_of((const struct lg_migration_record *)record);
    /* A name that the API server made up after us. */
    const struct lg_migration_record *migration;
    size_t pos = 0;
    while (pos < SEEN_LOOKED_AT_MAX &&
           (migration = lg_inventory_next_migration(inventory, reservation->ns, reservation->guest,
                                                    &pos)) != NULL)
        if (lg_str_eq(migration->r.uid, reservation->id))
            return state_of(migration);
    return lg_slots_is_gone(lg_inventory_slots(inventory), reservation->id) ? LG_SEEN_FINAL
                                                                            : LG_UNSEEN;
}

bool lg_limiter_speaks(const struct lg_turnout *turnout)
{
    return turnout->frozen || turnout->unreachable || lg_limits_are_full(turnout);
}

/* The first limit that applies and that nobody waived; LG_LIMITS: there is none. */
static enum lg_limit first_in_its_way(const struct lg_ask *ask)
{
    const bool applies[LG_LIMITS] = {
        [LG_LIMIT_CLUSTER] = true,
        [LG_LIMIT_OUTBOUND] = ask->node.n != 0 || ask->limit[LG_LIMIT_OUTBOUND] == 0,
        [LG_LIMIT_INBOUND] = ask->limit[LG_LIMIT_INBOUND] != 0,
    };
    int limit = 0;
    while (limit < LG_LIMITS && (!applies[limit] || ask->waived[limit]))
        limit++;
    return (enum lg_limit)limit;
}

bool lg_limiter_passes(const struct lg_ask *ask)
{
    return ask->admit || first_in_its_way(ask) == LG_LIMITS;
}

void lg_limiter_unreachable(const struct lg_policy *policy, const struct lg_ask *ask,
                            struct lg_turnout *ret)
{
    enum lg_limit limit_in_way = first_in_its_way(ask);
    *ret = (struct lg_turnout){
        .unreachable = true,
        .unreached = limit_in_way != LG_LIMITS ? limit_in_way : LG_LIMIT_CLUSTER,
        .admitted = lg_limiter_passes(ask) || !lg_policy_limiter(policy)->refuse_when_unreachable,
        .node = ask->node,
        .no_place = true,
    };
    for (int limit = 0; limit < LG_LIMITS; limit++)
        ret->of[limit].limit = ask->limit[limit];
}

void lg_limiter_judge(const struct lg_engine_input *input, struct lg_ledger *io_ledger,
                      int64_t now_ms, struct lg_arena *arena, struct lg_judgement *ret)
{
    struct lg_ask ask;
    lg_engine_judge(input, arena, ret);
    if (!lg_limiter_ask(input, ret, now_ms, arena, &ask))
        return;
    struct lg_turnout *turnout = lg_arena_alloc(arena, sizeof *turnout);
    (void)lg_ledger_tidy(io_ledger, now_ms, lg_limiter_seen, (void *)input->inventory);
    lg_limits_decide(&ask, lg_inventory_slots(input->inventory), io_ledger, turnout);
    if (!lg_limiter_speaks(turnout))
        return;
    struct lg_engine_input again = *input;
    again.turnout = turnout;
    lg_engine_judge(&again, arena, ret);
}
