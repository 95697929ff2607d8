#include "tests/support/canned_api.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include "certs/authority.h"
#include "rules/core/file.h"
#include "rules/core/mem.h"
#include "tests/support/canned_parts.h"
#include "webhook/runtime/clock.h"

#define FIRST_VERSION 1000000000u /* ten digits from the start: a version is patched in place */

static _Noreturn void die(const char *what)
{
    (void)fprintf(stderr, "canned API server: %s\n", what);
    exit(4);
}

static void make_certificates(struct lg_canned *canned)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "kubernetes.default.svc"};
    struct lg_authority *authority lg_cleanup(lg_authority_free_cleanup) = NULL;
    struct lg_leaf_request request = {.names = names, .name_count = 3, .days = 2};
    int64_t now = lg_clock_unix_s();
    struct lg_err err = {0};
    if (lg_authority_new(2, now, &authority, &err) != LG_E_OK ||
        lg_authority_pem(authority, (struct lg_str){0}, now, &canned->files, &err) != LG_E_OK ||
        lg_authority_issue(authority, &request, now, &canned->files, &err) != LG_E_OK)
        die(err.text);
}

/* Recursive: a watch whose response the library refuses, since it is being stopped, is freed within
 * the call that made it. */
static void make_mutex(pthread_mutex_t *ret)
{
    pthread_mutexattr_t kind;
    pthread_mutexattr_init(&kind);
    pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(ret, &kind);
    pthread_mutexattr_destroy(&kind);
}

static struct sockaddr_in loopback(unsigned port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                .sin_port = htons((uint16_t)port)};
}

struct lg_canned *lg_canned_start(const struct lg_canned_options *options)
{
    struct lg_canned *canned = lg_calloc(1, sizeof *canned);
    canned->options = *options;
    canned->version = FIRST_VERSION;
    make_mutex(&canned->mutex);
    lg_canned_set_token(canned, options->token);
    lg_canned_store_fill(canned);
    if (!options->plain)
        make_certificates(canned);
    struct sockaddr_in at = loopback(options->port);
    struct MHD_OptionItem tls[] = {{MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)canned->files.chain.p},
                                   {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)canned->files.key.p},
                                   {MHD_OPTION_END, 0, NULL}};
    struct MHD_OptionItem pool[] = {{MHD_OPTION_THREAD_POOL_SIZE, (intptr_t)options->threads, NULL},
                                    {MHD_OPTION_END, 0, NULL}};
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC;
    canned->daemon = MHD_start_daemon(
        flags | (options->plain ? 0u : (unsigned)MHD_USE_TLS), 0, NULL, NULL, lg_canned_handle,
        canned, MHD_OPTION_SOCK_ADDR, &at, MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u,
        MHD_OPTION_NOTIFY_COMPLETED, lg_canned_completed, NULL, MHD_OPTION_ARRAY,
        options->plain ? tls + 2 : tls, MHD_OPTION_ARRAY, options->threads > 1 ? pool : pool + 1,
        MHD_OPTION_END);
    if (canned->daemon == NULL)
        die("it does not start");
    if (pthread_create(&canned->ticker, NULL, lg_canned_run_ticker, canned) != 0)
        die("no thread");
    return canned;
}

void lg_canned_stop(struct lg_canned *canned)
{
    if (canned == NULL)
        return;
    pthread_mutex_lock(&canned->mutex);
    canned->stopping = true;
    lg_canned_wake(canned, LG_KIND_COUNT);
    pthread_mutex_unlock(&canned->mutex);
    pthread_join(canned->ticker, NULL);
    MHD_stop_daemon(canned->daemon);
    lg_canned_store_done(canned);
    lg_cert_files_done(&canned->files);
    pthread_mutex_destroy(&canned->mutex);
    lg_buf_done(&canned->config_map);
    free(canned->token);
    free(canned);
}

int lg_canned_hold_port(unsigned port)
{
    struct sockaddr_in at = loopback(port);
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0 ||
        bind(fd, (struct sockaddr *)&at, sizeof at) != 0)
        die("its port cannot be held");
    return fd;
}

unsigned lg_canned_port(const struct lg_canned *canned)
{
    return MHD_get_daemon_info(canned->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
}

const char *lg_canned_ca(const struct lg_canned *canned)
{
    return canned->files.ca.p != NULL ? canned->files.ca.p : "";
}

void lg_canned_kubeconfig(const struct lg_canned *canned, const char *path, const char *token)
{
    struct lg_buf text = {0};
    struct lg_err err = {0};
    lg_buf_printf(&text,
                  "apiVersion: v1\nkind: Config\ncurrent-context: canned\nclusters:\n"
                  "- name: canned\n  cluster:\n    server: %s://127.0.0.1:%u\n",
                  canned->options.plain ? "http" : "https", lg_canned_port(canned));
    if (!canned->options.plain) {
        char ca[4096];
        (void)snprintf(ca, sizeof ca, "%s.ca", path);
        lg_buf_printf(&text, "    certificate-authority: %s\n", ca);
        if (lg_file_write(ca, canned->files.ca, 0600, &err) != LG_E_OK)
            die(err.text);
    }
    lg_buf_puts(&text, "users:\n- name: tester\n  user: {");
    if (token == NULL)
        token = canned->token;
    if (token != NULL)
        lg_buf_printf(&text, "token: \"%s\"", token);
    lg_buf_puts(&text, "}\ncontexts:\n- name: canned\n  context: {cluster: canned, user: tester, "
                       "namespace: livegate}\n");
    if (lg_file_write(path, lg_buf_view(&text), 0600, &err) != LG_E_OK)
        die(err.text);
    lg_buf_done(&text);
}
