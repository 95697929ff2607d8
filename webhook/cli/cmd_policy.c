/* livegate policy FILE: says whether the file is a policy, and what it means. */
#include <time.h>

#include "rules/core/mem.h"
#include "rules/policy.h"
#include "webhook/cli/cli.h"
#include "webhook/cli/output.h"

/* NOLINTNEXTLINE(readability-non-const-parameter): argp's signature */
static error_t parse(int key, char *arg, struct argp_state *state)
{
    const char **path = state->input;

    switch (key) {
    case ARGP_KEY_ARG:
        if (*path != NULL)
            argp_error(state, "one file at a time, not \"%s\" too", arg);
        *path = arg;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which file? - is standard input");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    .parser = parse,
    .args_doc = "FILE",
    .doc = "Validates a policy file, strictly, and prints what it means."
           "\vExit status: 0 it is a policy, 2 usage, 3 it is none or cannot be read, 4 internal "
           "error.",
};

LG_DEFINE_CLEANUP(struct lg_policy, lg_policy_unref)

int lg_cmd_policy(int argc, char **argv)
{
    const char *path = NULL;
    struct lg_policy *policy lg_cleanup(lg_policy_unref_cleanup) = NULL;
    struct lg_buf buf lg_cleanup(lg_buf_done) = {0};
    struct lg_err err = {0};

    lg_cli_parse(&argp, argc, argv, &path);
    if (lg_cli_policy(path, &policy, &err) != LG_E_OK)
        return lg_cli_fail(&err);
    lg_policy_describe(policy, (int64_t)time(NULL), &buf);
    lg_output_flush(stdout, &buf);
    return LG_EXIT_OK;
}
