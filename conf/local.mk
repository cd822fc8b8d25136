# What `sceau setup` reads.
dist_pkgdata_DATA = conf/providers

# Samples.  They name /usr/local/bin, where `make install` puts sceau when it
# is not told otherwise.
examplesdir = $(docdir)/examples
dist_examples_DATA = \
	conf/sceau.conf.labo conf/sceau.conf.cabinet \
	conf/sceau.conf.passerelle conf/cron \
	conf/systemd/sceau.service conf/systemd/sceau-poll.service \
	conf/systemd/sceau-poll.timer \
	conf/launchd/org.sceau.poll.plist conf/launchd/org.sceau.run.plist
# One folder each: several have the name that their own program gives them.
postfixdir = $(examplesdir)/postfix
dist_postfix_DATA = conf/postfix/main.cf conf/postfix/master.cf
opensmtpddir = $(examplesdir)/opensmtpd
dist_opensmtpd_DATA = conf/opensmtpd/smtpd.conf
eximdir = $(examplesdir)/exim
dist_exim_DATA = conf/exim/exim.conf
procmaildir = $(examplesdir)/procmail
dist_procmail_DATA = conf/procmail/procmailrc
sievedir = $(examplesdir)/sieve
dist_sieve_DATA = conf/sieve/sceau.sieve
