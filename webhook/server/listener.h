/* One listening port: the server library's threads, its connections and their limits.
 *
 * libmicrohttpd with epoll, an inter-thread channel and suspend/resume; reviews are served by a
 * pool, operations by one thread. Started and stopped by one thread.
 * States: started -> quiesced (no new connections) -> stopped (freed).
 */
#ifndef LG_WEBHOOK_SERVER_LISTENER_H
#define LG_WEBHOOK_SERVER_LISTENER_H

#include "webhook/server/service.h"
#include "webhook/server/tls.h"

struct lg_listener;

struct lg_listener_options {
    const char *name;           /* for messages */
    int fd;                     /* listening; borrowed until lg_listener_stop */
    struct lg_service *service; /* borrowed */
    struct lg_tls *tls;         /* borrowed; NULL = plain HTTP, and operations instead of reviews */
    const char *client_ca;      /* PEM, borrowed for the call; NULL = no client certificates */
};

/* LG_E_UNAVAILABLE: the library does not start (no threads, no descriptors). */
enum lg_err_code lg_listener_start(const struct lg_listener_options *options,
                                   struct lg_listener **ret, struct lg_err *err)
    __attribute__((warn_unused_result));

/* Takes no new connection; those that stand are served on. */
void lg_listener_quiesce(struct lg_listener *listener);

/* Ends every connection and thread, closes the socket. NULL is allowed. */
void lg_listener_stop(struct lg_listener *listener);

/* Shuts connections that hold a place without a complete request; returns how many. */
size_t lg_listener_reap(struct lg_listener *listener, int64_t now_ms);
unsigned lg_listener_connections(struct lg_listener *listener);

/* For pause.h: the library's connection does nothing until it is resumed; then its handler is
 * called again. Suspended inside its handler, resumed from any thread. */
void lg_listener_suspend(void *connection);
void lg_listener_resume(void *connection);

/* For the routes, by the library's socket context: the head of a request is here; a request is
 * complete, head and body of so many bytes; it is answered, or given up; or it is answered before
 * its body was read, and the connection ends with the answer. */
void lg_listener_begin(void *socket_context);
void lg_listener_complete(void *socket_context, uint64_t bytes);
void lg_listener_answered(void *socket_context);
void lg_listener_linger(void *socket_context);

/* As lg_connection_hold and lg_connection_let_go: a body of so many bytes comes in from that
 * address. */
bool lg_listener_hold(void *socket_context, size_t bytes);
void lg_listener_let_go(void *socket_context, size_t bytes);

#endif
