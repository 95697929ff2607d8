/* The ratchet: an update is refused only for what it brings.
 *
 * Old and new object are judged with the same inventory and policy. A finding's identity is its
 * rule, what it is about and the offending value; one whose value stayed under a new name (a
 * renamed volume over the same claim) is the same one. Each old finding excuses one new finding;
 * where the value alone is what is wrong (a claim), it excuses all of that value. What was pending
 * on the old object excuses nothing: with the same inventory it is the update that made it a
 * violation. Nor does what the old machine was spared because it declared itself immovable
 * (evictionStrategy None, policy's optOut), where the new one does not: that it is to move is what
 * the update brings. A runStrategy is not that: WaitAsReceiver becomes another when KubeVirt has
 * moved the guest in, and that must not fail. Of findings beyond those that are kept only the
 * number counts.
 */
#include "rules/core/map.h"
#include "rules/core/mem.h"
#include "rules/run.h"

/* How many unclaimed old findings there are of one identity. */
struct tally {
    size_t n;
};

struct book {
    struct lg_arena *arena;
    struct lg_map exact; /* rule, about, ident */
    struct lg_map value; /* rule, ident */
    struct lg_map back; /* volume, claim: where a volume migration of the old object started from */
};

static void book_done(struct book *book)
{
    lg_map_done(&book->exact);
    lg_map_done(&book->value);
    lg_map_done(&book->back);
}

/* The lengths keep the parts apart: they may hold any character. */
static struct lg_str joined(struct lg_arena *arena, struct lg_str head, struct lg_str about,
                            struct lg_str ident)
{
    size_t n = head.n + sizeof(about.n) + about.n + ident.n;
    char *key = lg_arena_alloc(arena, n + 1);
    if (head.n != 0)
        memcpy(key, head.p, head.n);
    memcpy(key + head.n, &about.n, sizeof(about.n));
    if (about.n != 0)
        memcpy(key + head.n + sizeof(about.n), about.p, about.n);
    if (ident.n != 0)
        memcpy(key + n - ident.n, ident.p, ident.n);
    return (struct lg_str){key, n};
}

struct lg_str lg_finding_key(struct lg_arena *arena, const struct lg_finding *finding, bool exact)
{
    struct lg_str about = exact ? finding->about : LG_STR("");
    return joined(arena, lg_str_of(finding->rule->id), about, finding->ident);
}

static void count(struct book *book, struct lg_map *map, const struct lg_finding *finding)
{
    struct lg_str key = lg_finding_key(book->arena, finding, map == &book->exact);
    struct tally *tally = lg_map_get(map, key);
    if (tally == NULL) {
        tally = lg_arena_alloc(book->arena, sizeof(*tally));
        (void)lg_map_set(map, key, tally);
    }
    tally->n++;
}

/* A pending finding of a rule that says more than that something is not known. */
static bool undecided(const struct lg_finding *finding)
{
    return finding->pending && finding->rule->action != LG_ACTION_PENDING;
}

static size_t rule_index(const struct lg_rule *rule)
{
    size_t i = 0;
    (void)lg_rule_find(lg_str_of(rule->id), &i);
    return i;
}

/* The old machine was spared this rule for its word, which the new one takes back. */
static bool was_spared(const struct lg_run *run, const struct lg_run *old_run, size_t rule)
{
    return old_run->opted_out && !run->opted_out && run->view.opt_out[rule];
}

static void write_down(struct book *book, const struct lg_run *run, const struct lg_run *old_run)
{
    for (size_t i = 0; i < old_run->n; i++) {
        if (undecided(&old_run->findings[i]) ||
            was_spared(run, old_run, rule_index(old_run->findings[i].rule)))
            continue;
        count(book, &book->exact, &old_run->findings[i]);
        count(book, &book->value, &old_run->findings[i]);
    }
    if (old_run->subject.kind != LG_KIND_VM)
        return;
    struct lg_val moved = old_run->subject.vm.migrated_volumes;
    for (struct lg_json_iter it = lg_json_iter(moved); lg_json_next(&it);) {
        struct lg_str claim = lg_json_str_at(it.val, "sourcePVCInfo.claimName");
        struct lg_str volume = lg_json_str_at(it.val, "volumeName");
        (void)lg_map_set(&book->back, joined(book->arena, LG_STR(""), volume, claim), book);
    }
}

static struct tally *find(struct book *book, struct lg_map *map, const struct lg_finding *finding)
{
    struct tally *tally =
        lg_map_get(map, lg_finding_key(book->arena, finding, map == &book->exact));
    return tally != NULL && tally->n != 0 ? tally : NULL;
}

