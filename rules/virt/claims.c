#include "rules/virt/claims.h"

#include <stdlib.h>

#include "rules/virt/expansion.h"

static const char adoption[] = "cdi.kubevirt.io/allowClaimAdoption";

/* Items of a list by a name in them: lists are as long as a user makes them. */
struct named {
    struct lg_str name;
    struct lg_val item;
};

struct index {
    /* by name, each once: the first of that name is the one that gets made */
    const struct named *items;
    size_t n;
};

static int by_name(const void *a, const void *b)
{
    return lg_str_cmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

static int by_name_and_place(const void *a, const void *b)
{
    const struct named *x = a, *y = b;
    int order = lg_str_cmp(x->name, y->name);
    return order != 0 ? order : (x->item.i > y->item.i) - (x->item.i < y->item.i);
}

static struct index index_of(struct lg_val list, const char *path, struct lg_arena *arena)
{
    struct named *items = lg_arena_array(arena, lg_json_len(list), sizeof *items);
    size_t n = 0;
    for (struct lg_json_iter it = lg_json_iter(list); lg_json_next(&it);)
        items[n++] = (struct named){lg_json_str_at(it.val, path), it.val};
    qsort(items, n, sizeof *items, by_name_and_place);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || !lg_str_eq(items[i].name, items[kept - 1].name))
            items[kept++] = items[i];
    return (struct index){items, kept};
}

static struct lg_val find(const struct index *index, struct lg_str name)
{
    const struct named wanted = {.name = name};
    if (index->n == 0)
        return LG_NONE;
    const struct named *found = bsearch(&wanted, index->items, index->n, sizeof wanted, by_name);
    return found != NULL ? found->item : LG_NONE;
}

/* True when KubeVirt is moving the volume to this very claim. */
static bool is_moving(const struct index *migrated, const struct lg_volume_claim *claim)
{
    struct lg_val item = find(migrated, claim->volume);
    struct lg_val to = lg_json_at(item, "destinationPVCInfo.claimName");
    return lg_json_there(item) && (!lg_json_there(to) || lg_json_is_str(to, claim->claim));
}

static void set_missing(struct lg_volume_claim *claim, enum lg_kind kind)
{
    claim->from = LG_FROM_NOWHERE;
    claim->rendered = (struct lg_rendered){
        .missing = kind, .missing_name = claim->claim, .why = "nothing of that name is known"};
}

static void use_existing(struct lg_volume_claim *claim, const struct lg_claim *record,
                         const struct lg_claims_view *view)
{
    claim->from = LG_FROM_CLAIM;
    if (record->spec.modes.n == 0 && record->spec.from_profile) {
        lg_storage_render(&record->spec, &view->storage, &claim->rendered);
        return;
    }
    claim->rendered = (struct lg_rendered){
        .resolved = true,
        .modes = record->spec.modes,
        .volume_mode = record->spec.volume_mode,
        .has_class = record->spec.has_class,
        .class_name = record->spec.class_name,
    };
}

/* The class, and with it the modes, would be those that a preference names which could not be
 * read. */
static bool hangs_on_preference(const struct lg_claim_spec *asked, const struct lg_part_info *info)
{
    return asked->storage_api && !asked->has_class && asked->modes.n == 0 &&
           (info->state == LG_PART_MISSING || info->state == LG_PART_UNUSABLE);
}

static void use_template(struct lg_volume_claim *claim, struct lg_val item, const struct lg_vm *vm,
                         const struct lg_claims_view *view)
{
    const struct lg_part_info *preference = lg_expansion_part(vm, LG_PART_PREFERENCE);
    struct lg_val spec = lg_json_get(item, "spec");
    struct lg_claim_spec asked = lg_claim_spec_of_data_volume(spec);
    struct lg_val body = lg_json_get(spec, asked.storage_api ? "storage" : "pvc");
    struct lg_val modes = lg_json_get(body, "accessModes");
    claim->from = LG_FROM_TEMPLATE;
    claim->template = item;
    claim->at = lg_json_there(modes) ? modes : lg_json_there(body) ? body : item;
    if (!hangs_on_preference(&asked, preference)) {
        lg_storage_render(&asked, &view->storage, &claim->rendered);
        return;
    }
    bool missing = preference->state == LG_PART_MISSING;
    claim->rendered = (struct lg_rendered){
        .missing = missing ? preference->kind : LG_KIND_OTHER,
        .missing_name = missing ? preference->name : LG_STR(""),
        .why = "the preference that may name its class cannot be read",
    };
}

