/* Requests to an API server over real TLS: bytes, bounds, credentials, and every way in which it
 * can go wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rules/core/file.h"
#include "rules/core/mem.h"
#include "tests/support/asserts.h"
#include "tests/support/canned_api.h"
#include "webhook/cluster/http.h"
#include "webhook/runtime/clock.h"

enum { DEADLINE_MS = 120 * 1000, BEGUN_MS = 3000 /* a busy machine has begun an answer within */ };

struct bench {
    char dir[64], path[128];
    struct lg_canned *canned;
    struct lg_kubeconfig config;
    struct lg_http *http;
};

struct seen {
    unsigned ends, chunks;
    int status;
    struct lg_err err;
    struct lg_buf body;
    int64_t retry_after_s;
    enum lg_err_code refuse; /* what the chunk callback returns */
};

static int set_up(void **state)
{
    struct bench *b = lg_calloc(1, sizeof *b);
    struct lg_canned_options options = {.token = "one", .counts = {[LG_KIND_NODE] = 300}};
    (void)snprintf(b->dir, sizeof b->dir, "/tmp/livegate-http-XXXXXX");
    assert_non_null(mkdtemp(b->dir));
    (void)snprintf(b->path, sizeof b->path, "%s/config", b->dir);
    b->canned = lg_canned_start(&options);
    lg_canned_kubeconfig(b->canned, b->path, NULL);
    struct lg_err err = {0};
    assert_int_equal(lg_kubeconfig_read_file(b->path, NULL, &b->config, &err), LG_E_OK);
    assert_int_equal(lg_http_new(&b->config, &b->http, &err), LG_E_OK);
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    lg_http_free(b->http);
    lg_kubeconfig_done(&b->config);
    lg_canned_stop(b->canned);
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf %s", b->dir);
    assert_int_equal(system(command), 0);
    free(b);
    return 0;
}

static enum lg_err_code on_chunk(void *arg, struct lg_str chunk, struct lg_err *err)
{
    struct seen *seen = arg;
    seen->chunks++;
    lg_buf_str(&seen->body, chunk);
    return seen->refuse != LG_E_OK ? lg_err_set(err, seen->refuse, "here", "enough") : LG_E_OK;
}

static void on_done(void *arg, const struct lg_http_answer *answer)
{
    struct seen *seen = arg;
    seen->ends++;
    seen->status = answer->status;
    seen->err = answer->err;
    seen->retry_after_s = answer->retry_after_s;
    if (answer->body.n != 0)
        lg_buf_str(&seen->body, answer->body);
}

static void run_until(struct bench *b, const bool *done)
{
    int64_t end_ms = lg_clock_mono_ms() + DEADLINE_MS;
    while (lg_http_calls(b->http) != 0 && !(done != NULL && *done)) {
        assert_true(lg_clock_mono_ms() < end_ms);
        lg_http_turn(b->http, 50);
    }
}

static struct seen ask(struct bench *b, struct lg_http_request request)
{
    struct seen seen = {0};
    request.done = on_done;
    request.arg = &seen;
    if (request.path.p == NULL)
        request.path = LG_STR("/api/v1/nodes");
    if (request.body_bytes_max == 0)
        request.body_bytes_max = 64 * 1024 * 1024;
    (void)lg_http_start(b->http, &request);
    run_until(b, NULL);
    assert_int_equal(seen.ends, 1);
    return seen;
}

static void an_answer_is_collected(void **state)
{
    struct seen seen = ask(*state, (struct lg_http_request){0});
    assert_int_equal(seen.status, 200);
    assert_int_equal(seen.err.code, LG_E_OK);
    assert_true(lg_str_starts(lg_buf_view(&seen.body), "{\"kind\":\"NodeList\""));
    assert_true(lg_str_ends(lg_buf_view(&seen.body), "]}\n"));
    lg_buf_done(&seen.body);
}

static void an_answer_is_streamed(void **state)
{
    struct seen all = ask(*state, (struct lg_http_request){0});
    struct seen seen = ask(*state, (struct lg_http_request){.chunk = on_chunk, .bulk = true});
    assert_int_equal(seen.status, 200);
    assert_true(seen.chunks > 3);
    assert_true(lg_str_eq(lg_buf_view(&seen.body), lg_buf_view(&all.body)));
    lg_buf_done(&seen.body);
    lg_buf_done(&all.body);
}

