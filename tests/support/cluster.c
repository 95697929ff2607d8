#include "tests/support/cluster.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "rules/core/mem.h"
#include "rules/rule.h"

enum { POLL_MS = 20, WATCHES_MS_MAX = 120 * 1000, ANSWER_MS_MAX = 120 * 1000 };

void lg_cluster_init(struct lg_cluster *cluster, const struct lg_canned_options *options)
{
    static const struct lg_canned_options small = {.counts = {[LG_KIND_NODE] = 3,
                                                              [LG_KIND_NAMESPACE] = 2,
                                                              [LG_KIND_CLAIM] = 8,
                                                              [LG_KIND_STORAGE_CLASS] = 1,
                                                              [LG_KIND_VM] = 2,
                                                              [LG_KIND_VMI] = 2,
                                                              [LG_KIND_KUBEVIRT] = 1}};
    lg_serve_init(&cluster->serve);
    cluster->timeout = "30s";
    cluster->user = "jane";
    cluster->canned = lg_canned_start(options != NULL ? options : &small);
    lg_canned_kubeconfig(cluster->canned, lg_serve_path(&cluster->serve, "kubeconfig"), NULL);
}

void lg_cluster_start(struct lg_cluster *cluster, const char *const *extra)
{
    lg_serve_start_watching(&cluster->serve, lg_serve_path(&cluster->serve, "kubeconfig"), extra);
}

int64_t lg_cluster_ready(struct lg_cluster *cluster, int64_t deadline_ms)
{
    int64_t start_ms = lg_test_now_ms();
    for (;;) {
        struct lg_reply reply lg_cleanup(lg_reply_done) = {0};
        lg_get_operation(&cluster->serve, "/readyz", &reply);
        int64_t took_ms = lg_test_now_ms() - start_ms;
        if (reply.status == 200)
            return took_ms;
        if (took_ms > deadline_ms)
            lg_serve_fail(&cluster->serve, "not ready after %lld ms", (long long)took_ms);
        lg_test_sleep_ms(POLL_MS);
    }
}

void lg_assert_ready(struct lg_cluster *cluster)
{
    struct lg_reply reply lg_cleanup(lg_reply_done) = {0};
    lg_get_operation(&cluster->serve, "/readyz", &reply);
    if (reply.status != 200)
        lg_serve_fail(&cluster->serve, "not ready: curl %d, HTTP %d: %s", reply.curl, reply.status,
                      reply.body.p);
}

void lg_await_watches(struct lg_cluster *cluster)
{
    size_t kinds = (size_t)__builtin_popcount(lg_rules_watched());
    int64_t end_ms = lg_test_now_ms() + WATCHES_MS_MAX;
    while (lg_canned_watches(cluster->canned) != kinds) {
        if (lg_test_now_ms() >= end_ms)
            lg_serve_fail(&cluster->serve, "%zu watches, not %zu",
                          lg_canned_watches(cluster->canned), kinds);
        lg_test_sleep_ms(POLL_MS);
    }
}

void lg_lose_api(struct lg_cluster *cluster)
{
    lg_canned_stop(cluster->canned);
    cluster->canned = NULL;
}

void lg_cluster_done(struct lg_cluster *cluster)
{
    if (cluster->serve.process.pid > 0)
        lg_serve_stop(&cluster->serve);
    lg_lose_api(cluster);
    lg_serve_done(&cluster->serve);
}

/* Warnings of rules that look at claims, nodes and migrations; what others say of these small
 * objects is not the point. */
static bool counts(const char *warning)
{
    static const char *const prefixes[] = {"LG10", "LG40", "LG60"};
    /* "LG303, LG401: ..." is what both say */
    const char *end = strchr(warning, ':');
    for (size_t i = 0; end != NULL && i < sizeof prefixes / sizeof *prefixes; i++) {
        const char *at = strstr(warning, prefixes[i]);
        if (at != NULL && at < end)
            return true;
    }
    return false;
}

static void read_outcome(json_t *response, struct lg_outcome *ret)
{
    json_t *status = json_object_get(response, "status");
    const char *message = json_string_value(json_object_get(status, "message"));
    json_t *warning;
    size_t i, n = 0;
    ret->allowed = json_is_true(json_object_get(response, "allowed"));
    ret->retry_after_s = (int)json_integer_value(
        json_object_get(json_object_get(status, "details"), "retryAfterSeconds"));
    ret->text[0] = '\0';
    if (message != NULL)
        n = (size_t)snprintf(ret->text, sizeof ret->text, "%s\n", message);
    json_array_foreach(json_object_get(response, "warnings"), i, warning)
    {
        if (n < sizeof ret->text && counts(json_string_value(warning)))
            n += (size_t)snprintf(ret->text + n, sizeof ret->text - n, "%s\n",
                                  json_string_value(warning));
    }
}

