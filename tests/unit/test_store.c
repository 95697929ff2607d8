/* The two copies: what readers see and when, and that they see it whole while the writer goes
 * on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "rules/core/mem.h"
#include "webhook/cluster/store.h"
#include "webhook/runtime/clock.h"

static struct lg_record *record(const char *kind, const char *ns, const char *name,
                                const char *volume)
{
    char text[512];
    struct lg_arena arena lg_cleanup(lg_arena_done);
    struct lg_val root;
    struct lg_record *r = NULL;
    lg_arena_init(&arena);
    (void)snprintf(text, sizeof text,
                   "{\"apiVersion\":\"v1\",\"kind\":\"%s\",\"metadata\":{\"name\":\"%s\","
                   "\"namespace\":\"%s\"},\"spec\":{\"volumeName\":\"%s\"}}",
                   kind, name, ns, volume);
    if (lg_json_parse(&arena, lg_str_of(text), &root, NULL) != LG_E_OK ||
        lg_record_new(root, &r, NULL) != LG_E_OK)
        abort();
    return r;
}

static struct lg_record *claim(const char *ns, const char *name, const char *volume)
{
    return record("PersistentVolumeClaim", ns, name, volume);
}

/* The volume of claim web/data as readers see it; NULL: no such claim. Borrowed for as long as
 * nothing is committed. */
static const char *seen(struct lg_store *store, char buf[64])
{
    unsigned ticket;
    const struct lg_claim *c = NULL;
    const struct lg_inventory *inventory = lg_store_pin(store, &ticket);
    enum lg_lookup lookup = lg_inventory_claim(inventory, LG_STR("web"), LG_STR("data"), &c);
    if (lookup == LG_FOUND)
        (void)snprintf(buf, 64, "%.*s", LG_ARG(c->volume_name));
    lg_store_unpin(store, ticket);
    return lookup == LG_FOUND ? buf : NULL;
}

static void readers_see_a_change_with_its_commit(void **state)
{
    (void)state;
    char buf[64];
    struct lg_store *store = lg_store_new();
    assert_false(lg_store_commit(store));
    assert_true(lg_store_set(store, claim("web", "data", "one")));
    assert_null(seen(store, buf));
    assert_non_null(lg_store_find(store, LG_KIND_CLAIM, LG_STR("web"), LG_STR("data")));
    assert_int_equal(lg_inventory_count(lg_store_pending(store), LG_KIND_CLAIM), 1);
    assert_true(lg_store_commit(store));
    assert_string_equal(seen(store, buf), "one");
    assert_false(lg_store_commit(store));
    /* and so on the other copy */
    assert_true(lg_store_set(store, claim("web", "data", "two")));
    assert_string_equal(seen(store, buf), "one");
    assert_true(lg_store_commit(store));
    assert_string_equal(seen(store, buf), "two");
    assert_true(lg_store_remove(store, LG_KIND_CLAIM, LG_STR("web"), LG_STR("data")));
    assert_string_equal(seen(store, buf), "two");
    assert_true(lg_store_commit(store));
    assert_null(seen(store, buf));
    assert_null(lg_store_find(store, LG_KIND_CLAIM, LG_STR("web"), LG_STR("data")));
    lg_store_free(store);
}

static void what_rules_do_not_read_changes_nothing(void **state)
{
    (void)state;
    struct lg_store *store = lg_store_new();
    assert_true(lg_store_set(store, claim("web", "data", "one")));
    assert_true(lg_store_commit(store));
    assert_false(lg_store_set(store, claim("web", "data", "one")));
    assert_false(lg_store_remove(store, LG_KIND_CLAIM, LG_STR("web"), LG_STR("nowhere")));
    assert_false(lg_store_commit(store));
    lg_store_free(store);
}

static void changes_that_undo_each_other_are_one_commit(void **state)
{
    (void)state;
    char buf[64];
    struct lg_store *store = lg_store_new();
    for (int round = 0; round < 4; round++) {
        assert_true(lg_store_set(store, claim("web", "data", "one")));
        assert_true(lg_store_set(store, claim("web", "data", "two")));
        assert_true(lg_store_remove(store, LG_KIND_CLAIM, LG_STR("web"), LG_STR("data")));
        assert_true(lg_store_set(store, claim("web", "data", "three")));
        assert_true(lg_store_commit(store));
        assert_string_equal(seen(store, buf), "three");
        assert_true(lg_store_remove(store, LG_KIND_CLAIM, LG_STR("web"), LG_STR("data")));
        assert_true(lg_store_commit(store));
    }
    lg_store_free(store);
}

