/* What a list or a watch of one resource brings, object by object: a list's records are gathered
 * aside and replace what was there in one operation, an event changes the store at once. Part of a
 * reflector (reflector.h), which says what is asked and when; one thread, the store's writer.
 *
 * An object that cannot be read (too deep, too large, a kept field of another type) is left out and
 * counted. A list that does not end is refused.
 */
#ifndef LG_WEBHOOK_CLUSTER_INTAKE_H
#define LG_WEBHOOK_CLUSTER_INTAKE_H

#include "rules/core/arena.h"
#include "rules/core/err.h"
#include "webhook/cluster/store.h"

enum {
    /* A list is given up beyond these: it does not end, or what it holds would take the place of
     * all the rest. Clusters of a thousand nodes have a tenth of them. */
    LG_LIST_OBJECTS_MAX = 500 * 1000,
    LG_LIST_BYTES_MAX = 128 * 1024 * 1024, /* of kept records */
    LG_LIST_PAGES_MAX = 20 * 1000,
};

struct lg_intake {
    enum lg_kind kind;
    struct lg_store *store;    /* borrowed */
    const char *what, *server; /* for messages; borrowed */
    size_t objects_max;

    char *version;    /* the last that was seen; NULL: none yet */
    bool error_event; /* the watch said what is wrong; whoever asks anew takes it back */
    uint64_t events, bookmarks, unreadable;
    struct lg_err unread; /* of the last object that was; where: "namespace/name: path" */

    /* private: the list so far */
    struct lg_record **aside;
    size_t n_aside, size_aside, aside_bytes;
    unsigned pages;
    struct lg_arena arena; /* of one item */
};

void lg_intake_done(struct lg_intake *in);

/* An item of the list; an event of the watch (frame.h: NULL is one that is too large). LG_E_LIMIT:
 * the list does not end; LG_E_INVALID: no event; LG_E_GONE, LG_E_UNAVAILABLE: an error event. */
enum lg_err_code lg_intake_item(void *intake, struct lg_str item, struct lg_err *err);
enum lg_err_code lg_intake_event(void *intake, struct lg_str event, struct lg_err *err);

/* Another page is to follow. LG_E_LIMIT where there were too many. */
enum lg_err_code lg_intake_page(struct lg_intake *in, struct lg_err *err)
    __attribute__((warn_unused_result));

/* The list is whole: it replaces the kind's records. Or it is given up. */
void lg_intake_replace(struct lg_intake *in);
void lg_intake_drop(struct lg_intake *in);

#endif
