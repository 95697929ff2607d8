/* Who is connected to one listening port: the limits, and the reaper.
 *
 * The server library's own timeout counts idle time only, so that one byte now and then holds a
 * connection for ever. Here bytes are counted: what was received against what complete requests
 * took. A connection is shut when
 *   - it has not finished its handshake `request_ms` after it was accepted (TLS),
 *   - more was received than its complete requests were long, and `request_ms` later no further
 *     request is complete. It makes no difference whether those bytes came alone, behind the
 *     handshake or behind another request.
 * What is merely idle is left to the server library's timeout, until its place is needed: when all
 * places are taken a newcomer displaces, in this order,
 *   - the oldest connection that never completed a request, once it is LG_CONNECTIONS_GRACE_MS old,
 *   - of the address that holds most, where that is more than LG_CONNECTIONS_FAIR, one that never
 *     completed a request, or the one that is idle longest,
 *   - where more than half of the places are held by connections that completed a request, the one
 *     idle longest.
 * Whoever is inside a request is never displaced; where none of these is found the newcomer is
 * refused (the places are held by newcomers, who have a second each). So crowds displace their own,
 * and a connection that is used outlives all that are held for nothing.
 *
 * One object a port. Any thread: opening, closing, admitting and reaping take the lock; what is
 * noted of one connection is noted by the server thread that has it, without the lock.
 * An entry belongs to the object and lives from opened to closed.
 */
#ifndef LG_WEBHOOK_SERVER_CONNECTIONS_H
#define LG_WEBHOOK_SERVER_CONNECTIONS_H

#include <stdint.h>
#include <sys/socket.h>

#include "rules/core/err.h"

enum {
    LG_CONNECTIONS_REAPED_MAX = 64,
    /* displaced ones that may stand beside the total until they are closed */
    LG_CONNECTIONS_CLOSING_MAX = 64,
    LG_CONNECTIONS_GRACE_MS = 1000,
    LG_CONNECTIONS_FAIR = 16,
};

struct lg_connections;
struct lg_connection;

struct lg_connections_limits {
    unsigned total, per_address;
    int64_t request_ms;
    bool tls; /* received bytes are noted by the handshake's owner, else the kernel is asked */
};

enum lg_admission { LG_ADMIT, LG_ADMIT_DISPLACING, LG_REFUSE_TOTAL, LG_REFUSE_ADDRESS };

struct lg_connections *lg_connections_new(const struct lg_connections_limits *limits);
/* Every connection is closed by now. */
void lg_connections_free(struct lg_connections *connections);

/* Whether one more connection from there is within the limits; where all places are taken, makes
 * room by shutting one (LG_ADMIT_DISPLACING). Between this and lg_connection_opened another thread
 * may admit one too: the total may be exceeded by the number of server threads. O(1), when full
 * O(connections). */
enum lg_admission lg_connections_admit(struct lg_connections *connections,
                                       const struct sockaddr *from, int64_t now_ms);

/* Adds the connection; `fd` is borrowed until lg_connection_closed. */
struct lg_connection *lg_connection_opened(struct lg_connections *connections, int fd,
                                           const struct sockaddr *from, int64_t now_ms);

/* Forgets it; to be called before `fd` is closed. NULL is allowed. */
void lg_connection_closed(struct lg_connections *connections, struct lg_connection *take);

/* TLS: the handshake is through; what is received is counted from here on. */
void lg_connection_shaken(struct lg_connection *connection);

/* TLS: so many bytes of text (or a few more) came. */
void lg_connection_received(struct lg_connection *connection, size_t bytes);

/* The head of a request is here, its body may not be. */
void lg_connection_begin(struct lg_connection *connection);

/* Its address has bodies of so many bytes more in flight, until they are let go; false: that would
 * be more than `max`. */
bool lg_connection_hold(struct lg_connection *connection, size_t bytes, size_t max);
void lg_connection_let_go(struct lg_connection *connection, size_t bytes);

/* A request of so many bytes, head and body, is complete. */
void lg_connection_complete(struct lg_connection *connection, uint64_t bytes, int64_t now_ms);

/* It is answered, or given up. */
void lg_connection_answered(struct lg_connection *connection);

/* Shuts what has to be shut, at most LG_CONNECTIONS_REAPED_MAX of them: a server thread closes all
 * that are shut in one go, and whoever asks for a review meanwhile waits for it. Returns how many.
 * O(connections); without TLS one getsockopt each. */
size_t lg_connections_reap(struct lg_connections *connections, int64_t now_ms);

unsigned lg_connections_open(struct lg_connections *connections);

#endif
