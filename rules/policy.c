#include "rules/policy.h"

#include <assert.h>
#include <stdlib.h>

#include "rules/core/mem.h"
#include "rules/policy_data.h"

static const struct lg_param_value *default_params(const struct lg_rule *rule,
                                                   struct lg_arena *arena)
{
    size_t n = 0;
    while (rule->params != NULL && rule->params[n].name != NULL)
        n++;
    if (n == 0)
        return NULL;
    struct lg_param_value *values = lg_arena_array(arena, n, sizeof(*values));
    for (size_t i = 0; i < n; i++)
        values[i] = rule->params[i].otherwise;
    return values;
}

/* What a VM that declares itself immovable is only warned of, unless policy says otherwise: devices
 * and the like that were chosen knowingly. */
static const bool *default_opt_out(struct lg_arena *arena)
{
    static const char *const ids[] = {"LG107", "LG108", "LG109", "LG301", "LG302", "LG303",
                                      "LG304", "LG305", "LG306", "LG307", "LG402"};
    bool *flags = lg_arena_array(arena, lg_rules_count() + 1, sizeof(*flags));
    for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++) {
        size_t index = 0;
        if (lg_rule_find(lg_str_of(ids[i]), &index) != NULL)
            flags[index] = true;
    }
    return flags;
}

static struct lg_val default_claim_selector(struct lg_arena *arena)
{
    struct lg_val selector = LG_NONE;
    enum lg_err_code code = lg_json_parse(
        arena, LG_STR("{\"matchLabels\":{\"livegate.io/vm-claim\":\"true\"}}"), &selector, NULL);
    assert(code == LG_E_OK);
    (void)code;
    return selector;
}

void lg_policy_set_copy(const struct lg_policy_set *from, struct lg_arena *arena,
                        struct lg_policy_set *ret)
{
    size_t n = lg_rules_count();
    ret->mode = from != NULL ? from->mode : LG_MODE_ENFORCE;
    ret->opt_out = from != NULL ? from->opt_out : default_opt_out(arena);
    ret->elastic = from != NULL ? from->elastic : (struct lg_elastic){.mode = LG_ELASTIC_AUTO};
    ret->claim_selector = from != NULL ? from->claim_selector : default_claim_selector(arena);
    ret->actions = lg_arena_array(arena, n, sizeof(*ret->actions));
    ret->params = lg_arena_array(arena, n, sizeof(struct lg_param_value *));
    ret->fixers = lg_arena_array(arena, n, sizeof(*ret->fixers));
    if (from != NULL)
        memcpy(ret->fixers, from->fixers, n * sizeof(*ret->fixers));
    ret->chosen = lg_arena_array(arena, n + 1, sizeof(*ret->chosen));
    for (size_t i = 0; i < n; i++) {
        ret->chosen[i] = from != NULL && from->chosen[i];
        ret->actions[i] = from != NULL ? from->actions[i] : lg_rules[i]->action;
        ret->params[i] = from != NULL ? from->params[i] : default_params(lg_rules[i], arena);
    }
}

struct lg_policy *lg_policy_default(void)
{
    struct lg_policy *policy = lg_calloc(1, sizeof(*policy));
    atomic_init(&policy->refs, 1);
    lg_arena_init(&policy->arena);
    lg_policy_set_copy(NULL, &policy->arena, &policy->everywhere);
    return policy;
}

struct lg_policy *lg_policy_ref(struct lg_policy *policy)
{
    atomic_fetch_add_explicit(&policy->refs, 1, memory_order_relaxed);
    return policy;
}

