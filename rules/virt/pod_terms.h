/* Terms of required podAffinity and podAntiAffinity, and which guests' pods they select. Source: as
 * separation.h.
 *
 * Private to virt/separation.c. Plain values in the arena, borrowing from the object they were read
 * from. Pure, any thread.
 */
#ifndef LG_RULES_VIRT_POD_TERMS_H
#define LG_RULES_VIRT_POD_TERMS_H

#include "rules/virt/requirements.h"
#include "rules/virt/separation.h"

/* One term of a guest's required podAffinity or podAntiAffinity, ready to be matched. */
struct lg_pod_term {
    struct lg_str topology_key;
    struct lg_str owner_ns;
    const struct lg_expression *items;
    size_t n;
    bool nothing; /* its selector is absent or none: it matches no pod */
    struct lg_val at, namespaces, ns_selector;
};

struct lg_pod_terms {
    const struct lg_pod_term *items;
    size_t n;
};

/* A launcher pod, as far as selectors see it. */
struct lg_pod {
    struct lg_labels labels;
    struct lg_str ns, name, uid;
};

struct lg_pod lg_pod_of(const struct lg_vmi_record *guest);

/* The first LG_SEPARATION_TERMS_MAX terms of requiredDuringSchedulingIgnoredDuringExecution;
 * `owner` is the pod that they belong to. O(list). */
struct lg_pod_terms lg_pod_terms_read(struct lg_val list, const struct lg_pod *owner,
                                      struct lg_arena *arena);

/* The term is about pods of its owner's namespace alone. */
bool lg_pod_term_is_own(const struct lg_pod_term *term);
/* The term (each of the terms) is about pods of namespace `ns`. Where the namespace's labels decide
 * and are not known, they are not, and *io_unknown_ns is the namespace. */
bool lg_pod_term_takes(const struct lg_pod_term *term, struct lg_str ns,
                       const struct lg_guests_view *guests, struct lg_str *io_unknown_ns);
bool lg_pod_terms_take(struct lg_pod_terms terms, struct lg_str ns,
                       const struct lg_guests_view *guests, struct lg_str *io_unknown_ns);
/* Each of the terms selects the pod by its labels, whatever its namespace. O(expressions x log
 * values). */
bool lg_pod_terms_select(struct lg_pod_terms terms, const struct lg_pod *pod);

#endif
