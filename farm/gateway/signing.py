"""Signature Version 4 for APIs: made for clients, and checked by making it again with botocore's own signer.

Only signatures in the Authorization header are known, not those in a query string. An HTTP API tells a client that is
refused no more than `Forbidden`; a REST API tells the code.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from farm.account import KEY
from farm.aws import REGION, clock
from farm.gateway.refusing import forbidden
from farm.gateway.routing import Request

_SERVICE = "execute-api"
_STAMP = "%Y%m%dT%H%M%SZ"
_SKEW = 300.0  # seconds that a client's clock may be wrong
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 +Credential=(?P<key>[^/]+)/(?P<date>\d{8})/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request, *"
    r"SignedHeaders=(?P<signed>[^,]+), *Signature=(?P<signature>[0-9a-f]{64})"
)


def signed(request: Request, key: str = KEY, secret: str = KEY, *, at: float | None = None) -> Request:
    """The request with a signature, made now by the farm's clock if not said."""
    stamp = _stamp(clock.now() if at is None else at)
    unsigned = replace(request, headers={**request.headers, "X-Amz-Date": stamp})
    names = [name.lower() for name in ("Host", *unsigned.headers) if name.lower() != "authorization"]
    signer, scope, signature = _sign(unsigned, names, key, secret, REGION, stamp)
    said = f"{signer} Credential={key}/{scope}, SignedHeaders={';'.join(sorted(set(names)))}, Signature={signature}"
    return replace(unsigned, headers={**unsigned.headers, "Authorization": said})


def verify(request: Request, secret_of: Callable[[str], str | None], now: float) -> str:
    """The access key that signed the request. RefusedError if none did, or not this request, or too long ago."""
    said = _AUTHORIZATION.fullmatch(request.header("Authorization"))
    if said is None:
        asked = "IncompleteSignature" if request.header("Authorization") else "MissingAuthenticationToken"
        raise forbidden("the request is not signed", code=asked)
    stamp, names = request.header("X-Amz-Date"), said["signed"].split(";")
    if said["service"] != _SERVICE or said["region"] != REGION:
        raise forbidden(
            f"the signature is for {said['service']} in {said['region']}", code="InvalidSignature"
        )
    if "host" not in names or "x-amz-date" not in names:
        raise forbidden("the signature does not cover host and date", code="InvalidSignature")
    if stamp[:8] != said["date"] or abs(now - _seconds(stamp)) > _SKEW:
        raise forbidden("the signature has expired", code="InvalidSignature")
    secret = secret_of(said["key"])
    if secret is None:
        raise forbidden("the access key is unknown", code="UnrecognizedClient")
    content = request.header("X-Amz-Content-SHA256")
    if content and content != hashlib.sha256(request.body).hexdigest():
        raise forbidden("the body is not the one that was signed", code="InvalidSignature")
    _, _, expected = _sign(request, names, said["key"], secret, said["region"], stamp)
    if not hmac.compare_digest(expected, said["signature"]):
        raise forbidden("the signature does not match", code="InvalidSignature")
    return said["key"]


def _sign(
    request: Request, names: list[str], key: str, secret: str, region: str, stamp: str
) -> tuple[str, str, str]:
    """Algorithm, scope and signature over the headers with these names."""
    covered = {name: value for name, value in request.headers.items() if name.lower() in names}
    prepared = AWSRequest(
        method=request.method,
        url=f"https://{request.host}{request.path}",
        headers={
            **{name: value for name, value in covered.items() if name.lower() != "host"},
            "host": request.host,
        },
        data=request.body,
    )
    prepared.context["timestamp"] = stamp
    signer = SigV4Auth(Credentials(key, secret), _SERVICE, region)
    text = signer.string_to_sign(prepared, signer.canonical_request(prepared))
    return "AWS4-HMAC-SHA256", signer.credential_scope(prepared), signer.signature(text, prepared)


def _stamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime(_STAMP)


def _seconds(stamp: str) -> float:
    """Of the epoch; long ago if it is not a date."""
    try:
        return datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return 0.0
