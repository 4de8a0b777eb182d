"""A token's issuer: its URL, and whether it says where its keys are, asked when an authorizer is made (F§5.3)."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from farm.aws.apigateway.model import Fetch, Settings, invalid

_DOCUMENT = "/.well-known/openid-configuration"


def check_issuer(settings: Settings, issuer: str) -> None:
    if not _is_secure(issuer) and not (settings.local_issuers and _is_local(issuer)):
        raise invalid("Invalid issuer: Issuer is not a valid URL for JWT Authorizer")
    if settings.fetch:
        _check_answers(settings.fetch, issuer)


def _is_secure(issuer: str) -> bool:
    parts = _split(issuer)
    return parts is not None and parts[0] == "https"


def _is_local(issuer: str) -> bool:
    parts = _split(issuer)
    if parts is None or parts[0] != "http":
        return False
    try:
        return ipaddress.ip_address(parts[1]).is_loopback
    except ValueError:
        return parts[1] == "localhost"


def _split(issuer: str) -> tuple[str, str] | None:
    """Scheme and host; None for what is no URL of an issuer."""
    try:
        parts = urlsplit(issuer)
    except ValueError:
        return None
    plain = not parts.query and not parts.fragment and not any(sign.isspace() for sign in issuer)
    return (parts.scheme, parts.hostname) if parts.hostname and plain else None


def _check_answers(fetch: Fetch, issuer: str) -> None:
    url = issuer.rstrip("/") + _DOCUMENT
    try:
        document = fetch(url)
    except (OSError, ValueError) as error:
        raise invalid(
            f"Caught exception when connecting to {url} for issuer {issuer}. "
            f"Please try again later. Error: {error}"
        ) from error
    if not isinstance(document, dict) or "jwks_uri" not in document:
        raise invalid(f"Invalid issuer: {url} does not name a jwks_uri")
