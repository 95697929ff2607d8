/* livegate certs issue: an authority and a serving certificate, in a directory or in a cluster's
 * secrets. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "certs/authority.h"
#include "certs/rotate.h"
#include "rules/core/file.h"
#include "rules/core/mem.h"
#include "rules/core/num.h"
#include "webhook/cli/certs.h"
#include "webhook/cli/certs_cluster.h"
#include "webhook/runtime/clock.h"

enum { CONFIGURATIONS_MAX = 16, KEY_MODE = 0600 };

struct issue_args {
    struct lg_issue_options options;
    const char *sans[LG_CERT_NAMES_MAX];
    const char *kubeconfig, *secret, *ca_secret;
    const char *configurations[CONFIGURATIONS_MAX];
    size_t configuration_count;
};

enum {
    OPT_SERVICE = 256,
    OPT_NAMESPACE,
    OPT_SAN,
    OPT_DAYS,
    OPT_CA_DAYS,
    OPT_RENEW,
    OPT_NEW_CA,
    OPT_KUBECONFIG,
    OPT_SECRET,
    OPT_CA_SECRET,
    OPT_INJECT
};

static const struct argp_option issue_options[] = {
    {"cert-dir", 'd', "DIR", 0, "Where the files are kept; made when it is not there", 0},
    {"service", OPT_SERVICE, "NAME", 0, "The service that API servers call (livegate)", 0},
    {"namespace", OPT_NAMESPACE, "NAME", 0, "The service's namespace (livegate)", 0},
    {"san", OPT_SAN, "NAME", 0, "A further DNS name or IP address; may be repeated", 0},
    {"days", OPT_DAYS, "N", 0, "How long the serving certificate is valid (365)", 0},
    {"ca-days", OPT_CA_DAYS, "N", 0, "How long the authority is valid (3650)", 0},
    {"renew", OPT_RENEW, "WHEN", OPTION_ARG_OPTIONAL,
     "Replace the serving certificate: now, or only when due (bad, or past two thirds of its "
     "life). "
     "The authority is renewed when it is due",
     0},
    {"new-ca", OPT_NEW_CA, NULL, 0, "Renew the authority too, due or not (implies --renew)", 0},
    {"secret", OPT_SECRET, "NAME", 0, "Keep the serving certificate in this secret", 0},
    {"ca-secret", OPT_CA_SECRET, "NAME", 0, "and the authority in this one, instead of a directory",
     0},
    {"inject", OPT_INJECT, "NAME", 0,
     "Put the authority into this webhook configuration's caBundle first; may be repeated", 0},
    {"kubeconfig", OPT_KUBECONFIG, "FILE", 0,
     "The cluster of the secrets (as kubectl finds it; in a pod, the pod's own account)", 0},
    {0},
};

static int parse_days(const char *text, const char *option, struct argp_state *state)
{
    int64_t days = 0;
    if (lg_num_int64(lg_str_of(text), &days) != LG_E_OK || days < 1 || days > LG_CERT_DAYS_MAX)
        argp_error(state, "%s takes a number of days, 1 to %d", option, LG_CERT_DAYS_MAX);
    return (int)days;
}

static enum lg_renew parse_renew(const char *text, struct argp_state *state)
{
    if (text == NULL || strcmp(text, "now") == 0)
        return LG_RENEW_NOW;
    if (strcmp(text, "due") != 0)
        argp_error(state, "--renew takes now or due");
    return LG_RENEW_DUE;
}

/* The options of secrets. */
// NOLINTNEXTLINE(readability-non-const-parameter): argp's type
static error_t parse_cluster(int key, char *arg, struct argp_state *state)
{
    struct issue_args *args = state->input;
    switch (key) {
    case OPT_KUBECONFIG:
        args->kubeconfig = arg;
        return 0;
    case OPT_SECRET:
        args->secret = arg;
        return 0;
    case OPT_CA_SECRET:
        args->ca_secret = arg;
        return 0;
    case OPT_INJECT:
        if (args->configuration_count == CONFIGURATIONS_MAX)
            argp_error(state, "--inject is taken %d times at most", CONFIGURATIONS_MAX);
        args->configurations[args->configuration_count++] = arg;
        return 0;
    default:
        return lg_cli_parse_rest(key, arg, state);
    }
}

