#include "webhook/cluster/kubeconfig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rules/core/mem.h"
#include "rules/core/num.h"

#define SERVICE_ACCOUNT_DIR "/var/run/secrets/kubernetes.io/serviceaccount"

enum { PATH_BYTES = 4096 };

const char *lg_kubeconfig_own_namespace(const struct lg_kubeconfig *config)
{
    return strcmp(config->ns, "default") == 0 ? "livegate" : config->ns;
}

void lg_kubeconfig_done(struct lg_kubeconfig *config)
{
    if (config == NULL)
        return;
    free(config->source);
    free(config->server);
    free(config->host);
    free(config->prefix);
    free(config->tls_server_name);
    free(config->ns);
    lg_secret_done(&config->ca);
    lg_secret_done(&config->cert);
    lg_secret_done(&config->key);
    lg_secret_done(&config->token);
    *config = (struct lg_kubeconfig){0};
}

/* --- the server's URL --- */

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool all_of(struct lg_str s, const char *others)
{
    for (size_t i = 0; i < s.n; i++)
        if (!is_alnum(s.p[i]) && (s.p[i] == '\0' || strchr(others, s.p[i]) == NULL))
            return false;
    return true;
}

static struct lg_str after(struct lg_str s, size_t n)
{
    return (struct lg_str){s.p + n, s.n - n};
}

/* Bytes before the first of these characters. */
static size_t until(struct lg_str s, const char *stops)
{
    size_t n = 0;
    while (n < s.n && strchr(stops, s.p[n]) == NULL)
        n++;
    return n;
}

static bool is_loopback(struct lg_str host)
{
    return lg_str_is(host, "localhost") || lg_str_is(host, "::1") || lg_str_starts(host, "127.");
}

/* "host", "host:port", "[v6]:port". */
static bool read_authority(struct lg_str authority, struct lg_str *ret_host,
                           struct lg_str *ret_port)
{
    bool v6 = lg_str_starts(authority, "[");
    struct lg_str rest = v6 ? after(authority, 1) : authority;
    struct lg_str host = {rest.p, until(rest, v6 ? "]" : ":")};
    rest = after(rest, host.n);
    if (v6 && !lg_str_starts(rest, "]"))
        return false;
    if (v6)
        rest = after(rest, 1);
    if (host.n == 0 || !all_of(host, v6 ? ":." : "-._") || host.p[0] == '-')
        return false;
    *ret_host = host;
    *ret_port = (struct lg_str){0};
    if (rest.n == 0)
        return true;
    *ret_port = after(rest, 1);
    return rest.p[0] == ':';
}

static bool read_port(struct lg_str text, unsigned otherwise, unsigned *ret)
{
    int64_t port = otherwise;
    if (text.p != NULL && lg_num_int64(text, &port) != LG_E_OK)
        return false;
    *ret = (unsigned)port;
    return port > 0 && port < 65536;
}

enum lg_err_code lg_kubeconfig_set_server(struct lg_kubeconfig *config, struct lg_str url,
                                          const char *where, struct lg_err *err)
{
    bool tls = lg_str_starts(url, "https://");
    if (!tls && !lg_str_starts(url, "http://"))
        return lg_err_set(err, LG_E_INVALID, where,
                          "server \"%.*s\" is no URL; write it as https://HOST:PORT", LG_ARG(url));
    struct lg_str rest = after(url, tls ? 8 : 7);
    struct lg_str authority = {rest.p, until(rest, "/?#")};
    struct lg_str prefix = after(rest, authority.n);
    struct lg_str host = {0}, port_text = {0};
    unsigned port = 0;
    while (lg_str_ends(prefix, "/"))
        prefix.n--;
    if (!read_authority(authority, &host, &port_text) ||
        !read_port(port_text, tls ? 443 : 80, &port) || !all_of(prefix, "/-._~") ||
        memmem(prefix.p, prefix.n, "/.", 2) != NULL || memmem(prefix.p, prefix.n, "//", 2) != NULL)
        return lg_err_set(err, LG_E_INVALID, where,
                          "server \"%.*s\" is not a URL that livegate reads; write it as "
                          "https://HOST:PORT, without user, query or fragment",
                          LG_ARG(url));
    if (!tls && !is_loopback(host))
        return lg_err_set(err, LG_E_UNSUPPORTED, where,
                          "server \"%.*s\" is without TLS, which livegate speaks only to this "
                          "machine itself (kubectl proxy); use https://",
                          LG_ARG(url));
    const char *open = memchr(host.p, ':', host.n) != NULL ? "[" : "";
    struct lg_buf server = {0};
    lg_buf_printf(&server, "%s://%s%.*s%s:%u", tls ? "https" : "http", open, LG_ARG(host),
                  *open != '\0' ? "]" : "", port);
    config->server = server.p;
    config->host = lg_memdup(host.p, host.n);
    config->port = port;
    config->tls = tls;
    config->prefix = lg_memdup(prefix.n != 0 ? prefix.p : "", prefix.n);
    return LG_E_OK;
}

