#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rules/virt/placement.h"
#include "tests/unit/node_world.h"
#define WORKER "'kubevirt.io/schedulable':'true','kubernetes.io/arch':'amd64'"

static void set_node(struct state *s, const char *name, const char *labels, const char *rest)
{
    struct lg_str text = lg_arena_printf(
        &s->objects.arena,
        "{'apiVersion':'v1','kind':'Node','metadata':{'name':'%s','labels':{%s}},%s}", name, labels,
        rest);
    struct lg_record *record = lg_objects_record(&s->objects, text.p);
    lg_nodes_set(s->table, (struct lg_node *)record);
    lg_record_unref(record);
}

static const struct lg_requirements *read_spec(struct state *s, const char *spec,
                                               const struct lg_settings *settings)
{
    return lg_requirements_read(lg_objects_parse(&s->objects, spec), settings, s->table,
                                &s->objects.arena);
}

static void assert_place(struct state *s, const struct lg_requirements *req, const char *name,
                         enum lg_place expect, const char *reason)
{
    struct lg_str text = LG_STR("");
    const struct lg_node *node = lg_nodes_get(s->table, lg_str_of(name), NULL);
    assert_non_null(node);
    assert_int_equal(lg_placement_explain(req, node, &s->objects.arena, &text), expect);
    assert_string_equal(lg_arena_str(&s->objects.arena, text).p, reason);
}

static void assert_count(struct state *s, const struct lg_requirements *req, size_t eligible,
                         size_t away, size_t excluded)
{
    struct lg_place_count count = lg_placement_count(req, s->table);
    assert_int_equal(count.eligible, eligible);
    assert_int_equal(count.away, away);
    assert_int_equal(count.excluded, excluded);
}

static void each_node_has_its_first_reason_in_the_users_words(void **arg)
{
    struct state *s = *arg;
    set_node(s, "good", WORKER ",'zone':'a'", "'spec':{}");
    set_node(s, "zone-b", WORKER ",'zone':'b'",
             "'spec':{'taints':[{'key':'gpu','value':'true','effect':'NoSchedule'}]}");
    set_node(s, "gpu", WORKER ",'zone':'a'",
             "'spec':{'taints':[{'key':'gpu','value':'true','effect':'NoSchedule'}]}");
    set_node(s, "bare-taint", WORKER ",'zone':'a'",
             "'spec':{'taints':[{'key':'mine','effect':'NoExecute'}]}");
    set_node(s, "control", "'zone':'a','kubernetes.io/arch':'amd64'", "'spec':{}");
    set_node(s, "arm", "'kubevirt.io/schedulable':'true','kubernetes.io/arch':'arm64','zone':'a'",
             "'spec':{}");
    const struct lg_requirements *req = read_spec(s, "{'nodeSelector':{'zone':'a'}}", NULL);
    assert_place(s, req, "good", LG_PLACE_ELIGIBLE, "");
    assert_place(s, req, "zone-b", LG_PLACE_EXCLUDED, "label zone=a is missing");
    assert_place(s, req, "gpu", LG_PLACE_EXCLUDED, "taint gpu=true:NoSchedule is not tolerated");
    assert_place(s, req, "bare-taint", LG_PLACE_EXCLUDED, "taint mine:NoExecute is not tolerated");
    assert_place(s, req, "control", LG_PLACE_EXCLUDED,
                 "label kubevirt.io/schedulable is missing: KubeVirt runs no guests there");
    assert_place(s, req, "arm", LG_PLACE_EXCLUDED,
                 "label kubernetes.io/arch=amd64 is missing, which KubeVirt asks for");
    assert_count(s, req, 1, 0, 5);
    struct lg_place_summary summary;
    lg_placement_summary(req, s->table, &s->objects.arena, &summary);
    assert_string_equal(
        summary.excluded.p,
        "1 lacks label zone=a (zone-b), "
        "1 has taint gpu=true:NoSchedule that is not tolerated (gpu), "
        "1 has taint mine:NoExecute that is not tolerated (bare-taint), "
        "1 lacks label kubevirt.io/schedulable (control), 1 more for other reasons");
    assert_string_equal(summary.away.p, "");
}

