#include "rules/virt/separation.h"

#include "rules/core/map.h"
#include "rules/core/mem.h"
#include "rules/kube/meta.h"
#include "rules/virt/pod_terms.h"

enum {
    WORD_BITS = 64,
    TEXTS_MAX = 64,
    TEXT_BYTES_MAX = 256 * 1024,
    KEYS_MAX = 16,
    RESERVED_MAX = 16, /* claims of one guest */
};

struct search {
    const struct lg_separation_input *in;
    struct lg_arena *arena;
    struct lg_separation *ret;
    struct lg_pod self;
    struct lg_barrier *barriers;
    struct lg_str *outside;
    size_t visits;
    size_t words;
};

static bool all_select(struct search *s, struct lg_pod_terms terms, const struct lg_pod *pod)
{
    return lg_pod_terms_select(terms, pod) &&
           lg_pod_terms_take(terms, pod->ns, &s->in->guests, &s->ret->unknown_ns);
}

/* --- where guests are --- */

/* Nodes of guests, each with the first of its guests by name. */
struct found {
    lg_word *nodes;
    const struct lg_vmi_record **who; /* by slot */
    size_t n;
};

static struct found found_new(const struct search *s)
{
    return (struct found){
        .nodes = lg_arena_array(s->arena, s->words + 1, sizeof(lg_word)),
        .who = lg_arena_array(s->arena, s->words * WORD_BITS + 1, sizeof(struct lg_vmi_record *))};
}

static bool is_self(const struct search *s, const struct lg_vmi_record *guest)
{
    return lg_str_eq(guest->r.name, s->self.name) && lg_str_eq(guest->r.ns, s->self.ns);
}

static bool in_the_way(const struct search *s, const struct lg_vmi_record *guest)
{
    if (lg_str_is(guest->phase, "Succeeded") || lg_str_is(guest->phase, "Failed"))
        return false;
    return s->in->moves || !is_self(s, guest);
}

static void found_add(const struct search *s, const struct lg_vmi_record *guest, struct found *io)
{
    size_t slot;
    if (lg_nodes_get(s->in->nodes, guest->node, &slot) == NULL)
        return;
    io->nodes[slot / WORD_BITS] |= (lg_word)1 << (slot % WORD_BITS);
    if (io->who[slot] == NULL ||
        lg_str_cmp(lg_record_key(&guest->r), lg_record_key(&io->who[slot]->r)) < 0)
        io->who[slot] = guest;
    io->n++;
}

/* What the terms say of the namespace is worked out once for all its guests. */
static void find_in(struct search *s, struct lg_pod_terms terms, struct lg_str ns, struct found *io)
{
    const struct lg_vmi_record *guest;
    size_t pos = 0;
    if (!lg_pod_terms_take(terms, ns, &s->in->guests, &s->ret->unknown_ns))
        return;
    while (s->visits < LG_SEPARATION_VISITS_MAX &&
           (guest = s->in->guests.next_guest(s->in->guests.arg, ns, &pos)) != NULL) {
        const struct lg_pod pod = lg_pod_of(guest);
        s->visits++;
        if (in_the_way(s, guest) && lg_pod_terms_select(terms, &pod))
            found_add(s, guest, io);
    }
}

/* The guests that all the terms select. */
static struct found find(struct search *s, struct lg_pod_terms terms)
{
    struct found found = found_new(s);
    const struct lg_pod_term *first = &terms.items[0];
    if (lg_pod_term_is_own(first)) {
        find_in(s, terms, first->owner_ns, &found);
        return found;
    }
    if (!lg_json_there(first->ns_selector)) {
        for (struct lg_json_iter it = lg_json_iter(first->namespaces); lg_json_next(&it);)
            find_in(s, terms, lg_json_str(it.val), &found);
        return found;
    }
    struct lg_str ns;
    for (size_t pos = 0; s->in->guests.next_namespace(s->in->guests.arg, &pos, &ns);)
        if (lg_pod_term_takes(first, ns, &s->in->guests, &s->ret->unknown_ns))
            find_in(s, terms, ns, &found);
    return found;
}

