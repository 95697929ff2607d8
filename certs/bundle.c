#include "certs/bundle.h"

#include "certs/check.h"
#include "certs/openssl.h"
#include "certs/pem.h"

struct bundle {
    X509 *at[LG_CERT_BUNDLE_MAX]; /* borrowed */
    int n;
};

static bool holds(const struct bundle *bundle, X509 *cert)
{
    for (int i = 0; i < bundle->n; i++)
        if (X509_cmp(bundle->at[i], cert) == 0)
            return true;
    return false;
}

static void add_all(struct bundle *bundle, STACK_OF(X509) * certs, int64_t now_unix_s)
{
    for (int i = 0; i < sk_X509_num(certs) && bundle->n < LG_CERT_BUNDLE_MAX; i++) {
        X509 *cert = sk_X509_value(certs, i);
        int64_t from = 0;
        int64_t until = 0;
        lg_cert_dates(cert, &from, &until);
        if (until > now_unix_s && !holds(bundle, cert))
            bundle->at[bundle->n++] = cert;
    }
}

enum lg_err_code lg_cert_bundle(struct lg_str ca_pem, const char *name, struct lg_str published_pem,
                                int64_t now_unix_s, struct lg_buf *ret, struct lg_err *err)
{
    LG_SSL_SCOPE;
    struct bundle bundle = {0};
    STACK_OF(X509) * ours lg_cleanup(lg_x509s_free_cleanup) = NULL;
    STACK_OF(X509) * published lg_cleanup(lg_x509s_free_cleanup) = NULL;
    enum lg_err_code code = lg_pem_certs(ca_pem, name, &ours, err);
    if (code != LG_E_OK)
        return code;
    if (published_pem.n != 0 && lg_pem_certs(published_pem, name, &published, NULL) != LG_E_OK)
        published = NULL;
    add_all(&bundle, ours, now_unix_s);
    if (bundle.n == 0)
        return lg_err_set(err, LG_E_TLS, "", "every certificate in %s has expired", name);
    add_all(&bundle, published, now_unix_s);
    for (int i = 0; code == LG_E_OK && i < bundle.n; i++)
        code = lg_pem_add_cert(ret, bundle.at[i], err);
    return code;
}
