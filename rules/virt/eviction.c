#include "rules/virt/eviction.h"

/* What holds for guests that do not say; upstream's default is None. */
static struct lg_eviction cluster_default(const struct lg_settings *settings)
{
    struct lg_str strategy = settings->eviction_strategy;
    if (settings->known)
        return (struct lg_eviction){.strategy = strategy.n != 0 ? strategy : LG_STR("None"),
                                    .from = LG_EVICTION_KUBEVIRT};
    return (struct lg_eviction){.strategy = strategy,
                                .from = strategy.n != 0 ? LG_EVICTION_HYPERCONVERGED
                                                        : LG_EVICTION_UNKNOWN};
}

struct lg_eviction lg_eviction_of(const struct lg_vm *vm, const struct lg_settings *settings)
{
    struct lg_eviction inherited = cluster_default(settings);
    struct lg_val at = lg_json_get(vm->spec, "evictionStrategy");
    struct lg_str own = lg_json_str(at);
    if (own.n == 0)
        return inherited;
    inherited.at = at;
    if (vm->kind == LG_KIND_VMI && lg_str_eq(own, inherited.strategy))
        return inherited;
    return (struct lg_eviction){.strategy = own, .from = LG_EVICTION_OWN, .at = at};
}

const char *lg_eviction_source(enum lg_eviction_from from)
{
    static const char *const texts[] = {
        [LG_EVICTION_OWN] = "",
        [LG_EVICTION_KUBEVIRT] = ", which is this KubeVirt's for guests that do not say",
        [LG_EVICTION_HYPERCONVERGED] = ", which HyperConverged sets for guests that do not say",
        [LG_EVICTION_UNKNOWN] = "",
    };
    return texts[from];
}
