#include "certs/pem.h"

enum lg_err_code lg_ssl_fail(struct lg_err *err, const char *doing)
{
    unsigned long last = ERR_peek_last_error();
    const char *reason = last != 0 ? ERR_reason_error_string(last) : NULL;
    enum lg_err_code code = lg_err_set(err, LG_E_INTERNAL, "", "%s: %s", doing,
                                       reason != NULL ? reason : "OpenSSL gives no reason");
    ERR_clear_error();
    return code;
}

/* PEM readers say "no more" with an error like any other. */
static bool is_end_of_pem(void)
{
    unsigned long last = ERR_peek_last_error();
    return ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_NO_START_LINE;
}

static BIO *open_text(struct lg_str text)
{
    /* An empty memory BIO answers "try again" rather than "end". */
    BIO *bio = text.n <= INT32_MAX ? BIO_new_mem_buf(text.n != 0 ? text.p : "", (int)text.n) : NULL;
    if (bio != NULL)
        (void)BIO_set_mem_eof_return(bio, 0);
    return bio;
}

/* OpenSSL's default would ask on the terminal. The type is pem_password_cb. */
// NOLINTNEXTLINE(readability-non-const-parameter)
static int no_passphrase(char *buf, int size, int writing, void *ret_asked)
{
    (void)buf;
    (void)size;
    (void)writing;
    *(bool *)ret_asked = true;
    return -1;
}

enum lg_err_code lg_pem_certs(struct lg_str text, const char *name, STACK_OF(X509) * *ret,
                              struct lg_err *err)
{
    LG_SSL_SCOPE;
    BIO *bio lg_cleanup(BIO_free_all_cleanup) = open_text(text);
    STACK_OF(X509) * certs lg_cleanup(lg_x509s_free_cleanup) = sk_X509_new_null();
    if (bio == NULL || certs == NULL)
        return lg_ssl_fail(err, "reading certificates");
    for (;;) {
        bool asked = false;
        X509 *cert lg_cleanup(X509_free_cleanup) =
            PEM_read_bio_X509(bio, NULL, no_passphrase, &asked);
        if (cert == NULL)
            break;
        if (sk_X509_num(certs) == LG_PEM_CERTS_MAX)
            return lg_err_set(err, LG_E_LIMIT, "", "%s holds more than %d certificates", name,
                              LG_PEM_CERTS_MAX);
        if (sk_X509_push(certs, cert) == 0)
            return lg_ssl_fail(err, "reading certificates");
        (void)lg_steal(cert);
    }
    int n = sk_X509_num(certs);
    if (!is_end_of_pem())
        return lg_err_set(err, LG_E_TLS, "", "certificate %d in %s cannot be read", n + 1, name);
    if (n == 0)
        return lg_err_set(err, LG_E_TLS, "", "%s holds no PEM certificate", name);
    *ret = lg_steal(certs);
    return LG_E_OK;
}

enum lg_err_code lg_pem_key(struct lg_str text, const char *name, EVP_PKEY **ret,
                            struct lg_err *err)
{
    LG_SSL_SCOPE;
    BIO *bio lg_cleanup(BIO_free_all_cleanup) = open_text(text);
    if (bio == NULL)
        return lg_ssl_fail(err, "reading a key");
    bool asked = false;
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, &asked);
    if (key == NULL && asked)
        return lg_err_set(err, LG_E_TLS, "",
                          "%s is encrypted; a key without a passphrase is needed", name);
    if (key == NULL)
        return lg_err_set(err, LG_E_TLS, "", "%s holds no readable PEM private key", name);
    *ret = key;
    return LG_E_OK;
}

enum lg_err_code lg_pem_add_cert(struct lg_buf *buf, X509 *cert, struct lg_err *err)
{
    BIO *bio lg_cleanup(BIO_free_all_cleanup) = BIO_new(BIO_s_mem());
    if (bio == NULL || PEM_write_bio_X509(bio, cert) != 1)
        return lg_ssl_fail(err, "writing a certificate");
    char *text = NULL;
    long n = BIO_get_mem_data(bio, &text);
    lg_buf_add(buf, text, (size_t)n);
    return LG_E_OK;
}

enum lg_err_code lg_pem_of_key(EVP_PKEY *key, BIO **ret, struct lg_err *err)
{
    BIO *bio lg_cleanup(BIO_free_all_cleanup) = BIO_new(BIO_s_mem());
    if (bio == NULL || PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1)
        return lg_ssl_fail(err, "writing a key");
    *ret = lg_steal(bio);
    return LG_E_OK;
}
