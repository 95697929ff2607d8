#include "certs/authority.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certs/bundle.h"
#include "certs/check.h"
#include "certs/openssl.h"
#include "certs/pem.h"

enum { DAY_S = 86400, SERIAL_BITS = 159, COMMON_NAME_BYTES_MAX = 64 };

struct lg_authority {
    X509 *cert;
    EVP_PKEY *key;
};

void lg_authority_free(struct lg_authority *take_authority)
{
    if (take_authority == NULL)
        return;
    X509_free(take_authority->cert);
    EVP_PKEY_free(take_authority->key);
    free(take_authority);
}

void lg_authority_dates(const struct lg_authority *authority, int64_t *ret_not_before_unix_s,
                        int64_t *ret_not_after_unix_s)
{
    lg_cert_dates(authority->cert, ret_not_before_unix_s, ret_not_after_unix_s);
}

/* A random one, as CA/Browser rules ask: it must not be guessable, and no file has to count. */
static bool set_serial(X509 *cert)
{
    BIGNUM *number lg_cleanup(BN_free_cleanup) = BN_new();
    return number != NULL &&
           BN_rand(number, SERIAL_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
           BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert)) != NULL;
}

static bool set_common_name(X509_NAME *name, const char *text)
{
    return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)text, -1, -1,
                                      0) == 1;
}

static bool set_dates(X509 *cert, int64_t from_unix_s, int64_t until_unix_s)
{
    return ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)from_unix_s) != NULL &&
           ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)until_unix_s) != NULL;
}

/* `value` is constant text in openssl.cnf's words: names that users gave never come here. */
static bool add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *extension lg_cleanup(X509_EXTENSION_free_cleanup) =
        X509V3_EXT_nconf_nid(NULL, &ctx, nid, value);
    return extension != NULL && X509_add_ext(cert, extension, -1) == 1;
}

/* Everything but names and extensions. */
static X509 *new_cert(EVP_PKEY *key, int64_t from_unix_s, int64_t until_unix_s)
{
    X509 *cert lg_cleanup(X509_free_cleanup) = X509_new();
    if (cert == NULL || X509_set_version(cert, X509_VERSION_3) != 1 || !set_serial(cert) ||
        !set_dates(cert, from_unix_s, until_unix_s) || X509_set_pubkey(cert, key) != 1)
        return NULL;
    return lg_steal(cert);
}

static bool name_authority(X509 *cert)
{
    unsigned char md[EVP_MAX_MD_SIZE];
    unsigned int n = 0;
    char name[COMMON_NAME_BYTES_MAX];
    if (X509_pubkey_digest(cert, EVP_sha256(), md, &n) != 1)
        return false;
    (void)snprintf(name, sizeof name, "livegate CA %02x%02x%02x%02x", md[0], md[1], md[2], md[3]);
    return set_common_name(X509_get_subject_name(cert), name) &&
           X509_set_issuer_name(cert, X509_get_subject_name(cert)) == 1;
}

