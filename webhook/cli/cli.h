/* The command line: a table of commands, exit statuses, and what all commands share.
 *
 * Each command is one file, cmd_<verb>.c, with one argp parser of its own. A command gets argv with
 * argv[0] set to "livegate <verb>", prints its result on stdout and its errors on stderr, one line
 * each, and returns an exit status. One thread.
 */
#ifndef LG_WEBHOOK_CLI_CLI_H
#define LG_WEBHOOK_CLI_CLI_H

#include <argp.h>
#include <stdbool.h>

#include "rules/core/err.h"
#include "rules/core/str.h"

struct lg_inventory;
struct lg_policy;

enum lg_exit {
    LG_EXIT_OK = 0,
    LG_EXIT_DENIED = 1,   /* something was denied */
    LG_EXIT_USAGE = 2,    /* the command line is wrong */
    LG_EXIT_INPUT = 3,    /* a file or the cluster cannot be read, or what it says cannot be used */
    LG_EXIT_INTERNAL = 4, /* our fault, or the output cannot be written */
};

struct lg_command {
    const char *name;
    const char *summary; /* one line */
    int (*run)(int argc, char **argv);
};

/* The table, ordered as the overview shows it; ends with name NULL. A new command is one line in
 * cli.c. */
extern const struct lg_command lg_commands[];

/* What main does: finds the command, runs it, checks that its output was written. Returns the exit
 * status. */
int lg_cli_main(int argc, char **argv);

/* argp_parse with exit status 2 for every mistake. --help and mistakes end the process, as argp
 * does. */
void lg_cli_parse(const struct argp *argp, int argc, char **argv, void *input);

/* Options that mean the same for several commands, each with its key; rows of their tables. */
enum { LG_CLI_KUBECONFIG = 512 }; /* above every command's own */
#define LG_CLI_OPTION_KUBECONFIG                                                                   \
    {                                                                                              \
        "kubeconfig", LG_CLI_KUBECONFIG, "FILE", 0,                                                \
            "The cluster to look at; else as kubectl finds it, else the pod's own", 0              \
    }
#define LG_CLI_OPTION_OUTPUT                                                                       \
    {                                                                                              \
        "output", 'o', "table|json", 0, "How to print; table is the default", 0                    \
    }
#define LG_CLI_OPTION_POLICY                                                                       \
    {                                                                                              \
        "policy", 'p', "FILE", 0, "The policy to judge by", 0                                      \
    }

/* The end of a parser whose command takes options only: an argument ends the process with exit
 * status 2. Returns what the parser is to return, ARGP_ERR_UNKNOWN for every other key. */
error_t lg_cli_parse_rest(int key, const char *arg, const struct argp_state *state);

/* Appends to a list that the caller frees; the items are borrowed. */
void lg_cli_append(const char ***io_list, size_t *io_n, const char *item);

/* What --output asks for: true for json, false for table; any other ends the process with exit
 * status 2. */
bool lg_cli_wants_json(const char *format, const struct argp_state *state);

/* Prints "livegate: where: text" on stderr, on one line, and returns the exit status that fits the
 * code. */
int lg_cli_fail(const struct lg_err *err);

/* Says on standard error that the KubeVirt CR's version is not understood, so that the newest
 * profile stands in; nothing where it is, where there is none, or where policy says one. */
void lg_cli_note_version(const struct lg_inventory *inventory, const struct lg_policy *policy);

/* The policy in the file, or the default one for NULL; given. As lg_file_read and
 * lg_policy_parse. */
enum lg_err_code lg_cli_policy(const char *path, struct lg_policy **ret, struct lg_err *err)
    __attribute__((warn_unused_result));

/* The name among `n` candidates that `typed` most likely means, or NULL when nothing is near. O(n x
 * length^2). */
const char *lg_cli_nearest(struct lg_str typed, const char *const *names, size_t n);

int lg_cmd_certs(int argc, char **argv);
int lg_cmd_check(int argc, char **argv);
int lg_cmd_policy(int argc, char **argv);
int lg_cmd_rules(int argc, char **argv);
int lg_cmd_scan(int argc, char **argv);
int lg_cmd_status(int argc, char **argv);
int lg_cmd_serve(int argc, char **argv);
int lg_cmd_version(int argc, char **argv);

#endif
