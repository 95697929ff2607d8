/* livegate rules: lists the rules, or explains some. Everything is read from the descriptors. */
#include <stdlib.h>
#include <string.h>

#include "rules/core/mem.h"
#include "rules/core/out.h"
#include "rules/rule.h"
#include "webhook/cli/cli.h"
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
        "can set, where upstream says so.",
};

/* "VirtualMachine, VirtualMachineInstance" */
static void add_kinds(struct lg_buf *buf, unsigned kinds)
{
    const char *lead = "";

    for (enum lg_kind kind = 0; kind < LG_KIND_COUNT; kind++) {
        if ((kinds & LG_BIT(kind)) == 0)
            continue;
        lg_buf_printf(buf, "%s%s", lead, lg_gvk(kind)->kind);
        lead = ", ";
    }
}

static const char *const op_names[] = {
    [LG_OP_CREATE] = "CREATE",
    [LG_OP_UPDATE] = "UPDATE",
    [LG_OP_DELETE] = "DELETE",
    [LG_OP_CONNECT] = "CONNECT",
};
enum { OP_COUNT = sizeof op_names / sizeof *op_names };

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
                      kinds.p != NULL ? kinds.p : "", lg_action_name((*rules)->action),
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
        lg_buf_printf(buf, " | %s | ", lg_action_name((*rules)->action));
        for (const char *c = (*rules)->title; *c != '\0'; c++) {
            lg_buf_puts(buf, *c == '|' ? "\\" : "");
            lg_buf_putc(buf, *c);
        }
        lg_buf_puts(buf, " |\n");
    }
}

static void add_param_value(struct lg_buf *buf, const struct lg_param *param)
{
    if (param->type == LG_PARAM_BOOL) {
        lg_buf_puts(buf, param->otherwise.flag ? "true" : "false");
        return;
    }
    if (param->type == LG_PARAM_INT) {
        lg_buf_printf(buf, "%lld", (long long)param->otherwise.items[0]);
        return;
    }
    lg_buf_putc(buf, '[');
    for (size_t i = 0; i < param->otherwise.n; i++)
        lg_buf_printf(buf, "%s%lld", i != 0 ? ", " : "", (long long)param->otherwise.items[i]);
    lg_buf_putc(buf, ']');
}

static const char *const fixer_where[] = {
    [LG_FIXER_ADDS] = "in files, and at CREATE where policy's mutate names it",
    [LG_FIXER_CHANGES] = "in files, and at admission where policy's mutate names it",
    [LG_FIXER_FILES] = "in files only, by `livegate check --fix`",
};

static void explain_params(struct lg_buf *buf, const struct lg_rule *rule)
{
    for (const struct lg_param *param = rule->params; param != NULL && param->name != NULL;
         param++) {
        struct lg_buf text lg_cleanup(lg_buf_done) = {0};
        lg_buf_printf(&text, "%s: ", param->name);
        add_param_value(&text, param);
        lg_buf_printf(&text, " (%s)", param->doc);
        if (param->type != LG_PARAM_BOOL)
            lg_buf_printf(&text, "; %s%lld to %lld", param->type == LG_PARAM_INT ? "" : "each ",
                          (long long)param->min, (long long)param->max);
        lg_output_wrap(buf, param == rule->params ? "parameters:  " : "             ",
                       lg_buf_view(&text));
    }
}

static void explain_fixer(struct lg_buf *buf, const struct lg_rule *rule)
{
    const struct lg_fixer *fixer = rule->fixer;
    struct lg_buf text lg_cleanup(lg_buf_done) = {0};

    if (fixer == NULL) {
        if (rule->by_hand != NULL)
            lg_buf_printf(&text, "no; a person has to: %s", rule->by_hand);
        else
            lg_buf_puts(&text, "no");
    } else {
        lg_buf_printf(&text, "%s: %s", fixer_where[fixer->kind], fixer->acts);
    }
    lg_output_wrap(buf, "mended:      ", lg_buf_view(&text));
    if (fixer == NULL || fixer->option == NULL)
        return;
    text.n = 0;
    lg_buf_printf(&text, "%s: %s; one of", fixer->option, fixer->option_doc);
    for (const char *const *choice = fixer->choices; *choice != NULL; choice++)
        lg_buf_printf(&text, "%s %s%s", choice == fixer->choices ? "" : ",", *choice,
                      choice == fixer->choices ? " (default)" : "");
    lg_output_wrap(buf, "             ", lg_buf_view(&text));
}

static const char *expectation(enum lg_expect expect)
{
    static const char *const names[] = {
        [LG_EXPECT_NOTHING] = "nothing to object to",
        [LG_EXPECT_DENY] = "deny",
        [LG_EXPECT_WARN] = "warn",
        [LG_EXPECT_AUDIT] = "audit",
        [LG_EXPECT_PENDING] = "pending",
    };
    return names[expect];
}

