#include "webhook/cluster/client.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/random.h>

#include "rules/core/mem.h"
#include "webhook/cluster/http.h"
#include "webhook/runtime/clock.h"
#include "webhook/runtime/thread.h"

struct lg_client {
    struct lg_kubeconfig config;
    struct lg_http *http;
    struct lg_watches *watches;
    struct lg_thread thread;
    atomic_bool stopping;
};

static void run(void *arg)
{
    struct lg_client *client = arg;
    while (!atomic_load(&client->stopping)) {
        int64_t now_ms = lg_clock_mono_ms();
        int64_t due_ms = lg_watches_ask(client->watches, now_ms);
        lg_http_turn(client->http, due_ms > now_ms ? due_ms - now_ms : 0);
        lg_watches_show(client->watches, lg_clock_mono_ms());
    }
}

static void client_free(struct lg_client *client)
{
    if (client == NULL)
        return;
    lg_watches_free(client->watches);
    lg_http_free(client->http);
    lg_kubeconfig_done(&client->config);
    free(client);
}
LG_DEFINE_CLEANUP(struct lg_client, client_free)

/* Replicas must not move in step; without the system's randomness the clock has to do. */
static uint64_t draw_seed(void)
{
    uint64_t seed = 0;
    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != (ssize_t)sizeof seed)
        seed = (uint64_t)lg_clock_mono_ns();
    return seed;
}

enum lg_err_code lg_client_start(const struct lg_client_options *options, struct lg_client **ret,
                                 struct lg_err *err)
{
    struct lg_client *client lg_cleanup(client_free_cleanup) = lg_calloc(1, sizeof *client);
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
                                                    .seed = draw_seed()});
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

bool lg_client_settled(const struct lg_client *client)
{
    return lg_watches_settled(client->watches);
}

void lg_client_state(const struct lg_client *client, enum lg_kind kind, struct lg_watch_state *ret)
{
    lg_watches_state(client->watches, kind, ret);
}
