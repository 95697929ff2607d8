/* What every object's metadata says. Pure, any thread. Source: apimachinery meta/v1. */
#ifndef LG_RULES_KUBE_META_H
#define LG_RULES_KUBE_META_H

#include <stdint.h>

#include "rules/core/arena.h"
#include "rules/core/json.h"

/* lg_json_parse for what an API server sent. metadata.managedFields, who wrote which field, is
 * passed over (a fifth of a VM and half of its brackets): no rule asks, and what is in there,
 * however deep or large, keeps nobody from the rest. */
enum lg_err_code lg_meta_parse(struct lg_arena *arena, struct lg_str text, struct lg_val *ret_root,
                               struct lg_err *err)
    __attribute__((warn_unused_result, nonnull(1, 3)));

/* RFC 3339 ("2027-03-31T00:00:00Z", a fraction is dropped, offsets count) to seconds since 1970.
 * LG_E_INVALID: anything else, days that no calendar has included. */
enum lg_err_code lg_meta_time(struct lg_str text, int64_t *ret_unix_s)
    __attribute__((warn_unused_result));

/* metadata.deletionTimestamp is there. */
bool lg_meta_deleting(struct lg_val object);

/* One of metadata.ownerReferences has controller: true. */
bool lg_meta_has_controller(struct lg_val object);

/* "45 s", "12 min", "3 h", "9 d": an age as people say it; below 0 counts as 0. In the arena. */
struct lg_str lg_meta_age_text(int64_t age_s, struct lg_arena *arena);

#endif
