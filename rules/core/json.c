#include "rules/core/json.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/core/json_keys.h"
#include "rules/core/map.h"
#include "rules/core/mem.h"
#include "rules/core/num.h"
#include "rules/core/utf8.h"

static inline const struct lg_json_node *node_of(struct lg_val v)
{
    return v.doc != NULL ? &v.doc->nodes[v.i] : NULL;
}

const char *lg_json_kind_name(struct lg_val v)
{
    static const char *const names[] = {
        [LG_JSON_ABSENT] = "nothing", [LG_JSON_NULL] = "null",        [LG_JSON_FALSE] = "a boolean",
        [LG_JSON_TRUE] = "a boolean", [LG_JSON_NUMBER] = "a number",  [LG_JSON_STRING] = "a string",
        [LG_JSON_ARRAY] = "a list",   [LG_JSON_OBJECT] = "an object",
    };
    return names[lg_json_kind(v)];
}

static struct lg_val there(const struct lg_doc *doc, uint32_t i)
{
    if (doc->nodes[i].kind == LG_JSON_NULL)
        return LG_NONE;
    return (struct lg_val){doc, i};
}

/* The value's index of member `key`, or 0 (index 0 is the root and never a member's value). */
static uint32_t find_member(struct lg_val v, struct lg_str key, uint32_t bit)
{
    const struct lg_json_node *node = node_of(v);
    if (node == NULL || node->kind != LG_JSON_OBJECT || (node->more & bit) == 0)
        return 0;
    const struct lg_json_node *const nodes = v.doc->nodes;
    const char *const text = v.doc->text.p;
    const uint32_t end = node->next;
    const struct lg_json_keys *keys =
        node->more == LG_JSON_ANY_KEY ? lg_json_keys_of(v.doc, v.i) : NULL;
    if (keys != NULL) {
        uint32_t found = lg_json_keys_find(keys, v.doc, key);
        return found != 0 ? found + 1 : 0;
    }
    for (uint32_t i = v.i + 1; i < end; i = nodes[i + 1].next) {
        const struct lg_json_node *name = &nodes[i];
        bool found = name->len == key.n && lg_bytes_eq(text + name->off, key.p, key.n);
        if (name->more)
            found = lg_json_is_str((struct lg_val){v.doc, i}, key);
        if (found)
            return i + 1;
    }
    return 0;
}

struct lg_val lg_json_get_bit(struct lg_val v, struct lg_str key, uint32_t bit)
{
    uint32_t i = find_member(v, key, bit);
    return i != 0 ? there(v.doc, i) : LG_NONE;
}

bool lg_json_has(struct lg_val v, const char *key)
{
    struct lg_str name = lg_str_of(key);
    return find_member(v, name, lg_json_key_bit(name)) != 0;
}

struct lg_val lg_json_at(struct lg_val v, const char *path)
{
    while (*path != '\0' && v.doc != NULL) {
        size_t n = (size_t)(strchrnul(path, '.') - path);
        v = lg_json_get_str(v, (struct lg_str){path, n});
        path += n + (path[n] == '.');
    }
    return v;
}

struct lg_val lg_json_item(struct lg_val v, size_t n)
{
    const struct lg_json_node *node = node_of(v);
    if (node == NULL || node->kind != LG_JSON_ARRAY)
        return LG_NONE;
    for (uint32_t i = v.i + 1; i < node->next; i = v.doc->nodes[i].next)
        if (n-- == 0)
            return there(v.doc, i);
    return LG_NONE;
}

size_t lg_json_len(struct lg_val v)
{
    const struct lg_json_node *node = node_of(v);
    if (node == NULL || node->kind < LG_JSON_ARRAY)
        return 0;
    size_t n = 0;
    for (uint32_t i = v.i + 1; i < node->next; i = v.doc->nodes[i].next)
        n++;
    return node->kind == LG_JSON_OBJECT ? n / 2 : n;
}

static unsigned hex4(const char *p)
{
    unsigned c = 0;
    for (int i = 0; i < 4; i++) {
        unsigned d = (unsigned char)p[i];
        c = c << 4 | (d <= '9' ? d - '0' : (d | 0x20) - 'a' + 10);
    }
    return c;
}

/* Reads the escape at p (behind the backslash, known to be valid) as UTF-8; returns the bytes
 * written. */
static size_t unescape_one(const char **p, char out[4])
{
    char c = *(*p)++;
    switch (c) {
    case 'b':
        out[0] = '\b';
        return 1;
    case 'f':
        out[0] = '\f';
        return 1;
    case 'n':
        out[0] = '\n';
        return 1;
    case 'r':
        out[0] = '\r';
        return 1;
    case 't':
        out[0] = '\t';
        return 1;
    case 'u':
        break;
    default:
        out[0] = c;
        return 1;
    }
    uint32_t u = hex4(*p);
    *p += 4;
    if (u >= 0xD800 && u < 0xDC00) {
        u = 0x10000 + ((u - 0xD800) << 10) + (hex4(*p + 2) - 0xDC00);
        *p += 6;
    }
    return lg_utf8_encode(u, out);
}