static void known_states_come_with_the_commit(void **state)
{
    (void)state;
    unsigned ticket;
    struct lg_store *store = lg_store_new();
    lg_store_set_known(store, LG_KIND_NODE, LG_KNOWN);
    assert_int_equal(lg_inventory_known(lg_store_pin(store, &ticket), LG_KIND_NODE), LG_NOT_GIVEN);
    lg_store_unpin(store, ticket);
    assert_true(lg_store_commit(store));
    assert_int_equal(lg_inventory_known(lg_store_pin(store, &ticket), LG_KIND_NODE), LG_KNOWN);
    lg_store_unpin(store, ticket);
    lg_store_set_known(store, LG_KIND_NODE, LG_KNOWN);
    assert_false(lg_store_commit(store));
    lg_store_free(store);
}

static void a_relist_removes_what_vanished_and_keeps_what_stayed(void **state)
{
    (void)state;
    struct lg_store *store = lg_store_new();
    (void)lg_store_set(store, claim("web", "stays", "one"));
    (void)lg_store_set(store, claim("web", "changes", "one"));
    (void)lg_store_set(store, claim("web", "goes", "one"));
    (void)lg_store_set(store, record("Node", "", "node-1", ""));
    assert_true(lg_store_commit(store));
    const struct lg_record *stays =
        lg_store_find(store, LG_KIND_CLAIM, LG_STR("web"), LG_STR("stays"));
    struct lg_record *list[] = {claim("web", "stays", "one"), claim("web", "changes", "two"),
                                claim("web", "comes", "one"), claim("web", "comes", "two")};
    lg_store_replace(store, LG_KIND_CLAIM, list, 4);
    unsigned ticket;
    assert_int_equal(lg_inventory_count(lg_store_pin(store, &ticket), LG_KIND_CLAIM), 3);
    assert_true(lg_inventory_count(lg_store_pending(store), LG_KIND_CLAIM) == 3);
    lg_store_unpin(store, ticket);
    assert_true(lg_store_commit(store));
    assert_ptr_equal(lg_store_find(store, LG_KIND_CLAIM, LG_STR("web"), LG_STR("stays")), stays);
    assert_null(lg_store_find(store, LG_KIND_CLAIM, LG_STR("web"), LG_STR("goes")));
    const struct lg_claim *comes = (const struct lg_claim *)lg_store_find(
        store, LG_KIND_CLAIM, LG_STR("web"), LG_STR("comes"));
    assert_true(lg_str_is(comes->volume_name, "two"));
    assert_non_null(lg_store_find(store, LG_KIND_NODE, LG_STR(""), LG_STR("node-1")));
    lg_store_replace(store, LG_KIND_CLAIM, NULL, 0);
    assert_true(lg_store_commit(store));
    assert_int_equal(lg_inventory_count(lg_store_pending(store), LG_KIND_CLAIM), 0);
    assert_int_equal(lg_inventory_count(lg_store_pending(store), LG_KIND_NODE), 1);
    lg_store_free(store);
}

static void a_filled_inventory_is_taken_in(void **state)
{
    (void)state;
    char buf[64];
    struct lg_inventory *inventory = lg_inventory_new();
    lg_inventory_set(inventory, claim("web", "data", "one"));
    lg_inventory_set(inventory, record("Node", "", "node-1", ""));
    lg_inventory_set_known(inventory, LG_KIND_CLAIM, LG_KNOWN);
    struct lg_store *store = lg_store_new();
    lg_store_adopt(store, inventory);
    lg_inventory_free(inventory);
    assert_true(lg_store_commit(store));
    assert_string_equal(seen(store, buf), "one");
    assert_int_equal(lg_inventory_known(lg_store_pending(store), LG_KIND_CLAIM), LG_KNOWN);
    assert_int_equal(lg_inventory_known(lg_store_pending(store), LG_KIND_NODE), LG_NOT_GIVEN);
    assert_non_null(lg_store_find(store, LG_KIND_NODE, LG_STR(""), LG_STR("node-1")));
    lg_store_free(store);
}

/* --- readers and the writer at once --- */

enum { READERS = 3, PAIRS = 8, RUN_MS = 1500, BUSY_MS_MAX = 120 * 1000 };

