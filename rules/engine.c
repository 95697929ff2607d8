#include "rules/engine.h"

#include <stdio.h>

#include "rules/run.h"
#include "rules/virt/eviction.h"

static bool applies(const struct lg_rule *rule, enum lg_kind kind, enum lg_op op)
{
    return (rule->kinds & LG_BIT(lg_kind_judged_as(kind))) != 0 && (rule->ops & LG_BIT(op)) != 0;
}

/* What policy says here and for this requester, and never more than the rule it leans on. */
static enum lg_action action_of(struct lg_run *run, size_t i)
{
    const struct lg_policy_view *view = &run->view;
    enum lg_action action = view->actions[i];
    if (lg_rules[i]->waits)
        action =
            lg_policy_limiter(run->policy)->mode == LG_LIMITER_OFF ? LG_ACTION_OFF : LG_ACTION_DENY;
    const char *other = lg_rules[i]->not_stronger_than;
    size_t j = 0;
    if (other != NULL && lg_rule_find(lg_str_of(other), &j) != NULL && view->actions[j] < action)
        action = view->actions[j];
    if (run->opted_out && view->opt_out[i] && action > LG_ACTION_WARN)
        action = LG_ACTION_WARN;
    run->excuse = LG_STR("");
    return lg_policy_exempted(run->policy, run->exempt, i, action, &run->excuse);
}

bool lg_run_waives(struct lg_run *run, size_t index)
{
    return action_of(run, index) < LG_ACTION_DENY || lg_run_exception(run, index).n != 0;
}

/* A rule that is off still answers whether KubeVirt would call the guest migratable: that does not
 * hang on policy. */
static bool needed_when_off(const struct lg_run *run, const struct lg_rule *rule)
{
    return rule->kubevirt_reason != NULL && lg_kind_is_guest(run->subject.kind);
}

struct lg_rule_context lg_run_context(struct lg_run *run, size_t i)
{
    return (struct lg_rule_context){
        .rule = lg_rules[i],
        .subject = &run->subject,
        .inventory = run->inventory,
        .settings = run->settings,
        .params = run->view.params[i],
        .claim_selector = run->view.claim_selector,
        .arena = run->arena,
        .now_unix_s = run->now_unix_s,
        .turnout = run->turnout,
        .engine = run,
    };
}

static void judge_one(struct lg_run *run, size_t i)
{
    struct lg_rule_context context = lg_run_context(run, i);
    lg_rules[i]->check(&context);
}

static void out_of_time(struct lg_run *run)
{
    struct lg_rule_context context = {.rule = run->rule, .subject = &run->subject, .engine = run};
    lg_rule_lacks_text(&context, LG_NONE,
                       LG_STR("not judged: the answer was due before its turn came"));
}

void lg_run_all(struct lg_run *run)
{
    struct lg_parts_view parts = lg_inventory_parts(run->inventory);
    bool late = false;
    size_t i = 0;
    lg_expand(&run->subject.vm, &parts, run->arena);
    for (; lg_rules[i] != NULL; i++) {
        if (!applies(lg_rules[i], run->subject.kind, run->subject.op) ||
            (run->only != NULL && !run->only[i]) || (run->nested && lg_rules[i]->of_drains))
            continue;
        run->rule = lg_rules[i];
        run->index = i;
        run->action = action_of(run, i);
        run->first = run->n;
        if (run->action == LG_ACTION_OFF && !needed_when_off(run, run->rule))
            continue;
        if (!late && run->expired != NULL && run->expired(run->expired_arg)) {
            late = true;
            run->judged = i;
        }
        if (late)
            out_of_time(run);
        else
            judge_one(run, i);
    }
    if (!late)
        run->judged = i;
}

static bool equal_at(const struct lg_engine_input *input, const char *path)
{
    return lg_json_equal(lg_json_at(input->object, path), lg_json_at(input->old_object, path));
}

/* The parts of an object that rules read, per kind. What is missing here (status, runStrategy, most
 * metadata) can change freely. */
