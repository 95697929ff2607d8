/* The authorities that somebody is told to trust: ca.crt, and the caBundle of a webhook
 * configuration.
 *
 * While authorities change, the old and the new one stand in it together, so that whoever reads it
 * late or early trusts what is served (source: kyverno#2642). Any thread.
 */
#ifndef LG_CERTS_BUNDLE_H
#define LG_CERTS_BUNDLE_H

#include <stdint.h>

#include "rules/core/err.h"
#include "rules/core/str.h"

enum { LG_CERT_BUNDLE_MAX = 4 };

/* Appends the certificates of `ca_pem` that have not expired, then those of `published_pem` that
 * have not and are not among them, at most LG_CERT_BUNDLE_MAX in all; a published text that cannot
 * be read (or is absent) adds nothing. The same texts give the same bytes, and what was made of
 * them, given as published, the same again. LG_E_TLS: `ca_pem` holds no certificate that has not
 * expired. `name` is what the messages call it. */
enum lg_err_code lg_cert_bundle(struct lg_str ca_pem, const char *name, struct lg_str published_pem,
                                int64_t now_unix_s, struct lg_buf *ret, struct lg_err *err)
    __attribute__((nonnull(2, 5), warn_unused_result));

#endif
