/* Looking through the inside of JSON strings many characters at a time. Pure, any thread. */
#ifndef LG_RULES_CORE_PLAIN_H
#define LG_RULES_CORE_PLAIN_H

#include <stdint.h>
#include <string.h>

/* Where the processor compares 16 characters at once. */
#ifdef __SSE2__
#include <emmintrin.h>
#define LG_PLAIN_BLOCKS 1
#endif

#ifdef LG_PLAIN_BLOCKS
/* Which of the 16 characters at p need a look. */
static inline unsigned lg_plain_stops(const char *p)
{
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
    /* As signed numbers the bytes over 0x7F are below a space too. */
    __m128i stop = _mm_or_si128(_mm_cmplt_epi8(v, _mm_set1_epi8(' ')),
                                _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')),
                                             _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'))));
    return (unsigned)_mm_movemask_epi8(stop);
}
#endif

/* Skips characters that need no look: no quote, backslash, control character or byte over 0x7F
 * among them. */
static inline const char *lg_plain_skip(const char *p, const char *end)
{
#ifdef LG_PLAIN_BLOCKS
    while (end - p >= 16) {
        unsigned mask = lg_plain_stops(p);
        if (mask != 0)
            return p + __builtin_ctz(mask);
        p += 16;
    }
#endif
    const uint64_t ones = 0x0101010101010101u;
    const uint64_t high = 0x8080808080808080u;
    while (end - p >= 8) {
        uint64_t w;
        memcpy(&w, p, 8);
        uint64_t quote = w ^ ones * '"';
        uint64_t slash = w ^ ones * '\\';
        uint64_t stop = ((w - ones * 0x20) | (quote - ones) | (slash - ones) | w) & high;
        if (stop != 0 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
            return p + (__builtin_ctzll(stop) >> 3);
        if (stop != 0)
            break;
        p += 8;
    }
    while (p < end && (unsigned char)*p >= 0x20 && (unsigned char)*p < 0x80 && *p != '"' &&
           *p != '\\')
        p++;
    return p;
}

#endif
