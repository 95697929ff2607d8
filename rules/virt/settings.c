#include "rules/virt/settings.h"

/* A record's text, parsed again: it was read strictly once, so that failing now would be a bug of ours. */
static struct lg_val parse(const struct lg_config_record *record, struct lg_arena *arena)
{
    struct lg_val root = LG_NONE;
    if (record == NULL)
        return LG_NONE;
    return lg_json_parse(arena, lg_arena_str(arena, record->text), &root, NULL) == LG_E_OK
               ? root
               : LG_NONE;
}

/* "v1.9.0", "1.6.6-23-gabc": 100 * major + minor, or 0. */
static int read_version(struct lg_str s)
{
    int part[2] = {0, 0};
    size_t at = s.n != 0 && s.p[0] == 'v';
    for (int i = 0; i < 2; i++) {
        size_t from = at;
        for (; at < s.n && s.p[at] >= '0' && s.p[at] <= '9' && at - from < 3; at++)
            part[i] = part[i] * 10 + (s.p[at] - '0');
        if (at == from || (i == 0 && (at >= s.n || s.p[at] != '.')))
            return 0;
        at += i == 0;
    }
    bool ends = at == s.n || s.p[at] == '.' || s.p[at] == '-' || s.p[at] == '+';
    return ends && part[0] > 0 && part[1] < 100 ? part[0] * 100 + part[1] : 0;
}

static void read_bindings(struct lg_val map, struct lg_settings *ret, struct lg_arena *arena)
{
    struct lg_binding *bindings = lg_arena_array(arena, lg_json_len(map) + 1, sizeof *bindings);
    for (struct lg_json_iter it = lg_json_iter(map); it.object && lg_json_next(&it);)
        bindings[ret->n_bindings++] = (struct lg_binding){
            .name = it.key, .migratable = lg_json_there(lg_json_get(it.val, "migration"))};
    ret->bindings = bindings;
}

static void take_str(struct lg_val v, struct lg_str *io_str)
{
    struct lg_str s = lg_json_str(v);
    if (!lg_str_empty(s))
        *io_str = s;
}

static void read_kubevirt(struct lg_val cr, struct lg_settings *ret, struct lg_arena *arena)
{
    struct lg_val configuration = lg_json_at(cr, "spec.configuration");
    struct lg_val network = lg_json_get(configuration, "network");
    struct lg_val status = lg_json_get(cr, "status");
    int version = read_version(lg_json_str(lg_json_get(status, "observedKubeVirtVersion")));
    if (version != 0) {
        ret->version = version;
        ret->version_known = true;
    }
    take_str(lg_json_get(network, "defaultNetworkInterface"), &ret->default_interface);
    ret->permit_bridge_on_pod_network =
        lg_json_bool(lg_json_get(network, "permitBridgeInterfaceOnPodNetwork"), true);
    read_bindings(lg_json_get(network, "binding"), ret, arena);
    take_str(lg_json_get(status, "defaultArchitecture"), &ret->default_architecture);
    take_str(lg_json_at(configuration, "architectureConfiguration.defaultArchitecture"),
             &ret->default_architecture);
    ret->node_selectors =
        lg_labels_read(lg_json_at(configuration, "developerConfiguration.nodeSelectors"), arena);
    ret->eviction_strategy = lg_json_str(lg_json_get(configuration, "evictionStrategy"));
}

/* What HyperConverged would write into a KubeVirt CR that we were not given. */
static void read_hyperconverged_only(struct lg_val cr, struct lg_settings *ret,
                                     struct lg_arena *arena)
{
    ret->default_interface = LG_STR("masquerade");
    struct lg_binding *binding = lg_arena_alloc(arena, sizeof *binding);
    *binding = (struct lg_binding){.name = LG_STR("l2bridge"), .migratable = true};
    ret->bindings = binding;
    ret->n_bindings = 1;
    ret->eviction_strategy = ret->highly_available ? LG_STR("LiveMigrate") : LG_STR("None");
    take_str(lg_json_at(cr, "spec.evictionStrategy"), &ret->eviction_strategy); /* v1beta1 */
    take_str(lg_json_at(cr, "spec.virtualization.evictionStrategy"), &ret->eviction_strategy);
}

const struct lg_settings *lg_settings_read(const struct lg_config_record *kubevirt,
                                           const struct lg_config_record *hyperconverged,
                                           struct lg_arena *arena)
{
    struct lg_settings *settings = lg_arena_alloc(arena, sizeof *settings);
    *settings = (struct lg_settings){
        .known = kubevirt != NULL,
        .version = LG_KUBEVIRT_NEWEST,
        .default_interface = LG_STR("bridge"),
        .permit_bridge_on_pod_network = true,
        .default_architecture = LG_STR("amd64"),
        .highly_available = true,
        .ns = LG_STR(""),
        .eviction_strategy = LG_STR(""),
    };
    struct lg_val kv = parse(kubevirt, arena);
    struct lg_val hco = parse(hyperconverged, arena);
    settings->highly_available =
        lg_json_bool(lg_json_at(hco, "status.infrastructureHighlyAvailable"), true);
    if (kubevirt != NULL)
        read_kubevirt(kv, settings, arena);
    else if (hyperconverged != NULL)
        read_hyperconverged_only(hco, settings, arena);
    settings->migrations = lg_migration_settings_read(kv, hco, arena);
    const struct lg_config_record *stands = kubevirt != NULL ? kubevirt : hyperconverged;
    if (stands != NULL)
        settings->ns = lg_arena_str(arena, stands->r.ns);
    return settings;
}
