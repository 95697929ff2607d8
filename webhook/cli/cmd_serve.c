/* livegate serve: the admission webhook. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/core/mem.h"
#include "webhook/cli/cli.h"
#include "webhook/server/duration.h"
#include "webhook/server/server.h"

enum { OPT_KUBECONFIG = 256, OPT_OPS_LISTEN, OPT_CERT_DIR, OPT_CLIENT_CA, OPT_DRAIN, OPT_LEDGER };

enum { MMAP_THRESHOLD_BYTES = 128 * 1024, TRIM_THRESHOLD_BYTES = 1024 * 1024 };

static const struct argp_option options[] = {
    {"kubeconfig", OPT_KUBECONFIG, "FILE", 0,
     "The cluster to watch; without it, and without --inventory, as kubectl finds one (KUBECONFIG, "
     "~/.kube/config), else the pod's own",
     0},
    {"inventory", 'i', "PATH", 0,
     "A file or directory that says what the cluster has, instead of watching one; more PATHs may "
     "follow, and the option may be repeated",
     0},
    {"policy", 'p', "FILE", 0, "Which rule does what; without it each rule does its default", 0},
    {"listen", 'l', "ADDR:PORT", 0, "Where reviews are answered over HTTPS (:8443)", 0},
    {"ops-listen", OPT_OPS_LISTEN, "ADDR:PORT", 0,
     "Where /livez, /readyz and /metrics are answered over HTTP (:8080)", 0},
    {"cert-dir", OPT_CERT_DIR, "DIR", 0, "Holds tls.crt and tls.key (/etc/livegate/certs)", 0},
    {"client-ca", OPT_CLIENT_CA, "FILE", 0,
     "Clients must show a certificate of one of the authorities in FILE", 0},
    {"ledger", OPT_LEDGER, "api|memory", 0,
     "Where the limiter remembers: in ConfigMap livegate-ledger, shared by all replicas (api, "
     "where a "
     "cluster is watched), or in this process alone (memory)",
     0},
    {"drain", OPT_DRAIN, "DURATION", 0, "How long reviews are still answered after SIGTERM (15s)",
     0},
    {0}};

struct arguments {
    struct lg_server_options server;
    const char *listen, *ops_listen, *drain, *ledger;
    char **paths; /* NULL-terminated */
    size_t n_paths;
};

static void arguments_done(struct arguments *arguments)
{
    free(arguments->paths);
}

static void add_path(struct arguments *arguments, char *path)
{
    arguments->paths =
        lg_realloc(arguments->paths, arguments->n_paths + 2, sizeof *arguments->paths);
    arguments->paths[arguments->n_paths++] = path;
    arguments->paths[arguments->n_paths] = NULL;
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct arguments *arguments = state->input;

    switch (key) {
    case OPT_KUBECONFIG:
        arguments->server.source.kubeconfig_path = value;
        return 0;
    case 'i':
        add_path(arguments, value);
        return 0;
    case 'p':
        arguments->server.policy_path = value;
        return 0;
    case 'l':
        arguments->listen = value;
        return 0;
    case OPT_OPS_LISTEN:
        arguments->ops_listen = value;
        return 0;
    case OPT_CERT_DIR:
        arguments->server.cert_dir = value;
        return 0;
    case OPT_CLIENT_CA:
        arguments->server.client_ca_path = value;
        return 0;
    case OPT_LEDGER:
        arguments->ledger = value;
        return 0;
    case OPT_DRAIN:
        arguments->drain = value;
        return 0;
    case ARGP_KEY_ARG: /* "--inventory a.yaml b.yaml", as a shell expands it */
        if (arguments->n_paths == 0)
            argp_error(state, "\"%s\" is not an option; objects are given with --inventory PATH",
                       value);
        else
            add_path(arguments, value);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* Checks what argp cannot. */
static enum lg_err_code settle(struct arguments *arguments, struct lg_err *err)
{
    struct lg_server_options *server = &arguments->server;

    if (arguments->n_paths != 0 && server->source.kubeconfig_path != NULL)
        return lg_err_set(err, LG_E_INVALID, "--inventory",
                          "a cluster is watched, or files say what it has; give --kubeconfig or "
                          "--inventory, not both");
    server->source.inventory_paths = arguments->paths;
    const char *ledger = arguments->ledger != NULL ? arguments->ledger : "";
    if (*ledger != '\0' && strcmp(ledger, "api") != 0 && strcmp(ledger, "memory") != 0)
        return lg_err_set(err, LG_E_INVALID, "--ledger", "\"%.40s\" is not api or memory", ledger);
    if (strcmp(ledger, "api") == 0 && arguments->n_paths != 0)
        return lg_err_set(err, LG_E_INVALID, "--ledger",
                          "files have no ledger to share; give --kubeconfig, or --ledger memory");
    server->ledger_in_memory = strcmp(ledger, "memory") == 0;
    enum lg_err_code code = lg_address_parse(arguments->listen, "--listen", &server->reviews, err);
    if (code != LG_E_OK)
        return code;
    code = lg_address_parse(arguments->ops_listen, "--ops-listen", &server->operations, err);
    if (code != LG_E_OK)
        return code;
    if (lg_duration_ms(lg_str_of(arguments->drain), &server->drain_ms) != LG_E_OK)
        return lg_err_set(err, LG_E_INVALID, "--drain",
                          "\"%.40s\" is not a duration of at most a day; write 15s, 500ms or 1m30s",
                          arguments->drain);
    return LG_E_OK;
}

/* The C library lets the size from which on it gives memory back at once grow with what was given
 * back, so that the room of each list stays. */
static void keep_memory_small(void)
{
#ifdef __GLIBC__
    (void)mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD_BYTES);
    (void)mallopt(M_TRIM_THRESHOLD, TRIM_THRESHOLD_BYTES);
#endif
}

int lg_cmd_serve(int argc, char **argv)
{
    static const struct argp argp = {.options = options,
                                     .parser = parse_option,
                                     .args_doc = "",
                                     .doc =
                                         "Answers the API server's admission reviews over HTTPS.\v"
                                         "SIGTERM: no longer ready, answers on for --drain, then "
                                         "stops. SIGHUP: reads certificate and policy "
                                         "again at once; otherwise changed files are seen within "
                                         "10 seconds. A port of 0 is any free one: "
                                         "the first log line says which.\n\n"
                                         "Exit status: 0 after SIGTERM or SIGINT, 2 usage, 3 a "
                                         "file, a port or the kubeconfig cannot be used, 4 "
                                         "internal error."};
    struct arguments arguments lg_cleanup(arguments_done) = {
        .server = {.cert_dir = "/etc/livegate/certs"},
        .listen = ":8443",
        .ops_listen = ":8080",
        .drain = "15s"};
    struct lg_err err = {0};

    lg_cli_parse(&argp, argc, argv, &arguments);
    if (settle(&arguments, &err) != LG_E_OK) {
        lg_cli_fail(&err);
        return LG_EXIT_USAGE;
    }
    keep_memory_small();
    if (lg_server_run(&arguments.server, &err) != LG_E_OK)
        return lg_cli_fail(&err);
    return LG_EXIT_OK;
}
