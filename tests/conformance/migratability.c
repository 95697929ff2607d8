/* migratability.jsonl: does KubeVirt call this VM live-migratable, and would its disks be copied?
 *
 * KubeVirt names only its first reason; it must be among all that are found.
 */
#include "rules/engine.h"
#include "tests/conformance/conformance.h"

static bool add(struct lg_inventory *inventory, struct lg_val object, struct lg_buf *got)
{
    struct lg_err err = {0};
    struct lg_record *record = NULL;
    if (lg_record_new(object, &record, &err) != LG_E_OK) {
        lg_buf_printf(got, "an object that cannot be read: %s: %s", err.where, err.text);
        return false;
    }
    lg_inventory_set(inventory, record);
    return true;
}

static bool fill(struct lg_inventory *inventory, struct lg_val row, struct lg_buf *got)
{
    static const enum lg_kind complete[] = {LG_KIND_CLAIM,         LG_KIND_VOLUME,
                                            LG_KIND_STORAGE_CLASS, LG_KIND_STORAGE_PROFILE,
                                            LG_KIND_DATA_VOLUME,   LG_KIND_VM,
                                            LG_KIND_VMI,           LG_KIND_NAMESPACE,
                                            LG_KIND_KUBEVIRT,      LG_KIND_HYPERCONVERGED};
    for (size_t i = 0; i < sizeof complete / sizeof *complete; i++)
        lg_inventory_set_known(inventory, complete[i], LG_KNOWN);
    bool ok = add(inventory, lg_json_get(row, "kubevirt"), got);
    struct lg_val claims = lg_json_get(row, "pvcs");
    for (struct lg_json_iter it = lg_json_iter(claims); ok && lg_json_next(&it);)
        ok = add(inventory, it.val, got);
    return ok;
}

static bool gives(const struct lg_judgement *judgement, struct lg_str reason)
{
    for (size_t i = 0; i < judgement->n; i++) {
        const char *ours = judgement->findings[i].kubevirt_reason;
        if (ours != NULL && lg_str_is(reason, ours))
            return true;
    }
    return false;
}

static void describe(struct lg_buf *out, int migratable, bool block)
{
    lg_buf_printf(out, "%s, %s migration",
                  migratable == 1   ? "migratable"
                  : migratable == 0 ? "not migratable"
                                    : "not known",
                  block ? "block" : "live");
}

static enum conformance_result compare(const struct lg_judgement *judgement, struct lg_val expect,
                                       struct lg_buf *expected, struct lg_buf *got)
{
    struct lg_str reason = lg_json_str(lg_json_get(expect, "reason"));
    int migratable = lg_json_bool(lg_json_get(expect, "migratable"), false);
    bool block = lg_json_bool(lg_json_get(expect, "blockMigration"), false);
    bool same = lg_judgement_migratable(judgement) == migratable &&
                lg_judgement_block_migration(judgement) == block && !judgement->refused;
    if (same && (migratable || gives(judgement, reason)))
        return CONFORMANCE_PASSED;
    describe(expected, migratable, block);
    lg_buf_printf(expected, " (%.*s)", LG_ARG(reason));
    describe(got, lg_judgement_migratable(judgement), lg_judgement_block_migration(judgement));
    for (size_t i = 0; i < judgement->n; i++)
        lg_buf_printf(got, "; %s %.*s", judgement->findings[i].rule->id,
                      LG_ARG(judgement->findings[i].message));
    if (judgement->refused)
        lg_buf_printf(got, "; refused: %s: %s", judgement->refusal.where, judgement->refusal.text);
    return CONFORMANCE_FAILED;
}

static enum conformance_result judge_row(struct lg_val row, struct lg_arena *arena,
                                         struct lg_buf *expected, struct lg_buf *got)
{
    struct lg_val expect = lg_json_get(row, "expect");
    struct lg_inventory *inventory = lg_inventory_new();
    struct lg_policy *policy = lg_policy_default();
    struct lg_judgement judgement;
    struct lg_engine_input input = {
        .inventory = inventory,
        .policy = policy,
        .kind = LG_KIND_VM,
        .op = LG_OP_CREATE,
        .object = lg_json_get(row, "vm"),
    };
    enum conformance_result result = CONFORMANCE_FAILED;
    if (fill(inventory, row, got)) {
        lg_engine_judge(&input, arena, &judgement);
        result = compare(&judgement, expect, expected, got);
    }
    lg_policy_unref(policy);
    lg_inventory_free(inventory);
    return result;
}

const struct conformance_corpus conformance_migratability = {"migratability", judge_row};
