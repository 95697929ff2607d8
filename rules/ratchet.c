/* The ratchet: an update is refused only for what it brings.
 *
 * Old and new object are judged with the same inventory and policy. A finding's identity is its rule, what it is about
 * and the offending value; one whose value stayed under a new name (a renamed volume over the same claim) is the same
 * one. Each old finding excuses one new finding. Source: design 2.
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

static void write_down(struct book *book, const struct lg_run *old_run)
{
    for (size_t i = 0; i < old_run->n; i++) {
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
    struct tally *value = finding->ident.n != 0 ? find(book, &book->value, finding) : NULL;
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

static size_t rule_index(const struct lg_rule *rule)
{
    size_t i = 0;
    (void)lg_rule_find(lg_str_of(rule->id), &i);
    return i;
}

static bool denies(const struct lg_run *run)
{
    for (size_t i = 0; i < run->n; i++)
        if (run->findings[i].action == LG_ACTION_DENY)
            return true;
    return false;
}

/* Findings whose identity is the same first, so that a renamed one never takes the place of one that stayed. */
static void match(struct lg_run *run, const struct lg_run *old_run, struct book *book)
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
        if (take_renamed(book, finding) || goes_back(book, finding))
            lower(finding, LG_ACTION_WARN);
        else if (rule_index(finding->rule) >= old_run->judged)
            lower(finding, LG_ACTION_PENDING);
    }
}

void lg_ratchet(struct lg_run *run, struct lg_run *old_run)
{
    /* Beyond the findings that are kept nothing can be told apart: then nothing is excused. */
    if (!denies(run) || run->overflowed)
        return;
    if (lg_shape_check(old_run->subject.kind, old_run->subject.object, NULL) != LG_E_OK)
        return;
    lg_run_all(old_run);
    if (old_run->overflowed)
        return;
    struct book book lg_cleanup(book_done) = {.arena = run->arena};
    write_down(&book, old_run);
    match(run, old_run, &book);
}
