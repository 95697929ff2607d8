#include "webhook/cli/diff.h"

#include "rules/core/mem.h"

enum { CONTEXT_LINES = 3 };

/* Whole lines that are replaced by others. */
struct change {
    size_t from, to; /* bytes of the old text, at the beginnings of lines */
    size_t line;     /* number of the first old line, from 0 */
    size_t n_old, n_new;
    struct lg_str new_text;
};

struct diff {
    struct lg_str text;
    const struct lg_splices *splices;
    struct change *changes;
    size_t n;
};

static bool at_line(struct lg_str text, size_t at)
{
    return at == 0 || text.p[at - 1] == '\n';
}

static size_t line_start(struct lg_str text, size_t at)
{
    while (!at_line(text, at))
        at--;
    return at;
}

static size_t line_end(struct lg_str text, size_t at)
{
    const char *end = at < text.n ? memchr(text.p + at, '\n', text.n - at) : NULL;
    return end != NULL ? (size_t)(end - text.p) + 1 : text.n;
}

/* Lines of a text; a last one without a line feed counts. */
static size_t count_lines(struct lg_str text)
{
    size_t n = 0;
    for (size_t at = 0; at < text.n; at = line_end(text, at))
        n++;
    return n;
}

/* The lines that a splice touches. One that puts whole lines between lines touches none. */
static void lines_of(struct lg_str text, const struct lg_splice *splice, struct change *ret)
{
    size_t end = splice->at + splice->n;
    bool whole = at_line(text, splice->at) && (at_line(text, end) || end == text.n) &&
                 (splice->text.n == 0 || splice->text.p[splice->text.n - 1] == '\n');
    ret->from = line_start(text, splice->at);
    ret->to = whole ? end : line_end(text, end);
}

/* Drops lines at both ends that are the same on both sides. */
static void trim(struct lg_str text, struct change *change)
{
    struct lg_str *new = &change->new_text;
    while (change->from < change->to && new->n != 0) {
        size_t old_end = line_end(text, change->from);
        struct lg_str old_line = {text.p + change->from, old_end - change->from};
        struct lg_str new_line = {new->p, line_end(*new, 0)};
        if (!lg_str_eq(old_line, new_line))
            break;
        change->from = old_end;
        *new = (struct lg_str){new->p + new_line.n, new->n - new_line.n};
    }
    while (change->from < change->to && new->n != 0) {
        size_t old_at = line_start(text, change->to - 1);
        size_t new_at = line_start(*new, new->n - 1);
        struct lg_str old_line = {text.p + old_at, change->to - old_at};
        if (!lg_str_eq(old_line, (struct lg_str){new->p + new_at, new->n - new_at}))
            break;
        change->to = old_at;
        new->n = new_at;
    }
}

/* Splices i to n, which stand in the lines of `change`. */
static void write_new(struct diff *diff, size_t i, size_t n, struct change *change)
{
    struct lg_buf buf lg_cleanup(lg_buf_done) = {0};
    size_t at = change->from;
    for (; i < n; i++) {
        const struct lg_splice *splice = &diff->splices->items[i];
        lg_buf_add(&buf, diff->text.p + at, splice->at - at);
        lg_buf_str(&buf, splice->text);
        at = splice->at + splice->n;
    }
    lg_buf_add(&buf, diff->text.p + at, change->to - at);
    change->new_text = lg_arena_str(diff->splices->arena, lg_buf_view(&buf));
}

static void find_changes(struct diff *diff)
{
    const struct lg_splices *splices = diff->splices;
    size_t counted = 0;
    size_t line = 0;
    diff->changes = lg_arena_array(splices->arena, splices->n, sizeof(*diff->changes));
    for (size_t i = 0; i < splices->n;) {
        struct change change = {0};
        lines_of(diff->text, &splices->items[i], &change);
        size_t k = i + 1;
        for (; k < splices->n; k++) {
            struct change next = {0};
            lines_of(diff->text, &splices->items[k], &next);
            if (next.from >= change.to && next.from != change.from)
                break;
            change.to = next.to > change.to ? next.to : change.to;
        }
        write_new(diff, i, k, &change);
        trim(diff->text, &change);
        i = k;
        line += count_lines((struct lg_str){diff->text.p + counted, change.from - counted});
        counted = change.from;
        change.line = line;
        change.n_old =
            count_lines((struct lg_str){diff->text.p + change.from, change.to - change.from});
        change.n_new = count_lines(change.new_text);
        if (change.n_old != 0 || change.n_new != 0)
            diff->changes[diff->n++] = change;
    }
}

