/* Errors with their place, the nearest known name, and the shapes that a policy is made of. */
#include "rules/policy_read.h"

#include <stdarg.h>
#include <stdio.h>

#include "rules/core/mem.h"

bool lg_policy_fail(const struct lg_policy_parser *parser, enum lg_err_code code, struct lg_val at,
                    const char *format, ...)
{
    char text[LG_ERR_TEXT_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    struct lg_buf shown lg_cleanup(lg_buf_done) = {0};
    lg_buf_printable(&shown, lg_str_of(text));
    struct lg_mark mark = lg_json_mark(at);
    char where[LG_ERR_WHERE_BYTES];
    snprintf(where, sizeof(where), "%s:%u:%u", parser->file, mark.line, mark.column);
    (void)lg_err_set(parser->err, code, where, "%s", lg_buf_view(&shown).p);
    return false;
}

struct lg_val lg_policy_key_at(const struct lg_json_iter *it)
{
    return (struct lg_val){it->val.doc, it->val.i - 1}; /* the node before its value */
}

/* Edits (insert, delete, replace) that turn a into b; LG_NEAREST_NONE for long names. */
static unsigned edits(struct lg_str a, struct lg_str b)
{
    unsigned row[LG_NAME_SHOWN_MAX + 1];
    if (a.n > LG_NAME_SHOWN_MAX || b.n > LG_NAME_SHOWN_MAX)
        return LG_NEAREST_NONE;
    for (unsigned k = 0; k <= b.n; k++)
        row[k] = k;
    for (size_t i = 0; i < a.n; i++) {
        unsigned diagonal = row[0]++;
        for (size_t k = 0; k < b.n; k++) {
            unsigned best = diagonal + ((a.p[i] | 0x20) != (b.p[k] | 0x20));
            diagonal = row[k + 1];
            best = best < row[k] + 1 ? best : row[k] + 1;
            row[k + 1] = best < diagonal + 1 ? best : diagonal + 1;
        }
    }
    return row[b.n];
}

void lg_nearest_consider(struct lg_nearest *nearest, const char *name)
{
    unsigned n = edits(nearest->wanted, lg_str_of(name));
    if (n < nearest->edits) {
        nearest->edits = n;
        nearest->name = name;
    }
}

struct lg_str lg_nearest_suggestion(const struct lg_nearest *nearest, struct lg_arena *arena)
{
    /* Two, so that swapped letters are found; short names are too near to one another. */
    size_t n = nearest->wanted.n;
    size_t enough = n < 4 ? 1 : n < 9 ? 2 : n / 3;
    if (nearest->name == NULL || nearest->edits > enough)
        return LG_STR("");
    return lg_arena_printf(arena, "; did you mean \"%s\"?", nearest->name);
}

bool lg_policy_want(const struct lg_policy_parser *parser, struct lg_val v, enum lg_json_kind kind,
                    const char *what, const char *expected)
{
    if (lg_json_kind(v) == kind)
        return true;
    return lg_policy_fail(parser, LG_E_INVALID, v, "%s must be %s, not %s", what, expected,
                          lg_json_kind_name(v));
}

bool lg_policy_only_keys(const struct lg_policy_parser *parser, struct lg_val v, const char *what,
                         const char *const *keys)
{
    for (struct lg_json_iter it = lg_json_iter(v); lg_json_next(&it);) {
        struct lg_nearest nearest = {.wanted = it.key, .edits = LG_NEAREST_NONE};
        const char *const *key = keys;
        for (; *key != NULL && !lg_str_is(it.key, *key); key++)
            lg_nearest_consider(&nearest, *key);
        if (*key != NULL)
            continue;
        return lg_policy_fail(parser, LG_E_INVALID, lg_policy_key_at(&it),
                              "%s: unknown key \"%.*s\"%.*s", what,
                              LG_ARG(lg_str_cut(it.key, LG_NAME_SHOWN_MAX)),
                              LG_ARG(lg_nearest_suggestion(&nearest, parser->arena)));
    }
    return true;
}

bool lg_policy_want_list(const struct lg_policy_parser *parser, struct lg_val v, const char *what,
                         size_t max)
{
    if (!lg_policy_want(parser, v, LG_JSON_ARRAY, what, "a list"))
        return false;
    size_t n = lg_json_len(v);
    if (n == 0)
        return lg_policy_fail(parser, LG_E_INVALID, v, "%s is empty", what);
    if (n > max)
        return lg_policy_fail(parser, LG_E_LIMIT, v, "%s has %zu items, at most %zu are read", what,
                              n, max);
    return true;
}

bool lg_policy_want_text(const struct lg_policy_parser *parser, struct lg_val v, const char *what)
{
    if (!lg_policy_want(parser, v, LG_JSON_STRING, what, "a string"))
        return false;
    if (lg_json_str(v).n == 0)
        return lg_policy_fail(parser, LG_E_INVALID, v, "%s is empty", what);
    return true;
}
