#include "rules/virt/expansion.h"

static struct lg_str named(const char *noun, struct lg_val ref, struct lg_arena *arena)
{
    struct lg_str name = lg_json_str_at(ref, "name");
    if (lg_str_empty(name))
        return lg_arena_printf(arena, "the VM's %s", noun);
    return lg_arena_printf(arena, "%s \"%.*s\"", noun, LG_ARG(lg_str_cut(name, 253)));
}

struct lg_str lg_expansion_unread(const struct lg_vm *vm, struct lg_arena *arena,
                                  struct lg_val *ret_at)
{
    struct lg_val instancetype = lg_json_at(vm->object, "spec.instancetype");
    struct lg_val preference = lg_json_at(vm->object, "spec.preference");
    *ret_at = vm->has_instancetype ? instancetype : preference;
    if (!vm->has_instancetype && !vm->has_preference)
        return LG_STR("");
    if (!vm->has_preference)
        return named("instancetype", instancetype, arena);
    if (!vm->has_instancetype)
        return named("preference", preference, arena);
    return lg_arena_printf(arena, "%.*s and %.*s",
                           LG_ARG(named("instancetype", instancetype, arena)),
                           LG_ARG(named("preference", preference, arena)));
}
