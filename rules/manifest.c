#include "rules/manifest.h"

#include <stdio.h>
#include <stdlib.h>

#include "rules/core/file.h"
#include "rules/core/mem.h"
#include "rules/manifest_list.h"

/* The file that is being read. */
struct source {
    struct lg_manifests *manifests;
    const char *file; /* in the manifests' arena */
    struct lg_str text;
    uint32_t document;
    struct lg_yaml_document part; /* of the text, that is being read now */
    bool json;                    /* which is JSON */
    bool no_json;                 /* reading failed because the text is no JSON */
    struct lg_err *err;
};

/* What an item of a List inherits. */
struct list_kind {
    struct lg_str api_version, kind;
};

static enum lg_err_code fail_at(const struct source *source, enum lg_err_code code,
                                struct lg_mark mark, const char *path, const char *text)
{
    struct lg_str where = lg_arena_printf(&source->manifests->arena, "%s:%u:%u", source->file,
                                          mark.line, mark.column);
    bool has_path = path != NULL && path[0] != '\0';
    return lg_err_set(source->err, code, where.p, "%s%s%s", has_path ? path : "",
                      has_path ? ": " : "", text);
}

static enum lg_err_code add_object(const struct source *source, struct lg_val object,
                                   struct lg_mark mark, const struct list_kind *list)
{
    struct lg_manifests *manifests = source->manifests;
    if (lg_json_kind(object) != LG_JSON_OBJECT)
        return fail_at(source, LG_E_INVALID, mark, NULL,
                       "expected an object with apiVersion and kind");
    struct lg_str api_version = lg_json_str(lg_json_get(object, "apiVersion"));
    struct lg_str kind = lg_json_str(lg_json_get(object, "kind"));
    if (list != NULL && lg_str_empty(api_version))
        api_version = list->api_version;
    if (list != NULL && lg_str_empty(kind))
        kind = list->kind;
    if (lg_str_empty(api_version) || lg_str_empty(kind))
        return fail_at(source, LG_E_INVALID, mark, NULL,
                       lg_str_empty(kind) ? "the object says no kind"
                                          : "the object says no apiVersion");
    if (list != NULL && lg_str_is(kind, "List"))
        return fail_at(source, LG_E_UNSUPPORTED, mark, NULL, "a List inside a List is not read");
    if ((manifests->n & (manifests->n - 1)) == 0)
        manifests->items = lg_realloc(manifests->items, manifests->n != 0 ? manifests->n * 2 : 1,
                                      sizeof *manifests->items);
    manifests->items[manifests->n++] =
        (struct lg_manifest_object){.object = object,
                                    .file = source->file,
                                    .document = source->document,
                                    .mark = mark,
                                    .kind = lg_kind_of(api_version, kind),
                                    .part = source->part,
                                    .file_text = source->text,
                                    .json = source->json};
    return LG_E_OK;
}

/* What items of this document inherit; false where it is an object of its own. */
static bool is_list(struct lg_val root, struct list_kind *ret)
{
    struct lg_str kind = lg_json_str(lg_json_get(root, "kind"));
    if (!lg_str_ends(kind, "List"))
        return false;
    bool generic = lg_str_is(kind, "List");
    *ret = (struct list_kind){0};
    if (!generic)
        *ret = (struct list_kind){lg_json_str(lg_json_get(root, "apiVersion")),
                                  {kind.p, kind.n - (sizeof "List" - 1)}};
    return generic || lg_json_kind(lg_json_get(root, "items")) == LG_JSON_ARRAY;
}

static struct lg_mark mark_of(const struct lg_list_cursor *cursor)
{
    return (struct lg_mark){cursor->line, (uint32_t)(cursor->at - cursor->line_start) + 1};
}

