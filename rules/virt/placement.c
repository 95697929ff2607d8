#include "rules/virt/placement.h"

#include "rules/core/mem.h"
#include "rules/core/num.h"
#include "rules/virt/requirements.h"

enum { WORD_BITS = 64 };

/* A taint that something in the cluster sets and takes away again, without a person meaning to keep
 * guests off. */
static bool taint_passes(const struct lg_taint *taint)
{
    return lg_str_starts(taint->key, "node.kubernetes.io/") ||
           lg_str_starts(taint->key, "node.cloudprovider.kubernetes.io/") ||
           lg_str_is(taint->key, "kubevirt.io/drain") ||
           lg_str_is(taint->key, "ToBeDeletedByClusterAutoscaler");
}

/* --- one node, the plain way --- */

static bool bears_prefix(const struct lg_node *node, struct lg_str prefix)
{
    for (uint32_t i = 0; i < node->labels.n; i++)
        if (lg_str_eq(lg_str_cut(node->labels.items[i].key, prefix.n), prefix))
            return true;
    return false;
}

static bool node_bears(const struct lg_node *node, const struct lg_want *want)
{
    if (want->prefix)
        return bears_prefix(node, want->key);
    const struct lg_str *value = lg_labels_get(node->labels, want->key);
    if (want->absent)
        return value == NULL;
    if (value != NULL && lg_str_eq(*value, want->value))
        return true;
    const struct lg_str *older =
        lg_str_empty(want->older_key) ? NULL : lg_labels_get(node->labels, want->older_key);
    return older != NULL && lg_str_eq(*older, want->value);
}

static bool one_of(const struct lg_expression *e, struct lg_str text)
{
    for (size_t i = 0; i < e->n; i++)
        if (lg_str_eq(e->values[i], text))
            return true;
    return false;
}

bool lg_expression_admits(const struct lg_expression *e, const struct lg_str *has)
{
    int64_t number;
    switch (e->match) {
    case LG_MATCH_IN:
        return has != NULL && one_of(e, *has);
    case LG_MATCH_NOT_IN:
        return has == NULL || !one_of(e, *has);
    case LG_MATCH_EXISTS:
        return has != NULL;
    case LG_MATCH_ABSENT:
        return has == NULL;
    case LG_MATCH_ABOVE:
    case LG_MATCH_BELOW:
        if (has == NULL || lg_num_go_int64(*has, &number) != LG_E_OK)
            return false;
        return e->match == LG_MATCH_ABOVE ? number > e->bound : number < e->bound;
    }
    return false;
}

static bool expression_holds(const struct lg_expression *e, const struct lg_node *node)
{
    return lg_expression_admits(e, e->name ? &node->r.name : lg_labels_get(node->labels, e->key));
}

static bool affinity_holds(const struct lg_requirements *req, const struct lg_node *node)
{
    for (size_t t = 0; t < req->n_terms; t++) {
        size_t i = 0;
        while (i < req->terms[t].n && expression_holds(&req->terms[t].items[i], node))
            i++;
        if (i == req->terms[t].n)
            return true;
    }
    return !req->has_affinity;
}

/* The first (in the table's order) that keeps the guest off: one that lasts, or one that passes. */
static const struct lg_taint *node_taint(const struct lg_requirements *req,
                                         const struct lg_node *node, bool passes)
{
    const struct lg_taint *first = NULL;
    for (uint32_t i = 0; i < node->taints.n; i++) {
        const struct lg_taint *taint = &node->taints.items[i];
        if ((taint->effect != LG_EFFECT_NO_SCHEDULE && taint->effect != LG_EFFECT_NO_EXECUTE) ||
            taint_passes(taint) != passes || lg_tolerated(req->tolerations, taint))
            continue;
        if (first == NULL || lg_nodes_taint_cmp(taint, first) < 0)
            first = taint;
    }
    return first;
}

