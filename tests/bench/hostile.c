/* What one review can cost: objects that are as expensive as the limits let them be, judged
 * in-process.
 *
 * Prints a row of README's table for each: the CPU of reading, judging and answering it, at 1,000
 * and at 10,000 nodes, the least of a few runs. Ends with status 1 where one takes longer than a
 * server thread may be held.
 */
#include <stdio.h>
#include <stdlib.h>

#include "rules/answer.h"
#include "rules/core/mem.h"
#include "tests/bench/inprocess.h"

enum { RUNS = 5, HELD_MS_MAX = 20 };

static struct lg_inventory *inventory;
static struct lg_policy *policy;

static void add_node(unsigned i)
{
    struct lg_buf text lg_cleanup(lg_buf_done) = {0};
    lg_buf_printf(&text,
                  "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"node-%u\","
                  "\"labels\":{\"kubernetes.io/hostname\":\"node-%u\",\"size\":\"%u\","
                  "\"kubevirt.io/schedulable\":\"true\",\"kubernetes.io/arch\":\"amd64\"}}}",
                  i, i, i);
    lg_add_object(inventory, lg_buf_view(&text));
}

/* --- objects --- */

/* Appends `n` items, their number in place of each #. */
static void list(struct lg_buf *buf, const char *head, const char *item, unsigned n,
                 const char *tail)
{
    lg_buf_puts(buf, head);
    for (unsigned i = 0; i < n; i++) {
        lg_buf_puts(buf, i == 0 ? "" : ",");
        for (const char *p = item; *p != '\0'; p++) {
            if (*p == '#')
                lg_buf_printf(buf, "%u", i);
            else
                lg_buf_putc(buf, *p);
        }
    }
    lg_buf_puts(buf, tail);
}

#define REQUIRED                                                                                   \
    "\"affinity\":{\"nodeAffinity\":{\"requiredDuringSchedulingIgnoredDuringExecution\":{"         \
    "\"nodeSelectorTerms\":["
#define EXPRESSION(match, values)                                                                  \
    "{\"matchExpressions\":[{\"key\":\"size\",\"operator\":\"" match "\",\"values\":[" values "]}" \
    "]}"

/* # is the item's number. */
static const struct hostile {
    const char *name, *head, *item;
    unsigned n;
    const char *tail;
} rows[] = {
    {"512 terms that compare numbers", REQUIRED, EXPRESSION("Gt", "\"99#\""), 512, "]}}}"},
    {"24,000 expressions: refused", REQUIRED,
     EXPRESSION("Gt", "\"1\"") "," EXPRESSION("Gt", "\"2\"") "," EXPRESSION("Lt", "\"3#\"") "," //
     EXPRESSION("Lt", "\"4#\""),
     6000, "]}}}"},
    {"512 labels selected", "\"nodeSelector\":{", "\"key-#\":\"v\"", 512, "}"},
    {"1,024 claims that are not known", "\"volumes\":[",
     "{\"name\":\"v#\",\"persistentVolumeClaim\":{\"claimName\":\"c#\"}}", 1024, "]"},
    {"1,024 interfaces with a reserved port", "\"domain\":{\"devices\":{\"interfaces\":[",
     "{\"name\":\"n#\",\"masquerade\":{},\"ports\":[{\"port\":49152}]}", 1024, "]}}"},
    {"1,024 host devices", "\"domain\":{\"devices\":{\"hostDevices\":[",
     "{\"name\":\"h#\",\"deviceName\":\"x/y#\"}", 1024, "]}}"},
    {"1,024 tolerations", "\"tolerations\":[",
     "{\"key\":\"k#\",\"operator\":\"Equal\",\"value\":\"x\",\"effect\":\"NoSchedule\"}", 1024,
     "]"},
    {"90,000 keys in one object", "\"x\":{", "\"k#\":1", 90000, "}"},
    {"90,000 keys beside those that rules read", "", "\"k#\":1", 90000, ""},
    {"the same, an escape in each", "", "\"\\u006b#\":1", 90000, ""},
};

