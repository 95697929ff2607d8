/* What a VM names and rules cannot look into: its instancetype and its preference. */
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
