#include "rules/virt/pod_terms.h"

#include <stdlib.h>

/* KubeVirt's own labels come over those of the VMI. */
static const struct lg_str *pod_label(const struct lg_pod *pod, struct lg_str key)
{
    static const struct lg_str launcher = LG_STR("virt-launcher");
    if (lg_str_is(key, "kubevirt.io"))
        return &launcher;
    if (lg_str_is(key, "vm.kubevirt.io/name") && !lg_str_empty(pod->name))
        return &pod->name;
    if (lg_str_is(key, "kubevirt.io/created-by") && !lg_str_empty(pod->uid))
        return &pod->uid;
    return lg_labels_get(pod->labels, key);
}

/* matchLabelKeys and mismatchLabelKeys: what the owner's pod bears, selected or avoided. */
static size_t own_values(struct lg_val keys, enum lg_match match, const struct lg_pod *owner,
                         struct lg_arena *arena, struct lg_expression *ret)
{
    size_t n = 0;
    for (struct lg_json_iter it = lg_json_iter(keys); lg_json_next(&it);) {
        const struct lg_str *value = pod_label(owner, lg_json_str(it.val));
        if (value == NULL)
            continue;
        struct lg_str *copy = lg_arena_alloc(arena, sizeof(*copy));
        *copy = *value;
        ret[n++] = (struct lg_expression){
            .match = match, .key = lg_json_str(it.val), .values = copy, .n = 1};
    }
    return n;
}

static int by_text(const void *a, const void *b)
{
    return lg_str_cmp(*(const struct lg_str *)a, *(const struct lg_str *)b);
}

static struct lg_pod_term term_read(struct lg_val term, const struct lg_pod *owner,
                                    struct lg_arena *arena)
{
    struct lg_val selector = lg_json_get(term, "labelSelector");
    struct lg_val list = lg_json_get(selector, "matchExpressions");
    struct lg_val same = lg_json_get(term, "matchLabelKeys");
    struct lg_val other = lg_json_get(term, "mismatchLabelKeys");
    struct lg_labels labels = lg_labels_read(lg_json_get(selector, "matchLabels"), arena);
    struct lg_pod_term ret = {.at = term,
                              .topology_key = lg_json_str_at(term, "topologyKey"),
                              .owner_ns = owner->ns,
                              .nothing = !lg_json_there(selector),
                              .namespaces = lg_json_get(term, "namespaces"),
                              .ns_selector = lg_json_get(term, "namespaceSelector")};
    size_t room = labels.n + lg_json_len(list) + lg_json_len(same) + lg_json_len(other);
    struct lg_expression *items = lg_arena_array(arena, room, sizeof(*items));
    for (uint32_t i = 0; i < labels.n; i++) {
        struct lg_str *value = lg_arena_alloc(arena, sizeof(*value));
        *value = labels.items[i].value;
        items[ret.n++] = (struct lg_expression){
            .match = LG_MATCH_IN, .key = labels.items[i].key, .values = value, .n = 1};
    }
    for (struct lg_json_iter it = lg_json_iter(list); lg_json_next(&it);) {
        bool any;
        bool read = lg_expression_read(it.val, false, arena, &items[ret.n], &any);
        ret.nothing = ret.nothing || !read || items[ret.n].match == LG_MATCH_ABOVE ||
                      items[ret.n].match == LG_MATCH_BELOW;
        if (!read)
            continue;
        qsort(items[ret.n].values, items[ret.n].n, sizeof(struct lg_str), by_text);
        ret.n++;
    }
    ret.n += own_values(same, LG_MATCH_IN, owner, arena, &items[ret.n]);
    ret.n += own_values(other, LG_MATCH_NOT_IN, owner, arena, &items[ret.n]);
    ret.items = items;
    return ret;
}

struct lg_pod_terms lg_pod_terms_read(struct lg_val list, const struct lg_pod *owner,
                                      struct lg_arena *arena)
{
    size_t room = lg_json_len(list);
    if (room > LG_SEPARATION_TERMS_MAX)
        room = LG_SEPARATION_TERMS_MAX;
    struct lg_pod_term *items = lg_arena_array(arena, room, sizeof(*items));
    size_t n = 0;
    for (struct lg_json_iter it = lg_json_iter(list); n < room && lg_json_next(&it);)
        items[n++] = term_read(it.val, owner, arena);
    return (struct lg_pod_terms){items, n};
}

/* --- matching --- */

bool lg_pod_term_is_own(const struct lg_pod_term *term)
{
    return lg_json_len(term->namespaces) == 0 && !lg_json_there(term->ns_selector);
}

bool lg_pod_term_takes(const struct lg_pod_term *term, struct lg_str ns,
                       const struct lg_guests_view *guests, struct lg_str *io_unknown_ns)
{
    if (lg_pod_term_is_own(term))
        return lg_str_eq(term->owner_ns, ns);
    for (struct lg_json_iter it = lg_json_iter(term->namespaces); lg_json_next(&it);)
        if (lg_str_eq(lg_json_str(it.val), ns))
            return true;
    if (!lg_json_there(term->ns_selector))
        return false;
    if (lg_json_len(term->ns_selector) == 0)
        return true;
    const struct lg_namespace *record = NULL;
    if (guests->namespace_of(guests->arg, ns, &record) == LG_UNKNOWN)
        *io_unknown_ns = ns;
    return record != NULL && lg_selector_matches(term->ns_selector, record->labels);
}

/* Lists of values are as long as their author makes them, and are held against every guest: they
 * were sorted once. */
static bool admits(const struct lg_expression *e, const struct lg_str *has)
{
    if (has == NULL || (e->match != LG_MATCH_IN && e->match != LG_MATCH_NOT_IN))
        return lg_expression_admits(e, has);
    bool in = e->n > 0 && bsearch(has, e->values, e->n, sizeof(*has), by_text) != NULL;
    return in == (e->match == LG_MATCH_IN);
}

static bool selects(const struct lg_pod_term *term, const struct lg_pod *pod)
{
    for (size_t i = 0; i < term->n; i++)
        if (!admits(&term->items[i], pod_label(pod, term->items[i].key)))
            return false;
    return !term->nothing;
}

bool lg_pod_terms_take(struct lg_pod_terms terms, struct lg_str ns,
                       const struct lg_guests_view *guests, struct lg_str *io_unknown_ns)
{
    for (size_t i = 0; i < terms.n; i++)
        if (!lg_pod_term_takes(&terms.items[i], ns, guests, io_unknown_ns))
            return false;
    return true;
}

bool lg_pod_terms_select(struct lg_pod_terms terms, const struct lg_pod *pod)
{
    for (size_t i = 0; i < terms.n; i++)
        if (!selects(&terms.items[i], pod))
            return false;
    return true;
}

struct lg_pod lg_pod_of(const struct lg_vmi_record *guest)
{
    return (struct lg_pod){
        .labels = guest->labels, .ns = guest->r.ns, .name = guest->r.name, .uid = guest->r.uid};
}
