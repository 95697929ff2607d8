#include "rules/core/json_keys.h"

#include <stdlib.h>
#include <string.h>

#include "rules/core/map.h"

enum { SLOTS_MIN = 4 };

static void grow(struct lg_json_keys *keys, struct lg_arena *arena)
{
    const struct lg_json_key *old = keys->slots;
    uint32_t old_size = keys->size;
    uint32_t size = old_size != 0 ? old_size * 4 : (uint32_t)SLOTS_MIN;
    keys->slots = lg_arena_array(arena, size, sizeof *keys->slots);
    keys->size = size;
    for (uint32_t i = 0; old != NULL && i < old_size; i++) {
        uint32_t at = old[i].hash;
        if (old[i].node == 0)
            continue;
        while (keys->slots[at & (size - 1)].node != 0)
            at++;
        keys->slots[at & (size - 1)] = old[i];
    }
}

bool lg_json_keys_add(struct lg_json_keys *keys, struct lg_doc *doc, uint32_t node,
                      struct lg_str text)
{
    if (keys->n * 4 >= keys->size * 3)
        grow(keys, doc->arena);
    uint32_t hash = (uint32_t)lg_hash(text);
    for (uint32_t at = hash;; at++) {
        struct lg_json_key *slot = &keys->slots[at & (keys->size - 1)];
        if (slot->node == 0) {
            *slot = (struct lg_json_key){node, hash};
            keys->n++;
            return true;
        }
        if (slot->hash == hash && lg_json_is_str((struct lg_val){doc, slot->node}, text))
            return false;
    }
}

void lg_json_keys_keep(const struct lg_json_keys *keys, struct lg_doc *doc, uint32_t of)
{
    enum { ROOM_MIN = 4 };
    uint32_t n = doc->n_keys;
    bool full = n == 0 || (n >= ROOM_MIN && (n & (n - 1)) == 0);
    if (full) {
        size_t room = n != 0 ? (size_t)n * 2 : ROOM_MIN;
        struct lg_json_keys *more = lg_arena_room(doc->arena, room, sizeof *more);
        if (n != 0)
            memcpy(more, doc->keys, n * sizeof *more);
        doc->keys = more;
    }
    doc->keys[n] = *keys;
    doc->keys[n].of = of;
    doc->n_keys++;
}

static int by_object(const void *a, const void *b)
{
    uint32_t x = ((const struct lg_json_keys *)a)->of;
    uint32_t y = ((const struct lg_json_keys *)b)->of;
    return (x > y) - (x < y);
}

/* An object closes behind those inside it. */
void lg_json_keys_sort(struct lg_doc *doc)
{
    if (doc->n_keys > 1)
        qsort(doc->keys, doc->n_keys, sizeof *doc->keys, by_object);
}

const struct lg_json_keys *lg_json_keys_of(const struct lg_doc *doc, uint32_t object)
{
    const struct lg_json_keys wanted = {.of = object};
    if (doc->n_keys == 0)
        return NULL;
    return bsearch(&wanted, doc->keys, doc->n_keys, sizeof *doc->keys, by_object);
}

uint32_t lg_json_keys_find(const struct lg_json_keys *keys, const struct lg_doc *doc,
                           struct lg_str text)
{
    uint32_t hash = (uint32_t)lg_hash(text);
    for (uint32_t at = hash;; at++) {
        const struct lg_json_key *slot = &keys->slots[at & (keys->size - 1)];
        if (slot->node == 0)
            return 0;
        if (slot->hash == hash && lg_json_is_str((struct lg_val){doc, slot->node}, text))
            return slot->node;
    }
}
