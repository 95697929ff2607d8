#include "webhook/cluster/intake.h"

#include <stdlib.h>

#include "rules/core/mem.h"
#include "rules/kube/meta.h"

enum { VERSION_BYTES_MAX = 256 };

void lg_intake_drop(struct lg_intake *in)
{
    for (size_t i = 0; i < in->n_aside; i++)
        lg_record_unref(in->aside[i]);
    free(in->aside);
    in->aside = NULL;
    in->n_aside = 0;
    in->size_aside = 0;
    in->aside_bytes = 0;
    in->pages = 0;
}

void lg_intake_done(struct lg_intake *in)
{
    lg_intake_drop(in);
    free(in->version);
    lg_arena_done(&in->arena);
}

/* "namespace/name: path", the text as it is. */
static void note_unread(struct lg_intake *in, struct lg_val object, const struct lg_err *why)
{
    struct lg_buf where lg_cleanup(lg_buf_done) = {0};
    struct lg_str ns = lg_json_str_at(object, "metadata.namespace");
    lg_buf_str(&where, ns);
    if (ns.n != 0)
        lg_buf_putc(&where, '/');
    lg_buf_str(&where, lg_json_str_at(object, "metadata.name"));
    lg_buf_printf(&where, ": %s", why->where);
    in->unread = (struct lg_err){0};
    (void)lg_err_set(&in->unread, why->code, where.p, "%s", why->text);
    in->unreadable++;
}

/* Given; NULL: the object cannot be read, which is noted. */
static struct lg_record *read_record(struct lg_intake *in, struct lg_val object)
{
    struct lg_record *record = NULL;
    struct lg_err err = {0};
    if (lg_record_new_as(in->kind, object, &record, &err) == LG_E_OK)
        return record;
    note_unread(in, object, &err);
    return NULL;
}

/* The one that is there already where nothing differs: a relist costs no second copy of what did
 * not change. */
static struct lg_record *share(struct lg_intake *in, struct lg_record *take_record)
{
    const struct lg_record *old =
        lg_store_find(in->store, in->kind, take_record->ns, take_record->name);
    if (old == NULL || !lg_record_equal(old, take_record))
        return take_record;
    lg_record_unref(take_record);
    return lg_record_ref((struct lg_record *)old);
}

static enum lg_err_code endless(struct lg_intake *in, struct lg_err *err)
{
    return lg_err_set(err, LG_E_LIMIT, in->what,
                      "the list does not end: livegate keeps %zu objects of a resource, %d MiB of "
                      "them and %d pages, and more came",
                      in->objects_max, LG_LIST_BYTES_MAX / 1024 / 1024, LG_LIST_PAGES_MAX);
}

enum lg_err_code lg_intake_item(void *intake, struct lg_str item, struct lg_err *err)
{
    struct lg_intake *in = intake;
    struct lg_val object = LG_NONE;
    struct lg_err why = {0};
    lg_arena_reset(&in->arena);
    enum lg_err_code code =
        item.p == NULL ? lg_err_set(&why, LG_E_LIMIT, "", "the object is larger than 4 MiB")
                       : lg_meta_parse(&in->arena, item, &object, &why);
    if (code == LG_E_LIMIT) {
        note_unread(in, object, &why);
        return LG_E_OK;
    }
    if (code != LG_E_OK)
        return lg_err_set(err, code, why.where, "an item of the list is not JSON: %s", why.text);
    struct lg_record *record = read_record(in, object);
    if (record == NULL)
        return LG_E_OK;
    if (in->n_aside == in->objects_max || in->aside_bytes >= LG_LIST_BYTES_MAX) {
        lg_record_unref(record);
        return endless(in, err);
    }
    in->aside_bytes += record->bytes;
    if (in->n_aside == in->size_aside) {
        in->size_aside = in->size_aside != 0 ? in->size_aside * 2 : 64;
        in->aside = lg_realloc(in->aside, in->size_aside, sizeof(struct lg_record *));
    }
    in->aside[in->n_aside++] = share(in, record);
    return LG_E_OK;
}

