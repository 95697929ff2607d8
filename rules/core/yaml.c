#include "rules/core/yaml.h"

#include <yaml.h>

#include "rules/core/map.h"
#include "rules/core/mem.h"
#include "rules/core/yaml_put.h"
#include "rules/core/yaml_scalar.h"

#define MERGE_TAG "tag:yaml.org,2002:merge"

enum { DIRECTIVES_MAX = 64 }; /* libyaml compares each with all before it */

/* From how many values on yaml.v2 looks at the share that came from aliases, and what it allows. */
enum { ALIASED_MIN = 100, DECODED_MIN = 1000, DECODED_LOW = 400000, DECODED_HIGH = 4000000 };

/* What an anchor stands for. A container is complete behind its end; until then an alias to it would contain itself. */
struct anchor {
    bool complete, scalar, object;
    struct lg_yaml_scalar value;
    size_t text_from, text_to; /* between the brackets */
    size_t places_from, places_to;
    struct lg_mark mark;
    uint64_t decoded; /* values inside, itself included */
};

enum frame_kind { FRAME_LIST, FRAME_OBJECT, FRAME_MERGE_LIST, FRAME_MERGE_OBJECT };

struct frame {
    enum frame_kind kind;
    bool want_value; /* an object: its key was read */
    bool merge;      /* that key is << */
    bool flow;       /* in brackets, not by indentation */
    size_t place;    /* its own among the places */
    uint64_t decoded_before;
    struct anchor *anchor;
};

/* Where a node stands. */
struct place {
    struct lg_mark mark;
    struct lg_yaml_span span;
};

struct places {
    struct place *items;
    size_t n, size;
};

/* A place in the text: libyaml counts characters, we say bytes. Moves forwards only. */
struct cursor {
    const char *p, *line_start;
    size_t index;
    uint32_t line;
};

struct render {
    yaml_parser_t parser;
    struct lg_arena *arena;
    struct lg_str text;
    const char *file;
    uint32_t first_line;
    struct cursor at;
    struct cursor end;    /* behind the event; moves on its own */
    uint32_t content_end; /* behind the last character that belongs to a node */
    struct lg_buf out;
    struct places places;
    struct lg_map anchors;
    struct frame frames[LG_JSON_DEPTH_MAX];
    int depth;
    uint64_t decoded, aliased; /* as yaml.v2 counts */
    size_t root_index;         /* where the root begins */
    char lone;                 /* the bracket of an empty collection that may be all there is */
    bool done;
    struct lg_err *err;
};

static void render_done(struct render *r)
{
    yaml_parser_delete(&r->parser);
    lg_buf_done(&r->out);
    free(r->places.items);
    lg_map_done(&r->anchors);
}

