#include "webhook/runtime/thread.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

void lg_thread_signals(sigset_t *ret)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};
    sigfillset(ret);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        sigdelset(ret, faults[i]);
}

void lg_thread_block_signals(void)
{
    sigset_t set;
    lg_thread_signals(&set);
    int rc = pthread_sigmask(SIG_BLOCK, &set, NULL);
    assert(rc == 0);
    (void)rc;
}

static void *enter(void *arg)
{
    struct lg_thread *thread = arg;
    (void)pthread_setname_np(pthread_self(), thread->name);
    thread->run(thread->arg);
    return NULL;
}

enum lg_err_code lg_thread_start(struct lg_thread *thread, const char *name, lg_thread_fn *run,
                                 void *arg, struct lg_err *err)
{
    assert(!thread->started);
    sigset_t set;
    lg_thread_signals(&set);
    thread->run = run;
    thread->arg = arg;
    (void)snprintf(thread->name, sizeof thread->name, "%s", name);
    pthread_attr_t attr;
    int rc = pthread_attr_init(&attr);
    assert(rc == 0);
    rc = pthread_attr_setstacksize(&attr, LG_THREAD_STACK_BYTES);
    assert(rc == 0);
    rc = pthread_attr_setsigmask_np(&attr, &set);
    if (rc == 0)
        rc = pthread_create(&thread->id, &attr, enter, thread);
    (void)pthread_attr_destroy(&attr);
    if (rc != 0)
        return lg_err_set(err, LG_E_UNAVAILABLE, "", "cannot start thread %s: %s", name,
                          strerror(rc));
    thread->started = true;
    return LG_E_OK;
}

void lg_thread_join(struct lg_thread *thread)
{
    if (!thread->started)
        return;
    int rc = pthread_join(thread->id, NULL);
    assert(rc == 0);
    (void)rc;
    *thread = (struct lg_thread){0};
}

long lg_thread_preemptions(void)
{
    struct rusage usage;
    int rc = getrusage(RUSAGE_THREAD, &usage);
    assert(rc == 0);
    (void)rc;
    return usage.ru_nivcsw;
}
