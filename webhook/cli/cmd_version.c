/* livegate version. */
#include <stdio.h>

#include "webhook/cli/cli.h"

/* NOLINTNEXTLINE(readability-non-const-parameter): argp's signature */
static error_t parse(int key, char *arg, struct argp_state *state)
{
    if (key != ARGP_KEY_ARG)
        return ARGP_ERR_UNKNOWN;
    argp_error(state, "does not take \"%s\"", arg);
    return 0;
}

int lg_cmd_version(int argc, char **argv)
{
    static const struct argp argp = {.parser = parse, .doc = "Prints the version."};

    lg_cli_parse(&argp, argc, argv, NULL);
    puts("livegate " LG_VERSION);
    return LG_EXIT_OK;
}
