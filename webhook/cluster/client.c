#include "webhook/cluster/client.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "rules/core/mem.h"
#include "webhook/cluster/http.h"
#include "webhook/runtime/clock.h"
#include "webhook/runtime/log.h"
#include "webhook/runtime/random.h"
#include "webhook/runtime/thread.h"

struct lg_client {
    struct lg_kubeconfig config;
    struct lg_http *http;
    struct lg_watches *watches;
    struct lg_reads *reads;
    struct lg_thread thread;
    struct lg_err stale; /* the last trouble with a credential's file that was said */
    atomic_bool stopping;
    pthread_mutex_t lock; /* the jobs, first come first served */
    struct lg_job *first, *last;
    struct lg_job *later; /* the thread's own; few */
};

/* --- jobs --- */

void lg_client_post(struct lg_client *client, struct lg_job *job)
{
    job->next = NULL;
    pthread_mutex_lock(&client->lock);
    if (client->last != NULL)
        client->last->next = job;
    else
        client->first = job;
    client->last = job;
    pthread_mutex_unlock(&client->lock);
    lg_http_wake(client->http);
}

void lg_client_later(struct lg_client *client, struct lg_job *job, int64_t due_ms)
{
    job->due_ms = due_ms;
    job->next = client->later;
    client->later = job;
}

/* Runs those that are due; returns when the next one is. */
static int64_t run_later(struct lg_client *client, struct lg_http *http, int64_t now_ms)
{
    struct lg_job *all = client->later;
    int64_t next_ms = INT64_MAX;
    client->later = NULL;
    while (all != NULL) {
        struct lg_job *job = all;
        all = job->next;
        if (job->due_ms <= now_ms)
            job->run(job, http);
        else
            lg_client_later(client, job, job->due_ms);
    }
    for (const struct lg_job *job = client->later; job != NULL; job = job->next)
        next_ms = job->due_ms < next_ms ? job->due_ms : next_ms;
    return next_ms;
}

static void run_jobs(struct lg_client *client, struct lg_http *http)
{
    pthread_mutex_lock(&client->lock);
    struct lg_job *job = client->first;
    client->first = client->last = NULL;
    pthread_mutex_unlock(&client->lock);
    while (job != NULL) {
        struct lg_job *next = job->next; /* the job may be gone when it has run */
        job->run(job, http);
        job = next;
    }
}

struct lg_probe *lg_client_probe(struct lg_client *client, const struct lg_probe_options *options)
{
    struct lg_job *job;
    struct lg_probe *probe = lg_probe_new(client->reads, options, &job);
    lg_client_post(client, job);
    return probe;
}

struct lg_live *lg_client_known(struct lg_client *client, const struct lg_want *want)
{
    return lg_reads_known(client->reads, want);
}

/* --- the thread --- */

static void say_stale(struct lg_client *client)
{
    const struct lg_err *stale = lg_http_stale(client->http);
    if (lg_err_same(stale, &client->stale))
        return;
    client->stale = *stale;
    if (stale->code == LG_E_OK)
        lg_log(LG_LOG_INFO, "the credential's file can be read again");
    else
        lg_log(LG_LOG_WARN, "a credential's file cannot be read again; what it said before is used",
               LG_F_ERR(stale));
}

static void run(void *arg)
{
    struct lg_client *client = arg;
    while (!atomic_load(&client->stopping)) {
        run_jobs(client, client->http);
        int64_t now_ms = lg_clock_mono_ms();
        int64_t later_ms = run_later(client, client->http, now_ms);
        int64_t due_ms = lg_watches_ask(client->watches, now_ms);
        due_ms = later_ms < due_ms ? later_ms : due_ms;
        lg_http_turn(client->http, due_ms > now_ms ? due_ms - now_ms : 0);
        lg_watches_show(client->watches, lg_clock_mono_ms());
        say_stale(client);
    }
}

static void client_free(struct lg_client *client)
{
    if (client == NULL)
        return;
    run_jobs(client, NULL);
    (void)run_later(client, NULL, INT64_MAX);
    lg_reads_free(client->reads);
    lg_watches_free(client->watches);
    lg_http_free(client->http);
    lg_kubeconfig_done(&client->config);
    pthread_mutex_destroy(&client->lock);
    free(client);
}
LG_DEFINE_CLEANUP(struct lg_client, client_free)

enum lg_err_code lg_client_start(const struct lg_client_options *options, struct lg_client **ret,
                                 struct lg_err *err)
{
    struct lg_client *client lg_cleanup(client_free_cleanup) = lg_calloc(1, sizeof *client);
    pthread_mutex_init(&client->lock, NULL);
    enum lg_err_code code = lg_kubeconfig_open(&options->kubeconfig, &client->config, err);
    if (code == LG_E_OK)
        code = lg_http_new(&client->config, &client->http, err);
    if (code != LG_E_OK)
        return code;
    client->watches =
        lg_watches_new(&(struct lg_watches_options){.http = client->http,
                                                    .store = options->store,
                                                    .kinds = options->kinds,
                                                    .server = client->config.server,
                                                    .credential = client->config.source,
                                                    .seed = lg_random_seed()});
    client->reads = lg_reads_new(&(struct lg_reads_options){.http = client->http,
                                                            .server = client->config.server,
                                                            .credential = client->config.source});
    code = lg_thread_start(&client->thread, "lg-client", run, client, err);
    if (code != LG_E_OK)
        return code;
    *ret = lg_steal(client);
    return LG_E_OK;
}

void lg_client_stop(struct lg_client *take_client)
{
    if (take_client == NULL)
        return;
    atomic_store(&take_client->stopping, true);
    lg_http_wake(take_client->http);
    lg_thread_join(&take_client->thread);
    client_free(take_client);
}

const char *lg_client_server(const struct lg_client *client)
{
    return client->config.server;
}

const char *lg_client_source(const struct lg_client *client)
{
    return client->config.source;
}

const char *lg_client_namespace(const struct lg_client *client)
{
    return lg_kubeconfig_own_namespace(&client->config);
}

bool lg_client_settled(const struct lg_client *client)
{
    return lg_watches_settled(client->watches);
}

void lg_client_state(const struct lg_client *client, enum lg_kind kind, struct lg_watch_state *ret)
{
    lg_watches_state(client->watches, kind, ret);
}
