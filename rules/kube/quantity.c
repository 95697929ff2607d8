#include "rules/kube/quantity.h"

#include "rules/core/num.h"

/* A quantity taken apart: sign, digits before and behind the point, and digits x 10^exponent x
 * 2^shift. */
struct parts {
    bool negative;
    struct lg_str whole, fraction; /* digits only; `whole` without leading zeros */
    bool any_digit;                /* leading zeros count */
    int32_t exponent;              /* of ten */
    unsigned shift;                /* of two; 0 = a decimal quantity */
};

struct suffix_row {
    const char *text;
    int32_t exponent;
    unsigned shift;
};

static const struct suffix_row suffixes[] = {
    {"", 0, 0},    {"n", -9, 0},  {"u", -6, 0},  {"m", -3, 0},  {"k", 3, 0},   {"M", 6, 0},
    {"G", 9, 0},   {"T", 12, 0},  {"P", 15, 0},  {"E", 18, 0},  {"Ki", 0, 10}, {"Mi", 0, 20},
    {"Gi", 0, 30}, {"Ti", 0, 40}, {"Pi", 0, 50}, {"Ei", 0, 60},
};

static struct lg_str take_digits(struct lg_str *text)
{
    size_t n = 0;
    while (n < text->n && text->p[n] >= '0' && text->p[n] <= '9')
        n++;
    struct lg_str digits = {text->p, n};
    *text = (struct lg_str){text->p + n, text->n - n};
    return digits;
}

static bool read_suffix(struct lg_str text, struct parts *parts)
{
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++)
        if (lg_str_is(text, suffixes[i].text)) {
            parts->exponent = suffixes[i].exponent;
            parts->shift = suffixes[i].shift;
            return true;
        }
    int64_t exponent = 0;
    if ((text.p[0] | 0x20) != 'e' ||
        lg_num_go_int64((struct lg_str){text.p + 1, text.n - 1}, &exponent) != LG_E_OK)
        return false;
    parts->exponent = (int32_t)(uint32_t)(uint64_t)exponent;
    return true;
}

static bool take_apart(struct lg_str text, struct parts *parts)
{
    if (text.n == 0)
        return false;
    parts->negative = text.p[0] == '-';
    if (text.p[0] == '-' || text.p[0] == '+')
        text = (struct lg_str){text.p + 1, text.n - 1};
    struct lg_str whole = take_digits(&text);
    bool nothing_else = text.n == 0;
    if (text.n != 0 && text.p[0] == '.') {
        text = (struct lg_str){text.p + 1, text.n - 1};
        parts->fraction = take_digits(&text);
    }
    parts->any_digit = whole.n + parts->fraction.n != 0;
    while (whole.n != 0 && whole.p[0] == '0')
        whole = (struct lg_str){whole.p + 1, whole.n - 1};
    parts->whole = whole;
    if (nothing_else)
        return true;
    if (!read_suffix(text, parts))
        return false;
    /* Upstream reads short texts by a fast path that takes no digits for zero, and the others by
     * one that refuses them: too small an exponent, or a binary suffix beyond Ti. */
    return parts->any_digit || (parts->exponent >= -9 && parts->shift < 50);
}

/* Digit `i` of whole and fraction together, 0 behind them. */
static unsigned digit_at(const struct parts *parts, int64_t i)
{
    int64_t whole_n = (int64_t)parts->whole.n;
    if (i < whole_n)
        return (unsigned)(parts->whole.p[i] - '0');
    if (i - whole_n < (int64_t)parts->fraction.n)
        return (unsigned)(parts->fraction.p[i - whole_n] - '0');
    return 0;
}

/* The smallest integer not below |quantity| x 10^more, saturating at `limit`.
 *
 * `point` is where the decimal point falls among the digits. What stands before it is at most 10^19
 * and is shifted exactly in 128 bits. What stands behind it is multiplied by 2^shift digit by digit
 * from the right: each digit times 2^60 plus a carry below 2^60 fits 64 bits, the last carry is the
 * integer part and a digit that stays behind means that there is a rest. */
static uint64_t magnitude(const struct parts *parts, int more, uint64_t limit)
{
    int64_t n = (int64_t)(parts->whole.n + parts->fraction.n);
    int64_t first = 0;
    while (first < n && digit_at(parts, first) == 0)
        first++;
    if (first == n)
        return 0;
    int64_t point = (int64_t)parts->whole.n + parts->exponent + more;
    if (point - first > 19)
        return limit;

    unsigned __int128 result = 0;
    for (int64_t i = first; i < point; i++)
        result = result * 10 + digit_at(parts, i);
    result <<= parts->shift;

    uint64_t carry = 0;
    bool rest = false;
    int64_t stop = point > first ? point : first;
    for (int64_t i = n - 1; i >= stop; i--) {
        uint64_t t = ((uint64_t)digit_at(parts, i) << parts->shift) + carry;
        carry = t / 10;
        rest = rest || t % 10 != 0;
    }
    for (int64_t i = first - point; i > 0 && carry != 0; i--) { /* zeros between point and digits */
        rest = rest || carry % 10 != 0;
        carry /= 10;
    }
    result += carry;
    result += rest;
    return result > limit ? limit : (uint64_t)result;
}

static int64_t scaled(const struct parts *parts, int more)
{
    /* Upstream caps a binary quantity at 2^63 - 1 before it puts the sign back. */
    bool symmetric = parts->shift != 0 && more == 0;
    uint64_t limit = (uint64_t)INT64_MAX + (parts->negative && !symmetric);
    uint64_t m = magnitude(parts, more, limit);
    if (!parts->negative)
        return (int64_t)m;
    return m > (uint64_t)INT64_MAX ? INT64_MIN : -(int64_t)m;
}

enum lg_err_code lg_quantity_parse(struct lg_str text, struct lg_quantity *ret)
{
    struct parts parts = {0};
    if (!take_apart(text, &parts))
        return LG_E_INVALID;
    *ret = (struct lg_quantity){.value = scaled(&parts, 0), .milli = scaled(&parts, 3)};
    return LG_E_OK;
}

enum lg_err_code lg_quantity_read(struct lg_val v, struct lg_quantity *ret)
{
    switch (lg_json_kind(v)) {
    case LG_JSON_STRING:
        return lg_quantity_parse(lg_json_str(v), ret);
    case LG_JSON_NUMBER:
        return lg_quantity_parse(lg_json_text(v), ret);
    default:
        return LG_E_INVALID;
    }
}
