#include "rules/mend.h"

#include "rules/core/map.h"
#include "rules/core/mem.h"
#include "rules/edit.h"
#include "rules/kube/meta.h"
#include "rules/run.h"
#include "rules/virt/expansion.h"

enum { NOTES_MAX = 1024 };

struct notes {
    struct lg_mend_note *items;
    size_t n, size;
};

/* What one fixer described. */
struct lg_repair {
    const struct lg_rule *rule;
    const struct lg_vm *whole;
    struct lg_val old;
    struct lg_str choice;
    struct lg_arena *arena;
    struct lg_edits edits;
    struct lg_val *reads;
    size_t n_reads;
    struct notes said, cannot;
    bool sent;    /* the patch goes to an API server, and is tested there */
    bool stopped; /* a name that cannot be tested */
};

/* The object on its way through the fixers. */
struct mender {
    const struct lg_engine_input *input;
    enum lg_mend_door door;
    struct lg_arena *arena;
    bool *only;          /* by rule index: the fixers that run */
    struct lg_run start; /* the circumstances */
    struct lg_run run;   /* over the object as it is now */
    bool whole;          /* `run` asked every rule, not only those with a fixer */
    struct lg_patch patch;
    struct notes notes, reasons;
    struct lg_buf mended; /* ids, "LG101,LG201" */
    struct lg_str text;   /* of the object with all of it */
};

static void mender_done(struct mender *m)
{
    lg_patch_done(&m->patch);
    lg_buf_done(&m->mended);
}

static void add_note(struct notes *notes, struct lg_arena *arena, const struct lg_mend_note *note)
{
    if (notes->n == NOTES_MAX)
        return;
    if (notes->n == notes->size) {
        size_t size = notes->size != 0 ? 2 * notes->size : 4;
        struct lg_mend_note *more = lg_arena_array(arena, size, sizeof(*more));
        if (notes->n != 0)
            memcpy(more, notes->items, notes->n * sizeof(*more));
        notes->items = more;
        notes->size = size;
    }
    notes->items[notes->n++] = *note;
}

static void add_notes(struct notes *to, const struct notes *from, struct lg_arena *arena)
{
    for (size_t i = 0; i < from->n; i++)
        add_note(to, arena, &from->items[i]);
}

/* --- what fixers call --- */

void lg_repair_set(struct lg_repair *repair, struct lg_val object, const char *key,
                   struct lg_str json)
{
    lg_edits_add(&repair->edits,
                 &(struct lg_edit){.object = object, .key = lg_str_of(key), .json = json});
}

void lg_repair_rename(struct lg_repair *repair, struct lg_val object, const char *key,
                      const char *to, struct lg_str json)
{
    lg_edits_add(&repair->edits,
                 &(struct lg_edit){
                     .object = object, .key = lg_str_of(key), .to = lg_str_of(to), .json = json});
}

/* Printable ASCII that every JSON writer writes the same way. */
static bool plain(struct lg_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < 0x20 || s.p[i] > 0x7E || strchr("\"\\<>&", s.p[i]) != NULL)
            return false;
    return s.n != 0;
}

void lg_repair_read(struct lg_repair *repair, struct lg_str about, struct lg_val name)
{
    if (!repair->sent)
        return;
    if (!plain(lg_json_str(name))) {
        repair->stopped = true;
        lg_repair_cannot(repair, about, LG_STR("its name is missing or not plain text"));
        return;
    }
    for (size_t i = 0; i < repair->n_reads; i++)
        if (repair->reads[i].i == name.i)
            return;
    /* With more of them there are too many edits, too. */
    if (repair->reads == NULL)
        repair->reads = lg_arena_array(repair->arena, LG_EDITS_MAX, sizeof(*repair->reads));
    if (repair->n_reads < LG_EDITS_MAX)
        repair->reads[repair->n_reads++] = name;
}

void lg_repair_say(struct lg_repair *repair, struct lg_str about, struct lg_str what)
{
    const struct lg_mend_note note = {.rule = repair->rule, .about = about, .text = what};
    add_note(&repair->said, repair->arena, &note);
}

void lg_repair_cannot(struct lg_repair *repair, struct lg_str about, struct lg_str why)
{
    const struct lg_mend_note note = {.rule = repair->rule, .about = about, .text = why};
    add_note(&repair->cannot, repair->arena, &note);
}

const struct lg_vm *lg_repair_whole(const struct lg_repair *repair)
{
    return repair->whole;
}

struct lg_val lg_repair_old(const struct lg_repair *repair)
{
    return repair->old;
}

struct lg_str lg_repair_choice(const struct lg_repair *repair)
{
    return repair->choice;
}

