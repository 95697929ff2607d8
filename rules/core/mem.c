#include "rules/core/mem.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void lg_oom(size_t bytes)
{
    fprintf(stderr, "livegate: out of memory (%zu bytes)\n", bytes);
    abort();
}

void *lg_calloc(size_t n, size_t size)
{
    void *p = calloc(n != 0 ? n : 1, size != 0 ? size : 1);
    if (p == NULL)
        lg_oom(n * size);
    return p;
}

void *lg_realloc(void *take_p, size_t n, size_t size)
{
    if (size != 0 && n > SIZE_MAX / size)
        lg_oom(SIZE_MAX);
    size_t bytes = n * size != 0 ? n * size : 1;
    void *p = realloc(take_p, bytes);
    if (p == NULL)
        lg_oom(bytes);
    return p;
}

char *lg_memdup(const char *p, size_t n)
{
    char *copy = lg_calloc(n + 1, 1);
    if (n != 0)
        memcpy(copy, p, n);
    return copy;
}

void lg_free_cleanup(void *pp)
{
    void *p;
    memcpy(&p, pp, sizeof p);
    free(p);
}
