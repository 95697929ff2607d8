#include "rules/core/write.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "rules/core/plain.h"
#include "rules/core/utf8.h"

/* The comma before a value or a member's name, unless it is the first, or a name's value. */
static void separate(struct lg_buf *buf)
{
    char last = buf->n != 0 ? buf->p[buf->n - 1] : '[';
    if (last != '{' && last != '[' && last != ':')
        lg_buf_putc(buf, ',');
}

void lg_write_open(struct lg_buf *buf, char bracket)
{
    separate(buf);
    lg_buf_putc(buf, bracket);
}

void lg_write_close(struct lg_buf *buf, char bracket)
{
    lg_buf_putc(buf, bracket);
}

void lg_write_key(struct lg_buf *buf, const char *key)
{
    separate(buf);
    lg_buf_putc(buf, '"');
    lg_buf_puts(buf, key);
    lg_buf_add(buf, "\":", 2);
}

/* One that is no ASCII, as one \u or as a surrogate pair. */
static void write_number(struct lg_buf *buf, uint32_t c)
{
    if (c < 0x10000)
        lg_buf_printf(buf, "\\u%04X", (unsigned)c);
    else
        lg_buf_printf(buf, "\\u%04X\\u%04X", (unsigned)(0xD800 + ((c - 0x10000) >> 10)),
                      (unsigned)(0xDC00 + ((c - 0x10000) & 0x3FF)));
}

/* At a character that cannot stand as it is, or that is no ASCII; returns how many bytes it had. */
static size_t write_special(struct lg_buf *buf, const char *p, size_t n, bool ascii)
{
    static const char letters[0x20] = {
        ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
    unsigned char c = (unsigned char)*p;
    uint32_t character = 0xFFFD;
    size_t len = 1;
    if (c == '"' || c == '\\' || (c < 0x20 && letters[c] != 0)) {
        char escape[2] = {'\\', c < 0x20 ? letters[c] : *p};
        lg_buf_add(buf, escape, sizeof escape);
    } else if (c < 0x20) {
        lg_buf_printf(buf, "\\u%04X", (unsigned)c);
    } else {
        len = lg_utf8_decode((const unsigned char *)p, n, &character);
        if (ascii)
            write_number(buf, character);
        else
            lg_buf_add(buf, len != 0 ? p : "\xEF\xBF\xBD", len != 0 ? len : 3);
    }
    return len != 0 ? len : 1;
}

static void write_string(struct lg_buf *buf, struct lg_str s, bool ascii)
{
    const char *p = s.n != 0 ? s.p : "";
    const char *const end = p + s.n;
    separate(buf);
    lg_buf_putc(buf, '"');
    while (p < end) {
        const char *stop = lg_plain_skip(p, end);
        lg_buf_add(buf, p, (size_t)(stop - p));
        p = stop;
        if (p < end)
            p += write_special(buf, p, (size_t)(end - p), ascii);
    }
    lg_buf_putc(buf, '"');
}

void lg_write_str(struct lg_buf *buf, struct lg_str s)
{
    write_string(buf, s, false);
}

void lg_write_ascii(struct lg_buf *buf, struct lg_str s)
{
    write_string(buf, s, true);
}

void lg_write_null(struct lg_buf *buf)
{
    separate(buf);
    lg_buf_puts(buf, "null");
}

void lg_write_bool(struct lg_buf *buf, bool value)
{
    separate(buf);
    lg_buf_puts(buf, value ? "true" : "false");
}

void lg_write_int(struct lg_buf *buf, int64_t value)
{
    separate(buf);
    lg_buf_printf(buf, "%" PRId64, value);
}

/* 15 digits are enough for any that a person wrote, 17 for any at all. */
void lg_write_real(struct lg_buf *buf, double value)
{
    char text[40];
    if (!isfinite(value)) {
        lg_write_null(buf);
        return;
    }
    snprintf(text, sizeof text, "%.15g", value);
    if (strtod(text, NULL) != value)
        snprintf(text, sizeof text, "%.17g", value);
    separate(buf);
    lg_buf_puts(buf, text);
    if (text[strcspn(text, ".e")] == '\0')
        lg_buf_puts(buf, ".0");
}

void lg_write_member(struct lg_buf *buf, const char *key, struct lg_str s)
{
    lg_write_key(buf, key);
    lg_write_str(buf, s);
}
