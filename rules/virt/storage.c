#include "rules/virt/storage.h"

const struct lg_storage_class *lg_storage_newer_default(const struct lg_storage_class *best,
                                                        const struct lg_storage_class *candidate,
                                                        bool virt)
{
    if (!(virt ? candidate->is_virt_default : candidate->is_default))
        return best;
    if (best == NULL || candidate->r.created_unix_s > best->r.created_unix_s)
        return candidate;
    if (candidate->r.created_unix_s < best->r.created_unix_s)
        return best;
    return lg_str_cmp(candidate->r.name, best->r.name) < 0 ? candidate : best;
}

static void unresolved(struct lg_rendered *ret, enum lg_kind missing, struct lg_str name,
                       const char *why)
{
    ret->resolved = false;
    ret->missing = missing;
    ret->missing_name = name;
    ret->why = why;
}

static bool share_a_mode(const struct lg_modes *a, const struct lg_modes *b)
{
    for (int i = 0; i < a->n; i++)
        if (memchr(b->items, a->items[i], b->n) != NULL)
            return true;
    return false;
}

/* Fills what `ret` lacks from the profile's property sets; false where CDI gives up. */
static bool apply_profile(const struct lg_storage_profile *profile, struct lg_rendered *ret)
{
    if (ret->modes.n != 0) {
        for (uint32_t i = 0; i < profile->n_sets; i++)
            if (share_a_mode(&profile->sets[i].modes, &ret->modes)) {
                ret->volume_mode = profile->sets[i].volume_mode;
                break;
            }
        return true; /* Kubernetes' default where none matches */
    }
    uint32_t n = profile->n_sets;
    bool any_volume_mode = ret->volume_mode == LG_VOLUME_MODE_UNSET;
    if (any_volume_mode && n > 1)
        n = 1; /* the first set is the preferred one: there is no second choice */
    for (uint32_t i = 0; i < n; i++) {
        const struct lg_property_set *set = &profile->sets[i];
        if (set->modes.n == 0 || (!any_volume_mode && set->volume_mode != ret->volume_mode))
            continue;
        ret->modes = set->modes;
        ret->volume_mode = set->volume_mode;
        ret->from_profile = true;
        return true;
    }
    return false;
}

/* The class that CDI renders for; false where there is nothing to render (*ret says all). */
static bool choose_class(const struct lg_claim_spec *spec, const struct lg_storage_view *view,
                         struct lg_rendered *ret)
{
    const struct lg_storage_class *class = NULL;
    enum lg_lookup found = spec->has_class
                               ? view->class_by_name(view->arg, spec->class_name, &class)
                               : view->class_default(view->arg, !spec->archive, &class);
    if (found == LG_FOUND) {
        ret->has_class = true;
        ret->class_name = class->r.name;
        return true;
    }
    if (found == LG_UNKNOWN && spec->has_class)
        return true; /* it may well exist, and then it is this one */
    if (found == LG_ABSENT && spec->has_class)
        unresolved(ret, LG_KIND_STORAGE_CLASS, spec->class_name,
                   "the storage class does not exist");
    else if (spec->modes.n == 0 && found == LG_ABSENT)
        unresolved(ret, LG_KIND_STORAGE_CLASS, LG_STR(""),
                   "no access mode is given and no storage class is the default");
    else if (spec->modes.n == 0)
        unresolved(ret, LG_KIND_STORAGE_CLASS, LG_STR(""),
                   "no access mode is given and the default storage class is not known");
    return false;
}

void lg_storage_render(const struct lg_claim_spec *spec, const struct lg_storage_view *view,
                       struct lg_rendered *ret)
{
    *ret = (struct lg_rendered){.resolved = true,
                                .modes = spec->modes,
                                .volume_mode = spec->volume_mode,
                                .has_class = spec->has_class,
                                .class_name = spec->class_name,
                                .missing = LG_KIND_OTHER};
    if (!spec->storage_api && !spec->from_profile) {
        if (spec->modes.n == 0)
            unresolved(ret, LG_KIND_OTHER, LG_STR(""), "no access mode is given");
        return;
    }
    if (spec->archive && spec->volume_mode == LG_VOLUME_MODE_BLOCK) {
        unresolved(ret, LG_KIND_OTHER, LG_STR(""),
                   "an archive cannot be written to a block volume");
        return;
    }
    if (spec->archive)
        ret->volume_mode = LG_VOLUME_MODE_FILESYSTEM;
    if (!choose_class(spec, view, ret))
        return;
    if (ret->modes.n != 0 && ret->volume_mode != LG_VOLUME_MODE_UNSET)
        return;
    const struct lg_storage_profile *profile = NULL;
    enum lg_lookup found = view->profile_by_name(view->arg, ret->class_name, &profile);
    if (found == LG_FOUND) {
        if (!apply_profile(profile, ret))
            unresolved(ret, LG_KIND_OTHER, ret->class_name,
                       spec->volume_mode == LG_VOLUME_MODE_UNSET
                           ? "the storage profile offers no access mode"
                           : "the storage profile offers no access mode for this volume mode");
    } else if (found == LG_ABSENT) {
        unresolved(ret, LG_KIND_STORAGE_PROFILE, ret->class_name,
                   "the storage profile does not exist");
    } else if (ret->modes.n == 0) {
        unresolved(ret, LG_KIND_STORAGE_PROFILE, ret->class_name,
                   "no access mode is given and the storage profile is not known");
    }
}
