/* A check as lines for people and for editors: FILE:LINE: first, the webhook's words behind it. */
#include "rules/answer.h"
#include "rules/core/mem.h"
#include "webhook/cli/bundle.h"
#include "webhook/cli/output.h"

static enum lg_color color_of(enum lg_action action)
{
    return action == LG_ACTION_DENY   ? LG_COLOR_RED
           : action == LG_ACTION_WARN ? LG_COLOR_YELLOW
                                      : LG_COLOR_CYAN;
}

enum { NAME_COLUMNS_MAX = 48 };

static const char *const place_names[] = {
    [LG_PLACE_ELIGIBLE] = "eligible",
    [LG_PLACE_AWAY] = "away",
    [LG_PLACE_EXCLUDED] = "excluded",
};

static void begin(struct lg_check_report *report)
{
    (void)report; /* lines need no head */
}

/* "vm.yaml:41: " */
static void add_place(struct lg_buf *buf, const struct lg_check_report *report,
                      const struct lg_check_item *item, uint32_t line)
{
    struct lg_buf place lg_cleanup(lg_buf_done) = {0};

    lg_buf_printable(&place, lg_str_of(item->source->file));
    lg_buf_printf(&place, ":%u:", line);
    lg_output_paint(buf, report->color, LG_COLOR_BOLD, place.p);
    lg_buf_putc(buf, ' ');
}

/* "VirtualMachine web-servers/orders-db"; "orders-*" for a name that the API server will make
 * up. */
static void add_subject(struct lg_buf *buf, const struct lg_check_item *item)
{
    lg_buf_printable(buf, lg_check_kind(item));
    lg_buf_putc(buf, ' ');
    if (!lg_str_empty(item->ns)) {
        lg_buf_printable(buf, item->ns);
        lg_buf_putc(buf, '/');
    }
    lg_buf_printable(buf, item->name);
    if (lg_str_empty(item->name)) {
        lg_buf_printable(buf, lg_json_str_at(item->source->object, "metadata.generateName"));
        lg_buf_putc(buf, '*');
    }
}

/* " (document 2)", where there is more than one. */
static void add_document(struct lg_buf *buf, const struct lg_check_item *item)
{
    if (item->source->document > 1)
        lg_buf_printf(buf, " (document %u)", item->source->document);
}

static size_t count_of(const struct lg_check_report *report, const struct lg_judgement *judgement,
                       enum lg_action action)
{
    size_t n = 0;

    for (size_t i = 0; i < judgement->n; i++)
        n += judgement->findings[i].action == action && !judgement->findings[i].folded &&
             !lg_check_not_given(report, &judgement->findings[i]);
    return n;
}

/* What there is to say of an object that is not denied. */
static void add_outcome(struct lg_buf *buf, const struct lg_check_report *report,
                        const struct lg_check_item *item)
{
    const struct lg_judgement *judgement = item->judgement;
    bool guest = lg_kind_is_guest(item->source->kind);
    size_t warn = count_of(report, judgement, LG_ACTION_WARN);
    size_t pending = count_of(report, judgement, LG_ACTION_PENDING);
    const char *lead = ": ";

    add_subject(buf, item);
    if (judgement->verdict < LG_ACTION_PENDING) {
        lg_buf_puts(buf, ": ");
        lg_output_paint(buf, report->color, LG_COLOR_GREEN, lg_output_tolerated(judgement, guest));
        return;
    }
    if (warn != 0) {
        lg_buf_printf(buf, "%s%zu %s", lead, warn, warn == 1 ? "warning" : "warnings");
        lead = ", ";
    }
    if (pending != 0)
        lg_buf_printf(buf, "%s%zu pending", lead, pending);
    else if (warn == 0)
        lg_buf_puts(buf, ": nothing to object to in what was given");
}

/* The webhook's first line: "VirtualMachine a/b cannot be live-migrated, 2 reasons:". */
static void add_denial(struct lg_buf *buf, struct lg_check_report *report,
                       const struct lg_check_item *item)
{
    struct lg_str message = lg_answer_message(item->judgement, LG_ACTION_DENY, &report->arena);
    const char *end = memchr(message.p, '\n', message.n);

    message.n = end != NULL ? (size_t)(end - message.p) : message.n;
    message.n -= lg_str_ends(message, ":");
    lg_buf_str(buf, message);
    add_document(buf, item);
    lg_buf_putc(buf, ':');
}

static void add_heads(struct lg_buf *buf, const struct lg_judgement *judgement)
{
    for (size_t i = 0; i < judgement->n; i++) {
        if (!judgement->findings[i].in_head)
            continue;
        lg_buf_printf(buf, "\n    (%s: ", judgement->findings[i].rule->id);
        lg_buf_printable(buf, judgement->findings[i].head);
        lg_buf_putc(buf, ')');
    }
}

