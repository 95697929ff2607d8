/* `livegate serve` against a canned API server: what tests of the live inventory share. One thread. */
#ifndef LG_TESTS_SUPPORT_CLUSTER_H
#define LG_TESTS_SUPPORT_CLUSTER_H

#include "tests/support/canned_api.h"
#include "tests/support/serve.h"

struct lg_cluster {
    struct lg_serve serve;
    struct lg_canned *canned;
    const char *timeout; /* what the API server says it waits for a review; "3s" */
};

/* A canned API server with `options` (or a small cluster of 3 nodes, 8 claims and what belongs to them, NULL). */
void lg_cluster_init(struct lg_cluster *cluster, const struct lg_canned_options *options);
/* Starts serve on it, with `extra` options. */
void lg_cluster_start(struct lg_cluster *cluster, const char *const *extra);
/* Waits until /readyz says yes; returns how long that took. */
int64_t lg_cluster_ready(struct lg_cluster *cluster, int64_t deadline_ms);
/* Stops serve where it runs (status 0, no sanitizer's report) and the API server. */
void lg_cluster_done(struct lg_cluster *cluster);

/* What one review came to. */
struct lg_outcome {
    bool allowed;
    char text[4096]; /* the denial's message, or the warnings, a line each */
    int64_t took_ms;
};

/* Reviews the creation of a VM in namespace `ns` with one disk over `claim`. */
void lg_review_vm(struct lg_cluster *cluster, const char *ns, const char *claim,
                  struct lg_outcome *ret);
/* Reviews the creation of this object by a person. */
void lg_review_object(struct lg_cluster *cluster, enum lg_kind kind, const char *ns,
                      const char *name, const char *object, struct lg_outcome *ret);

/* Reviews the VM again and again until its outcome contains `text` ("" and allowed: no warnings), or fails. */
void lg_await_vm(struct lg_cluster *cluster, const char *ns, const char *claim, bool allowed,
                 const char *text, int64_t deadline_ms);

/* How often the server's log holds `text` by now. */
int lg_count_log(struct lg_cluster *cluster, const char *text);

/* Puts a claim with one access mode. */
void lg_put_claim(struct lg_cluster *cluster, const char *ns, const char *name, const char *mode);

#endif