/* --- one rule --- */

/* What an exception or an exemption speaks for is meant to stay as it is. What is only recorded is
 * nobody's complaint: it is mended where policy asks for it. */
static size_t violations(const struct lg_run *run, size_t index)
{
    size_t n = 0;
    for (size_t i = 0; i < run->n; i++) {
        const struct lg_finding *finding = &run->findings[i];
        n += finding->rule == lg_rules[index] && !finding->pending &&
             lg_str_empty(finding->excuse) &&
             (finding->action > LG_ACTION_AUDIT || run->view.fixers[index] != 0);
    }
    return n;
}

static bool excused(const struct lg_run *run, size_t index)
{
    for (size_t i = 0; i < run->n; i++)
        if (run->findings[i].rule == lg_rules[index] && !lg_str_empty(run->findings[i].excuse))
            return true;
    return false;
}

static struct lg_str choice_of(const struct mender *m, size_t index)
{
    const struct lg_fixer *fixer = lg_rules[index]->fixer;
    unsigned char set = m->start.view.fixers[index];
    if (fixer->choices == NULL)
        return LG_STR("");
    return lg_str_of(fixer->choices[set != 0 ? set - 1 : 0]);
}

static void describe(struct mender *m, size_t index, struct lg_repair *ret)
{
    const struct lg_rule *rule = lg_rules[index];
    *ret = (struct lg_repair){.rule = rule,
                              .whole = &m->run.subject.vm,
                              .old = m->input->op == LG_OP_UPDATE ? m->input->old_object : LG_NONE,
                              .arena = m->arena,
                              .sent = m->door == LG_MEND_ADMISSION,
                              .edits = {.arena = m->arena},
                              .choice = choice_of(m, index)};
    /* What is mended is what the user wrote, not what an instancetype made of it. */
    struct lg_subject own = m->run.subject;
    own.vm = lg_vm_read(own.kind, own.object, own.ns);
    own.vm.migrated_volumes = m->run.subject.vm.migrated_volumes;
    own.vm.volume_status = m->run.subject.vm.volume_status;
    struct lg_rule_context context = lg_run_context(&m->run, index);
    context.subject = &own;
    rule->fixer->mend(&context, ret);
}

/* True when every finding of `after` that is more than a record was there before. */
static bool nothing_new(struct mender *m, const struct lg_run *before, const struct lg_run *after)
{
    struct lg_map known lg_cleanup(lg_map_done) = {0};
    for (size_t i = 0; i < before->n; i++)
        (void)lg_map_set(&known, lg_finding_key(m->arena, &before->findings[i], true), m);
    for (size_t i = 0; i < after->n; i++)
        if (after->findings[i].action > LG_ACTION_AUDIT &&
            lg_map_get(&known, lg_finding_key(m->arena, &after->findings[i], true)) == NULL)
            return false;
    return true;
}

static bool judge_all(struct lg_run *run)
{
    lg_run_all(run);
    return run->judged == lg_rules_count() && run->spilled == NULL;
}

/* The same where the object as it is now was judged by the rules with a fixer only: those that
 * complain now are asked what they said of it. */
static bool nothing_new_unasked(struct mender *m, const struct lg_run *after)
{
    bool *asked = lg_arena_array(m->arena, lg_rules_count(), sizeof(*asked));
    bool any = false;
    for (size_t i = 0; i < after->n; i++) {
        size_t index = 0;
        if (after->findings[i].action <= LG_ACTION_AUDIT ||
            lg_rule_find(lg_str_of(after->findings[i].rule->id), &index) == NULL)
            continue;
        asked[index] = any = true;
    }
    struct lg_run before = lg_run_like(&m->start, m->run.subject);
    before.only = asked;
    return !any || (judge_all(&before) && nothing_new(m, &before, after));
}

/* Provably better: the rule is content (in a file: more content than before), and nobody else
 * complains. */
static bool is_better(struct mender *m, size_t index, const struct lg_run *after)
{
    size_t left = violations(after, index);
    if (left != 0 && (m->door == LG_MEND_ADMISSION || left >= violations(&m->run, index)))
        return false;
    return m->whole ? nothing_new(m, &m->run, after) : nothing_new_unasked(m, after);
}

static struct lg_val edited(struct mender *m, const struct lg_edits *edits)
{
    struct lg_val root = LG_NONE;
    const struct lg_val object = m->run.subject.object;
    struct lg_doc *doc = lg_arena_alloc(m->arena, sizeof *doc);
    *doc = (struct lg_doc){
        .text = lg_edits_text(edits, object), .arena = m->arena, .without = object.doc->without};
    if (lg_json_parse_doc(doc, &root, NULL) != LG_E_OK)
        return LG_NONE; /* at a limit of the reader */
    return root;
}