static void what_is_collected_is_bounded(void **state)
{
    struct bench *b = *state;
    struct seen seen = ask(b, (struct lg_http_request){.body_bytes_max = 1000});
    lg_assert_err(&seen.err, LG_E_LIMIT, b->config.server, "the answer is larger than 1000 bytes");
    assert_true(seen.body.n <= 1000);
    lg_buf_done(&seen.body);
}

static void a_reader_may_end_an_answer(void **state)
{
    struct seen seen =
        ask(*state, (struct lg_http_request){.chunk = on_chunk, .path = LG_STR("/api/v1/nodes")});
    lg_buf_done(&seen.body);
    struct seen refused = {.refuse = LG_E_INVALID};
    struct bench *b = *state;
    (void)lg_http_start(b->http, &(struct lg_http_request){.path = LG_STR("/api/v1/nodes"),
                                                           .chunk = on_chunk,
                                                           .done = on_done,
                                                           .arg = &refused});
    run_until(b, NULL);
    assert_int_equal(refused.ends, 1);
    assert_int_equal(refused.chunks, 1);
    lg_assert_err(&refused.err, LG_E_INVALID, "here", "enough");
    lg_buf_done(&refused.body);
}

static void an_error_status_brings_its_body_and_never_chunks(void **state)
{
    struct bench *b = *state;
    lg_canned_fault(b->canned, LG_KIND_NODE, LG_CANNED_LIST, 429, 1);
    struct seen seen = ask(b, (struct lg_http_request){.chunk = on_chunk});
    assert_int_equal(seen.status, 429);
    assert_int_equal(seen.err.code, LG_E_OK);
    assert_int_equal(seen.chunks, 0);
    assert_int_equal(seen.retry_after_s, 1);
    assert_non_null(memmem(seen.body.p, seen.body.n, "canned TooManyRequests", 22));
    lg_buf_done(&seen.body);
}

static void a_connection_that_breaks_off_is_an_error(void **state)
{
    struct bench *b = *state;
    lg_canned_fault(b->canned, LG_KIND_NODE, LG_CANNED_LIST, LG_CANNED_CUT, 1);
    struct seen seen = ask(b, (struct lg_http_request){.chunk = on_chunk});
    assert_int_equal(seen.status, 200);
    assert_int_equal(seen.err.code, LG_E_UNAVAILABLE);
    assert_string_equal(seen.err.where, b->config.server);
    assert_true(seen.err.text[0] != '\0');
    lg_buf_done(&seen.body);
}

static void nobody_there_is_an_error_with_the_address(void **state)
{
    struct bench *b = *state;
    lg_canned_stop(b->canned);
    b->canned = NULL;
    struct seen seen = ask(b, (struct lg_http_request){0});
    assert_int_equal(seen.status, 0);
    assert_int_equal(seen.err.code, LG_E_UNAVAILABLE);
    assert_string_equal(seen.err.where, b->config.server);
    assert_string_equal(
        seen.err.text,
        "Connection refused; the API server must be up, and this must be its address");
}

static void another_authority_is_refused(void **state)
{
    struct bench *b = *state;
    struct lg_canned_options options = {.token = "one"};
    struct lg_canned *other = lg_canned_start(&options);
    lg_secret_done(&b->config.ca);
    const char *ca = lg_canned_ca(other);
    lg_secret_set(&b->config.ca, lg_memdup(ca, strlen(ca)), strlen(ca));
    struct seen seen = ask(b, (struct lg_http_request){0});
    assert_int_equal(seen.status, 0);
    assert_int_equal(seen.err.code, LG_E_TLS);
    assert_string_equal(seen.err.where, b->config.server);
    assert_non_null(strstr(seen.err.text, "certificate"));
    assert_non_null(strstr(seen.err.text, "certificate-authority"));
    lg_canned_stop(other);
}

static void another_name_is_refused_unless_it_is_the_tls_server_name(void **state)
{
    struct bench *b = *state;
    b->config.tls_server_name = lg_memdup("kubernetes.default", 18);
    struct seen seen = ask(b, (struct lg_http_request){0});
    assert_int_equal(seen.err.code, LG_E_TLS);
    assert_non_null(strstr(seen.err.text, "kubernetes.default"));
    free(b->config.tls_server_name);
    b->config.tls_server_name = lg_memdup("kubernetes.default.svc", 22);
    seen = ask(b, (struct lg_http_request){0});
    assert_int_equal(seen.err.code, LG_E_OK);
    assert_int_equal(seen.status, 200);
    lg_buf_done(&seen.body);
}

