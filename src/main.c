#include "config.h"

#include "base/fault.h"
#include "cmd/cmd.h"

int
main(int argc, char **argv)
{
	/* The first of all opens their log, before any sandbox. */
	FAULT("main");
	return app_main(argc, argv);
}
