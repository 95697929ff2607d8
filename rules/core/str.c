#include "rules/core/str.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "rules/core/mem.h"
#include "rules/core/utf8.h"

int lg_str_cmp(struct lg_str a, struct lg_str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n != 0 ? memcmp(a.p, b.p, n) : 0;
    if (order != 0)
        return order;
    return a.n < b.n ? -1 : a.n > b.n;
}

bool lg_str_starts(struct lg_str s, const char *prefix)
{
    size_t n = strlen(prefix);
    return s.n >= n && (n == 0 || memcmp(s.p, prefix, n) == 0);
}

bool lg_str_ends(struct lg_str s, const char *suffix)
{
    size_t n = strlen(suffix);
    return s.n >= n && (n == 0 || memcmp(s.p + s.n - n, suffix, n) == 0);
}

struct lg_str lg_str_cut(struct lg_str s, size_t max)
{
    if (s.n <= max)
        return s;
    while (max > 0 && ((unsigned char)s.p[max] & 0xC0) == 0x80)
        max--;
    return (struct lg_str){s.p, max};
}

void lg_buf_done(struct lg_buf *buf)
{
    free(buf->p);
    *buf = (struct lg_buf){0};
}

static void reserve(struct lg_buf *buf, size_t more)
{
    if (more > SIZE_MAX / 4 - buf->n)
        lg_oom(more);
    size_t need = buf->n + more + 1;
    if (need <= buf->size)
        return;
    size_t size = buf->size < 128 ? 256 : buf->size * 2;
    if (size < need)
        size = need;
    buf->p = lg_realloc(buf->p, size, 1);
    buf->size = size;
}

void lg_buf_add(struct lg_buf *buf, const void *bytes, size_t n)
{
    reserve(buf, n);
    if (n != 0)
        memcpy(buf->p + buf->n, bytes, n);
    buf->n += n;
    buf->p[buf->n] = '\0';
}

void lg_buf_str(struct lg_buf *buf, struct lg_str s)
{
    lg_buf_add(buf, s.p, s.n);
}

void lg_buf_puts(struct lg_buf *buf, const char *text)
{
    lg_buf_add(buf, text, strlen(text));
}

void lg_buf_putc(struct lg_buf *buf, char c)
{
    lg_buf_add(buf, &c, 1);
}

/* Formatted once where the first try has room. */
void lg_buf_printf(struct lg_buf *buf, const char *format, ...)
{
    va_list args;
    va_list again;
    reserve(buf, 64);
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(buf->p + buf->n, buf->size - buf->n, format, args);
    va_end(args);
    if (n > 0 && (size_t)n >= buf->size - buf->n) {
        reserve(buf, (size_t)n);
        vsnprintf(buf->p + buf->n, (size_t)n + 1, format, again);
    }
    if (n > 0)
        buf->n += (size_t)n;
    va_end(again);
}

static bool shown_as_is(uint32_t c)
{
    if (c < 0x20 || (c >= 0x7F && c < 0xA0))
        return false;
    bool line_end = c == 0x2028 || c == 0x2029;
    bool bidi = (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0x200E ||
                c == 0x200F || c == 0x061C;
    return !line_end && !bidi;
}

/* How many characters from `i` on are printable ASCII. */
static size_t plain_run(struct lg_str s, size_t i)
{
    size_t end = i;
    while (end < s.n && s.p[end] >= 0x20 && s.p[end] < 0x7F)
        end++;
    return end - i;
}

void lg_buf_printable(struct lg_buf *buf, struct lg_str s)
{
    for (size_t i = 0; i < s.n;) {
        uint32_t c = 0;
        size_t plain = plain_run(s, i);
        lg_buf_add(buf, s.p + i, plain);
        i += plain;
        if (i == s.n)
            break;
        size_t len = lg_utf8_decode((const unsigned char *)s.p + i, s.n - i, &c);
        if (len == 0) {
            lg_buf_printf(buf, "\\x%02x", (unsigned char)s.p[i++]);
            continue;
        }
        if (shown_as_is(c))
            lg_buf_add(buf, s.p + i, len);
        else if (c < 0x100)
            lg_buf_printf(buf, "\\x%02x", (unsigned)c);
        else
            lg_buf_printf(buf, "\\u{%04x}", (unsigned)c);
        i += len;
    }
}
