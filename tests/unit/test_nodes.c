#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "rules/virt/nodes.h"
#include "tests/unit/node_world.h"
/* Sets a node whose metadata.labels and spec are given as JSON. */
static void set_node(struct state *s, const char *name, const char *labels, const char *spec)
{
    struct lg_str text = lg_arena_printf(
        &s->objects.arena,
        "{'apiVersion':'v1','kind':'Node','metadata':{'name':'%s','labels':%s},'spec':%s}", name,
        labels, spec);
    struct lg_record *record = lg_objects_record(&s->objects, text.p);
    lg_nodes_set(s->table, (struct lg_node *)record);
    lg_record_unref(record);
}

static bool bit(const struct state *s, const lg_word *nodes, const char *name)
{
    size_t slot = 0;
    assert_non_null(lg_nodes_get(s->table, lg_str_of(name), &slot));
    return nodes != NULL && (nodes[slot / 64] >> (slot % 64) & 1) != 0;
}

static const lg_word *label(const struct state *s, const char *key, const char *value)
{
    return lg_nodes_with_label(s->table, lg_str_of(key), lg_str_of(value));
}

static void an_empty_table_answers_nothing(void **arg)
{
    struct state *s = *arg;
    assert_int_equal(lg_nodes_count(s->table), 0);
    assert_int_equal(lg_nodes_words(s->table), 0);
    assert_int_equal(lg_nodes_slots(s->table), 0);
    assert_null(lg_nodes_all(s->table));
    assert_null(lg_nodes_cordoned(s->table));
    assert_null(lg_nodes_not_ready(s->table));
    assert_null(label(s, "zone", "a"));
    assert_null(lg_nodes_with_key(s->table, LG_STR("zone")));
    assert_null(lg_nodes_get(s->table, LG_STR("n"), NULL));
    assert_false(lg_nodes_any_key_prefix(s->table, ""));
    lg_nodes_remove(s->table, LG_STR("n"));
    lg_nodes_free(NULL);
}

static void labels_are_found_by_value_and_by_key(void **arg)
{
    struct state *s = *arg;
    set_node(s, "a", "{'zone':'x','empty':''}", "{}");
    set_node(s, "b", "{'zone':'y'}", "{}");
    assert_true(bit(s, label(s, "zone", "x"), "a"));
    assert_false(bit(s, label(s, "zone", "x"), "b"));
    assert_true(bit(s, label(s, "empty", ""), "a"));
    assert_true(bit(s, lg_nodes_with_key(s->table, LG_STR("zone")), "b"));
    assert_null(label(s, "zone", "z"));
    assert_true(lg_nodes_any_key_prefix(s->table, "emp"));
    assert_false(lg_nodes_any_key_prefix(s->table, "empty-"));
}

static void replacing_a_node_forgets_its_old_labels_and_taints(void **arg)
{
    struct state *s = *arg;
    size_t before = 0, after = 1;
    set_node(s, "a", "{'zone':'x'}",
             "{'unschedulable':true,'taints':[{'key':'t','effect':'NoSchedule'}]}");
    assert_true(bit(s, lg_nodes_cordoned(s->table), "a"));
    assert_non_null(lg_nodes_get(s->table, LG_STR("a"), &before));
    set_node(s, "a", "{'zone':'y'}", "{}");
    assert_non_null(lg_nodes_get(s->table, LG_STR("a"), &after));
    assert_int_equal(before, after);
    assert_int_equal(lg_nodes_count(s->table), 1);
    assert_null(label(s, "zone", "x"));
    assert_true(bit(s, label(s, "zone", "y"), "a"));
    assert_null(lg_nodes_cordoned(s->table));
    size_t pos = 0;
    const struct lg_taint *taint;
    const lg_word *nodes;
    assert_false(lg_nodes_next_taint(s->table, &pos, &taint, &nodes));
}

static void setting_the_same_record_again_keeps_it(void **arg)
{
    struct state *s = *arg;
    set_node(s, "a", "{'zone':'x'}", "{}");
    struct lg_node *node = (struct lg_node *)lg_nodes_get(s->table, LG_STR("a"), NULL);
    lg_nodes_set(s->table, node);
    assert_int_equal(node->r.refs, 1);
    assert_true(bit(s, label(s, "zone", "x"), "a"));
}

static void a_removed_node_leaves_its_slot_to_the_next(void **arg)
{
    struct state *s = *arg;
    size_t slot = 9;
    set_node(s, "a", "{'zone':'x'}", "{}");
    set_node(s, "b", "{'zone':'x'}", "{}");
    lg_nodes_remove(s->table, LG_STR("a"));
    assert_int_equal(lg_nodes_count(s->table), 1);
    assert_int_equal(lg_nodes_slots(s->table), 2);
    assert_null(lg_nodes_at(s->table, 0));
    assert_true(bit(s, label(s, "zone", "x"), "b"));
    set_node(s, "c", "{}", "{}");
    assert_non_null(lg_nodes_get(s->table, LG_STR("c"), &slot));
    assert_int_equal(slot, 0);
    assert_false(bit(s, label(s, "zone", "x"), "c"));
}