static bool nothing_changed(const struct lg_engine_input *input)
{
    static const char *const parts[LG_KIND_COUNT][5] = {
        [LG_KIND_VM] = {"spec.template", "spec.dataVolumeTemplates", "spec.instancetype",
                        "spec.preference"},
        [LG_KIND_VMI] = {"spec", "metadata.annotations"},
        [LG_KIND_POOL] = {"spec.virtualMachineTemplate"},
        [LG_KIND_REPLICA_SET] = {"spec.template"},
        [LG_KIND_CLAIM] = {"spec", "metadata.annotations", "metadata.labels"},
        [LG_KIND_DATA_VOLUME] = {"spec", "metadata.annotations", "metadata.labels"},
        [LG_KIND_MIGRATION] = {"spec"},
        [LG_KIND_STORAGE_PROFILE] = {"spec", "status"},
        [LG_KIND_MIGRATION_POLICY] = {"spec"},
        [LG_KIND_KUBEVIRT] = {"spec"},
        [LG_KIND_HYPERCONVERGED] = {"spec"},
    };
    if (!lg_json_there(input->object) || !lg_json_there(input->old_object) ||
        parts[input->kind][0] == NULL)
        return false;
    for (const char *const *part = parts[input->kind]; *part != NULL; part++)
        if (!equal_at(input, *part))
            return false;
    return true;
}

/* Only the old object proves that a deletion has begun: on CREATE, deletionTimestamp is whatever
 * the client wrote. Where the reader stopped before the old object, the new one's counts on UPDATE:
 * the API server keeps it equal. */
static bool being_deleted(const struct lg_engine_input *input)
{
    if (input->op != LG_OP_UPDATE)
        return false;
    struct lg_val witness = input->old_object;
    if (input->refusal != NULL && !lg_json_there(witness))
        witness = input->object;
    return lg_json_kind(lg_json_at(witness, "metadata.deletionTimestamp")) == LG_JSON_STRING;
}

static bool allowed_at_once(const struct lg_engine_input *input)
{
    if (input->subresource || input->op == LG_OP_DELETE || input->op == LG_OP_CONNECT ||
        input->kind >= LG_KIND_OTHER)
        return true;
    bool any = false;
    for (size_t i = 0; lg_rules[i] != NULL && !any; i++)
        any = applies(lg_rules[i], input->kind, input->op);
    if (!any || being_deleted(input))
        return true;
    return input->op == LG_OP_UPDATE && input->refusal == NULL && nothing_changed(input);
}

static enum lg_requester requester_of(const struct lg_engine_input *input)
{
    if (lg_policy_is_controller(input->policy, input->inventory, input->kind, input->username))
        return LG_REQUESTER_CONTROLLER;
    for (struct lg_json_iter it = lg_json_iter(input->groups); lg_json_next(&it);)
        if (lg_json_is(it.val, "livegate:bypass"))
            return LG_REQUESTER_BYPASS;
    return LG_REQUESTER_PERSON;
}

static const struct lg_settings *settings_of(const struct lg_engine_input *input,
                                             struct lg_arena *arena)
{
    const struct lg_settings *settings = lg_inventory_settings(input->inventory);
    int version = input->kubevirt_version != 0 ? input->kubevirt_version
                                               : lg_policy_kubevirt_version(input->policy);
    if (version == 0)
        return settings;
    struct lg_settings *mine = lg_arena_alloc(arena, sizeof(*mine));
    *mine = *settings;
    mine->version = mine->target_version = version;
    mine->version_known = true;
    return mine;
}

