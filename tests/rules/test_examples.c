/* Every rule's examples: documentation that is held to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/world.h"

static enum lg_action expected_action(enum lg_expect expect)
{
    switch (expect) {
    case LG_EXPECT_DENY:
        return LG_ACTION_DENY;
    case LG_EXPECT_WARN:
        return LG_ACTION_WARN;
    case LG_EXPECT_AUDIT:
        return LG_ACTION_AUDIT;
    case LG_EXPECT_PENDING:
        return LG_ACTION_PENDING;
    case LG_EXPECT_NOTHING:
        break;
    }
    return LG_ACTION_OFF;
}

static void judge(struct lg_world *world, const struct lg_rule_example *example,
                  struct lg_judgement *ret)
{
    struct lg_engine_input input = {.op = LG_OP_CREATE};
    if (example->inventory != NULL)
        lg_world_add_text(world, example->inventory);
    lg_world_know(world, example->known);
    if (example->policy != NULL)
        lg_world_set_policy(world, lg_str_of(example->policy), example->name);
    input.object = lg_world_object(world, example->object);
    if (example->old_object != NULL) {
        input.op = LG_OP_UPDATE;
        input.old_object = lg_world_object(world, example->old_object);
    }
    lg_world_judge(world, input, ret);
}

/* The strongest finding of the rule, or NULL. */
static const struct lg_finding *strongest(const struct lg_judgement *judgement,
                                          const struct lg_rule *rule)
{
    const struct lg_finding *found = NULL;
    for (size_t i = 0; i < judgement->n; i++) {
        const struct lg_finding *finding = &judgement->findings[i];
        if (finding->rule == rule && (found == NULL || finding->action > found->action))
            found = finding;
    }
    return found;
}

static bool says(const struct lg_judgement *judgement, const struct lg_rule *rule, const char *part)
{
    for (size_t i = 0; i < judgement->n; i++) {
        struct lg_str message = judgement->findings[i].message;
        if (judgement->findings[i].rule == rule &&
            memmem(message.p, message.n, part, strlen(part)) != NULL)
            return true;
    }
    return false;
}

/* Judges with the whole registry and looks at this rule's findings: rules do not depend on one
 * another. */
static bool holds(const struct lg_rule *rule, const struct lg_rule_example *example)
{
    struct lg_world world;
    struct lg_judgement got;
    lg_world_init(&world);
    judge(&world, example, &got);
    const struct lg_finding *finding = strongest(&got, rule);
    enum lg_action action = finding != NULL ? finding->action : LG_ACTION_OFF;
    bool ok = !got.refused && action == expected_action(example->expect) &&
              (example->message == NULL || says(&got, rule, example->message));
    if (!ok) {
        struct lg_str message = finding != NULL ? finding->message : LG_STR("nothing");
        print_error("%s \"%s\": expected %s%s%s, got %s%s: %.*s %s %s\n", rule->id, example->name,
                    lg_action_name(expected_action(example->expect)),
                    example->message != NULL ? " with " : "",
                    example->message != NULL ? example->message : "", lg_action_name(action),
                    got.skipped ? " (skipped)" : "", LG_ARG(message), got.refusal.where,
                    got.refusal.text);
    }
    lg_world_done(&world);
    return ok;
}

static void every_example_holds(void **state)
{
    (void)state;
    size_t run = 0, failed = 0;
    for (size_t i = 0; lg_rules[i] != NULL; i++) {
        for (const struct lg_rule_example *example = lg_rules[i]->examples; example->name != NULL;
             example++) {
            run++;
            failed += !holds(lg_rules[i], example);
        }
    }
    print_message("%zu examples of %zu rules, %zu failed\n", run, lg_rules_count(), failed);
    assert_true(run >= 3 * lg_rules_count());
    assert_int_equal(failed, 0);
}

static void the_registry_is_ordered_and_not_empty(void **state)
{
    (void)state;
    assert_true(lg_rules_count() > 0);
    for (size_t i = 1; lg_rules[i] != NULL; i++)
        assert_true(strcmp(lg_rules[i - 1]->id, lg_rules[i]->id) < 0);
}

