"""TLS with the certificates that ACM has on this farm: moto makes real ones, each its own authority."""

from __future__ import annotations

import functools
import ssl
import tempfile

from farm.aws import acm


def context(certificate: str) -> ssl.SSLContext:
    """What a server needs to speak for a certificate. KeyError if there is none of this ARN."""
    return _context(acm.material(certificate))


def trusting(certificate: str) -> ssl.SSLContext:
    """What a client needs to trust a certificate and nothing else."""
    made = ssl.create_default_context(cadata=acm.material(certificate).certificate.decode())
    made.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # it names an issuer that nobody has
    return made


@functools.lru_cache(maxsize=64)
def _context(material: acm.Material) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as pair:  # the ssl module reads files only
        pair.write(material.key + b"\n" + material.certificate)
        pair.flush()
        made.load_cert_chain(pair.name)
    return made
