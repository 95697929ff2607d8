#include "rules/virt/expansion_write.h"

#include <assert.h>

#include "rules/core/map.h"
#include "rules/core/mem.h"

static_assert(LG_ADDITIONS_MAX <= 64, "sets of additions are words");

void lg_writer_done(struct lg_writer *writer)
{
    lg_buf_done(&writer->text);
}

void lg_writer_puts(struct lg_writer *writer, const char *text)
{
    lg_buf_puts(&writer->text, text);
}

static void remember(struct lg_writer *writer, size_t n, struct lg_val source, const char *at,
                     int part)
{
    if (writer->n == writer->size) {
        size_t size = writer->size != 0 ? 2 * writer->size : 32;
        struct lg_stretch *more = lg_arena_array(writer->arena, size, sizeof *more);
        if (writer->n != 0)
            memcpy(more, writer->stretches, writer->n * sizeof *more);
        writer->stretches = more;
        writer->size = size;
    }
    writer->stretches[writer->n++] = (struct lg_stretch){
        .from = (uint32_t)writer->text.n,
        .to = (uint32_t)(writer->text.n + n),
        .doc = source.doc,
        .source = source.doc != NULL && at != NULL ? (uint32_t)(at - source.doc->text.p) : 0,
        .part = part,
    };
}

void lg_writer_copy(struct lg_writer *writer, struct lg_val own, int part)
{
    struct lg_str text = lg_json_text(own);
    remember(writer, text.n, own, text.p, part);
    lg_buf_str(&writer->text, text);
}

/* The bracket that opens a container, which stands for the whole of it. */
static void open_bracket(struct lg_writer *writer, char bracket, struct lg_val own, int part)
{
    remember(writer, 1, own, lg_json_text(own).p, part);
    lg_buf_putc(&writer->text, bracket);
}

/* A member's key stands before its value. */
static void put_key(struct lg_writer *writer, struct lg_val val)
{
    lg_buf_str(&writer->text, lg_json_text((struct lg_val){val.doc, val.i - 1}));
    lg_buf_putc(&writer->text, ':');
}

static void comma(struct lg_writer *writer, bool *io_first)
{
    if (!*io_first)
        lg_buf_putc(&writer->text, ',');
    *io_first = false;
}

/* The part of a path behind `at` bytes of it, up to the next dot. */
static struct lg_str segment(const char *path, size_t at)
{
    return (struct lg_str){path + at, strcspn(path + at, ".")};
}

/* Of the additions in `set` (whose paths are longer than `at`) those whose next segment is
 * `key`. */
static uint64_t below(const struct lg_writer *writer, uint64_t set, size_t at, struct lg_str key)
{
    uint64_t ret = 0;
    for (size_t i = 0; i < writer->n_additions; i++)
        if ((set >> i & 1) != 0 && lg_str_eq(segment(writer->additions[i].path, at), key))
            ret |= UINT64_C(1) << i;
    return ret;
}

static const struct lg_addition *first_of(const struct lg_writer *writer, uint64_t set)
{
    return &writer->additions[__builtin_ctzll(set)];
}

/* Members of `more` whose key is not in `seen`, which takes them up. */
static void put_new_members(struct lg_writer *writer, const struct lg_addition *addition,
                            struct lg_map *seen, bool *io_first)
{
    for (struct lg_json_iter it = lg_json_iter(addition->val); lg_json_next(&it);) {
        if (lg_map_get(seen, it.key) != NULL)
            continue;
        (void)lg_map_set(seen, it.key, writer);
        comma(writer, io_first);
        put_key(writer, it.val);
        lg_writer_copy(writer, it.val, addition->part);
    }
}

static void put_members(struct lg_writer *writer, struct lg_val own, uint64_t set)
{
    struct lg_map seen lg_cleanup(lg_map_done) = {0};
    bool first = true;
    open_bracket(writer, '{', own, lg_json_there(own) ? 0 : first_of(writer, set)->part);
    for (struct lg_json_iter it = lg_json_iter(own); lg_json_next(&it);) {
        (void)lg_map_set(&seen, it.key, writer);
        comma(writer, &first);
        put_key(writer, it.val);
        lg_writer_copy(writer, it.val, 0);
    }
    for (size_t i = 0; i < writer->n_additions; i++)
        if ((set >> i & 1) != 0)
            put_new_members(writer, &writer->additions[i], &seen, &first);
    lg_buf_putc(&writer->text, '}');
}

