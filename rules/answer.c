#include "rules/answer.h"
#include "rules/core/mem.h"

enum {
    MESSAGE_BYTES_MAX = 16 * 1024,
    REASONS_MAX = 32, /* printed in a message, and sent as causes */
};

/* "web-servers/orders-db", "orders-*" for a name that the API server will make up. */
static struct lg_str full_name(const struct lg_subject *subject, struct lg_arena *arena)
{
    struct lg_str name = subject->name;
    if (name.n == 0) {
        struct lg_str prefix = lg_json_str_at(subject->object, "metadata.generateName");
        name = lg_arena_printf(arena, "%.*s*", LG_ARG(prefix));
    }
    struct lg_buf buf lg_cleanup(lg_buf_done) = {0};
    if (subject->ns.n != 0) {
        lg_buf_printable(&buf, lg_str_cut(subject->ns, 256));
        lg_buf_putc(&buf, '/');
    }
    lg_buf_printable(&buf, lg_str_cut(name, 256));
    return lg_arena_str(arena, lg_buf_view(&buf));
}

/* What is wrong with an object of this kind, as a sentence goes on after its name. */
static const char *verb_of(enum lg_kind kind)
{
    switch (kind) {
    case LG_KIND_VM:
    case LG_KIND_VMI:
        return "cannot be live-migrated";
    case LG_KIND_POOL:
    case LG_KIND_REPLICA_SET:
        return "makes guests that cannot be live-migrated";
    case LG_KIND_CLAIM:
    case LG_KIND_DATA_VOLUME:
        return "would make a VM immovable";
    case LG_KIND_MIGRATION:
        return "cannot run";
    case LG_KIND_STORAGE_PROFILE:
        return "would make new claims immovable";
    case LG_KIND_KUBEVIRT:
    case LG_KIND_HYPERCONVERGED:
    case LG_KIND_MIGRATION_POLICY:
        return "would hinder live migration";
    default:
        return "is not accepted";
    }
}

static const char *kind_text(enum lg_kind kind)
{
    return kind < LG_KIND_COUNT ? lg_gvk(kind)->kind : "object";
}

static size_t count_of(const struct lg_judgement *judgement, enum lg_action action)
{
    size_t n = 0;
    for (size_t i = 0; i < judgement->n; i++)
        n += judgement->findings[i].action == action && !judgement->findings[i].folded;
    return n;
}

/* Only the limiter stands in the way, and not for ever. */
static bool has_to_wait(const struct lg_judgement *judgement)
{
    if (judgement->turnout == NULL || judgement->turnout->frozen ||
        judgement->turnout->waits_bytes_max != 0)
        return false;
    for (size_t i = 0; i < judgement->n; i++)
        if (judgement->findings[i].action == LG_ACTION_DENY && !judgement->findings[i].rule->waits)
            return false;
    return judgement->verdict == LG_ACTION_DENY;
}

static void add_finding(struct lg_buf *buf, const struct lg_finding *finding)
{
    lg_buf_printf(buf, "\n[%s%s%.*s] ", finding->rule->id, finding->also.n != 0 ? ", " : "",
                  LG_ARG(finding->also));
    lg_buf_str(buf, finding->message);
    if (finding->field.n != 0) {
        lg_buf_puts(buf, "\n    at:  ");
        lg_buf_str(buf, finding->field);
    }
    if (finding->fix.n != 0) {
        lg_buf_puts(buf, "\n    fix: ");
        lg_buf_str(buf, finding->fix);
    }
}

/* "(LG501: with evictionStrategy LiveMigrate a drain of its node waits for ever)", a line each
 * below the first. */
static void add_heads(struct lg_buf *buf, const struct lg_judgement *judgement)
{
    for (size_t i = 0; i < judgement->n; i++) {
        const struct lg_finding *finding = &judgement->findings[i];
        if (!finding->in_head)
            continue;
        lg_buf_printf(buf, "\n(%s: ", finding->rule->id);
        lg_buf_str(buf, finding->head);
        lg_buf_putc(buf, ')');
    }
}

