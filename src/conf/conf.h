/* What the operator wrote, checked; one row per setting in conf.c. */
#ifndef SC_CONF_CONF_H
#define SC_CONF_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hours.h"

enum conf_tls {
	CONF_TLS_IMPLICIT,	/* from the first octet */
	CONF_TLS_STARTTLS,	/* asked for in clear, required */
	CONF_TLS_NONE		/* only to a loopback address, never else */
};

enum conf_auth {
	CONF_AUTH_PASSWORD,
	CONF_AUTH_XOAUTH2,
	CONF_AUTH_NONE		/* relays only */
};

enum conf_protocol {
	CONF_IMAP,
	CONF_POP3,
	CONF_MAILDIR,	/* another program fetched it there */
	CONF_FOLDER,	/* one mail per file */
	CONF_STDIN	/* sceau open --mda; never in a file */
};

/* What becomes of the server's copy once the mail is delivered. */
enum conf_after { CONF_AFTER_DELETE, CONF_AFTER_MOVE, CONF_AFTER_KEEP };

enum conf_engine { CONF_ENGINE_AUTO, CONF_ENGINE_ESMTP, CONF_ENGINE_CURL,
    CONF_ENGINE_SCEAU };

/* How to reach and prove oneself to one server. */
struct conf_server {
	char		*host;		/* name the certificate must bear */
	uint16_t	 port;
	enum conf_tls	 tls;
	char		*ca_file;	/* instead of the system's; or NULL */
	char		*pin;		/* "sha256//" base64 of the public key's
					 * SubjectPublicKeyInfo, or NULL */
	char		*user;
	enum conf_auth	 auth;
	char		*password_command;	/* at most one of these three */
	char		*password_file;
	char		*token_command;
	int		 timeout_s;	/* of each step; default 60 */
	int		 session_s;	/* of a whole session of `poll`; 3600 */
};

enum conf_unsealed { CONF_UNSEALED_LEAVE, CONF_UNSEALED_DELIVER };

struct conf_account {
	char		*name;
	enum conf_protocol protocol;
	struct conf_server server;	/* IMAP, POP3 */
	char		*path;		/* Maildir, folder */
	char		*mailbox;	/* IMAP; default "INBOX" */
	enum conf_after	 after;
	char		*move_to;	/* IMAP, AFTER_MOVE */
	int		 keep_days;	/* AFTER_KEEP; 0: for ever */
	enum conf_unsealed unsealed;	/* what becomes of mail that is not */
	char		*unsealed_to;	/* IMAP: LEAVE moves it there; or
					 * NULL */
	bool		 idle;		/* `run`: IMAP IDLE where offered */
	int		 every_s;	/* `run`: poll interval; default 300 */
	int		 batch;		/* messages per request; default 100 */
};

struct conf_relay {
	char		*name;
	struct conf_server server;
	enum conf_engine engine;
	char		*helo;		/* or NULL: [address literal] */
	int		 sessions;	/* at once; default 4 */
};

enum conf_deliver_kind {
	CONF_DELIVER_MAILDIR,	/* whole messages */
	CONF_DELIVER_FOLDER,	/* documents, for the practice software */
	CONF_DELIVER_PIPE	/* whole message on stdin of a command */
};

/* What documents are made into; CONF_..._KEEP: left as they came. */
enum conf_charset { CONF_CHARSET_KEEP, CONF_CHARSET_UTF8, CONF_CHARSET_LATIN1,
    CONF_CHARSET_CP1252, CONF_CHARSET_CP850, CONF_CHARSET_MACROMAN };
enum conf_eol { CONF_EOL_KEEP, CONF_EOL_LF, CONF_EOL_CRLF, CONF_EOL_CR };
enum conf_file_per { CONF_FILE_PER_DOCUMENT, CONF_FILE_PER_PATIENT,
    CONF_FILE_PER_MESSAGE };
enum conf_header { CONF_HEADER_KEEP, CONF_HEADER_WHOLE };

struct conf_deliver {
	char		*name;
	enum conf_deliver_kind kind;
	char		*path;		/* Maildir, folder */
	char		*command;	/* pipe */
	/* Who gets what; NULL: everything.  Lists, with commas. */
	char		*from;		/* addresses, "@domain" */
	char		*to;		/* line 12: code, name or address */
	bool		 otherwise;	/* what no other has taken */
	bool		 unsealed;	/* mail that is not sealed, and no
					 * other */
	/* Of a folder: */
	enum conf_charset charset;
	enum conf_eol	 line_ends;
	enum conf_file_per file_per;
	enum conf_header header;	/* of HPRIM */
	char		*names;		/* how names begin: value_names() */
	char		*attachments;	/* folder of what is no text; or NULL:
					 * beside it */
	char		*remarks;	/* folder of what is to be told */
	bool		 opened;	/* acknowledged when it was taken */
	char		*filed;		/* folder that it is moved to; or NULL:
					 * it vanishes */
};