struct race {
    struct lg_store *store;
    atomic_bool stop;
    atomic_ullong reads, torn;
};

/* In every commit all pairs (a-i, b-i) have one and the same volume name, or are both gone. */
static void read_once(struct race *race)
{
    unsigned ticket;
    const struct lg_inventory *inventory = lg_store_pin(race->store, &ticket);
    struct lg_str first = {0};
    bool torn = false;
    for (int i = 0; i < PAIRS; i++) {
        char name[2][16];
        const struct lg_claim *c[2] = {NULL, NULL};
        for (int side = 0; side < 2; side++) {
            (void)snprintf(name[side], sizeof name[side], "%c-%d", 'a' + side, i);
            (void)lg_inventory_claim(inventory, LG_STR("web"), lg_str_of(name[side]), &c[side]);
        }
        torn = torn || (c[0] == NULL) != (c[1] == NULL);
        if (c[0] == NULL || c[1] == NULL)
            continue;
        if (first.p == NULL)
            first = c[0]->volume_name;
        torn = torn || !lg_str_eq(c[0]->volume_name, first) || !lg_str_eq(c[1]->volume_name, first);
    }
    if (torn)
        atomic_fetch_add(&race->torn, 1);
    atomic_fetch_add(&race->reads, 1);
    lg_store_unpin(race->store, ticket);
}

static void *run_reader(void *arg)
{
    struct race *race = arg;
    while (!atomic_load(&race->stop))
        read_once(race);
    return NULL;
}

static void write_once(struct lg_store *store, unsigned generation)
{
    char volume[16], name[16];
    (void)snprintf(volume, sizeof volume, "v%u", generation);
    for (int i = 0; i < PAIRS; i++) {
        for (int side = 0; side < 2; side++) {
            (void)snprintf(name, sizeof name, "%c-%d", 'a' + side, i);
            if ((generation + (unsigned)i) % 5 == 0)
                (void)lg_store_remove(store, LG_KIND_CLAIM, LG_STR("web"), lg_str_of(name));
            else
                (void)lg_store_set(store, claim("web", name, volume));
        }
    }
    (void)lg_store_set(store, record("Node", "", "node", volume));
    (void)lg_store_commit(store);
}

static void readers_never_see_half_a_change(void **state)
{
    (void)state;
    struct race race = {.store = lg_store_new()};
    pthread_t readers[READERS];
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, run_reader, &race), 0);
    unsigned generation = 0;
    int64_t start_ms = lg_clock_mono_ms(), now_ms = start_ms;
    for (; now_ms - start_ms < RUN_MS || (generation <= 10 && now_ms - start_ms < BUSY_MS_MAX);
         now_ms = lg_clock_mono_ms())
        write_once(race.store, ++generation);
    atomic_store(&race.stop, true);
    for (int i = 0; i < READERS; i++)
        pthread_join(readers[i], NULL);
    assert_true(generation > 10);
    assert_true(race.reads > 100);
    assert_int_equal(race.torn, 0);
    lg_store_free(race.store);
}

static void a_pinned_view_stays_as_it_is(void **state)
{
    (void)state;
    struct lg_store *store = lg_store_new();
    unsigned first, second;
    (void)lg_store_set(store, claim("web", "data", "one"));
    assert_true(lg_store_commit(store));
    const struct lg_inventory *a = lg_store_pin(store, &first);
    const struct lg_inventory *b = lg_store_pin(store, &second);
    assert_ptr_equal(a, b);
    (void)lg_store_set(store, claim("web", "data", "two"));
    const struct lg_claim *c = NULL;
    assert_int_equal(lg_inventory_claim(a, LG_STR("web"), LG_STR("data"), &c), LG_FOUND);
    assert_true(lg_str_is(c->volume_name, "one"));
    lg_store_unpin(store, second);
    lg_store_unpin(store, first);
    assert_true(lg_store_commit(store));
    lg_store_free(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers_see_a_change_with_its_commit),
        cmocka_unit_test(what_rules_do_not_read_changes_nothing),
        cmocka_unit_test(changes_that_undo_each_other_are_one_commit),
        cmocka_unit_test(known_states_come_with_the_commit),
        cmocka_unit_test(a_relist_removes_what_vanished_and_keeps_what_stayed),
        cmocka_unit_test(a_filled_inventory_is_taken_in),
        cmocka_unit_test(a_pinned_view_stays_as_it_is),
        cmocka_unit_test(readers_never_see_half_a_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
