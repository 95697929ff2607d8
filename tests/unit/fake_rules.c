#include "tests/unit/fake_rules.h"

unsigned lg_fake_calls;

/* Claims named "rwo-..." are not shared; "capped-..." are a warning at most. */
static void fake_claims(struct lg_rule_context *context)
{
    lg_fake_calls++;
    struct lg_val volumes = lg_json_get(context->subject->vm.spec, "volumes");
    for (struct lg_json_iter it = lg_json_iter(volumes); lg_json_next(&it);) {
        struct lg_val at = lg_json_at(it.val, "persistentVolumeClaim.claimName");
        struct lg_str claim = lg_json_str(at);
        bool capped = lg_str_starts(claim, "capped-");
        if (!capped && !lg_str_starts(claim, "rwo-"))
            continue;
        struct lg_str volume = lg_json_str(lg_json_get(it.val, "name"));
        lg_rule_report(context,
                       &(struct lg_report){
                           .at = at,
                           .about = volume,
                           .ident = claim,
                           .at_most = capped ? LG_ACTION_WARN : LG_ACTION_OFF,
                           .message = lg_arena_printf(
                               context->arena,
                               "volume \"%.*s\": claim \"%.*s\" is ReadWriteOnce; live migration "
                               "needs ReadWriteMany",
                               LG_ARG(volume), LG_ARG(claim)),
                           .fix = LG_STR("create a ReadWriteMany claim and move the data"),
                       });
    }
}

/* Claims named "new-..." are looked up and not known. */
static void fake_unknown(struct lg_rule_context *context)
{
    lg_fake_calls++;
    struct lg_val volumes = lg_json_get(context->subject->vm.spec, "volumes");
    for (struct lg_json_iter it = lg_json_iter(volumes); lg_json_next(&it);) {
        struct lg_val at = lg_json_at(it.val, "persistentVolumeClaim.claimName");
        if (lg_str_starts(lg_json_str(at), "new-"))
            lg_rule_lacks(context, at, LG_KIND_CLAIM, lg_json_str(at));
    }
}

/* A claim of its own; never stronger than LG101. */
static void fake_claim(struct lg_rule_context *context)
{
    lg_fake_calls++;
    lg_rule_report(context, &(struct lg_report){.message = LG_STR("claim is not shared")});
}

/* Ports of the list `ports`. */
static void fake_ports(struct lg_rule_context *context)
{
    lg_fake_calls++;
    const struct lg_param_value *reserved = &context->params[0];
    struct lg_val list = lg_json_at(context->subject->vm.spec, "domain.devices.interfaces");
    for (struct lg_json_iter it = lg_json_iter(list); lg_json_next(&it);) {
        struct lg_val ports = lg_json_get(it.val, "ports");
        for (struct lg_json_iter p = lg_json_iter(ports); lg_json_next(&p);) {
            struct lg_val at = lg_json_get(p.val, "port");
            int64_t port = 0;
            bool hit = false;
            if (lg_json_int64(at, &port) != LG_E_OK)
                continue;
            for (size_t i = 0; i < reserved->n; i++)
                hit = hit || reserved->items[i] == port;
            if (hit)
                lg_rule_report(context, &(struct lg_report){
                                            .at = at,
                                            .about = lg_json_str(lg_json_get(it.val, "name")),
                                            .ident = lg_json_text(at),
                                            .message = LG_STR("port is reserved"),
                                        });
        }
    }
}

/* nodeSelector zone: nowhere leaves no node; zone: unknown cannot be judged; flood: 5000 gives that
 * many warnings. */
static void fake_placement(struct lg_rule_context *context)
{
    lg_fake_calls++;
    struct lg_val zone = lg_json_at(context->subject->vm.spec, "nodeSelector.zone");
    if (lg_json_is(lg_json_at(context->subject->vm.spec, "nodeSelector.flood"), "5000"))
        for (int i = 0; i < 5000; i++)
            lg_rule_report(context, &(struct lg_report){.at_most = LG_ACTION_WARN,
                                                        .message = LG_STR("one of many")});
    if (lg_json_is(zone, "nowhere"))
        lg_rule_report(context, &(struct lg_report){.at = zone, .message = LG_STR("no node fits")});
    if (lg_json_is(zone, "unknown"))
        lg_rule_lacks(context, zone, LG_KIND_NODE, LG_STR(""));
}

/* nodeSelector zone: single leaves one node. */
static void fake_single(struct lg_rule_context *context)
{
    lg_fake_calls++;
    struct lg_val zone = lg_json_at(context->subject->vm.spec, "nodeSelector.zone");
    if (lg_json_is(zone, "single"))
        lg_rule_report(context, &(struct lg_report){.at = zone, .message = LG_STR("one fits")});
}