static void only_taints_that_keep_guests_off_are_listed_in_order(void **arg)
{
    struct state *s = *arg;
    set_node(s, "a", "{}",
             "{'taints':[{'key':'z','effect':'NoExecute'},{'key':'b','value':'2','effect':"
             "'NoSchedule'},{'key':'b','value':'2','effect':'NoSchedule'}]}");
    set_node(s, "b", "{}",
             "{'taints':[{'key':'b','value':'1','effect':'NoSchedule'},{'key':'a','effect':"
             "'PreferNoSchedule'},{'key':'q','effect':'Whatever'}]}");
    const char *expect[] = {"b1", "b2", "z"};
    size_t pos = 0, n = 0;
    const struct lg_taint *taint;
    const lg_word *nodes;
    for (; lg_nodes_next_taint(s->table, &pos, &taint, &nodes); n++) {
        struct lg_str text = lg_arena_printf(&s->objects.arena, "%.*s%.*s", LG_ARG(taint->key),
                                             LG_ARG(taint->value));
        assert_true(n < 3);
        assert_string_equal(text.p, expect[n]);
        assert_int_equal(bit(s, nodes, "a"), n > 0);
    }
    assert_int_equal(n, 3);
    lg_nodes_remove(s->table, LG_STR("a"));
    pos = 0;
    assert_true(lg_nodes_next_taint(s->table, &pos, &taint, &nodes));
    assert_false(lg_nodes_next_taint(s->table, &pos, &taint, &nodes));
}

static void comparing_looks_at_whole_integers_only(void **arg)
{
    struct state *s = *arg;
    set_node(s, "a", "{'gen':'007'}", "{}");
    set_node(s, "b", "{'gen':'-3'}", "{}");
    set_node(s, "c", "{'gen':'x1'}", "{}");
    set_node(s, "d", "{'gen':'9223372036854775808'}", "{}");
    lg_word nodes[1] = {0};
    lg_nodes_add_compared(s->table, LG_STR("gen"), true, 6, nodes);
    assert_true(bit(s, nodes, "a"));
    assert_int_equal(__builtin_popcountll(nodes[0]), 1);
    nodes[0] = 0;
    lg_nodes_add_compared(s->table, LG_STR("gen"), false, 7, nodes);
    assert_true(bit(s, nodes, "b"));
    assert_int_equal(__builtin_popcountll(nodes[0]), 1);
    lg_nodes_add_compared(s->table, LG_STR("other"), true, 0, nodes);
    assert_int_equal(__builtin_popcountll(nodes[0]), 1);
}

static void a_thousand_nodes_keep_every_bitmap_right(void **arg)
{
    struct state *s = *arg;
    char name[32], zone[64];
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof(name), "n%d", i);
        snprintf(zone, sizeof(zone), "{'zone':'z%d','own':'%d'}", i % 7, i);
        set_node(s, name, zone, i % 3 == 0 ? "{'unschedulable':true}" : "{}");
    }
    for (int i = 0; i < 1000; i += 2) {
        snprintf(name, sizeof(name), "n%d", i);
        lg_nodes_remove(s->table, lg_str_of(name));
    }
    assert_int_equal(lg_nodes_count(s->table), 500);
    assert_int_equal(lg_nodes_words(s->table), 16);
    for (int i = 1; i < 1000; i += 2) {
        snprintf(name, sizeof(name), "n%d", i);
        snprintf(zone, sizeof(zone), "z%d", i % 7);
        assert_true(bit(s, label(s, "zone", zone), name));
        assert_true(bit(s, label(s, "own", name + 1), name));
        assert_true(bit(s, lg_nodes_all(s->table), name));
        assert_int_equal(bit(s, lg_nodes_cordoned(s->table), name), i % 3 == 0);
    }
    assert_null(label(s, "own", "2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_empty_table_answers_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(labels_are_found_by_value_and_by_key, setup, teardown),
        cmocka_unit_test_setup_teardown(replacing_a_node_forgets_its_old_labels_and_taints, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(setting_the_same_record_again_keeps_it, setup, teardown),
        cmocka_unit_test_setup_teardown(a_removed_node_leaves_its_slot_to_the_next, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(only_taints_that_keep_guests_off_are_listed_in_order, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(comparing_looks_at_whole_integers_only, setup, teardown),
        cmocka_unit_test_setup_teardown(a_thousand_nodes_keep_every_bitmap_right, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
