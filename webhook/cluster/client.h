/* The one thread that speaks with the API server: it lists and watches what the rules look up and
 * keeps the store true, reads single objects that a review cannot do without, and does what else is
 * handed to it.
 *
 * Started and stopped by one thread. While it runs it is the store's only writer. States: started
 * -> stopped (freed). Nobody posts or asks any more when it is stopped.
 */
#ifndef LG_WEBHOOK_CLUSTER_CLIENT_H
#define LG_WEBHOOK_CLUSTER_CLIENT_H

#include "webhook/cluster/kubeconfig.h"
#include "webhook/cluster/reads.h"
#include "webhook/cluster/watches.h"

struct lg_client;

struct lg_client_options {
    struct lg_kubeconfig_options kubeconfig;
    struct lg_store *store; /* borrowed */
    unsigned kinds;         /* LG_BIT(kind) of those to watch */
};

/* Reads the kubeconfig and starts the thread; does not wait for the API server. Given. Codes as
 * lg_kubeconfig_open, and LG_E_UNAVAILABLE: no more threads. */
enum lg_err_code lg_client_start(const struct lg_client_options *options, struct lg_client **ret,
                                 struct lg_err *err) __attribute__((nonnull, warn_unused_result));

/* Ends the thread and all requests. NULL is allowed. */
void lg_client_stop(struct lg_client *take_client);

/* "https://10.0.0.1:6443", and where the configuration comes from. Any thread. */
const char *lg_client_server(const struct lg_client *client) __attribute__((nonnull));
const char *lg_client_source(const struct lg_client *client) __attribute__((nonnull));

/* Where livegate's own objects are: the namespace of the pod or of the kubeconfig's context;
 * "livegate" where that says none. Any thread. */
const char *lg_client_namespace(const struct lg_client *client) __attribute__((nonnull));

/* As the functions of watches.h. Any thread. */
bool lg_client_settled(const struct lg_client *client) __attribute__((nonnull));
void lg_client_state(const struct lg_client *client, enum lg_kind kind, struct lg_watch_state *ret)
    __attribute__((nonnull));

/* Runs the job in the client's thread, soon. The job is the client's until then. Any thread. */
void lg_client_post(struct lg_client *client, struct lg_job *job) __attribute__((nonnull));

/* Runs the job then (monotonic), or when the client stops. The client's thread only. */
void lg_client_later(struct lg_client *client, struct lg_job *job, int64_t due_ms)
    __attribute__((nonnull));

/* Reads these objects and calls `done` once; given (lg_probe_unref). Any thread. */
struct lg_probe *lg_client_probe(struct lg_client *client, const struct lg_probe_options *options)
    __attribute__((nonnull, returns_nonnull, warn_unused_result));
/* As lg_reads_known. Any thread. */
struct lg_live *lg_client_known(struct lg_client *client, const struct lg_want *want)
    __attribute__((nonnull, warn_unused_result));

#endif
