/* The real server over real TLS, asked by curl: reviews, bad input, HTTP. */
#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <lg_test_paths.h>

#include "rules/core/mem.h"
#include "tests/support/serve.h"

static struct lg_serve server = {.process = {.input = -1, .output = -1}};

static int start(void **state)
{
    (void)state;
    lg_serve_init(&server);
    lg_serve_start(&server, (const char *[]){"--drain", "0s", NULL});
    return 0;
}

static int stop(void **state)
{
    (void)state;
    lg_serve_stop(&server);
    lg_serve_done(&server);
    return 0;
}

static const char *string_at(json_t *object, const char *a, const char *b)
{
    json_t *value = json_object_get(object, a);
    if (b != NULL)
        value = json_object_get(value, b);
    return json_is_string(value) ? json_string_value(value) : "";
}

static void read_review(const char *name, struct lg_buf *ret)
{
    char path[256];
    snprintf(path, sizeof path, LG_SOURCE_DIR "/tests/reviews/%s", name);
    lg_read_file(path, ret);
}

/* --- reviews that a real API server sent --- */

static const struct recorded {
    const char *file, *path;
    bool allowed;
    const char *rules[4]; /* of the causes, or at the head of the warnings */
    size_t warnings;
} recorded[] = {
    {"vm-create.json", "/validate", false, {"LG101", "LG202"}, 0},
    {"vm-create-v1alpha3-server-side-apply.json", "/validate", false, {"LG101", "LG202"}, 0},
    {"vm-update-label.json", "/validate", true, {NULL}, 0},
    {"vm-update-ports.json", "/validate", true, {"LG101", "LG202", "LG501"}, 3},
    {"vm-update-finalizer-added.json", "/validate", true, {NULL}, 0},
    {"vm-update-finalizer-removed-while-deleting.json", "/validate", true, {NULL}, 0},
    {"vm-update-status-subresource.json", "/validate", true, {NULL}, 0},
    {"vm-delete.json", "/validate", true, {NULL}, 0},
    {"vmi-create.json", "/validate", false, {"LG201"}, 0},
    {"vmi-update-status-in-main.json", "/validate", true, {NULL}, 0},
    {"pvc-create.json", "/validate", true, {"LG104"}, 1},
    {"migration-create-generatename.json", "/validate/migrations", true, {"LG606"}, 1},
    {"migration-create-dry-run.json", "/validate/migrations", true, {"LG606"}, 1},
};

static void check_denial(const struct recorded *row, json_t *response)
{
    json_t *status = json_object_get(response, "status");
    json_t *causes = json_object_get(json_object_get(status, "details"), "causes");
    const char *message = string_at(status, "message", NULL);
    size_t n = 0;

    assert_int_equal(json_integer_value(json_object_get(status, "code")), 403);
    assert_string_equal(string_at(status, "status", NULL), "Failure");
    assert_string_equal(string_at(status, "reason", NULL), "Forbidden");
    assert_non_null(strstr(message, " cannot be live-migrated, "));
    for (; n < 4 && row->rules[n] != NULL; n++) {
        json_t *cause = json_array_get(causes, n);
        char head[16];
        assert_string_equal(string_at(cause, "reason", NULL), row->rules[n]);
        assert_true(strlen(string_at(cause, "field", NULL)) > 0);
        assert_null(strchr(string_at(cause, "message", NULL), '\n'));
        snprintf(head, sizeof head, "\n[%s] ", row->rules[n]);
        assert_non_null(strstr(message, head));
    }
    assert_int_equal(json_array_size(causes), n);
    assert_non_null(strstr(message, "\n    at:  spec."));
    assert_non_null(strstr(message, "\n    fix: "));
}

static void check_warnings(const struct recorded *row, json_t *response)
{
    json_t *warnings = json_object_get(response, "warnings");
    assert_int_equal(json_array_size(warnings), row->warnings);
    for (size_t i = 0; i < row->warnings; i++) {
        const char *warning = json_string_value(json_array_get(warnings, i));
        assert_non_null(warning);
        assert_true(strlen(warning) <= 256);
        assert_non_null(strstr(warning, row->rules[i]));
    }
}

