#include "webhook/server/duration.h"

static const struct unit {
    const char *name;
    int64_t ns;
} units[] = {
    {"ns", 1},       {"us", 1000},      {"\xc2\xb5s", 1000},      {"\xce\xbcs", 1000},
    {"ms", 1000000}, {"s", 1000000000}, {"m", 60LL * 1000000000}, {"h", 3600LL * 1000000000},
    {NULL, 0},
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The unit's name runs up to the next digit or point. */
static int64_t take_unit(struct lg_str *rest)
{
    struct lg_str name = {rest->p, 0};
    while (name.n < rest->n && !is_digit(name.p[name.n]) && name.p[name.n] != '.')
        name.n++;
    for (const struct unit *unit = units; unit->name != NULL; unit++) {
        if (lg_str_is(name, unit->name)) {
            rest->p += name.n;
            rest->n -= name.n;
            return unit->ns;
        }
    }
    return 0;
}

/* One "<number><unit>"; digits behind the ninth place of a fraction are below what is kept. */
static enum lg_err_code take_term(struct lg_str *rest, int64_t *io_ns)
{
    static const int64_t max_ns = (int64_t)LG_DURATION_MS_MAX * 1000000;
    int64_t whole = 0, fraction = 0, scale = 1;
    size_t digits = 0;

    for (; rest->n > 0 && is_digit(*rest->p); rest->p++, rest->n--, digits++) {
        whole = whole * 10 + (*rest->p - '0');
        if (whole > max_ns)
            return LG_E_LIMIT;
    }
    if (rest->n > 0 && *rest->p == '.') {
        rest->p++;
        rest->n--;
        for (; rest->n > 0 && is_digit(*rest->p); rest->p++, rest->n--, digits++) {
            if (scale < 1000000) {
                fraction = fraction * 10 + (*rest->p - '0');
                scale *= 10;
            }
        }
    }
    int64_t unit_ns = take_unit(rest);
    if (digits == 0 || unit_ns == 0)
        return LG_E_INVALID;
    if (whole > max_ns / unit_ns)
        return LG_E_LIMIT;
    *io_ns += whole * unit_ns + fraction * unit_ns / scale;
    return *io_ns > max_ns ? LG_E_LIMIT : LG_E_OK;
}

enum lg_err_code lg_duration_ms(struct lg_str text, int64_t *ret)
{
    int64_t ns = 0;

    if (lg_str_starts(text, "+")) {
        text.p++;
        text.n--;
    }
    if (lg_str_is(text, "0")) {
        *ret = 0;
        return LG_E_OK;
    }
    if (lg_str_empty(text))
        return LG_E_INVALID;
    while (text.n > 0) {
        enum lg_err_code code = take_term(&text, &ns);
        if (code != LG_E_OK)
            return code;
    }
    *ret = ns / 1000000;
    return LG_E_OK;
}
