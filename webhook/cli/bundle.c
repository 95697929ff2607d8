#include "webhook/cli/bundle.h"

#include <stdlib.h>

#include "rules/core/mem.h"
#include "rules/rule.h"

static enum lg_err_code read_all(struct lg_manifests *manifests, const char *const *paths, size_t n,
                                 struct lg_err *err)
{
    for (size_t i = 0; i < n; i++) {
        enum lg_err_code code = lg_manifests_read(manifests, paths[i], err);
        if (code != LG_E_OK)
            return code;
    }
    return LG_E_OK;
}

static bool is_judged(enum lg_kind kind)
{
    for (size_t i = 0; lg_rules[i] != NULL; i++) {
        if ((lg_rules[i]->kinds & LG_BIT(lg_kind_judged_as(kind))) != 0 &&
            (lg_rules[i]->ops & LG_BIT(LG_OP_CREATE)) != 0)
            return true;
    }
    return false;
}

static enum lg_err_code unusable(struct lg_bundle *bundle, const struct lg_manifest_object *item,
                                 const struct lg_err *problem, struct lg_err *err)
{
    struct lg_str where = lg_arena_printf(&bundle->given.arena, "%s:%u:%u", item->file,
                                          item->mark.line, item->mark.column);

    return lg_err_set(err, problem->code, where.p, "%s%s%s", problem->where,
                      problem->where[0] != '\0' ? ": " : "", problem->text);
}

/* Puts what is judged into the inventory too. An object of a judged kind that no record can be made
 * of (a wrong type, no name yet) stays out: its own verdict says what is wrong with it. Of other
 * kinds it is part of the cluster, which has to be right. */
static enum lg_err_code fill_given(struct lg_bundle *bundle, struct lg_err *err)
{
    for (size_t i = 0; i < bundle->given.n; i++) {
        const struct lg_manifest_object *item = &bundle->given.items[i];
        struct lg_record *record = NULL;
        struct lg_err problem = {0};
        if (item->kind >= LG_KIND_OTHER)
            continue;
        if (lg_record_new_as(item->kind, item->object, &record, &problem) == LG_E_OK)
            lg_inventory_set(bundle->inventory, record);
        else if (!is_judged(item->kind))
            return unusable(bundle, item, &problem, err);
        lg_inventory_set_known(bundle->inventory, item->kind, LG_KNOWN);
    }
    return LG_E_OK;
}

enum lg_err_code lg_bundle_read(struct lg_bundle *bundle, const char *const *paths, size_t n_paths,
                                const char *const *inventory, size_t n_inventory,
                                struct lg_err *err)
{
    enum lg_err_code code = read_all(&bundle->cluster, inventory, n_inventory, err);
    if (code == LG_E_OK)
        code = read_all(&bundle->given, paths, n_paths, err);
    if (code != LG_E_OK)
        return code;
    if (bundle->given.n == 0)
        return lg_err_set(err, LG_E_NOTFOUND, n_paths == 1 ? paths[0] : "",
                          "there is no object in what was given");
    bundle->inventory = lg_inventory_new();
    code = lg_manifests_fill(&bundle->cluster, bundle->inventory, err);
    return code == LG_E_OK ? fill_given(bundle, err) : code;
}

void lg_bundle_done(struct lg_bundle *bundle)
{
    lg_inventory_free(bundle->inventory);
    bundle->inventory = NULL;
    lg_manifests_done(&bundle->given);
    lg_manifests_done(&bundle->cluster);
}

/* The new document's positions: those of the old one, and the container's for the two nodes behind
 * node `at`. */
static const struct lg_mark *shifted_marks(struct lg_val object, uint32_t at, uint32_t count,
                                           struct lg_arena *arena)
{
    if (object.doc->marks == NULL)
        return NULL;
    struct lg_mark *marks = lg_arena_array(arena, count, sizeof *marks);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t old = i <= at ? i : (i <= at + 2 ? at : i - 2);
        marks[i] = object.doc->marks[object.i + old];
    }
    return marks;
}

/* `object` with `text` in place of the `n` bytes of its own text at `cut`; its doc is the caller's
 * to finish. */
static struct lg_val with_text(struct lg_val object, size_t cut, size_t n, struct lg_str text,
                               struct lg_arena *arena)
{
    struct lg_str whole = lg_json_text(object);
    struct lg_buf buf lg_cleanup(lg_buf_done) = {0};
    struct lg_val root = LG_NONE;
    struct lg_err err = {0};

