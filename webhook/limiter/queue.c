#include "webhook/limiter/queue.h"

#include <stdlib.h>

#include "rules/core/mem.h"
#include "webhook/limiter/ledger_text.h"
#include "webhook/runtime/random.h"

enum state { IDLE, READING, WRITING, RESTING };

enum { REST_MS = 10 };

struct jobs {
    struct lg_queue_job *first, **last;
    size_t n;
};

struct lg_queue {
    struct lg_queue_ops ops;
    enum state state;
    struct jobs waiting, carried;
    struct lg_ledger known;   /* as it was last read or written, with the ages that we saw */
    struct lg_ledger working; /* decided upon, not written yet */
    unsigned failures, conflicts;
    uint64_t random;
    unsigned look_ups; /* under way */
};

static void jobs_init(struct jobs *jobs)
{
    *jobs = (struct jobs){.last = &jobs->first};
}

static void jobs_add(struct jobs *jobs, struct lg_queue_job *job)
{
    job->next = NULL;
    *jobs->last = job;
    jobs->last = &job->next;
    jobs->n++;
}

static struct lg_queue_job *jobs_take(struct jobs *jobs)
{
    struct lg_queue_job *job = jobs->first;
    if (job == NULL)
        return NULL;
    jobs->first = job->next;
    if (jobs->first == NULL)
        jobs->last = &jobs->first;
    jobs->n--;
    return job;
}

struct lg_queue *lg_queue_new(const struct lg_queue_ops *ops)
{
    struct lg_queue *queue = lg_calloc(1, sizeof *queue);
    queue->ops = *ops;
    queue->random = ops->seed;
    jobs_init(&queue->waiting);
    jobs_init(&queue->carried);
    return queue;
}

static void tell(struct lg_queue *queue, struct jobs *jobs, bool reached)
{
    struct lg_queue_job *job;
    while ((job = jobs_take(jobs)) != NULL)
        queue->ops.done(queue->ops.arg, job, reached);
}

void lg_queue_free(struct lg_queue *queue)
{
    if (queue == NULL)
        return;
    tell(queue, &queue->carried, false);
    tell(queue, &queue->waiting, false);
    lg_ledger_done(&queue->known);
    lg_ledger_done(&queue->working);
    free(queue);
}

static void begin(struct lg_queue *queue)
{
    queue->failures = queue->conflicts = 0;
    queue->state = READING;
    queue->ops.read(queue->ops.arg);
}

/* Where this replica's watch may be behind, the API server is asked. */
static void look_up_held(struct lg_queue *queue)
{
    int64_t now_ms = queue->ops.now_ms(queue->ops.arg);
    for (size_t i = 0; i < queue->known.n_reservations; i++) {
        struct lg_reservation *reservation = &queue->known.reservations[i];
        if (!reservation->held || now_ms < reservation->ask_ms ||
            queue->look_ups == LG_QUEUE_LOOK_UPS_MAX)
            continue;
        reservation->ask_ms = now_ms + LG_QUEUE_LOOK_UP_AGAIN_MS;
        queue->look_ups++;
        queue->ops.look_up(queue->ops.arg, reservation);
    }
}

void lg_queue_looked_up(struct lg_queue *queue, const struct lg_reservation *about,
                        enum lg_seen said)
{
    int64_t now_ms = queue->ops.now_ms(queue->ops.arg);
    queue->look_ups--;
    lg_ledger_tell(&queue->known, about, said, now_ms);
    lg_ledger_tell(&queue->working, about, said, now_ms);
}

/* Asks that came meanwhile are carried next. */
static void finish(struct lg_queue *queue, bool reached)
{
    queue->state = IDLE;
    look_up_held(queue);
    tell(queue, &queue->carried, reached);
    if (queue->state == IDLE && queue->waiting.n != 0)
        begin(queue);
}

void lg_queue_submit(struct lg_queue *queue, struct lg_queue_job *job)
{
    jobs_add(&queue->waiting, job);
    if (queue->state == IDLE)
        begin(queue);
}

void lg_queue_refresh(struct lg_queue *queue)
{
    if (queue->state == IDLE)
        begin(queue);
}

/* What was decided upon is what all know. */
static void keep(struct lg_queue *queue)
{
    lg_ledger_done(&queue->known);
    queue->known = queue->working;
    queue->working = (struct lg_ledger){0};
    queue->ops.told(queue->ops.arg);
}

/* Moves on those whose caller still waits. */
static void move(struct lg_queue *queue, struct jobs *from, struct jobs *to, int64_t now_ms)
{
    struct lg_queue_job *job;
    while (to->n < LG_QUEUE_BATCH_MAX && (job = jobs_take(from)) != NULL) {
        if (now_ms < job->until_ms)
            jobs_add(to, job);
        else
            queue->ops.done(queue->ops.arg, job, false);
    }
}

/* Takes on what waits. Whoever has its answer already, be it after some conflicts, takes no
 * place. */
static void carry(struct lg_queue *queue, int64_t now_ms)
{
    struct jobs carried = queue->carried;
    if (carried.first == NULL)
        carried.last = &carried.first;
    jobs_init(&queue->carried);
    move(queue, &carried, &queue->carried, now_ms);
    move(queue, &queue->waiting, &queue->carried, now_ms);
}

