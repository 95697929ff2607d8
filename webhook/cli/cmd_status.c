/* livegate status: the limits of migrations and where each comes from, who migrates, who waits and
 * in which place. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rules/core/mem.h"
#include "rules/core/out.h"
#include "rules/kube/meta.h"
#include "rules/limiter.h"
#include "rules/virt/limits_nodes.h"
#include "webhook/cli/cli.h"
#include "webhook/cluster/exchange.h"
#include "webhook/cluster/listing.h"
#include "webhook/cluster/path.h"
#include "webhook/limiter/ledger_api.h"
#include "webhook/limiter/ledger_text.h"
#include "webhook/runtime/clock.h"

enum { WATCH_S = 2 };

struct options {
    const char *kubeconfig;
    const char *ns; /* livegate's; NULL: as lg_kubeconfig_own_namespace has it */
    bool json, watch;
};

/* One look at the cluster. */
struct look {
    struct lg_inventory *inventory;
    struct lg_ledger ledger; /* as it was when it was written */
    int64_t ledger_age_ms;   /* since then, by two clocks: for what is shown only */
    bool ledger_known;
    struct lg_err ledger_err; /* why not */
    int64_t now_ms, now_unix_s;
    struct lg_arena arena;
};

struct cluster {
    struct lg_kubeconfig config;
    const char *ns; /* livegate's */
    struct lg_http *http;
};

static void cluster_done(struct cluster *cluster)
{
    lg_http_free(cluster->http);
    lg_kubeconfig_done(&cluster->config);
}

static void look_done(struct look *look)
{
    lg_ledger_done(&look->ledger);
    lg_inventory_free(look->inventory);
    lg_arena_done(&look->arena);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case LG_CLI_KUBECONFIG:
        options->kubeconfig = arg;
        return 0;
    case 'n':
        options->ns = arg;
        return 0;
    case 'w':
        options->watch = true;
        return 0;
    case 'o':
        options->json = lg_cli_wants_json(arg, state);
        return 0;
    default:
        return lg_cli_parse_rest(key, arg, state);
    }
}

/* --- reading --- */

struct kept {
    struct lg_inventory *inventory;
    enum lg_kind kind;
};

static enum lg_err_code keep(void *arg, const struct lg_listing_item *item, struct lg_err *err)
{
    struct kept *kept = arg;
    struct lg_record *record = NULL;
    (void)err;
    if (item->unread == NULL &&
        lg_record_new_as(kept->kind, item->object, &record, NULL) == LG_E_OK)
        lg_inventory_set(kept->inventory, record);
    return LG_E_OK;
}

static enum lg_err_code read_kinds(struct cluster *cluster, struct look *look, struct lg_err *err)
{
    static const enum lg_kind kinds[] = {LG_KIND_KUBEVIRT, LG_KIND_HYPERCONVERGED, LG_KIND_VMI,
                                         LG_KIND_MIGRATION};
    look->inventory = lg_inventory_new();
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct kept kept = {look->inventory, kinds[i]};
        enum lg_known known = LG_NOT_SYNCED;
        const struct lg_listing_options listing = {.http = cluster->http,
                                                   .server = cluster->config.server,
                                                   .credential = cluster->config.source,
                                                   .kind = kinds[i],
                                                   .item = keep,
                                                   .arg = &kept};
        enum lg_err_code code = lg_listing_run(&listing, &known, err);
        if (code != LG_E_OK)
            return code;
        lg_inventory_set_known(look->inventory, kinds[i], known);
    }
    return LG_E_OK;
}

