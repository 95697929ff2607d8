/* livegate certs issue|show: a certificate authority and a serving certificate, and what is there. */
#include "webhook/cli/cli.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "certs/authority.h"
#include "certs/files.h"
#include "certs/inspect.h"
#include "certs/rotate.h"
#include "rules/core/arena.h"
#include "rules/core/mem.h"
#include "rules/core/num.h"
#include "webhook/runtime/clock.h"

enum { DAY_S = 86400 };

/* --- a directory, read --- */

struct reading {
    struct lg_arena arena;
    struct lg_cert_files files;
    struct lg_cert_report report;
    int64_t now_unix_s;
};

static void reading_done(struct reading *reading)
{
    lg_cert_files_done(&reading->files);
    lg_arena_done(&reading->arena);
}

static enum lg_err_code read_dir(const char *dir, struct reading *ret, struct lg_err *err)
{
    int fd = -1;
    enum lg_err_code code = lg_cert_dir_open(dir, &fd, err);
    if (code != LG_E_OK)
        return code;
    code = lg_cert_files_read(fd, dir, false, &ret->files, err);
    (void)close(fd);
    if (code != LG_E_OK)
        return code;
    lg_arena_init(&ret->arena);
    ret->now_unix_s = lg_clock_unix_s();
    lg_cert_inspect(&ret->files, ret->now_unix_s, &ret->arena, &ret->report);
    return LG_E_OK;
}

static void print_names(const struct lg_cert_info *info)
{
    for (size_t i = 0; i < info->name_count; i++)
        printf("%s%.*s", i > 0 ? ", " : "", LG_ARG(info->names[i]));
}

/* --- issue --- */

struct issue_args {
    struct lg_issue_options options;
    const char *sans[LG_CERT_NAMES_MAX];
};

enum { OPT_SERVICE = 256, OPT_NAMESPACE, OPT_SAN, OPT_DAYS, OPT_CA_DAYS, OPT_RENEW, OPT_NEW_CA };

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
    case ARGP_KEY_ARG:
        argp_error(state, "does not take \"%s\"", arg);
        return 0;
    case ARGP_KEY_END:
        if (options->dir == NULL || options->dir[0] == '\0')
            argp_error(state, "--cert-dir is needed");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void print_leaf(const char *verb, const struct reading *reading)
{
    char until[LG_CERT_TIME_BYTES];
    const struct lg_cert_info *leaf = &reading->report.certs[0];
    printf("%s: %s, valid until %s, for ", LG_CERTS_CHAIN, verb,
           lg_cert_time(leaf->not_after_unix_s, until));
    print_names(leaf);
    putchar('\n');
}

static void print_issued(const struct lg_issue_options *options,
                         const struct lg_issue_result *result, const struct reading *reading)
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
    if (result->authority_waits)
        printf(
            "%s holds the new authority and the old one, which signed %s. Next: put %s into the\n"
            "caBundle of the webhook configuration, then run `livegate certs issue --cert-dir %s "
            "--renew` again.\n",
            LG_CERTS_CA, LG_CERTS_CHAIN, LG_CERTS_CA, options->dir);
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

static int issue(int argc, char **argv)
{
    static const struct argp argp = {
        .options = issue_options,
        .parser = parse_issue,
        .args_doc = "--cert-dir DIR",
        .doc =
            "Makes a certificate authority (ca.crt, ca.key) and a serving certificate (tls.crt, "
            "tls.key) for the webhook's service.\vWhat is there and good is left alone. A new "
            "authority is published in ca.crt beside the old one and signs from the next renewal "
            "on. Without --service, --namespace and --san, a renewal keeps the names of the "
            "certificate it replaces.\n\nExit status: 0 done or nothing to do, 1 what is there "
            "is bad and --renew was not given, 2 usage, 3 files cannot be read or written.",
    };
    struct issue_args args = {.options = {.days = LG_CERT_DAYS, .ca_days = LG_CERT_CA_DAYS}};
    lg_cli_parse(&argp, argc, argv, &args);
    args.options.sans = args.sans;
    args.options.now_unix_s = lg_clock_unix_s();
    struct lg_err err = {0};
    struct lg_issue_result result = {0};
    if (lg_certs_issue(&args.options, &result, &err) != LG_E_OK)
        return fail_issue(&err);
    struct reading reading lg_cleanup(reading_done) = {0};
    if (read_dir(args.options.dir, &reading, &err) != LG_E_OK)
        return lg_cli_fail(&err);
    print_issued(&args.options, &result, &reading);
    return LG_EXIT_OK;
}

