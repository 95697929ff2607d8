#include "rules/core/rewrite.h"

#include <stdlib.h>
#include <strings.h>

#include "rules/core/mem.h"

/* --- where nodes stand --- */

static struct lg_yaml_span json_span(struct lg_val v)
{
    struct lg_str text = lg_json_text(v);
    enum lg_json_kind kind = lg_json_kind(v);
    enum lg_yaml_style style = kind == LG_JSON_STRING  ? LG_YAML_DOUBLE_QUOTED
                               : kind >= LG_JSON_ARRAY ? LG_YAML_FLOW
                                                       : LG_YAML_PLAIN;
    size_t from = (size_t)(text.p - v.doc->text.p);
    return (struct lg_yaml_span){(uint32_t)from, (uint32_t)(from + text.n), style};
}

enum lg_err_code lg_rewrite_open(struct lg_arena *arena, const struct lg_yaml_document *document,
                                 const char *file, struct lg_val json_root,
                                 struct lg_rewrite_source *ret, struct lg_err *err)
{
    struct lg_rewrite_source source = {.text = document->text};
    if (json_root.doc == NULL) {
        enum lg_err_code code =
            lg_yaml_parse_spans(arena, document, file, &source.root, &source.spans, err);
        if (code == LG_E_OK)
            *ret = source;
        return code;
    }
    uint32_t n = json_root.doc->count;
    struct lg_yaml_span *spans = lg_arena_array(arena, n, sizeof(*spans));
    for (uint32_t i = 0; i < n; i++)
        spans[i] = json_span((struct lg_val){json_root.doc, i});
    *ret = (struct lg_rewrite_source){document->text, {json_root.doc, 0}, spans, true};
    return LG_E_OK;
}

/* --- splices --- */

void lg_splices_add(struct lg_splices *splices, const struct lg_splice *splice)
{
    if (splices->n == splices->size) {
        size_t size = splices->size != 0 ? 2 * splices->size : 8;
        struct lg_splice *more = lg_arena_array(splices->arena, size, sizeof(*more));
        if (splices->n != 0)
            memcpy(more, splices->items, splices->n * sizeof(*more));
        splices->items = more;
        splices->size = size;
    }
    splices->items[splices->n++] = *splice;
}

static void add(struct lg_splices *splices, size_t at, size_t n, struct lg_str text)
{
    lg_splices_add(splices, &(struct lg_splice){.at = at, .n = n, .text = text});
}

static int by_place(const void *a, const void *b)
{
    const struct lg_splice *x = a, *y = b;
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    if (x->n != y->n)
        return x->n < y->n ? -1 : 1;
    if (x->indent != y->indent)
        return x->indent > y->indent ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static bool same(const struct lg_splice *a, const struct lg_splice *b)
{
    return a->at == b->at && a->n == b->n && lg_str_eq(a->text, b->text);
}

enum lg_err_code lg_splices_finish(struct lg_splices *splices, struct lg_err *err)
{
    size_t kept = 0;
    /* Two insertions at one place stay in the order in which they were added. */
    for (size_t i = 0; i < splices->n; i++)
        splices->items[i].order = i;
    if (splices->n != 0)
        qsort(splices->items, splices->n, sizeof(*splices->items), by_place);
    for (size_t i = 0; i < splices->n; i++) {
        const struct lg_splice *splice = &splices->items[i];
        const struct lg_splice *before = kept != 0 ? &splices->items[kept - 1] : NULL;
        if (before != NULL && same(before, splice))
            continue;
        if (before != NULL && before->at + before->n > splice->at)
            return lg_err_set(err, LG_E_UNSUPPORTED, "",
                              "two repairs would change the same text in different ways");
        splices->items[kept++] = *splice;
    }
    splices->n = kept;
    return LG_E_OK;
}

struct lg_str lg_splices_apply(const struct lg_splices *splices, struct lg_str text)
{
    struct lg_buf buf lg_cleanup(lg_buf_done) = {0};
    size_t at = 0;
    for (size_t i = 0; i < splices->n; i++) {
        lg_buf_add(&buf, text.p + at, splices->items[i].at - at);
        lg_buf_str(&buf, splices->items[i].text);
        at = splices->items[i].at + splices->items[i].n;
    }
    lg_buf_add(&buf, text.p + at, text.n - at);
    return lg_arena_str(splices->arena, lg_buf_view(&buf));
}

/* --- how values are written --- */

/* A plain scalar that YAML 1.1 reads as this very string. */
static bool plain(struct lg_str s)
{
    static const char *const words[] = {"y",   "n",    "yes",   "no",  "on",
                                        "off", "true", "false", "null"};
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')))
            return false;
    }
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (s.n == strlen(words[i]) && strncasecmp(s.p, words[i], s.n) == 0)
            return false;
    return s.n != 0;
}