static void add_finding(struct lg_buf *buf, struct lg_check_report *report,
                        const struct lg_check_item *item, const struct lg_finding *finding)
{
    add_place(buf, report, item, lg_check_line(item, finding->at));
    lg_output_paint(buf, report->color, color_of(finding->action), lg_action_name(finding->action));
    lg_buf_printf(buf, " [%.*s] ", LG_ARG(lg_finding_rules(finding, &report->arena)));
    lg_buf_printable(buf, finding->message);
    if (!lg_str_empty(finding->excuse)) {
        lg_buf_puts(buf, " (");
        lg_buf_printable(buf, finding->excuse);
        lg_buf_putc(buf, ')');
    }
    if (!lg_str_empty(finding->field)) {
        lg_buf_puts(buf, "\n    at:  ");
        lg_buf_printable(buf, finding->field);
    }
    if (!lg_str_empty(finding->fix)) {
        lg_buf_puts(buf, "\n    fix: ");
        lg_buf_printable(buf, finding->fix);
    }
    lg_buf_putc(buf, '\n');
    if (report->explain)
        lg_output_wrap(buf, "    why: ", lg_str_of(finding->rule->rationale));
}

static void add_refusal(struct lg_buf *buf, const struct lg_check_report *report,
                        const struct lg_check_item *item)
{
    const struct lg_err *refusal = &item->judgement->refusal;
    struct lg_val at = lg_bundle_resolve(item->object, refusal->where);

    add_place(buf, report, item, lg_check_line(item, at));
    lg_output_paint(buf, report->color, LG_COLOR_RED, "deny");
    lg_buf_putc(buf, ' ');
    add_subject(buf, item);
    add_document(buf, item);
    lg_buf_puts(buf, " cannot be judged: ");
    lg_buf_printable(buf, lg_str_of(refusal->text));
    if (refusal->where[0] != '\0') {
        lg_buf_puts(buf, "\n    at:  ");
        lg_buf_printable(buf, lg_str_of(refusal->where));
    }
    lg_buf_putc(buf, '\n');
}

/* "2 eligible (worker-1, worker-2)" */
static void add_place_names(struct lg_buf *buf, struct lg_check_report *report,
                            const struct lg_requirements *requirements, enum lg_place place,
                            size_t n)
{
    lg_buf_printf(buf, "%zu %s", n, place_names[place]);
    if (n == 0)
        return;
    lg_buf_puts(buf, " (");
    lg_buf_printable(buf, lg_placement_names(requirements, lg_inventory_nodes(report->inventory),
                                             place, LG_OUTPUT_NAMES_MAX, &report->arena));
    lg_buf_putc(buf, ')');
}

static int name_columns(const struct lg_check_place *places, size_t n)
{
    size_t columns = 4;

    for (size_t i = 0; i < n; i++)
        columns = places[i].node->r.name.n > columns ? places[i].node->r.name.n : columns;
    return (int)(columns < NAME_COLUMNS_MAX ? columns : NAME_COLUMNS_MAX);
}

/* A row a node: its verdict, and why not. */
static void add_place_rows(struct lg_buf *buf, const struct lg_check_place *places, size_t n)
{
    size_t shown = n < LG_OUTPUT_NODES_MAX ? n : LG_OUTPUT_NODES_MAX;
    int columns = name_columns(places, shown);

    lg_buf_printf(buf, "        %-*s  VERDICT   REASON\n", columns, "NODE");
    for (size_t i = 0; i < shown; i++) {
        struct lg_buf name lg_cleanup(lg_buf_done) = {0};
        const char *verdict = places[i].source ? "source" : place_names[places[i].place];
        lg_buf_printable(&name, places[i].node->r.name);
        lg_buf_printf(buf, "        %-*s  %s", columns, name.p, verdict);
        if (!lg_str_empty(places[i].reason)) {
            lg_buf_printf(buf, "%*s", 10 - (int)strlen(verdict), "");
            lg_buf_printable(buf, places[i].reason);
        }
        lg_buf_putc(buf, '\n');
    }
    if (n > LG_OUTPUT_NODES_MAX)
        lg_buf_printf(buf, "        and %zu more; --output json lists all\n",
                      n - LG_OUTPUT_NODES_MAX);
}

/* What the answer leaves out. */
static void add_outside(struct lg_buf *buf, const struct lg_separation *separation)
{
    for (size_t i = 0; separation != NULL && i < separation->n_outside; i++)
        lg_output_wrap(buf, "        not covered: ", separation->outside[i]);
}

