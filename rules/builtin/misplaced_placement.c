/* LG403: placement written where nobody reads it.
 *
 * The guest's placement stands in spec.template.spec. One level above or below, the API server
 * drops it without a word, so that the webhook never sees it: only files show it. Source:
 * KubeVirt's CustomResourceDefinitions (structural, without preserveUnknownFields).
 */
#include "rules/builtin/examples.h"
#include "rules/rule.h"

static const char *const fields[] = {"nodeSelector", "affinity", "tolerations",
                                     "topologySpreadConstraints"};
static const char *const kinds_of_affinity[] = {"nodeAffinity", "podAffinity", "podAntiAffinity"};

static void report_at(struct lg_rule_context *context, struct lg_val at, const char *where,
                      const char *name, const char *right)
{
    const struct lg_report report = {
        .at = at,
        .ident = lg_arena_printf(context->arena, "%s.%s", where, name),
        .message = lg_arena_printf(context->arena, "%s stands in %s, where the API server drops it",
                                   name, where),
        .fix = lg_arena_printf(context->arena, "move it to %s", right),
    };
    lg_rule_report(context, &report);
}

static void check(struct lg_rule_context *context)
{
    struct lg_val vm_spec = lg_json_get(context->subject->vm.root, "spec");
    struct lg_val template = lg_json_get(vm_spec, "template");
    struct lg_val spec = lg_json_get(template, "spec");
    const struct {
        struct lg_val place;
        const char *name;
    } places[] = {{vm_spec, "spec"},
                  {template, "spec.template"},
                  {lg_json_get(spec, "domain"), "spec.template.spec.domain"}};
    for (size_t p = 0; p < sizeof(places) / sizeof(*places); p++) {
        for (size_t f = 0; f < sizeof(fields) / sizeof(*fields); f++) {
            struct lg_val at = lg_json_get(places[p].place, fields[f]);
            if (lg_json_there(at))
                report_at(context, at, places[p].name, fields[f],
                          lg_arena_printf(context->arena, "spec.template.spec.%s", fields[f]).p);
        }
    }
    for (size_t k = 0; k < sizeof(kinds_of_affinity) / sizeof(*kinds_of_affinity); k++) {
        struct lg_val at = lg_json_get(spec, kinds_of_affinity[k]);
        if (lg_json_there(at))
            report_at(context, at, "spec.template.spec", kinds_of_affinity[k],
                      "spec.template.spec.affinity");
    }
}

#define VM(spec) LG_EX_VM(LG_EX_WEB, "spec:\n" spec)

static const struct lg_rule_example examples[] = {
    {.name = "where it belongs",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("  template:\n"
                  "    spec: {nodeSelector: {zone: a}, tolerations: [], domain: {}}\n")},
    {.name = "beside the template",
     .expect = LG_EXPECT_WARN,
     .object = VM("  nodeSelector: {zone: a}\n"
                  "  template: {spec: {domain: {}}}\n"),
     .message = "nodeSelector stands in spec, where the API server drops it"},
    {.name = "beside the template's spec",
     .expect = LG_EXPECT_WARN,
     .object = VM("  template:\n"
                  "    tolerations: [{operator: Exists}]\n"
                  "    spec: {domain: {}}\n"),
     .message = "tolerations stands in spec.template,"},
    {.name = "inside the domain",
     .expect = LG_EXPECT_WARN,
     .object = VM("  template:\n"
                  "    spec: {domain: {affinity: {nodeAffinity: {}}}}\n"),
     .message = "affinity stands in spec.template.spec.domain,"},
    {.name = "affinity is left out",
     .expect = LG_EXPECT_WARN,
     .object = VM("  template:\n"
                  "    spec: {podAntiAffinity: {}, domain: {}}\n"),
     .message = "podAntiAffinity stands in spec.template.spec,"},
    {.name = "whatever its type",
     .expect = LG_EXPECT_WARN,
     .object = VM("  affinity: none\n"
                  "  template: {spec: {domain: {}}}\n")},
    {.name = "null is as good as absent",
     .expect = LG_EXPECT_NOTHING,
     .object = VM("  tolerations: null\n"
                  "  template: {spec: {domain: {}}}\n")},
    {0},
};

const struct lg_rule lg_rule_misplaced_placement = {
    .id = "LG403",
    .name = "misplaced-placement",
    .title = "placement that stands at the wrong level",
    .rationale = "A nodeSelector, affinity, tolerations or spread constraints outside "
                 "spec.template.spec are dropped by the API server without a word: the guest runs "
                 "anywhere, and the file says otherwise.",
    .remedy = "Move them into spec.template.spec; the kinds of affinity go into its affinity.",
    .source = "KubeVirt's CustomResourceDefinition of VirtualMachine: unknown fields are pruned",
    .action = LG_ACTION_WARN,
    .kinds = LG_BIT(LG_KIND_VM),
    .ops = LG_BIT(LG_OP_CREATE) | LG_BIT(LG_OP_UPDATE),
    .check = check,
    .examples = examples,
};
