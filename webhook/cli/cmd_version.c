/* livegate version. */
#include <stdio.h>

#include "webhook/cli/cli.h"

/* NOLINTNEXTLINE(readability-non-const-parameter): argp's signature */
static error_t parse(int key, char *arg, struct argp_state *state)
{
    return lg_cli_parse_rest(key, arg, state);
}

int lg_cmd_version(int argc, char **argv)
{
    static const struct argp argp = {.parser = parse, .doc = "Prints the version."};

    lg_cli_parse(&argp, argc, argv, NULL);
    puts("livegate " LG_VERSION);
    return LG_EXIT_OK;
}
