/* The pair a server serves with: read, judged, and handed on as PEM.
 *
 * The server keeps its last good pair: a load either gives a whole pair that can be served now, or
 * an error in words ("certificate tls.crt expired on 2026-01-01", "tls.key does not belong to
 * tls.crt"). That ca.crt is missing or does not vouch for the chain forbids nothing (who calls us
 * has a bundle of its own), it is said in `trust_problem` for metric and log. Immutable once
 * loaded: may be read by any thread; freed by its owner when nobody uses it any more.
 * Source: kyverno#13639 (the whole chain ends, not only the leaf), kubewarden/policy-server#1026 (a
 * bad file on disk must not stop a running server).
 */
#ifndef LG_CERTS_KEYPAIR_H
#define LG_CERTS_KEYPAIR_H

#include <stdint.h>

#include "certs/files.h"
#include "certs/inspect.h"
#include "rules/core/err.h"
#include "rules/core/mem.h"

struct lg_keypair {
    struct lg_str chain_pem, key_pem;            /* NUL-terminated (the NUL is not counted) */
    struct lg_str ca_pem;                        /* absent: there is no ca.crt */
    int64_t not_before_unix_s, not_after_unix_s; /* of the serving certificate */
    /* the earliest end above it; 0 unless it verifies against ca.crt */
    int64_t issuers_not_after_unix_s;
    /* of the serving certificate: tells whether a reload brought another */
    char sha256[LG_CERT_SHA256_BYTES];
    char trust_problem[LG_CERT_PROBLEM_BYTES]; /* "" = it verifies, or there is no ca.crt */
};

/* Reads tls.crt, tls.key and ca.crt from the open directory (see certs/files.h) and checks them;
 * `dir` is its name for messages. Given: lg_keypair_free. LG_E_NOTFOUND: tls.crt or tls.key is not
 * there; LG_E_TLS: not readable as PEM, no pair, expired or not yet valid; LG_E_LIMIT, LG_E_DENIED,
 * LG_E_IO as lg_cert_files_read. */
enum lg_err_code lg_keypair_load_at(int dir_fd, const char *dir, int64_t now_unix_s,
                                    struct lg_keypair **ret, struct lg_err *err)
    __attribute__((nonnull(2, 4), warn_unused_result));

/* lg_keypair_load_at of the directory of that name. */
enum lg_err_code lg_keypair_load(const char *dir, int64_t now_unix_s, struct lg_keypair **ret,
                                 struct lg_err *err)
    __attribute__((nonnull(1, 3), warn_unused_result));

/* Cleanses the key. NULL is fine. */
void lg_keypair_free(struct lg_keypair *take_pair);

LG_DEFINE_CLEANUP(struct lg_keypair, lg_keypair_free)

#endif
