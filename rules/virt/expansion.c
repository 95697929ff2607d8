#include "rules/virt/expansion.h"

#include <stdlib.h>
#include <strings.h>

#include "rules/core/mem.h"
#include "rules/virt/expansion_plan.h"

struct lg_expansion {
    struct lg_part_info parts[LG_PART_PREFERENCE + 1];
    const struct lg_stretch *stretches; /* by where they stand in the text */
    size_t n;
    const struct lg_doc *doc; /* NULL: nothing was put in */
};

/* What differs between the two parts, but for what they bring. */
static const struct {
    const char *noun;
    enum lg_kind kind, cluster_kind;
} part_kinds[] = {
    [LG_PART_INSTANCETYPE] = {"instancetype", LG_KIND_INSTANCETYPE, LG_KIND_CLUSTER_INSTANCETYPE},
    [LG_PART_PREFERENCE] = {"preference", LG_KIND_PREFERENCE, LG_KIND_CLUSTER_PREFERENCE},
};

static bool same_word(struct lg_str s, const char *word)
{
    return s.n == strlen(word) && strncasecmp(s.p, word, s.n) == 0;
}

/* KubeVirt takes the kind or the resource's name, in any case; without one the cluster-scoped
 * kind. */
static enum lg_kind kind_named(enum lg_part part, struct lg_str said)
{
    const enum lg_kind kinds[] = {part_kinds[part].cluster_kind, part_kinds[part].kind};
    for (size_t i = 0; i < 2; i++)
        if (same_word(said, lg_gvk(kinds[i])->kind) || same_word(said, lg_gvk(kinds[i])->plural))
            return kinds[i];
    return lg_str_empty(said) ? part_kinds[part].cluster_kind : LG_KIND_OTHER;
}

static void unusable(struct lg_part_info *info, struct lg_str problem)
{
    info->state = LG_PART_UNUSABLE;
    info->problem = problem;
}

/* --- finding what the VM names --- */

struct search {
    const struct lg_vm *vm;
    const struct lg_parts_view *view;
    struct lg_arena *arena;
    enum lg_part part;
    struct lg_val matcher;
    struct lg_part_info *info;
};

/* The object that holds `spec`, or LG_NONE: info says what is missing. */
static struct lg_val look_up(struct search *search, enum lg_kind kind, struct lg_str name)
{
    const struct lg_config_record *record = NULL;
    struct lg_str ns = lg_gvk(kind)->namespaced ? search->vm->ns : LG_STR("");
    search->info->kind = kind;
    search->info->name = name;
    if (search->view->find(search->view->arg, kind, ns, name, &record) != LG_FOUND) {
        search->info->state = LG_PART_MISSING;
        return LG_NONE;
    }
    return lg_config_object(record, search->arena);
}

/* A revision keeps any of the kinds; which one it was does not matter any more. */
static struct lg_val of_revision(struct search *search, struct lg_str name, struct lg_val revision)
{
    struct lg_val data = lg_json_get(revision, "data");
    struct lg_str kind = lg_json_str_at(data, "kind");
    bool right = lg_json_kind(lg_json_get(data, "spec")) == LG_JSON_OBJECT && !lg_str_empty(kind) &&
                 kind_named(search->part, kind) != LG_KIND_OTHER;
    if (right)
        return data;
    unusable(search->info,
             lg_arena_printf(search->arena, "controller revision \"%.*s\" keeps no %s",
                             LG_ARG(name), part_kinds[search->part].noun));
    return LG_NONE;
}

/* The revision of the VM's status counts as long as it is one of what the VM names now. */
static bool is_current(struct lg_val revision, struct lg_str name)
{
    struct lg_val of = lg_json_at(revision, "metadata.objectName");
    return !lg_json_there(of) || lg_json_is_str(of, name);
}

