#include "webhook/server/pause.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "rules/core/map.h"
#include "rules/core/mem.h"
#include "webhook/runtime/metrics.h"

enum over { DONE, DEADLINE, STOPPING, REFUSED, OVERS };

static const char *const overs[OVERS] = {"done", "deadline", "stopping", "refused"};
static struct lg_metric counted = {
    .name = "livegate_pauses_total",
    .help =
        "Reviews that waited for something, by what ended it; refused: there was no room to wait.",
    .kind = LG_METRIC_COUNTER,
    .labels = {{"end", overs, OVERS}}};

static struct lg_metric waiting = {
    .name = "livegate_paused_reviews",
    .help = "Reviews that wait for something now.",
    .kind = LG_METRIC_GAUGE,
};

struct lg_pause {
    struct lg_pauses *all;
    void *connection; /* NULL: it is over */
    int64_t deadline_ms;
    uint64_t whose;
    size_t at; /* all->waiting[at] */
};

struct lg_pauses {
    lg_pause_fn *suspend, *resume;
    /* Held while a connection is resumed: once the pauses are closed, nobody is about to resume one
     * any more. */
    pthread_mutex_t lock;
    struct lg_pause *waiting[LG_PAUSES_MAX];
    size_t n;
    bool closed;
};

struct lg_pauses *lg_pauses_new(lg_pause_fn *suspend, lg_pause_fn *resume)
{
    struct lg_pauses *pauses = lg_calloc(1, sizeof *pauses);
    pauses->suspend = suspend;
    pauses->resume = resume;
    pthread_mutex_init(&pauses->lock, NULL);
    return pauses;
}

void lg_pauses_free(struct lg_pauses *take_pauses)
{
    if (take_pauses == NULL)
        return;
    assert(take_pauses->n == 0);
    pthread_mutex_destroy(&take_pauses->lock);
    free(take_pauses);
}

/* In the lock. Who has as many as are free leaves the rest to others. */
static bool has_room(const struct lg_pauses *pauses, uint64_t whose)
{
    size_t mine = 0;
    for (size_t i = 0; i < pauses->n; i++)
        mine += pauses->waiting[i]->whose == whose;
    return !pauses->closed && mine < LG_PAUSES_MAX - pauses->n;
}

struct lg_pause *lg_pause_begin(struct lg_pauses *pauses, void *connection, struct lg_str whose,
                                int64_t deadline_ms)
{
    struct lg_pause *pause = NULL;
    uint64_t hash = lg_hash(whose);
    pthread_mutex_lock(&pauses->lock);
    if (has_room(pauses, hash)) {
        pause = lg_calloc(1, sizeof *pause);
        *pause = (struct lg_pause){.all = pauses,
                                   .connection = connection,
                                   .deadline_ms = deadline_ms,
                                   .whose = hash,
                                   .at = pauses->n};
        pauses->waiting[pauses->n++] = pause;
        pauses->suspend(connection);
        lg_metric_set(&waiting, NULL, (double)pauses->n);
    }
    pthread_mutex_unlock(&pauses->lock);
    if (pause == NULL)
        lg_metric_add(&counted, LG_AT(REFUSED), 1);
    return pause;
}

/* In the lock. */
static void finish(struct lg_pause *pause, enum over over)
{
    struct lg_pauses *pauses = pause->all;
    struct lg_pause *last = pauses->waiting[--pauses->n];
    pauses->waiting[pause->at] = last;
    last->at = pause->at;
    pauses->resume(pause->connection);
    pause->connection = NULL;
    lg_metric_add(&counted, LG_AT(over), 1);
    lg_metric_set(&waiting, NULL, (double)pauses->n);
}

void lg_pause_end(void *arg)
{
    struct lg_pause *pause = arg;
    struct lg_pauses *pauses = pause->all;
    pthread_mutex_lock(&pauses->lock);
    if (pause->connection != NULL)
        finish(pause, DONE);
    pthread_mutex_unlock(&pauses->lock);
    free(pause);
}

int64_t lg_pauses_expire(struct lg_pauses *pauses, int64_t now_ms)
{
    int64_t next_ms = INT64_MAX;
    pthread_mutex_lock(&pauses->lock);
    for (size_t i = pauses->n;
         i-- > 0;) { /* from the end: the last takes the place of one that goes */
        struct lg_pause *pause = pauses->waiting[i];
        if (now_ms >= pause->deadline_ms)
            finish(pause, DEADLINE);
        else if (pause->deadline_ms < next_ms)
            next_ms = pause->deadline_ms;
    }
    pthread_mutex_unlock(&pauses->lock);
    return next_ms;
}

void lg_pauses_close(struct lg_pauses *pauses)
{
    pthread_mutex_lock(&pauses->lock);
    pauses->closed = true;
    while (pauses->n != 0)
        finish(pauses->waiting[pauses->n - 1], STOPPING);
    pthread_mutex_unlock(&pauses->lock);
}

size_t lg_pauses_count(struct lg_pauses *pauses)
{
    pthread_mutex_lock(&pauses->lock);
    size_t n = pauses->n;
    pthread_mutex_unlock(&pauses->lock);
    return n;
}

void lg_pauses_register_metrics(void)
{
    lg_metric_register(&counted);
    lg_metric_register(&waiting);
    lg_metric_set(&waiting, NULL, 0);
}
