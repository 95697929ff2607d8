/* What a scan says of each object, and in the end. */
#include "rules/core/mem.h"
#include "webhook/cli/output.h"
#include "webhook/cli/scan.h"

/* By policy alone, whatever the mode: what enforce would do. */
static enum lg_action verdict_of(const struct lg_scan_item *item)
{
    enum lg_action verdict = LG_ACTION_OFF;
    if (item->unread != NULL || item->judgement->refused)
        return LG_ACTION_DENY;
    for (size_t i = 0; i < item->judgement->n; i++)
        if (item->judgement->findings[i].was > verdict)
            verdict = item->judgement->findings[i].was;
    return verdict;
}

static const char *verdict_name(enum lg_action verdict)
{
    return verdict == LG_ACTION_OFF ? "allow" : lg_action_name(verdict);
}

static const struct lg_err *refusal_of(const struct lg_scan_item *item)
{
    if (item->unread != NULL)
        return item->unread;
    return item->judgement->refused ? &item->judgement->refusal : NULL;
}

static void count(struct lg_scan_report *report, const struct lg_scan_item *item,
                  enum lg_action verdict)
{
    report->objects++;
    report->unreadable += refusal_of(item) != NULL;
    report->refused += verdict == LG_ACTION_DENY;
    report->warned += verdict == LG_ACTION_WARN;
    report->pending += verdict == LG_ACTION_PENDING;
}

/* --- JSON: one object a line --- */

static void item_json(const struct lg_scan_report *report, const struct lg_scan_item *item,
                      enum lg_action verdict)
{
    struct lg_buf buf lg_cleanup(lg_buf_done) = {0};
    const struct lg_err *refusal = refusal_of(item);
    json_t *result = lg_out_object();
    json_t *object = lg_out_object();
    json_t *findings = lg_out_array();
    int migratable = refusal != NULL ? -1 : lg_judgement_migratable(item->judgement);

    lg_out_set_str(object, "kind", lg_str_of(lg_gvk(item->kind)->kind));
    lg_out_set_str(object, "namespace", item->ns);
    lg_out_set_str(object, "name", item->name);
    lg_out_set(result, "object", object);
    lg_out_set_str(result, "verdict", lg_str_of(verdict_name(verdict)));
    lg_out_set(result, "migratable", migratable < 0 ? json_null() : json_boolean(migratable != 0));
    for (size_t i = 0; refusal == NULL && i < item->judgement->n; i++)
        lg_out_append(findings, lg_output_finding(&item->judgement->findings[i],
                                                  item->judgement->findings[i].was, 0));
    lg_out_set(result, "findings", findings);
    if (refusal != NULL) {
        json_t *unread = lg_out_object();
        lg_out_set_str(unread, "field", lg_str_of(refusal->where));
        lg_out_set_str(unread, "message", lg_str_of(refusal->text));
        lg_out_set(result, "refused", unread);
    }
    lg_buf_puts(&buf, report->objects > 1 ? ",\n  " : "\n  ");
    lg_out_text(result, 0, &buf);
    json_decref(result);
    lg_output_flush(report->out, &buf);
}

/* --- lines --- */

static void add_subject(struct lg_buf *buf, const struct lg_scan_report *report,
                        const struct lg_scan_item *item)
{
    struct lg_buf name lg_cleanup(lg_buf_done) = {0};
    lg_buf_printf(&name, "%s ", lg_gvk(item->kind)->kind);
    lg_buf_printable(&name, item->ns);
    lg_buf_putc(&name, '/');
    lg_buf_printable(&name, item->name);
    lg_output_paint(buf, report->color, LG_COLOR_BOLD, name.p);
}

static void add_finding(struct lg_buf *buf, const struct lg_scan_report *report,
                        const struct lg_finding *finding)
{
    enum lg_color color = finding->was == LG_ACTION_DENY   ? LG_COLOR_RED
                          : finding->was == LG_ACTION_WARN ? LG_COLOR_YELLOW
                                                           : LG_COLOR_CYAN;
    lg_buf_puts(buf, "    ");
    lg_output_paint(buf, report->color, color, lg_action_name(finding->was));
    lg_buf_printf(buf, " [%s] ", finding->rule->id);
    lg_buf_printable(buf, finding->message);
    if (finding->excuse.n != 0) {
        lg_buf_puts(buf, " (");
        lg_buf_printable(buf, finding->excuse);
        lg_buf_putc(buf, ')');
    }
    lg_buf_putc(buf, '\n');
    if (finding->fix.n == 0)
        return;
    lg_buf_puts(buf, "        fix: ");
    lg_buf_printable(buf, finding->fix);
    lg_buf_putc(buf, '\n');
}

/* It only says that a kind could not be read, which is said once, in the end. */
static bool said_in_the_end(const struct lg_scan_report *report, const struct lg_finding *finding)
{
    if (!finding->pending || finding->missing >= LG_KIND_OTHER)
        return false;
    enum lg_known known = lg_inventory_known(report->inventory, finding->missing);
    return known == LG_NOT_GIVEN || known == LG_FORBIDDEN;
}

static bool is_shown(const struct lg_scan_report *report, const struct lg_finding *finding)
{
    return report->verbose ||
           (finding->was >= LG_ACTION_PENDING && !said_in_the_end(report, finding));
}

static size_t count_shown(const struct lg_scan_report *report, const struct lg_judgement *judgement)
{
    size_t n = 0;
    for (size_t i = 0; i < judgement->n; i++)
        n += is_shown(report, &judgement->findings[i]);
    return n;
}