/* Takes the old finding of the same identity, if one is left. */
static bool take_exact(struct book *book, const struct lg_finding *finding)
{
    struct tally *exact = find(book, &book->exact, finding);
    if (exact == NULL)
        return false;
    exact->n--;
    find(book, &book->value, finding)->n--;
    return true;
}

static bool take_renamed(struct book *book, const struct lg_finding *finding)
{
    if (finding->ident.n == 0)
        return false;
    if (finding->rule->ident_alone)
        return lg_map_get(&book->value, lg_finding_key(book->arena, finding, false)) != NULL;
    struct tally *value = find(book, &book->value, finding);
    if (value == NULL)
        return false;
    value->n--;
    return true;
}

/* The volume goes back to where a volume migration of the old object started from. */
static bool goes_back(const struct book *book, const struct lg_finding *finding)
{
    if (finding->ident.n == 0)
        return false;
    struct lg_str key = joined(book->arena, LG_STR(""), finding->about, finding->ident);
    return lg_map_get(&book->back, key) != NULL;
}

static void lower(struct lg_finding *finding, enum lg_action action)
{
    finding->action = action;
    finding->ratcheted = true;
}

static bool denies(const struct lg_run *run)
{
    for (size_t i = 0; i < run->n; i++)
        if (run->findings[i].action == LG_ACTION_DENY)
            return true;
    return false;
}

/* How many findings of each rule. In the arena. */
static const size_t *totals(const struct lg_run *run)
{
    size_t n = lg_rules_count();
    size_t *total = lg_arena_array(run->arena, n, sizeof *total);
    for (size_t i = 0; i < n; i++)
        total[i] = run->spilled != NULL ? run->spilled[i] : 0;
    for (size_t i = 0; i < run->n; i++)
        total[rule_index(run->findings[i].rule)] += !undecided(&run->findings[i]);
    return total;
}

/* The old object had what is worse, and was not spared it. */
static bool got_better(const struct lg_run *run, const struct lg_run *old_run,
                       const size_t *old_total, const struct lg_finding *finding)
{
    const char *worse = finding->rule->better_than;
    size_t i = 0;
    return worse != NULL && lg_rule_find(lg_str_of(worse), &i) != NULL && old_total[i] != 0 &&
           !was_spared(run, old_run, i);
}

/* One of the old findings that were not kept may be this one. */
static bool take_spilled(const struct lg_run *run, struct lg_run *old_run,
                         const struct lg_finding *finding)
{
    size_t *spilled = old_run->spilled;
    size_t i = rule_index(finding->rule);
    if (spilled == NULL || spilled[i] == 0 || was_spared(run, old_run, i))
        return false;
    spilled[i]--;
    return true;
}

/* Findings whose identity is the same first, so that a renamed one never takes the place of one
 * that stayed. */
static void match(struct lg_run *run, struct lg_run *old_run, const size_t *old_total,
                  struct book *book)
{
    for (size_t i = 0; i < run->n; i++) {
        struct lg_finding *finding = &run->findings[i];
        if (take_exact(book, finding) && finding->action == LG_ACTION_DENY)
            lower(finding, LG_ACTION_WARN);
    }
    for (size_t i = 0; i < run->n; i++) {
        struct lg_finding *finding = &run->findings[i];
        if (finding->action != LG_ACTION_DENY)
            continue;
        if (take_renamed(book, finding) || goes_back(book, finding) ||
            got_better(run, old_run, old_total, finding) || take_spilled(run, old_run, finding))
            lower(finding, LG_ACTION_WARN);
        else if (rule_index(finding->rule) >= old_run->judged)
            lower(finding, LG_ACTION_PENDING);
    }
}

/* The rules that found more than is kept, and more than in the old object: one of what they found
 * is new. Their last finding is of the strongest that there were. */
static void keep_grown(struct lg_run *run, const size_t *total, const size_t *old_total)
{
    for (size_t i = run->n; i-- > 0;) {
        struct lg_finding *finding = &run->findings[i];
        size_t rule = rule_index(finding->rule);
        if (run->spilled[rule] == 0 || total[rule] <= old_total[rule])
            continue;
        run->spilled[rule] = 0; /* once */
        finding->action = finding->was;
        finding->ratcheted = false;
    }
}

void lg_ratchet(struct lg_run *run, struct lg_run *old_run)
{
    if (!denies(run))
        return;
    if (lg_shape_check(old_run->subject.kind, old_run->subject.object, NULL) != LG_E_OK)
        return;
    lg_run_all(old_run);
    const size_t *old_total = totals(old_run);
    struct book book lg_cleanup(book_done) = {.arena = run->arena};
    write_down(&book, run, old_run);
    match(run, old_run, old_total, &book);
    if (run->spilled != NULL)
        keep_grown(run, totals(run), old_total);
}
