/* Placement counts by bitmaps; the plain loop over random nodes and guests is the oracle. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rules/virt/placement.h"
#include "tests/unit/node_world.h"
enum { NODES = 90 };

struct dice {
    uint64_t state;
};

static uint32_t roll(struct dice *dice, uint32_t n)
{
    dice->state ^= dice->state << 13;
    dice->state ^= dice->state >> 7;
    dice->state ^= dice->state << 17;
    return (uint32_t)(dice->state >> 33) % n;
}

static const char *const keys[] = {"zone",
                                   "gen",
                                   "disk",
                                   "kubevirt.io/schedulable",
                                   "kubernetes.io/arch",
                                   "cpumanager",
                                   "kubevirt.io/cpumanager",
                                   "cpu-model.node.kubevirt.io/EPYC",
                                   "cpu-feature.node.kubevirt.io/svm",
                                   "node-labeller.kubevirt.io/obsolete-host-model",
                                   "host-model-cpu.node.kubevirt.io/EPYC",
                                   "cpu-model-migration.node.kubevirt.io/EPYC",
                                   "host-model-required-features.node.kubevirt.io/svm",
                                   "cpu-vendor.node.kubevirt.io/AMD",
                                   "cpu-vendor.node.kubevirt.io/Intel",
                                   "machine-type.node.kubevirt.io/q35",
                                   "hyperv.node.kubevirt.io/vpindex",
                                   "scheduling.node.kubevirt.io/tsc-frequency-2000",
                                   "scheduling.node.kubevirt.io/tsc-frequency-3000",
                                   "kubevirt.io/realtime"};
static const char *const values[] = {"true", "a", "b", "", "1", "007", "-3", "amd64", "arm64"};
static const char *const taint_keys[] = {"gpu", "virt", "node.kubernetes.io/unschedulable",
                                         "node.kubernetes.io/disk-pressure", "kubevirt.io/drain"};
static const char *const effects[] = {"NoSchedule", "NoExecute", "PreferNoSchedule"};
static const char *const operators[] = {"In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt", "in"};

#define PICK(dice, list) ((list)[roll(dice, sizeof(list) / sizeof(*(list)))])

static void put_labels(struct dice *dice, struct lg_buf *out, uint32_t of, uint32_t chance)
{
    bool first = true;
    for (uint32_t i = 0; i < of; i++) {
        if (roll(dice, 100) >= chance)
            continue;
        lg_buf_printf(out, "%s'%s':'%s'", first ? "" : ",", keys[i],
                      i == 3 && roll(dice, 4) > 0 ? "true" : PICK(dice, values));
        first = false;
    }
}

static struct lg_record *random_node(struct state *s, struct dice *dice, uint32_t number)
{
    struct lg_buf out = {0};
    lg_buf_printf(&out, "{'apiVersion':'v1','kind':'Node','metadata':{'name':'n%u','labels':{",
                  number);
    put_labels(dice, &out, sizeof(keys) / sizeof(*keys), 70);
    lg_buf_printf(&out, "}},'spec':{'unschedulable':%s,'taints':[",
                  roll(dice, 5) == 0 ? "true" : "false");
    for (uint32_t i = roll(dice, 3); i > 0; i--)
        lg_buf_printf(&out, "{'key':'%s','value':'%s','effect':'%s'}%s", PICK(dice, taint_keys),
                      PICK(dice, values), PICK(dice, effects), i > 1 ? "," : "");
    lg_buf_printf(&out, "]},'status':{'conditions':[{'type':'Ready','status':'%s'}]}}",
                  roll(dice, 8) == 0 ? "False" : "True");
    struct lg_record *record = lg_objects_record(&s->objects, out.p);
    lg_buf_done(&out);
    return record;
}

static void put_requirements(struct dice *dice, struct lg_buf *out, bool fields)
{
    for (uint32_t i = roll(dice, 3); i > 0; i--) {
        if (fields)
            lg_buf_printf(out, "{'key':'metadata.name','operator':'%s','values':['n%u']}",
                          operators[roll(dice, 2)], roll(dice, 90));
        else
            lg_buf_printf(out, "{'key':'%s','operator':'%s','values':[", PICK(dice, keys),
                          PICK(dice, operators));
        for (uint32_t v = fields ? 0 : roll(dice, 3); v > 0; v--)
            lg_buf_printf(out, "'%s'%s", PICK(dice, values), v > 1 ? "," : "");
        lg_buf_printf(out, "%s%s", fields ? "" : "]}", i > 1 ? "," : "");
    }
}

static struct lg_val random_spec(struct state *s, struct dice *dice)
{
    struct lg_buf out = {0};
    lg_buf_puts(&out, "{'nodeSelector':{");
    put_labels(dice, &out, 4, 15);
    lg_buf_puts(&out, "}");
    if (roll(dice, 2) == 0) {
        lg_buf_puts(&out, ",'affinity':{'nodeAffinity':"
                          "{'requiredDuringSchedulingIgnoredDuringExecution':"
                          "{'nodeSelectorTerms':[");
        for (uint32_t i = roll(dice, 4); i > 0; i--) {
            lg_buf_puts(&out, "{'matchExpressions':[");
            put_requirements(dice, &out, false);
            lg_buf_puts(&out, "],'matchFields':[");
            put_requirements(dice, &out, roll(dice, 3) == 0);
            lg_buf_puts(&out, i > 1 ? "]}," : "]}");
        }
        lg_buf_puts(&out, "]}}}");
    }
    lg_buf_puts(&out, ",'tolerations':[");
    for (uint32_t i = roll(dice, 4); i > 0; i--)
        lg_buf_printf(&out, "{'key':'%s','operator':'%s','value':'%s','effect':'%s'}%s",
                      roll(dice, 6) == 0 ? "" : PICK(dice, taint_keys),
                      roll(dice, 2) == 0 ? "Exists" : "Equal", PICK(dice, values),
                      roll(dice, 2) == 0 ? "" : PICK(dice, effects), i > 1 ? "," : "");
    lg_buf_printf(
        &out,
        "],'architecture':'%s','domain':{'cpu':{'model':'%s','dedicatedCpuPlacement':%s,"
        "'features':[{'name':'svm','policy':'%s'}],'realtime':%s},'machine':{'type':'%s'},"
        "'features':{'hyperv':{'vpindex':{},'reenlightenment':{'enabled':%s}}}}}",
        roll(dice, 6) == 0 ? "arm64" : "amd64", roll(dice, 3) == 0 ? "EPYC" : "",
        roll(dice, 3) == 0 ? "true" : "false", roll(dice, 2) == 0 ? "forbid" : "disable",
        roll(dice, 6) == 0 ? "{}" : "null", roll(dice, 4) == 0 ? "q35" : "",
        roll(dice, 3) == 0 ? "true" : "false");
    struct lg_val spec = lg_objects_parse(&s->objects, out.p);
    lg_buf_done(&out);
    return spec;
}

/* Every other guest moves, from a node that may be gone. */
static const struct lg_requirements *random_requirements(struct state *s, struct dice *dice,
                                                         struct lg_val spec)
{
    static const struct lg_str gate = LG_STR("HypervStrictCheck");
    static const struct lg_settings strict = {
        .version = LG_KUBEVIRT_NEWEST, .target_version = LG_KUBEVIRT_NEWEST, .gates = {&gate, 1}};
    const struct lg_settings *settings = roll(dice, 2) == 0 ? &strict : NULL;
    struct lg_arena *arena = &s->objects.arena;
    if (roll(dice, 2) == 0)
        return lg_requirements_read(spec, settings, s->table, arena);
    struct lg_buf added = {0};
    lg_buf_puts(&added, "{");
    put_labels(dice, &added, 5, 20);
    lg_buf_puts(&added, "}");
    struct lg_move move = {
        .source_name = lg_arena_printf(arena, "n%u", roll(dice, NODES)),
        .added_node_selector = lg_objects_parse(&s->objects, added.p),
        .moved_before = roll(dice, 3) == 0,
        .tsc_frequency = 1000 * (int64_t)roll(dice, 4),
    };
    move.source = lg_nodes_get(s->table, move.source_name, NULL);
    lg_buf_done(&added);
    return lg_requirements_read_move(spec, &move, settings, s->table, arena);
}

