"""Who may pass: each route's authorisation, for real (F§5.3). Whatever is not understood is refused.

What is returned goes into the request's context; whoever may not pass is a RefusedError.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from moto.iam.models import iam_backends

from farm.aws import ACCOUNT, ONE_AT_A_TIME
from farm.aws.apigateway.deployed import Authorizer, Route
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
            case "CUSTOM", Authorizer(type="REQUEST") as authorizer:
                return self._answers.of(authorizer, asked, settings.functions)
        raise broken(f"the route's authorizer for {route.authorization} is gone")

    def _by_signature(self, asked: Asked, settings: Settings) -> Context:
        key = signing.verify(asked.request, lambda key: _secret(key, settings.secrets), self._now())
        if not settings.allow(key, asked.arn):
            raise forbidden("IAM does not let the caller invoke this")
        return {"identity.accessKey": key, "identity.accountId": ACCOUNT}

    def _by_token(self, route: Route, authorizer: Authorizer, asked: Asked, settings: Settings) -> Context:
        token = next(
            (found for one in authorizer.identity if (found := asked.look(one.removeprefix("$")))), ""
        )
        if not token:
            raise tokens.missing()
        if token[:7].lower() == "bearer ":
            token = token[7:].strip()
        address = settings.issuers.get(authorizer.issuer.rstrip("/"), "")
        claims = tokens.verify(
            token,
            self._keys.of(authorizer.issuer, address, settings.jwks),
            issuer=authorizer.issuer,
            audiences=authorizer.audience,
            now=self._now(),
        )
        tokens.check_scopes(claims, route.scopes)
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