static void recorded_reviews_are_answered(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof recorded / sizeof *recorded; i++) {
        const struct recorded *row = &recorded[i];
        struct lg_buf body lg_cleanup(lg_buf_done) = {0};
        struct lg_reply reply lg_cleanup(lg_reply_done) = {0};
        char path[64];

        read_review(row->file, &body);
        snprintf(path, sizeof path, "%s?timeout=3s", row->path);
        json_t *request = json_loadb(body.p, body.n, 0, NULL);
        json_t *response = lg_post_review(&server, path, lg_buf_view(&body), &reply);
        if (json_is_true(json_object_get(response, "allowed")) != row->allowed)
            fail_msg("%s: %s", row->file, reply.body.p);
        assert_string_equal(string_at(response, "uid", NULL), string_at(request, "request", "uid"));
        json_decref(request);
        if (row->allowed) {
            assert_null(json_object_get(response, "status"));
            check_warnings(row, response);
        } else {
            check_denial(row, response);
        }
        assert_null(json_object_get(response, "patch"));
    }
}

static void every_recorded_review_has_a_row(void **state)
{
    DIR *dir = opendir(LG_SOURCE_DIR "/tests/reviews");
    size_t n = 0;
    (void)state;
    assert_non_null(dir);
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir))
        n += lg_str_ends(lg_str_of(entry->d_name), ".json");
    closedir(dir);
    assert_int_equal(n, sizeof recorded / sizeof *recorded);
}

static void a_denial_is_one_log_line(void **state)
{
    struct lg_buf body lg_cleanup(lg_buf_done) = {0};
    struct lg_reply reply lg_cleanup(lg_reply_done) = {0};
    json_t *line = NULL;
    (void)state;

    read_review("vm-create.json", &body);
    lg_post_review(&server, "/validate", lg_buf_view(&body), &reply);
    char *log lg_cleanup(lg_free_cleanup) = lg_serve_log(&server);
    char *last = NULL, *rest = NULL;
    for (char *at = strtok_r(log, "\n", &rest); at != NULL; at = strtok_r(NULL, "\n", &rest))
        last = at;
    assert_non_null(last);
    line = json_loads(last, 0, NULL);
    assert_non_null(line);
    assert_string_equal(string_at(line, "message", NULL), "denied");
    assert_string_equal(string_at(line, "kind", NULL), "VirtualMachine");
    assert_string_equal(string_at(line, "operation", NULL), "CREATE");
    assert_string_equal(string_at(line, "namespace", NULL), "web-servers");
    assert_string_equal(string_at(line, "name", NULL), "orders-db");
    assert_string_equal(string_at(line, "user", NULL), "admin");
    assert_string_equal(string_at(line, "rules", NULL), "LG101,LG202");
    assert_string_equal(string_at(line, "verdict", NULL), "deny");
    assert_true(json_real_value(json_object_get(line, "duration_ms")) > 0);
    assert_true(json_is_false(json_object_get(line, "dry_run")));
    json_decref(line);
}

static void a_kind_that_no_rule_judges_is_allowed(void **state)
{
    static const char review[] =
        "{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\",\"request\":{"
        "\"uid\":\"u-1\",\"kind\":{\"group\":\"\",\"version\":\"v1\",\"kind\":\"ConfigMap\"},"
        "\"resource\":{\"group\":\"\",\"version\":\"v1\",\"resource\":\"configmaps\"},"
        "\"operation\":\"CREATE\",\"namespace\":\"a\",\"name\":\"b\",\"userInfo\":{},"
        "\"object\":{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\"}}}";
    struct lg_reply reply lg_cleanup(lg_reply_done) = {0};
    (void)state;
    json_t *response = lg_post_review(&server, "/validate", lg_str_of(review), &reply);
    assert_true(json_is_true(json_object_get(response, "allowed")));
    assert_string_equal(string_at(response, "uid", NULL), "u-1");
}

/* --- bad input --- */

/* vm-create.json with the object's part `from` replaced by `to`. */
static void altered_review(const char *from, const char *to, struct lg_buf *ret)
{
    struct lg_buf body lg_cleanup(lg_buf_done) = {0};
    read_review("vm-create.json", &body);
    /* Not in the annotation that repeats the object as text: there, quotes are escaped. */
    const char *at = strstr(body.p, from);
    if (at == NULL)
        fail_msg("the review has no %s", from);
    lg_buf_add(ret, body.p, (size_t)(at - body.p));
    lg_buf_puts(ret, to);
    lg_buf_puts(ret, at + strlen(from));
}

static void refused_with_422(struct lg_str body, const char *where)
{
    struct lg_reply reply lg_cleanup(lg_reply_done) = {0};
    json_t *response = lg_post_review(&server, "/validate", body, &reply);
    json_t *status = json_object_get(response, "status");

    if (!json_is_false(json_object_get(response, "allowed")) ||
        json_integer_value(json_object_get(status, "code")) != 422 ||
        strstr(string_at(status, "message", NULL), where) == NULL)
        fail_msg("expected 422 at %s: %.600s", where, reply.body.p);
    assert_string_equal(string_at(response, "uid", NULL), "f367a211-6054-4741-a50e-8562093a0884");
}

