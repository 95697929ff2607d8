#include "rules/core/yaml_scalar.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>

#include "rules/core/base64.h"
#include "rules/core/mem.h"

#define TAG_PREFIX "tag:yaml.org,2002:"

enum { SPELLING_BYTES = 6 };

enum word { WORD_NULL, WORD_TRUE, WORD_FALSE, WORD_NAN, WORD_INF, WORD_MINUS_INF };

/* Every spelling that means something: other mixes of case are plain strings. */
static const struct {
    char text[SPELLING_BYTES];
    enum word word;
} words[] = {
    {"", WORD_NULL},           {"~", WORD_NULL},          {"null", WORD_NULL},
    {"Null", WORD_NULL},       {"NULL", WORD_NULL},       {"y", WORD_TRUE},
    {"Y", WORD_TRUE},          {"yes", WORD_TRUE},        {"Yes", WORD_TRUE},
    {"YES", WORD_TRUE},        {"true", WORD_TRUE},       {"True", WORD_TRUE},
    {"TRUE", WORD_TRUE},       {"on", WORD_TRUE},         {"On", WORD_TRUE},
    {"ON", WORD_TRUE},         {"n", WORD_FALSE},         {"N", WORD_FALSE},
    {"no", WORD_FALSE},        {"No", WORD_FALSE},        {"NO", WORD_FALSE},
    {"false", WORD_FALSE},     {"False", WORD_FALSE},     {"FALSE", WORD_FALSE},
    {"off", WORD_FALSE},       {"Off", WORD_FALSE},       {"OFF", WORD_FALSE},
    {".nan", WORD_NAN},        {".NaN", WORD_NAN},        {".NAN", WORD_NAN},
    {".inf", WORD_INF},        {".Inf", WORD_INF},        {".INF", WORD_INF},
    {"+.inf", WORD_INF},       {"+.Inf", WORD_INF},       {"+.INF", WORD_INF},
    {"-.inf", WORD_MINUS_INF}, {"-.Inf", WORD_MINUS_INF}, {"-.INF", WORD_MINUS_INF},
};

static bool find_word(struct lg_str s, struct lg_yaml_scalar *ret)
{
    static const double floats[] = {
        [WORD_NAN] = NAN, [WORD_INF] = INFINITY, [WORD_MINUS_INF] = -INFINITY};
    if (s.n >= SPELLING_BYTES)
        return false;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!lg_str_is(s, words[i].text))
            continue;
        enum word word = words[i].word;
        if (word == WORD_NULL)
            ret->kind = LG_YAML_NULL;
        else if (word == WORD_TRUE || word == WORD_FALSE)
            *ret = (struct lg_yaml_scalar){.kind = LG_YAML_BOOL, .truth = word == WORD_TRUE};
        else
            *ret = (struct lg_yaml_scalar){.kind = LG_YAML_FLOAT, .f = floats[word]};
        return true;
    }
    return false;
}

/* Takes a base prefix off: 0x, 0o and 0b, or a leading zero for octal. A prefix alone is no
 * number. */
static unsigned take_base(struct lg_str *s)
{
    if (s->n == 0 || s->p[0] != '0')
        return 10;
    char c = (char)(s->n >= 3 ? s->p[1] | 0x20 : 0);
    unsigned base = c == 'x' ? 16 : c == 'o' ? 8 : c == 'b' ? 2 : 0;
    size_t skip = base != 0 ? 2 : 1;
    *s = (struct lg_str){s->p + skip, s->n - skip};
    return base != 0 ? base : 8;
}

static bool take_digits(struct lg_str s, unsigned base, uint64_t *ret)
{
    uint64_t value = 0;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        unsigned digit = c >= '0' && c <= '9' ? c - (unsigned)'0'
                         : isalpha(c)         ? (c | 0x20u) - 'a' + 10
                                              : 99;
        if (digit >= base || __builtin_mul_overflow(value, base, &value) ||
            __builtin_add_overflow(value, digit, &value))
            return false;
    }
    *ret = value;
    return true;
}

static bool take_sign(struct lg_str *s)
{
    bool negative = lg_str_starts(*s, "-");
    if (negative || lg_str_starts(*s, "+"))
        *s = (struct lg_str){s->p + 1, s->n - 1};
    return negative;
}

/* An integer as Go's ParseInt reads it, then as ParseUint does (which takes no sign). base 0 = by
 * its prefix. */