static void write_down(struct mender *m, const struct lg_repair *repair)
{
    struct lg_val root = m->run.subject.object;
    for (size_t i = 0; i < repair->n_reads; i++)
        lg_patch_test_str(&m->patch, lg_patch_pointer(root, repair->reads[i], m->arena),
                          lg_json_str(repair->reads[i]));
    lg_edits_patch(&repair->edits, root, &m->patch);
    add_notes(&m->notes, &repair->said, m->arena);
    lg_buf_printf(&m->mended, "%s%s", m->mended.n != 0 ? "," : "", repair->rule->id);
}

/* Nothing of the rule's is mended, whatever it found. */
static void add_reason(struct mender *m, size_t index, struct lg_str why, bool at_limit)
{
    const struct lg_mend_note note = {.rule = lg_rules[index], .text = why, .at_limit = at_limit};
    add_note(&m->reasons, m->arena, &note);
}

/* Of an object with more findings than are kept nobody can say that a repair made it better. */
static void too_many_findings(struct mender *m, size_t index)
{
    add_reason(m, index,
               lg_arena_printf(
                   m->arena,
                   "a rule has more than %d findings in this object: too many to tell whether a "
                   "repair makes it better",
                   LG_RULE_FINDINGS_MAX),
               true);
}

static void too_many_edits(struct mender *m, size_t index)
{
    add_reason(m, index,
               lg_arena_printf(m->arena,
                               "more than %d places would have to change: too many at once",
                               LG_EDITS_MAX),
               true);
}

static void mend_rule(struct mender *m, size_t index)
{
    const struct lg_rule *rule = lg_rules[index];
    struct lg_repair repair;
    bool lasting = rule->fixer->lasts && m->input->op == LG_OP_UPDATE &&
                   m->start.view.actions[index] != LG_ACTION_OFF;
    if (violations(&m->run, index) == 0 && (!lasting || excused(&m->run, index)))
        return;
    describe(m, index, &repair);
    add_notes(&m->reasons, &repair.cannot, m->arena);
    if (repair.edits.overflowed)
        too_many_edits(m, index);
    if (repair.stopped || repair.edits.overflowed || repair.edits.n == 0)
        return;
    struct lg_val object = edited(m, &repair.edits);
    struct lg_run after = {0};
    if (lg_json_there(object) && lg_run_of(&m->start, m->input, object, &after) &&
        judge_all(&after) && is_better(m, index, &after)) {
        write_down(m, &repair);
        m->run = after;
        m->whole = true;
        m->text = lg_json_text(object);
        return;
    }
    if (after.spilled != NULL)
        too_many_findings(m, index);
    else
        add_reason(m, index, LG_STR("what the fixer would do does not make it better"), false);
}

/* --- the record --- */

static bool names_rule(struct lg_str list, const char *id)
{
    while (list.n != 0) {
        const char *comma = memchr(list.p, ',', list.n);
        size_t n = comma != NULL ? (size_t)(comma - list.p) : list.n;
        if (lg_str_is((struct lg_str){list.p, n}, id))
            return true;
        n += comma != NULL;
        list = (struct lg_str){list.p + n, list.n - n};
    }
    return false;
}

static struct lg_str recorded(struct lg_val object)
{
    struct lg_val annotations = lg_json_at(object, "metadata.annotations");
    return lg_str_cut(lg_json_str(lg_json_get(annotations, LG_MENDED_ANNOTATION)), 1024);
}

/* What was mended now and, as the object says, before; each rule with a fixer once, in order. */
static struct lg_str record_of(const struct mender *m)
{
    struct lg_buf ids lg_cleanup(lg_buf_done) = {0};
    struct lg_str before = recorded(m->run.subject.object);
    for (size_t i = 0; lg_rules[i] != NULL; i++)
        if (lg_rules[i]->fixer != NULL && (names_rule(lg_buf_view(&m->mended), lg_rules[i]->id) ||
                                           names_rule(before, lg_rules[i]->id)))
            lg_buf_printf(&ids, "%s%s", ids.n != 0 ? "," : "", lg_rules[i]->id);
    return lg_arena_str(m->arena, lg_buf_view(&ids));
}