static void the_most_frequent_reason_comes_first_and_says_where_it_stands(void **arg)
{
    struct state *s = *arg;
    for (int i = 5; i > 0; i--) {
        char name[16];
        snprintf(name, sizeof(name), "n%d", i);
        set_node(s, name, WORKER, "'spec':{}");
    }
    set_node(s, "z", WORKER ",'zone':'a'", "'spec':{'taints':[{'key':'k','effect':'NoSchedule'}]}");
    struct lg_val spec = lg_objects_parse(&s->objects, "{'nodeSelector':{'zone':'a'}}");
    const struct lg_requirements *req =
        lg_requirements_read(spec, NULL, s->table, &s->objects.arena);
    struct lg_place_summary summary;
    lg_placement_summary(req, s->table, &s->objects.arena, &summary);
    assert_string_equal(summary.excluded.p, "5 lack label zone=a (n1, n2, n3 and 2 more), "
                                            "1 has taint k:NoSchedule that is not tolerated (z)");
    assert_string_equal(lg_json_path(spec, summary.at, &s->objects.arena).p, "nodeSelector.zone");
    assert_string_equal(
        lg_placement_names(req, s->table, LG_PLACE_EXCLUDED, 2, &s->objects.arena).p,
        "n1, n2 and 4 more");
    assert_string_equal(
        lg_placement_names(req, s->table, LG_PLACE_ELIGIBLE, 2, &s->objects.arena).p, "");
}

static void what_passes_by_itself_is_away(void **arg)
{
    struct state *s = *arg;
    set_node(s, "cordoned", WORKER,
             "'spec':{'unschedulable':true,'taints':[{'key':'node.kubernetes.io/unschedulable',"
             "'effect':'NoSchedule'}]}");
    set_node(s, "down", WORKER,
             "'spec':{},'status':{'conditions':[{'type':'Ready','status':'Unknown'}]}");
    set_node(s, "handler", "'kubevirt.io/schedulable':'false','kubernetes.io/arch':'amd64'",
             "'spec':{}");
    set_node(s, "drain", WORKER,
             "'spec':{'taints':[{'key':'kubevirt.io/drain','effect':'NoSchedule'}]}");
    set_node(s, "scaler", WORKER,
             "'spec':{'taints':[{'key':'ToBeDeletedByClusterAutoscaler','value':'17','effect':"
             "'NoSchedule'}]}");
    set_node(s, "pressure", WORKER,
             "'spec':{'taints':[{'key':'node.kubernetes.io/disk-pressure','effect':'NoSchedule'}"
             "]}");
    set_node(s, "cloud", WORKER,
             "'spec':{'taints':[{'key':'node.cloudprovider.kubernetes.io/uninitialized','value':"
             "'true','effect':'NoSchedule'}]}");
    const struct lg_requirements *req = read_spec(s, "{}", NULL);
    assert_place(s, req, "cordoned", LG_PLACE_AWAY, "cordoned");
    assert_place(s, req, "down", LG_PLACE_AWAY, "not ready");
    assert_place(s, req, "handler", LG_PLACE_AWAY, "label kubevirt.io/schedulable is not \"true\"");
    assert_place(s, req, "drain", LG_PLACE_AWAY,
                 "taint kubevirt.io/drain:NoSchedule is not tolerated");
    assert_place(s, req, "scaler", LG_PLACE_AWAY,
                 "taint ToBeDeletedByClusterAutoscaler=17:NoSchedule is not tolerated");
    assert_place(s, req, "pressure", LG_PLACE_AWAY,
                 "taint node.kubernetes.io/disk-pressure:NoSchedule is not tolerated");
    assert_place(s, req, "cloud", LG_PLACE_AWAY,
                 "taint node.cloudprovider.kubernetes.io/uninitialized=true:NoSchedule is not "
                 "tolerated");
    assert_count(s, req, 0, 7, 0);
    struct lg_place_summary summary;
    lg_placement_summary(req, s->table, &s->objects.arena, &summary);
    assert_string_equal(summary.excluded.p, "");
    assert_non_null(strstr(summary.away.p, "1 is cordoned (cordoned)"));
    assert_non_null(strstr(summary.away.p, "3 more for other reasons"));
}

static void what_lasts_and_passes_at_once_is_excluded(void **arg)
{
    struct state *s = *arg;
    set_node(s, "n", WORKER,
             "'spec':{'unschedulable':true,'taints':[{'key':'own','effect':'NoSchedule'}]}");
    const struct lg_requirements *req = read_spec(s, "{}", NULL);
    assert_place(s, req, "n", LG_PLACE_EXCLUDED, "taint own:NoSchedule is not tolerated");
    assert_count(s, req, 0, 0, 1);
}

static void a_cordon_can_be_tolerated(void **arg)
{
    struct state *s = *arg;
    set_node(s, "n", WORKER,
             "'spec':{'unschedulable':true,'taints':[{'key':'node.kubernetes.io/unschedulable',"
             "'effect':'NoSchedule'}]}");
    assert_count(s, read_spec(s, "{'tolerations':[{'operator':'Exists'}]}", NULL), 1, 0, 0);
    assert_count(s,
                 read_spec(s,
                           "{'tolerations':[{'key':'node.kubernetes.io/unschedulable','effect':"
                           "'NoExecute'}]}",
                           NULL),
                 0, 1, 0);
}

