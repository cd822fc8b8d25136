# Manual pages: a list for each section, English and French.
dist_man_MANS = man/sceau-protocol.7