static void record(struct mender *m)
{
    struct lg_val object = m->run.subject.object;
    struct lg_val metadata = lg_json_get(object, "metadata");
    struct lg_val annotations = lg_json_get(metadata, "annotations");
    struct lg_edits edits = {.arena = m->arena};
    struct lg_edit edit = {.object = annotations, .key = LG_STR(LG_MENDED_ANNOTATION)};
    struct lg_str ids = record_of(m);
    if (lg_str_eq(ids, recorded(object)))
        return;
    edit.json = lg_arena_printf(m->arena, "\"%.*s\"", LG_ARG(ids));
    if (!lg_json_there(annotations)) {
        edit.object = metadata;
        edit.key = LG_STR("annotations");
        edit.json =
            lg_arena_printf(m->arena, "{\"%s\":\"%.*s\"}", LG_MENDED_ANNOTATION, LG_ARG(ids));
    }
    if (!lg_json_there(metadata)) {
        edit.object = object;
        edit.key = LG_STR("metadata");
        edit.json = lg_arena_printf(m->arena, "{\"annotations\":%.*s}", LG_ARG(edit.json));
    }
    lg_edits_add(&edits, &edit);
    m->text = lg_edits_text(&edits, object);
    lg_edits_patch(&edits, object, &m->patch);
}

/* --- whether at all --- */

static bool is_meant(const struct mender *m, size_t index)
{
    const struct lg_rule *rule = lg_rules[index];
    const struct lg_engine_input *input = m->input;
    if (rule->fixer == NULL)
        return false;
    if (m->door == LG_MEND_FILE)
        return true;
    if (rule->fixer->kind == LG_FIXER_FILES || m->start.view.fixers[index] == 0)
        return false;
    return input->op == LG_OP_CREATE || (rule->fixer->kind == LG_FIXER_CHANGES &&
                                         names_rule(recorded(input->old_object), rule->id));
}

static bool choose(struct mender *m)
{
    bool any = false;
    m->only = lg_arena_array(m->arena, lg_rules_count(), sizeof(*m->only));
    for (size_t i = 0; lg_rules[i] != NULL; i++) {
        m->only[i] = is_meant(m, i);
        any = any || m->only[i];
    }
    return any;
}

/* An owned object is made anew by its owner for as long as it is not what the owner wants. Of a
 * pool or a replica set only what it is a template of is judged: edits of that would be no edits of
 * the object. */
static bool may_be_mended(const struct mender *m, const struct lg_judgement *facts)
{
    if (lg_kind_judged_as(m->input->kind) != m->input->kind)
        return false;
    if (m->door == LG_MEND_FILE)
        return true;
    return facts->mode == LG_MODE_ENFORCE && facts->requester == LG_REQUESTER_PERSON &&
           !lg_meta_has_controller(m->input->object) && !lg_meta_deleting(m->input->object);
}

/* An instancetype or a preference that was not read yet: what it brings decides whether there is
 * anything to mend. */
static void want_parts(struct mender *m)
{
    static const enum lg_part parts[] = {LG_PART_INSTANCETYPE, LG_PART_PREFERENCE};
    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
        const struct lg_part_info *part = lg_expansion_part(&m->run.subject.vm, parts[i]);
        enum lg_known known = LG_FORBIDDEN;
        if (part->state == LG_PART_MISSING)
            known = lg_inventory_known(m->input->inventory, part->kind);
        if (known == LG_KNOWN || known == LG_NOT_SYNCED)
            (void)lg_run_want(&m->start, part->kind, part->name);
    }
}

void lg_engine_mend(const struct lg_engine_input *input, enum lg_mend_door door,
                    struct lg_arena *arena, struct lg_mending *ret)
{
    struct mender m lg_cleanup(mender_done) = {.input = input, .door = door, .arena = arena};
    struct lg_judgement facts;
    *ret = (struct lg_mending){.object = input->object};
    if (!lg_run_begin(input, arena, &facts, &m.start) || !may_be_mended(&m, &facts))
        return;
    ret->wants = facts.wants; /* the namespace's labels, where policy goes by them */
    if (!choose(&m))
        return;
    m.run = lg_run_like(&m.start, m.start.subject);
    m.run.only = m.only;
    bool judged = judge_all(&m.run);
    want_parts(&m);
    ret->wants = facts.wants;
    for (size_t i = 0; lg_rules[i] != NULL; i++) {
        if (m.only[i] && judged)
            mend_rule(&m, i);
        else if (m.only[i] && m.run.spilled != NULL && violations(&m.run, i) != 0)
            too_many_findings(&m, i);
    }
    if (m.mended.n != 0 && door == LG_MEND_ADMISSION)
        record(&m);
    *ret = (struct lg_mending){
        .object = m.run.subject.object,
        .text = m.text,
        .patch = lg_arena_str(arena, lg_patch_finish(&m.patch)),
        .notes = m.notes.items,
        .n_notes = m.notes.n,
        .reasons = m.reasons.items,
        .n_reasons = m.reasons.n,
        .wants = facts.wants,
    };
}
