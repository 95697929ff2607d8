#include "rules/core/skip.h"

/* Where the processor compares 16 characters at once. */
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Byte by byte; true behind the container's last byte. */
static bool skip_byte(struct lg_skip *skip, char c)
{
    if (skip->escaped)
        skip->escaped = false;
    else if (c == '\\')
        skip->escaped = true;
    else if (c == '"')
        skip->in_string = !skip->in_string;
    else if (!skip->in_string && (c == '{' || c == '['))
        skip->depth++;
    else if (!skip->in_string && (c == '}' || c == ']'))
        return --skip->depth == 0;
    return false;
}

#ifdef __SSE2__
enum { BLOCK_BYTES = 64 };

/* What stands where in 64 bytes: bit i is byte i. */
struct block {
    uint64_t quotes, slashes, opening, closing;
};

static inline uint64_t bits(__m128i equal, unsigned shift)
{
    return (uint64_t)(uint32_t)_mm_movemask_epi8(equal) << shift;
}

static inline void look_at_16(const char *p, unsigned shift, struct block *block)
{
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + shift));
    /* '[' and '{', ']' and '}' differ in this bit alone, and no other character with it is one of
     * them */
    __m128i folded = _mm_or_si128(v, _mm_set1_epi8(0x20));
    block->quotes |= bits(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')), shift);
    block->slashes |= bits(_mm_cmpeq_epi8(v, _mm_set1_epi8('\\')), shift);
    block->opening |= bits(_mm_cmpeq_epi8(folded, _mm_set1_epi8('{')), shift);
    block->closing |= bits(_mm_cmpeq_epi8(folded, _mm_set1_epi8('}')), shift);
}

static inline struct block look(const char *p)
{
    struct block block = {0};
    look_at_16(p, 0, &block);
    look_at_16(p, 16, &block);
    look_at_16(p, 32, &block);
    look_at_16(p, 48, &block);
    return block;
}

/* The bytes behind a backslash that is not behind one itself. */
static inline uint64_t escaped_bytes(struct lg_skip *skip, uint64_t slashes)
{
    uint64_t escaped = skip->escaped;
    skip->escaped = false;
    for (uint64_t left = slashes & ~escaped; left != 0;) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        left &= ~((uint64_t)3 << i);
        if (i == BLOCK_BYTES - 1)
            skip->escaped = true;
        else
            escaped |= (uint64_t)2 << i;
    }
    return escaped;
}

/* Bit i is the exclusive or of the bits up to i: set from an opening quote on, until before the
 * closing one. */
static inline uint64_t between_quotes(uint64_t quotes)
{
    quotes ^= quotes << 1;
    quotes ^= quotes << 2;
    quotes ^= quotes << 4;
    quotes ^= quotes << 8;
    quotes ^= quotes << 16;
    return quotes ^ quotes << 32;
}

/* True when the container ends in the block; *ret_n bytes of it belong to it. */
static inline bool skip_block(struct lg_skip *skip, const char *p, size_t *ret_n)
{
    struct block block = look(p);
    uint64_t escaped = escaped_bytes(skip, block.slashes);
    uint64_t inside =
        between_quotes(block.quotes & ~escaped) ^ (skip->in_string ? ~UINT64_C(0) : 0);
    uint64_t closing = block.closing & ~inside & ~escaped;
    uint64_t opening = block.opening & ~inside & ~escaped;
    uint64_t depth = skip->depth;
    for (uint64_t left = opening | closing; left != 0; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        depth += 1 - 2 * (closing >> i & 1);
        if (depth != 0)
            continue;
        *ret_n = i + 1;
        return true;
    }
    skip->depth = depth;
    skip->in_string = inside >> (BLOCK_BYTES - 1) != 0;
    *ret_n = BLOCK_BYTES;
    return false;
}
#endif

size_t lg_skip_container(struct lg_skip *skip, struct lg_str piece, bool *ret_whole)
{
    size_t i = 0;
    *ret_whole = false;
#ifdef __SSE2__
    while (!*ret_whole && piece.n - i >= BLOCK_BYTES) {
        size_t n;
        *ret_whole = skip_block(skip, piece.p + i, &n);
        i += n;
    }
#endif
    while (!*ret_whole && i < piece.n)
        *ret_whole = skip_byte(skip, piece.p[i++]);
    return i;
}
