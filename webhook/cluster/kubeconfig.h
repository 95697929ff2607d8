/* Where the API server is and how it knows us: a kubeconfig file, or the pod's own service account.
 *
 * Which one, as kubectl does: the path that is given, else the first file of KUBECONFIG that exists
 * (kubectl merges the files of a list; we take one), else ~/.kube/config, else the pod. What a
 * kubeconfig can say and we do not do (exec, auth-provider, username, impersonation, proxy-url) is
 * refused by name with what to do instead, never passed over. Files that it names are read again
 * when they change. Owned by the caller, one thread.
 *
 * Source: client-go tools/clientcmd api/v1 types, clientcmd validation; rest.InClusterConfig.
 */
#ifndef LG_WEBHOOK_CLUSTER_KUBECONFIG_H
#define LG_WEBHOOK_CLUSTER_KUBECONFIG_H

#include <stdbool.h>

#include "rules/core/err.h"
#include "webhook/cluster/secret.h"

enum { LG_KUBECONFIG_BYTES_MAX = 1024 * 1024 };

struct lg_kubeconfig_options {
    const char *path;                /* NULL: found as kubectl does */
    const char *context;             /* NULL: the file's current-context */
    const char *service_account_dir; /* NULL: where pods have it */
};

struct lg_kubeconfig {
    char *source; /* for people: the file, or "the pod's service account" */
    char *server; /* "https://10.0.0.1:6443": scheme, host and port, always all three */
    char *host;   /* "10.0.0.1", "fd00::1" */
    unsigned port;
    bool tls;              /* false only for http:// on a loopback address (kubectl proxy) */
    char *prefix;          /* what stands before every path: "", "/k8s/clusters/c-1" */
    char *tls_server_name; /* the name its certificate must bear; NULL: the host */
    bool insecure;         /* its certificate is not looked at */
    char *ns;              /* of the context or the pod; "default" */
    struct lg_secret ca;   /* none: the system's authorities */
    struct lg_secret cert, key, token;
};

/* Fills *ret (lg_kubeconfig_done). Errors say what, where ("file:line:column") and how to fix it:
 * LG_E_NOTFOUND no such file or context, LG_E_INVALID, LG_E_UNSUPPORTED what is refused by name,
 * LG_E_LIMIT, LG_E_DENIED, LG_E_IO. */
enum lg_err_code lg_kubeconfig_open(const struct lg_kubeconfig_options *options,
                                    struct lg_kubeconfig *ret, struct lg_err *err)
    __attribute__((nonnull(1, 2), warn_unused_result));

/* Reads again the files that changed (all of them with `force`). *ret_changed: another credential
 * is in place. On an error (the first one; the others are read all the same) what could not be
 * read, or fails lg_kubeconfig_check, is as before. */
enum lg_err_code lg_kubeconfig_refresh(struct lg_kubeconfig *config, bool force, bool *ret_changed,
                                       struct lg_err *err)
    __attribute__((nonnull(1, 3), warn_unused_result));

/* Where livegate's own objects are: the namespace of the context or of the pod; "livegate" where
 * that says none. Borrowed. */
const char *lg_kubeconfig_own_namespace(const struct lg_kubeconfig *config);

void lg_kubeconfig_done(struct lg_kubeconfig *config);

/* Fills server, host, port, tls and prefix from a URL; `where` is for messages. LG_E_INVALID,
 * LG_E_UNSUPPORTED (http to another machine). */
enum lg_err_code lg_kubeconfig_set_server(struct lg_kubeconfig *config, struct lg_str url,
                                          const char *where, struct lg_err *err)
    __attribute__((nonnull(1), warn_unused_result));

/* Checks what was filled in: PEM where PEM belongs, certificate and key together, a token of
 * printable characters. */
enum lg_err_code lg_kubeconfig_check(const struct lg_kubeconfig *config, const char *where,
                                     struct lg_err *err)
    __attribute__((nonnull(1), warn_unused_result));

/* One file, one context (NULL: current-context). Codes as lg_kubeconfig_open. */
enum lg_err_code lg_kubeconfig_read_file(const char *path, const char *context,
                                         struct lg_kubeconfig *ret, struct lg_err *err)
    __attribute__((nonnull(1, 3), warn_unused_result));

#endif
