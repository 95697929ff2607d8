#include "webhook/server/server.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "rules/core/file.h"
#include "rules/core/mem.h"
#include "webhook/runtime/clock.h"
#include "webhook/runtime/log.h"
#include "webhook/runtime/metrics.h"
#include "webhook/runtime/thread.h"
#include "webhook/server/connections.h"
#include "webhook/server/listener.h"
#include "webhook/server/reload.h"
#include "webhook/server/stats.h"

enum {
    TICK_MS = 250,
    REAPING_TICK_MS = 20,
    FINISHING_TICK_MS = 10,
    FINISHING_MS_MAX = 10 * 1000,
    /* connections of both ports, displaced ones of both, lingering ones, what else is open */
    DESCRIPTORS_MIN = 1024 + 128 + 2 * LG_CONNECTIONS_CLOSING_MAX + 128,
    DESCRIPTORS = 4096,
    CLIENT_CA_BYTES_MAX = 256 * 1024,
};

struct server {
    const struct lg_server_options *options;
    struct lg_source source;
    struct lg_ledger_api *ledger; /* NULL: in memory */
    int64_t ledger_ms;            /* when it is looked at next */
    struct lg_policy *policy;     /* until the reviewer takes it */
    struct lg_tls *tls;
    char *client_ca;
    struct lg_reload reload;
    struct lg_service service;
    int signal_fd, reviews_fd, operations_fd;
    struct lg_listener *reviews, *operations;
    bool more_to_reap;
};

/* --- start --- */

/* The fault and what to do about it, on one line. */
static enum lg_err_code advise(const struct lg_err *fault, const char *advice, struct lg_err *err)
{
    lg_err_set(err, fault->code, fault->where, "%s; %s", fault->text, advice);
    return fault->code;
}

static enum lg_err_code read_client_ca(struct server *server, struct lg_err *err)
{
    const char *path = server->options->client_ca_path;
    size_t n = 0;

    if (path == NULL)
        return LG_E_OK;
    enum lg_err_code code = lg_file_read(path, CLIENT_CA_BYTES_MAX, &server->client_ca, &n, err);
    if (code != LG_E_OK)
        return code;
    return lg_tls_check_ca((struct lg_str){server->client_ca, n}, path, err);
}

static enum lg_err_code read_policy(struct server *server, struct lg_err *err)
{
    struct lg_err fault = {0};
    if (lg_reload_policy(&server->reload, &server->policy, &fault) == LG_E_OK)
        return LG_E_OK;
    return advise(&fault, "`livegate policy FILE` checks a policy", err);
}

static enum lg_err_code read_pair(struct server *server, struct lg_err *err)
{
    struct lg_err fault = {0};
    if (lg_reload_pair(&server->reload, &fault) == LG_E_OK)
        return LG_E_OK;
    return advise(&fault,
                  "`livegate certs issue --cert-dir DIR` makes a pair, `livegate certs show` says "
                  "what is there",
                  err);
}

/* Files first: what is wrong with them is said before the cluster is spoken to. */
static enum lg_err_code load(struct server *server, struct lg_err *err)
{
    enum lg_err_code code = read_policy(server, err);
    if (code != LG_E_OK)
        return code;
    code = read_client_ca(server, err);
    if (code != LG_E_OK)
        return code;
    server->tls = lg_tls_new(server->client_ca != NULL);
    server->reload.tls = server->tls;
    return read_pair(server, err);
}

/* Connections are descriptors: the usual soft limit of 1,024 is too low. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= DESCRIPTORS_MIN)
        return;
    limit.rlim_cur = limit.rlim_max < DESCRIPTORS ? limit.rlim_max : DESCRIPTORS;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < DESCRIPTORS_MIN)
        lg_log(LG_LOG_WARN, "the limit on open files is below what 1024 connections need",
               LG_F_INT("limit", limit.rlim_cur), LG_F_INT("needed", DESCRIPTORS_MIN));
}

/* What the housekeeping thread waits on. */
static enum lg_err_code open_waits(struct server *server, struct lg_err *err)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    server->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (server->signal_fd < 0)
        return lg_err_set_errno(err, errno, "signalfd", "cannot be opened");
    return lg_linger_new(&server->service.linger, err);
}

static enum lg_err_code listen_on_both(struct server *server, struct lg_err *err)
{
    const struct lg_server_options *options = server->options;
    enum lg_err_code code =
        lg_address_listen(&options->reviews, "--listen", &server->reviews_fd, err);
    if (code != LG_E_OK)
        return code;
    return lg_address_listen(&options->operations, "--ops-listen", &server->operations_fd, err);
}

