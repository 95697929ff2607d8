/* Requests to the one API server of a kubeconfig, and to nothing else: the only file that knows
 * libcurl.
 *
 * One loop, one thread: lg_http_turn waits, moves bytes and calls back; only lg_http_wake may be
 * called by another thread. HTTP/1.1, TLS 1.2 or newer, the kubeconfig's authority alone, no
 * redirects, no proxies, no cookies. A watch holds its connection while it lasts; idle connections
 * are reused. Credentials are read again when their files change and after a 401 or a failed
 * handshake, so that the next request has the new ones.
 *
 * A call: started -> head -> chunks (2xx only, where asked for) -> done exactly once, unless
 * cancelled first. Answers are bounded: what is collected by `body_bytes_max`, an error's body and
 * all headers by 64 KiB.
 */
#ifndef LG_WEBHOOK_CLUSTER_HTTP_H
#define LG_WEBHOOK_CLUSTER_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "rules/core/err.h"
#include "rules/core/str.h"
#include "webhook/cluster/kubeconfig.h"

struct lg_http;
struct lg_http_call;

enum lg_http_method { LG_HTTP_GET, LG_HTTP_POST, LG_HTTP_PUT, LG_HTTP_PATCH };

enum { LG_HTTP_ERROR_BYTES_MAX = 64 * 1024, LG_HTTP_CONNECT_MS = 10 * 1000 };

struct lg_http_answer {
    int status; /* 0: no answer, `err` says why */
    /* Set where the exchange did not end well, also behind a 200 whose body broke off.
     * LG_E_UNAVAILABLE, LG_E_TIMEOUT, LG_E_TLS, LG_E_LIMIT, LG_E_INTERNAL, or what `chunk`
     * returned. */
    struct lg_err err;
    struct lg_str body;    /* what was collected; borrowed for the call back */
    int64_t retry_after_s; /* 0: the server did not say */
};

/* The head of a 2xx answer is there: what was asked for is granted. May not start or cancel
 * calls. */
typedef void lg_http_head_fn(void *arg);
/* A piece of a 2xx answer. Anything but LG_E_OK ends the call with that error. May not start or
 * cancel calls. */
typedef enum lg_err_code lg_http_chunk_fn(void *arg, struct lg_str chunk, struct lg_err *err);
/* The end; the call is freed when it returns. May start and cancel other calls. */
typedef void lg_http_done_fn(void *arg, const struct lg_http_answer *answer);

struct lg_http_request {
    enum lg_http_method method;
    struct lg_str path; /* from webhook/cluster/path.h */
    struct lg_str body;
    const char *content_type; /* NULL: application/json */
    int64_t deadline_ms;      /* for the whole exchange; 0: none */
    int64_t idle_ms;          /* without a byte; 0: none */
    int64_t head_ms;          /* until the first line of the answer; 0: none */
    bool bulk;                /* a large answer is expected: larger buffers */
    size_t body_bytes_max;    /* of a 2xx answer that is collected */
    lg_http_head_fn *head;    /* or NULL */
    lg_http_chunk_fn *chunk;  /* NULL: the answer is collected */
    lg_http_done_fn *done;
    void *arg;
};

/* `config` is borrowed and refreshed (kubeconfig.h) by the loop. Given. LG_E_INTERNAL: libcurl does
 * not start. */
enum lg_err_code lg_http_new(struct lg_kubeconfig *config, struct lg_http **ret, struct lg_err *err)
    __attribute__((nonnull(1, 2), warn_unused_result));

/* Cancels what is under way: no call back comes any more. */
void lg_http_free(struct lg_http *take_http);

/* Texts of the request are copied. Borrowed: the call belongs to the loop and is gone after
 * `done`. */
struct lg_http_call *lg_http_start(struct lg_http *http, const struct lg_http_request *request)
    __attribute__((nonnull));

/* No call back comes any more. NULL is fine. */
void lg_http_cancel(struct lg_http *http, struct lg_http_call *call) __attribute__((nonnull(1)));

/* Waits at most `timeout_ms` for something to do, does it and calls back. */
void lg_http_turn(struct lg_http *http, int64_t timeout_ms) __attribute__((nonnull));

/* Ends the waiting of lg_http_turn. Any thread. */
void lg_http_wake(struct lg_http *http) __attribute__((nonnull));

/* Why a credential's file could not be read again when the last call was started (the one before is
 * used); LG_E_OK: nothing is wrong. Borrowed until the next lg_http_start. */
const struct lg_err *lg_http_stale(const struct lg_http *http)
    __attribute__((nonnull, returns_nonnull));

/* Calls that are under way. */
size_t lg_http_calls(const struct lg_http *http) __attribute__((nonnull));

#endif
