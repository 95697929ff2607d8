/* livegate version: the version, and what it was built with. */
#include <stdio.h>

#include "webhook/cli/cli.h"

int lg_cmd_version(int argc, char **argv)
{
    static const struct argp argp = {.doc = "Prints the version."};

    lg_cli_parse(&argp, argc, argv, NULL);
    puts("livegate " LG_VERSION);
    return LG_EXIT_OK;
}
