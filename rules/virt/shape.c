#include "rules/virt/shape.h"

#include <stdio.h>

#include "rules/virt/vm.h"

enum { ITEMS_MAX = 1024 };

struct walk {
    struct lg_val object;
    struct lg_err *err;
};

static enum lg_err_code refuse(const struct walk *walk, enum lg_err_code code, struct lg_val v,
                               const char *expected, struct lg_str got)
{
    struct lg_str path = lg_json_path(walk->object, v, v.doc->arena);
    return lg_err_set(walk->err, code, path.p, "expected %s, got %.*s", expected, LG_ARG(got));
}

static enum lg_err_code wrong_type(const struct walk *walk, struct lg_val v, const char *expected)
{
    return refuse(walk, LG_E_INVALID, v, expected, lg_str_of(lg_json_kind_name(v)));
}

static enum lg_err_code check_int(const struct walk *walk, struct lg_val v, int64_t min,
                                  int64_t max, const char *range)
{
    if (lg_json_kind(v) != LG_JSON_NUMBER)
        return wrong_type(walk, v, "an integer");
    int64_t value = 0;
    enum lg_err_code code = lg_json_int64(v, &value);
    if (code == LG_E_INVALID)
        return refuse(walk, code, v, "an integer", lg_str_cut(lg_json_text(v), 40));
    if (code != LG_E_OK || value < min || value > max)
        return refuse(walk, LG_E_LIMIT, v, range, lg_str_cut(lg_json_text(v), 40));
    return LG_E_OK;
}

static enum lg_err_code check_string(const struct walk *walk, struct lg_val v)
{
    return lg_json_kind(v) == LG_JSON_STRING ? LG_E_OK : wrong_type(walk, v, "a string");
}

static enum lg_err_code check_quantity(const struct walk *walk, struct lg_val v)
{
    enum lg_json_kind kind = lg_json_kind(v);
    return kind == LG_JSON_STRING || kind == LG_JSON_NUMBER ? LG_E_OK
                                                            : wrong_type(walk, v, "a quantity");
}

/* The values of a map, or the items of a list of strings. */
static enum lg_err_code check_each(const struct walk *walk, struct lg_val v,
                                   enum lg_err_code (*check)(const struct walk *, struct lg_val))
{
    enum lg_err_code code = LG_E_OK;
    for (struct lg_json_iter it = lg_json_iter(v); code == LG_E_OK && lg_json_next(&it);)
        if (lg_json_there(it.val))
            code = check(walk, it.val);
    return code;
}

static enum lg_err_code check_list(const struct walk *walk, struct lg_val v)
{
    if (lg_json_kind(v) != LG_JSON_ARRAY)
        return wrong_type(walk, v, "a list");
    size_t n = lg_json_len(v);
    if (n <= ITEMS_MAX)
        return LG_E_OK;
    char got[32];
    snprintf(got, sizeof got, "%zu", n);
    return refuse(walk, LG_E_LIMIT, v, "at most 1,024 items", lg_str_of(got));
}

static enum lg_err_code check_map(const struct walk *walk, struct lg_val v)
{
    return lg_json_kind(v) == LG_JSON_OBJECT ? LG_E_OK : wrong_type(walk, v, "an object");
}

static enum lg_err_code check_scalar(const struct walk *walk, enum lg_shape_type type,
                                     struct lg_val v)
{
    enum lg_json_kind kind = lg_json_kind(v);
    switch (type) {
    case LG_SHAPE_STRING:
        return check_string(walk, v);
    case LG_SHAPE_BOOL:
        return kind == LG_JSON_TRUE || kind == LG_JSON_FALSE ? LG_E_OK
                                                             : wrong_type(walk, v, "a boolean");
    case LG_SHAPE_INT32:
        return check_int(walk, v, INT32_MIN, INT32_MAX, "an integer of 32 bits");
    case LG_SHAPE_INT64:
        return check_int(walk, v, INT64_MIN, INT64_MAX, "an integer of 64 bits");
    case LG_SHAPE_PORT:
        return check_int(walk, v, 1, 65535, "a port from 1 to 65535");
    case LG_SHAPE_QUANTITY:
        return check_quantity(walk, v);
    default:
        return LG_E_OK;
    }
}

static enum lg_err_code check_members(const struct walk *walk, const struct lg_shape *table,
                                      struct lg_val v);

static enum lg_err_code check_objects(const struct walk *walk, const struct lg_shape *table,
                                      struct lg_val v)
{
    enum lg_err_code code = check_list(walk, v);
    for (struct lg_json_iter it = lg_json_iter(v); code == LG_E_OK && lg_json_next(&it);)
        if (lg_json_there(it.val))
            code = check_members(walk, table, it.val);
    return code;
}

static enum lg_err_code check_value(const struct walk *walk, const struct lg_shape *shape,
                                    struct lg_val v)
{
    enum lg_err_code code = LG_E_OK;
    switch ((enum lg_shape_type)shape->type) {
    case LG_SHAPE_OBJECT:
        return check_members(walk, shape->of, v);
    case LG_SHAPE_OBJECTS:
        return check_objects(walk, shape->of, v);
    case LG_SHAPE_STRINGS:
        code = check_list(walk, v);
        return code != LG_E_OK ? code : check_each(walk, v, check_string);
    case LG_SHAPE_STRING_MAP:
        code = check_map(walk, v);
        return code != LG_E_OK ? code : check_each(walk, v, check_string);
    case LG_SHAPE_QUANTITY_MAP:
        code = check_map(walk, v);
        return code != LG_E_OK ? code : check_each(walk, v, check_quantity);
    default:
        return check_scalar(walk, (enum lg_shape_type)shape->type, v);
    }
}

const struct lg_shape *lg_shape_find(const struct lg_shape *table, struct lg_str name)
{
    for (; table->name != NULL; table++)
        if (table->name_bytes == name.n && memcmp(table->name, name.p, name.n) == 0)
            return table;
    return NULL;
}

/* Calls itself through check_value, as deep as tables refer to tables: the object has no say in it. */
static enum lg_err_code check_members(const struct walk *walk, const struct lg_shape *table,
                                      struct lg_val v)
{
    enum lg_err_code code = check_map(walk, v);
    if (code != LG_E_OK || table == NULL)
        return code;
    for (struct lg_json_iter it = lg_json_iter(v); code == LG_E_OK && lg_json_next(&it);) {
        if (!lg_json_there(it.val))
            continue;
        const struct lg_shape *member = lg_shape_find(table, it.key);
        if (member != NULL)
            code = check_value(walk, member, it.val);
    }
    return code;
}

enum lg_err_code lg_shape_check(enum lg_kind kind, struct lg_val object, struct lg_err *err)
{
    const struct lg_shape *table = lg_shape_of(kind);
    if (table == NULL)
        return LG_E_OK;
    struct walk walk = {.object = object, .err = err};
    if (lg_json_kind(object) != LG_JSON_OBJECT)
        return lg_err_set(err, LG_E_INVALID, "", "expected an object, got %s",
                          lg_json_kind_name(object));
    return check_members(&walk, table, object);
}
