#include "webhook/server/routes.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "rules/core/arena.h"
#include "rules/core/mem.h"
#include "rules/core/num.h"
#include "webhook/runtime/clock.h"
#include "webhook/runtime/log.h"
#include "webhook/runtime/metrics.h"
#include "webhook/server/health.h"
#include "webhook/server/listener.h"
#include "webhook/server/stats.h"

enum {
    /* Of a refused request: what is read and forgotten, so that the connection can be kept. */
    DISCARD_BYTES_MAX = 64 * 1024,
    BAD_LOG_INTERVAL_MS = 1000,
};

struct request {
    enum lg_route route;
    unsigned refusal; /* HTTP status, 0 = it is a review */
    const char *why;
    const char *allow; /* of a 405 */
    char *body;
    size_t n, size;
    int64_t arrived_ns, timeout_ms;
    bool complete; /* head and body are here */
    struct lg_review_memory memory;
};

/* --- one arena a server thread, freed when the thread ends --- */

static pthread_key_t arena_key;
static pthread_once_t arena_once = PTHREAD_ONCE_INIT;

static void free_arena(void *arg)
{
    lg_arena_done(arg);
    free(arg);
}

static void make_arena_key(void)
{
    pthread_key_create(&arena_key, free_arena);
}

static struct lg_arena *thread_arena(void)
{
    pthread_once(&arena_once, make_arena_key);
    struct lg_arena *arena = pthread_getspecific(arena_key);
    if (arena == NULL) {
        arena = lg_calloc(1, sizeof *arena);
        lg_arena_init(arena);
        pthread_setspecific(arena_key, arena);
    }
    return arena;
}

/* --- answers --- */

struct reply {
    unsigned status;
    const char *content_type;
    char *text; /* taken when `owned`, else static */
    size_t n;
    bool owned;
    const char *allow;
};

