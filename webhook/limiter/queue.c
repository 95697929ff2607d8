#include "webhook/limiter/queue.h"

#include <stdlib.h>

#include "rules/core/mem.h"
#include "webhook/limiter/ledger_text.h"

enum state { IDLE, READING, WRITING };

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

/* Asks that came meanwhile are carried next. */
static void finish(struct lg_queue *queue, bool reached)
{
    queue->state = IDLE;
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

static void take_over(struct lg_ledger *io_to, struct lg_ledger *from)
{
    lg_ledger_done(io_to);
    *io_to = *from;
    *from = (struct lg_ledger){0};
}

/* Takes on what waits, but for those whose caller has its answer already. */
static void carry(struct lg_queue *queue, int64_t now_ms)
{
    while (queue->carried.n < LG_QUEUE_BATCH_MAX && queue->waiting.n != 0) {
        struct lg_queue_job *job = jobs_take(&queue->waiting);
        if (now_ms < job->until_ms)
            jobs_add(&queue->carried, job);
        else
            queue->ops.done(queue->ops.arg, job, false);
    }
}

/* Decides all that is carried over the working ledger. True: others have to know. */
static bool decide_all(struct lg_queue *queue, int64_t now_ms)
{
    const struct lg_inventory *inventory = queue->ops.inventory(queue->ops.arg);
    /* What is over is told too: in the text it would come to life again with each reading. */
    bool changed = lg_ledger_tidy(&queue->working, now_ms, lg_limiter_seen, (void *)inventory);
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
        finish(queue, false);
        return;
    }
    if (!decide_all(queue, now_ms)) {
        take_over(&queue->known, &queue->working);
        finish(queue, true);
        return;
    }
    if (lg_ledger_write(&queue->working, now_ms, &out, NULL) != LG_E_OK) {
        finish(queue, false);
        return;
    }
    queue->state = WRITING;
    queue->ops.write(queue->ops.arg, lg_buf_view(&out), version);
}

void lg_queue_written(struct lg_queue *queue)
{
    take_over(&queue->known, &queue->working);
    finish(queue, true);
}

static void again(struct lg_queue *queue)
{
    queue->state = READING;
    queue->ops.read(queue->ops.arg);
}

void lg_queue_conflict(struct lg_queue *queue)
{
    if (++queue->conflicts >= LG_QUEUE_CONFLICTS_MAX)
        finish(queue, false);
    else
        again(queue);
}

void lg_queue_failed(struct lg_queue *queue)
{
    if (++queue->failures < LG_QUEUE_FAILURES_MAX) {
        again(queue);
        return;
    }
    carry(queue, queue->ops.now_ms(queue->ops.arg));
    finish(queue, false);
}

const struct lg_ledger *lg_queue_ledger(const struct lg_queue *queue)
{
    return &queue->known;
}
