#include "rules/core/base64.h"

#include <stdint.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void lg_base64_add(struct lg_buf *buf, struct lg_str bytes)
{
    const unsigned char *p = (const unsigned char *)bytes.p;
    for (size_t i = 0; i < bytes.n; i += 3) {
        size_t left = bytes.n - i;
        unsigned bits = (unsigned)p[i] << 16 | (left > 1 ? (unsigned)p[i + 1] << 8 : 0) |
                        (left > 2 ? p[i + 2] : 0u);
        char group[4] = {digits[bits >> 18], digits[bits >> 12 & 63], '=', '='};
        if (left > 1)
            group[2] = digits[bits >> 6 & 63];
        if (left > 2)
            group[3] = digits[bits & 63];
        lg_buf_add(buf, group, sizeof group);
    }
}

static int value_of(char c)
{
    const char *at = c != '\0' ? strchr(digits, c) : NULL;
    return at != NULL ? (int)(at - digits) : -1;
}

bool lg_base64_decode(struct lg_str text, char *out, size_t *ret_n)
{
    size_t n = 0;
    size_t count = 0;
    size_t padding = 0;
    uint32_t bits = 0;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '\n' || c == '\r')
            continue;
        int value = value_of(c);
        padding += c == '=';
        if ((value < 0 && c != '=') || (value >= 0 && padding != 0) || padding > 2)
            return false;
        bits = bits << 6 | (uint32_t)(value < 0 ? 0 : value);
        if (++count % 4 != 0)
            continue;
        out[n++] = (char)(bits >> 16);
        out[n++] = (char)(bits >> 8);
        out[n++] = (char)bits;
    }
    /* Padding may only end the text, so what stands there counts for its last group. */
    if (count % 4 != 0)
        return false;
    *ret_n = n - padding;
    return true;
}
