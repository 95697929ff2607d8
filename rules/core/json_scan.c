/* The scanner behind lg_json_parse: one pass over the text, no recursion, limits kept while
 * scanning. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "rules/core/json_keys.h"
#include "rules/core/json_string.h"
#include "rules/core/mem.h"
#include "rules/core/plain.h"
#include "rules/core/skip.h"

/* An object whose keys are few and short finds duplicates by comparing them, any other by hash. */
enum { KEYS_COMPARED_MAX = 32, KEY_COMPARED_BYTES_MAX = 128 };

enum state { WANT_VALUE, WANT_VALUE_OR_CLOSE, WANT_KEY, WANT_KEY_OR_CLOSE, WANT_COMMA_OR_CLOSE };

/* A container around the place where the scan is. */
struct level {
    uint32_t node;    /* its index */
    uint32_t members; /* keys so far */
    uint32_t seen;    /* the lg_json_key_bit of each, or all bits */
    bool object;
    struct lg_json_keys keys; /* all of them, or none while they are compared */
};

struct scan {
    const char *start, *p, *end;
    struct lg_doc *doc;
    struct lg_json_node *nodes; /* of doc */
    uint32_t count, capacity;   /* nodes so far; doc's count is set at the end */
    uint32_t nodes_max;
    struct level *levels, *top; /* the innermost; below the first: none is open */
    uint32_t escapes;           /* strings with a backslash */
    uint32_t unescaped;         /* how many of them doc has room for */
    struct lg_err *err;
};

static enum lg_err_code at_mark(struct scan *s, enum lg_err_code code, struct lg_mark at,
                                const char *what)
{
    struct lg_buf where lg_cleanup(lg_buf_done) = {0};
    if (s->doc->file != NULL)
        lg_buf_printf(&where, "%s:%u:%u", s->doc->file, at.line, at.column);
    else
        lg_buf_printf(&where, "line %u, column %u", at.line, at.column);
    return lg_err_set(s->err, code, where.p, "%s", what);
}

static enum lg_err_code bad(struct scan *s, const char *what)
{
    struct lg_mark at = {s->doc->first_line, 1};
    for (const char *p = s->start; p < s->p; p++) {
        at.column = *p == '\n' ? 1 : at.column + 1;
        at.line += *p == '\n';
    }
    return at_mark(s, LG_E_INVALID, at, what);
}

static __attribute__((noinline)) void grow_nodes(struct scan *s)
{
    struct lg_json_node *more = lg_arena_room(s->doc->arena, (size_t)s->capacity * 2, sizeof *more);
    memcpy(more, s->nodes, s->count * sizeof *more);
    s->doc->nodes = s->nodes = more;
    s->capacity *= 2;
}

static inline uint32_t add_node(struct scan *s, enum lg_json_kind kind, const char *at, size_t len)
{
    if (s->count == s->capacity)
        grow_nodes(s);
    uint32_t i = s->count++;
    s->nodes[i] = (struct lg_json_node){.off = (uint32_t)(at - s->start),
                                        .len = (uint32_t)len,
                                        .next = i + 1,
                                        .kind = (uint8_t)kind};
    return i;
}

/* Closes what is open behind the last node, so that what was read so far is a document. Names the
 * last node by its path, or `at` by its place in the file. */
static enum lg_err_code over_limit(struct scan *s, uint32_t at, const char *what)
{
    struct lg_doc *doc = s->doc;
    doc->count = s->count;
    for (const struct level *level = s->levels; level <= s->top; level++) {
        struct lg_json_node *node = &s->nodes[level->node];
        node->next = s->count;
        node->len = (uint32_t)(s->p - s->start) - node->off;
        node->more = level->object ? LG_JSON_ANY_KEY : 0;
    }
    if (doc->file != NULL)
        return at_mark(s, LG_E_LIMIT, lg_json_mark((struct lg_val){doc, at}), what);
    struct lg_val last = {doc, s->count - 1};
    struct lg_arena scratch lg_cleanup(lg_arena_done) = {0};
    struct lg_str path = lg_json_path((struct lg_val){doc, 0}, last, &scratch);
    return lg_err_set(s->err, LG_E_LIMIT, path.n != 0 ? path.p : "document", "%s", what);
}

