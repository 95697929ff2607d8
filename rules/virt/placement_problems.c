/* What LG404 reports. Two kinds: what the API server or the scheduler refuses (each where it
 * stands), and required node affinity of which no term can ever hold (only then: a dead term beside
 * a living one does no harm).
 *
 * Source: Kubernetes core validation of node selectors and tolerations, apimachinery
 * labels.NewRequirement.
 */
#include "rules/core/num.h"
#include "rules/kube/names.h"
#include "rules/virt/requirements.h"

enum { PROBLEMS_MAX = 64, SHOWN_BYTES_MAX = 80 };

struct problems {
    struct lg_placement_problem items[PROBLEMS_MAX];
    size_t n;
    struct lg_arena *arena;
};

#define SHOWN(text) LG_ARG(lg_str_cut(text, SHOWN_BYTES_MAX))

static void add(struct problems *p, struct lg_val at, struct lg_str message, struct lg_str fix)
{
    if (p->n < PROBLEMS_MAX)
        p->items[p->n++] = (struct lg_placement_problem){.at = at, .message = message, .fix = fix};
}

#define ADD(p, at, fix, ...) add(p, at, lg_arena_printf((p)->arena, __VA_ARGS__), fix)

static const struct lg_str key_fix =
    LG_STR("a key is a name of at most 63 letters, digits, \"-\", \"_\" and \".\", with an "
           "optional domain before a \"/\"");
static const struct lg_str value_fix =
    LG_STR("a label's value has at most 63 letters, digits, \"-\", \"_\" and \".\", and begins "
           "and ends with a letter or digit");

static bool same_letters(struct lg_str text, const char *name)
{
    if (text.n != strlen(name))
        return false;
    for (size_t i = 0; i < text.n; i++)
        if ((text.p[i] | 0x20) != (name[i] | 0x20))
            return false;
    return true;
}

/* What to write in place of a word that is not one of `names` (NULL-terminated). */
static struct lg_str word_fix(struct problems *p, struct lg_str word, const char *const *names)
{
    struct lg_str list = LG_STR("");
    for (size_t i = 0; names[i] != NULL; i++) {
        if (same_letters(word, names[i]))
            return lg_arena_printf(p->arena, "write \"%s\"", names[i]);
        const char *between = i == 0 ? "" : names[i + 1] != NULL ? ", " : " or ";
        list = lg_arena_printf(p->arena, "%.*s%s%s", LG_ARG(list), between, names[i]);
    }
    return lg_arena_printf(p->arena, "use %.*s", LG_ARG(list));
}

static bool is_word(struct lg_str word, const char *const *names)
{
    for (size_t i = 0; names[i] != NULL; i++)
        if (lg_str_is(word, names[i]))
            return true;
    return false;
}

/* The member where it is there, else what holds it. */
static struct lg_val at_member(struct lg_val v, const char *key)
{
    struct lg_val member = lg_json_get(v, key);
    return lg_json_there(member) ? member : v;
}

/* --- one requirement --- */

static void check_values(struct problems *p, struct lg_val requirement, const char *of,
                         struct lg_str key, struct lg_str op)
{
    struct lg_val values = lg_json_get(requirement, "values");
    struct lg_val at = at_member(requirement, "values");
    size_t n = lg_json_len(values);
    int64_t number;
    bool compares = lg_str_is(op, "Gt") || lg_str_is(op, "Lt");
    if ((lg_str_is(op, "In") || lg_str_is(op, "NotIn")) && n == 0)
        ADD(p, at, LG_STR("list at least one value, or use Exists or DoesNotExist"),
            "%s, \"%.*s\": operator %.*s has no values", of, SHOWN(key), LG_ARG(op));
    else if ((lg_str_is(op, "Exists") || lg_str_is(op, "DoesNotExist")) && n > 0)
        ADD(p, at, LG_STR("leave the values out, or use In or NotIn"),
            "%s, \"%.*s\": operator %.*s takes no values", of, SHOWN(key), LG_ARG(op));
    else if (compares && n != 1)
        ADD(p, at, LG_STR("give one integer"),
            "%s, \"%.*s\": operator %.*s takes exactly one value and has %zu", of, SHOWN(key),
            LG_ARG(op), n);
    for (struct lg_json_iter it = lg_json_iter(values); lg_json_next(&it);) {
        struct lg_str value = lg_json_str(it.val);
        if (compares && lg_num_go_int64(value, &number) != LG_E_OK)
            ADD(p, it.val, LG_STR("give an integer of at most 64 bits"),
                "%s, \"%.*s\": operator %.*s compares integers, and \"%.*s\" is none", of,
                SHOWN(key), LG_ARG(op), SHOWN(value));
        else if (!lg_name_is_label_value(value))
            ADD(p, it.val, value_fix, "%s, \"%.*s\": no label can have the value \"%.*s\"", of,
                SHOWN(key), SHOWN(value));
    }
}

