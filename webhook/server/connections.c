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

/* How many connections one address holds. Owns the bytes of its key in the map. */
struct peer {
    unsigned open;
    char address[ADDRESS_BYTES];
};

struct lg_connection {
    struct lg_connection *prev, *next;
    struct peer *peer;
    int fd;
    int64_t opened_ms;
    atomic_uint progress;  /* complete requests and handshakes */
    atomic_bool receiving; /* a request's head is here and its body is not */
    /* the reaper's own: */
    unsigned seen_progress;
    uint64_t settled_bytes; /* received when progress was last seen to move */
    int64_t pending_ms;     /* since when there has been more, 0 = there is not */
    bool shut;
};

struct lg_connections {
    struct lg_connections_limits limits;
    pthread_mutex_t lock;
    struct lg_connection *head;
    struct lg_map peers;
    unsigned open;
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

enum lg_admission lg_connections_admits(struct lg_connections *connections,
                                        const struct sockaddr *from)
{
    char address[ADDRESS_BYTES];
    enum lg_admission admission = LG_ADMIT;

    address_bytes(from, address);
    pthread_mutex_lock(&connections->lock);
    const struct peer *peer =
        lg_map_get(&connections->peers, (struct lg_str){address, ADDRESS_BYTES});
    if (connections->open >= connections->limits.total)
        admission = LG_REFUSE_TOTAL;
    else if (peer != NULL && peer->open >= connections->limits.per_address)
        admission = LG_REFUSE_ADDRESS;
    pthread_mutex_unlock(&connections->lock);
    return admission;
}

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
    pthread_mutex_unlock(&connections->lock);
    free(take);
}

void lg_connection_begin(struct lg_connection *connection)
{
    atomic_store_explicit(&connection->receiving, true, memory_order_relaxed);
}

void lg_connection_progress(struct lg_connection *connection)
{
    atomic_store_explicit(&connection->receiving, false, memory_order_relaxed);
    atomic_fetch_add_explicit(&connection->progress, 1, memory_order_relaxed);
}

/* Bytes that the kernel has received for the connection; false: it cannot say (the peer is gone). */
static bool received_bytes(int fd, uint64_t *ret)
{
    struct tcp_info info = {0};
    socklen_t n = sizeof info;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &n) != 0)
        return false;
    *ret = info.tcpi_bytes_received;
    return true;
}

static bool overdue(struct lg_connection *connection, const struct lg_connections_limits *limits,
                    int64_t now_ms)
{
    unsigned progress = atomic_load_explicit(&connection->progress, memory_order_relaxed);
    uint64_t bytes = 0;

    if (progress == 0 && limits->handshake && now_ms - connection->opened_ms >= limits->request_ms)
        return true;
    if (!received_bytes(connection->fd, &bytes))
        return false;
    if (progress != connection->seen_progress) {
        connection->seen_progress = progress;
        connection->settled_bytes = bytes;
        connection->pending_ms = 0;
    }
    if (bytes == connection->settled_bytes &&
        !atomic_load_explicit(&connection->receiving, memory_order_relaxed))
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
        /* The server thread sees the end of the stream, closes, and calls lg_connection_closed. */
        shutdown(c->fd, SHUT_RDWR);
        c->shut = true;
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
