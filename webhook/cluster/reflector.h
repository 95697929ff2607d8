/* One resource of the cluster kept in the store: list, then watch, and again whenever the API
 * server says so.
 *
 * A state machine without network: it says what it wants asked (lg_reflector_next), and is told
 * what came. Whoever drives it (webhook/cluster/client.h) makes the requests. One thread, the
 * store's writer.
 *
 *   state     wants                              leaves it for
 *   WAITING   nothing before `at_ms`             LISTING or WATCHING, whatever is planned
 *   LISTING   a list, page by page               watch (whole) | list again, later (it failed)
 *   WATCHING  a watch from the last version on   watch (it ended, or broke off)
 *                                                | list (410; what came was no event)
 *
 *   the list  asks                                        when
 *   FIRST     resourceVersion=0 (the server's cache)      nothing is known yet, or the resource
 *                                                         came back
 *   AGAIN     resourceVersion=LAST (not older than that)  a watch gave what is no event
 *   PAGES     limit=500 and continue                      410, or the server does not know LAST yet
 *   WHOLE     everything at once                          410 for a `continue`
 *
 * A list is gathered aside and replaces what was there in one operation. 404 and 403 are believed
 * at once where nothing is known yet, else the third time in a row (a starting API server says both
 * of what it will serve in a moment): then the kind's records go and its absence proves nothing.
 * Any other failure leaves what is known in place.
 *
 * A kind that is served in another version by other API servers (gvk.h, `also`) is asked for in
 * that one before a 404 counts.
 *
 * A list that does not end is a failure: more objects or bytes than a cluster has, or the same
 * `continue` twice.
 *
 * An object that cannot be read (too deep, too large, a kept field of another type) is left out and
 * counted.
 * Source: client-go tools/cache reflector.go; kubernetes.io "Efficient detection of changes".
 */
#ifndef LG_WEBHOOK_CLUSTER_REFLECTOR_H
#define LG_WEBHOOK_CLUSTER_REFLECTOR_H

#include "webhook/cluster/http.h"
#include "webhook/cluster/status.h"
#include "webhook/cluster/store.h"

enum {
    LG_WATCH_S_MIN = 300, /* how long a watch is asked to last, at random */
    LG_WATCH_S_MAX = 600,
    LG_LIST_PAGE = 500,
    LG_BACKOFF_MS_MIN = 500, /* doubled with each failure, plus or minus half */
    LG_BACKOFF_MS_MAX = 15 * 1000,
    LG_ABSENT_RETRY_MS = 15 * 1000, /* after a 404 or 403 that is believed, up to a third more */
    LG_REFUSALS_BELIEVED = 3,
    LG_SETTLED_MS = 10 * 1000, /* who fails or hangs for so long holds up nobody's readiness */
    LG_STEADY_MS = 2000,       /* a watch that lasted so long ends a problem */
};

struct lg_reflector;

enum lg_ask { LG_ASK_NOTHING, LG_ASK_LIST, LG_ASK_WATCH };

struct lg_reflector_request {
    enum lg_ask ask;
    int64_t at_ms;      /* LG_ASK_NOTHING: come again then, or when something came */
    struct lg_str path; /* borrowed until the next lg_reflector_next */
    int64_t deadline_ms, idle_ms, head_ms;
};

/* What happened so far, for metrics and log lines. */
struct lg_reflector_report {
    enum lg_known known;
    bool settled; /* listed, or 404 or 403 and believed */
    bool listing, watching;
    int64_t failing_since_ms; /* nothing but failed attempts to list it since then; 0: none */
    int64_t heard_ms;         /* when the API server last said something about it; 0: never */
    uint64_t lists, watches, events, bookmarks, expired, failures;
    uint64_t unreadable;         /* objects that were left out */
    const struct lg_err *unread; /* of the last such object; where: "namespace/name: path" */
    /* code LG_E_OK: none. The same trouble has the same text each time. */
    const struct lg_err *problem;
    uint64_t problems; /* counts up with each new problem, and with its end */
};

struct lg_reflector_options {
    enum lg_kind kind;
    struct lg_store *store; /* borrowed */
    const char *server;     /* for messages; borrowed */
    const char *credential; /* likewise */
    uint64_t seed;          /* of what is random: replicas must not move in step */
    size_t objects_max;     /* of a list; 0: LG_LIST_OBJECTS_MAX (intake.h) */
};

/* Given. Texts of the options are borrowed. Sets the kind LG_NOT_SYNCED in the store. */
struct lg_reflector *lg_reflector_new(const struct lg_reflector_options *options)
    __attribute__((nonnull, returns_nonnull, warn_unused_result));
void lg_reflector_free(struct lg_reflector *take_reflector);

/* What to ask now. A list or watch that is given out counts as asked; exactly one
 * lg_reflector_ended follows it. */
struct lg_reflector_request lg_reflector_next(struct lg_reflector *r, int64_t now_ms)
    __attribute__((nonnull));
/* The list or watch that lg_reflector_next would give out; nothing changes. */
enum lg_ask lg_reflector_wants(const struct lg_reflector *r, int64_t now_ms)
    __attribute__((nonnull));

void lg_reflector_head(struct lg_reflector *r, int64_t now_ms) __attribute__((nonnull));
enum lg_err_code lg_reflector_chunk(struct lg_reflector *r, struct lg_str chunk, int64_t now_ms,
                                    struct lg_err *err)
    __attribute__((nonnull, warn_unused_result));
void lg_reflector_ended(struct lg_reflector *r, const struct lg_http_answer *answer, int64_t now_ms)
    __attribute__((nonnull));

struct lg_reflector_report lg_reflector_report(const struct lg_reflector *r)
    __attribute__((nonnull));

/* True when a list is under way of which nothing came for LG_SETTLED_MS. */
bool lg_reflector_stalled(const struct lg_reflector *r, int64_t now_ms) __attribute__((nonnull));

/* True when it need not hold up readiness any longer: listed, refused, or failing or hanging for
 * LG_SETTLED_MS. */
bool lg_reflector_settled(const struct lg_reflector *r, int64_t now_ms) __attribute__((nonnull));

/* The last version that was seen; 0: none, or it is no number. */
uint64_t lg_reflector_version(const struct lg_reflector *r) __attribute__((nonnull));

#endif
