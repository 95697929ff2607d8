/* A hash map from text to pointers, with a seed of its own in each process: keys are the user's,
 * and nobody outside can make them collide (SipHash-1-3). Keys and values are borrowed: the value
 * usually owns the key's bytes. One thread at a time for changes; many readers where nobody changes
 * it.
 */
#ifndef LG_RULES_CORE_MAP_H
#define LG_RULES_CORE_MAP_H

#include <stdint.h>

#include "rules/core/str.h"

struct lg_map_entry {
    const char *key; /* NULL: free; read by lg_map_key */
    void *value;
    uint32_t key_bytes, hash;
};

static inline struct lg_str lg_map_key(const struct lg_map_entry *entry)
{
    return (struct lg_str){entry->key, entry->key_bytes};
}

/* Zeroed = empty. */
struct lg_map {
    struct lg_map_entry *entries;
    size_t size; /* power of two */
    size_t used;
};

/* The process's keyed hash of `s`. */
uint64_t lg_hash(struct lg_str s);

/* Frees the table, not keys or values. */
void lg_map_done(struct lg_map *map);

/* The value, or NULL. */
void *lg_map_get(const struct lg_map *map, struct lg_str key);

/* Sets the value (not NULL) of a key of less than 4 GiB and takes over `key`'s bytes as borrowed,
 * also where the key was there; returns the value that was there, or NULL. */
void *lg_map_set(struct lg_map *map, struct lg_str key, void *value);

/* Removes and returns the value, or NULL. */
void *lg_map_remove(struct lg_map *map, struct lg_str key);

/* Visits all entries in no order: start with *pos = 0 until NULL comes back. No changes
 * meanwhile. */
const struct lg_map_entry *lg_map_next(const struct lg_map *map, size_t *pos);

#endif
