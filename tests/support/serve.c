#include "tests/support/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <lg_test_paths.h>

#include "rules/core/mem.h"

enum { OPENSSL_MS_MAX = 120 * 1000, CURL_MS_MAX = 130 * 1000, REMOVE_MS_MAX = 120 * 1000 };

#define INVENTORY LG_SOURCE_DIR "/tests/integration/inventory.yaml"

/* --- files --- */

void lg_read_file(const char *path, struct lg_buf *ret)
{
    char bytes[16384];
    ssize_t n = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        fail_msg("%s: %s", path, strerror(errno));
    *ret = (struct lg_buf){0};
    lg_buf_puts(ret, "");
    while ((n = read(fd, bytes, sizeof bytes)) > 0)
        lg_buf_add(ret, bytes, (size_t)n);
    close(fd);
    assert_int_equal(n, 0);
}

void lg_write_file(const char *path, struct lg_str text)
{
    char other[256];
    snprintf(other, sizeof other, "%s.new", path);
    FILE *file = fopen(other, "we");
    assert_non_null(file);
    assert_int_equal(fwrite(text.p, 1, text.n, file), text.n);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(rename(other, path), 0);
}

const char *lg_serve_path(struct lg_serve *serve, const char *name)
{
    return lg_arena_printf(&serve->arena, "%s/%s", serve->dir, name).p;
}

/* --- certificates --- */

void lg_serve_openssl(const char *const *argv)
{
    struct lg_process_result result lg_cleanup(lg_process_result_done) = {0};
    lg_process_run(argv, LG_STR(""), OPENSSL_MS_MAX, &result);
    if (result.status != 0)
        fail_msg("openssl %s: %s", argv[1], lg_buf_view(&result.err).p);
}

static const char *in_dir(char buf[256], const char *dir, const char *name)
{
    snprintf(buf, 256, "%s/%s", dir, name);
    return buf;
}

void lg_serve_new_ca(struct lg_serve *serve, const char *dir)
{
    char key[256], cert[256];
    (void)serve;
    lg_serve_openssl((const char *[]){"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                                      "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                                      "/CN=test authority", "-keyout", in_dir(key, dir, "ca.key"),
                                      "-out", in_dir(cert, dir, "ca.crt"), NULL});
}

void lg_serve_new_pair(struct lg_serve *serve, const char *dir, const char *name, int days)
{
    char subject[64], days_text[16], key[256], new_key[256], cert[256], new_cert[256], request[256],
        ca[256], ca_key[256];
    const char *extensions = lg_serve_path(serve, "extensions");

    lg_write_file(extensions, LG_STR("subjectAltName=IP:127.0.0.1,DNS:localhost\n"
                                     "extendedKeyUsage=serverAuth\n"));
    snprintf(subject, sizeof subject, "/CN=%s", name);
    snprintf(days_text, sizeof days_text, "%d", days);
    lg_serve_openssl((const char *[]){"openssl", "req", "-newkey", "ec", "-pkeyopt",
                                      "ec_paramgen_curve:P-256", "-nodes", "-subj", subject,
                                      "-keyout", in_dir(new_key, dir, "tls.key.new"), "-out",
                                      in_dir(request, dir, "tls.csr"), NULL});
    lg_serve_openssl((const char *[]){
        "openssl", "x509", "-req", "-in", request, "-CA", in_dir(ca, dir, "ca.crt"), "-CAkey",
        in_dir(ca_key, dir, "ca.key"), "-CAcreateserial", "-days", days_text, "-extfile",
        extensions, "-out", in_dir(new_cert, dir, "tls.crt.new"), NULL});
    assert_int_equal(rename(new_key, in_dir(key, dir, "tls.key")), 0);
    assert_int_equal(rename(new_cert, in_dir(cert, dir, "tls.crt")), 0);
}

/* --- the server --- */

void lg_serve_init(struct lg_serve *serve)
{
    *serve = (struct lg_serve){.dir = "/tmp/livegate-test-XXXXXX",
                               .process = {.input = -1, .output = -1}};
    lg_arena_init(&serve->arena);
    assert_non_null(mkdtemp(serve->dir));
    lg_serve_new_ca(serve, serve->dir);
    lg_serve_new_pair(serve, serve->dir, "first", 1);
}