static enum lg_err_code add_document(const struct source *source, struct lg_val root,
                                     struct lg_mark mark)
{
    struct list_kind list;
    if (!lg_json_there(root))
        return LG_E_OK;
    if (!is_list(root, &list))
        return add_object(source, root, mark, NULL);
    struct lg_val items = lg_json_get(root, "items");
    if (lg_json_there(items) && lg_json_kind(items) != LG_JSON_ARRAY)
        return fail_at(source, LG_E_INVALID, lg_json_mark(items), "items", "expected a list");
    struct lg_str text = root.doc->text;
    struct lg_list_cursor cursor = {.at = text.p, .line_start = text.p, .line = mark.line};
    enum lg_err_code code = LG_E_OK;
    for (struct lg_json_iter it = lg_json_iter(items); code == LG_E_OK && lg_json_next(&it);) {
        /* Without marks lg_json_mark would count lines from the beginning for each item. */
        if (root.doc->marks == NULL)
            lg_list_move(&cursor, lg_json_text(it.val).p);
        mark = root.doc->marks != NULL ? lg_json_mark(it.val) : mark_of(&cursor);
        code = add_object(source, it.val, mark, &list);
    }
    return code;
}

/* --- JSON --- */

/* Reads one JSON text that stands at the cursor. */
static enum lg_err_code parse_json(struct source *source, struct lg_str text,
                                   const struct lg_list_cursor *cursor, struct lg_val *ret_root)
{
    struct lg_err err = {0};
    enum lg_err_code code = lg_json_parse(&source->manifests->arena, text, ret_root, &err);
    source->part = (struct lg_yaml_document){text, cursor->line, source->document};
    if (code == LG_E_OK) {
        struct lg_doc *doc = (struct lg_doc *)ret_root->doc;
        doc->file = source->file;
        doc->first_line = cursor->line;
        return code;
    }
    struct lg_mark mark = mark_of(cursor);
    if (code != LG_E_INVALID)
        return fail_at(source, code, mark, err.where, err.text);
    struct lg_mark at = {1, 1};
    source->no_json = true;
    if (sscanf(err.where, "line %u, column %u", &at.line, &at.column) == 2)
        mark = (struct lg_mark){mark.line + at.line - 1,
                                at.line == 1 ? mark.column + at.column - 1 : at.column};
    return fail_at(source, code, mark, NULL, err.text);
}

static enum lg_err_code read_json_items(struct source *source, struct lg_str text,
                                        struct lg_list_cursor cursor, const struct list_kind *list)
{
    lg_list_move(&cursor, text.p);
    cursor.end = text.p + text.n;
    cursor.started = false;
    for (;;) {
        struct lg_str item = {0};
        enum lg_list_step step = lg_list_next_json(&cursor, &item);
        if (step == LG_LIST_END)
            return LG_E_OK;
        struct lg_mark mark = mark_of(&cursor);
        source->no_json = step == LG_LIST_BROKEN;
        if (step == LG_LIST_BROKEN)
            return fail_at(source, LG_E_INVALID, mark, "items",
                           "expected objects with commas between them");
        struct lg_val root = LG_NONE;
        enum lg_err_code code = parse_json(source, item, &cursor, &root);
        if (code == LG_E_OK)
            code = add_object(source, root, mark, list);
        if (code != LG_E_OK)
            return code;
        lg_list_move(&cursor, item.p + item.n);
    }
}

/* Reads the document at the cursor; a List's items singly, since a list may be longer than the
 * reader's limits. */