/* As the text around it is written. */
enum quoting {
    QUOTES_NEEDED,  /* YAML: only where they are needed */
    QUOTES_ALWAYS,  /* JSON with blanks behind colons and commas */
    QUOTES_COMPACT, /* JSON without */
};

/* JSON text on one line, as flow YAML or JSON. */
static struct lg_str written(struct lg_val v, enum quoting quoting, struct lg_arena *arena)
{
    struct lg_buf buf lg_cleanup(lg_buf_done) = {0};
    const struct lg_doc *doc = v.doc;
    struct lg_str text = lg_json_text(v);
    size_t base = (size_t)(text.p - doc->text.p);
    for (size_t i = 0; i < text.n;) {
        char c = text.p[i];
        if (c != '"') {
            lg_buf_putc(&buf, c);
            lg_buf_puts(&buf, quoting != QUOTES_COMPACT && (c == ',' || c == ':') ? " " : "");
            i++;
            continue;
        }
        size_t end = i + 1;
        while (text.p[end] != '"')
            end += text.p[end] == '\\' ? 2 : 1;
        struct lg_str inside = {doc->text.p + base + i + 1, end - i - 1};
        bool bare = quoting == QUOTES_NEEDED && plain(inside);
        lg_buf_printf(&buf, "%s%.*s%s", bare ? "" : "\"", LG_ARG(inside), bare ? "" : "\"");
        i = end + 1;
    }
    return lg_arena_str(arena, lg_buf_view(&buf));
}

/* --- one difference --- */

struct rewrite {
    const struct lg_rewrite_source *source;
    struct lg_splices *splices;
    struct lg_err *err;
};

static enum lg_err_code refuse(const struct rewrite *r, const char *why)
{
    return lg_err_set(r->err, LG_E_UNSUPPORTED, "", "%s", why);
}

static struct lg_yaml_span span_of(const struct rewrite *r, struct lg_val v)
{
    return r->source->spans[v.i];
}

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Behind the anchor and the tag with which a node may begin. */
static size_t behind_properties(const struct rewrite *r, struct lg_yaml_span span)
{
    struct lg_str text = r->source->text;
    size_t at = span.from;
    while (!r->source->json && at < span.to && (text.p[at] == '&' || text.p[at] == '!')) {
        while (at < span.to && !blank(text.p[at]))
            at++;
        while (at < span.to && blank(text.p[at]))
            at++;
    }
    return at;
}

static size_t line_start(struct lg_str text, size_t at)
{
    while (at > 0 && text.p[at - 1] != '\n')
        at--;
    return at;
}

/* Behind the line feed of the line of `at`, or the end of the text. */
static size_t line_end(struct lg_str text, size_t at)
{
    const char *end = at < text.n ? memchr(text.p + at, '\n', text.n - at) : NULL;
    return end != NULL ? (size_t)(end - text.p) + 1 : text.n;
}

