#include "certs/inspect.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <time.h>

#include "certs/check.h"

const char *lg_cert_time(int64_t unix_s, char buf[LG_CERT_TIME_BYTES])
{
    time_t when = (time_t)unix_s;
    struct tm tm;
    if (gmtime_r(&when, &tm) == NULL ||
        strftime(buf, LG_CERT_TIME_BYTES, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        (void)snprintf(buf, LG_CERT_TIME_BYTES, "an unreadable date");
    return buf;
}

static struct lg_str printable(struct lg_arena *arena, const void *text, size_t n)
{
    struct lg_buf buf lg_cleanup(lg_buf_done) = {0};
    lg_buf_printable(&buf, (struct lg_str){text, n});
    return lg_arena_str(arena, lg_buf_view(&buf));
}

static struct lg_str name_text(struct lg_arena *arena, const X509_NAME *name)
{
    BIO *bio lg_cleanup(BIO_free_all_cleanup) = BIO_new(BIO_s_mem());
    char *text = NULL;
    /* RFC 2253 in ASCII, control characters and everything above escaped. */
    if (bio == NULL || X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) < 0)
        return LG_STR("");
    long n = BIO_get_mem_data(bio, &text);
    return printable(arena, text, n > 0 ? (size_t)n : 0);
}

static struct lg_str serial_text(struct lg_arena *arena, const X509 *cert)
{
    BIGNUM *number lg_cleanup(BN_free_cleanup) =
        ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL);
    char *hex = number != NULL ? BN_bn2hex(number) : NULL;
    struct lg_str text = lg_arena_str(arena, lg_str_of(hex != NULL ? hex : ""));
    OPENSSL_free(hex);
    return text;
}

static struct lg_str key_text(struct lg_arena *arena, const X509 *cert)
{
    const EVP_PKEY *key = X509_get0_pubkey(cert);
    const char *type = key != NULL ? EVP_PKEY_get0_type_name(key) : NULL;
    if (type == NULL)
        return LG_STR("unknown");
    return lg_arena_printf(arena, "%s %d", type, EVP_PKEY_get_bits(key));
}

/* DNS names and addresses; the kinds that no API server compares are left out. */
static bool alternative_name(struct lg_arena *arena, const GENERAL_NAME *name, struct lg_str *ret)
{
    int type = 0;
    const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);
    if (type != GEN_DNS && type != GEN_IPADD)
        return false;
    const unsigned char *bytes = ASN1_STRING_get0_data(value);
    size_t n = (size_t)ASN1_STRING_length(value);
    char address[INET6_ADDRSTRLEN];
    if (type == GEN_DNS) {
        *ret = printable(arena, bytes, n);
        return true;
    }
    if ((n != 4 && n != 16) ||
        inet_ntop(n == 4 ? AF_INET : AF_INET6, bytes, address, sizeof address) == NULL)
        return false;
    *ret = lg_arena_str(arena, lg_str_of(address));
    return true;
}

static void add_names(struct lg_arena *arena, const X509 *cert, struct lg_cert_info *info)
{
    GENERAL_NAMES *names lg_cleanup(GENERAL_NAMES_free_cleanup) =
        X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    info->names = lg_arena_array(arena, LG_CERT_NAMES_MAX, sizeof *info->names);
    for (int i = 0; i < sk_GENERAL_NAME_num(names) && info->name_count < LG_CERT_NAMES_MAX; i++) {
        if (alternative_name(arena, sk_GENERAL_NAME_value(names, i),
                             &info->names[info->name_count]))
            info->name_count++;
    }
}

static void add_certs(struct lg_arena *arena, STACK_OF(X509) * certs, const char *file,
                      struct lg_cert_report *report)
{
    for (int i = 0; i < sk_X509_num(certs); i++) {
        X509 *cert = sk_X509_value(certs, i);
        struct lg_cert_info *info = &report->certs[report->count++];
        info->file = file;
        info->position = (unsigned)i + 1;
        info->subject = name_text(arena, X509_get_subject_name(cert));
        info->issuer = name_text(arena, X509_get_issuer_name(cert));
        info->serial = serial_text(arena, cert);
        info->key = key_text(arena, cert);
        add_names(arena, cert, info);
        lg_cert_dates(cert, &info->not_before_unix_s, &info->not_after_unix_s);
        /* 1: says CA:TRUE; the other positive answers are guesses about old certificates. */
        info->authority = X509_check_ca(cert) == 1;
        lg_cert_sha256(cert, info->sha256);
    }
}

void lg_cert_inspect(const struct lg_cert_files *files, int64_t now_unix_s, struct lg_arena *arena,
                     struct lg_cert_report *ret)
{
    LG_SSL_SCOPE;
    struct lg_cert_set set lg_cleanup(lg_cert_set_done) = {0};
    *ret = (struct lg_cert_report){0};
    lg_cert_check(files, now_unix_s, &set, &ret->problems);
    size_t chain_count = set.chain != NULL ? (size_t)sk_X509_num(set.chain) : 0;
    size_t ca_count = set.cas != NULL ? (size_t)sk_X509_num(set.cas) : 0;
    ret->certs = lg_arena_array(arena, chain_count + ca_count, sizeof *ret->certs);
    ret->issuers_not_after_unix_s = set.issuers_not_after_unix_s;
    if (set.chain != NULL)
        add_certs(arena, set.chain, LG_CERTS_CHAIN, ret);
    if (set.cas != NULL)
        add_certs(arena, set.cas, LG_CERTS_CA, ret);
}
