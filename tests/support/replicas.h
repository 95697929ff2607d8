/* Several `livegate serve` over one canned API server that keeps their ledger. What tests of the
 * limiter share. One thread. */
#ifndef LG_TESTS_SUPPORT_REPLICAS_H
#define LG_TESTS_SUPPORT_REPLICAS_H

#include "tests/support/cluster.h"

enum { LG_REPLICAS_MAX = 3 };

struct lg_replicas {
    /* the canned API server is the first one's, and lent to the others */
    struct lg_cluster of[LG_REPLICAS_MAX];
    int n;
};

/* Makes the canned API server (with `options`, as lg_cluster_init has them): it has no ledger yet.
 * Nothing is started. */
void lg_replicas_init(struct lg_replicas *replicas, const struct lg_canned_options *options);
/* Writes what policy says of the limiter: "mode: enforce, ...". */
void lg_replicas_policy(struct lg_replicas *replicas, const char *limiter);
/* Starts `n` with that policy, and waits until they are ready. */
void lg_replicas_start(struct lg_replicas *replicas, int n);
/* Stops those that run, and the API server. */
void lg_replicas_done(struct lg_replicas *replicas);

/* Waits until the watches of all have brought so many objects of the kind. */
void lg_replicas_await(struct lg_replicas *replicas, enum lg_kind kind, int n);

/* Migration "move-GUEST" of a guest; phase "": the API server has just made it. */
struct lg_test_move {
    const char *ns, *guest, *uid, *phase;
};
enum { LG_TEST_MOVE_BYTES = 512 };
void lg_test_move_object(const struct lg_test_move *move, char ret[LG_TEST_MOVE_BYTES]);

/* Reviews the creation of migration "move-GUEST", uid "uid-GUEST". */
void lg_create_migration(struct lg_cluster *at, const char *ns, const char *guest,
                         struct lg_outcome *ret);
/* That migration is there now, in this phase. */
void lg_move_migration(struct lg_replicas *replicas, const char *ns, const char *guest,
                       const char *phase);

void lg_assert_allowed(const struct lg_outcome *outcome);
/* Denied, and the message contains the text. */
void lg_assert_denied(const struct lg_outcome *outcome, const char *text);

#endif
