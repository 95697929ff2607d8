/* An open-loop sender of reviews.
 *
 * Requests leave on a fixed schedule, shared out over connections; latency counts from the
 * scheduled time, so that a server that stalls is charged for every request that had to wait
 * meanwhile. With --rate 0 each connection sends as fast as it is answered (closed loop), which is
 * how CPU per request is measured without idle wake-ups. CPU is the server's own, read from its
 * threads' schedstat before and after. One JSON line comes out.
 *
 *   bench_send --port P --ca FILE --path /validate --body FILE --rate 1000 --seconds 10
 *              --connections 16 [--pid PID] [--new-connections] [--expect TEXT]
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "rules/core/file.h"
#include "rules/core/mem.h"

enum { CONNECTIONS_MAX = 256, ANSWER_BYTES_MAX = 64 * 1024 };

struct plan {
    unsigned short port;
    SSL_CTX *tls;
    char *request;
    size_t request_bytes;
    const char *expect;
    double rate, seconds;
    int connections;
    bool new_connections;
    int64_t start_ns;
};

struct sender {
    const struct plan *plan;
    int index, fd;
    SSL *ssl;
    uint32_t *latency_us;
    size_t n, size, errors, unexpected;
    pthread_t thread;
};

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void sleep_until(int64_t at_ns)
{
    struct timespec t = {at_ns / 1000000000, at_ns % 1000000000};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) != 0)
        continue;
}

static void hang_up(struct sender *s)
{
    if (s->ssl != NULL)
        SSL_free(s->ssl);
    if (s->fd >= 0)
        close(s->fd);
    s->ssl = NULL;
    s->fd = -1;
}

static bool dial(struct sender *s)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(s->plan->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1;
    s->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (s->fd < 0 || connect(s->fd, (struct sockaddr *)&to, sizeof to) != 0)
        return false;
    setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    s->ssl = SSL_new(s->plan->tls);
    return SSL_set_fd(s->ssl, s->fd) == 1 && SSL_set1_host(s->ssl, "localhost") == 1 &&
           SSL_connect(s->ssl) == 1;
}

/* Reads one answer; true when it is complete and says what is expected. */
static bool receive(struct sender *s, bool *ret_expected)
{
    char buf[ANSWER_BYTES_MAX + 1];
    size_t n = 0;
    size_t total = 0;
    while (n < ANSWER_BYTES_MAX) {
        int got = SSL_read(s->ssl, buf + n, (int)(ANSWER_BYTES_MAX - n));
        if (got <= 0)
            return false;
        n += (size_t)got;
        buf[n] = '\0';
        char *end = total == 0 ? strstr(buf, "\r\n\r\n") : NULL;
        if (end != NULL) {
            char *length = strcasestr(buf, "content-length:");
            if (length == NULL || length > end)
                return false;
            total = (size_t)(end + 4 - buf) + strtoul(length + 15, NULL, 10);
        }
        if (total != 0 && n >= total)
            break;
    }
    *ret_expected = strncmp(buf, "HTTP/1.1 200", 12) == 0 &&
                    (s->plan->expect == NULL || strstr(buf, s->plan->expect) != NULL);
    return true;
}

static bool send_one(struct sender *s)
{
    if (s->ssl == NULL && !dial(s))
        return false;
    if (SSL_write(s->ssl, s->plan->request, (int)s->plan->request_bytes) <= 0)
        return false;
    bool expected = false;
    if (!receive(s, &expected))
        return false;
    s->unexpected += !expected;
    if (s->plan->new_connections)
        hang_up(s);
    return true;
}

static void *run(void *arg)
{
    struct sender *s = arg;
    const struct plan *plan = s->plan;
    int64_t end_ns = plan->start_ns + (int64_t)(plan->seconds * 1e9);
    double gap_ns = plan->rate > 0 ? 1e9 * plan->connections / plan->rate : 0;
    for (size_t k = 0;; k++) {
        int64_t due_ns = now_ns();
        if (plan->rate > 0)
            due_ns = plan->start_ns +
                     (int64_t)(gap_ns * (double)k + gap_ns * s->index / plan->connections);
        if (due_ns >= end_ns || s->n == s->size)
            break;
        if (plan->rate > 0)
            sleep_until(due_ns);
        if (!send_one(s)) {
            s->errors++;
            hang_up(s);
            if (s->errors > 1000)
                break;
            continue;
        }
        s->latency_us[s->n++] = (uint32_t)((now_ns() - due_ns) / 1000);
    }
    hang_up(s);
    return NULL;
}