static const struct lg_want *first_missing(const struct lg_want *wants, size_t n,
                                           const struct lg_node *node)
{
    for (size_t i = 0; i < n; i++)
        if (!wants[i].replaced && !node_bears(node, &wants[i]))
            return &wants[i];
    return NULL;
}

static const struct lg_barrier *node_barrier(const struct lg_requirements *req,
                                             const struct lg_node *node)
{
    for (size_t i = 0; i < req->n_barriers; i++) {
        size_t slot;
        if (lg_nodes_get(req->barriers[i].nodes, node->r.name, &slot) != NULL &&
            (req->barriers[i].blocked[slot / WORD_BITS] >> (slot % WORD_BITS) & 1) != 0)
            return &req->barriers[i];
    }
    return NULL;
}

/* False: nothing excludes it for good. */
static bool node_excluded(const struct lg_requirements *req, const struct lg_node *node,
                          struct lg_place_reason *ret)
{
    *ret = (struct lg_place_reason){.kind = LG_REASON_SOURCE};
    if (!lg_str_empty(req->source) && lg_str_eq(node->r.name, req->source))
        return true;
    ret->kind = LG_REASON_USER_LABEL;
    if ((ret->want = first_missing(req->user, req->n_user, node)) != NULL)
        return true;
    ret->kind = LG_REASON_AFFINITY;
    if (!affinity_holds(req, node))
        return true;
    ret->kind = LG_REASON_TAINT;
    if ((ret->taint = node_taint(req, node, false)) != NULL)
        return true;
    ret->kind = LG_REASON_NO_SCHEDULABLE_LABEL;
    if (req->needs_schedulable && lg_labels_get(node->labels, LG_STR(LG_LABEL_SCHEDULABLE)) == NULL)
        return true;
    ret->kind = LG_REASON_ADDED_LABEL;
    if ((ret->want = first_missing(req->added, req->n_added, node)) != NULL)
        return true;
    if ((ret->barrier = node_barrier(req, node)) == NULL)
        return false;
    ret->kind = ret->barrier->kind;
    return true;
}

static bool node_away(const struct lg_requirements *req, const struct lg_node *node,
                      struct lg_place_reason *ret)
{
    *ret = (struct lg_place_reason){.kind = LG_REASON_CORDONED};
    if (node->unschedulable && !req->tolerates_cordon)
        return true;
    ret->kind = LG_REASON_NOT_READY;
    if (node->not_ready)
        return true;
    ret->kind = LG_REASON_NOT_SCHEDULABLE;
    if (req->needs_schedulable &&
        !lg_str_is(*lg_labels_get(node->labels, LG_STR(LG_LABEL_SCHEDULABLE)), "true"))
        return true;
    ret->kind = LG_REASON_PASSING_TAINT;
    return (ret->taint = node_taint(req, node, true)) != NULL;
}

enum lg_place lg_placement_explain(const struct lg_requirements *req, const struct lg_node *node,
                                   struct lg_arena *arena, struct lg_str *ret_reason)
{
    struct lg_place_reason reason;
    enum lg_place place = node_excluded(req, node, &reason) ? LG_PLACE_EXCLUDED
                          : node_away(req, node, &reason)   ? LG_PLACE_AWAY
                                                            : LG_PLACE_ELIGIBLE;
    reason.node = node;
    if (place != LG_PLACE_ELIGIBLE && ret_reason != NULL)
        *ret_reason = lg_reason_text(&reason, arena);
    return place;
}

/* --- a node that does not exist yet --- */

static const char HOSTNAME[] = "kubernetes.io/hostname";

/* Its labels are not known, so that any value but a name of its own may be there. */
static bool any_node_could(const struct lg_requirements *req)
{
    for (size_t i = 0; i < req->n_user; i++)
        if (lg_str_is(req->user[i].key, HOSTNAME))
            return false;
    for (size_t t = 0; t < req->n_terms; t++) {
        size_t i = 0;
        while (i < req->terms[t].n &&
               !(req->terms[t].items[i].match == LG_MATCH_IN &&
                 (req->terms[t].items[i].name || lg_str_is(req->terms[t].items[i].key, HOSTNAME))))
            i++;
        if (i == req->terms[t].n)
            return true;
    }
    return !req->has_affinity;
}