/* The object's keys, one by one; none of them has a backslash. */
static __attribute__((noinline)) bool among_members(const struct scan *s, const struct level *level,
                                                    uint32_t members, struct lg_str key)
{
    uint32_t at = level->node + 1;
    for (uint32_t i = 0; i < members; i++) {
        const struct lg_json_node *name = &s->nodes[at];
        if (lg_str_eq((struct lg_str){s->start + name->off, name->len}, key))
            return true;
        at = s->nodes[at + 1].next;
    }
    return false;
}

/* Moves on from comparing to hashing where that is due: the keys read so far are known to
 * differ. */
static __attribute__((noinline)) bool new_among_many(struct scan *s, struct level *level,
                                                     uint32_t members, uint32_t key,
                                                     struct lg_str text)
{
    uint32_t at = level->node + 1;
    bool hashed = level->keys.slots != NULL;
    level->seen = LG_JSON_ANY_KEY;
    for (uint32_t i = 0; i < members && !hashed; i++) {
        (void)lg_json_keys_add(&level->keys, s->doc, at, lg_json_str((struct lg_val){s->doc, at}));
        at = s->nodes[at + 1].next;
    }
    return lg_json_keys_add(&level->keys, s->doc, key, text);
}

/* True when the key, the last node, is new in the object around it; `text` is what it says. */
static inline bool new_key(struct scan *s, uint32_t key, struct lg_str text, bool escaped)
{
    struct level *level = s->top;
    uint32_t members = level->members++;
    if (level->keys.slots != NULL || members >= KEYS_COMPARED_MAX ||
        text.n > KEY_COMPARED_BYTES_MAX || escaped)
        return new_among_many(s, level, members, key, text);
    uint32_t bit = lg_json_key_bit(text);
    bool maybe = (level->seen & bit) != 0;
    level->seen |= bit;
    return !maybe || !among_members(s, level, members, text);
}

/* The rest of a string of which `p` is the first character that needs a look. LG_E_LIMIT: a
 * surrogate without its other half; the node ends before it. */
static __attribute__((noinline)) enum lg_err_code scan_rest(struct scan *s, const char *first,
                                                            const char *p)
{
    struct lg_json_string rest = {.p = p};
    enum lg_err_code code = lg_json_string_rest(&rest, s->end);
    if (code == LG_E_INVALID) {
        s->p = rest.p;
        return bad(s, rest.wrong);
    }
    uint32_t i = add_node(s, LG_JSON_STRING, first, (size_t)(rest.p - first));
    if (rest.escaped)
        s->nodes[i].more = ++s->escapes;
    s->p = rest.p + 1;
    return code;
}

/* At a quote: adds the string's node. LG_E_LIMIT: as scan_rest. */
static inline enum lg_err_code scan_string(struct scan *s)
{
    const char *const first = s->p + 1;
    const char *p = lg_plain_skip(first, s->end);
    if (p == s->end || *p != '"')
        return scan_rest(s, first, p);
    add_node(s, LG_JSON_STRING, first, (size_t)(p - first));
    s->p = p + 1;
    return LG_E_OK;
}

static size_t skip_digits(struct scan *s)
{
    const char *first = s->p;
    while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
        s->p++;
    return (size_t)(s->p - first);
}

/* A number that no IEEE double holds is refused, as Go and everybody else does. */
static bool in_range(const char *text, size_t n)
{
    char small[512];
    char *copy lg_cleanup(lg_free_cleanup) = n < sizeof small ? NULL : lg_memdup(text, n);
    if (copy == NULL) {
        memcpy(small, text, n);
        small[n] = '\0';
    }
    return isfinite(strtod(copy != NULL ? copy : small, NULL));
}

