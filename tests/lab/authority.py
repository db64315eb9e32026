# SPDX-License-Identifier: Apache-2.0
"""The lab's certificate authority: a root, an intermediate, a root that nobody trusts, and leaves of every fault.

The roots are kept in build/lab/ca from run to run; leaves are made at each start, all on one key.
"""

from __future__ import annotations

import datetime
import hashlib
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)
LEAF_KINDS = ("good", "expired", "not-yet-valid", "wrong-name", "self-signed", "other-root", "no-intermediate",
              "cn-only", "expires-soon")


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Mailtight Lab"),
                      x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption())


def _make_ca(common: str, issuer=None, issuer_key=None, path_length=None):
    now = datetime.datetime.utcnow()
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (x509.CertificateBuilder().subject_name(_name(common))
               .issuer_name(issuer.subject if issuer else _name(common))
               .public_key(key.public_key()).serial_number(x509.random_serial_number())
               .not_valid_before(now - 400 * DAY).not_valid_after(now + 3650 * DAY)
               .add_extension(x509.BasicConstraints(True, path_length), critical=True)
               .add_extension(x509.KeyUsage(False, False, False, False, False, True, True, False, False), critical=True)
               .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False))
    if issuer_key is not None:
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    return builder.sign(issuer_key or key, hashes.SHA256()), key


class Authority:
    """Makes leaves. `folder` keeps the roots, `leaves` gets the chains and the one key."""

    def __init__(self, folder: Path, leaves: Path):
        self.folder, self.leaves = folder, leaves
        leaves.mkdir(parents=True, exist_ok=True)
        folder.mkdir(parents=True, exist_ok=True)
        self.root, self.root_key = self._kept(folder, "root", "Mailtight Lab Root")
        self.middle, self.middle_key = self._kept(folder, "intermediate", "Mailtight Lab Intermediate",
                                                  self.root, self.root_key)
        self.other, self.other_key = self._kept(folder, "other-root", "Somebody Else's Root")
        self.ca_file = folder.parent / "ca.pem"
        self.ca_file.write_bytes(_pem(self.root))
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.key_file = leaves / "leaf.key"
        self.key_file.write_bytes(_key_pem(self.key))
        self.key_file.chmod(0o644)  # a key of the lab alone; every server user reads it

    @staticmethod
    def _kept(folder: Path, name: str, common: str, issuer=None, issuer_key=None):
        crt, key = folder / f"{name}.pem", folder / f"{name}.key"
        if crt.exists() and key.exists():
            certificate = x509.load_pem_x509_certificate(crt.read_bytes())
            if issuer is None or certificate.issuer == issuer.subject:
                return certificate, serialization.load_pem_private_key(key.read_bytes(), None)
        certificate, private = _make_ca(common, issuer, issuer_key)
        crt.write_bytes(_pem(certificate))
        key.write_bytes(_key_pem(private))
        return certificate, private

    def spki(self) -> bytes:
        """The public key of every leaf of the lab: what a TLSA 3 1 0 record holds."""
        return self.key.public_key().public_bytes(serialization.Encoding.DER,
                                                  serialization.PublicFormat.SubjectPublicKeyInfo)

    def spki_sha256(self) -> str:
        """What a TLSA 3 1 1 record holds for every leaf of the lab."""
        return hashlib.sha256(self.spki()).hexdigest()

    def middle_sha256(self) -> str:
        """What a TLSA 2 0 1 record holds for the intermediate."""
        return hashlib.sha256(self.middle.public_bytes(serialization.Encoding.DER)).hexdigest()

    def leaf(self, kind: str, names: list[str]) -> Path:
        """The PEM chain of a leaf of this kind for these names; made once."""
        path = self.leaves / (hashlib.sha256(repr((kind, names)).encode()).hexdigest()[:16] + f".{kind}.pem")
        if path.exists():
            return path
        if kind not in LEAF_KINDS:
            raise ValueError(f"no such kind of certificate: {kind}")
        now = datetime.datetime.utcnow()
        before, after = now - 10 * DAY, now + 80 * DAY
        if kind == "expired":
            before, after = now - 90 * DAY, now - 2 * DAY
        elif kind == "not-yet-valid":
            before, after = now + 2 * DAY, now + 90 * DAY
        elif kind == "expires-soon":
            before, after = now - 87 * DAY, now + 3 * DAY
        sans = ["somewhere-else.test"] if kind == "wrong-name" else names
        issuer, issuer_key = self.middle, self.middle_key
        if kind == "other-root":
            issuer, issuer_key = self.other, self.other_key
        subject = _name(sans[0])
        if kind == "self-signed":
            issuer_name, issuer_key = subject, self.key
        else:
            issuer_name = issuer.subject
        builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer_name)
                   .public_key(self.key.public_key()).serial_number(x509.random_serial_number())
                   .not_valid_before(before).not_valid_after(after)
                   .add_extension(x509.BasicConstraints(False, None), critical=True)
                   .add_extension(x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
                   .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
                                  critical=False))
        if kind != "cn-only":
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in sans]),
                                            critical=False)
        chain = _pem(builder.sign(issuer_key, hashes.SHA256()))
        if kind == "other-root":
            chain += _pem(self.other)
        elif kind not in ("self-signed", "no-intermediate"):
            chain += _pem(self.middle)
        path.write_bytes(chain)
        return path
