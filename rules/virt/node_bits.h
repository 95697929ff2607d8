/* Nodes that share something: a bit a slot. Private to nodes.c and the indexes below it.
 *
 * One table's bitmaps all have the same number of words. One thread changes them while nobody
 * reads, any number read.
 */
#ifndef LG_RULES_VIRT_NODE_BITS_H
#define LG_RULES_VIRT_NODE_BITS_H

#include "rules/core/mem.h"
#include "rules/virt/nodes.h"

enum { LG_WORD_BITS = 64 };

struct lg_bits {
    lg_word *words;
    size_t n; /* bits that are set */
};

static inline void lg_bits_init(struct lg_bits *bits, size_t words)
{
    bits->words = lg_calloc(words, sizeof(lg_word));
    bits->n = 0;
}

static inline void lg_bits_grow(struct lg_bits *bits, size_t before, size_t after)
{
    bits->words = lg_realloc(bits->words, after, sizeof(lg_word));
    memset(bits->words + before, 0, (after - before) * sizeof(lg_word));
}

static inline void lg_bits_put(struct lg_bits *bits, size_t slot, bool on)
{
    lg_word mask = (lg_word)1 << (slot % LG_WORD_BITS);
    lg_word *word = &bits->words[slot / LG_WORD_BITS];
    if (((*word & mask) != 0) == on)
        return;
    *word ^= mask;
    bits->n += on ? 1 : (size_t)-1;
}

#endif