/* An UPDATE of a VM whose guest's spec is `spec`, old and new; where that is too long to be read
 * twice, a CREATE. */
static void review_of(struct lg_str spec, struct lg_buf *ret)
{
    static const char vm[] =
        "{\"apiVersion\":\"kubevirt.io/v1\",\"kind\":\"VirtualMachine\","
        "\"metadata\":{\"name\":\"a\",\"namespace\":\"shop\"},\"spec\":{"
        "\"template\":{\"spec\":{%.*s,\"terminationGracePeriodSeconds\":%d}}}}";
    bool update = spec.n < 500000;
    lg_buf_printf(
        ret,
        "{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\",\"request\":"
        "{\"uid\":\"u\",\"kind\":{\"group\":\"kubevirt.io\",\"version\":\"v1\",\"kind\":"
        "\"VirtualMachine\"},\"namespace\":\"shop\",\"name\":\"a\",\"operation\":\"%s\","
        "\"userInfo\":{\"username\":\"ann\"},\"object\":",
        update ? "UPDATE" : "CREATE");
    lg_buf_printf(ret, vm, LG_ARG(spec), 1);
    if (update) {
        lg_buf_puts(ret, ",\"oldObject\":");
        lg_buf_printf(ret, vm, LG_ARG(spec), 2);
    }
    lg_buf_puts(ret, "}}");
}

static double judge_ms(struct lg_str body)
{
    struct lg_arena arena lg_cleanup(lg_arena_done) = {0};
    struct lg_review review = {0};
    struct lg_judgement judgement;
    struct lg_answer answer = {0};
    size_t n = 0;

    double start_us = lg_cpu_us();
    if (lg_review_decode(&arena, body, &review, NULL) != LG_E_OK)
        abort();
    const struct lg_engine_input input = {
        .inventory = inventory,
        .policy = policy,
        .kind = review.kind,
        .op = lg_str_is(review.operation, "UPDATE") ? LG_OP_UPDATE : LG_OP_CREATE,
        .ns = review.ns,
        .name = review.name,
        .object = review.object,
        .old_object = review.old_object,
        .refusal = review.refused ? &review.refusal : NULL,
        .username = review.username,
    };
    lg_engine_judge(&input, &arena, &judgement);
    lg_answer_make(&judgement, review.group, review.kind_name, &arena, &answer);
    answer.uid = review.uid;
    free(lg_review_encode(&answer, &n));
    return (lg_cpu_us() - start_us) / 1e3;
}

static double least_ms(const struct hostile *row)
{
    struct lg_buf spec lg_cleanup(lg_buf_done) = {0};
    struct lg_buf body lg_cleanup(lg_buf_done) = {0};
    double least = 0;

    list(&spec, row->head, row->item, row->n, row->tail);
    review_of(lg_buf_view(&spec), &body);
    for (int i = 0; i < RUNS; i++) {
        double ms = judge_ms(lg_buf_view(&body));
        least = i == 0 || ms < least ? ms : least;
    }
    return least;
}

int main(void)
{
    enum { ROWS = sizeof rows / sizeof *rows };
    static const unsigned nodes[] = {1000, 10000};
    double took_ms[ROWS][2];
    int status = 0;

    inventory = lg_inventory_new();
    policy = lg_policy_default();
    for (int kind = 0; kind < LG_KIND_COUNT; kind++)
        lg_inventory_set_known(inventory, (enum lg_kind)kind, LG_KNOWN);
    for (unsigned size = 0, i = 0; size < 2; size++) {
        for (; i < nodes[size]; i++)
            add_node(i);
        for (size_t row = 0; row < ROWS; row++)
            took_ms[row][size] = least_ms(&rows[row]);
    }
    for (size_t row = 0; row < ROWS; row++) {
        printf("| %s | %.1f ms | %.1f ms |\n", rows[row].name, took_ms[row][0], took_ms[row][1]);
        if (took_ms[row][1] > HELD_MS_MAX)
            status = 1;
    }
    lg_policy_unref(policy);
    lg_inventory_free(inventory);
    return status;
}
