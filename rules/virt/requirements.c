#include "rules/virt/requirements.h"

#include <stdlib.h>

#include "rules/core/num.h"
#include "rules/kube/names.h"
#include "rules/virt/guest.h"
#include "rules/virt/versions.h"

static const char ARCH_KEY[] = "kubernetes.io/arch";
static const char MODEL_PREFIX[] = "cpu-model.node.kubevirt.io/";
static const char FEATURE_PREFIX[] = "cpu-feature.node.kubevirt.io/";
static const char MACHINE_PREFIX[] = "machine-type.node.kubevirt.io/";
static const char HOST_MODEL_PREFIX[] = "host-model-cpu.node.kubevirt.io/";
static const char HOST_FEATURE_PREFIX[] = "host-model-required-features.node.kubevirt.io/";
static const char MODEL_MOVE_PREFIX[] = "cpu-model-migration.node.kubevirt.io/";
static const char VENDOR_PREFIX[] = "cpu-vendor.node.kubevirt.io/";
static const char HYPERV_PREFIX[] = "hyperv.node.kubevirt.io/";
static const char TSC_PREFIX[] = "scheduling.node.kubevirt.io/tsc-frequency-";
static const char OBSOLETE_HOST_MODEL[] = "node-labeller.kubevirt.io/obsolete-host-model";

/* --- affinity --- */

static bool match_of(struct lg_str op, enum lg_match *ret)
{
    static const char *const names[] = {
        [LG_MATCH_IN] = "In",         [LG_MATCH_NOT_IN] = "NotIn",
        [LG_MATCH_EXISTS] = "Exists", [LG_MATCH_ABSENT] = "DoesNotExist",
        [LG_MATCH_ABOVE] = "Gt",      [LG_MATCH_BELOW] = "Lt",
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (lg_str_is(op, names[i])) {
            *ret = (enum lg_match)i;
            return true;
        }
    }
    return false;
}

/* null in a list of strings is "", as Go's decoder has it. */
static struct lg_str *values_read(struct lg_val list, struct lg_arena *arena, size_t *ret_n)
{
    struct lg_str *values = lg_arena_array(arena, lg_json_len(list), sizeof(struct lg_str));
    *ret_n = 0;
    for (struct lg_json_iter it = lg_json_iter(list); lg_json_next(&it);)
        values[(*ret_n)++] = lg_json_str(it.val);
    return values;
}

static bool label_values_fit(struct lg_expression *e)
{
    for (size_t i = 0; i < e->n; i++)
        if (!lg_name_is_label_value(e->values[i]))
            return false;
    switch (e->match) {
    case LG_MATCH_IN:
    case LG_MATCH_NOT_IN:
        return e->n > 0;
    case LG_MATCH_EXISTS:
    case LG_MATCH_ABSENT:
        return e->n == 0;
    case LG_MATCH_ABOVE:
    case LG_MATCH_BELOW:
        return e->n == 1 && lg_num_go_int64(e->values[0], &e->bound) == LG_E_OK;
    }
    return false;
}

/* A field that nodes do not have reads as "". */
static bool field_fits(const struct lg_expression *e, bool *ret_true)
{
    bool in = e->match == LG_MATCH_IN;
    if ((!in && e->match != LG_MATCH_NOT_IN) || e->n != 1)
        return false;
    if (lg_str_is(e->key, "metadata.name"))
        return true;
    *ret_true = lg_str_empty(e->values[0]) == in;
    return *ret_true;
}

bool lg_expression_read(struct lg_val requirement, bool field, struct lg_arena *arena,
                        struct lg_expression *ret, bool *ret_true)
{
    struct lg_expression e = {.name = field, .key = lg_json_str_at(requirement, "key")};
    *ret_true = false;
    if (!match_of(lg_json_str_at(requirement, "operator"), &e.match))
        return false;
    e.values = values_read(lg_json_get(requirement, "values"), arena, &e.n);
    if (field ? !field_fits(&e, ret_true) : !lg_name_is_label_key(e.key) || !label_values_fit(&e))
        return false;
    *ret = e;
    return true;
}

/* False: the term can never match (it is empty, or the scheduler cannot read it). */
static bool term_read(struct lg_val term, struct lg_arena *arena, struct lg_term *ret)
{
    struct lg_val lists[] = {lg_json_get(term, "matchExpressions"),
                             lg_json_get(term, "matchFields")};
    size_t room = lg_json_len(lists[0]) + lg_json_len(lists[1]), n = 0;
    if (room == 0)
        return false;
    struct lg_expression *items = lg_arena_array(arena, room, sizeof(struct lg_expression));
    for (size_t field = 0; field < 2; field++) {
        for (struct lg_json_iter it = lg_json_iter(lists[field]); lg_json_next(&it);) {
            bool any_node;
            if (!lg_expression_read(it.val, field == 1, arena, &items[n], &any_node))
                return false;
            n += !any_node;
        }
    }
    *ret = (struct lg_term){items, n};
    return true;
}