/* --- show --- */

struct show_args {
    const char *dir;
    bool json;
};

static const struct argp_option show_options[] = {
    {"cert-dir", 'd', "DIR", 0, "Where the files are", 0},
    {"output", 'o', "FORMAT", 0, "table (the default) or json", 0},
    {0},
};

static error_t parse_show(int key, char *arg, struct argp_state *state)
{
    struct show_args *args = state->input;
    switch (key) {
    case 'd':
        args->dir = arg;
        return 0;
    case 'o':
        args->json = strcmp(arg, "json") == 0;
        if (!args->json && strcmp(arg, "table") != 0)
            argp_error(state, "--output takes table or json");
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "does not take \"%s\"", arg);
        return 0;
    case ARGP_KEY_END:
        if (args->dir == NULL || args->dir[0] == '\0')
            argp_error(state, "--cert-dir is needed");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* Whole days, rounded down: -1 from the first second after the end. */
static int64_t days_left(const struct lg_cert_info *info, int64_t now_unix_s)
{
    if (info->not_after_unix_s == INT64_MIN)
        return -1;
    int64_t left_s = info->not_after_unix_s - now_unix_s;
    return left_s >= 0 ? left_s / DAY_S : -((-left_s + DAY_S - 1) / DAY_S);
}

static void print_cert(const struct lg_cert_info *info, int64_t now_unix_s)
{
    char from[LG_CERT_TIME_BYTES];
    char until[LG_CERT_TIME_BYTES];
    if (info->position > 1)
        printf("%s, certificate %u\n", info->file, info->position);
    else
        printf("%s\n", info->file);
    printf("  subject  %.*s\n  issuer   %.*s\n", LG_ARG(info->subject), LG_ARG(info->issuer));
    if (info->name_count > 0) {
        fputs("  names    ", stdout);
        print_names(info);
        putchar('\n');
    }
    printf("  from     %s\n  until    %s, %" PRId64 " days left\n",
           lg_cert_time(info->not_before_unix_s, from), lg_cert_time(info->not_after_unix_s, until),
           days_left(info, now_unix_s));
    printf("  key      %.*s%s\n  sha256   %s\n", LG_ARG(info->key),
           info->authority ? ", authority" : "", info->sha256);
}

static void print_table(const struct reading *reading)
{
    const struct lg_cert_report *report = &reading->report;
    for (size_t i = 0; i < report->count; i++)
        print_cert(&report->certs[i], reading->now_unix_s);
    for (size_t i = 0; i < report->problems.count; i++)
        printf("problem: %s\n", report->problems.at[i].text);
    if (report->problems.count == 0)
        puts("no problems");
}

static json_t *json_of_str(struct lg_str s)
{
    return json_stringn(s.p, s.n);
}

static json_t *json_of_cert(const struct lg_cert_info *info, int64_t now_unix_s)
{
    char time[LG_CERT_TIME_BYTES];
    json_t *names = json_array();
    for (size_t i = 0; i < info->name_count; i++)
        json_array_append_new(names, json_of_str(info->names[i]));
    json_t *cert = json_object();
    json_object_set_new(cert, "file", json_string(info->file));
    json_object_set_new(cert, "position", json_integer(info->position));
    json_object_set_new(cert, "subject", json_of_str(info->subject));
    json_object_set_new(cert, "issuer", json_of_str(info->issuer));
    json_object_set_new(cert, "serial", json_of_str(info->serial));
    json_object_set_new(cert, "names", names);
    json_object_set_new(cert, "notBefore",
                        json_string(lg_cert_time(info->not_before_unix_s, time)));
    json_object_set_new(cert, "notAfter", json_string(lg_cert_time(info->not_after_unix_s, time)));
    json_object_set_new(cert, "daysLeft", json_integer(days_left(info, now_unix_s)));
    json_object_set_new(cert, "authority", json_boolean(info->authority));
    json_object_set_new(cert, "key", json_of_str(info->key));
    json_object_set_new(cert, "sha256", json_string(info->sha256));
    return cert;
}

static void print_json(const struct reading *reading)
{
    const struct lg_cert_report *report = &reading->report;
    json_t *certs = json_array();
    for (size_t i = 0; i < report->count; i++)
        json_array_append_new(certs, json_of_cert(&report->certs[i], reading->now_unix_s));
    json_t *problems = json_array();
    for (size_t i = 0; i < report->problems.count; i++)
        json_array_append_new(problems, json_string(report->problems.at[i].text));
    json_t *root = json_object();
    json_object_set_new(root, "apiVersion", json_string("livegate.io/v1"));
    json_object_set_new(root, "kind", json_string("CertificateReport"));
    json_object_set_new(root, "certificates", certs);
    json_object_set_new(root, "problems", problems);
    (void)json_dumpf(root, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(root);
}

static int status_of(const struct lg_cert_problems *problems)
{
    int status = LG_EXIT_OK;
    for (size_t i = 0; i < problems->count; i++) {
        enum lg_cert_problem_kind kind = problems->at[i].kind;
        if (kind == LG_CERT_MISSING || kind == LG_CERT_UNREADABLE)
            return LG_EXIT_INPUT;
        status = LG_EXIT_DENIED;
    }
    return status;
}

static int show(int argc, char **argv)
{
    static const struct argp argp = {
        .options = show_options,
        .parser = parse_show,
        .args_doc = "--cert-dir DIR",
        .doc = "Shows the certificates of a directory, when they end and what is wrong.\v"
               "Exit status: 0 nothing is wrong, 1 expired, not yet valid, no pair or not trusted, "
               "2 usage, 3 a file is missing or cannot be read.",
    };
    struct show_args args = {0};
    lg_cli_parse(&argp, argc, argv, &args);
    struct reading reading lg_cleanup(reading_done) = {0};
    struct lg_err err = {0};
    if (read_dir(args.dir, &reading, &err) != LG_E_OK)
        return lg_cli_fail(&err);
    if (args.json)
        print_json(&reading);
    else
        print_table(&reading);
    return status_of(&reading.report.problems);
}

/* --- the command --- */

int lg_cmd_certs(int argc, char **argv)
{
    static const char usage[] =
        "Usage: livegate certs issue --cert-dir DIR [OPTION...]\n"
        "       livegate certs show --cert-dir DIR [OPTION...]\n\n"
        "Makes and renews the certificates of the webhook, and shows them.\n"
        "`livegate certs issue --help` shows what a command takes.\n";
    static char issue_name[] = "livegate certs issue";
    static char show_name[] = "livegate certs show";
    const char *verb = argc > 1 ? argv[1] : "";
    if (strcmp(verb, "issue") == 0) {
        argv[1] = issue_name;
        return issue(argc - 1, argv + 1);
    }
    if (strcmp(verb, "show") == 0) {
        argv[1] = show_name;
        return show(argc - 1, argv + 1);
    }
    bool help = strcmp(verb, "--help") == 0 || strcmp(verb, "-h") == 0 || strcmp(verb, "-?") == 0;
    fputs(usage, help ? stdout : stderr);
    return help ? LG_EXIT_OK : LG_EXIT_USAGE;
}
