#include "config.h"

#include "base/lang.h"
#include "cmd/cmd.h"

const struct cmd cmds[] = {
	{ "poll", "", N_("fetch, open, file, acknowledge, relay once: for "
	    "cron"), CMD_CONF | CMD_DRY, cmd_poll },
	{ "run", "", N_("the same, and stay"), CMD_CONF, cmd_run },
	{ "send", "[-t] [-i] [-f ADDRESS] [--] [RECIPIENT...]",
	    N_("seal a mail from standard input and queue it"),
	    CMD_CONF | CMD_DRY | CMD_JSON, cmd_send },
	{ "seal", "--to ID", N_("filter: a message to a bare envelope"),
	    CMD_CONF_MAYBE, cmd_seal },
	{ "open", "[--mda]", N_("filter: a bare envelope to its message"),
	    CMD_CONF_MAYBE | CMD_JSON, cmd_open },
	{ NULL, NULL, NULL, 0, NULL }
};
