/* One request to the API server, waited for: what commands need, which have nothing else to do. One
 * thread. */
#ifndef LG_WEBHOOK_CLUSTER_EXCHANGE_H
#define LG_WEBHOOK_CLUSTER_EXCHANGE_H

#include "webhook/cluster/http.h"
#include "webhook/cluster/status.h"

enum { LG_EXCHANGE_MS = 15 * 1000, LG_EXCHANGE_BYTES_MAX = 16 * 1024 * 1024 };

/* Sends it and waits. `done`, `arg`, `head` and `chunk` of the request are not read; a deadline or
 * limit of 0 is the one above. A 2xx answer's body is appended to *ret_body (or NULL). *ret_status
 * (or NULL) is set in any case, 0 without an answer. Codes and texts as lg_status_err. */
enum lg_err_code lg_exchange(struct lg_http *http, const struct lg_http_request *request,
                             const struct lg_status_about *about, struct lg_buf *ret_body,
                             int *ret_status, struct lg_err *err)
    __attribute__((nonnull(1, 2, 3), warn_unused_result));

#endif
