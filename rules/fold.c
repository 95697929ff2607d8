/* Several rules that lack the same thing are one line for a person: the first says it and names the
 * others. So are a rule's finding and the one that says why it is so. */
#include "rules/core/map.h"
#include "rules/core/mem.h"
#include "rules/run.h"
#include "rules/virt/expansion.h"

/* The lengths keep the parts apart: they may hold any character. */
static struct lg_str key_of(const struct lg_finding *finding, struct lg_arena *arena)
{
    return lg_arena_printf(arena, "%zu:%.*s%.*s", finding->message.n, LG_ARG(finding->message),
                           LG_ARG(finding->field));
}

/* Findings of one rule stand together, so that its id, if it is there, is the last. */
static void join(struct lg_finding *first, struct lg_finding *later, struct lg_arena *arena)
{
    struct lg_str id = lg_str_of(later->rule->id);

    later->folded = true;
    if (later->rule == first->rule || lg_str_ends(first->also, later->rule->id))
        return;
    first->also = first->also.n == 0
                      ? id
                      : lg_arena_printf(arena, "%.*s, %.*s", LG_ARG(first->also), LG_ARG(id));
}

/* The field is that one, or stands below it. */
static bool lies_within(struct lg_str field, struct lg_str around)
{
    return field.n >= around.n && memcmp(field.p, around.p, around.n) == 0 &&
           (field.n == around.n || field.p[around.n] == '.' || field.p[around.n] == '[');
}

/* It speaks of the guest as a whole: a finding somewhere in there need not say why. */
static bool at_no_place(const struct lg_run *run, const struct lg_finding *finding)
{
    const struct lg_vm *vm = &run->subject.vm;
    enum lg_part part;
    struct lg_val spec = lg_expansion_origin(vm, vm->spec, &part);
    return finding->field.n == 0 || (finding->at.doc == spec.doc && finding->at.i == spec.i);
}

/* The finding that says why `finding` is so, and is no weaker; NULL = none does. */
static struct lg_finding *teller_of(struct lg_run *run, const struct lg_finding *finding)
{
    if (finding->rule->told_by == NULL || finding->pending || at_no_place(run, finding))
        return NULL;
    for (size_t i = 0; i < run->n; i++) {
        struct lg_finding *other = &run->findings[i];
        if (strcmp(other->rule->id, finding->rule->told_by) == 0 && !other->pending &&
            other->action >= finding->action && lies_within(other->field, finding->field))
            return other;
    }
    return NULL;
}

/* A rule that is told by another has one finding: O(findings). */
static void fold_told(struct lg_run *run)
{
    for (size_t i = 0; i < run->n; i++) {
        struct lg_finding *teller = teller_of(run, &run->findings[i]);
        if (teller != NULL)
            join(teller, &run->findings[i], run->arena);
    }
}

void lg_run_fold(struct lg_run *run)
{
    struct lg_map first lg_cleanup(lg_map_done) = {0};

    fold_told(run);
    for (size_t i = 0; i < run->n; i++) {
        struct lg_finding *finding = &run->findings[i];
        if (finding->action != LG_ACTION_PENDING)
            continue;
        struct lg_str key = key_of(finding, run->arena);
        struct lg_finding *earlier = lg_map_get(&first, key);
        if (earlier != NULL)
            join(earlier, finding, run->arena);
        else
            (void)lg_map_set(&first, key, finding);
    }
}
