/* Certificates in a cluster: the caBundle of webhook configurations, and secrets. One thread, one
 * command.
 *
 * What is done is printed, a line each; errors come back. A change is sent with the version that
 * was read; where somebody else was faster it is read and made again.
 */
#ifndef LG_WEBHOOK_CLI_CERTS_CLUSTER_H
#define LG_WEBHOOK_CLI_CERTS_CLUSTER_H

#include "certs/files.h"
#include "rules/core/mem.h"
#include "webhook/cli/registration.h"

struct lg_certs_cluster;

/* Given. Codes as lg_kubeconfig_open; nothing is sent yet. */
enum lg_err_code lg_certs_cluster_open(const char *kubeconfig, struct lg_certs_cluster **ret,
                                       struct lg_err *err)
    __attribute__((nonnull(2), warn_unused_result));
void lg_certs_cluster_free(struct lg_certs_cluster *take_cluster);
LG_DEFINE_CLEANUP(struct lg_certs_cluster, lg_certs_cluster_free)

struct lg_inject_options {
    const char *const *names; /* of configurations; none: all that have an entry of our service */
    size_t name_count;
    bool dry_run; /* the API server checks it and keeps nothing */
    struct lg_registration_wanted wanted;
};

/* Puts the caBundle into validating and mutating configurations. LG_E_NOTFOUND: no such
 * configuration, or none has an entry of ours. LG_E_DENIED, LG_E_CONFLICT (again and again), others
 * as lg_exchange. */
enum lg_err_code lg_certs_inject(struct lg_certs_cluster *cluster,
                                 const struct lg_inject_options *options, struct lg_err *err)
    __attribute__((nonnull(1, 2), warn_unused_result));

enum { LG_CERT_SECRET_VERSION_BYTES = 64 };

/* A secret as it was read. */
struct lg_cert_secret {
    const char *ns, *name; /* set by the caller, borrowed */
    char version[LG_CERT_SECRET_VERSION_BYTES];
    struct lg_cert_files files; /* lg_cert_files_done */
};

/* LG_E_NOTFOUND: it is not there (the text says how to make it; we make none). LG_E_INVALID: what
 * it holds is no base64. */
enum lg_err_code lg_cert_secret_read(struct lg_certs_cluster *cluster, struct lg_cert_secret *ret,
                                     struct lg_err *err)
    __attribute__((nonnull(1, 2), warn_unused_result));

/* Replaces the texts that are given and differ. LG_E_CONFLICT: it is no longer as it was read. */
enum lg_err_code lg_cert_secret_write(struct lg_certs_cluster *cluster,
                                      const struct lg_cert_secret *secret,
                                      const struct lg_cert_files *files, struct lg_err *err)
    __attribute__((nonnull(1, 2, 3), warn_unused_result));

#endif