bool lg_placement_new_node_could(const struct lg_requirements *req,
                                 const struct lg_elastic *elastic)
{
    if (elastic->mode == LG_ELASTIC_YES)
        return any_node_could(req);
    for (size_t i = 0; elastic->mode == LG_ELASTIC_GROUPS && i < elastic->n_groups; i++) {
        const struct lg_node node = {.labels = elastic->groups[i].labels,
                                     .taints = elastic->groups[i].taints};
        if (first_missing(req->user, req->n_user, &node) == NULL && affinity_holds(req, &node) &&
            node_taint(req, &node, false) == NULL)
            return true;
    }
    return false;
}

/* --- all nodes at once, by bitmaps --- */

struct walk {
    const struct lg_requirements *req;
    const struct lg_node_table *nodes;
    size_t words;
    lg_word *left;         /* not excluded so far */
    lg_word *away;         /* of them: away */
    lg_word *scratch[3];   /* terms so far, this term, this expression */
    size_t by_kubevirt;    /* see struct lg_place_count */
    lg_place_visit *visit; /* NULL = nobody asks for reasons */
    void *arg;
};

static size_t count_bits(const lg_word *words, size_t n)
{
    size_t bits = 0;
    for (size_t i = 0; i < n; i++)
        bits += (size_t)__builtin_popcountll(words[i]);
    return bits;
}

/* Every node that is left and among `nodes` (NULL = none), or not among them, has this reason. */
static void reason_applies(struct walk *w, const struct lg_place_reason *reason,
                           const lg_word *nodes, bool among)
{
    bool away = reason->kind >= LG_REASON_CORDONED;
    lg_word *hit = w->scratch[2], any = 0;
    for (size_t i = 0; i < w->words; i++) {
        lg_word set = nodes != NULL ? nodes[i] : 0;
        hit[i] = w->left[i] & (among ? set : ~set);
        if (away) {
            hit[i] &= ~w->away[i];
            w->away[i] |= hit[i];
        } else {
            w->left[i] &= ~hit[i];
        }
        any |= hit[i];
    }
    if (any != 0 && w->visit != NULL)
        w->visit(w->arg, reason, hit);
}

static void add_label(struct walk *w, struct lg_str key, struct lg_str value, lg_word *io)
{
    const lg_word *nodes = lg_nodes_with_label(w->nodes, key, value);
    for (size_t i = 0; nodes != NULL && i < w->words; i++)
        io[i] |= nodes[i];
}

static void walk_wants(struct walk *w, enum lg_reason_kind kind, const struct lg_want *wants,
                       size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct lg_want *want = &wants[i];
        if (want->replaced)
            continue;
        const lg_word *nodes = want->absent ? lg_nodes_with_key(w->nodes, want->key)
                                            : lg_nodes_with_label(w->nodes, want->key, want->value);
        if (want->prefix) {
            memset(w->scratch[0], 0, w->words * sizeof(lg_word));
            lg_nodes_add_prefix(w->nodes, want->key, w->scratch[0]);
            nodes = w->scratch[0];
        } else if (!lg_str_empty(want->older_key)) {
            memset(w->scratch[0], 0, w->words * sizeof(lg_word));
            add_label(w, want->key, want->value, w->scratch[0]);
            add_label(w, want->older_key, want->value, w->scratch[0]);
            nodes = w->scratch[0];
        }
        reason_applies(w, &(struct lg_place_reason){.kind = kind, .want = want}, nodes,
                       want->absent);
    }
}

/* The nodes of which one of the values is true, or for the other matches: of which the expression
 * holds. */
