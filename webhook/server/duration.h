/* Durations as Go writes them ("3s", "500ms", "1m30s", "1.5h"): the API server's `timeout` and
 * --drain. Any thread. */
#ifndef LG_WEBHOOK_SERVER_DURATION_H
#define LG_WEBHOOK_SERVER_DURATION_H

#include <stdint.h>

#include "rules/core/err.h"
#include "rules/core/str.h"

enum { LG_DURATION_MS_MAX = 24 * 3600 * 1000 };

/* Milliseconds, rounded down. LG_E_INVALID: not a duration, or negative; LG_E_LIMIT: over a day.
 * Source: Go's time.ParseDuration; units h m s ms us ns, "0" needs none. */
enum lg_err_code lg_duration_ms(struct lg_str text, int64_t *ret)
    __attribute__((warn_unused_result));

#endif
