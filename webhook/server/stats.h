/* What the server counts. Registered once before threads start; counting is from any thread. */
#ifndef LG_WEBHOOK_SERVER_STATS_H
#define LG_WEBHOOK_SERVER_STATS_H

#include "rules/mend.h"
#include "rules/virt/limits_nodes.h"
#include "webhook/server/connections.h"

enum lg_reload_of { LG_RELOAD_CERTIFICATE, LG_RELOAD_POLICY };
enum lg_cert_part { LG_CERT_PART_LEAF, LG_CERT_PART_CA };

/* Registers all of the server's metrics and the process's own. */
void lg_stats_register(void);

/* One review that was answered `duration_ns` after its request arrived. */
void lg_stats_review(enum lg_kind kind, enum lg_op op, const struct lg_judgement *judgement,
                     int64_t duration_ns);
/* The same of one that came in by /mutate. */
void lg_stats_mutation(const struct lg_mending *mending, int64_t duration_ns);
/* A review that came in by the path of other kinds. */
void lg_stats_misrouted(void);
/* A request that got no review: 400, 404, 405, 411, 413, 415, 503. */
void lg_stats_refused(unsigned http_status);
/* Counts what was refused or displaced. */
void lg_stats_connection_admission(enum lg_admission admission);
void lg_stats_reaped(size_t n);
void lg_stats_reload(enum lg_reload_of what, bool taken);

/* When that part of the certificate ends; 0 = there is no such part. */
void lg_stats_certificate(enum lg_cert_part part, int64_t expires_unix_s);

enum { LG_STATS_NODES_MAX = 20 }; /* more are not shown: node names come and go with a cluster */

/* What is looked up when the metrics are asked for. */
struct lg_limiter_survey {
    size_t running, pending, reserved, waiting;
    int64_t limit;                       /* of the cluster */
    int64_t limit_out, limit_in;         /* of each node; in: 0 = none */
    const struct lg_node_traffic *nodes; /* the busiest first */
    size_t n_nodes;
};
void lg_stats_limiter(const struct lg_limiter_survey *survey);
void lg_stats_gauges(unsigned review_connections, unsigned operations_connections,
                     size_t body_bytes, bool draining);

#endif