const struct lg_term *lg_terms_read(struct lg_val required, struct lg_arena *arena, size_t *ret_n)
{
    struct lg_val list = lg_json_get(required, "nodeSelectorTerms");
    struct lg_term *terms = lg_arena_array(arena, lg_json_len(list), sizeof(struct lg_term));
    *ret_n = 0;
    for (struct lg_json_iter it = lg_json_iter(list); lg_json_next(&it);)
        if (term_read(it.val, arena, &terms[*ret_n]))
            (*ret_n)++;
    return terms;
}

static void affinity_read(struct lg_requirements *req, struct lg_val spec, struct lg_arena *arena)
{
    req->affinity =
        lg_json_at(spec, "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution");
    req->has_affinity = lg_json_there(req->affinity);
    req->terms = lg_terms_read(req->affinity, arena, &req->n_terms);
    req->affinity_nodes = lg_arena_alloc(arena, sizeof *req->affinity_nodes);
    req->affinity_nodes->arena = arena;
}

/* --- labels --- */

/* The lists under construction. */
struct wants {
    struct lg_requirements *req;
    struct lg_want *user, *added;
    const struct lg_node_table *nodes;
    const struct lg_settings *settings; /* never NULL */
    struct lg_str architecture;
    struct lg_str cpu_model; /* never "" */
    struct lg_arena *arena;
};

static int by_key(const void *a, const void *b)
{
    return lg_str_cmp(((const struct lg_want *)a)->key, ((const struct lg_want *)b)->key);
}

/* A nodeSelector is as long as its author makes it, and was read in order. */
static struct lg_want *user_want(struct wants *w, struct lg_str key)
{
    const struct lg_want wanted = {.key = key};
    if (w->req->n_user == 0)
        return NULL;
    return bsearch(&wanted, w->user, w->req->n_user, sizeof(wanted), by_key);
}

/* Default: what the user selects by the same key stands. */
static void add_default(struct wants *w, struct lg_str key, struct lg_str value,
                        enum lg_want_origin origin)
{
    if (user_want(w, key) != NULL)
        return;
    for (size_t i = 0; i < w->req->n_added; i++) {
        if (lg_str_eq(w->added[i].key, key)) {
            w->added[i].value = value;
            w->added[i].origin = origin;
            return;
        }
    }
    w->added[w->req->n_added++] = (struct lg_want){.key = key, .value = value, .origin = origin};
}

/* KubeVirt writes its own over whatever stands there. */
static void add_written(struct wants *w, struct lg_want want)
{
    struct lg_want *user = user_want(w, want.key);
    if (user != NULL)
        user->replaced = true;
    w->added[w->req->n_added++] = want;
}

static void add_forced(struct wants *w, struct lg_str key, struct lg_str older_key)
{
    add_written(w, (struct lg_want){.key = key,
                                    .value = LG_STR("true"),
                                    .older_key = older_key,
                                    .origin = LG_WANT_KUBEVIRT});
}

static void add_absent(struct wants *w, struct lg_str key)
{
    w->added[w->req->n_added++] =
        (struct lg_want){.key = key, .origin = LG_WANT_KUBEVIRT, .absent = true};
}

static bool some_node_bears(const struct wants *w, const char *prefix)
{
    return w->nodes == NULL || lg_nodes_any_key_prefix(w->nodes, prefix);
}

/* KubeVirt's labeller ran on some node: what it would have set and did not is really missing. */
static bool nodes_are_labelled(const struct wants *w)
{
    return some_node_bears(w, MODEL_PREFIX) || some_node_bears(w, FEATURE_PREFIX) ||
           some_node_bears(w, HOST_MODEL_PREFIX);
}

static void add_family(struct wants *w, const char *prefix, struct lg_str name)
{
    add_forced(w, lg_arena_printf(w->arena, "%s%.*s", prefix, LG_ARG(name)), (struct lg_str){0});
}

static bool some_node_has(const struct wants *w, const char *label)
{
    return w->nodes == NULL || lg_nodes_with_key(w->nodes, lg_str_of(label)) != NULL;
}

