/* The real server's /mutate: a patch where policy says so, else the object passes as it is. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <lg_test_paths.h>

#include "rules/core/mem.h"
#include "tests/support/serve.h"

#define POLICY "apiVersion: livegate.io/v1\nkind: Policy\n"

static struct lg_serve server = {.process = {.input = -1, .output = -1}};

static int start(void **state)
{
    (void)state;
    lg_serve_init(&server);
    const char *policy = lg_serve_path(&server, "policy.yaml");
    lg_write_file(policy, LG_STR(POLICY "mutate: {LG201: {}}\n"));
    lg_serve_start(&server, (const char *[]){"--drain", "0s", "--policy", policy, NULL});
    return 0;
}

static int stop(void **state)
{
    (void)state;
    lg_serve_stop(&server);
    lg_serve_done(&server);
    return 0;
}

/* The recorded creation of a guest that is bridged to the pod network, `from` in it replaced by
 * `to`. */
static void read_review(const char *from, const char *to, struct lg_buf *ret)
{
    struct lg_buf body lg_cleanup(lg_buf_done) = {0};
    lg_read_file(LG_SOURCE_DIR "/tests/reviews/vmi-create.json", &body);
    char *at = strstr(body.p, from);
    assert_non_null(at);
    lg_buf_add(ret, body.p, (size_t)(at - body.p));
    lg_buf_puts(ret, to);
    lg_buf_puts(ret, at + strlen(from));
}

static json_t *post(const char *path, const char *from, const char *to, struct lg_reply *reply)
{
    struct lg_buf body lg_cleanup(lg_buf_done) = {0};
    read_review(from, to, &body);
    return lg_post_review(&server, path, lg_buf_view(&body), reply);
}

static void assert_passed(json_t *response)
{
    assert_true(json_is_true(json_object_get(response, "allowed")));
    assert_null(json_object_get(response, "patch"));
    assert_null(json_object_get(response, "patchType"));
    assert_null(json_object_get(response, "warnings"));
    assert_null(json_object_get(response, "auditAnnotations"));
}

static const char *text_of(json_t *value)
{
    const char *text = json_string_value(value);
    assert_non_null(text);
    return text;
}

static void a_patch_with_a_warning_and_a_record(void **state)
{
    struct lg_reply reply lg_cleanup(lg_reply_done) = {0};
    (void)state;
    json_t *response = post("/mutate?timeout=1s", "\"operation\"", "\"operation\"", &reply);
    assert_true(json_is_true(json_object_get(response, "allowed")));
    assert_string_equal(text_of(json_object_get(response, "patchType")), "JSONPatch");
    assert_true(strlen(text_of(json_object_get(response, "patch"))) > 100);
    json_t *warnings = json_object_get(response, "warnings");
    assert_int_equal(json_array_size(warnings), 1);
    assert_string_equal(
        text_of(json_array_get(warnings, 0)),
        "LG201: mended: interface \"default\": masquerade written in place of bridge");
    json_t *notes = json_object_get(response, "auditAnnotations");
    assert_string_equal(text_of(json_object_get(notes, "mended")), "LG201");
    lg_serve_await_log(&server, "\"message\":\"mended\"", 1);
    char *log lg_cleanup(lg_free_cleanup) = lg_serve_log(&server);
    assert_non_null(strstr(log, "\"rules\":\"LG201\""));
    assert_int_equal((int)lg_metric_value(&server, "livegate_mended_total{rule=\"LG201\"}"), 1);
    assert_int_equal((int)lg_metric_value(&server, "livegate_mutations_total{result=\"patched\"}"),
                     1);
}

/* What nobody reads of an object keeps nobody from mending it. */
static void what_the_reader_passes_over_is_in_nobodys_way(void **state)
{
    struct lg_reply reply lg_cleanup(lg_reply_done) = {0};
    struct lg_buf deep lg_cleanup(lg_buf_done) = {0};
    (void)state;
    lg_buf_puts(&deep, "\"managedFields\":[");
    for (int i = 0; i < 100; i++)
        lg_buf_putc(&deep, '[');
    for (int i = 0; i < 100; i++)
        lg_buf_putc(&deep, ']');
    lg_buf_putc(&deep, ',');
    json_t *response = post("/mutate", "\"managedFields\":[", deep.p, &reply);
    assert_non_null(json_object_get(response, "patch"));
}

