#include "rules/core/yaml.h"

#include <yaml.h>

#include "rules/core/map.h"
#include "rules/core/mem.h"
#include "rules/core/yaml_event.h"
#include "rules/core/yaml_put.h"
#include "rules/core/yaml_rendered.h"
#include "rules/core/yaml_scalar.h"

/* From how many values on yaml.v2 looks at the share that came from aliases, and what it allows. */
enum { ALIASED_MIN = 100, DECODED_MIN = 1000, DECODED_LOW = 400000, DECODED_HIGH = 4000000 };

/* What an anchor stands for. A container is complete behind its end; until then an alias to it
 * would contain itself. */
struct anchor {
    bool complete, scalar, object;
    struct lg_yaml_scalar value;
    struct lg_yaml_inside inside;
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

struct render {
    yaml_parser_t parser;
    struct lg_arena *arena;
    struct lg_yaml_text text;
    struct lg_yaml_cursor at;
    struct lg_yaml_cursor end; /* behind the event; moves on its own */
    uint32_t content_end;      /* behind the last character that belongs to a node */
    struct lg_yaml_rendered rendered;
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
    lg_yaml_rendered_done(&r->rendered);
    lg_map_done(&r->anchors);
}

static struct lg_mark mark_here(const struct render *r)
{
    return lg_yaml_mark(&r->text, &r->at);
}

static enum lg_err_code invalid(struct render *r, const char *what)
{
    return lg_yaml_refuse(&r->text, LG_E_INVALID, mark_here(r), what, r->err);
}

static enum lg_err_code limit(struct render *r, const char *what)
{
    return lg_yaml_refuse(&r->text, LG_E_LIMIT, mark_here(r), what, r->err);
}

/* What libyaml refused, where it stood. */
static enum lg_err_code parser_error(struct render *r)
{
    const yaml_parser_t *parser = &r->parser;
    const struct lg_str text = r->text.text;
    struct lg_yaml_cursor at = lg_yaml_begin(&r->text);
    struct lg_buf what lg_cleanup(lg_buf_done) = {0};
    if (parser->error == YAML_MEMORY_ERROR)
        lg_oom(0);
    const char *problem = parser->problem != NULL ? parser->problem : "not YAML";
    if (parser->error == YAML_READER_ERROR) {
        size_t offset = parser->problem_offset;
        lg_yaml_move_to_byte(&r->text, &at, text.p + (offset < text.n ? offset : text.n));
        lg_buf_puts(&what, problem);
    } else {
        lg_yaml_move(&r->text, &at, parser->problem_mark.index);
        if (at.p < text.p + text.n && *at.p == '\t')
            lg_buf_puts(&what, "a tab where YAML wants spaces");
        else
            lg_buf_printf(&what, "%s%s%s", parser->context != NULL ? parser->context : "",
                          parser->context != NULL ? ", " : "", problem);
    }
    return lg_yaml_refuse(&r->text, LG_E_INVALID, lg_yaml_mark(&r->text, &at), what.p, r->err);
}

/* The event's stretch of text. */
static struct lg_yaml_span span_of(struct render *r, const yaml_event_t *event,
                                   enum lg_yaml_style style)
{
    if (r->end.index < r->at.index)
        r->end = r->at;
    lg_yaml_move(&r->text, &r->end, event->end_mark.index);
    return (struct lg_yaml_span){lg_yaml_offset(&r->text, &r->at),
                                 lg_yaml_offset(&r->text, &r->end), style};
}

static enum lg_err_code add_place(struct render *r, struct lg_mark mark, struct lg_yaml_span span)
{
    if (!lg_yaml_add_place(&r->rendered, mark, span))
        return limit(r, "more than 200,000 values");
    r->content_end = span.to;
    return LG_E_OK;
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
    anchor->mark = mark_here(r);
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
    lg_yaml_separate(&r->rendered);
    const char *wrong = place == PLACE_KEY ? lg_yaml_put_key(&r->rendered.out, scalar)
                                           : lg_yaml_put_value(&r->rendered.out, scalar);
    if (wrong != NULL)
        return invalid(r, wrong);
    if (place == PLACE_KEY)
        lg_buf_putc(&r->rendered.out, ':');
    node_done(r);
    return LG_E_OK;
}

static enum lg_err_code on_scalar(struct render *r, const yaml_event_t *event)
{
    const struct lg_str text = {(const char *)event->data.scalar.value, event->data.scalar.length};
    const char *tag = (const char *)event->data.scalar.tag;
    const struct frame *around = top(r);
    const char *wrong =
        lg_yaml_scalar_wrong(&r->text, r->at, event, around != NULL && around->flow);
    if (wrong != NULL)
        return invalid(r, wrong);
    struct lg_yaml_scalar scalar;
    wrong = lg_yaml_resolve(r->arena, tag, text, event->data.scalar.plain_implicit, &scalar);
    if (wrong != NULL)
        return invalid(r, wrong);
    struct anchor *anchor = new_anchor(r, event->data.scalar.anchor);
    if (anchor != NULL) {
        anchor->complete = anchor->scalar = true;
        anchor->value = scalar;
        anchor->value.text = lg_arena_str(r->arena, scalar.text);
        anchor->decoded = 1;
    }
    if (next_place(r) == PLACE_KEY && lg_yaml_is_merge_key(event)) {
        top(r)->want_value = true;
        top(r)->merge = true;
        return LG_E_OK;
    }
    enum lg_err_code code = count_decoded(r, 1, 0);
    if (code != LG_E_OK)
        return code;
    return put_scalar(r, &scalar, mark_here(r), span_of(r, event, lg_yaml_style_of(event)));
}

/* "{}: v" is {} to yaml.v2, where it is the first of the text: it does not see a key in an empty
 * flow collection. */
static enum lg_err_code on_start_as_key(struct render *r, const yaml_event_t *event, bool object)
{
    if (r->rendered.out.n != 1 || event->start_mark.index != r->root_index)
        return invalid(r, "a list or an object cannot be a key");
    r->lone = object ? '{' : '[';
    return LG_E_OK;
}

static enum lg_err_code on_lone_end(struct render *r, const yaml_event_t *event)
{
    if (event->type != YAML_SEQUENCE_END_EVENT && event->type != YAML_MAPPING_END_EVENT)
        return lg_yaml_refuse(&r->text, LG_E_INVALID, r->rendered.places[0].mark,
                              "a list or an object cannot be a key", r->err);
    r->rendered.out.n = 0;
    lg_buf_puts(&r->rendered.out, r->lone == '{' ? "{}" : "[]");
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
                          .flow = lg_yaml_is_flow(event),
                          .decoded_before = r->decoded,
                          .anchor = anchor};
    enum lg_err_code code = count_decoded(r, place != PLACE_MERGED || object, 0);
    if (place == PLACE_MERGED) {
        frame.kind = object ? FRAME_MERGE_OBJECT : FRAME_MERGE_LIST;
    } else if (code == LG_E_OK) {
        enum lg_yaml_style style = frame.flow ? LG_YAML_FLOW : LG_YAML_BLOCK;
        code = add_place(r, mark_here(r), span_of(r, event, style));
        frame.place = r->rendered.n_places - 1;
        lg_yaml_separate(&r->rendered);
        lg_buf_putc(&r->rendered.out, object ? '{' : '[');
    }
    if (code != LG_E_OK)
        return code;
    if (anchor != NULL) {
        anchor->object = object;
        anchor->inside.text_from = r->rendered.out.n;
        anchor->inside.places_from = r->rendered.n_places;
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
        frame.anchor->inside.text_to = r->rendered.out.n;
        frame.anchor->inside.places_to = r->rendered.n_places;
        frame.anchor->decoded = r->decoded - frame.decoded_before;
    }
    if (frame.kind == FRAME_OBJECT || frame.kind == FRAME_LIST) {
        lg_buf_putc(&r->rendered.out, frame.kind == FRAME_OBJECT ? '}' : ']');
        r->rendered.places[frame.place].span.to = r->content_end;
    }
    node_done(r);
}