struct lg_str lg_answer_message(const struct lg_judgement *judgement, enum lg_action action,
                                struct lg_arena *arena)
{
    const struct lg_subject *subject = &judgement->subject;
    size_t n = count_of(judgement, action);
    size_t printed = 0;
    struct lg_buf buf lg_cleanup(lg_buf_done) = {0};
    lg_buf_printf(&buf, "%s ", kind_text(subject->kind));
    lg_buf_str(&buf, full_name(subject, arena));
    lg_buf_printf(
        &buf, " %s, %zu reason%s:", has_to_wait(judgement) ? "has to wait" : verb_of(subject->kind),
        n, n == 1 ? "" : "s");
    add_heads(&buf, judgement);
    for (size_t i = 0; i < judgement->n && printed < REASONS_MAX; i++) {
        const struct lg_finding *finding = &judgement->findings[i];
        if (finding->action != action || finding->folded)
            continue;
        size_t before = buf.n;
        add_finding(&buf, finding);
        if (buf.n > MESSAGE_BYTES_MAX) {
            buf.n = before;
            break;
        }
        printed++;
    }
    if (printed < n)
        lg_buf_printf(&buf, "\nand %zu more", n - printed);
    return lg_arena_str(arena, lg_buf_view(&buf));
}

static struct lg_str on_one_line(const struct lg_finding *finding, struct lg_arena *arena)
{
    if (finding->fix.n == 0)
        return finding->message;
    return lg_arena_printf(arena, "%.*s; fix: %.*s", LG_ARG(finding->message),
                           LG_ARG(finding->fix));
}

/* The object was read and is refused for what it says. Causes are for programs: they are told the
 * folded ones, too. */
static void deny(const struct lg_judgement *judgement, struct lg_arena *arena,
                 struct lg_answer *ret)
{
    struct lg_answer_cause *causes = lg_arena_array(arena, REASONS_MAX, sizeof(*causes));
    for (size_t i = 0; i < judgement->n && ret->n_causes < REASONS_MAX; i++) {
        const struct lg_finding *finding = &judgement->findings[i];
        if (finding->action != LG_ACTION_DENY)
            continue;
        causes[ret->n_causes++] = (struct lg_answer_cause){
            lg_str_of(finding->rule->id), finding->field, on_one_line(finding, arena)};
    }
    ret->causes = causes;
    bool waits = has_to_wait(judgement);
    ret->code = waits ? 429 : 403;
    ret->reason = waits ? "TooManyRequests" : "Forbidden";
    ret->retry_after_s = waits ? judgement->turnout->retry_after_s : 0;
    ret->message = lg_answer_message(judgement, LG_ACTION_DENY, arena);
}

static struct lg_str printable(const char *text, struct lg_arena *arena)
{
    struct lg_buf buf lg_cleanup(lg_buf_done) = {0};
    lg_buf_printable(&buf, lg_str_of(text));
    return lg_arena_str(arena, lg_buf_view(&buf));
}

static struct lg_str refusal_text(const struct lg_judgement *judgement, struct lg_arena *arena)
{
    struct lg_str where = printable(judgement->refusal.where, arena);
    struct lg_str text = printable(judgement->refusal.text, arena);
    if (where.n == 0)
        return text;
    return lg_arena_printf(arena, "%.*s: %.*s", LG_ARG(where), LG_ARG(text));
}

/* The object could not be read. */
static void refuse(const struct lg_judgement *judgement, struct lg_arena *arena,
                   struct lg_answer *ret)
{
    struct lg_answer_cause *cause = lg_arena_alloc(arena, sizeof(*cause));
    *cause = (struct lg_answer_cause){LG_STR("FieldValueInvalid"),
                                      printable(judgement->refusal.where, arena),
                                      printable(judgement->refusal.text, arena)};
    ret->causes = cause;
    ret->n_causes = 1;
    ret->code = 422;
    ret->reason = "Invalid";
    ret->message = lg_arena_printf(
        arena, "%s %.*s cannot be judged: %.*s", kind_text(judgement->subject.kind),
        LG_ARG(full_name(&judgement->subject, arena)), LG_ARG(refusal_text(judgement, arena)));
}

