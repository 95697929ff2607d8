#include "tests/support/canned_parts.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "rules/core/json.h"
#include "rules/core/mem.h"
#include "rules/kube/meta.h"
#include "tests/support/canned_objects.h"

void lg_canned_blob_unref(struct lg_canned_blob *blob)
{
    if (blob == NULL || atomic_fetch_sub(&blob->refs, 1) != 1)
        return;
    free(blob->key);
    free(blob);
}

struct lg_canned_blob *lg_canned_blob_ref(struct lg_canned_blob *blob)
{
    atomic_fetch_add(&blob->refs, 1);
    return blob;
}

static void stamp(struct lg_canned_blob *blob, uint64_t version)
{
    char digits[16];
    (void)snprintf(digits, sizeof digits, "%010llu", (unsigned long long)version);
    memcpy(blob->text + blob->version_at, digits, 10);
    if (blob->touched_at != 0)
        memcpy(blob->text + blob->touched_at, digits, 10);
    blob->version = version;
}

/* The object with room for its version right behind the opening of metadata. */
static struct lg_canned_blob *blob_new(enum lg_kind kind, struct lg_str object)
{
    struct lg_arena arena lg_cleanup(lg_arena_done);
    struct lg_val root;
    lg_arena_init(&arena);
    enum lg_err_code code = lg_meta_parse(&arena, object, &root, NULL);
    assert(code == LG_E_OK);
    struct lg_str metadata = lg_json_text(lg_json_get(root, "metadata"));
    assert(metadata.n > 2);
    (void)code;
    static const char before[] = "\"resourceVersion\":\"";
    size_t head = (size_t)(metadata.p - object.p) + 1;
    struct lg_canned_blob *blob = lg_calloc(1, sizeof *blob + object.n + sizeof before + 16);
    char *p = blob->text;
    memcpy(p, object.p, head);
    p = mempcpy(p + head, before, sizeof before - 1);
    blob->version_at = (size_t)(p - blob->text);
    p = mempcpy(p, "0000000000\",", 12);
    p = mempcpy(p, object.p + head, object.n - head);
    blob->n = (size_t)(p - blob->text);
    blob->refs = 1;
    const char *touched = memmem(blob->text, blob->n, "\"touched\":\"", 11);
    blob->touched_at = touched != NULL ? (size_t)(touched - blob->text) + 11 : 0;
    struct lg_str name = lg_json_str_at(root, "metadata.name");
    struct lg_str ns = lg_json_str_at(root, "metadata.namespace");
    struct lg_buf key = {0};
    if (lg_gvk(kind)->namespaced)
        lg_buf_str(&key, ns.n != 0 ? ns : LG_STR("default"));
    lg_buf_putc(&key, '/');
    lg_buf_str(&key, name);
    blob->key = key.p;
    return blob;
}

/* A copy to be changed. */
static struct lg_canned_blob *blob_copy(const struct lg_canned_blob *from)
{
    struct lg_canned_blob *blob = lg_calloc(1, sizeof *blob + from->n);
    /* Not the whole: others give their references back meanwhile. */
    blob->refs = 1;
    blob->n = from->n;
    blob->version_at = from->version_at;
    blob->touched_at = from->touched_at;
    blob->version = from->version;
    blob->key = lg_memdup(from->key, strlen(from->key));
    memcpy(blob->text, from->text, from->n);
    return blob;
}

static void log_event(struct lg_canned *canned, enum lg_kind kind, const char *type,
                      struct lg_canned_blob *take_blob)
{
    struct lg_canned_resource *r = &canned->resources[kind];
    if (r->events == NULL)
        r->events = lg_calloc(LG_CANNED_EVENTS_MAX, sizeof *r->events);
    if (r->end - r->first == LG_CANNED_EVENTS_MAX) {
        struct lg_canned_event *oldest = &r->events[r->first++ % LG_CANNED_EVENTS_MAX];
        r->compacted = oldest->version;
        lg_canned_blob_unref(oldest->blob);
    }
    r->events[r->end++ % LG_CANNED_EVENTS_MAX] =
        (struct lg_canned_event){type, take_blob, take_blob->version};
    lg_canned_wake(canned, kind);
}

