/* The protocol around a shared ledger: many replicas, one object, compare and swap.
 *
 * A state machine without threads, time or I/O of its own, small enough that a test enumerates what
 * can happen to it (tests/unit/test_queue_model.c). One read and one write carry all asks that
 * wait:
 *
 *   idle -> reading: the ledger is read
 *       -> decided: nothing to tell others -> idle
 *       -> writing -> written -> idle
 *                  -> somebody else was first, or the answer was lost -> resting -> reading again
 *
 * Rests are longer each time, and other for each replica, so that many that write at once do not
 * keep each other from it.
 *
 * A reservation that has had its time, or that others let go, and whose migration this replica's
 * watch never showed, still counts here until the API server has been asked for that migration: a
 * watch may be behind. Nothing waits for the answer.
 *
 * A lost answer needs no memory: whoever finds its own entry has its place (virt/limits.h). Nothing
 * is admitted that is not written. After LG_QUEUE_FAILURES_MAX failures in a row the asks that are
 * carried are told so. An ask whose time is over before it is decided is told so, too: it takes no
 * place, and while the ledger cannot be reached none pile up. What callers were told meanwhile
 * (unreached.h) goes into the ledger with the next asks, or with a look at it. One thread.
 */
#ifndef LG_WEBHOOK_LIMITER_QUEUE_H
#define LG_WEBHOOK_LIMITER_QUEUE_H

#include "rules/limiter.h"

enum {
    LG_QUEUE_FAILURES_MAX = 3,
    LG_QUEUE_CONFLICTS_MAX = 20,
    LG_QUEUE_BATCH_MAX = 64,
    LG_QUEUE_REST_MS_MAX = 200,
    LG_QUEUE_LOOK_MS = 5000,   /* between looks (lg_queue_refresh) though nobody asks */
    LG_QUEUE_LOOK_UPS_MAX = 4, /* at once */
    LG_QUEUE_LOOK_UP_AGAIN_MS = 10 * 1000,
};

struct lg_queue_job {
    struct lg_ask ask; /* texts live until `done`; its now_ms is set when it is decided */
    int64_t until_ms;  /* by the ops' clock: from then on nobody waits, and it is not decided */
    struct lg_turnout turnout;
    struct lg_arena *arena; /* for the turnout's texts */
    struct lg_queue_job *next;
};

struct lg_queue_ops {
    void *arg;
    uint64_t seed; /* other for each replica */
    int64_t (*now_ms)(void *arg);
    /* What the cluster shows now; borrowed for the call. */
    const struct lg_inventory *(*inventory)(void *arg);
    /* Answered by exactly one of lg_queue_read and lg_queue_failed, not before it returns. */
    void (*read)(void *arg);
    /* Writes over that version: lg_queue_written, lg_queue_conflict (it was another version), or
     * lg_queue_failed (nobody knows whether it was written). */
    void (*write)(void *arg, struct lg_str text, struct lg_str version);
    /* Time for others: lg_queue_rested after that many milliseconds, not before it returns. */
    void (*rest)(void *arg, int64_t ms);
    /* Tells the ledger of answers that were given without it, before it is written (true: it has
     * changed); and that it is written. */
    bool (*tell)(void *arg, struct lg_ledger *io_ledger, int64_t now_ms);
    void (*told)(void *arg);
    /* Asks the API server for the migration of that name (borrowed for the call): answered by one
     * lg_queue_looked_up, not before it returns. NULL: nobody can be asked, and nothing is held. */
    void (*look_up)(void *arg, const struct lg_reservation *reservation);
    /* What was read is no ledger of ours (it begins anew), or a newer livegate's (it is left
     * alone). May be NULL. */
    void (*unreadable)(void *arg, const struct lg_err *err);
    /* What was decided is too long to be kept: nothing of it holds, and those who asked are told
     * that it was not reached. */
    void (*full)(void *arg, const struct lg_err *err);
    /* `reached` false: the ledger could not be read or written; the turnout says nothing. */
    void (*done)(void *arg, struct lg_queue_job *job, bool reached);
};

struct lg_queue;

/* `ops` is copied. */
struct lg_queue *lg_queue_new(const struct lg_queue_ops *ops) __attribute__((returns_nonnull));
/* Whoever waits is told that the ledger was not reached. */
void lg_queue_free(struct lg_queue *take_queue);

void lg_queue_submit(struct lg_queue *queue, struct lg_queue_job *job);
/* Looks at the ledger though nobody asks, so that what others wrote ages from when it was
 * written. */
void lg_queue_refresh(struct lg_queue *queue);

void lg_queue_read(struct lg_queue *queue, struct lg_str text, struct lg_str version);
void lg_queue_written(struct lg_queue *queue);
void lg_queue_conflict(struct lg_queue *queue);
void lg_queue_failed(struct lg_queue *queue);
void lg_queue_rested(struct lg_queue *queue);

/* What became of the migration of a reservation that was looked up (its namespace, guest and id),
 * as lg_ledger_tell has it. */
void lg_queue_looked_up(struct lg_queue *queue, const struct lg_reservation *about,
                        enum lg_seen said);

/* What is known of the ledger; borrowed until the next call. */
const struct lg_ledger *lg_queue_ledger(const struct lg_queue *queue);

#endif
