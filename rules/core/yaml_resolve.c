/* What a YAML scalar means, as yaml.v2's resolve.go and sigs.k8s.io/yaml's key conversion have it. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/core/mem.h"
#include "rules/core/utf8.h"
#include "rules/core/yaml_tree.h"

#define TAG_PREFIX "tag:yaml.org,2002:"

static bool in_list(struct lg_str s, const char *const *list)
{
    for (; *list != NULL; list++)
        if (lg_str_is(s, *list))
            return true;
    return false;
}

/* The words that stand for a value by themselves. */
static bool resolve_word(struct lg_str s, struct lg_yaml_scalar *ret)
{
    static const char *const yes[] = {"y",    "Y",    "yes", "Yes", "YES", "true",
                                      "True", "TRUE", "on",  "On",  "ON",  NULL};
    static const char *const no[] = {"n",     "N",     "no",  "No",  "NO",  "false",
                                     "False", "FALSE", "off", "Off", "OFF", NULL};
    static const char *const null[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const nan_words[] = {".nan", ".NaN", ".NAN", NULL};
    static const char *const inf[] = {".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", NULL};
    static const char *const minus_inf[] = {"-.inf", "-.Inf", "-.INF", NULL};
    if (in_list(s, yes) || in_list(s, no))
        *ret = (struct lg_yaml_scalar){.type = LG_YAML_BOOL, .truth = in_list(s, yes)};
    else if (in_list(s, null))
        *ret = (struct lg_yaml_scalar){.type = LG_YAML_NULL};
    else if (in_list(s, nan_words))
        *ret = (struct lg_yaml_scalar){.type = LG_YAML_FLOAT, .real = NAN};
    else if (in_list(s, inf))
        *ret = (struct lg_yaml_scalar){.type = LG_YAML_FLOAT, .real = INFINITY};
    else if (in_list(s, minus_inf))
        *ret = (struct lg_yaml_scalar){.type = LG_YAML_FLOAT, .real = -INFINITY};
    else
        return false;
    return true;
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'z' ? c - 'a' + 10 : 99;
}

/* Go's ParseInt and ParseUint with base 0 on text without underscores: 0x, 0o, 0b, or octal by a leading 0. */
static bool resolve_integer(const char *p, struct lg_yaml_scalar *ret)
{
    bool negative = *p == '-';
    bool sign = negative || *p == '+';
    p += sign;
    int base = 10;
    if (p[0] == '0' && p[1] != '\0') {
        char c = (char)(p[1] | 0x20);
        base = c == 'x' ? 16 : c == 'o' ? 8 : c == 'b' ? 2 : 0;
        p += base != 0 ? 2 : 1;
        base = base != 0 ? base : 8;
    }
    if (*p == '\0')
        return false;
    uint64_t value = 0;
    for (; *p != '\0'; p++) {
        int d = digit_of(*p);
        if (d >= base || __builtin_mul_overflow(value, (uint64_t)base, &value) ||
            __builtin_add_overflow(value, (uint64_t)d, &value))
            return false;
    }
    if (value <= (uint64_t)INT64_MAX + negative) {
        *ret = (struct lg_yaml_scalar){.type = LG_YAML_INT,
                                       .integer = (int64_t)(negative ? 0 - value : value)};
        return true;
    }
    *ret = (struct lg_yaml_scalar){.type = LG_YAML_UINT, .natural = value};
    return !sign;
}

static const char *skip_digits(const char *p)
{
    while (*p >= '0' && *p <= '9')
        p++;
    return p;
}

/* [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? and within range: 1e400 is a string. */
static bool resolve_float(const char *text, struct lg_yaml_scalar *ret)
{
    const char *p = text;
    p += *p == '-' || *p == '+';
    const char *whole = p;
    p = skip_digits(p);
    bool some = p > whole;
    if (*p == '.') {
        const char *fraction = ++p;
        p = skip_digits(p);
        some = some || p > fraction;
    }
    if (!some)
        return false;
    if (*p == 'e' || *p == 'E') {
        p++;
        p += *p == '-' || *p == '+';
        const char *exponent = p;
        p = skip_digits(p);
        if (p == exponent)
            return false;
    }
    double value = strtod(text, NULL);
    if (*p != '\0' || !isfinite(value))
        return false;
    *ret = (struct lg_yaml_scalar){.type = LG_YAML_FLOAT, .real = value};
    return true;
}

/* Copies without underscores; where `between` holds they may only stand between digits (Go's ParseFloat). */
static char *without_underscores(struct lg_str s, bool between, struct lg_arena *arena)
{
    char *text = lg_arena_alloc(arena, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        bool digits =
            i > 0 && i + 1 < s.n && digit_of(s.p[i - 1]) < 10 && digit_of(s.p[i + 1]) < 10;
        if (s.p[i] == '\0' || (s.p[i] == '_' && between && !digits))
            return NULL;
        if (s.p[i] != '_')
            text[n++] = s.p[i];
    }
    return text;
}

/* A plain text's own meaning: by its first character, as yaml.v2 does. */
static void resolve_plain(struct lg_str s, struct lg_arena *arena, struct lg_yaml_scalar *ret)
{
    char first = s.n != 0 ? s.p[0] : '~';
    bool number = (first >= '0' && first <= '9') || first == '+' || first == '-';
    bool looked_up = number || first == '.' || strchr("yYnNtTfFoO~", first) != NULL;
    if (looked_up && first != '\0' && resolve_word(s, ret))
        return;
    if (number || first == '.') {
        const char *text = without_underscores(s, first == '.', arena);
        if (text != NULL && number && resolve_integer(text, ret))
            return;
        if (text != NULL && resolve_float(text, ret))
            return;
    }
    *ret = (struct lg_yaml_scalar){.type = LG_YAML_STRING, .text = s};
}

static int base64_of(char c)
{
    const char *digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c != '\0' ? strchr(digits, c) : NULL;
    return at != NULL ? (int)(at - digits) : -1;
}

/* Standard base64 with padding; line breaks are passed over, as Go does. */
static bool decode_base64(struct lg_str s, struct lg_arena *arena, struct lg_str *ret)
{
    char *out = lg_arena_alloc(arena, s.n + 4);
    size_t n = 0;
    size_t digits = 0;
    size_t pads = 0;
    uint32_t bits = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\n' || s.p[i] == '\r')
            continue;
        int value = s.p[i] == '=' ? 0 : base64_of(s.p[i]);
        pads += s.p[i] == '=';
        if (value < 0 || (pads != 0 && s.p[i] != '=') || pads > 2)
            return false;
        bits = bits << 6 | (uint32_t)value;
        if (++digits % 4 != 0)
            continue;
        out[n++] = (char)(bits >> 16);
        out[n++] = (char)(bits >> 8);
        out[n++] = (char)bits;
        bits = 0;
        if (pads != 0 && i + 1 < s.n && s.p[i + 1] != '\n' && s.p[i + 1] != '\r')
            return false;
    }
    *ret = (struct lg_str){out, n - pads};
    return digits % 4 == 0 && n >= pads;
}

