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
    return a->fixers[i] == b->fixers[i];
}

static void describe_rule(size_t i, const struct lg_policy_set *set, const char *indent,
                          struct lg_buf *out)
{
    const struct lg_rule *rule = lg_rules[i];
    lg_buf_printf(out, "%s%s %-28s %s", indent, rule->id, rule->name,
                  rule->waits ? "limit" : lg_action_name(set->actions[i]));
    if (!rule->waits && set->actions[i] != rule->action)
        lg_buf_printf(out, " (default: %s)", lg_action_name(rule->action));
    for (size_t k = 0; rule->params != NULL && rule->params[k].name != NULL; k++)
        describe_param(&rule->params[k], &set->params[i][k], out);
    if (set->fixers[i] != 0)
        lg_buf_puts(out, ", mended at admission");
    if (set->fixers[i] != 0 && rule->fixer->option != NULL)
        lg_buf_printf(out, " (%s %s)", rule->fixer->option,
                      rule->fixer->choices[set->fixers[i] - 1]);
    lg_buf_puts(out, "\n");
}

static void describe_rules(const bool *rules, bool all, struct lg_buf *out)
{
    const char *lead = "";
    if (all)
        lg_buf_puts(out, "every rule");
    for (size_t i = 0; !all && lg_rules[i] != NULL; i++) {
        if (!rules[i])
            continue;
        lg_buf_printf(out, "%s%s", lead, lg_rules[i]->id);
        lead = ", ";
    }
}

static void describe_patterns(const struct lg_patterns *patterns, struct lg_buf *out)
{
    for (size_t i = 0; i < patterns->n; i++) {
        lg_buf_puts(out, i == 0 ? "" : " or ");
        lg_buf_printable(out, patterns->items[i].text);
        if (patterns->items[i].never && patterns->n != 1)
            lg_buf_puts(out, " (which no name can match)");
    }
}

static void describe_texts(const char *lead, const struct lg_str *texts, size_t n,
                           struct lg_buf *out)
{
    for (size_t i = 0; i < n; i++) {
        lg_buf_puts(out, i == 0 ? lead : ", ");
        lg_buf_printable(out, texts[i]);
    }
}

static void describe_never(const char *never, struct lg_buf *out)
{
    if (never != NULL)
        lg_buf_printf(out, "     NEVER MATCHES: %s\n", never);
}

static bool same_flags(const bool *a, const bool *b)
{
    return memcmp(a, b, lg_rules_count() * sizeof(*a)) == 0;
}

static void describe_elastic(const struct lg_elastic *elastic, const char *indent,
                             struct lg_buf *out)
{
    static const char *const texts[] = {
        [LG_ELASTIC_AUTO] = "where it has an autoscaler",
        [LG_ELASTIC_YES] = "yes, into nodes with any label",
        [LG_ELASTIC_NO] = "no",
        [LG_ELASTIC_GROUPS] = "into nodes with",
    };
    lg_buf_printf(out, "%sthe cluster grows by itself: %s", indent, texts[elastic->mode]);
    for (size_t i = 0; i < elastic->n_groups; i++) {
        const struct lg_node_group *group = &elastic->groups[i];
        lg_buf_puts(out, i != 0 ? "; or with" : "");
        for (uint32_t k = 0; k < group->labels.n; k++)
            lg_buf_printf(out, " %.*s=%.*s", LG_ARG(group->labels.items[k].key),
                          LG_ARG(group->labels.items[k].value));
        for (uint32_t k = 0; k < group->taints.n; k++)
            lg_buf_printf(out, " taint %.*s=%.*s:%s", LG_ARG(group->taints.items[k].key),
                          LG_ARG(group->taints.items[k].value),
                          lg_effect_name(group->taints.items[k].effect));
        lg_buf_puts(out, group->labels.n + group->taints.n == 0 ? " no label of note" : "");
    }
    lg_buf_puts(out, "\n");
}

/* The rest of a set, where it is not as everywhere (or `base` is NULL). True when something was
 * said. */
static bool describe_set(const struct lg_policy_set *set, const struct lg_policy_set *base,
                         const char *indent, struct lg_buf *out)
{
    size_t before = out->n;
    if (base == NULL || !same_flags(set->opt_out, base->opt_out)) {
        lg_buf_printf(
            out, "%swarnings at most for a VM with evictionStrategy None of its own: ", indent);
        size_t n = out->n;
        describe_rules(set->opt_out, false, out);
        lg_buf_puts(out, out->n == n ? "none\n" : "\n");
    }
    if (base == NULL || set->elastic.mode != base->elastic.mode ||
        set->elastic.groups != base->elastic.groups)
        describe_elastic(&set->elastic, indent, out);
    if (base == NULL ||
        !lg_str_eq(lg_json_text(set->claim_selector), lg_json_text(base->claim_selector))) {
        lg_buf_printf(out,
                      "%sclaims that are virtual machines', beside those that one uses: ", indent);
        lg_buf_str(out, lg_json_text(set->claim_selector));
        lg_buf_puts(out, "\n");
    }
    return out->n != before;
}

