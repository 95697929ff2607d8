#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rules/kube/labels.h"

static struct lg_arena arena;

static int teardown(void **state)
{
    (void)state;
    lg_arena_done(&arena);
    return 0;
}

static struct lg_val parse(const char *text)
{
    struct lg_val root = LG_NONE;
    struct lg_err err = {0};
    if (lg_json_parse(&arena, lg_str_of(text), &root, &err) != LG_E_OK)
        fail_msg("%s: %s %s", text, err.where, err.text);
    return root;
}

static void labels_are_sorted_and_found(void **state)
{
    (void)state;
    struct lg_labels labels =
        lg_labels_read(parse("{\"zone\":\"a\",\"b\":\"\",\"c\":7,\"a\":null}"), &arena);
    assert_int_equal(labels.n, 2);
    assert_true(lg_str_is(labels.items[0].key, "b"));
    assert_true(lg_str_is(labels.items[1].key, "zone"));
    assert_true(lg_str_is(*lg_labels_get(labels, LG_STR("zone")), "a"));
    assert_int_equal(lg_labels_get(labels, LG_STR("b"))->n, 0);
    assert_null(lg_labels_get(labels, LG_STR("c")));
    assert_null(lg_labels_get((struct lg_labels){0}, LG_STR("c")));
    assert_int_equal(lg_labels_read(parse("[\"a\"]"), &arena).n, 0);
    assert_int_equal(lg_labels_read(LG_NONE, &arena).n, 0);
}

static bool tolerated(const char *tolerations, const char *taint)
{
    char list[256];
    snprintf(list, sizeof list, "[%s]", taint);
    struct lg_taints taints = lg_taints_read(parse(list), &arena);
    assert_int_equal(taints.n, 1);
    return lg_tolerated(lg_tolerations_read(parse(tolerations), &arena), &taints.items[0]);
}

#define GPU_NO_SCHEDULE "{\"key\":\"gpu\",\"value\":\"true\",\"effect\":\"NoSchedule\"}"

static void tolerations_match_as_in_the_scheduler(void **state)
{
    (void)state;
    assert_false(tolerated("[]", GPU_NO_SCHEDULE));
    assert_true(tolerated("[{\"operator\":\"Exists\"}]", GPU_NO_SCHEDULE));
    assert_true(tolerated("[{\"key\":\"gpu\",\"operator\":\"Exists\"}]", GPU_NO_SCHEDULE));
    assert_true(tolerated("[{\"key\":\"gpu\",\"value\":\"true\"}]", GPU_NO_SCHEDULE));
    assert_true(tolerated("[{\"key\":\"gpu\",\"operator\":\"Equal\",\"value\":\"true\","
                          "\"effect\":\"NoSchedule\"}]",
                          GPU_NO_SCHEDULE));
    assert_false(tolerated("[{\"key\":\"gpu\",\"value\":\"false\"}]", GPU_NO_SCHEDULE));
    assert_false(tolerated("[{\"key\":\"gpu\",\"operator\":\"Exists\",\"effect\":\"NoExecute\"}]",
                           GPU_NO_SCHEDULE));
    assert_false(tolerated("[{\"key\":\"cpu\",\"operator\":\"Exists\"}]", GPU_NO_SCHEDULE));
    assert_true(
        tolerated("[{\"key\":\"x\"},{\"key\":\"gpu\",\"value\":\"true\"}]", GPU_NO_SCHEDULE));
    assert_true(tolerated("[{\"key\":\"gpu\"}]", "{\"key\":\"gpu\",\"effect\":\"NoExecute\"}"));
}

static void an_operator_or_effect_that_is_none_tolerates_nothing(void **state)
{
    (void)state;
    assert_false(
        tolerated("[{\"key\":\"gpu\",\"operator\":\"In\",\"value\":\"true\"}]", GPU_NO_SCHEDULE));
    assert_false(tolerated("[{\"operator\":\"exists\"}]", GPU_NO_SCHEDULE));
    assert_false(
        tolerated("[{\"operator\":\"Exists\",\"effect\":\"noschedule\"}]", GPU_NO_SCHEDULE));
}