static enum lg_err_code scan_number(struct scan *s)
{
    const char *first = s->p;
    bool real = false;
    s->p += *s->p == '-';
    if (s->p < s->end && *s->p == '0')
        s->p++;
    else if (skip_digits(s) == 0)
        return bad(s, "expected a value");
    if (s->p < s->end && *s->p == '.') {
        real = true;
        s->p++;
        if (skip_digits(s) == 0)
            return bad(s, "a number without digits behind its point");
    }
    if (s->p < s->end && (*s->p | 0x20) == 'e') {
        real = true;
        s->p++;
        if (s->p < s->end && (*s->p == '+' || *s->p == '-'))
            s->p++;
        if (skip_digits(s) == 0)
            return bad(s, "a number without digits in its exponent");
    }
    size_t n = (size_t)(s->p - first);
    if ((real || n > 300) && !in_range(first, n))
        return bad(s, "the number is out of range");
    add_node(s, LG_JSON_NUMBER, first, n);
    return LG_E_OK;
}

static enum lg_err_code scan_word(struct scan *s, const char *word, enum lg_json_kind kind)
{
    size_t n = strlen(word);
    if ((size_t)(s->end - s->p) < n || memcmp(s->p, word, n) != 0)
        return bad(s, "expected a value");
    add_node(s, kind, s->p, n);
    s->p += n;
    return LG_E_OK;
}

static inline enum lg_err_code open_container(struct scan *s, enum lg_json_kind kind,
                                              enum state *state)
{
    uint32_t i = add_node(s, kind, s->p, 1);
    s->p++;
    if (s->top == s->levels + LG_JSON_DEPTH_MAX - 1)
        return over_limit(s, i, "nested more than 64 levels deep");
    *++s->top = (struct level){.node = i, .object = kind == LG_JSON_OBJECT};
    *state = kind == LG_JSON_ARRAY ? WANT_VALUE_OR_CLOSE : WANT_KEY_OR_CLOSE;
    return LG_E_OK;
}

static inline void close_container(struct scan *s, enum state *state)
{
    struct lg_json_node *node = &s->nodes[s->top->node];
    node->more = s->top->seen;
    if (s->top->members > KEYS_COMPARED_MAX)
        lg_json_keys_keep(&s->top->keys, s->doc, s->top->node);
    s->top--;
    s->p++;
    node->next = s->count;
    node->len = (uint32_t)(s->p - s->start) - node->off;
    *state = WANT_COMMA_OR_CLOSE;
}

static const char half_pair[] = "a surrogate without its other half";

static enum lg_err_code scan_string_value(struct scan *s)
{
    enum lg_err_code code = scan_string(s);
    return code == LG_E_LIMIT ? over_limit(s, s->count - 1, half_pair) : code;
}

static enum lg_err_code scan_value(struct scan *s, enum state *state)
{
    *state = WANT_COMMA_OR_CLOSE;
    switch (*s->p) {
    case '{':
        return open_container(s, LG_JSON_OBJECT, state);
    case '[':
        return open_container(s, LG_JSON_ARRAY, state);
    case '"':
        return scan_string_value(s);
    case 't':
        return scan_word(s, "true", LG_JSON_TRUE);
    case 'f':
        return scan_word(s, "false", LG_JSON_FALSE);
    case 'n':
        return scan_word(s, "null", LG_JSON_NULL);
    default:
        return scan_number(s);
    }
}

static inline void skip_space(struct scan *s)
{
    if (s->p < s->end && (unsigned char)*s->p > ' ')
        return;
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\n' || *s->p == '\t' || *s->p == '\r'))
        s->p++;
}

static enum lg_err_code bad_key(struct scan *s, uint32_t key, const char *what)
{
    add_node(s, LG_JSON_NULL, s->p, 0);
    return over_limit(s, key, what);
}

