/* LG204: any other way onto the pod network that KubeVirt does not migrate.
 *
 * On the pod network KubeVirt migrates masquerade, passtBinding, a bridge that is vouched for
 * (LG201), and binding plugins that the KubeVirt CR registers with a `migration` struct, even an
 * empty one. A guest without any interface, or without the pod network, may bind as it likes.
 * Source: KubeVirt pkg/network/vmispec, VerifyVMIMigratable.
 */
#include "rules/builtin/examples.h"
#include "rules/rule.h"

static const struct lg_binding *registered(const struct lg_settings *settings, struct lg_str name)
{
    for (size_t i = 0; i < settings->n_bindings; i++)
        if (lg_str_eq(settings->bindings[i].name, name))
            return &settings->bindings[i];
    return NULL;
}

static void report(struct lg_rule_context *context, struct lg_val at, struct lg_str about,
                   struct lg_str ident, struct lg_str message)
{
    struct lg_report report = {
        .at = at,
        .about = about,
        .ident = ident,
        .message = message,
        .fix = LG_STR("use \"masquerade: {}\" for the pod network, or a binding plugin that the "
                      "KubeVirt CR registers with migration"),
    };
    lg_rule_report(context, &report);
}

static void check_plugin(struct lg_rule_context *context, const struct lg_pod_network *net,
                         struct lg_str name)
{
    const struct lg_binding *plugin = registered(context->settings, net->binding_name);
    if (plugin != NULL && plugin->migratable)
        return;
    if (!context->settings->known) {
        lg_rule_lacks(context, net->binding, LG_KIND_KUBEVIRT, LG_STR(""));
        return;
    }
    struct lg_str message = lg_arena_printf(
        context->arena, "interface \"%.*s\": binding plugin \"%.*s\" is %s in the KubeVirt CR",
        LG_ARG(name), LG_ARG(net->binding_name),
        plugin != NULL ? "registered without migration" : "not registered");
    report(context, net->binding, name,
           lg_arena_printf(context->arena, "plugin %.*s", LG_ARG(net->binding_name)), message);
}

static void check_passt(struct lg_rule_context *context, const struct lg_pod_network *net,
                        struct lg_str name)
{
    if (lg_version_has(context->settings, LG_DIFFERENCE_PASST_BINDING))
        return;
    report(context, net->binding, name, LG_STR("passtBinding"),
           lg_arena_printf(context->arena,
                           "interface \"%.*s\": the binding passtBinding is not known before "
                           "KubeVirt 1.8",
                           LG_ARG(name)));
}

static void check_no_binding(struct lg_rule_context *context, const struct lg_pod_network *net,
                             struct lg_str name)
{
    /* It may bring masquerade. */
    if (lg_rule_lacks_parts(context, LG_BIT(LG_PART_PREFERENCE)))
        return;
    report(context, net->interface, name, LG_STR("none"),
           lg_arena_printf(context->arena,
                           "interface \"%.*s\" on the pod network names no binding; live migration "
                           "needs masquerade",
                           LG_ARG(name)));
}

static void check(struct lg_rule_context *context)
{
    struct lg_pod_network net = lg_pod_network_of(&context->subject->vm);
    if (net.n_interfaces == 0 || !lg_json_there(net.network))
        return;
    struct lg_str name = lg_json_str_at(net.network, "name");
    if (!lg_json_there(net.interface)) {
        report(context, net.network, name, LG_STR("no interface"),
               lg_arena_printf(context->arena,
                               "network \"%.*s\" is the pod network, and no interface has its name",
                               LG_ARG(name)));
        return;
    }
    switch (net.kind) {
    case LG_BINDING_PASST:
        check_passt(context, &net, name);
        return;
    case LG_BINDING_MASQUERADE:
    case LG_BINDING_BRIDGE:
        return;
    case LG_BINDING_PLUGIN:
        check_plugin(context, &net, name);
        return;
    case LG_BINDING_NONE:
        check_no_binding(context, &net, name);
        return;
    case LG_BINDING_OTHER:
        break;
    }
    bool gone = !lg_str_is(net.binding_name, "sriov") &&
                lg_version_has(context->settings, LG_DIFFERENCE_OLD_BINDINGS_GONE);
    report(context, net.binding, name, net.binding_name,
           lg_arena_printf(context->arena,
                           "interface \"%.*s\": binding %.*s on the pod network cannot be "
                           "migrated%s; live migration needs masquerade",
                           LG_ARG(name), LG_ARG(net.binding_name),
                           gone ? ", and KubeVirt has discontinued it" : ""));
}

#define VM(head, networks, interfaces)                                                             \
    LG_EX_VM_OF(LG_EX_WEB, head,                                                                   \
                "networks: " networks ", domain: {devices: {interfaces: " interfaces "}}")
#define POD "[{name: default, pod: {}}]"

#define BINDINGS(bindings) LG_EX_CONFIGURATION("network: {binding: {" bindings "}}")

