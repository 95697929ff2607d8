#include "webhook/runtime/log.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "rules/core/mem.h"
#include "rules/core/utf8.h"
#include "rules/core/write.h"
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

static bool is_utf8(struct lg_str text)
{
    uint32_t ignored;
    size_t len = 1;
    for (size_t i = 0; i < text.n && len != 0; i += len)
        len = lg_utf8_decode((const unsigned char *)text.p + i, text.n - i, &ignored);
    return len != 0;
}

/* What is not UTF-8 is shown as \xNN. */
static void write_text(struct lg_buf *buf, struct lg_str text, size_t max_bytes, bool *truncated)
{
    struct lg_buf printable lg_cleanup(lg_buf_done) = {0};
    struct lg_str shown = lg_str_cut(text, max_bytes);
    if (shown.n < text.n)
        *truncated = true;
    if (!is_utf8(shown)) {
        lg_buf_printable(&printable, shown);
        shown = lg_buf_view(&printable);
    }
    lg_write_ascii(buf, shown);
}

static void write_field(struct lg_buf *buf, const struct lg_log_field *field, size_t max_bytes,
                        bool *truncated)
{
    lg_write_key(buf, field->name);
    switch (field->type) {
    case LG_LOG_STR:
        write_text(buf, field->text, max_bytes, truncated);
        return;
    case LG_LOG_INT:
        lg_write_int(buf, field->number);
        return;
    case LG_LOG_REAL:
        lg_write_real(buf, field->real);
        return;
    case LG_LOG_BOOL:
        lg_write_bool(buf, field->number != 0);
        return;
    }
}

struct line {
    const char *time, *level, *message;
    const struct lg_log_field *fields;
    size_t n;
};

/* The line into `buf`, in place of what it holds. */
static void render(const struct line *line, size_t value_bytes_max, struct lg_buf *buf)
{
    bool truncated = false;
    buf->n = 0;
    lg_write_open(buf, '{');
    lg_write_member(buf, "time", lg_str_of(line->time));
    lg_write_member(buf, "level", lg_str_of(line->level));
    lg_write_key(buf, "message");
    lg_write_ascii(buf, lg_str_of(line->message));
    for (size_t i = 0; i < line->n; i++) {
        const struct lg_log_field *field = &line->fields[i];
        if (field->type != LG_LOG_STR || field->text.p != NULL)
            write_field(buf, field, value_bytes_max, &truncated);
    }
    if (truncated) {
        lg_write_key(buf, "truncated");
        lg_write_bool(buf, true);
    }
    lg_write_close(buf, '}');
}

/* A piece of a line, or less, where there is room for it by `end_ms`; the bytes written, 0 = it
 * cannot be. */
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

/* True when the line left whole. In pieces of what poll promises room for: a longer one would wait
 * for whoever reads, and with it everybody who logs. Under write_lock. */
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

/* Puts "dropped":N into the finished line ("{...}"). */
static void add_dropped(struct lg_buf *line, uint64_t dropped)
{
    line->n--;
    lg_buf_printf(line, ",\"dropped\":%llu}", (unsigned long long)dropped);
}

void lg_log_fields(enum lg_log_level level, const char *message, const struct lg_log_field *fields,
                   size_t n)
{
    enum { LENGTH_MAX = LG_LOG_LINE_BYTES_MAX - 40 }; /* add_dropped's, and a line feed */
    char time[40];
    format_now(time, sizeof time);
    struct line line = {time, level_names[level], message, fields, n};
    struct lg_buf text lg_cleanup(lg_buf_done) = {0};
    size_t value_bytes_max = VALUE_BYTES_MAX;
    render(&line, value_bytes_max, &text);
    while (text.n > LENGTH_MAX && value_bytes_max > 0) {
        value_bytes_max /= 2;
        render(&line, value_bytes_max, &text);
    }
    if (text.n > LENGTH_MAX) {
        atomic_fetch_add(&dropped_total, 1);
        return;
    }
    pthread_mutex_lock(&write_lock);
    if (dropped_since != 0)
        add_dropped(&text, dropped_since);
    lg_buf_putc(&text, '\n');
    /* Whoever reads is stuck since the last line: waiting again, for each line, would stop the
     * reviews. */
    if (write_line(text.p, text.n, dropped_since != 0 ? 0 : LG_LOG_WAIT_MS_MAX)) {
        dropped_since = 0;
    } else {
        dropped_since++;
        atomic_fetch_add(&dropped_total, 1);
    }
    pthread_mutex_unlock(&write_lock);
}
