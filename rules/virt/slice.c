#include "rules/virt/slice.h"

void lg_slice_compact(struct lg_buf *buf, struct lg_str json)
{
    bool in_string = false;
    size_t from = 0;
    for (size_t i = 0; i < json.n; i++) {
        char c = json.p[i];
        if (in_string && c == '\\') {
            i++;
        } else if (c == '"') {
            in_string = !in_string;
        } else if (!in_string && (c == ' ' || c == '\n' || c == '\r' || c == '\t')) {
            lg_buf_add(buf, json.p + from, i - from);
            from = i + 1;
        }
    }
    lg_buf_add(buf, json.p + from, json.n - from);
}

static void add_items(struct lg_buf *buf, const struct lg_shape *table, struct lg_val list)
{
    lg_buf_putc(buf, '[');
    for (struct lg_json_iter it = lg_json_iter(list); lg_json_next(&it);) {
        lg_buf_puts(buf, it.index != 0 ? "," : "");
        lg_slice_members(buf, table, it.val);
    }
    lg_buf_putc(buf, ']');
}

static void add_value(struct lg_buf *buf, const struct lg_shape *shape, struct lg_val v)
{
    if (shape->type == LG_SHAPE_OBJECT && shape->of != NULL)
        lg_slice_members(buf, shape->of, v);
    else if (shape->type == LG_SHAPE_OBJECT && lg_json_kind(v) == LG_JSON_OBJECT)
        lg_buf_puts(buf, "{}");
    else if (shape->type == LG_SHAPE_OBJECTS && lg_json_kind(v) == LG_JSON_ARRAY)
        add_items(buf, shape->of, v);
    else
        lg_slice_compact(buf, lg_json_text(v));
}

/* Calls itself through add_value, as deep as tables refer to tables. */
void lg_slice_members(struct lg_buf *buf, const struct lg_shape *table, struct lg_val v)
{
    if (lg_json_kind(v) != LG_JSON_OBJECT) {
        lg_slice_compact(buf, lg_json_text(v));
        return;
    }
    const char *between = "{\"";
    for (struct lg_json_iter it = lg_json_iter(v); lg_json_next(&it);) {
        const struct lg_shape *member = lg_shape_find(table, it.key);
        if (member == NULL || !lg_json_there(it.val))
            continue;
        lg_buf_puts(buf, between);
        lg_buf_puts(buf, member->name);
        lg_buf_puts(buf, "\":");
        between = ",\"";
        add_value(buf, member, it.val);
    }
    lg_buf_puts(buf, *between == '{' ? "{}" : "}");
}
