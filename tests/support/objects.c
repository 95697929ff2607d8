#include "tests/support/objects.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

void lg_objects_init(struct lg_objects *objects)
{
    lg_arena_init(&objects->arena);
}

void lg_objects_done(struct lg_objects *objects)
{
    lg_arena_done(&objects->arena);
}

int lg_objects_setup(void **state)
{
    lg_objects_init(*state);
    return 0;
}

int lg_objects_teardown(void **state)
{
    lg_objects_done(*state);
    return 0;
}

struct lg_val lg_objects_parse(struct lg_objects *objects, const char *text)
{
    struct lg_str copy = lg_arena_str(&objects->arena, lg_str_of(text));
    for (char *p = (char *)copy.p; *p != '\0'; p++)
        if (*p == '\'')
            *p = '"';
    struct lg_err err = {0};
    struct lg_val root = LG_NONE;
    if (lg_json_parse(&objects->arena, copy, &root, &err) != LG_E_OK)
        fail_msg("%s: %s: %s", text, err.where, err.text);
    return root;
}

struct lg_record *lg_objects_record(struct lg_objects *objects, const char *text)
{
    struct lg_err err = {0};
    struct lg_record *record = NULL;
    if (lg_record_new(lg_objects_parse(objects, text), &record, &err) != LG_E_OK)
        fail_msg("%s: %s: %s", text, err.where, err.text);
    return record;
}
