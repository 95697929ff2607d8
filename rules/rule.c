/* What rules may call: reporting, lacking, and answers that are worked out once a subject. */
#include "rules/rule.h"

#include <assert.h>

#include "rules/core/mem.h"
#include "rules/run.h"

size_t lg_rules_count(void)
{
    size_t n = 0;
    while (lg_rules[n] != NULL)
        n++;
    return n;
}

const char *lg_rule_default_name(const struct lg_rule *rule)
{
    return rule->waits ? "limit" : lg_action_name(rule->action);
}

unsigned lg_rules_watched(void)
{
    /* Policy selects namespaces by label; settings and controllers come from the two CRs. */
    unsigned kinds =
        LG_BIT(LG_KIND_NAMESPACE) | LG_BIT(LG_KIND_KUBEVIRT) | LG_BIT(LG_KIND_HYPERCONVERGED);
    for (size_t i = 0; lg_rules[i] != NULL; i++)
        kinds |= lg_rules[i]->looks_up;
    for (int i = 0; i < LG_KIND_COUNT; i++)
        if (lg_gvk((enum lg_kind)i)->on_demand || lg_gvk((enum lg_kind)i)->only_in_files)
            kinds &= ~LG_BIT(i);
    return kinds;
}

const struct lg_rule *lg_rule_find(struct lg_str id_or_name, size_t *ret_index)
{
    for (size_t i = 0; lg_rules[i] != NULL; i++) {
        if (!lg_str_is(id_or_name, lg_rules[i]->id) && !lg_str_is(id_or_name, lg_rules[i]->name))
            continue;
        if (ret_index != NULL)
            *ret_index = i;
        return lg_rules[i];
    }
    return NULL;
}

static bool plain(struct lg_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < 0x20 || s.p[i] > 0x7E)
            return false;
    return true;
}

/* `s` as it may be shown on one line, at most LG_MESSAGE_BYTES_MAX long. Cut before it is made
 * printable, which may make it longer, and after. */
static struct lg_str presentable(struct lg_str s, struct lg_arena *arena)
{
    if (s.n <= LG_MESSAGE_BYTES_MAX && plain(s))
        return s;
    struct lg_buf buf lg_cleanup(lg_buf_done) = {0};
    lg_buf_printable(&buf, lg_str_cut(s, LG_MESSAGE_BYTES_MAX));
    struct lg_str shown = lg_buf_view(&buf);
    if (s.n <= LG_MESSAGE_BYTES_MAX && shown.n <= LG_MESSAGE_BYTES_MAX)
        return lg_arena_str(arena, shown);
    shown = lg_str_cut(shown, LG_MESSAGE_BYTES_MAX - 3);
    return lg_arena_printf(arena, "%.*s...", LG_ARG(shown));
}

static struct lg_str field_of(const struct lg_run *run, struct lg_val at)
{
    struct lg_val object = run->subject.object;
    if (at.doc == NULL || at.doc != object.doc)
        return LG_STR("");
    return presentable(lg_json_path(object, at, run->arena), run->arena);
}

/* At most LG_RULE_FINDINGS_MAX of a rule are kept; beyond them a stronger one takes the place of
 * the last, so that no flood of weak findings hides a denial. Asked before a finding is put into
 * words: a flood must not cost much. */
static bool has_room(struct lg_run *run, enum lg_action action)
{
    if (run->n - run->first < LG_RULE_FINDINGS_MAX)
        return true;
    if (run->spilled == NULL)
        run->spilled = lg_arena_array(run->arena, lg_rules_count(), sizeof *run->spilled);
    run->spilled[run->index]++;
    return run->findings[run->n - 1].action < action;
}

static void keep(struct lg_run *run, const struct lg_finding *finding)
{
    if (run->n - run->first >= LG_RULE_FINDINGS_MAX) {
        run->findings[run->n - 1] = *finding;
        return;
    }
    if (run->n == run->size) {
        size_t size = run->size != 0 ? 2 * run->size : 8;
        struct lg_finding *more = lg_arena_array(run->arena, size, sizeof(*more));
        if (run->n != 0)
            memcpy(more, run->findings, run->n * sizeof(*more));
        run->findings = more;
        run->size = size;
    }
    run->findings[run->n++] = *finding;
}

static enum lg_action weaker(enum lg_action a, enum lg_action b)
{
    return a < b ? a : b;
}

