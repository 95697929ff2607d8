/* Who is connected to one listening port: the limits, and the reaper.
 *
 * The server library's own timeout counts idle time only, so that one byte now and then holds a connection for ever.
 * The reaper looks at what the kernel has received instead. A connection is shut when
 *   - it has not finished its handshake `request_ms` after it was accepted (TLS),
 *   - a request has begun, or bytes have come since its last complete request (or its handshake), and `request_ms` later
 *     no request is complete.
 * What is merely idle is left to the server library's timeout.
 *
 * One object a port. Any thread: opening, closing and reaping take the lock; noting begin and progress does not.
 * An entry belongs to the object and lives from opened to closed.
 */
#ifndef LG_WEBHOOK_SERVER_CONNECTIONS_H
#define LG_WEBHOOK_SERVER_CONNECTIONS_H

#include <stdint.h>
#include <sys/socket.h>

#include "rules/core/err.h"

enum { LG_CONNECTIONS_REAPED_MAX = 64 };

struct lg_connections;
struct lg_connection;

struct lg_connections_limits {
    unsigned total, per_address;
    int64_t request_ms;
    bool handshake; /* TLS */
};

enum lg_admission { LG_ADMIT, LG_REFUSE_TOTAL, LG_REFUSE_ADDRESS };

struct lg_connections *lg_connections_new(const struct lg_connections_limits *limits);
/* Every connection is closed by now. */
void lg_connections_free(struct lg_connections *connections);

/* Whether one more connection from there is within the limits. Between this and lg_connection_opened another thread
 * may admit one too: the total may be exceeded by the number of server threads. */
enum lg_admission lg_connections_admits(struct lg_connections *connections,
                                        const struct sockaddr *from);

/* Adds the connection; `fd` is borrowed until lg_connection_closed. */
struct lg_connection *lg_connection_opened(struct lg_connections *connections, int fd,
                                           const struct sockaddr *from, int64_t now_ms);

/* Forgets it; to be called before `fd` is closed. NULL is allowed. */
void lg_connection_closed(struct lg_connections *connections, struct lg_connection *take);

/* The head of a request is here, its body may not be. */
void lg_connection_begin(struct lg_connection *connection);

/* A request, or the handshake, is complete. */
void lg_connection_progress(struct lg_connection *connection);

/* Shuts what has to be shut, at most LG_CONNECTIONS_REAPED_MAX of them: a server thread closes all that are shut in one
 * go, and whoever asks for a review meanwhile waits for it. Returns how many. O(connections), one getsockopt each. */
size_t lg_connections_reap(struct lg_connections *connections, int64_t now_ms);

unsigned lg_connections_open(struct lg_connections *connections);

#endif
