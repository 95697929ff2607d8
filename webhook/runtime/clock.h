/* What time it is. Any thread.
 *
 * Durations and deadlines use the monotonic clock; certificates, policies' expiries and log lines
 * the wall clock. Libraries below webhook/ never ask: their callers hand the time in, which is also
 * how tests fake it.
 */
#ifndef LG_WEBHOOK_RUNTIME_CLOCK_H
#define LG_WEBHOOK_RUNTIME_CLOCK_H

#include <stdint.h>

/* Monotonic time since some moment before the process began. */
int64_t lg_clock_mono_ns(void);
int64_t lg_clock_mono_ms(void);

/* Wall time since 1970-01-01T00:00:00Z. */
int64_t lg_clock_unix_s(void);
int64_t lg_clock_unix_ms(void);

/* CPU time that the whole process has used. */
int64_t lg_clock_cpu_ns(void);

#endif
