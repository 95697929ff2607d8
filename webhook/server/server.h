/* The server as a whole: start, housekeeping, stop.
 *
 * The calling thread is the housekeeping thread: it waits for signals, looks at files, reaps
 * connections and takes the server down. States:
 *
 *   starting -> serving -> draining (ready no more, answers say Connection: close)
 *   -> finishing (no new connections, until nothing is in flight) -> stopped
 *
 * SIGTERM, SIGINT: drain; a second one ends the drain at once. SIGHUP: look at certificate and
 * policy now.
 */
#ifndef LG_WEBHOOK_SERVER_SERVER_H
#define LG_WEBHOOK_SERVER_SERVER_H

#include <stdint.h>

#include "rules/core/err.h"
#include "webhook/server/address.h"
#include "webhook/server/source.h"

struct lg_server_options {
    struct lg_source_options source;
    bool ledger_in_memory;   /* the limiter's, though a cluster is watched: the only replica */
    const char *policy_path; /* NULL = the default policy */
    struct lg_address reviews, operations;
    const char *cert_dir;
    const char *client_ca_path; /* NULL = clients show no certificate */
    int64_t drain_ms;
};

/* Runs until it is told to stop. Any error comes before the first connection is taken; everything
 * that was opened is closed by then. One call a process at a time. */
enum lg_err_code lg_server_run(const struct lg_server_options *options, struct lg_err *err)
    __attribute__((warn_unused_result));

#endif
