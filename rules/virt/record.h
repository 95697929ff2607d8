/* What livegate keeps of each object of the cluster, whatever its kind: where it begins, how it is
 * made and shared. What is kept of each kind stands in records.h.
 *
 * A record is immutable, lies in one heap block together with all its text, and is shared by count
 * (the inventory's copies). Made by lg_record_new from the object's JSON; any number of readers,
 * one thread changes counts and `stays`.
 */
#ifndef LG_RULES_VIRT_RECORD_H
#define LG_RULES_VIRT_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "rules/core/json.h"
#include "rules/kube/gvk.h"

struct lg_record {
    enum lg_kind kind;
    uint32_t refs;
    uint32_t bytes; /* of the whole block */
    bool deleting;
    bool stays; /* of use to who changes the inventory, within one change; else false */
    /* ns: "" for cluster-scoped kinds, "default" where a namespaced object does not say (as
     * kubectl does). */
    struct lg_str ns, name;
    struct lg_str uid;      /* of migrations only; of others nobody asks */
    int64_t created_unix_s; /* 0 = not known */
};

/* Reads the object (of any kind in gvk.h) into a new record with one reference, given. LG_E_INVALID
 * with the path where a kept field has the wrong type or metadata.name is missing; LG_E_LIMIT where
 * it is too large to keep; LG_E_UNSUPPORTED for a kind we do not know, and one that is only
 * judged. */
enum lg_err_code lg_record_new(struct lg_val object, struct lg_record **ret, struct lg_err *err)
    __attribute__((warn_unused_result));
/* The same for an object whose kind the caller knows: items of a list need not say theirs. */
enum lg_err_code lg_record_new_as(enum lg_kind kind, struct lg_val object, struct lg_record **ret,
                                  struct lg_err *err) __attribute__((warn_unused_result));
struct lg_record *lg_record_ref(struct lg_record *record);
void lg_record_unref(struct lg_record *record);

/* "namespace/name", "/name" for cluster-scoped kinds. Borrowed from the record: the two stand
 * together in it. */
static inline struct lg_str lg_record_key(const struct lg_record *record)
{
    return (struct lg_str){record->ns.p, record->ns.n + 1 + record->name.n};
}

/* True when both keep the same (an event whose kept fields did not change ends there). */
bool lg_record_equal(const struct lg_record *a, const struct lg_record *b);

#endif
