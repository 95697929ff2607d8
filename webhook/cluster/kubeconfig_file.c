/* A kubeconfig file: clusters, users, contexts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/core/base64.h"
#include "rules/core/file.h"
#include "rules/core/mem.h"
#include "rules/core/yaml.h"
#include "webhook/cluster/kubeconfig.h"

enum { PATH_BYTES = 4096 };

struct file {
    const char *path;
    char where[PATH_BYTES + 32];
    struct lg_val root;
    struct lg_arena *arena;
    struct lg_err *err;
};

/* "path:line:column" of v; the path alone where that is not known. */
static const char *place(struct file *file, struct lg_val v)
{
    struct lg_mark mark = lg_json_mark(v);
    if (mark.line != 0)
        (void)snprintf(file->where, sizeof file->where, "%s:%u:%u", file->path, mark.line,
                       mark.column);
    else
        (void)snprintf(file->where, sizeof file->where, "%s", file->path);
    return file->where;
}

/* The string parent.key; "" is like absent, as for kubectl. */
static enum lg_err_code get_str(struct file *file, struct lg_val parent, const char *key,
                                struct lg_str *ret)
{
    struct lg_val v = lg_json_get(parent, key);
    *ret = (struct lg_str){0};
    if (!lg_json_there(v))
        return LG_E_OK;
    struct lg_str s = lg_json_str(v);
    if (lg_json_kind(v) != LG_JSON_STRING || (s.n != 0 && memchr(s.p, '\0', s.n) != NULL))
        return lg_err_set(file->err, LG_E_INVALID, place(file, v), "%s: expected a string, got %s",
                          key, lg_json_kind_name(v));
    if (s.n != 0)
        *ret = lg_arena_str(file->arena, s);
    return LG_E_OK;
}

static enum lg_err_code get_flag(struct file *file, struct lg_val parent, const char *key,
                                 bool *ret)
{
    struct lg_val v = lg_json_get(parent, key);
    if (lg_json_there(v) && lg_json_kind(v) != LG_JSON_TRUE && lg_json_kind(v) != LG_JSON_FALSE)
        return lg_err_set(file->err, LG_E_INVALID, place(file, v),
                          "%s: expected true or false, got %s", key, lg_json_kind_name(v));
    *ret = lg_json_bool(v, false);
    return LG_E_OK;
}

/* root.list[name == name].member, an object. */
static enum lg_err_code get_named(struct file *file, const char *list, const char *member,
                                  struct lg_str name, struct lg_val *ret)
{
    struct lg_val items = lg_json_get(file->root, list);
    *ret = LG_NONE;
    for (struct lg_json_iter it = lg_json_iter(items); lg_json_next(&it);) {
        struct lg_val v = lg_json_get(it.val, member);
        if (!lg_json_is_str(lg_json_get(it.val, "name"), name))
            continue;
        if (lg_json_there(*ret))
            return lg_err_set(file->err, LG_E_INVALID, place(file, it.val),
                              "%s \"%.*s\" is there twice; rename one", member, LG_ARG(name));
        if (lg_json_kind(v) != LG_JSON_OBJECT)
            return lg_err_set(file->err, LG_E_INVALID, place(file, it.val),
                              "%s \"%.*s\": expected an object, got %s", member, LG_ARG(name),
                              lg_json_kind_name(v));
        *ret = v;
    }
    if (lg_json_there(*ret))
        return LG_E_OK;
    return lg_err_set(file->err, LG_E_NOTFOUND,
                      place(file, lg_json_there(items) ? items : file->root),
                      "there is no %s named \"%.*s\" under %s", member, LG_ARG(name), list);
}

/* --- values that stand in the file, or in a file that it names --- */

/* Given; NULL: it is not base64, or nothing. */
static char *from_base64(struct lg_str text, size_t *ret_n)
{
    size_t room = lg_base64_room(text.n) + 1;
    char *out = lg_calloc(room, 1);
    if (lg_base64_decode(text, out, ret_n) && *ret_n != 0) {
        out[*ret_n] = '\0';
        return out;
    }
    explicit_bzero(out, room);
    free(out);
    return NULL;
}

/* Relative names count from the kubeconfig's folder. */
static struct lg_str beside(struct file *file, struct lg_str name)
{
    const char *slash = strrchr(file->path, '/');
    if (lg_str_starts(name, "/") || slash == NULL)
        return name;
    return lg_arena_printf(file->arena, "%.*s/%.*s", (int)(slash - file->path), file->path,
                           LG_ARG(name));
}

