# The demonstration association; keys/README says what each file is.
EXTRA_DIST += keys/README \
	keys/demo/association.store keys/demo/association.store.key \
	keys/demo/cabinet.durand.store keys/demo/cabinet.durand.store.key \
	keys/demo/dr.martin.store keys/demo/dr.martin.store.key \
	keys/demo/infirmiere.petit.store keys/demo/infirmiere.petit.store.key \
	keys/demo/labo.central.store keys/demo/labo.central.store.key \
	keys/demo/passerelle.store keys/demo/passerelle.store.key \
	keys/demo/veille.store keys/demo/veille.store.key
