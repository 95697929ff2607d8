#include "rules/core/yaml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "rules/core/map.h"
#include "rules/core/mem.h"
#include "rules/core/yaml_tree.h"

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* True at a line that begins a document: "---", then nothing or a blank. */
static bool is_separator(const char *line, const char *end)
{
    return end - line >= 3 && memcmp(line, "---", 3) == 0 && (end - line == 3 || blank(line[3]));
}

/* True when the text holds nothing but blank lines, comments and directives: they belong to what follows. */
static bool is_preamble(const char *p, const char *end)
{
    while (p < end) {
        const char *line_end = memchr(p, '\n', (size_t)(end - p));
        const char *first = p;
        line_end = line_end != NULL ? line_end : end;
        while (first < line_end && blank(*first))
            first++;
        if (first < line_end && *first != '#' && !(first == p && *p == '%'))
            return false;
        p = line_end < end ? line_end + 1 : end;
    }
    return true;
}

bool lg_yaml_next_document(struct lg_str file_text, size_t *pos,
                           struct lg_yaml_document *io_document)
{
    const char *start = file_text.p + *pos;
    const char *end = file_text.p + file_text.n;
    uint32_t line = *pos == 0 ? 1 : io_document->first_line;
    if (*pos == 0)
        io_document->number = 0;
    else
        for (const char *p = io_document->text.p; p < start; p++)
            line += *p == '\n';
    if (*pos == 0 && lg_str_starts(file_text, "\xEF\xBB\xBF"))
        start += 3;
    if (start >= end)
        return false;
    bool own_separator = is_separator(start, end);
    const char *p = start;
    while (p < end) {
        const char *line_end = memchr(p, '\n', (size_t)(end - p));
        p = line_end != NULL ? line_end + 1 : end;
        if (p < end && is_separator(p, end) && (own_separator || !is_preamble(start, p)))
            break;
        if (p < end && is_separator(p, end))
            own_separator = true;
    }
    *io_document = (struct lg_yaml_document){.text = {start, (size_t)(p - start)},
                                             .first_line = line,
                                             .number = io_document->number + 1};
    *pos = (size_t)(p - file_text.p);
    return true;
}

struct build {
    yaml_parser_t parser;
    struct lg_arena *arena;
    struct lg_str text;
    struct lg_mark at; /* of the character with index at_index, which stands at byte at_byte */
    size_t at_index, at_byte;
    struct lg_yaml_node *open[LG_JSON_DEPTH_MAX];
    int depth;
    struct lg_yaml_node *root;
    struct lg_map anchors;
    struct lg_err *err;
};

static void build_done(struct build *b)
{
    yaml_parser_delete(&b->parser);
    lg_map_done(&b->anchors);
}

/* libyaml counts characters and takes more than \n for the end of a line; users' editors count bytes and \n. Marks come in
 * rising order, so that walking along costs O(text) in all. */
static struct lg_mark mark_of(struct build *b, size_t index)
{
    if (index < b->at_index) {
        b->at = (struct lg_mark){b->at.line, b->at.column};
        return b->at;
    }
    while (b->at_index < index && b->at_byte < b->text.n) {
        b->at.column++;
        if (b->text.p[b->at_byte++] == '\n')
            b->at = (struct lg_mark){b->at.line + 1, 1};
        while (b->at_byte < b->text.n && ((unsigned char)b->text.p[b->at_byte] & 0xC0) == 0x80) {
            b->at_byte++;
            b->at.column++;
        }
        b->at_index++;
    }
    return b->at;
}

static enum lg_err_code add_node(struct build *b, struct lg_yaml_node *node)
{
    if (b->depth == 0) {
        b->root = node;
        return LG_E_OK;
    }
    struct lg_yaml_node *parent = b->open[b->depth - 1];
    if (parent->last != NULL)
        parent->last->next = node;
    else
        parent->first = node;
    parent->last = node;
    return LG_E_OK;
}

static struct lg_str copy(struct build *b, const yaml_char_t *text, size_t n)
{
    return lg_arena_str(b->arena, (struct lg_str){(const char *)text, n});
}