/* The names of all examples, and the text of the first that is a violation. */
static void explain_examples(struct lg_buf *buf, const struct lg_rule *rule)
{
    const struct lg_rule_example *shown = NULL;

    lg_buf_puts(buf, "examples:\n");
    for (const struct lg_rule_example *e = rule->examples; e != NULL && e->name != NULL; e++) {
        lg_buf_printf(buf, "    %s: %s\n", e->name, expectation(e->expect));
        if (shown == NULL && e->expect != LG_EXPECT_NOTHING)
            shown = e;
    }
    if (shown == NULL || shown->object == NULL)
        return;
    lg_buf_printf(buf, "\n    # %s: %s\n", shown->name, expectation(shown->expect));
    for (const char *line = shown->object; *line != '\0';) {
        size_t n = strcspn(line, "\n");
        lg_buf_printf(buf, "    %.*s\n", (int)n, line);
        line += n + (line[n] == '\n');
    }
}

static void explain(struct lg_buf *buf, const struct lg_rule *rule, bool color)
{
    struct lg_buf head lg_cleanup(lg_buf_done) = {0};
    struct lg_buf about lg_cleanup(lg_buf_done) = {0};
    const char *lead = "; on ";

    lg_buf_printf(&head, "%s %s", rule->id, rule->name);
    lg_output_paint(buf, color, LG_COLOR_BOLD, head.p);
    lg_buf_putc(buf, '\n');
    lg_output_wrap(buf, "what:        ", lg_str_of(rule->title));
    add_kinds(&about, rule->kinds);
    for (size_t op = 0; op < OP_COUNT; op++) {
        if ((rule->ops & LG_BIT(op)) == 0)
            continue;
        lg_buf_printf(&about, "%s%s", lead, op_names[op]);
        lead = ", ";
    }
    lg_output_wrap(buf, "about:       ", lg_buf_view(&about));
    lg_output_wrap(buf, "default:     ", lg_str_of(lg_action_name(rule->action)));
    lg_output_wrap(buf, "why:         ", lg_str_of(rule->rationale));
    lg_output_wrap(buf, "how to fix:  ", lg_str_of(rule->remedy));
    explain_fixer(buf, rule);
    explain_params(buf, rule);
    if (rule->kubevirt_reason != NULL)
        lg_output_wrap(buf, "in KubeVirt: ", lg_str_of(rule->kubevirt_reason));
    if (rule->not_stronger_than != NULL)
        lg_buf_printf(buf, "never stronger than: %s\n", rule->not_stronger_than);
    lg_output_wrap(buf, "source:      ", lg_str_of(rule->source));
    explain_examples(buf, rule);
}

static json_t *kinds_json(unsigned kinds)
{
    json_t *list = lg_out_array();

    for (enum lg_kind kind = 0; kind < LG_KIND_COUNT; kind++) {
        if ((kinds & LG_BIT(kind)) != 0)
            lg_out_append(list, lg_out_str(lg_str_of(lg_gvk(kind)->kind)));
    }
    return list;
}

static json_t *default_json(const struct lg_param *param)
{
    if (param->type == LG_PARAM_BOOL)
        return json_boolean(param->otherwise.flag);
    if (param->type == LG_PARAM_INT)
        return json_integer((json_int_t)param->otherwise.items[0]);
    json_t *list = lg_out_array();
    for (size_t i = 0; i < param->otherwise.n; i++)
        lg_out_append(list, json_integer((json_int_t)param->otherwise.items[i]));
    return list;
}

static json_t *ops_json(unsigned ops)
{
    json_t *list = lg_out_array();

    for (size_t op = 0; op < OP_COUNT; op++) {
        if ((ops & LG_BIT(op)) != 0)
            lg_out_append(list, lg_out_str(lg_str_of(op_names[op])));
    }
    return list;
}

static json_t *params_json(const struct lg_rule *rule)
{
    static const char *const types[] = {
        [LG_PARAM_INT_LIST] = "integers",
        [LG_PARAM_BOOL] = "boolean",
        [LG_PARAM_INT] = "integer",
    };
    json_t *list = lg_out_array();

    for (const struct lg_param *param = rule->params; param != NULL && param->name != NULL;
         param++) {
        json_t *object = lg_out_object();
        lg_out_set_str(object, "name", lg_str_of(param->name));
        lg_out_set_str(object, "type", lg_str_of(types[param->type]));
        if (param->type != LG_PARAM_BOOL) {
            lg_out_set(object, "min", json_integer((json_int_t)param->min));
            lg_out_set(object, "max", json_integer((json_int_t)param->max));
        }
        lg_out_set(object, "default", default_json(param));
        lg_out_set_str(object, "doc", lg_str_of(param->doc));
        lg_out_append(list, object);
    }
    return list;
}

