#include "rules/virt/network.h"

/* The first network with `pod`, as KubeVirt looks it up. */
static struct lg_val pod_network(struct lg_val networks)
{
    for (struct lg_json_iter it = lg_json_iter(networks); lg_json_next(&it);)
        if (lg_json_there(lg_json_get(it.val, "pod")))
            return it.val;
    return LG_NONE;
}

static struct lg_val interface_named(struct lg_val interfaces, struct lg_str name)
{
    for (struct lg_json_iter it = lg_json_iter(interfaces); lg_json_next(&it);)
        if (lg_str_eq(lg_json_str_at(it.val, "name"), name))
            return it.val;
    return LG_NONE;
}

/* In the order in which KubeVirt asks: the first that is there decides. */
static void read_binding(struct lg_pod_network *ret)
{
    static const struct {
        const char *field;
        enum lg_binding_kind kind;
    } bindings[] = {
        {"masquerade", LG_BINDING_MASQUERADE}, {"passtBinding", LG_BINDING_PASST},
        {"bridge", LG_BINDING_BRIDGE},         {"binding", LG_BINDING_PLUGIN},
        {"sriov", LG_BINDING_OTHER},           {"slirp", LG_BINDING_OTHER},
        {"macvtap", LG_BINDING_OTHER},         {"passt", LG_BINDING_OTHER},
    };
    for (size_t i = 0; i < sizeof(bindings) / sizeof(*bindings); i++) {
        struct lg_val binding = lg_json_get(ret->interface, bindings[i].field);
        if (!lg_json_there(binding))
            continue;
        ret->binding = binding;
        ret->kind = bindings[i].kind;
        if (ret->kind == LG_BINDING_PLUGIN)
            ret->binding_name = lg_json_str_at(binding, "name");
        else if (ret->kind == LG_BINDING_OTHER)
            ret->binding_name = lg_str_of(bindings[i].field);
        return;
    }
}

struct lg_pod_network lg_pod_network_of(const struct lg_vm *vm)
{
    struct lg_pod_network ret = {.kind = LG_BINDING_NONE};
    struct lg_val devices = lg_json_at(vm->spec, "domain.devices");
    struct lg_val networks = lg_json_get(vm->spec, "networks");
    struct lg_val interfaces = lg_json_get(devices, "interfaces");
    size_t n_networks = lg_json_len(networks);
    ret.n_interfaces = lg_json_len(interfaces);
    ret.defaulted = n_networks == 0 && ret.n_interfaces == 0 &&
                    lg_json_bool(lg_json_get(devices, "autoattachPodInterface"), true);
    ret.network = pod_network(networks);
    if (!lg_json_there(ret.network))
        return ret;
    ret.interface = interface_named(interfaces, lg_json_str_at(ret.network, "name"));
    read_binding(&ret);
    return ret;
}
