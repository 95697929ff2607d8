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

static enum lg_err_code too_many(const struct walk *walk, struct lg_val v, const char *expected,
                                 size_t n)
{
    char got[32];
    snprintf(got, sizeof got, "%zu", n);
    return refuse(walk, LG_E_LIMIT, v, expected, lg_str_of(got));
}

static enum lg_err_code check_list(const struct walk *walk, struct lg_val v)
{
    if (lg_json_kind(v) != LG_JSON_ARRAY)
        return wrong_type(walk, v, "a list");
    size_t n = lg_json_len(v);
    if (n <= ITEMS_MAX)
        return LG_E_OK;
    return too_many(walk, v, "at most 1,024 items", n);
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
        if (table->name_bytes == name.n && lg_bytes_eq(table->name, name.p, name.n))
            return table;
    return NULL;
}

/* Calls itself through check_value, as deep as tables refer to tables: the object has no say in
 * it. */
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

/* --- how much placement asks for ---
 *
 * Every requirement, value and label is compared with all nodes. Lists alone do not bound that:
 * there may be as many requirements as a thousand terms hold. */

enum { REQUIREMENTS_MAX = 512, REQUIRED_VALUES_MAX = 8192, SELECTED_MAX = 512 };

struct asked {
    size_t requirements, values;
};

static void count_requirements(struct asked *asked, struct lg_val list)
{
    asked->requirements += lg_json_len(list);
    for (struct lg_json_iter it = lg_json_iter(list); lg_json_next(&it);)
        asked->values += lg_json_len(lg_json_get(it.val, "values"));
}

/* A node selector's term, and a pod affinity's. */
static void count_term(struct asked *asked, struct lg_val term)
{
    const struct lg_val selectors[] = {lg_json_get(term, "labelSelector"),
                                       lg_json_get(term, "namespaceSelector")};
    count_requirements(asked, lg_json_get(term, "matchExpressions"));
    count_requirements(asked, lg_json_get(term, "matchFields"));
    for (size_t i = 0; i < sizeof selectors / sizeof *selectors; i++) {
        count_requirements(asked, lg_json_get(selectors[i], "matchExpressions"));
        asked->requirements += lg_json_len(lg_json_get(selectors[i], "matchLabels"));
    }
    asked->requirements += lg_json_len(lg_json_get(term, "matchLabelKeys"));
    asked->requirements += lg_json_len(lg_json_get(term, "mismatchLabelKeys"));
}

static struct asked count_affinity(struct lg_val affinity)
{
    static const char *const kinds[] = {"nodeAffinity", "podAffinity", "podAntiAffinity"};
    struct asked asked = {0};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct lg_val kind = lg_json_get(affinity, kinds[i]);
        struct lg_val required =
            lg_json_get(kind, "requiredDuringSchedulingIgnoredDuringExecution");
        struct lg_val preferred =
            lg_json_get(kind, "preferredDuringSchedulingIgnoredDuringExecution");
        if (lg_json_kind(required) == LG_JSON_OBJECT)
            required = lg_json_get(required, "nodeSelectorTerms");
        for (struct lg_json_iter it = lg_json_iter(required); lg_json_next(&it);)
            count_term(&asked, it.val);
        for (struct lg_json_iter it = lg_json_iter(preferred); lg_json_next(&it);) {
            count_term(&asked, lg_json_get(it.val, "preference"));
            count_term(&asked, lg_json_get(it.val, "podAffinityTerm"));
        }
    }
    return asked;
}

static enum lg_err_code check_placement(const struct walk *walk, struct lg_val spec)
{
    struct lg_val affinity = lg_json_get(spec, "affinity");
    struct lg_val selector = lg_json_get(spec, "nodeSelector");
    struct asked asked = count_affinity(affinity);
    if (lg_json_len(selector) > SELECTED_MAX)
        return too_many(walk, selector, "at most 512 labels", lg_json_len(selector));
    if (asked.requirements > REQUIREMENTS_MAX)
        return too_many(walk, affinity, "at most 512 requirements in all terms together",
                        asked.requirements);
    if (asked.values > REQUIRED_VALUES_MAX)
        return too_many(walk, affinity, "at most 8,192 values in all terms together", asked.values);
    return LG_E_OK;
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
    enum lg_err_code code = check_members(&walk, table, object);
    if (code == LG_E_OK && lg_kind_is_guest(kind))
        code = check_placement(&walk, lg_vm_read(kind, object, LG_STR("")).spec);
    if (code == LG_E_OK && kind == LG_KIND_MIGRATION) {
        struct lg_val selector = lg_json_at(object, "spec.addedNodeSelector");
        if (lg_json_len(selector) > SELECTED_MAX)
            code = too_many(&walk, selector, "at most 512 labels", lg_json_len(selector));
    }
    return code;
}
