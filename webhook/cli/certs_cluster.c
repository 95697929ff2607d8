#include "webhook/cli/certs_cluster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/core/base64.h"
#include "rules/core/mem.h"
#include "rules/core/out.h"
#include "webhook/cluster/exchange.h"
#include "webhook/cluster/path.h"

enum { TRIES_MAX = 8, UNPROCESSABLE = 422 };

struct lg_certs_cluster {
    struct lg_kubeconfig config;
    struct lg_http *http;
};

enum lg_err_code lg_certs_cluster_open(const char *kubeconfig, struct lg_certs_cluster **ret,
                                       struct lg_err *err)
{
    struct lg_certs_cluster *cluster lg_cleanup(lg_certs_cluster_free_cleanup) =
        lg_calloc(1, sizeof *cluster);
    const struct lg_kubeconfig_options options = {.path = kubeconfig};
    enum lg_err_code code = lg_kubeconfig_open(&options, &cluster->config, err);
    if (code == LG_E_OK)
        code = lg_http_new(&cluster->config, &cluster->http, err);
    if (code == LG_E_OK)
        *ret = lg_steal(cluster);
    return code;
}

void lg_certs_cluster_free(struct lg_certs_cluster *take_cluster)
{
    if (take_cluster == NULL)
        return;
    lg_http_free(take_cluster->http);
    lg_kubeconfig_done(&take_cluster->config);
    free(take_cluster);
}

/* What is asked for, for messages. */
static struct lg_status_about about(const struct lg_certs_cluster *cluster, const char *verbs,
                                    const char *what)
{
    return (struct lg_status_about){.server = cluster->config.server,
                                    .credential = cluster->config.source,
                                    .verbs = verbs,
                                    .what = what};
}

static void wipe(struct lg_buf *buf)
{
    if (buf->p != NULL)
        explicit_bzero(buf->p, buf->n);
    lg_buf_done(buf);
}

/* What was read; zeroed at birth. */
struct page {
    struct lg_arena arena;
    struct lg_buf body;
    struct lg_val root;
};

static void page_done(struct page *page)
{
    wipe(&page->body);
    lg_arena_done(&page->arena);
}

static enum lg_err_code get_page(struct lg_certs_cluster *cluster, struct lg_str path,
                                 const struct lg_status_about *asked, struct page *ret,
                                 struct lg_err *err)
{
    const struct lg_http_request request = {.path = path};
    lg_arena_init(&ret->arena);
    enum lg_err_code code = lg_exchange(cluster->http, &request, asked, &ret->body, NULL, err);
    if (code != LG_E_OK)
        return code;
    code = lg_json_parse(&ret->arena, lg_buf_view(&ret->body), &ret->root, err);
    if (code != LG_E_OK)
        lg_err_wrap(err, "what %s answered about %s cannot be read", cluster->config.server,
                    asked->what);
    return code;
}

/* --- webhook configurations --- */

struct registry {
    struct lg_resource resource;
    const char *what; /* for messages */
};

static const struct registry registries[] = {
    {{"admissionregistration.k8s.io", "v1", "validatingwebhookconfigurations"},
     "validatingwebhookconfigurations"},
    {{"admissionregistration.k8s.io", "v1", "mutatingwebhookconfigurations"},
     "mutatingwebhookconfigurations"},
};

/* One run of the command. */
struct injection {
    struct lg_certs_cluster *cluster;
    const struct lg_inject_options *options;
    size_t seen, ours; /* configurations, and entries of ours in them */
};

static void print_change(const struct injection *injection, const struct registry *registry,
                         struct lg_str name, const struct lg_registration_change *change)
{
    const char *done = injection->options->dry_run ? "would be set" : "set";
    /* "validatingwebhookconfiguration/livegate", as kubectl says it */
    printf("%.*s/%.*s: ", (int)strlen(registry->what) - 1, registry->what, LG_ARG(name));
    if (change->changed == 0)
        printf("unchanged, %zu of our entries\n", change->ours);
    else
        printf("caBundle %s in %zu of %zu of our entries\n", done, change->changed, change->ours);
}

/* One attempt: what was read is changed, and sent with its version. *ret_again: somebody else
 * changed it meanwhile. */
