#include "webhook/cli/explain.h"

#include <string.h>

#include "rules/core/mem.h"
#include "webhook/cli/output.h"

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

/* As JSON and markdown name it: the verdict. */
static const char *action_of(enum lg_expect expect)
{
    return expect == LG_EXPECT_NOTHING ? "allow" : expectation(expect);
}

static void add_lines(struct lg_buf *buf, const char *indent, const char *text)
{
    for (const char *line = text; *line != '\0';) {
        size_t n = strcspn(line, "\n");
        lg_buf_printf(buf, "%s%.*s\n", n != 0 ? indent : "", (int)n, line);
        line += n + (line[n] == '\n');
    }
}

/* The parts of an example, each under the comment that says what it is. */
struct part {
    const char *text, *comment;
};
enum { PARTS = 4 };
static void parts_of(const struct lg_rule_example *e, struct part ret[PARTS])
{
    const struct part parts[PARTS] = {
        {e->old_object, "# before the update"},
        {e->object, e->old_object != NULL ? "# after it" : NULL},
        {e->inventory, "# in a cluster with"},
        {e->policy, "# by the policy"},
    };
    memcpy(ret, parts, sizeof parts);
}

static void explain_examples(struct lg_buf *buf, const struct lg_rule *rule, bool color)
{
    lg_buf_puts(buf, "examples:\n");
    for (const struct lg_rule_example *e = rule->examples; e != NULL && e->name != NULL; e++) {
        struct part parts[PARTS];
        struct lg_buf head lg_cleanup(lg_buf_done) = {0};
        parts_of(e, parts);
        lg_buf_printf(&head, "%s: %s", e->name, expectation(e->expect));
        lg_buf_puts(buf, "\n    ");
        lg_output_paint(buf, color, LG_COLOR_BOLD, head.p);
        lg_buf_putc(buf, '\n');
        for (size_t i = 0; i < PARTS; i++) {
            if (parts[i].text == NULL)
                continue;
            if (parts[i].comment != NULL)
                lg_buf_printf(buf, "        %s\n", parts[i].comment);
            add_lines(buf, "        ", parts[i].text);
        }
        if (e->message != NULL)
            lg_output_wrap(buf, "      says: ", lg_str_of(e->message));
    }
}

/* "VirtualMachine, VirtualMachineInstance; on CREATE, UPDATE" */
static void add_about(struct lg_buf *buf, const struct lg_rule *rule)
{
    const char *lead = "; on ";

    add_kinds(buf, rule->kinds);
    for (size_t op = 0; op < OP_COUNT; op++) {
        if ((rule->ops & LG_BIT(op)) == 0)
            continue;
        lg_buf_printf(buf, "%s%s", lead, op_names[op]);
        lead = ", ";
    }
}

void lg_explain_text(struct lg_buf *buf, const struct lg_rule *rule, bool color)
{
    struct lg_buf head lg_cleanup(lg_buf_done) = {0};
    struct lg_buf about lg_cleanup(lg_buf_done) = {0};

    lg_buf_printf(&head, "%s %s", rule->id, rule->name);
    lg_output_paint(buf, color, LG_COLOR_BOLD, head.p);
    lg_buf_putc(buf, '\n');
    lg_output_wrap(buf, "what:        ", lg_str_of(rule->title));
    add_about(&about, rule);
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
    explain_examples(buf, rule, color);
}

static void markdown_examples(struct lg_buf *buf, const struct lg_rule *rule)
{
    lg_buf_puts(buf, "\n### Examples\n");
    for (const struct lg_rule_example *e = rule->examples; e != NULL && e->name != NULL; e++) {
        struct part parts[PARTS];
        parts_of(e, parts);
        lg_buf_printf(buf, "\n%s: **%s**\n\n```yaml\n", e->name, action_of(e->expect));
        for (size_t i = 0; i < PARTS; i++) {
            if (parts[i].text == NULL)
                continue;
            if (parts[i].comment != NULL)
                lg_buf_printf(buf, "%s\n", parts[i].comment);
            add_lines(buf, "", parts[i].text);
        }
        lg_buf_puts(buf, "```\n");
    }
}

void lg_explain_markdown(struct lg_buf *buf, const struct lg_rule *rule)
{
    struct lg_buf about lg_cleanup(lg_buf_done) = {0};

    add_about(&about, rule);
    lg_buf_printf(buf, "## %s %s\n\n%s\n\n", rule->id, rule->name, rule->title);
    lg_buf_printf(buf, "| about | default | in KubeVirt |\n|---|---|---|\n| %s | %s | %s |\n",
                  about.p, lg_action_name(rule->action),
                  rule->kubevirt_reason != NULL ? rule->kubevirt_reason : "");
    lg_buf_printf(buf, "\nWhy: %s\n\nHow to fix: %s\n\n", rule->rationale, rule->remedy);
    for (const struct lg_param *param = rule->params; param != NULL && param->name != NULL;
         param++) {
        lg_buf_printf(buf, "- `%s: ", param->name);
        add_param_value(buf, param);
        lg_buf_printf(buf, "` %s\n", param->doc);
    }
    lg_buf_printf(buf, "%sSource: %s\n", rule->params != NULL ? "\n" : "", rule->source);
    markdown_examples(buf, rule);
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

json_t *lg_explain_ops(unsigned ops)
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

static void set_text(json_t *object, const char *key, const char *text)
{
    if (text != NULL)
        lg_out_set_str(object, key, lg_str_of(text));
}

static json_t *examples_json(const struct lg_rule *rule)
{
    json_t *list = lg_out_array();

    for (const struct lg_rule_example *e = rule->examples; e != NULL && e->name != NULL; e++) {
        json_t *object = lg_out_object();
        lg_out_set_str(object, "name", lg_str_of(e->name));
        lg_out_set_str(object, "expect", lg_str_of(action_of(e->expect)));
        set_text(object, "object", e->object);
        set_text(object, "oldObject", e->old_object);
        set_text(object, "inventory", e->inventory);
        set_text(object, "policy", e->policy);
        set_text(object, "message", e->message);
        lg_out_append(list, object);
    }
    return list;
}

json_t *lg_explain_json(const struct lg_rule *rule)
{
    json_t *object = lg_out_object();

    lg_out_set_str(object, "id", lg_str_of(rule->id));
    lg_out_set_str(object, "name", lg_str_of(rule->name));
    lg_out_set_str(object, "title", lg_str_of(rule->title));
    lg_out_set_str(object, "action", lg_str_of(lg_action_name(rule->action)));
    lg_out_set(object, "kinds", kinds_json(rule->kinds));
    lg_out_set(object, "operations", lg_explain_ops(rule->ops));
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
    lg_out_set(object, "examples", examples_json(rule));
    return object;
}