/* Says what the rules find in a VMI that a migration carries in its annotations, as JSON. */
static void fake_migration(struct lg_rule_context *context)
{
    lg_fake_calls++;
    struct lg_str text = lg_json_str_at(context->subject->object, "metadata.annotations.vmi");
    struct lg_val vmi = LG_NONE;
    if (lg_json_parse(context->arena, text, &vmi, NULL) != LG_E_OK)
        return;
    size_t n = 0;
    const struct lg_finding *findings =
        lg_rule_judge_vmi(context, context->subject->ns, LG_STR("guest"), vmi, &n);
    for (size_t i = 0; i < n; i++)
        lg_rule_report(context, &(struct lg_report){.message = findings[i].message,
                                                    .ident = findings[i].ident,
                                                    .at_most = LG_ACTION_WARN});
}

static const struct lg_param fake_port_params[] = {
    {.name = "ports",
     .type = LG_PARAM_INT_LIST,
     .min = 1,
     .max = 65535,
     .otherwise = {.items = {49152, 49153}, .n = 2},
     .doc = "ports"},
    {.name = "strict", .type = LG_PARAM_BOOL, .doc = "a flag"},
    {0},
};

/* Claims named "rwo-..." become "shared". */
static void fake_mend(struct lg_rule_context *context, struct lg_repair *repair)
{
    struct lg_val volumes = lg_json_get(context->subject->vm.spec, "volumes");
    for (struct lg_json_iter it = lg_json_iter(volumes); lg_json_next(&it);) {
        struct lg_val claim = lg_json_get(it.val, "persistentVolumeClaim");
        struct lg_val name = lg_json_get(it.val, "name");
        if (!lg_str_starts(lg_json_str_at(claim, "claimName"), "rwo-"))
            continue;
        lg_repair_read(repair, lg_json_str(name), name);
        lg_repair_set(repair, claim, "claimName", LG_STR("\"shared\""));
        lg_repair_say(repair, lg_json_str(name), LG_STR("another claim"));
    }
}

/* Puts the strategy into the spec, which does not help against zone: nowhere. */
static void fake_place(struct lg_rule_context *context, struct lg_repair *repair)
{
    lg_repair_set(repair, context->subject->vm.spec, "strategy",
                  lg_arena_printf(context->arena, "\"%.*s\"", LG_ARG(lg_repair_choice(repair))));
}

static const char *const fake_choices[] = {"Gentle", "Firm", NULL};
static const struct lg_fixer fake_claims_fixer = {
    .kind = LG_FIXER_CHANGES, .acts = "always", .mend = fake_mend};
static const struct lg_fixer fake_placement_fixer = {.kind = LG_FIXER_ADDS,
                                                     .acts = "in vain",
                                                     .option = "strategy",
                                                     .option_doc = "how",
                                                     .choices = fake_choices,
                                                     .mend = fake_place};
static const struct lg_fixer fake_files_fixer = {
    .kind = LG_FIXER_FILES, .acts = "in files", .mend = fake_mend};

#define FAKE_GUESTS (LG_BIT(LG_KIND_VM) | LG_BIT(LG_KIND_VMI))
#define FAKE_WRITES (LG_BIT(LG_OP_CREATE) | LG_BIT(LG_OP_UPDATE))

static const struct lg_rule fake_rules[] = {
    {.id = "LG101",
     .name = "claim-not-shared",
     .action = LG_ACTION_DENY,
     .kinds = FAKE_GUESTS,
     .ops = FAKE_WRITES,
     .kubevirt_reason = "DisksNotLiveMigratable",
     .ident_alone = true,
     .check = fake_claims,
     .fixer = &fake_claims_fixer},
    {.id = "LG102",
     .name = "claim-unknown",
     .action = LG_ACTION_PENDING,
     .kinds = FAKE_GUESTS,
     .ops = FAKE_WRITES,
     .check = fake_unknown},
    {.id = "LG104",
     .name = "vm-claim-not-shared",
     .action = LG_ACTION_DENY,
     .kinds = LG_BIT(LG_KIND_CLAIM),
     .ops = LG_BIT(LG_OP_CREATE),
     .not_stronger_than = "LG101",
     .check = fake_claim,
     .fixer = &fake_files_fixer},
    {.id = "LG202",
     .name = "migration-port-collision",
     .action = LG_ACTION_DENY,
     .kinds = FAKE_GUESTS,
     .ops = FAKE_WRITES,
     .params = fake_port_params,
     .check = fake_ports},
    {.id = "LG401",
     .name = "no-eligible-node",
     .action = LG_ACTION_DENY,
     .kinds = FAKE_GUESTS,
     .ops = FAKE_WRITES,
     .check = fake_placement,
     .fixer = &fake_placement_fixer},
    {.id = "LG402",
     .name = "no-second-node",
     .action = LG_ACTION_DENY,
     .kinds = FAKE_GUESTS,
     .ops = FAKE_WRITES,
     .better_than = "LG401",
     .check = fake_single},
    {.id = "LG602",
     .name = "vmi-not-migratable",
     .action = LG_ACTION_DENY,
     .kinds = LG_BIT(LG_KIND_MIGRATION),
     .ops = LG_BIT(LG_OP_CREATE),
     .check = fake_migration},
};

const struct lg_rule *const lg_rules[] = {
    &fake_rules[0], &fake_rules[1], &fake_rules[2], &fake_rules[3],
    &fake_rules[4], &fake_rules[5], &fake_rules[6], NULL};