/* --- credentials --- */

static enum lg_err_code check_pem(struct lg_str text, const char *what, const char *where,
                                  struct lg_err *err)
{
    if (text.p == NULL || strstr(text.p, "-----BEGIN ") != NULL)
        return LG_E_OK;
    return lg_err_set(err, LG_E_INVALID, where, "%s is not PEM: it has no line -----BEGIN ...-----",
                      what);
}

static enum lg_err_code check_ca(struct lg_str text, const char *where, struct lg_err *err)
{
    return check_pem(text, "the certificate authority", where, err);
}

static enum lg_err_code check_cert(struct lg_str text, const char *where, struct lg_err *err)
{
    return check_pem(text, "the client certificate", where, err);
}

static enum lg_err_code check_key(struct lg_str text, const char *where, struct lg_err *err)
{
    return check_pem(text, "the client certificate's key", where, err);
}

/* It becomes a line of a request's head. */
static enum lg_err_code check_token(struct lg_str text, const char *where, struct lg_err *err)
{
    struct lg_str token = lg_secret_trim(text);
    if (text.p != NULL && token.n == 0)
        return lg_err_set(err, LG_E_INVALID, where, "the token is empty");
    for (size_t i = 0; i < token.n; i++)
        if (token.p[i] <= ' ' || token.p[i] > '~')
            return lg_err_set(err, LG_E_INVALID, where,
                              "the token has a character that no token has (byte %zu of %zu)",
                              i + 1, token.n);
    return LG_E_OK;
}

static enum lg_err_code check_now(const struct lg_secret *secret, lg_secret_check_fn *check,
                                  const char *where, struct lg_err *err)
{
    return check(secret->text, secret->path != NULL ? secret->path : where, err);
}

enum lg_err_code lg_kubeconfig_check(const struct lg_kubeconfig *config, const char *where,
                                     struct lg_err *err)
{
    enum lg_err_code code = check_now(&config->ca, check_ca, where, err);
    if (code == LG_E_OK)
        code = check_now(&config->cert, check_cert, where, err);
    if (code == LG_E_OK)
        code = check_now(&config->key, check_key, where, err);
    if (code != LG_E_OK)
        return code;
    if ((config->cert.text.p == NULL) != (config->key.text.p == NULL))
        return lg_err_set(err, LG_E_INVALID, where, "%s is there and its %s is not; give both",
                          config->cert.text.p != NULL ? "a client certificate" : "a client key",
                          config->cert.text.p != NULL ? "key" : "certificate");
    if (config->insecure && config->ca.text.p != NULL)
        return lg_err_set(err, LG_E_INVALID, where,
                          "certificate-authority and insecure-skip-tls-verify contradict each "
                          "other; remove insecure-skip-tls-verify");
    return check_now(&config->token, check_token, where, err);
}

enum lg_err_code lg_kubeconfig_refresh(struct lg_kubeconfig *config, bool force, bool *ret_changed,
                                       struct lg_err *err)
{
    const struct {
        struct lg_secret *secret;
        lg_secret_check_fn *check;
    } all[] = {{&config->ca, check_ca},
               {&config->cert, check_cert},
               {&config->key, check_key},
               {&config->token, check_token}};
    enum lg_err_code first = LG_E_OK;
    *ret_changed = false;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        bool changed = false;
        enum lg_err_code code =
            lg_secret_refresh(all[i].secret, force, all[i].check, &changed, err);
        *ret_changed = *ret_changed || changed;
        if (first == LG_E_OK)
            first = code;
    }
    return first;
}

/* --- the pod's service account --- */