/* A lg_ledger_seen_fn: what is not seen here is unsure, where somebody can be asked. */
static enum lg_seen seen(void *arg, const struct lg_reservation *reservation)
{
    const struct lg_queue *queue = arg;
    const struct lg_inventory *inventory = queue->ops.inventory(queue->ops.arg);
    enum lg_seen is = lg_limiter_seen((void *)inventory, reservation);
    bool can_ask = queue->ops.look_up != NULL && reservation->name.n != 0 && reservation->id.n != 0;
    return is == LG_UNSEEN && can_ask ? LG_UNSURE : is;
}

/* Decides all that is carried over the working ledger. True: others have to know. */
static bool decide_all(struct lg_queue *queue, int64_t now_ms)
{
    const struct lg_inventory *inventory = queue->ops.inventory(queue->ops.arg);
    /* Who was told meanwhile to come later has not failed to come: before others' tickets are let
     * go. */
    bool changed = queue->ops.tell(queue->ops.arg, &queue->working, now_ms);
    /* What is over is told too: in the text it would come to life again with each reading. */
    changed = lg_ledger_tidy(&queue->working, now_ms, seen, queue) || changed;
    carry(queue, now_ms);
    for (struct lg_queue_job *job = queue->carried.first; job != NULL; job = job->next) {
        job->ask.now_ms = now_ms;
        lg_limits_decide(&job->ask, lg_inventory_slots(inventory), &queue->working, &job->turnout);
        lg_turnout_keep(&job->turnout, job->arena);
        changed = changed || job->turnout.changed;
    }
    return changed;
}

/* The ledger begins anew with what is known here. */
static void begin_anew(struct lg_queue *queue, int64_t now_ms)
{
    struct lg_buf text lg_cleanup(lg_buf_done) = {0};
    bool read = false;
    lg_ledger_done(&queue->working);
    if (lg_ledger_write(&queue->known, now_ms, &text, NULL) == LG_E_OK)
        read = lg_ledger_read(lg_buf_view(&text), now_ms, &queue->working, NULL) == LG_E_OK;
    if (!read)
        lg_ledger_done(&queue->working);
}

/* A text that is none, or is gone, is somebody's mistake; one of a newer livegate is left alone. */
static bool read_text(struct lg_queue *queue, struct lg_str text, int64_t now_ms)
{
    struct lg_err err = {0};
    lg_ledger_done(&queue->working);
    enum lg_err_code code = lg_ledger_read(text, now_ms, &queue->working, &err);
    if (code != LG_E_OK && queue->ops.unreadable != NULL)
        queue->ops.unreadable(queue->ops.arg, &err);
    if (code == LG_E_UNSUPPORTED)
        return false;
    if (code != LG_E_OK || text.n == 0)
        begin_anew(queue, now_ms);
    lg_ledger_adopt(&queue->working, &queue->known);
    return true;
}

void lg_queue_read(struct lg_queue *queue, struct lg_str text, struct lg_str version)
{
    int64_t now_ms = queue->ops.now_ms(queue->ops.arg);
    struct lg_buf out lg_cleanup(lg_buf_done) = {0};
    if (!read_text(queue, text, now_ms)) {
        carry(queue, now_ms);
        finish(queue, false);
        return;
    }
    if (!decide_all(queue, now_ms)) {
        keep(queue);
        finish(queue, true);
        return;
    }
    struct lg_err err = {0};
    if (lg_ledger_write(&queue->working, now_ms, &out, &err) != LG_E_OK) {
        queue->ops.full(queue->ops.arg, &err);
        finish(queue, false);
        return;
    }
    queue->state = WRITING;
    queue->ops.write(queue->ops.arg, lg_buf_view(&out), version);
}

void lg_queue_written(struct lg_queue *queue)
{
    keep(queue);
    finish(queue, true);
}

/* Somewhere in a time that doubles with each failure. */
static void rest(struct lg_queue *queue, unsigned times)
{
    uint32_t most_ms = REST_MS;
    for (unsigned i = 1; i < times && most_ms < LG_QUEUE_REST_MS_MAX; i++)
        most_ms *= 2;
    if (most_ms > LG_QUEUE_REST_MS_MAX)
        most_ms = LG_QUEUE_REST_MS_MAX;
    queue->state = RESTING;
    queue->ops.rest(queue->ops.arg, 1 + (int64_t)(lg_random_next(&queue->random) % most_ms));
}

void lg_queue_rested(struct lg_queue *queue)
{
    queue->state = READING;
    queue->ops.read(queue->ops.arg);
}

void lg_queue_conflict(struct lg_queue *queue)
{
    if (++queue->conflicts >= LG_QUEUE_CONFLICTS_MAX)
        finish(queue, false);
    else
        rest(queue, queue->conflicts);
}

void lg_queue_failed(struct lg_queue *queue)
{
    if (++queue->failures < LG_QUEUE_FAILURES_MAX) {
        rest(queue, LG_QUEUE_FAILURES_MAX + queue->failures);
        return;
    }
    carry(queue, queue->ops.now_ms(queue->ops.arg));
    finish(queue, false);
}

const struct lg_ledger *lg_queue_ledger(const struct lg_queue *queue)
{
    return &queue->known;
}
