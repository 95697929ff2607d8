/* The keys of a large JSON object by hash, so that one that is there twice is found without
 * comparing it with all others, and one that somebody asks for without looking at each. Filled by
 * the scanner (json_scan.c), asked by json.c. Lives as long as the document; one thread while it is
 * filled.
 */
#ifndef LG_RULES_CORE_JSON_KEYS_H
#define LG_RULES_CORE_JSON_KEYS_H

#include "rules/core/json.h"

/* Adds the key that stands at a node, and says `text`; false when it is there already. */
bool lg_json_keys_add(struct lg_json_keys *keys, struct lg_doc *doc, uint32_t node,
                      struct lg_str text);

/* Gives the document all keys of its object `of`; then, when the scan has ended, sorts those that
 * it has. */
void lg_json_keys_keep(const struct lg_json_keys *keys, struct lg_doc *doc, uint32_t of);
void lg_json_keys_sort(struct lg_doc *doc);

/* The object's keys, or NULL where they are compared one by one. O(log objects that have many). */
const struct lg_json_keys *lg_json_keys_of(const struct lg_doc *doc, uint32_t object);
/* The node of the key, or 0. */
uint32_t lg_json_keys_find(const struct lg_json_keys *keys, const struct lg_doc *doc,
                           struct lg_str text);

#endif
