/* The real server when things are wrong or change: at start, while serving, at the end. Clients are
 * curl and openssl. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <lg_test_paths.h>

#include "rules/core/mem.h"
#include "tests/support/clients.h"

#define OPTIONS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define INVENTORY    LG_SOURCE_DIR "/tests/integration/inventory.yaml"
#define REVIEW       LG_SOURCE_DIR "/tests/reviews/vm-create.json"

enum { TALK_MS_MAX = 120 * 1000 };

static struct lg_serve server;
static struct lg_process talking;

static int set_up(void **state)
{
    (void)state;
    talking = (struct lg_process){.input = -1, .output = -1};
    lg_serve_init(&server);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    lg_process_kill(&talking);
    lg_serve_done(&server);
    return 0;
}

/* --- at start --- */

/* One line on stderr with all of the parts, nothing on stdout, and that exit status. */
static void fails_with(const char *const *options, int status, const char *const *parts)
{
    struct lg_process_result result lg_cleanup(lg_process_result_done) = {0};

    lg_serve_fails(options, &result);
    const char *line = lg_buf_view(&result.err).p;
    const char *end = strchr(line, '\n');
    if (result.status != status || end == NULL || end[1] != '\0' ||
        strncmp(line, "livegate: ", 10) != 0)
        fail_msg("exit status %d, not %d, and one line:\n%s", result.status, status, line);
    assert_int_equal(result.out.n, 0);
    for (; *parts != NULL; parts++)
        if (strstr(line, *parts) == NULL)
            fail_msg("nothing about \"%s\": %s", *parts, line);
}