/* The name that exceptions go by: the prefix, where the API server makes the name up. */
static struct lg_str name_of(const struct lg_subject *subject)
{
    return subject->name.n != 0 ? subject->name
                                : lg_json_str_at(subject->object, "metadata.generateName");
}

/* Worked out when a finding asks: most reviews have none. */
struct lg_str lg_run_exception(struct lg_run *run, size_t index)
{
    if (!run->excuses_known) {
        run->excuses = lg_policy_excuses(run->policy, run->subject.ns, name_of(&run->subject),
                                         run->now_unix_s, run->arena, run->stalls);
        run->excuses_known = true;
    }
    return run->excuses != NULL ? run->excuses[index] : LG_STR("");
}

/* Lowers `action` as exceptions say; *ret_excuse is why, *ret_excepted that an exception did it. */
static enum lg_action excused(struct lg_run *run, enum lg_action action, struct lg_str *ret_excuse,
                              bool *ret_excepted)
{
    *ret_excuse = run->excuse;
    *ret_excepted = false;
    struct lg_str exception =
        action > LG_ACTION_AUDIT ? lg_run_exception(run, run->index) : LG_STR("");
    if (exception.n == 0)
        return action;
    *ret_excuse = exception;
    *ret_excepted = true;
    return LG_ACTION_AUDIT;
}

enum lg_mobility lg_rule_mobility(const struct lg_rule_context *context)
{
    const struct lg_run *run = context->engine;
    if (run->immovable || run->stranded)
        return LG_IMMOBILE;
    return run->unsure ? LG_MOBILITY_UNKNOWN : LG_MOBILE;
}

enum lg_action lg_rule_leaning_action(struct lg_rule_context *context, struct lg_str name)
{
    struct lg_run *run = context->engine;
    const char *other = run->rule->not_stronger_than;
    size_t i = 0;
    if (other == NULL || lg_rule_find(lg_str_of(other), &i) == NULL)
        return LG_ACTION_DENY;
    enum lg_action action = run->view.actions[i];
    const struct lg_str *excuses = lg_policy_excuses(run->policy, run->subject.ns, name,
                                                     run->now_unix_s, run->arena, run->stalls);
    return excuses != NULL && excuses[i].n != 0 ? weaker(action, LG_ACTION_AUDIT) : action;
}

static bool was_read(const struct lg_run *run, enum lg_kind kind, struct lg_str name)
{
    return name.n != 0 && lg_inventory_was_read(run->inventory, kind, run->subject.ns, name);
}

bool lg_run_want(struct lg_run *run, enum lg_kind kind, struct lg_str name)
{
    struct lg_str ns = lg_gvk(kind)->namespaced ? run->subject.ns : LG_STR("");
    struct lg_wants *wants = run->wants;
    const struct lg_record *record;
    if (wants == NULL || name.n == 0 || was_read(run, kind, name))
        return false;
    for (size_t i = 0; i < wants->n; i++)
        if (wants->items[i].kind == kind && lg_str_eq(wants->items[i].name, name))
            return true;
    bool found = lg_inventory_get(run->inventory, kind, ns, name, &record) == LG_FOUND;
    if (wants->n < LG_WANTS_MAX)
        wants->items[wants->n++] = (struct lg_want){.kind = kind,
                                                    .ns = lg_arena_str(run->arena, ns),
                                                    .name = lg_arena_str(run->arena, name),
                                                    .found = found};
    return true;
}

static struct lg_str unconfirmed(const struct lg_report *report, struct lg_arena *arena)
{
    return lg_arena_printf(arena,
                           "%.*s (as it was last seen; %s \"%.*s\" could not be read again "
                           "in time)",
                           LG_ARG(report->message), lg_gvk(report->rests_on_kind)->noun,
                           LG_ARG(report->rests_on));
}

/* A reason that does not stand in the VM says who brings it: instancetype "u1.gpu" brings gpu
 * "gpu0": ... */
static struct lg_str message_of(const struct lg_run *run, const struct lg_report *report,
                                enum lg_part part, bool open)
{
    struct lg_str message = open ? unconfirmed(report, run->arena) : report->message;
    if (part == LG_PART_OWN)
        return message;
    return lg_arena_printf(run->arena, "%.*s brings %s%.*s",
                           LG_ARG(lg_expansion_part(&run->subject.vm, part)->title),
                           lg_str_empty(report->about) ? "this: " : "", LG_ARG(message));
}

