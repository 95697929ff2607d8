/* An authority of our own: a self-signed CA that signs serving certificates.
 *
 * ECDSA P-256 with SHA-256 throughout. Each authority has a name of its own ("CN=livegate CA
 * 1a2b3c4d", from its key), so that an old and a new one in the same bundle cannot be taken for
 * each other. Owned by the caller, one thread.
 */
#ifndef LG_CERTS_AUTHORITY_H
#define LG_CERTS_AUTHORITY_H

#include <stdint.h>

#include "certs/files.h"
#include "rules/core/err.h"
#include "rules/core/mem.h"

enum { LG_CERT_DAYS_MAX = 36500, LG_CERT_BACKDATE_S = 300 };

struct lg_authority;

/* What a serving certificate is asked to say. */
struct lg_leaf_request {
    /* DNS names and addresses, checked (certs/names.h); the first is the subject's */
    const char *const *names;
    size_t name_count;
    int days; /* 1 to LG_CERT_DAYS_MAX; it ends with its authority at the latest */
};

/* Makes one with a fresh key: valid from LG_CERT_BACKDATE_S before now (clocks differ) for `days`
 * from now. Given. */
enum lg_err_code lg_authority_new(int days, int64_t now_unix_s, struct lg_authority **ret,
                                  struct lg_err *err)
    __attribute__((nonnull(3), warn_unused_result));

/* The authority whose key is files->ca_key: among the certificates of files->ca the one that the
 * key belongs to and that may sign. Given. LG_E_NOTFOUND: one of the files is not there; LG_E_TLS:
 * not readable, or no such certificate. */
enum lg_err_code lg_authority_load(const struct lg_cert_files *files, struct lg_authority **ret,
                                   struct lg_err *err)
    __attribute__((nonnull(1, 2), warn_unused_result));

void lg_authority_free(struct lg_authority *take_authority);
LG_DEFINE_CLEANUP(struct lg_authority, lg_authority_free)

/* When it is in date. */
void lg_authority_dates(const struct lg_authority *authority, int64_t *ret_not_before_unix_s,
                        int64_t *ret_not_after_unix_s) __attribute__((nonnull));

/* Its key in ret->ca_key, and in ret->ca its certificate before those of `old_ca_pem`
 * (certs/bundle.h). */
enum lg_err_code lg_authority_pem(const struct lg_authority *authority, struct lg_str old_ca_pem,
                                  int64_t now_unix_s, struct lg_cert_files *ret, struct lg_err *err)
    __attribute__((nonnull(1, 4), warn_unused_result));

/* Makes a key and signs a serving certificate for it: ret->chain and ret->key. */
enum lg_err_code lg_authority_issue(const struct lg_authority *authority,
                                    const struct lg_leaf_request *request, int64_t now_unix_s,
                                    struct lg_cert_files *ret, struct lg_err *err)
    __attribute__((nonnull(1, 2, 4), warn_unused_result));

#endif