static bool looks_like_time(struct lg_str s)
{
    return s.n >= 8 && digit_of(s.p[0]) < 10 && digit_of(s.p[1]) < 10 && digit_of(s.p[2]) < 10 &&
           digit_of(s.p[3]) < 10 && s.p[4] == '-';
}

/* True when a scalar that reads as `type` may bear `tag` (without its prefix). */
static bool tag_fits(const char *tag, struct lg_yaml_scalar *io)
{
    if (strcmp(tag, "null") == 0)
        return io->type == LG_YAML_NULL;
    if (strcmp(tag, "bool") == 0)
        return io->type == LG_YAML_BOOL;
    if (strcmp(tag, "int") == 0)
        return io->type == LG_YAML_INT || io->type == LG_YAML_UINT;
    if (strcmp(tag, "float") == 0 && io->type == LG_YAML_INT) {
        io->type = LG_YAML_FLOAT;
        io->real = (double)io->integer;
    }
    if (strcmp(tag, "float") == 0)
        return io->type == LG_YAML_FLOAT;
    return io->type == LG_YAML_STRING && looks_like_time(io->text); /* timestamp */
}

enum lg_err_code lg_yaml_resolve(const struct lg_yaml_node *node, struct lg_arena *arena,
                                 struct lg_yaml_scalar *ret, struct lg_err *err)
{
    static const char *const resolvable[] = {"bool", "int", "float", "null", "timestamp", NULL};
    struct lg_yaml_scalar as_string = {.type = LG_YAML_STRING, .text = node->text};
    if (node->tag.n == 0) {
        *ret = as_string;
        if (node->plain)
            resolve_plain(node->text, arena, ret);
        return LG_E_OK;
    }
    *ret = as_string;
    if (lg_str_is(node->tag, TAG_PREFIX "binary")) {
        if (!decode_base64(node->text, arena, &ret->text))
            return lg_err_set(err, LG_E_INVALID, NULL, "!!binary is no base64");
        return LG_E_OK;
    }
    for (const char *const *tag = resolvable; *tag != NULL; tag++) {
        struct lg_str full = lg_arena_printf(arena, TAG_PREFIX "%s", *tag);
        if (!lg_str_eq(node->tag, full))
            continue;
        resolve_plain(node->text, arena, ret);
        if (!tag_fits(*tag, ret))
            return lg_err_set(err, LG_E_INVALID, NULL, "the value is no !!%s", *tag);
    }
    return LG_E_OK;
}

