#include "webhook/server/source.h"

#include "rules/core/mem.h"
#include "rules/manifest.h"
#include "rules/rule.h"
#include "webhook/cluster/wait.h"
#include "webhook/runtime/clock.h"
#include "webhook/runtime/log.h"
#include "webhook/runtime/metrics.h"

static const char *resources[LG_KIND_COUNT];

#define BY_RESOURCE                                                                                \
    {                                                                                              \
        {                                                                                          \
            "resource", resources, LG_KIND_COUNT                                                   \
        }                                                                                          \
    }

static struct lg_metric objects = {.name = "livegate_inventory_objects",
                                   .help = "Objects in the inventory; no series where the kind is "
                                           "not known.",
                                   .kind = LG_METRIC_GAUGE,
                                   .labels = BY_RESOURCE};
static struct lg_metric bytes = {.name = "livegate_inventory_bytes",
                                 .help = "What these objects take in memory, without indexes.",
                                 .kind = LG_METRIC_GAUGE,
                                 .labels = BY_RESOURCE};
static struct lg_metric known = {.name = "livegate_inventory_known",
                                 .help = "1: all objects of the kind are known. 0: not listed, not "
                                         "served or not permitted.",
                                 .kind = LG_METRIC_GAUGE,
                                 .labels = BY_RESOURCE};
static struct lg_metric age = {.name = "livegate_inventory_age_seconds",
                               .help = "Time since the API server last said something about the "
                                       "kind; bookmarks come about once a minute.",
                               .kind = LG_METRIC_GAUGE,
                               .labels = BY_RESOURCE};
static struct lg_metric lists = {.name = "livegate_watch_lists_total",
                                 .help = "Lists that were asked for, pages counted one by one.",
                                 .kind = LG_METRIC_TOTAL,
                                 .labels = BY_RESOURCE};
static struct lg_metric events = {.name = "livegate_watch_events_total",
                                  .help = "Changes that the API server told.",
                                  .kind = LG_METRIC_TOTAL,
                                  .labels = BY_RESOURCE};
static struct lg_metric expired = {.name = "livegate_watch_expired_total",
                                   .help = "Answers of 410: too old a version, so listed anew.",
                                   .kind = LG_METRIC_TOTAL,
                                   .labels = BY_RESOURCE};
static struct lg_metric failures = {.name = "livegate_watch_failures_total",
                                    .help = "Lists and watches that failed.",
                                    .kind = LG_METRIC_TOTAL,
                                    .labels = BY_RESOURCE};
static struct lg_metric unreadable = {.name = "livegate_watch_unreadable_objects_total",
                                      .help = "Objects left out because they cannot be read.",
                                      .kind = LG_METRIC_TOTAL,
                                      .labels = BY_RESOURCE};

static struct lg_metric version_known = {
    .name = "livegate_kubevirt_version_known",
    .help = "1: the KubeVirt CR's version is understood. 0: rules go by the newest one known.",
    .kind = LG_METRIC_GAUGE};

static void register_metrics(bool cluster)
{
    struct lg_metric *const all[] = {&objects, &bytes,   &known,    &age,       &lists,
                                     &events,  &expired, &failures, &unreadable};
    for (int i = 0; i < LG_KIND_COUNT; i++)
        resources[i] = lg_gvk((enum lg_kind)i)->plural;
    size_t n = cluster ? sizeof all / sizeof *all : 3;
    for (size_t i = 0; i < n; i++)
        lg_metric_register(all[i]);
    lg_metric_register(&version_known);
    lg_wait_register_metrics();
    if (cluster)
        lg_reads_register_metrics();
}

/* --- life --- */

static enum lg_err_code read_files(char *const *paths, struct lg_store *store, struct lg_err *err)
{
    struct lg_manifests manifests lg_cleanup(lg_manifests_done) = {0};
    struct lg_err fault = {0};
    enum lg_err_code code = LG_E_OK;

    lg_arena_init(&manifests.arena);
    for (char *const *path = paths; *path != NULL && code == LG_E_OK; path++)
        code = lg_manifests_read(&manifests, *path, &fault);
    struct lg_inventory *inventory = lg_inventory_new();
    if (code == LG_E_OK)
        code = lg_manifests_fill(&manifests, inventory, &fault);
    if (code == LG_E_OK) {
        lg_store_adopt(store, inventory);
        (void)lg_store_commit(store);
    }
    lg_inventory_free(inventory);
    if (code == LG_E_OK)
        return LG_E_OK;
    return lg_err_set(err, code, fault.where,
                      "the inventory cannot be read: %s; --inventory takes files and directories "
                      "as `oc get -o yaml` writes them",
                      fault.text);
}

enum lg_err_code lg_source_open(const struct lg_source_options *options, struct lg_source *ret,
                                struct lg_err *err)
{
    enum lg_err_code code;
    *ret = (struct lg_source){.store = lg_store_new()};
    register_metrics(options->inventory_paths == NULL);
    if (options->inventory_paths != NULL)
        code = read_files(options->inventory_paths, ret->store, err);
    else
        code = lg_client_start(
            &(struct lg_client_options){.kubeconfig = {.path = options->kubeconfig_path},
                                        .store = ret->store,
                                        .kinds = lg_rules_watched()},
            &ret->client, err);
    return code;
}