static enum lg_err_code start_threads(struct server *server, struct lg_err *err)
{
    const struct lg_listener_options operations = {
        .name = "operations port", .fd = server->operations_fd, .service = &server->service};
    const struct lg_listener_options reviews = {.name = "reviews port",
                                                .fd = server->reviews_fd,
                                                .service = &server->service,
                                                .tls = server->tls,
                                                .client_ca = server->client_ca};
    enum lg_err_code code = lg_listener_start(&operations, &server->operations, err);
    if (code != LG_E_OK)
        return code;
    return lg_listener_start(&reviews, &server->reviews, err);
}

static void collect(void *arg)
{
    struct server *server = arg;
    if (!atomic_load(&server->service.loaded)) /* the listeners are being made */
        return;
    lg_reviewer_survey(server->service.reviewer);
    lg_stats_gauges(
        lg_listener_connections(server->reviews), lg_listener_connections(server->operations),
        atomic_load(&server->service.body_bytes), atomic_load(&server->service.draining));
}

static enum lg_err_code start(struct server *server, struct lg_err *err)
{
    if (lg_rules_count() == 0)
        return lg_err_set(err, LG_E_INTERNAL, "rules",
                          "this build has no rules; it would admit "
                          "everything");
    lg_stats_register();
    lg_pauses_register_metrics();
    lg_ledger_api_register_metrics();
    enum lg_err_code code = load(server, err);
    if (code == LG_E_OK)
        code = listen_on_both(server, err);
    if (code == LG_E_OK)
        code = open_waits(server, err);
    raise_descriptor_limit();
    if (code == LG_E_OK)
        code = lg_source_open(&server->options->source, &server->source, err);
    if (code != LG_E_OK)
        return code;
    if (server->source.client != NULL && !server->options->ledger_in_memory)
        code = lg_ledger_api_new(server->source.client, server->source.store, &server->ledger, err);
    if (code != LG_E_OK)
        return code;
    server->service.reviewer =
        lg_reviewer_new(&(struct lg_reviewer_options){.store = server->source.store,
                                                      .client = server->source.client,
                                                      .pauses = server->service.pauses,
                                                      .ledger = server->ledger,
                                                      .take_policy = lg_steal(server->policy)});
    atomic_store(&server->service.heartbeat_ms, lg_clock_mono_ms());
    lg_metrics_collect(collect, server);
    lg_metrics_collect(lg_source_collect, &server->source);
    code = start_threads(server, err);
    if (code != LG_E_OK)
        return code;
    atomic_store(&server->service.known, lg_source_ready(&server->source));
    atomic_store(&server->service.loaded, true);
    return LG_E_OK;
}

static void log_start(const struct server *server)
{
    char reviews[LG_ADDRESS_TEXT_BYTES], operations[LG_ADDRESS_TEXT_BYTES];

    lg_log(LG_LOG_INFO, "listening",
           LG_F_TEXT("reviews", lg_address_of(server->reviews_fd, reviews)),
           LG_F_TEXT("operations", lg_address_of(server->operations_fd, operations)),
           LG_F_INT("rules", lg_rules_count()), LG_F_TEXT("version", LG_VERSION));
    lg_source_log(&server->source);
    lg_reload_log_pair(&server->reload);
}

/* --- housekeeping --- */

/* Waits at most `ms` for a signal; 0 = none came. */
static int next_signal(struct server *server, int64_t ms)
{
    struct signalfd_siginfo info;
    if (!lg_linger_poll(server->service.linger, server->signal_fd, ms) ||
        read(server->signal_fd, &info, sizeof info) != sizeof info)
        return 0;
    return (int)info.ssi_signo;
}

static void reap(struct server *server, int64_t now_ms)
{
    size_t reviews = lg_listener_reap(server->reviews, now_ms);
    size_t operations = lg_listener_reap(server->operations, now_ms);
    server->more_to_reap =
        reviews == LG_CONNECTIONS_REAPED_MAX || operations == LG_CONNECTIONS_REAPED_MAX;
    lg_stats_reaped(reviews + operations);
}

/* One round of what has to be looked at again and again. Returns SIGTERM or SIGINT when told to
 * stop, else 0. */
