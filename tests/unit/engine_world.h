/* What a test of the engine judges, and how: the fake rules, an inventory, a policy, a VM. Included
 * by one file of a test program; one thread. */
#ifndef LG_TESTS_UNIT_ENGINE_WORLD_H
#define LG_TESTS_UNIT_ENGINE_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/core/mem.h"
#include "rules/engine.h"
#include "tests/support/objects.h"
#include "tests/unit/fake_rules.h"

/* One test's world; also what its input points to. */
struct world {
    struct lg_objects objects;
    struct lg_arena arena;
    struct lg_inventory *inventory;
    struct lg_policy *policy;
    struct lg_engine_input input;
    struct lg_judgement got;
};

static inline int setup(void **state)
{
    static struct world world;
    world = (struct world){0};
    lg_objects_init(&world.objects);
    lg_arena_init(&world.arena);
    world.inventory = lg_inventory_new();
    world.policy = lg_policy_default();
    world.input = (struct lg_engine_input){
        .kind = LG_KIND_VM,
        .op = LG_OP_CREATE,
        .ns = LG_STR("shop"),
        .name = LG_STR("orders"),
        .username = LG_STR("alice"),
    };
    lg_fake_calls = 0;
    *state = &world;
    return 0;
}

static inline int teardown(void **state)
{
    struct world *w = *state;
    lg_policy_unref(w->policy);
    lg_inventory_free(w->inventory);
    lg_arena_done(&w->arena);
    lg_objects_done(&w->objects);
    return 0;
}

static inline void judge(struct world *w)
{
    w->input.inventory = w->inventory;
    w->input.policy = w->policy;
    lg_engine_judge(&w->input, &w->arena, &w->got);
}

static inline void use_policy(struct world *w, const char *text)
{
    struct lg_err err = {0};
    lg_policy_unref(w->policy);
    w->policy = NULL;
    if (lg_policy_parse(lg_str_of(text), "policy.yaml", &w->policy, &err) != LG_E_OK)
        fail_msg("%s: %s", err.where, err.text);
}

/* A VM whose template's spec holds `spec` ("'volumes': [...]"), with `rest` behind its spec. */
static inline struct lg_val vm(struct world *w, const char *spec, const char *rest)
{
    struct lg_buf text lg_cleanup(lg_buf_done) = {0};
    lg_buf_printf(
        &text,
        "{'apiVersion':'kubevirt.io/v1','kind':'VirtualMachine','metadata':{'name':'orders',"
        "'namespace':'shop'},'spec':{'runStrategy':'Always','template':{'spec':{%s}}}%s}",
        spec, rest);
    return lg_objects_parse(&w->objects, text.p);
}

static const char volume_rwo[] =
    "'volumes':[{'name':'data','persistentVolumeClaim':{'claimName':'rwo-a'}}]";
static const char volume_rwx[] =
    "'volumes':[{'name':'data','persistentVolumeClaim':{'claimName':'rwx-a'}}]";

static inline void create(struct world *w, const char *spec)
{
    w->input.object = vm(w, spec, "");
    judge(w);
}

static inline void update(struct world *w, const char *old_spec, const char *new_spec)
{
    w->input.op = LG_OP_UPDATE;
    w->input.old_object = vm(w, old_spec, "");
    w->input.object = vm(w, new_spec, "");
    judge(w);
}

static inline void expect(const struct lg_finding *finding, const char *rule, enum lg_action action,
                          const char *about)
{
    assert_string_equal(finding->rule->id, rule);
    assert_string_equal(lg_action_name(finding->action), lg_action_name(action));
    assert_true(lg_str_is(finding->about, about));
}

#endif