/* The places of these nodes: all nodes that have the same value of the label. */
static lg_word *places_of(const struct search *s, const lg_word *nodes, struct lg_str key)
{
    lg_word *places = lg_arena_array(s->arena, s->words + 1, sizeof(lg_word));
    for (size_t w = 0; w < s->words; w++) {
        for (lg_word left = nodes[w] & ~places[w]; left != 0; left &= left - 1) {
            size_t slot = w * WORD_BITS + (size_t)__builtin_ctzll(left);
            const struct lg_str *value =
                lg_labels_get(lg_nodes_at(s->in->nodes, slot)->labels, key);
            const lg_word *place =
                value != NULL ? lg_nodes_with_label(s->in->nodes, key, *value) : NULL;
            for (size_t i = 0; place != NULL && i < s->words; i++)
                places[i] |= place[i];
        }
    }
    return places;
}

/* --- the three kinds of barrier --- */

static void add_barrier(struct search *s, struct lg_barrier barrier)
{
    barrier.nodes = s->in->nodes;
    s->barriers[s->ret->n_barriers++] = barrier;
}

static void add_outside(struct search *s, struct lg_str text)
{
    s->outside[s->ret->n_outside++] = text;
}

/* Each key once: how often it is named changes nothing. */
static void add_key(struct lg_str *keys, size_t *io_n, struct lg_str key)
{
    size_t i = 0;
    while (i < *io_n && !lg_str_eq(keys[i], key))
        i++;
    if (i == *io_n)
        keys[(*io_n)++] = key;
}

static void keep_apart(struct search *s, struct lg_pod_terms terms)
{
    for (size_t i = 0; i < terms.n; i++) {
        const struct lg_pod_term *term = &terms.items[i];
        const struct lg_pod_terms one = {term, 1};
        struct found found = find(s, one);
        if (all_select(s, one, &s->self))
            add_key(s->ret->self_apart, &s->ret->n_self_apart, term->topology_key);
        else if (found.n == 0)
            add_outside(s, lg_arena_printf(s->arena,
                                           "required podAntiAffinity, term %zu, selects no guest "
                                           "here; pods that are no guest's are not looked at",
                                           i + 1));
        if (found.n > 0)
            add_barrier(
                s, (struct lg_barrier){.kind = LG_REASON_APART,
                                       .at = term->at,
                                       .blocked = places_of(s, found.nodes, term->topology_key),
                                       .topology_key = term->topology_key,
                                       .who = found.who});
    }
}

/* Where no guest is found the guest may be the first of its kind, anywhere; or others are meant
 * than guests. */
static void keep_together(struct search *s, struct lg_pod_terms terms, struct lg_val list)
{
    if (terms.n == 0)
        return;
    struct found found = find(s, terms);
    bool self = all_select(s, terms, &s->self);
    for (size_t i = 0; self && i < terms.n; i++)
        add_key(s->ret->self_together, &s->ret->n_self_together, terms.items[i].topology_key);
    if (found.n == 0) {
        if (!self)
            add_outside(s, LG_STR("required podAffinity selects no guest here; pods that are no "
                                  "guest's are not looked at"));
        return;
    }
    lg_word *blocked = lg_arena_array(s->arena, s->words + 1, sizeof(lg_word));
    for (size_t i = 0; i < terms.n; i++) {
        const lg_word *places = places_of(s, found.nodes, terms.items[i].topology_key);
        for (size_t w = 0; w < s->words; w++)
            blocked[w] |= ~places[w];
    }
    add_barrier(
        s, (struct lg_barrier){.kind = LG_REASON_NOT_TOGETHER, .at = list, .blocked = blocked});
}

/* --- guests that keep this one off --- */

/* The terms of a keeper, as text, and the topologyKeys of those that select the guest. Most keepers
 * have their terms from one template. */
struct seen {
    struct lg_str ns, text;
    struct lg_str *keys;
    size_t n_keys;
};

struct keepers {
    struct seen seen[TEXTS_MAX];
    size_t n_seen, bytes; /* of their texts */
    struct {
        struct lg_str key;
        struct found found;
    } by_key[KEYS_MAX];
    size_t n_keys;
    bool cut;
};