/* The document's own line ending. */
static const char *newline(struct lg_str text)
{
    const char *end = memchr(text.p, '\n', text.n);
    return end != NULL && end > text.p && end[-1] == '\r' ? "\r\n" : "\n";
}

static bool only_blanks(struct lg_str text, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        if (text.p[i] != ' ' && text.p[i] != '\t')
            return false;
    return true;
}

/* How the members of this object are written; `around`: what is around it, for an empty one. */
static enum quoting quoting_in(const struct rewrite *r, struct lg_val object, enum quoting around)
{
    struct lg_json_iter it = lg_json_iter(object);
    if (!it.object || !lg_json_next(&it))
        return around;
    struct lg_yaml_span key = r->source->spans[it.val.i - 1];
    struct lg_yaml_span value = r->source->spans[it.val.i];
    if (key.style != LG_YAML_DOUBLE_QUOTED)
        return QUOTES_NEEDED;
    return value.from == key.to + 1 ? QUOTES_COMPACT : QUOTES_ALWAYS;
}

/* A scalar, an alias, an empty value or a collection in brackets is replaced as a whole. */
static enum lg_err_code replace(struct rewrite *r, struct lg_val old, struct lg_val wanted,
                                enum quoting quoting)
{
    struct lg_yaml_span span = span_of(r, old);
    struct lg_str text = r->source->text;
    if (span.style == LG_YAML_BLOCK || span.style == LG_YAML_BLOCK_SCALAR)
        return refuse(r, "it is written over several lines");
    size_t at = span.style == LG_YAML_ALIAS ? span.from : behind_properties(r, span);
    struct lg_arena *arena = r->splices->arena;
    if (quoting == QUOTES_NEEDED && span.style == LG_YAML_DOUBLE_QUOTED)
        quoting = QUOTES_ALWAYS;
    struct lg_str new = written(wanted, quoting, arena);
    if (span.style == LG_YAML_SINGLE_QUOTED && lg_json_kind(wanted) == LG_JSON_STRING)
        new = lg_arena_printf(arena, "'%.*s'", LG_ARG(lg_json_str(wanted)));
    if (at == span.to && at > 0 && !blank(text.p[at - 1]))
        new = lg_arena_printf(arena, " %.*s", LG_ARG(new));
    add(r->splices, at, span.to - at, new);
    /* Where the text ends behind an empty value, a member that goes there comes after it. */
    r->splices->items[r->splices->n - 1].indent = SIZE_MAX;
    return LG_E_OK;
}

static enum lg_err_code rename_key(struct rewrite *r, struct lg_val key, struct lg_str to)
{
    struct lg_yaml_span span = span_of(r, key);
    size_t at = behind_properties(r, span);
    struct lg_arena *arena = r->splices->arena;
    if (span.style == LG_YAML_ALIAS || span.style == LG_YAML_BLOCK_SCALAR)
        return refuse(r, "a key stands behind an alias or over several lines");
    const char *quote = span.style == LG_YAML_DOUBLE_QUOTED   ? "\""
                        : span.style == LG_YAML_SINGLE_QUOTED ? "'"
                                                              : "";
    add(r->splices, at, span.to - at, lg_arena_printf(arena, "%s%.*s%s", quote, LG_ARG(to), quote));
    return LG_E_OK;
}

/* A new member. */
struct member {
    struct lg_str key;
    struct lg_val val;
    enum quoting quoting;
    bool follows; /* another new one of the same object */
};

static struct lg_str member_text(struct rewrite *r, const struct member *member)
{
    struct lg_arena *arena = r->splices->arena;
    struct lg_str value = written(member->val, member->quoting, arena);
    const char *quote = member->quoting != QUOTES_NEEDED ? "\"" : "";
    return lg_arena_printf(arena, "%s%.*s%s:%s%.*s", quote, LG_ARG(member->key), quote,
                           member->quoting == QUOTES_COMPACT ? "" : " ", LG_ARG(value));
}