static void put_blob(struct lg_canned *canned, enum lg_kind kind, struct lg_canned_blob *take_blob,
                     bool tell)
{
    struct lg_canned_resource *r = &canned->resources[kind];
    struct lg_str key = lg_str_of(take_blob->key);
    uintptr_t found = (uintptr_t)lg_map_get(&r->by_key, key);
    stamp(take_blob, ++canned->version);
    if (tell)
        log_event(canned, kind, found != 0 ? "MODIFIED" : "ADDED", lg_canned_blob_ref(take_blob));
    if (found == 0 && r->n == r->size) {
        r->size = r->size != 0 ? r->size * 2 : 16;
        r->items = lg_realloc(r->items, r->size, sizeof(struct lg_canned_blob *));
    }
    size_t at = found != 0 ? found - 1 : r->n++;
    lg_map_set(&r->by_key, key, (void *)(at + 1));
    if (found != 0)
        lg_canned_blob_unref(r->items[at]);
    r->items[at] = take_blob;
}

void lg_canned_put(struct lg_canned *canned, enum lg_kind kind, const char *object)
{
    struct lg_canned_blob *blob = blob_new(kind, lg_str_of(object));
    pthread_mutex_lock(&canned->mutex);
    put_blob(canned, kind, blob, true);
    pthread_mutex_unlock(&canned->mutex);
}

void lg_canned_delete(struct lg_canned *canned, enum lg_kind kind, const char *ns, const char *name)
{
    char key[512];
    (void)snprintf(key, sizeof key, "%s/%s", ns, name);
    pthread_mutex_lock(&canned->mutex);
    struct lg_canned_resource *r = &canned->resources[kind];
    uintptr_t found = (uintptr_t)lg_map_remove(&r->by_key, lg_str_of(key));
    assert(found != 0);
    struct lg_canned_blob *last = r->items[--r->n];
    struct lg_canned_blob *gone = blob_copy(r->items[found - 1]);
    lg_canned_blob_unref(r->items[found - 1]);
    if (found - 1 != r->n) {
        r->items[found - 1] = last;
        lg_map_set(&r->by_key, lg_str_of(last->key), (void *)found);
    }
    stamp(gone, ++canned->version);
    log_event(canned, kind, "DELETED", gone);
    pthread_mutex_unlock(&canned->mutex);
}

void lg_canned_store_touch(struct lg_canned *canned, enum lg_kind kind, size_t n)
{
    struct lg_canned_resource *r = &canned->resources[kind];
    for (size_t i = 0; i < n && r->n != 0; i++)
        put_blob(canned, kind, blob_copy(r->items[r->touch_at++ % r->n]), true);
}

void lg_canned_touch(struct lg_canned *canned, enum lg_kind kind, size_t n)
{
    pthread_mutex_lock(&canned->mutex);
    lg_canned_store_touch(canned, kind, n);
    pthread_mutex_unlock(&canned->mutex);
}

void lg_canned_store_fill(struct lg_canned *canned)
{
    struct lg_buf buf = {0};
    for (int kind = 0; kind < LG_KIND_COUNT; kind++) {
        for (size_t i = 0; i < canned->options.counts[kind]; i++) {
            buf.n = 0;
            lg_canned_object((enum lg_kind)kind, i, &buf);
            put_blob(canned, (enum lg_kind)kind, blob_new((enum lg_kind)kind, lg_buf_view(&buf)),
                     false);
        }
    }
    lg_buf_done(&buf);
}

void lg_canned_store_done(struct lg_canned *canned)
{
    for (int kind = 0; kind < LG_KIND_COUNT; kind++) {
        struct lg_canned_resource *r = &canned->resources[kind];
        for (uint64_t s = r->first; s < r->end; s++)
            lg_canned_blob_unref(r->events[s % LG_CANNED_EVENTS_MAX].blob);
        for (size_t i = 0; i < r->n; i++)
            lg_canned_blob_unref(r->items[i]);
        lg_map_done(&r->by_key);
        free(r->events);
        free(r->items);
    }
}
