/* LG202: a masquerade interface that claims the ports of live migration.
 *
 * The documentation of KubeVirt and of OpenShift Virtualization names 49152 and 49153 as ports that
 * must stay free in the launcher pod, and says that a migration fails when a masquerade interface
 * lists them. KubeVirt does not check it, and since 0.46 its launchers migrate over UNIX sockets:
 * the message says that this is the documented condition, and policy may lower it. Only explicit
 * entries count. Source: KubeVirt user guide, live migration.
 */
#include "rules/builtin/examples.h"
#include "rules/rule.h"

static void report_port(struct lg_rule_context *context, struct lg_val at, struct lg_str interface,
                        int64_t port, struct lg_str claims)
{
    struct lg_report report = {
        .at = at,
        .about = interface,
        .ident = lg_arena_printf(context->arena, "%lld", (long long)port),
        .message = lg_arena_printf(context->arena,
                                   "interface \"%.*s\": %.*sport %lld is reserved for live "
                                   "migration (the documented condition; KubeVirt does not check "
                                   "it)",
                                   LG_ARG(interface), LG_ARG(claims), (long long)port),
        .fix = LG_STR("let the guest's service listen on another port and take this entry out"),
    };
    lg_rule_report(context, &report);
}

/* Reports the reserved ports from `start` to `end` that the interface was not reported for
 * before. */
static void check_range(struct lg_rule_context *context, struct lg_val at, struct lg_str interface,
                        int64_t start, int64_t end, uint64_t *io_seen)
{
    const struct lg_param_value *ports = &context->params[0];
    for (size_t i = 0; i < ports->n; i++) {
        int64_t port = ports->items[i];
        if (port < start || port > end || (*io_seen >> i & 1) != 0)
            continue;
        *io_seen |= (uint64_t)1 << i;
        struct lg_str claims = LG_STR("");
        if (start != end)
            claims = lg_arena_printf(context->arena, "ports %lld to %lld: ", (long long)start,
                                     (long long)end);
        report_port(context, at, interface, port, claims);
    }
}

static void check_interface(struct lg_rule_context *context, struct lg_val interface)
{
    struct lg_str name = lg_json_str_at(interface, "name");
    int64_t start, end;
    uint64_t seen = 0;
    struct lg_val ports = lg_json_get(interface, "ports");
    for (struct lg_json_iter it = lg_json_iter(ports); lg_json_next(&it);) {
        struct lg_val port = lg_json_get(it.val, "port");
        if (lg_json_int64(port, &start) == LG_E_OK)
            check_range(context, port, name, start, start, &seen);
    }
    struct lg_val ranges = lg_json_get(interface, "portRanges");
    for (struct lg_json_iter it = lg_json_iter(ranges); lg_json_next(&it);)
        if (lg_json_int64(lg_json_get(it.val, "start"), &start) == LG_E_OK &&
            lg_json_int64(lg_json_get(it.val, "end"), &end) == LG_E_OK)
            check_range(context, it.val, name, start, end, &seen);
}

static void check(struct lg_rule_context *context)
{
    struct lg_val interfaces = lg_json_at(context->subject->vm.spec, "domain.devices.interfaces");
    for (struct lg_json_iter it = lg_json_iter(interfaces); lg_json_next(&it);)
        if (lg_json_there(lg_json_get(it.val, "masquerade")))
            check_interface(context, it.val);
}

static const struct lg_param params[] = {
    {.name = "ports",
     .type = LG_PARAM_INT_LIST,
     .min = 1,
     .max = 65535,
     .otherwise = {.items = {49152, 49153}, .n = 2},
     .doc = "ports that no interface may claim"},
    {0},
};

#define VM(interface)                                                                              \
    LG_EX_VM_OF(LG_EX_WEB, "",                                                                     \
                "networks: [{name: default, pod: {}}], domain: {devices: {interfaces: [{name: "    \
                "default, " interface "}]}}")

static const struct lg_rule_example examples[] = {
    {.name = "other ports",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("masquerade: {}, ports: [{port: 80}, {port: 49154}]")},
    {.name = "a reserved port",
     .expect = LG_EXPECT_DENY,
     .object = VM("masquerade: {}, ports: [{port: 80}, {name: db, port: 49152, protocol: TCP}]"),
     .message = "interface \"default\": port 49152 is reserved for live migration"},
    {.name = "no ports: everything is forwarded and nothing is claimed",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("masquerade: {}")},
    {.name = "a range that contains one",
     .expect = LG_EXPECT_DENY,
     .object = VM("masquerade: {}, portRanges: [{start: 49153, end: 50000, protocol: TCP}]"),
     .message = "ports 49153 to 50000: port 49153"},
    {.name = "another binding than masquerade",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("bridge: {}, ports: [{port: 49152}]")},
    {.name = "policy names other ports",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("masquerade: {}, ports: [{port: 49152}]"),
     .policy = LG_EX_POLICY("rules: {LG202: {ports: [49200]}}\n")},
    {.name = "policy makes it a warning",
     .expect = LG_EXPECT_WARN,
     .object = VM("masquerade: {}, ports: [{port: 49153}]"),
     .policy = LG_EX_POLICY("rules: {migration-port-collision: {action: warn}}\n")},
    {.name = "an update that adds the second port",
     .expect = LG_EXPECT_DENY,
     .object = VM("masquerade: {}, ports: [{port: 49152}, {port: 49153}]"),
     .old_object = VM("masquerade: {}, ports: [{port: 49152}]"),
     .message = "port 49153"},
    {0},
};

const struct lg_rule lg_rule_migration_port_collision = {
    .id = "LG202",
    .name = "migration-port-collision",
    .title = "a masquerade interface claims a port of live migration",
    .rationale = "Live migration is documented to need ports 49152 and 49153 of the launcher pod; "
                 "a masquerade interface that lists them hands them to the guest, and the "
                 "documentation says that migration then fails. Guests started by KubeVirt 0.46 "
                 "or later migrate over sockets that this does not touch, so policy may lower "
                 "the rule to a warning.",
    .remedy = "Let the guest's service listen on another port, or put a Service in front that "
              "maps the old port to the new one.",
    .source = "KubeVirt user guide, live migration, limitations; OpenShift Virtualization, about "
              "live migration",
    .action = LG_ACTION_DENY,
    .kinds = LG_BIT(LG_KIND_VM) | LG_BIT(LG_KIND_VMI),
    .ops = LG_BIT(LG_OP_CREATE) | LG_BIT(LG_OP_UPDATE),
    .params = params,
    .check = check,
    .by_hand = "move the guest's service to another port, and take this entry out",
    .examples = examples,
};
