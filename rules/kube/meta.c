#include "rules/kube/meta.h"

enum lg_err_code lg_meta_parse(struct lg_arena *arena, struct lg_str text, struct lg_val *ret_root,
                               struct lg_err *err)
{
    struct lg_doc *doc = lg_arena_alloc(arena, sizeof *doc);
    *doc = (struct lg_doc){.text = text, .arena = arena, .without = LG_STR("managedFields")};
    return lg_json_parse_doc(doc, ret_root, err);
}

/* Exactly `n` digits at `*at`. */
static bool take_number(struct lg_str *text, size_t n, int *ret)
{
    if (text->n < n)
        return false;
    *ret = 0;
    for (size_t i = 0; i < n; i++) {
        if (text->p[i] < '0' || text->p[i] > '9')
            return false;
        *ret = *ret * 10 + (text->p[i] - '0');
    }
    *text = (struct lg_str){text->p + n, text->n - n};
    return true;
}

static bool take_char(struct lg_str *text, char c)
{
    if (text->n == 0 || text->p[0] != c)
        return false;
    *text = (struct lg_str){text->p + 1, text->n - 1};
    return true;
}

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_of_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days from 1970-01-01 to the date; negative before. */
static int64_t days_since_epoch(int year, int month, int day)
{
    int64_t before = year - 1; /* whole years since 0001-01-01, Gregorian throughout */
    int64_t days = year == 0 ? -366 : before * 365 + before / 4 - before / 100 + before / 400;
    for (int m = 1; m < month; m++)
        days += days_of_month(year, m);
    return days + day - 1 - 719162; /* days from 0001-01-01 to 1970-01-01 */
}

/* "Z", "+01:00", "-07:30". */
static bool take_offset(struct lg_str *text, int64_t *ret_s)
{
    *ret_s = 0;
    if (take_char(text, 'Z'))
        return true;
    int sign = take_char(text, '-') ? -1 : 1;
    int hours;
    int minutes;
    if (sign > 0 && !take_char(text, '+'))
        return false;
    if (!take_number(text, 2, &hours) || !take_char(text, ':') || !take_number(text, 2, &minutes) ||
        hours > 23 || minutes > 59)
        return false;
    *ret_s = (int64_t)sign * (hours * 60 + minutes) * 60;
    return true;
}

static bool take_fraction(struct lg_str *text)
{
    if (!take_char(text, '.'))
        return true;
    int ignored;
    if (!take_number(text, 1, &ignored))
        return false;
    while (take_number(text, 1, &ignored)) {
        /* dropped */
    }
    return true;
}

enum lg_err_code lg_meta_time(struct lg_str text, int64_t *ret_unix_s)
{
    int year, month, day, hour, minute, second;
    bool date = take_number(&text, 4, &year) && take_char(&text, '-') &&
                take_number(&text, 2, &month) && take_char(&text, '-') &&
                take_number(&text, 2, &day) && take_char(&text, 'T');
    if (!date || month < 1 || month > 12 || day < 1 || day > days_of_month(year, month))
        return LG_E_INVALID;
    int64_t offset_s;
    bool clock = take_number(&text, 2, &hour) && take_char(&text, ':') &&
                 take_number(&text, 2, &minute) && take_char(&text, ':') &&
                 take_number(&text, 2, &second) && take_fraction(&text) &&
                 take_offset(&text, &offset_s);
    if (!clock || text.n != 0 || hour > 23 || minute > 59 || second > 59)
        return LG_E_INVALID;
    int64_t minutes = (days_since_epoch(year, month, day) * 24 + hour) * 60 + minute;
    *ret_unix_s = minutes * 60 + second - offset_s;
    return LG_E_OK;
}

bool lg_meta_deleting(struct lg_val object)
{
    return lg_json_there(lg_json_at(object, "metadata.deletionTimestamp"));
}

bool lg_meta_has_controller(struct lg_val object)
{
    struct lg_val owners = lg_json_at(object, "metadata.ownerReferences");
    for (struct lg_json_iter it = lg_json_iter(owners); lg_json_next(&it);)
        if (lg_json_bool(lg_json_get(it.val, "controller"), false))
            return true;
    return false;
}

struct lg_str lg_meta_age_text(int64_t age_s, struct lg_arena *arena)
{
    static const struct {
        int64_t below_s, unit_s;
        const char *name;
    } steps[] = {{120, 1, "s"}, {7200, 60, "min"}, {172800, 3600, "h"}, {INT64_MAX, 86400, "d"}};
    size_t i = 0;
    while (age_s >= steps[i].below_s && i < 3)
        i++;
    long long age = age_s > 0 ? age_s / steps[i].unit_s : 0;
    return lg_arena_printf(arena, "%lld %s", age, steps[i].name);
}
