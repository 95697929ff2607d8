#include "rules/core/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const names[LG_E_COUNT] = {
    [LG_E_OK] = "ok",
    [LG_E_INVALID] = "invalid",
    [LG_E_LIMIT] = "limit",
    [LG_E_NOTFOUND] = "notfound",
    [LG_E_CONFLICT] = "conflict",
    [LG_E_GONE] = "gone",
    [LG_E_DENIED] = "denied",
    [LG_E_AUTH] = "auth",
    [LG_E_TIMEOUT] = "timeout",
    [LG_E_UNAVAILABLE] = "unavailable",
    [LG_E_TLS] = "tls",
    [LG_E_IO] = "io",
    [LG_E_UNSUPPORTED] = "unsupported",
    [LG_E_NOMEM] = "nomem",
    [LG_E_INTERNAL] = "internal",
};

static void set_where(struct lg_err *err, const char *where)
{
    size_t n = where != NULL ? strlen(where) : 0;
    if (n < sizeof err->where) {
        memcpy(err->where, where != NULL ? where : "", n + 1);
        return;
    }
    err->truncated = true;
    memcpy(err->where, "...", 3);
    size_t keep = sizeof err->where - 4;
    memcpy(err->where + 3, where + n - keep, keep + 1);
}

static void set_text(struct lg_err *err, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

static void set_text(struct lg_err *err, const char *format, va_list args)
{
    int n = vsnprintf(err->text, sizeof err->text, format, args);
    if (n < 0)
        err->text[0] = '\0';
    else if ((size_t)n >= sizeof err->text)
        err->truncated = true;
}

enum lg_err_code lg_err_set(struct lg_err *err, enum lg_err_code code, const char *where,
                            const char *format, ...)
{
    if (err == NULL || err->code != LG_E_OK)
        return code;
    err->code = code;
    set_where(err, where);
    va_list args;
    va_start(args, format);
    set_text(err, format, args);
    va_end(args);
    return code;
}

static enum lg_err_code code_of_errno(int os_errno)
{
    switch (os_errno) {
    case ENOENT:
        return LG_E_NOTFOUND;
    case EACCES:
    case EPERM:
        return LG_E_DENIED;
    case ENOMEM:
        return LG_E_NOMEM;
    case ETIMEDOUT:
        return LG_E_TIMEOUT;
    default:
        return LG_E_IO;
    }
}

enum lg_err_code lg_err_set_errno(struct lg_err *err, int os_errno, const char *where,
                                  const char *format, ...)
{
    enum lg_err_code code = code_of_errno(os_errno);
    if (err == NULL || err->code != LG_E_OK)
        return code;
    err->code = code;
    err->os_errno = os_errno;
    set_where(err, where);
    va_list args;
    va_start(args, format);
    set_text(err, format, args);
    va_end(args);
    size_t used = strlen(err->text);
    int n =
        snprintf(err->text + used, sizeof err->text - used, ": %s",
                 strerrordesc_np(os_errno) != NULL ? strerrordesc_np(os_errno) : "unknown error");
    if (n >= 0 && (size_t)n >= sizeof err->text - used)
        err->truncated = true;
    return code;
}

enum lg_err_code lg_err_wrap(struct lg_err *err, const char *format, ...)
{
    if (err == NULL)
        return LG_E_INTERNAL;
    char was[LG_ERR_TEXT_BYTES];
    memcpy(was, err->text, sizeof was);
    va_list args;
    va_start(args, format);
    set_text(err, format, args);
    va_end(args);
    size_t used = strlen(err->text);
    int n = snprintf(err->text + used, sizeof err->text - used, ": %s", was);
    if (n >= 0 && (size_t)n >= sizeof err->text - used)
        err->truncated = true;
    return err->code;
}

bool lg_err_same(const struct lg_err *a, const struct lg_err *b)
{
    return a->code == b->code && strcmp(a->where, b->where) == 0 && strcmp(a->text, b->text) == 0;
}

const char *lg_err_name(enum lg_err_code code)
{
    return code < LG_E_COUNT ? names[code] : "unknown";
}

const char *lg_err_format(const struct lg_err *err, char *buf, size_t size)
{
    if (err->where[0] != '\0')
        snprintf(buf, size, "%s: %s", err->where, err->text);
    else
        snprintf(buf, size, "%s", err->text);
    return buf;
}