static struct lg_str unescape(struct lg_arena *arena, struct lg_str raw)
{
    char *text = lg_arena_room(arena, raw.n, 1);
    size_t n = 0;
    for (const char *p = raw.p, *end = raw.p + raw.n; p < end;) {
        const char *escape = memchr(p, '\\', (size_t)(end - p));
        size_t plain = (size_t)((escape != NULL ? escape : end) - p);
        memcpy(text + n, p, plain);
        n += plain;
        p += plain;
        if (escape == NULL)
            break;
        p++;
        n += unescape_one(&p, text + n);
    }
    return (struct lg_str){text, n};
}

/* Unescaped once, however often it is asked for: memory stays in proportion to the text. */
struct lg_str lg_json_str(struct lg_val v)
{
    const struct lg_json_node *node = node_of(v);
    if (node == NULL || node->kind != LG_JSON_STRING)
        return (struct lg_str){0};
    struct lg_str raw = {v.doc->text.p + node->off, node->len};
    if (!node->more)
        return raw;
    struct lg_str *known = &v.doc->unescaped[node->more - 1];
    if (known->p == NULL)
        *known = unescape(v.doc->arena, raw);
    return *known;
}

struct lg_str lg_json_str_at(struct lg_val v, const char *path)
{
    return lg_json_str(lg_json_at(v, path));
}

bool lg_json_is_str(struct lg_val v, struct lg_str text)
{
    const struct lg_json_node *node = node_of(v);
    if (node == NULL || node->kind != LG_JSON_STRING)
        return false;
    const char *p = v.doc->text.p + node->off;
    if (!node->more)
        return lg_str_eq((struct lg_str){p, node->len}, text);
    size_t n = 0;
    for (const char *end = p + node->len; p < end;) {
        char c[4] = {*p};
        size_t len = 1;
        if (*p++ == '\\')
            len = unescape_one(&p, c);
        if (text.n - n < len || memcmp(text.p + n, c, len) != 0)
            return false;
        n += len;
    }
    return n == text.n;
}

bool lg_json_is(struct lg_val v, const char *text)
{
    return lg_json_is_str(v, lg_str_of(text));
}

bool lg_json_bool(struct lg_val v, bool otherwise)
{
    enum lg_json_kind kind = lg_json_kind(v);
    return kind == LG_JSON_TRUE ? true : kind == LG_JSON_FALSE ? false : otherwise;
}

enum lg_err_code lg_json_int64(struct lg_val v, int64_t *ret)
{
    if (lg_json_kind(v) != LG_JSON_NUMBER)
        return LG_E_INVALID;
    return lg_num_int64(lg_json_text(v), ret);
}

struct lg_str lg_json_text(struct lg_val v)
{
    const struct lg_json_node *node = node_of(v);
    if (node == NULL)
        return (struct lg_str){0};
    const char *p = v.doc->text.p + node->off;
    if (node->kind == LG_JSON_STRING)
        return (struct lg_str){p - 1, (size_t)node->len + 2};
    return (struct lg_str){p, node->len};
}

static bool equal_scalars(struct lg_val a, struct lg_val b)
{
    if (lg_json_kind(a) != LG_JSON_STRING)
        return lg_str_eq(lg_json_text(a), lg_json_text(b));
    if (!node_of(b)->more)
        return lg_json_is_str(a, lg_json_str(b));
    return lg_json_is_str(b, lg_json_str(a));
}

enum { MEMBERS_SEARCHED_MAX = 64 }; /* larger objects in another order are looked up by hash */

struct equal_frame {
    struct lg_json_iter a;
    struct lg_val b;
    uint32_t b_at; /* the next item or key of b, when both run in the same order */
    size_t len;
    struct lg_map b_members;
};

struct equal_stack {
    struct equal_frame frames[LG_JSON_DEPTH_MAX];
    int depth;
};

static void equal_pop(struct equal_stack *stack)
{
    lg_map_done(&stack->frames[--stack->depth].b_members);
}

static void equal_done(struct equal_stack *stack)
{
    while (stack->depth > 0)
        equal_pop(stack);
}