static enum lg_err_code open_file(struct file *file, struct lg_val parent, const char *key,
                                  struct lg_str name, struct lg_secret *ret)
{
    enum lg_err_code code = lg_secret_open(ret, beside(file, name).p, file->err);
    if (code != LG_E_OK)
        lg_err_wrap(file->err, "%s (%s)", key, place(file, lg_json_get(parent, key)));
    return code;
}

/* `key`-data in base64, else the file that `key` names. */
static enum lg_err_code get_secret(struct file *file, struct lg_val parent, const char *key,
                                   struct lg_secret *ret)
{
    char data_key[64];
    struct lg_str data, name;
    (void)snprintf(data_key, sizeof data_key, "%s-data", key);
    enum lg_err_code code = get_str(file, parent, data_key, &data);
    if (code == LG_E_OK)
        code = get_str(file, parent, key, &name);
    if (code != LG_E_OK || (data.n == 0 && name.n == 0))
        return code;
    if (data.n == 0)
        return open_file(file, parent, key, name, ret);
    size_t n = 0;
    char *text = from_base64(data, &n);
    if (text == NULL)
        return lg_err_set(file->err, LG_E_INVALID, place(file, lg_json_get(parent, data_key)),
                          "%s is not base64; it is cut, or meant for %s", data_key, key);
    lg_secret_set(ret, text, n);
    return LG_E_OK;
}

/* --- what is refused by name --- */

#define TOKEN_HINT                                                                                 \
    "use a service account: kubectl create token NAME prints a token for users[].user.token"

static const struct refusal {
    const char *key, *why;
} user_refusals[] =
    {
        {"exec", "it would run a program to log in, which livegate does not do; " TOKEN_HINT},
        {"auth-provider", "login by a provider's plugin is not supported; " TOKEN_HINT},
        {"username",
         "passwords are not supported (no API server since 1.19 takes them); " TOKEN_HINT},
        {"as", "livegate acts for nobody else; " TOKEN_HINT},
        {"as-uid", "livegate acts for nobody else; " TOKEN_HINT},
        {"as-groups", "livegate acts for nobody else; " TOKEN_HINT},
        {"as-user-extra", "livegate acts for nobody else; " TOKEN_HINT},
        {NULL, NULL},
},
  cluster_refusals[] = {
      {"proxy-url", "livegate speaks to the API server itself, never through a proxy; give an "
                    "address that is reachable from here"},
      {NULL, NULL},
};

static enum lg_err_code refuse(struct file *file, struct lg_val parent,
                               const struct refusal *refusals, const char *what, struct lg_str name)
{
    for (; refusals->key != NULL; refusals++) {
        struct lg_val v = lg_json_get(parent, refusals->key);
        if (lg_json_there(v) && !lg_json_is(v, ""))
            return lg_err_set(file->err, LG_E_UNSUPPORTED, place(file, v), "%s \"%.*s\" has %s: %s",
                              what, LG_ARG(name), refusals->key, refusals->why);
    }
    return LG_E_OK;
}

/* --- the three parts --- */

static enum lg_err_code read_cluster(struct file *file, struct lg_str name,
                                     struct lg_kubeconfig *ret)
{
    struct lg_val cluster;
    struct lg_str server, tls_name;
    enum lg_err_code code = get_named(file, "clusters", "cluster", name, &cluster);
    if (code == LG_E_OK)
        code = refuse(file, cluster, cluster_refusals, "cluster", name);
    if (code == LG_E_OK)
        code = get_str(file, cluster, "server", &server);
    if (code == LG_E_OK)
        code = get_str(file, cluster, "tls-server-name", &tls_name);
    if (code == LG_E_OK)
        code = get_flag(file, cluster, "insecure-skip-tls-verify", &ret->insecure);
    if (code != LG_E_OK)
        return code;
    if (server.n == 0)
        return lg_err_set(file->err, LG_E_INVALID, place(file, cluster),
                          "cluster \"%.*s\" has no server", LG_ARG(name));
    code = lg_kubeconfig_set_server(ret, server, place(file, lg_json_get(cluster, "server")),
                                    file->err);
    if (code != LG_E_OK)
        return code;
    if (tls_name.n != 0) {
        struct lg_kubeconfig as_host lg_cleanup(lg_kubeconfig_done) = {0};
        struct lg_str url = lg_arena_printf(file->arena, "https://%.*s", LG_ARG(tls_name));
        if (lg_kubeconfig_set_server(&as_host, url, NULL, NULL) != LG_E_OK ||
            strcmp(as_host.host, tls_name.p) != 0)
            return lg_err_set(file->err, LG_E_INVALID,
                              place(file, lg_json_get(cluster, "tls-server-name")),
                              "tls-server-name \"%.*s\" is no host name", LG_ARG(tls_name));
        ret->tls_server_name = lg_memdup(tls_name.p, tls_name.n);
    }
    return get_secret(file, cluster, "certificate-authority", &ret->ca);
}