static struct seen seen_new(struct search *s, const struct lg_vmi_record *keeper)
{
    const struct lg_pod owner = lg_pod_of(keeper);
    struct seen seen = {.ns = keeper->r.ns, .text = keeper->apart};
    struct lg_val list;
    if (lg_meta_parse(s->arena, keeper->apart, &list, NULL) != LG_E_OK)
        return seen;
    struct lg_pod_terms terms = lg_pod_terms_read(list, &owner, s->arena);
    seen.keys = lg_arena_array(s->arena, terms.n, sizeof(struct lg_str));
    for (size_t i = 0; i < terms.n; i++) {
        const struct lg_pod_terms one = {&terms.items[i], 1};
        if (all_select(s, one, &s->self))
            seen.keys[seen.n_keys++] = terms.items[i].topology_key;
    }
    return seen;
}

/* matchLabelKeys hang on the keeper's own labels: such a text is read for each. NULL: too many
 * texts. */
static const struct seen *seen_of(struct search *s, struct keepers *k,
                                  const struct lg_vmi_record *keeper)
{
    bool own = memmem(keeper->apart.p, keeper->apart.n, "atchLabelKeys", 13) != NULL;
    for (size_t i = 0; i < k->n_seen && !own; i++)
        if (lg_str_eq(k->seen[i].text, keeper->apart) && lg_str_eq(k->seen[i].ns, keeper->r.ns))
            return &k->seen[i];
    k->bytes += keeper->apart.n;
    if (k->n_seen == TEXTS_MAX || k->bytes > TEXT_BYTES_MAX)
        return NULL;
    k->seen[k->n_seen] = seen_new(s, keeper);
    return &k->seen[k->n_seen++];
}

static void keeper_add(const struct search *s, struct keepers *k, struct lg_str key,
                       const struct lg_vmi_record *keeper)
{
    size_t i = 0;
    while (i < k->n_keys && !lg_str_eq(k->by_key[i].key, key))
        i++;
    if (i == KEYS_MAX) {
        k->cut = true;
        return;
    }
    if (i == k->n_keys) {
        k->by_key[i].key = key;
        k->by_key[i].found = found_new(s);
        k->n_keys++;
    }
    found_add(s, keeper, &k->by_key[i].found);
}

static void keepers_of(struct search *s, struct lg_str ns, struct keepers *k)
{
    const struct lg_vmi_record *keeper;
    size_t pos = 0;
    while (!k->cut && s->visits < LG_SEPARATION_VISITS_MAX &&
           (keeper = s->in->guests.next_keeper(s->in->guests.arg, ns, &pos)) != NULL) {
        s->visits++;
        if (!in_the_way(s, keeper) || is_self(s, keeper))
            continue; /* its own terms were judged as its own */
        const struct seen *seen = seen_of(s, k, keeper);
        k->cut = seen == NULL;
        for (size_t i = 0; seen != NULL && i < seen->n_keys; i++)
            keeper_add(s, k, seen->keys[i], keeper);
    }
}

static void keep_off(struct search *s)
{
    struct keepers *k = lg_arena_alloc(s->arena, sizeof(*k));
    keepers_of(s, s->self.ns, k);
    keepers_of(s, LG_STR(""), k);
    for (size_t i = 0; i < k->n_keys; i++)
        add_barrier(s, (struct lg_barrier){
                           .kind = LG_REASON_KEPT_OFF,
                           .blocked = places_of(s, k->by_key[i].found.nodes, k->by_key[i].key),
                           .topology_key = k->by_key[i].key,
                           .who = k->by_key[i].found.who});
    if (k->cut)
        add_outside(s, LG_STR("not every guest's own required podAntiAffinity was looked at: "
                              "there are too many different ones"));
}

/* --- guests that hold a reservation on the same claim --- */

/* A claim that the guest has as a LUN with a persistent reservation. */
struct reserved {
    struct lg_val at; /* its name, in the volume */
    struct lg_str claim;
};

