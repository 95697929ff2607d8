/* Objects of a made-up cluster, of about the size that real ones have. Pure, any thread. */
#ifndef LG_TESTS_SUPPORT_CANNED_OBJECTS_H
#define LG_TESTS_SUPPORT_CANNED_OBJECTS_H

#include "rules/core/str.h"
#include "rules/kube/gvk.h"

/* Appends object number `i` of the kind as JSON, without resourceVersion. VM, VMI, claims and data
 * volume of the same number belong together; every fourth claim is ReadWriteOnce. */
void lg_canned_object(enum lg_kind kind, size_t i, struct lg_buf *buf);

#endif
