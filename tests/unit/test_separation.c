/* Guests kept apart and together: the answer by bitmaps is held against one worked out guest by
 * guest, over a cluster that changes as a watch would change it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rules/core/mem.h"
#include "rules/inventory.h"
#include "tests/support/objects.h"

enum { NODES = 70, GUESTS = 40, TERMS = 3, NAMESPACES = 3, ROUNDS = 600 };

static const char *const namespaces[NAMESPACES] = {"a", "b", "c"};
static const char *const teams[NAMESPACES] = {"red", "blue", "red"};
static const char *const zones[] = {"z1", "z2", "z3", NULL};
static const char *const apps[] = {"x", "y", NULL};
static const char *const tiers[] = {"1", "2", NULL};

enum tier_ask { TIER_ANY, TIER_IN, TIER_NOT_IN, TIER_EXISTS, TIER_ABSENT, TIER_ASKS };
enum ns_ask { NS_OWN, NS_LIST, NS_ALL, NS_TEAM, NS_ASKS };

struct term {
    const char *app; /* matchLabels */
    enum tier_ask tier;
    enum ns_ask ns;
    int named;      /* NS_LIST: this namespace */
    bool same_tier; /* matchLabelKeys: [tier] */
    bool other_app; /* mismatchLabelKeys: [app] */
    bool no_selector;
    bool by_zone;
};

struct pod {
    int ns;
    const char *app, *tier;
    char name[16];
    struct term apart[TERMS], together[TERMS];
    size_t n_apart, n_together;
};

struct guest {
    bool there, over;
    int node; /* -1: not placed */
    struct pod pod;
};

struct cluster {
    struct lg_objects objects;
    struct lg_inventory *inv;
    const char *zone[NODES];
    struct guest guests[GUESTS];
    uint64_t dice;
};

static uint32_t roll(struct cluster *c, uint32_t n)
{
    c->dice ^= c->dice << 13;
    c->dice ^= c->dice >> 7;
    c->dice ^= c->dice << 17;
    return (uint32_t)(c->dice >> 33) % n;
}

/* --- writing --- */

static void put_labels(struct lg_buf *out, const struct pod *pod)
{
    lg_buf_puts(out, "{'always':'there'");
    if (pod->app != NULL)
        lg_buf_printf(out, ",'app':'%s'", pod->app);
    if (pod->tier != NULL)
        lg_buf_printf(out, ",'tier':'%s'", pod->tier);
    lg_buf_puts(out, "}");
}

static void put_term(struct lg_buf *out, const struct term *t)
{
    static const char *const asks[TIER_ASKS] = {
        [TIER_IN] = "'In','values':['1']",
        [TIER_NOT_IN] = "'NotIn','values':['1']",
        [TIER_EXISTS] = "'Exists'",
        [TIER_ABSENT] = "'DoesNotExist'",
    };
    lg_buf_printf(out, "{'topologyKey':'%s'", t->by_zone ? "zone" : "kubernetes.io/hostname");
    if (!t->no_selector) {
        lg_buf_puts(out, ",'labelSelector':{'matchLabels':{");
        if (t->app != NULL)
            lg_buf_printf(out, "'app':'%s'", t->app);
        lg_buf_puts(out, "},'matchExpressions':[");
        if (t->tier != TIER_ANY)
            lg_buf_printf(out, "{'key':'tier','operator':%s}", asks[t->tier]);
        lg_buf_puts(out, "]}");
    }
    if (t->ns == NS_LIST)
        lg_buf_printf(out, ",'namespaces':['%s']", namespaces[t->named]);
    if (t->ns == NS_ALL)
        lg_buf_puts(out, ",'namespaceSelector':{}");
    if (t->ns == NS_TEAM)
        lg_buf_puts(out, ",'namespaceSelector':{'matchLabels':{'team':'red'}}");
    if (t->same_tier)
        lg_buf_puts(out, ",'matchLabelKeys':['tier']");
    if (t->other_app)
        lg_buf_puts(out, ",'mismatchLabelKeys':['app']");
    lg_buf_puts(out, "}");
}

static void put_terms(struct lg_buf *out, const char *kind, const struct term *terms, size_t n)
{
    lg_buf_printf(out, "'%s':{'requiredDuringSchedulingIgnoredDuringExecution':[", kind);
    for (size_t i = 0; i < n; i++) {
        lg_buf_puts(out, i > 0 ? "," : "");
        put_term(out, &terms[i]);
    }
    lg_buf_puts(out, "]}");
}

