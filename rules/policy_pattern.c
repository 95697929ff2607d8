/* Patterns of names: read with their place, compiled once, matched within limits. */
#include "rules/core/mem.h"
#include "rules/policy_read.h"

#define LABEL_CHARACTERS "abcdefghijklmnopqrstuvwxyz0123456789-"

/* Namespaces are DNS labels, other names DNS subdomains. */
static const struct {
    const char *alphabet;
    size_t bytes_max;
} names_of[] = {
    [LG_PATTERN_OF_NAMESPACE] = {LABEL_CHARACTERS, 63},
    [LG_PATTERN_OF_NAME] = {LABEL_CHARACTERS ".", 253},
};

/* Without any character that means something else in a pattern. */
static bool literal(struct lg_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == '\0' || strchr(LABEL_CHARACTERS, s.p[i]) == NULL)
            return false;
    return true;
}

static bool compile(const struct lg_policy_parser *parser, struct lg_val v, struct lg_str text,
                    const struct lg_regex **ret)
{
    struct lg_err err = {0};
    struct lg_policy_regex *owner = lg_arena_alloc(parser->arena, sizeof(*owner));
    enum lg_err_code code = lg_regex_new(text, &owner->regex, &err);
    if (code != LG_E_OK)
        return lg_policy_fail(parser, code, v, "pattern \"%.*s\": %s",
                              LG_ARG(lg_str_cut(text, LG_NAME_SHOWN_MAX)), err.text);
    owner->next = parser->policy->regexes;
    parser->policy->regexes = owner;
    *ret = owner->regex;
    return true;
}

bool lg_policy_read_pattern(const struct lg_policy_parser *parser, struct lg_val v,
                            enum lg_pattern_of of, struct lg_pattern *ret)
{
    if (!lg_policy_want_text(parser, v, "a name"))
        return false;
    struct lg_str text = lg_json_str(v);
    *ret = (struct lg_pattern){.text = text};
    if (literal(text)) {
        ret->never = text.n > names_of[of].bytes_max;
        return true;
    }
    if (!compile(parser, v, text, &ret->regex))
        return false;
    ret->never = !lg_regex_possible(text, names_of[of].alphabet, names_of[of].bytes_max);
    return true;
}

bool lg_policy_read_patterns(const struct lg_policy_parser *parser, struct lg_val v,
                             const char *what, enum lg_pattern_of of, struct lg_patterns *ret)
{
    if (!lg_policy_want_list(parser, v, what, LG_POLICY_NAMES_MAX))
        return false;
    ret->items = lg_arena_array(parser->arena, lg_json_len(v), sizeof(*ret->items));
    for (struct lg_json_iter it = lg_json_iter(v); lg_json_next(&it);) {
        struct lg_pattern *pattern = &ret->items[ret->n];
        if (!lg_policy_read_pattern(parser, it.val, of, pattern))
            return false;
        for (size_t i = 0; i < ret->n; i++)
            if (lg_str_eq(ret->items[i].text, pattern->text))
                return lg_policy_fail(parser, LG_E_INVALID, it.val, "%s: \"%.*s\" stands twice",
                                      what, LG_ARG(lg_str_cut(pattern->text, LG_NAME_SHOWN_MAX)));
        ret->n++;
    }
    return true;
}

bool lg_policy_read_texts(const struct lg_policy_parser *parser, struct lg_val v, const char *what,
                          const char *item, struct lg_str **ret, size_t *ret_n)
{
    if (!lg_policy_want_list(parser, v, what, LG_POLICY_TEXTS_MAX))
        return false;
    struct lg_str *texts = lg_arena_array(parser->arena, lg_json_len(v), sizeof(*texts));
    for (struct lg_json_iter it = lg_json_iter(v); lg_json_next(&it);) {
        if (!lg_policy_want_text(parser, it.val, item))
            return false;
        texts[it.index] = lg_json_str(it.val);
        for (size_t i = 0; i < it.index; i++)
            if (lg_str_eq(texts[i], texts[it.index]))
                return lg_policy_fail(parser, LG_E_INVALID, it.val, "%s: \"%.*s\" stands twice",
                                      what, LG_ARG(lg_str_cut(texts[i], LG_NAME_SHOWN_MAX)));
    }
    *ret = texts;
    *ret_n = lg_json_len(v);
    return true;
}

static bool too_much(const struct lg_policy_stalls *stalls)
{
    return stalls->n >= LG_POLICY_STALLS_MAX ||
           (stalls->expired != NULL && stalls->expired(stalls->expired_arg));
}

bool lg_patterns_match(const struct lg_patterns *patterns, struct lg_str name,
                       struct lg_policy_stalls *io_stalls)
{
    for (size_t i = 0; i < patterns->n; i++) {
        const struct lg_pattern *pattern = &patterns->items[i];
        bool limit = false;
        if (pattern->regex == NULL) {
            if (lg_str_eq(pattern->text, name))
                return true;
            continue;
        }
        if (too_much(io_stalls))
            return false;
        if (lg_regex_matches(pattern->regex, name, &limit))
            return true;
        if (limit && io_stalls->n++ == 0)
            io_stalls->pattern = pattern->text;
    }
    return false;
}
