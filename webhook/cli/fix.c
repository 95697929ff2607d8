#include "webhook/cli/fix.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rules/core/file.h"
#include "rules/core/map.h"
#include "rules/core/mem.h"

/* One document, with the repairs that are in it so far. */
struct part {
    const struct lg_manifest_object *first;
    struct lg_rewrite_source source;
    struct lg_splices splices; /* in the part's text */
    struct lg_splices wanted;  /* the same repairs in the text of its value */
    bool opened;
    struct lg_err closed; /* why it could not be opened */
};

struct fixer {
    struct lg_bundle *bundle;
    const struct lg_fix_options *options;
    struct lg_inventory *cluster; /* without what was given */
    struct lg_fixing *ret;
    struct part *parts;
    size_t n_parts;
    size_t *part_of; /* by object */
};

LG_DEFINE_CLEANUP(struct lg_inventory, lg_inventory_free)

static struct lg_engine_input input_of(const struct fixer *fixer, size_t i, struct lg_val object)
{
    const struct lg_fix_object *fix = &fixer->ret->objects[i];
    return (struct lg_engine_input){
        .inventory = fixer->bundle->inventory,
        .policy = fixer->options->policy,
        .kind = fix->source->kind,
        .op = LG_OP_CREATE,
        .ns = fix->ns,
        .name = fix->name,
        .object = object,
        .kubevirt_version = fixer->options->kubevirt_version,
        .now_unix_s = fixer->options->now_unix_s,
    };
}

/* --- the text --- */

/* Objects of one document stand one behind the other. */
static void find_parts(struct fixer *fixer)
{
    size_t n = fixer->ret->n_objects;
    struct lg_arena *arena = &fixer->ret->arena;
    fixer->parts = lg_arena_array(arena, n, sizeof(*fixer->parts));
    fixer->part_of = lg_arena_array(arena, n, sizeof(*fixer->part_of));
    for (size_t i = 0; i < n; i++) {
        const struct lg_manifest_object *source = fixer->ret->objects[i].source;
        const struct part *last = i != 0 ? &fixer->parts[fixer->n_parts - 1] : NULL;
        if (last == NULL || last->first->part.text.p != source->part.text.p)
            fixer->parts[fixer->n_parts++] = (struct part){
                .first = source, .splices = {.arena = arena}, .wanted = {.arena = arena}};
        fixer->part_of[i] = fixer->n_parts - 1;
    }
}

static bool open_part(struct fixer *fixer, struct part *part)
{
    const struct lg_manifest_object *first = part->first;
    struct lg_val json = first->json ? first->object : LG_NONE;
    if (!part->opened && part->closed.code == LG_E_OK)
        part->opened = lg_rewrite_open(&fixer->ret->arena, &first->part, first->file, json,
                                       &part->source, &part->closed) == LG_E_OK;
    return part->opened;
}

static bool read_back(const struct part *part, struct lg_str text, struct lg_arena *arena,
                      struct lg_val *ret)
{
    struct lg_yaml_document document = part->first->part;
    document.text = text;
    if (part->source.json)
        return lg_json_parse(arena, text, ret, NULL) == LG_E_OK;
    return lg_yaml_parse(arena, &document, part->first->file, ret, NULL) == LG_E_OK;
}

static struct lg_splices copy_of(const struct lg_splices *splices)
{
    struct lg_splices copy = {.arena = splices->arena};
    copy.items = lg_arena_array(splices->arena, splices->n, sizeof(*copy.items));
    copy.n = copy.size = splices->n;
    if (copy.n != 0)
        memcpy(copy.items, splices->items, copy.n * sizeof(*copy.items));
    return copy;
}

/* Puts the repair of one object into the text and into what the text is to say. */
static enum lg_err_code put_in(const struct part *part, const struct lg_fix_object *fix,
                               struct lg_splices *splices, struct lg_splices *wanted,
                               struct lg_err *err)
{
    struct lg_val old = {part->source.root.doc, fix->source->object.i};
    struct lg_str text = lg_json_text(old);
    lg_splices_add(wanted,
                   &(struct lg_splice){.at = (size_t)(text.p - part->source.root.doc->text.p),
                                       .n = text.n,
                                       .text = lg_json_text(fix->mending.object)});
    return lg_rewrite(&part->source, old, fix->mending.object, splices, err);
}

/* True when the text with the splices says just what is wanted. */
static bool holds(const struct part *part, const struct lg_splices *splices,
                  const struct lg_splices *wanted)
{
    struct lg_val got = LG_NONE;
    struct lg_val whole = LG_NONE;
    struct lg_str value = lg_splices_apply(wanted, part->source.root.doc->text);
    return lg_json_parse(wanted->arena, value, &whole, NULL) == LG_E_OK &&
           read_back(part, lg_splices_apply(splices, part->source.text), wanted->arena, &got) &&
           lg_json_equal(got, whole);
}

/* Puts the repairs of `n` objects into their document's text; kept only when the text then says
 * just that. */