/* Who waits is worth a look even where the ledger cannot be read. */
static void read_ledger(struct cluster *cluster, struct look *look)
{
    static const struct lg_resource config_maps = {"", "v1", "configmaps"};
    struct lg_buf path lg_cleanup(lg_buf_done) = {0};
    struct lg_buf body lg_cleanup(lg_buf_done) = {0};
    struct lg_ledger_object object = {0};
    const struct lg_status_about about = {.server = cluster->config.server,
                                          .credential = cluster->config.source,
                                          .verbs = "get",
                                          .what = "configmap " LG_LEDGER_NAME};
    struct lg_err *err = &look->ledger_err;
    enum lg_err_code code =
        lg_path_object(&path, &config_maps, lg_str_of(cluster->ns), LG_STR(LG_LEDGER_NAME), err);
    if (code == LG_E_OK)
        code = lg_exchange(
            cluster->http,
            &(struct lg_http_request){.method = LG_HTTP_GET, .path = lg_buf_view(&path)}, &about,
            &body, NULL, err);
    if (code == LG_E_OK)
        code = lg_ledger_of_object(lg_buf_view(&body), &look->arena, &object, err);
    if (code == LG_E_OK)
        code = lg_ledger_read(object.text, look->now_ms, &look->ledger, err);
    if (object.written_unix_ms != 0 && object.written_unix_ms < lg_clock_unix_ms())
        look->ledger_age_ms = lg_clock_unix_ms() - object.written_unix_ms;
    look->ledger_known = code == LG_E_OK;
    (void)lg_ledger_tidy(&look->ledger, look->now_ms, lg_limiter_seen, look->inventory);
}

/* --- what is to be shown --- */

struct place {
    size_t place;
    int64_t estimate_s;
    enum lg_limit of; /* whose queue it is */
};

/* What would be said to it if it came now. Which targets it has is not looked at: one that waited
 * for them last does so still. */
static struct place place_of(const struct look *look, size_t at)
{
    const struct lg_slots *slots = lg_inventory_slots(look->inventory);
    const struct lg_migration_settings *limits =
        &lg_inventory_settings(look->inventory)->migrations;
    const struct lg_ticket *ticket = &look->ledger.tickets[at];
    struct lg_ledger ledger = look->ledger; /* nothing in it changes */
    struct lg_turnout turnout;
    const struct lg_ask ask = {
        .ns = ticket->ns,
        .guest = ticket->guest,
        .node = ticket->node,
        .user = ticket->user,
        .no_trace = true,
        .limit = {[LG_LIMIT_CLUSTER] = limits->of[LG_MIGRATION_PARALLEL_CLUSTER].value,
                  [LG_LIMIT_OUTBOUND] = limits->of[LG_MIGRATION_PARALLEL_OUTBOUND].value,
                  [LG_LIMIT_INBOUND] = ticket->inbound},
        .typical_s = lg_slots_typical_s(slots),
        .now_ms = look->now_ms,
        .now_unix_s = look->now_unix_s,
    };
    lg_limits_decide(&ask, slots, &ledger, &turnout);
    struct place ret = {.place = turnout.frozen ? at + 1 : turnout.of[LG_LIMIT_CLUSTER].ahead + 1,
                        .estimate_s = turnout.estimate_s > 0 ? turnout.estimate_s : 1,
                        .of = LG_LIMIT_CLUSTER};
    for (int limit = 0; limit < LG_LIMITS; limit++) {
        if (!turnout.of[limit].full || turnout.of[limit].ahead + 1 != turnout.place)
            continue;
        ret.place = turnout.place;
        ret.of = limit;
        break;
    }
    return ret;
}

/* The ledger is written when something changes, and time goes on meanwhile. */
static int64_t waited_s(const struct look *look, const struct lg_ticket *ticket)
{
    return (look->now_ms - ticket->since_ms + look->ledger_age_ms) / 1000;
}

static int64_t next_try_s(const struct look *look, const struct lg_ticket *ticket)
{
    int64_t ms = ticket->due_ms - look->now_ms - look->ledger_age_ms;
    return ms > 0 ? ms / 1000 : 0;
}

static bool is_alone(const struct look *look, const struct lg_reservation *reservation)
{
    return lg_slots_get(lg_inventory_slots(look->inventory), reservation->ns, reservation->guest) ==
           NULL;
}

/* --- JSON --- */