static void add_placement(struct lg_buf *buf, struct lg_check_report *report,
                          const struct lg_check_item *item)
{
    const struct lg_requirements *requirements = item->judgement->requirements;
    struct lg_check_place *places = NULL;
    size_t n = 0;

    if (requirements == NULL)
        return;
    struct lg_place_count count =
        lg_placement_count(requirements, lg_inventory_nodes(report->inventory));
    lg_buf_puts(buf, "    nodes: ");
    add_place_names(buf, report, requirements, LG_PLACE_ELIGIBLE, count.eligible);
    lg_buf_puts(buf, ", ");
    add_place_names(buf, report, requirements, LG_PLACE_AWAY, count.away);
    lg_buf_puts(buf, ", ");
    add_place_names(buf, report, requirements, LG_PLACE_EXCLUDED, count.excluded);
    lg_buf_putc(buf, '\n');
    if (report->explain && lg_check_places(report, item, &places, &n)) {
        add_place_rows(buf, places, n);
        add_outside(buf, item->judgement->separation);
    }
}

static bool is_shown(const struct lg_check_report *report, const struct lg_finding *finding)
{
    if (finding->in_head || finding->folded)
        return false;
    if (finding->action == LG_ACTION_AUDIT)
        return report->verbose;
    return report->explain || !lg_check_not_given(report, finding);
}

/* Of a claim or data volume that is as it should be nobody wants to read. */
static bool is_silent(const struct lg_check_report *report, const struct lg_check_item *item)
{
    bool claim = item->source->kind == LG_KIND_CLAIM || item->source->kind == LG_KIND_DATA_VOLUME;

    return claim && item->judgement->verdict < LG_ACTION_PENDING && !report->verbose;
}

static void item(struct lg_check_report *report, const struct lg_check_item *item)
{
    struct lg_buf buf lg_cleanup(lg_buf_done) = {0};
    const struct lg_judgement *judgement = item->judgement;

    if (judgement->refused) {
        add_refusal(&buf, report, item);
        lg_output_flush(report->out, &buf);
        return;
    }
    if (is_silent(report, item))
        return;
    add_place(&buf, report, item, item->source->mark.line);
    if (judgement->verdict == LG_ACTION_DENY) {
        add_denial(&buf, report, item);
        add_heads(&buf, judgement);
    } else {
        add_outcome(&buf, report, item);
        add_document(&buf, item);
    }
    lg_buf_putc(&buf, '\n');
    for (size_t i = 0; i < judgement->n; i++) {
        if (is_shown(report, &judgement->findings[i]))
            add_finding(&buf, report, item, &judgement->findings[i]);
    }
    add_placement(&buf, report, item);
    lg_output_flush(report->out, &buf);
}

/* "not given: nodes, storage profiles: LG102, LG401, LG402 pending" */
static void add_not_given(struct lg_buf *buf, const struct lg_check_report *report)
{
    struct lg_buf kinds lg_cleanup(lg_buf_done) = {0};
    struct lg_buf rules lg_cleanup(lg_buf_done) = {0};

    for (enum lg_kind kind = 0; kind < LG_KIND_COUNT; kind++) {
        bool needed = false;
        for (size_t i = 0; lg_rules[i] != NULL; i++)
            needed = needed || lg_check_missing(report, kind, i);
        if (needed)
            lg_buf_printf(&kinds, "%s%ss", kinds.n != 0 ? ", " : "", lg_gvk(kind)->noun);
    }
    for (size_t i = 0; lg_rules[i] != NULL; i++) {
        bool needs = false;
        for (enum lg_kind kind = 0; kind < LG_KIND_COUNT; kind++)
            needs = needs || lg_check_missing(report, kind, i);
        if (needs)
            lg_buf_printf(&rules, "%s%s", rules.n != 0 ? ", " : "", lg_rules[i]->id);
    }
    if (kinds.n != 0)
        lg_buf_printf(buf, "not given: %s: %s pending (--inventory takes files with them)\n",
                      kinds.p, rules.p);
}

static void end(struct lg_check_report *report)
{
    struct lg_buf buf lg_cleanup(lg_buf_done) = {0};
    struct lg_buf line lg_cleanup(lg_buf_done) = {0};
    size_t clean = report->objects - report->deny - report->warn - report->pending;

    add_not_given(&buf, report);
    lg_buf_printf(&line, "%zu %s judged: %zu denied, %zu with warnings, %zu pending, %zu clean",
                  report->objects, report->objects == 1 ? "object" : "objects", report->deny,
                  report->warn, report->pending, clean);
    if (report->others != 0)
        lg_buf_printf(&line, "; %zu of kinds that no rule judges", report->others);
    lg_output_paint(&buf, report->color, report->deny != 0 ? LG_COLOR_RED : LG_COLOR_BOLD, line.p);
    lg_buf_putc(&buf, '\n');
    lg_output_flush(report->out, &buf);
}

const struct lg_check_format lg_check_table = {begin, item, end};
