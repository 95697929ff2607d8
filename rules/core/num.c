#include "rules/core/num.h"

static enum lg_err_code digits(struct lg_str text, bool negative, int64_t *ret)
{
    if (text.n == 0)
        return LG_E_INVALID;
    int64_t value = 0; /* kept negative: the range is one larger there */
    bool fits = true;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return LG_E_INVALID;
        fits = fits && !__builtin_mul_overflow(value, 10, &value) &&
               !__builtin_sub_overflow(value, text.p[i] - '0', &value);
    }
    if (!fits || (!negative && value == INT64_MIN))
        return LG_E_LIMIT;
    *ret = negative ? value : -value;
    return LG_E_OK;
}

enum lg_err_code lg_num_int64(struct lg_str text, int64_t *ret)
{
    bool negative = lg_str_starts(text, "-");
    if (negative)
        text = (struct lg_str){text.p + 1, text.n - 1};
    if (text.n > 1 && text.p[0] == '0')
        return LG_E_INVALID;
    return digits(text, negative, ret);
}

enum lg_err_code lg_num_go_int64(struct lg_str text, int64_t *ret)
{
    bool negative = lg_str_starts(text, "-");
    if (negative || lg_str_starts(text, "+"))
        text = (struct lg_str){text.p + 1, text.n - 1};
    return digits(text, negative, ret);
}