static enum MHD_Result send_reply(struct lg_service *service, struct MHD_Connection *connection,
                                  const struct reply *reply)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        reply->n, reply->text, reply->owned ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
    if (response == NULL) {
        if (reply->owned)
            free(reply->text);
        return MHD_NO;
    }
    MHD_add_response_header(response, "Content-Type", reply->content_type);
    if (reply->allow != NULL)
        MHD_add_response_header(response, "Allow", reply->allow);
    if (reply->status == MHD_HTTP_SERVICE_UNAVAILABLE)
        MHD_add_response_header(response, "Retry-After", "1");
    if (atomic_load(&service->draining))
        MHD_add_response_header(response, "Connection", "close");
    enum MHD_Result result = MHD_queue_response(connection, reply->status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result send_text(struct lg_service *service, struct MHD_Connection *connection,
                                 unsigned status, const char *text, const char *allow)
{
    return send_reply(service, connection,
                      &(struct reply){.status = status,
                                      .content_type = "text/plain; charset=utf-8",
                                      .text = (char *)(uintptr_t)text,
                                      .n = strlen(text),
                                      .allow = allow});
}

static void *socket_context(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

/* --- the head of a request --- */

static enum lg_route route_of(const char *url)
{
    if (strcmp(url, "/validate") == 0)
        return LG_ROUTE_VALIDATE;
    if (strcmp(url, "/validate/migrations") == 0)
        return LG_ROUTE_MIGRATIONS;
    if (strcmp(url, "/mutate") == 0)
        return LG_ROUTE_MUTATE;
    return LG_ROUTE_NONE;
}

static const char *header(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

/* "application/json", parameters allowed. */
static bool is_json(const char *content_type)
{
    static const char json[] = "application/json";
    if (content_type == NULL || strncasecmp(content_type, json, sizeof json - 1) != 0)
        return false;
    const char *rest = content_type + sizeof json - 1;
    rest += strspn(rest, " \t");
    return *rest == '\0' || *rest == ';';
}

/* The body's length; false: there is none that says it. One that does not fit counts as endless. */
static bool body_length(struct MHD_Connection *connection, uint64_t *ret)
{
    const char *text = header(connection, "Content-Length");
    int64_t length = 0;
    if (text == NULL || header(connection, "Transfer-Encoding") != NULL)
        return false;
    enum lg_err_code code = lg_num_go_int64(lg_str_of(text), &length);
    if (code == LG_E_INVALID || length < 0)
        return false;
    *ret = code == LG_E_LIMIT ? UINT64_MAX : (uint64_t)length;
    return true;
}

static bool reserve_large(struct lg_service *service, struct MHD_Connection *connection,
                          size_t bytes)
{
    if (!lg_listener_hold(socket_context(connection), bytes))
        return false;
    if (atomic_fetch_add(&service->large_bytes, bytes) + bytes <= LG_BODIES_BYTES_MAX)
        return true;
    atomic_fetch_sub(&service->large_bytes, bytes);
    lg_listener_let_go(socket_context(connection), bytes);
    return false;
}

static bool reserve_body(struct lg_service *service, struct MHD_Connection *connection,
                         size_t bytes)
{
    if (bytes > LG_SMALL_BODY_BYTES_MAX && !reserve_large(service, connection, bytes))
        return false;
    atomic_fetch_add(&service->body_bytes, bytes);
    return true;
}

static void release_body(struct lg_service *service, struct MHD_Connection *connection,
                         struct request *request)
{
    if (request->body == NULL)
        return;
    free(request->body);
    request->body = NULL;
    atomic_fetch_sub(&service->body_bytes, request->size);
    if (request->size <= LG_SMALL_BODY_BYTES_MAX)
        return;
    atomic_fetch_sub(&service->large_bytes, request->size);
    lg_listener_let_go(socket_context(connection), request->size);
}

/* The request is here, head and body. */
static void completed(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *head =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    uint64_t body = 0, bytes = head != NULL ? head->header_size : 0;
    if (body_length(connection, &body))
        bytes += body;
    lg_listener_complete(socket_context(connection), bytes);
}

static void refuse(struct request *request, unsigned status, const char *why)
{
    request->refusal = status;
    request->why = why;
}

/* Decides by path, method, type and length, in this order, and makes room for the body. */
static void check_head(struct lg_service *service, struct MHD_Connection *connection,
                       const char *url, const char *method, struct request *request)
{
    uint64_t length = 0;

    request->route = route_of(url);
    if (request->route == LG_ROUTE_NONE) {
        refuse(request, 404, "there is /validate, /validate/migrations and /mutate here\n");
    } else if (strcmp(method, "POST") != 0) {
        request->allow = "POST";
        refuse(request, 405, "a review is sent with POST\n");
    } else if (!is_json(header(connection, "Content-Type"))) {
        refuse(request, 415, "a review has Content-Type application/json\n");
    } else if (!body_length(connection, &length)) {
        refuse(request, 411, "a review has a Content-Length\n");
    } else if (length > LG_BODY_BYTES_MAX) {
        refuse(request, 413, "a review has at most 8 MiB\n");
    } else if (!reserve_body(service, connection, (size_t)length)) {
        refuse(request, 503, "too many reviews are being read; try again\n");
    } else {
        request->size = (size_t)length;
        request->body = lg_realloc(NULL, request->size + 1, 1);
    }
}

/* True when a refused request is answered before its body is read: it is long, it has no length, or
 * the client asks first. The connection then ends with the answer. */
static bool answer_early(struct MHD_Connection *connection)
{
    uint64_t length = 0;
    if (header(connection, "Transfer-Encoding") != NULL || header(connection, "Expect") != NULL)
        return true;
    return body_length(connection, &length) && length > DISCARD_BYTES_MAX;
}

static enum MHD_Result send_refusal(struct lg_service *service, struct MHD_Connection *connection,
                                    const struct request *request)
{
    lg_stats_refused(request->refusal);
    return send_text(service, connection, request->refusal, request->why, request->allow);
}

static enum MHD_Result begin(struct lg_service *service, struct MHD_Connection *connection,
                             const char *url, const char *method, void **state)
{
    struct request *request = lg_calloc(1, sizeof *request);
    *state = request;
    atomic_fetch_add(&service->in_flight, 1);
    lg_listener_begin(socket_context(connection));
    request->arrived_ns = lg_clock_mono_ns();
    check_head(service, connection, url, method, request);
    if (request->refusal != 0 && answer_early(connection)) {
        lg_listener_linger(socket_context(connection));
        return send_refusal(service, connection, request);
    }
    if (request->refusal != 0)
        return MHD_YES;
    request->timeout_ms = lg_review_timeout_ms(
        MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "timeout"));
    return MHD_YES;
}

/* --- the body --- */

static void take_bytes(struct request *request, const char *data, size_t n)
{
    if (request->body == NULL)
        return;
    if (n > request->size - request->n) /* the library never hands out more than Content-Length */
        n = request->size - request->n;
    memcpy(request->body + request->n, data, n);
    request->n += n;
}

static enum MHD_Result send_bad(struct lg_service *service, struct MHD_Connection *connection,
                                const struct lg_err *err)
{
    static _Atomic int64_t next_log_ms;
    char line[LG_ERR_WHERE_BYTES + LG_ERR_TEXT_BYTES];
    struct lg_buf text = {0};

    lg_stats_refused(400);
    lg_buf_puts(&text, "not an AdmissionReview that can be answered: ");
    lg_buf_printable(&text, lg_str_of(lg_err_format(err, line, sizeof line)));
    lg_buf_putc(&text, '\n');
    int64_t now_ms = lg_clock_mono_ms(), due_ms = atomic_load(&next_log_ms);
    if (now_ms >= due_ms &&
        atomic_compare_exchange_strong(&next_log_ms, &due_ms, now_ms + BAD_LOG_INTERVAL_MS))
        lg_log(LG_LOG_WARN, "a request was no AdmissionReview", LG_F_ERR(err));
    return send_reply(service, connection,
                      &(struct reply){.status = 400,
                                      .content_type = "text/plain; charset=utf-8",
                                      .text = text.p,
                                      .n = text.n,
                                      .owned = true});
}

static enum MHD_Result answer(struct lg_service *service, struct MHD_Connection *connection,
                              struct request *request)
{
    struct reply reply = {.status = 200, .content_type = "application/json", .owned = true};
    struct lg_err err = {0};
    struct lg_arena *arena = thread_arena();
    const struct lg_review_call call = {.route = request->route,
                                        .body = {request->body, request->n},
                                        .arrived_ns = request->arrived_ns,
                                        .timeout_ms = request->timeout_ms,
                                        .connection = connection,
                                        .memory = &request->memory};

    enum lg_err_code code =
        lg_reviewer_answer(service->reviewer, &call, arena, &reply.text, &reply.n, &err);
    lg_arena_reset(arena);
    if (code == LG_E_OK && reply.text == NULL)
        return MHD_YES; /* suspended: we are called again */
    release_body(service, connection, request);
    if (code != LG_E_OK)
        return send_bad(service, connection, &err);
    return send_reply(service, connection, &reply);
}

/* NOLINTNEXTLINE(readability-function-size): the library's signature */
enum MHD_Result lg_routes_reviews(void *arg, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload_data,
                                  size_t *upload_bytes, void **state)
{
    (void)version;
    struct lg_service *service = arg;
    struct request *request = *state;

    if (request == NULL)
        return begin(service, connection, url, method, state);
    if (*upload_bytes > 0) {
        take_bytes(request, upload_data, *upload_bytes);
        *upload_bytes = 0;
        return MHD_YES;
    }
    if (!request->complete)
        completed(connection);
    request->complete = true;
    if (request->refusal != 0)
        return send_refusal(service, connection, request);
    return answer(service, connection, request);
}

void lg_routes_completed(void *arg, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code)
{
    (void)code;
    struct lg_service *service = arg;
    struct request *request = lg_steal(*state);
    if (request == NULL)
        return;
    lg_listener_answered(socket_context(connection));
    release_body(service, connection, request);
    lg_review_memory_done(&request->memory);
    free(request);
    atomic_fetch_sub(&service->in_flight, 1);
}

/* --- the operations' port --- */

static enum MHD_Result send_metrics(struct lg_service *service, struct MHD_Connection *connection)
{
    struct lg_buf text = {0};
    lg_metrics_render(&text);
    return send_reply(service, connection,
                      &(struct reply){.status = 200,
                                      .content_type = LG_METRICS_CONTENT_TYPE,
                                      .text = text.p,
                                      .n = text.n,
                                      .owned = true});
}

static enum MHD_Result operate(struct lg_service *service, struct MHD_Connection *connection,
                               const char *url)
{
    const char *text = NULL;
    if (strcmp(url, "/metrics") == 0)
        return send_metrics(service, connection);
    bool well = strcmp(url, "/livez") == 0 ? lg_health_live(service, lg_clock_mono_ms(), &text)
                                           : lg_health_ready(service, &text);
    return send_text(service, connection, well ? 200 : 503, text, NULL);
}

static bool is_operation(const char *url)
{
    return strcmp(url, "/metrics") == 0 || strcmp(url, "/livez") == 0 ||
           strcmp(url, "/readyz") == 0;
}

/* NOLINTNEXTLINE(readability-function-size): the library's signature */
enum MHD_Result lg_routes_operations(void *arg, struct MHD_Connection *connection, const char *url,
                                     const char *method, const char *version,
                                     const char *upload_data, size_t *upload_bytes, void **state)
{
    static char seen;
    (void)version;
    (void)upload_data;
    struct lg_service *service = arg;

    if (!is_operation(url))
        return send_text(service, connection, 404, "there is /livez, /readyz and /metrics here\n",
                         NULL);
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        return send_text(service, connection, 405, "this is read with GET\n", "GET, HEAD");
    if (*state == NULL) { /* the head; a body, if any, comes next */
        *state = &seen;
        lg_listener_begin(socket_context(connection));
        return MHD_YES;
    }
    if (*upload_bytes > 0) {
        *upload_bytes = 0;
        return MHD_YES;
    }
    completed(connection);
    return operate(service, connection, url);
}

void lg_routes_operated(void *arg, struct MHD_Connection *connection, void **state,
                        enum MHD_RequestTerminationCode code)
{
    (void)arg;
    (void)code;
    if (*state != NULL)
        lg_listener_answered(socket_context(connection));
    *state = NULL;
}
