#include "tests/support/canned_parts.h"

#include <stdio.h>
#include <stdlib.h>

#include "rules/core/mem.h"

enum { LOOP = 1 }; /* what a page of LG_CANNED_LOOP is followed by */

struct listing {
    struct lg_canned_blob **items;
    size_t n, at, off;
    struct lg_buf head, tail;
    size_t head_off, tail_off;
    int fault;
};

static void listing_free(void *arg)
{
    struct listing *l = arg;
    for (size_t i = 0; i < l->n; i++)
        lg_canned_blob_unref(l->items[i]);
    free(l->items);
    lg_buf_done(&l->head);
    lg_buf_done(&l->tail);
    free(l);
}

static ssize_t listing_read(void *arg, uint64_t pos, char *to, size_t room)
{
    (void)pos;
    struct listing *l = arg;
    size_t all = room;
    lg_canned_pour(&to, &room, l->head.p, l->head.n, &l->head_off);
    if (l->fault == LG_CANNED_CUT && room > 0) {
        if (room != all)
            return (ssize_t)(all - room);
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    while (room > 0 && l->at < l->n) {
        const struct lg_canned_blob *blob = l->items[l->at];
        if (l->off < blob->n) {
            lg_canned_pour(&to, &room, blob->text, blob->n, &l->off);
            continue;
        }
        l->off = 0;
        if (++l->at < l->n) {
            *to++ = ',';
            room--;
        }
    }
    if (l->at == l->n)
        lg_canned_pour(&to, &room, l->tail.p, l->tail.n, &l->tail_off);
    return room != all ? (ssize_t)(all - room) : MHD_CONTENT_READER_END_OF_STREAM;
}

static void frame_list(struct listing *l, const struct lg_gvk *gvk, uint64_t version, size_t next)
{
    struct lg_buf metadata = {0};
    lg_buf_printf(&metadata, "\"metadata\":{\"resourceVersion\":\"%llu\"",
                  (unsigned long long)version);
    if (next != 0)
        lg_buf_printf(&metadata, ",\"continue\":\"%llu/%zu=\",\"remainingItemCount\":1",
                      (unsigned long long)version, next);
    lg_buf_putc(&metadata, '}');
    const char *slash = *gvk->group != '\0' ? "/" : "";
    if (strstr(gvk->group, "kubevirt") != NULL) {
        lg_buf_printf(&l->head, "{\"apiVersion\":\"%s%s%s\",\"items\":[", gvk->group, slash,
                      gvk->version);
        lg_buf_printf(&l->tail, "],\"kind\":\"%sList\",%s}\n", gvk->kind, metadata.p);
    } else {
        lg_buf_printf(&l->head, "{\"kind\":\"%sList\",\"apiVersion\":\"%s%s%s\",%s,\"items\":[",
                      gvk->kind, gvk->group, slash, gvk->version, metadata.p);
        lg_buf_puts(&l->tail, "]}\n");
    }
    lg_buf_done(&metadata);
}

enum MHD_Result lg_canned_serve_list(struct lg_canned *canned, struct MHD_Connection *connection,
                                     enum lg_kind kind, int fault)
{
    struct lg_canned_resource *r = &canned->resources[kind];
    unsigned long long version = canned->version;
    size_t from = 0, limit = strtoul(lg_canned_query(connection, "limit"), NULL, 10);
    const char *next = lg_canned_query(connection, "continue");
    if (*next != '\0' && sscanf(next, "%llu/%zu", &version, &from) != 2)
        return lg_canned_answer_status(connection, 400, NULL);
    if (*next != '\0' && version < r->compacted)
        return lg_canned_answer_status(connection, 410, NULL);
    if (strcmp(lg_canned_query(connection, "resourceVersion"), "0") == 0)
        limit = 0; /* the watch cache knows no pages */
    struct listing *l = lg_calloc(1, sizeof *l);
    l->fault = fault;
    size_t left = from < r->n ? r->n - from : 0;
    l->n = limit != 0 && limit < left ? limit : left;
    l->items = lg_calloc(l->n + 1, sizeof(struct lg_canned_blob *));
    for (size_t i = 0; i < l->n; i++)
        l->items[i] = lg_canned_blob_ref(r->items[from + i]);
    size_t behind = l->n < left ? from + l->n : 0;
    frame_list(l, lg_gvk(kind), version, fault == LG_CANNED_LOOP ? LOOP : behind);
    if (fault == LG_CANNED_CUT)
        lg_buf_puts(&l->head, "{\"metadata\":{\"na");
    if (fault == LG_CANNED_GARBAGE)
        lg_buf_puts(&l->head, "<html>");
    struct MHD_Response *response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, LG_CANNED_PAGE_BYTES, listing_read, l, listing_free);
    enum MHD_Result result = MHD_queue_response(connection, 200, response);
    MHD_destroy_response(response);
    return result;
}