/* A claim that may or may not exist matters where the template says that it would be taken over. */
static bool adopts(struct lg_val template)
{
    struct lg_val annotations = lg_json_at(template, "metadata.annotations");
    return lg_json_is(lg_json_get(annotations, adoption), "true");
}

static void resolve(struct lg_volume_claim *claim, const struct lg_vm *vm, bool by_data_volume,
                    const struct index *templates, const struct lg_claims_view *view)
{
    const struct lg_claim *record = NULL;
    struct lg_val template = find(templates, claim->claim);
    /* A pool writes each machine's number behind the names of its templates: nothing of this name
     * is meant. */
    if (vm->kind == LG_KIND_POOL && lg_json_there(template)) {
        use_template(claim, template, vm, view);
        return;
    }
    enum lg_lookup found = view->claim(view->arg, vm->ns, claim->claim, &record);
    if (found == LG_FOUND) {
        use_existing(claim, record, view);
        return;
    }
    if (lg_json_there(template)) {
        if (found == LG_UNKNOWN && adopts(template))
            set_missing(claim, LG_KIND_CLAIM);
        else
            use_template(claim, template, vm, view);
        return;
    }
    const struct lg_data_volume *data_volume = NULL;
    enum lg_lookup made = view->data_volume(view->arg, vm->ns, claim->claim, &data_volume);
    if (made == LG_FOUND) {
        claim->from = LG_FROM_DATA_VOLUME;
        lg_storage_render(&data_volume->spec, &view->storage, &claim->rendered);
        return;
    }
    bool claim_decides = !by_data_volume || (found == LG_UNKNOWN && made == LG_ABSENT);
    set_missing(claim, claim_decides ? LG_KIND_CLAIM : LG_KIND_DATA_VOLUME);
}

const struct lg_volume_claim *lg_volume_claims(const struct lg_vm *vm,
                                               const struct lg_claims_view *view,
                                               struct lg_arena *arena, size_t *ret_n)
{
    struct lg_val volumes = lg_json_get(vm->spec, "volumes");
    struct lg_volume_claim *claims = lg_arena_array(arena, lg_json_len(volumes), sizeof *claims);
    struct index templates = index_of(vm->data_volume_templates, "metadata.name", arena);
    struct index migrated = index_of(vm->migrated_volumes, "volumeName", arena);
    struct index filesystems =
        index_of(lg_json_at(vm->spec, "domain.devices.filesystems"), "name", arena);
    size_t n = 0;
    for (struct lg_json_iter it = lg_json_iter(volumes); lg_json_next(&it);) {
        struct lg_val by_claim = lg_json_at(it.val, "persistentVolumeClaim.claimName");
        struct lg_val by_data_volume = lg_json_at(it.val, "dataVolume.name");
        bool is_claim = lg_json_there(by_claim);
        if (!is_claim && !lg_json_there(by_data_volume))
            continue;
        struct lg_val at = is_claim ? by_claim : by_data_volume;
        struct lg_volume_claim *claim = &claims[n++];
        *claim = (struct lg_volume_claim){
            .volume = lg_json_str_at(it.val, "name"),
            .claim = lg_json_str(at),
            .at = at,
        };
        claim->moving = is_moving(&migrated, claim);
        if (claim->volume.n != 0 && lg_json_there(find(&filesystems, claim->volume)))
            claim->needs = LG_VOLUME_MODE_FILESYSTEM;
        resolve(claim, vm, !is_claim, &templates, view);
    }
    *ret_n = n;
    return claims;
}

