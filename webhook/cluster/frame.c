#include "webhook/cluster/frame.h"

#include <stdio.h>
#include <stdlib.h>

#include "rules/core/arena.h"
#include "rules/core/json.h"
#include "rules/core/mem.h"

/* What comes next in the outer text. */
enum state {
    WANT_LIST,       /* the list's { */
    WANT_KEY_OR_END, /* behind { */
    WANT_KEY,        /* behind a comma between members */
    IN_KEY,
    WANT_COLON,
    WANT_VALUE,
    IN_VALUE, /* of a member, an item or an event */
    WANT_COMMA_OR_END,
    WANT_ITEM_OR_END, /* behind [ */
    WANT_ITEM,
    WANT_ITEM_COMMA_OR_END,
    WANT_EVENT, /* between events */
    ENDED,      /* behind the list's } */
    FAILED,
};

/* How the value that is being read ends. */
enum value { CONTAINER, STRING, SCALAR };

enum member { OTHER, KIND, METADATA, ITEMS };

enum {
    KEY_BYTES_MAX = 256,
    /* a watch lives long and must not keep room for its largest event */
    TEXT_BYTES_KEPT = 64 * 1024,
};

void lg_frame_init(struct lg_frame *frame, enum lg_frame_kind kind, size_t item_bytes_max,
                   lg_frame_item_fn *item, void *arg)
{
    *frame = (struct lg_frame){.kind = kind,
                               .item = item,
                               .arg = arg,
                               .item_bytes_max =
                                   item_bytes_max != 0 ? item_bytes_max : LG_FRAME_ITEM_BYTES_MAX,
                               .state = kind == LG_FRAME_LIST ? WANT_LIST : WANT_EVENT};
}

void lg_frame_done(struct lg_frame *frame)
{
    if (frame == NULL)
        return;
    lg_buf_done(&frame->text);
    lg_buf_done(&frame->key);
    lg_buf_done(&frame->metadata);
    lg_buf_done(&frame->list_kind);
}

