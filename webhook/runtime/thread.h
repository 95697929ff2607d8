/* Threads of one kind: named, with a small stack, deaf to signals.
 *
 * One thread of the process waits for signals (sigwait); all others block every signal that comes
 * from outside, so that no handler ever runs in the middle of a review. Owned by the caller in
 * place; started and joined by the same thread.
 *
 * States: zeroed -> started -> joined (zeroed again).
 */
#ifndef LG_WEBHOOK_RUNTIME_THREAD_H
#define LG_WEBHOOK_RUNTIME_THREAD_H

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>

#include "rules/core/err.h"

enum { LG_THREAD_STACK_BYTES = 512 * 1024, LG_THREAD_NAME_BYTES = 16 };

typedef void lg_thread_fn(void *arg);

struct lg_thread {
    pthread_t id;
    bool started;
    char name[LG_THREAD_NAME_BYTES];
    lg_thread_fn *run;
    void *arg;
};

/* The signals that come from outside: all but those a faulty instruction raises (a blocked one of
 * these would kill the process without the report that sanitizers and core dumps give). */
void lg_thread_signals(sigset_t *ret) __attribute__((nonnull));

/* Blocks them in the calling thread: first thing in main, before a library starts threads of its
 * own. */
void lg_thread_block_signals(void);

/* Starts run(arg). `thread` must not move until it is joined. The name is cut to 15 bytes (what the
 * kernel keeps). LG_E_UNAVAILABLE: the system has no more threads now. */
enum lg_err_code lg_thread_start(struct lg_thread *thread, const char *name, lg_thread_fn *run,
                                 void *arg, struct lg_err *err)
    __attribute__((nonnull(1, 2, 3), warn_unused_result));

/* Waits until it has returned. Nothing happens to a thread that was never started. */
void lg_thread_join(struct lg_thread *thread) __attribute__((nonnull));

/* How often the kernel has taken the calling thread off its core against its will so far. A system
 * call. */
long lg_thread_preemptions(void);

#endif
