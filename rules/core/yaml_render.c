/* The YAML tree as JSON text: aliases and merge keys expanded within a budget, no recursion. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "rules/core/mem.h"
#include "rules/core/yaml.h"
#include "rules/core/yaml_tree.h"

enum {
    FRAMES_MAX = LG_JSON_DEPTH_MAX * 4,
    STEPS_MAX = 4 * LG_JSON_NODES_MAX, /* merging empty maps writes nothing and still takes time */
};

struct frame {
    const struct lg_yaml_node *next;
    bool mapping;
    bool merged; /* a merged map's members go into the object around it */
};

struct render {
    struct lg_arena *arena;
    struct lg_yaml_rendered *out;
    struct frame frames[FRAMES_MAX];
    int n;
    int steps;
    struct lg_err *err;
};

enum lg_err_code lg_yaml_fail(struct lg_err *err, enum lg_err_code code, struct lg_mark mark,
                              const char *format, ...)
{
    char where[32];
    char text[LG_ERR_TEXT_BYTES];
    snprintf(where, sizeof where, "%u:%u", mark.line, mark.column);
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return lg_err_set(err, code, where, "%s", text);
}

void lg_yaml_rendered_done(struct lg_yaml_rendered *rendered)
{
    lg_buf_done(&rendered->text);
    free(rendered->marks);
    *rendered = (struct lg_yaml_rendered){0};
}

static enum lg_err_code add_mark(struct render *r, struct lg_mark mark)
{
    struct lg_yaml_rendered *out = r->out;
    if (out->n_marks > LG_JSON_NODES_MAX || out->text.n > LG_YAML_RENDERED_BYTES_MAX)
        return lg_yaml_fail(r->err, LG_E_LIMIT, mark,
                            "the document is too large with its aliases expanded");
    if (out->n_marks == out->marks_size) {
        out->marks_size = out->marks_size != 0 ? out->marks_size * 2 : 256;
        out->marks = lg_realloc(out->marks, out->marks_size, sizeof *out->marks);
    }
    out->marks[out->n_marks++] = mark;
    return LG_E_OK;
}

static const struct lg_yaml_node *behind_aliases(const struct lg_yaml_node *node)
{
    while (node->kind == LG_YAML_ALIAS)
        node = node->target;
    return node;
}

static enum lg_err_code push(struct render *r, const struct lg_yaml_node *node, bool merged)
{
    if (r->n == FRAMES_MAX || ++r->steps > STEPS_MAX)
        return lg_yaml_fail(r->err, LG_E_LIMIT, node->mark, "nested too deep, or merged too often");
    bool mapping = node->kind == LG_YAML_MAPPING;
    r->frames[r->n++] = (struct frame){node->first, mapping, merged};
    if (!merged)
        lg_buf_putc(&r->out->text, mapping ? '{' : '[');
    return LG_E_OK;
}

/* A comma, unless a container has just been opened. */
static void separate(struct render *r)
{
    const struct lg_buf *text = &r->out->text;
    char last = text->n != 0 ? text->p[text->n - 1] : '[';
    if (last != '{' && last != '[' && last != ':')
        lg_buf_putc(&r->out->text, ',');
}

/* Prints a scalar; an error of its value is put where it stands. */
static enum lg_err_code print_scalar(struct render *r, const struct lg_yaml_node *node, bool key,
                                     struct lg_mark mark)
{
    struct lg_yaml_scalar scalar;
    struct lg_err why = {0};
    enum lg_err_code code = lg_yaml_resolve(node, r->arena, &scalar, &why);
    if (code == LG_E_OK)
        code = key ? lg_yaml_print_key(&scalar, &r->out->text, &why)
                   : lg_yaml_print_value(&scalar, &r->out->text, &why);
    return code == LG_E_OK ? code : lg_yaml_fail(r->err, code, mark, "%s", why.text);
}

static enum lg_err_code render_value(struct render *r, const struct lg_yaml_node *node)
{
    enum lg_err_code code = add_mark(r, node->mark);
    const struct lg_yaml_node *value = behind_aliases(node);
    if (code != LG_E_OK)
        return code;
    separate(r);
    if (value->kind == LG_YAML_SCALAR)
        return print_scalar(r, value, false, node->mark);
    return push(r, value, false);
}

static bool is_merge(const struct lg_yaml_node *key)
{
    if (key->kind != LG_YAML_SCALAR || !lg_str_is(key->text, "<<"))
        return false;
    return key->plain || lg_str_is(key->tag, "tag:yaml.org,2002:merge");
}

static enum lg_err_code push_merged(struct render *r, const struct lg_yaml_node *node)
{
    const struct lg_yaml_node *value = behind_aliases(node);
    if (value->kind != LG_YAML_MAPPING)
        return lg_yaml_fail(r->err, LG_E_INVALID, node->mark, "<< needs a map or a list of maps");
    return push(r, value, true);
}

static enum lg_err_code render_merge(struct render *r, const struct lg_yaml_node *value)
{
    if (value->kind != LG_YAML_SEQUENCE)
        return push_merged(r, value);
    enum lg_err_code code = LG_E_OK;
    for (const struct lg_yaml_node *item = value->first; item != NULL && code == LG_E_OK;
         item = item->next)
        code = push_merged(r, item);
    return code;
}

static enum lg_err_code render_member(struct render *r, const struct lg_yaml_node *key)
{
    if (is_merge(key))
        return render_merge(r, key->next);
    const struct lg_yaml_node *name = behind_aliases(key);
    if (name->kind != LG_YAML_SCALAR)
        return lg_yaml_fail(r->err, LG_E_INVALID, key->mark,
                            "a key must be a scalar, not a map or a list");
    enum lg_err_code code = add_mark(r, key->mark);
    if (code != LG_E_OK)
        return code;
    separate(r);
    code = print_scalar(r, name, true, key->mark);
    if (code != LG_E_OK)
        return code;
    lg_buf_putc(&r->out->text, ':');
    return render_value(r, key->next);
}

enum lg_err_code lg_yaml_render(const struct lg_yaml_node *root, struct lg_arena *arena,
                                struct lg_yaml_rendered *ret, struct lg_err *err)
{
    struct render *r = lg_arena_alloc(arena, sizeof *r);
    r->arena = arena;
    r->out = ret;
    r->err = err;
    enum lg_err_code code = render_value(r, root);
    while (code == LG_E_OK && r->n > 0) {
        struct frame *frame = &r->frames[r->n - 1];
        const struct lg_yaml_node *node = frame->next;
        if (node == NULL) {
            if (!frame->merged)
                lg_buf_putc(&ret->text, frame->mapping ? '}' : ']');
            r->n--;
            continue;
        }
        frame->next = frame->mapping ? node->next->next : node->next;
        code = frame->mapping ? render_member(r, node) : render_value(r, node);
    }
    return code;
}
