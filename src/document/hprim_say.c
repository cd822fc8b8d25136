/* What is said of a file: for programs, and for the laboratory. */
#include "config.h"

#include "base/lang.h"
#include "document/hprim.h"

static const struct {
	const char	*code;
	const char	*say;
} words[HPRIM_WHAT_N] = {
	[HPRIM_NOT_HPRIM] = { "file.unknown",
	    N_("this is no HPRIM report: neither its header nor its end is "
	    "there; export it again in that format") },
	[HPRIM_TOO_MANY] = { "file.patients",
	    N_("more patients than one file may hold; the rest was not "
	    "checked: make several files") },
	[HPRIM_HEADER_SHORT] = { "header.short",
	    N_("the header ends here, before its 12 lines: leave a line empty "
	    "rather than out") },
	[HPRIM_HEADER_SHIFTED] = { "header.shifted",
	    N_("the date of birth stands one line too high or too low: a line "
	    "above it is missing or too many") },
	[HPRIM_NO_NAME] = { "name.missing",
	    N_("no surname: write it in line 2 of the header") },
	[HPRIM_BIRTH_BAD] = { "birth.bad",
	    N_("the date of birth is no date: write dd/mm/yyyy") },
	[HPRIM_BIRTH_FUTURE] = { "birth.future",
	    N_("the date of birth is to come: correct it") },
	[HPRIM_NIR_KEY] = { "nir.key",
	    N_("the key of the social security number does not fit it: one of "
	    "its digits is wrong") },
	[HPRIM_EXAM_EARLY] = { "exam.early",
	    N_("examined before being born: one of the two dates is wrong") },
	[HPRIM_NO_END] = { "end.missing",
	    N_("neither ****FIN**** nor ****FINFICHIER****: the report may be "
	    "cut; export it again") },
	[HPRIM_BEHIND_END] = { "end.behind",
	    N_("text behind ****FINFICHIER****, which nobody will read: that "
	    "line must be the last") },
	[HPRIM_EMPTY] = { "text.missing",
	    N_("there is nothing under the header: neither a text nor "
	    "results") },
	[HPRIM_OCTETS] = { "charset.octets",
	    N_("the file says that it is Unicode, but holds characters that "
	    "are not: export it again") },
	[HPRIM_NAME_CASE] = { "name.case",
	    N_("the surname should be in capitals") },
	[HPRIM_NO_GIVEN] = { "given.missing", N_("no first name in line 3") },
	[HPRIM_TOWN_FORM] = { "town.form",
	    N_("line 6 should be the postcode, a space, the town") },
	[HPRIM_NO_BIRTH] = { "birth.missing",
	    N_("no date of birth: the practice cannot be sure who the patient "
	    "is") },
	[HPRIM_BIRTH_FORM] = { "birth.form",
	    N_("the date of birth was understood, but should be "
	    "dd/mm/yyyy") },
	[HPRIM_BIRTH_SHORT] = { "birth.short",
	    N_("the date of birth has a year of two digits: the century is a "
	    "guess; write four") },
	[HPRIM_NIR_BAD] = { "nir.form",
	    N_("line 8 is no social security number (13 digits and perhaps "
	    "the key): it is passed over") },
	[HPRIM_NIR_BIRTH] = { "nir.birth",
	    N_("the social security number is of another month of birth: "
	    "check that both are the same person's") },
	[HPRIM_NO_FILE_NO] = { "number.missing",
	    N_("no file number of the laboratory in line 9") },
	[HPRIM_NO_EXAM] = { "exam.missing",
	    N_("no date of the examination in line 10") },
	[HPRIM_EXAM_BAD] = { "exam.bad",
	    N_("the date of the examination is no date: write dd/mm/yyyy") },
	[HPRIM_EXAM_FORM] = { "exam.form",
	    N_("the date of the examination was understood, but should be "
	    "dd/mm/yyyy") },
	[HPRIM_NO_SENDER] = { "sender.missing",
	    N_("no sender in line 11") },
	[HPRIM_SENDER_FORM] = { "sender.form",
	    N_("line 11 should be a code of 10 characters, a space, the "
	    "sender's name") },
	[HPRIM_NO_RECIPIENT] = { "recipient.missing",
	    N_("no recipient in line 12: the file cannot be sent by what it "
	    "says itself") },
	[HPRIM_RECIPIENT_FORM] = { "recipient.form",
	    N_("line 12 should be a code of 10 characters, a space, the "
	    "recipient's name") },
	[HPRIM_BLANK_ABOVE] = { "header.blank",
	    N_("empty lines above the header: they are passed over") },
	[HPRIM_NO_FIN] = { "end.fin",
	    N_("****FIN**** is missing before ****FINFICHIER****: taken as "
	    "there") },
	[HPRIM_NO_FINFICHIER] = { "end.finfichier",
	    N_("****FINFICHIER**** is missing at the end of the file") },
	[HPRIM_TAG_FORM] = { "tag.form",
	    N_("this tag was understood, but should be four asterisks, "
	    "capitals, four asterisks, with nothing else") },
	[HPRIM_TAG_UNKNOWN] = { "tag.unknown",
	    N_("no tag that we know: it is read as text") },
	[HPRIM_TAG_TWICE] = { "tag.twice",
	    N_("****LAB**** a second time for one patient: if this is another "
	    "patient, ****FIN**** and a header are missing above it") },
	[HPRIM_CODED_OUTSIDE] = { "coded.outside",
	    N_("a coded line before ****LAB****: it is read as text") },
	[HPRIM_CODED_LINE] = { "coded.line",
	    N_("under ****LAB**** a line begins with TEX| or RES|: this one "
	    "is read as text") },
	[HPRIM_RES_SHORT] = { "result.short",
	    N_("this result has no value: RES|label|code|type|value") },
	[HPRIM_RES_LONG] = { "result.long",
	    N_("this result has more than 13 fields: is there a \"|\" in one "
	    "of them?") },
	[HPRIM_RES_TYPE] = { "result.type",
	    N_("the type of a result is N, A or C") },
	[HPRIM_RES_NUMBER] = { "result.number",
	    N_("a result of type N whose value is no number") },
	[HPRIM_RES_BOUNDS] = { "result.bounds",
	    N_("the usual values of this result are no numbers, or the lower "
	    "is above the upper") },
	[HPRIM_RES_FLAG] = { "result.flag",
	    N_("the flag of a result is L, H, LL, HH, N or empty") },
	[HPRIM_RES_STATUS] = { "result.status",
	    N_("the status of a result is F, R, C or empty") },
	[HPRIM_CHARSET_UNSURE] = { "charset.unsure",
	    N_("the accents read as well in another character set: check "
	    "them, or say which one the software writes") },
	[HPRIM_UTF16] = { "charset.utf16",
	    N_("written in UTF-16, which most practice software cannot read: "
	    "set the export to UTF-8 or ISO-8859-1") },
	[HPRIM_MARK] = { "charset.mark",
	    N_("a byte order mark at its start, which some software takes for "
	    "text: set the export to write none") },
	[HPRIM_TWICE_UTF8] = { "charset.twice",
	    N_("the accents were converted to UTF-8 twice: correct the export "
	    "of the software") },
	[HPRIM_ENTITY] = { "charset.entity",
	    N_("characters written as in HTML, such as &eacute;: correct the "
	    "export of the software") },
	[HPRIM_CONTROL] = { "charset.control",
	    N_("characters that cannot be shown") },
	[HPRIM_EOL_MIXED] = { "lines.mixed",
	    N_("lines end in different ways: correct the export of the "
	    "software") }
};

static const struct {
	const char	*name;
	const char	*say;
} kinds[] = {
	[HPRIM_MEDECIN] = { "hprim-medecin", N_("HPRIM Médecin") },
	[HPRIM_SANTE] = { "hprim-sante", N_("HPRIM Santé, passed whole") },
	[HPRIM_HL7] = { "hl7", N_("HL7, passed whole") },
	[HPRIM_CDA] = { "xml", N_("CDA or other XML, passed whole") },
	[HPRIM_BINARY] = { "binary", N_("not a text, passed whole") },
	[HPRIM_TEXT] = { "text", N_("another text") }
};

bool
hprim_is_error(enum hprim_what what)
{
	return what < HPRIM_ODD;
}

const char *
hprim_code(enum hprim_what what)
{
	return words[what].code;
}

const char *
hprim_say(enum hprim_what what)
{
	return _(words[what].say);
}

const char *
hprim_kind_name(enum hprim_kind kind)
{
	return kinds[kind].name;
}

const char *
hprim_kind_say(enum hprim_kind kind)
{
	return _(kinds[kind].say);
}