/* Appends what stands between the anchor's brackets once more. */
static enum lg_err_code copy_inside(struct render *r, const struct anchor *anchor)
{
    if (!lg_yaml_copy_inside(&r->rendered, &anchor->inside))
        return limit(r, "the document grows too large by its aliases");
    return LG_E_OK;
}

static enum lg_err_code put_container(struct render *r, const struct anchor *anchor,
                                      struct lg_yaml_span span)
{
    enum lg_err_code code = add_place(r, anchor->mark, span);
    if (code != LG_E_OK)
        return code;
    lg_yaml_separate(&r->rendered);
    lg_buf_putc(&r->rendered.out, anchor->object ? '{' : '[');
    code = copy_inside(r, anchor);
    lg_buf_putc(&r->rendered.out, anchor->object ? '}' : ']');
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
    lg_yaml_move(&r->text, &r->at, event->start_mark.index);
    if (r->rendered.out.n > LG_YAML_RENDERED_BYTES_MAX)
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

/* Turns the text's first document into JSON text and marks. */
static enum lg_err_code render_text(struct render *r)
{
    enum lg_err_code code = lg_yaml_check_text(&r->text, r->err);
    if (code != LG_E_OK)
        return code;
    if (yaml_parser_initialize(&r->parser) == 0)
        lg_oom(0);
    yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r->parser, (const unsigned char *)r->text.text.p, r->text.text.n);
    while (code == LG_E_OK && !r->done) {
        yaml_event_t event lg_cleanup(yaml_event_delete);
        code = yaml_parser_parse(&r->parser, &event) != 0 ? on_event(r, &event) : parser_error(r);
    }
    return code;
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
    struct render r lg_cleanup(render_done) = {
        .arena = arena,
        .text = {.text = text, .file = file, .first_line = document->first_line},
        .err = err};
    r.at = r.end = lg_yaml_begin(&r.text);
    enum lg_err_code code = render_text(&r);
    if (code != LG_E_OK)
        return code;
    if (r.rendered.out.n == 0 || lg_str_is(lg_buf_view(&r.rendered.out), "null"))
        return LG_E_OK;
    const struct lg_yaml_reading how = {.text = &r.text, .skipped = skipped, .arena = arena};
    return lg_yaml_read_rendered(&r.rendered, &how, ret_root, ret_spans, err);
}

enum lg_err_code lg_yaml_parse(struct lg_arena *arena, const struct lg_yaml_document *document,
                               const char *file, struct lg_val *ret_root, struct lg_err *err)
{
    return lg_yaml_parse_spans(arena, document, file, ret_root, NULL, err);
}