    lg_buf_add(&buf, whole.p, cut);
    lg_buf_str(&buf, text);
    lg_buf_add(&buf, whole.p + cut + n, whole.n - cut - n);
    if (lg_json_parse(arena, lg_arena_str(arena, lg_buf_view(&buf)), &root, &err) != LG_E_OK)
        return LG_NONE;
    return root;
}

static struct lg_val placed_as(struct lg_val root, struct lg_val object,
                               const struct lg_mark *marks, struct lg_arena *arena)
{
    struct lg_doc *doc = lg_arena_alloc(arena, sizeof *doc);
    *doc = *root.doc;
    doc->file = object.doc->file;
    doc->first_line = lg_json_mark(object).line;
    doc->marks = marks;
    return (struct lg_val){doc, root.i};
}

/* A copy of `object` in which `container` (an object inside it) begins with `member`, JSON text. */
static struct lg_val with_member(struct lg_val object, struct lg_val container, const char *member,
                                 struct lg_arena *arena)
{
    size_t cut = (size_t)(lg_json_text(container).p - lg_json_text(object).p) + 1;
    struct lg_str text =
        lg_arena_printf(arena, "%s%s", member, lg_json_len(container) != 0 ? "," : "");
    struct lg_val root = with_text(object, cut, 0, text, arena);

    if (!lg_json_there(root))
        return object; /* at the limit of nodes: judged as it stands */
    return placed_as(root, object,
                     shifted_marks(object, container.i - object.i, root.doc->count, arena), arena);
}

/* A copy of `object` in which a null (inside it) is `value`, JSON text of one node. */
static struct lg_val with_value(struct lg_val object, struct lg_val null, const char *value,
                                struct lg_arena *arena)
{
    size_t cut = (size_t)(lg_json_text(null).p - lg_json_text(object).p);
    struct lg_val root = with_text(object, cut, lg_json_text(null).n, lg_str_of(value), arena);
    const struct lg_mark *marks = object.doc->marks;

    if (!lg_json_there(root))
        return object;
    return placed_as(root, object, marks != NULL ? marks + object.i : NULL, arena);
}

/* The member that is there as null, which lg_json_get passes over; LG_NONE: it is not there at
 * all. */
static struct lg_val null_member(struct lg_val object, const char *key)
{
    for (struct lg_json_iter it = lg_json_iter(object); lg_json_next(&it);)
        if (lg_str_is(it.key, key) && lg_json_kind(it.val) == LG_JSON_NULL)
            return it.val;
    return LG_NONE;
}

struct lg_val lg_bundle_defaulted(const struct lg_manifest_object *item, struct lg_arena *arena)
{
    struct lg_val spec = lg_json_get(item->object, "spec");

    if (item->kind != LG_KIND_CLAIM || lg_json_kind(spec) != LG_JSON_OBJECT ||
        lg_json_there(lg_json_get(spec, "volumeMode")))
        return item->object;
    struct lg_val null = null_member(spec, "volumeMode");
    if (null.doc != NULL)
        return with_value(item->object, null, "\"Filesystem\"", arena);
    return with_member(item->object, spec, "\"volumeMode\":\"Filesystem\"", arena);
}

struct lg_str lg_bundle_namespace(const struct lg_manifest_object *item)
{
    struct lg_str ns = lg_json_str_at(item->object, "metadata.namespace");

    if (item->kind < LG_KIND_OTHER && !lg_gvk(item->kind)->namespaced)
        return LG_STR("");
    return lg_str_empty(ns) ? LG_STR("default") : ns;
}

/* Takes one step of a path off *path: a member's name or an item's number. */
static struct lg_val step(struct lg_val at, const char **path)
{
    const char *p = *path + (**path == '.');
    struct lg_val next;

    if (p[0] == '[' && p[1] == '"') {
        const char *end = strstr(p + 2, "\"]");
        size_t n = end != NULL ? (size_t)(end - p) - 2 : strlen(p + 2);
        next = lg_json_get_str(at, (struct lg_str){p + 2, n});
        *path = end != NULL ? end + 2 : p + 2 + n;
    } else if (p[0] == '[') {
        char *end = NULL;
        next = lg_json_item(at, strtoul(p + 1, &end, 10));
        *path = *end == ']' ? end + 1 : end + strlen(end);
    } else {
        size_t n = strcspn(p, ".[");
        next = lg_json_get_str(at, (struct lg_str){p, n});
        *path = p + n;
    }
    return next;
}

struct lg_val lg_bundle_resolve(struct lg_val object, const char *path)
{
    struct lg_val at = object;

    while (*path != '\0') {
        struct lg_val next = step(at, &path);
        if (!lg_json_there(next))
            break;
        at = next;
    }
    return at;
}
