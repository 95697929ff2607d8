#include "rules/core/map.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

#include "rules/core/mem.h"

static uint64_t seed[2];
static pthread_once_t seed_once = PTHREAD_ONCE_INIT;

static void make_seed(void)
{
    char *p = (char *)seed;
    for (size_t got = 0; got < sizeof seed;) {
        ssize_t n = getrandom(p + got, sizeof seed - got, 0);
        if (n > 0)
            got += (size_t)n;
    }
}

static inline uint64_t rotl(uint64_t x, int b)
{
    return x << b | x >> (64 - b);
}

static inline void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotl(v[1], 13) ^ v[0];
    v[0] = rotl(v[0], 32);
    v[2] += v[3];
    v[3] = rotl(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotl(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotl(v[1], 17) ^ v[2];
    v[2] = rotl(v[2], 32);
}

/* The last bytes, at most 7, each in a place of its own. */
static inline uint64_t tail(const char *p, size_t n)
{
    uint32_t four = 0;
    uint16_t two = 0;
    uint64_t one = (n & 1) != 0 ? (unsigned char)p[n - 1] : 0;
    if ((n & 4) != 0)
        memcpy(&four, p, 4);
    if ((n & 2) != 0)
        memcpy(&two, p + (n & 4), 2);
    return one << 48 | (uint64_t)two << 32 | four;
}

uint64_t lg_hash(struct lg_str s)
{
    pthread_once(&seed_once, make_seed);
    uint64_t v[4] = {seed[0] ^ 0x736f6d6570736575u, seed[1] ^ 0x646f72616e646f6du,
                     seed[0] ^ 0x6c7967656e657261u, seed[1] ^ 0x7465646279746573u};
    size_t i = 0;
    for (; i + 8 <= s.n; i += 8) {
        uint64_t m;
        memcpy(&m, s.p + i, 8);
        v[3] ^= m;
        sip_round(v);
        v[0] ^= m;
    }
    uint64_t last = (uint64_t)s.n << 56 | tail(s.p + i, s.n - i);
    v[3] ^= last;
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    for (int r = 0; r < 3; r++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void lg_map_done(struct lg_map *map)
{
    free(map->entries);
    *map = (struct lg_map){0};
}

static struct lg_map_entry *find(const struct lg_map *map, struct lg_str key, uint32_t hash)
{
    size_t mask = map->size - 1;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        struct lg_map_entry *entry = &map->entries[i];
        if (entry->key == NULL || (entry->hash == hash && lg_str_eq(lg_map_key(entry), key)))
            return entry;
    }
}

static uint32_t short_hash(struct lg_str key)
{
    return (uint32_t)lg_hash(key);
}

void *lg_map_get(const struct lg_map *map, struct lg_str key)
{
    if (map->used == 0)
        return NULL;
    return find(map, key, short_hash(key))->value;
}

static void grow(struct lg_map *map)
{
    struct lg_map bigger = {.size = map->size != 0 ? map->size * 2 : 16, .used = map->used};
    bigger.entries = lg_calloc(bigger.size, sizeof *bigger.entries);
    for (size_t i = 0; i < map->size; i++) {
        struct lg_map_entry *entry = &map->entries[i];
        if (entry->key != NULL)
            *find(&bigger, lg_map_key(entry), entry->hash) = *entry;
    }
    free(map->entries);
    *map = bigger;
}

void *lg_map_set(struct lg_map *map, struct lg_str key, void *value)
{
    assert(key.n <= UINT32_MAX);
    if ((map->used + 1) * 4 > map->size * 3)
        grow(map);
    if (key.p == NULL)
        key = LG_STR("");
    uint32_t hash = short_hash(key);
    struct lg_map_entry *entry = find(map, key, hash);
    void *was = entry->value;
    map->used += entry->key == NULL;
    *entry = (struct lg_map_entry){key.p, value, (uint32_t)key.n, hash};
    return was;
}

void *lg_map_remove(struct lg_map *map, struct lg_str key)
{
    if (map->used == 0)
        return NULL;
    struct lg_map_entry *entry = find(map, key, short_hash(key));
    void *was = entry->value;
    if (entry->key == NULL)
        return NULL;
    size_t mask = map->size - 1;
    size_t hole = (size_t)(entry - map->entries);
    for (size_t i = (hole + 1) & mask; map->entries[i].key != NULL; i = (i + 1) & mask) {
        size_t home = map->entries[i].hash & mask;
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            map->entries[hole] = map->entries[i];
            hole = i;
        }
    }
    map->entries[hole] = (struct lg_map_entry){0};
    map->used--;
    return was;
}

const struct lg_map_entry *lg_map_next(const struct lg_map *map, size_t *pos)
{
    while (*pos < map->size) {
        const struct lg_map_entry *entry = &map->entries[(*pos)++];
        if (entry->key != NULL)
            return entry;
    }
    return NULL;
}
