/* Labels, taints and tolerations as values, and the matching that Kubernetes defines for them.
 *
 * Values borrow their text from where they were read. Pure functions, any thread.
 * Source: apimachinery labels.Requirement, component-helpers scheduling/corev1, core/v1 toleration.
 */
#ifndef LG_RULES_KUBE_LABELS_H
#define LG_RULES_KUBE_LABELS_H

#include <stdbool.h>
#include <stdint.h>

#include "rules/core/json.h"

struct lg_label {
    struct lg_str key, value;
};

/* Sorted by key, each key once. */
struct lg_labels {
    const struct lg_label *items;
    uint32_t n;
};

/* Reads a map of strings (metadata.labels, a nodeSelector, matchLabels) into the arena, sorted;
 * entries that are no strings are left out. */
struct lg_labels lg_labels_read(struct lg_val map, struct lg_arena *arena);

/* The value of `key`, or NULL. O(log n). */
const struct lg_str *lg_labels_get(struct lg_labels labels, struct lg_str key);

enum lg_effect {
    LG_EFFECT_NONE,
    LG_EFFECT_NO_SCHEDULE,
    LG_EFFECT_PREFER_NO_SCHEDULE,
    LG_EFFECT_NO_EXECUTE
};

struct lg_taint {
    struct lg_str key, value;
    enum lg_effect effect; /* NONE: an effect we do not know */
};

struct lg_toleration {
    struct lg_str key, value;
    bool exists;           /* operator Exists; else Equal */
    bool invalid;          /* an operator that the API server refuses: tolerates nothing */
    enum lg_effect effect; /* LG_EFFECT_NONE: any effect */
};

struct lg_tolerations {
    const struct lg_toleration *items;
    uint32_t n;
};

struct lg_taints {
    const struct lg_taint *items;
    uint32_t n;
};

struct lg_taints lg_taints_read(struct lg_val list, struct lg_arena *arena);
struct lg_tolerations lg_tolerations_read(struct lg_val list, struct lg_arena *arena);
enum lg_effect lg_effect_of(struct lg_str text);
const char *lg_effect_name(enum lg_effect effect);

/* True when one of them tolerates the taint (any effect of the taint). */
bool lg_tolerated(struct lg_tolerations tolerations, const struct lg_taint *taint);

/* A LabelSelector ({matchLabels, matchExpressions}); absent matches nothing, {} everything, as
 * metav1 says. An invalid one (an operator that is none) matches nothing. */
bool lg_selector_matches(struct lg_val selector, struct lg_labels labels);

#endif