static size_t character_bytes(unsigned char first)
{
    return first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

static void move_to(const struct render *r, struct cursor *at, size_t index)
{
    const char *end = r->text.p + r->text.n;
    for (; at->index < index && at->p < end; at->index++) {
        if (*at->p == '\n') {
            at->line++;
            at->line_start = at->p + 1;
        }
        at->p += character_bytes((unsigned char)*at->p);
    }
}

static struct lg_mark mark_of(const struct render *r, const struct cursor *at)
{
    return (struct lg_mark){r->first_line + at->line, (uint32_t)(at->p - at->line_start) + 1};
}

static enum lg_err_code refuse(struct render *r, enum lg_err_code code, struct lg_mark mark,
                               const char *what)
{
    struct lg_buf where lg_cleanup(lg_buf_done) = {0};
    if (r->file != NULL)
        lg_buf_printf(&where, "%s:%u:%u", r->file, mark.line, mark.column);
    else
        lg_buf_printf(&where, "line %u, column %u", mark.line, mark.column);
    return lg_err_set(r->err, code, where.p, "%s", what);
}

static enum lg_err_code invalid(struct render *r, const char *what)
{
    return refuse(r, LG_E_INVALID, mark_of(r, &r->at), what);
}

static enum lg_err_code limit(struct render *r, const char *what)
{
    return refuse(r, LG_E_LIMIT, mark_of(r, &r->at), what);
}

/* What libyaml refused, where it stood. */
static enum lg_err_code parser_error(struct render *r)
{
    const yaml_parser_t *parser = &r->parser;
    struct cursor at = {.p = r->text.p, .line_start = r->text.p};
    struct lg_buf what lg_cleanup(lg_buf_done) = {0};
    if (parser->error == YAML_MEMORY_ERROR)
        lg_oom(0);
    const char *problem = parser->problem != NULL ? parser->problem : "not YAML";
    if (parser->error == YAML_READER_ERROR) {
        const char *stop =
            r->text.p + (parser->problem_offset < r->text.n ? parser->problem_offset : r->text.n);
        while (at.p < stop)
            move_to(r, &at, at.index + 1);
        lg_buf_puts(&what, problem);
    } else {
        move_to(r, &at, parser->problem_mark.index);
        if (at.p < r->text.p + r->text.n && *at.p == '\t')
            lg_buf_puts(&what, "a tab where YAML wants spaces");
        else
            lg_buf_printf(&what, "%s%s%s", parser->context != NULL ? parser->context : "",
                          parser->context != NULL ? ", " : "", problem);
    }
    return refuse(r, LG_E_INVALID, mark_of(r, &at), what.p);
}

static void add_places(struct places *places, const struct place *items, size_t n)
{
    if (places->n + n > places->size) {
        places->size = (places->n + n) * 2;
        places->items = lg_realloc(places->items, places->size, sizeof *places->items);
    }
    memcpy(places->items + places->n, items, n * sizeof *items);
    places->n += n;
}

static uint32_t offset_of(const struct render *r, const struct cursor *at)
{
    return (uint32_t)(at->p - r->text.p);
}

/* The event's stretch of text. */
static struct lg_yaml_span span_of(struct render *r, const yaml_event_t *event,
                                   enum lg_yaml_style style)
{
    if (r->end.index < r->at.index)
        r->end = r->at;
    move_to(r, &r->end, event->end_mark.index);
    return (struct lg_yaml_span){offset_of(r, &r->at), offset_of(r, &r->end), style};
}

static enum lg_err_code add_place(struct render *r, struct lg_mark mark, struct lg_yaml_span span)
{
    if (r->places.n >= LG_JSON_NODES_MAX)
        return limit(r, "more than 200,000 values");
    add_places(&r->places, &(struct place){mark, span}, 1);
    r->content_end = span.to;
    return LG_E_OK;
}

/* A comma, unless a bracket or a key was just opened. */
static void separate(struct render *r)
{
    if (r->out.n != 0 && strchr("{[:", r->out.p[r->out.n - 1]) == NULL)
        lg_buf_putc(&r->out, ',');
}

static struct frame *top(struct render *r)
{
    return r->depth != 0 ? &r->frames[r->depth - 1] : NULL;
}

static bool takes_members(const struct frame *frame)
{
    return frame->kind == FRAME_OBJECT || frame->kind == FRAME_MERGE_OBJECT;
}

/* What the next node will be. */
enum role { PLACE_VALUE, PLACE_KEY, PLACE_MERGED };

static enum role next_place(struct render *r)
{
    const struct frame *frame = top(r);
    if (frame == NULL || frame->kind == FRAME_LIST)
        return PLACE_VALUE;
    if (frame->kind == FRAME_MERGE_LIST)
        return PLACE_MERGED;
    if (!frame->want_value)
        return PLACE_KEY;
    return frame->merge ? PLACE_MERGED : PLACE_VALUE;
}

/* A node is complete: in an object, keys and values alternate. */
static void node_done(struct render *r)
{
    struct frame *frame = top(r);
    if (frame == NULL || !takes_members(frame))
        return;
    if (frame->want_value)
        frame->merge = false;
    frame->want_value = !frame->want_value;
}

/* Counts as yaml.v2 does, which refuses a document that is nearly all aliases. */
static enum lg_err_code count_decoded(struct render *r, uint64_t decoded, uint64_t aliased)
{
    r->decoded += decoded;
    r->aliased += aliased;
    if (r->aliased <= ALIASED_MIN || r->decoded <= DECODED_MIN)
        return LG_E_OK;
    double over = ((double)r->decoded - DECODED_LOW) / (DECODED_HIGH - DECODED_LOW);
    double allowed = over <= 0 ? 0.99 : over >= 1 ? 0.10 : 0.99 - 0.89 * over;
    if ((double)r->aliased / (double)r->decoded > allowed)
        return limit(r, "nearly everything comes from aliases");
    return LG_E_OK;
}

static struct anchor *new_anchor(struct render *r, const yaml_char_t *name)
{
    if (name == NULL)
        return NULL;
    struct anchor *anchor = lg_arena_alloc(r->arena, sizeof *anchor);
    struct lg_str key = lg_arena_str(r->arena, lg_str_of((const char *)name));
    (void)lg_map_set(&r->anchors, key, anchor);
    anchor->mark = mark_of(r, &r->at);
    return anchor;
}

static enum lg_err_code put_scalar(struct render *r, const struct lg_yaml_scalar *scalar,
                                   struct lg_mark mark, struct lg_yaml_span span)
{
    enum role place = next_place(r);
    if (place == PLACE_MERGED)
        return invalid(r, "<< takes an object or a list of objects");
    enum lg_err_code code = add_place(r, mark, span);
    if (code != LG_E_OK)
        return code;
    separate(r);
    const char *wrong =
        place == PLACE_KEY ? lg_yaml_put_key(&r->out, scalar) : lg_yaml_put_value(&r->out, scalar);
    if (wrong != NULL)
        return invalid(r, wrong);
    if (place == PLACE_KEY)
        lg_buf_putc(&r->out, ':');
    node_done(r);
    return LG_E_OK;
}

/* The one escape that libyaml knows and yaml.v2 does not. */
static bool has_escaped_slash(struct render *r, const yaml_event_t *event)
{
    struct cursor to = r->at;
    move_to(r, &to, event->end_mark.index);
    const char *p = r->at.p;
    while (p < to.p && (p = memchr(p, '\\', (size_t)(to.p - p))) != NULL) {
        if (p + 1 < to.p && p[1] == '/')
            return true;
        p += 2;
    }
    return false;
}

/* yaml.v2 counts a comma behind a tag as the tag's: what stands behind the comma would bear it. */
static bool has_comma_tag(struct render *r, const yaml_event_t *event)
{
    if (event->data.scalar.tag == NULL || event->data.scalar.length != 0)
        return false;
    struct cursor to = r->at;
    move_to(r, &to, event->end_mark.index);
    return to.p < r->text.p + r->text.n && *to.p == ',';
}

/* In brackets a question mark ends a plain scalar for yaml.v2 and belongs to it for libyaml. */
static bool has_flow_question(struct render *r, const yaml_event_t *event)
{
    const struct frame *frame = top(r);
    return frame != NULL && frame->flow && event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           memchr(event->data.scalar.value, '?', event->data.scalar.length) != NULL;
}

static bool is_merge_key(const yaml_event_t *event)
{
    if (event->data.scalar.length != 2 || memcmp(event->data.scalar.value, "<<", 2) != 0)
        return false;
    const char *tag = (const char *)event->data.scalar.tag;
    return event->data.scalar.plain_implicit || (tag != NULL && strcmp(tag, MERGE_TAG) == 0);
}

static enum lg_yaml_style style_of(const yaml_event_t *event)
{
    switch (event->data.scalar.style) {
    case YAML_SINGLE_QUOTED_SCALAR_STYLE:
        return LG_YAML_SINGLE_QUOTED;
    case YAML_DOUBLE_QUOTED_SCALAR_STYLE:
        return LG_YAML_DOUBLE_QUOTED;
    case YAML_LITERAL_SCALAR_STYLE:
    case YAML_FOLDED_SCALAR_STYLE:
        return LG_YAML_BLOCK_SCALAR;
    default:
        return LG_YAML_PLAIN;
    }
}

static enum lg_err_code on_scalar(struct render *r, const yaml_event_t *event)
{
    const struct lg_str text = {(const char *)event->data.scalar.value, event->data.scalar.length};
    const char *tag = (const char *)event->data.scalar.tag;
    if (event->data.scalar.style == YAML_DOUBLE_QUOTED_SCALAR_STYLE && has_escaped_slash(r, event))
        return invalid(r, "\\/ is no escape in YAML 1.1");
    if (has_flow_question(r, event))
        return invalid(r, "a question mark within brackets needs quotes in YAML 1.1");
    if (has_comma_tag(r, event))
        return invalid(r, "a comma cannot follow a tag: YAML 1.1 counts it to the tag");
    struct lg_yaml_scalar scalar;
    const char *wrong =
        lg_yaml_resolve(r->arena, tag, text, event->data.scalar.plain_implicit, &scalar);
    if (wrong != NULL)
        return invalid(r, wrong);
    struct anchor *anchor = new_anchor(r, event->data.scalar.anchor);
    if (anchor != NULL) {
        anchor->complete = anchor->scalar = true;
        anchor->value = scalar;
        anchor->value.text = lg_arena_str(r->arena, scalar.text);
        anchor->decoded = 1;
    }
    if (next_place(r) == PLACE_KEY && is_merge_key(event)) {
        top(r)->want_value = true;
        top(r)->merge = true;
        return LG_E_OK;
    }
    enum lg_err_code code = count_decoded(r, 1, 0);
    if (code != LG_E_OK)
        return code;
    return put_scalar(r, &scalar, mark_of(r, &r->at), span_of(r, event, style_of(event)));
}

static bool is_flow(const yaml_event_t *event)
{
    if (event->type == YAML_MAPPING_START_EVENT)
        return event->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE;
    return event->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;
}

/* "{}: v" is {} to yaml.v2, where it is the first of the text: it does not see a key in an empty flow collection. */
static enum lg_err_code on_start_as_key(struct render *r, const yaml_event_t *event, bool object)
{
    if (r->out.n != 1 || event->start_mark.index != r->root_index)
        return invalid(r, "a list or an object cannot be a key");
    r->lone = object ? '{' : '[';
    return LG_E_OK;
}

static enum lg_err_code on_lone_end(struct render *r, const yaml_event_t *event)
{
    if (event->type != YAML_SEQUENCE_END_EVENT && event->type != YAML_MAPPING_END_EVENT)
        return refuse(r, LG_E_INVALID, r->places.items[0].mark,
                      "a list or an object cannot be a key");
    r->out.n = 0;
    lg_buf_puts(&r->out, r->lone == '{' ? "{}" : "[]");
    r->done = true;
    return LG_E_OK;
}

static enum lg_err_code on_start(struct render *r, const yaml_event_t *event, bool object,
                                 const yaml_char_t *anchor_name)
{
    enum role place = next_place(r);
    const struct frame *around = top(r);
    if (place == PLACE_KEY)
        return on_start_as_key(r, event, object);
    if (r->depth == 0)
        r->root_index = event->start_mark.index;
    if (place == PLACE_MERGED && !object && around->kind == FRAME_MERGE_LIST)
        return invalid(r, "<< takes an object or a list of objects");
    if (r->depth == LG_JSON_DEPTH_MAX)
        return limit(r, "nested more than 64 levels deep");
    struct anchor *anchor = new_anchor(r, anchor_name);
    struct frame frame = {.kind = object ? FRAME_OBJECT : FRAME_LIST,
                          .flow = is_flow(event),
                          .decoded_before = r->decoded,
                          .anchor = anchor};
    enum lg_err_code code = count_decoded(r, place != PLACE_MERGED || object, 0);
    if (place == PLACE_MERGED) {
        frame.kind = object ? FRAME_MERGE_OBJECT : FRAME_MERGE_LIST;
    } else if (code == LG_E_OK) {
        enum lg_yaml_style style = frame.flow ? LG_YAML_FLOW : LG_YAML_BLOCK;
        code = add_place(r, mark_of(r, &r->at), span_of(r, event, style));
        frame.place = r->places.n - 1;
        separate(r);
        lg_buf_putc(&r->out, object ? '{' : '[');
    }
    if (code != LG_E_OK)
        return code;
    if (anchor != NULL) {
        anchor->object = object;
        anchor->text_from = r->out.n;
        anchor->places_from = r->places.n;
    }
    r->frames[r->depth++] = frame;
    return LG_E_OK;
}

static void on_end(struct render *r, const yaml_event_t *event)
{
    struct frame frame = r->frames[--r->depth];
    if (frame.flow)
        r->content_end = span_of(r, event, LG_YAML_FLOW).to;
    if (frame.anchor != NULL) {
        frame.anchor->complete = true;
        frame.anchor->text_to = r->out.n;
        frame.anchor->places_to = r->places.n;
        frame.anchor->decoded = r->decoded - frame.decoded_before;
    }
    if (frame.kind == FRAME_OBJECT || frame.kind == FRAME_LIST) {
        lg_buf_putc(&r->out, frame.kind == FRAME_OBJECT ? '}' : ']');
        r->places.items[frame.place].span.to = r->content_end;
    }
    node_done(r);
}

/* Appends what stands between the anchor's brackets once more. */
static enum lg_err_code copy_inside(struct render *r, const struct anchor *anchor)
{
    struct lg_str inside = {r->out.p + anchor->text_from, anchor->text_to - anchor->text_from};
    /* Merged members begin with the comma that parted them from what stood before. */
    if (lg_str_starts(inside, ","))
        inside = (struct lg_str){inside.p + 1, inside.n - 1};
    size_t n = anchor->places_to - anchor->places_from;
    if (r->out.n + inside.n > LG_YAML_RENDERED_BYTES_MAX || r->places.n + n > LG_JSON_NODES_MAX)
        return limit(r, "the document grows too large by its aliases");
    if (inside.n == 0)
        return LG_E_OK;
    char *text lg_cleanup(lg_free_cleanup) = lg_memdup(inside.p, inside.n);
    separate(r);
    lg_buf_add(&r->out, text, inside.n);
    struct place *items = lg_arena_array(r->arena, n, sizeof *items);
    memcpy(items, r->places.items + anchor->places_from, n * sizeof *items);
    add_places(&r->places, items, n);
    return LG_E_OK;
}

static enum lg_err_code put_container(struct render *r, const struct anchor *anchor,
                                      struct lg_yaml_span span)
{
    enum lg_err_code code = add_place(r, anchor->mark, span);
    if (code != LG_E_OK)
        return code;
    separate(r);
    lg_buf_putc(&r->out, anchor->object ? '{' : '[');
    code = copy_inside(r, anchor);
    lg_buf_putc(&r->out, anchor->object ? '}' : ']');
    return code;
}

static enum lg_err_code on_alias(struct render *r, const yaml_event_t *event)
{
    struct lg_str name = lg_str_of((const char *)event->data.alias.anchor);
    const struct anchor *anchor = lg_map_get(&r->anchors, name);
    if (anchor == NULL)
        return invalid(r, "an alias to an anchor that is not there");
    if (!anchor->complete)
        return invalid(r, "an anchor that contains itself");
    enum lg_err_code code = count_decoded(r, 1 + anchor->decoded, anchor->decoded);
    if (code != LG_E_OK)
        return code;
    enum role place = next_place(r);
    struct lg_yaml_span span = span_of(r, event, LG_YAML_ALIAS);
    r->content_end = span.to;
    if (anchor->scalar)
        return put_scalar(r, &anchor->value, anchor->mark, span);
    if (place == PLACE_KEY)
        return invalid(r, "a list or an object cannot be a key");
    if (place == PLACE_MERGED && !anchor->object)
        return invalid(r, "<< takes an object or a list of objects");
    code = place == PLACE_MERGED ? copy_inside(r, anchor) : put_container(r, anchor, span);
    if (code == LG_E_OK)
        node_done(r);
    return code;
}

static enum lg_err_code on_document(struct render *r, const yaml_event_t *event)
{
    const yaml_version_directive_t *version = event->data.document_start.version_directive;
    if (version != NULL && (version->major != 1 || version->minor != 1))
        return invalid(r, "a YAML version other than 1.1");
    return count_decoded(r, 1, 0);
}

static enum lg_err_code on_event(struct render *r, const yaml_event_t *event)
{
    move_to(r, &r->at, event->start_mark.index);
    if (r->out.n > LG_YAML_RENDERED_BYTES_MAX)
        return limit(r, "the document grows too large");
    if (r->lone != 0)
        return on_lone_end(r, event);
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        return on_document(r, event);
    case YAML_SCALAR_EVENT:
        return on_scalar(r, event);
    case YAML_ALIAS_EVENT:
        return on_alias(r, event);
    case YAML_SEQUENCE_START_EVENT:
        return on_start(r, event, false, event->data.sequence_start.anchor);
    case YAML_MAPPING_START_EVENT:
        return on_start(r, event, true, event->data.mapping_start.anchor);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        on_end(r, event);
        return LG_E_OK;
    case YAML_DOCUMENT_END_EVENT:
    case YAML_STREAM_END_EVENT:
        r->done = true;
        return LG_E_OK;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
        break;
    }
    return LG_E_OK;
}