static bool find_integer(struct lg_str s, unsigned base, struct lg_yaml_scalar *ret)
{
    const size_t length = s.n;
    bool negative = take_sign(&s);
    bool has_sign = s.n != length;
    if (s.n == 0)
        return false;
    if (base == 0)
        base = take_base(&s);
    uint64_t u;
    if (!take_digits(s, base, &u))
        return false;
    if (negative ? u <= (uint64_t)INT64_MAX + 1 : u <= INT64_MAX) {
        *ret = (struct lg_yaml_scalar){.kind = LG_YAML_INT, .i = (int64_t)(negative ? 0 - u : u)};
        return true;
    }
    *ret = (struct lg_yaml_scalar){.kind = LG_YAML_UINT, .u = u};
    return !has_sign;
}

/* 0b with a sign behind it is no number to Go, but yaml.v2 has an older reading of its own. */
static bool find_old_binary(struct lg_str s, struct lg_yaml_scalar *ret)
{
    return lg_str_starts(s, "0b") && find_integer((struct lg_str){s.p + 2, s.n - 2}, 2, ret);
}

static size_t count_digits(struct lg_str s, size_t at)
{
    size_t n = 0;
    while (at + n < s.n && s.p[at + n] >= '0' && s.p[at + n] <= '9')
        n++;
    return n;
}

/* True for [-+]? (digits, a point, digits: not only a point) ([eE] [-+]? digits)?. */
static bool looks_like_float(struct lg_str s)
{
    (void)take_sign(&s);
    size_t whole = count_digits(s, 0);
    size_t at = whole;
    if (at < s.n && s.p[at] == '.') {
        size_t part = count_digits(s, at + 1);
        if (whole + part == 0)
            return false;
        at += 1 + part;
    } else if (whole == 0) {
        return false;
    }
    if (at < s.n && (s.p[at] | 0x20) == 'e') {
        at++;
        at += at < s.n && (s.p[at] == '+' || s.p[at] == '-');
        size_t exponent = count_digits(s, at);
        if (exponent == 0)
            return false;
        at += exponent;
    }
    return at == s.n;
}

/* A float; what no double holds stays a string. */
static bool find_float(struct lg_str s, struct lg_yaml_scalar *ret)
{
    if (!looks_like_float(s))
        return false;
    char *text lg_cleanup(lg_free_cleanup) = lg_memdup(s.p, s.n);
    double f = strtod(text, NULL);
    if (!isfinite(f))
        return false;
    *ret = (struct lg_yaml_scalar){.kind = LG_YAML_FLOAT, .f = f};
    return true;
}

/* Go allows an underscore only between two digits. */
static bool underscores_between_digits(struct lg_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == '_' && (i == 0 || i + 1 == s.n || !isdigit((unsigned char)s.p[i - 1]) ||
                              !isdigit((unsigned char)s.p[i + 1])))
            return false;
    return true;
}

static struct lg_str without_underscores(struct lg_arena *arena, struct lg_str s)
{
    if (s.n == 0 || memchr(s.p, '_', s.n) == NULL)
        return s;
    char *text = lg_arena_alloc(arena, s.n);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != '_')
            text[n++] = s.p[i];
    return (struct lg_str){text, n};
}

/* Reads one or two digits (a year: four) at *at that make `low` to `high`. */
static bool take_field(struct lg_str s, size_t *at, unsigned low, unsigned high, unsigned *ret)
{
    size_t max = high > 99 ? 4 : 2;
    unsigned value = 0;
    size_t n = 0;
    for (; n < max && n < count_digits(s, *at); n++)
        value = value * 10 + (unsigned)(s.p[*at + n] - '0');
    *at += n;
    *ret = value;
    return n != 0 && value >= low && value <= high;
}

static bool take_char(struct lg_str s, size_t *at, char c)
{
    bool there = *at < s.n && s.p[*at] == c;
    *at += there;
    return there;
}

static unsigned days_of(unsigned year, unsigned month)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

/* h:m:s, a fraction, and, but behind a blank, Z or an offset. */
static bool is_clock(struct lg_str s, size_t at, bool zoned)
{
    unsigned ignored;
    if (!take_field(s, &at, 0, 23, &ignored) || !take_char(s, &at, ':') ||
        !take_field(s, &at, 0, 59, &ignored) || !take_char(s, &at, ':') ||
        !take_field(s, &at, 0, 59, &ignored))
        return false;
    if (at + 1 < s.n && (s.p[at] == '.' || s.p[at] == ',') && count_digits(s, at + 1) != 0)
        at += 1 + count_digits(s, at + 1);
    if (!zoned || take_char(s, &at, 'Z'))
        return at == s.n;
    return at + 6 == s.n && (s.p[at] == '+' || s.p[at] == '-') && count_digits(s, at + 1) == 2 &&
           s.p[at + 3] == ':' && count_digits(s, at + 4) == 2;
}

