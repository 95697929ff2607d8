#include "certs/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "certs/pem.h"

static void add(struct lg_cert_problems *problems, enum lg_cert_problem_kind kind, bool fatal,
                const char *format, ...) __attribute__((format(printf, 4, 5)));

static void add(struct lg_cert_problems *problems, enum lg_cert_problem_kind kind, bool fatal,
                const char *format, ...)
{
    if (problems->count == LG_CERT_PROBLEMS_MAX)
        return;
    struct lg_cert_problem *problem = &problems->at[problems->count++];
    *problem = (struct lg_cert_problem){.kind = kind, .fatal = fatal};
    va_list args;
    va_start(args, format);
    (void)vsnprintf(problem->text, sizeof problem->text, format, args);
    va_end(args);
}

static int64_t unix_of(const ASN1_TIME *time)
{
    struct tm tm;
    if (time == NULL || ASN1_TIME_to_tm(time, &tm) != 1)
        return INT64_MIN;
    return (int64_t)timegm(&tm);
}

void lg_cert_dates(const X509 *cert, int64_t *ret_not_before_unix_s, int64_t *ret_not_after_unix_s)
{
    int64_t from = unix_of(X509_get0_notBefore(cert));
    int64_t until = unix_of(X509_get0_notAfter(cert));
    bool known = from != INT64_MIN && until != INT64_MIN;
    *ret_not_before_unix_s = known ? from : INT64_MIN;
    *ret_not_after_unix_s = known ? until : INT64_MIN;
}

void lg_cert_sha256(const X509 *cert, char ret[LG_CERT_SHA256_BYTES])
{
    unsigned char md[EVP_MAX_MD_SIZE];
    unsigned int n = 0;
    ret[0] = '\0';
    if (X509_digest(cert, EVP_sha256(), md, &n) != 1)
        return;
    for (unsigned int i = 0; i < n && i < (LG_CERT_SHA256_BYTES - 1) / 2; i++)
        (void)snprintf(ret + (size_t)i * 2, 3, "%02x", md[i]);
}

static void parse_certs(struct lg_str text, const char *name, bool required,
                        STACK_OF(X509) * *ret_certs, struct lg_cert_problems *problems)
{
    struct lg_err err = {0};
    if (text.p == NULL && required)
        add(problems, LG_CERT_MISSING, true, "%s is missing", name);
    else if (text.p != NULL && lg_pem_certs(text, name, ret_certs, &err) != LG_E_OK)
        add(problems, LG_CERT_UNREADABLE, required, "%s", err.text);
}

static void parse_key(struct lg_str text, EVP_PKEY **ret_key, struct lg_cert_problems *problems)
{
    struct lg_err err = {0};
    if (text.p == NULL)
        add(problems, LG_CERT_MISSING, true, "%s is missing", LG_CERTS_KEY);
    else if (lg_pem_key(text, LG_CERTS_KEY, ret_key, &err) != LG_E_OK)
        add(problems, LG_CERT_UNREADABLE, true, "%s", err.text);
}

static void check_dates(const X509 *leaf, int64_t now_unix_s, struct lg_cert_problems *problems)
{
    int64_t from = 0;
    int64_t until = 0;
    char text[LG_CERT_TIME_BYTES];
    lg_cert_dates(leaf, &from, &until);
    if (until == INT64_MIN)
        add(problems, LG_CERT_UNREADABLE, true, "certificate %s has no readable dates",
            LG_CERTS_CHAIN);
    else if (now_unix_s >= until) /* as OpenSSL compares; GnuTLS and Go still take this second */
        add(problems, LG_CERT_EXPIRED, true, "certificate %s expired on %.10s", LG_CERTS_CHAIN,
            lg_cert_time(until, text));
    else if (now_unix_s < from)
        add(problems, LG_CERT_NOT_YET, true, "certificate %s is not valid before %s",
            LG_CERTS_CHAIN, lg_cert_time(from, text));
}

/* As an API server verifies us: for a server's use, at this time, from any certificate of the
 * bundle (Go takes an intermediate in caBundle as an anchor). */
static bool verify(struct lg_cert_set *set, int64_t now_unix_s, const char **ret_why)
{
    X509_STORE *store lg_cleanup(X509_STORE_free_cleanup) = X509_STORE_new();
    X509_STORE_CTX *ctx lg_cleanup(X509_STORE_CTX_free_cleanup) = X509_STORE_CTX_new();
    *ret_why = "out of memory";
    if (store == NULL || ctx == NULL)
        return false;
    for (int i = 0; i < sk_X509_num(set->cas); i++) {
        if (X509_STORE_add_cert(store, sk_X509_value(set->cas, i)) != 1)
            return false;
    }
    if (X509_STORE_CTX_init(ctx, store, sk_X509_value(set->chain, 0), set->chain) != 1)
        return false;
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_set_time(param, (time_t)now_unix_s);
    if (X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN) != 1 ||
        X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_SERVER) != 1)
        return false;
    if (X509_verify_cert(ctx) != 1) {
        *ret_why = X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx));
        return false;
    }
    const STACK_OF(X509) *path = X509_STORE_CTX_get0_chain(ctx);
    int64_t end = INT64_MAX;
    for (int i = 1; i < sk_X509_num(path); i++) {
        int64_t from = 0;
        int64_t until = 0;
        lg_cert_dates(sk_X509_value(path, i), &from, &until);
        end = until < end ? until : end;
    }
    set->issuers_not_after_unix_s = end != INT64_MAX ? end : 0;
    return true;
}

static void check_trust(struct lg_cert_set *set, int64_t now_unix_s,
                        struct lg_cert_problems *problems)
{
    const char *why = NULL;
    if (set->cas != NULL && !verify(set, now_unix_s, &why))
        add(problems, LG_CERT_UNTRUSTED, false, "%s does not verify against %s: %s", LG_CERTS_CHAIN,
            LG_CERTS_CA, why);
    const X509 *leaf = sk_X509_value(set->chain, 0);
    if (X509_get_ext_by_NID(leaf, NID_subject_alt_name, -1) < 0)
        add(problems, LG_CERT_NAMELESS, false,
            "%s has no subject alternative names, and API servers read no other name",
            LG_CERTS_CHAIN);
}

void lg_cert_check(const struct lg_cert_files *files, int64_t now_unix_s, struct lg_cert_set *ret,
                   struct lg_cert_problems *ret_problems)
{
    LG_SSL_SCOPE;
    *ret = (struct lg_cert_set){0};
    *ret_problems = (struct lg_cert_problems){0};
    parse_certs(files->chain, LG_CERTS_CHAIN, true, &ret->chain, ret_problems);
    parse_key(files->key, &ret->key, ret_problems);
    if (ret->chain != NULL) {
        X509 *leaf = sk_X509_value(ret->chain, 0);
        if (ret->key != NULL && X509_check_private_key(leaf, ret->key) != 1)
            add(ret_problems, LG_CERT_MISMATCH, true, "%s does not belong to %s", LG_CERTS_KEY,
                LG_CERTS_CHAIN);
        check_dates(leaf, now_unix_s, ret_problems);
    }
    parse_certs(files->ca, LG_CERTS_CA, false, &ret->cas, ret_problems);
    if (ret->chain != NULL)
        check_trust(ret, now_unix_s, ret_problems);
}

void lg_cert_set_done(struct lg_cert_set *set)
{
    lg_x509s_free(set->chain);
    lg_x509s_free(set->cas);
    EVP_PKEY_free(set->key);
    *set = (struct lg_cert_set){0};
}