#define START(inventory, cert_dir, ...)                                                            \
    OPTIONS("--inventory", inventory, "--cert-dir", cert_dir, "--listen", "127.0.0.1:0",           \
            "--ops-listen", "127.0.0.1:0", ##__VA_ARGS__)

static void wrong_options_are_said(void **state)
{
    (void)state;
    fails_with(OPTIONS("--inventory", INVENTORY, "--listen", "localhost:1"), 2,
               OPTIONS("--listen", "localhost:1", "ADDR:PORT"));
    fails_with(OPTIONS("--inventory", INVENTORY, "--ops-listen", "8080"), 2,
               OPTIONS("--ops-listen", "8080"));
    fails_with(OPTIONS("--inventory", INVENTORY, "--drain", "15"), 2, OPTIONS("--drain", "15s"));
}

static void an_unreadable_inventory_is_said(void **state)
{
    const char *broken = lg_serve_path(&server, "broken.yaml");
    (void)state;
    fails_with(START("/does/not/exist", server.dir), 3,
               OPTIONS("/does/not/exist", "--inventory takes files"));
    lg_write_file(broken, LG_STR("apiVersion: v1\nkind: Node\nmetadata: {name: a\n"));
    fails_with(START(broken, server.dir), 3, OPTIONS("broken.yaml:", "inventory"));
}

static void a_policy_with_an_unknown_rule_is_said(void **state)
{
    const char *policy = lg_serve_path(&server, "policy.yaml");
    (void)state;
    lg_write_file(policy, LG_STR("apiVersion: livegate.io/v1\nkind: Policy\nrules:\n"
                                 "  LG101: {action: warn}\n  LG999: {action: warn}\n"));
    fails_with(START(INVENTORY, server.dir, "--policy", policy), 3,
               OPTIONS("policy.yaml:5:", "LG999", "livegate policy"));
    fails_with(START(INVENTORY, server.dir, "--policy", "/does/not/exist"), 3,
               OPTIONS("/does/not/exist"));
}

static void unusable_certificates_are_said(void **state)
{
    const char *other = lg_serve_path(&server, "other");
    char key[256], kept[256];
    (void)state;

    fails_with(START(INVENTORY, "/does/not/exist"), 3, OPTIONS("/does/not/exist"));
    assert_int_equal(mkdir(other, 0700), 0);
    fails_with(START(INVENTORY, other), 3, OPTIONS("tls.crt", "livegate certs issue"));
    lg_serve_new_ca(&server, other);
    lg_serve_new_pair(&server, other, "other", 1);
    snprintf(key, sizeof key, "%s/tls.key", other);
    snprintf(kept, sizeof kept, "%s/kept", other);
    assert_int_equal(rename(key, kept), 0);
    fails_with(START(INVENTORY, other), 3, OPTIONS("tls.key"));
    assert_int_equal(symlink(lg_serve_path(&server, "tls.key"), key), 0);
    fails_with(START(INVENTORY, other), 3, OPTIONS("tls.key", "belong"));
    assert_int_equal(rename(kept, key), 0);
    lg_serve_new_pair(&server, other, "ended", -1);
    fails_with(START(INVENTORY, other), 3, OPTIONS("tls.crt", "expired"));
    lg_write_file(key, LG_STR("not a key"));
    fails_with(START(INVENTORY, other), 3, OPTIONS("tls.key"));
    fails_with(START(INVENTORY, server.dir, "--client-ca", key), 3,
               OPTIONS("tls.key", "certificate"));
}

static void a_port_in_use_is_said(void **state)
{
    struct lg_reply reply lg_cleanup(lg_reply_done) = {0};
    (void)state;
    lg_serve_start(&server, OPTIONS("--drain", "0s"));
    fails_with(OPTIONS("--inventory", INVENTORY, "--cert-dir", server.dir, "--listen",
                       server.reviews, "--ops-listen", "127.0.0.1:0"),
               3, OPTIONS(server.reviews, "--listen", "in use"));
    fails_with(OPTIONS("--inventory", INVENTORY, "--cert-dir", server.dir, "--listen",
                       "127.0.0.1:0", "--ops-listen", server.operations),
               3, OPTIONS(server.operations, "--ops-listen", "in use"));
    lg_get_operation(&server, "/readyz", &reply);
    assert_int_equal(reply.status, 200);
    lg_serve_stop(&server);
}

/* --- reviews by other means --- */

/* Posts vm-create.json; the number of denials and of warnings in the answer. */
static void post_vm(bool *ret_allowed, size_t *ret_warnings)
{
    struct lg_buf body lg_cleanup(lg_buf_done) = {0};
    struct lg_reply reply lg_cleanup(lg_reply_done) = {0};
    lg_read_file(REVIEW, &body);
    json_t *response = lg_post_review(&server, "/validate", lg_buf_view(&body), &reply);
    *ret_allowed = json_is_true(json_object_get(response, "allowed"));
    *ret_warnings = json_array_size(json_object_get(response, "warnings"));
}

/* A TLS connection that stays open, held by openssl. */
static struct lg_process *connect_tls(void)
{
    lg_process_start(OPTIONS("openssl", "s_client", "-quiet", "-verify_return_error", "-CAfile",
                             lg_serve_path(&server, "ca.crt"), "-connect", server.reviews),
                     lg_serve_path(&server, "s_client"), true, &talking);
    return &talking;
}

static void say(const struct lg_process *talker, struct lg_str text)
{
    assert_int_equal(write(talker->input, text.p, text.n), (ssize_t)text.n);
}

/* The head of a POST with that many bytes of body to come. */
static void say_head(const struct lg_process *talker, size_t bytes)
{
    struct lg_buf head lg_cleanup(lg_buf_done) = {0};
    lg_buf_printf(&head,
                  "POST /validate HTTP/1.1\r\nHost: livegate\r\nContent-Type: application/json\r\n"
                  "Content-Length: %zu\r\n\r\n",
                  bytes);
    say(talker, lg_buf_view(&head));
}

/* Sends vm-create.json and reads the answer's head and body. */
static void talk(struct lg_process *talker, struct lg_buf *ret_answer)
{
    struct lg_buf body lg_cleanup(lg_buf_done) = {0};
    lg_read_file(REVIEW, &body);
    say_head(talker, body.n);
    say(talker, lg_buf_view(&body));
    if (!lg_process_expect(talker, "\"uid\":\"f367a211-6054-4741-a50e-8562093a0884\"", TALK_MS_MAX,
                           ret_answer))
        fail_msg("no answer on the kept connection: %s", lg_buf_view(ret_answer).p);
}

/* --- while serving --- */

static void a_new_certificate_is_served_and_connections_live(void **state)
{
    struct lg_buf before lg_cleanup(lg_buf_done) = {0}, after lg_cleanup(lg_buf_done) = {0};
    struct lg_process_result result lg_cleanup(lg_process_result_done) = {0};
    (void)state;

    lg_serve_start(&server, OPTIONS("--drain", "0s"));
    struct lg_process *talker = connect_tls();
    talk(talker, &before);
    lg_serve_new_pair(&server, server.dir, "second", 1);
    lg_serve_await_log(&server, "\"serving certificate\"", 2); /* within 10 s, unasked */
    lg_process_run(OPTIONS("openssl", "s_client", "-connect", server.reviews), LG_STR("Q\n"),
                   TALK_MS_MAX, &result);
    assert_non_null(strstr(lg_buf_view(&result.out).p, "CN = second"));
    talk(talker, &after);
    assert_non_null(strstr(after.p, "HTTP/1.1 200"));
    assert_int_equal((int)lg_metric_value(
                         &server, "livegate_reloads_total{of=\"certificate\",result=\"taken\"}"),
                     1);
    lg_serve_stop(&server);
}

static void link_to(const char *target, const char *path)
{
    char other[256];
    snprintf(other, sizeof other, "%s.new", path);
    assert_int_equal(symlink(target, other), 0);
    assert_int_equal(rename(other, path), 0);
}

/* The directory `name` in the fixture's with an authority and a pair of that name. */
static void make_version(const char *name)
{
    const char *dir = lg_serve_path(&server, name);
    assert_int_equal(mkdir(dir, 0700), 0);
    lg_serve_new_ca(&server, dir);
    lg_serve_new_pair(&server, dir, name, 1);
}

/* As kubelet does it: the files are links through `..data`, which is pointed elsewhere. */
static void a_secret_volume_is_followed(void **state)
{
    struct lg_process_result result lg_cleanup(lg_process_result_done) = {0};
    const char *names[] = {"tls.crt", "tls.key", "ca.crt"};
    char target[64];
    (void)state;

    make_version("version-1");
    make_version("version-2");
    link_to("version-1", lg_serve_path(&server, "..data"));
    for (size_t i = 0; i < 3; i++) {
        snprintf(target, sizeof target, "..data/%s", names[i]);
        assert_int_equal(unlink(lg_serve_path(&server, names[i])), 0);
        link_to(target, lg_serve_path(&server, names[i]));
    }
    lg_serve_start(&server, OPTIONS("--drain", "0s"));
    link_to("version-2", lg_serve_path(&server, "..data"));
    lg_serve_signal(&server, SIGHUP);
    lg_serve_await_log(&server, "\"serving certificate\"", 2);
    lg_process_run(OPTIONS("openssl", "s_client", "-connect", server.reviews), LG_STR("Q\n"),
                   TALK_MS_MAX, &result);
    assert_non_null(strstr(lg_buf_view(&result.out).p, "CN = version-2"));
    lg_serve_stop(&server);
}

static void a_broken_certificate_is_not_taken(void **state)
{
    bool allowed = true;
    size_t warnings = 0;
    (void)state;

    lg_serve_start(&server, OPTIONS("--drain", "0s"));
    lg_write_file(lg_serve_path(&server, "tls.crt"), LG_STR("-----BEGIN CERTIFICATE-----\n"));
    for (int i = 0; i < 3; i++) {
        lg_serve_signal(&server, SIGHUP);
        lg_serve_await_log(&server, "the pair before stays", 1);
        lg_test_sleep_ms(100);
    }
    post_vm(&allowed, &warnings);
    assert_false(allowed);
    assert_int_equal((int)lg_metric_value(
                         &server, "livegate_reloads_total{of=\"certificate\",result=\"failed\"}"),
                     1); /* reported once */
    lg_serve_new_pair(&server, server.dir, "mended", 1);
    lg_serve_signal(&server, SIGHUP);
    lg_serve_await_log(&server, "\"serving certificate\"", 2);
    post_vm(&allowed, &warnings);
    assert_false(allowed);
    lg_serve_stop(&server);
}

static void a_changed_policy_is_taken_and_a_broken_one_is_not(void **state)
{
    const char *policy = lg_serve_path(&server, "policy.yaml");
    bool allowed = true;
    size_t warnings = 0;
    (void)state;

    lg_write_file(policy, LG_STR("apiVersion: livegate.io/v1\nkind: Policy\n"));
    lg_serve_start(&server, OPTIONS("--drain", "0s", "--policy", policy));
    post_vm(&allowed, &warnings);
    assert_false(allowed);
    lg_write_file(policy, LG_STR("apiVersion: livegate.io/v1\nkind: Policy\nmode: observe\n"));
    lg_serve_signal(&server, SIGHUP);
    lg_serve_await_log(&server, "\"policy taken\"", 1);
    post_vm(&allowed, &warnings);
    assert_true(allowed);
    assert_int_equal(warnings, 3);
    lg_serve_await_log(&server, "\"message\":\"would be denied\"", 1); /* what enforce would do */

    lg_write_file(policy, LG_STR("apiVersion: livegate.io/v1\nkind: Policy\nmode: enforced\n"));
    for (int i = 0; i < 3; i++) {
        lg_serve_signal(&server, SIGHUP);
        lg_serve_await_log(&server, "the policy before stays", 1);
        lg_test_sleep_ms(100);
    }
    post_vm(&allowed, &warnings);
    assert_true(allowed);
    char *log lg_cleanup(lg_free_cleanup) = lg_serve_log(&server);
    const char *would = strstr(log, "\"message\":\"would be denied\"");
    assert_non_null(would);
    assert_non_null(strstr(would, "\"verdict\":\"deny\",\"rules\":\"LG101,LG202\""));
    const char *said = strstr(log, "the policy before stays");
    assert_non_null(strstr(said, "policy.yaml:3:"));
    assert_null(strstr(said + 1, "the policy before stays"));

    lg_write_file(policy, LG_STR("apiVersion: livegate.io/v1\nkind: Policy\nmode: enforce\n"));
    lg_serve_signal(&server, SIGHUP);
    lg_serve_await_log(&server, "\"policy taken\"", 2);
    post_vm(&allowed, &warnings);
    assert_false(allowed);
    lg_serve_stop(&server);
}

static void old_tls_is_refused(void **state)
{
    static const struct {
        const char *option, *said;
    } rows[] = {{"-tls1", "New, (NONE)"},
                {"-tls1_1", "New, (NONE)"},
                {"-tls1_2", "New, TLSv1.2"},
                {"-tls1_3", "New, TLSv1.3"}};
    (void)state;
    lg_serve_start(&server, OPTIONS("--drain", "0s"));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct lg_process_result result lg_cleanup(lg_process_result_done) = {0};
        lg_process_run(OPTIONS("env", "OPENSSL_CONF=/dev/null", "openssl", "s_client",
                               rows[i].option, "-cipher", "ALL:@SECLEVEL=0", "-connect",
                               server.reviews),
                       LG_STR("Q\n"), TALK_MS_MAX, &result);
        lg_buf_puts(&result.out, lg_buf_view(&result.err).p);
        if (strstr(result.out.p, rows[i].said) == NULL)
            fail_msg("%s: %s", rows[i].option, result.out.p);
        assert_int_equal(result.status != 0, strstr(rows[i].said, "NONE") != NULL);
    }
    lg_serve_stop(&server);
}

