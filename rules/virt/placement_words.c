#include <stdlib.h>

#include "rules/virt/requirements.h"

enum { NAMES_MAX = 3, GROUPS_MAX = 4, SHOWN_BYTES_MAX = 100, WORD_BITS = 64 };

static const char *cut_mark(struct lg_str text)
{
    return text.n > SHOWN_BYTES_MAX ? "..." : "";
}

#define SHOWN(text) LG_ARG(lg_str_cut(text, SHOWN_BYTES_MAX)), cut_mark(text)

/* key=value:Effect, as kubectl writes it. */
static struct lg_str taint_text(const struct lg_taint *taint, struct lg_arena *arena)
{
    return lg_arena_printf(arena, "%.*s%s%s%.*s%s:%s", SHOWN(taint->key),
                           lg_str_empty(taint->value) ? "" : "=", SHOWN(taint->value),
                           lg_effect_name(taint->effect));
}

static struct lg_str want_text(const struct lg_want *want, struct lg_arena *arena)
{
    if (want->absent)
        return lg_arena_printf(arena, "%.*s%s", SHOWN(want->key));
    if (want->prefix)
        return lg_arena_printf(arena, "%.*s%s*", SHOWN(want->key));
    return lg_arena_printf(arena, "%.*s%s=%.*s%s", SHOWN(want->key), SHOWN(want->value));
}

static const char *origin_text(const struct lg_want *want)
{
    static const char *const texts[] = {
        [LG_WANT_USER] = "",
        [LG_WANT_CLUSTER] = ", which the KubeVirt CR asks for",
        [LG_WANT_KUBEVIRT] = ", which KubeVirt asks for",
        [LG_WANT_SOURCE] = ", which the source node has",
        [LG_WANT_MOVE] = ", which addedNodeSelector asks for",
    };
    return texts[want->origin];
}

/* The guest that blocks the place of this node: the first by name of those that run in it. */
static const struct lg_vmi_record *blocking_guest(const struct lg_barrier *barrier,
                                                  const struct lg_node *node)
{
    const struct lg_str *value = lg_labels_get(node->labels, barrier->topology_key);
    const struct lg_vmi_record *first = NULL;
    for (size_t slot = 0; value != NULL && slot < lg_nodes_slots(barrier->nodes); slot++) {
        const struct lg_vmi_record *guest = barrier->who[slot];
        if (guest == NULL)
            continue;
        const struct lg_str *other =
            lg_labels_get(lg_nodes_at(barrier->nodes, slot)->labels, barrier->topology_key);
        if (other != NULL && lg_str_eq(*other, *value) &&
            (first == NULL || lg_str_cmp(lg_record_key(&guest->r), lg_record_key(&first->r)) < 0))
            first = guest;
    }
    return first;
}

static struct lg_str barrier_text(const struct lg_barrier *barrier, const struct lg_node *node,
                                  struct lg_arena *arena)
{
    if (barrier->kind == LG_REASON_NOT_TOGETHER)
        return LG_STR("none of the guests that podAffinity asks for is here");
    const struct lg_vmi_record *guest = blocking_guest(barrier, node);
    struct lg_str who = guest != NULL ? lg_record_key(&guest->r) : LG_STR("");
    if (barrier->kind == LG_REASON_KEPT_OFF)
        return lg_arena_printf(arena, "VMI %.*s%s keeps it off by its own podAntiAffinity (%.*s%s)",
                               SHOWN(who), SHOWN(barrier->topology_key));
    if (barrier->kind == LG_REASON_RESERVED)
        return lg_arena_printf(arena, "VMI %.*s%s holds a persistent reservation on the same claim",
                               SHOWN(who));
    return lg_arena_printf(arena, "podAntiAffinity keeps it apart from VMI %.*s%s (%.*s%s)",
                           SHOWN(who), SHOWN(barrier->topology_key));
}

/* Of one node. */
struct lg_str lg_reason_text(const struct lg_place_reason *r, struct lg_arena *arena)
{
    switch (r->kind) {
    case LG_REASON_SOURCE:
        return LG_STR("the guest runs here");
    case LG_REASON_USER_LABEL:
    case LG_REASON_ADDED_LABEL: {
        struct lg_str want = want_text(r->want, arena);
        if (r->want->absent)
            return lg_arena_printf(arena, "label %.*s is there, which KubeVirt avoids",
                                   LG_ARG(want));
        return lg_arena_printf(arena, "label %.*s is missing%s", LG_ARG(want),
                               origin_text(r->want));
    }
    case LG_REASON_APART:
    case LG_REASON_NOT_TOGETHER:
    case LG_REASON_KEPT_OFF:
    case LG_REASON_RESERVED:
        return barrier_text(r->barrier, r->node, arena);
    case LG_REASON_AFFINITY:
        return LG_STR("required node affinity does not match");
    case LG_REASON_NO_SCHEDULABLE_LABEL:
        return LG_STR("label " LG_LABEL_SCHEDULABLE " is missing: KubeVirt runs no guests there");
    case LG_REASON_CORDONED:
        return LG_STR("cordoned");
    case LG_REASON_NOT_READY:
        return LG_STR("not ready");
    case LG_REASON_NOT_SCHEDULABLE:
        return LG_STR("label " LG_LABEL_SCHEDULABLE " is not \"true\"");
    case LG_REASON_TAINT:
    case LG_REASON_PASSING_TAINT:
        break;
    }
    return lg_arena_printf(arena, "taint %.*s is not tolerated",
                           LG_ARG(taint_text(r->taint, arena)));
}

