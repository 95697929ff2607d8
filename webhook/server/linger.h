/* Connections that were refused before their body was read: they are closed when the client is
 * done, not before.
 *
 * A socket that is closed with bytes unread resets the connection, and a client that is still
 * sending (Go's and most others do not ask with Expect) then sees "connection reset" instead of the
 * answer. So the socket stays open a while behind the server library's back and what comes is
 * thrown away. Few at once, for a short time; beyond that the reset has to do.
 * Adding is from any thread; one thread polls.
 */
#ifndef LG_WEBHOOK_SERVER_LINGER_H
#define LG_WEBHOOK_SERVER_LINGER_H

#include <stdbool.h>
#include <stdint.h>

#include "rules/core/err.h"

enum { LG_LINGER_MAX = 64, LG_LINGER_MS_MAX = 2000 };

struct lg_linger;

/* LG_E_UNAVAILABLE, LG_E_IO: no descriptor left. */
enum lg_err_code lg_linger_new(struct lg_linger **ret, struct lg_err *err)
    __attribute__((warn_unused_result));
void lg_linger_free(struct lg_linger *linger);

/* Keeps the connection of `fd` (borrowed: duplicated) open after the caller closes it. */
void lg_linger_add(struct lg_linger *linger, int fd, int64_t now_ms);

/* Waits at most `timeout_ms` for `other_fd` to be readable, true when it is, and meanwhile empties
 * the lingering connections. */
bool lg_linger_poll(struct lg_linger *linger, int other_fd, int64_t timeout_ms);

#endif
