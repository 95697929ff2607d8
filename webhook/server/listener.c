#include "webhook/server/listener.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rules/core/mem.h"
#include "webhook/runtime/clock.h"
#include "webhook/server/connections.h"
#include "webhook/server/routes.h"
#include "webhook/server/stats.h"

enum {
    REVIEW_CONNECTIONS_MAX = 1024,
    OPERATIONS_CONNECTIONS_MAX = 128,
    ADDRESS_CONNECTIONS_MAX = 256,
    REQUEST_MS_MAX = 5000,
    REVIEW_IDLE_S_MAX = 150, /* Go clients keep an idle connection for 90 s */
    OPERATIONS_IDLE_S_MAX = 60,
    THREADS_MIN = 2,
    THREADS_MAX = 8,
};

struct lg_listener {
    struct MHD_Daemon *daemon;
    struct lg_connections *connections;
    struct lg_service *service;
    struct lg_tls *tls;
    int fd;
};

/* The library's socket context. */
struct context {
    struct lg_connection *connection;
    struct lg_tls_peer peer;
    bool linger;
};

static enum MHD_Result on_accept(void *arg, const struct sockaddr *from, socklen_t n)
{
    (void)n;
    struct lg_listener *listener = arg;
    enum lg_admission admission =
        lg_connections_admit(listener->connections, from, lg_clock_mono_ms());
    lg_stats_connection_admission(admission);
    return admission == LG_ADMIT || admission == LG_ADMIT_DISPLACING ? MHD_YES : MHD_NO;
}

static void on_finished(void *arg)
{
    lg_connection_shaken(arg);
}

static void on_received(void *arg, size_t bytes)
{
    lg_connection_received(arg, bytes);
}

static int fd_of(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

static void opened(struct lg_listener *listener, struct MHD_Connection *connection,
                   void **socket_context)
{
    const struct sockaddr *from =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
    struct context *context = lg_calloc(1, sizeof *context);

    context->connection =
        lg_connection_opened(listener->connections, fd_of(connection), from, lg_clock_mono_ms());
    if (listener->tls != NULL) {
        context->peer = (struct lg_tls_peer){.tls = listener->tls,
                                             .finished = on_finished,
                                             .received = on_received,
                                             .arg = context->connection,
                                             .fd = fd_of(connection)};
        lg_tls_attach(
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION)->tls_session,
            &context->peer);
    }
    *socket_context = context;
}

static void on_connection(void *arg, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode what)
{
    struct lg_listener *listener = arg;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        opened(listener, connection, socket_context);
        return;
    }
    struct context *context = lg_steal(*socket_context);
    if (context->linger)
        lg_linger_add(listener->service->linger, fd_of(connection), lg_clock_mono_ms());
    lg_connection_closed(listener->connections, context->connection);
    free(context);
}

void lg_listener_begin(void *socket_context)
{
    const struct context *context = socket_context;
    lg_connection_begin(context->connection);
}

void lg_listener_complete(void *socket_context, uint64_t bytes)
{
    const struct context *context = socket_context;
    lg_connection_complete(context->connection, bytes, lg_clock_mono_ms());
}

void lg_listener_answered(void *socket_context)
{
    const struct context *context = socket_context;
    lg_connection_answered(context->connection);
}

void lg_listener_linger(void *socket_context)
{
    struct context *context = socket_context;
    context->linger = true;
}

bool lg_listener_hold(void *socket_context, size_t bytes)
{
    const struct context *context = socket_context;
    return lg_connection_hold(context->connection, bytes, LG_ADDRESS_BODIES_BYTES_MAX);
}

void lg_listener_let_go(void *socket_context, size_t bytes)
{
    const struct context *context = socket_context;
    lg_connection_let_go(context->connection, bytes);
}

void lg_listener_suspend(void *connection)
{
    MHD_suspend_connection(connection);
}

void lg_listener_resume(void *connection)
{
    MHD_resume_connection(connection);
}

/* Paths are compared as they were sent: no escape is another way to write one, or to end it with a
 * NUL. */
static size_t leave_escaped(void *arg, struct MHD_Connection *connection, char *text)
{
    (void)arg;
    (void)connection;
    return strlen(text);
}

static unsigned pool_threads(void)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    if (cpus < THREADS_MIN)
        return THREADS_MIN;
    return cpus > THREADS_MAX ? THREADS_MAX : (unsigned)cpus;
}