static bool is_time(struct lg_str s)
{
    unsigned year;
    unsigned month;
    unsigned day;
    size_t at = 0;
    if (count_digits(s, 0) != 4 || !take_field(s, &at, 0, 9999, &year) || !take_char(s, &at, '-') ||
        !take_field(s, &at, 1, 12, &month) || !take_char(s, &at, '-') ||
        !take_field(s, &at, 1, 31, &day) || day > days_of(year, month))
        return false;
    if (at == s.n)
        return true;
    char c = s.p[at];
    return (c == 'T' || c == 't' || c == ' ') && is_clock(s, at + 1, c != ' ');
}

/* What an untagged plain scalar means; the first character rules most of it out. */
static void find_meaning(struct lg_arena *arena, struct lg_str s, bool time,
                         struct lg_yaml_scalar *ret)
{
    *ret = (struct lg_yaml_scalar){.kind = LG_YAML_STRING, .text = s};
    char c = (char)(s.n != 0 ? s.p[0] : '~');
    bool number = (c >= '0' && c <= '9') || c == '+' || c == '-';
    if (!number && (c == '\0' || strchr("yYnNtTfFoO~.", c) == NULL))
        return;
    if (find_word(s, ret))
        return;
    if (c == '.') {
        if (underscores_between_digits(s))
            (void)find_float(without_underscores(arena, s), ret);
        return;
    }
    if (!number)
        return;
    if (time && is_time(s)) {
        ret->kind = LG_YAML_TIME;
        return;
    }
    struct lg_str plain = without_underscores(arena, s);
    if (!find_integer(plain, 0, ret) && !find_float(plain, ret) && !find_old_binary(plain, ret))
        *ret = (struct lg_yaml_scalar){.kind = LG_YAML_STRING, .text = s};
}

static const char *decode_base64(struct lg_arena *arena, struct lg_str s, struct lg_str *ret)
{
    char *text = lg_arena_alloc(arena, lg_base64_room(s.n));
    if (!lg_base64_decode(s, text, &ret->n))
        return "!!binary that is not base64";
    ret->p = text;
    return NULL;
}

static const char *check_tag(const char *name, struct lg_yaml_scalar *scalar)
{
    static const struct {
        const char *name;
        enum lg_yaml_kind kind;
        const char *wrong;
    } tags[] = {
        {"null", LG_YAML_NULL, "!!null in front of what is not null"},
        {"bool", LG_YAML_BOOL, "!!bool in front of what is no boolean"},
        {"int", LG_YAML_INT, "!!int in front of what is no integer"},
        {"float", LG_YAML_FLOAT, "!!float in front of what is no number"},
        {"timestamp", LG_YAML_TIME, "!!timestamp in front of what is no time"},
    };
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
        if (strcmp(name, tags[i].name) != 0)
            continue;
        if (tags[i].kind == LG_YAML_FLOAT && scalar->kind == LG_YAML_INT)
            *scalar = (struct lg_yaml_scalar){.kind = LG_YAML_FLOAT, .f = (double)scalar->i};
        bool fits = scalar->kind == tags[i].kind ||
                    (tags[i].kind == LG_YAML_INT && scalar->kind == LG_YAML_UINT);
        return fits ? NULL : tags[i].wrong;
    }
    return NULL;
}

static bool is_checked_tag(const char *name)
{
    static const char *const names[] = {"null", "bool", "int", "float", "timestamp"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

const char *lg_yaml_resolve(struct lg_arena *arena, const char *tag, struct lg_str value,
                            bool plain, struct lg_yaml_scalar *ret)
{
    *ret = (struct lg_yaml_scalar){.kind = LG_YAML_STRING, .text = value};
    if (tag == NULL) {
        if (plain)
            find_meaning(arena, value, false, ret);
        return NULL;
    }
    if (strncmp(tag, TAG_PREFIX, strlen(TAG_PREFIX)) != 0)
        return NULL;
    const char *name = tag + strlen(TAG_PREFIX);
    if (strcmp(name, "binary") == 0)
        return decode_base64(arena, value, &ret->text);
    if (!is_checked_tag(name))
        return NULL;
    find_meaning(arena, value, strcmp(name, "timestamp") == 0, ret);
    return check_tag(name, ret);
}
