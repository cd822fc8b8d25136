/*
 * What was filed, message by message, and whose reports have come before.  No
 * word of a report is here: patients are digests that the vault made under a
 * key of its own, so that the same name is found again and no name read.
 */
#ifndef SC_STORE_STORE_INBOX_H
#define SC_STORE_STORE_INBOX_H

#include "store/store.h"

#define STORE_PATIENT_BYTES 16
#define STORE_REPORTS_MAX 1024		/* of a message, that are compared */
#define STORE_PLACES_BYTES 1056		/* names of deliveries */
#define STORE_ODD_BYTES (STORE_REPORTS_MAX / 8)

/* What a person should look at; bits. */
enum store_inbox_flag {
	STORE_INBOX_OTHER_BIRTH = 1,	/* the name came with another one */
	STORE_INBOX_CORRECTED = 2,	/* a report replaces an earlier one */
	STORE_INBOX_RECIPIENT = 4,	/* line 12 names somebody else */
	STORE_INBOX_REMARK = 8,		/* how a document is written */
	STORE_INBOX_NOT_COMPARED = 16,	/* some reports: too many, too large */
	STORE_INBOX_DUPLICATE = 32,	/* may have been filed before */
	STORE_INBOX_AGAIN = 64,		/* was filed before: sceau refile */
	STORE_INBOX_LATE = 128,
	STORE_INBOX_AHEAD = 256,
	STORE_INBOX_REPLACED_KEY = 512,
	STORE_INBOX_RELAYED = 1024	/* though its author writes directly */
};

/* Of one report. */
struct store_patient {
	bool	named;			/* else there is nothing to compare */
	bool	born;			/* its birth date is known */
	uint8_t	name[STORE_PATIENT_BYTES];
	uint8_t	birth[STORE_PATIENT_BYTES];	/* of name and birth date */
};

/* What is filed of one message. */
struct store_filing {
	const char	*sender;	/* lent: name of who wrote it */
	const char	*places;	/* lent: deliveries, blanks between */
	unsigned	 flags;		/* OTHER_BIRTH is added */
	unsigned	 reports;	/* how many are in it */
	/* The first of these reports; borrowed; at most STORE_REPORTS_MAX. */
	const struct store_patient *patients;
	size_t		 npatients;
	int64_t		 at;		/* now */
	/* Out: bit i % 8 of octet i / 8: patients[i] has the name of one who
	 * came before, and never the birth date of this report. */
	uint8_t		 odd[STORE_ODD_BYTES];
};

static inline bool
store_odd(const uint8_t odd[STORE_ODD_BYTES], size_t i)
{
	return i < STORE_REPORTS_MAX && (odd[i / 8] >> i % 8 & 1) != 0;
}

/* store_inbox_odd(st, t, odd, e): what was found when T was filed first;
 * zeros when that is forgotten. */
enum rc store_inbox_odd(struct store *st, const uint8_t t[STORE_T_BYTES],
    uint8_t odd[STORE_ODD_BYTES], struct err *e);

struct store_inbox {
	int64_t		id;
	uint8_t		t[STORE_T_BYTES];
	uint32_t	filing;		/* 0: the first */
	int64_t		received_at;	/* fetched */
	int64_t		filed_at;
	char		sender[STORE_IDENTITY_BYTES];
	char		places[STORE_PLACES_BYTES];
	unsigned	reports;
	unsigned	flags;
};

/* store_inbox_list(st, after, since, flags, out, max, n, e): up to ${max} with
 * id > ${after}, filed since ${since}; ${flags} 0: all, else those that have
 * one of these. */
enum rc store_inbox_list(struct store *st, int64_t after, int64_t since,
    unsigned flags, struct store_inbox *out, size_t max, size_t *n,
    struct err *e);

#endif