/* `sets_only`: a label selector, which knows no Gt and Lt. */
static void check_requirement(struct problems *p, struct lg_val requirement, const char *of,
                              bool sets_only)
{
    static const char *const all[] = {"In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt", NULL};
    static const char *const sets[] = {"In", "NotIn", "Exists", "DoesNotExist", NULL};
    const char *const *names = sets_only ? sets : all;
    struct lg_str key = lg_json_str_at(requirement, "key");
    struct lg_str op = lg_json_str_at(requirement, "operator");
    if (!lg_name_is_label_key(key))
        ADD(p, at_member(requirement, "key"), key_fix, "%s: \"%.*s\" is no label key", of,
            SHOWN(key));
    if (is_word(op, names))
        check_values(p, requirement, of, key, op);
    else
        ADD(p, at_member(requirement, "operator"), word_fix(p, op, names),
            "%s, \"%.*s\": there is no operator \"%.*s\"", of, SHOWN(key), SHOWN(op));
}

static void check_field(struct problems *p, struct lg_val requirement, const char *of)
{
    static const char *const names[] = {"In", "NotIn", NULL};
    struct lg_str key = lg_json_str_at(requirement, "key");
    struct lg_str op = lg_json_str_at(requirement, "operator");
    size_t n = lg_json_len(lg_json_get(requirement, "values"));
    if (!lg_str_is(key, "metadata.name"))
        ADD(p, at_member(requirement, "key"),
            LG_STR("write metadata.name, or use matchExpressions"),
            "%s: matchFields knows only metadata.name, not \"%.*s\"", of, SHOWN(key));
    if (!is_word(op, names))
        ADD(p, at_member(requirement, "operator"), word_fix(p, op, names),
            "%s: matchFields has no operator \"%.*s\"", of, SHOWN(op));
    else if (n != 1)
        ADD(p, at_member(requirement, "values"),
            LG_STR("give one name; for several nodes write several terms"),
            "%s: matchFields takes exactly one value and has %zu", of, n);
}

static void check_term(struct problems *p, struct lg_val term, const char *of)
{
    struct lg_val labels = lg_json_get(term, "matchExpressions");
    struct lg_val fields = lg_json_get(term, "matchFields");
    for (struct lg_json_iter it = lg_json_iter(labels); lg_json_next(&it);)
        check_requirement(p, it.val, of, false);
    for (struct lg_json_iter it = lg_json_iter(fields); lg_json_next(&it);)
        check_field(p, it.val, of);
}

/* --- the whole --- */

/* Says why no term can hold, if none can. The terms are all readable. */
static void check_life(struct problems *p, struct lg_val required, struct lg_val spec)
{
    const struct lg_requirements *req = lg_requirements_read_asked(spec, p->arena);
    struct lg_str key = LG_STR("");
    if (lg_terms_can_hold(req, p->arena, &key))
        return;
    if (req->n_terms == 0)
        ADD(p, required, LG_STR("add matchExpressions, or take the required node affinity out"),
            "required node affinity has only empty terms, and an empty term matches no node");
    else
        ADD(p, required,
            LG_STR("terms are alternatives, what stands in one term must all hold: "
                   "write what excludes another as terms of their own"),
            "required node affinity can match no node: what it asks of \"%.*s\"%s contradicts "
            "itself",
            SHOWN(key), req->n_user > 0 ? " (with nodeSelector)" : "");
}

