/* Any bytes as a review, judged and answered in a small cluster. What holds whatever comes:
 *
 *   - findings stand in the order of their ids, the verdict is the strongest of them, nothing is
 *     "off";
 *   - a controller is never refused nor warned;
 *   - judging again says the same;
 *   - the answer keeps its limits;
 *   - what is mended is mended once, and the rules that acted find nothing in it;
 *   - nobody creates a VM, or a pool of them, over the claim "local", which is not shared, unless
 *     it is a receiver: the oracle against a way around the rule, whatever instancetype and
 *     preference it names.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "rules/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const cluster[] = {
    "{\"apiVersion\":\"v1\",\"kind\":\"PersistentVolumeClaim\",\"metadata\":{\"name\":\"local\","
    "\"namespace\":\"shop\"},\"spec\":{\"accessModes\":[\"ReadWriteOnce\"]}}",
    "{\"apiVersion\":\"v1\",\"kind\":\"PersistentVolumeClaim\",\"metadata\":{\"name\":\"shared\","
    "\"namespace\":\"shop\"},\"spec\":{\"accessModes\":[\"ReadWriteMany\"]}}",
    "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"a\",\"labels\":{\"zone\":"
    "\"x\",\"kubevirt.io/schedulable\":\"true\",\"kubernetes.io/arch\":\"amd64\"}},\"spec\":{}}",
    "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"b\",\"labels\":{\"zone\":"
    "\"y\",\"kubevirt.io/schedulable\":\"true\",\"kubernetes.io/arch\":\"amd64\"}},\"spec\":{"
    "\"taints\":[{\"key\":\"gpu\",\"value\":\"true\",\"effect\":\"NoSchedule\"}]}}",
    "{\"apiVersion\":\"kubevirt.io/v1\",\"kind\":\"KubeVirt\",\"metadata\":{\"name\":\"kubevirt\","
    "\"namespace\":\"kubevirt\"},\"spec\":{}}",
    "{\"apiVersion\":\"kubevirt.io/v1\",\"kind\":\"VirtualMachineInstance\",\"metadata\":{\"name\":"
    "\"orders\",\"namespace\":\"shop\"},\"spec\":{\"domain\":{\"devices\":{}},\"volumes\":[{"
    "\"name\":\"data\",\"persistentVolumeClaim\":{\"claimName\":\"local\"}}]},\"status\":{"
    "\"phase\":\"Running\"}}",
    "{\"apiVersion\":\"instancetype.kubevirt.io/v1beta1\",\"kind\":"
    "\"VirtualMachineClusterInstancetype\",\"metadata\":{\"name\":\"u1\"},\"spec\":{\"cpu\":{"
    "\"guest\":2,\"model\":\"Haswell\"},\"memory\":{\"guest\":\"1Gi\",\"overcommitPercent\":15},"
    "\"gpus\":[{\"name\":\"g\",\"deviceName\":\"x/y\"}],\"nodeSelector\":{\"zone\":\"x\"},"
    "\"annotations\":{\"a\":\"b\"}}}",
    "{\"apiVersion\":\"instancetype.kubevirt.io/v1beta1\",\"kind\":"
    "\"VirtualMachineClusterPreference\",\"metadata\":{\"name\":\"p1\"},\"spec\":{\"devices\":{"
    "\"preferredInterfaceMasquerade\":{},\"preferredTPM\":{\"persistent\":true}},\"features\":{"
    "\"preferredHyperv\":{\"reenlightenment\":{}}},\"volumes\":{\"preferredStorageClassName\":"
    "\"fast\"},\"cpu\":{\"preferredCPUFeatures\":[{\"name\":\"x\"}]},\"annotations\":{"
    "\"kubevirt.io/allow-pod-bridge-network-live-migration\":\"\"}}}",
};

static struct lg_inventory *inventory;
static struct lg_policy *policy;

static void set_up(void)
{
    struct lg_arena arena = {0};
    inventory = lg_inventory_new();
    if (lg_policy_parse(LG_STR("apiVersion: livegate.io/v1\nkind: Policy\n"
                               "mutate: {LG101: {}, LG201: {}, LG203: {}, LG502: {}}\n"),
                        "policy.yaml", &policy, NULL) != LG_E_OK)
        abort();
    for (size_t i = 0; i < sizeof cluster / sizeof *cluster; i++) {
        struct lg_val object = LG_NONE;
        struct lg_record *record = NULL;
        enum lg_err_code code = lg_json_parse(&arena, lg_str_of(cluster[i]), &object, NULL);
        assert(code == LG_E_OK);
        code = lg_record_new(object, &record, NULL);
        assert(code == LG_E_OK);
        lg_inventory_set_known(inventory, record->kind, LG_KNOWN);
        lg_inventory_set(inventory, record);
    }
    lg_arena_done(&arena);
}

static enum lg_op op_of(struct lg_str operation)
{
    static const char *const names[] = {"CREATE", "UPDATE", "DELETE", "CONNECT"};
    for (int op = LG_OP_CREATE; op <= LG_OP_CONNECT; op++)
        if (lg_str_is(operation, names[op]))
            return (enum lg_op)op;
    return LG_OP_CREATE;
}

static struct lg_engine_input input_of(const struct lg_review *review)
{
    return (struct lg_engine_input){
        .inventory = inventory,
        .policy = policy,
        .kind = review->kind,
        .op = op_of(review->operation),
        .subresource = review->subresource.n != 0,
        .ns = review->ns,
        .name = review->name,
        .object = review->object,
        .old_object = review->old_object,
        .refusal = review->refused ? &review->refusal : NULL,
        .username = review->username,
        .groups = review->groups,
        .dry_run = review->dry_run,
    };
}

static void check_findings(const struct lg_judgement *judgement)
{
    enum lg_action strongest = LG_ACTION_OFF;
    for (size_t i = 0; i < judgement->n; i++) {
        const struct lg_finding *finding = &judgement->findings[i];
        assert(finding->action != LG_ACTION_OFF && finding->action <= finding->was);
        assert(finding->message.n != 0 && finding->message.n <= 1024 && finding->fix.n <= 1024);
        assert(i == 0 || strcmp(finding[-1].rule->id, finding->rule->id) <= 0);
        if (finding->action > strongest)
            strongest = finding->action;
    }
    if (!judgement->refused)
        assert(judgement->verdict == strongest);
    assert(!judgement->skipped || (judgement->n == 0 && !judgement->refused));
    if (judgement->requester == LG_REQUESTER_CONTROLLER)
        assert(judgement->verdict <= LG_ACTION_AUDIT);
}

static void check_same(const struct lg_judgement *a, const struct lg_judgement *b)
{
    assert(a->n == b->n && a->verdict == b->verdict && a->skipped == b->skipped &&
           a->refused == b->refused && a->migratable == b->migratable);
    for (size_t i = 0; i < a->n; i++) {
        assert(a->findings[i].rule == b->findings[i].rule);
        assert(a->findings[i].action == b->findings[i].action);
        assert(lg_str_eq(a->findings[i].message, b->findings[i].message));
        assert(lg_str_eq(a->findings[i].field, b->findings[i].field));
    }
}

static void check_answer(const struct lg_review *review, const struct lg_judgement *judgement,
                         struct lg_arena *arena)
{
    struct lg_answer answer = {0};
    lg_answer_make(judgement, review->group, review->kind_name, arena, &answer);
    assert(answer.allowed == (judgement->verdict != LG_ACTION_DENY));
    assert(answer.allowed || (answer.message.n != 0 && answer.n_causes != 0));
    assert(answer.message.n <= 20 * 1024 && answer.n_warnings <= LG_WARNINGS_MAX);
    for (size_t i = 0; i < answer.n_warnings; i++)
        assert(answer.warnings[i].n <= LG_WARNING_BYTES_MAX);
    answer.uid = review->uid;
    size_t n = 0;
    free(lg_review_encode(&answer, &n));
    assert(n != 0);
}

static void check_no_way_around(const struct lg_engine_input *input,
                                const struct lg_judgement *judgement)
{
    struct lg_val root = input->object;
    if (input->kind == LG_KIND_POOL)
        root = lg_json_at(root, "spec.virtualMachineTemplate");
    struct lg_val spec = lg_json_get(root, "spec");
    struct lg_val volumes = lg_json_at(spec, "template.spec.volumes");
    bool person = judgement->requester == LG_REQUESTER_PERSON && input->username.n != 0;
    if (!person || lg_kind_judged_as(input->kind) != LG_KIND_VM || input->op != LG_OP_CREATE ||
        input->subresource || judgement->refused || !lg_str_is(judgement->subject.ns, "shop") ||
        lg_json_is(lg_json_get(spec, "runStrategy"), "WaitAsReceiver"))
        return;
    for (struct lg_json_iter it = lg_json_iter(volumes); lg_json_next(&it);)
        if (lg_json_is(lg_json_at(it.val, "persistentVolumeClaim.claimName"), "local"))
            assert(judgement->verdict == LG_ACTION_DENY);
}

/* What is mended is an object that nobody who acted objects to, and mending it again changes
 * nothing. */
