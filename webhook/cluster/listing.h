/* All objects of one kind, once, page by page: what commands need that look at a cluster and go.
 *
 * Objects are handed on one at a time while they arrive (frame.h), so that memory does not depend
 * on how many there are. A page whose `continue` has expired is gone on with as the API server
 * offers: then objects that changed meanwhile may be missing or come twice. One thread.
 */
#ifndef LG_WEBHOOK_CLUSTER_LISTING_H
#define LG_WEBHOOK_CLUSTER_LISTING_H

#include "rules/core/json.h"
#include "rules/inventory.h"
#include "webhook/cluster/http.h"

/* One object, borrowed for the call; or why it cannot be read (`object` then holds what stood
 * before). Anything but LG_E_OK ends the listing with that error. */
struct lg_listing_item {
    struct lg_val object;
    struct lg_arena *arena;      /* the object's; reset behind the call */
    const struct lg_err *unread; /* NULL: it was read */
};
typedef enum lg_err_code lg_listing_item_fn(void *arg, const struct lg_listing_item *item,
                                            struct lg_err *err);

struct lg_listing_options {
    struct lg_http *http;   /* borrowed */
    const char *server;     /* for messages, as the two below; borrowed */
    const char *credential; /* where ours comes from */
    enum lg_kind kind;
    struct lg_str ns;   /* "" = all */
    const char *labels; /* a label selector; NULL: none */
    lg_listing_item_fn *item;
    void *arg;
};

/* Lists them and waits. *ret_known: LG_KNOWN, or LG_NOT_SERVED (404) or LG_FORBIDDEN (403), which
 * are no errors. LG_E_INVALID what came is no list, or the namespace's name is none; else as
 * lg_status_err, and what `item` returned. */
enum lg_err_code lg_listing_run(const struct lg_listing_options *options, enum lg_known *ret_known,
                                struct lg_err *err) __attribute__((nonnull, warn_unused_result));

#endif