void lg_policy_unref(struct lg_policy *policy)
{
    if (policy == NULL || atomic_fetch_sub_explicit(&policy->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (struct lg_policy_regex *owner = policy->regexes; owner != NULL; owner = owner->next)
        lg_regex_free(owner->regex);
    lg_map_done(&policy->exempt_users);
    lg_map_done(&policy->exempt_groups);
    lg_arena_done(&policy->arena);
    free(policy);
}

/* Names and selector, where both are given, have to match both. *io_open: labels would decide, and
 * are not known. */
static bool entry_matches(const struct lg_policy_entry *entry, struct lg_str ns,
                          const struct lg_namespace *record, struct lg_policy_stalls *io_stalls,
                          bool *io_open)
{
    if (entry->names.n != 0 && !lg_patterns_match(&entry->names, ns, io_stalls))
        return false;
    if (!lg_json_there(entry->selector))
        return true;
    *io_open = *io_open || record == NULL;
    return record != NULL && lg_selector_matches(entry->selector, record->labels);
}

struct lg_policy_view lg_policy_view(const struct lg_policy *policy, struct lg_str ns,
                                     const struct lg_namespace *record,
                                     struct lg_policy_stalls *io_stalls)
{
    const struct lg_policy_set *set = &policy->everywhere;
    bool open = false;
    for (size_t i = 0; i < policy->n_entries && ns.n != 0; i++) {
        if (entry_matches(&policy->entries[i], ns, record, io_stalls, &open)) {
            set = &policy->entries[i].set;
            break;
        }
    }
    return (struct lg_policy_view){.mode = set->mode,
                                   .namespace_open = open,
                                   .actions = set->actions,
                                   .chosen = set->chosen,
                                   .params = set->params,
                                   .opt_out = set->opt_out,
                                   .claim_selector = set->claim_selector,
                                   .elastic = set->elastic,
                                   .fixers = set->fixers};
}

int lg_policy_kubevirt_version(const struct lg_policy *policy)
{
    return policy->kubevirt_version;
}

enum owner { OWNER_KUBEVIRT, OWNER_CDI, OWNER_HYPERCONVERGED, OWNER_NONE };

static enum owner owner_of(struct lg_str account)
{
    static const struct {
        const char *account;
        enum owner owner;
    } rows[] = {
        {"kubevirt-controller", OWNER_KUBEVIRT},
        {"kubevirt-operator", OWNER_KUBEVIRT},
        {"kubevirt-handler", OWNER_KUBEVIRT},
        {"kubevirt-synchronization-controller", OWNER_KUBEVIRT},
        {"cdi-sa", OWNER_CDI},
        {"cdi-operator", OWNER_CDI},
        {"hyperconverged-cluster-operator", OWNER_HYPERCONVERGED},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        if (lg_str_is(account, rows[i].account))
            return rows[i].owner;
    return OWNER_NONE;
}

static bool usual(enum owner owner, struct lg_str ns)
{
    if (lg_str_is(ns, "openshift-cnv") || lg_str_is(ns, "kubevirt-hyperconverged"))
        return true;
    return (owner == OWNER_KUBEVIRT && lg_str_is(ns, "kubevirt")) ||
           (owner == OWNER_CDI && lg_str_is(ns, "cdi"));
}

/* A namespace is believed because an administrator's CR stands there. The usual names are believed
 * only as long as no CR says better: anyone who may create namespaces could take such a name. */
static bool believed(const struct lg_inventory *inventory, enum owner owner, struct lg_str ns)
{
    if (lg_inventory_stands_in(inventory, LG_KIND_HYPERCONVERGED, ns) ||
        lg_inventory_stands_in(inventory, LG_KIND_KUBEVIRT, ns))
        return true;
    if (lg_inventory_count(inventory, LG_KIND_HYPERCONVERGED) != 0)
        return false;
    if (lg_inventory_count(inventory, LG_KIND_KUBEVIRT) != 0)
        return owner == OWNER_CDI && lg_str_is(ns, "cdi");
    return usual(owner, ns);
}

/* CDI and HyperConverged have no business with guests. Whoever takes an account's name for theirs,
 * in a namespace of that name, gains nothing where it would count. */
static bool acts_on(enum owner owner, enum lg_kind kind)
{
    return owner == OWNER_KUBEVIRT || (!lg_kind_is_guest(kind) && kind != LG_KIND_MIGRATION);
}

/* Takes "system:serviceaccount:NAMESPACE:NAME" apart. */
static bool service_account(struct lg_str username, struct lg_str *ret_ns, struct lg_str *ret_name)
{
    static const char prefix[] = "system:serviceaccount:";
    if (!lg_str_starts(username, prefix))
        return false;
    struct lg_str rest = {username.p + sizeof(prefix) - 1, username.n - (sizeof(prefix) - 1)};
    const char *colon = rest.n != 0 ? memchr(rest.p, ':', rest.n) : NULL;
    if (colon == NULL)
        return false;
    *ret_ns = (struct lg_str){rest.p, (size_t)(colon - rest.p)};
    *ret_name = (struct lg_str){colon + 1, rest.n - ret_ns->n - 1};
    return true;
}

static bool is_built_in(const struct lg_inventory *inventory, enum lg_kind kind,
                        struct lg_str username)
{
    struct lg_str ns, name;
    if (!service_account(username, &ns, &name))
        return false;
    enum owner owner = owner_of(name);
    return owner != OWNER_NONE && acts_on(owner, kind) && believed(inventory, owner, ns);
}

bool lg_policy_is_virt_api(const struct lg_inventory *inventory, struct lg_str username)
{
    struct lg_str ns, name;
    return service_account(username, &ns, &name) && lg_str_is(name, "kubevirt-apiserver") &&
           believed(inventory, OWNER_KUBEVIRT, ns);
}

const struct lg_limiter_policy *lg_policy_limiter(const struct lg_policy *policy)
{
    return &policy->limiter;
}

bool lg_policy_is_controller(const struct lg_policy *policy, const struct lg_inventory *inventory,
                             enum lg_kind kind, struct lg_str username)
{
    for (size_t i = 0; i < policy->n_controllers; i++)
        if (lg_str_eq(policy->controllers[i], username))
            return true;
    return is_built_in(inventory, kind, username);
}
