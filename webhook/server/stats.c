#include "webhook/server/stats.h"

#include <assert.h>
#include <stdio.h>

#include "rules/kube/names.h"
#include "webhook/runtime/metrics.h"
#include "webhook/server/policy_stats.h"

enum { RULES_MAX = 64 };
enum verdict { ALLOWED, SKIPPED, REFUSED, VERDICT_ACTIONS };
enum { VERDICT_COUNT = VERDICT_ACTIONS + LG_ACTION_COUNT - 1 };

static const char *const operations[] = {"CREATE", "UPDATE", "DELETE", "CONNECT"};
static const char *const verdicts[VERDICT_COUNT] = {"allow",   "skipped", "refused", "audit",
                                                    "pending", "warn",    "deny"};
static const char *const actions[LG_ACTION_COUNT] = {"off", "audit", "pending", "warn", "deny"};
static const char *const statuses[] = {"400", "404", "405", "411", "413", "415", "503"};
static const char *const ports[] = {"reviews", "operations"};
static const char *const reasons[] = {"total", "address"};
static const char *const reloads[] = {"certificate", "policy"};
static const char *const results[] = {"failed", "taken"};
static const char *const parts[] = {"leaf", "ca"};
static const char *const mutation_results[] = {"unchanged", "patched"};
static const char *kinds[LG_KIND_COUNT + 1];
static const char *rule_ids[RULES_MAX];

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static struct lg_metric reviews = {.name = "livegate_reviews_total",
                                   .help = "Reviews that were answered.",
                                   .kind = LG_METRIC_COUNTER,
                                   .sparse = true,
                                   .labels = {{"kind", kinds, LG_KIND_COUNT + 1},
                                              {"operation", operations, COUNT(operations)},
                                              {"verdict", verdicts, COUNT(verdicts)}}};
static struct lg_metric durations = {
    .name = "livegate_review_duration_seconds",
    .help = "Time from the arrival of a request to its answer.",
    .kind = LG_METRIC_HISTOGRAM,
};
static struct lg_metric findings = {
    .name = "livegate_findings_total",
    .help = "What rules found, by what came of it.",
    .kind = LG_METRIC_COUNTER,
    .sparse = true,
    .labels = {{"rule", rule_ids, 0}, {"action", actions, COUNT(actions)}}};
static struct lg_metric mutations = {.name = "livegate_mutations_total",
                                     .help = "Reviews by /mutate, by whether they got a patch.",
                                     .kind = LG_METRIC_COUNTER,
                                     .labels = {{"result", mutation_results, 2}}};
static struct lg_metric mended = {.name = "livegate_mended_total",
                                  .help = "Objects that /mutate mended, by rule.",
                                  .kind = LG_METRIC_COUNTER,
                                  .sparse = true,
                                  .labels = {{"rule", rule_ids, 0}}};
static struct lg_metric misrouted = {
    .name = "livegate_misrouted_reviews_total",
    .help = "Reviews of a kind that belongs to another path; they are judged all the same.",
    .kind = LG_METRIC_COUNTER,
};
static struct lg_metric refusals = {.name = "livegate_http_refusals_total",
                                    .help = "Requests that were no reviews, by HTTP status.",
                                    .kind = LG_METRIC_COUNTER,
                                    .labels = {{"status", statuses, COUNT(statuses)}}};
static struct lg_metric connections = {.name = "livegate_connections",
                                       .help = "Connections that are open.",
                                       .kind = LG_METRIC_GAUGE,
                                       .labels = {{"port", ports, COUNT(ports)}}};
static struct lg_metric refused_connections = {
    .name = "livegate_connections_refused_total",
    .help = "Connections closed at once: over the limit in total, or of one address.",
    .kind = LG_METRIC_COUNTER,
    .labels = {{"reason", reasons, COUNT(reasons)}}};