static struct lg_subject subject_of(const struct lg_engine_input *input, struct lg_val object)
{
    struct lg_subject subject = {
        .kind = input->kind,
        .op = input->op,
        .ns = input->ns.n != 0 ? input->ns : lg_json_str_at(object, "metadata.namespace"),
        .name = input->name.n != 0 ? input->name : lg_json_str_at(object, "metadata.name"),
        .object = object,
    };
    if (lg_kind_is_guest(input->kind))
        subject.vm = lg_vm_read(input->kind, object, subject.ns);
    /* What a client writes into the status of an object that does not exist yet proves nothing. */
    if (input->op == LG_OP_CREATE && input->username.n != 0) {
        subject.vm.migrated_volumes = subject.vm.volume_status = LG_NONE;
        subject.vm.instancetype_revision = subject.vm.preference_revision = LG_NONE;
    }
    return subject;
}

/* A VM of which somebody wrote that it is not to be moved. */
static bool opted_out(const struct lg_subject *subject, const struct lg_settings *settings)
{
    struct lg_eviction eviction = lg_eviction_of(&subject->vm, settings);
    return eviction.from == LG_EVICTION_OWN && lg_str_is(eviction.strategy, "None");
}

static void judge_old(struct lg_run *run, const struct lg_engine_input *input)
{
    struct lg_run old_run = lg_run_like(run, subject_of(input, input->old_object));
    lg_ratchet(run, &old_run);
}

/* What becomes of a denial for this requester and in this mode; controllers are told nothing at
 * all. */
static enum lg_action settled(const struct lg_judgement *judgement, enum lg_action action)
{
    if (judgement->requester == LG_REQUESTER_CONTROLLER)
        return action > LG_ACTION_AUDIT ? LG_ACTION_AUDIT : action;
    if (action == LG_ACTION_DENY &&
        (judgement->requester == LG_REQUESTER_BYPASS || judgement->mode == LG_MODE_OBSERVE))
        return LG_ACTION_WARN;
    return action;
}

/* The limiter only says what it would do to a dry run, while it observes, and to whom it let
 * through all the same. */
static bool only_says(const struct lg_run *run, const struct lg_finding *finding)
{
    return finding->rule->waits && finding->action == LG_ACTION_DENY &&
           (run->dry_run || (run->turnout->admitted && !run->turnout->unreachable) ||
            lg_policy_limiter(run->policy)->mode == LG_LIMITER_OBSERVE);
}

static void conclude(struct lg_run *run, struct lg_judgement *ret)
{
    for (size_t i = 0; i < run->n; i++) {
        struct lg_finding *finding = &run->findings[i];
        finding->action = settled(ret, only_says(run, finding) ? LG_ACTION_WARN : finding->action);
        if (finding->action > ret->verdict)
            ret->verdict = finding->action;
    }
    for (size_t i = 0; i < run->n; i++) {
        struct lg_finding *finding = &run->findings[i];
        finding->in_head = ret->verdict == LG_ACTION_DENY && finding->head.n != 0 &&
                           finding->action == LG_ACTION_WARN;
    }
    lg_run_fold(run);
    ret->subject = run->subject;
    ret->findings = run->findings;
    ret->n = run->n;
    ret->migratable = run->immovable ? 0 : run->unsure ? -1 : 1;
    ret->disks_stay = run->disks;
}

static bool has_target(const struct lg_rule_context *context)
{
    struct lg_moving moving;
    return lg_rule_moving(context, &moving) && moving.vmi != NULL && !moving.ended &&
           !moving.decentralised && !lg_str_empty(moving.vmi->node);
}

static void work_out_places(struct lg_run *run, struct lg_judgement *ret)
{
    struct lg_rule_context context = lg_run_context(run, 0);
    bool migration = run->subject.kind == LG_KIND_MIGRATION;
    if (lg_inventory_known(run->inventory, LG_KIND_NODE) != LG_KNOWN ||
        (migration ? !has_target(&context) : !lg_json_there(run->subject.vm.spec)))
        return;
    ret->requirements = lg_rule_requirements(&context);
    ret->separation = lg_rule_separation(&context);
    if (ret->separation != NULL && !migration)
        ret->requirements =
            lg_requirements_separated(ret->requirements, ret->separation, run->arena);
}

