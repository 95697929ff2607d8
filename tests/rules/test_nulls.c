/* A null is nothing: what an object or the cluster says is judged alike whether a member is left
 * out or null, as Kubernetes decodes it. Every rule's examples are judged again with every member
 * that a rule could read, and that is not there, written as null.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "rules/core/mem.h"
#include "rules/core/yaml.h"
#include "rules/kube/gvk.h"
#include "rules/virt/shape.h"
#include "tests/support/world.h"

static void put_value(struct lg_buf *out, struct lg_val v, const struct lg_shape *shape);

static void put_key(struct lg_buf *out, const char *name, size_t n)
{
    lg_buf_printf(out, "%s\"%.*s\":", out->p[out->n - 1] == '{' ? "" : ",", (int)n, name);
}

/* The object with its members, then a null for each of the table's that is not there. Tables end:
 * so does this. */
static void put_object(struct lg_buf *out, struct lg_val object, const struct lg_shape *table)
{
    lg_buf_putc(out, '{');
    for (struct lg_json_iter it = lg_json_iter(object); lg_json_next(&it);) {
        const struct lg_shape *shape = lg_shape_find(table, it.key);
        struct lg_str key = lg_json_text((struct lg_val){it.val.doc, it.val.i - 1});
        lg_buf_printf(out, "%s%.*s:", out->p[out->n - 1] == '{' ? "" : ",", LG_ARG(key));
        put_value(out, it.val, shape);
    }
    for (const struct lg_shape *shape = table; shape->name != NULL; shape++)
        if (!lg_json_has(object, shape->name)) {
            put_key(out, shape->name, shape->name_bytes);
            lg_buf_puts(out, "null");
        }
    lg_buf_putc(out, '}');
}

static void put_value(struct lg_buf *out, struct lg_val v, const struct lg_shape *shape)
{
    bool known = shape != NULL && shape->of != NULL;
    if (known && shape->type == LG_SHAPE_OBJECT && lg_json_kind(v) == LG_JSON_OBJECT) {
        put_object(out, v, shape->of);
    } else if (known && shape->type == LG_SHAPE_OBJECTS && lg_json_kind(v) == LG_JSON_ARRAY) {
        lg_buf_putc(out, '[');
        for (struct lg_json_iter it = lg_json_iter(v); lg_json_next(&it);) {
            lg_buf_puts(out, it.index != 0 ? "," : "");
            if (lg_json_kind(it.val) == LG_JSON_OBJECT)
                put_object(out, it.val, shape->of);
            else
                lg_buf_str(out, lg_json_text(it.val));
        }
        lg_buf_putc(out, ']');
    } else {
        lg_buf_str(out, lg_json_text(v));
    }
}

static enum lg_kind kind_of(struct lg_val object)
{
    return lg_kind_of(lg_json_str_at(object, "apiVersion"), lg_json_str_at(object, "kind"));
}

static void put_with_nulls(struct lg_buf *out, struct lg_val object, enum lg_kind kind)
{
    const struct lg_shape *table = lg_shape_of(kind);
    if (table != NULL)
        put_object(out, object, table);
    else
        lg_buf_str(out, lg_json_text(object));
}

static struct lg_val with_nulls(struct lg_world *world, const char *text)
{
    struct lg_buf out lg_cleanup(lg_buf_done) = {0};
    struct lg_val object = lg_world_object(world, text);
    put_with_nulls(&out, object, kind_of(object));
    struct lg_val ret = LG_NONE;
    struct lg_err err = {0};
    if (lg_json_parse(&world->arena, lg_arena_str(&world->arena, lg_buf_view(&out)), &ret, &err) !=
        LG_E_OK)
        fail_msg("%s: %s", err.where, err.text);
    return ret;
}

/* The documents of `text` with nulls, each as JSON. */
static void inventory_with_nulls(const char *text, struct lg_buf *out)
{
    struct lg_world world;
    struct lg_yaml_document document = {0};
    struct lg_err err = {0};
    lg_world_init(&world);
    for (size_t pos = 0; lg_yaml_next_document(lg_str_of(text), &pos, &document);) {
        struct lg_val object = LG_NONE;
        if (lg_yaml_parse(&world.arena, &document, "text", &object, &err) != LG_E_OK)
            fail_msg("%s: %s", err.where, err.text);
        if (!lg_json_there(object))
            continue;
        lg_buf_puts(out, "---\n");
        put_with_nulls(out, object, kind_of(object));
        lg_buf_putc(out, '\n');
    }
    lg_world_done(&world);
}

/* What `check --fix` would do about the example. */
static void mend(struct lg_world *world, const struct lg_engine_input *input, struct lg_buf *out)
{
    struct lg_mending mending;
    lg_engine_mend(input, LG_MEND_FILE, &world->arena, &mending);
    for (size_t i = 0; i < mending.n_notes; i++)
        lg_buf_printf(out, "%s: %.*s\n", mending.notes[i].rule->id, LG_ARG(mending.notes[i].text));
    for (size_t i = 0; i < mending.n_reasons; i++)
        lg_buf_printf(out, "%s stays: %.*s\n", mending.reasons[i].rule->id,
                      LG_ARG(mending.reasons[i].text));
}