static struct lg_metric reaped_connections = {
    .name = "livegate_connections_reaped_total",
    .help = "Connections shut because no request was complete in time.",
    .kind = LG_METRIC_COUNTER,
};
static struct lg_metric displaced_connections = {
    .name = "livegate_connections_displaced_total",
    .help = "Connections shut because all places were taken and a newcomer came.",
    .kind = LG_METRIC_COUNTER,
};
static struct lg_metric bodies = {
    .name = "livegate_request_body_bytes",
    .help = "Request bodies that are held now.",
    .kind = LG_METRIC_GAUGE,
};
static struct lg_metric draining = {
    .name = "livegate_draining",
    .help = "1 from the request to stop on, else 0.",
    .kind = LG_METRIC_GAUGE,
};
static struct lg_metric expiry = {.name = "livegate_certificate_expiry_seconds",
                                  .help =
                                      "When the served certificate ends, in seconds since 1970.",
                                  .kind = LG_METRIC_GAUGE,
                                  .labels = {{"part", parts, COUNT(parts)}}};
static struct lg_metric reloaded = {
    .name = "livegate_reloads_total",
    .help = "Changed certificates and policies; a failed one leaves the old one in place.",
    .kind = LG_METRIC_COUNTER,
    .labels = {{"of", reloads, COUNT(reloads)}, {"result", results, COUNT(results)}}};

static const char *const states[] = {"running", "pending", "reserved", "waiting"};
static struct lg_metric migrations = {
    .name = "livegate_migrations",
    .help =
        "Migrations that KubeVirt counts as running, that it could start, that were let through "
        "and are not seen yet, and that wait for their turn.",
    .kind = LG_METRIC_GAUGE,
    .labels = {{"state", states, COUNT(states)}}};
static struct lg_metric migration_limit = {
    .name = "livegate_migrations_limit",
    .help = "parallelMigrationsPerCluster as it holds.",
    .kind = LG_METRIC_GAUGE,
};
static const char *const directions[] = {"out", "in"};
/* The nodes of this moment, written over when the metrics are asked for, by the thread that shows
 * them. */
static char node_names[LG_STATS_NODES_MAX][LG_NAME_SUBDOMAIN_BYTES_MAX + 1];
static const char *nodes[LG_STATS_NODES_MAX];
static struct lg_metric node_migrations = {
    .name = "livegate_node_migrations",
    .help = "Migrations that leave or enter a node, as the watch shows them: of the busiest 20.",
    .kind = LG_METRIC_GAUGE,
    .labels = {{"node", nodes, LG_STATS_NODES_MAX}, {"direction", directions, 2}}};
static struct lg_metric node_limits = {
    .name = "livegate_node_migrations_limit",
    .help = "parallelOutboundMigrationsPerNode as it holds, and policy's inboundPerNode, if any.",
    .kind = LG_METRIC_GAUGE,
    .labels = {{"direction", directions, 2}}};

void lg_stats_register(void)
{
    struct lg_metric *const all[] = {&reviews,
                                     &durations,
                                     &findings,
                                     &mutations,
                                     &mended,
                                     &misrouted,
                                     &refusals,
                                     &connections,
                                     &refused_connections,
                                     &reaped_connections,
                                     &displaced_connections,
                                     &bodies,
                                     &draining,
                                     &expiry,
                                     &reloaded,
                                     &migrations,
                                     &migration_limit,
                                     &node_migrations,
                                     &node_limits,
                                     NULL};

    for (size_t i = 0; i < LG_STATS_NODES_MAX; i++)
        nodes[i] = node_names[i];
    for (int i = 0; i < LG_KIND_COUNT; i++)
        kinds[i] = lg_gvk((enum lg_kind)i)->kind;
    kinds[LG_KIND_OTHER] = "other";
    size_t n = lg_rules_count();
    assert(n <= RULES_MAX);
    for (size_t i = 0; i < n; i++)
        rule_ids[i] = lg_rules[i]->id;
    findings.labels[0].count = n;
    mended.labels[0].count = n;
    for (struct lg_metric *const *metric = all; *metric != NULL; metric++)
        lg_metric_register(*metric);
    lg_policy_stats_register();
    lg_metrics_register_process();
}

static size_t verdict_of(const struct lg_judgement *judgement)
{
    if (judgement->skipped)
        return SKIPPED;
    if (judgement->refused)
        return REFUSED;
    if (judgement->verdict == LG_ACTION_OFF)
        return ALLOWED;
    return VERDICT_ACTIONS + (size_t)judgement->verdict - 1;
}