static void check_place(const struct issue_args *args, struct argp_state *state)
{
    bool dir = args->options.dir != NULL && args->options.dir[0] != '\0';
    bool secrets = args->secret != NULL && args->ca_secret != NULL;
    bool half = args->secret != NULL || args->ca_secret != NULL || args->configuration_count != 0 ||
                args->kubeconfig != NULL;
    if (dir && half)
        argp_error(state, "--cert-dir is one place, --secret and --ca-secret are another");
    else if (!dir && !secrets && half)
        argp_error(state, "--secret and --ca-secret are needed, both");
    else if (!dir && !secrets)
        argp_error(state, "--cert-dir is needed");
}

static error_t parse_issue(int key, char *arg, struct argp_state *state)
{
    struct issue_args *args = state->input;
    struct lg_issue_options *options = &args->options;
    switch (key) {
    case 'd':
        options->dir = arg;
        return 0;
    case OPT_SERVICE:
        options->service = arg;
        return 0;
    case OPT_NAMESPACE:
        options->namespace_name = arg;
        return 0;
    case OPT_SAN:
        if (options->san_count == LG_CERT_NAMES_MAX)
            argp_error(state, "a certificate takes at most %d names", LG_CERT_NAMES_MAX);
        args->sans[options->san_count++] = arg;
        return 0;
    case OPT_DAYS:
        options->days = parse_days(arg, "--days", state);
        return 0;
    case OPT_CA_DAYS:
        options->ca_days = parse_days(arg, "--ca-days", state);
        return 0;
    case OPT_RENEW:
        options->renew = parse_renew(arg, state);
        return 0;
    case OPT_NEW_CA:
        options->new_authority = true;
        return 0;
    case ARGP_KEY_END:
        check_place(args, state);
        return 0;
    default:
        return parse_cluster(key, arg, state);
    }
}

static void print_leaf(const char *verb, const struct lg_certs_reading *reading)
{
    char until[LG_CERT_TIME_BYTES];
    const struct lg_cert_info *leaf = &reading->report.certs[0];
    printf("%s: %s, valid until %s, for ", LG_CERTS_CHAIN, verb,
           lg_cert_time(leaf->not_after_unix_s, until));
    lg_certs_print_names(leaf);
    putchar('\n');
}

static void print_issued(const struct issue_args *args, const struct lg_issue_result *result,
                         const struct lg_certs_reading *reading)
{
    const struct lg_cert_report *report = &reading->report;
    char until[LG_CERT_TIME_BYTES];
    for (size_t i = 0; result->authority_made && i < report->count; i++) {
        const struct lg_cert_info *info = &report->certs[i];
        if (strcmp(info->file, LG_CERTS_CA) == 0 && info->position == 1)
            printf("%s: made a new authority, %.*s, valid until %s\n", LG_CERTS_CA,
                   LG_ARG(info->subject), lg_cert_time(info->not_after_unix_s, until));
    }
    print_leaf(result->leaf_made ? "issued" : "kept", reading);
    if (result->authority_waits && args->secret != NULL)
        puts("The new authority signs from the next renewal on; the old one is trusted beside it.");
    else if (result->authority_waits)
        printf(
            "%s holds the new authority and the old one, which signed %s. Next: put %s into the\n"
            "caBundle of the webhook configuration, then run `livegate certs issue --cert-dir %s "
            "--renew` again.\n",
            LG_CERTS_CA, LG_CERTS_CHAIN, LG_CERTS_CA, args->options.dir);
    else if (!result->authority_made && !result->leaf_made)
        puts("Nothing to do; --renew replaces it.");
}

static int fail_issue(const struct lg_err *err)
{
    int status = lg_cli_fail(err);
    if (err->code == LG_E_INVALID)
        return LG_EXIT_USAGE;
    return err->code == LG_E_TLS ? LG_EXIT_DENIED : status;
}

/* --- certificates kept in secrets --- */

/* A folder of our own for as long as the command runs. */
struct folder {
    char path[PATH_MAX];
};

