/* A file's documents: split by line before anything is parsed, as kubectl does. */
#include "rules/core/yaml.h"

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static size_t line_end(struct lg_str text, size_t at)
{
    const char *end = at < text.n ? memchr(text.p + at, '\n', text.n - at) : NULL;
    return end != NULL ? (size_t)(end - text.p) + 1 : text.n;
}

enum line { LINE_PLAIN, LINE_SEPARATOR, LINE_SEPARATOR_AND_TEXT };

/* "---", alone or with a comment, parts two documents; with text behind it, that text starts the
 * next one. */
static enum line line_kind(struct lg_str text, size_t at)
{
    if (text.n - at < 3 || memcmp(text.p + at, "---", 3) != 0)
        return LINE_PLAIN;
    size_t i = at + 3;
    while (i < text.n && text.p[i] != '\n' && is_space(text.p[i]))
        i++;
    if (i == text.n || text.p[i] == '\n' || text.p[i] == '#')
        return LINE_SEPARATOR;
    return i > at + 3 ? LINE_SEPARATOR_AND_TEXT : LINE_PLAIN;
}

/* True when nothing but blanks and comments stands there. */
static bool is_empty(struct lg_str text)
{
    for (size_t at = 0; at < text.n; at = line_end(text, at)) {
        size_t end = line_end(text, at);
        while (at < end && is_space(text.p[at]))
            at++;
        if (at < end && text.p[at] != '#')
            return false;
    }
    return true;
}

/* Takes lines from *at to the next separator; tells whether there was one. */
static bool take_lines(struct lg_str text, size_t *at, struct lg_str *ret)
{
    size_t start = *at;
    size_t end = start;
    enum line kind = LINE_PLAIN;
    while (end < text.n) {
        kind = line_kind(text, end);
        if (kind == LINE_SEPARATOR || (kind == LINE_SEPARATOR_AND_TEXT && end != start))
            break;
        kind = LINE_PLAIN;
        end = line_end(text, end);
    }
    *ret = (struct lg_str){text.p + start, end - start};
    *at = kind == LINE_SEPARATOR ? line_end(text, end) : end;
    return kind != LINE_PLAIN;
}

static uint32_t count_lines(const char *from, const char *to)
{
    uint32_t n = 0;
    for (const char *p = from; p < to; p++)
        n += *p == '\n';
    return n;
}

bool lg_yaml_next_document(struct lg_str file_text, size_t *pos,
                           struct lg_yaml_document *io_document)
{
    struct lg_yaml_document *doc = io_document;
    bool at_start = *pos == 0;
    if (at_start) {
        *doc = (struct lg_yaml_document){.text = {file_text.p, 0}, .first_line = 1};
        if (lg_str_starts(file_text, "\xEF\xBB\xBF"))
            *pos = 3;
    }
    while (*pos < file_text.n) {
        const char *counted = doc->text.p;
        bool parted = take_lines(file_text, pos, &doc->text);
        doc->first_line += count_lines(counted, doc->text.p);
        bool empty = is_empty(doc->text);
        /* What stands before the first separator is its document's preface, unless it is a
         * document. */
        doc->number += !(empty && at_start && parted);
        at_start = false;
        if (!empty)
            return true;
    }
    return false;
}