static void effects_have_names(void **state)
{
    (void)state;
    assert_int_equal(lg_effect_of(LG_STR("NoSchedule")), LG_EFFECT_NO_SCHEDULE);
    assert_int_equal(lg_effect_of(LG_STR("PreferNoSchedule")), LG_EFFECT_PREFER_NO_SCHEDULE);
    assert_int_equal(lg_effect_of(LG_STR("NoExecute")), LG_EFFECT_NO_EXECUTE);
    assert_int_equal(lg_effect_of(LG_STR("Noexecute")), LG_EFFECT_NONE);
    assert_int_equal(lg_effect_of(LG_STR("")), LG_EFFECT_NONE);
    assert_string_equal(lg_effect_name(LG_EFFECT_NO_EXECUTE), "NoExecute");
    assert_string_equal(lg_effect_name(LG_EFFECT_NONE), "");
}

static bool selects(const char *selector)
{
    struct lg_labels labels = lg_labels_read(parse("{\"app\":\"db\",\"tier\":\"\"}"), &arena);
    return lg_selector_matches(parse(selector), labels);
}

static void selectors_match_as_metav1_says(void **state)
{
    (void)state;
    assert_true(selects("{}"));
    assert_false(lg_selector_matches(LG_NONE, (struct lg_labels){0}));
    assert_false(selects("null"));
    assert_false(selects("[]"));
    assert_true(selects("{\"matchLabels\":{\"app\":\"db\",\"tier\":\"\"}}"));
    assert_false(selects("{\"matchLabels\":{\"app\":\"db\",\"zone\":\"\"}}"));
    assert_false(selects("{\"matchLabels\":{\"app\":\"web\"}}"));
}

static bool selects_by(const char *key, const char *op, const char *values)
{
    char text[256];
    snprintf(text, sizeof text,
             "{\"matchExpressions\":[{\"key\":\"%s\",\"operator\":\"%s\",\"values\":%s}]}", key, op,
             values);
    return selects(text);
}

static void expressions(void **state)
{
    (void)state;
    assert_true(selects_by("app", "In", "[\"web\",\"db\"]"));
    assert_false(selects_by("app", "In", "[\"web\"]"));
    assert_false(selects_by("zone", "In", "[\"\"]"));
    assert_true(selects_by("app", "NotIn", "[\"web\"]"));
    assert_false(selects_by("app", "NotIn", "[\"db\"]"));
    assert_true(selects_by("zone", "NotIn", "[\"a\"]"));
    assert_true(selects_by("tier", "Exists", "[]"));
    assert_false(selects_by("zone", "Exists", "null"));
    assert_true(selects_by("zone", "DoesNotExist", "null"));
    assert_false(selects_by("app", "DoesNotExist", "[]"));
}

static void an_invalid_expression_matches_nothing(void **state)
{
    (void)state;
    assert_false(selects_by("app", "in", "[\"db\"]"));
    assert_false(selects_by("app", "Gt", "[\"1\"]"));
    assert_false(selects_by("app", "In", "[]"));
    assert_false(selects_by("zone", "NotIn", "[]"));
    assert_false(selects_by("app", "Exists", "[\"db\"]"));
    assert_false(selects_by("zone", "DoesNotExist", "[\"a\"]"));
    assert_false(selects_by("not a key", "DoesNotExist", "[]"));
    assert_false(selects_by("zone", "NotIn", "[\"not a value\"]"));
    assert_false(selects_by("zone", "NotIn", "[7]"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_are_sorted_and_found),
        cmocka_unit_test(tolerations_match_as_in_the_scheduler),
        cmocka_unit_test(an_operator_or_effect_that_is_none_tolerates_nothing),
        cmocka_unit_test(effects_have_names),
        cmocka_unit_test(selectors_match_as_metav1_says),
        cmocka_unit_test(expressions),
        cmocka_unit_test(an_invalid_expression_matches_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, teardown);
}