static inline enum lg_err_code scan_colon(struct scan *s, enum state *state)
{
    skip_space(s);
    if (s->p == s->end || *s->p != ':')
        return bad(s, "expected a colon");
    s->p++;
    *state = WANT_VALUE;
    return LG_E_OK;
}

/* Room for what each string with a backslash says, known or not. */
static void grow_unescaped(struct scan *s, uint32_t room)
{
    struct lg_str *more = lg_arena_room(s->doc->arena, room, sizeof *more);
    uint32_t had = s->unescaped;
    if (had != 0)
        memcpy(more, s->doc->unescaped, had * sizeof *more);
    memset(more + had, 0, (room - had) * sizeof *more);
    s->doc->unescaped = more;
    s->unescaped = room;
}

/* A key with a backslash, or what is none. */
static __attribute__((noinline)) enum lg_err_code scan_odd_key(struct scan *s, enum state *state,
                                                               const char *first, const char *p)
{
    uint32_t key = s->count;
    enum lg_err_code code = scan_rest(s, first, p);
    if (code == LG_E_INVALID)
        return code;
    if (s->escapes > s->unescaped)
        grow_unescaped(s, s->escapes * 2 + 16);
    if (code == LG_E_LIMIT)
        return bad_key(s, key, half_pair);
    if (!new_key(s, key, lg_json_str((struct lg_val){s->doc, key}), true))
        return bad_key(s, key, "the key is there twice");
    return scan_colon(s, state);
}

/* Behind the colon of the member that nobody asks for. */
static __attribute__((noinline)) enum lg_err_code pass_over(struct scan *s, enum state *state)
{
    struct lg_skip skip = {0};
    bool whole = false;
    skip_space(s);
    if (s->p == s->end || (*s->p != '{' && *s->p != '['))
        return LG_E_OK;
    const struct lg_str rest = {s->p, (size_t)(s->end - s->p)};
    size_t n = lg_skip_container(&skip, rest, &whole);
    s->p += n;
    if (!whole)
        return bad(s, "the text ends too early");
    add_node(s, LG_JSON_NULL, rest.p, n);
    *state = WANT_COMMA_OR_CLOSE;
    return LG_E_OK;
}

static enum lg_err_code scan_key(struct scan *s, enum state *state)
{
    if (*s->p != '"')
        return bad(s, "expected a member's name in quotes");
    const char *const first = s->p + 1;
    const char *p = lg_plain_skip(first, s->end);
    if (p == s->end || *p != '"')
        return scan_odd_key(s, state, first, p);
    struct lg_str text = {first, (size_t)(p - first)};
    uint32_t key = add_node(s, LG_JSON_STRING, text.p, text.n);
    s->p = p + 1;
    if (!new_key(s, key, text, false))
        return bad_key(s, key, "the key is there twice");
    enum lg_err_code code = scan_colon(s, state);
    if (code == LG_E_OK && text.n != 0 && lg_str_eq(text, s->doc->without))
        return pass_over(s, state);
    return code;
}

static enum lg_err_code scan_comma_or_close(struct scan *s, enum state *state)
{
    bool object = s->top->object;
    if (*s->p == (object ? '}' : ']')) {
        close_container(s, state);
        return LG_E_OK;
    }
    if (*s->p != ',')
        return bad(s, object ? "expected a comma or }" : "expected a comma or ]");
    s->p++;
    *state = object ? WANT_KEY : WANT_VALUE;
    return LG_E_OK;
}

/* No more nodes: an object's last key still gets a value, so that what was read is a document. */
static enum lg_err_code too_many(struct scan *s, enum state state)
{
    if (state == WANT_VALUE && s->top >= s->levels && s->top->object)
        add_node(s, LG_JSON_NULL, s->p, 0);
    return over_limit(s, s->count - 1,
                      s->doc->nodes_max != 0 ? "too many values" : "more than 200,000 values");
}

