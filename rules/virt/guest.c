#include "rules/virt/guest.h"

#include <strings.h>

static struct lg_str architecture_said(struct lg_val spec, const struct lg_settings *settings)
{
    struct lg_str said = lg_json_str(lg_json_get(spec, "architecture"));
    if (lg_str_empty(said))
        said = settings->default_architecture;
    return lg_str_empty(said) ? LG_STR("amd64") : said;
}

struct lg_str lg_guest_architecture(struct lg_val spec, const struct lg_settings *settings,
                                    struct lg_arena *arena)
{
    struct lg_str said = architecture_said(spec, settings);
    char *p = lg_arena_alloc(arena, said.n);
    for (size_t i = 0; i < said.n; i++)
        p[i] = (char)(said.p[i] >= 'A' && said.p[i] <= 'Z' ? said.p[i] + ('a' - 'A') : said.p[i]);
    return (struct lg_str){p, said.n};
}

bool lg_guest_is_architecture(struct lg_val spec, const struct lg_settings *settings,
                              const char *name)
{
    struct lg_str said = architecture_said(spec, settings);
    return said.n == strlen(name) && strncasecmp(said.p, name, said.n) == 0;
}

struct lg_str lg_guest_cpu_model(struct lg_val spec, const struct lg_settings *settings)
{
    if (lg_guest_is_architecture(spec, settings, "arm64"))
        return LG_STR("host-passthrough");
    struct lg_str said = lg_json_str_at(spec, "domain.cpu.model");
    if (lg_str_empty(said))
        said = settings->cpu_model;
    return lg_str_empty(said) ? LG_STR("host-model") : said;
}

bool lg_guest_feature_is_on(struct lg_val feature)
{
    return lg_json_there(feature) && lg_json_bool(lg_json_get(feature, "enabled"), true);
}
