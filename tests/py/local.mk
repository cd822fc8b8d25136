# The independent reader and writer, its tests and the vectors.
EXTRA_DIST += tests/pysceau/README tests/pysceau/__init__.py \
	tests/pysceau/__main__.py tests/pysceau/argon2.py \
	tests/pysceau/association.py tests/pysceau/code.py \
	tests/pysceau/envelope.py tests/pysceau/errors.py \
	tests/pysceau/identity.py tests/pysceau/kdf.py \
	tests/pysceau/keyfile.py tests/pysceau/mail.py \
	tests/pysceau/records.py \
	tests/py/test_vectors.py \
	tests/vectors/kat.json