static void folder_done(struct folder *folder)
{
    static const char *const names[] = {LG_CERTS_CHAIN, LG_CERTS_KEY, LG_CERTS_CA, LG_CERTS_CA_KEY};
    char path[PATH_MAX + 16];
    for (size_t i = 0; folder->path[0] != '\0' && i < sizeof names / sizeof *names; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", folder->path, names[i]);
        (void)unlink(path);
    }
    if (folder->path[0] != '\0')
        (void)rmdir(folder->path);
}

static enum lg_err_code folder_open(struct folder *ret, struct lg_err *err)
{
    const char *parent = getenv("TMPDIR");
    int n = snprintf(ret->path, sizeof ret->path, "%s/livegate-certs-XXXXXX",
                     parent != NULL && parent[0] != '\0' ? parent : "/tmp");
    if (n > 0 && (size_t)n < sizeof ret->path && mkdtemp(ret->path) != NULL)
        return LG_E_OK;
    ret->path[0] = '\0';
    return lg_err_set_errno(err, errno, parent != NULL ? parent : "/tmp",
                            "cannot make a folder for the time of the work");
}

static enum lg_err_code folder_write(const struct folder *folder, const char *name,
                                     struct lg_str text, struct lg_err *err)
{
    char path[PATH_MAX + 16];
    (void)snprintf(path, sizeof path, "%s/%s", folder->path, name);
    return text.p != NULL ? lg_file_write(path, text, KEY_MODE, err) : LG_E_OK;
}

static enum lg_err_code folder_read(const struct folder *folder, struct lg_cert_files *ret,
                                    struct lg_err *err)
{
    int fd = -1;
    enum lg_err_code code = lg_cert_dir_open(folder->path, &fd, err);
    if (code != LG_E_OK)
        return code;
    code = lg_cert_files_read(fd, folder->path, true, ret, err);
    (void)close(fd);
    return code;
}

struct keeping {
    struct folder folder;
    struct lg_cert_secret serving, authority;
    struct lg_cert_files made;
};

static void keeping_done(struct keeping *keeping)
{
    folder_done(&keeping->folder);
    lg_cert_files_done(&keeping->serving.files);
    lg_cert_files_done(&keeping->authority.files);
    lg_cert_files_done(&keeping->made);
}

/* What the two secrets hold, as files. */
static enum lg_err_code unpack(struct lg_certs_cluster *cluster, struct keeping *keeping,
                               struct lg_err *err)
{
    enum lg_err_code code = lg_cert_secret_read(cluster, &keeping->authority, err);
    if (code == LG_E_OK)
        code = lg_cert_secret_read(cluster, &keeping->serving, err);
    if (code == LG_E_OK)
        code = folder_open(&keeping->folder, err);
    const struct lg_cert_files *serving = &keeping->serving.files;
    const struct lg_cert_files *authority = &keeping->authority.files;
    if (code == LG_E_OK)
        code = folder_write(&keeping->folder, LG_CERTS_CHAIN, serving->chain, err);
    if (code == LG_E_OK)
        code = folder_write(&keeping->folder, LG_CERTS_KEY, serving->key, err);
    if (code == LG_E_OK)
        code = folder_write(&keeping->folder, LG_CERTS_CA, authority->ca, err);
    if (code == LG_E_OK)
        code = folder_write(&keeping->folder, LG_CERTS_CA_KEY, authority->ca_key, err);
    return code;
}

/* The authority first, then everybody is told to trust it, and only then what it signed is
 * served. */
static enum lg_err_code publish(struct lg_certs_cluster *cluster, const struct issue_args *args,
                                const struct keeping *keeping, struct lg_err *err)
{
    const struct lg_issue_options *asked = &args->options;
    const struct lg_cert_files *made = &keeping->made;
    const struct lg_cert_files authority = {.ca = made->ca, .ca_key = made->ca_key};
    const struct lg_cert_files serving = {.chain = made->chain, .key = made->key, .ca = made->ca};
    const char *service = asked->service != NULL ? asked->service : "livegate";
    const struct lg_inject_options inject = {.names = args->configurations,
                                             .name_count = args->configuration_count,
                                             .wanted = {.service = lg_str_of(service),
                                                        .ns = lg_str_of(keeping->serving.ns),
                                                        .urls = true,
                                                        .ca_pem = made->ca,
                                                        .ca_name = LG_CERTS_CA,
                                                        .now_unix_s = asked->now_unix_s}};
    enum lg_err_code code = lg_cert_secret_write(cluster, &keeping->authority, &authority, err);
    if (code == LG_E_OK && args->configuration_count != 0)
        code = lg_certs_inject(cluster, &inject, err);
    if (code == LG_E_OK)
        code = lg_cert_secret_write(cluster, &keeping->serving, &serving, err);
    return code;
}

