/* Where the inventory comes from: files that are read once, or a live cluster. Either way reviews
 * see one store.
 *
 * Owned by server.c in place; opened and closed by the housekeeping thread, read by any.
 */
#ifndef LG_WEBHOOK_SERVER_SOURCE_H
#define LG_WEBHOOK_SERVER_SOURCE_H

#include "webhook/cluster/client.h"

struct lg_source {
    struct lg_store *store;
    struct lg_client *client; /* NULL: files */
    int version_said;         /* what the log said last of KubeVirt's version; 0 = nothing yet */
};

struct lg_source_options {
    char *const *inventory_paths; /* NULL-terminated; NULL: a live cluster */
    /* of the live cluster; NULL: found as kubectl does, else the pod's own account */
    const char *kubeconfig_path;
};

/* Reads the files, or starts the client; registers the metrics. On an error *ret is to be closed
 * all the same. Errors say how to fix it. */
enum lg_err_code lg_source_open(const struct lg_source_options *options, struct lg_source *ret,
                                struct lg_err *err) __attribute__((warn_unused_result));
/* Nobody reads the store any more. */
void lg_source_close(struct lg_source *source);

/* One line about what it is. */
void lg_source_log(const struct lg_source *source);

/* True from when the inventory is as complete as it can be now; then for ever. */
bool lg_source_ready(const struct lg_source *source);

/* One line where KubeVirt's version came to be known, or not to be understood, since the last
 * call. */
void lg_source_log_version(struct lg_source *source);

/* Sets the gauges; a lg_metrics_collect_fn, `arg` is the source. */
void lg_source_collect(void *arg);

#endif
