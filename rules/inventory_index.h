/* An index from a key ("namespace/name" of a claim or of a VMI, a namespace) to the records that
 * refer to it. Private to rules/inventory*.c. One thread changes it while nobody reads, any number
 * read.
 *
 * A list knows its links and a link its place in the list, so that adding and removing one costs
 * the same however many others there are.
 */
#ifndef LG_RULES_INVENTORY_INDEX_H
#define LG_RULES_INVENTORY_INDEX_H

#include "rules/core/map.h"
#include "rules/virt/record.h"

struct lg_links; /* of one key */

struct lg_link {
    struct lg_links *in;
    const struct lg_record *record;
    uint32_t at;  /* its place in there */
    uint32_t use; /* which of the record's uses; 0 for other links */
};

/* Fills the link in, which stays the caller's and must not move; the record is borrowed. The index
 * is a map that is empty at first and when its last link is removed. */
void lg_index_add(struct lg_map *index, struct lg_str key, const struct lg_record *record,
                  uint32_t use, struct lg_link *ret_link);
void lg_index_remove(struct lg_link *link);

/* Visits the links of a key, in no order: start with *pos = 0 until NULL. */
const struct lg_link *lg_index_next(const struct lg_map *index, struct lg_str key, size_t *pos);

#endif
