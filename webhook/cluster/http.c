#include "webhook/cluster/http.h"

#include <assert.h>
#include <curl/curl.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "rules/core/mem.h"
#include "webhook/cluster/path.h"
#include "webhook/runtime/clock.h"

enum {
    KEEPALIVE_IDLE_S = 15,
    KEEPALIVE_INTERVAL_S = 5,
    USER_TIMEOUT_MS = 30 * 1000, /* without an acknowledgement the connection is dead */
    IDLE_CONNECTIONS_MAX = 8,
    BULK_BUFFER_BYTES = 128 * 1024,
    BUFFER_BYTES = 16 * 1024,
    HEADERS_BYTES_MAX = 64 * 1024,
};

struct lg_http_call {
    struct lg_http *http;
    struct lg_http_call *next, *previous;
    CURL *easy;
    struct curl_slist *headers, *connect_to;
    lg_http_head_fn *head;
    lg_http_chunk_fn *chunk;
    lg_http_done_fn *done;
    void *arg;
    struct lg_buf body;
    size_t body_bytes_max, header_bytes;
    int64_t idle_ms;
    int64_t due_ms;    /* of the next byte; INT64_MAX: it may take its time */
    struct lg_err err; /* why we ended it */
    char error[CURL_ERROR_SIZE];
};

struct lg_http {
    CURLM *multi;
    struct lg_kubeconfig *config;
    struct lg_http_call *calls;
    size_t n_calls;
    bool performing;     /* inside libcurl: calls may be neither added nor removed */
    bool suspect;        /* the last answer doubts our credentials: read them again */
    struct lg_err stale; /* why they could not be, the last time */
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static CURLcode started;

static void start_library(void)
{
    started = curl_global_init(CURL_GLOBAL_DEFAULT);
}

enum lg_err_code lg_http_new(struct lg_kubeconfig *config, struct lg_http **ret, struct lg_err *err)
{
    (void)pthread_once(&once, start_library);
    CURLM *multi = started == CURLE_OK ? curl_multi_init() : NULL;
    if (multi == NULL)
        return lg_err_set(err, LG_E_INTERNAL, "libcurl", "does not start: %s",
                          curl_easy_strerror(started));
    (void)curl_multi_setopt(multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    (void)curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)IDLE_CONNECTIONS_MAX);
    struct lg_http *http = lg_calloc(1, sizeof *http);
    http->multi = multi;
    http->config = config;
    *ret = http;
    return LG_E_OK;
}

/* --- one call --- */

static void call_free(struct lg_http_call *call)
{
    struct lg_http *http = call->http;
    if (call->previous != NULL)
        call->previous->next = call->next;
    else
        http->calls = call->next;
    if (call->next != NULL)
        call->next->previous = call->previous;
    http->n_calls--;
    (void)curl_multi_remove_handle(http->multi, call->easy);
    curl_easy_cleanup(call->easy);
    for (struct curl_slist *at = call->headers; at != NULL; at = at->next)
        explicit_bzero(at->data, strlen(at->data)); /* one of them may be the token */
    curl_slist_free_all(call->headers);
    curl_slist_free_all(call->connect_to);
    lg_buf_done(&call->body);
    free(call);
}

static int status_of(const struct lg_http_call *call)
{
    long status = 0;
    (void)curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    return (int)status;
}

static int64_t due_after(int64_t ms)
{
    return ms != 0 ? lg_clock_mono_ms() + ms : INT64_MAX;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): libcurl's type */
static size_t on_body(char *bytes, size_t size, size_t n, void *arg)
{
    struct lg_http_call *call = arg;
    struct lg_str chunk = {bytes, size * n};
    int status = status_of(call);
    bool good = status >= 200 && status < 300;
    call->due_ms = due_after(call->idle_ms);
    if (good && call->chunk != NULL)
        return call->chunk(call->arg, chunk, &call->err) == LG_E_OK ? chunk.n : 0;
    size_t max = good ? call->body_bytes_max : LG_HTTP_ERROR_BYTES_MAX;
    if (chunk.n <= max - call->body.n) {
        lg_buf_add(&call->body, chunk.p, chunk.n);
        return chunk.n;
    }
    if (!good) /* what an error says is cut; the connection stays usable */
        return chunk.n;
    (void)lg_err_set(&call->err, LG_E_LIMIT, call->http->config->server,
                     "the answer is larger than %zu bytes", max);
    return 0;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): libcurl's type */
