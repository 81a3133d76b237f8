#include "cli.h"

int main(int argc, char **argv)
{
	return vd_cli_run(argc, argv);
}
