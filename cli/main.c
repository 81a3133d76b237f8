#include "cli.h"
#include "store/child.h"

int main(int argc, char **argv)
{
	(void)vd_process_private(); /* keys and texts stay out of core dumps */
	return vd_cli_run(argc, argv);
}
