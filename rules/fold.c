/* Several rules that lack the same thing are one line for a person: the first says it and names the others. */
#include "rules/core/map.h"
#include "rules/core/mem.h"
#include "rules/run.h"

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

void lg_run_fold(struct lg_run *run)
{
    struct lg_map first lg_cleanup(lg_map_done) = {0};

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