static void the_same_review_gets_the_same_bytes(void **state)
{
    struct lg_reply one lg_cleanup(lg_reply_done) = {0}, two lg_cleanup(lg_reply_done) = {0};
    (void)state;
    (void)post("/mutate", "\"operation\"", "\"operation\"", &one);
    (void)post("/mutate", "\"operation\"", "\"operation\"", &two);
    assert_string_equal(one.body.p, two.body.p);
}

static void what_cannot_be_read_passes_and_is_refused_by_the_other_side(void **state)
{
    struct lg_reply mutated lg_cleanup(lg_reply_done) = {0};
    struct lg_reply twice lg_cleanup(lg_reply_done) = {0};
    struct lg_reply validated lg_cleanup(lg_reply_done) = {0};
    (void)state;
    assert_passed(post("/mutate", "\"networks\":[", "\"networks\":7,\"x\":[", &mutated));
    json_t *response = post("/validate", "\"networks\":[", "\"networks\":7,\"x\":[", &validated);
    assert_true(json_is_false(json_object_get(response, "allowed")));
    assert_passed(post("/mutate", "\"networks\":[", "\"networks\":[],\"networks\":[", &twice));
}

/* 600 interfaces with two findings each: nobody can tell whether a repair makes such a machine
 * better. */
static void what_is_too_much_to_mend_is_said(void **state)
{
    struct lg_reply reply lg_cleanup(lg_reply_done) = {0};
    struct lg_buf many lg_cleanup(lg_buf_done) = {0};
    (void)state;
    lg_buf_puts(&many, "\"interfaces\":[");
    for (int i = 0; i < 600; i++)
        lg_buf_printf(&many,
                      "{\"name\":\"i%d\",\"masquerade\":{},\"ports\":[{\"port\":49152},"
                      "{\"port\":49153}]},",
                      i);
    json_t *response = post("/mutate", "\"interfaces\":[", many.p, &reply);
    assert_true(json_is_true(json_object_get(response, "allowed")));
    assert_null(json_object_get(response, "patch"));
    json_t *warnings = json_object_get(response, "warnings");
    assert_int_equal(json_array_size(warnings), 1);
    assert_string_equal(text_of(json_array_get(warnings, 0)),
                        "LG201: not mended: a rule has more than 1024 findings in this object: too "
                        "many to tell whether a repair makes it better");
}

static void what_is_no_review_is_an_error(void **state)
{
    struct lg_reply reply lg_cleanup(lg_reply_done) = {0};
    (void)state;
    lg_curl(&server, "/mutate", (const char *[]){"-X", "GET", NULL}, LG_STR(""), &reply);
    assert_int_equal(reply.status, 405);
}

static void policy_switches_it_off_and_on_while_it_serves(void **state)
{
    struct lg_reply off lg_cleanup(lg_reply_done) = {0}, on lg_cleanup(lg_reply_done) = {0};
    const char *policy = lg_serve_path(&server, "policy.yaml");
    (void)state;
    lg_write_file(policy, LG_STR(POLICY));
    lg_serve_signal(&server, SIGHUP);
    lg_serve_await_log(&server, "\"policy taken\"", 1);
    assert_passed(post("/mutate", "\"operation\"", "\"operation\"", &off));
    lg_write_file(policy, LG_STR(POLICY "mutate: {LG201: {}}\n"));
    lg_serve_signal(&server, SIGHUP);
    lg_serve_await_log(&server, "\"policy taken\"", 2);
    json_t *response = post("/mutate", "\"operation\"", "\"operation\"", &on);
    assert_non_null(json_object_get(response, "patch"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_patch_with_a_warning_and_a_record),
        cmocka_unit_test(what_the_reader_passes_over_is_in_nobodys_way),
        cmocka_unit_test(the_same_review_gets_the_same_bytes),
        cmocka_unit_test(what_cannot_be_read_passes_and_is_refused_by_the_other_side),
        cmocka_unit_test(what_is_too_much_to_mend_is_said),
        cmocka_unit_test(what_is_no_review_is_an_error),
        cmocka_unit_test(policy_switches_it_off_and_on_while_it_serves),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
