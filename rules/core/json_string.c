#include "rules/core/json_string.h"

#include "rules/core/plain.h"
#include "rules/core/utf8.h"

static unsigned hex_digit(unsigned char d)
{
    if (d >= '0' && d <= '9')
        return d - (unsigned)'0';
    d |= 0x20;
    return d >= 'a' && d <= 'f' ? d - (unsigned)'a' + 10 : 16;
}

static bool four_hex(const char *p, const char *end, unsigned *ret)
{
    if (end - p < 4)
        return false;
    unsigned c = 0;
    for (int i = 0; i < 4; i++) {
        unsigned v = hex_digit((unsigned char)p[i]);
        if (v == 16)
            return false;
        c = c << 4 | v;
    }
    *ret = c;
    return true;
}

static enum lg_err_code bad(struct lg_json_string *s, const char *what)
{
    s->wrong = what;
    return LG_E_INVALID;
}

/* At a backslash. LG_E_LIMIT: a surrogate without its other half, which is JSON and no text. The
 * escapes of one character, which are most, are passed over in skip_simple. */
static enum lg_err_code scan_escape(struct lg_json_string *s, const char *end)
{
    s->p++;
    if (s->p == end)
        return bad(s, "the text ends within a string");
    if (*s->p++ != 'u')
        return bad(s, "unknown escape in a string");
    unsigned u = 0;
    if (!four_hex(s->p, end, &u))
        return bad(s, "\\u needs four hexadecimal digits");
    s->p += 4;
    if (u < 0xD800 || u > 0xDFFF)
        return LG_E_OK;
    unsigned low = 0;
    bool pair = u < 0xDC00 && end - s->p >= 6 && s->p[0] == '\\' && s->p[1] == 'u' &&
                four_hex(s->p + 2, end, &low) && low >= 0xDC00 && low <= 0xDFFF;
    if (!pair)
        return LG_E_LIMIT;
    s->p += 6;
    return LG_E_OK;
}

/* At a character that ends a run of plain ones, but no quote. */
static enum lg_err_code scan_special(struct lg_json_string *s, const char *end)
{
    if (s->p == end)
        return bad(s, "the text ends within a string");
    unsigned char c = (unsigned char)*s->p;
    if (c == '\\')
        return scan_escape(s, end);
    if (c < 0x80)
        return bad(s, "a control character in a string");
    uint32_t ignored;
    size_t len = lg_utf8_decode((const unsigned char *)s->p, (size_t)(end - s->p), &ignored);
    if (len == 0)
        return bad(s, "not UTF-8");
    s->p += len;
    return LG_E_OK;
}

static const bool one_character[256] = {['"'] = true, ['\\'] = true, ['/'] = true, ['b'] = true,
                                        ['f'] = true, ['n'] = true,  ['r'] = true, ['t'] = true};

#ifdef LG_PLAIN_BLOCKS
/* skip_simple as far as whole blocks go; most texts that need it are JSON within JSON, an escape
 * every few characters. */
static inline const char *skip_simple_blocks(const char *p, const char *end, bool *io_escaped)
{
    while (end - p > 16) {
        unsigned mask = lg_plain_stops(p);
        size_t skip = 16;
        while (mask != 0) {
            unsigned i = (unsigned)__builtin_ctz(mask);
            if (p[i] != '\\' || !one_character[(unsigned char)p[i + 1]])
                return p + i;
            *io_escaped = true;
            mask &= ~(3u << i);
            skip = i == 15 ? 17 : 16;
        }
        p += skip;
    }
    return p;
}
#endif

/* Skips plain characters and the escapes of one character. */
static const char *skip_simple(const char *p, const char *end, bool *io_escaped)
{
#ifdef LG_PLAIN_BLOCKS
    p = skip_simple_blocks(p, end, io_escaped);
#endif
    for (;;) {
        p = lg_plain_skip(p, end);
        if (end - p < 2 || *p != '\\' || !one_character[(unsigned char)p[1]])
            return p;
        *io_escaped = true;
        p += 2;
    }
}

enum lg_err_code lg_json_string_rest(struct lg_json_string *io, const char *end)
{
    bool escaped = false;
    const char *p = skip_simple(io->p, end, &escaped);
    while (p == end || *p != '"') {
        escaped = escaped || (p < end && *p == '\\');
        io->p = p;
        enum lg_err_code code = scan_special(io, end);
        if (code == LG_E_LIMIT)
            io->p = p;
        if (code != LG_E_OK) {
            io->escaped = escaped;
            return code;
        }
        p = skip_simple(io->p, end, &escaped);
    }
    io->p = p;
    io->escaped = escaped;
    return LG_E_OK;
}