static enum lg_err_code read_user(struct file *file, struct lg_str name, struct lg_kubeconfig *ret)
{
    struct lg_val user;
    struct lg_str token, token_file;
    enum lg_err_code code = get_named(file, "users", "user", name, &user);
    if (code == LG_E_OK)
        code = refuse(file, user, user_refusals, "user", name);
    if (code == LG_E_OK)
        code = get_secret(file, user, "client-certificate", &ret->cert);
    if (code == LG_E_OK)
        code = get_secret(file, user, "client-key", &ret->key);
    if (code == LG_E_OK)
        code = get_str(file, user, "token", &token);
    if (code == LG_E_OK)
        code = get_str(file, user, "tokenFile", &token_file);
    if (code != LG_E_OK)
        return code;
    if (token_file.n != 0) /* stronger than a token beside it */
        return open_file(file, user, "tokenFile", token_file, &ret->token);
    if (token.n != 0)
        lg_secret_set(&ret->token, lg_memdup(token.p, token.n), token.n);
    return LG_E_OK;
}

static enum lg_err_code read_context(struct file *file, const char *wanted,
                                     struct lg_kubeconfig *ret)
{
    struct lg_str name = lg_str_of(wanted), cluster = {0}, user = {0}, ns = {0};
    struct lg_val context;
    enum lg_err_code code = LG_E_OK;
    if (wanted == NULL)
        code = get_str(file, file->root, "current-context", &name);
    if (code == LG_E_OK && name.n == 0)
        return lg_err_set(
            file->err, LG_E_NOTFOUND, place(file, file->root),
            "there is no current-context; choose one: kubectl config use-context NAME");
    if (code == LG_E_OK)
        code = get_named(file, "contexts", "context", name, &context);
    if (code == LG_E_OK)
        code = get_str(file, context, "cluster", &cluster);
    if (code == LG_E_OK)
        code = get_str(file, context, "user", &user);
    if (code == LG_E_OK)
        code = get_str(file, context, "namespace", &ns);
    if (code != LG_E_OK)
        return code;
    if (cluster.n == 0)
        return lg_err_set(file->err, LG_E_INVALID, place(file, context),
                          "context \"%.*s\" names no cluster", LG_ARG(name));
    if (ns.n == 0)
        ns = LG_STR("default");
    ret->ns = lg_memdup(ns.p, ns.n);
    code = read_cluster(file, cluster, ret);
    if (code == LG_E_OK && user.n != 0)
        code = read_user(file, user, ret);
    return code != LG_E_OK ? code : lg_kubeconfig_check(ret, place(file, context), file->err);
}

enum lg_err_code lg_kubeconfig_read_file(const char *path, const char *context,
                                         struct lg_kubeconfig *ret, struct lg_err *err)
{
    struct lg_kubeconfig config lg_cleanup(lg_kubeconfig_done) = {0};
    struct lg_arena arena lg_cleanup(lg_arena_done);
    struct lg_secret text lg_cleanup(lg_secret_done) = {0};
    struct lg_yaml_document document = {0};
    struct file file = {.path = path, .arena = &arena, .err = err};
    char *bytes = NULL;
    size_t n = 0, pos = 0;

    lg_arena_init(&arena);
    enum lg_err_code code = lg_file_read(path, LG_KUBECONFIG_BYTES_MAX, &bytes, &n, err);
    if (code != LG_E_OK) {
        lg_err_wrap(err, "the kubeconfig");
        return code;
    }
    lg_secret_set(&text, bytes, n);
    if (lg_yaml_next_document(text.text, &pos, &document))
        code = lg_yaml_parse(&arena, &document, path, &file.root, err);
    if (code != LG_E_OK) {
        lg_err_wrap(err, "the kubeconfig");
        return code;
    }
    if (lg_json_kind(file.root) != LG_JSON_OBJECT)
        return lg_err_set(err, LG_E_INVALID, path,
                          "this is no kubeconfig: expected an object with clusters, users and "
                          "contexts, got %s",
                          lg_json_kind_name(file.root));
    config.source = lg_memdup(path, strlen(path));
    code = read_context(&file, context, &config);
    if (code != LG_E_OK)
        return code;
    *ret = config;
    config = (struct lg_kubeconfig){0};
    return LG_E_OK;
}
