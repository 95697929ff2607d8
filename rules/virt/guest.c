#include "rules/virt/guest.h"

#include <strings.h>

bool lg_guest_is_architecture(const struct lg_vm *vm, const struct lg_settings *settings,
                              const char *name)
{
    struct lg_str said = lg_json_str(lg_json_get(vm->spec, "architecture"));
    if (lg_str_empty(said))
        said = settings->default_architecture;
    return said.n == strlen(name) && strncasecmp(said.p, name, said.n) == 0;
}

struct lg_str lg_guest_cpu_model(const struct lg_vm *vm, const struct lg_settings *settings)
{
    if (lg_guest_is_architecture(vm, settings, "arm64"))
        return LG_STR("host-passthrough");
    struct lg_str said = lg_json_str_at(vm->spec, "domain.cpu.model");
    return lg_str_empty(said) ? settings->cpu_model : said;
}

bool lg_guest_feature_is_on(struct lg_val feature)
{
    return lg_json_there(feature) && lg_json_bool(lg_json_get(feature, "enabled"), true);
}
