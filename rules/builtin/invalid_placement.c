/* LG404: placement that the scheduler refuses, or that can never be true.
 *
 * KubeVirt hands nodeSelector, affinity and tolerations on to the launcher pod. What Kubernetes
 * does not accept there shows only when the guest is started, and what can never match leaves the
 * pod Pending. No cluster is needed to see either.
 * Source: Kubernetes core validation of pods, apimachinery labels.NewRequirement.
 */
#include "rules/builtin/examples.h"
#include "rules/rule.h"

static void check(struct lg_rule_context *context)
{
    size_t n;
    const struct lg_placement_problem *problems =
        lg_placement_problems(context->subject->vm.spec, context->arena, &n);
    for (size_t i = 0; i < n; i++) {
        struct lg_report report = {
            .at = problems[i].at,
            .message = problems[i].message,
            .fix = problems[i].fix,
        };
        lg_rule_report(context, &report);
    }
}

#define VM(placement) LG_EX_VM_OF(LG_EX_WEB, "", placement "domain: {devices: {}}")

#define REQUIRED(terms)                                                                            \
    VM("affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "                \
       "{nodeSelectorTerms: " terms "}}}, ")

static const struct lg_rule_example examples[] = {
    {.name = "a term that can match",
     .expect = LG_EXPECT_NOTHING,
     .object = REQUIRED("[{matchExpressions: [{key: zone, operator: In, values: [a, b]}]}]")},
    {.name = "an operator in the wrong case",
     .expect = LG_EXPECT_DENY,
     .object = REQUIRED("[{matchExpressions: [{key: zone, operator: in, values: [a]}]}]"),
     .message = "there is no operator \"in\""},
    {.name = "no placement at all", .expect = LG_EXPECT_NOTHING, .object = VM("")},
    {.name = "a comparison with a word",
     .expect = LG_EXPECT_DENY,
     .object = REQUIRED("[{matchExpressions: [{key: gen, operator: Gt, values: [three]}]}]"),
     .message = "compares integers, and \"three\" is none"},
    {.name = "a term that contradicts itself",
     .expect = LG_EXPECT_DENY,
     .object = REQUIRED("[{matchExpressions: [{key: zone, operator: In, values: [a]}, "
                        "{key: zone, operator: In, values: [b]}]}]"),
     .message = "what it asks of \"zone\" contradicts itself"},
    {.name = "beside it a term that can match",
     .expect = LG_EXPECT_NOTHING,
     .object = REQUIRED("[{}, {matchExpressions: [{key: zone, operator: Exists}]}]")},
    {.name = "no terms",
     .expect = LG_EXPECT_DENY,
     .object = REQUIRED("[]"),
     .message = "matches no node"},
    {.name = "a toleration with an operator of another list",
     .expect = LG_EXPECT_DENY,
     .object = VM("tolerations: [{key: gpu, operator: In, value: \"true\"}], "),
     .message = "toleration: there is no operator \"In\""},
    {.name = "a toleration of everything",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("tolerations: [{operator: Exists}], ")},
    {.name = "an update that leaves it as it was",
     .expect = LG_EXPECT_WARN,
     .object = VM("nodeSelector: {zone: a}, "
                  "tolerations: [{key: gpu, operator: Exists, value: \"true\"}], "),
     .old_object = VM("tolerations: [{key: gpu, operator: Exists, value: \"true\"}], ")},
    {0},
};

const struct lg_rule lg_rule_invalid_placement = {
    .id = "LG404",
    .name = "invalid-placement",
    .title = "placement that the scheduler refuses, or that can never be true",
    .rationale = "Operators, values and tolerations reach the scheduler only when the guest is "
                 "started: then the launcher pod is refused, or waits for a node that cannot "
                 "exist. Nothing at the VM says so.",
    .remedy = "Node affinity knows In, NotIn, Exists, DoesNotExist, Gt and Lt (these two with one "
              "integer); tolerations know Exists and Equal. What stands in one term must all "
              "hold; terms are alternatives, and an empty term matches no node.",
    .source = "Kubernetes pkg/apis/core/validation, pods; apimachinery labels.NewRequirement",
    .action = LG_ACTION_DENY,
    .kinds = LG_BIT(LG_KIND_VM) | LG_BIT(LG_KIND_VMI),
    .ops = LG_BIT(LG_OP_CREATE) | LG_BIT(LG_OP_UPDATE),
    .check = check,
    .examples = examples,
};
