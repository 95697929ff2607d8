/* Kubeconfig files and the pod's service account: what is taken from them, and every refusal with
 * place and remedy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rules/core/file.h"
#include "rules/core/mem.h"
#include "webhook/cluster/kubeconfig.h"

#define PEM "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n"
/* PEM in base64 */
#define PEM_DATA "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1BPT0KLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo="

struct place {
    char dir[64], config[128];
};

static int set_up(void **state)
{
    struct place *p = lg_calloc(1, sizeof *p);
    (void)snprintf(p->dir, sizeof p->dir, "/tmp/livegate-kubeconfig-XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    (void)snprintf(p->config, sizeof p->config, "%s/config", p->dir);
    unsetenv("KUBECONFIG");
    unsetenv("KUBERNETES_SERVICE_HOST");
    unsetenv("KUBERNETES_SERVICE_PORT");
    assert_int_equal(setenv("HOME", p->dir, 1), 0);
    *state = p;
    return 0;
}

static int tear_down(void **state)
{
    struct place *p = *state;
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf %s", p->dir);
    assert_int_equal(system(command), 0);
    free(p);
    return 0;
}

static void put(const struct place *p, const char *name, const char *text)
{
    char path[192];
    struct lg_err err = {0};
    (void)snprintf(path, sizeof path, "%s/%s", p->dir, name);
    assert_int_equal(lg_file_write(path, lg_str_of(text), 0600, &err), LG_E_OK);
}

/* A kubeconfig of one cluster, user and context with these members. */
static void put_config(const struct place *p, const char *cluster, const char *user)
{
    struct lg_buf text = {0};
    lg_buf_printf(&text,
                  "apiVersion: v1\nkind: Config\ncurrent-context: admin@prod\n"
                  "clusters:\n- name: prod\n  cluster:\n    %s\n"
                  "users:\n- name: admin\n  user:\n    %s\n"
                  "contexts:\n- name: admin@prod\n  context: {cluster: prod, user: admin, "
                  "namespace: web}\n",
                  cluster, user);
    put(p, "config", text.p);
    lg_buf_done(&text);
}

static void expect_fail(const struct place *p, enum lg_err_code code, const char *where,
                        const char *text)
{
    struct lg_kubeconfig config = {0};
    struct lg_err err = {0};
    char at[320];
    assert_int_equal(lg_kubeconfig_read_file(p->config, NULL, &config, &err), code);
    assert_int_equal(err.code, code);
    (void)snprintf(at, sizeof at, "%s%s", p->dir, where);
    assert_string_equal(err.where, at);
    assert_string_equal(err.text, text);
    assert_null(config.server);
}

static void all_that_a_file_says_is_read(void **state)
{
    struct place *p = *state;
    struct lg_kubeconfig config = {0};
    struct lg_err err = {0};
    put_config(p,
               "{server: 'https://[fd00::1]:6443/k8s/c-1/', tls-server-name: api.example, "
               "certificate-authority-data: " PEM_DATA "}",
               "{client-certificate-data: " PEM_DATA ", client-key-data: " PEM_DATA
               ", token: abc.def}");
    assert_int_equal(lg_kubeconfig_read_file(p->config, NULL, &config, &err), LG_E_OK);
    assert_string_equal(config.source, p->config);
    assert_string_equal(config.server, "https://[fd00::1]:6443");
    assert_string_equal(config.host, "fd00::1");
    assert_int_equal(config.port, 6443);
    assert_true(config.tls);
    assert_string_equal(config.prefix, "/k8s/c-1");
    assert_string_equal(config.tls_server_name, "api.example");
    assert_false(config.insecure);
    assert_string_equal(config.ns, "web");
    assert_string_equal(config.ca.text.p, PEM);
    assert_string_equal(config.cert.text.p, PEM);
    assert_string_equal(config.key.text.p, PEM);
    assert_string_equal(config.token.text.p, "abc.def");
    lg_kubeconfig_done(&config);
}

static void files_count_from_the_kubeconfigs_folder(void **state)
{
    struct place *p = *state;
    struct lg_kubeconfig config = {0};
    struct lg_err err = {0};
    put(p, "ca.crt", PEM);
    put(p, "token", "  secret\n");
    put_config(p, "{server: 'https://api.example', certificate-authority: ca.crt}",
               "{tokenFile: token, token: weaker}");
    assert_int_equal(lg_kubeconfig_read_file(p->config, NULL, &config, &err), LG_E_OK);
    assert_string_equal(config.server, "https://api.example:443");
    assert_string_equal(config.prefix, "");
    assert_null(config.tls_server_name);
    assert_string_equal(config.ca.text.p, PEM);
    struct lg_str token = lg_secret_trimmed(&config.token);
    assert_true(lg_str_is(token, "secret"));

    bool changed = true;
    assert_int_equal(lg_kubeconfig_refresh(&config, false, &changed, &err), LG_E_OK);
    assert_false(changed);
    put(p, "token", "renewed\n");
    assert_int_equal(lg_kubeconfig_refresh(&config, false, &changed, &err), LG_E_OK);
    assert_true(changed);
    assert_true(lg_str_is(lg_secret_trimmed(&config.token), "renewed"));
    lg_kubeconfig_done(&config);
}

static void expect_kept(struct lg_kubeconfig *config, const char *where, const char *text)
{
    struct lg_err err = {0};
    bool changed = true;
    assert_int_equal(lg_kubeconfig_refresh(config, false, &changed, &err), LG_E_INVALID);
    assert_int_equal(err.code, LG_E_INVALID);
    assert_string_equal(err.where, where);
    assert_string_equal(err.text, text);
    assert_false(changed);
    assert_true(lg_str_is(lg_secret_trimmed(&config->token), "secret"));
    assert_string_equal(config->ca.text.p, PEM);
}

static void a_changed_secret_is_checked_like_the_first(void **state)
{
    struct place *p = *state;
    struct lg_kubeconfig config = {0};
    struct lg_err err = {0};
    char token[128], ca[128];
    bool changed = true;
    (void)snprintf(token, sizeof token, "%s/token", p->dir);
    (void)snprintf(ca, sizeof ca, "%s/ca.crt", p->dir);
    put(p, "ca.crt", PEM);
    put(p, "token", "secret\n");
    put_config(p, "{server: 'https://api.example', certificate-authority: ca.crt}",
               "{tokenFile: token}");
    assert_int_equal(lg_kubeconfig_read_file(p->config, NULL, &config, &err), LG_E_OK);
    /* a line end within it would end the header that it stands in */
    put(p, "token", "good\r\nX-Remote-User: admin\n");
    expect_kept(&config, token, "the token has a character that no token has (byte 5 of 26)");
    expect_kept(&config, token, "the token has a character that no token has (byte 5 of 26)");
    put(p, "token", " \n");
    expect_kept(&config, token, "the token is empty");
    put(p, "token", "secret\n");
    put(p, "ca.crt", "no pem");
    expect_kept(&config, ca,
                "the certificate authority is not PEM: it has no line -----BEGIN ...-----");
    put(p, "ca.crt", PEM);
    put(p, "token", "renewed");
    assert_int_equal(lg_kubeconfig_refresh(&config, false, &changed, &err), LG_E_OK);
    assert_true(changed);
    assert_true(lg_str_is(lg_secret_trimmed(&config.token), "renewed"));
    lg_kubeconfig_done(&config);
}

static void a_secret_that_cannot_be_read_now_stays(void **state)
{
    struct place *p = *state;
    struct lg_kubeconfig config = {0};
    struct lg_err err = {0};
    char path[128];
    bool changed = true;
    put(p, "token", "secret");
    put_config(p, "{server: 'https://api.example'}", "{tokenFile: token}");
    assert_int_equal(lg_kubeconfig_read_file(p->config, NULL, &config, &err), LG_E_OK);
    (void)snprintf(path, sizeof path, "%s/token", p->dir);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(lg_kubeconfig_refresh(&config, true, &changed, &err), LG_E_NOTFOUND);
    assert_string_equal(err.where, path);
    assert_false(changed);
    assert_true(lg_str_is(lg_secret_trimmed(&config.token), "secret"));
    lg_kubeconfig_done(&config);
}

static void another_context_may_be_named(void **state)
{
    struct place *p = *state;
    struct lg_kubeconfig config = {0};
    struct lg_err err = {0};
    put(p, "config",
        "current-context: a\n"
        "clusters: [{name: a, cluster: {server: 'https://a:1'}}, {name: b, cluster: {server: "
        "'https://b:2', insecure-skip-tls-verify: true}}]\n"
        "users: []\n"
        "contexts: [{name: a, context: {cluster: a}}, {name: b, context: {cluster: b}}]\n");
    assert_int_equal(lg_kubeconfig_read_file(p->config, "b", &config, &err), LG_E_OK);
    assert_string_equal(config.server, "https://b:2");
    assert_true(config.insecure);
    assert_string_equal(config.ns, "default");
    lg_kubeconfig_done(&config);
    assert_int_equal(lg_kubeconfig_read_file(p->config, "c", &config, &err), LG_E_NOTFOUND);
    assert_string_equal(err.text, "there is no context named \"c\" under contexts");
}

static void programs_and_plugins_that_log_in_are_refused_by_name(void **state)
{
    struct place *p = *state;
#define HINT                                                                                       \
    "use a service account: kubectl create token NAME prints a token for users[].user.token"
    static const struct {
        const char *user, *where, *text;
    } rows[] = {
        {"exec: {command: kubelogin}", "/config:12:11",
         "user \"admin\" has exec: it would run a program to log in, which livegate does not "
         "do; " HINT},
        {"auth-provider: {name: oidc}", "/config:12:20",
         "user \"admin\" has auth-provider: login by a provider's plugin is not supported; " HINT},
        {"{username: root, password: x}", "/config:12:16",
         "user \"admin\" has username: passwords are not supported (no API server since 1.19 takes "
         "them); " HINT},
        {"{token: x, as: someone}", "/config:12:20",
         "user \"admin\" has as: livegate acts for nobody else; " HINT},
        {"{token: x, as-groups: [a]}", "/config:12:27",
         "user \"admin\" has as-groups: livegate acts for nobody else; " HINT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        put_config(p, "server: https://api.example:6443\n    extensions: []", rows[i].user);
        expect_fail(p, LG_E_UNSUPPORTED, rows[i].where, rows[i].text);
    }
    put_config(p, "{server: 'https://a', proxy-url: 'http://proxy:3128'}", "{}");
    expect_fail(p, LG_E_UNSUPPORTED, "/config:7:38",
                "cluster \"prod\" has proxy-url: livegate speaks to the API server itself, never "
                "through a proxy; give an address that is reachable from here");
}

static void what_is_wrong_is_said_with_its_place(void **state)
{
    struct place *p = *state;
    static const struct {
        const char *cluster, *user, *where, *text;
    } rows[] = {
        {"{}", "{}", "/config:7:5", "cluster \"prod\" has no server"},
        {"{server: 5}", "{}", "/config:7:14", "server: expected a string, got a number"},
        {"{server: api.example}", "{}", "/config:7:14",
         "server \"api.example\" is no URL; write it as https://HOST:PORT"},
        {"{server: 'https://a/x?y'}", "{}", "/config:7:14",
         "server \"https://a/x?y\" is not a URL that livegate reads; write it as "
         "https://HOST:PORT, without user, query or fragment"},
        {"{server: 'https://root@a'}", "{}", "/config:7:14",
         "server \"https://root@a\" is not a URL that livegate reads; write it as "
         "https://HOST:PORT, without user, query or fragment"},
        {"{server: 'https://a', tls-server-name: 'b/c'}", "{}", "/config:7:44",
         "tls-server-name \"b/c\" is no host name"},
        {"{server: 'https://a', certificate-authority-data: '*'}", "{}", "/config:7:55",
         "certificate-authority-data is not base64; it is cut, or meant for certificate-authority"},
        {"{server: 'https://a', certificate-authority-data: aGVsbG8=}", "{}", "/config:14:12",
         "the certificate authority is not PEM: it has no line -----BEGIN ...-----"},
        {"{server: 'https://a', insecure-skip-tls-verify: 1}", "{}", "/config:7:53",
         "insecure-skip-tls-verify: expected true or false, got a number"},
        {"{server: 'https://a', insecure-skip-tls-verify: true, "
         "certificate-authority-data: " PEM_DATA "}",
         "{}", "/config:14:12",
         "certificate-authority and insecure-skip-tls-verify contradict each other; remove "
         "insecure-skip-tls-verify"},
        {"{server: 'https://a'}", "{client-certificate-data: " PEM_DATA "}", "/config:14:12",
         "a client certificate is there and its key is not; give both"},
        {"{server: 'https://a'}", "{token: \"a b\"}", "/config:14:12",
         "the token has a character that no token has (byte 2 of 3)"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        put_config(p, rows[i].cluster, rows[i].user);
        expect_fail(p, LG_E_INVALID, rows[i].where, rows[i].text);
    }
    put_config(p, "server: http://api.example:8080", "{}");
    expect_fail(p, LG_E_UNSUPPORTED, "/config:7:13",
                "server \"http://api.example:8080\" is without TLS, which livegate speaks only to "
                "this machine itself (kubectl proxy); use https://");
    put(p, "config", "clusters: []\n");
    expect_fail(p, LG_E_NOTFOUND, "/config:1:1",
                "there is no current-context; choose one: kubectl config use-context NAME");
    put(p, "config",
        "current-context: a\ncontexts: [{name: a, context: {cluster: c}}, {name: a, "
        "context: {}}]\n");
    expect_fail(p, LG_E_INVALID, "/config:2:46", "context \"a\" is there twice; rename one");
    put(p, "config", "- 1\n");
    expect_fail(p, LG_E_INVALID, "/config",
                "this is no kubeconfig: expected an object with clusters, users and contexts, got "
                "a list");
    put(p, "config", "");
    expect_fail(p, LG_E_INVALID, "/config",
                "this is no kubeconfig: expected an object with clusters, users and contexts, got "
                "nothing");
}

static void a_file_that_is_named_and_missing_is_said_with_both_places(void **state)
{
    struct place *p = *state;
    struct lg_kubeconfig config = {0};
    struct lg_err err = {0};
    char wanted[512];
    put_config(p, "{server: 'https://a', certificate-authority: nowhere.crt}", "{}");
    assert_int_equal(lg_kubeconfig_read_file(p->config, NULL, &config, &err), LG_E_NOTFOUND);
    (void)snprintf(wanted, sizeof wanted, "%s/nowhere.crt", p->dir);
    assert_string_equal(err.where, wanted);
    (void)snprintf(wanted, sizeof wanted,
                   "certificate-authority (%s:7:50): cannot be read: No such file or directory",
                   p->config);
    assert_string_equal(err.text, wanted);
}

static void broken_yaml_is_said_with_its_line(void **state)
{
    struct place *p = *state;
    struct lg_kubeconfig config = {0};
    struct lg_err err = {0};
    char wanted[256];
    put(p, "config", "clusters:\n- name: [\n");
    assert_int_equal(lg_kubeconfig_read_file(p->config, NULL, &config, &err), LG_E_INVALID);
    (void)snprintf(wanted, sizeof wanted, "%s:", p->config);
    assert_true(strncmp(err.where, wanted, strlen(wanted)) == 0);
    assert_true(strncmp(err.text, "the kubeconfig: ", 16) == 0);
}

static void plain_http_is_for_this_machine_only(void **state)
{
    (void)state;
    static const struct {
        const char *url, *server;
    } rows[] = {
        {"http://127.0.0.1:8001", "http://127.0.0.1:8001"},
        {"http://localhost", "http://localhost:80"},
        {"http://[::1]:8001", "http://[::1]:8001"},
        {"http://10.0.0.1:8001", NULL},
        {"http://localhost.example", NULL},
        {"https://a:0", NULL},
        {"https://a:65536", NULL},
        {"https://a:x", NULL},
        {"https://a:", NULL},
        {"https://", NULL},
        {"https://-a", NULL},
        {"https://[fd00::1", NULL},
        {"https://a/../b", NULL},
        {"https://a//b", NULL},
        {"https://a/b c", NULL},
        {"ftp://a", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct lg_kubeconfig config = {0};
        struct lg_err err = {0};
        enum lg_err_code code =
            lg_kubeconfig_set_server(&config, lg_str_of(rows[i].url), "here", &err);
        if (rows[i].server != NULL) {
            assert_int_equal(code, LG_E_OK);
            assert_string_equal(config.server, rows[i].server);
            assert_false(config.tls);
        } else {
            assert_int_not_equal(code, LG_E_OK);
            assert_string_equal(err.where, "here");
            assert_null(config.server);
        }
        lg_kubeconfig_done(&config);
    }
}

static void the_file_is_found_as_kubectl_does(void **state)
{
    struct place *p = *state;
    struct lg_kubeconfig config = {0};
    struct lg_err err = {0};
    struct lg_kubeconfig_options options = {0};
    char path[512];
    assert_int_equal(lg_kubeconfig_open(&options, &config, &err), LG_E_NOTFOUND);
    assert_string_equal(err.where, "~/.kube/config");
    assert_string_equal(err.text, "no kubeconfig is there, and this is no pod of a cluster; name "
                                  "one with --kubeconfig or KUBECONFIG");

    (void)snprintf(path, sizeof path, "%s/.kube", p->dir);
    assert_int_equal(mkdir(path, 0700), 0);
    put(p, ".kube/config",
        "current-context: a\nclusters: [{name: a, cluster: {server: "
        "'https://home'}}]\ncontexts: [{name: a, context: {cluster: a}}]\n");
    assert_int_equal(lg_kubeconfig_open(&options, &config, &err), LG_E_OK);
    assert_string_equal(config.host, "home");
    lg_kubeconfig_done(&config);

    put_config(p, "{server: 'https://listed'}", "{}");
    (void)snprintf(path, sizeof path, ":%s/nowhere:%s:%s/.kube/config", p->dir, p->config, p->dir);
    assert_int_equal(setenv("KUBECONFIG", path, 1), 0);
    assert_int_equal(lg_kubeconfig_open(&options, &config, &err), LG_E_OK);
    assert_string_equal(config.host, "listed");
    lg_kubeconfig_done(&config);

    (void)snprintf(path, sizeof path, "%s/.kube/config", p->dir);
    options.path = path;
    assert_int_equal(lg_kubeconfig_open(&options, &config, &err), LG_E_OK);
    assert_string_equal(config.host, "home");
    lg_kubeconfig_done(&config);

    err = (struct lg_err){0};
    options.path = "/nowhere/config";
    assert_int_equal(lg_kubeconfig_open(&options, &config, &err), LG_E_NOTFOUND);
    assert_string_equal(err.where, "/nowhere/config");
    assert_true(strncmp(err.text, "the kubeconfig: ", 16) == 0);
}

static void a_pod_uses_its_service_account(void **state)
{
    struct place *p = *state;
    struct lg_kubeconfig config = {0};
    struct lg_err err = {0};
    struct lg_kubeconfig_options options = {.service_account_dir = p->dir};
    char path[512];
    assert_int_equal(setenv("KUBERNETES_SERVICE_HOST", "fd00::1", 1), 0);
    assert_int_equal(setenv("KUBERNETES_SERVICE_PORT", "443", 1), 0);
    assert_int_equal(lg_kubeconfig_open(&options, &config, &err), LG_E_NOTFOUND);
    (void)snprintf(path, sizeof path, "%s/token", p->dir);
    assert_string_equal(err.where, path);
    assert_string_equal(err.text, "the pod's service account (automountServiceAccountToken gives "
                                  "it): cannot be read: No such file or directory");

    put(p, "token", "pod-token");
    put(p, "ca.crt", PEM);
    put(p, "namespace", "livegate\n");
    assert_int_equal(lg_kubeconfig_open(&options, &config, &err), LG_E_OK);
    assert_string_equal(config.source, "the pod's service account");
    assert_string_equal(config.server, "https://[fd00::1]:443");
    assert_string_equal(config.ns, "livegate");
    assert_string_equal(config.token.text.p, "pod-token");
    assert_string_equal(config.ca.text.p, PEM);
    assert_true(config.tls);
    lg_kubeconfig_done(&config);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(all_that_a_file_says_is_read),
        TEST(files_count_from_the_kubeconfigs_folder),
        TEST(a_changed_secret_is_checked_like_the_first),
        TEST(a_secret_that_cannot_be_read_now_stays),
        TEST(another_context_may_be_named),
        TEST(programs_and_plugins_that_log_in_are_refused_by_name),
        TEST(what_is_wrong_is_said_with_its_place),
        TEST(a_file_that_is_named_and_missing_is_said_with_both_places),
        TEST(broken_yaml_is_said_with_its_line),
        TEST(plain_http_is_for_this_machine_only),
        TEST(the_file_is_found_as_kubectl_does),
        TEST(a_pod_uses_its_service_account),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
