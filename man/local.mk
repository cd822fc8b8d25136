# Manual pages: a list for each section, English and French.
dist_man_MANS = man/sceau.1
dist_man_MANS += man/sceau-association.7
dist_man_MANS += man/sceau-keys.5
dist_man_MANS += man/sceau-laboratory.7
dist_man_MANS += man/sceau-practice.7
dist_man_MANS += man/sceau-protocol.7
dist_man_MANS += man/sceau-security.7
dist_man_MANS += man/sceau.conf.5
frman1dir = $(mandir)/fr/man1
dist_frman1_DATA = man/fr/sceau.1
frman5dir = $(mandir)/fr/man5
dist_frman5_DATA = man/fr/sceau-keys.5 man/fr/sceau.conf.5
frman7dir = $(mandir)/fr/man7
dist_frman7_DATA = man/fr/sceau-association.7 man/fr/sceau-laboratory.7
dist_frman7_DATA += man/fr/sceau-practice.7 man/fr/sceau-protocol.7
dist_frman7_DATA += man/fr/sceau-security.7
