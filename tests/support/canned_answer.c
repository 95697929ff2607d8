#include "tests/support/canned_parts.h"

#include <stdio.h>
#include <string.h>

const char *lg_canned_query(struct MHD_Connection *connection, const char *key)
{
    const char *value = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, key);
    return value != NULL ? value : "";
}

enum MHD_Result lg_canned_answer(struct MHD_Connection *connection, int status,
                                 const struct lg_buf *body)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body->n, body->p, MHD_RESPMEM_MUST_COPY);
    MHD_add_response_header(response, "Content-Type", "application/json");
    if (status == 429)
        MHD_add_response_header(response, "Retry-After", "1");
    enum MHD_Result result = MHD_queue_response(connection, (unsigned)status, response);
    MHD_destroy_response(response);
    return result;
}

enum MHD_Result lg_canned_answer_status(struct MHD_Connection *connection, int status,
                                        const char *name)
{
    const char *reason = status == 401   ? "Unauthorized"
                         : status == 403 ? "Forbidden"
                         : status == 404 ? "NotFound"
                         : status == 410 ? "Expired"
                         : status == 429 ? "TooManyRequests"
                                         : "InternalError";
    struct lg_buf body = {0};
    const char *slash = strchr(lg_canned_query(connection, "continue"), '/');
    lg_buf_puts(&body, "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{");
    if (status == 410 && slash != NULL) /* to go on from there, as things are now */
        lg_buf_printf(&body, "\"continue\":\"%llu%s\"", (unsigned long long)INT64_MAX, slash);
    lg_buf_printf(&body,
                  "},\"status\":\"Failure\",\"message\":\"canned %s\",\"reason\":\"%s\","
                  "\"details\":{",
                  reason, reason);
    if (name != NULL)
        lg_buf_printf(&body, "\"name\":\"%s\"", name);
    lg_buf_printf(&body, "},\"code\":%d}\n", status);
    enum MHD_Result result = lg_canned_answer(connection, status, &body);
    lg_buf_done(&body);
    return result;
}

void lg_canned_pour(char **to, size_t *room, const char *text, size_t n, size_t *io_off)
{
    size_t take = n - *io_off < *room ? n - *io_off : *room;
    memcpy(*to, text + *io_off, take);
    *to += take;
    *room -= take;
    *io_off += take;
}