void lg_stats_review(enum lg_kind kind, enum lg_op op, const struct lg_judgement *judgement,
                     int64_t duration_ns)
{
    lg_metric_add(&reviews, LG_AT((size_t)kind, (size_t)op, verdict_of(judgement)), 1);
    lg_metric_observe_ns(&durations, NULL, duration_ns);
    for (size_t i = 0; i < judgement->n; i++) {
        const struct lg_finding *finding = &judgement->findings[i];
        size_t index = 0;
        if (lg_rule_find(lg_str_of(finding->rule->id), &index) != NULL)
            lg_metric_add(&findings, LG_AT(index, (size_t)finding->action), 1);
    }
}

void lg_stats_mutation(const struct lg_mending *mending, int64_t duration_ns)
{
    lg_metric_add(&mutations, LG_AT(mending->patch.n != 0), 1);
    lg_metric_observe_ns(&durations, NULL, duration_ns);
    for (size_t i = 0; i < mending->n_notes; i++) {
        size_t index = 0;
        if ((i == 0 || mending->notes[i].rule != mending->notes[i - 1].rule) &&
            lg_rule_find(lg_str_of(mending->notes[i].rule->id), &index) != NULL)
            lg_metric_add(&mended, LG_AT(index), 1);
    }
}

void lg_stats_misrouted(void)
{
    lg_metric_add(&misrouted, NULL, 1);
}

void lg_stats_refused(unsigned http_status)
{
    static const unsigned codes[COUNT(statuses)] = {400, 404, 405, 411, 413, 415, 503};
    for (size_t i = 0; i < COUNT(codes); i++)
        if (codes[i] == http_status)
            lg_metric_add(&refusals, LG_AT(i), 1);
}

void lg_stats_connection_admission(enum lg_admission admission)
{
    if (admission == LG_ADMIT_DISPLACING)
        lg_metric_add(&displaced_connections, NULL, 1);
    else if (admission != LG_ADMIT)
        lg_metric_add(&refused_connections, LG_AT(admission == LG_REFUSE_ADDRESS), 1);
}

void lg_stats_reaped(size_t n)
{
    lg_metric_add(&reaped_connections, NULL, n);
}

void lg_stats_reload(enum lg_reload_of what, bool taken)
{
    lg_metric_add(&reloaded, LG_AT((size_t)what, taken), 1);
}

void lg_stats_certificate(enum lg_cert_part part, int64_t expires_unix_s)
{
    if (expires_unix_s == 0)
        lg_metric_unset(&expiry, LG_AT((size_t)part));
    else
        lg_metric_set(&expiry, LG_AT((size_t)part), (double)expires_unix_s);
}

void lg_stats_gauges(unsigned review_connections, unsigned operations_connections,
                     size_t body_bytes, bool is_draining)
{
    lg_metric_set(&connections, LG_AT(0), review_connections);
    lg_metric_set(&connections, LG_AT(1), operations_connections);
    lg_metric_set(&bodies, NULL, (double)body_bytes);
    lg_metric_set(&draining, NULL, is_draining);
}

static void show_nodes(const struct lg_limiter_survey *survey)
{
    for (size_t i = 0; i < LG_STATS_NODES_MAX; i++) {
        if (i >= survey->n_nodes) {
            lg_metric_unset(&node_migrations, LG_AT(i, 0));
            lg_metric_unset(&node_migrations, LG_AT(i, 1));
            continue;
        }
        const struct lg_node_traffic *node = &survey->nodes[i];
        (void)snprintf(node_names[i], sizeof node_names[i], "%.*s", LG_ARG(node->node));
        lg_metric_set(&node_migrations, LG_AT(i, 0), (double)node->out);
        lg_metric_set(&node_migrations, LG_AT(i, 1), (double)node->in);
    }
}

void lg_stats_limiter(const struct lg_limiter_survey *survey)
{
    const size_t n[COUNT(states)] = {survey->running, survey->pending, survey->reserved,
                                     survey->waiting};
    for (size_t i = 0; i < COUNT(states); i++)
        lg_metric_set(&migrations, LG_AT(i), (double)n[i]);
    lg_metric_set(&migration_limit, NULL, (double)survey->limit);
    lg_metric_set(&node_limits, LG_AT(0), (double)survey->limit_out);
    if (survey->limit_in != 0)
        lg_metric_set(&node_limits, LG_AT(1), (double)survey->limit_in);
    else
        lg_metric_unset(&node_limits, LG_AT(1));
    show_nodes(survey);
}
