#include "tests/support/replicas.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "rules/core/mem.h"

enum { READY_MS = 120 * 1000, EVENT_MS = 120 * 1000, POLL_MS = 20 };

void lg_replicas_init(struct lg_replicas *replicas, const struct lg_canned_options *options)
{
    *replicas = (struct lg_replicas){0};
    lg_cluster_init(&replicas->of[0], options);
}

void lg_replicas_policy(struct lg_replicas *replicas, const char *limiter)
{
    struct lg_buf text lg_cleanup(lg_buf_done) = {0};
    lg_buf_printf(&text, "apiVersion: livegate.io/v1\nkind: Policy\nlimiter: {%s}\n", limiter);
    lg_write_file(lg_serve_path(&replicas->of[0].serve, "policy.yaml"), lg_buf_view(&text));
}

void lg_replicas_start(struct lg_replicas *replicas, int n)
{
    struct lg_cluster *first = &replicas->of[0];
    const char *const options[] = {"--drain", "0s", "--policy",
                                   lg_serve_path(&first->serve, "policy.yaml"), NULL};
    lg_cluster_start(first, options);
    for (replicas->n = 1; replicas->n < n; replicas->n++) {
        struct lg_cluster *next = &replicas->of[replicas->n];
        *next = (struct lg_cluster){
            .canned = first->canned, .timeout = first->timeout, .user = first->user};
        lg_serve_init(&next->serve);
        lg_serve_start_watching(&next->serve, lg_serve_path(&first->serve, "kubeconfig"), options);
    }
    for (int i = 0; i < n; i++)
        (void)lg_cluster_ready(&replicas->of[i], READY_MS);
}

void lg_replicas_done(struct lg_replicas *replicas)
{
    for (int i = replicas->n - 1; i > 0; i--) {
        struct lg_serve *serve = &replicas->of[i].serve;
        if (serve->process.pid > 0)
            lg_serve_stop(serve);
        lg_serve_done(serve);
    }
    lg_cluster_done(&replicas->of[0]);
}

void lg_replicas_await(struct lg_replicas *replicas, enum lg_kind kind, int n)
{
    char series[96];
    int64_t end_ms = lg_test_now_ms() + EVENT_MS;
    (void)snprintf(series, sizeof series, "livegate_inventory_objects{resource=\"%s\"}",
                   lg_gvk(kind)->plural);
    for (int i = 0; i < replicas->n; i++) {
        while (lg_metric_value(&replicas->of[i].serve, series) < n) {
            assert_true(lg_test_now_ms() < end_ms);
            lg_test_sleep_ms(POLL_MS);
        }
    }
}

void lg_test_move_object(const struct lg_test_move *move, char ret[LG_TEST_MOVE_BYTES])
{
    char status[64] = "";
    if (*move->phase != '\0')
        (void)snprintf(status, sizeof status, ",\"status\":{\"phase\":\"%s\"}", move->phase);
    (void)snprintf(ret, LG_TEST_MOVE_BYTES,
                   "{\"metadata\":{\"name\":\"move-%s\",\"namespace\":\"%s\",\"uid\":\"%s\"},"
                   "\"spec\":{\"vmiName\":\"%s\"}%s}",
                   move->guest, move->ns, move->uid, move->guest, status);
}

/* The only one that the guest ever has. */
static void object_of(const char *ns, const char *guest, const char *phase,
                      char ret[LG_TEST_MOVE_BYTES])
{
    char uid[64];
    (void)snprintf(uid, sizeof uid, "uid-%s", guest);
    lg_test_move_object(
        &(struct lg_test_move){.ns = ns, .guest = guest, .uid = uid, .phase = phase}, ret);
}

void lg_create_migration(struct lg_cluster *at, const char *ns, const char *guest,
                         struct lg_outcome *ret)
{
    char object[LG_TEST_MOVE_BYTES], name[64];
    object_of(ns, guest, "", object);
    (void)snprintf(name, sizeof name, "move-%s", guest);
    lg_review_object(at, LG_KIND_MIGRATION, ns, name, object, ret);
}

void lg_move_migration(struct lg_replicas *replicas, const char *ns, const char *guest,
                       const char *phase)
{
    char object[LG_TEST_MOVE_BYTES];
    object_of(ns, guest, phase, object);
    lg_canned_put(replicas->of[0].canned, LG_KIND_MIGRATION, object);
}

void lg_assert_allowed(const struct lg_outcome *outcome)
{
    if (!outcome->allowed)
        fail_msg("denied: %s", outcome->text);
}

void lg_assert_denied(const struct lg_outcome *outcome, const char *text)
{
    if (outcome->allowed || strstr(outcome->text, text) == NULL)
        fail_msg("%s, not denied with \"%s\": %s", outcome->allowed ? "allowed" : "denied", text,
                 outcome->text);
}
