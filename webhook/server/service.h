/* What the threads of one server share. Owned by server.c; atomics, any thread. */
#ifndef LG_WEBHOOK_SERVER_SERVICE_H
#define LG_WEBHOOK_SERVER_SERVICE_H

#include <stdatomic.h>

#include "webhook/server/linger.h"
#include "webhook/server/review.h"

enum {
    LG_BODY_BYTES_MAX = 8 * 1024 * 1024,
    /* Up to this, which is nearly every review, a body needs no room among the large ones: whoever
     * fills that keeps nobody's small review out. How many there are at once is bounded by
     * connections: 1,024, 256 from one address. */
    LG_SMALL_BODY_BYTES_MAX = 64 * 1024,
    LG_BODIES_BYTES_MAX = 64 * 1024 * 1024,                /* of larger ones together */
    LG_ADDRESS_BODIES_BYTES_MAX = LG_BODIES_BYTES_MAX / 4, /* nobody takes all of it alone */
};

struct lg_service {
    struct lg_reviewer *reviewer;
    struct lg_pauses *pauses;
    struct lg_linger *linger;
    atomic_bool loaded;           /* set once, when both ports are served */
    atomic_bool known;            /* set once, when the inventory is as complete as it can be */
    atomic_bool draining;         /* set once, when asked to stop */
    _Atomic int64_t heartbeat_ms; /* monotonic, when housekeeping last went round */
    atomic_size_t body_bytes;     /* of requests in flight, by their Content-Length */
    atomic_size_t large_bytes;    /* of those, what counts against LG_BODIES_BYTES_MAX */
    atomic_uint in_flight;        /* requests whose head was read and that are not done */
};

#endif
