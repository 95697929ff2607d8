/* A canned API server as a program, for the bench: a cluster of the size of README's table,
 * rendered beforehand.
 *
 *   bench_canned KUBECONFIG [KIND=COUNT...]
 *       KIND is a plural: nodes=1000 virtualmachines=20000 ...
 *
 * Writes the kubeconfig, says "ready" on a line, and then obeys lines on standard input, answering
 * "done" to each:
 *   storm KIND PER_SECOND    changes so many objects a second, in a way that rules read; 0 ends it
 *   touch KIND N             changes N objects now, in a way that no rule reads
 *   relist                   forgets the past and breaks all watches: everybody has to list again
 * The end of standard input ends it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/core/num.h"
#include "tests/support/canned_api.h"

static enum lg_kind kind_of(const char *plural, size_t n)
{
    for (int kind = 0; kind < LG_KIND_COUNT; kind++)
        if (strlen(lg_gvk((enum lg_kind)kind)->plural) == n &&
            strncmp(lg_gvk((enum lg_kind)kind)->plural, plural, n) == 0)
            return (enum lg_kind)kind;
    fprintf(stderr, "bench_canned: there is no kind \"%.*s\"\n", (int)n, plural);
    exit(2);
}

static size_t number(const char *text)
{
    int64_t n = 0;
    if (lg_num_int64(lg_str_of(text), &n) != LG_E_OK || n < 0) {
        fprintf(stderr, "bench_canned: \"%s\" is no count\n", text);
        exit(2);
    }
    return (size_t)n;
}

static void obey(struct lg_canned *canned, char *line)
{
    char *rest = NULL;
    const char *verb = strtok_r(line, " \n", &rest);
    const char *plural = strtok_r(NULL, " \n", &rest);
    const char *count = strtok_r(NULL, " \n", &rest);
    if (verb != NULL && strcmp(verb, "relist") == 0) {
        lg_canned_compact(canned);
        lg_canned_disconnect(canned);
    } else if (verb != NULL && plural != NULL && count != NULL && strcmp(verb, "storm") == 0) {
        lg_canned_storm(canned, kind_of(plural, strlen(plural)), (unsigned)number(count));
    } else if (verb != NULL && plural != NULL && count != NULL && strcmp(verb, "touch") == 0) {
        lg_canned_touch(canned, kind_of(plural, strlen(plural)), number(count));
    } else {
        fprintf(stderr, "bench_canned: what is \"%s\"?\n", verb != NULL ? verb : "");
        exit(2);
    }
    puts("done");
}

int main(int argc, char **argv)
{
    struct lg_canned_options options = {.bookmark_ms = 10000};
    char line[256];

    if (argc < 2) {
        fprintf(stderr, "usage: bench_canned KUBECONFIG [KIND=COUNT...]\n");
        return 2;
    }
    for (int i = 2; i < argc; i++) {
        const char *equals = strchr(argv[i], '=');
        if (equals == NULL)
            equals = argv[i] + strlen(argv[i]);
        options.counts[kind_of(argv[i], (size_t)(equals - argv[i]))] =
            *equals == '=' ? number(equals + 1) : 1;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    struct lg_canned *canned = lg_canned_start(&options);
    lg_canned_kubeconfig(canned, argv[1], NULL);
    puts("ready");
    while (fgets(line, sizeof line, stdin) != NULL)
        obey(canned, line);
    lg_canned_stop(canned);
    return 0;
}