static size_t on_header(char *bytes, size_t size, size_t n, void *arg)
{
    struct lg_http_call *call = arg;
    struct lg_str line = {bytes, size * n};
    int status = status_of(call);
    call->header_bytes += line.n;
    call->due_ms = due_after(call->idle_ms);
    if (call->head != NULL && status >= 200 && status < 300 && lg_str_is(line, "\r\n"))
        call->head(call->arg);
    if (call->header_bytes <= HEADERS_BYTES_MAX)
        return line.n;
    (void)lg_err_set(&call->err, LG_E_LIMIT, call->http->config->server,
                     "the answer's headers are larger than %d bytes", HEADERS_BYTES_MAX);
    return 0;
}

/* A peer that vanished without a word is noticed while we have sent something, too. */
static int on_socket(void *arg, curl_socket_t fd, curlsocktype purpose)
{
    (void)arg;
    (void)purpose;
    unsigned timeout_ms = USER_TIMEOUT_MS;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof timeout_ms);
    return CURL_SOCKOPT_OK;
}

/* An option that libcurl refuses would weaken what the header promises: a bug. */
static void checked(CURLcode code)
{
    assert(code == CURLE_OK);
    (void)code;
}

#define SET(easy, option, value) checked((curl_easy_setopt)((easy), (option), (value)))

static void set_blob(CURL *easy, CURLoption option, struct lg_str text)
{
    struct curl_blob blob = {(void *)text.p, text.n, CURL_BLOB_COPY};
    if (text.p != NULL)
        SET(easy, option, &blob);
}

static void add_line(struct curl_slist **list, const char *format, struct lg_str value)
{
    struct lg_buf line = {0};
    lg_buf_puts(&line, format);
    lg_buf_str(&line, value);
    struct curl_slist *longer = curl_slist_append(*list, line.p);
    if (longer == NULL)
        lg_oom(line.n);
    *list = longer;
    explicit_bzero(line.p, line.n);
    lg_buf_done(&line);
}

