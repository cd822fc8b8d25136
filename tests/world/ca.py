"""A certification authority for the tests, and certificates of every kind.

    ca = CA(folder)
    good = ca.issue("localhost")
    old = ca.issue("localhost", days=(-30, -1))
    alone = self_signed(folder, "localhost")

Each certificate has .cert and .key (paths), .pin and .fingerprint.
"""

import base64
import datetime
import hashlib
import ipaddress
import itertools
import pathlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_serial = itertools.count(1)


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _alt(name):
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


class Certificate:
    def __init__(self, folder, cert, key):
        number = next(_serial)
        folder = pathlib.Path(folder)
        self.x509, self.private = cert, key
        self.cert = folder / f"cert-{number}.pem"
        self.key = folder / f"key-{number}.pem"
        self.cert.write_bytes(cert.public_bytes(serialization.Encoding.PEM))
        self.key.write_bytes(key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption()))
        self.fingerprint = cert.fingerprint(hashes.SHA256()).hex()
        spki = cert.public_key().public_bytes(
            serialization.Encoding.DER,
            serialization.PublicFormat.SubjectPublicKeyInfo)
        self.pin = "sha256//" + base64.b64encode(
            hashlib.sha256(spki).digest()).decode()


def _build(subject, issuer, signer, key, names, days, is_ca):
    now = datetime.datetime.utcnow()
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject)).issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + datetime.timedelta(days=days[0]))
        .not_valid_after(now + datetime.timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None),
                       critical=True))
    if names:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([_alt(n) for n in names]),
            critical=False)
    return builder.sign(signer, hashes.SHA256())


class CA:
    """An authority whose own certificate is self.cert."""

    def __init__(self, folder, name="Authority of the tests"):
        self.folder, self.name = pathlib.Path(folder), name
        self.private = ec.generate_private_key(ec.SECP256R1())
        root = _build(name, name, self.private, self.private, [],
                      (-3650, 3650), True)
        self.cert = Certificate(folder, root, self.private).cert

    def issue(self, *names, days=(-1, 30), key=None):
        """A server's certificate for names (hosts and addresses)."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        cert = _build(names[0], self.name, self.private, key, names, days,
                      False)
        return Certificate(self.folder, cert, key)


def self_signed(folder, *names, days=(-1, 30)):
    """A server's certificate that no authority stands behind."""
    key = ec.generate_private_key(ec.SECP256R1())
    return Certificate(folder, _build(names[0], names[0], key, key, names,
                                      days, False), key)
