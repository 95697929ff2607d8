/* The JSON reader against jansson: both accept the same texts, but for integers beyond 64 bits and
 * our own limits, and mean the same by them. */
#include <assert.h>
#include <jansson.h>
#include <stdint.h>
#include <string.h>

#include "rules/core/json.h"
#include "rules/core/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What jansson refuses and RFC 8259 does not: integers beyond 64 bits, and NUL in a name. */
static bool has_what_jansson_lacks(struct lg_val root)
{
    const struct lg_doc *doc = root.doc;
    for (uint32_t i = 0; i < doc->count; i++) {
        struct lg_val v = {doc, i};
        struct lg_str s = lg_json_str(v);
        int64_t ignored;
        if (lg_json_int64(v, &ignored) == LG_E_LIMIT ||
            (s.n != 0 && memchr(s.p, '\0', s.n) != NULL))
            return true;
    }
    return false;
}

static void check_string(struct lg_val v, const json_t *oracle)
{
    struct lg_str s = lg_json_str(v);
    struct lg_str want = {json_string_value(oracle), json_string_length(oracle)};
    assert(lg_str_eq(s, want));
    assert(lg_json_is_str(v, want));
    assert(lg_json_str(v).p == s.p);
}

static void check_number(struct lg_val v, const json_t *oracle)
{
    int64_t i = 0;
    enum lg_err_code code = lg_json_int64(v, &i);
    if (json_is_integer(oracle)) {
        assert(code == LG_E_OK && i == json_integer_value(oracle));
        return;
    }
    struct lg_str text = lg_json_text(v);
    char *copy lg_cleanup(lg_free_cleanup) = lg_memdup(text.p, text.n);
    assert(code == LG_E_INVALID && json_is_real(oracle));
    assert(strtod(copy, NULL) == json_real_value(oracle));
}

/* Compares one value; what it contains is pushed by the caller. */
static void check_value(struct lg_val v, const json_t *oracle)
{
    switch (lg_json_kind(v)) {
    case LG_JSON_NULL:
        assert(json_is_null(oracle) && !lg_json_there(v));
        break;
    case LG_JSON_FALSE:
    case LG_JSON_TRUE:
        assert(json_is_boolean(oracle));
        assert(lg_json_bool(v, !json_is_true(oracle)) == json_is_true(oracle));
        break;
    case LG_JSON_NUMBER:
        check_number(v, oracle);
        break;
    case LG_JSON_STRING:
        assert(json_is_string(oracle));
        check_string(v, oracle);
        break;
    case LG_JSON_ARRAY:
        assert(json_is_array(oracle) && lg_json_len(v) == json_array_size(oracle));
        break;
    case LG_JSON_OBJECT:
        assert(json_is_object(oracle) && lg_json_len(v) == json_object_size(oracle));
        break;
    case LG_JSON_ABSENT:
        assert(false);
    }
}

/* Walks both at once; the reader's depth bounds the stack. */
static void check_same(struct lg_val root, const json_t *oracle_root)
{
    struct {
        struct lg_json_iter it;
        const json_t *oracle;
    } stack[LG_JSON_DEPTH_MAX];
    int depth = 0;
    struct lg_val v = root;
    const json_t *oracle = oracle_root;
    for (;;) {
        assert(oracle != NULL);
        check_value(v, oracle);
        if (lg_json_kind(v) >= LG_JSON_ARRAY) {
            stack[depth].it = lg_json_iter(v);
            stack[depth++].oracle = oracle;
        }
        while (depth > 0 && !lg_json_next(&stack[depth - 1].it))
            depth--;
        if (depth == 0)
            return;
        const struct lg_json_iter *it = &stack[depth - 1].it;
        const json_t *parent = stack[depth - 1].oracle;
        v = it->val;
        if (json_is_object(parent)) {
            oracle = json_object_getn(parent, it->key.p != NULL ? it->key.p : "", it->key.n);
            struct lg_val found = lg_json_get_str(stack[depth - 1].it.of, it->key);
            assert(found.doc == NULL ? !lg_json_there(v) : found.i == v.i);
        } else {
            oracle = json_array_get(parent, it->index);
        }
    }
}

/* What was read up to a violated limit is a document all the same: every node lies within it. */
static void check_partial(struct lg_val root)
{
    const struct lg_doc *doc = root.doc;
    assert(doc->count != 0 && doc->nodes[0].next == doc->count);
    for (uint32_t i = 0; i < doc->count; i++) {
        assert(doc->nodes[i].next > i && doc->nodes[i].next <= doc->count);
        assert((size_t)doc->nodes[i].off + doc->nodes[i].len <= doc->text.n);
        struct lg_arena arena lg_cleanup(lg_arena_done) = {0};
        if (i + 8 > doc->count)
            (void)lg_json_path(root, (struct lg_val){doc, i}, &arena);
    }
    assert(lg_json_equal(root, root));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lg_arena arena lg_cleanup(lg_arena_done) = {0};
    struct lg_val root = LG_NONE;
    struct lg_err err = {0};
    struct lg_str text = {(const char *)data, size};
    enum lg_err_code code = lg_json_parse(&arena, text, &root, &err);
    const size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL;
    json_error_t oracle_err;
    json_t *oracle = json_loadb((const char *)data, size, flags, &oracle_err);
    assert(code == err.code && (code == LG_E_OK) == (err.text[0] == '\0'));
    if (code == LG_E_INVALID) {
        /* jansson takes a NUL byte behind the value for the end. */
        assert(oracle == NULL || memchr(data, '\0', size) != NULL);
        assert(root.doc == NULL && strncmp(err.where, "line ", 5) == 0);
    } else if (code == LG_E_LIMIT) {
        check_partial(root);
        if (strstr(err.text, "twice") != NULL)
            assert(oracle == NULL);
    } else if (oracle == NULL) {
        assert(code == LG_E_OK && has_what_jansson_lacks(root));
    } else {
        check_same(root, oracle);
        assert(lg_json_equal(root, root));
    }
    json_decref(oracle);
    return 0;
}