/* Labels with their values: nodeSelector, or matchLabels of a selector. */
static void check_labels(struct problems *p, struct lg_val labels, const char *of)
{
    for (struct lg_json_iter it = lg_json_iter(labels); it.object && lg_json_next(&it);) {
        struct lg_str value = lg_json_str(it.val);
        if (!lg_name_is_label_key(it.key))
            ADD(p, it.val, key_fix, "%s: \"%.*s\" is no label key", of, SHOWN(it.key));
        if (!lg_name_is_label_value(value))
            ADD(p, it.val, value_fix, "%s, \"%.*s\": no label can have the value \"%.*s\"", of,
                SHOWN(it.key), SHOWN(value));
    }
}

static void check_weight(struct problems *p, struct lg_val preferred, const char *of)
{
    int64_t weight = 0;
    struct lg_val at = at_member(preferred, "weight");
    if (lg_json_int64(at, &weight) != LG_E_OK || weight < 1 || weight > 100)
        ADD(p, at, LG_STR("give a weight from 1 to 100"), "%s: the weight is not from 1 to 100",
            of);
}

static void check_node_affinity(struct problems *p, struct lg_val spec)
{
    struct lg_val affinity = lg_json_at(spec, "affinity.nodeAffinity");
    struct lg_val required =
        lg_json_get(affinity, "requiredDuringSchedulingIgnoredDuringExecution");
    struct lg_val terms = lg_json_get(required, "nodeSelectorTerms");
    size_t before = p->n;
    for (struct lg_json_iter it = lg_json_iter(terms); lg_json_next(&it);)
        check_term(p, it.val, "required node affinity");
    if (lg_json_there(required) && lg_json_len(terms) == 0)
        ADD(p, at_member(required, "nodeSelectorTerms"),
            LG_STR("add a term, or take the required node affinity out"),
            "required node affinity has no terms, and then matches no node");
    else if (lg_json_there(required) && p->n == before)
        check_life(p, required, spec);
    struct lg_val preferred =
        lg_json_get(affinity, "preferredDuringSchedulingIgnoredDuringExecution");
    for (struct lg_json_iter it = lg_json_iter(preferred); lg_json_next(&it);) {
        check_weight(p, it.val, "preferred node affinity");
        check_term(p, lg_json_get(it.val, "preference"), "preferred node affinity");
    }
}

static void check_pod_term(struct problems *p, struct lg_val term, const char *of)
{
    static const char *const selectors[] = {"labelSelector", "namespaceSelector"};
    struct lg_str key = lg_json_str_at(term, "topologyKey");
    if (lg_str_empty(key))
        ADD(p, term, LG_STR("write the label that tells places apart, kubernetes.io/hostname say"),
            "%s: a term has no topologyKey", of);
    else if (!lg_name_is_label_key(key))
        ADD(p, lg_json_get(term, "topologyKey"), key_fix, "%s: \"%.*s\" is no label key", of,
            SHOWN(key));
    for (size_t i = 0; i < 2; i++) {
        check_labels(p, lg_json_get(lg_json_get(term, selectors[i]), "matchLabels"), of);
        struct lg_val list = lg_json_get(lg_json_get(term, selectors[i]), "matchExpressions");
        for (struct lg_json_iter it = lg_json_iter(list); lg_json_next(&it);)
            check_requirement(p, it.val, of, true);
    }
}