static struct lg_val find_object(struct search *search)
{
    struct lg_str name = lg_json_str_at(search->matcher, "name");
    struct lg_str fixed = lg_json_str_at(search->matcher, "revisionName");
    struct lg_str kept =
        lg_json_str(search->part == LG_PART_INSTANCETYPE ? search->vm->instancetype_revision
                                                         : search->vm->preference_revision);
    struct lg_str revision_name = lg_str_empty(fixed) ? kept : fixed;
    if (!lg_str_empty(revision_name)) {
        struct lg_val revision = look_up(search, LG_KIND_REVISION, revision_name);
        if (search->info->state == LG_PART_MISSING)
            return LG_NONE;
        if (!lg_str_empty(fixed) || is_current(revision, name))
            return of_revision(search, revision_name, revision);
    }
    enum lg_kind kind = kind_named(search->part, lg_json_str_at(search->matcher, "kind"));
    if (kind != LG_KIND_OTHER && !lg_str_empty(name))
        return look_up(search, kind, name);
    struct lg_str problem =
        lg_arena_printf(search->arena,
                        "the VM's %s has no name yet: KubeVirt takes it from a volume when the VM "
                        "is created",
                        part_kinds[search->part].noun);
    if (kind == LG_KIND_OTHER)
        problem = lg_arena_printf(search->arena, "\"%.*s\" is no kind of %s",
                                  LG_ARG(lg_str_cut(lg_json_str_at(search->matcher, "kind"), 64)),
                                  part_kinds[search->part].noun);
    unusable(search->info, problem);
    return LG_NONE;
}

/* Its spec with the types that KubeVirt insists on, or LG_NONE: info says why not. */
static struct lg_val find_spec(struct search *search)
{
    struct lg_val object = find_object(search);
    struct lg_err err = {0};
    if (search->info->state != LG_PART_UNNAMED)
        return LG_NONE;
    if (lg_shape_check(part_kinds[search->part].kind, object, &err) != LG_E_OK) {
        unusable(search->info, lg_arena_printf(search->arena, "%.*s cannot be read: %s: %s",
                                               LG_ARG(search->info->title), err.where, err.text));
        return LG_NONE;
    }
    search->info->state = LG_PART_READ;
    return lg_json_get(object, "spec");
}

static struct lg_val find_part(const struct lg_vm *vm, const struct lg_parts_view *view,
                               enum lg_part part, struct lg_part_info *ret, struct lg_arena *arena)
{
    struct lg_val matcher = part == LG_PART_INSTANCETYPE ? vm->instancetype : vm->preference;
    struct lg_val name = lg_json_get(matcher, "name");
    *ret = (struct lg_part_info){.at = lg_json_there(name) ? name : matcher};
    if (!lg_json_there(matcher))
        return LG_NONE;
    ret->title = lg_arena_printf(arena, "%s \"%.*s\"", part_kinds[part].noun,
                                 LG_ARG(lg_str_cut(lg_json_str(name), 253)));
    struct search search = {
        .vm = vm, .view = view, .arena = arena, .part = part, .matcher = matcher, .info = ret};
    return find_spec(&search);
}

/* --- putting it in --- */

static void write_templates(struct lg_writer *writer, const struct lg_vm *vm,
                            const struct lg_plan *plan)
{
    const char *between = "";
    lg_writer_puts(writer, ",\"dataVolumeTemplates\":[");
    for (struct lg_json_iter it = lg_json_iter(vm->data_volume_templates); lg_json_next(&it);) {
        struct lg_addition additions[2];
        writer->additions = additions;
        writer->n_additions = lg_plan_template(plan, it.val, additions);
        lg_writer_puts(writer, between);
        lg_writer_value(writer, it.val, "template");
        between = ",";
    }
    lg_writer_puts(writer, "]");
}

/* False: the text became too large to be read. */
static bool rewrite(struct lg_vm *io_vm, const struct lg_plan *plan, struct lg_expansion *expansion,
                    struct lg_arena *arena)
{
    struct lg_writer writer lg_cleanup(lg_writer_done) = {
        .arena = arena, .additions = plan->additions, .n_additions = plan->n};
    bool templates = !lg_str_empty(lg_json_str(plan->storage_class));
    lg_writer_puts(&writer, "{\"metadata\":");
    lg_writer_value(&writer, io_vm->vmi_metadata, "metadata");
    lg_writer_puts(&writer, ",\"spec\":");
    lg_writer_value(&writer, io_vm->spec, "spec");
    if (templates)
        write_templates(&writer, io_vm, plan);
    lg_writer_puts(&writer, "}");
    struct lg_doc *doc = lg_arena_alloc(arena, sizeof *doc);
    /* What the VM's reader passed over may be anything, and stands in the text again. */
    const struct lg_val names =
        lg_json_there(io_vm->instancetype) ? io_vm->instancetype : io_vm->preference;
    *doc = (struct lg_doc){.text = lg_arena_str(arena, lg_buf_view(&writer.text)),
                           .arena = arena,
                           .nodes_max = 2 * LG_JSON_NODES_MAX,
                           .without = names.doc->without};
    struct lg_val root = LG_NONE;
    if (lg_json_parse_doc(doc, &root, NULL) != LG_E_OK)
        return false;
    io_vm->vmi_metadata = lg_json_get(root, "metadata");
    io_vm->spec = lg_json_get(root, "spec");
    if (templates)
        io_vm->data_volume_templates = lg_json_get(root, "dataVolumeTemplates");
    expansion->doc = doc;
    expansion->stretches = writer.stretches;
    expansion->n = writer.n;
    return true;
}

