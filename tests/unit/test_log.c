/* Log lines: one whole JSON object a line, whatever the values are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "rules/core/mem.h"
#include "webhook/runtime/log.h"
#include "webhook/runtime/thread.h"

struct sink {
    int in, out;
};

static int open_sink(void **state)
{
    struct sink *sink = lg_calloc(1, sizeof *sink);
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0)
        return -1;
    *sink = (struct sink){fds[0], fds[1]};
    (void)fcntl(sink->in, F_SETFL, O_NONBLOCK);
    lg_log_set_fd(sink->out);
    *state = sink;
    return 0;
}

static int close_sink(void **state)
{
    struct sink *sink = *state;
    lg_log_set_fd(STDERR_FILENO);
    close(sink->in);
    close(sink->out);
    free(sink);
    return 0;
}

/* What has been written so far, NUL-terminated, given. */
static char *taken(const struct sink *sink, size_t *ret_n)
{
    char *text = lg_calloc(1 << 20, 1);
    size_t n = 0;
    for (;;) {
        ssize_t got = read(sink->in, text + n, (1 << 20) - 1 - n);
        if (got <= 0)
            break;
        n += (size_t)got;
    }
    *ret_n = n;
    return text;
}

/* The only line that was written. */
static json_t *line_of(const struct sink *sink)
{
    size_t n = 0;
    char *text = taken(sink, &n);
    assert_true(n > 0 && n <= LG_LOG_LINE_BYTES_MAX);
    assert_int_equal(text[n - 1], '\n');
    assert_ptr_equal(memchr(text, '\n', n), text + n - 1);
    for (size_t i = 0; i + 1 < n; i++)
        assert_true(text[i] >= ' ' && (unsigned char)text[i] < 0x80);
    json_error_t error;
    json_t *line = json_loadb(text, n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    assert_non_null(line);
    free(text);
    return line;
}

static void a_line_has_time_level_message_and_typed_fields(void **state)
{
    lg_log(LG_LOG_WARN, "denied", LG_F_STR("name", LG_STR("orders-db")), LG_F_INT("rules", 2),
           LG_F_REAL("ms", 0.5), LG_F_BOOL("dryRun", true), LG_F_TEXT("absent", NULL));
    json_t *line = line_of(*state);
    const char *time = json_string_value(json_object_get(line, "time"));
    assert_int_equal(strlen(time), strlen("2026-11-23T08:47:00.123Z"));
    assert_int_equal(time[10], 'T');
    assert_int_equal(time[19], '.');
    assert_int_equal(time[23], 'Z');
    assert_string_equal(json_string_value(json_object_get(line, "level")), "warn");
    assert_string_equal(json_string_value(json_object_get(line, "message")), "denied");
    assert_string_equal(json_string_value(json_object_get(line, "name")), "orders-db");
    assert_int_equal(json_integer_value(json_object_get(line, "rules")), 2);
    assert_float_equal(json_real_value(json_object_get(line, "ms")), 0.5, 0);
    assert_true(json_is_true(json_object_get(line, "dryRun")));
    assert_int_equal(json_object_size(line), 7);
    json_decref(line);
}

static void a_line_without_fields_is_whole(void **state)
{
    lg_log(LG_LOG_INFO, "ready");
    json_t *line = line_of(*state);
    assert_int_equal(json_object_size(line), 3);
    json_decref(line);
}

static void an_error_becomes_three_fields(void **state)
{
    struct lg_err err = {0};
    (void)lg_err_set(&err, LG_E_TLS, "/certs", "tls.key does not belong to tls.crt");
    lg_log(LG_LOG_ERROR, "certificate kept", LG_F_ERR(&err));
    json_t *line = line_of(*state);
    assert_string_equal(json_string_value(json_object_get(line, "error")), "tls");
    assert_string_equal(json_string_value(json_object_get(line, "where")), "/certs");
    assert_string_equal(json_string_value(json_object_get(line, "reason")),
                        "tls.key does not belong to tls.crt");
    json_decref(line);
}

static void user_text_cannot_forge_a_line_or_steer_a_terminal(void **state)
{
    struct lg_str hostile = LG_STR("a\n{\"level\":\"info\"}\x1b[2J\0\xe2\x80\xae\"\\");
    lg_log(LG_LOG_INFO, "denied", LG_F_STR("name", hostile));
    json_t *line = line_of(*state);
    json_t *name = json_object_get(line, "name");
    assert_int_equal(json_string_length(name), hostile.n);
    assert_memory_equal(json_string_value(name), hostile.p, hostile.n);
    json_decref(line);
}

static void text_that_is_not_utf8_is_shown_escaped(void **state)
{
    lg_log(LG_LOG_INFO, "denied", LG_F_STR("name", LG_STR("a\xff z")));
    json_t *line = line_of(*state);
    assert_string_equal(json_string_value(json_object_get(line, "name")), "a\\xff z");
    json_decref(line);
}

static void numbers_that_json_lacks_become_null(void **state)
{
    lg_log(LG_LOG_INFO, "odd", LG_F_REAL("nan", (double)NAN), LG_F_REAL("inf", (double)INFINITY));
    json_t *line = line_of(*state);
    assert_true(json_is_null(json_object_get(line, "nan")));
    assert_true(json_is_null(json_object_get(line, "inf")));
    json_decref(line);
}

static void long_values_are_cut_until_the_line_fits(void **state)
{
    enum { BYTES = 100000 };
    char *text = lg_calloc(BYTES, 1); /* NUL characters: six bytes each, escaped */
    struct lg_str s = {text, BYTES};
    lg_log(LG_LOG_INFO, "denied", LG_F_STR("a", s), LG_F_STR("b", s), LG_F_STR("c", s),
           LG_F_INT("last", 7));
    json_t *line = line_of(*state);
    assert_true(json_is_true(json_object_get(line, "truncated")));
    assert_int_equal(json_string_length(json_object_get(line, "a")), 1024);
    assert_int_equal(json_integer_value(json_object_get(line, "last")), 7);
    json_decref(line);
    free(text);
}

static void lines_that_nobody_reads_are_dropped_and_counted(void **state)
{
    const struct sink *sink = *state;
    uint64_t before = lg_log_dropped();
    char page[4096] = {0};
    (void)fcntl(sink->out, F_SETFL, O_NONBLOCK);
    while (write(sink->out, page, sizeof page) > 0)
        ;
    for (int i = 0; i < 3; i++)
        lg_log(LG_LOG_INFO, "lost");
    assert_int_equal(lg_log_dropped() - before, 3);
    size_t n = 0;
    free(taken(sink, &n));
    lg_log(LG_LOG_INFO, "found");
    json_t *line = line_of(sink);
    assert_string_equal(json_string_value(json_object_get(line, "message")), "found");
    assert_int_equal(json_integer_value(json_object_get(line, "dropped")), 3);
    json_decref(line);
    lg_log(LG_LOG_INFO, "next");
    line = line_of(sink);
    assert_null(json_object_get(line, "dropped"));
    json_decref(line);
}

/* The descriptor is a blocking one, as a container's standard error is. */
static void a_line_longer_than_the_room_left_is_broken_off(void **state)
{
    enum { PIPE = 64 * 1024, LEFT = 8 * 1024, VALUE = 8000 };
    const struct sink *sink = *state;
    uint64_t before = lg_log_dropped();
    char page[4096] = {0}, text[VALUE];
    memset(text, 'x', sizeof text);
    assert_int_equal(fcntl(sink->out, F_SETPIPE_SZ, PIPE), PIPE);
    for (int i = 0; i < (PIPE - LEFT) / (int)sizeof page; i++)
        assert_int_equal(write(sink->out, page, sizeof page), sizeof page);
    (void)alarm(20); /* it must not wait for a reader */
    lg_log(LG_LOG_INFO, "lost", LG_F_STR("a", ((struct lg_str){text, VALUE})),
           LG_F_STR("b", ((struct lg_str){text, VALUE})));
    (void)alarm(0);
    assert_int_equal(lg_log_dropped() - before, 1);
    size_t n = 0;
    free(taken(sink, &n));
    assert_true(n > PIPE - LEFT && n <= PIPE);
    lg_log(LG_LOG_INFO, "found");
    char *rest = taken(sink, &n);
    assert_int_equal(rest[0], '\n');
    json_t *line = json_loads(rest + 1, 0, NULL);
    assert_non_null(line);
    assert_string_equal(json_string_value(json_object_get(line, "message")), "found");
    assert_int_equal(json_integer_value(json_object_get(line, "dropped")), 1);
    json_decref(line);
    free(rest);
}

static void log_many(void *arg)
{
    for (int i = 0; i < 100; i++)
        lg_log(LG_LOG_INFO, "many", LG_F_INT("thread", *(int *)arg), LG_F_INT("i", i));
}

static void lines_of_many_threads_stay_whole(void **state)
{
    const struct sink *sink = *state;
    (void)fcntl(sink->out, F_SETPIPE_SZ, 1 << 20);
    struct lg_thread threads[4] = {0};
    int ids[4] = {0, 1, 2, 3};
    struct lg_err err = {0};
    for (int i = 0; i < 4; i++)
        assert_int_equal(lg_thread_start(&threads[i], "log", log_many, &ids[i], &err), LG_E_OK);
    for (int i = 0; i < 4; i++)
        lg_thread_join(&threads[i]);
    size_t n = 0;
    char *text = taken(sink, &n);
    size_t lines = 0;
    for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1, lines++) {
        json_error_t error;
        json_t *object = json_loadb(line, (size_t)(end - line), 0, &error);
        assert_non_null(object);
        assert_int_equal(json_object_size(object), 5);
        json_decref(object);
    }
    assert_int_equal(lines, 400);
    free(text);
}

