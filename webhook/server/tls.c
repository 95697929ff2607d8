#include "webhook/server/tls.h"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "rules/core/mem.h"

enum { CHAIN_MAX = 16 };

/* One PEM pair; handshakes hold it by count while they parse it. */
struct pair {
    unsigned refs; /* under the lock */
    gnutls_datum_t cert, key;
};

struct lg_tls {
    pthread_mutex_t lock;
    struct pair *current;
    bool client_certs;
};

/* What a handshake is given; GnuTLS frees it with gnutls_free. */
struct parsed {
    gnutls_pcert_st *certs;
    unsigned n_certs;
    gnutls_privkey_t key;
};

static void parsed_done(struct parsed *parsed)
{
    for (unsigned i = 0; i < parsed->n_certs; i++)
        gnutls_pcert_deinit(&parsed->certs[i]);
    gnutls_free(parsed->certs);
    if (parsed->key != NULL)
        gnutls_privkey_deinit(parsed->key);
}

/* Returns GNUTLS_E_SUCCESS or the library's error; *ret is zeroed before and parsed_done's after,
 * either way. */
static int parse(const gnutls_datum_t *cert, const gnutls_datum_t *key, struct parsed *ret)
{
    unsigned n = CHAIN_MAX;

    ret->certs = gnutls_calloc(CHAIN_MAX, sizeof *ret->certs);
    if (ret->certs == NULL)
        return GNUTLS_E_MEMORY_ERROR;
    int rc = gnutls_pcert_list_import_x509_raw(ret->certs, &n, cert, GNUTLS_X509_FMT_PEM,
                                               GNUTLS_X509_CRT_LIST_IMPORT_FAIL_IF_EXCEED |
                                                   GNUTLS_X509_CRT_LIST_SORT);
    if (rc < 0)
        return rc;
    ret->n_certs = n;
    rc = gnutls_privkey_init(&ret->key);
    if (rc < 0)
        return rc;
    return gnutls_privkey_import_x509_raw(ret->key, key, GNUTLS_X509_FMT_PEM, NULL, 0);
}

static gnutls_datum_t datum(struct lg_str s)
{
    return (gnutls_datum_t){(unsigned char *)(uintptr_t)s.p, (unsigned)s.n};
}

enum lg_err_code lg_tls_check_pair(struct lg_str cert, struct lg_str key, const char *where,
                                   struct lg_err *err)
{
    gnutls_datum_t cert_pem = datum(cert), key_pem = datum(key);
    gnutls_certificate_credentials_t credentials = NULL;
    struct parsed parsed lg_cleanup(parsed_done) = {0};

    int rc = parse(&cert_pem, &key_pem, &parsed);
    if (rc >= 0)
        rc = gnutls_certificate_allocate_credentials(&credentials);
    if (rc >= 0) {
        /* Compares the key with the certificate. */
        rc = gnutls_certificate_set_x509_key_mem(credentials, &cert_pem, &key_pem,
                                                 GNUTLS_X509_FMT_PEM);
        gnutls_certificate_free_credentials(credentials);
    }
    if (rc < 0)
        return lg_err_set(err, LG_E_TLS, where,
                          "the certificate and key cannot be served: %s; write a matching pair in "
                          "PEM form, the leaf first",
                          gnutls_strerror(rc));
    return LG_E_OK;
}

enum lg_err_code lg_tls_check_ca(struct lg_str pem, const char *where, struct lg_err *err)
{
    gnutls_datum_t text = datum(pem);
    gnutls_certificate_credentials_t credentials = NULL;

    int rc = gnutls_certificate_allocate_credentials(&credentials);
    if (rc >= 0) {
        rc = gnutls_certificate_set_x509_trust_mem(credentials, &text, GNUTLS_X509_FMT_PEM);
        gnutls_certificate_free_credentials(credentials);
    }
    if (rc <= 0)
        return lg_err_set(err, LG_E_TLS, where,
                          "no certificate authority can be read from it: %s; write one or more "
                          "certificates in PEM form",
                          rc < 0 ? gnutls_strerror(rc) : "it holds no certificate");
    return LG_E_OK;
}

struct lg_tls *lg_tls_new(bool client_certs)
{
    struct lg_tls *tls = lg_calloc(1, sizeof *tls);
    pthread_mutex_init(&tls->lock, NULL);
    tls->client_certs = client_certs;
    return tls;
}

static void pair_unref(struct lg_tls *tls, struct pair *pair)
{
    if (pair == NULL)
        return;
    pthread_mutex_lock(&tls->lock);
    bool last = --pair->refs == 0;
    pthread_mutex_unlock(&tls->lock);
    if (!last)
        return;
    gnutls_memset(pair->key.data, 0, pair->key.size);
    free(pair->key.data);
    free(pair->cert.data);
    free(pair);
}

void lg_tls_free(struct lg_tls *tls)
{
    if (tls == NULL)
        return;
    pair_unref(tls, tls->current);
    pthread_mutex_destroy(&tls->lock);
    free(tls);
}

