/* The dispatcher: `livegate <command> ...`. */
#include "webhook/cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/core/file.h"
#include "rules/core/mem.h"
#include "rules/inventory.h"
#include "rules/policy.h"

const struct lg_command lg_commands[] = {
    {"check", "judges files as the webhook would", lg_cmd_check},
    {"serve", "answers admission reviews over HTTPS", lg_cmd_serve},
    {"scan", "judges what is in a cluster now, or forecasts a drain", lg_cmd_scan},
    {"status", "shows the limits of migrations, who migrates and who waits", lg_cmd_status},
    {"rules", "lists the rules, or explains some", lg_cmd_rules},
    {"policy", "validates a policy and prints what it means", lg_cmd_policy},
    {"certs", "makes, shows and publishes the serving certificate", lg_cmd_certs},
    {"version", "prints the version", lg_cmd_version},
    {NULL, NULL, NULL},
};

enum { TYPED_BYTES_MAX = 64, COMMANDS_MAX = 16, POLICY_BYTES_MAX = 1024 * 1024 };

static void print_overview(FILE *out)
{
    fputs("Usage: livegate COMMAND [OPTION...]\n\n"
          "A gate for live migration on KubeVirt: says before a virtual machine exists whether it\n"
          "can move to another node, and why not.\n\n",
          out);
    for (const struct lg_command *command = lg_commands; command->name != NULL; command++) {
        fprintf(out, "  %-9s %s\n", command->name, command->summary);
    }
    fputs("\n`livegate COMMAND --help` shows what a command takes.\n"
          "Exit status: 0 nothing denied, 1 something denied, 2 usage, 3 a file or the cluster\n"
          "cannot be read, 4 internal error.\n",
          out);
}

/* Edits (insert, delete, replace) from a to b; both are shorter than TYPED_BYTES_MAX. */
static size_t distance(struct lg_str a, struct lg_str b)
{
    size_t row[TYPED_BYTES_MAX + 1];

    for (size_t j = 0; j <= b.n; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a.n; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            size_t replaced = diagonal + (a.p[i - 1] != b.p[j - 1]);
            size_t shorter = row[j] < row[j - 1] ? row[j] : row[j - 1];
            diagonal = row[j];
            row[j] = replaced < shorter + 1 ? replaced : shorter + 1;
        }
    }
    return row[b.n];
}

const char *lg_cli_nearest(struct lg_str typed, const char *const *names, size_t n)
{
    const char *best = NULL;
    size_t best_distance = 0;

    if (typed.n == 0 || typed.n > TYPED_BYTES_MAX) {
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        struct lg_str name = lg_str_of(names[i]);
        if (name.n > TYPED_BYTES_MAX) {
            continue;
        }
        bool prefix = name.n > typed.n && memcmp(name.p, typed.p, typed.n) == 0;
        size_t d = prefix ? 1 : distance(typed, name);
        if (d <= 1 + name.n / 3 && (best == NULL || d < best_distance)) {
            best = names[i];
            best_distance = d;
        }
    }
    return best;
}

static int unknown_command(const char *typed)
{
    const char *names[COMMANDS_MAX];
    size_t n = 0;
    struct lg_buf line lg_cleanup(lg_buf_done) = {0};

    for (const struct lg_command *c = lg_commands; c->name != NULL && n < COMMANDS_MAX; c++) {
        names[n++] = c->name;
    }
    const char *nearest = lg_cli_nearest(lg_str_of(typed), names, n);
    lg_buf_puts(&line, "livegate: there is no command \"");
    lg_buf_printable(&line, lg_str_cut(lg_str_of(typed), TYPED_BYTES_MAX));
    lg_buf_putc(&line, '"');
    if (nearest != NULL) {
        lg_buf_printf(&line, "; did you mean \"%s\"?", nearest);
    } else {
        lg_buf_puts(&line, "; `livegate --help` lists them");
    }
    fprintf(stderr, "%s\n", line.p);
    return LG_EXIT_USAGE;
}

/* A full disk or a closed pipe must not look like a clean report. */
static int flush_output(int status)
{
    if (fflush(stdout) != 0 || ferror(stdout)) {
        perror("livegate: standard output");
        return LG_EXIT_INTERNAL;
    }
    return status;
}

