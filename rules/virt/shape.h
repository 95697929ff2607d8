/* The types of the fields that rules read, as tables: one a kind, that of a VMI's spec shared by
 * VMs and VMIs.
 *
 * They say what lg_shape_check holds an object to, and what is kept of a VMI (slice.h). Private to
 * virt. Source: the API types of KubeVirt, CDI and Kubernetes (their CRDs). Constant data, any
 * thread.
 */
#ifndef LG_RULES_VIRT_SHAPE_H
#define LG_RULES_VIRT_SHAPE_H

#include <stdint.h>

#include "rules/kube/gvk.h"

enum lg_shape_type {
    LG_SHAPE_OBJECT,  /* members `of`; NULL: any */
    LG_SHAPE_OBJECTS, /* a list of such objects */
    LG_SHAPE_STRING,
    LG_SHAPE_STRINGS,    /* a list */
    LG_SHAPE_STRING_MAP, /* an object whose values are strings */
    LG_SHAPE_BOOL,
    LG_SHAPE_INT32,
    LG_SHAPE_INT64,
    LG_SHAPE_PORT,
    LG_SHAPE_QUANTITY, /* a string or a number; stays text */
    LG_SHAPE_QUANTITY_MAP,
};

/* A member of an object; a table of them ends with name NULL. Tables refer to tables, never in a
 * circle. */
struct lg_shape {
    const char *name;
    uint8_t name_bytes;
    uint8_t type; /* enum lg_shape_type */
    const struct lg_shape *of;
};

/* The members of an object of this kind; NULL: no table. */
const struct lg_shape *lg_shape_of(enum lg_kind kind);

/* The table's row for this member, or NULL. O(members). */
const struct lg_shape *lg_shape_find(const struct lg_shape *table, struct lg_str name);

#endif
