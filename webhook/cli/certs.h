/* The commands below `livegate certs`, and the directory that they read. One thread. */
#ifndef LG_WEBHOOK_CLI_CERTS_H
#define LG_WEBHOOK_CLI_CERTS_H

#include "certs/files.h"
#include "certs/inspect.h"
#include "webhook/cli/cli.h"

/* Each returns an exit status (webhook/cli/cli.h). */
int lg_certs_issue_main(int argc, char **argv);
int lg_certs_show_main(int argc, char **argv);
int lg_certs_inject_main(int argc, char **argv);

/* The end of a parser whose command needs --cert-dir (key 'd') and takes no arguments, as
 * lg_cli_parse_rest. */
error_t lg_certs_parse_dir(int key, const char *arg, const struct argp_state *state,
                           const char **io_dir);

/* A certificate directory, read and looked at. */
struct lg_certs_reading {
    struct lg_arena arena;
    struct lg_cert_files files;
    struct lg_cert_report report;
    int64_t now_unix_s;
};

/* Fills *ret, zeroed before (lg_certs_reading_done). Codes as lg_cert_dir_open and
 * lg_cert_files_read. */
enum lg_err_code lg_certs_reading_open(const char *dir, struct lg_certs_reading *ret,
                                       struct lg_err *err)
    __attribute__((nonnull(1, 2), warn_unused_result));
void lg_certs_reading_done(struct lg_certs_reading *reading);

/* Prints the names that the certificate bears, on one line. */
void lg_certs_print_names(const struct lg_cert_info *info) __attribute__((nonnull));

#endif