static int run(const struct lg_command *command, int argc, char **argv)
{
    char name[TYPED_BYTES_MAX];

    snprintf(name, sizeof name, "livegate %s", command->name);
    argv[0] = name;
    return flush_output(command->run(argc, argv));
}

int lg_cli_main(int argc, char **argv)
{
    if (argc < 2) {
        print_overview(stderr);
        return LG_EXIT_USAGE;
    }
    const char *typed = argv[1];
    if (strcmp(typed, "--help") == 0 || strcmp(typed, "-h") == 0 || strcmp(typed, "-?") == 0 ||
        strcmp(typed, "help") == 0) {
        print_overview(stdout);
        return flush_output(LG_EXIT_OK);
    }
    if (strcmp(typed, "--version") == 0 || strcmp(typed, "-V") == 0) {
        typed = "version";
    }
    for (const struct lg_command *command = lg_commands; command->name != NULL; command++) {
        if (strcmp(typed, command->name) == 0) {
            return run(command, argc - 1, argv + 1);
        }
    }
    return unknown_command(typed);
}

void lg_cli_parse(const struct argp *argp, int argc, char **argv, void *input)
{
    argp_err_exit_status = LG_EXIT_USAGE;
    if (argp_parse(argp, argc, argv, 0, NULL, input) != 0) {
        /* Only a parser's own error code comes back, and ours report through argp_error. */
        exit(LG_EXIT_USAGE);
    }
}

error_t lg_cli_parse_rest(int key, const char *arg, const struct argp_state *state)
{
    if (key != ARGP_KEY_ARG)
        return ARGP_ERR_UNKNOWN;
    argp_error(state, "does not take \"%s\"", arg);
    return 0;
}

void lg_cli_append(const char ***io_list, size_t *io_n, const char *item)
{
    *io_list = lg_realloc(*io_list, *io_n + 1, sizeof **io_list);
    (*io_list)[(*io_n)++] = item;
}

bool lg_cli_wants_json(const char *format, const struct argp_state *state)
{
    bool json = strcmp(format, "json") == 0;
    if (!json && strcmp(format, "table") != 0)
        argp_error(state, "--output is table or json, not \"%s\"", format);
    return json;
}

int lg_cli_fail(const struct lg_err *err)
{
    char text[LG_ERR_WHERE_BYTES + LG_ERR_TEXT_BYTES];
    struct lg_buf line lg_cleanup(lg_buf_done) = {0};

    lg_buf_printable(&line, lg_str_of(lg_err_format(err, text, sizeof text)));
    fprintf(stderr, "livegate: %s\n", line.p != NULL ? line.p : "");
    return err->code == LG_E_INTERNAL || err->code == LG_E_NOMEM ? LG_EXIT_INTERNAL : LG_EXIT_INPUT;
}

void lg_cli_note_version(const struct lg_inventory *inventory, const struct lg_policy *policy)
{
    const struct lg_settings *settings = lg_inventory_settings(inventory);
    struct lg_buf line lg_cleanup(lg_buf_done) = {0};

    if (settings->version_known || settings->version_text.n == 0 ||
        lg_policy_kubevirt_version(policy) != 0)
        return;
    lg_buf_puts(&line, "livegate: the KubeVirt CR's version \"");
    lg_buf_printable(&line, lg_str_cut(settings->version_text, TYPED_BYTES_MAX));
    lg_buf_printf(&line,
                  "\" is not understood; judged as KubeVirt %d.%d, the newest known (check "
                  "--kubevirt-version, or policy's kubevirtVersion, says another)",
                  settings->version / 100, settings->version % 100);
    fprintf(stderr, "%s\n", line.p);
}

enum lg_err_code lg_cli_policy(const char *path, struct lg_policy **ret, struct lg_err *err)
{
    char *text lg_cleanup(lg_free_cleanup) = NULL;
    size_t bytes = 0;

    if (path == NULL) {
        *ret = lg_policy_default();
        return LG_E_OK;
    }
    enum lg_err_code code = lg_file_read(path, POLICY_BYTES_MAX, &text, &bytes, err);
    if (code != LG_E_OK)
        return code;
    return lg_policy_parse((struct lg_str){text, bytes}, path, ret, err);
}
