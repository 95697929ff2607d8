/* What one review finds out by single reads of the API server, over its pauses.
 *
 * Lies in the review's request, zeroed at first, and belongs to the thread that handles it; between
 * pauses to nobody.
 *
 *   judge with lg_inquiry_view -> lg_inquiry_next says
 *       ANSWER: that judgement counts
 *       AGAIN:  something is known now that was not; judge anew
 *       WAIT:   the connection is suspended; the handler is called again
 */
#ifndef LG_WEBHOOK_SERVER_INQUIRY_H
#define LG_WEBHOOK_SERVER_INQUIRY_H

#include "webhook/cluster/client.h"
#include "webhook/server/pause.h"

enum {
    LG_LIVE_READS_MAX = 4, /* a review */
    /* for less than this nobody is asked; a pause may end a tick of housekeeping late */
    LG_INQUIRY_MS_MIN = 300,
};

struct lg_inquiry {
    struct lg_probe *probe; /* under way, or answered and not taken in yet */
    bool probe_found[LG_PROBE_MAX];
    unsigned asked;
    bool over; /* something was not answered: nothing more is asked */
    struct lg_live *lives[LG_READS_MAX];
    bool found[LG_READS_MAX]; /* the inventory had it when it was asked for */
    size_t n;
};

/* Whom to ask. */
struct lg_inquirer {
    struct lg_client *client;
    struct lg_pauses *pauses;
    struct lg_str ns;    /* the review's: reads are shared among namespaces */
    void *connection;    /* to suspend; NULL: it cannot wait */
    int64_t deadline_ms; /* of the waiting, monotonic */
};

enum lg_inquiry_step { LG_INQUIRY_ANSWER, LG_INQUIRY_AGAIN, LG_INQUIRY_WAIT };

/* Takes in what was answered meanwhile; the inventory with all that was read in front of it. In the
 * arena. */
const struct lg_inventory *lg_inquiry_view(struct lg_inquiry *inquiry,
                                           const struct lg_inventory *inventory,
                                           struct lg_arena *arena);

enum lg_inquiry_step lg_inquiry_next(struct lg_inquiry *inquiry, const struct lg_wants *wants,
                                     const struct lg_inquirer *inquirer, int64_t now_ms);

void lg_inquiry_done(struct lg_inquiry *inquiry);

#endif