static enum lg_err_code fail(struct lg_frame *frame, enum lg_err_code code, const char *what,
                             struct lg_err *err)
{
    char where[32];
    (void)snprintf(where, sizeof where, "byte %llu", (unsigned long long)frame->bytes);
    frame->state = FAILED;
    return lg_err_set(err, code, where, "%s", what);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* --- one value --- */

/* Keeps a piece of the value. An item that grows too large is let go and only counted out. */
static enum lg_err_code keep(struct lg_frame *frame, const char *p, size_t n, struct lg_err *err)
{
    bool whole = frame->in_items || frame->kind == LG_FRAME_WATCH;
    size_t max = whole ? frame->item_bytes_max : LG_FRAME_MEMBER_BYTES_MAX;
    if (frame->too_large)
        return LG_E_OK;
    if (n <= max - frame->text.n) {
        lg_buf_add(&frame->text, p, n);
        return LG_E_OK;
    }
    if (!whole)
        return fail(frame, LG_E_LIMIT, "a member of the list is larger than 64 KiB", err);
    frame->too_large = true;
    lg_buf_done(&frame->text);
    return LG_E_OK;
}

static size_t skip_string(struct lg_frame *frame, struct lg_str s, bool *ret_whole)
{
    *ret_whole = false;
    for (size_t i = 0; i < s.n; i++) {
        if (frame->skip.escaped) {
            frame->skip.escaped = false;
        } else if (s.p[i] == '\\') {
            frame->skip.escaped = true;
        } else if (s.p[i] == '"') {
            *ret_whole = true;
            return i + 1;
        }
    }
    return s.n;
}

/* A number, true, false or null ends before the first byte that is no part of it. */
static size_t skip_scalar(struct lg_str s, bool *ret_whole)
{
    size_t i = 0;
    while (i < s.n && !is_space(s.p[i]) && s.p[i] != ',' && s.p[i] != '}' && s.p[i] != ']')
        i++;
    *ret_whole = i < s.n;
    return i;
}

/* Only checks that what is passed over is JSON. */
static enum lg_err_code check_other(struct lg_frame *frame, struct lg_str text, struct lg_err *err)
{
    struct lg_arena arena lg_cleanup(lg_arena_done);
    struct lg_val root;
    lg_arena_init(&arena);
    if (lg_json_parse(&arena, text, &root, NULL) == LG_E_OK)
        return LG_E_OK;
    return fail(frame, LG_E_INVALID, "a member of the list is not JSON", err);
}

static enum lg_err_code take_member(struct lg_frame *frame, struct lg_str text, struct lg_err *err)
{
    if (frame->member == ITEMS && !lg_str_is(text, "null"))
        return fail(frame, LG_E_INVALID, "items is neither a list nor null", err);
    if (frame->member == METADATA)
        lg_buf_str(&frame->metadata, text);
    if (frame->member == KIND)
        lg_buf_str(&frame->list_kind, text);
    return check_other(frame, text, err);
}

static enum lg_err_code value_ended(struct lg_frame *frame, struct lg_str text, struct lg_err *err)
{
    enum lg_err_code code;
    if (frame->in_items || frame->kind == LG_FRAME_WATCH) {
        frame->state = frame->in_items ? WANT_ITEM_COMMA_OR_END : WANT_EVENT;
        code = frame->item(frame->arg, frame->too_large ? (struct lg_str){0} : text, err);
        if (code != LG_E_OK)
            frame->state = FAILED;
    } else {
        frame->state = WANT_COMMA_OR_END;
        code = take_member(frame, text, err);
    }
    frame->too_large = false;
    frame->text.n = 0;
    if (frame->text.size > TEXT_BYTES_KEPT)
        lg_buf_done(&frame->text);
    return code;
}

/* As many bytes of the value as there are. A value that lies in one chunk is handed on without a
 * copy. */
static enum lg_err_code read_value(struct lg_frame *frame, struct lg_str *io_rest,
                                   struct lg_err *err)
{
    bool whole;
    size_t n;
    if (frame->value == CONTAINER) /* whether brackets match is the strict reader's business */
        n = lg_skip_container(&frame->skip, *io_rest, &whole);
    else if (frame->value == STRING)
        n = skip_string(frame, *io_rest, &whole);
    else
        n = skip_scalar(*io_rest, &whole);
    struct lg_str piece = {io_rest->p, n};
    *io_rest = (struct lg_str){io_rest->p + n, io_rest->n - n};
    frame->bytes += n;
    bool small =
        n <= (frame->in_items || frame->kind == LG_FRAME_WATCH ? frame->item_bytes_max
                                                               : (size_t)LG_FRAME_MEMBER_BYTES_MAX);
    if (whole && small && frame->text.n == 0 && !frame->too_large && frame->value == CONTAINER)
        return value_ended(frame, piece, err);
    enum lg_err_code code = keep(frame, piece.p, piece.n, err);
    if (code != LG_E_OK || !whole)
        return code;
    return value_ended(frame, lg_buf_view(&frame->text), err);
}

/* At the value's first byte, which stays in the rest for CONTAINER and SCALAR. */
static enum lg_err_code start_value(struct lg_frame *frame, char c, struct lg_err *err)
{
    bool object_only = frame->in_items || frame->kind == LG_FRAME_WATCH;
    if (c != '{' && object_only)
        return fail(frame, LG_E_INVALID,
                    frame->in_items ? "an item of the list is no object" : "an event is no object",
                    err);
    if (c == ',' || c == '}' || c == ']' || c == ':')
        return fail(frame, LG_E_INVALID, "expected a value", err);
    frame->skip = (struct lg_skip){0};
    frame->too_large = false;
    frame->value = c == '{' || c == '[' ? CONTAINER : c == '"' ? STRING : SCALAR;
    frame->state = IN_VALUE;
    return LG_E_OK;
}

/* --- the outer object --- */

static enum lg_err_code key_ended(struct lg_frame *frame, struct lg_err *err)
{
    struct lg_str key = lg_buf_view(&frame->key);
    enum member member = lg_str_is(key, "items")      ? ITEMS
                         : lg_str_is(key, "metadata") ? METADATA
                         : lg_str_is(key, "kind")     ? KIND
                                                      : OTHER;
    if (member != OTHER && (frame->seen & 1u << member) != 0)
        return fail(frame, LG_E_INVALID, "kind, metadata or items is there twice", err);
    frame->seen |= 1u << member;
    frame->member = (uint8_t)member;
    frame->key.n = 0;
    frame->state = WANT_COLON;
    return LG_E_OK;
}

static enum lg_err_code key_byte(struct lg_frame *frame, char c, struct lg_err *err)
{
    if (c == '"')
        return key_ended(frame, err);
    if (c == '\\' || (unsigned char)c < 0x20)
        return fail(frame, LG_E_INVALID, "a member of the list has a name that no list has", err);
    if (frame->key.n == KEY_BYTES_MAX)
        return fail(frame, LG_E_LIMIT, "a member of the list has an endless name", err);
    lg_buf_putc(&frame->key, c);
    return LG_E_OK;
}

static enum lg_err_code value_byte(struct lg_frame *frame, char c, bool *ret_stays,
                                   struct lg_err *err)
{
    if (frame->member == ITEMS && c == '[') {
        frame->in_items = true;
        frame->state = WANT_ITEM_OR_END;
        return LG_E_OK;
    }
    enum lg_err_code code = start_value(frame, c, err);
    *ret_stays = frame->value != STRING;
    if (code == LG_E_OK && frame->value == STRING)
        return keep(frame, "\"", 1, err);
    return code;
}

static enum lg_err_code item_byte(struct lg_frame *frame, char c, bool *ret_stays,
                                  struct lg_err *err)
{
    if (c == ']' && frame->state == WANT_ITEM_OR_END) {
        frame->in_items = false;
        frame->state = WANT_COMMA_OR_END;
        return LG_E_OK;
    }
    *ret_stays = true;
    return start_value(frame, c, err);
}

/* From `state` on to `then` when c is the byte that leads there. */
static enum lg_err_code expect(struct lg_frame *frame, char c, char wanted, enum state then,
                               const char *complaint, struct lg_err *err)
{
    if (c != wanted)
        return fail(frame, LG_E_INVALID, complaint, err);
    frame->state = (uint8_t)then;
    return LG_E_OK;
}

/* One byte between values that is no white space. *ret_stays: it is the first byte of a value. */
static enum lg_err_code outer_byte(struct lg_frame *frame, char c, bool *ret_stays,
                                   struct lg_err *err)
{
    switch ((enum state)frame->state) {
    case WANT_LIST:
        return expect(frame, c, '{', WANT_KEY_OR_END, "the answer is no list", err);
    case WANT_KEY_OR_END:
        if (c == '}')
            return expect(frame, c, '}', ENDED, "", err);
        return expect(frame, c, '"', IN_KEY, "expected a member's name", err);
    case WANT_KEY:
        return expect(frame, c, '"', IN_KEY, "expected a member's name", err);
    case WANT_COLON:
        return expect(frame, c, ':', WANT_VALUE, "expected a colon", err);
    case WANT_VALUE:
        return value_byte(frame, c, ret_stays, err);
    case WANT_COMMA_OR_END:
        if (c == '}')
            return expect(frame, c, '}', ENDED, "", err);
        return expect(frame, c, ',', WANT_KEY, "expected a comma or }", err);
    case WANT_ITEM_OR_END:
    case WANT_ITEM:
        return item_byte(frame, c, ret_stays, err);
    case WANT_ITEM_COMMA_OR_END:
        if (c == ']') {
            frame->in_items = false;
            return expect(frame, c, ']', WANT_COMMA_OR_END, "", err);
        }
        return expect(frame, c, ',', WANT_ITEM, "expected a comma or ]", err);
    case WANT_EVENT:
        *ret_stays = true;
        return start_value(frame, c, err);
    case ENDED:
        return fail(frame, LG_E_INVALID, "more text behind the list", err);
    case IN_KEY:
    case IN_VALUE:
    case FAILED:
        break;
    }
    return fail(frame, LG_E_INVALID, "the stream was broken before", err);
}

enum lg_err_code lg_frame_feed(struct lg_frame *frame, struct lg_str chunk, struct lg_err *err)
{
    enum lg_err_code code = LG_E_OK;
    while (chunk.n != 0 && code == LG_E_OK) {
        if (frame->state == IN_VALUE) {
            code = read_value(frame, &chunk, err);
            continue;
        }
        char c = *chunk.p;
        bool stays = false;
        if (frame->state == IN_KEY)
            code = key_byte(frame, c, err);
        else if (!is_space(c) || frame->state == FAILED)
            code = outer_byte(frame, c, &stays, err);
        if (stays)
            continue;
        chunk = (struct lg_str){chunk.p + 1, chunk.n - 1};
        frame->bytes++;
    }
    return code;
}

/* --- the end --- */

static char *text_of(struct lg_str s)
{
    return s.n != 0 && memchr(s.p, '\0', s.n) == NULL ? lg_memdup(s.p, s.n) : NULL;
}

static enum lg_err_code read_list(struct lg_frame *frame, struct lg_frame_list *ret,
                                  struct lg_err *err)
{
    struct lg_arena arena lg_cleanup(lg_arena_done);
    struct lg_val metadata = LG_NONE, kind = LG_NONE;
    lg_arena_init(&arena);
    if ((frame->metadata.n != 0 &&
         lg_json_parse(&arena, lg_buf_view(&frame->metadata), &metadata, err) != LG_E_OK) ||
        (frame->list_kind.n != 0 &&
         lg_json_parse(&arena, lg_buf_view(&frame->list_kind), &kind, err) != LG_E_OK))
        return LG_E_INVALID;
    struct lg_frame_list list = {.kind = text_of(lg_json_str(kind)),
                                 .resource_version =
                                     text_of(lg_json_str(lg_json_get(metadata, "resourceVersion"))),
                                 .next = text_of(lg_json_str(lg_json_get(metadata, "continue")))};
    if (list.kind == NULL)
        list.kind = lg_memdup("", 0);
    if (list.resource_version != NULL && (frame->seen & 1u << ITEMS) != 0) {
        *ret = list;
        return LG_E_OK;
    }
    lg_frame_list_done(&list);
    return fail(frame, LG_E_INVALID, "the answer is no list: it has no items or no resourceVersion",
                err);
}

enum lg_err_code lg_frame_end(struct lg_frame *frame, struct lg_frame_list *ret, struct lg_err *err)
{
    if (frame->kind == LG_FRAME_LIST && frame->state == ENDED)
        return read_list(frame, ret, err);
    if (frame->kind == LG_FRAME_WATCH && frame->state == WANT_EVENT) {
        *ret = (struct lg_frame_list){0};
        return LG_E_OK;
    }
    if (frame->state == FAILED)
        return lg_err_set(err, LG_E_INVALID, NULL, "the stream was broken before");
    return fail(frame, LG_E_INVALID,
                frame->kind == LG_FRAME_LIST ? "the list ends too early"
                                             : "the stream ends within an event",
                err);
}

void lg_frame_list_done(struct lg_frame_list *list)
{
    if (list == NULL)
        return;
    free(list->kind);
    free(list->resource_version);
    free(list->next);
    *list = (struct lg_frame_list){0};
}
