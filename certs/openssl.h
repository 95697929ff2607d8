/* OpenSSL's types in the house's memory and error style. Private to certs/: nobody else includes
 * it. Any thread.
 *
 * Each public function of certs/ begins with LG_SSL_SCOPE, so that OpenSSL's per-thread error queue
 * is empty before and after: a leftover there makes the next caller's SSL_get_error lie.
 */
#ifndef LG_CERTS_OPENSSL_H
#define LG_CERTS_OPENSSL_H

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "rules/core/err.h"
#include "rules/core/mem.h"

static inline void lg_x509s_free(STACK_OF(X509) * certs)
{
    sk_X509_pop_free(certs, X509_free);
}

LG_DEFINE_CLEANUP(ASN1_INTEGER, ASN1_INTEGER_free)
LG_DEFINE_CLEANUP(BIGNUM, BN_free)
LG_DEFINE_CLEANUP(BIO, BIO_free_all)
LG_DEFINE_CLEANUP(EVP_PKEY, EVP_PKEY_free)
LG_DEFINE_CLEANUP(GENERAL_NAME, GENERAL_NAME_free)
LG_DEFINE_CLEANUP(GENERAL_NAMES, GENERAL_NAMES_free)
LG_DEFINE_CLEANUP(X509, X509_free)
LG_DEFINE_CLEANUP(X509_EXTENSION, X509_EXTENSION_free)
LG_DEFINE_CLEANUP(X509_NAME, X509_NAME_free)
LG_DEFINE_CLEANUP(X509_STORE, X509_STORE_free)
LG_DEFINE_CLEANUP(X509_STORE_CTX, X509_STORE_CTX_free)
LG_DEFINE_CLEANUP(STACK_OF(X509), lg_x509s_free)

static inline void lg_ssl_scope_end(const int *scope)
{
    (void)scope;
    ERR_clear_error();
}

#define LG_SSL_SCOPE                                                                               \
    ERR_clear_error();                                                                             \
    const int lg_ssl_scope __attribute__((unused)) lg_cleanup(lg_ssl_scope_end) = 0

/* LG_E_INTERNAL with "<doing>: <OpenSSL's last reason>"; empties the queue. For what only fails
 * when OpenSSL is broken or out of memory; what a file says wrongly has words of its own. */
enum lg_err_code lg_ssl_fail(struct lg_err *err, const char *doing);

#endif
