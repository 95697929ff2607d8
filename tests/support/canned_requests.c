#include "tests/support/canned_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/core/mem.h"

struct target {
    enum lg_kind kind; /* LG_KIND_OTHER: nothing that we serve */
    char key[512];     /* of one object; "" = all */
};

/* /api/v1/PLURAL, /apis/GROUP/VERSION/PLURAL; with namespaces/NS/ before PLURAL and /NAME behind it
 * for one object. */
static struct target target_of(const char *url)
{
    struct target target = {.kind = LG_KIND_OTHER};
    char copy[1024], *parts[8] = {NULL}, *save = NULL;
    size_t n = 0, at;
    (void)snprintf(copy, sizeof copy, "%s", url);
    for (char *p = strtok_r(copy, "/", &save); p != NULL && n < 8; p = strtok_r(NULL, "/", &save))
        parts[n++] = p;
    bool core = n >= 3 && strcmp(parts[0], "api") == 0;
    if (!core && (n < 4 || strcmp(parts[0], "apis") != 0))
        return target;
    at = core ? 2 : 3;
    const char *ns = "";
    if (n > at + 2 && strcmp(parts[at], "namespaces") == 0) {
        ns = parts[at + 1];
        at += 2;
    }
    target.kind = lg_kind_of_resource(lg_str_of(core ? "" : parts[1]), lg_str_of(parts[at]));
    if (n == at + 2)
        (void)snprintf(target.key, sizeof target.key, "%s/%s", ns, parts[at + 1]);
    else if (n != at + 1)
        target.kind = LG_KIND_OTHER;
    return target;
}

static enum MHD_Result add_argument(void *arg, enum MHD_ValueKind kind, const char *key,
                                    const char *value)
{
    (void)kind;
    struct lg_buf *buf = arg;
    lg_buf_printf(buf, "%c%s=%s", memchr(buf->p, '?', buf->n) != NULL ? '&' : '?', key,
                  value != NULL ? value : "");
    return MHD_YES;
}

static void note(struct lg_canned_resource *r, enum lg_canned_verb verb,
                 struct MHD_Connection *connection, const char *url)
{
    struct lg_buf buf = {0};
    lg_buf_puts(&buf, url);
    MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, add_argument, &buf);
    (void)snprintf(r->last[verb], sizeof r->last[verb], "%s", buf.p);
    r->requests[verb]++;
    lg_buf_done(&buf);
}

/* The fault that this request meets; 0: none. */
static int meet_fault(struct lg_canned_failure *fault)
{
    if (fault->times == 0)
        return 0;
    if (fault->times > 0)
        fault->times--;
    return fault->status;
}

static enum MHD_Result serve_object(struct lg_canned *canned, struct MHD_Connection *connection,
                                    const struct target *target)
{
    struct lg_canned_resource *r = &canned->resources[target->kind];
    uintptr_t found = (uintptr_t)lg_map_get(&r->by_key, lg_str_of(target->key));
    if (found == 0)
        return lg_canned_answer_status(connection, 404, strchr(target->key, '/') + 1);
    struct lg_buf body = {0};
    lg_buf_add(&body, r->items[found - 1]->text, r->items[found - 1]->n);
    enum MHD_Result result = lg_canned_answer(connection, 200, &body);
    lg_buf_done(&body);
    return result;
}

static enum MHD_Result serve(struct lg_canned *canned, struct MHD_Connection *connection,
                             const char *url)
{
    struct target target = target_of(url);
    if (target.kind == LG_KIND_OTHER)
        return lg_canned_answer_status(connection, 404, NULL);
    struct lg_canned_resource *r = &canned->resources[target.kind];
    const char *watching = lg_canned_query(connection, "watch");
    enum lg_canned_verb verb = target.key[0] != '\0'                              ? LG_CANNED_GET
                               : *watching != '\0'                                ? LG_CANNED_WATCH
                               : *lg_canned_query(connection, "continue") != '\0' ? LG_CANNED_MORE
                                                                                  : LG_CANNED_LIST;
    note(r, verb, connection, url);
    int fault = meet_fault(&r->failures[verb]);
    if (fault >= 400)
        return lg_canned_answer_status(connection, fault, NULL);
    if (fault == LG_CANNED_HANG)
        return lg_canned_serve_watch(canned, connection, target.kind, fault);
    if (verb == LG_CANNED_GET)
        return serve_object(canned, connection, &target);
    if (verb == LG_CANNED_WATCH)
        return lg_canned_serve_watch(canned, connection, target.kind, fault);
    return lg_canned_serve_list(canned, connection, target.kind, fault);
}

static bool known(const struct lg_canned *canned, struct MHD_Connection *connection)
{
    const char *said = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Authorization");
    return canned->token == NULL || (said != NULL && lg_str_starts(lg_str_of(said), "Bearer ") &&
                                     strcmp(said + 7, canned->token) == 0);
}

/* A write is answered with what it said: method, type and body. */
static enum MHD_Result echo(struct MHD_Connection *connection, const char *method,
                            const struct lg_buf *body)
{
    const char *type = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Type");
    struct lg_buf out = {0};
    lg_buf_printf(&out, "%s %s %.*s", method, type != NULL ? type : "-", (int)body->n,
                  body->n != 0 ? body->p : "");
    enum MHD_Result result = lg_canned_answer(connection, 200, &out);
    lg_buf_done(&out);
    return result;
}

enum MHD_Result lg_canned_handle(void *arg, struct MHD_Connection *connection, const char *url,
                                 const char *method, const char *version, const char *upload,
                                 size_t *upload_bytes, void **state)
{
    (void)version;
    struct lg_canned *canned = arg;
    if (*state == NULL) {
        *state = lg_calloc(1, sizeof(struct lg_buf));
        return MHD_YES;
    }
    if (*upload_bytes != 0) {
        lg_buf_add(*state, upload, *upload_bytes);
        *upload_bytes = 0;
        return MHD_YES;
    }
    pthread_mutex_lock(&canned->mutex);
    bool config_map = lg_canned_is_config_map(canned, url);
    pthread_mutex_unlock(&canned->mutex);
    if (strcmp(method, "GET") != 0 && !config_map)
        return echo(connection, method, *state);
    pthread_mutex_lock(&canned->mutex);
    enum MHD_Result result;
    if (!known(canned, connection))
        result = lg_canned_answer_status(connection, 401, NULL);
    else if (config_map)
        result = lg_canned_serve_config_map(canned, connection, method, *state);
    else
        result = serve(canned, connection, url);
    pthread_mutex_unlock(&canned->mutex);
    return result;
}

void lg_canned_completed(void *arg, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code)
{
    (void)arg;
    (void)connection;
    (void)code;
    if (*state != NULL)
        lg_buf_done(*state);
    free(*state);
    *state = NULL;
}
