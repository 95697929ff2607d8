/* What an API server's refusal says, as an error that a person can act on. Pure, any thread. */
#ifndef LG_WEBHOOK_CLUSTER_STATUS_H
#define LG_WEBHOOK_CLUSTER_STATUS_H

#include "webhook/cluster/http.h"

/* Who asked for what, for messages. */
struct lg_status_about {
    const char *server;     /* "https://10.0.0.1:6443" */
    const char *credential; /* where ours comes from: a kubeconfig's path */
    const char *verbs;      /* "list and watch" */
    const char *what;       /* "nodes", "virtualmachines.kubevirt.io" */
};

/* LG_E_OK for a whole 2xx answer. Else sets *err and returns its code: a broken exchange as it is,
 * 401 LG_E_AUTH, 403 LG_E_DENIED, 404 LG_E_NOTFOUND, 409 LG_E_CONFLICT, 410 LG_E_GONE, 429 and 5xx
 * LG_E_UNAVAILABLE (504 LG_E_TIMEOUT), others LG_E_INVALID. err->where is the server, for 403 and
 * 404 the resource, so that what is one trouble of many requests reads the same for each. */
enum lg_err_code lg_status_err(const struct lg_http_answer *answer,
                               const struct lg_status_about *about, struct lg_err *err)
    __attribute__((nonnull));

#endif
