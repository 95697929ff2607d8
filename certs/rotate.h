/* When certificates are made, renewed or left alone, in a directory of our own.
 *
 * The authority's life is long (10 years), the serving certificate's short (1 year); both are due
 * for renewal at two thirds of it. A new authority is never signed with at once while the old one
 * is good: it is published in ca.crt beside the old one, and signs from the next renewal on, so
 * that every API server knows it by then. One process at a time (the directory is locked); servers
 * may read meanwhile: each file is replaced atomically, authorities before keys before
 * certificates, and a server that meets a half-replaced pair keeps its last good one. Sources:
 * kyverno#8441 (two thirds), kyverno#2642 (overlap), gatekeeper#1188 (one owner: a directory that
 * another issuer fills is not ours). Any thread: the lock holds between threads as between
 * processes.
 */
#ifndef LG_CERTS_ROTATE_H
#define LG_CERTS_ROTATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/core/err.h"

enum { LG_CERT_DAYS = 365, LG_CERT_CA_DAYS = 3650 };

enum lg_renew {
    LG_RENEW_NO,  /* make what is not there yet; what is there must be good */
    LG_RENEW_DUE, /* replace what is bad, or past two thirds of its life */
    LG_RENEW_NOW, /* replace the serving certificate in any case */
};

struct lg_issue_options {
    const char *dir;                      /* made (0700) when it is not there */
    const char *service, *namespace_name; /* NULL: "livegate" */
    const char *const *sans;              /* further DNS names and addresses */
    size_t san_count;
    int days, ca_days; /* 1 to LG_CERT_DAYS_MAX (certs/authority.h), days <= ca_days */
    enum lg_renew renew;
    bool new_authority; /* also make a new authority; implies LG_RENEW_NOW */
    int64_t now_unix_s;
};

struct lg_issue_result {
    bool authority_made, leaf_made;
    /* the new authority is published, and the serving certificate is still the old one's */
    bool authority_waits;
};

/* True past two thirds of the time between the two. */
bool lg_cert_is_due(int64_t not_before_unix_s, int64_t not_after_unix_s, int64_t now_unix_s);

/* Brings the directory to the state that the options ask for; nothing made = everything was good. A
 * renewal for which neither service, namespace nor SANs are given keeps the names of the
 * certificate it replaces. Keys get mode 0600. LG_E_INVALID: an option or a name is wrong.
 * LG_E_TLS: what is there is bad and renewal was not asked for, or it does not bear a name that is
 * asked for; the text says to use --renew. LG_E_CONFLICT: another process is at it.
 * LG_E_UNSUPPORTED: the directory belongs to another issuer. LG_E_DENIED, LG_E_IO, LG_E_LIMIT,
 * LG_E_NOTFOUND. */
enum lg_err_code lg_certs_issue(const struct lg_issue_options *options, struct lg_issue_result *ret,
                                struct lg_err *err)
    __attribute__((nonnull(1, 2), warn_unused_result));

#endif