/* Counts by the plain loop over the records the test itself holds, and compares names and totals
 * with the bitmaps. */
static void compare(struct state *s, struct lg_record *const records[NODES], struct dice *dice)
{
    struct lg_val spec = random_spec(s, dice);
    const struct lg_requirements *req = random_requirements(s, dice, spec);
    size_t plain[3] = {0, 0, 0};
    struct lg_str reason;
    for (size_t i = 0; i < NODES; i++)
        if (records[i] != NULL)
            plain[lg_placement_explain(req, (struct lg_node *)records[i], &s->objects.arena,
                                       &reason)]++;
    struct lg_place_count count = lg_placement_count(req, s->table);
    if (count.eligible != plain[LG_PLACE_ELIGIBLE] || count.away != plain[LG_PLACE_AWAY] ||
        count.excluded != plain[LG_PLACE_EXCLUDED]) {
        struct lg_str text = lg_json_text(spec);
        fail_msg("%.*s: %zu %zu %zu, by the plain loop %zu %zu %zu", LG_ARG(text), count.eligible,
                 count.away, count.excluded, plain[0], plain[1], plain[2]);
    }
    for (size_t i = 0; i < NODES; i++) {
        if (records[i] == NULL)
            continue;
        enum lg_place place =
            lg_placement_explain(req, (struct lg_node *)records[i], &s->objects.arena, NULL);
        struct lg_str names = lg_placement_names(req, s->table, place, NODES, &s->objects.arena);
        struct lg_str padded = lg_arena_printf(&s->objects.arena, ", %.*s,", LG_ARG(names));
        struct lg_str one = lg_arena_printf(&s->objects.arena, ", %.*s,", LG_ARG(records[i]->name));
        assert_non_null(strstr(padded.p, one.p));
    }
}

static void bitmaps_answer_as_the_plain_loop_does(void **arg)
{
    struct state *s = *arg;
    struct dice dice = {0x9E3779B97F4A7C15u};
    struct lg_record *records[NODES] = {0};
    for (int round = 0; round < 400; round++) {
        for (uint32_t change = 1 + roll(&dice, 6); change > 0; change--) {
            uint32_t n = roll(&dice, NODES);
            if (records[n] != NULL)
                lg_record_unref(records[n]);
            records[n] = NULL;
            struct lg_str name = lg_arena_printf(&s->objects.arena, "n%u", n);
            if (roll(&dice, 4) == 0) {
                lg_nodes_remove(s->table, name);
                continue;
            }
            records[n] = random_node(s, &dice, n);
            lg_nodes_set(s->table, (struct lg_node *)records[n]);
        }
        for (int i = 0; i < 4; i++)
            compare(s, records, &dice);
        lg_arena_reset(&s->objects.arena);
    }
    for (size_t i = 0; i < NODES; i++)
        if (records[i] != NULL)
            lg_record_unref(records[i]);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(bitmaps_answer_as_the_plain_loop_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