/* Of some nodes: "2 lack label zone=a". */
static struct lg_str group_text(const struct lg_place_reason *r, size_t n, struct lg_arena *arena)
{
    bool one = n == 1;
    switch (r->kind) {
    case LG_REASON_SOURCE:
        return LG_STR("1 runs the guest now");
    case LG_REASON_USER_LABEL:
    case LG_REASON_ADDED_LABEL: {
        struct lg_str want = want_text(r->want, arena);
        if (r->want->absent)
            return lg_arena_printf(arena, "%zu %s label %.*s, which KubeVirt avoids", n,
                                   one ? "has" : "have", LG_ARG(want));
        return lg_arena_printf(arena, "%zu %s label %.*s%s", n, one ? "lacks" : "lack",
                               LG_ARG(want), origin_text(r->want));
    }
    case LG_REASON_APART:
        return lg_arena_printf(arena,
                               "%zu %s with a guest that podAntiAffinity keeps it apart from", n,
                               one ? "is a place" : "are places");
    case LG_REASON_NOT_TOGETHER:
        return lg_arena_printf(arena, "%zu %s none of the guests that podAffinity asks for", n,
                               one ? "has" : "have");
    case LG_REASON_KEPT_OFF:
        return lg_arena_printf(arena,
                               "%zu %s with a guest that keeps it off by its own podAntiAffinity",
                               n, one ? "is a place" : "are places");
    case LG_REASON_RESERVED:
        return lg_arena_printf(
            arena, "%zu %s with a guest that holds a persistent reservation on the same claim", n,
            one ? "is a place" : "are places");
    case LG_REASON_AFFINITY:
        return lg_arena_printf(arena, "%zu %s not match the required node affinity", n,
                               one ? "does" : "do");
    case LG_REASON_NO_SCHEDULABLE_LABEL:
        return lg_arena_printf(arena, "%zu %s label " LG_LABEL_SCHEDULABLE, n,
                               one ? "lacks" : "lack");
    case LG_REASON_CORDONED:
        return lg_arena_printf(arena, "%zu %s cordoned", n, one ? "is" : "are");
    case LG_REASON_NOT_READY:
        return lg_arena_printf(arena, "%zu %s not ready", n, one ? "is" : "are");
    case LG_REASON_NOT_SCHEDULABLE:
        return lg_arena_printf(arena, "%zu %s label " LG_LABEL_SCHEDULABLE " not \"true\"", n,
                               one ? "has" : "have");
    case LG_REASON_TAINT:
    case LG_REASON_PASSING_TAINT:
        break;
    }
    return lg_arena_printf(arena, "%zu %s taint %.*s that is not tolerated", n,
                           one ? "has" : "have", LG_ARG(taint_text(r->taint, arena)));
}

/* --- names of many nodes, in order --- */

/* Keeps the first `max` of all names that come by, in order. */
static void keep_first(struct lg_str *io_first, size_t *io_n, size_t max, struct lg_str name)
{
    size_t at = *io_n;
    while (at > 0 && lg_str_cmp(name, io_first[at - 1]) < 0)
        at--;
    if (at == max)
        return;
    if (*io_n < max)
        (*io_n)++;
    memmove(io_first + at + 1, io_first + at, (*io_n - at - 1) * sizeof(struct lg_str));
    io_first[at] = name;
}

/* "a, b, c and 2 more" */
struct lg_str lg_placement_bit_names(const lg_word *nodes, const struct lg_node_table *table,
                                     size_t max, struct lg_arena *arena)
{
    struct lg_str *first = lg_arena_array(arena, max, sizeof(struct lg_str)), text = LG_STR("");
    size_t n = 0, all = 0;
    for (size_t i = 0; i < lg_nodes_words(table); i++) {
        for (lg_word left = nodes[i]; left != 0; left &= left - 1) {
            size_t slot = i * WORD_BITS + (size_t)__builtin_ctzll(left);
            keep_first(first, &n, max, lg_nodes_at(table, slot)->r.name);
            all++;
        }
    }
    for (size_t i = 0; i < n; i++)
        text = lg_arena_printf(arena, "%.*s%s%.*s%s", LG_ARG(text), i > 0 ? ", " : "",
                               SHOWN(first[i]));
    if (all > n)
        text = lg_arena_printf(arena, "%.*s and %zu more", LG_ARG(text), all - n);
    return text;
}

struct name_search {
    const struct lg_node_table *nodes;
    enum lg_place place;
    lg_word *found;
};

static enum lg_place place_of(const struct lg_place_reason *reason)
{
    if (reason == NULL)
        return LG_PLACE_ELIGIBLE;
    return reason->kind >= LG_REASON_CORDONED ? LG_PLACE_AWAY : LG_PLACE_EXCLUDED;
}

