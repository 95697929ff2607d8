/* What KubeVirt fills in where a guest's spec is silent, as far as rules hang on it. Source:
 * KubeVirt pkg/defaults. Pure, any thread.
 */
#ifndef LG_RULES_VIRT_GUEST_H
#define LG_RULES_VIRT_GUEST_H

#include "rules/virt/settings.h"

/* The architecture of a VMI spec, else the cluster's default; in lower case, as KubeVirt writes it.
 * Never "". In the arena. */
struct lg_str lg_guest_architecture(struct lg_val spec, const struct lg_settings *settings,
                                    struct lg_arena *arena);
/* The same as a question. */
bool lg_guest_is_architecture(struct lg_val spec, const struct lg_settings *settings,
                              const char *name);

/* "host-model", "host-passthrough" or a model's name, never "". On arm64 KubeVirt knows
 * host-passthrough only. */
struct lg_str lg_guest_cpu_model(struct lg_val spec, const struct lg_settings *settings);

/* A FeatureState (`reenlightenment: {}`): there, and not switched off; KubeVirt's webhook fills in
 * `enabled: true`. */
bool lg_guest_feature_is_on(struct lg_val feature);

#endif
