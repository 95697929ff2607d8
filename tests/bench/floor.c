/* The floor: what a review costs when nothing is judged.
 *
 * A TLS server on the same library with the same settings as livegate's (epoll, a pool,
 * suspend/resume and channel), that reads the whole body and answers a fixed AdmissionReview.
 * `bench_floor CERT_DIR THREADS` prints the port it listens on and serves until standard input
 * ends.
 */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rules/core/file.h"
#include "rules/core/mem.h"

static const char answer[] = "{\"apiVersion\": \"admission.k8s.io/v1\", \"kind\": "
                             "\"AdmissionReview\", \"response\": {\"uid\": "
                             "\"84ed21e7-b94e-4f85-a182-90f2f0bba921\", \"allowed\": true, "
                             "\"auditAnnotations\": {\"verdict\": \"allow\"}}}";

struct request {
    char *body;
    size_t n, size;
};

static enum MHD_Result handle(void *arg, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload_data,
                              size_t *upload_bytes, void **state)
{
    (void)arg;
    (void)url;
    (void)method;
    (void)version;
    struct request *request = *state;
    if (request == NULL) {
        request = lg_calloc(1, sizeof *request);
        const char *length =
            MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Length");
        request->size = length != NULL ? strtoul(length, NULL, 10) : 0;
        request->body = lg_calloc(request->size + 1, 1);
        *state = request;
        return MHD_YES;
    }
    if (*upload_bytes != 0) {
        size_t n =
            *upload_bytes < request->size - request->n ? *upload_bytes : request->size - request->n;
        memcpy(request->body + request->n, upload_data, n);
        request->n += n;
        *upload_bytes = 0;
        return MHD_YES;
    }
    struct MHD_Response *response = MHD_create_response_from_buffer(
        sizeof answer - 1, (void *)(uintptr_t)answer, MHD_RESPMEM_PERSISTENT);
    MHD_add_response_header(response, "Content-Type", "application/json");
    enum MHD_Result result = MHD_queue_response(connection, 200, response);
    MHD_destroy_response(response);
    return result;
}

static void completed(void *arg, struct MHD_Connection *connection, void **state,
                      enum MHD_RequestTerminationCode code)
{
    (void)arg;
    (void)connection;
    (void)code;
    struct request *request = *state;
    if (request != NULL)
        free(request->body);
    free(request);
    *state = NULL;
}

static char *read_pem(const char *dir, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    char *text = NULL;
    size_t n = 0;
    struct lg_err err = {0};
    if (lg_file_read(path, 1 << 20, &text, &n, &err) != LG_E_OK) {
        char line[1024];
        fprintf(stderr, "bench_floor: %s\n", lg_err_format(&err, line, sizeof line));
        exit(3);
    }
    return text;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: bench_floor CERT_DIR THREADS\n");
        return 2;
    }
    char *cert lg_cleanup(lg_free_cleanup) = read_pem(argv[1], "tls.crt");
    char *key lg_cleanup(lg_free_cleanup) = read_pem(argv[1], "tls.key");
    unsigned threads = (unsigned)strtoul(argv[2], NULL, 10);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct MHD_OptionItem pool[] = {{MHD_OPTION_THREAD_POOL_SIZE, (intptr_t)threads, NULL},
                                    {MHD_OPTION_END, 0, NULL}};
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TLS | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC, 0,
        NULL, NULL, handle, NULL, MHD_OPTION_SOCK_ADDR, &at, MHD_OPTION_HTTPS_MEM_CERT, cert,
        MHD_OPTION_HTTPS_MEM_KEY, key, MHD_OPTION_HTTPS_PRIORITIES,
        "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2", MHD_OPTION_NOTIFY_COMPLETED, completed, NULL,
        MHD_OPTION_CONNECTION_LIMIT, 2048u, MHD_OPTION_ARRAY, threads > 1 ? pool : pool + 1,
        MHD_OPTION_END);
    if (daemon == NULL) {
        fprintf(stderr, "bench_floor: the server does not start\n");
        return 4;
    }
    printf("%u\n", MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
    fflush(stdout);
    char c;
    while (read(STDIN_FILENO, &c, 1) > 0)
        continue;
    MHD_stop_daemon(daemon);
    return 0;
}