static void item_lines(const struct lg_scan_report *report, const struct lg_scan_item *item,
                       enum lg_action verdict)
{
    struct lg_buf buf lg_cleanup(lg_buf_done) = {0};
    const struct lg_err *refusal = refusal_of(item);
    if (refusal == NULL && !report->verbose && count_shown(report, item->judgement) == 0)
        return;
    add_subject(&buf, report, item);
    lg_buf_puts(&buf, refusal != NULL             ? ": enforce would refuse it, it cannot be read: "
                      : verdict == LG_ACTION_DENY ? ": enforce would refuse it\n"
                      : verdict == LG_ACTION_WARN ? ": enforce would warn\n"
                      : verdict == LG_ACTION_PENDING ? ": not everything is known\n"
                                                     : ": ");
    if (refusal == NULL && verdict < LG_ACTION_PENDING) {
        lg_buf_puts(&buf, lg_output_tolerated(item->judgement, true));
        lg_buf_putc(&buf, '\n');
    }
    if (refusal != NULL) {
        lg_buf_printable(&buf, lg_str_of(refusal->where));
        lg_buf_puts(&buf, refusal->where[0] != '\0' ? ": " : "");
        lg_buf_printable(&buf, lg_str_of(refusal->text));
        lg_buf_putc(&buf, '\n');
    }
    for (size_t i = 0; refusal == NULL && i < item->judgement->n; i++)
        if (is_shown(report, &item->judgement->findings[i]))
            add_finding(&buf, report, &item->judgement->findings[i]);
    lg_output_flush(report->out, &buf);
}

/* --- the report --- */

void lg_scan_begin(const struct lg_scan_report *report)
{
    if (report->json)
        fputs("{\"apiVersion\":\"livegate.io/v1\",\"kind\":\"ScanReport\",\n \"results\":[",
              report->out);
}

void lg_scan_item(struct lg_scan_report *report, const struct lg_scan_item *item)
{
    enum lg_action verdict = verdict_of(item);
    count(report, item, verdict);
    if (report->json)
        item_json(report, item, verdict);
    else
        item_lines(report, item, verdict);
}

static const char *why_unknown(enum lg_known known)
{
    switch (known) {
    case LG_FORBIDDEN:
        return "not permitted";
    case LG_NOT_SERVED:
        return "not served";
    case LG_NOT_GIVEN:
        return "not given";
    default:
        return NULL;
    }
}

/* What rules look up and the scan could not read. That a cluster has no autoscaler is no loss. */
static const char *unread_kind(const struct lg_scan_report *report, enum lg_kind kind)
{
    if ((report->kinds & LG_BIT(kind)) == 0 || (LG_AUTOSCALERS & LG_BIT(kind)) != 0)
        return NULL;
    enum lg_known known = lg_inventory_known(report->inventory, kind);
    /* Files hold an instancetype where a virtual machine names one, or its own findings say so. */
    if (known == LG_NOT_GIVEN && lg_gvk(kind)->on_demand)
        return NULL;
    return why_unknown(known);
}

static void end_json(const struct lg_scan_report *report)
{
    struct lg_buf buf lg_cleanup(lg_buf_done) = {0};
    json_t *summary = lg_out_object();
    json_t *unread = lg_out_array();
    const struct {
        const char *key;
        size_t n;
    } rows[] = {{"objects", report->objects},
                {"deny", report->refused},
                {"warn", report->warned},
                {"pending", report->pending},
                {"unreadable", report->unreadable}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        lg_out_set(summary, rows[i].key, json_integer((json_int_t)rows[i].n));
    for (int kind = 0; kind < LG_KIND_COUNT; kind++) {
        const char *why = unread_kind(report, (enum lg_kind)kind);
        if (why == NULL)
            continue;
        json_t *row = lg_out_object();
        lg_out_set_str(row, "kind", lg_str_of(lg_gvk((enum lg_kind)kind)->kind));
        lg_out_set_str(row, "why", lg_str_of(why));
        lg_out_append(unread, row);
    }
    lg_buf_puts(&buf, report->objects != 0 ? "\n ],\n \"summary\":" : "],\n \"summary\":");
    lg_out_text(summary, 0, &buf);
    lg_buf_puts(&buf, ",\n \"notRead\":");
    lg_out_text(unread, 0, &buf);
    lg_buf_puts(&buf, "}\n");
    json_decref(summary);
    json_decref(unread);
    lg_output_flush(report->out, &buf);
}

static void end_lines(const struct lg_scan_report *report)
{
    struct lg_buf buf lg_cleanup(lg_buf_done) = {0};
    struct lg_buf line lg_cleanup(lg_buf_done) = {0};
    const char *lead = "not known: ";
    for (int kind = 0; kind < LG_KIND_COUNT; kind++) {
        const char *why = unread_kind(report, (enum lg_kind)kind);
        if (why == NULL)
            continue;
        lg_buf_printf(&buf, "%s%s (%s)", lead, lg_gvk((enum lg_kind)kind)->plural, why);
        lead = ", ";
    }
    lg_buf_puts(&buf, buf.n != 0 ? "\n" : "");
    size_t clean = report->objects - report->refused - report->warned - report->pending;
    lg_buf_printf(&line,
                  "%zu %s judged: enforce would refuse %zu and warn of %zu; %zu pending, %zu clean",
                  report->objects, report->objects == 1 ? "object" : "objects", report->refused,
                  report->warned, report->pending, clean);
    lg_output_paint(&buf, report->color, report->refused != 0 ? LG_COLOR_RED : LG_COLOR_BOLD,
                    line.p);
    lg_buf_putc(&buf, '\n');
    lg_output_flush(report->out, &buf);
}

void lg_scan_end(const struct lg_scan_report *report)
{
    if (report->json)
        end_json(report);
    else
        end_lines(report);
}
