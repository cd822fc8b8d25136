# French.  `make po` brings fr.po up to date with the messages of src; the
# catalogue is built in po/locale, where a build with --enable-fault looks
# for it, and installed in $(localedir).
SC_MO = po/locale/fr/LC_MESSAGES/sceau.mo
EXTRA_DIST += po/fr.po po/extract

po:
	$(top_srcdir)/po/extract $(abs_top_builddir)/po/sceau.pot
	$(MSGMERGE) --quiet --update --backup=none --no-fuzzy-matching \
	    --add-location=file --sort-output \
	    $(top_srcdir)/po/fr.po po/sceau.pot
	$(MSGFMT) --check --statistics -o /dev/null $(top_srcdir)/po/fr.po

.PHONY: po

if NLS
noinst_DATA = $(SC_MO)
CLEANFILES += $(SC_MO) po/sceau.pot

$(SC_MO): po/fr.po
	$(AM_V_GEN)$(MKDIR_P) po/locale/fr/LC_MESSAGES && \
	$(MSGFMT) --check -o $@ $(top_srcdir)/po/fr.po

install-data-local: $(SC_MO)
	$(MKDIR_P) $(DESTDIR)$(localedir)/fr/LC_MESSAGES
	$(INSTALL_DATA) $(SC_MO) $(DESTDIR)$(localedir)/fr/LC_MESSAGES/

uninstall-local:
	rm -f $(DESTDIR)$(localedir)/fr/LC_MESSAGES/sceau.mo
endif