/* Into brackets, behind the last value, on a line of its own where that value's key begins one. */
static enum lg_err_code add_in_brackets(struct rewrite *r, struct lg_val object,
                                        const struct member *member)
{
    struct lg_str text = r->source->text;
    struct lg_yaml_span span = span_of(r, object);
    struct lg_str new = member_text(r, member);
    struct lg_val last = LG_NONE;
    for (struct lg_json_iter it = lg_json_iter(object); lg_json_next(&it);)
        last = it.val;
    if (last.doc == NULL) {
        if (member->follows)
            new = lg_arena_printf(r->splices->arena, ",%s%.*s",
                                  member->quoting == QUOTES_COMPACT ? "" : " ", LG_ARG(new));
        add(r->splices, behind_properties(r, span) + 1, 0, new);
        return LG_E_OK;
    }
    struct lg_yaml_span value = span_of(r, last);
    size_t key = r->source->spans[last.i - 1].from;
    if (value.from < span.from || value.to > span.to || key < span.from)
        return refuse(r, "its last member comes from an alias");
    size_t start = line_start(text, key);
    struct lg_arena *arena = r->splices->arena;
    if (only_blanks(text, start, key))
        new = lg_arena_printf(arena, ",%s%.*s%.*s", newline(text), (int)(key - start),
                              text.p + start, LG_ARG(new));
    else
        new = lg_arena_printf(arena, ",%s%.*s", member->quoting == QUOTES_COMPACT ? "" : " ",
                              LG_ARG(new));
    add(r->splices, value.to, 0, new);
    return LG_E_OK;
}

/* A line of its own behind the last member's last line. */
static enum lg_err_code add_by_indentation(struct rewrite *r, struct lg_val object,
                                           const struct member *member)
{
    struct lg_str text = r->source->text;
    struct lg_yaml_span span = span_of(r, object);
    struct lg_arena *arena = r->splices->arena;
    size_t first = behind_properties(r, span);
    size_t indent = first - line_start(text, first);
    const char *end = newline(text);
    struct lg_str new = member_text(r, member);
    size_t at = span.to;
    if (at == 0 || text.p[at - 1] != '\n')
        at = line_end(text, at);
    bool open = at > 0 && text.p[at - 1] != '\n'; /* the text ends within its last line */
    add(r->splices, at, 0,
        lg_arena_printf(arena, "%s%*s%.*s%s", open ? end : "", (int)indent, "", LG_ARG(new),
                        open ? "" : end));
    r->splices->items[r->splices->n - 1].indent = indent;
    return LG_E_OK;
}

static enum lg_err_code add_member(struct rewrite *r, struct lg_val object,
                                   const struct member *member)
{
    switch (span_of(r, object).style) {
    case LG_YAML_FLOW:
        return add_in_brackets(r, object, member);
    case LG_YAML_BLOCK:
        return add_by_indentation(r, object, member);
    default:
        return refuse(r, "it stands behind an alias, which others share");
    }
}

/* Takes an item out that follows another one. */
static enum lg_err_code drop_item(struct rewrite *r, struct lg_val list, struct lg_val before,
                                  struct lg_val item)
{
    struct lg_str text = r->source->text;
    struct lg_yaml_span span = span_of(r, item);
    size_t from = span_of(r, before).to;
    if (span_of(r, list).style == LG_YAML_FLOW) {
        if (memchr(text.p + from, '#', span.from - from) != NULL)
            return refuse(r, "a comment stands between the items of the list");
        add(r->splices, from, span.to - from, LG_STR(""));
        return LG_E_OK;
    }
    size_t start = line_start(text, span.from);
    size_t dash = start;
    while (dash < span.from && text.p[dash] == ' ')
        dash++;
    if (span_of(r, list).style != LG_YAML_BLOCK || text.p[dash] != '-' ||
        !only_blanks(text, dash + 1, span.from) || span.style == LG_YAML_BLOCK_SCALAR)
        return refuse(r, "an item of the list does not stand on a line of its own");
    add(r->splices, start, line_end(text, span.to) - start, LG_STR(""));
    return LG_E_OK;
}

