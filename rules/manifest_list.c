#include "rules/manifest_list.h"

static const char *skip_space(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
        p++;
    return p;
}

/* Behind the closing quote of the string whose opening quote is at p, or NULL. */
static const char *skip_string(const char *p, const char *end)
{
    for (p++; p < end && *p != '"'; p++)
        if (*p == '\\')
            p++;
    return p < end ? p + 1 : NULL;
}

/* Behind the container that opens at p, or NULL. Brackets are only counted: the reader checks that
 * they match. */
static const char *skip_container(const char *p, const char *end)
{
    size_t depth = 0;
    while (p != NULL && p < end) {
        char c = *p;
        if (c == '"') {
            p = skip_string(p, end);
            continue;
        }
        if (c == '{' || c == '[')
            depth++;
        else if ((c == '}' || c == ']') && --depth == 0)
            return p + 1;
        p++;
    }
    return NULL;
}

bool lg_list_find_json(struct lg_str text, struct lg_list_text *ret)
{
    const char *end = text.p + text.n;
    const char *p = text.p;
    *ret = (struct lg_list_text){0};
    if (text.n == 0 || *p != '{')
        return false;
    p++;
    while (p < end) {
        if (*p == '}') {
            ret->whole = (struct lg_str){text.p, (size_t)(p + 1 - text.p)};
            return true;
        }
        if (*p != '"') {
            p = *p == '{' || *p == '[' ? skip_container(p, end) : p + 1;
            if (p == NULL)
                return false;
            continue;
        }
        const char *name = p;
        p = skip_string(p, end);
        if (p == NULL)
            return false;
        bool is_items = p - name == sizeof "\"items\"" - 1 && memcmp(name, "\"items\"", 7) == 0;
        const char *value = skip_space(p, end);
        if (!is_items || value >= end || *value != ':')
            continue;
        value = skip_space(value + 1, end);
        p = value;
        if (value >= end || *value != '[')
            continue;
        p = skip_container(value, end);
        if (p == NULL)
            return false;
        if (ret->items.p == NULL)
            ret->items = (struct lg_str){value + 1, (size_t)(p - value) - 2};
    }
    return false;
}

struct lg_str lg_list_envelope(const struct lg_list_text *list, bool yaml, struct lg_arena *arena)
{
    struct lg_buf buf = {0};
    const char *behind = list->items.p + list->items.n;
    lg_buf_add(&buf, list->whole.p, (size_t)(list->items.p - list->whole.p));
    lg_buf_puts(&buf, yaml ? "- {}\n" : "");
    lg_buf_add(&buf, behind, (size_t)(list->whole.p + list->whole.n - behind));
    struct lg_str text = lg_arena_str(arena, lg_buf_view(&buf));
    lg_buf_done(&buf);
    return text;
}

void lg_list_move(struct lg_list_cursor *cursor, const char *to)
{
    for (;;) {
        const char *newline = memchr(cursor->at, '\n', (size_t)(to - cursor->at));
        if (newline == NULL)
            break;
        cursor->line++;
        cursor->at = cursor->line_start = newline + 1;
    }
    cursor->at = to;
}

enum lg_list_step lg_list_next_json(struct lg_list_cursor *cursor, struct lg_str *ret_item)
{
    lg_list_move(cursor, skip_space(cursor->at, cursor->end));
    if (cursor->at == cursor->end)
        return LG_LIST_END;
    if (cursor->started) {
        if (*cursor->at != ',')
            return LG_LIST_BROKEN;
        lg_list_move(cursor, skip_space(cursor->at + 1, cursor->end));
    }
    cursor->started = true;
    const char *behind = NULL;
    if (cursor->at < cursor->end && *cursor->at == '{')
        behind = skip_container(cursor->at, cursor->end);
    if (behind == NULL)
        return LG_LIST_BROKEN;
    *ret_item = (struct lg_str){cursor->at, (size_t)(behind - cursor->at)};
    return LG_LIST_ITEM;
}

/* --- YAML: by lines --- */

struct line {
    const char *start, *end; /* end: behind the newline */
    size_t indent;
    bool blank, dash;
};

static struct line read_line(const char *p, const char *end)
{
    const char *newline = memchr(p, '\n', (size_t)(end - p));
    struct line line = {.start = p, .end = newline != NULL ? newline + 1 : end};
    const char *at = p;
    while (at < line.end && *at == ' ')
        at++;
    line.indent = (size_t)(at - p);
    line.blank = at == line.end || *at == '\n' || *at == '\r' || *at == '#';
    line.dash = !line.blank && *at == '-' && (at + 1 == line.end || at[1] == ' ' || at[1] == '\n');
    return line;
}

static bool is_items_line(const struct line *line)
{
    size_t n = (size_t)(line->end - line->start);
    if (n < 6 || memcmp(line->start, "items:", 6) != 0)
        return false;
    for (size_t i = 6; i < n; i++)
        if (line->start[i] != ' ' && line->start[i] != '\r' && line->start[i] != '\n')
            return false;
    return true;
}

bool lg_list_find_yaml(struct lg_str text, struct lg_list_text *ret, uint32_t *ret_indent)
{
    const char *end = text.p + text.n;
    bool inside = false;
    *ret = (struct lg_list_text){.whole = text};
    for (const char *p = text.p; p < end;) {
        struct line line = read_line(p, end);
        p = line.end;
        if (!inside) {
            inside = is_items_line(&line);
            continue;
        }
        if (line.blank)
            continue;
        if (ret->items.p == NULL) {
            if (!line.dash)
                return false;
            ret->items.p = line.start;
            *ret_indent = (uint32_t)line.indent;
        } else if (line.indent < *ret_indent || (line.indent == *ret_indent && !line.dash)) {
            ret->items.n = (size_t)(line.start - ret->items.p);
            return true;
        }
    }
    if (ret->items.p == NULL)
        return false;
    ret->items.n = (size_t)(end - ret->items.p);
    return true;
}

enum lg_list_step lg_list_next_yaml(struct lg_list_cursor *cursor, struct lg_str *ret_item)
{
    if (cursor->at == cursor->end)
        return LG_LIST_END;
    const char *p = read_line(cursor->at, cursor->end).end;
    while (p < cursor->end) {
        struct line line = read_line(p, cursor->end);
        if (line.dash && line.indent == cursor->indent)
            break;
        p = line.end;
    }
    *ret_item = (struct lg_str){cursor->at, (size_t)(p - cursor->at)};
    return LG_LIST_ITEM;
}