static json_t *slot_out(const struct look *look, const struct lg_slot *slot)
{
    json_t *out = lg_out_object();
    lg_out_set_str(out, "namespace", slot->migration->r.ns);
    lg_out_set_str(out, "guest", slot->migration->vmi);
    lg_out_set_str(out, "migration", slot->migration->r.name);
    lg_out_set_str(out, "phase", slot->migration->phase);
    lg_out_set_str(out, "node", slot->node);
    lg_out_set_str(out, "to", slot->to);
    if (slot->migration->r.created_unix_s != 0)
        lg_out_set(out, "ageSeconds",
                   json_integer(look->now_unix_s - slot->migration->r.created_unix_s));
    return out;
}

static json_t *waiting_out(const struct look *look, size_t i)
{
    static const char *const queues[LG_LIMITS] = {"cluster", "node", "targets"};
    const struct lg_ticket *ticket = &look->ledger.tickets[i];
    struct place place = place_of(look, i);
    json_t *out = lg_out_object();
    lg_out_set(out, "place", json_integer((json_int_t)place.place));
    lg_out_set_str(out, "of", lg_str_of(queues[place.of]));
    lg_out_set_str(out, "namespace", ticket->ns);
    lg_out_set_str(out, "guest", ticket->guest);
    lg_out_set_str(out, "user", ticket->user);
    lg_out_set_str(out, "node", ticket->node);
    lg_out_set(out, "waitedSeconds", json_integer(waited_s(look, ticket)));
    lg_out_set(out, "nextTrySeconds", json_integer(next_try_s(look, ticket)));
    lg_out_set(out, "estimateSeconds", json_integer(place.estimate_s));
    return out;
}

static json_t *nodes_out(struct look *look)
{
    json_t *ret = lg_out_array();
    struct lg_node_traffic *nodes;
    size_t n =
        lg_limits_nodes(lg_inventory_slots(look->inventory), &look->ledger, &look->arena, &nodes);
    for (size_t i = 0; i < n; i++) {
        json_t *out = lg_out_object();
        lg_out_set_str(out, "node", nodes[i].node);
        lg_out_set(out, "out", json_integer((json_int_t)nodes[i].out));
        lg_out_set(out, "in", json_integer((json_int_t)nodes[i].in));
        lg_out_append(ret, out);
    }
    return ret;
}

static void print_json(struct look *look)
{
    const struct lg_slots *slots = lg_inventory_slots(look->inventory);
    const struct lg_migration_settings *limits =
        &lg_inventory_settings(look->inventory)->migrations;
    json_t *root = lg_out_object();
    json_t *of_limits = lg_out_array(), *running = lg_out_array(), *pending = lg_out_array();
    json_t *reserved = lg_out_array(), *waiting = lg_out_array();
    struct lg_buf buf lg_cleanup(lg_buf_done) = {0};
    const struct lg_slot *slot;
    for (int key = 0; key < LG_MIGRATION_KEYS; key++) {
        json_t *limit = lg_out_object();
        lg_out_set_str(limit, "key", lg_str_of(lg_migration_key_name(key)));
        lg_out_set(limit, "value", json_integer(limits->of[key].value));
        lg_out_set_str(limit, "source", limits->of[key].source);
        lg_out_append(of_limits, limit);
    }
    for (size_t pos = 0; (slot = lg_slots_next(slots, &pos)) != NULL;)
        lg_out_append(slot->running ? running : pending, slot_out(look, slot));
    for (size_t i = 0; i < look->ledger.n_reservations; i++) {
        const struct lg_reservation *reservation = &look->ledger.reservations[i];
        if (!is_alone(look, reservation))
            continue;
        json_t *out = lg_out_object();
        lg_out_set_str(out, "namespace", reservation->ns);
        lg_out_set_str(out, "guest", reservation->guest);
        lg_out_set_str(out, "node", reservation->node);
        lg_out_set(out, "ageSeconds", json_integer((look->now_ms - reservation->born_ms) / 1000));
        lg_out_append(reserved, out);
    }
    for (size_t i = 0; i < look->ledger.n_tickets; i++)
        lg_out_append(waiting, waiting_out(look, i));
    lg_out_set_str(root, "apiVersion", LG_STR("livegate.io/v1"));
    lg_out_set_str(root, "kind", LG_STR("MigrationStatus"));
    lg_out_set(root, "limits", of_limits);
    lg_out_set(root, "running", running);
    lg_out_set(root, "pending", pending);
    lg_out_set(root, "reserved", reserved);
    lg_out_set(root, "waiting", waiting);
    lg_out_set(root, "nodes", nodes_out(look));
    lg_out_set(root, "queueKnown", json_boolean(look->ledger_known));
    lg_out_text(root, 2, &buf);
    json_decref(root);
    printf("%.*s\n", LG_ARG(lg_buf_view(&buf)));
}