struct lg_run lg_run_like(const struct lg_run *run, struct lg_subject subject)
{
    return (struct lg_run){
        .arena = run->arena,
        .inventory = run->inventory,
        .settings = run->settings,
        .policy = run->policy,
        .view = run->view,
        .exempt = run->exempt,
        .stalls = run->stalls,
        .opted_out = opted_out(&subject, run->settings),
        .now_unix_s = run->now_unix_s,
        .expired = run->expired,
        .expired_arg = run->expired_arg,
        .subject = subject,
    };
}

bool lg_run_of(const struct lg_run *run, const struct lg_engine_input *input, struct lg_val object,
               struct lg_run *ret)
{
    if (lg_shape_check(input->kind, object, NULL) != LG_E_OK)
        return false;
    *ret = lg_run_like(run, subject_of(input, object));
    return true;
}

/* What the reader refused, or what has fields of the wrong type, is denied before any rule sees
 * it. */
static bool refused(const struct lg_engine_input *input, struct lg_judgement *ret)
{
    if (input->refusal != NULL)
        ret->refusal = *input->refusal;
    else if (lg_shape_check(input->kind, input->object, &ret->refusal) == LG_E_OK)
        return false;
    ret->refused = true;
    ret->verdict = settled(ret, LG_ACTION_DENY);
    return true;
}

bool lg_run_begin(const struct lg_engine_input *input, struct lg_arena *arena,
                  struct lg_judgement *ret, struct lg_run *ret_run)
{
    *ret = (struct lg_judgement){.migratable = -1};
    if (allowed_at_once(input)) {
        ret->skipped = true;
        ret->subject = (struct lg_subject){.kind = input->kind,
                                           .op = input->op,
                                           .ns = input->ns,
                                           .name = input->name,
                                           .object = input->object};
        return false;
    }
    ret->subject = subject_of(input, input->object);
    const struct lg_namespace *record = NULL;
    if (ret->subject.ns.n != 0)
        (void)lg_inventory_namespace(input->inventory, ret->subject.ns, &record);
    ret->stalls.expired = input->expired;
    ret->stalls.expired_arg = input->expired_arg;
    struct lg_policy_view view =
        lg_policy_view(input->policy, ret->subject.ns, record, &ret->stalls);
    ret->mode = view.mode;
    ret->requester = requester_of(input);
    if (refused(input, ret))
        return false;
    *ret_run = (struct lg_run){
        .arena = arena,
        .inventory = input->inventory,
        .settings = settings_of(input, arena),
        .policy = input->policy,
        .view = view,
        .exempt = lg_policy_exempt(input->policy, input->username, input->groups),
        .stalls = &ret->stalls,
        .wants = input->confirm && ret->requester != LG_REQUESTER_CONTROLLER ? &ret->wants : NULL,
        .now_unix_s = input->now_unix_s,
        .expired = input->expired,
        .expired_arg = input->expired_arg,
        .turnout = input->turnout,
        .dry_run = input->dry_run,
        .subject = ret->subject,
    };
    ret->turnout = input->turnout;
    enum lg_known namespaces = lg_inventory_known(input->inventory, LG_KIND_NAMESPACE);
    if (view.namespace_open && (namespaces == LG_KNOWN || namespaces == LG_NOT_SYNCED))
        (void)lg_run_want(ret_run, LG_KIND_NAMESPACE, ret->subject.ns);
    ret_run->opted_out = opted_out(&ret_run->subject, ret_run->settings);
    return true;
}

void lg_engine_judge(const struct lg_engine_input *input, struct lg_arena *arena,
                     struct lg_judgement *ret)
{
    struct lg_run run;
    if (!lg_run_begin(input, arena, ret, &run))
        return;
    lg_run_all(&run);
    if (input->op == LG_OP_UPDATE && lg_json_there(input->old_object))
        judge_old(&run, input);
    conclude(&run, ret);
    if (input->places)
        work_out_places(&run, ret);
}
