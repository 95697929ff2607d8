/* Objects that are read one by one, where a review cannot do without: what the watch does not tell
 * yet, or never will.
 *
 * One fetch per object at a time, whoever else wants it waits for the same; at most LG_READS_PER_S
 * a second and LG_FETCHES_MAX under way, of which no namespace takes all (share.h); that there is
 * none of a name is remembered for LG_MISS_MS, what is never watched (lg_gvk.on_demand) for
 * LG_ON_DEMAND_MS. Names are checked before they become a path: one that no object can have is a
 * miss without a question.
 *
 * A probe is one review's: made by its thread (lg_client_probe), answered in the client's thread,
 * given up at any time.
 */
#ifndef LG_WEBHOOK_CLUSTER_READS_H
#define LG_WEBHOOK_CLUSTER_READS_H

#include "rules/engine.h"
#include "webhook/cluster/http.h"
#include "webhook/cluster/job.h"

enum {
    LG_READS_PER_S = 20,
    LG_FETCHES_MAX = 32,
    LG_PROBE_MAX = 4, /* objects of one probe */
    LG_MISS_MS = 2000,
    LG_ON_DEMAND_MS = 60 * 1000,
    LG_READS_KEPT_MAX = 1000,
};

/* What the API server said about one object. Immutable, shared by count (atomic), any thread. */
struct lg_live {
    struct lg_read read;
    /* private */
    _Atomic unsigned refs;
    struct lg_record *record;
    struct lg_str key;
};
void lg_live_unref(struct lg_live *live);

struct lg_reads;

struct lg_reads_options {
    struct lg_http *http;   /* borrowed */
    const char *server;     /* for messages; borrowed */
    const char *credential; /* likewise */
};

/* Given. */
struct lg_reads *lg_reads_new(const struct lg_reads_options *options)
    __attribute__((nonnull, returns_nonnull, warn_unused_result));
/* Ends what is under way; whoever waits is told. In the client's thread, or when that has ended. */
void lg_reads_free(struct lg_reads *take_reads);

/* Before threads start. */
void lg_reads_register_metrics(void);

/* What is remembered of it: given, or NULL. Any thread. */
struct lg_live *lg_reads_known(struct lg_reads *reads, const struct lg_want *want)
    __attribute__((nonnull, warn_unused_result));

/* `done` is called once, in the client's thread, when all is answered or nothing more will be. */
typedef void lg_probe_done_fn(void *arg);
struct lg_probe;

struct lg_probe_options {
    const struct lg_want *wants; /* at most LG_PROBE_MAX; texts are copied */
    size_t n;
    struct lg_str whose; /* the review's namespace: who shares the reads */
    lg_probe_done_fn *done;
    void *arg;
};
/* The caller's reference is given; a second one is the returned job's, which asks in the client's
 * thread (lg_client_post). Any thread. */
struct lg_probe *lg_probe_new(struct lg_reads *reads, const struct lg_probe_options *options,
                              struct lg_job **ret_job)
    __attribute__((nonnull, returns_nonnull, warn_unused_result));
/* Its answers by now, in the order of the wants: given (lg_live_unref), NULL where there is none.
 * Any thread. */
size_t lg_probe_answers(struct lg_probe *probe, struct lg_live *ret[LG_PROBE_MAX])
    __attribute__((nonnull));
void lg_probe_unref(struct lg_probe *probe);

#endif
