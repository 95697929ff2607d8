/* The limiter's ledger as all replicas share it: ConfigMap livegate-ledger, changed by compare and
 * swap.
 *
 * An ask is made by the thread of a review, decided in the client's thread (queue.h), and looked at
 * by the review's thread again; either may let go first. The object is never created here, and no
 * other is touched: RBAC allows get and patch on that name.
 */
#ifndef LG_WEBHOOK_LIMITER_LEDGER_API_H
#define LG_WEBHOOK_LIMITER_LEDGER_API_H

#include "webhook/cluster/client.h"
#include "webhook/limiter/queue.h"

#define LG_LEDGER_NAME "livegate-ledger"
#define LG_LEDGER_KEY  "ledger" /* in its data */
/* When it was written, by the writer's wall clock: for who looks at it, no decision rests on it. */
#define LG_LEDGER_WRITTEN_KEY "writtenUnixMs"

struct lg_ledger_api;

/* `client` and `store` are borrowed. LG_E_INVALID: the kubeconfig names a namespace that is
 * none. */
enum lg_err_code lg_ledger_api_new(struct lg_client *client, struct lg_store *store,
                                   struct lg_ledger_api **ret, struct lg_err *err)
    __attribute__((warn_unused_result));
/* When the client has stopped. NULL is allowed. */
void lg_ledger_api_free(struct lg_ledger_api *take_api);

/* Before threads start. */
void lg_ledger_api_register_metrics(void);

struct lg_ledger_ask;

/* Asks; texts are copied. Nobody waits from `until_ms` (monotonic) on. `done` is called once, in
 * the client's thread. Given (lg_ledger_ask_unref). Any thread. */
struct lg_ledger_ask *lg_ledger_api_ask(struct lg_ledger_api *api, const struct lg_ask *ask,
                                        int64_t until_ms, void (*done)(void *arg), void *arg)
    __attribute__((returns_nonnull, warn_unused_result));
/* What came of it, borrowed from the ask; NULL: nothing yet, or the ledger was not reached. Any
 * thread. */
const struct lg_turnout *lg_ledger_ask_turnout(struct lg_ledger_ask *ask);
/* Nothing came of it, and its caller is told to come back: in how many seconds. `ask` is what was
 * asked, now; `asked` is NULL where it could not be. Its ticket counts the answer as soon as the
 * ledger is reached. Any thread. */
int lg_ledger_api_unreached(struct lg_ledger_api *api, const struct lg_ask *ask,
                            const struct lg_ledger_ask *asked) __attribute__((nonnull(1, 2)));
/* The ledger itself is not reached (reach.h), so that more than this caller's time was lacking. Any
 * thread. */
bool lg_ledger_api_is_away(const struct lg_ledger_api *api);
/* NULL is allowed. Any thread. */
void lg_ledger_ask_unref(struct lg_ledger_ask *ask);

/* Looks at the ledger though nobody asks. Any thread. */
void lg_ledger_api_refresh(struct lg_ledger_api *api);

/* Reservations without a migration yet, and tickets, as of the last look. Any thread. */
void lg_ledger_api_counts(struct lg_ledger_api *api, size_t *ret_reserved, size_t *ret_waiting);

struct lg_ledger_object {
    struct lg_str text, version; /* borrowed from the arena; text "" where it has no data */
    int64_t written_unix_ms;     /* 0: it does not say */
};
/* Reads a ConfigMap's JSON. LG_E_INVALID: it is none. */
enum lg_err_code lg_ledger_of_object(struct lg_str json, struct lg_arena *arena,
                                     struct lg_ledger_object *ret, struct lg_err *err)
    __attribute__((warn_unused_result));

#endif
