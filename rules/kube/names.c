#include "rules/kube/names.h"

static bool is_lower_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_alphanumeric(char c)
{
    return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z');
}

static bool is_dashed(struct lg_str s)
{
    if (s.n == 0 || !is_lower_or_digit(s.p[0]) || !is_lower_or_digit(s.p[s.n - 1]))
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!is_lower_or_digit(s.p[i]) && s.p[i] != '-')
            return false;
    return true;
}

bool lg_name_is_label(struct lg_str s)
{
    return s.n <= LG_NAME_LABEL_BYTES_MAX && is_dashed(s);
}

/* The parts between points have no length of their own: only the whole is bounded. */
bool lg_name_is_subdomain(struct lg_str s)
{
    if (s.n > LG_NAME_SUBDOMAIN_BYTES_MAX)
        return false;
    size_t start = 0;
    for (size_t i = 0; i <= s.n; i++) {
        if (i < s.n && s.p[i] != '.')
            continue;
        if (!is_dashed((struct lg_str){s.p + start, i - start}))
            return false;
        start = i + 1;
    }
    return true;
}

static bool is_qualified_part(struct lg_str s)
{
    if (s.n == 0 || s.n > LG_NAME_LABEL_BYTES_MAX || !is_alphanumeric(s.p[0]) ||
        !is_alphanumeric(s.p[s.n - 1]))
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!is_alphanumeric(s.p[i]) && s.p[i] != '-' && s.p[i] != '_' && s.p[i] != '.')
            return false;
    return true;
}

bool lg_name_is_label_key(struct lg_str s)
{
    const char *slash = s.n != 0 ? memchr(s.p, '/', s.n) : NULL;
    if (slash == NULL)
        return is_qualified_part(s);
    size_t n = (size_t)(slash - s.p);
    return lg_name_is_subdomain((struct lg_str){s.p, n}) &&
           is_qualified_part((struct lg_str){slash + 1, s.n - n - 1});
}

bool lg_name_is_label_value(struct lg_str s)
{
    return s.n == 0 || is_qualified_part(s);
}