static enum lg_err_code read_json_document(struct source *source, struct lg_str rest,
                                           const struct lg_list_cursor *cursor, size_t *ret_bytes)
{
    struct lg_list_text found;
    struct lg_val root = LG_NONE;
    struct list_kind list;
    bool whole = lg_list_find_json(rest, &found);
    *ret_bytes = whole ? found.whole.n : rest.n;
    if (whole && found.items.p != NULL) {
        struct lg_str envelope = lg_list_envelope(&found, false, &source->manifests->arena);
        struct lg_err err = {0};
        enum lg_err_code code = lg_json_parse(&source->manifests->arena, envelope, &root, &err);
        if (code == LG_E_LIMIT)
            return fail_at(source, code, mark_of(cursor), err.where, err.text);
        if (code == LG_E_OK && is_list(root, &list))
            return read_json_items(source, found.items, *cursor, &list);
    }
    enum lg_err_code code = parse_json(source, whole ? found.whole : rest, cursor, &root);
    return code == LG_E_OK ? add_document(source, root, mark_of(cursor)) : code;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* One JSON document behind the other, as kubectl reads them. */
static enum lg_err_code read_json(struct source *source)
{
    struct lg_str text = source->text;
    struct lg_list_cursor cursor = {
        .at = text.p, .end = text.p + text.n, .line_start = text.p, .line = 1};
    for (source->document = 1;; source->document++) {
        const char *p = cursor.at;
        while (p < cursor.end && is_space(*p))
            p++;
        lg_list_move(&cursor, p);
        if (p == cursor.end)
            return LG_E_OK;
        size_t bytes = 0;
        enum lg_err_code code = read_json_document(
            source, (struct lg_str){p, (size_t)(cursor.end - p)}, &cursor, &bytes);
        if (code != LG_E_OK)
            return code;
        lg_list_move(&cursor, p + bytes);
    }
}

/* --- YAML --- */

/* An item's lines are a sequence of one. */
static enum lg_err_code add_yaml_item(struct source *source,
                                      const struct lg_yaml_document *document,
                                      const struct list_kind *list)
{
    struct lg_val root = LG_NONE;
    source->part = *document;
    enum lg_err_code code =
        lg_yaml_parse(&source->manifests->arena, document, source->file, &root, source->err);
    struct lg_val item = lg_json_item(root, 0);
    return code == LG_E_OK ? add_object(source, item, lg_json_mark(item), list) : code;
}

/* A List that is longer than the reader's limits, item by item; false where the text is none that
 * can be taken apart by lines. */
static bool read_long_yaml_list(struct source *source, const struct lg_yaml_document *document,
                                enum lg_err_code *ret_code)
{
    struct lg_list_text found;
    struct list_kind list;
    struct lg_list_cursor cursor = {.line = document->first_line};
    struct lg_val root = LG_NONE;
    if (!lg_list_find_yaml(document->text, &found, &cursor.indent))
        return false;
    struct lg_yaml_document part = *document;
    part.text = lg_list_envelope(&found, true, &source->manifests->arena);
    if (lg_yaml_parse(&source->manifests->arena, &part, source->file, &root, NULL) != LG_E_OK ||
        !is_list(root, &list))
        return false;
    cursor.at = cursor.line_start = document->text.p;
    lg_list_move(&cursor, found.items.p);
    cursor.end = found.items.p + found.items.n;
    *ret_code = LG_E_OK;
    while (*ret_code == LG_E_OK && lg_list_next_yaml(&cursor, &part.text) == LG_LIST_ITEM) {
        part.first_line = cursor.line;
        *ret_code = add_yaml_item(source, &part, &list);
        lg_list_move(&cursor, part.text.p + part.text.n);
    }
    return true;
}

static enum lg_err_code read_yaml(struct source *source)
{
    struct lg_yaml_document document = {0};
    size_t pos = 0;
    while (lg_yaml_next_document(source->text, &pos, &document)) {
        struct lg_err err = {0};
        struct lg_val root = LG_NONE;
        source->document = document.number;
        source->part = document;
        enum lg_err_code code =
            lg_yaml_parse(&source->manifests->arena, &document, source->file, &root, &err);
        if (code == LG_E_LIMIT && read_long_yaml_list(source, &document, &code))
            err = (struct lg_err){0};
        else if (code == LG_E_OK)
            code = add_document(source, root, lg_json_mark(root));
        if (err.code != LG_E_OK && source->err != NULL && source->err->code == LG_E_OK)
            *source->err = err;
        if (code != LG_E_OK)
            return code;
    }
    return LG_E_OK;
}

/* --- files --- */

static bool looks_like_json(struct lg_str text)
{
    size_t i = 0;
    while (i < text.n && is_space(text.p[i]))
        i++;
    return i < text.n && text.p[i] == '{';
}

/* By another name, through a link, or in a directory that was given too. */
static bool was_read(struct lg_manifests *manifests, const char *path)
{
    char *real lg_cleanup(lg_free_cleanup) = strcmp(path, "-") != 0 ? realpath(path, NULL) : NULL;
    if (real == NULL)
        return false;
    if (lg_map_get(&manifests->read, lg_str_of(real)) != NULL)
        return true;
    (void)lg_map_set(&manifests->read, lg_arena_str(&manifests->arena, lg_str_of(real)), manifests);
    return false;
}

static enum lg_err_code read_file(struct lg_manifests *manifests, const char *path,
                                  struct lg_err *err)
{
    size_t bytes = 0;
    char *text = NULL;
    if (was_read(manifests, path))
        return LG_E_OK;
    enum lg_err_code code = lg_file_read(path, LG_MANIFEST_FILE_BYTES_MAX, &text, &bytes, err);
    if (code != LG_E_OK)
        return code;
    manifests->texts =
        lg_realloc(manifests->texts, manifests->n_texts + 1, sizeof *manifests->texts);
    manifests->texts[manifests->n_texts++] = text;
    struct lg_err json_err = {0};
    struct source source = {.manifests = manifests,
                            .file = lg_arena_str(&manifests->arena, lg_str_of(path)).p,
                            .text = {text, bytes}};
    /* "{a: b}" is YAML that begins like JSON: what is no JSON is tried as YAML, as kubectl does. */
    if (looks_like_json(source.text)) {
        size_t n = manifests->n;
        source.err = &json_err;
        source.json = true;
        code = read_json(&source);
        if (!source.no_json) {
            if (code != LG_E_OK && err != NULL && err->code == LG_E_OK)
                *err = json_err;
            return code;
        }
        manifests->n = n;
    }
    struct lg_err yaml_err = {0};
    source.err = &yaml_err;
    source.json = false;
    code = read_yaml(&source);
    if (code != LG_E_OK && err != NULL && err->code == LG_E_OK)
        *err =
            json_err.code != LG_E_OK && lg_str_ends(lg_str_of(path), ".json") ? json_err : yaml_err;
    return code;
}

static void free_list(char ***paths)
{
    lg_file_list_free(*paths);
}

enum lg_err_code lg_manifests_read(struct lg_manifests *manifests, const char *path,
                                   struct lg_err *err)
{
    static const char *const suffixes[] = {".yaml", ".yml", ".json", NULL};
    char **paths lg_cleanup(free_list) = NULL;
    enum lg_err_code code = lg_file_list(path, suffixes, &paths, err);
    for (size_t i = 0; code == LG_E_OK && paths[i] != NULL; i++)
        code = read_file(manifests, paths[i], err);
    return code;
}

void lg_manifests_done(struct lg_manifests *manifests)
{
    for (size_t i = 0; i < manifests->n_texts; i++)
        free(manifests->texts[i]);
    free(manifests->texts);
    lg_map_done(&manifests->read);
    free(manifests->items);
    lg_arena_done(&manifests->arena);
    *manifests = (struct lg_manifests){0};
}

/* A name that the API server has yet to make is nobody's to refer to. */
static bool is_unnamed(struct lg_val object)
{
    struct lg_val metadata = lg_json_get(object, "metadata");
    return !lg_json_there(lg_json_get(metadata, "name")) &&
           !lg_str_empty(lg_json_str(lg_json_get(metadata, "generateName")));
}

enum lg_err_code lg_manifests_fill(const struct lg_manifests *manifests,
                                   struct lg_inventory *inventory, struct lg_err *err)
{
    for (size_t i = 0; i < manifests->n; i++) {
        const struct lg_manifest_object *item = &manifests->items[i];
        if (item->kind == LG_KIND_OTHER)
            continue;
        lg_inventory_set_known(inventory, item->kind, LG_KNOWN);
        if (is_unnamed(item->object))
            continue;
        struct lg_record *record = NULL;
        struct lg_err problem = {0};
        enum lg_err_code code = lg_record_new_as(item->kind, item->object, &record, &problem);
        if (code == LG_E_OK) {
            lg_inventory_set(inventory, record);
            continue;
        }
        char where[LG_ERR_WHERE_BYTES];
        snprintf(where, sizeof where, "%s:%u:%u", item->file, item->mark.line, item->mark.column);
        return lg_err_set(err, code, where, "%s%s%s", problem.where,
                          problem.where[0] != '\0' ? ": " : "", problem.text);
    }
    return LG_E_OK;
}