enum lg_err_code lg_authority_new(int days, int64_t now_unix_s, struct lg_authority **ret,
                                  struct lg_err *err)
{
    LG_SSL_SCOPE;
    struct lg_authority *made lg_cleanup(lg_authority_free_cleanup) = lg_calloc(1, sizeof *made);
    made->key = EVP_EC_gen("P-256");
    if (made->key == NULL)
        return lg_ssl_fail(err, "making the authority's key");
    made->cert =
        new_cert(made->key, now_unix_s - LG_CERT_BACKDATE_S, now_unix_s + (int64_t)days * DAY_S);
    X509 *cert = made->cert;
    if (cert == NULL || !name_authority(cert) ||
        !add_extension(cert, cert, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") ||
        !add_extension(cert, cert, NID_key_usage, "critical,keyCertSign,cRLSign") ||
        !add_extension(cert, cert, NID_subject_key_identifier, "hash") ||
        X509_sign(cert, made->key, EVP_sha256()) == 0)
        return lg_ssl_fail(err, "making the authority's certificate");
    *ret = lg_steal(made);
    return LG_E_OK;
}

enum lg_err_code lg_authority_load(const struct lg_cert_files *files, struct lg_authority **ret,
                                   struct lg_err *err)
{
    LG_SSL_SCOPE;
    if (files->ca.p == NULL || files->ca_key.p == NULL)
        return lg_err_set(err, LG_E_NOTFOUND, "", "%s is missing",
                          files->ca.p == NULL ? LG_CERTS_CA : LG_CERTS_CA_KEY);
    STACK_OF(X509) * certs lg_cleanup(lg_x509s_free_cleanup) = NULL;
    struct lg_authority *found lg_cleanup(lg_authority_free_cleanup) = lg_calloc(1, sizeof *found);
    enum lg_err_code code = lg_pem_certs(files->ca, LG_CERTS_CA, &certs, err);
    if (code == LG_E_OK)
        code = lg_pem_key(files->ca_key, LG_CERTS_CA_KEY, &found->key, err);
    if (code != LG_E_OK)
        return code;
    for (int i = 0; i < sk_X509_num(certs) && found->cert == NULL; i++) {
        X509 *cert = sk_X509_value(certs, i);
        if (X509_check_ca(cert) == 1 && X509_check_private_key(cert, found->key) == 1 &&
            X509_up_ref(cert) == 1)
            found->cert = cert;
    }
    if (found->cert == NULL)
        return lg_err_set(err, LG_E_TLS, "", "%s belongs to no authority in %s", LG_CERTS_CA_KEY,
                          LG_CERTS_CA);
    *ret = lg_steal(found);
    return LG_E_OK;
}

static enum lg_err_code key_text(EVP_PKEY *key, struct lg_str *ret, struct lg_err *err)
{
    BIO *bio lg_cleanup(BIO_free_all_cleanup) = NULL;
    enum lg_err_code code = lg_pem_of_key(key, &bio, err);
    if (code != LG_E_OK)
        return code;
    char *text = NULL;
    long n = BIO_get_mem_data(bio, &text);
    *ret = (struct lg_str){lg_memdup(text, (size_t)n), (size_t)n};
    return LG_E_OK;
}

enum lg_err_code lg_authority_pem(const struct lg_authority *authority, struct lg_str old_ca_pem,
                                  int64_t now_unix_s, struct lg_cert_files *ret, struct lg_err *err)
{
    LG_SSL_SCOPE;
    struct lg_buf own lg_cleanup(lg_buf_done) = {0};
    struct lg_buf bundle lg_cleanup(lg_buf_done) = {0};
    enum lg_err_code code = lg_pem_add_cert(&own, authority->cert, err);
    if (code == LG_E_OK)
        code = lg_cert_bundle(lg_buf_view(&own), LG_CERTS_CA, old_ca_pem, now_unix_s, &bundle, err);
    struct lg_str key = {0};
    if (code == LG_E_OK)
        code = key_text(authority->key, &key, err);
    if (code != LG_E_OK)
        return code;
    ret->ca = (struct lg_str){lg_memdup(bundle.p, bundle.n), bundle.n};
    ret->ca_key = key;
    return LG_E_OK;
}

static GENERAL_NAME *general_name(const char *text)
{
    unsigned char address[sizeof(struct in6_addr)];
    bool v4 = inet_pton(AF_INET, text, address) == 1;
    bool v6 = !v4 && inet_pton(AF_INET6, text, address) == 1;
    GENERAL_NAME *name lg_cleanup(GENERAL_NAME_free_cleanup) = GENERAL_NAME_new();
    ASN1_STRING *value = ASN1_STRING_type_new(v4 || v6 ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING);
    const void *bytes = v4 || v6 ? (const void *)address : (const void *)text;
    int n = v4 ? 4 : v6 ? 16 : (int)strlen(text);
    if (name == NULL || value == NULL || ASN1_STRING_set(value, bytes, n) != 1) {
        ASN1_STRING_free(value);
        return NULL;
    }
    GENERAL_NAME_set0_value(name, v4 || v6 ? GEN_IPADD : GEN_DNS, value);
    return lg_steal(name);
}

static bool add_names(X509 *cert, const struct lg_leaf_request *request)
{
    GENERAL_NAMES *names lg_cleanup(GENERAL_NAMES_free_cleanup) = GENERAL_NAMES_new();
    for (size_t i = 0; names != NULL && i < request->name_count; i++) {
        GENERAL_NAME *name lg_cleanup(GENERAL_NAME_free_cleanup) = general_name(request->names[i]);
        if (name == NULL || sk_GENERAL_NAME_push(names, name) == 0)
            return false;
        (void)lg_steal(name);
    }
    return names != NULL &&
           X509_add1_ext_i2d(cert, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT) == 1;
}

/* The subject is for people; it holds at most 64 bytes. */
static bool name_leaf(X509 *cert, X509 *issuer, const struct lg_leaf_request *request)
{
    const char *name = request->name_count > 0 ? request->names[0] : "livegate";
    return set_common_name(X509_get_subject_name(cert),
                           strlen(name) <= COMMON_NAME_BYTES_MAX ? name : "livegate") &&
           X509_set_issuer_name(cert, X509_get_subject_name(issuer)) == 1;
}

enum lg_err_code lg_authority_issue(const struct lg_authority *authority,
                                    const struct lg_leaf_request *request, int64_t now_unix_s,
                                    struct lg_cert_files *ret, struct lg_err *err)
{
    LG_SSL_SCOPE;
    int64_t ca_from = 0;
    int64_t ca_until = 0;
    lg_authority_dates(authority, &ca_from, &ca_until);
    int64_t until = now_unix_s + (int64_t)request->days * DAY_S;
    EVP_PKEY *key lg_cleanup(EVP_PKEY_free_cleanup) = EVP_EC_gen("P-256");
    if (key == NULL)
        return lg_ssl_fail(err, "making the serving key");
    X509 *cert lg_cleanup(X509_free_cleanup) =
        new_cert(key, now_unix_s - LG_CERT_BACKDATE_S, until < ca_until ? until : ca_until);
    X509 *ca = authority->cert;
    if (cert == NULL || !name_leaf(cert, ca, request) ||
        !add_extension(cert, ca, NID_basic_constraints, "critical,CA:FALSE") ||
        !add_extension(cert, ca, NID_key_usage, "critical,digitalSignature") ||
        !add_extension(cert, ca, NID_ext_key_usage, "serverAuth") ||
        !add_extension(cert, ca, NID_subject_key_identifier, "hash") ||
        !add_extension(cert, ca, NID_authority_key_identifier, "keyid:always") ||
        !add_names(cert, request) || X509_sign(cert, authority->key, EVP_sha256()) == 0)
        return lg_ssl_fail(err, "making the serving certificate");
    struct lg_buf text lg_cleanup(lg_buf_done) = {0};
    enum lg_err_code code = lg_pem_add_cert(&text, cert, err);
    struct lg_str key_pem = {0};
    if (code == LG_E_OK)
        code = key_text(key, &key_pem, err);
    if (code != LG_E_OK)
        return code;
    ret->chain = (struct lg_str){lg_memdup(text.p, text.n), text.n};
    ret->key = key_pem;
    return LG_E_OK;
}