void lg_source_close(struct lg_source *source)
{
    lg_client_stop(source->client);
    lg_store_free(source->store);
    *source = (struct lg_source){0};
}

void lg_source_log(const struct lg_source *source)
{
    const struct lg_inventory *inventory;
    size_t count = 0;
    unsigned ticket;
    if (source->client != NULL) {
        lg_log(LG_LOG_INFO, "watching the cluster",
               LG_F_TEXT("server", lg_client_server(source->client)),
               LG_F_TEXT("credentials", lg_client_source(source->client)));
        return;
    }
    inventory = lg_store_pin(source->store, &ticket);
    for (int i = 0; i < LG_KIND_COUNT; i++)
        count += lg_inventory_count(inventory, (enum lg_kind)i);
    lg_store_unpin(source->store, ticket);
    lg_log(LG_LOG_INFO, "the inventory is read", LG_F_INT("objects", count));
}

/* Of a CR that says no version, and where there is none, the newest profile is no surprise. */
static void log_version(const struct lg_settings *settings)
{
    if (settings->version_known)
        lg_log(
            LG_LOG_INFO, "KubeVirt's version is known", LG_F_STR("version", settings->version_text),
            LG_F_INT("major", settings->version / 100), LG_F_INT("minor", settings->version % 100));
    else
        lg_log(LG_LOG_WARN,
               settings->version_text.n != 0
                   ? "KubeVirt's version is not understood: rules go by the newest one they know; "
                     "policy's kubevirtVersion says another"
                   : "KubeVirt's version is not known: rules go by the newest one they know; "
                     "policy's kubevirtVersion says another",
               LG_F_STR("version", settings->version_text),
               LG_F_INT("major", settings->version / 100),
               LG_F_INT("minor", settings->version % 100));
}

void lg_source_log_version(struct lg_source *source)
{
    unsigned ticket;
    const struct lg_inventory *inventory = lg_store_pin(source->store, &ticket);
    const struct lg_settings *settings = lg_inventory_settings(inventory);
    bool unknown = !settings->version_known;
    /* Without a version that is understood: whether there is a text. */
    int now = unknown ? -1 - (settings->version_text.n != 0) : settings->version;
    if (now != source->version_said && lg_source_ready(source)) {
        log_version(settings);
        source->version_said = now;
    }
    lg_store_unpin(source->store, ticket);
}

bool lg_source_ready(const struct lg_source *source)
{
    return source->client == NULL || lg_client_settled(source->client);
}

/* --- metrics --- */

static void collect_kind(const struct lg_inventory *inventory, size_t i)
{
    enum lg_kind kind = (enum lg_kind)i;
    bool all = lg_inventory_known(inventory, kind) == LG_KNOWN;
    lg_metric_set(&known, LG_AT(i), all);
    if (all)
        lg_metric_set(&objects, LG_AT(i), (double)lg_inventory_count(inventory, kind));
    else
        lg_metric_unset(&objects, LG_AT(i));
    lg_metric_set(&bytes, LG_AT(i), (double)lg_inventory_bytes(inventory, kind));
}

static void collect_watch(const struct lg_watch_state *state, size_t i, int64_t now_ms)
{
    if (state->heard_ms != 0)
        lg_metric_set(&age, LG_AT(i), (double)(now_ms - state->heard_ms) / 1000);
    lg_metric_set(&lists, LG_AT(i), (double)state->lists);
    lg_metric_set(&events, LG_AT(i), (double)state->events);
    lg_metric_set(&expired, LG_AT(i), (double)state->expired);
    lg_metric_set(&failures, LG_AT(i), (double)state->failures);
    lg_metric_set(&unreadable, LG_AT(i), (double)state->unreadable);
}

void lg_source_collect(void *arg)
{
    const struct lg_source *source = arg;
    struct lg_watch_state states[LG_KIND_COUNT];
    int64_t now_ms = lg_clock_mono_ms();
    unsigned ticket;
    for (size_t i = 0; i < LG_KIND_COUNT; i++) {
        states[i] = (struct lg_watch_state){.watched = !lg_gvk((enum lg_kind)i)->only_in_files};
        if (source->client == NULL)
            continue;
        lg_client_state(source->client, (enum lg_kind)i, &states[i]);
        if (states[i].watched)
            collect_watch(&states[i], i, now_ms);
    }
    const struct lg_inventory *inventory = lg_store_pin(source->store, &ticket);
    for (size_t i = 0; i < LG_KIND_COUNT; i++)
        if (states[i].watched)
            collect_kind(inventory, i);
    lg_metric_set(&version_known, NULL, lg_inventory_settings(inventory)->version_known);
    lg_store_unpin(source->store, ticket);
}