/* --- a table --- */

/* What others wrote, on a terminal. */
static struct lg_str shown(struct look *look, struct lg_str text)
{
    struct lg_buf buf lg_cleanup(lg_buf_done) = {0};
    lg_buf_printable(&buf, lg_str_cut(text, 256));
    return lg_arena_str(&look->arena, lg_buf_view(&buf));
}

static struct lg_str shown_guest(struct look *look, struct lg_str ns, struct lg_str name)
{
    return lg_arena_printf(&look->arena, "%.*s/%.*s", LG_ARG(shown(look, ns)),
                           LG_ARG(shown(look, name)));
}

static void print_limits(struct look *look)
{
    const struct lg_migration_settings *limits =
        &lg_inventory_settings(look->inventory)->migrations;
    printf("LIMITS\n");
    for (int key = 0; key < LG_MIGRATION_KEYS; key++)
        printf("  %-34s %-12lld %.*s\n", lg_migration_key_name(key),
               (long long)limits->of[key].value, LG_ARG(limits->of[key].source));
}

static void print_used(struct look *look)
{
    const struct lg_slots *slots = lg_inventory_slots(look->inventory);
    const struct lg_slot *slot;
    size_t used = lg_limits_used(slots, &look->ledger);
    size_t running = lg_slots_running(slots);
    printf("\nIN USE  %zu of %lld: %zu running, %zu pending, %zu reserved\n", used,
           (long long)lg_inventory_settings(look->inventory)
               ->migrations.of[LG_MIGRATION_PARALLEL_CLUSTER]
               .value,
           running, lg_slots_used(slots) - running, used - lg_slots_used(slots));
    for (size_t pos = 0; (slot = lg_slots_next(slots, &pos)) != NULL;) {
        const struct lg_migration_record *migration = slot->migration;
        struct lg_str phase = migration->phase.n != 0 ? migration->phase : LG_STR("not started");
        printf("  %-40.*s %-16.*s %.*s%s%.*s\n",
               LG_ARG(shown_guest(look, migration->r.ns, migration->vmi)),
               LG_ARG(shown(look, phase)), LG_ARG(shown(look, slot->node)),
               slot->to.n != 0 ? " -> " : "", LG_ARG(shown(look, slot->to)));
    }
    for (size_t i = 0; i < look->ledger.n_reservations; i++) {
        const struct lg_reservation *reservation = &look->ledger.reservations[i];
        if (is_alone(look, reservation))
            printf("  %-40.*s %-16s %.*s\n",
                   LG_ARG(shown_guest(look, reservation->ns, reservation->guest)), "reserved",
                   LG_ARG(shown(look, reservation->node)));
    }
}

static void print_waiting(struct look *look)
{
    if (!look->ledger_known) {
        printf("\nWAITING  not known: %s: %s\n", look->ledger_err.where, look->ledger_err.text);
        return;
    }
    printf("\nWAITING  %zu\n", look->ledger.n_tickets);
    for (size_t i = 0; i < look->ledger.n_tickets; i++) {
        const struct lg_ticket *ticket = &look->ledger.tickets[i];
        struct place place = place_of(look, i);
        struct lg_str waited = lg_meta_age_text(waited_s(look, ticket), &look->arena);
        struct lg_str about = lg_meta_age_text(place.estimate_s, &look->arena);
        printf("  %3zu. %-40.*s %-24.*s %-16.*s waited %.*s, about %.*s\n", place.place,
               LG_ARG(shown_guest(look, ticket->ns, ticket->guest)),
               LG_ARG(shown(look, lg_str_cut(ticket->user, 64))), LG_ARG(shown(look, ticket->node)),
               LG_ARG(waited), LG_ARG(about));
    }
}

