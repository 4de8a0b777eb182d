"""Who may pass: each route's authorisation, for real (F§5.3). Whatever is not understood is refused.

What is returned goes into the request's context; whoever may not pass is a RefusedError.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from moto.iam.models import iam_backends

from farm.aws import ACCOUNT, ONE_AT_A_TIME
from farm.aws.apigateway.deployed import Authorizer, Route
from farm.aws.restapis import Pools
from farm.gateway import signing, tokens
from farm.gateway.functions import Answers, Asked, Context
from farm.gateway.model import Settings
from farm.gateway.refusing import broken, forbidden


class Guard:
    """Remembers issuers' keys and functions' answers."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._keys = tokens.Keys(now)
        self._answers = Answers(now)

    def admit(self, route: Route, asked: Asked, settings: Settings) -> Context:
        match route.authorization, route.authorizer:
            case "NONE", _:
                return {}
            case "AWS_IAM", _:
                return self._by_signature(asked, settings)
            case "JWT", Authorizer(type="JWT") as authorizer:
                return self._by_token(route, authorizer, asked, settings)
            case "COGNITO_USER_POOLS", Pools() as authorizer:
                return self._by_pools(route, authorizer, asked, settings)
            case "CUSTOM", Authorizer(type="REQUEST") as authorizer:
                return self._answers.of(authorizer, asked, settings.functions)
        raise broken(f"the route's authorizer for {route.authorization} is gone")

    def _by_signature(self, asked: Asked, settings: Settings) -> Context:
        key = signing.verify(asked.request, lambda key: _secret(key, settings.secrets), self._now())
        if not settings.allow(key, asked.arn):
            raise forbidden("IAM does not let the caller invoke this", code="AccessDenied")
        return {"identity.accessKey": key, "identity.accountId": ACCOUNT}

    def _by_token(self, route: Route, authorizer: Authorizer, asked: Asked, settings: Settings) -> Context:
        claims = self._claims(_token(authorizer, asked), authorizer.issuer, authorizer.audience, settings)
        tokens.check_scopes(claims, route.scopes)
        return _told(claims)

    def _by_pools(self, route: Route, authorizer: Pools, asked: Asked, settings: Settings) -> Context:
        """A method with scopes wants an access token, one without wants an ID token, for any client of the pool."""
        token = _token(authorizer, asked)
        issuer = tokens.choose_issuer(token, authorizer.pools)
        claims = self._claims(token, issuer, None, settings)
        tokens.check_use(claims, "access" if route.scopes else "id")
        tokens.check_scopes(claims, route.scopes)
        return _told(claims)

    def _claims(
        self, token: str, issuer: str, audiences: Sequence[str] | None, settings: Settings
    ) -> tokens.Claims:
        address = settings.issuers.get(issuer.rstrip("/"), "")
        keys = self._keys.of(issuer, address, settings.jwks)
        return tokens.verify(token, keys, issuer=issuer, audiences=audiences, now=self._now())


def _token(authorizer: Authorizer, asked: Asked) -> str:
    """Where the authorizer looks for it, with or without `Bearer`."""
    token = next((found for one in authorizer.identity if (found := asked.look(one.removeprefix("$")))), "")
    if not token:
        raise tokens.missing()
    return token[7:].strip() if token[:7].lower() == "bearer " else token


def _told(claims: tokens.Claims) -> Context:
    return {f"authorizer.claims.{name}": str(value) for name, value in claims.items()}


def _secret(key: str, secrets: Mapping[str, str]) -> str | None:
    """Of an access key: one that the farm was told of, or an IAM user's."""
    if key in secrets:
        return secrets[key]
    with ONE_AT_A_TIME:
        users = list(iam_backends[ACCOUNT]["aws"].users.values())
        held = [one for user in users for one in user.access_keys]
    return next(
        (str(one.secret_access_key) for one in held if one.access_key_id == key and one.status == "Active"),
        None,
    )
