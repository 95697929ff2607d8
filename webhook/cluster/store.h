/* The inventory as reviews see it while it changes: two copies, left and right.
 *
 * The one writer changes the idle copy, makes it the visible one, waits until nobody reads the
 * other any more, and changes that one alike. A reader pins the visible copy with one atomic add
 * and never waits; what it sees does not change until it lets go. Records are immutable and shared
 * by both copies; only the writer counts their references and frees them.
 *
 * Readers: any thread, lg_store_pin and lg_store_unpin. All other functions: the writer's thread. A
 * reader holds its pin for one review, never while it waits for anything (the writer waits for it),
 * and the writer holds none.
 *
 * Source: Ramalhete and Correia, "Left-Right: a concurrency control technique with wait-free
 * population oblivious reads".
 */
#ifndef LG_WEBHOOK_CLUSTER_STORE_H
#define LG_WEBHOOK_CLUSTER_STORE_H

#include "rules/inventory.h"

struct lg_store;

struct lg_store *lg_store_new(void) __attribute__((returns_nonnull, warn_unused_result));
/* Nobody reads any more. */
void lg_store_free(struct lg_store *take_store);

/* The inventory as of the last commit, borrowed until lg_store_unpin with that ticket. */
const struct lg_inventory *lg_store_pin(struct lg_store *store, unsigned *ret_ticket)
    __attribute__((nonnull, returns_nonnull));
void lg_store_unpin(struct lg_store *store, unsigned ticket) __attribute__((nonnull));

/* Changes gather until lg_store_commit. The writer itself sees them at once: */
const struct lg_record *lg_store_find(const struct lg_store *store, enum lg_kind kind,
                                      struct lg_str ns, struct lg_str name)
    __attribute__((nonnull));
const struct lg_inventory *lg_store_pending(const struct lg_store *store)
    __attribute__((nonnull, returns_nonnull));

/* Adds or replaces; the record is taken. False: nothing that rules read is different, so nothing
 * changes. */
bool lg_store_set(struct lg_store *store, struct lg_record *take_record) __attribute__((nonnull));
/* False: it was not there. */
bool lg_store_remove(struct lg_store *store, enum lg_kind kind, struct lg_str ns,
                     struct lg_str name) __attribute__((nonnull));
/* From now on there are exactly these of the kind. The records are taken, the array is not. O(n +
 * what there was). */
void lg_store_replace(struct lg_store *store, enum lg_kind kind,
                      struct lg_record *const *take_records, size_t n) __attribute__((nonnull(1)));
void lg_store_set_known(struct lg_store *store, enum lg_kind kind, enum lg_known known)
    __attribute__((nonnull));

/* Takes in everything that a filled inventory (from files) holds and knows; its records are
 * shared. */
void lg_store_adopt(struct lg_store *store, const struct lg_inventory *inventory)
    __attribute__((nonnull));

/* Lets readers see everything since the last commit, as one change. Waits for the reviews that are
 * being judged. False: there was nothing to show. */
bool lg_store_commit(struct lg_store *store) __attribute__((nonnull));

#endif
