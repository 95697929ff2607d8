/* One review: the body that came in, the answer that leaves. Knows nothing of HTTP.
 *
 * The reviewer is shared by all server threads. A review sees one state of the inventory (it pins
 * the store while it judges, and never waits then); the policy is replaced as a whole, and a review
 * keeps the one it began with.
 */
#ifndef LG_WEBHOOK_SERVER_REVIEW_H
#define LG_WEBHOOK_SERVER_REVIEW_H

#include "rules/engine.h"
#include "webhook/cluster/store.h"
#include "webhook/limiter/ledger_api.h"
#include "webhook/server/inquiry.h"

enum lg_route { LG_ROUTE_VALIDATE, LG_ROUTE_MIGRATIONS, LG_ROUTE_MUTATE, LG_ROUTE_NONE };

/* What the API server waits where the request does not say. */
enum { LG_REVIEW_TIMEOUT_MS = 3000, LG_REVIEW_TIMEOUT_MS_MAX = 30000 };

struct lg_reviewer;

/* All borrowed for the reviewer's life, but the policy. */
struct lg_reviewer_options {
    struct lg_store *store;
    struct lg_client *client; /* for what the store does not hold; NULL: the store is the truth */
    struct lg_pauses *pauses;
    struct lg_ledger_api *ledger; /* of the limiter; NULL: it remembers in this process alone */
    struct lg_policy *take_policy;
};
struct lg_reviewer *lg_reviewer_new(const struct lg_reviewer_options *options);
void lg_reviewer_free(struct lg_reviewer *reviewer);

/* Judges by this policy from the next review on. Any thread. */
void lg_reviewer_set_policy(struct lg_reviewer *reviewer, struct lg_policy *take_policy);

/* Sets the metrics about the policy that holds now. Any thread. */
void lg_reviewer_survey(struct lg_reviewer *reviewer);

/* What a review keeps while it waits; zeroed at first. */
struct lg_review_memory {
    unsigned pauses;
    struct lg_inquiry inquiry;
    struct lg_ledger_ask *turn; /* asked of the shared ledger */
};
void lg_review_memory_done(struct lg_review_memory *memory);

struct lg_review_call {
    enum lg_route route;
    struct lg_str body;
    int64_t arrived_ns; /* monotonic, when the request's head was read */
    int64_t timeout_ms; /* what the caller waits; the answer leaves before 80 % of it */
    void *connection;   /* for pause.h */
    struct lg_review_memory *memory;
};

/* Reads, judges (by the route of /mutate: mends), counts and logs. *ret_text: the answer, malloc'd,
 * given; NULL: the connection is suspended, and this is to be called again with the same call and
 * memory when it is resumed. LG_E_INVALID: no AdmissionReview v1; err says why. Uses the arena and
 * leaves resetting it to the caller. Any thread. */
enum lg_err_code lg_reviewer_answer(struct lg_reviewer *reviewer, const struct lg_review_call *call,
                                    struct lg_arena *arena, char **ret_text, size_t *ret_bytes,
                                    struct lg_err *err) __attribute__((warn_unused_result));

/* The time that `timeout` of a request's query leaves; NULL or nonsense: what is usual. */
int64_t lg_review_timeout_ms(const char *timeout);

#endif