static void an_object_that_cannot_be_read_is_denied(void **state)
{
    static const struct {
        const char *from, *to, *where;
    } rows[] = {
        /* duplicate keys, also after unescaping */
        {"\"runStrategy\":\"Always\"", "\"runStrategy\":\"Always\",\"runStrategy\":\"Halted\"",
         "runStrategy"},
        {"\"runStrategy\":\"Always\"",
         "\"runStrategy\":\"Always\",\"run\\u0053trategy\":\"Halted\"", "runStrategy"},
        /* integers where a rule reads them */
        {"\"port\":80}", "\"port\":80000000000000000000000}", "port"},
        {"\"port\":80}", "\"port\":80.5}", "port"},
        {"\"port\":80}", "\"port\":\"80\"}", "port"},
        {"\"port\":80}", "\"port\":true}", "port"},
        /* wrong types in fields that rules read */
        {"\"masquerade\":{}", "\"masquerade\":[]", "masquerade"},
        {"\"networks\":[", "\"networks\":7,\"other\":[", "networks"},
        {"\"volumes\":[", "\"volumes\":{},\"other\":[", "volumes"},
        {"\"claimName\":\"orders-db-data\"", "\"claimName\":5", "claimName"},
        {"\"nodeSelector\":{", "\"nodeSelector\":\"x\",\"other\":{", "nodeSelector"},
        {"\"tolerations\":[", "\"tolerations\":\"x\",\"other\":[", "tolerations"},
        {"\"operator\":\"Equal\"", "\"operator\":{}", "operator"},
        {"\"nodeSelectorTerms\":[", "\"nodeSelectorTerms\":1,\"other\":[", "nodeSelectorTerms"},
        {"\"dataVolumeTemplates\":[", "\"dataVolumeTemplates\":true,\"other\":[",
         "dataVolumeTemplates"},
        {"\"runStrategy\":\"Always\"", "\"runStrategy\":1", "runStrategy"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct lg_buf body lg_cleanup(lg_buf_done) = {0};
        altered_review(rows[i].from, rows[i].to, &body);
        refused_with_422(lg_buf_view(&body), rows[i].where);
    }
}

static void a_deeply_nested_object_is_denied(void **state)
{
    (void)state;
    for (size_t depth = 65; depth <= 100000; depth *= 38) {
        struct lg_buf deep lg_cleanup(lg_buf_done) = {0};
        struct lg_buf body lg_cleanup(lg_buf_done) = {0};
        lg_buf_puts(&deep, "\"deep\":");
        for (size_t i = 0; i < depth; i++)
            lg_buf_putc(&deep, '[');
        for (size_t i = 0; i < depth; i++)
            lg_buf_putc(&deep, ']');
        lg_buf_puts(&deep, ",\"runStrategy\":\"Always\"");
        altered_review("\"runStrategy\":\"Always\"", deep.p, &body);
        refused_with_422(lg_buf_view(&body), "deep");
    }
}

static void an_object_of_too_many_parts_is_denied(void **state)
{
    struct lg_buf many lg_cleanup(lg_buf_done) = {0};
    struct lg_buf body lg_cleanup(lg_buf_done) = {0};
    (void)state;
    lg_buf_puts(&many, "\"many\":[0");
    for (size_t i = 0; i < 250000; i++)
        lg_buf_puts(&many, ",0");
    lg_buf_puts(&many, "],\"runStrategy\":\"Always\"");
    altered_review("\"runStrategy\":\"Always\"", many.p, &body);
    refused_with_422(lg_buf_view(&body), "many");
}

/* A NUL is a character: it is read, and judged. */
static void nul_in_strings_is_read(void **state)
{
    struct lg_buf body lg_cleanup(lg_buf_done) = {0};
    struct lg_reply reply lg_cleanup(lg_reply_done) = {0};
    (void)state;
    altered_review("\"name\":\"lan\"}]", "\"name\":\"l\\u0000n\"}]", &body);
    json_t *response = lg_post_review(&server, "/validate", lg_buf_view(&body), &reply);
    assert_true(json_is_false(json_object_get(response, "allowed")));
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(response, "status"), "code")), 403);
}