/* A client's pair NAME.crt, NAME.key of the authority in `dir`. */
static void new_client(const char *dir, const char *name)
{
    char key[256], request[256], cert[256], ca[256], ca_key[256];
    const char *extensions = lg_serve_path(&server, "client-extensions");
    snprintf(key, sizeof key, "%s/%s.key", dir, name);
    snprintf(request, sizeof request, "%s/%s.csr", dir, name);
    snprintf(cert, sizeof cert, "%s/%s.crt", dir, name);
    snprintf(ca, sizeof ca, "%s/ca.crt", dir);
    snprintf(ca_key, sizeof ca_key, "%s/ca.key", dir);
    lg_write_file(extensions, LG_STR("extendedKeyUsage=clientAuth\n"));
    lg_serve_openssl(OPTIONS("openssl", "req", "-newkey", "ec", "-pkeyopt",
                             "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=apiserver",
                             "-keyout", key, "-out", request));
    lg_serve_openssl(OPTIONS("openssl", "x509", "-req", "-in", request, "-CA", ca, "-CAkey", ca_key,
                             "-CAcreateserial", "-days", "1", "-extfile", extensions, "-out",
                             cert));
}

static int curl_as(const char *cert, const char *key)
{
    struct lg_reply reply lg_cleanup(lg_reply_done) = {0};
    lg_curl(&server, "/nowhere", cert == NULL ? NULL : OPTIONS("--cert", cert, "--key", key),
            LG_STR(""), &reply);
    return reply.status;
}