static void expression_nodes(struct walk *w, const struct lg_expression *e, lg_word *ret)
{
    memset(ret, 0, w->words * sizeof(lg_word));
    const lg_word *nodes = NULL;
    size_t slot;
    switch (e->match) {
    case LG_MATCH_IN:
    case LG_MATCH_NOT_IN:
        for (size_t i = 0; i < e->n; i++) {
            if (!e->name)
                add_label(w, e->key, e->values[i], ret);
            else if (lg_nodes_get(w->nodes, e->values[i], &slot) != NULL)
                ret[slot / WORD_BITS] |= (lg_word)1 << (slot % WORD_BITS);
        }
        return;
    case LG_MATCH_EXISTS:
    case LG_MATCH_ABSENT:
        nodes = lg_nodes_with_key(w->nodes, e->key);
        if (nodes != NULL)
            memcpy(ret, nodes, w->words * sizeof(lg_word));
        return;
    case LG_MATCH_ABOVE:
    case LG_MATCH_BELOW:
        lg_nodes_add_compared(w->nodes, e->key, e->match == LG_MATCH_ABOVE, e->bound, ret);
        return;
    }
}

/* Adds the nodes that are left and match the term. */
static void add_term(struct walk *w, const struct lg_term *term, lg_word *io)
{
    lg_word *both = w->scratch[1], *one = w->scratch[2], any = 1;
    memcpy(both, w->left, w->words * sizeof(lg_word));
    for (size_t t = 0; t < term->n && any != 0; t++) {
        const struct lg_expression *e = &term->items[t];
        bool among = e->match != LG_MATCH_NOT_IN && e->match != LG_MATCH_ABSENT;
        expression_nodes(w, e, one);
        any = 0;
        for (size_t i = 0; i < w->words; i++)
            any |= both[i] &= among ? one[i] : ~one[i];
    }
    for (size_t i = 0; i < w->words; i++)
        io[i] |= both[i];
}

static void walk_affinity(struct walk *w)
{
    if (!w->req->has_affinity)
        return;
    struct lg_affinity_nodes *known = w->req->affinity_nodes;
    if (known->of != w->nodes) {
        known->of = w->nodes;
        known->words = lg_arena_array(known->arena, w->words, sizeof(lg_word));
        for (size_t t = 0; t < w->req->n_terms; t++)
            add_term(w, &w->req->terms[t], known->words);
    }
    reason_applies(w, &(struct lg_place_reason){.kind = LG_REASON_AFFINITY}, known->words, false);
}

static void walk_taints(struct walk *w, bool passes)
{
    const struct lg_taint *taint;
    const lg_word *nodes;
    size_t pos = 0;
    while (lg_nodes_next_taint(w->nodes, &pos, &taint, &nodes)) {
        if (taint_passes(taint) != passes || lg_tolerated(w->req->tolerations, taint))
            continue;
        struct lg_place_reason reason = {.kind = passes ? LG_REASON_PASSING_TAINT : LG_REASON_TAINT,
                                         .taint = taint};
        reason_applies(w, &reason, nodes, true);
    }
}

static void walk_source(struct walk *w)
{
    size_t slot;
    if (lg_str_empty(w->req->source) || lg_nodes_get(w->nodes, w->req->source, &slot) == NULL)
        return;
    memset(w->scratch[0], 0, w->words * sizeof(lg_word));
    w->scratch[0][slot / WORD_BITS] = (lg_word)1 << (slot % WORD_BITS);
    reason_applies(w, &(struct lg_place_reason){.kind = LG_REASON_SOURCE}, w->scratch[0], true);
}

