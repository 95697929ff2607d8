/* livegate rules: lists the rules, or explains some. Everything is read from the descriptors. */
#include <stdlib.h>
#include <string.h>

#include "rules/core/mem.h"
#include "rules/core/out.h"
#include "rules/rule.h"
#include "webhook/cli/cli.h"
#include "webhook/cli/explain.h"
#include "webhook/cli/output.h"

enum format { FORMAT_TABLE, FORMAT_JSON, FORMAT_MARKDOWN };

struct options {
    enum format format;
    const struct lg_rule **chosen; /* ends with NULL; NULL = all */
    size_t n;
};

static void options_done(struct options *options)
{
    free(options->chosen);
}

static void parse_format(struct options *options, const char *arg, struct argp_state *state)
{
    static const char *const names[] = {"table", "json", "markdown"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(arg, names[i]) == 0) {
            options->format = (enum format)i;
            return;
        }
    }
    argp_error(state, "--output is table, json or markdown, not \"%s\"", arg);
}

/* What a mistyped id or name most likely meant; ids win over names. */
static const char *nearest_rule(struct lg_str typed)
{
    const char **names = lg_calloc(2 * lg_rules_count() + 1, sizeof *names);
    size_t n = 0;

    for (size_t i = 0; lg_rules[i] != NULL; i++)
        names[n++] = lg_rules[i]->id;
    for (size_t i = 0; lg_rules[i] != NULL; i++)
        names[n++] = lg_rules[i]->name;
    const char *nearest = lg_cli_nearest(typed, names, n);
    free(names);
    return nearest;
}