static void put_items(struct lg_writer *writer, struct lg_val own,
                      const struct lg_addition *addition)
{
    struct lg_map seen lg_cleanup(lg_map_done) = {0};
    bool first = true;
    open_bracket(writer, '[', own, lg_json_there(own) ? 0 : addition->part);
    for (struct lg_json_iter it = lg_json_iter(own); lg_json_next(&it);) {
        (void)lg_map_set(&seen, lg_json_str_at(it.val, "name"), writer);
        comma(writer, &first);
        lg_writer_copy(writer, it.val, 0);
    }
    for (struct lg_json_iter it = lg_json_iter(addition->val); lg_json_next(&it);) {
        struct lg_str name = lg_json_str_at(it.val, "name");
        if (lg_str_empty(name) || lg_map_get(&seen, name) != NULL)
            continue;
        comma(writer, &first);
        lg_writer_copy(writer, it.val, addition->part);
    }
    lg_buf_putc(&writer->text, ']');
}

static void put_extended_item(struct lg_writer *writer, struct lg_val item,
                              const struct lg_addition *addition)
{
    bool first = true;
    open_bracket(writer, '{', item, 0);
    for (struct lg_json_iter it = lg_json_iter(item); lg_json_next(&it);) {
        if (lg_str_eq(it.key, addition->text))
            continue;
        comma(writer, &first);
        put_key(writer, it.val);
        lg_writer_copy(writer, it.val, 0);
    }
    comma(writer, &first);
    lg_buf_printf(&writer->text, "\"%.*s\":", LG_ARG(addition->text));
    lg_writer_copy(writer, addition->val, addition->part);
    lg_buf_putc(&writer->text, '}');
}

static void put_list(struct lg_writer *writer, struct lg_val own,
                     const struct lg_addition *addition)
{
    bool first = true;
    open_bracket(writer, '[', own, 0);
    for (struct lg_json_iter it = lg_json_iter(own); lg_json_next(&it);) {
        comma(writer, &first);
        if (it.val.i == addition->to.i)
            put_extended_item(writer, it.val, addition);
        else
            lg_writer_copy(writer, it.val, 0);
    }
    lg_buf_putc(&writer->text, ']');
}

/* The value that the additions in `set` are about: their paths end here. */
static void put_addition(struct lg_writer *writer, struct lg_val own, uint64_t set)
{
    const struct lg_addition *addition = first_of(writer, set);
    switch (addition->how) {
    case LG_ADD_VALUE:
        lg_writer_copy(writer, addition->val, addition->part);
        break;
    case LG_ADD_TEXT:
        remember(writer, addition->text.n, LG_NONE, NULL, addition->part);
        lg_buf_str(&writer->text, addition->text);
        break;
    case LG_ADD_MEMBERS:
        put_members(writer, own, set);
        break;
    case LG_ADD_ITEMS:
        put_items(writer, own, addition);
        break;
    case LG_ADD_TO_ITEM:
        put_list(writer, own, addition);
        break;
    }
}

static void put_object(struct lg_writer *writer, struct lg_val own, uint64_t set, size_t at);

/* `at`: how much of the paths of `set` leads here, their dot included. */
static void put_value(struct lg_writer *writer, struct lg_val own, uint64_t set, size_t at)
{
    if (set == 0)
        lg_writer_copy(writer, own, 0);
    else if (strlen(first_of(writer, set)->path) < at)
        put_addition(writer, own, set);
    else
        put_object(writer, own, set, at);
}

/* Calls itself through put_value, as deep as paths have segments. No path leads through where
 * another one ends. */
static void put_object(struct lg_writer *writer, struct lg_val own, uint64_t set, size_t at)
{
    bool first = true;
    open_bracket(writer, '{', own, lg_json_there(own) ? 0 : first_of(writer, set)->part);
    for (struct lg_json_iter it = lg_json_iter(own); lg_json_next(&it);) {
        uint64_t mine = below(writer, set, at, it.key);
        if (mine != 0 && !lg_json_there(it.val))
            continue; /* null is as good as absent */
        set &= ~mine;
        comma(writer, &first);
        put_key(writer, it.val);
        put_value(writer, it.val, mine, at + it.key.n + 1);
    }
    while (set != 0) {
        struct lg_str key = segment(first_of(writer, set)->path, at);
        uint64_t mine = below(writer, set, at, key);
        set &= ~mine;
        comma(writer, &first);
        lg_buf_printf(&writer->text, "\"%.*s\":", LG_ARG(key));
        put_value(writer, LG_NONE, mine, at + key.n + 1);
    }
    lg_buf_putc(&writer->text, '}');
}

void lg_writer_value(struct lg_writer *writer, struct lg_val own, const char *root)
{
    uint64_t all = writer->n_additions < 64 ? (UINT64_C(1) << writer->n_additions) - 1 : UINT64_MAX;
    uint64_t set = below(writer, all, 0, lg_str_of(root));
    if (set == 0 && !lg_json_there(own))
        lg_writer_puts(writer, "{}");
    else
        put_value(writer, own, set, strlen(root) + 1);
}
