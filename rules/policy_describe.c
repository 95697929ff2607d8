/* What a policy means, in plain words. */
#include "rules/policy_data.h"

static void describe_mode(enum lg_policy_mode mode, struct lg_buf *out)
{
    lg_buf_puts(out, mode == LG_MODE_ENFORCE
                         ? "mode enforce: what a rule denies is refused\n"
                         : "mode observe: nothing is refused, denials become warnings\n");
}

static bool same_param(const struct lg_param *param, const struct lg_param_value *a,
                       const struct lg_param_value *b)
{
    if (param->type == LG_PARAM_BOOL)
        return a->flag == b->flag;
    return a->n == b->n && memcmp(a->items, b->items, a->n * sizeof(*a->items)) == 0;
}

static void describe_param(const struct lg_param *param, const struct lg_param_value *value,
                           struct lg_buf *out)
{
    lg_buf_printf(out, ", %s", param->name);
    if (param->type == LG_PARAM_BOOL) {
        lg_buf_puts(out, value->flag ? " true" : " false");
        return;
    }
    lg_buf_puts(out, value->n == 0 ? " none" : "");
    for (size_t i = 0; i < value->n; i++)
        lg_buf_printf(out, " %lld", (long long)value->items[i]);
}

static bool same_rule(size_t i, const struct lg_policy_set *a, const struct lg_policy_set *b)
{
    const struct lg_param *params = lg_rules[i]->params;
    if (a->actions[i] != b->actions[i])
        return false;
    for (size_t k = 0; params != NULL && params[k].name != NULL; k++)
        if (!same_param(&params[k], &a->params[i][k], &b->params[i][k]))
            return false;
    return true;
}

static void describe_rule(size_t i, const struct lg_policy_set *set, const char *indent,
                          struct lg_buf *out)
{
    const struct lg_rule *rule = lg_rules[i];
    lg_buf_printf(out, "%s%s %-28s %s", indent, rule->id, rule->name,
                  lg_action_name(set->actions[i]));
    if (set->actions[i] != rule->action)
        lg_buf_printf(out, " (default: %s)", lg_action_name(rule->action));
    for (size_t k = 0; rule->params != NULL && rule->params[k].name != NULL; k++)
        describe_param(&rule->params[k], &set->params[i][k], out);
    lg_buf_puts(out, "\n");
}

static void describe_entry(const struct lg_policy *policy, size_t index, struct lg_buf *out)
{
    const struct lg_policy_entry *entry = &policy->entries[index];
    lg_buf_printf(out, "  %zu. namespaces", index + 1);
    for (size_t i = 0; i < entry->n_names; i++) {
        lg_buf_puts(out, i == 0 ? " named like " : " or ");
        lg_buf_printable(out, entry->patterns[i]);
    }
    if (lg_json_there(entry->selector)) {
        lg_buf_puts(out, entry->n_names != 0 ? " and with labels " : " with labels ");
        lg_buf_str(out, lg_json_text(entry->selector));
    }
    lg_buf_puts(out, ":\n");
    bool changes = false;
    if (entry->set.mode != policy->everywhere.mode) {
        lg_buf_puts(out, "     ");
        describe_mode(entry->set.mode, out);
        changes = true;
    }
    for (size_t i = 0; lg_rules[i] != NULL; i++) {
        if (same_rule(i, &entry->set, &policy->everywhere))
            continue;
        describe_rule(i, &entry->set, "     ", out);
        changes = true;
    }
    if (!changes)
        lg_buf_puts(out, "     as everywhere\n");
}

void lg_policy_describe(const struct lg_policy *policy, struct lg_buf *out)
{
    describe_mode(policy->everywhere.mode, out);
    if (policy->kubevirt_version == 0)
        lg_buf_puts(out, "KubeVirt version: what the cluster says, else the newest known\n");
    else
        lg_buf_printf(out, "KubeVirt version: %d.%d, whatever the cluster says\n",
                      policy->kubevirt_version / 100, policy->kubevirt_version % 100);
    lg_buf_puts(out, "rules:\n");
    for (size_t i = 0; lg_rules[i] != NULL; i++)
        describe_rule(i, &policy->everywhere, "  ", out);
    if (policy->n_entries != 0)
        lg_buf_puts(out, "exceptions by namespace (the first that matches holds):\n");
    for (size_t i = 0; i < policy->n_entries; i++)
        describe_entry(policy, i, out);
    lg_buf_puts(out, "never refused: the controllers of KubeVirt, CDI and HyperConverged");
    for (size_t i = 0; i < policy->n_controllers; i++) {
        lg_buf_puts(out, "\n  and ");
        lg_buf_printable(out, policy->controllers[i]);
    }
    lg_buf_puts(out, "\nwarned instead of refused: members of the group livegate:bypass\n");
}
