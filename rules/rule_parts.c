/* What a VM names and rules cannot look into: its instancetype and its preference. */
#include "rules/run.h"
#include "rules/virt/expansion.h"

bool lg_rule_lacks_parts(struct lg_rule_context *context, unsigned parts)
{
    const struct lg_vm *vm = &context->subject->vm;
    if (!(vm->has_instancetype && (parts & LG_PART_INSTANCETYPE) != 0) &&
        !(vm->has_preference && (parts & LG_PART_PREFERENCE) != 0))
        return false;
    struct lg_val at;
    struct lg_str unread = lg_expansion_unread(vm, context->arena, &at);
    lg_rule_lacks_text(
        context, at,
        lg_arena_printf(context->arena, "this version does not read %.*s", LG_ARG(unread)));
    return true;
}