static enum lg_err_code change_once(struct injection *injection, const struct registry *registry,
                                    struct lg_str name, struct lg_val configuration,
                                    bool *ret_again, struct lg_err *err)
{
    struct lg_registration_change change = {0};
    struct lg_buf path lg_cleanup(lg_buf_done) = {0};
    int status = 0;
    *ret_again = false;
    enum lg_err_code code =
        lg_registration_change(configuration, &injection->options->wanted, &change, err);
    struct lg_status_about asked = about(injection->cluster, "patch", registry->what);
    if (code == LG_E_OK && change.changed != 0) {
        code = lg_path_object(&path, &registry->resource, LG_STR(""), name, err);
        if (injection->options->dry_run)
            lg_path_query(&path, "dryRun", LG_STR("All"));
        const struct lg_http_request request = {.method = LG_HTTP_PATCH,
                                                .path = lg_buf_view(&path),
                                                .body = lg_patch_finish(&change.patch),
                                                .content_type = "application/json-patch+json"};
        if (code == LG_E_OK)
            code = lg_exchange(injection->cluster->http, &request, &asked, NULL, &status, err);
    }
    if (code == LG_E_OK)
        print_change(injection, registry, name, &change);
    injection->ours += code == LG_E_OK ? change.ours : 0;
    lg_patch_done(&change.patch);
    /* Entries that came or went make the patch no longer fit: 422 before the versions are
     * compared. */
    *ret_again = code == LG_E_CONFLICT || status == UNPROCESSABLE;
    return code;
}

/* Reads it and changes it, until nobody else was faster. LG_E_NOTFOUND: there is none of that
 * name. */
static enum lg_err_code inject_named(struct injection *injection, const struct registry *registry,
                                     struct lg_str name, struct lg_err *err)
{
    struct lg_status_about asked = about(injection->cluster, "get", registry->what);
    for (int tries = 1;; tries++) {
        struct page page lg_cleanup(page_done) = {0};
        struct lg_buf path lg_cleanup(lg_buf_done) = {0};
        struct lg_err failure = {0};
        bool again = false;
        enum lg_err_code code =
            lg_path_object(&path, &registry->resource, LG_STR(""), name, &failure);
        if (code == LG_E_OK)
            code = get_page(injection->cluster, lg_buf_view(&path), &asked, &page, &failure);
        if (code == LG_E_OK) {
            code = change_once(injection, registry, name, page.root, &again, &failure);
            injection->seen += code == LG_E_OK;
        }
        if (again && tries < TRIES_MAX)
            continue;
        if (code != LG_E_OK && err != NULL && err->code == LG_E_OK)
            *err = failure;
        return code;
    }
}

static enum lg_err_code inject_names(struct injection *injection, struct lg_err *err)
{
    const struct lg_inject_options *options = injection->options;
    for (size_t i = 0; i < options->name_count; i++) {
        struct lg_str name = lg_str_of(options->names[i]);
        size_t seen = injection->seen;
        for (size_t r = 0; r < sizeof registries / sizeof *registries; r++) {
            struct lg_err failure = {0};
            enum lg_err_code code = inject_named(injection, &registries[r], name, &failure);
            if (code != LG_E_OK && code != LG_E_NOTFOUND) {
                *err = failure;
                return code;
            }
        }
        if (injection->seen == seen)
            return lg_err_set(err, LG_E_NOTFOUND, injection->cluster->config.server,
                              "there is no webhook configuration \"%.*s\"; install the manifests "
                              "first",
                              LG_ARG(name));
    }
    return LG_E_OK;
}

/* All configurations of a sort that have an entry of ours. */
static enum lg_err_code inject_found(struct injection *injection, const struct registry *registry,
                                     struct lg_err *err)
{
    struct page page lg_cleanup(page_done) = {0};
    struct lg_buf path lg_cleanup(lg_buf_done) = {0};
    struct lg_status_about asked = about(injection->cluster, "list", registry->what);
    lg_path_all(&path, &registry->resource);
    enum lg_err_code code = get_page(injection->cluster, lg_buf_view(&path), &asked, &page, err);
    struct lg_json_iter it = lg_json_iter(lg_json_get(page.root, "items"));
    while (code == LG_E_OK && lg_json_next(&it)) {
        struct lg_str name = lg_json_str_at(it.val, "metadata.name");
        if (lg_registration_ours(it.val, &injection->options->wanted) == 0)
            continue;
        code = inject_named(injection, registry, name, err);
    }
    return code;
}

enum lg_err_code lg_certs_inject(struct lg_certs_cluster *cluster,
                                 const struct lg_inject_options *options, struct lg_err *err)
{
    struct lg_err failure = {0};
    struct injection injection = {.cluster = cluster, .options = options};
    enum lg_err_code code = options->name_count != 0 ? inject_names(&injection, &failure) : LG_E_OK;
    for (size_t r = 0; options->name_count == 0 && code == LG_E_OK && r < 2; r++)
        code = inject_found(&injection, &registries[r], &failure);
    if (code == LG_E_OK && injection.ours == 0)
        code = lg_err_set(&failure, LG_E_NOTFOUND, cluster->config.server,
                          "%s has an entry that calls the service %.*s/%.*s; --service and "
                          "--namespace name another one",
                          options->name_count != 0 ? "none of these webhook configurations"
                                                   : "no webhook configuration",
                          LG_ARG(options->wanted.ns), LG_ARG(options->wanted.service));
    if (code != LG_E_OK && err != NULL)
        *err = failure;
    return code;
}

/* --- secrets --- */