static enum lg_err_code write_in(struct fixer *fixer, const size_t *objects, size_t n,
                                 struct lg_err *err)
{
    struct part *part = &fixer->parts[fixer->part_of[objects[0]]];
    if (!open_part(fixer, part))
        return lg_err_set(err, LG_E_UNSUPPORTED, "", "%s", part->closed.text);
    struct lg_splices splices = copy_of(&part->splices);
    struct lg_splices wanted = copy_of(&part->wanted);
    enum lg_err_code code = LG_E_OK;
    for (size_t i = 0; i < n && code == LG_E_OK; i++)
        code = put_in(part, &fixer->ret->objects[objects[i]], &splices, &wanted, err);
    if (code == LG_E_OK)
        code = lg_splices_finish(&splices, err);
    if (code == LG_E_OK)
        code = lg_splices_finish(&wanted, err);
    if (code != LG_E_OK)
        return code;
    if (!holds(part, &splices, &wanted))
        return lg_err_set(err, LG_E_UNSUPPORTED, "",
                          "what would have to change is shared with something else in the file");
    part->splices = splices;
    part->wanted = wanted;
    for (size_t i = 0; i < n; i++)
        fixer->ret->objects[objects[i]].mended = true;
    return LG_E_OK;
}

/* --- one object --- */

static bool exists_already(const struct fixer *fixer, const struct lg_fix_object *fix)
{
    const struct lg_record *record = NULL;
    return fix->name.n != 0 && lg_inventory_get(fixer->cluster, fix->source->kind, fix->ns,
                                                fix->name, &record) == LG_FOUND;
}

/* The cluster as it will be: rules that judge other objects look at this one. */
static void put_in_inventory(struct fixer *fixer, const struct lg_fix_object *fix)
{
    struct lg_record *record = NULL;
    if (lg_record_new_as(fix->source->kind, fix->object, &record, NULL) == LG_E_OK)
        lg_inventory_set(fixer->bundle->inventory, record);
}

static bool is_claim(const struct lg_fix_object *fix)
{
    return fix->source->kind == LG_KIND_CLAIM || fix->source->kind == LG_KIND_DATA_VOLUME;
}

/* True when there is something to write. */
static bool mend(struct fixer *fixer, size_t i)
{
    struct lg_fix_object *fix = &fixer->ret->objects[i];
    struct lg_engine_input input = input_of(fixer, i, fix->source->object);
    if (is_claim(fix) && exists_already(fixer, fix)) {
        fix->why = LG_STR("the cluster has it already, and its spec cannot be changed");
        return false;
    }
    lg_engine_mend(&input, LG_MEND_FILE, &fixer->ret->arena, &fix->mending);
    return fix->mending.patch.n != 0;
}

/* Writes the repairs of one document together; where that fails, singly, so that one does not spoil
 * the others. */
static void write_all(struct fixer *fixer, const size_t *objects, size_t n)
{
    if (n == 0 || write_in(fixer, objects, n, NULL) == LG_E_OK)
        return;
    for (size_t i = 0; i < n; i++) {
        struct lg_err err = {0};
        if (write_in(fixer, &objects[i], 1, &err) != LG_E_OK)
            fixer->ret->objects[objects[i]].why = lg_arena_printf(
                &fixer->ret->arena, "a repair cannot be written here: %s", err.text);
    }
}

/* The claims, or everything else, of the objects of one document, from `first` on. Returns where
 * the next one begins. */
static size_t mend_part(struct fixer *fixer, size_t first, bool claims)
{
    struct lg_fixing *ret = fixer->ret;
    size_t end = first;
    while (end < ret->n_objects && fixer->part_of[end] == fixer->part_of[first])
        end++;
    size_t *objects = lg_arena_array(&ret->arena, end - first, sizeof(*objects));
    size_t n = 0;
    for (size_t i = first; i < end; i++)
        if (is_claim(&ret->objects[i]) == claims && mend(fixer, i))
            objects[n++] = i;
    write_all(fixer, objects, n);
    for (size_t i = 0; i < n; i++) {
        struct lg_fix_object *fix = &ret->objects[objects[i]];
        if (!fix->mended)
            continue;
        fix->object = fix->mending.object;
        put_in_inventory(fixer, fix);
    }
    return end;
}

static void judge(struct fixer *fixer, size_t i)
{
    struct lg_fix_object *fix = &fixer->ret->objects[i];
    struct lg_manifest_object item = *fix->source;
    item.object = fix->object;
    struct lg_engine_input input =
        input_of(fixer, i, lg_bundle_defaulted(&item, &fixer->ret->arena));
    lg_engine_judge(&input, &fixer->ret->arena, &fix->judgement);
}

static void judge_as_it_is(struct fixer *fixer, size_t i)
{
    struct lg_fix_object *fix = &fixer->ret->objects[i];
    judge(fixer, i);
    fix->was_denied = fix->judgement.verdict == LG_ACTION_DENY;
}

/* --- all of them --- */

static void take_objects(struct fixer *fixer)
{
    const struct lg_manifests *given = &fixer->bundle->given;
    struct lg_fixing *ret = fixer->ret;
    ret->n_objects = given->n;
    ret->objects = lg_arena_array(&ret->arena, given->n, sizeof(*ret->objects));
    for (size_t i = 0; i < given->n; i++)
        ret->objects[i] = (struct lg_fix_object){
            .source = &given->items[i],
            .ns = lg_bundle_namespace(&given->items[i]),
            .name = lg_json_str_at(given->items[i].object, "metadata.name"),
            .object = given->items[i].object,
        };
}

