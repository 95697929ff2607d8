/* Objects for tests, written as JSON where they are used: single quotes count as double ones.
 *
 * Everything a test makes here lives until objects_done. One thread.
 */
#ifndef LG_TESTS_SUPPORT_OBJECTS_H
#define LG_TESTS_SUPPORT_OBJECTS_H

#include "rules/virt/records.h"

struct lg_objects {
    struct lg_arena arena;
};

void lg_objects_init(struct lg_objects *objects);
void lg_objects_done(struct lg_objects *objects);

/* A test with objects of its own: LG_OBJECTS_TEST(name, &objects) in the table of tests. */
#define LG_OBJECTS_TEST(name, objects)                                                             \
    cmocka_unit_test_prestate_setup_teardown(name, lg_objects_setup, lg_objects_teardown, objects)
int lg_objects_setup(void **state);
int lg_objects_teardown(void **state);

/* The document, which must be JSON. */
struct lg_val lg_objects_parse(struct lg_objects *objects, const char *text);

/* A record of the object, which must be readable; given. */
struct lg_record *lg_objects_record(struct lg_objects *objects, const char *text);

#endif