void lg_serve_done(struct lg_serve *serve)
{
    struct lg_process_result result lg_cleanup(lg_process_result_done) = {0};
    lg_process_kill(&serve->process);
    if (serve->dir[0] != '\0')
        lg_process_run((const char *[]){"rm", "-rf", "--", serve->dir, NULL}, LG_STR(""),
                       REMOVE_MS_MAX, &result);
    serve->dir[0] = '\0';
    lg_arena_done(&serve->arena);
}

char *lg_serve_log(struct lg_serve *serve)
{
    struct lg_buf log = {0};
    lg_read_file(lg_serve_path(serve, "log"), &log);
    return log.p;
}

void lg_serve_fail(struct lg_serve *serve, const char *format, ...)
{
    char text[1024]; /* cmocka prints no more of a message */
    char *log = lg_serve_log(serve);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    (void)fprintf(stderr, "%s\n", log);
    free(log);
    fail_msg("%s", text);
}

static int occurrences(const char *text, const char *of)
{
    int n = 0;
    for (const char *at = strstr(text, of); at != NULL; at = strstr(at + 1, of))
        n++;
    return n;
}

static bool log_has(struct lg_serve *serve, const char *text, int times)
{
    char *log lg_cleanup(lg_free_cleanup) = lg_serve_log(serve);
    return occurrences(log, text) >= times;
}

void lg_serve_await_log(struct lg_serve *serve, const char *text, int times)
{
    int64_t end_ms = lg_test_now_ms() + LG_SERVE_START_MS_MAX;
    while (!log_has(serve, text, times)) {
        if (lg_test_now_ms() >= end_ms)
            lg_serve_fail(serve, "the log never said %s %d times", text, times);
        lg_test_sleep_ms(10);
    }
}