static void check_pod_affinity(struct problems *p, struct lg_val affinity, const char *of)
{
    struct lg_val required =
        lg_json_get(affinity, "requiredDuringSchedulingIgnoredDuringExecution");
    struct lg_val preferred =
        lg_json_get(affinity, "preferredDuringSchedulingIgnoredDuringExecution");
    for (struct lg_json_iter it = lg_json_iter(required); lg_json_next(&it);)
        check_pod_term(p, it.val, of);
    for (struct lg_json_iter it = lg_json_iter(preferred); lg_json_next(&it);) {
        check_weight(p, it.val, of);
        check_pod_term(p, lg_json_get(it.val, "podAffinityTerm"), of);
    }
}

static void check_toleration_words(struct problems *p, struct lg_val toleration)
{
    static const char *const operators[] = {"Exists", "Equal", NULL};
    static const char *const effects[] = {"NoSchedule", "PreferNoSchedule", "NoExecute", NULL};
    struct lg_str op = lg_json_str_at(toleration, "operator");
    struct lg_str effect = lg_json_str_at(toleration, "effect");
    if (!lg_str_empty(op) && !is_word(op, operators))
        ADD(p, lg_json_get(toleration, "operator"), word_fix(p, op, operators),
            "toleration: there is no operator \"%.*s\"", SHOWN(op));
    if (!lg_str_empty(effect) && !is_word(effect, effects))
        ADD(p, lg_json_get(toleration, "effect"), word_fix(p, effect, effects),
            "toleration: there is no effect \"%.*s\"", SHOWN(effect));
    if (lg_json_there(lg_json_get(toleration, "tolerationSeconds")) &&
        !lg_str_is(effect, "NoExecute"))
        ADD(p, lg_json_get(toleration, "tolerationSeconds"),
            LG_STR("write \"effect: NoExecute\", or take tolerationSeconds out"),
            "toleration: tolerationSeconds goes only with effect NoExecute");
}

static void check_toleration(struct problems *p, struct lg_val toleration)
{
    struct lg_str op = lg_json_str_at(toleration, "operator");
    struct lg_str key = lg_json_str_at(toleration, "key");
    struct lg_str value = lg_json_str_at(toleration, "value");
    bool exists = lg_str_is(op, "Exists");
    check_toleration_words(p, toleration);
    if (lg_str_empty(key) && !exists)
        ADD(p, toleration,
            LG_STR("name the taint's key, or write \"operator: Exists\" to tolerate "
                   "every taint"),
            "toleration: without a key the operator must be Exists");
    else if (!lg_str_empty(key) && !lg_name_is_label_key(key))
        ADD(p, lg_json_get(toleration, "key"), key_fix, "toleration: \"%.*s\" is no taint key",
            SHOWN(key));
    if (exists && !lg_str_empty(value))
        ADD(p, lg_json_get(toleration, "value"),
            LG_STR("leave the value out, or write \"operator: Equal\""),
            "toleration, \"%.*s\": operator Exists takes no value", SHOWN(key));
    else if (!exists && !lg_name_is_label_value(value))
        ADD(p, lg_json_get(toleration, "value"), value_fix,
            "toleration, \"%.*s\": no taint can have the value \"%.*s\"", SHOWN(key), SHOWN(value));
}

const struct lg_placement_problem *lg_placement_problems(struct lg_val vmi_spec,
                                                         struct lg_arena *arena, size_t *ret_n)
{
    struct problems *p = lg_arena_room(arena, 1, sizeof(*p));
    struct lg_val affinity = lg_json_get(vmi_spec, "affinity");
    p->arena = arena;
    p->n = 0;
    check_labels(p, lg_json_get(vmi_spec, "nodeSelector"), "nodeSelector");
    check_node_affinity(p, vmi_spec);
    check_pod_affinity(p, lg_json_get(affinity, "podAffinity"), "pod affinity");
    check_pod_affinity(p, lg_json_get(affinity, "podAntiAffinity"), "pod anti-affinity");
    struct lg_val tolerations = lg_json_get(vmi_spec, "tolerations");
    for (struct lg_json_iter it = lg_json_iter(tolerations); lg_json_next(&it);)
        check_toleration(p, it.val);
    *ret_n = p->n;
    return p->items;
}