static bool in_pod(void)
{
    const char *host = getenv("KUBERNETES_SERVICE_HOST");
    const char *port = getenv("KUBERNETES_SERVICE_PORT");
    return host != NULL && *host != '\0' && port != NULL && *port != '\0';
}

static enum lg_err_code open_in_pod(const char *dir, struct lg_kubeconfig *ret, struct lg_err *err)
{
    const char *host = getenv("KUBERNETES_SERVICE_HOST");
    const char *port = getenv("KUBERNETES_SERVICE_PORT");
    char path[PATH_BYTES], url[PATH_BYTES];
    bool v6 = strchr(host, ':') != NULL;
    (void)snprintf(url, sizeof url, "https://%s%s%s:%s", v6 ? "[" : "", host, v6 ? "]" : "", port);
    enum lg_err_code code = lg_kubeconfig_set_server(ret, lg_str_of(url),
                                                     "KUBERNETES_SERVICE_HOST, "
                                                     "KUBERNETES_SERVICE_PORT",
                                                     err);
    ret->source = lg_memdup("the pod's service account", 25);
    (void)snprintf(path, sizeof path, "%s/token", dir);
    if (code == LG_E_OK)
        code = lg_secret_open(&ret->token, path, err);
    (void)snprintf(path, sizeof path, "%s/ca.crt", dir);
    if (code == LG_E_OK)
        code = lg_secret_open(&ret->ca, path, err);
    if (code == LG_E_OK)
        code = lg_kubeconfig_check(ret, dir, err);
    if (code != LG_E_OK) {
        lg_err_wrap(err, "the pod's service account (automountServiceAccountToken gives it)");
        return code;
    }
    struct lg_secret ns = {0};
    (void)snprintf(path, sizeof path, "%s/namespace", dir);
    struct lg_str name = LG_STR("default");
    if (lg_secret_open(&ns, path, NULL) == LG_E_OK && lg_secret_trimmed(&ns).n != 0)
        name = lg_secret_trimmed(&ns);
    ret->ns = lg_memdup(name.p, name.n);
    lg_secret_done(&ns);
    return LG_E_OK;
}

/* --- which one --- */

/* The first file of a list "a:b" that exists; as it stands when there is but one. */
static char *first_of_list(const char *list)
{
    char *first = NULL;
    for (const char *at = list; *at != '\0';) {
        size_t n = strcspn(at, ":");
        char *path = n != 0 ? lg_memdup(at, n) : NULL;
        if (path != NULL && access(path, F_OK) == 0) {
            free(first);
            return path;
        }
        if (first == NULL)
            first = path;
        else
            free(path);
        at += n + (at[n] == ':');
    }
    return first;
}

/* Given; NULL: there is none. */
static char *default_path(void)
{
    const char *list = getenv("KUBECONFIG");
    if (list != NULL && *list != '\0')
        return first_of_list(list);
    const char *home = getenv("HOME");
    char path[PATH_BYTES];
    if (home == NULL || *home == '\0')
        return NULL;
    (void)snprintf(path, sizeof path, "%s/.kube/config", home);
    return access(path, F_OK) == 0 ? lg_memdup(path, strlen(path)) : NULL;
}

enum lg_err_code lg_kubeconfig_open(const struct lg_kubeconfig_options *options,
                                    struct lg_kubeconfig *ret, struct lg_err *err)
{
    struct lg_kubeconfig config lg_cleanup(lg_kubeconfig_done) = {0};
    char *path lg_cleanup(lg_free_cleanup) =
        options->path != NULL ? lg_memdup(options->path, strlen(options->path)) : default_path();
    const char *dir =
        options->service_account_dir != NULL ? options->service_account_dir : SERVICE_ACCOUNT_DIR;
    enum lg_err_code code;
    if (path != NULL)
        code = lg_kubeconfig_read_file(path, options->context, &config, err);
    else if (in_pod())
        code = open_in_pod(dir, &config, err);
    else
        code = lg_err_set(err, LG_E_NOTFOUND, "~/.kube/config",
                          "no kubeconfig is there, and this is no pod of a cluster; name one with "
                          "--kubeconfig or KUBECONFIG");
    if (code != LG_E_OK)
        return code;
    *ret = config;
    config = (struct lg_kubeconfig){0};
    return LG_E_OK;
}