static void add_review(struct lg_cluster *cluster, enum lg_kind kind, const char *ns,
                       const char *name, const char *object, struct lg_buf *body)
{
    const struct lg_gvk *gvk = lg_gvk(kind);
    lg_buf_printf(body,
                  "{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\","
                  "\"request\":{\"uid\":\"1\",\"kind\":{\"group\":\"%s\",\"version\":\"%s\","
                  "\"kind\":\"%s\"},\"resource\":{\"group\":\"%s\",\"version\":\"%s\","
                  "\"resource\":\"%s\"},\"name\":\"%s\",\"namespace\":\"%s\",\"operation\":"
                  "\"CREATE\",\"userInfo\":{\"username\":\"%s\"},\"object\":%s,\"oldObject\":"
                  "null,\"dryRun\":false}}",
                  gvk->group, gvk->version, gvk->kind, gvk->group, gvk->version, gvk->plural, name,
                  ns, cluster->user, object);
}

static void path_of(enum lg_kind kind, const char *timeout, char ret[64])
{
    (void)snprintf(ret, 64, "/validate%s?timeout=%s",
                   kind == LG_KIND_MIGRATION ? "/migrations" : "", timeout);
}

void lg_review_object(struct lg_cluster *cluster, enum lg_kind kind, const char *ns,
                      const char *name, const char *object, struct lg_outcome *ret)
{
    char path[64];
    struct lg_buf body lg_cleanup(lg_buf_done) = {0};
    struct lg_reply reply lg_cleanup(lg_reply_done) = {0};
    add_review(cluster, kind, ns, name, object, &body);
    path_of(kind, cluster->timeout, path);
    int64_t start_ms = lg_test_now_ms();
    json_t *response = lg_post_review(&cluster->serve, path, lg_buf_view(&body), &reply);
    ret->took_ms = lg_test_now_ms() - start_ms;
    read_outcome(response, ret);
}

bool lg_try_review_object(struct lg_cluster *cluster, enum lg_kind kind, const char *ns,
                          const char *name, const char *object, int max_s, struct lg_outcome *ret)
{
    char path[64], seconds[16];
    struct lg_buf body lg_cleanup(lg_buf_done) = {0};
    struct lg_reply reply lg_cleanup(lg_reply_done) = {0};
    (void)snprintf(seconds, sizeof seconds, "%d", max_s);
    const char *const extra[] = {
        "-H", "Content-Type: application/json", "--data-binary", "@-", "--max-time", seconds, NULL};
    add_review(cluster, kind, ns, name, object, &body);
    path_of(kind, cluster->timeout, path);
    lg_curl(&cluster->serve, path, extra, lg_buf_view(&body), &reply);
    json_t *response = json_object_get(reply.json, "response");
    if (reply.curl != 0 || reply.status != 200 || response == NULL)
        return false;
    ret->took_ms = reply.took_ms;
    read_outcome(response, ret);
    return true;
}

static void add_vm(struct lg_buf *buf, const char *ns, const char *claim)
{
    lg_buf_printf(buf,
                  "{\"apiVersion\":\"kubevirt.io/v1\",\"kind\":\"VirtualMachine\",\"metadata\":{"
                  "\"name\":\"new\",\"namespace\":\"%s\"},\"spec\":{\"runStrategy\":\"Always\","
                  "\"template\":{\"spec\":{\"domain\":{\"devices\":{\"interfaces\":[{\"name\":"
                  "\"default\",\"masquerade\":{}}]}},\"networks\":[{\"name\":\"default\",\"pod\":"
                  "{}}],\"volumes\":[{\"name\":\"data\",\"persistentVolumeClaim\":{"
                  "\"claimName\":\"%s\"}}]}}}}",
                  ns, claim);
}

void lg_review_vm(struct lg_cluster *cluster, const char *ns, const char *claim,
                  struct lg_outcome *ret)
{
    struct lg_buf object lg_cleanup(lg_buf_done) = {0};
    add_vm(&object, ns, claim);
    lg_review_object(cluster, LG_KIND_VM, ns, "new", object.p, ret);
}

void lg_review_migration(struct lg_cluster *cluster, const char *ns, const char *vmi,
                         struct lg_outcome *ret)
{
    char object[512];
    (void)snprintf(object, sizeof object,
                   "{\"apiVersion\":\"kubevirt.io/v1\",\"kind\":"
                   "\"VirtualMachineInstanceMigration\",\"metadata\":{\"name\":\"move\","
                   "\"namespace\":\"%s\"},\"spec\":{\"vmiName\":\"%s\"}}",
                   ns, vmi);
    lg_review_object(cluster, LG_KIND_MIGRATION, ns, "move", object, ret);
}