static struct lg_str cut_warning(struct lg_str text, struct lg_arena *arena)
{
    if (text.n <= LG_WARNING_BYTES_MAX)
        return text;
    return lg_arena_printf(arena, "%.*s...", LG_ARG(lg_str_cut(text, LG_WARNING_BYTES_MAX - 3)));
}

struct lg_str lg_finding_rules(const struct lg_finding *finding, struct lg_arena *arena)
{
    if (finding->also.n == 0)
        return lg_str_of(finding->rule->id);
    return lg_arena_printf(arena, "%s, %.*s", finding->rule->id, LG_ARG(finding->also));
}

/* The fix is said where it fits whole. */
static struct lg_str warning_of(const struct lg_finding *finding, struct lg_arena *arena)
{
    bool would =
        finding->action == LG_ACTION_WARN && finding->was == LG_ACTION_DENY && !finding->ratcheted;
    struct lg_str text =
        lg_arena_printf(arena, "%.*s: %s%.*s", LG_ARG(lg_finding_rules(finding, arena)),
                        !would                 ? ""
                        : finding->rule->waits ? "would wait: "
                                               : "would be denied: ",
                        LG_ARG(finding->message));
    if (finding->fix.n != 0 && text.n + finding->fix.n + 7 <= LG_WARNING_BYTES_MAX)
        text = lg_arena_printf(arena, "%.*s; fix: %.*s", LG_ARG(text), LG_ARG(finding->fix));
    return cut_warning(text, arena);
}

static bool warned_of(const struct lg_finding *finding)
{
    return !finding->in_head && !finding->folded &&
           (finding->action == LG_ACTION_WARN || finding->action == LG_ACTION_PENDING);
}

static void warn(const struct lg_judgement *judgement, struct lg_arena *arena,
                 struct lg_answer *ret)
{
    size_t n = 0;
    for (size_t i = 0; i < judgement->n; i++)
        n += warned_of(&judgement->findings[i]);
    if (n == 0)
        return;
    size_t shown = n <= LG_WARNINGS_MAX ? n : LG_WARNINGS_MAX - 1;
    struct lg_str *warnings = lg_arena_array(arena, shown + 1, sizeof(*warnings));
    for (size_t i = 0; i < judgement->n && ret->n_warnings < shown; i++)
        if (warned_of(&judgement->findings[i]))
            warnings[ret->n_warnings++] = warning_of(&judgement->findings[i], arena);
    if (shown < n)
        warnings[ret->n_warnings++] = lg_arena_printf(
            arena, "livegate: %zu more; `livegate check` lists all of them", n - shown);
    ret->warnings = warnings;
}

static void warn_of_refusal(const struct lg_judgement *judgement, struct lg_arena *arena,
                            struct lg_answer *ret)
{
    struct lg_str *warning = lg_arena_alloc(arena, sizeof(*warning));
    struct lg_str text = refusal_text(judgement, arena);
    *warning =
        cut_warning(lg_arena_printf(arena, "livegate: would be denied: %.*s", LG_ARG(text)), arena);
    ret->warnings = warning;
    ret->n_warnings = 1;
}

/* "LG101=deny,LG202=audit", each rule once with its strongest action. Findings of a rule stand
 * together. */
static struct lg_str rules_note(const struct lg_judgement *judgement, struct lg_arena *arena)
{
    struct lg_buf buf lg_cleanup(lg_buf_done) = {0};
    for (size_t i = 0; i < judgement->n;) {
        const struct lg_rule *rule = judgement->findings[i].rule;
        enum lg_action action = LG_ACTION_OFF;
        for (; i < judgement->n && judgement->findings[i].rule == rule; i++)
            if (judgement->findings[i].action > action)
                action = judgement->findings[i].action;
        lg_buf_printf(&buf, "%s%s=%s", buf.n != 0 ? "," : "", rule->id, lg_action_name(action));
    }
    return lg_arena_str(arena, lg_buf_view(&buf));
}

