#include "rules/core/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/core/mem.h"

#if defined(__SANITIZE_ADDRESS__)
#define LG_ARENA_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LG_ARENA_ASAN 1
#endif
#endif

#ifdef LG_ARENA_ASAN
#include <sanitizer/asan_interface.h>
/* gcc takes the const in its signature for a read of memory that malloc has not filled. */
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
enum { FENCE_BYTES = 16 };
#define POISON(p, n)   __asan_poison_memory_region((p), (n))
#define UNPOISON(p, n) __asan_unpoison_memory_region((p), (n))
#else
enum { FENCE_BYTES = 0 };
#define POISON(p, n)   ((void)(p), (void)(n))
#define UNPOISON(p, n) ((void)(p), (void)(n))
#endif

enum {
    FIRST_BLOCK_BYTES = 16 * 1024,
    KEPT_BLOCK_BYTES = 64 * 1024,
    BLOCK_BYTES_MAX = 1024 * 1024,
    ALIGN = 16
};

struct lg_arena_block {
    struct lg_arena_block *next;
    size_t size;
    _Alignas(ALIGN) char bytes[];
};

void lg_arena_init(struct lg_arena *arena)
{
    *arena = (struct lg_arena){0};
}

static void free_blocks(struct lg_arena_block *block)
{
    while (block != NULL) {
        struct lg_arena_block *next = block->next;
        UNPOISON(block->bytes, block->size);
        free(block);
        block = next;
    }
}

void lg_arena_done(struct lg_arena *arena)
{
    free_blocks(arena->head);
    *arena = (struct lg_arena){0};
}

void lg_arena_reset(struct lg_arena *arena)
{
    struct lg_arena_block *keep = arena->head;
    if (keep == NULL)
        return;
    struct lg_arena_block *rest = keep->next;
    while (rest != NULL && keep->size > KEPT_BLOCK_BYTES) {
        struct lg_arena_block *next = rest->next;
        struct lg_arena_block *drop = keep;
        keep = rest;
        rest = next;
        drop->next = NULL;
        free_blocks(drop);
    }
    free_blocks(rest);
    keep->next = NULL;
    if (keep->size > KEPT_BLOCK_BYTES) {
        free_blocks(keep);
        *arena = (struct lg_arena){0};
        return;
    }
    POISON(keep->bytes, keep->size);
    *arena = (struct lg_arena){.head = keep, .at = keep->bytes, .end = keep->bytes + keep->size};
}

static void add_block(struct lg_arena *arena, size_t need)
{
    size_t size = arena->head == NULL ? (size_t)FIRST_BLOCK_BYTES : arena->head->size * 2;
    if (size > BLOCK_BYTES_MAX)
        size = BLOCK_BYTES_MAX;
    if (size < need)
        size = need;
    struct lg_arena_block *block = malloc(sizeof *block + size);
    if (block == NULL)
        lg_oom(size);
    block->next = arena->head;
    block->size = size;
    POISON(block->bytes, size);
    arena->head = block;
    arena->at = block->bytes;
    arena->end = block->bytes + size;
}

static char *take(struct lg_arena *arena, size_t bytes)
{
    if (bytes > SIZE_MAX / 2)
        lg_oom(bytes);
    size_t need = (bytes + ALIGN - 1) / ALIGN * ALIGN + FENCE_BYTES;
    if (need == 0)
        need = ALIGN;
    if (arena->head == NULL || (size_t)(arena->end - arena->at) < need)
        add_block(arena, need);
    char *p = arena->at;
    arena->at += need;
    arena->used_bytes += need;
    UNPOISON(p, bytes);
    return p;
}

void *lg_arena_alloc(struct lg_arena *arena, size_t bytes)
{
    return memset(take(arena, bytes), 0, bytes);
}

void *lg_arena_room(struct lg_arena *arena, size_t n, size_t size)
{
    if (size != 0 && n > SIZE_MAX / size)
        lg_oom(SIZE_MAX);
    return take(arena, n * size);
}

void *lg_arena_array(struct lg_arena *arena, size_t n, size_t size)
{
    return memset(lg_arena_room(arena, n, size), 0, n * size);
}

struct lg_str lg_arena_str(struct lg_arena *arena, struct lg_str s)
{
    char *p = take(arena, s.n + 1);
    if (s.n != 0)
        memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    return (struct lg_str){p, s.n};
}

/* Formatted once where it fits, which most does: into a place of its own, then copied. */
struct lg_str lg_arena_printf(struct lg_arena *arena, const char *format, ...)
{
    char first[512] __attribute__((uninitialized));
    va_list args;
    va_list again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(first, sizeof first, format, args);
    va_end(args);
    struct lg_str s = LG_STR("");
    if (n > 0 && (size_t)n < sizeof first) {
        s = lg_arena_str(arena, (struct lg_str){first, (size_t)n});
    } else if (n > 0) {
        char *p = take(arena, (size_t)n + 1);
        vsnprintf(p, (size_t)n + 1, format, again);
        s = (struct lg_str){p, (size_t)n};
    }
    va_end(again);
    return s;
}