static void set_tls(CURL *easy, const struct lg_kubeconfig *config)
{
    SET(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(easy, CURLOPT_SSL_ENABLE_ALPN, 0L);
    SET(easy, CURLOPT_SSL_VERIFYPEER, config->insecure ? 0L : 1L);
    SET(easy, CURLOPT_SSL_VERIFYHOST, config->insecure ? 0L : 2L);
    if (config->ca.text.p != NULL) {
        SET(easy, CURLOPT_CAPATH, NULL); /* this authority alone, not the system's beside it */
        set_blob(easy, CURLOPT_CAINFO_BLOB, config->ca.text);
    }
    if (config->cert.text.p != NULL) {
        SET(easy, CURLOPT_SSLCERTTYPE, "PEM");
        SET(easy, CURLOPT_SSLKEYTYPE, "PEM");
        set_blob(easy, CURLOPT_SSLCERT_BLOB, config->cert.text);
        set_blob(easy, CURLOPT_SSLKEY_BLOB, config->key.text);
    }
}

/* The URL; where the certificate bears another name, libcurl is told that name and where to connect
 * instead. */
static void set_target(struct lg_http_call *call, const struct lg_kubeconfig *config,
                       struct lg_str path)
{
    struct lg_buf url = {0};
    if (config->tls_server_name == NULL) {
        lg_buf_puts(&url, config->server);
    } else {
        struct lg_str address = lg_str_of(strstr(config->server, "://") + 3);
        bool v6 = strchr(config->tls_server_name, ':') != NULL;
        lg_buf_printf(&url, "https://%s%s%s:%u", v6 ? "[" : "", config->tls_server_name,
                      v6 ? "]" : "", config->port);
        add_line(&call->connect_to, "::", address);
        add_line(&call->headers, "Host: ", address);
        SET(call->easy, CURLOPT_CONNECT_TO, call->connect_to);
    }
    lg_buf_puts(&url, config->prefix);
    lg_buf_str(&url, path);
    SET(call->easy, CURLOPT_URL, url.p);
    lg_buf_done(&url);
}

static void set_connection(CURL *easy)
{
    SET(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    SET(easy, CURLOPT_PROXY, "");
    SET(easy, CURLOPT_FOLLOWLOCATION, 0L);
    SET(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(easy, CURLOPT_NOSIGNAL, 1L);
    SET(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    SET(easy, CURLOPT_TCP_KEEPIDLE, (long)KEEPALIVE_IDLE_S);
    SET(easy, CURLOPT_TCP_KEEPINTVL, (long)KEEPALIVE_INTERVAL_S);
    SET(easy, CURLOPT_SOCKOPTFUNCTION, on_socket);
    SET(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)LG_HTTP_CONNECT_MS);
}

static void set_exchange(struct lg_http_call *call, const struct lg_http_request *request)
{
    static const char *const methods[] = {"GET", "POST", "PUT", "PATCH"};
    CURL *easy = call->easy;
    SET(easy, CURLOPT_PRIVATE, call);
    SET(easy, CURLOPT_ERRORBUFFER, call->error);
    SET(easy, CURLOPT_WRITEFUNCTION, on_body);
    SET(easy, CURLOPT_WRITEDATA, call);
    SET(easy, CURLOPT_HEADERFUNCTION, on_header);
    SET(easy, CURLOPT_HEADERDATA, call);
    SET(easy, CURLOPT_BUFFERSIZE, (long)(request->bulk ? BULK_BUFFER_BYTES : BUFFER_BYTES));
    SET(easy, CURLOPT_TIMEOUT_MS, (long)request->deadline_ms);
    SET(easy, CURLOPT_USERAGENT, "livegate/" LG_VERSION);
    if (request->method != LG_HTTP_GET) {
        SET(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.n);
        SET(easy, CURLOPT_COPYPOSTFIELDS, request->body.p != NULL ? request->body.p : "");
        SET(easy, CURLOPT_CUSTOMREQUEST, methods[request->method]);
        add_line(&call->headers, "Expect:", LG_STR(""));
        add_line(
            &call->headers, "Content-Type: ",
            lg_str_of(request->content_type != NULL ? request->content_type : "application/json"));
    }
}

struct lg_http_call *lg_http_start(struct lg_http *http, const struct lg_http_request *request)
{
    assert(!http->performing && request->done != NULL);
    assert(lg_path_is_plain(request->path));
    struct lg_kubeconfig *config = http->config;
    bool changed;
    http->stale = (struct lg_err){0};
    /* A file that cannot be read now leaves the old credential in place. */
    enum lg_err_code refreshed =
        lg_kubeconfig_refresh(config, http->suspect, &changed, &http->stale);
    (void)refreshed;
    http->suspect = false;

    struct lg_http_call *call = lg_calloc(1, sizeof *call);
    call->http = http;
    call->easy = curl_easy_init();
    if (call->easy == NULL)
        lg_oom(sizeof *call);
    call->head = request->head;
    call->chunk = request->chunk;
    call->done = request->done;
    call->arg = request->arg;
    call->body_bytes_max = request->body_bytes_max;
    call->idle_ms = request->idle_ms;
    call->due_ms = due_after(request->head_ms != 0 ? request->head_ms : request->idle_ms);
    set_connection(call->easy);
    set_target(call, config, request->path);
    set_exchange(call, request);
    if (config->tls)
        set_tls(call->easy, config);
    add_line(&call->headers, "Accept: ", LG_STR("application/json"));
    struct lg_str token = lg_secret_trimmed(&config->token);
    if (token.n != 0 && config->tls)
        add_line(&call->headers, "Authorization: Bearer ", token);
    SET(call->easy, CURLOPT_HTTPHEADER, call->headers);

    call->next = http->calls;
    if (http->calls != NULL)
        http->calls->previous = call;
    http->calls = call;
    http->n_calls++;
    CURLMcode code = curl_multi_add_handle(http->multi, call->easy);
    assert(code == CURLM_OK);
    (void)code;
    return call;
}

void lg_http_cancel(struct lg_http *http, struct lg_http_call *call)
{
    assert(!http->performing);
    if (call != NULL)
        call_free(call);
}

/* --- how it ended --- */

static enum lg_err_code code_of(CURLcode result)
{
    switch (result) {
    case CURLE_OPERATION_TIMEDOUT:
        return LG_E_TIMEOUT;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
        return LG_E_TLS;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_PARTIAL_FILE:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_HTTP2:
        return LG_E_UNAVAILABLE;
    default:
        return LG_E_INTERNAL;
    }
}

/* How to fix what it failed on; "" where there is nothing to add. */
static const char *advice(const struct lg_kubeconfig *config, CURLcode result)
{
    if (result == CURLE_PEER_FAILED_VERIFICATION && config->ca.text.p == NULL)
        return "; its authority is none of this system's: name it in the kubeconfig "
               "(certificate-authority)";
    if (result == CURLE_PEER_FAILED_VERIFICATION)
        return "; the server, the certificate-authority and the tls-server-name of the kubeconfig "
               "must belong together";
    if (result == CURLE_SSL_CACERT_BADFILE)
        return "; the kubeconfig's certificate-authority is no certificate";
    if (result == CURLE_SSL_CERTPROBLEM)
        return "; the kubeconfig's client-certificate and client-key must be PEM, and a pair";
    if (result == CURLE_COULDNT_CONNECT)
        return "; the API server must be up, and this must be its address";
    if (result == CURLE_COULDNT_RESOLVE_HOST)
        return "; the kubeconfig's server must be a name that is known here";
    if (code_of(result) == LG_E_TIMEOUT)
        return "; it hangs, or something on the way (a network policy, a firewall) drops what we "
               "send";
    return "";
}

static void explain(struct lg_http_call *call, CURLcode result, struct lg_err *ret)
{
    const struct lg_kubeconfig *config = call->http->config;
    if (call->err.code != LG_E_OK) {
        *ret = call->err;
        return;
    }
    const char *what = call->error[0] != '\0' ? call->error : curl_easy_strerror(result);
    enum lg_err_code code = code_of(result);
    long os_errno = 0;
    (void)curl_easy_getinfo(call->easy, CURLINFO_OS_ERRNO, &os_errno);
    if (result == CURLE_COULDNT_CONNECT && os_errno != 0)
        what = strerrordesc_np((int)os_errno);
    if (code == LG_E_TIMEOUT)
        what = "no answer in time";
    /* A sentence of libcurl's may hold times and counts: the same trouble must read the same. */
    if (result == CURLE_COULDNT_RESOLVE_HOST)
        what = "the name cannot be resolved";
    if (result == CURLE_SSL_CERTPROBLEM)
        what = "the client certificate cannot be used";
    (void)lg_err_set(ret, code, config->server, "%s%s", what != NULL ? what : "it failed",
                     advice(config, result));
    ret->os_errno = (int)os_errno;
}

static void finish(struct lg_http_call *call, CURLcode result)
{
    struct lg_http_answer answer = {.status = status_of(call), .body = lg_buf_view(&call->body)};
    curl_off_t retry_after_s = 0;
    if (result != CURLE_OK)
        explain(call, result, &answer.err);
    if (curl_easy_getinfo(call->easy, CURLINFO_RETRY_AFTER, &retry_after_s) == CURLE_OK)
        answer.retry_after_s = (int64_t)retry_after_s;
    if (answer.status == 401 || answer.err.code == LG_E_TLS)
        call->http->suspect = true;
    call->done(call->arg, &answer);
    call_free(call);
}

static void reap(struct lg_http *http)
{
    int left;
    const CURLMsg *message;
    while ((message = curl_multi_info_read(http->multi, &left)) != NULL) {
        struct lg_http_call *call = NULL;
        CURLcode result = message->data.result;
        if (message->msg != CURLMSG_DONE)
            continue;
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&call);
        finish(call, result);
    }
}

/* The call whose next byte should be here first. */
static struct lg_http_call *most_overdue(const struct lg_http *http)
{
    struct lg_http_call *found = NULL;
    for (struct lg_http_call *at = http->calls; at != NULL; at = at->next)
        if (at->due_ms != INT64_MAX && (found == NULL || at->due_ms < found->due_ms))
            found = at;
    return found;
}

/* libcurl has a limit for the whole exchange, none for an answer that does not begin; and its own
 * for what is slow wakes us once a second for each watch. */
static void end_overdue(struct lg_http *http)
{
    struct lg_http_call *call = most_overdue(http);
    int64_t now_ms = lg_clock_mono_ms();
    for (; call != NULL && now_ms >= call->due_ms; call = most_overdue(http))
        finish(call, CURLE_OPERATION_TIMEDOUT);
}

void lg_http_turn(struct lg_http *http, int64_t timeout_ms)
{
    int running, ready;
    const struct lg_http_call *first = most_overdue(http);
    int64_t now_ms = lg_clock_mono_ms();
    if (first != NULL && first->due_ms - now_ms < timeout_ms)
        timeout_ms = first->due_ms - now_ms;
    if (timeout_ms > 0)
        (void)curl_multi_poll(http->multi, NULL, 0, (int)timeout_ms, &ready);
    http->performing = true;
    CURLMcode code = curl_multi_perform(http->multi, &running);
    http->performing = false;
    assert(code == CURLM_OK);
    (void)code;
    reap(http);
    end_overdue(http);
}

void lg_http_wake(struct lg_http *http)
{
    (void)curl_multi_wakeup(http->multi);
}

const struct lg_err *lg_http_stale(const struct lg_http *http)
{
    return &http->stale;
}

size_t lg_http_calls(const struct lg_http *http)
{
    return http->n_calls;
}

void lg_http_free(struct lg_http *take_http)
{
    if (take_http == NULL)
        return;
    while (take_http->calls != NULL)
        call_free(take_http->calls);
    (void)curl_multi_cleanup(take_http->multi);
    free(take_http);
}
