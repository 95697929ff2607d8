/* Reviews that wait: a connection is suspended while another thread finds something out, so that no
 * server thread ever waits. Whatever comes first ends the pause and resumes the connection, whose
 * handler is then called again: the work is done, the deadline has come, or the server stops.
 *
 * One object for the process; any thread. A pause is begun by the connection's own thread, in its
 * handler, before the work is handed on; whoever does the work calls lg_pause_end exactly once,
 * however the pause has ended.
 *
 * States of a pause: begun -> over (resumed) -> ended (freed).
 */
#ifndef LG_WEBHOOK_SERVER_PAUSE_H
#define LG_WEBHOOK_SERVER_PAUSE_H

#include <stddef.h>
#include <stdint.h>

#include "rules/core/str.h"

enum { LG_PAUSES_MAX = 128 };

struct lg_pauses;
struct lg_pause;

/* Of the server library: `connection` is suspended inside its handler, and resumed from any
 * thread. */
typedef void lg_pause_fn(void *connection);

/* Given. */
struct lg_pauses *lg_pauses_new(lg_pause_fn *suspend, lg_pause_fn *resume)
    __attribute__((nonnull, returns_nonnull, warn_unused_result));
/* Every pause is ended. NULL is allowed. */
void lg_pauses_free(struct lg_pauses *take_pauses);

/* Suspends the connection until `deadline_ms` (monotonic) at the latest. NULL: too many wait
 * already, or the server stops; the answer has to leave without what was to be found out. `whose`
 * (a namespace; not kept) has as many at most as are left for others: alone half of LG_PAUSES_MAX,
 * beside another one half of the rest, and so on. O(those that wait). */
struct lg_pause *lg_pause_begin(struct lg_pauses *pauses, void *connection, struct lg_str whose,
                                int64_t deadline_ms) __attribute__((nonnull, warn_unused_result));

/* The work is done, or will not be. `arg` is the struct lg_pause, taken: so that it can be called
 * back. */
void lg_pause_end(void *arg) __attribute__((nonnull));

/* Resumes those whose deadline has come; returns the next deadline, or INT64_MAX. */
int64_t lg_pauses_expire(struct lg_pauses *pauses, int64_t now_ms) __attribute__((nonnull));

/* Resumes all; none begins any more. */
void lg_pauses_close(struct lg_pauses *pauses) __attribute__((nonnull));

/* How many wait now. */
size_t lg_pauses_count(struct lg_pauses *pauses) __attribute__((nonnull));

/* Before threads start. */
void lg_pauses_register_metrics(void);

#endif
