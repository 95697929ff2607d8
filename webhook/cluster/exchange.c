#include "webhook/cluster/exchange.h"

enum { TURN_MS = 1000 };

struct waiting {
    const struct lg_status_about *about;
    struct lg_buf *body;
    int status;
    enum lg_err_code code;
    struct lg_err err;
    bool done;
};

static void on_done(void *arg, const struct lg_http_answer *answer)
{
    struct waiting *waiting = arg;
    waiting->done = true;
    waiting->status = answer->status;
    waiting->code = lg_status_err(answer, waiting->about, &waiting->err);
    if (waiting->code == LG_E_OK && waiting->body != NULL)
        lg_buf_str(waiting->body, answer->body);
}

enum lg_err_code lg_exchange(struct lg_http *http, const struct lg_http_request *request,
                             const struct lg_status_about *about, struct lg_buf *ret_body,
                             int *ret_status, struct lg_err *err)
{
    struct waiting waiting = {.about = about, .body = ret_body};
    struct lg_http_request sent = *request;
    sent.head = NULL;
    sent.chunk = NULL;
    sent.done = on_done;
    sent.arg = &waiting;
    if (sent.deadline_ms == 0)
        sent.deadline_ms = LG_EXCHANGE_MS;
    if (sent.body_bytes_max == 0)
        sent.body_bytes_max = LG_EXCHANGE_BYTES_MAX;
    (void)lg_http_start(http, &sent);
    while (!waiting.done)
        lg_http_turn(http, TURN_MS);
    if (ret_status != NULL)
        *ret_status = waiting.status;
    if (waiting.code != LG_E_OK && err != NULL && err->code == LG_E_OK)
        *err = waiting.err;
    return waiting.code;
}