static void put_spec(struct lg_buf *out, const struct pod *pod)
{
    lg_buf_puts(out, "{'affinity':{");
    put_terms(out, "podAntiAffinity", pod->apart, pod->n_apart);
    lg_buf_puts(out, ",");
    put_terms(out, "podAffinity", pod->together, pod->n_together);
    lg_buf_puts(out, "}}");
}

static void set(struct cluster *c, const char *text)
{
    lg_inventory_set(c->inv, lg_objects_record(&c->objects, text));
}

static void set_node(struct cluster *c, int n)
{
    char zone[32] = "";
    if (c->zone[n] != NULL)
        snprintf(zone, sizeof(zone), ",'zone':'%s'", c->zone[n]);
    set(c, lg_arena_printf(&c->objects.arena,
                           "{'apiVersion':'v1','kind':'Node','metadata':{'name':'n%d','labels':{"
                           "'kubevirt.io/schedulable':'true','kubernetes.io/hostname':'n%d'%s}}}",
                           n, n, zone)
               .p);
}

static void set_guest(struct cluster *c, const struct guest *g)
{
    struct lg_buf out = {0};
    lg_buf_printf(&out,
                  "{'apiVersion':'kubevirt.io/v1','kind':'VirtualMachineInstance','metadata':"
                  "{'name':'%s','namespace':'%s','labels':",
                  g->pod.name, namespaces[g->pod.ns]);
    put_labels(&out, &g->pod);
    lg_buf_puts(&out, "},'spec':");
    put_spec(&out, &g->pod);
    lg_buf_printf(&out, ",'status':{'phase':'%s'", g->over ? "Succeeded" : "Running");
    if (g->node >= 0)
        lg_buf_printf(&out, ",'nodeName':'n%d'", g->node);
    lg_buf_puts(&out, "}}");
    set(c, out.p);
    lg_buf_done(&out);
}

/* --- making up --- */

static struct term random_term(struct cluster *c)
{
    return (struct term){.app = apps[roll(c, 3)],
                         .tier = roll(c, 2) == 0 ? TIER_ANY : (enum tier_ask)roll(c, TIER_ASKS),
                         .ns = roll(c, 2) == 0 ? NS_OWN : (enum ns_ask)roll(c, NS_ASKS),
                         .named = (int)roll(c, NAMESPACES),
                         .same_tier = roll(c, 6) == 0,
                         .other_app = roll(c, 8) == 0,
                         .no_selector = roll(c, 12) == 0,
                         .by_zone = roll(c, 3) == 0};
}

static struct pod random_pod(struct cluster *c, uint32_t chance)
{
    struct pod pod = {
        .ns = (int)roll(c, NAMESPACES), .app = apps[roll(c, 3)], .tier = tiers[roll(c, 3)]};
    pod.n_apart = roll(c, 100) < chance ? 1 + roll(c, TERMS) : 0;
    pod.n_together = roll(c, 100) < chance / 2 ? 1 + roll(c, 2) : 0;
    for (size_t i = 0; i < pod.n_apart; i++)
        pod.apart[i] = random_term(c);
    for (size_t i = 0; i < pod.n_together; i++)
        pod.together[i] = random_term(c);
    return pod;
}

static void change_guest(struct cluster *c)
{
    int i = (int)roll(c, GUESTS);
    struct guest *g = &c->guests[i];
    if (g->there)
        lg_inventory_remove(c->inv, LG_KIND_VMI, lg_str_of(namespaces[g->pod.ns]),
                            lg_str_of(g->pod.name));
    g->there = roll(c, 3) > 0;
    if (!g->there)
        return;
    g->pod = random_pod(c, 20);
    g->over = roll(c, 10) == 0;
    g->node = roll(c, 10) == 0 ? -1 : (int)roll(c, NODES);
    snprintf(g->pod.name, sizeof(g->pod.name), "g%d", i);
    set_guest(c, g);
}

/* --- guest by guest --- */