/* A document's splices, where they stand in its file. */
static void add_splices(struct lg_fix_file *file, const struct part *part)
{
    size_t shift = (size_t)(part->first->part.text.p - file->text.p);
    for (size_t i = 0; i < part->splices.n; i++) {
        struct lg_splice splice = part->splices.items[i];
        splice.at += shift;
        lg_splices_add(&file->splices, &splice);
    }
}

/* The documents of a file stand one behind the other. */
static void gather_files(struct fixer *fixer)
{
    struct lg_fixing *ret = fixer->ret;
    ret->files = lg_arena_array(&ret->arena, fixer->n_parts, sizeof(*ret->files));
    for (size_t i = 0; i < fixer->n_parts; i++) {
        const struct lg_manifest_object *first = fixer->parts[i].first;
        if (i == 0 || first->file_text.p != fixer->parts[i - 1].first->file_text.p)
            ret->files[ret->n_files++] = (struct lg_fix_file){
                .name = first->file, .text = first->file_text, .splices = {.arena = &ret->arena}};
        add_splices(&ret->files[ret->n_files - 1], &fixer->parts[i]);
    }
}

enum lg_err_code lg_fix(struct lg_bundle *bundle, const struct lg_fix_options *options,
                        struct lg_fixing *ret, struct lg_err *err)
{
    struct lg_inventory *cluster lg_cleanup(lg_inventory_free_cleanup) = lg_inventory_new();
    struct fixer fixer = {.bundle = bundle, .options = options, .cluster = cluster, .ret = ret};
    enum lg_err_code code = lg_manifests_fill(&bundle->cluster, cluster, err);
    if (code != LG_E_OK)
        return code;
    take_objects(&fixer);
    find_parts(&fixer);
    for (size_t i = 0; i < ret->n_objects; i++)
        judge_as_it_is(&fixer, i);
    for (size_t i = 0; i < ret->n_objects;)
        i = mend_part(&fixer, i, true);
    for (size_t i = 0; i < ret->n_objects;)
        i = mend_part(&fixer, i, false);
    for (size_t i = 0; i < ret->n_objects; i++)
        judge(&fixer, i);
    gather_files(&fixer);
    return LG_E_OK;
}

void lg_fixing_done(struct lg_fixing *fixing)
{
    lg_arena_done(&fixing->arena);
}

/* --- writing --- */

static enum lg_err_code write_file(struct lg_fix_file *file, struct lg_err *err)
{
    char *path lg_cleanup(lg_free_cleanup) = realpath(file->name, NULL);
    char *now lg_cleanup(lg_free_cleanup) = NULL;
    struct stat st = {0};
    size_t n = 0;
    if (path == NULL || stat(path, &st) != 0)
        return lg_err_set(err, LG_E_CONFLICT, file->name, "is no longer there");
    /* It could be replaced all the same; whoever took the right away did not want that. */
    if ((st.st_mode & (S_IWUSR | S_IWGRP | S_IWOTH)) == 0 || access(path, W_OK) != 0)
        return lg_err_set(err, LG_E_CONFLICT, file->name, "is read-only");
    enum lg_err_code code = lg_file_read(path, LG_MANIFEST_FILE_BYTES_MAX, &now, &n, err);
    if (code != LG_E_OK)
        return code;
    if (!lg_str_eq((struct lg_str){now, n}, file->text))
        return lg_err_set(err, LG_E_CONFLICT, file->name, "changed while it was being mended");
    struct lg_str text = lg_splices_apply(&file->splices, file->text);
    code = lg_file_write(path, text, st.st_mode & 07777, err);
    file->written = code == LG_E_OK;
    return code;
}

enum lg_err_code lg_fix_write(struct lg_fixing *fixing, struct lg_err *err)
{
    for (size_t i = 0; i < fixing->n_files; i++) {
        if (fixing->files[i].splices.n == 0)
            continue;
        enum lg_err_code code = write_file(&fixing->files[i], err);
        if (code != LG_E_OK)
            return code;
    }
    return LG_E_OK;
}

/* --- what is left --- */

bool lg_fix_is_left(const struct lg_finding *finding)
{
    return !finding->pending && !finding->folded && finding->action >= LG_ACTION_WARN;
}

struct lg_str lg_fix_reason(const struct lg_fix_object *object, const struct lg_finding *finding)
{
    if (finding->rule->fixer != NULL && object->why.n != 0)
        return object->why;
    for (size_t i = 0; i < object->mending.n_reasons; i++) {
        const struct lg_mend_note *note = &object->mending.reasons[i];
        if (note->rule == finding->rule &&
            (note->about.n == 0 || lg_str_eq(note->about, finding->about)))
            return note->text;
    }
    if (finding->rule->by_hand != NULL)
        return lg_str_of(finding->rule->by_hand);
    return finding->fix;
}