static size_t read_reserved(const struct lg_separation_input *in, struct reserved *ret)
{
    struct lg_map names lg_cleanup(lg_map_done) = {0};
    struct lg_val disks = lg_json_at(in->vmi_spec, "domain.devices.disks");
    struct lg_val volumes = lg_json_get(in->vmi_spec, "volumes");
    size_t n = 0;
    for (struct lg_json_iter it = lg_json_iter(disks); in->reservations && lg_json_next(&it);) {
        struct lg_str name = lg_json_str_at(it.val, "name");
        if (!lg_str_empty(name) && lg_json_bool(lg_json_at(it.val, "lun.reservation"), false))
            (void)lg_map_set(&names, name, ret);
    }
    if (names.used == 0)
        return 0;
    for (struct lg_json_iter it = lg_json_iter(volumes); n <= RESERVED_MAX && lg_json_next(&it);) {
        struct lg_str name = lg_json_str_at(it.val, "name");
        struct lg_val at = lg_json_at(it.val, "persistentVolumeClaim.claimName");
        at = lg_json_there(at) ? at : lg_json_at(it.val, "dataVolume.name");
        if (!lg_str_empty(name) && !lg_str_empty(lg_json_str(at)) &&
            lg_map_get(&names, name) != NULL)
            ret[n++] = (struct reserved){at, lg_json_str(at)};
    }
    return n;
}

static void keep_reserved(struct search *s, const struct reserved *reserved)
{
    static const struct lg_str by_node = LG_STR("kubernetes.io/hostname");
    struct found found = found_new(s);
    const struct lg_vmi_record *guest;
    for (size_t pos = 0; s->visits < LG_SEPARATION_VISITS_MAX &&
                         (guest = s->in->guests.next_holder(s->in->guests.arg, s->in->ns,
                                                            reserved->claim, &pos)) != NULL;) {
        s->visits++;
        if (in_the_way(s, guest) && !is_self(s, guest))
            found_add(s, guest, &found);
    }
    if (found.n > 0)
        add_barrier(s, (struct lg_barrier){.kind = LG_REASON_RESERVED,
                                           .at = reserved->at,
                                           .blocked = places_of(s, found.nodes, by_node),
                                           .topology_key = by_node,
                                           .who = found.who});
}

static void keep_all_reserved(struct search *s, const struct reserved *reserved, size_t n)
{
    for (size_t i = 0; i < n && i < RESERVED_MAX; i++)
        keep_reserved(s, &reserved[i]);
    if (n > RESERVED_MAX)
        add_outside(s, LG_STR("not every claim with a persistent reservation was looked at"));
}

/* --- the whole --- */

static bool nobody_keeps_off(const struct lg_separation_input *in)
{
    size_t own = 0, named = 0;
    return in->guests.next_keeper(in->guests.arg, in->ns, &own) == NULL &&
           in->guests.next_keeper(in->guests.arg, LG_STR(""), &named) == NULL;
}