/* What policy makes of a report; *ret_open where a denial rests on something that is read first, so
 * that it is pending. */
static enum lg_action action_of(struct lg_run *run, const struct lg_report *report, bool *ret_open)
{
    enum lg_action action = run->action;
    if (report->by_default != LG_ACTION_OFF && !run->view.chosen[run->index])
        action = lg_policy_exempted(run->policy, run->exempt, run->index, report->by_default,
                                    &run->excuse);
    if (report->at_most != LG_ACTION_OFF)
        action = weaker(action, report->at_most);
    *ret_open =
        action == LG_ACTION_DENY && lg_run_want(run, report->rests_on_kind, report->rests_on);
    return *ret_open ? LG_ACTION_PENDING : action;
}

void lg_rule_report(struct lg_rule_context *context, const struct lg_report *report)
{
    struct lg_run *run = context->engine;
    const struct lg_rule *rule = run->rule;
    const char *reason =
        report->kubevirt_reason != NULL ? report->kubevirt_reason : rule->kubevirt_reason;
    if (report->beyond_kubevirt)
        reason = NULL;
    enum lg_part part;
    struct lg_val at = lg_expansion_origin(&run->subject.vm, report->at, &part);
    bool open = false;
    enum lg_action action = action_of(run, report, &open);
    bool pending = rule->action == LG_ACTION_PENDING || open;
    run->unsure = run->unsure || pending;
    if (reason != NULL && !pending) {
        run->immovable = true;
        run->disks = run->disks || strcmp(reason, "DisksNotLiveMigratable") == 0;
    }
    run->stranded = run->stranded || (rule->strands && report->at_most == LG_ACTION_OFF && !open);
    struct lg_str excuse;
    bool excepted = false;
    action = excused(run, action, &excuse, &excepted);
    if (action == LG_ACTION_OFF || !has_room(run, action))
        return;
    struct lg_finding finding = {
        .rule = rule,
        .action = action,
        .was = action,
        .pending = pending,
        .missing = LG_KIND_OTHER,
        .about = presentable(report->about, run->arena),
        .ident = report->ident,
        .at = at,
        .field = field_of(run, at),
        .message = presentable(message_of(run, report, part, open), run->arena),
        .fix = presentable(report->fix, run->arena),
        .head = presentable(report->head, run->arena),
        .excuse = presentable(excuse, run->arena),
        .excepted = excepted,
        .kubevirt_reason = open ? NULL : reason,
    };
    keep(run, &finding);
}

/* A rule that speaks of what is not known keeps the action policy gives it; any other is pending at
 * most. */
static void lack(struct lg_run *run, struct lg_val at, enum lg_kind kind, struct lg_str ident,
                 struct lg_str message, struct lg_str fix)
{
    const struct lg_rule *rule = run->rule;
    enum lg_part part;
    at = lg_expansion_origin(&run->subject.vm, at, &part);
    if ((rule->kubevirt_reason != NULL && !rule->not_expected) || rule->action == LG_ACTION_PENDING)
        run->unsure = true;
    enum lg_action action = run->action;
    if (rule->action != LG_ACTION_PENDING)
        action = weaker(action, LG_ACTION_PENDING);
    if (kind != LG_KIND_OTHER && lg_inventory_known(run->inventory, kind) == LG_NOT_SERVED)
        action = weaker(action, LG_ACTION_AUDIT);
    struct lg_str excuse;
    bool excepted = false;
    action = excused(run, action, &excuse, &excepted);
    if (action == LG_ACTION_OFF || !has_room(run, action))
        return;
    for (size_t i = run->first; i < run->n; i++) {
        const struct lg_finding *said = &run->findings[i];
        if (said->pending && said->missing == kind && lg_str_eq(said->ident, ident))
            return;
    }
    struct lg_finding finding = {
        .rule = rule,
        .action = action,
        .was = action,
        .pending = true,
        .missing = kind,
        .ident = ident,
        .at = at,
        .field = field_of(run, at),
        .message = presentable(message, run->arena),
        .fix = presentable(fix, run->arena),
        .excuse = presentable(excuse, run->arena),
        .excepted = excepted,
    };
    keep(run, &finding);
}

