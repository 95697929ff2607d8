#include "rules/core/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "rules/core/mem.h"

/* A name of 253 bytes needs a few hundred steps; a pattern that needs more than this is out to
 * stall us. */
enum { STEPS_MAX = 50000, DEPTH_MAX = 5000, HEAP_KIB_MAX = 2048 };

struct lg_regex {
    pcre2_code *code;
    pcre2_match_context *limits;
};

LG_DEFINE_CLEANUP(struct lg_regex, lg_regex_free)

enum lg_err_code lg_regex_new(struct lg_str pattern, struct lg_regex **ret, struct lg_err *err)
{
    if (pattern.n > LG_REGEX_PATTERN_BYTES_MAX)
        return lg_err_set(err, LG_E_LIMIT, NULL, "the pattern is longer than %d bytes",
                          LG_REGEX_PATTERN_BYTES_MAX);
    const uint32_t options = PCRE2_UTF | PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_DOLLAR_ENDONLY |
                             PCRE2_NEVER_BACKSLASH_C | PCRE2_NO_AUTO_CAPTURE;
    struct lg_regex *regex lg_cleanup(lg_regex_free_cleanup) = lg_calloc(1, sizeof *regex);
    int error = 0;
    PCRE2_SIZE offset = 0;
    regex->code = pcre2_compile((PCRE2_SPTR)(pattern.n != 0 ? pattern.p : ""), pattern.n, options,
                                &error, &offset, NULL);
    if (regex->code == NULL) {
        PCRE2_UCHAR words[256];
        pcre2_get_error_message(error, words, sizeof words);
        return lg_err_set(err, LG_E_INVALID, NULL, "not a pattern: %s (at byte %zu)",
                          (const char *)words, (size_t)offset);
    }
    regex->limits = pcre2_match_context_create(NULL);
    if (regex->limits == NULL)
        lg_oom(0);
    pcre2_set_match_limit(regex->limits, STEPS_MAX);
    pcre2_set_depth_limit(regex->limits, DEPTH_MAX);
    pcre2_set_heap_limit(regex->limits, HEAP_KIB_MAX);
    *ret = lg_steal(regex);
    return LG_E_OK;
}

void lg_regex_free(struct lg_regex *regex)
{
    if (regex == NULL)
        return;
    pcre2_match_context_free(regex->limits);
    pcre2_code_free(regex->code);
    free(regex);
}

bool lg_regex_matches(const struct lg_regex *regex, struct lg_str text, bool *ret_limit)
{
    /* Match data cannot be shared: one a call keeps a compiled pattern usable from every thread. */
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    if (data == NULL)
        lg_oom(0);
    int rc = pcre2_match(regex->code, (PCRE2_SPTR)(text.n != 0 ? text.p : ""), text.n, 0, 0, data,
                         regex->limits);
    pcre2_match_data_free(data);
    if (ret_limit != NULL)
        *ret_limit = rc < 0 && rc != PCRE2_ERROR_NOMATCH;
    return rc >= 0;
}

static bool among(uint32_t c, const char *alphabet)
{
    return c != 0 && c < 0x80 && strchr(alphabet, (int)c) != NULL;
}

/* What PCRE2 itself worked out: the shortest match, where a match can start, what it has to
 * hold. */
static bool study_allows(const pcre2_code *code, const char *alphabet, size_t bytes_max)
{
    uint32_t shortest = 0, type = 0, c = 0;
    const uint8_t *starts = NULL;
    if (pcre2_pattern_info(code, PCRE2_INFO_MINLENGTH, &shortest) == 0 && shortest > bytes_max)
        return false;
    if (pcre2_pattern_info(code, PCRE2_INFO_FIRSTCODETYPE, &type) == 0 && type == 1 &&
        pcre2_pattern_info(code, PCRE2_INFO_FIRSTCODEUNIT, &c) == 0 && !among(c, alphabet))
        return false;
    if (pcre2_pattern_info(code, PCRE2_INFO_LASTCODETYPE, &type) == 0 && type == 1 &&
        pcre2_pattern_info(code, PCRE2_INFO_LASTCODEUNIT, &c) == 0 && !among(c, alphabet))
        return false;
    if (pcre2_pattern_info(code, PCRE2_INFO_FIRSTBITMAP, (void *)&starts) != 0 || starts == NULL)
        return true;
    for (const char *a = alphabet; *a != '\0'; a++)
        if ((starts[(unsigned char)*a / 8] >> ((unsigned char)*a % 8) & 1) != 0)
            return true;
    return false;
}

/* Of a pattern without groups, classes and alternatives every plain character has to be there,
 * unless a quantifier behind it allows none. */
static bool plain_allows(struct lg_str pattern, const char *alphabet)
{
    for (size_t i = 0; i < pattern.n; i++)
        if (strchr("\\[](){}|", pattern.p[i]) != NULL)
            return true;
    for (size_t i = 0; i < pattern.n; i++) {
        char next = i + 1 < pattern.n ? pattern.p[i + 1] : '\0';
        bool optional = next == '?' || next == '*';
        if (!optional && strchr(".*+?^$", pattern.p[i]) == NULL &&
            !among((unsigned char)pattern.p[i], alphabet))
            return false;
    }
    return true;
}

bool lg_regex_possible(struct lg_str pattern, const char *alphabet, size_t bytes_max)
{
    int error = 0;
    PCRE2_SIZE offset = 0;
    /* Inline options may change what a character means. */
    if (memmem(pattern.p, pattern.n, "(?", 2) != NULL || memchr(pattern.p, '\0', pattern.n) != NULL)
        return true;
    /* Not anchored: PCRE2 studies where a match can start only then. */
    pcre2_code *code =
        pcre2_compile((PCRE2_SPTR)pattern.p, pattern.n, PCRE2_UTF, &error, &offset, NULL);
    if (code == NULL)
        return true;
    bool possible = study_allows(code, alphabet, bytes_max) && plain_allows(pattern, alphabet);
    pcre2_code_free(code);
    return possible;
}