static bool selects(const struct term *t, const struct pod *owner, const struct pod *pod)
{
    bool has_one = pod->tier != NULL && strcmp(pod->tier, "1") == 0;
    bool ns = t->ns == NS_OWN    ? pod->ns == owner->ns
              : t->ns == NS_LIST ? pod->ns == t->named
              : t->ns == NS_ALL  ? true
                                 : strcmp(teams[pod->ns], "red") == 0;
    bool tier = t->tier == TIER_IN       ? has_one
                : t->tier == TIER_NOT_IN ? !has_one
                : t->tier == TIER_EXISTS ? pod->tier != NULL
                : t->tier == TIER_ABSENT ? pod->tier == NULL
                                         : true;
    if (!ns || !tier || t->no_selector)
        return false;
    if (t->app != NULL && (pod->app == NULL || strcmp(pod->app, t->app) != 0))
        return false;
    if (t->same_tier && owner->tier != NULL &&
        (pod->tier == NULL || strcmp(pod->tier, owner->tier) != 0))
        return false;
    return !(t->other_app && owner->app != NULL && pod->app != NULL &&
             strcmp(pod->app, owner->app) == 0);
}

static bool same_place(const struct cluster *c, const struct term *t, int a, int b)
{
    if (!t->by_zone)
        return a == b;
    return c->zone[a] != NULL && c->zone[b] != NULL && strcmp(c->zone[a], c->zone[b]) == 0;
}

static bool is_self(const struct guest *g, const struct pod *self)
{
    return g->pod.ns == self->ns && strcmp(g->pod.name, self->name) == 0;
}

static bool counts(const struct guest *g, const struct pod *self, bool moves)
{
    return g->there && !g->over && g->node >= 0 && (moves || !is_self(g, self));
}

static bool all_select(const struct pod *self, const struct pod *pod)
{
    for (size_t i = 0; i < self->n_together; i++)
        if (!selects(&self->together[i], self, pod))
            return false;
    return true;
}

static bool lacks_company(const struct cluster *c, const struct pod *self, bool moves, int node)
{
    bool any = false;
    for (size_t t = 0; t < self->n_together; t++) {
        bool here = false;
        for (size_t i = 0; i < GUESTS; i++) {
            const struct guest *g = &c->guests[i];
            if (!counts(g, self, moves) || !all_select(self, &g->pod))
                continue;
            any = true;
            here = here || same_place(c, &self->together[t], node, g->node);
        }
        if (any && !here)
            return true;
    }
    return false;
}

static bool blocked(const struct cluster *c, const struct pod *self, bool moves, int node)
{
    for (size_t i = 0; i < GUESTS; i++) {
        const struct guest *g = &c->guests[i];
        if (!counts(g, self, moves))
            continue;
        for (size_t t = 0; t < self->n_apart; t++)
            if (selects(&self->apart[t], self, &g->pod) &&
                same_place(c, &self->apart[t], node, g->node))
                return true;
        for (size_t t = 0; t < g->pod.n_apart && !is_self(g, self); t++)
            if (selects(&g->pod.apart[t], &g->pod, self) &&
                same_place(c, &g->pod.apart[t], node, g->node))
                return true;
    }
    return lacks_company(c, self, moves, node);
}

/* --- the comparison --- */

static const struct lg_requirements *read_both(struct cluster *c, const struct pod *self,
                                               bool moves, struct lg_val spec)
{
    struct lg_arena *arena = &c->objects.arena;
    const struct lg_node_table *nodes = lg_inventory_nodes(c->inv);
    struct lg_buf labels = {0};
    put_labels(&labels, self);
    const struct lg_separation_input in = {
        .vmi_spec = spec,
        .labels = lg_labels_read(lg_objects_parse(&c->objects, labels.p), arena),
        .ns = lg_str_of(namespaces[self->ns]),
        .name = lg_str_of(self->name),
        .moves = moves,
        .guests = lg_inventory_guests(c->inv),
        .nodes = nodes};
    lg_buf_done(&labels);
    const struct lg_separation *separation = lg_separation_read(&in, arena);
    const struct lg_requirements *req = lg_requirements_read(LG_NONE, NULL, nodes, arena);
    if (separation == NULL)
        return req;
    assert_true(lg_str_empty(separation->unknown_ns));
    return lg_requirements_separated(req, separation, arena);
}