/* Nanoseconds that the process's threads have been on a CPU. */
static int64_t cpu_ns(int pid)
{
    char path[300];
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *dir = opendir(path);
    int64_t sum = 0;
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
        snprintf(path, sizeof path, "/proc/%d/task/%.20s/schedstat", pid, entry->d_name);
        FILE *file = fopen(path, "re");
        int64_t ns = 0;
        if (file == NULL)
            continue;
        if (fscanf(file, "%" SCNd64, &ns) == 1)
            sum += ns;
        (void)fclose(file);
    }
    if (dir != NULL)
        closedir(dir);
    return sum;
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void report(struct sender *senders, const struct plan *plan, int64_t used_ns, double seconds)
{
    size_t n = 0;
    size_t errors = 0;
    size_t unexpected = 0;
    for (int i = 0; i < plan->connections; i++) {
        n += senders[i].n;
        errors += senders[i].errors;
        unexpected += senders[i].unexpected;
    }
    uint32_t *all lg_cleanup(lg_free_cleanup) = lg_calloc(n + 1, sizeof *all);
    size_t at = 0;
    for (int i = 0; i < plan->connections; i++) {
        memcpy(all + at, senders[i].latency_us, senders[i].n * sizeof *all);
        at += senders[i].n;
    }
    qsort(all, n, sizeof *all, by_value);
    size_t last = n != 0 ? n - 1 : 0;
    printf(
        "{\"requests\":%zu,\"errors\":%zu,\"unexpected\":%zu,\"per_second\":%.0f,\"cpu_us\":%.2f,"
        "\"p50_us\":%u,\"p99_us\":%u,\"p999_us\":%u,\"max_us\":%u}\n",
        n, errors, unexpected, (double)n / seconds,
        n != 0 ? (double)used_ns / 1000.0 / (double)n : 0.0, all[last / 2], all[last * 99 / 100],
        all[last * 999 / 1000], all[last]);
}

static char *make_request(const char *path, const char *body_file, size_t *ret_bytes)
{
    char *body lg_cleanup(lg_free_cleanup) = NULL;
    size_t n = 0;
    struct lg_err err = {0};
    if (lg_file_read(body_file, 16 << 20, &body, &n, &err) != LG_E_OK) {
        fprintf(stderr, "bench_send: %s: %s\n", err.where, err.text);
        exit(3);
    }
    struct lg_buf buf = {0};
    lg_buf_printf(&buf,
                  "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                  "application/json\r\nContent-Length: %zu\r\n\r\n",
                  path, n);
    lg_buf_add(&buf, body, n);
    *ret_bytes = buf.n;
    return buf.p;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"port", required_argument, NULL, 'p'},
        {"ca", required_argument, NULL, 'a'},
        {"path", required_argument, NULL, 'u'},
        {"body", required_argument, NULL, 'b'},
        {"rate", required_argument, NULL, 'r'},
        {"seconds", required_argument, NULL, 's'},
        {"pid", required_argument, NULL, 'i'},
        {"connections", required_argument, NULL, 'c'},
        {"expect", required_argument, NULL, 'e'},
        {"new-connections", no_argument, NULL, 'n'},
        {NULL, 0, NULL, 0},
    };
    struct plan plan = {.seconds = 5, .connections = 8};
    const char *ca = NULL;
    const char *path = "/validate";
    const char *body = NULL;
    int pid = 0;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (c) {
        case 'p':
            plan.port = (unsigned short)strtoul(optarg, NULL, 10);
            break;
        case 'a':
            ca = optarg;
            break;
        case 'u':
            path = optarg;
            break;
        case 'b':
            body = optarg;
            break;
        case 'r':
            plan.rate = strtod(optarg, NULL);
            break;
        case 's':
            plan.seconds = strtod(optarg, NULL);
            break;
        case 'i':
            pid = (int)strtol(optarg, NULL, 10);
            break;
        case 'c':
            plan.connections = (int)strtol(optarg, NULL, 10);
            break;
        case 'e':
            plan.expect = optarg;
            break;
        case 'n':
            plan.new_connections = true;
            break;
        default:
            return 2;
        }
    }
    if (plan.port == 0 || ca == NULL || body == NULL || plan.connections < 1 ||
        plan.connections > CONNECTIONS_MAX) {
        fprintf(stderr,
                "bench_send: --port, --ca and --body are needed, --connections is 1 to 256\n");
        return 2;
    }
    plan.request = make_request(path, body, &plan.request_bytes);
    plan.tls = SSL_CTX_new(TLS_client_method());
    if (SSL_CTX_load_verify_locations(plan.tls, ca, NULL) != 1) {
        fprintf(stderr, "bench_send: %s: no certificates in it\n", ca);
        return 3;
    }
    SSL_CTX_set_verify(plan.tls, SSL_VERIFY_PEER, NULL);
    static struct sender senders[CONNECTIONS_MAX];
    for (int i = 0; i < plan.connections; i++) {
        struct sender *s = &senders[i];
        *s = (struct sender){.plan = &plan, .index = i, .fd = -1, .size = 2000000};
        s->latency_us = lg_calloc(s->size, sizeof *s->latency_us);
        if (!plan.new_connections && !dial(s)) {
            fprintf(stderr, "bench_send: connection %d is not accepted\n", i);
            return 3;
        }
    }
    plan.start_ns = now_ns() + 50000000;
    int64_t before_ns = pid != 0 ? cpu_ns(pid) : 0;
    for (int i = 0; i < plan.connections; i++)
        pthread_create(&senders[i].thread, NULL, run, &senders[i]);
    for (int i = 0; i < plan.connections; i++)
        pthread_join(senders[i].thread, NULL);
    int64_t used_ns = pid != 0 ? cpu_ns(pid) - before_ns : 0;
    report(senders, &plan, used_ns, (double)(now_ns() - plan.start_ns) / 1e9);
    for (int i = 0; i < plan.connections; i++)
        free(senders[i].latency_us);
    SSL_CTX_free(plan.tls);
    free(plan.request);
    return 0;
}