static struct lg_yaml_node *new_node(struct build *b, const yaml_event_t *event,
                                     enum lg_yaml_kind kind, const yaml_char_t *anchor,
                                     const yaml_char_t *tag)
{
    struct lg_yaml_node *node = lg_arena_alloc(b->arena, sizeof *node);
    node->kind = kind;
    node->mark = mark_of(b, event->start_mark.index);
    if (tag != NULL)
        node->tag = copy(b, tag, strlen((const char *)tag));
    if (anchor != NULL)
        (void)lg_map_set(&b->anchors, copy(b, anchor, strlen((const char *)anchor)), node);
    (void)add_node(b, node);
    return node;
}

static enum lg_err_code open_node(struct build *b, struct lg_yaml_node *node)
{
    if (b->depth == LG_JSON_DEPTH_MAX)
        return lg_yaml_fail(b->err, LG_E_LIMIT, node->mark, "nested more than %d levels deep",
                            LG_JSON_DEPTH_MAX);
    node->open = true;
    b->open[b->depth++] = node;
    return LG_E_OK;
}

static enum lg_err_code add_alias(struct build *b, const yaml_event_t *event)
{
    struct lg_str name = lg_str_of((const char *)event->data.alias.anchor);
    struct lg_yaml_node *target = lg_map_get(&b->anchors, name);
    struct lg_yaml_node *node = new_node(b, event, LG_YAML_ALIAS, NULL, NULL);
    node->target = target;
    if (target == NULL)
        return lg_yaml_fail(b->err, LG_E_INVALID, node->mark,
                            "no anchor \"%.*s\" stands before this alias", LG_ARG(name));
    if (target->open)
        return lg_yaml_fail(b->err, LG_E_INVALID, node->mark, "anchor \"%.*s\" holds itself",
                            LG_ARG(name));
    return LG_E_OK;
}

static void add_scalar(struct build *b, const yaml_event_t *event)
{
    struct lg_yaml_node *node =
        new_node(b, event, LG_YAML_SCALAR, event->data.scalar.anchor, event->data.scalar.tag);
    node->text = copy(b, event->data.scalar.value, event->data.scalar.length);
    node->plain = event->data.scalar.plain_implicit != 0;
}

/* Only YAML 1.1 (or no word of it) is what kubectl reads. */
static enum lg_err_code check_version(struct build *b, const yaml_event_t *event)
{
    const yaml_version_directive_t *version = event->data.document_start.version_directive;
    if (version == NULL || (version->major == 1 && version->minor == 1))
        return LG_E_OK;
    return lg_yaml_fail(b->err, LG_E_INVALID, mark_of(b, event->start_mark.index),
                        "YAML %d.%d: only 1.1 is read", version->major, version->minor);
}

static enum lg_err_code take_event(struct build *b, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        return check_version(b, event);
    case YAML_SCALAR_EVENT:
        add_scalar(b, event);
        return LG_E_OK;
    case YAML_ALIAS_EVENT:
        return add_alias(b, event);
    case YAML_SEQUENCE_START_EVENT:
        return open_node(b, new_node(b, event, LG_YAML_SEQUENCE, event->data.sequence_start.anchor,
                                     event->data.sequence_start.tag));
    case YAML_MAPPING_START_EVENT:
        return open_node(b, new_node(b, event, LG_YAML_MAPPING, event->data.mapping_start.anchor,
                                     event->data.mapping_start.tag));
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        b->open[--b->depth]->open = false;
        return LG_E_OK;
    default:
        return LG_E_OK;
    }
}

static enum lg_err_code parser_error(struct build *b)
{
    const yaml_parser_t *parser = &b->parser;
    struct lg_mark mark = mark_of(
        b, parser->error == YAML_READER_ERROR ? parser->mark.index : parser->problem_mark.index);
    const char *context = parser->context != NULL ? parser->context : "";
    return lg_yaml_fail(b->err, LG_E_INVALID, mark, "%s%s%s",
                        parser->problem != NULL ? parser->problem : "not YAML",
                        context[0] != '\0' ? " " : "", context);
}

static enum lg_err_code build_tree(struct build *b)
{
    if (!yaml_parser_initialize(&b->parser))
        lg_oom(sizeof b->parser);
    yaml_parser_set_encoding(&b->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&b->parser, (const yaml_char_t *)b->text.p, b->text.n);
    for (bool done = false; !done;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&b->parser, &event))
            return parser_error(b);
        enum lg_err_code code = take_event(b, &event);
        done = event.type == YAML_DOCUMENT_END_EVENT || event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
        if (code != LG_E_OK)
            return code;
    }
    return LG_E_OK;
}