static void visit_names(void *arg, const struct lg_place_reason *reason, const lg_word *nodes)
{
    struct name_search *search = arg;
    if (place_of(reason) != search->place)
        return;
    for (size_t i = 0; i < lg_nodes_words(search->nodes); i++)
        search->found[i] |= nodes[i];
}

static void visit_places(void *arg, const struct lg_place_reason *reason, const lg_word *nodes)
{
    struct name_search *search = arg;
    for (size_t i = 0; place_of(reason) != LG_PLACE_EXCLUDED && i < lg_nodes_words(search->nodes);
         i++)
        search->found[i] |= nodes[i];
}

struct lg_place_count lg_placement_places(const struct lg_requirements *req,
                                          const struct lg_node_table *nodes, lg_word *io_places)
{
    struct name_search search = {.nodes = nodes};
    search.found = io_places;
    return lg_placement_walk(req, nodes, visit_places, &search);
}

struct lg_str lg_placement_names(const struct lg_requirements *req,
                                 const struct lg_node_table *nodes, enum lg_place place, size_t max,
                                 struct lg_arena *arena)
{
    struct name_search search = {nodes, place,
                                 lg_arena_array(arena, lg_nodes_words(nodes), sizeof(lg_word))};
    lg_placement_walk(req, nodes, visit_names, &search);
    return lg_placement_bit_names(search.found, nodes, max, arena);
}

/* --- the summary --- */

struct group {
    struct lg_place_reason reason;
    size_t n;
    struct lg_str text;
};

struct summary {
    const struct lg_node_table *nodes;
    struct lg_arena *arena;
    struct group *groups; /* one a reason that some node has: no more than nodes */
    size_t n;
};

static void visit_group(void *arg, const struct lg_place_reason *reason, const lg_word *nodes)
{
    struct summary *s = arg;
    if (reason == NULL)
        return;
    struct group *group = &s->groups[s->n++];
    group->reason = *reason;
    for (size_t i = 0; i < lg_nodes_words(s->nodes); i++)
        group->n += (size_t)__builtin_popcountll(nodes[i]);
    group->text =
        lg_arena_printf(s->arena, "%.*s (%.*s)", LG_ARG(group_text(reason, group->n, s->arena)),
                        LG_ARG(lg_placement_bit_names(nodes, s->nodes, NAMES_MAX, s->arena)));
}

static int by_size(const void *a, const void *b)
{
    const struct group *left = a, *right = b;
    if (left->n != right->n)
        return left->n > right->n ? -1 : 1;
    if (left->reason.kind != right->reason.kind)
        return left->reason.kind < right->reason.kind ? -1 : 1;
    return lg_str_cmp(left->text, right->text);
}

static struct lg_str groups_text(const struct summary *s, enum lg_place place)
{
    struct lg_str text = LG_STR("");
    size_t shown = 0, others = 0;
    for (size_t i = 0; i < s->n; i++) {
        const struct group *group = &s->groups[i];
        if (place_of(&group->reason) != place)
            continue;
        if (shown == GROUPS_MAX) {
            others += group->n;
            continue;
        }
        text = lg_arena_printf(s->arena, "%.*s%s%.*s", LG_ARG(text), shown++ > 0 ? ", " : "",
                               LG_ARG(group->text));
    }
    if (others > 0)
        text = lg_arena_printf(s->arena, "%.*s, %zu more for other reasons", LG_ARG(text), others);
    return text;
}

static struct lg_val where_written(const struct lg_requirements *req,
                                   const struct lg_place_reason *reason)
{
    switch (reason->kind) {
    case LG_REASON_USER_LABEL:
        return lg_json_get_str(req->node_selector, reason->want->key);
    case LG_REASON_AFFINITY:
        return req->affinity;
    case LG_REASON_TAINT:
        return req->tolerations_at;
    case LG_REASON_ADDED_LABEL:
        if (reason->want->origin == LG_WANT_MOVE)
            return lg_json_get_str(req->added_selector, reason->want->key);
        return LG_NONE;
    case LG_REASON_APART:
    case LG_REASON_RESERVED:
    case LG_REASON_NOT_TOGETHER:
        return reason->barrier->at;
    default:
        return LG_NONE;
    }
}

void lg_placement_summary(const struct lg_requirements *req, const struct lg_node_table *nodes,
                          struct lg_arena *arena, struct lg_place_summary *ret)
{
    struct summary s = {.nodes = nodes, .arena = arena};
    s.groups = lg_arena_array(arena, lg_nodes_count(nodes), sizeof(struct group));
    lg_placement_walk(req, nodes, visit_group, &s);
    qsort(s.groups, s.n, sizeof(struct group), by_size);
    *ret = (struct lg_place_summary){.excluded = groups_text(&s, LG_PLACE_EXCLUDED),
                                     .away = groups_text(&s, LG_PLACE_AWAY)};
    size_t first = 0;
    while (first < s.n && place_of(&s.groups[first].reason) != LG_PLACE_EXCLUDED)
        first++;
    if (first < s.n)
        ret->at = where_written(req, &s.groups[first].reason);
}