static const struct lg_rule_example examples[] = {
    {.name = "masquerade",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("", POD, "[{name: default, masquerade: {}}]")},
    {.name = "SR-IOV on the pod network",
     .expect = LG_EXPECT_DENY,
     .object = VM("", POD, "[{name: default, sriov: {}}]"),
     .message = "binding sriov on the pod network cannot be migrated"},
    {.name = "SR-IOV on another network",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("", "[{name: fast, multus: {networkName: fast}}]", "[{name: fast, sriov: {}}]")},
    {.name = "the core binding passt",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("", POD, "[{name: default, passtBinding: {}}]")},
    {.name = "passtBinding in the first version that knows it",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("", POD, "[{name: default, passtBinding: {}}]"),
     .policy = LG_EX_VERSION("1.8")},
    {.name = "passtBinding before that",
     .expect = LG_EXPECT_DENY,
     .object = VM("", POD, "[{name: default, passtBinding: {}}]"),
     .policy = LG_EX_VERSION("1.7"),
     .message = "passtBinding is not known before KubeVirt 1.8"},
    {.name = "slirp while there was one",
     .expect = LG_EXPECT_DENY,
     .object = VM("", POD, "[{name: default, slirp: {}}]"),
     .policy = LG_EX_VERSION("1.2"),
     .message = "binding slirp on the pod network cannot be migrated; "},
    {.name = "slirp since it is gone",
     .expect = LG_EXPECT_DENY,
     .object = VM("", POD, "[{name: default, slirp: {}}]"),
     .policy = LG_EX_VERSION("1.3"),
     .message = "and KubeVirt has discontinued it"},
    {.name = "a bridge is LG201's",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("", POD, "[{name: default, bridge: {}}]")},
    {.name = "a plugin that migrates",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("", POD, "[{name: default, binding: {name: l2bridge}}]"),
     .inventory = BINDINGS("l2bridge: {migration: {}}")},
    {.name = "a plugin without migration",
     .expect = LG_EXPECT_DENY,
     .object = VM("", POD, "[{name: default, binding: {name: own}}]"),
     .inventory = BINDINGS("own: {sidecarImage: registry/own}"),
     .message = "binding plugin \"own\" is registered without migration"},
    {.name = "a plugin that nobody registered",
     .expect = LG_EXPECT_DENY,
     .object = VM("", POD, "[{name: default, binding: {name: own}}]"),
     .inventory = BINDINGS(""),
     .message = "binding plugin \"own\" is not registered"},
    {.name = "a plugin, and no KubeVirt CR is known",
     .expect = LG_EXPECT_PENDING,
     .object = VM("", POD, "[{name: default, binding: {name: own}}]")},
    {.name = "the pod network without its interface",
     .expect = LG_EXPECT_DENY,
     .object = VM("", POD, "[{name: other, masquerade: {}}]"),
     .message = "no interface has its name"},
    {.name = "no interface at all",
     .expect = LG_EXPECT_NOTHING,
     .object = LG_EX_VMI(LG_EX_WEB,
                         "spec: {networks: [{name: default, pod: {}}], domain: {devices: {}}}\n")},
    {.name = "no binding",
     .expect = LG_EXPECT_DENY,
     .object = VM("", POD, "[{name: default}]"),
     .message = "names no binding"},
    {.name = "no binding, which a preference may bring",
     .expect = LG_EXPECT_PENDING,
     .object = VM("  preference: {name: fedora}\n", POD, "[{name: default}]")},
    {.name = "an instancetype mends no SR-IOV",
     .expect = LG_EXPECT_DENY,
     .object = VM("  instancetype: {name: u1.medium}\n", POD, "[{name: default, sriov: {}}]")},
    {.name = "no binding, and a preference brings masquerade",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("  preference: {name: p1}\n", POD, "[{name: default}]"),
     .inventory = LG_EX_PREFERENCE("devices: {preferredInterfaceMasquerade: {}}")},
    {.name = "no binding, and a preference that brings none",
     .expect = LG_EXPECT_DENY,
     .object = VM("  preference: {name: p1}\n", POD, "[{name: default}]"),
     .inventory = LG_EX_PREFERENCE("devices: {}")},
    {0},
};

const struct lg_rule lg_rule_binding_not_migratable = {
    .id = "LG204",
    .name = "binding-not-migratable",
    .title = "the interface on the pod network has a binding that KubeVirt does not migrate",
    .rationale = "KubeVirt migrates a guest on the pod network only with masquerade, passtBinding "
                 "or a binding plugin that is registered with migration; with any other binding, "
                 "or without an interface for the network, it marks the guest as not migratable.",
    .remedy = "Use masquerade for the pod network. SR-IOV and bridges are fine on other networks. "
              "A binding plugin becomes migratable when its entry in the KubeVirt CR "
              "(spec.configuration.network.binding) has migration, even an empty one; where "
              "HyperConverged writes the KubeVirt CR, use one that it registers so (l2bridge).",
    .source = "KubeVirt pkg/network/vmispec, VerifyVMIMigratable",
    .action = LG_ACTION_DENY,
    .kinds = LG_BIT(LG_KIND_VM) | LG_BIT(LG_KIND_VMI),
    .ops = LG_BIT(LG_OP_CREATE) | LG_BIT(LG_OP_UPDATE),
    .looks_up = LG_PREFERENCES | LG_BIT(LG_KIND_KUBEVIRT) | LG_BIT(LG_KIND_HYPERCONVERGED),
    .kubevirt_reason = "InterfaceNotLiveMigratable",
    .check = check,
    .examples = examples,
};