const struct lg_separation *lg_separation_read(const struct lg_separation_input *in,
                                               struct lg_arena *arena)
{
    static const char required[] = "requiredDuringSchedulingIgnoredDuringExecution";
    struct lg_val affinity = lg_json_get(in->vmi_spec, "affinity");
    struct lg_val apart = lg_json_get(lg_json_get(affinity, "podAntiAffinity"), required);
    struct lg_val together = lg_json_get(lg_json_get(affinity, "podAffinity"), required);
    bool spread = lg_json_len(lg_json_get(in->vmi_spec, "topologySpreadConstraints")) > 0;
    struct reserved reserved[RESERVED_MAX + 1];
    size_t n_reserved = read_reserved(in, reserved);
    if (lg_json_len(apart) == 0 && lg_json_len(together) == 0 && !spread && n_reserved == 0 &&
        nobody_keeps_off(in))
        return NULL;
    struct search s = {.in = in,
                       .arena = arena,
                       .ret = lg_arena_alloc(arena, sizeof(struct lg_separation)),
                       .self = {.labels = in->labels, .ns = in->ns, .name = in->name},
                       .words = lg_nodes_words(in->nodes)};
    struct lg_pod_terms away = lg_pod_terms_read(apart, &s.self, arena);
    struct lg_pod_terms with = lg_pod_terms_read(together, &s.self, arena);
    s.barriers =
        lg_arena_array(arena, away.n + 1 + KEYS_MAX + RESERVED_MAX, sizeof(struct lg_barrier));
    s.outside = lg_arena_array(arena, away.n + 5, sizeof(struct lg_str));
    keep_apart(&s, away);
    keep_together(&s, with, together);
    keep_off(&s);
    keep_all_reserved(&s, reserved, n_reserved);
    if (spread)
        add_outside(&s, LG_STR("topologySpreadConstraints are not judged"));
    if (lg_json_len(apart) > away.n || lg_json_len(together) > with.n)
        add_outside(&s, LG_STR("not every term of podAffinity and podAntiAffinity was looked at"));
    if (s.visits == LG_SEPARATION_VISITS_MAX)
        add_outside(&s, LG_STR("not every guest was looked at: the terms name too many"));
    s.ret->barriers = s.barriers;
    s.ret->outside = s.outside;
    return s.ret;
}

const struct lg_requirements *lg_requirements_separated(const struct lg_requirements *req,
                                                        const struct lg_separation *separation,
                                                        struct lg_arena *arena)
{
    struct lg_requirements *copy = lg_arena_alloc(arena, sizeof(*copy));
    *copy = *req;
    copy->barriers = separation->barriers;
    copy->n_barriers = separation->n_barriers;
    return copy;
}

const struct lg_requirements *lg_requirements_without_affinity(const struct lg_requirements *req,
                                                               struct lg_arena *arena)
{
    struct lg_requirements *copy = lg_arena_alloc(arena, sizeof(*copy));
    struct lg_barrier *left = lg_arena_array(arena, req->n_barriers, sizeof(*left));
    *copy = *req;
    copy->barriers = left;
    copy->n_barriers = 0;
    for (size_t i = 0; i < req->n_barriers; i++)
        if (req->barriers[i].kind != LG_REASON_NOT_TOGETHER)
            left[copy->n_barriers++] = req->barriers[i];
    return copy;
}

/* How many of `places` (words) are in `among`; NULL = none. */
static size_t count_both(const lg_word *places, const lg_word *among, size_t words)
{
    size_t n = 0;
    for (size_t i = 0; among != NULL && i < words; i++)
        n += (size_t)__builtin_popcountll(places[i] & among[i]);
    return n;
}

/* The nodes that have the label's value in common with this one; NULL: it has no such label. */
static const lg_word *place_around(const struct lg_node_table *nodes, size_t slot,
                                   struct lg_str key)
{
    const struct lg_str *value = lg_labels_get(lg_nodes_at(nodes, slot)->labels, key);
    return value != NULL ? lg_nodes_with_label(nodes, key, *value) : NULL;
}

/* From this node a guest could move to another of `places`. */
static bool has_partner(const struct lg_separation *separation, const lg_word *places,
                        const struct lg_node_table *nodes, size_t slot)
{
    size_t words = lg_nodes_words(nodes), all = count_both(places, places, words);
    for (size_t i = 0; i < separation->n_self_together; i++) {
        const lg_word *place = place_around(nodes, slot, separation->self_together[i]);
        if (count_both(places, place, words) < 2)
            return false;
    }
    for (size_t i = 0; i < separation->n_self_apart; i++) {
        const lg_word *place = place_around(nodes, slot, separation->self_apart[i]);
        if (count_both(places, place, words) == all)
            return false;
    }
    return all > 1;
}

bool lg_separation_leaves_pair(const struct lg_separation *separation, const lg_word *places,
                               const struct lg_node_table *nodes)
{
    for (size_t w = 0; w < lg_nodes_words(nodes); w++)
        for (lg_word left = places[w]; left != 0; left &= left - 1)
            if (has_partner(separation, places, nodes,
                            w * WORD_BITS + (size_t)__builtin_ctzll(left)))
                return true;
    return false;
}
