/* What went wrong, on the caller's stack.
 *
 * An `lg_err` reports a failure of ours or of the environment (a file, the network, a document that
 * cannot be read). What is wrong with a user's *object* is a finding (rules/finding.h); what is
 * wrong with our own code is an assert. Owned by the caller, no allocation, any thread (one object
 * belongs to one thread).
 *
 * States: zeroed (no error) -> set (the first error wins) -> wrapped (context prepended, any number
 * of times).
 */
#ifndef LG_RULES_CORE_ERR_H
#define LG_RULES_CORE_ERR_H

#include <stdbool.h>
#include <stddef.h>

enum { LG_ERR_WHERE_BYTES = 256, LG_ERR_TEXT_BYTES = 512 };

/* By what the caller can do, not by who failed. */
enum lg_err_code {
    LG_E_OK = 0,
    LG_E_INVALID,     /* the input is wrong and stays wrong */
    LG_E_LIMIT,       /* the input is larger, deeper or longer than we read */
    LG_E_NOTFOUND,    /* it is not there */
    LG_E_CONFLICT,    /* somebody else changed it first */
    LG_E_GONE,        /* it was there and the version asked for is no longer kept */
    LG_E_DENIED,      /* known, and not allowed */
    LG_E_AUTH,        /* not known */
    LG_E_TIMEOUT,     /* no answer in time */
    LG_E_UNAVAILABLE, /* no answer now */
    LG_E_TLS,         /* a certificate or a handshake */
    LG_E_IO,          /* the operating system said no; os_errno says why */
    LG_E_UNSUPPORTED, /* valid, and something we do not do */
    LG_E_NOMEM,
    LG_E_INTERNAL,
    LG_E_COUNT
};

struct lg_err {
    enum lg_err_code code;
    int os_errno;                   /* 0 where the operating system was not involved */
    bool truncated;                 /* `text` or `where` did not fit */
    char where[LG_ERR_WHERE_BYTES]; /* JSON path, URL or file:line; a long one keeps its tail */
    char text[LG_ERR_TEXT_BYTES];
};

/* Sets `err` unless it is set already (or NULL) and returns `code`, so that `return
 * lg_err_set(...)` works. */
enum lg_err_code lg_err_set(struct lg_err *err, enum lg_err_code code, const char *where,
                            const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Like lg_err_set with code LG_E_IO (or the code that fits `os_errno` better); appends strerror's
 * text. */
enum lg_err_code lg_err_set_errno(struct lg_err *err, int os_errno, const char *where,
                                  const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Prepends "<context>: " to the text and returns the code; the rest stays. */
enum lg_err_code lg_err_wrap(struct lg_err *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* True when both say the same: code, place and text. */
bool lg_err_same(const struct lg_err *a, const struct lg_err *b);

/* The code's stable lower-case name ("invalid"), for logs and metrics. Static storage. */
const char *lg_err_name(enum lg_err_code code);

/* Writes "where: text" (or what there is of it) into `buf`, cut at `size`; returns `buf`. */
const char *lg_err_format(const struct lg_err *err, char *buf, size_t size);

#endif