static bool said(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static void every_descriptor_is_complete(void **state)
{
    (void)state;
    for (size_t i = 0; lg_rules[i] != NULL; i++) {
        const struct lg_rule *rule = lg_rules[i];
        if (!said(rule->id) || !said(rule->name) || !said(rule->title) || !said(rule->rationale) ||
            !said(rule->remedy) || !said(rule->source) || rule->kinds == 0 || rule->ops == 0 ||
            rule->check == NULL || rule->action == LG_ACTION_AUDIT)
            fail_msg("%s lacks something", rule->id);
        if (rule->not_stronger_than != NULL)
            assert_non_null(lg_rule_find(lg_str_of(rule->not_stronger_than), NULL));
        size_t n = 0;
        for (; rule->params != NULL && rule->params[n].name != NULL; n++)
            assert_true(said(rule->params[n].doc) && rule->params[n].min <= rule->params[n].max);
        assert_true(n <= LG_PARAMS_MAX);
        size_t index = 0;
        assert_ptr_equal(lg_rule_find(lg_str_of(rule->name), &index), rule);
        assert_int_equal(index, i);
    }
}

/* `path` without the numbers of list items. */
static void without_indexes(struct lg_str path, struct lg_buf *out)
{
    bool inside = false;
    for (size_t i = 0; i < path.n; i++) {
        bool index = path.p[i] == '[' && i + 1 < path.n && path.p[i + 1] != '"';
        inside = inside || index;
        if (!inside)
            lg_buf_putc(out, path.p[i]);
        if (path.p[i] == ']')
            inside = false;
    }
}

static bool same_place(struct lg_str a, struct lg_str b)
{
    struct lg_buf x = {0}, y = {0};
    without_indexes(a, &x);
    without_indexes(b, &y);
    bool same = lg_str_eq(lg_buf_view(&x), lg_buf_view(&y));
    lg_buf_done(&x);
    lg_buf_done(&y);
    return same;
}

/* True when the object has something at `path`, in whatever item of a list. */
static bool has_place(struct lg_val object, struct lg_str path, struct lg_arena *arena)
{
    for (uint32_t i = object.i; i < object.doc->count; i++) {
        struct lg_val v = {object.doc, i};
        if (same_place(lg_json_path(object, v, arena), path))
            return true;
    }
    return false;
}

/* The field that a violation of the rule's examples points at; "" = the whole object. */
static struct lg_str offending_field(const struct lg_rule *rule, struct lg_world *world)
{
    for (const struct lg_rule_example *example = rule->examples; example->name != NULL; example++) {
        struct lg_world other;
        struct lg_judgement got;
        lg_world_init(&other);
        judge(&other, example, &got);
        const struct lg_finding *finding = strongest(&got, rule);
        struct lg_str field = LG_STR("");
        if (finding != NULL)
            field = lg_arena_str(&world->arena, finding->field);
        lg_world_done(&other);
        if (field.n != 0)
            return field;
    }
    return LG_STR("");
}

static bool has_example_without(const struct lg_rule *rule, struct lg_str field,
                                struct lg_world *world)
{
    for (const struct lg_rule_example *example = rule->examples; example->name != NULL; example++)
        if (field.n == 0 ||
            !has_place(lg_world_object(world, example->object), field, &world->arena))
            return true;
    return false;
}

static void every_rule_shows_what_it_allows_refuses_and_what_is_absent(void **state)
{
    (void)state;
    for (size_t i = 0; lg_rules[i] != NULL; i++) {
        const struct lg_rule *rule = lg_rules[i];
        size_t allowed = 0, violated = 0;
        for (const struct lg_rule_example *example = rule->examples; example->name != NULL;
             example++) {
            allowed += example->expect == LG_EXPECT_NOTHING;
            violated += example->expect != LG_EXPECT_NOTHING;
        }
        struct lg_world world;
        lg_world_init(&world);
        bool absent = has_example_without(rule, offending_field(rule, &world), &world);
        lg_world_done(&world);
        if (allowed == 0 || violated == 0 || !absent)
            fail_msg("%s: %zu allowed, %zu violated, %s example with the field absent", rule->id,
                     allowed, violated, absent ? "an" : "no");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_registry_is_ordered_and_not_empty),
        cmocka_unit_test(every_descriptor_is_complete),
        cmocka_unit_test(every_example_holds),
        cmocka_unit_test(every_rule_shows_what_it_allows_refuses_and_what_is_absent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
