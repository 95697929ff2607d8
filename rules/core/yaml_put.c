#include "rules/core/yaml_put.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "rules/core/utf8.h"

enum { NUMBER_BYTES = 32 };

static void put_escaped(struct lg_buf *buf, unsigned char c)
{
    static const char shorts[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    for (const char *p = shorts; *p != '\0'; p += 2) {
        if ((unsigned char)*p == c) {
            lg_buf_putc(buf, '\\');
            lg_buf_putc(buf, p[1]);
            return;
        }
    }
    lg_buf_printf(buf, "\\u%04x", (unsigned)c);
}

/* A JSON string; bytes that are no UTF-8, which only !!binary can bring, become U+FFFD as in Go. */
static void put_string(struct lg_buf *buf, struct lg_str s)
{
    lg_buf_putc(buf, '"');
    size_t kept = 0;
    for (size_t i = 0; i < s.n;) {
        unsigned char c = (unsigned char)s.p[i];
        uint32_t ignored;
        size_t len = lg_utf8_decode((const unsigned char *)s.p + i, s.n - i, &ignored);
        bool as_is = len != 0 && c >= 0x20 && c != '"' && c != '\\';
        if (!as_is) {
            lg_buf_add(buf, s.p + kept, i - kept);
            kept = i + 1;
            if (len == 0)
                lg_buf_puts(buf, "\xEF\xBF\xBD");
            else
                put_escaped(buf, c);
        }
        i += len != 0 ? len : 1;
    }
    lg_buf_add(buf, s.p + kept, s.n - kept);
    lg_buf_putc(buf, '"');
}

/* The fewest significant digits that give the same number back, without a point. */
struct decimal {
    char digits[NUMBER_BYTES];
    int n;
    int exponent; /* of the first digit */
    bool negative;
};

static bool same_number(const char *text, double f, bool single)
{
    return single ? strtof(text, NULL) == (float)f : strtod(text, NULL) == f;
}

/* Between two powers of two the nearest decimal of a length is right or none is; at a power of two
 * the gap below is half as wide, so that only the next decimal above may give the number back. */
static bool next_above(char *text, double f, bool single)
{
    int power;
    if (frexp(fabs(f), &power) != 0.5)
        return false;
    char *last = strchr(text, 'e') - 1;
    if (*last == '9' || *last == '.')
        return false;
    ++*last;
    return same_number(text, f, single);
}

static struct decimal shortest(double f, bool single)
{
    struct decimal d = {.negative = signbit(f) != 0};
    char text[NUMBER_BYTES];
    for (int precision = 0; precision < 17; precision++) {
        snprintf(text, sizeof text, "%.*e", precision, f);
        if (same_number(text, f, single) || next_above(text, f, single))
            break;
    }
    const char *p = text + d.negative;
    for (; *p != 'e'; p++)
        if (*p != '.')
            d.digits[d.n++] = *p;
    d.exponent = (int)strtol(p + 1, NULL, 10);
    while (d.n > 1 && d.digits[d.n - 1] == '0')
        d.n--;
    return d;
}

static void put_fixed(struct lg_buf *buf, const struct decimal *d)
{
    for (int at = d->exponent; at < 0; at++)
        lg_buf_puts(buf, at == d->exponent ? "0." : "0");
    for (int i = 0; i < d->n || i <= d->exponent; i++) {
        if (i != 0 && i == d->exponent + 1)
            lg_buf_putc(buf, '.');
        lg_buf_putc(buf, (char)(i < d->n ? d->digits[i] : '0'));
    }
}

static void put_exponent(struct lg_buf *buf, const struct decimal *d, int digits)
{
    lg_buf_putc(buf, d->digits[0]);
    if (d->n > 1)
        lg_buf_putc(buf, '.');
    lg_buf_add(buf, d->digits + 1, (size_t)d->n - 1);
    lg_buf_printf(buf, "e%c%0*d", d->exponent < 0 ? '-' : '+', digits, abs(d->exponent));
}

/* As Go's encoding/json: exponents below 1e-6 and from 1e21, one digit where one is enough. */
static void put_float(struct lg_buf *buf, double f)
{
    struct decimal d = shortest(f, false);
    lg_buf_puts(buf, d.negative ? "-" : "");
    if (f != 0 && (fabs(f) < 1e-6 || fabs(f) >= 1e21))
        put_exponent(buf, &d, d.exponent < 0 ? 1 : 2);
    else
        put_fixed(buf, &d);
}

/* As sigs.k8s.io/yaml names a key: the shortest text of a 32-bit float, as Go's %g has it: an
 * exponent from a million. */
static void put_float_key(struct lg_buf *buf, double f)
{
    double single = (double)(float)f;
    if (isnan(single) || isinf(single)) {
        lg_buf_puts(buf, isnan(single) ? ".nan" : single > 0 ? ".inf" : "-.inf");
        return;
    }
    struct decimal d = shortest(single, true);
    lg_buf_puts(buf, d.negative ? "-" : "");
    if (d.exponent < -4 || d.exponent >= 6)
        put_exponent(buf, &d, 2);
    else
        put_fixed(buf, &d);
}

const char *lg_yaml_put_value(struct lg_buf *buf, const struct lg_yaml_scalar *scalar)
{
    switch (scalar->kind) {
    case LG_YAML_NULL:
        lg_buf_puts(buf, "null");
        return NULL;
    case LG_YAML_BOOL:
        lg_buf_puts(buf, scalar->truth ? "true" : "false");
        return NULL;
    case LG_YAML_INT:
        lg_buf_printf(buf, "%lld", (long long)scalar->i);
        return NULL;
    case LG_YAML_UINT:
        lg_buf_printf(buf, "%llu", (unsigned long long)scalar->u);
        return NULL;
    case LG_YAML_FLOAT:
        if (!isfinite(scalar->f))
            return "infinity and NaN are no JSON numbers";
        put_float(buf, scalar->f);
        return NULL;
    case LG_YAML_STRING:
    case LG_YAML_TIME:
        break;
    }
    put_string(buf, scalar->text);
    return NULL;
}

const char *lg_yaml_put_key(struct lg_buf *buf, const struct lg_yaml_scalar *scalar)
{
    switch (scalar->kind) {
    case LG_YAML_NULL:
        return "a key must not be null";
    case LG_YAML_UINT:
        return "an integer this large cannot be a key";
    case LG_YAML_STRING:
    case LG_YAML_TIME:
        put_string(buf, scalar->text);
        return NULL;
    case LG_YAML_BOOL:
    case LG_YAML_INT:
    case LG_YAML_FLOAT:
        break;
    }
    lg_buf_putc(buf, '"');
    const char *wrong = NULL;
    if (scalar->kind == LG_YAML_FLOAT)
        put_float_key(buf, scalar->f);
    else
        wrong = lg_yaml_put_value(buf, scalar);
    lg_buf_putc(buf, '"');
    return wrong;
}
