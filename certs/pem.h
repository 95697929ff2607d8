/* PEM text to OpenSSL's objects and back. Private to certs/. Any thread.
 *
 * Texts are bounded by certs/files.h before they come here; the number of certificates is bounded
 * here, since a verifier's work grows with it (source: CVE-2024-12401, a PEM text that kept a
 * parser busy for minutes). A key that is encrypted is refused: nobody is asked for a passphrase,
 * ever.
 */
#ifndef LG_CERTS_PEM_H
#define LG_CERTS_PEM_H

#include "certs/openssl.h"
#include "rules/core/str.h"

enum { LG_PEM_CERTS_MAX = 64 };

/* All certificates in the text, in its order; what stands between them is skipped. Given. LG_E_TLS:
 * none, or one that is not a certificate; LG_E_LIMIT: more than LG_PEM_CERTS_MAX. `name` is what
 * the messages call the text. */
enum lg_err_code lg_pem_certs(struct lg_str text, const char *name, STACK_OF(X509) * *ret,
                              struct lg_err *err) __attribute__((warn_unused_result));

/* The first private key in the text, given. LG_E_TLS: none, not readable, or encrypted. */
enum lg_err_code lg_pem_key(struct lg_str text, const char *name, EVP_PKEY **ret,
                            struct lg_err *err) __attribute__((warn_unused_result));

/* Appends the certificate. */
enum lg_err_code lg_pem_add_cert(struct lg_buf *buf, X509 *cert, struct lg_err *err)
    __attribute__((warn_unused_result));

/* The key as PKCS #8 text in a memory BIO, given; BIO_free_all cleanses it. */
enum lg_err_code lg_pem_of_key(EVP_PKEY *key, BIO **ret, struct lg_err *err)
    __attribute__((warn_unused_result));

#endif
