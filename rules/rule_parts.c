/* What a VM names: instancetype and preference, where rules cannot look into them, and the claims
 * of its volumes. */
#include "rules/run.h"

static bool lacks(struct lg_rule_context *context, enum lg_part part)
{
    const struct lg_part_info *info = lg_expansion_part(&context->subject->vm, part);
    if (info->state == LG_PART_MISSING)
        lg_rule_lacks(context, info->at, info->kind, info->name);
    else if (info->state == LG_PART_UNUSABLE)
        lg_rule_lacks_text(context, info->at, info->problem);
    else
        return false;
    return true;
}

bool lg_rule_lacks_parts(struct lg_rule_context *context, unsigned parts)
{
    bool ret = false;
    for (int part = LG_PART_INSTANCETYPE; part <= LG_PART_PREFERENCE; part++)
        if ((parts & LG_BIT(part)) != 0)
            ret = lacks(context, (enum lg_part)part) || ret;
    return ret;
}

const struct lg_volume_claim *lg_rule_volume_claims(struct lg_rule_context *context, size_t *ret_n)
{
    struct lg_run *run = context->engine;
    if (run->claims == NULL) {
        struct lg_claims_view view = lg_inventory_claims(run->inventory);
        run->claims = lg_volume_claims(&run->subject.vm, &view, run->arena, &run->n_claims);
    }
    *ret_n = run->n_claims;
    return run->claims;
}
