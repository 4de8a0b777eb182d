"""AWS Certificate Manager as a load balancer's owner sees it: certificates that are issued, listed with their names.

`material` is for whoever ends TLS on the farm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from moto.acm.exceptions import AWSValidationException
from moto.acm.models import AWSCertificateManagerBackend, CertBundle, acm_backends
from moto.acm.responses import AWSCertificateManagerResponse
from moto.core.responses import ActionResult

from farm.aws import ACCOUNT, REGION, clock
from farm.aws.paging import BadTokenError, page

_BY_DEFAULT = ["RSA_1024", "RSA_2048"]
_MOST_NAMES = 100
_PAGE = 1000


@dataclass(slots=True)
class Settings:
    """What tests and the farm may turn."""

    validation: float = 0.0
    """Seconds from a request until its certificate is issued; somebody has put the records in DNS by then."""


@dataclass(frozen=True, slots=True)
class Material:
    """PEM, both."""

    certificate: bytes
    key: bytes


def settings(region: str = REGION) -> Settings:
    found: Settings = acm_backends[ACCOUNT][region].__dict__.setdefault("farm_acm", Settings())
    return found


def material(arn: str, region: str = REGION) -> Material:
    """KeyError if there is no such certificate."""
    found = acm_backends[ACCOUNT][region]._certificates[arn]
    return Material(found.cert, found.key)


def mend() -> None:
    """Put moto's ACM right, as far as load balancers need it."""
    AWSCertificateManagerBackend.request_certificate = _request_certificate
    AWSCertificateManagerResponse.list_certificates = _list_certificates
    CertBundle.check = _check


_moto_request = AWSCertificateManagerBackend.request_certificate
_moto_check = CertBundle.check


def _request_certificate(self: AWSCertificateManagerBackend, *args: Any, **asked: Any) -> str:
    arn = str(_moto_request(self, *args, **asked))
    ours = self.__dict__.setdefault("farm_acm", Settings())
    vars(self._certificates[arn]).setdefault("farm_issued_at", clock.now() + ours.validation)
    return arn


def _check(self: CertBundle) -> None:
    """Issued when its time on the farm's clock has come; moto goes by the wall's."""
    if self.status == "PENDING_VALIDATION":
        if self.farm_issued_at <= clock.now():
            self.status = "ISSUED"
    else:
        _moto_check(self)


def _list_certificates(self: AWSCertificateManagerResponse) -> ActionResult:
    """Without being asked for others, ACM lists certificates with RSA keys of at most 2048 bits only."""
    includes = {"keyTypes": _BY_DEFAULT, **(self._get_param("Includes") or {})}
    found = self.acm_backend.list_certificates(self._get_param("CertificateStatuses"), includes)
    try:
        some, following = page(
            found,
            lambda one: str(one.arn),
            int(self._get_param("MaxItems") or _PAGE),
            self._get_param("NextToken"),
        )
    except BadTokenError as error:
        raise AWSValidationException("The next token is not valid.") from error
    return ActionResult({"CertificateSummaryList": [_summary(one) for one in some], "NextToken": following})


def _summary(certificate: CertBundle) -> dict[str, Any]:
    described = dict(certificate.describe()["Certificate"])
    names = described.pop("SubjectAlternativeNames")
    return described | {
        "SubjectAlternativeNameSummaries": names[:_MOST_NAMES],
        "HasAdditionalSubjectAlternativeNames": len(names) > _MOST_NAMES,
        "InUse": bool(described.pop("InUseBy")),
        "Exported": False,
    }
