/* Between the files of the clerk: its jobs, and the files it makes of them. */
#ifndef SC_FLOW_CLERK_H
#define SC_FLOW_CLERK_H

#include "document/extract.h"
#include "flow/field.h"
#include "flow/ipc.h"
#include "flow/pass.h"
#include "wire/drop.h"

#define CLERK_JOBS_MAX 256
#define CLERK_FILES_MAX 8192	/* of one message, at all places */
#define CLERK_DELIVERIES_MAX 16
#define CLERK_NAME_BYTES 192

/* Folders that a delivery writes to. */
enum clerk_use { CLERK_MAIN, CLERK_ATTACHMENTS, CLERK_REMARKS, CLERK_USES };
#define CLERK_PLACES_MAX (CLERK_DELIVERIES_MAX * CLERK_USES)

/* One file of a message, and where it goes. */
struct paper {
	size_t		place;
	struct drop	drop;
	char		name[CLERK_NAME_BYTES];	/* "" : given to a command */
	bool		remarks;
};

struct job {
	uint32_t	 id;		/* 0: free */
	char		 token[DROP_TOKEN_BYTES];
	struct buf	 mail;		/* all of it, while it is small */
	struct drop	*whole;		/* or in these, one a delivery; owned */
	bool		 begun, failed, ready;
	bool		 notice;	/* ours: not for folders */
	struct clerk_raw *raw;		/* not sealed; owned, or NULL */
	struct err	 why;
	struct paper	*papers;	/* owned */
	size_t		 npapers;
	struct reports	*reports;	/* owned; NULL: none were looked for */
};

/* A message whose delivery was interrupted: where its whole mail is already,
 * whatever its name was made of then. */
struct seen {
	char	token[DROP_TOKEN_BYTES];
	bool	at[CLERK_DELIVERIES_MAX];
};

struct outroom;

struct clerk {
	const struct pass	*p;
	struct pass_ends	*x;
	struct outroom		*outboxes;	/* or NULL: there are none */
	/* Of delivery i: i, then CLERK_USES - 1 more, path NULL where there is
	 * no such folder: see clerk_place(). */
	struct drop_place	 places[CLERK_PLACES_MAX];
	/* The first one of the same folder; see papers_apart(). */
	size_t			 folder[CLERK_PLACES_MAX];
	bool			 shared;
	/* Those of mail that is sealed; then the others. */
	size_t			 ndeliveries, nunsealed;
	/* for commands */
	char			 waiting[DROP_PATH_BYTES];
	struct job		 jobs[CLERK_JOBS_MAX];
	size_t			 last;		/* that was found */
	uint32_t		 file[CLERK_JOBS_MAX];	/* to be settled */
	size_t			 nfile;
	struct seen		 seen[CLERK_JOBS_MAX];	/* of the last looks */
	size_t			 nseen;
};

/* The places of all deliveries: the main ones first. */
static inline size_t
clerk_place(size_t delivery, enum clerk_use use)
{
	return (size_t)use * CLERK_DELIVERIES_MAX + delivery;
}

static inline const struct conf_deliver *
clerk_deliver(const struct clerk *c, size_t place)
{
	return &c->p->conf->delivers[place % CLERK_DELIVERIES_MAX];
}

/* The deliveries that a mail may go to: from job_first() on, to job_end(). */
static inline size_t
job_first(const struct clerk *c, const struct job *j)
{
	return j->raw != NULL ? c->ndeliveries : 0;
}

static inline size_t
job_end(const struct clerk *c, const struct job *j)
{
	return c->ndeliveries + (j->raw != NULL ? c->nunsealed : 0);
}

/* clerk_files(c, job): it is to be filed with the next IPC_SETTLE. */
static inline bool
clerk_files(const struct clerk *c, uint32_t job)
{
	size_t i = 0;

	while (i < c->nfile && c->file[i] != job)
		i++;
	return i < c->nfile;
}

/* job_find(c, id): 0: a free one; NULL: there is none. */
struct job *job_find(struct clerk *c, uint32_t id);
/* job_drop(c, j): and what it has under temporary names. */
void job_drop(struct clerk *c, struct job *j);

/* clerk_job.c.  job_write(c, j, p, len, e): more of the mail; kept in memory
 * while all of it is small, else in a temporary file for each delivery. */
enum rc job_write(struct clerk *c, struct job *j, const void *p, size_t len,
    struct err *e);
/* Wherever it lies: job_read(): its documents; job_field(): what the vault
 * wrote on it; job_take(): all of it, as a file of that delivery under a
 * temporary name, ${d}; job_leave(): that delivery does not want it. */
enum rc job_read(const struct job *j, size_t delivery,
    const struct extract_sink *sink, struct err *e);
enum rc job_field(const struct job *j, struct field *f, struct err *e);
enum rc job_take(struct clerk *c, struct job *j, size_t delivery,
    struct drop *d, struct err *e);
void job_leave(struct job *j, size_t delivery);

/*
 * clerk_unsealed.c: a mail that is not sealed.  Raw octets come in by
 * raw_add(), what job_write() gets is marked; failures stay in the job.
 * raw_claimed(): the address that it says it is from, or "".
 */
enum rc raw_begin(struct clerk *c, struct job *j, struct err *e);
void raw_add(struct job *j, struct bytes s);
void raw_end(struct job *j);
const char *raw_claimed(const struct job *j);
void raw_free(struct job *j);

/*
 * clerk_outbox.c: what the laboratory's system drops.
 * outboxes_open(c, may, n, e): before the sandbox; ${may} gets what it may
 * still open.  A folder that is not there is told later, of itself alone.
 * outboxes_frame(): IPC_BOX_...; outboxes_pull(): the vault wants the mail.
 */
#define CLERK_OUTBOX_PATHS (OUTBOXES_MAX * 3)
struct sandbox_path;
enum rc outboxes_open(struct clerk *c, struct sandbox_path *may, size_t *n,
    struct err *e);
enum rc outboxes_frame(struct clerk *c, const struct frame *f,
    struct err *e);
enum rc outboxes_pull(struct clerk *c, struct err *e);
void outboxes_close(struct clerk *c);

/*
 * papers_take(c, j, e):
 * All files of a mail that is good and lies whole at each delivery, under
 * temporary names, written; j->papers filled, what of it failed too.
 * RC_INPUT: no later pass can do it either.
 */
enum rc papers_take(struct clerk *c, struct job *j, struct err *e);

/*
 * papers_remarks(c, j, odd, e):
 * What is to be known of them, one more file at each delivery, now that it is
 * known which reports are odd (bits by number).  A failure leaves none.
 */
enum rc papers_remarks(struct clerk *c, struct job *j, struct bytes odd,
    struct err *e);

/*
 * places_folders(c): which of the places, that are there, are one folder.
 * papers_apart(c, j, from, e): what two deliveries file into one folder under
 * the same name, and is not the same, gets a name of its own: of the papers
 * from ${from} on.
 */
void places_folders(struct clerk *c);
enum rc papers_apart(const struct clerk *c, struct job *j, size_t from,
    struct err *e);

/*
 * watch_names(c, j, b): the names of a message that the practice's software
 * will take, for the journal; false: memory.  watch_answer(c, names): what
 * has become of all of them.
 */
bool watch_names(const struct clerk *c, const struct job *j, struct buf *b);
enum watched watch_answer(const struct clerk *c, struct bytes names);

#endif
