#include "webhook/cli/output.h"

#include <stdlib.h>
#include <unistd.h>

#include "rules/core/mem.h"

void lg_check_report_init(struct lg_check_report *report, FILE *out,
                          const struct lg_inventory *inventory)
{
    *report = (struct lg_check_report){.out = out, .inventory = inventory};
    lg_arena_init(&report->arena);
    report->missing = lg_calloc(LG_KIND_COUNT * (lg_rules_count() + 1), sizeof *report->missing);
}

void lg_check_report_done(struct lg_check_report *report)
{
    free(report->missing);
    report->missing = NULL;
    lg_arena_done(&report->arena);
}

bool lg_check_not_given(const struct lg_check_report *report, const struct lg_finding *finding)
{
    return finding->pending && finding->missing < LG_KIND_OTHER &&
           lg_inventory_known(report->inventory, finding->missing) == LG_NOT_GIVEN;
}

void lg_check_report_count(struct lg_check_report *report, const struct lg_judgement *judgement)
{
    size_t *counter = judgement->verdict == LG_ACTION_DENY      ? &report->deny
                      : judgement->verdict == LG_ACTION_WARN    ? &report->warn
                      : judgement->verdict == LG_ACTION_PENDING ? &report->pending
                                                                : NULL;
    report->objects++;
    if (counter != NULL)
        ++*counter;
    bool unsettled = false;
    for (size_t i = 0; i < judgement->n; i++) {
        const struct lg_finding *finding = &judgement->findings[i];
        size_t index = 0;
        unsettled = unsettled || finding->action == LG_ACTION_PENDING;
        if (!lg_check_not_given(report, finding) ||
            lg_rule_find(lg_str_of(finding->rule->id), &index) == NULL)
            continue;
        bool *row = report->missing + (size_t)finding->missing * lg_rules_count();
        row[index] = true;
    }
    report->unsettled += unsettled;
}

bool lg_check_missing(const struct lg_check_report *report, enum lg_kind kind, size_t rule)
{
    return report->missing[(size_t)kind * lg_rules_count() + rule];
}

struct lg_str lg_check_api_version(struct lg_check_report *report, const struct lg_check_item *item)
{
    struct lg_str said = lg_json_str_at(item->source->object, "apiVersion");

    if (!lg_str_empty(said) || item->source->kind >= LG_KIND_OTHER)
        return said;
    const struct lg_gvk *gvk = lg_gvk(item->source->kind);
    return lg_arena_printf(&report->arena, "%s%s%s", gvk->group, gvk->group[0] != '\0' ? "/" : "",
                           gvk->version);
}

struct lg_str lg_check_kind(const struct lg_check_item *item)
{
    struct lg_str said = lg_json_str_at(item->source->object, "kind");

    if (!lg_str_empty(said) || item->source->kind >= LG_KIND_OTHER)
        return said;
    return lg_str_of(lg_gvk(item->source->kind)->kind);
}

uint32_t lg_check_line(const struct lg_check_item *item, struct lg_val at)
{
    uint32_t line = at.doc != NULL && at.doc == item->object.doc ? lg_json_mark(at).line : 0;

    return line != 0 ? line : item->source->mark.line;
}

const char *lg_output_tolerated(const struct lg_judgement *judgement, bool guest)
{
    bool stranded = false;
    for (size_t i = 0; i < judgement->n; i++)
        stranded = stranded || judgement->findings[i].rule->strands;
    int migratable = lg_judgement_migratable(judgement);
    if (guest && (migratable == 0 || stranded))
        return "cannot be live-migrated, which policy tolerates";
    return guest && migratable == 1 ? "can be live-migrated" : "nothing to object to";
}

const char *lg_check_verdict(const struct lg_judgement *judgement)
{
    return judgement->verdict == LG_ACTION_OFF ? "allow" : lg_action_name(judgement->verdict);
}

static int by_name(const void *a, const void *b)
{
    const struct lg_check_place *x = a;
    const struct lg_check_place *y = b;

    return lg_str_cmp(x->node->r.name, y->node->r.name);
}

bool lg_check_places(struct lg_check_report *report, const struct lg_check_item *item,
                     struct lg_check_place **ret_places, size_t *ret_n)
{
    const struct lg_requirements *requirements = item->judgement->requirements;
    const struct lg_node_table *table = lg_inventory_nodes(report->inventory);
    size_t n = 0;

    if (requirements == NULL)
        return false;
    struct lg_check_place *places =
        lg_arena_array(&report->arena, lg_nodes_count(table) + 1, sizeof *places);
    for (size_t slot = 0; slot < lg_nodes_slots(table); slot++) {
        const struct lg_node *node = lg_nodes_at(table, slot);
        if (node == NULL)
            continue;
        struct lg_check_place *place = &places[n++];
        place->node = node;
        place->place = lg_placement_explain(requirements, node, &report->arena, &place->reason);
        place->source = lg_str_eq(node->r.name, lg_placement_source(requirements));
    }
    qsort(places, n, sizeof *places, by_name);
    *ret_places = places;
    *ret_n = n;
    return true;
}

bool lg_output_color(FILE *out)
{
    const char *no_color = getenv("NO_COLOR");

    return isatty(fileno(out)) && (no_color == NULL || no_color[0] == '\0');
}

void lg_output_paint(struct lg_buf *buf, bool color, enum lg_color which, const char *text)
{
    static const char *const codes[] = {
        [LG_COLOR_BOLD] = "\033[1m",  [LG_COLOR_RED] = "\033[1;31m", [LG_COLOR_YELLOW] = "\033[33m",
        [LG_COLOR_CYAN] = "\033[36m", [LG_COLOR_GREEN] = "\033[32m",
    };
    lg_buf_puts(buf, color ? codes[which] : "");
    lg_buf_puts(buf, text);
    lg_buf_puts(buf, color ? "\033[0m" : "");
}

void lg_output_wrap(struct lg_buf *buf, const char *lead, struct lg_str text)
{
    size_t lead_columns = strlen(lead);
    size_t column = lead_columns;
    bool first = true;

    lg_buf_puts(buf, lead);
    while (text.n != 0) {
        const char *blank = memchr(text.p, ' ', text.n);
        struct lg_str word = {text.p, blank != NULL ? (size_t)(blank - text.p) : text.n};
        if (!first && column + 1 + word.n > LG_OUTPUT_COLUMNS) {
            lg_buf_printf(buf, "\n%*s", (int)lead_columns, "");
            column = lead_columns;
        } else if (!first) {
            lg_buf_putc(buf, ' ');
            column++;
        }
        lg_buf_printable(buf, word);
        column += word.n;
        first = false;
        text.p += word.n + (blank != NULL);
        text.n -= word.n + (blank != NULL);
    }
    lg_buf_putc(buf, '\n');
}

void lg_output_flush(FILE *out, struct lg_buf *buf)
{
    /* Errors stay in the stream; the dispatcher looks at it before the process ends. */
    size_t written = buf->n != 0 ? fwrite(buf->p, 1, buf->n, out) : 0;
    (void)written;
    buf->n = 0;
}