void lg_expand(struct lg_vm *io_vm, const struct lg_parts_view *view, struct lg_arena *arena)
{
    if (io_vm->expansion != NULL ||
        (!lg_json_there(io_vm->instancetype) && !lg_json_there(io_vm->preference)))
        return;
    struct lg_expansion *expansion = lg_arena_alloc(arena, sizeof *expansion);
    *expansion = (struct lg_expansion){0};
    struct lg_part_info *instancetype = &expansion->parts[LG_PART_INSTANCETYPE];
    struct lg_part_info *preference = &expansion->parts[LG_PART_PREFERENCE];
    struct lg_val brought = find_part(io_vm, view, LG_PART_INSTANCETYPE, instancetype, arena);
    struct lg_val preferred = find_part(io_vm, view, LG_PART_PREFERENCE, preference, arena);
    struct lg_plan plan = {.arena = arena};
    struct lg_str conflict = LG_STR("");
    if (instancetype->state == LG_PART_READ)
        conflict = lg_plan_instancetype(&plan, io_vm, brought);
    if (!lg_str_empty(conflict)) {
        plan.n = 0;
        unusable(instancetype,
                 lg_arena_printf(arena,
                                 "%.*s contradicts the VM, and KubeVirt refuses such a VM: both "
                                 "set %.*s",
                                 LG_ARG(instancetype->title), LG_ARG(conflict)));
    }
    if (preference->state == LG_PART_READ)
        lg_plan_preference(&plan, io_vm, preferred);
    io_vm->expansion = expansion;
    if (plan.n == 0 && !lg_json_there(plan.storage_class))
        return;
    if (rewrite(io_vm, &plan, expansion, arena))
        return;
    for (int part = LG_PART_INSTANCETYPE; part <= LG_PART_PREFERENCE; part++)
        if (expansion->parts[part].state == LG_PART_READ)
            unusable(&expansion->parts[part],
                     LG_STR("the VM is too large to be read with what it names"));
}

const struct lg_part_info *lg_expansion_part(const struct lg_vm *vm, enum lg_part part)
{
    static const struct lg_part_info unnamed;
    return vm->expansion != NULL ? &vm->expansion->parts[part] : &unnamed;
}

/* --- the way back --- */

static const struct lg_stretch *stretch_at(const struct lg_expansion *expansion, uint32_t off)
{
    size_t low = 0, high = expansion->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (expansion->stretches[middle].from <= off)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0 || off >= expansion->stretches[low - 1].to)
        return NULL;
    return &expansion->stretches[low - 1];
}

/* Nodes stand in the order of the text, and no two at one place. */
static struct lg_val node_at(const struct lg_doc *doc, uint32_t off)
{
    uint32_t low = 0, high = doc->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (doc->nodes[middle].off < off)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < doc->count && doc->nodes[low].off == off;
    return found ? (struct lg_val){doc, low} : LG_NONE;
}

struct lg_val lg_expansion_origin(const struct lg_vm *vm, struct lg_val at, enum lg_part *ret_part)
{
    const struct lg_expansion *expansion = vm->expansion;
    *ret_part = LG_PART_OWN;
    if (expansion == NULL || at.doc == NULL || at.doc != expansion->doc)
        return at;
    uint32_t off = at.doc->nodes[at.i].off;
    const struct lg_stretch *stretch = stretch_at(expansion, off);
    if (stretch == NULL)
        return LG_NONE;
    *ret_part = (enum lg_part)stretch->part;
    if (stretch->part != LG_PART_OWN)
        return expansion->parts[stretch->part].at;
    return node_at(stretch->doc, stretch->source + (off - stretch->from));
}