static void check_mending(const struct lg_engine_input *input, struct lg_arena *arena)
{
    struct lg_engine_input changed = *input;
    struct lg_mending mending, again;
    struct lg_judgement judgement;
    lg_engine_mend(input, LG_MEND_ADMISSION, arena, &mending);
    lg_engine_mend(input, LG_MEND_ADMISSION, arena, &again);
    assert(lg_str_eq(mending.patch, again.patch));
    assert((mending.patch.n != 0) == (mending.n_notes != 0));
    if (mending.patch.n == 0)
        return;
    struct lg_doc *doc = lg_arena_alloc(arena, sizeof *doc);
    *doc = (struct lg_doc){
        .text = mending.text, .arena = arena, .without = input->object.doc->without};
    assert(lg_json_parse_doc(doc, &changed.object, NULL) == LG_E_OK);
    lg_engine_mend(&changed, LG_MEND_ADMISSION, arena, &again);
    assert(again.patch.n == 0);
    lg_engine_judge(&changed, arena, &judgement);
    assert(!judgement.refused && judgement.requester == LG_REQUESTER_PERSON);
    for (size_t i = 0; i < judgement.n; i++)
        for (size_t k = 0; k < mending.n_notes; k++)
            assert(judgement.findings[i].rule != mending.notes[k].rule);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lg_arena arena = {0};
    struct lg_review review = {0};
    struct lg_judgement judgement, again;
    if (inventory == NULL)
        set_up();
    if (lg_review_decode(&arena, (struct lg_str){(const char *)data, size}, &review, NULL) ==
        LG_E_OK) {
        struct lg_engine_input input = input_of(&review);
        lg_engine_judge(&input, &arena, &judgement);
        check_findings(&judgement);
        lg_engine_judge(&input, &arena, &again);
        check_same(&judgement, &again);
        check_answer(&review, &judgement, &arena);
        check_no_way_around(&input, &judgement);
        check_mending(&input, &arena);
    }
    lg_arena_done(&arena);
    return 0;
}