/* "12:3" -> "file:12:3". */
static enum lg_err_code in_file(struct lg_err *err, const struct lg_err *why, const char *file)
{
    char where[LG_ERR_WHERE_BYTES * 2];
    snprintf(where, sizeof where, "%s%s%s", file != NULL ? file : "", file != NULL ? ":" : "",
             why->where);
    return lg_err_set(err, why->code, where, "%s", why->text);
}

/* The reader found what YAML cannot say by itself: a key twice, too deep. */
static void place_reader_error(struct lg_val partial, const struct lg_yaml_rendered *rendered,
                               struct lg_err *io)
{
    struct lg_err was = *io;
    size_t i = partial.doc != NULL ? partial.doc->count - 1 : 0;
    if (i >= rendered->n_marks || strstr(was.text, "twice") != NULL)
        i = i != 0 ? i - 1 : 0;
    struct lg_mark mark = i < rendered->n_marks ? rendered->marks[i] : (struct lg_mark){1, 1};
    *io = (struct lg_err){0};
    (void)lg_yaml_fail(io, was.code, mark, "%s: %s", was.where, was.text);
}

static enum lg_err_code read_rendered(struct lg_arena *arena, struct lg_yaml_rendered *rendered,
                                      const char *file, struct lg_val *ret_root, struct lg_err *why)
{
    struct lg_str text = lg_arena_str(arena, lg_buf_view(&rendered->text));
    struct lg_val root = LG_NONE;
    if (lg_json_parse(arena, text, &root, why) != LG_E_OK) {
        place_reader_error(root, rendered, why);
        return why->code;
    }
    struct lg_doc *doc = lg_arena_alloc(arena, sizeof *doc);
    struct lg_mark *marks = lg_arena_array(arena, rendered->n_marks, sizeof *marks);
    memcpy(marks, rendered->marks, rendered->n_marks * sizeof *marks);
    *doc = *root.doc;
    doc->marks = marks;
    doc->file = file;
    *ret_root = (struct lg_val){doc, 0};
    return LG_E_OK;
}

/* What kubectl takes for JSON: it begins with a brace, and is. */
static bool read_json(struct lg_arena *arena, const struct lg_yaml_document *document,
                      const char *file, struct lg_val *ret_root)
{
    size_t i = 0;
    while (i < document->text.n && blank(document->text.p[i]))
        i++;
    struct lg_val root = LG_NONE;
    if (i == document->text.n || document->text.p[i] != '{' ||
        lg_json_parse(arena, document->text, &root, NULL) != LG_E_OK)
        return false;
    struct lg_doc *doc = lg_arena_alloc(arena, sizeof *doc);
    *doc = *root.doc;
    doc->first_line = document->first_line;
    doc->file = file;
    *ret_root = (struct lg_val){doc, 0};
    return true;
}

enum lg_err_code lg_yaml_parse(struct lg_arena *arena, const struct lg_yaml_document *document,
                               const char *file, struct lg_val *ret_root, struct lg_err *err)
{
    *ret_root = LG_NONE;
    if (read_json(arena, document, file, ret_root))
        return LG_E_OK;
    struct lg_err why = {0};
    struct lg_arena scratch lg_cleanup(lg_arena_done) = {0};
    struct lg_yaml_rendered rendered lg_cleanup(lg_yaml_rendered_done) = {0};
    struct build b lg_cleanup(build_done) = {
        .arena = &scratch, .text = document->text, .err = &why};
    b.at = (struct lg_mark){document->first_line != 0 ? document->first_line : 1, 1};
    if (lg_str_starts(b.text, "\xEF\xBB\xBF"))
        b.text = (struct lg_str){b.text.p + 3, b.text.n - 3};
    enum lg_err_code code = build_tree(&b);
    if (code == LG_E_OK && b.root == NULL)
        return LG_E_OK;
    if (code == LG_E_OK)
        code = lg_yaml_render(b.root, &scratch, &rendered, &why);
    if (code == LG_E_OK && lg_str_is(lg_buf_view(&rendered.text), "null"))
        return LG_E_OK;
    if (code == LG_E_OK)
        code = read_rendered(arena, &rendered, file, ret_root, &why);
    return code == LG_E_OK ? code : in_file(err, &why, file);
}
