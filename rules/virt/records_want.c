#include "rules/virt/records_want.h"

#include "rules/virt/slice.h"

static void wrong_type(struct lg_reader *reader, struct lg_val v, const char *expected)
{
    if (reader->code != LG_E_OK)
        return;
    struct lg_str path = lg_json_path(reader->object, v, reader->arena);
    reader->code = lg_err_set(reader->err, LG_E_INVALID, path.p, "expected %s, got %s", expected,
                              lg_json_kind_name(v));
}

/* The value at a dotted path below `from`. A step on the way that is no object, and a value that is
 * neither absent nor of this kind, fail the reading. */
static struct lg_val want(struct lg_reader *reader, struct lg_val from, const char *path,
                          enum lg_json_kind kind, const char *kind_name)
{
    struct lg_val v = from;
    while (*path != '\0') {
        if (!lg_json_there(v))
            return LG_NONE;
        if (lg_json_kind(v) != LG_JSON_OBJECT) {
            wrong_type(reader, v, "an object");
            return LG_NONE;
        }
        size_t n = strcspn(path, ".");
        v = lg_json_get_str(v, (struct lg_str){path, n});
        path += n + (path[n] == '.');
    }
    if (!lg_json_there(v))
        return LG_NONE;
    if (lg_json_kind(v) == kind)
        return v;
    wrong_type(reader, v, kind_name);
    return LG_NONE;
}

struct lg_str lg_want_str(struct lg_reader *reader, struct lg_val from, const char *path)
{
    return lg_json_str(want(reader, from, path, LG_JSON_STRING, "a string"));
}

struct lg_val lg_want_list(struct lg_reader *reader, struct lg_val from, const char *path)
{
    return want(reader, from, path, LG_JSON_ARRAY, "a list");
}

struct lg_val lg_want_object(struct lg_reader *reader, struct lg_val from, const char *path)
{
    return want(reader, from, path, LG_JSON_OBJECT, "an object");
}

bool lg_want_flag(struct lg_reader *reader, struct lg_val from, const char *path)
{
    struct lg_val v = lg_json_at(from, path);
    if (lg_json_there(v) && lg_json_kind(v) != LG_JSON_TRUE && lg_json_kind(v) != LG_JSON_FALSE)
        wrong_type(reader, v, "a boolean");
    return lg_json_bool(v, false);
}

struct lg_labels lg_want_labels(struct lg_reader *reader)
{
    return lg_labels_read(lg_want_object(reader, reader->object, "metadata.labels"), reader->arena);
}

struct lg_val lg_want_condition(struct lg_reader *reader, const char *type)
{
    struct lg_val list = lg_want_list(reader, reader->object, "status.conditions");
    for (struct lg_json_iter it = lg_json_iter(list); lg_json_next(&it);)
        if (lg_json_is(lg_json_get(it.val, "type"), type))
            return it.val;
    return LG_NONE;
}

void lg_keep_member(struct lg_buf *buf, const char *key, struct lg_val v)
{
    if (!lg_json_there(v))
        return;
    lg_buf_puts(buf, buf->n != 0 && buf->p[buf->n - 1] != '{' ? ",\"" : "\"");
    lg_buf_puts(buf, key);
    lg_buf_puts(buf, "\":");
    lg_slice_compact(buf, lg_json_text(v));
}

void lg_keep_name(struct lg_reader *reader, struct lg_buf *buf)
{
    lg_buf_puts(buf, "{\"metadata\":{");
    lg_keep_member(buf, "name", lg_json_at(reader->object, "metadata.name"));
}

struct lg_str lg_keep_text(struct lg_reader *reader, struct lg_buf *buf)
{
    struct lg_str text = lg_arena_str(reader->arena, lg_buf_view(buf));
    lg_buf_done(buf);
    return text;
}