static void an_insecure_kubeconfig_looks_at_no_certificate(void **state)
{
    struct bench *b = *state;
    lg_secret_done(&b->config.ca);
    b->config.insecure = true;
    struct seen seen = ask(b, (struct lg_http_request){0});
    assert_int_equal(seen.status, 200);
    lg_buf_done(&seen.body);
}

static void a_token_file_is_read_again_when_it_changed(void **state)
{
    struct bench *b = *state;
    struct lg_err err = {0};
    char path[160];
    (void)snprintf(path, sizeof path, "%s/token", b->dir);
    assert_int_equal(lg_file_write(path, LG_STR("one\n"), 0600, &err), LG_E_OK);
    lg_secret_done(&b->config.token);
    assert_int_equal(lg_secret_open(&b->config.token, path, &err), LG_E_OK);
    struct seen seen = ask(b, (struct lg_http_request){0});
    assert_int_equal(seen.status, 200);
    lg_buf_done(&seen.body);

    lg_canned_set_token(b->canned, "two");
    seen = ask(b, (struct lg_http_request){0});
    assert_int_equal(seen.status, 401);
    lg_buf_done(&seen.body);

    assert_int_equal(lg_file_write(path, LG_STR("two\n"), 0600, &err), LG_E_OK);
    seen = ask(b, (struct lg_http_request){0});
    assert_int_equal(seen.status, 200);
    lg_buf_done(&seen.body);
}

static void a_token_file_is_read_again_after_401_whatever_its_time_says(void **state)
{
    struct bench *b = *state;
    struct lg_err err = {0};
    struct stat st;
    char path[160];
    (void)snprintf(path, sizeof path, "%s/token", b->dir);
    assert_int_equal(lg_file_write(path, LG_STR("one"), 0600, &err), LG_E_OK);
    lg_secret_done(&b->config.token);
    assert_int_equal(lg_secret_open(&b->config.token, path, &err), LG_E_OK);
    assert_int_equal(stat(path, &st), 0);
    /* the same file, size and time, another text */
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    assert_int_equal(fputs("two", file), 1);
    assert_int_equal(fclose(file), 0);
    struct timespec times[2] = {st.st_atim, st.st_mtim};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);

    lg_canned_set_token(b->canned, "two");
    struct seen seen = ask(b, (struct lg_http_request){0});
    assert_int_equal(seen.status, 401);
    lg_buf_done(&seen.body);
    seen = ask(b, (struct lg_http_request){0});
    assert_int_equal(seen.status, 200);
    lg_buf_done(&seen.body);
}

static void writes_carry_method_type_and_body(void **state)
{
    struct seen seen =
        ask(*state, (struct lg_http_request){.method = LG_HTTP_PUT, .body = LG_STR("{\"a\":1}")});
    assert_string_equal(seen.body.p, "PUT application/json {\"a\":1}");
    lg_buf_done(&seen.body);
    seen = ask(*state, (struct lg_http_request){.method = LG_HTTP_PATCH,
                                                .content_type = "application/merge-patch+json",
                                                .body = LG_STR("{}")});
    assert_string_equal(seen.body.p, "PATCH application/merge-patch+json {}");
    lg_buf_done(&seen.body);
    seen = ask(*state, (struct lg_http_request){.method = LG_HTTP_POST});
    assert_string_equal(seen.body.p, "POST application/json ");
    lg_buf_done(&seen.body);
}

#define NO_ANSWER                                                                                  \
    "no answer in time; it hangs, or something on the way (a network policy, a firewall) drops "   \
    "what we send"

static void a_deadline_ends_a_call(void **state)
{
    struct bench *b = *state;
    struct lg_str watch = LG_STR("/api/v1/nodes?watch=1&resourceVersion=2000000000");
    int64_t start_ms = lg_clock_mono_ms();
    struct seen seen =
        ask(b, (struct lg_http_request){.path = watch, .chunk = on_chunk, .deadline_ms = BEGUN_MS});
    assert_int_equal(seen.status, 200);
    assert_int_equal(seen.err.code, LG_E_TIMEOUT);
    assert_string_equal(seen.err.text, NO_ANSWER);
    assert_in_range(lg_clock_mono_ms() - start_ms, BEGUN_MS, DEADLINE_MS);
}

