/* The keys of one large JSON object while it is read, by hash, so that one that is there twice is
 * found without comparing it with all others. Private to the scanner (json_scan.c). One thread.
 */
#ifndef LG_RULES_CORE_JSON_KEYS_H
#define LG_RULES_CORE_JSON_KEYS_H

#include "rules/core/json.h"

struct lg_json_key {
    uint32_t node; /* its index; 0 = free (node 0 is the root) */
    uint32_t hash;
};

/* Zeroed = empty. */
struct lg_json_keys {
    uint32_t n, size;          /* keys; slots */
    struct lg_json_key *slots; /* in the document's arena; NULL: none yet */
};

/* Adds the key that stands at a node; false when it is there already. */
bool lg_json_keys_add(struct lg_json_keys *keys, struct lg_doc *doc, uint32_t node);

#endif