static void print_string(struct lg_str s, struct lg_buf *buf)
{
    lg_buf_putc(buf, '"');
    for (size_t i = 0; i < s.n;) {
        unsigned char c = (unsigned char)s.p[i];
        uint32_t ignored;
        size_t len = lg_utf8_decode((const unsigned char *)s.p + i, s.n - i, &ignored);
        if (len == 0)
            lg_buf_puts(buf, "\xEF\xBF\xBD");
        else if (c == '"' || c == '\\')
            lg_buf_printf(buf, "\\%c", c);
        else if (c < 0x20)
            lg_buf_printf(buf, "\\u%04x", c);
        else
            lg_buf_add(buf, s.p + i, len);
        i += len != 0 ? len : 1;
    }
    lg_buf_putc(buf, '"');
}

/* The shortest digits that read back as the same double, or float. */
static void shortest(double value, bool single, char out[40])
{
    for (int precision = 0; precision < 17; precision++) {
        snprintf(out, 40, "%.*e", precision, value);
        if (single ? strtof(out, NULL) == (float)value : strtod(out, NULL) == value)
            return;
    }
}

/* As Go's FormatFloat: with an exponent below 10^low or from 10^high on, else plain; `wide` prints two exponent digits
 * at least. */
static void print_float(double value, bool single, int low, int high, bool wide, struct lg_buf *buf)
{
    char digits[40];
    shortest(value, single, digits);
    char *e = strchr(digits, 'e');
    int exponent = (int)strtol(e + 1, NULL, 10);
    *e = '\0';
    if (value != 0 && (exponent < low || exponent >= high)) {
        lg_buf_printf(buf, wide ? "%se%c%02d" : "%se%c%d", digits, exponent < 0 ? '-' : '+',
                      abs(exponent));
        return;
    }
    size_t decimals = strchr(digits, '.') != NULL ? strlen(strchr(digits, '.') + 1) : 0;
    int places = (int)decimals - exponent;
    lg_buf_printf(buf, "%.*f", places > 0 ? places : 0, value);
}

enum lg_err_code lg_yaml_print_value(const struct lg_yaml_scalar *scalar, struct lg_buf *buf,
                                     struct lg_err *err)
{
    switch (scalar->type) {
    case LG_YAML_NULL:
        lg_buf_puts(buf, "null");
        break;
    case LG_YAML_BOOL:
        lg_buf_puts(buf, scalar->truth ? "true" : "false");
        break;
    case LG_YAML_INT:
        lg_buf_printf(buf, "%lld", (long long)scalar->integer);
        break;
    case LG_YAML_UINT:
        lg_buf_printf(buf, "%llu", (unsigned long long)scalar->natural);
        break;
    case LG_YAML_FLOAT:
        if (!isfinite(scalar->real))
            return lg_err_set(err, LG_E_INVALID, NULL, "JSON has no infinity and no not-a-number");
        print_float(scalar->real, false, -6, 21, false, buf);
        break;
    case LG_YAML_STRING:
        print_string(scalar->text, buf);
        break;
    }
    return LG_E_OK;
}

enum lg_err_code lg_yaml_print_key(const struct lg_yaml_scalar *scalar, struct lg_buf *buf,
                                   struct lg_err *err)
{
    if (scalar->type == LG_YAML_STRING) {
        print_string(scalar->text, buf);
        return LG_E_OK;
    }
    if (scalar->type == LG_YAML_NULL || scalar->type == LG_YAML_UINT)
        return lg_err_set(err, LG_E_INVALID, NULL,
                          scalar->type == LG_YAML_NULL ? "null cannot be a key"
                                                       : "the key is an integer beyond 64 bits");
    lg_buf_putc(buf, '"');
    if (scalar->type != LG_YAML_FLOAT)
        (void)lg_yaml_print_value(scalar, buf, err);
    else if (isnan(scalar->real))
        lg_buf_puts(buf, ".nan");
    else if (isinf((float)scalar->real))
        lg_buf_puts(buf, scalar->real < 0 ? "-.inf" : ".inf");
    else
        print_float((float)scalar->real, true, -4, 6, true, buf);
    lg_buf_putc(buf, '"');
    return LG_E_OK;
}
