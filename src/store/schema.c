/*
 * What is on disk, version 1.
 *
 * A state changes in one transaction with everything that follows from it:
 *
 * incoming.state     incoming.body  journal.state of its T
 * 1 fetched          yes            any of another message, or none
 * 2 intent           yes            1 intent, journal.incoming = this row
 * 3 delivered        none           2 done (or later forgotten)
 * 4 held             yes            none, 3 damaged, 4 refused; 1 if it may
 *                                   have been filed before it was held; 2 if
 *                                   the same T was delivered from another copy
 * 5 passed           none           none
 *
 * queue.state        queue.body
 * 2 queued           yes
 * 3 claimed          yes
 * 4 sent             mail: until ack 2, 3 or 0x10; else none
 * 5 failed           yes
 *
 * body.owner         meaning
 * NULL               belongs to one row of incoming, kept or queue
 * 0                  condemned: its parts are being deleted
 * 1..                being written by the process that holds this lock slot
 *
 * Variable text is BLOB, compared octet by octet; names out of our own
 * configuration are TEXT.
 */
#include "config.h"

#include "store/db.h"

const char *const schema_sql[] = {
/* Envelopes, in parts; part n of body b has id b * 65536 + n. */
"CREATE TABLE body ("
"  id INTEGER PRIMARY KEY AUTOINCREMENT,"
"  size INTEGER NOT NULL,"
"  parts INTEGER NOT NULL,"
"  owner INTEGER"
") STRICT;",
"CREATE INDEX body_owner ON body (owner) WHERE owner IS NOT NULL;",
"CREATE TABLE body_part ("
"  id INTEGER PRIMARY KEY,"
"  data BLOB NOT NULL"
") STRICT;",

/* Messages of the accounts; uid is the server's name for one. */
"CREATE TABLE incoming ("
"  id INTEGER PRIMARY KEY AUTOINCREMENT,"
"  account TEXT NOT NULL,"
"  uid BLOB NOT NULL,"
"  state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 5),"
"  body INTEGER REFERENCES body (id),"
"  put_at INTEGER NOT NULL,"
"  owner INTEGER,"			/* lock slot of who opens it */
"  t BLOB,"
"  names BLOB,"				/* of the intent */
"  class INTEGER NOT NULL DEFAULT 0,"
"  held_at INTEGER,"			/* first held with this class */
"  sender BLOB,"			/* identity, when authentic */
"  action INTEGER NOT NULL DEFAULT 0,"
"  release_at INTEGER NOT NULL DEFAULT 0,"
"  gone INTEGER NOT NULL DEFAULT 0,"	/* from the server */
"  filing INTEGER NOT NULL DEFAULT 0,"	/* once more: of ${kept} */
"  UNIQUE (account, uid),"
"  CHECK ((body IS NULL) = (state IN (3, 5)))"
") STRICT;",
"CREATE INDEX incoming_open ON incoming (id) WHERE state <= 2;",
"CREATE INDEX incoming_body ON incoming (body) WHERE body IS NOT NULL;",
"CREATE INDEX incoming_held ON incoming (id) WHERE state = 4;",
"CREATE INDEX incoming_fresh ON incoming (held_at) WHERE class <> 0;",
"CREATE INDEX incoming_release ON incoming (account, release_at)"
"  WHERE action <> 0 AND gone = 0 AND state >= 3;",
"CREATE INDEX incoming_gone ON incoming (put_at) WHERE gone = 1;",

/* Where the names of ${incoming} mean something. */
"CREATE TABLE account ("
"  name TEXT NOT NULL PRIMARY KEY,"
"  place BLOB NOT NULL"
") STRICT;",

/* Identities of others, as numbers. */
"CREATE TABLE peer ("
"  id INTEGER PRIMARY KEY,"
"  identity BLOB NOT NULL UNIQUE"
") STRICT;",

/* Every T that was authentic: 1 intent, 2 done, 3 damaged, 4 refused. */
"CREATE TABLE journal ("
"  id INTEGER PRIMARY KEY AUTOINCREMENT,"
"  t BLOB NOT NULL UNIQUE CHECK (length(t) = 32),"
"  state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 4),"
"  incoming INTEGER,"			/* whose intent it is */
"  peer INTEGER NOT NULL,"
"  year INTEGER NOT NULL,"
"  ack_state INTEGER NOT NULL DEFAULT 0,"	/* the last we said */
"  ack_at INTEGER NOT NULL DEFAULT 0,"
"  d BLOB,"
"  forget_at INTEGER NOT NULL"
") STRICT;",
"CREATE INDEX journal_forget ON journal (forget_at);",

/* What came relayed, by its original T and sender (PROTOCOL 2.19.33). */
"CREATE TABLE original ("
"  t BLOB NOT NULL,"
"  peer INTEGER NOT NULL,"
"  journal INTEGER NOT NULL,"		/* of the T that brought it */
"  forget_at INTEGER NOT NULL,"
"  PRIMARY KEY (t, peer)"
") STRICT, WITHOUT ROWID;",
"CREATE INDEX original_forget ON original (forget_at);",

/* What was filed, for as long as it can be filed once more. */
"CREATE TABLE kept ("
"  t BLOB NOT NULL PRIMARY KEY,"
"  body INTEGER REFERENCES body (id),"	/* NULL: it waits in ${incoming} */
"  at INTEGER NOT NULL,"
"  until INTEGER NOT NULL,"
"  filings INTEGER NOT NULL DEFAULT 1"
") STRICT;",
"CREATE INDEX kept_until ON kept (until);",
"CREATE INDEX kept_body ON kept (body) WHERE body IS NOT NULL;",

/* What was filed and when; a row begins with its intent. */
"CREATE TABLE inbox ("
"  id INTEGER PRIMARY KEY AUTOINCREMENT,"
"  t BLOB NOT NULL,"
"  filing INTEGER NOT NULL,"
"  received_at INTEGER NOT NULL,"
"  at INTEGER NOT NULL,"
"  filed INTEGER NOT NULL DEFAULT 0,"
"  sender BLOB NOT NULL,"
"  places BLOB NOT NULL,"
"  reports INTEGER NOT NULL,"
"  flags INTEGER NOT NULL,"		/* enum store_inbox_flag */
"  odd BLOB,"				/* which reports; NULL: none */
"  UNIQUE (t, filing)"
") STRICT;",
"CREATE INDEX inbox_at ON inbox (at);",
/* Whose reports have come: keyed digests of the name, and of the name with a
 * birth date.  Several of one name are people of the same name. */
"CREATE TABLE patient ("
"  name BLOB NOT NULL,"
"  birth BLOB NOT NULL,"
"  first_at INTEGER NOT NULL,"
"  last_at INTEGER NOT NULL,"
"  PRIMARY KEY (name, birth)"
") STRICT, WITHOUT ROWID;",
"CREATE INDEX patient_last ON patient (last_at);",

/* Delivered files that the practice's software has not taken yet. */
"CREATE TABLE watch ("
"  id INTEGER PRIMARY KEY AUTOINCREMENT,"
"  t BLOB NOT NULL,"
"  names BLOB NOT NULL,"
"  at INTEGER NOT NULL"
") STRICT;",

/* Files of an outbox that are queued, until they are out of it. */
"CREATE TABLE outbox ("
"  key BLOB NOT NULL PRIMARY KEY,"	/* without the name of the file */
"  at INTEGER NOT NULL"
") STRICT;",

/* The vault's facts, sealed by it. */
"CREATE TABLE row ("
"  key BLOB NOT NULL PRIMARY KEY,"
"  address BLOB,"
"  value BLOB NOT NULL,"
"  version INTEGER NOT NULL"
") STRICT;",
"CREATE INDEX row_address ON row (address, key) WHERE address IS NOT NULL;",

/* Acknowledgements to send; peer is a name. */
"CREATE TABLE ack ("
"  id INTEGER PRIMARY KEY AUTOINCREMENT,"
"  peer BLOB NOT NULL,"
"  t BLOB NOT NULL,"
"  routed BLOB NOT NULL,"		/* RELAYED-ACK: of whom; else empty */
"  state INTEGER NOT NULL,"
"  at INTEGER NOT NULL,"
"  d BLOB NOT NULL,"
"  due_at INTEGER NOT NULL,"
"  UNIQUE (t, routed)"
") STRICT;",
"CREATE INDEX ack_peer ON ack (peer, due_at);",
/* When 0x11 was last said to a name (PROTOCOL 2.19.32). */
"CREATE TABLE damage_said ("
"  peer BLOB NOT NULL PRIMARY KEY,"
"  at INTEGER NOT NULL"
") STRICT;",

/* One row per envelope; what came in together shares a submission. */
"CREATE TABLE submission ("
"  id INTEGER PRIMARY KEY AUTOINCREMENT,"
"  at INTEGER NOT NULL,"
"  notice_to BLOB,"
"  once BLOB"				/* digest, send --id; or NULL */
") STRICT;",
"CREATE UNIQUE INDEX submission_once ON submission (once)"
"  WHERE once IS NOT NULL;",
"CREATE TABLE queue ("
"  id INTEGER PRIMARY KEY AUTOINCREMENT,"
"  submission INTEGER NOT NULL,"
"  state INTEGER NOT NULL CHECK (state BETWEEN 2 AND 5),"
"  kind INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 3),"
"  t BLOB NOT NULL UNIQUE CHECK (length(t) = 32),"
"  d BLOB NOT NULL CHECK (length(d) = 32),"
"  identity BLOB NOT NULL,"
"  name BLOB NOT NULL,"
"  from_route BLOB NOT NULL,"
"  to_route BLOB NOT NULL,"
"  date BLOB NOT NULL,"
"  message_id BLOB NOT NULL,"
"  boundary BLOB NOT NULL,"
"  meta_at INTEGER NOT NULL,"
"  body INTEGER REFERENCES body (id),"
"  size INTEGER NOT NULL,"
"  relay TEXT,"				/* wanted, or the last */
"  bound INTEGER NOT NULL,"		/* 1: that relay only */
"  owner INTEGER,"
"  claim_until INTEGER NOT NULL DEFAULT 0,"
"  queued_at INTEGER NOT NULL,"
"  since INTEGER NOT NULL,"		/* too old counts from here */
"  next_at INTEGER NOT NULL,"
"  sent_at INTEGER NOT NULL DEFAULT 0,"	/* or failed */
"  tries INTEGER NOT NULL DEFAULT 0,"
"  text BLOB,"
"  notice INTEGER NOT NULL DEFAULT 0,"	/* 1: due */
"  ack_state INTEGER NOT NULL DEFAULT 0,"
"  ack_at INTEGER NOT NULL DEFAULT 0,"
"  bounced INTEGER NOT NULL DEFAULT 0,"
"  routed INTEGER NOT NULL DEFAULT 0,"	/* number of names behind the hub */
"  done INTEGER NOT NULL DEFAULT 0,"	/* 1 received, 2 never */
"  CHECK (state = 4 OR body IS NOT NULL)"
") STRICT;",
"CREATE INDEX queue_due ON queue (next_at, id) WHERE state = 2;",
"CREATE INDEX queue_body ON queue (body) WHERE body IS NOT NULL;",
"CREATE INDEX queue_age ON queue (since) WHERE state = 2;",
"CREATE INDEX queue_waiting ON queue (id) WHERE state <= 3;",
"CREATE INDEX queue_claimed ON queue (claim_until) WHERE state = 3;",
"CREATE INDEX queue_failed ON queue (id) WHERE state = 5;",
"CREATE INDEX queue_owner ON queue (owner) WHERE owner IS NOT NULL;",
"CREATE INDEX queue_notice ON queue (id) WHERE notice = 1;",
"CREATE INDEX queue_open ON queue (queued_at)"
"  WHERE kind = 1 AND done = 0;",
"CREATE INDEX queue_trouble ON queue (id)"
"  WHERE state = 5 OR ack_state >= 16 OR bounced = 1;",
"CREATE INDEX queue_sent ON queue (sent_at) WHERE state >= 4;",
"CREATE INDEX queue_submission ON queue (submission);",
"CREATE INDEX queue_name ON queue (name);",
"CREATE TABLE queue_route ("
"  queue INTEGER NOT NULL REFERENCES queue (id) ON DELETE CASCADE,"
"  name BLOB NOT NULL,"
"  ack_state INTEGER NOT NULL DEFAULT 0,"
"  ack_at INTEGER NOT NULL DEFAULT 0,"
"  PRIMARY KEY (queue, name)"
") STRICT, WITHOUT ROWID;",
"CREATE INDEX queue_route_name ON queue_route (name);",
"CREATE TABLE relay ("
"  name TEXT NOT NULL PRIMARY KEY,"
"  since INTEGER NOT NULL,"
"  until INTEGER NOT NULL,"
"  tries INTEGER NOT NULL,"
"  text BLOB"
") STRICT;",

/* At the hub: which of our envelopes carried which original to whom. */
"CREATE TABLE hub ("
"  t BLOB NOT NULL,"
"  name BLOB NOT NULL,"
"  origin_t BLOB NOT NULL,"
"  origin BLOB NOT NULL,"		/* identity */
"  d BLOB NOT NULL,"
"  at INTEGER NOT NULL,"
"  PRIMARY KEY (t, name)"
") STRICT, WITHOUT ROWID;",
"CREATE INDEX hub_origin ON hub (origin_t);",
"CREATE INDEX hub_at ON hub (at);",
/* What a member sent through it, on the last day that he did. */
"CREATE TABLE hub_day ("
"  name BLOB NOT NULL PRIMARY KEY,"
"  day INTEGER NOT NULL,"
"  messages INTEGER NOT NULL,"
"  bytes INTEGER NOT NULL,"
"  over_at INTEGER NOT NULL DEFAULT 0"
") STRICT;",
"CREATE INDEX hub_day_over ON hub_day (day) WHERE over_at <> 0;",

/* store_bar.h: the watch desk's list, how far its last bulletin is, and which
 * bulletin has come (missed: a peer has shown a higher number). */
"CREATE TABLE bar ("
"  name BLOB NOT NULL PRIMARY KEY,"
"  min INTEGER NOT NULL,"
"  desk INTEGER NOT NULL,"
"  at INTEGER NOT NULL,"
"  reason BLOB NOT NULL"
") STRICT;",
"CREATE TABLE desk ("
"  id INTEGER PRIMARY KEY CHECK (id = 1),"
"  gen INTEGER NOT NULL,"
"  number INTEGER NOT NULL DEFAULT 0,"
"  at INTEGER NOT NULL DEFAULT 0,"
"  due INTEGER NOT NULL DEFAULT 0,"
"  going INTEGER NOT NULL DEFAULT 0,"
"  nth INTEGER NOT NULL DEFAULT 0,"
"  after BLOB NOT NULL DEFAULT x''"
") STRICT;",
"CREATE TABLE bulletin ("
"  id INTEGER PRIMARY KEY CHECK (id = 1),"
"  since INTEGER NOT NULL DEFAULT 0,"
"  desk INTEGER NOT NULL DEFAULT 0,"
"  number INTEGER NOT NULL DEFAULT 0,"
"  came_at INTEGER NOT NULL DEFAULT 0,"
"  missed INTEGER NOT NULL DEFAULT 0,"
"  missed_at INTEGER NOT NULL DEFAULT 0,"
"  missed_by BLOB NOT NULL DEFAULT x''"
") STRICT;",

/* Following: what of our mail is still to be looked at (rule: enum
 * store_rule), of whom there was authentic news.  The words that came of it
 * stand in the register. */
"CREATE TABLE follow ("
"  queue INTEGER NOT NULL REFERENCES queue (id) ON DELETE CASCADE,"
"  name BLOB NOT NULL,"
"  rule INTEGER NOT NULL,"
"  at INTEGER NOT NULL,"
"  PRIMARY KEY (queue, name)"
") STRICT, WITHOUT ROWID;",
"CREATE INDEX follow_at ON follow (rule, at);",
"CREATE TABLE heard ("
"  name BLOB NOT NULL PRIMARY KEY,"
"  at INTEGER NOT NULL,"
"  opened_at INTEGER NOT NULL DEFAULT 0"	/* 0: never says "opened" */
") STRICT;",

/* Alarms: told once when they begin, once when they end. */
"CREATE TABLE alarm ("
"  id INTEGER PRIMARY KEY AUTOINCREMENT,"
"  rule INTEGER NOT NULL,"
"  subject BLOB NOT NULL,"
"  since INTEGER NOT NULL,"		/* what it is about */
"  n INTEGER NOT NULL,"			/* how many messages */
"  level INTEGER NOT NULL,"		/* lower: worse, told again */
"  text BLOB NOT NULL,"
"  began_at INTEGER NOT NULL,"
"  told_at INTEGER NOT NULL DEFAULT 0,"
"  ended_at INTEGER NOT NULL DEFAULT 0,"
"  end_told INTEGER NOT NULL DEFAULT 0"
") STRICT;",
"CREATE UNIQUE INDEX alarm_open ON alarm (rule, subject)"
"  WHERE ended_at = 0;",
"CREATE INDEX alarm_ended ON alarm (ended_at) WHERE ended_at <> 0;",
"CREATE TABLE down ("			/* accounts that fail */
"  name TEXT NOT NULL PRIMARY KEY,"
"  since INTEGER NOT NULL,"
"  said_at INTEGER NOT NULL,"
"  text BLOB NOT NULL"
") STRICT;",
"CREATE TABLE own_key ("		/* how long we may write; by name */
"  name BLOB NOT NULL PRIMARY KEY,"
"  until INTEGER NOT NULL,"
"  looked_at INTEGER NOT NULL,"
"  barred INTEGER NOT NULL DEFAULT 0"
") STRICT;",
"CREATE TABLE digest ("			/* the day of the last one */
"  id INTEGER PRIMARY KEY CHECK (id = 1),"
"  day INTEGER NOT NULL,"
"  at INTEGER NOT NULL"
") STRICT;",

"CREATE TABLE event ("
"  id INTEGER PRIMARY KEY AUTOINCREMENT,"
"  at INTEGER NOT NULL,"
"  name TEXT NOT NULL,"
"  text BLOB NOT NULL"
") STRICT;",
"CREATE INDEX event_at ON event (at);",

/* store_register.h; written by the triggers below. */
"CREATE TABLE register ("
"  id INTEGER PRIMARY KEY AUTOINCREMENT,"
"  at INTEGER NOT NULL,"
"  way TEXT NOT NULL,"			/* in, out */
"  event TEXT NOT NULL,"
"  t BLOB NOT NULL,"
"  d BLOB NOT NULL,"
"  who BLOB NOT NULL,"
"  hash BLOB"
") STRICT;",
"CREATE INDEX register_t ON register (t);",
"CREATE INDEX register_new ON register (id) WHERE hash IS NULL;",
"CREATE INDEX register_patient ON register (who, id) "
"WHERE event = 'patient';",

/* What authors left for the association (PROTOCOL 2.5, WITNESS). */
"CREATE TABLE witness ("
"  t BLOB NOT NULL PRIMARY KEY,"
"  author BLOB NOT NULL,"
"  recipient BLOB NOT NULL,"
"  year INTEGER NOT NULL,"
"  at INTEGER NOT NULL,"
"  d BLOB NOT NULL,"
"  proof BLOB NOT NULL,"
"  kept_at INTEGER NOT NULL"		/* by our clock, not by his */
") STRICT;",
"CREATE INDEX witness_kept ON witness (kept_at);",

/* store_clock(), its ${since} negative when it never leapt; and the last year
 * whose keys are no more. */
"CREATE TABLE clock ("
"  id INTEGER PRIMARY KEY CHECK (id = 1),"
"  last_at INTEGER NOT NULL,"
"  since INTEGER NOT NULL"
") STRICT;",
"CREATE TABLE erased ("
"  id INTEGER PRIMARY KEY CHECK (id = 1),"
"  year INTEGER NOT NULL"
") STRICT;",
/* commits.c: durable transactions. */
"CREATE TABLE commits ("
"  id INTEGER PRIMARY KEY CHECK (id = 1),"
"  n INTEGER NOT NULL"
") STRICT;",
NULL
};

