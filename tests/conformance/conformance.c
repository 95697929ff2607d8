/* conformance DIR: runs every corpus in DIR and prints a line for each row that differs. */
#include "tests/conformance/conformance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/core/file.h"
#include "rules/core/mem.h"

enum { CORPUS_BYTES_MAX = 256 * 1024 * 1024 };

static const struct conformance_corpus *const corpora[] = {
    &conformance_migratability, &conformance_placement, &conformance_quantity,
    &conformance_storage,       &conformance_yaml,
};

struct counts {
    size_t passed, failed;
};

static const struct conformance_corpus *find_corpus(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    size_t n = strcspn(name, ".");
    for (size_t i = 0; i < sizeof corpora / sizeof *corpora; i++)
        if (strlen(corpora[i]->name) == n && strncmp(corpora[i]->name, name, n) == 0)
            return corpora[i];
    return NULL;
}

static void run_row(const struct conformance_corpus *corpus, const char *path, size_t number,
                    struct lg_str line, struct counts *counts)
{
    struct lg_arena arena lg_cleanup(lg_arena_done) = {0};
    struct lg_buf expected lg_cleanup(lg_buf_done) = {0};
    struct lg_buf got lg_cleanup(lg_buf_done) = {0};
    struct lg_err err = {0};
    struct lg_val row = LG_NONE;
    enum conformance_result result = CONFORMANCE_FAILED;
    if (lg_json_parse(&arena, line, &row, &err) == LG_E_OK) {
        result = corpus->row(row, &arena, &expected, &got);
    } else {
        lg_buf_puts(&expected, "a JSON object");
        lg_buf_printf(&got, "%s: %s", err.where, err.text);
    }
    counts->passed += result == CONFORMANCE_PASSED;
    counts->failed += result == CONFORMANCE_FAILED;
    if (result != CONFORMANCE_FAILED)
        return;
    struct lg_str id = lg_json_str(lg_json_get(row, "id"));
    char name[32];
    snprintf(name, sizeof name, "line %zu", number);
    if (lg_str_empty(id))
        id = lg_str_of(name);
    printf("%s %.*s: expected %s, got %s\n", path, LG_ARG(id), lg_buf_view(&expected).p,
           lg_buf_view(&got).p);
}

static void run_file(const char *path, struct counts *total)
{
    const struct conformance_corpus *corpus = find_corpus(path);
    char *text lg_cleanup(lg_free_cleanup) = NULL;
    size_t bytes = 0;
    struct lg_err err = {0};
    if (corpus == NULL || lg_file_read(path, CORPUS_BYTES_MAX, &text, &bytes, &err) != LG_E_OK) {
        printf("%s: %s\n", path, corpus == NULL ? "no such corpus is known" : err.text);
        total->failed++;
        return;
    }
    struct counts counts = {0};
    size_t number = 0;
    for (const char *p = text; p < text + bytes;) {
        const char *end = memchr(p, '\n', (size_t)(text + bytes - p));
        if (end == NULL)
            end = text + bytes;
        number++;
        if (end > p)
            run_row(corpus, path, number, (struct lg_str){p, (size_t)(end - p)}, &counts);
        p = end + 1;
    }
    printf("%s: %zu rows\n", path, counts.passed + counts.failed);
    total->passed += counts.passed;
    total->failed += counts.failed;
}

static void free_list(char ***paths)
{
    lg_file_list_free(*paths);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: conformance DIR\n");
        return 2;
    }
    static const char *const suffixes[] = {".jsonl", NULL};
    char **paths lg_cleanup(free_list) = NULL;
    struct lg_err err = {0};
    char line[1024];
    if (lg_file_list(argv[1], suffixes, &paths, &err) != LG_E_OK) {
        fprintf(stderr, "conformance: %s\n", lg_err_format(&err, line, sizeof line));
        return 3;
    }
    struct counts total = {0};
    for (char **path = paths; *path != NULL; path++)
        run_file(*path, &total);
    if (total.passed + total.failed == 0) {
        printf("%s: no row was run\n", argv[1]);
        total.failed++;
    }
    printf("%zu passed, %zu failed\n", total.passed, total.failed);
    return total.failed == 0 ? 0 : 1;
}
