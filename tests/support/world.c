#include "tests/support/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "rules/core/file.h"
#include "rules/core/yaml.h"
#include "rules/manifest.h"

enum { WORLD_FILE_BYTES_MAX = 1 << 20 };

void lg_world_init(struct lg_world *world)
{
    lg_arena_init(&world->arena);
    world->inventory = lg_inventory_new();
    world->policy = lg_policy_default();
}

void lg_world_done(struct lg_world *world)
{
    lg_policy_unref(world->policy);
    lg_inventory_free(world->inventory);
    lg_arena_done(&world->arena);
}

void lg_world_add_file(struct lg_world *world, const char *path)
{
    struct lg_manifests manifests = {0};
    struct lg_err err = {0};
    enum lg_err_code code = lg_manifests_read(&manifests, path, &err);
    if (code == LG_E_OK)
        code = lg_manifests_fill(&manifests, world->inventory, &err);
    lg_manifests_done(&manifests);
    if (code != LG_E_OK)
        fail_msg("%s: %s: %s", path, err.where, err.text);
}

void lg_world_add_text(struct lg_world *world, const char *text)
{
    char path[] = "/tmp/livegate-world-XXXXXX.yaml";
    int fd = mkstemps(path, 5);
    assert_true(fd >= 0);
    size_t n = strlen(text);
    bool written = write(fd, text, n) == (ssize_t)n;
    (void)close(fd);
    if (written)
        lg_world_add_file(world, path);
    (void)unlink(path);
    assert_true(written);
}

void lg_world_know(struct lg_world *world, unsigned kinds)
{
    for (int kind = 0; kind < LG_KIND_COUNT; kind++)
        if ((kinds & LG_BIT(kind)) != 0)
            lg_inventory_set_known(world->inventory, (enum lg_kind)kind, LG_KNOWN);
}

void lg_world_set_policy(struct lg_world *world, struct lg_str text, const char *file)
{
    struct lg_err err = {0};
    lg_policy_unref(world->policy);
    world->policy = NULL;
    if (lg_policy_parse(text, file, &world->policy, &err) != LG_E_OK)
        fail_msg("%s: %s", err.where, err.text);
}

static struct lg_val read_object(struct lg_world *world, struct lg_str text, const char *file)
{
    struct lg_yaml_document document = {0};
    struct lg_val object = LG_NONE;
    struct lg_err err = {0};
    size_t pos = 0;
    if (!lg_yaml_next_document(text, &pos, &document))
        fail_msg("%s: no document", file);
    if (lg_yaml_parse(&world->arena, &document, file, &object, &err) != LG_E_OK)
        fail_msg("%s: %s", err.where, err.text);
    return object;
}

struct lg_val lg_world_object(struct lg_world *world, const char *text)
{
    return read_object(world, lg_arena_str(&world->arena, lg_str_of(text)), "text");
}

struct lg_val lg_world_object_file(struct lg_world *world, const char *path)
{
    char *text = NULL;
    size_t n = 0;
    struct lg_err err = {0};
    enum lg_err_code code = lg_file_read(path, WORLD_FILE_BYTES_MAX, &text, &n, &err);
    if (code == LG_E_NOTFOUND)
        return LG_NONE;
    if (code != LG_E_OK)
        fail_msg("%s: %s", err.where, err.text);
    struct lg_str copy = lg_arena_str(&world->arena, (struct lg_str){text, n});
    free(text);
    const char *name = lg_arena_str(&world->arena, lg_str_of(path)).p;
    return read_object(world, copy, name);
}

struct lg_engine_input lg_world_input(struct lg_world *world, struct lg_engine_input input)
{
    struct lg_val of = lg_json_there(input.object) ? input.object : input.old_object;
    input.inventory = world->inventory;
    input.policy = world->policy;
    input.kind = lg_kind_of(lg_json_str_at(of, "apiVersion"), lg_json_str_at(of, "kind"));
    if (input.ns.n == 0)
        input.ns = lg_json_str_at(of, "metadata.namespace");
    if (input.name.n == 0)
        input.name = lg_json_str_at(of, "metadata.name");
    return input;
}

void lg_world_judge(struct lg_world *world, struct lg_engine_input input, struct lg_judgement *ret)
{
    struct lg_ledger ledger = {0};
    input = lg_world_input(world, input);
    lg_limiter_judge(&input, &ledger, 0, &world->arena, ret);
    lg_ledger_done(&ledger);
}