static const struct lg_resource secrets = {"", "v1", "secrets"};

static struct lg_str *slot(struct lg_cert_files *files, size_t i, const char **ret_key)
{
    static const char *const keys[] = {LG_CERTS_CHAIN, LG_CERTS_KEY, LG_CERTS_CA, LG_CERTS_CA_KEY};
    struct lg_str *const slots[] = {&files->chain, &files->key, &files->ca, &files->ca_key};
    *ret_key = keys[i];
    return slots[i];
}

enum { SLOTS = 4 };

static enum lg_err_code read_data(struct lg_val data, struct lg_cert_secret *ret,
                                  struct lg_err *err)
{
    for (size_t i = 0; i < SLOTS; i++) {
        const char *key = NULL;
        struct lg_str *text = slot(&ret->files, i, &key);
        struct lg_str coded = lg_json_str(lg_json_get(data, key));
        if (coded.n == 0)
            continue;
        char *plain = lg_calloc(lg_base64_room(coded.n) + 1, 1);
        text->p = plain;
        if (!lg_base64_decode(coded, plain, &text->n))
            return lg_err_set(err, LG_E_INVALID, ret->name, "%s in the secret is no base64", key);
        plain[text->n] = '\0';
    }
    return LG_E_OK;
}

enum lg_err_code lg_cert_secret_read(struct lg_certs_cluster *cluster, struct lg_cert_secret *ret,
                                     struct lg_err *err)
{
    struct page page lg_cleanup(page_done) = {0};
    struct lg_buf path lg_cleanup(lg_buf_done) = {0};
    struct lg_err failure = {0};
    struct lg_status_about asked = about(cluster, "get", "secrets");
    enum lg_err_code code =
        lg_path_object(&path, &secrets, lg_str_of(ret->ns), lg_str_of(ret->name), &failure);
    if (code == LG_E_OK)
        code = get_page(cluster, lg_buf_view(&path), &asked, &page, &failure);
    if (code == LG_E_NOTFOUND)
        return lg_err_set(err, code, cluster->config.server,
                          "there is no secret \"%s\" in namespace %s; make an empty one: kubectl "
                          "create secret generic %s -n %s",
                          ret->name, ret->ns, ret->name, ret->ns);
    if (code == LG_E_OK) {
        struct lg_str version = lg_json_str_at(page.root, "metadata.resourceVersion");
        (void)snprintf(ret->version, sizeof ret->version, "%.*s", LG_ARG(version));
        code = read_data(lg_json_get(page.root, "data"), ret, &failure);
    }
    if (code != LG_E_OK && err != NULL && err->code == LG_E_OK)
        *err = failure;
    return code;
}

/* The merge patch of what differs; NULL: nothing does. */
static json_t *difference(const struct lg_cert_secret *secret, const struct lg_cert_files *files)
{
    struct lg_cert_files before = secret->files;
    struct lg_cert_files after = *files;
    json_t *data = NULL;
    for (size_t i = 0; i < SLOTS; i++) {
        const char *key = NULL;
        struct lg_buf coded lg_cleanup(wipe) = {0};
        struct lg_str text = *slot(&after, i, &key);
        if (text.p == NULL || lg_str_eq(text, *slot(&before, i, &key)))
            continue;
        if (data == NULL)
            data = lg_out_object();
        lg_base64_add(&coded, text);
        lg_out_set_str(data, key, lg_buf_view(&coded));
    }
    return data;
}

enum lg_err_code lg_cert_secret_write(struct lg_certs_cluster *cluster,
                                      const struct lg_cert_secret *secret,
                                      const struct lg_cert_files *files, struct lg_err *err)
{
    struct lg_buf path lg_cleanup(lg_buf_done) = {0};
    struct lg_buf body lg_cleanup(wipe) = {0};
    struct lg_status_about asked = about(cluster, "patch", "secrets");
    json_t *data = difference(secret, files);
    if (data == NULL) {
        printf("secret/%s: unchanged\n", secret->name);
        return LG_E_OK;
    }
    json_t *root = lg_out_object();
    json_t *metadata = lg_out_object();
    lg_out_set_str(metadata, "resourceVersion", lg_str_of(secret->version));
    lg_out_set(root, "metadata", metadata);
    lg_out_set(root, "data", data);
    lg_out_text(root, 0, &body);
    json_decref(root);
    enum lg_err_code code =
        lg_path_object(&path, &secrets, lg_str_of(secret->ns), lg_str_of(secret->name), err);
    const struct lg_http_request request = {.method = LG_HTTP_PATCH,
                                            .path = lg_buf_view(&path),
                                            .body = lg_buf_view(&body),
                                            .content_type = "application/merge-patch+json"};
    if (code == LG_E_OK)
        code = lg_exchange(cluster->http, &request, &asked, NULL, NULL, err);
    if (code == LG_E_OK)
        printf("secret/%s: written\n", secret->name);
    return code;
}
