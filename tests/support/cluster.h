/* `livegate serve` against a canned API server: what tests of the live inventory share. One
 * thread. */
#ifndef LG_TESTS_SUPPORT_CLUSTER_H
#define LG_TESTS_SUPPORT_CLUSTER_H

#include "tests/support/canned_api.h"
#include "tests/support/clients.h"
#include "tests/support/serve.h"

struct lg_cluster {
    struct lg_serve serve;
    struct lg_canned *canned;
    /* what the API server says it waits for a review; "30s": a busy machine has the time */
    const char *timeout;
    const char *user; /* who asks; "jane" */
};

/* A canned API server with `options` (or a small cluster of 3 nodes, 8 claims and what belongs to
 * them, NULL). */
void lg_cluster_init(struct lg_cluster *cluster, const struct lg_canned_options *options);
/* Starts serve on it, with `extra` options. */
void lg_cluster_start(struct lg_cluster *cluster, const char *const *extra);
/* Waits until /readyz says yes; returns how long that took. */
int64_t lg_cluster_ready(struct lg_cluster *cluster, int64_t deadline_ms);
/* It says so now, in one answer. */
void lg_assert_ready(struct lg_cluster *cluster);
/* Waits until each kind that serve watches has its watch. */
void lg_await_watches(struct lg_cluster *cluster);
/* Stops the API server: `canned` is NULL from here on. */
void lg_lose_api(struct lg_cluster *cluster);
/* Stops serve where it runs (status 0, no sanitizer's report) and the API server. */
void lg_cluster_done(struct lg_cluster *cluster);

/* What one review came to. */
struct lg_outcome {
    bool allowed;
    char text[4096]; /* the denial's message and the warnings of LG10x, LG40x, LG60x, a line each */
    int retry_after_s; /* 0: it does not say */
    int64_t took_ms;
};

/* Reviews the creation of a VM in namespace `ns` with one disk over `claim`. */
void lg_review_vm(struct lg_cluster *cluster, const char *ns, const char *claim,
                  struct lg_outcome *ret);
/* Reviews the creation of this object by a person. */
void lg_review_object(struct lg_cluster *cluster, enum lg_kind kind, const char *ns,
                      const char *name, const char *object, struct lg_outcome *ret);

/* The same, if it is answered within `max_s`; false: the connection was refused or cut, or nothing
 * came. */
bool lg_try_review_object(struct lg_cluster *cluster, enum lg_kind kind, const char *ns,
                          const char *name, const char *object, int max_s, struct lg_outcome *ret);

/* Reviews the VM again and again until its outcome contains `text` ("" and allowed: no warnings),
 * or fails. */
void lg_await_vm(struct lg_cluster *cluster, const char *ns, const char *claim, bool allowed,
                 const char *text, int64_t deadline_ms);

/* How often the server's log holds `text` by now. */
int lg_count_log(struct lg_cluster *cluster, const char *text);

/* Reviews the creation of a migration of `vmi`. */
void lg_review_migration(struct lg_cluster *cluster, const char *ns, const char *vmi,
                         struct lg_outcome *ret);

/* Reviews `n` such VMs at once, with claims named by `claim` ("claim-#": a number each), one a
 * client; does not wait. */
void lg_review_vms_at_once(struct lg_cluster *cluster, struct lg_clients *clients, const char *ns,
                           const char *claim, size_t n);
/* Waits for their answers, which must all be verdicts. Returns how many hold `text`. */
size_t lg_await_reviews(struct lg_clients *take_clients, size_t n, const char *text);

/* Puts a VMI that runs on node-0, a migration of a VMI; whether it can migrate ("True"), how far it
 * is ("Running"). */
void lg_put_vmi(struct lg_cluster *cluster, const char *ns, const char *name,
                const char *migratable);
/* One that can migrate, on this node. */
void lg_put_vmi_on(struct lg_cluster *cluster, const char *ns, const char *name, const char *node);
void lg_put_migration(struct lg_cluster *cluster, const char *ns, const char *name, const char *vmi,
                      const char *phase);

/* Puts a claim with one access mode. */
void lg_put_claim(struct lg_cluster *cluster, const char *ns, const char *name, const char *mode);

#endif
