/* A cluster and a judge for tests of rules: an inventory from YAML, a policy, objects to judge.
 *
 * Everything lives until world_done; whatever cannot be read fails the test with its place. One
 * thread.
 */
#ifndef LG_TESTS_SUPPORT_WORLD_H
#define LG_TESTS_SUPPORT_WORLD_H

#include "rules/limiter.h"
#include "rules/mend.h"

struct lg_world {
    struct lg_arena arena;
    struct lg_inventory *inventory;
    struct lg_policy *policy;
};

void lg_world_init(struct lg_world *world);
void lg_world_done(struct lg_world *world);

/* Adds the objects of a file; their kinds are complete then. */
void lg_world_add_file(struct lg_world *world, const char *path);
/* The same for YAML documents in a text. */
void lg_world_add_text(struct lg_world *world, const char *text);
/* Marks kinds (LG_BIT) as complete though no object of them was added. */
void lg_world_know(struct lg_world *world, unsigned kinds);

void lg_world_set_policy(struct lg_world *world, struct lg_str text, const char *file);

/* The first document of a text, or of a file; LG_NONE where the file does not exist. */
struct lg_val lg_world_object(struct lg_world *world, const char *text);
struct lg_val lg_world_object_file(struct lg_world *world, const char *path);

/* Fills in what lg_world_judge does. */
struct lg_engine_input lg_world_input(struct lg_world *world, struct lg_engine_input input);

/* Judges `input` with a limiter that remembers nothing, whose inventory and policy are the world's
 * and whose kind, ns and name are the object's where they are not set. */
void lg_world_judge(struct lg_world *world, struct lg_engine_input input, struct lg_judgement *ret);

#endif