/* --- many at once --- */

void lg_review_vms_at_once(struct lg_cluster *cluster, struct lg_clients *clients, const char *ns,
                           const char *claim, size_t n)
{
    char path[64];
    const char *number = strchr(claim, '#');
    path_of(LG_KIND_VM, cluster->timeout, path);
    for (size_t i = 0; i < n; i++) {
        struct lg_buf object lg_cleanup(lg_buf_done) = {0};
        struct lg_buf body lg_cleanup(lg_buf_done) = {0};
        char name[64];
        if (number != NULL)
            (void)snprintf(name, sizeof name, "%.*s%zu", (int)(number - claim), claim, i);
        else
            (void)snprintf(name, sizeof name, "%s", claim);
        add_vm(&object, ns, name);
        add_review(cluster, LG_KIND_VM, ns, "new", object.p, &body);
        lg_clients_post(clients, i, path, lg_buf_view(&body));
    }
}

size_t lg_await_reviews(struct lg_clients *take_clients, size_t n, const char *text)
{
    size_t found = 0;
    for (size_t i = 0; i < n; i++) {
        struct lg_buf answer lg_cleanup(lg_buf_done) = {0};
        lg_clients_read(take_clients, i, ANSWER_MS_MAX, &answer);
        assert_non_null(strstr(answer.p, "\"allowed\""));
        found += strstr(answer.p, text) != NULL;
    }
    lg_clients_free(take_clients);
    return found;
}

void lg_await_vm(struct lg_cluster *cluster, const char *ns, const char *claim, bool allowed,
                 const char *text, int64_t deadline_ms)
{
    struct lg_outcome outcome;
    int64_t end_ms = lg_test_now_ms() + deadline_ms;
    do {
        lg_review_vm(cluster, ns, claim, &outcome);
        bool as_told = *text != '\0' ? strstr(outcome.text, text) != NULL : outcome.text[0] == '\0';
        if (outcome.allowed == allowed && as_told)
            return;
        lg_test_sleep_ms(POLL_MS);
    } while (lg_test_now_ms() < end_ms);
    lg_serve_fail(&cluster->serve, "%s, not %s with \"%s\": %s",
                  outcome.allowed ? "allowed" : "denied", allowed ? "allowed" : "denied", text,
                  outcome.text);
}

int lg_count_log(struct lg_cluster *cluster, const char *text)
{
    char *log lg_cleanup(lg_free_cleanup) = lg_serve_log(&cluster->serve);
    int n = 0;
    for (const char *at = log; (at = strstr(at, text)) != NULL; at++)
        n++;
    return n;
}

void lg_put_claim(struct lg_cluster *cluster, const char *ns, const char *name, const char *mode)
{
    char object[512];
    (void)snprintf(object, sizeof object,
                   "{\"metadata\":{\"name\":\"%s\",\"namespace\":\"%s\"},\"spec\":{"
                   "\"accessModes\":[\"%s\"],\"storageClassName\":\"nfs\"}}",
                   name, ns, mode);
    lg_canned_put(cluster->canned, LG_KIND_CLAIM, object);
}

static void put_vmi(struct lg_cluster *cluster, const char *ns, const char *name, const char *node,
                    const char *migratable)
{
    char object[512];
    (void)snprintf(object, sizeof object,
                   "{\"metadata\":{\"name\":\"%s\",\"namespace\":\"%s\"},\"spec\":{\"domain\":{}},"
                   "\"status\":{\"phase\":\"Running\",\"nodeName\":\"%s\",\"conditions\":[{"
                   "\"type\":\"LiveMigratable\",\"status\":\"%s\",\"reason\":\"Canned\"}]}}",
                   name, ns, node, migratable);
    lg_canned_put(cluster->canned, LG_KIND_VMI, object);
}

void lg_put_vmi(struct lg_cluster *cluster, const char *ns, const char *name,
                const char *migratable)
{
    put_vmi(cluster, ns, name, "node-0", migratable);
}

void lg_put_vmi_on(struct lg_cluster *cluster, const char *ns, const char *name, const char *node)
{
    put_vmi(cluster, ns, name, node, "True");
}

void lg_put_migration(struct lg_cluster *cluster, const char *ns, const char *name, const char *vmi,
                      const char *phase)
{
    char object[512];
    (void)snprintf(object, sizeof object,
                   "{\"metadata\":{\"name\":\"%s\",\"namespace\":\"%s\"},\"spec\":{\"vmiName\":"
                   "\"%s\"},\"status\":{\"phase\":\"%s\"}}",
                   name, ns, vmi, phase);
    lg_canned_put(cluster->canned, LG_KIND_MIGRATION, object);
}
