#include "config.h"

#include "base/lang.h"
#include "cmd/cmd.h"

const struct cmd cmd_mda = { "open", "[--mda]",
    N_("filter: a bare envelope to its message"), CMD_CONF_MAYBE | CMD_JSON,
    cmd_open_mda };

const struct cmd cmds[] = {
	{ "setup", "[ADDRESS] [--role practice|laboratory] [--imap HOST] "
	    "[--pop3 HOST] [--smtp HOST] [--user NAME] "
	    "[--keep file|keychain|keyring] [--password-command COMMAND] "
	    "[--token-command COMMAND] [--folder PATH] [--outbox PATH] "
	    "[--ca-file FILE] [--providers FILE] [--no-test] [--yes] "
	    "[--force] [--print]",
	    N_("ask the few questions, test the servers, write the "
	    "configuration"), 0, cmd_setup },
	{ "poll", "", N_("fetch, open, file, acknowledge, relay once: for "
	    "cron"), CMD_CONF | CMD_DRY, cmd_poll },
	{ "run", "", N_("the same, and stay"), CMD_CONF, cmd_run },
	{ "send", "[-t] [-i] [-f ADDRESS] [--id ID] [--] [RECIPIENT...]",
	    N_("seal a mail from standard input and queue it"),
	    CMD_CONF | CMD_DRY | CMD_JSON, cmd_send },
	{ "seal", "--to ID", N_("filter: a message to a bare envelope"),
	    CMD_CONF_MAYBE, cmd_seal },
	{ "open", "[--mda]", N_("filter: a bare envelope to its message"),
	    CMD_CONF_MAYBE | CMD_JSON, cmd_open },
	{ "status", "", N_("what became of what was sent; what waits"),
	    CMD_CONF | CMD_JSON, cmd_status },
	{ "sent", "[--since DATE|--days N] [--to WHO] [--late] [--print]",
	    N_("each message with its states and times; whom to call"),
	    CMD_CONF | CMD_JSON, cmd_sent },
	{ "inbox", "[--days N] [--flagged]", N_("what was filed lately, and "
	    "what to look at"), CMD_CONF | CMD_JSON, cmd_inbox },
	{ "queue list", "", N_("what waits to be relayed"),
	    CMD_CONF | CMD_JSON, cmd_queue_list },
	{ "queue show", "NO", N_("one message of the queue, also when it is "
	    "done"), CMD_CONF | CMD_JSON, cmd_queue_show },
	{ "queue add", "FILE|FOLDER...", N_("relay sealed mails that an "
	    "issuer's desk made"), CMD_CONF | CMD_DRY | CMD_JSON,
	    cmd_queue_add },
	{ "queue retry", "NO|--to WHO", N_("try one message now, or all of "
	    "a correspondent"),
	    CMD_CONF | CMD_DRY, cmd_queue_retry },
	{ "queue drop", "NO", N_("give one message up, without a notice"),
	    CMD_CONF | CMD_DRY, cmd_queue_drop },
	{ "held list", "", N_("what is kept sealed, and why"),
	    CMD_CONF | CMD_JSON, cmd_held_list },
	{ "held show", "NO", N_("one held message"), CMD_CONF | CMD_JSON,
	    cmd_held_show },
	{ "held release", "NO", N_("open one held message once more, at the "
	    "next poll"), CMD_CONF | CMD_DRY, cmd_held_release },
	{ "held drop", "NO", N_("give one held message up for good"),
	    CMD_CONF | CMD_DRY, cmd_held_drop },
	{ "key import", "FILE [--code-file FILE] [--digits DIGITS] "
	    "[--pass-file FILE]",
	    N_("take in the year's key file, with the code of the letter"),
	    CMD_CONF | CMD_DRY | CMD_JSON, cmd_key_import },
	{ "key renew", "[FILE] [--code-file FILE] [--digits DIGITS]",
	    N_("the same for the next year; without FILE it is looked for"),
	    CMD_CONF | CMD_DRY | CMD_JSON, cmd_key_renew },
	{ "key export", "FILE [--pass-file FILE]",
	    N_("the keys under a passphrase, for another computer"),
	    CMD_CONF | CMD_DRY, cmd_key_export },
	{ "key list", "[--peers] [WORD]", N_("the keys held, and until when; "
	    "correspondents"),
	    CMD_CONF_MAYBE | CMD_JSON, cmd_key_list },
	{ "bar", "NAME [--generation N|--excluded] [--reason TEXT] | --list",
	    N_("watch desk: a stolen key or a member who has left: tell "
	    "everybody"), CMD_CONF | CMD_DRY | CMD_JSON, cmd_bar },
	{ "issuer init", "DIR --assoc NAME --year Y --domain D [--issuer ADDR] "
	    "[--watch ADDR] [--hub ADDR ROUTE] [--call TEXT] "
	    "[--sheets FOLDER]",
	    N_("offline: make the desk of an association, and the year's "
	    "root"), CMD_DRY | CMD_JSON, cmd_issuer_init },
	{ "issuer add", "DIR MEMBERS.csv",
	    N_("enter members into its register"), CMD_DRY | CMD_JSON,
	    cmd_issuer_add },
	{ "issuer batch", "DIR [--out OUT] [--policy full|list|gateway] "
	    "[--directory all|ring] [--year Y] "
	    "[--custodian FILE]...",
	    N_("make their key files, and the letters with the codes"),
	    CMD_DRY | CMD_JSON, cmd_issuer_batch },
	{ "issuer newcomer", "DIR MEMBERS.csv [--out OUT] [--year Y] "
	    "[--custodian FILE]...", N_("enter newcomers, and make their key "
	    "files and letters alone"), CMD_DRY | CMD_JSON,
	    cmd_issuer_newcomer },
	{ "issuer enrol", "DIR --out OUT [--since DATE] "
	    "[--custodian FILE]...",
	    N_("mails that tell the members of newcomers, new keys and "
	    "departures"), CMD_DRY | CMD_JSON, cmd_issuer_enrol },
	{ "issuer renew", "DIR --year Y [--out OUT] [--sheets FOLDER] "
	    "[--custodian FILE]...",
	    N_("the root, the key files and the letters of the next year"),
	    CMD_DRY | CMD_JSON, cmd_issuer_renew },
	{ "issuer sheets", "DIR --year Y [--sheets FOLDER] "
	    "[--custodian FILE]...", N_("new sheets for the custodians, after "
	    "one was lost or a custodian has left"), CMD_DRY | CMD_JSON,
	    cmd_issuer_sheets },
	{ "issuer audit", "DIR [--noted HASH]",
	    N_("what was done at the desk; is its journal whole?"),
	    CMD_JSON, cmd_issuer_audit },
	{ "issuer reissue", "DIR NAME [--out OUT] [--custodian FILE]...",
	    N_("a new key for a member whose computer or key was stolen or "
	    "lost"), CMD_DRY | CMD_JSON, cmd_issuer_reissue },
	{ "issuer leave", "DIR NAME",
	    N_("a member leaves the association"), CMD_DRY | CMD_JSON,
	    cmd_issuer_leave },
	{ "issuer list", "DIR --out FILE [--ring LIST]",
	    N_("for another association: who of ours may write to its "
	    "members"), CMD_DRY | CMD_JSON, cmd_issuer_list },
	{ "issuer grant", "DIR LIST --out OUT [--ring LIST] [--year Y] "
	    "[--custodian FILE]...", N_("the keys with which those on another "
	    "association's list may write to ours"), CMD_DRY | CMD_JSON,
	    cmd_issuer_grant },
	{ "issuer accept", "DIR GRANTS --out OUT [--code-file FILE] "
	    "[--custodian FILE]...", N_("mails that bring our members what "
	    "another association granted"), CMD_DRY | CMD_JSON,
	    cmd_issuer_accept },
	{ "issuer destroy", "DIR --year Y [--early|--lost [--really]] "
	    "[--custodian FILE]...",
	    N_("the end of a year's root; what is needed to arbitrate stays"),
	    CMD_DRY | CMD_JSON, cmd_issuer_destroy },
	{ "issuer witness", "DIR PROOF [--mail FILE] [--custodian FILE]...",
	    N_("was it he who wrote that mail?"), CMD_JSON,
	    cmd_issuer_witness },
	{ "hprim check", "FILE...", N_("are these HPRIM files fit to be "
	    "sent?"), CMD_JSON, cmd_hprim_check },
	{ "log", "[--days N]", N_("what happened"), CMD_CONF | CMD_JSON,
	    cmd_log },
	{ "register list", "[--days N] [--patient NAME]",
	    N_("what was sent and came, and what became of it"),
	    CMD_CONF | CMD_JSON, cmd_register_list },
	{ "register prove", "NUMBER", N_("what an auditor needs for one "
	    "message"), CMD_CONF, cmd_register_prove },
	{ "register verify", "", N_("is the register whole?"),
	    CMD_CONF | CMD_JSON, cmd_register_verify },
	{ "refile", "NUMBER...|--since DATE|--days N", N_("file once more what "
	    "was filed, from what is kept sealed"), CMD_CONF | CMD_DRY,
	    cmd_refile },
	{ "schedule", "[--kind cron|systemd|launchd] [--every MINUTES] "
	    "[--hours H-H] [--days DAYS] [--print|--remove]",
	    N_("have poll run by itself"), 0, cmd_schedule },
	{ "restored", "", N_("a backup of the state was put back: show what "
	    "may come twice as such"), CMD_CONF | CMD_DRY | CMD_JSON,
	    cmd_restored },
	{ "check", "", N_("are servers, certificates, keys, folders and "
	    "clock in order?"), CMD_CONF | CMD_JSON, cmd_check },
	{ NULL, NULL, NULL, 0, NULL }
};