static void describe_entry(const struct lg_policy *policy, size_t index, struct lg_buf *out)
{
    const struct lg_policy_entry *entry = &policy->entries[index];
    lg_buf_printf(out, "  %zu. namespaces", index + 1);
    lg_buf_puts(out, entry->names.n != 0 ? " named like " : "");
    describe_patterns(&entry->names, out);
    if (lg_json_there(entry->selector)) {
        lg_buf_puts(out, entry->names.n != 0 ? " and with labels " : " with labels ");
        lg_buf_str(out, lg_json_text(entry->selector));
    }
    lg_buf_puts(out, ":\n");
    describe_never(entry->never, out);
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
    changes = describe_set(&entry->set, &policy->everywhere, "     ", out) || changes;
    if (!changes)
        lg_buf_puts(out, "     as everywhere\n");
}

static void describe_exempt(const struct lg_policy_exempt *entry, size_t index, struct lg_buf *out)
{
    lg_buf_printf(out, "  %zu. ", index + 1);
    describe_texts("user ", entry->users, entry->n_users, out);
    describe_texts(entry->n_users != 0 ? "; group " : "group ", entry->groups, entry->n_groups,
                   out);
    lg_buf_puts(out, ": ");
    describe_rules(entry->rules, entry->all_rules, out);
    lg_buf_printf(out, " at most %s", lg_action_name(entry->action));
    if (entry->reason.n != 0) {
        lg_buf_puts(out, ": ");
        lg_buf_printable(out, entry->reason);
    }
    lg_buf_puts(out, "\n");
    describe_never(entry->never, out);
}

static void describe_exception(const struct lg_policy_exception *entry, size_t index,
                               int64_t now_unix_s, struct lg_buf *out)
{
    lg_buf_printf(out, "  %zu. ", index + 1);
    describe_rules(entry->rules, entry->all_rules, out);
    if (entry->namespaces.n != 0)
        lg_buf_puts(out, " in namespace ");
    describe_patterns(&entry->namespaces, out);
    if (entry->name.text.n != 0) {
        lg_buf_puts(out, " for objects named ");
        lg_buf_printable(out, entry->name.text);
    }
    lg_buf_puts(out, "\n     ");
    lg_buf_str(out, entry->excuse);
    if (entry->expires_unix_s == 0)
        lg_buf_puts(out, " (it never expires)");
    lg_buf_puts(out, "\n");
    if (entry->expires_unix_s != 0 && now_unix_s >= entry->expires_unix_s)
        lg_buf_puts(out, "     EXPIRED: it counts no more\n");
    describe_never(entry->never, out);
}

static void describe_limiter(const struct lg_limiter_policy *limiter, struct lg_buf *out)
{
    static const char *const modes[] = {"enforced", "only observed", "off"};
    lg_buf_printf(out, "limits of parallel migrations: %s", modes[limiter->mode]);
    if (limiter->inbound_per_node != 0)
        lg_buf_printf(out, "; at most %lld to one node", (long long)limiter->inbound_per_node);
    lg_buf_printf(out, "; virtctl %s", limiter->virt_api_admit ? "goes through" : "is refused");
    lg_buf_printf(out, "; without the ledger %s\n",
                  limiter->refuse_when_unreachable ? "nothing starts" : "all go through");
    if (limiter->show_holders)
        lg_buf_puts(out, "  who holds a place is named across namespaces\n");
}

void lg_policy_describe(const struct lg_policy *policy, int64_t now_unix_s, struct lg_buf *out)
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
    (void)describe_set(&policy->everywhere, NULL, "", out);
    describe_limiter(&policy->limiter, out);
    if (policy->n_entries != 0)
        lg_buf_puts(out, "by namespace (the first that matches holds):\n");
    for (size_t i = 0; i < policy->n_entries; i++)
        describe_entry(policy, i, out);
    if (policy->n_exempt != 0)
        lg_buf_puts(out, "exempt, by who asks:\n");
    for (size_t i = 0; i < policy->n_exempt; i++)
        describe_exempt(&policy->exempt[i], i, out);
    if (policy->n_exceptions != 0)
        lg_buf_puts(out, "exceptions, recorded instead of refused:\n");
    for (size_t i = 0; i < policy->n_exceptions; i++)
        describe_exception(&policy->exceptions[i], i, now_unix_s, out);
    lg_buf_puts(out, "never refused: the controllers of KubeVirt, CDI and HyperConverged");
    for (size_t i = 0; i < policy->n_controllers; i++) {
        lg_buf_puts(out, "\n  and ");
        lg_buf_printable(out, policy->controllers[i]);
    }
    lg_buf_puts(out, "\nwarned instead of refused: members of the group livegate:bypass\n");
}
