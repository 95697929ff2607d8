/* Runs a fuzz target over a corpus without libFuzzer: each file of the directories given, as it is
 * and cut short at every sixteenth, so that a build of any compiler keeps what fuzzing has
 * found. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/core/file.h"
#include "rules/core/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_BYTES_MAX = 64 * 1024 * 1024, CUTS = 16 };

/* In a block of its own size, so that a read beyond the end is seen by a sanitizer. */
static void run_input(const char *text, size_t n)
{
    uint8_t *copy = malloc(n != 0 ? n : 1);
    if (copy == NULL)
        lg_oom(n);
    memcpy(copy, text, n);
    (void)LLVMFuzzerTestOneInput(copy, n);
    free(copy);
}

static int run_file(const char *path)
{
    char *text lg_cleanup(lg_free_cleanup) = NULL;
    size_t n = 0;
    struct lg_err err = {0};
    if (lg_file_read(path, INPUT_BYTES_MAX, &text, &n, &err) != LG_E_OK) {
        fprintf(stderr, "%s: %s\n", path, err.text);
        return 1;
    }
    for (size_t i = 1; i <= CUTS; i++)
        run_input(text, n * i / CUTS);
    return 0;
}

int main(int argc, char **argv)
{
    static const char *const any_name[] = {"", NULL};
    size_t files = 0;
    for (int i = 1; i < argc; i++) {
        char **paths = NULL;
        struct lg_err err = {0};
        if (lg_file_list(argv[i], any_name, &paths, &err) != LG_E_OK) {
            fprintf(stderr, "%s: %s\n", argv[i], err.text);
            return 1;
        }
        for (char **path = paths; *path != NULL; path++, files++)
            if (run_file(*path) != 0)
                return 1;
        lg_file_list_free(paths);
    }
    printf("%zu files\n", files);
    return files != 0 ? 0 : 1;
}
