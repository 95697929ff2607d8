/* The names that a serving certificate is issued for. Any thread. */
#ifndef LG_CERTS_NAMES_H
#define LG_CERTS_NAMES_H

#include <stddef.h>

#include "rules/core/arena.h"
#include "rules/core/err.h"

/* A list under construction; `at` has room for LG_CERT_NAMES_MAX (certs/inspect.h) names. */
struct lg_cert_names {
    const char **at;
    size_t count;
};

/* An empty list, borrowed from the arena like all that is added to it. */
struct lg_cert_names lg_cert_names_new(struct lg_arena *arena);

/* Adds a DNS name (RFC 1123, lower-cased; the first label may be "*") or an IP address (in its
 * usual form) unless it is there already. LG_E_INVALID: neither; LG_E_LIMIT: too many. */
enum lg_err_code lg_cert_names_add(struct lg_cert_names *names, struct lg_arena *arena,
                                   struct lg_str name, struct lg_err *err)
    __attribute__((nonnull(1, 2), warn_unused_result));

/* Adds what API servers and others inside a cluster call a service: SERVICE.NAMESPACE.svc (the one
 * webhooks are called by), SERVICE.NAMESPACE.svc.cluster.local, SERVICE.NAMESPACE. LG_E_INVALID:
 * not a name that Kubernetes takes. */
enum lg_err_code lg_cert_names_add_service(struct lg_cert_names *names, struct lg_arena *arena,
                                           struct lg_str service, struct lg_str namespace_name,
                                           struct lg_err *err)
    __attribute__((nonnull(1, 2), warn_unused_result));

#endif
