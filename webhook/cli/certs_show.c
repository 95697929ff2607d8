/* livegate certs show: the certificates of a directory, when they end and what is wrong. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "rules/core/mem.h"
#include "rules/core/out.h"
#include "webhook/cli/certs.h"

enum { DAY_S = 86400 };

struct show_args {
    const char *dir;
    bool json;
};

static const struct argp_option show_options[] = {
    {"cert-dir", 'd', "DIR", 0, "Where the files are", 0},
    LG_CLI_OPTION_OUTPUT,
    {0},
};

static error_t parse_show(int key, char *arg, struct argp_state *state)
{
    struct show_args *args = state->input;
    switch (key) {
    case 'o':
        args->json = lg_cli_wants_json(arg, state);
        return 0;
    default:
        return lg_certs_parse_dir(key, arg, state, &args->dir);
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
        lg_certs_print_names(info);
        putchar('\n');
    }
    printf("  from     %s\n  until    %s, %" PRId64 " days left\n",
           lg_cert_time(info->not_before_unix_s, from), lg_cert_time(info->not_after_unix_s, until),
           days_left(info, now_unix_s));
    printf("  key      %.*s%s\n  sha256   %s\n", LG_ARG(info->key),
           info->authority ? ", authority" : "", info->sha256);
}

static void print_table(const struct lg_certs_reading *reading)
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

static void print_json(const struct lg_certs_reading *reading)
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

int lg_certs_show_main(int argc, char **argv)
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
    struct lg_certs_reading reading lg_cleanup(lg_certs_reading_done) = {0};
    struct lg_err err = {0};
    if (lg_certs_reading_open(args.dir, &reading, &err) != LG_E_OK)
        return lg_cli_fail(&err);
    if (args.json)
        print_json(&reading);
    else
        print_table(&reading);
    return status_of(&reading.report.problems);
}