static void clients_show_certificates_where_configured(void **state)
{
    char other[192];
    (void)state;
    snprintf(other, sizeof other, "%s/other", server.dir);
    assert_int_equal(mkdir(other, 0700), 0);
    lg_serve_new_ca(&server, other);
    new_client(other, "client");
    new_client(server.dir, "client");
    lg_serve_start(&server,
                   OPTIONS("--drain", "0s", "--client-ca", lg_serve_path(&server, "ca.crt")));
    assert_int_equal(
        curl_as(lg_serve_path(&server, "client.crt"), lg_serve_path(&server, "client.key")), 404);
    assert_int_equal(curl_as(NULL, NULL), 0);
    assert_int_equal(curl_as(lg_serve_path(&server, "other/client.crt"),
                             lg_serve_path(&server, "other/client.key")),
                     0);
    /* A server's certificate is none for a client. */
    assert_int_equal(curl_as(lg_serve_path(&server, "tls.crt"), lg_serve_path(&server, "tls.key")),
                     0);
    lg_serve_stop(&server);
}

static double held(void)
{
    return lg_metric_value(&server, "livegate_request_body_bytes");
}

static void await_held(double bytes, int64_t end_ms)
{
    while (held() < bytes) {
        assert_true(lg_test_now_ms() < end_ms);
        lg_test_sleep_ms(10);
    }
}