static size_t compare(struct cluster *c)
{
    struct pod self = random_pod(c, 60);
    bool moves = roll(c, 2) == 0;
    snprintf(self.name, sizeof(self.name), "g%u", roll(c, 2 * GUESTS));
    struct lg_buf text = {0};
    put_spec(&text, &self);
    struct lg_val spec = lg_objects_parse(&c->objects, text.p);
    lg_buf_done(&text);
    const struct lg_requirements *req = read_both(c, &self, moves, spec);
    const struct lg_node_table *nodes = lg_inventory_nodes(c->inv);
    size_t out = 0;
    for (int n = 0; n < NODES; n++) {
        struct lg_str name = lg_arena_printf(&c->objects.arena, "n%d", n);
        struct lg_str reason = LG_STR("");
        bool got = lg_placement_explain(req, lg_nodes_get(nodes, name, NULL), &c->objects.arena,
                                        &reason) == LG_PLACE_EXCLUDED;
        if (got != blocked(c, &self, moves, n))
            fail_msg("%s/%s%s on n%d: %s by bitmaps (%.*s): %.*s", namespaces[self.ns], self.name,
                     moves ? " (moves)" : "", n, got ? "blocked" : "free", LG_ARG(reason),
                     LG_ARG(lg_json_text(spec)));
        out += got;
    }
    assert_int_equal(lg_placement_count(req, nodes).excluded, out);
    return out;
}

static void bitmaps_answer_as_guest_by_guest(void **state)
{
    (void)state;
    static struct cluster cluster = {.dice = 0x9E3779B97F4A7C15u};
    struct cluster *c = &cluster;
    size_t out = 0;
    lg_objects_init(&c->objects);
    c->inv = lg_inventory_new();
    for (int i = 0; i < NAMESPACES; i++)
        set(c, lg_arena_printf(&c->objects.arena,
                               "{'apiVersion':'v1','kind':'Namespace','metadata':{'name':'%s',"
                               "'labels':{'team':'%s'}}}",
                               namespaces[i], teams[i])
                   .p);
    for (int n = 0; n < NODES; n++) {
        c->zone[n] = zones[roll(c, 4)];
        set_node(c, n);
    }
    for (int round = 0; round < ROUNDS; round++) {
        for (uint32_t i = 1 + roll(c, 4); i > 0; i--)
            change_guest(c);
        out += compare(c);
        lg_arena_reset(&c->objects.arena);
    }
    assert_true(out > ROUNDS); /* of 42,000 answers enough are "blocked" */
    lg_inventory_free(c->inv);
    lg_objects_done(&c->objects);
}

/* What another guest asks for is read again for each review, and is as long as its author made
 * it. */
static void a_guest_with_endless_terms_is_said_not_read(void **state)
{
    (void)state;
    static struct cluster cluster;
    struct cluster *c = &cluster;
    struct lg_buf text lg_cleanup(lg_buf_done) = {0};
    lg_objects_init(&c->objects);
    c->inv = lg_inventory_new();
    lg_buf_puts(&text,
                "{'apiVersion':'kubevirt.io/v1','kind':'VirtualMachineInstance','metadata':{"
                "'name':'long','namespace':'a'},'status':{'phase':'Running','nodeName':'n0'},"
                "'spec':{'affinity':{'podAntiAffinity':{'requiredDuringSchedulingIgnoredDuring"
                "Execution':[");
    for (int i = 0; i < 4000; i++)
        lg_buf_printf(&text, "%s{'topologyKey':'zone','labelSelector':{'matchLabels':{'k%d':'v'}}}",
                      i == 0 ? "" : ",", i);
    lg_buf_puts(&text, "]}}}}");
    set(c, text.p);
    const struct lg_separation_input in = {.ns = LG_STR("a"),
                                           .name = LG_STR("other"),
                                           .guests = lg_inventory_guests(c->inv),
                                           .nodes = lg_inventory_nodes(c->inv)};
    const struct lg_separation *separation = lg_separation_read(&in, &c->objects.arena);
    assert_non_null(separation);
    assert_int_equal(separation->n_barriers, 0);
    assert_int_equal(separation->n_outside, 1);
    assert_true(lg_str_starts(separation->outside[0],
                              "not every guest's own required podAntiAffinity was looked at"));
    lg_inventory_free(c->inv);
    lg_objects_done(&c->objects);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bitmaps_answer_as_guest_by_guest),
        cmocka_unit_test(a_guest_with_endless_terms_is_said_not_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