static void large_numbers_that_no_rule_reads_are_fine(void **state)
{
    struct lg_buf body lg_cleanup(lg_buf_done) = {0};
    struct lg_reply reply lg_cleanup(lg_reply_done) = {0};
    (void)state;
    altered_review("\"runStrategy\":\"Always\"",
                   "\"runStrategy\":\"Always\",\"big\":99999999999999999999999999", &body);
    json_t *response = lg_post_review(&server, "/validate", lg_buf_view(&body), &reply);
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(response, "status"), "code")), 403);
}

static void what_is_no_review_gets_400_and_the_reason(void **state)
{
    static const struct {
        const char *body, *reason;
    } rows[] = {
        {"hello", "JSON"},
        {"[]", "AdmissionReview"},
        {"{}", "apiVersion"},
        {"null", "AdmissionReview"},
        {"{\"apiVersion\":\"admission.k8s.io/v1beta1\",\"kind\":\"AdmissionReview\"}", "v1"},
        {"{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\"}", "request"},
        {"{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\",\"request\":{}}",
         "uid"},
        {"{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"Pod\",\"request\":{\"uid\":\"a\"}}",
         "kind"},
    };
    struct lg_buf whole lg_cleanup(lg_buf_done) = {0};
    const char *const extra[] = {"-H", "Content-Type: application/json", "--data-binary", "@-",
                                 NULL};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct lg_reply reply lg_cleanup(lg_reply_done) = {0};
        lg_curl(&server, "/validate", extra, lg_str_of(rows[i].body), &reply);
        if (reply.status != 400 || strstr(reply.body.p, rows[i].reason) == NULL)
            fail_msg("%s: HTTP %d %s", rows[i].body, reply.status, reply.body.p);
    }
    read_review("vm-create.json", &whole);
    for (size_t n = 1; n < whole.n; n += whole.n / 23) {
        struct lg_reply reply lg_cleanup(lg_reply_done) = {0};
        lg_curl(&server, "/validate", extra, (struct lg_str){whole.p, n}, &reply);
        assert_int_equal(reply.status, 400);
        assert_true(reply.body.n > 0);
    }
}

/* --- HTTP --- */

static void expect_status(const char *path, const char *const *extra, struct lg_str body,
                          int status, const char *head)
{
    struct lg_reply reply lg_cleanup(lg_reply_done) = {0};
    lg_curl(&server, path, extra, body, &reply);
    if (reply.curl != 0 || reply.status != status ||
        (head != NULL && strcasestr(reply.head.p, head) == NULL))
        fail_msg("%s: curl %d, HTTP %d, not %d:\n%s", path, reply.curl, reply.status, status,
                 reply.head.p);
}

#define JSON_TYPE    "-H", "Content-Type: application/json"
#define FROM_STDIN   "--data-binary", "@-"
#define OPTIONS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void methods_paths_and_types_are_checked(void **state)
{
    static const char *const paths[] = {
        "/",      "/validate/", "/validate/other", "/mutate/",    "/metrics",
        "/livez", "/readyz",    "/Validate",       "/%76alidate", "/validate%00x"};
    static const char *const methods[] = {"GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"};
    struct lg_buf body lg_cleanup(lg_buf_done) = {0};
    (void)state;

    read_review("vm-delete.json", &body);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        expect_status(paths[i], OPTIONS(JSON_TYPE, FROM_STDIN), lg_buf_view(&body), 404, NULL);
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        bool head = strcmp(methods[i], "HEAD") == 0;
        expect_status("/validate", OPTIONS(head ? "--head" : "-X", head ? "-sS" : methods[i]),
                      LG_STR(""), 405, "Allow: POST");
        expect_status("/nowhere", OPTIONS(head ? "--head" : "-X", head ? "-sS" : methods[i]),
                      LG_STR(""), 404, NULL);
    }
    expect_status("/validate", OPTIONS(FROM_STDIN), lg_buf_view(&body), 415, NULL);
    expect_status("/validate", OPTIONS("-H", "Content-Type:", FROM_STDIN), lg_buf_view(&body), 415,
                  NULL);
    expect_status("/validate", OPTIONS("-H", "Content-Type: application/jsonp", FROM_STDIN),
                  lg_buf_view(&body), 415, NULL);
    expect_status("/validate",
                  OPTIONS("-H", "Content-Type: Application/JSON; charset=utf-8", FROM_STDIN),
                  lg_buf_view(&body), 200, "Content-Type: application/json");
    expect_status("/validate?timeout=nonsense", OPTIONS(JSON_TYPE, FROM_STDIN), lg_buf_view(&body),
                  200, NULL);
}