/* A review of at least `bytes`: white space behind the object is none of it. */
static void post_from(const char *address, size_t bytes, struct lg_reply *ret)
{
    struct lg_buf body lg_cleanup(lg_buf_done) = {0};
    lg_read_file(REVIEW, &body);
    while (body.n < bytes)
        lg_buf_putc(&body, ' ');
    lg_curl(&server, "/validate",
            OPTIONS("--interface", address, "-H", "Content-Type: application/json", "--data-binary",
                    "@-"),
            lg_buf_view(&body), ret);
}

enum { NORMAL_BYTES = 64 * 1024, LARGE_BYTES = NORMAL_BYTES + 1 };

enum { ADDRESSES_MAX = 4, HELD_BYTES = 8 * 1024 * 1024, ATTEMPTS = 6 };

/* What three posts are answered while others hold as much room as they get: `n` from each of these
 * addresses. */
struct posts {
    int large, large_of_holder, normal_of_holder;
    bool retry_after;
};

/* False when the machine was so busy that the reaper had ended the holders before all was asked. */
static bool post_beside_holders(size_t addresses, size_t n, double room, struct posts *ret)
{
    static const char *const from[] = {"127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"};
    struct lg_clients *holders[ADDRESSES_MAX] = {NULL};
    struct lg_reply reply lg_cleanup(lg_reply_done) = {0};
    struct lg_reply same lg_cleanup(lg_reply_done) = {0};
    struct lg_reply normal lg_cleanup(lg_reply_done) = {0};
    int64_t end_ms = lg_test_now_ms() + TALK_MS_MAX;
    for (size_t i = 0; i < addresses; i++)
        holders[i] = lg_clients_new(&server, from[i], n);
    for (size_t i = 0; i < addresses; i++)
        for (size_t k = 0; k < n; k++)
            lg_clients_say_head(holders[i], k, "/validate", HELD_BYTES);
    await_held(room, end_ms);
    post_from("127.0.0.1", LARGE_BYTES, &reply);
    post_from(from[0], LARGE_BYTES, &same);
    post_from(from[0], NORMAL_BYTES, &normal);
    double still = held();
    *ret = (struct posts){.large = reply.status,
                          .large_of_holder = same.status,
                          .normal_of_holder = normal.status,
                          .retry_after = strstr(reply.head.p, "Retry-After: 1") != NULL};
    /* The reaper ends those who hold the room, and there is room again. */
    while (held() > 0) {
        assert_true(lg_test_now_ms() < end_ms);
        lg_test_sleep_ms(50);
    }
    for (size_t i = 0; i < addresses; i++)
        lg_clients_free(holders[i]);
    assert_true(still <= room);
    return still == room;
}

