#include "tests/support/clients.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "rules/core/mem.h"

struct lg_clients {
    SSL_CTX *context;
    size_t n;
    struct client {
        int fd;
        SSL *tls;
    } * of;
};

static int connect_to(const char *address, const char *from)
{
    struct sockaddr_in there = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in here = {.sin_family = AF_INET};
    const char *colon = strrchr(address, ':');
    assert_non_null(colon);
    there.sin_port = htons((in_port_t)strtoul(colon + 1, NULL, 10));
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(inet_pton(AF_INET, from, &here.sin_addr), 1);
    assert_int_equal(bind(fd, (struct sockaddr *)&here, sizeof here), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&there, sizeof there), 0);
    return fd;
}

struct lg_clients *lg_clients_new(struct lg_serve *serve, const char *from, size_t n)
{
    struct lg_clients *clients = lg_calloc(1, sizeof *clients);
    clients->of = lg_calloc(n, sizeof *clients->of);
    clients->context = SSL_CTX_new(TLS_client_method());
    assert_non_null(clients->context);
    SSL_CTX_set_verify(clients->context, SSL_VERIFY_PEER, NULL);
    assert_int_equal(SSL_CTX_load_verify_file(clients->context, lg_serve_path(serve, "ca.crt")), 1);
    for (; clients->n < n; clients->n++) {
        struct client *client = &clients->of[clients->n];
        client->fd = connect_to(serve->reviews, from);
        client->tls = SSL_new(clients->context);
        assert_non_null(client->tls);
        assert_int_equal(SSL_set_fd(client->tls, client->fd), 1);
        if (SSL_connect(client->tls) != 1)
            lg_serve_fail(serve, "client %zu has no connection", clients->n);
    }
    return clients;
}

void lg_clients_free(struct lg_clients *take_clients)
{
    if (take_clients == NULL)
        return;
    for (size_t i = 0; i < take_clients->n; i++) {
        SSL_free(take_clients->of[i].tls);
        (void)close(take_clients->of[i].fd);
    }
    SSL_CTX_free(take_clients->context);
    free(take_clients->of);
    free(take_clients);
}

void lg_clients_say(struct lg_clients *clients, size_t i, struct lg_str text)
{
    assert_int_equal(SSL_write(clients->of[i].tls, text.p, (int)text.n), (int)text.n);
}

void lg_clients_say_head(struct lg_clients *clients, size_t i, const char *path, size_t bytes)
{
    struct lg_buf head lg_cleanup(lg_buf_done) = {0};
    lg_buf_printf(&head,
                  "POST %s HTTP/1.1\r\nHost: livegate\r\nContent-Type: application/json\r\n"
                  "Content-Length: %zu\r\n\r\n",
                  path, bytes);
    lg_clients_say(clients, i, lg_buf_view(&head));
}

void lg_clients_post(struct lg_clients *clients, size_t i, const char *path, struct lg_str body)
{
    lg_clients_say_head(clients, i, path, body.n);
    lg_clients_say(clients, i, body);
}

/* True when the answer is whole: its head, and as many bytes as that says. */
static bool is_whole(struct lg_str answer)
{
    static const char length[] = "content-length:";
    const char *end = memmem(answer.p, answer.n, "\r\n\r\n", 4);
    if (end == NULL)
        return false;
    const char *said = strcasestr(answer.p, length);
    assert_true(said != NULL && said < end);
    size_t head = (size_t)(end + 4 - answer.p);
    return answer.n >= head + strtoul(said + sizeof length - 1, NULL, 10);
}

void lg_clients_read(struct lg_clients *clients, size_t i, int64_t deadline_ms,
                     struct lg_buf *io_answer)
{
    char bytes[16384];
    const struct client *client = &clients->of[i];
    int64_t end_ms = lg_test_now_ms() + deadline_ms;
    while (!is_whole(lg_buf_view(io_answer))) {
        struct pollfd ready = {client->fd, POLLIN, 0};
        int64_t left_ms = end_ms - lg_test_now_ms();
        if (SSL_pending(client->tls) == 0 && poll(&ready, 1, left_ms > 0 ? (int)left_ms : 0) != 1)
            fail_msg("client %zu has no answer yet", i);
        int n = SSL_read(client->tls, bytes, sizeof bytes);
        if (n <= 0)
            fail_msg("client %zu was cut: %d", i, SSL_get_error(client->tls, n));
        lg_buf_add(io_answer, bytes, (size_t)n);
    }
}