static struct MHD_Daemon *start_reviews(struct lg_listener *listener,
                                        const struct lg_listener_options *options)
{
    unsigned threads = pool_threads();
    struct MHD_OptionItem trust[] = {
        {MHD_OPTION_HTTPS_MEM_TRUST, 0, (void *)(uintptr_t)options->client_ca},
        {MHD_OPTION_END, 0, NULL}};

    /* Each thread has its share of the library's own limit, and at its share stops accepting, which
     * leaves clients waiting in the backlog: so each share is above the limit that on_accept
     * holds. */
    unsigned limit =
        (REVIEW_CONNECTIONS_MAX + LG_CONNECTIONS_CLOSING_MAX + THREADS_MAX + 1) * threads;
    return MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TLS | MHD_USE_ITC | MHD_ALLOW_SUSPEND_RESUME, 0,
        on_accept, listener, lg_routes_reviews, options->service, MHD_OPTION_LISTEN_SOCKET,
        options->fd, MHD_OPTION_THREAD_POOL_SIZE, threads, MHD_OPTION_CONNECTION_LIMIT, limit,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)REVIEW_IDLE_S_MAX, MHD_OPTION_NOTIFY_CONNECTION,
        on_connection, listener, MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL,
        MHD_OPTION_NOTIFY_COMPLETED, lg_routes_completed, options->service,
        MHD_OPTION_HTTPS_PRIORITIES, LG_TLS_PRIORITIES, MHD_OPTION_HTTPS_CERT_CALLBACK2,
        lg_tls_retriever(), MHD_OPTION_ARRAY, options->client_ca != NULL ? trust : trust + 1,
        MHD_OPTION_END);
}

static struct MHD_Daemon *start_operations(struct lg_listener *listener,
                                           const struct lg_listener_options *options)
{
    return MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC, 0, on_accept, listener, lg_routes_operations,
        options->service, MHD_OPTION_LISTEN_SOCKET, options->fd, MHD_OPTION_CONNECTION_LIMIT,
        2u * OPERATIONS_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)OPERATIONS_IDLE_S_MAX, MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, listener, MHD_OPTION_NOTIFY_COMPLETED,
        lg_routes_operated, NULL, MHD_OPTION_END);
}

enum lg_err_code lg_listener_start(const struct lg_listener_options *options,
                                   struct lg_listener **ret, struct lg_err *err)
{
    struct lg_listener *listener = lg_calloc(1, sizeof *listener);
    bool reviews = options->tls != NULL;

    listener->fd = options->fd;
    listener->service = options->service;
    listener->tls = options->tls;
    listener->connections = lg_connections_new(&(struct lg_connections_limits){
        .total = reviews ? REVIEW_CONNECTIONS_MAX : OPERATIONS_CONNECTIONS_MAX,
        .per_address = reviews ? ADDRESS_CONNECTIONS_MAX : OPERATIONS_CONNECTIONS_MAX,
        .request_ms = REQUEST_MS_MAX,
        .tls = reviews,
    });
    listener->daemon =
        reviews ? start_reviews(listener, options) : start_operations(listener, options);
    if (listener->daemon == NULL) {
        int os_errno = errno;
        lg_connections_free(listener->connections);
        free(listener);
        return lg_err_set_errno(err, os_errno, options->name,
                                "the server does not start; see the limits on threads, "
                                "descriptors and memory");
    }
    *ret = listener;
    return LG_E_OK;
}

void lg_listener_quiesce(struct lg_listener *listener)
{
    /* The library gives the socket back; its threads let go of it with a delay, so that it is
     * closed only at the end. Whoever is still in the backlog, or comes now, is refused at once
     * instead of waiting there. */
    if (MHD_quiesce_daemon(listener->daemon) != MHD_INVALID_SOCKET)
        shutdown(listener->fd, SHUT_RDWR);
}

void lg_listener_stop(struct lg_listener *listener)
{
    if (listener == NULL)
        return;
    /* Else the library closes the socket, which is borrowed, and its number may be another's when
     * its owner closes it. */
    (void)MHD_quiesce_daemon(listener->daemon);
    MHD_stop_daemon(listener->daemon);
    lg_connections_free(listener->connections);
    free(listener);
}

size_t lg_listener_reap(struct lg_listener *listener, int64_t now_ms)
{
    return lg_connections_reap(listener->connections, now_ms);
}

unsigned lg_listener_connections(struct lg_listener *listener)
{
    return lg_connections_open(listener->connections);
}