/* "claims", "storage classes", "migration policies". */
static struct lg_str plural(enum lg_kind kind, struct lg_arena *arena)
{
    struct lg_str noun = lg_str_of(lg_gvk(kind)->noun);
    if (lg_str_ends(noun, "s"))
        return lg_arena_printf(arena, "%.*ses", LG_ARG(noun));
    if (lg_str_ends(noun, "y"))
        return lg_arena_printf(arena, "%.*sies", (int)noun.n - 1, noun.p);
    return lg_arena_printf(arena, "%.*ss", LG_ARG(noun));
}

/* Why it is not known: `it` is the object or its kind, `kinds` the kind. */
static struct lg_str lack_message(enum lg_known known, bool on_demand, struct lg_str it,
                                  struct lg_str kinds, struct lg_arena *arena)
{
    switch (known) {
    case LG_NOT_GIVEN:
        return lg_arena_printf(arena, "not known: %.*s (no %.*s were given)", LG_ARG(it),
                               LG_ARG(kinds));
    case LG_NOT_SYNCED:
        if (on_demand)
            return lg_arena_printf(arena, "not known yet: %.*s (it was not read in time)",
                                   LG_ARG(it));
        return lg_arena_printf(arena, "not known yet: %.*s (%.*s have not been listed)", LG_ARG(it),
                               LG_ARG(kinds));
    case LG_NOT_SERVED:
        return lg_arena_printf(arena, "not known: %.*s (the cluster does not serve %.*s)",
                               LG_ARG(it), LG_ARG(kinds));
    case LG_FORBIDDEN:
        return lg_arena_printf(arena, "not known: %.*s (livegate may not read %.*s)", LG_ARG(it),
                               LG_ARG(kinds));
    case LG_KNOWN:
        break;
    }
    if (it.p == kinds.p)
        return lg_arena_printf(arena, "there are no %.*s yet", LG_ARG(kinds));
    return lg_arena_printf(arena, "%.*s does not exist yet", LG_ARG(it));
}

void lg_rule_lacks(struct lg_rule_context *context, struct lg_val at, enum lg_kind kind,
                   struct lg_str name)
{
    struct lg_run *run = context->engine;
    struct lg_arena *arena = run->arena;
    assert(kind < LG_KIND_COUNT);
    /* What was read by itself is known, whatever is known of its kind. */
    enum lg_known known =
        was_read(run, kind, name) ? LG_KNOWN : lg_inventory_known(run->inventory, kind);
    struct lg_str kinds = plural(kind, arena);
    struct lg_str it = kinds;
    if (name.n != 0)
        it = lg_arena_printf(arena, "%s \"%.*s\"", lg_gvk(kind)->noun, LG_ARG(name));
    struct lg_str fix = LG_STR("");
    if (known == LG_NOT_GIVEN)
        fix = lg_arena_printf(arena, "add the %.*s to the inventory", LG_ARG(kinds));
    else if (known == LG_FORBIDDEN)
        fix = lg_arena_printf(arena, "let livegate get, list and watch %s", lg_gvk(kind)->plural);
    if (known == LG_KNOWN || known == LG_NOT_SYNCED)
        (void)lg_run_want(run, kind, name);
    lack(run, at, kind, name, lack_message(known, lg_gvk(kind)->on_demand, it, kinds, arena), fix);
}

void lg_rule_lacks_text(struct lg_rule_context *context, struct lg_val at, struct lg_str what)
{
    lack(context->engine, at, LG_KIND_OTHER, what, what, LG_STR(""));
}

const struct lg_finding *lg_rule_judge_vmi(struct lg_rule_context *context, struct lg_str ns,
                                           struct lg_str name, struct lg_val vmi, size_t *ret_n)
{
    const struct lg_run *outer = context->engine;
    *ret_n = 0;
    if (outer->nested || lg_shape_check(LG_KIND_VMI, vmi, NULL) != LG_E_OK)
        return NULL;
    struct lg_run run =
        lg_run_like(outer, (struct lg_subject){.kind = LG_KIND_VMI,
                                               .op = LG_OP_CREATE,
                                               .ns = ns,
                                               .name = name,
                                               .object = vmi,
                                               .vm = lg_vm_read(LG_KIND_VMI, vmi, ns)});
    run.nested = true;
    run.exempt = 0;
    lg_run_all(&run);
    *ret_n = run.n;
    return run.findings;
}
