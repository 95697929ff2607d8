/* What the programs that measure without a server share. One thread; what cannot be read ends the
 * program. */
#ifndef LG_TESTS_BENCH_INPROCESS_H
#define LG_TESTS_BENCH_INPROCESS_H

#include <stdlib.h>
#include <time.h>

#include "rules/core/mem.h"
#include "rules/inventory.h"

/* The CPU that this thread has used so far. */
static inline double lg_cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* Adds an object, which is JSON. */
static inline void lg_add_object(struct lg_inventory *inventory, struct lg_str json)
{
    struct lg_arena arena lg_cleanup(lg_arena_done) = {0};
    struct lg_val object = LG_NONE;
    struct lg_record *record = NULL;
    if (lg_json_parse(&arena, json, &object, NULL) != LG_E_OK ||
        lg_record_new(object, &record, NULL) != LG_E_OK)
        abort();
    lg_inventory_set(inventory, record);
}

#endif
