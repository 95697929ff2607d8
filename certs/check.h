/* The one place that judges a certificate directory. Private to certs/. Any thread. */
#ifndef LG_CERTS_CHECK_H
#define LG_CERTS_CHECK_H

#include "certs/files.h"
#include "certs/inspect.h"
#include "certs/openssl.h"

/* The texts as OpenSSL's objects; NULL where a file is missing or cannot be read. */
struct lg_cert_set {
    STACK_OF(X509) * chain, *cas;
    EVP_PKEY *key;
    /* the earliest end above the serving certificate; 0 unless it verifies */
    int64_t issuers_not_after_unix_s;
};

/* Parses and judges; lg_cert_set_done afterwards, whatever was found. */
void lg_cert_check(const struct lg_cert_files *files, int64_t now_unix_s, struct lg_cert_set *ret,
                   struct lg_cert_problems *ret_problems);

void lg_cert_set_done(struct lg_cert_set *set);

/* When the certificate is in date; both are INT64_MIN where its times cannot be read: always
 * expired. */
void lg_cert_dates(const X509 *cert, int64_t *ret_not_before_unix_s, int64_t *ret_not_after_unix_s);

/* SHA-256 of the certificate in lower-case hexadecimal. */
void lg_cert_sha256(const X509 *cert, char ret[LG_CERT_SHA256_BYTES]);

#endif