static void print_nodes(struct look *look)
{
    struct lg_node_traffic *nodes;
    size_t n =
        lg_limits_nodes(lg_inventory_slots(look->inventory), &look->ledger, &look->arena, &nodes);
    printf("\nNODES%-34s out  in\n", "");
    for (size_t i = 0; i < n; i++)
        printf("  %-36.*s %4zu %3zu\n", LG_ARG(shown(look, nodes[i].node)), nodes[i].out,
               nodes[i].in);
}

static enum lg_err_code show(struct cluster *cluster, const struct options *options,
                             struct lg_err *err)
{
    struct look look lg_cleanup(look_done) = {.now_ms = lg_clock_mono_ms(),
                                              .now_unix_s = lg_clock_unix_s()};
    lg_arena_init(&look.arena);
    enum lg_err_code code = read_kinds(cluster, &look, err);
    if (code != LG_E_OK)
        return code;
    read_ledger(cluster, &look);
    if (options->watch && !options->json && isatty(STDOUT_FILENO))
        fputs("\033[H\033[2J", stdout);
    if (options->json) {
        print_json(&look);
    } else {
        print_limits(&look);
        print_used(&look);
        print_waiting(&look);
        print_nodes(&look);
    }
    return fflush(stdout) == 0 ? LG_E_OK : lg_err_set(err, LG_E_IO, "output", "cannot be written");
}

int lg_cmd_status(int argc, char **argv)
{
    static const struct argp_option table[] = {
        LG_CLI_OPTION_KUBECONFIG,
        {"namespace", 'n', "NAME", 0,
         "The namespace that livegate stands in; else the kubeconfig's context's where it is "
         "another than default, else livegate",
         0},
        {"watch", 'w', NULL, 0, "Look again every 2 seconds", 0},
        LG_CLI_OPTION_OUTPUT,
        {0}};
    static const struct argp argp = {
        .options = table,
        .parser = parse,
        .doc =
            "Shows the limits of parallel migrations and where each comes from, who migrates, who "
            "was let through, who waits and in which place, and what leaves and enters each "
            "node. Reads only: KubeVirt's objects, and ConfigMap livegate-ledger in livegate's "
            "namespace.\vExit status: 0 shown, 2 usage, 3 the cluster cannot be read, 4 internal "
            "error.",
    };
    struct options options = {0};
    struct cluster cluster lg_cleanup(cluster_done) = {0};
    struct lg_err err = {0};
    lg_cli_parse(&argp, argc, argv, &options);
    const struct lg_kubeconfig_options kubeconfig = {.path = options.kubeconfig};
    enum lg_err_code code = lg_kubeconfig_open(&kubeconfig, &cluster.config, &err);
    if (code == LG_E_OK)
        code = lg_http_new(&cluster.config, &cluster.http, &err);
    if (code == LG_E_OK)
        cluster.ns = options.ns != NULL ? options.ns : lg_kubeconfig_own_namespace(&cluster.config);
    if (code == LG_E_OK)
        code = show(&cluster, &options, &err);
    while (code == LG_E_OK && options.watch) {
        struct lg_err trouble = {0};
        sleep(WATCH_S);
        enum lg_err_code again = show(&cluster, &options, &trouble);
        if (again != LG_E_OK)
            (void)lg_cli_fail(&trouble); /* the next look may do better */
        if (again == LG_E_IO)
            return LG_EXIT_INTERNAL; /* nobody reads it */
    }
    return code == LG_E_OK ? LG_EXIT_OK : lg_cli_fail(&err);
}
