/* livegate certs inject: tells the API server which authority vouches for the webhook. */
#include <stdio.h>
#include <string.h>

#include "rules/core/mem.h"
#include "webhook/cli/certs.h"
#include "webhook/cli/certs_cluster.h"

enum { NAMES_MAX = 16 };

struct inject_args {
    const char *dir, *kubeconfig, *service, *ns;
    const char *names[NAMES_MAX];
    size_t name_count;
    bool dry_run, replace;
};

enum {
    OPT_KUBECONFIG = 256,
    OPT_CONFIGURATION,
    OPT_SERVICE,
    OPT_NAMESPACE,
    OPT_DRY_RUN,
    OPT_REPLACE
};

static const struct argp_option inject_options[] = {
    {"cert-dir", 'd', "DIR", 0, "Holds ca.crt, which the API server is to trust", 0},
    {"kubeconfig", OPT_KUBECONFIG, "FILE", 0,
     "The cluster (as kubectl finds it; in a pod, the pod's own account)", 0},
    {"configuration", OPT_CONFIGURATION, "NAME", 0,
     "A webhook configuration; may be repeated. Without it, all that have an entry of the service",
     0},
    {"service", OPT_SERVICE, "NAME", 0, "The service that our entries call (livegate)", 0},
    {"namespace", OPT_NAMESPACE, "NAME", 0, "The service's namespace (livegate)", 0},
    {"dry-run", OPT_DRY_RUN, NULL, 0, "The API server checks the change, and keeps none", 0},
    {"replace", OPT_REPLACE, NULL, 0,
     "Trust nothing but ca.crt: authorities that are trusted now and are not in it are dropped. "
     "For a key that was stolen",
     0},
    {0},
};

static error_t parse_inject(int key, char *arg, struct argp_state *state)
{
    struct inject_args *args = state->input;
    switch (key) {
    case OPT_KUBECONFIG:
        args->kubeconfig = arg;
        return 0;
    case OPT_CONFIGURATION:
        if (args->name_count == NAMES_MAX)
            argp_error(state, "--configuration is taken %d times at most", NAMES_MAX);
        args->names[args->name_count++] = arg;
        return 0;
    case OPT_SERVICE:
        args->service = arg;
        return 0;
    case OPT_NAMESPACE:
        args->ns = arg;
        return 0;
    case OPT_DRY_RUN:
        args->dry_run = true;
        return 0;
    case OPT_REPLACE:
        args->replace = true;
        return 0;
    default:
        return lg_certs_parse_dir(key, arg, state, &args->dir);
    }
}

/* An authority that does not vouch for what is served would turn every review into an error. */
static enum lg_err_code check_trust(const char *dir, const struct lg_certs_reading *reading,
                                    struct lg_err *err)
{
    if (reading->files.ca.p == NULL)
        return lg_err_set(err, LG_E_NOTFOUND, dir, "%s is missing; nothing was injected",
                          LG_CERTS_CA);
    if (reading->report.problems.count != 0)
        return lg_err_set(err, LG_E_TLS, dir, "%s; nothing was injected",
                          reading->report.problems.at[0].text);
    return LG_E_OK;
}

int lg_certs_inject_main(int argc, char **argv)
{
    static const struct argp argp = {
        .options = inject_options,
        .parser = parse_inject,
        .args_doc = "--cert-dir DIR",
        .doc =
            "Puts ca.crt into the caBundle of the webhook configurations.\vAuthorities that the "
            "API "
            "server trusts already stay beside it until they expire, so that nothing breaks while "
            "certificates change: run it after `livegate certs issue` has made a new authority and "
            "before the certificate is renewed with it. Needs get and patch on the configurations "
            "(and list, without --configuration).\n\nExit status: 0 done or nothing to do, 1 the "
            "certificates are bad, 2 usage, 3 files or the cluster cannot be read, or it refused.",
    };
    struct inject_args args = {.service = "livegate", .ns = "livegate"};
    struct lg_certs_reading reading lg_cleanup(lg_certs_reading_done) = {0};
    struct lg_certs_cluster *cluster lg_cleanup(lg_certs_cluster_free_cleanup) = NULL;
    struct lg_err err = {0};
    lg_cli_parse(&argp, argc, argv, &args);
    enum lg_err_code code = lg_certs_reading_open(args.dir, &reading, &err);
    if (code == LG_E_OK)
        code = check_trust(args.dir, &reading, &err);
    if (code == LG_E_TLS) {
        (void)lg_cli_fail(&err);
        return LG_EXIT_DENIED;
    }
    if (code == LG_E_OK)
        code = lg_certs_cluster_open(args.kubeconfig, &cluster, &err);
    const struct lg_inject_options options = {.names = args.names,
                                              .name_count = args.name_count,
                                              .dry_run = args.dry_run,
                                              .wanted = {.service = lg_str_of(args.service),
                                                         .ns = lg_str_of(args.ns),
                                                         .urls = args.name_count != 0,
                                                         .ca_pem = reading.files.ca,
                                                         .ca_name = LG_CERTS_CA,
                                                         .replace = args.replace,
                                                         .now_unix_s = reading.now_unix_s}};
    if (code == LG_E_OK)
        code = lg_certs_inject(cluster, &options, &err);
    return code == LG_E_OK ? LG_EXIT_OK : lg_cli_fail(&err);
}