static json_t *fixer_json(const struct lg_rule *rule)
{
    const struct lg_fixer *fixer = rule->fixer;
    json_t *object;

    if (fixer == NULL)
        return json_null();
    object = lg_out_object();
    lg_out_set_str(object, "acts", lg_str_of(fixer->acts));
    lg_out_set(object, "atAdmission", json_boolean(fixer->kind != LG_FIXER_FILES));
    if (fixer->option != NULL) {
        json_t *choices = lg_out_array();
        for (const char *const *choice = fixer->choices; *choice != NULL; choice++)
            lg_out_append(choices, lg_out_str(lg_str_of(*choice)));
        lg_out_set_str(object, "option", lg_str_of(fixer->option));
        lg_out_set(object, "values", choices);
    }
    return object;
}

static json_t *rule_json(const struct lg_rule *rule)
{
    json_t *object = lg_out_object();

    lg_out_set_str(object, "id", lg_str_of(rule->id));
    lg_out_set_str(object, "name", lg_str_of(rule->name));
    lg_out_set_str(object, "title", lg_str_of(rule->title));
    lg_out_set_str(object, "action", lg_str_of(lg_action_name(rule->action)));
    lg_out_set(object, "kinds", kinds_json(rule->kinds));
    lg_out_set(object, "operations", ops_json(rule->ops));
    lg_out_set(object, "looksUp", kinds_json(rule->looks_up));
    lg_out_set(object, "kubevirtReason",
               rule->kubevirt_reason != NULL ? lg_out_str(lg_str_of(rule->kubevirt_reason))
                                             : json_null());
    lg_out_set(object, "notStrongerThan",
               rule->not_stronger_than != NULL ? lg_out_str(lg_str_of(rule->not_stronger_than))
                                               : json_null());
    lg_out_set(object, "parameters", params_json(rule));
    lg_out_set(object, "fixer", fixer_json(rule));
    lg_out_set_str(object, "rationale", lg_str_of(rule->rationale));
    lg_out_set_str(object, "remedy", lg_str_of(rule->remedy));
    lg_out_set_str(object, "source", lg_str_of(rule->source));
    return object;
}

/* What a cluster must send to be judged, and what we must be allowed to read: all rules together, and what engine and
 * policy read besides. */
static json_t *resource_json(enum lg_kind kind)
{
    static const char *const verbs[] = {"get", "list", "watch"};
    const struct lg_gvk *gvk = lg_gvk(kind);
    unsigned judged = 0, read = lg_rules_watched();
    json_t *object = lg_out_object();
    json_t *list = lg_out_array();

    for (const struct lg_rule *const *rule = lg_rules; *rule != NULL; rule++) {
        judged |= ((*rule)->kinds & LG_BIT(kind)) != 0 ? (*rule)->ops : 0;
        read |= gvk->on_demand ? (*rule)->looks_up : 0;
    }
    size_t n = (read & LG_BIT(kind)) == 0 ? 0 : gvk->on_demand ? 1 : 3;
    for (size_t i = 0; i < n; i++)
        lg_out_append(list, lg_out_str(lg_str_of(verbs[i])));
    lg_out_set_str(object, "group", lg_str_of(gvk->group));
    lg_out_set_str(object, "resource", lg_str_of(gvk->plural));
    lg_out_set_str(object, "kind", lg_str_of(gvk->kind));
    lg_out_set(object, "judged", ops_json(judged));
    lg_out_set(object, "read", list);
    return object;
}

static void add_json(struct lg_buf *buf, const struct lg_rule *const *rules)
{
    json_t *list = lg_out_object();
    json_t *items = lg_out_array();
    json_t *resources = lg_out_array();

    for (; *rules != NULL; rules++)
        lg_out_append(items, rule_json(*rules));
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

int lg_cmd_rules(int argc, char **argv)
{
    struct options options lg_cleanup(options_done) = {0};
    struct lg_buf buf lg_cleanup(lg_buf_done) = {0};
    bool color = lg_output_color(stdout);

    lg_cli_parse(&argp, argc, argv, &options);
    const struct lg_rule *const *rules = options.chosen != NULL ? options.chosen : lg_rules;
    if (options.format == FORMAT_JSON)
        add_json(&buf, rules);
    else if (options.format == FORMAT_MARKDOWN)
        add_markdown(&buf, rules);
    else if (options.chosen == NULL)
        add_list(&buf, rules, color);
    for (size_t i = 0; options.format == FORMAT_TABLE && rules != lg_rules && rules[i] != NULL;
         i++) {
        lg_buf_puts(&buf, i != 0 ? "\n" : "");
        explain(&buf, rules[i], color);
    }
    lg_output_flush(stdout, &buf);
    return LG_EXIT_OK;
}