static void post_beside(size_t addresses, size_t n, double room, struct posts *ret)
{
    bool shown = false;
    for (int i = 0; i < ATTEMPTS && !shown; i++)
        shown = post_beside_holders(addresses, n, room, ret);
    assert_true(shown);
}

/* Else whoever can open eight connections turns the gate off: an error is "admitted" where
 * failurePolicy is Ignore. */
static void one_address_does_not_take_all_room_for_bodies(void **state)
{
    enum { ROOM = 2 };
    struct posts posts;
    (void)state;
    lg_serve_start(&server, OPTIONS("--drain", "0s"));
    post_beside(1, 16, (double)ROOM * HELD_BYTES, &posts);
    assert_int_equal(posts.large, 200);
    assert_int_equal(posts.large_of_holder, 503);
    assert_int_equal(posts.normal_of_holder, 200);
    lg_serve_stop(&server);
}

static void bodies_in_flight_are_limited(void **state)
{
    struct posts posts;
    bool allowed = true;
    size_t warnings = 0;
    (void)state;
    lg_serve_start(&server, OPTIONS("--drain", "0s"));
    post_beside(ADDRESSES_MAX, 2, (double)ADDRESSES_MAX * 2 * HELD_BYTES, &posts);
    assert_int_equal(posts.large, 503);
    assert_true(posts.retry_after);
    assert_int_equal(posts.large_of_holder, 503);
    /* Four addresses hold all of it, and everybody's normal review gets in all the same. */
    assert_int_equal(posts.normal_of_holder, 200);
    post_vm(&allowed, &warnings);
    assert_false(allowed);
    lg_serve_stop(&server);
}

/* --- the end --- */

static int status_of(const char *path)
{
    struct lg_reply reply lg_cleanup(lg_reply_done) = {0};
    lg_get_operation(&server, path, &reply);
    return reply.status;
}

static void sigterm_drains(void **state)
{
    struct lg_buf answer lg_cleanup(lg_buf_done) = {0};
    struct lg_buf body lg_cleanup(lg_buf_done) = {0};
    struct lg_reply reply lg_cleanup(lg_reply_done) = {0};
    (void)state;

    lg_serve_start(&server, OPTIONS("--drain", "20s"));
    struct lg_process *talker = connect_tls();
    talk(talker, &answer);
    assert_null(strstr(answer.p, "Connection: close"));
    assert_int_equal(status_of("/readyz"), 200);
    int64_t start_ms = lg_test_now_ms();
    lg_serve_signal(&server, SIGTERM);
    lg_serve_await_log(&server, "\"stopping\"", 1);
    assert_int_equal(status_of("/readyz"), 503);
    assert_int_equal(status_of("/livez"), 200);
    lg_buf_done(&answer);
    answer = (struct lg_buf){0};
    talk(talker, &answer);
    assert_non_null(strstr(answer.p, "Connection: close"));
    lg_read_file(REVIEW, &body);
    lg_post_review(&server, "/validate", lg_buf_view(&body), &reply);
    assert_non_null(strstr(reply.head.p, "Connection: close"));
    assert_int_equal(lg_serve_wait(&server), 0);
    assert_true(lg_test_now_ms() - start_ms >= 19900);
    assert_int_equal(status_of("/livez"), 0);
}

