/* Slices of text and a growing buffer.
 *
 * `struct lg_str` borrows `n` bytes; a NUL byte is a character like any other, and nothing says
 * that a NUL follows (lg_arena_str adds one). The absent string is {NULL, 0}; "" is {"", 0}:
 * lg_str_eq does not tell them apart. `struct lg_buf` owns what it builds. Values, any thread; a
 * buffer belongs to one thread.
 */
#ifndef LG_RULES_CORE_STR_H
#define LG_RULES_CORE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct lg_str {
    const char *p;
    size_t n;
};

#define LG_STR(literal) ((struct lg_str){"" literal, sizeof(literal) - 1})

/* For printf("%.*s"): LG_ARG(s) expands to its two arguments. Output ends at the first NUL
 * character. */
#define LG_ARG(s) (int)(s).n, (s).p

/* The slice of a NUL-terminated string; NULL gives the absent string. */
static inline struct lg_str lg_str_of(const char *text)
{
    return text != NULL ? (struct lg_str){text, strlen(text)} : (struct lg_str){0};
}

/* True when `n` bytes are the same. Most texts here are short: looked at in two words that may
 * overlap, without a call. */
static inline bool lg_bytes_eq(const char *a, const char *b, size_t n)
{
    uint64_t a8[2], b8[2];
    uint32_t a4[2], b4[2];
    if (n > 16)
        return memcmp(a, b, n) == 0;
    if (n >= 8) {
        memcpy(&a8[0], a, 8);
        memcpy(&b8[0], b, 8);
        memcpy(&a8[1], a + n - 8, 8);
        memcpy(&b8[1], b + n - 8, 8);
        return a8[0] == b8[0] && a8[1] == b8[1];
    }
    if (n >= 4) {
        memcpy(&a4[0], a, 4);
        memcpy(&b4[0], b, 4);
        memcpy(&a4[1], a + n - 4, 4);
        memcpy(&b4[1], b + n - 4, 4);
        return a4[0] == b4[0] && a4[1] == b4[1];
    }
    return n == 0 || (a[0] == b[0] && a[n / 2] == b[n / 2] && a[n - 1] == b[n - 1]);
}

static inline bool lg_str_eq(struct lg_str a, struct lg_str b)
{
    return a.n == b.n && lg_bytes_eq(a.p, b.p, a.n);
}

/* True when `s` is the NUL-terminated `text`. */
static inline bool lg_str_is(struct lg_str s, const char *text)
{
    return lg_str_eq(s, lg_str_of(text));
}

static inline bool lg_str_empty(struct lg_str s)
{
    return s.n == 0;
}

/* Bytewise order, a prefix first: negative, 0, positive like memcmp. */
int lg_str_cmp(struct lg_str a, struct lg_str b);
bool lg_str_starts(struct lg_str s, const char *prefix);
bool lg_str_ends(struct lg_str s, const char *suffix);

/* Cuts `s` to at most `max` bytes without splitting a UTF-8 character. */
struct lg_str lg_str_cut(struct lg_str s, size_t max);

/* A growing text, always NUL-terminated when p is not NULL. Zeroed = empty. */
struct lg_buf {
    char *p;
    size_t n, size;
};

void lg_buf_done(struct lg_buf *buf);
void lg_buf_add(struct lg_buf *buf, const void *bytes, size_t n);
void lg_buf_str(struct lg_buf *buf, struct lg_str s);
void lg_buf_puts(struct lg_buf *buf, const char *text);
void lg_buf_putc(struct lg_buf *buf, char c);
void lg_buf_printf(struct lg_buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Appends `s` as it may be shown to a person on one line: control characters (C0, DEL, C1), line
 * separators, bidi controls and what is not UTF-8 become \xNN or \u{NNNN}; nothing else changes. */
void lg_buf_printable(struct lg_buf *buf, struct lg_str s);

static inline struct lg_str lg_buf_view(const struct lg_buf *buf)
{
    return (struct lg_str){buf->p != NULL ? buf->p : "", buf->n};
}

#endif