static void want_cpu(struct wants *w, struct lg_val cpu)
{
    if (lg_str_is(w->cpu_model, "host-model"))
        add_absent(w, lg_str_of(OBSOLETE_HOST_MODEL));
    else if (!lg_str_is(w->cpu_model, "host-passthrough") && some_node_bears(w, MODEL_PREFIX))
        add_family(w, MODEL_PREFIX, w->cpu_model);
    struct lg_val list = lg_json_get(cpu, "features");
    if (lg_json_len(list) > 0 && !some_node_bears(w, FEATURE_PREFIX))
        list = LG_NONE;
    for (struct lg_json_iter it = lg_json_iter(list); lg_json_next(&it);) {
        struct lg_str policy = lg_json_str_at(it.val, "policy");
        struct lg_str name = lg_json_str_at(it.val, "name");
        if (lg_str_empty(policy) || lg_str_is(policy, "require"))
            add_family(w, FEATURE_PREFIX, name);
        else if (lg_str_is(policy, "forbid"))
            add_absent(w, lg_arena_printf(w->arena, "%s%.*s", FEATURE_PREFIX, LG_ARG(name)));
    }
    if (lg_json_bool(lg_json_get(cpu, "dedicatedCpuPlacement"), false) &&
        (some_node_has(w, "kubevirt.io/cpumanager") || some_node_has(w, "cpumanager")))
        add_forced(w, LG_STR("kubevirt.io/cpumanager"), LG_STR("cpumanager"));
}

/* `reenlightenment: {}` is on: KubeVirt's webhook fills in `enabled: true`. */
static bool feature_is_on(struct lg_val feature)
{
    return lg_json_there(feature) && lg_json_bool(lg_json_get(feature, "enabled"), true);
}

static void want_hyperv(struct wants *w, struct lg_val hyperv)
{
    static const char *const features[] = {"vpindex",  "runtime",         "reset",
                                           "synic",    "synictimer",      "frequencies",
                                           "tlbflush", "reenlightenment", "ipi"};
    if (!lg_json_there(hyperv) || !lg_gate_is_on(w->settings, LG_GATE_HYPERV_STRICT_CHECK))
        return;
    for (size_t i = 0; i < sizeof(features) / sizeof(*features); i++)
        if (feature_is_on(lg_json_get(hyperv, features[i])) && some_node_bears(w, HYPERV_PREFIX))
            add_family(w, HYPERV_PREFIX, lg_str_of(features[i]));
    if (feature_is_on(lg_json_get(hyperv, "evmcs")) && some_node_bears(w, VENDOR_PREFIX))
        add_family(w, VENDOR_PREFIX, LG_STR("Intel"));
}

static bool requires_invtsc(struct lg_val spec)
{
    struct lg_val list = lg_json_at(spec, "domain.cpu.features");
    for (struct lg_json_iter it = lg_json_iter(list); lg_json_next(&it);) {
        struct lg_val policy = lg_json_get(it.val, "policy");
        if (lg_json_is(lg_json_get(it.val, "name"), "invtsc") &&
            (lg_json_is(policy, "require") || lg_json_is(policy, "force")))
            return true;
    }
    return false;
}

/* The frequency that KubeVirt chose stands in the VMI's status; before, some frequency has to be
 * there. */
static void want_tsc(struct wants *w, struct lg_val spec, const struct lg_move *move)
{
    struct lg_val reenlightenment = lg_json_at(spec, "domain.features.hyperv.reenlightenment");
    if (!lg_str_is(w->architecture, "amd64") || !some_node_bears(w, TSC_PREFIX) ||
        (!requires_invtsc(spec) && !feature_is_on(reenlightenment)))
        return;
    if (move == NULL)
        w->added[w->req->n_added++] = (struct lg_want){
            .key = lg_str_of(TSC_PREFIX), .origin = LG_WANT_KUBEVIRT, .prefix = true};
    else if (move->tsc_frequency > 0)
        add_family(w, TSC_PREFIX,
                   lg_arena_printf(w->arena, "%lld", (long long)move->tsc_frequency));
}

static void want_machine(struct wants *w, struct lg_val domain)
{
    struct lg_str machine = lg_json_str_at(domain, "machine.type");
    if (lg_str_empty(machine) && w->settings->known) {
        const struct lg_str *otherwise = lg_labels_get(w->settings->machine_types, w->architecture);
        machine = otherwise != NULL ? *otherwise : machine;
    }
    if (!lg_str_empty(machine) && some_node_bears(w, MACHINE_PREFIX))
        add_family(w, MACHINE_PREFIX, machine);
}