static void a_body_without_length_is_refused(void **state)
{
    struct lg_buf body lg_cleanup(lg_buf_done) = {0};
    (void)state;
    read_review("vm-delete.json", &body);
    expect_status("/validate", OPTIONS(JSON_TYPE, "-H", "Transfer-Encoding: chunked", FROM_STDIN),
                  lg_buf_view(&body), 411, NULL);
    expect_status("/validate", OPTIONS(JSON_TYPE, "-X", "POST"), LG_STR(""), 411, NULL);
    expect_status("/validate", OPTIONS(JSON_TYPE, FROM_STDIN), LG_STR(""), 400, NULL);
}

/* With and without asking first (Expect): the answer arrives, not a reset. */
static void a_body_over_the_limit_is_refused(void **state)
{
    struct lg_buf body lg_cleanup(lg_buf_done) = {0};
    (void)state;
    while (body.n < 9 * 1024 * 1024)
        lg_buf_puts(&body, "                                                                ");
    expect_status("/validate", OPTIONS(JSON_TYPE, FROM_STDIN), lg_buf_view(&body), 413, NULL);
    expect_status("/validate", OPTIONS(JSON_TYPE, "-H", "Expect:", FROM_STDIN), lg_buf_view(&body),
                  413, NULL);
    expect_status("/nowhere", OPTIONS(JSON_TYPE, "-H", "Expect:", FROM_STDIN), lg_buf_view(&body),
                  404, NULL);
    body.n = 8 * 1024 * 1024; /* just at the limit: read, and no review */
    expect_status("/validate", OPTIONS(JSON_TYPE, "-H", "Expect:", FROM_STDIN), lg_buf_view(&body),
                  400, NULL);
    assert_int_equal((int)lg_metric_value(&server, "livegate_request_body_bytes"), 0);
}

static void connections_are_kept(void **state)
{
    struct lg_buf body lg_cleanup(lg_buf_done) = {0};
    struct lg_process_result result lg_cleanup(lg_process_result_done) = {0};
    char url[128], data[128];
    (void)state;
    read_review("vm-delete.json", &body);
    lg_write_file(lg_serve_path(&server, "review"), lg_buf_view(&body));
    snprintf(url, sizeof url, "https://%s/{validate,nowhere,validate}?n=[1-20]", server.reviews);
    snprintf(data, sizeof data, "@%s", lg_serve_path(&server, "review"));
    lg_process_run(OPTIONS("curl", "-sS", "--max-time", "50", "--cacert",
                           lg_serve_path(&server, "ca.crt"), "-H", "Content-Type: application/json",
                           "--data-binary", data, "-o", "/dev/null", "-w",
                           "%{http_code}:%{num_connects}\n", url),
                   LG_STR(""), 60000, &result);
    assert_int_equal(result.status, 0);
    size_t answered = 0, missing = 0, connects = 0;
    for (const char *at = result.out.p; *at != '\0'; at = strchr(at, '\n') + 1) {
        answered += strncmp(at, "200:", 4) == 0;
        missing += strncmp(at, "404:", 4) == 0;
        connects += (size_t)(at[4] - '0');
    }
    assert_int_equal(answered, 40);
    assert_int_equal(missing, 20);
    assert_int_equal(connects, 1);
}

/* --- operations --- */

static void the_version_of_kubevirt_is_said(void **state)
{
    (void)state;
    lg_serve_await_log(&server, "\"message\":\"KubeVirt's version is known\"", 1);
    char *log lg_cleanup(lg_free_cleanup) = lg_serve_log(&server);
    assert_non_null(strstr(log, "\"version\":\"v1.6.0\",\"major\":1,\"minor\":6"));
    assert_int_equal((int)lg_metric_value(&server, "livegate_kubevirt_version_known"), 1);
}

