/* UTF-8 (RFC 3629): decoding with every check, and encoding. Pure functions, any thread. */
#ifndef LG_RULES_CORE_UTF8_H
#define LG_RULES_CORE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Decodes one character from `n` bytes; returns its length in bytes, or 0 for a bad or cut sequence
 * (overlong forms, surrogates and values over U+10FFFF are bad). */
static inline size_t lg_utf8_decode(const unsigned char *p, size_t n, uint32_t *ret_c)
{
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    if (n == 0)
        return 0;
    if (p[0] < 0x80) {
        *ret_c = p[0];
        return 1;
    }
    size_t len = (p[0] & 0xE0) == 0xC0   ? 2
                 : (p[0] & 0xF0) == 0xE0 ? 3
                 : (p[0] & 0xF8) == 0xF0 ? 4
                                         : 0;
    if (len == 0 || len > n)
        return 0;
    uint32_t c = p[0] & (0x7Fu >> len);
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3Fu);
    }
    if (c < least[len] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
        return 0;
    *ret_c = c;
    return len;
}

/* Writes `c` (a valid character) as UTF-8 and returns the 1 to 4 bytes written. */
static inline size_t lg_utf8_encode(uint32_t c, char out[4])
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t len = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = len - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (c & 0x3F));
        c >>= 6;
    }
    out[0] = (char)((0xF0u << (4 - len)) | c);
    return len;
}

#endif