static void want_capability(struct wants *w, bool needed, const char *label)
{
    if (needed && (nodes_are_labelled(w) || some_node_has(w, label)))
        add_forced(w, lg_str_of(label), (struct lg_str){0});
}

static void want_guest(struct wants *w, struct lg_val spec)
{
    struct lg_val domain = lg_json_get(spec, "domain");
    struct lg_val launch = lg_json_get(domain, "launchSecurity");
    want_cpu(w, lg_json_get(domain, "cpu"));
    want_hyperv(w, lg_json_at(domain, "features.hyperv"));
    want_machine(w, domain);
    want_capability(w, lg_json_there(lg_json_at(domain, "cpu.realtime")), "kubevirt.io/realtime");
    want_capability(w, lg_json_there(lg_json_get(launch, "sev")), "kubevirt.io/sev");
    want_capability(w, lg_json_bool(lg_json_at(launch, "sev.policy.encryptedState"), false),
                    "kubevirt.io/sev-es");
    want_capability(w, lg_json_there(lg_json_get(launch, "snp")), "kubevirt.io/sev-snp");
    want_capability(w,
                    lg_json_there(lg_json_get(launch, "tdx")) &&
                        lg_version_has(w->settings, LG_DIFFERENCE_TDX_STAYS),
                    "kubevirt.io/tdx");
    want_capability(w,
                    lg_json_there(launch) && lg_str_is(w->architecture, "s390x") &&
                        lg_version_has(w->settings, LG_DIFFERENCE_SECURE_EXECUTION_STAYS),
                    "kubevirt.io/secure-execution");
}

/* The user's value, else the KubeVirt CR's, else "true"; judged apart, since a node that loses
 * "true" may get it back. */
static void want_schedulable(struct wants *w, struct lg_labels cluster)
{
    struct lg_str key = LG_STR(LG_LABEL_SCHEDULABLE);
    const struct lg_str *other = lg_labels_get(cluster, key);
    struct lg_want *user = user_want(w, key);
    if (user != NULL)
        other = &user->value;
    w->req->needs_schedulable = other == NULL || lg_str_is(*other, "true");
    if (user != NULL)
        user->replaced = w->req->needs_schedulable;
    else if (!w->req->needs_schedulable)
        add_default(w, key, *other, LG_WANT_CLUSTER);
}

/* --- what a migration adds --- */

/* A label of the source node, asked of the target under another prefix. */
static void add_copied(struct wants *w, const struct lg_label *label, const char *from,
                       const char *to)
{
    if (!lg_str_starts(label->key, from) || !some_node_bears(w, to))
        return;
    struct lg_str name = {label->key.p + strlen(from), label->key.n - strlen(from)};
    add_written(w, (struct lg_want){.key = lg_arena_printf(w->arena, "%s%.*s", to, LG_ARG(name)),
                                    .value = label->value,
                                    .origin = LG_WANT_SOURCE});
}

static bool selects_prefix(const struct wants *w, const char *prefix)
{
    for (size_t i = 0; i < w->req->n_user; i++)
        if (lg_str_starts(w->user[i].key, prefix))
            return true;
    for (size_t i = 0; i < w->req->n_added; i++)
        if (!w->added[i].absent && lg_str_starts(w->added[i].key, prefix))
            return true;
    return false;
}

static void want_as_source(struct wants *w, const struct lg_move *move)
{
    bool host_model = lg_str_is(w->cpu_model, "host-model");
    bool vendor = !selects_prefix(w, VENDOR_PREFIX);
    for (uint32_t i = 0; i < move->source->labels.n; i++) {
        const struct lg_label *label = &move->source->labels.items[i];
        if (host_model && !move->moved_before) {
            add_copied(w, label, HOST_MODEL_PREFIX, MODEL_MOVE_PREFIX);
            add_copied(w, label, HOST_FEATURE_PREFIX, FEATURE_PREFIX);
        }
        if (vendor)
            add_copied(w, label, VENDOR_PREFIX, VENDOR_PREFIX);
    }
}

/* What the pod selects already stands: the two that every pod does, and the guest's own. */
static void want_added(struct wants *w, struct lg_val selector)
{
    size_t before = w->req->n_added;
    struct lg_labels added = lg_labels_read(selector, w->arena);
    for (uint32_t i = 0; i < added.n; i++) {
        struct lg_str key = added.items[i].key;
        bool taken = lg_str_is(key, LG_LABEL_SCHEDULABLE) || lg_str_is(key, ARCH_KEY) ||
                     user_want(w, key) != NULL;
        for (size_t a = 0; a < before && !taken; a++)
            taken = !w->added[a].absent && lg_str_eq(w->added[a].key, key);
        if (!taken)
            w->added[w->req->n_added++] =
                (struct lg_want){.key = key, .value = added.items[i].value, .origin = LG_WANT_MOVE};
    }
}

