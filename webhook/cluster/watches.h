/* All kinds that are watched, kept true in one store: a reflector a kind, driven over one HTTP
 * loop.
 *
 * At most LG_LISTS_MAX lists run at once, so that a start or a lost API server costs neither side
 * much; watches have a connection each. Says in the log, once, what goes wrong and that it is over;
 * what many kinds meet alike (the API server is gone) is one trouble. All by one thread, the
 * store's writer, but for what says otherwise.
 */
#ifndef LG_WEBHOOK_CLUSTER_WATCHES_H
#define LG_WEBHOOK_CLUSTER_WATCHES_H

#include "webhook/cluster/http.h"
#include "webhook/cluster/store.h"

enum { LG_LISTS_MAX = 4 };

struct lg_watches;

struct lg_watches_options {
    struct lg_http *http;   /* borrowed */
    struct lg_store *store; /* borrowed */
    unsigned kinds;         /* LG_BIT(kind) of those to watch */
    const char *server;     /* for messages; borrowed */
    const char *credential; /* likewise */
    uint64_t seed;          /* of what is random */
};

/* What is known of one kind. */
struct lg_watch_state {
    bool watched; /* the rest is zero where it is not */
    enum lg_known known;
    int64_t heard_ms; /* monotonic, when the API server last said something about it; 0: never */
    uint64_t lists, events, expired, failures, unreadable;
};

/* Given. */
struct lg_watches *lg_watches_new(const struct lg_watches_options *options)
    __attribute__((nonnull, returns_nonnull, warn_unused_result));
/* Cancels what is under way. */
void lg_watches_free(struct lg_watches *take_watches);

/* Asks for what is due; returns when to come again at the latest, if nothing arrives
 * (monotonic). */
int64_t lg_watches_ask(struct lg_watches *watches, int64_t now_ms) __attribute__((nonnull));

/* Behind each turn of the HTTP loop: lets readers see what came, and says what changed. */
void lg_watches_show(struct lg_watches *watches, int64_t now_ms) __attribute__((nonnull));

/* True from when each kind has been listed or refused, or has failed or hung for LG_SETTLED_MS, or
 * has waited in vain for its turn to list, since those before it hang; then for ever. Any
 * thread. */
bool lg_watches_settled(const struct lg_watches *watches) __attribute__((nonnull));

/* As of the last lg_watches_show. Any thread. */
void lg_watches_state(struct lg_watches *watches, enum lg_kind kind, struct lg_watch_state *ret)
    __attribute__((nonnull));

#endif
