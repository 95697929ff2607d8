/* TLS of the server: the current certificate and key, given to each handshake; GnuTLS lives in
 * tls.c only.
 *
 * The pair is kept as PEM text and parsed anew for each handshake, which gives what it parsed away:
 * a parsed pair that handshakes share must not be freed when it is replaced, and the cost cannot be
 * measured. So a new pair is served from the next handshake on, and connections that stand are not
 * touched.
 * Any thread.
 */
#ifndef LG_WEBHOOK_SERVER_TLS_H
#define LG_WEBHOOK_SERVER_TLS_H

#include <stdbool.h>
#include <stddef.h>

#include "rules/core/err.h"
#include "rules/core/str.h"

/* TLS 1.3 and 1.2; the library's default would take 1.0. Only ciphers that authenticate themselves:
 * a record of theirs says how long its text is. */
#define LG_TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-MAC-ALL:+AEAD"

enum { LG_TLS_HEAD_BYTES = 5 };

struct lg_tls;

/* What one connection tells its handshake; the caller's, until the session ends. */
struct lg_tls_peer {
    struct lg_tls *tls;
    void (*finished)(void *arg); /* the client's last handshake message is here */
    /* After that: so many bytes of text came. Padding counts as text, and a record without any as
     * one byte. */
    void (*received)(void *arg, size_t bytes);
    void *arg;
    int fd;
    /* tls.c's own: */
    void *session;
    unsigned char head[LG_TLS_HEAD_BYTES]; /* of the record that comes in */
    size_t head_n, body_n;
    bool counting;
};

/* LG_E_TLS: GnuTLS cannot load it, or key and certificate do not belong together. */
enum lg_err_code lg_tls_check_pair(struct lg_str cert, struct lg_str key, const char *where,
                                   struct lg_err *err) __attribute__((warn_unused_result));

/* LG_E_TLS: no certificate authority in the PEM text. */
enum lg_err_code lg_tls_check_ca(struct lg_str pem, const char *where, struct lg_err *err)
    __attribute__((warn_unused_result));

/* `client_certs`: a client has to show a certificate that the daemon's trust list vouches for. */
struct lg_tls *lg_tls_new(bool client_certs);
void lg_tls_free(struct lg_tls *tls);

/* Serves this pair from the next handshake on (copied; checked by the caller). */
void lg_tls_set_pair(struct lg_tls *tls, struct lg_str cert, struct lg_str key);

/* The gnutls_certificate_retrieve_function3 for the server library, whose sessions are all
 * attached. */
typedef void lg_tls_callback(void);
lg_tls_callback *lg_tls_retriever(void);

/* Prepares a new session (gnutls_session_t) before its handshake; `peer` is borrowed until the
 * session's end. */
void lg_tls_attach(void *session, struct lg_tls_peer *peer);

#endif