void lg_tls_set_pair(struct lg_tls *tls, struct lg_str cert, struct lg_str key)
{
    struct pair *pair = lg_calloc(1, sizeof *pair);
    pair->refs = 1;
    pair->cert = datum((struct lg_str){lg_memdup(cert.p, cert.n), cert.n});
    pair->key = datum((struct lg_str){lg_memdup(key.p, key.n), key.n});
    pthread_mutex_lock(&tls->lock);
    struct pair *old = tls->current;
    tls->current = pair;
    pthread_mutex_unlock(&tls->lock);
    pair_unref(tls, old);
}

static gnutls_certificate_retrieve_function3 retrieve;

/* NOLINTNEXTLINE(readability-function-size): the library's signature */
static int retrieve(gnutls_session_t session, const struct gnutls_cert_retr_st *info,
                    gnutls_pcert_st **certs, unsigned *n_certs, gnutls_ocsp_data_st **ocsp,
                    unsigned *n_ocsp, gnutls_privkey_t *key, unsigned *flags)
{
    (void)info;
    struct lg_tls_peer *peer = gnutls_session_get_ptr(session);
    struct lg_tls *tls = peer->tls;
    struct parsed parsed = {0};

    pthread_mutex_lock(&tls->lock);
    struct pair *pair = tls->current;
    if (pair != NULL)
        pair->refs++;
    pthread_mutex_unlock(&tls->lock);
    if (pair == NULL)
        return -1;
    int rc = parse(&pair->cert, &pair->key, &parsed);
    pair_unref(tls, pair);
    if (rc < 0) {
        parsed_done(&parsed);
        return -1;
    }
    *certs = parsed.certs;
    *n_certs = parsed.n_certs;
    *key = parsed.key;
    *ocsp = NULL;
    *n_ocsp = 0;
    *flags = GNUTLS_CERT_RETR_DEINIT_ALL;
    return 0;
}

lg_tls_callback *lg_tls_retriever(void)
{
    return (lg_tls_callback *)retrieve;
}

static int on_finished(gnutls_session_t session, unsigned type, unsigned when, unsigned incoming,
                       const gnutls_datum_t *message)
{
    (void)type;
    (void)when;
    (void)message;
    struct lg_tls_peer *peer = gnutls_session_get_ptr(session);
    if (incoming == 0)
        return 0;
    peer->counting = true; /* its record was read to the end */
    if (peer->finished != NULL)
        peer->finished(peer->arg);
    return 0;
}

/* --- what a client sends, record by record --- */

enum { RECORD_TEXT = 23 };

/* How long the text is in the record whose head is here. */
static size_t text_bytes(const struct lg_tls_peer *peer)
{
    size_t overhead = gnutls_record_overhead_size(peer->session),
           n = peer->body_n + LG_TLS_HEAD_BYTES;
    return peer->head[0] == RECORD_TEXT && n > overhead ? n - overhead : 0;
}

static void count(struct lg_tls_peer *peer, const unsigned char *data, size_t n)
{
    while (n > 0) {
        if (peer->body_n > 0) {
            size_t step = n < peer->body_n ? n : peer->body_n;
            peer->body_n -= step;
            data += step;
            n -= step;
            continue;
        }
        if (peer->head_n == 0)
            peer->received(peer->arg, 1);
        peer->head[peer->head_n++] = *data++;
        n--;
        if (peer->head_n < LG_TLS_HEAD_BYTES)
            continue;
        peer->head_n = 0;
        peer->body_n = (size_t)peer->head[3] << 8 | peer->head[4];
        size_t text = text_bytes(peer);
        if (text > 1)
            peer->received(peer->arg, text - 1);
    }
}

static ssize_t pull(gnutls_transport_ptr_t arg, void *data, size_t n)
{
    struct lg_tls_peer *peer = arg;
    ssize_t got = recv(peer->fd, data, n, 0);
    if (got > 0 && peer->counting)
        count(peer, data, (size_t)got);
    return got;
}

static int pull_timeout(gnutls_transport_ptr_t arg, unsigned ms)
{
    const struct lg_tls_peer *peer = arg;
    return gnutls_system_recv_timeout((gnutls_transport_ptr_t)(intptr_t)peer->fd, ms);
}

void lg_tls_attach(void *session, struct lg_tls_peer *peer)
{
    static gnutls_typed_vdata_st purpose[] = {
        {GNUTLS_DT_KEY_PURPOSE_OID, (unsigned char *)(uintptr_t)GNUTLS_KP_TLS_WWW_CLIENT, 0}};

    /* The server library keeps a pointer of its own there for pre-shared keys only, which we do not
     * use. */
    peer->session = session;
    gnutls_session_set_ptr(session, peer);
    gnutls_transport_set_ptr2(session, peer, (gnutls_transport_ptr_t)(intptr_t)peer->fd);
    gnutls_transport_set_pull_function(session, pull);
    gnutls_transport_set_pull_timeout_function(session, pull_timeout);
    gnutls_handshake_set_hook_function(session, GNUTLS_HANDSHAKE_FINISHED, GNUTLS_HOOK_POST,
                                       on_finished);
    if (peer->tls->client_certs) {
        gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUIRE);
        gnutls_session_set_verify_cert2(session, purpose, 1, 0);
    }
}
