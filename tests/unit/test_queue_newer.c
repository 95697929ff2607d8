/* The ledger's queue over a newer livegate's ledger: it is left alone, and read once for whoever
 * asks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "webhook/limiter/queue.h"

static struct {
    unsigned reads, writes, newer, done, reached;
} seen;

static int64_t now_ms(void *arg)
{
    (void)arg;
    return 1000 * 1000;
}

static void start_read(void *arg)
{
    (void)arg;
    seen.reads++;
}

static void start_write(void *arg, struct lg_str text, struct lg_str version)
{
    (void)arg;
    (void)text;
    (void)version;
    seen.writes++;
}

static void unreadable(void *arg, const struct lg_err *err)
{
    (void)arg;
    seen.newer += err->code == LG_E_UNSUPPORTED;
}

static void on_done(void *arg, struct lg_queue_job *job, bool reached)
{
    (void)arg;
    (void)job;
    seen.done++;
    seen.reached += reached;
}

/* Nothing is written over it, and nobody let through as if there were none. */
static void a_newer_ledger_is_left_alone(void **state)
{
    (void)state;
    struct lg_queue *queue = lg_queue_new(&(struct lg_queue_ops){.now_ms = now_ms,
                                                                 .read = start_read,
                                                                 .write = start_write,
                                                                 .unreadable = unreadable,
                                                                 .done = on_done});
    struct lg_queue_job jobs[2] = {{.until_ms = INT64_MAX}, {.until_ms = INT64_MAX}};
    for (unsigned i = 0; i < 2; i++) {
        lg_queue_submit(queue, &jobs[i]);
        lg_queue_read(queue, LG_STR("{\"schema\":2}"), LG_STR("1"));
        assert_int_equal(seen.reads, i + 1);
        assert_int_equal(seen.newer, i + 1);
        assert_int_equal(seen.done, i + 1);
    }
    assert_int_equal(seen.writes + seen.reached, 0);
    lg_queue_free(queue);
    assert_int_equal(seen.done, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_newer_ledger_is_left_alone)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