static enum lg_err_code issue_secrets(const struct issue_args *given, struct lg_err *err)
{
    struct issue_args args = *given;
    struct lg_certs_cluster *cluster lg_cleanup(lg_certs_cluster_free_cleanup) = NULL;
    const char *ns = args.options.namespace_name != NULL ? args.options.namespace_name : "livegate";
    struct keeping keeping lg_cleanup(keeping_done) = {
        .serving = {.ns = ns, .name = args.secret},
        .authority = {.ns = ns, .name = args.ca_secret}};
    enum lg_err_code code = lg_certs_cluster_open(args.kubeconfig, &cluster, err);
    if (code == LG_E_OK)
        code = unpack(cluster, &keeping, err);
    if (code != LG_E_OK)
        return code;
    args.options.dir = keeping.folder.path;
    struct lg_issue_result result = {0};
    code = lg_certs_issue(&args.options, &result, err);
    if (code == LG_E_OK)
        code = folder_read(&keeping.folder, &keeping.made, err);
    struct lg_certs_reading reading lg_cleanup(lg_certs_reading_done) = {0};
    if (code == LG_E_OK)
        code = lg_certs_reading_open(keeping.folder.path, &reading, err);
    if (code == LG_E_OK)
        code = publish(cluster, &args, &keeping, err);
    if (code == LG_E_OK)
        print_issued(&args, &result, &reading);
    return code;
}

/* --- in a directory --- */

static enum lg_err_code issue_dir(const struct issue_args *args, struct lg_err *err)
{
    struct lg_issue_result result = {0};
    struct lg_certs_reading reading lg_cleanup(lg_certs_reading_done) = {0};
    enum lg_err_code code = lg_certs_issue(&args->options, &result, err);
    if (code == LG_E_OK)
        code = lg_certs_reading_open(args->options.dir, &reading, err);
    if (code == LG_E_OK)
        print_issued(args, &result, &reading);
    return code;
}

int lg_certs_issue_main(int argc, char **argv)
{
    static const struct argp argp = {
        .options = issue_options,
        .parser = parse_issue,
        .args_doc = "--cert-dir DIR\n--secret NAME --ca-secret NAME",
        .doc =
            "Makes a certificate authority (ca.crt, ca.key) and a serving certificate (tls.crt, "
            "tls.key) for the webhook's service.\vWhat is there and good is left alone. A new "
            "authority is published in ca.crt beside the old one and signs from the next renewal "
            "on. Without --service, --namespace and --san, a renewal keeps the names of the "
            "certificate it replaces.\n\nWith "
            "--secret and --ca-secret the files are kept in two secrets of the namespace, which "
            "must be "
            "there: tls.crt, tls.key and ca.crt for the server, ca.crt and ca.key for nobody. With "
            "--inject a new authority is trusted by the API server before anything it signed is "
            "served; where that fails, the certificate stays.\n\nExit status: 0 done or nothing to "
            "do, 1 what is there "
            "is bad and --renew was not given, 2 usage, 3 files cannot be read or written.",
    };
    struct issue_args args = {.options = {.days = LG_CERT_DAYS, .ca_days = LG_CERT_CA_DAYS}};
    lg_cli_parse(&argp, argc, argv, &args);
    args.options.sans = args.sans;
    args.options.now_unix_s = lg_clock_unix_s();
    struct lg_err err = {0};
    enum lg_err_code code =
        args.secret != NULL ? issue_secrets(&args, &err) : issue_dir(&args, &err);
    return code == LG_E_OK ? LG_EXIT_OK : fail_issue(&err);
}