/* How a laboratory's system shows that a file is whole. */
enum conf_ready {
	CONF_READY_QUIET,	/* nobody has written to it for a while */
	CONF_READY_RENAME,	/* it is given its name when it is */
	CONF_READY_OK		/* another, with ".ok", comes behind it */
};
enum conf_outbox_route {
	CONF_OUTBOX_FOLDER,	/* the sub-folder is the recipient's */
	CONF_OUTBOX_HPRIM	/* line 12 says for whom it is */
};
enum conf_outbox_after { CONF_OUTBOX_DELETE, CONF_OUTBOX_MOVE };
enum conf_oddities { CONF_ODDITIES_SEND, CONF_ODDITIES_REFUSE };

/* A folder where a laboratory's system drops what is to be sent. */
struct conf_outbox {
	char		*name;
	char		*path;
	char		*from;		/* which of our identities; or NULL */
	char		*to;		/* one recipient for all; or NULL */
	enum conf_outbox_route route;
	char		*aliases;	/* file "code or name = address" */
	enum conf_ready	 ready;
	int		 quiet_s;
	enum conf_outbox_after after;
	char		*sent;		/* CONF_OUTBOX_MOVE */
	char		*refused;
	bool		 split;		/* a message for each patient */
	enum conf_oddities oddities;	/* of HPRIM */
	char		*subject;	/* or NULL: one without content */
};

/* How long something may take, in hours of the clock or of work. */
struct conf_wait {
	int		 s;
	bool		 working;
};

struct conf {
	char		*path;		/* of the file read */
	char		*language;	/* "fr", "en" or NULL */
	char		*state;		/* folder of the store */
	char		*keystore;	/* the local key store, vault/ */
	char		*keystore_key;	/* its machine key */
	char		*route;		/* our own mailbox, an addr-spec */
	bool		 syslog;
	int		 log_level;	/* enum log_level */
	uint64_t	 max_send;	/* octets of inner mail; 25 MB */
	uint64_t	 max_receive;	/* octets of envelope; 64 MB */
	int		 ack_delay_min_s, ack_delay_max_s;	/* 60, 300 */
	int		 give_up_s;	/* queue lifetime; 5 days */
	int		 keep_filed_s;	/* for `sceau refile`; 30 days */
	int		 keep_patients_s;	/* digests; 3 years; 0: none */
	bool		 register_patients;	/* of what outboxes send */
	struct hours	 working;	/* when people are at work */
	struct conf_wait late;		/* alarm when not received; 24 h */
	struct conf_wait unopened;	/* and not opened; 72 h */
	struct conf_wait silent;	/* no news of a practice; 3 days */
	int		 parallel;	/* fetchers at once; 64 */
	bool		 hub;		/* relay for members: gateway only */
	char		*hub_members;	/* for these; or NULL: for all */
	int		 hub_messages;	/* for each, a day; 0: no limit */
	uint64_t	 hub_size;	/* the same in octets */
	int		 hub_archive_s;	/* what it relays; 0: not kept */
	char		*alarm_command;	/* gets alarms on stdin; or NULL */
	char		*digest_to;	/* whom the daily mail is for; or NULL:
					 * there is none */
	int		 digest_at;	/* hour; 7 */
	char		*digest_command;	/* gets it on stdin */
	bool		 digest_empty;	/* also when there is no alarm */
	char		*metrics_file;	/* for Prometheus; or NULL */
	struct conf_account	*accounts;	size_t naccounts;
	struct conf_relay	*relays;	size_t nrelays;
	/* Those of mail that is sealed; behind them the others. */
	struct conf_deliver	*delivers;	size_t ndelivers, nunsealed;
	struct conf_outbox	*outboxes;	size_t noutboxes;
};

/*
 * conf_load(path, c, e):
 * Read ${path}, or when NULL the first that is there of
 * ~/.config/sceau/sceau.conf and SYSCONFDIR/sceau.conf.  Every complaint is
 * RC_CONF and begins "file:line: "; an unknown setting, an impossible pair
 * and a file with a password in it that others can read are complaints.
 * ${c} is owned and must be conf_free()d, after a failure too.
 */
enum rc conf_load(const char *path, struct conf *c, struct err *e);
void conf_free(struct conf *c);

/*
 * conf_read(path, text, len, c, e):
 * The same for a text in memory; ${path} is what complaints say, and rights of
 * ${path} itself are not looked at.
 */
enum rc conf_read(const char *path, const void *text, size_t len,
    struct conf *c, struct err *e);

/* conf_before(c, w, now): what began before that moment has waited for longer
 * than ${w} at ${now}. */
int64_t conf_before(const struct conf *c, const struct conf_wait *w,
    int64_t now);

/* conf_route(c, e): RC_OK; RC_CONF: there is no route, and so nothing can be
 * sent. */
enum rc conf_route(const struct conf *c, struct err *e);

/* One row of the table, for manuals and for `sceau check`. */
struct conf_setting {
	const char	*section;	/* "" at the top */
	const char	*name;
	const char	*type;		/* translated */
	const char	*fallback;	/* when nothing is written, or "" */
	const char	*help;		/* translated */
};

/* conf_settings_each(each, arg, e): every setting there is, in the order of
 * the manual; what ${each} gets is lent for the call. */
enum rc conf_settings_each(enum rc (*each)(void *arg,
    const struct conf_setting *s, struct err *e), void *arg, struct err *e);

#endif