static void put_lines(struct lg_buf *out, char mark, struct lg_str lines)
{
    for (size_t at = 0; at < lines.n;) {
        size_t end = line_end(lines, at);
        lg_buf_putc(out, mark);
        lg_buf_add(out, lines.p + at, end - at);
        if (lines.p[end - 1] != '\n')
            lg_buf_puts(out, "\n\\ No newline at end of file\n");
        at = end;
    }
}

/* Up to CONTEXT_LINES lines before `at`, not before `from`: where they begin, and how many. */
static size_t back(struct lg_str text, size_t at, size_t from, size_t *ret_n)
{
    *ret_n = 0;
    while (*ret_n < CONTEXT_LINES && at > from) {
        at = line_start(text, at - 1);
        ++*ret_n;
    }
    return at;
}

static size_t forth(struct lg_str text, size_t at, size_t max, size_t *ret_n)
{
    for (*ret_n = 0; *ret_n < max && at < text.n; ++*ret_n)
        at = line_end(text, at);
    return at;
}

/* The last change whose context touches that of the one before it. */
static size_t hunk_end(const struct diff *diff, size_t first)
{
    size_t last = first;
    while (last + 1 < diff->n) {
        const struct change *a = &diff->changes[last];
        if (diff->changes[last + 1].line - (a->line + a->n_old) > 2 * (size_t)CONTEXT_LINES)
            break;
        last++;
    }
    return last;
}

static void put_range(struct lg_buf *out, char mark, size_t line, size_t n)
{
    /* Of no lines, the line before them is named. */
    lg_buf_printf(out, "%c%zu", mark, n != 0 ? line + 1 : line);
    if (n != 1)
        lg_buf_printf(out, ",%zu", n);
}

static void put_hunk(const struct diff *diff, size_t first, size_t last, long shift,
                     struct lg_buf *out)
{
    struct lg_str text = diff->text;
    const struct change *changes = diff->changes;
    size_t before = 0;
    size_t after = 0;
    size_t start = back(text, changes[first].from, 0, &before);
    size_t end = forth(text, changes[last].to, CONTEXT_LINES, &after);
    size_t line = changes[first].line - before;
    size_t n_old = changes[last].line + changes[last].n_old + after - line;
    size_t n_new = n_old;
    for (size_t i = first; i <= last; i++)
        n_new += changes[i].n_new - changes[i].n_old;
    lg_buf_puts(out, "@@ ");
    put_range(out, '-', line, n_old);
    lg_buf_putc(out, ' ');
    put_range(out, '+', (size_t)((long)line + shift), n_new);
    lg_buf_puts(out, " @@\n");
    size_t at = start;
    for (size_t i = first; i <= last; i++) {
        put_lines(out, ' ', (struct lg_str){text.p + at, changes[i].from - at});
        put_lines(out, '-',
                  (struct lg_str){text.p + changes[i].from, changes[i].to - changes[i].from});
        put_lines(out, '+', changes[i].new_text);
        at = changes[i].to;
    }
    put_lines(out, ' ', (struct lg_str){text.p + at, end - at});
}

/* As git and patch read names: one with a blank ends with a tab, one with anything stranger is
 * quoted. */
static void put_name(struct lg_buf *out, const char *mark, char side, const char *file)
{
    bool strange = false;
    for (const char *p = file; *p != '\0'; p++)
        strange = strange || (unsigned char)*p < ' ' || strchr("\"\\\x7F", *p) != NULL;
    lg_buf_printf(out, "%s %s%c/", mark, strange ? "\"" : "", side);
    for (const char *p = file; *p != '\0'; p++) {
        if (*p == '\n' || *p == '\t')
            lg_buf_puts(out, *p == '\n' ? "\\n" : "\\t");
        else if ((unsigned char)*p < ' ' || *p == '\x7F')
            lg_buf_printf(out, "\\%03o", (unsigned)(unsigned char)*p);
        else
            lg_buf_printf(out, "%s%c", *p == '"' || *p == '\\' ? "\\" : "", *p);
    }
    lg_buf_puts(out, strange ? "\"\n" : strchr(file, ' ') != NULL ? "\t\n" : "\n");
}

void lg_diff(const char *file, struct lg_str text, const struct lg_splices *splices,
             struct lg_buf *out)
{
    struct diff diff = {.text = text, .splices = splices};
    long shift = 0;
    find_changes(&diff);
    if (diff.n == 0)
        return;
    put_name(out, "---", 'a', file);
    put_name(out, "+++", 'b', file);
    for (size_t i = 0; i < diff.n;) {
        size_t last = hunk_end(&diff, i);
        put_hunk(&diff, i, last, shift, out);
        for (; i <= last; i++)
            shift += (long)diff.changes[i].n_new - (long)diff.changes[i].n_old;
    }
}