/* Takes the ports from the line that says "listening"; false when it is not there yet. */
static bool read_ports(struct lg_serve *serve)
{
    char *log lg_cleanup(lg_free_cleanup) = lg_serve_log(serve);
    char *rest = NULL;
    for (char *line = strtok_r(log, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        json_t *json = json_loads(line, 0, NULL);
        const char *reviews = "", *operations = "";
        bool found =
            json != NULL && strstr(line, "\"listening\"") != NULL &&
            json_unpack(json, "{s:s, s:s}", "reviews", &reviews, "operations", &operations) == 0;
        if (found) {
            snprintf(serve->reviews, sizeof serve->reviews, "%s", reviews);
            snprintf(serve->operations, sizeof serve->operations, "%s", operations);
        }
        json_decref(json);
        if (found)
            return true;
    }
    return false;
}

static void start(struct lg_serve *serve, const char *option, const char *value,
                  const char *const *extra)
{
    const char *argv[LG_PROCESS_ARGS_MAX] = {LG_BINARY_DIR "/livegate",
                                             "serve",
                                             option,
                                             value,
                                             "--listen",
                                             "127.0.0.1:0",
                                             "--ops-listen",
                                             "127.0.0.1:0",
                                             "--cert-dir",
                                             serve->dir};
    size_t n = 10;
    int64_t end_ms = lg_test_now_ms() + LG_SERVE_START_MS_MAX;

    for (; extra != NULL && *extra != NULL; extra++)
        argv[n++] = *extra;
    lg_process_start(argv, lg_serve_path(serve, "log"), false, &serve->process);
    while (!read_ports(serve)) {
        int status = lg_process_wait(&serve->process, 10);
        if (status != -1 || lg_test_now_ms() >= end_ms)
            lg_serve_fail(serve, "the server does not start (status %d)", status);
    }
}

void lg_serve_start(struct lg_serve *serve, const char *const *extra)
{
    start(serve, "--inventory", INVENTORY, extra);
}

void lg_serve_start_watching(struct lg_serve *serve, const char *kubeconfig,
                             const char *const *extra)
{
    start(serve, "--kubeconfig", kubeconfig, extra);
}

void lg_serve_fails(const char *const *options, struct lg_process_result *ret)
{
    const char *argv[LG_PROCESS_ARGS_MAX] = {LG_BINARY_DIR "/livegate", "serve"};
    size_t n = 2;
    for (; *options != NULL; options++)
        argv[n++] = *options;
    lg_process_run(argv, LG_STR(""), LG_SERVE_START_MS_MAX, ret);
}

void lg_serve_signal(struct lg_serve *serve, int signal)
{
    assert_true(serve->process.pid > 0);
    assert_int_equal(kill(serve->process.pid, signal), 0);
}

int lg_serve_wait(struct lg_serve *serve)
{
    int status = lg_process_wait(&serve->process, LG_SERVE_STOP_MS_MAX);
    if (status == -1)
        lg_serve_fail(serve, "the server does not stop");
    if (log_has(serve, "Sanitizer", 1) || log_has(serve, "runtime error:", 1))
        lg_serve_fail(serve, "a sanitizer reported");
    return status;
}

void lg_serve_stop(struct lg_serve *serve)
{
    lg_serve_signal(serve, SIGTERM);
    assert_int_equal(lg_serve_wait(serve), 0);
}

/* --- curl --- */

void lg_reply_done(struct lg_reply *reply)
{
    lg_buf_done(&reply->body);
    lg_buf_done(&reply->head);
    json_decref(reply->json);
    *reply = (struct lg_reply){0};
}

/* Runs curl so that the answer's head and body can be told apart. */
static void run_curl(struct lg_serve *serve, const char *url, const char *const *extra,
                     struct lg_str body, struct lg_reply *ret)
{
    struct lg_process_result result lg_cleanup(lg_process_result_done) = {0};
    const char *head = lg_serve_path(serve, "head"), *out = lg_serve_path(serve, "body");
    const char *argv[LG_PROCESS_ARGS_MAX] = {
        "curl", "-sS", "--max-time", "120", "--cacert",     NULL, "-D",
        head,   "-o",  out,          "-w",  "%{http_code}", url};
    size_t n = 13;

    argv[5] = lg_serve_path(serve, "ca.crt");
    for (; extra != NULL && *extra != NULL; extra++)
        argv[n++] = *extra;
    lg_write_file(head, LG_STR(""));
    lg_write_file(out, LG_STR(""));
    lg_process_run(argv, body, CURL_MS_MAX, &result);
    *ret = (struct lg_reply){.curl = result.status, .took_ms = result.took_ms};
    ret->status = (int)strtol(lg_buf_view(&result.out).p, NULL, 10);
    lg_read_file(head, &ret->head);
    lg_read_file(out, &ret->body);
    ret->json = json_loadb(ret->body.p, ret->body.n, JSON_ALLOW_NUL, NULL);
}

void lg_curl(struct lg_serve *serve, const char *path, const char *const *extra, struct lg_str body,
             struct lg_reply *ret)
{
    char url[256];
    snprintf(url, sizeof url, "https://%s%s", serve->reviews, path);
    run_curl(serve, url, extra, body, ret);
}

json_t *lg_post_review(struct lg_serve *serve, const char *path, struct lg_str body,
                       struct lg_reply *ret)
{
    const char *const extra[] = {"-H", "Content-Type: application/json", "--data-binary", "@-",
                                 NULL};
    const char *version = "", *kind = "";
    json_t *response = NULL;

    lg_curl(serve, path, extra, body, ret);
    if (ret->curl != 0 || ret->status != 200 || ret->json == NULL)
        fail_msg("curl %d, HTTP %d: %s", ret->curl, ret->status, ret->body.p);
    assert_int_equal(json_unpack(ret->json, "{s:s, s:s, s:o}", "apiVersion", &version, "kind",
                                 &kind, "response", &response),
                     0);
    assert_string_equal(version, "admission.k8s.io/v1");
    assert_string_equal(kind, "AdmissionReview");
    return response;
}

void lg_get_operation(struct lg_serve *serve, const char *path, struct lg_reply *ret)
{
    char url[256];
    snprintf(url, sizeof url, "http://%s%s", serve->operations, path);
    run_curl(serve, url, NULL, LG_STR(""), ret);
}

double lg_metric_value(struct lg_serve *serve, const char *series)
{
    struct lg_reply reply lg_cleanup(lg_reply_done) = {0};
    char start[256];
    lg_get_operation(serve, "/metrics", &reply);
    assert_int_equal(reply.status, 200);
    snprintf(start, sizeof start, "\n%s ", series);
    const char *line = strstr(reply.body.p, start);
    return line != NULL ? strtod(line + strlen(start), NULL) : -1;
}
