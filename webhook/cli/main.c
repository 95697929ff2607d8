/* The program: everything is in the libraries, so that tests link the same archives. */
#include "webhook/cli/cli.h"

int main(int argc, char **argv)
{
    return lg_cli_main(argc, argv);
}