static void note(const struct lg_judgement *judgement, struct lg_arena *arena,
                 struct lg_answer *ret)
{
    if (judgement->verdict == LG_ACTION_OFF)
        return;
    struct lg_answer_note *notes = lg_arena_array(arena, 3, sizeof(*notes));
    notes[0] = (struct lg_answer_note){"verdict", lg_str_of(lg_action_name(judgement->verdict))};
    notes[1] = (struct lg_answer_note){"rules", judgement->refused ? LG_STR("unreadable")
                                                                   : rules_note(judgement, arena)};
    ret->notes = notes;
    ret->n_notes = 2;
    const struct lg_turnout *turnout = judgement->turnout;
    if (turnout != NULL && turnout->place != 0)
        notes[ret->n_notes++] = (struct lg_answer_note){
            "queue", lg_arena_printf(arena, "place %zu, about %lld s, asked to come back in %d s",
                                     turnout->place, (long long)turnout->estimate_s,
                                     turnout->retry_after_s)};
}

void lg_answer_make(const struct lg_judgement *judgement, struct lg_str group,
                    struct lg_str kind_name, struct lg_arena *arena, struct lg_answer *ret)
{
    struct lg_str uid = ret->uid;
    *ret = (struct lg_answer){
        .uid = uid,
        .allowed = judgement->verdict != LG_ACTION_DENY,
        .group = group,
        .kind_name = kind_name,
        .name = judgement->subject.name,
    };
    if (judgement->skipped)
        return;
    if (!judgement->refused) {
        warn(judgement, arena, ret);
        if (!ret->allowed)
            deny(judgement, arena, ret);
    } else if (!ret->allowed) {
        refuse(judgement, arena, ret);
    } else if (judgement->verdict == LG_ACTION_WARN) {
        warn_of_refusal(judgement, arena, ret);
    }
    note(judgement, arena, ret);
}

/* "LG101,LG201" */
static struct lg_str mended_rules(const struct lg_mending *mending, struct lg_arena *arena)
{
    struct lg_buf buf lg_cleanup(lg_buf_done) = {0};
    for (size_t i = 0; i < mending->n_notes; i++)
        if (i == 0 || mending->notes[i].rule != mending->notes[i - 1].rule)
            lg_buf_printf(&buf, "%s%s", i != 0 ? "," : "", mending->notes[i].rule->id);
    return lg_arena_str(arena, lg_buf_view(&buf));
}

static struct lg_str mend_warning(const struct lg_mend_note *note, const char *what,
                                  struct lg_arena *arena)
{
    struct lg_buf buf lg_cleanup(lg_buf_done) = {0};
    lg_buf_printf(&buf, "%s: %s: ", note->rule->id, what);
    lg_buf_printable(&buf, note->text);
    return cut_warning(lg_arena_str(arena, lg_buf_view(&buf)), arena);
}

/* What was mended, and what was not because it is too much for us: no other answer says that. */
static void mend_warnings(const struct lg_mending *mending, struct lg_arena *arena,
                          struct lg_answer *ret)
{
    size_t n = mending->patch.n != 0 ? mending->n_notes : 0;
    size_t shown = n <= LG_WARNINGS_MAX ? n : LG_WARNINGS_MAX - 1;
    struct lg_str *warnings = lg_arena_array(arena, LG_WARNINGS_MAX, sizeof(*warnings));
    for (size_t i = 0; i < shown; i++)
        warnings[ret->n_warnings++] = mend_warning(&mending->notes[i], "mended", arena);
    if (shown < n)
        warnings[ret->n_warnings++] =
            lg_arena_printf(arena, "livegate: mended %zu more", n - shown);
    for (size_t i = 0; i < mending->n_reasons && ret->n_warnings < LG_WARNINGS_MAX; i++)
        if (mending->reasons[i].at_limit)
            warnings[ret->n_warnings++] = mend_warning(&mending->reasons[i], "not mended", arena);
    ret->warnings = warnings;
}

void lg_answer_mended(const struct lg_mending *mending, struct lg_arena *arena,
                      struct lg_answer *ret)
{
    struct lg_str uid = ret->uid;
    *ret = (struct lg_answer){.uid = uid, .allowed = true, .patch = mending->patch};
    mend_warnings(mending, arena, ret);
    if (mending->patch.n == 0)
        return;
    struct lg_answer_note *note = lg_arena_alloc(arena, sizeof(*note));
    *note = (struct lg_answer_note){"mended", mended_rules(mending, arena)};
    ret->notes = note;
    ret->n_notes = 1;
}