#define ACK_WORD(state) "CASE " state " WHEN 1 THEN 'relayed' " \
	"WHEN 2 THEN 'received' WHEN 3 THEN 'opened' " \
	"WHEN 16 THEN 'refused' ELSE 'damaged' END"
#define ENTRY "INSERT INTO register (at, way, event, t, d, who) "

/* Not there while rows are put back that others wrote: store_mend.c. */
const char *const schema_triggers[] = {
"CREATE TRIGGER register_queued AFTER INSERT ON queue WHEN NEW.kind = 1 "
"BEGIN " ENTRY "VALUES (NEW.queued_at, 'out', 'queued', NEW.t, NEW.d, "
"  NEW.identity); END;",
"CREATE TRIGGER register_sent AFTER UPDATE OF state ON queue "
"WHEN NEW.kind = 1 AND NEW.state <> OLD.state AND NEW.state >= 4 "
"BEGIN " ENTRY "VALUES (NEW.sent_at, 'out', "
"  iif(NEW.state = 4, 'sent', 'failed'), NEW.t, NEW.d, NEW.identity); END;",
"CREATE TRIGGER register_acked AFTER UPDATE OF ack_state ON queue "
"WHEN NEW.kind = 1 AND NEW.ack_state <> OLD.ack_state "
"  AND NEW.ack_state <> 0 "
"BEGIN " ENTRY "VALUES (NEW.ack_at, 'out', " ACK_WORD("NEW.ack_state") ", "
"  NEW.t, NEW.d, NEW.identity); END;",
"CREATE TRIGGER register_returned AFTER UPDATE OF bounced ON queue "
"WHEN NEW.kind = 1 AND NEW.bounced <> OLD.bounced "
"BEGIN " ENTRY "VALUES (NEW.sent_at, 'out', 'returned', NEW.t, NEW.d, "
"  NEW.identity); END;",
/* Behind the gateway, by its word. */
"CREATE TRIGGER register_routed AFTER INSERT ON queue_route "
"BEGIN " ENTRY "SELECT queued_at, 'out', 'queued', t, d, NEW.name "
"  FROM queue WHERE id = NEW.queue; END;",
"CREATE TRIGGER register_route_acked AFTER UPDATE OF ack_state "
"ON queue_route "
"WHEN NEW.ack_state <> OLD.ack_state AND NEW.ack_state <> 0 "
"BEGIN " ENTRY "SELECT NEW.ack_at, 'out', " ACK_WORD("NEW.ack_state") ", "
"  t, d, NEW.name FROM queue WHERE id = NEW.queue; END;",
/* What came, by what we said of it. */
"CREATE TRIGGER register_came AFTER UPDATE OF ack_state ON journal "
"WHEN NEW.ack_state <> OLD.ack_state AND NEW.ack_state <> 0 "
"BEGIN " ENTRY "VALUES (NEW.ack_at, 'in', " ACK_WORD("NEW.ack_state") ", "
"  NEW.t, ifnull(NEW.d, zeroblob(32)), "
"  (SELECT identity FROM peer WHERE id = NEW.peer)); END;",
"CREATE TRIGGER register_kept BEFORE DELETE ON register "
"BEGIN SELECT RAISE(ABORT, 'the register is kept'); END;",
"CREATE TRIGGER register_fixed BEFORE UPDATE ON register "
"WHEN OLD.hash IS NOT NULL OR NEW.hash IS NULL OR NEW.id <> OLD.id "
"  OR NEW.at <> OLD.at OR NEW.way <> OLD.way OR NEW.event <> OLD.event "
"  OR NEW.t <> OLD.t OR NEW.d <> OLD.d OR NEW.who <> OLD.who "
"BEGIN SELECT RAISE(ABORT, 'the register is kept'); END;",
NULL
};
