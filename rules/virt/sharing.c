#include "rules/virt/sharing.h"

static struct lg_sharing not_offered(struct lg_str class_name, struct lg_str why)
{
    return (struct lg_sharing){.class_name = class_name, .why_not = why};
}

/* The claim's class; Kubernetes' default for what CDI does not render. */
static bool find_class(const struct lg_claims_view *view, const struct lg_rendered *rendered,
                       struct lg_str *ret)
{
    const struct lg_storage_class *class = NULL;
    if (rendered->has_class) {
        *ret = rendered->class_name;
        return ret->n != 0;
    }
    if (view->storage.class_default(view->storage.arg, false, &class) != LG_FOUND)
        return false;
    *ret = class->r.name;
    return true;
}

/* What has to go with ReadWriteMany; UNSET: CDI chooses it to go with the access mode. */
static enum lg_volume_mode wanted_mode(const struct lg_claim_spec *asked)
{
    if (asked->volume_mode != LG_VOLUME_MODE_UNSET)
        return asked->volume_mode;
    if (asked->storage_api && !asked->archive)
        return LG_VOLUME_MODE_UNSET;
    return LG_VOLUME_MODE_FILESYSTEM;
}

static const char *mode_name(enum lg_volume_mode mode)
{
    return mode == LG_VOLUME_MODE_BLOCK ? "Block" : "Filesystem";
}

struct lg_sharing lg_sharing_offer(const struct lg_claims_view *view, struct lg_val body,
                                   const struct lg_claim_spec *asked,
                                   const struct lg_rendered *rendered, struct lg_arena *arena)
{
    struct lg_str name = LG_STR("");
    const struct lg_storage_profile *profile = NULL;
    if (lg_json_there(lg_json_get(body, "volumeName")) ||
        lg_json_there(lg_json_get(body, "selector")))
        return not_offered(LG_STR(""), LG_STR("it asks for a volume that exists (volumeName or "
                                              "selector); see which access modes that has"));
    if (!find_class(view, rendered, &name))
        return not_offered(LG_STR(""),
                           LG_STR("it names no storage class, and no default is known"));
    if (view->storage.profile_by_name(view->storage.arg, name, &profile) != LG_FOUND)
        return not_offered(
            name, lg_arena_printf(arena, "the storage profile of class \"%.*s\" is not known",
                                  LG_ARG(name)));
    const struct lg_property_set *set = lg_sharing_set(profile, wanted_mode(asked));
    if (set != NULL)
        return (struct lg_sharing){.offered = true,
                                   .volume_mode = wanted_mode(asked) == LG_VOLUME_MODE_UNSET
                                                      ? set->volume_mode
                                                      : LG_VOLUME_MODE_UNSET,
                                   .class_name = name};
    set = lg_sharing_set(profile, LG_VOLUME_MODE_UNSET);
    if (set == NULL)
        return not_offered(
            name,
            lg_arena_printf(arena, "class \"%.*s\" does not offer ReadWriteMany; choose another",
                            LG_ARG(name)));
    return (struct lg_sharing){
        .other_mode = set->volume_mode,
        .class_name = name,
        .why_not =
            lg_arena_printf(arena, "class \"%.*s\" offers ReadWriteMany only with volumeMode %s",
                            LG_ARG(name), mode_name(set->volume_mode)),
    };
}