static void the_kubevirt_crs_selectors_and_the_architecture_count(void **arg)
{
    struct state *s = *arg;
    const struct lg_label label = {LG_STR("virt"), LG_STR("yes")};
    const struct lg_settings settings = {
        .known = true, .default_architecture = LG_STR("arm64"), .node_selectors = {&label, 1}};
    set_node(s, "amd", WORKER ",'virt':'yes'", "'spec':{}");
    set_node(s, "arm", "'kubevirt.io/schedulable':'true','kubernetes.io/arch':'arm64'",
             "'spec':{}");
    const struct lg_requirements *req = read_spec(s, "{}", &settings);
    assert_place(s, req, "arm", LG_PLACE_EXCLUDED,
                 "label virt=yes is missing, which the KubeVirt CR asks for");
    assert_place(s, req, "amd", LG_PLACE_EXCLUDED,
                 "label kubernetes.io/arch=arm64 is missing, which KubeVirt asks for");
    req = read_spec(s, "{'architecture':'AMD64'}", &settings);
    assert_count(s, req, 1, 0, 1);
    req = read_spec(s, "{'nodeSelector':{'virt':'no','kubernetes.io/arch':'amd64'}}", &settings);
    assert_place(s, req, "amd", LG_PLACE_EXCLUDED, "label virt=no is missing");
}

static void a_selector_of_the_schedulable_label_is_kubevirts_own(void **arg)
{
    struct state *s = *arg;
    set_node(s, "n", "'kubevirt.io/schedulable':'false','kubernetes.io/arch':'amd64'", "'spec':{}");
    assert_count(s, read_spec(s, "{'nodeSelector':{'kubevirt.io/schedulable':'true'}}", NULL), 0, 1,
                 0);
    assert_count(s, read_spec(s, "{'nodeSelector':{'kubevirt.io/schedulable':'false'}}", NULL), 1,
                 0, 0);
    const struct lg_label label = {LG_STR("kubevirt.io/schedulable"), LG_STR("false")};
    const struct lg_settings settings = {.node_selectors = {&label, 1}};
    assert_count(s, read_spec(s, "{}", &settings), 1, 0, 0);
}

static void labels_of_kubevirts_labeller_count_where_it_ran(void **arg)
{
    struct state *s = *arg;
    const char *epyc = "{'domain':{'cpu':{'model':'EPYC','features':[{'name':'pcid'},{'name':"
                       "'svm','policy':'forbid'},{'name':'x2','policy':'optional'}]}}}";
    const char *sev = "{'domain':{'launchSecurity':{'sev':{'policy':{'encryptedState':true}}}}}";
    set_node(s, "plain", WORKER, "'spec':{}");
    assert_count(s, read_spec(s, epyc, NULL), 1, 0, 0);
    assert_count(s, read_spec(s, sev, NULL), 1, 0, 0);
    set_node(s, "epyc",
             WORKER ",'cpu-model.node.kubevirt.io/EPYC':'true',"
                    "'cpu-feature.node.kubevirt.io/pcid':'true'",
             "'spec':{}");
    set_node(s, "svm",
             WORKER ",'cpu-model.node.kubevirt.io/EPYC':'true','cpu-feature.node.kubevirt.io/svm':"
                    "'true','cpu-feature.node.kubevirt.io/pcid':'true'",
             "'spec':{}");
    const struct lg_requirements *req = read_spec(s, epyc, NULL);
    assert_count(s, req, 1, 0, 2);
    assert_place(s, req, "plain", LG_PLACE_EXCLUDED,
                 "label cpu-model.node.kubevirt.io/EPYC=true is missing, which KubeVirt asks for");
    assert_place(s, req, "svm", LG_PLACE_EXCLUDED,
                 "label cpu-feature.node.kubevirt.io/svm is there, which KubeVirt avoids");
    assert_count(s, read_spec(s, sev, NULL), 0, 0, 3);
    assert_count(s, read_spec(s, "{'domain':{'cpu':{'model':'host-passthrough'}}}", NULL), 3, 0, 0);
    assert_count(s, read_spec(s, "{'domain':{'machine':{'type':'q35'}}}", NULL), 3, 0, 0);
}

static struct lg_move move_from(struct state *s, const char *name, const char *added)
{
    return (struct lg_move){.source_name = lg_str_of(name),
                            .source = lg_nodes_get(s->table, lg_str_of(name), NULL),
                            .added_node_selector = lg_objects_parse(&s->objects, added)};
}