/* The index of b's member of that name, or 0: linear for the whole object, whatever the order. */
static uint32_t find_partner(struct equal_frame *frame, struct lg_str key)
{
    const struct lg_doc *doc = frame->b.doc;
    if (frame->len <= MEMBERS_SEARCHED_MAX)
        return find_member(frame->b, key, lg_json_key_bit(key));
    if (frame->b_members.used == 0)
        for (uint32_t i = frame->b.i + 1; i < node_of(frame->b)->next; i = doc->nodes[i + 1].next)
            (void)lg_map_set(&frame->b_members, lg_json_str((struct lg_val){doc, i}),
                             &doc->nodes[i + 1]);
    const struct lg_json_node *found = lg_map_get(&frame->b_members, key);
    return found != NULL ? (uint32_t)(found - doc->nodes) : 0;
}

/* The partner in b of the item that frame->a stands on. */
static struct lg_val partner(struct equal_frame *frame)
{
    const struct lg_doc *doc = frame->b.doc;
    uint32_t at = frame->b_at;
    if (!frame->a.object) {
        frame->b_at = doc->nodes[at].next;
        return (struct lg_val){doc, at};
    }
    if (at < node_of(frame->b)->next && lg_json_is_str((struct lg_val){doc, at}, frame->a.key)) {
        frame->b_at = doc->nodes[at + 1].next;
        return (struct lg_val){doc, at + 1};
    }
    uint32_t i = find_partner(frame, frame->a.key);
    if (i == 0)
        return LG_NONE;
    frame->b_at = doc->nodes[i].next;
    return (struct lg_val){doc, i};
}

bool lg_json_equal(struct lg_val a, struct lg_val b)
{
    if (lg_json_kind(a) != lg_json_kind(b))
        return false;
    if (a.doc == NULL)
        return true;
    /* Frames are filled when they are reached. */
    struct equal_stack stack __attribute__((uninitialized)) lg_cleanup(equal_done);
    stack.depth = 0;
    for (;;) {
        if (lg_str_eq(lg_json_text(a), lg_json_text(b))) {
            /* equal */
        } else if (lg_json_kind(a) < LG_JSON_ARRAY) {
            if (!equal_scalars(a, b))
                return false;
        } else {
            size_t len = lg_json_len(a);
            if (len != lg_json_len(b))
                return false;
            assert(stack.depth < LG_JSON_DEPTH_MAX);
            stack.frames[stack.depth++] =
                (struct equal_frame){.a = lg_json_iter(a), .b = b, .b_at = b.i + 1, .len = len};
        }
        while (stack.depth > 0 && !lg_json_next(&stack.frames[stack.depth - 1].a))
            equal_pop(&stack);
        if (stack.depth == 0)
            return true;
        struct equal_frame *frame = &stack.frames[stack.depth - 1];
        a = frame->a.val;
        b = partner(frame);
        if (lg_json_kind(a) != lg_json_kind(b))
            return false;
    }
}

static bool plain_name(struct lg_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '-';
        if (!ok)
            return false;
    }
    return s.n != 0;
}

bool lg_json_toward(struct lg_val at, struct lg_val v, struct lg_json_iter *ret)
{
    struct lg_json_iter it = lg_json_iter(at);
    while (lg_json_next(&it)) {
        if (v.i >= it.val.i && v.i < node_of(it.val)->next) {
            *ret = it;
            return true;
        }
    }
    return false;
}

struct lg_str lg_json_path(struct lg_val root, struct lg_val v, struct lg_arena *arena)
{
    struct lg_buf buf = {0};
    struct lg_val at = root;
    struct lg_json_iter it;
    while (at.doc != NULL && at.i != v.i && lg_json_toward(at, v, &it)) {
        if (!it.object) {
            lg_buf_printf(&buf, "[%zu]", it.index);
        } else if (plain_name(it.key)) {
            lg_buf_puts(&buf, buf.n != 0 ? "." : "");
            lg_buf_str(&buf, it.key);
        } else {
            lg_buf_puts(&buf, "[\"");
            lg_buf_printable(&buf, it.key);
            lg_buf_puts(&buf, "\"]");
        }
        at = it.val;
    }
    struct lg_str path = lg_arena_str(arena, lg_buf_view(&buf));
    lg_buf_done(&buf);
    return path;
}

struct lg_mark lg_json_mark(struct lg_val v)
{
    if (v.doc == NULL)
        return (struct lg_mark){0};
    if (v.doc->marks != NULL)
        return v.doc->marks[v.i];
    struct lg_mark mark = {v.doc->first_line != 0 ? v.doc->first_line : 1, 1};
    const char *end =
        v.doc->text.p + v.doc->nodes[v.i].off - (v.doc->nodes[v.i].kind == LG_JSON_STRING);
    for (const char *p = v.doc->text.p; p < end; p++) {
        mark.column++;
        if (*p == '\n')
            mark = (struct lg_mark){mark.line + 1, 1};
    }
    return mark;
}
