/* yaml.jsonl: what JSON does this YAML text mean to kubectl? Answered by sigs.k8s.io/yaml, strict. */
#include "rules/core/yaml.h"

#include <stdlib.h>

#include "rules/core/num.h"
#include "tests/conformance/conformance.h"

static bool same_number(struct lg_str a, struct lg_str b, struct lg_arena *arena)
{
    int64_t x;
    int64_t y;
    if (lg_num_int64(a, &x) == LG_E_OK && lg_num_int64(b, &y) == LG_E_OK)
        return x == y;
    return strtod(lg_arena_str(arena, a).p, NULL) == strtod(lg_arena_str(arena, b).p, NULL);
}

/* Same values, numbers by value: both texts run in document order where their members are sorted alike, so members are
 * looked up by name. Depth is the reader's. */
static bool same(struct lg_val root_a, struct lg_val root_b, struct lg_arena *arena)
{
    struct {
        struct lg_json_iter it;
        struct lg_val b;
    } stack[LG_JSON_DEPTH_MAX + 1];
    int depth = 0;
    struct lg_val a = root_a;
    struct lg_val b = root_b;
    for (;;) {
        if (lg_json_kind(a) != lg_json_kind(b) || lg_json_len(a) != lg_json_len(b))
            return false;
        if (lg_json_kind(a) >= LG_JSON_ARRAY) {
            stack[depth].it = lg_json_iter(a);
            stack[depth++].b = b;
        } else if (lg_json_kind(a) == LG_JSON_NUMBER) {
            if (!same_number(lg_json_text(a), lg_json_text(b), arena))
                return false;
        } else if (!lg_str_eq(lg_json_str(a), lg_json_str(b))) {
            return false;
        }
        while (depth > 0 && !lg_json_next(&stack[depth - 1].it))
            depth--;
        if (depth == 0)
            return true;
        struct lg_json_iter *it = &stack[depth - 1].it;
        a = it->val;
        if (it->object) {
            b = lg_json_get_str(stack[depth - 1].b, it->key);
            if (lg_json_kind(a) == LG_JSON_NULL && b.doc == NULL)
                b = a;
        } else {
            struct lg_json_iter other = lg_json_iter(stack[depth - 1].b);
            while (lg_json_next(&other) && other.index < it->index)
                continue;
            b = other.val;
        }
    }
}

static enum conformance_result row_yaml(struct lg_val row, struct lg_arena *arena,
                                        struct lg_buf *expected, struct lg_buf *got)
{
    struct lg_yaml_document document = {
        .text = lg_json_str(lg_json_get(row, "yaml")), .first_line = 1, .number = 1};
    struct lg_val want = lg_json_get(row, "json");
    bool want_error = lg_json_bool(lg_json_get(row, "error"), false);
    struct lg_val root = LG_NONE;
    struct lg_err err = {0};
    enum lg_err_code code = lg_yaml_parse(arena, &document, "row", &root, &err);
    bool ok = code != LG_E_OK    ? want_error
              : want_error       ? false
              : want.doc == NULL ? root.doc == NULL
                                 : root.doc != NULL && same(want, root, arena);
    if (ok)
        return CONFORMANCE_PASSED;
    if (want_error)
        lg_buf_puts(expected, "an error");
    else
        lg_buf_str(expected, want.doc != NULL ? lg_json_text(want) : LG_STR("nothing"));
    if (code != LG_E_OK)
        lg_buf_printf(got, "error %s: %s", err.where, err.text);
    else
        lg_buf_str(got, root.doc != NULL ? lg_json_text(root) : LG_STR("nothing"));
    return CONFORMANCE_FAILED;
}

const struct conformance_corpus conformance_yaml = {"yaml", row_yaml};