/* libyaml passes over a byte order mark that begins a line, yaml.v2 takes it for text: nobody means either. */
static bool has_inner_bom(struct render *r, struct cursor *ret)
{
    const char *p = r->text.p;
    const char *end = p + r->text.n;
    while ((p = memmem(p, (size_t)(end - p), "\xEF\xBB\xBF", 3)) != NULL) {
        if (p == r->text.p || p[-1] == '\n' || p[-1] == '\r')
            break;
        p += 3;
    }
    while (p != NULL && ret->p < p)
        move_to(r, ret, ret->index + 1);
    return p != NULL;
}

/* Counts the lines with a % in front of the document: nothing else but comments may stand there. */
static bool has_many_directives(struct render *r, struct cursor *ret)
{
    const char *end = r->text.p + r->text.n;
    const char *p = r->text.p;
    int n = 0;
    while (p < end && strchr("%# \t\r\n", *p) != NULL && *p != '\0' && n <= DIRECTIVES_MAX) {
        n += *p == '%';
        const char *line_end = memchr(p, '\n', (size_t)(end - p));
        p = line_end != NULL && n <= DIRECTIVES_MAX ? line_end + 1 : p;
        if (line_end == NULL)
            break;
    }
    while (n > DIRECTIVES_MAX && ret->p < p)
        move_to(r, ret, ret->index + 1);
    return n > DIRECTIVES_MAX;
}

