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
