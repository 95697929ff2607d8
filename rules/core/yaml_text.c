#include "rules/core/yaml_text.h"

#include "rules/core/mem.h"

enum { DIRECTIVES_MAX = 64 }; /* libyaml compares each with all before it */

struct lg_yaml_cursor lg_yaml_begin(const struct lg_yaml_text *text)
{
    return (struct lg_yaml_cursor){.p = text->text.p, .line_start = text->text.p};
}

static size_t character_bytes(unsigned char first)
{
    return first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

void lg_yaml_move(const struct lg_yaml_text *text, struct lg_yaml_cursor *at, size_t index)
{
    const char *end = text->text.p + text->text.n;
    for (; at->index < index && at->p < end; at->index++) {
        if (*at->p == '\n') {
            at->line++;
            at->line_start = at->p + 1;
        }
        at->p += character_bytes((unsigned char)*at->p);
    }
}

void lg_yaml_move_to_byte(const struct lg_yaml_text *text, struct lg_yaml_cursor *at,
                          const char *to)
{
    while (at->p < to)
        lg_yaml_move(text, at, at->index + 1);
}

struct lg_mark lg_yaml_mark(const struct lg_yaml_text *text, const struct lg_yaml_cursor *at)
{
    return (struct lg_mark){text->first_line + at->line, (uint32_t)(at->p - at->line_start) + 1};
}

uint32_t lg_yaml_offset(const struct lg_yaml_text *text, const struct lg_yaml_cursor *at)
{
    return (uint32_t)(at->p - text->text.p);
}

enum lg_err_code lg_yaml_refuse(const struct lg_yaml_text *text, enum lg_err_code code,
                                struct lg_mark mark, const char *what, struct lg_err *err)
{
    struct lg_buf where lg_cleanup(lg_buf_done) = {0};
    if (text->file != NULL)
        lg_buf_printf(&where, "%s:%u:%u", text->file, mark.line, mark.column);
    else
        lg_buf_printf(&where, "line %u, column %u", mark.line, mark.column);
    return lg_err_set(err, code, where.p, "%s", what);
}

/* libyaml passes over a byte order mark that begins a line, yaml.v2 takes it for text: nobody means
 * either. NULL: there is none. */
static const char *find_inner_bom(struct lg_str text)
{
    const char *p = text.p;
    const char *end = p + text.n;
    while ((p = memmem(p, (size_t)(end - p), "\xEF\xBB\xBF", 3)) != NULL) {
        if (p == text.p || p[-1] == '\n' || p[-1] == '\r')
            break;
        p += 3;
    }
    return p;
}

/* The line with a % that is one too many; NULL: none is. Counts those in front of the document:
 * nothing else but comments may stand there. */
static const char *find_last_directive(struct lg_str text)
{
    const char *end = text.p + text.n;
    const char *p = text.p;
    int n = 0;
    while (p < end && strchr("%# \t\r\n", *p) != NULL && *p != '\0') {
        n += *p == '%';
        if (n > DIRECTIVES_MAX)
            return p;
        const char *line_end = memchr(p, '\n', (size_t)(end - p));
        if (line_end == NULL)
            break;
        p = line_end + 1;
    }
    return NULL;
}

enum lg_err_code lg_yaml_check_text(const struct lg_yaml_text *text, struct lg_err *err)
{
    const char *bom = find_inner_bom(text->text);
    const char *directive = find_last_directive(text->text);
    struct lg_yaml_cursor at = lg_yaml_begin(text);
    if (bom != NULL) {
        lg_yaml_move_to_byte(text, &at, bom);
        return lg_yaml_refuse(text, LG_E_INVALID, lg_yaml_mark(text, &at),
                              "a byte order mark within the text", err);
    }
    if (directive != NULL) {
        lg_yaml_move_to_byte(text, &at, directive);
        return lg_yaml_refuse(text, LG_E_LIMIT, lg_yaml_mark(text, &at), "more than 64 directives",
                              err);
    }
    return LG_E_OK;
}