static enum lg_err_code bad_event(struct lg_err *err, const char *why)
{
    return lg_err_set(err, LG_E_INVALID, "", "the watch sent what is no event: %s", why);
}

static enum lg_err_code on_error_event(struct lg_intake *in, struct lg_val status,
                                       struct lg_err *err)
{
    int64_t code = 0;
    struct lg_str message = lg_str_cut(lg_json_str(lg_json_get(status, "message")), 200);
    struct lg_buf text lg_cleanup(lg_buf_done) = {0};
    if (lg_json_int64(lg_json_get(status, "code"), &code) != LG_E_OK)
        code = 0;
    lg_buf_printable(&text, message);
    bool expired = code == 410 || lg_json_is(lg_json_get(status, "reason"), "Expired") ||
                   lg_json_is(lg_json_get(status, "reason"), "Gone");
    in->error_event = true;
    return lg_err_set(err, expired ? LG_E_GONE : LG_E_UNAVAILABLE, in->server,
                      "the watch ended with an error %lld: %s", (long long)code,
                      text.p != NULL ? text.p : "");
}

static enum lg_err_code on_change(struct lg_intake *in, struct lg_val object, bool deleted,
                                  struct lg_err *err)
{
    struct lg_str ns = lg_json_str_at(object, "metadata.namespace");
    struct lg_str name = lg_json_str_at(object, "metadata.name");
    if (name.n == 0)
        return bad_event(err, "its object has no name");
    in->events++;
    struct lg_record *record = deleted ? NULL : read_record(in, object);
    if (record != NULL)
        (void)lg_store_set(in->store, record);
    else
        (void)lg_store_remove(in->store, in->kind, ns, name);
    return LG_E_OK;
}

static enum lg_err_code set_version(struct lg_intake *in, struct lg_str version, struct lg_err *err)
{
    if (version.n == 0 || version.n > VERSION_BYTES_MAX ||
        memchr(version.p, '\0', version.n) != NULL)
        return bad_event(err, "its object has no resourceVersion");
    if (in->version != NULL && strlen(in->version) == version.n) {
        memcpy(in->version, version.p, version.n); /* nearly always, and without an allocation */
        return LG_E_OK;
    }
    free(in->version);
    in->version = lg_memdup(version.p, version.n);
    return LG_E_OK;
}

enum lg_err_code lg_intake_event(void *intake, struct lg_str event, struct lg_err *err)
{
    struct lg_intake *in = intake;
    struct lg_val root = LG_NONE;
    struct lg_err why = {0};
    lg_arena_reset(&in->arena);
    if (event.p == NULL)
        return bad_event(err, "it is larger than 4 MiB");
    enum lg_err_code code = lg_meta_parse(&in->arena, event, &root, &why);
    struct lg_val type = lg_json_get(root, "type");
    struct lg_val object = lg_json_get(root, "object");
    bool deleted = lg_json_is(type, "DELETED");
    bool changed = deleted || lg_json_is(type, "ADDED") || lg_json_is(type, "MODIFIED");
    struct lg_str version = lg_json_str_at(object, "metadata.resourceVersion");
    if (code == LG_E_LIMIT && changed && version.n != 0) {
        /* Too deep, too long or a key twice: what stood before says which object it is. */
        note_unread(in, object, &why);
        deleted = true;
    } else if (code != LG_E_OK) {
        return bad_event(err, why.text);
    }
    if (lg_json_is(type, "ERROR"))
        return on_error_event(in, object, err);
    if (lg_json_is(type, "BOOKMARK"))
        in->bookmarks++;
    else if (!changed)
        return bad_event(err, "its type is unknown");
    else if (on_change(in, object, deleted, err) != LG_E_OK)
        return LG_E_INVALID;
    return set_version(in, version, err);
}

enum lg_err_code lg_intake_page(struct lg_intake *in, struct lg_err *err)
{
    return ++in->pages == LG_LIST_PAGES_MAX ? endless(in, err) : LG_E_OK;
}

void lg_intake_replace(struct lg_intake *in)
{
    lg_store_replace(in->store, in->kind, in->aside, in->n_aside);
    in->n_aside = 0; /* taken */
    lg_intake_drop(in);
}
