#include "webhook/runtime/log.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "webhook/runtime/clock.h"

static const char *const level_names[] = {"info", "warn", "error"};

/* A value longer than this is never what a line is for. Halved until the whole line fits. */
enum { VALUE_BYTES_MAX = 8 * 1024 };

static atomic_int out_fd = STDERR_FILENO;
static _Atomic uint64_t dropped_total;

static pthread_mutex_t write_lock = PTHREAD_MUTEX_INITIALIZER;
/* under write_lock */
static uint64_t dropped_since;
static bool broken; /* a part of a line was the last that could be written */

void lg_log_set_fd(int fd)
{
    atomic_store(&out_fd, fd);
}

uint64_t lg_log_dropped(void)
{
    return atomic_load(&dropped_total);
}

static void format_now(char *buf, size_t size)
{
    int64_t now_ms = lg_clock_unix_ms();
    time_t now_s = (time_t)(now_ms / 1000);
    struct tm tm;
    gmtime_r(&now_s, &tm);
    size_t n = strftime(buf, size, "%Y-%m-%dT%H:%M:%S", &tm);
    (void)snprintf(buf + n, size - n, ".%03dZ", (int)(now_ms % 1000));
}

/* jansson takes UTF-8 only; what is not is shown as \xNN. */
static json_t *text_value(struct lg_str text, size_t max_bytes, bool *truncated)
{
    struct lg_str shown = lg_str_cut(text, max_bytes);
    if (shown.n < text.n)
        *truncated = true;
    json_t *value = json_stringn(shown.p, shown.n);
    if (value != NULL)
        return value;
    struct lg_buf printable = {0};
    lg_buf_printable(&printable, shown);
    shown = lg_buf_view(&printable);
    value = json_stringn_nocheck(shown.p, shown.n);
    lg_buf_done(&printable);
    return value;
}

static json_t *field_value(const struct lg_log_field *field, size_t max_bytes, bool *truncated)
{
    switch (field->type) {
    case LG_LOG_STR:
        return text_value(field->text, max_bytes, truncated);
    case LG_LOG_INT:
        return json_integer(field->number);
    case LG_LOG_REAL:
        return isfinite(field->real) ? json_real(field->real) : json_null();
    case LG_LOG_BOOL:
        return json_boolean(field->number != 0);
    }
    return NULL;
}

struct line {
    const char *time, *level, *message;
    const struct lg_log_field *fields;
    size_t n;
};

/* The line's length, which may be more than `size`: then `buf` is of no use. */
static size_t render(const struct line *line, size_t value_bytes_max, char *buf, size_t size)
{
    bool truncated = false;
    json_t *object = json_object();
    json_object_set_new(object, "time", json_string(line->time));
    json_object_set_new(object, "level", json_string(line->level));
    json_object_set_new(object, "message", json_string(line->message));
    for (size_t i = 0; i < line->n; i++) {
        const struct lg_log_field *field = &line->fields[i];
        if (field->type != LG_LOG_STR || field->text.p != NULL)
            json_object_set_new(object, field->name,
                                field_value(field, value_bytes_max, &truncated));
    }
    if (truncated)
        json_object_set_new(object, "truncated", json_true());
    size_t length = json_dumpb(object, buf, size, JSON_COMPACT | JSON_ENSURE_ASCII);
    json_decref(object);
    return length;
}

/* A piece of a line, or less, where there is room for it by `end_ms`; the bytes written, 0 = it cannot be. */
static size_t write_piece(const char *text, size_t n, int64_t end_ms)
{
    struct pollfd out = {.fd = atomic_load(&out_fd), .events = POLLOUT};
    for (;;) {
        int64_t left_ms = end_ms - lg_clock_mono_ms();
        int ready = poll(&out, 1, left_ms > 0 ? (int)left_ms : 0);
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready == 0)
            return 0;
        ssize_t wrote = write(out.fd, text, n < PIPE_BUF ? n : PIPE_BUF);
        if (wrote < 0 && errno == EINTR)
            continue;
        return wrote > 0 ? (size_t)wrote : 0;
    }
}

/* True when the line left whole. In pieces of what poll promises room for: a longer one would wait for whoever reads, and
 * with it everybody who logs. Under write_lock. */
static bool write_line(const char *text, size_t n, int wait_ms)
{
    int64_t end_ms = lg_clock_mono_ms() + wait_ms;
    if (broken && write_piece("\n", 1, end_ms) == 0)
        return false;
    broken = false;
    while (n > 0) {
        size_t wrote = write_piece(text, n, end_ms);
        if (wrote == 0)
            return false;
        text += wrote;
        n -= wrote;
        broken = n > 0;
    }
    return true;
}

/* Puts "dropped":N into the finished line `text` ("{...}"), which has room for it. */
static size_t add_dropped(char *text, size_t n, size_t size, uint64_t dropped)
{
    int more =
        snprintf(text + n - 1, size - (n - 1), ",\"dropped\":%llu}", (unsigned long long)dropped);
    return n - 1 + (size_t)more;
}

void lg_log_fields(enum lg_log_level level, const char *message, const struct lg_log_field *fields,
                   size_t n)
{
    enum { ROOM = 40 }; /* ,"dropped":18446744073709551615} and a line feed */
    char time[40];
    format_now(time, sizeof time);
    struct line line = {time, level_names[level], message, fields, n};
    char text[LG_LOG_LINE_BYTES_MAX];
    size_t value_bytes_max = VALUE_BYTES_MAX;
    size_t length = render(&line, value_bytes_max, text, sizeof text - ROOM);
    while (length > sizeof text - ROOM && value_bytes_max > 0) {
        value_bytes_max /= 2;
        length = render(&line, value_bytes_max, text, sizeof text - ROOM);
    }
    if (length == 0 || length > sizeof text - ROOM) {
        atomic_fetch_add(&dropped_total, 1);
        return;
    }
    pthread_mutex_lock(&write_lock);
    if (dropped_since != 0)
        length = add_dropped(text, length, sizeof text, dropped_since);
    text[length++] = '\n';
    /* Whoever reads is stuck since the last line: waiting again, for each line, would stop the reviews. */
    if (write_line(text, length, dropped_since != 0 ? 0 : LG_LOG_WAIT_MS_MAX)) {
        dropped_since = 0;
    } else {
        dropped_since++;
        atomic_fetch_add(&dropped_total, 1);
    }
    pthread_mutex_unlock(&write_lock);
}