/* Whether a token follows; else scan_text says what is wrong. */
static inline bool at_token(struct scan *s)
{
    skip_space(s);
    return s->p < s->end;
}

/* A comma with what follows it, a key with its value, or a single token. */
static enum lg_err_code scan_token(struct scan *s, enum state *state)
{
    enum lg_err_code code = LG_E_OK;
    if (*state == WANT_COMMA_OR_CLOSE) {
        code = scan_comma_or_close(s, state);
        if (code != LG_E_OK || *state == WANT_COMMA_OR_CLOSE || !at_token(s))
            return code;
    } else if ((*state == WANT_KEY_OR_CLOSE && *s->p == '}') ||
               (*state == WANT_VALUE_OR_CLOSE && *s->p == ']')) {
        close_container(s, state);
        return LG_E_OK;
    }
    if (s->count >= s->nodes_max)
        return too_many(s, *state);
    if (*state == WANT_KEY || *state == WANT_KEY_OR_CLOSE) {
        code = scan_key(s, state);
        if (code != LG_E_OK || *state != WANT_VALUE || !at_token(s))
            return code;
        if (s->count >= s->nodes_max)
            return too_many(s, *state);
    }
    return scan_value(s, state);
}

/* The loop over tokens, and what only holds between them: the text's end. */
static enum lg_err_code scan_text(struct scan *s)
{
    enum state state = WANT_VALUE;
    enum lg_err_code code = LG_E_OK;
    while (code == LG_E_OK) {
        skip_space(s);
        bool complete = s->top < s->levels && state == WANT_COMMA_OR_CLOSE;
        if (complete)
            return s->p == s->end ? LG_E_OK : bad(s, "more text behind the value");
        if (s->p == s->end)
            return bad(s, s->count == 0 ? "the text is empty" : "the text ends too early");
        code = scan_token(s, &state);
    }
    return code;
}

enum lg_err_code lg_json_parse_doc(struct lg_doc *doc, struct lg_val *ret_root, struct lg_err *err)
{
    const struct lg_str text = doc->text;
    if (text.n > LG_JSON_TEXT_BYTES_MAX)
        return lg_err_set(err, LG_E_LIMIT, doc->file, "the text is larger than 1 GiB");
    /* Filled as containers are opened. */
    struct level levels[1 + LG_JSON_DEPTH_MAX] __attribute__((uninitialized));
    struct scan s = {.start = text.p,
                     .p = text.p,
                     .end = text.p + text.n,
                     .doc = doc,
                     .nodes_max = doc->nodes_max != 0 ? doc->nodes_max : LG_JSON_NODES_MAX,
                     .levels = levels + 1,
                     .top = levels,
                     .err = err};
    if (doc->first_line == 0)
        doc->first_line = 1;
    size_t nodes = text.n / 12; /* about; they grow */
    s.capacity = (uint32_t)(nodes < LG_JSON_NODES_MAX ? nodes : LG_JSON_NODES_MAX) + 32;
    doc->count = 0;
    doc->unescaped = NULL;
    doc->n_keys = 0;
    doc->nodes = s.nodes = lg_arena_room(doc->arena, s.capacity, sizeof *doc->nodes);
    enum lg_err_code code = scan_text(&s);
    doc->count = s.count;
    lg_json_keys_sort(doc);
    if (s.escapes > s.unescaped)
        grow_unescaped(&s, s.escapes);
    if (code == LG_E_OK || code == LG_E_LIMIT)
        *ret_root = (struct lg_val){doc, 0};
    return code;
}

enum lg_err_code lg_json_parse(struct lg_arena *arena, struct lg_str text, struct lg_val *ret_root,
                               struct lg_err *err)
{
    struct lg_doc *doc = lg_arena_alloc(arena, sizeof *doc);
    *doc = (struct lg_doc){.text = text, .arena = arena};
    return lg_json_parse_doc(doc, ret_root, err);
}
