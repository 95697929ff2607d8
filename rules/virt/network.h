/* Which interface carries the pod network, and how it is bound. Source: KubeVirt
 * pkg/network/vmispec. Pure, any thread. */
#ifndef LG_RULES_VIRT_NETWORK_H
#define LG_RULES_VIRT_NETWORK_H

#include "rules/virt/settings.h"
#include "rules/virt/vm.h"

enum lg_binding_kind {
    LG_BINDING_NONE, /* no binding is written: KubeVirt's default for the interface applies */
    LG_BINDING_MASQUERADE,
    LG_BINDING_BRIDGE,
    LG_BINDING_PASST, /* passtBinding, the core binding since 1.8 */
    LG_BINDING_PLUGIN,
    LG_BINDING_OTHER, /* sriov, slirp, macvtap, passt (old)... */
};

struct lg_pod_network {
    struct lg_val network;   /* networks[] item with `pod`; absent: no pod network */
    struct lg_val interface; /* interfaces[] item of the same name; absent: none */
    struct lg_val binding;   /* where the binding stands, for the path */
    enum lg_binding_kind kind;
    struct lg_str binding_name; /* plugin's name, or the field's name for OTHER */
    size_t n_interfaces;        /* of the guest; none at all is nothing that KubeVirt minds */
    /* neither networks nor interfaces, and the pod interface is attached: KubeVirt adds the
     * cluster's default */
    bool defaulted;
};

struct lg_pod_network lg_pod_network_of(const struct lg_vm *vm);

#endif
