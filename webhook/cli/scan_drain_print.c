/* The forecast of a drain, as lines or as JSON. */
#include "rules/core/mem.h"
#include "webhook/cli/output.h"
#include "webhook/cli/scan.h"

static const struct {
    const char *line, *json;
    enum lg_color color;
} fates[LG_DRAIN_FATES] = {
    [LG_DRAIN_BLOCKS] = {"blocks", "blocks", LG_COLOR_RED},
    [LG_DRAIN_NO_TARGET] = {"no target", "noTarget", LG_COLOR_RED},
    [LG_DRAIN_WAITS] = {"waits", "waits", LG_COLOR_RED},
    [LG_DRAIN_SHUT_DOWN] = {"shut down", "shutDown", LG_COLOR_YELLOW},
    [LG_DRAIN_MOVES] = {"moves", "moves", LG_COLOR_GREEN},
    [LG_DRAIN_MOVING] = {"moving", "moving", LG_COLOR_GREEN},
};

static const char caveat[] =
    "This is a forecast by what the cluster says now: KubeVirt promises no order, room on the "
    "targets, quotas and other people's migrations are not counted.";

static void add_guest(struct lg_buf *buf, const struct lg_drain_guest *guest, bool color)
{
    char fate[16];
    (void)snprintf(fate, sizeof fate, "%-9s", fates[guest->fate].line);
    lg_buf_puts(buf, "  ");
    lg_output_paint(buf, color, fates[guest->fate].color, fate);
    lg_buf_puts(buf, "  ");
    if (guest->wave != 0)
        lg_buf_printf(buf, "%zu. ", guest->wave);
    lg_buf_printable(buf, guest->vmi->r.ns);
    lg_buf_putc(buf, '/');
    lg_buf_printable(buf, guest->vmi->r.name);
    if (guest->why.n != 0) {
        lg_buf_puts(buf, ": ");
        lg_buf_printable(buf, guest->why);
    }
    if (guest->note.n != 0) {
        lg_buf_puts(buf, "; ");
        lg_buf_printable(buf, guest->note);
    }
    lg_buf_putc(buf, '\n');
}

static void add_limit(struct lg_buf *buf, const char *what, const struct lg_migration_value *limit,
                      size_t used)
{
    lg_buf_printf(buf, "%s %lld (", what, (long long)limit->value);
    lg_buf_printable(buf, limit->source);
    lg_buf_printf(buf, "), %zu taken now", used);
}

static void print_lines(const struct lg_drain *drain, FILE *out, bool color)
{
    struct lg_buf buf lg_cleanup(lg_buf_done) = {0};
    struct lg_buf head lg_cleanup(lg_buf_done) = {0};
    const size_t *n = drain->counts;
    lg_buf_puts(&head, "drain of ");
    lg_buf_printable(&head, drain->node);
    lg_buf_printf(&head,
                  ": %zu guest%s: %zu would block it, %zu have no target, %zu wait for somebody "
                  "else, %zu would be shut down, %zu would move",
                  drain->n, drain->n == 1 ? "" : "s", n[LG_DRAIN_BLOCKS], n[LG_DRAIN_NO_TARGET],
                  n[LG_DRAIN_WAITS], n[LG_DRAIN_SHUT_DOWN], n[LG_DRAIN_MOVES]);
    if (n[LG_DRAIN_MOVING] != 0)
        lg_buf_printf(&head, ", %zu are moving", n[LG_DRAIN_MOVING]);
    lg_output_paint(&buf, color, LG_COLOR_BOLD, head.p);
    lg_buf_putc(&buf, '\n');
    for (size_t i = 0; i < drain->n; i++)
        add_guest(&buf, &drain->guests[i], color);
    if (n[LG_DRAIN_MOVES] != 0) {
        lg_buf_printf(&buf, "The number is the turn: %zu at a time", drain->at_once);
        if (drain->first != drain->at_once)
            lg_buf_printf(&buf, ", %zu of them now", drain->first);
        lg_buf_puts(&buf, "; ");
        add_limit(&buf, "from one node", &drain->node_limit, drain->outbound);
        lg_buf_puts(&buf, "; ");
        add_limit(&buf, "in the cluster", &drain->cluster_limit, drain->used);
        lg_buf_puts(&buf, ".\n");
    }
    lg_buf_printf(&buf, "%s\n", caveat);
    lg_output_flush(out, &buf);
}

static json_t *guest_json(const struct lg_drain_guest *guest)
{
    json_t *object = lg_out_object();
    lg_out_set_str(object, "namespace", guest->vmi->r.ns);
    lg_out_set_str(object, "name", guest->vmi->r.name);
    lg_out_set_str(object, "fate", lg_str_of(fates[guest->fate].json));
    lg_out_set_str(object, "why", guest->why);
    lg_out_set_str(object, "note", guest->note);
    if (guest->wave != 0)
        lg_out_set(object, "turn", json_integer((json_int_t)guest->wave));
    return object;
}

static json_t *limit_json(const struct lg_migration_value *limit, size_t used)
{
    json_t *object = lg_out_object();
    lg_out_set(object, "limit", json_integer((json_int_t)limit->value));
    lg_out_set_str(object, "source", limit->source);
    lg_out_set(object, "taken", json_integer((json_int_t)used));
    return object;
}

static void print_json(const struct lg_drain *drain, FILE *out)
{
    struct lg_buf buf lg_cleanup(lg_buf_done) = {0};
    json_t *root = lg_out_object();
    json_t *guests = lg_out_array();
    json_t *limits = lg_out_object();
    json_t *summary = lg_out_object();
    for (size_t i = 0; i < drain->n; i++)
        lg_out_append(guests, guest_json(&drain->guests[i]));
    lg_out_set(limits, lg_migration_key_name(LG_MIGRATION_PARALLEL_CLUSTER),
               limit_json(&drain->cluster_limit, drain->used));
    lg_out_set(limits, lg_migration_key_name(LG_MIGRATION_PARALLEL_OUTBOUND),
               limit_json(&drain->node_limit, drain->outbound));
    lg_out_set(summary, "guests", json_integer((json_int_t)drain->n));
    for (size_t fate = 0; fate < LG_DRAIN_FATES; fate++)
        lg_out_set(summary, fates[fate].json, json_integer((json_int_t)drain->counts[fate]));
    lg_out_set_str(root, "apiVersion", LG_STR("livegate.io/v1"));
    lg_out_set_str(root, "kind", LG_STR("DrainForecast"));
    lg_out_set_str(root, "node", drain->node);
    lg_out_set_str(root, "caveat", lg_str_of(caveat));
    lg_out_set(root, "guests", guests);
    lg_out_set(root, "limits", limits);
    lg_out_set(root, "atOnce", json_integer((json_int_t)drain->at_once));
    lg_out_set(root, "firstNow", json_integer((json_int_t)drain->first));
    lg_out_set(root, "summary", summary);
    lg_out_text(root, 2, &buf);
    lg_buf_putc(&buf, '\n');
    json_decref(root);
    lg_output_flush(out, &buf);
}

void lg_drain_print(const struct lg_drain *drain, FILE *out, bool json, bool color)
{
    if (json)
        print_json(drain, out);
    else
        print_lines(drain, out, color);
}