/* Turns the text's first document into JSON text and marks. */
static enum lg_err_code render_text(struct render *r)
{
    struct cursor at = r->at;
    if (has_inner_bom(r, &at))
        return refuse(r, LG_E_INVALID, mark_of(r, &at), "a byte order mark within the text");
    if (has_many_directives(r, &at))
        return refuse(r, LG_E_LIMIT, mark_of(r, &at), "more than 64 directives");
    if (yaml_parser_initialize(&r->parser) == 0)
        lg_oom(0);
    yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r->parser, (const unsigned char *)r->text.p, r->text.n);
    enum lg_err_code code = LG_E_OK;
    while (code == LG_E_OK && !r->done) {
        yaml_event_t event lg_cleanup(yaml_event_delete);
        code = yaml_parser_parse(&r->parser, &event) != 0 ? on_event(r, &event) : parser_error(r);
    }
    return code;
}

/* What was rendered, as a document; spans count from the beginning of the text with its byte order mark. */
static enum lg_err_code read_rendered(struct render *r, uint32_t skipped, struct lg_val *ret_root,
                                      const struct lg_yaml_span **ret_spans)
{
    struct lg_mark *marks = lg_arena_array(r->arena, r->places.n, sizeof *marks);
    struct lg_yaml_span *spans = NULL;
    for (size_t i = 0; i < r->places.n; i++)
        marks[i] = r->places.items[i].mark;
    if (ret_spans != NULL)
        spans = lg_arena_array(r->arena, r->places.n, sizeof *spans);
    for (size_t i = 0; spans != NULL && i < r->places.n; i++) {
        struct lg_yaml_span span = r->places.items[i].span;
        spans[i] = (struct lg_yaml_span){span.from + skipped, span.to + skipped, span.style};
    }
    struct lg_doc *doc = lg_arena_alloc(r->arena, sizeof *doc);
    *doc = (struct lg_doc){.text = lg_arena_str(r->arena, lg_buf_view(&r->out)),
                           .arena = r->arena,
                           .marks = marks,
                           .file = r->file != NULL ? lg_arena_str(r->arena, lg_str_of(r->file)).p
                                                   : NULL,
                           .first_line = r->first_line};
    struct lg_val root = LG_NONE;
    enum lg_err_code code = lg_json_parse_doc(doc, &root, r->err);
    if (code != LG_E_OK)
        return code;
    *ret_root = root;
    if (ret_spans != NULL)
        *ret_spans = spans;
    return LG_E_OK;
}