static void judge(struct lg_world *world, const struct lg_rule_example *example, bool nulls,
                  struct lg_judgement *ret, struct lg_buf *ret_mended)
{
    struct lg_buf inventory lg_cleanup(lg_buf_done) = {0};
    struct lg_engine_input input = {.op = LG_OP_CREATE};
    if (example->inventory != NULL && nulls)
        inventory_with_nulls(example->inventory, &inventory);
    if (example->inventory != NULL)
        lg_world_add_text(world, nulls ? inventory.p : example->inventory);
    lg_world_know(world, example->known);
    if (example->policy != NULL)
        lg_world_set_policy(world, lg_str_of(example->policy), example->name);
    input.object =
        nulls ? with_nulls(world, example->object) : lg_world_object(world, example->object);
    if (example->old_object != NULL) {
        input.op = LG_OP_UPDATE;
        input.old_object = nulls ? with_nulls(world, example->old_object)
                                 : lg_world_object(world, example->old_object);
    }
    lg_world_judge(world, input, ret);
    input = lg_world_input(world, input);
    mend(world, &input, ret_mended);
}

static bool same(const struct lg_judgement *a, const struct lg_judgement *b)
{
    if (a->refused != b->refused || a->verdict != b->verdict || a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++) {
        const struct lg_finding *x = &a->findings[i], *y = &b->findings[i];
        if (x->rule != y->rule || x->action != y->action || x->pending != y->pending ||
            !lg_str_eq(x->about, y->about) || !lg_str_eq(x->message, y->message) ||
            !lg_str_eq(x->fix, y->fix) || !lg_str_eq(x->field, y->field))
            return false;
    }
    return true;
}

static void print(const char *how, const struct lg_judgement *judgement, struct lg_str mended)
{
    print_error("  %s: %s %s %s\n", how, lg_action_name(judgement->verdict),
                judgement->refusal.where, judgement->refusal.text);
    for (size_t i = 0; i < judgement->n; i++) {
        const struct lg_finding *finding = &judgement->findings[i];
        print_error("    %s %s at %.*s: %.*s\n", finding->rule->id, lg_action_name(finding->action),
                    LG_ARG(finding->field), LG_ARG(finding->message));
    }
    print_error("    mended: %.*s\n", LG_ARG(mended));
}

static bool holds(const struct lg_rule *rule, const struct lg_rule_example *example)
{
    struct lg_world plain, nulls;
    struct lg_judgement expected, got;
    struct lg_buf expected_mended lg_cleanup(lg_buf_done) = {0},
                                  mended lg_cleanup(lg_buf_done) = {0};
    lg_world_init(&plain);
    lg_world_init(&nulls);
    judge(&plain, example, false, &expected, &expected_mended);
    judge(&nulls, example, true, &got, &mended);
    bool ok =
        same(&expected, &got) && lg_str_eq(lg_buf_view(&expected_mended), lg_buf_view(&mended));
    if (!ok) {
        print_error("%s \"%s\":\n", rule->id, example->name);
        print("left out", &expected, lg_buf_view(&expected_mended));
        print("null", &got, lg_buf_view(&mended));
    }
    lg_world_done(&nulls);
    lg_world_done(&plain);
    return ok;
}

static void a_null_is_judged_as_nothing(void **state)
{
    (void)state;
    size_t run = 0, failed = 0;
    for (size_t i = 0; lg_rules[i] != NULL; i++)
        for (const struct lg_rule_example *example = lg_rules[i]->examples; example->name != NULL;
             example++) {
            run++;
            failed += !holds(lg_rules[i], example);
        }
    print_message("%zu examples with nulls, %zu judged otherwise\n", run, failed);
    assert_true(run >= 3 * lg_rules_count());
    assert_int_equal(failed, 0);
}

/* The test itself: the nulls are there. */
static void nulls_are_written(void **state)
{
    struct lg_world world;
    (void)state;
    lg_world_init(&world);
    struct lg_val vm = with_nulls(
        &world,
        "apiVersion: kubevirt.io/v1\nkind: VirtualMachine\nmetadata: {name: a}\n"
        "spec: {template: {spec: {domain: {devices: {interfaces: [{name: x, bridge: {}}]}}}}}\n");
    struct lg_val devices = lg_json_at(vm, "spec.template.spec.domain.devices");
    struct lg_val interface = lg_json_item(lg_json_get(devices, "interfaces"), 0);
    assert_true(lg_json_has(interface, "masquerade") &&
                !lg_json_there(lg_json_get(interface, "masquerade")));
    assert_true(lg_json_there(lg_json_get(interface, "bridge")));
    assert_true(lg_json_has(devices, "gpus"));
    lg_world_done(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nulls_are_written),
        cmocka_unit_test(a_null_is_judged_as_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