static void choose(struct options *options, const char *arg, struct argp_state *state)
{
    char id[16] = "";
    const struct lg_rule *rule = lg_rule_find(lg_str_of(arg), NULL);

    for (size_t i = 0; rule == NULL && arg[i] != '\0' && i < sizeof id - 1; i++)
        id[i] = (char)(arg[i] >= 'a' && arg[i] <= 'z' ? arg[i] - 'a' + 'A' : arg[i]);
    if (rule == NULL && strlen(arg) < sizeof id)
        rule = lg_rule_find(lg_str_of(id), NULL);
    if (rule == NULL) {
        const char *nearest = nearest_rule(lg_str_of(id[0] != '\0' && strlen(arg) <= 5 ? id : arg));
        if (nearest != NULL)
            argp_error(state, "there is no rule \"%s\"; did you mean \"%s\"?", arg, nearest);
        else
            argp_error(state, "there is no rule \"%s\"; `livegate rules` lists them", arg);
        return;
    }
    options->chosen = lg_realloc(options->chosen, options->n + 2, sizeof *options->chosen);
    options->chosen[options->n++] = rule;
    options->chosen[options->n] = NULL;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    switch (key) {
    case 'o':
        parse_format(state->input, arg, state);
        return 0;
    case ARGP_KEY_ARG:
        choose(state->input, arg, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options_table[] = {
    {"output", 'o', "table|json|markdown", 0, "How to print; table is the default", 0},
    {0},
};

static const struct argp argp = {
    .options = options_table,
    .parser = parse,
    .args_doc = "[ID...]",
    .doc =
        "Lists the rules; with ids or names, explains them: what, why, how to fix it, what policy "
        "can set, where upstream says so, and the examples that it is tested with."
        "\vExit status: 0 listed, 2 usage or no such rule, 4 internal error.",
};

/* The kinds as people abbreviate them, so that a row fits a line. */
static void add_short_kinds(struct lg_buf *buf, unsigned kinds)
{
    static const char *const names[LG_KIND_COUNT] = {
        [LG_KIND_VM] = "VM",
        [LG_KIND_VMI] = "VMI",
        [LG_KIND_CLAIM] = "PVC",
        [LG_KIND_MIGRATION] = "VMIM",
    };
    const char *lead = "";

    for (enum lg_kind kind = 0; kind < LG_KIND_COUNT; kind++) {
        if ((kinds & LG_BIT(kind)) == 0)
            continue;
        lg_buf_printf(buf, "%s%s", lead, names[kind] != NULL ? names[kind] : lg_gvk(kind)->kind);
        lead = ", ";
    }
}

static void add_list(struct lg_buf *buf, const struct lg_rule *const *rules, bool color)
{
    lg_output_paint(buf, color, LG_COLOR_BOLD,
                    "ID     NAME                        ABOUT             DEFAULT  WHEN");
    lg_buf_putc(buf, '\n');
    for (; *rules != NULL; rules++) {
        struct lg_buf kinds lg_cleanup(lg_buf_done) = {0};
        add_short_kinds(&kinds, (*rules)->kinds);
        lg_buf_printf(buf, "%-6s %-27s %-17s %-8s %s\n", (*rules)->id, (*rules)->name,
                      kinds.p != NULL ? kinds.p : "", lg_rule_default_name(*rules),
                      (*rules)->title);
    }
}

/* One README row a rule. */
static void add_markdown(struct lg_buf *buf, const struct lg_rule *const *rules)
{
    lg_buf_puts(buf, "| id | name | about | default | when |\n|---|---|---|---|---|\n");
    for (; *rules != NULL; rules++) {
        lg_buf_printf(buf, "| %s | %s | ", (*rules)->id, (*rules)->name);
        add_short_kinds(buf, (*rules)->kinds);
        lg_buf_printf(buf, " | %s | ", lg_rule_default_name(*rules));
        for (const char *c = (*rules)->title; *c != '\0'; c++) {
            lg_buf_puts(buf, *c == '|' ? "\\" : "");
            lg_buf_putc(buf, *c);
        }
        lg_buf_puts(buf, " |\n");
    }
}

/* What a cluster must send to be judged, and what we must be allowed to read: all rules together,
 * and what engine and policy read besides. */
static json_t *resource_json(enum lg_kind kind)
{
    static const char *const verbs[] = {"get", "list", "watch"};
    const struct lg_gvk *gvk = lg_gvk(kind);
    unsigned judged = 0, read = lg_rules_watched();
    json_t *object = lg_out_object();
    json_t *list = lg_out_array();

    for (const struct lg_rule *const *rule = lg_rules; *rule != NULL; rule++) {
        judged |= ((*rule)->kinds & LG_BIT(lg_kind_judged_as(kind))) != 0 ? (*rule)->ops : 0;
        read |= gvk->on_demand ? (*rule)->looks_up : 0;
    }
    size_t n = (read & LG_BIT(kind)) == 0 ? 0 : gvk->on_demand ? 1 : 3;
    for (size_t i = 0; i < n; i++)
        lg_out_append(list, lg_out_str(lg_str_of(verbs[i])));
    lg_out_set_str(object, "group", lg_str_of(gvk->group));
    lg_out_set_str(object, "resource", lg_str_of(gvk->plural));
    lg_out_set_str(object, "kind", lg_str_of(gvk->kind));
    lg_out_set(object, "judged", lg_explain_ops(judged));
    lg_out_set(object, "read", list);
    return object;
}

static void add_json(struct lg_buf *buf, const struct lg_rule *const *rules)
{
    json_t *list = lg_out_object();
    json_t *items = lg_out_array();
    json_t *resources = lg_out_array();

    for (; *rules != NULL; rules++)
        lg_out_append(items, lg_explain_json(*rules));
    for (enum lg_kind kind = 0; kind < LG_KIND_COUNT; kind++)
        lg_out_append(resources, resource_json(kind));
    lg_out_set_str(list, "apiVersion", LG_STR("livegate.io/v1"));
    lg_out_set_str(list, "kind", LG_STR("RuleList"));
    lg_out_set(list, "rules", items);
    lg_out_set(list, "resources", resources);
    lg_out_text(list, 2, buf);
    lg_buf_putc(buf, '\n');
    json_decref(list);
}

static void explain_chosen(struct lg_buf *buf, const struct options *options, bool color)
{
    for (size_t i = 0; i < options->n; i++) {
        lg_buf_puts(buf, i != 0 ? "\n" : "");
        if (options->format == FORMAT_MARKDOWN)
            lg_explain_markdown(buf, options->chosen[i]);
        else
            lg_explain_text(buf, options->chosen[i], color);
    }
}

int lg_cmd_rules(int argc, char **argv)
{
    struct options options lg_cleanup(options_done) = {0};
    struct lg_buf buf lg_cleanup(lg_buf_done) = {0};
    bool color = lg_output_color(stdout);

    lg_cli_parse(&argp, argc, argv, &options);
    const struct lg_rule *const *rules = options.chosen != NULL ? options.chosen : lg_rules;
    if (options.format == FORMAT_JSON)
        add_json(&buf, rules);
    else if (options.chosen != NULL)
        explain_chosen(&buf, &options, color);
    else if (options.format == FORMAT_MARKDOWN)
        add_markdown(&buf, rules);
    else
        add_list(&buf, rules, color);
    lg_output_flush(stdout, &buf);
    return LG_EXIT_OK;
}