enum lg_err_code lg_yaml_parse_spans(struct lg_arena *arena,
                                     const struct lg_yaml_document *document, const char *file,
                                     struct lg_val *ret_root, const struct lg_yaml_span **ret_spans,
                                     struct lg_err *err)
{
    /* libyaml wants a pointer even to nothing. */
    struct lg_str text = document->text.n != 0 ? document->text : LG_STR("");
    uint32_t skipped = lg_str_starts(text, "\xEF\xBB\xBF") ? 3 : 0;
    *ret_root = LG_NONE;
    text = (struct lg_str){text.p + skipped, text.n - skipped};
    struct render r lg_cleanup(render_done) = {.arena = arena,
                                               .text = text,
                                               .file = file,
                                               .first_line = document->first_line,
                                               .at = {.p = text.p, .line_start = text.p},
                                               .end = {.p = text.p, .line_start = text.p},
                                               .err = err};
    enum lg_err_code code = render_text(&r);
    if (code != LG_E_OK)
        return code;
    if (r.out.n == 0 || lg_str_is(lg_buf_view(&r.out), "null"))
        return LG_E_OK;
    return read_rendered(&r, skipped, ret_root, ret_spans);
}

enum lg_err_code lg_yaml_parse(struct lg_arena *arena, const struct lg_yaml_document *document,
                               const char *file, struct lg_val *ret_root, struct lg_err *err)
{
    return lg_yaml_parse_spans(arena, document, file, ret_root, NULL, err);
}