static void a_request_in_flight_is_answered_before_the_end(void **state)
{
    struct lg_buf answer lg_cleanup(lg_buf_done) = {0};
    struct lg_buf body lg_cleanup(lg_buf_done) = {0};
    (void)state;

    lg_serve_start(&server, OPTIONS("--drain", "0s"));
    struct lg_process *talker = connect_tls();
    talk(talker, &answer);
    lg_buf_done(&answer);
    answer = (struct lg_buf){0};
    lg_read_file(REVIEW, &body);
    say_head(talker, body.n);
    say(talker, (struct lg_str){body.p, 1000});
    await_held(1, lg_test_now_ms() + TALK_MS_MAX);
    lg_serve_signal(&server, SIGTERM);
    lg_serve_await_log(&server, "\"stopping\"", 1);
    lg_test_sleep_ms(300);
    say(talker, (struct lg_str){body.p + 1000, body.n - 1000});
    assert_true(
        lg_process_expect(talker, "f367a211-6054-4741-a50e-8562093a0884", TALK_MS_MAX, &answer));
    assert_non_null(strstr(answer.p, "Connection: close"));
    assert_int_equal(lg_serve_wait(&server), 0);
    char *log lg_cleanup(lg_free_cleanup) = lg_serve_log(&server);
    assert_non_null(strstr(log, "\"unanswered\":0"));
}

static void a_second_signal_ends_the_drain(void **state)
{
    (void)state;
    lg_serve_start(&server, OPTIONS("--drain", "10m"));
    lg_serve_signal(&server, SIGINT); /* standard error is no terminal: it drains too */
    lg_serve_await_log(&server, "\"drain_ms\":600000", 1);
    lg_serve_signal(&server, SIGTERM);
    assert_int_equal(lg_serve_wait(&server), 0);
}

static void interrupted_on_a_terminal_it_ends_at_once(void **state)
{
    const char *argv[] = {LG_BINARY_DIR "/livegate",
                          "serve",
                          "--inventory",
                          INVENTORY,
                          "--cert-dir",
                          server.dir,
                          "--listen",
                          "127.0.0.1:0",
                          "--ops-listen",
                          "127.0.0.1:0",
                          "--drain",
                          "10m",
                          NULL};
    struct lg_buf seen lg_cleanup(lg_buf_done) = {0};
    int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    (void)state;

    assert_true(terminal >= 0);
    assert_int_equal(grantpt(terminal), 0);
    assert_int_equal(unlockpt(terminal), 0);
    lg_process_start(argv, ptsname(terminal), false, &server.process);
    struct lg_process screen = {.output = terminal, .input = -1};
    assert_true(
        lg_process_expect(&screen, "\"serving certificate\"", LG_SERVE_START_MS_MAX, &seen));
    assert_int_equal(kill(server.process.pid, SIGINT), 0);
    assert_true(lg_process_expect(&screen, "\"stopped\"", LG_SERVE_STOP_MS_MAX, &seen));
    assert_int_equal(lg_process_wait(&server.process, LG_SERVE_STOP_MS_MAX), 0);
    close(terminal);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(wrong_options_are_said),
        TEST(an_unreadable_inventory_is_said),
        TEST(a_policy_with_an_unknown_rule_is_said),
        TEST(unusable_certificates_are_said),
        TEST(a_port_in_use_is_said),
        TEST(a_new_certificate_is_served_and_connections_live),
        TEST(a_secret_volume_is_followed),
        TEST(a_broken_certificate_is_not_taken),
        TEST(a_changed_policy_is_taken_and_a_broken_one_is_not),
        TEST(old_tls_is_refused),
        TEST(clients_show_certificates_where_configured),
        TEST(one_address_does_not_take_all_room_for_bodies),
        TEST(bodies_in_flight_are_limited),
        TEST(sigterm_drains),
        TEST(a_request_in_flight_is_answered_before_the_end),
        TEST(a_second_signal_ends_the_drain),
        TEST(interrupted_on_a_terminal_it_ends_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