const struct lg_property_set *lg_sharing_set(const struct lg_storage_profile *profile,
                                             enum lg_volume_mode mode)
{
    for (uint32_t i = 0; i < profile->n_sets; i++) {
        const struct lg_property_set *set = &profile->sets[i];
        if (lg_modes_shared(&set->modes) &&
            (mode == LG_VOLUME_MODE_UNSET || set->volume_mode == mode))
            return set;
    }
    return NULL;
}

enum { CLASSES_SHOWN_MAX = 5 };

/* Keeps the first names in order; returns the new count of kept ones. */
static size_t keep_name(struct lg_str *names, size_t n, struct lg_str name)
{
    size_t at = n;
    while (at > 0 && lg_str_cmp(name, names[at - 1]) < 0)
        at--;
    if (at == CLASSES_SHOWN_MAX)
        return n;
    size_t kept = n < CLASSES_SHOWN_MAX ? n + 1 : n;
    memmove(names + at + 1, names + at, (kept - at - 1) * sizeof *names);
    names[at] = name;
    return kept;
}

struct lg_str lg_sharing_classes(const struct lg_claims_view *view, enum lg_volume_mode needs,
                                 struct lg_arena *arena)
{
    struct lg_str names[CLASSES_SHOWN_MAX];
    size_t shown = 0;
    size_t all = 0;
    const struct lg_storage_profile *profile;
    for (size_t pos = 0; (profile = view->next_profile(view->arg, &pos)) != NULL;) {
        const struct lg_storage_class *class = NULL;
        if (lg_sharing_set(profile, needs) == NULL ||
            view->storage.class_by_name(view->storage.arg, profile->r.name, &class) == LG_ABSENT)
            continue;
        shown = keep_name(names, shown, profile->r.name);
        all++;
    }
    struct lg_buf buf = {0};
    for (size_t i = 0; i < shown; i++) {
        lg_buf_puts(&buf, i != 0 ? ", " : "");
        lg_buf_str(&buf, names[i]);
    }
    if (all > shown)
        lg_buf_printf(&buf, " and %zu more", all - shown);
    struct lg_str text = lg_arena_str(arena, lg_buf_view(&buf));
    lg_buf_done(&buf);
    return text;
}

struct lg_str lg_sharing_advice(const struct lg_claims_view *view,
                                const struct lg_rendered *rendered, enum lg_volume_mode needs,
                                struct lg_arena *arena)
{
    const struct lg_storage_profile *profile = NULL;
    enum lg_lookup found = LG_UNKNOWN;
    if (rendered->has_class)
        found = view->storage.profile_by_name(view->storage.arg, rendered->class_name, &profile);
    const struct lg_property_set *set = NULL;
    if (found == LG_FOUND) {
        if (needs == LG_VOLUME_MODE_UNSET)
            set = lg_sharing_set(profile, rendered->volume_mode);
        if (set == NULL)
            set = lg_sharing_set(profile, needs);
    }
    if (set != NULL) {
        const char *mode = set->volume_mode == LG_VOLUME_MODE_BLOCK ? "Block" : "Filesystem";
        return lg_arena_printf(
            arena,
            "set accessModes: [ReadWriteMany] and volumeMode: %s (class \"%.*s\" offers them)",
            mode, LG_ARG(rendered->class_name));
    }
    struct lg_str classes = lg_sharing_classes(view, needs, arena);
    const char *then = rendered->from_profile ? "" : " and set accessModes: [ReadWriteMany]";
    const char *as_files = needs == LG_VOLUME_MODE_FILESYSTEM
                               ? " with volumeMode Filesystem, as virtiofs needs it"
                               : "";
    if (classes.n != 0)
        return lg_arena_printf(
            arena, "choose a storageClassName that offers ReadWriteMany%s (here: %.*s)%s", as_files,
            LG_ARG(classes), then);
    return lg_arena_printf(
        arena, "set accessModes: [ReadWriteMany], with a storageClassName that offers it%s",
        as_files);
}
