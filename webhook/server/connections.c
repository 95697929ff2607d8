#include "webhook/server/connections.h"

#include <assert.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "rules/core/map.h"
#include "rules/core/mem.h"

enum { ADDRESS_BYTES = 16 };

/* What one address holds: connections, and bytes of bodies. Owns the bytes of its key in the
 * map. */
struct peer {
    unsigned open;
    atomic_size_t body_bytes;
    char address[ADDRESS_BYTES];
};

struct lg_connection {
    struct lg_connection *prev, *next;
    struct peer *peer;
    int fd;
    int64_t opened_ms;
    /* written by its server thread: */
    atomic_bool shaken;             /* the handshake is through */
    atomic_bool busy;               /* from a request's head to its answer */
    atomic_uint requests;           /* complete ones */
    _Atomic uint64_t received;      /* bytes since the handshake; TLS only */
    _Atomic uint64_t taken;         /* bytes of complete requests */
    _Atomic int64_t last_active_ms; /* when the last request was complete */
    /* under the lock: */
    unsigned seen_requests;
    /* since when there has been more than complete requests, 0 = there is not */
    int64_t pending_ms;
    bool shut;
};

struct lg_connections {
    struct lg_connections_limits limits;
    pthread_mutex_t lock;
    struct lg_connection *head;
    struct lg_map peers;
    unsigned open;
    unsigned closing; /* of those, shut already */
};

struct lg_connections *lg_connections_new(const struct lg_connections_limits *limits)
{
    struct lg_connections *connections = lg_calloc(1, sizeof *connections);
    connections->limits = *limits;
    pthread_mutex_init(&connections->lock, NULL);
    return connections;
}

void lg_connections_free(struct lg_connections *connections)
{
    if (connections == NULL)
        return;
    assert(connections->head == NULL);
    lg_map_done(&connections->peers);
    pthread_mutex_destroy(&connections->lock);
    free(connections);
}

/* IPv4 and IPv4 mapped into IPv6 are the same address. */
static void address_bytes(const struct sockaddr *from, char ret[ADDRESS_BYTES])
{
    memset(ret, 0, ADDRESS_BYTES);
    if (from != NULL && from->sa_family == AF_INET6) {
        memcpy(ret, &((const struct sockaddr_in6 *)from)->sin6_addr, ADDRESS_BYTES);
    } else if (from != NULL && from->sa_family == AF_INET) {
        memset(ret + 10, 0xff, 2);
        memcpy(ret + 12, &((const struct sockaddr_in *)from)->sin_addr, 4);
    }
}

/* The server thread sees the end of the stream, closes, and calls lg_connection_closed. */
static void shut(struct lg_connections *connections, struct lg_connection *connection)
{
    shutdown(connection->fd, SHUT_RDWR);
    connection->shut = true;
    connections->closing++;
}

/* --- limits --- */

/* Whom a newcomer may displace. */
struct candidates {
    struct lg_connection *unused; /* the oldest that never completed a request */
    struct lg_connection *crowds; /* idle longest of the address that holds most */
    struct lg_connection *idlest; /* of those that completed a request */
    unsigned used;
};

static int64_t last_active_ms(const struct lg_connection *connection)
{
    return atomic_load_explicit(&connection->last_active_ms, memory_order_relaxed);
}

/* The list goes from the newest to the oldest: of equals the last one counts. */
static void consider(struct candidates *found, struct lg_connection *c, int64_t now_ms)
{
    bool used = atomic_load_explicit(&c->requests, memory_order_relaxed) > 0;

    if (c->shut)
        return;
    found->used += used;
    if (atomic_load_explicit(&c->busy, memory_order_relaxed))
        return;
    if (!used && now_ms - c->opened_ms >= LG_CONNECTIONS_GRACE_MS)
        found->unused = c;
    if (used && (found->idlest == NULL || last_active_ms(c) <= last_active_ms(found->idlest)))
        found->idlest = c;
    unsigned most = found->crowds == NULL ? 0 : found->crowds->peer->open;
    if (c->peer->open > most ||
        (c->peer->open == most && last_active_ms(c) <= last_active_ms(found->crowds)))
        found->crowds = c;
}

static bool displace_one(struct lg_connections *connections, int64_t now_ms)
{
    struct candidates found = {0};
    struct lg_connection *victim = NULL;

    if (connections->closing >= LG_CONNECTIONS_CLOSING_MAX)
        return false;
    for (struct lg_connection *c = connections->head; c != NULL; c = c->next)
        consider(&found, c, now_ms);
    if (found.unused != NULL)
        victim = found.unused;
    else if (found.crowds != NULL && found.crowds->peer->open > LG_CONNECTIONS_FAIR)
        victim = found.crowds;
    else if (found.used > connections->limits.total / 2)
        victim = found.idlest;
    if (victim == NULL)
        return false;
    shut(connections, victim);
    return true;
}

enum lg_admission lg_connections_admit(struct lg_connections *connections,
                                       const struct sockaddr *from, int64_t now_ms)
{
    char address[ADDRESS_BYTES];
    enum lg_admission admission = LG_ADMIT;

    address_bytes(from, address);
    pthread_mutex_lock(&connections->lock);
    const struct peer *peer =
        lg_map_get(&connections->peers, (struct lg_str){address, ADDRESS_BYTES});
    if (peer != NULL && peer->open >= connections->limits.per_address)
        admission = LG_REFUSE_ADDRESS;
    else if (connections->open - connections->closing >= connections->limits.total)
        admission = displace_one(connections, now_ms) ? LG_ADMIT_DISPLACING : LG_REFUSE_TOTAL;
    pthread_mutex_unlock(&connections->lock);
    return admission;
}

