#include "rules/core/yaml_rendered.h"

#include <stdlib.h>

#include "rules/core/mem.h"

void lg_yaml_rendered_done(struct lg_yaml_rendered *rendered)
{
    lg_buf_done(&rendered->out);
    free(rendered->places);
}

void lg_yaml_separate(struct lg_yaml_rendered *rendered)
{
    const struct lg_buf *out = &rendered->out;
    if (out->n != 0 && strchr("{[:", out->p[out->n - 1]) == NULL)
        lg_buf_putc(&rendered->out, ',');
}

static struct lg_yaml_place *more_places(struct lg_yaml_rendered *rendered, size_t n)
{
    if (rendered->n_places + n > rendered->places_size) {
        rendered->places_size = (rendered->n_places + n) * 2;
        rendered->places =
            lg_realloc(rendered->places, rendered->places_size, sizeof *rendered->places);
    }
    struct lg_yaml_place *first = &rendered->places[rendered->n_places];
    rendered->n_places += n;
    return first;
}

bool lg_yaml_add_place(struct lg_yaml_rendered *rendered, struct lg_mark mark,
                       struct lg_yaml_span span)
{
    if (rendered->n_places >= LG_JSON_NODES_MAX)
        return false;
    *more_places(rendered, 1) = (struct lg_yaml_place){mark, span};
    return true;
}

bool lg_yaml_copy_inside(struct lg_yaml_rendered *rendered, const struct lg_yaml_inside *inside)
{
    struct lg_buf *out = &rendered->out;
    struct lg_str text = {out->p + inside->text_from, inside->text_to - inside->text_from};
    /* Merged members begin with the comma that parted them from what stood before. */
    if (lg_str_starts(text, ","))
        text = (struct lg_str){text.p + 1, text.n - 1};
    size_t n = inside->places_to - inside->places_from;
    if (out->n + text.n > LG_YAML_RENDERED_BYTES_MAX || rendered->n_places + n > LG_JSON_NODES_MAX)
        return false;
    if (text.n == 0)
        return true;
    char *copy lg_cleanup(lg_free_cleanup) = lg_memdup(text.p, text.n); /* `out` may move */
    lg_yaml_separate(rendered);
    lg_buf_add(out, copy, text.n);
    struct lg_yaml_place *places = more_places(rendered, n);
    memcpy(places, rendered->places + inside->places_from, n * sizeof *places);
    return true;
}

enum lg_err_code lg_yaml_read_rendered(const struct lg_yaml_rendered *rendered,
                                       const struct lg_yaml_reading *how, struct lg_val *ret_root,
                                       const struct lg_yaml_span **ret_spans, struct lg_err *err)
{
    const struct lg_yaml_text *text = how->text;
    const size_t n = rendered->n_places;
    struct lg_mark *marks = lg_arena_array(how->arena, n, sizeof *marks);
    struct lg_yaml_span *spans = NULL;
    for (size_t i = 0; i < n; i++)
        marks[i] = rendered->places[i].mark;
    if (ret_spans != NULL)
        spans = lg_arena_array(how->arena, n, sizeof *spans);
    for (size_t i = 0; spans != NULL && i < n; i++) {
        struct lg_yaml_span span = rendered->places[i].span;
        spans[i] =
            (struct lg_yaml_span){span.from + how->skipped, span.to + how->skipped, span.style};
    }
    struct lg_doc *doc = lg_arena_alloc(how->arena, sizeof *doc);
    *doc = (struct lg_doc){
        .text = lg_arena_str(how->arena, lg_buf_view(&rendered->out)),
        .arena = how->arena,
        .marks = marks,
        .file = text->file != NULL ? lg_arena_str(how->arena, lg_str_of(text->file)).p : NULL,
        .first_line = text->first_line};
    struct lg_val root = LG_NONE;
    enum lg_err_code code = lg_json_parse_doc(doc, &root, err);
    if (code != LG_E_OK)
        return code;
    *ret_root = root;
    if (ret_spans != NULL)
        *ret_spans = spans;
    return LG_E_OK;
}
