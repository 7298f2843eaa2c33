"""Whose a certificate of pcsd is: what it has made itself is renewed, and nothing else."""

from __future__ import annotations

import datetime as dt

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from pacefab.errors import CommandError
from pacefab.workflows.formation.renewal import is_self_signed


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def certificate(subject: str, issuer: str) -> str:
    """Return a certificate (PEM) that one has signed for the other."""
    key, now = ec.generate_private_key(ec.SECP256R1()), dt.datetime(2030, 1, 1, tzinfo=dt.UTC)
    made = x509.CertificateBuilder().issuer_name(named(issuer)).subject_name(named(subject))
    made = made.public_key(key.public_key()).serial_number(1).not_valid_before(now)
    signed = made.not_valid_after(now + dt.timedelta(days=1)).sign(key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode()


def test_a_certificate_of_its_own_making_is_known() -> None:
    assert is_self_signed(certificate("c1", "c1"))
    assert not is_self_signed(certificate("c1", "an authority"))


def test_what_is_no_certificate_is_named() -> None:
    with pytest.raises(CommandError, match="is no certificate"):
        is_self_signed("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