/* --- entries --- */

static struct peer *peer_acquire(struct lg_connections *connections, const struct sockaddr *from)
{
    char address[ADDRESS_BYTES];
    address_bytes(from, address);
    struct peer *peer = lg_map_get(&connections->peers, (struct lg_str){address, ADDRESS_BYTES});
    if (peer == NULL) {
        peer = lg_calloc(1, sizeof *peer);
        memcpy(peer->address, address, ADDRESS_BYTES);
        lg_map_set(&connections->peers, (struct lg_str){peer->address, ADDRESS_BYTES}, peer);
    }
    peer->open++;
    return peer;
}

static void peer_release(struct lg_connections *connections, struct peer *peer)
{
    if (--peer->open != 0)
        return;
    lg_map_remove(&connections->peers, (struct lg_str){peer->address, ADDRESS_BYTES});
    free(peer);
}

struct lg_connection *lg_connection_opened(struct lg_connections *connections, int fd,
                                           const struct sockaddr *from, int64_t now_ms)
{
    struct lg_connection *connection = lg_calloc(1, sizeof *connection);
    connection->fd = fd;
    connection->opened_ms = now_ms;
    pthread_mutex_lock(&connections->lock);
    connection->peer = peer_acquire(connections, from);
    connection->next = connections->head;
    if (connections->head != NULL)
        connections->head->prev = connection;
    connections->head = connection;
    connections->open++;
    pthread_mutex_unlock(&connections->lock);
    return connection;
}

void lg_connection_closed(struct lg_connections *connections, struct lg_connection *take)
{
    if (take == NULL)
        return;
    pthread_mutex_lock(&connections->lock);
    if (take->prev != NULL)
        take->prev->next = take->next;
    else
        connections->head = take->next;
    if (take->next != NULL)
        take->next->prev = take->prev;
    peer_release(connections, take->peer);
    connections->open--;
    connections->closing -= take->shut;
    pthread_mutex_unlock(&connections->lock);
    free(take);
}

/* One thread writes, so that a load and a store are enough. */
static void add(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

void lg_connection_shaken(struct lg_connection *connection)
{
    atomic_store_explicit(&connection->shaken, true, memory_order_relaxed);
}

void lg_connection_received(struct lg_connection *connection, size_t bytes)
{
    if (atomic_load_explicit(&connection->shaken, memory_order_relaxed))
        add(&connection->received, bytes);
}

void lg_connection_begin(struct lg_connection *connection)
{
    atomic_store_explicit(&connection->busy, true, memory_order_relaxed);
}

bool lg_connection_hold(struct lg_connection *connection, size_t bytes, size_t max)
{
    if (atomic_fetch_add(&connection->peer->body_bytes, bytes) + bytes <= max)
        return true;
    lg_connection_let_go(connection, bytes);
    return false;
}

void lg_connection_let_go(struct lg_connection *connection, size_t bytes)
{
    atomic_fetch_sub(&connection->peer->body_bytes, bytes);
}

void lg_connection_complete(struct lg_connection *connection, uint64_t bytes, int64_t now_ms)
{
    add(&connection->taken, bytes);
    atomic_store_explicit(&connection->last_active_ms, now_ms, memory_order_relaxed);
    atomic_fetch_add_explicit(&connection->requests, 1, memory_order_relaxed);
}

void lg_connection_answered(struct lg_connection *connection)
{
    atomic_store_explicit(&connection->busy, false, memory_order_relaxed);
}

/* --- the reaper --- */

/* Bytes that were received; false: the kernel cannot say (the peer is gone). */
static bool received_bytes(const struct lg_connection *connection, bool tls, uint64_t *ret)
{
    struct tcp_info info = {0};
    socklen_t n = sizeof info;

    if (tls) {
        *ret = atomic_load_explicit(&connection->received, memory_order_relaxed);
        return true;
    }
    if (getsockopt(connection->fd, IPPROTO_TCP, TCP_INFO, &info, &n) != 0)
        return false;
    *ret = info.tcpi_bytes_received;
    return true;
}

static bool overdue(struct lg_connection *connection, const struct lg_connections_limits *limits,
                    int64_t now_ms)
{
    uint64_t bytes = 0;

    if (limits->tls && !atomic_load_explicit(&connection->shaken, memory_order_relaxed))
        return now_ms - connection->opened_ms >= limits->request_ms;
    unsigned requests = atomic_load_explicit(&connection->requests, memory_order_relaxed);
    if (!received_bytes(connection, limits->tls, &bytes))
        return false;
    if (requests != connection->seen_requests ||
        bytes <= atomic_load_explicit(&connection->taken, memory_order_relaxed)) {
        connection->seen_requests = requests;
        connection->pending_ms = 0;
    }
    if (bytes <= atomic_load_explicit(&connection->taken, memory_order_relaxed))
        return false;
    if (connection->pending_ms == 0)
        connection->pending_ms = now_ms;
    return now_ms - connection->pending_ms >= limits->request_ms;
}

size_t lg_connections_reap(struct lg_connections *connections, int64_t now_ms)
{
    size_t n = 0;
    pthread_mutex_lock(&connections->lock);
    for (struct lg_connection *c = connections->head; c != NULL && n < LG_CONNECTIONS_REAPED_MAX;
         c = c->next) {
        if (c->shut || !overdue(c, &connections->limits, now_ms))
            continue;
        shut(connections, c);
        n++;
    }
    pthread_mutex_unlock(&connections->lock);
    return n;
}

unsigned lg_connections_open(struct lg_connections *connections)
{
    pthread_mutex_lock(&connections->lock);
    unsigned open = connections->open;
    pthread_mutex_unlock(&connections->lock);
    return open;
}
