#include "webhook/cluster/status.h"

#include "rules/core/json.h"
#include "rules/core/mem.h"

enum { MESSAGE_BYTES_MAX = 200 };

/* The Status object's message, fit for one line; "" without. */
static void read_message(struct lg_str body, struct lg_buf *ret)
{
    struct lg_arena arena lg_cleanup(lg_arena_done);
    struct lg_val root;
    lg_arena_init(&arena);
    if (body.n == 0 || lg_json_parse(&arena, body, &root, NULL) != LG_E_OK)
        return;
    struct lg_str message = lg_json_str(lg_json_get(root, "message"));
    if (message.n == 0)
        return;
    lg_buf_puts(ret, ": ");
    lg_buf_printable(ret, lg_str_cut(message, MESSAGE_BYTES_MAX));
}

static enum lg_err_code code_of(int status)
{
    switch (status) {
    case 401:
        return LG_E_AUTH;
    case 403:
        return LG_E_DENIED;
    case 404:
        return LG_E_NOTFOUND;
    case 409:
        return LG_E_CONFLICT;
    case 410:
        return LG_E_GONE;
    case 504:
        return LG_E_TIMEOUT;
    default:
        return status == 429 || status >= 500 ? LG_E_UNAVAILABLE : LG_E_INVALID;
    }
}

enum lg_err_code lg_status_err(const struct lg_http_answer *answer,
                               const struct lg_status_about *about, struct lg_err *err)
{
    struct lg_buf message lg_cleanup(lg_buf_done) = {0};
    enum lg_err_code code = code_of(answer->status);
    if (answer->err.code != LG_E_OK) {
        if (err->code == LG_E_OK)
            *err = answer->err;
        return answer->err.code;
    }
    if (answer->status >= 200 && answer->status < 300)
        return LG_E_OK;
    read_message(answer->body, &message);
    const char *said = message.p != NULL ? message.p : "";
    if (code == LG_E_AUTH)
        return lg_err_set(err, code, about->server,
                          "the API server does not know us (401); renew the token or client "
                          "certificate of %s",
                          about->credential);
    if (code == LG_E_DENIED)
        return lg_err_set(err, code, about->what,
                          "we may not %s %s; a Role or ClusterRole of ours must allow it%s",
                          about->verbs, about->what, said);
    if (code == LG_E_NOTFOUND)
        return lg_err_set(err, code, about->what, "the API server has no %s", about->what);
    return lg_err_set(err, code, about->server, "the API server answered %d%s", answer->status,
                      said);
}
