#include "rules/kube/patch.h"

#include "rules/core/out.h"

void lg_patch_done(struct lg_patch *patch)
{
    lg_buf_done(&patch->text);
    patch->n = 0;
}

static void add_token(struct lg_buf *buf, struct lg_str name)
{
    lg_buf_putc(buf, '/');
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] == '~')
            lg_buf_puts(buf, "~0");
        else if (name.p[i] == '/')
            lg_buf_puts(buf, "~1");
        else
            lg_buf_putc(buf, name.p[i]);
    }
}

static struct lg_str take_text(struct lg_buf *buf, struct lg_arena *arena)
{
    struct lg_str text = lg_arena_str(arena, lg_buf_view(buf));
    lg_buf_done(buf);
    return text;
}

struct lg_str lg_patch_pointer(struct lg_val root, struct lg_val v, struct lg_arena *arena)
{
    struct lg_buf buf = {0};
    struct lg_val at = root;
    struct lg_json_iter it;
    while (at.doc != NULL && at.i != v.i && lg_json_toward(at, v, &it)) {
        if (it.object)
            add_token(&buf, it.key);
        else
            lg_buf_printf(&buf, "/%zu", it.index);
        at = it.val;
    }
    return take_text(&buf, arena);
}

struct lg_str lg_patch_below(struct lg_str pointer, struct lg_str name, struct lg_arena *arena)
{
    struct lg_buf buf = {0};
    lg_buf_str(&buf, pointer);
    add_token(&buf, name);
    return take_text(&buf, arena);
}

static void add_string(struct lg_buf *buf, struct lg_str s)
{
    json_t *value = lg_out_str(s);
    lg_out_text(value, 0, buf);
    json_decref(value);
}

static void add_operation(struct lg_patch *patch, const char *op, struct lg_str pointer)
{
    lg_buf_putc(&patch->text, patch->n++ == 0 ? '[' : ',');
    lg_buf_printf(&patch->text, "{\"op\":\"%s\",\"path\":", op);
    add_string(&patch->text, pointer);
}

static void add_operation_with(struct lg_patch *patch, const char *op, struct lg_str pointer,
                               struct lg_str json)
{
    add_operation(patch, op, pointer);
    lg_buf_puts(&patch->text, ",\"value\":");
    lg_buf_str(&patch->text, json);
    lg_buf_putc(&patch->text, '}');
}

void lg_patch_test_str(struct lg_patch *patch, struct lg_str pointer, struct lg_str value)
{
    add_operation(patch, "test", pointer);
    lg_buf_puts(&patch->text, ",\"value\":");
    add_string(&patch->text, value);
    lg_buf_putc(&patch->text, '}');
}

void lg_patch_add(struct lg_patch *patch, struct lg_str pointer, struct lg_str json)
{
    add_operation_with(patch, "add", pointer, json);
}

void lg_patch_replace(struct lg_patch *patch, struct lg_str pointer, struct lg_str json)
{
    add_operation_with(patch, "replace", pointer, json);
}

void lg_patch_remove(struct lg_patch *patch, struct lg_str pointer)
{
    add_operation(patch, "remove", pointer);
    lg_buf_putc(&patch->text, '}');
}

struct lg_str lg_patch_finish(struct lg_patch *patch)
{
    if (patch->n != 0)
        lg_buf_putc(&patch->text, ']');
    return lg_buf_view(&patch->text);
}
