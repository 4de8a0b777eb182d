"""ACM's answers to look-ups: which of the certificates that are there covers a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expose.aws import Clients

if TYPE_CHECKING:
    from mypy_boto3_acm.literals import KeyAlgorithmType
    from mypy_boto3_acm.type_defs import CertificateSummaryTypeDef

ACTIONS = frozenset({"acm:ListCertificates"})

_KEYS: list[KeyAlgorithmType] = ["RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1"]
"""All that load balancers take. Without naming them ACM lists RSA keys of up to 2,048 bits only."""


class Certificates:
    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def find(self, key: str) -> str:
        """The ARN of the issued certificate for the name `key`, the one made for just it first; empty for none."""
        pages = self._clients.acm.get_paginator("list_certificates").paginate(
            CertificateStatuses=["ISSUED"], Includes={"keyTypes": _KEYS}
        )
        fitting = [
            (key not in names, -_expiry(each), each.get("CertificateArn", ""))
            for page in pages
            for each in page["CertificateSummaryList"]
            if {key, f"*.{key.partition('.')[2]}"} & (names := _names(each))
        ]
        return min(fitting)[2] if fitting else ""


def _names(summary: CertificateSummaryTypeDef) -> set[str]:
    names = [summary.get("DomainName", ""), *summary.get("SubjectAlternativeNameSummaries", [])]
    return {name.lower() for name in names}


def _expiry(summary: CertificateSummaryTypeDef) -> float:
    expires = summary.get("NotAfter")
    return expires.timestamp() if expires else 0.0