/* In the order of enum lg_reason_kind, as node_excluded and node_away go. */
static void walk_reasons(struct walk *w)
{
    const struct lg_requirements *req = w->req;
    struct lg_str schedulable = LG_STR(LG_LABEL_SCHEDULABLE);
    walk_source(w);
    walk_wants(w, LG_REASON_USER_LABEL, req->user, req->n_user);
    walk_affinity(w);
    walk_taints(w, false);
    if (req->needs_schedulable)
        reason_applies(w, &(struct lg_place_reason){.kind = LG_REASON_NO_SCHEDULABLE_LABEL},
                       lg_nodes_with_key(w->nodes, schedulable), false);
    w->by_kubevirt = count_bits(w->left, w->words);
    walk_wants(w, LG_REASON_ADDED_LABEL, req->added, req->n_added);
    w->by_kubevirt -= count_bits(w->left, w->words);
    for (size_t i = 0; i < req->n_barriers; i++)
        reason_applies(
            w,
            &(struct lg_place_reason){.kind = req->barriers[i].kind, .barrier = &req->barriers[i]},
            req->barriers[i].blocked, true);
    if (!req->tolerates_cordon)
        reason_applies(w, &(struct lg_place_reason){.kind = LG_REASON_CORDONED},
                       lg_nodes_cordoned(w->nodes), true);
    reason_applies(w, &(struct lg_place_reason){.kind = LG_REASON_NOT_READY},
                   lg_nodes_not_ready(w->nodes), true);
    if (req->needs_schedulable)
        reason_applies(w, &(struct lg_place_reason){.kind = LG_REASON_NOT_SCHEDULABLE},
                       lg_nodes_with_label(w->nodes, schedulable, LG_STR("true")), false);
    walk_taints(w, true);
}

struct lg_place_count lg_placement_walk(const struct lg_requirements *req,
                                        const struct lg_node_table *nodes, lg_place_visit *visit,
                                        void *arg)
{
    size_t words = lg_nodes_words(nodes);
    const lg_word *all = lg_nodes_all(nodes);
    if (all == NULL)
        return (struct lg_place_count){0};
    lg_word *memory lg_cleanup(lg_free_cleanup) = lg_calloc(5 * words, sizeof(lg_word));
    struct walk w = {
        .req = req,
        .nodes = nodes,
        .words = words,
        .left = memory,
        .away = memory + words,
        .scratch = {memory + 2 * words, memory + 3 * words, memory + 4 * words},
        .visit = visit,
        .arg = arg,
    };
    memcpy(w.left, all, words * sizeof(lg_word));
    walk_reasons(&w);
    struct lg_place_count count = {.away = count_bits(w.away, words), .by_kubevirt = w.by_kubevirt};
    size_t left = count_bits(w.left, words);
    count.eligible = left - count.away;
    count.excluded = lg_nodes_count(nodes) - left;
    if (visit != NULL && count.eligible > 0) {
        for (size_t i = 0; i < words; i++)
            w.left[i] &= ~w.away[i];
        visit(arg, NULL, w.left);
    }
    return count;
}

void lg_placement_add_matching(struct lg_val required, const struct lg_node_table *nodes,
                               struct lg_arena *arena, lg_word *io_nodes)
{
    size_t words = lg_nodes_words(nodes), n;
    const lg_word *all = lg_nodes_all(nodes);
    const struct lg_term *terms = lg_terms_read(required, arena, &n);
    if (all == NULL)
        return;
    lg_word *memory = lg_arena_array(arena, 3 * words, sizeof(lg_word));
    struct walk w = {.nodes = nodes,
                     .words = words,
                     .left = memory,
                     .scratch = {NULL, memory + words, memory + 2 * words}};
    memcpy(w.left, all, words * sizeof(lg_word));
    for (size_t i = 0; i < n; i++)
        add_term(&w, &terms[i], io_nodes);
}

struct lg_str lg_placement_source(const struct lg_requirements *req)
{
    return req->source;
}

size_t lg_placement_bits(const lg_word *nodes, const struct lg_node_table *table)
{
    return count_bits(nodes, lg_nodes_words(table));
}

struct lg_place_count lg_placement_count(const struct lg_requirements *req,
                                         const struct lg_node_table *nodes)
{
    return lg_placement_walk(req, nodes, NULL, NULL);
}
