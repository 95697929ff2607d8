#include "rules/core/json_keys.h"

#include "rules/core/map.h"

enum { SLOTS_MIN = 4 };

static void grow(struct lg_json_keys *keys, struct lg_arena *arena)
{
    const struct lg_json_key *old = keys->slots;
    uint32_t old_size = keys->size;
    uint32_t size = old_size != 0 ? old_size * 2 : (uint32_t)SLOTS_MIN;
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

bool lg_json_keys_add(struct lg_json_keys *keys, struct lg_doc *doc, uint32_t node)
{
    if (keys->n * 4 >= keys->size * 3)
        grow(keys, doc->arena);
    struct lg_str text = lg_json_str((struct lg_val){doc, node});
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
