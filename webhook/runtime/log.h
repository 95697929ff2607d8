/* One JSON object a line on stderr, for people and for collectors:
 * {"time":"2026-11-23T08:47:00.123Z","level":"info","message":"denied","namespace":"web","rules":2}
 *
 * Messages and field names are ours, constant text; what a user wrote goes into values only. A line
 * is pure ASCII (anything else is \u-escaped), so that no object's name can steer a terminal or
 * forge a second line, at most LG_LOG_LINE_BYTES_MAX long (values are cut, and "truncated":true
 * says so), and written with one write(2) up to PIPE_BUF bytes. A log that nobody reads must not
 * stop reviews: a line that cannot be written soon is dropped, also from its middle on (what stands
 * of it ends with a line feed), and the next one that is written says how many were ("dropped":3).
 * Any thread. Libraries below webhook/ never log.
 */
#ifndef LG_WEBHOOK_RUNTIME_LOG_H
#define LG_WEBHOOK_RUNTIME_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/core/err.h"
#include "rules/core/str.h"

enum { LG_LOG_LINE_BYTES_MAX = 32 * 1024, LG_LOG_WAIT_MS_MAX = 100 };

enum lg_log_level { LG_LOG_INFO, LG_LOG_WARN, LG_LOG_ERROR };

enum lg_log_type { LG_LOG_STR, LG_LOG_INT, LG_LOG_REAL, LG_LOG_BOOL };

/* One key and its value; built by the LG_F_ macros. Values are borrowed for the call. */
struct lg_log_field {
    const char *name;
    enum lg_log_type type;
    struct lg_str text;
    int64_t number;
    double real;
};

#define LG_F_STR(key, value)                                                                       \
    ((struct lg_log_field){.name = (key), .type = LG_LOG_STR, .text = (value)})
#define LG_F_TEXT(key, value)                                                                      \
    ((struct lg_log_field){.name = (key), .type = LG_LOG_STR, .text = lg_str_of(value)})
#define LG_F_INT(key, value)                                                                       \
    ((struct lg_log_field){.name = (key), .type = LG_LOG_INT, .number = (int64_t)(value)})
#define LG_F_REAL(key, value)                                                                      \
    ((struct lg_log_field){.name = (key), .type = LG_LOG_REAL, .real = (value)})
#define LG_F_BOOL(key, value)                                                                      \
    ((struct lg_log_field){.name = (key), .type = LG_LOG_BOOL, .number = (value)})
/* The fields of a struct lg_err: "error" (its code), "where", "reason". Three fields, for lg_log's
 * argument list. */
#define LG_F_ERR(err)                                                                              \
    LG_F_TEXT("error", lg_err_name((err)->code)), LG_F_TEXT("where", (err)->where),                \
        LG_F_TEXT("reason", (err)->text)

/* lg_log(LG_LOG_INFO, "denied", LG_F_STR("name", name), LG_F_INT("rules", 2)); an absent string is
 * left out. */
#define lg_log(level, message, ...)                                                                \
    lg_log_fields((level), (message), (const struct lg_log_field[]){{0}, ##__VA_ARGS__} + 1,       \
                  sizeof((const struct lg_log_field[]){{0}, ##__VA_ARGS__}) /                      \
                          sizeof(struct lg_log_field) -                                            \
                      1)

void lg_log_fields(enum lg_log_level level, const char *message, const struct lg_log_field *fields,
                   size_t n) __attribute__((nonnull(2)));

/* Where lines go; 2 (stderr) at first. Borrowed. Before other threads start. */
void lg_log_set_fd(int fd);

/* Lines that were dropped since the start, for a metric. */
uint64_t lg_log_dropped(void);

#endif
