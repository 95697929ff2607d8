/* The ledger's queue, where it meets callers that do not wait for ever. Its protocol: test_queue_model.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rules/core/mem.h"
#include "webhook/limiter/queue.h"

enum { JOBS = 3 * LG_QUEUE_BATCH_MAX };

static struct {
    struct lg_queue *queue;
    struct lg_inventory *inventory;
    struct lg_arena arena;
    int64_t now_ms;
    unsigned reads, writes;
    struct lg_queue_job jobs[JOBS];
    unsigned done[JOBS], reached[JOBS];
} world;

static int64_t now_ms(void *arg)
{
    (void)arg;
    return world.now_ms;
}

static const struct lg_inventory *inventory(void *arg)
{
    (void)arg;
    return world.inventory;
}

static void start_read(void *arg)
{
    (void)arg;
    world.reads++;
}

static void start_write(void *arg, struct lg_str text, struct lg_str version)
{
    (void)arg;
    (void)text;
    (void)version;
    world.writes++;
}

static void on_done(void *arg, struct lg_queue_job *job, bool reached)
{
    (void)arg;
    world.done[job - world.jobs]++;
    world.reached[job - world.jobs] += reached;
}

static int setup(void **state)
{
    (void)state;
    memset(&world, 0, sizeof world);
    world.now_ms = 1000 * 1000;
    world.inventory = lg_inventory_new();
    lg_arena_init(&world.arena);
    world.queue = lg_queue_new(&(struct lg_queue_ops){.now_ms = now_ms,
                                                      .inventory = inventory,
                                                      .read = start_read,
                                                      .write = start_write,
                                                      .done = on_done});
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    lg_queue_free(world.queue);
    lg_inventory_free(world.inventory);
    lg_arena_done(&world.arena);
    return 0;
}

static void submit(size_t i, const char *guest, int64_t wait_ms)
{
    world.jobs[i] = (struct lg_queue_job){.arena = &world.arena,
                                          .until_ms = world.now_ms + wait_ms,
                                          .ask = {.ns = LG_STR("a"),
                                                  .guest = lg_str_of(guest),
                                                  .node = LG_STR("n1"),
                                                  .name = lg_str_of(guest),
                                                  .id = lg_str_of(guest),
                                                  .user = LG_STR("u"),
                                                  .limit = {1, 1, 0}}};
    lg_queue_submit(world.queue, &world.jobs[i]);
}

static void who_waits_no_more_takes_no_place(void **state)
{
    (void)state;
    submit(0, "late", 2000);
    world.now_ms += 2000;
    submit(1, "next", 2000);
    lg_queue_read(world.queue, LG_STR(""), LG_STR("1"));
    assert_int_equal(world.done[0], 1);
    assert_int_equal(world.reached[0], 0);
    assert_int_equal(world.writes, 1);
    lg_queue_written(world.queue);
    assert_int_equal(world.reached[1], 1);
    assert_true(world.jobs[1].turnout.admitted);
}

static void none_pile_up_while_the_ledger_is_gone(void **state)
{
    (void)state;
    for (size_t i = 0; i < JOBS; i++)
        submit(i, "guest", 2000);
    world.now_ms += 4500;
    for (int i = 0; i < LG_QUEUE_FAILURES_MAX; i++)
        lg_queue_failed(world.queue);
    for (size_t i = 0; i < JOBS; i++) {
        assert_int_equal(world.done[i], 1);
        assert_int_equal(world.reached[i], 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(who_waits_no_more_takes_no_place, setup, teardown),
        cmocka_unit_test_setup_teardown(none_pile_up_while_the_ledger_is_gone, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