static int keep_house(struct server *server, int64_t wait_ms, int64_t *io_reload_ms)
{
    int64_t now_ms = lg_clock_mono_ms();
    int64_t tick_ms = server->more_to_reap ? REAPING_TICK_MS : TICK_MS;
    int64_t due_ms = lg_pauses_expire(server->service.pauses, now_ms);
    if (due_ms - now_ms < tick_ms)
        tick_ms = due_ms - now_ms;
    int signal = next_signal(server, wait_ms < tick_ms ? wait_ms : tick_ms);
    now_ms = lg_clock_mono_ms();

    atomic_store(&server->service.heartbeat_ms, now_ms);
    reap(server, now_ms);
    if (!atomic_load(&server->service.known) && lg_source_ready(&server->source))
        atomic_store(&server->service.known, true);
    lg_source_log_version(&server->source);
    if (server->ledger != NULL && now_ms >= server->ledger_ms) {
        lg_ledger_api_refresh(server->ledger);
        server->ledger_ms = now_ms + LG_QUEUE_LOOK_MS;
    }
    if (signal == SIGHUP || now_ms >= *io_reload_ms) {
        lg_reload_all(&server->reload, server->service.reviewer);
        *io_reload_ms = now_ms + LG_RELOAD_INTERVAL_MS;
    }
    return signal == SIGHUP ? 0 : signal;
}

/* Serves until told to stop; returns for how long to drain. */
static int64_t serve(struct server *server, int64_t *io_reload_ms)
{
    int signal = 0;
    while (signal == 0)
        signal = keep_house(server, TICK_MS, io_reload_ms);
    /* Who presses Ctrl-C waits for the prompt, not for load balancers. */
    bool at_once = signal == SIGINT && isatty(STDERR_FILENO);
    int64_t drain_ms = at_once ? 0 : server->options->drain_ms;
    lg_log(LG_LOG_INFO, "stopping", LG_F_TEXT("signal", signal == SIGINT ? "INT" : "TERM"),
           LG_F_INT("drain_ms", drain_ms));
    return drain_ms;
}

static void drain(struct server *server, int64_t drain_ms, int64_t *io_reload_ms)
{
    int64_t end_ms = lg_clock_mono_ms() + drain_ms;

    atomic_store(&server->service.draining, true);
    for (int64_t left = drain_ms; left > 0; left = end_ms - lg_clock_mono_ms()) {
        if (keep_house(server, left, io_reload_ms) != 0)
            return;
    }
}

static void finish(struct server *server)
{
    int64_t end_ms = lg_clock_mono_ms() + FINISHING_MS_MAX;

    lg_listener_quiesce(server->reviews);
    lg_pauses_close(
        server->service.pauses); /* the library ends the process over a suspended connection */
    while (atomic_load(&server->service.in_flight) > 0 && lg_clock_mono_ms() < end_ms) {
        lg_linger_poll(server->service.linger, -1, FINISHING_TICK_MS);
        reap(server, lg_clock_mono_ms());
    }
    unsigned left = atomic_load(&server->service.in_flight);
    lg_log(left == 0 ? LG_LOG_INFO : LG_LOG_WARN, "stopped", LG_F_INT("unanswered", left));
}

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

static void server_done(struct server *server)
{
    lg_listener_stop(server->operations); /* first: its metrics look at the other */
    lg_listener_stop(server->reviews);
    close_fd(server->signal_fd);
    close_fd(server->reviews_fd);
    close_fd(server->operations_fd);
    lg_linger_free(server->service.linger);
    lg_reviewer_free(server->service.reviewer);
    lg_policy_unref(server->policy);
    lg_reload_done(&server->reload);
    lg_tls_free(server->tls);
    free(server->client_ca);
    lg_source_close(&server->source); /* ends what pauses wait for */
    lg_ledger_api_free(server->ledger);
    lg_pauses_free(server->service.pauses);
    lg_metrics_done(); /* last: the client's thread and the pauses count to their end */
}

enum lg_err_code lg_server_run(const struct lg_server_options *options, struct lg_err *err)
{
    struct server server lg_cleanup(server_done) = {
        .options = options,
        .reload = {.cert_dir = options->cert_dir, .policy_path = options->policy_path},
        .service = {.pauses = lg_pauses_new(lg_listener_suspend, lg_listener_resume)},
        .signal_fd = -1,
        .reviews_fd = -1,
        .operations_fd = -1,
    };
    lg_thread_block_signals();
    enum lg_err_code code = start(&server, err);
    if (code != LG_E_OK)
        return code;
    log_start(&server);
    int64_t reload_ms = lg_clock_mono_ms() + LG_RELOAD_INTERVAL_MS;
    drain(&server, serve(&server, &reload_ms), &reload_ms);
    finish(&server);
    return LG_E_OK;
}