static void note_signals(void *arg)
{
    sigset_t *set = arg;
    pthread_sigmask(SIG_BLOCK, NULL, set);
}

static void threads_are_deaf_to_signals_from_outside(void **state)
{
    (void)state;
    struct lg_thread thread = {0};
    struct lg_err err = {0};
    sigset_t set;
    sigemptyset(&set);
    assert_int_equal(lg_thread_start(&thread, "a name that is too long", note_signals, &set, &err),
                     LG_E_OK);
    lg_thread_join(&thread);
    assert_false(thread.started);
    assert_true(sigismember(&set, SIGTERM));
    assert_true(sigismember(&set, SIGHUP));
    assert_true(sigismember(&set, SIGPIPE));
    assert_false(sigismember(&set, SIGSEGV));
    lg_thread_join(&thread);
}

#define LOG_TEST(f) cmocka_unit_test_setup_teardown(f, open_sink, close_sink)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOG_TEST(a_line_has_time_level_message_and_typed_fields),
        LOG_TEST(a_line_without_fields_is_whole),
        LOG_TEST(an_error_becomes_three_fields),
        LOG_TEST(user_text_cannot_forge_a_line_or_steer_a_terminal),
        LOG_TEST(text_that_is_not_utf8_is_shown_escaped),
        LOG_TEST(numbers_that_json_lacks_become_null),
        LOG_TEST(long_values_are_cut_until_the_line_fits),
        LOG_TEST(lines_that_nobody_reads_are_dropped_and_counted),
        LOG_TEST(a_line_longer_than_the_room_left_is_broken_off),
        LOG_TEST(lines_of_many_threads_stay_whole),
        cmocka_unit_test(threads_are_deaf_to_signals_from_outside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