static void operations_are_on_their_own_port(void **state)
{
    static const char *const series[] = {
        "livegate_reviews_total{kind=\"VirtualMachine\",operation=\"CREATE\",verdict=\"deny\"}",
        "livegate_review_duration_seconds_count",
        "livegate_findings_total{rule=\"LG101\",action=\"deny\"}",
        "livegate_inventory_objects{resource=\"nodes\"}",
        "livegate_kubevirt_version_known",
        "livegate_certificate_expiry_seconds{part=\"leaf\"}",
        "livegate_certificate_expiry_seconds{part=\"ca\"}",
        "livegate_http_refusals_total{status=\"413\"}",
        "livegate_connections{port=\"operations\"}",
        "process_resident_memory_bytes",
    };
    static const char *const paths[] = {"/livez", "/readyz", "/metrics"};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct lg_reply reply lg_cleanup(lg_reply_done) = {0};
        lg_get_operation(&server, paths[i], &reply);
        assert_int_equal(reply.status, 200);
    }
    for (size_t i = 0; i < sizeof series / sizeof *series; i++)
        if (lg_metric_value(&server, series[i]) <= 0)
            fail_msg("%s: %f", series[i], lg_metric_value(&server, series[i]));
    struct lg_reply reply lg_cleanup(lg_reply_done) = {0};
    lg_get_operation(&server, "/validate", &reply);
    assert_int_equal(reply.status, 404);
}

static void operations_are_only_read(void **state)
{
    static const char *const methods[] = {"POST", "PUT", "DELETE"};
    char url[128];
    (void)state;
    snprintf(url, sizeof url, "http://%s/readyz", server.operations);
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        struct lg_process_result result lg_cleanup(lg_process_result_done) = {0};
        lg_process_run(OPTIONS("curl", "-sS", "--max-time", "20", "-X", methods[i], "-w",
                               "%{http_code}", "-o", "/dev/null", url),
                       LG_STR(""), 30000, &result);
        assert_string_equal(lg_buf_view(&result.out).p, "405");
    }
}

/* What no HTTP client sends: a 4xx or 505, or the end of the connection, and the server serves
 * on. */
static void what_is_no_http_is_refused(void **state)
{
#define HEAD "POST /validate HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    static const struct {
        const char *text, *answer;
    } rows[] = {
        {"GET /validate\r\n\r\n", "HTTP/1.1 400 "},
        {"POST /validate HTTP/9.9\r\nHost: a\r\n\r\n", "HTTP/1.1 505 "},
        {HEAD "Content-Length: -1\r\n\r\n", "HTTP/1.1 400 "},
        {HEAD "Content-Length: five\r\n\r\n", "HTTP/1.1 400 "},
        {HEAD "Content-Length: 9223372036854775807\r\n\r\n", "HTTP/1.1 413 "},
        {HEAD "Content-Length: 99999999999999999999999\r\n\r\n", "HTTP/1.1 413 "},
        {HEAD "Content-Length: 9437184\r\n\r\n", "HTTP/1.1 413 "},
        {HEAD "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
         "HTTP/1.1 411 "},
        {HEAD "Content-Length: 2\r\n\r\n{}", "HTTP/1.1 400 "},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct lg_process client;
        struct lg_buf seen lg_cleanup(lg_buf_done) = {0};
        size_t n = strlen(rows[i].text);
        lg_process_start(OPTIONS("openssl", "s_client", "-quiet", "-connect", server.reviews), NULL,
                         true, &client);
        assert_int_equal(write(client.input, rows[i].text, n), (ssize_t)n);
        bool answered = lg_process_expect(&client, rows[i].answer, 20000, &seen);
        lg_process_kill(&client);
        if (!answered)
            fail_msg("%s\nwas answered: %s", rows[i].text, lg_buf_view(&seen).p);
    }
    struct lg_reply reply lg_cleanup(lg_reply_done) = {0};
    lg_get_operation(&server, "/readyz", &reply);
    assert_int_equal(reply.status, 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_reviews_are_answered),
        cmocka_unit_test(every_recorded_review_has_a_row),
        cmocka_unit_test(a_denial_is_one_log_line),
        cmocka_unit_test(a_kind_that_no_rule_judges_is_allowed),
        cmocka_unit_test(an_object_that_cannot_be_read_is_denied),
        cmocka_unit_test(a_deeply_nested_object_is_denied),
        cmocka_unit_test(an_object_of_too_many_parts_is_denied),
        cmocka_unit_test(nul_in_strings_is_read),
        cmocka_unit_test(large_numbers_that_no_rule_reads_are_fine),
        cmocka_unit_test(what_is_no_review_gets_400_and_the_reason),
        cmocka_unit_test(methods_paths_and_types_are_checked),
        cmocka_unit_test(a_body_without_length_is_refused),
        cmocka_unit_test(a_body_over_the_limit_is_refused),
        cmocka_unit_test(connections_are_kept),
        cmocka_unit_test(operations_are_on_their_own_port),
        cmocka_unit_test(the_version_of_kubevirt_is_said),
        cmocka_unit_test(operations_are_only_read),
        cmocka_unit_test(what_is_no_http_is_refused),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