static const struct lg_requirements *read_move(struct state *s, const char *spec,
                                               const struct lg_move *move)
{
    return lg_requirements_read_move(lg_objects_parse(&s->objects, spec), move, NULL, s->table,
                                     &s->objects.arena);
}

/* What a guest asks of nodes that KubeVirt labelled, one a row: with which labels beside WORKER's a
 * node can take it. Each label's family is there on another node, so that it counts. */
static void every_derived_label_counts_where_its_family_exists(void **arg)
{
    struct state *s = *arg;
    struct lg_str gate = LG_STR("HypervStrictCheck");
    const struct lg_label machine = {LG_STR("amd64"), LG_STR("q35")};
    const struct lg_settings strict = {.known = true,
                                       .version = LG_KUBEVIRT_NEWEST,
                                       .target_version = LG_KUBEVIRT_NEWEST,
                                       .gates = {&gate, 1},
                                       .machine_types = {&machine, 1},
                                       .cpu_model = LG_STR("Haswell")};
    const struct lg_settings plain = {.version = LG_KUBEVIRT_NEWEST,
                                      .target_version = LG_KUBEVIRT_NEWEST};
    const struct lg_settings old = {.version = 105, .target_version = 105};
#define CPU_IS(model) "'domain':{'cpu':{'model':'" model "'}}"
#define HYPERV(f)     "'domain':{'cpu':{'model':'host-passthrough'},'features':{'hyperv':{" f "}}}"
#define LAUNCH(what)  "'domain':{'cpu':{'model':'host-passthrough'},'launchSecurity':{" what "}}"
#define INVTSC(policy)                                                                             \
    "'domain':{'cpu':{'model':'host-passthrough','features':[{'name':'invtsc','policy':"           \
    "'" policy "'}]}}"
    const struct {
        const char *spec, *label;
        const struct lg_settings *settings;
        bool needs; /* a node without the label is excluded */
    } rows[] = {
        {"'domain':{}", "cpu-model.node.kubevirt.io/Haswell", &strict, true},
        {"'domain':{}", "cpu-model.node.kubevirt.io/Haswell", &plain, false},
        {CPU_IS("EPYC"), "cpu-model.node.kubevirt.io/EPYC", &strict, true},
        {CPU_IS("host-passthrough"), "cpu-model.node.kubevirt.io/Haswell", &strict, false},
        {"'architecture':'arm64','nodeSelector':{'kubernetes.io/arch':'amd64'},'domain':{}",
         "cpu-model.node.kubevirt.io/Haswell", &strict, false},
        {CPU_IS("host-passthrough"), "machine-type.node.kubevirt.io/q35", &strict, true},
        {CPU_IS("host-passthrough"), "machine-type.node.kubevirt.io/q35", &plain, false},
        {"'domain':{'cpu':{'model':'host-passthrough'},'machine':{'type':'pc'}}",
         "machine-type.node.kubevirt.io/pc", &plain, true},
        {HYPERV("'synictimer':{}"), "hyperv.node.kubevirt.io/synictimer", &strict, true},
        {HYPERV("'vpindex':{'enabled':true}"), "hyperv.node.kubevirt.io/vpindex", &strict, true},
        {HYPERV("'vpindex':{'enabled':false}"), "hyperv.node.kubevirt.io/vpindex", &strict, false},
        {HYPERV("'ipi':{}"), "hyperv.node.kubevirt.io/ipi", &plain, false},
        {HYPERV("'evmcs':{}"), "cpu-vendor.node.kubevirt.io/Intel", &strict, true},
        {HYPERV("'evmcs':{}"), "cpu-vendor.node.kubevirt.io/Intel", &plain, false},
        {HYPERV("'reenlightenment':{}"), "scheduling.node.kubevirt.io/tsc-frequency-3000000000",
         &plain, true},
        {HYPERV("'reenlightenment':{'enabled':false}"),
         "scheduling.node.kubevirt.io/tsc-frequency-3000000000", &plain, false},
        {INVTSC("force"), "scheduling.node.kubevirt.io/tsc-frequency-3000000000", &plain, true},
        {INVTSC("optional"), "scheduling.node.kubevirt.io/tsc-frequency-3000000000", &plain, false},
        {"'domain':{'cpu':{'model':'host-passthrough','realtime':{}}}", "kubevirt.io/realtime",
         &plain, true},
        {LAUNCH("'sev':{}"), "kubevirt.io/sev", &plain, true},
        {LAUNCH("'snp':{}"), "kubevirt.io/sev-snp", &plain, true},
        {LAUNCH("'tdx':{}"), "kubevirt.io/tdx", &plain, true},
        {LAUNCH("'tdx':{}"), "kubevirt.io/tdx", &old, false},
        {"'architecture':'s390x','nodeSelector':{'kubernetes.io/arch':'amd64'},"
         "'domain':{'cpu':{'model':'host-passthrough'},'launchSecurity':{}}",
         "kubevirt.io/secure-execution", &plain, true},
        {"'architecture':'s390x','nodeSelector':{'kubernetes.io/arch':'amd64'},"
         "'domain':{'cpu':{'model':'host-passthrough'},'launchSecurity':{}}",
         "kubevirt.io/secure-execution", &old, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct lg_arena *arena = &s->objects.arena;
        set_node(s, "bare", WORKER, "'spec':{}");
        set_node(s, "labelled", lg_arena_printf(arena, WORKER ",'%s':'true'", rows[i].label).p,
                 "'spec':{}");
        const struct lg_requirements *req =
            read_spec(s, lg_arena_printf(arena, "{%s}", rows[i].spec).p, rows[i].settings);
        struct lg_str reason = LG_STR("");
        enum lg_place bare =
            lg_placement_explain(req, lg_nodes_get(s->table, LG_STR("bare"), NULL), arena, &reason);
        if (bare != (rows[i].needs ? LG_PLACE_EXCLUDED : LG_PLACE_ELIGIBLE))
            fail_msg("row %zu, {%s}, %s: %.*s", i, rows[i].spec, rows[i].label, LG_ARG(reason));
        assert_place(s, req, "labelled", LG_PLACE_ELIGIBLE, "");
        assert_count(s, req, rows[i].needs ? 1 : 2, 0, rows[i].needs ? 1 : 0);
        lg_nodes_remove(s->table, LG_STR("labelled"));
        /* nobody bears a label of the family: nothing ran that would have set it */
        assert_count(s,
                     read_spec(s, lg_arena_printf(arena, "{%s}", rows[i].spec).p, rows[i].settings),
                     1, 0, 0);
    }
}

static void the_frequency_that_kubevirt_chose_counts_when_a_guest_moves(void **arg)
{
    struct state *s = *arg;
    set_node(s, "here", WORKER ",'scheduling.node.kubevirt.io/tsc-frequency-2000':'true'",
             "'spec':{}");
    set_node(s, "slow", WORKER ",'scheduling.node.kubevirt.io/tsc-frequency-2000':'true'",
             "'spec':{}");
    set_node(s, "fast", WORKER ",'scheduling.node.kubevirt.io/tsc-frequency-3000':'true'",
             "'spec':{}");
    struct lg_move move = move_from(s, "here", "null");
    const char *spec = "{'domain':{'features':{'hyperv':{'reenlightenment':{}}}}}";
    assert_count(s, read_move(s, spec, &move), 2, 0, 1);
    move.tsc_frequency = 2000;
    const struct lg_requirements *req = read_move(s, spec, &move);
    assert_place(s, req, "slow", LG_PLACE_ELIGIBLE, "");
    assert_place(s, req, "fast", LG_PLACE_EXCLUDED,
                 "label scheduling.node.kubevirt.io/tsc-frequency-2000=true is missing, which "
                 "KubeVirt asks for");
    assert_place(s,
                 read_spec(s,
                           "{'domain':{'cpu':{'features':[{'name':'invtsc','policy':"
                           "'require'}]}}}",
                           NULL),
                 "fast", LG_PLACE_ELIGIBLE, "");
}

static void dedicated_cpus_accept_the_label_of_either_age(void **arg)
{
    struct state *s = *arg;
    const char *spec = "{'domain':{'cpu':{'dedicatedCpuPlacement':true}}}";
    set_node(s, "none", WORKER, "'spec':{}");
    assert_count(s, read_spec(s, spec, NULL), 1, 0, 0);
    set_node(s, "new", WORKER ",'kubevirt.io/cpumanager':'true'", "'spec':{}");
    set_node(s, "old", WORKER ",'cpumanager':'true'", "'spec':{}");
    set_node(s, "off", WORKER ",'cpumanager':'false'", "'spec':{}");
    assert_count(s, read_spec(s, spec, NULL), 2, 0, 2);
}

static void an_obsolete_host_model_is_avoided(void **arg)
{
    struct state *s = *arg;
    set_node(s, "n", WORKER ",'node-labeller.kubevirt.io/obsolete-host-model':'true'", "'spec':{}");
    assert_count(s, read_spec(s, "{}", NULL), 0, 0, 1);
    assert_count(s, read_spec(s, "{'domain':{'cpu':{'model':'host-model'}}}", NULL), 0, 0, 1);
    assert_count(s, read_spec(s, "{'domain':{'cpu':{'model':'Haswell'}}}", NULL), 1, 0, 0);
}

static void a_guest_that_moves_needs_what_its_node_has(void **arg)
{
    struct state *s = *arg;
#define CPU(model, vendor)                                                                         \
    ",'host-model-cpu.node.kubevirt.io/" model "':'true',"                                         \
    "'cpu-model-migration.node.kubevirt.io/" model "':'true',"                                     \
    "'host-model-required-features.node.kubevirt.io/pcid':'true',"                                 \
    "'cpu-vendor.node.kubevirt.io/" vendor "':'true'"
    set_node(s, "here",
             WORKER CPU("Icelake", "Intel") ",'cpu-feature.node.kubevirt.io/pcid':'true'",
             "'spec':{}");
    set_node(s, "same",
             WORKER CPU("Icelake", "Intel") ",'cpu-feature.node.kubevirt.io/pcid':'true'",
             "'spec':{}");
    set_node(s, "plain", WORKER CPU("Icelake", "Intel"), "'spec':{}");
    set_node(s, "old", WORKER CPU("Haswell", "Intel") ",'cpu-feature.node.kubevirt.io/pcid':'true'",
             "'spec':{}");
    set_node(s, "amd", WORKER CPU("Icelake", "AMD") ",'cpu-feature.node.kubevirt.io/pcid':'true'",
             "'spec':{}");
    struct lg_move move = move_from(s, "here", "null");
    const struct lg_requirements *req = read_move(s, "{}", &move);
    assert_place(s, req, "here", LG_PLACE_EXCLUDED, "the guest runs here");
    assert_place(s, req, "same", LG_PLACE_ELIGIBLE, "");
    assert_place(s, req, "plain", LG_PLACE_EXCLUDED,
                 "label cpu-feature.node.kubevirt.io/pcid=true is missing, which the source node "
                 "has");
    assert_place(s, req, "old", LG_PLACE_EXCLUDED,
                 "label cpu-model-migration.node.kubevirt.io/Icelake=true is missing, which the "
                 "source node has");
    assert_place(s, req, "amd", LG_PLACE_EXCLUDED,
                 "label cpu-vendor.node.kubevirt.io/Intel=true is missing, which the source node "
                 "has");
    assert_count(s, req, 1, 0, 4);
    /* another CPU model is asked for by name; the vendor stays */
    assert_count(s, read_move(s, "{'domain':{'cpu':{'model':'host-passthrough'}}}", &move), 3, 0,
                 2);
    /* the guest chose the vendor itself */
    req = read_move(s,
                    "{'nodeSelector':{'cpu-vendor.node.kubevirt.io/AMD':'true'},"
                    "'domain':{'cpu':{'model':'host-passthrough'}}}",
                    &move);
    assert_place(s, req, "amd", LG_PLACE_ELIGIBLE, "");
    move.moved_before = true;
    assert_count(s, read_move(s, "{}", &move), 3, 0, 2);
    const struct lg_move gone = move_from(s, "gone", "null");
    assert_count(s, read_move(s, "{}", &gone), 5, 0, 0);
}

static void the_selector_of_a_migration_narrows_and_never_widens(void **arg)
{
    struct state *s = *arg;
    set_node(s, "a", WORKER ",'zone':'a','rack':'1'", "'spec':{}");
    set_node(s, "b", WORKER ",'zone':'b','rack':'1'", "'spec':{}");
    set_node(s, "c", WORKER ",'zone':'a','rack':'2'", "'spec':{}");
    struct lg_move move = move_from(s, "a", "{'rack':'2','zone':'b'}");
    assert_place(s, read_move(s, "{}", &move), "c", LG_PLACE_EXCLUDED,
                 "label zone=b is missing, which addedNodeSelector asks for");
    const struct lg_requirements *req = read_move(s, "{'nodeSelector':{'zone':'a'}}", &move);
    assert_place(s, req, "c", LG_PLACE_ELIGIBLE, "");
    assert_place(s, req, "b", LG_PLACE_EXCLUDED, "label zone=a is missing");
    move = move_from(s, "a", "{'kubevirt.io/schedulable':'false','kubernetes.io/arch':'arm64'}");
    assert_count(s, read_move(s, "{}", &move), 2, 0, 1);
}

/* Whether a node could take it that does not exist yet: one a row, where new nodes bear any label,
 * and where they are zone=a with a taint. */
static void a_new_node_could_where_no_name_is_asked_for(void **arg)
{
    struct state *s = *arg;
    const struct lg_label label = {LG_STR("zone"), LG_STR("a")};
    const struct lg_taint taint = {.key = LG_STR("virt"), .effect = LG_EFFECT_NO_SCHEDULE};
    const struct lg_node_group group = {.labels = {&label, 1}, .taints = {&taint, 1}};
    const struct lg_elastic any = {.mode = LG_ELASTIC_YES};
    const struct lg_elastic groups = {.mode = LG_ELASTIC_GROUPS, .groups = &group, .n_groups = 1};
    const struct lg_elastic no = {.mode = LG_ELASTIC_NO, .groups = &group, .n_groups = 1};
#define TOLERATED "'tolerations':[{'key':'virt','operator':'Exists'}]"
#define TERM(e)                                                                                    \
    "'affinity':{'nodeAffinity':{'requiredDuringSchedulingIgnoredDuringExecution':"                \
    "{'nodeSelectorTerms':[" e "]}}}"
    static const struct {
        const char *spec;
        bool any, group;
    } rows[] = {
        {"{}", true, false},
        {"{" TOLERATED "}", true, true},
        {"{'nodeSelector':{'zone':'a'}," TOLERATED "}", true, true},
        {"{'nodeSelector':{'zone':'b'}," TOLERATED "}", true, false},
        {"{'nodeSelector':{'kubernetes.io/hostname':'n1'}," TOLERATED "}", false, false},
        {"{" TERM("{'matchFields':[{'key':'metadata.name','operator':'In','values':['n1']}]"
                  "}") "," TOLERATED "}",
         false, false},
        {"{" TERM("{'matchFields':[{'key':'metadata.name','operator':'NotIn','values':['n1'"
                  "]}]}") "," TOLERATED "}",
         true, true},
        {"{" TERM("{'matchExpressions':[{'key':'zone','operator':'NotIn',"
                  "'values':['a']}]}") "," TOLERATED "}",
         true, false},
        {"{" TERM("") "," TOLERATED "}", false, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const struct lg_requirements *req = read_spec(s, rows[i].spec, NULL);
        if (lg_placement_new_node_could(req, &any) != rows[i].any ||
            lg_placement_new_node_could(req, &groups) != rows[i].group)
            fail_msg("%s", rows[i].spec);
        assert_false(lg_placement_new_node_could(req, &no));
    }
}

/* What the scheduler makes of unusual terms, one a row: does a node with zone=a and gen=5 match? */
static void terms_match_as_in_the_scheduler(void **arg)
{
    struct state *s = *arg;
    static const struct {
        const char *required;
        bool matches;
    } rows[] = {
        {"null", true},
        {"{}", false},
        {"{'nodeSelectorTerms':null}", false},
        {"{'nodeSelectorTerms':[]}", false},
        {"{'nodeSelectorTerms':[null]}", false},
        {"{'nodeSelectorTerms':[{}]}", false},
        {"{'nodeSelectorTerms':[{'matchExpressions':[]}]}", false},
        {"{'nodeSelectorTerms':[{'matchExpressions':[],'matchFields':[]}]}", false},
        {"{'nodeSelectorTerms':[{'matchExpressions':[null]}]}", false},
        {"{'nodeSelectorTerms':[{},{'matchExpressions':[{'key':'zone','operator':'Exists'}]}]}",
         true},
#define ONE(e) "{'nodeSelectorTerms':[{'matchExpressions':[" e "]}]}"
        {ONE("{'key':'zone','operator':'In','values':['b','a']}"), true},
        {ONE("{'key':'zone','operator':'In','values':[]}"), false},
        {ONE("{'key':'zone','operator':'In'}"), false},
        {ONE("{'key':'other','operator':'In','values':['']}"), false},
        {ONE("{'key':'zone','operator':'NotIn','values':['b']}"), true},
        {ONE("{'key':'other','operator':'NotIn','values':['b']}"), true},
        {ONE("{'key':'zone','operator':'NotIn','values':['a','b']}"), false},
        {ONE("{'key':'zone','operator':'NotIn'}"), false},
        {ONE("{'key':'zone','operator':'Exists','values':[]}"), true},
        {ONE("{'key':'zone','operator':'Exists','values':['a']}"), false},
        {ONE("{'key':'other','operator':'DoesNotExist'}"), true},
        {ONE("{'key':'zone','operator':'DoesNotExist'}"), false},
        {ONE("{'key':'other','operator':'DoesNotExist','values':['']}"), false},
        {ONE("{'key':'gen','operator':'Gt','values':['4']}"), true},
        {ONE("{'key':'gen','operator':'Gt','values':['004']}"), true},
        {ONE("{'key':'gen','operator':'Gt','values':['5']}"), false},
        {ONE("{'key':'gen','operator':'Lt','values':['6']}"), true},
        {ONE("{'key':'gen','operator':'Gt','values':['-4']}"), false},
        {ONE("{'key':'gen','operator':'Gt','values':['+4']}"), false},
        {ONE("{'key':'gen','operator':'Gt','values':['x']}"), false},
        {ONE("{'key':'gen','operator':'Gt','values':['1','2']}"), false},
        {ONE("{'key':'gen','operator':'Lt','values':['9223372036854775808']}"), false},
        {ONE("{'key':'zone','operator':'Gt','values':['0']}"), false},
        {ONE("{'key':'other','operator':'Lt','values':['9']}"), false},
        {ONE("{'key':'zone','operator':'in','values':['a']}"), false},
        {ONE("{'key':'zone','operator':'','values':['a']}"), false},
        {ONE("{'key':'zone','operator':'Equals','values':['a']}"), false},
        {ONE("{'key':'-zone','operator':'DoesNotExist'}"), false},
        {ONE("{'key':'','operator':'DoesNotExist'}"), false},
        {ONE("{'key':'a/b/c','operator':'DoesNotExist'}"), false},
        {ONE("{'key':'zone','operator':'In','values':['a','not valid']}"), false},
        {ONE("{'key':'zone','operator':'NotIn','values':['b_']}"), false},
        {ONE("{'key':'zone','operator':'In','values':['a']},{'key':'gen','operator':'In',"
             "'values':['6']}"),
         false},
#define FIELD(e) "{'nodeSelectorTerms':[{'matchFields':[" e "]}]}"
        {FIELD("{'key':'metadata.name','operator':'In','values':['n']}"), true},
        {FIELD("{'key':'metadata.name','operator':'In','values':['m']}"), false},
        {FIELD("{'key':'metadata.name','operator':'In','values':['n','m']}"), false},
        {FIELD("{'key':'metadata.name','operator':'NotIn','values':['m']}"), true},
        {FIELD("{'key':'metadata.name','operator':'NotIn','values':['n']}"), false},
        {FIELD("{'key':'metadata.name','operator':'NotIn','values':[]}"), false},
        {FIELD("{'key':'metadata.name','operator':'Exists'}"), false},
        {FIELD("{'key':'metadata.uid','operator':'In','values':['n']}"), false},
        {FIELD("{'key':'metadata.uid','operator':'In','values':['']}"), true},
        {FIELD("{'key':'metadata.uid','operator':'NotIn','values':['n']}"), true},
        {FIELD("{'key':'metadata.uid','operator':'NotIn','values':['']}"), false},
        {"{'nodeSelectorTerms':[{'matchFields':[{'key':'metadata.name','operator':'In','values':"
         "['n']}],'matchExpressions':[{'key':'zone','operator':'In','values':['b']}]}]}",
         false},
    };
    set_node(s, "n", WORKER ",'zone':'a','gen':'5'", "'spec':{}");
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct lg_str spec = lg_arena_printf(
            &s->objects.arena,
            "{'affinity':{'nodeAffinity':{'requiredDuringSchedulingIgnoredDuringExecution':%s}}}",
            rows[i].required);
        const struct lg_requirements *req = read_spec(s, spec.p, NULL);
        struct lg_place_count count = lg_placement_count(req, s->table);
        if ((count.eligible == 1) != rows[i].matches)
            fail_msg("%s: %s", rows[i].required, rows[i].matches ? "should match" : "should not");
        assert_place(s, req, "n", rows[i].matches ? LG_PLACE_ELIGIBLE : LG_PLACE_EXCLUDED,
                     rows[i].matches ? "" : "required node affinity does not match");
    }
}
int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(each_node_has_its_first_reason_in_the_users_words),
        TEST(the_most_frequent_reason_comes_first_and_says_where_it_stands),
        TEST(what_passes_by_itself_is_away),
        TEST(what_lasts_and_passes_at_once_is_excluded),
        TEST(a_cordon_can_be_tolerated),
        TEST(the_kubevirt_crs_selectors_and_the_architecture_count),
        TEST(a_selector_of_the_schedulable_label_is_kubevirts_own),
        TEST(labels_of_kubevirts_labeller_count_where_it_ran),
        TEST(every_derived_label_counts_where_its_family_exists),
        TEST(the_frequency_that_kubevirt_chose_counts_when_a_guest_moves),
        TEST(dedicated_cpus_accept_the_label_of_either_age),
        TEST(an_obsolete_host_model_is_avoided),
        TEST(a_guest_that_moves_needs_what_its_node_has),
        TEST(the_selector_of_a_migration_narrows_and_never_widens),
        TEST(a_new_node_could_where_no_name_is_asked_for),
        TEST(terms_match_as_in_the_scheduler),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
