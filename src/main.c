#include "config.h"

#include "cmd/cmd.h"

int
main(int argc, char **argv)
{
	return app_main(argc, argv);
}
