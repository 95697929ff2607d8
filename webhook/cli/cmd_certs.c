/* livegate certs: which of its commands is meant, and what they share. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "rules/core/mem.h"
#include "webhook/cli/certs.h"
#include "webhook/runtime/clock.h"

enum { VERB_BYTES_MAX = 64 };

error_t lg_certs_parse_dir(int key, const char *arg, const struct argp_state *state,
                           const char **io_dir)
{
    if (key == 'd')
        *io_dir = arg;
    else if (key != ARGP_KEY_END)
        return lg_cli_parse_rest(key, arg, state);
    else if (*io_dir == NULL || (*io_dir)[0] == '\0')
        argp_error(state, "--cert-dir is needed");
    return 0;
}

void lg_certs_reading_done(struct lg_certs_reading *reading)
{
    lg_cert_files_done(&reading->files);
    lg_arena_done(&reading->arena);
}

enum lg_err_code lg_certs_reading_open(const char *dir, struct lg_certs_reading *ret,
                                       struct lg_err *err)
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

void lg_certs_print_names(const struct lg_cert_info *info)
{
    for (size_t i = 0; i < info->name_count; i++)
        printf("%s%.*s", i > 0 ? ", " : "", LG_ARG(info->names[i]));
}

static int no_such_verb(const char *typed)
{
    struct lg_buf line lg_cleanup(lg_buf_done) = {0};
    lg_buf_puts(&line, "livegate certs: there is no \"");
    lg_buf_printable(&line, lg_str_cut(lg_str_of(typed), VERB_BYTES_MAX));
    lg_buf_puts(&line, "\"; it is issue, show or inject");
    fprintf(stderr, "%s\n", line.p);
    return LG_EXIT_USAGE;
}

int lg_cmd_certs(int argc, char **argv)
{
    static const char usage[] =
        "Usage: livegate certs issue --cert-dir DIR [OPTION...]\n"
        "       livegate certs show --cert-dir DIR [OPTION...]\n"
        "       livegate certs inject --cert-dir DIR [OPTION...]\n\n"
        "Makes and renews the certificates of the webhook, shows them, and tells the API server\n"
        "to trust them. `livegate certs issue --help` shows what a command takes.\n"
        "Exit status: 0 done, 1 a certificate is bad, 2 usage, 3 a file or the cluster cannot be\n"
        "read, 4 internal error.\n";
    static char issue_name[] = "livegate certs issue";
    static char show_name[] = "livegate certs show";
    static char inject_name[] = "livegate certs inject";
    static const struct {
        const char *verb;
        char *name;
        int (*run)(int argc, char **argv);
    } verbs[] = {
        {"issue", issue_name, lg_certs_issue_main},
        {"show", show_name, lg_certs_show_main},
        {"inject", inject_name, lg_certs_inject_main},
    };
    const char *verb = argc > 1 ? argv[1] : "";
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if (strcmp(verb, verbs[i].verb) != 0)
            continue;
        argv[1] = verbs[i].name;
        return verbs[i].run(argc - 1, argv + 1);
    }
    bool help = strcmp(verb, "--help") == 0 || strcmp(verb, "-h") == 0 || strcmp(verb, "-?") == 0;
    if (!help && argc > 1)
        return no_such_verb(verb);
    fputs(usage, help ? stdout : stderr);
    return help ? LG_EXIT_OK : LG_EXIT_USAGE;
}