static size_t room_for_move(const struct lg_move *move)
{
    if (move == NULL)
        return 0;
    return lg_json_len(move->added_node_selector) +
           (move->source != NULL ? 2 * move->source->labels.n : 0);
}

static void want_move(struct wants *w, const struct lg_move *move)
{
    w->req->source = move->source_name;
    w->req->added_selector = move->added_node_selector;
    want_added(w, move->added_node_selector);
    if (move->source != NULL)
        want_as_source(w, move);
}

static void user_read(struct wants *w)
{
    struct lg_labels selector = lg_labels_read(w->req->node_selector, w->arena);
    w->user = lg_arena_room(w->arena, selector.n, sizeof(struct lg_want));
    for (uint32_t i = 0; i < selector.n; i++)
        w->user[w->req->n_user++] = (struct lg_want){
            .key = selector.items[i].key, .value = selector.items[i].value, .origin = LG_WANT_USER};
    w->req->user = w->user;
}

static void wants_read(struct wants *w, struct lg_val spec, const struct lg_move *move)
{
    struct lg_labels cluster = w->settings->node_selectors;
    size_t features = lg_json_len(lg_json_at(spec, "domain.cpu.features"));
    w->architecture = lg_guest_architecture(spec, w->settings, w->arena);
    w->cpu_model = lg_guest_cpu_model(spec, w->settings);
    user_read(w);
    /* beside one label a feature: schedulable, architecture, and the labels that want_guest
     * names */
    w->added = lg_arena_room(w->arena, cluster.n + features + 32 + room_for_move(move),
                             sizeof(struct lg_want));
    want_schedulable(w, cluster);
    if (some_node_has(w, ARCH_KEY))
        add_default(w, lg_str_of(ARCH_KEY), w->architecture, LG_WANT_KUBEVIRT);
    for (uint32_t i = 0; i < cluster.n; i++)
        if (!lg_str_is(cluster.items[i].key, LG_LABEL_SCHEDULABLE))
            add_default(w, cluster.items[i].key, cluster.items[i].value, LG_WANT_CLUSTER);
    want_guest(w, spec);
    want_tsc(w, spec, move);
    if (move != NULL)
        want_move(w, move);
    w->req->added = w->added;
}

const struct lg_requirements *lg_requirements_read(struct lg_val vmi_spec,
                                                   const struct lg_settings *settings,
                                                   const struct lg_node_table *nodes,
                                                   struct lg_arena *arena)
{
    return lg_requirements_read_move(vmi_spec, NULL, settings, nodes, arena);
}

const struct lg_requirements *lg_requirements_read_asked(struct lg_val vmi_spec,
                                                         struct lg_arena *arena)
{
    struct lg_requirements *req = lg_arena_alloc(arena, sizeof(*req));
    req->node_selector = lg_json_get(vmi_spec, "nodeSelector");
    affinity_read(req, vmi_spec, arena);
    user_read(&(struct wants){.req = req, .arena = arena});
    return req;
}

const struct lg_requirements *lg_requirements_read_move(struct lg_val vmi_spec,
                                                        const struct lg_move *move,
                                                        const struct lg_settings *settings,
                                                        const struct lg_node_table *nodes,
                                                        struct lg_arena *arena)
{
    static const struct lg_settings defaults = {.version = LG_KUBEVIRT_NEWEST,
                                                .target_version = LG_KUBEVIRT_NEWEST};
    const struct lg_taint cordon = {.key = LG_STR("node.kubernetes.io/unschedulable"),
                                    .effect = LG_EFFECT_NO_SCHEDULE};
    struct lg_requirements *req = lg_arena_alloc(arena, sizeof(*req));
    req->node_selector = lg_json_get(vmi_spec, "nodeSelector");
    req->tolerations_at = lg_json_get(vmi_spec, "tolerations");
    req->tolerations = lg_tolerations_read(req->tolerations_at, arena);
    req->tolerates_cordon = lg_tolerated(req->tolerations, &cordon);
    affinity_read(req, vmi_spec, arena);
    wants_read(&(struct wants){.req = req,
                               .nodes = nodes,
                               .settings = settings != NULL ? settings : &defaults,
                               .arena = arena},
               vmi_spec, move);
    return req;
}