/* --- all differences --- */

struct pair {
    struct lg_val old, wanted;
    enum quoting quoting; /* of what is around it */
};

/* Pairs that are still to be compared; as deep as documents may be nested, times their members:
 * grows. */
struct work {
    struct pair *items;
    size_t n, size;
};

static void push(struct work *work, struct lg_val old, struct lg_val wanted, enum quoting quoting)
{
    if (work->n == work->size) {
        work->size = work->size != 0 ? 2 * work->size : 64;
        work->items = lg_realloc(work->items, work->size, sizeof(*work->items));
    }
    work->items[work->n++] = (struct pair){old, wanted, quoting};
}

static void work_done(struct work *work)
{
    free(work->items);
}

static enum lg_err_code compare_objects(struct rewrite *r, struct work *work,
                                        const struct pair *pair)
{
    struct lg_json_iter old = lg_json_iter(pair->old), wanted = lg_json_iter(pair->wanted);
    enum quoting quoting = quoting_in(r, pair->old, pair->quoting);
    enum lg_err_code code = LG_E_OK;
    bool follows = false;
    while (code == LG_E_OK && lg_json_next(&wanted)) {
        if (!lg_json_next(&old)) {
            code = add_member(r, pair->old,
                              &(struct member){wanted.key, wanted.val, quoting, follows});
            follows = true;
            continue;
        }
        if (!lg_str_eq(old.key, wanted.key))
            code = rename_key(r, (struct lg_val){old.val.doc, old.val.i - 1}, wanted.key);
        push(work, old.val, wanted.val, quoting);
    }
    if (code == LG_E_OK && lg_json_next(&old))
        return refuse(r, "a member would have to go");
    return code;
}

static enum lg_err_code compare_lists(struct rewrite *r, struct work *work, const struct pair *pair)
{
    struct lg_json_iter old = lg_json_iter(pair->old), wanted = lg_json_iter(pair->wanted);
    enum lg_err_code code = LG_E_OK;
    struct lg_val last = LG_NONE;
    while (code == LG_E_OK && lg_json_next(&old)) {
        if (lg_json_next(&wanted))
            push(work, old.val, wanted.val, pair->quoting);
        else
            code = drop_item(r, pair->old, last, old.val);
        last = old.val;
    }
    return code;
}

static enum lg_err_code compare(struct rewrite *r, struct work *work, const struct pair *pair)
{
    enum lg_json_kind kind = lg_json_kind(pair->old);
    bool alike = kind == lg_json_kind(pair->wanted);
    bool alias = span_of(r, pair->old).style == LG_YAML_ALIAS;
    size_t n = lg_json_len(pair->old);
    size_t wanted = lg_json_len(pair->wanted);
    if (lg_json_equal(pair->old, pair->wanted))
        return LG_E_OK;
    if (alike && kind == LG_JSON_OBJECT)
        return compare_objects(r, work, pair);
    if (alike && kind == LG_JSON_ARRAY && !alias && wanted != 0 && wanted <= n)
        return compare_lists(r, work, pair);
    return replace(r, pair->old, pair->wanted, pair->quoting);
}

enum lg_err_code lg_rewrite(const struct lg_rewrite_source *source, struct lg_val old,
                            struct lg_val wanted, struct lg_splices *splices, struct lg_err *err)
{
    struct rewrite r = {source, splices, err};
    struct work work lg_cleanup(work_done) = {0};
    enum lg_err_code code = LG_E_OK;
    push(&work, old, wanted, source->json ? QUOTES_ALWAYS : QUOTES_NEEDED);
    while (code == LG_E_OK && work.n != 0) {
        struct pair pair = work.items[--work.n];
        code = compare(&r, &work, &pair);
    }
    return code;
}