/* Somebody takes the connection and says nothing. */
static void an_answer_that_does_not_begin_is_given_up(void **state)
{
    struct bench *b = *state;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t n = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, n), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &n), 0);
    char text[64];
    struct lg_err err = {0};
    lg_kubeconfig_done(&b->config);
    b->config = (struct lg_kubeconfig){0};
    (void)snprintf(text, sizeof text, "http://127.0.0.1:%u", ntohs(address.sin_port));
    assert_int_equal(lg_kubeconfig_set_server(&b->config, lg_str_of(text), "test", &err), LG_E_OK);
    int64_t start_ms = lg_clock_mono_ms();
    struct seen seen = ask(b, (struct lg_http_request){.head_ms = 300});
    assert_int_equal(seen.status, 0);
    lg_assert_err(&seen.err, LG_E_TIMEOUT, text, NO_ANSWER);
    assert_true(lg_clock_mono_ms() - start_ms >= 300);
    close(fd);
}

static void an_answer_that_began_may_take_its_time(void **state)
{
    struct bench *b = *state;
    lg_canned_fault(b->canned, LG_KIND_NODE, LG_CANNED_LIST, LG_CANNED_HANG, 1);
    int64_t start_ms = lg_clock_mono_ms();
    struct seen seen =
        ask(b, (struct lg_http_request){.head_ms = BEGUN_MS, .deadline_ms = BEGUN_MS + 2000});
    assert_int_equal(seen.status, 200); /* it was the deadline that ended it */
    assert_int_equal(seen.err.code, LG_E_TIMEOUT);
    assert_true(lg_clock_mono_ms() - start_ms >= BEGUN_MS + 2000);
}

static void an_answer_that_falls_silent_is_given_up(void **state)
{
    struct bench *b = *state;
    lg_canned_fault(b->canned, LG_KIND_NODE, LG_CANNED_LIST, LG_CANNED_HANG, 1);
    int64_t start_ms = lg_clock_mono_ms();
    struct seen seen =
        ask(b, (struct lg_http_request){.idle_ms = BEGUN_MS, .deadline_ms = DEADLINE_MS});
    assert_int_equal(seen.status, 200);
    assert_int_equal(seen.err.code, LG_E_TIMEOUT);
    assert_in_range(lg_clock_mono_ms() - start_ms, BEGUN_MS, DEADLINE_MS - 1);
}

static void a_cancelled_call_never_calls_back(void **state)
{
    struct bench *b = *state;
    struct seen seen = {0};
    struct lg_http_call *call =
        lg_http_start(b->http, &(struct lg_http_request){.path = LG_STR("/api/v1/nodes?watch=1"),
                                                         .chunk = on_chunk,
                                                         .done = on_done,
                                                         .arg = &seen});
    for (int i = 0; i < 5; i++)
        lg_http_turn(b->http, 20);
    lg_http_cancel(b->http, call);
    lg_http_cancel(b->http, NULL);
    assert_int_equal(lg_http_calls(b->http), 0);
    for (int i = 0; i < 5; i++)
        lg_http_turn(b->http, 5);
    assert_int_equal(seen.ends, 0);
}

static void environment_proxies_are_not_asked(void **state)
{
    assert_int_equal(setenv("https_proxy", "http://127.0.0.1:1", 1), 0);
    assert_int_equal(setenv("ALL_PROXY", "http://127.0.0.1:1", 1), 0);
    struct seen seen = ask(*state, (struct lg_http_request){0});
    unsetenv("https_proxy");
    unsetenv("ALL_PROXY");
    assert_int_equal(seen.status, 200);
    lg_buf_done(&seen.body);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(an_answer_is_collected),
        TEST(an_answer_is_streamed),
        TEST(what_is_collected_is_bounded),
        TEST(a_reader_may_end_an_answer),
        TEST(an_error_status_brings_its_body_and_never_chunks),
        TEST(a_connection_that_breaks_off_is_an_error),
        TEST(nobody_there_is_an_error_with_the_address),
        TEST(another_authority_is_refused),
        TEST(another_name_is_refused_unless_it_is_the_tls_server_name),
        TEST(an_insecure_kubeconfig_looks_at_no_certificate),
        TEST(a_token_file_is_read_again_when_it_changed),
        TEST(a_token_file_is_read_again_after_401_whatever_its_time_says),
        TEST(writes_carry_method_type_and_body),
        TEST(a_deadline_ends_a_call),
        TEST(an_answer_that_does_not_begin_is_given_up),
        TEST(an_answer_that_falls_silent_is_given_up),
        TEST(an_answer_that_began_may_take_its_time),
        TEST(a_cancelled_call_never_calls_back),
        TEST(environment_proxies_are_not_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
