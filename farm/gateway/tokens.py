"""JSON Web Tokens, checked as an HTTP API's JWT authoriser does (F§5.3): real RSA signatures, keys from the issuer.

The keys come over HTTP by way of the issuer's discovery document, and are kept for a while: a key that the issuer has
since added is unknown until then. Nothing but loopback is ever asked: `Settings.issuers` says where an issuer answers.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, RSAKey
from joserfc.jws import extract_compact

from farm.gateway.model import settings
from farm.gateway.refusing import RefusedError, forbidden, unauthorized

_ALGORITHMS = ("RS256", "RS384", "RS512")
_PATIENCE = 1.5  # seconds for the issuer to answer (F§5.3)
Claims = Mapping[str, Any]


@dataclass(slots=True)
class Keys:
    """The keys of each issuer, as last heard."""

    now: Callable[[], float]
    _known: dict[str, tuple[float, KeySet]] = field(default_factory=dict)

    def of(self, issuer: str, address: str, seconds: float) -> KeySet:
        """RefusedError if they are older than this and the issuer cannot be asked."""
        heard, keys = self._known.get(issuer, (float("-inf"), None))
        if keys is None or self.now() - heard >= seconds:
            keys = _fetched(issuer, address)
            self._known[issuer] = (self.now(), keys)
        return keys


def verify(token: str, keys: KeySet, *, issuer: str, audiences: Sequence[str] | None, now: float) -> Claims:
    """What the token says. RefusedError if it is not the issuer's, not for us, or not for now.

    Without audiences it may be for anybody.
    """
    claims = _decoded(token, keys)
    if claims.get("iss") != issuer:
        raise invalid("the token is from another issuer")
    if audiences is not None and not _is_for(claims, audiences):
        raise invalid("the token is for another audience")
    if not _is_number(claims.get("exp")) or claims["exp"] <= now:
        raise invalid("the token has expired", code="ExpiredToken")
    if any(
        name in claims and not (_is_number(claims[name]) and claims[name] <= now) for name in ("nbf", "iat")
    ):
        raise invalid("the token is not valid yet")
    return claims


def check_scopes(claims: Claims, wanted: Iterable[str]) -> None:
    """One of them is enough; none wanted is none needed."""
    held = claims.get("scope", claims.get("scp", ""))
    scopes = set(held.split() if isinstance(held, str) else held if isinstance(held, list) else ())
    if wanted and scopes.isdisjoint(wanted):
        said = f'Bearer scope="{" ".join(wanted)}" error="insufficient_scope"'
        raise forbidden(
            "the token has none of the scopes", {"WWW-Authenticate": said}, code="InsufficientScope"
        )


def check_use(claims: Claims, wanted: str) -> None:
    """Cognito's tokens say what they are for: `id` or `access`."""
    if claims.get("token_use") != wanted:
        raise invalid(f"the token is no {wanted} token")


def choose_issuer(token: str, issuers: Sequence[str]) -> str:
    """The one of these that the token claims to be from: whose keys to check it with, no more. RefusedError if none."""
    try:
        claimed = json.loads(extract_compact(token.encode()).payload).get("iss")
    except (JoseError, ValueError, AttributeError) as error:
        raise invalid("the token is not one that the issuer signed") from error
    if claimed not in issuers:
        raise invalid("the token is from another issuer")
    return str(claimed)


def missing() -> RefusedError:
    return unauthorized("there is no token", {"WWW-Authenticate": "Bearer"})


def invalid(reason: str, *, code: str = "") -> RefusedError:
    said = f'Bearer scope="" error="invalid_token" error_description="{reason}"'
    return unauthorized(reason, {"WWW-Authenticate": said}, code=code)


def _decoded(token: str, keys: KeySet) -> Claims:
    try:
        identity = extract_compact(token.encode()).headers().get("kid")
        key = next((one for one in keys.keys if identity and one.kid == identity), None)
        if not isinstance(key, RSAKey):
            raise invalid("the token's key is not one of the issuer's")
        return jwt.decode(token, key, algorithms=list(_ALGORITHMS)).claims
    except (JoseError, ValueError) as error:
        raise invalid("the token is not one that the issuer signed") from error


def _is_for(claims: Claims, audiences: Sequence[str]) -> bool:
    """`client_id` counts only where there is no `aud`, as in Cognito's access tokens."""
    named = claims.get("aud", claims.get("client_id"))
    return not set(named if isinstance(named, list) else [named]).isdisjoint(audiences)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def fetch(url: str) -> Any:
    """A JSON document of an issuer that `Settings.issuers` has. OSError or ValueError if it cannot be had.

    For `farm.aws.apigateway.settings().fetch`, so that authorisers are made for issuers that answer only.
    """
    for issuer, address in settings().issuers.items():
        if url.startswith(f"{issuer}/"):
            try:
                return _get(url.replace(issuer, address, 1))
            except (http.client.HTTPException, LookupError) as error:
                raise OSError(f"{url} does not answer as it should") from error
    raise OSError(f"{url} does not answer")


def _fetched(issuer: str, address: str) -> KeySet:
    try:
        found = _get(f"{address.rstrip('/')}/.well-known/openid-configuration")
        place = str(found["jwks_uri"]).replace(issuer.rstrip("/"), address.rstrip("/"), 1)
        return KeySet.import_key_set(_get(place))
    except (OSError, http.client.HTTPException, JoseError, ValueError, LookupError, TypeError) as error:
        raise invalid("the issuer's keys cannot be had") from error


def _get(url: str) -> Any:
    """What a loopback address says. LookupError for any other."""
    parts = urlsplit(url)
    if parts.scheme != "http" or not (parts.hostname or "").startswith("127."):
        raise LookupError(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=_PATIENCE)
    try:
        connection.request("GET", parts.path)
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()
